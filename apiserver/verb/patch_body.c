/* The body of a PATCH, whatever its kind, over an object or a view of one. */
#include "verb/patch_body.h"

#include "crd/crd_object.h"
#include "patch/patch.h"
#include "patch/restore.h"
#include "registry/field_error.h"

/* Quotes what the real server quotes: the patched document, or a strategic patch as Go
 * prints it. */
static bool patch_invalid(request *rq, slice quoted, slice why) {
  field_errors errs = {.a = rq->arena};
  path p = path_root("patch");
  field_invalid_str(&errs, &p, quoted, "%.*s", SLICE_ARG(why));
  return field_errors_to_status(&errs, SLICE_LIT(""), SLICE_LIT(""), SLICE_LIT(""), &rq->error);
}

/* The object as its JSON reads, with the fields that Go writes though they are empty (a status {}):
 * they are not in our trees, and a JSON patch may test them, remove them or go into them. */
static val *document_of(arena *a, const patch_body *p, const val *live) {
  buf b;
  slice error;
  buf_init(&b, (size_t)1 << 30);
  json_encode(&b, live, p->as->type);
  val *doc = json_parse(a, arena_copy(a, buf_slice(&b)), NULL, &error);
  buf_dispose(&b);
  return doc;
}

/* The text of the patched document. */
static slice document_text(request *rq, const patch_body *p, const val *live) {
  arena *a = rq->arena;
  buf b;
  status_error ignored = {0};
  val *doc = document_of(a, p, live), *tree = NULL;
  if (doc && p->kind == PATCH_JSON) tree = json_patch_apply(a, doc, rq->http->body, &ignored);
  else if (doc) tree = merge_patch_apply(a, doc, rq->http->body, &ignored);
  buf_init(&b, (size_t)1 << 30);
  if (tree && p->kind == PATCH_JSON) json_patch_way_sort(a, rq->http->body, tree);
  if (tree) json_encode_any(&b, tree, false);
  slice text = arena_copy(a, buf_slice(&b));
  buf_dispose(&b);
  return text;
}

#define ORDERS_MAX 64 /* more than any struct has lists */
#define LEFTOVER_DEPTH_MAX 64 /* deeper than any struct is */

static const slice order_prefix = SLICE_LIT("$setElementOrder/");

/* The fields of a strategic patch that it gives an order for. */
static uint32_t ordered_fields(const val *patch, slice *out) {
  uint32_t n = 0;
  VAL_EACH(e, patch) {
    if (n < ORDERS_MAX && slice_has_prefix(e->key, order_prefix)) {
      out[n++] = slice_from(e->key, order_prefix.len);
    }
  }
  return n;
}

static bool is_consumed(slice key, const slice *ordered, uint32_t count) {
  if (slice_is(key, "$retainKeys") || slice_has_prefix(key, order_prefix)) return true;
  for (uint32_t i = 0; i < count; i++) {
    if (slice_eq(key, ordered[i])) return true;
  }
  return false;
}

/* A strategic patch as the merge leaves it behind: ordered lists are gone from it with their
 * order. */
static val *leftover(arena *a, const val *patch, int depth) {
  if (depth > LEFTOVER_DEPTH_MAX || (!val_is_map(patch) && !val_is_list(patch))) {
    return (val *)(uintptr_t)patch;
  }
  if (val_is_map(patch) && val_getc(patch, "$patch")) return (val *)(uintptr_t)patch;
  val *out = val_is_map(patch) ? val_map(a) : val_list(a);
  for (uint32_t i = 0; val_is_list(patch) && i < val_len(patch); i++) {
    val_append(a, out, leftover(a, val_at(patch, i), depth + 1));
  }
  if (val_is_list(patch)) return out;
  slice ordered[ORDERS_MAX];
  uint32_t count = ordered_fields(patch, ordered);
  VAL_EACH(e, patch) {
    if (!is_consumed(e->key, ordered, count)) {
      val_set(a, out, e->key, leftover(a, e->value, depth + 1));
    }
  }
  return out;
}

/* What was asked for, as errors quote it. */
static slice quoted_text(request *rq, const patch_body *p, const val *live, const val *patch) {
  return patch ? go_print(rq->arena, leftover(rq->arena, patch, 0)) : document_text(rq, p, live);
}

