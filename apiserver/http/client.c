/* Connections and the calls on them. A call ends from a timer, so that whoever waits for it goes on
 * at the end of the turn and not inside of a connection's callback. */
#include "http/client.h"

#include "base/heap.h"
#include "base/limits.h"
#include "http/client_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define IDLE_NS ((int64_t)90 * 1000000000)
#define IDLE_OF_ONE 25

typedef struct client_link {
  http_client *client;
  struct client_link *next, **self; /* of all */
  http_call *call; /* NULL: idle */
  env_conn *conn;
  buf key; /* what the connection is for */
  timer timer; /* of an idle one */
  bool open;
} client_link;

struct http_call {
  http_client *client;
  http_call *next, *before; /* of all */
  client_link *link; /* NULL: waiting for one, or over */
  void (*on_end)(void *ctx, const http_client_answer *a);
  void *ctx;
  buf bytes; /* the request */
  buf key;
  size_t host_len, name_len, pem_len; /* the key's parts */
  uint16_t port;
  bool secure, waiting, over;
  answer_reader answer;
  char why[512];
  http_client_failure failure;
  timer timer; /* the deadline; then the end */
};

struct http_client {
  env *env;
  timers *timers;
  client_link *links;
  http_call *calls, *last; /* in the order in which they came */
  uint32_t link_count;
};

http_client *http_client_create(env *e, timers *t) {
  http_client *c = heap_zalloc(sizeof *c);
  c->env = e;
  c->timers = t;
  return c;
}

static void link_free(client_link *l) {
  http_client *c = l->client;
  timer_clear(c->timers, &l->timer);
  *l->self = l->next;
  if (l->next) l->next->self = l->self;
  c->link_count--;
  buf_dispose(&l->key);
  heap_free(l);
}

static void link_close(client_link *l) {
  if (l->conn) l->client->env->conn_close(l->client->env, l->conn, false);
  link_free(l);
}

static void call_free(http_call *call) {
  http_client *c = call->client;
  timer_clear(c->timers, &call->timer);
  if (call->before) call->before->next = call->next;
  else c->calls = call->next;
  if (call->next) call->next->before = call->before;
  else c->last = call->before;
  buf_dispose(&call->bytes);
  buf_dispose(&call->key);
  answer_dispose(&call->answer);
  heap_free(call);
}

void http_client_destroy(http_client *c) {
  if (!c) return;
  while (c->links) link_close(c->links);
  while (c->calls) call_free(c->calls);
  heap_free(c);
}

static void start_waiting(http_client *c);

static void on_over(void *ctx, int64_t now_ns) {
  http_call *call = ctx;
  http_client_answer a = {.failure = call->failure, .why = slice_cstr(call->why)};
  const answer_reader *r = &call->answer;
  buf plain;
  buf_init(&plain, LIMIT_CLIENT_ANSWER);
  (void)now_ns;
  if (a.failure == HTTP_CLIENT_OK) {
    a.code = r->code;
    a.content_type = slice_of(r->in.ptr + r->type_at, r->type_len);
    a.retry_after = slice_of(r->in.ptr + r->retry_at, r->retry_len);
    if (!answer_body(r, &plain, &a.body)) {
      a = (http_client_answer){.failure = HTTP_CLIENT_BROKEN,
                               .why = SLICE_LIT("gzip: invalid header")};
    }
  }
  call->on_end(call->ctx, &a);
  buf_dispose(&plain);
  call_free(call);
}

/* The end is told in a moment of its own. */
static void end_soon(http_call *call, http_client_failure failure, slice why) {
  http_client *c = call->client;
  if (why.len >= sizeof call->why) why = slice_upto(why, sizeof call->why - 1);
  if (why.len) memcpy(call->why, why.ptr, why.len);
  call->why[why.len] = '\0';
  call->failure = failure;
  call->link = NULL;
  call->waiting = false;
  call->over = true;
  timer_set(c->timers, &call->timer, c->env->mono_ns, on_over, call);
}

static void on_late(void *ctx, int64_t now_ns) {
  http_call *call = ctx;
  http_client *c = call->client;
  (void)now_ns;
  if (call->link) link_close(call->link);
  end_soon(call, HTTP_CLIENT_LATE, SLICE_NONE);
  start_waiting(c);
}

