/* The commands of the control address: a row each. */
#include "sim/control/internal.h"
#include "store/store.h"
#include "verb/registry.h"
#include "watch/watcher.h"

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
  control_answer(c, o);
}

static slice name_or_start(const control_call *c) {
  slice name = control_param(c, "name");
  return name.len ? name : SLICE_LIT("start");
}

static void run_checkpoint(control_call *c) {
  slice name = control_param(c, "name");
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

static void run_reset(control_call *c) {
  slice name = name_or_start(c);
  const checkpoint *p = checkpoint_find(&c->control->checkpoints, name);
  if (!p) {
    control_fail(c, 404, "no checkpoint %.*s", SLICE_ARG(name));
    return;
  }
  uint32_t watches = watchers_count(c->serving->server);
  checkpoint_put(c->serving, p);
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

const control_row control_rows[] = {
    {"status", true, "", run_status, "url, revision, numbers of objects and watches, checkpoints"},
    {"checkpoint", false, "name", run_checkpoint, "keep the whole state in memory under a name"},
    {"reset", false, "name?", run_reset,
     "back to a checkpoint (start: as the server began); open watches end with 410 Expired"},
    {"drop", false, "name", run_drop, "forget a checkpoint"},
    {NULL, false, "", NULL, NULL},
};
