/* Who may go when. All waiting happens in wait_for, which lets the link's time pass until a
 * condition holds or patience ends; a replay therefore ends whatever the server does. */
#include "sim/replay/player.h"

#include "base/heap.h"
#include "sim/replay/compare.h"
#include "sim/replay/events.h"
#include "sim/replay/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ANSWER_MS 60000 /* an answer that takes longer is none */
#define EVENT_MS 3000 /* the same of a watch event that the tape has */
#define EVENT_VIRTUAL_MS 20 /* an embedded server sends it in the same turn */
#define CONNECT_FAILURES 3 /* in a row: nobody is there */

typedef struct playing {
  session *s;
  uplink *link;
  const play_options *o;
  call **calls; /* under way, by exchange; NULL: not sent or over */
  bool *sent, *over;
  int64_t *began;
  uint32_t first_open; /* everything before it is over */
  uint32_t failures;
} playing;

typedef bool (*condition)(const playing *p, uint32_t i);

static bool wait_for(playing *p, condition holds, uint32_t i, int64_t patience_ms) {
  int64_t until = p->link->now_ms(p->link) + patience_ms;
  while (!holds(p, i)) {
    if (!p->link->step(p->link, until)) {
      return holds(p, i);
    }
  }
  return true;
}

static bool answer_over(const playing *p, uint32_t i) {
  const call *c = p->calls[i];
  return !c || c->problem[0] || c->res.state == RESPONSE_DONE || c->res.state == RESPONSE_BROKEN;
}

static bool head_here(const playing *p, uint32_t i) {
  return answer_over(p, i) || p->calls[i]->res.state != RESPONSE_HEAD;
}

static bool is_stream(const playing *p, uint32_t i) {
  return p->s->outcomes[i].taped->stream;
}

/* The moment, in the tape's time, up to which events are waited for, is that of the next
 * request; it is kept here for the condition. */
static bool events_here_by(const playing *p, uint32_t i, int64_t at_ms) {
  if (answer_over(p, i)) {
    return true;
  }
  const tape_exchange *x = p->s->outcomes[i].taped;
  bool protobuf = headers_say_protobuf(&x->headers);
  return event_count(buf_slice(&p->calls[i]->res.body), protobuf) >=
         event_count_by(x, protobuf, at_ms);
}

static bool all_events_here(const playing *p, uint32_t i) {
  return events_here_by(p, i, INT64_MAX);
}

static void fail(playing *p, outcome *x, const char *why) {
  x->problem = arena_copy(p->s->arena, slice_cstr(why));
}

static tape_headers copy_headers(arena *a, const tape_headers *h) {
  tape_header *items = ARENA_ARRAY(a, tape_header, h->count + 1);
  for (uint32_t i = 0; i < h->count; i++) {
    items[i].name = arena_copy(a, h->items[i].name);
    items[i].value = arena_copy(a, h->items[i].value);
  }
  return (tape_headers){h->count, items};
}

/* Takes the answer out of the call, ends it, and compares. */
static void settle(playing *p, uint32_t i) {
  outcome *x = &p->s->outcomes[i];
  call *c = p->calls[i];
  arena *a = p->s->arena;
  if (!c) {
    return;
  }
  x->took_ms = p->link->now_ms(p->link) - p->began[i];
  x->answered = c->res.state == RESPONSE_DONE || (c->res.state == RESPONSE_BODY && x->taped->stream);
  if (!x->answered) {
    fail(p, x, c->problem[0] ? c->problem : "no whole answer in time");
    p->failures += c->res.state == RESPONSE_HEAD || c->res.status == 0;
  } else {
    p->failures = 0;
  }
  x->status = c->res.status;
  x->headers = copy_headers(a, &c->res.headers);
  x->body = arena_copy(a, buf_slice(&c->res.body));
  p->link->finish(p->link, c);
  p->calls[i] = NULL;
  p->over[i] = true;
  pairing_now(p->s->pairs, p->link->wall_seconds(p->link));
  compare_outcome(x, p->s->pairs);
}

static bool ended_by_server(const tape_exchange *x) {
  long long seconds = 0;
  return slice_to_i64(target_param(x->target, "timeoutSeconds"), &seconds) &&
         x->done_ms - x->at_ms >= seconds * 1000 - 20;
}

static int64_t event_patience(const playing *p) {
  return p->o->virtual_time ? EVENT_VIRTUAL_MS : EVENT_MS;
}

/* The tape had ended exchange i by now. */
static void bring_to_end(playing *p, uint32_t i) {
  if (!is_stream(p, i) || ended_by_server(p->s->outcomes[i].taped)) {
    wait_for(p, answer_over, i, ANSWER_MS);
  } else {
    wait_for(p, head_here, i, p->o->virtual_time ? EVENT_VIRTUAL_MS : ANSWER_MS);
    wait_for(p, all_events_here, i, event_patience(p));
  }
  settle(p, i);
}

/* What must have come before a request that the tape has at at_ms may leave. Of a stream that is
 * only what came in an earlier millisecond: the request may be what the rest came of, and the
 * stream's end with it. */
