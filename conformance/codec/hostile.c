/* Text and messages that decoders stumble over. */
#include "conformance/codec/cases.h"

#include "codec/codec.h"
#include "codec/proto_wire.h"

#define PICK(r, list) (list)[rng_below((r), sizeof(list) / sizeof *(list))]

/* ---- JSON ---- */

static void space(buf *out, rng *r) {
  static const char *const texts[] = {" ", "\n", "\t", "\r\n  ", "   "};
  if (rng_chance(r, 1, 12)) buf_cstr(out, PICK(r, texts));
}

/* A literal in which some characters are escaped that need not be. */
static void odd_string(buf *out, rng *r, slice s) {
  static const char *const pieces[] = {"\\ud800", "\\ud83d\\ude00", "\\u0000", "\\/", "\\b",
                                       "\xff",    "\xe2\x80\xa8",   "\\udc00", "\\u2028", "\x7f"};
  bool odd = rng_chance(r, 1, 20);
  if (!odd) {
    json_encode_string(out, s);
    return;
  }
  buf_char(out, '"');
  for (size_t i = 0; i < s.len; i++) {
    unsigned char c = (unsigned char)s.ptr[i];
    if (c < ' ' || c == '"' || c == '\\' || (c < 0x80 && rng_chance(r, 1, 3))) {
      buf_printf(out, "\\u%04x", c);
    } else {
      buf_char(out, (char)c);
    }
  }
  if (rng_chance(r, 1, 2)) buf_cstr(out, PICK(r, pieces));
  buf_char(out, '"');
}

static void odd_token(buf *out, rng *r) {
  static const char *const tokens[] = {
      "null", "null", "null", "true", "1", "-0", "1.0", "1e2", "1E+2", "-1.5e-7", "1e400",
      "9223372036854775807", "9223372036854775808", "-9223372036854775809", "2147483648", "0.1",
      "18446744073709551616", "123456789012345678901234567890", "\"\"", "\"1\"", "\"x\"", "[]",
      "{}", "[null]", "[[]]", "{\"a\":null}", "[1,\"a\"]", "\"100Mi\"", "\"2026-11-20\"",
      "\"2026-11-20T18:00:00Z\"", "\"2026-11-20T18:00:00.5+01:00\"", "\"1.\"", "\"1e3\"",
      "\"YQ\"", "\"YQ==\"", "\"?\"", "0", "false", "1.5", "3.0", "1e0", "\"10%\""};
  buf_cstr(out, PICK(r, tokens));
}

static void odd_key(buf *out, rng *r, slice key) {
  char copy[64];
  if (key.len == 0 || key.len > sizeof copy || !rng_chance(r, 1, 80)) {
    odd_string(out, r, key);
    return;
  }
  memcpy(copy, key.ptr, key.len);
  copy[rng_below(r, key.len)] ^= 0x20; /* another case, mostly */
  odd_string(out, r, slice_of(copy, key.len));
}

static void member(buf *out, rng *r, slice key, const val *value) {
  odd_key(out, r, key);
  space(out, r);
  buf_char(out, ':');
  if (rng_chance(r, 1, 50)) odd_token(out, r);
  else hostile_json(out, r, value);
}

static void members(buf *out, rng *r, const val *v) {
  static const char *const unknown[] = {"unknown", "", "metadata ", "Spec", "a.b", "x\"y", "kind"};
  const char *comma = "";
  VAL_EACH(e, v) {
    buf_cstr(out, comma);
    comma = ",";
    space(out, r);
    if (rng_chance(r, 1, 60)) {
      odd_string(out, r, slice_cstr(PICK(r, unknown)));
      buf_char(out, ':');
      if (rng_chance(r, 1, 2)) odd_token(out, r);
      else hostile_json(out, r, e->value);
      buf_char(out, ',');
    }
    if (rng_chance(r, 1, 60)) { /* twice: something else first, or behind */
      member(out, r, e->key, v->u.entries[rng_below(r, v->count)].value);
      buf_char(out, ',');
    }
    member(out, r, e->key, e->value);
    if (rng_chance(r, 1, 100)) {
      buf_char(out, ',');
      member(out, r, v->u.entries[rng_below(r, v->count)].key, e->value);
    }
  }
}

