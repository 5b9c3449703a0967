/* tally: what a run's clients did to objects, commit by commit: creates and deletes, values that
 * went back and forth, how many of a kind were alive at once. */
#ifndef APISIM_LIVE_TALLY_H
#define APISIM_LIVE_TALLY_H

#include "sim/live/live.h"

#include <jansson.h>

typedef struct tally {
  json_t *counts; /* key: [creates, deletes] */
  json_t *flaps; /* key: {"n": how often, "h1", "h2": the last two contents} */
  json_t *groups; /* what: [alive, most alive, "an example's key"] */
  json_t *of; /* key: the group of the object that is alive */
} tally;

void tally_init(tally *t);
void tally_dispose(tally *t);
void tally_commit(void *ctx, const live_commit *c);

typedef void (*tally_report)(void *ctx, const char *text);
/* Each calls back with a line for each violation. resources empty: all. */
void tally_compare_counts(const tally *expected, const tally *got, const strlist *resources,
                          tally_report fn, void *ctx);
void tally_check_flaps(const tally *expected, const tally *got, int64_t most, tally_report fn,
                       void *ctx);
void tally_check_duplicates(const tally *expected, const tally *got, const strlist *resources,
                            tally_report fn, void *ctx);

#endif
