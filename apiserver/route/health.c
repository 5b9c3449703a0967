/* See health.h. One row a check; the bits say which of the three endpoints lists it. */
#include "route/health.h"

#include "base/fiber.h"
#include "base/heap.h"
#include "base/limits.h"
#include "server_stores.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEALTHZ = 1, LIVEZ = 2, READYZ = 4, ALL = 7 };
#define PROBE_TIMEOUT_NS ((int64_t)2 * 1000000000)
#define EXCLUDES_MAX 64 /* ?exclude= values behind the 64th are not looked at */

static const struct {
  const char *name;
  int bit;
} ENDPOINTS[] = {{"healthz", HEALTHZ}, {"livez", LIVEZ}, {"readyz", READYZ}};
#define ENDPOINT_COUNT (sizeof ENDPOINTS / sizeof *ENDPOINTS)

#define HOOK "poststarthook/"
typedef struct health_check {
  const char *name;
  int where;
  uint32_t store; /* whose: as server_store_nth numbers them */
} health_check;

static const struct {
  const char *name;
  int where;
} CHECKS[] = {
    {"ping", ALL},
    {"log", ALL},
    {"loopback-serving-certificate", HEALTHZ | LIVEZ},
    {"etcd", ALL},
    {"etcd-readiness", READYZ},
    {"informer-sync", READYZ},
    {HOOK "start-apiserver-admission-initializer", ALL},
    {HOOK "generic-apiserver-start-informers", ALL},
    {HOOK "priority-and-fairness-config-consumer", ALL},
    {HOOK "priority-and-fairness-filter", ALL},
    {HOOK "storage-object-count-tracker-hook", ALL},
    {HOOK "start-apiextensions-informers", ALL},
    {HOOK "start-apiextensions-controllers", ALL},
    {HOOK "crd-informer-synced", ALL},
    {HOOK "start-system-namespaces-controller", ALL},
    {HOOK "peer-endpoint-reconciler-controller", ALL},
    {HOOK "start-cluster-authentication-info-controller", ALL},
    {HOOK "start-kube-apiserver-identity-lease-controller", ALL},
    {HOOK "start-kube-apiserver-identity-lease-garbage-collector", ALL},
    {HOOK "storage-readiness", ALL},
    {HOOK "start-legacy-token-tracking-controller", ALL},
    {HOOK "start-service-ip-repair-controllers", ALL},
    {HOOK "rbac/bootstrap-roles", ALL},
    {HOOK "scheduling/bootstrap-system-priority-classes", ALL},
    {HOOK "priority-and-fairness-config-producer", ALL},
    {HOOK "bootstrap-controller", ALL},
    {HOOK "start-kubernetes-service-cidr-controller", ALL},
    {HOOK "start-kube-aggregator-informers", ALL},
    {HOOK "apiservice-status-local-available-controller", ALL},
    {HOOK "apiservice-status-remote-available-controller", ALL},
    {HOOK "apiservice-registration-controller", ALL},
    {HOOK "apiservice-discovery-controller", ALL},
    {HOOK "kube-apiserver-autoregistration", ALL},
    {"autoregister-completion", ALL},
    {HOOK "apiservice-openapi-controller", ALL},
    {HOOK "apiservice-openapiv3-controller", ALL},
    {"shutdown", READYZ},
};
#define CHECK_COUNT (sizeof CHECKS / sizeof *CHECKS)

