/* The simulated etcd's beginning, its leases, restarts, and what the timed faults do to it. */
#include "sim/world/sim_etcd_internal.h"

#include "base/heap.h"
#include "sim/workload/op.h"
#include "sim/world/store_link.h"

#include <assert.h>

/* ---- the first content: made once in the process, by a server on an embedded store ---- */

typedef struct boot_row {
  slice key, value; /* as kube-apiserver stores it */
} boot_row;
static boot_row *boot_rows;
static uint32_t boot_count, boot_cap;

static void boot_log(env *e, int level, slice text) { (void)e, (void)level, (void)text; }
static void boot_wake(env *e, int64_t at) { (void)e, (void)at; }

static bool boot_visit(void *ctx, store_entry *e) {
  const mirror_codec *c = ctx;
  slice problem = SLICE_NONE;
  blob *stored = c->encode(c->ctx, store_entry_key(e), e->value, &problem);
  assert(stored);
  if (boot_count == boot_cap) {
    boot_cap = boot_cap ? boot_cap * 2 : 256;
    boot_rows = heap_realloc(boot_rows, boot_cap * sizeof *boot_rows);
  }
  blob *key = blob_copy(store_entry_key(e));
  boot_rows[boot_count++] = (boot_row){blob_slice(key), blob_slice(stored)};
  return true;
}

static void boot_make(void) {
  static env boot_env = {.wall_ns = WORLD_EPOCH_NS, .mono_ns = MONO_BASE_NS, .seed = 1,
                         .log = boot_log, .wake_at = boot_wake};
  slice why = SLICE_NONE;
  server_options o = sim_server_options();
  server *s = server_create(&boot_env, &o, &why);
  assert(s);
  stored_codec *codec = stored_codec_create(false, SLICE_LIT("/registry/"), NULL);
  store_view *v = NULL;
  store_view_open(s->store, 0, &v);
  store_view_walk(v, SLICE_LIT("/registry/"), SLICE_LIT("/registry0"), boot_visit,
                  (void *)(uintptr_t)stored_codec_of(codec));
  store_view_close(v);
  stored_codec_destroy(codec);
  server_destroy(s);
}

void sim_etcd_create(world *w) {
  if (!w->draw->etcd_model) return;
  if (!boot_count) boot_make();
  sim_etcd *e = ARENA_NEW(w->arena, sim_etcd);
  rng root;
  rng_init(&root, w->draw->seed);
  e->w = w;
  e->rng = rng_split(&root, 4);
  e->raw = model_create(w->arena, w->draw->first_revision);
  e->codec = stored_codec_create(false, SLICE_LIT("/registry/"), NULL);
  w->store = e;
  w->booting = true;
  for (uint32_t i = 0; i < boot_count; i++) {
    sim_etcd_commit(e, boot_rows[i].key, false, boot_rows[i].value, 0);
  }
  w->booting = false;
  e->served = model_revision(e->raw);
  if (w->draw->first_revision > (int64_t)1 << 53) SOMETIMES(w, REV_JUMP);
}

void sim_etcd_destroy(world *w) {
  sim_etcd *e = sim_etcd_of(w);
  if (e) stored_codec_destroy(e->codec);
}

/* ---- leases ---- */

int64_t sim_etcd_lease_grant(sim_etcd *e, int64_t ttl_s) {
  etcd_lease *l = ARENA_NEW(e->w->arena, etcd_lease);
  *l = (etcd_lease){.next = e->leases, .id = 7000 + e->lease_count++, .ttl_s = ttl_s,
                    .granted_ns = e->w->now_ns, .ends_ns = e->w->now_ns + ttl_s * SECOND};
  e->leases = l;
  world_at(e->w, l->ends_ns, DUE_STORE, l, ETCD_LEASE);
  return l->id;
}

bool sim_etcd_lease_lives(const sim_etcd *e, int64_t id) {
  for (const etcd_lease *l = e->leases; l; l = l->next) {
    if (l->id == id) return !l->ended;
  }
  return false;
}

/* All of its keys go in one revision. */
static void lease_end(sim_etcd *e, etcd_lease *l) {
  world *w = e->w;
  bool first = true;
  l->ended = true;
  w->foreign = true;
  for (uint32_t i = 0; i < e->raw->key_count; i++) {
    uint32_t id = e->raw->sorted[i];
    const commit *c = model_state(e->raw, id, model_revision(e->raw));
    if (!c || e->extras[c - e->raw->commits].lease != l->id) continue;
    SOMETIMES(w, EXPIRED);
    sim_etcd_delete_too(e, first, e->raw->keys[id].text);
    first = false;
  }
  w->foreign = false;
}

void sim_etcd_lease_due(sim_etcd *e, etcd_lease *l) {
  world *w = e->w;
  const fault *f = fault_active(w, 14, -1, -1);
  int64_t later = !f ? 0 : f->variant == 1 ? w->now_ns + SECOND : l->ends_ns + f->arg * SECOND;
  if (l->ended) return;
  if (later > w->now_ns) world_at(w, later, DUE_STORE, l, ETCD_LEASE);
  else lease_end(e, l);
}

