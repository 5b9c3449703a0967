/* Messages that are one value in the tree. Each is read into the same flat record,
 * because they have at most two numbers and one run of bytes. Rules: apimachinery
 * quantity_proto.go, time_proto.go, micro_time_proto.go, intstr. */
#include "codec/proto_leaf.h"

#include "base/limits.h"
#include "base/quote.h"
#include "codec/codec.h"

#define UNIX_OF_YEAR_0 (-62167219200LL)
#define UNIX_OF_YEAR_10000 253402300800LL
#define NANOS_PER_MICRO 1000

static const char time_range[] = "proto: time out of range";

typedef enum leaf_part { PART_NONE, PART_I64, PART_I32, PART_TEXT } leaf_part;

/* What fields 1, 2 and 3 are, and what gogo calls them. */
typedef struct leaf_row {
  const char *message;
  leaf_part part[3];
  const char *name[3];
} leaf_row;

typedef struct leaf {
  int64_t number[3];
  slice text;
  bool has_text;
} leaf;

static const leaf_row rows[] = {
    [TYPE_QUANTITY] = {"Quantity", {PART_TEXT}, {"String_"}},
    [TYPE_TIME] = {"Timestamp", {PART_I64, PART_I32}, {"Seconds", "Nanos"}},
    [TYPE_MICROTIME] = {"Timestamp", {PART_I64, PART_I32}, {"Seconds", "Nanos"}},
    [TYPE_DURATION] = {"Duration", {PART_I64}, {"Duration"}},
    [TYPE_INT_OR_STRING] = {"IntOrString",
                            {PART_I64, PART_I32, PART_TEXT},
                            {"Type", "IntVal", "StrVal"}},
    [TYPE_RAW_EXTENSION] = {"RawExtension", {PART_TEXT}, {"Raw"}},
    [TYPE_FIELDS_V1] = {"FieldsV1", {PART_TEXT}, {"Raw"}},
    [TYPE_JSON] = {"JSON", {PART_TEXT}, {"Raw"}},
};

bool leaf_is_message(const type_info *t) {
  return t->kind < sizeof rows / sizeof *rows && rows[t->kind].message;
}

static bool read_part(proto_in *in, leaf *out, int which, leaf_part part) {
  uint64_t n;
  if (part == PART_TEXT) {
    bool good = wire_bytes(in, &out->text);
    out->has_text |= good;
    return good;
  }
  if (!wire_varint(in, &n)) return false;
  out->number[which] = part == PART_I32 ? (int64_t)(int32_t)(uint32_t)n : (int64_t)n;
  return true;
}

static bool quantity_value_of(arena *a, const leaf *l, val **out, slice *error) {
  slice text = SLICE_LIT("0");
  slice trimmed = utf8_trim(l->text); /* JSON's decoder trims, this one does not */
  if (trimmed.len != l->text.len && l->text.len) trimmed = SLICE_LIT("?");
  if (l->has_text && !quantity_canonical(a, trimmed, &text, error)) return false;
  *out = val_string(a, text);
  return true;
}

static bool read_leaf(arena *a, slice message, const leaf_row *row, leaf *out, slice *error) {
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
    leaf_part part = number <= 3 ? row->part[number - 1] : PART_NONE;
    if (part == PART_NONE) {
      in.p = tag_at;
      if (!wire_skip(&in, &in.p)) break;
      continue;
    }
    if (type != (part == PART_TEXT ? WIRE_BYTES : WIRE_VARINT)) {
      *error = arena_printf(a, "proto: wrong wireType = %u for field %s", type,
                            row->name[number - 1]);
      return false;
    }
    bool again = part == PART_TEXT && out->has_text && row == &rows[TYPE_QUANTITY];
    val *earlier; /* parsed as soon as it is met */
    if (again && !quantity_value_of(a, out, &earlier, error)) return false;
    if (!read_part(&in, out, number - 1, part)) break;
  }
  if (in.error) *error = slice_cstr(in.error);
  return !in.error;
}

static bool time_value(arena *a, const leaf *l, bool micro, val **out, slice *error) {
  int64_t seconds = l->number[0];
  if (seconds < UNIX_OF_YEAR_0 || seconds >= UNIX_OF_YEAR_10000) {
    *error = slice_cstr(time_range); /* Go takes it, and then fails to print it */
    return false;
  }
  if (!micro) {
    *out = seconds == UNIX_OF_YEAR_1 ? NULL : val_string(a, time_text(a, seconds));
    return true;
  }
  int64_t nanos = l->number[1] - l->number[1] % NANOS_PER_MICRO;
  if (seconds == UNIX_OF_YEAR_1 && nanos == 0) {
    *out = NULL;
    return true;
  }
  *out = val_string(a, microtime_text_at(a, seconds, nanos));
  return true;
}

