/* What the targets share: heads, oracles that end the process, encoders into an arena. */
#include "fuzz/fuzz.h"

#include "codec/strict.h"

bool fuzz_head_open(fuzz_head *h, const uint8_t *data, size_t size) {
  if (size < FUZZ_HEAD) return false;
  size_t n = size - FUZZ_HEAD;
  h->kind = &schema_kinds[(unsigned)(data[0] << 8 | data[1]) % schema_kind_count];
  h->flags = data[2];
  h->more = data[3];
  char *bytes = malloc(n ? n : 1);
  if (n) memcpy(bytes, data + FUZZ_HEAD, n);
  h->body = slice_of(bytes, n);
  return true;
}

void fuzz_head_close(fuzz_head *h) {
  free((char *)(uintptr_t)h->body.ptr);
}

void fuzz_check_same(const char *file, int line, slice x, slice y) {
  if (slice_eq(x, y)) return;
  fprintf(stderr, "%s:%d: oracle: not the same\n first: %.*s\nsecond: %.*s\n", file, line,
          SLICE_ARG(x), SLICE_ARG(y));
  abort();
}

fuzz_heap fuzz_heap_begin(void) {
  return (fuzz_heap){heap_total()};
}

void fuzz_heap_check(const fuzz_heap *h, size_t input, size_t per_byte) {
  size_t asked = heap_total() - h->before;
  size_t more = input > 128 ? (input - 128) * per_byte : 0;
  size_t bound = FUZZ_HEAP_SMALL + more;
  if (asked <= bound) return;
  fprintf(stderr, "oracle: %zu bytes of input asked for %zu of heap, bound %zu\n", input, asked,
          bound);
  abort();
}

static slice take(arena *a, buf *b) {
  CHECK(!b->overflow);
  slice s = arena_copy(a, buf_slice(b));
  buf_dispose(b);
  return s;
}

slice fuzz_json(arena *a, const val *v, const type_info *t) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  json_encode(&b, v, t);
  return take(a, &b);
}

slice fuzz_json_any(arena *a, const val *v, bool sort_keys) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  json_encode_any(&b, v, sort_keys);
  return take(a, &b);
}

slice fuzz_yaml(arena *a, const val *v, const type_info *t) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  yaml_encode(&b, v, t);
  return take(a, &b);
}

slice fuzz_proto(arena *a, const val *v, const type_info *t) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  proto_encode(&b, v, t);
  return take(a, &b);
}

slice fuzz_cbor(arena *a, const val *v, const type_info *t) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  cbor_document(&b, v, t);
  return take(a, &b);
}

val *fuzz_typed(arena *a, slice json, const type_info *t) {
  slice error = SLICE_NONE;
  val *v = json_parse(a, json, NULL, &error);
  if (v) v = codec_conform(a, v, t, NULL, &error);
  CHECK(v || error.len > 0);
  return v;
}

static double number(const val *v) {
  return v->type == VAL_INT ? (double)v->u.i : v->u.f;
}

bool fuzz_same_values(const val *x, const val *y) {
  bool numbers = (val_is_int(x) || val_is_float(x)) && (val_is_int(y) || val_is_float(y));
  if (numbers) return number(x) == number(y) || (x->type == y->type && val_equal(x, y));
  if (x->type != y->type) return false;
  if (!val_is_list(x) && !val_is_map(x)) return val_equal(x, y);
  if (x->count != y->count) return false;
  for (uint32_t i = 0; val_is_list(x) && i < x->count; i++) {
    if (!fuzz_same_values(x->u.items[i], y->u.items[i])) return false;
  }
  for (uint32_t i = 0; val_is_map(x) && i < x->count; i++) {
    const val *other = val_get(y, x->u.entries[i].key);
    if (!other || !fuzz_same_values(x->u.entries[i].value, other)) return false;
  }
  return true;
}

bool fuzz_yaml_loses(slice json, slice yaml) {
  return slice_find(yaml, SLICE_LIT("<<:")) >= 0 || slice_find(json, SLICE_LIT("\xC2\x85")) >= 0;
}

static void check_yaml(arena *a, const val *v, const val *as_json, const type_info *t) {
  slice error = SLICE_NONE, yaml = fuzz_yaml(a, v, t);
  if (fuzz_yaml_loses(fuzz_json(a, v, t), yaml)) return;
  val *read = yaml_parse(a, yaml, NULL, &error);
  if (!read) fprintf(stderr, "%.*s\n%.*s\n", SLICE_ARG(error), SLICE_ARG(yaml));
  CHECK(read);
  read = codec_conform(a, read, t, NULL, &error);
  CHECK(read);
  if (!fuzz_same_values(as_json, read)) CHECK_SAME(fuzz_json(a, v, t), fuzz_json(a, read, t));
}

