/* StorageClasses, VolumeAttributesClasses and VolumeAttachments. Source:
 * pkg/apis/storage/validation/validation.go. */
#include "registry/strategy_hooks.h"
#include "registry/validation/checks.h"
#include "registry/validation/pod_checks.h"
#include "registry/validation/pv.h"
#include "registry/validation/rows.h"

#define PARAMETERS_MAX 512
#define PARAMETER_BYTES_MAX ((size_t)256 * 1024)
#define ERROR_BYTES_MAX 1024
#define REPEATS_MAX 64 /* of one text: it is printed once anyway */

static const char *const reclaim_policies[] = {"Delete", "Retain", NULL};
static const char *const binding_modes[] = {"Immediate", "WaitForFirstConsumer", NULL};

static size_t map_bytes(const val *map) {
  size_t n = 0;
  VAL_EACH(e, map) n += e->key.len + val_str(e->value).len;
  return n;
}

static void parameters_check(field_errors *errs, const val *map, bool may_be_empty) {
  path p = path_root("parameters");
  if (val_len(map) > PARAMETERS_MAX) {
    field_too_long(errs, &p, PARAMETERS_MAX);
    return;
  }
  if (val_getc(map, "")) field_invalid_str(errs, &p, SLICE_LIT(""), "field can not be empty.");
  if (map_bytes(map) > PARAMETER_BYTES_MAX) field_too_long(errs, &p, (int64_t)PARAMETER_BYTES_MAX);
  if (!may_be_empty && val_len(map) == 0)
    field_required(errs, &p, "must contain at least one key/value pair");
}

static void provisioner_check(const validate_args *v, const char *field) {
  path p = path_root(field);
  slice name = val_get_str(v->obj, field), texts[4];
  if (!required_str(v->errs, &p, name)) return;
  char *low = arena_cstr(v->errs->a, name);
  for (size_t i = 0; i < name.len; i++)
    low[i] = low[i] >= 'A' && low[i] <= 'Z' ? (char)(low[i] + 32) : low[i];
  slice lowered = slice_of(low, name.len);
  uint32_t n = text_problems(v->errs->a, TEXT_LABEL_KEY, lowered, false, texts);
  for (uint32_t i = 0; i < n; i++)
    field_invalid_str(v->errs, &p, lowered, "%.*s", SLICE_ARG(texts[i]));
}

/* One expression of a topology term: its key, and its values as a set. */
static void requirement_check(field_errors *errs, const path *p, const val *r, val *keys) {
  path values = path_child(p, "values"), key = path_child(p, "key");
  const val *list = val_getc(r, "values");
  val *seen = val_map(errs->a);
  if (val_len(list) == 0) field_required(errs, &values, "%s", "");
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(&values, i);
    if (seen_before(errs->a, seen, val_str(val_at(list, i))))
      field_duplicate(errs, &at, val_at(list, i));
  }
  slice name = val_get_str(r, "key");
  text_check(errs, &key, TEXT_LABEL_KEY, name);
  if (val_get(keys, name)) field_duplicate(errs, &key, val_string(errs->a, name));
  val_sort(seen);
  val_set(errs->a, keys, name, seen);
}

static void topologies_check(const validate_args *v) {
  path root = path_root("allowedTopologies");
  const val *list = val_getc(v->obj, "allowedTopologies");
  val *terms = val_map(v->errs->a);
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&root, i), exprs = path_child(&p, "matchLabelExpressions");
    const val *rules = val_getc(val_at(list, i), "matchLabelExpressions");
    val *keys = val_map(v->errs->a);
    for (uint32_t k = 0; k < val_len(rules); k++) {
      path at = path_index(&exprs, k);
      requirement_check(v->errs, &at, val_at(rules, k), keys);
    }
    val_sort(keys);
    slice term = SLICE_LIT("");
    VAL_EACH(e, keys) {
      term = arena_printf(v->errs->a, "%.*s;%.*s=", SLICE_ARG(term), SLICE_ARG(e->key));
      VAL_EACH(x, e->value)
      term = arena_printf(v->errs->a, "%.*s%.*s,", SLICE_ARG(term), SLICE_ARG(x->key));
    }
    /* The real one compares with as many empty terms as there are terms, and with those before. */
    val *times = val_get(terms, term);
    int64_t repeats = val_i64(times) + (val_len(rules) ? 0 : (int64_t)val_len(list));
    for (int64_t n = 0; n < repeats && n < REPEATS_MAX; n++)
      field_duplicate(v->errs, &exprs, val_cstr(v->errs->a, ""));
    val_set(v->errs->a, terms, term, val_int(v->errs->a, val_i64(times) + 1));
  }
}

