/* table: server-side printing, ?as=Table. Source: pkg/printers/internalversion/printers.go,
 * apiserver pkg/endpoints/handlers/response.go. */
#ifndef APISIM_RESPOND_TABLE_H
#define APISIM_RESPOND_TABLE_H

#include "base/status_error.h"
#include "base/val.h"
#include "schema/schema.h"

typedef enum table_include { INCLUDE_METADATA, INCLUDE_NONE, INCLUDE_OBJECT } table_include;

/* ?includeObject; empty is INCLUDE_METADATA. False with a 400. */
bool table_include_parse(arena *a, slice value, table_include *out, status_error *err);
/* The same where it was checked before or nobody can be told: what is unknown is metadata. */
table_include table_include_of(slice value);
/* A meta.k8s.io Table (typed tree of kind Table) of the objects (trees in the version that r is
 * stored in, as the real server prints its internal one: the order of an autoscaler's metrics).
 * list_meta: the list's metadata (resourceVersion, continue...) or, for a single object, NULL:
 * then the object's own resourceVersion is used. columns: false leaves columnDefinitions out as
 * null (every watch event but the first). version: "v1" or "v1beta1". */
val *table_make(arena *a, const resource_info *r, val *const *objs, uint32_t count, val *list_meta,
                table_include include, bool columns, slice version, int64_t now_s);
/* The object's PartialObjectMetadata (metadata shared with obj); of the stored form, too: what a
 * conversion puts into annotations is not there. */
val *partial_make(arena *a, const val *obj, slice version);

#endif
