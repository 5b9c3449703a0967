/* Bodies of writes: by their form to a typed tree, refused in the words of the real server.
 *
 * What the body says about itself counts first (its kind may be another than the wanted one
 * and must then be registered), so the texts differ by how far decoding came: before a kind
 * was found they show the body's first bytes, after it they name the kind.
 * Sources: apimachinery pkg/runtime/serializer, apiserver handlers/rest.go and create.go. */
#include "base/ascii.h"
#include "base/limits.h"
#include "base/quote.h"
#include "codec/cbor_quick.h"
#include "codec/cbor_wire.h"
#include "codec/media.h"
#include "codec/codec.h"
#include "codec/negotiate.h"
#include "codec/strict.h"
#include "crd/crd_object.h"

#define SUMMARY_BYTES ((size_t)30)
#define SCHEME_NAME "pkg/runtime/scheme.go:111" /* where the real one made its scheme */

typedef struct decoding {
  request *rq;
  body_format format;
  slice body;
  slice group, version, kind; /* of the body, the wanted ones where it is silent */
  bool identified; /* they are known, so that an error may name them */
  slice error;
  strict_report strict;
  val *tree;
  slice message; /* protobuf: inside the envelope */
} decoding;

static slice hex(arena *a, slice s) {
  static const char digits[] = "0123456789abcdef";
  char *out = arena_alloc(a, s.len * 2 + 1);
  for (size_t i = 0; i < s.len; i++) {
    out[2 * i] = digits[(unsigned char)s.ptr[i] >> 4];
    out[2 * i + 1] = digits[(unsigned char)s.ptr[i] & 15];
  }
  return slice_of(out, s.len * 2);
}

static slice summary(arena *a, slice body) {
  if (body.len == 0) return SLICE_LIT("<empty>");
  slice head = slice_upto(body, SUMMARY_BYTES);
  slice text = *body.ptr == '{' ? head : hex(a, head);
  return body.len > SUMMARY_BYTES ? arena_concat(a, text, SLICE_LIT(" ...")) : text;
}

/* "apps/v1" into its parts; false when it has more than two. */
static bool split_api_version(slice text, slice *group, slice *version) {
  slice rest;
  if (!slice_cut(text, '/', group, &rest)) {
    *version = text;
    *group = SLICE_LIT("");
    return true;
  }
  *version = rest;
  return slice_find_char(rest, '/') < 0;
}

static bool set_kind(decoding *d, slice api_version, slice kind) {
  slice group, version;
  bool good = split_api_version(api_version, &group, &version);
  bool binary = d->format == FORMAT_CBOR || d->format == FORMAT_PROTOBUF;
  if (!good && binary) group = version = SLICE_LIT(""); /* as if it were silent */
  else if (!good) {
    d->error = arena_concat(d->rq->arena, SLICE_LIT("unexpected GroupVersion string: "),
                            api_version);
    return false;
  }
  if (kind.len) d->kind = kind;
  if (version.len || (group.len && !slice_eq(group, d->group))) {
    d->group = group;
    d->version = version;
  }
  d->identified = true;
  if (d->version.len || d->format == FORMAT_PROTOBUF) return true;
  arena *a = d->rq->arena;
  slice shown = d->format == FORMAT_CBOR ? cbor_diagnose(a, d->body) : d->body;
  d->error = arena_concat(a, SLICE_LIT("Object 'apiVersion' is missing in '"), shown);
  d->error = arena_concat(a, d->error, SLICE_LIT("'"));
  return false;
}

static const char *json_type_name(const val *v) {
  switch ((val_type)v->type) {
    case VAL_BOOL: return "bool";
    case VAL_INT:
    case VAL_FLOAT: return "number";
    case VAL_STRING: return "string";
    case VAL_LIST: return "array";
    case VAL_MAP: return "object";
    case VAL_NULL: break;
  }
  return "null";
}

/* Does Go's encoding/json take key for the field of this name (in small letters)? It folds case,
 * and two letters beyond ASCII fold to k and s. */
