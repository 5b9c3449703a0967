/* mirror: a store (store/store.h) that keeps a copy of a versioned store elsewhere
 * (store/remote.h).
 *
 * Lists, watches, look-ups and versions inside its window are served from the copy, a copy-on-write
 * tree at the remote's own revisions which ONE watch over the prefix feeds: it is the watch cache.
 *   - A write is a guarded transaction. When its outcome is not known it is sent again: the guard
 *     lets it happen only once, and if the guard fails the copy's history says who used it up.
 *     When it was answered, the caller waits until the copy has it: who wrote reads it everywhere.
 *   - store_sync asks for the remote's revision and waits until the copy has it (3 s, then reads
 *     go to the remote itself). Several that wait share a question.
 *   - What is older than the copy's window is read from the remote.
 *   - The feed resumes where it broke off. Where the remote has compacted that, the copy is made
 *     anew, and every open watch ends (store_watch_on_end).
 *   - While the remote can't be reached calls are tried again until their fiber's deadline.
 * Source of the rules: apiserver pkg/storage/etcd3 (store.go, compact.go, lease_manager.go) and
 * pkg/storage/cacher. */
#ifndef APISIM_STORE_MIRROR_H
#define APISIM_STORE_MIRROR_H

#include "base/fiber.h"
#include "base/timers.h"
#include "env/env.h"
#include "store/remote.h"
#include "store/store.h"

/* Between an entry's value (JSON with its resourceVersion) and what the remote keeps. Each gives
 * one reference, the caller's; NULL: it can't be done, and *problem (borrowed until the next call,
 * or static) says why. An entry whose bytes can't be read is damaged: see store_entry_damage. */
typedef struct mirror_codec {
  void *ctx;
  blob *(*encode)(void *ctx, slice key, blob *value, slice *problem);
  /* *stale is false when called: see store_entry. */
  blob *(*decode)(void *ctx, slice key, slice stored, int64_t mod_revision, bool *stale,
                  slice *problem);
  /* The same value at another revision. */
  blob *(*revise)(void *ctx, blob *value, int64_t mod_revision);
} mirror_codec;

typedef struct mirror_options {
  remote *remote; /* taken over: destroyed with the store */
  env *env; /* clock and log */
  timers *timers;
  fiber_pool *fibers;
  slice prefix; /* of every key here: "/registry/" */
  slice remote_prefix; /* what stands for it there, ending with '/'; empty: the same */
  const mirror_codec *codec; /* borrowed; NULL: what is stored is the value */
  int64_t lease_reuse_s; /* --lease-reuse-duration-seconds; 0: the default, below: none */
  int64_t compact_every_ns; /* --etcd-compaction-interval; 0: others compact */
  uint32_t past; /* revisions of history to read back at the start, where they are still there and
                  * the remote's progress can be trusted: watches that another server, or this one
                  * before its restart, served go on without a new list */
} mirror_options;

/* Begins to read at once; store_is_ready says when the copy is complete. */
store *mirror_create(const mirror_options *o);
/* Called once, when the copy is complete for the first time, on a fiber of its own. */
void mirror_on_ready(store *s, void (*ready)(void *ctx), void *ctx);

/* Another form is wanted of what is kept: writes of the same value to these keys are due. */
void mirror_mark_stale(store *s, bool (*which)(void *ctx, slice key), void *ctx);

/* For tests and figures. */
typedef struct mirror_figures {
  uint64_t lists; /* times that the copy was made */
  uint64_t watches; /* opened */
  uint64_t retries; /* of calls that were not answered */
  uint64_t decided; /* writes of unknown outcome that were found out */
  uint64_t questions; /* for the current revision */
  uint64_t leases;
  int64_t compacted; /* the newest revision that this or another server's compactor dropped */
} mirror_figures;
mirror_figures mirror_figures_read(const store *s);

#endif
