/* The commands of the control address: a row each. */
#include "sim/control/internal.h"
#include "sim/control/snapshot_child.h"
#include "sim/control/snapshot_file.h"
#include "sim/live/control.h"
#include "snapshot.h"
#include "store/store.h"
#include "verb/registry.h"
#include "watch/watcher.h"

#include <stdio.h>
#include <string.h>

static json_t *text(slice s) { return json_stringn(s.ptr, s.len); }

static uint64_t count_objects(store *s) {
  store_view *v = NULL;
  if (store_view_open(s, 0, &v) != STORE_OK) return 0;
  uint64_t n = store_view_count(v, SLICE_LIT("/registry/"), SLICE_LIT("/registry0"));
  store_view_close(v);
  return n;
}

static json_t *list_checkpoints(const checkpoints *cs) {
  json_t *list = json_array();
  for (uint32_t i = 0; i < cs->count; i++) {
    int64_t revision = server_state_revision(cs->items[i].state);
    json_array_append_new(
        list, json_pack("{s:s, s:I}", "name", cs->items[i].name, "revision", (json_int_t)revision));
  }
  return list;
}

static void run_status(control_call *c) {
  const server *s = c->serving->server;
  const char *seed = flags_str(c->serving->flags, "seed");
  json_t *o = json_object();
  json_object_set_new(o, "url", json_string(c->serving->url));
  json_object_set_new(o, "version", json_string(FLAGS_KUBERNETES_VERSION));
  json_object_set_new(o, "seed", json_string(seed ? seed : "0"));
  json_object_set_new(o, "ready", json_boolean(s->ready));
  json_object_set_new(o, "revision", json_integer(store_revision(s->store)));
  json_object_set_new(o, "compacted", json_integer(store_compacted(s->store)));
  json_object_set_new(o, "objects", json_integer((json_int_t)count_objects(s->store)));
  json_object_set_new(o, "watches", json_integer(watchers_count(s)));
  json_object_set_new(o, "checkpoints", list_checkpoints(&c->control->checkpoints));
  json_object_set_new(o, "forks", fork_list(&c->control->forks));
  control_answer(c, o);
}

/* Answered, where the objects are not ours to keep or to put back. */
static bool elsewhere(control_call *c, const char *what) {
  if (store_is_memory(c->serving->server->store)) return false;
  control_fail(c, 409, "%s needs the embedded store, and there are --etcd-servers", what);
  return true;
}

static slice name_or_start(const control_call *c) {
  slice name = control_param(c, "name");
  return name.len ? name : SLICE_LIT("start");
}

static void run_checkpoint(control_call *c) {
  slice name = control_param(c, "name");
  if (elsewhere(c, "a checkpoint")) return;
  if (!checkpoint_name_ok(name)) {
    control_fail(c, 400, "a name has 1 to %d letters, digits, '-', '_' and '.'",
                 CHECKPOINT_NAME_MAX);
    return;
  }
  const checkpoint *p = checkpoint_take(&c->control->checkpoints, c->serving, name);
  if (!p) {
    control_fail(c, 409, "%u checkpoints are kept already, or the store can't make any",
                 c->control->checkpoints.count);
    return;
  }
  control_answer(c, json_pack("{s:o, s:I}", "checkpoint", text(name), "revision",
                              (json_int_t)server_state_revision(p->state)));
}

static void run_fork(control_call *c) {
  if (!elsewhere(c, "a fork")) fork_run(c);
}

static void run_stop(control_call *c) {
  json_t *o = json_pack("{s:b}", "stops", 1);
  world *w = c->serving->world;
  control_answer(c, o);
  world_stop(w);
}

static void run_reset(control_call *c) {
  slice name = name_or_start(c);
  if (elsewhere(c, "a reset")) return;
  const checkpoint *p = checkpoint_find(&c->control->checkpoints, name);
  if (!p) {
    control_fail(c, 404, "no checkpoint %.*s", SLICE_ARG(name));
    return;
  }
  uint32_t watches = watchers_count(c->serving->server);
  checkpoint_put(c->serving, p);
  if (c->serving->etcd) etcd_face_reset(c->serving->etcd);
  control_answer(c, json_pack("{s:o, s:I, s:i}", "checkpoint", text(name), "revision",
                              (json_int_t)server_state_revision(p->state), "watches_ended",
                              (int)watches));
}

