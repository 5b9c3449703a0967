/* The conditions are applied like any client would apply them, so that others keep theirs. */
#include "verb/flow_status.h"

#include "base/fiber.h"
#include "codec/codec.h"
#include "patch/patch.h"
#include "registry/object.h"
#include "verb/registry.h"

#define GROUP SLICE_LIT("flowcontrol.apiserver.k8s.io")
#define MANAGER SLICE_LIT("api-priority-and-fairness-config-consumer-v1")
#define PATIENCE_NS ((int64_t)10000000000) /* with a store elsewhere */

typedef struct follow_run {
  server *server;
  arena *arena;
  const resource_info *schemas, *levels;
  val *stale; /* list: FlowSchemas whose condition is to be written */
} follow_run;

static val *wanted_condition(follow_run *f, const val *schema) {
  arena *a = f->arena;
  slice level = val_str(val_path(schema, "spec.priorityLevelConfiguration.name"));
  bool found = registry_get(f->server, a, f->levels, SLICE_NONE, level) != NULL;
  slice text = arena_printf(a, "This FlowSchema references the PriorityLevelConfiguration object "
                               "named \"%.*s\" %s", SLICE_ARG(level),
                            found ? "and it exists" : "but there is no such object");
  val *c = val_map(a);
  val_setc(a, c, "type", val_cstr(a, "Dangling"));
  val_setc(a, c, "status", val_cstr(a, found ? "False" : "True"));
  val_setc(a, c, "lastTransitionTime",
           val_string(a, time_text(a, f->server->env->wall_ns / 1000000000)));
  val_setc(a, c, "reason", val_cstr(a, found ? "Found" : "NotFound"));
  val_setc(a, c, "message", val_string(a, text));
  return c;
}

static bool has_condition(const val *schema, const val *wanted) {
  const val *c = condition_named(val_path(schema, "status.conditions"), "Dangling");
  return c && slice_eq(val_get_str(c, "status"), val_get_str(wanted, "status")) &&
         slice_eq(val_get_str(c, "message"), val_get_str(wanted, "message"));
}

static bool look(void *ctx, val *schema) {
  follow_run *f = ctx;
  if (!has_condition(schema, wanted_condition(f, schema))) val_append(f->arena, f->stale, schema);
  return true;
}

static void apply(follow_run *f, val *schema) {
  arena *a = f->arena;
  val *config = val_map(a), *meta = val_map(a), *status = val_map(a), *list = val_list(a);
  val_append(a, list, wanted_condition(f, schema));
  val_setc(a, status, "conditions", list);
  val_setc(a, meta, "name", val_string(a, object_name(schema)));
  val_setc(a, config, "apiVersion", val_cstr(a, "flowcontrol.apiserver.k8s.io/v1"));
  val_setc(a, config, "kind", val_cstr(a, "FlowSchema"));
  val_setc(a, config, "metadata", meta);
  val_setc(a, config, "status", status);
  manage_args m = {.arena = a, .resource = f->schemas, .manager = MANAGER, .apply = true,
                   .subresource = SLICE_LIT("status"), .force = true,
                   .now_s = f->server->env->wall_ns / 1000000000};
  status_error error = {0};
  slice why;
  val *next = server_side_apply(&m, schema, config, &error);
  if (next) next = codec_conform(a, next, f->schemas->type, NULL, &why);
  if (next) registry_update_status(f->server, a, f->schemas, next, SLICE_NONE);
}

static void follow(void *ctx) {
  server *s = ctx;
  fiber *self = fiber_current(s->fibers);
  if (self) fiber_set_deadline(self, s->env->mono_ns + PATIENCE_NS);
  arena *a = arena_create();
  follow_run f = {.server = s, .arena = a, .stale = val_list(a),
                  .schemas = schema_resource(GROUP, SLICE_LIT("v1"), SLICE_LIT("flowschemas")),
                  .levels = schema_resource(GROUP, SLICE_LIT("v1"),
                                            SLICE_LIT("prioritylevelconfigurations"))};
  registry_each(s, a, f.schemas, SLICE_NONE, look, &f);
  for (uint32_t i = 0; i < val_len(f.stale); i++) apply(&f, val_at(f.stale, i));
  arena_destroy(a);
}

static void on_timer(void *ctx, int64_t now_ns) {
  server *s = ctx;
  (void)now_ns;
  if (s->stopping) return;
  if (store_waits(s->store)) fiber_run(s->fibers, follow, s);
  else follow(s);
}

void flow_status_settle(server *s) {
  if (!timer_is_set(&s->flow_timer) || store_waits(s->store)) return;
  timer_clear(&s->timers, &s->flow_timer);
  on_timer(s, s->env->mono_ns);
}

void flow_status_follow(server *s) {
  timer_set(&s->timers, &s->flow_timer, s->env->mono_ns + 1, on_timer, s);
}
