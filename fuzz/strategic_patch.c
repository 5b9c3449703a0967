/* Fuzz target: strategic merge patches. Oracles: patch_case's, and the same patch gives the same
 * result twice. */
#include "fuzz/patch_case.h"
#include "patch/restore.h"

FUZZ_TARGET(FUZZ_PATCH);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  patch_case p;
  if (!patch_case_open(&p, data, size)) return 0;
  const type_info *t = p.resource->type;
  status_error err = {0};
  slice error = SLICE_NONE;
  val *quoted = NULL;
  val *out = strategic_patch_apply_as(p.arena, p.live, p.patch, t, &p.options, &quoted, &p.err);
  val *again = strategic_patch_apply_as(p.arena, p.live, p.patch, t, &p.options, NULL, &err);
  CHECK(!out == !again);
  if (out) CHECK(val_equal(out, again));
  if (out && !restore_check(p.arena, out, t, &error)) {
    CHECK(error.len > 0);
    if (quoted) CHECK(go_print(p.arena, quoted).len > 0);
    patch_case_close(&p);
    return 0;
  }
  patch_case_check(&p, out);
  patch_case_close(&p);
  return 0;
}
