/* plan: what a plan file says, read strictly: an unknown key, a wrong type or a name that is not
 * declared is an error that tells the line. README.md in this folder has the format as tables.
 * A plan lives in the arena it was read into and is never changed; shrinking edits the tree of
 * nodes and reads it again. */
#ifndef APISIM_LIVE_PLAN_H
#define APISIM_LIVE_PLAN_H

#include "sim/live/node.h"

#include <stdbool.h>
#include <stdint.h>

#define LIVE_TRIGGERS_MAX 1024 /* counters that one plan may need */
#define LIVE_FAULTS_MAX 256

typedef struct strlist {
  uint32_t count;
  const slice *items;
} strlist;

/* Something that an event's field, or an object's, is compared with. Unset: anything. */
typedef struct live_predicate {
  bool set;
  bool equals_set, not_equals_set, exists_set, exists;
  slice equals, not_equals, matches; /* matches: a glob */
  bool less_set, greater_set;
  double less, greater;
} live_predicate;

/* A field of the object before and after a commit. */
typedef struct live_field {
  slice path; /* "spec.replicas", "metadata.annotations[example.com/x]", "spec.ports.0.port" */
  bool changed; /* its value must differ between the two */
  live_predicate before, after;
} live_field;

typedef enum live_point {
  POINT_BEFORE_RECEIVE, /* a request is here, nothing has been done */
  POINT_BEFORE_COMMIT, /* a write is checked and about to be stored */
  POINT_AFTER_COMMIT, /* it is stored, nobody has been told */
  POINT_AFTER_RECEIVE, /* a request is done, its answer has not been sent */
  POINT_BEFORE_DELIVER, /* a watch is about to be told */
  POINT_AFTER_DELIVER, /* a watch was told */
  POINT_COUNT,
} live_point;
extern const char *const live_point_names[POINT_COUNT];

/* What an event must look like. Every part that is given must fit. */
typedef struct live_match {
  strlist clients; /* names of clients; empty: any but the scenario itself */
  strlist verbs; /* the request's verb, or create, update, delete of a commit */
  strlist resources; /* "pods", "deployments.apps", globs */
  strlist subresources; /* "status"; "" for the object itself */
  strlist namespaces, names, keys; /* globs; a key is RESOURCE[/NAMESPACE]/NAME */
  strlist types; /* of deliveries: ADDED, MODIFIED, DELETED, BOOKMARK */
  strlist statuses; /* of afterReceive: "409" or a glob, "5*" */
  bool initial_set, initial; /* of deliveries: the state that a watch begins with */
  live_field *fields;
  uint32_t field_count;
  int64_t n; /* the n-th that fits, from 1; 0: each */
  int64_t every; /* each every-th */
  int64_t from; /* not before this one, from 1 */
  double p; /* with this chance; 1 unless given */
} live_match;

typedef enum trigger_op {
  TRIGGER_EVENT,
  TRIGGER_ALL, /* at the event that makes the last of them true */
  TRIGGER_ANY,
  TRIGGER_NOT, /* true as long as the inner one has not fired; only inside of all */
  TRIGGER_SEQUENCE, /* one after the other */
  TRIGGER_AT, /* once, this long after the start of the run */
  TRIGGER_EVERY,
  TRIGGER_STEP, /* when the n-th step of the scenario begins */
  TRIGGER_REVISION, /* when the store reaches it */
} trigger_op;

typedef struct live_trigger {
  trigger_op op;
  uint32_t id; /* of its state, dense in the plan */
  live_point point;
  live_match match;
  int64_t value; /* nanoseconds, step or revision */
  uint32_t count;
  const struct live_trigger *parts;
  int line;
} live_trigger;

typedef enum action_kind {
  ACT_HOLD,
  ACT_COALESCE,
  ACT_EXPIRE,
  ACT_REPLY,
  ACT_CUT,
  ACT_DUPLICATE,
  ACT_CLOSE_WATCH,
  ACT_DROP_BOOKMARKS,
  ACT_DELAY_BOOKMARKS,
  ACT_DELAY_INITIAL_END,
  ACT_SLOW_CONSUMER,
  ACT_COMPACT,
  ACT_KILL_CLIENT,
  ACT_RESTART_CLIENT,
  ACT_PAUSE_CLIENT,
  ACT_MOVE_CLIENT,
  ACT_FREEZE,
  ACT_THAW,
  ACT_JUMP_CLOCK,
  ACT_ADVANCE,
  ACT_COUNT,
} action_kind;

typedef enum cut_where { CUT_HERE, CUT_MIDDLE, CUT_STREAM } cut_where;

typedef struct live_action {
  action_kind kind;
  int line;
  slice client; /* kill, restart, pause, move; of standing actions: whose */
  slice server; /* restart, move, freeze, thaw */
  strlist resources; /* of standing actions */
  int64_t duration_ns; /* hold for, restart after, delays, pauses, clocks */
  const live_trigger *until; /* NULL: the healing ends it */
  int64_t number; /* reply: code; compact: revisions kept; slow consumer: events that wait */
  int64_t retry_after_s;
  slice reason, message; /* reply */
  double p;
  cut_where where;
} live_action;

