/* Accept headers become clauses, sorted as goautoneg sorts them; the first clause that some
 * form satisfies wins. The sort is Go's insertion sort up to a dozen clauses, because the
 * order that the real one gives to equal and to contradicting clauses shows. */
#include "codec/media.h"

#include "codec/mime.h"

#include <stdlib.h>

#define GO_INSERTION_MAX 12u
#define CLAUSES_MAX 4096u

typedef struct format_row {
  const char *type, *subtype, *media;
  const char *stream; /* content type of a watch, or NULL */
  const char *stream_name; /* how errors call it */
} format_row;

static const format_row formats[] = {
    [FORMAT_JSON] = {"application", "json", "application/json", "application/json",
                    "application/json;stream=watch"},
    [FORMAT_YAML] = {"application", "yaml", "application/yaml", NULL, NULL},
    [FORMAT_PROTOBUF] = {"application", "vnd.kubernetes.protobuf",
                     "application/vnd.kubernetes.protobuf",
                     "application/vnd.kubernetes.protobuf;stream=watch",
                     "application/vnd.kubernetes.protobuf;stream=watch"},
};
#define FORMAT_COUNT (sizeof formats / sizeof *formats)

typedef struct clause {
  slice type, subtype, params; /* params: the text behind the first ';' */
  double q;
  uint32_t at;
} clause;

typedef struct clause_params {
  bool has_convert, pretty;
  slice as, group, version, stream, server_version;
} clause_params;

static slice trim_spaces(slice s) {
  while (s.len && *s.ptr == ' ') s = slice_from(s, 1);
  while (s.len && s.ptr[s.len - 1] == ' ') s.len--;
  return s;
}

/* One "name=value" of a clause; false for what goautoneg passes over. */
static bool param_next(slice *rest, slice *name, slice *value, slice *raw) {
  slice part, more;
  slice_cut(*rest, ';', &part, rest);
  if (!slice_cut(part, '=', name, value) || value->len == 0) return false;
  *raw = *value;
  if (slice_cut(*value, '=', raw, &more) && more.len) return false;
  *name = trim_spaces(*name);
  *value = trim_spaces(*raw);
  return true;
}

static double quality_of(arena *a, slice text) {
  char *end, *copy = arena_cstr(a, text);
  double q = strtod(copy, &end);
  return end == copy || *end || text.len == 0 ? 0 : q;
}

static bool clause_parse(arena *a, slice part, clause *c) {
  slice media, type, rest, name, value, raw, subtype, more;
  slice_cut(trim_spaces(part), ';', &media, &c->params);
  slice_cut(media, '/', &type, &rest);
  c->type = trim_spaces(type);
  c->q = 1;
  if (rest.len == 0) {
    c->subtype = SLICE_LIT("*");
    return slice_is(c->type, "*");
  }
  slice_cut(rest, '/', &subtype, &more);
  if (more.len) return false;
  c->subtype = trim_spaces(subtype);
  for (rest = c->params; rest.len;) {
    if (param_next(&rest, &name, &value, &raw) && slice_is(name, "q")) c->q = quality_of(a, raw);
  }
  return true;
}

static bool goes_before(const clause *x, const clause *y) {
  if (x->q > y->q) return true;
  if (!slice_is(x->type, "*") && slice_is(y->type, "*")) return true;
  return !slice_is(x->subtype, "*") && slice_is(y->subtype, "*");
}

static int clause_cmp(const void *x, const void *y) {
  const clause *a = x, *b = y;
  if (a->q != b->q) return a->q > b->q ? -1 : 1;
  int wild = slice_is(a->type, "*") - slice_is(b->type, "*");
  if (wild == 0) wild = slice_is(a->subtype, "*") - slice_is(b->subtype, "*");
  return wild ? wild : (a->at > b->at) - (a->at < b->at);
}

static void clauses_sort(clause *c, uint32_t count) {
  if (count > GO_INSERTION_MAX) {
    qsort(c, count, sizeof *c, clause_cmp);
    return;
  }
  for (uint32_t i = 1; i < count; i++) {
    for (uint32_t j = i; j > 0 && goes_before(&c[j], &c[j - 1]); j--) {
      clause swap = c[j];
      c[j] = c[j - 1];
      c[j - 1] = swap;
    }
  }
}

static clause *clauses_parse(arena *a, slice accept, uint32_t *count) {
  uint32_t most = 1;
  for (size_t i = 0; i < accept.len && most < CLAUSES_MAX; i++) most += accept.ptr[i] == ',';
  clause *list = ARENA_ARRAY(a, clause, most);
  *count = 0;
  while (accept.len && *count < most) {
    slice part;
    slice_cut(accept, ',', &part, &accept);
    clause c = {.at = *count};
    if (clause_parse(a, part, &c)) list[(*count)++] = c;
  }
  clauses_sort(list, *count);
  return list;
}

