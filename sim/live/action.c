/* What faults do. An action that concerns the request or the event at hand marks it; what would
 * reach into the store or into other connections waits for a turn of its own, because events come
 * from within a write. */
#include "sim/live/engine.h"

#include "base/heap.h"
#include "watch/window.h"

#include <stdio.h>

static const char *const action_names[ACT_COUNT] = {
    [ACT_HOLD] = "hold",           [ACT_COALESCE] = "coalesce",
    [ACT_EXPIRE] = "expire",       [ACT_REPLY] = "reply",
    [ACT_CUT] = "cut",             [ACT_DUPLICATE] = "duplicate",
    [ACT_CLOSE_WATCH] = "closeWatch", [ACT_DROP_BOOKMARKS] = "dropBookmarks",
    [ACT_DELAY_BOOKMARKS] = "delayBookmarks",
    [ACT_DELAY_INITIAL_END] = "delayInitialEventsEnd",
    [ACT_SLOW_CONSUMER] = "slowConsumer", [ACT_COMPACT] = "compact",
    [ACT_KILL_CLIENT] = "killClient", [ACT_RESTART_CLIENT] = "restartClient",
    [ACT_PAUSE_CLIENT] = "pauseClient", [ACT_MOVE_CLIENT] = "moveClient",
    [ACT_FREEZE] = "freeze",       [ACT_THAW] = "thaw",
    [ACT_JUMP_CLOCK] = "jumpClock", [ACT_ADVANCE] = "advance",
};

const char *live_action_name(action_kind kind) { return action_names[kind]; }

bool engine_chance(live *l, double p) {
  if (p >= 1) return true;
  return rng_chance(&l->chance, (uint64_t)(p * 1000000), 1000000);
}

static void note(live *l, const live_fault *f, const live_action *act, const live_event *ev,
                 const char *what) {
  slice key = ev->key.len ? ev->key : SLICE_LIT("-");
  engine_record(l, RECORD_FAULT, ev->client, slice_cstr(action_names[act->kind]), key, 0,
                ev->revision, "%.*s%s%s", SLICE_ARG(f->name), *what ? ": " : "", what);
  if (l->options.verbosity > 0) {
    fprintf(stderr, "apisim: fault %.*s: %s at %.*s %.*s%s%s\n", SLICE_ARG(f->name),
            action_names[act->kind], SLICE_ARG(ev->verb), SLICE_ARG(key), *what ? ": " : "", what);
  }
}

/* ---- the request or the stream at hand ---- */

/* Its `until` counts from here, unless another one is held by it already. */
static void set_hold(live *l, exchange *ex, const live_action *act, const live_event *ev) {
  if (ex->hold) return;
  bool first = act->until != NULL;
  for (const exchange *o = l->exchanges; o && first; o = o->next) first = o->hold != act;
  if (first) trigger_reset(l, act->until, ev);
  ex->hold = act;
  ex->coalesce = act->number > 0;
  ex->hold_until_ns = act->duration_ns ? real_ns() + act->duration_ns : 0;
}

/* Whether a client's request or stream is at hand, and it is the one that is meant: who names a
 * client or resources beside the action means all of theirs. */
static bool means_this(const live_action *act, const live_event *ev) {
  const exchange *ex = ev->ex;
  return ex && !ex->ended && ex->client != CLIENT_SCENARIO && act->client.len == 0 &&
         act->resources.count == 0;
}

