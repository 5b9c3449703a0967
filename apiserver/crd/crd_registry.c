/* See crd.h. */
#include "crd/crd.h"

#include "base/ascii.h"
#include "base/heap.h"
#include "registry/object.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

crd_registry *crd_registry_create(void) {
  crd_registry *g = heap_zalloc(sizeof *g);
  g->next_id = CRD_FIRST_ID;
  return g;
}

static void retire(crd_registry *g, crd_kind *k, int64_t now_ns) {
  k->retired_ns = now_ns;
  k->next_retired = g->retired;
  g->retired = k;
}

/* Newest first: behind the first that may go all may. */
static void free_retired(crd_registry *g, int64_t before_ns) {
  crd_kind **at = &g->retired;
  while (*at && (*at)->retired_ns > before_ns) at = &(*at)->next_retired;
  while (*at) {
    crd_kind *k = *at;
    *at = k->next_retired;
    crd_kind_destroy(k);
  }
}

void crd_registry_clear(crd_registry *g, int64_t now_ns) {
  free_retired(g, now_ns - CRD_RETIRED_NS);
  if (g->count) g->changes++;
  for (uint32_t i = 0; i < g->count; i++) retire(g, g->kinds[i], now_ns);
  g->count = 0;
}

void crd_registry_destroy(crd_registry *g) {
  if (!g) return;
  crd_registry_clear(g, 0);
  free_retired(g, INT64_MAX);
  heap_free(g->kinds);
  heap_free(g);
}

/* Where the name is, or belongs. */
static uint32_t place_of(const crd_registry *g, slice name, bool *found) {
  uint32_t low = 0, high = g->count;
  *found = false;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    int order = slice_cmp(name, g->kinds[middle]->name);
    if (order == 0) *found = true;
    if (order <= 0) high = middle;
    else low = middle + 1;
  }
  return low;
}

static void insert(crd_registry *g, uint32_t at, crd_kind *k) {
  if (g->count == g->cap) {
    uint32_t cap = g->cap ? g->cap * 2 : 16;
    crd_kind **more = heap_alloc(cap * sizeof *more);
    if (g->count) memcpy(more, g->kinds, g->count * sizeof *more);
    heap_free(g->kinds);
    g->kinds = more;
    g->cap = cap;
  }
  memmove(g->kinds + at + 1, g->kinds + at, (g->count - at) * sizeof *g->kinds);
  g->kinds[at] = k;
  g->count++;
}

const crd_kind *crd_registry_drop(crd_registry *g, slice name, int64_t now_ns) {
  bool found;
  free_retired(g, now_ns - CRD_RETIRED_NS);
  uint32_t at = place_of(g, name, &found);
  if (!found) return NULL;
  crd_kind *k = g->kinds[at];
  g->count--;
  memmove(g->kinds + at, g->kinds + at + 1, (g->count - at) * sizeof *g->kinds);
  retire(g, k, now_ns);
  g->changes++;
  return k;
}

static void take_state(crd_registry *g, crd_kind *k, const crd_kind *from) {
  if (k->established != from->established || k->accepted != from->accepted ||
      k->terminating != from->terminating) {
    g->changes++;
  }
  k->established = from->established;
  k->accepted = from->accepted;
  k->terminating = from->terminating;
}

const crd_kind *crd_registry_put(crd_registry *g, const val *crd, int64_t now_ns) {
  bool found;
  uint32_t at = place_of(g, object_name(crd), &found);
  uint32_t ids = g->next_id;
  crd_kind *k = crd_kind_create(crd, &g->next_id);
  if (!k) return crd_registry_drop(g, object_name(crd), now_ns);
  if (!found) {
    insert(g, at, k);
    g->changes++;
    return NULL;
  }
  crd_kind *old = g->kinds[at];
  if (slice_eq(old->spec_json, k->spec_json) && slice_eq(old->uid, k->uid)) {
    take_state(g, old, k);
    crd_kind_destroy(k);
    g->next_id = ids;
    return NULL;
  }
  free_retired(g, now_ns - CRD_RETIRED_NS);
  g->kinds[at] = k;
  retire(g, old, now_ns);
  g->changes++;
  return old;
}

/* ---- look-ups ---- */

const crd_kind *crd_find(const crd_registry *g, slice group, slice resource) {
  char name[512];
  bool found;
  if (!g || g->count == 0 || group.len + resource.len + 1 > sizeof name || !group.len) return NULL;
  memcpy(name, resource.ptr, resource.len);
  name[resource.len] = '.';
  memcpy(name + resource.len + 1, group.ptr, group.len);
  uint32_t at = place_of(g, slice_of(name, resource.len + 1 + group.len), &found);
  return found ? g->kinds[at] : NULL;
}

