/* Where a webhook is, and waiting for it. */
#include "admission/plugin.h"
#include "admission/webhook_internal.h"
#include "base/fiber.h"
#include "codec/codec.h"
#include "registry/object.h"
#include "server.h"

#include <assert.h>

#define SECOND_NS ((int64_t)1000000000)

typedef struct target {
  slice authority; /* as the URL has it */
  slice path;
  slice host, server_name;
  uint16_t port;
} target;

/* ---- where ---- */

/* As Go's path.Join: one slash between parts, none at the end. */
static slice clean_path(arena *a, slice path) {
  char *out = arena_alloc(a, path.len + 2);
  size_t len = 0;
  out[len++] = '/';
  for (size_t i = 0; i < path.len; i++) {
    if (path.ptr[i] == '/' && out[len - 1] == '/') continue;
    out[len++] = path.ptr[i];
  }
  if (len > 1 && out[len - 1] == '/') len--;
  return slice_of(out, len);
}

static bool split_port(slice authority, slice *host, uint16_t *port) {
  slice text = SLICE_NONE;
  bool v6 = authority.len && authority.ptr[0] == '[';
  size_t end = authority.len;
  for (size_t i = 0; i < authority.len; i++) {
    if (authority.ptr[i] == (v6 ? ']' : ':')) {
      end = i;
      break;
    }
  }
  *host = v6 ? slice_from(slice_upto(authority, end), 1) : slice_upto(authority, end);
  if (v6 && end < authority.len) end++;
  if (end < authority.len) text = slice_from(authority, end + 1);
  long long n = 443;
  if (text.len && (!slice_to_i64(text, &n) || n < 1 || n > 65535)) return false;
  *port = (uint16_t)n;
  return host->len > 0;
}

static bool find_url(arena *a, slice url, target *t) {
  slice scheme = SLICE_LIT("https://");
  if (!slice_has_prefix(url, scheme)) return false;
  slice rest = slice_from(url, scheme.len);
  size_t end = 0;
  while (end < rest.len && rest.ptr[end] != '/') end++;
  t->authority = slice_upto(rest, end);
  t->path = clean_path(a, slice_from(rest, end));
  return split_port(t->authority, &t->host, &t->port);
}

typedef struct endpoint_search {
  slice service, port_name;
  target *t;
  bool found;
} endpoint_search;

static bool take_endpoint(endpoint_search *s, slice address, const val *port) {
  if (!address.len || !val_i64(val_getc(port, "port"))) return true;
  s->t->host = address;
  s->t->port = (uint16_t)val_i64(val_getc(port, "port"));
  s->found = true;
  return false;
}

static const val *port_named(const val *ports, slice name) {
  for (uint32_t i = 0; i < val_len(ports); i++) {
    if (slice_eq(val_get_str(val_at(ports, i), "name"), name)) return val_at(ports, i);
  }
  return NULL;
}

/* False: found. */
static bool look_at_slice(void *ctx, val *obj) {
  endpoint_search *s = ctx;
  slice of = val_get_str(val_path(obj, "metadata.labels"), "kubernetes.io/service-name");
  const val *list = val_getc(obj, "endpoints"), *port = port_named(val_getc(obj, "ports"),
                                                                   s->port_name);
  if (!slice_eq(of, s->service) || !port) return true;
  for (uint32_t i = 0; i < val_len(list); i++) {
    const val *e = val_at(list, i), *ready = val_path(e, "conditions.ready");
    if (ready && !val_true(ready)) continue;
    if (!take_endpoint(s, val_str(val_at(val_getc(e, "addresses"), 0)), port)) return false;
  }
  return true;
}

static void look_at_endpoints(const admission_args *args, endpoint_search *s, slice namespace) {
  const val *obj = plugin_get(args, "", "v1", "endpoints", namespace, s->service);
  const val *subsets = val_getc(obj, "subsets");
  for (uint32_t i = 0; i < val_len(subsets) && !s->found; i++) {
    const val *sub = val_at(subsets, i), *port = port_named(val_getc(sub, "ports"), s->port_name);
    if (port) take_endpoint(s, val_get_str(val_at(val_getc(sub, "addresses"), 0), "ip"), port);
  }
}

