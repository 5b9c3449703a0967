/* What create and update share: names, system metadata, admission around validation, encoding,
 * and the store's answers. */
#include "registry/generic.h"

#include "admission/admission.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "registry/generic_internal.h"
#include "registry/object.h"
#include "registry/stored.h"
#include "registry/validation/metadata.h"
#include "request/chain.h"
#include "request/info.h"
#include "server_stores.h"

#include <assert.h>

/* A write is ended by its handler, a read by the timeout filter around it, in other words; and a
 * write too, where the client's own ?timeout= is shorter. */
static bool timed_out(request *rq) {
  bool short_of = chain_body_time_ns(rq->http) < LIMIT_MUTATING_TIME_NS;
  rq->timed_out = slice_is(rq->http->method, "GET") || short_of;
  status_set(&rq->error, rq->arena, STATUS_TIMEOUT,
             "Timeout: request did not complete within requested timeout - context deadline "
             "exceeded");
  rq->error.has_details = true;
  return false;
}

bool generic_store_error(request *rq, store_result result, slice name) {
  const resource_info *r = rq->resource;
  switch (result) {
    case STORE_OK: return true;
    case STORE_EXISTS:
      return status_already_exists(&rq->error, rq->arena, r->group, r->resource, name);
    case STORE_NOT_FOUND:
      return status_not_found(&rq->error, rq->arena, r->group, r->resource, name);
    case STORE_CONFLICT:
      return status_conflict(&rq->error, rq->arena, r->group, r->resource, name,
                             SLICE_LIT("the object has been modified; please apply your changes to "
                                       "the latest version and try again"));
    case STORE_COMPACTED:
      return status_set(&rq->error, rq->arena, STATUS_EXPIRED,
                        "The resourceVersion for the provided list is too old.");
    case STORE_FUTURE:
      return status_set(&rq->error, rq->arena, STATUS_TIMEOUT, "Too large resource version");
    case STORE_TOO_LARGE:
      return status_plain(&rq->error, rq->arena, "etcdserver: request is too large");
    case STORE_NOT_READY:
      status_set(&rq->error, rq->arena, STATUS_TOO_MANY, "storage is (re)initializing");
      rq->error.has_details = true;
      rq->error.retry_after_seconds = 1;
      return false;
    case STORE_TIMEOUT: return timed_out(rq);
    case STORE_CANCELLED:
      return status_set(&rq->error, rq->arena, STATUS_TIMEOUT, "context canceled");
    case STORE_NO_SPACE:
      return status_plain(&rq->error, rq->arena, "etcdserver: mvcc: database space exceeded");
    case STORE_UNAVAILABLE:
    case STORE_UNKNOWN: {
      slice why = store_problem(request_store(rq));
      if (why.len == 0 && result == STORE_UNKNOWN) {
        why = SLICE_LIT("the connection to the store broke: the write may have happened");
      } else if (why.len == 0) {
        why = SLICE_LIT("the store is not available");
      }
      return status_plain(&rq->error, rq->arena, "%.*s", SLICE_ARG(why));
    }
  }
  return false;
}

bool generic_get(request *rq, slice namespace, slice name, bool fresh, store_entry **out) {
  slice key = stored_key(rq->arena, rq->resource, namespace, name);
  int64_t horizon = rq->http ? rq->http->horizon : 0;
  store_result result = horizon || !fresh ? store_get(request_store(rq), key, horizon, out)
                                          : store_get_fresh(request_store(rq), key, out);
  if (result != STORE_OK) return generic_store_error(rq, result, name);
  slice damage = store_entry_damage(*out);
  if (!damage.ptr) return true;
  generic_damaged(rq, key, arena_copy(rq->arena, damage));
  store_entry_unref(*out);
  *out = NULL;
  return false;
}

void generic_show_version(request *rq, val *obj, const store_entry *e) {
  if (!e) return;
  object_set_str(rq->arena, obj, "resourceVersion",
                 arena_printf(rq->arena, "%lld", (long long)e->mod_revision));
}

bool generic_surely_not_written(store_result result) {
  return result != STORE_UNKNOWN && result != STORE_TIMEOUT && result != STORE_CANCELLED;
}

int64_t generic_ttl_s(const request *rq) {
  bool event = slice_is(rq->resource->resource, "events");
  return event ? rq->server->options.event_ttl_s : 0;
}

bool generic_admit(request *rq, admission_op op, val *obj, const val *old, slice namespace,
                   slice name, bool validating) {
  admission_args args = {.rq = rq, .op = op, .resource = rq->resource,
                         .subresource = rq->subresource ? rq->subresource->name : SLICE_NONE,
                         .namespace = namespace, .name = name, .obj = obj, .old = old,
                         .options = rq->delete_options, .dry_run = rq->dry_run};
  return validating ? admission_validate(&args) : admission_mutate(&args);
}

bool generic_check_path_name(request *rq, slice name) {
  const char *why;
  if (name_is_path_segment(name, &why)) return true;
  return status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST,
                    "Name parameter invalid: \"%.*s\": %s",
                    SLICE_ARG(name), why);
}

bool generic_validate(request *rq, val *obj, const val *old, slice subresource) {
  const resource_info *r = rq->resource->storage;
  /* A binding writes to the store past the strategy; a scale is an update like any other. */
  if (slice_is(subresource, "binding")) return true;
  if (slice_is(subresource, "scale")) subresource = SLICE_LIT("");
  const strategy *s = strategy_of(rq->resource);
  field_errors errs = {.a = rq->arena, .features = &rq->server->options.features};
  validate_args args = {.errs = &errs, .rq = rq, .resource = rq->resource,
                        .subresource = subresource, .obj = obj, .old = old};
  path meta = path_root("metadata");
  if (old) { /* the rules of all kinds come first on an update, and again in the kind's own; on a
              * create they come last */
    metadata_validate(&errs, &meta, obj, r->namespaced, TEXT_PATH_SEGMENT);
    metadata_validate_update(&errs, &meta, obj, old);
  }
  validate_fn validate = s->validate ? s->validate : validation_of(rq->resource);
  if (validate) validate(&args);
  if (!old && errs.count == 0) {
    metadata_validate(&errs, &meta, obj, r->namespaced, TEXT_PATH_SEGMENT);
  }
  slice kind = r->custom ? val_get_str(obj, "kind") : r->kind;
  if (!field_errors_to_status(&errs, r->group, kind, object_name(obj), &rq->error)) return false;
  prepare_fn warn = subresource.len == 0             ? s->warn
                    : slice_is(subresource, "status") ? s->warn_status
                                                      : NULL;
  if (warn) warn(rq, obj, old);
  return true;
}

/* The limit is on what etcd would keep, the protobuf form; JSON is the longer one, so protobuf
 * is only made for an object that JSON says is too large. */
bool generic_too_large(request *rq, const val *obj, const blob *bytes) {
  if (bytes->len <= LIMIT_STORED_OBJECT) return false;
  if (rq->resource->custom) return true; /* stored as JSON */
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  proto_encode(&b, obj, rq->resource->storage->type);
  bool large = b.len > LIMIT_STORED_OBJECT;
  buf_dispose(&b);
  return large;
}
