/* Stored bytes are the object's JSON in its storage version, as it goes onto the wire. kind,
 * apiVersion and metadata come first and resourceVersion stands behind strings only, so both the
 * list form and another revision are a splice, not a parse. */
#include "registry/stored.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "crd/crd_object.h"
#include "registry/object.h"

#include <assert.h>
#include <stdio.h>

#define PREFIX "/registry"

slice stored_prefix(arena *a, const resource_info *r, slice namespace) {
  slice slash = SLICE_LIT("/");
  const slice parts[] = {SLICE_LIT(PREFIX "/"), r->etcd_prefix, slash, namespace, slash};
  return arena_join(a, parts, namespace.len ? 5 : 3);
}

/* A prefix ends with '/', and '0' is the next byte. */
slice stored_prefix_end(arena *a, slice prefix) {
  assert(prefix.len > 0 && prefix.ptr[prefix.len - 1] == '/');
  return arena_concat(a, slice_upto(prefix, prefix.len - 1), SLICE_LIT("0"));
}

slice stored_key(arena *a, const resource_info *r, slice namespace, slice name) {
  slice prefix = stored_prefix(a, r, r->namespaced ? namespace : SLICE_NONE);
  return arena_concat(a, prefix, name);
}

slice stored_key_inner(slice key) {
  assert(slice_has_prefix(key, SLICE_LIT(PREFIX "/")));
  return slice_from(key, sizeof PREFIX - 1);
}

val *stored_decode(arena *a, const resource_info *r, const store_entry *e) {
  slice error = SLICE_NONE;
  if (r->custom) return crd_from_storage(a, r->custom, blob_slice(e->value));
  val *raw = json_parse_typed(a, blob_slice(e->value), NULL, &error);
  return raw ? codec_conform(a, raw, r->storage->type, NULL, &error) : NULL;
}

/* Nor nil bytes in a map from empty ones. */
static void bytes_settle(val *map) {
  static const val empty = {.type = VAL_STRING, .u.s = ""};
  VAL_EACH(e, map) if (val_is_null(e->value)) e->value = val_shared(&empty);
}

/* Protobuf does not tell an empty list from none, so what comes back from the real store is none:
 * where JSON shows the field at all, it shows null. Only fields without omitempty can still be
 * there empty. */
static void drop_empty(val *v, const type_info *t) {
  if (t->kind == TYPE_LIST && t->elem->kind == TYPE_STRUCT) {
    for (uint32_t i = 0; i < val_len(v); i++) drop_empty(val_at(v, i), t->elem);
  }
  if (t->kind == TYPE_MAP && t->elem->kind == TYPE_BYTES) bytes_settle(v);
  if (t->kind != TYPE_STRUCT || !val_is_map(v)) return;
  uint16_t at = t->field_count; /* a canonical tree has the fields' order and names; else 0 */
  for (uint32_t i = val_len(v); i-- > 0;) {
    val_entry *e = v->u.entries + i;
    while (at > 0 && t->fields[at - 1].name.ptr != e->key.ptr) at--;
    const field_info *f = at ? &t->fields[at - 1] : type_field(t, e->key);
    if (!f) continue;
    type_kind kind = (type_kind)f->type->kind;
    if (kind == TYPE_LIST && val_is_list(e->value) && e->value->count == 0 && !f->omitempty)
      val_del(v, e->key);
    else if (kind == TYPE_STRUCT || kind == TYPE_LIST || kind == TYPE_MAP)
      drop_empty(e->value, f->type);
  }
}

/* These two groups are stored as JSON, where an empty list stays one. */
static bool stored_as_json(const resource_info *r) {
  return slice_is(r->group, "apiextensions.k8s.io") || slice_is(r->group, "apiregistration.k8s.io");
}

void stored_settle(const resource_info *r, val *obj) {
  if (!r->custom && !stored_as_json(r->storage)) drop_empty(obj, r->storage->type);
}

#define FIELDS_ORDERED 64u

/* The place of a field; where the entries are in order it is the next one after `from`. */
static int field_place(const type_info *t, slice key, int from) {
  for (int i = from; i < t->field_count; i++) {
    if (t->fields[i].name.ptr == key.ptr) return i;
  }
  const field_info *f = type_field(t, key);
  return f ? (int)(f - t->fields) : -1;
}

/* Puts what was set last where it belongs among the fields, under the fields' own names: such a
 * struct is encoded by the quick walk. */
