/* Deleting: grace periods, finalizers, propagation, preconditions. What stays because of one of
 * them is updated; what does not is removed, and its watchers see its last state at the
 * deletion's revision. */
#include "registry/generic.h"

#include "base/limits.h"
#include "base/mutant.h"
#include "codec/codec.h"
#include "crd/crd_serve.h"
#include "registry/generic_internal.h"
#include "registry/object.h"
#include "registry/side_effects.h"
#include "registry/stored.h"
#include "server_stores.h"

#include <assert.h>

#define FINALIZER_ORPHAN "orphan"
#define FINALIZER_FOREGROUND "foregroundDeletion"

typedef struct delete_run {
  request *rq;
  const strategy *strategy;
  const delete_options *options;
  slice key, name;
  store_entry *entry;
  val *obj; /* the current object; changed in place when it has to stay */
  int64_t grace_s;
  bool conflict; /* somebody else wrote in between */
  bool marked; /* a period of zero is written: who else removes it now did what was asked */
} delete_run;

static bool is_namespace(const request *rq) {
  return slice_is(rq->resource->resource, "namespaces") && rq->resource->group.len == 0;
}

/* Namespaces have words of their own, and definitions too. */
static bool check_worded(delete_run *d) {
  const delete_options *o = d->options;
  slice uid = object_uid(d->obj), version = object_version(d->obj);
  bool other = o->uid_set && !slice_eq(o->uid, uid);
  if (!other && (!o->version_set || slice_eq(o->version, version))) return true;
  const char *what = other ? "UID" : "ResourceVersion";
  slice asked = other ? o->uid : o->version, have = other ? uid : version;
  slice why = arena_printf(d->rq->arena,
                           "Precondition failed: %s in precondition: %.*s, %s in object meta: %.*s",
                           what, SLICE_ARG(asked), what, SLICE_ARG(have));
  return status_conflict(&d->rq->error, d->rq->arena, d->rq->resource->group,
                         d->rq->resource->resource, object_name(d->obj), why);
}

bool generic_check_preconditions(request *rq, const delete_options *o, const val *obj) {
  const resource_info *r = rq->resource->storage;
  slice why;
  if (o->uid_set && !slice_eq(o->uid, object_uid(obj))) {
    why = arena_printf(rq->arena,
                       "the UID in the precondition (%.*s) does not match the UID in record "
                       "(%.*s). The object might have been deleted and then recreated",
                       SLICE_ARG(o->uid), SLICE_ARG(object_uid(obj)));
  } else if (o->version_set && !slice_eq(o->version, object_version(obj))) {
    why = arena_printf(rq->arena,
                       "the ResourceVersion in the precondition (%.*s) does not match the "
                       "ResourceVersion in record (%.*s). The object might have been modified",
                       SLICE_ARG(o->version), SLICE_ARG(object_version(obj)));
  } else {
    return true;
  }
  return status_conflict(&rq->error, rq->arena, r->group, r->kind, object_name(obj), why);
}

typedef enum grace { GRACE_NONE, GRACE_BEGUN, GRACE_PENDING } grace;

static int64_t now_s(const request *rq) { return request_now_s(rq); }

static void set_deletion(delete_run *d, int64_t at_s, int64_t seconds) {
  arena *a = d->rq->arena;
  object_set_str(a, d->obj, "deletionTimestamp", time_text(a, at_s));
  object_set_int(a, d->obj, "deletionGracePeriodSeconds", seconds);
}

/* An object that is being deleted already: the period may only be shortened. */
static grace shorten(delete_run *d) {
  const val *meta = val_getc(d->obj, "metadata");
  int64_t have = val_i64(val_getc(meta, "deletionGracePeriodSeconds"));
  if (have == 0) return GRACE_NONE;
  if (!d->options->grace_set || d->grace_s >= have) return GRACE_PENDING;
  int64_t at = 0;
  int32_t nanos = 0;
  time_parse(val_get_str(meta, "deletionTimestamp"), &at, &nanos);
  at += d->grace_s - have;
  if (at < now_s(d->rq)) {
    at = now_s(d->rq);
    if (d->grace_s != 0) d->grace_s = 1;
  }
  set_deletion(d, at, d->grace_s);
  return GRACE_BEGUN;
}

