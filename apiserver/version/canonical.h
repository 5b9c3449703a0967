/* canonical: parts of defaulting that several files of version/ share. */
#ifndef APISIM_VERSION_CANONICAL_H
#define APISIM_VERSION_CANONICAL_H

#include "base/arena.h"
#include "base/val.h"

/* Drops annotations by name (the list ends with NULL), and the map when it becomes empty. */
void canonical_drop_annotations(val *meta, const char *const *names);
/* Called by the kinds' default hooks; see defaults_canonical.c. */
void canonical_pod(arena *a, val *v);
void canonical_daemon_set(arena *a, val *v);
void canonical_deployment(val *v);
void canonical_stateful_set(arena *a, val *v);
/* The annotations that carry v2 fields through v1 (convert_hpa.c). */
void canonical_hpa(val *v);

#endif
