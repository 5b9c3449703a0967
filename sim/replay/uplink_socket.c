/* The link to a running server: libevent sockets, TLS by OpenSSL, one connection for each
 * request under way and kept-alive ones used again. */
#include "sim/replay/uplink.h"

#include "base/heap.h"

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct wire wire;
typedef struct socket_link socket_link;

typedef struct socket_call {
  call base;
  arena *arena;
  wire *wire;
} socket_call;

struct wire {
  socket_link *owner;
  struct bufferevent *bev;
  socket_call *call; /* NULL: idle */
  wire *next; /* of the idle ones */
};

struct socket_link {
  uplink base;
  uplink_target target;
  struct event_base *events;
  SSL_CTX *tls;
  wire *idle;
  int64_t began_ms;
  bool progress;
  bool borrowed; /* events are the caller's */
  void (*changed)(void *ctx, call *c);
  void *changed_ctx;
};

static int64_t clock_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void wire_destroy(wire *w) {
  bufferevent_free(w->bev);
  heap_free(w);
}

static void wire_forget(wire *w) {
  for (wire **at = &w->owner->idle; *at; at = &(*at)->next) {
    if (*at == w) {
      *at = w->next;
      return;
    }
  }
}

static void take_input(struct bufferevent *bev, wire *w) {
  struct evbuffer *in = bufferevent_get_input(bev);
  size_t len = evbuffer_get_length(in);
  const char *bytes = (const char *)evbuffer_pullup(in, -1);
  if (w->call && len > 0) {
    response_feed(&w->call->base.res, slice_of(bytes, len));
    w->owner->progress = true;
  }
  evbuffer_drain(in, len);
}

/* The last thing done with a wire in a callback: the caller may finish the call there. */
static void tell(wire *w) {
  if (w->call && w->owner->changed) {
    w->owner->changed(w->owner->changed_ctx, &w->call->base);
  }
}

static void on_read(struct bufferevent *bev, void *ctx) {
  take_input(bev, ctx);
  tell(ctx);
}

static void describe(socket_call *c, struct bufferevent *bev, short what) {
  unsigned long code = bufferevent_get_openssl_error(bev);
  if (code && ERR_GET_LIB(code) != 0) {
    ERR_error_string_n(code, c->base.problem, sizeof c->base.problem);
  } else if (what & BEV_EVENT_ERROR) {
    snprintf(c->base.problem, sizeof c->base.problem, "connection failed: %s",
             evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
  } else {
    snprintf(c->base.problem, sizeof c->base.problem, "the server closed the connection");
  }
}

static void on_event(struct bufferevent *bev, short what, void *ctx) {
  wire *w = ctx;
  if (what & BEV_EVENT_CONNECTED) {
    int one = 1;
    setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return;
  }
  if (!(what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))) {
    return;
  }
  socket_call *c = w->call;
  w->owner->progress = true;
  if (!c) {
    wire_forget(w);
    wire_destroy(w);
    return;
  }
  take_input(bev, w);
  response_eof(&c->base.res);
  c->base.res.keep_alive = false;
  if (c->base.res.state == RESPONSE_BROKEN) {
    describe(c, bev, what);
  }
  tell(w);
}

static struct bufferevent *open_bev(socket_link *l) {
  int options = BEV_OPT_CLOSE_ON_FREE;
  if (!l->target.tls) {
    return bufferevent_socket_new(l->events, -1, options);
  }
  SSL *ssl = SSL_new(l->tls);
  SSL_set_tlsext_host_name(ssl, l->target.host);
  if (!l->target.insecure) {
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    if (!X509_VERIFY_PARAM_set1_ip_asc(param, l->target.host)) {
      SSL_set1_host(ssl, l->target.host);
    }
  }
  struct bufferevent *bev = bufferevent_openssl_socket_new(l->events, -1, ssl,
                                                           BUFFEREVENT_SSL_CONNECTING, options);
  bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
  return bev;
}

/* The call is set first: a connection may fail before connect returns. */
static void wire_open(socket_link *l, socket_call *c) {
  wire *w = c->wire = l->idle;
  if (w) {
    l->idle = w->next;
    w->next = NULL;
    w->call = c;
    return;
  }
  w = c->wire = heap_zalloc(sizeof *w);
  w->owner = l;
  w->call = c;
  w->bev = open_bev(l);
  bufferevent_setcb(w->bev, on_read, NULL, on_event, w);
  bufferevent_enable(w->bev, EV_READ | EV_WRITE);
  bufferevent_socket_connect_hostname(w->bev, NULL, AF_INET, l->target.host,
                                      atoi(l->target.port));
}

static call *socket_start(uplink *base, slice request, bool head_request) {
  socket_link *l = (socket_link *)base;
  socket_call *c = heap_zalloc(sizeof *c);
  c->arena = arena_create();
  response_init(&c->base.res, c->arena, head_request);
  wire_open(l, c);
  bufferevent_write(c->wire->bev, request.ptr, request.len);
  return &c->base;
}

