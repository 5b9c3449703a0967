/* discovery: the documents that tell a client what there is to ask.
 *
 * Trees built from what is served of schema_resources, for the codec to write in any form. Sources:
 * apiserver pkg/endpoints/discovery (legacy, aggregated), kube-aggregator apis handler. */
#ifndef APISIM_ROUTE_DISCOVERY_H
#define APISIM_ROUTE_DISCOVERY_H

#include "base/val.h"
#include "schema/served.h"

/* A document with what an encoder needs to know about it. */
typedef struct discovery_doc {
  val *tree;
  const type_info *type;
  slice api_version, kind; /* of the protobuf envelope; api_version may be empty */
} discovery_doc;

/* /api; `address` is "192.0.2.2:6443". */
discovery_doc discovery_versions(arena *a, slice address);
/* /apis */
discovery_doc discovery_groups(arena *a, const served_set *served);
/* /apis/<group>; the group must exist. */
discovery_doc discovery_group(arena *a, const served_set *served, const group_info *g);
/* The same of a group of custom resources only. */
discovery_doc discovery_custom_group(arena *a, const served_set *served, slice group);
/* /api/v1, /apis/<group>/<version>; both must exist. */
discovery_doc discovery_resources(arena *a, const served_set *served, slice group,
                                  slice version);
/* The aggregated form of /api (core) or /apis. */
discovery_doc discovery_aggregated(arena *a, const served_set *served, bool core);

#endif
