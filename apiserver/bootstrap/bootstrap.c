/* See bootstrap.h. Filling in a template is a scan for the mark byte; the values are made once,
 * except for the three that are each object's own. */
#include "bootstrap/bootstrap.h"

#include "base/buf.h"
#include "bootstrap/bootstrap_objects.h"
#include "codec/codec.h"
#include "registry/object.h"
#include "registry/stored.h"
#include "server_stores.h"
#include "verb/registry.h"

#include <arpa/inet.h>
#include <openssl/sha.h>
#include <time.h>

#define OBJECT_MAX ((size_t)1 << 20)
#define HOSTNAME_MAX 253
#define LOST_TRIES 20 /* of one object, whose answer is lost each time */

/* What a mark's letter stands for; 'u' and 'U' (fresh UUIDs) and 'r' are made on the spot. */
typedef struct fill {
  server *server;
  const resource_info *at; /* of the object that is being filled in */
  slice by_letter[128];
} fill;

static void text_of_time(arena *a, int64_t wall_ns, fill *f) {
  time_t seconds = (time_t)(wall_ns / 1000000000);
  struct tm t;
  gmtime_r(&seconds, &t);
  slice date = arena_printf(a, "%04d-%02d-%02d", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday);
  slice clock = arena_printf(a, "%.*sT%02d:%02d:%02d", SLICE_ARG(date), t.tm_hour, t.tm_min,
                             t.tm_sec);
  f->by_letter['d'] = date;
  f->by_letter['t'] = arena_printf(a, "%.*sZ", SLICE_ARG(clock));
  f->by_letter['m'] = arena_printf(a, "%.*s.%06dZ", SLICE_ARG(clock),
                                   (int)(wall_ns % 1000000000 / 1000));
}

bool bootstrap_first_ip(arena *a, slice cidr, slice *out) {
  slice address, bits_text;
  unsigned char bytes[16];
  char text[INET6_ADDRSTRLEN];
  long long bits;
  if (!slice_cut(cidr, '/', &address, &bits_text) || !slice_to_i64(bits_text, &bits)) return false;
  int family = slice_find_char(address, ':') >= 0 ? AF_INET6 : AF_INET;
  int width = family == AF_INET6 ? 128 : 32;
  if (inet_pton(family, arena_cstr(a, address), bytes) != 1 || bits < 0 || bits >= width) {
    return false;
  }
  for (int bit = (int)bits; bit < width; bit++) {
    bytes[bit / 8] = (unsigned char)(bytes[bit / 8] & ~(0x80 >> bit % 8));
  }
  bytes[width / 8 - 1] |= 1;
  if (!inet_ntop(family, bytes, text, sizeof text)) return false;
  *out = arena_copy(a, slice_cstr(text));
  return true;
}

/* The hashed bytes: each text behind its length in two bytes. */
static size_t put_prefixed(unsigned char *at, slice text) {
  at[0] = (unsigned char)(text.len >> 8);
  at[1] = (unsigned char)text.len;
  memcpy(at + 2, text.ptr, text.len);
  return text.len + 2;
}

slice bootstrap_identity(arena *a, slice hostname) {
  static const char ALPHABET[] = "abcdefghijklmnopqrstuvwxyz234567";
  unsigned char in[HOSTNAME_MAX + 64], digest[SHA256_DIGEST_LENGTH];
  size_t len = put_prefixed(in, slice_upto(hostname, HOSTNAME_MAX));
  len += put_prefixed(in + len, SLICE_LIT("kube-apiserver"));
  SHA256(in, len, digest);
  char out[27]; /* 16 bytes in base32 without padding: 26 letters */
  uint32_t hold = 0, bits = 0;
  size_t n = 0;
  for (int i = 0; i < 16; i++) {
    hold = hold << 8 | digest[i];
    for (bits += 8; bits >= 5; bits -= 5) out[n++] = ALPHABET[hold >> (bits - 5) & 31];
  }
  if (bits) out[n++] = ALPHABET[hold << (5 - bits) & 31];
  return arena_printf(a, "apiserver-%.*s", (int)n, out);
}

