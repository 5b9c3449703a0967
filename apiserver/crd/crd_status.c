/* See crd_status.h. */
#include "codec/codec.h"
#include "crd/crd_status.h"

#include "base/quote.h"
#include "crd/crd_serve.h"
#include "registry/validation/extension_internal.h"
#include "registry/object.h"
#include "registry/stored.h"
#include "server_stores.h"
#include "verb/registry.h"

#define APPROVED "api-approved.kubernetes.io"
#define PROTECTED "protected groups must have approval annotation \"" APPROVED "\""
#define SEE ", see https://github.com/kubernetes/enhancements/pull/1111"
#define MANAGER SLICE_LIT("kube-apiserver")

typedef struct status_run {
  server *s;
  arena *a;
  const resource_info *row;
  slice now;
  val *all; /* the definitions, as they are stored */
} status_run;

static bool collect(void *ctx, val *crd) {
  status_run *r = ctx;
  val_append(r->a, r->all, crd);
  return true;
}

static void read_all(status_run *r) {
  r->all = val_list(r->a);
  registry_each(r->s, r->a, r->row, SLICE_NONE, collect, r);
}

/* Writes the definition with this status; *crd is the outcome. False: somebody else was there. */
static bool write_status(status_run *r, val **crd, val *status) {
  val *obj = object_fork(r->a, *crd);
  val_setc(r->a, obj, "status", status);
  if (!registry_update_status(r->s, r->a, r->row, obj, MANAGER)) return false;
  *crd = registry_get(r->s, r->a, r->row, SLICE_NONE, object_name(obj));
  return *crd != NULL;
}

static val *status_of(status_run *r, const val *crd) {
  const val *status = val_getc(crd, "status");
  return status ? val_copy(r->a, status) : val_map(r->a);
}

/* ---- approval of protected groups ---- */

static bool is_protected(slice group) {
  return slice_is(group, "k8s.io") || slice_is(group, "kubernetes.io") ||
         slice_has_suffix(group, SLICE_LIT(".k8s.io")) ||
         slice_has_suffix(group, SLICE_LIT(".kubernetes.io"));
}

static val *approval_status(status_run *r, const val *crd) {
  slice text = val_get_str(val_path(crd, "metadata.annotations"), APPROVED), message;
  if (!is_protected(val_str(val_path(crd, "spec.group")))) return NULL;
  const char *reason, *is = "False";
  bool url = slice_find(text, SLICE_LIT("://")) > 0;
  if (text.len == 0) {
    reason = "MissingAnnotation";
    message = SLICE_LIT(PROTECTED SEE);
  } else if (slice_has_prefix(text, SLICE_LIT("unapproved"))) {
    slice quoted = go_quote(r->a, text);
    reason = "UnapprovedAnnotation";
    message = arena_printf(r->a, "not approved: %.*s", SLICE_ARG(quoted));
  } else if (url) {
    reason = "ApprovedAnnotation";
    is = "True";
    message = arena_printf(r->a, "approved in %.*s", SLICE_ARG(text));
  } else {
    reason = "InvalidAnnotation";
    message = SLICE_LIT(PROTECTED " with either a URL or a reason starting with \"unapproved\""
                        SEE);
  }
  const val *old = condition_named(val_path(crd, "status.conditions"),
                                   "KubernetesAPIApprovalPolicyConformant");
  bool same = old && slice_is(val_get_str(old, "status"), is) &&
              slice_is(val_get_str(old, "reason"), reason) &&
              slice_eq(val_get_str(old, "message"), message);
  if (same) return NULL;
  val *status = status_of(r, crd);
  crd_condition_set(r->a, status, "KubernetesAPIApprovalPolicyConformant", is, slice_cstr(reason),
                    message, r->now);
  return status;
}

/* ---- establishing ---- */

