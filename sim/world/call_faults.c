/* What happens to a request on its way. Nobody but the plan's entry decides. */
#include "sim/world/call_faults.h"

#include "sim/workload/client.h"
#include "sim/workload/h2_link.h"
#include "sim/world/store_link.h"

static bool asks_initial(const call_request *q) {
  return memmem(q->target.ptr, q->target.len, "sendInitialEvents", 17) != NULL;
}

static bool asks_page(const call_request *q) {
  return memmem(q->target.ptr, q->target.len, "continue=", 9) != NULL;
}

/* Behind the time that an answer takes; the request never leaves. */
static void answer_h2(call *k, slice body, int code) {
  world *w = k->owner->world;
  call_instead *a = ARENA_NEW(w->arena, call_instead);
  *a = (call_instead){.status = code, .retry_after_s = code == 429,
                      .body = arena_copy(w->arena, body)};
  k->instead = a;
  world_at(w, w->now_ns + w->draw->latency_ns, DUE_CALL_INSTEAD, k, 0);
}

/* Somebody in front of the server answers with a Status; more: further headers. */
static void answer_status(call *k, const char *head, const char *more, const char *reason,
                          const char *words, int code) {
  char body[300], text[512];
  int n = snprintf(body, sizeof body,
                   "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":"
                   "\"Failure\",\"message\":\"%s\",\"reason\":\"%s\",\"code\":%d}",
                   words, reason, code);
  if (k->link) {
    answer_h2(k, slice_of(body, (size_t)n), code);
    return;
  }
  int m = snprintf(text, sizeof text,
                   "HTTP/1.1 %s\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n"
                   "Connection: close\r\n\r\n%s", head, more, n, body);
  k->replaced = true;
  net_answer_instead(k->conn, slice_of(text, (size_t)m));
}

static void answer_instead(call *k, int64_t status) {
  static const struct {
    int status;
    const char *line, *reason, *more;
  } rows[] = {{409, "409 Conflict", "Conflict", ""},
              {429, "429 Too Many Requests", "TooManyRequests", "Retry-After: 1\r\n"},
              {500, "500 Internal Server Error", "InternalError", ""},
              {504, "504 Gateway Timeout", "Timeout", ""}};
  size_t i = 0;
  while (i < 3 && rows[i].status != status) i++;
  answer_status(k, rows[i].line, rows[i].more, rows[i].reason, "not now", rows[i].status);
}

/* What the server would answer if it asked a webhook whose failure policy is Fail. */
static void webhook_answers(call *k, int64_t status) {
  const char *head = status == 403 ? "403 Forbidden" : "500 Internal Server Error";
  const char *reason = status == 403 ? "Forbidden" : "InternalError";
  const char *words = status == 403
                            ? "admission webhook \\\"v.sim.test\\\" denied the request: no"
                            : "Internal error occurred: failed calling webhook \\\"v.sim.test"
                              "\\\": context deadline exceeded";
  answer_status(k, head, "", reason, words, (int)status);
}

static void send_twice(call *k, const call_request *q) {
  world *w = k->owner->world;
  net_send(k->conn, call_bytes(k, q));
  if (k->watch) return;
  k->twice = true;
  SOMETIMES(w, DUPLICATE);
  sim_conn *copy = net_open(w, NULL, k->server);
  net_send(copy, call_bytes_http1(k, q));
  copy->close_after_answer = true;
}

static void send_part(call *k, slice bytes, int64_t n) {
  if (n > (int64_t)bytes.len) n = (int64_t)bytes.len;
  slice part = slice_upto(bytes, (size_t)n);
  if (part.len) net_send(k->conn, part);
}

static void go_on_later(call *k, int64_t after_ns) {
  world *w = k->owner->world;
  world_at(w, w->now_ns + after_ns, DUE_CALL_GOES_ON, k, 0);
}

/* The whole request comes later: a webhook took its time. */
static void send_late(call *k, const call_request *q, const fault *f) {
  k->slow = true;
  if (!k->link) {
    net_send_later(k->conn, call_bytes(k, q), f->until_ns);
    return;
  }
  call_request *late = ARENA_NEW(k->owner->world->arena, call_request);
  *late = *q;
  k->late = late;
  go_on_later(k, f->until_ns);
}

/* Over HTTP/2 the stream's last DATA frames are held, and other streams go on beside it. */
static void send_slowly(call *k, const call_request *q, const fault *f) {
  if (k->link) k->body_held = 1 + (size_t)f->arg % q->body.len;
  slice bytes = call_bytes(k, q);
  if (k->link) {
    net_send(k->conn, bytes);
    go_on_later(k, f->until_ns);
    k->slow = true;
    return;
  }
  size_t n = (size_t)f->arg < bytes.len ? (size_t)f->arg : bytes.len / 2;
  net_send(k->conn, slice_upto(bytes, n));
  net_send_later(k->conn, slice_from(bytes, n), f->until_ns);
  k->slow = true;
}

