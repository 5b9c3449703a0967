/* See route.h. Fixed paths are rows; families of paths (health, OpenAPI, discovery) have
 * their own files and are asked one after the other. */
#include "route/route.h"

#include "crd/crd.h"
#include "route/accept.h"
#include "route/documents.h"
#include "route/health.h"
#include "route/openapi.h"
#include "route/statusz.h"
#include "server.h"

#include <stdlib.h>

#define TEXT_PLAIN SLICE_LIT("text/plain; charset=utf-8")
#define NO_CACHE SLICE_LIT("no-cache, private")
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
#define INDEX_MAX 512

/* What the real v1.36.3 binary says about itself when built from its module. */
static const char VERSION[] =
    "{\n"
    "  \"major\": \"1\",\n"
    "  \"minor\": \"36\",\n"
    "  \"emulationMajor\": \"1\",\n"
    "  \"emulationMinor\": \"36\",\n"
    "  \"minCompatibilityMajor\": \"1\",\n"
    "  \"minCompatibilityMinor\": \"35\",\n"
    "  \"gitVersion\": \"v1.36.3\",\n"
    "  \"gitCommit\": \"$Format:%H$\",\n"
    "  \"gitTreeState\": \"clean\",\n"
    "  \"buildDate\": \"1970-01-01T00:00:00Z\",\n"
    "  \"goVersion\": \"go1.26.8\",\n"
    "  \"compiler\": \"gc\",\n"
    "  \"platform\": \"linux/amd64\"\n"
    "}";

static const char *const INDEX_PATHS[] = {
    "/.well-known/openid-configuration", "/api", "/api/v1", "/apis", "/apis/", "/flagz",
    "/metrics", "/metrics/slis", "/openapi/v2", "/openapi/v3", "/openapi/v3/", "/openid/v1/jwks",
    "/statusz", "/version",
};

void route_header(route_answer *out, const char *name, slice value) {
  if (out->header_count == ROUTE_HEADERS_MAX) return; /* no route has so many */
  out->headers[out->header_count++] = (http_header){slice_cstr(name), value};
}

static void answer_bytes(route_answer *out, const char *type, slice body) {
  out->status = 200;
  route_header(out, "Cache-Control", NO_CACHE);
  route_header(out, "Content-Type", slice_cstr(type));
  out->body = body;
}

static void answer_not_found_text(route_answer *out) {
  out->status = 404;
  route_header(out, "Cache-Control", NO_CACHE);
  route_header(out, "Content-Type", TEXT_PLAIN);
  route_header(out, "X-Content-Type-Options", SLICE_LIT("nosniff"));
  out->body = SLICE_LIT("404 page not found\n");
}

static route_result error_not_found(request *rq) {
  status_set(&rq->error, rq->arena, STATUS_NOT_FOUND,
             "the server could not find the requested resource");
  rq->error.has_details = true;
  return ROUTE_ERROR;
}

typedef struct index_list {
  uint32_t count;
  slice paths[INDEX_MAX];
} index_list;

static void index_add(void *ctx, slice path) {
  index_list *list = ctx;
  if (list->count < INDEX_MAX) list->paths[list->count++] = path;
}

static const index_list *index_collect(const server *s, arena *a) {
  const served_set *served = &s->options.served;
  index_list *list = ARENA_NEW(a, index_list);
  for (size_t i = 0; i < sizeof INDEX_PATHS / sizeof *INDEX_PATHS; i++) {
    index_add(list, slice_cstr(INDEX_PATHS[i]));
  }
  for (uint32_t g = 0; g < schema_group_count; g++) {
    const group_info *info = &schema_groups[g];
    if (info->group.len == 0 || !served_any_version(served, info)) continue;
    index_add(list, arena_printf(a, "/apis/%.*s", SLICE_ARG(info->group)));
    for (uint32_t v = 0; v < info->version_count; v++) {
      if (!served_version(served, info, v)) continue;
      index_add(list, arena_printf(a, "/apis/%.*s/%.*s", SLICE_ARG(info->group),
                                   SLICE_ARG(info->versions[v])));
    }
  }
  slice *groups, *versions;
  uint32_t group_count = crd_groups(s->customs, a, &groups);
  for (uint32_t g = 0; g < group_count; g++) {
    if (served_group(served, groups[g])) continue;
    index_add(list, arena_printf(a, "/apis/%.*s", SLICE_ARG(groups[g])));
    uint32_t count = crd_group_versions(s->customs, a, groups[g], &versions);
    for (uint32_t v = 0; v < count; v++) {
      index_add(list, arena_printf(a, "/apis/%.*s/%.*s", SLICE_ARG(groups[g]),
                                   SLICE_ARG(versions[v])));
    }
  }
  health_each_path(s, a, index_add, list);
  qsort(list->paths, list->count, sizeof *list->paths, slice_order);
  return list;
}

