/* decimal: exact decimal numbers for quantities, of bounded size and without allocation.
 *
 * A number is digits * 10^exp. 320 digits hold every sum and product of quantities that a
 * cluster knows; longer ones keep their leading 320 (the real server keeps all of them). */
#ifndef APISIM_CODEC_DECIMAL_H
#define APISIM_CODEC_DECIMAL_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define DECIMAL_DIGITS 320

typedef struct decimal {
  bool negative; /* never of zero */
  int32_t count; /* digits in use; 0 is the number zero */
  int64_t exp;
  uint8_t digit[DECIMAL_DIGITS]; /* 0..9, most significant first; the first and last are not 0 */
} decimal;

/* "[+-]digits[.digits]" (already checked) times 10^exp. */
void decimal_read(decimal *d, slice text, int64_t exp);
void decimal_from_i64(decimal *d, int64_t n);
/* d * 2^bits. */
void decimal_shift(decimal *d, unsigned bits);
/* Drops what is below 10^exp, away from zero. True when nothing was lost. */
bool decimal_round_up(decimal *d, int64_t exp);
int decimal_cmp(const decimal *a, const decimal *b);
void decimal_add(decimal *sum, const decimal *a, const decimal *b);
/* Divides while the result is a whole number; how often that went. d is a whole number. */
int decimal_remove_1024(decimal *d);
/* d / 10^exp rounded away from zero, saturating. */
int64_t decimal_to_i64(const decimal *d, int64_t exp);

#endif
