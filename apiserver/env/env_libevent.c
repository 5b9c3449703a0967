/* The loop: listeners, turns, clocks, signals, and the table that the server calls. */
#include "env/env_libevent.h"

#include "base/heap.h"
#include "env/env_conn.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LAST_WORDS_NS ((int64_t)60 * 1000000000) /* to read what was written before a close */
#define ACCEPT_PAUSE_NS ((int64_t)50 * 1000000)
#define STOP_NS ((int64_t)30 * 1000000)
#define LEAVE_NS ((int64_t)5 * 1000000000)
#define NEAR_NS ((int64_t)20000)
#define SHARE_FROM ((size_t)256) /* smaller pieces of blobs are copied */
#define ACCEPT_BATCH 64
#define LISTENERS_MAX 8
#define VIRTUAL_START_NS ((int64_t)1767225600 * 1000000000) /* 2026-01-01T00:00:00Z */
#define VIRTUAL_STEP_NS ((int64_t)1000000)

typedef struct listener {
  world *world;
  int fd;
  const world_tls *tls;
  env_acceptor acceptor;
  struct event event;
  bool full; /* out of descriptors: accepting is paused */
  char *path; /* of a unix socket: removed at the end */
} listener;

typedef struct loop {
  struct event_base *base;
  struct event wake, sigterm, sigint, sigchld;
  int64_t armed_ns;
  listener listeners[LISTENERS_MAX];
  uint32_t listener_count;
  timer accept_timer;
  int child, *child_status;
  uint32_t skips; /* world_skip is on the stack */
} loop;

static loop *loop_of(world *w) {
  return w->loop;
}

