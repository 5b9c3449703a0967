/* KV but for Txn: ranges, puts, deletes, compaction. Order of checks and texts: etcd's
 * etcdserver/txn/txn.go and v3rpc/key.go. */
#include "etcd/face_internal.h"

#include "base/heap.h"

#include <assert.h>
#include <stdlib.h>

/* ---- values and ranges ---- */

slice face_value(etcd_face *f, arena *a, const store_entry *e) {
  const etcd_values *v = f->o.values;
  return v ? v->out(v->ctx, a, e) : blob_slice(e->value);
}

void face_kv(etcd_face *f, arena *a, const store_entry *e, bool keys_only, etcd_kv *out) {
  *out = (etcd_kv){.key = store_entry_key(e),
                   .create_revision = e->create_revision,
                   .mod_revision = e->mod_revision,
                   .version = e->version,
                   .lease = e->lease};
  if (!keys_only) out->value = face_value(f, a, e);
}

face_range face_range_of(slice key, slice range_end) {
  face_range r = {.key = key, .end = range_end};
  r.single = range_end.len == 0;
  r.open = range_end.len == 1 && range_end.ptr[0] == '\0';
  return r;
}

bool face_range_has(const face_range *r, slice key) {
  if (r->single) return slice_eq(key, r->key);
  return slice_cmp(key, r->key) >= 0 && (r->open || slice_cmp(key, r->end) < 0);
}

slice face_range_start(const face_range *r) {
  return r->key;
}

/* Of one key: the key behind it. An empty range ends where it starts. */
slice face_range_stop(const face_range *r, arena *a) {
  if (r->single) return arena_concat(a, r->key, slice_of("\0", 1));
  if (r->open) return SLICE_NONE;
  return slice_cmp(r->end, r->key) > 0 ? r->end : r->key;
}

static etcd_error error_of(store_result r) {
  switch (r) {
  case STORE_OK: return ETCD_OK;
  case STORE_COMPACTED: return ETCD_ERROR_COMPACTED;
  default: return ETCD_ERROR_FUTURE_REV;
  }
}

etcd_error face_alarm_error(const etcd_face *f, bool writes) {
  if (f->alarms[ETCD_ALARM_CORRUPT]) return ETCD_ERROR_CORRUPT;
  return writes && f->alarms[ETCD_ALARM_NOSPACE] ? ETCD_ERROR_NO_SPACE : ETCD_OK;
}

/* etcd measures the request as its log keeps it: in InternalRaftRequest, with a header of an id. */
bool face_too_large(const etcd_face *f, size_t size) {
  enum { LOG_HEADER = 14, FIELD_HEAD = 5 };
  return size + LOG_HEADER + FIELD_HEAD > f->o.max_request_bytes;
}

/* ---- range ---- */

etcd_error face_check_range(const etcd_range_request *r) {
  if (r->key.len == 0) return ETCD_ERROR_EMPTY_KEY;
  if (r->sort_order < ETCD_SORT_NONE || r->sort_order > ETCD_SORT_DESCEND) {
    return ETCD_ERROR_INVALID_SORT;
  }
  if (r->sort_target < ETCD_SORT_KEY || r->sort_target > ETCD_SORT_VALUE) {
    return ETCD_ERROR_INVALID_SORT;
  }
  return ETCD_OK;
}

typedef struct gather {
  const etcd_range_request *r;
  arena *a;
  store_entry **items;
  uint32_t count, cap;
  uint64_t stop_at; /* entries; 0: all */
} gather;

static bool outside(const etcd_range_request *r, const store_entry *e) {
  return (r->max_mod_revision && e->mod_revision > r->max_mod_revision) ||
         (r->min_mod_revision && e->mod_revision < r->min_mod_revision) ||
         (r->max_create_revision && e->create_revision > r->max_create_revision) ||
         (r->min_create_revision && e->create_revision < r->min_create_revision);
}

static bool gather_entry(void *ctx, store_entry *e) {
  gather *g = ctx;
  if (outside(g->r, e)) return true;
  g->items = arena_more(g->a, g->items, g->count, &g->cap, sizeof(store_entry *));
  g->items[g->count++] = e;
  return g->stop_at == 0 || g->count < g->stop_at;
}

/* Sorting: what is compared, and the place in key order, which decides between equals. */
typedef struct sort_item {
  etcd_kv kv;
  uint32_t place;
} sort_item;

