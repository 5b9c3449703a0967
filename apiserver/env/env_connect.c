/* Outgoing connections: a name becomes addresses (libevent's resolver, which does not block), the
 * addresses are tried in their order, and what stands goes the way of accepted ones. */
#include "env/env_conn.h"

#include "base/heap.h"

#include <errno.h>
#include <event2/dns.h>
#include <event2/util.h>
#include <openssl/err.h>
#include <stdio.h>
#include <unistd.h>

#define CONNECT_NS ((int64_t)10 * 1000000000) /* for the name and all addresses together */

typedef struct outgoing {
  struct evdns_getaddrinfo_request *resolving;
  struct evutil_addrinfo *addresses, *next;
  char host[256], port[8], server_name[256];
  char alpn[16];
} outgoing;

static outgoing *outgoing_of(env_conn *c) {
  return ((conn_events *)c->events)->outgoing;
}

static void fail(env_conn *c, const char *why) {
  outgoing *o = outgoing_of(c);
  char what[300];
  snprintf(what, sizeof what, "dial %s:%s", o ? o->host : "", o ? o->port : "");
  conn_lost(c, conn_problem(c, what, why));
}

static void on_connect_over(void *ctx, int64_t now_ns) {
  (void)now_ns;
  fail(ctx, "timeout");
}

static void drop_socket(env_conn *c) {
  conn_events *e = c->events;
  event_del(&e->read);
  event_del(&e->write);
  close(c->fd);
  c->fd = -1;
}

/* Begins with the next address; the last error counts when there is none left. */
static void try_next(env_conn *c, int error) {
  outgoing *o = outgoing_of(c);
  while (o->next) {
    struct evutil_addrinfo *a = o->next;
    o->next = a->ai_next;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
      error = errno;
      continue;
    }
    if (connect(fd, a->ai_addr, a->ai_addrlen) != 0 && errno != EINPROGRESS) {
      error = errno;
      close(fd);
      continue;
    }
    struct sockaddr_storage to = {0};
    memcpy(&to, a->ai_addr, a->ai_addrlen < sizeof to ? a->ai_addrlen : sizeof to);
    conn_describe_peer(c, &to);
    conn_attach(c, fd);
    event_add(&((conn_events *)c->events)->write, NULL);
    c->was_blocked = true;
    return;
  }
  fail(c, strerror(error));
}

static void stands(env_conn *c) {
  outgoing *o = outgoing_of(c);
  timer_clear(&c->world->timers, &c->timer);
  if (c->tls) {
    slice name = slice_cstr(o->server_name), alpn = slice_cstr(o->alpn);
    c->ssl = tls_open_client(c->tls, &c->pipe, name, alpn);
    if (!c->ssl) {
      fail(c, "TLS can't be set up for this name");
      return;
    }
  }
  connect_cancel(c);
  if (c->ssl) {
    conn_watch_reads(c);
    conn_handshake(c);
  } else {
    conn_open(c);
    conn_watch_reads(c);
  }
}

void connect_writable(env_conn *c) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == 0) {
    stands(c);
    return;
  }
  drop_socket(c);
  try_next(c, error);
}

static void on_resolved(int error, struct evutil_addrinfo *addresses, void *arg) {
  if (error == EVUTIL_EAI_CANCEL) return; /* the connection may be gone */
  env_conn *c = arg;
  world_read_clocks(c->world);
  outgoing *o = outgoing_of(c);
  o->resolving = NULL;
  if (error) {
    fail(c, evutil_gai_strerror(error));
    return;
  }
  o->addresses = o->next = addresses;
  try_next(c, ENOENT);
}

static struct evdns_base *resolver(world *w) {
  if (w->resolver) return w->resolver;
  struct event_base *base = world_base(w);
  w->resolver = evdns_base_new(
      base, EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
  if (!w->resolver) { /* no name servers: the hosts file alone */
    w->resolver = evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    if (w->resolver) evdns_base_load_hosts(w->resolver, "/etc/hosts");
  }
  return w->resolver;
}

/* In a turn of its own: connect never calls back before it returns. */
static void on_begin(void *ctx, int64_t now_ns) {
  env_conn *c = ctx;
  outgoing *o = outgoing_of(c);
  timer_set(&c->world->timers, &c->timer, now_ns + CONNECT_NS, on_connect_over, c);
  struct evutil_addrinfo hints = {.ai_family = AF_UNSPEC,
                                  .ai_socktype = SOCK_STREAM,
                                  .ai_flags = EVUTIL_AI_NUMERICHOST | EVUTIL_AI_NUMERICSERV};
  if (evutil_getaddrinfo(o->host, o->port, &hints, &o->addresses) == 0) {
    o->next = o->addresses;
    try_next(c, ENOENT);
    return;
  }
  struct evdns_base *names = resolver(c->world);
  if (!names) {
    fail(c, "no resolver");
    return;
  }
  hints.ai_flags = EVUTIL_AI_NUMERICSERV;
  struct evdns_getaddrinfo_request *r =
      evdns_getaddrinfo(names, o->host, o->port, &hints, on_resolved, c);
  /* NULL: it has called back already, and c may be dead; its memory stays until the turn's end. */
  if (r && outgoing_of(c)) outgoing_of(c)->resolving = r;
}

static bool copy_name(char *to, size_t size, slice from) {
  if (from.len >= size || memchr(from.ptr ? from.ptr : "", '\0', from.len)) return false;
  if (from.len) memcpy(to, from.ptr, from.len);
  to[from.len] = '\0';
  return true;
}

env_conn *connect_begin(env *e, const env_target *t, const env_conn_events *events, void *owner) {
  world *w = (world *)e;
  env_conn *c = conn_create(w, t->tls);
  tls_client_options trust = {.ca_pem = t->trust_pem};
  char problem[128];
  bool trusts = !t->secure || tls_create_client(&trust, &c->own_tls, problem, sizeof problem);
  outgoing *o = heap_zalloc(sizeof *o);
  ((conn_events *)c->events)->outgoing = o;
  c->outgoing = true;
  c->handlers = events;
  c->owner = owner;
  slice name = t->server_name.len ? t->server_name : t->host;
  if (t->secure) {
    c->tls = &c->own_tls;
    c->peer.tls = true;
  }
  bool ok = trusts && copy_name(o->host, sizeof o->host, t->host) &&
            copy_name(o->server_name, sizeof o->server_name, name) &&
            copy_name(o->alpn, sizeof o->alpn, t->alpn);
  if (t->secure) {
    c->peer_name = heap_zalloc(sizeof o->server_name);
    memcpy(c->peer_name, o->server_name, sizeof o->server_name);
  }
  if (!ok) o->host[0] = '\0'; /* resolves to an error */
  snprintf(o->port, sizeof o->port, "%u", t->port);
  timer_set(&w->timers, &c->timer, e->mono_ns, on_begin, c);
  return c;
}

void connect_cancel(env_conn *c) {
  conn_events *e = c->events;
  outgoing *o = e->outgoing;
  if (!o) return;
  e->outgoing = NULL;
  if (o->resolving) evdns_getaddrinfo_cancel(o->resolving);
  if (o->addresses) evutil_freeaddrinfo(o->addresses);
  heap_free(o);
}

void connect_dispose(world *w) {
  if (w->resolver) evdns_base_free(w->resolver, 0);
  w->resolver = NULL;
}
