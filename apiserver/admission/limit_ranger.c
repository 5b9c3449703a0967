/* LimitRanger: a namespace's limits, as defaults first and then as bounds.
 * Source: plugin/pkg/admission/limitranger. */
#include "admission/plugin.h"

#include "base/limits.h"
#include "codec/codec.h"
#include "registry/object.h"
#include "version/pod_resources.h"
#include "version/version.h"

#include <stdlib.h>

/* Above this the real server compares whole units, below it thousandths. */
static const int64_t MILLI_MAX = INT64_MAX / 1000;

typedef struct range_run {
  const admission_args *args;
  val *notes; /* what the defaults did, for the annotation */
  val *problems; /* texts of one LimitRange */
  bool failed;
} range_run;

static bool applies_to_pod(const admission_args *args) {
  return plugin_is(args, "", "pods") && args->op == ADMIT_CREATE;
}

static int by_text(const void *x, const void *y) {
  return slice_cmp(val_str(*(val *const *)x), val_str(*(val *const *)y));
}

static slice joined(arena *a, const val *texts, slice between) {
  buf out;
  buf_init(&out, LIMIT_BUFFER);
  for (uint32_t i = 0; i < val_len(texts); i++) {
    if (i) buf_append(&out, between);
    buf_append(&out, val_str(val_at(texts, i)));
  }
  slice text = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return text;
}

/* Adds what the container lacks; notes "cpu, memory request for container c". */
static void default_add(range_run *run, val *container, const val *defaults, const char *list,
                        const char *word, const char *what) {
  arena *a = run->args->rq->arena;
  val *set = val_list(a);
  VAL_EACH(e, defaults) {
    val *resources = val_ensure_map(a, container, "resources");
    val *own = val_ensure_map(a, resources, list);
    if (val_get(own, e->key)) continue;
    val_set(a, own, e->key, val_string(a, val_str(e->value)));
    val_append(a, set, val_string(a, e->key));
  }
  if (!val_len(set)) return;
  qsort(set->u.items, val_len(set), sizeof *set->u.items, by_text);
  slice names = joined(a, set, SLICE_LIT(", ")), name = val_get_str(container, "name");
  val_append(a, run->notes, val_printf(a, "%.*s %s for %s %.*s", SLICE_ARG(names), word, what,
                                       SLICE_ARG(name)));
}

static void defaults_collect(arena *a, const val *range, val *requests, val *limits) {
  const val *items = val_path(range, "spec.limits");
  for (uint32_t i = 0; i < val_len(items); i++) {
    const val *item = val_at(items, i);
    if (!slice_is(val_get_str(item, "type"), "Container")) continue;
    VAL_EACH(e, val_getc(item, "defaultRequest")) val_set(a, requests, e->key, e->value);
    VAL_EACH(f, val_getc(item, "default")) val_set(a, limits, f->key, f->value);
  }
}

static bool range_mutate(void *ctx, val *range) {
  range_run *run = ctx;
  arena *a = run->args->rq->arena;
  val *requests = val_map(a), *limits = val_map(a), *pod = run->args->obj;
  run->notes = val_list(a);
  defaults_collect(a, range, requests, limits);
  for (int l = 0; l < 2; l++) {
    const val *list = val_getc(val_getc(pod, "spec"), l ? "initContainers" : "containers");
    const char *what = l ? "init container" : "container";
    for (uint32_t i = 0; i < val_len(list); i++) {
      default_add(run, val_at(list, i), requests, "requests", "request", what);
      default_add(run, val_at(list, i), limits, "limits", "limit", what);
    }
  }
  if (!val_len(run->notes)) return true;
  slice text = joined(a, run->notes, SLICE_LIT("; "));
  val *annotations = val_ensure_map(a, val_ensure_map(a, pod, "metadata"), "annotations");
  val_setc(a, annotations, "kubernetes.io/limit-ranger",
           val_printf(a, "LimitRanger plugin set: %.*s", SLICE_ARG(text)));
  return true;
}

