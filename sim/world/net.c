/* Memory connections. Bytes of one turn leave together as one message; a connection's messages keep
 * their order whatever their latencies are. What the network may do to them is decided here, at
 * the sites of the fault plan. */
#include "sim/world/world.h"

#include "base/heap.h"
#include "sim/workload/call.h"
#include "sim/workload/h2_link.h"
#include "sim/world/net_faults.h"

#include <assert.h>
#include <stdio.h>

enum message_kind {
  MESSAGE_OPEN,
  MESSAGE_BYTES,
  MESSAGE_END, /* no more comes: a FIN */
  MESSAGE_BREAK, /* a reset */
  MESSAGE_REFUSED,
};

#define CONN_OUT_MAX ((size_t)256 << 20)

static void link_conn(sim_server *s, sim_conn *c) {
  c->next = s->conns;
  c->prev = NULL;
  if (s->conns) s->conns->prev = c;
  s->conns = c;
}

static void unlink_conn(sim_conn *c) {
  if (c->prev) c->prev->next = c->next;
  else if (c->server->conns == c) c->server->conns = c->next;
  if (c->next) c->next->prev = c->prev;
  c->next = c->prev = NULL;
}

static message *message_make(sim_conn *c, uint8_t kind, slice bytes) {
  message *m = heap_alloc(sizeof *m + bytes.len);
  m->next = NULL;
  m->conn = c;
  m->kind = kind;
  m->len = (uint32_t)bytes.len;
  if (bytes.len) memcpy(m->bytes, bytes.ptr, bytes.len);
  return m;
}

static int64_t arrival(world *w, int64_t *last) {
  const draw *d = w->draw;
  int64_t jitter = (int64_t)rng_below(&w->net_rng, (uint64_t)d->jitter_ns + 1);
  int64_t at = w->now_ns + d->latency_ns + jitter;
  if (at < *last) at = *last;
  *last = at;
  return at;
}

static void send_up(sim_conn *c, uint8_t kind, slice bytes) {
  world *w = c->world;
  if (c->blackhole_up && kind != MESSAGE_BREAK) return;
  int64_t at = arrival(w, &c->up_last_ns);
  world_at(w, at, DUE_TO_SERVER, message_make(c, kind, bytes), 0);
}

static void send_down(sim_conn *c, uint8_t kind, slice bytes) {
  world *w = c->world;
  if (c->blackhole_down && kind != MESSAGE_BREAK) return;
  int64_t at = arrival(w, &c->down_last_ns);
  c->down_bytes += bytes.len;
  world_at(w, at, DUE_TO_CLIENT, message_make(c, kind, bytes), 0);
}

static void send_pieces(sim_conn *c, slice bytes, uint32_t piece,
                        void (*send)(sim_conn *c, uint8_t kind, slice bytes)) {
  while (piece && bytes.len > piece) {
    send(c, MESSAGE_BYTES, slice_upto(bytes, piece));
    bytes = slice_from(bytes, piece);
    if (piece < 64) piece *= 2; /* the beginning is where it matters */
  }
  send(c, MESSAGE_BYTES, bytes);
}

/* ---- the client's side ---- */

sim_conn *net_open(world *w, client *owner, sim_server *s) {
  sim_conn *c = ARENA_NEW(w->arena, sim_conn);
  c->world = w;
  c->server = s;
  c->server_life = s->life;
  c->id = w->conn_count++;
  c->all_next = w->all_conns;
  w->all_conns = c;
  c->owner = owner;
  c->open = true;
  c->cut_down_after = -1;
  buf_init(&c->out, CONN_OUT_MAX);
  int n = snprintf(c->address, sizeof c->address, "10.1.%u.%u:%u", c->id / 250 % 250, c->id % 250,
                   40000 + c->id % 20000);
  c->peer = (env_peer){.address = slice_of(c->address, (size_t)n), .tls = true,
                       .alpn = SLICE_LIT("http/1.1")};
  net_fault_connect(c);
  send_up(c, MESSAGE_OPEN, SLICE_NONE);
  return c;
}

