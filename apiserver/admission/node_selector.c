/* PodNodeSelector, which is off unless asked for: a namespace's annotation is merged into its pods'
 * node selectors. Source: plugin/pkg/admission/podnodeselector. */
#include "admission/plugin.h"

#include "registry/validation/text_rules.h"

#define ANNOTATION "scheduler.alpha.kubernetes.io/node-selector"

/* A key or a value as a label has it, or false with rq->error. */
static bool is_fine(request *rq, text_rule rule, slice text, const path *at) {
  field_errors errs = {.a = rq->arena};
  slice problems = text_problems_joined(rq->arena, rule, text, "; ");
  if (problems.len == 0) return true;
  field_invalid_str(&errs, at, text, "%.*s", SLICE_ARG(problems));
  return field_errors_to_plain(&errs, &rq->error);
}

static bool no_pair(request *rq, slice label) {
  char *parts = arena_alloc(rq->arena, label.len + 1);
  for (size_t i = 0; i < label.len; i++) parts[i] = label.ptr[i] == '=' ? ' ' : label.ptr[i];
  slice shown = {parts, label.len};
  return status_plain(&rq->error, rq->arena, "invalid selector: [%.*s]", SLICE_ARG(shown));
}

/* "a=b,c=d" to a map; false with rq->error. */
static bool selector_read(request *rq, slice text, val *out) {
  arena *a = rq->arena;
  for (bool more = text.len > 0; more;) {
    slice label, key, value;
    more = slice_cut(text, ',', &label, &text);
    bool pair = slice_cut(label, '=', &key, &value);
    if (!pair || slice_find_char(value, '=') >= 0) return no_pair(rq, label);
    key = slice_trim(key);
    value = slice_trim(value);
    path at = path_key(NULL, key); /* the real server's path is nil */
    if (!is_fine(rq, TEXT_LABEL_KEY, key, NULL)) return false;
    if (!is_fine(rq, TEXT_LABEL_VALUE, value, &at)) return false;
    val_set(a, out, key, val_string(a, value));
  }
  return true;
}

/* The namespace's selector; false with rq->error, also where the pod's disagrees with it. */
static bool agreed(const admission_args *args, val **out) {
  request *rq = args->rq;
  *out = val_map(rq->arena);
  const val *text;
  if (!plugin_annotation(args, ANNOTATION, &text)) return false;
  if (!selector_read(rq, val_str(text), *out)) return false;
  const val *own = val_path(args->obj, "spec.nodeSelector");
  VAL_EACH(e, *out) {
    const val *has = val_get(own, e->key);
    if (!has || slice_eq(val_str(has), val_str(e->value))) continue;
    return plugin_forbid(args, "pod node label selector conflicts with its namespace node label "
                               "selector");
  }
  return true;
}

bool pod_node_selector_mutate(const admission_args *args) {
  val *selector;
  if (!plugin_is(args, "", "pods")) return true;
  if (!agreed(args, &selector)) return false;
  arena *a = args->rq->arena;
  if (!val_len(selector)) return true;
  val *own = val_ensure_map(a, val_ensure_map(a, args->obj, "spec"), "nodeSelector");
  VAL_EACH(e, selector) {
    if (!val_get(own, e->key)) val_set(a, own, e->key, val_string(a, val_str(e->value)));
  }
  return true;
}

bool pod_node_selector_validate(const admission_args *args) {
  val *selector;
  return !plugin_is(args, "", "pods") || agreed(args, &selector);
}