/* A later parameter of the same name wins. */
static clause_params params_of(const clause *c) {
  clause_params p = {0};
  slice rest = c->params, name, value, raw;
  while (rest.len) {
    if (!param_next(&rest, &name, &value, &raw)) continue;
    if (slice_is(name, "as")) p.as = value;
    else if (slice_is(name, "g")) p.group = value;
    else if (slice_is(name, "v")) p.version = value;
    else if (slice_is(name, "stream")) p.stream = value;
    else if (slice_is(name, "sv")) p.server_version = value;
    else if (slice_is(name, "pretty")) p.pretty = slice_is(value, "1");
    if (slice_is(name, "as") || slice_is(name, "g") || slice_is(name, "v")) p.has_convert = true;
  }
  return p;
}

static bool convert_fits(const clause_params *p, body_format format, output_form *out) {
  if (!slice_is(p->group, "meta.k8s.io")) return false;
  if (!slice_is(p->version, "v1") && !slice_is(p->version, "v1beta1")) return false;
  if (slice_is(p->as, "Table")) out->as = AS_TABLE;
  else if (slice_is(p->as, "PartialObjectMetadata")) out->as = AS_PARTIAL;
  else if (slice_is(p->as, "PartialObjectMetadataList")) out->as = AS_PARTIAL_LIST;
  else return false;
  out->as_version = p->version;
  return out->as != AS_TABLE || format != FORMAT_PROTOBUF;
}

/* Whether a clause can be met by a format; fills out. transforms: "as" may be asked. */
static bool clause_fits(const clause *c, body_format format, const media_request *rq,
                        bool transforms, output_form *out) {
  const format_row *row = &formats[format];
  bool subtype = slice_is(c->subtype, row->subtype) || slice_is(c->subtype, "*");
  bool any = slice_is(c->type, "*") && slice_is(c->subtype, "*");
  if (!any && !(slice_is(c->type, row->type) && subtype)) return false;
  clause_params p = params_of(c);
  *out = (output_form){.format = format, .content_type = slice_cstr(row->media)};
  if (p.stream.len && (!row->stream || !slice_is(p.stream, "watch"))) return false;
  if (p.server_version.len && (!transforms || !slice_is(p.server_version, "v1"))) return false;
  if (p.has_convert && (!transforms || !convert_fits(&p, format, out))) return false;
  if (out->as == AS_TABLE && !rq->tables) return false;
  /* Custom resources have no protobuf of their own, but their metadata has. */
  if (!p.has_convert && !(rq->formats & 1u << format)) return false;
  out->pretty = p.pretty;
  out->stream = p.stream.len > 0;
  return true;
}

static bool is_go_true(slice s) {
  static const char *const yes[] = {"1", "t", "T", "TRUE", "true", "True"};
  for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
    if (slice_is(s, yes[i])) return true;
  }
  return false;
}

static bool wants_pretty(const media_request *rq) {
  if (rq->pretty.len) return is_go_true(rq->pretty);
  return slice_has_prefix(rq->user_agent, SLICE_LIT("curl")) ||
         slice_has_prefix(rq->user_agent, SLICE_LIT("Wget")) ||
         slice_has_prefix(rq->user_agent, SLICE_LIT("Mozilla/5.0"));
}

static bool choose(arena *a, const media_request *rq, bool transforms, output_form *out) {
  uint32_t count;
  if (rq->accept.len == 0) {
    *out = (output_form){.format = FORMAT_JSON,
                        .content_type = slice_cstr(formats[FORMAT_JSON].media)};
    return true;
  }
  const clause *list = clauses_parse(a, rq->accept, &count);
  for (uint32_t i = 0; i < count; i++) {
    for (unsigned f = 0; f < FORMAT_COUNT; f++) {
      if (clause_fits(&list[i], (body_format)f, rq, transforms, out)) return true;
    }
  }
  return false;
}

/* "application/json, application/yaml, ...": what errors list. */
static slice format_names(arena *a, unsigned set, bool plain, bool stream) {
  slice text = SLICE_LIT("");
  for (unsigned pass = 0; pass < 2; pass++) {
    for (unsigned f = 0; f < FORMAT_COUNT; f++) {
      const char *name = pass ? formats[f].stream_name : formats[f].media;
      if (!(set & 1u << f) || !name || !(pass ? stream : plain)) continue;
      text = arena_printf(a, "%.*s%s%s", SLICE_ARG(text), text.len ? ", " : "", name);
    }
  }
  return text;
}

static bool not_acceptable(arena *a, unsigned set, bool stream, status_error *err) {
  slice names = format_names(a, set, !stream, stream);
  return status_set(err, a, STATUS_NOT_ACCEPTABLE,
                    "only the following media types are accepted: %.*s", SLICE_ARG(names));
}

