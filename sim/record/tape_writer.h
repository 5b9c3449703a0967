/* tape_writer: exchanges to a tape file, in the order in which their requests came.
 *
 * Everything is kept in memory until the tape is written, because its first line says how many
 * exchanges follow and a watch may end long after later requests. */
#ifndef APISIM_RECORD_TAPE_WRITER_H
#define APISIM_RECORD_TAPE_WRITER_H

#include "sim/replay/tape.h"

#include <stdio.h>

typedef struct taped taped; /* one exchange under way or over */
typedef struct tape_writer tape_writer;

tape_writer *tape_writer_create(bool redact_secrets);
void tape_writer_destroy(tape_writer *w);
/* A request came. The writer keeps what it needs; `headers` and all are borrowed. */
taped *taped_begin(tape_writer *w, int64_t at_ms, slice method, slice target,
                   const tape_headers *headers, slice body);
/* The answer's head; stream: its body is kept as frames. */
void taped_head(taped *t, int status, const tape_headers *headers, bool stream);
void taped_body(taped *t, int64_t at_ms, slice bytes);
/* The answer is over (or was cut by the client). Exchanges without one end when written. */
void taped_end(taped *t, int64_t at_ms);
uint32_t tape_writer_count(const tape_writer *w);
/* The whole tape. False when writing failed. */
bool tape_writer_save(tape_writer *w, FILE *out, int64_t now_ms, const char *name,
                      const char *client, const char *about);
/* The first request's User-Agent, for the tape's client; "" when there is none. */
const char *tape_writer_agent(const tape_writer *w);

#endif