/* Managed fields that are no JSON are no reason to refuse the object: they are no field set, and go
 * as any other that cannot be read. */
static bool raw_value(arena *a, const leaf *l, bool field_set, val **out, slice *error) {
  *out = NULL;
  if (l->text.len == 0) return true;
  *out = json_parse_typed(a, l->text, NULL, error);
  if (!*out && field_set) {
    *error = SLICE_NONE;
    *out = val_int(a, 0);
  }
  if (!*out) return false;
  if (val_is_null(*out)) *out = NULL;
  return true;
}

/* A later message for the same field adds to what the earlier one said. */
static void leaf_from_old(leaf *l, const val *old) {
  if (val_is_int(old)) {
    l->number[1] = val_i64(old);
  } else if (val_is_string(old)) {
    l->number[0] = 1;
    l->text = val_str(old);
  }
}

bool leaf_error_waits(const type_info *t, slice error) {
  if (slice_is(error, time_range)) return true;
  bool raw = t->kind >= TYPE_RAW_EXTENSION && t->kind <= TYPE_JSON;
  bool wire = slice_has_prefix(error, SLICE_LIT("proto: ")) || slice_is(error, "unexpected EOF");
  return raw && !wire;
}

bool leaf_decode(arena *a, slice message, const type_info *t, const val *old, val **out,
                 slice *error) {
  leaf l = {{0, 0, 0}, SLICE_NONE, false};
  *out = NULL;
  bool is_time = t->kind == TYPE_TIME || t->kind == TYPE_MICROTIME;
  if (is_time && message.len == 0) return true;
  if (t->kind == TYPE_INT_OR_STRING) leaf_from_old(&l, old);
  if (!read_leaf(a, message, &rows[t->kind], &l, error)) {
    slice earlier; /* the text is parsed as soon as it is met */
    if (l.has_text && t->kind == TYPE_QUANTITY && !quantity_value_of(a, &l, out, &earlier)) {
      *error = earlier;
    }
    return false;
  }
  bool raw = t->kind >= TYPE_RAW_EXTENSION && t->kind <= TYPE_JSON;
  if ((raw || t->kind == TYPE_QUANTITY) && !l.has_text && old) {
    *out = val_shared(old);
    return true;
  }
  switch (t->kind) {
    case TYPE_QUANTITY: return quantity_value_of(a, &l, out, error);
    case TYPE_TIME:
    case TYPE_MICROTIME: return time_value(a, &l, t->kind == TYPE_MICROTIME, out, error);
    case TYPE_DURATION: *out = val_string(a, duration_text(a, l.number[0])); return true;
    case TYPE_INT_OR_STRING:
      *out = l.number[0] == 0 ? val_int(a, l.number[1]) : val_string(a, l.text);
      return true;
    default: return raw_value(a, &l, t->kind == TYPE_FIELDS_V1, out, error);
  }
}

static void time_encode(proto_out *o, const val *v, bool micro) {
  int64_t seconds = 0;
  int32_t nanos = 0;
  if (!val_is_string(v) || !time_parse(val_str(v), &seconds, &nanos)) return;
  nanos = micro ? nanos - nanos % NANOS_PER_MICRO : 0;
  if (seconds == UNIX_OF_YEAR_1 && nanos == 0) return;
  out_number(o, 2, (uint64_t)nanos);
  out_number(o, 1, (uint64_t)seconds);
}

static void raw_encode(proto_out *o, const val *v, const type_info *t) {
  if (!v) return;
  buf json;
  buf_init(&json, LIMIT_BUFFER);
  json_encode(&json, v, t); /* numbers as they came: 1.0 stays 1.0 */
  out_string(o, 1, buf_slice(&json));
  buf_dispose(&json);
}

void leaf_encode(proto_out *o, const val *v, const type_info *t) {
  int64_t ns = 0;
  switch (t->kind) {
    case TYPE_QUANTITY:
      out_string(o, 1, val_is_string(v) ? val_str(v) : SLICE_LIT("0"));
      break;
    case TYPE_TIME:
    case TYPE_MICROTIME: time_encode(o, v, t->kind == TYPE_MICROTIME); break;
    case TYPE_DURATION:
      if (v) duration_parse(val_str(v), &ns);
      out_number(o, 1, (uint64_t)ns);
      break;
    case TYPE_INT_OR_STRING:
      out_string(o, 3, val_str(v));
      out_number(o, 2, (uint64_t)val_i64(v));
      out_number(o, 1, val_is_string(v) ? 1 : 0);
      break;
    default: raw_encode(o, v, t); break;
  }
}
