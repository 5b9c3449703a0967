/* ConfigMaps, Secrets and Namespaces. Source: pkg/apis/core/validation/validation.go. */
#include "registry/validation/pod_checks.h"
#include "registry/validation/rows.h"

#include "codec/codec.h"

#define MAX_DATA_BYTES ((size_t)1024 * 1024)

static size_t bytes_of(const val *v, bool base64) {
  size_t n = val_str(v).len;
  return base64 ? n / 4 * 3 : n;
}

static size_t keys_check(field_errors *errs, const path *p, const val *data, const val *other,
                         bool base64) {
  size_t total = 0;
  VAL_EACH(e, data) {
    path at = path_key(p, e->key);
    text_check(errs, &at, TEXT_CONFIG_MAP_KEY, e->key);
    if (val_get(other, e->key)) {
      field_invalid_str(errs, &at, e->key, "duplicate of key present in %s",
                        base64 ? "data" : "binaryData");
    }
    total += bytes_of(e->value, base64);
  }
  return total;
}

static const char immutable_text[] = "field is immutable when `immutable` is set";

static bool same(const val *a, const val *b) {
  return (val_is_empty(a) && val_is_empty(b)) || val_equal(a, b);
}

/* Once `immutable`, the parts and the mark itself stay. */
static void frozen_check(const validate_args *v, const char *const *parts) {
  if (!v->old || !val_true(val_getc(v->old, "immutable"))) return;
  path mark = path_root("immutable");
  if (!val_true(val_getc(v->obj, "immutable")))
    field_forbidden(v->errs, &mark, "%s", immutable_text);
  for (size_t i = 0; parts[i]; i++) {
    path p = path_root(parts[i]);
    if (!same(val_getc(v->obj, parts[i]), val_getc(v->old, parts[i])))
      field_forbidden(v->errs, &p, "%s", immutable_text);
  }
}

void validate_configmap(const validate_args *v) {
  path data = path_root("data"), binary = path_root("binaryData"), none = path_root("[]"); /* of an empty path, as Go prints it */
  const val *d = val_getc(v->obj, "data"), *b = val_getc(v->obj, "binaryData");
  core_meta_both(v, TEXT_DNS1123_SUBDOMAIN);
  size_t total = keys_check(v->errs, &data, d, b, false);
  total += keys_check(v->errs, &binary, b, NULL, true);
  if (total > MAX_DATA_BYTES) field_too_long(v->errs, &none, (int64_t)MAX_DATA_BYTES);
  frozen_check(v, (const char *const[]){"data", "binaryData", NULL});
}

/* What a Secret's type demands of its data. */
static const struct {
  const char *type;
  const char *keys[3]; /* required ones */
  bool any;            /* one of them is enough */
} secret_types[] = {
    {"kubernetes.io/dockercfg", {".dockercfg"}, false},
    {"kubernetes.io/dockerconfigjson", {".dockerconfigjson"}, false},
    {"kubernetes.io/basic-auth", {"username", "password"}, true},
    {"kubernetes.io/ssh-auth", {"ssh-privatekey"}, false},
    {"kubernetes.io/tls", {"tls.crt", "tls.key"}, false},
};

/* *error: the decoder's own words. */
static bool is_json(arena *a, slice base64, slice *error) {
  slice bytes;
  return base64_decode(a, base64, &bytes) && json_parse(a, bytes, NULL, error) != NULL;
}

