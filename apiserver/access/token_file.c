/* The token file: a CSV reader with Go's rules, and a sorted table. */
#include "access/token_file.h"

#include "access/text.h"

#include <stdlib.h>

enum { FIELDS_KEPT = 4 }; /* further columns are read and ignored */

typedef struct csv_reader {
  arena *a;
  slice text;
  size_t at;
  uint32_t line;
  slice *problem;
} csv_reader;

static bool csv_fail(csv_reader *r, const char *what) {
  *r->problem = arena_printf(r->a, "token file: parse error on line %u: %s", r->line, what);
  return false;
}

static bool at_newline(const csv_reader *r, size_t *skip) {
  slice rest = slice_from(r->text, r->at);
  *skip = slice_has_prefix(rest, SLICE_LIT("\r\n")) ? 2 : 1;
  return rest.len && (*skip == 2 || rest.ptr[0] == '\n');
}

/* Behind the opening quote; doubled quotes become one, lines may go on. */
static bool read_quoted(csv_reader *r, slice *out) {
  buf text;
  bool closed = false;
  size_t skip;
  buf_init(&text, r->text.len);
  while (r->at < r->text.len && !closed) {
    if (at_newline(r, &skip)) {
      buf_char(&text, '\n');
      r->at += skip;
      r->line++;
      continue;
    }
    char c = r->text.ptr[r->at++];
    bool doubled = c == '"' && r->at < r->text.len && r->text.ptr[r->at] == '"';
    closed = c == '"' && !doubled;
    if (!closed) buf_char(&text, c);
    r->at += doubled;
  }
  *out = text_take(r->a, &text);
  if (!closed) return csv_fail(r, "extraneous or missing \" in quoted-field");
  if (r->at < r->text.len && r->text.ptr[r->at] != ',' && !at_newline(r, &skip)) {
    return csv_fail(r, "extraneous or missing \" in quoted-field");
  }
  return true;
}

static bool read_plain(csv_reader *r, slice *out) {
  size_t start = r->at, skip;
  for (; r->at < r->text.len && r->text.ptr[r->at] != ',' && !at_newline(r, &skip); r->at++) {
    if (r->text.ptr[r->at] == '"') return csv_fail(r, "bare \" in non-quoted field");
  }
  *out = slice_of(r->text.ptr + start, r->at - start);
  return true;
}

/* One record into fields[]; *count is the number of all its fields. */
static bool read_record(csv_reader *r, slice fields[FIELDS_KEPT], uint32_t *count) {
  *count = 0;
  for (;;) {
    slice field;
    bool quoted = r->at < r->text.len && r->text.ptr[r->at] == '"';
    r->at += quoted;
    if (!(quoted ? read_quoted(r, &field) : read_plain(r, &field))) return false;
    if (*count < FIELDS_KEPT) fields[*count] = field;
    ++*count;
    size_t skip;
    if (r->at >= r->text.len) return true;
    if (at_newline(r, &skip)) {
      r->at += skip;
      r->line++;
      return true;
    }
    r->at++; /* the comma */
  }
}

static void split_groups(arena *a, user_info *u, slice text) {
  uint32_t n = 1;
  for (size_t i = 0; i < text.len; i++) n += text.ptr[i] == ',';
  slice *groups = ARENA_ARRAY(a, slice, n);
  for (uint32_t i = 0; i < n; i++) {
    slice_cut(text, ',', &groups[i], &text);
    groups[i] = arena_copy(a, groups[i]);
  }
  u->groups = groups;
  u->group_count = n;
}

static int row_order(const void *x, const void *y) {
  const token_row *a = x, *b = y;
  int order = slice_cmp(a->token, b->token);
  return order ? order : (a->order > b->order) - (a->order < b->order);
}

bool token_table_parse(token_table *t, arena *a, slice csv, slice *problem) {
  uint32_t cap = 0;
  csv_reader r = {.a = a, .text = csv, .line = 1, .problem = problem};
  *t = (token_table){0};
  while (r.at < csv.len) {
    size_t skip;
    if (at_newline(&r, &skip)) { /* an empty line is no record */
      r.at += skip;
      r.line++;
      continue;
    }
    slice f[FIELDS_KEPT];
    uint32_t n;
    if (!read_record(&r, f, &n)) return false;
    if (n < 3) {
      *problem = arena_printf(a, "token file must have at least 3 columns (token, user name, "
                                 "user uid), found %u", n);
      return false;
    }
    if (f[0].len == 0) continue; /* an empty token never matches */
    t->rows = arena_more(a, t->rows, t->count, &cap, sizeof *t->rows);
    token_row *row = &t->rows[t->count];
    *row = (token_row){.token = arena_copy(a, f[0]), .order = t->count++};
    row->user.name = arena_copy(a, f[1]);
    row->user.uid = arena_copy(a, f[2]);
    if (n >= 4) split_groups(a, &row->user, f[3]);
  }
  if (t->count) qsort(t->rows, t->count, sizeof *t->rows, row_order);
  return true;
}

const user_info *token_table_find(const token_table *t, slice token) {
  uint32_t low = 0, high = t->count; /* the last row not above the token */
  while (low < high) {
    uint32_t mid = low + (high - low) / 2;
    if (slice_cmp(t->rows[mid].token, token) <= 0) low = mid + 1;
    else high = mid;
  }
  if (low == 0 || !slice_eq(t->rows[low - 1].token, token)) return NULL;
  return &t->rows[low - 1].user;
}
