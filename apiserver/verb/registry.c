/* Objects read and written by the server's own parts. */
#include "verb/registry.h"

#include "base/heap.h"
#include "crd/crd_serve.h"
#include "patch/patch.h"
#include "registry/object.h"
#include "registry/stored.h"
#include "registry/stored_etcd.h"
#include "codec/codec.h"
#include "server_stores.h"
#include "version/version.h"
#include "watch/window.h"

#include <assert.h>

val *registry_get(server *s, arena *a, const resource_info *r, slice namespace, slice name) {
  store_entry *e = NULL;
  slice key = stored_key(a, r, namespace, name);
  if (store_get(server_store(s, r), key, 0, &e) != STORE_OK) return NULL;
  val *obj = val_copy(a, stored_decode(a, r, e)); /* strings must outlive the entry */
  store_entry_unref(e);
  return obj;
}

typedef struct each_run {
  arena *a;
  const resource_info *r;
  registry_visit visit;
  void *ctx;
} each_run;

static bool visit_entry(void *ctx, store_entry *e) {
  each_run *run = ctx;
  val *obj = stored_decode(run->a, run->r, e);
  return !obj || run->visit(run->ctx, val_copy(run->a, obj));
}

void registry_each(server *s, arena *a, const resource_info *r, slice namespace,
                   registry_visit visit, void *ctx) {
  each_run run = {a, r, visit, ctx};
  store_view *view = NULL;
  if (store_view_open(server_store(s, r), 0, &view) != STORE_OK) return;
  slice prefix = stored_prefix(a, r, r->namespaced ? namespace : SLICE_NONE);
  slice end = stored_prefix_end(a, prefix);
  store_view_walk(view, prefix, end, visit_entry, &run);
  store_view_close(view);
}

int64_t registry_revision(server *s, const resource_info *r) {
  if (r->custom) return store_revision(s->store); /* of anything: never missed */
  return s->resource_revisions[r->storage->id];
}

/* A store's events, of the resources that it keeps. */
typedef struct revision_feed {
  server *server;
  store *store;
  store_watch *watch;
} revision_feed;

/* Every write passes a store's events, so one watch over everything keeps the newest revision of
 * each resource. */
static void on_write(void *ctx, const store_event *ev) {
  revision_feed *f = ctx;
  server *s = f->server;
  const resource_info *r = stored_resource_of(store_entry_key(ev->entry));
  crd_on_write(s, r, ev);
  if (!r || server_store(s, r) != f->store) return;
  s->resource_revisions[r->id] = ev->revision;
  watch_windows_add(s, r, ev);
}

static void watch_writes(revision_feed *f);

/* The store's copy was made anew: anything may have changed. */
static void on_end(void *ctx) {
  revision_feed *f = ctx;
  server *s = f->server;
  store_watch_close(f->watch);
  f->watch = NULL;
  for (uint16_t i = 0; i < schema_resource_count; i++) {
    if (server_store(s, schema_resources + i) != f->store) continue;
    s->resource_revisions[i] = store_revision(f->store);
  }
  watch_windows_reset(s, f->store);
  watch_writes(f);
  crd_load(s);
}

static void watch_writes(revision_feed *f) {
  store_result result = store_watch_open(f->store, SLICE_LIT("/registry/"),
                                         store_revision(f->store), on_write, f, &f->watch);
  assert(result == STORE_OK);
  (void)result;
  store_watch_on_end(f->watch, on_end);
}

void registry_open(server *s) {
  s->resource_revisions = heap_zalloc(schema_resource_count * sizeof(int64_t));
  s->revision_feeds = heap_zalloc((s->other_count + 1) * sizeof(revision_feed));
  for (uint32_t i = 0; i <= s->other_count; i++) {
    s->revision_feeds[i] = (revision_feed){.server = s, .store = server_store_nth(s, i)};
    watch_writes(&s->revision_feeds[i]);
  }
  watch_windows_open(s);
  crd_open(s);
  crd_load(s);
}

void registry_close(server *s) {
  for (uint32_t i = 0; i <= s->other_count; i++) store_watch_close(s->revision_feeds[i].watch);
  watch_windows_close(s);
  crd_close(s);
  heap_free(s->revision_feeds);
  heap_free(s->resource_revisions);
}

static void own(arena *a, const resource_info *r, const val *live, val *obj, slice manager,
                slice subresource, int64_t now_s) {
  manage_args m = {.arena = a, .resource = r, .manager = manager, .subresource = subresource,
                   .now_s = now_s};
  managed_fields_update(&m, live, obj);
}

bool registry_create(server *s, arena *a, const resource_info *r, val *obj, slice manager) {
  return registry_create_prepared(s, a, r, obj, manager, NULL);
}

bool registry_create_prepared(server *s, arena *a, const resource_info *r, val *obj,
                              slice manager, void (*prepare)(arena *a, val *obj)) {
  int64_t now_s = s->env->wall_ns / 1000000000;
  char uid[37];
  rng_uuid(&s->uid_rng, uid);
  version_default(a, obj, r->type);
  own(a, r, NULL, obj, manager, SLICE_LIT(""), now_s);
  if (prepare) prepare(a, obj);
  object_set_str(a, obj, "uid", arena_copy(a, slice_of(uid, 36)));
  object_set_str(a, obj, "creationTimestamp", time_text(a, now_s));
  slice key = stored_key(a, r, object_namespace(obj), object_name(obj));
  blob *bytes = stored_encode(a, r, obj, store_next_revision(server_store(s, r)));
  store_result result = store_create(server_store(s, r), key, bytes, NULL);
  blob_unref(bytes);
  return result == STORE_OK;
}

static bool update(server *s, arena *a, const resource_info *r, val *obj, slice manager,
                   slice subresource) {
  slice key = stored_key(a, r, object_namespace(obj), object_name(obj));
  store_entry *e = NULL;
  if (store_get(server_store(s, r), key, 0, &e) != STORE_OK) return false;
  val *live = stored_decode(a, r, e);
  if (manager.len) own(a, r, live, obj, manager, subresource, s->env->wall_ns / 1000000000);
  object_meta_take(a, obj, live, "uid");
  object_meta_take(a, obj, live, "creationTimestamp");
  blob *bytes = stored_encode(a, r, obj, store_next_revision(server_store(s, r)));
  store_result result = store_update(server_store(s, r), key, e->mod_revision, bytes, NULL);
  blob_unref(bytes);
  store_entry_unref(e);
  return result == STORE_OK;
}

bool registry_update(server *s, arena *a, const resource_info *r, val *obj, slice manager) {
  return update(s, a, r, obj, manager, SLICE_LIT(""));
}

bool registry_update_status(server *s, arena *a, const resource_info *r, val *obj, slice manager) {
  return update(s, a, r, obj, manager, SLICE_LIT("status"));
}

bool registry_remove(server *s, arena *a, const resource_info *r, slice namespace, slice name) {
  store *st = server_store(s, r);
  slice key = stored_key(a, r, namespace, name);
  store_entry *e = NULL;
  if (store_get(st, key, 0, &e) != STORE_OK) return false;
  blob *final = stored_with_revision(blob_slice(e->value), store_next_revision(st));
  store_result result = store_delete(st, key, e->mod_revision, final, NULL);
  blob_unref(final);
  store_entry_unref(e);
  return result == STORE_OK;
}
