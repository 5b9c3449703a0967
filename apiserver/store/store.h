/* store: the contract between the server and what keeps its objects.
 *
 * Keys are bytes ("/registry/pods/default/web"); values are stored encodings. One
 * revision counter for everything; every successful write takes the next one.
 * Sources: etcd API guarantees, apiserver pkg/storage/interfaces.go (Interface).
 *
 * An entry is immutable: a write makes a new one. The store is the only owner of
 * order; callers may hold references to entries as long as they like.
 *
 * A store is a table of functions (store/backend.h): store_memory_create makes the embedded one,
 * which never waits; store/mirror.h keeps a copy of a store elsewhere. There a call may suspend
 * the fiber that it is called on (base/fiber.h) and other requests run in between; those that may
 * are marked "waits". Each ends by the fiber's deadline, or by store_cancel. */
#ifndef APISIM_STORE_STORE_H
#define APISIM_STORE_STORE_H

#include "base/blob.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct store store;

/* A key at a revision. `value` is the object's JSON in its storage version, with its
 * resourceVersion inside; `forms` caches other encodings of the same object (protobuf,
 * watch frames...), made by who needs them first, freed with the entry. */
typedef struct store_entry {
  uint32_t refs;
  int64_t create_revision, mod_revision;
  int64_t version; /* writes since creation, from 1 */
  int64_t lease; /* that an etcd client hung it on; 0: none */
  blob *value;
  struct store_form *forms; /* see store_form below */
  /* A store elsewhere keeps it in a form that a write would not make now (another encryption key):
   * a write of the same value is no empty one. */
  bool stale;
  uint32_t key_len;
  char key[];
} store_entry;

/* An encoding kept with an entry. `id` is the codec's business. */
typedef struct store_form {
  struct store_form *next;
  uint64_t id;
  blob *bytes;
} store_form;

/* Why the entry's bytes could not be read where they are kept: its value is a NUL and then this;
 * SLICE_NONE for all others. */
static inline slice store_entry_damage(const store_entry *e) {
  bool damaged = e->value->len > 0 && e->value->data[0] == '\0';
  return damaged ? (slice){e->value->data + 1, e->value->len - 1} : SLICE_NONE;
}

store_entry *store_entry_ref(store_entry *e);
void store_entry_unref(store_entry *e);
static inline slice store_entry_key(const store_entry *e) { return (slice){e->key, e->key_len}; }
/* The cached form, borrowed, or NULL. */
blob *store_entry_form(const store_entry *e, uint64_t id);
/* Keeps one more; takes a reference of its own. */
void store_entry_add_form(store_entry *e, uint64_t id, blob *bytes);

typedef enum store_result {
  STORE_OK,
  STORE_EXISTS, /* create: the key has a value */
  STORE_NOT_FOUND,
  STORE_CONFLICT, /* the expected revision is not the current one */
  STORE_COMPACTED, /* the asked revision is below the oldest kept */
  STORE_FUTURE, /* the asked revision is above the current */
  STORE_TOO_LARGE, /* value over the limit: "etcdserver: request is too large" */
  STORE_UNAVAILABLE, /* it can't be asked; surely nothing was written */
  STORE_UNKNOWN, /* the write may or may not have happened */
  STORE_NO_SPACE, /* "etcdserver: mvcc: database space exceeded" */
  STORE_TIMEOUT, /* the deadline passed; a write may or may not have happened */
  STORE_CANCELLED, /* the client is gone; as TIMEOUT, and nobody needs an answer */
  STORE_NOT_READY, /* the copy is not made yet, or made anew: come back later */
} store_result;

/* Whether calls may wait: then requests run on fibers. */
bool store_waits(const store *s);
/* Of the latest call that failed, until the next call: its cause in the words of who said it
 * ("etcdserver: no leader"), for the answer; empty: there is nothing to say. */
slice store_problem(const store *s);
/* Whether the store can serve; *why (static): what /readyz says if not. */
bool store_is_ready(const store *s, slice *why);

/* The revision a write in this turn would get: memory backends know it, so the object's
 * bytes can carry it. (An etcd backend stores no resourceVersion and adds it on reading.) */
int64_t store_next_revision(const store *s);
int64_t store_revision(const store *s);
int64_t store_compacted(const store *s);

