/* Fuzz target: a whole server in memory, driven by the bytes. A step is five of them: what to do, on
 * which resource, which name, an option, which body; steps follow until the bytes end. A server is
 * fresh for each input, so that what is found happens again.
 *
 * Oracles: every answer is whole HTTP; every JSON answer parses; a Status has the answer's code;
 * an object that a write answers with is what a GET gives (at the same version); a watch from the
 * empty beginning, replayed, ends at what the list holds; resource versions only grow. */
#include "fuzz/fuzz.h"
#include "sim/replay/events.h"
#include "sim/replay/uplink.h"

FUZZ_TARGET(FUZZ_BYTES);

#define STEPS_MAX 24
#define WATCHES_MAX 4

typedef struct scenario_resource {
  const char *path; /* of the collection */
  const char *kind, *api_version;
  const char *spec; /* what makes it valid, as members behind metadata */
} scenario_resource;

#define NS "/namespaces/default/"
static const scenario_resource resources[] = {
    {"/api/v1" NS "configmaps", "ConfigMap", "v1", "\"data\":{\"a\":\"1\"}"},
    {"/api/v1" NS "pods", "Pod", "v1", "\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}"},
    {"/api/v1" NS "services", "Service", "v1", "\"spec\":{\"ports\":[{\"port\":80}]}"},
    {"/api/v1/namespaces", "Namespace", "v1", "\"spec\":{}"},
    {"/apis/apps/v1" NS "deployments", "Deployment", "apps/v1",
     "\"spec\":{\"selector\":{\"matchLabels\":{\"a\":\"b\"}},\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},"
     "\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}}"},
    {"/apis/apps/v1" NS "statefulsets", "StatefulSet", "apps/v1",
     "\"spec\":{\"serviceName\":\"s\",\"selector\":{\"matchLabels\":{\"a\":\"b\"}},\"template\":{\"metadata\":{\"labels\":"
     "{\"a\":\"b\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}}"},
    {"/apis/batch/v1" NS "jobs", "Job", "batch/v1",
     "\"spec\":{\"template\":{\"spec\":{\"restartPolicy\":\"Never\",\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}}"},
    {"/apis/autoscaling/v1" NS "horizontalpodautoscalers", "HorizontalPodAutoscaler", "autoscaling/v1",
     "\"spec\":{\"maxReplicas\":3,\"scaleTargetRef\":{\"kind\":\"Deployment\",\"name\":\"d\",\"apiVersion\":\"apps/v1\"}}"},
    {"/api/v1" NS "secrets", "Secret", "v1", "\"data\":{\"k\":\"YQ==\"}"},
    {"/apis/rbac.authorization.k8s.io/v1/clusterroles", "ClusterRole", "rbac.authorization.k8s.io/v1",
     "\"rules\":[{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"]}]"},
    {"/apis/coordination.k8s.io/v1" NS "leases", "Lease", "coordination.k8s.io/v1", "\"spec\":{}"},
    {"/apis/networking.k8s.io/v1" NS "ingresses", "Ingress", "networking.k8s.io/v1",
     "\"spec\":{\"defaultBackend\":{\"service\":{\"name\":\"s\",\"port\":{\"number\":80}}}}"},
};
#define RESOURCES (sizeof resources / sizeof *resources)

static const char *const names[] = {"a", "b", "c.d", "web-0", "A", "kube-system", "x%2Fy", ""};
static const char *const options[] = {
    "", "?fieldValidation=Strict", "?dryRun=All", "?pretty=true", "?fieldManager=f", "?limit=1", "?propagationPolicy=Foreground",
    "?labelSelector=a%3Db,!c", "?fieldSelector=metadata.name%3Da", "?resourceVersion=0", "?resourceVersion=999999",
    "?continue=e30", "?timeoutSeconds=1", "?gracePeriodSeconds=0", "?dryRun=x&fieldValidation=y", "?force=true&fieldManager=g",
    "?fieldManager=applier", "?resourceVersionMatch=Exact&resourceVersion=1"};
