/* delete: one object, by the registry's rules; and a collection, one by one, as the real server
 * does: not atomic, the first error ends it. */
#include "registry/field_error.h"
#include "registry/generic.h"
#include "registry/generic_internal.h"
#include "registry/object.h"
#include "registry/stored.h"
#include "respond/respond.h"
#include "verb/read.h"
#include "verb/verbs.h"
#include "verb/write.h"

/* The classes that the cluster itself needs; a collection may take them, as in the real server. */
static bool may_go(request *rq) {
  static const char *const kept[] = {"system-node-critical", "system-cluster-critical"};
  if (!slice_is(rq->resource->resource, "priorityclasses")) return true;
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
    if (!slice_is(rq->info.name, kept[i])) continue;
    return status_forbidden(&rq->error, rq->arena, rq->resource->group, rq->resource->resource,
                            rq->info.name,
                            SLICE_LIT("this is a system priority class and cannot be deleted"));
  }
  return true;
}

void verb_delete(request *rq) {
  output_form form;
  delete_options o;
  write_result result = {0};
  bool ok = negotiate_output(rq, false, &form) && options_read_delete(rq, &o) &&
            generic_check_path_name(rq, rq->info.name) && may_go(rq);
  if (ok && o.ignore_read_error) {
    if (generic_delete_damaged(rq, rq->info.namespace, rq->info.name)) {
      respond_deleted_unread(rq, &form);
    } else {
      respond_error(rq);
    }
    return;
  }
  if (ok) generic_warn_orphans(rq, &o);
  ok = ok && generic_delete(rq, rq->info.namespace, rq->info.name, &o, &result);
  if (!ok) {
    respond_error(rq);
    return;
  }
  /* Kinds that answer with a Status do so only when the object is gone. */
  bool waits = !result.deleted;
  int code = waits && o.orphan_set && !o.orphan ? 202 : 200;
  if (result.entry) request_keep(rq, result.entry);
  if (result.answer_status && result.deleted) respond_deleted_status(rq, &form, result.obj);
  else respond_object(rq, code, &form, result.obj);
}

static bool is_of_one(request *rq, const delete_options *o) {
  if (!o->ignore_read_error) return true;
  field_errors errs = {.a = rq->arena};
  path p = path_root("ignoreStoreReadErrorWithClusterBreakingPotential");
  field_invalid(&errs, &p, val_bool(rq->arena, true),
                "is not allowed with DELETECOLLECTION, try again after removing the option");
  return field_errors_to_status(&errs, SLICE_LIT("meta.k8s.io"), SLICE_LIT("DeleteOptions"),
                                SLICE_NONE, &rq->error);
}

static bool delete_each(request *rq, const list_found *found, const delete_options *o) {
  for (uint32_t i = 0; i < found->count; i++) {
    const val *obj = stored_decode(rq->arena, rq->resource, found->items[i]);
    write_result one = {0};
    delete_options own = *o;
    bool ok = generic_delete(rq, object_namespace(obj), object_name(obj), &own, &one);
    store_entry_unref(one.entry);
    if (!ok && rq->error.reason != STATUS_NOT_FOUND) return false;
    rq->error.set = false;
  }
  return true;
}

void verb_deletecollection(request *rq) {
  output_form form;
  list_options lo;
  selector which;
  delete_options o;
  list_found found = {0};
  bool ok = negotiate_output(rq, false, &form) && read_list_options(rq, &lo, &which) &&
            options_read_delete(rq, &o) && is_of_one(rq, &o) &&
            list_collect(rq, &lo, &which, verb_deletecollection, &found);
  if (found.waits) return;
  if (ok) generic_warn_orphans(rq, &o);
  if (!ok || !delete_each(rq, &found, &o)) respond_error(rq);
  else respond_list(rq, &form, found.items, found.count, &found.meta);
}
