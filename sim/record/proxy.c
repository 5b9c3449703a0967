/* The client's side is read by the server's own strict HTTP parser (http/http.h), whose world is
 * this file; the upstream's side is the replay's uplink. */
#include "sim/record/proxy.h"

#include "base/heap.h"
#include "http/http.h"
#include "sim/record/forward.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct env_conn {
  struct bufferevent *bev;
  http_conn *http; /* NULL: the server's side is over */
  proxy *owner;
  char address[64];
};

struct proxy {
  env env; /* first: callbacks hand it back */
  struct event_base *events;
  struct evconnlistener *listener;
  struct event *tick, *term, *interrupt;
  timers timers;
  http_server http;
  forwarder *forward;
  uplink *up;
  char address[64];
  int64_t began_ns;
};

static int64_t clock_ns(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void read_clocks(proxy *p) {
  p->env.wall_ns = clock_ns(CLOCK_REALTIME);
  p->env.mono_ns = clock_ns(CLOCK_MONOTONIC);
}

int64_t proxy_now_ms(const proxy *p) {
  return (clock_ns(CLOCK_MONOTONIC) - p->began_ns) / 1000000;
}

/* ---- what the HTTP layer calls ---- */

static void on_log(env *e, int level, slice line) {
  (void)e;
  (void)level;
  (void)line;
}

static void on_wake_at(env *e, int64_t mono_ns) {
  (void)e;
  (void)mono_ns; /* the loop looks at the timers twice a second anyway */
}

static void on_write(env *e, env_conn *c, slice bytes) {
  (void)e;
  bufferevent_write(c->bev, bytes.ptr, bytes.len);
}

static void on_write_blob(env *e, env_conn *c, blob *b, slice part) {
  (void)b;
  on_write(e, c, part);
}

static size_t on_pending(env *e, env_conn *c) {
  (void)e;
  return evbuffer_get_length(bufferevent_get_output(c->bev));
}

static void on_pause(env *e, env_conn *c, bool paused) {
  (void)e;
  if (paused) {
    bufferevent_disable(c->bev, EV_READ);
  } else {
    bufferevent_enable(c->bev, EV_READ);
  }
}

static void conn_free(env_conn *c) {
  bufferevent_free(c->bev);
  heap_free(c);
}

static void on_drained(struct bufferevent *bev, void *ctx) {
  env_conn *c = ctx;
  if (!c->http && evbuffer_get_length(bufferevent_get_output(bev)) == 0) {
    conn_free(c);
  }
}

static void on_close(env *e, env_conn *c, bool flush) {
  (void)e;
  c->http = NULL;
  if (!flush) {
    evbuffer_drain(bufferevent_get_output(c->bev),
                   evbuffer_get_length(bufferevent_get_output(c->bev)));
  }
  bufferevent_trigger(c->bev, EV_WRITE, BEV_TRIG_IGNORE_WATERMARKS | BEV_OPT_DEFER_CALLBACKS);
}

/* ---- sockets ---- */

static void on_client_event(struct bufferevent *bev, short what, void *ctx) {
  (void)bev;
  env_conn *c = ctx;
  if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) {
    http_conn *http = c->http;
    c->http = NULL;
    if (http) {
      http_conn_closed(http);
    }
    conn_free(c);
  }
}

