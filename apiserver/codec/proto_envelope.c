/* The k8s envelope: four magic bytes, then a runtime.Unknown that says what is inside.
 * Source: apimachinery pkg/runtime/serializer/protobuf, pkg/runtime/generated.proto. */
#include "codec/codec.h"
#include "codec/proto_wire.h"

#define MAGIC "k8s\0"
#define MAGIC_LEN ((size_t)4)

enum { UNKNOWN_TYPE = 1, UNKNOWN_RAW = 2, UNKNOWN_ENCODING = 3, UNKNOWN_CONTENT = 4 };
enum { TYPE_API_VERSION = 1, TYPE_KIND_NAME = 2 };

void proto_envelope(buf *out, slice api_version, slice kind, slice message) {
  proto_out o = {out, 0};
  out_string(&o, UNKNOWN_CONTENT, SLICE_NONE);
  out_string(&o, UNKNOWN_ENCODING, SLICE_NONE);
  out_string(&o, UNKNOWN_RAW, message);
  size_t mark = o.used;
  out_string(&o, TYPE_KIND_NAME, kind);
  out_string(&o, TYPE_API_VERSION, api_version);
  out_close(&o, mark, UNKNOWN_TYPE);
  out_append(&o, slice_of(MAGIC, MAGIC_LEN));
  out_finish(&o);
}

/* A message of length-delimited fields alone: field n goes to *fields[n - 1]. The first may be
 * a message of the same sort, which gogo reads as soon as it meets it. */
typedef struct texts_row {
  const char *message;
  uint32_t count;
  const char *names[4];
  const struct texts_row *first;
} texts_row;

static bool read_texts(arena *a, slice message, const texts_row *row, slice *const *fields,
                       slice *const *inner, slice *error) {
  proto_in in = {message.ptr, message.ptr, message.ptr + message.len, NULL};
  while (in.p < in.limit) {
    const char *tag_at = in.p;
    uint64_t wire;
    if (!wire_varint(&in, &wire)) break;
    int32_t number = (int32_t)(uint32_t)(wire >> 3);
    unsigned type = (unsigned)(wire & 7);
    if (type == WIRE_END || number <= 0) {
      *error = wire_tag_error(a, slice_cstr(row->message), number, wire);
      return false;
    }
    if ((uint32_t)number > row->count) {
      in.p = tag_at;
      if (!wire_skip(&in, &in.p)) break;
      continue;
    }
    if (type != WIRE_BYTES) {
      *error = arena_printf(a, "proto: wrong wireType = %u for field %s", type,
                            row->names[number - 1]);
      return false;
    }
    if (!wire_bytes(&in, fields[number - 1])) break;
    bool nested = number == 1 && row->first;
    if (nested && !read_texts(a, *fields[0], row->first, inner, NULL, error)) return false;
  }
  if (in.error) *error = slice_cstr(in.error);
  return !in.error;
}

bool proto_open_envelope(arena *a, slice body, slice *api_version, slice *kind, slice *message,
                         slice *content_encoding, slice *content_type, slice *error) {
  static const texts_row type_meta = {"TypeMeta", 2, {"APIVersion", "Kind"}, NULL};
  static const texts_row unknown = {
      "Unknown", 4, {"TypeMeta", "Raw", "ContentEncoding", "ContentType"}, &type_meta};
  slice type = SLICE_LIT("");
  *api_version = *kind = *message = *content_encoding = *content_type = SLICE_LIT("");
  slice *const outer[] = {&type, message, content_encoding, content_type};
  slice *const inner[] = {api_version, kind};
  if (body.len == 0) {
    *error = SLICE_LIT("empty data");
    return false;
  }
  if (!slice_has_prefix(body, slice_of(MAGIC, MAGIC_LEN))) {
    *error = SLICE_LIT("provided data does not appear to be a protobuf message, expected "
                       "prefix [107 56 115 0]");
    return false;
  }
  if (body.len == MAGIC_LEN) {
    *error = SLICE_LIT("empty body");
    return false;
  }
  return read_texts(a, slice_from(body, MAGIC_LEN), &unknown, outer, inner, error);
}

/* Forwards: the length is known, so nothing has to be moved into place. */
void proto_append_field(buf *out, uint32_t number, slice bytes) {
  char head[2 * VARINT_MAX];
  size_t len = varint_put(head, (uint64_t)number << 3 | WIRE_BYTES);
  len += varint_put(head + len, bytes.len);
  buf_append(out, slice_of(head, len));
  buf_append(out, bytes);
}

void proto_envelope_open(buf *out, slice api_version, slice kind, uint64_t message_len) {
  char head[2 * VARINT_MAX];
  buf type;
  buf_init(&type, out->ceiling);
  proto_append_field(&type, TYPE_API_VERSION, api_version);
  proto_append_field(&type, TYPE_KIND_NAME, kind);
  buf_append(out, slice_of(MAGIC, MAGIC_LEN));
  proto_append_field(out, UNKNOWN_TYPE, buf_slice(&type));
  buf_dispose(&type);
  size_t len = varint_put(head, (uint64_t)UNKNOWN_RAW << 3 | WIRE_BYTES);
  len += varint_put(head + len, message_len);
  buf_append(out, slice_of(head, len));
}

void proto_envelope_close(buf *out) {
  proto_append_field(out, UNKNOWN_ENCODING, SLICE_NONE);
  proto_append_field(out, UNKNOWN_CONTENT, SLICE_NONE);
}

void proto_watch_frame(buf *out, slice event_type, slice enveloped) {
  enum { EVENT_TYPE = 1, EVENT_OBJECT = 2, EXTENSION_RAW = 1 };
  proto_out o = {out, 0};
  out_string(&o, EXTENSION_RAW, enveloped);
  out_close(&o, 0, EVENT_OBJECT);
  out_string(&o, EVENT_TYPE, event_type);
  uint32_t len = (uint32_t)o.used;
  for (unsigned i = 0; i < sizeof len; i++) out_byte(&o, (uint8_t)(len >> (8 * i)));
  out_finish(&o);
}
