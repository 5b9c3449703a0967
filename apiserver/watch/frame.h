/* frame: the bytes of one watch event in one form. Watchers of the same event share them
 * (shared.h). */
#ifndef APISIM_WATCH_FRAME_H
#define APISIM_WATCH_FRAME_H

#include "codec/negotiate.h"
#include "store/store.h"

typedef enum event_type { EVENT_ADDED, EVENT_MODIFIED, EVENT_DELETED, EVENT_BOOKMARK,
                         EVENT_ERROR } event_type;

/* What of an output form decides a frame; small, because every watcher keeps one. */
typedef struct frame_form {
  uint8_t format; /* body_format */
  uint8_t as; /* body_as */
  uint8_t include; /* table_include */
  bool beta; /* meta.k8s.io/v1beta1 */
} frame_form;

frame_form frame_form_of(const output_form *form, slice include_object);

/* One reference, the caller's. `revision`: replaces the object's own when above 0 (an object that
 * left a selector is told at the event's revision). columns: of a Table (the first event carries
 * its column definitions). `a` is scratch memory. */
blob *frame_of_entry(arena *a, const resource_info *r, const frame_form *form, event_type type,
                     store_entry *e, int64_t revision, bool columns, int64_t now_s);
/* A BOOKMARK: an empty object with the revision; `initial_end` adds the annotation that
 * closes the initial events. columns as above. */
blob *frame_of_bookmark(arena *a, const resource_info *r, const frame_form *form, int64_t revision,
                        bool initial_end, bool columns);
/* An ERROR with a Status. */
blob *frame_of_error(arena *a, const frame_form *form, const status_error *err);

#endif
