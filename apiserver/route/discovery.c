/* See discovery.h. Key order in these trees is Go's field order, since the tables' order of
 * resources and groups is discovery's own. */
#include "route/discovery.h"

#include "crd/crd.h"

static const struct {
  uint16_t bit;
  const char *name;
} VERBS[] = { /* in discovery's order */
    {VERB_CREATE, "create"}, {VERB_DELETE, "delete"}, {VERB_DELETECOLLECTION, "deletecollection"},
    {VERB_GET, "get"},       {VERB_LIST, "list"},     {VERB_PATCH, "patch"},
    {VERB_UPDATE, "update"}, {VERB_WATCH, "watch"},
};

#define META "io.k8s.apimachinery.pkg.apis.meta.v1."

static void set_string(arena *a, val *map, const char *key, slice text) {
  val_setc(a, map, key, val_string(a, text));
}

/* As the real server writes them of custom resources; those that stay while the kind is going. */
static const struct {
  const char *name;
  bool stays;
} CUSTOM_VERBS[] = {
    {"delete", true}, {"deletecollection", true}, {"get", true},    {"list", true},
    {"patch", false}, {"create", false},          {"update", false}, {"watch", true},
};

static val *custom_verbs(arena *a, const crd_version *v) {
  val *list = val_list(a);
  for (size_t i = 0; i < sizeof CUSTOM_VERBS / sizeof *CUSTOM_VERBS; i++) {
    bool there = CUSTOM_VERBS[i].stays || !v->kind->terminating;
    if (there) val_append(a, list, val_cstr(a, CUSTOM_VERBS[i].name));
  }
  return list;
}

static val *verb_list(arena *a, uint16_t verbs) {
  val *list = val_list(a);
  for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS; i++) {
    if (verbs & VERBS[i].bit) val_append(a, list, val_cstr(a, VERBS[i].name));
  }
  return list;
}

static void set_strings(arena *a, val *map, const char *key, const slice *texts, uint32_t count) {
  if (count == 0) return;
  val *list = val_list(a);
  for (uint32_t i = 0; i < count; i++) val_append(a, list, val_string(a, texts[i]));
  val_setc(a, map, key, list);
}

/* kind and apiVersion lead every document; some of the legacy ones leave apiVersion out. */
static discovery_doc start(arena *a, const char *kind, const char *api_version, slice type) {
  discovery_doc doc = {val_map(a), schema_type(type), slice_cstr(api_version), slice_cstr(kind)};
  set_string(a, doc.tree, "kind", doc.kind);
  val_set_text(a, doc.tree, "apiVersion", doc.api_version);
  return doc;
}

discovery_doc discovery_versions(arena *a, slice address) {
  discovery_doc doc = start(a, "APIVersions", "", SLICE_LIT(META "APIVersions"));
  val *versions = val_list(a), *addresses = val_list(a), *any = val_map(a);
  val_append(a, versions, val_cstr(a, "v1"));
  val_setc(a, doc.tree, "versions", versions);
  set_string(a, any, "clientCIDR", SLICE_LIT("0.0.0.0/0"));
  set_string(a, any, "serverAddress", address);
  val_append(a, addresses, any);
  val_setc(a, doc.tree, "serverAddressByClientCIDRs", addresses);
  return doc;
}

static val *group_version(arena *a, slice group, slice version) {
  val *v = val_map(a);
  set_string(a, v, "groupVersion",
             arena_printf(a, "%.*s/%.*s", SLICE_ARG(group), SLICE_ARG(version)));
  set_string(a, v, "version", version);
  return v;
}

static void fill_group(arena *a, const served_set *served, val *map, const group_info *g) {
  set_string(a, map, "name", g->group);
  val *versions = val_list(a), *first = NULL;
  for (uint32_t i = 0; i < g->version_count; i++) {
    if (!served_version(served, g, i)) continue;
    val *version = group_version(a, g->group, g->versions[i]);
    if (!first) first = version;
    val_append(a, versions, version);
  }
  val_setc(a, map, "versions", versions);
  val_setc(a, map, "preferredVersion", first);
}

discovery_doc discovery_group(arena *a, const served_set *served, const group_info *g) {
  discovery_doc doc = start(a, "APIGroup", "v1", SLICE_LIT(META "APIGroup"));
  fill_group(a, served, doc.tree, g);
  return doc;
}

/* Custom resources' groups have the same priority: by name, behind all others. */
static void fill_custom_group(arena *a, const served_set *served, val *map, slice group) {
  slice *names;
  uint32_t count = crd_group_versions(served->customs, a, group, &names);
  val *versions = val_list(a);
  set_string(a, map, "name", group);
  for (uint32_t i = 0; i < count; i++) val_append(a, versions, group_version(a, group, names[i]));
  val_setc(a, map, "versions", versions);
  val_setc(a, map, "preferredVersion", val_at(versions, 0));
}

