/* Maintenance and Cluster: of one member that leads itself. */
#include "etcd/face_internal.h"

#include <zlib.h>

#define PAGE_BYTES 4096
#define DB_MIN ((int64_t)5 * PAGE_BYTES) /* of a fresh bolt file */
#define URLS_MAX 16

static etcd_list urls_of(arena *a, slice joined) {
  slice *urls = ARENA_ARRAY(a, slice, URLS_MAX), rest = joined;
  uint32_t n = 0;
  for (bool more = joined.len > 0; more && n < URLS_MAX; n++) {
    more = slice_cut(rest, ',', &urls[n], &rest);
  }
  return (etcd_list){urls, n, n};
}

void face_member_list_call(grpc_stream *s, slice message) {
  etcd_face *f = face_of(s);
  arena *a = arena_create();
  etcd_member_list_request r;
  if (face_decode(s, &etcd_member_list_request_message, message, a, &r)) {
    etcd_member m = {.id = f->member_id,
                     .name = f->o.name,
                     .peer_urls = urls_of(a, f->o.peer_urls),
                     .client_urls = urls_of(a, f->o.client_urls)};
    etcd_member_list_response out = {.header = face_header(f, a, 0), .members = {&m, 1, 1}};
    out.header->revision = 0; /* as etcd's */
    face_answer(s, &etcd_member_list_response_message, &out);
  }
  arena_destroy(a);
}

/* Activated and deactivated by hand only: this store has no quota of its own. */
void face_alarm_call(grpc_stream *s, slice message) {
  etcd_face *f = face_of(s);
  arena *a = arena_create();
  etcd_alarm_request r;
  if (face_decode(s, &etcd_alarm_request_message, message, a, &r)) {
    bool known = r.alarm > ETCD_ALARM_NONE && r.alarm <= ETCD_ALARM_CORRUPT;
    bool mine = r.member_id == 0 || r.member_id == f->member_id;
    etcd_alarm_member *rows = ARENA_ARRAY(a, etcd_alarm_member, ETCD_ALARM_CORRUPT + 1);
    uint32_t n = 0;
    for (int32_t t = ETCD_ALARM_NOSPACE; t <= ETCD_ALARM_CORRUPT; t++) {
      bool asked = r.alarm == t || (r.action == ETCD_ALARM_GET && !known);
      bool had = f->alarms[t];
      if (asked && mine && r.action == ETCD_ALARM_ACTIVATE) f->alarms[t] = true;
      if (asked && mine && r.action == ETCD_ALARM_DEACTIVATE) f->alarms[t] = false;
      bool told = r.action == ETCD_ALARM_ACTIVATE ? f->alarms[t] : had;
      if (asked && mine && told) rows[n++] = (etcd_alarm_member){f->member_id, t};
    }
    etcd_alarm_response out = {.header = face_header(f, a, 0), .alarms = {rows, n, n}};
    face_answer(s, &etcd_alarm_response_message, &out);
  }
  arena_destroy(a);
}

static bool add_bytes(void *ctx, store_entry *e) {
  *(int64_t *)ctx += (int64_t)e->key_len + (int64_t)e->value->len;
  return true;
}