typedef struct sorting {
  int32_t target;
  bool descend;
} sorting;

static int compare_i64(int64_t a, int64_t b) {
  return (a > b) - (a < b);
}

static int compare_items(const void *x, const void *y, void *ctx) {
  const sort_item *a = x, *b = y;
  const sorting *s = ctx;
  int order = 0;
  switch (s->target) {
  case ETCD_SORT_KEY: order = slice_cmp(a->kv.key, b->kv.key); break;
  case ETCD_SORT_VERSION: order = compare_i64(a->kv.version, b->kv.version); break;
  case ETCD_SORT_CREATE:
    order = compare_i64(a->kv.create_revision, b->kv.create_revision);
    break;
  case ETCD_SORT_MOD: order = compare_i64(a->kv.mod_revision, b->kv.mod_revision); break;
  default: order = slice_cmp(a->kv.value, b->kv.value); break;
  }
  if (s->descend) order = -order;
  return order ? order : compare_i64(a->place, b->place);
}

static bool wants_sort(const etcd_range_request *r, sorting *out) {
  *out = (sorting){r->sort_target, r->sort_order == ETCD_SORT_DESCEND};
  if (r->sort_target == ETCD_SORT_KEY) return r->sort_order == ETCD_SORT_DESCEND;
  return true; /* by another target the default order is ascending */
}

static void fill_kvs(etcd_face *f, const gather *g, etcd_range_response *out) {
  const etcd_range_request *r = g->r;
  sorting s;
  bool sorted = wants_sort(r, &s);
  bool by_value = r->sort_target == ETCD_SORT_VALUE;
  uint32_t keep = g->count;
  if (r->limit > 0 && (uint64_t)r->limit < keep) {
    keep = (uint32_t)r->limit;
    out->more = true;
  }
  etcd_kv *kvs = ARENA_ARRAY(g->a, etcd_kv, keep + 1);
  if (!sorted) {
    for (uint32_t i = 0; i < keep; i++) face_kv(f, g->a, g->items[i], r->keys_only, &kvs[i]);
  } else {
    sort_item *items = ARENA_ARRAY(g->a, sort_item, g->count + 1);
    for (uint32_t i = 0; i < g->count; i++) {
      face_kv(f, g->a, g->items[i], r->keys_only && !by_value, &items[i].kv);
      items[i].place = i;
    }
    qsort_r(items, g->count, sizeof *items, compare_items, &s);
    for (uint32_t i = 0; i < keep; i++) {
      kvs[i] = items[i].kv;
      if (r->keys_only) kvs[i].value = SLICE_NONE;
    }
  }
  out->kvs = (etcd_list){kvs, keep, keep};
}

/* What was read borrows from the view's entries until the answer is encoded. */
static void face_hold(etcd_face *f, store_view *view) {
  if (f->held_count == f->held_cap) {
    f->held_cap = f->held_cap ? f->held_cap * 2 : 8;
    f->held = heap_realloc(f->held, f->held_cap * sizeof(store_view *));
  }
  f->held[f->held_count++] = view;
}

void face_release(etcd_face *f) {
  while (f->held_count) store_view_close(f->held[--f->held_count]);
}

etcd_error face_do_range(etcd_face *f, arena *a, const etcd_range_request *r, int64_t revision,
                         etcd_range_response *out) {
  store_view *view = NULL;
  int64_t at = r->revision > 0 ? r->revision : 0;
  store_result result = store_view_open(f->o.store, at, &view);
  if (result != STORE_OK) return error_of(result);
  face_range range = face_range_of(r->key, r->range_end);
  slice start = face_range_start(&range), stop = face_range_stop(&range, a);
  out->header = ARENA_NEW(a, etcd_header);
  out->header->revision = revision;
  out->count = (int64_t)store_view_count(view, start, stop);
  sorting s;
  bool all = wants_sort(r, &s) || r->min_mod_revision || r->max_mod_revision ||
             r->min_create_revision || r->max_create_revision;
  gather g = {.r = r, .a = a};
  if (!all && r->limit > 0) g.stop_at = (uint64_t)r->limit + 1;
  if (!r->count_only) store_view_walk(view, start, stop, gather_entry, &g);
  fill_kvs(f, &g, out);
  face_hold(f, view);
  return ETCD_OK;
}

