/* pv: what volumes and claims share. */
#ifndef APISIM_REGISTRY_VALIDATION_PV_H
#define APISIM_REGISTRY_VALIDATION_PV_H

#include "registry/validation/pod_checks.h"

extern const char *const access_modes[];
extern const char *const volume_modes[];

/* p is the spec's path. */
void access_modes_check(field_errors *e, const path *p, const val *modes);
/* A volume's spec; name: the volume's. in_attachment: written into a VolumeAttachment, where less
 * is allowed. */
void pv_spec_validate(field_errors *e, const path *p, const val *spec, slice name,
                      bool in_attachment);

#endif
