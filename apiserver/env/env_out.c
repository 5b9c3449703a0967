/* A connection's output. In the common case the bytes of a turn go from the world's buffers to
 * the socket with one call and nothing is allocated; only what the network refuses is copied
 * and kept with the connection. TLS records are made when there is room for them, never
 * ahead, so that a slow reader costs references and not copies. */
#include "env/env_world.h"

#include "base/heap.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define IOV_BATCH 64
#define RECORD_SLACK ((size_t)512)

static void mark_dirty(env_conn *c) {
  if (c->dirty) return;
  world *w = c->world;
  c->dirty = true;
  c->next_dirty = NULL;
  *w->dirty_end = c;
  w->dirty_end = &c->next_dirty;
}

static void add_segment(env_conn *c, out_segment s) {
  world *w = c->world;
  if (w->segment_count == w->segment_cap) {
    w->segment_cap = w->segment_cap ? w->segment_cap * 2 : 256;
    w->segments = heap_realloc(w->segments, sizeof(out_segment) * w->segment_cap);
  }
  w->segments[w->segment_count++] = s;
  if (c->last_segment) w->segments[c->last_segment - 1].next = w->segment_count;
  else c->first_segment = w->segment_count;
  c->last_segment = w->segment_count;
  c->turn_bytes += s.len;
  mark_dirty(c);
}

void out_enqueue(env_conn *c, slice bytes) {
  if (bytes.len == 0) return;
  world *w = c->world;
  size_t offset = w->turn.len;
  buf_append(&w->turn, bytes);
  assert(!w->turn.overflow);
  out_segment *last = c->last_segment ? &w->segments[c->last_segment - 1] : NULL;
  if (last && !last->owner && last->offset + last->len == offset) {
    last->len += bytes.len;
    c->turn_bytes += bytes.len;
    return;
  }
  add_segment(c, (out_segment){.offset = offset, .len = bytes.len});
}

void out_enqueue_blob(env_conn *c, blob *b, slice part) {
  if (part.len == 0) return;
  add_segment(c, (out_segment){.owner = blob_ref(b), .ptr = part.ptr, .len = part.len});
}

size_t out_pending(const env_conn *c) {
  return c->turn_bytes + c->backlog_bytes + (c->cipher_len - c->cipher_at);
}

static slice segment_bytes(const world *w, const out_segment *s) {
  return slice_of(s->owner ? s->ptr : w->turn.ptr + s->offset, s->len);
}

/* Takes the segment's reference over. */
static void keep(env_conn *c, slice bytes, blob *owner) {
  if (bytes.len == 0) {
    blob_unref(owner);
    return;
  }
  out_node *n = heap_alloc(sizeof *n + (owner ? 0 : bytes.len));
  *n = (out_node){.owner = owner, .ptr = bytes.ptr, .len = bytes.len};
  if (!owner) {
    memcpy(n->copy, bytes.ptr, bytes.len);
    n->ptr = n->copy;
  }
  *c->backlog_end = n;
  c->backlog_end = &n->next;
  c->backlog_bytes += bytes.len;
}

/* What is left of this turn's segments, the first of them from `skip` on. */
static void keep_segments(env_conn *c, uint32_t at, size_t skip) {
  world *w = c->world;
  while (at) {
    out_segment *s = &w->segments[at - 1];
    keep(c, slice_from(segment_bytes(w, s), skip), s->owner);
    skip = 0;
    at = s->next;
  }
}

static void forget_segments(env_conn *c) {
  c->first_segment = c->last_segment = 0;
  c->turn_bytes = 0;
}

static void drop_node(env_conn *c) {
  out_node *n = c->backlog;
  c->backlog = n->next;
  if (!c->backlog) c->backlog_end = &c->backlog;
  c->backlog_bytes -= n->len;
  blob_unref(n->owner);
  heap_free(n);
}

static bool would_block(void) {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ENOBUFS;
}

