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
typedef struct env_peer env_peer;

/* What the world tells the owner of a connection. After conn_close, closed, or a false from data
 * or eof nothing more comes and the handle is dead. */
typedef struct env_conn_events {
  /* Of a connection made by env->connect only: it stands (TLS too), bytes may be written. */
  void (*opened)(void *owner, const env_peer *peer);
  /* Borrowed bytes. False: the owner has ended the connection meanwhile. */
  bool (*data)(void *owner, slice bytes);
  /* The peer will send no more but may still read. False as above; true: nothing to add, closed
   * comes next. */
  bool (*eof)(void *owner);
  /* It broke, the peer left, or connecting failed: `why` is a line for a log, borrowed, empty for
   * an ordinary end. */
  void (*closed)(void *owner, slice why);
  /* Pending bytes, having been above ENV_PENDING_LOW, fell below it. */
  void (*drained)(void *owner);
} env_conn_events;
#define ENV_PENDING_LOW ((size_t)64 << 10)

/* Who takes the connections of a listener. open gives the owner and its events; NULL: the
 * connection was refused and has been closed by conn_close. */
typedef struct env_acceptor {
  void *(*open)(void *ctx, env_conn *c, const env_peer *peer, const env_conn_events **events);
  void *ctx;
} env_acceptor;

/* Where an outgoing connection goes. All borrowed for the call of connect, but tls, which stays
 * the caller's as long as the connection. */
typedef struct env_target {
  slice host; /* an IP literal or a name, which the world resolves */
  uint16_t port;
  const struct world_tls *tls; /* a client's settings (env_tls.h); NULL: plain */
  slice server_name; /* what the certificate must be for; empty: host */
  slice alpn; /* the one protocol offered, "h2"; empty: none */
  /* TLS without settings of the caller's: the server's certificate must be signed by one of these
   * authorities (PEM; empty: the system's). What is wrong with it is told in Go's words. */
  bool secure;
  slice trust_pem;
} env_target;

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
  /* A connection to somebody else. Never calls back before it returns; then opened or closed
   * comes, and conn_close may be called at any time. NULL (the table's entry): this world has no
   * other hosts. */
  env_conn *(*connect)(env *e, const env_target *t, const env_conn_events *events, void *owner);
};

/* What the world says about a new connection. Borrowed for its lifetime. */
struct env_peer {
  slice address; /* "127.0.0.1:41234" */
  bool tls;
  slice alpn; /* "h2", "http/1.1" or empty */
  slice client_cert_der; /* verified against the client CA; empty for none */
  bool client_cert_bad; /* one was presented and did not verify: 401 */
};

#endif
