/* How one string is written: plain where nothing speaks against it, else in quotes, several
 * lines as a literal block. The conditions are libyaml's, with go-yaml v2's choice of style. */
#include "codec/yaml_emit.h"

#include "codec/strict.h"
#include "codec/yaml_scalar.h"

#define WIDTH 80
#define KEY_MAX 128u

typedef enum style { STYLE_PLAIN, STYLE_SINGLE, STYLE_DOUBLE, STYLE_LITERAL } style;

typedef struct analysis {
  bool multiline, plain, single, block; /* the latter three: may it be written so? */
} analysis;

/* ---- characters ---- */

static unsigned width(slice s, size_t i) {
  unsigned len = utf8_sequence(s.ptr + i, s.ptr + s.len);
  return len ? len : 1;
}

static uint32_t code(slice s, size_t i) { return utf8_get(s.ptr + i, width(s, i)); }

static bool is_break(slice s, size_t i) {
  uint32_t c = i < s.len ? code(s, i) : 0;
  return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

static bool is_space(slice s, size_t i) { return i < s.len && s.ptr[i] == ' '; }

static bool is_blank_or_end(slice s, size_t i) {
  return i >= s.len || s.ptr[i] == ' ' || s.ptr[i] == '\t';
}

/* Printable as libyaml counts it: nothing past the basic plane, no tab. */
static bool is_printable(uint32_t c) {
  return c == '\n' || (c >= 0x20 && c <= 0x7E) || (c >= 0xA0 && c <= 0xD7FF) ||
         (c >= 0xE000 && c <= 0xFFFD && c != 0xFEFF);
}

/* ---- output ---- */

static void put(yaml_emitter *e, char c) {
  buf_char(e->out, c);
  e->column++;
}

static void new_line(yaml_emitter *e) {
  buf_char(e->out, '\n');
  e->column = 0;
}

/* One character of s as it is. Returns its length. */
static size_t put_char(yaml_emitter *e, slice s, size_t i) {
  unsigned len = width(s, i);
  buf_append(e->out, slice_of(s.ptr + i, len));
  e->column++;
  return len;
}

static size_t put_break(yaml_emitter *e, slice s, size_t i) {
  size_t len = put_char(e, s, i);
  e->column = 0;
  return len;
}

void yaml_emit_indent(yaml_emitter *e, int indent) {
  if (!e->indention || e->column > indent || (e->column == indent && !e->whitespace)) new_line(e);
  while (e->column < indent) put(e, ' ');
  e->whitespace = true;
  e->indention = true;
}

void yaml_emit_indicator(yaml_emitter *e, char c, bool need_whitespace, bool is_indention) {
  if (need_whitespace && !e->whitespace) put(e, ' ');
  put(e, c);
  e->whitespace = false;
  e->indention = e->indention && is_indention;
}

static void end_scalar(yaml_emitter *e) {
  e->whitespace = false;
  e->indention = false;
}

void yaml_emit_plain(yaml_emitter *e, slice text) {
  if (!e->whitespace) put(e, ' ');
  buf_append(e->out, text);
  e->column += (int)text.len;
  end_scalar(e);
}

/* ---- which style ---- */

static bool starts_indicator(slice s, bool blank_next) {
  char c = s.ptr[0];
  if (c && strchr("#,[]{}&*!|>'\"%@`", c)) return true;
  return blank_next && (c == '?' || c == ':' || c == '-');
}

static analysis analyze(slice s) {
  bool indicators = false, special = false, space_break = false, break_space = false;
  bool was_space = false, was_break = false, after_blank = true;
  analysis out = {.multiline = false, .plain = true, .single = true, .block = s.len > 0};
  if (s.len == 0) return out;
  if (s.len >= 3) indicators = memcmp(s.ptr, "---", 3) == 0 || memcmp(s.ptr, "...", 3) == 0;
  for (size_t i = 0, w; i < s.len; i += w) {
    w = width(s, i);
    bool blank_next = is_blank_or_end(s, i + w), space = is_space(s, i), line = is_break(s, i);
    if (i == 0) indicators |= starts_indicator(s, blank_next);
    else indicators |= (s.ptr[i] == ':' && blank_next) || (s.ptr[i] == '#' && after_blank);
    special |= !is_printable(code(s, i));
    out.multiline |= line;
    break_space |= space && was_break;
    space_break |= line && was_space;
    was_space = space;
    was_break = line;
    after_blank = space || line || s.ptr[i] == '\t' || s.ptr[i] == '\0';
  }
  bool edge = is_space(s, 0) || is_break(s, 0) || was_space || was_break;
  out.plain = !edge && !break_space && !space_break && !special && !out.multiline && !indicators;
  out.single = !break_space && !space_break && !special;
  out.block = !was_space && !space_break && !special;
  return out;
}

/* [-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)? */
static bool is_base60(slice s) {
  size_t i = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+');
  size_t groups = 0;
  if (i >= s.len || s.ptr[i] < '0' || s.ptr[i] > '9') return false;
  while (i < s.len && ((s.ptr[i] >= '0' && s.ptr[i] <= '9') || s.ptr[i] == '_')) i++;
  while (i < s.len && s.ptr[i] == ':') {
    size_t digits = i + 1;
    while (digits < s.len && s.ptr[digits] >= '0' && s.ptr[digits] <= '9') digits++;
    size_t n = digits - i - 1;
    if (n == 0 || n > 2 || (n == 2 && s.ptr[i + 1] > '5')) return false;
    groups++;
    i = digits;
  }
  if (i < s.len && s.ptr[i] == '.') {
    i++;
    while (i < s.len && ((s.ptr[i] >= '0' && s.ptr[i] <= '9') || s.ptr[i] == '_')) i++;
  }
  return groups > 0 && i == s.len;
}

static style choose(slice s, bool key, const analysis *a) {
  bool lines = s.len && memchr(s.ptr, '\n', s.len);
  if (lines) return a->block && !key ? STYLE_LITERAL : STYLE_DOUBLE;
  if (yaml_resolve(s).type != YAML_STR || is_base60(s)) return STYLE_DOUBLE;
  if (key && a->multiline) return STYLE_DOUBLE;
  if (a->plain) return STYLE_PLAIN;
  return a->single ? STYLE_SINGLE : STYLE_DOUBLE;
}

bool yaml_is_simple_key(slice key) {
  return key.len <= KEY_MAX && !analyze(key).multiline;
}

/* ---- writing in each style ---- */

/* Plain and single-quoted text: folded at single spaces, line ends doubled. */
static void write_flowing(yaml_emitter *e, slice s, int indent, bool fold, bool quoted) {
  bool spaces = false, breaks = false;
  for (size_t i = 0; i < s.len;) {
    if (is_space(s, i)) {
      bool inner = !quoted || (i > 0 && i + 1 < s.len);
      if (fold && !spaces && e->column > WIDTH && inner && !is_space(s, i + 1)) {
        yaml_emit_indent(e, indent);
        i++;
      } else {
        i += put_char(e, s, i);
      }
      spaces = true;
    } else if (is_break(s, i)) {
      if (!breaks && s.ptr[i] == '\n') new_line(e);
      i += put_break(e, s, i);
      e->indention = true;
      breaks = true;
    } else {
      if (breaks) yaml_emit_indent(e, indent);
      if (quoted && s.ptr[i] == '\'') put(e, '\'');
      i += put_char(e, s, i);
      e->indention = false;
      spaces = breaks = false;
    }
  }
}

static void write_escape(yaml_emitter *e, uint32_t c) {
  static const struct {
    uint16_t code;
    char letter;
  } named[] = {{0, '0'},    {7, 'a'},   {8, 'b'},    {9, 't'},      {10, 'n'},
               {11, 'v'},   {12, 'f'},  {13, 'r'},   {27, 'e'},     {'"', '"'},
               {'\\', '\\'}, {0x85, 'N'}, {0xA0, '_'}, {0x2028, 'L'}, {0x2029, 'P'}};
  put(e, '\\');
  for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
    if (named[i].code != c) continue;
    put(e, named[i].letter);
    return;
  }
  int digits = c <= 0xFF ? 2 : c <= 0xFFFF ? 4 : 8;
  put(e, digits == 2 ? 'x' : digits == 4 ? 'u' : 'U');
  while (digits-- > 0) put(e, "0123456789ABCDEF"[(c >> (4 * digits)) & 15]);
}

