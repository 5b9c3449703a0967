/* transcript: what happened in a run, one line an event, and the hash over all of it.
 *
 * The columns of a line, separated by blanks:
 *   turn     the turn's number, from 1; one event of the queue is taken a turn
 *   time     virtual seconds since the run began, with microseconds
 *   actor    who: writer0, informer3, server1, store, world, check
 *   event    what, a word of the table in transcript.c
 *   peer     whom it concerns, or -
 *   numbers  as the event's row names them (op=17 rv=204 ...)
 *   detail   the object's key, a request line, a fault's name; the rest of the line
 * Nothing here depends on addresses or on the machine: equal runs have equal lines. */
#ifndef APISIM_SIM_TRANSCRIPT_H
#define APISIM_SIM_TRANSCRIPT_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define LINE_TEXT 88 /* bytes of detail kept */
#define LINES_KEPT 128 /* of a run that is not recorded whole: the last ones */

typedef enum actor_kind {
  ACTOR_WORLD,
  ACTOR_SERVER,
  ACTOR_STORE,
  ACTOR_WRITER,
  ACTOR_INFORMER,
  ACTOR_PAGER,
  ACTOR_CONTROLLER,
  ACTOR_ELECTOR,
  ACTOR_PLAYER,
  ACTOR_CHECK,
  ACTOR_KINDS
} actor_kind;

typedef struct actor {
  uint8_t kind, index;
} actor;
#define NOBODY ((actor){ACTOR_KINDS, 0})

typedef enum event_kind {
  EV_PHASE,
  EV_SERVER_UP,
  EV_SERVER_DOWN,
  EV_FAULT,
  EV_FAULT_END,
  EV_CONNECT,
  EV_CLOSED,
  EV_REQUEST,
  EV_ARRIVES,
  EV_SENDS,
  EV_ANSWER,
  EV_NO_ANSWER,
  EV_COMMIT,
  EV_WATCH_EVENT,
  EV_RELIST,
  EV_NOTE,
  EV_STORE,
  EV_VIOLATION,
  EV_KINDS
} event_kind;

typedef struct line {
  uint64_t turn;
  int64_t at_ns;
  int64_t n[3];
  actor who, peer;
  uint8_t what;
  uint8_t text_len;
  char text[LINE_TEXT];
  uint64_t hash; /* of all up to here; of recorded lines only */
} line;

typedef struct transcript {
  uint64_t hash;
  uint64_t count; /* of lines, all told */
  line ring[LINES_KEPT];
  line *all; /* when recording: every line */
  uint64_t all_cap;
  bool recording;
  FILE *out; /* lines are printed as they come; NULL: not */
} transcript;

void transcript_init(transcript *t, bool recording, FILE *out);
void transcript_dispose(transcript *t);
void transcript_add(transcript *t, const line *l);
/* Mixes bytes into the hash without a line (message bodies). */
void transcript_bytes(transcript *t, slice bytes);
void transcript_mix(transcript *t, uint64_t n);
/* Whether they say the same. */
bool line_same(const line *a, const line *b);
/* One line as text, without newline; returns its length. */
size_t line_format(const line *l, char *out, size_t size);
const char *actor_word(uint8_t kind);
const char *event_word(uint8_t what);
/* What the event's k-th number is; NULL: it has none. */
const char *event_number(uint8_t what, unsigned k);
size_t actor_format(actor a, char *out, size_t size);
/* The last lines, oldest first. */
void transcript_tail(const transcript *t, FILE *out, uint32_t lines);

#endif