discovery_doc discovery_groups(arena *a, const served_set *served) {
  discovery_doc doc = start(a, "APIGroupList", "v1", SLICE_LIT(META "APIGroupList"));
  val *groups = val_list(a);
  for (uint32_t i = 0; i < schema_group_count; i++) {
    if (schema_groups[i].group.len == 0 || !served_any_version(served, &schema_groups[i])) continue;
    val *group = val_map(a);
    fill_group(a, served, group, &schema_groups[i]);
    val_append(a, groups, group);
  }
  slice *customs;
  uint32_t count = crd_groups(served->customs, a, &customs);
  for (uint32_t i = 0; i < count; i++) {
    if (served_group(served, customs[i])) continue;
    val *group = val_map(a);
    fill_custom_group(a, served, group, customs[i]);
    val_append(a, groups, group);
  }
  val_setc(a, doc.tree, "groups", groups);
  return doc;
}

discovery_doc discovery_custom_group(arena *a, const served_set *served, slice group) {
  discovery_doc doc = start(a, "APIGroup", "v1", SLICE_LIT(META "APIGroup"));
  fill_custom_group(a, served, doc.tree, group);
  return doc;
}

/* The next kind, from *at on, that is listed in the version; NULL: no more. */
static const crd_version *custom_next(const served_set *served, slice group, slice version,
                                      uint32_t *at) {
  const crd_registry *g = served->customs;
  while (g && *at < g->count) {
    const crd_kind *k = g->kinds[(*at)++];
    if (!k->established || !slice_eq(k->group, group)) continue;
    const crd_version *v = crd_version_of(k, version);
    if (v && v->served) return v;
  }
  return NULL;
}

static val *resource_entry(arena *a, const resource_info *r) {
  val *v = val_map(a);
  set_string(a, v, "name", r->resource);
  set_string(a, v, "singularName", r->singular);
  val_setc(a, v, "namespaced", val_bool(a, r->namespaced));
  set_string(a, v, "kind", r->kind);
  val_setc(a, v, "verbs", r->custom ? custom_verbs(a, r->custom) : verb_list(a, r->verbs));
  set_strings(a, v, "shortNames", r->short_names, r->short_name_count);
  set_strings(a, v, "categories", r->categories, r->category_count);
  val_set_text(a, v, "storageVersionHash", r->storage_hash);
  return v;
}

static val *subresource_entry(arena *a, const resource_info *r, const subresource_info *s) {
  val *v = val_map(a);
  set_string(a, v, "name",
             arena_printf(a, "%.*s/%.*s", SLICE_ARG(r->resource), SLICE_ARG(s->name)));
  set_string(a, v, "singularName", SLICE_LIT(""));
  val_setc(a, v, "namespaced", val_bool(a, r->namespaced));
  if (s->foreign) {
    val_set_text(a, v, "group", s->group);
    val_set_text(a, v, "version", s->version);
  }
  set_string(a, v, "kind", s->kind);
  val_setc(a, v, "verbs", verb_list(a, s->verbs));
  return v;
}

discovery_doc discovery_resources(arena *a, const served_set *served, slice group,
                                  slice version) {
  /* The core group's document was there before the rule that kinds name their version. */
  discovery_doc doc = start(a, "APIResourceList", group.len ? "v1" : "",
                            SLICE_LIT(META "APIResourceList"));
  set_string(a, doc.tree, "groupVersion",
             group.len ? arena_printf(a, "%.*s/%.*s", SLICE_ARG(group), SLICE_ARG(version))
                       : version);
  val *list = val_list(a);
  for (uint32_t i = 0; i < schema_resource_count; i++) {
    const resource_info *r = &schema_resources[i];
    if (!slice_eq(r->group, group) || !slice_eq(r->version, version)) continue;
    if (!served_has(served, r)) continue;
    val_append(a, list, resource_entry(a, r));
    for (uint32_t s = 0; s < r->subresource_count; s++) {
      val_append(a, list, subresource_entry(a, r, &r->subresources[s]));
    }
  }
  uint32_t at = 0;
  for (const crd_version *v; (v = custom_next(served, group, version, &at)) != NULL;) {
    val_append(a, list, resource_entry(a, &v->row));
    for (uint32_t s = 0; s < v->row.subresource_count; s++) {
      val_append(a, list, subresource_entry(a, &v->row, &v->row.subresources[s]));
    }
  }
  val_setc(a, doc.tree, "resources", list);
  return doc;
}

