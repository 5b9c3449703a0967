/* Fuzz target: protobuf. The body is a message of the head's kind, and is tried as an envelope
 * too. Oracles: what decodes is written to a message that decodes to an equal tree and is written
 * the same again; through JSON and YAML it comes back as the same message; memory is bounded. */
#include "fuzz/fuzz.h"

#include "base/quote.h"
#include "codec/strict.h"

FUZZ_TARGET(FUZZ_PROTO);

/* JSON cannot carry everything that protobuf can: malformed UTF-8 is one. */
static bool json_can_carry(const val *v) {
  if (!utf8_is_valid(val_str(v))) return false;
  for (uint32_t i = 0; val_is_list(v) && i < v->count; i++) {
    if (!json_can_carry(v->u.items[i])) return false;
  }
  for (uint32_t i = 0; val_is_map(v) && i < v->count; i++) {
    val key = {.type = VAL_STRING, .count = (uint32_t)v->u.entries[i].key.len,
               .u.s = v->u.entries[i].key.ptr};
    if (!json_can_carry(&key) || !json_can_carry(v->u.entries[i].value)) return false;
  }
  return true;
}

static void check(arena *a, const val *v, const type_info *t) {
  slice error = SLICE_NONE;
  slice first = fuzz_proto(a, v, t);
  val *again = proto_decode(a, first, t, &error);
  CHECK(again && val_equal(v, again));
  CHECK_SAME(first, fuzz_proto(a, again, t));
  slice json = fuzz_json(a, v, t);
  if (!json_can_carry(v)) return;
  val *read = fuzz_typed(a, json, t);
  if (read) fuzz_check_formats(a, read, t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_head h;
  if (!fuzz_head_open(&h, data, size)) return 0;
  slice error = SLICE_NONE, part[5];
  fuzz_heap heap = fuzz_heap_begin();
  arena *a = arena_create();
  val *v = proto_decode(a, h.body, h.kind->type, &error);
  fuzz_heap_check(&heap, h.body.len, 512);
  CHECK(v || error.len > 0);
  if (v) check(a, v, h.kind->type);
  proto_open_envelope(a, h.body, &part[0], &part[1], &part[2], &part[3], &part[4], &error);
  arena_destroy(a);
  fuzz_head_close(&h);
  return 0;
}
