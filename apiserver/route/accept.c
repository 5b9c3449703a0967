/* Documents have no table form; only discovery has a transformation, the aggregated list. */
#include "route/accept.h"

static const struct {
  const char *subtype;
  body_format form;
} forms[] = {
    {"json", FORMAT_JSON},
    {"yaml", FORMAT_YAML},
    {"vnd.kubernetes.protobuf", FORMAT_PROTOBUF},
    {"cbor", FORMAT_CBOR}, /* last: not everywhere */
};

/* Do the clause's parameters ask for what this endpoint can do? */
static bool params_allowed(const accept_params *p, bool discovery) {
  if (p->server_version.len > 0) return false;
  if (p->stream.len > 0 && !slice_is(p->stream, "watch")) return false;
  if (!discovery) return !p->converts;
  return slice_is(p->as, "APIGroupDiscoveryList") && slice_is(p->version, "v2") &&
         slice_is(p->group, "apidiscovery.k8s.io");
}

bool accept_document(arena *a, slice header, bool discovery, bool cbor, body_format *form,
                     bool *pretty) {
  uint32_t count;
  size_t known = sizeof forms / sizeof *forms - !cbor;
  if (header.len == 0) {
    *form = FORMAT_JSON;
    return !discovery;
  }
  const accept_clause *clauses = accept_clauses(a, header, &count);
  for (uint32_t i = 0; i < count; i++) {
    accept_params p = accept_params_of(&clauses[i]);
    for (size_t f = 0; f < known; f++) {
      slice subtype = slice_cstr(forms[f].subtype);
      if (!accept_fits(&clauses[i], SLICE_LIT("application"), subtype)) continue;
      if (!params_allowed(&p, discovery)) continue;
      *form = forms[f].form;
      *pretty = *pretty || p.pretty;
      return true;
    }
  }
  return false;
}

/* The documents' own reading of a clause: "*" in either half. */
static bool fits_half(slice asked, slice half) {
  return slice_is(asked, "*") || slice_eq(asked, half);
}

int accept_choose(arena *a, slice header, const char *const *types, uint32_t count) {
  if (header.len == 0) return 0;
  uint32_t found;
  const accept_clause *clauses = accept_clauses(a, header, &found);
  for (uint32_t c = 0; c < found; c++) {
    for (uint32_t i = 0; i < count; i++) {
      slice type, subtype;
      slice_cut(slice_cstr(types[i]), '/', &type, &subtype);
      bool fits = fits_half(clauses[c].type, type) && fits_half(clauses[c].subtype, subtype);
      if (fits) return (int)i;
    }
  }
  return found ? -1 : ACCEPT_NO_CLAUSE;
}
