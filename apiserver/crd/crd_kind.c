/* Rows out of a definition. What they are made of is copied into the kind's arena. */
#include "crd/crd.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "crd/structural.h"
#include "registry/object.h"

#include <openssl/sha.h>

#define VERBS_ALL (VERB_CREATE | VERB_DELETE | VERB_DELETECOLLECTION | VERB_GET | VERB_LIST | \
                   VERB_PATCH | VERB_UPDATE | VERB_WATCH)
#define VERBS_BELOW (VERB_GET | VERB_PATCH | VERB_UPDATE)
#define NAME_DESCRIPTION "Name of the object, unique in its place."

static slice *texts_of(arena *a, const val *list, uint8_t *count) {
  uint32_t n = val_len(list) < 255 ? val_len(list) : 255;
  slice *out = ARENA_ARRAY(a, slice, n + 1);
  for (uint32_t i = 0; i < n; i++) out[i] = val_str(val_at(list, i));
  *count = (uint8_t)n;
  return out;
}

/* apiserver pkg/endpoints/discovery/storageversionhash.go */
static slice storage_hash(arena *a, slice group, slice version, slice kind) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  slice text = arena_printf(a, "%.*s/%.*s/%.*s", SLICE_ARG(group), SLICE_ARG(version),
                            SLICE_ARG(kind));
  SHA256((const unsigned char *)text.ptr, text.len, digest);
  return base64_encode(a, slice_of((const char *)digest, 8));
}

static void add_columns(arena *a, crd_version *v, const val *spec) {
  static const char created[] = ".metadata.creationTimestamp";
  const val *list = val_getc(spec, "additionalPrinterColumns");
  uint32_t own = val_len(list) < 250 ? val_len(list) : 250, n = 0;
  table_column *rows = ARENA_ARRAY(a, table_column, own + 2);
  crd_column *more = ARENA_ARRAY(a, crd_column, own + 2);
  rows[n] = (table_column){SLICE_LIT("Name"), SLICE_LIT("string"), SLICE_LIT("name"), 0};
  more[n++].description = SLICE_LIT(NAME_DESCRIPTION);
  for (uint32_t i = 0; i < own; i++, n++) {
    const val *c = val_at(list, i);
    rows[n] = (table_column){val_get_str(c, "name"), val_get_str(c, "type"),
                             val_get_str(c, "format"), (int32_t)val_i64(val_getc(c, "priority"))};
    more[n] = (crd_column){val_get_str(c, "jsonPath"), val_get_str(c, "description")};
    if (more[n].description.len) continue;
    more[n].description = arena_printf(a, "Custom resource definition column (in JSONPath "
                                       "format): %.*s", SLICE_ARG(more[n].path));
  }
  if (own == 0) {
    rows[n] = (table_column){SLICE_LIT("Age"), SLICE_LIT("date"), SLICE_LIT(""), 0};
    more[n++] = (crd_column){slice_cstr(created), SLICE_LIT("")};
  }
  v->row.columns = rows;
  v->row.column_count = (uint8_t)n;
  v->columns = more;
}

static void add_subresources(arena *a, crd_version *v, const val *spec) {
  const val *subs = val_getc(spec, "subresources"), *scale = val_getc(subs, "scale");
  subresource_info *rows = ARENA_ARRAY(a, subresource_info, 2);
  resource_info *r = &v->row;
  v->status = val_getc(subs, "status") != NULL;
  v->scale = scale != NULL;
  if (v->status) {
    rows[r->subresource_count++] =
        (subresource_info){.name = SLICE_LIT("status"), .group = r->group, .version = r->version,
                           .kind = r->kind, .verbs = VERBS_BELOW, .type = r->type};
  }
  if (v->scale) {
    rows[r->subresource_count++] =
        (subresource_info){.name = SLICE_LIT("scale"), .group = SLICE_LIT("autoscaling"),
                           .version = SLICE_LIT("v1"), .kind = SLICE_LIT("Scale"),
                           .verbs = VERBS_BELOW, .foreign = true};
  }
  r->subresources = rows;
  v->spec_replicas = val_get_str(scale, "specReplicasPath");
  v->status_replicas = val_get_str(scale, "statusReplicasPath");
  v->label_selector = val_get_str(scale, "labelSelectorPath");
}

static void add_selectable(arena *a, crd_version *v, const val *list) {
  slice *names = ARENA_ARRAY(a, slice, val_len(list) + 1);
  for (uint32_t i = 0; i < val_len(list); i++) {
    slice at = val_get_str(val_at(list, i), "jsonPath");
    names[i] = slice_has_prefix(at, SLICE_LIT(".")) ? slice_from(at, 1) : at;
  }
  v->selectable = names;
  v->selectable_count = val_len(list);
}

