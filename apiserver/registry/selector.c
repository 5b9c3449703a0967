/* Label selectors are read by a small lexer and parser over the query text, in one pass; field
 * selectors by splitting. Matching looks at the object's tree. */
#include "registry/selector.h"

#include "base/buf.h"
#include "base/heap.h"
#include "base/limits.h"
#include "base/quote.h"
#include "registry/validation/text_rules.h"
#include "version/version.h"

#include <assert.h>
#include <stdlib.h>

#define VALUE_PROBLEMS_MAX 100u /* ours: more are not told */

typedef enum token {
  TOKEN_END, TOKEN_NAME, TOKEN_COMMA, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_NOT,
  TOKEN_EQ, TOKEN_NEQ, TOKEN_GT, TOKEN_LT, TOKEN_IN, TOKEN_NOTIN,
} token;

typedef struct lexer {
  slice text;
  size_t at;
  token kind;
  slice lexeme;
} lexer;

typedef struct parser {
  arena *a;
  lexer lex;
  slice problem;
  bool in_requirement; /* where it failed: the text in front of the problem depends on it */
} parser;

static bool is_special(char c) { return strchr("=!(),<>", c) != NULL && c; }
static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

typedef struct token_row {
  const char *text;
  token kind;
} token_row;

static const token_row token_rows[] = {
    {"in", TOKEN_IN}, {"notin", TOKEN_NOTIN}, {")", TOKEN_CLOSE}, {",", TOKEN_COMMA},
    {"!", TOKEN_NOT}, {"==", TOKEN_EQ},       {"=", TOKEN_EQ},    {">", TOKEN_GT},
    {"<", TOKEN_LT},  {"!=", TOKEN_NEQ},      {"(", TOKEN_OPEN},
};

/* The real lexer takes a NUL for the end of what it reads: in front of a token of the text, behind
 * one of the token only, and then it is gone. */
static void next(lexer *l) {
  while (l->at < l->text.len && is_blank(l->text.ptr[l->at])) l->at++;
  size_t start = l->at;
  if (start == l->text.len || !l->text.ptr[start]) {
    l->kind = TOKEN_END;
    l->lexeme = SLICE_LIT("");
    return;
  }
  if (is_special(l->text.ptr[start])) {
    l->at++;
    if (l->at < l->text.len && l->text.ptr[l->at] == '=' && strchr("=!", l->text.ptr[start])) {
      l->at++;
    }
  } else {
    while (l->at < l->text.len && !is_special(l->text.ptr[l->at]) &&
           !is_blank(l->text.ptr[l->at]) && l->text.ptr[l->at]) {
      l->at++;
    }
  }
  l->lexeme = slice_of(l->text.ptr + start, l->at - start);
  if (l->at < l->text.len && !l->text.ptr[l->at]) l->at++;
  l->kind = TOKEN_NAME;
  for (size_t i = 0; i < sizeof token_rows / sizeof *token_rows; i++) {
    if (slice_is(l->lexeme, token_rows[i].text)) l->kind = token_rows[i].kind;
  }
}

/* In value position the words are plain. */
static bool is_word(const lexer *l) {
  return l->kind == TOKEN_NAME || l->kind == TOKEN_IN || l->kind == TOKEN_NOTIN;
}

static bool fail(parser *p, const char *expected) {
  p->problem = arena_printf(p->a, "found '%.*s', expected: %s", SLICE_ARG(p->lex.lexeme), expected);
  return false;
}

static int value_order(const void *a, const void *b) {
  return slice_cmp(*(const slice *)a, *(const slice *)b);
}

static void add_value(parser *p, requirement *r, slice v, uint32_t *cap) {
  r->values = arena_more(p->a, r->values, r->value_count, cap, sizeof *r->values);
  r->values[r->value_count++] = v;
}

/* The values are a set. */
static void drop_repeated(requirement *r) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < r->value_count; i++) {
    if (kept && slice_eq(r->values[kept - 1], r->values[i])) continue;
    r->values[kept++] = r->values[i];
  }
  r->value_count = kept;
}

