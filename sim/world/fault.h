/* fault: the catalogue of what may go wrong, a row a class, and the plan of one run.
 *
 * A plan's entries are drawn from a stream of their own before the run begins, each with the
 * moment it strikes: a virtual time, or the n-th visit of a site. Nothing that happens later draws
 * from that stream, so leaving an entry out changes neither the workload nor the other entries;
 * that is what shrinking needs. */
#ifndef APISIM_SIM_FAULT_H
#define APISIM_SIM_FAULT_H

#include "base/arena.h"
#include "base/rng.h"
#include "sim/world/draw.h"

#include <stdbool.h>
#include <stdint.h>

struct world;

/* Where a fault strikes. Every site is one line in the code: fault_visit(w, SITE_...). */
typedef enum fault_site {
  SITE_TIME, /* at a virtual time */
  SITE_REQUEST, /* a client sends a request */
  SITE_ANSWER, /* a server's turn wrote an answer's bytes */
  SITE_STREAM, /* a server's turn wrote to a watch stream */
  SITE_CONNECT, /* a client opens a connection */
  SITE_TURN, /* a server is about to take a turn */
  SITE_TXN, /* a transaction reaches the store */
  SITE_RANGE, /* a read reaches the store */
  SITE_FEED, /* the store sends to a server's watch */
  SITE_NONE, /* the class has no place in this world; its note says why */
  SITES
} fault_site;

enum fault_needs {
  NEEDS_NOTHING = 0,
  NEEDS_ETCD = 1, /* the simulated etcd behind the servers */
  NEEDS_PEERS = 2, /* at least two servers */
  NEEDS_MEMORY = 4, /* the embedded store */
};

typedef struct fault {
  uint16_t number; /* place in the plan */
  uint8_t class; /* 1..46 */
  uint8_t variant; /* of the class's variants */
  uint8_t target; /* a server's index, or what the variant says */
  bool dropped; /* left out by shrinking */
  bool active; /* between begin and end, of one that lasts */
  uint32_t fired;
  uint32_t visit; /* SITE_TIME: 0; else the site's visit at which it strikes, from 1 */
  int64_t at_ns, until_ns;
  int64_t arg; /* as the row says */
} fault;

typedef struct fault_variant_row {
  const char *name;
  fault_site site;
  int64_t arg_min, arg_max; /* what the number means stands in the row's note */
  int64_t lasts_min_ms, lasts_max_ms; /* 0: a moment */
} fault_variant_row;

typedef struct fault_row {
  const char *name;
  uint8_t needs;
  uint8_t count_max; /* entries a run */
  const fault_variant_row *variants; /* ends with a NULL name */
  const char *allowed, *forbidden; /* what clients may see, and what never */
  const char *note; /* how it is made here, or why it can't exist */
} fault_row;

extern const fault_row fault_rows[FAULT_CLASSES]; /* class n at n - 1 */

typedef struct fault_plan {
  fault *entries;
  uint32_t count;
  uint32_t visits[SITES];
  uint32_t next[SITES]; /* index into order[] of the next entry of that site */
  fault **order[SITES]; /* by visit */
  uint32_t order_count[SITES];
  bool healed; /* nothing strikes any more */
} fault_plan;

/* horizon_ns: the safety phase's length, within which timed entries begin. */
void fault_plan_draw(fault_plan *p, arena *a, const draw *d, int64_t horizon_ns);
/* Orders the entries by site and visit; call after entries were read from a file instead. */
void fault_plan_index(fault_plan *p, arena *a);
/* Counts the visit and gives the entry that strikes at it, or NULL. */
fault *fault_visit(struct world *w, fault_site site);
/* Whether an entry of the class is active now (variant -1: any; target -1: any). */
fault *fault_active(struct world *w, uint8_t class, int variant, int target);
const fault_variant_row *fault_variant(const fault *f);
/* Whether the class can strike in this run at all. */
bool fault_possible(const draw *d, uint8_t class);
const char *fault_site_name(fault_site s);

#endif
