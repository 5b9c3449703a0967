/* The loop: listeners, readiness, clocks, signals, and the way of bytes from a socket to the
 * server. The only file that includes event2/. */
#include "env/env_libevent.h"

#include "base/heap.h"
#include "env/env_world.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HANDSHAKE_NS ((int64_t)32 * 1000000000)
#define LINGER_NS ((int64_t)500 * 1000000)
#define LAST_WORDS_NS ((int64_t)60 * 1000000000) /* to read what was written before a close */
#define ACCEPT_PAUSE_NS ((int64_t)50 * 1000000)
#define STOP_NS ((int64_t)30 * 1000000)
#define ACCEPT_BATCH 64
#define LISTENERS_MAX 8
#define VIRTUAL_START_NS ((int64_t)1767225600 * 1000000000) /* 2026-01-01T00:00:00Z */
#define VIRTUAL_STEP_NS ((int64_t)1000000)

typedef struct listener {
  world *world;
  int fd;
  world_tls *tls;
  struct event event;
  bool full; /* out of descriptors: accepting is paused */
} listener;

typedef struct loop {
  struct event_base *base;
  struct event wake, sigterm, sigint, sigchld;
  int64_t armed_ns;
  listener listeners[LISTENERS_MAX];
  uint32_t listener_count;
  timer accept_timer;
  int child, *child_status;
} loop;

typedef struct conn_events {
  struct event read, write;
} conn_events;

static loop *loop_of(world *w) {
  return w->loop;
}

static int64_t clock_ns(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void read_clocks(world *w) {
  if (w->clock_read) return;
  w->clock_read = true;
  w->env.mono_ns = clock_ns(CLOCK_MONOTONIC);
  w->env.wall_ns =
      w->options.clock == WORLD_CLOCK_VIRTUAL ? w->virtual_ns : clock_ns(CLOCK_REALTIME);
}

void world_advance(world *w) {
  if (w->options.clock != WORLD_CLOCK_VIRTUAL) return;
  w->virtual_ns += VIRTUAL_STEP_NS;
  w->env.wall_ns = w->virtual_ns;
}

/* ---- connections ---- */

static void conn_watch_reads(env_conn *c) {
  conn_events *e = c->events;
  bool want = c->state != CONN_DEAD && !(c->paused && c->state == CONN_OPEN);
  if (want == c->reading) return;
  c->reading = want;
  if (want) event_add(&e->read, NULL);
  else event_del(&e->read);
}

static void conn_kill(env_conn *c) {
  if (c->state == CONN_DEAD) return;
  c->state = CONN_DEAD;
  timer_clear(&c->world->timers, &c->timer);
  conn_events *e = c->events;
  event_del(&e->read);
  event_del(&e->write);
  c->reading = false;
  if (!c->dirty) {
    c->dirty = true;
    c->next_dirty = NULL;
    *c->world->dirty_end = c;
    c->world->dirty_end = &c->next_dirty;
  }
}

static void conn_free(env_conn *c) {
  out_dispose(c);
  SSL_free(c->ssl);
  OPENSSL_free(c->cert);
  buf_dispose(&c->held);
  close(c->fd);
  *c->link = c->next;
  if (c->next) c->next->link = c->link;
  c->world->conn_count--;
  heap_free(c->events);
  heap_free(c);
}

/* The connection broke, or its peer left. */
static void conn_lost(env_conn *c) {
  http_conn *http = c->http;
  c->http = NULL;
  if (http) http_conn_closed(http);
  conn_kill(c);
}

static void on_linger_over(void *ctx, int64_t now_ns) {
  (void)now_ns;
  conn_kill(ctx);
}

/* Everything written has left: our side ends, the peer gets a moment to read it. */
static void conn_linger(env_conn *c) {
  c->state = CONN_LINGER;
  if (c->ssl) {
    ERR_clear_error();
    SSL_shutdown(c->ssl);
    if (!out_send_records(c)) {
      conn_kill(c);
      return;
    }
  }
  shutdown(c->fd, SHUT_WR);
  timer_set(&c->world->timers, &c->timer, c->world->env.mono_ns + LINGER_NS, on_linger_over, c);
  conn_watch_reads(c);
}

static void conn_flush(env_conn *c) {
  bool high = out_pending(c) >= HTTP_PENDING_LOW;
  c->was_high = c->was_high || high;
  if (!out_flush(c)) {
    conn_lost(c);
    return;
  }
  conn_events *e = c->events;
  if (c->blocked) event_add(&e->write, NULL);
  else event_del(&e->write);
  if (c->state == CONN_CLOSING && out_pending(c) == 0) {
    conn_linger(c);
    return;
  }
  if (c->was_high && out_pending(c) < HTTP_PENDING_LOW) {
    c->was_high = false;
    if (c->http) http_conn_drained(c->http);
  }
}

static void on_handshake_over(void *ctx, int64_t now_ns) {
  (void)now_ns;
  conn_kill(ctx);
}

static void conn_open(env_conn *c) {
  c->state = CONN_OPEN;
  timer_clear(&c->world->timers, &c->timer);
  c->http = server_conn_open(c->world->server, c, &c->peer);
}

static void feed(env_conn *c, slice bytes) {
  if (bytes.len && c->http) http_conn_data(c->http, bytes);
}

static void peer_ended(env_conn *c) {
  if (c->state != CONN_OPEN || !c->http) {
    if (c->state == CONN_CLOSING && out_pending(c)) {
      conn_events *e = c->events;
      event_del(&e->read); /* it may still read what is on its way */
      c->reading = false;
      return;
    }
    conn_kill(c);
    return;
  }
  if (!http_conn_eof(c->http)) return; /* answered; conn_close has been called */
  http_conn *http = c->http;
  c->http = NULL;
  http_conn_closed(http);
  c->state = CONN_CLOSING;
  conn_events *e = c->events;
  event_del(&e->read);
  c->reading = false;
  if (out_pending(c) == 0) conn_kill(c);
  else timer_set(&c->world->timers, &c->timer, c->world->env.mono_ns + LAST_WORDS_NS,
                 on_linger_over, c);
}

static bool looks_like_http(slice s) {
  static const char *const starts[] = {"GET /", "HEAD ", "POST ", "PUT /", "OPTIO"};
  for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
    if (slice_has_prefix(s, slice_cstr(starts[i]))) return true;
  }
  return false;
}

