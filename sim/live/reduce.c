/* A failing plan made small. Each candidate runs a few times; what fails by the same oracle in
 * most of them is kept. */
#include "sim/live/session_state.h"

#include "sim/live/engine.h"

/* Whether the tree fails by the oracle in most of some tries: real clients race, and a mistake that
 * shows by chance would make every smaller plan look guilty. `failed`: tries that have failed
 * already. */
static bool mostly_fails(session *s, node *tree, int oracle, int64_t failed, run_result *kept) {
  int64_t needed = s->o->tries / 2 + 1, passed = 0;
  while (failed < needed && passed <= s->o->tries - needed) {
    run_result r;
    if (!session_run_tree(s, tree, true, &r)) return false;
    bool fails = run_failed_by(&r, oracle) && !r.interrupted;
    if (fails) {
      run_result_free(kept);
      *kept = r;
      failed++;
    } else {
      run_result_free(&r);
      passed++;
    }
    if (s->interrupted) return false;
  }
  return failed >= needed;
}

typedef struct shrinking {
  session *s;
  int oracle;
  run_result *kept;
  int64_t until_ns; /* 0: no bound */
  bool cut_short;
  bool own_reference; /* the session's is a shorter scenario's */
} shrinking;

static bool has_time(shrinking *w) {
  bool late = w->until_ns && real_ns() >= w->until_ns;
  if (late || w->s->interrupted) w->cut_short = true;
  return !w->cut_short;
}

static bool still_fails(shrinking *w, node *tree) {
  return has_time(w) && mostly_fails(w->s, tree, w->oracle, 0, w->kept);
}

static node *with_faults(session *s, const node *tree, node *faults) {
  node *copy = node_copy(s->a, tree);
  node_set(s->a, copy, "faults", faults);
  return copy;
}

static node *drop_faults(shrinking *w, node *tree) {
  session *s = w->s;
  for (uint32_t i = 0; node_get(tree, "faults") && i < node_get(tree, "faults")->count;) {
    node *fewer = node_copy(s->a, node_get(tree, "faults"));
    node_remove(fewer, i);
    node *candidate = with_faults(s, tree, fewer);
    if (still_fails(w, candidate)) tree = candidate;
    else i++;
  }
  return tree;
}

/* A fault of several actions may need only some of them. */
static node *drop_actions(shrinking *w, node *tree) {
  session *s = w->s;
  node *faults = node_get(tree, "faults");
  for (uint32_t i = 0; faults && i < faults->count; i++) {
    for (uint32_t k = 0;;) {
      node *actions = node_get(faults->items[i], "do");
      bool list = actions && actions->kind == NODE_LIST;
      if (!list || actions->count < 2 || k >= actions->count) break;
      node *fewer = node_copy(s->a, actions), *fault = node_copy(s->a, faults->items[i]);
      node *changed = node_copy(s->a, faults);
      node_remove(fewer, k);
      node_set(s->a, fault, "do", fewer);
      changed->items[i] = fault;
      node *candidate = with_faults(s, tree, changed);
      if (still_fails(w, candidate)) {
        tree = candidate;
        faults = changed;
      } else {
        k++;
      }
    }
  }
  return tree;
}

/* Lags and freezes of apiservers that it fails without. */
static node *drop_lags(shrinking *w, node *tree) {
  session *s = w->s;
  node *servers = node_get(tree, "apiservers");
  for (uint32_t i = 0; servers && servers->kind == NODE_MAP && i < servers->count; i++) {
    if (servers->items[i]->kind != NODE_MAP || servers->items[i]->count == 0) continue;
    node *plain = node_copy(s->a, servers), *candidate = node_copy(s->a, tree);
    plain->items[i] = node_map(s->a);
    node_set(s->a, candidate, "apiservers", plain);
    if (!still_fails(w, candidate)) continue;
    tree = candidate;
    servers = plain;
  }
  return tree;
}

/* A shorter scenario is another goal: it gets a reference of its own, which must pass. */
static bool fails_without_step(shrinking *w, node *candidate) {
  session *s = w->s;
  run_result fresh, old = s->reference;
  if (!has_time(w) || !session_run_tree(s, candidate, false, &fresh)) return false;
  bool usable = !fresh.failures && !fresh.interrupted;
  s->reference = fresh;
  if (usable && still_fails(w, candidate)) {
    if (w->own_reference) run_result_free(&old);
    w->own_reference = true;
    return true;
  }
  run_result_free(&fresh);
  s->reference = old;
  return false;
}

static node *drop_steps(shrinking *w, node *tree) {
  session *s = w->s;
  const run_result whole = s->reference;
  node *steps = node_get(tree, "scenario");
  if (!steps || steps->kind != NODE_LIST) return tree;
  for (uint32_t i = steps->count; i-- > 0 && steps->count > 1;) {
    node *fewer = node_copy(s->a, steps), *candidate = node_copy(s->a, tree);
    node_remove(fewer, i);
    node_set(s->a, candidate, "scenario", fewer);
    if (!fails_without_step(w, candidate)) continue;
    tree = candidate;
    steps = fewer;
  }
  if (w->own_reference) run_result_free(&s->reference);
  s->reference = whole; /* of the seeds that follow */
  return tree;
}

static uint32_t count_of(const node *tree, const char *key) {
  const node *list = node_get(tree, key);
  return list && list->kind == NODE_LIST ? list->count : 0;
}

/* What was drawn stands in the faults: a draw of its own would come on top. */
static node *without_swarm(session *s, const node *tree) {
  node *copy = node_copy(s->a, tree);
  for (uint32_t i = 0; i < copy->count;) {
    if (slice_is(copy->keys[i], "swarm")) node_remove(copy, i);
    else i++;
  }
  return copy;
}

reduction session_reduce(session *s, node *tree, int oracle, run_result *kept) {
  reduction r = {.tree = without_swarm(s, tree), .steady = true,
                 .steps_before = count_of(tree, "scenario")};
  if (s->o->no_shrink) return r;
  r.steady = mostly_fails(s, tree, oracle, 1, kept);
  r.cut_short = s->interrupted;
  if (!r.steady) return r;
  shrinking w = {.s = s, .oracle = oracle, .kept = kept};
  if (s->o->shrink_for_ns) w.until_ns = real_ns() + s->o->shrink_for_ns;
  r.tree = drop_faults(&w, r.tree);
  r.tree = drop_actions(&w, r.tree);
  r.tree = drop_lags(&w, r.tree);
  r.tree = drop_steps(&w, r.tree);
  r.cut_short = w.cut_short;
  return r;
}