static const char *const members[] = {
    "", "\"data\":{\"b\":\"2\"}", "\"immutable\":true", "\"spec\":null", "\"status\":{\"phase\":\"Running\"}",
    "\"metadata\":{\"labels\":{\"a\":\"b\"}}", "\"metadata\":{\"finalizers\":[\"x/y\"]}", "\"metadata\":{\"finalizers\":null}",
    "\"metadata\":{\"generateName\":\"g-\"}", "\"spec\":{\"replicas\":2}", "\"spec\":{\"unknown\":1}", "\"spec\":7",
    "\"metadata\":{\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\"a\",\"uid\":\"u\"}]}",
    "\"spec\":{\"type\":\"NodePort\"}", "\"metadata\":{\"managedFields\":[]}", "\"metadata\":{\"managedFields\":[{\"manager\":\"m\"}]}",
    "\"metadata\":{\"resourceVersion\":\"1\"}", "\"spec\":{\"type\":\"ExternalName\",\"externalName\":\"x.y\"}",
    "\"metadata\":{\"annotations\":{\"a\":\"b\"}}", "\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"d\"}]}}}"};
static const char *const json_patches[] = {
    "[]", "[{\"op\":\"add\",\"path\":\"/metadata/labels\",\"value\":{\"a\":\"b\"}}]",
    "[{\"op\":\"remove\",\"path\":\"/spec\"}]", "[{\"op\":\"replace\",\"path\":\"\",\"value\":1}]", "{",
    "[{\"op\":\"test\",\"path\":\"/metadata/name\",\"value\":\"a\"}]",
    "[{\"op\":\"copy\",\"from\":\"/metadata\",\"path\":\"/spec\"}]"};
