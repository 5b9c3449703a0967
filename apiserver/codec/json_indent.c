/* ?pretty=true: compact JSON spread over lines, two spaces a level, as Go's json.Indent does. */
#include "codec/codec.h"


static void new_line(buf *out, uint32_t depth) {
  buf_char(out, '\n');
  for (uint32_t i = 0; i < depth; i++) buf_lit(out, "  ");
}

/* Offset behind the string literal that starts at i. */
static size_t string_end(slice s, size_t i) {
  for (i++; i < s.len && s.ptr[i] != '"'; i++) {
    if (s.ptr[i] == '\\') i++;
  }
  return i < s.len ? i + 1 : s.len;
}

void json_indent_part(buf *out, slice compact, json_indent_state *s) {
  for (size_t i = 0; i < compact.len;) {
    char c = compact.ptr[i];
    if (c == '}' || c == ']') {
      s->depth -= s->depth > 0;
      if (!s->opened) new_line(out, s->depth);
      s->opened = false;
      buf_char(out, c);
      i++;
      continue;
    }
    if (s->opened) new_line(out, s->depth);
    s->opened = false;
    if (c == '"') {
      size_t end = string_end(compact, i);
      buf_append(out, slice_of(compact.ptr + i, end - i));
      i = end;
      continue;
    }
    buf_char(out, c);
    if (c == '{' || c == '[') {
      s->depth++;
      s->opened = true;
    } else if (c == ',') {
      new_line(out, s->depth);
    } else if (c == ':') {
      buf_char(out, ' ');
    }
    i++;
  }
}

void json_indent(buf *out, slice compact) {
  json_indent_state s = {0};
  json_indent_part(out, compact, &s);
}