static bool is_folded(slice key, const char *name) {
  size_t at = 0;
  for (; *name; name++) {
    slice rest = slice_from(key, at);
    if (rest.len == 0) return false;
    if (ascii_lower(*rest.ptr) == *name) at++;
    else if (*name == 'k' && slice_has_prefix(rest, SLICE_LIT("\xe2\x84\xaa"))) at += 3;
    else if (*name == 's' && slice_has_prefix(rest, SLICE_LIT("\xc5\xbf"))) at += 2;
    else return false;
  }
  return at == key.len;
}

/* Go reads kind and apiVersion first, into a struct of two strings. */
static bool find_kind(decoding *d) {
  arena *a = d->rq->arena;
  slice found[2] = {SLICE_LIT(""), SLICE_LIT("")};
  static const char *const names[] = {"kind", "apiVersion"};
  static const char *const folded[] = {"kind", "apiversion"};
  static const char prefix[] = "couldn't get version/kind; json parse error: ";
  if (val_is_null(d->tree)) d->tree = val_map(a);
  if (!val_is_map(d->tree)) {
    d->error = arena_printf(
        a, "%sjson: cannot unmarshal %s into Go value of type struct { APIVersion string "
        "\"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }",
        prefix, json_type_name(d->tree));
    return false;
  }
  uint32_t count;
  const val_entry *e = strict_entries(&d->strict, d->tree, &count);
  for (uint32_t i = 0; i < count; i++) {
    int which = is_folded(e[i].key, folded[0]) ? 0 : is_folded(e[i].key, folded[1]) ? 1 : -1;
    if (which < 0 || val_is_null(e[i].value)) continue;
    if (!val_is_string(e[i].value)) {
      d->error = arena_printf(a, "%sjson: cannot unmarshal %s into Go struct field .%s of type "
                              "string", prefix, json_type_name(e[i].value), names[which]);
      return false;
    }
    found[which] = val_str(e[i].value);
  }
  return set_kind(d, found[1], found[0]);
}

/* Most bodies are typed at once; then d->tree is set. */
static bool parse_cbor(decoding *d) {
  arena *a = d->rq->arena;
  slice api_version, kind, group, version;
  bool quick = cbor_type_meta_quick(d->body, &api_version, &kind) && kind.len &&
               split_api_version(api_version, &group, &version) && version.len;
  const kind_info *k = quick ? schema_kind(group, version, kind) : NULL;
  if (k) d->tree = cbor_decode_quick(a, d->body, k->type);
  return (d->tree || cbor_type_meta(a, d->body, &api_version, &kind, &d->error)) &&
         set_kind(d, api_version, kind);
}

static bool parse(decoding *d) {
  arena *a = d->rq->arena;
  slice api_version, kind, encoding, type;
  if (d->format == FORMAT_PROTOBUF) {
    return proto_open_envelope(a, d->body, &api_version, &kind, &d->message, &encoding, &type,
                               &d->error) &&
           set_kind(d, api_version, kind);
  }
  if (d->format == FORMAT_CBOR) return parse_cbor(d);
  if (d->format == FORMAT_YAML) {
    d->tree = yaml_parse(a, d->body, &d->strict, &d->error);
    return d->tree && find_kind(d);
  }
  d->tree = json_parse_typed(a, d->body, &d->strict, &d->error);
  if (!d->tree) {
    d->error = arena_concat(a, SLICE_LIT("couldn't get version/kind; json parse error: "),
                            d->error);
    return false;
  }
  return find_kind(d);
}

/* The version of the types that no client sees. */
static bool is_internal(const decoding *d) { return slice_is(d->version, "__internal"); }

