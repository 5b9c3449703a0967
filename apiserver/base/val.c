/* The value tree. Small maps are scanned (most of Kubernetes' have under a dozen
 * keys); past INDEX_FROM entries a map gets an open-addressing index, so that a
 * ConfigMap of 100,000 keys costs linear time. */
#include "base/val.h"

#include <assert.h>
#include <stdlib.h>

#define INDEX_FROM 24u

struct val_index {
  uint32_t mask;
  uint32_t slots[]; /* entry number plus one; 0 is free */
};

static val *val_new(arena *a, val_type type) {
  val *v = arena_zalloc(a, sizeof *v);
  v->type = (uint8_t)type;
  return v;
}

val *val_null(arena *a) { return val_new(a, VAL_NULL); }
val *val_list(arena *a) { return val_new(a, VAL_LIST); }
val *val_map(arena *a) { return val_new(a, VAL_MAP); }

val *val_bool(arena *a, bool b) {
  val *v = val_new(a, VAL_BOOL);
  v->u.b = b;
  return v;
}

val *val_int(arena *a, int64_t i) {
  val *v = val_new(a, VAL_INT);
  v->u.i = i;
  return v;
}

val *val_float(arena *a, double f) {
  val *v = val_new(a, VAL_FLOAT);
  v->u.f = f;
  return v;
}

val *val_string(arena *a, slice s) {
  assert(s.len <= UINT32_MAX);
  val *v = val_new(a, VAL_STRING);
  v->u.s = s.ptr ? s.ptr : "";
  v->count = (uint32_t)s.len;
  return v;
}

val *val_string_copy(arena *a, slice s) { return val_string(a, arena_copy(a, s)); }
val *val_cstr(arena *a, const char *text) { return val_string(a, slice_cstr(text)); }

val *val_printf(arena *a, const char *format, ...) {
  va_list args;
  va_start(args, format);
  slice s = arena_vprintf(a, format, args);
  va_end(args);
  return val_string(a, s);
}

val *val_copy(arena *a, const val *v) {
  if (!v) return NULL;
  val *c = val_new(a, (val_type)v->type);
  switch ((val_type)v->type) {
    case VAL_STRING:
      return val_string_copy(a, val_str(v));
    case VAL_LIST:
      for (uint32_t i = 0; i < v->count; i++) val_append(a, c, val_copy(a, v->u.items[i]));
      return c;
    case VAL_MAP:
      VAL_EACH(e, v) val_set(a, c, arena_copy(a, e->key), val_copy(a, e->value));
      c->emptied = v->emptied;
      return c;
    case VAL_NULL:
    case VAL_BOOL:
    case VAL_INT:
    case VAL_FLOAT:
      break;
  }
  c->u = v->u;
  if (v->type == VAL_FLOAT && v->literal) { /* strings are counted by count, so are literals */
    c->literal = arena_copy(a, slice_of(v->literal, v->count)).ptr;
    c->count = v->count;
  }
  return c;
}

/* Chosen so that the fields of the structs that are asked about have a bit each. */
static uint16_t name_bit(slice key) {
  unsigned sum = 5 * (unsigned)key.len;
  for (size_t i = 0; i < key.len; i++) sum += (unsigned char)key.ptr[i];
  return (uint16_t)(1u << sum % 16);
}

void val_note_empty(val *v, slice key) {
  v->emptied |= name_bit(key);
}

bool val_had_empty(const val *v, const char *key) {
  return val_is_map(v) && (v->emptied & name_bit(slice_cstr(key)));
}

bool val_share_mark(slice x, slice y) { return name_bit(x) == name_bit(y); }

bool val_had_any_empty(const val *v) {
  unsigned left = val_is_map(v) ? v->emptied : 0;
  VAL_EACH(e, v) {
    if (val_had_any_empty(e->value)) return true;
    left &= ~(unsigned)name_bit(e->key); /* filled in since */
  }
  if (left) return true;
  for (uint32_t i = 0; val_is_list(v) && i < v->count; i++) {
    if (val_had_any_empty(v->u.items[i])) return true;
  }
  return false;
}

