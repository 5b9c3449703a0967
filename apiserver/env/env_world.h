/* env_world: what the world and its connections are inside env/. Private to this folder, and
 * free of event2/: env_conn.h alone includes that. */
#ifndef APISIM_ENV_ENV_WORLD_H
#define APISIM_ENV_ENV_WORLD_H

#include "base/buf.h"
#include "base/timers.h"
#include "env/env_libevent.h"
#include "env/env_tls.h"

#define WORLD_READ_MAX ((size_t)64 << 10)
#define WORLD_RECORD_MAX ((size_t)16 << 10) /* plaintext of a TLS record */
#define WORLD_CIPHER_MAX ((size_t)96 << 10) /* records sent with one call */

/* Bytes written in this turn: in the world's turn buffer (owner NULL) or in a blob. */
typedef struct out_segment {
  blob *owner;
  size_t offset; /* into the turn buffer, or */
  const char *ptr; /* into the blob */
  size_t len;
  uint32_t next; /* index plus one; 0: last */
} out_segment;

/* Bytes that the network did not take in their turn. */
typedef struct out_node {
  struct out_node *next;
  blob *owner; /* NULL: `copy` */
  const char *ptr;
  size_t len;
  char copy[];
} out_node;

enum conn_state {
  CONN_CONNECTING, /* outgoing: the name or the address does not answer yet */
  CONN_HANDSHAKE,
  CONN_OPEN,
  CONN_CLOSING, /* the server is done with it: what is written leaves, then... */
  CONN_LINGER, /* ...our side is shut, and what the peer still sends is thrown away */
  CONN_DEAD, /* freed at the turn's end */
};

struct env_conn {
  world *world;
  int fd;
  uint8_t state;
  bool dirty; /* in the list of those that wrote in this turn */
  bool was_blocked; /* at the latest flush */
  bool paused, reading, blocked; /* blocked: waits until the socket takes more */
  bool was_high; /* pending went above the low mark */
  bool outgoing;
  void *owner; /* NULL: nobody listens any more */
  const env_conn_events *handlers;
  const env_acceptor *acceptor; /* of the listener */
  const world_tls *tls; /* NULL: plain */
  world_tls own_tls; /* of an outgoing one that named authorities only; tls points here */
  SSL *ssl;
  tls_pipe pipe;
  buf held; /* records that came before a pause took effect */
  uint32_t first_segment, last_segment; /* of this turn, index plus one */
  size_t turn_bytes;
  out_node *backlog, **backlog_end;
  size_t backlog_bytes;
  char *cipher; /* records that the network did not take */
  size_t cipher_len, cipher_at;
  env_peer peer;
  char address[64];
  char *peer_name; /* heap; whom own_tls must find; NULL: none */
  unsigned char *cert;
  timer timer; /* handshake or linger */
  struct env_conn *next, **link; /* all of the world's */
  struct env_conn *next_dirty;
  void *events; /* env_conn.h's */
};

/* Output. enqueue: this turn's bytes; flush: called at the turn's end and when the socket takes
 * more. False when the connection broke. */
void out_enqueue(env_conn *c, slice bytes);
void out_enqueue_blob(env_conn *c, blob *b, slice part);
bool out_flush(env_conn *c);
size_t out_pending(const env_conn *c);
/* Sends what the TLS pipe holds. */
bool out_send_records(env_conn *c);
void out_dispose(env_conn *c);

struct world {
  env env; /* first: an env * is a world * */
  world_options options;
  world_program program;
  timers timers;
  buf turn; /* bytes written in this turn */
  out_segment *segments;
  uint32_t segment_count, segment_cap;
  env_conn *dirty, **dirty_end;
  env_conn *conns;
  uint32_t conn_count;
  char *read_buffer, *plain_buffer, *cipher_buffer; /* shared by all connections */
  bool clock_read; /* in this turn */
  bool called_out; /* an owner was told something while the turn was flushed */
  bool stop;
  bool leaving; /* a signal came, and the program was told */
  bool hurried; /* and one more, or one that nobody was told of */
  void *resolver; /* env_connect.c's, made when first needed */
  int64_t wake_ns; /* asked for by the server */
  int64_t virtual_ns;
  int64_t skipped_ns; /* by which the monotonic clock is ahead (world_skip) */
  char problem[256];
  void *loop; /* env_libevent.c's */
};

#endif