static val *established_status(status_run *r, const val *crd) {
  const val *conditions = val_path(crd, "status.conditions");
  bool ready = condition_true(conditions, "NamesAccepted");
  if (!ready || condition_true(conditions, "Established")) return NULL;
  slice ca = val_get_str(val_path(crd, "spec.conversion.webhook.clientConfig"), "caBundle");
  const val *old = condition_named(conditions, "Established");
  if (ca.len && crd_ca_problem(r->a, ca)) {
    if (old && slice_is(val_get_str(old, "reason"), "InvalidCABundle")) return NULL;
    val *refused = status_of(r, crd);
    crd_condition_set(r->a, refused, "Established", "False", SLICE_LIT("InvalidCABundle"),
                      SLICE_LIT("The conversion webhook CABundle is invalid"), r->now);
    return refused;
  }
  val *status = status_of(r, crd);
  crd_condition_set(r->a, status, "Established", "True", SLICE_LIT("InitialNamesAccepted"),
                    SLICE_LIT("the initial names have been accepted"), r->now);
  return status;
}

/* ---- the end ---- */

void crd_mark_deleted(arena *a, val *crd, int64_t now_s) {
  slice now = time_text(a, now_s);
  if (!object_deleting(crd)) object_set_str(a, crd, "deletionTimestamp", now);
  if (!object_has_finalizer(crd, SLICE_LIT(CRD_FINALIZER))) {
    const val *old = object_finalizers(crd);
    val *list = old ? val_copy(a, old) : val_list(a);
    val_append(a, list, val_cstr(a, CRD_FINALIZER));
    val_setc(a, object_meta(a, crd), "finalizers", list);
  }
  val *status = val_getc(crd, "status") ? val_copy(a, val_getc(crd, "status")) : val_map(a);
  crd_condition_set(a, status, "Terminating", "True", SLICE_LIT("InstanceDeletionPending"),
                    SLICE_LIT("CustomResourceDefinition marked for deletion; CustomResource "
                              "deletion will begin soon"), now);
  val_setc(a, crd, "status", status);
}

typedef struct removal {
  status_run *r;
  const resource_info *row;
  uint32_t left; /* objects with finalizers */
} removal;

static void mark_object(removal *m, const store_entry *e, val *obj) {
  status_run *r = m->r;
  store *st = server_store(r->s, m->row);
  m->left++;
  if (object_deleting(obj)) return;
  val *next = object_fork(r->a, obj);
  if (object_generation(next)) object_set_generation(r->a, next, object_generation(next) + 1);
  object_set_str(r->a, next, "deletionTimestamp", r->now);
  object_set_int(r->a, next, "deletionGracePeriodSeconds", 0);
  blob *bytes = stored_encode(r->a, m->row, next, store_next_revision(st));
  store_update(st, store_entry_key(e), e->mod_revision, bytes, NULL);
  blob_unref(bytes);
}

static void remove_object(removal *m, store_entry *e) {
  status_run *r = m->r;
  store *st = server_store(r->s, m->row);
  val *obj = stored_decode(r->a, m->row, e);
  if (obj && val_len(object_finalizers(obj))) {
    mark_object(m, e, obj);
    return;
  }
  blob *final = stored_with_revision(blob_slice(e->value), store_next_revision(st));
  if (store_delete(st, store_entry_key(e), e->mod_revision, final, NULL) != STORE_OK) m->left++;
  blob_unref(final);
}

typedef struct entry_list {
  arena *a;
  store_entry **items;
  uint32_t count, cap;
} entry_list;

static bool keep_entry(void *ctx, store_entry *e) {
  entry_list *l = ctx;
  l->items = arena_more(l->a, l->items, l->count, &l->cap, sizeof *l->items);
  l->items[l->count++] = store_entry_ref(e);
  return true;
}

