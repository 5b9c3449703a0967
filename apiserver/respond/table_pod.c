/* The pod's columns. Ready, status and restarts come from one walk over the containers'
 * states, made for each of the three: pods have few containers. */
#include "respond/table_cell.h"

#include "registry/object.h"

#define NO_TIME INT64_MIN

typedef struct pod_view {
  slice reason;
  int64_t restarts, restarted_at;
  uint32_t ready, total;
} pod_view;

/* Init containers by name; of two of the same name the last counts. */
static val *init_by_name(arena *a, const val *pod) {
  val *list = val_path(pod, "spec.initContainers"), *map = val_map(a);
  for (uint32_t i = 0; i < val_len(list); i++) {
    val *c = val_at(list, i);
    val_set(a, map, val_get_str(c, "name"), c);
  }
  return map;
}

static bool is_sidecar(const val *container) {
  return slice_is(val_get_str(container, "restartPolicy"), "Always");
}

static void add_restarts(const val *status, int64_t *restarts, int64_t *at) {
  int64_t finished;
  *restarts += val_i64(val_getc(status, "restartCount"));
  const val *ended = val_path(status, "lastState.terminated");
  if (!ended || !time_of(val_getc(ended, "finishedAt"), &finished)) return;
  if (finished > *at) *at = finished;
}

static slice ended_reason(arena *a, const val *ended, const char *prefix) {
  slice reason = val_get_str(ended, "reason");
  long long sig = (long long)val_i64(val_getc(ended, "signal"));
  long long code = (long long)val_i64(val_getc(ended, "exitCode"));
  if (reason.len) return arena_printf(a, "%s%.*s", prefix, SLICE_ARG(reason));
  if (sig) return arena_printf(a, "%sSignal:%lld", prefix, sig);
  return arena_printf(a, "%sExitCode:%lld", prefix, code);
}

/* False when this init container is done and the next one counts. */
static bool init_state(arena *a, const val *pod, uint32_t i, const val *status, bool sidecar,
                       pod_view *view) {
  const val *ended = val_path(status, "state.terminated");
  slice waiting = val_get_str(val_path(status, "state.waiting"), "reason");
  if (ended && val_i64(val_getc(ended, "exitCode")) == 0) return false;
  if (sidecar && val_true(val_getc(status, "started"))) {
    view->ready += val_true(val_getc(status, "ready"));
    return false;
  }
  if (ended) {
    view->reason = ended_reason(a, ended, "Init:");
  } else if (waiting.len && !slice_is(waiting, "PodInitializing")) {
    view->reason = arena_printf(a, "Init:%.*s", SLICE_ARG(waiting));
  } else {
    view->reason = arena_printf(a, "Init:%u/%u", i, val_len(val_path(pod, "spec.initContainers")));
  }
  return true;
}

/* True while init containers are at work. Restarts of sidecars go to *side as well. */
static bool walk_init(arena *a, const val *pod, pod_view *view, pod_view *side) {
  const val *list = val_path(pod, "status.initContainerStatuses");
  if (val_len(list) == 0) return false;
  const val *known = init_by_name(a, pod);
  for (uint32_t i = 0; i < val_len(list); i++) {
    const val *status = val_at(list, i);
    bool sidecar = is_sidecar(val_get(known, val_get_str(status, "name")));
    add_restarts(status, &view->restarts, &view->restarted_at);
    if (sidecar) add_restarts(status, &side->restarts, &side->restarted_at);
    if (init_state(a, pod, i, status, sidecar, view)) return true;
  }
  return false;
}

static void walk_containers(arena *a, const val *pod, pod_view *view) {
  const val *list = val_path(pod, "status.containerStatuses");
  bool running = false;
  slice failed = SLICE_NONE;
  for (uint32_t i = val_len(list); i-- > 0;) {
    const val *status = val_at(list, i);
    slice waiting = val_get_str(val_path(status, "state.waiting"), "reason");
    const val *ended = val_path(status, "state.terminated");
    add_restarts(status, &view->restarts, &view->restarted_at);
    if (waiting.len) {
      view->reason = waiting;
    } else if (ended) {
      view->reason = ended_reason(a, ended, "");
      if (val_i64(val_getc(ended, "exitCode"))) failed = view->reason;
    } else if (val_true(val_getc(status, "ready")) && val_path(status, "state.running")) {
      running = true;
      view->ready++;
    }
  }
  if (!slice_is(view->reason, "Completed")) return;
  bool ready = condition_true(val_path(pod, "status.conditions"), "Ready");
  if (running && ready) view->reason = SLICE_LIT("Running");
  else if (failed.len) view->reason = failed;
  else if (running) view->reason = SLICE_LIT("NotReady");
}