/* Group and version are empty where they are the document's own. */
static val *response_kind(arena *a, slice group, slice version, slice kind) {
  val *v = val_map(a);
  set_string(a, v, "group", group);
  set_string(a, v, "version", version);
  set_string(a, v, "kind", kind);
  return v;
}

static val *aggregated_subresource(arena *a, const subresource_info *s, bool custom) {
  val *v = val_map(a);
  bool told = s->foreign || custom;
  set_string(a, v, "subresource", s->name);
  val_setc(a, v, "responseKind",
           response_kind(a, told ? s->group : SLICE_LIT(""), told ? s->version : SLICE_LIT(""),
                         s->kind));
  val_setc(a, v, "verbs", verb_list(a, s->verbs));
  return v;
}

static val *aggregated_resource(arena *a, const resource_info *r) {
  val *v = val_map(a);
  set_string(a, v, "resource", r->resource);
  slice group = r->custom ? r->group : SLICE_LIT(""), version = r->custom ? r->version : group;
  val_setc(a, v, "responseKind", response_kind(a, group, version, r->kind));
  set_string(a, v, "scope", r->namespaced ? SLICE_LIT("Namespaced") : SLICE_LIT("Cluster"));
  set_string(a, v, "singularResource", r->singular);
  val_setc(a, v, "verbs", r->custom ? custom_verbs(a, r->custom) : verb_list(a, r->verbs));
  set_strings(a, v, "shortNames", r->short_names, r->short_name_count);
  set_strings(a, v, "categories", r->categories, r->category_count);
  if (r->subresource_count) {
    val *list = val_list(a);
    for (uint32_t s = 0; s < r->subresource_count; s++) {
      val_append(a, list, aggregated_subresource(a, &r->subresources[s], r->custom));
    }
    val_setc(a, v, "subresources", list);
  }
  return v;
}

static val *aggregated_version(arena *a, const served_set *served, slice group, slice version) {
  val *v = val_map(a), *resources = val_list(a);
  set_string(a, v, "version", version);
  for (uint32_t i = 0; i < schema_resource_count; i++) {
    const resource_info *r = &schema_resources[i];
    bool mine = slice_eq(r->group, group) && slice_eq(r->version, version);
    if (mine && served_has(served, r)) {
      val_append(a, resources, aggregated_resource(a, r));
    }
  }
  uint32_t at = 0;
  for (const crd_version *c; (c = custom_next(served, group, version, &at)) != NULL;) {
    val_append(a, resources, aggregated_resource(a, &c->row));
  }
  val_setc(a, v, "resources", resources);
  set_string(a, v, "freshness", SLICE_LIT("Current"));
  return v;
}

static void add_custom_groups(arena *a, const served_set *served, val *items) {
  slice *groups, *names;
  uint32_t count = crd_groups(served->customs, a, &groups);
  for (uint32_t i = 0; i < count; i++) {
    if (served_group(served, groups[i])) continue;
    val *item = val_map(a), *meta = val_map(a), *versions = val_list(a);
    set_string(a, meta, "name", groups[i]);
    val_setc(a, item, "metadata", meta);
    uint32_t n = crd_group_versions(served->customs, a, groups[i], &names);
    for (uint32_t v = 0; v < n; v++) {
      val_append(a, versions, aggregated_version(a, served, groups[i], names[v]));
    }
    val_setc(a, item, "versions", versions);
    val_append(a, items, item);
  }
}

discovery_doc discovery_aggregated(arena *a, const served_set *served, bool core) {
  discovery_doc doc = start(a, "APIGroupDiscoveryList", "apidiscovery.k8s.io/v2",
                            SLICE_LIT("io.k8s.api.apidiscovery.v2.APIGroupDiscoveryList"));
  val *items = val_list(a);
  val_setc(a, doc.tree, "metadata", val_map(a));
  for (uint32_t i = 0; i < schema_group_count; i++) {
    const group_info *g = &schema_groups[i];
    if ((g->group.len == 0) != core || !served_any_version(served, g)) continue;
    val *item = val_map(a), *meta = val_map(a), *versions = val_list(a);
    val_set_text(a, meta, "name", g->group);
    val_setc(a, item, "metadata", meta);
    for (uint32_t n = 0; n < g->version_count; n++) {
      if (!served_version(served, g, n)) continue;
      val_append(a, versions, aggregated_version(a, served, g->group, g->versions[n]));
    }
    val_setc(a, item, "versions", versions);
    val_append(a, items, item);
  }
  if (!core) add_custom_groups(a, served, items);
  val_setc(a, doc.tree, "items", items);
  return doc;
}
