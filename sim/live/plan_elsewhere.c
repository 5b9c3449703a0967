/* What of a plan works where the objects are kept in an etcd: there a write is done by another
 * process and seen again later, together with those of others, and old states are not at hand. */
#include "sim/live/plan.h"

static bool refuse(arena *a, const char *file, int line, const char *what, const char *instead,
                   slice *problem) {
  *problem = arena_printf(a, "%s:%d: %s needs the embedded store, and there are --etcd-servers%s",
                          file, line, what, instead);
  return false;
}

static bool trigger_fits(arena *a, const char *file, const live_trigger *t, slice *problem) {
  bool commit = t->point == POINT_BEFORE_COMMIT || t->point == POINT_AFTER_COMMIT;
  if (t->op == TRIGGER_EVENT && commit) {
    return refuse(a, file, t->line, live_point_names[t->point],
                  t->point == POINT_AFTER_COMMIT
                      ? " (afterReceive with status: \"2*\" is behind the commit too)"
                      : " (beforeReceive is before the commit too)", problem);
  }
  if (t->op == TRIGGER_REVISION) return refuse(a, file, t->line, "revision", "", problem);
  for (uint32_t i = 0; i < t->count; i++) {
    if (!trigger_fits(a, file, &t->parts[i], problem)) return false;
  }
  return true;
}

static const char *needs(action_kind k) {
  switch (k) {
  case ACT_DUPLICATE: return "duplicate";
  case ACT_COMPACT: return "compact";
  case ACT_FREEZE: return "freeze";
  case ACT_THAW: return "thaw";
  default: return NULL;
  }
}

bool live_fault_fits_elsewhere(arena *a, const char *file, const live_fault *f, slice *problem) {
  if (!trigger_fits(a, file, f->on, problem)) return false;
  for (uint32_t i = 0; i < f->action_count; i++) {
    const live_action *act = &f->actions[i];
    if (needs(act->kind)) return refuse(a, file, act->line, needs(act->kind), "", problem);
    if (act->until && !trigger_fits(a, file, act->until, problem)) return false;
  }
  return true;
}

bool live_plan_fits_elsewhere(arena *a, const char *file, const live_plan *p, slice *problem) {
  for (uint32_t i = 0; i < p->server_count; i++) {
    const live_server *s = &p->servers[i];
    bool lags = s->lag_revisions || s->lag_ns || s->frozen;
    if (lags) return refuse(a, file, s->line, "a lagging apiserver", "", problem);
  }
  for (uint32_t i = 0; i < p->fault_count; i++) {
    if (!live_fault_fits_elsewhere(a, file, &p->faults[i], problem)) return false;
  }
  return true;
}