static void answer_index(request *rq, route_answer *out) {
  slice key = SLICE_LIT("index");
  const route_entry *e = route_cache_get(rq->server->routes, key);
  if (!e) {
    const index_list *list = index_collect(rq->server, rq->arena);
    buf b;
    buf_init(&b, 1 << 20);
    buf_lit(&b, "{\n  \"paths\": [\n");
    for (uint32_t i = 0; i < list->count; i++) {
      buf_printf(&b, "    \"%.*s\"%s\n", SLICE_ARG(list->paths[i]),
                 i + 1 < list->count ? "," : "");
    }
    buf_lit(&b, "  ]\n}");
    e = route_cache_put(rq->server->routes, key, blob_copy(buf_slice(&b)), SLICE_NONE);
    buf_dispose(&b);
  }
  answer_bytes(out, "application/json", e ? blob_slice(e->bytes) : SLICE_LIT("{}"));
  out->owner = e ? e->bytes : NULL;
}

static void answer_version(request *rq, route_answer *out) {
  (void)rq;
  answer_bytes(out, "application/json", slice_of(VERSION, sizeof VERSION - 1));
}

static void answer_metrics(request *rq, route_answer *out) {
  if (slice_is(rq->http->method, "DELETE")) {
    answer_bytes(out, "text/plain; charset=utf-8", SLICE_LIT("metrics reset\n"));
    return;
  }
  int64_t started = route_cache_started(rq->server->routes) / 1000000000;
  answer_bytes(out, METRICS_TYPE,
               arena_printf(rq->arena,
                            "# HELP kubernetes_build_info [BETA] The version that is served.\n"
                            "# TYPE kubernetes_build_info gauge\n"
                            "kubernetes_build_info{git_version=\"v1.36.3\",major=\"1\","
                            "minor=\"36\"} 1\n"
                            "# HELP process_start_time_seconds Start time since the epoch.\n"
                            "# TYPE process_start_time_seconds gauge\n"
                            "process_start_time_seconds %lld\n",
                            (long long)started));
  route_header(out, "Process-Start-Time-Unix",
               arena_printf(rq->arena, "%lld", (long long)started));
}

/* One gauge a health check, as the real server counts them: 1 is healthy. */
static void answer_slis(request *rq, route_answer *out) {
  int64_t started = route_cache_started(rq->server->routes) / 1000000000;
  answer_bytes(out, METRICS_TYPE, health_metrics(rq->server, rq->arena));
  route_header(out, "Process-Start-Time-Unix",
               arena_printf(rq->arena, "%lld", (long long)started));
}

static void answer_cacheable(route_answer *out, const char *type, slice body) {
  out->status = 200;
  route_header(out, "Cache-Control", SLICE_LIT("public, max-age=3600"));
  route_header(out, "Content-Type", slice_cstr(type));
  out->body = body;
}

static void answer_openid(request *rq, route_answer *out) {
  answer_cacheable(out, "application/json", access_openid_configuration(rq->server, rq->arena));
}

static void answer_jwks(request *rq, route_answer *out) {
  answer_cacheable(out, "application/jwk-set+json", access_jwks(rq->server, rq->arena));
}

static const struct fixed_route {
  const char *path;
  const char *produces; /* behind go-restful: GET only, of this type only; NULL: neither */
  void (*answer)(request *rq, route_answer *out);
} FIXED[] = {
    {"/", NULL, answer_index},
    {"/index.html", NULL, answer_index},
    {"/version", "application/json", answer_version},
    {"/version/", "application/json", answer_version},
    {"/metrics", NULL, answer_metrics},
    {"/metrics/slis", NULL, answer_slis},
    {"/.well-known/openid-configuration", "application/json", answer_openid},
    {"/.well-known/openid-configuration/", "application/json", answer_openid},
    {"/openid/v1/jwks", "application/jwk-set+json", answer_jwks},
    {"/openid/v1/jwks/", "application/jwk-set+json", answer_jwks},
};

