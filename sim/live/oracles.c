/* What a run is judged by. A plan that names no oracles is judged by the standard ones. */
#include "sim/live/engine.h"
#include "sim/live/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const live_oracle standard_oracles[] = {
    {.kind = ORACLE_QUIESCE_WITHIN, .number = (int64_t)30 * 1000000000},
    {.kind = ORACLE_END_STATE},
    {.kind = ORACLE_NO_FLAP, .number = 3},
    {.kind = ORACLE_NO_DUPLICATE},
    {.kind = ORACLE_CLIENTS_ALIVE},
    {.kind = ORACLE_LINT},
};
#define STANDARD (sizeof standard_oracles / sizeof standard_oracles[0])

const live_oracle *live_oracle_of(const live_plan *p, oracle_kind kind, live_oracle *standard) {
  for (uint32_t i = 0; i < p->oracle_count; i++) {
    if (p->oracles[i].kind == kind) return &p->oracles[i];
  }
  for (size_t i = 0; i < STANDARD && p->oracle_count == 0; i++) {
    if (standard_oracles[i].kind != kind) continue;
    *standard = standard_oracles[i];
    return standard;
  }
  return NULL;
}

typedef struct reporting {
  run_result *result;
  int oracle;
} reporting;

static void report(void *ctx, const char *text) {
  reporting *r = ctx;
  run_fail(r->result, r->oracle, "%s", text);
}

static void judge_state(const live_oracle *o, const run_options *ro, run_result *r) {
  state_difference *d =
      live_state_compare(&ro->reference->state, &r->state, &o->resources, ro->unstable);
  for (const state_difference *i = d; i; i = i->next) run_fail(r, ORACLE_END_STATE, "%s", i->text);
  state_difference_free(d);
}

/* Who says that reads are no activity has a client that polls. */
static bool lint_fails(const live_plan *p, const live_oracle *o, lint_rule rule) {
  slice name = slice_cstr(lint_names[rule]);
  if (live_glob_any(&o->off, name)) return false;
  if (rule == LINT_RELIST_STORM && p->quiesce.ignore_reads) return live_glob_any(&o->fail, name);
  return lint_is_error[rule] || live_glob_any(&o->fail, name);
}

/* A finding that the reference run has too, and no oftener, is how this client is: told, no
 * failure. */
static bool in_reference(const run_options *o, const char *line) {
  return o->reference && o->reference->lint && strstr(o->reference->lint, line) != NULL;
}

static void judge_lint(live *l, const live_oracle *o, const run_options *ro, run_result *r) {
  buf all;
  buf_init(&all, (size_t)1 << 20);
  for (const lint_finding *f = lint_findings(l->lint); f; f = f->next) {
    char head[160];
    snprintf(head, sizeof head, "%s: %.*s ", lint_names[f->rule],
             SLICE_ARG(live_client_name(l, f->client)));
    buf_printf(&all, "%s%s (%u times)\n", head, f->text, f->count);
    bool known = in_reference(ro, head);
    if (o && ro->reference && !known && lint_fails(l->plan, o, f->rule)) {
      run_fail(r, ORACLE_LINT, "%s%s (%u times)", head, f->text, f->count);
    }
  }
  r->lint = strndup(all.len ? all.ptr : "", all.len);
  buf_dispose(&all);
}

/* Of the end, which a run that had failed by another oracle has not waited for. */
static bool of_the_end(oracle_kind kind) {
  return kind == ORACLE_END_STATE || kind == ORACLE_COUNTS || kind == ORACLE_EXPECT;
}

static void judge_one(live *l, const live_oracle *o, const run_options *ro, run_result *r) {
  reporting rep = {r, (int)o->kind};
  if (r->hurried && of_the_end(o->kind)) return;
  switch (o->kind) {
  case ORACLE_END_STATE:
    if (ro->reference) judge_state(o, ro, r);
    break;
  case ORACLE_COUNTS:
    if (ro->reference) {
      tally_compare_counts(&ro->reference->tally, &r->tally, &o->resources, report, &rep);
    }
    break;
  case ORACLE_NO_FLAP:
    if (ro->reference) {
      tally_check_flaps(&ro->reference->tally, &r->tally, o->number, report, &rep);
    }
    break;
  case ORACLE_NO_DUPLICATE:
    if (ro->reference) {
      tally_check_duplicates(&ro->reference->tally, &r->tally, &o->resources, report, &rep);
    }
    break;
  case ORACLE_CLIENTS_ALIVE:
    if (live_died(l)) run_fail(r, ORACLE_CLIENTS_ALIVE, "%s", live_died(l));
    break;
  case ORACLE_NEVER: break; /* below, once for all */
  case ORACLE_EXPECT:
    if (!live_condition_holds(l, &o->condition)) {
      run_fail(r, ORACLE_EXPECT, "%.*s %.*s is not as line %d of the plan expects",
               SLICE_ARG(o->condition.key), SLICE_ARG(o->condition.path), o->line);
    }
    break;
  default: break; /* quiesceWithin is the run's own; lint comes once */
  }
}

void live_read_state(live *l, live_state *out) {
  const live_plan *p = l->plan;
  live_oracle standard;
  const live_oracle *state = live_oracle_of(p, ORACLE_END_STATE, &standard);
  strlist none = {0};
  live_state_read(l->server->store, state ? &state->masks : &none,
                  state && state->ignore.count ? &state->ignore : &p->quiesce.ignore, out);
}

bool live_state_agrees(live *l, const run_options *o, const live_state *expected) {
  live_oracle standard;
  const live_oracle *oracle = live_oracle_of(l->plan, ORACLE_END_STATE, &standard);
  if (!oracle) return true;
  live_state now;
  live_read_state(l, &now);
  state_difference *d = live_state_compare(expected, &now, &oracle->resources, o->unstable);
  bool same = d == NULL;
  state_difference_free(d);
  live_state_free(&now);
  return same;
}

static void note(void *ctx, const char *text) {
  (void)text;
  *(bool *)ctx = true;
}

bool live_violated(live *l, const run_options *o, const run_result *r) {
  live_oracle standard;
  if (l->never[0]) return true;
  if (live_died(l) && live_oracle_of(l->plan, ORACLE_CLIENTS_ALIVE, &standard)) return true;
  const live_oracle *d = live_oracle_of(l->plan, ORACLE_NO_DUPLICATE, &standard);
  bool some = false;
  if (d && o->reference) {
    tally_check_duplicates(&o->reference->tally, &r->tally, &d->resources, note, &some);
  }
  return some;
}

void live_judge(live *l, const run_options *o, run_result *r) {
  const live_plan *p = l->plan;
  live_oracle standard;
  live_read_state(l, &r->state);
  for (uint32_t i = 0; i < p->oracle_count; i++) judge_one(l, &p->oracles[i], o, r);
  for (size_t i = 0; i < STANDARD && p->oracle_count == 0; i++) {
    judge_one(l, &standard_oracles[i], o, r);
  }
  if (l->never[0]) run_fail(r, ORACLE_NEVER, "%s", l->never);
  judge_lint(l, live_oracle_of(p, ORACLE_LINT, &standard), o, r);
}
