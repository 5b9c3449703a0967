/* watch: from where, and then the watcher has it. */
#include "registry/selector.h"
#include "respond/respond.h"
#include "server.h"
#include "verb/read.h"
#include "verb/verbs.h"
#include "watch/watcher.h"

static bool read_version(request *rq, const list_options *o, int64_t *from) {
  long long n = 0;
  *from = 0;
  if (o->resource_version.len == 0) return true;
  if (!slice_to_i64(o->resource_version, &n) || n < 0) {
    return status_plain(&rq->error, rq->arena,
                        "resourceVersion: Invalid value: \"%.*s\": strconv.ParseUint: parsing \"%.*s\": "
                        "invalid syntax",
                        SLICE_ARG(o->resource_version), SLICE_ARG(o->resource_version));
  }
  *from = n;
  return true;
}

static bool prepare(request *rq, watch_args *args) {
  selector s;
  list_options *o = &args->options;
  if (!negotiate_output(rq, true, &args->form) || !options_read_list(rq, true, o) ||
      !selector_parse(rq->arena, rq->resource, o->label_selector, o->field_selector, &s, &rq->error) ||
      !read_version(rq, o, &args->from)) return false;
  return rq->info.name.len == 0 || selector_require_name(rq->arena, &s, rq->info.name, &rq->error);
}

void verb_watch(request *rq) {
  watch_args args = {0};
  if (!prepare(rq, &args)) {
    respond_error(rq);
    return;
  }
  int64_t current = store_revision(rq->server->store);
  bool asked = args.options.initial_events_set && args.options.initial_events;
  if (asked && args.from > current) {
    read_too_large(rq, args.from, current);
    respond_error(rq);
    return;
  }
  args.initial = asked;
  args.wants_end = asked && args.options.allow_bookmarks;
  if (!asked && args.from == 0) args.from = current;
  watcher_start(rq, &args);
}