static void not_registered(decoding *d) {
  arena *a = d->rq->arena;
  slice version = d->version;
  if (is_internal(d)) {
    slice shown = go_quote(a, d->kind), group = go_quote(a, d->group);
    d->error = arena_printf(a, "no kind %.*s is registered for the internal version of group %.*s "
                            "in scheme \"" SCHEME_NAME "\"", SLICE_ARG(shown), SLICE_ARG(group));
    return;
  }
  if (d->group.len) version = arena_concat(a, arena_concat(a, d->group, SLICE_LIT("/")), version);
  slice kind = go_quote(a, d->kind);
  version = go_quote(a, version);
  d->error = arena_printf(a, "no kind %.*s is registered for version %.*s in scheme "
                          "\"" SCHEME_NAME "\"", SLICE_ARG(kind), SLICE_ARG(version));
}

/* Kinds that belong to no version: any will do. */
static const kind_info *find_unversioned(slice kind) {
  static const char *const names[] = {"Status", "APIVersions", "APIGroup", "APIGroupList",
                                      "APIResourceList"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (slice_is(kind, names[i])) return schema_kind(SLICE_LIT(""), SLICE_LIT("v1"), kind);
  }
  return NULL;
}

static const kind_info *kind_of_any_version(slice group, slice kind) {
  for (uint16_t i = 0; i < schema_kind_count; i++) {
    const kind_info *k = &schema_kinds[i];
    if (slice_eq(k->group, group) && slice_eq(k->kind, kind)) return k;
  }
  return NULL;
}

static const kind_info *find_registered(decoding *d) {
  const kind_info *k = schema_kind(d->group, d->version, d->kind);
  if (!k) k = find_unversioned(d->kind);
  if (!k && is_internal(d)) k = kind_of_any_version(d->group, d->kind);
  if (!k) not_registered(d);
  return k;
}

static bool make_typed_cbor(decoding *d, const kind_info *k) {
  if (d->tree) return true; /* by parse_cbor */
  slice unknown = SLICE_NONE;
  bool strict = d->rq->validation != VALIDATE_IGNORE;
  d->tree = cbor_decode(d->rq->arena, d->body, k->type, strict ? &unknown : NULL, &d->error);
  if (d->tree && unknown.len) strict_add(&d->strict, d->rq->arena, unknown);
  return d->tree != NULL;
}

/* Internal types have no names for JSON: of a body none of its fields is known. */
static val *internal_tree(arena *a, const val *tree, strict_report *report) {
  VAL_EACH(e, tree) {
    if (!slice_is(e->key, "kind") && !slice_is(e->key, "apiVersion")) {
      strict_add_unknown(report, a, e->key, e->key);
    }
  }
  return val_map(a);
}

static bool make_typed(decoding *d, const kind_info *k) {
  arena *a = d->rq->arena;
  if (d->format == FORMAT_CBOR) return make_typed_cbor(d, k);
  if (is_internal(d) && d->format != FORMAT_PROTOBUF) {
    d->tree = internal_tree(a, d->tree, &d->strict);
    return true;
  }
  if (d->format == FORMAT_PROTOBUF) d->tree = proto_decode(a, d->message, k->type, &d->error);
  else d->tree = codec_conform(a, d->tree, k->type, &d->strict, &d->error);
  return d->tree != NULL;
}

/* [] asks to forget all managers, as [{}] does, but a typed tree takes it for none given. */
static bool mark_forgotten_managers(decoding *d) {
  val *managers = val_path(d->tree, "metadata.managedFields");
  bool empty = val_is_list(managers) && val_len(managers) == 0;
  if (empty) val_append(d->rq->arena, managers, val_map(d->rq->arena));
  return true;
}

static bool refuse(decoding *d, slice want_kind) {
  request *rq = d->rq;
  if (d->format == FORMAT_PROTOBUF && slice_has_prefix(d->error, SLICE_LIT(PROTO_NO_JSON))) {
    return status_plain(&rq->error, rq->arena, "%.*s", SLICE_ARG(d->error));
  }
  if (d->identified) {
    slice version = go_quote(rq->arena, d->version);
    return status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST,
                      "%.*s in version %.*s cannot be handled as a %.*s: %.*s", SLICE_ARG(d->kind),
                      SLICE_ARG(version), SLICE_ARG(want_kind), SLICE_ARG(d->error));
  }
  slice shown = summary(rq->arena, d->body);
  return status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST,
                    "the object provided is unrecognized (must be of type %.*s): %.*s (%.*s)",
                    SLICE_ARG(want_kind), SLICE_ARG(d->error), SLICE_ARG(shown));
}