static void socket_finish(uplink *base, call *call_) {
  socket_link *l = (socket_link *)base;
  socket_call *c = (socket_call *)call_;
  wire *w = c->wire;
  w->call = NULL;
  if (c->base.res.state == RESPONSE_DONE && c->base.res.keep_alive) {
    w->next = l->idle;
    l->idle = w;
  } else {
    wire_destroy(w);
  }
  response_dispose(&c->base.res);
  arena_destroy(c->arena);
  heap_free(c);
}

static int64_t socket_now(uplink *base) {
  return clock_ms() - ((socket_link *)base)->began_ms;
}

static int64_t socket_wall(uplink *base) {
  (void)base;
  return (int64_t)time(NULL);
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx) {
  (void)fd;
  (void)what;
  event_base_loopbreak(ctx);
}

static bool socket_step(uplink *base, int64_t until_ms) {
  socket_link *l = (socket_link *)base;
  l->progress = false;
  struct event *deadline = evtimer_new(l->events, on_deadline, l->events);
  int64_t left;
  while (!l->progress && (left = until_ms - socket_now(base)) > 0) {
    struct timeval tv = {left / 1000, (left % 1000) * 1000};
    evtimer_add(deadline, &tv);
    event_base_loop(l->events, EVLOOP_ONCE);
  }
  event_free(deadline);
  return l->progress;
}

static void socket_destroy(uplink *base) {
  socket_link *l = (socket_link *)base;
  while (l->idle) {
    wire *w = l->idle;
    l->idle = w->next;
    wire_destroy(w);
  }
  if (!l->borrowed) {
    event_base_free(l->events);
  }
  SSL_CTX_free(l->tls);
  heap_free(l);
}

static bool use_ca(SSL_CTX *tls, const char *pem) {
  BIO *in = BIO_new_mem_buf(pem, -1);
  X509 *cert;
  int n = 0;
  while ((cert = PEM_read_bio_X509(in, NULL, NULL, NULL))) {
    n += X509_STORE_add_cert(SSL_CTX_get_cert_store(tls), cert);
    X509_free(cert);
  }
  ERR_clear_error();
  BIO_free(in);
  return n > 0;
}

static bool use_client_cert(SSL_CTX *tls, const char *cert_pem, const char *key_pem) {
  BIO *in = BIO_new_mem_buf(cert_pem, -1);
  X509 *cert = PEM_read_bio_X509(in, NULL, NULL, NULL);
  BIO_free(in);
  in = BIO_new_mem_buf(key_pem, -1);
  EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
  BIO_free(in);
  bool good = cert && key && SSL_CTX_use_certificate(tls, cert) == 1 &&
              SSL_CTX_use_PrivateKey(tls, key) == 1;
  X509_free(cert);
  EVP_PKEY_free(key);
  return good;
}

static const char *set_up_tls(socket_link *l) {
  l->tls = SSL_CTX_new(TLS_client_method());
  if (!l->tls) {
    return "no TLS here";
  }
  SSL_CTX_set_verify(l->tls, l->target.insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
  if (l->target.ca_pem ? !use_ca(l->tls, l->target.ca_pem)
                       : SSL_CTX_set_default_verify_paths(l->tls) != 1) {
    return "the certificate authority's certificate cannot be used";
  }
  if (l->target.cert_pem && l->target.key_pem &&
      !use_client_cert(l->tls, l->target.cert_pem, l->target.key_pem)) {
    return "the client certificate cannot be used";
  }
  return NULL;
}

uplink *uplink_socket_create_on(const uplink_target *t, struct event_base *events,
                                void (*changed)(void *ctx, call *c), void *ctx, char *problem,
                                size_t problem_size) {
  socket_link *l = heap_zalloc(sizeof *l);
  l->base = (uplink){socket_start, socket_finish, socket_step, socket_now, socket_wall,
                     socket_destroy};
  l->target = *t;
  l->began_ms = clock_ms();
  l->borrowed = events != NULL;
  l->events = events ? events : event_base_new();
  l->changed = changed;
  l->changed_ctx = ctx;
  const char *wrong = t->tls ? set_up_tls(l) : NULL;
  if (wrong) {
    snprintf(problem, problem_size, "%s", wrong);
    socket_destroy(&l->base);
    return NULL;
  }
  return &l->base;
}

uplink *uplink_socket_create(const uplink_target *t, char *problem, size_t problem_size) {
  return uplink_socket_create_on(t, NULL, NULL, NULL, problem, problem_size);
}

bool uplink_target_parse(uplink_target *t, const char *url) {
  memset(t, 0, sizeof *t);
  slice rest = slice_cstr(url), host, port;
  if (slice_has_prefix(rest, SLICE_LIT("https://"))) {
    t->tls = true;
    rest = slice_from(rest, 8);
  } else if (slice_has_prefix(rest, SLICE_LIT("http://"))) {
    rest = slice_from(rest, 7);
  } else {
    return false;
  }
  slice_cut(rest, '/', &rest, &host);
  if (!slice_cut(rest, ':', &host, &port)) {
    port = t->tls ? SLICE_LIT("443") : SLICE_LIT("80");
  }
  long long n;
  if (host.len == 0 || host.len >= sizeof t->host || port.len >= sizeof t->port ||
      !slice_to_i64(port, &n) || n < 1 || n > 65535) {
    return false;
  }
  memcpy(t->host, host.ptr, host.len);
  memcpy(t->port, port.ptr, port.len);
  return true;
}