/* Behind "etcd-readiness": two for each further etcd (--etcd-servers-overrides). */
#define OVERRIDE(n) \
  {"etcd-override-" #n, ALL, n + 1}, {"etcd-override-readiness-" #n, READYZ, n + 1}
static const health_check OVERRIDES[] = {
    OVERRIDE(0),  OVERRIDE(1),  OVERRIDE(2),  OVERRIDE(3),  OVERRIDE(4),  OVERRIDE(5),
    OVERRIDE(6),  OVERRIDE(7),  OVERRIDE(8),  OVERRIDE(9),  OVERRIDE(10), OVERRIDE(11),
    OVERRIDE(12), OVERRIDE(13), OVERRIDE(14), OVERRIDE(15),
};
static_assert(sizeof OVERRIDES / sizeof *OVERRIDES == 2 * LIMIT_ETCD_PLACES, "a pair a place");
#define CHECKS_MAX (CHECK_COUNT + 2 * LIMIT_ETCD_PLACES)

/* This server's, in order; how many. */
static size_t checks_of(const server *s, health_check out[CHECKS_MAX]) {
  size_t n = 0;
  for (size_t i = 0; i < CHECK_COUNT; i++) {
    out[n++] = (health_check){CHECKS[i].name, CHECKS[i].where, 0};
    if (strcmp(CHECKS[i].name, "etcd-readiness") != 0) continue;
    for (size_t k = 0; k < 2 * (size_t)s->other_count; k++) out[n++] = OVERRIDES[k];
  }
  return n;
}

static int endpoint_of(slice name) {
  for (size_t i = 0; i < ENDPOINT_COUNT; i++) {
    if (slice_is(name, ENDPOINTS[i].name)) return ENDPOINTS[i].bit;
  }
  return 0;
}

bool health_path(const server *s, slice path, bool *single) {
  slice name, check;
  if (path.len == 0 || path.ptr[0] != '/') return false;
  *single = slice_cut(slice_from(path, 1), '/', &name, &check);
  int bit = endpoint_of(name);
  if (!*single || !bit) return bit != 0;
  health_check checks[CHECKS_MAX];
  size_t check_count = checks_of(s, checks);
  for (size_t i = 0; i < check_count; i++) {
    if ((checks[i].where & bit) && slice_is(check, checks[i].name)) return true;
  }
  return false;
}

/* Takes `name` out of the list of what is asked to be left out; was it there? */
static bool exclude_used(slice *excludes, bool *used, uint32_t count, const char *name) {
  bool found = false;
  for (uint32_t i = 0; i < count; i++) {
    if (slice_is(excludes[i], name)) found = used[i] = true;
  }
  return found;
}

/* A set, sorted, quoted: what the client asked to leave out and is not a check. */
static void append_unknown(buf *out, slice *excludes, const bool *used, uint32_t count) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (!used[i]) excludes[kept++] = excludes[i];
  }
  if (kept == 0) return;
  qsort(excludes, kept, sizeof *excludes, slice_order);
  buf_lit(out, "warn: some health checks cannot be excluded: no matches for ");
  for (uint32_t i = 0; i < kept; i++) {
    if (i && slice_eq(excludes[i], excludes[i - 1])) continue;
    buf_printf(out, "%s\"%.*s\"", i ? "," : "", SLICE_ARG(excludes[i]));
  }
  buf_char(out, '\n');
}

/* ---- whether a check passes ---- */

#define WITHHELD "reason withheld"
#define PROBE_PROBLEM_MAX 1024

/* Of one store, for health or for readiness. */
typedef struct health_probe {
  int64_t next_ns; /* until then the latest answer counts */
  bool failed;
  char why[PROBE_PROBLEM_MAX];
} health_probe;

void health_close(server *s) {
  heap_free(s->probes);
  s->probes = NULL;
}

static void probe_store(server *s, store *of, health_probe *p, int64_t timeout_ns) {
  p->next_ns = s->env->mono_ns + timeout_ns / 2;
  store_result r = store_probe(of, timeout_ns);
  slice why = store_problem(of);
  if (r == STORE_CANCELLED) return;
  p->failed = r != STORE_OK;
  if (r == STORE_TIMEOUT || why.len == 0) why = SLICE_LIT("context deadline exceeded");
  if (p->failed) {
    snprintf(p->why, sizeof p->why, "error getting data from etcd: %.*s", SLICE_ARG(why));
  }
}

/* The real server gets a key, at most every half of the time that it grants; in between the latest
 * result is told. A server that is not ready yet answers by what is known. */
static bool store_passes(server *s, const health_check *c, const char **why) {
  store *of = server_store_nth(s, c->store);
  slice what = SLICE_NONE;
  if (!store_waits(of)) return true;
  if (!fiber_current(s->fibers)) return store_is_ready(of, &what) || !slice_is(what, "etcd");
  bool readiness = strstr(c->name, "readiness") != NULL;
  const server_options *o = &s->options;
  int64_t timeout_ns = readiness ? o->ready_timeout_ns : o->health_timeout_ns;
  if (!s->probes) s->probes = heap_zalloc((s->other_count + 1u) * 2 * sizeof *s->probes);
  health_probe *p = &s->probes[2 * c->store + readiness];
  if (s->env->mono_ns >= p->next_ns) {
    probe_store(s, of, p, timeout_ns ? timeout_ns : PROBE_TIMEOUT_NS);
  }
  *why = p->why;
  return !p->failed;
}

/* Of all that the checks stand for, only a store elsewhere can fail, and a server leave. */
static bool check_passes(server *s, const health_check *c, const char **why) {
  *why = WITHHELD;
  if (strcmp(c->name, HOOK "storage-readiness") == 0) return s->ready;
  if (strcmp(c->name, "shutdown") == 0) {
    *why = "process is shutting down";
    return !s->shutdown.leaving;
  }
  return strncmp(c->name, "etcd", 4) != 0 || store_passes(s, c, why);
}