/* False: some are still there. */
static bool remove_objects(status_run *r, const crd_kind *k) {
  removal m = {.r = r, .row = &k->storage->row};
  entry_list l = {.a = r->a};
  store_view *view = NULL;
  store *st = server_store(r->s, m.row);
  if (store_view_open(st, 0, &view) != STORE_OK) return false;
  slice prefix = stored_prefix(r->a, m.row, SLICE_NONE);
  store_view_walk(view, prefix, stored_prefix_end(r->a, prefix), keep_entry, &l);
  store_view_close(view);
  for (uint32_t i = 0; i < l.count; i++) {
    remove_object(&m, l.items[i]);
    store_entry_unref(l.items[i]);
  }
  return m.left == 0;
}

static void set_terminating(status_run *r, val *status, const char *is, const char *reason,
                            const char *message) {
  crd_condition_set(r->a, status, "Terminating", is, slice_cstr(reason), slice_cstr(message),
                    r->now);
}

/* Without the finalizer and any other it goes; with others it stays, marked. */
static void finish(status_run *r, val *crd, val *status) {
  arena *a = r->a;
  val *obj = object_fork(a, crd), *list = val_list(a);
  const val *old = object_finalizers(crd);
  for (uint32_t i = 0; i < val_len(old); i++) {
    if (!slice_is(val_str(val_at(old, i)), CRD_FINALIZER)) val_append(a, list, val_at(old, i));
  }
  if (val_len(list)) {
    val_setc(a, object_meta(a, obj), "finalizers", list);
    val_setc(a, obj, "status", status);
    registry_update_status(r->s, a, r->row, obj, MANAGER);
    return;
  }
  registry_remove(r->s, a, r->row, SLICE_NONE, object_name(crd));
}

static void terminate(status_run *r, val *crd, bool ends) {
  val *status = status_of(r, crd);
  const val *c = condition_named(val_getc(status, "conditions"), "Terminating");
  if (!slice_is(val_get_str(c, "reason"), "InstanceDeletionInProgress")) {
    set_terminating(r, status, "True", "InstanceDeletionInProgress",
                    "CustomResource deletion is in progress");
    if (!write_status(r, &crd, status)) return;
    status = status_of(r, crd);
  }
  if (!ends) return;
  const crd_kind *k = NULL;
  slice group = val_str(val_path(crd, "spec.group"));
  k = crd_find(r->s->customs, group, val_str(val_path(crd, "spec.names.plural")));
  if (condition_true(val_getc(status, "conditions"), "Established")) {
    if (k && !remove_objects(r, k)) return; /* the last one's deletion asks for another round */
    set_terminating(r, status, "False", "InstanceDeletionCompleted", "removed all instances");
  } else {
    set_terminating(r, status, "False", "NeverEstablished", "resource was never established");
  }
  finish(r, crd, status);
}

/* ---- one round ---- */

static void look(status_run *r, val *crd, bool ends) {
  val *status;
  bool ours = object_has_finalizer(crd, SLICE_LIT(CRD_FINALIZER));
  if ((status = approval_status(r, crd)) != NULL && !write_status(r, &crd, status)) return;
  if ((status = crd_names_status(r->a, crd, r->all, r->now)) != NULL) {
    if (!write_status(r, &crd, status)) return;
    read_all(r); /* names are given out one after the other */
  }
  if ((status = established_status(r, crd)) != NULL && !write_status(r, &crd, status)) return;
  if (object_deleting(crd) && ours) terminate(r, crd, ends);
}

void crd_status_run(server *s, bool ends) {
  arena *a = arena_create();
  status_run r = {.s = s, .a = a,
                  .row = schema_resource(SLICE_LIT(CRD_GROUP), SLICE_LIT("v1"),
                                         SLICE_LIT(CRD_RESOURCE)),
                  .now = time_text(a, s->env->wall_ns / 1000000000)};
  read_all(&r);
  crd_services_run(s, a, r.all);
  const val *list = r.all;
  for (uint32_t i = 0; i < val_len(list); i++) look(&r, val_at(list, i), ends);
  arena_destroy(a);
}
