/* Look-ups over the generated tables: binary searches over arrays that the generator
 * sorted, so that there is nothing to build at start-up and nothing to invalidate. */
#include "schema/schema.h"

#include "schema/schema_index.h"

#include <assert.h>
#include <string.h>

typedef struct triple {
  slice group, version, name;
} triple;

static int triple_cmp(triple a, triple b) {
  int order = slice_cmp(a.group, b.group);
  if (order == 0) order = slice_cmp(a.version, b.version);
  return order ? order : slice_cmp(a.name, b.name);
}

/* Index of the wanted entry among `count`, or -1; `at` gives the i-th in sorted order. */
static int triple_search(int count, triple want, triple (*at)(int i)) {
  int low = 0, high = count;
  while (low < high) {
    int middle = low + (high - low) / 2;
    int order = triple_cmp(want, at(middle));
    if (order == 0) return middle;
    if (order < 0) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return -1;
}

static triple resource_by_name(int i) {
  const resource_info *r = &schema_resources[schema_resources_by_name[i]];
  return (triple){r->group, r->version, r->resource};
}

static triple resource_by_kind(int i) {
  const resource_info *r = &schema_resources[schema_resources_by_kind[i]];
  return (triple){r->group, r->version, r->kind};
}

static triple kind_at(int i) {
  return (triple){schema_kinds[i].group, schema_kinds[i].version, schema_kinds[i].kind};
}

const resource_info *schema_resource(slice group, slice version, slice resource) {
  triple want = {group, version, resource};
  int i = triple_search(schema_resource_count, want, resource_by_name);
  return i < 0 ? NULL : &schema_resources[schema_resources_by_name[i]];
}

void schema_version_cut(slice api_version, slice *group, slice *version) {
  if (slice_cut(api_version, '/', group, version)) return;
  *group = SLICE_LIT("");
  *version = api_version;
}

const resource_info *schema_resource_of_kind(slice group, slice version, slice kind) {
  triple want = {group, version, kind};
  int i = triple_search(schema_resource_count, want, resource_by_kind);
  return i < 0 ? NULL : &schema_resources[schema_resources_by_kind[i]];
}

const resource_info *schema_resource_of_prefix(slice etcd_prefix) {
  int low = 0, high = schema_stored_count;
  while (low < high) {
    int middle = low + (high - low) / 2;
    const resource_info *r = &schema_resources[schema_resources_by_prefix[middle]];
    int order = slice_cmp(etcd_prefix, r->etcd_prefix);
    if (order == 0) return r;
    if (order < 0) high = middle;
    else low = middle + 1;
  }
  return NULL;
}

const kind_info *schema_kind(slice group, slice version, slice kind) {
  triple want = {group, version, kind};
  int i = triple_search(schema_kind_count, want, kind_at);
  return i < 0 ? NULL : &schema_kinds[i];
}

const subresource_info *schema_subresource(const resource_info *r, slice name) {
  for (int i = 0; i < r->subresource_count; i++) {
    if (slice_eq(r->subresources[i].name, name)) return &r->subresources[i];
  }
  return NULL;
}

const type_info *schema_type(slice full_name) {
  int low = 0, high = schema_named_type_count;
  while (low < high) {
    int middle = low + (high - low) / 2;
    int order = slice_cmp(full_name, schema_types[middle]->full_name);
    if (order == 0) return schema_types[middle];
    if (order < 0) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return NULL;
}

const group_info *schema_group(slice group) {
  for (int i = 0; i < schema_group_count; i++) {
    if (slice_eq(schema_groups[i].group, group)) return &schema_groups[i];
  }
  return NULL;
}

bool schema_group_has_version(slice group, slice version) {
  const group_info *g = schema_group(group);
  for (int i = 0; g && i < g->version_count; i++) {
    if (slice_eq(g->versions[i], version)) return true;
  }
  return false;
}

const field_info *type_field(const type_info *t, slice name) {
  int low = 0, high = t->field_count;
  while (low < high) {
    int middle = low + (high - low) / 2;
    const field_info *f = &t->fields[t->by_name[middle]];
    int order = slice_cmp(name, f->name);
    if (order == 0) return f;
    if (order < 0) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return NULL;
}

const proto_field *type_proto_field(const type_info *t, uint32_t number) {
  int low = 0, high = t->proto_count;
  while (low < high) {
    int middle = low + (high - low) / 2;
    const proto_field *p = &t->protos[middle];
    if (proto_number(p) == number) return p;
    if (number < proto_number(p)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return NULL;
}

const field_info *type_field_by_proto(const type_info *t, uint32_t number) {
  const proto_field *p = type_proto_field(t, number);
  return p && !p->inlined ? &t->fields[p->at] : NULL;
}

const type_info *type_path(const type_info *t, const char *dotted) {
  slice rest = slice_cstr(dotted), name;
  bool more = rest.len > 0;
  while (t && more) {
    more = slice_cut(rest, '.', &name, &rest);
    const field_info *f = type_field(t, name);
    t = f ? f->type : NULL;
  }
  return t;
}

slice schema_group_version(const resource_info *r, char out[GROUP_VERSION_ROOM]) {
  size_t at = r->group.len;
  assert(r->group.len + r->version.len + 2 <= GROUP_VERSION_ROOM);
  if (at) {
    memcpy(out, r->group.ptr, at);
    out[at++] = '/';
  }
  memcpy(out + at, r->version.ptr, r->version.len);
  at += r->version.len;
  out[at] = '\0';
  return slice_of(out, at);
}
