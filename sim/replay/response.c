/* A small reader of answers. It need not be strict (the server is the one under test), but it
 * must not believe what is not there: a cut answer is broken, not short. */
#include "sim/replay/response.h"

#include <stdlib.h>

#define RESPONSE_MAX ((size_t)1 << 30)
#define HEAD_MAX ((size_t)1 << 20)

void response_init(response *r, arena *a, bool head_request) {
  memset(r, 0, sizeof *r);
  r->arena = a;
  r->head_request = head_request;
  buf_init(&r->body, RESPONSE_MAX);
  buf_init(&r->pending, RESPONSE_MAX);
}

void response_dispose(response *r) {
  buf_dispose(&r->body);
  buf_dispose(&r->pending);
}

static void add_header(response *r, slice line, tape_header *items) {
  slice name, value;
  slice_cut(line, ':', &name, &value);
  value = slice_trim(value);
  for (uint32_t i = 0; i < r->headers.count; i++) {
    if (slice_eq_nocase(items[i].name, name)) { /* as tapes keep them: joined */
      items[i].value = arena_printf(r->arena, "%.*s, %.*s", SLICE_ARG(items[i].value),
                                    SLICE_ARG(value));
      return;
    }
  }
  items[r->headers.count].name = arena_copy(r->arena, name);
  items[r->headers.count++].value = arena_copy(r->arena, value);
}

static void read_framing(response *r) {
  slice length = tape_header_get(&r->headers, "Content-Length");
  slice connection = tape_header_get(&r->headers, "Connection");
  long long n = 0;
  r->keep_alive = !slice_eq_nocase(connection, SLICE_LIT("close"));
  r->chunked = slice_eq_nocase(tape_header_get(&r->headers, "Transfer-Encoding"),
                               SLICE_LIT("chunked"));
  if (r->head_request || r->status == 204 || r->status == 304 || r->status == 101) {
    r->state = RESPONSE_DONE;
  } else if (r->chunked) {
    r->state = RESPONSE_BODY;
    r->left = -1;
  } else if (slice_to_i64(length, &n)) {
    r->left = n;
    r->state = n > 0 ? RESPONSE_BODY : RESPONSE_DONE;
  } else {
    r->until_close = true;
    r->keep_alive = false;
    r->state = RESPONSE_BODY;
  }
}

/* True when the head is complete and eaten. */
static bool read_head(response *r) {
  slice all = buf_slice(&r->pending);
  ptrdiff_t end = slice_find(all, SLICE_LIT("\r\n\r\n"));
  if (end < 0) {
    r->state = all.len > HEAD_MAX ? RESPONSE_BROKEN : RESPONSE_HEAD;
    return false;
  }
  slice head = slice_upto(all, (size_t)end), line;
  slice_cut(head, '\n', &line, &head);
  if (!slice_has_prefix(line, SLICE_LIT("HTTP/1.")) || line.len < 12) {
    r->state = RESPONSE_BROKEN;
    return false;
  }
  r->status = atoi(arena_cstr(r->arena, slice_of(line.ptr + 9, 3)));
  size_t lines = 1;
  for (size_t i = 0; i < head.len; i++) {
    lines += head.ptr[i] == '\n';
  }
  tape_header *items = ARENA_ARRAY(r->arena, tape_header, lines);
  r->headers = (tape_headers){0, items};
  while (head.len > 0) {
    slice_cut(head, '\n', &line, &head);
    add_header(r, slice_trim(line), items);
  }
  buf_consume(&r->pending, (size_t)end + 4);
  if (r->status >= 100 && r->status < 200 && r->status != 101) {
    return true; /* an interim answer: the real one follows */
  }
  read_framing(r);
  return true;
}

static bool read_chunk_size(response *r) {
  slice all = buf_slice(&r->pending), line, rest;
  if (!slice_cut(all, '\n', &line, &rest)) {
    return false;
  }
  size_t eaten = line.len + 1;
  line = slice_trim(line);
  if (line.len > 0) {
    r->left = (int64_t)strtoll(arena_cstr(r->arena, line), NULL, 16);
  }
  if (r->left == 0) { /* no trailers are expected */
    if (rest.len < 2) {
      r->left = -1;
      return false;
    }
    eaten += 2;
    r->state = RESPONSE_DONE;
  }
  buf_consume(&r->pending, eaten);
  return true;
}

static bool read_body(response *r) {
  if (r->until_close) {
    buf_append(&r->body, buf_slice(&r->pending));
    buf_clear(&r->pending);
    return false;
  }
  if (r->left < 0) {
    return read_chunk_size(r);
  }
  size_t n = (size_t)r->left < r->pending.len ? (size_t)r->left : r->pending.len;
  buf_append(&r->body, slice_upto(buf_slice(&r->pending), n));
  buf_consume(&r->pending, n);
  r->left -= (int64_t)n;
  if (r->left > 0) {
    return false;
  }
  if (r->chunked) {
    r->left = -1;
  } else {
    r->state = RESPONSE_DONE;
  }
  return true;
}

void response_feed(response *r, slice bytes) {
  buf_append(&r->pending, bytes);
  bool more = true;
  while (more && (r->state == RESPONSE_HEAD || r->state == RESPONSE_BODY)) {
    more = r->state == RESPONSE_HEAD ? read_head(r) : read_body(r);
  }
  if (r->body.overflow || r->pending.overflow) {
    r->state = RESPONSE_BROKEN;
  }
}

void response_eof(response *r) {
  if (r->state == RESPONSE_BODY && r->until_close) {
    r->state = RESPONSE_DONE;
  } else if (r->state != RESPONSE_DONE) {
    r->state = RESPONSE_BROKEN;
  }
}
