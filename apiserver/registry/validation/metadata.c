/* ObjectMeta. Go walks maps in random order; here the order is the object's (sorted by key). */
#include "registry/validation/metadata.h"

#include "base/buf.h"
#include "base/limits.h"
#include "registry/object.h"
#include "request/field_manager.h"

#define SUBRESOURCE_NAME_MAX 256

static void name_check(field_errors *errs, const path *meta, const val *obj, text_rule rule) {
  slice name = object_name(obj), base = val_str(val_path(obj, "metadata.generateName")), texts[4];
  path at_base = path_child(meta, "generateName"), at_name = path_child(meta, "name");
  if (base.len && rule != TEXT_LONG_NAME) {
    uint32_t n = text_problems(errs->a, rule, base, true, texts);
    for (uint32_t i = 0; i < n; i++)
      field_invalid_str(errs, &at_base, base, "%.*s", SLICE_ARG(texts[i]));
  }
  if (name.len == 0)
    field_required(errs, &at_name, "name or generateName is required");
  else
    text_check(errs, &at_name, rule, name);
}

static void namespace_check(field_errors *errs, const path *meta, const val *obj, bool namespaced) {
  path p = path_child(meta, "namespace");
  slice ns = object_namespace(obj);
  if (!namespaced) {
    if (ns.len) field_forbidden(errs, &p, "not allowed on this type");
  } else if (ns.len == 0) {
    field_required(errs, &p, "%s", "");
  } else {
    text_check(errs, &p, TEXT_DNS1123_LABEL, ns);
  }
}

void labels_validate(field_errors *errs, const path *p, const val *labels) {
  VAL_EACH(e, labels) {
    text_check(errs, p, TEXT_LABEL_KEY, e->key);
    text_check(errs, p, TEXT_LABEL_VALUE, val_str(e->value));
  }
}

static slice lowered(arena *a, slice s) {
  char *p = arena_cstr(a, s);
  for (size_t i = 0; i < s.len; i++) {
    if (p[i] >= 'A' && p[i] <= 'Z') p[i] = (char)(p[i] + 32);
  }
  return slice_of(p, s.len);
}

void annotations_validate(field_errors *errs, const path *p, const val *annotations) {
  size_t total = 0;
  VAL_EACH(e, annotations) {
    slice texts[4];
    uint32_t n = text_problems(errs->a, TEXT_LABEL_KEY, lowered(errs->a, e->key), false, texts);
    for (uint32_t i = 0; i < n; i++)
      field_invalid_str(errs, p, e->key, "%.*s", SLICE_ARG(texts[i]));
    total += e->key.len + val_str(e->value).len;
  }
  if (total > LIMIT_ANNOTATION_BYTES) field_too_long(errs, p, (int64_t)LIMIT_ANNOTATION_BYTES);
}

static void owner_check(field_errors *errs, const path *p, const val *ref) {
  static const struct {
    const char *key, *why;
  } needed[] = {{"apiVersion", "version must not be empty"},
                {"kind", "must not be empty"},
                {"name", "must not be empty"},
                {"uid", "must not be empty"}};
  slice version = val_get_str(ref, "apiVersion"), rest;
  slice_cut(version, '/', &rest, &rest);
  bool odd = slice_find_char(rest, '/') >= 0; /* two slashes: no version to Go */
  for (size_t i = 0; i < 4; i++) {
    path at = path_child(p, needed[i].key);
    slice have = val_get_str(ref, needed[i].key);
    if (have.len == 0 || (i == 0 && odd))
      field_invalid_str(errs, &at, have, "%s", needed[i].why);
  }
  if (slice_is(val_get_str(ref, "apiVersion"), "v1") &&
      slice_is(val_get_str(ref, "kind"), "Event")) {
    field_invalid(errs, p, ref, "/v1, Kind=Event is disallowed from being an owner");
  }
}

static void owners_check(field_errors *errs, const path *meta, const val *obj) {
  path p = path_child(meta, "ownerReferences");
  const val *list = val_path(obj, "metadata.ownerReferences"), *first = NULL;
  for (uint32_t i = 0; i < val_len(list); i++) {
    const val *ref = val_at(list, i);
    owner_check(errs, &p, ref);
    if (!val_true(val_getc(ref, "controller"))) continue;
    if (!first) {
      first = ref;
      continue;
    }
    slice k1 = val_get_str(first, "kind"), n1 = val_get_str(first, "name");
    slice k2 = val_get_str(ref, "kind"), n2 = val_get_str(ref, "name");
    field_invalid(errs, &p, list,
                  "Only one reference can have Controller set to true. Found \"true\" in "
                  "references for %.*s/%.*s and %.*s/%.*s",
                  SLICE_ARG(k1), SLICE_ARG(n1), SLICE_ARG(k2), SLICE_ARG(n2));
  }
}

