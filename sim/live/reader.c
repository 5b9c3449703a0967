/* The reader of maps, and of the words in them. */
#include "sim/live/reader.h"

#include "codec/codec.h"
#include "registry/object.h"
#include "schema/schema.h"
#include "sim/live/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool reader_fail(reader *r, int line, const char *format, ...) {
  if (r->problem->ptr) return false;
  va_list args;
  va_start(args, format);
  slice text = arena_vprintf(r->a, format, args);
  va_end(args);
  *r->problem = line ? arena_printf(r->a, "%s:%d: %.*s", r->file, line, SLICE_ARG(text))
                     : arena_printf(r->a, "%s: %.*s", r->file, SLICE_ARG(text));
  return false;
}

bool reader_unknown(reader *r, int line, slice key, const char *where, const field_row *rows,
                    size_t count) {
  buf known;
  buf_init(&known, 4096);
  for (size_t i = 0; i < count; i++) buf_printf(&known, "%s%s", i ? ", " : "", rows[i].key);
  reader_fail(r, line, "unknown key \"%.*s\" in %s (known: %.*s)", SLICE_ARG(key), where,
              SLICE_ARG(buf_slice(&known)));
  buf_dispose(&known);
  return false;
}

/* "quiet: a duration like 1m30s is wanted, not "1"". */
static bool wanted(reader *r, const node *n, const char *what) {
  bool word = n->kind == NODE_SCALAR;
  return reader_fail(r, n->line, "%.*s%s%s is wanted, not %s%.*s%s", SLICE_ARG(r->key),
                     r->key.len ? ": " : "", what, word ? "\"" : "",
                     SLICE_ARG(word ? n->text : n->kind == NODE_MAP ? SLICE_LIT("a map")
                                                                   : SLICE_LIT("a list")),
                     word ? "\"" : "");
}

static bool scalar(reader *r, const node *n, const char *what) {
  return n->kind == NODE_SCALAR || wanted(r, n, what);
}

bool reader_bool(reader *r, const node *n, bool *out) {
  *out = n->kind == NODE_SCALAR && slice_is(n->text, "true");
  bool no = n->kind == NODE_SCALAR && slice_is(n->text, "false");
  return *out || no || wanted(r, n, "true or false");
}

bool reader_int(reader *r, const node *n, int64_t *out) {
  long long v = 0;
  bool ok = n->kind == NODE_SCALAR && slice_to_i64(n->text, &v) && v >= 0;
  *out = v;
  return ok || wanted(r, n, "a number from 0");
}

bool reader_count(reader *r, const node *n, int64_t *out) {
  long long v = 0;
  bool ok = n->kind == NODE_SCALAR && slice_to_i64(n->text, &v) && v > 0;
  *out = v;
  return ok || wanted(r, n, "a number from 1");
}

bool reader_number(reader *r, const node *n, double *out) {
  if (!scalar(r, n, "a number")) return false;
  char *text = arena_cstr(r->a, n->text), *end;
  *out = strtod(text, &end);
  return (*text && !*end) || wanted(r, n, "a number");
}

bool reader_time_jump(reader *r, const node *n, int64_t *out) {
  bool ok = n->kind == NODE_SCALAR && duration_parse(n->text, out);
  return ok || wanted(r, n, "a duration like 1m30s");
}

bool reader_duration(reader *r, const node *n, int64_t *out) {
  bool ok = n->kind == NODE_SCALAR && duration_parse(n->text, out) && *out >= 0;
  return ok || wanted(r, n, "a duration like 1m30s");
}

bool reader_list(reader *r, const node *n, strlist *out) {
  if (n->kind == NODE_SCALAR) {
    slice *one = ARENA_NEW(r->a, slice);
    *one = n->text;
    *out = (strlist){1, one};
    return true;
  }
  if (n->kind != NODE_LIST) return reader_fail(r, n->line, "a word or a list of words is wanted");
  slice *items = ARENA_ARRAY(r->a, slice, n->count + 1);
  for (uint32_t i = 0; i < n->count; i++) {
    if (!scalar(r, n->items[i], "a word")) return false;
    items[i] = n->items[i]->text;
  }
  *out = (strlist){n->count, items};
  return true;
}

static bool read_chance(reader *r, const node *n, double *out) {
  if (!reader_number(r, n, out)) return false;
  return (*out >= 0 && *out <= 1) || wanted(r, n, "a chance between 0 and 1");
}

