/* See crd_openapi.h. */
#include "crd/crd_openapi.h"

#include "base/ascii.h"
#include "base/buf.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "crd/crd_openapi_schema.h"
#include "crd/structural.h"

typedef struct marks {
  arena *a;
  slice group, version, plural, kind, list_kind, model, operation, tag;
} marks;

/* "stable.example.com" -> "com.example.stable". */
static slice reversed(arena *a, slice group) {
  slice out = SLICE_LIT(""), part, rest = group;
  bool more = group.len > 0;
  while (more) {
    more = slice_cut(rest, '.', &part, &rest);
    out = out.len ? arena_printf(a, "%.*s.%.*s", SLICE_ARG(part), SLICE_ARG(out)) : part;
  }
  return out;
}

/* "stable.example.com" -> "StableExampleCom": parts that begin with a capital. */
static slice camel(arena *a, slice s, bool first) {
  char *out = arena_alloc(a, s.len + 1);
  size_t n = 0;
  bool up = first;
  for (size_t i = 0; i < s.len; i++) {
    char c = s.ptr[i];
    if (!ascii_is_alnum(c)) {
      up = true;
      continue;
    }
    bool small = c >= 'a' && c <= 'z';
    out[n++] = up && small ? (char)(c - 'a' + 'A') : c;
    up = false;
  }
  return slice_of(out, n);
}

static marks marks_of(arena *a, const resource_info *r) {
  slice operation = arena_concat(a, camel(a, r->group, true), camel(a, r->version, true));
  slice tag = camel(a, r->group, false), model = reversed(a, r->group);
  return (marks){.a = a, .group = r->group, .version = r->version, .plural = r->resource,
                 .kind = r->kind, .list_kind = r->list_kind, .operation = operation,
                 .tag = arena_printf(a, "%.*s_%.*s", SLICE_ARG(tag), SLICE_ARG(r->version)),
                 .model = arena_printf(a, "%.*s.%.*s", SLICE_ARG(model), SLICE_ARG(r->version))};
}

static slice mark_value(const marks *m, slice name) {
  const struct {
    const char *name;
    slice value;
  } rows[] = {
      {"group", m->group},       {"version", m->version},   {"plural", m->plural},
      {"kind", m->kind},         {"listKind", m->list_kind}, {"model", m->model},
      {"operation", m->operation}, {"tag", m->tag},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (slice_is(name, rows[i].name)) return rows[i].value;
  }
  return SLICE_NONE;
}

/* Other braces ("{name}" of a path) stay. */
static slice filled(const marks *m, slice text) {
  if (slice_find_char(text, '{') < 0) return text;
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  for (ptrdiff_t at; (at = slice_find_char(text, '{')) >= 0;) {
    slice name, rest;
    buf_append(&b, slice_upto(text, (size_t)at));
    slice_cut(slice_from(text, (size_t)at + 1), '}', &name, &rest);
    slice value = mark_value(m, name);
    if (value.ptr) {
      buf_append(&b, value);
      text = rest;
    } else {
      buf_char(&b, '{');
      text = slice_from(text, (size_t)at + 1);
    }
  }
  buf_append(&b, text);
  slice out = arena_copy(m->a, buf_slice(&b));
  buf_dispose(&b);
  return out;
}

/* The facts' depth bounds the recursion. */
static val *fill(const marks *m, const val *v) {
  arena *a = m->a;
  if (val_is_string(v)) return val_string(a, filled(m, val_str(v)));
  if (val_is_list(v)) {
    val *out = val_list(a);
    for (uint32_t i = 0; i < val_len(v); i++) val_append(a, out, fill(m, val_at(v, i)));
    return out;
  }
  if (!val_is_map(v)) return val_shared(v);
  val *out = val_map(a);
  VAL_EACH(e, v) val_set(a, out, filled(m, e->key), fill(m, e->value));
  return out;
}

static void add_paths(const marks *m, const crd_version *v, const val *facts, val *paths) {
  arena *a = m->a;
  slice root = arena_printf(a, "/apis/%.*s/%.*s/", SLICE_ARG(m->group), SLICE_ARG(m->version));
  const char *place = v->row.namespaced ? "namespaces/{namespace}/" : "";
  const val *rows = val_getc(facts, v->row.namespaced ? "namespaced" : "cluster");
  VAL_EACH(e, rows) {
    bool all = slice_is(e->key, "all");
    if (slice_is(e->key, "/{name}/scale") && !v->scale) continue;
    if (slice_is(e->key, "/{name}/status") && !v->status) continue;
    slice place_of = arena_printf(a, "%.*s%s%.*s%.*s", SLICE_ARG(root), all ? "" : place,
                              SLICE_ARG(m->plural), SLICE_ARG(all ? SLICE_LIT("") : e->key));
    val_set(a, paths, place_of, fill(m, e->value));
  }
}

static val *selectable_fields(arena *a, const crd_version *v) {
  val *list = val_list(a);
  for (uint32_t i = 0; i < v->selectable_count; i++) {
    val *f = val_map(a);
    val_setc(a, f, "fieldPath", val_string(a, v->selectable[i]));
    val_append(a, list, f);
  }
  return list;
}

static val *gvks_of(const marks *m, slice kind) {
  arena *a = m->a;
  val *gvk = val_map(a), *gvks = val_list(a);
  val_setc(a, gvk, "group", val_string(a, m->group));
  val_setc(a, gvk, "kind", val_string(a, kind));
  val_setc(a, gvk, "version", val_string(a, m->version));
  val_append(a, gvks, gvk);
  return gvks;
}

