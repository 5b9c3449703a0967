/* See component_status.h. */
#include "verb/component_status.h"

#include "registry/selector.h"
#include "request/options.h"
#include "respond/respond.h"
#include "verb/read.h"

static const struct component {
  const char *name, *healthy, *message;
} components[] = {
    {"controller-manager", "False",
     "Get \"https://127.0.0.1:10257/healthz\": dial tcp 127.0.0.1:10257: connect: connection "
     "refused"},
    {"scheduler", "False",
     "Get \"https://127.0.0.1:10259/healthz\": dial tcp 127.0.0.1:10259: connect: connection "
     "refused"},
    {"etcd-0", "True", "ok"},
};
#define COMPONENTS (sizeof components / sizeof *components)

static val *tree_of(arena *a, const struct component *c) {
  val *obj = val_map(a), *meta = val_map(a), *list = val_list(a), *condition = val_map(a);
  val_setc(a, obj, "kind", val_cstr(a, "ComponentStatus"));
  val_setc(a, obj, "apiVersion", val_cstr(a, "v1"));
  val_setc(a, meta, "name", val_cstr(a, c->name));
  val_setc(a, obj, "metadata", meta);
  val_setc(a, condition, "type", val_cstr(a, "Healthy"));
  val_setc(a, condition, "status", val_cstr(a, c->healthy));
  val_setc(a, condition, "message", val_cstr(a, c->message));
  val_append(a, list, condition);
  val_setc(a, obj, "conditions", list);
  return obj;
}

static bool get(request *rq) {
  output_form form;
  if (!negotiate_output(rq, false, &form)) return false;
  for (size_t i = 0; i < COMPONENTS; i++) {
    if (!slice_is(rq->info.name, components[i].name)) continue;
    respond_object(rq, 200, &form, tree_of(rq->arena, &components[i]));
    return true;
  }
  return status_not_found(&rq->error, rq->arena, SLICE_LIT(""), SLICE_LIT("componentstatus"),
                          rq->info.name);
}

static bool list(request *rq) {
  output_form form;
  list_options o;
  selector s;
  if (!negotiate_output(rq, false, &form) || !read_list_options(rq, &o, &s)) return false;
  val *found[COMPONENTS];
  uint32_t count = 0;
  for (size_t i = 0; i < COMPONENTS; i++) {
    val *obj = tree_of(rq->arena, &components[i]);
    if (selector_match(rq->arena, &s, rq->resource, obj)) found[count++] = obj;
  }
  list_meta none = {0};
  respond_list_trees(rq, &form, found, count, &none);
  return true;
}

bool component_status_serve(request *rq) {
  if (!slice_is(rq->resource->resource, "componentstatuses")) return false;
  if (!(slice_is(rq->info.verb, "get") ? get(rq) : list(rq))) respond_error(rq);
  return true;
}