void net_send(sim_conn *c, slice bytes) {
  assert(c->open);
  send_pieces(c, bytes, c->fragment_up, send_up);
}

void net_close(sim_conn *c) {
  if (!c->open) return;
  c->open = false;
  send_up(c, MESSAGE_END, SLICE_NONE);
}

void net_break(sim_conn *c) {
  c->blackhole_up = c->blackhole_down = true; /* what is under way is lost */
  send_up(c, MESSAGE_BREAK, SLICE_NONE);
  send_down(c, MESSAGE_BREAK, SLICE_NONE);
}

static void told(sim_conn *c, conn_end how) {
  if (!c->open) return;
  c->open = false;
  if (c->h2) h2_link_ended(c->h2, how);
  else call_conn_ended(c, how);
}

static void drained(sim_server *s, void *ctx) {
  (void)s;
  sim_conn *c = ctx;
  c->events->drained(c->http);
}

static bool is_high(const sim_conn *c, uint32_t factor) {
  return c->down_bytes * (factor ? factor : 1) > ENV_PENDING_LOW;
}

static void taken(sim_conn *c, size_t n) {
  uint32_t factor = c->server->pending_factor;
  bool was_high = is_high(c, factor);
  c->down_bytes -= n < c->down_bytes ? n : c->down_bytes;
  if (was_high && !is_high(c, factor) && c->http) {
    sim_server_enter(c->server, drained, c);
  }
}

/* What waited for the network to hold less is told when it says so. */
void net_pending_factor(sim_server *s, uint32_t factor) {
  uint32_t before = s->pending_factor;
  s->pending_factor = factor;
  for (sim_conn *c = s->world->all_conns; c; c = c->all_next) {
    bool falls = c->server == s && c->http && is_high(c, before) && !is_high(c, factor);
    if (falls) sim_server_enter(s, drained, c);
  }
}

static void take_bytes(sim_conn *c, slice bytes) {
  bool cut = c->cut_down_after >= 0 && (int64_t)bytes.len >= c->cut_down_after;
  if (cut) bytes = slice_upto(bytes, (size_t)c->cut_down_after);
  else if (c->cut_down_after >= 0) c->cut_down_after -= (int64_t)bytes.len;
  transcript_mix(&c->world->log, c->id);
  transcript_bytes(&c->world->log, bytes);
  if (bytes.len && c->open && c->h2) h2_link_feed(c->h2, bytes);
  else if (bytes.len && c->open && c->call) call_feed(c->call, bytes);
  if (!cut) return;
  c->cut_down_after = -1;
  net_break(c);
}

static void deliver_down(sim_conn *c, message *m) {
  switch (m->kind) {
    case MESSAGE_BYTES: take_bytes(c, slice_of(m->bytes, m->len)); break;
    case MESSAGE_END: told(c, CONN_END_CLOSED); break;
    case MESSAGE_BREAK: told(c, CONN_END_BROKEN); break;
    default: told(c, CONN_END_REFUSED); break;
  }
  taken(c, m->len);
  heap_free(m);
}

static bool is_lost(const sim_conn *c, const message *m) {
  return c->blackhole_down && m->kind == MESSAGE_BYTES;
}

void net_to_client(world *w, message *m) {
  (void)w;
  sim_conn *c = m->conn;
  if (is_lost(c, m)) {
    heap_free(m);
    return;
  }
  if (c->slow && m->kind != MESSAGE_BREAK) {
    if (!c->unread) c->unread_end = &c->unread;
    *c->unread_end = m;
    c->unread_end = &m->next;
    return;
  }
  deliver_down(c, m);
}

void net_slow(sim_conn *c, bool slow) {
  c->slow = slow;
  while (!c->slow && c->unread) {
    message *m = c->unread;
    c->unread = m->next;
    if (is_lost(c, m)) heap_free(m); /* the one in front of it broke the connection */
    else deliver_down(c, m);
  }
}

