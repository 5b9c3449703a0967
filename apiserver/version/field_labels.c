/* field_labels: what a field selector may name, and where its value is.
 *
 * Sources: the AddFieldLabelConversionFunc calls under pkg/apis, the ToSelectableFields
 * functions under pkg/registry. Kinds without rows have metadata.name and
 * metadata.namespace. Values are looked up in the stored form of the object. */
#include "version/version.h"

#include "base/quote.h"
#include "crd/crd.h"
#include "crd/crd_path.h"
#include <stdio.h>

typedef enum label_form {
  LABEL_TEXT, /* "" when missing */
  LABEL_BOOL, /* "false" when missing */
  LABEL_INT, /* "0" when missing */
  LABEL_EMPTY, /* known, but never has a value */
  LABEL_EVENT_SOURCE,
  LABEL_POD_IP,
} label_form;

typedef struct label_row {
  const char *group, *kind, *label, *path;
  label_form form;
} label_row;

#define EVENT(group, prefix)                                                                  \
  {group, "Event", "metadata.name", "metadata.name", LABEL_TEXT},                             \
      {group, "Event", "metadata.namespace", "metadata.namespace", LABEL_TEXT},               \
      {group, "Event", prefix ".kind", "involvedObject.kind", LABEL_TEXT},                    \
      {group, "Event", prefix ".namespace", "involvedObject.namespace", LABEL_TEXT},          \
      {group, "Event", prefix ".name", "involvedObject.name", LABEL_TEXT},                    \
      {group, "Event", prefix ".uid", "involvedObject.uid", LABEL_TEXT},                      \
      {group, "Event", prefix ".apiVersion", "involvedObject.apiVersion", LABEL_TEXT},        \
      {group, "Event", prefix ".resourceVersion", "involvedObject.resourceVersion",           \
       LABEL_TEXT},                                                                           \
      {group, "Event", prefix ".fieldPath", "involvedObject.fieldPath", LABEL_TEXT},          \
      {group, "Event", "reason", "reason", LABEL_TEXT},                                       \
      {group, "Event", "type", "type", LABEL_TEXT}

static const label_row rows[] = {
    EVENT("", "involvedObject"),
    {"", "Event", "reportingComponent", "reportingComponent", LABEL_TEXT},
    {"", "Event", "source", "", LABEL_EVENT_SOURCE},
    {"", "Namespace", "metadata.name", "metadata.name", LABEL_TEXT},
    {"", "Namespace", "status.phase", "status.phase", LABEL_TEXT},
    {"", "Node", "metadata.name", "metadata.name", LABEL_TEXT},
    {"", "Node", "spec.unschedulable", "spec.unschedulable", LABEL_BOOL},
    {"", "Pod", "metadata.name", "metadata.name", LABEL_TEXT},
    {"", "Pod", "metadata.namespace", "metadata.namespace", LABEL_TEXT},
    {"", "Pod", "spec.nodeName", "spec.nodeName", LABEL_TEXT},
    {"", "Pod", "spec.host", "spec.nodeName", LABEL_TEXT},
    {"", "Pod", "spec.restartPolicy", "spec.restartPolicy", LABEL_TEXT},
    {"", "Pod", "spec.schedulerName", "spec.schedulerName", LABEL_TEXT},
    {"", "Pod", "spec.serviceAccountName", "spec.serviceAccountName", LABEL_TEXT},
    {"", "Pod", "spec.hostNetwork", "spec.hostNetwork", LABEL_BOOL},
    {"", "Pod", "status.phase", "status.phase", LABEL_TEXT},
    {"", "Pod", "status.podIP", "", LABEL_POD_IP},
    {"", "Pod", "status.podIPs", "", LABEL_EMPTY},
    {"", "Pod", "status.nominatedNodeName", "status.nominatedNodeName", LABEL_TEXT},
    {"", "ReplicationController", "metadata.name", "metadata.name", LABEL_TEXT},
    {"", "ReplicationController", "metadata.namespace", "metadata.namespace", LABEL_TEXT},
    {"", "ReplicationController", "status.replicas", "status.replicas", LABEL_INT},
    {"", "Secret", "metadata.name", "metadata.name", LABEL_TEXT},
    {"", "Secret", "metadata.namespace", "metadata.namespace", LABEL_TEXT},
    {"", "Secret", "type", "type", LABEL_TEXT},
    {"", "Service", "metadata.name", "metadata.name", LABEL_TEXT},
    {"", "Service", "metadata.namespace", "metadata.namespace", LABEL_TEXT},
    {"", "Service", "spec.clusterIP", "spec.clusterIP", LABEL_TEXT},
    {"", "Service", "spec.type", "spec.type", LABEL_TEXT},
    {"batch", "Job", "metadata.name", "metadata.name", LABEL_TEXT},
    {"batch", "Job", "metadata.namespace", "metadata.namespace", LABEL_TEXT},
    {"batch", "Job", "status.successful", "status.succeeded", LABEL_INT},
    {"certificates.k8s.io", "CertificateSigningRequest", "metadata.name", "metadata.name",
     LABEL_TEXT},
    {"certificates.k8s.io", "CertificateSigningRequest", "spec.signerName", "spec.signerName",
     LABEL_TEXT},
    EVENT("events.k8s.io", "regarding"),
    {"events.k8s.io", "Event", "reportingController", "reportingComponent", LABEL_TEXT},
    {"certificates.k8s.io", "ClusterTrustBundle", "metadata.name", "metadata.name", LABEL_TEXT},
    {"certificates.k8s.io", "ClusterTrustBundle", "spec.signerName", "spec.signerName",
     LABEL_TEXT},
    {"certificates.k8s.io", "PodCertificateRequest", "metadata.name", "metadata.name", LABEL_TEXT},
    {"certificates.k8s.io", "PodCertificateRequest", "spec.signerName", "spec.signerName",
     LABEL_TEXT},
    {"certificates.k8s.io", "PodCertificateRequest", "spec.podName", "spec.podName", LABEL_TEXT},
    {"certificates.k8s.io", "PodCertificateRequest", "spec.nodeName", "spec.nodeName", LABEL_TEXT},
    {"resource.k8s.io", "ResourceSlice", "metadata.name", "metadata.name", LABEL_TEXT},
    {"resource.k8s.io", "ResourceSlice", "spec.nodeName", "spec.nodeName", LABEL_TEXT},
    {"resource.k8s.io", "ResourceSlice", "spec.driver", "spec.driver", LABEL_TEXT},
    {NULL, NULL, "metadata.name", "metadata.name", LABEL_TEXT},
    {NULL, NULL, "metadata.namespace", "metadata.namespace", LABEL_TEXT},
};