/* Raw values are read again from sorted JSON in which 1.0 is 1. */
static void check_cbor(arena *a, const val *v, const val *as_json, const type_info *t) {
  slice error = SLICE_NONE, first = fuzz_cbor(a, v, t);
  val *read = cbor_decode(a, first, t, NULL, &error);
  if (!read && slice_find(error, SLICE_LIT("FieldsV1")) >= 0) return; /* JSON takes any value */
  if (!read) fprintf(stderr, "%.*s\n", SLICE_ARG(error));
  CHECK(read);
  if (!fuzz_same_values(as_json, read)) CHECK_SAME(fuzz_json(a, v, t), fuzz_json(a, read, t));
}

/* kind or apiVersion of a TypeMeta, which a message does not carry: in v, or in an object inside. */
static bool has_type_meta(const val *v, const type_info *t, int depth) {
  bool found = false;
  if (!t || depth == 0) return depth == 0;
  for (uint32_t i = 0; !found && val_is_list(v) && i < v->count; i++) {
    found = has_type_meta(v->u.items[i], t->kind == TYPE_LIST ? t->elem : NULL, depth - 1);
  }
  for (uint32_t i = 0; !found && val_is_map(v) && i < v->count; i++) {
    slice key = v->u.entries[i].key;
    const field_info *f = t->kind == TYPE_STRUCT ? type_field(t, key) : NULL;
    const type_info *inner = t->kind == TYPE_MAP ? t->elem : f ? f->type : NULL;
    bool meta = slice_is(key, "kind") || slice_is(key, "apiVersion");
    found = (meta && f && !f->proto) || has_type_meta(v->u.entries[i].value, inner, depth - 1);
  }
  return found;
}

/* A map without omitempty and without entries: to protobuf it is nil, as an empty list is. */
static bool has_empty_map(const val *v, const type_info *t) {
  bool found = false;
  const type_info *elem = t && (t->kind == TYPE_LIST || t->kind == TYPE_MAP) ? t->elem : NULL;
  for (uint32_t i = 0; !found && val_is_list(v) && i < v->count; i++) {
    found = has_empty_map(v->u.items[i], elem);
  }
  for (uint32_t i = 0; !found && val_is_map(v) && i < v->count; i++) {
    const val *child = v->u.entries[i].value;
    const field_info *f = t && t->kind == TYPE_STRUCT ? type_field(t, v->u.entries[i].key) : NULL;
    bool map = f && f->type->kind == TYPE_MAP && !f->omitempty && val_is_map(child);
    found = (map && !child->count) || has_empty_map(child, f ? f->type : elem);
  }
  return found;
}

void fuzz_check_formats(arena *a, const val *v, const type_info *t) {
  slice error = SLICE_NONE, json = fuzz_json(a, v, t);
  val *again = fuzz_typed(a, json, t);
  CHECK(again);
  if (slice_find(json, SLICE_LIT(":null")) >= 0) { /* a pointer to the zero time, which reads as nil */
    v = again;
    json = fuzz_json(a, v, t);
    again = fuzz_typed(a, json, t);
  }
  CHECK_SAME(json, fuzz_json(a, again, t));
  check_yaml(a, v, again, t);
  check_cbor(a, v, again, t);
  if (t->proto_count == 0) return; /* Table has no protobuf form */
  slice message = fuzz_proto(a, v, t);
  val *decoded = proto_decode(a, message, t, &error);
  if (!decoded) fprintf(stderr, "%.*s\n%.*s\n", SLICE_ARG(error), SLICE_ARG(json));
  CHECK(decoded);
  slice second = fuzz_proto(a, decoded, t);
  if (slice_find(json, SLICE_LIT(":null")) >= 0) { /* nil bytes in a map read as empty ones */
    message = second;
    decoded = proto_decode(a, message, t, &error);
    CHECK(decoded);
    second = fuzz_proto(a, decoded, t);
  }
  CHECK_SAME(message, second);
  if (has_type_meta(v, t, 60)) return; /* they travel in the envelope */
  if (slice_find(json, SLICE_LIT(":[]")) >= 0) return; /* to protobuf empty is nil */
  if (has_empty_map(v, t)) return;
  if (slice_find(json, SLICE_LIT(":null")) >= 0) return; /* and in a map the other way round */
  CHECK_SAME(json, fuzz_json(a, decoded, t));
}