/* Bytes taken, or -1 when the connection broke. */
static ssize_t send_bytes(env_conn *c, slice s) {
  ssize_t n = send(c->fd, s.ptr, s.len, MSG_NOSIGNAL);
  if (n >= 0) return n;
  return would_block() ? 0 : -1;
}

static ssize_t send_iov(env_conn *c, struct iovec *iov, size_t count) {
  struct msghdr m = {.msg_iov = iov, .msg_iovlen = count};
  ssize_t n = sendmsg(c->fd, &m, MSG_NOSIGNAL);
  if (n >= 0) return n;
  return would_block() ? 0 : -1;
}

static struct iovec iov_of(slice s) {
  return (struct iovec){.iov_base = (void *)(uintptr_t)s.ptr, .iov_len = s.len};
}

static bool flush_plain_segments(env_conn *c) {
  world *w = c->world;
  uint32_t at = c->first_segment;
  while (at) {
    struct iovec iov[IOV_BATCH];
    size_t count = 0, asked = 0;
    for (uint32_t i = at; i && count < IOV_BATCH; i = w->segments[i - 1].next) {
      iov[count++] = iov_of(segment_bytes(w, &w->segments[i - 1]));
      asked += w->segments[i - 1].len;
    }
    ssize_t sent = send_iov(c, iov, count);
    size_t n = sent > 0 ? (size_t)sent : 0;
    while (at && n >= w->segments[at - 1].len) {
      out_segment *s = &w->segments[at - 1];
      n -= s->len;
      asked -= s->len;
      blob_unref(s->owner);
      at = s->next;
      if (count-- == 1) break;
    }
    if (asked) {
      keep_segments(c, at, n);
      c->blocked = true;
      forget_segments(c);
      return sent >= 0;
    }
  }
  forget_segments(c);
  return true;
}

static bool flush_plain_backlog(env_conn *c) {
  while (c->backlog) {
    struct iovec iov[IOV_BATCH];
    size_t count = 0, asked = 0;
    for (out_node *n = c->backlog; n && count < IOV_BATCH; n = n->next) {
      iov[count++] = iov_of(slice_of(n->ptr, n->len));
      asked += n->len;
    }
    ssize_t sent = send_iov(c, iov, count);
    if (sent < 0) return false;
    size_t n = (size_t)sent;
    bool all = n == asked;
    while (c->backlog && n >= c->backlog->len) {
      n -= c->backlog->len;
      drop_node(c);
    }
    if (!all) {
      if (n) {
        c->backlog->ptr += n;
        c->backlog->len -= n;
        c->backlog_bytes -= n;
      }
      c->blocked = true;
      return true;
    }
  }
  return true;
}

static bool send_kept_records(env_conn *c) {
  if (!c->cipher) return true;
  ssize_t n = send_bytes(c, slice_of(c->cipher + c->cipher_at, c->cipher_len - c->cipher_at));
  if (n < 0) return false;
  c->cipher_at += (size_t)n;
  if (c->cipher_at < c->cipher_len) {
    c->blocked = true;
    return true;
  }
  heap_free(c->cipher);
  c->cipher = NULL;
  c->cipher_len = c->cipher_at = 0;
  return true;
}

/* Behind kept records; c->blocked says that some are left. */
bool out_send_records(env_conn *c) {
  tls_pipe *p = &c->pipe;
  size_t n = p->out_len;
  p->out_len = 0;
  if (n == 0) return true;
  ssize_t sent = 0;
  if (!c->cipher) {
    sent = send_bytes(c, slice_of(p->out, n));
    if (sent < 0) return false;
    if ((size_t)sent == n) return true;
  }
  size_t more = n - (size_t)sent, have = c->cipher_len - c->cipher_at;
  char *kept = heap_alloc(have + more);
  if (have) memcpy(kept, c->cipher + c->cipher_at, have);
  memcpy(kept + have, p->out + sent, more);
  heap_free(c->cipher);
  c->cipher = kept;
  c->cipher_at = 0;
  c->cipher_len = have + more;
  c->blocked = true;
  return true;
}