static void add_schemas(const marks *m, const crd_version *v, const val *facts, val *schemas) {
  arena *a = m->a;
  val *own = crd_openapi_schema(a, v->schema ? v->schema->root : NULL);
  val *list = fill(m, val_getc(facts, "list"));
  val_setc(a, own, "x-kubernetes-group-version-kind", gvks_of(m, m->kind));
  if (v->selectable_count) {
    val_setc(a, own, "x-kubernetes-selectable-fields", selectable_fields(a, v));
    val_setc(a, list, "x-kubernetes-selectable-fields", selectable_fields(a, v));
  }
  val_set(a, schemas, arena_printf(a, "%.*s.%.*s", SLICE_ARG(m->model), SLICE_ARG(m->kind)), own);
  val_set(a, schemas, arena_printf(a, "%.*s.%.*s", SLICE_ARG(m->model), SLICE_ARG(m->list_kind)),
          list);
}

static slice written(arena *a, val *paths, val *schemas) {
  val *doc = val_map(a), *info = val_map(a), *components = val_map(a);
  val_sort(paths);
  val_sort(schemas);
  val_setc(a, info, "title", val_cstr(a, "Kubernetes CRD Swagger"));
  val_setc(a, info, "version", val_cstr(a, "v0.1.0"));
  val_setc(a, components, "schemas", schemas);
  val_setc(a, doc, "openapi", val_cstr(a, "3.0.0"));
  val_setc(a, doc, "info", info);
  val_setc(a, doc, "paths", paths);
  val_setc(a, doc, "components", components);
  return json_text(a, doc, false);
}

slice crd_openapi_v3(arena *a, const crd_registry *g, slice group, slice version) {
  slice error = SLICE_NONE;
  val *facts = json_parse(a, slice_of(crd_openapi_text, crd_openapi_len), NULL, &error);
  val *paths = val_map(a), *schemas = val_map(a);
  bool scales = false;
  for (uint32_t i = 0; i < g->count; i++) {
    const crd_kind *k = g->kinds[i];
    const crd_version *v = slice_eq(k->group, group) ? crd_version_of(k, version) : NULL;
    if (!v || !v->served || !k->established) continue;
    marks m = marks_of(a, &v->row);
    add_paths(&m, v, facts, paths);
    add_schemas(&m, v, facts, schemas);
    scales = scales || v->scale;
  }
  if (paths->count == 0) return SLICE_NONE;
  VAL_EACH(e, val_getc(facts, "schemas")) {
    bool of_scale = slice_has_prefix(e->key, SLICE_LIT("io.k8s.api.autoscaling."));
    if (!of_scale || scales) val_set(a, schemas, e->key, e->value);
  }
  return written(a, paths, schemas);
}

/* ---- the second version ---- */

static val *list_v2(const marks *m) {
  arena *a = m->a;
  val *list = val_map(a), *properties = val_map(a), *items = val_map(a), *ref = val_map(a);
  val *text = val_map(a), *required = val_list(a), *meta = val_map(a);
  val_append(a, required, val_cstr(a, "items"));
  val_setc(a, text, "type", val_cstr(a, "string"));
  val_setc(a, ref, "$ref", val_printf(a, "#/definitions/%.*s.%.*s", SLICE_ARG(m->model),
                                      SLICE_ARG(m->kind)));
  val_setc(a, items, "type", val_cstr(a, "array"));
  val_setc(a, items, "items", ref);
  val_setc(a, meta, "$ref",
           val_cstr(a, "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"));
  val_setc(a, properties, "apiVersion", text);
  val_setc(a, properties, "items", items);
  val_setc(a, properties, "kind", text);
  val_setc(a, properties, "metadata", meta);
  val_setc(a, list, "type", val_cstr(a, "object"));
  val_setc(a, list, "required", required);
  val_setc(a, list, "properties", properties);
  val_setc(a, list, "x-kubernetes-group-version-kind", gvks_of(m, m->list_kind));
  return list;
}

static void add_v2(arena *a, const crd_version *v, val *out) {
  marks m = marks_of(a, &v->row);
  val *own = crd_openapi_schema_v2(a, v->schema ? v->schema->root : NULL, v->kind->preserve);
  val_setc(a, own, "x-kubernetes-group-version-kind", gvks_of(&m, m.kind));
  val_set(a, out, arena_printf(a, "%.*s.%.*s", SLICE_ARG(m.model), SLICE_ARG(m.kind)), own);
  val_set(a, out, arena_printf(a, "%.*s.%.*s", SLICE_ARG(m.model), SLICE_ARG(m.list_kind)),
          list_v2(&m));
}

slice crd_openapi_v2_definitions(arena *a, const crd_registry *g) {
  val *out = val_map(a);
  for (uint32_t i = 0; i < g->count; i++) {
    const crd_kind *k = g->kinds[i];
    for (uint32_t v = 0; k->established && v < k->version_count; v++) {
      if (k->versions[v].served) add_v2(a, &k->versions[v], out);
    }
  }
  if (out->count == 0) return SLICE_LIT("");
  val_sort(out);
  slice text = json_text(a, out, false);
  return slice_of(text.ptr + 1, text.len - 2);
}
