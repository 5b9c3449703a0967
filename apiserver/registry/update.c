/* Updating: make the new object from the stored one, check it against it, and write it if it
 * says anything new. Also where an update ends a deletion, by emptying the finalizers. */
#include "registry/generic.h"

#include "access/access.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "base/quote.h"
#include "patch/patch.h"
#include "registry/disabled_fields.h"
#include "registry/generic_internal.h"
#include "registry/object.h"
#include "registry/side_effects.h"
#include "registry/stored.h"
#include "server_stores.h"

#include <assert.h>

typedef struct update_run {
  request *rq;
  const strategy *strategy;
  const update_source *source;
  slice namespace, name, key;
  store_entry *live_entry; /* NULL: creating */
  val *live;
  bool fresh; /* live is the newest state, not the copy's */
  bool unsure; /* an attempt may have been written: another could only conflict with it */
} update_run;

static bool spec_changed(const val *obj, const val *old) {
  return !val_equal(val_getc(obj, "spec"), val_getc(old, "spec"));
}

/* Anything outside metadata, status, kind and apiVersion. */
static bool content_changed(const val *obj, const val *old) {
  VAL_EACH(e, obj) {
    if (slice_is(e->key, "metadata") || slice_is(e->key, "status") || slice_is(e->key, "kind") ||
        slice_is(e->key, "apiVersion")) continue;
    if (!val_equal(e->value, val_get(old, e->key))) return true;
  }
  VAL_EACH(e, old) {
    if (!val_get(obj, e->key) && !slice_is(e->key, "status")) return true;
  }
  return false;
}

static void prepare_update(update_run *u, val *obj) {
  request *rq = u->rq;
  const strategy *s = u->strategy;
  object_set_generation(rq->arena, obj, object_generation(u->live));
  if (u->source->prepare) {
    u->source->prepare(rq, obj, u->live);
    disabled_fields_drop(rq, obj, u->live);
    return;
  }
  if (s->has_status) object_take(rq->arena, obj, u->live, "status");
  bool sent = s->generation == GENERATION_SPEC_SENT && spec_changed(obj, u->live);
  disabled_fields_drop(rq, obj, u->live);
  if (s->prepare_update) s->prepare_update(rq, obj, u->live);
  bool by_spec = s->generation == GENERATION_SPEC || s->generation == GENERATION_SPEC_UPDATES;
  bool emptied = s->empties_count && val_had_any_empty(val_getc(obj, "spec"));
  bool bump = sent || (by_spec && (spec_changed(obj, u->live) || emptied)) ||
              (s->generation == GENERATION_ALL_BUT_META_STATUS && content_changed(obj, u->live));
  if (bump && !MUTANT(NO_GENERATION))
    object_set_generation(rq->arena, obj, object_generation(u->live) + 1);
}

static void keep_system_fields(update_run *u, val *obj) {
  arena *a = u->rq->arena;
  if (object_uid(obj).len == 0) object_meta_take(a, obj, u->live, "uid");
  object_meta_take(a, obj, u->live, "creationTimestamp");
  const val *meta = val_getc(u->live, "metadata");
  if (object_deleting(u->live)) object_meta_take(a, obj, u->live, "deletionTimestamp");
  if (val_getc(meta, "deletionGracePeriodSeconds") &&
      !val_getc(object_meta(a, obj), "deletionGracePeriodSeconds")) {
    object_meta_take(a, obj, u->live, "deletionGracePeriodSeconds");
  }
}

static bool check_version(update_run *u, val *obj) {
  request *rq = u->rq;
  slice want = object_version(obj);
  uint64_t n = 0;
  const char *why = want.len ? u64_parse(want, &n) : NULL;
  if (why) {
    slice shown = go_quote(rq->arena, want);
    return status_plain(&rq->error, rq->arena, "strconv.ParseUint: parsing %.*s: %s",
                        SLICE_ARG(shown), why);
  }
  if (n == 0) {
    if (!u->strategy->no_unconditional_update) return true;
    field_errors errs = {.a = rq->arena};
    path meta = path_root("metadata"), version = path_child(&meta, "resourceVersion");
    field_invalid_int(&errs, &version, 0, "must be specified for an update");
    return field_errors_to_status(&errs, rq->resource->group, rq->resource->resource, u->name,
                                  &rq->error);
  }
  if (slice_eq(want, object_version(u->live)) || MUTANT(PUT_IGNORES_VERSION)) return true;
  return generic_store_error(rq, STORE_CONFLICT, u->name);
}

