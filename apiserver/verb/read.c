/* Versions and continue tokens. */
#include "verb/read.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "server.h"

#include <ctype.h>

#define TOKEN_VERSION "meta.k8s.io/v1"

static const status_cause too_large_cause = {
    .reason = {"ResourceVersionTooLarge", 23},
    .message = {"Too large resource version", 26},
};

bool read_too_large(request *rq, uint64_t asked, int64_t current) {
  status_set(&rq->error, rq->arena, STATUS_TIMEOUT, "Timeout: Too large resource version: %llu, current: %lld",
             (unsigned long long)asked, (long long)current);
  rq->error.cause_count = 1;
  rq->error.causes = &too_large_cause;
  rq->error.retry_after_seconds = 1;
  return false;
}

/* Go's ParseUint: digits only, up to 2^64-1. Returns what is wrong with it. */
static const char *parse_version(slice text, uint64_t *out) {
  uint64_t n = 0;
  bool over = false;
  if (text.len == 0) return "invalid syntax";
  for (size_t i = 0; i < text.len; i++) {
    unsigned digit = (unsigned char)text.ptr[i] - (unsigned)'0';
    if (digit > 9) return "invalid syntax";
    over = over || n > (UINT64_MAX - digit) / 10;
    n = n * 10 + digit;
  }
  *out = n;
  return over ? "value out of range" : NULL;
}

bool read_version(request *rq, slice version, bool of_list, uint64_t *out) {
  *out = 0;
  if (version.len == 0) return true;
  const char *why = parse_version(version, out);
  if (!why) return true;
  slice text = arena_printf(rq->arena, "resourceVersion: Invalid value: \"%.*s\": strconv.ParseUint: parsing "
                            "\"%.*s\": %s", SLICE_ARG(version), SLICE_ARG(version), why);
  if (!of_list) return status_plain(&rq->error, rq->arena, "%.*s", SLICE_ARG(text));
  return status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST, "invalid resource version: %.*s", SLICE_ARG(text));
}

bool read_reached(request *rq, uint64_t version) {
  int64_t current = store_revision(rq->server->store);
  return version <= (uint64_t)current || read_too_large(rq, version, current);
}

/* Token text is base64 for URLs, without padding. */
static slice to_url_base64(arena *a, slice bytes) {
  slice s = base64_encode(a, bytes);
  char *p = arena_cstr(a, s);
  size_t n = s.len;
  for (size_t i = 0; i < n; i++) {
    if (p[i] == '+') p[i] = '-';
    if (p[i] == '/') p[i] = '_';
  }
  while (n && p[n - 1] == '=') n--;
  return slice_of(p, n);
}

/* *bad: where Go's decoder gives up. */
static bool from_url_base64(arena *a, slice text, slice *out, size_t *bad) {
  char *p = arena_alloc(a, text.len + 4);
  size_t n = text.len;
  for (size_t i = 0; i < n; i++) {
    p[i] = text.ptr[i] == '-' ? '+' : text.ptr[i] == '_' ? '/' : text.ptr[i];
  }
  for (*bad = 0; *bad < n; ++*bad) {
    char c = text.ptr[*bad];
    if (!isalnum((unsigned char)c) && c != '-' && c != '_') return false;
  }
  if (n % 4 == 1) --*bad;
  while (n % 4) p[n++] = '=';
  return base64_decode(a, slice_of(p, n), out);
}

slice continue_encode(arena *a, int64_t revision, slice start) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  buf_printf(&b, "{\"v\":\"" TOKEN_VERSION "\",\"rv\":%lld,\"start\":", (long long)revision);
  json_encode_string(&b, start);
  buf_char(&b, '}');
  slice token = to_url_base64(a, buf_slice(&b));
  buf_dispose(&b);
  return token;
}

static bool bad_token(request *rq, const char *why, slice more) {
  return status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST, "invalid continue token: %s%.*s", why, SLICE_ARG(more));
}

bool continue_bad_start(request *rq, slice start) {
  return bad_token(rq, "continue key is not valid: ", start);
}

/* Cleaning the path must not change the key: nothing may climb out of the prefix. */
static bool start_is_clean(slice start) {
  slice head, rest = start;
  bool more = true;
  while (more) {
    more = slice_cut(rest, '/', &head, &rest);
    if (slice_is(head, "..") || slice_is(head, ".")) return false;
    if (head.len == 0 && more && rest.len + 1 != start.len) return false;
  }
  return true;
}

bool continue_decode(request *rq, slice token, int64_t *revision, slice *start) {
  slice bytes, error = SLICE_NONE;
  size_t bad;
  if (!from_url_base64(rq->arena, token, &bytes, &bad)) {
    return bad_token(rq, "continue key is not valid: ",
                     arena_printf(rq->arena, "illegal base64 data at input byte %zu", bad));
  }
  val *v = json_parse(rq->arena, bytes, NULL, &error);
  if (!v) return bad_token(rq, "continue key is not valid: ", error);
  if (!slice_is(val_get_str(v, "v"), TOKEN_VERSION)) {
    slice got = val_get_str(v, "v");
    return bad_token(rq, "continue key is not valid: server does not recognize this encoded version ",
                     arena_printf(rq->arena, "\"%.*s\"", SLICE_ARG(got)));
  }
  *revision = val_i64(val_getc(v, "rv"));
  *start = val_get_str(v, "start");
  if (*revision == 0) {
    return bad_token(rq, "continue key is not valid: incorrect encoded start resourceVersion (version " TOKEN_VERSION ")", SLICE_NONE);
  }
  if (start->len == 0) {
    return bad_token(rq, "continue key is not valid: encoded start key empty (version " TOKEN_VERSION ")", SLICE_NONE);
  }
  if (!start_is_clean(*start)) {
    return bad_token(rq, "continue key is not valid: ", *start);
  }
  return true;
}
