/* One object in three forms. */
#include "route/statusz.h"

#include "base/limits.h"
#include "codec/accept.h"
#include "codec/codec.h"
#include "codec/media.h"
#include "server.h"

#include <time.h>

#define GROUP "config.k8s.io"
#define WARNING                                                                               \
  "Warning: This endpoint is not meant to be machine parseable, has no formatting "          \
  "compatibility guarantees and is for debugging purposes only."

static const char *const paths[] = {"/healthz", "/livez", "/metrics", "/readyz", "/statusz",
                                    "/version"};
enum { PATH_COUNT = sizeof paths / sizeof *paths };

typedef enum form { NONE, TEXT, JSON, YAML } form;

typedef struct choice {
  form form;
  slice version; /* of the object */
  bool pretty;
} choice;

static choice choose(request *rq) {
  slice header = http_header_get(rq->http, "Accept");
  choice c = {.form = TEXT};
  uint32_t count;
  if (header.len == 0) return c;
  const accept_clause *clauses = accept_clauses(rq->arena, header, &count);
  for (uint32_t i = 0; i < count; i++) {
    accept_params p = accept_params_of(&clauses[i]);
    bool object = slice_is(p.as, "Statusz") && slice_is(p.group, GROUP) &&
                  (slice_is(p.version, "v1beta1") || slice_is(p.version, "v1alpha1"));
    c = (choice){.version = p.version, .pretty = p.pretty};
    slice application = SLICE_LIT("application");
    if (object && accept_fits(&clauses[i], application, SLICE_LIT("json"))) c.form = JSON;
    else if (object && accept_fits(&clauses[i], application, SLICE_LIT("yaml"))) c.form = YAML;
    else if (!p.converts && accept_fits(&clauses[i], SLICE_LIT("text"), SLICE_LIT("plain"))) {
      c.form = TEXT;
    }
    if (c.form != NONE) return c;
  }
  return (choice){.form = NONE};
}

static val *object_of(arena *a, slice version, slice started, int64_t up_s) {
  val *obj = val_map(a), *meta = val_map(a), *list = val_list(a);
  for (int i = 0; i < PATH_COUNT; i++) val_append(a, list, val_cstr(a, paths[i]));
  val_setc(a, meta, "name", val_cstr(a, "apiserver"));
  val_setc(a, obj, "kind", val_cstr(a, "Statusz"));
  val_setc(a, obj, "apiVersion", val_printf(a, GROUP "/%.*s", SLICE_ARG(version)));
  val_setc(a, obj, "metadata", meta);
  val_setc(a, obj, "startTime", val_string(a, started));
  val_setc(a, obj, "uptimeSeconds", val_int(a, up_s));
  val_setc(a, obj, "goVersion", val_cstr(a, "go1.26.8"));
  val_setc(a, obj, "binaryVersion", val_cstr(a, "1.36.3"));
  val_setc(a, obj, "emulationVersion", val_cstr(a, "1.36"));
  val_setc(a, obj, "paths", list);
  return obj;
}

/* "Sun Nov 29 04:29:15 UTC 2026" */
static slice unix_date(arena *a, int64_t unix_s) {
  char text[64];
  struct tm t;
  time_t at = (time_t)unix_s;
  gmtime_r(&at, &t);
  size_t n = strftime(text, sizeof text, "%a %b %e %H:%M:%S UTC %Y", &t);
  return arena_copy(a, slice_of(text, n));
}

static slice text_of(arena *a, int64_t started_s, int64_t up_s) {
  slice date = unix_date(a, started_s), list = SLICE_LIT("Paths:");
  for (int i = 0; i < PATH_COUNT; i++) {
    list = arena_printf(a, "%.*s %s", SLICE_ARG(list), paths[i]);
  }
  return arena_printf(a,
                      "\napiserver statusz\n" WARNING "\n\nStarted: %.*s\n"
                      "Up: %lld hr %02lld min %02lld sec\nGo version: go1.26.8\n"
                      "Binary version: 1.36.3\nEmulation version: 1.36\n%.*s\n",
                      SLICE_ARG(date), (long long)(up_s / 3600), (long long)(up_s / 60 % 60),
                      (long long)(up_s % 60), SLICE_ARG(list));
}

static slice object_text(request *rq, const choice *c, int64_t started_s, int64_t up_s) {
  arena *a = rq->arena;
  val *obj = object_of(a, c->version, time_text(a, started_s), up_s);
  slice asked = http_query_get(rq->http, "pretty");
  slice agent = http_header_get(rq->http, "User-Agent");
  buf bytes, shown;
  buf_init(&bytes, LIMIT_BUFFER);
  buf_init(&shown, LIMIT_BUFFER);
  if (c->form == YAML) {
    yaml_encode(&shown, obj, NULL);
  } else {
    json_encode_any(&bytes, obj, false);
    if (c->pretty || media_pretty(asked, agent)) {
      json_indent(&shown, buf_slice(&bytes));
    } else {
      buf_append(&shown, buf_slice(&bytes));
      buf_char(&shown, '\n');
    }
  }
  slice text = arena_copy(a, buf_slice(&shown));
  buf_dispose(&bytes);
  buf_dispose(&shown);
  return text;
}

route_result statusz_route(request *rq, route_answer *out) {
  arena *a = rq->arena;
  choice c = choose(rq);
  if (c.form == NONE) {
    status_set(&rq->error, a, STATUS_NOT_ACCEPTABLE,
               "only the following media types are accepted: application/json, application/yaml, "
               "text/plain");
    return ROUTE_ERROR;
  }
  int64_t started_s = route_cache_started(rq->server->routes) / 1000000000;
  int64_t up_s = rq->wall_ns / 1000000000 - started_s;
  slice type = SLICE_LIT("text/plain; charset=utf-8");
  if (c.form != TEXT) {
    type = arena_printf(a, "application/%s;g=" GROUP ";v=%.*s;as=Statusz",
                        c.form == JSON ? "json" : "yaml", SLICE_ARG(c.version));
  }
  if (c.form != TEXT && slice_is(c.version, "v1alpha1")) {
    route_header(out, "Warning", SLICE_LIT("299 - \"This version of the statusz endpoint is "
                                           "deprecated. Please use a newer version.\""));
  }
  out->status = 200;
  route_header(out, "Cache-Control", SLICE_LIT("no-cache, private"));
  route_header(out, "Content-Type", type);
  out->body = c.form == TEXT ? text_of(a, started_s, up_s) : object_text(rq, &c, started_s, up_s);
  return ROUTE_ANSWERED;
}
