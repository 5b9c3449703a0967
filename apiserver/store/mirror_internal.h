/* mirror_internal: what the files of the mirror share.
 *   mirror.c         the table of functions, the end
 *   mirror_wait.c    waiting on fibers, calls to the remote
 *   mirror_feed.c    making the copy and keeping it
 *   mirror_write.c   guarded writes, leases
 *   mirror_read.c    consistent reads, views
 *   mirror_compact.c the compactor's protocol */
#ifndef APISIM_STORE_MIRROR_INTERNAL_H
#define APISIM_STORE_MIRROR_INTERNAL_H

#include "base/buf.h"
#include "store/lease.h"
#include "store/mirror.h"
#include "store/replica.h"

#define SECOND_NS ((int64_t)1000000000)
#define MILLI_NS ((int64_t)1000000)
#define MIRROR_CANCELLED INT64_MIN /* the deadline of a fiber whose client is gone */

typedef struct mirror mirror;

/* A fiber that waits. Lives on that fiber's stack. */
typedef struct mirror_wait {
  mirror *m;
  fiber *fiber;
  timer timer;
  store_result result;
  bool waiting;
  struct mirror_wait *next, *before; /* of all that wait */
  int64_t revision; /* waits for the copy to reach it; 0: for something else */
  struct question *question; /* waits for its answer */
} mirror_wait;

/* A call under way. `answer` is borrowed until the fiber waits again. */
typedef struct mirror_ask {
  mirror_wait wait;
  remote_call *call;
  const remote_answer *answer;
} mirror_ask;

/* What watchers are to see of a deletion that is under way. */
typedef struct mirror_final {
  struct mirror_final *next;
  slice key;
  int64_t guard;
  blob *value;
} mirror_final;

struct mirror {
  store base;
  remote *remote;
  env *env;
  timers *timers;
  fiber_pool *fibers;
  mirror_codec codec;
  char *prefix_bytes;
  slice prefix, remote_prefix;
  uint32_t past;
  replica *replica;
  bool ready; /* the copy is complete */
  bool suspect; /* the feed brought what can't follow from the copy: made anew */
  bool closing;
  void (*on_ready)(void *ctx);
  void *on_ready_ctx;
  mirror_wait *waits;

  remote_watch *feed;
  mirror_wait *feed_wait; /* the feed's fiber, while the watch is open */
  int64_t feed_compacted; /* the watch ended because of this compaction; 0: it did not */
  timer progress_timer;
  uint32_t syncs; /* fibers that wait for a revision that progress may bring */

  int64_t written; /* the revision of the write that returns just now */
  int64_t known; /* the newest revision that the remote has told of */
  int64_t answered_ns; /* when it last answered */
  bool probing, probe_failed;
  bool aged;
  int64_t age_ns, age_revision; /* of the latest round of dropping old history */

  struct question *question; /* for the current revision: under way */
  struct question *next_question; /* and who came too late for it */

  mirror_final *finals;
  lease_reuse lease;
  int64_t lease_reuse_s;
  timer compact_timer;
  int64_t compact_every_ns;
  int64_t compact_guard, compact_revision;
  buf problem;
  mirror_figures figures;
};

static inline mirror *mirror_of(store *s) { return (mirror *)s; }

/* ---- mirror_wait.c ---- */

/* Waits, on the fiber that runs now, until mirror_wake or `until` (monotonic; also the fiber's own
 * deadline): OK or what woke it; TIMEOUT when `until` came, CANCELLED. */
store_result mirror_wait_until(mirror *m, mirror_wait *w, int64_t until_ns);
/* Not from the fiber itself. Nothing for one that does not wait. */
void mirror_wake(mirror_wait *w, store_result result);
/* Waits for a while; OK when it is over. */
store_result mirror_pause(mirror *m, int64_t ns);
/* How long to wait before the next try: grows with `tries`. */
int64_t mirror_backoff(const mirror *m, uint32_t tries);
void mirror_cancel_all(mirror *m);

/* One call, until it is answered (OK; a->answer) or given up (TIMEOUT, CANCELLED). */
store_result mirror_ask_range(mirror *m, const remote_range *range, mirror_ask *a);
store_result mirror_ask_txn(mirror *m, const remote_txn *txn, mirror_ask *a);
store_result mirror_ask_compact(mirror *m, int64_t revision, mirror_ask *a);
store_result mirror_ask_lease(mirror *m, int64_t ttl_s, mirror_ask *a);
/* A range until it is answered by other than a broken connection. */
store_result mirror_range(mirror *m, const remote_range *range, mirror_ask *a);
/* The result of an answer as the store's; remembers its words. */
store_result mirror_result(mirror *m, const remote_answer *answer);
void mirror_set_problem(mirror *m, slice text);

/* ---- mirror_feed.c ---- */
void mirror_feed_start(mirror *m);
/* Ends the watch, so that the feed begins again. */
void mirror_feed_restart(mirror *m);
/* A key there and here; in `room`, which is emptied first, unless the prefixes are the same. */
slice mirror_key_out(const mirror *m, slice key, buf *room);
slice mirror_key_in(const mirror *m, slice key, buf *room);
slice mirror_remote_end(const mirror *m, buf *room);
/* One reference, the caller's. key: as here. */
store_entry *mirror_entry(mirror *m, slice key, const remote_kv *kv);
/* Waits until the copy has `revision`. TIMEOUT when it did not get there within `for_ns`.
 * foreign: it may be of a key outside the prefix, so that progress is asked for. */
store_result mirror_reach(mirror *m, int64_t revision, int64_t for_ns, bool foreign);
void mirror_wake_reached(mirror *m);

/* ---- mirror_write.c, mirror_read.c, mirror_compact.c: as store/backend.h ---- */
store_result mirror_create_key(store *s, slice key, blob *value, int64_t ttl_s, store_entry **out);
store_result mirror_update_key(store *s, slice key, int64_t expect_mod, blob *value, int64_t ttl_s,
                               store_entry **out);
store_result mirror_delete_key(store *s, slice key, int64_t expect_mod, blob *final,
                               store_entry **last);
store_result mirror_sync(store *s, int64_t *at);
store_result mirror_probe(store *s, int64_t for_ns);
store_result mirror_wait_revision(store *s, int64_t revision, int64_t for_ns);
store_result mirror_get(store *s, slice key, int64_t revision, store_entry **out);
store_result mirror_get_fresh(store *s, slice key, store_entry **out);
store_result mirror_view_open(store *s, int64_t revision, store_view **out);
void mirror_view_close(store_view *v);
store_result mirror_view_walk(store_view *v, slice start, slice end, store_visit visit, void *ctx);
uint64_t mirror_view_count(store_view *v, slice start, slice end);
void mirror_questions_end(mirror *m);
void mirror_compact(store *s, int64_t revision);
void mirror_compactor_start(mirror *m);
/* The remote has dropped what is below `revision`: so does the copy. */
void mirror_compacted_elsewhere(mirror *m, int64_t revision);

extern const store_backend mirror_backend;

#endif
