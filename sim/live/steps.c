/* The scenario's steps: requests from within, as an administrator. */
#include "sim/live/engine.h"
#include "sim/live/run.h"

#include "codec/codec.h"

#include <stdio.h>

#define ANSWER_MAX ((size_t)64 << 20)

static const char *const step_names[] = {
    [STEP_APPLY] = "apply", [STEP_CREATE] = "create", [STEP_DELETE] = "delete",
    [STEP_PATCH] = "patch", [STEP_WAIT] = "wait",     [STEP_SLEEP] = "sleep",
    [STEP_ADVANCE] = "advance", [STEP_START] = "startClient", [STEP_STOP] = "stopClient",
};

const char *live_step_name(const live_step *s) { return step_names[s->kind]; }

static bool send(live *l, const char *method, slice target, const char *type, slice body,
                 char *why, size_t size) {
  buf answer;
  buf_init(&answer, ANSWER_MAX);
  int status = live_call(l, method, target, type, body, &answer);
  bool ok = status >= 200 && status < 300;
  if (!ok) {
    snprintf(why, size, "%s %.*s: %d %.*s", method, SLICE_ARG(target), status,
             answer.len > 300 ? 300 : (int)answer.len, answer.ptr ? answer.ptr : "");
  }
  buf_dispose(&answer);
  return ok;
}

/* Where a document's object lives; creating goes to the collection. */
static bool target_of(arena *a, slice text, bool collection, slice *target, char *why,
                      size_t size) {
  slice error = SLICE_NONE;
  const val *tree = yaml_parse(a, text, NULL, &error);
  slice kind = val_get_str(tree, "kind"), version = val_get_str(tree, "apiVersion");
  const resource_info *r = live_resource_of_kind(version, kind);
  if (!r) {
    snprintf(why, size, "%.*s %.*s is no built-in kind %.*s", SLICE_ARG(version),
             SLICE_ARG(kind), SLICE_ARG(error));
    return false;
  }
  const val *meta = val_getc(tree, "metadata");
  slice ns = val_get_str(meta, "namespace");
  live_target t = {r, SLICE_NONE, SLICE_NONE};
  if (r->namespaced) t.namespace = ns.len ? arena_copy(a, ns) : SLICE_LIT("default");
  if (!collection) t.name = arena_copy(a, val_get_str(meta, "name"));
  *target = live_target_path(a, &t, SLICE_NONE);
  return true;
}

static bool put_documents(live *l, const live_step *s, char *why, size_t size) {
  bool create = s->kind == STEP_CREATE;
  for (uint32_t i = 0; i < s->documents.count; i++) {
    arena *a = arena_create();
    slice target;
    bool ok = target_of(a, s->documents.items[i], create, &target, why, size);
    if (ok && !create) {
      target = arena_printf(a, "%.*s?fieldManager=scenario&force=true", SLICE_ARG(target));
    }
    ok = ok && send(l, create ? "POST" : "PATCH", target,
                    create ? "application/yaml" : "application/apply-patch+yaml",
                    s->documents.items[i], why, size);
    arena_destroy(a);
    if (!ok) return false;
  }
  return true;
}

static bool patch(live *l, const live_step *s, char *why, size_t size) {
  arena *a = arena_create();
  live_target t;
  live_target_of(a, s->key, &t);
  slice error = SLICE_NONE;
  const val *tree = yaml_parse(a, s->documents.items[0], NULL, &error);
  buf body;
  buf_init(&body, ANSWER_MAX);
  if (tree) json_encode_any(&body, tree, false);
  bool strategic = slice_is(s->patch_type, "strategic");
  bool ok = send(l, "PATCH", live_target_path(a, &t, s->subresource),
                 strategic ? "application/strategic-merge-patch+json"
                           : "application/merge-patch+json", buf_slice(&body), why, size);
  buf_dispose(&body);
  arena_destroy(a);
  return ok;
}

static bool delete_object(live *l, const live_step *s, char *why, size_t size) {
  arena *a = arena_create();
  live_target t;
  live_target_of(a, s->key, &t);
  bool ok = send(l, "DELETE", live_target_path(a, &t, SLICE_NONE), NULL, SLICE_NONE, why, size);
  arena_destroy(a);
  return ok;
}

bool live_condition_holds(live *l, const live_condition *c) {
  arena *a = arena_create();
  live_target t;
  live_target_of(a, c->key, &t);
  store_entry *e = NULL;
  store_get(l->server->store, stored_key(a, t.resource, t.namespace, t.name), 0, &e);
  bool holds = c->absent ? e == NULL : e != NULL;
  if (e && !c->absent && c->path.len) {
    slice error, text;
    bool scalar;
    const val *tree = json_parse(a, blob_slice(e->value), NULL, &error);
    bool has = tree_field(a, tree, c->path, &text, &scalar);
    live_predicate p = c->value;
    if (!p.set) p = (live_predicate){.set = true, .exists_set = true, .exists = true};
    holds = live_predicate_holds(&p, has, text);
  }
  if (e) store_entry_unref(e);
  arena_destroy(a);
  return holds;
}

step_state live_step_run(live *l, const live_step *s, bool first, char *why, size_t size) {
  bool ok = true;
  switch (s->kind) {
  case STEP_APPLY:
  case STEP_CREATE: ok = put_documents(l, s, why, size); break;
  case STEP_PATCH: ok = patch(l, s, why, size); break;
  case STEP_DELETE: ok = delete_object(l, s, why, size); break;
  case STEP_WAIT:
    snprintf(why, size, "waiting for %.*s", SLICE_ARG(s->condition.key));
    if (s->quiet) return live_is_quiet(l) ? STEP_DONE : STEP_WAITS;
    return live_condition_holds(l, &s->condition) ? STEP_DONE : STEP_WAITS;
  case STEP_SLEEP:
    if (first) l->step_until_ns = real_ns() + s->duration_ns;
    return real_ns() >= l->step_until_ns ? STEP_DONE : STEP_WAITS;
  case STEP_ADVANCE: ok = live_advance(l, s->duration_ns); break;
  case STEP_START: live_start_client(l, s->client); break;
  case STEP_STOP: live_stop_client(l, s->client); break;
  }
  return ok ? STEP_DONE : STEP_FAILED;
}
