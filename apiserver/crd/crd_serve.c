/* See crd_serve.h. */
#include "crd/crd_serve.h"

#include "base/fiber.h"
#include "crd/crd_object.h"
#include "crd/crd_status.h"
#include "crd/structural.h"
#include "registry/object.h"
#include "registry/stored.h"
#include "route/route_cache.h"
#include "verb/registry.h"
#include "watch/watcher.h"

/* A deleted definition is seen going for a moment, as the real server's: clients look at it once
 * more and then watch for its end. */
#define END_NS ((int64_t)30 * 1000000)
#define PATIENCE_NS ((int64_t)34 * 1000000000)

static const resource_info *definitions(void) {
  return schema_resource(SLICE_LIT(CRD_GROUP), SLICE_LIT("v1"), SLICE_LIT(CRD_RESOURCE));
}

void crd_open(server *s) {
  if (!s->customs) s->customs = crd_registry_create();
  s->options.served.customs = s->customs;
}

/* ---- the registry follows the store ---- */

static void end_watches(server *s, const crd_kind *old) {
  if (old && s->watches) watchers_end_of(s, old);
}

static void take(server *s, const val *crd) {
  end_watches(s, crd_registry_put(s->customs, crd, s->env->mono_ns));
}

static bool load_one(void *ctx, val *crd) {
  take(ctx, crd);
  return true;
}

static void on_timer(void *ctx, int64_t now_ns);

static void follow(server *s) {
  timer_set(&s->timers, &s->crd_timer, s->env->mono_ns + 1, on_timer, s);
}

static void on_end_timer(void *ctx, int64_t now_ns);

static void follow_end(server *s, int64_t after_ns) {
  timer_set(&s->timers, &s->crd_end_timer, s->env->mono_ns + after_ns, on_end_timer, s);
}

static void follow_endings(server *s) {
  for (uint32_t i = 0; i < s->customs->count; i++) {
    if (s->customs->kinds[i]->terminating) follow_end(s, END_NS);
  }
}

void crd_load(server *s) {
  if (!s->customs) return;
  arena *a = arena_create();
  for (uint32_t i = 0; i < s->customs->count; i++) end_watches(s, s->customs->kinds[i]);
  crd_registry_clear(s->customs, s->env->mono_ns);
  registry_each(s, a, definitions(), SLICE_NONE, load_one, s);
  arena_destroy(a);
  if (s->customs->count) follow(s);
  follow_endings(s);
}

/* A custom resource went whose definition waits for that. */
static void note_object(server *s, const store_event *ev) {
  slice key = store_entry_key(ev->entry);
  if (!ev->deleted || !crd_is_key(key)) return;
  const crd_kind *k = crd_find(s->customs, crd_key_group(key), crd_key_resource(key));
  if (k && k->terminating) follow_end(s, 1);
}

void crd_on_write(server *s, const resource_info *r, const store_event *ev) {
  if (!s->customs) return;
  if (!r) note_object(s, ev);
  if (!r || !crd_is_definition(r)) return;
  arena *a = arena_create();
  val *crd = stored_decode(a, r, ev->entry);
  if (crd && ev->deleted) {
    end_watches(s, crd_registry_drop(s->customs, object_name(crd), s->env->mono_ns));
  } else if (crd) {
    take(s, crd);
    if (object_deleting(crd) && !timer_is_set(&s->crd_end_timer)) follow_end(s, END_NS);
  }
  arena_destroy(a);
  if (s->ready) follow(s);
}

void crd_close(server *s) {
  timer_clear(&s->timers, &s->crd_timer);
  timer_clear(&s->timers, &s->crd_end_timer);
  crd_registry_destroy(s->customs);
  s->customs = NULL;
}

/* ---- the controllers' turn ---- */

static void run(server *s, bool ends) {
  fiber *self = fiber_current(s->fibers);
  if (self) fiber_set_deadline(self, s->env->mono_ns + PATIENCE_NS);
  crd_status_run(s, ends);
}

static void run_all(void *ctx) { run(ctx, false); }
static void run_ends(void *ctx) { run(ctx, true); }

static void turn(server *s, void (*fn)(void *ctx)) {
  if (s->stopping || !s->ready) return;
  if (store_waits(s->store)) fiber_run(s->fibers, fn, s);
  else fn(s);
}

