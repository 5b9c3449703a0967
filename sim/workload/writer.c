/* A writer: one operation at a time, each drawn from a stream of its own number, so that leaving
 * one out leaves the others as they were. It remembers what it last saw of each object, which may
 * be out of date: conflicts are part of the traffic. */
#include "sim/workload/writer.h"

#include "sim/check/check_backends.h"
#include "sim/check/check_op.h"
#include "sim/model/json_scan.h"

#include <assert.h>

#define PATIENCE_NS (75 * SECOND) /* the server's own deadline is at 60 s */

static op_kind pick_op(rng *r) {
  uint32_t total = 0;
  for (uint32_t i = 0; i < OP_KINDS; i++) total += op_rows[i].weight;
  uint64_t at = rng_below(r, total);
  for (uint32_t i = 0; i < OP_KINDS; i++) {
    if (at < op_rows[i].weight) return (op_kind)i;
    at -= op_rows[i].weight;
  }
  return OP_GET;
}

static void next_later(writer *t, rng *r) {
  client *c = &t->base;
  if (t->at >= t->total) {
    if (!t->finished) c->world->writers_busy--;
    t->finished = true;
    return;
  }
  int64_t gap = (int64_t)rng_below(r, (uint64_t)c->world->draw->gap_ns * 2);
  if (c->world->draw->in_step) gap = SECOND - c->world->now_ns % SECOND;
  client_later(c, gap, 0);
}

static void run_op(writer *t) {
  client *c = &t->base;
  uint32_t number = t->at++;
  rng r = rng_split(&c->rng, number + 1);
  rng gaps = rng_split(&c->rng, (uint64_t)number << 32);
  t->gaps = gaps;
  if (cuts_have(&c->world->cuts, c->who.index, number)) {
    next_later(t, &t->gaps);
    return;
  }
  op_kind kind = pick_op(&r);
  if (fault_active(c->world, 22, -1, -1) && kind >= OP_UPDATE && kind <= OP_RELABEL) {
    kind = OP_RELABEL;
  }
  if (kind == OP_CREATE && c->world->shared.huge_wanted) {
    c->world->shared.huge_wanted = false;
    kind = OP_CREATE_HUGE;
  }
  answers_begin(c->world);
  t->request = (call_request){.timeout_ns = PATIENCE_NS};
  op *o = op_make(c, number, kind);
  t->op = o;
  writer_build(t, o, &r);
  t->request.op = o->id;
  o->begin = model_revision(c->world->model);
  call *k = call_start(c, &t->request);
  o->twice = k->twice;
}

uint32_t writer_share(const draw *d, uint32_t index) {
  if (index >= d->writers) return 0;
  return d->operations / d->writers + (index < d->operations % d->writers);
}

static void start(client *c) {
  writer *t = (writer *)c;
  t->total = writer_share(c->world->draw, c->who.index);
  t->gaps = rng_split(&c->rng, 0);
  c->world->writers_busy++;
  next_later(t, &t->gaps);
}

static void woken(client *c, uint64_t tag) {
  (void)tag;
  writer *t = (writer *)c;
  if (c->world->phase == PHASE_SAFETY && !t->op) run_op(t);
}

static void answered(client *c, call *k) {
  writer *t = (writer *)c;
  op *o = t->op;
  t->op = NULL;
  if (o) {
    o->twice = k->twice;
    op_ended(o, k);
    check_op(c->world, o, k);
    writer_learn(t, o, k);
  }
  next_later(t, &t->gaps);
}

/* After healing no further operations begin. */
static void heal(client *c) {
  writer *t = (writer *)c;
  if (!t->finished) c->world->writers_busy--;
  t->finished = true;
}

static bool settled(client *c, char *why, size_t size) {
  const writer *t = (writer *)c;
  if (!t->op) return true;
  snprintf(why, size, "writer%u still waits for the answer of operation %u", c->who.index,
           t->op->id);
  return false;
}

const client_row writer_row = {.actor = ACTOR_WRITER, .size = sizeof(writer), .start = start,
                               .woken = woken, .answered = answered, .heal = heal,
                               .settled = settled};
