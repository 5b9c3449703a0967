/* Words that could never fit and actions that could never act are mistakes of who wrote the plan: a
 * fault that silently does not fire looks like a controller that survives it. */
#include "sim/live/reader.h"

#include "schema/schema.h"
#include "sim/live/lint.h"
#include "sim/live/target.h"

static const char *const commit_verbs[] = {"create", "update", "patch", "delete",
                                           "deletecollection", NULL};
static const char *const request_verbs[] = {"get", "list", "watch", "create", "update", "patch",
                                            "delete", "deletecollection", "post", "put", "head",
                                            "options", NULL};
static const char *const delivery_verbs[] = {"watch", NULL};
static const char *const delivery_types[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK", NULL};

static bool any_fits(slice pattern, const char *const *words) {
  for (; *words; words++) {
    if (live_glob(pattern, slice_cstr(*words))) return true;
  }
  return false;
}

static bool words_fit(reader *r, int line, const char *what, const strlist *list,
                      const char *const *words) {
  for (uint32_t i = 0; i < list->count; i++) {
    if (any_fits(list->items[i], words)) continue;
    buf known;
    buf_init(&known, 4096);
    for (size_t k = 0; words[k]; k++) buf_printf(&known, "%s%s", k ? ", " : "", words[k]);
    reader_fail(r, line, "no %s \"%.*s\" here (known: %.*s)", what, SLICE_ARG(list->items[i]),
                SLICE_ARG(buf_slice(&known)));
    buf_dispose(&known);
    return false;
  }
  return true;
}

/* "pods", "deployments.apps", and either with wildcards. */
static bool resource_known(arena *a, slice pattern) {
  for (uint16_t i = 0; i < schema_resource_count; i++) {
    const resource_info *o = &schema_resources[i];
    if (live_glob(pattern, o->resource)) return true;
    slice full = arena_printf(a, "%.*s.%.*s", SLICE_ARG(o->resource), SLICE_ARG(o->group));
    if (o->group.len && live_glob(pattern, full)) return true;
  }
  return false;
}

static bool no_resource(reader *r, int line, slice word) {
  return reader_fail(r, line, "no resource \"%.*s\": a plural is wanted, like pods or "
                     "deployments.apps", SLICE_ARG(word));
}

static bool resources_fit(reader *r, int line, const strlist *list) {
  for (uint32_t i = 0; i < list->count; i++) {
    if (!resource_known(r->a, list->items[i])) return no_resource(r, line, list->items[i]);
  }
  return true;
}

static bool has_wildcard(slice s) {
  return slice_find_char(s, '*') >= 0 || slice_find_char(s, '?') >= 0;
}

static bool keys_fit(reader *r, int line, const strlist *list) {
  for (uint32_t i = 0; i < list->count; i++) {
    slice key = list->items[i], resource, rest;
    if (key.len && key.ptr[0] == '/') continue; /* a path of no resource */
    if (!has_wildcard(key) && !read_key(r, line, key)) return false;
    slice_cut(key, '/', &resource, &rest);
    if (!resource_known(r->a, resource)) return no_resource(r, line, resource);
  }
  return true;
}

static bool statuses_fit(reader *r, int line, const strlist *list) {
  for (uint32_t i = 0; i < list->count; i++) {
    slice s = list->items[i];
    for (size_t k = 0; k < s.len; k++) {
      if ((s.ptr[k] >= '0' && s.ptr[k] <= '9') || s.ptr[k] == '*' || s.ptr[k] == '?') continue;
      return reader_fail(r, line, "a status is like 409 or 5*, not \"%.*s\"", SLICE_ARG(s));
    }
  }
  return true;
}

bool check_match(reader *r, const live_trigger *t) {
  const live_match *m = &t->match;
  bool deliver = t->point == POINT_BEFORE_DELIVER || t->point == POINT_AFTER_DELIVER;
  bool commit = t->point == POINT_BEFORE_COMMIT || t->point == POINT_AFTER_COMMIT;
  const char *name = live_point_names[t->point];
  if ((m->types.count || m->initial_set) && !deliver) {
    return reader_fail(r, t->line, "type and initial are of deliveries, not of %s", name);
  }
  if (m->statuses.count && t->point != POINT_AFTER_RECEIVE) {
    return reader_fail(r, t->line, "status is of afterReceive, not of %s", name);
  }
  if (m->field_count && !commit) {
    return reader_fail(r, t->line, "field is of beforeCommit and afterCommit, not of %s", name);
  }
  if (m->n && (m->every || m->from)) {
    return reader_fail(r, t->line, "n is one time, everyNth and from are many: one of the two");
  }
  const char *const *verbs = deliver ? delivery_verbs : commit ? commit_verbs : request_verbs;
  return words_fit(r, t->line, "verb", &m->verbs, verbs) &&
         words_fit(r, t->line, "type", &m->types, delivery_types) &&
         statuses_fit(r, t->line, &m->statuses) && resources_fit(r, t->line, &m->resources) &&
         keys_fit(r, t->line, &m->keys);
}

bool check_resources(reader *r, int line, const strlist *list) {
  return resources_fit(r, line, list);
}

bool check_lint_rules(reader *r, int line, const strlist *list) {
  const char *words[LINT_COUNT + 1] = {0};
  for (int i = 0; i < LINT_COUNT; i++) words[i] = lint_names[i];
  return words_fit(r, line, "lint rule", list, words);
}

/* ---- actions where they stand ---- */

#define TIMER (1u << POINT_COUNT)
#define DELIVERIES (1u << POINT_BEFORE_DELIVER | 1u << POINT_AFTER_DELIVER)
#define ANYWHERE (TIMER | (TIMER - 1))

/* Where a trigger may fire, as bits. */
static uint32_t points_of(const live_trigger *t) {
  uint32_t all = 0;
  switch (t->op) {
  case TRIGGER_EVENT: return 1u << t->point;
  case TRIGGER_REVISION: return 1u << POINT_AFTER_COMMIT;
  case TRIGGER_NOT: return 0;
  case TRIGGER_SEQUENCE: return points_of(&t->parts[t->count - 1]);
  case TRIGGER_ALL:
  case TRIGGER_ANY:
    for (uint32_t i = 0; i < t->count; i++) all |= points_of(&t->parts[i]);
    return all;
  default: return TIMER;
  }
}

/* Where an action has something to act on. */
static uint32_t points_for(action_kind k) {
  switch (k) {
  case ACT_HOLD: return ANYWHERE & ~(1u << POINT_BEFORE_COMMIT);
  case ACT_COALESCE: return DELIVERIES | TIMER;
  case ACT_EXPIRE: return DELIVERIES | TIMER | 1u << POINT_BEFORE_RECEIVE;
  case ACT_DUPLICATE: return 1u << POINT_BEFORE_RECEIVE;
  default: return ANYWHERE;
  }
}

bool check_actions(reader *r, const live_fault *f) {
  uint32_t points = points_of(f->on);
  for (uint32_t i = 0; i < f->action_count; i++) {
    const live_action *act = &f->actions[i];
    if (points & points_for(act->kind)) continue;
    const char *where = f->on->op == TRIGGER_EVENT ? live_point_names[f->on->point]
                                                   : "this trigger";
    return reader_fail(r, act->line, "%s can't be done at %s", live_action_name(act->kind), where);
  }
  return true;
}

/* ---- steps ---- */

static bool steps_fit(arena *a, const char *file, const live_plan *p, const live_trigger *t,
                      slice *problem) {
  for (uint32_t i = 0; i < t->count; i++) {
    if (!steps_fit(a, file, p, &t->parts[i], problem)) return false;
  }
  if (t->op != TRIGGER_STEP || t->value <= (int64_t)p->step_count) return true;
  *problem = arena_printf(a, "%s:%d: there is no step %lld: the scenario has %u", file, t->line,
                          (long long)t->value, p->step_count);
  return false;
}

bool live_plan_steps_fit(arena *a, const char *file, const live_plan *p, slice *problem) {
  for (uint32_t i = 0; i < p->fault_count; i++) {
    const live_fault *f = &p->faults[i];
    if (!steps_fit(a, file, p, f->on, problem)) return false;
    for (uint32_t k = 0; k < f->action_count; k++) {
      const live_trigger *until = f->actions[k].until;
      if (until && !steps_fit(a, file, p, until, problem)) return false;
    }
  }
  return true;
}
