/* PodTolerationRestriction: a namespace's annotations say which tolerations its pods get, and which
 * they may have. ExtendedResourceToleration: pods that ask for devices tolerate their taint. Both
 * are off unless asked for. Source: plugin/pkg/admission/podtolerationrestriction,
 * extendedresourcetoleration, pkg/util/tolerations. */
#include "admission/plugin.h"

#include "codec/codec.h"
#include "registry/pod_qos.h"
#include "registry/validation/pod_checks.h"

#include <stdlib.h>

#define DEFAULTS "scheduler.alpha.kubernetes.io/defaultTolerations"
#define WHITELIST "scheduler.alpha.kubernetes.io/tolerationsWhitelist"

static slice part(const val *toleration, const char *name) { return val_get_str(toleration, name); }

/* Does `wide` tolerate all that t does? */
static bool covers(const val *wide, const val *t) {
  if (val_equal(wide, t)) return true;
  slice key = part(wide, "key"), effect = part(wide, "effect"), op = part(wide, "operator");
  bool exists = slice_is(op, "Exists");
  if (!slice_eq(part(t, "key"), key) && (key.len || !exists)) return false;
  if (!slice_eq(part(t, "effect"), effect) && effect.len) return false;
  const val *most = val_getc(wide, "tolerationSeconds"), *own = val_getc(t, "tolerationSeconds");
  if (slice_is(effect, "NoExecute") && most && (!own || val_i64(own) > val_i64(most))) return false;
  if (exists) return true;
  bool equal = op.len == 0 || slice_is(op, "Equal");
  return equal && slice_is(part(t, "operator"), "Equal") &&
         slice_eq(part(t, "value"), part(wide, "value"));
}

static bool is_redundant(const val *all, uint32_t i, const val *kept) {
  const val *t = val_at(all, i);
  for (uint32_t k = 0; k < val_len(kept); k++) {
    if (covers(val_at(kept, k), t)) return true;
  }
  for (uint32_t k = i + 1; k < val_len(all); k++) {
    if (!val_equal(t, val_at(all, k)) && covers(val_at(all, k), t)) return true;
  }
  return false;
}

/* One list of both, without what another covers. */
static val *merged(arena *a, const val *first, const val *second) {
  val *all = val_list(a), *kept = val_list(a);
  for (uint32_t i = 0; i < val_len(first); i++) val_append(a, all, val_at(first, i));
  for (uint32_t i = 0; i < val_len(second); i++) val_append(a, all, val_at(second, i));
  for (uint32_t i = 0; i < val_len(all); i++) {
    if (!is_redundant(all, i, kept)) val_append(a, kept, val_at(all, i));
  }
  return kept;
}

/* The tolerations in a namespace's annotation: NULL for none. False with rq->error. */
static bool annotated(const admission_args *args, const char *key, val **out) {
  request *rq = args->rq;
  arena *a = rq->arena;
  *out = NULL;
  const val *text;
  if (!plugin_annotation(args, key, &text)) return false;
  if (!text) return true;
  *out = val_list(a);
  if (val_str(text).len == 0) return true;
  slice error = SLICE_NONE;
  val *pod = val_map(a), *spec = val_map(a), *list = json_parse(a, val_str(text), NULL, &error);
  if (!list) return status_plain(&rq->error, a, "%.*s", SLICE_ARG(error));
  val_setc(a, spec, "tolerations", list);
  val_setc(a, pod, "spec", spec);
  pod = codec_conform(a, pod, schema_kind(SLICE_NONE, SLICE_LIT("v1"), SLICE_LIT("Pod"))->type,
                      NULL, &error);
  if (!pod) return status_plain(&rq->error, a, "%.*s", SLICE_ARG(error));
  list = val_getc(val_getc(pod, "spec"), "tolerations");
  if (list) *out = list;
  return true;
}

bool toleration_restriction_validate(const admission_args *args) {
  if (!plugin_is(args, "", "pods")) return true;
  const val *tolerations = val_path(args->obj, "spec.tolerations");
  val *allowed;
  if (!val_len(tolerations)) return true;
  if (!annotated(args, WHITELIST, &allowed)) return false;
  for (uint32_t i = 0; val_len(allowed) && i < val_len(tolerations); i++) {
    uint32_t w = 0;
    while (w < val_len(allowed) && !covers(val_at(allowed, w), val_at(tolerations, i))) w++;
    if (w < val_len(allowed)) continue;
    return status_plain(&args->rq->error, args->rq->arena,
                        "pod tolerations (possibly merged with namespace default tolerations) "
                        "conflict with its namespace whitelist");
  }
  return true;
}

static val *toleration(arena *a, slice key) {
  val *t = val_map(a);
  val_setc(a, t, "key", val_string(a, key));
  val_setc(a, t, "operator", val_cstr(a, "Exists"));
  val_setc(a, t, "effect", val_cstr(a, "NoSchedule"));
  return t;
}

bool toleration_restriction_mutate(const admission_args *args) {
  if (!plugin_is(args, "", "pods")) return true;
  arena *a = args->rq->arena;
  val *extra = NULL, *spec = val_ensure_map(a, args->obj, "spec");
  if (args->op == ADMIT_CREATE && !annotated(args, DEFAULTS, &extra)) return false;
  if (strcmp(pod_qos(args->obj), "BestEffort") != 0) {
    if (!extra) extra = val_list(a);
    val_append(a, extra, toleration(a, SLICE_LIT("node.kubernetes.io/memory-pressure")));
  }
  if (val_len(extra)) {
    val_setc(a, spec, "tolerations", merged(a, val_getc(spec, "tolerations"), extra));
  }
  return toleration_restriction_validate(args);
}

/* ---- devices ---- */

/* One that says the same but for its seconds is replaced. */
static void tolerate(arena *a, val *spec, slice key) {
  static const char *const parts[] = {"key", "effect", "operator", "value"};
  val *wanted = toleration(a, key), *list = val_ensure_list(a, spec, "tolerations");
  bool found = false;
  for (uint32_t i = 0; i < val_len(list); i++) {
    size_t same = 0;
    while (same < 4 && slice_eq(part(val_at(list, i), parts[same]), part(wanted, parts[same]))) {
      same++;
    }
    if (same < 4) continue;
    if (val_equal(val_at(list, i), wanted)) return;
    list->u.items[i] = wanted;
    found = true;
  }
  if (!found) val_append(a, list, wanted);
}

bool extended_toleration_mutate(const admission_args *args) {
  static const char *const lists[] = {"containers", "initContainers"};
  if (!plugin_is(args, "", "pods")) return true;
  arena *a = args->rq->arena;
  val *spec = val_ensure_map(a, args->obj, "spec");
  slice *keys = NULL;
  uint32_t count = 0, cap = 0;
  for (int l = 0; l < 2; l++) {
    const val *list = val_getc(spec, lists[l]);
    for (uint32_t i = 0; i < val_len(list); i++) {
      VAL_EACH(e, val_path(val_at(list, i), "resources.requests")) {
        if (!resource_is_extended(e->key)) continue;
        keys = arena_more(a, keys, count, &cap, sizeof *keys);
        keys[count++] = e->key;
      }
    }
  }
  if (count) qsort(keys, count, sizeof *keys, slice_order);
  for (uint32_t i = 0; i < count; i++) tolerate(a, spec, keys[i]);
  return true;
}
