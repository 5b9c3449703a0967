/* See accept.h. The parser keeps clauses in a fixed array: a header with more clauses than
 * that is not a client's. */
#include "route/accept.h"

#include <stdlib.h>

static const struct {
  const char *subtype;
  accept_form form;
} FORMS[] = {
    {"json", FORM_JSON},
    {"yaml", FORM_YAML},
    {"vnd.kubernetes.protobuf", FORM_PROTOBUF},
};

static double read_quality(slice s) {
  char text[32];
  if (s.len == 0 || s.len >= sizeof text) return 1.0;
  memcpy(text, s.ptr, s.len);
  text[s.len] = 0;
  char *end;
  double q = strtod(text, &end);
  return *end ? 1.0 : q;
}

static void read_param(slice text, accept_clause *c) {
  slice name, value;
  if (!slice_cut(text, '=', &name, &value)) return;
  name = slice_trim(name);
  value = slice_trim(value);
  if (slice_is(name, "q")) {
    c->quality = read_quality(value);
  } else if (c->param_count < ACCEPT_PARAMS_MAX) {
    c->params[c->param_count].name = name;
    c->params[c->param_count++].value = value;
  }
}

static bool read_clause(slice text, accept_clause *c) {
  slice part, rest;
  memset(c, 0, sizeof *c);
  c->quality = 1.0;
  bool more = slice_cut(text, ';', &part, &rest);
  part = slice_trim(part);
  if (!slice_cut(part, '/', &c->type, &c->subtype)) {
    if (!slice_is(part, "*")) return false;
    c->subtype = part;
  }
  c->type = slice_trim(c->type);
  c->subtype = slice_trim(c->subtype);
  while (more) {
    more = slice_cut(rest, ';', &part, &rest);
    read_param(part, c);
  }
  return true;
}

/* Should `a` stand before `b`? Quality first, then the more specific. */
static bool preferred(const accept_clause *a, const accept_clause *b) {
  if (a->quality != b->quality) return a->quality > b->quality;
  bool a_any = slice_is(a->type, "*"), b_any = slice_is(b->type, "*");
  if (a_any != b_any) return b_any;
  bool a_sub = slice_is(a->subtype, "*"), b_sub = slice_is(b->subtype, "*");
  return a_sub != b_sub && b_sub;
}

uint32_t accept_parse(slice header, accept_clause out[ACCEPT_CLAUSES_MAX]) {
  uint32_t count = 0;
  slice part, rest = header;
  bool more = header.len > 0;
  while (more && count < ACCEPT_CLAUSES_MAX) {
    more = slice_cut(rest, ',', &part, &rest);
    accept_clause c;
    if (!read_clause(part, &c)) continue;
    uint32_t at = count++;
    for (; at > 0 && preferred(&c, &out[at - 1]); at--) out[at] = out[at - 1];
    out[at] = c;
  }
  return count;
}

static slice param_of(const accept_clause *c, const char *name, bool *present) {
  for (uint32_t i = 0; i < c->param_count; i++) {
    if (slice_is(c->params[i].name, name)) {
      *present = true;
      return c->params[i].value;
    }
  }
  return SLICE_NONE;
}

/* Do the clause's parameters ask for what this endpoint can do? */
static bool params_allowed(const accept_clause *c, bool discovery) {
  bool converts = false, other = false;
  slice as = param_of(c, "as", &converts);
  slice group = param_of(c, "g", &converts);
  slice version = param_of(c, "v", &converts);
  if (param_of(c, "sv", &other).len > 0) return false;
  slice stream = param_of(c, "stream", &other);
  if (stream.len > 0 && !slice_is(stream, "watch")) return false;
  if (!discovery) return !converts;
  return slice_is(as, "APIGroupDiscoveryList") && slice_is(group, "apidiscovery.k8s.io") &&
         slice_is(version, "v2");
}

static bool clause_matches(const accept_clause *c, slice type, slice subtype) {
  if (slice_is(c->type, "*") && slice_is(c->subtype, "*")) return true;
  return slice_eq(c->type, type) && (slice_is(c->subtype, "*") || slice_eq(c->subtype, subtype));
}

bool accept_negotiate(slice header, bool discovery, accept_form *form, bool *pretty) {
  if (header.len == 0) {
    *form = FORM_JSON;
    return !discovery;
  }
  accept_clause clauses[ACCEPT_CLAUSES_MAX];
  uint32_t count = accept_parse(header, clauses);
  for (uint32_t i = 0; i < count; i++) {
    for (size_t f = 0; f < sizeof FORMS / sizeof *FORMS; f++) {
      if (!clause_matches(&clauses[i], SLICE_LIT("application"), slice_cstr(FORMS[f].subtype)) ||
          !params_allowed(&clauses[i], discovery)) {
        continue;
      }
      bool set = false;
      *form = FORMS[f].form;
      if (slice_is(param_of(&clauses[i], "pretty", &set), "1")) *pretty = true;
      return true;
    }
  }
  return false;
}

bool accept_restful(slice header, const char *const *produces, uint32_t count) {
  slice part, rest = header, type, params;
  bool more = true;
  if (header.len == 0) return true;
  while (more) {
    more = slice_cut(rest, ',', &part, &rest);
    slice_cut(part, ';', &type, &params);
    type = slice_trim(type);
    if (slice_is(type, "*/*")) return true;
    for (uint32_t i = 0; i < count; i++) {
      if (slice_is(type, produces[i])) return true;
    }
  }
  return false;
}

int accept_choose(slice header, const char *const *types, uint32_t count) {
  if (header.len == 0) return 0;
  accept_clause clauses[ACCEPT_CLAUSES_MAX];
  uint32_t found = accept_parse(header, clauses);
  for (uint32_t c = 0; c < found; c++) {
    for (uint32_t i = 0; i < count; i++) {
      slice type, subtype;
      slice_cut(slice_cstr(types[i]), '/', &type, &subtype);
      if (clause_matches(&clauses[c], type, subtype)) return (int)i;
    }
  }
  return -1;
}
