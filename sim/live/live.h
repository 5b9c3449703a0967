/* live: the fault engine of a running server. It sits on the server's taps (request/tap.h,
 * http_tap), on a watch of the whole store and on the world's bytes out; it knows which client
 * asks, evaluates the plan's triggers at each event, and carries out the actions. It also keeps
 * the log of what clients did and saw, and knows when nothing is going on any more.
 *
 * One an apiserver process; opened behind the server's start and closed before its end. */
#ifndef APISIM_LIVE_LIVE_H
#define APISIM_LIVE_LIVE_H

#include "base/buf.h"
#include "sim/live/plan.h"
#include "sim/serve.h"

typedef struct live live;

typedef enum record_kind {
  RECORD_REQUEST, /* answered: status */
  RECORD_COMMIT, /* verb: create, update, delete */
  RECORD_DELIVER, /* verb: ADDED... */
  RECORD_FAULT, /* key: the fault's name, detail: what was done */
  RECORD_STEP,
  RECORD_CLIENT, /* started, killed, exited */
} record_kind;

#define RECORD_VERB_MAX 20
typedef struct live_record {
  uint64_t seq;
  int64_t at_ns; /* since the engine was opened */
  record_kind kind;
  int client; /* index in the plan; below 0: see live_client_name */
  int status;
  int64_t revision; /* 0: none */
  char verb[RECORD_VERB_MAX];
  char *key; /* RESOURCE[.GROUP][/NAMESPACE]/NAME, or a path */
  char *detail;
} live_record;

#define CLIENT_SCENARIO (-1) /* the engine itself, and the plan's scenario */
#define CLIENT_OTHER (-2) /* nobody that the plan knows */
#define CLIENT_SERVER (-3) /* commits of no request */

typedef struct live_options {
  const char *directory; /* for kubeconfigs and logs of supervised clients; NULL: none is run */
  int verbosity; /* 1: a line a fault on stderr */
} live_options;

/* Lines of a token file: one a client of the plan, an administrator by the name apisim:CLIENT. What
 * is asked with it is the client's, whatever else its match says. */
void live_tokens(const live_plan *p, buf *out);
/* The plan must outlive it. */
live *live_open(serving *s, const live_plan *p, const live_options *o);
void live_close(live *l);
const live_plan *live_plan_of(const live *l);
slice live_client_name(const live *l, int client);
int64_t live_now_ns(const live *l); /* since it was opened, by the real clock */

/* Starts every client that has a command; stops them all. False: one could not be started. */
bool live_start_clients(live *l, char *problem, size_t size);
void live_stop_clients(live *l);
/* In a fork of the process: the supervised clients are the parent's. */
void live_forked(live *l);
/* A supervised client that ended without having been told to; NULL: none did. The engine's text. */
const char *live_died(const live *l);
bool live_start_client(live *l, slice name);
bool live_stop_client(live *l, slice name);

/* The scenario's own events. */
void live_step_begins(live *l, int64_t number, const char *what);
/* Ends all faults for good: holds are released, lags and freezes end, killed clients come back.
 * False: that changes nothing, for all had ended. */
bool live_heal(live *l);

/* What is held goes on, frozen servers move; faults stay armed. False: nothing was behind. */
bool live_catch_up(live *l);

/* Whether nothing has happened for the plan's quiet time, nothing is under way, and no action of
 * the engine is due. Held things count as quiet: the healing releases them. */
bool live_is_quiet(const live *l);
/* What keeps it from being quiet, a line in a buffer of the engine. */
const char *live_busy_with(const live *l);
/* With another quiet time and further resources to ignore; quiet_ns below 0: the plan's. */
bool live_quiet_for(const live *l, int64_t quiet_ns);

/* A request to the server from within, as an administrator; answered before it returns. The
 * answer's body is appended. 0: it was not answered. */
int live_call(live *l, const char *method, slice target, const char *content_type, slice body,
              buf *answer);

/* Moves the virtual clock; timers that come due fire in their order. False: the clock is real. */
bool live_advance(live *l, int64_t ns);

/* Records from this sequence number on, oldest first; NULL behind the last. The numbers begin at
 * 1; old ones are dropped above LIVE_RECORDS_MAX. */
const live_record *live_record_at(const live *l, uint64_t seq);
uint64_t live_first_record(const live *l);
uint64_t live_record_end(const live *l); /* one behind the newest */
void live_record_print(const live *l, const live_record *r, buf *out);

/* Faults at run time. fire counts by index; added ones stand behind the plan's. */
uint32_t live_fault_count(const live *l);
const live_fault *live_fault_at(const live *l, uint32_t i, uint64_t *fired, bool *active);
bool live_fault_add(live *l, slice text, slice *problem); /* *problem in the engine's memory */
uint32_t live_fault_clear(live *l, slice name); /* empty: all; how many */

/* What the oracles need. The observer is told of every commit, in its turn. */
typedef struct live_commit {
  int client;
  bool ghost; /* by the duplicate of a request */
  bool created, deleted;
  int64_t revision;
  slice resource_name, namespace, name, key;
  slice before, after; /* JSON; empty: none (after: of a deletion) */
} live_commit;
typedef void (*live_observer)(void *ctx, const live_commit *c);
void live_observe(live *l, live_observer fn, void *ctx);
typedef struct live_lint live_lint;
const live_lint *live_lint_of(const live *l);
int64_t live_writes_of(const live *l, int client); /* commits that it made */

#endif
