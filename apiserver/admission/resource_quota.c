/* ResourceQuota: what a namespace's objects may use together. A request that fits is charged at
 * once, in the status of the quotas, before the object itself is stored.
 *
 * A quota is in force when its status says so: somebody (a controller) has to bring spec.hard there
 * and count what is used already. Source: apiserver pkg/admission/plugin/resourcequota. */
#include "admission/plugin.h"
#include "admission/quota_usage.h"

#include "base/limits.h"
#include "codec/codec.h"
#include "registry/object.h"
#include "verb/registry.h"

#include <stdlib.h>

typedef struct quota_run {
  const admission_args *args;
  const val *usage, *before; /* of the new object and of the old one; NULL without */
  val *charged; /* quotas to be stored, with their new status */
  bool failed;
} quota_run;

static int by_key(const void *x, const void *y) {
  return slice_cmp(((const val_entry *)x)->key, ((const val_entry *)y)->key);
}

/* "cpu=1,pods=2", sorted. */
static slice pretty(arena *a, val *list) {
  buf out;
  buf_init(&out, LIMIT_BUFFER);
  if (val_len(list) > 1) qsort(list->u.entries, val_len(list), sizeof *list->u.entries, by_key);
  VAL_EACH(e, list) {
    if (out.len) buf_char(&out, ',');
    buf_append(&out, e->key);
    if (!val_is_string(e->value)) continue;
    buf_char(&out, '=');
    buf_append(&out, val_str(e->value));
  }
  slice text = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return text;
}

/* The quota's names that matter to this request and that it has not counted yet. */
static slice uncounted(const quota_run *run, const val *hard, const val *used) {
  arena *a = run->args->rq->arena;
  val *names = val_map(a);
  bool missing = false;
  VAL_EACH(e, hard) {
    if (!quota_name_matches(run->args->resource, e->key)) continue;
    val_set(a, names, e->key, val_null(a));
    missing = missing || !val_get(used, e->key);
  }
  return missing ? pretty(a, names) : SLICE_NONE;
}

/* What this request adds to the quota: only what is more than before, nothing that is zero. */
static val *added(const quota_run *run, const val *quota, const val *hard) {
  arena *a = run->args->rq->arena;
  val *out = val_map(a);
  bool was_in = run->before && quota_scopes_match(run->args->resource, quota, run->args->old);
  VAL_EACH(e, run->usage) {
    slice amount = val_str(e->value);
    const val *before = was_in ? val_get(run->before, e->key) : NULL;
    if (before) amount = quantity_sub(a, amount, val_str(before));
    if (quantity_cmp(amount, SLICE_LIT("0")) <= 0 || !val_get(hard, e->key)) continue;
    val_set(a, out, e->key, val_string(a, amount));
  }
  return out;
}

static bool over(const quota_run *run, const val *quota, const val *add, const val *hard,
                 const val *used) {
  arena *a = run->args->rq->arena;
  val *requested = val_map(a), *had = val_map(a), *limited = val_map(a);
  VAL_EACH(e, add) {
    const val *now = val_get(used, e->key), *limit = val_get(hard, e->key);
    slice sum = now ? quantity_add(a, val_str(now), val_str(e->value)) : val_str(e->value);
    if (quantity_cmp(sum, val_str(limit)) <= 0) continue;
    val_set(a, requested, e->key, e->value);
    val_set(a, had, e->key, val_string(a, now ? val_str(now) : SLICE_LIT("0")));
    val_set(a, limited, e->key, val_string(a, val_str(limit)));
  }
  if (!val_len(requested)) return false;
  slice name = object_name(quota), want = pretty(a, requested), have = pretty(a, had);
  slice most = pretty(a, limited);
  plugin_forbid(run->args, "exceeded quota: %.*s, requested: %.*s, used: %.*s, limited: %.*s",
                SLICE_ARG(name), SLICE_ARG(want), SLICE_ARG(have), SLICE_ARG(most));
  return true;
}

static bool quota_check(void *ctx, val *quota) {
  quota_run *run = ctx;
  const admission_args *args = run->args;
  arena *a = args->rq->arena;
  const val *status = val_getc(quota, "status");
  const val *hard = val_getc(status, "hard"), *used = val_getc(status, "used");
  slice name = object_name(quota);
  bool concerned = false;
  VAL_EACH(e, hard) concerned = concerned || quota_name_matches(args->resource, e->key);
  if (!concerned || !quota_scopes_match(args->resource, quota, args->obj)) return true;
  slice missing = quota_constraints(a, args->resource, hard, args->obj);
  slice unknown = uncounted(run, hard, used);
  run->failed = true;
  if (missing.len) {
    return plugin_forbid(args, "failed quota: %.*s: %.*s", SLICE_ARG(name), SLICE_ARG(missing));
  }
  if (unknown.len) {
    return plugin_forbid(args, "status unknown for quota: %.*s, resources: %.*s", SLICE_ARG(name),
                         SLICE_ARG(unknown));
  }
  const val *add = added(run, quota, hard);
  if (over(run, quota, add, hard, used)) return false;
  run->failed = false;
  if (!val_len(add)) return true;
  val *total = val_ensure_map(a, val_ensure_map(a, quota, "status"), "used");
  VAL_EACH(f, add) {
    const val *now = val_get(total, f->key);
    slice sum = now ? quantity_add(a, val_str(now), val_str(f->value)) : val_str(f->value);
    val_set(a, total, f->key, val_string(a, sum));
  }
  val_append(a, run->charged, quota);
  return true;
}

bool resource_quota_validate(const admission_args *args) {
  if (!args->namespace.len || !quota_handles(args)) return true;
  if (slice_is(args->resource->resource, "namespaces")) return true;
  arena *a = args->rq->arena;
  int64_t now_s = request_now_s(args->rq);
  quota_run run = {.args = args, .charged = val_list(a)};
  run.usage = quota_usage(a, args->resource, args->obj, now_s);
  if (args->op == ADMIT_UPDATE) run.before = quota_usage(a, args->resource, args->old, now_s);
  plugin_each(args, "", "v1", "resourcequotas", args->namespace, SLICE_LIT("\"hard\""), quota_check,
              &run);
  if (run.failed) return false;
  const resource_info *quotas =
      schema_resource(SLICE_NONE, SLICE_LIT("v1"), SLICE_LIT("resourcequotas"));
  for (uint32_t i = 0; !args->dry_run && i < val_len(run.charged); i++) {
    registry_update_status(args->rq->server, a, quotas, val_at(run.charged, i),
                           SLICE_LIT("kube-apiserver"));
  }
  return true;
}
