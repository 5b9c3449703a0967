/* world: a run of the simulator. One thread; virtual time, which jumps to the next thing due; one
 * event a turn, ordered by (time, sequence); one to three API servers, each in a process heap of
 * its own, reached by memory connections that carry real HTTP bytes; clients; faults; checkers.
 *
 * The servers are the unmodified library: everything here stands behind env/env.h and (with the
 * simulated etcd) store/remote.h. */
#ifndef APISIM_SIM_WORLD_H
#define APISIM_SIM_WORLD_H

#include "base/buf.h"
#include "env/env.h"
#include "server.h"
#include "sim/check/check.h"
#include "sim/model/model.h"
#include "sim/world/draw.h"
#include "sim/world/fault.h"
#include "sim/world/probe.h"
#include "sim/world/process_heap.h"
#include "sim/world/queue.h"
#include "sim/world/transcript.h"

#define SECOND ((int64_t)1000000000)
#define MILLI ((int64_t)1000000)
#define CLIENTS_MAX 24
#define WAITING_MAX 16
#define SIM_TOKEN "simtoken-5e7f" /* of every client but a tape's other people */
#define WORLD_EPOCH_NS ((int64_t)1767225600 * SECOND) /* the wall clock at the run's start: 2026 */
#define MONO_BASE_NS SECOND

typedef struct world world;
typedef struct client client;
typedef struct env_conn sim_conn; /* what the server knows as env_conn */
typedef struct op op;

enum due_kind {
  DUE_PHASE, /* arg: the phase to go to */
  DUE_SERVER_WAKE, /* ptr: sim_server */
  DUE_SERVER_START,
  DUE_TO_SERVER, /* ptr: message */
  DUE_TO_CLIENT,
  DUE_CLIENT, /* ptr: client, arg: its tag */
  DUE_CLIENT_RESTART,
  DUE_CONN_RESUME, /* ptr: sim_conn; arg: history goes before it */
  DUE_CONN_SEND, /* ptr: message, the rest of a slow request */
  DUE_CALL_TIMEOUT, /* ptr: call */
  DUE_CALL_RESET,
  DUE_CALL_INSTEAD,
  DUE_CALL_GOES_ON,
  DUE_FAULT, /* ptr: fault */
  DUE_FAULT_END,
  DUE_STORE, /* ptr: the remote's own */
  DUE_WATCHDOG, /* looks whether the liveness phase is done */
};

enum world_phase { PHASE_SAFETY, PHASE_LIVENESS, PHASE_OVER };

/* A message under way on a connection: bytes, or its end. */
typedef struct message {
  struct message *next;
  sim_conn *conn;
  uint8_t kind; /* enum message_kind, net.c */
  uint32_t len;
  char bytes[];
} message;

typedef struct sim_server {
  env env; /* first: an env * is a sim_server * */
  world *world;
  uint8_t index;
  server *api; /* NULL: down */
  uint32_t life; /* counts starts */
  process_heap heap;
  int64_t wake_ns; /* asked for, on the world's clock; INT64_MAX: none */
  int64_t wake_due; /* of the wake-up that counts; INT64_MAX: none */
  uint32_t wake_ticket; /* its number: those that were pushed before it do nothing */
  int64_t aware_ns; /* since then it knows that a backup was restored; INT64_MAX: not yet */
  int64_t wall_skew_ns;
  int64_t timer_slack_ns; /* timers fire that much late, together */
  int64_t paused_until_ns; /* 0: it is not */
  int64_t resumed_ns; /* when it last went on after a pause */
  message *backlog, **backlog_end; /* came while it was paused */
  int64_t cut_until_ns; /* no client reaches it */
  uint32_t pending_factor; /* what the network says it holds, times this */
  bool inside; /* a call into the library is under way */
  sim_conn *dirty, **dirty_end; /* wrote in this turn */
  sim_conn *conns; /* accepted and open */
  store_watch *observer; /* memory backend: tells the model */
  int64_t began_at; /* memory backend: the store's revision when it was up */
  int64_t kept; /* while it is down: the oldest version that it read at */
  void *backend; /* etcd model: the server's end of it */
} sim_server;

