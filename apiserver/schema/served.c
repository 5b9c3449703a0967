/* See served.h. */
#include "schema/served.h"

#include "crd/crd.h"

#include <assert.h>
#include <string.h>

const char *const served_gates[SERVED_GATES] = {"ClusterTrustBundle", "PodCertificateRequest",
                                                "GenericWorkload", "StorageVersionMigrator"};

bool served_gate(const served_set *s, uint32_t place) { return (s->gates >> place & 1) != 0; }

void served_put(served_set *s, const resource_info *r, bool on) {
  uint64_t bit = (uint64_t)1 << (r->id & 63);
  if (on) s->resources[r->id / 64] |= bit;
  else s->resources[r->id / 64] &= ~bit;
}

static bool bit_get(const served_set *s, uint32_t id) {
  return (s->resources[id / 64] >> (id & 63) & 1) != 0;
}

/* A version without resources is not served. */
void served_seal(served_set *s) {
  assert(schema_resource_count <= SERVED_RESOURCES_MAX && schema_group_count <= SERVED_GROUPS_MAX);
  s->made = s->standard = true;
  memset(s->versions, 0, sizeof s->versions);
  uint32_t g = 0, v = 0;
  for (uint16_t i = 0; i < schema_resource_count; i++) { /* resources stand in the groups' order */
    const resource_info *r = &schema_resources[i];
    while (!slice_eq(schema_groups[g].group, r->group)) {
      g++;
      v = 0;
    }
    while (!slice_eq(schema_groups[g].versions[v], r->version)) v++;
    bool on = bit_get(s, i);
    if (on) s->versions[g] = (uint16_t)(s->versions[g] | 1u << v);
    s->standard = s->standard && on == r->standard;
  }
}

void served_standard(served_set *s) {
  memset(s, 0, sizeof *s);
  for (uint16_t i = 0; i < schema_resource_count; i++) {
    served_put(s, &schema_resources[i], schema_resources[i].standard);
  }
  served_seal(s);
}

bool served_has(const served_set *s, const resource_info *r) { return bit_get(s, r->id); }

const resource_info *served_resource(const served_set *s, slice group, slice version,
                                     slice resource) {
  const resource_info *r = schema_resource(group, version, resource);
  if (r) return bit_get(s, r->id) ? r : NULL;
  const crd_version *v = crd_served(s->customs, group, version, resource);
  return v ? &v->row : NULL;
}

bool served_version(const served_set *s, const group_info *g, uint32_t i) {
  return (s->versions[g - schema_groups] >> i & 1) != 0;
}

bool served_any_version(const served_set *s, const group_info *g) {
  return s->versions[g - schema_groups] != 0;
}

const group_info *served_group(const served_set *s, slice group) {
  const group_info *g = schema_group(group);
  return g && served_any_version(s, g) ? g : NULL;
}

bool served_group_has_version(const served_set *s, slice group, slice version) {
  const group_info *g = schema_group(group);
  for (uint32_t i = 0; g && i < g->version_count; i++) {
    if (slice_eq(g->versions[i], version)) return served_version(s, g, i);
  }
  return false;
}

bool served_version_whole(const served_set *s, slice group, slice version) {
  bool any = false;
  for (uint16_t i = 0; i < schema_resource_count; i++) {
    const resource_info *r = &schema_resources[i];
    if (!slice_eq(r->group, group) || !slice_eq(r->version, version)) continue;
    if (!bit_get(s, i)) return false;
    any = true;
  }
  return any;
}