/* Unknown and duplicate fields: a warning each, an error, or nothing. */
static bool check_strict(decoding *d) {
  request *rq = d->rq;
  if (d->strict.count == 0 || rq->validation == VALIDATE_IGNORE) return true;
  if (rq->validation == VALIDATE_STRICT) {
    d->error = strict_error(rq->arena, &d->strict);
    return false;
  }
  for (uint32_t i = 0; i < d->strict.count; i++) request_warn_strict(rq, d->strict.items[i]);
  return true;
}

static void set_type_meta(decoding *d) {
  arena *a = d->rq->arena;
  val *meta = val_map(a);
  slice api_version = d->group.len ? arena_printf(a, "%.*s/%.*s", SLICE_ARG(d->group),
                                                  SLICE_ARG(d->version))
                                   : d->version;
  val_setc(a, meta, "kind", val_string(a, d->kind));
  val_setc(a, meta, "apiVersion", val_string(a, api_version));
  VAL_EACH(e, d->tree) {
    if (!slice_is(e->key, "kind") && !slice_is(e->key, "apiVersion")) {
      val_set(a, meta, e->key, e->value);
    }
  }
  d->tree = meta;
}

/* Different Go types of one internal type: other versions of the group, core and
 * events.k8s.io events. */
static bool is_convertible(const decoding *d, slice group, slice kind) {
  if (!slice_eq(d->kind, kind)) return false;
  if (slice_eq(d->group, group)) return true;
  if (slice_is(kind, "Scale")) return true; /* every group that has one */
  bool events = slice_is(kind, "Event");
  return events && (d->group.len == 0 || group.len == 0);
}

static slice go_type_name(arena *a, const kind_info *k) {
  return k->type->name.len ? k->type->name : arena_printf(a, "v1.%.*s", SLICE_ARG(k->kind));
}

static bool check_conversion(decoding *d, const kind_info *k, slice group, slice kind) {
  if (is_convertible(d, group, kind)) return true;
  slice from = go_type_name(d->rq->arena, k), package = media_internal_package(group);
  d->error = arena_printf(d->rq->arena,
                          "converting (%.*s) to (%.*s.%.*s): unknown conversion", SLICE_ARG(from),
                          SLICE_ARG(package), SLICE_ARG(kind));
  return false;
}

static bool check_version(decoding *d, slice group, slice version) {
  request *rq = d->rq;
  if (slice_eq(d->group, group) && slice_eq(d->version, version)) return true;
  bool eviction = slice_is(d->kind, "Eviction") && slice_is(d->group, "policy");
  if (eviction) return true; /* its v1beta1 is taken too */
  return status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST,
                    "the API version in the data (%.*s%s%.*s) does not match the expected API "
                    "version (%.*s%s%.*s)", SLICE_ARG(d->group), d->group.len ? "/" : "",
                    SLICE_ARG(d->version), SLICE_ARG(group), group.len ? "/" : "",
                    SLICE_ARG(version));
}

static bool parse_untyped(decoding *d) {
  arena *a = d->rq->arena;
  if (d->format != FORMAT_CBOR) return parse(d) && val_is_map(d->tree);
  slice api_version, kind;
  d->tree = cbor_parse(a, d->body, &d->error);
  if (!d->tree) return false;
  if (val_is_null(d->tree)) d->tree = val_map(a);
  api_version = val_get_str(d->tree, "apiVersion");
  kind = val_get_str(d->tree, "kind");
  return set_kind(d, api_version, kind);
}