static void handshake_done(env_conn *c) {
  int len = 0;
  int verdict = tls_peer_cert(c->ssl, &c->cert, &len);
  c->peer.client_cert_bad = verdict < 0;
  if (verdict > 0) c->peer.client_cert_der = slice_of((const char *)c->cert, (size_t)len);
  const unsigned char *alpn = NULL;
  unsigned alpn_len = 0;
  SSL_get0_alpn_selected(c->ssl, &alpn, &alpn_len);
  c->peer.alpn = slice_of((const char *)alpn, alpn_len);
  conn_open(c);
}

static void handshake(env_conn *c) {
  ERR_clear_error();
  int rc = SSL_do_handshake(c->ssl);
  bool sent = out_send_records(c);
  if (c->blocked) event_add(&((conn_events *)c->events)->write, NULL);
  if (rc == 1 && sent) {
    handshake_done(c);
  } else if (!sent || SSL_get_error(c->ssl, rc) != SSL_ERROR_WANT_READ) {
    conn_kill(c);
  }
}

/* Reads records until none is whole; what they say is gathered so that the server gets it in
 * one piece. */
static void read_records(env_conn *c) {
  char *plain = c->world->read_buffer + WORLD_READ_MAX;
  while (c->state == CONN_OPEN && !c->paused) {
    size_t len = 0, n = 0;
    int rc = 1;
    while (WORLD_READ_MAX - len >= WORLD_RECORD_MAX) {
      ERR_clear_error();
      rc = SSL_read_ex(c->ssl, plain + len, WORLD_READ_MAX - len, &n);
      if (rc != 1) break;
      len += n;
    }
    int why = rc == 1 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, rc);
    if (!out_send_records(c)) {
      conn_lost(c);
      return;
    }
    feed(c, slice_of(plain, len));
    if (why == SSL_ERROR_NONE) continue;
    if (why == SSL_ERROR_ZERO_RETURN) peer_ended(c);
    else if (why != SSL_ERROR_WANT_READ) conn_lost(c);
    return;
  }
}

