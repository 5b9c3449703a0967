/* check_stream: every watch stream is the filtered replay of the history behind its start, event by
 * event (I3-I8). The position of a stream is a revision: all that its filter tells of up to there
 * has been said. */
#ifndef APISIM_SIM_CHECK_STREAM_H
#define APISIM_SIM_CHECK_STREAM_H

#include "sim/workload/call.h"

typedef struct stream {
  world *world;
  uint32_t id;
  uint32_t epoch; /* of the world, when it began */
  client *owner;
  call *call;
  view_filter filter;
  int64_t from; /* the version that was asked for */
  int64_t position;
  bool bookmarks; /* asked for */
  bool initial; /* asked for the state first */
  bool fresh; /* of that: no version was named, so it must be as new as the request */
  bool initial_over; /* its bookmark has come */
  bool failed; /* an ERROR event has come: nothing may follow */
  bool seen_event;
  uint32_t told; /* index of the last commit told, plus one */
  int64_t required; /* initial: the end's bookmark must be at least there */
  int64_t *had; /* initial: by key id, the version told; grows */
  uint32_t had_count;
} stream;

typedef enum told_kind { TOLD_ADDED, TOLD_MODIFIED, TOLD_DELETED, TOLD_BOOKMARK, TOLD_ERROR,
                         TOLD_NOTHING } told_kind;
typedef struct told {
  uint8_t kind;
  bool initial_end;
  int64_t revision;
  uint32_t key;
  const commit *commit; /* of an object */
  int code; /* of an error */
} told;

stream *stream_begin(client *owner, const view_filter *f, int64_t from, bool bookmarks,
                     bool initial);
/* One line of the stream: checked, and told to the client. False: a violation. */
bool stream_line(stream *s, slice text, told *out);
/* The store was lost and begins anew: what was said does not count. */
void check_stream_world_lost(world *w);

#endif
