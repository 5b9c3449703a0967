/* delete: one object, by the registry's rules; and a collection, one by one, as the real server
 * does: not atomic, the first error ends it. */
#include "registry/generic.h"
#include "registry/generic_internal.h"
#include "registry/object.h"
#include "registry/selector.h"
#include "registry/stored.h"
#include "respond/respond.h"
#include "server.h"
#include "verb/read.h"
#include "verb/verbs.h"
#include "verb/wait.h"
#include "verb/write.h"

/* The classes that the cluster itself needs; a collection may take them, as in the real server. */
static bool may_go(request *rq) {
  static const char *const kept[] = {"system-node-critical", "system-cluster-critical"};
  if (!slice_is(rq->resource->resource, "priorityclasses")) return true;
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
    if (!slice_is(rq->info.name, kept[i])) continue;
    return status_forbidden(&rq->error, rq->arena, rq->resource->group, rq->resource->resource,
                            rq->info.name,
                            SLICE_LIT("this is a system priority class and cannot be deleted"));
  }
  return true;
}

void verb_delete(request *rq) {
  output_form form;
  delete_options o;
  write_result result = {0};
  bool ok = negotiate_output(rq, false, &form) && options_read_delete(rq, &o) &&
            generic_check_path_name(rq, rq->info.name) && may_go(rq);
  if (ok) generic_warn_orphans(rq, &o);
  ok = ok && generic_delete(rq, rq->info.namespace, rq->info.name, &o, &result);
  if (!ok) {
    respond_error(rq);
    return;
  }
  /* Kinds that answer with a Status do so only when the object is gone. */
  bool waits = !result.deleted;
  int code = waits && o.orphan_set && !o.orphan ? 202 : 200;
  if (result.entry) request_keep(rq, result.entry);
  if (result.answer_status && result.deleted) respond_deleted_status(rq, &form, result.obj);
  else respond_object(rq, code, &form, result.obj);
}

typedef struct collection {
  request *rq;
  const selector *selector;
  store_entry **items;
  uint32_t count, cap;
} collection;

static bool collect(void *ctx, store_entry *e) {
  collection *c = ctx;
  arena *a = c->rq->arena;
  val *obj = stored_decode(a, c->rq->resource, e);
  if (!obj || !selector_match(a, c->selector, c->rq->resource, obj)) return true;
  c->items = arena_more(a, c->items, c->count, &c->cap, sizeof *c->items);
  c->items[c->count++] = store_entry_ref(e);
  request_keep(c->rq, e);
  return true;
}

static bool delete_each(collection *c, const delete_options *o) {
  request *rq = c->rq;
  for (uint32_t i = 0; i < c->count; i++) {
    const val *obj = stored_decode(rq->arena, rq->resource, c->items[i]);
    write_result one = {0};
    delete_options own = *o;
    bool ok = generic_delete(rq, object_namespace(obj), object_name(obj), &own, &one);
    store_entry_unref(one.entry);
    if (!ok && rq->error.reason != STATUS_NOT_FOUND) return false;
    rq->error.set = false;
  }
  return true;
}

void verb_deletecollection(request *rq) {
  output_form form;
  list_options lo;
  delete_options o;
  selector s;
  uint64_t version = 0;
  int64_t revision;
  slice start;
  store_view *view = NULL;
  bool ok = negotiate_output(rq, false, &form) && options_read_list(rq, false, &lo) &&
            selector_parse(rq->arena, rq->resource, lo.label_selector, lo.field_selector, &s,
                           &rq->error) &&
            read_version(rq, lo.resource_version, true, &version) && options_read_delete(rq, &o) &&
            (!lo.continue_token.len || continue_decode(rq, lo.continue_token, &revision, &start));
  if (ok && wait_for_version(rq, version, verb_deletecollection)) return;
  if (!ok || !read_reached(rq, version) ||
      store_view_open(rq->server->store, 0, &view) != STORE_OK) {
    respond_error(rq);
    return;
  }
  generic_warn_orphans(rq, &o);
  collection c = {.rq = rq, .selector = &s};
  slice prefix = stored_prefix(rq->arena, rq->resource, rq->info.namespace);
  slice end = stored_prefix_end(rq->arena, prefix);
  list_meta meta = {.revision = store_view_revision(view)};
  store_view_walk(view, prefix, end, collect, &c);
  store_view_close(view);
  if (!delete_each(&c, &o)) respond_error(rq);
  else respond_list(rq, &form, c.items, c.count, &meta);
}
