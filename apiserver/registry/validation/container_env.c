/* Environment variables and the references that they and downward API volumes share. */
#include "registry/validation/pod_checks.h"

static void key_selector_check(field_errors *e, const path *p, const val *ref) {
  text_at(e, p, ref, "name", TEXT_DNS1123_SUBDOMAIN);
  text_needed(e, p, ref, "key", TEXT_CONFIG_MAP_KEY);
}

static void file_selector_check(field_errors *e, const path *p, const val *ref) {
  path at = path_child(p, "path");
  text_needed(e, p, ref, "key", TEXT_ENV_VAR_NAME);
  text_needed(e, p, ref, "volumeName", TEXT_DNS1123_LABEL);
  if (need(e, p, ref, "path", "")) path_no_backsteps(e, &at, val_get_str(ref, "path"));
}

static const char *const env_paths[] = {"metadata.name",
                                        "metadata.namespace",
                                        "metadata.uid",
                                        "spec.nodeName",
                                        "spec.serviceAccountName",
                                        "status.hostIP",
                                        "status.hostIPs",
                                        "status.podIP",
                                        "status.podIPs",
                                        NULL};
static const char *const volume_paths[] = {"metadata.annotations", "metadata.labels",
                                           "metadata.name",        "metadata.namespace",
                                           "metadata.uid",         NULL};
/* What a version's field labels may be at all. */
static const char *const known_paths[] = {
    "metadata.annotations", "metadata.labels", "metadata.name",      "metadata.namespace",
    "metadata.uid",         "spec.nodeName",   "spec.restartPolicy", "spec.serviceAccountName",
    "spec.schedulerName",   "status.phase",    "status.hostIP",      "status.hostIPs",
    "status.podIP",         "status.podIPs",   "spec.host",          NULL};

/* path['key']; false when it has none. */
static bool subscripted(slice text, slice *path_out, slice *key) {
  ptrdiff_t open = slice_find(text, SLICE_LIT("['"));
  if (!slice_has_suffix(text, SLICE_LIT("']")) || open <= 0) return false;
  *path_out = slice_upto(text, (size_t)open);
  *key = slice_of(text.ptr + open + 2, text.len - (size_t)open - 4);
  return true;
}

static slice lower(arena *a, slice s) {
  char *p = arena_cstr(a, s);
  for (size_t i = 0; i < s.len; i++) {
    if (p[i] >= 'A' && p[i] <= 'Z') p[i] = (char)(p[i] + 32);
  }
  return slice_of(p, s.len);
}

void field_selector_check(field_errors *e, const path *p, const val *ref, bool volume) {
  slice version = val_get_str(ref, "apiVersion"), text = val_get_str(ref, "fieldPath"), head, key;
  path at = path_child(p, "fieldPath");
  const char *const *choices = volume ? volume_paths : env_paths;
  if (!need(e, p, ref, "apiVersion", "") || !need(e, p, ref, "fieldPath", "")) return;
  if (!slice_is(version, "v1")) {
    field_invalid_str(e, &at, text, "error converting fieldPath: unsupported pod version: %.*s",
                      SLICE_ARG(version));
    return;
  }
  if (subscripted(text, &head, &key)) {
    if (slice_is(head, "metadata.annotations"))
      text_check(e, p, TEXT_LABEL_KEY, lower(e->a, key));
    else if (slice_is(head, "metadata.labels"))
      text_check(e, p, TEXT_LABEL_KEY, key);
    else
      field_invalid_str(e, &at, text,
                        "error converting fieldPath: field label does not support subscript: %.*s",
                        SLICE_ARG(text));
    return;
  }
  if (!one_of(text, known_paths)) {
    field_invalid_str(e, &at, text, "error converting fieldPath: field label not supported: %.*s",
                      SLICE_ARG(text));
    return;
  }
  if (slice_is(text, "spec.host")) text = SLICE_LIT("spec.nodeName");
  if (!one_of(text, choices)) unsupported(e, p, "fieldPath", text, choices);
}

static const char *const resource_paths[] = {"limits.cpu",
                                             "limits.ephemeral-storage",
                                             "limits.memory",
                                             "requests.cpu",
                                             "requests.ephemeral-storage",
                                             "requests.memory",
                                             NULL};
static const char *const byte_divisors[] = {"1",   "1k",  "1M",  "1G",  "1T",  "1P",  "1E",
                                            "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei", NULL};

#define BYTES_ONLY                                                                               \
  "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported " \
  "with the "

static bool huge(slice name) {
  return slice_has_prefix(name, SLICE_LIT("requests.hugepages-")) ||
         slice_has_prefix(name, SLICE_LIT("limits.hugepages-"));
}

