/* CustomResourceDefinitions. Source: apiextensions-apiserver pkg/apis/apiextensions/validation. The
 * hub type has what all versions share at the top, so errors of it are named there. */
#include "base/ascii.h"
#include "base/quote.h"
#include "crd/pattern_class.h"
#include "registry/validation/admission.h"
#include "registry/object.h"
#include "registry/validation/checks.h"
#include "registry/validation/extension_internal.h"
#include "registry/validation/pod_checks.h"
#include "registry/validation/rows.h"

#include <string.h>

#define COLUMN_TYPES "must be one of boolean,date,integer,number,string"
#define COLUMN_FORMATS "must be one of byte,date,date-time,double,float,int32,int64,password"

static const char *const scopes[] = {"Cluster", "Namespaced", NULL};
static const char *const converters[] = {"None", "Webhook", NULL};
static const char *const column_types[] = {"boolean", "date", "integer", "number", "string", NULL};
static const char *const column_formats[] = {"byte",  "date",  "date-time", "double", "float",
                                             "int32", "int64", "password",  NULL};

static slice lowered(arena *a, slice s) {
  char *p = arena_cstr(a, s);
  for (size_t i = 0; i < s.len; i++) p[i] = p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] + 32) : p[i];
  return slice_of(p, s.len);
}

/* Whether a part of the versions is the same in all of them (and then stands at the top). */
static bool shared(const val *versions, const char *part) {
  for (uint32_t i = 1; i < val_len(versions); i++) {
    if (!val_same(val_getc(val_at(versions, 0), part), val_getc(val_at(versions, i), part)))
      return false;
  }
  return true;
}

static void names_check(field_errors *errs, const path *p, const val *names) {
  static const char mixed[] = "may have mixed case, but should otherwise match: ";
  static const struct {
    const char *field;
    bool mixed;
  } single[] = {{"plural", false}, {"singular", false}, {"kind", true}, {"listKind", true}};
  static const char *const lists[] = {"shortNames", "categories"};
  for (size_t i = 0; i < 4; i++) {
    path at = path_child(p, single[i].field);
    slice text = val_get_str(names, single[i].field);
    slice tested = single[i].mixed ? lowered(errs->a, text) : text;
    if (text.len)
      text_check_joined(errs, &at, TEXT_DNS1035_LABEL, tested, text, single[i].mixed ? mixed : "");
  }
  for (size_t k = 0; k < 2; k++) {
    path list_at = path_child(p, lists[k]), kind = path_child(p, "listKind");
    const val *list = val_getc(names, lists[k]);
    slice own = val_get_str(names, "kind");
    if (k == 1 && own.len && slice_eq(own, val_get_str(names, "listKind"))) {
      field_invalid_str(errs, &kind, own, "kind and listKind may not be the same");
    }
    for (uint32_t i = 0; i < val_len(list); i++) {
      path at = path_index(&list_at, i);
      text_check_joined(errs, &at, TEXT_DNS1035_LABEL, val_str(val_at(list, i)),
                        val_str(val_at(list, i)), "");
    }
  }
}

static void json_path_check(field_errors *errs, const path *p, slice text, const char *under,
                            const char *under2, const char *where) {
  if (!required_str(errs, p, text)) return;
  if (text.ptr[0] != '.')
    field_invalid_str(errs, p, text, "must be a simple json path starting with .");
  else if (under && !slice_has_prefix(text, slice_cstr(under)) &&
           !(under2 && slice_has_prefix(text, slice_cstr(under2)))) {
    field_invalid_str(errs, p, text, "should be a json path under %s", where);
  }
}

static void subresources_check(field_errors *errs, const path *p, const val *subs) {
  path spec = path_child(p, "scale.specReplicasPath"),
       status = path_child(p, "scale.statusReplicasPath"),
       label = path_child(p, "scale.labelSelectorPath");
  const val *scale = val_getc(subs, "scale");
  if (!scale) return;
  json_path_check(errs, &spec, val_get_str(scale, "specReplicasPath"), ".spec.", NULL, ".spec");
  json_path_check(errs, &status, val_get_str(scale, "statusReplicasPath"), ".status.", NULL,
                  ".status");
  slice text = val_get_str(scale, "labelSelectorPath");
  if (text.len)
    json_path_check(errs, &label, text, ".spec.", ".status.", "either .spec or .status");
}