/* Waits. What a read without a version begins with. After OK all that was written anywhere before
 * the call began is read here, at revision 0; or, if *at (may be NULL) is not 0, in a view of that
 * revision, which asks the store elsewhere: the copy did not get there within 3 seconds.
 * NOT_READY, UNAVAILABLE, TIMEOUT, CANCELLED; the embedded store always says OK. */
store_result store_sync(store *s, int64_t *at);

/* Waits. Asks the store elsewhere for a key, again and again for for_ns: OK once it answers,
 * TIMEOUT, CANCELLED, or what it answered. The embedded store always says OK. */
store_result store_probe(store *s, int64_t for_ns);

/* Waits until the copy has reached `revision`: OK, or TIMEOUT after for_ns, CANCELLED. The embedded
 * store does not wait: TIMEOUT for what it has not reached. */
store_result store_wait_revision(store *s, int64_t revision, int64_t for_ns);

/* Writes; wait. Only STORE_OK surely changes anything; then *out (if asked for) is a new reference
 * to the new entry. `value`: the store takes a reference of its own. expect_mod: the mod_revision
 * that the caller saw. */
store_result store_create(store *s, slice key, blob *value, store_entry **out);
/* The same, and the key goes by itself no earlier than ttl_s seconds from now (0: stays). */
store_result store_create_ttl(store *s, slice key, blob *value, int64_t ttl_s, store_entry **out);
store_result store_update_ttl(store *s, slice key, int64_t expect_mod, blob *value, int64_t ttl_s,
                              store_entry **out);
store_result store_update(store *s, slice key, int64_t expect_mod, blob *value, store_entry **out);
/* The deleted entry's last value is given back (*last); `final` (or NULL) is what watchers
 * see as the object of the DELETED event (with the deletion's resourceVersion inside). The
 * tombstone has version 0; without `final` its value is the last one. */
store_result store_delete(store *s, slice key, int64_t expect_mod, blob *final,
                          store_entry **last);

/* The revision that the latest successful write took; until the next call. */
int64_t store_written(const store *s);

/* Reads what is here (after store_sync: what is everywhere), without waiting; *out is a new
 * reference, NULL when there is none. revision 0 is the current one. A revision before the first
 * is the empty store until something is compacted. */
store_result store_get(store *s, slice key, int64_t revision, store_entry **out);

/* Waits. The key as it is everywhere now; a store elsewhere is asked. */
store_result store_get_fresh(store *s, slice key, store_entry **out);

/* A consistent view at one revision; cheap to make, keeps its root alive (also over later
 * compactions, and over the store's end). Opening, walking and counting a revision that is no
 * longer here but still is elsewhere waits. */
typedef struct store_view store_view;
store_result store_view_open(store *s, int64_t revision, store_view **out);
void store_view_close(store_view *v);
int64_t store_view_revision(const store_view *v);
/* Walks keys in [start, end) in byte order; the callback returns false to stop. Entries are
 * borrowed until the view is closed. end empty: no upper end. Not STORE_OK: the walk broke off. */
typedef bool (*store_visit)(void *ctx, store_entry *e);
store_result store_view_walk(store_view *v, slice start, slice end, store_visit visit, void *ctx);
/* Keys in [start, end): O(log n). */
uint64_t store_view_count(store_view *v, slice start, slice end);

/* Watching. An event goes to shorter prefixes first, then in order of opening.
 * Events come in revision order, each once, synchronously with the write that
 * made them (the callback must not write). From revision R: everything behind R.
 * prev is the entry before the event (NULL for the first write of a key); entry is the new
 * one, for a deletion the tombstone that carries `final` and the deletion's revision. */
typedef struct store_event {
  bool deleted;
  store_entry *entry;
  store_entry *prev;
  int64_t revision;
} store_event;
typedef struct store_watch store_watch;
typedef void (*store_on_event)(void *ctx, const store_event *ev);
/* Catching up calls back before this returns, with *out set already; *out is NULL when the
 * callback closed the watch. STORE_COMPACTED when `from` is below the compacted revision.
 * A `from` above the current revision waits for it. prefix bounds the keys. */
store_result store_watch_open(store *s, slice prefix, int64_t from, store_on_event fn, void *ctx,
                              store_watch **out);
/* `ended`: called, once and outside of any other callback, when the store has lost the history
 * that the watch needs (its copy had to be made anew): nothing comes any more, close it. Without
 * one the watch is silent from then on. The embedded store never does this. */
void store_watch_on_end(store_watch *w, void (*ended)(void *ctx));
/* May be called inside its own callback, which is then the last; NULL is fine. Also after
 * store_destroy. */
