/* cbor_decode_quick: what our encoder and Go's write, straight into a tree.
 *
 * Byte strings for strings, definite lengths, no tags but "self-described" in front and the one
 * that stands before []byte, keys that are fields and come once, values that fit. At anything else
 * it gives up, without a word: cbor_decode reads the whole again and knows what is wrong, or that
 * nothing is. So this has to be right only about what it accepts. */
#include "codec/cbor_quick.h"

#include "codec/cbor_wire.h"
#include "codec/conform.h"

#define SLOTS 64u
#define MEMBERS 24u /* of maps; more are left to the other */
#define DEPTH_MAX 40u
#define POOL_MAX 64u

typedef struct quick {
  arena *a;
  const char *p, *end;
  val *pool; /* nodes are taken from the arena in blocks */
  uint32_t pool_left, pool_next;
} quick;

static inline val *node(quick *q, val_type type) {
  if (q->pool_left == 0) {
    q->pool_left = q->pool_next;
    if (q->pool_next < POOL_MAX) q->pool_next *= 2;
    q->pool = arena_alloc(q->a, sizeof(val) * q->pool_left);
  }
  q->pool_left--;
  val *v = q->pool++;
  *v = (val){.type = (uint8_t)type};
  return v;
}

/* A head with a definite argument of at most 32 bits. */
static inline bool read_head(quick *q, unsigned *major, uint32_t *n) {
  if (q->p == q->end) return false;
  unsigned char c = (unsigned char)*q->p++;
  unsigned info = c & 31, size = info < CBOR_INFO_1 ? 0 : 1u << (info - CBOR_INFO_1);
  *major = c >> 5;
  *n = info;
  if (__builtin_expect(size == 0, 1)) return true;
  if (size > 4 || (size_t)(q->end - q->p) < size) return false;
  *n = 0;
  for (unsigned i = 0; i < size; i++) *n = *n << 8 | (unsigned char)*q->p++;
  return true;
}

static inline bool read_string(quick *q, slice *out) {
  unsigned major;
  uint32_t n;
  if (!read_head(q, &major, &n) || major != CBOR_BYTES || n > (size_t)(q->end - q->p)) return false;
  *out = slice_of(q->p, n);
  q->p += n;
  return true;
}

static inline bool take(quick *q, char c) {
  if (q->p == q->end || *q->p != c) return false;
  q->p++;
  return true;
}

/* ---- values of any shape ---- */

static bool is_ascii(slice s) {
  unsigned char all = 0;
  for (size_t i = 0; i < s.len; i++) all |= (unsigned char)s.ptr[i];
  return all < 0x80;
}

static bool has_key(const val_entry *e, uint32_t n, slice key) {
  for (uint32_t i = 0; i < n; i++) {
    if (slice_eq(e[i].key, key)) return true;
  }
  return false;
}

static val *read_any(quick *q, unsigned depth);

static val *read_any_map(quick *q, uint32_t n, unsigned depth) {
  if (n > MEMBERS) return NULL;
  val *v = node(q, VAL_MAP);
  v->u.entries = n ? arena_alloc(q->a, n * sizeof(val_entry)) : NULL;
  v->cap = n;
  for (; v->count < n; v->count++) {
    val_entry *e = &v->u.entries[v->count];
    if (!read_string(q, &e->key) || !is_ascii(e->key)) return NULL;
    if (has_key(v->u.entries, v->count, e->key)) return NULL;
    e->value = read_any(q, depth + 1);
    if (!e->value) return NULL;
  }
  val_sort(v);
  return v;
}

static val *read_any_list(quick *q, uint32_t n, unsigned depth) {
  val *v = node(q, VAL_LIST);
  if (n > (size_t)(q->end - q->p)) return NULL;
  for (uint32_t i = 0; i < n; i++) {
    val *item = read_any(q, depth + 1);
    if (!item) return NULL;
    val_append(q->a, v, item);
  }
  return v;
}

static val *read_number(quick *q, unsigned major, uint32_t n) {
  val *v = node(q, VAL_INT);
  v->u.i = major == CBOR_UINT ? (int64_t)n : -1 - (int64_t)n;
  return v;
}