#define POD_GRACE_S 30 /* of a pod that says nothing */

/* The pod strategy's period: asked for, else the pod's own; none for a pod that no node runs or
 * that has ended. */
static int64_t pod_grace(const delete_run *d) {
  const val *own = val_path(d->obj, "spec.terminationGracePeriodSeconds");
  int64_t period = d->options->grace_set ? d->grace_s : own ? val_i64(own) : POD_GRACE_S;
  slice phase = val_str(val_path(d->obj, "status.phase"));
  if (val_str(val_path(d->obj, "spec.nodeName")).len == 0) period = 0;
  if (slice_is(phase, "Failed") || slice_is(phase, "Succeeded")) period = 0;
  return period < 0 ? 1 : period;
}

static grace begin_grace(delete_run *d) {
  d->grace_s = d->options->grace_s < 0 ? 1 : d->options->grace_s;
  if (!d->strategy->graceful) return GRACE_NONE;
  if (object_deleting(d->obj)) return shorten(d);
  d->grace_s = pod_grace(d);
  set_deletion(d, now_s(d->rq) + d->grace_s, d->grace_s);
  if (object_generation(d->obj) > 0) {
    object_set_generation(d->rq->arena, d->obj, object_generation(d->obj) + 1);
  }
  return GRACE_BEGUN;
}

static bool wants_orphan(const delete_run *d) {
  const delete_options *o = d->options;
  if (d->strategy->gc == GC_UNSUPPORTED) return false;
  if (o->orphan_set) return o->orphan;
  if (o->propagation.len) return slice_is(o->propagation, "Orphan");
  if (object_has_finalizer(d->obj, SLICE_LIT(FINALIZER_ORPHAN))) return true;
  if (object_has_finalizer(d->obj, SLICE_LIT(FINALIZER_FOREGROUND))) return false;
  return d->strategy->gc == GC_ORPHAN;
}

static bool wants_foreground(const delete_run *d) {
  const delete_options *o = d->options;
  if (d->strategy->gc == GC_UNSUPPORTED || o->orphan_set) return false;
  if (o->propagation.len) return slice_is(o->propagation, "Foreground");
  return object_has_finalizer(d->obj, SLICE_LIT(FINALIZER_FOREGROUND));
}

/* Puts the garbage collector's finalizers right; true when that changed the list. */
static bool set_gc_finalizers(delete_run *d) {
  arena *a = d->rq->arena;
  bool orphan = wants_orphan(d), foreground = wants_foreground(d);
  bool had_orphan = object_has_finalizer(d->obj, SLICE_LIT(FINALIZER_ORPHAN));
  bool had_foreground = object_has_finalizer(d->obj, SLICE_LIT(FINALIZER_FOREGROUND));
  if (orphan == had_orphan && foreground == had_foreground) return false;
  const val *old = object_finalizers(d->obj);
  val *list = val_list(a);
  for (uint32_t i = 0; i < val_len(old); i++) {
    slice f = val_str(val_at(old, i));
    if (!slice_is(f, FINALIZER_ORPHAN) && !slice_is(f, FINALIZER_FOREGROUND)) {
      val_append(a, list, val_at(old, i));
    }
  }
  if (orphan) val_append(a, list, val_cstr(a, FINALIZER_ORPHAN));
  if (foreground) val_append(a, list, val_cstr(a, FINALIZER_FOREGROUND));
  if (val_len(list)) val_setc(a, object_meta(a, d->obj), "finalizers", list);
  else object_del(d->obj, "finalizers");
  return true;
}

/* Finalizers without a grace period: deletion is marked and waits for them. */
static void mark_deleting(delete_run *d) {
  arena *a = d->rq->arena;
  if (!object_deleting(d->obj)) {
    if (object_generation(d->obj) > 0) {
      object_set_generation(a, d->obj, object_generation(d->obj) + 1);
    }
    object_set_str(a, d->obj, "deletionTimestamp", time_text(a, now_s(d->rq)));
  }
  object_set_int(a, d->obj, "deletionGracePeriodSeconds", 0);
}

