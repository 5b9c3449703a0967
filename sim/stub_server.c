/* Stands in for the server until it is there: answers what needs no state, so that the layers
 * below can be run. Weak: the real one wins. To be removed with its arrival. */
#include "base/heap.h"
#include "server.h"

static void stub_handle(void *ctx, http_exchange *x) {
  (void)ctx;
  http_header h = {SLICE_LIT("Content-Type"), SLICE_LIT("text/plain; charset=utf-8")};
  http_part p = {SLICE_LIT("ok"), NULL};
  if (x->body_broken) {
    p.bytes = x->body_error;
    http_respond(x, 500, &h, 1, &p, 1);
  } else if (slice_is(x->path, "/echo")) {
    p.bytes = x->body;
    http_respond(x, x->body_too_large ? 413 : 200, &h, 1, &p, 1);
  } else {
    http_respond(x, 200, &h, 1, &p, 1);
  }
}

__attribute__((weak)) server *server_create(env *e, const server_options *o, slice *problem) {
  (void)problem;
  server *s = heap_zalloc(sizeof *s);
  s->env = e;
  s->options = *o;
  timers_init(&s->timers);
  s->http = (http_server){.env = e, .timers = &s->timers, .handle = stub_handle, .ctx = s};
  return s;
}

__attribute__((weak)) void server_destroy(server *s) {
  timers_dispose(&s->timers);
  heap_free(s);
}

__attribute__((weak)) http_conn *server_conn_open(server *s, env_conn *c, const env_peer *peer) {
  return http_conn_open(&s->http, c, peer);
}

__attribute__((weak)) void server_tick(server *s) {
  while (timers_fire_one(&s->timers, s->env->mono_ns)) {}
  s->env->wake_at(s->env, timers_next(&s->timers));
}

__attribute__((weak)) void server_stop(server *s) {
  s->stopping = true;
}