static val *read_any(quick *q, unsigned depth) {
  unsigned major;
  uint32_t n;
  const char *start = q->p;
  if (depth > DEPTH_MAX || !read_head(q, &major, &n)) return NULL;
  switch (major) {
    case CBOR_UINT:
    case CBOR_NINT: return read_number(q, major, n);
    case CBOR_MAP: return read_any_map(q, n, depth);
    case CBOR_ARRAY: return read_any_list(q, n, depth);
    case CBOR_BYTES: {
      slice s;
      q->p = start;
      if (!read_string(q, &s) || !is_ascii(s)) return NULL;
      return val_string(q->a, s);
    }
    case CBOR_PRIMITIVE:
      if (n == CBOR_INFO_FALSE || n == CBOR_INFO_TRUE) return val_bool(q->a, n == CBOR_INFO_TRUE);
      return n == CBOR_INFO_NULL && q->p == start + 1 ? val_null(q->a) : NULL;
    default: return NULL;
  }
}

/* ---- typed values ---- */

static val *read_value(quick *q, const type_info *t, unsigned depth);

static val *read_list(quick *q, const type_info *t, unsigned depth) {
  unsigned major;
  uint32_t n;
  if (!read_head(q, &major, &n) || major != CBOR_ARRAY || n > (size_t)(q->end - q->p)) return NULL;
  val *v = node(q, VAL_LIST);
  v->u.items = n ? arena_alloc(q->a, n * sizeof(val *)) : NULL;
  v->cap = n;
  for (; v->count < n; v->count++) {
    val *item = read_value(q, t->elem, depth + 1);
    if (!item) return NULL;
    v->u.items[v->count] = item;
  }
  return v;
}

static val *read_map(quick *q, const type_info *t, unsigned depth) {
  unsigned major;
  uint32_t n;
  if (!read_head(q, &major, &n) || major != CBOR_MAP || n > MEMBERS) return NULL;
  val *v = node(q, VAL_MAP);
  v->u.entries = n ? arena_alloc(q->a, n * sizeof(val_entry)) : NULL;
  v->cap = n;
  for (; v->count < n; v->count++) {
    val_entry *e = &v->u.entries[v->count];
    if (!read_string(q, &e->key) || has_key(v->u.entries, v->count, e->key)) return NULL;
    e->value = read_value(q, t->elem, depth + 1);
    if (!e->value) return NULL;
  }
  return v;
}

/* The field's index, or -1. *guess: where in by_length it probably is. */
static int find_field(const type_info *t, slice key, uint16_t *guess) {
  for (uint16_t i = *guess; i < t->field_count; i++) {
    const field_brief *f = &t->brief[t->by_length[i]];
    if (f->name_len > key.len) break;
    if (f->name_len != key.len || memcmp(f->name, key.ptr, key.len) != 0) continue;
    *guess = (uint16_t)(i + 1);
    return t->by_length[i];
  }
  const field_info *f = type_field(t, key);
  return f ? (int)(f - t->fields) : -1;
}

static const val null_mark = {.type = VAL_NULL}; /* never in a tree */

static val *read_struct(quick *q, const type_info *t, unsigned depth) {
  val *const null = val_shared(&null_mark);
  val *slots[SLOTS];
  unsigned major;
  uint32_t n, kept = 0;
  uint16_t guess = 0;
  if (depth > DEPTH_MAX || t->field_count > SLOTS || !read_head(q, &major, &n)) return NULL;
  if (major != CBOR_MAP || n > t->field_count) return NULL;
  memset(slots, 0, t->field_count * sizeof *slots);
  for (uint32_t i = 0; i < n; i++) {
    slice key;
    if (!read_string(q, &key)) return NULL;
    int at = find_field(t, key, &guess);
    if (at < 0 || slots[at]) return NULL;
    slots[at] = take(q, CBOR_NULL) ? null : read_value(q, t->brief[at].type, depth + 1);
    if (!slots[at]) return NULL;
    kept += slots[at] != null;
  }
  val *v = node(q, VAL_MAP);
  v->u.entries = kept ? arena_alloc(q->a, kept * sizeof(val_entry)) : NULL;
  v->cap = kept;
  for (uint16_t i = 0; v->count < kept; i++) {
    if (!slots[i] || slots[i] == null) continue;
    v->u.entries[v->count++] = (val_entry){t->fields[i].name, slots[i]};
  }
  return v;
}