/* Whoever it was: the keys go with it, and who comes with its number is told so. */
static void lease_revoke(sim_etcd *e) {
  etcd_lease *l = e->leases;
  while (l && l->ended) l = l->next;
  if (!l) return;
  e->w->shared.revoking = true;
  lease_end(e, l);
  e->w->shared.revoking = false;
}

/* ---- faults ---- */

int64_t sim_etcd_slowness(sim_etcd *e) {
  const fault *f = fault_active(e->w, 3, -1, -1);
  if (!f) return 0;
  if (f->variant == 2) return INT64_MAX;
  if (f->variant == 1 && !rng_chance(&e->rng, 1, 10)) return 0;
  return f->arg * MILLI;
}

void sim_etcd_restart(sim_etcd *e, int64_t up_ns) {
  e->generation++;
  e->down_until_ns = up_ns;
  for (remote_watch *x = e->watches; x; x = x->next) sim_etcd_feed_soon(x, 0);
}

void sim_etcd_compact(world *w, int64_t revision) {
  sim_etcd *e = sim_etcd_of(w);
  if (revision > model_revision(e->raw)) revision = model_revision(e->raw);
  if (revision <= e->compacted) return;
  e->compacted = revision;
  world_line(w, THE_STORE, EV_STORE, NOBODY, 0, revision, 0, SLICE_LIT("compacted"));
  SOMETIMES(w, COMPACTED);
}

int64_t sim_etcd_compacted(const world *w) {
  const sim_etcd *e = sim_etcd_of(w);
  return e ? e->compacted : 0;
}

void sim_etcd_others_write(world *w, uint32_t times) {
  sim_etcd *e = sim_etcd_of(w);
  for (uint32_t i = 0; e && i < times; i++) {
    sim_etcd_commit(e, SLICE_LIT("/others/key"), false, SLICE_LIT("theirs"), 0);
  }
}

/* The backup has their leases, which begin anew. */
static void leases_again(sim_etcd *e) {
  for (etcd_lease *l = e->leases; l; l = l->next) {
    if (!l->ended) continue;
    l->ended = false;
    l->ends_ns = e->w->now_ns + l->ttl_s * SECOND;
    world_at(e->w, l->ends_ns, DUE_STORE, l, ETCD_LEASE);
  }
}

void sim_etcd_restore(world *w, int64_t lost, int64_t bump, int64_t up_ns) {
  sim_etcd *e = sim_etcd_of(w);
  if (!e) return;
  int64_t was = model_revision(e->raw), to = was - lost;
  if (to < e->served) to = e->served;
  model_rewind(e->raw, to, was + bump);
  model_rewind(w->model, to, was + bump);
  e->compacted = was + bump;
  if (to < was) {
    w->epoch++; /* what anybody knew may never have been */
    w->lost = (lost_history){.from = to, .upto = was + bump, .at_ns = w->now_ns};
    for (uint32_t i = 0; i < w->op_count; i++) {
      if (w->ops[i]->applied_revision > to) w->ops[i]->applied = 0;
    }
    for (uint32_t i = 0; i < w->draw->servers; i++) w->servers[i].aware_ns = INT64_MAX;
    leases_again(e);
  }
  w->settled_revision = was + bump;
  world_line(w, THE_STORE, EV_STORE, NOBODY, 0, was + bump, 0, SLICE_LIT("restored"));
  sim_etcd_restart(e, up_ns);
}

void sim_etcd_fault_begin(world *w, fault *f) {
  sim_etcd *e = sim_etcd_of(w);
  if (!e) return;
  if (f->class == 14) {
    if (f->variant == 2) lease_revoke(e);
    return;
  }
  int64_t until = w->now_ns + f->until_ns;
  if (f->class == 4 || f->class == 8 || f->class == 9) {
    if (f->class != 4 || f->variant == 1) sim_etcd_restart(e, until);
    else e->down_until_ns = until;
  }
  if (f->class != 17) return;
  sim_etcd_compact(w, model_revision(e->raw));
  for (remote_watch *x = e->watches; x; x = x->next) {
    if (x->end->server->index != f->target) continue;
    x->torn = true;
    sim_etcd_feed_soon(x, 0);
  }
}

void sim_etcd_fault_end(world *w, fault *f) {
  sim_etcd *e = sim_etcd_of(w);
  (void)f;
  if (e && e->down_until_ns > w->now_ns) e->down_until_ns = w->now_ns;
}

void sim_etcd_cut(world *w, sim_server *s, int64_t until_ns) {
  sim_etcd *e = sim_etcd_of(w);
  if (!e) return;
  e->cut_until_ns[s->index] = until_ns;
}

void sim_etcd_heal(world *w) {
  sim_etcd *e = sim_etcd_of(w);
  if (!e) return;
  e->down_until_ns = w->now_ns;
  e->storm_left = 0;
  for (int i = 0; i < SERVERS_MAX; i++) e->cut_until_ns[i] = 0;
  for (remote_watch *x = e->watches; x; x = x->next) {
    x->held_until_ns = 0;
    sim_etcd_feed_soon(x, 0);
  }
}