static route_result answer_fixed(request *rq, const struct fixed_route *f, route_answer *out) {
  if (f->produces && !slice_is(rq->http->method, "GET")) {
    status_set(&rq->error, rq->arena, STATUS_METHOD_NOT_ALLOWED,
               "the server does not allow this method on the requested resource");
  } else if (f->produces &&
             !accept_routed(http_header_get(rq->http, "Accept"), &f->produces, 1, true)) {
    status_set(&rq->error, rq->arena, STATUS_NOT_ACCEPTABLE,
               "406: Not Acceptable\n\nAvailable representations: %s", f->produces);
  } else {
    f->answer(rq, out);
    return ROUTE_ANSWERED;
  }
  rq->error.has_details = true;
  return ROUTE_ERROR;
}

static void answer_health(request *rq, slice path, bool single, route_answer *out) {
  slice failing = SLICE_NONE;
  if (!health_passes(rq, path, &failing)) {
    answer_bytes(out, "text/plain; charset=utf-8", failing);
    out->status = 500;
    route_header(out, "X-Content-Type-Options", SLICE_LIT("nosniff"));
    return;
  }
  answer_bytes(out, "text/plain; charset=utf-8",
               single ? SLICE_LIT("ok") : health_answer(rq, path));
  if (!single) route_header(out, "X-Content-Type-Options", SLICE_LIT("nosniff"));
}

/* Is the path below one of go-restful's roots? Those answer with a Status. */
static bool below_restful(const served_set *served, slice path) {
  slice group, rest;
  if (slice_has_prefix(path, SLICE_LIT("/api/"))) return true;
  static const char *const roots[] = {"/version/", "/.well-known/openid-configuration/",
                                      "/openid/v1/jwks/"};
  for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
    if (slice_has_prefix(path, slice_cstr(roots[i]))) return true;
  }
  if (!slice_has_prefix(path, SLICE_LIT("/apis/"))) return false;
  return slice_cut(slice_from(path, 6), '/', &group, &rest) && group.len &&
         served_group(served, group);
}

route_result route_unknown(request *rq, route_answer *out) {
  memset(out, 0, sizeof *out);
  if (below_restful(&rq->server->options.served, rq->http->path)) return error_not_found(rq);
  answer_not_found_text(out);
  /* There are no profiles of a Go program here. */
  if (slice_has_prefix(rq->http->path, SLICE_LIT("/debug/pprof/")))
    out->body = SLICE_LIT("Unknown profile\n");
  return ROUTE_ANSWERED;
}

route_result route_static(request *rq, route_answer *out) {
  slice path = rq->http->path;
  const crd_registry *customs = rq->server->customs;
  if (customs) route_cache_follow(rq->server->routes, customs->changes, rq->wall_ns);
  bool single = false;
  memset(out, 0, sizeof *out);
  for (size_t i = 0; i < sizeof FIXED / sizeof *FIXED; i++) {
    if (slice_is(path, FIXED[i].path)) return answer_fixed(rq, &FIXED[i], out);
  }
  if (slice_is(path, "/statusz")) return statusz_route(rq, out);
  if (health_path(rq->server, path, &single)) {
    answer_health(rq, path, single, out);
    return ROUTE_ANSWERED;
  }
  if (openapi_route(rq, path, out)) return ROUTE_ANSWERED;
  slice bare = slice_has_suffix(path, SLICE_LIT("/")) ? slice_upto(path, path.len - 1) : path;
  route_result result;
  if (documents_route(rq, bare, out, &result)) return result;
  return route_unknown(rq, out);
}

void route_send(request *rq, const route_answer *out, const http_header *more,
                uint32_t more_count) {
  http_header all[ROUTE_HEADERS_MAX + 8];
  uint32_t count = 0;
  for (uint32_t i = 0; i < more_count && i < 8; i++) all[count++] = more[i];
  for (uint32_t i = 0; i < out->header_count; i++) all[count++] = out->headers[i];
  http_part part = {out->body, out->owner};
  http_respond(rq->http, out->status, all, count, &part, out->body.len ? 1 : 0);
}
