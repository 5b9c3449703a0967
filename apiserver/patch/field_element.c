/* Spelling of path elements. Plain strings, which are nearly all, are quoted without the
 * JSON writer: this runs for every list item of every write. */
#include "patch/field_element.h"

#include "base/limits.h"
#include "codec/codec.h"

#include <stdio.h>

static bool is_plain(slice s) {
  for (size_t i = 0; i < s.len; i++) {
    unsigned char c = (unsigned char)s.ptr[i];
    if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&') {
      return false;
    }
  }
  return true;
}

slice field_element_name(arena *a, slice name) {
  return arena_concat(a, SLICE_LIT("f:"), name);
}

static slice written(arena *a, slice prefix, const val *v) {
  buf out;
  buf_init(&out, LIMIT_BUFFER);
  buf_append(&out, prefix);
  json_encode_any(&out, v, false);
  slice text = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return text;
}

slice field_element_value(arena *a, const val *scalar) {
  slice s = val_str(scalar);
  if (!val_is_string(scalar) || !is_plain(s)) return written(a, SLICE_LIT("v:"), scalar);
  char *p = arena_alloc(a, s.len + 5);
  memcpy(p, "v:\"", 3);
  if (s.len) memcpy(p + 3, s.ptr, s.len);
  memcpy(p + 3 + s.len, "\"", 2);
  return slice_of(p, s.len + 4);
}

static bool keys_plain(const val *keys, size_t *len) {
  *len = 4;
  VAL_EACH(e, keys) {
    bool plain = is_plain(e->key) && (val_is_int(e->value) ||
                                      (val_is_string(e->value) && is_plain(val_str(e->value))));
    if (!plain) return false;
    *len += e->key.len + 4 + (val_is_int(e->value) ? 24 : e->value->count + 2);
  }
  return true;
}

static char *put(char *at, slice s) {
  if (s.len) memcpy(at, s.ptr, s.len);
  return at + s.len;
}

slice field_element_key(arena *a, val *keys) {
  val_sort(keys);
  size_t size;
  if (!keys_plain(keys, &size)) return written(a, SLICE_LIT("k:"), keys);
  char *text = arena_alloc(a, size + 1), *at = put(text, SLICE_LIT("k:{"));
  VAL_EACH(e, keys) {
    if (e != keys->u.entries) *at++ = ',';
    *at++ = '"';
    at = put(at, e->key);
    at = put(at, SLICE_LIT("\":"));
    if (val_is_int(e->value)) {
      at += snprintf(at, 24, "%lld", (long long)e->value->u.i);
    } else {
      *at++ = '"';
      at = put(at, val_str(e->value));
      *at++ = '"';
    }
  }
  *at++ = '}';
  return slice_of(text, (size_t)(at - text));
}

slice field_quote(arena *a, slice s) {
  if (is_plain(s) || slice_find_char(s, '"') < 0) {
    bool odd = false;
    for (size_t i = 0; i < s.len; i++) {
      odd = odd || (unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == '\\';
    }
    if (!odd) return arena_printf(a, "\"%.*s\"", SLICE_ARG(s));
  }
  buf out;
  buf_init(&out, LIMIT_BUFFER);
  buf_char(&out, '"');
  for (size_t i = 0; i < s.len; i++) {
    char c = s.ptr[i];
    const char *short_form = c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\r' ? "\\r" : NULL;
    if (short_form) buf_cstr(&out, short_form);
    else if ((unsigned char)c < 0x20 || c == 0x7f) buf_printf(&out, "\\x%02x", (unsigned)c);
    else {
      if (c == '"' || c == '\\') buf_char(&out, '\\');
      buf_char(&out, c);
    }
  }
  buf_char(&out, '"');
  slice text = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return text;
}
