/* slice: a borrowed run of bytes, pointer and length, not NUL-terminated.
 *
 * Nobody owns anything through a slice; whoever made the bytes says how long
 * they live (usually: as long as the request's arena). */
#ifndef APISIM_BASE_SLICE_H
#define APISIM_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct slice {
  const char *ptr;
  size_t len;
} slice;

#define SLICE_LIT(s) ((slice){(s), sizeof(s) - 1})
#define SLICE_NONE ((slice){NULL, 0})
/* For printf: printf("%.*s", SLICE_ARG(s)). */
#define SLICE_ARG(s) (int)(s).len, ((s).ptr ? (s).ptr : "")

static inline slice slice_of(const char *ptr, size_t len) {
  return (slice){ptr, len};
}

/* NULL gives the empty slice. */
static inline slice slice_cstr(const char *text) {
  return (slice){text, text ? strlen(text) : 0};
}

static inline bool slice_eq(slice a, slice b) {
  return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool slice_is(slice a, const char *text) {
  return slice_eq(a, slice_cstr(text));
}

static inline slice slice_from(slice s, size_t start) {
  if (start > s.len) start = s.len;
  return (slice){start ? s.ptr + start : s.ptr, s.len - start};
}

static inline slice slice_upto(slice s, size_t end) {
  return (slice){s.ptr, end < s.len ? end : s.len};
}

/* Byte order, a shorter prefix first: negative, 0 or positive. */
int slice_cmp(slice a, slice b);
/* The same, of two that qsort points at. */
int slice_order(const void *a, const void *b);
bool slice_has_prefix(slice s, slice prefix);
bool slice_has_suffix(slice s, slice suffix);
bool slice_eq_nocase(slice a, slice b);
/* Index of the first occurrence, or -1. */
ptrdiff_t slice_find_char(slice s, char c);
ptrdiff_t slice_find(slice s, slice needle);
/* Cuts at the first sep: *head before it, *tail after it. Without sep: *head is
 * all of s, *tail is empty, and the answer is false. */
bool slice_cut(slice s, char sep, slice *head, slice *tail);
slice slice_trim(slice s);
/* n in decimal, in the end of room. */
#define SLICE_U64_ROOM 20
slice slice_of_u64(char room[SLICE_U64_ROOM], uint64_t n);
/* Go's ParseUint: digits only, up to 2^64-1. NULL, or what is wrong with it. */
const char *u64_parse(slice text, uint64_t *out);
/* Decimal, optional leading '-', nothing else around it. False when it is not a
 * number or does not fit. */
bool slice_to_i64(slice s, long long *out);
/* Go's ParseInt in base 10: a sign of either kind, and any number of zeros before the digits. */
bool slice_to_i64_go(slice s, long long *out);
/* Go's ParseBool: 1, 0, or -1 for any other word. */
int bool_parse(slice text);

#endif
