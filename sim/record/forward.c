/* A pass is one request under way. It ends in one place (pass_end), whoever ends it: the
 * upstream, the client, or the recorder. */
#include "sim/record/forward.h"

#include "base/heap.h"

#include <stdio.h>

#define REQUEST_MAX ((size_t)8 << 20)

typedef struct pass {
  http_exchange *x; /* NULL: the client has gone */
  call *call;
  taped *taped;
  forwarder *owner;
  size_t passed; /* bytes of the answer's body handed on */
  bool stream, begun;
} pass;

struct forwarder {
  tape_writer *writer;
  const char *host, *token;
  uplink *up;
  int64_t (*now_ms)(void *ctx);
  void *ctx;
};

forwarder *forwarder_create(tape_writer *writer, const char *host, const char *token,
                            int64_t (*now_ms)(void *ctx), void *ctx) {
  forwarder *f = heap_zalloc(sizeof *f);
  *f = (forwarder){writer, host, token, NULL, now_ms, ctx};
  return f;
}

void forwarder_destroy(forwarder *f) {
  heap_free(f);
}

void forwarder_use(forwarder *f, uplink *up) {
  f->up = up;
}

static bool is_hop_header(slice name) {
  static const char *const names[] = {"Host",       "Connection",        "Content-Length",
                                      "Keep-Alive", "Transfer-Encoding", "Accept-Encoding",
                                      "Date",       "Expect",            "Proxy-Connection"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (slice_eq_nocase(name, slice_cstr(names[i]))) {
      return true;
    }
  }
  return false;
}

static slice request_bytes(const forwarder *f, http_exchange *x, buf *out) {
  buf_printf(out, "%.*s %.*s HTTP/1.1\r\nHost: %s\r\n", SLICE_ARG(x->method),
             SLICE_ARG(x->target), f->host);
  bool upgrade = false;
  for (uint32_t i = 0; i < x->header_count; i++) {
    const http_header *h = &x->headers[i];
    bool replaced = f->token && slice_eq_nocase(h->name, SLICE_LIT("Authorization"));
    upgrade |= slice_eq_nocase(h->name, SLICE_LIT("Upgrade"));
    if (!is_hop_header(h->name) && !replaced) {
      buf_append(out, h->name);
      buf_lit(out, ": ");
      buf_append(out, h->value);
      buf_lit(out, "\r\n");
    }
  }
  if (f->token) {
    buf_printf(out, "Authorization: Bearer %s\r\n", f->token);
  }
  buf_cstr(out, upgrade ? "Connection: Upgrade\r\n" : "");
  if (x->body.len > 0 || !(slice_is(x->method, "GET") || slice_is(x->method, "HEAD"))) {
    buf_printf(out, "Content-Length: %zu\r\n", x->body.len);
  }
  buf_lit(out, "\r\n");
  buf_append(out, x->body);
  return buf_slice(out);
}

static bool is_stream_request(slice target) {
  slice watch = target_param(target, "watch"), follow = target_param(target, "follow");
  slice path = target_path(target);
  return slice_is(watch, "true") || slice_is(watch, "1") || slice_is(follow, "true") ||
         slice_has_prefix(path, SLICE_LIT("/api/v1/watch/")) ||
         (slice_has_prefix(path, SLICE_LIT("/apis/")) &&
          slice_find(path, SLICE_LIT("/watch/")) >= 0);
}

static void pass_end(pass *s) {
  taped_end(s->taped, s->owner->now_ms(s->owner->ctx));
  s->owner->up->finish(s->owner->up, s->call);
  heap_free(s);
}

static void on_abort(http_exchange *x) {
  pass *s = x->user;
  s->x = NULL;
  pass_end(s);
}

