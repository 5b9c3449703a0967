/* Maintenance/Snapshot: the newest state as the database of an etcd, from which `etcdutl snapshot
 * restore` makes the data directory of a real one. It holds each key once, at the revision that it
 * has here, and counts as compacted at the newest one: who lists goes on, who watched an older
 * version lists anew. Leases keep what is left of them.
 *
 * As etcd, it ends with the sum of what was sent. The file is whole in memory while it is sent. */
#include "etcd/bolt.h"
#include "etcd/face_internal.h"

#include "base/heap.h"
#include "base/limits.h"

#include <openssl/sha.h>
#include <stdlib.h>

#define PIECE ((size_t)32 << 10)
#define REVISION_BYTES 17

typedef struct sending {
  buf file;
  size_t sent;
} sending;

typedef struct gather {
  arena *a;
  store_entry **items;
  uint32_t count, cap;
} gather;

static bool keep(void *ctx, store_entry *e) {
  gather *g = ctx;
  g->items = arena_more(g->a, g->items, g->count, &g->cap, sizeof(store_entry *));
  g->items[g->count++] = e;
  return true;
}

/* By revision, and those of one in the order of their keys. */
static int compare(const void *a, const void *b) {
  const store_entry *x = *(store_entry *const *)a, *y = *(store_entry *const *)b;
  if (x->mod_revision != y->mod_revision) return x->mod_revision < y->mod_revision ? -1 : 1;
  return slice_cmp(store_entry_key(x), store_entry_key(y));
}

static void put_u64(char out[8], uint64_t n) {
  for (int i = 0; i < 8; i++) out[i] = (char)(n >> (56 - 8 * i));
}

static slice revision_bytes(char out[REVISION_BYTES], int64_t revision, uint64_t sub) {
  put_u64(out, (uint64_t)revision);
  out[8] = '_';
  put_u64(out + 9, sub);
  return slice_of(out, REVISION_BYTES);
}

static void write_keys(etcd_face *f, arena *a, bolt *b) {
  store_view *view = NULL;
  gather g = {.a = a};
  if (store_view_open(f->o.store, 0, &view) != STORE_OK) return;
  store_view_walk(view, SLICE_NONE, SLICE_NONE, keep, &g);
  if (g.count) qsort(g.items, g.count, sizeof *g.items, compare);
  uint64_t sub = 0;
  for (uint32_t i = 0; i < g.count; i++) {
    arena *one = arena_create();
    etcd_kv kv = {0};
    char key[REVISION_BYTES];
    buf value;
    int64_t at = g.items[i]->mod_revision;
    sub = i > 0 && g.items[i - 1]->mod_revision == at ? sub + 1 : 0;
    face_kv(f, one, g.items[i], false, &kv);
    buf_init(&value, LIMIT_BUFFER);
    etcd_encode(&etcd_kv_message, &kv, &value);
    bolt_put(b, revision_bytes(key, at, sub), buf_slice(&value));
    buf_dispose(&value);
    arena_destroy(one);
  }
  store_view_close(view);
}

/* {ID, TTL, RemainingTTL} */
static void write_leases(etcd_face *f, bolt *b) {
  const lease_table *t = face_leases(f);
  for (uint32_t i = 0; i < t->count; i++) {
    const lease *l = t->items[i];
    int64_t left = lease_remaining(l, f->o.env->mono_ns);
    etcd_kv as = {.create_revision = l->ttl_s, .mod_revision = left > 0 ? left : 1};
    char key[8], first[1 + 10];
    size_t n = 0;
    first[n++] = 1 << 3;
    for (uint64_t id = (uint64_t)l->id; n < sizeof first; id >>= 7) {
      first[n++] = (char)((id & 0x7f) | (id > 0x7f ? 0x80 : 0));
      if (id <= 0x7f) break;
    }
    buf value;
    buf_init(&value, LIMIT_BUFFER);
    buf_append(&value, slice_of(first, n));
    etcd_encode(&etcd_kv_message, &as, &value); /* its numbers 2 and 3 are a lease's too */
    put_u64(key, (uint64_t)l->id);
    bolt_put(b, slice_of(key, sizeof key), buf_slice(&value));
    buf_dispose(&value);
  }
}

