/* goautoneg's reading: clauses that are malformed are passed over. The sort is Go's insertion sort
 * up to a dozen clauses, because the order that the real one gives to equal and to contradicting
 * clauses shows. */
#include "codec/accept.h"

#include <stdlib.h>

#define GO_INSERTION_MAX 12u
#define CLAUSES_MAX 4096u

static slice trim_spaces(slice s) {
  while (s.len && *s.ptr == ' ') s = slice_from(s, 1);
  while (s.len && s.ptr[s.len - 1] == ' ') s.len--;
  return s;
}

/* One "name=value" of a clause; false for what goautoneg passes over. */
static bool param_next(slice *rest, slice *name, slice *value, slice *raw) {
  slice part, more;
  slice_cut(*rest, ';', &part, rest);
  if (!slice_cut(part, '=', name, value) || value->len == 0) return false;
  *raw = *value;
  if (slice_cut(*value, '=', raw, &more) && more.len) return false;
  *name = trim_spaces(*name);
  *value = trim_spaces(*raw);
  return true;
}

static double quality_of(arena *a, slice text) {
  char *end, *copy = arena_cstr(a, text);
  double q = strtod(copy, &end);
  bool bad = end == copy || *end || (unsigned char)*copy <= ' '; /* strtod passes over spaces */
  return bad ? 0 : q;
}

static bool clause_parse(arena *a, slice part, accept_clause *c) {
  slice media, type, rest, name, value, raw, subtype, more;
  slice_cut(trim_spaces(part), ';', &media, &c->params);
  slice_cut(media, '/', &type, &rest);
  c->type = trim_spaces(type);
  c->q = 1;
  if (rest.len == 0) {
    c->subtype = SLICE_LIT("*");
    if (!slice_is(c->type, "*")) return false;
  } else {
    slice_cut(rest, '/', &subtype, &more);
    if (more.len) return false;
    c->subtype = trim_spaces(subtype);
  }
  for (rest = c->params; rest.len;) {
    if (param_next(&rest, &name, &value, &raw) && slice_is(name, "q")) c->q = quality_of(a, raw);
  }
  return true;
}

static bool goes_before(const accept_clause *x, const accept_clause *y) {
  if (x->q > y->q) return true;
  if (!slice_is(x->type, "*") && slice_is(y->type, "*")) return true;
  return !slice_is(x->subtype, "*") && slice_is(y->subtype, "*");
}

static int clause_cmp(const void *x, const void *y) {
  const accept_clause *a = x, *b = y;
  if (a->q != b->q) return a->q > b->q ? -1 : 1;
  int wild = slice_is(a->type, "*") - slice_is(b->type, "*");
  if (wild == 0) wild = slice_is(a->subtype, "*") - slice_is(b->subtype, "*");
  return wild ? wild : (a->at > b->at) - (a->at < b->at);
}

static void clauses_sort(accept_clause *c, uint32_t count) {
  if (count > GO_INSERTION_MAX) {
    qsort(c, count, sizeof *c, clause_cmp);
    return;
  }
  for (uint32_t i = 1; i < count; i++) {
    for (uint32_t j = i; j > 0 && goes_before(&c[j], &c[j - 1]); j--) {
      accept_clause swap = c[j];
      c[j] = c[j - 1];
      c[j - 1] = swap;
    }
  }
}

const accept_clause *accept_clauses(arena *a, slice accept, uint32_t *count) {
  uint32_t most = 1;
  for (size_t i = 0; i < accept.len && most < CLAUSES_MAX; i++) most += accept.ptr[i] == ',';
  accept_clause *list = ARENA_ARRAY(a, accept_clause, most);
  *count = 0;
  while (accept.len && *count < most) {
    slice part;
    slice_cut(accept, ',', &part, &accept);
    accept_clause c = {.at = *count};
    if (clause_parse(a, part, &c)) list[(*count)++] = c;
  }
  clauses_sort(list, *count);
  return list;
}

/* A later parameter of the same name wins. */
accept_params accept_params_of(const accept_clause *c) {
  accept_params p = {0};
  slice rest = c->params, name, value, raw;
  while (rest.len) {
    if (!param_next(&rest, &name, &value, &raw)) continue;
    if (slice_is(name, "as")) p.as = value;
    else if (slice_is(name, "g")) p.group = value;
    else if (slice_is(name, "v")) p.version = value;
    else if (slice_is(name, "stream")) p.stream = value;
    else if (slice_is(name, "sv")) p.server_version = value;
    else if (slice_is(name, "pretty")) p.pretty = slice_is(value, "1");
    if (slice_is(name, "as") || slice_is(name, "g") || slice_is(name, "v")) p.converts = true;
  }
  return p;
}

bool accept_fits(const accept_clause *c, slice type, slice subtype) {
  if (slice_is(c->type, "*") && slice_is(c->subtype, "*")) return true;
  return slice_eq(c->type, type) && (slice_is(c->subtype, "*") || slice_eq(c->subtype, subtype));
}

bool accept_routed(slice header, const char *const *names, size_t count, bool any) {
  slice part, media, params;
  if (any && header.len == 0) return true;
  do {
    slice_cut(header, ',', &part, &header);
    slice_cut(part, ';', &media, &params);
    media = trim_spaces(media);
    if (any && slice_is(media, "*/*")) return true;
    for (size_t i = 0; i < count; i++) {
      if (slice_is(media, names[i])) return true;
    }
  } while (header.len);
  return false;
}
