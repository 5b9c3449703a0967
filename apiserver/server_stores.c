/* A store a distinct set of servers, each a mirror with its own copy of what its etcd keeps under
 * the prefix. They share the codec, which is done with a value before anybody can wait. */
#include "server_stores.h"

#include "crd/crd_object.h"
#include "base/fiber.h"
#include "base/heap.h"
#include "base/limits.h"
#include "bootstrap/bootstrap.h"
#include "registry/stored_codec.h"
#include "registry/stored_etcd.h"
#include "store/encrypt.h"
#include "store/mirror.h"
#include "verb/registry.h"

#include <stdlib.h>

#define FIRST_REVISION 1
#define REMOTE_PREFIX_MAX 512
#define REMOTE_PAST 10000 /* revisions of another server's time that watches may go on from */

/* ---- the flag ---- */

/* The servers in a canonical order, with commas. False: one is empty. */
static bool read_servers(arena *a, slice text, slice *out, slice *sorted) {
  slice one, list[LIMIT_ETCD_SERVERS];
  uint32_t n = 0;
  for (bool more = true; more; n++) {
    more = slice_cut(text, ';', &one, &text);
    if (one.len == 0 || n == LIMIT_ETCD_SERVERS) return false;
    list[n] = one;
  }
  *out = SLICE_NONE;
  for (uint32_t i = 0; i < n; i++) {
    *out = i ? arena_printf(a, "%.*s,%.*s", SLICE_ARG(*out), SLICE_ARG(list[i])) : list[0];
  }
  qsort(list, n, sizeof *list, slice_order);
  *sorted = SLICE_NONE;
  for (uint32_t i = 0; i < n; i++) {
    *sorted = arena_printf(a, "%.*s,%.*s", SLICE_ARG(*sorted), SLICE_ARG(list[i]));
  }
  return true;
}

static bool read_one(arena *a, slice text, store_override *o, slice *sorted) {
  slice name, servers, rest;
  if (!slice_cut(text, '#', &name, &servers) || slice_find_char(servers, '#') >= 0) return false;
  if (!slice_cut(name, '/', &o->group, &rest) || slice_find_char(rest, '/') >= 0) return false;
  o->resource = rest;
  return read_servers(a, servers, &o->servers, sorted);
}

bool store_overrides_parse(arena *a, slice text, store_override **out, uint32_t *count,
                           uint32_t *places) {
  slice one, sets[LIMIT_ETCD_PLACES];
  uint32_t cap = 0;
  *out = NULL;
  *count = *places = 0;
  text = arena_copy(a, text);
  for (bool more = text.len > 0; more;) {
    more = slice_cut(text, ',', &one, &text);
    store_override o = {0};
    slice set;
    if (!read_one(a, one, &o, &set)) return false;
    while (o.place < *places && !slice_eq(sets[o.place], set)) o.place++;
    if (o.place == LIMIT_ETCD_PLACES) return false;
    if (o.place == *places) sets[(*places)++] = set;
    *out = arena_more(a, *out, *count, &cap, sizeof o);
    (*out)[(*count)++] = o;
  }
  return true;
}

/* ---- who is where ---- */

/* The objects of the aggregator and of the extensions' server stay in the main etcd, whatever the
 * flag says: those parts of the real server do not read it. */
static bool can_move(const resource_info *r) {
  slice g = r->group;
  return !slice_is(g, "apiextensions.k8s.io") && !slice_is(g, "apiregistration.k8s.io");
}

/* An exact name goes before its group's asterisk; of two that say the same, the last one. */
static uint8_t place_of(const resource_info *r, const store_override *list, uint32_t count) {
  uint8_t place = 0;
  bool exact = false;
  for (uint32_t i = 0; can_move(r) && i < count; i++) {
    if (!slice_eq(list[i].group, r->group)) continue;
    bool all = slice_is(list[i].resource, "*");
    if (!all && !slice_eq(list[i].resource, r->resource)) continue;
    if (all && exact) continue;
    exact = exact || !all;
    place = (uint8_t)(list[i].place + 1);
  }
  return place;
}

store *server_store_nth(const server *s, uint32_t n) {
  if (n == 0) return s->store;
  return n <= s->other_count ? s->others[n - 1] : NULL;
}

store *server_store(const server *s, const resource_info *r) {
  if (s->other_count == 0 || !r || r->custom) return s->store;
  return server_store_nth(s, s->places[r->storage->id]);
}

/* ---- making ---- */

