/* A Scale is a view: its replicas are the parent's, its other fields can't be written. */
#include "verb/scale.h"

#include "codec/codec.h"
#include "patch/patch.h"
#include "registry/object.h"
#include "registry/stored.h"
#include "respond/respond.h"
#include "server.h"
#include "verb/read.h"
#include "verb/scale_fields.h"
#include "verb/verbs.h"
#include "verb/wait.h"
#include "verb/write.h"

static void copy_meta(arena *a, val *to, const val *parent) {
  static const char *const keys[] =
      {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) object_meta_take(a, to, parent, keys[i]);
}

static void append(buf *b, slice key, const char *between, const val *values) {
  if (b->len) buf_char(b, ',');
  buf_append(b, key);
  buf_cstr(b, between);
  if (val_is_string(values)) buf_append(b, val_str(values));
  for (uint32_t i = 0; i < val_len(values); i++) {
    if (i) buf_char(b, ',');
    buf_append(b, val_str(val_at(values, i)));
  }
  if (val_is_list(values)) buf_char(b, ')');
}

/* The selector as text; labels sorted by key, then the expressions. */
static slice selector_text(arena *a, const val *of) {
  buf b;
  buf_init(&b, (size_t)1 << 24);
  const val *labels = val_getc(of, "matchLabels");
  if (!labels && !val_getc(of, "matchExpressions")) labels = of; /* a plain map */
  val *sorted = val_copy(a, labels);
  val_sort(sorted);
  VAL_EACH(e, sorted) append(&b, e->key, "=", e->value);
  const val *exprs = val_getc(of, "matchExpressions");
  for (uint32_t i = 0; i < val_len(exprs); i++) {
    const val *x = val_at(exprs, i);
    slice op = val_get_str(x, "operator"), key = val_get_str(x, "key");
    val *values = val_copy(a, val_getc(x, "values"));
    if (slice_is(op, "Exists")) append(&b, key, "", NULL);
    else if (slice_is(op, "DoesNotExist"))
      append(&b, arena_concat(a, SLICE_LIT("!"), key), "", NULL);
    else append(&b, key, slice_is(op, "In") ? " in (" : " notin (", values);
  }
  slice s = arena_copy(a, buf_slice(&b));
  buf_dispose(&b);
  return s;
}

static val *scale_of(arena *a, const val *parent) {
  val *scale = val_map(a), *spec = val_map(a), *status = val_map(a);
  val_setc(a, scale, "kind", val_cstr(a, "Scale"));
  val_setc(a, scale, "apiVersion", val_cstr(a, "autoscaling/v1"));
  copy_meta(a, scale, parent);
  int64_t wanted = val_i64(val_path(parent, "spec.replicas"));
  if (wanted) val_setc(a, spec, "replicas", val_int(a, wanted));
  val_setc(a, scale, "spec", spec);
  val_setc(a, status, "replicas", val_int(a, val_i64(val_path(parent, "status.replicas"))));
  slice text = selector_text(a, val_path(parent, "spec.selector"));
  val_set_text(a, status, "selector", text);
  val_setc(a, scale, "status", status);
  return scale;
}

static const type_info *scale_type(void) {
  return schema_kind(SLICE_LIT("autoscaling"), SLICE_LIT("v1"), SLICE_LIT("Scale"))->type;
}

static void answer(request *rq, const output_form *form, const val *parent) {
  respond_scale(rq, 200, form, scale_of(rq->arena, parent), scale_type());
}

typedef struct scale_run {
  patch_kind kind;
  bool cbor;
  val *body; /* of an update; NULL for a patch */
  write_options options;
} scale_run;

/* A configuration may be silent about the name and the replicas: they stay. */
static void apply_over(arena *a, val *config, const val *doc) {
  val *meta = val_getc(config, "metadata"), *spec = val_getc(config, "spec");
  if (!meta) val_setc(a, config, "metadata", meta = val_map(a));
  if (!spec) val_setc(a, config, "spec", spec = val_map(a));
  val *name = val_path(doc, "metadata.name"), *wanted = val_path(doc, "spec.replicas");
  if (val_is_map(meta) && !val_getc(meta, "name")) val_setc(a, meta, "name", name);
  if (val_is_map(spec) && wanted && !val_getc(spec, "replicas")) {
    val_setc(a, spec, "replicas", wanted);
  }
}