/* ---- connections ---- */

static void on_idle_over(void *ctx, int64_t now_ns) {
  (void)now_ns;
  http_client *c = ((client_link *)ctx)->client;
  link_close(ctx);
  start_waiting(c);
}

static void put_aside(client_link *l) {
  http_client *c = l->client;
  uint32_t same = 0;
  l->call = NULL;
  for (client_link *o = c->links; o; o = o->next) {
    same += !o->call && slice_eq(buf_slice(&o->key), buf_slice(&l->key));
  }
  if (same > IDLE_OF_ONE) link_close(l);
  else timer_set(c->timers, &l->timer, c->env->mono_ns + IDLE_NS, on_idle_over, l);
}

static void send(client_link *l) {
  env *e = l->client->env;
  e->conn_write(e, l->conn, buf_slice(&l->call->bytes));
}

static void on_opened(void *owner, const env_peer *peer) {
  client_link *l = owner;
  (void)peer;
  l->open = true;
  send(l);
}

static bool on_data(void *owner, slice bytes) {
  client_link *l = owner;
  http_client *c = l->client;
  http_call *call = l->call;
  if (!call) { /* what nobody asked for */
    link_close(l);
    return false;
  }
  answer_state s = answer_feed(&call->answer, bytes, false);
  if (s == ANSWER_MORE) return true;
  bool keep = s == ANSWER_WHOLE && !call->answer.close;
  if (s == ANSWER_WHOLE) end_soon(call, HTTP_CLIENT_OK, SLICE_NONE);
  else end_soon(call, HTTP_CLIENT_BROKEN, call->answer.why);
  if (keep) put_aside(l);
  else link_close(l);
  start_waiting(c);
  return keep;
}

static bool on_eof(void *owner) {
  (void)owner;
  return true;
}

/* The world's words for what broke, as Go has them. */
static slice in_words(http_call *call, slice why, char *room, size_t size) {
  slice what = SLICE_LIT("dial "), rest = why;
  if (!slice_has_prefix(why, what)) return why.len ? why : SLICE_LIT("EOF");
  slice host = slice_upto(buf_slice(&call->key), call->host_len);
  bool v6 = memchr(host.ptr, ':', host.len) != NULL;
  ptrdiff_t at = slice_find(why, SLICE_LIT(": "));
  if (at >= 0) rest = slice_from(why, (size_t)at + 2);
  char first = rest.len ? rest.ptr[0] : ' ';
  if (first >= 'A' && first <= 'Z') first = (char)(first + 32);
  rest = rest.len ? slice_from(rest, 1) : rest;
  bool name = slice_find(why, SLICE_LIT("known")) >= 0 ||
              slice_find(why, SLICE_LIT("nodename")) >= 0;
  int n = name ? snprintf(room, size, "dial tcp: lookup %.*s: no such host", SLICE_ARG(host))
               : snprintf(room, size, "dial tcp %s%.*s%s:%u: connect: %c%.*s", v6 ? "[" : "",
                          SLICE_ARG(host), v6 ? "]" : "", call->port, first, SLICE_ARG(rest));
  return slice_of(room, n < (int)size ? (size_t)n : size - 1);
}

static void on_closed(void *owner, slice why) {
  client_link *l = owner;
  http_client *c = l->client;
  http_call *call = l->call;
  char room[400];
  l->conn = NULL;
  if (call) {
    answer_state s = why.len ? ANSWER_BAD : answer_feed(&call->answer, SLICE_NONE, true);
    if (s == ANSWER_WHOLE) {
      end_soon(call, HTTP_CLIENT_OK, SLICE_NONE);
    } else {
      end_soon(call, HTTP_CLIENT_BROKEN, in_words(call, why.len ? why : call->answer.why, room,
                                                  sizeof room));
    }
  }
  link_free(l);
  start_waiting(c);
}

static void on_drained(void *owner) { (void)owner; }

static const env_conn_events events = {on_opened, on_data, on_eof, on_closed, on_drained};

static client_link *idle_link(http_client *c, const http_call *call) {
  for (client_link *l = c->links; l; l = l->next) {
    if (!l->call && slice_eq(buf_slice(&l->key), buf_slice(&call->key))) return l;
  }
  return NULL;
}