/* YAML is shown as the JSON that it was made into. */
static void set_kind_missing(decoding *d) {
  arena *a = d->rq->arena;
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  if (d->format != FORMAT_JSON) json_encode_any(&b, d->tree, true);
  slice shown = d->format == FORMAT_JSON ? d->body : arena_copy(a, buf_slice(&b));
  buf_dispose(&b);
  d->error = arena_concat(a, SLICE_LIT("Object 'Kind' is missing in '"), shown);
  d->error = arena_concat(a, d->error, SLICE_LIT("'"));
  d->identified = false;
}

static val *wrong_version(request *rq, slice version, const resource_info *r) {
  status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST,
             "the API version in the data (%.*s) does not match the expected API version "
             "(%.*s/%.*s)", SLICE_ARG(version), SLICE_ARG(r->group), SLICE_ARG(r->version));
  return NULL;
}

/* A custom resource's body: of any kind, which validation refuses, but of its own version. */
static val *decode_custom(decoding *d, const crd_version *v) {
  request *rq = d->rq;
  const resource_info *r = &v->row;
  bool read = parse_untyped(d);
  if (!read) {
    refuse(d, r->kind);
    return NULL;
  }
  slice version = val_get_str(d->tree, "apiVersion"), kind = val_get_str(d->tree, "kind");
  if (kind.len == 0) {
    set_kind_missing(d);
    refuse(d, r->kind);
    return NULL;
  }
  bool known = slice_eq(d->group, r->group) && slice_eq(d->version, r->version);
  if (!version.len || !known) return wrong_version(rq, version, r);
  if (!crd_coerce(rq->arena, v, d->tree, &d->strict, &d->error) || !check_strict(d)) {
    refuse(d, r->kind);
    return NULL;
  }
  return d->tree;
}

val *negotiate_decode(request *rq, slice want_group, slice want_version, slice want_kind,
                      const kind_info **got) {
  decoding d = {.rq = rq, .body = rq->http->body, .group = want_group,
                .version = want_version, .kind = want_kind};
  if (!negotiate_input(rq, &d.format)) return NULL;
  const crd_version *custom = rq->resource ? rq->resource->custom : NULL;
  if (custom && slice_eq(want_kind, custom->row.kind)) return decode_custom(&d, custom);
  const kind_info *k = NULL;
  bool good = parse(&d) && (k = find_registered(&d)) != NULL && mark_forgotten_managers(&d) &&
              make_typed(&d, k) && check_conversion(&d, k, want_group, want_kind) &&
              check_strict(&d);
  if (!good) {
    refuse(&d, want_kind);
    return NULL;
  }
  if (!check_version(&d, want_group, want_version)) return NULL;
  set_type_meta(&d);
  if (got) *got = k;
  return d.tree;
}

val *negotiate_decode_bytes(arena *a, body_format format, slice bytes, const kind_info *want,
                            strict_report *report, const kind_info **got, slice *error) {
  request rq = {.arena = a};
  decoding d = {.rq = &rq, .format = format, .body = bytes, .group = want->group,
                .version = want->version, .kind = want->kind};
  bool good = parse(&d) && (*got = find_registered(&d)) != NULL && make_typed(&d, *got);
  if (report) *report = d.strict;
  *error = d.error;
  return good ? d.tree : NULL;
}

/* The kinds of the options' own scheme beside DeleteOptions, and the versions that know them. Each
 * has Go's name of its type where it is not v1's. */
typedef enum meta_versions {
  META_V1 = 1,
  META_V1BETA1 = 2,
  META_INTERNAL = 4,
  META_ANY = 8
} meta_versions;

typedef struct meta_row {
  const char *kind;
  uint8_t versions; /* META_* */
  const char *internal, *beta;
} meta_row;

