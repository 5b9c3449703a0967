/* See openapi.h. Everything here answers any method, as the real handlers do. */
#include "route/openapi.h"

#include "base/buf.h"
#include "base/heap.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "crd/crd_openapi.h"
#include "http/gzip.h"
#include "route/accept.h"
#include "route/openapi_custom.h"
#include "route/openapi_filter.h"
#include "server.h"

#include <time.h>
#include <zlib.h>

#define V2_PROTOBUF "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
#define V3_PROTOBUF "application/com.github.proto-openapi.spec.v3.v1.0+protobuf"

/* The '@' in the second's name is what clients ask by, and is not a legal media type. */
static const char *const V2_TYPES[] = {
    "application/json", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf", V2_PROTOBUF};
static const char *const V3_TYPES[] = {
    "application/json", "application/com.github.proto-openapi.spec.v3@v1.0+protobuf", V3_PROTOBUF};

/* "Fri, 20 Nov 2026 15:11:59 GMT" */
static slice http_date(arena *a, int64_t wall_ns, int years_later, const char *zone) {
  static const char *const DAYS[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static const char *const MONTHS[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  time_t seconds = (time_t)(wall_ns / 1000000000);
  struct tm t;
  gmtime_r(&seconds, &t);
  if (years_later) {
    t.tm_year += years_later;
    seconds = timegm(&t);
    gmtime_r(&seconds, &t);
  }
  return arena_printf(a, "%s, %02d %s %04d %02d:%02d:%02d %s", DAYS[t.tm_wday], t.tm_mday,
                      MONTHS[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec, zone);
}

/* A document as this server shows it. */
typedef struct shown {
  const openapi_document *d;
  bool cut; /* only some of its resources are served (openapi_filter.h) */
  const char *hash;
} shown;

/* NULL where the program is damaged. */
static blob *whole_bytes(const struct openapi_bytes *b) {
  blob *bytes = blob_alloc(b->len);
  uLongf len = b->len;
  if (uncompress((Bytef *)bytes->data, &len, b->zlib, b->zlib_len) == Z_OK && len == b->len) {
    return bytes;
  }
  blob_unref(bytes);
  return NULL;
}

static const route_entry *inflate_into(route_cache *c, slice key, const struct openapi_bytes *b) {
  blob *bytes = whole_bytes(b);
  return bytes ? route_cache_put(c, key, bytes, SLICE_NONE) : NULL;
}

static slice cut_key(arena *a, const openapi_document *d, bool protobuf) {
  return arena_printf(a, "cut %d %.*s", protobuf, SLICE_ARG(d->path));
}

/* Both forms at once, since the protobuf's tag is the JSON's. */
static void cut_make(request *rq, const openapi_document *d) {
  blob *json = whole_bytes(&d->json), *protobuf = whole_bytes(&d->protobuf);
  route_cache *c = rq->server->routes;
  bool v3 = slice_has_prefix(d->path, SLICE_LIT("v3/"));
  buf out, protobuf_out;
  buf_init(&out, (size_t)16 << 20);
  buf_init(&protobuf_out, (size_t)16 << 20);
  if (json && protobuf && openapi_filter(&rq->server->options.served, blob_slice(json),
                                         blob_slice(protobuf), v3, &out, &protobuf_out)) {
    slice tagged = buf_slice(&out);
    route_cache_put(c, cut_key(rq->arena, d, false), blob_copy(tagged), tagged);
    route_cache_put(c, cut_key(rq->arena, d, true), blob_copy(buf_slice(&protobuf_out)), tagged);
  }
  buf_dispose(&out);
  buf_dispose(&protobuf_out);
  blob_unref(json);
  blob_unref(protobuf);
}

static const route_entry *cut_bytes(request *rq, const openapi_document *d, bool protobuf) {
  slice key = cut_key(rq->arena, d, protobuf);
  const route_entry *e = route_cache_get(rq->server->routes, key);
  if (e) return e;
  cut_make(rq, d);
  return route_cache_get(rq->server->routes, key);
}

/* "v3/apis/apps/v1", "v3/apis/apps", "v3/version": is it shown, and whole? */
static bool path_shown(const served_set *s, slice path, bool *whole) {
  slice group = SLICE_LIT(""), version = SLICE_LIT("v1"), rest;
  *whole = true;
  if (slice_has_prefix(path, SLICE_LIT("v3/apis/"))) {
    if (!slice_cut(slice_from(path, 8), '/', &group, &version)) {
      return served_group(s, group) != NULL;
    }
  } else if (!slice_cut(slice_from(path, 3), '/', &group, &rest) || !slice_is(group, "api")) {
    return true;
  } else {
    group = SLICE_LIT("");
  }
  *whole = served_version_whole(s, group, version);
  return served_group_has_version(s, group, version);
}

/* d NULL: there is no such document here. */
static shown document_shown(request *rq, const openapi_document *d) {
  const served_set *s = &rq->server->options.served;
  bool v2 = slice_has_prefix(d->path, SLICE_LIT("v2")), whole = s->standard;
  if (!v2 && !path_shown(s, d->path, &whole)) return (shown){0};
  shown out = {d, !whole, d->hash};
  if (!out.cut) return out;
  const route_entry *e = cut_bytes(rq, d, false);
  if (!e) return (shown){0};
  out.hash = arena_cstr(rq->arena, slice_of(e->etag + 1, ROUTE_ETAG_LEN - 2));
  return out;
}

/* openapi_documents begins with the default's document of the second version, then everything's. */
#define V3_FIRST 2

static shown document_find(request *rq, slice path) {
  for (uint16_t i = V3_FIRST; i < openapi_document_count; i++) {
    if (slice_eq(openapi_documents[i].path, path)) return document_shown(rq, &openapi_documents[i]);
  }
  return (shown){0};
}

/* prefix and the numbers of the rows that the document is made from. */
static slice custom_key(arena *a, const crd_registry *g, slice group, slice version,
                        slice prefix) {
  slice key = prefix;
  for (uint32_t i = 0; i < g->count; i++) {
    const crd_kind *k = g->kinds[i];
    if (!k->established || !slice_eq(k->group, group)) continue;
    const crd_version *v = crd_version_of(k, version);
    if (v && v->served) key = arena_printf(a, "%.*s%u,", SLICE_ARG(key), v->row.id);
  }
  return key;
}

/* "v3/apis/GROUP/VERSION" of custom resources: made when first asked for, and again when the kinds
 * change. NULL: it is none. */
static const route_entry *custom_document(request *rq, slice path) {
  slice group, version;
  const crd_registry *g = rq->server->customs;
  if (!g || !slice_has_prefix(path, SLICE_LIT("v3/apis/"))) return NULL;
  if (!slice_cut(slice_from(path, 8), '/', &group, &version)) return NULL;
  if (!crd_group_has_version(g, group, version)) return NULL;
  slice prefix = arena_printf(rq->arena, "custom %.*s ", SLICE_ARG(path));
  slice key = custom_key(rq->arena, g, group, version, prefix);
  const route_entry *e = route_cache_get(rq->server->routes, key);
  if (e) return e;
  route_cache_drop(rq->server->routes, prefix);
  slice json = crd_openapi_v3(rq->arena, g, group, version);
  return json.ptr ? route_cache_put(rq->server->routes, key, blob_copy(json), json) : NULL;
}

static void put_le32(char *at, uint32_t n) {
  for (int i = 0; i < 4; i++) at[i] = (char)(n >> 8 * i);
}

/* zlib and gzip differ in what stands around the same deflated bytes: nothing is compressed. */
static const route_entry *gzip_into(route_cache *c, slice key, const struct openapi_bytes *b) {
  static const char HEAD[10] = {0x1f, (char)0x8b, 8, 0, 0, 0, 0, 0, 0, (char)255};
  uint32_t deflated = b->zlib_len - 6; /* without zlib's two bytes before and four behind */
  blob *bytes = blob_alloc(sizeof HEAD + deflated + 8);
  memcpy(bytes->data, HEAD, sizeof HEAD);
  memcpy(bytes->data + sizeof HEAD, b->zlib + 2, deflated);
  put_le32(bytes->data + sizeof HEAD + deflated, b->crc);
  put_le32(bytes->data + sizeof HEAD + deflated + 4, b->len);
  return route_cache_put(c, key, bytes, SLICE_NONE);
}

static const route_entry *cut_gzip(request *rq, const openapi_document *d, bool protobuf,
                                   slice key) {
  const route_entry *e = cut_bytes(rq, d, protobuf);
  http_part part = {e ? blob_slice(e->bytes) : SLICE_NONE, NULL};
  return e ? route_cache_put(rq->server->routes, key, gzip_parts(&part, 1), SLICE_NONE) : NULL;
}

static const route_entry *document_gzip(request *rq, const shown *h, bool protobuf) {
  const openapi_document *d = h->d;
  slice key = arena_printf(rq->arena, "gzip %d %.*s", protobuf, SLICE_ARG(d->path));
  const route_entry *e = route_cache_get(rq->server->routes, key);
  if (!e && h->cut) return cut_gzip(rq, d, protobuf, key);
  return e ? e : gzip_into(rq->server->routes, key, protobuf ? &d->protobuf : &d->json);
}

static const route_entry *document_bytes(request *rq, const shown *h, bool protobuf) {
  const openapi_document *d = h->d;
  if (h->cut) return cut_bytes(rq, d, protobuf);
  slice key = arena_printf(rq->arena, "openapi %d %.*s", protobuf, SLICE_ARG(d->path));
  const route_entry *e = route_cache_get(rq->server->routes, key);
  return e ? e : inflate_into(rq->server->routes, key, protobuf ? &d->protobuf : &d->json);
}

static void empty_answer(route_answer *out, int status) {
  out->status = status;
  out->body = SLICE_NONE;
}

/* Was the document as it is now at this header's date? A date that can't be read does not count. */
static bool is_since(request *rq, slice since, int64_t modified_s) {
  struct tm t;
  memset(&t, 0, sizeof t);
  if (since.len == 0) return false;
  const char *end = strptime(arena_cstr(rq->arena, since), "%a, %d %b %Y %H:%M:%S GMT", &t);
  return end && *end == 0 && timegm(&t) >= modified_s;
}

/* The status that the request's conditions give: 200, 304, or 412 where a method that is not
 * for reading asks for "none of these". */
static int condition_status(request *rq, slice etag, int64_t modified_s) {
  bool reads = slice_is(rq->http->method, "GET") || slice_is(rq->http->method, "HEAD");
  slice none_match = http_header_get(rq->http, "If-None-Match");
  if (none_match.len) {
    bool match = slice_is(slice_trim(none_match), "*") ||
                 (etag.len && slice_find(none_match, etag) >= 0);
    return match ? (reads ? 304 : 412) : 200;
  }
  bool fresh = reads && is_since(rq, http_header_get(rq->http, "If-Modified-Since"), modified_s);
  return fresh ? 304 : 200;
}

/* Go's http.ServeContent, as far as whole documents go. `gzip`: e is compressed. */
static void serve(request *rq, route_answer *out, const route_entry *e, const char *type,
                  slice etag, bool gzip, int64_t modified_s) {
  out->status = condition_status(rq, etag, modified_s);
  if (etag.len) route_header(out, "Etag", etag);
  if (out->status == 200) route_header(out, "Accept-Ranges", SLICE_LIT("bytes"));
  if (out->status != 304 || etag.len == 0) {
    slice modified = http_date(rq->arena, modified_s * 1000000000, 0, "GMT");
    route_header(out, "Last-Modified", modified);
  }
  if (out->status == 200 || (out->status == 412 && etag.len)) {
    route_header(out, "Content-Type", slice_cstr(type));
  }
  if (out->status != 200) return;
  out->body = blob_slice(e->bytes);
  out->owner = e->bytes;
  if (gzip) {
    route_header(out, "Content-Encoding", SLICE_LIT("gzip"));
  } else {
    route_header(out, "Content-Length", arena_printf(rq->arena, "%zu", out->body.len));
  }
}

static int64_t started_s(const request *rq) {
  return route_cache_started(rq->server->routes) / 1000000000;
}

static slice quoted(arena *a, const char *hash) {
  return arena_printf(a, "\"%s\"", hash);
}

/* Named with a quality above zero; "*" does not count. */
static bool takes_gzip(slice header) {
  slice part, coding, rest = header, params;
  for (bool more = header.len > 0; more;) {
    more = slice_cut(rest, ',', &part, &rest);
    slice_cut(part, ';', &coding, &params);
    if (!slice_eq_nocase(slice_trim(coding), SLICE_LIT("gzip"))) continue;
    params = slice_trim(params);
    if (!slice_has_prefix(params, SLICE_LIT("q="))) return true;
    for (size_t i = 2; i < params.len; i++) {
      if (params.ptr[i] >= '1' && params.ptr[i] <= '9') return true;
    }
    return false;
  }
  return false;
}

static void answer_v2(request *rq, route_answer *out) {
  route_header(out, "Cache-Control", SLICE_LIT("no-cache, private"));
  route_header(out, "Vary", SLICE_LIT("Accept-Encoding"));
  route_header(out, "Vary", SLICE_LIT("Accept"));
  int form = accept_choose(rq->arena, http_header_get(rq->http, "Accept"), V2_TYPES, 3);
  shown h = document_shown(rq, &openapi_documents[rq->server->options.served.standard ? 0 : 1]);
  bool gzip = takes_gzip(http_header_get(rq->http, "Accept-Encoding"));
  const route_entry *e = form < 0 || !h.d ? NULL
                         : gzip           ? document_gzip(rq, &h, form > 0)
                                          : document_bytes(rq, &h, form > 0);
  if (!e) {
    empty_answer(out, form < 0 ? 406 : 500);
    return;
  }
  const route_entry *custom = NULL;
  if (form == 0) {
    const route_entry *plain = document_bytes(rq, &h, false);
    custom = plain ? openapi_custom_v2(rq, blob_slice(plain->bytes), gzip) : NULL;
  }
  if (custom) {
    serve(rq, out, custom, "application/json", slice_of(custom->etag, ROUTE_ETAG_LEN), gzip,
          route_cache_changed_s(rq->server->routes));
    return;
  }
  serve(rq, out, e, form ? V2_PROTOBUF : "application/json", quoted(rq->arena, h.hash), gzip,
        started_s(rq));
}

static void index_put(request *rq, val *paths, slice path, slice hash) {
  arena *a = rq->arena;
  val *url = val_map(a);
  val_setc(a, url, "serverRelativeURL",
           val_printf(a, "/openapi/%.*s?hash=%.*s", SLICE_ARG(path), SLICE_ARG(hash)));
  val_set(a, paths, slice_from(path, 3), url);
}

static void index_customs(request *rq, val *paths) {
  const crd_registry *g = rq->server->customs;
  slice *groups, *versions;
  uint32_t count = crd_groups(g, rq->arena, &groups);
  for (uint32_t i = 0; i < count; i++) {
    uint32_t n = crd_group_versions(g, rq->arena, groups[i], &versions);
    for (uint32_t v = 0; v < n; v++) {
      slice path = arena_printf(rq->arena, "v3/apis/%.*s/%.*s", SLICE_ARG(groups[i]),
                                SLICE_ARG(versions[v]));
      const route_entry *e = custom_document(rq, path);
      slice hash = e ? slice_of(e->etag + 1, ROUTE_ETAG_LEN - 2) : SLICE_NONE;
      if (e && !val_get(paths, slice_from(path, 3))) index_put(rq, paths, path, hash);
    }
  }
}

/* {"paths":{"api/v1":{"serverRelativeURL":"/openapi/v3/api/v1?hash=..."},...}} */
static const route_entry *make_index(request *rq, slice key) {
  val *paths = val_map(rq->arena), *index = val_map(rq->arena);
  for (uint16_t i = V3_FIRST; i < openapi_document_count; i++) {
    shown h = document_shown(rq, &openapi_documents[i]);
    if (h.d) index_put(rq, paths, openapi_documents[i].path, slice_cstr(h.hash));
  }
  index_customs(rq, paths);
  val_sort(paths);
  val_setc(rq->arena, index, "paths", paths);
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  json_encode_any(&b, index, false);
  const route_entry *e =
      route_cache_put(rq->server->routes, key, blob_copy(buf_slice(&b)), SLICE_NONE);
  buf_dispose(&b);
  return e;
}

static void answer_v3_index(request *rq, route_answer *out) {
  slice key = SLICE_LIT("openapi index");
  const route_entry *e = route_cache_get(rq->server->routes, key);
  if (!e) e = make_index(rq, key);
  route_header(out, "Cache-Control", SLICE_LIT("no-cache, private"));
  if (!e) {
    empty_answer(out, 500);
    return;
  }
  serve(rq, out, e, "text/plain; charset=utf-8", SLICE_NONE, false,
        route_cache_changed_s(rq->server->routes));
}

static void answer_v3(request *rq, slice path, route_answer *out) {
  slice name = slice_from(path, sizeof "/openapi/" - 1);
  shown h = document_find(rq, name);
  slice no_cache = SLICE_LIT("no-cache, private");
  const route_entry *custom = h.d ? NULL : custom_document(rq, name);
  if (!h.d && !custom) {
    route_header(out, "Cache-Control", no_cache);
    empty_answer(out, 404);
    return;
  }
  if (custom) h.hash = arena_cstr(rq->arena, slice_of(custom->etag + 1, ROUTE_ETAG_LEN - 2));
  /* Custom resources' documents have no protobuf here. */
  int form = accept_choose(rq->arena, http_header_get(rq->http, "Accept"), V3_TYPES,
                           custom ? 1 : 3);
  if (form == ACCEPT_NO_CLAUSE) { /* the real handler's loop over them ends with nothing said */
    empty_answer(out, 200);
    return;
  }
  const route_entry *e = form < 0 ? NULL : custom ? custom : document_bytes(rq, &h, form > 0);
  const char *type = form > 0 ? V3_PROTOBUF : "application/json";
  slice hash = http_query_get(rq->http, "hash"), etag = quoted(rq->arena, h.hash);
  bool right = slice_is(hash, h.hash);
  route_header(out, "Cache-Control", e && right ? SLICE_LIT("public, immutable") : no_cache);
  route_header(out, "Vary", SLICE_LIT("Accept"));
  if (!e) {
    empty_answer(out, form < 0 ? 406 : 500);
    return;
  }
  if (hash.len && !right) {
    route_header(out, "Etag", etag);
    route_header(out, "Content-Type", slice_cstr(type));
    route_header(out, "Location",
                 arena_printf(rq->arena, "%.*s?hash=%s", SLICE_ARG(path), h.hash));
    empty_answer(out, 301);
    return;
  }
  if (right) route_header(out, "Expires", http_date(rq->arena, rq->wall_ns, 1, "UTC"));
  serve(rq, out, e, type, etag, false,
        custom ? route_cache_changed_s(rq->server->routes) : started_s(rq));
}

bool openapi_route(request *rq, slice path, route_answer *out) {
  if (slice_is(path, "/openapi/v2")) {
    answer_v2(rq, out);
  } else if (slice_is(path, "/openapi/v3")) {
    answer_v3_index(rq, out);
  } else if (slice_has_prefix(path, SLICE_LIT("/openapi/v3/"))) {
    answer_v3(rq, path, out);
  } else {
    return false;
  }
  return true;
}
