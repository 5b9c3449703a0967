/* The chunked decoder: four phases (size line, data, CRLF behind data, trailer). */
#include "http/chunked.h"

#include "base/ascii.h"
#include "base/buf.h"

#include <assert.h>

enum { PHASE_SIZE, PHASE_DATA, PHASE_DATA_END, PHASE_TRAILER };
#define LINE_MAX_BYTES 4096u
#define EXCESS_MAX (16 * 1024)

static chunked_result bad(slice *why, const char *text) {
  *why = slice_cstr(text);
  return CHUNKED_BAD;
}

static const char *parse_size(slice digits, uint64_t *n) {
  if (digits.len == 0) return "empty hex number for chunk length";
  *n = 0;
  for (size_t i = 0; i < digits.len; i++) {
    int d = ascii_hex(digits.ptr[i]);
    if (d < 0) return "invalid byte in chunk length";
    if (i == 16) return "http chunk length too large";
    *n = *n << 4 | (uint64_t)d;
  }
  return NULL;
}

static const char *read_size_line(chunked *c, slice line) {
  ptrdiff_t cr = slice_find_char(line, '\r');
  if (cr < 0) return "chunked line ends with bare LF";
  if ((size_t)cr != line.len - 2) return "invalid CR in chunked line";
  line.len -= 2;
  c->excess += (int64_t)line.len + 2;
  slice digits, extension;
  while (line.len && (line.ptr[line.len - 1] == ' ' || line.ptr[line.len - 1] == '\t')) line.len--;
  slice_cut(line, ';', &digits, &extension);
  const char *problem = parse_size(digits, &c->left);
  if (problem) return problem;
  uint64_t allowed = c->left > (uint64_t)INT32_MAX ? INT32_MAX : c->left;
  c->excess -= 16 + 2 * (int64_t)allowed;
  if (c->excess < 0) c->excess = 0;
  if (c->excess > EXCESS_MAX) return "chunked encoding contains too much non-data";
  return NULL;
}

static chunked_result step_size(chunked *c, slice rest, size_t *at, slice *why) {
  slice window = slice_upto(rest, LINE_MAX_BYTES);
  ptrdiff_t lf = slice_find_char(slice_from(window, c->seen), '\n');
  if (lf < 0) {
    c->seen = window.len;
    return window.len == LINE_MAX_BYTES ? bad(why, "header line too long") : CHUNKED_MORE;
  }
  size_t line = c->seen + (size_t)lf + 1;
  c->seen = 0;
  const char *problem = read_size_line(c, slice_upto(rest, line));
  if (problem) return bad(why, problem);
  *at += line;
  c->phase = c->left == 0 ? PHASE_TRAILER : PHASE_DATA;
  return CHUNKED_DONE;
}

/* Go's %q of the bytes, as far as a line can need it. */
static slice quoted(arena *a, const char *before, slice s) {
  buf b;
  buf_init(&b, 8 * LINE_MAX_BYTES);
  buf_cstr(&b, before);
  buf_char(&b, '"');
  for (size_t i = 0; i < s.len; i++) {
    uint8_t c = (uint8_t)s.ptr[i];
    if (c == '"' || c == '\\') {
      buf_char(&b, '\\');
      buf_char(&b, (char)c);
    } else if (c == '\t' || c == '\r') {
      buf_cstr(&b, c == '\t' ? "\\t" : "\\r");
    } else if (c < 0x20 || c >= 0x7f) {
      buf_printf(&b, "\\x%02x", c);
    } else {
      buf_char(&b, (char)c);
    }
  }
  buf_char(&b, '"');
  slice kept = arena_copy(a, buf_slice(&b));
  buf_dispose(&b);
  return kept;
}

static bool name_ok(slice name) {
  static const char extra[] = "!#$%&'*+-.^_`|~ ";
  for (size_t i = 0; i < name.len; i++) {
    char c = name.ptr[i];
    if (!ascii_is_alnum(c) && (c == '\0' || !strchr(extra, c))) return false;
  }
  return name.len > 0;
}

static bool value_ok(slice value) {
  for (size_t i = 0; i < value.len; i++) {
    uint8_t c = (uint8_t)value.ptr[i];
    if ((c < 0x20 && c != '\t') || c == 0x7f) return false;
  }
  return true;
}

/* The trailer's fields are checked and forgotten. */
static bool check_trailer(slice text, arena *a, slice *why) {
  bool first = true;
  slice line, rest = text;
  while (slice_cut(rest, '\n', &line, &rest)) {
    if (line.len && line.ptr[line.len - 1] == '\r') line.len--;
    if (line.len == 0) return true;
    bool blank = line.ptr[0] == ' ' || line.ptr[0] == '\t';
    if (blank && first) {
      *why = quoted(a, "malformed MIME header initial line: ", line);
      return false;
    }
    first = false;
    slice name, value;
    bool colon = slice_cut(line, ':', &name, &value);
    if (blank) continue;
    if (!colon) {
      *why = quoted(a, "malformed MIME header: missing colon: ", line);
      return false;
    }
    if (!name_ok(name) || !value_ok(value)) {
      *why = quoted(a, "malformed MIME header line: ", line);
      return false;
    }
  }
  return true;
}

static chunked_result step_trailer(chunked *c, slice rest, size_t *at, arena *a, slice *why) {
  if (rest.len < 2) return CHUNKED_MORE;
  if (rest.ptr[0] == '\r' && rest.ptr[1] == '\n') {
    *at += 2;
    return CHUNKED_DONE;
  }
  slice window = slice_upto(rest, LINE_MAX_BYTES);
  size_t from = c->seen > 3 ? c->seen - 3 : 0;
  ptrdiff_t end = slice_find(slice_from(window, from), SLICE_LIT("\r\n\r\n"));
  if (end < 0) {
    c->seen = window.len;
    if (window.len < LINE_MAX_BYTES) return CHUNKED_MORE;
    return bad(why, "http: suspiciously long trailer after chunked body");
  }
  size_t size = from + (size_t)end + 4;
  if (!check_trailer(slice_upto(rest, size), a, why)) return CHUNKED_BAD;
  *at += size;
  return CHUNKED_DONE;
}

chunked_result chunked_decode(chunked *c, char *bytes, size_t len, size_t *at, size_t *out,
                              size_t max_out, arena *a, slice *why) {
  for (;;) {
    assert(*out <= *at && *at <= len);
    slice rest = slice_of(bytes + *at, len - *at);
    if (c->phase == PHASE_SIZE) {
      chunked_result r = step_size(c, rest, at, why);
      if (r != CHUNKED_DONE) return r;
    } else if (c->phase == PHASE_DATA) {
      if (rest.len == 0) return CHUNKED_MORE;
      size_t n = c->left < rest.len ? (size_t)c->left : rest.len;
      bool full = n > max_out - *out;
      if (full) n = max_out - *out;
      if (n) memmove(bytes + *out, rest.ptr, n);
      *out += n;
      *at += n;
      c->left -= n;
      if (full) return CHUNKED_FULL;
      if (c->left == 0) c->phase = PHASE_DATA_END;
    } else if (c->phase == PHASE_DATA_END) {
      if (rest.len < 2) return CHUNKED_MORE;
      if (rest.ptr[0] != '\r' || rest.ptr[1] != '\n') return bad(why, "malformed chunked encoding");
      *at += 2;
      c->phase = PHASE_SIZE;
    } else {
      return step_trailer(c, rest, at, a, why);
    }
  }
}
