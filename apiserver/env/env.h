/* env: the one door to the outside. The server library calls nothing else for
 * clocks, randomness, connections, logging or files; the real world stands behind
 * it in env_libevent.c, the simulated one in sim/replay/uplink_world.c.
 *
 * One thread. Calls into the server (conn_opened, conn_data, tick...) and calls
 * out of it never overlap with another thread's. */
#ifndef APISIM_ENV_ENV_H
#define APISIM_ENV_ENV_H

#include "base/blob.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct env env;
typedef struct env_conn env_conn; /* the outside's connection; opaque to the server */

enum env_level { ENV_DEBUG, ENV_INFO, ENV_WARN, ENV_ERROR };

struct env {
  /* Read once a turn by the world and kept; the server passes them down. */
  int64_t wall_ns; /* since 1970, the clock of timestamps */
  int64_t mono_ns; /* the clock of timers and deadlines */
  uint64_t seed; /* of every generator */

  void (*log)(env *e, int level, slice line);
  /* Asks to be ticked at a monotonic time (one wake-up: the latest call counts;
   * INT64_MAX for none). */
  void (*wake_at)(env *e, int64_t mono_ns);

  /* Bytes out. write copies; write_blob takes a reference of its own to the bytes. Order is
   * the order of the calls; nothing is sent before the turn's end, so head and body
   * leave together. */
  void (*conn_write)(env *e, env_conn *c, slice bytes);
  void (*conn_write_blob)(env *e, env_conn *c, blob *b, slice part);
  /* Bytes accepted for the connection and not yet handed to the network. */
  size_t (*conn_pending)(env *e, env_conn *c);
  /* Stops or resumes delivery of conn_data. */
  void (*conn_pause)(env *e, env_conn *c, bool paused);
  /* Ends it: after everything written has left (flush), or at once. No further calls come
   * for it and the handle is dead. */
  void (*conn_close)(env *e, env_conn *c, bool flush);
};

/* What the world says about a new connection. Borrowed for its lifetime. */
typedef struct env_peer {
  slice address; /* "127.0.0.1:41234" */
  bool tls;
  slice alpn; /* "h2", "http/1.1" or empty */
  slice client_cert_der; /* verified against the client CA; empty for none */
  bool client_cert_bad; /* one was presented and did not verify: 401 */
} env_peer;

#endif
