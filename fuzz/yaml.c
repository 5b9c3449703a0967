/* Fuzz target: YAML, untyped and as an object of the head's kind. Oracles: what is read is written
 * (keys sorted) to YAML that reads to the same JSON; a typed tree is a fixed point in all three
 * formats; memory is bounded (aliases may repeat a node, the excessive-aliasing rule bounds that). */
#include "fuzz/fuzz.h"

FUZZ_TARGET(FUZZ_YAML);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_head h;
  if (!fuzz_head_open(&h, data, size)) return 0;
  slice error = SLICE_NONE;
  strict_report report = {0};
  fuzz_heap heap = fuzz_heap_begin();
  arena *a = arena_create();
  val *v = yaml_parse(a, h.body, h.flags & 1 ? &report : NULL, &error);
  /* 110 bytes can be 60 levels and more, each two nodes and two arrays: 1 KiB a byte from there. */
  if (slice_find_char(h.body, '*') < 0) fuzz_heap_check(&heap, h.body.len + 18, 1024);
  CHECK(v || error.len > 0);
  if (v) {
    slice json = fuzz_json_any(a, v, true);
    slice yaml = fuzz_yaml(a, v, NULL);
    val *again = yaml_parse(a, yaml, NULL, &error);
    if (!fuzz_yaml_loses(json, yaml)) {
      CHECK(again);
      if (!fuzz_same_values(v, again)) CHECK_SAME(json, fuzz_json_any(a, again, true));
    }
    val *typed = codec_conform(a, v, h.kind->type, NULL, &error);
    if (typed) fuzz_check_formats(a, typed, h.kind->type);
  }
  arena_destroy(a);
  fuzz_head_close(&h);
  return 0;
}
