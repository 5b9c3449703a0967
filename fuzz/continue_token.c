/* Fuzz target: continue tokens. The first byte chooses: the rest is a token as a client sends it,
 * or a key that we write a token for. Oracles: what decodes encodes to a token that decodes to
 * the same; what we encode decodes again unless the key could climb out of its prefix. */
#include "fuzz/fuzz.h"

#include "verb/read.h"

FUZZ_TARGET(FUZZ_BYTES);

static bool decode(arena *a, slice token, int64_t *revision, slice *start) {
  request rq = {.arena = a};
  bool good = continue_decode(&rq, token, revision, start);
  CHECK(good || (rq.error.set && rq.error.message.len > 0 && status_error_code(&rq.error) == 400));
  return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  char *bytes = malloc(size);
  memcpy(bytes, data + 1, size - 1);
  slice text = slice_of(bytes, size - 1), start = SLICE_NONE, again = SLICE_NONE;
  int64_t revision = 0, revision2 = 0;
  fuzz_heap heap = fuzz_heap_begin();
  arena *a = arena_create();
  slice token = data[0] & 1 ? continue_encode(a, 5, text) : text;
  bool good = decode(a, token, &revision, &start);
  fuzz_heap_check(&heap, size, 1024);
  if (good && start.len) { /* of "/" nothing is left, and nothing has no token */
    CHECK(decode(a, continue_encode(a, revision, start), &revision2, &again));
    CHECK(revision == revision2);
    CHECK_SAME(start, again);
  }
  arena_destroy(a);
  free(bytes);
  return 0;
}