static void columns_check(field_errors *errs, const path *p, const val *list) {
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(p, i), name = path_child(&at, "name"), type_at = path_child(&at, "type"),
         format = path_child(&at, "format"), where = path_child(&at, "JSONPath");
    const val *c = val_at(list, i);
    slice type = val_get_str(c, "type"), f = val_get_str(c, "format");
    required_str(errs, &name, val_get_str(c, "name"));
    if (type.len == 0)
      field_required(errs, &type_at, COLUMN_TYPES);
    else if (!str_in(type, column_types))
      field_invalid_str(errs, &type_at, type, COLUMN_TYPES);
    if (f.len && !str_in(f, column_formats)) field_invalid_str(errs, &format, f, COLUMN_FORMATS);
    json_path_check(errs, &where, val_get_str(c, "jsonPath"), NULL, NULL, NULL);
  }
}

/* What is the same in all versions stands at the top in the hub. */
enum { PART_SCHEMA, PART_SUBRESOURCES, PART_COLUMNS, PART_FIELDS, PARTS };
static const char *const parts[] = {"schema", "subresources", "additionalPrinterColumns",
                                    "selectableFields"};

typedef struct spec_walk {
  const validate_args *v;
  const val *versions;
  bool top[PARTS];
  crd_options o;
} spec_walk;

static bool has_status(const val *version) {
  return val_path(version, "subresources.status") != NULL;
}

/* Does the status subresource count for a schema of version i (of all: -1)? */
static bool status_counts(const spec_walk *w, int64_t i) {
  if (i >= 0) return has_status(val_at(w->versions, w->top[PART_SUBRESOURCES] ? 0 : (uint32_t)i));
  for (uint32_t k = 0; k < val_len(w->versions); k++)
    if (has_status(val_at(w->versions, k))) return true;
  return false;
}

/* Stored with too many selectable fields, and not touched. */
static bool fields_kept(const spec_walk *w, const val *version) {
  const val *old = val_path(w->v->old, "spec.versions");
  for (uint32_t i = 0; i < val_len(old); i++) {
    const val *o = val_at(old, i);
    if (slice_eq(val_get_str(o, "name"), val_get_str(version, "name")))
      return val_equal(val_getc(o, "selectableFields"), val_getc(version, "selectableFields"));
  }
  return false;
}

static void fields_check(const spec_walk *w, const path *p, const val *version, bool top,
                         const char *schema_name) {
  const val *fields = val_getc(version, "selectableFields"),
            *schema = val_path(version, "schema.openAPIV3Schema");
  path at = path_child(p, "selectableFields");
  (void)schema_name;
  if (!val_len(fields)) return;
  /* The schemas may be the same in all versions while the fields are not, or the fields while the
   * schemas are not: then the hub has them at different places, and the real server errs. */
  if (top != w->top[PART_SCHEMA] || !schema) {
    field_invalid_str(w->v->errs, &at, SLICE_LIT(""),
                      top ? "may only be set when validations.schema is included"
                          : "may only be set when `version.schema.openAPIV3Schema` is not included");
    return;
  }
  crd_fields_check(w->v->errs, &at, fields, schema, fields_kept(w, version));
}

/* The parts of version i, or (top) of all, which stand in the first. */
static void parts_check(const spec_walk *w, const path *p, uint32_t i, bool top) {
  field_errors *errs = w->v->errs;
  const val *version = val_at(w->versions, i);
  const char *name = top ? "validation" : "schema";
  path schema = path_child(p, name), subs = path_child(p, "subresources"),
       columns = path_child(p, "additionalPrinterColumns");
  const val *s = val_path(version, "schema.openAPIV3Schema");
  if (w->top[PART_SCHEMA] == top && s)
    crd_schema_check(errs, &schema, s, status_counts(w, top ? -1 : (int64_t)i), &w->o);
  if (w->top[PART_SUBRESOURCES] == top)
    subresources_check(errs, &subs, val_getc(version, "subresources"));
  if (w->top[PART_COLUMNS] == top)
    columns_check(errs, &columns, val_getc(version, "additionalPrinterColumns"));
  if (w->top[PART_FIELDS] == top) fields_check(w, p, version, top, name);
}

