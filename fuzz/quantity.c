/* Fuzz target: quantities; two with a newline between them. Oracles: the canonical form is a fixed
 * point (of binary units: its own canonical form is) and equal to the text; comparison is
 * antisymmetric and agrees with Value() and with what subtraction leaves; a + b - b is a again. */
#include "fuzz/fuzz.h"

#include "codec/decimal.h"

FUZZ_TARGET(FUZZ_BYTES);

static int sign(int n) { return (n > 0) - (n < 0); }

static bool canonical(arena *a, slice text, slice *out) {
  slice error = SLICE_NONE, again;
  if (!quantity_canonical(a, text, out, &error)) {
    CHECK(error.len > 0);
    return false;
  }
  CHECK(quantity_canonical(a, *out, &again, &error));
  CHECK(quantity_cmp(*out, again) == 0);
  /* 62.5Ki is written 64000, as the real library has it, and that reads as 64k. */
  if (slice_find(text, SLICE_LIT("i")) < 0) CHECK_SAME(*out, again);
  slice third = again;
  CHECK(quantity_canonical(a, third, &again, &error));
  CHECK_SAME(third, again);
  return true;
}

/* Parsing cuts to what int64 holds; sums are not cut. */
static bool within(slice q, const char *limit) {
  char below[8] = "-";
  strcat(below, limit);
  return quantity_cmp(q, slice_cstr(limit)) < 0 && quantity_cmp(q, slice_cstr(below)) > 0;
}

static bool is_small(slice q) { return within(q, "2E"); }

/* Past int64 Go's numbers wrap. */
static void numbers_follow(slice x, slice y, int order) {
  int64_t vx = quantity_value(x), vy = quantity_value(y);
  int64_t mx = quantity_milli(x), my = quantity_milli(y);
  if (within(x, "9E") && within(y, "9E")) {
    CHECK(order < 0 ? vx <= vy : order > 0 ? vx >= vy : vx == vy);
  }
  if (within(x, "9P") && within(y, "9P")) {
    CHECK(order < 0 ? mx <= my : order > 0 ? mx >= my : mx == my);
  }
}

static void pair(arena *a, slice x, slice y) {
  int order = sign(quantity_cmp(x, y));
  CHECK(order == -sign(quantity_cmp(y, x)));
  numbers_follow(x, y, order);
  slice sum = quantity_add(a, x, y), left = quantity_sub(a, sum, y), error = SLICE_NONE, again;
  CHECK(quantity_canonical(a, sum, &again, &error));
  if (!is_small(x) || !is_small(y)) return;
  CHECK(quantity_cmp(sum, again) == 0); /* 500Mi + 1e3 is 524289000, which reads as 524289k */
  slice difference = quantity_sub(a, x, y);
  if (x.len < 60 && y.len < 60) { /* longer ones may be cut to the digits that are kept */
    CHECK(quantity_cmp(left, x) == 0);
    CHECK(sign(quantity_cmp(difference, SLICE_LIT("0"))) == order);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  slice first, second, x, y;
  char *bytes = malloc(size ? size : 1);
  if (size) memcpy(bytes, data, size);
  slice_cut(slice_of(bytes, size), '\n', &first, &second);
  fuzz_heap heap = fuzz_heap_begin();
  arena *a = arena_create();
  bool good = canonical(a, first, &x);
  fuzz_heap_check(&heap, size, 16);
  if (canonical(a, second, &y) && good) pair(a, x, y);
  arena_destroy(a);
  free(bytes);
  return 0;
}