static bool check_uid(update_run *u) {
  request *rq = u->rq;
  slice have = u->live ? object_uid(u->live) : SLICE_LIT("");
  if (!u->live && u->source->uid.len) {
    return status_not_found(&rq->error, rq->arena, rq->resource->group, rq->resource->resource,
                            u->name);
  }
  if (u->source->uid.len == 0 || slice_eq(u->source->uid, have)) return true;
  /* The real server's dry runs pass the backend by, which puts the prefix before its keys. */
  slice key = rq->dry_run ? stored_key_inner(u->key) : u->key;
  slice why = arena_printf(rq->arena,
                           "StorageError: invalid object, Code: 4, Key: %.*s, ResourceVersion: 0, "
                           "AdditionalErrorMsg: Precondition failed: UID in precondition: %.*s, "
                           "UID in object meta: %.*s",
                           SLICE_ARG(key), SLICE_ARG(u->source->uid), SLICE_ARG(have));
  return status_conflict(&rq->error, rq->arena, rq->resource->group, rq->resource->resource,
                         u->name, why);
}

/* An update of an object under deletion that has no finalizers left removes it. */
static bool ends_deletion(const update_run *u, const val *obj) {
  if (val_len(object_finalizers(obj)) || !object_deleting(u->live)) return false;
  if (val_i64(val_path(u->live, "metadata.deletionGracePeriodSeconds")) != 0) return false;
  bool namespace = slice_is(u->rq->resource->resource, "namespaces");
  return !namespace || val_len(val_path(obj, "spec.finalizers")) == 0;
}

static store_result remove_state(update_run *u, const store_entry *e) {
  store *s = request_store(u->rq);
  blob *final = stored_with_revision(blob_slice(e->value), store_next_revision(s));
  store_result result = store_delete(s, u->key, e->mod_revision, final, NULL);
  blob_unref(final);
  return result;
}

/* Whatever another writer has made of it meanwhile goes, while it is the same object: finalizers
 * can't come back. */
static store_result remove_newest(update_run *u) {
  store_entry *e = NULL;
  store_result result = store_get_fresh(request_store(u->rq), u->key, &e);
  if (result != STORE_OK) return result;
  request_keep(u->rq, e);
  const val *now = stored_decode(u->rq->arena, u->rq->resource, e);
  bool same = now && slice_eq(object_uid(now), object_uid(u->live));
  return same ? remove_state(u, e) : STORE_NOT_FOUND;
}

/* Who is too late has what it wanted: it is gone. What only the copy still has, was never there. */
static bool finish_deletion(update_run *u, val *obj, write_result *out) {
  request *rq = u->rq;
  object_meta_take(rq->arena, obj, u->live, "resourceVersion");
  if (MUTANT(ENDED_FIRST)) object_set_str(rq->arena, obj, "resourceVersion", SLICE_LIT("1"));
  if (MUTANT(ENDED_HELD)) object_meta_take(rq->arena, obj, u->live, "finalizers");
  out->obj = obj;
  out->deleted = true;
  if (rq->dry_run) return true;
  store_result result = remove_state(u, u->live_entry);
  int more = u->fresh ? LIMIT_CONFLICT_TRIES : 0;
  while (result == STORE_CONFLICT && more-- > 0) result = remove_newest(u);
  if (result == STORE_NOT_FOUND && u->fresh) return true;
  u->unsure = !generic_surely_not_written(result);
  if (result != STORE_OK) return generic_store_error(rq, result, u->name);
  side_effects_deleted(rq, u->live);
  return true;
}

static bool creates_by_update(update_run *u, val *obj, write_result *out) {
  request *rq = u->rq;
  access_attributes q = {.user = rq->user, .verb = SLICE_LIT("create"), .namespace = u->namespace,
                         .group = rq->info.group, .version = rq->info.version,
                         .resource = rq->info.resource, .subresource = rq->info.subresource,
                         .name = u->name, .path = rq->info.path, .is_resource = true};
  slice why = SLICE_NONE;
  if (access_decide(rq->server, rq->arena, &q, &why) != ACCESS_ALLOW) {
    return access_forbidden(rq, &q, why);
  }
  object_del(obj, "resourceVersion");
  return generic_create(rq, obj, out);
}

/* Writes obj when its bytes differ from the stored ones. */
static store_result write_changed(update_run *u, val *obj, write_result *out) {
  request *rq = u->rq;
  store *s = request_store(rq);
  out->obj = obj;
  if (MUTANT(UID_CHANGES)) object_set_str(rq->arena, obj, "uid", SLICE_LIT("mutant"));
  blob *same = stored_encode(rq->arena, rq->resource, obj, u->live_entry->mod_revision);
  store_result result = STORE_OK;
  bool changed = !slice_eq(blob_slice(same), blob_slice(u->live_entry->value));
  if (!changed && !u->live_entry->stale && !MUTANT(NOOP_WRITES)) {
    if (!u->fresh && !MUTANT(STALE_NOOP)) result = STORE_CONFLICT; /* is it still so? */
    else if (!rq->dry_run) out->entry = store_entry_ref(u->live_entry);
  } else if (!rq->dry_run) {
    int64_t revision = store_next_revision(s);
    blob *bytes = stored_with_revision(blob_slice(same), revision);
    result = generic_too_large(rq, obj, bytes)
                 ? STORE_TOO_LARGE
                 : store_update_ttl(s, u->key, u->live_entry->mod_revision, bytes,
                                    generic_ttl_s(rq), &out->entry);
    if (result == STORE_OK) generic_show_version(rq, obj, out->entry);
    blob_unref(bytes);
  }
  blob_unref(same);
  return result;
}