static const char *const bad_requests[] = {
    "GET /api/v1/nothing", "PUT /api/v1/pods", "DELETE /", "GET /apis/apps/v9/deployments", "POST /version", "GET /openapi/v2",
    "GET /api/v1/namespaces/default/pods/a/log", "POST /api/v1/namespaces/default/pods/a/eviction", "GET /healthz", "GET /apis",
    "GET /api/v1/namespaces/default/services/a/proxy/x", "PUT /apis/apps/v1/namespaces/default/deployments/a/scale",
    "GET /api/v1/pods/a/b/c/d", "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "GET /%2e%2e/api", "GET /metrics"};
#define PICK(list, n) (list)[(n) % (sizeof(list) / sizeof *(list))]

typedef struct scenario {
  arena *arena;
  uplink *link;
  call *watches[WATCHES_MAX];
  const scenario_resource *watched[WATCHES_MAX];
  uint32_t watch_count;
} scenario;

typedef struct step {
  uint8_t what, resource, name, option, body;
} step;

/* ---- answers ---- */

static bool is_json(const response *res) {
  return slice_has_prefix(tape_header_get(&res->headers, "Content-Type"), SLICE_LIT("application/json"));
}

static val *body_of(arena *a, const response *res) {
  slice error = SLICE_NONE;
  if (!is_json(res) || res->head_request || res->body.len == 0) return NULL;
  val *v = json_parse(a, arena_copy(a, buf_slice(&res->body)), NULL, &error);
  if (!v) fprintf(stderr, "%.*s\n", SLICE_ARG(buf_slice(&res->body)));
  CHECK(v);
  return v;
}

static void check_answer(arena *a, const call *c, slice sent) {
  const response *res = &c->res;
  if (res->state != RESPONSE_DONE) fprintf(stderr, "%.*s\n%s\n", SLICE_ARG(sent), c->problem);
  CHECK(res->state == RESPONSE_DONE);
  CHECK(res->status >= 200 && res->status < 600);
  CHECK(res->status != 500 || res->body.len > 0);
  const val *v = body_of(a, res);
  if (slice_is(val_get_str(v, "kind"), "Status") && val_getc(v, "code")) {
    CHECK(val_i64(val_getc(v, "code")) == res->status);
  }
}

static call *send(scenario *s, slice request) {
  call *c = s->link->start(s->link, request, slice_has_prefix(request, SLICE_LIT("HEAD ")));
  CHECK(c);
  return c;
}

static val *ask(scenario *s, const char *method_and_path, const char *query, const char *type, slice body, int *status) {
  slice request = arena_printf(s->arena,
                               "%s%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admintoken\r\nContent-Type: %s\r\n"
                               "Content-Length: %zu\r\n\r\n", method_and_path, query, type, body.len);
  request = arena_concat(s->arena, request, body);
  call *c = send(s, request);
  int64_t until = s->link->now_ms(s->link) + 70000;
  while (c->res.state != RESPONSE_DONE && s->link->step(s->link, until)) continue; /* a watch's */
  check_answer(s->arena, c, request);
  val *v = body_of(s->arena, &c->res);
  *status = c->res.status;
  s->link->finish(s->link, c);
  return v;
}

/* ---- steps ---- */

static slice object_body(scenario *s, const step *st, bool whole) {
  const scenario_resource *r = &PICK(resources, st->resource);
  const char *more = PICK(members, st->body);
  slice body = arena_printf(s->arena, "{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"metadata\":{\"name\":\"%s\"}", r->api_version,
                            r->kind, PICK(names, st->name));
  if (whole) body = arena_printf(s->arena, "%.*s,%s", SLICE_ARG(body), r->spec);
  if (*more) body = arena_printf(s->arena, "%.*s,%s", SLICE_ARG(body), more);
  return arena_concat(s->arena, body, SLICE_LIT("}"));
}

static const char *line(scenario *s, const char *method, const step *st, bool item) {
  slice l = arena_printf(s->arena, "%s %s%s%s", method, PICK(resources, st->resource).path, item ? "/" : "",
                         item ? PICK(names, st->name) : "");
  return arena_cstr(s->arena, l);
}

/* What a write answers with is what a read gives then. */
static void check_read_back(scenario *s, const step *st, const val *written, int status) {
  int code = 0;
  const char *option = PICK(options, st->option);
  slice name = val_str(val_path(written, "metadata.name")), version = val_str(val_path(written, "metadata.resourceVersion"));
  if (status > 201 || strstr(option, "dryRun") || !name.len || !version.len) return;
  slice path = arena_printf(s->arena, "GET %s/%.*s", PICK(resources, st->resource).path, SLICE_ARG(name));
  val *read = ask(s, path.ptr, "", "application/json", SLICE_NONE, &code);
  if (code != 200) return; /* a finalizer's last removal deletes */
  CHECK_SAME(fuzz_json_any(s->arena, written, true), fuzz_json_any(s->arena, read, true));
}

static void open_watch(scenario *s, const step *st) {
  if (s->watch_count == WATCHES_MAX) return;
  const scenario_resource *r = &PICK(resources, st->resource);
  slice request = arena_printf(s->arena,
                               "GET %s?watch=true%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admintoken\r\n\r\n", r->path,
                               st->option & 1 ? "&allowWatchBookmarks=true" : "");
  s->watched[s->watch_count] = r;
  s->watches[s->watch_count++] = send(s, request);
}

static void patch(scenario *s, const step *st) {
  static const char *const types[] = {"application/merge-patch+json", "application/strategic-merge-patch+json",
                                      "application/json-patch+json", "application/apply-patch+yaml"};
  int status = 0;
  unsigned how = st->what / 16 % 4;
  const char *more = PICK(members, st->body);
  slice body = how == 2 ? slice_cstr(PICK(json_patches, st->body)) : how == 3 ? object_body(s, st, st->body & 1)
                                                                       : arena_printf(s->arena, "{%s}", more);
  val *v = ask(s, line(s, "PATCH", st, true), PICK(options, st->option), types[how], body, &status);
  check_read_back(s, st, v, status);
}

static void take_step(scenario *s, const step *st) {
  static const char json[] = "application/json";
  const char *option = PICK(options, st->option);
  int status = 0;
  val *v;
  switch (st->what % 10) {
    case 0:
      v = ask(s, line(s, "POST", st, false), option, json, object_body(s, st, true), &status);
      check_read_back(s, st, v, status);
      break;
    case 1:
      v = ask(s, line(s, "PUT", st, true), option, json, object_body(s, st, true), &status);
      check_read_back(s, st, v, status);
      break;
    case 2:
    case 3: patch(s, st); break;
    case 4: ask(s, line(s, "DELETE", st, true), option, json, SLICE_NONE, &status); break;
    case 5: ask(s, line(s, "GET", st, false), option, json, SLICE_NONE, &status); break;
    case 6: open_watch(s, st); break;
    case 7: ask(s, PICK(bad_requests, st->body), option, json, object_body(s, st, true), &status); break;
    case 8: ask(s, line(s, "DELETE", st, false), option, json, SLICE_NONE, &status); break;
    default: s->link->step(s->link, s->link->now_ms(s->link) + st->body * 100); break;
  }
}

/* ---- the end: what watchers saw ---- */

static slice key_of(arena *a, const val *object) {
  return arena_printf(a, "%.*s/%.*s", SLICE_ARG(val_str(val_path(object, "metadata.namespace"))),
                      SLICE_ARG(val_str(val_path(object, "metadata.name"))));
}

static val *replay(arena *a, slice body) {
  val *state = val_map(a);
  size_t at = 0;
  slice event, error = SLICE_NONE;
  long long last = 0, version = 0;
  bool initial = true; /* events of what was there already come in any order of versions */
  while (event_next(body, false, &at, &event)) {
    val *v = json_parse(a, arena_copy(a, event), NULL, &error);
    CHECK(v);
    slice type = val_get_str(v, "type");
    val *object = val_getc(v, "object");
    CHECK(!slice_is(type, "ERROR"));
    CHECK(slice_to_i64(val_str(val_path(object, "metadata.resourceVersion")), &version));
    if (!slice_is(type, "ADDED")) initial = false;
    CHECK(initial || version >= last || slice_is(type, "ADDED"));
    last = version > last ? version : last;
    if (slice_is(type, "BOOKMARK")) continue;
    slice key = key_of(a, object);
    bool known = val_get(state, key) != NULL;
    CHECK(known == !slice_is(type, "ADDED"));
    if (slice_is(type, "DELETED")) val_del(state, key);
    else val_set(a, state, key, object);
  }
  return state;
}

static void check_watch(scenario *s, uint32_t i) {
  int status = 0;
  arena *a = s->arena;
  const response *res = &s->watches[i]->res;
  if (res->status != 200) return;
  val *seen = replay(a, buf_slice(&res->body));
  slice path = arena_printf(a, "GET %s", s->watched[i]->path);
  val *list = ask(s, path.ptr, "", "application/json", SLICE_NONE, &status), *items = val_getc(list, "items");
  CHECK(status == 200);
  CHECK(val_len(items) == val_len(seen));
  for (uint32_t k = 0; k < val_len(items); k++) {
    val *item = val_at(items, k), *got = val_get(seen, key_of(a, item));
    CHECK(got);
    val_del(got, SLICE_LIT("kind"));
    val_del(got, SLICE_LIT("apiVersion"));
    CHECK_SAME(fuzz_json_any(a, got, true), fuzz_json_any(a, item, true));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char problem[200];
  scenario s = {.arena = arena_create()};
  if (size < sizeof(step)) {
    arena_destroy(s.arena);
    return 0;
  }
  s.link = uplink_world_create(7, 1795195706000, problem, sizeof problem);
  CHECK(s.link);
  for (size_t n = 0; n < STEPS_MAX && (n + 1) * sizeof(step) <= size; n++) {
    step st;
    memcpy(&st, data + n * sizeof st, sizeof st);
    take_step(&s, &st);
  }
  s.link->step(s.link, s.link->now_ms(s.link) + 1000); /* watchers are told at a turn's end */
  for (uint32_t i = 0; i < s.watch_count; i++) {
    check_watch(&s, i);
    s.link->finish(s.link, s.watches[i]);
  }
  s.link->destroy(s.link);
  arena_destroy(s.arena);
  return 0;
}
