/* Heads line by line, bodies by length or chunk. */
#include "sim/workload/reader.h"

#define HEAD_MAX ((size_t)64 << 10)
#define BODY_MAX ((size_t)64 << 20)

void reader_init(reader *r) {
  memset(r, 0, sizeof *r);
  buf_init(&r->head, HEAD_MAX);
  buf_init(&r->body, BODY_MAX);
  buf_init(&r->whole_head, HEAD_MAX);
  r->retry_after_s = -1;
}

void reader_dispose(reader *r) {
  buf_dispose(&r->head);
  buf_dispose(&r->body);
  buf_dispose(&r->whole_head);
}

static void broken(reader *r, const char *why) {
  r->state = READER_BROKEN;
  r->problem = why;
}

static void field(reader *r, slice name, slice value) {
  long long n = 0;
  if (slice_eq_nocase(name, SLICE_LIT("Content-Length"))) {
    if (!slice_to_i64(value, &n) || n < 0) broken(r, "a bad Content-Length");
    r->left = n;
    r->until_close = false;
  } else if (slice_eq_nocase(name, SLICE_LIT("Transfer-Encoding"))) {
    r->chunked = slice_is(value, "chunked");
    if (!r->chunked) broken(r, "an unknown transfer encoding");
  } else if (slice_eq_nocase(name, SLICE_LIT("Connection"))) {
    r->closes = slice_is(value, "close");
  } else if (slice_eq_nocase(name, SLICE_LIT("Retry-After"))) {
    if (slice_to_i64(value, &n)) r->retry_after_s = (int32_t)n;
  } else if (slice_eq_nocase(name, SLICE_LIT("Content-Type"))) {
    size_t len = value.len < sizeof r->type - 1 ? value.len : sizeof r->type - 1;
    memcpy(r->type, value.ptr, len);
    r->type[len] = '\0';
  }
}

void reader_header(reader *r, slice name, slice value) {
  long long status = 0;
  if (!slice_is(name, ":status")) {
    field(r, name, value);
  } else if (slice_to_i64(value, &status) && status >= 200) {
    r->status = (int)status;
    r->state = READER_BODY;
  }
}

static void head_done(reader *r) {
  slice line, rest = buf_slice(&r->head), name, value;
  long long status = 0;
  slice_cut(rest, '\n', &line, &rest);
  if (!slice_has_prefix(line, SLICE_LIT("HTTP/1.1 ")) || line.len < 12 ||
      !slice_to_i64(slice_of(line.ptr + 9, 3), &status)) {
    broken(r, "no status line");
    return;
  }
  r->status = (int)status;
  r->until_close = true;
  while (slice_cut(rest, '\n', &line, &rest) && line.len > 1) {
    line = slice_upto(line, line.len - 1);
    if (!slice_cut(line, ':', &name, &value) || value.len == 0 || value.ptr[0] != ' ') {
      broken(r, "a bad header");
      return;
    }
    field(r, name, slice_from(value, 1));
  }
  if (r->keeps_head) {
    buf_clear(&r->whole_head);
    buf_append(&r->whole_head, buf_slice(&r->head));
  }
  buf_clear(&r->head);
  if (r->state == READER_BROKEN) return;
  r->state = READER_BODY;
  if (r->status == 100) { /* the answer proper comes behind it */
    r->state = READER_HEAD;
  } else if (r->status == 304 || r->status == 204) { /* never with a body */
    r->until_close = false;
    r->state = READER_DONE;
  } else if (r->chunked) {
    r->size_line = true;
    r->until_close = false;
  } else if (!r->until_close && r->left == 0) {
    r->state = READER_DONE;
  }
}

/* A line of the head or a chunk's size; true when it is complete. */
static bool take_line(reader *r, slice *bytes) {
  const char *end = memchr(bytes->ptr, '\n', bytes->len);
  size_t n = end ? (size_t)(end - bytes->ptr) + 1 : bytes->len;
  buf_append(&r->head, slice_upto(*bytes, n));
  *bytes = slice_from(*bytes, n);
  if (r->head.overflow) broken(r, "an endless line");
  return end != NULL;
}

static void take_size(reader *r) {
  slice line = buf_slice(&r->head);
  int64_t n = 0;
  if (line.len < 3 || line.len > 18 || line.ptr[line.len - 2] != '\r') {
    broken(r, "a bad chunk size");
    return;
  }
  for (size_t i = 0; i + 2 < line.len; i++) {
    char c = line.ptr[i];
    int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) broken(r, "a bad chunk size");
    n = n * 16 + digit;
  }
  buf_clear(&r->head);
  r->size_line = false;
  r->last = n == 0;
  r->left = n + 2; /* with the line end behind it */
}

static void take_body(reader *r, slice *bytes) {
  size_t n = bytes->len;
  if (!r->until_close && (int64_t)n > r->left) n = (size_t)r->left;
  slice part = slice_upto(*bytes, n);
  if (r->chunked) { /* the last two bytes are its line end */
    int64_t data = r->left - 2;
    buf_append(&r->body, slice_upto(part, data > 0 ? (size_t)data : 0));
  } else {
    buf_append(&r->body, part);
  }
  *bytes = slice_from(*bytes, n);
  if (r->until_close) return;
  r->left -= (int64_t)n;
  if (r->left > 0) return;
  if (!r->chunked || r->last) r->state = READER_DONE;
  else r->size_line = true;
}

size_t reader_feed(reader *r, slice bytes) {
  size_t given = bytes.len;
  while (bytes.len && r->state < READER_DONE) {
    if (r->state == READER_HEAD) {
      if (take_line(r, &bytes) && slice_has_suffix(buf_slice(&r->head), SLICE_LIT("\r\n\r\n"))) {
        head_done(r);
      }
    } else if (r->size_line) {
      if (take_line(r, &bytes)) take_size(r);
    } else {
      take_body(r, &bytes);
    }
  }
  return given - bytes.len;
}

bool reader_ended(reader *r) {
  if (r->state == READER_BODY && r->until_close) r->state = READER_DONE;
  return r->state == READER_DONE;
}
