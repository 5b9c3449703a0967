/* Who may go when; the bytes and the comparison are sim/replay's. */
#include "sim/workload/player.h"

#include <assert.h>

#define START_NS SECOND /* behind the run's begin */
#define LOOK_NS (5 * MILLI) /* how often what is waited for is looked at */
#define EVENTS_NS SECOND /* how long events of a stream are waited for */
#define ANSWER_NS (75 * SECOND) /* the server's own deadline is at 60 s */
#define STREAM_NS (900 * SECOND)
#define HURRY_MS 100 /* at most between two requests after healing */

static const tape_exchange *exchange(const player *p, uint32_t i) {
  return &p->tape->exchanges[i];
}

static int64_t wall_s(const world *w) { return (WORLD_EPOCH_NS + w->now_ns) / SECOND; }

static bool writes(const tape_exchange *x) {
  return !slice_is(x->method, "GET") && !slice_is(x->method, "HEAD");
}

int64_t player_length_ns(const tape *t) {
  int64_t ms = t->count ? t->exchanges[t->count - 1].at_ms : 0;
  return START_NS + ms * MILLI;
}

const player *player_of(const world *w) {
  for (uint32_t i = 0; i < w->client_count; i++) {
    if (w->clients[i]->row == &player_row) return (const player *)w->clients[i];
  }
  return NULL;
}

bool player_may_write(const world *w) {
  const player *p = w->tape ? player_of(w) : NULL;
  return p && (p->writes_open || p->writes_unknown);
}

static void start(client *c) {
  player *p = (player *)c;
  arena *a = c->world->arena;
  p->tape = c->world->tape;
  p->calls = ARENA_ARRAY(a, call *, p->tape->count + 1);
  p->over = ARENA_ARRAY(a, bool, p->tape->count + 1);
  p->waiting_ns = ARENA_ARRAY(a, int64_t, p->tape->count + 1);
  p->due_ns = START_NS;
  client_later(c, START_NS, 0);
}

static void tell(player *p, uint32_t i, int status, taped_fate fate) {
  static const char *const words[TAPED_FATES] = {"no answer", "another status", "another body",
                                                 "as on the tape", "not compared"};
  world *w = p->base.world;
  p->fates[fate]++;
  world_line(w, p->base.who, EV_ANSWER, NOBODY, exchange(p, i)->seq, status, -1,
             slice_cstr(words[fate]));
}

/* The answer is whole, or all that we want of it. */
static void settle(player *p, uint32_t i, const call *k) {
  int status = k->in.status;
  taped_fate fate = taped_answered(p->taped, i, status, buf_slice(&k->in.whole_head),
                                   call_body(k), wall_s(p->base.world));
  p->over[i] = true;
  p->calls[i] = NULL;
  if (writes(exchange(p, i))) p->writes_open--;
  if (k->twice && writes(exchange(p, i))) p->writes_unknown++;
  tell(p, i, status, fate);
}

static void lost(player *p, uint32_t i, const call *k) {
  p->over[i] = true;
  p->calls[i] = NULL;
  if (writes(exchange(p, i))) {
    p->writes_open--;
    p->writes_unknown += !call_surely_undone(k) || k->twice;
  }
  tell(p, i, 0, TAPED_LOST);
}

static bool patient(player *p, uint32_t i) {
  int64_t now = p->base.world->now_ns;
  if (!p->waiting_ns[i]) p->waiting_ns[i] = now;
  return now - p->waiting_ns[i] < EVENTS_NS;
}

/* A stream that its client ends: when its events are here, or do not come. */
static bool stream_ended(player *p, uint32_t i) {
  call *k = p->calls[i];
  if (k->in.state < READER_BODY || !taped_has_events(p->taped, i, call_body(k), INT64_MAX)) {
    if (patient(p, i)) return false;
  }
  bool answered = k->in.state >= READER_BODY;
  if (answered) settle(p, i, k);
  else lost(p, i, k);
  call_abandon(k);
  return true;
}

