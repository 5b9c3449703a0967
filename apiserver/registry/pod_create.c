/* What a new pod's strategy fills in beyond its status: keys of its labels in the selectors that
 * ask for them, and AppArmor profiles from the annotations that came before the field. Source:
 * pkg/registry/core/pod/strategy.go. */
#include "registry/pod_create.h"

#include "base/quote.h"
#include "registry/field_error.h"

static void keys_merge(arena *a, val *selector, const val *keys, const char *operator,
                       const val *labels) {
  for (uint32_t i = 0; i < val_len(keys); i++) {
    slice key = val_str(val_at(keys, i));
    const val *value = val_get(labels, key);
    if (!value) continue;
    val *item = val_map(a), *values = val_list(a);
    val_append(a, values, val_string(a, val_str(value)));
    val_setc(a, item, "key", val_string(a, key));
    val_setc(a, item, "operator", val_cstr(a, operator));
    val_setc(a, item, "values", values);
    val_append(a, val_ensure_list(a, selector, "matchExpressions"), item);
  }
}

static void term_merge(arena *a, val *term, const val *labels) {
  val *selector = val_getc(term, "labelSelector");
  if (!selector) return;
  keys_merge(a, selector, val_getc(term, "matchLabelKeys"), "In", labels);
  keys_merge(a, selector, val_getc(term, "mismatchLabelKeys"), "NotIn", labels);
}

void pod_label_keys_merge(arena *a, val *pod) {
  static const char *const kinds[] = {"podAffinity", "podAntiAffinity"};
  const val *labels = val_path(pod, "metadata.labels"), *affinity = val_path(pod, "spec.affinity"),
            *spread = val_path(pod, "spec.topologySpreadConstraints");
  for (size_t k = 0; k < 2; k++) {
    const val *terms = val_getc(affinity, kinds[k]);
    const val *may = val_getc(terms, "preferredDuringSchedulingIgnoredDuringExecution"),
              *must = val_getc(terms, "requiredDuringSchedulingIgnoredDuringExecution");
    for (uint32_t i = 0; i < val_len(may); i++)
      term_merge(a, val_getc(val_at(may, i), "podAffinityTerm"), labels);
    for (uint32_t i = 0; i < val_len(must); i++) term_merge(a, val_at(must, i), labels);
  }
  for (uint32_t i = 0; i < val_len(spread); i++) {
    val *item = val_at(spread, i), *selector = val_getc(item, "labelSelector");
    if (selector) keys_merge(a, selector, val_getc(item, "matchLabelKeys"), "In", labels);
  }
}

val *apparmor_from_annotation(arena *a, slice text) {
  val *profile = val_map(a);
  const char *type = slice_is(text, "unconfined")        ? "Unconfined"
                     : slice_is(text, "runtime/default") ? "RuntimeDefault"
                                                         : "Localhost";
  val_setc(a, profile, "type", val_cstr(a, type));
  if (strcmp(type, "Localhost") != 0) return profile;
  slice name = slice_has_prefix(text, SLICE_LIT("localhost/")) ? slice_from(text, 10) : SLICE_NONE;
  if (name.len == 0) return NULL;
  val_setc(a, profile, "localhostProfile", val_string(a, name));
  return profile;
}

/* A profile's name that validation of the field would refuse is not taken over. */
static bool profile_is_valid(const val *profile) {
  slice name = val_get_str(profile, "localhostProfile");
  return name.len <= 4095 && slice_eq(slice_trim(name), name);
}

static void container_sync(request *rq, val *container, const val *notes, const val *pod_profile) {
  arena *a = rq->arena;
  slice name = val_get_str(container, "name");
  slice key = arena_printf(a, APPARMOR_ANNOTATION "%.*s", SLICE_ARG(name));
  const val *note = val_get(notes, key);
  if (!note || val_path(container, "securityContext.appArmorProfile")) return;
  val *profile = apparmor_from_annotation(a, val_str(note));
  if (profile && !profile_is_valid(profile)) profile = NULL;
  bool same = profile && pod_profile && val_equal(profile, pod_profile);
  if (same) return;
  if (profile)
    val_setc(a, val_ensure_map(a, container, "securityContext"), "appArmorProfile", profile);
  request_warn(rq, arena_printf(a, "metadata.annotations[%.*s]: " APPARMOR_WORDS, SLICE_ARG(key)));
}

void pod_apparmor_sync(request *rq, val *pod) {
  static const char *const lists[] = {"initContainers", "containers", "ephemeralContainers"};
  const val *notes = val_path(pod, "metadata.annotations"), *spec = val_getc(pod, "spec");
  if (val_len(notes) == 0 || slice_is(val_str(val_path(spec, "os.name")), "windows")) return;
  for (size_t k = 0; k < 3; k++) {
    const val *list = val_getc(spec, lists[k]);
    for (uint32_t i = 0; i < val_len(list); i++)
      container_sync(rq, val_at(list, i), notes, val_path(spec, "securityContext.appArmorProfile"));
  }
}
