/* The plan: drawn once, looked up by site and visit. */
#include "sim/world/fault.h"

#include "sim/world/world.h"

#include <assert.h>
#include <stdlib.h>

static const struct {
  const char *name;
  uint32_t visits; /* that a run of 500 operations makes, about */
} sites[SITES] = {
    [SITE_TIME] = {"time", 0},         [SITE_REQUEST] = {"request", 600},
    [SITE_ANSWER] = {"answer", 600},   [SITE_STREAM] = {"stream", 900},
    [SITE_CONNECT] = {"connect", 40},  [SITE_TURN] = {"turn", 2500},
    [SITE_TXN] = {"transaction", 350}, [SITE_RANGE] = {"range", 200},
    [SITE_FEED] = {"feed", 300},       [SITE_NONE] = {"none", 0},
};

const char *fault_site_name(fault_site s) { return sites[s].name; }

const fault_variant_row *fault_variant(const fault *f) {
  return &fault_rows[f->class - 1].variants[f->variant];
}

bool fault_possible(const draw *d, uint8_t class) {
  const fault_row *r = &fault_rows[class - 1];
  if (r->variants[0].site == SITE_NONE || r->count_max == 0) return false;
  if (r->needs & NEEDS_ETCD && !d->etcd_model) return false;
  return !(r->needs & NEEDS_PEERS) || d->servers > 1;
}

static int64_t between(rng *r, int64_t low, int64_t high) {
  return low + (int64_t)rng_below(r, (uint64_t)(high - low) + 1);
}

static fault draw_one(rng *r, const draw *d, uint8_t class, int64_t horizon_ns) {
  const fault_row *row = &fault_rows[class - 1];
  uint32_t variants = 0;
  while (row->variants[variants].name) variants++;
  fault f = {.class = class, .variant = (uint8_t)rng_below(r, variants)};
  const fault_variant_row *v = &row->variants[f.variant];
  f.target = (uint8_t)rng_below(r, d->servers);
  f.arg = between(r, v->arg_min, v->arg_max);
  int64_t lasts = between(r, v->lasts_min_ms, v->lasts_max_ms) * MILLI;
  uint64_t visits = (uint64_t)sites[v->site].visits * (d->operations + 20) / 500;
  uint64_t visit = 1 + rng_below(r, visits + 1);
  int64_t at = between(r, horizon_ns / 20, horizon_ns);
  if (v->site == SITE_TIME) f.at_ns = at;
  else f.visit = (uint32_t)visit;
  f.until_ns = lasts;
  return f;
}

void fault_plan_draw(fault_plan *p, arena *a, const draw *d, int64_t horizon_ns) {
  rng root;
  rng_init(&root, d->seed);
  uint32_t cap = 0;
  for (uint8_t class = 1; class <= FAULT_CLASSES; class++) {
    rng r = rng_split(&root, 5000 + class);
    if (!(d->faults >> (class - 1) & 1) || !fault_possible(d, class)) continue;
    uint32_t n = 1 + (uint32_t)rng_below(&r, fault_rows[class - 1].count_max);
    for (uint32_t i = 0; i < n; i++) {
      p->entries = arena_more(a, p->entries, p->count, &cap, sizeof *p->entries);
      p->entries[p->count] = draw_one(&r, d, class, horizon_ns);
      p->entries[p->count].number = (uint16_t)p->count;
      p->count++;
    }
  }
  fault_plan_index(p, a);
}

void fault_plan_index(fault_plan *p, arena *a) {
  for (uint32_t s = 0; s < SITES; s++) p->order[s] = ARENA_ARRAY(a, fault *, p->count + 1);
  for (uint32_t i = 0; i < p->count; i++) {
    fault *f = &p->entries[i];
    if (!f->visit) continue;
    fault_site s = fault_variant(f)->site;
    uint32_t at = p->order_count[s]++;
    for (; at > 0 && p->order[s][at - 1]->visit > f->visit; at--) {
      p->order[s][at] = p->order[s][at - 1];
    }
    p->order[s][at] = f;
  }
}

fault *fault_visit(struct world *w, fault_site site) {
  fault_plan *p = &w->plan;
  uint32_t visit = ++p->visits[site];
  fault *found = NULL;
  while (p->next[site] < p->order_count[site]) {
    fault *f = p->order[site][p->next[site]];
    if (f->visit > visit) break;
    p->next[site]++;
    if (f->visit == visit && !f->dropped && !found) found = f;
  }
  return p->healed ? NULL : found;
}

fault *fault_active(struct world *w, uint8_t class, int variant, int target) {
  if (!(w->active_classes >> (class - 1) & 1)) return NULL;
  for (uint32_t i = 0; i < w->plan.count; i++) {
    fault *f = &w->plan.entries[i];
    if (f->active && f->class == class && (variant < 0 || f->variant == variant) &&
        (target < 0 || f->target == target)) return f;
  }
  return NULL;
}
