/* tokens: the shapes of values that vary between runs, found inside any text. */
#ifndef APISIM_REPLAY_TOKENS_H
#define APISIM_REPLAY_TOKENS_H

#include "base/slice.h"
#include "sim/replay/pairing.h"

#include <stdbool.h>
#include <stdint.h>

/* The token that begins at s[at], if one does: its length and class; 0 for none. A token stands
 * alone: no letter or digit touches it. */
size_t token_at(slice s, size_t at, pair_class *class);
/* RFC 3339 in UTC, or the HTTP date, to seconds since 1970. */
bool token_time(slice s, int64_t *seconds);
bool token_is_word(char c); /* letter or digit */
bool token_is_name(char c); /* of an object's name: lower case, digit, '-', '.' */

#endif
