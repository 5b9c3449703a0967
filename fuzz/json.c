/* Fuzz target: JSON, untyped and as an object of the head's kind. flags bit 0: the input was a
 * body with strict reporting. Oracles: what parses is written to text that parses
 * and is written the same again; the indented form too; a typed tree is a fixed point in all three
 * formats; memory is bounded by the input. */
#include "fuzz/fuzz.h"

FUZZ_TARGET(FUZZ_JSON);

/* A tree's node and its place in the parent are some 80 bytes, and the shortest is one byte with
 * its comma; arrays double. */
#define PER_BYTE 512

/* -0e1 is a float, which Go too writes "-0"; and that it reads as the integer 0. */
static void settle_negative_zero(val *v) {
  if (val_is_float(v) && v->u.f == 0) v->u.f = 0;
  for (uint32_t i = 0; i < val_len(v); i++) {
    settle_negative_zero(val_is_map(v) ? v->u.entries[i].value : v->u.items[i]);
  }
}

static void check_untyped(arena *a, val *v) {
  slice error = SLICE_NONE;
  settle_negative_zero(v);
  slice text = fuzz_json_any(a, v, false);
  val *again = json_parse(a, text, NULL, &error);
  CHECK(again); /* perhaps no equal tree: the float 1.0 is written 1 */
  CHECK_SAME(text, fuzz_json_any(a, again, false));
  slice sorted = fuzz_json_any(a, v, true);
  again = json_parse(a, sorted, NULL, &error);
  CHECK(again);
  CHECK_SAME(sorted, fuzz_json_any(a, again, true));
  if (text.len > 10000) return; /* indentation of deep trees is quadratic by nature */
  buf pretty;
  buf_init(&pretty, LIMIT_BUFFER);
  json_indent(&pretty, text);
  again = json_parse(a, buf_slice(&pretty), NULL, &error);
  CHECK(again);
  CHECK_SAME(text, fuzz_json_any(a, again, false));
  buf_dispose(&pretty);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_head h;
  if (!fuzz_head_open(&h, data, size)) return 0;
  slice error = SLICE_NONE;
  strict_report report = {0};
  fuzz_heap heap = fuzz_heap_begin();
  arena *a = arena_create();
  val *v = json_parse(a, h.body, h.flags & 1 ? &report : NULL, &error);
  fuzz_heap_check(&heap, h.body.len, PER_BYTE);
  CHECK(v || error.len > 0);
  if (v) {
    check_untyped(a, v);
    val *typed = codec_conform(a, v, h.kind->type, h.flags & 1 ? &report : NULL, &error);
    CHECK(typed || error.len > 0);
    if (typed) fuzz_check_formats(a, typed, h.kind->type);
  }
  arena_destroy(a);
  fuzz_head_close(&h);
  return 0;
}
