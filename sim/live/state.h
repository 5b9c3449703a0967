/* state: what the store holds at a run's end, made comparable between runs. Masked are system
 * fields, times, allocated addresses and ports; uids and generated names are replaced by the
 * object they belong to, so that two runs that made the same things are equal. */
#ifndef APISIM_LIVE_STATE_H
#define APISIM_LIVE_STATE_H

#include "sim/live/plan.h"
#include "store/store.h"

#include <jansson.h>

typedef struct state_object {
  char *key; /* with a generated name as "web-*" */
  char *name; /* the real key */
  json_t *object; /* masked */
} state_object;

typedef struct live_state {
  state_object *items; /* sorted by key, then content */
  uint32_t count;
} live_state;

/* masks: paths below the object, "spec/replicas", with * for one step and ** for any number.
 * ignore: resources left out. */
void live_state_read(store *s, const strlist *masks, const strlist *ignore, live_state *out);
void live_state_free(live_state *s);

typedef struct state_difference {
  struct state_difference *next;
  char text[512];
  char mask[256]; /* "KEY PATH" of a field that differs; empty: an object too many or too few */
} state_difference;

/* NULL: equal. resources: only these (empty: all). skip: differences to leave out, by mask. */
state_difference *live_state_compare(const live_state *expected, const live_state *got,
                                     const strlist *resources, const state_difference *skip);
void state_difference_free(state_difference *d);

/* An object without what varies, for hashes: a new reference. name is replaced too. */
json_t *live_masked(const char *text, size_t len, bool without_name);
/* "web-*" for an object with a generated name, else its name. */
void live_name_of(const json_t *object, char *out, size_t size);

#endif
