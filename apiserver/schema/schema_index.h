/* schema_index: permutations of schema_resources for look-up. Only schema.c reads them. */
#ifndef APISIM_SCHEMA_SCHEMA_INDEX_H
#define APISIM_SCHEMA_SCHEMA_INDEX_H

#include <stdint.h>

extern const uint16_t schema_resources_by_name[]; /* group, version, resource */
extern const uint16_t schema_resources_by_prefix[]; /* etcd_prefix; those that are stored */
extern const uint16_t schema_stored_count;
extern const uint16_t schema_resources_by_kind[]; /* group, version, kind */

#endif
