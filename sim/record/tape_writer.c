/* Tapes hold what the format's page says and nothing else: no credentials, no dates, no lengths.
 * Texts are written as strings where they are UTF-8, else in base64. */
#include "sim/record/tape_writer.h"

#include "base/buf.h"
#include "base/heap.h"
#include "sim/record/redact.h"
#include "sim/replay/jtree.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>

#define KEPT_MAX ((size_t)1 << 30)

struct taped {
  tape_writer *owner;
  taped *next;
  arena *arena;
  int64_t at_ms, done_ms; /* done -1: still under way */
  slice method, target, body;
  tape_headers request_headers, headers;
  int status;
  bool stream;
  buf answer;
  uint32_t frame_count, frame_cap;
  tape_frame *frames;
};

struct tape_writer {
  taped *first, *last;
  uint32_t count;
  bool redact;
};

tape_writer *tape_writer_create(bool redact_secrets) {
  tape_writer *w = heap_zalloc(sizeof *w);
  w->redact = redact_secrets;
  return w;
}

void tape_writer_destroy(tape_writer *w) {
  while (w->first) {
    taped *t = w->first;
    w->first = t->next;
    buf_dispose(&t->answer);
    arena_destroy(t->arena);
  }
  heap_free(w);
}

static bool is_left_out(slice name) {
  static const char *const names[] = {
      "Host",          "Content-Length", "Accept-Encoding", "Authorization",    "Connection",
      "Date",          "Audit-Id",       "Cookie",          "Transfer-Encoding", "Keep-Alive",
      "Kubectl-Session", "Sec-Websocket-Extensions", "X-Kubernetes-Pf-Flowschema-Uid",
      "X-Kubernetes-Pf-Prioritylevel-Uid"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (slice_eq_nocase(name, slice_cstr(names[i]))) {
      return true;
    }
  }
  return false;
}

static tape_headers keep_headers(arena *a, const tape_headers *from) {
  tape_header *items = ARENA_ARRAY(a, tape_header, from->count + 1);
  tape_headers out = {0, items};
  for (uint32_t i = 0; i < from->count; i++) {
    if (!is_left_out(from->items[i].name)) {
      items[out.count].name = arena_copy(a, from->items[i].name);
      items[out.count++].value = arena_copy(a, from->items[i].value);
    }
  }
  return out;
}

taped *taped_begin(tape_writer *w, int64_t at_ms, slice method, slice target,
                   const tape_headers *headers, slice body) {
  arena *a = arena_create();
  taped *t = ARENA_NEW(a, taped);
  t->owner = w;
  t->arena = a;
  t->at_ms = at_ms;
  t->done_ms = -1;
  t->method = arena_copy(a, method);
  t->target = arena_copy(a, target);
  t->body = arena_copy(a, body);
  t->request_headers = keep_headers(a, headers);
  buf_init(&t->answer, KEPT_MAX);
  if (w->last) {
    w->last->next = t;
  } else {
    w->first = t;
  }
  w->last = t;
  w->count++;
  return t;
}

void taped_head(taped *t, int status, const tape_headers *headers, bool stream) {
  t->status = status;
  t->headers = keep_headers(t->arena, headers);
  t->stream = stream;
}

void taped_body(taped *t, int64_t at_ms, slice bytes) {
  if (!t->stream) {
    buf_append(&t->answer, bytes);
    return;
  }
  if (t->frame_count == t->frame_cap) {
    uint32_t more = t->frame_cap ? t->frame_cap * 2 : 8;
    t->frames = arena_grow(t->arena, t->frames, t->frame_cap * sizeof *t->frames,
                           more * sizeof *t->frames);
    t->frame_cap = more;
  }
  t->frames[t->frame_count++] = (tape_frame){at_ms, arena_copy(t->arena, bytes)};
}

void taped_end(taped *t, int64_t at_ms) {
  t->done_ms = at_ms;
}

uint32_t tape_writer_count(const tape_writer *w) {
  return w->count;
}

const char *tape_writer_agent(const tape_writer *w) {
  slice agent = w->first ? tape_header_get(&w->first->request_headers, "User-Agent") : SLICE_NONE;
  return agent.len > 0 ? agent.ptr : "";
}

/* ---- to JSON ---- */

static void set_bytes(json_t *to, const char *plain, const char *b64, slice bytes) {
  json_t *text = json_stringn(bytes.ptr ? bytes.ptr : "", bytes.len);
  if (text) {
    json_object_set_new(to, plain, text);
    return;
  }
  unsigned char *out = malloc(bytes.len / 3 * 4 + 8);
  int n = out ? EVP_EncodeBlock(out, (const unsigned char *)bytes.ptr, (int)bytes.len) : 0;
  json_object_set_new(to, b64, json_stringn((char *)out, (size_t)n));
  free(out);
}

static int by_name(const void *x, const void *y) {
  return slice_cmp(((const tape_header *)x)->name, ((const tape_header *)y)->name);
}

