/* env_libevent: the real world behind env: sockets, TLS, clocks, signals.
 *
 * libevent says when a socket is ready and when time has come; everything else is done here,
 * because one recv and one send a turn with no copy in between is what makes it fast. One
 * thread, one world a process (signals).
 *
 * A turn: wait for readiness, read the clocks once, feed what came to the server, tick the
 * server, send what it wrote. Nothing written leaves before the turn's end. */
#ifndef APISIM_ENV_ENV_LIBEVENT_H
#define APISIM_ENV_ENV_LIBEVENT_H

#include "base/timers.h"
#include "env/env.h"

typedef struct world world;

typedef enum world_clock {
  WORLD_CLOCK_REAL,
  /* Wall time starts at 2026-01-01T00:00:00Z and advances by 1 ms with each request, so the
   * same requests in the same order give the same timestamps. Timers (the monotonic clock) run
   * in real time. */
  WORLD_CLOCK_VIRTUAL,
} world_clock;

typedef struct world_options {
  world_clock clock;
  uint64_t seed;
  int verbosity; /* --v: 0 errors, warnings and notices; 2 a line a connection */
} world_options;

world *world_create(const world_options *o);
void world_destroy(world *w);
env *world_env(world *w);
/* Virtual clock only: called with each request. */
void world_advance(world *w);

/* What runs in the world: ticked once a turn, told when the world ends (answers under way still
 * leave after that), given the connections of listeners that name no acceptor of their own. */
typedef struct world_program {
  void (*tick)(void *ctx);
  void (*stop)(void *ctx);
  /* A signal asks for the end, and the program calls world_stop when it is done; a second signal
   * does not wait for that. NULL: at once. */
  void (*leave)(void *ctx);
  env_acceptor acceptor;
  void *ctx;
} world_program;
/* Before world_run. */
void world_attach(world *w, const world_program *p);

struct world_tls; /* env_tls.h */
/* address: an IPv4 or IPv6 literal, or "unix:PATH": a socket that only this user can reach, removed
 * at the end (one that nobody listens on any more is replaced); *port is not used then. *port 0:
 * the kernel chooses, and *port says what. tls NULL: plain. acceptor (copied) NULL: the program's.
 * Listening starts at once; connections wait until world_run. False with *problem (static or in a
 * buffer of the world). */
bool world_listen(world *w, const char *address, int *port, const struct world_tls *tls,
                  const env_acceptor *acceptor, const char **problem);

/* Timers for programs of the world's own; they fire in each turn, before the program's tick. */
timers *world_timers(world *w);
/* The virtual clock's time, kept and put back with a server's state (0 and nothing: real clock). */
int64_t world_virtual_ns(const world *w);
void world_set_virtual_ns(world *w, int64_t ns);
/* Both clocks jump ahead; timers that come due fire in their order, each at its own time. Within a
 * turn of the program. ns >= 0. */
void world_skip(world *w, int64_t ns);

/* Until SIGTERM, SIGINT or world_stop; then answers under way leave and all is closed. */
void world_run(world *w);
void world_stop(world *w);
/* Whether world_skip is under way. */
bool world_is_skipping(const world *w);
/* For a process that forked in a timer's callback (outside of world_skip): the child's side, before
 * anything else is done in the world. The loop becomes its own, and listeners are given up; the
 * parent's connections end there without a word on the wire by world_drop_all. Then it listens anew
 * and calls world_run, within the callback. */
void world_forked(world *w);
void world_drop_all(world *w);
/* Open connections stay. */
void world_stop_listening(world *w);
/* A child to watch: world_run also ends when it exits; *status is waitpid's. */
void world_watch_child(world *w, int pid, int *status);

#endif