bool limit_ranger_mutate(const admission_args *args) {
  if (!applies_to_pod(args)) return true;
  range_run run = {.args = args};
  plugin_each(args, "", "v1", "limitranges", args->namespace, SLICE_NONE, range_mutate, &run);
  /* The real server fills in defaults again when it reads what it stored. */
  if (val_path(args->obj, "spec.resources")) {
    const kind_info *pod = schema_kind(SLICE_NONE, SLICE_LIT("v1"), SLICE_LIT("Pod"));
    version_default(args->rq->arena, args->obj, pod->type);
  }
  return true;
}

/* One resource of one limit, looked at in one container (or pod, or claim). */
typedef struct bound {
  range_run *run;
  slice type, name, enforced;
  slice request, limit; /* empty when missing */
  int64_t request_n, limit_n, enforced_n;
} bound;

static void bound_numbers(bound *b) {
  b->request_n = b->request.len ? quantity_value(b->request) : 0;
  b->limit_n = b->limit.len ? quantity_value(b->limit) : 0;
  b->enforced_n = quantity_value(b->enforced);
  if (b->request_n > MILLI_MAX || b->limit_n > MILLI_MAX || b->enforced_n > MILLI_MAX) return;
  b->request_n = b->request.len ? quantity_milli(b->request) : 0;
  b->limit_n = b->limit.len ? quantity_milli(b->limit) : 0;
  b->enforced_n = quantity_milli(b->enforced);
}

static void problem(bound *b, slice text) {
  arena *a = b->run->args->rq->arena;
  val_append(a, b->run->problems, val_string(a, text));
}

/* "maximum cpu usage per Container is 1, but limit is 2." and its like. */
static void bound_say(bound *b, const char *word, const char *missing, slice found,
                      const char *what) {
  arena *a = b->run->args->rq->arena;
  slice head = arena_printf(a, "%s %.*s usage per %.*s is %.*s", word, SLICE_ARG(b->name),
                            SLICE_ARG(b->type), SLICE_ARG(b->enforced));
  problem(b, missing ? arena_printf(a, "%.*s.  No %s is specified", SLICE_ARG(head), missing)
                     : arena_printf(a, "%.*s, but %s is %.*s", SLICE_ARG(head), what,
                                    SLICE_ARG(found)));
}

static void min_check(bound *b) {
  if (!b->request.len) bound_say(b, "minimum", "request", SLICE_NONE, NULL);
  else if (b->request_n < b->enforced_n) bound_say(b, "minimum", NULL, b->request, "request");
  else if (b->limit.len && b->limit_n < b->enforced_n) {
    bound_say(b, "minimum", NULL, b->limit, "limit");
  }
}

static void max_check(bound *b) {
  if (!b->limit.len) bound_say(b, "maximum", "limit", SLICE_NONE, NULL);
  else if (b->limit_n > b->enforced_n) bound_say(b, "maximum", NULL, b->limit, "limit");
  else if (b->request.len && b->request_n > b->enforced_n) {
    bound_say(b, "maximum", NULL, b->request, "request");
  }
}

static void max_request_check(bound *b) {
  if (!b->request.len) bound_say(b, "maximum", "request", SLICE_NONE, NULL);
  else if (b->request_n > b->enforced_n) bound_say(b, "maximum", NULL, b->request, "request");
}

static void ratio_check(bound *b) {
  arena *a = b->run->args->rq->arena;
  slice head = arena_printf(a, "%.*s max limit to request ratio per %.*s is %.*s",
                            SLICE_ARG(b->name), SLICE_ARG(b->type), SLICE_ARG(b->enforced));
  if (!b->request_n || !b->limit_n) {
    const char *what = b->request_n ? "limit" : "request";
    problem(b, arena_printf(a, "%.*s, but no %s is specified or %s is 0", SLICE_ARG(head), what,
                            what));
    return;
  }
  double ratio = (double)b->limit_n / (double)b->request_n;
  bool milli = quantity_value(b->enforced) <= MILLI_MAX;
  double most = milli ? (double)quantity_milli(b->enforced) : (double)quantity_value(b->enforced);
  if ((milli ? ratio * 1000 : ratio) > most) {
    problem(b, arena_printf(a, "%.*s, but provided ratio is %f", SLICE_ARG(head), ratio));
  }
}