void face_range_call(grpc_stream *s, slice message) {
  etcd_face *f = face_of(s);
  arena *a = arena_create();
  etcd_range_request r;
  etcd_range_response out = {0};
  if (face_decode(s, &etcd_range_request_message, message, a, &r)) {
    etcd_error e = face_check_range(&r);
    if (e == ETCD_OK) e = face_alarm_error(f, false);
    if (e == ETCD_OK) e = face_do_range(f, a, &r, store_revision(f->o.store), &out);
    if (e == ETCD_OK) {
      out.header = face_header(f, a, out.header->revision);
      face_answer(s, &etcd_range_response_message, &out);
      face_release(f);
    } else {
      face_fail(s, e);
    }
  }
  arena_destroy(a);
}

/* ---- put ---- */

etcd_error face_check_put(const etcd_put_request *r) {
  if (r->key.len == 0) return ETCD_ERROR_EMPTY_KEY;
  if (r->ignore_value && r->value.len) return ETCD_ERROR_VALUE_PROVIDED;
  if (r->ignore_lease && r->lease) return ETCD_ERROR_LEASE_PROVIDED;
  return ETCD_OK;
}

static blob *make_value(etcd_face *f, arena *a, slice key, slice bytes, bool *as_is,
                        slice *problem) {
  const etcd_values *v = f->o.values;
  *as_is = true;
  if (!v) return blob_copy(bytes);
  blob *value = v->in(v->ctx, a, key, bytes, store_next_revision(f->o.store), problem);
  *as_is = value && slice_eq(blob_slice(value), bytes);
  return value;
}

etcd_error face_prepare_put(etcd_face *f, arena *a, const etcd_put_request *r, face_put *out,
                            slice *problem) {
  store_entry *before = NULL;
  slice bytes = r->value;
  *out = (face_put){.request = r, .lease = r->lease};
  if (r->ignore_value || r->ignore_lease) {
    if (store_get(f->o.store, r->key, 0, &before) != STORE_OK) return ETCD_ERROR_KEY_NOT_FOUND;
    if (r->ignore_value) bytes = arena_copy(a, face_value(f, a, before));
    if (r->ignore_lease) out->lease = before->lease;
    store_entry_unref(before);
  }
  if (r->lease && !lease_find(face_leases(f), r->lease)) return ETCD_ERROR_LEASE_NOT_FOUND;
  bool as_is;
  out->value = make_value(f, a, r->key, bytes, &as_is, problem);
  if (!out->value) return ETCD_ERROR_OTHER;
  if (!as_is) out->put_bytes = blob_copy(bytes); /* comes back to clients byte by byte */
  return ETCD_OK;
}

void face_do_put(etcd_face *f, arena *a, face_put *p, etcd_put_response *out) {
  const etcd_put_request *r = p->request;
  store_entry *before = NULL;
  store_get(f->o.store, r->key, 0, &before);
  out->header = ARENA_NEW(a, etcd_header);
  out->header->revision = store_next_revision(f->o.store);
  if (before) {
    if (r->prev_kv) {
      etcd_kv *kv = ARENA_NEW(a, etcd_kv);
      face_kv(f, a, before, false, kv);
      kv->key = r->key;
      kv->value = arena_copy(a, kv->value);
      out->prev_kv = kv;
    }
  }
  store_entry *e = store_memory_put(f->o.store, r->key, p->value, p->lease);
  if (p->put_bytes) store_entry_add_form(e, ETCD_FORM_PUT, p->put_bytes);
  store_entry_unref(before);
  face_put_dispose(p);
}

void face_put_dispose(face_put *p) {
  blob_unref(p->value);
  blob_unref(p->put_bytes);
  p->value = p->put_bytes = NULL;
}

void face_refuse_value(grpc_stream *s, slice key, slice problem, arena *a) {
  grpc_stream_finish(s, GRPC_INVALID_ARGUMENT,
                     arena_printf(a, "apisim: the value of %.*s is no object of its resource: %.*s",
                                  SLICE_ARG(key), SLICE_ARG(problem)));
}

