/* pattern: regular expressions in Go's syntax (RE2), matched in time linear in the text.
 *
 * A pattern becomes a program for a machine that follows all its states at once: no backtracking,
 * so (a+)+$ costs what a+$ costs. Time of a match is at most text * program, memory is the
 * program's. Only "does it match anywhere" is asked, so captures and greediness do not count.
 *
 * Syntax: that of Go's regexp/syntax in Perl mode: classes, \d \s \w and their capitals, [:alpha:],
 * \pL \p{Greek} (general categories; scripts as far as pattern_class.c lists them), counted
 * repetition up to 1000, flags i m s U, groups (named, too), ^ $ \A \z \b \B, \Q...\E, escapes
 * \x{10FFFF} \123 \a \f \n \r \t \v. What Go refuses is refused in its words; what Go knows and we
 * do not is refused with a text that names it. Texts are UTF-8; a broken byte is U+FFFD. */
#ifndef APISIM_CRD_PATTERN_H
#define APISIM_CRD_PATTERN_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdbool.h>

typedef struct pattern pattern;

/* In a, for as long as a lives. NULL and *error in Go's words: "error parsing regexp: missing
 * closing ): `(a`". */
const pattern *pattern_compile(arena *a, slice text, slice *error);
bool pattern_matches(const pattern *p, slice text);

#endif
