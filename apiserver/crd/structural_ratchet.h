/* structural_ratchet: which old value a new one is compared with on an update, so that what was
 * wrong before and is unchanged is forgiven. Source: apiserver pkg/cel/common/equality.go,
 * apiextensions-apiserver pkg/apiserver/validation/ratcheting.go. */
#ifndef APISIM_CRD_STRUCTURAL_RATCHET_H
#define APISIM_CRD_STRUCTURAL_RATCHET_H

#include "crd/structural_internal.h"

/* A pair of values and the schema that says how their parts are paired. On the stack of who
 * walks. */
typedef struct ratchet {
  const structural *schema;
  const val *now, *old;
  bool changed; /* known to be: a part is */
  struct ratchet_key *keys; /* of a list of type map: the old one's, sorted; made on demand */
  uint32_t key_count;
} ratchet;

/* The pair of a member or an item. False: no old value belongs to it. */
bool ratchet_member(const ratchet *r, slice name, ratchet *out);
bool ratchet_item(arena *a, ratchet *r, uint32_t index, ratchet *out);
/* Is it as it was? Lists of type map may be in another order. */
bool ratchet_unchanged(arena *a, ratchet *r);

#endif
