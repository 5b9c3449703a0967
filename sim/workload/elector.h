/* elector: a candidate of a leader election by a Lease (coordination.k8s.io), by client-go's rules.
 *
 * Who holds the lease renews it every retry period and leads until the deadline after the request
 * of the last renewal that succeeded. Others watch the record: when it has not changed for the
 * lease duration, by their own clock since they saw it, they take it by an update that names its
 * version.
 * As the deadline is shorter than the duration, by more than clocks may drift apart, no two lead at
 * a time; the record's own times are told and never trusted. */
#ifndef APISIM_SIM_ELECTOR_H
#define APISIM_SIM_ELECTOR_H

#include "sim/workload/client.h"
#include "sim/workload/recorder.h"

typedef struct elector {
  client base;
  recorder events;
  uint32_t life; /* counts its processes: each has an identity of its own */
  int64_t duration_s; /* of the lease; the same for all of a run */
  int32_t drift; /* its clock runs that many thousandths faster */
  uint8_t step; /* enum in elector.c */
  slice seen; /* the record as last read; empty: none */
  int64_t seen_local_ns; /* by its own clock */
  int64_t begun_ns; /* of the request under way */
  int64_t leads_until_ns; /* on the world's clock; past: it does not lead */
  uint32_t epoch; /* of the world, when it got the lease */
} elector;

/* "elector0-1": as it stands in the lease. */
slice elector_identity(const elector *e);
/* The one that leads now, other than `but`; NULL: nobody. */
const elector *elector_leading(const world *w, const elector *but);
/* Who stands in a lease; empty: nobody. */
slice elector_holder(slice record);

#endif