static bool save(delete_run *d, write_result *out) {
  request *rq = d->rq;
  store *s = request_store(rq);
  out->obj = d->obj;
  if (rq->dry_run) return true;
  blob *same = stored_encode(rq->arena, rq->resource, d->obj, d->entry->mod_revision);
  store_result result = STORE_OK;
  if (slice_eq(blob_slice(same), blob_slice(d->entry->value))) {
    out->entry = store_entry_ref(d->entry);
  } else {
    int64_t revision = store_next_revision(s);
    blob *bytes = stored_with_revision(blob_slice(same), revision);
    result = store_update_ttl(s, d->key, d->entry->mod_revision, bytes, generic_ttl_s(rq),
                              &out->entry);
    blob_unref(bytes);
    if (result == STORE_OK) generic_show_version(rq, d->obj, out->entry);
  }
  blob_unref(same);
  d->conflict = result == STORE_CONFLICT;
  return result == STORE_OK || generic_store_error(rq, result, d->name);
}

/* Removes the entry. The answer's object keeps the state it had; a graceful period of zero is
 * visible in it, as the real server first writes it. */
static bool erase(delete_run *d, bool graceful, write_result *out) {
  request *rq = d->rq;
  store *s = request_store(rq);
  out->obj = d->obj;
  out->deleted = true;
  if (rq->dry_run) return true;
  if (graceful) { /* the zero period is an event of its own */
    write_result saved = {0};
    if (!save(d, &saved)) return false;
    d->marked = true;
    request_keep(rq, d->entry);
    d->entry = saved.entry;
  }
  int64_t revision = store_next_revision(s);
  blob *final = stored_with_revision(blob_slice(d->entry->value), revision);
  store_result result = store_delete(s, d->key, d->entry->mod_revision, final, NULL);
  blob_unref(final);
  d->conflict = result == STORE_CONFLICT;
  if (result == STORE_NOT_FOUND && d->marked) return true;
  if (result != STORE_OK) return generic_store_error(rq, result, d->name);
  object_set_str(rq->arena, d->obj, "resourceVersion",
                 arena_printf(rq->arena, "%lld", (long long)store_written(s)));
  side_effects_deleted(rq, d->obj);
  return true;
}

/* A namespace first stops accepting objects; it goes when its finalizers are empty. */
static bool delete_namespace(delete_run *d, write_result *out) {
  request *rq = d->rq;
  arena *a = rq->arena;
  if (!object_deleting(d->obj)) {
    set_gc_finalizers(d);
    object_set_str(a, d->obj, "deletionTimestamp", time_text(a, now_s(rq)));
    val *status = val_copy(a, val_getc(d->obj, "status"));
    if (!status) status = val_map(a);
    val_setc(a, status, "phase", val_cstr(a, "Terminating"));
    val_setc(a, d->obj, "status", status);
    return save(d, out);
  }
  if (val_len(val_path(d->obj, "spec.finalizers"))) {
    out->obj = d->obj;
    out->entry = store_entry_ref(d->entry);
    return true;
  }
  return erase(d, false, out);
}

void generic_warn_orphans(request *rq, const delete_options *o) {
  if (o->orphan_set || o->propagation.len || !slice_is(rq->resource->resource, "jobs")) return;
  request_warn(rq, SLICE_LIT("child pods are preserved by default when jobs are deleted; set "
                                "propagationPolicy=Background to remove them or set "
                                "propagationPolicy=Orphan to suppress this warning"));
}

static void set_bool(arena *a, val *map, const char *key, bool is_set, bool value) {
  if (is_set) val_setc(a, map, key, val_bool(a, value));
}

