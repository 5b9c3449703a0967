/* Looked at in the turn that commits, before anybody else hears of it. */
#include "sim/check/check_actors.h"

#include "sim/model/json_scan.h"
#include "sim/workload/controller.h"

/* ---- leaders ---- */

void check_leader(world *w, const elector *e) {
  const elector *other = elector_leading(w, e);
  CHECK_THAT(w, LEADER, !other, "elector%u leads, and so does elector%u until %.6f s",
             e->base.who.index, other ? other->base.who.index : 0,
             other ? (double)other->leads_until_ns / 1e9 : 0.0);
}

/* The lease changes hands: who held it does not lead any more. */
static void check_lease(world *w, const commit *c, const commit *prev) {
  slice now = elector_holder(c->value), was = elector_holder(prev->value);
  const elector *leader = elector_leading(w, NULL);
  bool takes = now.len && was.len && !slice_eq(now, was);
  bool still = takes && leader && slice_eq(was, elector_identity(leader));
  CHECK_THAT(w, LEADER, !still,
             "revision %lld gives the lease to %.*s, and %.*s leads until %.6f s",
             (long long)c->revision, SLICE_ARG(now), SLICE_ARG(was),
             leader ? (double)leader->leads_until_ns / 1e9 : 0.0);
}

/* ---- controllers ---- */

#define DEADLINE_NS (60 * SECOND) /* of a request that was under way */

/* The parent that the child names, if it lives now. */
static const commit *living_parent(world *w, const commit *child) {
  if (!w->shared.parents) return NULL;
  uint32_t key = controller_parent_key(w, w->shared.parents, child);
  const commit *p = model_state(w->model, key, child->revision);
  slice uid = controller_link(child).uid;
  bool same = p && slice_eq(uid, json_text_of(p->value, SLICE_LIT("\"uid\":\"")));
  return same ? p : NULL;
}

static uint32_t twin_of(const world *w, const commit *c) {
  const model *m = w->model;
  slice uid = controller_link(c).uid;
  for (uint32_t k = 0; k < m->key_count; k++) {
    if (k == c->key || !controller_is_child(m, k)) continue;
    const commit *other = model_state(m, k, c->revision);
    if (other && slice_eq(controller_link(other).uid, uid)) return k;
  }
  return NO_KEY;
}

static void check_child(world *w, const commit *c) {
  const model *m = w->model;
  bool restored = w->lost.at_ns && w->now_ns - w->lost.at_ns < DEADLINE_NS;
  if (c->deleted && restored) return; /* confirmed in a history that was lost */
  if (c->deleted) {
    CHECK_THAT(w, CONTROLLER, !living_parent(w, c),
               "revision %lld deletes %.*s, and its parent lives", (long long)c->revision,
               SLICE_ARG(m->keys[c->key].text));
    return;
  }
  uint32_t twin = twin_of(w, c);
  CHECK_THAT(w, CONTROLLER, twin == NO_KEY, "revision %lld makes %.*s, and %.*s is of that parent",
             (long long)c->revision, SLICE_ARG(m->keys[c->key].text),
             twin == NO_KEY ? 0 : (int)m->keys[twin].text.len,
             twin == NO_KEY ? "" : m->keys[twin].text.ptr);
}

void check_actor_commit(world *w, const commit *c) {
  const model_key *k = &w->model->keys[c->key];
  const commit *prev = model_prev(w->model, c);
  if (k->kind == KIND_LEASES && w->draw->electors && prev && !prev->deleted && !c->deleted &&
      slice_is(k->name, "sim-leader")) {
    check_lease(w, c, prev);
  }
  if (w->draw->controllers && controller_is_child(w->model, c->key)) check_child(w, c);
}

/* ---- what goes by itself ---- */

#define EVENTS SLICE_LIT("/registry/events/")
#define EXTRA_MAX_S 60 /* etcd3's lease manager: a lease lives longer, so that it can be shared */

void check_ttl_lease(world *w, slice key, bool removes, int64_t lease) {
  if (removes || !w->draw->event_ttl_s) return;
  bool event = slice_has_prefix(key, EVENTS);
  CHECK_THAT(w, TTL, event == (lease != 0), "%.*s is written %s a lease", SLICE_ARG(key),
             lease ? "with" : "without");
}

void check_ttl_asked(world *w, int64_t seconds) {
  int64_t ttl = w->draw->event_ttl_s, extra = ttl / 20;
  if (extra > EXTRA_MAX_S) extra = EXTRA_MAX_S;
  CHECK_THAT(w, TTL, seconds <= ttl + extra, "a lease of %lld s for events that live %lld s",
             (long long)seconds, (long long)ttl);
}

/* Its message says when the request for it left. */
void check_ttl_commit(world *w, const commit *c) {
  int64_t ttl = w->draw->event_ttl_s;
  int64_t asked_ns = json_number_of(c->value, SLICE_LIT("\"message\":\"at "));
  if (!c->deleted || !ttl || w->shared.revoking || asked_ns < 0) return;
  CHECK_THAT(w, TTL, w->now_ns - asked_ns >= ttl * SECOND,
             "%.*s went after %.3f s, its time to live is %lld s",
             SLICE_ARG(w->model->keys[c->key].text), (double)(w->now_ns - asked_ns) / 1e9,
             (long long)ttl);
}