static bool kind_is(const label_row *row, const resource_info *r) {
  return row->kind && slice_is(r->group, row->group) && slice_is(r->kind, row->kind);
}

static const label_row *label_find(const resource_info *r, slice label) {
  bool own = false;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    if (!rows[i].kind && own) return NULL;
    bool mine = kind_is(&rows[i], r);
    own = own || mine;
    if ((mine || !rows[i].kind) && slice_is(label, rows[i].label)) return &rows[i];
  }
  return NULL;
}

static bool custom_label(const resource_info *r, slice label) {
  if (slice_is(label, "metadata.name")) return true;
  if (slice_is(label, "metadata.namespace")) return r->namespaced;
  for (uint32_t i = 0; i < r->custom->selectable_count; i++) {
    if (slice_eq(r->custom->selectable[i], label)) return true;
  }
  return false;
}

/* As the path prints it. */
static slice custom_value(arena *a, const val *obj, slice label) {
  const val *v = crd_path_first(obj, label);
  if (val_is_int(v)) return arena_printf(a, "%lld", (long long)val_i64(v));
  if (val_is_bool(v)) return val_true(v) ? SLICE_LIT("true") : SLICE_LIT("false");
  return val_is_string(v) ? val_str(v) : SLICE_LIT("");
}

bool version_field_label_known(const resource_info *r, slice label) {
  if (r->custom) return custom_label(r, label);
  return label_find(r, label) != NULL;
}

slice version_field_label_error(arena *a, const resource_info *r, slice label) {
  if (r->custom) return arena_printf(a, "field label not supported: %.*s", SLICE_ARG(label));
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    if (!kind_is(&rows[i], r)) continue;
    if (slice_is(r->kind, "Job")) {
      slice quoted = go_quote(a, label);
      return arena_printf(a, "field label %.*s not supported for Job", SLICE_ARG(quoted));
    }
    if (slice_is(r->kind, "ResourceSlice")) {
      return arena_printf(a,
                          "field label not supported for resource.k8s.io/%.*s, "
                          "Kind=ResourceSlice: %.*s",
                          SLICE_ARG(r->version), SLICE_ARG(label));
    }
    return arena_printf(a, "field label not supported: %.*s", SLICE_ARG(label));
  }
  slice shown = go_quote(a, label);
  return arena_printf(a,
                      "%.*s is not a known field selector: only \"metadata.name\", "
                      "\"metadata.namespace\"",
                      SLICE_ARG(shown));
}

static slice event_source(const val *obj) {
  slice component = val_get_str(val_getc(obj, "source"), "component");
  return component.len ? component : val_get_str(obj, "reportingComponent");
}

slice version_field_label_value(arena *a, const resource_info *r, const val *obj, slice label) {
  if (r->custom) return custom_value(a, obj, label);
  const label_row *row = label_find(r, label);
  if (!row) return SLICE_LIT("");
  const val *value = row->path[0] ? val_path(obj, row->path) : NULL;
  switch (row->form) {
  case LABEL_TEXT: return value ? val_str(value) : SLICE_LIT("");
  case LABEL_BOOL: return val_true(value) ? SLICE_LIT("true") : SLICE_LIT("false");
  case LABEL_INT: return arena_printf(a, "%lld", (long long)val_i64(value));
  case LABEL_EVENT_SOURCE: return event_source(obj);
  case LABEL_POD_IP:
    return val_get_str(val_at(val_path(obj, "status.podIPs"), 0), "ip");
  case LABEL_EMPTY: break;
  }
  return SLICE_LIT("");
}
