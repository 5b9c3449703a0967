/* Waiting. Everything that a fiber waits for ends in mirror_wake: the remote's answer, the copy's
 * progress, a timer, the client's leaving, or the store's end. */
#include "store/mirror_internal.h"

#include <assert.h>

#define BACKOFF_FIRST_NS (20 * MILLI_NS)
#define BACKOFF_MAX_NS SECOND_NS
#define PROBLEM_MAX 4096

void mirror_set_problem(mirror *m, slice text) {
  buf_clear(&m->problem);
  buf_append(&m->problem, slice_upto(text, PROBLEM_MAX));
}

static void unlink_wait(mirror_wait *w) {
  if (w->before) w->before->next = w->next;
  else w->m->waits = w->next;
  if (w->next) w->next->before = w->before;
  w->next = w->before = NULL;
}

void mirror_wake(mirror_wait *w, store_result result) {
  if (!w->waiting) return;
  w->waiting = false;
  w->result = result;
  fiber_resume(w->m->fibers, w->fiber);
}

static void on_timer(void *ctx, int64_t now_ns) {
  (void)now_ns;
  mirror_wake(ctx, STORE_TIMEOUT);
}

store_result mirror_wait_until(mirror *m, mirror_wait *w, int64_t until_ns) {
  fiber *f = fiber_current(m->fibers);
  assert(f); /* only fibers may call what waits */
  int64_t deadline = fiber_deadline(f);
  if (until_ns > deadline) until_ns = deadline;
  if (m->closing || deadline == MIRROR_CANCELLED) return STORE_CANCELLED;
  if (deadline <= m->env->mono_ns) return STORE_TIMEOUT;
  w->m = m;
  w->fiber = f;
  w->waiting = true;
  w->before = NULL;
  w->next = m->waits;
  if (m->waits) m->waits->before = w;
  m->waits = w;
  w->timer = (timer){0};
  if (until_ns < INT64_MAX) timer_set(m->timers, &w->timer, until_ns, on_timer, w);
  fiber_set_waits_for(f, w);
  fiber_suspend(m->fibers);
  fiber_set_waits_for(f, NULL);
  timer_clear(m->timers, &w->timer);
  unlink_wait(w);
  return w->result;
}

void mirror_cancel_all(mirror *m) {
  m->closing = true;
  while (m->waits) mirror_wake(m->waits, STORE_CANCELLED);
}

store_result mirror_pause(mirror *m, int64_t ns) {
  mirror_wait w = {0};
  int64_t until = m->env->mono_ns + ns;
  store_result r = mirror_wait_until(m, &w, until);
  bool over = r == STORE_TIMEOUT && m->env->mono_ns >= until;
  return over ? STORE_OK : r;
}

int64_t mirror_backoff(const mirror *m, uint32_t tries) {
  (void)m;
  int64_t ns = BACKOFF_FIRST_NS << (tries < 10 ? tries : 10);
  return ns < BACKOFF_MAX_NS ? ns : BACKOFF_MAX_NS;
}

/* ---- calls ---- */

static void on_answer(void *ctx, const remote_answer *answer) {
  mirror_ask *a = ctx;
  mirror *m = a->wait.m;
  a->call = NULL;
  a->answer = answer;
  if (answer->revision) {
    m->answered_ns = m->env->mono_ns;
    m->probe_failed = false;
    if (answer->revision > m->known) m->known = answer->revision;
  }
  mirror_wake(&a->wait, STORE_OK);
}

static store_result ask_end(mirror *m, mirror_ask *a) {
  a->wait.m = m;
  a->wait.waiting = false;
  store_result r = mirror_wait_until(m, &a->wait, INT64_MAX);
  if (a->call) remote_cancel(m->remote, a->call);
  a->call = NULL;
  return r;
}

store_result mirror_ask_range(mirror *m, const remote_range *range, mirror_ask *a) {
  *a = (mirror_ask){.wait.m = m};
  a->call = remote_get_range(m->remote, range, on_answer, a);
  return ask_end(m, a);
}

store_result mirror_ask_txn(mirror *m, const remote_txn *txn, mirror_ask *a) {
  *a = (mirror_ask){.wait.m = m};
  a->call = remote_put_txn(m->remote, txn, on_answer, a);
  return ask_end(m, a);
}

store_result mirror_ask_compact(mirror *m, int64_t revision, mirror_ask *a) {
  *a = (mirror_ask){.wait.m = m};
  a->call = remote_compact(m->remote, revision, on_answer, a);
  return ask_end(m, a);
}

store_result mirror_ask_lease(mirror *m, int64_t ttl_s, mirror_ask *a) {
  *a = (mirror_ask){.wait.m = m};
  a->call = remote_lease_grant(m->remote, ttl_s, on_answer, a);
  return ask_end(m, a);
}

store_result mirror_result(mirror *m, const remote_answer *answer) {
  mirror_set_problem(m, answer->message);
  switch (answer->result) {
    case REMOTE_OK: return STORE_OK;
    case REMOTE_GUARD_FAILED: return STORE_CONFLICT;
    case REMOTE_COMPACTED: return STORE_COMPACTED;
    case REMOTE_FUTURE: return STORE_FUTURE;
    case REMOTE_TOO_LARGE: return STORE_TOO_LARGE;
    case REMOTE_NO_SPACE: return STORE_NO_SPACE;
    case REMOTE_UNKNOWN:
    case REMOTE_BAD_ANSWER: return STORE_UNKNOWN;
    case REMOTE_NO_LEASE:
    case REMOTE_DENIED:
    case REMOTE_UNAVAILABLE: return STORE_UNAVAILABLE;
  }
  return STORE_UNAVAILABLE;
}

store_result mirror_range(mirror *m, const remote_range *range, mirror_ask *a) {
  for (uint32_t tries = 0;; tries++) {
    store_result r = mirror_ask_range(m, range, a);
    if (r != STORE_OK) return r;
    remote_result got = a->answer->result;
    if (got != REMOTE_UNAVAILABLE && got != REMOTE_UNKNOWN && got != REMOTE_BAD_ANSWER) {
      return mirror_result(m, a->answer);
    }
    mirror_set_problem(m, a->answer->message);
    m->figures.retries++;
    r = mirror_pause(m, mirror_backoff(m, tries));
    if (r != STORE_OK) return r;
  }
}
