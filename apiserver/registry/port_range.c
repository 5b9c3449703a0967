/* The bitmap is a big integer: bit i is the port first + i, bytes come with the highest first and
 * without leading zeros. */
#include "registry/port_range.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "registry/generic.h"
#include "registry/port_allocator.h"
#include "server_stores.h"

#define KEY SLICE_LIT("/registry/ranges/servicenodeports")
#define TRIES 20
#define BYTES_MAX ((size_t)65536 / 8)

typedef struct bitmap {
  const port_allocator *ports;
  unsigned char bits[BYTES_MAX]; /* bit i in byte i / 8, the lowest first */
} bitmap;

/* Whose ports they are: the bitmap is kept where they are. */
static const resource_info *services(void) {
  return schema_resource(SLICE_NONE, SLICE_LIT("v1"), SLICE_LIT("services"));
}

static const type_info *range_type(void) {
  return schema_kind(SLICE_LIT(""), SLICE_LIT("v1"), SLICE_LIT("RangeAllocation"))->type;
}

static val *decode(arena *a, slice bytes) {
  slice api_version, kind, message, encoding, type, error;
  if (slice_has_prefix(bytes, slice_of("k8s\0", 4))) {
    if (!proto_open_envelope(a, bytes, &api_version, &kind, &message, &encoding, &type, &error)) {
      return NULL;
    }
    return proto_decode(a, message, range_type(), &error);
  }
  val *raw = json_parse(a, bytes, NULL, &error);
  return raw ? codec_conform(a, raw, range_type(), NULL, &error) : NULL;
}

static slice range_text(arena *a, const port_allocator *p) {
  return arena_printf(a, "%d-%d", p->first, p->last);
}

static blob *encode(arena *a, const bitmap *m, val *obj) {
  size_t n = BYTES_MAX;
  while (n && !m->bits[n - 1]) n--;
  char *bytes = arena_alloc(a, n + 1);
  for (size_t i = 0; i < n; i++) bytes[i] = (char)m->bits[n - 1 - i];
  val_setc(a, obj, "range", val_string(a, range_text(a, m->ports)));
  val_setc(a, obj, "data", val_string(a, base64_encode(a, slice_of(bytes, n))));
  buf message, out;
  buf_init(&message, LIMIT_BUFFER);
  buf_init(&out, LIMIT_BUFFER);
  proto_encode(&message, obj, range_type());
  proto_envelope(&out, SLICE_LIT("v1"), SLICE_LIT("RangeAllocation"), buf_slice(&message));
  blob *b = blob_copy(buf_slice(&out));
  buf_dispose(&message);
  buf_dispose(&out);
  return b;
}

static void read_bits(arena *a, const val *obj, bitmap *m) {
  slice bytes;
  memset(m->bits, 0, sizeof m->bits);
  if (!base64_decode(a, val_get_str(obj, "data"), &bytes)) return;
  for (size_t i = 0; i < bytes.len && i < BYTES_MAX; i++) {
    m->bits[i] = (unsigned char)bytes.ptr[bytes.len - 1 - i];
  }
}

/* A bitmap that is not there yet begins with the Services' ports. */
static void bits_of_services(bitmap *m) {
  memset(m->bits, 0, sizeof m->bits);
  for (int32_t port = m->ports->first; port <= m->ports->last; port++) {
    size_t at = (size_t)(port - m->ports->first);
    if (port_is_taken(m->ports, port)) m->bits[at / 8] |= (unsigned char)(1u << (at % 8));
  }
}

/* Sets (or clears) one bit. False: it was so already. */
static bool change(bitmap *m, int64_t port, bool on) {
  if (port < m->ports->first || port > m->ports->last) return false;
  size_t at = (size_t)(port - m->ports->first);
  unsigned char mask = (unsigned char)(1u << (at % 8));
  if (((m->bits[at / 8] & mask) != 0) == on) return false;
  m->bits[at / 8] = (unsigned char)(m->bits[at / 8] ^ mask);
  return true;
}

typedef struct range_run {
  request *rq;
  const val *ports; /* to give back; else `port` is taken */
  int64_t port;
  bool changes;
} range_run;

static void apply(range_run *run, bitmap *m) {
  run->changes = false;
  if (!run->ports) run->changes = change(m, run->port, true);
  for (uint32_t i = 0; i < val_len(run->ports); i++) {
    if (change(m, val_i64(val_at(run->ports, i)), false)) run->changes = true;
  }
}

static store_result attempt(range_run *run) {
  request *rq = run->rq;
  store *s = server_store(rq->server, services());
  store_entry *e = NULL;
  bitmap m = {.ports = rq->server->ports};
  store_result r = store_get_fresh(s, KEY, &e);
  if (r != STORE_OK && r != STORE_NOT_FOUND) return r;
  val *obj = e ? decode(rq->arena, blob_slice(e->value)) : NULL;
  if (obj && slice_eq(val_get_str(obj, "range"), range_text(rq->arena, m.ports))) {
    read_bits(rq->arena, obj, &m);
  } else {
    bits_of_services(&m);
    if (!run->ports) change(&m, run->port, false); /* it is what is asked for */
    if (!obj) obj = val_map(rq->arena);
  }
  apply(run, &m);
  r = STORE_OK;
  if (run->changes) {
    blob *b = encode(rq->arena, &m, obj);
    r = e ? store_update(s, KEY, e->mod_revision, b, NULL) : store_create(s, KEY, b, NULL);
    blob_unref(b);
  }
  if (e) store_entry_unref(e);
  return r;
}

static store_result update(range_run *run) {
  store_result r = STORE_CONFLICT;
  for (int tries = 0; tries < TRIES; tries++) {
    r = attempt(run);
    if (r != STORE_CONFLICT && r != STORE_EXISTS && r != STORE_NOT_FOUND) break;
  }
  return r;
}

port_range_result port_range_take(request *rq, int64_t port) {
  if (!store_waits(rq->server->store)) return PORT_RANGE_OK;
  range_run run = {.rq = rq, .port = port};
  store_result r = update(&run);
  if (r == STORE_OK) return run.changes ? PORT_RANGE_OK : PORT_RANGE_TAKEN;
  generic_store_error(rq, r, SLICE_NONE);
  return PORT_RANGE_FAILED;
}

void port_range_release(request *rq, const val *ports) {
  if (!store_waits(rq->server->store) || val_len(ports) == 0) return;
  range_run run = {.rq = rq, .ports = ports};
  (void)update(&run);
}
