/* What the files of the fault engine share. Private to sim/live. */
#ifndef APISIM_LIVE_ENGINE_H
#define APISIM_LIVE_ENGINE_H

#include "base/rng.h"
#include "request/tap.h"
#include "registry/stored.h"
#include "server.h"
#include "sim/live/lint.h"
#include "store/backend.h"
#include "sim/live/live.h"
#include "sim/live/target.h"

#define LIVE_RECORDS_MAX 65536u
#define LIVE_COMMITS_KEPT 4096u /* revisions with their times, for lags in time */
#define LIVE_QUEUE_MAX 65536u /* frames that one held stream may keep; then it is cut */

typedef struct live_frame {
  struct live_frame *next;
  blob *bytes;
  int64_t revision, not_before_ns; /* real clock */
  event_type type;
  bool initial;
  slice key; /* behind the struct */
  char text[];
} live_frame;

typedef enum hold_state { HOLD_NONE, HOLD_REQUEST, HOLD_ANSWER, HOLD_STREAM } hold_state;

/* A request under way, or a watch. */
typedef struct exchange {
  struct exchange *next, **link;
  live *live;
  http_exchange *x;
  request *rq; /* until the answer begins */
  arena *arena; /* of what follows; NULL once it is packed */
  char *packed;
  int client;
  live_target target; /* resource may be NULL: a path that is none */
  slice verb, subresource, path, asked_revision, resource_key;
  slice resource_name; /* "pods", "deployments.apps", empty */
  bool watch, write, ghost, streaming, ended, doomed;
  bool too_slow; /* the server gives the stream up, no fault of the network's */
  bool logged; /* its answer, or that there is none */
  int64_t committed; /* the newest revision it made */
  /* effects that wait for the answer */
  const live_action *reply, *cut;
  bool cut_due, end_due, expire_due;
  /* holds */
  hold_state held;
  const live_action *hold;
  int64_t hold_until_ns; /* 0: no time */
  bool coalesce;
  http_answer answer; /* kept, in the arena */
  int64_t cut_at_ns; /* of a connection that breaks in the middle: when the half has left */
  live_frame *first, **last;
  uint32_t queued;
} exchange;

typedef struct trigger_state {
  int64_t seen;
  uint32_t at; /* of a sequence */
  bool fired;
  uint64_t event; /* the last one looked at: several holds may wait for one trigger */
  bool fires; /* and whether that fired it */
} trigger_state;

typedef struct fault_state {
  const live_fault *fault;
  uint64_t fired;
  bool cleared;
} fault_state;

/* An action that goes on: dropped bookmarks and the like. */
typedef struct standing {
  struct standing *next;
  const live_action *action;
  slice fault; /* its name */
} standing;

/* Something to be done in a turn of its own. */
typedef struct due_action {
  struct due_action *next;
  const live_action *action;
  int64_t at_ns;
} due_action;

typedef struct server_view {
  int64_t horizon;
  bool frozen;
} server_view;

typedef enum child_state { CHILD_NONE, CHILD_RUNS, CHILD_KILLED, CHILD_STOPPED, CHILD_DIED }
    child_state;

typedef struct client_view {
  const live_client *plan;
  uint32_t server;
  char token[48];
  child_state child;
  int pid;
  uint32_t starts;
  int64_t resume_at_ns; /* of a SIGSTOP */
  int64_t writes;
  bool asked; /* something, since its start */
  int idle_samples; /* in a row, with no thread of it running or runnable */
  int64_t sampled_ns;
  char kubeconfig[512];
} client_view;

