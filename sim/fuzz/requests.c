/* A request is drawn part by part; about half of all are meant to be good. */
#include "sim/fuzz/requests.h"

#include "fuzz/fuzz.h"
#include "fuzz/generate.h"

#include <string.h>

#define PICK(r, list) (list)[rng_below((r), sizeof(list) / sizeof *(list))]

static const char *const names[] = {"apisim-fuzz-a", "apisim-fuzz-b", "kubernetes", "default",
    "UPPER", "..", "a%2Fb",
                                    "a%00b", "%C3%A9", "x:log", "a.b.c", "-", "a%25b"};
static const char *const parameters[] = {
    "limit=1", "limit=0", "limit=-1", "limit=x", "continue=abc", "continue=%00",
    "resourceVersion=0", "resourceVersion=abc",
    "resourceVersion=99999999999", "resourceVersionMatch=Exact",
    "resourceVersionMatch=NotOlderThan&resourceVersion=1",
    "labelSelector=a%3Db", "labelSelector=a%20in%20(", "labelSelector=!a,b%20notin%20(c,d)",
    "labelSelector=%00",
    "fieldSelector=metadata.name%3Dx", "fieldSelector=spec.x%3Dy",
    "fieldSelector=metadata.name!%3D%5C", "pretty=true",
    "fieldManager=fuzz", "fieldManager=%0A", "fieldValidation=Strict", "fieldValidation=Warn",
    "fieldValidation=x", "force=true",
    "propagationPolicy=Foreground", "propagationPolicy=x", "gracePeriodSeconds=0",
    "gracePeriodSeconds=x", "orphanDependents=true",
    "timeoutSeconds=1", "sendInitialEvents=true", "allowWatchBookmarks=true", "includeObject=None",
    "unknown=1", "=", "a=%zz",
};
static const char *const accepts[] = {
    "application/json", "application/json", "application/yaml",
    "application/vnd.kubernetes.protobuf", "application/cbor", "*/*",
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json;q=0.1",
    "text/html", "", ";q=2,,",
    "application/json;stream=watch", "application/yaml;q=0.2,application/json;q=0.1",
};
static const char *const contents[] = {
    "application/json", "application/yaml", "application/vnd.kubernetes.protobuf",
    "application/cbor", "text/plain", "",
    "application/json; charset=utf-8", "application/merge-patch+json", "multipart/form-data",
};
static const char *const patches[] = {"application/json-patch+json", "application/merge-patch+json",
                                      "application/strategic-merge-patch+json",
                                      "application/apply-patch+yaml",
                                      "application/json"};
static const char *const patch_bodies[] = {
    "[{\"op\":\"add\",\"path\":\"/metadata/labels\",\"value\":{\"a\":\"b\"}}]",
    "[{\"op\":\"remove\",\"path\":\"/x\"}]", "[]", "{}",
    "{\"metadata\":{\"labels\":{\"a\":null}}}",
    "{\"spec\":{\"containers\":[{\"name\":\"c\",\"$patch\":\"delete\"}]}}", "[[", "null",
    "{\"spec\":{\"$setElementOrder/containers\":[{\"name\":\"z\"}]}}",
    "[{\"op\":\"test\",\"path\":\"/kind\",\"value\":1}]",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: apisim-fuzz-a}\ndata: {a: b}\n",
    "a: &x [*x]\n",
};
static const char *const odd_targets[] = {
    "/", "/api", "/apis", "/api/v1", "/apis/apps", "/version", "/healthz", "/readyz?verbose",
    "/openapi/v3", "/nope", "/api/v1/nope",
    "/apis/a/b/c/d/e", "//api//v1", "/api/v1/namespaces/default/pods/x/nope",
    "/api/v1/watch/namespaces?timeoutSeconds=1", "/api/v1/../v1", "/%61pi",
    "/api/v1/namespaces/%2e%2e/pods", "/api/v1/namespaces?%", "/metrics",
    "/apis/apps/v1/namespaces/default/deployments/x/scale",
};
static const char *const methods[] = {"GET", "GET", "GET", "POST", "PUT", "PATCH", "DELETE",
    "HEAD", "OPTIONS", "FROB"};

static const char *chosen_method(rng *r, const resource_info *k, bool *named) {
  *named = rng_chance(r, 1, 2);
  switch (rng_below(r, 9)) {
    case 0:
    case 1:
    case 2: return "GET";
    case 3: *named = false; return "POST";
    case 4: *named = true; return "PUT";
    case 5: *named = true; return "PATCH";
    case 6: *named = *named || !(k->verbs & VERB_DELETECOLLECTION); return "DELETE";
    case 7: *named = false; return rng_chance(r, 1, 6) ? "WATCH" : "GET";
    default: return PICK(r, methods);
  }
}

static slice target_of(arena *a, rng *r, const resource_info *k, bool named) {
  char gv[GROUP_VERSION_ROOM];
  slice version = schema_group_version(k, gv);
  const char *space = rng_chance(r, 1, 12) ? PICK(r, names) : "default";
  slice path = arena_printf(a, "/%s/%.*s%s%s/%.*s", k->group.len ? "apis" : "api",
                            SLICE_ARG(version),
                            k->namespaced ? "/namespaces/" : "", k->namespaced ? space : "",
                            SLICE_ARG(k->resource));
  if (named) path = arena_printf(a, "%.*s/%s", SLICE_ARG(path), PICK(r, names));
  if (named && k->subresource_count && rng_chance(r, 1, 4)) {
    const subresource_info *s = &k->subresources[rng_below(r, k->subresource_count)];
    path = arena_printf(a, "%.*s/%.*s", SLICE_ARG(path), SLICE_ARG(s->name));
  }
  return path;
}