static bool parse_set(parser *p, requirement *r) {
  uint32_t cap = 0;
  next(&p->lex);
  if (p->lex.kind != TOKEN_OPEN) {
    p->problem = arena_printf(p->a, "found '%.*s' expected: '('", SLICE_ARG(p->lex.lexeme));
    return false;
  }
  next(&p->lex);
  if (p->lex.kind != TOKEN_CLOSE && p->lex.kind != TOKEN_COMMA && !is_word(&p->lex)) {
    return fail(p, "',', ')' or identifier");
  }
  if (p->lex.kind == TOKEN_CLOSE) add_value(p, r, SLICE_LIT(""),
                                            &cap); /* "()" holds the empty value */
  bool after_comma = true;
  while (p->lex.kind != TOKEN_CLOSE) {
    if (is_word(&p->lex)) {
      add_value(p, r, p->lex.lexeme, &cap);
      after_comma = false;
      next(&p->lex);
      if (p->lex.kind != TOKEN_COMMA && p->lex.kind != TOKEN_CLOSE) return fail(p, "',' or ')'");
    } else if (p->lex.kind == TOKEN_COMMA) {
      if (after_comma) add_value(p, r, SLICE_LIT(""), &cap);
      after_comma = true;
      next(&p->lex);
      if (p->lex.kind == TOKEN_CLOSE) add_value(p, r, SLICE_LIT(""), &cap);
    } else {
      return fail(p, "',', or identifier");
    }
  }
  next(&p->lex);
  if (r->value_count) qsort(r->values, r->value_count, sizeof(slice), value_order);
  drop_repeated(r);
  return true;
}

static bool parse_exact(parser *p, requirement *r) {
  uint32_t cap = 0;
  next(&p->lex);
  if (p->lex.kind == TOKEN_END || p->lex.kind == TOKEN_COMMA) {
    add_value(p, r, SLICE_LIT(""), &cap);
    return true;
  }
  if (!is_word(&p->lex)) return fail(p, "identifier");
  add_value(p, r, p->lex.lexeme, &cap);
  next(&p->lex);
  return true;
}

static bool key_problem(parser *p, slice key);
static bool value_problems(parser *p, const requirement *r);

static bool parse_requirement(parser *p, requirement *r) {
  *r = (requirement){.op = SELECT_EXISTS};
  if (p->lex.kind == TOKEN_NOT) {
    r->op = SELECT_NOT_EXISTS;
    next(&p->lex);
  }
  if (!is_word(&p->lex)) return fail(p, "identifier");
  r->key = p->lex.lexeme;
  if (key_problem(p, r->key)) return false;
  next(&p->lex);
  if (p->lex.kind == TOKEN_END || p->lex.kind == TOKEN_COMMA) return true;
  if (r->op == SELECT_NOT_EXISTS) return true; /* the caller reports what comes next */
  switch (p->lex.kind) {
    case TOKEN_EQ: r->op = SELECT_EQUALS; return parse_exact(p, r) && value_problems(p, r);
    case TOKEN_NEQ: r->op = SELECT_NOT_EQUALS; return parse_exact(p, r) && value_problems(p, r);
    case TOKEN_GT: r->op = SELECT_GREATER; return parse_exact(p, r) && value_problems(p, r);
    case TOKEN_LT: r->op = SELECT_LESS; return parse_exact(p, r) && value_problems(p, r);
    case TOKEN_IN: r->op = SELECT_EQUALS; return parse_set(p, r) && value_problems(p, r);
    case TOKEN_NOTIN: r->op = SELECT_NOT_EQUALS; return parse_set(p, r) && value_problems(p, r);
    default: return fail(p, "in, notin, =, ==, !=, gt, lt");
  }
}

/* The messages of the rules that value breaks, between semicolons; empty for none. */
static slice broken_rules(arena *a, text_rule rule, slice value) {
  slice found[4], text = SLICE_LIT("");
  uint32_t count = text_problems(a, rule, value, false, found);
  for (uint32_t i = 0; i < count; i++) {
    if (i) text = arena_concat(a, text, SLICE_LIT("; "));
    text = arena_concat(a, text, found[i]);
  }
  return text;
}

static bool key_problem(parser *p, slice key) {
  slice why = broken_rules(p->a, TEXT_LABEL_KEY, key);
  if (!why.len) return false;
  slice shown = go_quote(p->a, key);
  p->problem = arena_printf(p->a, "<nil>: Invalid value: %.*s: %.*s", SLICE_ARG(shown),
                            SLICE_ARG(why));
  return true;
}

/* Go says the same error only once. */
static void add_problem(slice text, slice all[], uint32_t *count) {
  if (*count == VALUE_PROBLEMS_MAX) return;
  for (uint32_t i = 0; i < *count; i++) {
    if (slice_eq(all[i], text)) return;
  }
  all[(*count)++] = text;
}

