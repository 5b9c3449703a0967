/* Short ways to report, so that a rule is one line and the tables of rules stay readable. */
#include "registry/validation/pod_checks.h"

#include "base/buf.h"
#include "base/limits.h"
#include "registry/object.h"
#include "registry/validation/ip_rules.h"
#include "registry/validation/pod_internal.h"


static path at(const path *p, const char *key) { return key ? path_child(p, key) : *p; }

void require(field_errors *e, const path *p, const char *key, const char *detail) {
  path here = at(p, key);
  field_required(e, &here, "%s", detail);
}

void forbid(field_errors *e, const path *p, const char *key, const char *detail) {
  path here = at(p, key);
  field_forbidden(e, &here, "%s", detail);
}

void refuse(field_errors *e, const path *p, const char *key, const val *bad, const char *detail) {
  path here = at(p, key);
  field_invalid(e, &here, bad, "%s", detail);
}

void refuse_str(field_errors *e, const path *p, const char *key, slice bad, const char *detail) {
  path here = at(p, key);
  field_invalid_str(e, &here, bad, "%s", detail);
}

void refuse_int(field_errors *e, const path *p, const char *key, int64_t bad, const char *detail) {
  path here = at(p, key);
  field_invalid_int(e, &here, bad, "%s", detail);
}

static slice go_text(arena *a, const char *type, const val *bad) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  if (bad)
    json_encode_any(&b, internal_tree(a, type, bad), false);
  else
    buf_lit(&b, "null");
  slice text = arena_copy(a, buf_slice(&b));
  buf_dispose(&b);
  return text;
}

void refuse_go(field_errors *e, const path *p, const char *key, const char *type, const val *bad,
               const char *detail) {
  path here = at(p, key);
  slice shown = go_text(e->a, type, bad);
  slice text = arena_printf(e->a, "Invalid value: %.*s: %s", SLICE_ARG(shown), detail);
  field_error_add(e, FIELD_INVALID, path_text(e->a, &here), text);
}

void unsupported(field_errors *e, const path *p, const char *key, slice bad,
                 const char *const *choices) {
  path here = at(p, key);
  field_not_supported(e, &here, val_string(e->a, bad), choices);
}

void unsupported_go(field_errors *e, const path *p, const char *type, const val *bad,
                    const char *const *choices) {
  slice shown = go_text(e->a, type, bad);
  slice text = arena_printf(e->a, "Unsupported value: %.*s: supported values: ", SLICE_ARG(shown));
  for (size_t i = 0; choices[i]; i++)
    text = arena_printf(e->a, "%.*s%s\"%s\"", SLICE_ARG(text), i ? ", " : "", choices[i]);
  field_error_add(e, FIELD_NOT_SUPPORTED, path_text(e->a, p), text);
}

bool need(field_errors *e, const path *p, const val *obj, const char *key, const char *detail) {
  if (!val_is_empty(val_getc(obj, key))) return true;
  require(e, p, key, detail);
  return false;
}

bool text_at(field_errors *e, const path *p, const val *obj, const char *key, text_rule rule) {
  path here = path_child(p, key);
  return text_check(e, &here, rule, val_get_str(obj, key));
}

void text_if_set(field_errors *e, const path *p, const val *obj, const char *key, text_rule rule) {
  if (val_get_str(obj, key).len) text_at(e, p, obj, key, rule);
}

void text_needed(field_errors *e, const path *p, const val *obj, const char *key, text_rule rule) {
  if (need(e, p, obj, key, "")) text_at(e, p, obj, key, rule);
}

void nonnegative_at(field_errors *e, const path *p, const val *obj, const char *key) {
  path here = path_child(p, key);
  nonnegative_check(e, &here, val_i64(val_getc(obj, key)));
}

void nonnegative_all(field_errors *e, const path *p, const val *obj, const char *const *keys) {
  for (size_t i = 0; keys[i]; i++) nonnegative_at(e, p, obj, keys[i]);
}

void positive_check(field_errors *e, const path *p, int64_t n) {
  if (n <= 0) refuse_int(e, p, NULL, n, "must be greater than zero");
}

bool one_of(slice s, const char *const *choices) {
  for (size_t i = 0; choices[i]; i++) {
    if (slice_is(s, choices[i])) return true;
  }
  return false;
}

