/* What a write of a custom resource keeps, counts and refuses. One strategy for those with a
 * status subresource and one for those without; what differs else is in the version.
 * Source: apiextensions-apiserver pkg/registry/customresource/{strategy,status_strategy,
 * validator}.go. */
#include "base/quote.h"
#include "crd/crd.h"
#include "crd/crd_path.h"
#include "crd/crd_strategy.h"
#include "crd/structural.h"
#include "patch/patch.h"
#include "registry/object.h"
#include "registry/validation/metadata.h"

#include <stdlib.h>

static bool content_equal(const val *x, const val *y) {
  uint32_t left = 0, right = 0;
  VAL_EACH(e, x) {
    if (slice_is(e->key, "metadata")) continue;
    left++;
    const val *other = val_get(y, e->key);
    if (!other || !val_equal(e->value, other)) return false;
  }
  VAL_EACH(e, y) right += !slice_is(e->key, "metadata");
  return left == right;
}

/* Everything but metadata counts. */
static void prepare_update(request *rq, val *obj, const val *old) {
  object_del(obj, "selfLink");
  if (!content_equal(obj, old)) {
    object_set_generation(rq->arena, obj, object_generation(old) + 1);
  }
}

/* All but status and managed fields is as it was. */
static void prepare_status(request *rq, val *obj, const val *old) {
  val *fresh = object_fork(rq->arena, old);
  object_meta_take(rq->arena, fresh, obj, "managedFields");
  object_meta_take(rq->arena, fresh, obj, "resourceVersion");
  object_take(rq->arena, fresh, obj, "status");
  *obj = *fresh;
}

/* ---- validation ---- */

static bool check_type(const validate_args *v) {
  char gv[GROUP_VERSION_ROOM];
  const resource_info *r = v->resource;
  path kind = path_root("kind"), version = path_root("apiVersion");
  slice want = schema_group_version(r, gv), got = val_get_str(v->obj, "kind");
  uint32_t before = v->errs->count;
  if (!slice_eq(got, r->kind)) {
    field_invalid_str(v->errs, &kind, got, "must be %.*s", SLICE_ARG(r->kind));
  }
  got = val_get_str(v->obj, "apiVersion");
  if (!slice_eq(got, want)) {
    field_invalid_str(v->errs, &version, got, "must be %.*s", SLICE_ARG(want));
  }
  return v->errs->count == before;
}

/* NestedInt64's refusal of another type. */
static const char *wrong_type(const val *v) {
  static const char *const names[] = {
      [VAL_NULL] = "<nil>",    [VAL_BOOL] = "bool", [VAL_INT] = "int64", [VAL_FLOAT] = "float64",
      [VAL_STRING] = "string", [VAL_LIST] = "[]interface {}",
      [VAL_MAP] = "map[string]interface {}",
  };
  return names[v->type];
}

static slice go_value(const validate_args *v, const val *n) { return go_print(v->errs->a, n); }

static void check_replicas(const validate_args *v, slice at) {
  slice last;
  val *parent = crd_path_parent(NULL, v->obj, at, &last);
  const val *n = parent ? val_get(parent, last) : NULL;
  path p = path_child_slice(NULL, at);
  if (!n) return;
  if (!val_is_int(n)) {
    field_invalid_int(v->errs, &p, 0, "%.*s accessor error: %.*s is of the type %s, expected int64",
                      SLICE_ARG(at), SLICE_ARG(go_value(v, n)), wrong_type(n));
  } else if (val_i64(n) < 0) {
    field_invalid_int(v->errs, &p, val_i64(n), "should be a non-negative integer");
  } else if (val_i64(n) > INT32_MAX) {
    field_invalid_int(v->errs, &p, val_i64(n), "should be less than or equal to %d", INT32_MAX);
  }
}

static void check_scale(const validate_args *v, bool status_only) {
  const crd_version *c = v->resource->custom;
  if (!c->scale) return;
  if (!status_only) check_replicas(v, c->spec_replicas);
  check_replicas(v, c->status_replicas);
}

