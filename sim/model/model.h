/* model: the smallest correct API store, and the judge of the others. It is told every commit in
 * order (key, revision, bytes) and keeps them all, so that the state at any revision, and what a
 * watch from any revision must say, can be looked up. No trees, no index, no compaction: lists of
 * versions a key, and the log.
 *
 * Bytes are the object's JSON as clients get it, with its resourceVersion inside. */
#ifndef APISIM_SIM_MODEL_H
#define APISIM_SIM_MODEL_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define NO_COMMIT UINT32_MAX
#define NO_KEY UINT32_MAX
#define NO_OP UINT32_MAX

typedef struct commit {
  int64_t revision;
  uint32_t key; /* NO_KEY: of a resource that nobody looks at */
  uint32_t prev; /* the key's commit before this one, or NO_COMMIT */
  uint32_t op; /* the client operation whose mark it carries, or NO_OP */
  bool deleted;
  char tier; /* the value of the label `tier`, one letter; 0: none */
  slice value; /* of a deletion: the last state with the deletion's revision */
} commit;

typedef struct model_key {
  slice text; /* "/registry/configmaps/ns0/a" */
  slice namespace, name;
  uint32_t kind; /* index of its kind_row */
  uint32_t last; /* newest commit, or NO_COMMIT */
} model_key;

typedef struct model {
  arena *arena;
  commit *commits; /* by order; the revisions rise, or stay where one has several changes */
  uint32_t count, cap;
  int64_t base; /* the revision before the first commit */
  int64_t newest;
  bool dense; /* commits[i].revision = base + 1 + i */
  model_key *keys;
  uint32_t key_count, key_cap;
  uint32_t *sorted; /* key ids in byte order */
  uint32_t *table; /* hash: id + 1 */
  uint32_t table_cap;
} model;

model *model_create(arena *a, int64_t base);
/* Forgets everything: the store behind it was lost and begins anew. */
void model_reset(model *m, int64_t base);
int64_t model_revision(const model *m);
/* The key's id, made where it is new. kind: what the caller knows it is. */
uint32_t model_key_id(model *m, slice text, uint32_t kind, bool make);
/* The next revision's commit; the bytes are copied. key NO_KEY: only the revision counts. */
const commit *model_commit(model *m, uint32_t key, bool deleted, slice value, uint32_t op);
/* One more change in the newest revision (an etcd lease takes all of its keys in one). */
const commit *model_commit_too(model *m, uint32_t key, bool deleted, slice value, uint32_t op);
/* The index of the first commit at that revision or behind it; m->count: there is none. */
uint32_t model_index(const model *m, int64_t revision);
/* The (first) change of a revision; NULL for a revision that is not there. */
const commit *model_at(const model *m, int64_t revision);
/* The next change of the same revision, or NULL. */
const commit *model_more(const model *m, const commit *c);
/* A backup was restored: what came behind revision `to` never was, and the next commit comes behind
 * `newest`. to: the newest revision: only the number jumps. */
void model_rewind(model *m, int64_t to, int64_t newest);
/* The newest commit of a key at or below a revision, or NULL; may be a deletion. */
const commit *model_version(const model *m, uint32_t key, int64_t revision); /* NO_KEY: NULL */
/* That commit if the key exists then, else NULL. */
const commit *model_state(const model *m, uint32_t key, int64_t revision);
const commit *model_prev(const model *m, const commit *c);

/* What somebody looks at. */
typedef struct view_filter {
  uint32_t kind;
  slice namespace; /* empty: all */
  slice name; /* a field selector on the name; empty: all */
  char tier; /* label selector tier=X; 0: all */
  bool not_tier; /* tier!=X */
} view_filter;

bool model_selects(const model *m, const view_filter *f, const commit *c);
/* Visits the keys that exist and are selected at a revision, in key order. */
typedef bool (*model_visit)(void *ctx, const commit *c);
void model_list(const model *m, const view_filter *f, int64_t revision, model_visit visit,
                void *ctx);

typedef enum transition { TRANSITION_NONE, TRANSITION_ADDED, TRANSITION_MODIFIED,
                          TRANSITION_DELETED } transition;
/* What a watch with that filter says about a commit. */
transition model_transition(const model *m, const view_filter *f, const commit *c);
/* The first commit from that index on that a watch with that filter tells of, or NULL. */
const commit *model_next(const model *m, const view_filter *f, uint32_t from, transition *t);

#endif