static void printable_check(field_errors *errs, const path *p, const val *text) {
  slice all = val_str(text), s = all;
  while (s.len) {
    size_t size;
    uint32_t rune = rune_decode(s, &size);
    if (!utf8_is_printable(rune)) {
      field_invalid_named(errs, p, all,
                          "must only contain printable UTF-8 characters; non-printable character "
                          "found at index %zu",
                          all.len - s.len);
      return;
    }
    s = slice_from(s, size);
  }
}

static void deprecation_check(field_errors *errs, const path *p, const val *version) {
  path at = path_child(p, "deprecationWarning");
  const val *warning = val_getc(version, "deprecationWarning");
  if (!warning) return;
  if (!val_true(val_getc(version, "deprecated"))) {
    field_invalid_named(errs, &at, val_str(warning), "can only be set for deprecated versions");
    return;
  }
  if (warning->count > 256)
    field_invalid_named(errs, &at, val_str(warning), "must be <= 256 characters long");
  if (warning->count == 0)
    field_invalid_named(errs, &at, val_str(warning), "must not be an empty string");
  printable_check(errs, &at, warning);
}

/* As the hub shows them: without what went to the top. */
static const val *hub_versions(arena *a, const val *versions, const bool *top) {
  if (!val_is_list(versions)) return NULL;
  val *copy = val_copy(a, versions);
  for (uint32_t i = 0; i < val_len(copy); i++) {
    for (size_t k = 0; k < PARTS; k++) {
      if (top[k]) val_delc(val_at(copy, i), parts[k]);
    }
  }
  return copy;
}

static void schemas_there_check(const spec_walk *w, const path *versions) {
  bool served_only = !w->o.need_schema;
  if (w->top[PART_SCHEMA] && val_path(val_at(w->versions, 0), "schema.openAPIV3Schema")) return;
  for (uint32_t i = 0; i < val_len(w->versions); i++) {
    const val *version = val_at(w->versions, i);
    path p = path_index(versions, i), schema = path_child(&p, "schema"),
         openapi = path_child(&schema, "openAPIV3Schema");
    if (val_path(version, "schema.openAPIV3Schema")) continue;
    if (!served_only) field_required(w->v->errs, &openapi, "%s", "");
    else if (val_true(val_getc(version, "served")))
      field_required(w->v->errs, &openapi, "because otherwise all fields are pruned");
  }
}

static void versions_check(const spec_walk *w, const path *spec) {
  const val *list = w->versions;
  field_errors *errs = w->v->errs;
  path versions = path_child(spec, "versions");
  val *names = val_map(errs->a);
  uint32_t stored = 0;
  bool unique = true;
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&versions, i), name_at = path_child(&p, "name");
    slice name = val_get_str(val_at(list, i), "name");
    stored += val_true(val_getc(val_at(list, i), "storage"));
    if (seen_before(errs->a, names, name.ptr ? name : SLICE_LIT(""))) unique = false;
    text_check_joined(errs, &name_at, TEXT_DNS1035_LABEL, name, name, "");
    deprecation_check(errs, &p, val_at(list, i));
    parts_check(w, &p, i, false);
  }
  const val *shown = hub_versions(errs->a, list, w->top);
  if (!unique)
    crd_versions_invalid(errs, &versions, shown, "must contain unique version names");
  if (stored != 1)
    crd_versions_invalid(errs, &versions, shown,
                         "must have exactly one version marked as storage version");
  path first = path_child(spec, "version"); /* the hub's own, which is the first one's name */
  slice name = val_get_str(val_at(list, 0), "name");
  if (name.len) text_check_joined(errs, &first, TEXT_DNS1035_LABEL, name, name, "");
}