void validate_storage_class(const validate_args *v) {
  static const char *const fixed[] = {"parameters", "provisioner", "reclaimPolicy",
                                      "volumeBindingMode"};
  path policy = path_root("reclaimPolicy"), mode = path_root("volumeBindingMode");
  const val *m = val_getc(v->obj, "volumeBindingMode");
  slice r = val_get_str(v->obj, "reclaimPolicy");
  meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  provisioner_check(v, "provisioner");
  parameters_check(v->errs, val_getc(v->obj, "parameters"), true);
  if (r.len) enum_check(v->errs, &policy, r, reclaim_policies);
  if (m)
    enum_check(v->errs, &mode, val_str(m), binding_modes);
  else
    field_required(v->errs, &mode, "%s", "");
  topologies_check(v);
  meta_change(v);
  for (size_t i = 0; v->old && i < 4; i++) {
    path p = path_root(fixed[i]);
    if (i == 1)
      immutable_str_check(v->errs, &p, val_get_str(v->obj, fixed[i]),
                          val_get_str(v->old, fixed[i]));
    else
      immutable_check(v->errs, &p, map_shown(v->errs->a, v->obj, fixed[i]),
                      val_getc(v->old, fixed[i]));
  }
}

void storage_class_warn(request *rq, val *obj, const val *old) {
  path root = path_root("allowedTopologies");
  const val *list = val_getc(obj, "allowedTopologies");
  (void)old;
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&root, i), exprs = path_child(&p, "matchLabelExpressions");
    const val *rules = val_getc(val_at(list, i), "matchLabelExpressions");
    for (uint32_t k = 0; k < val_len(rules); k++) {
      path at = path_index(&exprs, k), key = path_child(&at, "key");
      const char *why = node_label_deprecated(val_get_str(val_at(rules, k), "key"));
      if (why) warn_at(rq, &key, "%s", why);
    }
  }
}

void validate_volume_attributes_class(const validate_args *v) {
  path driver = path_root("driverName"), parameters = path_root("parameters");
  meta_change(v);
  if (v->old && !val_same(val_getc(v->obj, "driverName"), val_getc(v->old, "driverName"))) {
    field_forbidden(v->errs, &driver, "updates to driverName are forbidden.");
  }
  if (v->old && !val_same(val_getc(v->obj, "parameters"), val_getc(v->old, "parameters"))) {
    field_forbidden(v->errs, &parameters, "updates to parameters are forbidden.");
  }
  meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  provisioner_check(v, "driverName");
  parameters_check(v->errs, val_getc(v->obj, "parameters"), false);
}

static void source_check(field_errors *errs, const path *spec, const val *source) {
  path p = path_child(spec, "source"), name = path_child(&p, "persistentVolumeName"),
       inline_at = path_child(&p, "inlineVolumeSpec");
  const val *volume = val_getc(source, "persistentVolumeName"),
            *inline_spec = val_getc(source, "inlineVolumeSpec");
  static const char one[] = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
  if (!volume && !inline_spec)
    field_required(errs, &p, "%s", one);
  else if (volume && inline_spec)
    field_forbidden(errs, &p, "%s", one);
  else if (volume && val_str(volume).len == 0)
    field_required(errs, &name, "must specify non empty persistentVolumeName");
  else if (inline_spec)
    pv_spec_validate(errs, &inline_at, inline_spec, SLICE_LIT(""), true);
}

static void volume_error_check(field_errors *errs, const path *status, const val *e,
                               const char *field) {
  path p = path_child(status, field), message = path_child(&p, "message"),
       code = path_child(&p, "errorCode");
  if (val_get_str(e, "message").len > ERROR_BYTES_MAX)
    field_too_long(errs, &message, (int64_t)PARAMETER_BYTES_MAX);
  int64_t n = val_i64(val_getc(e, "errorCode"));
  if (n < 0) field_invalid_int(errs, &code, n, "must be between 0 and 2147483647, inclusive");
}

void validate_volume_attachment(const validate_args *v) {
  field_errors *errs = v->errs;
  path spec = path_root("spec"), attacher = path_child(&spec, "attacher"),
       node = path_child(&spec, "nodeName"), status = path_root("status"),
       meta = path_child(&status, "attachmentMetadata"),
       volume = path_root("spec.source.persistentVolumeName");
  const val *s = val_getc(v->obj, "spec"), *st = val_getc(v->obj, "status");
  meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  csi_driver_name_check(errs, &attacher, val_get_str(s, "attacher"));
  source_check(errs, &spec, val_getc(s, "source"));
  text_check(errs, &node, TEXT_DNS1123_SUBDOMAIN, val_get_str(s, "nodeName"));
  if (map_bytes(val_getc(st, "attachmentMetadata")) > PARAMETER_BYTES_MAX) {
    field_too_long(errs, &meta, (int64_t)PARAMETER_BYTES_MAX);
  }
  volume_error_check(errs, &status, val_getc(st, "attachError"), "attachError");
  volume_error_check(errs, &status, val_getc(st, "detachError"), "detachError");
  const val *name = val_path(s, "source.persistentVolumeName");
  if (name) text_check(errs, &volume, TEXT_DNS1123_SUBDOMAIN, val_str(name));
  if (v->old && !val_same(s, val_getc(v->old, "spec")))
    refuse_go(errs, &spec, NULL, "VolumeAttachmentSpec", s ? s : val_map(errs->a),
              "field is immutable");
}
