/* Decimal arithmetic on arrays of digits: slow per digit, but quantities have few. */
#include "codec/decimal.h"

#include <assert.h>

/* Drops zeros at both ends. */
static void trim(decimal *d) {
  int32_t lead = 0;
  while (lead < d->count && d->digit[lead] == 0) lead++;
  if (lead) memmove(d->digit, d->digit + lead, (size_t)(d->count - lead));
  d->count -= lead;
  while (d->count > 0 && d->digit[d->count - 1] == 0) {
    d->count--;
    d->exp++;
  }
  if (d->count == 0) {
    d->exp = 0;
    d->negative = false;
  }
}

static void put_digit(decimal *d, uint8_t digit, bool after_point) {
  if (d->count == 0 && digit == 0) {
    d->exp -= after_point;
    return;
  }
  if (d->count == DECIMAL_DIGITS) {
    d->exp += !after_point;
    return;
  }
  d->digit[d->count++] = digit;
  d->exp -= after_point;
}

void decimal_read(decimal *d, slice text, int64_t exp) {
  bool after_point = false;
  d->count = 0;
  d->exp = exp;
  d->negative = text.len && text.ptr[0] == '-';
  for (size_t i = 0; i < text.len; i++) {
    char c = text.ptr[i];
    if (c == '.') after_point = true;
    else if (c >= '0' && c <= '9') put_digit(d, (uint8_t)(c - '0'), after_point);
  }
  trim(d);
}

void decimal_from_i64(decimal *d, int64_t n) {
  char room[SLICE_U64_ROOM];
  decimal_read(d, slice_of_u64(room, n < 0 ? 0 - (uint64_t)n : (uint64_t)n), 0);
  d->negative = n < 0;
}

/* d * factor, factor below 2^31. */
static void multiply(decimal *d, uint32_t factor) {
  uint8_t out[DECIMAL_DIGITS + 12];
  size_t at = sizeof out;
  uint64_t carry = 0;
  for (int32_t i = d->count; i-- > 0;) {
    carry += (uint64_t)d->digit[i] * factor;
    out[--at] = (uint8_t)(carry % 10);
    carry /= 10;
  }
  for (; carry; carry /= 10) out[--at] = (uint8_t)(carry % 10);
  size_t n = sizeof out - at;
  size_t keep = n < DECIMAL_DIGITS ? n : DECIMAL_DIGITS;
  memcpy(d->digit, out + at, keep);
  d->count = (int32_t)keep;
  d->exp += (int64_t)(n - keep);
}

void decimal_shift(decimal *d, unsigned bits) {
  assert(bits <= 60);
  for (; bits > 30; bits -= 30) multiply(d, 1u << 30);
  multiply(d, 1u << bits);
  trim(d);
}

bool decimal_round_up(decimal *d, int64_t exp) {
  if (d->count == 0 || d->exp >= exp) return true;
  int64_t drop = exp - d->exp;
  if (drop >= d->count) { /* all of it is below: the smallest unit is left */
    d->count = 1;
    d->digit[0] = 1;
    d->exp = exp;
    return false;
  }
  d->count -= (int32_t)drop; /* what goes is not zero, for the last digit is not */
  d->exp = exp;
  int32_t i = d->count - 1;
  while (i >= 0 && d->digit[i] == 9) d->digit[i--] = 0;
  if (i >= 0) {
    d->digit[i]++;
  } else { /* 999 + 1 */
    d->digit[0] = 1;
    d->exp += d->count;
    d->count = 1;
  }
  trim(d);
  return false;
}

static int magnitude_cmp(const decimal *a, const decimal *b) {
  if (a->count == 0 || b->count == 0) return (a->count > 0) - (b->count > 0);
  int64_t top_a = a->exp + a->count, top_b = b->exp + b->count;
  if (top_a != top_b) return top_a < top_b ? -1 : 1;
  int32_t n = a->count < b->count ? a->count : b->count;
  int order = memcmp(a->digit, b->digit, (size_t)n);
  if (order) return order < 0 ? -1 : 1;
  return (a->count > b->count) - (a->count < b->count);
}

int decimal_cmp(const decimal *a, const decimal *b) {
  if (a->negative != b->negative) return a->negative ? -1 : 1;
  int order = magnitude_cmp(a, b);
  return a->negative ? -order : order;
}

/* The digit of d that counts 10^place. */
static int digit_at(const decimal *d, int64_t place) {
  int64_t i = d->exp + d->count - 1 - place;
  return i < 0 || i >= d->count ? 0 : d->digit[i];
}

void decimal_add(decimal *sum, const decimal *a, const decimal *b) {
  if (a->count == 0 || b->count == 0) {
    *sum = a->count ? *a : *b;
    return;
  }
  const decimal *big = magnitude_cmp(a, b) >= 0 ? a : b, *small = big == a ? b : a;
  int sign = a->negative == b->negative ? 1 : -1;
  int64_t top = big->exp + big->count + 1; /* one place for the carry */
  int64_t low = big->exp < small->exp ? big->exp : small->exp;
  if (top - low > DECIMAL_DIGITS) low = top - DECIMAL_DIGITS;
  decimal out = {.negative = big->negative, .count = (int32_t)(top - low), .exp = low};
  int carry = 0;
  for (int64_t place = low; place < top; place++) {
    int digit = digit_at(big, place) + sign * digit_at(small, place) + carry;
    carry = digit < 0 ? -1 : digit / 10;
    out.digit[top - 1 - place] = (uint8_t)(digit < 0 ? digit + 10 : digit % 10);
  }
  trim(&out);
  *sum = out;
}

/* Writes the places down to 10^0. False when they do not fit. */
static bool make_whole(decimal *d) {
  if (d->exp > DECIMAL_DIGITS - d->count) return false;
  memset(d->digit + d->count, 0, (size_t)d->exp);
  d->count += (int32_t)d->exp;
  d->exp = 0;
  return true;
}

int decimal_remove_1024(decimal *d) {
  int times = 0;
  if (d->count == 0 || d->exp < 0 || !make_whole(d)) return 0;
  for (;;) {
    uint8_t quotient[DECIMAL_DIGITS];
    unsigned rest = 0;
    for (int32_t i = 0; i < d->count; i++) {
      rest = rest * 10 + d->digit[i];
      quotient[i] = (uint8_t)(rest / 1024);
      rest %= 1024;
    }
    if (rest) break;
    int32_t lead = 0;
    while (lead < d->count && quotient[lead] == 0) lead++;
    memcpy(d->digit, quotient + lead, (size_t)(d->count - lead));
    d->count -= lead;
    times++;
  }
  trim(d);
  return times;
}

int64_t decimal_to_i64(const decimal *d, int64_t exp) {
  decimal r = *d;
  decimal_round_up(&r, exp);
  int64_t places = r.count + r.exp - exp;
  if (r.count == 0) return 0;
  if (places > 19) return r.negative ? INT64_MIN : INT64_MAX;
  uint64_t n = 0;
  for (int64_t i = 0; i < places; i++) {
    n = n * 10 + (uint64_t)(i < r.count ? r.digit[i] : 0); /* 19 nines fit */
  }
  if (n > INT64_MAX) return r.negative ? INT64_MIN : INT64_MAX;
  return r.negative ? -(int64_t)n : (int64_t)n;
}
