/* get: one object, as it is stored. */
#include "base/limits.h"
#include "base/mutant.h"
#include "registry/generic.h"
#include "registry/generic_internal.h"
#include "respond/respond.h"
#include "server_stores.h"
#include "verb/read.h"
#include "verb/verbs.h"
#include "verb/wait.h"

/* Any version that is asked for may come from the copy; without one the newest counts. */
static bool asks(request *rq) { return http_query_get(rq->http, "resourceVersion").len > 0; }

void verb_get(request *rq) {
  output_form form;
  uint64_t version = 0;
  store_entry *e = NULL;
  bool ok = negotiate_output(rq, false, &form) && generic_check_path_name(rq, rq->info.name) &&
            read_version(rq, http_query_get(rq->http, "resourceVersion"), !read_is_cached(rq),
                         &version);
  if (ok && wait_for_version(rq, version, verb_get)) return;
  if (!ok || !read_reached(rq, version) ||
      !generic_get(rq, rq->info.namespace, rq->info.name, !asks(rq), &e)) {
    respond_error(rq);
    return;
  }
  store_entry *older = NULL;
  if (MUTANT(STALE_READ) && e->version > 1 &&
      store_get(request_store(rq), store_entry_key(e), e->mod_revision - 1, &older) == STORE_OK) {
    request_keep(rq, e);
    e = older;
  }
  request_keep(rq, e);
  respond_entry(rq, 200, &form, e);
}
