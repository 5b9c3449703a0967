/* Answers of HTTP/2: the head as Go's http2 server writes it, then queued parts that become DATA
 * frames as windows allow.
 *
 * Go's rules kept here: the handler's headers sorted by name, then content-length and date; a whole
 * body of up to 4096 bytes has a length, a longer one only if the handler gave it; HEAD, 204 and
 * 304 have no body; "Connection: close" means GOAWAY. */
#include "http/conn.h"
#include "http/http2_stream.h"

#include "base/heap.h"

#include <assert.h>

#define LENGTH_MAX ((size_t)4096) /* Go's buffer before the head leaves */

/* ---- parts ---- */

static void add_part(http2_stream *s, slice bytes, blob *owner) {
  if (bytes.len == 0) return;
  http2_part *p = heap_alloc(sizeof *p);
  *p = (http2_part){.owner = owner ? blob_ref(owner) : NULL, .bytes = bytes};
  *s->parts_end = p;
  s->parts_end = &p->next;
  s->pending += bytes.len;
  if (s->pending < ENV_PENDING_LOW || s->high) return;
  s->high = true;
  s->conn->high_count++;
}

static void drop_part(http2_stream *s) {
  http2_part *p = s->parts;
  s->parts = p->next;
  if (!s->parts) s->parts_end = &s->parts;
  blob_unref(p->owner);
  heap_free(p);
}

void http2_parts_drop(http2_stream *s) {
  while (s->parts) drop_part(s);
  s->pending = 0;
}

/* Called by h2 for a frame whose length on_read has promised. */
static void send_body(void *source, h2 *h, size_t len) {
  http2_stream *s = source;
  while (len) {
    http2_part *p = s->parts;
    assert(p);
    size_t n = len < p->bytes.len ? len : p->bytes.len;
    h2_write(h, slice_upto(p->bytes, n), p->owner);
    p->bytes = slice_from(p->bytes, n);
    s->pending -= n;
    len -= n;
    if (p->bytes.len == 0) drop_part(s);
  }
}

static ssize_t on_read(nghttp2_session *session, int32_t id, uint8_t *to, size_t len,
                       uint32_t *flags, nghttp2_data_source *source, void *user) {
  (void)session;
  (void)id;
  (void)to;
  (void)user;
  http2_stream *s = source->ptr;
  if (s->pending == 0 && !s->out_end) return NGHTTP2_ERR_DEFERRED;
  if (s->pending <= len && s->out_end) *flags |= NGHTTP2_DATA_FLAG_EOF;
  if (s->pending == 0) return 0;
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  return (ssize_t)(s->pending < len ? s->pending : len);
}

static void resume(http2_stream *s) {
  nghttp2_session_resume_data(s->conn->h2.session, s->id);
}

/* ---- the head ---- */

typedef struct head {
  nghttp2_nv fields[HTTP_ANSWER_HEADERS_MAX + 4];
  size_t count;
  bool has_length, closes;
} head;

static void add_field(head *h, slice name, slice value) {
  h->fields[h->count++] = h2_header(name, value);
}

/* CR, LF and NUL can't be in a value. */
static slice clean(arena *a, slice value) {
  bool bad = false;
  for (size_t i = 0; i < value.len && !bad; i++) bad = strchr("\r\n", value.ptr[i]) != NULL;
  if (!bad) return slice_trim(value);
  slice copy = arena_copy(a, value);
  for (size_t i = 0; i < copy.len; i++) {
    if (strchr("\r\n", copy.ptr[i])) ((char *)(uintptr_t)copy.ptr)[i] = ' ';
  }
  return slice_trim(copy);
}

/* Sorted by name, equal names in the order given; what belongs to a connection is left out. */
static void add_given(head *h, arena *a, const http_header *headers, uint32_t count,
                      slice *length, bool *has_date) {
  uint16_t order[HTTP_ANSWER_HEADERS_MAX];
  uint32_t n = 0;
  assert(count <= HTTP_ANSWER_HEADERS_MAX);
  for (uint32_t i = 0; i < count; i++) {
    slice name = headers[i].name;
    if (slice_eq_nocase(name, SLICE_LIT("Connection"))) {
      h->closes = h->closes || http_value_has_token(headers[i].value, "close");
      continue;
    }
    if (slice_eq_nocase(name, SLICE_LIT("Transfer-Encoding"))) continue;
    if (slice_eq_nocase(name, SLICE_LIT("Content-Length"))) {
      *length = headers[i].value;
      h->has_length = true;
      continue;
    }
    *has_date = *has_date || slice_eq_nocase(name, SLICE_LIT("Date"));
    uint32_t at = n++;
    while (at > 0 && slice_cmp(headers[order[at - 1]].name, name) > 0) {
      order[at] = order[at - 1];
      at--;
    }
    order[at] = (uint16_t)i;
  }
  for (uint32_t i = 0; i < n; i++) {
    const http_header *g = &headers[order[i]];
    add_field(h, arena_lower(a, g->name), clean(a, g->value));
  }
}

static bool status_has_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