void face_put_call(grpc_stream *s, slice message) {
  etcd_face *f = face_of(s);
  arena *a = arena_create();
  etcd_put_request r;
  etcd_put_response out = {0};
  face_put p = {0};
  slice problem = SLICE_NONE;
  if (face_decode(s, &etcd_put_request_message, message, a, &r)) {
    etcd_error e = face_check_put(&r);
    if (e == ETCD_OK) e = face_alarm_error(f, true);
    if (e == ETCD_OK && face_too_large(f, message.len)) e = ETCD_ERROR_TOO_LARGE;
    if (e == ETCD_OK) e = face_prepare_put(f, a, &r, &p, &problem);
    if (e == ETCD_OK) {
      store_memory_begin(f->o.store);
      face_do_put(f, a, &p, &out);
      store_memory_commit(f->o.store);
      out.header = face_header(f, a, 0);
      face_answer(s, &etcd_put_response_message, &out);
    } else if (e == ETCD_ERROR_OTHER) {
      face_refuse_value(s, r.key, problem, a);
    } else {
      face_fail(s, e);
    }
  }
  arena_destroy(a);
}

/* ---- delete ---- */

void face_remove_key(etcd_face *f, const store_entry *e) {
  const etcd_values *v = f->o.values;
  blob *final = v && v->final ? v->final(v->ctx, e, store_next_revision(f->o.store)) : NULL;
  bool removed = store_memory_remove(f->o.store, store_entry_key(e), final);
  assert(removed);
  (void)removed;
  blob_unref(final);
}

static bool keep_entry(void *ctx, store_entry *e) {
  gather *g = ctx;
  g->items = arena_more(g->a, g->items, g->count, &g->cap, sizeof(store_entry *));
  g->items[g->count++] = store_entry_ref(e);
  return true;
}

void face_do_delete(etcd_face *f, arena *a, const etcd_delete_request *r,
                    etcd_delete_response *out) {
  store_view *view = NULL;
  face_range range = face_range_of(r->key, r->range_end);
  gather g = {.a = a};
  store_result result = store_view_open(f->o.store, 0, &view);
  assert(result == STORE_OK);
  (void)result;
  store_view_walk(view, face_range_start(&range), face_range_stop(&range, a), keep_entry, &g);
  store_view_close(view);
  out->deleted = g.count;
  out->header = ARENA_NEW(a, etcd_header);
  etcd_kv *kvs = r->prev_kv ? ARENA_ARRAY(a, etcd_kv, g.count + 1) : NULL;
  for (uint32_t i = 0; i < g.count; i++) {
    if (kvs) {
      face_kv(f, a, g.items[i], false, &kvs[i]);
      kvs[i].key = arena_copy(a, kvs[i].key);
      kvs[i].value = arena_copy(a, kvs[i].value);
    }
    face_remove_key(f, g.items[i]);
    store_entry_unref(g.items[i]);
  }
  if (kvs) out->prev_kvs = (etcd_list){kvs, g.count, g.count};
}

void face_delete_call(grpc_stream *s, slice message) {
  etcd_face *f = face_of(s);
  arena *a = arena_create();
  etcd_delete_request r;
  etcd_delete_response out = {0};
  if (face_decode(s, &etcd_delete_request_message, message, a, &r)) {
    etcd_error e = r.key.len ? face_alarm_error(f, false) : ETCD_ERROR_EMPTY_KEY;
    if (e == ETCD_OK && face_too_large(f, message.len)) e = ETCD_ERROR_TOO_LARGE;
    if (e == ETCD_OK) {
      store_memory_begin(f->o.store);
      face_do_delete(f, a, &r, &out);
      store_memory_commit(f->o.store);
      out.header = face_header(f, a, 0);
      face_answer(s, &etcd_delete_response_message, &out);
    } else {
      face_fail(s, e);
    }
  }
  arena_destroy(a);
}

/* ---- compact ---- */

void face_compact_call(grpc_stream *s, slice message) {
  etcd_face *f = face_of(s);
  arena *a = arena_create();
  etcd_compact_request r;
  if (face_decode(s, &etcd_compact_request_message, message, a, &r)) {
    etcd_error e = face_alarm_error(f, false);
    if (e == ETCD_OK && r.revision <= face_compacted(f)) e = ETCD_ERROR_COMPACTED;
    if (e == ETCD_OK && r.revision > store_revision(f->o.store)) e = ETCD_ERROR_FUTURE_REV;
    if (e == ETCD_OK) {
      if (r.revision) store_compact(f->o.store, r.revision);
      else f->compacted_at_0 = true;
      etcd_header_response out = {face_header(f, a, 0)};
      face_answer(s, &etcd_header_response_message, &out);
    } else {
      face_fail(s, e);
    }
  }
  arena_destroy(a);
}