typedef struct live_fault {
  slice name; /* given, or "faults[2]" */
  const live_trigger *on;
  uint32_t action_count;
  const live_action *actions;
  int64_t times; /* at most; 0: no bound */
  int line;
} live_fault;

typedef struct live_server {
  slice name;
  int64_t lag_revisions, lag_ns;
  bool frozen; /* from the start, until a thaw */
  int line;
} live_server;

typedef enum restart_policy { RESTART_ON_FAULT, RESTART_ALWAYS, RESTART_NEVER } restart_policy;

typedef struct live_client {
  slice name;
  slice user_agent, user, certificate; /* globs; empty: anything */
  uint32_t server; /* index */
  strlist command; /* empty: not ours to run */
  strlist env; /* "K=V" */
  restart_policy restart;
  int line;
} live_client;

typedef enum step_kind {
  STEP_APPLY,
  STEP_CREATE,
  STEP_DELETE,
  STEP_PATCH,
  STEP_WAIT,
  STEP_SLEEP,
  STEP_ADVANCE,
  STEP_START,
  STEP_STOP,
} step_kind;

/* What to wait for, or to find at the end. */
typedef struct live_condition {
  slice key; /* RESOURCE[/NAMESPACE]/NAME */
  bool absent;
  slice path;
  live_predicate value;
} live_condition;

typedef struct live_step {
  step_kind kind;
  int line;
  bool settle; /* wait for quiet before the next */
  slice key; /* delete, patch */
  slice subresource, patch_type, client;
  strlist documents; /* YAML or JSON texts, one object each */
  int64_t duration_ns; /* sleep, advance; of a wait: the longest under faults, 0: no bound */
  bool quiet; /* wait: {quiet: true} */
  live_condition condition;
} live_step;

typedef enum oracle_kind {
  ORACLE_QUIESCE_WITHIN,
  ORACLE_END_STATE,
  ORACLE_COUNTS,
  ORACLE_NO_FLAP,
  ORACLE_NO_DUPLICATE,
  ORACLE_CLIENTS_ALIVE,
  ORACLE_LINT,
  ORACLE_EXPECT,
  ORACLE_NEVER, /* a trigger that must not fire, with faults or without */
  ORACLE_COUNT,
} oracle_kind;
extern const char *const oracle_names[ORACLE_COUNT];

typedef struct live_oracle {
  oracle_kind kind;
  int line;
  int64_t number; /* nanoseconds or times */
  strlist masks, resources, ignore;
  strlist fail, off; /* lint */
  live_condition condition;
  const live_trigger *never;
} live_oracle;

typedef struct live_quiesce {
  int64_t quiet_ns; /* nothing happened for this long */
  int64_t within_ns; /* the scenario waits no longer than this between two steps */
  strlist ignore; /* resources whose traffic is no activity */
  bool ignore_reads;
  /* Between two steps: what is held goes on, frozen servers move, and the state of the reference at
   * that step is waited for. */
  bool catch_up;
  int64_t converge_ns; /* how long a quiet state that is not the reference's may still change */
} live_quiesce;

typedef struct live_swarm {
  bool set;
  int64_t max; /* faults drawn: 1 to max */
  strlist classes; /* empty: all */
} live_swarm;

typedef struct live_plan {
  uint64_t seed;
  bool seed_set;
  bool virtual_clock;
  uint32_t server_count, client_count, step_count, fault_count, oracle_count, trigger_count;
  const live_server *servers; /* at least one */
  const live_client *clients; /* at least one */
  const live_step *steps;
  const live_fault *faults;
  const live_oracle *oracles;
  live_quiesce quiesce;
  live_swarm swarm;
  strlist serve_flags; /* more flags for the server */
  int serve_line;
  const node *tree; /* what it was read from */
} live_plan;

/* command: argv of the first client, given on the command line, or NULL. False with *problem, one
 * line that begins with `file:line:`. */
bool live_plan_read(arena *a, const char *file, node *tree, char **command, live_plan *out,
                    slice *problem);
/* Reads the file; *tree is what it says, with the manifests that its steps name read in. */
bool live_plan_load(arena *a, const char *file, node **tree, slice *problem);
/* The steps that its triggers name are there. False with *problem. */
bool live_plan_steps_fit(arena *a, const char *file, const live_plan *p, slice *problem);
const char *live_action_name(action_kind kind);
/* One fault as given at run time (YAML or JSON text). Its triggers get ids from *next_id on. */
bool live_fault_read(arena *a, const live_plan *p, slice text, uint32_t *next_id, live_fault *out,
                     slice *problem);

/* Whether it works with the objects in an etcd (plan_elsewhere.c). False with *problem, which names
 * what does not and its line. */
bool live_plan_fits_elsewhere(arena *a, const char *file, const live_plan *p, slice *problem);
bool live_fault_fits_elsewhere(arena *a, const char *file, const live_fault *f, slice *problem);

/* '*' stands for any run of bytes, '?' for one. */
bool live_glob(slice pattern, slice text);
bool live_glob_any(const strlist *patterns, slice text);
/* Whether the value (a JSON scalar's text, or absent) is what the predicate asks for. */
bool live_predicate_holds(const live_predicate *p, bool present, slice text);

#endif