bool reader_value(reader *r, const node *n, const field_row *row, void *out) {
  void *at = (char *)out + row->offset;
  if (row->set_offset >= 0) *(bool *)(void *)((char *)out + row->set_offset) = true;
  switch (row->type) {
  case F_TEXT:
    if (!scalar(r, n, "a word")) return false;
    *(slice *)at = n->text;
    return true;
  case F_BOOL: return reader_bool(r, n, at);
  case F_INT: return reader_int(r, n, at);
  case F_COUNT: return reader_count(r, n, at);
  case F_DURATION: return reader_duration(r, n, at);
  case F_CHANCE: return read_chance(r, n, at);
  case F_NUMBER: return reader_number(r, n, at);
  case F_LIST: return reader_list(r, n, at);
  case F_NODE: *(const node **)at = n; return true;
  default: return row->custom(r, n, out);
  }
}

static const field_row *find(const field_row *rows, size_t count, slice key) {
  for (size_t i = 0; i < count; i++) {
    if (slice_is(key, rows[i].key)) return &rows[i];
  }
  return NULL;
}

bool reader_map(reader *r, const node *n, const char *where, const field_row *rows, size_t count,
                void *out) {
  if (n->kind != NODE_MAP) return reader_fail(r, n->line, "%s is a map", where);
  for (uint32_t i = 0; i < n->count; i++) {
    const node *v = n->items[i];
    const field_row *row = find(rows, count, n->keys[i]);
    if (!row) return reader_unknown(r, v->line, n->keys[i], where, rows, count);
    r->key = n->keys[i];
    if (!reader_value(r, v, row, out)) return false;
  }
  return true;
}

bool reader_server(reader *r, const node *n, uint32_t *out) {
  if (!scalar(r, n, "the name of an apiserver")) return false;
  for (uint32_t i = 0; i < r->plan->server_count; i++) {
    *out = i;
    if (slice_eq(r->plan->servers[i].name, n->text)) return true;
  }
  return reader_fail(r, n->line, "apiserver \"%.*s\" is not declared", SLICE_ARG(n->text));
}

bool reader_client(reader *r, int line, slice name) {
  for (uint32_t i = 0; i < r->plan->client_count; i++) {
    if (slice_eq(r->plan->clients[i].name, name)) return true;
  }
  return reader_fail(r, line, "client \"%.*s\" is not declared", SLICE_ARG(name));
}

bool read_key(reader *r, int line, slice key) {
  live_target t;
  return live_target_of(r->a, key, &t) ||
         reader_fail(r, line, "\"%.*s\" names no object: RESOURCE[.GROUP][/NAMESPACE]/NAME of a "
                     "built-in resource is wanted", SLICE_ARG(key));
}

static const field_row predicate_rows[] = {
    ROW_SET("equals", F_TEXT, live_predicate, equals, equals_set),
    ROW_SET("notEquals", F_TEXT, live_predicate, not_equals, not_equals_set),
    ROW("matches", F_TEXT, live_predicate, matches),
    ROW_SET("exists", F_BOOL, live_predicate, exists, exists_set),
    ROW_SET("lessThan", F_NUMBER, live_predicate, less, less_set),
    ROW_SET("greaterThan", F_NUMBER, live_predicate, greater, greater_set),
};

bool read_predicate(reader *r, const node *n, live_predicate *out) {
  out->set = true;
  if (n->kind == NODE_SCALAR) {
    out->equals = n->text;
    out->equals_set = true;
    return true;
  }
  return reader_map(r, n, "a predicate", predicate_rows,
                    sizeof predicate_rows / sizeof predicate_rows[0], out);
}

bool live_predicate_holds(const live_predicate *p, bool present, slice text) {
  if (!p->set) return true;
  if (p->exists_set && p->exists != present) return false;
  if (p->not_equals_set && present && slice_eq(p->not_equals, text)) return false;
  bool needs_value = p->equals_set || p->matches.len || p->less_set || p->greater_set;
  if (!needs_value) return true;
  if (!present) return p->equals_set && slice_is(p->equals, "null");
  if (p->equals_set && !slice_eq(p->equals, text)) return false;
  if (p->matches.len && !live_glob(p->matches, text)) return false;
  char number[64], *end;
  snprintf(number, sizeof number, "%.*s", SLICE_ARG(text));
  double v = strtod(number, &end);
  if ((p->less_set || p->greater_set) && (end == number || *end)) return false;
  return (!p->less_set || v < p->less) && (!p->greater_set || v > p->greater);
}

bool live_glob(slice pattern, slice text) {
  size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
  while (t < text.len) {
    if (p < pattern.len && pattern.ptr[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.len && (pattern.ptr[p] == '?' || pattern.ptr[p] == text.ptr[t])) {
      p++;
      t++;
    } else if (star != SIZE_MAX) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.len && pattern.ptr[p] == '*') p++;
  return p == pattern.len;
}

bool live_glob_any(const strlist *patterns, slice text) {
  for (uint32_t i = 0; i < patterns->count; i++) {
    if (live_glob(patterns->items[i], text)) return true;
  }
  return false;
}
