/* tape: a recorded session, in memory.
 *
 * A tape is JSON lines (fixtures/README.md has the format): a header, then one exchange
 * a line in the order in which the requests came. Everything lives in the tape's arena. */
#ifndef APISIM_REPLAY_TAPE_H
#define APISIM_REPLAY_TAPE_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct tape_header {
  slice name, value;
} tape_header;

typedef struct tape_headers {
  uint32_t count;
  const tape_header *items;
} tape_headers;

typedef struct tape_frame {
  int64_t at_ms;
  slice data;
} tape_frame;

typedef struct tape_exchange {
  int64_t seq;
  int64_t at_ms, done_ms; /* since the tape's start */
  slice method, target;
  tape_headers request_headers;
  slice request_body;
  int status;
  tape_headers headers;
  slice body; /* whole; of a stream: its frames joined */
  bool stream;
  uint32_t frame_count;
  const tape_frame *frames;
} tape_exchange;

typedef struct tape {
  arena *arena;
  slice path; /* of the file */
  slice session; /* "kubectl-1.36/01-pods": what known differences and reports call it */
  slice name, client, about;
  uint32_t count;
  tape_exchange *exchanges;
} tape;

/* NULL with a line in problem when the file can't be read or is no tape. */
tape *tape_load(const char *path, char *problem, size_t problem_size);
/* The same from text that is in memory already; `text` may go afterwards. */
tape *tape_parse(slice text, const char *path, char *problem, size_t problem_size);
void tape_destroy(tape *t);

/* First value of a header, whatever its case; SLICE_NONE if absent. */
slice tape_header_get(const tape_headers *h, const char *name);
/* The first value of a query parameter of a target, not decoded; SLICE_NONE if absent. */
slice target_param(slice target, const char *name);
/* What stands before '?'. */
slice target_path(slice target);

#endif
