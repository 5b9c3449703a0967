/* accept: which form of a document a request wants.
 *
 * Three rules, because the real server has three places that look at Accept:
 *  - negotiated handlers read clauses, qualities and parameters (apiserver
 *    pkg/endpoints/handlers/negotiation, munnerlyn goautoneg);
 *  - routed ones are filtered before by a plainer rule (emicklei go-restful: exact type or
 *    "*" "/" "*", parameters ignored);
 *  - OpenAPI's pick the best of a list of types (kube-openapi pkg/handler). */
#ifndef APISIM_ROUTE_ACCEPT_H
#define APISIM_ROUTE_ACCEPT_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define ACCEPT_CLAUSES_MAX 32 /* clauses behind the 32nd are not looked at */
#define ACCEPT_PARAMS_MAX 8

typedef enum accept_form { FORM_JSON, FORM_YAML, FORM_PROTOBUF } accept_form;

typedef struct accept_clause {
  slice type, subtype;
  double quality;
  uint32_t param_count;
  struct accept_param {
    slice name, value;
  } params[ACCEPT_PARAMS_MAX];
} accept_clause;

/* Clauses in order of preference; borrows `header`. Returns their number. */
uint32_t accept_parse(slice header, accept_clause out[ACCEPT_CLAUSES_MAX]);

/* The form of a document that can't be transformed, or (discovery) of the aggregated list
 * only. False: nothing acceptable. An empty header accepts JSON. *pretty is set by the
 * clause's pretty=1 and left alone otherwise. */
bool accept_negotiate(slice header, bool discovery, accept_form *form, bool *pretty);

/* go-restful's filter; `produces` are full types. An empty header passes. */
bool accept_restful(slice header, const char *const *produces, uint32_t count);

/* Index of the first clause's match among `types`, or -1. An empty header takes 0. */
int accept_choose(slice header, const char *const *types, uint32_t count);

#endif