static void catch_up(playing *p, uint32_t next, int64_t at_ms) {
  for (uint32_t i = p->first_open; i < next; i++) {
    const tape_exchange *x = p->s->outcomes[i].taped;
    int64_t by_ms = x->stream ? at_ms - 1 : at_ms;
    if (p->over[i]) {
      continue;
    }
    if (x->done_ms <= by_ms) {
      bring_to_end(p, i);
    } else if (x->stream) {
      wait_for(p, head_here, i, event_patience(p));
      int64_t until = p->link->now_ms(p->link) + event_patience(p);
      while (!events_here_by(p, i, by_ms) && p->link->step(p->link, until)) {
      }
    }
  }
  while (p->first_open < next && p->over[p->first_open]) {
    p->first_open++;
  }
}

/* Lets the link's clock come to where the tape's stood. */
static void keep_time(playing *p, int64_t at_ms) {
  int64_t due = at_ms, speed = p->o->speed;
  if (p->o->virtual_time && speed > 0) { /* the link's clock does not wait by itself */
    int64_t gap = (at_ms - p->link->now_ms(p->link)) / speed;
    struct timespec pause = {gap / 1000, gap % 1000 * 1000000};
    if (gap > 0) {
      nanosleep(&pause, NULL);
    }
  } else if (!p->o->virtual_time) {
    if (speed == 0) {
      return;
    }
    due = at_ms / speed;
  }
  while (p->link->step(p->link, due)) {
  }
}

static void send_one(playing *p, uint32_t i) {
  outcome *x = &p->s->outcomes[i];
  request_text r =
      request_make(p->s->arena, p->s->pairs, x->taped, p->o->host, p->o->token);
  x->sent_target = r.target;
  x->sent_body = r.body;
  p->began[i] = p->link->now_ms(p->link);
  p->calls[i] = p->link->start(p->link, r.bytes, slice_is(x->taped->method, "HEAD"));
  p->sent[i] = true;
}

static void tally(session *s) {
  for (uint32_t i = 0; i < s->count; i++) {
    const outcome *x = &s->outcomes[i];
    if (x->unscored) {
      s->unscored++;
      continue;
    }
    s->scored++;
    for (int level = 0; level < DIFF_LEVELS; level++) {
      s->same[level] += x->answered && diff_equal(&x->diff, (diff_level)level);
    }
  }
}

static void play_all(playing *p) {
  session *s = p->s;
  for (uint32_t i = 0; i < s->count; i++) {
    const tape_exchange *x = s->outcomes[i].taped;
    catch_up(p, i, x->at_ms);
    if (p->failures >= CONNECT_FAILURES) {
      s->problem = s->outcomes[i - 1].problem;
      return;
    }
    keep_time(p, x->at_ms);
    send_one(p, i);
    if (p->o->progress) {
      p->o->progress(p->o->ctx, s->tape, i + 1);
    }
  }
  catch_up(p, s->count, INT64_MAX);
}

static int64_t first_written_version(const tape *t) {
  int64_t first = 0;
  for (uint32_t i = 0; i < t->count; i++) {
    int64_t version = compare_written_version(&t->exchanges[i]);
    if (version > 0 && (first == 0 || version < first)) {
      first = version;
    }
  }
  return first;
}

static session *session_create(const tape *t, uplink *l, const play_options *o) {
  arena *a = arena_create();
  session *s = ARENA_NEW(a, session);
  s->arena = a;
  s->tape = t;
  s->count = t->count;
  s->outcomes = ARENA_ARRAY(a, outcome, t->count + 1);
  s->pairs = pairing_create(a);
  for (uint32_t i = 0; i < t->count; i++) {
    s->outcomes[i].taped = &t->exchanges[i];
    diff_init(&s->outcomes[i].diff, a, s->pairs);
  }
  int64_t length = t->count ? t->exchanges[t->count - 1].done_ms / 1000 + 1 : 0;
  pairing_clock(s->pairs, tape_began_ms(t) / 1000, l->wall_seconds(l), length,
                o->virtual_time ? 1 : length + 2);
  pairing_first_version(s->pairs, first_written_version(t));
  return s;
}

session *session_play(const tape *t, uplink *l, const play_options *o) {
  session *s = session_create(t, l, o);
  playing p = {.s = s, .link = l, .o = o};
  p.calls = ARENA_ARRAY(s->arena, call *, t->count + 1);
  p.sent = ARENA_ARRAY(s->arena, bool, t->count + 1);
  p.over = ARENA_ARRAY(s->arena, bool, t->count + 1);
  p.began = ARENA_ARRAY(s->arena, int64_t, t->count + 1);
  int64_t began = l->now_ms(l);
  play_all(&p);
  for (uint32_t i = 0; i < s->count; i++) {
    if (p.calls[i]) {
      l->finish(l, p.calls[i]);
    }
  }
  s->took_ms = l->now_ms(l) - began;
  tally(s);
  return s;
}

void session_destroy(session *s) {
  for (uint32_t i = 0; i < s->count; i++) {
    diff_dispose(&s->outcomes[i].diff);
  }
  pairing_destroy(s->pairs);
  arena_destroy(s->arena);
}
