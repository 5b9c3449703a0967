/* Metadata access over the tree. */
#include "registry/object.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/codec.h"

#include <assert.h>

static const val *meta_peek(const val *obj) { return val_getc(obj, "metadata"); }

val *object_meta(arena *a, val *obj) { return val_ensure_map(a, obj, "metadata"); }
slice object_name(const val *obj) { return val_get_str(meta_peek(obj), "name"); }
slice object_namespace(const val *obj) { return val_get_str(meta_peek(obj), "namespace"); }
slice object_uid(const val *obj) { return val_get_str(meta_peek(obj), "uid"); }
slice object_version(const val *obj) { return val_get_str(meta_peek(obj), "resourceVersion"); }

int64_t object_generation(const val *obj) {
  return val_i64(val_getc(meta_peek(obj), "generation"));
}

bool object_deleting(const val *obj) {
  return val_get_str(meta_peek(obj), "deletionTimestamp").len > 0;
}

const val *object_finalizers(const val *obj) { return val_getc(meta_peek(obj), "finalizers"); }

bool object_has_finalizer(const val *obj, slice name) {
  const val *list = object_finalizers(obj);
  for (uint32_t i = 0; i < val_len(list); i++) {
    if (slice_eq(val_str(val_at(list, i)), name)) return true;
  }
  return false;
}

void object_set_str(arena *a, val *obj, const char *key, slice value) {
  val *meta = object_meta(a, obj);
  if (value.len == 0) val_delc(meta, key);
  else val_setc(a, meta, key, val_string(a, value));
}

void object_set_int(arena *a, val *obj, const char *key, int64_t value) {
  val_setc(a, object_meta(a, obj), key, val_int(a, value));
}

void object_set_generation(arena *a, val *obj, int64_t generation) {
  if (generation == 0) object_del(obj, "generation");
  else object_set_int(a, obj, "generation", generation);
}

void object_del(val *obj, const char *key) {
  val *meta = val_getc(obj, "metadata");
  if (meta) val_delc(meta, key);
}

void object_meta_take(arena *a, val *obj, const val *from, const char *key) {
  val *v = val_getc(meta_peek(from), key);
  if (v) val_setc(a, object_meta(a, obj), key, v);
  else object_del(obj, key);
}

void object_take(arena *a, val *obj, const val *from, const char *key) {
  val *v = val_getc(from, key);
  if (v) val_setc(a, obj, key, v);
  else val_delc(obj, key);
}

slice object_dedup_owners(arena *a, val *obj) {
  val *owners = val_getc(meta_peek(obj), "ownerReferences");
  uint32_t n = val_len(owners);
  if (n < 2) return SLICE_NONE;
  val *seen = val_map(a), *kept = val_list(a);
  buf text, uids;
  buf_init(&text, LIMIT_BUFFER);
  buf_init(&uids, LIMIT_BUFFER);
  for (uint32_t i = 0; i < n; i++) {
    val *ref = val_at(owners, i);
    buf_clear(&text);
    json_encode_any(&text, ref, true);
    if (val_get(seen, buf_slice(&text))) {
      if (i > val_len(kept)) buf_lit(&uids, ", ");
      buf_append(&uids, val_get_str(ref, "uid"));
      continue;
    }
    val_set(a, seen, arena_copy(a, buf_slice(&text)), ref);
    val_append(a, kept, ref);
  }
  slice repeated = val_len(kept) < n ? arena_copy(a, buf_slice(&uids)) : SLICE_NONE;
  if (repeated.ptr) val_setc(a, object_meta(a, obj), "ownerReferences", kept);
  buf_dispose(&text);
  buf_dispose(&uids);
  return repeated;
}

static val *fork_map(arena *a, const val *map) {
  val *copy = val_map(a);
  VAL_EACH(e, map) val_set(a, copy, e->key, e->value);
  return copy;
}

val *object_fork(arena *a, const val *obj) {
  assert(val_is_map(obj));
  val *copy = fork_map(a, obj);
  const val *meta = meta_peek(obj);
  if (val_is_map(meta)) val_setc(a, copy, "metadata", fork_map(a, meta));
  return copy;
}

const val *condition_of(const val *conditions, slice type) {
  for (uint32_t i = 0; i < val_len(conditions); i++) {
    const val *c = val_at(conditions, i);
    if (slice_eq(val_get_str(c, "type"), type)) return c;
  }
  return NULL;
}

const val *condition_named(const val *conditions, const char *type) {
  return condition_of(conditions, slice_cstr(type));
}

bool condition_true(const val *conditions, const char *type) {
  return slice_is(val_get_str(condition_named(conditions, type), "status"), "True");
}
