/* From --plan to a running engine, and a short account at the end. */
#include "sim/live/serve_plan.h"

#include "sim/live/control.h"
#include "sim/live/lint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool complain(const char *file, const char *what) {
  fprintf(stderr, "apisim: --plan %s: %s\n", file ? file : "", what);
  return false;
}

static bool check(const serve_plan *p, const char *file, bool virtual_clock) {
  if (p->plan.virtual_clock && !virtual_clock) {
    return complain(file, "its clock is virtual: give --clock virtual too");
  }
  if (p->plan.step_count) {
    fprintf(stderr, "apisim: warning: --plan %s: the scenario is for `apisim sim live`, serve runs "
                    "none\n", file);
  }
  if (p->plan.oracle_count || p->plan.swarm.set) {
    fprintf(stderr, "apisim: warning: --plan %s: oracles and swarm are for `apisim sim live`\n",
            file);
  }
  return true;
}

bool serve_plan_prepare(serve_plan *p, const flags *f) {
  const char *file = flags_str(f, "plan"), *etcd = flags_str(f, "etcd-servers");
  *p = (serve_plan){.wanted = file || flags_given(f, "control")};
  if (!p->wanted) return true;
  p->a = arena_create();
  buf_init(&p->tokens, (size_t)1 << 20);
  node *tree = node_map(p->a);
  slice problem = SLICE_NONE;
  const char *clock = flags_str(f, "clock");
  bool virtual_clock = clock && strcmp(clock, "virtual") == 0;
  bool ok = !file || live_plan_load(p->a, file, &tree, &problem);
  if (ok && virtual_clock && tree->kind == NODE_MAP) {
    node_set(p->a, tree, "clock", node_scalar(p->a, SLICE_LIT("virtual")));
  }
  ok = ok && live_plan_read(p->a, file ? file : "--control", tree, NULL, &p->plan, &problem);
  if (ok && etcd && *etcd) ok = live_plan_fits_elsewhere(p->a, file, &p->plan, &problem);
  if (!ok) {
    fprintf(stderr, "apisim: %.*s\n", SLICE_ARG(problem));
    return false;
  }
  live_tokens(&p->plan, &p->tokens);
  return !file || check(p, file, virtual_clock);
}

bool serve_plan_open(serve_plan *p, serving *s) {
  if (!p->wanted) return true;
  live_options o = {.verbosity = (int)flags_int(s->flags, "v")};
  bool supervises = false;
  char problem[256];
  for (uint32_t i = 0; i < p->plan.client_count; i++) {
    supervises = supervises || p->plan.clients[i].command.count > 0;
  }
  if (supervises) {
    snprintf(p->directory, sizeof p->directory, "/tmp/apisim-plan-XXXXXX");
    if (!mkdtemp(p->directory)) return complain(NULL, "can't make a directory for its clients");
    o.directory = p->directory;
  }
  p->live = live_open(s, &p->plan, &o);
  s->live = p->live;
  if (!live_start_clients(p->live, problem, sizeof problem)) return complain(NULL, problem);
  if (supervises) fprintf(stderr, "apisim: outputs of the plan's clients: %s\n", p->directory);
  return true;
}

static void account(const live *l) {
  for (uint32_t i = 0; i < live_fault_count(l); i++) {
    uint64_t fired;
    bool active;
    const live_fault *f = live_fault_at(l, i, &fired, &active);
    fprintf(stderr, "apisim: fault %.*s fired %llu times\n", SLICE_ARG(f->name),
            (unsigned long long)fired);
  }
  const live_plan *plan = live_plan_of(l);
  if (plan->fault_count == 0) return;
  for (const lint_finding *f = lint_findings(live_lint_of(l)); f; f = f->next) {
    fprintf(stderr, "apisim: lint: %s: %.*s %s (%u times)\n", lint_names[f->rule],
            SLICE_ARG(live_client_name(l, f->client)), f->text, f->count);
  }
}

void serve_plan_close(serve_plan *p, serving *s) {
  if (p->live) {
    account(p->live);
    live_control_close(p->live);
    live_close(p->live);
    s->live = NULL;
  }
  if (!p->a) return;
  buf_dispose(&p->tokens);
  arena_destroy(p->a);
}
