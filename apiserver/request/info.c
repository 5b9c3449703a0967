/* Splits a request's path into group, version, namespace, resource and name. The odd
 * corners (namespace subresources, verbs in the path) are those of the real server. */
#include "request/info.h"

#include <assert.h>

#define MAX_PARTS 64 /* more segments than that name nothing: the rest is never read */

typedef struct parts {
  slice items[MAX_PARTS];
  uint32_t count;
  uint32_t from; /* what was consumed */
} parts;

static slice part(const parts *p, uint32_t i) {
  return p->from + i < p->count ? p->items[p->from + i] : SLICE_NONE;
}

static uint32_t left(const parts *p) {
  return p->count - p->from;
}

static void split(slice path, parts *p) {
  p->count = p->from = 0;
  while (path.len && path.ptr[0] == '/') path = slice_from(path, 1);
  while (path.len && path.ptr[path.len - 1] == '/') path.len--;
  bool more = path.len > 0;
  while (more && p->count < MAX_PARTS) {
    slice head;
    more = slice_cut(path, '/', &head, &path);
    p->items[p->count++] = head;
  }
}

bool name_is_path_segment(slice name, const char **why) {
  const char *problem = NULL;
  if (slice_is(name, ".")) problem = "may not be '.'";
  else if (slice_is(name, "..")) problem = "may not be '..'";
  else if (slice_find_char(name, '/') >= 0) problem = "may not contain '/'";
  else if (slice_find_char(name, '%') >= 0) problem = "may not contain '%'";
  if (why) *why = problem;
  return problem == NULL;
}

typedef struct verb_row {
  const char *method, *verb;
} verb_row;

static const verb_row verb_rows[] = {
    {"POST", "create"}, {"GET", "get"},     {"HEAD", "get"},
    {"PUT", "update"},  {"PATCH", "patch"}, {"DELETE", "delete"},
};

static slice verb_of_method(slice method) {
  for (size_t i = 0; i < sizeof verb_rows / sizeof *verb_rows; i++) {
    if (slice_is(method, verb_rows[i].method)) return slice_cstr(verb_rows[i].verb);
  }
  return SLICE_LIT("");
}

/* Go's conversion of a query value to a bool, as ListOptions.watch is read. */
static bool query_bool(const http_exchange *x, const char *name) {
  if (!http_query_has(x, name)) return false;
  slice v = http_query_get(x, name);
  return !(slice_eq_nocase(v, SLICE_LIT("false")) || slice_is(v, "0"));
}

/* metadata.name=x in the field selector names the object as the path would. */
static slice name_of_selector(slice selector) {
  slice head, found = SLICE_NONE;
  bool more = selector.len > 0;
  while (more) {
    more = slice_cut(selector, ',', &head, &selector);
    if (!slice_has_prefix(head, SLICE_LIT("metadata.name="))) continue;
    slice v = slice_from(head, strlen("metadata.name="));
    if (v.len && v.ptr[0] == '=') v = slice_from(v, 1);
    found = v;
    if (slice_find_char(v, '\\') >= 0) return SLICE_NONE; /* escaped: no name in a path */
  }
  return name_is_path_segment(found, NULL) ? found : SLICE_NONE;
}

static void read_place(parts *p, request_info *info) {
  if (slice_is(part(p, 0), "namespaces") && left(p) > 1) {
    info->namespace = part(p, 1);
    slice third = part(p, 2);
    bool own = slice_is(third, "status") || slice_is(third, "finalize");
    if (left(p) > 2 && !own) p->from += 2;
  }
  if (left(p) >= 3 && !slice_is(info->verb, "proxy")) info->subresource = part(p, 2);
  info->deeper = left(p) > 3;
  if (left(p) >= 2) info->name = part(p, 1);
  info->resource = part(p, 0);
}

bool request_info_read(arena *a, const http_exchange *x, request_info *info, slice *problem) {
  assert(info && problem);
  parts p;
  split(x->path, &p);
  *info = (request_info){.path = x->path, .verb = arena_lower(a, x->method)};
  bool core = slice_is(part(&p, 0), "api");
  if (p.count < 3 || !(core || slice_is(part(&p, 0), "apis"))) return true;
  info->api_prefix = part(&p, 0);
  p.from = 1;
  if (!core) {
    if (left(&p) < 3) return true;
    info->group = part(&p, 0);
    p.from++;
  }
  info->is_resource = true;
  info->version = part(&p, 0);
  p.from++;
  slice first = part(&p, 0);
  if (slice_is(first, "proxy") || slice_is(first, "watch")) {
    if (left(&p) < 2) {
      *problem = arena_printf(a, "unable to determine kind and namespace from url, %.*s",
                              SLICE_ARG(x->target));
      return false;
    }
    info->verb = first;
    info->watch_path = slice_is(first, "watch");
    p.from++;
  } else {
    info->verb = verb_of_method(x->method);
  }
  read_place(&p, info);
  if (info->name.len == 0 && slice_is(info->verb, "get")) {
    info->verb = query_bool(x, "watch") ? SLICE_LIT("watch") : SLICE_LIT("list");
    info->name = name_of_selector(http_query_get(x, "fieldSelector"));
  }
  if (info->name.len == 0 && slice_is(info->verb, "delete")) {
    info->verb = SLICE_LIT("deletecollection");
  }
  return true;
}

bool request_info_is_long(const request_info *i) {
  static const char *const subresources[] = {"attach", "exec", "proxy", "log", "portforward"};
  if (slice_is(i->verb, "watch")) return false;
  if (!i->is_resource) return slice_has_prefix(i->path, SLICE_LIT("/debug/pprof/"));
  if (slice_is(i->verb, "proxy")) return true;
  for (size_t n = 0; n < sizeof subresources / sizeof *subresources; n++) {
    if (slice_is(i->subresource, subresources[n])) return true;
  }
  return false;
}
