/* Fuzz target: JSON merge patches (RFC 7386). Oracles: patch_case's, and applying the patch to its
 * own result changes nothing. */
#include "fuzz/patch_case.h"

FUZZ_TARGET(FUZZ_PATCH);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  patch_case p;
  if (!patch_case_open(&p, data, size)) return 0;
  status_error err = {0};
  val *out = merge_patch_apply_as(p.arena, p.live, p.patch, &p.options, &p.err);
  if (val_is_map(out)) {
    val *copy = val_copy(p.arena, out);
    val *again = merge_patch_apply_as(p.arena, copy, p.patch, &p.options, &err);
    CHECK(again && val_equal(again, out));
  }
  patch_case_check(&p, out);
  patch_case_close(&p);
  return 0;
}
