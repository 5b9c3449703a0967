/* Fuzz target: times, micro times, durations, int-or-strings, base64. The first byte chooses.
 * Oracles: the canonical form is a fixed point; a time's parts written anew give it; a duration's
 * nanoseconds too; decoded base64 encodes to text that decodes to the same. */
#include "fuzz/fuzz.h"

FUZZ_TARGET(FUZZ_BYTES);

static void check_time(arena *a, slice text, bool micro) {
  slice out, again, error = SLICE_NONE;
  int64_t seconds = 0;
  int32_t nanos = 0;
  if (!time_canonical(a, text, micro, &out, &error)) {
    CHECK(error.len > 0);
    return;
  }
  if (!out.ptr) return; /* Go's zero time */
  if (out.len != (micro ? 27u : 20u)) return; /* an offset led out of the years 0 to 9999 */
  CHECK(time_canonical(a, out, micro, &again, &error));
  CHECK_SAME(out, again);
  CHECK(time_parse(out, &seconds, &nanos));
  CHECK(nanos >= 0 && nanos < 1000000000);
  if (!micro) CHECK_SAME(out, time_text(a, seconds));
  if (micro) CHECK_SAME(out, microtime_text_at(a, seconds, nanos));
}

static void check_duration(arena *a, slice text) {
  slice out, again, error = SLICE_NONE;
  int64_t ns = 0, ns2 = 0;
  bool good = duration_canonical(a, text, &out, &error);
  CHECK(good == duration_parse(text, &ns));
  CHECK(good || error.len > 0);
  if (!good) return;
  CHECK(duration_canonical(a, out, &again, &error));
  CHECK_SAME(out, again);
  CHECK(duration_parse(out, &ns2) && ns2 == ns);
  CHECK_SAME(out, duration_text(a, ns));
}

static void check_int_or_string(arena *a, slice text) {
  const type_info *port = schema_type(SLICE_LIT("io.k8s.api.core.v1.ServicePort"));
  val *object = val_map(a);
  slice error = SLICE_NONE;
  val *v = json_parse(a, text, NULL, &error);
  if (!v) return;
  CHECK(port);
  val_setc(a, object, "targetPort", v);
  val *typed = codec_conform(a, object, port, NULL, &error);
  if (typed) fuzz_check_formats(a, typed, port);
}

static void check_base64(arena *a, slice text) {
  slice bytes, again;
  if (!base64_decode(a, text, &bytes)) return;
  CHECK(base64_decode(a, base64_encode(a, bytes), &again));
  CHECK(slice_eq(bytes, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  char *bytes = malloc(size);
  memcpy(bytes, data + 1, size - 1);
  slice text = slice_of(bytes, size - 1);
  fuzz_heap heap = fuzz_heap_begin();
  arena *a = arena_create();
  switch (data[0] % 5) {
    case 0: check_time(a, text, false); break;
    case 1: check_time(a, text, true); break;
    case 2: check_duration(a, text); break;
    case 3: check_int_or_string(a, text); break;
    default: check_base64(a, text); break;
  }
  if (data[0] % 5 != 3) fuzz_heap_check(&heap, size, 32);
  arena_destroy(a);
  free(bytes);
  return 0;
}