void net_slow_for(sim_conn *c, int64_t ns) {
  net_slow(c, true);
  world_at(c->world, c->world->now_ns + ns, DUE_CONN_RESUME, c, 0);
}

void net_break_behind(sim_conn *c) {
  c->up_last_ns += 2;
  send_up(c, MESSAGE_BREAK, SLICE_NONE);
  c->blackhole_down = true;
  send_down(c, MESSAGE_BREAK, SLICE_NONE);
}

void net_half_close(sim_conn *c) { send_up(c, MESSAGE_END, SLICE_NONE); }

void net_send_later(sim_conn *c, slice bytes, int64_t after_ns) {
  world_at(c->world, c->world->now_ns + after_ns, DUE_CONN_SEND,
           message_make(c, MESSAGE_BYTES, bytes), 0);
}

void net_sends_now(world *w, message *m) {
  (void)w;
  if (m->conn->open) net_send(m->conn, slice_of(m->bytes, m->len));
  heap_free(m);
}

void net_answer_instead(sim_conn *c, slice bytes) {
  send_down(c, MESSAGE_BYTES, bytes);
  send_down(c, MESSAGE_END, SLICE_NONE);
}

/* ---- the server's side ---- */

static void enter_open(sim_server *s, void *ctx) {
  sim_conn *c = ((message *)ctx)->conn;
  c->server_life = s->life;
  link_conn(s, c);
  env_acceptor a = server_acceptor(s->api);
  c->http = a.open(a.ctx, c, &c->peer, &c->events);
}

static void enter_bytes(sim_server *s, void *ctx) {
  (void)s;
  message *m = ctx;
  sim_conn *c = m->conn;
  void *h = c->http;
  if (!c->events->data(h, slice_of(m->bytes, m->len))) c->http = NULL;
}

static void enter_end(sim_server *s, void *ctx) {
  message *m = ctx;
  sim_conn *c = m->conn;
  void *h = c->http;
  (void)s;
  bool alive = m->kind == MESSAGE_BREAK || c->events->eof(h);
  c->http = NULL;
  if (alive) c->events->closed(h, SLICE_NONE);
}

static bool hold(sim_conn *c, message *m) {
  if (!c->paused || m->kind == MESSAGE_BREAK) return false;
  if (!c->held) c->held_end = &c->held;
  *c->held_end = m;
  c->held_end = &m->next;
  return true;
}

static bool unreachable(const sim_conn *c) {
  const sim_server *s = c->server;
  return !s->api || (c->world->now_ns < s->cut_until_ns && c->owner);
}

static void deliver_up(sim_conn *c, message *m) {
  sim_server *s = c->server;
  if (m->kind == MESSAGE_OPEN) {
    if (unreachable(c)) send_down(c, MESSAGE_REFUSED, SLICE_NONE);
    else sim_server_enter(s, enter_open, m);
    return;
  }
  if (!c->http || c->server_life != s->life) {
    if (m->kind == MESSAGE_BYTES && c->open) send_down(c, MESSAGE_BREAK, SLICE_NONE);
    return;
  }
  bool ends = m->kind != MESSAGE_BYTES;
  if (ends) unlink_conn(c);
  transcript_bytes(&c->world->log, slice_of(m->bytes, m->len));
  sim_server_enter(s, ends ? enter_end : enter_bytes, m);
  if (ends && c->open) send_down(c, MESSAGE_END, SLICE_NONE);
}

void net_to_server(world *w, message *m) {
  (void)w;
  sim_conn *c = m->conn;
  sim_server *s = c->server;
  if (sim_server_busy_until(s) && s->api) {
    if (!s->backlog) s->backlog_end = &s->backlog;
    *s->backlog_end = m;
    s->backlog_end = &m->next;
    return;
  }
  bool lost = c->blackhole_up && m->kind != MESSAGE_BREAK;
  if (!lost && c->http && hold(c, m)) return;
  if (!lost) deliver_up(c, m);
  heap_free(m);
}