static void finalizers_check(field_errors *errs, const path *meta, const val *obj) {
  path p = path_child(meta, "finalizers");
  const val *list = object_finalizers(obj);
  for (uint32_t i = 0; i < val_len(list); i++)
    text_check(errs, &p, TEXT_LABEL_KEY, val_str(val_at(list, i)));
  if (object_has_finalizer(obj, SLICE_LIT("orphan")) &&
      object_has_finalizer(obj, SLICE_LIT("foregroundDeletion"))) {
    field_invalid(errs, &p, list, "finalizer orphan and foregroundDeletion cannot be both set");
  }
}

static void managed_check(field_errors *errs, const path *meta, const val *obj) {
  path p = path_child(meta, "managedFields");
  const val *list = val_path(obj, "metadata.managedFields");
  for (uint32_t i = 0; i < val_len(list); i++) {
    const val *e = val_at(list, i);
    path at = path_index(&p, i), op = path_child(&at, "operation"),
         type = path_child(&at, "fieldsType"), manager = path_child(&at, "manager"),
         sub = path_child(&at, "subresource");
    slice o = val_get_str(e, "operation"), t = val_get_str(e, "fieldsType");
    if (!slice_is(o, "Apply") && !slice_is(o, "Update"))
      field_invalid_str(errs, &op, o, "must be `Apply` or `Update`");
    if (t.len && !slice_is(t, "FieldsV1")) field_invalid_str(errs, &type, t, "must be `FieldsV1`");
    field_manager_validate(errs, &manager, val_get_str(e, "manager"));
    if (val_get_str(e, "subresource").len > SUBRESOURCE_NAME_MAX)
      field_too_long(errs, &sub, SUBRESOURCE_NAME_MAX);
  }
}

void metadata_validate(field_errors *errs, const path *p, const val *obj, bool namespaced,
                       text_rule rule) {
  path generation = path_child(p, "generation"), labels = path_child(p, "labels"),
       notes = path_child(p, "annotations");
  name_check(errs, p, obj, rule);
  namespace_check(errs, p, obj, namespaced);
  nonnegative_check(errs, &generation, object_generation(obj));
  labels_validate(errs, &labels, val_path(obj, "metadata.labels"));
  annotations_validate(errs, &notes, val_path(obj, "metadata.annotations"));
  owners_check(errs, p, obj);
  finalizers_check(errs, p, obj);
  managed_check(errs, p, obj);
}

/* Go's %#v of the finalizers that are new. */
static void new_finalizers_check(field_errors *errs, const path *meta, const val *obj,
                                 const val *old) {
  path p = path_child(meta, "finalizers");
  const val *list = object_finalizers(obj);
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  for (uint32_t i = 0; i < val_len(list); i++) {
    slice f = val_str(val_at(list, i));
    if (!object_has_finalizer(old, f))
      buf_printf(&b, "%s\"%.*s\"", b.len ? ", " : "", SLICE_ARG(f));
  }
  if (b.len) {
    field_forbidden(errs, &p,
                    "no new finalizers can be added if the object is being deleted, found new "
                    "finalizers []string{%.*s}",
                    SLICE_ARG(buf_slice(&b)));
  }
  buf_dispose(&b);
}

void metadata_validate_update(field_errors *errs, const path *p, const val *obj, const val *old) {
  static const char *const fixed[] = {"name",
                                      "namespace",
                                      "uid",
                                      "creationTimestamp",
                                      "deletionTimestamp",
                                      "deletionGracePeriodSeconds"};
  const val *meta = val_getc(obj, "metadata"), *was = val_getc(old, "metadata");
  if (object_deleting(old)) new_finalizers_check(errs, p, obj, old);
  if (object_generation(obj) < object_generation(old)) {
    path g = path_child(p, "generation");
    field_invalid_int(errs, &g, object_generation(obj), "must not be decremented");
  }
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
    path at = path_child(p, fixed[i]);
    immutable_check(errs, &at, val_getc(meta, fixed[i]), val_getc(was, fixed[i]));
  }
  path labels = path_child(p, "labels"), notes = path_child(p, "annotations");
  labels_validate(errs, &labels, val_getc(meta, "labels"));
  annotations_validate(errs, &notes, val_getc(meta, "annotations"));
  owners_check(errs, p, obj);
  managed_check(errs, p, obj);
}

void metadata_check(const validate_args *v, text_rule rule) {
  path p = path_root("metadata");
  if (v->old) metadata_validate_update(v->errs, &p, v->obj, v->old);
  metadata_validate(v->errs, &p, v->obj, v->resource->namespaced, rule);
}

