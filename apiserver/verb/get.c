/* get: one object, as it is stored. */
#include "base/limits.h"
#include "registry/generic.h"
#include "registry/generic_internal.h"
#include "respond/respond.h"
#include "server.h"
#include "verb/read.h"
#include "verb/verbs.h"

static bool get_entry(request *rq, store_entry **out) {
  slice version = http_query_get(rq->http, "resourceVersion");
  if (!generic_check_path_name(rq, rq->info.name)) return false;
  if (!read_check_version(rq, version, false)) return false;
  return generic_get(rq, rq->info.namespace, rq->info.name, out);
}

void verb_get(request *rq) {
  output_form form;
  store_entry *e = NULL;
  if (!negotiate_output(rq, false, &form) || !get_entry(rq, &e)) {
    respond_error(rq);
    return;
  }
  request_keep(rq, e);
  respond_entry(rq, 200, &form, e);
}
