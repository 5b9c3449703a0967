/* shared: what the watchers of one event share: the decoded objects, which selectors look at, and
 * the frames, one a form. It holds one event at a time, because a write tells all its watchers
 * before the next; a catching-up watcher makes its own way through it. */
#ifndef APISIM_WATCH_SHARED_H
#define APISIM_WATCH_SHARED_H

#include "watch/frame.h"

typedef struct watch_shared watch_shared;

watch_shared *watch_shared_create(void);
void watch_shared_destroy(watch_shared *s);
/* Turns to an event: entry after it, entry before it (or NULL), the turn's time. */
void watch_shared_turn(watch_shared *s, store_entry *entry, store_entry *prev, int64_t now_s);
/* The event's tree in the storage version, made once; only to be read. NULL where it can't be
 * read. */
const val *watch_shared_tree(watch_shared *s, const resource_info *r, bool of_prev);
/* A frame; borrowed until the next turn. revision as in frame_of_entry. */
blob *watch_shared_frame(watch_shared *s, const resource_info *r, const frame_form *form,
                         event_type type,
                         bool of_prev, int64_t revision, bool columns);
/* The same frame as a chunk (http_chunk_of), made once; borrowed likewise. `frame` is of this
 * event. */
blob *watch_shared_chunk(watch_shared *s, const blob *frame);
/* Memory that lasts until the next event. */
arena *watch_shared_arena(watch_shared *s);

#endif
