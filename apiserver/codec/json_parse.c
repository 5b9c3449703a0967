/* The JSON parser: the hot path of every request.
 *
 * One pass, no recursion. Values under way lie on a scratch stack; when a map or list closes,
 * its entries are copied once into the arena, exactly as many as there are. Strings without
 * escapes are borrowed from the text. Nothing here words an error: a refused text is walked
 * again by json_error.c. Numbers as sigs.k8s.io/json keeps them: int64 where the text is a
 * whole number that fits, else float64. Typed, -0 is a float as well: only an integer's field
 * forgets its sign. */
#include "base/ascii.h"
#include "codec/json_string.h"
#include "codec/strict.h"

#include "base/heap.h"
#include "base/limits.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define SCRATCH_FIRST 96u
#define LEVELS_FIRST 32u
#define SCAN_ALL_UPTO 24u /* maps up to here look for duplicates pair by pair */
#define POOL_MAX 64u

typedef struct level {
  uint32_t base; /* where its entries start on the scratch stack */
  bool map;
  bool maybe_duplicate;
  uint64_t seen; /* one bit a key hash */
} level;

typedef struct parser {
  const char *p, *end;
  slice text;
  arena *a;
  strict_report *report;
  val *pool; /* nodes are taken from the arena in blocks */
  uint32_t pool_left, pool_next;
  val_entry *stack;
  uint32_t top, cap;
  level *levels;
  uint32_t depth, levels_cap;
  bool typed; /* infinite floats may stay */
  slice error; /* set where the grammar is good and the value is not */
  val_entry stack_first[SCRATCH_FIRST];
  level levels_first[LEVELS_FIRST];
} parser;

static inline val *node(parser *s, val_type type) {
  if (s->pool_left == 0) {
    s->pool_left = s->pool_next;
    if (s->pool_next < POOL_MAX) s->pool_next *= 2;
    s->pool = arena_alloc(s->a, sizeof(val) * s->pool_left);
  }
  s->pool_left--;
  val *v = s->pool++;
  v->type = (uint8_t)type;
  v->emptied = 0;
  v->count = 0;
  v->cap = 0;
  v->u.i = 0;
  v->index = NULL;
  return v;
}

/* ---- the scratch stacks ---- */

static void *regrow(void *old, bool on_heap, size_t old_size, size_t size) {
  if (on_heap) return heap_realloc(old, size);
  void *fresh = heap_alloc(size);
  memcpy(fresh, old, old_size);
  return fresh;
}

static inline void push(parser *s, slice key, val *value) {
  if (s->top == s->cap) {
    s->stack = regrow(s->stack, s->stack != s->stack_first, s->cap * sizeof *s->stack,
                      s->cap * 2 * sizeof *s->stack);
    s->cap *= 2;
  }
  s->stack[s->top++] = (val_entry){key, value};
}

static bool open_level(parser *s, bool map) {
  if (s->depth == LIMIT_JSON_DEPTH) return false;
  if (s->depth == s->levels_cap) {
    s->levels = regrow(s->levels, s->levels != s->levels_first,
                       s->levels_cap * sizeof *s->levels, s->levels_cap * 2 * sizeof *s->levels);
    s->levels_cap *= 2;
  }
  s->levels[s->depth++] = (level){.base = s->top, .map = map};
  return true;
}

/* ---- duplicates ---- */

/* Path of `key` in the innermost open map, as the strict decoder writes it. */
static slice path_of(parser *s, slice key) {
  buf path;
  buf_init(&path, LIMIT_REQUEST_BODY * 2);
  for (uint32_t d = 0; d + 1 < s->depth; d++) {
    const level *l = &s->levels[d];
    uint32_t inner = s->levels[d + 1].base;
    if (l->map) {
      if (path.len) buf_char(&path, '.');
      buf_append(&path, s->stack[inner - 1].key);
    } else {
      buf_printf(&path, "[%u]", inner - l->base);
    }
  }
  if (path.len) buf_char(&path, '.');
  buf_append(&path, key);
  slice copy = arena_copy(s->a, buf_slice(&path));
  buf_dispose(&path);
  return copy;
}

static void found_duplicate(parser *s, val *map, slice key) {
  if (s->report->count >= STRICT_ERRORS_MAX) return;
  strict_add_duplicate(s->report, s->a, path_of(s, key), map, key);
}

