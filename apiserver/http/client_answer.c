/* Reading an answer: status line, the few headers that matter, and the body in its framing. */
#include "base/limits.h"
#include "http/client_internal.h"
#include "http/head.h"

#include <string.h>
#include <zlib.h>

#define CLIENT_TOO_LARGE "the answer is larger than apisim takes (16 MiB)"

void answer_init(answer_reader *r) {
  *r = (answer_reader){0};
  buf_init(&r->in, LIMIT_CLIENT_ANSWER);
}

void answer_dispose(answer_reader *r) { buf_dispose(&r->in); }

static answer_state bad(answer_reader *r, slice why) {
  r->why = why;
  return ANSWER_BAD;
}

static bool line_next(slice *rest, slice *line) {
  if (!rest->len) return false;
  slice_cut(*rest, '\n', line, rest);
  if (line->len && line->ptr[line->len - 1] == '\r') *line = slice_upto(*line, line->len - 1);
  return true;
}

static bool read_status(answer_reader *r, slice line) {
  if (!slice_has_prefix(line, SLICE_LIT("HTTP/1.")) || line.len < 12 || line.ptr[8] != ' ') {
    return false;
  }
  r->close = line.ptr[7] == '0';
  r->code = 0;
  for (size_t i = 9; i < 12; i++) {
    if (line.ptr[i] < '0' || line.ptr[i] > '9') return false;
    r->code = r->code * 10 + (line.ptr[i] - '0');
  }
  return line.len == 12 || line.ptr[12] == ' ';
}

static bool read_field(answer_reader *r, slice line, bool *sized) {
  slice name, value;
  if (!slice_cut(line, ':', &name, &value)) return false;
  value = slice_trim(value);
  size_t at = (size_t)(value.ptr - r->in.ptr);
  if (slice_eq_nocase(name, SLICE_LIT("content-length"))) {
    long long n = 0;
    if (!slice_to_i64(value, &n) || n < 0) return false;
    *sized = true;
    r->length = (size_t)n;
  } else if (slice_eq_nocase(name, SLICE_LIT("transfer-encoding"))) {
    r->is_chunked = slice_eq_nocase(value, SLICE_LIT("chunked"));
    if (!r->is_chunked) return false;
  } else if (slice_eq_nocase(name, SLICE_LIT("content-encoding"))) {
    r->gzip = slice_eq_nocase(value, SLICE_LIT("gzip"));
  } else if (slice_eq_nocase(name, SLICE_LIT("connection"))) {
    if (http_value_has_token(value, "close")) r->close = true;
  } else if (slice_eq_nocase(name, SLICE_LIT("content-type"))) {
    r->type_at = at;
    r->type_len = value.len;
  } else if (slice_eq_nocase(name, SLICE_LIT("retry-after"))) {
    r->retry_at = at;
    r->retry_len = value.len;
  }
  return true;
}

/* Where the blank line ends; 0: not yet. */
static size_t head_end(answer_reader *r) {
  const char *p = r->in.ptr;
  for (size_t i = r->scanned; i < r->in.len; i++) {
    if (p[i] != '\n') continue;
    if (i >= 1 && p[i - 1] == '\n') return i + 1;
    if (i >= 2 && p[i - 1] == '\r' && p[i - 2] == '\n') return i + 1;
  }
  r->scanned = r->in.len > 2 ? r->in.len - 2 : 0;
  return 0;
}

/* Heads of 1xx are passed over. */
static answer_state read_head(answer_reader *r) {
  for (;;) {
    size_t end = head_end(r);
    if (!end) {
      bool long_head = r->in.len > LIMIT_CLIENT_HEAD;
      return long_head ? bad(r, SLICE_LIT("net/http: server response headers exceeded the limit"))
                       : ANSWER_MORE;
    }
    slice rest = slice_of(r->in.ptr, end), line;
    bool sized = false;
    if (!line_next(&rest, &line) || !read_status(r, line)) {
      return bad(r, SLICE_LIT("net/http: HTTP/1.x transport connection broken: malformed HTTP "
                              "response"));
    }
    while (line_next(&rest, &line) && line.len) {
      if (!read_field(r, line, &sized)) {
        return bad(r, SLICE_LIT("net/http: HTTP/1.x transport connection broken: malformed MIME "
                                "header line"));
      }
    }
    if (r->code >= 200) {
      r->head_len = r->at = r->out = end;
      if (r->code == 204 || r->code == 304) r->length = 0, r->is_chunked = false, sized = true;
      r->to_the_end = !sized && !r->is_chunked;
      if (r->length > LIMIT_CLIENT_ANSWER) return bad(r, SLICE_LIT(CLIENT_TOO_LARGE));
      return ANSWER_WHOLE;
    }
    buf_consume(&r->in, end);
    r->scanned = 0;
  }
}

answer_state answer_feed(answer_reader *r, slice bytes, bool ended) {
  buf_append(&r->in, bytes);
  if (r->in.overflow) return bad(r, SLICE_LIT(CLIENT_TOO_LARGE));
  if (!r->head_len) {
    answer_state s = read_head(r);
    if (s == ANSWER_MORE && ended) {
      return bad(r, r->in.len ? SLICE_LIT("unexpected EOF") : SLICE_LIT("EOF"));
    }
    if (s != ANSWER_WHOLE) return s;
  }
  if (r->is_chunked) {
    slice why;
    arena *words = arena_create();
    chunked_result c = chunked_decode(&r->chunks, r->in.ptr, r->in.len, &r->at, &r->out,
                                      LIMIT_CLIENT_ANSWER, words, &why);
    arena_destroy(words);
    if (c == CHUNKED_DONE) {
      if (r->at < r->in.len) r->close = true; /* more than was asked for */
      return ANSWER_WHOLE;
    }
    if (c == CHUNKED_MORE && !ended) return ANSWER_MORE;
    return bad(r, c == CHUNKED_MORE ? SLICE_LIT("unexpected EOF")
                                    : SLICE_LIT("malformed chunked encoding"));
  }
  size_t have = r->in.len - r->head_len;
  r->out = r->in.len;
  if (r->to_the_end) {
    r->close = true;
    return ended ? ANSWER_WHOLE : ANSWER_MORE;
  }
  if (have >= r->length) {
    if (have > r->length) r->close = true;
    r->out = r->head_len + r->length;
    return ANSWER_WHOLE;
  }
  return ended ? bad(r, SLICE_LIT("unexpected EOF")) : ANSWER_MORE;
}

bool answer_body(const answer_reader *r, buf *plain, slice *body) {
  buf_init(plain, LIMIT_CLIENT_ANSWER);
  *body = slice_of(r->in.ptr + r->head_len, r->out - r->head_len);
  if (!r->gzip || !body->len) return true;
  z_stream z = {.next_in = (Bytef *)(uintptr_t)body->ptr, .avail_in = (uInt)body->len};
  if (inflateInit2(&z, 15 + 16) != Z_OK) return false;
  int rc = Z_OK;
  while (rc == Z_OK && !plain->overflow) {
    char *to = buf_reserve(plain, 16384);
    z.next_out = (Bytef *)to;
    z.avail_out = 16384;
    rc = inflate(&z, Z_NO_FLUSH);
    plain->len += 16384 - z.avail_out;
  }
  inflateEnd(&z);
  *body = buf_slice(plain);
  return rc == Z_STREAM_END && !plain->overflow;
}