static void take_records(env_conn *c, slice bytes) {
  if (!c->ssl) {
    if (looks_like_http(bytes)) {
      out_enqueue(c, SLICE_LIT("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to "
                               "an HTTPS server.\n"));
      c->state = CONN_CLOSING;
      timer_clear(&c->world->timers, &c->timer);
      return;
    }
    c->ssl = tls_open(c->tls, &c->pipe);
    if (!c->ssl) {
      conn_kill(c);
      return;
    }
  }
  c->pipe.in = bytes;
  if (c->state == CONN_HANDSHAKE) handshake(c);
  if (c->state == CONN_OPEN) read_records(c);
  if (c->pipe.in.len && c->state == CONN_OPEN) buf_append(&c->held, c->pipe.in);
  c->pipe.in = SLICE_NONE;
}

static void on_readable(evutil_socket_t fd, short what, void *arg) {
  (void)what;
  env_conn *c = arg;
  world *w = c->world;
  read_clocks(w);
  ssize_t n = recv(fd, w->read_buffer, WORLD_READ_MAX, 0);
  if (n < 0) {
    if (errno != EAGAIN && errno != EINTR) conn_lost(c);
    return;
  }
  if (n == 0) {
    peer_ended(c);
    return;
  }
  slice bytes = slice_of(w->read_buffer, (size_t)n);
  if (c->state == CONN_LINGER || c->state == CONN_CLOSING) return;
  if (c->tls) take_records(c, bytes);
  else feed(c, bytes);
}

/* Records that came before a pause took effect, now that it is over. */
static void take_held(env_conn *c) {
  if (c->paused || c->state != CONN_OPEN || !c->ssl) return;
  if (c->held.len == 0 && SSL_pending(c->ssl) == 0) return;
  buf held = c->held;
  buf_init(&c->held, held.ceiling);
  take_records(c, buf_slice(&held));
  buf_dispose(&held);
}

static void on_writable(evutil_socket_t fd, short what, void *arg) {
  (void)fd;
  (void)what;
  env_conn *c = arg;
  read_clocks(c->world);
  take_held(c);
  if (c->state != CONN_DEAD && c->state != CONN_LINGER) conn_flush(c);
}

static void describe_peer(env_conn *c, const struct sockaddr_storage *a) {
  char ip[INET6_ADDRSTRLEN] = "";
  if (a->ss_family == AF_INET) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)a;
    inet_ntop(AF_INET, &in->sin_addr, ip, sizeof ip);
    snprintf(c->address, sizeof c->address, "%s:%u", ip, ntohs(in->sin_port));
  } else {
    const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)a;
    inet_ntop(AF_INET6, &in->sin6_addr, ip, sizeof ip);
    snprintf(c->address, sizeof c->address, "[%s]:%u", ip, ntohs(in->sin6_port));
  }
  c->peer.address = slice_cstr(c->address);
}