static client_link *idle_any(http_client *c) {
  client_link *l = c->links;
  while (l && l->call) l = l->next;
  return l;
}

static client_link *link_new(http_client *c, http_call *call) {
  client_link *l = heap_zalloc(sizeof *l);
  l->client = c;
  l->next = c->links;
  l->self = &c->links;
  if (l->next) l->next->self = &l->next;
  c->links = l;
  c->link_count++;
  buf_init(&l->key, LIMIT_BUFFER);
  buf_append(&l->key, buf_slice(&call->key));
  slice key = buf_slice(&call->key), host = slice_upto(key, call->host_len);
  slice name = slice_upto(slice_from(key, call->host_len), call->name_len);
  slice pem = slice_upto(slice_from(key, call->host_len + call->name_len), call->pem_len);
  env_target t = {.host = host, .port = call->port, .secure = call->secure, .trust_pem = pem,
                  .server_name = name, .alpn = call->secure ? SLICE_LIT("http/1.1") : SLICE_NONE};
  l->conn = c->env->connect(c->env, &t, &events, l);
  return l;
}

/* False: there is no room for another connection. */
static bool begin(http_client *c, http_call *call) {
  client_link *l = idle_link(c, call);
  if (!l && c->link_count >= LIMIT_CLIENT_CONNECTIONS) {
    client_link *other = idle_any(c);
    if (!other) return false;
    link_close(other);
  }
  if (!l) l = link_new(c, call);
  timer_clear(c->timers, &l->timer);
  call->waiting = false;
  call->link = l;
  l->call = call;
  if (l->open) send(l);
  return true;
}

static void start_waiting(http_client *c) {
  for (http_call *call = c->calls; call; call = call->next) {
    if (call->waiting && !begin(c, call)) return;
  }
}

/* ---- calls ---- */

static void make_bytes(http_call *call, const http_client_request *r) {
  buf_init(&call->bytes, LIMIT_CLIENT_REQUEST);
  buf_lit(&call->bytes, "POST ");
  buf_append(&call->bytes, r->target);
  buf_lit(&call->bytes, " HTTP/1.1\r\nHost: ");
  buf_append(&call->bytes, r->authority);
  buf_lit(&call->bytes, "\r\n");
  buf_append(&call->bytes, r->fields);
  buf_lit(&call->bytes, "Content-Length: ");
  buf_u64(&call->bytes, r->body.len);
  buf_lit(&call->bytes, "\r\n");
  buf_append(&call->bytes, r->late_fields);
  buf_lit(&call->bytes, "\r\n");
  buf_append(&call->bytes, r->body);
}

static void make_key(http_call *call, const http_client_request *r) {
  slice name = r->server_name.len ? r->server_name : r->host;
  buf_init(&call->key, LIMIT_BUFFER);
  buf_append(&call->key, r->host);
  buf_append(&call->key, name);
  buf_append(&call->key, r->trust_pem);
  buf_printf(&call->key, "%zu %zu %u %d", r->host.len, name.len, r->port, r->secure);
  call->host_len = r->host.len;
  call->name_len = name.len;
  call->pem_len = r->trust_pem.len;
  call->port = r->port;
  call->secure = r->secure;
}

http_call *http_client_post(http_client *c, const http_client_request *r,
                            void (*on_end)(void *ctx, const http_client_answer *a), void *ctx) {
  http_call *call = heap_zalloc(sizeof *call);
  call->client = c;
  call->on_end = on_end;
  call->ctx = ctx;
  call->before = c->last;
  if (c->last) c->last->next = call;
  else c->calls = call;
  c->last = call;
  make_bytes(call, r);
  make_key(call, r);
  answer_init(&call->answer);
  if (!c->env->connect) {
    end_soon(call, HTTP_CLIENT_BROKEN, SLICE_LIT("this world has no other hosts"));
    return call;
  }
  if (call->bytes.overflow || call->key.overflow) {
    end_soon(call, HTTP_CLIENT_BROKEN, SLICE_LIT("the request is too large"));
    return call;
  }
  timer_set(c->timers, &call->timer, r->deadline_ns, on_late, call);
  call->waiting = true;
  start_waiting(c);
  return call;
}

void http_call_cancel(http_call *call) {
  http_client *c = call->client;
  if (call->link) link_close(call->link);
  call_free(call);
  start_waiting(c);
}