static val *read_integer(quick *q, const type_info *t) {
  unsigned major;
  uint32_t n;
  if (!read_head(q, &major, &n) || major > CBOR_NINT) return NULL;
  if (t->kind != TYPE_INT64 && n > INT32_MAX) return NULL;
  return read_number(q, major, n);
}

static val *read_text(quick *q) {
  slice s;
  if (!read_string(q, &s)) return NULL;
  val *v = node(q, VAL_STRING);
  v->u.s = s.ptr;
  v->count = (uint32_t)s.len;
  return v;
}

static val *read_value(quick *q, const type_info *t, unsigned depth) {
  if (q->p == q->end) return NULL;
  switch ((type_kind)t->kind) {
    case TYPE_STRUCT: return read_struct(q, t, depth);
    case TYPE_LIST: return read_list(q, t, depth);
    case TYPE_MAP: return read_map(q, t, depth);
    case TYPE_STRING:
    case TYPE_TIME:
    case TYPE_MICROTIME:
    case TYPE_QUANTITY: return read_text(q);
    case TYPE_INT_OR_STRING:
      return cbor_major_of(*q->p) == CBOR_BYTES ? read_text(q) : read_integer(q, t);
    case TYPE_INT32:
    case TYPE_INT64: return read_integer(q, t);
    case TYPE_BOOL:
      if (take(q, CBOR_TRUE)) return val_bool(q->a, true);
      return take(q, CBOR_FALSE) ? val_bool(q->a, false) : NULL;
    case TYPE_BYTES: {
      slice s;
      if (!take(q, (char)(CBOR_TAG << 5 | CBOR_TAG_BASE64)) || !read_string(q, &s)) return NULL;
      return val_string(q->a, base64_encode(q->a, s));
    }
    case TYPE_RAW_EXTENSION:
    case TYPE_FIELDS_V1:
      return cbor_major_of(*q->p) == CBOR_MAP ? read_any(q, depth) : NULL;
    default: return NULL;
  }
}

/* ---- the whole ---- */

static void begin(quick *q, arena *a, slice bytes) {
  *q = (quick){.a = a, .p = bytes.ptr, .end = bytes.ptr + bytes.len, .pool_next = 8};
  bool described = bytes.len > 3 && memcmp(bytes.ptr, "\xd9\xd9\xf7", 3) == 0;
  if (described) q->p += 3;
}

val *cbor_decode_quick(arena *a, slice bytes, const type_info *t) {
  quick q;
  slice error;
  if (!bytes.len || t->kind != TYPE_STRUCT) return NULL;
  begin(&q, a, bytes);
  val *v = read_struct(&q, t, 0);
  if (!v || q.p != q.end) return NULL;
  return codec_conform(a, v, t, NULL, &error);
}

/* Steps over an item without looking at more than its heads. */
static bool step_over(quick *q) {
  for (uint64_t left = 1; left > 0; left--) {
    unsigned major;
    uint32_t n;
    if (!read_head(q, &major, &n)) return false;
    if (major == CBOR_BYTES || major == CBOR_TEXT) {
      if (n > (size_t)(q->end - q->p)) return false;
      q->p += n;
    }
    if (major == CBOR_ARRAY) left += n;
    if (major == CBOR_MAP) left += 2 * (uint64_t)n;
    if (major == CBOR_TAG) left++;
    if (left > (size_t)(q->end - q->p) + 1) return false;
  }
  return true;
}

bool cbor_type_meta_quick(slice bytes, slice *api_version, slice *kind) {
  quick q;
  unsigned major;
  uint32_t n;
  if (!bytes.len) return false;
  begin(&q, NULL, bytes);
  *api_version = *kind = SLICE_LIT("");
  if (!read_head(&q, &major, &n) || major != CBOR_MAP || n > MEMBERS) return false;
  bool have_kind = false, have_version = false;
  for (uint32_t i = 0; i < n && !(have_kind && have_version); i++) {
    slice key;
    if (!read_string(&q, &key)) return false;
    bool is_kind = slice_is(key, "kind"), is_version = slice_is(key, "apiVersion");
    if (!(is_kind ? read_string(&q, kind) : is_version ? read_string(&q, api_version)
                                                       : step_over(&q))) {
      return false;
    }
    have_kind |= is_kind;
    have_version |= is_version;
  }
  return have_kind && have_version;
}