static void conversion_check(field_errors *errs, const path *spec, const val *c,
                             const crd_options *o) {
  path p = path_child(spec, "conversion"), how = path_child(&p, "strategy"),
       client = path_child(&p, "webhookClientConfig"), url_at = path_child(&client, "url"),
       service_at = path_child(&client, "service"), ca_at = path_child(&client, "caBundle"),
       reviews = path_child(&p, "conversionReviewVersions");
  const val *config = val_path(c, "webhook.clientConfig"),
            *list = val_path(c, "webhook.conversionReviewVersions");
  const val *url = val_getc(config, "url"), *service = val_getc(config, "service");
  slice name = val_get_str(c, "strategy");
  bool known = false;
  if (!c) return;
  if (required_str(errs, &how, name)) enum_check(errs, &how, name, converters);
  if (!slice_is(name, "Webhook")) {
    if (config)
      field_forbidden(errs, &client, "should not be set when strategy is not set to Webhook");
    if (val_len(list))
      field_forbidden(errs, &reviews, "should not be set when strategy is not set to Webhook");
    return;
  }
  if (!config)
    field_required(errs, &client, "required when strategy is set to Webhook");
  else if (!url == !service)
    field_required(errs, &client, "exactly one of url or service is required");
  else if (url)
    webhook_url_check(errs, &url_at, val_str(url));
  else
    webhook_service_check(errs, &service_at, service, false);
  slice ca = val_get_str(config, "caBundle");
  const char *problem = ca.len && !o->any_ca ? crd_ca_problem(errs->a, ca) : NULL;
  if (problem)
    field_invalid_named(errs, &ca_at, ca, "unable to load root certificates: %s", problem);
  if (val_len(list) == 0) field_required(errs, &reviews, "%s", "");
  val *seen = val_map(errs->a);
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(&reviews, i);
    slice version = val_str(val_at(list, i));
    if (seen_before(errs->a, seen, version))
      field_invalid_str(errs, &at, version, "duplicate version");
    else
      text_check(errs, &at, TEXT_DNS1035_LABEL, version);
    known = known || slice_is(version, "v1") || slice_is(version, "v1beta1");
  }
  if (val_len(list) && !known && o->known_review)
    field_invalid(errs, &reviews, list, "must include at least one of v1, v1beta1");
}

static void group_check(field_errors *errs, const path *spec, slice group) {
  path p = path_child(spec, "group");
  if (!required_str(errs, &p, group)) return;
  if (!text_is_valid(TEXT_DNS1123_SUBDOMAIN, group))
    text_check_joined(errs, &p, TEXT_DNS1123_SUBDOMAIN, group, group, "");
  else if (slice_find_char(group, '.') < 0)
    field_invalid_str(errs, &p, group, "should be a domain with at least one dot");
}

static bool has_default(const val *s, void *ctx) {
  const val *v = val_getc(s, "default");
  (void)ctx;
  return v && !val_is_null(v);
}

static void unknown_kept_check(spec_walk *w, const path *spec, const val *s) {
  path unknown = path_child(spec, "preserveUnknownFields");
  bool loose = val_true(val_getc(s, "preserveUnknownFields")), defaults = false;
  for (uint32_t i = 0; i < val_len(w->versions); i++)
    defaults = defaults || crd_schemas_any(val_path(val_at(w->versions, i),
                                                    "schema.openAPIV3Schema"), has_default, NULL);
  if (!loose || defaults) w->o.structural = true;
  if (loose && defaults)
    field_invalid(w->v->errs, &unknown, val_bool(w->v->errs->a, true),
                  "must be false in order to use defaults in the schema");
}

