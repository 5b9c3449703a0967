/* The sites on a connection's way. */
#include "sim/world/net_faults.h"

#include "sim/workload/client.h"
#include "sim/workload/h2_link.h"
#include "sim/world/store_link.h"

#define SLOW_FACTOR 65536u

void net_fault_connect(sim_conn *c) {
  world *w = c->world;
  fault *f = c->owner ? fault_visit(w, SITE_CONNECT) : NULL;
  if (!f) return;
  fault_begin(w, f);
  if (f->class == 26 && f->variant == 3) c->fragment_up = (uint32_t)f->arg;
  else if (f->class == 26) c->fragment_down = (uint32_t)f->arg;
  else if (f->class == 30 && w->draw->servers > 1) {
    uint32_t step = 1 + (uint32_t)f->target % (w->draw->servers - 1);
    c->server = &w->servers[(c->server->index + step) % w->draw->servers];
    c->server_life = c->server->life;
    c->owner->server = c->server->index;
    SOMETIMES(w, MOVED);
  }
}

static void slow_down(sim_conn *c, const fault *f) {
  world *w = c->world;
  net_slow(c, true);
  c->server->pending_factor = SLOW_FACTOR;
  c->slow_until_ns = w->now_ns + f->until_ns;
  world_at(w, c->slow_until_ns, DUE_CONN_RESUME, c, f->class == 44);
}

/* Takes the chunks of bookmarks out of a turn's bytes, or doubles them. Only turns that hold
 * nothing but whole chunks are touched. */
static slice edit_bookmarks(sim_conn *c, slice bytes, bool twice) {
  slice mark = SLICE_LIT("{\"type\":\"BOOKMARK\"");
  const char *at = memmem(bytes.ptr, bytes.len, mark.ptr, mark.len);
  if (!at || at == bytes.ptr) return bytes;
  size_t start = (size_t)(at - bytes.ptr), size_at = start - 2;
  while (size_at > 0 && bytes.ptr[size_at - 1] != '\n') size_at--;
  slice rest = slice_from(bytes, start), head, tail;
  if (!slice_cut(rest, '\n', &head, &tail) || tail.len < 2) return bytes;
  size_t end = start + head.len + 3; /* its newline, and the chunk's CRLF */
  if (memmem(head.ptr, head.len, "initial-events-end", 18)) return bytes;
  slice before = slice_upto(bytes, size_at), frame = slice_of(bytes.ptr + size_at, end - size_at);
  slice both = arena_concat(c->world->arena, before, twice ? frame : SLICE_NONE);
  if (twice) both = arena_concat(c->world->arena, both, frame);
  return arena_concat(c->world->arena, both, slice_from(bytes, end));
}

static slice strike_stream(sim_conn *c, fault *f, slice bytes) {
  switch (f->class) {
    case 19:
      if (!c->h2) return edit_bookmarks(c, bytes, f->variant == 1);
      h2_link_watch(c->h2)->edits = f->variant == 1 ? EDIT_TWICE : EDIT_DROP;
      break;
    case 25: c->cut_down_after = f->arg; break;
    case 26: net_break(c); break;
    case 27:
    case 44: slow_down(c, f); break;
    default: break;
  }
  return bytes;
}

#define TIMEOUT_BODY                                                                         \
  "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","       \
  "\"message\":\"timeout\",\"reason\":\"Timeout\",\"code\":504}"

/* Over HTTP/2: what the server says of that stream is lost, the others' frames are not. */
static void replace_stream(sim_conn *c) {
  static const call_instead timeout = {.status = 504, .body = {TIMEOUT_BODY,
                                                               sizeof TIMEOUT_BODY - 1}};
  call *k = h2_link_unanswered(c->h2);
  if (!k) return;
  SOMETIMES(c->world, LOST_REPLY);
  k->instead = &timeout;
  world_at(c->world, c->world->now_ns, DUE_CALL_INSTEAD, k, 0);
}

static slice replaced_answer(sim_conn *c) {
  if (c->call) c->call->replaced = true;
  slice body = SLICE_LIT(TIMEOUT_BODY);
  c->ending = true;
  c->flush_end = true;
  return arena_printf(c->world->arena, "HTTP/1.1 504 Gateway Timeout\r\nContent-Type: "
                      "application/json\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%.*s",
                      body.len, SLICE_ARG(body));
}

static void close_behind(sim_server *s, void *ctx) {
  (void)s;
  sim_conn *c = ctx;
  void *h = c->http;
  c->http = NULL;
  if (h) c->events->closed(h, SLICE_NONE);
}

static slice strike_answer(sim_conn *c, fault *f, slice bytes) {
  world *w = c->world;
  switch (f->class) {
    case 25:
      c->cut_down_after = f->arg;
      SOMETIMES(w, LOST_REPLY);
      break;
    case 26: c->blackhole_up = c->blackhole_down = true; break;
    case 42:
      if (c->owner && c->owner->row->restart) {
        client *dies = c->owner->whole ? c->owner->whole : c->owner;
        world_at(w, w->now_ns, DUE_CLIENT_RESTART, dies, 0);
      }
      break;
    case 46:
      if (c->h2) replace_stream(c);
      if (!c->call || c->ending || c->call->in.state != READER_HEAD || c->down_bytes) break;
      SOMETIMES(w, LOST_REPLY);
      c->close_behind = true;
      return replaced_answer(c);
    default: break;
  }
  return bytes;
}

slice net_fault_down(sim_conn *c, slice bytes) {
  world *w = c->world;
  if (!c->owner) return bytes;
  bool lies = w->draw->canary == CANARY_EVENT && c->is_stream && ++w->stream_turns % 16 == 0;
  if (lies && memmem(bytes.ptr, bytes.len, "\"type\":\"MODIFIED\"", 17)) return SLICE_NONE;
  bool stream = c->is_stream || (c->h2 && h2_link_watch(c->h2));
  fault *f = fault_visit(w, stream ? SITE_STREAM : SITE_ANSWER);
  if (!f) return bytes;
  fault_begin(w, f);
  return stream ? strike_stream(c, f, bytes) : strike_answer(c, f, bytes);
}

/* What was begun in the middle of a turn and ends behind it. */
void net_fault_behind(sim_conn *c) {
  if (!c->close_behind) return;
  c->close_behind = false;
  if (c->http) sim_server_enter(c->server, close_behind, c);
}

void net_fault_resume(sim_conn *c, bool lose_history) {
  world *w = c->world;
  if (!c->slow) return;
  if (lose_history) {
    net_break(c);
    store_link_compact(w, model_revision(w->model));
  }
  net_slow(c, false);
  net_pending_factor(c->server, 0);
}