static bool make_version(crd_kind *k, crd_version *v, const val *spec, const val *crd_spec,
                         const val *names, uint32_t id) {
  arena *a = k->a;
  slice why = SLICE_NONE;
  const val *schema = val_getc(val_getc(spec, "schema"), "openAPIV3Schema");
  resource_info *r = &v->row;
  if (schema) v->schema = structural_create(a, schema, &why);
  if (schema && !v->schema) return false;
  v->kind = k;
  v->type = crd_type_create(a, v->schema ? v->schema->root : NULL);
  v->served = val_true(val_getc(spec, "served"));
  v->stored = val_true(val_getc(spec, "storage"));
  v->deprecated = val_true(val_getc(spec, "deprecated"));
  *r = (resource_info){.group = k->group, .version = val_get_str(spec, "name"),
                       .resource = val_get_str(val_getc(crd_spec, "names"), "plural"),
                       .singular = val_get_str(names, "singular"),
                       .kind = val_get_str(names, "kind"),
                       .list_kind = val_get_str(names, "listKind"), .namespaced = k->namespaced,
                       .verbs = VERBS_ALL, .id = id, .type = v->type, .list_type = v->type,
                       .storage = r, .standard = true, .custom = v};
  r->short_names = texts_of(a, val_getc(names, "shortNames"), &r->short_name_count);
  r->categories = texts_of(a, val_getc(names, "categories"), &r->category_count);
  r->etcd_prefix = arena_printf(a, "%.*s/%.*s", SLICE_ARG(k->group), SLICE_ARG(r->resource));
  add_columns(a, v, spec);
  add_subresources(a, v, spec);
  add_selectable(a, v, val_getc(spec, "selectableFields"));
  const val *warning = val_getc(spec, "deprecationWarning");
  v->warning = warning ? val_str(warning) : SLICE_NONE;
  return true;
}

/* The newest served version that is not deprecated, if it is newer. */
static void set_warning(crd_kind *k, crd_version *v) {
  const crd_version *best = NULL;
  if (!v->deprecated || v->warning.ptr) return;
  for (uint32_t i = 0; i < k->version_count; i++) {
    const crd_version *other = &k->versions[i];
    if (!other->served || other->deprecated) continue;
    if (crd_version_order(other->row.version, v->row.version) >= 0) continue;
    if (!best || crd_version_order(other->row.version, best->row.version) < 0) best = other;
  }
  v->warning = arena_printf(k->a, "%.*s/%.*s %.*s is deprecated", SLICE_ARG(k->group),
                            SLICE_ARG(v->row.version), SLICE_ARG(v->row.kind));
  if (!best) return;
  v->warning = arena_printf(k->a, "%.*s; use %.*s/%.*s %.*s", SLICE_ARG(v->warning),
                            SLICE_ARG(k->group), SLICE_ARG(best->row.version),
                            SLICE_ARG(v->row.kind));
}

static bool make_versions(crd_kind *k, const val *spec, const val *names, uint32_t *next_id) {
  const val *list = val_getc(spec, "versions");
  k->versions = ARENA_ARRAY(k->a, crd_version, val_len(list) + 1);
  for (uint32_t i = 0; i < val_len(list); i++) {
    crd_version *v = &k->versions[k->version_count];
    if (!make_version(k, v, val_at(list, i), spec, names, (*next_id)++)) return false;
    k->version_count++;
    if (v->stored && !k->storage) k->storage = v;
  }
  if (!k->storage) return false;
  slice hash = storage_hash(k->a, k->group, k->storage->row.version, k->storage->row.kind);
  for (uint32_t i = 0; i < k->version_count; i++) {
    k->versions[i].row.storage_hash = hash;
    set_warning(k, &k->versions[i]);
  }
  return true;
}

static slice text_of(arena *a, const val *spec, const val *names) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  json_encode_any(&b, spec, false);
  json_encode_any(&b, names, false);
  slice text = arena_copy(a, buf_slice(&b));
  buf_dispose(&b);
  return text;
}

crd_kind *crd_kind_create(const val *crd, uint32_t *next_id) {
  arena *a = arena_create();
  crd_kind *k = ARENA_NEW(a, crd_kind);
  val *own = val_copy(a, crd), *spec = val_getc(own, "spec");
  const val *status = val_getc(own, "status"), *accepted = val_getc(status, "acceptedNames");
  const val *conditions = val_getc(status, "conditions");
  const val *names = val_get_str(accepted, "kind").len ? accepted : val_getc(spec, "names");
  k->a = a;
  k->name = object_name(own);
  k->uid = object_uid(own);
  k->group = val_get_str(spec, "group");
  k->namespaced = slice_is(val_get_str(spec, "scope"), "Namespaced");
  k->preserve = val_true(val_getc(spec, "preserveUnknownFields"));
  k->webhook = slice_is(val_get_str(val_getc(spec, "conversion"), "strategy"), "Webhook");
  k->established = condition_true(conditions, "Established");
  k->accepted = condition_true(conditions, "NamesAccepted");
  k->terminating = condition_true(conditions, "Terminating");
  if (val_is_map(spec) && k->name.len && make_versions(k, spec, names, next_id)) {
    k->spec_json = text_of(a, spec, names);
    return k;
  }
  crd_kind_destroy(k);
  return NULL;
}

void crd_kind_destroy(crd_kind *k) {
  for (uint32_t i = 0; i < k->version_count; i++) structural_destroy(k->versions[i].schema);
  arena_destroy(k->a);
}