/* The header arrays of the two sides look alike but are not the same type. */
static http_header *down_headers(arena *a, const tape_headers *from, uint32_t *count) {
  http_header *out = ARENA_ARRAY(a, http_header, from->count + 1);
  *count = 0;
  for (uint32_t i = 0; i < from->count; i++) {
    if (!is_hop_header(from->items[i].name)) {
      out[(*count)++] = (http_header){arena_copy(a, from->items[i].name),
                                      arena_copy(a, from->items[i].value)};
    }
  }
  return out;
}

static void refuse(pass *s, int status, const char *why) {
  http_header type = {SLICE_LIT("Content-Type"), SLICE_LIT("text/plain; charset=utf-8")};
  http_part part = {arena_copy(s->x->arena, slice_cstr(why)), NULL};
  taped_head(s->taped, status, &(tape_headers){0, NULL}, false);
  http_respond(s->x, status, &type, 1, &part, 1);
}

static void answer_whole(pass *s) {
  const response *r = &s->call->res;
  uint32_t count;
  http_header *headers = down_headers(s->x->arena, &r->headers, &count);
  http_part part = {arena_copy(s->x->arena, buf_slice(&r->body)), NULL};
  taped_head(s->taped, r->status, &r->headers, false);
  taped_body(s->taped, 0, part.bytes);
  http_respond(s->x, r->status, headers, count, &part, part.bytes.len > 0);
}

static void stream_on(pass *s) {
  response *r = &s->call->res;
  if (!s->begun) {
    uint32_t count;
    http_header *headers = down_headers(s->x->arena, &r->headers, &count);
    taped_head(s->taped, r->status, &r->headers, true);
    http_stream_begin(s->x, r->status, headers, count);
    s->begun = true;
  }
  slice fresh = slice_from(buf_slice(&r->body), s->passed);
  if (fresh.len > 0) {
    s->passed += fresh.len;
    taped_body(s->taped, s->owner->now_ms(s->owner->ctx), fresh);
    http_stream_write(s->x, fresh, NULL);
  }
}

void forwarder_changed(void *ctx, call *c) {
  (void)ctx;
  pass *s = c->user;
  const response *r = &c->res;
  bool over = r->state == RESPONSE_DONE || r->state == RESPONSE_BROKEN;
  if (!s || r->state == RESPONSE_HEAD) {
    return;
  }
  if (!s->begun && r->state == RESPONSE_BROKEN) {
    refuse(s, 502, c->problem[0] ? c->problem : "the upstream broke off");
  } else if (r->status == 101) {
    refuse(s, 501, "protocol upgrades are not recorded");
  } else if (s->stream && r->status == 200) {
    stream_on(s);
    if (r->state == RESPONSE_DONE) {
      http_stream_end(s->x);
    } else if (over) {
      http_stream_cut(s->x);
    }
  } else if (over) {
    answer_whole(s);
  }
  if (over || r->status == 101) {
    pass_end(s);
  }
}

void forwarder_handle(void *ctx, http_exchange *x) {
  forwarder *f = ctx;
  tape_header *items = ARENA_ARRAY(x->arena, tape_header, x->header_count + 1);
  for (uint32_t i = 0; i < x->header_count; i++) {
    items[i] = (tape_header){x->headers[i].name, x->headers[i].value};
  }
  tape_headers headers = {x->header_count, items};
  pass *s = heap_zalloc(sizeof *s);
  s->owner = f;
  s->x = x;
  s->stream = is_stream_request(x->target);
  s->taped = taped_begin(f->writer, f->now_ms(f->ctx), x->method, x->target, &headers, x->body);
  x->user = s;
  x->on_abort = on_abort;
  buf out;
  buf_init(&out, REQUEST_MAX);
  slice bytes = request_bytes(f, x, &out);
  s->call = f->up->start(f->up, bytes, slice_is(x->method, "HEAD"));
  s->call->user = s;
  buf_dispose(&out);
  if (s->call->problem[0]) { /* refused at once: nobody was there to be told yet */
    forwarder_changed(f, s->call);
  }
}