/* A copy is complete: with the last one, what of a fresh cluster is not there yet is made. */
static void on_store_ready(void *ctx) {
  server *s = ctx;
  slice problem = SLICE_NONE;
  if (++s->stores_ready <= s->other_count) return;
  registry_open(s);
  if (!bootstrap_run(s, &problem)) s->env->log(s->env, ENV_ERROR, problem);
  if (!s->stopping) s->ready = true;
}

static slice with_slash(slice prefix, char room[REMOTE_PREFIX_MAX]) {
  size_t n = 0;
  if (prefix.len == 0 || prefix.ptr[0] != '/') room[n++] = '/';
  prefix = slice_upto(prefix, REMOTE_PREFIX_MAX - 2);
  if (prefix.len) memcpy(room + n, prefix.ptr, prefix.len);
  n += prefix.len;
  if (room[n - 1] != '/') room[n++] = '/';
  return slice_of(room, n);
}

/* servers: SLICE_NONE: the main ones. */
static store *make_mirror(server *s, const server_options *o, slice servers, slice *problem) {
  char room[REMOTE_PREFIX_MAX];
  slice prefix = with_slash(o->remote.prefix.len ? o->remote.prefix : SLICE_LIT("/registry"), room);
  remote *r = o->remote.make(o->remote.ctx, servers, s->env, &s->timers, problem);
  if (!r) return NULL;
  if (!s->fibers) s->fibers = fiber_pool_create(LIMIT_FIBER_STACK);
  if (!s->codec) s->codec = stored_codec_create(o->remote.json, prefix, o->remote.encryption);
  mirror_options m = {.remote = r, .env = s->env, .timers = &s->timers, .fibers = s->fibers,
                      .prefix = SLICE_LIT("/registry/"), .remote_prefix = prefix,
                      .codec = stored_codec_of(s->codec), .lease_reuse_s = o->lease_reuse_s,
                      .compact_every_ns = o->remote.compact_every_ns, .past = REMOTE_PAST};
  store *made = mirror_create(&m);
  mirror_on_ready(made, on_store_ready, s);
  return made;
}

static slice servers_of(const store_override *list, uint32_t count, uint32_t place) {
  for (uint32_t i = 0; i < count; i++) {
    if (list[i].place == place) return list[i].servers;
  }
  return SLICE_NONE;
}

static bool make_others(server *s, const server_options *o, slice *problem) {
  arena *a = arena_create();
  store_override *list;
  uint32_t count, places;
  bool ok = store_overrides_parse(a, o->remote.overrides, &list, &count, &places);
  if (!ok) *problem = SLICE_LIT(STORE_OVERRIDES_INVALID);
  s->others = heap_zalloc((places + 1) * sizeof(store *));
  for (uint32_t i = 0; ok && i < places; i++) {
    s->others[i] = make_mirror(s, o, servers_of(list, count, i), problem);
    ok = s->others[i] != NULL;
    if (ok) s->other_count++;
  }
  if (ok && places) s->places = heap_zalloc(schema_resource_count);
  for (uint16_t i = 0; ok && places && i < schema_resource_count; i++) {
    s->places[i] = place_of(schema_resources + i, list, count);
  }
  arena_destroy(a);
  return ok;
}

static blob *final_of(const store_entry *e, int64_t revision) {
  return stored_etcd_values.final(stored_etcd_values.ctx, e, revision);
}

bool server_stores_make(server *s, const server_options *o, slice *problem) {
  if (o->remote.make) {
    s->store = make_mirror(s, o, SLICE_NONE, problem);
    return s->store && make_others(s, o, problem);
  }
  s->store = store_memory_create(FIRST_REVISION);
  if (o->store_history) store_memory_window(s->store, o->store_history, SIZE_MAX);
  store_leasing leasing = {.now_ns = &s->env->mono_ns, .reuse_s = o->lease_reuse_s,
                           .final = final_of};
  store_memory_leasing(s->store, &leasing);
  registry_open(s);
  return true;
}

void server_stores_destroy(server *s) {
  for (uint32_t i = 0; i < s->other_count; i++) store_destroy(s->others[i]);
  store_destroy(s->store);
  heap_free(s->others);
  heap_free(s->places);
}

static bool is_covered(void *ctx, slice key) {
  const resource_info *r = stored_resource_of(key);
  if (!r && crd_is_key(key)) {
    return encryption_covers(ctx, crd_key_group(key), crd_key_resource(key));
  }
  return r && encryption_covers(ctx, r->group, r->resource);
}

void server_encryption_changed(server *s, const encryption *e) {
  for (uint32_t i = 0; i <= s->other_count; i++) {
    mirror_mark_stale(server_store_nth(s, i), is_covered, (void *)(uintptr_t)e);
  }
}
