/* strategy: what is particular to a resource on the write path, as rows.
 *
 * Everything general (names, uid, generation, finalizers, preconditions, no-op
 * detection) is in registry/; a row says only what differs. Rows live in
 * registry/strategy_rows.c, sorted by group and resource. Source: the
 * strategy.go files under pkg/registry of the real server. */
#ifndef APISIM_REGISTRY_STRATEGY_H
#define APISIM_REGISTRY_STRATEGY_H

#include "registry/field_error.h"
#include "request/request.h"

typedef enum write_op { WRITE_CREATE, WRITE_UPDATE } write_op;

/* What validation gets. Objects are canonical trees of the resource's storage version; old
 * is NULL on create. */
typedef struct validate_args {
  field_errors *errs;
  request *rq; /* for warnings and the clock */
  const resource_info *resource;
  slice subresource; /* "" for the main resource, else "status", "scale"... */
  val *obj;
  const val *old;
} validate_args;

typedef void (*validate_fn)(const validate_args *v);

/* Changes obj before validation, as PrepareForCreate and PrepareForUpdate do. */
typedef void (*prepare_fn)(request *rq, val *obj, const val *old);

/* Subresources other than status whose body is the parent's kind (approval, finalize,
 * ephemeralcontainers, resize): a row each, in registry/strategy_rows.c. */
typedef struct subresource_rule {
  const char *group, *resource, *subresource;
  prepare_fn prepare; /* puts back what this subresource may not change */
} subresource_rule;
/* status included; NULL when the resource has no such subresource rule. */
prepare_fn subresource_prepare(const resource_info *r, slice subresource);

typedef enum generation_rule {
  GENERATION_NONE, /* the resource has none */
  GENERATION_SPEC, /* 1 on create, plus one when spec changes */
  GENERATION_SPEC_SENT, /* likewise, of the spec as sent, before gates take fields from it */
  GENERATION_SPEC_UPDATES, /* a create leaves it alone; plus one when spec changes */
  GENERATION_ALL_BUT_META_STATUS, /* plus one when anything outside metadata and status changes */
  GENERATION_HOOK, /* the prepare hooks do it */
} generation_rule;

/* How a name is checked: apimachinery pkg/api/validation/name.go. */
typedef enum name_rule {
  NAME_DNS_SUBDOMAIN,
  NAME_DNS_LABEL,
  NAME_DNS1035_LABEL, /* services */
  NAME_PATH_SEGMENT, /* rbac and others */
  NAME_HOOK, /* the validate hook does it itself */
} name_rule;

typedef enum gc_rule {
  GC_BACKGROUND, /* dependents go later, unless asked otherwise */
  GC_ORPHAN, /* orphaned by default */
  GC_UNSUPPORTED, /* never gets the garbage collector's finalizers */
} gc_rule;

typedef struct strategy {
  const char *group, *resource;
  name_rule name;
  generation_rule generation;
  bool empties_count; /* an empty list instead of none is a change of spec */
  bool has_status; /* spec writes keep status, the status subresource keeps the rest */
  bool create_drops_status; /* PrepareForCreate clears status */
  bool create_on_update; /* PUT of a missing object creates it */
  bool no_unconditional_update; /* PUT must carry a resourceVersion */
  bool graceful; /* deletion has a grace period (pods) */
  bool returns_deleted; /* DELETE answers with the object, not with a Status */
  gc_rule gc;
  prepare_fn prepare_create, prepare_update, prepare_status;
  validate_fn validate; /* create (old NULL) and update, main resource and subresources */
  prepare_fn warn; /* WarningsOnCreate/Update: calls request_warn */
  prepare_fn warn_status; /* the status strategy's WarningsOnUpdate */
} strategy;

/* The row of a resource; never NULL (a default row is given). */
const strategy *strategy_of(const resource_info *r);

/* The validators, one table in registry/validation/rows.c: (group, resource) -> validate_fn;
 * NULL when the kind has none yet. Called by strategy_of's users after metadata's own
 * validation is done by the validator itself (see validation/metadata.h). */
validate_fn validation_of(const resource_info *r);

#endif
