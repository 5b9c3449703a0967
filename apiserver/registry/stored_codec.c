/* Each value is decoded when it comes, once: everything behind it reads JSON. */
#include "registry/stored_codec.h"

#include "base/buf.h"
#include "base/heap.h"
#include "base/limits.h"
#include "crd/crd_object.h"
#include "registry/stored.h"
#include "registry/stored_etcd.h"
#include "store/encrypt.h"

#define REGISTRY SLICE_LIT("/registry/")
#define PROBLEM_MAX ((size_t)4096)

struct stored_codec {
  mirror_codec table;
  bool json;
  char *prefix;
  size_t prefix_len;
  arena *scratch; /* of the call at hand */
  buf problem, room, key;
  const encryption *encryption;
};

static blob *failed(stored_codec *c, slice text, slice *problem) {
  buf_clear(&c->problem);
  buf_append(&c->problem, slice_upto(text, PROBLEM_MAX / 2));
  *problem = buf_slice(&c->problem);
  arena_reset(c->scratch);
  return NULL;
}

/* As it is there. */
static slice full_key(stored_codec *c, slice key) {
  buf_clear(&c->key);
  buf_append(&c->key, slice_of(c->prefix, c->prefix_len));
  buf_append(&c->key, slice_from(key, REGISTRY.len));
  return buf_slice(&c->key);
}

static blob *encode(void *ctx, slice key, blob *value, slice *problem) {
  stored_codec *c = ctx;
  const resource_info *r = stored_resource_of(key);
  bool custom = !r && crd_is_key(key);
  if (!r && !custom) return blob_ref(value);
  slice bytes = custom ? crd_for_etcd(c->scratch, blob_slice(value))
                       : stored_for_etcd(c->scratch, r, blob_slice(value), c->json);
  if (!bytes.ptr) return failed(c, SLICE_LIT("the object can't be encoded"), problem);
  buf_clear(&c->room);
  slice group = custom ? crd_key_group(key) : r->group;
  slice resource = custom ? crd_key_resource(key) : r->resource;
  if (!encryption_seal(c->encryption, group, resource, full_key(c, key), bytes, &c->room)) {
    return failed(c, SLICE_LIT("the object can't be encrypted"), problem);
  }
  blob *out = blob_copy(buf_slice(&c->room));
  arena_reset(c->scratch);
  return out;
}

static blob *decode(void *ctx, slice key, slice stored, int64_t mod_revision, bool *stale,
                    slice *problem) {
  stored_codec *c = ctx;
  slice why = SLICE_NONE;
  const resource_info *r = stored_resource_of(key);
  buf_clear(&c->room);
  bool custom = !r && crd_is_key(key);
  if (!r && !custom) return blob_copy(stored);
  slice group = custom ? crd_key_group(key) : r->group;
  slice resource = custom ? crd_key_resource(key) : r->resource;
  if (!encryption_open(c->encryption, group, resource, full_key(c, key), stored, &c->room,
                       stale, &why)) {
    return failed(c, arena_printf(c->scratch, "unable to transform key \"%.*s\": %.*s",
                                  SLICE_ARG(buf_slice(&c->key)), SLICE_ARG(why)), problem);
  }
  blob *out = stored_from_etcd(c->scratch, key, buf_slice(&c->room), mod_revision, &why);
  if (!out) return failed(c, why, problem);
  arena_reset(c->scratch);
  return out;
}

static blob *revise(void *ctx, blob *value, int64_t mod_revision) {
  (void)ctx;
  bool object = slice_find(blob_slice(value), SLICE_LIT("\"resourceVersion\":\"")) >= 0;
  return object ? stored_with_revision(blob_slice(value), mod_revision) : blob_ref(value);
}

stored_codec *stored_codec_create(bool json, slice remote_prefix, const encryption *e) {
  stored_codec *c = heap_zalloc(sizeof *c);
  c->table = (mirror_codec){c, encode, decode, revise};
  c->json = json;
  c->prefix_len = remote_prefix.len;
  c->prefix = heap_alloc(remote_prefix.len);
  if (remote_prefix.len) memcpy(c->prefix, remote_prefix.ptr, remote_prefix.len);
  c->scratch = arena_create();
  c->encryption = e;
  buf_init(&c->problem, PROBLEM_MAX);
  buf_init(&c->room, LIMIT_BUFFER);
  buf_init(&c->key, PROBLEM_MAX * 16);
  return c;
}

void stored_codec_destroy(stored_codec *c) {
  if (!c) return;
  arena_destroy(c->scratch);
  buf_dispose(&c->problem);
  buf_dispose(&c->room);
  buf_dispose(&c->key);
  heap_free(c->prefix);
  heap_free(c);
}

const mirror_codec *stored_codec_of(stored_codec *c) { return &c->table; }