static void bounds_check(range_run *run, const val *item, const char *field, const val *requests,
                         const val *limits, void (*check)(bound *)) {
  VAL_EACH(e, val_getc(item, field)) {
    bound b = {.run = run, .type = val_get_str(item, "type"), .name = e->key,
               .enforced = val_str(e->value), .request = val_str(val_get(requests, e->key)),
               .limit = val_str(val_get(limits, e->key))};
    bound_numbers(&b);
    check(&b);
  }
}

static void resources_check(range_run *run, const val *item, const val *requests,
                            const val *limits) {
  bounds_check(run, item, "min", requests, limits, min_check);
  bounds_check(run, item, "max", requests, limits, max_check);
  bounds_check(run, item, "maxLimitRequestRatio", requests, limits, ratio_check);
}

static void pod_check(range_run *run, const val *item) {
  arena *a = run->args->rq->arena;
  const val *spec = val_getc(run->args->obj, "spec");
  if (slice_is(val_get_str(item, "type"), "Container")) {
    for (int l = 0; l < 2; l++) {
      const val *list = val_getc(spec, l ? "initContainers" : "containers");
      for (uint32_t i = 0; i < val_len(list); i++) {
        const val *own = val_getc(val_at(list, i), "resources");
        resources_check(run, item, val_getc(own, "requests"), val_getc(own, "limits"));
      }
    }
  } else if (slice_is(val_get_str(item, "type"), "Pod")) {
    val *bare = val_map(a); /* limits of pods leave the overhead out */
    VAL_EACH(e, spec) if (!slice_is(e->key, "overhead")) val_set(a, bare, e->key, e->value);
    resources_check(run, item, pod_resources_total(a, bare, "requests"),
                    pod_resources_total(a, bare, "limits"));
  }
}

static void claim_check(range_run *run, const val *item) {
  const val *requests = val_path(run->args->obj, "spec.resources.requests");
  if (!slice_is(val_get_str(item, "type"), "PersistentVolumeClaim")) return;
  bounds_check(run, item, "min", requests, NULL, min_check);
  bounds_check(run, item, "max", requests, NULL, max_request_check);
}

/* Several problems are a list in brackets, repeats left out. */
static slice problems_text(arena *a, const val *problems) {
  val *fresh = val_list(a);
  for (uint32_t i = 0; i < val_len(problems); i++) {
    bool seen = false;
    for (uint32_t j = 0; j < i && !seen; j++) {
      seen = slice_eq(val_str(val_at(problems, i)), val_str(val_at(problems, j)));
    }
    if (!seen) val_append(a, fresh, val_at(problems, i));
  }
  slice text = joined(a, fresh, SLICE_LIT(", "));
  return val_len(fresh) == 1 ? text : arena_printf(a, "[%.*s]", SLICE_ARG(text));
}

static bool range_validate(void *ctx, val *range) {
  range_run *run = ctx;
  arena *a = run->args->rq->arena;
  const val *items = val_path(range, "spec.limits");
  bool pods = slice_is(run->args->resource->resource, "pods");
  run->problems = val_list(a);
  for (uint32_t i = 0; i < val_len(items); i++) {
    if (pods) pod_check(run, val_at(items, i));
    else claim_check(run, val_at(items, i));
  }
  if (!val_len(run->problems)) return true;
  slice text = problems_text(a, run->problems);
  plugin_forbid(run->args, "%.*s", SLICE_ARG(text));
  run->failed = true;
  return false;
}

bool limit_ranger_validate(const admission_args *args) {
  bool resize = plugin_is_sub(args, "", "pods", "resize") && args->op == ADMIT_UPDATE;
  if (!resize && !applies_to_pod(args) && !plugin_is(args, "", "persistentvolumeclaims")) {
    return true;
  }
  if (args->old && object_deleting(args->old)) return true;
  range_run run = {.args = args};
  plugin_each(args, "", "v1", "limitranges", args->namespace, SLICE_NONE, range_validate, &run);
  return !run.failed;
}