void hostile_json(buf *out, rng *r, const val *v) {
  space(out, r);
  if (val_is_map(v)) {
    buf_char(out, '{');
    members(out, r, v);
    buf_char(out, '}');
  } else if (val_is_list(v)) {
    buf_char(out, '[');
    for (uint32_t i = 0; i < v->count; i++) {
      if (i) buf_char(out, ',');
      if (rng_chance(r, 1, 50)) odd_token(out, r);
      else hostile_json(out, r, v->u.items[i]);
    }
    buf_char(out, ']');
  } else if (val_is_string(v)) {
    odd_string(out, r, val_str(v));
  } else if (rng_chance(r, 1, 30)) {
    odd_token(out, r);
  } else {
    json_encode_any(out, v, false);
  }
  space(out, r);
}

/* ---- bytes ---- */

slice hostile_bytes(arena *a, rng *r, slice s) {
  static const char interesting[] = "\0\1\x7f\x80\xff{}[]\",:\\ \n-+.eE0tfn&*|>'#%@`!?\x08\x0a\x12";
  for (uint64_t n = 1 + rng_below(r, 3); n; n--) {
    size_t at = s.len ? rng_below(r, s.len) : 0;
    slice head = slice_upto(s, at), tail = slice_from(s, at);
    char c = interesting[rng_below(r, sizeof interesting - 1)];
    switch (rng_below(r, 5)) {
      case 0: s = rng_chance(r, 1, 3) ? head : s; break; /* cut off */
      case 1: s = arena_concat(a, head, slice_from(tail, 1 + rng_below(r, 3))); break;
      case 2: s = arena_concat(a, arena_concat(a, head, slice_of(&c, 1)), tail); break;
      case 3: s = arena_concat(a, arena_concat(a, head, slice_of(&c, 1)), slice_from(tail, 1)); break;
      default: s = arena_concat(a, arena_concat(a, head, slice_upto(tail, 1 + rng_below(r, 20))), tail);
    }
  }
  return s;
}

/* ---- YAML ---- */

static const char *const yaml_values[] = {
    "yes", "no", "on", "Off", "y", "n", "~", "", "null", "Null", "017", "0o17", "0b101", "0x1F", "1_000", "1:30",
    "190:20:30", ".inf", "-.INF", ".NaN", "1e3", "1.", ".5", "+1", "-0", "0.0", "12345678901234567890", "1e400",
    "2001-12-14", "2001-12-14T21:59:43.10-05:00", "2026-11-20 18:00:00", "\"a\\x41\\u263A\"", "'it''s'", "&a 1", "*a",
    "!!str 1", "!!int \"3\"", "!!binary YQ==", "!!float 1", "!!null ''", "!x y", "[a, b", "[1, 2]", "{a: 1, a: 2}",
    "{a: {b: c}}", "|\n      text\n      more", ">-\n      folded\n      text", "- a", "a: b", "@", "`", "%", "=", "<<",
    "!!timestamp 2001-12-14", "true # note", "\"\\ud800\"", "0x", "0b2", "1__0", "_1", "1e", "---", "..."};

static slice one_line(arena *a, rng *r, slice line) {
  ptrdiff_t colon = slice_find(line, SLICE_LIT(":"));
  slice key = colon < 0 ? SLICE_LIT("  odd") : slice_upto(line, (size_t)colon);
  const char *value = PICK(r, yaml_values);
  switch (rng_below(r, 7)) {
    case 0: return arena_printf(a, "%.*s\n%.*s", SLICE_ARG(line), SLICE_ARG(line));
    case 1: return SLICE_LIT("# gone");
    case 2: return arena_printf(a, "%.*s\n%.*sX: %s", SLICE_ARG(line), SLICE_ARG(key), value);
    case 3: return arena_printf(a, " %.*s", SLICE_ARG(line));
    default: return arena_printf(a, "%.*s: %s", SLICE_ARG(key), value);
  }
}