static void divisor_check(field_errors *e, const path *p, slice name, slice divisor) {
  if (divisor.len == 0 || quantity_cmp(divisor, SLICE_LIT("0")) == 0) return;
  const char *why = NULL;
  if (slice_has_suffix(name, SLICE_LIT(".cpu"))) {
    if (!one_of(divisor, CHOICES("1m", "1")))
      why = "only divisor's values 1m and 1 are supported with the cpu resource";
  } else if (!one_of(divisor, byte_divisors)) {
    if (one_of(name, CHOICES("limits.memory", "requests.memory")))
      why = BYTES_ONLY "memory resource";
    else if (slice_has_suffix(name, SLICE_LIT(".ephemeral-storage")))
      why = BYTES_ONLY "local ephemeral storage resource";
    else if (huge(name))
      why = BYTES_ONLY "hugepages resource";
  }
  if (why) refuse_str(e, p, "divisor", name, why);
}

void resource_selector_check(field_errors *e, const path *p, const val *ref, bool volume) {
  slice name = val_get_str(ref, "resource");
  if (volume && val_get_str(ref, "containerName").len == 0)
    require(e, p, "containerName", "");
  else if (name.len == 0)
    require(e, p, "resource", "");
  else if (!one_of(name, resource_paths) && !huge(name))
    unsupported(e, p, "resource", name, resource_paths);
  divisor_check(e, p, name, val_get_str(ref, "divisor"));
}

static void value_from_check(field_errors *e, const path *p, const val *var) {
  static const char *const keys[] = {"fieldRef", "resourceFieldRef", "configMapKeyRef",
                                     "secretKeyRef", "fileKeyRef"};
  const val *from = val_getc(var, "valueFrom");
  int found = 0;
  if (!from) return;
  for (size_t i = 0; i < 5; i++) {
    const val *ref = val_getc(from, keys[i]);
    path at = path_child(p, keys[i]);
    if (!ref) continue;
    found++;
    if (i == 0)
      field_selector_check(e, &at, ref, false);
    else if (i == 1)
      resource_selector_check(e, &at, ref, false);
    else if (i == 4)
      file_selector_check(e, &at, ref);
    else
      key_selector_check(e, &at, ref);
  }
  if (found == 0) {
    bool files = allowed_by(e, FEATURE_ENV_FILES);
    refuse_str(e, p, NULL, SLICE_LIT(""),
               files ? "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, "
                       "`secretKeyRef` or `fileKeyRef`"
                     : "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or "
                       "`secretKeyRef`");
  } else if (val_get_str(var, "value").len) {
    refuse_str(e, p, NULL, SLICE_LIT(""), "may not be specified when `value` is not empty");
  } else if (found > 1) {
    refuse_str(e, p, NULL, SLICE_LIT(""), "may not have more than one field specified at a time");
  }
}

void env_validate(pod_view *w, const path *p, const val *list) {
  EACH_ITEM(i, list) {
    path at = path_index(p, i), from = path_child(&at, "valueFrom");
    text_needed(w->errs, &at, val_at(list, i), "name", TEXT_ENV_VAR_NAME);
    value_from_check(w->errs, &from, val_at(list, i));
  }
}

/* A name that may be a beginning, as these references check it. */
static void prefix_name_check(field_errors *e, const path *p, const val *ref) {
  slice name = val_get_str(ref, "name"), texts[4];
  path at = path_child(p, "name");
  if (!need(e, p, ref, "name", "")) return;
  uint32_t n = text_problems(e->a, TEXT_DNS1123_SUBDOMAIN, name, true, texts);
  for (uint32_t i = 0; i < n; i++) field_invalid_str(e, &at, name, "%.*s", SLICE_ARG(texts[i]));
}

void env_from_validate(pod_view *w, const path *p, const val *list) {
  field_errors *e = w->errs;
  EACH_ITEM(i, list) {
    const val *item = val_at(list, i), *map = val_getc(item, "configMapRef"),
              *secret = val_getc(item, "secretRef");
    path at = path_index(p, i), at_map = path_child(&at, "configMapRef"),
         at_secret = path_child(&at, "secretRef");
    text_if_set(e, &at, item, "prefix", TEXT_ENV_VAR_NAME);
    if (map) prefix_name_check(e, &at_map, map);
    if (secret) prefix_name_check(e, &at_secret, secret);
    if (!map && !secret)
      refuse_str(e, p, NULL, SLICE_LIT(""), "must specify one of: `configMapRef` or `secretRef`");
    else if (map && secret)
      refuse_str(e, p, NULL, SLICE_LIT(""), "may not have more than one field specified at a time");
  }
}
