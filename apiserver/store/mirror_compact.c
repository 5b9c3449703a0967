/* Compaction, as every server on the same remote does it: the key compact_rev_key holds the newest
 * revision that was compacted, and who changes it under its guard compacts, up to the revision
 * that it saw one interval ago. Who finds the key changed by another takes over what is there and
 * waits another interval. So history is kept for one to two intervals, however many servers. */
#include "store/mirror_internal.h"

#include <stdio.h>

#define COMPACT_KEY SLICE_LIT("compact_rev_key")

void mirror_compacted_elsewhere(mirror *m, int64_t revision) {
  if (revision <= m->figures.compacted) return;
  m->figures.compacted = revision;
  replica_drop(m->replica, revision);
}

/* Drops what is older than `revision`, there and here. */
static store_result compact_both(mirror *m, int64_t revision) {
  mirror_ask ask;
  store_result r = mirror_ask_compact(m, revision, &ask);
  if (r != STORE_OK) return r;
  r = mirror_result(m, ask.answer);
  if (r == STORE_OK || r == STORE_COMPACTED) mirror_compacted_elsewhere(m, revision);
  return r == STORE_COMPACTED ? STORE_OK : r;
}

void mirror_compact(store *s, int64_t revision) {
  mirror *m = mirror_of(s);
  if (revision > m->replica->newest) revision = m->replica->newest;
  if (revision <= m->figures.compacted) return;
  compact_both(m, revision);
  replica_drop(m->replica, revision);
}

static void learn(mirror *m, const remote_answer *a) {
  m->compact_guard = a->count ? a->kvs[0].mod_revision : 0;
  long long there = 0;
  if (a->count && slice_to_i64(a->kvs[0].value, &there) && there > 0) {
    mirror_compacted_elsewhere(m, there);
  }
}

static void round_main(void *ctx) {
  mirror *m = ctx;
  fiber_set_deadline(fiber_current(m->fibers), m->env->mono_ns + m->compact_every_ns / 2);
  char digits[24];
  int n = snprintf(digits, sizeof digits, "%lld", (long long)m->compact_revision);
  remote_txn txn = {.key = COMPACT_KEY, .guard = m->compact_guard,
                    .value = slice_of(digits, (size_t)n)};
  mirror_ask ask;
  if (mirror_ask_txn(m, &txn, &ask) != STORE_OK) return;
  const remote_answer *a = ask.answer;
  int64_t old = m->compact_revision;
  if (a->revision) m->compact_revision = a->revision;
  if (a->result == REMOTE_GUARD_FAILED) learn(m, a);
  if (a->result != REMOTE_OK) return;
  m->compact_guard = a->revision;
  if (old) compact_both(m, old);
}

static void on_timer(void *ctx, int64_t now_ns) {
  mirror *m = ctx;
  timer_set(m->timers, &m->compact_timer, now_ns + m->compact_every_ns, on_timer, m);
  fiber_run(m->fibers, round_main, m);
}

void mirror_compactor_start(mirror *m) {
  if (m->compact_every_ns <= 0) return;
  timer_set(m->timers, &m->compact_timer, m->env->mono_ns + m->compact_every_ns, on_timer, m);
}
