/* table_cell: what a cell of a table can be made from. Private to respond/table*.c.
 *
 * A kind's row is an array of `cell`: a function, what it looks at, and what it gives when
 * there is nothing. Most columns are a path and one of the general functions here; what
 * needs logic of its own is in table_pod.c and table_kinds.c. */
#ifndef APISIM_RESPOND_TABLE_CELL_H
#define APISIM_RESPOND_TABLE_CELL_H

#include "base/val.h"

typedef struct cell_env {
  arena *arena;
  int64_t now_s;
} cell_env;

typedef struct cell cell;
typedef val *(*cell_fn)(const cell_env *e, const val *obj, const cell *c);
struct cell {
  cell_fn make;
  const char *path; /* dotted; what make looks at */
  const char *none; /* when there is nothing at path */
};

/* General cells. */
val *cell_name(const cell_env *e, const val *obj, const cell *c);
val *cell_text(const cell_env *e, const val *obj, const cell *c); /* string or int-or-string */
val *cell_int(const cell_env *e, const val *obj, const cell *c); /* 0 when absent */
val *cell_bool(const cell_env *e, const val *obj, const cell *c); /* none: "true" or NULL */
val *cell_count(const cell_env *e, const val *obj, const cell *c); /* of a list or map */
val *cell_join(const cell_env *e, const val *obj, const cell *c); /* strings with "," */
val *cell_age(const cell_env *e, const val *obj, const cell *c); /* since creation */
val *cell_created(const cell_env *e, const val *obj, const cell *c); /* RFC 3339 */
val *cell_since(const cell_env *e, const val *obj, const cell *c); /* since the time at path */
val *cell_slash(const cell_env *e, const val *obj, const cell *c); /* "a.kind,a.name" -> K/N */
val *cell_ratio(const cell_env *e, const val *obj, const cell *c); /* the same of integers */
val *cell_names(const cell_env *e, const val *obj, const cell *c); /* of the containers at path */
val *cell_images(const cell_env *e, const val *obj, const cell *c);
val *cell_labels(const cell_env *e, const val *obj, const cell *c); /* "a=b,c=d" or <none> */
val *cell_selector(const cell_env *e, const val *obj, const cell *c); /* a LabelSelector */
val *cell_phase(const cell_env *e, const val *obj, const cell *c); /* or Terminating */

/* Pods. */
val *cell_pod_ready(const cell_env *e, const val *obj, const cell *c);
val *cell_pod_status(const cell_env *e, const val *obj, const cell *c);
val *cell_pod_restarts(const cell_env *e, const val *obj, const cell *c);
val *cell_pod_ip(const cell_env *e, const val *obj, const cell *c);
val *cell_pod_gates(const cell_env *e, const val *obj, const cell *c);

