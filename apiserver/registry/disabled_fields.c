/* A row a field; of a pod's spec, wherever it stands, the rules are below. */
#include "registry/disabled_fields.h"

#include "server.h"

static const struct field_row {
  const char *group, *resource, *parent, *field;
} field_rows[] = {
    {"", "nodes", "spec", "configSource"},
    {"", "nodes", "status", "config"},
    {"apps", "statefulsets", "spec.updateStrategy.rollingUpdate", "maxUnavailable"},
    {"storage.k8s.io", "csidrivers", "spec", "preventPodSchedulingIfMissing"},
};

/* Where a kind has its pod spec. */
static const struct pod_row {
  const char *group, *resource, *path;
} pod_rows[] = {
    {"", "pods", "spec"},
    {"", "podtemplates", "template.spec"},
    {"", "replicationcontrollers", "spec.template.spec"},
    {"apps", "daemonsets", "spec.template.spec"},
    {"apps", "deployments", "spec.template.spec"},
    {"apps", "replicasets", "spec.template.spec"},
    {"apps", "statefulsets", "spec.template.spec"},
    {"batch", "cronjobs", "spec.jobTemplate.spec.template.spec"},
    {"batch", "jobs", "spec.template.spec"},
};

static const char *const container_lists[] = {"initContainers", "containers",
                                              "ephemeralContainers"};

static bool any_stop_signal(const val *spec) {
  for (size_t k = 0; k < 3; k++) {
    const val *list = val_getc(spec, container_lists[k]);
    for (uint32_t i = 0; i < val_len(list); i++) {
      if (val_path(val_at(list, i), "lifecycle.stopSignal")) return true;
    }
  }
  return false;
}

static void drop_stop_signals(val *spec) {
  for (size_t k = 0; k < 3; k++) {
    val *list = val_getc(spec, container_lists[k]);
    for (uint32_t i = 0; i < val_len(list); i++) {
      val *container = val_at(list, i), *lifecycle = val_getc(container, "lifecycle");
      if (!val_is_map(lifecycle) || !val_delc(lifecycle, "stopSignal")) continue;
      if (val_len(lifecycle) == 0) val_delc(container, "lifecycle");
    }
  }
}

/* Has one of the projected volumes' sources the field? */
static bool any_source(const val *spec, const char *field) {
  const val *volumes = val_getc(spec, "volumes");
  for (uint32_t i = 0; i < val_len(volumes); i++) {
    const val *sources = val_path(val_at(volumes, i), "projected.sources");
    for (uint32_t k = 0; k < val_len(sources); k++) {
      if (val_getc(val_at(sources, k), field)) return true;
    }
  }
  return false;
}

static void drop_sources(val *spec, const char *field) {
  const val *volumes = val_getc(spec, "volumes");
  for (uint32_t i = 0; i < val_len(volumes); i++) {
    const val *sources = val_path(val_at(volumes, i), "projected.sources");
    for (uint32_t k = 0; k < val_len(sources); k++) {
      if (val_is_map(val_at(sources, k))) val_delc(val_at(sources, k), field);
    }
  }
}

/* Gates that --feature-gates can open: places in served_gates. */
enum { GATE_POD_CERTIFICATE = 1, GATE_WORKLOAD = 2 };

static void pod_spec_drop(request *rq, val *spec, const val *old) {
  const served_set *s = &rq->server->options.served;
  if (!val_is_map(spec)) return;
  bool grouped = served_gate(s, GATE_WORKLOAD) || val_getc(old, "schedulingGroup");
  if (!grouped) val_delc(spec, "schedulingGroup");
  if (!any_source(old, "clusterTrustBundle")) drop_sources(spec, "clusterTrustBundle");
  bool certified = served_gate(s, GATE_POD_CERTIFICATE) || any_source(old, "podCertificate");
  if (!certified) drop_sources(spec, "podCertificate");
  if (!any_stop_signal(old)) drop_stop_signals(spec);
}

static bool is_row(const resource_info *r, const char *group, const char *resource) {
  return slice_is(r->group, group) && slice_is(r->resource, resource);
}

void disabled_fields_drop(request *rq, val *obj, const val *old) {
  const resource_info *r = rq->resource;
  for (size_t i = 0; i < sizeof field_rows / sizeof *field_rows; i++) {
    const struct field_row *row = &field_rows[i];
    if (!is_row(r, row->group, row->resource)) continue;
    val *parent = val_path(obj, row->parent);
    if (val_is_map(parent) && !val_getc(val_path(old, row->parent), row->field)) {
      val_delc(parent, row->field);
    }
  }
  for (size_t i = 0; i < sizeof pod_rows / sizeof *pod_rows; i++) {
    const struct pod_row *row = &pod_rows[i];
    if (!is_row(r, row->group, row->resource)) continue;
    pod_spec_drop(rq, val_path(obj, row->path), val_path(old, row->path));
    return;
  }
}
