/* quote: well-formed UTF-8, and texts quoted the way the wire's messages quote them. */
#ifndef APISIM_BASE_QUOTE_H
#define APISIM_BASE_QUOTE_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* strconv.Quote, with the quotes: escapes for controls, bytes that are no UTF-8 as \x... */
slice go_quote(arena *a, slice s);
/* Length of the well-formed UTF-8 sequence at p (1..4), 0 when there is none. p < end. */
unsigned utf8_sequence(const char *p, const char *end);
bool utf8_is_valid(slice s);
/* Writes code point c (at most 0x10FFFF) to `to`; the number of bytes, 1..4. */
unsigned utf8_put(char *to, uint32_t c);
uint32_t utf8_get(const char *p, unsigned len);
/* Go's strings.TrimSpace: Unicode's white space on both sides. */
slice utf8_trim(slice s);
/* Go's unicode.IsLetter and strconv.IsPrint (unicode.c). */
bool utf8_is_letter(uint32_t c);
bool utf8_is_printable(uint32_t c);

#endif
