/* Cheap looks at every answer, whole parses of the errors. */
#include "sim/check/check_http.h"

#include "codec/codec.h"
#include "schema/schema.h"
#include "sim/model/json_scan.h"
#include "sim/workload/client.h"

#define SERVER_DEADLINE_NS (60 * SECOND)

static bool is_json(const call *k) {
  return slice_has_prefix(slice_cstr(k->in.type), SLICE_LIT("application/json"));
}

static void check_status(world *w, const call *k, slice body) {
  arena *a = arena_create();
  slice error = SLICE_NONE;
  val *v = json_parse(a, body, NULL, &error);
  CHECK_THAT(w, HTTP, v != NULL, "an answer %d is no JSON: %.*s", k->in.status, SLICE_ARG(error));
  if (v && slice_is(val_get_str(v, "kind"), "Status") && val_getc(v, "code")) {
    CHECK_THAT(w, HTTP, val_i64(val_getc(v, "code")) == k->in.status,
               "a Status of %lld came with %d", (long long)val_i64(val_getc(v, "code")),
               k->in.status);
  }
  bool leaks = memmem(body.ptr, body.len, "simtoken", 8) || memmem(body.ptr, body.len, "0x7f", 4);
  CHECK_THAT(w, SECRETS, !leaks, "an error text leaks: %.*s",
             (int)(body.len < 200 ? body.len : 200), body.ptr);
  arena_destroy(a);
}

void check_http_answer(world *w, const call *k) {
  slice body = call_body(k);
  CHECK_THAT(w, HTTP, k->in.status >= 200 && k->in.status < 600, "a status of %d", k->in.status);
  CHECKED(w, DEADLINE); /* it came: the client's patience had not ended */
  if ((k->watch || k->stream) && k->in.status == 200) return;
  if (!is_json(k)) return;
  if (k->in.status >= 400) {
    check_status(w, k, body);
    return;
  }
  if (k->in.status >= 300) return; /* a redirection */
  slice whole = slice_trim(body);
  CHECK_THAT(w, HTTP, whole.len > 1 && whole.ptr[0] == '{' && whole.ptr[whole.len - 1] == '}',
             "an answer %d is no object", k->in.status);
}

void check_http_patience(world *w, const call *k) {
  const sim_conn *c = k->conn;
  const sim_server *s = k->server;
  bool paused = s->paused_until_ns || s->resumed_ns > k->begun_ns;
  bool gone = k->server_life != s->life || s->cut_until_ns > k->begun_ns || !s->api;
  bool excused = c->blackhole_up || c->blackhole_down || c->slow || paused || gone ||
                 c->fragment_up || k->slow;
  if (k->watch || k->stream) return; /* its client knows better */
  if (w->now_ns - k->begun_ns < SERVER_DEADLINE_NS) return; /* an impatient client */
  CHECK_THAT(w, DEADLINE, excused, "a request of %s%u was not answered in %lld s",
             actor_word(k->owner->who.kind), k->owner->who.index,
             (long long)((w->now_ns - k->begun_ns) / SECOND));
}

/* "k8s\0", then an Unknown message whose field 2 is the object. */
static slice envelope_raw(slice body) {
  if (body.len < 6 || memcmp(body.ptr, "k8s\0", 4) != 0) return SLICE_NONE;
  size_t at = 4;
  while (at < body.len) {
    unsigned tag = (unsigned char)body.ptr[at++];
    uint64_t len = 0;
    for (int shift = 0; at < body.len; shift += 7) {
      unsigned byte = (unsigned char)body.ptr[at++];
      len |= (uint64_t)(byte & 127) << shift;
      if (byte < 128) break;
    }
    if (len > body.len - at) return SLICE_NONE;
    if (tag == (2 << 3 | 2)) return slice_of(body.ptr + at, (size_t)len);
    at += len;
  }
  return SLICE_NONE;
}

void check_protobuf(world *w, const op *o, const call *k) {
  arena *a = arena_create();
  slice error = SLICE_NONE, group, version, root = slice_cstr(o->of->root);
  root = slice_from(root, 1);
  slice_cut(root, '/', &group, &root);
  bool core = slice_is(group, "api");
  if (core) group = SLICE_NONE, version = root;
  else slice_cut(root, '/', &group, &version);
  const kind_info *kind = schema_kind(group, version, slice_cstr(o->of->kind));
  slice raw = envelope_raw(call_body(k));
  val *v = raw.ptr ? proto_decode(a, raw, kind->type, &error) : NULL;
  int64_t revision = 0;
  long long n = 0;
  if (v && slice_to_i64(val_get_str(val_getc(v, "metadata"), "resourceVersion"), &n)) revision = n;
  const commit *c = model_at(w->model, revision);
  buf b;
  buf_init(&b, 1 << 24);
  if (v && c) {
    val_setc(a, v, "apiVersion", val_cstr(a, o->of->api_version));
    val_setc(a, v, "kind", val_cstr(a, o->of->kind));
    json_encode(&b, v, kind->type);
  }
  SOMETIMES(w, PROTOBUF);
  bool same = v && c && c->key == o->key && slice_eq(slice_trim(buf_slice(&b)), c->value);
  CHECK_THAT(w, FORMATS, same,
             "operation %u: the protobuf form of version %lld is another object", o->id,
             (long long)revision);
  buf_dispose(&b);
  arena_destroy(a);
}
