/* watch: from where, and then the watcher has it. */
#include "registry/selector.h"
#include "respond/respond.h"
#include "server_stores.h"
#include "verb/read.h"
#include "verb/verbs.h"
#include "verb/wait.h"
#include "watch/watcher.h"

/* The deprecated paths are watches whatever the method. */
static bool method_ok(request *rq) {
  if (slice_is(rq->http->method, "GET")) return true;
  status_set(&rq->error, rq->arena, STATUS_METHOD_NOT_ALLOWED,
             "the server does not allow this method on the requested resource");
  rq->error.has_details = true;
  return false;
}

static bool prepare(request *rq, watch_args *args) {
  list_options *o = &args->options;
  return method_ok(rq) && negotiate_output(rq, true, &args->form) &&
      options_read_list(rq, true, o) &&
         selector_parse(rq->arena, rq->resource, o->label_selector, o->field_selector,
                        &args->selector,
                        &rq->error) &&
         (rq->info.name.len == 0 ||
          selector_require_name(rq->arena, &args->selector, rq->info.name, &rq->error)) &&
         read_version(rq, o->resource_version, false, &args->from);
}

void verb_watch(request *rq) {
  watch_args args = {0};
  if (!prepare(rq, &args)) {
    respond_error(rq);
    return;
  }
  args.initial = args.options.initial_events_set && args.options.initial_events;
  args.wants_end = args.initial && args.options.allow_bookmarks;
  if (args.initial && wait_for_version(rq, args.from, verb_watch)) return;
  if (args.form.as == AS_TABLE && !respond_transformable(rq, &args.form, false)) {
    respond_error(rq);
    return;
  }
  int64_t at = 0;
  if (args.from == 0 && !(read_consistent(rq, args.options.resource_version, &at) &&
                          read_reached(rq, (uint64_t)at))) {
    respond_error(rq);
    return;
  }
  if (!args.initial && args.from == 0) args.from = (uint64_t)store_revision(request_store(rq));
  watcher_start(rq, &args);
}