/* Nothing routes a Service's address here: one of its ready endpoints is asked instead. False with
 * *why. */
static bool find_endpoint(const admission_args *args, slice namespace, slice name, int64_t number,
                          target *t, slice *why) {
  arena *a = args->rq->arena;
  const val *service = plugin_get(args, "", "v1", "services", namespace, name), *port = NULL;
  if (!service) {
    *why = arena_printf(a, "service \"%.*s\" not found", SLICE_ARG(name));
    return false;
  }
  if (slice_is(val_str(val_path(service, "spec.type")), "ExternalName")) {
    t->host = val_str(val_path(service, "spec.externalName"));
    return true;
  }
  const val *ports = val_path(service, "spec.ports");
  for (uint32_t i = 0; i < val_len(ports) && !port; i++) {
    if (val_i64(val_getc(val_at(ports, i), "port")) == number) port = val_at(ports, i);
  }
  if (!port) {
    *why = arena_printf(a, "no service port %lld found for service \"%.*s\"", (long long)number,
                        SLICE_ARG(name));
    return false;
  }
  endpoint_search s = {.service = name, .port_name = val_get_str(port, "name"), .t = t};
  plugin_each(args, "discovery.k8s.io", "v1", "endpointslices", namespace, name, look_at_slice,
              &s);
  if (!s.found) look_at_endpoints(args, &s, namespace);
  if (!s.found) {
    *why = arena_printf(a, "no endpoints available for service \"%.*s\"", SLICE_ARG(name));
  }
  return s.found;
}

static bool find_service(const admission_args *args, const val *service, target *t, slice *why) {
  arena *a = args->rq->arena;
  slice namespace = val_get_str(service, "namespace"), name = val_get_str(service, "name");
  const val *given = val_getc(service, "port");
  int64_t port = given ? val_i64(given) : 443;
  t->server_name = arena_printf(a, "%.*s.%.*s.svc", SLICE_ARG(name), SLICE_ARG(namespace));
  t->authority = arena_printf(a, "%.*s:%lld", SLICE_ARG(t->server_name), (long long)port);
  t->path = clean_path(a, val_get_str(service, "path"));
  t->port = (uint16_t)port;
  return find_endpoint(args, namespace, name, port, t, why);
}

/* ---- the call ---- */

static void fail(webhook_call *c, slice why) {
  c->outcome = WEBHOOK_FAILED;
  c->why = why;
}

/* The first version of the webhook's that is known here. */
static bool choose_version(webhook_call *c) {
  const val *list = val_getc(c->hook->spec, "admissionReviewVersions");
  for (uint32_t i = 0; i < val_len(list); i++) {
    c->beta = slice_is(val_str(val_at(list, i)), "v1beta1");
    if (c->beta || slice_is(val_str(val_at(list, i)), "v1")) return true;
  }
  fail(c, SLICE_LIT("could not create admission objects: webhook does not accept known "
                    "AdmissionReview versions (v1, v1beta1)"));
  return false;
}

/* The webhook's own time, or what is left of the request's. */
static int64_t time_left_ns(const request *rq, const webhook_call *c) {
  const struct fiber *f = fiber_current(rq->server->fibers);
  int64_t own = c->hook->timeout_s * SECOND_NS, left = fiber_deadline(f) - rq->server->env->mono_ns;
  return left < own ? left : own;
}

static void on_end(void *ctx, const http_client_answer *answer) {
  webhook_call *c = ctx;
  webhook_wait *w = c->wait;
  arena *a = w->rq->arena;
  c->http = NULL;
  c->answer = *answer;
  c->answer.why = arena_copy(a, answer->why);
  c->answer.content_type = arena_copy(a, answer->content_type);
  c->answer.retry_after = arena_copy(a, answer->retry_after);
  c->answer.body = arena_copy(a, answer->body);
  if (--w->left == 0) fiber_resume(w->server->fibers, w->fiber);
}

