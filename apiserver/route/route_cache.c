/* See route_cache.h. A few dozen entries: a scan that compares lengths first is faster than
 * anything with a hash. */
#include "route/route_cache.h"

#include "base/heap.h"

#include <openssl/sha.h>

struct route_cache {
  int64_t started_wall_ns;
  uint64_t changes;
  int64_t changed_s;
  uint32_t count;
  route_entry *entries[ROUTE_CACHE_MAX];
};

route_cache *route_cache_create(int64_t wall_ns) {
  route_cache *c = heap_zalloc(sizeof *c);
  c->started_wall_ns = wall_ns;
  c->changed_s = wall_ns / 1000000000;
  return c;
}

void route_cache_destroy(route_cache *c) {
  if (!c) return;
  for (uint32_t i = 0; i < c->count; i++) {
    blob_unref(c->entries[i]->bytes);
    heap_free(c->entries[i]);
  }
  heap_free(c);
}

int64_t route_cache_started(const route_cache *c) {
  return c->started_wall_ns;
}

const route_entry *route_cache_get(const route_cache *c, slice key) {
  for (uint32_t i = 0; i < c->count; i++) {
    if (slice_eq(c->entries[i]->key, key)) return c->entries[i];
  }
  return NULL;
}

static bool stays(slice key, uint32_t *customs) {
  if (slice_has_prefix(key, SLICE_LIT("custom "))) return (*customs)++ < ROUTE_CUSTOM_MAX;
  return slice_has_prefix(key, SLICE_LIT("openapi ")) ||
         slice_has_prefix(key, SLICE_LIT("gzip ")) || slice_has_prefix(key, SLICE_LIT("cut "));
}

int64_t route_cache_changed_s(const route_cache *c) { return c->changed_s; }

void route_cache_follow(route_cache *c, uint64_t changes, int64_t wall_ns) {
  uint32_t kept = 0, customs = 0;
  int64_t now_s = wall_ns / 1000000000;
  if (c->changes == changes) return;
  c->changes = changes;
  c->changed_s = now_s > c->changed_s ? now_s : c->changed_s + 1;
  for (uint32_t i = 0; i < c->count; i++) {
    route_entry *e = c->entries[i];
    bool index = slice_is(e->key, "openapi index");
    if (stays(e->key, &customs) && !index) {
      c->entries[kept++] = e;
      continue;
    }
    blob_unref(e->bytes);
    heap_free(e);
  }
  c->count = kept;
}

void route_cache_drop(route_cache *c, slice prefix) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < c->count; i++) {
    route_entry *e = c->entries[i];
    if (!slice_has_prefix(e->key, prefix)) {
      c->entries[kept++] = e;
      continue;
    }
    blob_unref(e->bytes);
    heap_free(e);
  }
  c->count = kept;
}

void route_hash(slice bytes, char out[128]) {
  static const char HEX[] = "0123456789ABCDEF";
  unsigned char digest[SHA512_DIGEST_LENGTH];
  SHA512((const unsigned char *)bytes.ptr, bytes.len, digest);
  for (int i = 0; i < SHA512_DIGEST_LENGTH; i++) {
    out[2 * i] = HEX[digest[i] >> 4];
    out[2 * i + 1] = HEX[digest[i] & 15];
  }
}

const route_entry *route_cache_put(route_cache *c, slice key, blob *bytes, slice etag_of) {
  if (c->count == ROUTE_CACHE_MAX) {
    blob_unref(bytes);
    return NULL;
  }
  route_entry *e = heap_zalloc(sizeof *e + key.len);
  memcpy((char *)(e + 1), key.ptr, key.len);
  e->key = slice_of((char *)(e + 1), key.len);
  e->bytes = bytes;
  if (etag_of.len) {
    e->etag[0] = e->etag[ROUTE_ETAG_LEN - 1] = '"';
    route_hash(etag_of, e->etag + 1);
  }
  c->entries[c->count++] = e;
  return e;
}
