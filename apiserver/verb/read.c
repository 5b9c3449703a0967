/* Versions and continue tokens. */
#include "verb/read.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/quote.h"
#include "codec/codec.h"
#include "registry/generic.h"
#include "server_stores.h"

#define TOKEN_VERSION "meta.k8s.io/v1"

bool read_list_options(request *rq, list_options *o, selector *s) {
  return options_read_list(rq, o) &&
         selector_parse(rq->arena, o->label_selector, o->field_selector, s, &rq->error) &&
         options_check_list(rq, o) && selector_resolve(rq->arena, rq->resource, s, &rq->error);
}

static const status_cause too_large_cause = {
    .reason = {"ResourceVersionTooLarge", 23},
    .message = {"Too large resource version", 26},
};

bool read_is_cached(const request *rq) {
  return !slice_is(rq->resource->resource, "events") && !rq->server->options.no_watch_cache;
}

bool read_too_large(request *rq, uint64_t asked, int64_t current) {
  status_set(&rq->error, rq->arena, STATUS_TIMEOUT,
             "Timeout: Too large resource version: %llu, current: %lld",
             (unsigned long long)asked, (long long)current);
  rq->error.cause_count = 1;
  rq->error.causes = &too_large_cause;
  if (read_is_cached(rq)) rq->error.retry_after_seconds = 1;
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
  slice shown = go_quote(rq->arena, version);
  slice text =
      arena_printf(rq->arena, "resourceVersion: Invalid value: %.*s: strconv.ParseUint: parsing "
                            "%.*s: %s", SLICE_ARG(shown), SLICE_ARG(shown), why);
  if (!of_list) return status_plain(&rq->error, rq->arena, "%.*s", SLICE_ARG(text));
  return status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST, "invalid resource version: %.*s",
                    SLICE_ARG(text));
}

bool read_reached(request *rq, uint64_t version) {
  int64_t current = store_revision(request_store(rq));
  return version <= (uint64_t)current || read_too_large(rq, version, current);
}

bool read_consistent(request *rq, slice version, int64_t *at) {
  *at = 0;
  if (version.len || rq->http->horizon) return true;
  store_result r = store_sync(request_store(rq), at);
  return r == STORE_OK || generic_store_error(rq, r, SLICE_NONE);
}

/* Token text is base64 for URLs, without padding; what is read may also be the standard
 * alphabet. */
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

/* As Go's RawURLEncoding reads it; *bad: where it is wrong. */
static bool from_url_base64(arena *a, slice text, slice *out, size_t *bad) {
  char *p = arena_alloc(a, text.len + 4);
  size_t n = 0, first = 0; /* of the quantum under way */
  for (size_t i = 0; i < text.len; i++) {
    char c = text.ptr[i];
    if (c == '\r' || c == '\n') continue;
    bool alnum = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
    if (n % 4 == 0) first = i;
    *bad = i;
    if (!alnum && c != '-' && c != '_') return false;
    p[n++] = c == '-' ? '+' : c == '_' ? '/' : c;
  }
  *bad = first;
  if (n % 4 == 1) return false;
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

static bool bad_token(request *rq, slice why) {
  return status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST,
                    "invalid continue token: continue key is not valid: %.*s", SLICE_ARG(why));
}

/* Cleaning the path must not change the key: nothing may climb out of the prefix. The key may
 * stand with or without a slash in front. */
static bool start_is_clean(slice start) {
  slice head, rest = start.ptr[0] == '/' ? slice_from(start, 1) : start;
  bool more = rest.len > 0;
  while (more) {
    more = slice_cut(rest, '/', &head, &rest);
    if (head.len == 0 || slice_is(head, "..") || slice_is(head, ".")) return false;
  }
  return true;
}

static const char *json_kind(const val *v) {
  if (val_is_string(v)) return "string";
  if (val_is_list(v)) return "array";
  if (val_is_map(v)) return "object";
  return val_is_bool(v) ? "bool" : "number";
}

/* The words of Go's decoder for a value of the wrong type. */
static bool wrong_type(request *rq, const val *v, const char *field, const char *type) {
  slice text = val_is_float(v)
      ? arena_printf(rq->arena, " %.*s", (int)v->count, v->literal ? v->literal : "") : SLICE_NONE;
  return bad_token(rq,
                   arena_printf(rq->arena,
                                "json: cannot unmarshal %s%.*s into Go struct field "
                                "continueToken.%s of type %s",
                                    json_kind(v), SLICE_ARG(text), field, type));
}

static bool read_token(request *rq, const val *t, int64_t *revision, slice *start) {
  const val *version = val_getc(t, "v"), *rv = val_getc(t, "rv"), *key = val_getc(t, "start");
  if (!val_is_map(t) && !val_is_null(t)) {
    return bad_token(rq,
                     arena_printf(rq->arena,
                                  "json: cannot unmarshal %s into Go value of type "
                                  "storage.continueToken",
                                      json_kind(t)));
  }
  if (version && !val_is_string(version) && !val_is_null(version)) {
    return wrong_type(rq, version, "v", "string");
  }
  if (rv && !val_is_int(rv) && !val_is_null(rv)) return wrong_type(rq, rv, "rv", "int64");
  if (key && !val_is_string(key) && !val_is_null(key)) {
    return wrong_type(rq, key, "start", "string");
  }
  if (!slice_is(val_str(version), TOKEN_VERSION)) {
    return bad_token(rq, arena_concat(rq->arena,
                                      SLICE_LIT("server does not recognize this encoded version "),
                                      val_str(version)));
  }
  *revision = val_i64(rv);
  *start = val_str(key);
  return true;
}

bool continue_decode(request *rq, slice token, int64_t *revision, slice *start) {
  slice bytes, error = SLICE_NONE;
  size_t bad = 0;
  if (!from_url_base64(rq->arena, token, &bytes, &bad)) {
    return bad_token(rq, arena_printf(rq->arena, "illegal base64 data at input byte %zu", bad));
  }
  val *v = json_parse(rq->arena, bytes, NULL, &error);
  if (!v) return bad_token(rq, error);
  if (!read_token(rq, v, revision, start)) return false;
  if (*revision == 0) {
    return bad_token(rq,
                     SLICE_LIT("incorrect encoded start resourceVersion (version "
                               "" TOKEN_VERSION ")"));
  }
  if (start->len == 0) {
    return bad_token(rq, SLICE_LIT("encoded start key empty (version " TOKEN_VERSION ")"));
  }
  if (!start_is_clean(*start)) return bad_token(rq, *start);
  if (start->ptr[0] == '/') *start = slice_from(*start, 1);
  return true;
}
