/* Requests on kept-alive connections; a watch has one of its own. */
#include "sim/workload/call.h"

#include "sim/check/check_http.h"
#include "sim/workload/client.h"
#include "sim/workload/h2_link.h"
#include "sim/world/call_faults.h"
#include "sim/world/sim_etcd.h"
#include "sim/world/store_link.h"

#include <assert.h>

slice call_bytes(call *k, const call_request *q) {
  return k->link ? h2_link_request(k->link, k, q) : call_bytes_http1(k, q);
}

slice call_bytes_http1(const call *k, const call_request *q) {
  client *c = k->owner;
  arena *a = c->world->arena;
  if (q->raw.len) return q->raw;
  slice type = q->body.len || q->content_type
                   ? arena_printf(a, "Content-Type: %s\r\nContent-Length: %zu\r\n",
                                  q->content_type ? q->content_type : "application/json",
                                  q->body.len)
                   : SLICE_NONE;
  char index[SLICE_U64_ROOM];
  slice end = SLICE_LIT("\r\n");
  const slice parts[] = {
      slice_cstr(q->method), SLICE_LIT(" "), q->target,
      SLICE_LIT(" HTTP/1.1\r\nHost: apisim\r\nAuthorization: Bearer " SIM_TOKEN "\r\n"
                "User-Agent: "),
      slice_cstr(actor_word(c->who.kind)), slice_of_u64(index, c->who.index), end,
      q->accept ? SLICE_LIT("Accept: ") : SLICE_NONE,
      q->accept ? slice_cstr(q->accept) : SLICE_NONE,
      q->accept ? end : SLICE_NONE, type, end, q->body};
  return arena_join(a, parts, sizeof parts / sizeof *parts);
}

static sim_conn *conn_for(client *c, const call_request *q) {
  sim_conn *conn = c->idle;
  bool own = q->watch || q->stream;
  if (conn && conn->open && !own && conn->server->index == c->server) {
    c->idle = NULL;
    return conn;
  }
  if (conn && !own) {
    net_close(conn);
    c->idle = NULL;
  }
  conn = net_open(c->world, c, &c->world->servers[c->server]);
  conn->is_stream = own;
  return conn;
}

call *call_start(client *c, const call_request *q) {
  world *w = c->world;
  call *k = ARENA_NEW(w->arena, call);
  reader_init(&k->in);
  k->all_next = w->all_calls;
  w->all_calls = k;
  k->owner = c;
  k->watch = q->watch;
  k->stream = q->stream;
  k->in.keeps_head = q->raw.len > 0;
  k->begun_ns = w->now_ns;
  k->epoch = w->epoch;
  k->revision = model_revision(w->model);
  k->link = c->h2 && !q->stream ? h2_link_for(c) : NULL;
  k->conn = k->link ? k->link->conn : conn_for(c, q);
  k->server = k->conn->server;
  k->server_life = k->server->life;
  k->compacted = store_link_compacted(k->server);
  k->store_compacted = sim_etcd_compacted(w);
  if (!k->link) k->conn->call = k;
  slice target = q->target;
  world_line(w, c->who, EV_REQUEST, actor_of_server(k->server), q->op, k->revision, 0,
             arena_join(w->arena, (slice[]){slice_cstr(q->method), SLICE_LIT(" "), target}, 3));
  call_fault_send(k, q);
  world_at(w, w->now_ns + q->timeout_ns, DUE_CALL_TIMEOUT, k, 0);
  return k;
}

static void end(call *k, call_how how) {
  if (k->how != CALL_OPEN) return;
  client *c = k->owner;
  k->how = (uint8_t)how;
  if (k->begun_ns < k->server->aware_ns) k->replaced = true; /* of a history that never was */
  if (k->conn->call == k) k->conn->call = NULL;
  if (k->link && how != CALL_ANSWERED) h2_link_reset(k->link, k);
  bool keep = how == CALL_ANSWERED && k->conn->open && !k->in.closes && !k->in.until_close &&
              !k->watch && !k->stream && !c->idle;
  if (keep && !k->link) c->idle = k->conn;
  else if (!k->link) net_close(k->conn);
  if (how == CALL_ANSWERED) check_http_answer(c->world, k);
  else world_line(c->world, c->who, EV_NO_ANSWER, actor_of_server(k->server), how, 0, 0,
                  SLICE_NONE);
  if (!c->gone) c->row->answered(c, k);
  reader_dispose(&k->in);
}