/* What webhooks are told of the options: the pod strategy has put its period into them. */
static const val *told_options(const delete_run *d) {
  arena *a = d->rq->arena;
  const delete_options *o = d->options;
  val *v = val_map(a);
  bool graceful = d->strategy->graceful && !object_deleting(d->obj);
  if (graceful) val_setc(a, v, "gracePeriodSeconds", val_int(a, pod_grace(d)));
  else if (o->grace_set) val_setc(a, v, "gracePeriodSeconds", val_int(a, o->grace_s));
  if (o->uid_set || o->version_set) {
    val *pre = val_ensure_map(a, v, "preconditions");
    if (o->uid_set) val_setc(a, pre, "uid", val_string(a, o->uid));
    if (o->version_set) val_setc(a, pre, "resourceVersion", val_string(a, o->version));
  }
  set_bool(a, v, "orphanDependents", o->orphan_set, o->orphan);
  if (o->propagation_set) val_setc(a, v, "propagationPolicy", val_string(a, o->propagation));
  if (d->rq->dry_run) val_append(a, val_ensure_list(a, v, "dryRun"), val_cstr(a, "All"));
  return v;
}

static bool run(delete_run *d, write_result *out) {
  request *rq = d->rq;
  bool worded = is_namespace(rq) || crd_is_definition(rq->resource);
  bool met = worded ? check_worded(d) : generic_check_preconditions(rq, d->options, d->obj);
  if (!met) return false;
  d->grace_s = d->options->grace_s < 0 ? 1 : d->options->grace_s;
  rq->delete_options = told_options(d);
  if (!generic_admit(rq, ADMIT_DELETE, NULL, d->obj, rq->info.namespace, d->name, false) ||
      !generic_admit(rq, ADMIT_DELETE, NULL, d->obj, rq->info.namespace, d->name, true)) {
    return false;
  }
  if (is_namespace(rq)) return delete_namespace(d, out);
  if (crd_is_definition(rq->resource) && !object_deleting(d->obj)) {
    crd_mark_deleted(rq->arena, d->obj, now_s(rq));
    return save(d, out);
  }
  grace g = begin_grace(d);
  if (g == GRACE_PENDING) {
    out->obj = d->obj;
    out->entry = store_entry_ref(d->entry);
    return true;
  }
  set_gc_finalizers(d);
  bool pending = val_len(object_finalizers(d->obj)) > 0 && !MUTANT(FINALIZER_IGNORED);
  if (pending && g == GRACE_NONE) mark_deleting(d);
  if (pending || (g == GRACE_BEGUN && d->grace_s > 0)) return save(d, out);
  return erase(d, g == GRACE_BEGUN, out);
}

/* Between the zero period and the removal somebody else removed it. */
static bool was_overtaken(const delete_run *d, write_result *out) {
  request *rq = d->rq;
  if (!d->marked || rq->error.reason != STATUS_NOT_FOUND) return false;
  rq->error.set = false;
  out->obj = d->obj;
  out->deleted = true;
  return true;
}

bool generic_delete(request *rq, slice namespace, slice name, const delete_options *o,
                    write_result *out) {
  *out = (write_result){0};
  delete_run d = {.rq = rq, .strategy = strategy_of(rq->resource), .options = o, .name = name,
                  .key = stored_key(rq->arena, rq->resource, namespace, name)};
  bool ok = false, again = true;
  for (int tries = 0; again && tries < LIMIT_CONFLICT_TRIES; tries++) {
    *out = (write_result){0};
    rq->error.set = d.conflict = false;
    if (!generic_get(rq, namespace, name, true, &d.entry)) {
      ok = was_overtaken(&d, out);
      if (!ok) return false;
      break;
    }
    val *stored = stored_decode(rq->arena, rq->resource, d.entry);
    if (!stored) {
      store_entry_unref(d.entry);
      return status_set(&rq->error, rq->arena, STATUS_INTERNAL, "stored object is damaged");
    }
    d.obj = object_fork(rq->arena, stored);
    ok = run(&d, out);
    request_keep(rq, d.entry); /* the trees borrow from its bytes */
    again = !ok && d.conflict;
  }
  out->answer_status = !d.strategy->returns_deleted;
  return ok;
}