static val *patched_scale(scale_run *s, request *rq, const val *live) {
  arena *a = rq->arena;
  slice error = SLICE_NONE;
  val *doc = scale_of(a, live), *tree = NULL;
  if (s->kind == PATCH_JSON) tree = json_patch_apply(a, doc, rq->http->body, &rq->error);
  else if (s->kind == PATCH_MERGE) tree = merge_patch_apply(a, doc, rq->http->body, &rq->error);
  else if (s->kind == PATCH_STRATEGIC)
    tree = strategic_patch_apply(a, doc, rq->http->body, scale_type(), &rq->error);
  else if (s->cbor) tree = cbor_parse(a, rq->http->body, &error);
  else tree = yaml_parse(a, rq->http->body, NULL, &error);
  if (s->kind == PATCH_APPLY && val_is_map(tree)) apply_over(a, tree, doc);
  if (tree) tree = codec_conform(a, tree, scale_type(), NULL, &error);
  if (!tree && !rq->error.set) {
    status_set(&rq->error, a, STATUS_BAD_REQUEST, "%.*s", SLICE_ARG(error));
  }
  return tree;
}

static bool valid(request *rq, const val *scale) {
  field_errors errs = {.a = rq->arena};
  path spec = path_root("spec"), replicas = path_child(&spec, "replicas");
  int64_t n = val_i64(val_path(scale, "spec.replicas"));
  if (n < 0) field_invalid_int(&errs, &replicas, n, "must be greater than or equal to 0");
  return field_errors_to_status(&errs, SLICE_LIT("autoscaling"), SLICE_LIT("Scale"),
                                object_name(scale), &rq->error);
}

static val *make(void *ctx, request *rq, const val *live) {
  scale_run *s = ctx;
  arena *a = rq->arena;
  if (!live) {
    status_not_found(&rq->error, a, rq->resource->group, rq->resource->resource, rq->info.name);
    return NULL;
  }
  val *scale = s->body ? s->body : patched_scale(s, rq, live);
  if (!scale || !write_check_namespace(rq, scale) || !write_check_name(rq, scale)) return NULL;
  val *obj = object_fork(a, live), *spec = val_copy(a, val_getc(live, "spec"));
  val_setc(a, spec, "replicas", val_int(a, val_i64(val_path(scale, "spec.replicas"))));
  val_setc(a, obj, "spec", spec);
  object_set_str(a, obj, "resourceVersion", object_version(scale));
  scale_write w =
      {.manager = s->kind == PATCH_APPLY && !s->body ? s->options.manager : rq->field_manager,
                   .apply = s->kind == PATCH_APPLY && !s->body, .force = s->options.force,
                   .before = val_i64(val_path(live, "spec.replicas")),
                   .after = val_i64(val_path(scale, "spec.replicas"))};
  if (!scale_fields_update(rq, &w, obj) || !valid(rq, scale)) return NULL;
  return write_admit(rq, obj, live, rq->info.name) ? obj : NULL;
}

static void keep_rest(request *rq, val *obj, const val *old) {
  object_take(rq->arena, obj, old, "status");
  if (!val_equal(val_getc(obj, "spec"), val_getc(old, "spec"))) {
    object_set_generation(rq->arena, obj, object_generation(old) + 1);
  }
}

static bool read_body(request *rq, scale_run *s) {
  if (slice_is(rq->info.verb, "patch")) {
    return negotiate_patch(rq, &s->kind, &s->cbor) &&
           options_read_write(rq, "PatchOptions", s->kind == PATCH_APPLY, &s->options);
  }
  if (!options_read_write(rq, "UpdateOptions", false, &s->options)) return false;
  s->body =
      negotiate_decode(rq, SLICE_LIT("autoscaling"), SLICE_LIT("v1"), SLICE_LIT("Scale"), NULL);
  return s->body != NULL;
}

/* As a GET of the object itself. False: the answer comes later, or rq->error is set. */
static bool serve_get(request *rq, const output_form *form) {
  slice asked = http_query_get(rq->http, "resourceVersion");
  uint64_t version = 0;
  store_entry *e = NULL;
  bool ok = read_version(rq, asked, false, &version);
  if (ok && wait_for_version(rq, version, scale_serve)) return false;
  if (!ok || !read_reached(rq, version) ||
      !generic_get(rq, rq->info.namespace, rq->info.name, !asked.len, &e)) {
    return false;
  }
  request_keep(rq, e);
  answer(rq, form, stored_decode(rq->arena, rq->resource, e));
  return true;
}

void scale_serve(request *rq) {
  output_form form;
  write_result result = {0};
  scale_run s = {0};
  bool ok = negotiate_output(rq, false, &form);
  if (ok && slice_is(rq->info.verb, "get")) {
    if (!serve_get(rq, &form) && rq->error.set) respond_error(rq);
    return;
  }
  update_source source = {.make = make, .ctx = &s, .prepare = keep_rest};
  ok = ok && read_body(rq, &s) &&
       generic_update(rq, rq->info.namespace, rq->info.name, &source, &result);
  if (ok && result.entry) request_keep(rq, result.entry);
  if (!ok) respond_error(rq);
  else answer(rq, &form, result.obj);
}
