/* One address as Go's net/mail.ParseAddress takes it: "a@b", "Name <a@b>", with quoted strings and
 * comments; a group of one address, too. What is only looked at to be shown (encoded words) counts
 * as a word. */
#include "base/ascii.h"
#include "crd/structural_internal.h"

#include <string.h>

#define COMMENT_DEPTH_MAX 1000u /* ours */

static bool is_atom_char(uint8_t c, bool dots, bool permissive) {
  if (c == '.') return dots;
  if (permissive && (c == '(' || c == ')' || c == '<' || c == '>' || c == '[' || c == ']' ||
                     c == ':' || c == ';' || c == '@' || c == '\\' || c == ',' || c == '"'))
    return false;
  if (c >= 0x80) return true;
  return c > ' ' && c < 0x7f && !strchr("()<>[]:;@\\,\"", c);
}

static void skip_space(slice *s) {
  while (s->len && (*s->ptr == ' ' || *s->ptr == '\t')) *s = slice_from(*s, 1);
}

/* "(...)": false: it does not end. */
static bool skip_comment(slice *s) {
  unsigned depth = 0;
  while (s->len) {
    char c = *s->ptr;
    size_t n = c == '\\' && s->len > 1 ? 2 : 1;
    *s = slice_from(*s, n);
    if (c == '(' && ++depth > COMMENT_DEPTH_MAX) return false;
    if (c == ')' && --depth == 0) return true;
  }
  return false;
}

static bool skip_cfws(slice *s) {
  skip_space(s);
  while (s->len && *s->ptr == '(') {
    if (!skip_comment(s)) return false;
    skip_space(s);
  }
  return true;
}

static bool take(slice *s, char c) {
  if (!s->len || *s->ptr != c) return false;
  *s = slice_from(*s, 1);
  return true;
}

/* Letters of an atom; with dots neither at an end nor doubled, unless permissive. */
static bool take_atom(slice *s, bool dots, bool permissive) {
  size_t n = 0;
  while (n < s->len && is_atom_char((uint8_t)s->ptr[n], dots, permissive)) n++;
  slice atom = slice_upto(*s, n);
  if (n == 0) return false;
  if (!permissive && (atom.ptr[0] == '.' || atom.ptr[n - 1] == '.' ||
                      slice_find(atom, SLICE_LIT("..")) >= 0))
    return false;
  *s = slice_from(*s, n);
  return true;
}

static bool take_quoted(slice *s, size_t *length) {
  *length = 0;
  if (!take(s, '"')) return false;
  while (s->len) {
    uint8_t c = (uint8_t)*s->ptr;
    if (c == '"') return take(s, '"');
    if (c == '\\') {
      if (s->len < 2) return false;
      c = (uint8_t)s->ptr[1];
      *s = slice_from(*s, 1);
    }
    if (c == '\r' || c == '\n' || (c < ' ' && c != '\t') || c == 0x7f) return false;
    ++*length;
    *s = slice_from(*s, 1);
  }
  return false;
}

/* "[1.2.3.4]" or a dotted atom. */
static bool take_domain(slice *s) {
  if (!s->len || *s->ptr != '[') return take_atom(s, true, false);
  while (s->len && *s->ptr != ']') {
    uint8_t c = (uint8_t)*s->ptr;
    if (c == '\\' || (c == '[' && s->len > 1 && s->ptr[1] == '[') || c <= ' ' || c == 0x7f)
      return false;
    *s = slice_from(*s, 1);
  }
  return take(s, ']');
}

static bool take_address(slice *s) {
  slice at = *s;
  size_t length;
  skip_space(&at);
  bool local = at.len && *at.ptr == '"' ? take_quoted(&at, &length) && length > 0
                                        : take_atom(&at, true, false);
  if (!local || !take(&at, '@')) return false;
  skip_space(&at);
  if (!take_domain(&at)) return false;
  *s = at;
  return true;
}

/* Words before '<' or a group's ':'. */
static bool take_phrase(slice *s) {
  bool any = false;
  for (;;) {
    slice at = *s;
    size_t length;
    if (!skip_cfws(&at)) return false;
    bool word = at.len && *at.ptr == '"' ? take_quoted(&at, &length) : take_atom(&at, true, true);
    if (!word) return any;
    any = true;
    *s = at;
  }
}

static bool take_mailbox(slice *s, bool group) {
  skip_space(s);
  if (take_address(s)) return true;
  if (s->len && *s->ptr != '<' && !take_phrase(s)) return false;
  if (!skip_cfws(s)) return false;
  if (group && take(s, ':')) {
    if (!skip_cfws(s) || !take_mailbox(s, false) || !skip_cfws(s)) return false;
    return take(s, ';');
  }
  return take(s, '<') && take_address(s) && skip_cfws(s) && take(s, '>');
}

bool email_holds(arena *a, slice text) {
  (void)a;
  return take_mailbox(&text, true) && skip_cfws(&text) && text.len == 0;
}
