/* report: what a replay says to people and machines: a table, a web page, JUnit's XML. */
#ifndef APISIM_REPLAY_REPORT_H
#define APISIM_REPLAY_REPORT_H

#include "sim/replay/known.h"
#include "sim/replay/player.h"

#include <stdio.h>

typedef struct report {
  uint32_t count;
  session **sessions;
  const known_list *known;
  const char *server; /* "embedded", or the URL */
  const char *when; /* of the run, for the page */
} report;

/* The terminal's table. color: escape sequences for colour. */
void report_table(FILE *out, const report *r, bool color);
/* Every difference, in the format of the known-differences file. */
void report_list(FILE *out, const report *r);
/* False when the file can't be written. */
bool report_html(const char *path, const report *r);
bool report_junit(const char *path, const report *r);

/* A score in hundredths of a percent, rounded down, so that 100.00 means all. */
uint32_t report_score(const session *s, diff_level level);
/* The first difference of a session: its exchange and the difference; NULL when none. */
const difference *report_first(const session *s, const outcome **where);

#endif