static void set_base_reason(const val *pod, pod_view *view) {
  const val *conditions = val_path(pod, "status.conditions");
  view->reason = val_str(val_path(pod, "status.reason"));
  if (!view->reason.len) view->reason = val_str(val_path(pod, "status.phase"));
  for (uint32_t i = 0; i < val_len(conditions); i++) {
    const val *c = val_at(conditions, i);
    if (slice_is(val_get_str(c, "type"), "PodScheduled") &&
        slice_is(val_get_str(c, "reason"), "SchedulingGated")) {
      view->reason = SLICE_LIT("SchedulingGated");
    }
  }
}

static pod_view view_of(arena *a, const val *pod) {
  pod_view view = {.restarted_at = NO_TIME}, side = {.restarted_at = NO_TIME};
  const val *init = val_path(pod, "spec.initContainers");
  slice phase = val_str(val_path(pod, "status.phase"));
  view.total = val_len(val_path(pod, "spec.containers"));
  for (uint32_t i = 0; i < val_len(init); i++) {
    view.total += is_sidecar(val_at(init, i));
  }
  set_base_reason(pod, &view);
  bool initializing = walk_init(a, pod, &view, &side);
  if (!initializing || condition_true(val_path(pod, "status.conditions"), "Initialized")) {
    view.restarts = side.restarts;
    view.restarted_at = side.restarted_at;
    walk_containers(a, pod, &view);
  }
  bool ended = slice_is(phase, "Succeeded") || slice_is(phase, "Failed");
  if (!val_path(pod, "metadata.deletionTimestamp")) return view;
  if (slice_is(val_str(val_path(pod, "status.reason")), "NodeLost")) {
    view.reason = SLICE_LIT("Unknown");
  } else if (!ended) {
    view.reason = SLICE_LIT("Terminating");
  }
  return view;
}

val *cell_pod_ready(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  pod_view view = view_of(e->arena, obj);
  return val_printf(e->arena, "%u/%u", view.ready, view.total);
}

val *cell_pod_status(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  return val_string(e->arena, view_of(e->arena, obj).reason);
}

val *cell_pod_restarts(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  pod_view view = view_of(e->arena, obj);
  long long n = (long long)view.restarts;
  if (n == 0 || view.restarted_at == NO_TIME) return val_printf(e->arena, "%lld", n);
  slice ago = human_duration(e->arena, e->now_s - view.restarted_at);
  return val_printf(e->arena, "%lld (%.*s ago)", n, SLICE_ARG(ago));
}

val *cell_pod_ip(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  slice ip = val_get_str(val_at(val_path(obj, "status.podIPs"), 0), "ip");
  return val_string(e->arena, ip.len ? ip : SLICE_LIT("<none>"));
}

val *cell_pod_gates(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  const val *gates = val_path(obj, "spec.readinessGates");
  val *conditions = val_path(obj, "status.conditions"), *by_type = val_map(e->arena);
  uint32_t good = 0;
  if (val_len(gates) == 0) return val_cstr(e->arena, "<none>");
  for (uint32_t i = val_len(conditions); i-- > 0;) { /* the first of a type counts */
    val *condition = val_at(conditions, i);
    val_set(e->arena, by_type, val_get_str(condition, "type"), condition);
  }
  for (uint32_t i = 0; i < val_len(gates); i++) {
    slice type = val_get_str(val_at(gates, i), "conditionType");
    good += slice_is(val_get_str(val_get(by_type, type), "status"), "True");
  }
  return val_printf(e->arena, "%u/%u", good, val_len(gates));
}
