/* batch: the parts of Jobs and CronJobs. */
#ifndef APISIM_REGISTRY_VALIDATION_BATCH_H
#define APISIM_REGISTRY_VALIDATION_BATCH_H

#include "registry/validation/apps.h"

void job_spec_validate(field_errors *e, const path *p, const val *spec,
                       const val *old_spec);                                 /* less its selector */
void job_policies_validate(field_errors *e, const path *p, const val *spec); /* batch_policy.c */
void job_status_validate(const validate_args *v);                            /* batch_status.c */
bool job_condition(const val *job, const char *type);                        /* True */
/* Index lists "0,3-5": how many, or -1 with *why. */
int64_t job_indexes(arena *a, slice text, int64_t completions, slice *why);
/* NULL when it is a schedule of five fields or a descriptor; else why not. batch_schedule.c */
slice cron_schedule_problem(arena *a, slice schedule);
bool time_zone_exists(slice name); /* batch_zones.c */

#endif