/* What a fault does to a bookmark on its way: how often the line is given. */
static int times(call *k, slice told) {
  bool bookmark = k->edits && slice_has_prefix(told, SLICE_LIT("{\"type\":\"BOOKMARK\"")) &&
                  !memmem(told.ptr, told.len, "initial-events-end", 18);
  if (!bookmark) return 1;
  int n = k->edits == EDIT_TWICE ? 2 : 0;
  k->edits = EDIT_NONE;
  SOMETIMES(k->owner->world, STREAM_BOOKMARK);
  return n;
}

/* Whole lines of a watch's body. */
static void give_lines(call *k) {
  client *c = k->owner;
  while (k->how == CALL_OPEN && !c->world->stop) {
    slice rest = slice_from(call_body(k), k->line_from);
    ptrdiff_t n = slice_find_char(rest, '\n');
    if (n < 0) break;
    k->line_from += (size_t)n + 1;
    slice text = slice_upto(rest, (size_t)n);
    for (int left = times(k, text); left && k->how == CALL_OPEN; left--) {
      if (c->row->told(c, k, text)) continue;
      call_abandon(k);
      return;
    }
  }
  if (k->how != CALL_OPEN) return;
  buf_consume(&k->in.body, k->line_from);
  k->line_from = 0;
}

void call_feed(call *k, slice bytes) {
  if (k->how != CALL_OPEN) return;
  size_t n = reader_feed(&k->in, bytes);
  world *w = k->owner->world;
  if (k->in.state == READER_BROKEN) {
    check_fail(w, CHECK_HTTP, "an answer is no HTTP: %s", k->in.problem);
    return;
  }
  if (k->watch && k->in.state != READER_HEAD && k->in.status == 200) give_lines(k);
  if (k->how != CALL_OPEN || k->in.state != READER_DONE) return;
  CHECK_THAT(w, HTTP, n == bytes.len, "%zu bytes came behind an answer", bytes.len - n);
  end(k, CALL_ANSWERED);
}

void call_conn_ended(sim_conn *conn, conn_end how) {
  client *c = conn->owner;
  call *k = conn->call;
  if (c && c->idle == conn) c->idle = NULL;
  conn->call = NULL;
  if (!k || k->how != CALL_OPEN) return;
  bool whole = k->in.until_close && how == CONN_END_CLOSED && reader_ended(&k->in);
  end(k, whole ? CALL_ANSWERED : how == CONN_END_REFUSED ? CALL_REFUSED : CALL_CUT);
}

void call_timed_out(call *k) {
  if (k->how != CALL_OPEN) return;
  check_http_patience(k->owner->world, k);
  end(k, CALL_TIMED_OUT);
}

void call_abandon(call *k) {
  if (k->how != CALL_OPEN) return;
  k->how = CALL_ABANDONED;
  if (k->conn->call == k) k->conn->call = NULL;
  if (k->link) h2_link_reset(k->link, k);
  else net_close(k->conn);
  reader_dispose(&k->in);
}

void call_progress(call *k) {
  if (k->watch && k->in.state != READER_HEAD && k->in.status == 200) give_lines(k);
}

void call_over(call *k, call_how how) { end(k, how); }

void call_reset(call *k) {
  if (k->how == CALL_OPEN) end(k, CALL_CUT);
}

void call_answered_instead(call *k) {
  const call_instead *a = k->instead;
  char digits[SLICE_U64_ROOM];
  if (k->how != CALL_OPEN) return;
  h2_link_reset(k->link, k);
  reader_dispose(&k->in);
  reader_init(&k->in);
  reader_header(&k->in, SLICE_LIT(":status"), slice_of_u64(digits, (uint64_t)a->status));
  reader_header(&k->in, SLICE_LIT("content-type"), SLICE_LIT("application/json"));
  if (a->retry_after_s) {
    reader_header(&k->in, SLICE_LIT("retry-after"),
                  slice_of_u64(digits, (uint64_t)a->retry_after_s));
  }
  buf_append(&k->in.body, a->body);
  k->in.state = READER_DONE;
  k->replaced = true;
  SOMETIMES(k->owner->world, STREAM_INSTEAD);
  end(k, CALL_ANSWERED);
}

void call_goes_on(call *k) {
  if (k->how != CALL_OPEN) return;
  if (!k->late) {
    k->body_held = 0;
    SOMETIMES(k->owner->world, STREAM_HELD);
    h2_link_body_goes_on(k->link, k);
  } else if (h2_link_takes(k->link)) {
    net_send(k->conn, call_bytes(k, k->late));
  } else {
    SOMETIMES(k->owner->world, STREAM_CLOSED);
    end(k, CALL_REFUSED); /* it never left */
  }
}

bool call_surely_undone(const call *k) {
  if (k->how == CALL_REFUSED) return true;
  return k->how == CALL_ANSWERED && k->in.status >= 400 && k->in.status < 500;
}
