/* Which faults an event fires. Each event visits every fault that is left: plans have a handful.
 * A trigger's counters advance whether or not its fault still may fire, and a part of `all` keeps
 * having fired: only `sequence` makes a later part wait for an earlier one. */
#include "sim/live/engine.h"

#include "codec/codec.h"

#include <assert.h>
#include <stdio.h>

static bool one_of(const strlist *list, slice text) {
  return list->count == 0 || live_glob_any(list, text);
}

bool event_client_fits(const strlist *clients, const live *l, int client, bool any) {
  if (clients->count == 0) return any || client >= 0 || client == CLIENT_OTHER;
  for (uint32_t i = 0; i < clients->count; i++) {
    if (slice_eq(clients->items[i], live_client_name(l, client))) return true;
  }
  return false;
}

/* "deployments" means those of any group; "deployments.apps" is exact. */
static bool resource_fits(const strlist *wanted, slice name) {
  slice bare, group;
  if (wanted->count == 0) return true;
  slice_cut(name, '.', &bare, &group);
  return live_glob_any(wanted, name) || live_glob_any(wanted, bare);
}

static bool key_fits(const strlist *wanted, const live_event *ev) {
  if (wanted->count == 0) return true;
  slice bare, group, first, rest;
  if (live_glob_any(wanted, ev->key)) return true;
  slice_cut(ev->key, '/', &first, &rest);
  if (!slice_cut(first, '.', &bare, &group)) return false;
  return live_glob_any(wanted, arena_printf(ev->arena, "%.*s/%.*s", SLICE_ARG(bare),
                                            SLICE_ARG(rest)));
}

/* ---- fields ---- */

static slice next_part(slice *rest) {
  slice part;
  if (rest->len && rest->ptr[0] == '[') {
    ptrdiff_t end = slice_find_char(*rest, ']');
    if (end < 0) end = (ptrdiff_t)rest->len - 1;
    part = slice_of(rest->ptr + 1, (size_t)end - 1);
    *rest = slice_from(*rest, (size_t)end + 1);
  } else {
    size_t n = 0;
    while (n < rest->len && rest->ptr[n] != '.' && rest->ptr[n] != '[') n++;
    part = slice_upto(*rest, n);
    *rest = slice_from(*rest, n);
  }
  if (rest->len && rest->ptr[0] == '.') *rest = slice_from(*rest, 1);
  return part;
}

static slice scalar_text(arena *a, const val *v, bool *scalar) {
  *scalar = true;
  switch (v->type) {
  case VAL_STRING: return val_str(v);
  case VAL_BOOL: return v->u.b ? SLICE_LIT("true") : SLICE_LIT("false");
  case VAL_INT: return arena_printf(a, "%lld", (long long)v->u.i);
  case VAL_FLOAT: return arena_printf(a, "%g", v->u.f);
  default: break;
  }
  *scalar = false;
  buf b;
  buf_init(&b, (size_t)4 << 20);
  json_encode_any(&b, v, true);
  slice text = arena_copy(a, buf_slice(&b));
  buf_dispose(&b);
  return text;
}

bool tree_field(arena *a, const val *tree, slice path, slice *text, bool *scalar) {
  slice rest = path;
  const val *v = tree;
  while (v && rest.len) {
    slice part = next_part(&rest);
    long long index;
    if (val_is_list(v)) {
      bool ok = slice_to_i64(part, &index) && index >= 0 && index < UINT32_MAX;
      v = ok ? val_at(v, (uint32_t)index) : NULL;
    } else {
      v = val_get(v, part);
    }
  }
  *text = SLICE_NONE;
  *scalar = false;
  if (!v || val_is_null(v)) return false;
  *text = scalar_text(a, v, scalar);
  return true;
}

static const val *tree_of(live_event *ev, const val **kept, slice bytes) {
  slice error;
  if (!*kept && bytes.len) *kept = json_parse(ev->arena, bytes, NULL, &error);
  return *kept;
}

static slice entry_bytes(const store_entry *e) {
  return e && e->value ? blob_slice(e->value) : SLICE_NONE;
}

static bool field_fits(live_event *ev, const live_field *f) {
  slice before, after;
  bool scalar;
  slice after_bytes = ev->after_bytes.len ? ev->after_bytes : entry_bytes(ev->after);
  const val *old = tree_of(ev, &ev->before_tree, entry_bytes(ev->before));
  const val *now = tree_of(ev, &ev->after_tree, after_bytes);
  bool had = tree_field(ev->arena, old, f->path, &before, &scalar);
  bool has = tree_field(ev->arena, now, f->path, &after, &scalar);
  if (f->changed && had == has && slice_eq(before, after)) return false;
  return live_predicate_holds(&f->before, had, before) &&
         live_predicate_holds(&f->after, has, after);
}

/* ---- one event ---- */

static bool shape_fits(live *l, const live_trigger *t, live_event *ev) {
  const live_match *m = &t->match;
  bool commit = t->point == POINT_BEFORE_COMMIT || t->point == POINT_AFTER_COMMIT;
  if (ev->point != (int)t->point) return false;
  if (!event_client_fits(&m->clients, l, ev->client, commit)) return false;
  if (m->verbs.count && !live_glob_any(&m->verbs, ev->verb) &&
      (ev->effect.len == 0 || !live_glob_any(&m->verbs, ev->effect))) return false;
  if (!resource_fits(&m->resources, ev->resource_name)) return false;
  if (!one_of(&m->subresources, ev->subresource)) return false;
  if (!one_of(&m->namespaces, ev->namespace) || !one_of(&m->names, ev->name)) return false;
  if (!key_fits(&m->keys, ev) || !one_of(&m->types, ev->type)) return false;
  if (m->initial_set && m->initial != ev->initial) return false;
  char status[16];
  snprintf(status, sizeof status, "%d", ev->status);
  if (!one_of(&m->statuses, slice_cstr(status))) return false;
  for (uint32_t i = 0; i < m->field_count; i++) {
    if (!field_fits(ev, &m->fields[i])) return false;
  }
  return true;
}

