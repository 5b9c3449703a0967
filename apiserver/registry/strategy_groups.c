/* Prepare hooks of the other groups. */
#include "codec/codec.h"
#include "registry/object.h"
#include "registry/strategy_hooks.h"
#include "server.h"

static bool differs(const val *a, const val *b, const char *path_text) {
  return !val_equal(val_path(a, path_text), val_path(b, path_text));
}

/* The template's generation lives in an annotation since the field left the API. */
#define TEMPLATE_GENERATION "deprecated.daemonset.template.generation"

static void set_template_generation(request *rq, val *obj, long long n) {
  arena *a = rq->arena;
  val *notes = val_copy(a, val_path(obj, "metadata.annotations"));
  if (!notes) notes = val_map(a);
  val_setc(a, notes, TEMPLATE_GENERATION, val_printf(a, "%lld", n));
  val_sort(notes);
  val_setc(a, object_meta(a, obj), "annotations", notes);
}

static long long template_generation(const val *obj) {
  long long n = 0;
  slice_to_i64_go(val_get_str(val_path(obj, "metadata.annotations"), TEMPLATE_GENERATION), &n);
  return n;
}

void daemonset_prepare_create(request *rq, val *obj, const val *old) {
  (void)old;
  if (template_generation(obj) < 1) set_template_generation(rq, obj, 1);
}

void daemonset_prepare_update(request *rq, val *obj, const val *old) {
  long long n = template_generation(old);
  set_template_generation(rq, obj, differs(obj, old, "spec.template") ? n + 1 : n);
}

void deployment_prepare_update(request *rq, val *obj, const val *old) {
  bool changed = differs(obj, old, "spec") || differs(obj, old, "metadata.annotations");
  if (changed) object_set_generation(rq->arena, obj, object_generation(old) + 1);
}

void deployment_prepare_status(request *rq, val *obj, const val *old) {
  status_only(rq, obj, old);
  object_meta_take(rq->arena, obj, old, "labels");
}

/* A job that does not choose its pods itself gets a selector and labels from its uid. */
void job_prepare_create(request *rq, val *obj, const val *old) {
  arena *a = rq->arena;
  (void)old;
  val *spec = val_ensure_map(a, obj, "spec");
  if (val_true(val_getc(spec, "manualSelector"))) return;
  val *template = val_ensure_map(a, spec, "template"), *own = val_path(obj, "metadata.labels");
  val *labels = val_ensure_map(a, val_ensure_map(a, template, "metadata"), "labels");
  /* A job without labels of its own has its template's, by defaulting: the generated ones too. */
  bool shared = val_len(own) == 0 || val_equal(own, labels);
  val *uid = val_string(a, object_uid(obj)), *name = val_string(a, object_name(obj));
  static const char *const uid_keys[] = {"batch.kubernetes.io/controller-uid", "controller-uid"};
  static const char *const name_keys[] = {"batch.kubernetes.io/job-name", "job-name"};
  for (size_t i = 0; i < 2; i++) {
    if (!val_getc(labels, uid_keys[i])) val_setc(a, labels, uid_keys[i], uid);
    if (!val_getc(labels, name_keys[i])) val_setc(a, labels, name_keys[i], name);
  }
  val *match = val_ensure_map(a, val_ensure_map(a, spec, "selector"), "matchLabels");
  if (!val_getc(match, uid_keys[0])) val_setc(a, match, uid_keys[0], uid);
  val_sort(labels);
  if (shared) val_setc(a, object_meta(a, obj), "labels", val_copy(a, labels));
}

static val *texts(arena *a, const slice *items, uint32_t count) {
  val *list = val_list(a);
  for (uint32_t i = 0; i < count; i++) val_append(a, list, val_string(a, items[i]));
  return list;
}

/* Who asks is told by the server, not by the request. */
void csr_prepare_create(request *rq, val *obj, const val *old) {
  arena *a = rq->arena;
  (void)old;
  static const char *const own[] = {"username", "uid", "groups", "extra"};
  val *spec = val_ensure_map(a, obj, "spec");
  for (size_t i = 0; i < 4; i++) val_delc(spec, own[i]);
  const user_info *u = &rq->user;
  if (u->name.len) val_setc(a, spec, "username", val_string(a, u->name));
  if (u->uid.len) val_setc(a, spec, "uid", val_string(a, u->uid));
  if (u->group_count) val_setc(a, spec, "groups", texts(a, u->groups, u->group_count));
  if (!u->extra_count) return;
  val *extra = val_map(a);
  for (uint32_t i = 0; i < u->extra_count; i++) {
    val_set(a, extra, u->extra[i].key, texts(a, u->extra[i].values, u->extra[i].count));
  }
  val_sort(extra);
  val_setc(a, spec, "extra", extra);
}

void csr_prepare_update(request *rq, val *obj, const val *old) {
  object_take(rq->arena, obj, old, "spec");
}

/* New conditions get their times; a status that did not change keeps its transition's. */
static void stamp_conditions(request *rq, val *obj, const val *old) {
  arena *a = rq->arena;
  val *list = val_path(obj, "status.conditions");
  val *now = request_timestamp(rq);
  for (uint32_t i = 0; i < val_len(list); i++) {
    val *c = val_copy(a, val_at(list, i));
    const val *before = condition_of(val_path(old, "status.conditions"), val_get_str(c, "type"));
    if (!val_getc(c, "lastUpdateTime")) val_setc(a, c, "lastUpdateTime", now);
    if (!val_getc(c, "lastTransitionTime")) {
      bool same = before && slice_eq(val_get_str(before, "status"), val_get_str(c, "status")) &&
                  val_getc(before, "lastTransitionTime");
      val_setc(a, c, "lastTransitionTime", same ? val_getc(before, "lastTransitionTime") : now);
    }
    list->u.items[i] = c;
  }
}

