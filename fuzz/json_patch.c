/* Fuzz target: JSON patches (RFC 6902). Oracles: patch_case's, and the same patch gives the same
 * result twice. */
#include "fuzz/patch_case.h"

FUZZ_TARGET(FUZZ_PATCH);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  patch_case p;
  if (!patch_case_open(&p, data, size)) return 0;
  status_error err = {0};
  patch_options plain = {.ignore = p.options.ignore};
  val *out = json_patch_apply_as(p.arena, p.live, p.patch, &p.options, &p.err);
  val *again = json_patch_apply_as(p.arena, p.live, p.patch, &plain, &err);
  CHECK(!out == !again);
  if (out) CHECK(val_equal(out, again));
  patch_case_check(&p, out);
  patch_case_close(&p);
  return 0;
}