/* One record or several into the pipe; the pipe is sent when it could not take another. */
static bool encrypt(env_conn *c, slice bytes) {
  assert(bytes.len <= WORLD_RECORD_MAX);
  ERR_clear_error();
  size_t put = 0;
  if (SSL_write_ex(c->ssl, bytes.ptr, bytes.len, &put) != 1 || put != bytes.len) return false;
  bool room = c->pipe.out_cap - c->pipe.out_len >= WORLD_RECORD_MAX + RECORD_SLACK;
  return room || out_send_records(c);
}

/* Small pieces are gathered so that a head and its body are one record. */
typedef struct gatherer {
  env_conn *c;
  size_t len;
} gatherer;

static bool gather_flush(gatherer *g) {
  size_t n = g->len;
  g->len = 0;
  return n == 0 || encrypt(g->c, slice_of(g->c->world->plain_buffer, n));
}

/* Takes what fits while the network is willing; *taken says how much of it. What nothing is to be
 * gathered with is encrypted where it stands: whole records, and the end of the `last` bytes. */
static bool gather(gatherer *g, slice bytes, bool last, size_t *taken) {
  *taken = 0;
  while (bytes.len && !g->c->blocked) {
    slice piece = slice_upto(bytes, WORLD_RECORD_MAX - g->len);
    bool alone = piece.len == WORLD_RECORD_MAX || (last && piece.len == bytes.len);
    if (g->len == 0 && alone) {
      if (!encrypt(g->c, piece)) return false;
    } else {
      memcpy(g->c->world->plain_buffer + g->len, piece.ptr, piece.len);
      g->len += piece.len;
      if (g->len == WORLD_RECORD_MAX && !gather_flush(g)) return false;
    }
    bytes = slice_from(bytes, piece.len);
    *taken += piece.len;
  }
  return true;
}

static bool flush_tls_segments(env_conn *c) {
  world *w = c->world;
  gatherer g = {c, 0};
  uint32_t at = c->first_segment;
  bool ok = true;
  size_t taken = 0;
  while (at && ok && !c->blocked) {
    out_segment *s = &w->segments[at - 1];
    ok = gather(&g, segment_bytes(w, s), s->next == 0, &taken);
    if (taken < s->len) break;
    blob_unref(s->owner);
    at = s->next;
    taken = 0;
  }
  ok = ok && gather_flush(&g) && out_send_records(c);
  keep_segments(c, at, taken);
  forget_segments(c);
  return ok;
}

static bool flush_tls_backlog(env_conn *c) {
  gatherer g = {c, 0};
  bool ok = true;
  while (c->backlog && ok && !c->blocked) {
    out_node *n = c->backlog;
    size_t taken;
    ok = gather(&g, slice_of(n->ptr, n->len), n->next == NULL, &taken);
    n->ptr += taken;
    n->len -= taken;
    c->backlog_bytes -= taken;
    if (n->len == 0) drop_node(c);
  }
  return ok && gather_flush(&g) && out_send_records(c);
}

bool out_flush(env_conn *c) {
  c->blocked = false;
  if (!send_kept_records(c)) return false;
  if (!c->blocked && c->backlog) {
    bool ok = c->ssl ? flush_tls_backlog(c) : flush_plain_backlog(c);
    if (!ok) return false;
  }
  if (!c->first_segment) return true;
  if (c->blocked || c->backlog) {
    keep_segments(c, c->first_segment, 0);
    forget_segments(c);
    return true;
  }
  return c->ssl ? flush_tls_segments(c) : flush_plain_segments(c);
}

void out_dispose(env_conn *c) {
  world *w = c->world;
  for (uint32_t at = c->first_segment; at; at = w->segments[at - 1].next) {
    blob_unref(w->segments[at - 1].owner);
  }
  forget_segments(c);
  while (c->backlog) drop_node(c);
  heap_free(c->cipher);
  c->cipher = NULL;
  c->cipher_len = c->cipher_at = 0;
}