/* One attempt over one state of the store. *again: somebody else wrote in between. */
static bool attempt(update_run *u, write_result *out, bool *again) {
  request *rq = u->rq;
  if (!check_uid(u)) return false;
  if (!u->live && !u->source->allow_create && !u->strategy->create_on_update) {
    return generic_store_error(rq, STORE_NOT_FOUND, u->name);
  }
  val *obj = u->source->make(u->source->ctx, rq, u->live);
  if (!obj || !access_check_escalation(rq, obj, u->live)) return false;
  if (!u->live) return creates_by_update(u, obj, out);
  if (!check_version(u, obj)) return false;
  if (!side_effects_begin_update(rq, obj, u->live)) return false;
  prepare_update(u, obj);
  keep_system_fields(u, obj);
  managed_fields_keep_times(rq->arena, u->live, obj);
  slice sub = rq->subresource ? rq->subresource->name : SLICE_LIT("");
  if (!generic_validate(rq, obj, u->live, sub) ||
      !generic_admit(rq, ADMIT_UPDATE, obj, u->live, u->namespace, u->name, true)) {
    return side_effects_undo(rq, obj);
  }
  if (ends_deletion(u, obj)) return finish_deletion(u, obj, out);
  store_result result = write_changed(u, obj, out);
  if (result == STORE_TOO_LARGE && val_delc(object_meta(rq->arena, obj), "managedFields")) {
    result = write_changed(u, obj, out);
  }
  if (result == STORE_OK) {
    side_effects_updated(rq, obj, u->live);
    return true;
  }
  u->unsure = !generic_surely_not_written(result);
  if (!u->unsure) side_effects_undo(rq, obj);
  /* One that names a version fails by that, then. */
  *again = result == STORE_CONFLICT && !MUTANT(GIVES_UP);
  return generic_store_error(rq, result, u->name);
}

/* What failed on the copy's state may do on the newest: true where that is another. Where the
 * newest can't be read, nobody knows whether it failed rightly, and that is the answer. */
static bool is_stale(update_run *u) {
  if (MUTANT(STALE_CONFLICT)) return false;
  request *rq = u->rq;
  store_entry *now = NULL;
  store_result got = store_get_fresh(request_store(rq), u->key, &now);
  bool stale = got == STORE_NOT_FOUND ||
               (got == STORE_OK && now->mod_revision != u->live_entry->mod_revision);
  if (now) store_entry_unref(now);
  if (got != STORE_OK && got != STORE_NOT_FOUND) {
    rq->error.set = false;
    generic_store_error(rq, got, u->name);
  }
  return stale;
}

bool generic_update(request *rq, slice namespace, slice name, const update_source *source,
                    write_result *out) {
  update_run u = {.rq = rq, .strategy = strategy_of(rq->resource), .source = source,
                  .namespace = namespace, .name = name,
                  .key = stored_key(rq->arena, rq->resource, namespace, name)};
  bool done = false, again = true;
  u.fresh = rq->dry_run || !store_waits(rq->server->store);
  for (int tries = 0; again && tries < LIMIT_CONFLICT_TRIES; tries++) {
    *out = (write_result){0};
    rq->error.set = false;
    again = false;
    store *s = request_store(rq);
    store_result got = u.fresh ? store_get_fresh(s, u.key, &u.live_entry)
                               : store_get(s, u.key, 0, &u.live_entry);
    if (!u.fresh && got == STORE_NOT_FOUND) {
      u.fresh = true;
      got = store_get_fresh(s, u.key, &u.live_entry);
    }
    if (got != STORE_OK && got != STORE_NOT_FOUND) return generic_store_error(rq, got, name);
    slice damage = got == STORE_OK ? store_entry_damage(u.live_entry) : SLICE_NONE;
    if (damage.ptr) {
      request_keep(rq, u.live_entry);
      return generic_damaged_update(rq, damage);
    }
    u.live = got == STORE_OK ? stored_decode(rq->arena, rq->resource, u.live_entry) : NULL;
    done = attempt(&u, out, &again);
    if (!done && !again && !u.fresh && !u.unsure && is_stale(&u)) again = true;
    if (again) u.fresh = true;
    if (u.live_entry) request_keep(rq, u.live_entry); /* the trees borrow from its bytes */
    u.live_entry = NULL;
  }
  return done;
}