/* sized: `body` is the whole body's length. The answer ends with its head if it has no body. */
static void write_head(http2_stream *s, int status, const http_header *headers, uint32_t count,
                       bool sized, size_t body) {
  http2_conn *c = s->conn;
  char digits[SLICE_U64_ROOM], size[SLICE_U64_ROOM], date[32];
  arena *a = s->x.arena;
  head h = {.count = 0};
  slice length = SLICE_NONE;
  bool has_date = false;
  add_field(&h, SLICE_LIT(":status"), slice_of_u64(digits, (uint64_t)status));
  add_given(&h, a, headers, count, &length, &has_date);
  bool bodied = status_has_body(status);
  if (!h.has_length && sized && bodied && body <= LENGTH_MAX && (!s->is_head || body > 0)) {
    length = slice_of_u64(size, body);
  }
  if (length.len) add_field(&h, SLICE_LIT("content-length"), length);
  if (!has_date) {
    http_date(c->server->env->wall_ns, date);
    add_field(&h, SLICE_LIT("date"), slice_of(date, 29));
  }
  bool empty = s->is_head || !bodied || (sized && body == 0);
  nghttp2_data_provider data = {.source = {.ptr = s}, .read_callback = on_read};
  nghttp2_submit_response(c->h2.session, s->id, h.fields, h.count, empty ? NULL : &data);
  s->begun = true;
  if (h.closes && !c->leaving) {
    c->leaving = true;
    nghttp2_submit_goaway(c->h2.session, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(c->h2.session),
                          NGHTTP2_NO_ERROR, NULL, 0);
  }
}

/* ---- the wire ---- */

static void wire_send(http_exchange *x, const http_answer *a) {
  http2_stream *s = http2_stream_of(x);
  http2_conn *c = s->conn;
  assert(s->dispatched && !s->over && !s->begun);
  http2_enter(c);
  size_t body = 0;
  for (uint32_t i = 0; i < a->part_count; i++) body += a->parts[i].bytes.len;
  write_head(s, a->status, a->headers, a->header_count, true, body);
  if (!s->is_head && status_has_body(a->status)) {
    for (uint32_t i = 0; i < a->part_count; i++) {
      add_part(s, a->parts[i].bytes, a->parts[i].owner);
    }
  }
  s->out_end = true;
  http2_over(s);
  http2_leave_conn(c);
}

static void wire_stream_begin(http_exchange *x, int status, const http_header *headers,
                              uint32_t count) {
  http2_stream *s = http2_stream_of(x);
  assert(s->dispatched && !s->over && !s->begun);
  http2_enter(s->conn);
  write_head(s, status, headers, count, false, 0);
  s->streaming = true;
  http2_leave_conn(s->conn);
}

static void wire_stream_write(http_exchange *x, slice bytes, blob *owner) {
  http2_stream *s = http2_stream_of(x);
  assert(s->streaming);
  if (bytes.len == 0 || s->is_head) return;
  http2_enter(s->conn);
  blob *copy = owner ? NULL : blob_copy(bytes);
  if (copy) add_part(s, blob_slice(copy), copy);
  else add_part(s, bytes, owner);
  blob_unref(copy);
  resume(s);
  http2_leave_conn(s->conn);
}

static size_t wire_pending(const http_exchange *x) {
  return http2_stream_of(x)->pending;
}

static void wire_stream_end(http_exchange *x) {
  http2_stream *s = http2_stream_of(x);
  http2_conn *c = s->conn;
  assert(s->streaming);
  http2_enter(c);
  s->out_end = true;
  http2_over(s);
  resume(s);
  http2_leave_conn(c);
}

static void wire_cut(http_exchange *x) {
  http2_stream *s = http2_stream_of(x);
  http2_conn *c = s->conn;
  http2_enter(c);
  http2_over(s);
  nghttp2_submit_rst_stream(c->h2.session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_INTERNAL_ERROR);
  http2_leave_conn(c);
}

/* Not at once: nghttp2 may be below us on the stack. */
static void wire_cut_connection(http_exchange *x, bool flush) {
  http2_stream *s = http2_stream_of(x);
  http2_conn *c = s->conn;
  http2_enter(c);
  http2_over(s);
  c->breaks = true;
  c->breaks_behind = flush;
  if (flush && s->begun) resume(s);
  http2_leave_conn(c);
}

static void wire_settle(http_exchange *x) {
  http2_stream *s = http2_stream_of(x);
  assert(s->streaming);
  buf_dispose(&s->body);
  arena_destroy(x->arena);
  x->arena = NULL;
  x->method = x->target = x->path = x->raw_query = x->body = SLICE_NONE;
  x->headers = NULL;
  x->header_count = 0;
  x->query = NULL;
  s->headers = NULL;
  s->method = s->path = s->authority = SLICE_NONE;
}

const http_wire http2_wire = {.send = wire_send,
                              .stream_begin = wire_stream_begin,
                              .stream_write = wire_stream_write,
                              .pending = wire_pending,
                              .stream_end = wire_stream_end,
                              .cut = wire_cut,
                              .cut_connection = wire_cut_connection,
                              .settle = wire_settle};

void http2_source_init(http2_stream *s) {
  s->source.send = send_body;
  s->parts_end = &s->parts;
}
