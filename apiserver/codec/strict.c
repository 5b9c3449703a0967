/* Strict reports. See strict.h for why entries carry a place. */
#include "codec/strict.h"

#include "base/limits.h"

#include <stdint.h>

typedef struct strict_mark {
  const char *at; /* where in the text; NULL when unknown, then it stays behind its elder */
  const val *map; /* of a duplicate */
  slice key;
  val *old;
  bool confirmed;
} strict_mark;

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
  bool placed = r->text.len && mark.at >= r->text.ptr && mark.at < r->text.ptr + r->text.len;
  if (!placed) mark.at = NULL; /* an unescaped key, or no JSON: behind its elder */
  if (!placed && r->count) mark.at = r->marks[r->count - 1].at;
  r->items[r->count] = text;
  r->marks[r->count++] = mark;
}

void strict_add(strict_report *r, arena *a, slice text) {
  if (r) add_mark(r, a, text, (strict_mark){0});
}

static slice with_path(arena *a, const char *what, slice path) {
  return arena_concat(a, slice_cstr(what), go_quote(a, path));
}

void strict_add_duplicate(strict_report *r, arena *a, slice path, const char *at, val *map,
                          slice key, val *old) {
  if (!r) return;
  slice text = with_path(a, "duplicate field ", path);
  add_mark(r, a, text, (strict_mark){.at = at, .map = map, .key = key, .old = old});
}

void strict_add_unknown(strict_report *r, arena *a, slice path, const char *at) {
  if (!r) return;
  add_mark(r, a, with_path(a, "unknown field ", path), (strict_mark){.at = at});
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

val *strict_replaced(const strict_report *r, const val *map, slice key, uint32_t nth) {
  for (uint32_t i = r ? r->count : 0; i-- > 0;) {
    const strict_mark *m = &r->marks[i];
    if (m->map == map && slice_eq(m->key, key) && nth-- == 0) return m->old;
  }
  return NULL;
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
