/* From a number to cases. */
#include "conformance/codec/cases.h"

#include "base/limits.h"
#include "codec/codec.h"
#include "fuzz/generate.h"

static slice take(arena *a, buf *b) {
  slice s = arena_copy(a, buf_slice(b));
  buf_dispose(b);
  return s;
}

/* Mostly small, sometimes full. */
static uint32_t size_of(rng *r) {
  static const uint32_t sizes[] = {6, 12, 12, 24, 24, 40, 40, 80};
  if (rng_chance(r, 1, 60)) return 600;
  return sizes[rng_below(r, sizeof sizes / sizeof *sizes)];
}

static cases_flavour flavour_of(rng *r) {
  uint64_t n = rng_below(r, 100);
  if (n < 50) return CASES_VALID;
  if (n < 72) return CASES_JSON;
  if (n < 82) return CASES_YAML;
  return n < 92 ? CASES_PROTOBUF : CASES_CBOR;
}

static slice untyped_json(arena *a, const val *v) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  json_encode_any(&b, v, false);
  return take(a, &b);
}

static slice typed_yaml(arena *a, const val *v, const type_info *t) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  yaml_encode(&b, v, t);
  return take(a, &b);
}

static slice document(arena *a, const val *v, const type_info *t) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  cbor_document(&b, v, t);
  return take(a, &b);
}

static slice enveloped(arena *a, const val *v, slice message) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  proto_envelope(&b, val_get_str(v, "apiVersion"), val_get_str(v, "kind"), message);
  return take(a, &b);
}

static slice typed_message(arena *a, const val *v, const type_info *t) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  proto_encode(&b, v, t);
  return take(a, &b);
}

/* NULL where it does not conform, which the JSON case then shows. */
static val *canonical(arena *a, slice json, const type_info *t) {
  slice error;
  val *v = json_parse(a, json, NULL, &error);
  return v ? codec_conform(a, v, t, NULL, &error) : NULL;
}

static uint32_t valid_cases(arena *a, rng *r, const val *tree, uint16_t kind, oracle_case *out) {
  const kind_info *k = &schema_kinds[kind];
  slice json = untyped_json(a, tree);
  uint8_t strict = rng_chance(r, 3, 4) ? ORACLE_STRICT : 0, binary = k->type->proto_count > 0;
  uint8_t want = (uint8_t)(1u << ORACLE_JSON | (binary ? 1u << ORACLE_PROTOBUF : 0) |
                           (rng_chance(r, 1, 3) ? 1u << ORACLE_YAML : 0) |
                           (rng_chance(r, 1, 3) ? 1u << ORACLE_CBOR : 0));
  uint32_t n = 0;
  out[n++] = (oracle_case){kind, ORACLE_JSON, want | strict, json};
  val *v = canonical(a, json, k->type);
  if (!v) return n;
  if (want & (1u << ORACLE_YAML)) {
    out[n++] = (oracle_case){kind, ORACLE_YAML, (1u << ORACLE_JSON) | strict,
                             typed_yaml(a, v, k->type)};
  }
  if (want & (1u << ORACLE_CBOR)) {
    uint8_t both = 1u << ORACLE_JSON | 1u << ORACLE_CBOR;
    out[n++] = (oracle_case){kind, ORACLE_CBOR, both | strict, document(a, v, k->type)};
  }
  if (binary) {
    slice body = enveloped(a, v, typed_message(a, v, k->type));
    uint8_t both = 1u << ORACLE_JSON | 1u << ORACLE_PROTOBUF;
    out[n++] = (oracle_case){kind, ORACLE_PROTOBUF, both, body};
  }
  return n;
}

static oracle_case text_case(arena *a, rng *r, const val *tree, uint16_t kind, unsigned format) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  slice body;
  if (format == ORACLE_JSON) {
    hostile_json(&b, r, tree);
    body = take(a, &b);
  } else {
    yaml_encode(&b, tree, NULL);
    body = hostile_yaml(a, r, take(a, &b));
  }
  if (rng_chance(r, 1, 8)) body = hostile_bytes(a, r, body);
  uint8_t strict = rng_chance(r, 3, 4) ? ORACLE_STRICT : 0;
  uint8_t want = 1u << ORACLE_JSON;
  if (schema_kinds[kind].type->proto_count) want |= 1u << ORACLE_PROTOBUF;
  return (oracle_case){kind, (uint8_t)format, want | strict, body};
}

static oracle_case message_case(arena *a, rng *r, const val *tree, uint16_t kind) {
  const type_info *t = schema_kinds[kind].type;
  val *v = canonical(a, untyped_json(a, tree), t);
  slice message = v ? typed_message(a, v, t) : SLICE_LIT("");
  message = hostile_message(a, r, message);
  if (rng_chance(r, 1, 4)) message = hostile_bytes(a, r, message);
  slice body = enveloped(a, tree, message);
  if (rng_chance(r, 1, 16)) body = hostile_bytes(a, r, body);
  uint8_t want = 1u << ORACLE_JSON | 1u << ORACLE_PROTOBUF;
  return (oracle_case){kind, ORACLE_PROTOBUF, want, body};
}

/* A tree that fits in part, or other bytes. */
static oracle_case document_case(arena *a, rng *r, const val *tree, uint16_t kind) {
  slice body = document(a, tree, NULL);
  if (rng_chance(r, 1, 2)) body = hostile_bytes(a, r, body);
  uint8_t strict = rng_chance(r, 3, 4) ? ORACLE_STRICT : 0;
  return (oracle_case){kind, ORACLE_CBOR, (1u << ORACLE_JSON | 1u << ORACLE_CBOR) | strict, body};
}

uint32_t cases_make(arena *a, uint64_t seed, uint64_t n, uint16_t kind, oracle_case *out) {
  rng first, r;
  rng_init(&first, seed);
  r = rng_split(&first, n);
  cases_flavour flavour = flavour_of(&r);
  if (flavour == CASES_PROTOBUF && !schema_kinds[kind].type->proto_count) flavour = CASES_JSON;
  bool odd = flavour == CASES_JSON || flavour == CASES_YAML || flavour == CASES_CBOR;
  bool hostile = odd && rng_chance(&r, 2, 3);
  val *tree = generate_object(a, &r, &schema_kinds[kind], size_of(&r), hostile);
  switch (flavour) {
    case CASES_JSON: out[0] = text_case(a, &r, tree, kind, ORACLE_JSON); return 1;
    case CASES_YAML: out[0] = text_case(a, &r, tree, kind, ORACLE_YAML); return 1;
    case CASES_CBOR: out[0] = document_case(a, &r, tree, kind); return 1;
    case CASES_PROTOBUF: out[0] = message_case(a, &r, tree, kind); return 1;
    default: return valid_cases(a, &r, tree, kind, out);
  }
}