static uint32_t count_of(const val *list, const char *type) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < val_len(list); i++) {
    n += slice_is(val_get_str(val_at(list, i), "type"), type);
  }
  return n;
}

/* The conditions of that type are as they were; one more or less is validation's to refuse. */
static void conditions_keep(arena *a, val *list, const val *before, const char *type) {
  if (count_of(list, type) != count_of(before, type)) return;
  uint32_t at = 0;
  for (uint32_t i = 0; i < val_len(list); i++) {
    if (!slice_is(val_get_str(val_at(list, i), "type"), type)) continue;
    while (!slice_is(val_get_str(val_at(before, at), "type"), type)) at++;
    list->u.items[i] = val_copy(a, val_at(before, at++));
  }
}

/* The status path can't change approvals. */
void csr_prepare_status(request *rq, val *obj, const val *old) {
  arena *a = rq->arena;
  status_only(rq, obj, old);
  val *status = val_copy(a, val_getc(obj, "status"));
  if (!status) status = val_map(a);
  val_setc(a, obj, "status", status);
  const val *before = val_path(old, "status.conditions");
  conditions_keep(a, val_getc(status, "conditions"), before, "Approved");
  conditions_keep(a, val_getc(status, "conditions"), before, "Denied");
  stamp_conditions(rq, obj, old);
}

void csr_prepare_approval(request *rq, val *obj, const val *old) {
  arena *a = rq->arena;
  stamp_conditions(rq, obj, old);
  val *conditions = val_path(obj, "status.conditions");
  object_take(a, obj, old, "spec");
  val *status = val_copy(a, val_getc(old, "status"));
  if (!status) status = val_map(a);
  if (conditions) val_setc(a, status, "conditions", conditions);
  else val_delc(status, "conditions");
  val_setc(a, obj, "status", status);
}

/* v1 does not know deprecatedTopology; what was stored with it keeps it while endpoints stay. */
void endpointslice_prepare_create(request *rq, val *obj, const val *old) {
  val *list = val_getc(obj, "endpoints");
  if (old && val_equal(list, val_getc(old, "endpoints"))) return;
  for (uint32_t i = 0; i < val_len(list); i++) {
    if (!val_getc(val_at(list, i), "deprecatedTopology")) continue;
    val *copy = val_copy(rq->arena, val_at(list, i));
    val_delc(copy, "deprecatedTopology");
    list->u.items[i] = copy;
  }
}

void endpointslice_prepare_update(request *rq, val *obj, const val *old) {
  static const char *const parts[] = {"addressType", "endpoints", "ports", "metadata.labels"};
  bool changed = false;
  for (size_t i = 0; i < 4; i++) changed = changed || differs(obj, old, parts[i]);
  if (changed) object_set_generation(rq->arena, obj, object_generation(old) + 1);
  endpointslice_prepare_create(rq, obj, old); /* what is dropped has counted as a change */
}

/* The storage version belongs to those that objects may be stored in. */
static void crd_store_version(arena *a, val *obj, val *status) {
  const val *versions = val_path(obj, "spec.versions");
  val *stored = val_getc(status, "storedVersions")
      ? val_copy(a, val_getc(status, "storedVersions")) : val_list(a);
  for (uint32_t i = 0; i < val_len(versions); i++) {
    val *name = val_getc(val_at(versions, i), "name");
    if (!val_true(val_getc(val_at(versions, i), "storage"))) continue;
    if (!name) name = val_cstr(a, "");
    bool known = false;
    for (uint32_t k = 0; k < val_len(stored); k++) {
      known = known || val_equal(val_at(stored, k), name);
    }
    if (!known) val_append(a, stored, name);
    break; /* the first one counts */
  }
  if (val_len(stored)) val_setc(a, status, "storedVersions", stored);
  val_setc(a, obj, "status", status);
}

/* The first status; conditions come with serving. */
void crd_prepare_create(request *rq, val *obj, const val *old) {
  (void)old;
  crd_store_version(rq->arena, obj, val_map(rq->arena));
}

void crd_prepare_update(request *rq, val *obj, const val *old) {
  const val *status = val_getc(old, "status");
  crd_store_version(rq->arena, obj, status ? val_copy(rq->arena, status) : val_map(rq->arena));
}

void apiservice_prepare_create(request *rq, val *obj, const val *old) {
  arena *a = rq->arena;
  (void)old;
  if (val_path(obj, "spec.service")) return;
  val *c = val_map(a), *list = val_list(a), *status = val_map(a);
  val_setc(a, c, "type", val_cstr(a, "Available"));
  val_setc(a, c, "status", val_cstr(a, "True"));
  val_setc(a, c, "lastTransitionTime", request_timestamp(rq));
  val_setc(a, c, "reason", val_cstr(a, "Local"));
  val_setc(a, c, "message", val_cstr(a, "Local APIServices are always available"));
  val_append(a, list, c);
  val_setc(a, status, "conditions", list);
  val_setc(a, obj, "status", status);
}
