/* report: what the differential run counts, writes down and explains. */
#ifndef APISIM_CONFORMANCE_CODEC_REPORT_H
#define APISIM_CONFORMANCE_CODEC_REPORT_H

#include "conformance/codec/oracle.h"

#include <stdio.h>

typedef struct tally_row { /* a kind */
  unsigned objects, cases[ORACLE_FORMATS], different[ORACLE_FORMATS], refused, not_strict;
} tally_row;

typedef struct tally { /* shared by the workers */
  unsigned explained, unknown;
  tally_row rows[]; /* schema_kind_count */
} tally;

/* Prints by format and by group; returns how many differences are not explained. */
unsigned tally_print(FILE *out, const tally *t, double seconds, const char *file);

typedef struct report_file report_file;
/* `explained` (or NULL): lines "FORMAT|WHAT|OURS|THEIRS  # why", where WHAT is status, error or an
 * encoding's name, and OURS and THEIRS are pieces that the two texts contain (any when empty).
 * NULL with a line on stderr when a file cannot be read. */
report_file *report_open(const char *out, const char *explained);
void report_close(report_file *f);
/* The reason, or NULL. */
const char *report_explained(report_file *f, const oracle_case *c, const char *what,
                             const oracle_answer *ours, const oracle_answer *theirs);
void report_count(report_file *f, const char *reason);
/* Has nothing like it been written by this worker? */
bool report_is_new(report_file *f, const oracle_case *c, const char *what,
                   const oracle_answer *ours, const oracle_answer *theirs);
void report_difference(report_file *f, uint64_t seed, uint64_t number, const oracle_case *c,
                       const char *what, const oracle_answer *ours, const oracle_answer *theirs);

#endif