static slice family_of(slice address) {
  return slice_find_char(address, ':') >= 0 ? SLICE_LIT("IPv6") : SLICE_LIT("IPv4");
}

/* One or two (dual stack) CIDRs, comma separated: the text between the quotes of a JSON list,
 * and the first one's first address. */
static bool fill_cidrs(fill *f, arena *a, slice cidrs) {
  slice one, rest = cidrs, list = SLICE_NONE, ip;
  for (bool more = true; more;) {
    more = slice_cut(rest, ',', &one, &rest);
    if (!bootstrap_first_ip(a, one, &ip)) return false;
    if (list.len == 0) {
      f->by_letter['i'] = ip;
      f->by_letter['f'] = family_of(one);
      list = one;
    } else {
      list = arena_printf(a, "%.*s\",\"%.*s", SLICE_ARG(list), SLICE_ARG(one));
    }
  }
  f->by_letter['c'] = list;
  return true;
}

/* What stands between the quotes of a JSON string. */
static slice json_inside(arena *a, slice text) {
  buf b;
  if (text.len == 0) return text;
  buf_init(&b, OBJECT_MAX);
  json_encode_string(&b, text);
  slice quoted = buf_slice(&b);
  slice inside = b.overflow || quoted.len < 2
                     ? SLICE_NONE
                     : arena_copy(a, slice_of(quoted.ptr + 1, quoted.len - 2));
  buf_dispose(&b);
  return inside;
}

static bool fill_values(fill *f, arena *a, server *s, slice *problem) {
  const server_options *o = &s->options;
  memset(f, 0, sizeof *f);
  f->server = s;
  slice cidrs = o->service_cidr.len ? o->service_cidr : SLICE_LIT(BOOTSTRAP_SERVICE_CIDR);
  if (!fill_cidrs(f, a, cidrs)) {
    *problem = SLICE_LIT("the service CIDR is not valid");
    return false;
  }
  text_of_time(a, s->env->wall_ns, f);
  f->by_letter['a'] = json_inside(a, o->advertise_address);
  f->by_letter['F'] = family_of(o->advertise_address);
  f->by_letter['p'] = arena_printf(a, "%d", (int)o->secure_port);
  f->by_letter['h'] = json_inside(a, o->hostname);
  f->by_letter['n'] = bootstrap_identity(a, o->hostname);
  slice bundle = slice_trim(o->access.client_ca_pem);
  if (bundle.len) f->by_letter['k'] = json_inside(a, arena_concat(a, bundle, SLICE_LIT("\n")));
  return true;
}

static void append_mark(buf *out, fill *f, char letter) {
  char uuid[37];
  if (letter == 'u' || letter == 'U') {
    rng_uuid(&f->server->uid_rng, uuid);
    buf_append(out, slice_of(uuid, 36));
  } else if (letter == 'r') {
    buf_i64(out, store_next_revision(server_store(f->server, f->at)));
  } else {
    buf_append(out, f->by_letter[letter & 127]);
  }
}

static bool gate_is_off(const fill *f, char digit) {
  return digit > '0' && !served_gate(&f->server->options.served, (uint32_t)(digit - '1'));
}

static void expand(buf *out, fill *f, slice template) {
  ptrdiff_t at;
  while ((at = slice_find_char(template, 1)) >= 0 && (size_t)at + 1 < template.len) {
    char letter = template.ptr[at + 1];
    buf_append(out, slice_upto(template, (size_t)at));
    template = slice_from(template, (size_t)at + 2);
    if (letter > '9') append_mark(out, f, letter);
    /* What stands in a closed gate ends with the next mark. */
    if (letter <= '9' && gate_is_off(f, letter)) {
      template = slice_from(template, (size_t)slice_find_char(template, 1) + 2);
    }
  }
  buf_append(out, template);
}

/* Neither the object's own resource nor what it tells of must be turned off. */
static bool is_wanted(const fill *f, const bootstrap_object *b) {
  const served_set *s = &f->server->options.served;
  if (b->gate && !served_gate(s, b->gate - 1u)) return false;
  if (!served_resource(s, b->group, b->version, b->resource)) return false;
  return b->of_version.len == 0 || served_group_has_version(s, b->of_group, b->of_version);
}