/* A paused process goes on: what came meanwhile is there at once. */
void net_resume_server(sim_server *s) {
  message *m = s->backlog;
  s->backlog = NULL;
  while (m) {
    message *next = m->next;
    m->next = NULL;
    s->world->turn++;
    net_to_server(s->world, m);
    m = next;
  }
}

/* What came while the server did not want it. */
static void unhold(sim_conn *c) {
  while (c->held && !c->paused) {
    message *m = c->held;
    c->held = m->next;
    world_at(c->world, c->world->now_ns, DUE_TO_SERVER, m, 0);
  }
}

void net_server_gone(sim_server *s) {
  for (message *m = s->backlog, *next; m; m = next) { /* what it never read */
    next = m->next;
    if (m->conn->open && m->kind == MESSAGE_OPEN) send_down(m->conn, MESSAGE_BREAK, SLICE_NONE);
    heap_free(m);
  }
  s->backlog = NULL;
  s->paused_until_ns = 0;
  while (s->conns) {
    sim_conn *c = s->conns;
    unlink_conn(c);
    c->http = NULL;
    c->dirty = false;
    buf_clear(&c->out);
    c->ending = false;
    send_down(c, MESSAGE_BREAK, SLICE_NONE);
  }
  s->dirty = NULL;
}

static void flush_one(sim_conn *c) {
  slice bytes = buf_slice(&c->out);
  c->dirty = false;
  if (bytes.len && (!c->ending || c->flush_end)) {
    bytes = net_fault_down(c, bytes);
    if (bytes.len) send_pieces(c, bytes, c->fragment_down, send_down);
  }
  buf_clear(&c->out);
  if (c->close_after_answer && c->http && bytes.len) net_close(c);
  if (!c->ending) return;
  c->ending = false;
  unlink_conn(c);
  send_down(c, c->flush_end ? MESSAGE_END : MESSAGE_BREAK, SLICE_NONE);
}

void net_flush(sim_server *s) {
  while (s->dirty) {
    sim_conn *c = s->dirty;
    s->dirty = c->next_dirty;
    c->next_dirty = NULL;
    flush_one(c);
    if (c->close_behind) world_at(s->world, s->world->now_ns, DUE_CONN_RESUME, c, 2);
  }
}

/* ---- env ---- */

static void make_dirty(sim_conn *c) {
  if (c->dirty) return;
  sim_server *s = c->server;
  c->dirty = true;
  c->next_dirty = NULL;
  if (!s->dirty) s->dirty_end = &s->dirty;
  *s->dirty_end = c;
  s->dirty_end = &c->next_dirty;
}

static void on_write(env *e, env_conn *ec, slice bytes) {
  (void)e;
  sim_conn *c = ec;
  const heap_hook *before = heap_set_hook(NULL); /* the network's memory, not the process's */
  buf_append(&c->out, bytes);
  heap_set_hook(before);
  make_dirty(c);
}

static void on_write_blob(env *e, env_conn *ec, blob *b, slice part) {
  assert(part.ptr >= b->data && part.ptr + part.len <= b->data + b->len);
  on_write(e, ec, part);
}

static size_t on_pending(env *e, env_conn *ec) {
  sim_server *s = (sim_server *)e;
  sim_conn *c = ec;
  return (c->down_bytes + c->out.len) * (s->pending_factor ? s->pending_factor : 1);
}

static void on_pause(env *e, env_conn *ec, bool paused) {
  (void)e;
  sim_conn *c = ec;
  c->paused = paused;
  if (!paused) unhold(c);
}

static void on_close(env *e, env_conn *ec, bool flush) {
  (void)e;
  sim_conn *c = ec;
  if (c->slow && c->is_stream && !flush) SOMETIMES(c->world, SLOW_CUT);
  c->http = NULL;
  c->ending = true;
  c->flush_end = flush;
  make_dirty(c);
}

void net_env_init(env *e) {
  e->conn_write = on_write;
  e->conn_write_blob = on_write_blob;
  e->conn_pending = on_pending;
  e->conn_pause = on_pause;
  e->conn_close = on_close;
}