static void requirement_check(field_errors *errs, const path *p, const val *r) {
  path values = path_child(p, "values"), op = path_child(p, "operator"), key = path_child(p, "key");
  slice o = val_get_str(r, "operator");
  const val *list = val_getc(r, "values");
  if (slice_is(o, "In") || slice_is(o, "NotIn")) {
    if (val_len(list) == 0)
      field_required(errs, &values, "must be specified when `operator` is 'In' or 'NotIn'");
  } else if (slice_is(o, "Exists") || slice_is(o, "DoesNotExist")) {
    if (val_len(list))
      field_forbidden(errs, &values,
                      "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  } else {
    field_invalid_named(errs, &op, o, "not a valid selector operator");
  }
  text_check(errs, &key, TEXT_LABEL_KEY, val_get_str(r, "key"));
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(&values, i);
    text_check(errs, &at, TEXT_LABEL_VALUE, val_str(val_at(list, i)));
  }
}

const val *label_selector_whole(arena *a, const val *selector) {
  static const char *const always[] = {"key", "operator"};
  if (!selector) return NULL;
  val *copy = val_copy(a, selector);
  const val *list = val_getc(copy, "matchExpressions");
  for (uint32_t i = 0; i < val_len(list); i++) {
    val *whole = val_map(a), *item = val_at(list, i);
    for (size_t k = 0; k < 2; k++) val_setc(a, whole, always[k], val_cstr(a, ""));
    VAL_EACH(e, item) val_set(a, whole, e->key, e->value);
    *item = *whole;
  }
  return copy;
}

void label_selector_validate(field_errors *errs, const path *p, const val *selector) {
  if (!selector) return;
  path labels = path_child(p, "matchLabels"), exprs = path_child(p, "matchExpressions");
  const val *list = val_getc(selector, "matchExpressions");
  labels_validate(errs, &labels, val_getc(selector, "matchLabels"));
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(&exprs, i);
    requirement_check(errs, &at, val_at(list, i));
  }
}

#define REASON_MAX 1024
#define MESSAGE_MAX (32 * 1024)

static void reason_check(field_errors *errs, const path *p, slice reason) {
  static const char marks[] = "_,:";
  bool ok = true;
  for (size_t i = 0; i < reason.len; i++) {
    char c = reason.ptr[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'), digit = c >= '0' && c <= '9';
    bool last = i + 1 == reason.len;
    ok = ok && (letter || (i > 0 && (digit || c == '_' || (!last && c && strchr(marks, c)))));
  }
  if (reason.len == 0) {
    field_required(errs, p, "%s", "");
    return;
  }
  if (!ok) {
    field_invalid_str(errs, p, reason,
                      "a condition reason must start with alphabetic character, optionally "
                      "followed by a string of "
                      "alphanumeric characters or '_,:', and must end with an alphanumeric "
                      "character or '_' (e.g. "
                      "'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or "
                      "'ReasonA:ReasonB', regex used "
                      "for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')");
  }
  if (reason.len > REASON_MAX) field_too_long(errs, p, REASON_MAX);
}

static void condition_check(field_errors *errs, const path *p, const val *c) {
  path type = path_child(p, "type"), status = path_child(p, "status"),
       reason = path_child(p, "reason"), time = path_child(p, "lastTransitionTime"),
       observed = path_child(p, "observedGeneration"), message = path_child(p, "message");
  int64_t generation = val_i64(val_getc(c, "observedGeneration"));
  slice s = val_get_str(c, "status");
  text_check(errs, &type, TEXT_LABEL_KEY, val_get_str(c, "type"));
  if (!slice_is(s, "True") && !slice_is(s, "False") && !slice_is(s, "Unknown")) {
    field_not_supported(errs, &status, val_string(errs->a, s),
                        (const char *const[]){"False", "True", "Unknown", NULL});
  }
  if (generation < 0)
    field_invalid_int(errs, &observed, generation, "must be greater than or equal to zero");
  if (val_get_str(c, "lastTransitionTime").len == 0) field_required(errs, &time, "%s", "");
  if (val_get_str(c, "message").len > MESSAGE_MAX) field_too_long(errs, &message, MESSAGE_MAX);
  reason_check(errs, &reason, val_get_str(c, "reason"));
}

void conditions_validate(field_errors *errs, const path *p, const val *conditions) {
  val *seen = val_map(errs->a);
  for (uint32_t i = 0; i < val_len(conditions); i++) {
    const val *c = val_at(conditions, i);
    slice type = val_get_str(c, "type");
    path at = path_index(p, i), at_type = path_child(&at, "type");
    if (val_get(seen, type)) field_duplicate(errs, &at_type, val_string(errs->a, type));
    val_set(errs->a, seen, type, val_null(errs->a));
    condition_check(errs, &at, c);
  }
}
