/* The listener and what all commands share. Its connections go through the same strict HTTP layer
 * as the Kubernetes port's, with a handler of their own. */
#include "sim/control/control.h"

#include "base/heap.h"
#include "sim/control/internal.h"
#include "sim/control/snapshot_child.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t clock_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void send_json(http_exchange *x, int status, json_t *object) {
  char *text = json_dumps(object, JSON_INDENT(2));
  json_decref(object);
  if (!text) abort();
  slice copy = arena_copy(x->arena, slice_cstr(text));
  free(text);
  http_part parts[] = {{copy, NULL}, {SLICE_LIT("\n"), NULL}};
  /* With its length, so that the little client of the command line need not know of chunks. */
  http_header headers[] = {
      {SLICE_LIT("Content-Type"), SLICE_LIT("application/json")},
      {SLICE_LIT("Content-Length"), arena_printf(x->arena, "%zu", copy.len + 1)}};
  http_respond(x, status, headers, 2, parts, 2);
}

static void on_abort(http_exchange *x) { ((control_call *)x->user)->gone = true; }

static void answer(control_call *c, int status, json_t *object) {
  http_exchange *x = c->http;
  bool gone = c->gone;
  heap_free(c);
  if (gone) {
    json_decref(object);
    return;
  }
  x->user = NULL;
  x->on_abort = NULL;
  send_json(x, status, object);
}

void control_answer(control_call *c, json_t *object) {
  json_object_set_new(object, "took_us", json_integer((clock_now() - c->started_ns) / 1000));
  answer(c, 200, object);
}

void control_fail(control_call *c, int status, const char *format, ...) {
  char text[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  json_t *message = json_string(text);
  answer(c, status, json_pack("{s:o}", "error", message ? message : json_string("bad text")));
}

slice control_param(const control_call *c, const char *name) {
  return http_query_get(c->http, name);
}

/* ---- requests ---- */

/* A web page can make a browser send requests to loopback addresses: they carry an Origin, or the
 * name that was made to resolve there. */
static bool from_a_page(const control *c, const http_exchange *x) {
  if (http_header_get(x, "Origin").len) return true;
  if (c->port < 0) return false;
  slice host = http_header_get(x, "Host"), name, port;
  slice_cut(host, ':', &name, &port);
  return !slice_is(name, "127.0.0.1") && !slice_is(name, "localhost");
}

/* The next word of a row's params; false at the end. */
static bool next_param(const char **rest, slice *name, bool *may_miss) {
  while (**rest == ' ') ++*rest;
  size_t n = strcspn(*rest, " ");
  *name = slice_of(*rest, n);
  *rest += n;
  *may_miss = n && name->ptr[n - 1] == '?';
  if (*may_miss) name->len--;
  return n > 0;
}

static bool is_param(const control_row *row, slice name) {
  const char *rest = row->params;
  slice p;
  bool may_miss;
  while (next_param(&rest, &p, &may_miss)) {
    if (slice_eq(p, name)) return true;
  }
  return false;
}

/* Every parameter given is one of the row's, and those that it needs are there. */
static bool check_params(control_call *c, const control_row *row) {
  const char *rest = row->params;
  slice part, name, value;
  bool may_miss;
  while (next_param(&rest, &name, &may_miss)) {
    char text[64];
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(name));
    if (may_miss || control_param(c, text).len) continue;
    control_fail(c, 400, "%s needs the parameter %s", row->name, text);
    return false;
  }
  for (slice query = c->http->raw_query; query.len;) {
    slice_cut(query, '&', &part, &query);
    slice_cut(part, '=', &name, &value);
    if (name.len == 0 || is_param(row, name)) continue;
    control_fail(c, 400, "%s has no parameter %.*s", row->name, SLICE_ARG(name));
    return false;
  }
  return true;
}

static const control_row *row_of(slice path) {
  if (path.len == 0) return NULL;
  for (const control_row *row = control_rows; row->name; row++) {
    if (slice_is(slice_from(path, 1), row->name)) return row;
  }
  return NULL;
}

static json_t *list_rows(void) {
  json_t *list = json_array();
  for (const control_row *row = control_rows; row->name; row++) {
    json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "name", row->name, "method",
                                          row->reads ? "GET" : "POST", "params", row->params,
                                          "help", row->help));
  }
  return json_pack("{s:o}", "commands", list);
}

static void handle(void *ctx, http_exchange *x) {
  control *owner = ctx;
  control_call *c = heap_alloc(sizeof *c);
  *c = (control_call){owner, owner->serving, x, false, clock_now()};
  x->user = c;
  x->on_abort = on_abort;
  const control_row *row = row_of(x->path);
  bool get = slice_is(x->method, "GET"), post = slice_is(x->method, "POST");
  if (from_a_page(owner, x)) {
    control_fail(c, 403, "not for web pages: a request with an Origin, or for another host");
  } else if (x->body_broken || x->body_too_large) {
    control_fail(c, 400, "the body is broken or too large");
  } else if (!row && get && slice_is(x->path, "/")) {
    control_answer(c, list_rows());
  } else if (!row) {
    control_fail(c, 404, "no such command; GET / lists them");
  } else if (row->reads ? !get : !post) {
    control_fail(c, 405, "%s is a %s", row->name, row->reads ? "GET" : "POST");
  } else if (check_params(c, row)) {
    row->run(c);
  }
}

/* ---- the listener ---- */

static void *open_conn(void *ctx, env_conn *c, const env_peer *peer,
                       const env_conn_events **events) {
  *events = &http_conn_events;
  return http_conn_open(&((control *)ctx)->http, c, peer);
}

/* "127.0.0.1:PORT" or "localhost:PORT" (also in brackets, for ::1). */
static bool read_port(const char *address, int *port) {
  const char *colon = strrchr(address, ':');
  size_t n = colon ? (size_t)(colon - address) : 0;
  slice host = slice_of(address, n);
  char *end = NULL;
  long number = colon ? strtol(colon + 1, &end, 10) : -1;
  if (!colon || end == colon + 1 || *end || number < 0 || number > 65535) return false;
  *port = (int)number;
  return slice_is(host, "127.0.0.1") || slice_is(host, "localhost");
}

env_acceptor control_acceptor(control *c) {
  return (env_acceptor){open_conn, c};
}

control *control_open(serving *s, const char *address, const char **problem) {
  control *c = heap_zalloc(sizeof *c);
  c->serving = s;
  c->port = -1;
  c->http = (http_server){
      .env = world_env(s->world), .timers = world_timers(s->world), .handle = handle, .ctx = c};
  bool is_unix = strncmp(address, "unix:", 5) == 0, ok = false;
  if (!is_unix && !read_port(address, &c->port)) {
    *problem = "--control is unix:PATH or 127.0.0.1:PORT";
  } else {
    env_acceptor acceptor = control_acceptor(c);
    ok = world_listen(s->world, is_unix ? address : "127.0.0.1", &c->port, NULL, &acceptor,
                      problem);
  }
  if (ok && is_unix) snprintf(c->address, sizeof c->address, "%s", address);
  else if (ok) snprintf(c->address, sizeof c->address, "127.0.0.1:%d", c->port);
  if (ok) checkpoint_take(&c->checkpoints, s, SLICE_LIT("start"));
  if (ok) return c;
  heap_free(c);
  return NULL;
}

const char *control_address(const control *c) { return c->address; }

void control_close(control *c) {
  if (!c) return;
  snapshot_children_end(c);
  checkpoints_dispose(&c->checkpoints);
  heap_free(c);
}
