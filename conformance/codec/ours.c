/* apisim's answer to a case: the same calls as for a request's body. */
#include "conformance/codec/oracle.h"

#include "base/limits.h"
#include "codec/negotiate.h"

static slice take(arena *a, buf *b) {
  slice s = arena_copy(a, buf_slice(b));
  buf_dispose(b);
  return s;
}

/* Decoding protobuf says what the object is; in a tree that comes first. */
static val *with_type_meta(arena *a, slice body, const kind_info *k, val *v) {
  val *out = val_map(a);
  slice version = k->version, part[5], error;
  if (!type_field(k->type, SLICE_LIT("kind"))) return v; /* WatchEvent */
  if (k->group.len) {
    version = arena_printf(a, "%.*s/%.*s", SLICE_ARG(k->group), SLICE_ARG(k->version));
  }
  proto_open_envelope(a, body, &part[0], &part[1], &part[2], &part[3], &part[4], &error);
  if (part[0].len && slice_find_char(part[0], '/') < 0) version = part[0]; /* any, of a few kinds */
  val_setc(a, out, "kind", val_string(a, k->kind));
  val_setc(a, out, "apiVersion", val_string(a, version));
  VAL_EACH(e, v) {
    if (!val_get(out, e->key)) val_set(a, out, e->key, e->value);
  }
  return out;
}

/* As Go parses and writes it: "/v1" is "v1", and what has two slashes is no version at all. */
static slice group_version(slice text) {
  slice group, version;
  if (!slice_cut(text, '/', &group, &version)) return text;
  if (slice_find_char(version, '/') >= 0) return SLICE_LIT("");
  return group.len ? text : version;
}

static slice encode(arena *a, unsigned format, const val *v, const kind_info *k) {
  slice version = val_get_str(v, "apiVersion");
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  switch (format) {
    case ORACLE_JSON:
      json_encode(&b, v, k->type);
      buf_char(&b, '\n');
      break;
    case ORACLE_YAML: yaml_encode(&b, v, k->type); break;
    case ORACLE_PROTOBUF:
      version = group_version(version);
      proto_encode_object(&b, v, k->type, version, val_get_str(v, "kind"));
      break;
    case ORACLE_CBOR: cbor_document(&b, v, k->type); break;
    default: break;
  }
  return take(a, &b);
}

oracle_answer oracle_ours(arena *a, const oracle_case *c) {
  static const body_format formats[] = {FORMAT_JSON, FORMAT_YAML, FORMAT_PROTOBUF, FORMAT_CBOR};
  oracle_answer answer = {.status = ORACLE_REFUSED};
  strict_report strict = {0};
  const kind_info *k = &schema_kinds[c->kind];
  val *v = negotiate_decode_bytes(a, formats[c->format], c->body, k, &strict, &k, &answer.error);
  if (!v) return answer;
  answer.status = ORACLE_GOOD;
  answer.error = SLICE_LIT("");
  if (strict.count && (c->flags & ORACLE_STRICT)) {
    answer.status = ORACLE_NOT_STRICT;
    answer.error = strict_error(a, &strict);
  }
  if (c->format == ORACLE_PROTOBUF) v = with_type_meta(a, c->body, k, v);
  for (unsigned f = 0; f < ORACLE_FORMATS; f++) {
    if (c->flags & (1u << f)) answer.encodings[f] = encode(a, f, v, k);
  }
  return answer;
}