static void conn_create(listener *l, int fd, const struct sockaddr_storage *from) {
  world *w = l->world;
  env_conn *c = heap_zalloc(sizeof *c);
  c->world = w;
  c->fd = fd;
  c->tls = l->tls;
  c->backlog_end = &c->backlog;
  c->pipe = (tls_pipe){.out = w->cipher_buffer, .out_cap = WORLD_CIPHER_MAX};
  buf_init(&c->held, WORLD_READ_MAX * 2);
  c->peer.tls = l->tls != NULL;
  describe_peer(c, from);
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  conn_events *e = heap_zalloc(sizeof *e);
  c->events = e;
  struct event_base *base = loop_of(w)->base;
  event_assign(&e->read, base, fd, EV_READ | EV_PERSIST, on_readable, c);
  event_assign(&e->write, base, fd, EV_WRITE, on_writable, c);
  c->next = w->conns;
  c->link = &w->conns;
  if (c->next) c->next->link = &c->next;
  w->conns = c;
  w->conn_count++;
  conn_watch_reads(c);
  if (l->tls) {
    timer_set(&w->timers, &c->timer, w->env.mono_ns + HANDSHAKE_NS, on_handshake_over, c);
  } else {
    conn_open(c);
  }
}

/* ---- listeners ---- */

static void on_accept_again(void *ctx, int64_t now_ns) {
  (void)now_ns;
  loop *lp = loop_of(ctx);
  for (uint32_t i = 0; i < lp->listener_count; i++) {
    listener *l = &lp->listeners[i];
    if (l->full) event_add(&l->event, NULL);
    l->full = false;
  }
}

static void accept_later(listener *l, int error) {
  world *w = l->world;
  fprintf(stderr, "apisim: can't accept connections for now: %s\n", strerror(error));
  event_del(&l->event);
  l->full = true;
  timer_set(&w->timers, &loop_of(w)->accept_timer, w->env.mono_ns + ACCEPT_PAUSE_NS,
            on_accept_again, w);
}

static void on_acceptable(evutil_socket_t fd, short what, void *arg) {
  (void)what;
  listener *l = arg;
  read_clocks(l->world);
  for (int i = 0; i < ACCEPT_BATCH; i++) {
    struct sockaddr_storage from = {0};
    socklen_t size = sizeof from;
    int conn = accept4(fd, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (conn >= 0) {
      conn_create(l, conn, &from);
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      accept_later(l, errno);
    }
    if (errno == ECONNABORTED || errno == EINTR) continue;
    return;
  }
}

static bool parse_address(const char *address, int port, struct sockaddr_storage *out,
                          socklen_t *size) {
  struct sockaddr_in *v4 = (struct sockaddr_in *)out;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
  *out = (struct sockaddr_storage){0};
  if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons((uint16_t)port);
    *size = sizeof *v4;
    return true;
  }
  if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)port);
    *size = sizeof *v6;
    return true;
  }
  return false;
}

static int bound_port(int fd) {
  struct sockaddr_storage a = {0};
  socklen_t size = sizeof a;
  getsockname(fd, (struct sockaddr *)&a, &size);
  return a.ss_family == AF_INET ? ntohs(((struct sockaddr_in *)&a)->sin_port)
                                : ntohs(((struct sockaddr_in6 *)&a)->sin6_port);
}

bool world_listen(world *w, const char *address, int *port, world_tls *tls,
                  const char **problem) {
  loop *lp = loop_of(w);
  struct sockaddr_storage a;
  socklen_t size = 0;
  *problem = w->problem;
  assert(lp->listener_count < LISTENERS_MAX);
  if (!parse_address(address, *port, &a, &size)) {
    snprintf(w->problem, sizeof w->problem, "not an IP address: %s", address);
    return false;
  }
  int fd = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int one = 1;
  if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (fd < 0 || bind(fd, (struct sockaddr *)&a, size) != 0 || listen(fd, 4096) != 0) {
    snprintf(w->problem, sizeof w->problem, "can't listen on %s port %d: %s", address, *port,
             strerror(errno));
    if (fd >= 0) close(fd);
    return false;
  }
  *port = bound_port(fd);
  listener *l = &lp->listeners[lp->listener_count++];
  *l = (listener){.world = w, .fd = fd, .tls = tls};
  event_assign(&l->event, lp->base, fd, EV_READ | EV_PERSIST, on_acceptable, l);
  event_add(&l->event, NULL);
  return true;
}

/* ---- env ---- */

