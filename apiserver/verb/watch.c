/* watch: from where, and then the watcher has it. */
#include "registry/selector.h"
#include "respond/respond.h"
#include "server_stores.h"
#include "verb/read.h"
#include "verb/verbs.h"
#include "verb/wait.h"
#include "watch/watcher.h"

#define SECOND_NS ((int64_t)1000000000)

/* The deprecated paths are watches whatever the method. */
static bool method_ok(request *rq) {
  if (slice_is(rq->http->method, "GET")) return true;
  status_set(&rq->error, rq->arena, STATUS_METHOD_NOT_ALLOWED,
             "the server does not allow this method on the requested resource");
  rq->error.has_details = true;
  return false;
}

static bool read_what(request *rq, watch_args *args) {
  return method_ok(rq) && negotiate_output(rq, false, &args->form) &&
         read_list_options(rq, &args->options, &args->selector) &&
         (rq->info.name.len == 0 ||
          selector_require_name(rq->arena, &args->selector, rq->info.name, &rq->error));
}

/* Whether the form can be streamed is the last thing that the real server asks: it has begun the
 * watch by then. */
static bool prepare(request *rq, watch_args *args) {
  return read_what(rq, args) &&
         read_version(rq, args->options.resource_version, false, &args->from) &&
         (args->form.as != AS_TABLE || respond_transformable(rq, &args->form, false)) &&
         negotiate_output(rq, true, &args->form);
}

void verb_watch_refused(request *rq) {
  watch_args args = {0};
  slice name = rq->resource->resource;
  if (read_what(rq, &args)) {
    status_set(&rq->error, rq->arena, STATUS_METHOD_NOT_ALLOWED,
               "watch is not supported on resources of kind \"%.*s\"", SLICE_ARG(name));
    rq->error.has_details = true;
    rq->error.kind = name;
    rq->error.group = rq->resource->group;
  }
  respond_error(rq);
}

static void set_over(request *rq) {
  status_set(&rq->error, rq->arena, STATUS_INTERNAL, "context deadline exceeded");
}

/* Its time may be over before it began: because it is negative, or because the version was waited
 * for. Then only a consistent read is told to have failed, and a version that did not come. */
static bool is_over(request *rq, watch_args *args) {
  const list_options *o = &args->options;
  if (!o->timeout_set || o->timeout_s == 0) return false;
  int64_t passed_ns = rq->server->env->mono_ns - rq->came_ns;
  if (o->timeout_s >= WAIT_NS / SECOND_NS) return false;
  if (o->timeout_s > 0 && passed_ns < o->timeout_s * SECOND_NS) return false;
  if (o->timeout_s > 0 && args->initial && !read_reached(rq, args->from)) {
    return false; /* the watcher says so */
  }
  bool consistent = args->initial && o->resource_version.len == 0 && read_is_cached(rq);
  if (consistent) set_over(rq);
  args->over = true;
  return true;
}

/* What is consistent asks the store. False: it was answered. */
static bool begin_consistent(request *rq, watch_args *args) {
  int64_t at = 0;
  if (read_consistent(rq, args->options.resource_version, &at) && read_reached(rq, (uint64_t)at)) {
    return true;
  }
  if (rq->timed_out) { /* its time was over while it waited */
    rq->error = (status_error){0};
    rq->timed_out = false;
    set_over(rq);
    args->over = true;
    watcher_start(rq, args);
  } else {
    respond_error(rq);
  }
  return false;
}

void verb_watch(request *rq) {
  watch_args args = {0};
  if (!prepare(rq, &args)) {
    respond_error(rq);
    return;
  }
  const list_options *o = &args.options;
  args.initial = o->initial_events_set ? o->initial_events : args.from == 0;
  args.wants_end = o->initial_events_set && o->initial_events && o->allow_bookmarks;
  if (args.initial && wait_for_version(rq, args.from, verb_watch)) return;
  if (is_over(rq, &args)) {
    watcher_start(rq, &args);
    return;
  }
  if (args.from == 0 && !begin_consistent(rq, &args)) return;
  if (!args.initial && args.from == 0) args.from = (uint64_t)store_revision(request_store(rq));
  watcher_start(rq, &args);
}