/* What the tape had of exchange i by at_ms is here, or is not waited for any longer. */
static bool came_so_far(player *p, uint32_t i, int64_t at_ms) {
  const tape_exchange *x = exchange(p, i);
  call *k = p->calls[i];
  if (p->over[i]) return true;
  if (x->done_ms <= at_ms) {
    return x->stream && !taped_ends_by_itself(x) && stream_ended(p, i);
  }
  if (!x->stream) return true;
  bool here = k->in.state >= READER_BODY && taped_has_events(p->taped, i, call_body(k), at_ms);
  if (!here && patient(p, i)) return false;
  p->waiting_ns[i] = 0;
  return true;
}

static bool may_send(player *p, uint32_t next, int64_t at_ms) {
  for (uint32_t i = p->first_open; i < next; i++) {
    if (!came_so_far(p, i, at_ms)) return false;
  }
  while (p->first_open < next && p->over[p->first_open]) p->first_open++;
  return true;
}

static void send_one(player *p, uint32_t i) {
  client *c = &p->base;
  const tape_exchange *x = exchange(p, i);
  char method[16];
  snprintf(method, sizeof method, "%.*s", SLICE_ARG(x->method));
  if (!p->taped) p->taped = taped_create(p->tape, wall_s(c->world));
  call_request q = {.method = method, .target = x->target, .stream = x->stream, .op = x->seq,
                    .timeout_ns = x->stream ? STREAM_NS : ANSWER_NS,
                    .raw = taped_request(p->taped, i, SLICE_LIT("apisim"), SLICE_LIT(SIM_TOKEN))};
  if (writes(x)) p->writes_open++;
  p->calls[i] = call_start(c, &q);
  p->calls[i]->user = (void *)(uintptr_t)(i + 1);
}

/* The time between the next request and the one before it. */
static int64_t gap_ns(const player *p) {
  int64_t ms = exchange(p, p->next)->at_ms - p->sent_ms;
  if (ms < 0) ms = 0;
  if (p->healed && ms > HURRY_MS) ms = HURRY_MS;
  return ms * MILLI;
}

static bool is_ready(const player *p) {
  const sim_server *s = &p->base.world->servers[p->base.server];
  return p->began || (s->api && s->api->ready);
}

static void go_on(player *p) {
  client *c = &p->base;
  int64_t now = c->world->now_ns;
  while (p->next < p->tape->count) {
    uint32_t i = p->next;
    if (cuts_have(&c->world->cuts, PLAYER_WRITER, i)) {
      p->over[i] = true;
      p->next++;
      continue;
    }
    int64_t at = p->due_ns + gap_ns(p);
    if (now < at || !is_ready(p) || !may_send(p, i, exchange(p, i)->at_ms)) {
      client_later(c, now < at ? at - now : LOOK_NS, 0);
      return;
    }
    send_one(p, i);
    p->due_ns = at;
    p->sent_ms = exchange(p, i)->at_ms;
    p->began = true;
    p->next++;
  }
  if (!may_send(p, p->tape->count, INT64_MAX)) client_later(c, LOOK_NS, 0);
}

static void woken(client *c, uint64_t tag) {
  (void)tag;
  go_on((player *)c);
}

static void answered(client *c, call *k) {
  player *p = (player *)c;
  uint32_t i = (uint32_t)(uintptr_t)k->user - 1;
  bool whole = k->how == CALL_ANSWERED && !k->replaced && k->server->life == k->server_life;
  if (whole) settle(p, i, k);
  else lost(p, i, k);
}

static void heal(client *c) { ((player *)c)->healed = true; }

static bool settled(client *c, char *why, size_t size) {
  const player *p = (const player *)c;
  if (p->next >= p->tape->count && p->first_open >= p->tape->count) return true;
  snprintf(why, size, "player%u is at exchange %u of %u of the tape", c->who.index, p->next,
           p->tape->count);
  return false;
}

/* Its process died: what was under way is lost, the next request is the next on the tape. */
static void restart(client *c) {
  player *p = (player *)c;
  for (uint32_t i = p->first_open; i < p->next; i++) {
    if (!p->over[i] && p->calls[i]) lost(p, i, p->calls[i]);
  }
  client_later(c, LOOK_NS, 0);
}

static void dispose(client *c) { taped_destroy(((player *)c)->taped); }

const client_row player_row = {.actor = ACTOR_PLAYER, .size = sizeof(player), .start = start,
                               .woken = woken, .answered = answered, .heal = heal,
                               .settled = settled, .restart = restart, .dispose = dispose};
