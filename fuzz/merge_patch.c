/* Fuzz target: JSON merge patches (RFC 7386). Oracles: patch_case's, and applying the patch to its
 * own result changes nothing. Nulls in a list that replaces an object stay, as the real library has
 * it, and those in one that replaces a list go: with them it is the second application that does. */
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
    CHECK(again);
    bool nulls = slice_find(fuzz_json_any(p.arena, out, false), SLICE_LIT(":null")) >= 0;
    CHECK(nulls || val_equal(again, out));
    copy = val_copy(p.arena, again);
    val *third = merge_patch_apply_as(p.arena, copy, p.patch, &p.options, &err);
    CHECK(third && val_equal(third, again));
  }
  patch_case_check(&p, out);
  patch_case_close(&p);
  return 0;
}
