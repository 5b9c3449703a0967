/* Creating: names, system metadata, strategy, validation, and one store transaction; with
 * generateName up to eight tries. */
#include "registry/generic.h"

#include "base/limits.h"
#include "base/mutant.h"
#include "base/quote.h"
#include "registry/disabled_fields.h"
#include "registry/generic_internal.h"
#include "registry/object.h"
#include "registry/side_effects.h"
#include "registry/stored.h"
#include "codec/codec.h"
#include "server_stores.h"

#include <assert.h>

#define NAME_SUFFIX 5
#define NAME_MAX_BASE 58 /* 63 less the suffix */

/* apimachinery pkg/util/rand: no vowels, no look-alikes. */
static slice generated_name(request *rq, slice base) {
  static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
  base = slice_upto(base, NAME_MAX_BASE);
  char suffix[NAME_SUFFIX];
  for (size_t i = 0; i < NAME_SUFFIX; i++) {
    suffix[i] = letters[rng_below(&rq->server->name_rng, sizeof letters - 1)];
  }
  return arena_concat(rq->arena, base, slice_of(suffix, NAME_SUFFIX));
}

void generic_fill_system_fields(request *rq, val *obj) {
  char uid[37];
  rng_uuid(&rq->server->uid_rng, uid);
  object_set_str(rq->arena, obj, "uid", arena_copy(rq->arena, slice_of(uid, 36)));
  object_set_str(rq->arena, obj, "creationTimestamp",
                 time_text(rq->arena, request_now_s(rq)));
}

static void prepare_create(request *rq, const strategy *s, val *obj) {
  if (s->create_drops_status) val_delc(obj, "status");
  bool own = s->generation == GENERATION_NONE || s->generation == GENERATION_SPEC_UPDATES;
  object_set_generation(rq->arena, obj, own ? object_generation(obj) : 1);
  disabled_fields_drop(rq, obj, NULL);
  if (s->prepare_create) s->prepare_create(rq, obj, NULL);
}

bool generic_before_create(request *rq, val *obj) {
  const strategy *s = strategy_of(rq->resource);
  prepare_create(rq, s, obj);
  if (!generic_validate(rq, obj, NULL, SLICE_LIT(""))) return false;
  return generic_admit(rq, ADMIT_CREATE, obj, NULL, rq->info.namespace, object_name(obj), true);
}

static bool exists_error(request *rq, slice key, slice name, bool generated) {
  arena *a = rq->arena;
  const resource_info *r = rq->resource;
  status_already_exists(&rq->error, a, r->group, r->resource, name);
  if (generated) {
    rq->error.message =
        arena_printf(a, "%.*s, the server was not able to generate a unique name for the object",
                     SLICE_ARG(rq->error.message));
    rq->error.retry_after_seconds = 1;
  }
  store_entry *e = NULL;
  if (store_get(request_store(rq), key, 0, &e) != STORE_OK) return false;
  val *live = stored_decode(a, r, e);
  if (live && object_deleting(live)) {
    rq->error.message =
        arena_printf(a, "object is being deleted: %.*s", SLICE_ARG(rq->error.message));
  }
  store_entry_unref(e);
  return false;
}

static store_result put(request *rq, slice key, val *obj, store_entry **entry) {
  store *s = request_store(rq);
  if (rq->dry_run && !MUTANT(DRY_RUN_WRITES)) {
    stored_settle(rq->resource, obj);
    store_entry *e = NULL;
    store_result found = store_get_fresh(s, key, &e);
    if (found == STORE_OK) store_entry_unref(e);
    return found == STORE_OK ? STORE_EXISTS : found == STORE_NOT_FOUND ? STORE_OK : found;
  }
  blob *bytes = stored_encode(rq->arena, rq->resource, obj,
                              store_next_revision(s) - MUTANT(REVISION_REUSED));
  store_result result = generic_too_large(rq, obj, bytes)
                            ? STORE_TOO_LARGE
                            : store_create_ttl(s, key, bytes, generic_ttl_s(rq), entry);
  blob_unref(bytes);
  return result;
}

/* One try with one name. *taken says that the name exists already. */
static bool create_once(request *rq, val *obj, write_result *out, bool *taken) {
  *taken = false;
  generic_fill_system_fields(rq, obj);
  slice base = val_get_str(object_meta(rq->arena, obj), "generateName");
  bool generated = base.len && object_name(obj).len == 0;
  if (generated) object_set_str(rq->arena, obj, "name", generated_name(rq, base));
  if (!side_effects_begin_create(rq, obj)) return false;
  if (!generic_before_create(rq, obj)) return side_effects_undo(rq, obj);
  slice name = object_name(obj);
  slice key = stored_key(rq->arena, rq->resource, object_namespace(obj), name);
  store_result result = put(rq, key, obj, &out->entry);
  if (result == STORE_TOO_LARGE && val_delc(object_meta(rq->arena, obj), "managedFields")) {
    result = put(rq, key, obj, &out->entry);
  }
  if (result != STORE_OK) {
    if (generic_surely_not_written(result)) side_effects_undo(rq, obj);
    *taken = result == STORE_EXISTS && generated;
    return result == STORE_EXISTS ? exists_error(rq, key, name, base.len > 0)
                                  : generic_store_error(rq, result, name);
  }
  generic_show_version(rq, obj, out->entry);
  side_effects_created(rq, obj);
  out->obj = obj;
  out->created = true;
  return true;
}

bool generic_create(request *rq, val *obj, write_result *out) {
  *out = (write_result){0};
  uint64_t version = 0;
  if (!rq->dry_run && object_version(obj).len) { /* a dry run tells nobody, and keeps it */
    if (!u64_parse(object_version(obj), &version) && version) {
      return status_plain(&rq->error, rq->arena,
                          "resourceVersion should not be set on objects to be created");
    }
    object_del(obj, "resourceVersion");
  }
  if (!access_check_escalation(rq, obj, NULL)) return false;
  bool taken = false;
  for (int tries = 0; tries < LIMIT_GENERATE_NAME_TRIES; tries++) {
    val *attempt = tries + 1 < LIMIT_GENERATE_NAME_TRIES &&
                           val_get_str(object_meta(rq->arena, obj), "generateName").len
                       ? val_copy(rq->arena, obj)
                       : obj;
    rq->error.set = false;
    if (create_once(rq, attempt, out, &taken)) {
      if (MUTANT(GENERATED_TWICE) && attempt != obj) create_once(rq, obj, out, &taken);
      return true;
    }
    if (!taken) return false;
  }
  return false;
}
