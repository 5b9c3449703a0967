/* Looks into the servers are allowed here: the simulator knows the library from inside. */
#include "sim/check/check_end.h"

#include "base/fiber.h"
#include "sim/model/json_scan.h"
#include "sim/workload/client.h"
#include "sim/workload/kinds.h"
#include "watch/watcher.h"

typedef struct cache_walk {
  world *w;
  int64_t revision;
  uint32_t kinds; /* the rows that the model follows */
  uint32_t found;
  bool differs;
  char text[200];
} cache_walk;

static bool visit_entry(void *ctx, store_entry *e) {
  cache_walk *x = ctx;
  slice key = store_entry_key(e);
  const model *m = x->w->model;
  const commit *made = model_at(m, e->mod_revision);
  uint32_t id = made ? made->key : NO_KEY;
  bool known = id != NO_KEY && slice_eq(m->keys[id].text, key);
  if (!known) id = model_key_id(x->w->model, key, 0, false);
  if (id == NO_KEY) return true; /* of a kind that nobody looks at */
  const commit *c = model_state(m, id, x->revision);
  x->found++;
  if (c && c->revision == e->mod_revision) return true;
  x->differs = true;
  snprintf(x->text, sizeof x->text, "%.*s is at %lld, the store's is at %lld", SLICE_ARG(key),
           (long long)e->mod_revision, c ? (long long)c->revision : 0);
  return false;
}

static uint32_t model_objects(const world *w, int64_t revision) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < w->model->key_count; i++) {
    n += model_state(w->model, i, revision) != NULL;
  }
  return n;
}

static void walk_inside(sim_server *s, void *ctx) {
  cache_walk *x = ctx;
  store_view *v = NULL;
  x->revision = store_revision(s->api->store);
  if (store_view_open(s->api->store, 0, &v) != STORE_OK) {
    x->revision = -1;
    return;
  }
  x->revision = store_view_revision(v);
  for (uint32_t i = 0; i < kind_row_count; i++) {
    if (!(x->kinds >> i & 1)) continue;
    slice prefix = slice_cstr(kind_rows[i].prefix);
    char end[64];
    snprintf(end, sizeof end, "%.*s0", (int)prefix.len - 1, prefix.ptr);
    store_view_walk(v, prefix, slice_cstr(end), visit_entry, x);
  }
  store_view_close(v);
}

static void check_cache(world *w, sim_server *s) {
  cache_walk x = {.w = w, .kinds = w->draw->kinds | KINDS_ALWAYS};
  const heap_hook *before = heap_set_hook(&s->heap.hook);
  walk_inside(s, &x);
  heap_set_hook(before);
  if (x.revision < 0 || x.revision < w->model->base) return;
  if (x.revision > w->lost.from && x.revision < w->lost.upto) return; /* it does not know yet */
  uint32_t objects = model_objects(w, x.revision);
  CHECK_THAT(w, CACHE, x.revision <= model_revision(w->model),
             "server%u is at revision %lld, the store at %lld", s->index, (long long)x.revision,
             (long long)model_revision(w->model));
  CHECK_THAT(w, CACHE, !x.differs && x.found == objects,
             "server%u at revision %lld: %s (%u objects, %u in the store)", s->index,
             (long long)x.revision, x.differs ? x.text : "the number differs", x.found, objects);
}

void check_caches(world *w) {
  for (uint32_t i = 0; i < w->draw->servers; i++) {
    sim_server *s = &w->servers[i];
    if (s->api && s->api->ready) check_cache(w, s);
  }
}

static bool servers_ready(world *w, char *why, size_t size) {
  for (uint32_t i = 0; i < w->draw->servers; i++) {
    const sim_server *s = &w->servers[i];
    slice text = SLICE_LIT("is down");
    if (s->api && store_is_ready(s->api->store, &text) &&
        s->api->ready && store_revision(s->api->store) >= w->settled_revision) continue;
    snprintf(why, size, "server%u: %.*s", i, SLICE_ARG(s->api ? text : SLICE_LIT("is down")));
    if (s->api && store_is_ready(s->api->store, &text)) {
      snprintf(why, size, "server%u is at %lld of %lld", i,
               (long long)store_revision(s->api->store), (long long)model_revision(w->model));
    }
    return false;
  }
  return true;
}

/* False: somebody has not; of which kind, and what is missing. */
static bool everybody(world *w, char *why, size_t size, uint8_t *kind) {
  *kind = ACTOR_SERVER;
  if (!servers_ready(w, why, size)) return false;
  for (uint32_t i = 0; i < w->client_count; i++) {
    client *c = w->clients[i];
    *kind = c->who.kind;
    if (!c->gone && c->row->settled && !c->row->settled(c, why, size)) return false;
  }
  for (const sim_conn *c = w->all_conns; c; c = c->all_next) {
    if (!c->open || !c->close_after_answer) continue;
    *kind = ACTOR_SERVER;
    snprintf(why, size, "a request that came twice still waits");
    return false;
  }
  return true;
}

bool check_all_caught_up(world *w) {
  char why[256] = "";
  uint8_t kind;
  return everybody(w, why, sizeof why, &kind);
}

void check_liveness_failed(world *w) {
  char why[256] = "";
  uint8_t kind;
  bool ok = everybody(w, why, sizeof why, &kind);
  if (!ok && kind == ACTOR_CONTROLLER) { /* the servers did their part */
    check_fail(w, CHECK_CONTROLLER, "%lld s after healing: %s",
               (long long)((w->now_ns - w->healed_ns) / SECOND), why);
    return;
  }
  CHECK_THAT(w, LIVENESS, ok, "%lld s after healing: %s",
             (long long)((w->now_ns - w->healed_ns) / SECOND), why);
  w->stop = true;
}

/* The counter holds all increments that were answered, and some of those nobody knows of. Deleting
 * it is nobody's business. */
static void check_counter(world *w) {
  if (w->epoch) return; /* it was lost with a process */
  slice key = kind_key(w->arena, &kind_rows[0], SLICE_LIT("default"), SLICE_LIT("counter"));
  uint32_t id = model_key_id(w->model, key, 1, false);
  const commit *c = id == NO_KEY ? NULL : model_state(w->model, id, model_revision(w->model));
  if (!c) return;
  for (const commit *p = c; p; p = model_prev(w->model, p)) {
    if (p->deleted) return; /* a tape's request did that: the count began anew */
  }
  int64_t value = json_number_of(c->value, slice_cstr(kind_rows[0].mark));
  int64_t low = w->shared.increments_acked, high = low + w->shared.increments_unknown;
  CHECK_THAT(w, COUNTER, value >= low && value <= high,
             "the counter is at %lld; %lld increments were answered, of %lld nobody knows",
             (long long)value, (long long)low, (long long)w->shared.increments_unknown);
}

void check_end(world *w) {
  check_caches(w);
  check_counter(w);
  CHECKED(w, LIVENESS);
}

void check_quiet(world *w) {
  for (uint32_t i = 0; i < w->draw->servers; i++) {
    const sim_server *s = &w->servers[i];
    if (!s->api) continue;
    CHECK_THAT(w, QUIET, watchers_count(s->api) == 0 && !s->conns,
               "server%u has %u watchers and %s connections when everybody is gone", i,
               watchers_count(s->api), s->conns ? "some" : "no");
  }
}
