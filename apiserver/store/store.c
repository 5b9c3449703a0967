/* store.h's functions: each is its backend's. */
#include "store/backend.h"
#include "base/mutant.h"

bool store_waits(const store *s) { return s->ops->waits; }

int64_t store_next_revision(const store *s) {
  return s->ops->next_revision(s);
}

int64_t store_revision(const store *s) {
  return s->ops->revision(s);
}

int64_t store_compacted(const store *s) {
  return s->ops->compacted(s);
}

slice store_problem(const store *s) {
  return s->ops->problem(s);
}

bool store_is_ready(const store *s, slice *why) {
  return s->ops->is_ready(s, why);
}

store_result store_sync(store *s, int64_t *at) {
  int64_t ignored;
  return s->ops->sync(s, at ? at : &ignored);
}

store_result store_probe(store *s, int64_t for_ns) {
  return s->ops->probe ? s->ops->probe(s, for_ns) : STORE_OK;
}

store_result store_wait_revision(store *s, int64_t revision, int64_t for_ns) {
  return s->ops->wait_revision(s, revision, for_ns);
}

store_result store_create(store *s, slice key, blob *value, store_entry **out) {
  return s->ops->create(s, key, value, 0, out);
}

store_result store_create_ttl(store *s, slice key, blob *value, int64_t ttl_s, store_entry **out) {
  store_entry *there = NULL;
  if (MUTANT(CREATE_OVERWRITES) && store_get(s, key, 0, &there) == STORE_OK) {
    int64_t mod = there->mod_revision;
    store_entry_unref(there);
    return store_update_ttl(s, key, mod, value, ttl_s, out);
  }
  return s->ops->create(s, key, value, ttl_s, out);
}

store_result store_update(store *s, slice key, int64_t expect_mod, blob *value,
                          store_entry **out) {
  return s->ops->update(s, key, expect_mod, value, 0, out);
}

store_result store_update_ttl(store *s, slice key, int64_t expect_mod, blob *value, int64_t ttl_s,
                              store_entry **out) {
  return s->ops->update(s, key, expect_mod, value, ttl_s, out);
}

store_result store_delete(store *s, slice key, int64_t expect_mod, blob *final,
                          store_entry **last) {
  return s->ops->remove(s, key, expect_mod, final, last);
}

int64_t store_written(const store *s) {
  return s->ops->written(s);
}

store_result store_get(store *s, slice key, int64_t revision, store_entry **out) {
  return s->ops->get(s, key, revision, out);
}

store_result store_get_fresh(store *s, slice key, store_entry **out) {
  return s->ops->get_fresh(s, key, out);
}

store_result store_view_open(store *s, int64_t revision, store_view **out) {
  return s->ops->view_open(s, revision, out);
}

store_result store_view_walk(store_view *v, slice start, slice end, store_visit visit,
                             void *ctx) {
  return v->ops->view_walk(v, start, end, visit, ctx);
}

uint64_t store_view_count(store_view *v, slice start, slice end) {
  return v->ops->view_count(v, start, end);
}

store_result store_watch_open(store *s, slice prefix, int64_t from, store_on_event fn, void *ctx,
                              store_watch **out) {
  return s->ops->watch_open(s, prefix, from, fn, ctx, out);
}

void store_watch_on_end(store_watch *w, void (*ended)(void *ctx)) {
  w->ops->watch_on_end(w, ended);
}

void store_compact(store *s, int64_t revision) {
  s->ops->compact(s, revision);
}

void store_tick(store *s, int64_t mono_ns) {
  s->ops->tick(s, mono_ns);
}

size_t store_overhead(const store *s) {
  return s->ops->overhead(s);
}

void store_cancel(store *s, struct fiber *f) {
  s->ops->cancel(s, f);
}

int64_t store_view_revision(const store_view *v) { return v->revision; }

void store_view_close(store_view *v) {
  if (v) v->ops->view_close(v);
}

void store_watch_close(store_watch *w) {
  if (w) w->ops->watch_close(w);
}

void store_destroy(store *s) {
  if (s) s->ops->destroy(s);
}
