/* beforeCommit: the memory store's table of functions with its writes wrapped. A write that an
 * action stops is answered STORE_UNAVAILABLE, so that surely nothing was stored. Installed only
 * where a plan has such a trigger. */
#include "sim/live/engine.h"

#include <assert.h>

static live *owner; /* a store knows no engine: one a process */

static store_result ask(store *s, slice key, slice bytes, slice effect) {
  live *l = owner;
  live_target t;
  exchange *ex = l->current;
  /* The first write of a request only: what it has begun is not left half done. */
  if (!ex || ex->ghost || ex->committed || !live_target_of_stored(key, &t)) return STORE_OK;
  arena *a = arena_create();
  store_entry *before = NULL;
  l->store_inner->get(s, key, 0, &before);
  live_event ev = exchange_event(ex, POINT_BEFORE_COMMIT, a);
  const resource_info *r = t.resource;
  ev.effect = effect;
  ev.resource_name = r->group.len == 0 ? r->resource
      : arena_printf(a, "%.*s.%.*s", SLICE_ARG(r->resource), SLICE_ARG(r->group));
  ev.namespace = t.namespace;
  ev.name = t.name;
  ev.key = live_target_key(a, &t);
  ev.before = before;
  ev.after_bytes = bytes;
  l->refuse_commit = false;
  engine_event(l, &ev);
  bool refuse = l->refuse_commit;
  l->refuse_commit = false;
  if (before) store_entry_unref(before);
  arena_destroy(a);
  return refuse ? STORE_UNAVAILABLE : STORE_OK;
}

static store_result commit_create(store *s, slice key, blob *value, int64_t ttl_s,
                                  store_entry **out) {
  store_result r = ask(s, key, blob_slice(value), SLICE_LIT("create"));
  return r == STORE_OK ? owner->store_inner->create(s, key, value, ttl_s, out) : r;
}

static store_result commit_update(store *s, slice key, int64_t expect, blob *value, int64_t ttl_s,
                                  store_entry **out) {
  store_result r = ask(s, key, blob_slice(value), SLICE_LIT("update"));
  return r == STORE_OK ? owner->store_inner->update(s, key, expect, value, ttl_s, out) : r;
}

static store_result commit_delete(store *s, slice key, int64_t expect, blob *final,
                                  store_entry **last) {
  store_result r = ask(s, key, SLICE_NONE, SLICE_LIT("delete"));
  return r == STORE_OK ? owner->store_inner->remove(s, key, expect, final, last) : r;
}

static bool looks_before(const live_trigger *t) {
  if (t->op == TRIGGER_EVENT && t->point == POINT_BEFORE_COMMIT) return true;
  for (uint32_t i = 0; i < t->count; i++) {
    if (looks_before(&t->parts[i])) return true;
  }
  return false;
}

void commit_install(live *l) {
  bool wanted = false;
  for (uint32_t i = 0; i < l->plan->fault_count; i++) {
    wanted = wanted || looks_before(l->plan->faults[i].on);
  }
  if (!wanted || l->store_inner) return;
  assert(!l->server->store->ops->waits);
  owner = l;
  l->store_inner = l->server->store->ops;
  l->store_table = *l->store_inner;
  l->store_table.create = commit_create;
  l->store_table.update = commit_update;
  l->store_table.remove = commit_delete;
  l->server->store->ops = &l->store_table;
}

void commit_remove(live *l) {
  if (!l->store_inner) return;
  l->server->store->ops = l->store_inner;
  l->store_inner = NULL;
  owner = NULL;
}