static void on_client_read(struct bufferevent *bev, void *ctx) {
  env_conn *c = ctx;
  struct evbuffer *in = bufferevent_get_input(bev);
  size_t len = evbuffer_get_length(in);
  char *bytes = heap_alloc(len);
  read_clocks(c->owner);
  evbuffer_remove(in, bytes, len);
  if (c->http && !http_conn_data(c->http, slice_of(bytes, len))) {
    c->http = NULL;
  }
  heap_free(bytes);
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *from,
                      int len, void *ctx) {
  (void)l;
  (void)len;
  proxy *p = ctx;
  const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)from;
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  env_conn *c = heap_zalloc(sizeof *c);
  c->owner = p;
  c->bev = bufferevent_socket_new(p->events, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
  snprintf(c->address, sizeof c->address, "127.0.0.1:%u", ntohs(in->sin_port));
  env_peer peer = {.address = slice_cstr(c->address), .alpn = SLICE_LIT("http/1.1")};
  read_clocks(p);
  c->http = http_conn_open(&p->http, c, &peer);
  bufferevent_setcb(c->bev, on_client_read, on_drained, on_client_event, c);
  bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

static void on_tick(evutil_socket_t fd, short what, void *ctx) {
  (void)fd;
  (void)what;
  proxy *p = ctx;
  read_clocks(p);
  while (timers_fire_one(&p->timers, p->env.mono_ns)) {
  }
}

static void on_signal(evutil_socket_t fd, short what, void *ctx) {
  (void)fd;
  (void)what;
  event_base_loopbreak(((proxy *)ctx)->events);
}

static int64_t now_of(void *ctx) {
  return proxy_now_ms(ctx);
}

static bool listen_on(proxy *p, const char *where, char *problem, size_t size) {
  struct sockaddr_in at = {.sin_family = AF_INET};
  slice host_part, port_part;
  long long port = -1;
  char host[32] = "";
  slice_cut(slice_cstr(where), ':', &host_part, &port_part);
  if (host_part.len < sizeof host) {
    memcpy(host, host_part.ptr, host_part.len);
  }
  if (!slice_to_i64(port_part, &port) || port < 0 || port > 65535 ||
      inet_pton(AF_INET, host, &at.sin_addr) != 1 || ntohl(at.sin_addr.s_addr) >> 24 != 127) {
    snprintf(problem, size, "--listen wants a loopback address such as 127.0.0.1:8001");
    return false;
  }
  at.sin_port = htons((uint16_t)port);
  p->listener = evconnlistener_new_bind(p->events, on_accept, p,
                                        LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 128,
                                        (struct sockaddr *)&at, sizeof at);
  if (!p->listener) {
    snprintf(problem, size, "cannot listen on %s: %s", where,
             evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
    return false;
  }
  socklen_t size_of_at = sizeof at;
  getsockname(evconnlistener_get_fd(p->listener), (struct sockaddr *)&at, &size_of_at);
  inet_ntop(AF_INET, &at.sin_addr, host, sizeof host);
  snprintf(p->address, sizeof p->address, "%s:%u", host, ntohs(at.sin_port));
  return true;
}

static struct event *start_event(struct event *e, const struct timeval *every) {
  event_add(e, every);
  return e;
}

proxy *proxy_create(const proxy_options *o, tape_writer *writer, char *problem, size_t size) {
  proxy *p = heap_zalloc(sizeof *p);
  p->env = (env){.log = on_log,
                 .wake_at = on_wake_at,
                 .conn_write = on_write,
                 .conn_write_blob = on_write_blob,
                 .conn_pending = on_pending,
                 .conn_pause = on_pause,
                 .conn_close = on_close};
  read_clocks(p);
  p->began_ns = p->env.mono_ns;
  p->events = event_base_new();
  timers_init(&p->timers);
  p->forward = forwarder_create(writer, o->upstream_host, o->token, now_of, p);
  p->up = uplink_socket_create_on(&o->upstream, p->events, forwarder_changed, p->forward, problem,
                                  size);
  if (!p->up || !listen_on(p, o->listen, problem, size)) {
    proxy_destroy(p);
    return NULL;
  }
  forwarder_use(p->forward, p->up);
  p->http = (http_server){.env = &p->env, .timers = &p->timers, .handle = forwarder_handle,
                          .ctx = p->forward};
  static const struct timeval half_a_second = {0, 500000};
  p->tick = start_event(event_new(p->events, -1, EV_PERSIST, on_tick, p), &half_a_second);
  p->term = start_event(evsignal_new(p->events, SIGTERM, on_signal, p), NULL);
  p->interrupt = start_event(evsignal_new(p->events, SIGINT, on_signal, p), NULL);
  signal(SIGPIPE, SIG_IGN);
  return p;
}

const char *proxy_address(const proxy *p) {
  return p->address;
}

void proxy_run(proxy *p) {
  event_base_dispatch(p->events);
}

/* Connections still open are the process's end's business: a recorder ends with its process. */
void proxy_destroy(proxy *p) {
  struct event *events[] = {p->tick, p->term, p->interrupt};
  for (size_t i = 0; i < 3; i++) {
    if (events[i]) {
      event_free(events[i]);
    }
  }
  if (p->listener) {
    evconnlistener_free(p->listener);
  }
  forwarder_destroy(p->forward);
  if (p->up) {
    p->up->destroy(p->up);
  }
  timers_dispose(&p->timers);
  event_base_free(p->events);
  heap_free(p);
}