slice hostile_yaml(arena *a, rng *r, slice text) {
  buf out;
  buf_init(&out, (size_t)1 << 24);
  uint64_t share = 4 + rng_below(r, 40);
  while (text.len) {
    slice line;
    slice_cut(text, '\n', &line, &text);
    buf_append(&out, rng_chance(r, 1, share) ? one_line(a, r, line) : line);
    buf_char(&out, '\n');
  }
  if (rng_chance(r, 1, 40)) buf_cstr(&out, "---\nkind: Other\n");
  slice s = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return s;
}

/* ---- protobuf ---- */

bool message_split(arena *a, slice message, message_fields *out) {
  proto_in in = {message.ptr, message.ptr, message.ptr + message.len, NULL};
  *out = (message_fields){0};
  while (in.p < in.limit) {
    const char *start = in.p, *over = NULL;
    if (!wire_skip(&in, &over) || over <= start) return false;
    out->fields = arena_more(a, out->fields, out->count, &out->cap, sizeof(slice));
    out->fields[out->count++] = slice_of(start, (size_t)(over - start));
    in.p = over;
  }
  return true;
}

bool message_field_body(slice field, slice *tag, slice *body) {
  proto_in in = {field.ptr, field.ptr, field.ptr + field.len, NULL};
  uint64_t n;
  if (!wire_varint(&in, &n) || (n & 7) != WIRE_BYTES) return false;
  *tag = slice_of(field.ptr, (size_t)(in.p - field.ptr));
  return wire_bytes(&in, body);
}

slice message_join(arena *a, const message_fields *m) {
  size_t len = 0;
  for (uint32_t i = 0; i < m->count; i++) len += m->fields[i].len;
  char *p = arena_alloc(a, len + 1);
  size_t at = 0;
  for (uint32_t i = 0; i < m->count; i++) {
    memcpy(p + at, m->fields[i].ptr, m->fields[i].len);
    at += m->fields[i].len;
  }
  return slice_of(p, at);
}

static slice field_with(arena *a, slice tag, slice body) {
  char len[VARINT_MAX];
  slice l = slice_of(len, varint_put(len, body.len));
  return arena_concat(a, arena_concat(a, tag, l), body);
}

static slice odd_field(arena *a, rng *r, slice like) {
  static const slice odd[] = {
      {"\xa2\x1f\x01x", 4}, {"\x08\x05", 2}, {"\x09" "12345678", 9}, {"\x0d" "1234", 5}, {"\x12\0", 2},
      {"\x0a\x02\x08\x01", 4}, {"\x0b\x0c", 2}, {"\x0c", 1}, {"\x07", 1}, {"\0", 1}, {"\x1a\x01\xff", 3},
      {"\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11}, {"\x28\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12}};
  if (rng_chance(r, 1, 2) || !like.len) return PICK(r, odd);
  char *p = arena_cstr(a, like); /* the same with another wire type or number */
  p[0] = (char)(p[0] ^ (1 << rng_below(r, 5)));
  return slice_of(p, like.len);
}

/* Goes down a chance path, then changes the message reached. */
slice hostile_message(arena *a, rng *r, slice message) {
  message_fields m;
  if (!message_split(a, message, &m)) return hostile_bytes(a, r, message);
  for (uint64_t n = 1 + rng_below(r, 2); n; n--) {
    uint32_t i = m.count ? (uint32_t)rng_below(r, m.count) : 0;
    slice tag, body;
    if (m.count && rng_chance(r, 2, 3) && message_field_body(m.fields[i], &tag, &body)) {
      m.fields[i] = field_with(a, tag, hostile_message(a, r, body));
      continue;
    }
    uint32_t j = m.count ? (uint32_t)rng_below(r, m.count) : 0;
    slice was = m.count ? m.fields[i] : SLICE_LIT("");
    switch (m.count ? rng_below(r, 5) : 4) {
      case 0: m.fields[i] = m.fields[j], m.fields[j] = was; break; /* another order */
      case 1: m.fields[i] = SLICE_LIT(""); break;
      case 2: m.fields[i] = arena_concat(a, was, m.fields[j]); break; /* once more */
      case 3: m.fields[i] = arena_concat(a, odd_field(a, r, was), was); break;
      default:
        m.fields = arena_more(a, m.fields, m.count, &m.cap, sizeof(slice));
        m.fields[m.count++] = odd_field(a, r, was);
    }
  }
  return message_join(a, &m);
}