static void write_object(fill *f, arena *a, buf *out, const bootstrap_object *b) {
  const resource_info *r = schema_resource(b->group, b->version, b->resource);
  if (!r || !is_wanted(f, b)) return;
  f->at = r;
  if (b->needs && f->by_letter[b->needs & 127].len == 0) return;
  buf_clear(out);
  expand(out, f, b->name);
  slice name = arena_copy(a, buf_slice(out)), key = stored_key(a, r, b->namespace, name);
  store_entry *there = NULL;
  if (store_get(server_store(f->server, r), key, 0, &there) == STORE_OK) { /* served before */
    store_entry_unref(there);
    return;
  }
  buf_clear(out);
  expand(out, f, b->json);
  blob *bytes = blob_copy(buf_slice(out));
  store_result result = STORE_UNKNOWN;
  for (int tries = 0; result == STORE_UNKNOWN && tries < LOST_TRIES; tries++) {
    result = store_create(server_store(f->server, r), key, bytes, NULL);
  }
  blob_unref(bytes);
}

bool bootstrap_run(server *s, slice *problem) {
  arena *a = arena_create();
  fill f;
  bool ok = fill_values(&f, a, s, problem);
  buf out;
  buf_init(&out, OBJECT_MAX);
  for (uint16_t i = 0; ok && i < bootstrap_object_count; i++) {
    write_object(&f, a, &out, &bootstrap_objects[i]);
  }
  buf_dispose(&out);
  arena_destroy(a);
  return ok;
}

/* What says where this server is. A path's last part is replaced as a whole. */
static const struct {
  const char *resource, *parent, *field;
} own_fields[] = {
    {"services", "spec", "ports"},         {"endpoints", NULL, "subsets"},
    {"endpointslices", NULL, "endpoints"}, {"endpointslices", NULL, "ports"},
};

/* Whether a field of `live` had to be set. */
static bool take_own_fields(arena *a, val *live, const val *fresh, slice resource) {
  bool changed = false;
  for (size_t i = 0; i < sizeof own_fields / sizeof *own_fields; i++) {
    if (!slice_is(resource, own_fields[i].resource)) continue;
    const char *parent = own_fields[i].parent, *field = own_fields[i].field;
    const val *want = val_getc(parent ? val_getc(fresh, parent) : fresh, field);
    val *at = parent ? val_getc(live, parent) : live;
    if (!at || !want || val_equal(val_getc(at, field), want)) continue;
    val_setc(a, at, field, val_copy(a, want));
    changed = true;
  }
  return changed;
}

/* As the template has it now, where it is another: of a snapshot from another address, or edited.
 * The template's uid is thrown away: the stream of uids stays where it was. */
static void repair_object(fill *f, arena *a, buf *out, const bootstrap_object *b) {
  server *s = f->server;
  const resource_info *r = schema_resource(b->group, b->version, b->resource);
  val *live = r ? registry_get(s, a, r, b->namespace, b->name) : NULL;
  if (r && !live) write_object(f, a, out, b);
  if (!live) return;
  rng uids = s->uid_rng;
  f->at = r;
  buf_clear(out);
  expand(out, f, b->json);
  s->uid_rng = uids;
  slice ignored = SLICE_NONE;
  const val *fresh = json_parse(a, buf_slice(out), NULL, &ignored);
  if (!take_own_fields(a, live, fresh, r->resource)) return;
  if (object_generation(live)) object_set_generation(a, live, object_generation(live) + 1);
  registry_update(s, a, r, live, SLICE_NONE);
}

void bootstrap_repair(server *s) {
  arena *a = arena_create();
  fill f;
  slice ignored;
  buf out;
  buf_init(&out, OBJECT_MAX);
  bool filled = fill_values(&f, a, s, &ignored);
  for (uint16_t i = 0; filled && i < bootstrap_object_count; i++) {
    const bootstrap_object *b = &bootstrap_objects[i];
    bool own = slice_is(b->namespace, "default") && slice_is(b->name, "kubernetes");
    if (own) repair_object(&f, a, &out, b);
  }
  buf_dispose(&out);
  arena_destroy(a);
}