void invalid_operator(field_errors *e, const path *p, slice op) {
  path at = path_child(p, "operator");
  field_invalid_named(e, &at, op, "not a valid selector operator");
}

void choice_at(field_errors *e, const path *p, const val *obj, const char *key,
               const char *const *choices, bool required) {
  slice s = val_get_str(obj, key);
  if (s.len == 0 && required)
    require(e, p, key, "");
  else if (!one_of(s, choices))
    unsupported(e, p, key, s, choices);
}

void path_no_backsteps(field_errors *e, const path *p, slice text) {
  slice rest = text, head;
  bool more = true;
  while (more) {
    more = slice_cut(rest, '/', &head, &rest);
    if (!slice_is(head, "..")) continue;
    refuse_str(e, p, NULL, text, "must not contain '..'");
    return;
  }
}

void path_local_descending(field_errors *e, const path *p, slice text) {
  if (text.len && text.ptr[0] == '/') refuse_str(e, p, NULL, text, "must be a relative path");
  path_no_backsteps(e, p, text);
}

void path_local_unreserved(field_errors *e, const path *p, slice text) {
  path_local_descending(e, p, text);
  if (slice_has_prefix(text, SLICE_LIT("..")) && !slice_has_prefix(text, SLICE_LIT("../"))) {
    refuse_str(e, p, NULL, text, "must not start with '..'");
  }
}

void file_mode_at(field_errors *e, const path *p, const val *obj, const char *key) {
  const val *mode = val_getc(obj, key);
  if (!mode || (val_i64(mode) >= 0 && val_i64(mode) <= 0777)) return;
  refuse_int(e, p, key, val_i64(mode),
             "must be a number between 0 and 0777 (octal), both inclusive");
}

void port_or_name(field_errors *e, const path *p, const val *port) {
  if (val_is_string(port))
    text_check(e, p, TEXT_PORT_NAME, val_str(port));
  else
    port_number_check(e, p, val_i64(port));
}

void id_at(field_errors *e, const path *p, const val *obj, const char *key) {
  path here = path_child(p, key);
  const val *id = val_getc(obj, key);
  if (id) range_check(e, &here, val_i64(id), 0, 2147483647);
}

void legacy_ip_check(field_errors *e, const path *p, slice text) {
  ip_legacy_check(e, p, text, NULL);
}

void core_finalizers_check(field_errors *e, const path *meta, const val *obj) {
  path p = path_child(meta, "finalizers");
  const val *list = object_finalizers(obj);
  EACH_ITEM(i, list) {
    slice f = val_str(val_at(list, i));
    path here = path_index(&p, i);
    if (slice_find_char(f, '/') >= 0) continue;
    if (one_of(f, CHOICES("kubernetes", "orphan", "foregroundDeletion"))) continue;
    refuse_str(e, &here, NULL, f,
               "name is neither a standard finalizer name nor is it fully qualified");
  }
}

void core_meta_validate(field_errors *e, const val *obj, bool namespaced, text_rule name) {
  path p = path_root("metadata");
  metadata_validate(e, &p, obj, namespaced, name);
  core_finalizers_check(e, &p, obj);
}

void core_meta_update(field_errors *e, const val *obj, const val *old) {
  path p = path_root("metadata");
  metadata_validate_update(e, &p, obj, old);
  core_finalizers_check(e, &p, obj);
}

void core_meta_check(const validate_args *v, text_rule name) {
  if (v->old)
    core_meta_update(v->errs, v->obj, v->old);
  else
    core_meta_validate(v->errs, v->obj, v->resource->namespaced, name);
}

void core_meta_both(const validate_args *v, text_rule name) {
  if (v->old) core_meta_update(v->errs, v->obj, v->old);
  core_meta_validate(v->errs, v->obj, v->resource->namespaced, name);
}

void containers_visit(const val *spec, const path *spec_path, container_fn fn, void *ctx) {
  static const char *const lists[] = {"initContainers", "containers", "ephemeralContainers"};
  for (size_t k = 0; k < 3; k++) {
    path p = path_child(spec_path, lists[k]);
    const val *list = val_getc(spec, lists[k]);
    EACH_ITEM(i, list) {
      path here = path_index(&p, i);
      if (!fn(ctx, &here, val_at(list, i))) return;
    }
  }
}