static void spec_check(const validate_args *v, const path *spec, const val *s) {
  static const char *const needed[] = {"plural", "singular", "kind", "listKind"};
  field_errors *errs = v->errs;
  path scope = path_child(spec, "scope"), names = path_child(spec, "names"),
       versions = path_child(spec, "versions"), conversion = path_child(spec, "conversion"),
       how_at = path_child(&conversion, "strategy");
  spec_walk w = {.v = v, .versions = val_getc(s, "versions"),
                 .o = crd_options_of(errs->a, v->obj, v->old)};
  for (size_t k = 0; k < PARTS; k++) w.top[k] = shared(w.versions, parts[k]);
  group_check(errs, spec, val_get_str(s, "group"));
  if (required_str(errs, &scope, val_get_str(s, "scope")))
    plain_enum_check(errs, &scope, val_get_str(s, "scope"), scopes);
  schemas_there_check(&w, &versions);
  unknown_kept_check(&w, spec, s);
  versions_check(&w, spec);
  for (size_t i = 0; i < 4; i++) {
    path at = path_child(&names, needed[i]);
    required_str(errs, &at, val_get_str(val_getc(s, "names"), needed[i]));
  }
  names_check(errs, &names, val_getc(s, "names"));
  if (val_len(w.versions)) parts_check(&w, spec, 0, true);
  const val *c = val_getc(s, "conversion");
  slice how = val_get_str(c, "strategy");
  if (c && !slice_is(how, "None") && val_true(val_getc(s, "preserveUnknownFields")))
    field_invalid_named(errs, &how_at, how, "must be None if spec.preserveUnknownFields is true");
  conversion_check(errs, spec, c, &w.o);
}

static void change_check(const validate_args *v, const path *spec) {
  static const struct {
    const char *path, *parent, *field;
    bool when_established;
  } fixed[] = {{"spec.scope", NULL, "scope", true},
               {"spec.names.kind", "names", "kind", true},
               {"spec.group", NULL, "group", false},
               {"spec.names.plural", "names", "plural", false}};
  bool established = condition_true(val_path(v->old, "status.conditions"), "Established");
  for (size_t i = 0; i < 4; i++) {
    path names = path_child(spec, "names"),
         at = path_child(fixed[i].parent ? &names : spec, fixed[i].field);
    if (fixed[i].when_established && !established) continue;
    immutable_str_check(v->errs, &at, val_str(val_path(v->obj, fixed[i].path)),
                        val_str(val_path(v->old, fixed[i].path)));
  }
}

static void stored_check(const validate_args *v, const val *versions) {
  path status = path_root("status"), p = path_child(&status, "storedVersions");
  const val *stored = val_path(v->obj, "status.storedVersions");
  val *names = val_map(v->errs->a), *kept = val_map(v->errs->a);
  if (val_len(stored) == 0) {
    field_invalid(v->errs, &p, stored, "must have at least one stored version");
    return;
  }
  for (uint32_t i = 0; i < val_len(stored); i++)
    seen_before(v->errs->a, kept, val_str(val_at(stored, i)));
  for (uint32_t i = 0; i < val_len(versions); i++) {
    slice name = val_get_str(val_at(versions, i), "name");
    seen_before(v->errs->a, names, name);
    if (val_true(val_getc(val_at(versions, i), "storage")) && !val_get(kept, name)) {
      field_invalid(v->errs, &p, stored, "must have the storage version %.*s", SLICE_ARG(name));
    }
    val_del(kept, name); /* a second one of the name is not found again */
  }
  for (uint32_t i = 0; i < val_len(stored); i++) {
    path at = path_index(&p, i);
    slice s = val_str(val_at(stored, i));
    if (val_get(names, s)) continue;
    field_invalid_str(
        v->errs, &at, s,
        "missing from spec.versions; %.*s was previously a storage version, and must remain in "
        "spec.versions until a storage migration ensures no data remains persisted in %.*s and "
        "removes %.*s from "
        "status.storedVersions",
        SLICE_ARG(s), SLICE_ARG(s), SLICE_ARG(s));
  }
}

#define APPROVED "api-approved.kubernetes.io"
#define PROTECTED "protected groups must have approval annotation \"" APPROVED "\""
#define PROTECTED_SEE ", see https://github.com/kubernetes/enhancements/pull/1111"

static bool group_is_protected(slice group) {
  return slice_is(group, "k8s.io") || slice_has_suffix(group, SLICE_LIT(".k8s.io")) ||
         slice_is(group, "kubernetes.io") || slice_has_suffix(group, SLICE_LIT(".kubernetes.io"));
}