static void run_drop(control_call *c) {
  slice name = control_param(c, "name");
  if (slice_is(name, "start")) {
    control_fail(c, 409, "the checkpoint start stays");
  } else if (!checkpoint_find(&c->control->checkpoints, name)) {
    control_fail(c, 404, "no checkpoint %.*s", SLICE_ARG(name));
  } else {
    checkpoint_drop(&c->control->checkpoints, name);
    control_answer(c, json_pack("{s:o}", "dropped", text(name)));
  }
}

/* A path from the request, as a C string; relative ones are the client's to make whole. */
static bool read_path(control_call *c, char out[4096]) {
  slice file = control_param(c, "file");
  bool ok = file.len > 0 && file.len < 4096 && !memchr(file.ptr, 0, file.len);
  if (ok) snprintf(out, 4096, "%.*s", SLICE_ARG(file));
  else control_fail(c, 400, "file is no path");
  return ok;
}

static void run_snapshot(control_call *c) {
  char path[4096];
  if (!elsewhere(c, "a snapshot") && read_path(c, path)) snapshot_run(c, path);
}

static void run_load(control_call *c) {
  char path[4096], why[SNAPSHOT_WHY_MAX];
  slice bytes = SLICE_NONE, problem = SLICE_NONE;
  int64_t clock_ns = 0;
  if (elsewhere(c, "a snapshot") || !read_path(c, path)) return;
  if (!snapshot_map(path, &bytes, why)) {
    control_fail(c, 400, "%s", why);
    return;
  }
  server *s = c->serving->server;
  uint32_t watches = watchers_count(s);
  bool ok = snapshot_load(s, bytes, &clock_ns, &problem);
  snapshot_unmap(bytes);
  if (!ok) {
    control_fail(c, 400, "can't read snapshot %s: %.*s", path, SLICE_ARG(problem));
    return;
  }
  if (c->serving->etcd) etcd_face_reset(c->serving->etcd);
  if (clock_ns) world_set_virtual_ns(c->serving->world, clock_ns);
  control_answer(c, json_pack("{s:s, s:I, s:i}", "file", path, "revision",
                              (json_int_t)store_revision(s->store), "watches_ended",
                              (int)watches));
}

const control_row control_rows[] = {
    {"status", true, "", run_status, "url, revision, numbers of objects and watches, checkpoints"},
    {"checkpoint", false, "name", run_checkpoint, "keep the whole state in memory under a name"},
    {"fork", false, "kubeconfig?", run_fork,
     "a second server, a process with the same state on other ports; tells where"},
    {"stop", false, "", run_stop, "end this server; its forks end with it"},
    {"reset", false, "name?", run_reset,
     "back to a checkpoint (start: as the server began); open watches end with 410 Expired"},
    {"snapshot", false, "file", run_snapshot, "write the whole state to a file, crash-safe"},
    {"load", false, "file", run_load,
     "put the state of a snapshot in place; open watches end with 410 Expired"},
    {"drop", false, "name", run_drop, "forget a checkpoint"},
    {"quiesce", false, "quiet? within?", live_run_quiesce,
     "wait until nothing is under way and nothing has happened for some time (500ms, within 30s)"},
    {"advance", false, "duration", live_run_advance,
     "move the virtual clock; timers that come due fire in order"},
    {"requests", true, "kind? client? verb? resource? key? status? since? limit?",
     live_run_requests, "the log: requests, or kind=commit|event|fault|step|client; globs"},
    {"faults", true, "", live_run_faults, "those of the plan and those added: how often each fired"},
    {"add-fault", false, "", live_run_add_fault, "add the fault that the body is, as in a plan"},
    {"clear-faults", false, "name?", live_run_clear_faults, "end a fault, or all"},
    {"heal", false, "", live_run_heal,
     "end all faults: what is held goes on, lags end, killed clients come back"},
    {"lint", true, "", live_run_lint, "what clients did that works until it does not"},
    {NULL, false, "", NULL, NULL},
};