bool health_passes(request *rq, slice path, slice *text) {
  slice name, check, excludes[EXCLUDES_MAX];
  bool single = slice_cut(slice_from(path, 1), '/', &name, &check), passes = true;
  bool used[EXCLUDES_MAX];
  uint32_t count = 0;
  health_check checks[CHECKS_MAX];
  size_t check_count = checks_of(rq->server, checks);
  while (count < EXCLUDES_MAX && http_query_nth(rq->http, "exclude", count, &excludes[count])) {
    count++;
  }
  buf out;
  buf_init(&out, 65536);
  for (size_t i = 0; i < check_count; i++) {
    if (!(checks[i].where & endpoint_of(name))) continue;
    if (single && !slice_is(check, checks[i].name)) continue;
    bool skip = !single && exclude_used(excludes, used, count, checks[i].name);
    const char *why = NULL;
    bool ok = skip || check_passes(rq->server, &checks[i], &why);
    passes = passes && ok;
    if (single) buf_printf(&out, "internal server error: %s\n", ok ? "" : why);
    else if (ok) buf_printf(&out, "[+]%s %sok\n", checks[i].name, skip ? "excluded: " : "");
    else buf_printf(&out, "[-]%s failed: " WITHHELD "\n", checks[i].name);
  }
  if (!single) buf_printf(&out, "%.*s check failed\n", SLICE_ARG(name));
  *text = passes ? SLICE_NONE : arena_copy(rq->arena, buf_slice(&out));
  buf_dispose(&out);
  return passes;
}

slice health_answer(request *rq, slice path) {
  if (!http_query_has(rq->http, "verbose")) return SLICE_LIT("ok");
  slice name = slice_from(path, 1), excludes[EXCLUDES_MAX];
  bool used[EXCLUDES_MAX] = {false};
  uint32_t count = 0;
  health_check checks[CHECKS_MAX];
  size_t check_count = checks_of(rq->server, checks);
  while (count < EXCLUDES_MAX && http_query_nth(rq->http, "exclude", count, &excludes[count])) {
    count++;
  }
  int bit = endpoint_of(name);
  buf out;
  buf_init(&out, 65536);
  for (size_t i = 0; i < check_count; i++) {
    if (!(checks[i].where & bit)) continue;
    bool skip = exclude_used(excludes, used, count, checks[i].name);
    buf_printf(&out, "[+]%s %sok\n", checks[i].name, skip ? "excluded: " : "");
  }
  append_unknown(&out, excludes, used, count);
  buf_printf(&out, "%.*s check passed\n", SLICE_ARG(name));
  slice text = arena_copy(rq->arena, buf_slice(&out));
  buf_dispose(&out);
  return text;
}

static int check_by_name(const void *a, const void *b) {
  return strcmp(((const health_check *)a)->name, ((const health_check *)b)->name);
}

slice health_metrics(const server *s, arena *a) {
  health_check checks[CHECKS_MAX];
  size_t check_count = checks_of(s, checks);
  buf out;
  buf_init(&out, 65536);
  qsort(checks, check_count, sizeof *checks, check_by_name);
  buf_lit(&out, "# HELP kubernetes_healthcheck [STABLE] 1 where the check passes.\n"
                "# TYPE kubernetes_healthcheck gauge\n");
  for (size_t i = 0; i < check_count; i++) {
    for (size_t e = 0; e < ENDPOINT_COUNT; e++) {
      if (!(checks[i].where & ENDPOINTS[e].bit)) continue;
      buf_printf(&out, "kubernetes_healthcheck{name=\"%s\",type=\"%s\"} 1\n", checks[i].name,
                 ENDPOINTS[e].name);
    }
  }
  slice text = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return text;
}

void health_each_path(const server *s, arena *a, void (*visit)(void *ctx, slice path), void *ctx) {
  health_check checks[CHECKS_MAX];
  size_t check_count = checks_of(s, checks);
  for (size_t e = 0; e < ENDPOINT_COUNT; e++) {
    visit(ctx, arena_printf(a, "/%s", ENDPOINTS[e].name));
    for (size_t i = 0; i < check_count; i++) {
      if (checks[i].where & ENDPOINTS[e].bit) {
        visit(ctx, arena_printf(a, "/%s/%s", ENDPOINTS[e].name, checks[i].name));
      }
    }
  }
}
