/* Fuzz target: CBOR, untyped and as an object of the head's kind. Oracles: what is refused is
 * refused with words, and strict decoding accepts no more than lax; what decodes is written to
 * bytes that decode to it and are written the same again; a typed tree is a fixed point in all
 * four formats; the notation of errors ends; memory is bounded by the input. */
#include "fuzz/fuzz.h"

#include "codec/cbor_wire.h"

FUZZ_TARGET(FUZZ_CBOR);

#define PER_BYTE 1024 /* an empty map in a list is a byte, and a frame, a node and a place */

static void check_untyped(arena *a, slice body) {
  slice error = SLICE_NONE;
  val *v = cbor_parse(a, body, &error);
  CHECK(v || error.len > 0);
  if (!v) return;
  slice json = fuzz_json_any(a, v, true);
  if (slice_find(json, SLICE_LIT("\\ufffd")) >= 0) return; /* of bytes that are no UTF-8 */
  slice first = fuzz_cbor(a, v, NULL);
  val *again = cbor_parse(a, first, &error);
  CHECK(again);
  CHECK_SAME(first, fuzz_cbor(a, again, NULL));
  val *read = json_parse(a, json, NULL, &error);
  CHECK(read);
  CHECK_SAME(json, fuzz_json_any(a, read, true));
}

static void check_typed(arena *a, slice body, const kind_info *k) {
  slice error = SLICE_NONE, strict_error = SLICE_NONE, unknown = SLICE_NONE;
  val *v = cbor_decode(a, body, k->type, NULL, &error);
  val *strict = cbor_decode(a, body, k->type, &unknown, &strict_error);
  CHECK(v || error.len > 0);
  CHECK(strict || strict_error.len > 0);
  CHECK(!strict || v);
  if (!v) return;
  slice first = fuzz_cbor(a, v, k->type);
  val *again = cbor_decode(a, first, k->type, NULL, &error);
  CHECK(again);
  /* A pointer to the zero time is written null, and null reads as no pointer. Of raw bytes that are
   * no UTF-8 the first writing makes U+FFFD, and a key so changed has another place. */
  slice json = fuzz_json(a, v, k->type);
  bool same = slice_find(json, SLICE_LIT(":null")) < 0 && slice_find(json, SLICE_LIT("\\ufffd")) < 0;
  slice second = fuzz_cbor(a, again, k->type);
  if (same) CHECK_SAME(first, second);
  again = cbor_decode(a, second, k->type, NULL, &error);
  CHECK(again);
  CHECK_SAME(second, fuzz_cbor(a, again, k->type));
  val *read = fuzz_typed(a, json, k->type);
  if (read) fuzz_check_formats(a, read, k->type);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_head h;
  if (!fuzz_head_open(&h, data, size)) return 0;
  slice error = SLICE_NONE, api_version, kind;
  fuzz_heap heap = fuzz_heap_begin();
  arena *a = arena_create();
  bool good = cbor_well_formed(a, h.body, &error);
  cbor_decode(a, h.body, h.kind->type, NULL, &error);
  fuzz_heap_check(&heap, h.body.len, PER_BYTE);
  if (good) {
    cbor_diagnose(a, h.body);
    cbor_type_meta(a, h.body, &api_version, &kind, &error);
    check_untyped(a, h.body);
    check_typed(a, h.body, h.kind);
  }
  arena_destroy(a);
  fuzz_head_close(&h);
  return 0;
}
