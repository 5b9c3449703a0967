/* Targets and queries. The rules are Go's, because the real server routes by what Go's
 * parser leaves: "%2F" is a separator, ".." stays, "%zz" is refused. */
#include "http/url.h"

#include "base/ascii.h"

#include <assert.h>

bool url_decode(arena *a, slice s, bool plus, slice *out) {
  bool escaped = slice_find_char(s, '%') >= 0;
  if (!escaped && (!plus || slice_find_char(s, '+') < 0)) {
    *out = s;
    return true;
  }
  char *to = arena_alloc(a, s.len + 1);
  size_t len = 0;
  for (size_t i = 0; i < s.len; i++) {
    char c = s.ptr[i];
    if (c == '%') {
      int high = i + 2 < s.len ? ascii_hex(s.ptr[i + 1]) : -1;
      int low = i + 2 < s.len ? ascii_hex(s.ptr[i + 2]) : -1;
      if (high < 0 || low < 0) return false;
      to[len++] = (char)(uint8_t)(high * 16 + low);
      i += 2;
    } else {
      to[len++] = plus && c == '+' ? ' ' : c;
    }
  }
  to[len] = '\0';
  *out = slice_of(to, len);
  return true;
}

/* The scheme's length without ':', 0 for none, -1 for a ':' in front. */
static ptrdiff_t scheme_length(slice s) {
  for (size_t i = 0; i < s.len; i++) {
    char c = s.ptr[i];
    if (ascii_is_alpha(c)) continue;
    if (c == ':') return i == 0 ? -1 : (ptrdiff_t)i;
    bool later = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    if (!later || i == 0) return 0;
  }
  return 0;
}

static bool has_control(slice s) {
  for (size_t i = 0; i < s.len; i++) {
    if ((uint8_t)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f) return true;
  }
  return false;
}

static bool port_ok(slice port) {
  if (port.len == 0) return true;
  if (port.ptr[0] != ':') return false;
  for (size_t i = 1; i < port.len; i++) {
    if (port.ptr[i] < '0' || port.ptr[i] > '9') return false;
  }
  return true;
}

/* Enough of Go's checks of a host to refuse what it refuses; nothing here uses the host. */
static bool authority_ok(slice authority) {
  for (size_t i = authority.len; i > 0; i--) {
    if (authority.ptr[i - 1] == '@') {
      authority = slice_from(authority, i);
      break;
    }
  }
  if (authority.len && authority.ptr[0] == '[') {
    ptrdiff_t end = slice_find_char(authority, ']');
    return end > 0 && port_ok(slice_from(authority, (size_t)end + 1));
  }
  ptrdiff_t colon = slice_find_char(authority, ':');
  slice host = colon >= 0 ? slice_upto(authority, (size_t)colon) : authority;
  for (size_t i = 0; i < host.len; i++) {
    char c = host.ptr[i];
    if (c == '%') {
      int high = i + 2 < host.len ? ascii_hex(host.ptr[i + 1]) : -1;
      int low = i + 2 < host.len ? ascii_hex(host.ptr[i + 2]) : -1;
      if (high < 0 || low < 0) return false;
      if (high < 8 && !(high == 2 && low == 5)) return false;
      i += 2;
    } else if (c == ' ' || c == '\\' || c == '^' || c == '`' || c == '{' || c == '|' ||
               c == '}' || c == '#' || c == '/' || c == '[') {
      return false;
    }
  }
  return colon < 0 || port_ok(slice_from(authority, (size_t)colon));
}

bool url_parse_target(arena *a, slice target, bool connect, url *out) {
  *out = (url){SLICE_NONE, SLICE_NONE, false};
  if (target.len == 0 || has_control(target)) return false;
  if (slice_is(target, "*")) {
    out->path = target;
    return true;
  }
  bool only_authority = connect && target.ptr[0] != '/';
  ptrdiff_t scheme = only_authority ? 0 : scheme_length(target);
  if (scheme < 0) return false;
  slice rest = scheme ? slice_from(target, (size_t)scheme + 1) : target;
  slice before;
  slice_cut(rest, '?', &before, &out->raw_query);
  rest = before;
  bool with_authority = only_authority;
  if (!only_authority && (rest.len == 0 || rest.ptr[0] != '/')) {
    out->path = SLICE_LIT(""); /* "mailto:a": opaque, no path */
    return scheme > 0;
  }
  if (scheme && slice_has_prefix(rest, SLICE_LIT("//"))) {
    with_authority = true;
    rest = slice_from(rest, 2);
  }
  if (with_authority) {
    ptrdiff_t slash = slice_find_char(rest, '/');
    slice authority = slash >= 0 ? slice_upto(rest, (size_t)slash) : rest;
    if (!authority_ok(authority)) return false;
    rest = slash >= 0 ? slice_from(rest, (size_t)slash) : SLICE_LIT("");
    out->absolute = true;
  }
  return url_decode(a, rest, false, &out->path);
}

static uint32_t count_pairs(slice s) {
  uint32_t n = 1;
  for (const char *p = s.ptr, *end = s.ptr + s.len; p < end; n++) {
    const char *hit = memchr(p, '&', (size_t)(end - p));
    if (!hit) break;
    p = hit + 1;
  }
  return n;
}

url_query *url_parse_query(arena *a, slice raw_query) {
  url_query *q = ARENA_NEW(a, url_query);
  if (raw_query.len == 0) return q;
  uint32_t most = count_pairs(raw_query);
  if (most > URL_QUERY_PAIRS_MAX) return q;
  q->pairs = arena_alloc(a, sizeof(url_pair) * most);
  slice rest = raw_query, part, name, value;
  for (bool more = true; more;) {
    more = slice_cut(rest, '&', &part, &rest);
    if (part.len == 0 || slice_find_char(part, ';') >= 0) continue;
    slice_cut(part, '=', &name, &value);
    if (!url_decode(a, name, true, &name) || !url_decode(a, value, true, &value)) continue;
    assert(q->count < most);
    q->pairs[q->count++] = (url_pair){name, value};
  }
  return q;
}
