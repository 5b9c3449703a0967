/* accept: the clauses of an Accept header, in the order in which they are tried. What can meet one
 * is decided by who asks: media.c for objects, route/accept.c for documents.
 *
 * Sources: munnerz/goautoneg; emicklei/go-restful detectRoute. Linear in the header but for the
 * sort. */
#ifndef APISIM_CODEC_ACCEPT_H
#define APISIM_CODEC_ACCEPT_H

#include "base/arena.h"

#include <stdbool.h>

typedef struct accept_clause {
  slice type, subtype; /* "*" for any */
  slice params; /* the text behind the first ';' */
  double q;
  uint32_t at; /* its place in the header */
} accept_clause;

/* The parameters that Kubernetes knows; a later one of the same name wins. */
typedef struct accept_params {
  bool converts; /* as, g or v is there */
  bool pretty;
  slice as, group, version, stream, server_version;
} accept_params;

/* The clauses, best first; they borrow the header. */
const accept_clause *accept_clauses(arena *a, slice header, uint32_t *count);
accept_params accept_params_of(const accept_clause *c);
/* Does the clause, its parameters aside, take this type? */
bool accept_fits(const accept_clause *c, slice type, slice subtype);

/* The router's plainer rule for Accept and Content-Type: the whole type without parameters is one
 * of `types`. any: the header takes wildcards, of which only the full one counts, and may be
 * empty. */
bool accept_routed(slice header, const char *const *types, size_t count, bool any);

#endif