typedef struct violation {
  bool set;
  uint8_t check;
  uint64_t turn, turns_max;
  int64_t at_ns;
  char text[1200];
} violation;

/* A backup was restored: these revisions never were (bounds not included). */
typedef struct lost_history {
  int64_t from, upto, at_ns;
} lost_history;

/* What was left out of the run by shrinking. */
typedef struct run_cuts {
  uint64_t clients; /* bits by client id */
  const uint32_t *ops; /* sorted: writer << 16 | operation; PLAYER_WRITER: exchanges of the tape */
  uint32_t op_count;
} run_cuts;
struct tape;

struct world {
  const draw *draw;
  arena *arena; /* everything that lives until the run's end */
  int64_t now_ns;
  uint64_t turn, turns_max;
  uint8_t phase;
  uint32_t epoch; /* counts how often the store was lost, or a part of its history */
  lost_history lost;
  bool stop;
  bool foreign; /* a commit is nobody's in this world: the plan's other writer, a lease's end */
  int64_t settled_revision; /* of the newest change of an object */
  bool booting; /* commits are a server's first objects: not judged */
  queue queue;
  transcript log;
  model *model;
  fault_plan plan;
  uint64_t active_classes; /* that have been active in this run */
  fault *waiting[WAITING_MAX]; /* for a request of the kind that they strike */
  uint32_t waiting_count;
  run_cuts cuts;
  sim_server servers[SERVERS_MAX];
  client *clients[CLIENTS_MAX];
  uint32_t client_count;
  op **ops; /* by id */
  op *unknown_ops; /* nobody waits for them, and they may still happen */
  uint32_t op_count, op_cap;
  struct stream **streams; /* every watch stream that was begun */
  uint32_t stream_count, stream_cap;
  sim_conn *all_conns;
  struct call *all_calls;
  uint32_t conn_count, writers_busy, stream_turns;
  int64_t safety_ns; /* the safety phase ends at the latest then */
  int64_t healed_ns;
  rng net_rng; /* latencies */
  uint64_t check_counts[CHECKS];
  uint64_t probe_counts[PROBES];
  uint64_t fault_counts[FAULT_CLASSES];
  violation violation;
  bool measure; /* wall time, for the figures; nothing branches on it */
  uint64_t server_wall_ns, start_wall_ns;
  void *store; /* the simulated etcd, or NULL */
  const struct tape *tape; /* replayed by one more client, or NULL */
  struct answers *answers; /* where the writers' answers are kept; NULL: nowhere */
  struct { /* what the workload shares */
    int64_t increments_acked, increments_unknown;
    const struct kind_row *parents; /* the kind that the controller has children for; or NULL */
    bool revoking; /* objects go with a lease that somebody revoked: not its end */
    bool huge_wanted; /* the next create is too large */
  } shared;
};

typedef struct sim_options {
  draw draw;
  bool record; /* keep every line */
  bool measure; /* the wall time spent inside the servers */
  FILE *trace; /* print lines as they come */
  const fault *faults; /* instead of those drawn from the seed */
  uint32_t fault_count;
  bool has_faults;
  run_cuts cuts;
  const struct tape *tape; /* replayed as one more client; borrowed; NULL: none */
  slice tape_text; /* that tape as it was read: what a failure's file carries */
  int64_t until_ns; /* 0: the phases decide */
  uint64_t events_max; /* turns; 0: no bound but the built-in one */
} sim_options;

world *sim_create(const sim_options *o);
/* Runs to the end: w->violation says how it went. */
void sim_run(world *w);
void sim_destroy(world *w);
bool cuts_have(const run_cuts *cuts, uint32_t writer, uint32_t number);

/* ---- for the parts ---- */

void world_at(world *w, int64_t at_ns, uint8_t what, void *ptr, uint64_t arg);
void world_line(world *w, actor who, event_kind what, actor peer, int64_t n0, int64_t n1,
                int64_t n2, slice text);
