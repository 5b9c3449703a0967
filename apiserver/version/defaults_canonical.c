/* defaults_canonical: what a trip through the real server's internal types does to an object
 * although no default says so: twin fields kept equal, dead annotations dropped.
 * Sources: pkg/apis/core/v1/conversion.go, pkg/apis/apps/v1/conversion.go. */
#include "codec/codec.h"
#include "version/defaults_plan.h"
#include "version/canonical.h"

void canonical_drop_annotations(val *meta, const char *const *names) {
  val *annotations = val_getc(meta, "annotations");
  if (!val_len(annotations)) return;
  for (; *names; names++) val_delc(annotations, *names);
  if (!val_len(annotations)) val_delc(meta, "annotations");
}

static const char *const init_annotations[] = {
    "pod.beta.kubernetes.io/init-containers",
    "pod.alpha.kubernetes.io/init-containers",
    "pod.beta.kubernetes.io/init-container-statuses",
    "pod.alpha.kubernetes.io/init-container-statuses",
    NULL,
};

void canonical_pod(arena *a, val *v) {
  canonical_drop_annotations(val_getc(v, "metadata"), init_annotations);
  val *spec = val_getc(v, "spec");
  if (val_i64(val_getc(spec, "terminationGracePeriodSeconds")) < 0) {
    val_setc(a, spec, "terminationGracePeriodSeconds", val_int(a, 1));
  }
}

void default_pod_template(arena *a, val *v) {
  (void)a;
  canonical_drop_annotations(val_getc(v, "metadata"), init_annotations);
}

/* serviceAccount is the old name of serviceAccountName. */
void default_pod_spec(arena *a, val *v) {
  slice name = val_get_str(v, "serviceAccountName"), old = val_get_str(v, "serviceAccount");
  if (!name.len && old.len) val_setc(a, v, "serviceAccountName", val_string(a, old));
  if (name.len && !slice_eq(name, old)) val_setc(a, v, "serviceAccount", val_string(a, name));
}

/* The single value leads; alone it makes the list, and the list's first makes it. */
static void pair_align(arena *a, val *v, const char *one, const char *many, const char *inner) {
  slice single = val_get_str(v, one);
  val *list = val_getc(v, many), *first = val_at(list, 0);
  slice head = inner ? val_get_str(first, inner) : val_str(first);
  if (!single.len && head.len) val_setc(a, v, one, val_string(a, head));
  if (!single.len || (val_len(list) && slice_eq(single, head))) return;
  val *item = val_string(a, single), *fresh = val_list(a);
  if (inner) {
    val *wrapped = val_map(a);
    val_setc(a, wrapped, inner, item);
    item = wrapped;
  }
  val_append(a, fresh, item);
  val_setc(a, v, many, fresh);
}

void default_pod_status(arena *a, val *v) { pair_align(a, v, "podIP", "podIPs", "ip"); }

void default_node_spec(arena *a, val *v) { pair_align(a, v, "podCIDR", "podCIDRs", NULL); }

/* stringData is for writing only; it wins over data. */
void default_secret(arena *a, val *v) {
  const val *plain = val_getc(v, "stringData");
  if (val_len(plain)) {
    val *data = val_ensure_map(a, v, "data");
    VAL_EACH(e, plain) val_set(a, data, e->key, val_string(a, base64_encode(a, val_str(e->value))));
  }
  val_delc(v, "stringData");
}

/* An internal field, carried in an annotation by the served version; raised by the write path. */
void canonical_daemon_set(arena *a, val *v) {
  val *meta = val_ensure_map(a, v, "metadata");
  val *annotations = val_ensure_map(a, meta, "annotations");
  if (!val_getc(annotations, "deprecated.daemonset.template.generation")) {
    val_setc(a, annotations, "deprecated.daemonset.template.generation", val_cstr(a, "0"));
  }
}

void canonical_deployment(val *v) {
  static const char *const names[] = {"deprecated.deployment.rollback.to", NULL};
  val *meta = val_getc(v, "metadata");
  const val *to = val_getc(val_getc(meta, "annotations"), names[0]);
  if (to && !val_str(to).len) canonical_drop_annotations(meta, names);
}

/* Claim templates always say what they are. */
void canonical_stateful_set(arena *a, val *v) {
  const val *templates = val_path(v, "spec.volumeClaimTemplates");
  for (uint32_t i = 0; i < val_len(templates); i++) {
    val *claim = val_at(templates, i);
    if (!val_is_map(claim)) continue;
    val_setc(a, claim, "apiVersion", val_cstr(a, "v1"));
    val_setc(a, claim, "kind", val_cstr(a, "PersistentVolumeClaim"));
  }
}
