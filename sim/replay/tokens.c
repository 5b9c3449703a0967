/* Recognisers by shape. Shapes are narrow (36 characters of a UUID, 128 of a digest, the service
 * range's addresses), so that a value of the user's is not taken for one of the server's. */
#include "sim/replay/tokens.h"

#include <stdio.h>
#include <time.h>

bool token_is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool token_is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool is_base64url(char c) {
  return token_is_word(c) || c == '-' || c == '_';
}

/* '9' a digit, 'x' lower hex, anything else itself. */
static bool shaped(slice s, const char *shape) {
  size_t n = strlen(shape);
  if (s.len < n) {
    return false;
  }
  for (size_t i = 0; i < n; i++) {
    char c = s.ptr[i];
    if (shape[i] == '9' ? !is_digit(c) : shape[i] == 'x' ? !is_hex(c) : c != shape[i]) {
      return false;
    }
  }
  return true;
}

static size_t time_length(slice s) {
  if (!shaped(s, "9999-99-99T99:99:99")) {
    return 0;
  }
  size_t n = 19;
  if (n < s.len && s.ptr[n] == '.') {
    for (n++; n < s.len && is_digit(s.ptr[n]); n++) {
    }
  }
  return n < s.len && s.ptr[n] == 'Z' ? n + 1 : 0;
}

static size_t run_length(slice s, bool (*in)(char)) {
  size_t n = 0;
  while (n < s.len && in(s.ptr[n])) {
    n++;
  }
  return n;
}

static bool is_upper_hex(char c) {
  return is_digit(c) || (c >= 'A' && c <= 'F');
}

static bool is_identity(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z');
}

static size_t jwt_length(slice s) {
  if (!shaped(s, "eyJ")) {
    return 0;
  }
  size_t at = 0;
  for (int part = 0; part < 3; part++) {
    size_t n = run_length(slice_from(s, at), is_base64url);
    if (n < 16) {
      return 0;
    }
    at += n;
    if (part < 2 && (at >= s.len || s.ptr[at++] != '.')) {
      return 0;
    }
  }
  return at;
}

/* The service range of the tapes' server is 10.0.0.0/24. */
static size_t address_length(slice s) {
  if (!shaped(s, "10.0.0.9")) {
    return 0;
  }
  return 7 + run_length(slice_from(s, 7), is_digit);
}

size_t token_at(slice s, size_t at, pair_class *class) {
  bool escaped = at >= 3 && s.ptr[at - 3] == '%'; /* "uid%3D5a93…" of a URL */
  if (at > 0 && token_is_word(s.ptr[at - 1]) && !escaped) {
    return 0;
  }
  slice rest = slice_from(s, at);
  size_t n = 0;
  if (rest.len < 8 || !token_is_word(rest.ptr[0])) {
    return 0;
  } else if (shaped(rest, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")) {
    *class = PAIR_UID;
    n = 36;
  } else if ((n = time_length(rest)) > 0) {
    *class = PAIR_TIME;
  } else if ((n = address_length(rest)) > 0) {
    *class = PAIR_ADDRESS;
  } else if ((n = jwt_length(rest)) > 0) {
    *class = PAIR_TOKEN;
  } else if (shaped(rest, "apiserver-") &&
             run_length(slice_from(rest, 10), is_identity) == 26) {
    *class = PAIR_IDENTITY;
    n = 36;
  } else if (run_length(slice_upto(rest, 129), is_upper_hex) == 128) {
    *class = PAIR_HASH;
    n = 128;
  }
  return n > 0 && (at + n == s.len || !token_is_word(s.ptr[at + n])) ? n : 0;
}

bool token_time(slice s, int64_t *seconds) {
  char text[40];
  if (s.len < 20 || s.len >= sizeof text) {
    return false;
  }
  memcpy(text, s.ptr, s.len);
  text[s.len] = 0;
  struct tm tm = {0};
  const char *end = time_length(s) == s.len ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm)
                                            : strptime(text, "%a, %d %b %Y %H:%M:%S", &tm);
  if (!end) {
    return false;
  }
  *seconds = (int64_t)timegm(&tm);
  return true;
}
