/* image_ref: a hand-written match of the image name grammar, linear in the name's length.
 *
 * Only the question "is it latest?" matters, but a name that does not parse counts as not
 * latest, so the whole grammar has to be checked. */
#include "version/image_ref.h"

#include "base/ascii.h"

enum { PATH_MAX_BYTES = 255, TAG_MAX_BYTES = 128 };

static bool is_lower_alnum(char c) { return ascii_is_lower(c) || ascii_is_digit(c); }
static bool is_word(char c) { return ascii_is_alnum(c) || c == '_'; }

static bool has_upper(slice s) {
  for (size_t i = 0; i < s.len; i++) {
    if (ascii_is_upper(s.ptr[i])) return true;
  }
  return false;
}

/* Lower-case alphanumeric runs joined by ".", "_", "__" or any number of "-". */
static bool component_ok(slice s) {
  size_t i = 0;
  while (i < s.len) {
    size_t start = i;
    while (i < s.len && is_lower_alnum(s.ptr[i])) i++;
    if (i == start) return false;
    if (i == s.len) return true;
    char sep = s.ptr[i];
    if (sep == '-') {
      while (i < s.len && s.ptr[i] == '-') i++;
    } else if (sep == '.' || sep == '_') {
      i++;
      if (sep == '_' && i < s.len && s.ptr[i] == '_') i++;
    } else {
      return false;
    }
  }
  return false;
}

static bool path_ok(slice s) {
  slice head;
  while (slice_cut(s, '/', &head, &s)) {
    if (!component_ok(head)) return false;
  }
  return component_ok(head);
}

static bool domain_ok(slice s) {
  slice host = s, port;
  if (s.len && s.ptr[0] == '[') {
    ptrdiff_t end = slice_find_char(s, ']');
    if (end < 2) return false;
    for (ptrdiff_t i = 1; i < end; i++) {
      if (ascii_hex(s.ptr[i]) < 0 && s.ptr[i] != ':') return false;
    }
    s = slice_from(s, (size_t)end + 1);
    if (s.len == 0) return true;
    if (s.ptr[0] != ':') return false;
    port = slice_from(s, 1);
    host = SLICE_NONE;
  } else if (!slice_cut(s, ':', &host, &port)) {
    port = SLICE_LIT("0");
  }
  if (port.len == 0) return false;
  for (size_t i = 0; i < port.len; i++) {
    if (!ascii_is_digit(port.ptr[i])) return false;
  }
  while (host.len || host.ptr) {
    slice part;
    bool more = slice_cut(host, '.', &part, &host);
    if (part.len == 0 || !ascii_is_alnum(part.ptr[0]) || !ascii_is_alnum(part.ptr[part.len - 1])) {
      return false;
    }
    for (size_t i = 0; i < part.len; i++) {
      if (!ascii_is_alnum(part.ptr[i]) && part.ptr[i] != '-') return false;
    }
    if (!more) break;
  }
  return true;
}

static bool tag_ok(slice s) {
  if (s.len == 0 || s.len > TAG_MAX_BYTES || !is_word(s.ptr[0])) return false;
  for (size_t i = 1; i < s.len; i++) {
    if (!is_word(s.ptr[i]) && s.ptr[i] != '.' && s.ptr[i] != '-') return false;
  }
  return true;
}

/* Only the digests that the real library knows. */
static bool digest_ok(slice s) {
  slice algorithm, hex;
  if (!slice_cut(s, ':', &algorithm, &hex)) return false;
  size_t want = slice_is(algorithm, "sha256")   ? 64
                : slice_is(algorithm, "sha384") ? 96
                : slice_is(algorithm, "sha512") ? 128
                                                : 0;
  if (want == 0 || hex.len != want || has_upper(hex)) return false;
  for (size_t i = 0; i < hex.len; i++) {
    if (ascii_hex(hex.ptr[i]) < 0) return false;
  }
  return true;
}

static bool is_bare_id(slice s) {
  if (s.len != 64) return false;
  for (size_t i = 0; i < s.len; i++) {
    if (ascii_hex(s.ptr[i]) < 0 || ascii_is_upper(s.ptr[i])) return false;
  }
  return true;
}

/* Takes the registry off the front; Docker's own is meant where none is named. */
static void domain_split(slice image, slice *domain, slice *rest) {
  *domain = SLICE_LIT("docker.io");
  *rest = image;
  slice first, tail;
  if (!slice_cut(image, '/', &first, &tail)) return;
  bool named = slice_find_char(first, '.') >= 0 || slice_find_char(first, ':') >= 0 ||
               slice_is(first, "localhost") || has_upper(first);
  if (!named) return;
  *domain = first;
  *rest = tail;
}

/* Docker's own images without a path of their own stand below "library/". */
static size_t path_bytes(slice domain, slice name) {
  bool bare = slice_is(domain, "docker.io") && slice_find_char(name, '/') < 0;
  return name.len + (bare ? sizeof "library/" - 1 : 0);
}

bool image_ref_is_latest(slice image) {
  if (image.len == 0 || is_bare_id(image)) return false;
  slice domain, rest, name, tag, digest;
  domain_split(image, &domain, &rest);
  bool has_digest = slice_cut(rest, '@', &rest, &digest);
  bool has_tag = slice_cut(rest, ':', &name, &tag);
  if (!path_ok(name) || !domain_ok(domain)) return false;
  if (path_bytes(domain, name) > PATH_MAX_BYTES) return false;
  if (has_digest && !digest_ok(digest)) return false;
  if (has_tag) return tag_ok(tag) && slice_is(tag, "latest");
  return !has_digest;
}