/* One error as it is, several between brackets. */
static slice joined_problems(arena *a, const slice all[], uint32_t count) {
  if (count == 1) return all[0];
  buf text;
  buf_init(&text, LIMIT_REQUEST_BODY);
  for (uint32_t i = 0; i < count; i++) {
    buf_cstr(&text, i ? ", " : "[");
    buf_append(&text, all[i]);
  }
  buf_char(&text, ']');
  slice copy = arena_copy(a, buf_slice(&text));
  buf_dispose(&text);
  return copy;
}

static bool value_problems(parser *p, const requirement *r) {
  slice all[VALUE_PROBLEMS_MAX];
  uint32_t count = 0;
  bool integer = r->op == SELECT_GREATER || r->op == SELECT_LESS;
  long long n;
  for (uint32_t i = 0; i < r->value_count && integer; i++) {
    slice shown = go_quote(p->a, r->values[i]);
    if (slice_to_i64_go(r->values[i], &n)) continue;
    add_problem(arena_printf(p->a, "values[%u]: Invalid value: %.*s: for 'Gt', 'Lt' operators, "
                             "the value must be an integer", i, SLICE_ARG(shown)), all, &count);
  }
  for (uint32_t i = 0; i < r->value_count && count < VALUE_PROBLEMS_MAX; i++) {
    slice why = broken_rules(p->a, TEXT_LABEL_VALUE, r->values[i]);
    if (!why.len) continue;
    slice shown = go_quote(p->a, r->values[i]);
    add_problem(arena_printf(p->a, "values[%u][%.*s]: Invalid value: %.*s: %.*s", i,
                             SLICE_ARG(r->key), SLICE_ARG(shown), SLICE_ARG(why)), all, &count);
  }
  if (count) p->problem = joined_problems(p->a, all, count);
  return count == 0;
}

static bool parse_labels(parser *p, slice text, selector *out) {
  uint32_t cap = 0;
  p->lex = (lexer){.text = text};
  next(&p->lex);
  while (p->lex.kind != TOKEN_END) {
    requirement r;
    if (!is_word(&p->lex) && p->lex.kind != TOKEN_NOT) {
      return fail(p, "!, identifier, or 'end of string'");
    }
    p->in_requirement = true;
    if (!parse_requirement(p, &r)) return false;
    p->in_requirement = false;
    out->labels = arena_more(p->a, out->labels, out->label_count, &cap, sizeof *out->labels);
    out->labels[out->label_count++] = r;
    if (p->lex.kind == TOKEN_END) break;
    if (p->lex.kind != TOKEN_COMMA) return fail(p, "',' or 'end of string'");
    next(&p->lex);
    if (!is_word(&p->lex) && p->lex.kind != TOKEN_NOT) return fail(p, "identifier after ','");
  }
  return true;
}

/* A backslash keeps '\\', ',' and '=' in a field value; nothing else may follow one, and none of
 * the three may stand without it. */
static bool unescape_value(arena *a, slice v, slice *out, status_error *err) {
  char *to = arena_alloc(a, v.len + 1);
  size_t n = 0;
  for (size_t i = 0; i < v.len; i++) {
    bool escape = v.ptr[i] == '\\', kept = escape && i + 1 < v.len &&
        strchr("\\,=", v.ptr[i + 1]) && v.ptr[i + 1];
    if (escape && !kept) {
      slice bad = slice_upto(slice_from(v, i), i + 1 < v.len ? 2 : 1);
      return status_set(err, a, STATUS_BAD_REQUEST,
                        "invalid field selector: invalid escape sequence: %.*s",
                        SLICE_ARG(bad));
    }
    if (!escape && (v.ptr[i] == ',' || v.ptr[i] == '=')) {
      return status_set(err, a, STATUS_BAD_REQUEST,
                        "invalid field selector: unescaped character in value: %d",
                        v.ptr[i]);
    }
    if (kept) i++;
    to[n++] = v.ptr[i];
  }
  *out = slice_of(to, n);
  return true;
}

static size_t term_end(slice text) {
  size_t i = 0;
  for (; i < text.len && text.ptr[i] != ','; i++) {
    if (text.ptr[i] == '\\') i++;
  }
  return i < text.len ? i : text.len;
}