bool media_output(arena *a, const media_request *rq, output_form *out,
                      status_error *err) {
  if (!choose(a, rq, true, out)) return not_acceptable(a, rq->formats, false, err);
  out->pretty = out->format == FORMAT_JSON && (out->pretty || wants_pretty(rq));
  return true;
}

bool media_watch(arena *a, const media_request *rq, output_form *out,
                     status_error *err) {
  if (!choose(a, rq, true, out)) return not_acceptable(a, rq->formats, false, err);
  if (!formats[out->format].stream) return not_acceptable(a, rq->formats, true, err);
  out->pretty = false;
  out->content_type = slice_cstr(formats[out->format].stream);
  return true;
}

void media_error(arena *a, const media_request *rq, output_form *out) {
  if (!choose(a, rq, false, out)) {
    *out = (output_form){.format = FORMAT_JSON, .raw = true,
                        .content_type = slice_cstr(formats[FORMAT_JSON].media)};
    return;
  }
  out->pretty = out->format == FORMAT_JSON && (out->pretty || wants_pretty(rq));
}

/* The router compares without parameters, and knows of wildcards only the full one. */
static bool route_matches(slice header, const char *const *names, size_t count, bool any) {
  slice part, media, params;
  do {
    slice_cut(header, ',', &part, &header);
    slice_cut(part, ';', &media, &params);
    media = trim_spaces(media);
    if (any && slice_is(media, "*/*")) return true;
    for (size_t i = 0; i < count; i++) {
      if (slice_is(media, names[i])) return true;
    }
  } while (header.len);
  return false;
}

static const char *const patch_names[] = {
    [PATCH_JSON] = "application/json-patch+json",
    [PATCH_MERGE] = "application/merge-patch+json",
    [PATCH_STRATEGIC] = "application/strategic-merge-patch+json",
    [PATCH_APPLY] = "application/apply-patch+yaml",
};
#define PATCH_COUNT (sizeof patch_names / sizeof *patch_names)

bool media_route(arena *a, slice accept, slice content_type, bool consumes_patch,
                     bool watchable, status_error *err) {
  const char *produced[FORMAT_COUNT];
  for (size_t i = 0; i < FORMAT_COUNT; i++) produced[i] = formats[i].media;
  if (consumes_patch && !route_matches(content_type, patch_names, PATCH_COUNT, false)) {
    status_set(err, a, STATUS_UNSUPPORTED_MEDIA, "415: Unsupported Media Type");
    err->has_details = true;
    return false;
  }
  if (accept.len == 0 || route_matches(accept, produced, FORMAT_COUNT, true)) return true;
  slice names = format_names(a, MEDIA_SET_BUILTIN, true, watchable);
  status_set(err, a, STATUS_NOT_ACCEPTABLE,
             "406: Not Acceptable\n\nAvailable representations: %.*s", SLICE_ARG(names));
  err->has_details = true;
  return false;
}

bool media_body(arena *a, slice content_type, unsigned set, body_format *out,
                    status_error *err) {
  slice media;
  *out = FORMAT_JSON;
  if (content_type.len == 0) return true;
  if (mime_media_type(a, content_type, &media)) {
    for (unsigned f = 0; f < FORMAT_COUNT; f++) {
      if (!(set & 1u << f) || !slice_is(media, formats[f].media)) continue;
      *out = (body_format)f;
      return true;
    }
  }
  slice names = format_names(a, set, true, false);
  return status_set(err, a, STATUS_UNSUPPORTED_MEDIA,
                    "the body of the request was in an unknown format - accepted media types "
                    "include: %.*s", SLICE_ARG(names));
}

bool media_patch(arena *a, slice content_type, bool strategic, patch_kind *out,
                     status_error *err) {
  slice media = content_type, names = SLICE_LIT("");
  ptrdiff_t at = slice_find_char(content_type, ';');
  if (at > 0) media = slice_upto(content_type, (size_t)at);
  for (unsigned i = 0; i < PATCH_COUNT; i++) {
    if (i == PATCH_STRATEGIC && !strategic) continue;
    if (slice_is(media, patch_names[i])) {
      *out = (patch_kind)i;
      return true;
    }
    names = arena_printf(a, "%.*s%s%s", SLICE_ARG(names), names.len ? ", " : "",
                         patch_names[i]);
  }
  return status_set(err, a, STATUS_UNSUPPORTED_MEDIA,
                    "the body of the request was in an unknown format - accepted media types "
                    "include: %.*s", SLICE_ARG(names));
}

slice media_internal_package(slice group) {
  slice head, rest;
  if (group.len == 0 || slice_is(group, "events.k8s.io")) return SLICE_LIT("core");
  if (slice_is(group, "internal.apiserver.k8s.io")) return SLICE_LIT("apiserverinternal");
  slice_cut(group, '.', &head, &rest);
  return head;
}