static json_t *headers_json(arena *a, const tape_headers *h) {
  tape_header *sorted = ARENA_ARRAY(a, tape_header, h->count + 1);
  if (h->count > 0) {
    memcpy(sorted, h->items, h->count * sizeof *sorted);
    qsort(sorted, h->count, sizeof *sorted, by_name);
  }
  json_t *out = json_object();
  for (uint32_t i = 0; i < h->count; i++) {
    char *name = arena_cstr(a, sorted[i].name);
    json_t *there = json_object_get(out, name);
    if (there) {
      slice both = arena_printf(a, "%s, %.*s", json_string_value(there),
                                SLICE_ARG(sorted[i].value));
      json_object_set_new(out, name, json_stringn(both.ptr, both.len));
    } else {
      json_object_set_new(out, name,
                          json_stringn(sorted[i].value.ptr, sorted[i].value.len));
    }
  }
  return out;
}

static bool is_openapi_document(slice target) {
  slice path = target_path(target);
  return slice_is(path, "/openapi/v2") || slice_has_prefix(path, SLICE_LIT("/openapi/v3/"));
}

/* The texts of table columns are prose of the server's own: emptied. */
static slice without_descriptions(arena *a, slice text) {
  const jnode *body = jtree_parse(a, text);
  const jnode *object = jtree_get(body, "object");
  const jnode *columns = jtree_get(object ? object : body, "columnDefinitions");
  if (!columns || columns->type != J_ARRAY) {
    return text;
  }
  buf out;
  buf_init(&out, KEPT_MAX);
  const char *from = text.ptr;
  for (uint32_t i = 0; i < columns->count; i++) {
    const jnode *d = jtree_get(&columns->items[i], "description");
    if (d && d->type == J_STRING) {
      buf_append(&out, slice_of(from, (size_t)(d->raw.ptr - from)));
      buf_cstr(&out, "\"\"");
      from = d->raw.ptr + d->raw.len;
    }
  }
  buf_append(&out, slice_of(from, (size_t)(text.ptr + text.len - from)));
  slice s = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return s;
}

static slice cleaned(const taped *t, slice body) {
  slice s = without_descriptions(t->arena, body);
  return t->owner->redact ? redact_body(t->arena, t->target, s) : s;
}

static json_t *answer_json(taped *t) {
  json_t *res = json_object();
  json_object_set_new(res, "status", json_integer(t->status));
  if (t->headers.count > 0) {
    json_object_set_new(res, "headers", headers_json(t->arena, &t->headers));
  }
  if (t->frame_count > 0) {
    json_t *frames = json_array();
    for (uint32_t i = 0; i < t->frame_count; i++) {
      json_t *f = json_object();
      json_object_set_new(f, "at_ms", json_integer(t->frames[i].at_ms));
      set_bytes(f, "data", "data_b64", cleaned(t, t->frames[i].data));
      json_array_append_new(frames, f);
    }
    json_object_set_new(res, "frames", frames);
  } else if (t->answer.len > 0 && t->status == 200 && is_openapi_document(t->target)) {
    json_object_set_new(res, "body", json_string("{\"elided\":true}"));
  } else if (t->answer.len > 0) {
    set_bytes(res, "body", "body_b64", cleaned(t, buf_slice(&t->answer)));
  }
  if (t->stream) {
    json_object_set_new(res, "stream", json_true());
  }
  return res;
}

static json_t *exchange_json(taped *t, uint32_t seq, int64_t now_ms) {
  json_t *x = json_object(), *req = json_object();
  slice body = t->owner->redact ? redact_body(t->arena, t->target, t->body) : t->body;
  json_object_set_new(x, "seq", json_integer(seq));
  json_object_set_new(x, "at_ms", json_integer(t->at_ms));
  json_object_set_new(x, "done_ms", json_integer(t->done_ms >= 0 ? t->done_ms : now_ms));
  json_object_set_new(req, "method", json_stringn(t->method.ptr, t->method.len));
  json_object_set_new(req, "target", json_stringn(t->target.ptr, t->target.len));
  json_object_set_new(req, "headers", headers_json(t->arena, &t->request_headers));
  if (body.len > 0) {
    set_bytes(req, "body", "body_b64", body);
  }
  json_object_set_new(x, "req", req);
  json_object_set_new(x, "res", answer_json(t));
  return x;
}

static bool write_line(FILE *out, json_t *line) {
  bool good = json_dumpf(line, out, JSON_COMPACT) == 0 && fputc('\n', out) != EOF;
  json_decref(line);
  return good;
}

bool tape_writer_save(tape_writer *w, FILE *out, int64_t now_ms, const char *name,
                      const char *client, const char *about) {
  json_t *head = json_pack("{s:s,s:s,s:I,s:s,s:i}", "about", about, "client", client, "exchanges",
                           (json_int_t)w->count, "name", name, "tape", 1);
  bool good = head && write_line(out, head);
  uint32_t seq = 1;
  for (taped *t = w->first; t && good; t = t->next) {
    good = write_line(out, exchange_json(t, seq++, now_ms));
  }
  return fflush(out) == 0 && good && !ferror(out);
}
