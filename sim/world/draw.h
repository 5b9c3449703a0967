/* draw: every option of a run, drawn from its seed (swarm testing: a seed has only some of the
 * fault classes, clients and kinds, so that rare mixtures come up) and printed before it begins. */
#ifndef APISIM_SIM_DRAW_H
#define APISIM_SIM_DRAW_H

#include "base/rng.h"
#include "base/slice.h"

#include <stdint.h>
#include <stdio.h>

#define SERVERS_MAX 3
#define KINDS_MAX 24 /* rows of workload/kinds.c */
#define FAULT_CLASSES 46
#define CLIENTS_PER_KIND 8

typedef enum profile { PROFILE_SWARM, PROFILE_LITE, PROFILE_QUIET, PROFILES } profile;

typedef enum wrong_controller {
  CONTROLLER_CORRECT,
  CONTROLLER_STALE, /* trusts reads at resourceVersion=0 and its cache after a reconnect */
  CONTROLLER_IGNORES_410, /* goes on from now when its place in history is gone */
  CONTROLLER_REPEATS_CREATE, /* creates with generateName and tries again after a lost reply */
  CONTROLLER_EDGES, /* acts on events only and never looks at the whole state */
  CONTROLLERS
} wrong_controller;

/* Something wrong on purpose, one for each class of failure: it must be caught. */
typedef enum canary {
  CANARY_NONE,
  CANARY_EVENT, /* the network loses an event without breaking the stream: correctness */
  CANARY_STALL, /* server 0 never gets to what is sent to it: liveness */
  CANARY_CRASH, /* the process dies in turn CANARY_TURN */
  CANARY_CHANCE, /* that turn looks at the machine's clock: no two runs are the same */
  CANARIES
} canary;
#define CANARY_TURN 300u

typedef struct draw {
  uint64_t seed;
  profile profile;
  uint32_t servers;
  bool etcd_model; /* the servers share a simulated etcd; else one server and its memory store */
  bool stored_protobuf; /* what that etcd's values are: protobuf or JSON */
  uint32_t operations; /* of all writers together */
  uint32_t writers, informers, pagers, controllers, electors;
  uint32_t namespaces, names; /* names a kind and namespace: few, so that clients meet */
  uint32_t kinds; /* bits by row of workload/kinds.c */
  uint64_t faults; /* bits by class number - 1 */
  uint32_t fault_count; /* entries of the plan */
  int64_t latency_ns, jitter_ns; /* of the network, one way */
  int64_t gap_ns; /* mean time between a writer's operations */
  bool watch_window; /* watches begin as far back as the servers' windows go, not their store */
  uint64_t history; /* revisions the store keeps; 0: its own default */
  int64_t first_revision;
  uint8_t controller; /* wrong_controller */
  uint32_t mutant; /* of a build with mutants; 0: none */
  uint8_t canary; /* enum canary */
  int64_t event_ttl_s; /* of Events; 0: they stay */
  bool compare; /* at the end, the two backends are compared (check_backends.h) */
  bool in_step; /* in such a comparison: an operation a second */
} draw;

/* What the command line insists on; the rest is drawn. */
typedef struct draw_wish {
  profile profile;
  int32_t servers, operations, clients; /* 0: drawn */
  int backend; /* 0 drawn, 1 memory, 2 etcd model */
  uint64_t faults_on, faults_off;
  bool faults_only; /* exactly faults_on */
  uint8_t controller, controllers; /* at least that many controllers, of that kind */
  uint32_t mutant;
  uint8_t canary;
} draw_wish;

draw draw_make(uint64_t seed, const draw_wish *wish);
/* One line a group of options. */
void draw_print(const draw *d, FILE *out);
const char *profile_name(profile p);
const char *controller_name(uint8_t c);
const char *canary_name(uint8_t c);

#endif
