/* A served version of a group has an APIService, which goes with the last kind that serves it.
 * Sources: pkg/controlplane/controller/crdregistration; kube-aggregator
 * pkg/controllers/autoregister, pkg/registry/apiservice. */
#include "codec/codec.h"
#include "crd/crd_status.h"
#include "registry/object.h"
#include "registry/stored.h"
#include "server_stores.h"
#include "verb/registry.h"

#define LABEL "kube-aggregator.kubernetes.io/automanaged"
#define PRIORITY_GROUP 1000
#define PRIORITY_VERSION 100

typedef struct services_run {
  server *s;
  arena *a;
  const resource_info *services;
  val *wanted; /* by name: {group, version} */
  val *there; /* by name: those made by this controller that are not wanted */
} services_run;

static void note_wanted(services_run *r, const val *crd) {
  slice group = val_str(val_path(crd, "spec.group"));
  const val *versions = val_path(crd, "spec.versions");
  for (uint32_t i = 0; i < val_len(versions); i++) {
    const val *v = val_at(versions, i);
    slice version = val_get_str(v, "name");
    if (!val_true(val_getc(v, "served"))) continue;
    val *gv = val_map(r->a);
    val_setc(r->a, gv, "group", val_string(r->a, group));
    val_setc(r->a, gv, "version", val_string(r->a, version));
    val_set(r->a, r->wanted, arena_printf(r->a, "%.*s.%.*s", SLICE_ARG(version), SLICE_ARG(group)),
            gv);
  }
}

static bool look(void *ctx, val *service) {
  services_run *r = ctx;
  slice name = object_name(service);
  slice managed = val_get_str(val_path(service, "metadata.labels"), LABEL);
  if (val_get(r->wanted, name)) val_del(r->wanted, name);
  else if (slice_is(managed, "true")) val_set(r->a, r->there, name, service);
  return true;
}

/* A local one is available as soon as it is there. */
static void prepare(arena *a, val *obj) {
  val *status = val_map(a), *list = val_list(a);
  crd_condition_set(a, status, "Available", "True", SLICE_LIT("Local"),
                    SLICE_LIT("Local APIServices are always available"),
                    val_get_str(obj, "now"));
  val_append(a, list, val_at(val_getc(status, "conditions"), 0));
  val_delc(obj, "now");
  val_setc(a, status, "conditions", list);
  val_setc(a, obj, "status", status);
}

static void make(services_run *r, slice name, const val *gv) {
  arena *a = r->a;
  val *obj = val_map(a), *labels = val_map(a), *spec = val_map(a);
  val_setc(a, obj, "kind", val_cstr(a, "APIService"));
  val_setc(a, obj, "apiVersion", val_cstr(a, "apiregistration.k8s.io/v1"));
  object_set_str(a, obj, "name", name);
  val_setc(a, labels, LABEL, val_cstr(a, "true"));
  val_setc(a, object_meta(a, obj), "labels", labels);
  val_setc(a, spec, "group", val_getc(gv, "group"));
  val_setc(a, spec, "version", val_getc(gv, "version"));
  val_setc(a, spec, "groupPriorityMinimum", val_int(a, PRIORITY_GROUP));
  val_setc(a, spec, "versionPriority", val_int(a, PRIORITY_VERSION));
  val_setc(a, obj, "spec", spec);
  val_setc(a, obj, "now", val_string(a, time_text(a, r->s->env->wall_ns / 1000000000)));
  registry_create_prepared(r->s, a, r->services, obj, SLICE_LIT("kube-apiserver"), prepare);
}

void crd_services_run(server *s, arena *a, const val *all) {
  services_run r = {.s = s, .a = a, .wanted = val_map(a), .there = val_map(a),
                    .services = schema_resource(SLICE_LIT("apiregistration.k8s.io"),
                                                SLICE_LIT("v1"), SLICE_LIT("apiservices"))};
  for (uint32_t i = 0; i < val_len(all); i++) note_wanted(&r, val_at(all, i));
  registry_each(s, a, r.services, SLICE_NONE, look, &r);
  VAL_EACH(e, r.wanted) make(&r, e->key, e->value);
  VAL_EACH(e, r.there) registry_remove(s, a, r.services, SLICE_NONE, e->key);
}