static void secret_type_check(const validate_args *v, slice type) {
  const val *data = val_getc(v->obj, "data");
  path root = path_root("data");
  if (slice_is(type, "kubernetes.io/service-account-token")) {
    path meta = path_root("metadata"), notes = path_child(&meta, "annotations");
    path key = path_key(&notes, SLICE_LIT("kubernetes.io/service-account.name"));
    const val *n = val_path(v->obj, "metadata.annotations");
    if (val_get_str(n, "kubernetes.io/service-account.name").len == 0)
      field_required(v->errs, &key, "%s", "");
    return;
  }
  for (size_t i = 0; i < sizeof secret_types / sizeof *secret_types; i++) {
    if (!slice_is(type, secret_types[i].type)) continue;
    bool json = i < 2, found = false;
    for (size_t k = 0; k < 3 && secret_types[i].keys[k]; k++)
      found = found || val_getc(data, secret_types[i].keys[k]);
    for (size_t k = 0; k < 3 && secret_types[i].keys[k]; k++) {
      const char *name = secret_types[i].keys[k];
      const val *value = val_getc(data, name);
      path at = path_key(&root, slice_cstr(name));
      slice error = SLICE_NONE;
      bool empty = slice_is(type, "kubernetes.io/ssh-auth") && val_str(value).len == 0;
      if (secret_types[i].any ? !found : (!value || empty))
        field_required(v->errs, &at, "%s", "");
      else if (json && value && !is_json(v->errs->a, val_str(value), &error)) {
        field_invalid_str(v->errs, &at, SLICE_LIT("<secret contents redacted>"), "%.*s",
                          SLICE_ARG(error));
      }
    }
  }
}

void validate_secret(const validate_args *v) {
  path data = path_root("data"), type = path_root("type");
  core_meta_both(v, TEXT_DNS1123_SUBDOMAIN);
  size_t total = 0;
  VAL_EACH(e, val_getc(v->obj, "data")) {
    path at = path_key(&data, e->key);
    text_check(v->errs, &at, TEXT_CONFIG_MAP_KEY, e->key);
    total += bytes_of(e->value, true);
  }
  if (total > MAX_DATA_BYTES) field_too_long(v->errs, &data, (int64_t)MAX_DATA_BYTES);
  secret_type_check(v, val_get_str(v->obj, "type"));
  if (!v->old) return;
  immutable_check(v->errs, &type, val_getc(v->obj, "type"), val_getc(v->old, "type"));
  frozen_check(v, (const char *const[]){"data", NULL});
}

static void namespace_spec_check(const validate_args *v);

static void namespace_phase_check(const validate_args *v) {
  slice phase = val_str(val_path(v->obj, "status.phase"));
  path status = path_root("status"), at = path_child(&status, "Phase");
  bool ends = val_path(v->obj, "metadata.deletionTimestamp") != NULL;
  if (slice_is(phase, ends ? "Terminating" : "Active")) return;
  field_invalid_str(v->errs, &at, phase,
                    ends ? "may only be 'Terminating' if `deletionTimestamp` is not empty"
                         : "may only be 'Active' if `deletionTimestamp` is empty");
}

/* An update is checked as a create first, then against the old one. */
void validate_namespace(const validate_args *v) {
  if (slice_is(v->subresource, "status")) {
    core_meta_update(v->errs, v->obj, v->old);
    namespace_phase_check(v);
    return;
  }
  core_meta_validate(v->errs, v->obj, false, TEXT_DNS1123_LABEL);
  namespace_spec_check(v);
  if (v->old) core_meta_update(v->errs, v->obj, v->old);
}

static void namespace_spec_check(const validate_args *v) {
  path spec = path_root("spec"), finalizers = path_child(&spec, "finalizers");
  const val *list = val_path(v->obj, "spec.finalizers");
  bool finalize = slice_is(v->subresource, "finalize"); /* which alone tells them apart */
  for (uint32_t i = 0; i < val_len(list); i++) {
    slice f = val_str(val_at(list, i));
    path item = path_index(&finalizers, i), *at = finalize ? &item : &finalizers;
    text_check(v->errs, at, TEXT_LABEL_KEY, f);
    if (slice_find_char(f, '/') < 0 && !slice_is(f, "kubernetes")) {
      field_invalid_str(v->errs, at, f,
                        "name is neither a standard finalizer name nor is it fully qualified");
    }
  }
}