struct live {
  serving *serving;
  server *server;
  const live_plan *plan;
  live_options options;
  arena *arena;
  int64_t opened_ns;
  http_tap http_tap;
  server_tap server_tap;
  env inner_env; /* the world's own functions */
  struct inner_conn *inner; /* answering now */
  exchange *exchanges;
  uint64_t exchanges_over; /* how many have gone: a cut may end others than the one at hand */
  exchange *current; /* whose handler runs */
  exchange *ghost_of; /* a duplicate of it is being sent */
  store_watch *feed;
  rng chance;
  trigger_state *triggers;
  uint64_t events;
  uint32_t trigger_count, next_trigger;
  fault_state *faults;
  uint32_t fault_count, fault_cap;
  standing *standings;
  due_action *due;
  server_view *servers;
  client_view *clients;
  timer tick, soon, *trigger_timers;
  bool healed, closing;
  bool elsewhere; /* the objects are in an etcd: commits are not seen, old states are not there */
  bool refuse_commit; /* by an action at beforeCommit */
  store_backend store_table;
  const store_backend *store_inner; /* NULL: not wrapped */
  int64_t last_activity_ns;
  char activity[160];
  live_record *records;
  uint64_t record_end;
  int64_t commit_revision[LIVE_COMMITS_KEPT], commit_ns[LIVE_COMMITS_KEPT];
  uint64_t commits;
  live_lint *lint;
  live_observer observer;
  void *observer_ctx;
  struct quiet_wait *quiet_waits; /* control.c's */
  int64_t step_until_ns; /* of a sleeping step */
  char died[256], busy[256], never[512];
};

/* An event that triggers look at. */
typedef struct live_event {
  uint64_t id; /* engine_event gives it */
  int point; /* live_point; -1: a timer or a step */
  const live_trigger *due; /* of a timer */
  int64_t step, revision;
  exchange *ex; /* NULL: none */
  int client;
  slice verb, effect; /* request's; create, update, delete */
  slice resource_name, subresource, namespace, name, key;
  slice type;
  bool initial;
  int status;
  const store_entry *before, *after;
  slice after_bytes; /* of a write that is not stored yet */
  arena *arena; /* for the trees below, made when asked for */
  const val *before_tree, *after_tree;
} live_event;

/* time.c */
int64_t real_ns(void);

/* trigger.c: fires what the event fires, and ends what it ends. */
void engine_event(live *l, live_event *ev);
bool trigger_fires(live *l, const live_trigger *t, live_event *ev);
/* It counts anew, from behind this event. */
void trigger_reset(live *l, const live_trigger *t, const live_event *ev);
bool event_client_fits(const strlist *clients, const live *l, int client, bool any);
/* A field of a tree: its scalar text ("null" never), in a. False: absent. */
bool tree_field(arena *a, const val *tree, slice path, slice *text, bool *scalar);
void engine_arm_triggers(live *l, const live_trigger *t);

/* action.c */
void action_run(live *l, const live_fault *f, const live_action *act, live_event *ev);
void action_due(live *l, const due_action *d);
void engine_soon(live *l);
void standing_check(live *l, live_event *ev); /* those whose until fires end */
const standing *standing_for(const live *l, action_kind kind, const exchange *ex);
bool engine_chance(live *l, double p);

/* stream.c */
bool stream_frame(void *ctx, const tap_frame *f);
void stream_pump(exchange *ex);
void stream_forget(exchange *ex);
void stream_release(exchange *ex);

/* exchange.c */
tap_verdict exchange_request(void *ctx, request *rq);
bool exchange_answer(void *ctx, http_exchange *x, http_answer *a);
void exchange_stream(void *ctx, http_exchange *x, int status);
void exchange_over(void *ctx, http_exchange *x);
void exchange_pump(exchange *ex); /* what is due of it */
bool exchange_cuts_connection(const exchange *ex); /* or the stream alone (HTTP/2) */
live_event exchange_event(exchange *ex, int point, arena *a);
/* Times in revisions: what a read or a stream of this client may see. INT64_MAX: all. */
int64_t engine_horizon(live *l, int client);

/* record.c */
void engine_record(live *l, record_kind kind, int client, slice verb, slice key, int status,
                   int64_t revision, const char *format, ...)
    __attribute__((format(printf, 8, 9)));
void engine_active(live *l, const char *what, int client, slice key);
bool engine_ignores(const live *l, slice resource_name);

/* inner.c */
void inner_install(live *l);
void inner_remove(live *l);
void inner_duplicate(live *l, exchange *ex);
bool inner_is(const live *l, const http_exchange *x);

/* commit.c: the store's table of functions, wrapped where a plan looks at commits beforehand */
void commit_install(live *l);
void commit_remove(live *l);

/* child.c */
bool child_start(live *l, client_view *c);
void child_kill(live *l, client_view *c, bool by_fault);
void child_pause(live *l, client_view *c, int64_t ns);
void child_poll(live *l);
/* Whether it computes, or would if it got the processor: looked at a few times before a run is
 * called quiet. */
bool child_works(client_view *c);
client_view *client_named(live *l, slice name);

#endif
