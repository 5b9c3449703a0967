/* volume_sources: what is particular to a kind of volume source; see the rows of volume.c. */
#ifndef APISIM_REGISTRY_VALIDATION_VOLUME_SOURCES_H
#define APISIM_REGISTRY_VALIDATION_VOLUME_SOURCES_H

#include "registry/validation/pod_checks.h"

typedef struct source_args {
  field_errors *errs;
  const path *p; /* of the source */
  const val *v;
  const val *holder; /* the volume or the spec that v is in */
  slice name;        /* of the volume */
  const val *pod;    /* metadata; NULL in a template */
  bool pv;
} source_args;

typedef void (*source_check)(const source_args *s);

#define SOURCE_CHECKS(X)                                                                       \
  X(empty_dir)                                                                                 \
  X(host_path)                                                                                 \
  X(git) X(partition) X(items) X(nfs) X(iscsi) X(flocker) X(secret_ref) X(quobyte) X(downward) \
      X(fc) X(flex) X(azure_disk) X(storageos) X(projected) X(csi) X(ephemeral) X(image)       \
          X(pv_gluster) X(pv_azure_file) X(pv_csi) X(local)

#define X(name) void source_##name(const source_args *s);
SOURCE_CHECKS(X)
#undef X

/* Key to path items; `seen` (or NULL) collects the paths of a projected volume. */
void key_to_path_check(field_errors *e, const path *p, const val *item);
void downward_file_check(field_errors *e, const path *p, const val *file);
/* What some sources say about the volume's own name. s->v holds the sources. */
void source_volume_name(const source_args *s, const path *volume, const char *key, bool extra);

#endif
