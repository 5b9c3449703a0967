/* update: the body replaces the object, if it is the state that the client knew. */
#include "registry/object.h"
#include "respond/respond.h"
#include "verb/verbs.h"
#include "verb/write.h"

static val *make_updated(void *ctx, request *rq, const val *live) {
  val *obj = object_fork(rq->arena, ctx);
  write_manage(rq, live, obj);
  return write_admit(rq, obj, live, rq->info.name) ? obj : NULL;
}

static bool update(request *rq, output_form *form, write_result *out) {
  write_options o;
  if (!negotiate_output(rq, false, form) || !options_read_write(rq, "UpdateOptions", false, &o)) {
    return false;
  }
  body_format ignored;
  if (!negotiate_input(rq, &ignored)) return false;
  val *obj = write_decode(rq);
  if (!obj || !write_check_namespace(rq, obj) || !write_check_name(rq, obj)) return false;
  write_dedup_owners(rq, obj, false);
  update_source source = {.make = make_updated, .ctx = obj, .uid = object_uid(obj)};
  if (rq->subresource) source.prepare = subresource_prepare(rq->resource, rq->subresource->name);
  return generic_update(rq, rq->info.namespace, rq->info.name, &source, out);
}

void verb_update(request *rq) {
  output_form form;
  write_result result = {0};
  bool ok = update(rq, &form, &result);
  write_answer(rq, &form, &result, ok);
}
