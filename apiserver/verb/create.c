/* create: body -> typed -> defaulted -> storage version -> admitted -> validated -> stored. */
#include "registry/object.h"
#include "respond/respond.h"
#include "verb/verbs.h"
#include "verb/write.h"
#include "version/version.h"

static void wipe_system_fields(val *obj) {
  static const char *const keys[] = {"creationTimestamp", "uid", "deletionTimestamp",
                                     "deletionGracePeriodSeconds", "selfLink"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) object_del(obj, keys[i]);
}

/* The namespace that admission looks at: of a Namespace its own name. */
static void name_request(request *rq, const val *obj) {
  if (rq->info.name.len == 0) rq->info.name = object_name(obj);
  bool is_namespace = slice_is(rq->resource->resource, "namespaces") &&
      rq->resource->group.len == 0;
  if (is_namespace && rq->info.namespace.len == 0) rq->info.namespace = rq->info.name;
}

static bool create(request *rq, output_form *form, write_result *out) {
  write_options o;
  body_format ignored;
  if (!negotiate_output(rq, false, form) || !negotiate_input(rq, &ignored) ||
      !options_read_write(rq, "CreateOptions", false, &o)) return false;
  val *obj = write_decode(rq);
  if (!obj) return false;
  name_request(rq, obj);
  wipe_system_fields(obj);
  if (!write_check_namespace(rq, obj)) return false;
  write_dedup_owners(rq, obj, false);
  write_manage(rq, NULL, obj);
  if (!write_admit(rq, obj, NULL, rq->info.name)) return false;
  return generic_create(rq, obj, out);
}

void verb_create(request *rq) {
  output_form form;
  write_result result = {0};
  bool ok = create(rq, &form, &result);
  write_answer(rq, &form, &result, ok);
}
