/* Strict reports. See strict.h for why entries carry a place. */
#include "codec/strict.h"

#include "base/limits.h"

#include <stdint.h>

#define LIMIT_STRICT_DEPTH 500u /* of values of any shape: Table cells only */

typedef struct strict_mark {
  const char *at; /* where in the text; NULL when unknown, then it stays behind its elder */
  const val *map; /* of a duplicate */
  slice key;
  bool confirmed;
} strict_mark;

typedef struct strict_key {
  const char *ptr, *at;
} strict_key;

typedef struct strict_map {
  const val *map;
  const val_entry *entries;
  uint32_t count;
} strict_map;

static bool is_in_text(const strict_report *r, const char *p) {
  return r->text.len && p >= r->text.ptr && p < r->text.ptr + r->text.len;
}

/* Where the key was read; NULL when that is not known. */
static const char *place_of(const strict_report *r, slice key) {
  if (is_in_text(r, key.ptr)) return key.ptr;
  for (uint32_t i = 0; i < r->key_count; i++) {
    if (r->keys[i].ptr == key.ptr) return r->keys[i].at;
  }
  return NULL;
}

static bool is_known(const strict_report *r, slice text) {
  for (uint32_t i = 0; i < r->count; i++) {
    if (slice_eq(r->items[i], text)) return true;
  }
  return false;
}

static void add_mark(strict_report *r, arena *a, slice text, strict_mark mark) {
  if (r->count >= STRICT_ERRORS_MAX) return;
  if (mark.map == NULL && is_known(r, text)) return;
  if (r->count == r->cap) {
    uint32_t cap = r->cap ? r->cap * 2 : 8;
    r->items = arena_grow(a, r->items, r->cap * sizeof *r->items, cap * sizeof *r->items);
    r->marks = arena_grow(a, r->marks, r->cap * sizeof *r->marks, cap * sizeof *r->marks);
    r->cap = cap;
  }
  if (!mark.at && r->count) mark.at = r->marks[r->count - 1].at; /* no JSON: behind its elder */
  r->items[r->count] = text;
  r->marks[r->count++] = mark;
}

void strict_add(strict_report *r, arena *a, slice text) {
  if (r) add_mark(r, a, text, (strict_mark){0});
}

static slice with_path(arena *a, const char *what, slice path) {
  return arena_concat(a, slice_cstr(what), go_quote(a, path));
}

void strict_add_duplicate(strict_report *r, arena *a, slice path, const val *map, slice key) {
  if (!r) return;
  slice text = with_path(a, "duplicate field ", path);
  add_mark(r, a, text, (strict_mark){.at = place_of(r, key), .map = map, .key = key});
}

void strict_add_unknown(strict_report *r, arena *a, slice path, slice key) {
  if (!r) return;
  add_mark(r, a, with_path(a, "unknown field ", path), (strict_mark){.at = place_of(r, key)});
}

void strict_note_key(strict_report *r, arena *a, slice key, const char *at) {
  r->keys = arena_more(a, r->keys, r->key_count, &r->key_cap, sizeof *r->keys);
  r->keys[r->key_count++] = (strict_key){key.ptr, at};
}

void strict_note_entries(strict_report *r, arena *a, const val *map, const val_entry *e,
                         uint32_t count) {
  if (r->map_count == STRICT_ERRORS_MAX) return; /* of what is past them, the last value stands */
  val_entry *copy = arena_alloc(a, count * sizeof *copy);
  memcpy(copy, e, count * sizeof *copy);
  r->maps = arena_more(a, r->maps, r->map_count, &r->map_cap, sizeof *r->maps);
  r->maps[r->map_count++] = (strict_map){map, copy, count};
}

bool strict_was_escaped(const strict_report *r, const val *v) {
  return r && r->text.len && val_is_string(v) && v->count && !is_in_text(r, v->u.s);
}

const val_entry *strict_entries(const strict_report *r, const val *map, uint32_t *count) {
  for (uint32_t i = 0; r && i < r->map_count; i++) {
    if (r->maps[i].map != map) continue;
    *count = r->maps[i].count;
    return r->maps[i].entries;
  }
  *count = map->count;
  return map->u.entries;
}

uint32_t strict_open_duplicates(const strict_report *r) {
  uint32_t n = 0;
  for (uint32_t i = 0; r && i < r->count; i++) n += r->marks[i].map && !r->marks[i].confirmed;
  return n;
}

void strict_confirm(strict_report *r, const val *map, const type_info *t) {
  for (uint32_t i = 0; i < r->count; i++) {
    strict_mark *m = &r->marks[i];
    if (m->map == map && (t->kind != TYPE_STRUCT || type_field(t, m->key))) m->confirmed = true;
  }
}

void strict_confirm_all(strict_report *r, const val *v, const type_info *t, unsigned depth) {
  if (depth == LIMIT_STRICT_DEPTH) return;
  if (val_is_map(v)) strict_confirm(r, v, t);
  for (uint32_t i = 0; i < val_len(v); i++) {
    const val *child = val_is_map(v) ? v->u.entries[i].value : v->u.items[i];
    if (val_len(child)) strict_confirm_all(r, child, t, depth + 1);
  }
}

/* At most STRICT_ERRORS_MAX entries: an insertion sort, which keeps equals in order. */
static void sort_by_place(strict_report *r) {
  for (uint32_t i = 1; i < r->count; i++) {
    strict_mark mark = r->marks[i];
    slice item = r->items[i];
    uint32_t j = i;
    for (; j > 0 && (uintptr_t)r->marks[j - 1].at > (uintptr_t)mark.at; j--) {
      r->marks[j] = r->marks[j - 1];
      r->items[j] = r->items[j - 1];
    }
    r->marks[j] = mark;
    r->items[j] = item;
  }
}

void strict_finish(strict_report *r) {
  uint32_t kept = 0;
  sort_by_place(r);
  for (uint32_t i = 0; i < r->count; i++) {
    if (r->marks[i].map && !r->marks[i].confirmed) continue;
    bool again = false;
    for (uint32_t j = 0; j < kept && !again; j++) again = slice_eq(r->items[j], r->items[i]);
    if (again) continue;
    r->items[kept] = r->items[i];
    r->marks[kept] = r->marks[i];
    r->marks[kept++].map = NULL; /* settled */
  }
  r->count = kept;
}

slice strict_error(arena *a, const strict_report *r) {
  buf text;
  buf_init(&text, LIMIT_REQUEST_BODY * 2);
  buf_lit(&text, "strict decoding error: ");
  for (uint32_t i = 0; i < r->count; i++) {
    if (i) buf_lit(&text, ", ");
    buf_append(&text, r->items[i]);
  }
  slice s = arena_copy(a, buf_slice(&text));
  buf_dispose(&text);
  return s;
}
