/* The first clause of Accept that some form satisfies wins; texts list the forms in the order of
 * the table. */
#include "codec/media.h"

#include "codec/accept.h"
#include "codec/mime.h"

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
    [FORMAT_CBOR] = {"application", "cbor", "application/cbor", "application/cbor-seq",
                     "application/cbor-seq"},
};
#define FORMAT_COUNT (sizeof formats / sizeof *formats)

static bool convert_fits(const accept_params *p, body_format format, output_form *out) {
  if (!slice_is(p->group, "meta.k8s.io")) return false;
  if (!slice_is(p->version, "v1") && !slice_is(p->version, "v1beta1")) return false;
  if (slice_is(p->as, "Table")) out->as = AS_TABLE;
  else if (slice_is(p->as, "PartialObjectMetadata")) out->as = AS_PARTIAL;
  else if (slice_is(p->as, "PartialObjectMetadataList")) out->as = AS_PARTIAL_LIST;
  else return false;
  out->as_version = p->version;
  return out->as != AS_TABLE || format == FORMAT_JSON || format == FORMAT_YAML;
}

/* Whether a clause can be met by a format; fills out. transforms: "as" may be asked. */
static bool clause_fits(const accept_clause *c, body_format format, const media_request *rq,
                        bool transforms, output_form *out) {
  const format_row *row = &formats[format];
  if (format == FORMAT_CBOR && !(rq->formats & MEDIA_SET_CBOR)) return false;
  if (!accept_fits(c, slice_cstr(row->type), slice_cstr(row->subtype))) return false;
  accept_params p = accept_params_of(c);
  *out = (output_form){.format = format, .content_type = slice_cstr(row->media)};
  if (p.stream.len && (!row->stream || !slice_is(p.stream, "watch"))) return false;
  if (p.server_version.len && (!transforms || !slice_is(p.server_version, "v1"))) return false;
  if (p.converts && (!transforms || !convert_fits(&p, format, out))) return false;
  if (out->as == AS_TABLE && !rq->tables) return false;
  /* Custom resources have no protobuf of their own, but their metadata has. */
  if (!p.converts && !(rq->formats & 1u << format)) return false;
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

bool media_pretty(slice asked, slice user_agent) {
  if (asked.len) return is_go_true(asked);
  return slice_has_prefix(user_agent, SLICE_LIT("curl")) ||
         slice_has_prefix(user_agent, SLICE_LIT("Wget")) ||
         slice_has_prefix(user_agent, SLICE_LIT("Mozilla/5.0"));
}

static bool choose(arena *a, const media_request *rq, bool transforms, output_form *out) {
  uint32_t count;
  if (rq->accept.len == 0) {
    *out = (output_form){.format = FORMAT_JSON,
                        .content_type = slice_cstr(formats[FORMAT_JSON].media)};
    return true;
  }
  const accept_clause *list = accept_clauses(a, rq->accept, &count);
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
  set |= MEDIA_SET_BUILTIN; /* what custom resources can't be is named too */
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
  out->pretty = out->format == FORMAT_JSON &&
      (out->pretty || media_pretty(rq->pretty, rq->user_agent));
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
  media_request any = *rq; /* a Status has every form */
  any.formats |= MEDIA_SET_BUILTIN;
  if (!choose(a, &any, false, out)) {
    *out = (output_form){.format = FORMAT_JSON, .raw = true,
                        .content_type = slice_cstr(formats[FORMAT_JSON].media)};
    return;
  }
  out->pretty = out->format == FORMAT_JSON &&
      (out->pretty || media_pretty(rq->pretty, rq->user_agent));
}

#define PATCH_APPLY_CBOR (PATCH_APPLY + 1) /* last: it is there with the gate alone */
static const char *const patch_names[] = {
    [PATCH_JSON] = "application/json-patch+json",
    [PATCH_MERGE] = "application/merge-patch+json",
    [PATCH_STRATEGIC] = "application/strategic-merge-patch+json",
    [PATCH_APPLY] = "application/apply-patch+yaml",
    [PATCH_APPLY_CBOR] = "application/apply-patch+cbor",
};

static unsigned patch_count(unsigned set) {
  return set & MEDIA_SET_CBOR ? PATCH_APPLY_CBOR + 1 : PATCH_APPLY_CBOR;
}

bool media_route(arena *a, slice accept, slice content_type, unsigned set, bool consumes_patch,
                 enum media_routed route, status_error *err) {
  const char *produced[FORMAT_COUNT + 2];
  size_t count = set & MEDIA_SET_CBOR ? FORMAT_COUNT : FORMAT_CBOR;
  for (size_t i = 0; i < count; i++) produced[i] = formats[i].media;
  bool watchable = route == MEDIA_ROUTE_LIST, log = route == MEDIA_ROUTE_LOG;
  if (watchable && (set & MEDIA_SET_CBOR)) produced[count++] = formats[FORMAT_CBOR].stream;
  if (log) produced[count++] = "text/plain";
  if (consumes_patch && !accept_routed(content_type, patch_names, patch_count(set), false)) {
    status_set(err, a, STATUS_UNSUPPORTED_MEDIA, "415: Unsupported Media Type");
    err->has_details = true;
    return false;
  }
  if (accept.len == 0 || accept_routed(accept, produced, count, true)) return true;
  slice names = format_names(a, set, true, watchable);
  status_set(err, a, STATUS_NOT_ACCEPTABLE,
             "406: Not Acceptable\n\nAvailable representations: %s%.*s",
             log ? "text/plain, " : "", SLICE_ARG(names));
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

bool media_patch(arena *a, slice content_type, unsigned set, patch_kind *out, bool *cbor,
                 status_error *err) {
  slice media = content_type, names = SLICE_LIT("");
  ptrdiff_t at = slice_find_char(content_type, ';');
  if (at > 0) media = slice_upto(content_type, (size_t)at);
  for (unsigned i = 0; i < patch_count(set); i++) {
    if (i == PATCH_STRATEGIC && !(set & 1u << FORMAT_PROTOBUF)) continue;
    if (slice_is(media, patch_names[i])) {
      *cbor = i == PATCH_APPLY_CBOR;
      *out = *cbor ? PATCH_APPLY : (patch_kind)i;
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