static slice without_initial(call *k, const call_request *q) {
  call_request changed = *q;
  slice mark = SLICE_LIT("&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
  ptrdiff_t at = slice_find(q->target, mark);
  if (at < 0) return call_bytes(k, q);
  k->skewed = true;
  changed.target = arena_concat(k->owner->world->arena, slice_upto(q->target, (size_t)at),
                                slice_from(q->target, (size_t)at + mark.len));
  return call_bytes(k, &changed);
}

static void cut_request(call *k, const fault *f, const call_request *q) {
  slice bytes = call_bytes(k, q);
  world *w = k->owner->world;
  SOMETIMES(w, LOST_REQUEST);
  int64_t n = f->variant == 2 ? 0 : f->arg;
  if (n < (int64_t)bytes.len) send_part(k, bytes, n);
  else send_part(k, bytes, (int64_t)bytes.len - 1);
  net_break_behind(k->conn);
}

static void strike(call *k, const call_request *q, fault *f) {
  world *w = k->owner->world;
  switch (f->class) {
    case 20:
      net_send(k->conn, call_bytes(k, q));
      if (!asks_initial(q)) return;
      if (f->variant == 0) k->conn->cut_down_after = f->arg;
      else net_slow_for(k->conn, (f->arg + 500) * MILLI);
      return;
    case 21:
      if (asks_page(q) && f->variant == 0) {
        int64_t newest = model_revision(w->model);
        store_link_compact(w, newest - f->arg);
      }
      if (asks_page(q) && f->variant == 1) send_twice(k, q);
      else net_send(k->conn, call_bytes(k, q));
      return;
    case 23:
      if (f->variant == 2) send_late(k, q, f);
      else webhook_answers(k, f->arg);
      return;
    case 25: cut_request(k, f, q); return;
    case 26: net_send(k->conn, call_bytes(k, q)); net_half_close(k->conn); return;
    case 28: send_slowly(k, q, f); return;
    case 31: send_twice(k, q); return;
    case 40: net_send(k->conn, without_initial(k, q)); return;
    case 46: answer_instead(k, f->arg); return;
    default: net_send(k->conn, call_bytes(k, q));
  }
}

/* Some classes wait for a request that they can do something to: they strike at the next one. */
static bool fits(const fault *f, const call *k, const call_request *q) {
  /* a head that stops would stop all streams of a connection: HTTP/1.1's alone */
  if (f->class == 28 && k->link) return f->variant == 1 && q->body.len > 0;
  if (f->class == 29) return k->link != NULL;
  if (f->class == 20 || f->class == 40) return asks_initial(q);
  if (f->class == 21) return asks_page(q);
  if (f->class == 23) return strcmp(q->method, "GET") != 0;
  return true;
}

/* What HTTP/2 allows a client, and servers must bear. */
static void strike_h2(call *k, const call_request *q, const fault *f) {
  world *w = k->owner->world;
  enum { RESET, PINGS, SETTINGS, CONTINUATION, GOAWAY, PIECES, LAST_IDS };
  slice before = SLICE_NONE;
  if (f->variant == PINGS) before = h2_link_pings(k->link, (uint32_t)f->arg);
  if (f->variant == SETTINGS) before = h2_link_settings(k->link, (uint32_t)f->arg);
  if (f->variant == CONTINUATION) k->padding = (uint32_t)f->arg;
  if (f->variant == PIECES) k->conn->fragment_up = (uint32_t)f->arg;
  if (f->variant == LAST_IDS) h2_link_last_ids(k->link, (uint32_t)f->arg);
  if (before.len) net_send(k->conn, before);
  net_send(k->conn, call_bytes(k, q));
  if (f->variant == RESET) world_at(w, w->now_ns + f->arg * MILLI, DUE_CALL_RESET, k, 0);
  if (f->variant == GOAWAY) net_send(k->conn, h2_link_goaway(k->link));
}

void call_fault_send(call *k, const call_request *q) {
  world *w = k->owner->world;
  fault *f = fault_visit(w, SITE_REQUEST);
  for (uint32_t i = 0; !f && i < w->waiting_count; i++) {
    if (!fits(w->waiting[i], k, q)) continue;
    f = w->waiting[i];
    w->waiting[i] = w->waiting[--w->waiting_count];
  }
  if (f && !fits(f, k, q) && w->waiting_count < WAITING_MAX) {
    w->waiting[w->waiting_count++] = f;
    f = NULL;
  }
  if (!f || w->plan.healed) {
    net_send(k->conn, call_bytes(k, q));
    return;
  }
  fault_begin(w, f);
  if (f->class == 29 && k->link) strike_h2(k, q, f);
  else strike(k, q, f);
}
