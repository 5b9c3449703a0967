/* Watches: a stream each. prev_kv is not asked for: who keeps a copy knows what was there before,
 * and it would double the bytes of every event. */
#include "store/etcd/etcd_internal.h"

#include "base/heap.h"

#define REQUEST_MAX ((size_t)1 << 20)

static void watch_free(remote_watch *w) {
  timer_clear(w->r->timers, &w->timer);
  if (w->before) w->before->next = w->next;
  else w->r->watches = w->next;
  if (w->next) w->next->before = w->before;
  heap_free(w);
}

/* The end, told once; the handle is dead. */
static void end(remote_watch *w, remote_event_kind kind, int64_t revision, slice message) {
  remote_on_event event = w->event;
  void *ctx = w->ctx;
  if (w->grpc) grpc_call_cancel(w->grpc);
  watch_free(w);
  event(ctx, &(remote_watch_event){.kind = kind, .revision = revision, .message = message});
}

static void on_timer(void *ctx, int64_t now_ns) {
  (void)now_ns;
  end(ctx, REMOTE_WATCH_BROKEN, 0, SLICE_LIT("the connection to etcd was lost"));
}

static void end_soon(remote_watch *w) {
  w->grpc = NULL;
  timer_set(w->r->timers, &w->timer, w->r->env->mono_ns, on_timer, w);
}

static remote_kv kv_of(const etcd_kv *kv) {
  if (!kv) return (remote_kv){0};
  return (remote_kv){.key = kv->key, .value = kv->value, .create_revision = kv->create_revision,
                     .mod_revision = kv->mod_revision, .version = kv->version, .lease = kv->lease};
}

static void tell(remote_watch *w, const remote_watch_event *ev) {
  w->in_callback = true;
  w->event(w->ctx, ev);
  w->in_callback = false;
  if (w->closed) watch_free(w);
}

static void tell_changes(remote_watch *w, arena *a, const etcd_watch_response *m) {
  const etcd_event *events = m->events.items;
  uint32_t n = m->events.count;
  remote_change *changes = ARENA_ARRAY(a, remote_change, n);
  for (uint32_t i = 0; i < n; i++) {
    changes[i] = (remote_change){.deleted = events[i].type == ETCD_DELETE,
                                 .kv = kv_of(events[i].kv),
                                 .has_prev = events[i].prev_kv != NULL,
                                 .prev = kv_of(events[i].prev_kv)};
  }
  tell(w, &(remote_watch_event){.kind = REMOTE_EVENTS, .count = n, .changes = changes,
                                .revision = changes[n - 1].kv.mod_revision});
}

static void on_message(void *ctx, slice message) {
  remote_watch *w = ctx;
  arena *a = arena_create();
  etcd_watch_response m = {0};
  if (etcd_decode(&etcd_watch_response_message, message, a, &m)) {
    end(w, REMOTE_WATCH_BROKEN, 0, SLICE_LIT("etcd's event can't be understood"));
  } else if (m.canceled && m.compact_revision > 0) {
    end(w, REMOTE_WATCH_COMPACTED, m.compact_revision, m.cancel_reason);
  } else if (m.canceled || m.fragment) {
    end(w, REMOTE_WATCH_BROKEN, 0, m.cancel_reason);
  } else if (m.created) {
    w->created = true;
  } else if (m.events.count) {
    w->r->answered = true;
    tell_changes(w, a, &m);
  } else if (w->created && m.header) {
    w->r->answered = true;
    tell(w, &(remote_watch_event){.kind = REMOTE_PROGRESS, .revision = m.header->revision});
  }
  arena_destroy(a);
}

static void on_end(void *ctx, const grpc_result *g) {
  remote_watch *w = ctx;
  w->grpc = NULL;
  end(w, REMOTE_WATCH_BROKEN, 0, g->message);
}

static const grpc_call_events watch_events = {on_message, on_end};

static void send(remote_watch *w, const etcd_watch_request *m) {
  buf bytes;
  buf_init(&bytes, REQUEST_MAX);
  etcd_encode(&etcd_watch_request_message, m, &bytes);
  (void)grpc_call_send(w->grpc, buf_slice(&bytes));
  buf_dispose(&bytes);
}

remote_watch *etcd_watch_open(remote *base, slice key, slice range_end, int64_t from,
                              remote_on_event event, void *ctx) {
  etcd_remote *r = etcd_of(base);
  remote_watch *w = heap_zalloc(sizeof *w);
  *w = (remote_watch){.r = r, .next = r->watches, .event = event, .ctx = ctx};
  if (r->watches) r->watches->before = w;
  r->watches = w;
  grpc_client *client = etcd_client(r);
  if (!client) {
    end_soon(w);
    return w;
  }
  w->grpc = grpc_call_open(client, ETCD_PATH_WATCH, 0, &watch_events, w);
  etcd_watch_create create = {.key = key, .range_end = range_end, .start_revision = from};
  send(w, &(etcd_watch_request){.which = ETCD_WATCH_CREATE, .create = &create});
  return w;
}

void etcd_watch_progress_ask(remote *base, remote_watch *w) {
  (void)base;
  if (!w->grpc || !w->created) return;
  etcd_empty nothing = {0};
  send(w, &(etcd_watch_request){.which = ETCD_WATCH_PROGRESS, .progress = &nothing});
}

void etcd_watch_close(remote *base, remote_watch *w) {
  (void)base;
  if (w->grpc) grpc_call_cancel(w->grpc);
  w->grpc = NULL;
  timer_clear(w->r->timers, &w->timer);
  if (w->in_callback) w->closed = true;
  else watch_free(w);
}

void etcd_watches_lost(etcd_remote *r) {
  for (remote_watch *w = r->watches; w; w = w->next) {
    if (w->grpc) end_soon(w);
  }
}
