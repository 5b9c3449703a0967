/* patch: a difference over the object's requested version; apply creates what is missing. */
#include "registry/generic_internal.h"
#include "registry/object.h"
#include "respond/respond.h"
#include "verb/patch_body.h"
#include "verb/verbs.h"
#include "verb/write.h"

static val *make(void *ctx, request *rq, const val *live) {
  patch_body *p = ctx;
  if (!live && p->kind != PATCH_APPLY) {
    status_not_found(&rq->error, rq->arena, rq->resource->group, rq->resource->resource,
                     rq->info.name);
    return NULL;
  }
  val *obj = patch_body_apply(rq, p, live ? write_from_storage(rq, live) : NULL);
  if (!obj) return NULL;
  obj = write_to_storage(rq, obj);
  if (p->kind != PATCH_APPLY) write_manage(rq, live, obj);
  if (!live && object_uid(obj).len) {
    slice why =
        arena_printf(rq->arena,
                     "uid mismatch: the provided object specified uid %.*s, and no existing object "
                     "was found",
                             SLICE_ARG(object_uid(obj)));
    status_conflict(&rq->error, rq->arena, rq->resource->group, rq->resource->resource,
                    rq->info.name, why);
    return NULL;
  }
  if (!write_check_namespace(rq, obj) || !write_check_name(rq, obj)) return NULL;
  return write_admit(rq, obj, live, rq->info.name) ? obj : NULL;
}

static bool patch(request *rq, output_form *form, write_result *out) {
  patch_body p = {.as = rq->resource};
  if (!patch_body_read(rq, &p, form) || !generic_check_path_name(rq, rq->info.name)) return false;
  update_source source =
      {.make = make, .ctx = &p, .allow_create = p.kind == PATCH_APPLY && !rq->subresource};
  if (rq->subresource) source.prepare = subresource_prepare(rq->resource, rq->subresource->name);
  return generic_update(rq, rq->info.namespace, rq->info.name, &source, out);
}

void verb_patch(request *rq) {
  output_form form;
  write_result result = {0};
  bool ok = patch(rq, &form, &result);
  write_answer(rq, &form, &result, ok);
}
