/* A connection's input side: readiness, TLS records, and the way of bytes from a socket to the
 * connection's owner. Output is env_out.c's, outgoing connections begin in env_connect.c. */
#include "env/env_conn.h"

#include "base/heap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define HANDSHAKE_NS ((int64_t)32 * 1000000000)
#define LINGER_NS ((int64_t)500 * 1000000)
#define LAST_WORDS_NS ((int64_t)60 * 1000000000) /* to read what was written before a close */

void conn_watch_reads(env_conn *c) {
  conn_events *e = c->events;
  if (c->fd < 0) return;
  bool want = c->state != CONN_DEAD && !(c->paused && c->state == CONN_OPEN);
  if (want == c->reading) return;
  c->reading = want;
  if (want) event_add(&e->read, NULL);
  else event_del(&e->read);
}

void conn_kill(env_conn *c) {
  if (c->state == CONN_DEAD) return;
  c->state = CONN_DEAD;
  timer_clear(&c->world->timers, &c->timer);
  conn_events *e = c->events;
  if (c->fd >= 0) {
    event_del(&e->read);
    event_del(&e->write);
  }
  connect_cancel(c);
  c->reading = false;
  if (!c->dirty) {
    c->dirty = true;
    c->next_dirty = NULL;
    *c->world->dirty_end = c;
    c->world->dirty_end = &c->next_dirty;
  }
}

void conn_free(env_conn *c) {
  out_dispose(c);
  SSL_free(c->ssl);
  OPENSSL_free(c->cert);
  if (c->own_tls.ctx) tls_destroy(&c->own_tls);
  heap_free(c->peer_name);
  buf_dispose(&c->held);
  if (c->fd >= 0) close(c->fd);
  *c->link = c->next;
  if (c->next) c->next->link = c->link;
  c->world->conn_count--;
  heap_free(c->events);
  heap_free(c);
}

/* The connection broke, or its peer left. */
void conn_lost(env_conn *c, slice why) {
  void *owner = c->owner;
  c->owner = NULL;
  c->world->called_out = true;
  if (owner) c->handlers->closed(owner, why);
  conn_kill(c);
}

slice conn_problem(env_conn *c, const char *what, const char *why) {
  world *w = c->world;
  int n = snprintf(w->problem, sizeof w->problem, "%s: %s", what, why);
  return slice_of(w->problem, n < (int)sizeof w->problem ? (size_t)n : sizeof w->problem - 1);
}

void conn_linger_over(void *ctx, int64_t now_ns) {
  (void)now_ns;
  conn_kill(ctx);
}

/* Everything written has left: our side ends, the peer gets a moment to read it. */
void conn_linger(env_conn *c) {
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
  timer_set(&c->world->timers, &c->timer, c->world->env.mono_ns + LINGER_NS, conn_linger_over, c);
  conn_watch_reads(c);
}

void conn_flush(env_conn *c) {
  bool high = out_pending(c) >= ENV_PENDING_LOW;
  c->was_high = c->was_high || high;
  if (c->state == CONN_CONNECTING) return;
  if (!out_flush(c)) {
    conn_lost(c, conn_problem(c, "write", strerror(errno)));
    return;
  }
  conn_events *e = c->events;
  if (c->blocked) event_add(&e->write, NULL);
  else if (c->was_blocked) event_del(&e->write);
  c->was_blocked = c->blocked;
  if (c->state == CONN_CLOSING && out_pending(c) == 0) {
    conn_linger(c);
    return;
  }
  if (c->was_high && out_pending(c) < ENV_PENDING_LOW) {
    c->was_high = false;
    c->world->called_out = true;
    if (c->owner) c->handlers->drained(c->owner);
  }
}

static void on_handshake_over(void *ctx, int64_t now_ns) {
  (void)now_ns;
  conn_lost(ctx, SLICE_LIT("TLS handshake timeout"));
}

void conn_open(env_conn *c) {
  c->state = CONN_OPEN;
  timer_clear(&c->world->timers, &c->timer);
  if (c->outgoing) {
    c->handlers->opened(c->owner, &c->peer);
    return;
  }
  void *owner = c->acceptor->open(c->acceptor->ctx, c, &c->peer, &c->handlers);
  if (c->state == CONN_OPEN) c->owner = owner;
}

static void feed(env_conn *c, slice bytes) {
  if (bytes.len && c->owner) c->handlers->data(c->owner, bytes);
}

static void peer_ended(env_conn *c) {
  if (c->outgoing) {
    bool plain = c->state == CONN_OPEN || c->own_tls.ctx;
    conn_lost(c, plain ? SLICE_NONE : SLICE_LIT("EOF in the TLS handshake"));
    return;
  }
  if (c->state != CONN_OPEN || !c->owner) {
    if (c->state == CONN_CLOSING && out_pending(c)) {
      conn_events *e = c->events;
      event_del(&e->read); /* it may still read what is on its way */
      c->reading = false;
      return;
    }
    conn_kill(c);
    return;
  }
  if (!c->handlers->eof(c->owner)) return; /* answered; conn_close has been called */
  void *owner = c->owner;
  c->owner = NULL;
  c->handlers->closed(owner, SLICE_NONE);
  c->state = CONN_CLOSING;
  conn_events *e = c->events;
  event_del(&e->read);
  c->reading = false;
  if (out_pending(c) == 0) conn_kill(c);
  else timer_set(&c->world->timers, &c->timer, c->world->env.mono_ns + LAST_WORDS_NS,
                 conn_linger_over, c);
}

