/* remote: the asynchronous contract to a versioned key-value store elsewhere, with etcd v3's
 * semantics. store/mirror.c makes a store (store/store.h) of one; store/etcd/ is one over gRPC;
 * the simulator's world is another, with faults.
 *
 * Rules for both sides:
 * - One thread. A call never answers before it has returned: `done` and `event` come in later
 *   turns of the world, from the remote's own events or timers.
 * - Slices handed in are copied or sent before the call returns. Slices and arrays handed out
 *   live until the callback returns.
 * - Every call is answered exactly once, or cancelled. A remote has no deadlines of its own
 *   longer than its connections' health: who calls sets a timer and cancels.
 * - Calls may be under way together and are answered in any order. Of two writes, neither
 *   waits for the other.
 * - A callback may call anything of the remote but remote_destroy.
 *
 * What a remote must keep (etcd API guarantees; guarantees.md G1, G2):
 * - A txn that was answered OK is durable, took one revision, and is seen by every range that
 *   begins afterwards, on every client.
 * - Ranges at revision 0 are linearizable.
 * - A watch delivers every change behind its start in the order of revisions, each once, all of
 *   one revision in one call; PROGRESS at revision R says that everything up to R was delivered.
 *   What it can't keep it must end (COMPACTED or BROKEN): never a silent gap or repeat.
 * Source: etcd api/etcdserverpb/rpc.proto, apiserver pkg/storage/etcd3. */
#ifndef APISIM_STORE_REMOTE_H
#define APISIM_STORE_REMOTE_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum remote_result {
  REMOTE_OK,
  REMOTE_GUARD_FAILED, /* txn: the key's mod revision is another. Nothing was written */
  REMOTE_COMPACTED, /* the asked revision is below the oldest kept (or compacted already) */
  REMOTE_FUTURE, /* the asked revision is above the newest */
  REMOTE_TOO_LARGE, /* "etcdserver: request is too large". Nothing was written */
  REMOTE_NO_SPACE, /* "etcdserver: mvcc: database space exceeded". etcd applies the write that
                    * raises the alarm and refuses it all the same: it may have been written, and
                    * then comes as an event; the real server's answer to it is an error too */
  REMOTE_NO_LEASE, /* "etcdserver: requested lease not found". Nothing was written */
  REMOTE_DENIED, /* authentication or permission. Nothing was written */
  REMOTE_UNAVAILABLE, /* no server could be asked, or refused before trying: a txn was surely not
                       * and will never be applied */
  REMOTE_UNKNOWN, /* the connection broke, or the remote gave up, while it was under way: a txn may
                   * have been applied, or may still be. A range just failed */
  REMOTE_BAD_ANSWER, /* what came can't be understood; of a txn as UNKNOWN */
} remote_result;

/* A key at a revision. */
typedef struct remote_kv {
  slice key, value; /* value is empty where only keys were asked for */
  int64_t create_revision, mod_revision;
  int64_t version; /* writes since creation, from 1; of a deletion 0 */
  int64_t lease; /* 0: none */
} remote_kv;

/* What comes back. `revision` and what follows are filled for OK, and for GUARD_FAILED the key
 * as it is (kvs; count 0: it does not exist); else 0. */
typedef struct remote_answer {
  remote_result result;
  slice message; /* of an error: the remote's words, fit for a log and a Status */
  int64_t revision; /* the remote's newest when it answered; of a txn that wrote: the revision
                     * that it took */
  uint32_t count;
  const remote_kv *kvs; /* of a range: in key order */
  bool more; /* a range with a limit: there are more keys */
  uint64_t total; /* of a range: keys in it, whatever the limit */
  int64_t lease, ttl_s; /* of a grant */
} remote_answer;
typedef void (*remote_done)(void *ctx, const remote_answer *answer);

/* Under way; dead once answered or cancelled. */
typedef struct remote_call remote_call;

/* One guarded write of one key. */
typedef struct remote_txn {
  slice key;
  int64_t guard; /* the mod revision that the key must have; 0: it must not exist */
  bool remove; /* deletes it; else puts `value` */
  slice value;
  int64_t lease; /* that the key hangs on; 0: none */
} remote_txn;

/* Reads of [key, end): end empty: that key alone. */
typedef struct remote_range {
  slice key, end;
  int64_t revision; /* 0: the newest, linearizable; else that very state, or COMPACTED or FUTURE */
  uint32_t limit; /* keys at most; 0: all */
  bool keys_only; /* no values */
  bool count_only; /* no keys either: `total` alone */
} remote_range;

