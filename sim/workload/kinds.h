/* kinds: the resources that the simulated clients work with, a row each. */
#ifndef APISIM_SIM_KINDS_H
#define APISIM_SIM_KINDS_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct kind_row {
  const char *root; /* "/api/v1", "/apis/apps/v1" */
  const char *resource, *kind, *api_version;
  const char *prefix; /* of its keys, up to the namespace or the name */
  bool namespaced;
  bool generation; /* metadata.generation follows the spec */
  bool by_annotations; /* and the annotations */
  bool no_blind_update; /* an update must name a version */
  const char *rest; /* members behind metadata; `$` stands for a number */
  const char *mark; /* what stands before that number in the answer; NULL: there is none */
} kind_row;

extern const kind_row kind_rows[];
extern const uint32_t kind_row_count;
/* Rows that the model follows in every run: the counter, the leases, the controllers' objects. */
#define KINDS_ALWAYS ((uint32_t)1 << KIND_CONFIGMAPS | (uint32_t)1 << KIND_LEASES | \
                      (uint32_t)1 << KIND_EVENTS)
#define KIND_CONFIGMAPS 0
#define KIND_LEASES 11
#define KIND_EVENTS 18
#define KINDS_DRAWN 18u /* the first rows: what the writers of a run may work with */

static inline uint32_t kind_index(const kind_row *k) { return (uint32_t)(k - kind_rows); }
/* The row whose keys begin so, among those of the bits; NULL. */
const kind_row *kind_of_key(slice key, uint32_t bits);
/* "/apis/apps/v1/namespaces/ns0/deployments", with "/NAME" where there is one. */
slice kind_path(arena *a, const kind_row *k, slice namespace, slice name);
slice kind_key(arena *a, const kind_row *k, slice namespace, slice name);
typedef struct kind_body {
  slice namespace, name, generate_name;
  char tier; /* a label; 0: none */
  uint32_t op;
  uint32_t number;
  slice finalizer;
} kind_body;
slice kind_object(arena *a, const kind_row *k, const kind_body *b);

#endif
