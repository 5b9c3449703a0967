/* frame: the bytes of one watch event in one form. A frame of the same event and form is made
 * once, kept with the entry, and shared by every watcher. */
#ifndef APISIM_WATCH_FRAME_H
#define APISIM_WATCH_FRAME_H

#include "codec/negotiate.h"
#include "store/store.h"

typedef enum event_type { EVENT_ADDED, EVENT_MODIFIED, EVENT_DELETED, EVENT_BOOKMARK, EVENT_ERROR } event_type;

/* One reference, the caller's. `revision`: replaces the object's own when above 0 (an object that
 * left a selector is told at the event's revision). columns: of a Table (the first event carries
 * its column definitions). `a` is scratch memory. */
blob *frame_of_entry(arena *a, const resource_info *r, const output_form *form, event_type type,
                     store_entry *e, int64_t revision, bool columns, int64_t now_s);
/* A BOOKMARK: an empty object with the revision; `initial_end` adds the annotation that
 * closes the initial events. */
blob *frame_of_bookmark(arena *a, const resource_info *r, const output_form *form, int64_t revision,
                        bool initial_end);
/* An ERROR with a Status. */
blob *frame_of_error(arena *a, const output_form *form, const status_error *err);

#endif
