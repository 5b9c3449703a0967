/* The embedded store's side; the simulated etcd's is in sim_etcd.c. */
#include "sim/world/store_link.h"

#include "base/heap.h"
#include "sim/check/check_commit.h"
#include "sim/check/check_stream.h"
#include "sim/world/sim_etcd.h"

#include <assert.h>

bool store_link_options(sim_server *s, server_options *o) {
  const draw *d = s->world->draw;
  o->event_ttl_s = d->event_ttl_s;
  o->watch_window = d->watch_window;
  if (!d->etcd_model) return true;
  o->remote = (server_remote){.make = sim_etcd_remote, .ctx = s, .prefix = SLICE_LIT("/registry"),
                              .json = !d->stored_protobuf};
  o->store_history = d->history;
  return true;
}

/* Called by the store in the middle of the write that made the event. */
static void on_commit(void *ctx, const store_event *ev) {
  sim_server *s = ctx;
  const heap_hook *before = heap_set_hook(NULL);
  commit_seen seen = {.key = store_entry_key(ev->entry), .value = blob_slice(ev->entry->value),
                      .deleted = ev->deleted, .revision = ev->revision};
  check_commit(s->world, &seen);
  heap_set_hook(before);
}

/* A new process has a new, empty store: for everybody outside the world begins anew. */
void store_link_started(sim_server *s) {
  world *w = s->world;
  store *st = s->api->store;
  if (w->draw->etcd_model) return;
  const heap_hook *before = heap_set_hook(NULL);
  if (s->life > 1) check_stream_world_lost(w);
  model_reset(w->model, 1);
  heap_set_hook(before);
  store_result r = store_watch_open(st, SLICE_LIT("/registry/"), 1, on_commit, s, &s->observer);
  assert(r == STORE_OK);
  (void)r;
  s->began_at = store_revision(st);
  if (w->draw->history) store_memory_window(st, w->draw->history, SIZE_MAX);
}

void store_link_stopping(sim_server *s) {
  if (s->observer) store_watch_close(s->observer);
  s->observer = NULL;
}

void store_link_gone(sim_server *s) {
  s->kept = s->api ? store_compacted(s->api->store) : 0;
}

int64_t store_link_compacted(const sim_server *s) {
  return s->api ? store_compacted(s->api->store) : s->kept;
}

static void compact_inside(sim_server *s, void *ctx) {
  store_compact(s->api->store, *(const int64_t *)ctx);
}

void store_link_compact(world *w, int64_t revision) {
  if (w->draw->etcd_model) {
    sim_etcd_compact(w, revision);
    return;
  }
  for (uint32_t i = 0; i < w->draw->servers; i++) {
    sim_server *s = &w->servers[i];
    if (s->api) sim_server_enter(s, compact_inside, &revision);
  }
  SOMETIMES(w, COMPACTED);
}