/* Actions that need an exchange. False: there is none, or not of the right sort. */
static bool run_here(live *l, const live_action *act, live_event *ev) {
  exchange *ex = ev->ex;
  bool delivers = ev->point == POINT_BEFORE_DELIVER || ev->point == POINT_AFTER_DELIVER;
  if (!means_this(act, ev)) return false;
  switch (act->kind) {
  case ACT_HOLD: set_hold(l, ex, act, ev); return true;
  case ACT_COALESCE:
    if (!delivers) return false;
    ex->coalesce = true;
    if (!ex->hold) ex->expire_due = true;
    break;
  case ACT_EXPIRE:
    ex->expire_due = true;
    break;
  case ACT_REPLY:
    if (delivers || !engine_chance(l, act->p)) return !delivers;
    ex->reply = act;
    return true;
  case ACT_CUT:
    ex->cut = act;
    ex->cut_due = delivers;
    break;
  case ACT_DUPLICATE:
    if (ev->point != POINT_BEFORE_RECEIVE) return false;
    inner_duplicate(l, ex);
    return true;
  case ACT_CLOSE_WATCH:
    if (!delivers) return false;
    ex->end_due = true;
    break;
  default: return false;
  }
  engine_soon(l);
  return true;
}

/* ---- standing ---- */

static bool is_standing(action_kind k) {
  return k == ACT_DROP_BOOKMARKS || k == ACT_DELAY_BOOKMARKS || k == ACT_DELAY_INITIAL_END ||
         k == ACT_SLOW_CONSUMER || k == ACT_REPLY;
}

static void stand(live *l, const live_fault *f, const live_action *act, const live_event *ev) {
  for (const standing *s = l->standings; s; s = s->next) {
    if (s->action == act) return;
  }
  if (act->until) trigger_reset(l, act->until, ev);
  standing *s = heap_zalloc(sizeof *s);
  *s = (standing){l->standings, act, f->name};
  l->standings = s;
}

/* An action without a client and resources of its own stands for everybody. */
static bool stands_for(const live *l, const live_action *act, const exchange *ex) {
  if (ex->client < 0 && ex->client != CLIENT_OTHER) return false;
  if (act->client.len && !slice_eq(act->client, live_client_name(l, ex->client))) return false;
  slice bare, group;
  slice_cut(ex->resource_name, '.', &bare, &group);
  return act->resources.count == 0 || live_glob_any(&act->resources, ex->resource_name) ||
         live_glob_any(&act->resources, bare);
}

const standing *standing_for(const live *l, action_kind kind, const exchange *ex) {
  for (const standing *s = l->standings; s; s = s->next) {
    if (s->action->kind == kind && stands_for(l, s->action, ex)) return s;
  }
  return NULL;
}

void standing_check(live *l, live_event *ev) {
  for (standing **at = &l->standings; *at;) {
    standing *s = *at;
    if (!s->action->until || !trigger_fires(l, s->action->until, ev)) {
      at = &s->next;
      continue;
    }
    *at = s->next;
    heap_free(s);
    engine_soon(l);
  }
  for (exchange *ex = l->exchanges; ex; ex = ex->next) {
    if (!ex->hold || !ex->hold->until || !trigger_fires(l, ex->hold->until, ev)) continue;
    ex->hold_until_ns = 1; /* long over */
    engine_soon(l);
  }
}

/* Where no request or stream is at hand: every open watch, and with `cut` every request too. */
static void run_on_all(live *l, const live_action *act, const live_event *ev) {
  for (exchange *ex = l->exchanges; ex; ex = ex->next) {
    bool meant = act->kind == ACT_CUT || ex->streaming;
    if (!meant || ex->ended || !stands_for(l, act, ex)) continue;
    switch (act->kind) {
    case ACT_HOLD: set_hold(l, ex, act, ev); break;
    case ACT_COALESCE:
      ex->coalesce = true;
      if (!ex->hold) ex->expire_due = true;
      break;
    case ACT_EXPIRE: ex->expire_due = true; break;
    case ACT_CLOSE_WATCH: ex->end_due = true; break;
    default:
      ex->cut = act;
      ex->cut_due = ex->doomed = true;
      break;
    }
  }
  engine_soon(l);
}

/* ---- later ---- */