const crd_version *crd_version_of(const crd_kind *k, slice version) {
  for (uint32_t i = 0; i < k->version_count; i++) {
    if (slice_eq(k->versions[i].row.version, version)) return &k->versions[i];
  }
  return NULL;
}

const crd_version *crd_served(const crd_registry *g, slice group, slice version, slice resource) {
  const crd_kind *k = resource.len ? crd_find(g, group, resource) : NULL;
  const crd_version *v = k && crd_is_shown(k) ? crd_version_of(k, version) : NULL;
  return v && v->served ? v : NULL;
}

/* ---- groups ---- */

static bool is_listed(const crd_kind *k) {
  if (!k->established) return false;
  for (uint32_t i = 0; i < k->version_count; i++) {
    if (k->versions[i].served) return true;
  }
  return false;
}

static uint32_t add_distinct(slice *list, uint32_t count, slice s) {
  for (uint32_t i = 0; i < count; i++) {
    if (slice_eq(list[i], s)) return count;
  }
  list[count] = s;
  return count + 1;
}

uint32_t crd_groups(const crd_registry *g, arena *a, slice **groups) {
  uint32_t n = 0;
  *groups = ARENA_ARRAY(a, slice, (g ? g->count : 0) + 1);
  for (uint32_t i = 0; g && i < g->count; i++) {
    if (is_listed(g->kinds[i])) n = add_distinct(*groups, n, g->kinds[i]->group);
  }
  qsort(*groups, n, sizeof **groups, slice_order);
  return n;
}

typedef struct kube_version {
  int rank; /* 3 stable, 2 beta, 1 alpha, 0 neither */
  uint64_t major, minor;
} kube_version;

static bool take_number(slice *s, uint64_t *out) {
  size_t n = 0;
  uint64_t v = 0;
  while (n < s->len && s->ptr[n] >= '0' && s->ptr[n] <= '9' && n < 18) {
    v = v * 10 + (uint64_t)(s->ptr[n++] - '0');
  }
  if (n == 0 || s->ptr[0] == '0') return false;
  *out = v;
  *s = slice_from(*s, n);
  return true;
}

/* v[1-9][0-9]* with alpha or beta and another such number. */
static kube_version read_version(slice s) {
  kube_version v = {0}, none = {0};
  if (s.len < 2 || s.ptr[0] != 'v') return none;
  s = slice_from(s, 1);
  if (!take_number(&s, &v.major)) return none;
  v.rank = 3;
  if (s.len == 0) return v;
  v.rank = slice_has_prefix(s, SLICE_LIT("alpha")) ? 1
           : slice_has_prefix(s, SLICE_LIT("beta")) ? 2
                                                    : 0;
  s = slice_from(s, v.rank == 1 ? 5 : 4);
  if (v.rank == 0 || !take_number(&s, &v.minor) || s.len) return none;
  return v;
}

static int newer_first(uint64_t x, uint64_t y) { return x > y ? -1 : x < y; }

int crd_version_order(slice x, slice y) {
  kube_version a = read_version(x), b = read_version(y);
  if (a.rank != b.rank) return a.rank > b.rank ? -1 : 1;
  if (a.rank == 0) return slice_cmp(x, y);
  int order = newer_first(a.major, b.major);
  return order ? order : newer_first(a.minor, b.minor);
}

static int order_versions(const void *x, const void *y) {
  return crd_version_order(*(const slice *)x, *(const slice *)y);
}

uint32_t crd_group_versions(const crd_registry *g, arena *a, slice group, slice **versions) {
  uint32_t n = 0, most = 1;
  for (uint32_t i = 0; g && i < g->count; i++) {
    if (slice_eq(g->kinds[i]->group, group)) most += g->kinds[i]->version_count;
  }
  *versions = ARENA_ARRAY(a, slice, most);
  for (uint32_t i = 0; g && i < g->count; i++) {
    const crd_kind *k = g->kinds[i];
    if (!k->established || !slice_eq(k->group, group)) continue;
    for (uint32_t v = 0; v < k->version_count; v++) {
      if (k->versions[v].served) n = add_distinct(*versions, n, k->versions[v].row.version);
    }
  }
  qsort(*versions, n, sizeof **versions, order_versions);
  return n;
}

bool crd_group_has_version(const crd_registry *g, slice group, slice version) {
  for (uint32_t i = 0; g && i < g->count; i++) {
    const crd_kind *k = g->kinds[i];
    if (!k->established || !slice_eq(k->group, group)) continue;
    const crd_version *v = crd_version_of(k, version);
    if (v && v->served) return true;
  }
  return false;
}
