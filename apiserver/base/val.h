/* val: the tree that every object is while a request works on it.
 *
 * JSON-shaped: null, bool, integer, float, string, list, map. All of it lives
 * in one arena and is freed with it, so nodes may be shared between trees and a
 * function that changes a tree says so. Maps keep insertion order and never hold
 * a key twice. Quantities, times, bytes (base64) and int-or-strings are strings
 * and integers in their canonical form; the schema (schema/schema.h) knows which.
 *
 * Why not jansson here: a request's objects come and go together, so an arena
 * beats a reference count a node, and Kubernetes needs what jansson's values do
 * not have (NUL in keys, 10,000 levels, integers kept apart from floats).
 * jansson serves where JSON is data of ours: tapes, reports, control calls. */
#ifndef APISIM_BASE_VAL_H
#define APISIM_BASE_VAL_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum val_type {
  VAL_NULL,
  VAL_BOOL,
  VAL_INT,
  VAL_FLOAT,
  VAL_STRING,
  VAL_LIST,
  VAL_MAP,
} val_type;

typedef struct val val;
typedef struct val_entry {
  slice key;
  val *value;
} val_entry;

struct val {
  uint8_t type; /* val_type */
  /* Of a map: fields that were an empty list or map and are left out as Go leaves them out, a bit
   * of 16 each by name. Some of the real server's rules tell them from none: val_had_empty. */
  uint16_t emptied;
  uint32_t count; /* string: bytes; list: items; map: entries */
  uint32_t cap;
  union {
    bool b;
    int64_t i;
    double f;
    const char *s;
    val **items;
    val_entry *entries;
  } u;
  union {
    struct val_index *index; /* of a large map, else NULL; private to val.c */
    /* Of a float that was parsed: its JSON text, count bytes (quantities and raw values are
     * exact in it, and it may be past float64), or NULL for one that was computed. */
    const char *literal;
  };
};

/* Making. Strings are borrowed: the bytes must live as long as the arena.
 * _copy copies them into it. */
val *val_null(arena *a);
val *val_bool(arena *a, bool b);
val *val_int(arena *a, int64_t i);
val *val_float(arena *a, double f);
val *val_string(arena *a, slice s);
val *val_string_copy(arena *a, slice s);
val *val_cstr(arena *a, const char *text);
val *val_printf(arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
val *val_list(arena *a);
val *val_map(arena *a);
/* The node itself, to stand in a second tree: from now on whoever changes either copies first. */
static inline val *val_shared(const val *v) { return (val *)(uintptr_t)v; }
/* A deep copy into `a`, strings included, so that the source may go. */
val *val_copy(arena *a, const val *v);

/* Asking. All take NULL, which is no value: every val_is_* is false of it. */
static inline bool val_is_null(const val *v) { return v && v->type == VAL_NULL; }
static inline bool val_is_bool(const val *v) { return v && v->type == VAL_BOOL; }
static inline bool val_is_int(const val *v) { return v && v->type == VAL_INT; }
static inline bool val_is_float(const val *v) { return v && v->type == VAL_FLOAT; }
static inline bool val_is_string(const val *v) { return v && v->type == VAL_STRING; }
static inline bool val_is_list(const val *v) { return v && v->type == VAL_LIST; }
static inline bool val_is_map(const val *v) { return v && v->type == VAL_MAP; }
/* NULL, null, "", 0, false, an empty list or an empty map: Go's omitempty. */
bool val_is_empty(const val *v);
/* The string's bytes; SLICE_NONE when v is not a string. */
static inline slice val_str(const val *v) {
  return v && v->type == VAL_STRING ? (slice){v->u.s, v->count} : SLICE_NONE;
}
static inline int64_t val_i64(const val *v) { return v && v->type == VAL_INT ? v->u.i : 0; }
static inline bool val_true(const val *v) { return v && v->type == VAL_BOOL && v->u.b; }
/* Items of a list or entries of a map; 0 for anything else. */
static inline uint32_t val_len(const val *v) {
  return v && (v->type == VAL_LIST || v->type == VAL_MAP) ? v->count : 0;
}
/* Item i of a list; NULL outside it. */
static inline val *val_at(const val *v, uint32_t i) {
  return val_is_list(v) && i < v->count ? v->u.items[i] : NULL;
}
/* Deep equality; a map's order does not count; 1 and 1.0 differ. */
bool val_equal(const val *a, const val *b);
/* The same, where all that is empty (val_is_empty) counts as one. */
bool val_same(const val *a, const val *b);

/* Was there an empty list or map under that name, which codec_conform left out? (Names share bits:
 * ask only about one that has a bit of its own among its struct's fields.) Copies remember. */
bool val_had_empty(const val *v, const char *key);
/* The same of any field, at any depth. */
bool val_had_any_empty(const val *v);
/* Can the two fields not be told apart by val_had_empty? */
bool val_share_mark(slice x, slice y);
void val_note_empty(val *v, slice key);

/* Maps. get gives NULL when v is no map or lacks the key (a null value is a
 * value). set replaces in place or appends; it takes the tree over, the key's
 * bytes are borrowed. del keeps the order of the rest and says if it was there. */
val *val_get(const val *v, slice key);
val *val_getc(const val *v, const char *key);
/* Follows a path of keys "spec.template.metadata" (no escapes: schema names only). */
val *val_path(const val *v, const char *dotted);
slice val_get_str(const val *v, const char *key);
void val_set(arena *a, val *map, slice key, val *value);
void val_setc(arena *a, val *map, const char *key, val *value);
/* Sets a string (its bytes borrowed), or nothing when it is empty. */
void val_set_text(arena *a, val *map, const char *key, slice text);
bool val_del(val *map, slice key);
bool val_delc(val *map, const char *key);
/* Keeps the entries that keep() wants, in order; linear. keep() is asked once an entry and must not
 * touch the map itself. */
void val_filter(val *map, bool (*keep)(void *ctx, const val_entry *e), void *ctx);
/* The map under key, made when it is missing or null (`map` must be a map). */
val *val_ensure_map(arena *a, val *map, const char *key);
val *val_ensure_list(arena *a, val *map, const char *key);
/* Sorts entries by key bytes. */
void val_sort(val *map);

/* Lists. */
void val_append(arena *a, val *list, val *item);
void val_insert(arena *a, val *list, uint32_t at, val *item); /* at <= len */
void val_remove(val *list, uint32_t at);

/* for (uint32_t i...) over a map: VAL_EACH(e, map) gives val_entry *e. */
#define VAL_EACH(e, map)                                                                     \
  for (val_entry *e = val_is_map(map) ? (map)->u.entries : NULL,                             \
                 *e##_end = e ? e + (map)->count : NULL;                                     \
       e != e##_end; e++)

#endif