static void on_end_timer(void *ctx, int64_t now_ns) {
  (void)now_ns;
  turn(ctx, run_ends);
}

static void on_timer(void *ctx, int64_t now_ns) {
  (void)now_ns;
  turn(ctx, run_all);
}

/* What a run writes asks for another: a bounded number now, the rest in turns to come. */
void crd_settle(server *s) {
  for (int tries = 0; tries < 8; tries++) {
    if (!timer_is_set(&s->crd_timer) || store_waits(s->store)) return;
    timer_clear(&s->timers, &s->crd_timer);
    on_timer(s, s->env->mono_ns);
  }
}

/* ---- requests ---- */

static bool unknown_subresource(request *rq) {
  return status_not_found(&rq->error, rq->arena, rq->info.group, rq->info.resource, rq->info.name);
}

static bool no_method(request *rq) {
  status_set(&rq->error, rq->arena, STATUS_METHOD_NOT_ALLOWED, "%.*s is not supported on resources "
             "of kind \"%.*s.%.*s\"", SLICE_ARG(rq->info.verb), SLICE_ARG(rq->info.resource),
             SLICE_ARG(rq->info.group));
  rq->error.has_details = true;
  rq->error.group = rq->info.group;
  rq->error.kind = rq->info.resource;
  return false;
}

static bool needs_name(request *rq) {
  return status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST, "name must be provided");
}

static bool is_one_of(slice s, const char *const *list) {
  for (; *list; list++) {
    if (slice_is(s, *list)) return true;
  }
  return false;
}

/* Other versions than the stored one would need the webhook. */
static bool converts(request *rq, const crd_version *v) {
  if (!v->kind->webhook || v == v->kind->storage) return true;
  return status_set(&rq->error, rq->arena, STATUS_INTERNAL,
                    "conversion webhook for %.*s/%.*s, Kind=%.*s failed: apisim does not call "
                    "conversion webhooks: only the storage version %.*s is served",
                    SLICE_ARG(v->kind->group), SLICE_ARG(v->row.version), SLICE_ARG(v->row.kind),
                    SLICE_ARG(v->kind->storage->row.version));
}

bool crd_route(request *rq) {
  static const char *const any_place[] = {"list", "watch", NULL};
  static const char *const named[] = {"get", "update", "patch", "delete", NULL};
  static const char *const known[] = {"get",   "list",   "watch",            "create", "update",
                                      "patch", "delete", "deletecollection", NULL};
  static const char *const below[] = {"get", "update", "patch", NULL};
  const request_info *i = &rq->info;
  const crd_version *v = crd_served(rq->server->customs, i->group, i->version, i->resource);
  rq->resource = NULL;
  if (!v || (!v->row.namespaced && i->namespace.len)) return false;
  if (v->row.namespaced && !i->namespace.len && !is_one_of(i->verb, any_place)) return false;
  rq->resource = &v->row;
  if (i->subresource.len) {
    rq->subresource = schema_subresource(&v->row, i->subresource);
    if (!rq->subresource) return unknown_subresource(rq);
    if (!is_one_of(i->verb, below)) return no_method(rq);
  }
  if (!is_one_of(i->verb, known)) return no_method(rq);
  if (is_one_of(i->verb, named) && i->name.len == 0) return needs_name(rq);
  return converts(rq, v);
}

/* ---- what has no effect ---- */

void crd_warn(request *rq, const val *crd) {
  const val *spec = val_getc(crd, "spec"), *versions = val_getc(spec, "versions");
  if (slice_is(val_get_str(val_getc(spec, "conversion"), "strategy"), "Webhook")) {
    request_warn(rq, SLICE_LIT("apisim does not call conversion webhooks yet: only the storage "
                               "version of this kind is served"));
  }
  for (uint32_t i = 0; i < val_len(versions); i++) {
    slice why = SLICE_NONE;
    const val *schema = val_path(val_at(versions, i), "schema.openAPIV3Schema");
    structural_schema *s = schema ? structural_create(rq->arena, schema, &why) : NULL;
    if (s && s->rule_count) {
      request_warn(rq, arena_printf(rq->arena, "apisim does not evaluate x-kubernetes-validations "
                                    "yet: the CEL rules of version %.*s have no effect",
                                    SLICE_ARG(val_get_str(val_at(versions, i), "name"))));
    }
    structural_destroy(s);
  }
}
