/* pod_security_checks: the Pod Security Standards as checks of one pod.
 * Source: k8s.io/pod-security-admission/policy (rules, versions, words). */
#ifndef APISIM_ADMISSION_POD_SECURITY_CHECKS_H
#define APISIM_ADMISSION_POD_SECURITY_CHECKS_H

#include "base/arena.h"
#include "base/val.h"

typedef enum security_level { LEVEL_PRIVILEGED, LEVEL_BASELINE, LEVEL_RESTRICTED } security_level;

enum { SECURITY_LATEST = 1 << 20, SECURITY_MINOR_MAX = 35 }; /* the newest version of any check */

/* What the pod violates: "reason (detail), reason (detail)", or SLICE_NONE. reasons (or NULL)
 * gets the same without details. minor: of the policy's version, or SECURITY_LATEST. */
slice pod_security_violations(arena *a, security_level level, int minor, const val *meta,
                              const val *spec, slice *reasons);

#endif