/* A map with duplicates or with many keys: entry by entry, the last value wins. */
static void fill_checked(parser *s, val *map, val_entry *e, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    if (s->report && val_get(map, e[i].key)) found_duplicate(s, map, e[i].key);
    val_set(s->a, map, e[i].key, e[i].value);
  }
  if (s->report && map->count < n) strict_note_entries(s->report, s->a, map, e, n);
}

static bool has_duplicate(const val_entry *e, uint32_t n) {
  for (uint32_t i = 1; i < n; i++) {
    for (uint32_t j = 0; j < i; j++) {
      if (slice_eq(e[i].key, e[j].key)) return true;
    }
  }
  return false;
}

static val *close_map(parser *s, const level *l) {
  uint32_t n = s->top - l->base;
  val_entry *e = s->stack + l->base;
  val *map = node(s, VAL_MAP);
  if (n > SCAN_ALL_UPTO || (l->maybe_duplicate && has_duplicate(e, n))) {
    fill_checked(s, map, e, n);
  } else if (n) {
    map->u.entries = arena_alloc(s->a, n * sizeof *e);
    memcpy(map->u.entries, e, n * sizeof *e);
    map->count = map->cap = n;
  }
  return map;
}

static val *close_list(parser *s, const level *l) {
  uint32_t n = s->top - l->base;
  val *list = node(s, VAL_LIST);
  if (n) {
    list->u.items = arena_alloc(s->a, n * sizeof(val *));
    for (uint32_t i = 0; i < n; i++) list->u.items[i] = s->stack[l->base + i].value;
    list->count = list->cap = n;
  }
  return list;
}

static val *close_level(parser *s) {
  const level *l = &s->levels[s->depth - 1];
  val *v = l->map ? close_map(s, l) : close_list(s, l);
  s->top = l->base;
  s->depth--;
  return v;
}

/* ---- numbers and words ---- */

static const char *skip_digits(const char *p, const char *end) {
  while (p < end && ascii_is_digit(*p)) p++;
  return p;
}

/* End of the number's text, or NULL when it is malformed; *whole: no fraction or exponent. */
static const char *number_end(const char *p, const char *end, bool *whole) {
  *whole = true;
  if (p < end && *p == '-') p++;
  if (p == end || !ascii_is_digit(*p)) return NULL;
  p = *p == '0' ? p + 1 : skip_digits(p, end);
  if (p < end && *p == '.') {
    const char *digits = p + 1;
    *whole = false;
    p = skip_digits(digits, end);
    if (p == digits) return NULL;
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    *whole = false;
    p++;
    if (p < end && (*p == '+' || *p == '-')) p++;
    const char *digits = p;
    p = skip_digits(digits, end);
    if (p == digits) return NULL;
  }
  return p;
}

static val *parse_float(parser *s, slice text) {
  char small[64];
  char *copy = text.len < sizeof small ? small : arena_alloc(s->a, text.len + 1);
  memcpy(copy, text.ptr, text.len);
  copy[text.len] = '\0';
  val *v = node(s, VAL_FLOAT);
  v->u.f = strtod(copy, NULL);
  v->literal = text.ptr;
  v->count = (uint32_t)text.len;
  if (!isfinite(v->u.f) && !s->typed) {
    s->error = arena_printf(s->a,
                            "json: cannot unmarshal number %.*s into Go value of type float64",
                            SLICE_ARG(text));
    return NULL;
  }
  return v;
}

static val *parse_number(parser *s) {
  bool whole;
  const char *start = s->p, *end = number_end(start, s->end, &whole);
  if (!end) return NULL;
  s->p = end;
  slice text = slice_of(start, (size_t)(end - start));
  long long n = 0;
  if (!whole || !slice_to_i64(text, &n)) return parse_float(s, text);
  if (n == 0 && text.len == 2 && s->typed) return parse_float(s, text); /* -0 */
  val *v = node(s, VAL_INT);
  v->u.i = n;
  return v;
}

static val *parse_word(parser *s, slice word, val_type type) {
  if ((size_t)(s->end - s->p) < word.len || memcmp(s->p, word.ptr, word.len) != 0) return NULL;
  s->p += word.len;
  val *v = node(s, type);
  v->u.b = word.ptr[0] == 't';
  return v;
}

static inline val *parse_string(parser *s) {
  slice text;
  s->p = json_string_scan(s->a, s->p, s->end, &text);
  if (!s->p) return NULL;
  val *v = node(s, VAL_STRING);
  v->u.s = text.ptr;
  v->count = (uint32_t)text.len;
  return v;
}