bool val_is_empty(const val *v) {
  if (!v) return true;
  switch ((val_type)v->type) {
    case VAL_NULL: return true;
    case VAL_BOOL: return !v->u.b;
    case VAL_INT: return v->u.i == 0;
    case VAL_FLOAT: return v->u.f == 0;
    case VAL_STRING:
    case VAL_LIST:
    case VAL_MAP: return v->count == 0;
  }
  return false;
}

static bool maps_equal(const val *a, const val *b) {
  VAL_EACH(e, a) {
    val *other = val_get(b, e->key);
    if (!other || !val_equal(e->value, other)) return false;
  }
  return true;
}

bool val_equal(const val *a, const val *b) {
  if (a == b) return true;
  if (!a || !b || a->type != b->type) return false;
  switch ((val_type)a->type) {
    case VAL_NULL: return true;
    case VAL_BOOL: return a->u.b == b->u.b;
    case VAL_INT: return a->u.i == b->u.i;
    case VAL_FLOAT: return memcmp(&a->u.f, &b->u.f, sizeof a->u.f) == 0;
    case VAL_STRING: return slice_eq(val_str(a), val_str(b));
    case VAL_LIST:
      if (a->count != b->count) return false;
      for (uint32_t i = 0; i < a->count; i++) {
        if (!val_equal(a->u.items[i], b->u.items[i])) return false;
      }
      return true;
    case VAL_MAP: return a->count == b->count && maps_equal(a, b);
  }
  return false;
}

bool val_same(const val *a, const val *b) {
  return (val_is_empty(a) && val_is_empty(b)) || val_equal(a, b);
}

/* FNV-1a: unseeded on purpose (same bytes, same order of work); the probe length
 * is bounded by the load factor, and keys come from bodies of at most 3 MiB. */
static uint32_t key_hash(slice key) {
  uint32_t h = 2166136261u;
  for (size_t i = 0; i < key.len; i++) h = (h ^ (unsigned char)key.ptr[i]) * 16777619u;
  return h ^ (h >> 15);
}

static void index_add(struct val_index *index, slice key, uint32_t entry) {
  uint32_t at = key_hash(key) & index->mask;
  while (index->slots[at]) at = (at + 1) & index->mask;
  index->slots[at] = entry + 1;
}

static void index_build(arena *a, val *map) {
  uint32_t size = 64;
  while (size < map->cap * 2) size *= 2;
  map->index = arena_zalloc(a, sizeof(struct val_index) + size * sizeof(uint32_t));
  map->index->mask = size - 1;
  for (uint32_t i = 0; i < map->count; i++) index_add(map->index, map->u.entries[i].key, i);
}

static ptrdiff_t map_find(const val *map, slice key) {
  if (map->index) {
    uint32_t at = key_hash(key) & map->index->mask;
    for (; map->index->slots[at]; at = (at + 1) & map->index->mask) {
      uint32_t entry = map->index->slots[at] - 1;
      if (slice_eq(map->u.entries[entry].key, key)) return entry;
    }
    return -1;
  }
  for (uint32_t i = 0; i < map->count; i++) {
    slice k = map->u.entries[i].key;
    if (k.len == key.len && (k.ptr == key.ptr || slice_eq(k, key))) return i;
  }
  return -1;
}

val *val_get(const val *v, slice key) {
  if (!val_is_map(v)) return NULL;
  ptrdiff_t at = map_find(v, key);
  return at < 0 ? NULL : v->u.entries[at].value;
}

val *val_getc(const val *v, const char *key) { return val_get(v, slice_cstr(key)); }
slice val_get_str(const val *v, const char *key) { return val_str(val_getc(v, key)); }

val *val_path(const val *v, const char *dotted) {
  slice head, rest = slice_cstr(dotted);
  val *at = NULL;
  do {
    slice_cut(rest, '.', &head, &rest);
    at = val_get(at ? at : v, head);
  } while (at && rest.len);
  return at;
}

static uint32_t grown(uint32_t cap) { return cap ? cap * 2 : 4; }