static void postpone(live *l, const live_action *act, int64_t after_ns) {
  due_action *d = heap_zalloc(sizeof *d), **end = &l->due;
  *d = (due_action){NULL, act, real_ns() + after_ns};
  while (*end) end = &(*end)->next;
  *end = d;
  engine_soon(l);
}

static void move_client(live *l, client_view *c, slice to) {
  for (uint32_t i = 0; to.len && i < l->plan->server_count; i++) {
    if (slice_eq(l->plan->servers[i].name, to)) c->server = i;
  }
}

static void cut_connections(live *l, int client) {
  for (exchange *ex = l->exchanges; ex; ex = ex->next) {
    if (ex->client == client && !ex->ended) ex->cut_due = ex->doomed = true;
  }
}

static void compact(live *l, int64_t keep) {
  int64_t to = store_revision(l->server->store) - keep;
  if (to <= 0) return;
  store_compact(l->server->store, to);
  watch_windows_cut(l->server, to);
}

static void thaw(live *l, slice which, bool frozen) {
  for (uint32_t i = 0; i < l->plan->server_count; i++) {
    if (!slice_eq(l->plan->servers[i].name, which)) continue;
    if (frozen) l->servers[i].horizon = store_revision(l->server->store);
    l->servers[i].frozen = frozen;
  }
}

void action_due(live *l, const due_action *d) {
  const live_action *act = d->action;
  client_view *c = act->client.len ? client_named(l, act->client) : NULL;
  switch (act->kind) {
  case ACT_COMPACT: compact(l, act->number); break;
  case ACT_RESTART_CLIENT:
    move_client(l, c, act->server);
    if (c->child == CHILD_RUNS) child_kill(l, c, true);
    if (c->child != CHILD_NONE) child_start(l, c);
    break;
  case ACT_MOVE_CLIENT:
    move_client(l, c, act->server);
    cut_connections(l, (int)(c - l->clients));
    break;
  case ACT_THAW: thaw(l, act->server, false); break;
  case ACT_JUMP_CLOCK:
    world_set_virtual_ns(l->serving->world,
                         world_virtual_ns(l->serving->world) + act->duration_ns);
    break;
  case ACT_ADVANCE: live_advance(l, act->duration_ns); break;
  default: break;
  }
}

void action_run(live *l, const live_fault *f, const live_action *act, live_event *ev) {
  client_view *c = act->client.len ? client_named(l, act->client) : NULL;
  bool stops = act->kind == ACT_CUT || act->kind == ACT_REPLY || act->kind == ACT_KILL_CLIENT;
  if (stops && ev->point == POINT_BEFORE_COMMIT) l->refuse_commit = true;
  if (run_here(l, act, ev)) {
    if (act->kind != ACT_REPLY || (ev->ex && ev->ex->reply == act)) note(l, f, act, ev, "");
    return;
  }
  note(l, f, act, ev, "");
  if (is_standing(act->kind)) {
    stand(l, f, act, ev);
    return;
  }
  switch (act->kind) {
  case ACT_KILL_CLIENT:
    child_kill(l, c, true);
    if (c->child == CHILD_NONE) cut_connections(l, (int)(c - l->clients));
    engine_soon(l);
    break;
  case ACT_PAUSE_CLIENT: child_pause(l, c, act->duration_ns); break;
  case ACT_FREEZE: thaw(l, act->server, true); break;
  case ACT_RESTART_CLIENT: postpone(l, act, act->duration_ns); break;
  case ACT_COMPACT:
  case ACT_MOVE_CLIENT:
  case ACT_THAW:
  case ACT_JUMP_CLOCK:
  case ACT_ADVANCE: postpone(l, act, 0); break;
  case ACT_HOLD:
  case ACT_COALESCE:
  case ACT_EXPIRE:
  case ACT_CUT:
  case ACT_CLOSE_WATCH: run_on_all(l, act, ev); break;
  default: note(l, f, act, ev, "it has no request or event to act on here"); break;
  }
}