static val *parse_scalar(parser *s) {
  switch (*s->p) {
    case '"': return parse_string(s);
    case 't': return parse_word(s, SLICE_LIT("true"), VAL_BOOL);
    case 'f': return parse_word(s, SLICE_LIT("false"), VAL_BOOL);
    case 'n': return parse_word(s, SLICE_LIT("null"), VAL_NULL);
    default: return parse_number(s);
  }
}

/* ---- the walk ---- */

static inline bool skip_space(parser *s) {
  const char *p = s->p, *end = s->end;
  while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')) p++;
  s->p = p;
  return p < end;
}

static inline bool skip_to(parser *s, char c) {
  if (!skip_space(s) || *s->p != c) return false;
  s->p++;
  return true;
}

/* `"key" :`, pushed with its value to come. */
static inline bool parse_key(parser *s) {
  slice key;
  if (!skip_space(s) || *s->p != '"') return false;
  const char *start = s->p + 1;
  s->p = json_string_scan(s->a, s->p, s->end, &key);
  if (!s->p || !skip_to(s, ':')) return false;
  if (key.ptr != start && s->report) strict_note_key(s->report, s->a, key, start);
  level *l = &s->levels[s->depth - 1];
  unsigned hash = (unsigned)key.len;
  if (key.len) hash += (unsigned char)key.ptr[0] * 3u + (unsigned char)key.ptr[key.len - 1] * 7u;
  uint64_t bit = 1ull << (hash & 63);
  l->maybe_duplicate |= (l->seen & bit) != 0;
  l->seen |= bit;
  push(s, key, NULL);
  return true;
}

/* Up to and including the next scalar or empty map or list; NULL when the text is bad. */
static val *parse_down(parser *s) {
  for (;;) {
    if (!skip_space(s)) return NULL;
    bool map = *s->p == '{';
    if (!map && *s->p != '[') return parse_scalar(s);
    s->p++;
    if (!open_level(s, map) || !skip_space(s)) return NULL;
    if (*s->p == (map ? '}' : ']')) {
      s->p++;
      return close_level(s);
    }
    if (map && !parse_key(s)) return NULL;
  }
}

/* v is complete: hands it to its parent and closes what ends here. Returns the root once it
 * is complete, else NULL; *good says if the text goes on as it should. */
static val *parse_up(parser *s, val *v, bool *good) {
  *good = true;
  while (s->depth > 0) {
    bool map = s->levels[s->depth - 1].map;
    if (map) s->stack[s->top - 1].value = v;
    else push(s, SLICE_NONE, v);
    if (!skip_space(s)) break;
    char c = *s->p++;
    if (c == ',') {
      *good = !map || parse_key(s);
      return NULL;
    }
    if (c != (map ? '}' : ']')) break;
    v = close_level(s);
  }
  if (s->depth == 0 && !skip_space(s)) return v;
  *good = false;
  return NULL;
}

static val *parse_document(parser *s) {
  val *root = NULL;
  bool good = s->text.len > 0;
  while (good && !root) {
    val *v = parse_down(s);
    good = v != NULL;
    if (good) root = parse_up(s, v, &good);
  }
  return root;
}

static val *parse_text(arena *a, slice text, bool typed, strict_report *report, slice *error) {
  assert(a && error && text.len <= UINT32_MAX);
  parser s;
  s.p = text.ptr;
  s.end = text.len ? text.ptr + text.len : text.ptr;
  s.text = text;
  s.a = a;
  s.report = report;
  if (report) report->text = text;
  s.pool_left = 0;
  s.pool_next = 8;
  s.stack = s.stack_first;
  s.top = 0;
  s.cap = SCRATCH_FIRST;
  s.levels = s.levels_first;
  s.depth = 0;
  s.levels_cap = LEVELS_FIRST;
  s.typed = typed;
  s.error = SLICE_NONE;
  val *root = parse_document(&s);
  if (s.stack != s.stack_first) heap_free(s.stack);
  if (s.levels != s.levels_first) heap_free(s.levels);
  if (root) return root;
  slice syntax = json_syntax_error(a, text); /* the grammar is looked at first, as in Go */
  *error = syntax.len || !s.error.len ? syntax : s.error;
  assert(error->len);
  return NULL;
}

val *json_parse(arena *a, slice text, strict_report *report, slice *error) {
  return parse_text(a, text, false, report, error);
}

val *json_parse_typed(arena *a, slice text, strict_report *report, slice *error) {
  return parse_text(a, text, true, report, error);
}