static slice damage(arena *a, rng *r, slice s) {
  if (!s.len || !rng_chance(r, 1, 6)) return s;
  s = arena_copy(a, s);
  char *p = (char *)(uintptr_t)s.ptr;
  for (uint64_t n = 1 + rng_below(r, 3); n; n--) p[rng_below(r, s.len)] = (char)rng_below(r, 256);
  if (rng_chance(r, 1, 3)) s.len = rng_below(r, s.len + 1);
  return s;
}

static slice object_body(arena *a, rng *r, const resource_info *k, const char *content) {
  const kind_info *kind = schema_kind(k->group, k->version, k->kind);
  slice error, body;
  if (!kind) return SLICE_LIT("{}");
  val *v = generate_object(a, r, kind, 40, rng_chance(r, 1, 3));
  val *meta = val_ensure_map(a, v, "metadata");
  if (val_is_map(meta) && rng_chance(r, 3, 4)) val_setc(a, meta, "name", val_cstr(a,
      names[rng_below(r, 2)]));
  if (strstr(content, "yaml")) body = fuzz_yaml(a, v, NULL);
  else if (strstr(content, "cbor")) body = fuzz_cbor(a, v, NULL);
  else if (strstr(content, "protobuf") && (v = codec_conform(a, v, kind->type, NULL,
                                                             &error)) != NULL) {
    buf out;
    buf_init(&out, LIMIT_BUFFER);
    proto_envelope(&out, val_get_str(v, "apiVersion"), k->kind, fuzz_proto(a, v, kind->type));
    body = arena_copy(a, buf_slice(&out));
    buf_dispose(&out);
  } else {
    body = v ? fuzz_json_any(a, v, false) : SLICE_LIT("{}");
  }
  return damage(a, r, body);
}

static slice add_parameter(arena *a, slice target, const char *text) {
  bool first = slice_find_char(target, '?') < 0;
  return arena_printf(a, "%.*s%c%s", SLICE_ARG(target), first ? '?' : '&', text);
}

static slice whole(arena *a, const char *method, slice target, const char *host, const char *token,
                   const char *accept, const char *content, slice body) {
  slice head = arena_printf(a, "%s %.*s HTTP/1.1\r\nHost: %s\r\nUser-Agent: apisim-fuzz\r\n",
                            method,
                            SLICE_ARG(target), host);
  if (token) head = arena_printf(a, "%.*sAuthorization: Bearer %s\r\n", SLICE_ARG(head), token);
  if (*accept) head = arena_printf(a, "%.*sAccept: %s\r\n", SLICE_ARG(head), accept);
  if (*content) head = arena_printf(a, "%.*sContent-Type: %s\r\n", SLICE_ARG(head), content);
  head = arena_printf(a, "%.*sContent-Length: %zu\r\n\r\n", SLICE_ARG(head), body.len);
  return arena_concat(a, head, body);
}

fuzz_request fuzz_request_make(arena *a, uint64_t seed, uint32_t n, const char *host,
                               const char *token,
                          bool write) {
  rng all, r;
  rng_init(&all, seed);
  r = rng_split(&all, n + 1);
  bool named = false, odd = rng_chance(&r, 1, 12);
  const resource_info *k;
  do k = &schema_resources[rng_below(&r, schema_resource_count)];
  while (!k->standard);
  const char *method = odd ? PICK(&r, methods) : chosen_method(&r, k, &named);
  slice target = odd ? slice_cstr(PICK(&r, odd_targets)) : target_of(a, &r, k, named);
  fuzz_request m = {.watch = strcmp(method, "WATCH") == 0};
  if (m.watch) {
    method = "GET";
    target = add_parameter(a, target, "watch=1&timeoutSeconds=1");
  }
  bool changes = strcmp(method, "GET") && strcmp(method, "HEAD") && strcmp(method, "OPTIONS");
  for (uint64_t times = rng_below(&r, 3); times; times--) target = add_parameter(a, target,
      PICK(&r, parameters));
  if (changes && !write) target = add_parameter(a, target, "dryRun=All");
  const char *accept = PICK(&r, accepts), *content = "";
  slice body = SLICE_LIT("");
  if (strcmp(method, "PATCH") == 0) {
    content = PICK(&r, patches);
    body = rng_chance(&r, 1, 2) ? damage(a, &r, slice_cstr(PICK(&r,
                                                                patch_bodies))) : object_body(a,
                                                                    &r, k, content);
  } else if (changes && strcmp(method, "DELETE") != 0) {
    content = rng_chance(&r, 2, 3) ? "application/json" : PICK(&r, contents);
    body = object_body(a, &r, k, content);
  }
  m.head = strcmp(method, "HEAD") == 0;
  if (slice_find(target, SLICE_LIT("/watch/")) >= 0) m.watch = true;
  m.line = arena_printf(a, "%s %.*s", method, SLICE_ARG(target));
  m.bytes = whole(a, method, target, host, token, accept, content, body);
  return m;
}