/* Types the patched tree; what strictness finds is a warning or a 422. */
static val *conform(request *rq, const patch_body *p, const val *live, const val *parsed, val *tree,
                    strict_report *report) {
  slice error = SLICE_NONE;
  bool strict = rq->validation != VALIDATE_IGNORE;
  const type_info *t = p->as->type;
  strict_report *found = strict ? report : NULL;
  val *obj = NULL;
  if (p->as->custom) obj = negotiate_conform(rq, p->as, tree, found, &error);
  else if (!parsed) obj = negotiate_conform(rq, p->as, tree, found, &error);
  else if (restore_check(rq->arena, tree, t, &error))
    obj = codec_conform(rq->arena, tree, t, found, &error);
  if (!obj) {
    patch_invalid(rq, quoted_text(rq, p, live, parsed), error);
    return NULL;
  }
  if (!strict || report->count == 0) return obj;
  if (rq->validation == VALIDATE_STRICT) {
    patch_invalid(rq, quoted_text(rq, p, live, parsed), strict_error(rq->arena, report));
    return NULL;
  }
  for (uint32_t i = 0; i < report->count; i++) request_warn(rq, report->items[i]);
  return obj;
}

static val *patched(request *rq, const patch_body *p, const val *live) {
  arena *a = rq->arena;
  strict_report report = {0};
  patch_options o = {.ignore = rq->validation == VALIDATE_IGNORE};
  if (!o.ignore) o.report = &report;
  slice body = rq->http->body;
  val *tree = NULL, *parsed = NULL;
  if (p->kind == PATCH_JSON) {
    tree = json_patch_apply_as(a, document_of(a, p, live), body, &o, &rq->error);
  } else if (p->kind == PATCH_MERGE) {
    tree = merge_patch_apply_as(a, live, body, &o, &rq->error);
  } else {
    tree = strategic_patch_apply_as(a, live, body, p->as->type, &o, &parsed, &rq->error);
  }
  if (!tree) return NULL;
  managed_fields_keep_reset(a, tree);
  return conform(rq, p, live, parsed, tree, &report);
}

static val *parse_applied(request *rq, strict_report *report) {
  slice error = SLICE_NONE;
  val *v = yaml_parse(rq->arena, rq->http->body, report, &error);
  if (!v) {
    bool bare = slice_has_prefix(error, SLICE_LIT("yaml: "));
    status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST, "error decoding YAML: %s%.*s",
               bare ? "error converting YAML to JSON: " : "", SLICE_ARG(error));
    return NULL;
  }
  if (val_is_null(v)) v = val_map(rq->arena);
  if (!val_is_map(v)) {
    status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST,
               "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot "
               "unmarshal %s into Go value of type map[string]interface {}",
               val_is_string(v) ? "string" : val_is_list(v) ? "array" : val_is_bool(v) ? "bool"
               : "number");
    return NULL;
  }
  return v;
}

/* Strict or not: what strictness would find in CBOR is refused in any case. */
static val *parse_applied_cbor(request *rq) {
  slice error = SLICE_NONE;
  val *v = cbor_parse(rq->arena, rq->http->body, &error);
  if (v && !val_is_null(v)) return v;
  if (v) return val_map(rq->arena);
  status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST, "error decoding YAML: %.*s",
             SLICE_ARG(error));
  return NULL;
}

/* Duplicate keys count only once the apply itself has gone well. */
static bool applied_strict(request *rq, const strict_report *report) {
  if (report->count && rq->validation == VALIDATE_STRICT) {
    return status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST,
                      "error strict decoding YAML: error converting YAML to JSON: %.*s",
                      SLICE_ARG(report->items[0]));
  }
  for (uint32_t i = 0; rq->validation == VALIDATE_WARN && i < report->count; i++) {
    request_warn_strict(rq, report->items[i]);
  }
  return true;
}

static val *applied(request *rq, const patch_body *p, const val *live) {
  manage_args m = {.arena = rq->arena, .resource = p->as, .manager = p->options.manager,
                   .subresource = rq->subresource ? rq->subresource->name : SLICE_LIT(""),
                   .apply = true, .force = p->options.force, .now_s = request_now_s(rq)};
  strict_report report = {0};
  val *config = p->cbor ? parse_applied_cbor(rq) : parse_applied(rq, &report);
  if (!config) return NULL;
  val *tree = server_side_apply(&m, live, config, &rq->error);
  if (!tree) return NULL;
  slice error = SLICE_NONE;
  bool fits = p->as->custom ? crd_coerce(rq->arena, p->as->custom, tree, NULL, &error)
                            : restore_check(rq->arena, tree, p->as->type, &error);
  val *obj = fits ? codec_conform(rq->arena, tree, p->as->type, NULL, &error) : NULL;
  if (!obj) {
    apply_unconvertible(&m, config, error, &rq->error);
    return NULL;
  }
  return applied_strict(rq, &report) ? obj : NULL;
}

bool patch_body_read(request *rq, patch_body *p, output_form *form) {
  return negotiate_patch(rq, &p->kind, &p->cbor) && negotiate_output(rq, false, form) &&
         options_read_write(rq, "PatchOptions", p->kind == PATCH_APPLY, &p->options);
}

val *patch_body_apply(request *rq, const patch_body *p, const val *live) {
  return p->kind == PATCH_APPLY ? applied(rq, p, live) : patched(rq, p, live);
}