static bool looks_like_http(slice s) {
  static const char *const starts[] = {"GET /", "HEAD ", "POST ", "PUT /", "OPTIO"};
  for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
    if (slice_has_prefix(s, slice_cstr(starts[i]))) return true;
  }
  return false;
}

static void handshake(env_conn *c);

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

void conn_handshake(env_conn *c) {
  c->state = CONN_HANDSHAKE;
  timer_set(&c->world->timers, &c->timer, c->world->env.mono_ns + HANDSHAKE_NS,
            on_handshake_over, c);
  handshake(c);
}

static void handshake(env_conn *c) {
  ERR_clear_error();
  int rc = SSL_do_handshake(c->ssl);
  bool sent = out_send_records(c);
  if (c->blocked) {
    event_add(&((conn_events *)c->events)->write, NULL);
    c->was_blocked = true;
  }
  if (rc == 1 && sent) {
    handshake_done(c);
  } else if (!sent || SSL_get_error(c->ssl, rc) != SSL_ERROR_WANT_READ) {
    char room[1400];
    const char *name = c->peer_name ? c->peer_name : "";
    bool ours = c->own_tls.ctx != NULL;
    if (ours) conn_lost(c, slice_cstr(tls_failure_words(c->ssl, name, room, sizeof room)));
    else conn_lost(c, conn_problem(c, "TLS handshake", tls_failure(c->ssl)));
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
      conn_lost(c, conn_problem(c, "write", strerror(errno)));
      return;
    }
    feed(c, slice_of(plain, len));
    if (why == SSL_ERROR_NONE) continue;
    if (why == SSL_ERROR_ZERO_RETURN) peer_ended(c);
    else if (why != SSL_ERROR_WANT_READ) conn_lost(c, conn_problem(c, "TLS", tls_failure(c->ssl)));
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
  world_read_clocks(w);
  ssize_t n = recv(fd, w->read_buffer, WORLD_READ_MAX, 0);
  if (n < 0) {
    bool later = errno == EAGAIN || errno == EINTR;
    if (!later) conn_lost(c, conn_problem(c, "read", strerror(errno)));
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
  world_read_clocks(c->world);
  if (c->state == CONN_CONNECTING) {
    connect_writable(c);
    return;
  }
  take_held(c);
  if (c->state != CONN_DEAD && c->state != CONN_LINGER) conn_flush(c);
}

void conn_describe_peer(env_conn *c, const struct sockaddr_storage *a) {
  char ip[INET6_ADDRSTRLEN] = "";
  if (a->ss_family == AF_INET) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)a;
    inet_ntop(AF_INET, &in->sin_addr, ip, sizeof ip);
    snprintf(c->address, sizeof c->address, "%s:%u", ip, ntohs(in->sin_port));
  } else if (a->ss_family == AF_UNIX) {
    snprintf(c->address, sizeof c->address, "unix");
  } else {
    const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)a;
    inet_ntop(AF_INET6, &in->sin6_addr, ip, sizeof ip);
    snprintf(c->address, sizeof c->address, "[%s]:%u", ip, ntohs(in->sin6_port));
  }
  c->peer.address = slice_cstr(c->address);
}

env_conn *conn_create(world *w, const world_tls *tls) {
  env_conn *c = heap_zalloc(sizeof *c);
  c->world = w;
  c->fd = -1;
  c->tls = tls;
  c->backlog_end = &c->backlog;
  c->pipe = (tls_pipe){.out = w->cipher_buffer, .out_cap = WORLD_CIPHER_MAX};
  buf_init(&c->held, WORLD_READ_MAX * 2);
  c->peer.tls = tls != NULL;
  c->events = heap_zalloc(sizeof(conn_events));
  c->next = w->conns;
  c->link = &w->conns;
  if (c->next) c->next->link = &c->next;
  w->conns = c;
  w->conn_count++;
  return c;
}

void conn_attach(env_conn *c, int fd) {
  c->fd = fd;
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  conn_events *e = c->events;
  struct event_base *base = world_base(c->world);
  event_assign(&e->read, base, fd, EV_READ | EV_PERSIST, on_readable, c);
  event_assign(&e->write, base, fd, EV_WRITE, on_writable, c);
}

void conn_accepted(env_conn *c) {
  c->state = CONN_HANDSHAKE;
  conn_watch_reads(c);
  if (c->tls) {
    timer_set(&c->world->timers, &c->timer, c->world->env.mono_ns + HANDSHAKE_NS,
              on_handshake_over, c);
  } else {
    conn_open(c);
  }
}