static int64_t clock_ns(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void world_read_clocks(world *w) {
  if (w->clock_read) return;
  w->clock_read = true;
  w->env.mono_ns = clock_ns(CLOCK_MONOTONIC) + w->skipped_ns;
  w->env.wall_ns =
      w->options.clock == WORLD_CLOCK_VIRTUAL ? w->virtual_ns : clock_ns(CLOCK_REALTIME);
}

void world_advance(world *w) {
  if (w->options.clock != WORLD_CLOCK_VIRTUAL) return;
  w->virtual_ns += VIRTUAL_STEP_NS;
  w->env.wall_ns = w->virtual_ns;
}

struct event_base *world_base(world *w) {
  return loop_of(w)->base;
}

/* ---- listeners ---- */

static void accepted(listener *l, int fd, const struct sockaddr_storage *from) {
  env_conn *c = conn_create(l->world, l->tls);
  c->acceptor = &l->acceptor;
  conn_describe_peer(c, from);
  conn_attach(c, fd);
  conn_accepted(c);
}

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
  world_read_clocks(l->world);
  for (int i = 0; i < ACCEPT_BATCH; i++) {
    struct sockaddr_storage from = {0};
    socklen_t size = sizeof from;
    int conn = accept4(fd, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (conn >= 0) {
      accepted(l, conn, &from);
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

/* Connections of a listener without an acceptor of its own are the attached program's. */
static void *accept_for_server(void *ctx, env_conn *c, const env_peer *peer,
                               const env_conn_events **events) {
  const env_acceptor *a = &((world *)ctx)->program.acceptor;
  return a->open(a->ctx, c, peer, events);
}

static listener *refuse(world *w, int fd, const char *address, int port) {
  int error = errno;
  if (fd >= 0) close(fd);
  if (port < 0) snprintf(w->problem, sizeof w->problem, "can't listen on %s: %s", address,
                         strerror(error));
  else snprintf(w->problem, sizeof w->problem, "can't listen on %s port %d: %s", address, port,
                strerror(error));
  return NULL;
}

static listener *listener_add(world *w, int fd, const world_tls *tls) {
  loop *lp = loop_of(w);
  listener *l = &lp->listeners[lp->listener_count++];
  *l = (listener){.world = w, .fd = fd, .tls = tls};
  event_assign(&l->event, lp->base, fd, EV_READ | EV_PERSIST, on_acceptable, l);
  event_add(&l->event, NULL);
  return l;
}

static listener *listen_inet(world *w, const char *address, int *port, const world_tls *tls) {
  struct sockaddr_storage a;
  socklen_t size = 0;
  if (!parse_address(address, *port, &a, &size)) {
    snprintf(w->problem, sizeof w->problem, "not an IP address: %s", address);
    return NULL;
  }
  int fd = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int one = 1;
  if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (fd < 0 || bind(fd, (struct sockaddr *)&a, size) != 0 || listen(fd, 4096) != 0) {
    return refuse(w, fd, address, *port);
  }
  *port = bound_port(fd);
  return listener_add(w, fd, tls);
}

/* A socket file that nobody answers on is left over from a process that was killed. */
static void remove_stale(const struct sockaddr_un *a) {
  struct stat st;
  if (lstat(a->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode)) return;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  bool dead = connect(fd, (const struct sockaddr *)a, sizeof *a) != 0 && errno == ECONNREFUSED;
  close(fd);
  if (dead) unlink(a->sun_path);
}

static listener *listen_unix(world *w, const char *address, const char *path) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  size_t size = strlen(path) + 1;
  if (size == 1 || size > sizeof a.sun_path) {
    errno = size == 1 ? ENOENT : ENAMETOOLONG;
    return refuse(w, -1, address, -1);
  }
  memcpy(a.sun_path, path, size);
  remove_stale(&a);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  mode_t before = umask(0177);
  bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0;
  umask(before);
  if (!bound || listen(fd, 4096) != 0) return refuse(w, fd, address, -1);
  listener *l = listener_add(w, fd, NULL);
  l->path = heap_alloc(size);
  memcpy(l->path, path, size);
  return l;
}

bool world_listen(world *w, const char *address, int *port, const world_tls *tls,
                  const env_acceptor *acceptor, const char **problem) {
  static const char scheme[] = "unix:";
  size_t skip = sizeof scheme - 1;
  *problem = w->problem;
  assert(loop_of(w)->listener_count < LISTENERS_MAX);
  listener *l = strncmp(address, scheme, skip) == 0 ? listen_unix(w, address, address + skip)
                                                    : listen_inet(w, address, port, tls);
  if (l) l->acceptor = acceptor ? *acceptor : (env_acceptor){accept_for_server, w};
  return l != NULL;
}

static void listener_close(listener *l) {
  close(l->fd);
  if (l->path) unlink(l->path);
  heap_free(l->path);
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
  if (part.len < SHARE_FROM) out_enqueue(c, part);
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
  c->owner = NULL;
  if (c->state == CONN_DEAD) return;
  if (!flush || c->state != CONN_OPEN) {
    conn_kill(c);
    return;
  }
  c->state = CONN_CLOSING;
  timer_set(&c->world->timers, &c->timer, e->mono_ns + LAST_WORDS_NS, conn_linger_over, c);
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
  if (number != SIGCHLD && w->program.leave && !w->leaving) {
    w->leaving = true;
    world_read_clocks(w);
    w->program.leave(w->program.ctx);
  } else if (number != SIGCHLD) {
    w->stop = w->hurried = true;
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
                 .conn_close = env_close,
                 .connect = connect_begin};
  struct event_config *config = event_config_new();
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  lp->base = event_base_new_with_config(config);
  event_config_free(config);
  assert(lp->base);
  evtimer_assign(&lp->wake, lp->base, on_wake, w);
  watch_signals(w, lp);
  raise_descriptor_limit();
  world_read_clocks(w);
  return w;
}

env *world_env(world *w) {
  return &w->env;
}

void world_attach(world *w, const world_program *p) {
  w->program = *p;
}

timers *world_timers(world *w) {
  return &w->timers;
}

int64_t world_virtual_ns(const world *w) {
  return w->options.clock == WORLD_CLOCK_VIRTUAL ? w->virtual_ns : 0;
}

void world_set_virtual_ns(world *w, int64_t ns) {
  if (w->options.clock != WORLD_CLOCK_VIRTUAL) return;
  w->virtual_ns = w->env.wall_ns = ns;
}

/* A turn that is under way goes on at the new time. */
void world_skip(world *w, int64_t ns) {
  int64_t until = w->env.mono_ns + ns;
  assert(ns >= 0 && w->program.tick);
  loop_of(w)->skips++;
  for (bool first = true;; first = false) {
    int64_t next = timers_next(&w->timers);
    if (w->wake_ns < next) next = w->wake_ns;
    if (!first && next > until) break;
    int64_t step = first || next <= w->env.mono_ns ? 0 : next - w->env.mono_ns;
    w->env.mono_ns += step;
    w->skipped_ns += step;
    w->virtual_ns += step;
    if (w->options.clock == WORLD_CLOCK_VIRTUAL) w->env.wall_ns = w->virtual_ns;
    while (timers_fire_one(&w->timers, w->env.mono_ns)) {}
    w->program.tick(w->program.ctx);
  }
  int64_t rest = until - w->env.mono_ns;
  w->env.mono_ns = until;
  w->skipped_ns += rest;
  loop_of(w)->skips--;
  world_set_virtual_ns(w, w->virtual_ns + rest);
}

bool world_is_skipping(const world *w) {
  return ((const loop *)w->loop)->skips > 0;
}

void world_stop_listening(world *w) {
  loop *lp = loop_of(w);
  for (uint32_t i = 0; i < lp->listener_count; i++) {
    event_del(&lp->listeners[i].event);
    listener_close(&lp->listeners[i]);
  }
  lp->listener_count = 0;
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

/* What the owners of connections do in here comes behind the program's tick: it is ticked again,
 * at once, for the timers that they set. */
static void flush_turn(world *w) {
  w->called_out = false;
  while (w->dirty) {
    env_conn *c = w->dirty;
    w->dirty = c->next_dirty;
    if (!w->dirty) w->dirty_end = &w->dirty;
    c->dirty = false;
    if (c->state != CONN_DEAD) conn_flush(c);
    if (c->state == CONN_DEAD && !c->dirty) conn_free(c);
  }
  if (w->called_out) w->wake_ns = w->env.mono_ns;
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
  if (w->wake_ns < at) at = w->wake_ns;
  /* The loop's own timers are no finer than a millisecond. */
  bool due = at <= w->env.mono_ns + NEAR_NS;
  if (!due) arm_wake(w, at);
  w->clock_read = false; /* it may be long until something happens, the first time as well */
  event_base_loop(loop_of(w)->base, EVLOOP_ONCE | (due ? EVLOOP_NONBLOCK : 0));
  world_read_clocks(w);
  while (timers_fire_one(&w->timers, w->env.mono_ns)) {}
  w->program.tick(w->program.ctx);
  flush_turn(w);
}

static bool anything_pending(const world *w) {
  for (const env_conn *c = w->conns; c; c = c->next) {
    if (c->state != CONN_DEAD && out_pending(c)) return true;
  }
  return false;
}

void world_run(world *w) {
  assert(w->program.tick);
  while (!w->stop) turn(w);
  world_stop_listening(w);
  w->program.stop(w->program.ctx);
  flush_turn(w);
  bool patient = w->leaving && !w->hurried; /* with who reads a long answer slowly */
  int64_t until = w->env.mono_ns + (patient ? LEAVE_NS : STOP_NS);
  while (anything_pending(w) && w->env.mono_ns < until && !(patient && w->hurried)) {
    arm_wake(w, until);
    turn(w);
  }
  for (env_conn *c = w->conns; c; c = c->next) {
    if (c->state == CONN_OPEN && c->ssl) {
      SSL_shutdown(c->ssl);
      out_send_records(c);
    }
    conn_lost(c, SLICE_NONE);
  }
  flush_turn(w);
}

/* The poll set is the parent's too until event_reinit: nothing may be taken out of it before. */
void world_forked(world *w) {
  loop *lp = loop_of(w);
  event_reinit(lp->base);
  for (uint32_t i = 0; i < lp->listener_count; i++) {
    listener *l = &lp->listeners[i];
    if (!l->full) event_del(&l->event);
    close(l->fd);
    heap_free(l->path); /* the file is the parent's */
  }
  lp->listener_count = 0;
  lp->child = 0;
  timer_clear(&w->timers, &lp->accept_timer);
}

void world_drop_all(world *w) {
  for (env_conn *c = w->conns; c; c = c->next) conn_lost(c, SLICE_NONE);
  flush_turn(w);
}

void world_destroy(world *w) {
  loop *lp = loop_of(w);
  for (uint32_t i = 0; i < lp->listener_count; i++) listener_close(&lp->listeners[i]);
  event_del(&lp->wake);
  event_del(&lp->sigterm);
  event_del(&lp->sigint);
  event_del(&lp->sigchld);
  connect_dispose(w);
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
