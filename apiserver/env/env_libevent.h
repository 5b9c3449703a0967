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

#include "env/env.h"
#include "server.h"

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

/* The server that connections are handed to; before world_run. */
void world_attach(world *w, server *s);

struct world_tls; /* env_tls.h */
/* address: an IPv4 or IPv6 literal. *port 0: the kernel chooses, and *port says what. tls
 * NULL: plain. Listening starts at once; connections wait until world_run. False with
 * *problem (static or in a buffer of the world). */
bool world_listen(world *w, const char *address, int *port, struct world_tls *tls,
                  const char **problem);

/* Until SIGTERM, SIGINT or world_stop; then answers under way leave and all is closed. */
void world_run(world *w);
void world_stop(world *w);
/* A child to watch: world_run also ends when it exits; *status is waitpid's. */
void world_watch_child(world *w, int pid, int *status);

#endif