static void order_fields(val *v, const type_info *t) {
  int place[FIELDS_ORDERED], next = 0;
  if (!val_is_map(v) || v->count > FIELDS_ORDERED || v->index) return;
  for (uint32_t i = 0; i < v->count; i++) {
    int at = field_place(t, v->u.entries[i].key, next);
    if (at < 0) return;
    val_entry e = {t->fields[at].name, v->u.entries[i].value};
    uint32_t to = i;
    for (; to > 0 && place[to - 1] > at; to--) {
      v->u.entries[to] = v->u.entries[to - 1];
      place[to] = place[to - 1];
    }
    v->u.entries[to] = e;
    place[to] = at;
    next = place[i] + 1;
  }
}

blob *stored_encode(arena *a, const resource_info *r, val *obj, int64_t revision) {
  const resource_info *storage = r->custom ? &r->custom->kind->storage->row : r->storage;
  char gv[GROUP_VERSION_ROOM];
  if (r->custom) obj = crd_to_storage(a, r->custom, obj);
  if (revision) {
    char digits[SLICE_U64_ROOM];
    slice text = arena_copy(a, slice_of_u64(digits, (uint64_t)revision));
    object_set_str(a, obj, "resourceVersion", text);
  } else {
    object_del(obj, "resourceVersion");
  }
  val_setc(a, obj, "apiVersion", val_string_copy(a, schema_group_version(storage, gv)));
  val_setc(a, obj, "kind", val_string(a, storage->kind));
  if (!r->custom) {
    order_fields(obj, storage->type);
    order_fields(object_meta(a, obj), type_field(storage->type, SLICE_LIT("metadata"))->type);
    stored_settle(r, obj);
  }
  buf out;
  buf_init(&out, LIMIT_BUFFER);
  json_encode(&out, obj, storage->type);
  blob *b = blob_copy(buf_slice(&out));
  buf_dispose(&out);
  return b;
}

/* A custom resource's keys are sorted, so that apiVersion stands first. */
static bool custom_bytes(slice bytes) {
  return slice_has_prefix(bytes, SLICE_LIT("{\"apiVersion\":"));
}

/* Behind the string that begins at `at`. */
static size_t skip_string(slice s, size_t at) {
  for (at++; at < s.len && s.ptr[at] != '"'; at++) at += s.ptr[at] == '\\';
  return at + 1;
}

/* Where a key of the map that begins at `at` has its value; s.len: nowhere. */
static size_t value_place(slice s, size_t at, slice key) {
  int depth = 0;
  while (at < s.len) {
    char c = s.ptr[at];
    if (c == '"') {
      size_t end = skip_string(s, at);
      bool found = depth == 1 && end < s.len && s.ptr[end] == ':' &&
                   slice_eq(slice_of(s.ptr + at + 1, end - at - 2), key);
      if (found) return end + 1;
      at = end;
      continue;
    }
    if (c == '{' || c == '[') depth++;
    if ((c == '}' || c == ']') && --depth == 0) return s.len;
    at++;
  }
  return s.len;
}

/* Of metadata.resourceVersion's key: labels and data may have the same in front of it. */
static ptrdiff_t custom_version_place(slice bytes) {
  size_t meta = value_place(bytes, 0, SLICE_LIT("metadata"));
  size_t at = value_place(bytes, meta, SLICE_LIT("resourceVersion"));
  return at < bytes.len ? (ptrdiff_t)(at - sizeof "\"resourceVersion\"") : -1;
}

blob *stored_with_revision(slice bytes, int64_t revision) {
  slice mark = SLICE_LIT("\"resourceVersion\":\"");
  ptrdiff_t at = custom_bytes(bytes) ? custom_version_place(bytes) : slice_find(bytes, mark);
  assert(at >= 0);
  slice head = slice_upto(bytes, (size_t)at + mark.len);
  slice rest = slice_from(bytes, head.len);
  ptrdiff_t end = slice_find_char(rest, '"');
  assert(end >= 0 && revision > 0);
  rest = slice_from(rest, (size_t)end);
  char digits[24];
  int n = snprintf(digits, sizeof digits, "%lld", (long long)revision);
  blob *b = blob_alloc(head.len + (size_t)n + rest.len);
  memcpy(b->data, head.ptr, head.len);
  memcpy(b->data + head.len, digits, (size_t)n);
  memcpy(b->data + head.len + (size_t)n, rest.ptr, rest.len);
  return b;
}

slice stored_item_rest(slice bytes, size_t *hint) {
  slice mark = SLICE_LIT("\"metadata\":");
  if (*hint && slice_has_prefix(slice_from(bytes, *hint), mark)) return slice_from(bytes, *hint);
  ptrdiff_t at = slice_find(bytes, mark);
  assert(at >= 0);
  *hint = (size_t)at;
  return slice_from(bytes, (size_t)at);
}