/* "scheme://host", and whatever comes then. */
static bool is_url(slice text) {
  size_t n = 0;
  while (n < text.len && (ascii_is_alnum(text.ptr[n]) || (n && strchr("+-.", text.ptr[n])))) n++;
  slice rest = slice_from(text, n);
  if (!n || !ascii_is_alpha(*text.ptr) || !slice_has_prefix(rest, SLICE_LIT("://"))) return false;
  return rest.len > 3 && !strchr("/?#", rest.ptr[3]);
}

typedef enum approval { APPROVAL_MISSING, APPROVAL_BYPASSED, APPROVAL_GIVEN, APPROVAL_BAD } approval;

static approval approval_of(const val *crd, slice *text) {
  *text = val_get_str(val_path(crd, "metadata.annotations"), APPROVED);
  if (!text->len) return APPROVAL_MISSING;
  if (slice_has_prefix(*text, SLICE_LIT("unapproved"))) return APPROVAL_BYPASSED;
  return is_url(*text) ? APPROVAL_GIVEN : APPROVAL_BAD;
}

/* Groups of the project's own want a review's address; what was so before may stay. */
static void approval_check(const validate_args *v) {
  slice text, before;
  if (!group_is_protected(val_str(val_path(v->obj, "spec.group")))) return;
  approval now = approval_of(v->obj, &text);
  if (v->old && approval_of(v->old, &before) == now) return;
  path meta = path_root("metadata"), notes = path_child(&meta, "annotations"),
       at = path_key(&notes, SLICE_LIT(APPROVED));
  if (now == APPROVAL_MISSING) require(v->errs, &at, NULL, PROTECTED PROTECTED_SEE);
  if (now == APPROVAL_BAD) {
    refuse_str(v->errs, &at, NULL, text,
               PROTECTED " with either a URL or a reason starting with \"unapproved\"" PROTECTED_SEE);
  }
}

static void name_check(const validate_args *v, const char *field, slice want) {
  path meta = path_root("metadata"), at = path_child(&meta, field);
  slice name = val_get_str(val_getc(v->obj, "metadata"), field), texts[4];
  bool base = strcmp(field, "generateName") == 0;
  if (!name.len) return;
  uint32_t n = text_problems(v->errs->a, TEXT_DNS1123_SUBDOMAIN, name, base, texts);
  for (uint32_t i = 0; i < n; i++) field_invalid_str(v->errs, &at, name, "%.*s", SLICE_ARG(texts[i]));
  if (!slice_eq(name, want))
    field_invalid_str(v->errs, &at, name, "must be spec.names.plural+\".\"+spec.group");
}

void validate_crd(const validate_args *v) {
  path spec = path_root("spec"), status = path_root("status"),
       accepted = path_child(&status, "acceptedNames"),
       unknown = path_child(&spec, "preserveUnknownFields");
  const val *s = val_getc(v->obj, "spec"), *names = val_getc(s, "names"),
            *loose = val_getc(s, "preserveUnknownFields");
  if (v->old) {
    meta_change(v);
  } else {
    slice group = val_get_str(s, "group"), plural = val_get_str(names, "plural");
    slice want = arena_printf(v->errs->a, "%.*s.%.*s", SLICE_ARG(plural), SLICE_ARG(group));
    name_check(v, "generateName", want);
    name_check(v, "name", want);
    meta_rules(v, TEXT_ANY);
  }
  if (!slice_is(v->subresource, "status")) {
    spec_check(v, &spec, s);
    if (v->old) change_check(v, &spec);
  }
  names_check(v->errs, &accepted, val_path(v->obj, "status.acceptedNames"));
  if (slice_is(v->subresource, "status")) return;
  stored_check(v, val_getc(s, "versions"));
  approval_check(v);
  if (val_true(loose) && !val_true(val_path(v->old, "spec.preserveUnknownFields"))) {
    field_invalid(v->errs, &unknown, loose,
                  "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
                  "spec.versions[*].schema instead");
  }
}
