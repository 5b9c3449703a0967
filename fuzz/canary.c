/* The canary: a target with a bug, which a working fuzzer finds within seconds. A document whose
 * first key is "bug" makes it read one byte behind a block; only AddressSanitizer sees that. */
#include "fuzz/fuzz.h"

FUZZ_TARGET(FUZZ_JSON);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_head h;
  if (!fuzz_head_open(&h, data, size)) return 0;
  static const char sign[] = "{\"bug\"";
  bool same = h.body.len >= sizeof sign - 1 && memcmp(h.body.ptr, sign, sizeof sign - 1) == 0;
  volatile char seen = 0;
  if (same) seen = h.body.ptr[h.body.len]; /* the bug */
  (void)seen;
  fuzz_head_close(&h);
  return 0;
}
