/* nghttp2's set-up and its output side. */
#include "http/h2.h"

#include "base/heap.h"

#include <assert.h>

/* Floods. A client may cancel as many watches as it likes in one go, but not go on like that. */
#define RESETS_BURST 10000
#define RESETS_A_SECOND 500
#define CONTINUATIONS_MAX 96 /* 1 MiB in frames of 16 KiB, and some */
#define ACKS_MAX 10000 /* queued answers to pings and settings; Go's number */

static void *mem_alloc(size_t size, void *user) {
  (void)user;
  return heap_alloc(size);
}

static void mem_free(void *ptr, void *user) {
  (void)user;
  heap_free(ptr);
}

static void *mem_zalloc(size_t count, size_t size, void *user) {
  (void)user;
  return heap_zalloc(count * size);
}

static void *mem_realloc(void *ptr, size_t size, void *user) {
  (void)user;
  return heap_realloc(ptr, size);
}

nghttp2_nv h2_header(slice name, slice value) {
  return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)(name.ptr ? name.ptr : ""),
                      .value = (uint8_t *)(uintptr_t)(value.ptr ? value.ptr : ""),
                      .namelen = name.len,
                      .valuelen = value.len};
}

void h2_write(h2 *s, slice bytes, blob *owner) {
  if (!s->out || bytes.len == 0) return;
  if (owner) s->env->conn_write_blob(s->env, s->out, owner, bytes);
  else s->env->conn_write(s->env, s->out, bytes);
}

static bool full(const h2 *s) {
  return s->out && s->env->conn_pending(s->env, s->out) > s->unsent_max;
}

static ssize_t on_send(nghttp2_session *session, const uint8_t *data, size_t len, int flags,
                       void *user) {
  (void)session;
  (void)flags;
  h2 *s = user;
  if (full(s)) return NGHTTP2_ERR_WOULDBLOCK;
  h2_write(s, slice_of((const char *)data, len), NULL);
  return (ssize_t)len;
}

/* A DATA frame: the header that nghttp2 made, then the source's own bytes. We never pad. */
static int on_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
                        size_t len, nghttp2_data_source *source, void *user) {
  (void)session;
  (void)frame;
  h2 *s = user;
  if (full(s)) return NGHTTP2_ERR_WOULDBLOCK;
  h2_write(s, slice_of((const char *)head, 9), NULL);
  ((h2_source *)source->ptr)->send(source->ptr, s, len);
  return 0;
}

static void queue_settings(h2 *s, const h2_settings *o) {
  nghttp2_settings_entry entries[5];
  size_t n = 0;
  entries[n++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, o->stream_window};
  if (o->max_streams) {
    entries[n++] =
        (nghttp2_settings_entry){NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, o->max_streams};
  }
  if (o->max_frame) {
    entries[n++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_MAX_FRAME_SIZE, o->max_frame};
  }
  if (o->max_header_list) {
    entries[n++] =
        (nghttp2_settings_entry){NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, o->max_header_list};
  }
  if (!o->server) entries[n++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_ENABLE_PUSH, 0};
  int rc = nghttp2_submit_settings(s->session, NGHTTP2_FLAG_NONE, entries, n);
  rc |= nghttp2_session_set_local_window_size(s->session, NGHTTP2_FLAG_NONE, 0,
                                              (int32_t)o->connection_window);
  assert(rc == 0);
}

void h2_open(h2 *s, const h2_settings *o, nghttp2_session_callbacks *callbacks, env *e,
             env_conn *out, void *user) {
  assert(user == (void *)s);
  *s = (h2){.env = e, .out = out, .unsent_max = H2_UNSENT_MAX};
  nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
  nghttp2_session_callbacks_set_send_data_callback(callbacks, on_send_data);
  nghttp2_mem mem = {NULL, mem_alloc, mem_free, mem_zalloc, mem_realloc};
  nghttp2_option *option = NULL;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_stream_reset_rate_limit(option, RESETS_BURST, RESETS_A_SECOND);
  nghttp2_option_set_max_continuations(option, CONTINUATIONS_MAX);
  nghttp2_option_set_max_outbound_ack(option, ACKS_MAX);
  int rc = o->server ? nghttp2_session_server_new3(&s->session, callbacks, user, option, &mem)
                     : nghttp2_session_client_new3(&s->session, callbacks, user, option, &mem);
  assert(rc == 0);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  queue_settings(s, o);
}

void h2_close(h2 *s) {
  assert(!s->running);
  nghttp2_session_del(s->session);
  s->session = NULL;
}

void h2_receive(h2 *s, slice bytes) {
  assert(!s->running);
  s->running = true;
  ssize_t n = nghttp2_session_mem_recv(s->session, (const uint8_t *)bytes.ptr, bytes.len);
  s->running = false;
  if (n < 0) s->broken = true;
  h2_flush(s);
}

void h2_flush(h2 *s) {
  if (s->running) return;
  s->running = true;
  if (nghttp2_session_send(s->session) != 0) s->broken = true;
  s->running = false;
  if (!nghttp2_session_want_read(s->session) && !nghttp2_session_want_write(s->session)) {
    s->broken = true;
  }
}