/* Columns of one kind: workloads and the rest. */
val *cell_job_status(const cell_env *e, const val *obj, const cell *c);
val *cell_job_completions(const cell_env *e, const val *obj, const cell *c);
val *cell_job_duration(const cell_env *e, const val *obj, const cell *c);
val *cell_hpa_targets(const cell_env *e, const val *obj, const cell *c);
val *cell_revision_owner(const cell_env *e, const val *obj, const cell *c);
val *cell_cluster_ip(const cell_env *e, const val *obj, const cell *c);
val *cell_external_ip(const cell_env *e, const val *obj, const cell *c);
val *cell_ports(const cell_env *e, const val *obj, const cell *c);
val *cell_endpoints(const cell_env *e, const val *obj, const cell *c);
val *cell_slice_ports(const cell_env *e, const val *obj, const cell *c);
val *cell_slice_endpoints(const cell_env *e, const val *obj, const cell *c);
val *cell_hosts(const cell_env *e, const val *obj, const cell *c);
val *cell_ingress_address(const cell_env *e, const val *obj, const cell *c);
val *cell_ingress_ports(const cell_env *e, const val *obj, const cell *c);
val *cell_default_name(const cell_env *e, const val *obj, const cell *c);
val *cell_class_parameters(const cell_env *e, const val *obj, const cell *c);
val *cell_parent_ref(const cell_env *e, const val *obj, const cell *c);
val *cell_node_status(const cell_env *e, const val *obj, const cell *c);
val *cell_node_roles(const cell_env *e, const val *obj, const cell *c);
val *cell_node_address(const cell_env *e, const val *obj, const cell *c);
val *cell_node_kernel(const cell_env *e, const val *obj, const cell *c);
val *cell_storage_size(const cell_env *e, const val *obj, const cell *c);
val *cell_access_modes(const cell_env *e, const val *obj, const cell *c);
val *cell_claim_size(const cell_env *e, const val *obj, const cell *c);
val *cell_claim_modes(const cell_env *e, const val *obj, const cell *c);
val *cell_claim_ref(const cell_env *e, const val *obj, const cell *c);
val *cell_storage_class(const cell_env *e, const val *obj, const cell *c);
val *cell_audiences(const cell_env *e, const val *obj, const cell *c);
val *cell_event_first(const cell_env *e, const val *obj, const cell *c);
val *cell_event_last(const cell_env *e, const val *obj, const cell *c);
val *cell_event_object(const cell_env *e, const val *obj, const cell *c);
val *cell_event_source(const cell_env *e, const val *obj, const cell *c);
val *cell_event_message(const cell_env *e, const val *obj, const cell *c);
val *cell_event_count(const cell_env *e, const val *obj, const cell *c);
val *cell_subjects(const cell_env *e, const val *obj, const cell *c);
val *cell_csr_duration(const cell_env *e, const val *obj, const cell *c);
val *cell_csr_condition(const cell_env *e, const val *obj, const cell *c);
val *cell_component(const cell_env *e, const val *obj, const cell *c);
val *cell_data_count(const cell_env *e, const val *obj, const cell *c);
val *cell_quota(const cell_env *e, const val *obj, const cell *c);
val *cell_param_ref(const cell_env *e, const val *obj, const cell *c);
val *cell_dangling(const cell_env *e, const val *obj, const cell *c);
val *cell_number_or_none(const cell_env *e, const val *obj, const cell *c);
val *cell_claim_state(const cell_env *e, const val *obj, const cell *c);
val *cell_service_ref(const cell_env *e, const val *obj, const cell *c);
val *cell_available(const cell_env *e, const val *obj, const cell *c);
val *cell_suspend(const cell_env *e, const val *obj, const cell *c);

/* Columns of kinds that are off by default. */
val *cell_pod_certificate_state(const cell_env *e, const val *obj, const cell *c);
val *cell_group_policy(const cell_env *e, const val *obj, const cell *c);
val *cell_group_status(const cell_env *e, const val *obj, const cell *c);
val *cell_storage_versions(const cell_env *e, const val *obj, const cell *c);
val *cell_group_resource(const cell_env *e, const val *obj, const cell *c);
val *cell_migration_status(const cell_env *e, const val *obj, const cell *c);
val *cell_pool_sum(const cell_env *e, const val *obj, const cell *c);
val *cell_pool_status(const cell_env *e, const val *obj, const cell *c);
val *cell_pool_completed(const cell_env *e, const val *obj, const cell *c);

/* Helpers of theirs. */
/* duration.HumanDuration of whole seconds: "5s", "2m3s", "3d4h". */
slice human_duration(arena *a, int64_t seconds);
/* Since an RFC 3339 time; "<unknown>" when v is no time. */
slice human_since(const cell_env *e, const val *v);
/* Seconds of a time; false when v is none. */
bool time_of(const val *v, int64_t *seconds);
/* Sorted, without repeats, joined with ","; items is sorted in place. */
slice join_set(arena *a, slice *items, uint32_t count);

#endif
