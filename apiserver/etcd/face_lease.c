/* Lease: grants, renewals, ends. The table is the store's.
 * Source: etcd v3rpc/lease.go, server/lease/lessor.go. */
#include "etcd/face_internal.h"

#include <stdlib.h>

static int64_t now_of(const etcd_face *f) {
  return f->o.env->mono_ns;
}

static void on_lease_timer(void *ctx, int64_t now_ns) {
  etcd_face *f = ctx;
  store_memory_expire(f->o.store, now_ns);
  face_lease_arm(f);
}

void face_lease_arm(etcd_face *f) {
  const lease *l = lease_next(face_leases(f));
  if (l) timer_set(f->o.timers, &f->lease_timer, l->ends_ns, on_lease_timer, f);
  else timer_clear(f->o.timers, &f->lease_timer);
}

/* Positive, and new: of the member, the time and a counter, as etcd's. */
static int64_t make_id(etcd_face *f) {
  int64_t id;
  do {
    uint64_t ms = (uint64_t)f->o.env->wall_ns / 1000000;
    uint64_t n = f->member_id << 48 | ((ms << 8) + ++f->lease_sequence) % ((uint64_t)1 << 48);
    id = (int64_t)(n & INT64_MAX);
  } while (id == 0 || lease_find(face_leases(f), id));
  return id;
}

void face_lease_grant_call(grpc_stream *s, slice message) {
  etcd_face *f = face_of(s);
  arena *a = arena_create();
  etcd_lease_grant_request r;
  if (face_decode(s, &etcd_lease_grant_request_message, message, a, &r)) {
    etcd_error e = face_alarm_error(f, true);
    if (e == ETCD_OK && r.ttl > LEASE_TTL_MAX) e = ETCD_ERROR_LEASE_TTL_TOO_LARGE;
    if (e == ETCD_OK && r.id && lease_find(face_leases(f), r.id)) e = ETCD_ERROR_LEASE_EXISTS;
    if (e == ETCD_OK) {
      lease *l = lease_add(face_leases(f), r.id ? r.id : make_id(f), r.ttl, now_of(f));
      face_lease_arm(f);
      etcd_lease_grant_response out = {
          .header = face_header(f, a, 0), .id = l->id, .ttl = l->ttl_s};
      face_answer(s, &etcd_lease_grant_response_message, &out);
    } else {
      face_fail(s, e);
    }
  }
  arena_destroy(a);
}

void face_lease_revoke_call(grpc_stream *s, slice message) {
  etcd_face *f = face_of(s);
  arena *a = arena_create();
  etcd_lease_id_request r;
  if (face_decode(s, &etcd_lease_id_request_message, message, a, &r)) {
    lease *l = lease_find(face_leases(f), r.id);
    if (l) {
      store_memory_revoke(f->o.store, l);
      face_lease_arm(f);
      etcd_header_response out = {face_header(f, a, 0)};
      face_answer(s, &etcd_header_response_message, &out);
    } else {
      face_fail(s, ETCD_ERROR_LEASE_NOT_FOUND);
    }
  }
  arena_destroy(a);
}

void face_lease_keepalive_call(grpc_stream *s, slice message) {
  etcd_face *f = face_of(s);
  arena *a = arena_create();
  etcd_lease_id_request r;
  if (face_decode(s, &etcd_lease_id_request_message, message, a, &r)) {
    lease *l = lease_find(face_leases(f), r.id);
    etcd_lease_keepalive_response out = {.header = face_header(f, a, 0), .id = r.id};
    if (l) {
      lease_renew(l, now_of(f));
      face_lease_arm(f);
      out.ttl = l->ttl_s;
    }
    buf bytes;
    buf_init(&bytes, 4096);
    etcd_encode(&etcd_lease_keepalive_response_message, &out, &bytes);
    grpc_stream_send(s, buf_slice(&bytes));
    buf_dispose(&bytes);
  }
  arena_destroy(a);
}

void face_lease_keepalive_end(grpc_stream *s) {
  grpc_stream_finish(s, GRPC_OK, SLICE_NONE);
}

void face_lease_ttl_call(grpc_stream *s, slice message) {
  etcd_face *f = face_of(s);
  arena *a = arena_create();
  etcd_lease_ttl_request r;
  if (face_decode(s, &etcd_lease_ttl_request_message, message, a, &r)) {
    const lease *l = lease_find(face_leases(f), r.id);
    etcd_lease_ttl_response out = {.header = face_header(f, a, 0), .id = r.id, .ttl = -1};
    if (l) {
      out.ttl = lease_remaining(l, now_of(f));
      out.granted_ttl = l->ttl_s;
      slice *keys = ARENA_ARRAY(a, slice, l->key_count + 1);
      for (uint32_t i = 0; i < l->key_count; i++) keys[i] = blob_slice(l->keys[i]);
      if (r.keys) out.keys = (etcd_list){keys, l->key_count, l->key_count};
    }
    face_answer(s, &etcd_lease_ttl_response_message, &out);
  }
  arena_destroy(a);
}

static int by_end(const void *x, const void *y) {
  const lease *a = *(lease *const *)x, *b = *(lease *const *)y;
  if (a->ends_ns != b->ends_ns) return a->ends_ns < b->ends_ns ? -1 : 1;
  return (a->id > b->id) - (a->id < b->id);
}

/* Those that end first, first. */
void face_leases_call(grpc_stream *s, slice message) {
  (void)message;
  etcd_face *f = face_of(s);
  arena *a = arena_create();
  uint32_t n = face_leases(f)->count;
  lease **sorted = ARENA_ARRAY(a, lease *, n + 1);
  if (n) memcpy(sorted, face_leases(f)->items, n * sizeof *sorted);
  qsort(sorted, n, sizeof *sorted, by_end);
  etcd_lease_status *rows = ARENA_ARRAY(a, etcd_lease_status, n + 1);
  for (uint32_t i = 0; i < n; i++) rows[i].id = sorted[i]->id;
  etcd_leases_response out = {.header = face_header(f, a, 0), .leases = {rows, n, n}};
  face_answer(s, &etcd_leases_response_message, &out);
  arena_destroy(a);
}