void world_note(world *w, actor who, int64_t n, const char *text);
static inline actor actor_of_server(const sim_server *s) {
  return (actor){ACTOR_SERVER, s->index};
}
#define THE_WORLD ((actor){ACTOR_WORLD, 0})
#define THE_STORE ((actor){ACTOR_STORE, 0})

/* ---- servers (sim_server.c) ---- */

bool sim_server_start(sim_server *s);
/* What all of them are started with. */
server_options sim_server_options(void);
/* kill -9: everything it had is gone, its connections break. */
void sim_server_kill(sim_server *s, const char *why);
/* An orderly end: watches end, then it is gone; leaks are looked for. */
void sim_server_stop(sim_server *s);
/* Runs `call` inside the process; false when the process died of it. */
typedef void (*server_call)(sim_server *s, void *ctx);
bool sim_server_enter(sim_server *s, server_call call, void *ctx);
void sim_server_woken(sim_server *s, uint32_t ticket);
/* Nothing that comes to it is handled now; returns when, or 0. */
int64_t sim_server_busy_until(const sim_server *s);

/* ---- connections (net.c) ---- */

typedef enum conn_end { CONN_END_CLOSED, CONN_END_BROKEN, CONN_END_REFUSED } conn_end;
struct env_conn {
  world *world;
  sim_server *server;
  uint32_t server_life, id;
  const env_conn_events *events; /* of the server's end */
  void *http; /* the server's end; NULL: not accepted, or closed */
  env_peer peer;
  char address[24];
  /* the client's end */
  client *owner;
  struct call *call; /* under way on it */
  struct h2_link *h2; /* NULL: HTTP/1.1 */
  bool open; /* the client has not closed it and was not told that it ended */
  bool is_stream;
  /* the server's side of this turn */
  buf out;
  bool dirty, ending, flush_end;
  sim_conn *next_dirty, *next, *prev, *all_next;
  /* under way */
  int64_t up_last_ns, down_last_ns; /* arrivals keep their order */
  size_t down_bytes; /* sent by the server, not yet taken by the client */
  bool paused; /* by the server */
  message *held, **held_end; /* came while it was paused */
  bool blackhole_up, blackhole_down;
  bool slow; /* the client does not read */
  int64_t slow_until_ns;
  bool close_behind; /* the server's end is closed behind this turn */
  bool close_after_answer; /* nobody reads it: a copy of a request */
  message *unread, **unread_end;
  uint32_t fragment_up, fragment_down; /* bytes a piece; 0: whole */
  int64_t cut_down_after; /* the connection breaks behind that many more bytes; -1: not */
};

sim_conn *net_open(world *w, client *c, sim_server *s);
void net_send(sim_conn *c, slice bytes);
/* The client closes. */
void net_close(sim_conn *c);
/* The network breaks it: both ends are told after a while. */
void net_break(sim_conn *c);
void net_slow(sim_conn *c, bool slow);
/* The network says that it holds so many times what it does (0: once). */
void net_pending_factor(sim_server *s, uint32_t factor);
/* Does not read for that long. */
void net_slow_for(sim_conn *c, int64_t ns);
/* Breaks when what was sent has arrived. */
void net_break_behind(sim_conn *c);
void net_half_close(sim_conn *c);
void net_send_later(sim_conn *c, slice bytes, int64_t after_ns);
void net_sends_now(world *w, message *m);
/* Somebody on the way answers with these bytes; the server never hears of it. */
void net_answer_instead(sim_conn *c, slice bytes);
void net_fault_resume(sim_conn *c, bool lose_history);
void net_fault_behind(sim_conn *c);
void net_to_server(world *w, message *m);
void net_to_client(world *w, message *m);
/* The server's calls (env). */
void net_env_init(env *e);
/* Sends what the turn wrote. */
void net_flush(sim_server *s);
/* It is no longer paused. */
void net_resume_server(sim_server *s);
/* The process is gone: its ends of all connections are closed. */
void net_server_gone(sim_server *s);

/* ---- faults (fault_act.c) ---- */

void fault_begin(world *w, fault *f);
void fault_end(world *w, fault *f);
/* The end of the safety phase: everything works again. */
void fault_heal(world *w);

#endif