static const meta_row meta_rows[] = {
    {"CreateOptions", META_ANY, NULL, NULL},
    {"UpdateOptions", META_ANY, NULL, NULL},
    {"Status", META_ANY, NULL, NULL},
    {"APIVersions", META_ANY, NULL, NULL},
    {"APIGroup", META_ANY, NULL, NULL},
    {"APIGroupList", META_ANY, NULL, NULL},
    {"APIResourceList", META_ANY, NULL, NULL},
    {"PatchOptions", META_V1, NULL, NULL},
    {"GetOptions", META_V1 | META_INTERNAL, NULL, NULL},
    {"ListOptions", META_V1 | META_INTERNAL, "internalversion.ListOptions", NULL},
    {"WatchEvent", META_V1 | META_INTERNAL, "v1.InternalEvent", NULL},
    {"Table", META_V1 | META_V1BETA1 | META_INTERNAL, NULL, NULL},
    {"TableOptions", META_V1 | META_V1BETA1 | META_INTERNAL, NULL, NULL},
    {"PartialObjectMetadata", META_V1 | META_V1BETA1 | META_INTERNAL, NULL, NULL},
    {"PartialObjectMetadataList", META_V1 | META_V1BETA1 | META_INTERNAL,
     "v1beta1.PartialObjectMetadataList", "v1beta1.PartialObjectMetadataList"},
};

static unsigned meta_version_of(const decoding *d) {
  if (!slice_is(d->group, "meta.k8s.io")) return META_ANY;
  if (slice_is(d->version, "v1")) return META_V1 | META_ANY;
  if (slice_is(d->version, "v1beta1")) return META_V1BETA1 | META_ANY;
  return is_internal(d) ? META_INTERNAL | META_ANY : META_ANY;
}

static const kind_info *find_options(decoding *d, slice kind) {
  if (slice_eq(d->kind, kind)) return schema_kind(SLICE_LIT(""), SLICE_LIT("v1"), kind);
  unsigned version = meta_version_of(d);
  for (size_t i = 0; i < sizeof meta_rows / sizeof *meta_rows; i++) {
    const meta_row *row = &meta_rows[i];
    if (!slice_is(d->kind, row->kind) || !(row->versions & version)) continue;
    const char *type = version & META_INTERNAL ? row->internal
                       : version & META_V1BETA1 ? row->beta
                                                : NULL;
    slice name = type ? slice_cstr(type) : arena_printf(d->rq->arena, "v1.%s", row->kind);
    d->error = arena_printf(d->rq->arena, "converting (%.*s) to (v1.%.*s): unknown conversion",
                            SLICE_ARG(name), SLICE_ARG(kind));
    return NULL;
  }
  not_registered(d);
  return NULL;
}

bool negotiate_decode_options(request *rq, slice kind, val **out) {
  decoding d = {.rq = rq, .body = rq->http->body, .version = SLICE_LIT("v1"), .kind = kind,
                .group = SLICE_LIT("meta.k8s.io")};
  if (!negotiate_input(rq, &d.format)) return false;
  const kind_info *k = NULL;
  if (parse(&d) && (k = find_options(&d, kind)) != NULL && make_typed(&d, k)) {
    set_type_meta(&d);
    *out = d.tree;
    return true;
  }
  return status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST, "%.*s", SLICE_ARG(d.error));
}

val *negotiate_conform(request *rq, const resource_info *r, val *tree, strict_report *report,
                       slice *error) {
  if (r->custom) return crd_coerce(rq->arena, r->custom, tree, report, error) ? tree : NULL;
  decoding d = {.rq = rq, .tree = tree, .group = r->group, .version = r->version, .kind = r->kind};
  /* The codec decodes into the internal type where the document names no version. */
  bool silent = val_is_map(tree) && val_get_str(tree, "apiVersion").len == 0;
  if (silent) {
    d.version = SLICE_LIT("__internal");
    val_sort(tree); /* the patch's own encoder has sorted the document's first level */
  }
  const kind_info *k = find_kind(&d) ? find_registered(&d) : NULL;
  if (k && silent) return internal_tree(rq->arena, tree, report);
  val *typed = k ? codec_conform(rq->arena, tree, k->type, report, &d.error) : NULL;
  if (typed && check_conversion(&d, k, r->group, r->kind)) return typed;
  *error = d.error;
  return NULL;
}
