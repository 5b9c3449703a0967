/* apisim's answer to a case: the same calls as for a request's body. */
#include "conformance/codec/oracle.h"

#include "base/limits.h"
#include "codec/negotiate.h"

static slice take(arena *a, buf *b) {
  slice s = arena_copy(a, buf_slice(b));
  buf_dispose(b);
  return s;
}

/* The kind that a protobuf body names stands in its envelope; in a tree it comes first. */
static val *with_type_meta(arena *a, slice body, val *v) {
  slice part[5], error;
  val *out = val_map(a);
  if (!proto_open_envelope(a, body, &part[0], &part[1], &part[2], &part[3], &part[4], &error)) {
    return v;
  }
  if (part[1].len) val_setc(a, out, "kind", val_string(a, part[1]));
  if (part[0].len) val_setc(a, out, "apiVersion", val_string(a, part[0]));
  VAL_EACH(e, v) {
    bool own = slice_is(e->key, "kind") || slice_is(e->key, "apiVersion");
    if (!own || !val_get(out, e->key)) val_set(a, out, e->key, e->value);
  }
  return out;
}

static slice encode(arena *a, unsigned format, const val *v, const kind_info *k) {
  buf b, message;
  buf_init(&b, LIMIT_BUFFER);
  switch (format) {
    case ORACLE_JSON:
      json_encode(&b, v, k->type);
      buf_char(&b, '\n');
      break;
    case ORACLE_YAML: yaml_encode(&b, v, k->type); break;
    case ORACLE_PROTOBUF:
      buf_init(&message, LIMIT_BUFFER);
      proto_encode(&message, v, k->type);
      proto_envelope(&b, val_get_str(v, "apiVersion"), val_get_str(v, "kind"),
                     buf_slice(&message));
      buf_dispose(&message);
      break;
    default: break;
  }
  return take(a, &b);
}

oracle_answer oracle_ours(arena *a, const oracle_case *c) {
  static const body_format formats[] = {FORMAT_JSON, FORMAT_YAML, FORMAT_PROTOBUF};
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
  if (c->format == ORACLE_PROTOBUF) v = with_type_meta(a, c->body, v);
  for (unsigned f = 0; f < ORACLE_FORMATS; f++) {
    if (c->flags & (1u << f)) answer.encodings[f] = encode(a, f, v, k);
  }
  return answer;
}