/* False without an error: no operator in it. */
static bool parse_term(arena *a, slice term, requirement *r, status_error *err) {
  for (size_t i = 0; i + 1 <= term.len; i++) {
    bool neq = term.ptr[i] == '!' && i + 1 < term.len && term.ptr[i + 1] == '=';
    if (!neq && term.ptr[i] != '=') continue;
    size_t skip = neq || (i + 1 < term.len && term.ptr[i + 1] == '=') ? 2 : 1;
    slice *value = ARENA_ARRAY(a, slice, 1);
    if (!unescape_value(a, slice_from(term, i + skip), value, err)) return false;
    *r = (requirement){.key = slice_upto(term, i), .op = neq ? SELECT_NOT_EQUALS : SELECT_EQUALS,
                       .value_count = 1, .values = value};
    return true;
  }
  return false;
}

/* The terms in the order of their bytes: the first that is wrong in it is named. */
static slice *split_terms(arena *a, slice text, uint32_t *count) {
  uint32_t cap = 0;
  slice *terms = NULL;
  for (*count = 0; text.len;) {
    size_t end = term_end(text);
    if (*count == cap) {
      uint32_t more = cap ? cap * 2 : 4;
      terms = arena_grow(a, terms, cap * sizeof *terms, more * sizeof *terms);
      cap = more;
    }
    terms[(*count)++] = slice_upto(text, end);
    text = slice_from(text, end < text.len ? end + 1 : end);
  }
  if (*count) qsort(terms, *count, sizeof *terms, value_order);
  return terms;
}

static bool parse_fields(arena *a, slice text, selector *out, status_error *err) {
  uint32_t count;
  slice *terms = split_terms(a, text, &count);
  out->fields = ARENA_ARRAY(a, requirement, count + 1);
  for (uint32_t i = 0; i < count; i++) {
    requirement q;
    if (terms[i].len == 0) continue;
    if (!parse_term(a, terms[i], &q, err)) {
      if (err->set) return false;
      slice shown = arena_concat(a, text, SLICE_LIT("'; can't understand '")); /* NULs and all */
      shown = arena_concat(a, shown, arena_concat(a, terms[i], SLICE_LIT("'")));
      status_set(err, a, STATUS_BAD_REQUEST, "%s", "");
      err->message = arena_concat(a, SLICE_LIT("invalid selector: '"), shown);
      return false;
    }
    if (q.key.len == 0 && q.values[0].len == 0) continue; /* says nothing */
    out->fields[out->field_count++] = q;
  }
  return true;
}

bool selector_resolve(arena *a, const resource_info *r, selector *s, status_error *err) {
  for (uint32_t i = 0; i < s->field_count; i++) {
    requirement q = s->fields[i];
    if (!version_field_label_known(r, q.key)) {
      slice why = version_field_label_error(a, r, q.key);
      return status_set(err, a, STATUS_BAD_REQUEST, "%.*s", SLICE_ARG(why));
    }
    if (slice_is(q.key, "metadata.name") && q.op == SELECT_EQUALS) s->name = q.values[0];
    if (slice_is(q.key, "metadata.namespace") && q.op == SELECT_EQUALS) {
      s->namespace = q.values[0];
    }
  }
  return true;
}

bool selector_parse(arena *a, slice labels, slice fields, selector *out, status_error *err) {
  *out = (selector){0};
  parser p = {.a = a};
  if (!parse_labels(&p, labels, out)) {
    return status_set(err, a, STATUS_BAD_REQUEST, "%s%.*s",
                      p.in_requirement ? "unable to parse requirement: " : "",
                      SLICE_ARG(p.problem));
  }
  return parse_fields(a, fields, out, err);
}

bool selector_require_name(arena *a, selector *s, slice name, status_error *err) {
  if (s->field_count) {
    if (slice_eq(s->name, name)) return true;
    return status_set(err, a, STATUS_BAD_REQUEST,
                      "fieldSelector metadata.name doesn't match requested name");
  }
  slice *value = ARENA_ARRAY(a, slice, 1);
  *value = name;
  s->fields = ARENA_NEW(a, requirement);
  *s->fields = (requirement){.key = SLICE_LIT("metadata.name"), .op = SELECT_EQUALS,
                             .value_count = 1, .values = value};
  s->field_count = 1;
  s->name = name;
  return true;
}

static bool in_values(const requirement *r, slice v) {
  return r->value_count && bsearch(&v, r->values, r->value_count, sizeof v, value_order);
}