static void check_schema(const validate_args *v, bool status_only) {
  const crd_version *c = v->resource->custom;
  if (!c->schema) return;
  const structural *s = c->schema->root;
  if (!status_only) {
    structural_validate(v->errs, NULL, s, v->obj, v->old);
    return;
  }
  path p = path_root("status");
  const val *now = val_getc(v->obj, "status");
  const structural *below = structural_property(s, SLICE_LIT("status"));
  if (now && below) structural_validate(v->errs, &p, below, now, val_getc(v->old, "status"));
}

/* With CEL rules the real server says that it did not come to them. */
static void note_blocked(const validate_args *v, uint32_t from) {
  const field_errors *e = v->errs;
  for (uint32_t i = from; i < e->count; i++) {
    switch (e->items[i].type) {
      case FIELD_NOT_SUPPORTED:
      case FIELD_REQUIRED:
      case FIELD_TOO_LONG:
      case FIELD_TOO_MANY:
      case FIELD_TYPE_INVALID:
        field_error_add(v->errs, FIELD_INVALID, SLICE_LIT("<nil>"),
                        SLICE_LIT("Invalid value: null: some validation rules were not checked "
                                  "because the object was invalid; correct the existing errors to "
                                  "complete validation"));
        return;
      default: break;
    }
  }
}

static void validate(const validate_args *v) {
  uint32_t from = v->errs->count;
  const crd_version *c = v->resource->custom;
  bool status_only = slice_is(v->subresource, "status");
  path meta = path_root("metadata");
  if (!check_type(v)) return;
  if (!v->old) {
    metadata_validate(v->errs, &meta, v->obj, c->row.namespaced, TEXT_DNS1123_SUBDOMAIN);
  } else {
    metadata_validate_update(v->errs, &meta, v->obj, v->old);
  }
  check_schema(v, status_only);
  check_scale(v, status_only);
  if (!c->schema) return;
  structural_validate_embedded(v->errs, NULL, c->schema->root, v->obj, false);
  structural_validate_lists(v->errs, NULL, c->schema->root, v->obj, v->old);
  if (c->schema->rule_count) note_blocked(v, from);
}

static bool is_standard(slice finalizer) {
  return slice_is(finalizer, "orphan") || slice_is(finalizer, "foregroundDeletion") ||
         slice_is(finalizer, "kubernetes");
}

static void warn_finalizer(request *rq, slice f) {
  slice quoted = go_quote(rq->arena, f), problems[4];
  uint32_t n = text_problems(rq->arena, TEXT_LABEL_KEY, f, false, problems);
  for (uint32_t i = 0; i < n; i++) {
    request_warn(rq, arena_printf(rq->arena, "metadata.finalizers: %.*s: %.*s", SLICE_ARG(quoted),
                                  SLICE_ARG(problems[i])));
  }
  if (slice_find_char(f, '/') >= 0 || is_standard(f)) return;
  bool dot = slice_find_char(f, '.') >= 0;
  request_warn(rq, arena_printf(rq->arena, "metadata.finalizers: %.*s: prefer a domain-qualified "
                                "finalizer name %sto avoid accidental conflicts with other "
                                "finalizer writers", SLICE_ARG(quoted),
                                dot ? "including a path (/) " : ""));
}

/* Of the finalizers that are new, in the order of their names. */
static void warn(request *rq, val *obj, const val *old) {
  const val *list = object_finalizers(obj);
  slice *added = ARENA_ARRAY(rq->arena, slice, val_len(list) + 1);
  uint32_t n = 0;
  for (uint32_t i = 0; i < val_len(list); i++) {
    slice f = val_str(val_at(list, i));
    if (!old || !object_has_finalizer(old, f)) added[n++] = f;
  }
  qsort(added, n, sizeof *added, slice_order);
  for (uint32_t i = 0; i < n; i++) {
    if (i == 0 || !slice_eq(added[i], added[i - 1])) warn_finalizer(rq, added[i]);
  }
}

#define SHARED                                                                            \
  .prepare_update = prepare_update, .prepare_status = prepare_status, .validate = validate, \
  .warn = warn, .no_unconditional_update = true

static const strategy with_status = {.has_status = true, .create_drops_status = true,
                                     .generation = GENERATION_HOOK, SHARED};
static const strategy plain = {.generation = GENERATION_HOOK, SHARED};

const strategy *crd_strategy_of(const crd_version *v) { return v->status ? &with_status : &plain; }