static void post(const admission_args *args, webhook_call *c, const target *t, slice query,
                 int64_t left_ns) {
  request *rq = args->rq;
  slice ca = SLICE_NONE;
  base64_decode(rq->arena, val_get_str(val_getc(c->hook->spec, "clientConfig"), "caBundle"), &ca);
  http_client_request r = {
      .host = t->host, .port = t->port, .secure = true, .trust_pem = ca,
      .server_name = t->server_name, .authority = t->authority,
      .target = arena_concat(rq->arena, t->path, query),
      .fields = SLICE_LIT("User-Agent: kube-apiserver-admission\r\n"),
      .late_fields = SLICE_LIT("Accept: application/json, */*\r\nContent-Type: application/json\r\n"
                               "Accept-Encoding: gzip\r\n"),
      .body = webhook_review_json(args, c), .deadline_ns = rq->server->env->mono_ns + left_ns};
  c->wait->left++;
  c->http = http_client_post(rq->server->webhooks->client, &r, on_end, c);
}

void webhook_begin(const admission_args *args, webhook_call *c, webhook_wait *wait) {
  request *rq = args->rq;
  target t = {0};
  slice why = SLICE_NONE;
  const val *config = val_getc(c->hook->spec, "clientConfig");
  const val *service = val_getc(config, "service");
  c->wait = wait;
  if (!choose_version(c)) return;
  if (!rq->server->fibers || !fiber_current(rq->server->fibers)) {
    fail(c, SLICE_LIT("apisim can't wait here"));
    return;
  }
  rng_uuid(&rq->server->webhook_rng, c->uid);
  int64_t left_ns = time_left_ns(rq, c), seconds = (left_ns + SECOND_NS - 1) / SECOND_NS;
  slice query = seconds > 0 ? arena_printf(rq->arena, "?timeout=%llds", (long long)seconds)
                            : SLICE_NONE;
  bool found = service ? find_service(args, service, &t, &why)
                       : find_url(rq->arena, val_get_str(config, "url"), &t);
  if (!t.authority.len) {
    fail(c, SLICE_LIT("could not get REST client: apisim can't read the webhook's URL"));
    return;
  }
  c->url = arena_printf(rq->arena, "https://%.*s%.*s%.*s", SLICE_ARG(t.authority),
                        SLICE_ARG(t.path), SLICE_ARG(query));
  c->answer = (http_client_answer){.failure = HTTP_CLIENT_BROKEN, .why = why};
  if (rq->gone) c->answer.why = SLICE_LIT("context canceled");
  else if (left_ns <= 0) c->answer.why = SLICE_LIT("context deadline exceeded");
  else if (found) post(args, c, &t, query, left_ns);
}

/* ---- waiting ---- */

void webhook_wait_all(const admission_args *args, webhook_wait *w) {
  request *rq = args->rq;
  server *s = w->server;
  if (w->left) {
    w->fiber = fiber_current(s->fibers);
    rq->webhook_wait = w;
    fiber_suspend(s->fibers);
    rq->webhook_wait = NULL;
    rq->wall_ns = s->env->wall_ns;
    rq->mono_ns = s->env->mono_ns;
  }
  for (uint32_t i = 0; i < w->count; i++) {
    webhook_call *c = w->calls + i;
    if (c->url.ptr) webhook_read_answer(args, c);
  }
}

void webhooks_cancel(request *rq) {
  webhook_wait *w = rq->webhook_wait;
  if (!w) return;
  for (uint32_t i = 0; i < w->count; i++) {
    webhook_call *c = w->calls + i;
    if (!c->http) continue;
    http_call_cancel(c->http);
    c->http = NULL;
    c->answer = (http_client_answer){.failure = HTTP_CLIENT_BROKEN,
                                     .why = SLICE_LIT("context canceled")};
  }
  w->left = 0;
  fiber_resume(w->server->fibers, w->fiber);
}