static void env_log(env *e, int level, slice line) {
  static const char *const names[] = {"debug", "info", "warning", "error"};
  world *w = (world *)e;
  if (level == ENV_DEBUG && w->options.verbosity < 4) return;
  if (level == ENV_INFO && w->options.verbosity < 1) return;
  fprintf(stderr, "apisim: %s: %.*s\n", names[level & 3], SLICE_ARG(line));
}

static void env_wake_at(env *e, int64_t mono_ns) {
  ((world *)e)->wake_ns = mono_ns;
}

static void env_write(env *e, env_conn *c, slice bytes) {
  (void)e;
  if (c->state == CONN_OPEN) out_enqueue(c, bytes);
}

static void env_write_blob(env *e, env_conn *c, blob *b, slice part) {
  (void)e;
  if (c->state != CONN_OPEN) return;
  if (part.len < 1024) out_enqueue(c, part);
  else out_enqueue_blob(c, b, part);
}

static size_t env_pending(env *e, env_conn *c) {
  (void)e;
  return out_pending(c);
}

static void env_pause(env *e, env_conn *c, bool paused) {
  (void)e;
  if (c->paused == paused || c->state == CONN_DEAD) return;
  c->paused = paused;
  conn_watch_reads(c);
  /* Records held back are read in a turn of their own. */
  if (!paused && (c->held.len || (c->ssl && SSL_pending(c->ssl)))) {
    event_active(&((conn_events *)c->events)->write, EV_WRITE, 1);
  }
}

static void env_close(env *e, env_conn *c, bool flush) {
  c->http = NULL;
  if (c->state == CONN_DEAD) return;
  if (!flush) {
    conn_kill(c);
    return;
  }
  c->state = CONN_CLOSING;
  timer_set(&c->world->timers, &c->timer, e->mono_ns + LAST_WORDS_NS, on_linger_over, c);
  if (out_pending(c) == 0) conn_linger(c);
}

/* ---- the world ---- */

static void on_wake(evutil_socket_t fd, short what, void *arg) {
  (void)fd;
  (void)what;
  loop_of(arg)->armed_ns = INT64_MAX;
}

static void on_signal(evutil_socket_t number, short what, void *arg) {
  (void)what;
  world *w = arg;
  loop *lp = w->loop;
  if (number != SIGCHLD) {
    w->stop = true;
  } else if (lp->child > 0 && waitpid(lp->child, lp->child_status, WNOHANG) == lp->child) {
    lp->child = 0;
    w->stop = true;
  }
}

static void raise_descriptor_limit(void) {
  struct rlimit r;
  if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur == r.rlim_max) return;
  r.rlim_cur = r.rlim_max;
  setrlimit(RLIMIT_NOFILE, &r);
}

static void watch_signals(world *w, loop *lp) {
  signal(SIGPIPE, SIG_IGN);
  evsignal_assign(&lp->sigterm, lp->base, SIGTERM, on_signal, w);
  evsignal_assign(&lp->sigint, lp->base, SIGINT, on_signal, w);
  evsignal_assign(&lp->sigchld, lp->base, SIGCHLD, on_signal, w);
  evsignal_add(&lp->sigterm, NULL);
  evsignal_add(&lp->sigint, NULL);
}

world *world_create(const world_options *o) {
  world *w = heap_zalloc(sizeof *w);
  loop *lp = heap_zalloc(sizeof *lp);
  w->loop = lp;
  w->options = *o;
  w->virtual_ns = VIRTUAL_START_NS;
  w->dirty_end = &w->dirty;
  w->wake_ns = lp->armed_ns = INT64_MAX;
  timers_init(&w->timers);
  buf_init(&w->turn, (size_t)4 << 30);
  w->read_buffer = heap_alloc(2 * WORLD_READ_MAX);
  w->plain_buffer = heap_alloc(WORLD_RECORD_MAX);
  w->cipher_buffer = heap_alloc(WORLD_CIPHER_MAX);
  w->env = (env){.seed = o->seed,
                 .log = env_log,
                 .wake_at = env_wake_at,
                 .conn_write = env_write,
                 .conn_write_blob = env_write_blob,
                 .conn_pending = env_pending,
                 .conn_pause = env_pause,
                 .conn_close = env_close};
  struct event_config *config = event_config_new();
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  lp->base = event_base_new_with_config(config);
  event_config_free(config);
  assert(lp->base);
  evtimer_assign(&lp->wake, lp->base, on_wake, w);
  watch_signals(w, lp);
  raise_descriptor_limit();
  read_clocks(w);
  return w;
}