static void write_double(yaml_emitter *e, slice s, int indent, bool fold) {
  bool spaces = false;
  yaml_emit_indicator(e, '"', true, false);
  for (size_t i = 0; i < s.len;) {
    uint32_t c = code(s, i);
    if (!is_printable(c) || is_break(s, i) || c == '"' || c == '\\') {
      write_escape(e, c);
      i += width(s, i);
      spaces = false;
    } else if (c == ' ' && fold && !spaces && e->column > WIDTH && i > 0 && i + 1 < s.len) {
      yaml_emit_indent(e, indent);
      if (is_space(s, i + 1)) put(e, '\\');
      i++;
      spaces = true;
    } else {
      i += put_char(e, s, i);
      spaces = c == ' ';
    }
  }
  put(e, '"');
  end_scalar(e);
}

static size_t before(slice s, size_t i) {
  while (i > 0 && (s.ptr[--i] & 0xC0) == 0x80) continue;
  return i;
}

/* "-": no line end at the end; "+": more than one, or nothing else. */
static void write_hints(yaml_emitter *e, slice s) {
  if (is_space(s, 0) || is_break(s, 0)) put(e, '2');
  size_t last = before(s, s.len);
  if (!is_break(s, last)) put(e, '-');
  else if (last == 0 || is_break(s, before(s, last))) put(e, '+');
}

static void write_literal(yaml_emitter *e, slice s, int indent) {
  bool breaks = true;
  yaml_emit_indicator(e, '|', true, false);
  write_hints(e, s);
  new_line(e);
  e->indention = e->whitespace = true;
  for (size_t i = 0; i < s.len;) {
    if (is_break(s, i)) {
      i += put_break(e, s, i);
      e->indention = true;
      breaks = true;
    } else {
      if (breaks) yaml_emit_indent(e, indent);
      i += put_char(e, s, i);
      e->indention = false;
      breaks = false;
    }
  }
}

void yaml_emit_string(yaml_emitter *e, slice text, int indent, bool key) {
  analysis a = analyze(text);
  switch (choose(text, key, &a)) {
    case STYLE_PLAIN:
      if (!e->whitespace) put(e, ' ');
      write_flowing(e, text, indent, !key, false);
      end_scalar(e);
      break;
    case STYLE_SINGLE:
      yaml_emit_indicator(e, '\'', true, false);
      write_flowing(e, text, indent, !key, true);
      put(e, '\'');
      end_scalar(e);
      break;
    case STYLE_DOUBLE: write_double(e, text, indent, !key); break;
    case STYLE_LITERAL: write_literal(e, text, indent); break;
  }
}
