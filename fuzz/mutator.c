/* libFuzzer's custom mutator: knows the head of the typed targets and the schema. Every other
 * time it changes the body as an object of its kind (a field set, replaced or removed, a list item,
 * an object made anew) and writes it in the target's form; else libFuzzer's own mutations have it. */
#include "fuzz/fuzz.h"
#include "fuzz/generate.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

static val *parse(arena *a, slice body, const type_info *t) {
  slice error = SLICE_NONE;
  if (fuzz_form_of_target == FUZZ_YAML) return yaml_parse(a, body, NULL, &error);
  if (fuzz_form_of_target == FUZZ_PROTO) return proto_decode(a, body, t, &error);
  if (fuzz_form_of_target == FUZZ_CBOR) return cbor_parse(a, body, &error);
  return json_parse(a, body, NULL, &error);
}

static slice print(arena *a, val *v, const type_info *t) {
  slice error = SLICE_NONE;
  if (fuzz_form_of_target == FUZZ_YAML) return fuzz_yaml(a, v, NULL);
  if (fuzz_form_of_target == FUZZ_CBOR) return fuzz_cbor(a, v, NULL);
  if (fuzz_form_of_target != FUZZ_PROTO) return fuzz_json_any(a, v, false);
  v = codec_conform(a, v, t, NULL, &error);
  return v ? fuzz_proto(a, v, t) : SLICE_NONE;
}

static slice change(arena *a, rng *r, slice body, const kind_info *k) {
  val *v = rng_chance(r, 1, 8) ? NULL : parse(a, body, k->type);
  if (!val_is_map(v)) v = generate_object(a, r, k, 30, rng_chance(r, 1, 3));
  else v = val_copy(a, v);
  for (uint64_t n = 1 + rng_below(r, 3); n; n--) generate_change(a, r, v, k->type);
  return print(a, v, k->type);
}

/* A patch's operations are no object of the kind: libFuzzer's mutations and the dictionary have
 * them, except that merge patches are partial objects. */
static slice change_pair(arena *a, rng *r, slice body, const kind_info *k) {
  slice live, patch, error = SLICE_NONE;
  slice_cut(body, '\n', &live, &patch);
  bool object = val_is_map(json_parse(a, patch, NULL, &error)) || rng_chance(r, 1, 4);
  uint64_t which = rng_below(r, 3);
  if (which != 1) live = change(a, r, live, k);
  if (which != 0 && object) patch = change(a, r, patch, k);
  return arena_concat(a, arena_concat(a, live, SLICE_LIT("\n")), patch);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed) {
  rng r;
  fuzz_head h;
  rng_init(&r, seed);
  if (fuzz_form_of_target == FUZZ_BYTES || rng_chance(&r, 1, 2)) return LLVMFuzzerMutate(data, size, max);
  if (size >= 2 && rng_chance(&r, 1, 20)) {
    uint64_t n = rng_below(&r, schema_kind_count);
    data[0] = (uint8_t)(n >> 8);
    data[1] = (uint8_t)n;
  }
  if (!fuzz_head_open(&h, data, size)) return LLVMFuzzerMutate(data, size, max);
  arena *a = arena_create();
  slice body = fuzz_form_of_target == FUZZ_PATCH ? change_pair(a, &r, h.body, h.kind)
                                                 : change(a, &r, h.body, h.kind);
  bool fits = body.len && FUZZ_HEAD + body.len <= max;
  if (fits) memcpy(data + FUZZ_HEAD, body.ptr, body.len);
  size_t out = fits ? FUZZ_HEAD + body.len : size;
  arena_destroy(a);
  fuzz_head_close(&h);
  return fits ? out : LLVMFuzzerMutate(data, size, max);
}
