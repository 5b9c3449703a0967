/* crd: the kinds that stored CustomResourceDefinitions bring: a registry of rows, made on the heap,
 * that stand beside the compiled ones (schema/schema.h).
 *
 * A row is a resource_info whose `custom` points at the crd_version around it; its objects are
 * untyped trees (type->untyped) and its own storage version to whoever works on trees: that they
 * are stored in another version of the kind is registry/stored.c's business. Rows are never
 * changed: another spec makes others, with other ids, so that nothing made for the old ones is
 * taken for theirs. The old ones stay until nobody can hold them (CRD_RETIRED_NS), and their
 * watches end at once.
 *
 * The registry follows the store's events, so it knows a definition as soon as the write that made
 * it returns. Source: apiextensions-apiserver pkg/apiserver/customresource_handler.go. */
#ifndef APISIM_CRD_CRD_H
#define APISIM_CRD_CRD_H

#include "base/arena.h"
#include "base/val.h"
#include "schema/schema.h"

#define CRD_GROUP "apiextensions.k8s.io"
#define CRD_RESOURCE "customresourcedefinitions"
#define CRD_FINALIZER "customresourcecleanup.apiextensions.k8s.io"
#define CRD_FIRST_ID 0x10000u /* ids below are the compiled rows' */
#define CRD_RETIRED_NS ((int64_t)600 * 1000000000) /* longer than any request lasts */

typedef struct crd_kind crd_kind;
struct structural; /* crd/structural.h */
struct structural_schema;

/* Of the definitions themselves. */
static inline bool crd_is_definition(const resource_info *r) {
  return slice_is(r->resource, CRD_RESOURCE) && slice_is(r->group, CRD_GROUP);
}

/* One of additionalPrinterColumns. */
typedef struct crd_column {
  slice path; /* ".spec.size" */
  slice description;
} crd_column;

typedef struct crd_version {
  resource_info row;
  const crd_kind *kind;
  struct structural_schema *schema; /* crd/structural.h; NULL: the version has none */
  type_info *type;
  bool served, stored, deprecated;
  bool status, scale; /* subresources */
  slice spec_replicas, status_replicas, label_selector; /* of the scale: ".spec.replicas" */
  slice warning; /* of a deprecated version */
  const crd_column *columns; /* row.column_count, "Name" included */
  const slice *selectable; /* "spec.color" */
  uint32_t selectable_count;
} crd_version;

struct crd_kind {
  arena *a; /* owns all but the schemas */
  slice name, uid, group; /* "crontabs.stable.example.com" */
  slice spec_json; /* of what the rows were made from: the same again makes no others */
  bool namespaced, preserve; /* preserve: spec.preserveUnknownFields */
  bool webhook; /* conversion by a webhook: no other version than the stored one is served */
  bool established, accepted, terminating;
  crd_version *versions; /* as the definition lists them */
  uint32_t version_count;
  const crd_version *storage;
  int64_t retired_ns;
  crd_kind *next_retired;
};

typedef struct crd_registry {
  crd_kind **kinds; /* by name */
  uint32_t count, cap;
  uint32_t next_id;
  crd_kind *retired;
  uint64_t changes; /* counts what changed: documents made before are stale */
} crd_registry;

crd_registry *crd_registry_create(void);
void crd_registry_destroy(crd_registry *g); /* NULL is fine */
/* Forgets all (they retire). */
void crd_registry_clear(crd_registry *g, int64_t now_ns);
/* The definition as it is stored now (a canonical tree), or that it is gone. The kind that its
 * rows replaced, which the caller ends the watches of; NULL: none. */
const crd_kind *crd_registry_put(crd_registry *g, const val *crd, int64_t now_ns);
const crd_kind *crd_registry_drop(crd_registry *g, slice name, int64_t now_ns);

const crd_kind *crd_find(const crd_registry *g, slice group, slice resource);
/* The version as it is served; NULL: not this one, or the kind is not there for clients. */
const crd_version *crd_served(const crd_registry *g, slice group, slice version, slice resource);
const crd_version *crd_version_of(const crd_kind *k, slice version);
/* Whether clients see it: its names are accepted or were. */
static inline bool crd_is_shown(const crd_kind *k) { return k->established || k->accepted; }
static inline const crd_version *crd_of(const resource_info *r) { return r->custom; }

/* Discovery's groups and versions: established kinds with a served version. versions: arena
 * memory, the preferred one first (apimachinery pkg/version, "kube-aware"). */
uint32_t crd_groups(const crd_registry *g, arena *a, slice **groups);
uint32_t crd_group_versions(const crd_registry *g, arena *a, slice group, slice **versions);
bool crd_group_has_version(const crd_registry *g, slice group, slice version);
/* Which of two versions goes first: negative for x. */
int crd_version_order(slice x, slice y);

/* crd_type.c: what typed merges, managed fields and encoders see: made in a. */
type_info *crd_type_create(arena *a, const struct structural *root);
/* crd_kind.c: NULL where the definition is not one (it was stored by somebody else's rules). */
crd_kind *crd_kind_create(const val *crd, uint32_t *next_id);
void crd_kind_destroy(crd_kind *k);

#endif
