/* The schema's help with protobuf bodies. The JSON written here goes to the comparison only, so
 * it is plain: no escaping of HTML, no omitted fields. */
#include "sim/replay/proto_schema.h"

#include "base/buf.h"
#include "codec/codec.h"
#include "sim/replay/proto.h"

#define JSON_MAX ((size_t)256 << 20)

static void write_string(buf *out, slice s) {
  buf_char(out, '"');
  for (size_t i = 0; i < s.len; i++) {
    unsigned char c = (unsigned char)s.ptr[i];
    if (c == '"' || c == '\\') {
      buf_char(out, '\\');
      buf_char(out, (char)c);
    } else if (c < 0x20) {
      buf_printf(out, "\\u%04x", c);
    } else {
      buf_char(out, (char)c);
    }
  }
  buf_char(out, '"');
}

static void write_val(buf *out, const val *v) {
  if (!v || val_is_null(v)) {
    buf_cstr(out, "null");
  } else if (val_is_string(v)) {
    write_string(out, val_str(v));
  } else if (val_is_bool(v)) {
    buf_cstr(out, val_true(v) ? "true" : "false");
  } else if (val_is_int(v)) {
    buf_i64(out, val_i64(v));
  } else if (val_is_float(v)) {
    buf_printf(out, "%.17g", v->u.f);
  } else if (val_is_list(v)) {
    buf_char(out, '[');
    for (uint32_t i = 0; i < val_len(v); i++) {
      buf_cstr(out, i ? "," : "");
      write_val(out, val_at(v, i));
    }
    buf_char(out, ']');
  } else {
    buf_char(out, '{');
    const char *separator = "";
    VAL_EACH(entry, v) {
      buf_cstr(out, separator);
      write_string(out, entry->key);
      buf_char(out, ':');
      write_val(out, entry->value);
      separator = ",";
    }
    buf_char(out, '}');
  }
}

slice val_to_json(arena *a, const val *v) {
  buf out;
  buf_init(&out, JSON_MAX);
  write_val(&out, v);
  slice s = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return s;
}

static const type_info *type_of(slice api_version, slice kind) {
  slice group, version;
  if (!slice_cut(api_version, '/', &group, &version)) {
    version = group;
    group = SLICE_NONE;
  }
  const kind_info *k = schema_kind(group, version, kind);
  return k ? k->type : NULL;
}

val *proto_open_body(arena *a, slice body, slice *api_version, slice *kind,
                     const type_info **type) {
  slice message, encoding, content, error = SLICE_NONE;
  if (!proto_is_envelope(body) ||
      !proto_open_envelope(a, body, api_version, kind, &message, &encoding, &content, &error)) {
    return NULL;
  }
  *type = type_of(*api_version, *kind);
  return *type ? proto_decode(a, message, *type, &error) : NULL;
}

slice proto_close_body(arena *a, slice api_version, slice kind, const val *tree,
                       const type_info *type) {
  buf message, out;
  buf_init(&message, JSON_MAX);
  buf_init(&out, JSON_MAX);
  proto_encode(&message, tree, type);
  proto_envelope(&out, api_version, kind, buf_slice(&message));
  slice s = arena_copy(a, buf_slice(&out));
  buf_dispose(&message);
  buf_dispose(&out);
  return s;
}

slice proto_to_json(arena *a, slice body) {
  slice api_version, kind;
  const type_info *type;
  const val *tree = proto_open_body(a, body, &api_version, &kind, &type);
  if (!tree) {
    return SLICE_NONE;
  }
  val *with_kind = val_map(a);
  val_setc(a, with_kind, "kind", val_string(a, kind));
  val_setc(a, with_kind, "apiVersion", val_string(a, api_version));
  VAL_EACH(entry, tree) {
    val_set(a, with_kind, entry->key, entry->value);
  }
  return val_to_json(a, with_kind);
}

static bool replace_in(arena *a, pairing *p, slice key, val *v) {
  bool changed = false;
  if (val_is_string(v)) {
    slice was = val_str(v);
    slice now = slice_is(key, "resourceVersion") ? pairing_substitute_version(p, was)
                                                 : pairing_substitute_text(p, was);
    if (now.ptr != was.ptr) {
      *v = *val_string(a, now);
      changed = true;
    }
  }
  for (uint32_t i = 0; val_is_list(v) && i < val_len(v); i++) {
    changed |= replace_in(a, p, SLICE_NONE, val_at(v, i));
  }
  VAL_EACH(entry, v) {
    changed |= replace_in(a, p, entry->key, entry->value);
  }
  return changed;
}

slice proto_substitute(arena *a, pairing *p, slice body) {
  slice api_version, kind;
  const type_info *type;
  val *tree = proto_open_body(a, body, &api_version, &kind, &type);
  if (!tree || !replace_in(a, p, SLICE_NONE, tree)) {
    return body;
  }
  return proto_close_body(a, api_version, kind, tree, type);
}
