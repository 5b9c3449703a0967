/* What a connection does besides requests and answers: a stream that has let go of its request, and
 * a connection that has left HTTP. */
#include "http/conn.h"
#include "http/http2.h"

#include <assert.h>

void http_stream_settle(http_exchange *x) {
  if (x->wire) {
    x->wire->settle(x);
    return;
  }
  http_conn *conn = x->conn;
  assert(conn->streaming);
  arena_destroy(conn->arena);
  conn->arena = x->arena = NULL;
  x->method = x->target = x->path = x->raw_query = x->body = SLICE_NONE;
  x->headers = NULL;
  x->header_count = 0;
  x->query = NULL;
  conn->start += conn->raw_at;
  conn->raw_at = 0;
  if (conn->in.len > conn->start) return;
  buf_dispose(&conn->in);
  conn->start = 0;
}

void http_upgrade(http_exchange *x, slice head) {
  http_conn *conn = x->conn;
  assert(conn->state == HTTP_ANSWER && !conn->streaming && x->on_data);
  conn->state = HTTP_UPGRADED;
  conn->streaming = true;
  http_raw_write(x, head, NULL);
  conn->start += conn->raw_at;
  conn->raw_at = 0;
  if (conn->in.len > conn->start || conn->later.len) {
    http_conn_set_timer(conn, 0);
  }
}

void http_raw_write(http_exchange *x, slice bytes, blob *owner) {
  http_conn *conn = x->conn;
  env *e = conn->server->env;
  assert(conn->state == HTTP_UPGRADED);
  if (bytes.len == 0 || conn->gone) return;
  if (owner) e->conn_write_blob(e, conn->out, owner, bytes);
  else e->conn_write(e, conn->out, bytes);
}

void http_raw_end(http_exchange *x) {
  http_conn_end(x->conn, true);
}

static void hand_over(http_conn *conn, slice bytes) {
  if (bytes.len && !conn->dead) conn->x.on_data(&conn->x, bytes);
}

void http_conn_deliver(http_conn *conn) {
  assert(!conn->running);
  conn->running = true;
  hand_over(conn, slice_of(conn->in.ptr + conn->start, conn->in.len - conn->start));
  hand_over(conn, buf_slice(&conn->later));
  buf_dispose(&conn->in);
  buf_dispose(&conn->later);
  conn->start = 0;
  conn->running = false;
  if (conn->dead) {
    http_conn_free(conn);
    return;
  }
  if (conn->paused) conn->server->env->conn_pause(conn->server->env, conn->out, false);
  conn->paused = false;
}

bool http_conn_upgraded_data(http_conn *conn, slice bytes) {
  if (timer_is_set(&conn->timer)) { /* older bytes wait for their turn */
    buf_append(&conn->later, bytes);
    return true;
  }
  conn->running = true;
  hand_over(conn, bytes);
  conn->running = false;
  bool alive = !conn->dead;
  if (!alive) http_conn_free(conn);
  return alive;
}