void val_set(arena *a, val *map, slice key, val *value) {
  assert(val_is_map(map) && value);
  ptrdiff_t at = map_find(map, key);
  if (at >= 0) {
    map->u.entries[at].value = value;
    return;
  }
  bool grow = map->count == map->cap;
  if (grow) {
    uint32_t cap = grown(map->cap);
    map->u.entries = arena_grow(a, map->u.entries, map->cap * sizeof(val_entry),
                                cap * sizeof(val_entry));
    map->cap = cap;
  }
  map->u.entries[map->count++] = (val_entry){key, value};
  if (map->index && !grow) index_add(map->index, key, map->count - 1);
  else if (map->count > INDEX_FROM && (grow || !map->index)) index_build(a, map);
}

void val_setc(arena *a, val *map, const char *key, val *value) {
  val_set(a, map, slice_cstr(key), value);
}

void val_set_text(arena *a, val *map, const char *key, slice text) {
  if (text.len) val_setc(a, map, key, val_string(a, text));
}

/* The entries moved: they are numbered anew in place. */
static void index_again(val *map) {
  if (!map->index) return;
  memset(map->index->slots, 0, ((size_t)map->index->mask + 1) * sizeof(uint32_t));
  for (uint32_t i = 0; i < map->count; i++) index_add(map->index, map->u.entries[i].key, i);
}

bool val_del(val *map, slice key) {
  if (!val_is_map(map)) return false;
  ptrdiff_t at = map_find(map, key);
  if (at < 0) return false;
  val_entry *e = map->u.entries + at;
  memmove(e, e + 1, (map->count - (size_t)at - 1) * sizeof *e);
  map->count--;
  index_again(map);
  return true;
}

void val_filter(val *map, bool (*keep)(void *ctx, const val_entry *e), void *ctx) {
  uint32_t kept = 0, count = val_is_map(map) ? map->count : 0;
  for (uint32_t i = 0; i < count; i++) {
    val_entry e = map->u.entries[i];
    if (keep(ctx, &e)) map->u.entries[kept++] = e;
  }
  if (kept == count) return;
  map->count = kept;
  index_again(map);
}

bool val_delc(val *map, const char *key) { return val_del(map, slice_cstr(key)); }

val *val_ensure_map(arena *a, val *map, const char *key) {
  val *v = val_getc(map, key);
  if (!v || v->type == VAL_NULL) val_setc(a, map, key, v = val_map(a));
  return v;
}

val *val_ensure_list(arena *a, val *map, const char *key) {
  val *v = val_getc(map, key);
  if (!v || v->type == VAL_NULL) val_setc(a, map, key, v = val_list(a));
  return v;
}

static int entry_order(const void *a, const void *b) {
  return slice_cmp(((const val_entry *)a)->key, ((const val_entry *)b)->key);
}

void val_sort(val *map) {
  if (!val_is_map(map) || map->count < 2) return;
  bool sorted = true;
  for (uint32_t i = 1; i < map->count && sorted; i++) {
    sorted = slice_cmp(map->u.entries[i - 1].key, map->u.entries[i].key) < 0;
  }
  if (sorted) return;
  qsort(map->u.entries, map->count, sizeof(val_entry), entry_order);
  index_again(map);
}

static void list_room(arena *a, val *list) {
  if (list->count < list->cap) return;
  uint32_t cap = grown(list->cap);
  list->u.items = arena_grow(a, list->u.items, list->cap * sizeof(val *), cap * sizeof(val *));
  list->cap = cap;
}

void val_append(arena *a, val *list, val *item) {
  assert(val_is_list(list) && item);
  list_room(a, list);
  list->u.items[list->count++] = item;
}

void val_insert(arena *a, val *list, uint32_t at, val *item) {
  assert(val_is_list(list) && item && at <= list->count);
  list_room(a, list);
  memmove(list->u.items + at + 1, list->u.items + at, (list->count - at) * sizeof(val *));
  list->u.items[at] = item;
  list->count++;
}

void val_remove(val *list, uint32_t at) {
  assert(val_is_list(list) && at < list->count);
  memmove(list->u.items + at, list->u.items + at + 1, (list->count - at - 1) * sizeof(val *));
  list->count--;
}