void store_watch_close(store_watch *w);

/* Drops the log up to `revision` (inclusive; one above the current means the current): views
 * of older revisions and watches from them get STORE_COMPACTED, `revision` itself still reads. */
void store_compact(store *s, int64_t revision);
/* Compacts by age as the real server's defaults do (every 5 minutes what is older than 5
 * minutes); call it about once a second: a long history goes in steps. */
void store_tick(store *s, int64_t mono_ns);
/* Bytes held beyond the values themselves, for the figures. */
size_t store_overhead(const store *s);
/* The client of what waits on that fiber is gone: its call returns CANCELLED, now. Nothing happens
 * to a fiber that does not wait here. */
struct fiber;
void store_cancel(store *s, struct fiber *f);
/* What waits in it returns CANCELLED. NULL is fine. */
void store_destroy(store *s);

/* The embedded backend: a copy-on-write B-tree, a root a revision. first_revision: the
 * revision that the empty store has, above 0 (etcd starts at 1). */
store *store_memory_create(int64_t first_revision);
/* How much history it keeps at most between the timer's compactions: revisions, and bytes of
 * replaced objects (2^18 and 256 MiB unless told). Trimmed by the write that passes it. */
void store_memory_window(store *s, uint64_t events, size_t bytes);

/* Whether s is one: what follows is for no other. */
bool store_is_memory(const store *s);

/* Several changes at one revision, as etcd's transactions make them. Between begin and commit reads
 * of revision 0 see what is done already, nothing else may write, and watchers hear nothing; commit
 * tells them, in the order of the changes. A key changes at most once. Guards, limits and leases
 * are the caller's business. */
void store_memory_begin(store *s);
/* The new entry, borrowed until the commit; forms may be added. A lease is of store_memory_leases,
 * or gone already. */
store_entry *store_memory_put(store *s, slice key, blob *value, int64_t lease);
/* False: there is no such key. final as in store_delete. */
bool store_memory_remove(store *s, slice key, blob *final);
/* The revision that it took; without changes the newest one. */
int64_t store_memory_commit(store *s);

/* Leases: keys hang on them, and go with them. The table is the store's (store/lease.h): who adds
 * a lease or makes one last longer does it there; keys come and go by writes alone. */
struct lease_table;
struct lease;
struct lease_table *store_memory_leases(store *s);
/* For store_create_ttl and store_update_ttl, which without it keep for ever. Borrowed clock. */
typedef struct store_leasing {
  const int64_t *now_ns; /* the monotonic clock */
  int64_t reuse_s; /* as mirror_options' */
  /* What watchers see as the last of an entry whose lease has ended; NULL: what it was. */
  blob *(*final)(const store_entry *e, int64_t revision);
} store_leasing;
void store_memory_leasing(store *s, const store_leasing *l);
/* Ends a lease: its keys go in order, at one revision. */
void store_memory_revoke(store *s, struct lease *l);
/* Revokes what has ended; store_tick does it too. A thousand leases that end at once go in several
 * ticks. */
void store_memory_expire(store *s, int64_t now_ns);

/* What changed at the compacted revision itself: the log has dropped it, but etcd's watches may
 * begin there. */
void store_memory_at_compaction(store *s, store_on_event fn, void *ctx);

/* Replaces all objects by the rows that `next` gives (false: no more), in ascending order of keys;
 * copied. The revision is the given one, above 0, and nothing below it can be read. Watches as in
 * store_memory_restore. */
typedef struct store_row {
  slice key, value;
  int64_t create_revision, mod_revision, version;
  int64_t ttl_s; /* goes by itself so long after the load; 0: stays */
} store_row;
void store_memory_load(store *s, int64_t revision, bool (*next)(void *ctx, store_row *row),
                       void *ctx);

/* All of an embedded store's state as a value: objects, history, revision. Taken and put back
 * without copying an object (some microseconds, and eight bytes for 256 revisions of history).
 * Restoring tells no watch anything and closes none: a watch goes on behind the revision that it
 * was opened at, so its owner has to decide what that means to its client. */
typedef struct store_checkpoint store_checkpoint;
store_checkpoint *store_memory_checkpoint(store *s);
int64_t store_checkpoint_revision(const store_checkpoint *c);
void store_memory_restore(store *s, const store_checkpoint *c); /* of s itself; c stays */
void store_checkpoint_free(store_checkpoint *c); /* NULL is fine; also after the store's end */

#endif