static void write_meta(etcd_face *f, arena *a, bolt *b) {
  char number[8], revision[REVISION_BYTES];
  slice at = revision_bytes(revision, store_revision(f->o.store), 0);
  slice voters = arena_printf(a, "{\"voters\":[%llu],\"auto_leave\":false}",
                              (unsigned long long)f->member_id);
  bolt_put(b, SLICE_LIT("confState"), voters);
  put_u64(number, f->requests + (uint64_t)store_revision(f->o.store));
  bolt_put(b, SLICE_LIT("consistent_index"), slice_of(number, sizeof number));
  bolt_put(b, SLICE_LIT("finishedCompactRev"), at);
  bolt_put(b, SLICE_LIT("scheduledCompactRev"), at);
  bolt_put(b, SLICE_LIT("storageVersion"), SLICE_LIT(ETCD_STORAGE_VERSION));
  put_u64(number, FACE_RAFT_TERM);
  bolt_put(b, SLICE_LIT("term"), slice_of(number, sizeof number));
}

/* An etcd's buckets, the empty ones as well. */
static void write_file(etcd_face *f, buf *out) {
  arena *a = arena_create();
  bolt b;
  bolt_begin(&b, out, a);
  static const char *const empty[] = {"alarm", "auth", "authRoles", "authUsers", "cluster"};
  for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) bolt_bucket(&b, slice_cstr(empty[i]));
  bolt_bucket(&b, SLICE_LIT("key"));
  write_keys(f, a, &b);
  bolt_bucket(&b, SLICE_LIT("lease"));
  write_leases(f, &b);
  bolt_bucket(&b, SLICE_LIT("members"));
  bolt_bucket(&b, SLICE_LIT("members_removed"));
  bolt_bucket(&b, SLICE_LIT("meta"));
  write_meta(f, a, &b);
  bolt_end(&b);
  arena_destroy(a);
}

static void send_piece(grpc_stream *s, slice bytes, size_t remaining) {
  etcd_snapshot_response r = {.remaining_bytes = remaining, .blob = bytes,
                              .version = SLICE_LIT(ETCD_STORAGE_VERSION)};
  buf out;
  buf_init(&out, LIMIT_BUFFER);
  etcd_encode(&etcd_snapshot_response_message, &r, &out);
  grpc_stream_send(s, buf_slice(&out));
  buf_dispose(&out);
}

static void drop(sending *t) {
  buf_dispose(&t->file);
  heap_free(t);
}

static void on_abort(grpc_stream *s) { drop(s->user); }

static void go_on(grpc_stream *s) {
  sending *t = s->user;
  slice file = buf_slice(&t->file);
  while (t->sent < file.len && grpc_stream_pending(s) < GRPC_PENDING_LOW) {
    slice piece = slice_upto(slice_from(file, t->sent), PIECE);
    t->sent += piece.len;
    send_piece(s, piece, file.len - t->sent);
  }
  if (t->sent < file.len) return;
  unsigned char sum[SHA256_DIGEST_LENGTH];
  SHA256((const unsigned char *)file.ptr, file.len, sum);
  send_piece(s, slice_of((const char *)sum, sizeof sum), 0);
  s->on_abort = NULL;
  s->on_drain = NULL;
  drop(t);
  grpc_stream_finish(s, GRPC_OK, SLICE_NONE);
}

void face_snapshot_call(grpc_stream *s, slice message) {
  (void)message;
  sending *t = heap_zalloc(sizeof *t);
  buf_init(&t->file, LIMIT_BUFFER);
  write_file(face_of(s), &t->file);
  if (t->file.overflow) {
    drop(t);
    grpc_stream_finish(s, GRPC_RESOURCE_EXHAUSTED, SLICE_LIT("the snapshot is too large"));
    return;
  }
  s->user = t;
  s->on_abort = on_abort;
  s->on_drain = go_on;
  go_on(s);
}