/* Keys, values and what the store spends on them, in whole pages. */
static int64_t db_size(etcd_face *f) {
  store_view *view = NULL;
  int64_t bytes = (int64_t)store_overhead(f->o.store);
  if (store_view_open(f->o.store, 0, &view) == STORE_OK) {
    store_view_walk(view, SLICE_NONE, SLICE_NONE, add_bytes, &bytes);
    store_view_close(view);
  }
  bytes = (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
  return bytes < DB_MIN ? DB_MIN : bytes;
}

void face_status_call(grpc_stream *s, slice message) {
  static const char *const names[] = {"", "NOSPACE", "CORRUPT"};
  (void)message;
  etcd_face *f = face_of(s);
  arena *a = arena_create();
  int64_t size = db_size(f);
  uint64_t index = f->requests + (uint64_t)store_revision(f->o.store);
  etcd_downgrade_info downgrade = {0};
  etcd_status_response out = {.header = face_header(f, a, 0),
                              .version = SLICE_LIT(ETCD_SERVER_VERSION),
                              .db_size = size,
                              .leader = f->member_id,
                              .raft_index = index,
                              .raft_term = FACE_RAFT_TERM,
                              .raft_applied_index = index,
                              .db_size_in_use = size,
                              .storage_version = SLICE_LIT(ETCD_STORAGE_VERSION),
                              .db_size_quota = f->o.quota_bytes,
                              .downgrade_info = &downgrade};
  for (int t = ETCD_ALARM_NOSPACE; t <= ETCD_ALARM_CORRUPT; t++) {
    if (!f->alarms[t]) continue;
    *(slice *)etcd_list_add(a, &out.errors, sizeof(slice)) =
        arena_printf(a, "memberID:%llu alarm:%s ", (unsigned long long)f->member_id, names[t]);
  }
  face_answer(s, &etcd_status_response_message, &out);
  arena_destroy(a);
}

/* Nothing to do: the store's memory has no holes that a client could have closed. */
void face_defragment_call(grpc_stream *s, slice message) {
  (void)message;
  etcd_header_response out = {0};
  face_answer(s, &etcd_header_response_message, &out);
}

typedef struct hashing {
  etcd_face *f;
  uLong crc;
} hashing;

static bool hash_entry(void *ctx, store_entry *e) {
  hashing *h = ctx;
  arena *a = arena_create();
  slice value = face_value(h->f, a, e);
  int64_t numbers[4] = {e->create_revision, e->mod_revision, e->version, e->lease};
  h->crc = crc32(h->crc, (const Bytef *)e->key, e->key_len);
  h->crc = crc32(h->crc, (const Bytef *)numbers, sizeof numbers);
  h->crc = crc32(h->crc, (const Bytef *)value.ptr, (uInt)value.len);
  arena_destroy(a);
  return true;
}

/* Over all keys of the state at a revision: equal states have equal hashes. Not the number that
 * etcd computes over its file. */
static etcd_error hash_state(etcd_face *f, int64_t revision, uint32_t *out) {
  store_view *view = NULL;
  hashing h = {f, crc32(0, NULL, 0)};
  store_result r = store_view_open(f->o.store, revision, &view);
  if (r == STORE_COMPACTED) return ETCD_ERROR_COMPACTED;
  if (r != STORE_OK) return ETCD_ERROR_FUTURE_REV;
  store_view_walk(view, SLICE_NONE, SLICE_NONE, hash_entry, &h);
  store_view_close(view);
  *out = (uint32_t)h.crc;
  return ETCD_OK;
}

void face_hash_call(grpc_stream *s, slice message) {
  (void)message;
  etcd_face *f = face_of(s);
  arena *a = arena_create();
  etcd_hash_response out = {.header = face_header(f, a, 0)};
  hash_state(f, 0, &out.hash);
  face_answer(s, &etcd_hash_response_message, &out);
  arena_destroy(a);
}

void face_hashkv_call(grpc_stream *s, slice message) {
  etcd_face *f = face_of(s);
  arena *a = arena_create();
  etcd_hashkv_request r;
  if (face_decode(s, &etcd_hashkv_request_message, message, a, &r)) {
    int64_t now = store_revision(f->o.store);
    etcd_hashkv_response out = {.header = face_header(f, a, now),
                                .compact_revision = face_compacted(f),
                                .hash_revision = r.revision > 0 ? r.revision : now};
    etcd_error e = hash_state(f, r.revision > 0 ? r.revision : 0, &out.hash);
    if (e == ETCD_OK) face_answer(s, &etcd_hashkv_response_message, &out);
    else face_fail(s, e);
  }
  arena_destroy(a);
}

/* There are no users and no roles; the methods of Auth that would make some are unknown. */
void face_nobody_call(grpc_stream *s, slice message) {
  (void)message;
  arena *a = arena_create();
  etcd_header_response out = {.header = face_header(face_of(s), a, 0)};
  face_answer(s, &etcd_header_response_message, &out);
  arena_destroy(a);
}

void face_auth_status_call(grpc_stream *s, slice message) {
  (void)message;
  arena *a = arena_create();
  etcd_auth_status_response out = {.header = face_header(face_of(s), a, 0), .auth_revision = 1};
  face_answer(s, &etcd_auth_status_response_message, &out);
  arena_destroy(a);
}
