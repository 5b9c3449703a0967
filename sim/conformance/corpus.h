/* corpus: an official round-trip corpus, checked against the codecs.
 *
 * A case is one kind: GROUP.VERSION.KIND with its three files. A file of an older release may come
 * with KIND.after_roundtrip.FORMAT, what this release makes of it. Source of the layout:
 * k8s.io/api testdata. */
#ifndef APISIM_SIM_CONFORMANCE_CORPUS_H
#define APISIM_SIM_CONFORMANCE_CORPUS_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef enum corpus_outcome { CORPUS_PASSED, CORPUS_FAILED, CORPUS_UNKNOWN } corpus_outcome;

typedef struct corpus_case {
  slice name; /* "apps.v1.Deployment" */
  slice group; /* "apps"; "core" */
  corpus_outcome outcome; /* UNKNOWN: no table has the kind */
  bool served; /* the group's version is */
  slice problem; /* the first; empty when passed */
} corpus_case;

typedef struct corpus {
  arena *arena;
  uint32_t count, passed, failed, not_served; /* not_served: of all, whatever the outcome */
  corpus_case *cases; /* sorted by name */
} corpus;

/* Reads and checks. NULL when the folder cannot be read or holds no case. */
corpus *corpus_check(const char *folder);
/* A table by group, the failures, and one summary line. verbose: every case. */
void corpus_print(FILE *out, const corpus *c, bool verbose);
bool corpus_junit(const char *path, const corpus *c);
void corpus_destroy(corpus *c);

#endif