static bool requirement_match(const requirement *r, bool present, slice value) {
  long long have, want;
  switch (r->op) {
    case SELECT_EQUALS: return present && in_values(r, value);
    case SELECT_NOT_EQUALS: return !present || !in_values(r, value);
    case SELECT_EXISTS: return present;
    case SELECT_NOT_EXISTS: return !present;
    case SELECT_GREATER:
    case SELECT_LESS:
      if (!present || !slice_to_i64_go(value, &have) || !slice_to_i64_go(r->values[0], &want)) {
        return false;
      }
      return r->op == SELECT_GREATER ? have > want : have < want;
  }
  return false;
}

bool selector_match(arena *a, const selector *s, const resource_info *r, const val *obj) {
  const val *labels = val_path(obj, "metadata.labels");
  for (uint32_t i = 0; i < s->label_count; i++) {
    const val *v = val_get(labels, s->labels[i].key);
    if (!requirement_match(s->labels + i, v != NULL, val_str(v))) return false;
  }
  for (uint32_t i = 0; i < s->field_count; i++) {
    slice v = version_field_label_value(a, r, obj, s->fields[i].key);
    if (!requirement_match(s->fields + i, true, v)) return false;
  }
  return true;
}

static bool expression_match(const val *expr, const val *labels) {
  const val *have = val_get(labels, val_get_str(expr, "key"));
  const val *values = val_getc(expr, "values");
  slice op = val_get_str(expr, "operator");
  bool in = false;
  for (uint32_t i = 0; have && i < val_len(values); i++) {
    in = in || slice_eq(val_str(val_at(values, i)), val_str(have));
  }
  if (slice_is(op, "In")) return have && in;
  if (slice_is(op, "NotIn")) return !have || !in;
  if (slice_is(op, "Exists")) return have != NULL;
  if (slice_is(op, "DoesNotExist")) return have == NULL;
  return false;
}

bool label_selector_match(const val *label_selector, const val *labels) {
  if (!label_selector) return false;
  VAL_EACH(e, val_getc(label_selector, "matchLabels")) {
    const val *have = val_get(labels, e->key);
    if (!have || !val_equal(have, e->value)) return false;
  }
  const val *exprs = val_getc(label_selector, "matchExpressions");
  for (uint32_t i = 0; i < val_len(exprs); i++) {
    if (!expression_match(val_at(exprs, i), labels)) return false;
  }
  return true;
}

static size_t requirements_size(const requirement *r, uint32_t count) {
  size_t size = count * sizeof *r;
  for (uint32_t i = 0; i < count; i++) {
    size += r[i].key.len + r[i].value_count * sizeof(slice);
    for (uint32_t k = 0; k < r[i].value_count; k++) size += r[i].values[k].len;
  }
  return size;
}

/* Where the next texts go; texts are packed behind everything that needs alignment. */
typedef struct packer {
  char *aligned, *text;
} packer;

static slice pack_text(packer *p, slice s) {
  slice out = {p->text, s.len};
  if (s.len) memcpy(p->text, s.ptr, s.len);
  p->text += s.len;
  return out;
}

static requirement *pack_requirements(packer *p, const requirement *r, uint32_t count) {
  requirement *out = (requirement *)(void *)p->aligned;
  p->aligned += count * sizeof *out;
  for (uint32_t i = 0; i < count; i++) {
    slice *values = (slice *)(void *)p->aligned;
    p->aligned += r[i].value_count * sizeof *values;
    out[i] = (requirement){pack_text(p, r[i].key), r[i].op, r[i].value_count, values};
    for (uint32_t k = 0; k < r[i].value_count; k++) values[k] = pack_text(p, r[i].values[k]);
  }
  return out;
}

static size_t aligned_size(const requirement *r, uint32_t count) {
  size_t size = count * sizeof *r;
  for (uint32_t i = 0; i < count; i++) size += r[i].value_count * sizeof(slice);
  return size;
}

void selector_copy(const selector *from, selector *to, void **block) {
  *to = (selector){.label_count = from->label_count, .field_count = from->field_count};
  *block = NULL;
  if (selector_is_empty(from)) return;
  size_t size = requirements_size(from->labels, from->label_count) +
                requirements_size(from->fields,
                                  from->field_count) + from->name.len + from->namespace.len;
  char *start = heap_alloc(size);
  packer p = {start, start + aligned_size(from->labels, from->label_count) +
                         aligned_size(from->fields, from->field_count)};
  to->labels = pack_requirements(&p, from->labels, from->label_count);
  to->fields = pack_requirements(&p, from->fields, from->field_count);
  to->name = pack_text(&p, from->name);
  to->namespace = pack_text(&p, from->namespace);
  assert(p.text == start + size);
  *block = start;
}