env *world_env(world *w) {
  return &w->env;
}

void world_attach(world *w, server *s) {
  w->server = s;
}

void world_stop(world *w) {
  w->stop = true;
}

void world_watch_child(world *w, int pid, int *status) {
  loop *lp = loop_of(w);
  lp->child = pid;
  lp->child_status = status;
  evsignal_add(&lp->sigchld, NULL);
  on_signal(SIGCHLD, 0, w); /* it may have ended already */
}

static void flush_turn(world *w) {
  while (w->dirty) {
    env_conn *c = w->dirty;
    w->dirty = c->next_dirty;
    if (!w->dirty) w->dirty_end = &w->dirty;
    c->dirty = false;
    if (c->state != CONN_DEAD) conn_flush(c);
    if (c->state == CONN_DEAD && !c->dirty) conn_free(c);
  }
  buf_clear(&w->turn);
  w->segment_count = 0;
  if (w->turn.cap > ((size_t)1 << 20)) buf_dispose(&w->turn);
}

static void arm_wake(world *w, int64_t at) {
  loop *lp = loop_of(w);
  if (at >= lp->armed_ns) return;
  int64_t left = at - w->env.mono_ns;
  if (left < 0) left = 0;
  struct timeval tv = {.tv_sec = left / 1000000000, .tv_usec = left % 1000000000 / 1000 + 1};
  lp->armed_ns = at;
  evtimer_add(&lp->wake, &tv);
}

static void turn(world *w) {
  int64_t at = timers_next(&w->timers);
  arm_wake(w, at < w->wake_ns ? at : w->wake_ns);
  event_base_loop(loop_of(w)->base, EVLOOP_ONCE);
  read_clocks(w);
  while (timers_fire_one(&w->timers, w->env.mono_ns)) {}
  server_tick(w->server);
  flush_turn(w);
  w->clock_read = false;
}

static bool anything_pending(const world *w) {
  for (const env_conn *c = w->conns; c; c = c->next) {
    if (c->state != CONN_DEAD && out_pending(c)) return true;
  }
  return false;
}

void world_run(world *w) {
  assert(w->server);
  loop *lp = loop_of(w);
  while (!w->stop) turn(w);
  for (uint32_t i = 0; i < lp->listener_count; i++) {
    event_del(&lp->listeners[i].event);
    close(lp->listeners[i].fd);
  }
  lp->listener_count = 0;
  server_stop(w->server);
  flush_turn(w);
  int64_t until = w->env.mono_ns + STOP_NS;
  while (anything_pending(w) && w->env.mono_ns < until) {
    arm_wake(w, until);
    turn(w);
  }
  for (env_conn *c = w->conns; c; c = c->next) {
    if (c->state == CONN_OPEN && c->ssl) {
      SSL_shutdown(c->ssl);
      out_send_records(c);
    }
    conn_lost(c);
  }
  flush_turn(w);
}

void world_destroy(world *w) {
  loop *lp = loop_of(w);
  for (uint32_t i = 0; i < lp->listener_count; i++) close(lp->listeners[i].fd);
  event_del(&lp->wake);
  event_del(&lp->sigterm);
  event_del(&lp->sigint);
  event_del(&lp->sigchld);
  event_base_free(lp->base);
  timers_dispose(&w->timers);
  buf_dispose(&w->turn);
  heap_free(w->segments);
  heap_free(w->read_buffer);
  heap_free(w->plain_buffer);
  heap_free(w->cipher_buffer);
  heap_free(lp);
  heap_free(w);
}