typedef enum remote_event_kind {
  REMOTE_EVENTS, /* changes, in the order of revisions */
  REMOTE_PROGRESS, /* nothing is missing up to `revision` */
  /* The end: the handle is dead when the callback returns, nothing more comes. */
  REMOTE_WATCH_COMPACTED, /* its next revision is compacted: `revision` is the oldest kept */
  REMOTE_WATCH_BROKEN, /* the connection broke, the server cancelled, or answered nonsense:
                        * open another from the next revision */
} remote_event_kind;

typedef struct remote_change {
  bool deleted; /* kv has the key and the deletion's revision */
  remote_kv kv;
  bool has_prev;
  remote_kv prev; /* the key before: not for its creation, nor where that is compacted */
} remote_change;

typedef struct remote_watch_event {
  remote_event_kind kind;
  int64_t revision; /* EVENTS: of the last change; else as told above; BROKEN: 0 */
  slice message; /* of an end */
  uint32_t count;
  const remote_change *changes;
} remote_watch_event;
typedef struct remote_watch remote_watch;
typedef void (*remote_on_event)(void *ctx, const remote_watch_event *event);

typedef struct remote_status {
  bool connected; /* the latest call that was answered at all, was by a living server */
  bool progress; /* remote_watch_progress can be trusted: not so for etcd before 3.4.31, 3.5.0 to
                  * 3.5.12, whose progress may overtake events (etcd #15220) */
  slice version; /* "3.6.4"; empty until it is known */
  slice endpoint; /* in use */
} remote_status;

typedef struct remote remote;
typedef struct remote_ops {
  remote_call *(*txn)(remote *r, const remote_txn *txn, remote_done done, void *ctx);
  remote_call *(*range)(remote *r, const remote_range *range, remote_done done, void *ctx);
  remote_call *(*compact)(remote *r, int64_t revision, remote_done done, void *ctx);
  remote_call *(*lease_grant)(remote *r, int64_t ttl_s, remote_done done, void *ctx);
  void (*cancel)(remote *r, remote_call *call);
  remote_watch *(*watch_open)(remote *r, slice key, slice end, int64_t from, remote_on_event event,
                              void *ctx);
  void (*watch_progress)(remote *r, remote_watch *w);
  void (*watch_close)(remote *r, remote_watch *w);
  void (*status)(const remote *r, remote_status *out);
  void (*destroy)(remote *r);
} remote_ops;
/* The first field of each implementation. */
struct remote {
  const remote_ops *ops;
};

static inline remote_call *remote_put_txn(remote *r, const remote_txn *txn, remote_done done,
                                          void *ctx) {
  return r->ops->txn(r, txn, done, ctx);
}
static inline remote_call *remote_get_range(remote *r, const remote_range *range,
                                            remote_done done, void *ctx) {
  return r->ops->range(r, range, done, ctx);
}
/* Drops what is older than `revision`; OK when that is done or scheduled. */
static inline remote_call *remote_compact(remote *r, int64_t revision, remote_done done,
                                          void *ctx) {
  return r->ops->compact(r, revision, done, ctx);
}
/* A new lease: its keys go when it ends, ttl_s seconds from now, or later. */
static inline remote_call *remote_lease_grant(remote *r, int64_t ttl_s, remote_done done,
                                              void *ctx) {
  return r->ops->lease_grant(r, ttl_s, done, ctx);
}
/* `done` is not called any more. What was under way may still be applied. NULL is fine. */
static inline void remote_cancel(remote *r, remote_call *call) {
  if (call) r->ops->cancel(r, call);
}
/* Changes of [key, end) with a revision of `from` or later (which may lie in the future), each
 * with the key before it. */
static inline remote_watch *remote_watch_open(remote *r, slice key, slice end, int64_t from,
                                              remote_on_event event, void *ctx) {
  return r->ops->watch_open(r, key, end, from, event, ctx);
}
/* Asks for a PROGRESS soon; may be lost. */
static inline void remote_watch_progress(remote *r, remote_watch *w) {
  r->ops->watch_progress(r, w);
}
/* Nothing comes any more; also allowed in its own callback. NULL is fine. */
static inline void remote_watch_close(remote *r, remote_watch *w) {
  if (w) r->ops->watch_close(r, w);
}
static inline void remote_status_read(const remote *r, remote_status *out) {
  r->ops->status(r, out);
}
/* Ends calls and watches without a callback. NULL is fine. */
static inline void remote_destroy(remote *r) {
  if (r) r->ops->destroy(r);
}

#endif
