/* replica: the local side of a store elsewhere: the newest tree that is known, how it came to be,
 * and who watches. It knows nothing of the other store; store/mirror.c feeds it.
 *
 * Revisions are the other store's. What is readable: base_revision to newest. */
#ifndef APISIM_STORE_REPLICA_H
#define APISIM_STORE_REPLICA_H

#include "store/backend.h"
#include "store/history.h"
#include "store/watch_index.h"

#define REPLICA_RECENT 8

typedef struct replica_watch replica_watch;

typedef struct replica {
  uint32_t refs; /* the owner's, one a view, one a watch */
  bool delivering;
  tree_heap heap;
  tree_node *root;
  history history;
  int64_t newest;
  watch_index watches;
  replica_watch *first;
  replica_watch **due; /* who gets the event at hand */
  size_t due_count, due_cap;
  struct {
    tree_node *root;
    int64_t revision;
  } recent[REPLICA_RECENT]; /* roots of the latest lists: their next pages come soon */
  uint32_t recent_next;
  uint64_t window_changes; /* history beyond these is dropped */
  size_t window_bytes;
} replica;

replica *replica_create(void);
/* Watches stay valid to be closed, views to be read. */
void replica_destroy(replica *r);

/* Begins anew with this tree at this revision (takes the root over). Every watch is told that it
 * has ended. */
void replica_replace(replica *r, tree_node *root, int64_t revision);
/* For building that tree. */
static inline tree_heap *replica_heap(replica *r) { return &r->heap; }

/* One change of a revision above the newest; takes the entry over (a tombstone for a deletion).
 * Not seen by watchers before replica_publish. */
void replica_stage(replica *r, int64_t revision, store_entry *entry);
/* Everything staged, up to `revision`, is there now: readers see it, watchers are told. */
void replica_publish(replica *r, int64_t revision);
/* Forgets the history below `revision`. */
void replica_drop(replica *r, int64_t revision);
static inline int64_t replica_base(const replica *r) { return r->history.base_revision; }

/* The tree of a readable revision; a new reference. */
tree_node *replica_root(replica *r, int64_t revision);
/* The change of `key` behind `revision`: the first one, borrowed, or NULL. */
const history_change *replica_change_after(const replica *r, slice key, int64_t revision);

/* As store.h; ops is put into what is handed out. */
store_watch *replica_watch_open(replica *r, const store_backend *ops, slice prefix, int64_t from,
                                store_on_event fn, void *ctx, store_watch **out);
void replica_watch_on_end(store_watch *w, void (*ended)(void *ctx));
void replica_watch_close(store_watch *w);

void replica_ref(replica *r);
void replica_unref(replica *r);
size_t replica_overhead(const replica *r);

#endif