static bool event_fires(live *l, const live_trigger *t, live_event *ev, trigger_state *s) {
  const live_match *m = &t->match;
  if (!shape_fits(l, t, ev)) return false;
  s->seen++;
  if (m->n && s->seen != m->n) return false;
  if (m->every && s->seen % m->every != 0) return false;
  if (m->from && s->seen < m->from) return false;
  return engine_chance(l, m->p);
}

static bool all_fires(live *l, const live_trigger *t, live_event *ev) {
  bool now = false, all = true;
  for (uint32_t i = 0; i < t->count; i++) {
    const live_trigger *part = &t->parts[i];
    bool negated = part->op == TRIGGER_NOT;
    if (negated) part = part->parts;
    bool fires = trigger_fires(l, part, ev);
    bool fired = l->triggers[part->id].fired;
    all = all && fired != negated;
    now = now || (fires && !negated);
  }
  return all && now;
}

static bool sequence_fires(live *l, const live_trigger *t, live_event *ev, trigger_state *s) {
  if (!trigger_fires(l, &t->parts[s->at], ev)) return false;
  if (++s->at < t->count) return false;
  s->at = 0;
  return true;
}

static bool op_fires(live *l, const live_trigger *t, live_event *ev, trigger_state *s) {
  bool any = false;
  switch (t->op) {
  case TRIGGER_EVENT: return event_fires(l, t, ev, s);
  case TRIGGER_ALL: return all_fires(l, t, ev);
  case TRIGGER_ANY:
    for (uint32_t i = 0; i < t->count; i++) any = trigger_fires(l, &t->parts[i], ev) || any;
    return any;
  case TRIGGER_SEQUENCE: return sequence_fires(l, t, ev, s);
  case TRIGGER_AT:
  case TRIGGER_EVERY: return ev->due == t;
  case TRIGGER_STEP: return ev->step == t->value;
  case TRIGGER_REVISION:
    return !s->fired && ev->point == POINT_AFTER_COMMIT && ev->revision >= t->value;
  default: return false;
  }
}

bool trigger_fires(live *l, const live_trigger *t, live_event *ev) {
  assert(t->id < l->trigger_count);
  trigger_state *s = &l->triggers[t->id];
  if (s->event == ev->id) return s->fires;
  s->event = ev->id;
  s->fires = op_fires(l, t, ev, s);
  s->fired = s->fired || s->fires;
  return s->fires;
}

void trigger_reset(live *l, const live_trigger *t, const live_event *ev) {
  for (uint32_t i = 0; i < t->count; i++) trigger_reset(l, &t->parts[i], ev);
  l->triggers[t->id] = (trigger_state){.event = ev->id};
}

/* What a plan says must never happen: also behind the healing. */
static void check_nevers(live *l, live_event *ev) {
  for (uint32_t i = 0; i < l->plan->oracle_count; i++) {
    const live_oracle *o = &l->plan->oracles[i];
    if (o->kind != ORACLE_NEVER || !trigger_fires(l, o->never, ev)) continue;
    engine_record(l, RECORD_FAULT, ev->client, SLICE_LIT("NEVER"), ev->key, 0, ev->revision,
                  "line %d", o->line);
    if (l->never[0]) continue;
    snprintf(l->never, sizeof l->never, "what line %d forbids: %.*s %.*s by %.*s, rv=%lld",
             o->line, SLICE_ARG(ev->effect.len ? ev->effect : ev->verb), SLICE_ARG(ev->key),
             SLICE_ARG(live_client_name(l, ev->client)), (long long)ev->revision);
  }
}

void engine_event(live *l, live_event *ev) {
  if (l->closing) return;
  ev->id = ++l->events;
  check_nevers(l, ev);
  if (l->healed) return;
  standing_check(l, ev);
  for (uint32_t i = 0; i < l->fault_count; i++) {
    fault_state *s = &l->faults[i];
    const live_fault *f = s->fault;
    if (s->cleared || !trigger_fires(l, f->on, ev)) continue;
    if (f->times && s->fired >= (uint64_t)f->times) continue;
    s->fired++;
    for (uint32_t k = 0; k < f->action_count; k++) action_run(l, f, &f->actions[k], ev);
  }
}

/* ---- time ---- */

typedef struct trigger_clock {
  timer timer;
  live *live;
  const live_trigger *trigger;
} trigger_clock;

static void on_clock(void *ctx, int64_t now_ns) {
  trigger_clock *c = ctx;
  live *l = c->live;
  arena *a = arena_create();
  live_event ev = {.point = -1, .due = c->trigger, .client = CLIENT_SERVER, .arena = a, .step = -1};
  if (c->trigger->op == TRIGGER_EVERY) {
    timer_set(&l->server->timers, &c->timer, now_ns + c->trigger->value, on_clock, c);
  }
  engine_event(l, &ev);
  arena_destroy(a);
}

void engine_arm_triggers(live *l, const live_trigger *t) {
  for (uint32_t i = 0; i < t->count; i++) engine_arm_triggers(l, &t->parts[i]);
  if (t->op != TRIGGER_AT && t->op != TRIGGER_EVERY) return;
  trigger_clock *c = ARENA_NEW(l->arena, trigger_clock);
  c->live = l;
  c->trigger = t;
  timer_set(&l->server->timers, &c->timer, l->server->env->mono_ns + t->value, on_clock, c);
}
