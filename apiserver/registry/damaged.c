/* Objects that are stored and can't be read: their encryption key is gone, or their bytes are none.
 * What is kept of them says why (store_entry_damage), with the key in front where a transformer
 * failed: a list says it so; of one object only the reason is told. With the gate
 * AllowUnsafeMalformedObjectDeletion the words are others, a list names up to a hundred, and such
 * an object can be deleted. */
#include "access/access.h"
#include "registry/field_error.h"
#include "registry/generic.h"
#include "registry/stored.h"
#include "schema/features.h"
#include "server_stores.h"

#define TRANSFORM "unable to transform key \""

static bool gate_on(const request *rq) {
  return feature_on(&rq->server->options.features, FEATURE_ALLOW_UNSAFE_MALFORMED_OBJECT_DELETION);
}

static bool is_transform(slice why) { return slice_has_prefix(why, SLICE_LIT(TRANSFORM)); }

static slice reason_of(slice why) {
  if (!is_transform(why)) return why;
  int64_t at = slice_find(why, SLICE_LIT("\": "));
  return at < 0 ? why : slice_from(why, (size_t)at + 3);
}

static bool tell(request *rq, slice text) {
  status_set(&rq->error, rq->arena, STATUS_INTERNAL, "Internal error occurred: %.*s",
             SLICE_ARG(text));
  status_cause *cause = arena_alloc(rq->arena, sizeof *cause);
  *cause = (status_cause){.message = text};
  rq->error.causes = cause;
  rq->error.cause_count = 1;
  return false;
}

static slice untransformable(request *rq, slice why) {
  return arena_printf(rq->arena, "data from the storage is not %s revision=0: %.*s",
                      is_transform(why) ? "transformable" : "decodable",
                      SLICE_ARG(reason_of(why)));
}

static slice corrupt(request *rq, slice key, slice why) {
  slice text = untransformable(rq, why);
  return arena_printf(rq->arena, "StorageError: corrupt object, Code: 7, Key: %.*s, "
                      "ResourceVersion: 0, AdditionalErrorMsg: %.*s",
                      SLICE_ARG(key), SLICE_ARG(text));
}

bool generic_damaged(request *rq, slice key, slice why) {
  slice registry = SLICE_LIT("/registry");
  if (slice_has_prefix(key, registry)) key = slice_from(key, registry.len);
  return tell(rq, gate_on(rq) ? corrupt(rq, key, why) : reason_of(why));
}

bool generic_damaged_update(request *rq, slice why) {
  why = arena_copy(rq->arena, why);
  return tell(rq, gate_on(rq) ? untransformable(rq, why) : reason_of(why));
}

bool generic_damaged_list(request *rq, const slice *keys, const slice *whys, uint32_t count) {
  if (!gate_on(rq)) return tell(rq, whys[0]);
  arena *a = rq->arena;
  bool more = count > GENERIC_DAMAGED_MAX;
  if (more) count = GENERIC_DAMAGED_MAX;
  status_cause *causes = arena_alloc(a, (count + 1) * sizeof *causes);
  for (uint32_t i = 0; i < count; i++) {
    causes[i] = (status_cause){.reason = SLICE_LIT("UnexpectedServerResponse"),
                               .message = corrupt(rq, keys[i], whys[i]), .field = keys[i]};
  }
  if (more) {
    causes[count++] = (status_cause){.reason = SLICE_LIT("FieldValueTooMany"),
                                     .message =
                                         SLICE_LIT("too many errors, the list is truncated")};
  }
  slice name = rq->resource->resource;
  slice group = rq->resource->group;
  slice shown = group.len ? arena_printf(a, "%.*s.%.*s", SLICE_ARG(name), SLICE_ARG(group)) : name;
  status_set(&rq->error, a, STATUS_STORAGE_READ,
             "failed to read one or more %.*s from the storage", SLICE_ARG(shown));
  rq->error.has_details = true;
  rq->error.name = SLICE_LIT("list");
  rq->error.group = group;
  rq->error.kind = name;
  rq->error.causes = causes;
  rq->error.cause_count = count;
  return false;
}

static bool is_permitted(request *rq, slice name) {
  access_attributes q = {.user = rq->user,
                         .verb = SLICE_LIT("unsafe-delete-ignore-read-errors"),
                         .group = rq->resource->group,
                         .version = rq->info.version,
                         .resource = rq->resource->resource,
                         .namespace = rq->info.namespace,
                         .name = name,
                         .is_resource = true};
  slice why = SLICE_NONE;
  if (access_decide(rq->server, rq->arena, &q, &why) == ACCESS_ALLOW) return true;
  slice text = arena_printf(rq->arena, "not permitted to do \"unsafe-delete-ignore-read-errors\", "
                            "reason: %.*s", SLICE_ARG(why));
  return status_forbidden(&rq->error, rq->arena, rq->resource->group, rq->resource->resource, name,
                          text);
}

static bool is_not_damaged(request *rq, slice name) {
  field_errors errs = {.a = rq->arena};
  path p = path_root("ignoreStoreReadErrorWithClusterBreakingPotential");
  field_invalid(&errs, &p, val_bool(rq->arena, true),
                "is exclusively used to delete corrupt object(s), try again by removing this "
                "option");
  return field_errors_to_status(&errs, rq->resource->group, rq->resource->resource, name,
                                &rq->error);
}

bool generic_delete_damaged(request *rq, slice namespace, slice name) {
  if (!is_permitted(rq, name)) return false;
  slice key = stored_key(rq->arena, rq->resource, namespace, name);
  store *s = request_store(rq);
  store_entry *e = NULL;
  store_result got = store_get_fresh(s, key, &e);
  if (got == STORE_NOT_FOUND) return is_not_damaged(rq, name);
  if (got != STORE_OK) return generic_store_error(rq, got, name);
  bool damaged = store_entry_damage(e).ptr != NULL;
  store_result result = damaged ? store_delete(s, key, e->mod_revision, NULL, NULL) : STORE_OK;
  store_entry_unref(e);
  if (!damaged) return is_not_damaged(rq, name);
  return result == STORE_OK || result == STORE_NOT_FOUND ||
         generic_store_error(rq, result, name);
}
