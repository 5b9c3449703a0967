/* Each part is read once, from the front: scheme, authority, path. */
#include "registry/validation/go_url.h"

#include "base/ascii.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/quote.h"

#include <string.h>

typedef struct reading {
  arena *a;
  slice why; /* empty: nothing wrong so far */
} reading;

static bool fail(reading *r, slice why) {
  r->why = why;
  return false;
}

static bool fail_quoted(reading *r, const char *before, slice shown, const char *after) {
  slice quoted = go_quote(r->a, shown);
  return fail(r, arena_printf(r->a, "%s%.*s%s", before, SLICE_ARG(quoted), after));
}

static bool is_hex(slice s, size_t i) {
  return i < s.len && (ascii_is_digit(s.ptr[i]) || (ascii_lower(s.ptr[i]) >= 'a' &&
                                                    ascii_lower(s.ptr[i]) <= 'f'));
}

static bool is_letter(char c) { return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z'; }

/* Every % has two digits behind it. */
static bool escapes_fit(reading *r, slice s) {
  for (size_t i = 0; i < s.len; i++) {
    if (s.ptr[i] != '%' || (is_hex(s, i + 1) && is_hex(s, i + 2))) continue;
    size_t n = s.len - i < 3 ? s.len - i : 3;
    return fail_quoted(r, "invalid URL escape ", slice_of(s.ptr + i, n), "");
  }
  return true;
}

static slice unescaped(arena *a, slice s) {
  char *to = arena_alloc(a, s.len + 1);
  size_t n = 0;
  for (size_t i = 0; i < s.len; i++) {
    if (s.ptr[i] != '%') {
      to[n++] = s.ptr[i];
      continue;
    }
    unsigned byte = 0;
    for (size_t k = 1; k <= 2; k++) {
      char c = ascii_lower(s.ptr[i + k]);
      byte = byte * 16 + (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    to[n++] = (char)byte;
    i += 2;
  }
  return slice_of(to, n);
}

/* The part before ':', where it is a scheme; *rest: what is behind it, or all. */
static bool take_scheme(reading *r, slice text, slice *scheme, slice *rest) {
  *scheme = SLICE_LIT("");
  *rest = text;
  for (size_t i = 0; i < text.len; i++) {
    char c = text.ptr[i];
    if (is_letter(c)) continue;
    if (ascii_is_digit(c) || c == '+' || c == '-' || c == '.') {
      if (i == 0) return true;
      continue;
    }
    if (c != ':') return true;
    if (i == 0) return fail(r, SLICE_LIT("missing protocol scheme"));
    char *low = arena_alloc(r->a, i);
    for (size_t k = 0; k < i; k++) low[k] = ascii_lower(text.ptr[k]);
    *scheme = slice_of(low, i);
    *rest = slice_from(text, i + 1);
    return true;
  }
  return true;
}

static ptrdiff_t last_of(slice s, char c) {
  for (size_t i = s.len; i-- > 0;) {
    if (s.ptr[i] == c) return (ptrdiff_t)i;
  }
  return -1;
}

/* ":" and digits, or nothing. */
static bool port_fits(slice s) {
  if (s.len == 0) return true;
  bool good = s.ptr[0] == ':';
  for (size_t i = 1; i < s.len && good; i++) good = ascii_is_digit(s.ptr[i]);
  return good;
}

static bool host_chars_fit(reading *r, slice host) {
  static const char marks[] = "-_.~!$&'()*+,;=:[]<>\"";
  for (size_t i = 0; i < host.len; i++) {
    char c = host.ptr[i];
    if (c == '%') {
      slice escape = slice_upto(slice_from(host, i), host.len - i < 3 ? host.len - i : 3);
      bool hex = is_hex(host, i + 1) && is_hex(host, i + 2);
      bool ascii = hex && host.ptr[i + 1] < '8' && !slice_is(escape, "%25");
      if (!hex || ascii) return fail_quoted(r, "invalid URL escape ", escape, "");
      continue;
    }
    bool plain = (signed char)c < 0 || is_letter(c) || ascii_is_digit(c) || strchr(marks, c);
    if (!plain)
      return fail_quoted(r, "invalid character ", slice_of(host.ptr + i, 1), " in host name");
  }
  return true;
}

static bool host_fits(reading *r, slice host) {
  slice port = SLICE_NONE;
  if (slice_has_prefix(host, SLICE_LIT("["))) {
    ptrdiff_t close = last_of(host, ']');
    if (close < 0) return fail(r, SLICE_LIT("missing ']' in host"));
    port = slice_from(host, (size_t)close + 1);
  } else if (slice_find_char(host, '[') >= 0) {
    return fail(r, SLICE_LIT("invalid IP-literal"));
  } else if (slice_find_char(host, ':') >= 0) {
    port = slice_from(host, (size_t)slice_find_char(host, ':'));
  }
  if (!port_fits(port)) return fail_quoted(r, "invalid port ", port, " after host");
  return host_chars_fit(r, host);
}

static bool user_fits(reading *r, slice user) {
  static const char marks[] = "-._:~!$&'()*+,;=%@";
  for (size_t i = 0; i < user.len; i++) {
    char c = user.ptr[i];
    if (!is_letter(c) && !ascii_is_digit(c) && (!c || !strchr(marks, c)))
      return fail(r, SLICE_LIT("net/url: invalid userinfo"));
  }
  return escapes_fit(r, user);
}

/* One half of user:password as Go writes it again. */
static void put_user(reading *r, buf *b, slice part) {
  part = unescaped(r->a, part);
  for (size_t i = 0; i < part.len; i++) {
    char c = part.ptr[i];
    bool plain = is_letter(c) || ascii_is_digit(c) || (c && strchr("-_.~$&+,;=", c));
    if (plain) buf_char(b, c);
    else buf_printf(b, "%%%02X", (unsigned)(unsigned char)c);
  }
}

static slice user_shown(reading *r, slice user) {
  slice name, password;
  buf b;
  buf_init(&b, LIMIT_REQUEST_BODY);
  bool both = slice_cut(user, ':', &name, &password);
  put_user(r, &b, name);
  if (both) buf_char(&b, ':');
  if (both) put_user(r, &b, password);
  slice shown = arena_copy(r->a, buf_slice(&b));
  buf_dispose(&b);
  return shown;
}

static bool take_authority(reading *r, slice text, go_url *out) {
  ptrdiff_t at = last_of(text, '@');
  out->has_user = at >= 0;
  out->host = at < 0 ? text : slice_from(text, (size_t)at + 1);
  if (!host_fits(r, out->host)) return false;
  if (at < 0) return true;
  slice user = slice_upto(text, (size_t)at);
  if (!user_fits(r, user)) return false;
  out->user = user_shown(r, user);
  return true;
}

static bool parse(reading *r, slice text, go_url *out) {
  slice rest, authority, tail;
  for (size_t i = 0; i < text.len; i++) {
    if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7F)
      return fail(r, SLICE_LIT("net/url: invalid control character in URL"));
  }
  if (slice_is(text, "*")) return true;
  if (!take_scheme(r, text, &out->scheme, &rest)) return false;
  if (slice_cut(rest, '?', &authority, &tail)) {
    rest = authority;
    out->query = tail;
  }
  if (!slice_has_prefix(rest, SLICE_LIT("/"))) {
    if (out->scheme.len) return true;
    slice_cut(rest, '/', &authority, &tail);
    if (slice_find_char(authority, ':') >= 0)
      return fail(r, SLICE_LIT("first path segment in URL cannot contain colon"));
  }
  bool names_host = slice_has_prefix(rest, SLICE_LIT("//")) &&
                    (out->scheme.len || !slice_has_prefix(rest, SLICE_LIT("///")));
  if (names_host) {
    authority = slice_from(rest, 2);
    ptrdiff_t slash = slice_find_char(authority, '/');
    rest = slash < 0 ? SLICE_LIT("") : slice_from(authority, (size_t)slash);
    if (slash >= 0) authority = slice_upto(authority, (size_t)slash);
    if (!take_authority(r, authority, out)) return false;
  }
  out->path = rest;
  return escapes_fit(r, rest);
}

bool go_url_parse(arena *a, slice text, go_url *out, slice *why) {
  reading r = {.a = a};
  slice head, fragment = SLICE_LIT("");
  *out = (go_url){.scheme = SLICE_LIT("")};
  if (!slice_cut(text, '#', &head, &fragment)) fragment = SLICE_LIT("");
  bool good = parse(&r, head, out);
  slice shown = head;
  if (good && fragment.len) {
    good = escapes_fit(&r, fragment);
    shown = text;
    if (good) out->fragment = unescaped(a, fragment);
  }
  if (good) return true;
  shown = go_quote(a, shown);
  *why = arena_printf(a, "parse %.*s: %.*s", SLICE_ARG(shown), SLICE_ARG(r.why));
  return false;
}
