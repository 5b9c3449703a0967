/* backend: what stands behind store.h: a table of functions that each kind of store fills in.
 * For backends only; everybody else calls store.h, whose comments are these functions' manual. */
#ifndef APISIM_STORE_BACKEND_H
#define APISIM_STORE_BACKEND_H

#include "store/store.h"

typedef struct store_backend {
  bool waits;
  int64_t (*next_revision)(const store *s);
  int64_t (*revision)(const store *s);
  int64_t (*compacted)(const store *s);
  slice (*problem)(const store *s);
  bool (*is_ready)(const store *s, slice *why);
  store_result (*sync)(store *s, int64_t *at);
  store_result (*probe)(store *s, int64_t for_ns);
  store_result (*wait_revision)(store *s, int64_t revision, int64_t for_ns);
  store_result (*create)(store *s, slice key, blob *value, int64_t ttl_s, store_entry **out);
  store_result (*update)(store *s, slice key, int64_t expect_mod, blob *value, int64_t ttl_s,
                         store_entry **out);
  store_result (*remove)(store *s, slice key, int64_t expect_mod, blob *final,
                         store_entry **last);
  int64_t (*written)(const store *s);
  store_result (*get)(store *s, slice key, int64_t revision, store_entry **out);
  store_result (*get_fresh)(store *s, slice key, store_entry **out);
  store_result (*view_open)(store *s, int64_t revision, store_view **out);
  void (*view_close)(store_view *v);
  store_result (*view_walk)(store_view *v, slice start, slice end, store_visit visit, void *ctx);
  uint64_t (*view_count)(store_view *v, slice start, slice end);
  store_result (*watch_open)(store *s, slice prefix, int64_t from, store_on_event fn, void *ctx,
                             store_watch **out);
  void (*watch_on_end)(store_watch *w, void (*ended)(void *ctx));
  void (*watch_close)(store_watch *w);
  void (*compact)(store *s, int64_t revision);
  void (*tick)(store *s, int64_t mono_ns);
  size_t (*overhead)(const store *s);
  void (*cancel)(store *s, struct fiber *f);
  void (*destroy)(store *s);
} store_backend;

/* The first field of each backend's struct. A view and a watch may outlive their store. */
struct store {
  const store_backend *ops;
};
struct store_view {
  const store_backend *ops;
  int64_t revision;
};
struct store_watch {
  const store_backend *ops;
};

#endif
