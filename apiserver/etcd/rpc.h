/* rpc: etcd's v3 API as structs: the messages of KV, Watch, Lease, Maintenance and Cluster, their
 * paths, enums and the texts of their errors.
 * Source: api/v3/etcdserverpb/rpc.proto, api/v3/mvccpb/kv.proto, v3rpc/rpctypes of etcd 3.6. Names
 * are the protocol's; what a field means stands there. */
#ifndef APISIM_ETCD_RPC_H
#define APISIM_ETCD_RPC_H

#include "etcd/message.h"

/* ---- mvccpb ---- */

typedef struct etcd_kv {
  slice key;
  int64_t create_revision, mod_revision, version;
  slice value;
  int64_t lease;
} etcd_kv;

enum { ETCD_PUT = 0, ETCD_DELETE = 1 };
typedef struct etcd_event {
  int32_t type;
  etcd_kv *kv, *prev_kv;
} etcd_event;

typedef struct etcd_header {
  uint64_t cluster_id, member_id;
  int64_t revision;
  uint64_t raft_term;
} etcd_header;

/* ---- KV ---- */

enum { ETCD_SORT_NONE, ETCD_SORT_ASCEND, ETCD_SORT_DESCEND };
enum { ETCD_SORT_KEY, ETCD_SORT_VERSION, ETCD_SORT_CREATE, ETCD_SORT_MOD, ETCD_SORT_VALUE };
typedef struct etcd_range_request {
  slice key, range_end;
  int64_t limit, revision;
  int32_t sort_order, sort_target;
  bool serializable, keys_only, count_only;
  int64_t min_mod_revision, max_mod_revision, min_create_revision, max_create_revision;
} etcd_range_request;

typedef struct etcd_range_response {
  etcd_header *header;
  etcd_list kvs; /* etcd_kv */
  bool more;
  int64_t count;
} etcd_range_response;

typedef struct etcd_put_request {
  slice key, value;
  int64_t lease;
  bool prev_kv, ignore_value, ignore_lease;
} etcd_put_request;

typedef struct etcd_put_response {
  etcd_header *header;
  etcd_kv *prev_kv;
} etcd_put_response;

typedef struct etcd_delete_request {
  slice key, range_end;
  bool prev_kv;
} etcd_delete_request;

typedef struct etcd_delete_response {
  etcd_header *header;
  int64_t deleted;
  etcd_list prev_kvs; /* etcd_kv */
} etcd_delete_response;

typedef struct etcd_txn_request etcd_txn_request;
typedef struct etcd_txn_response etcd_txn_response;

enum { ETCD_OP_RANGE = 1, ETCD_OP_PUT, ETCD_OP_DELETE, ETCD_OP_TXN };
typedef struct etcd_request_op {
  uint32_t which;
  union {
    etcd_range_request *range;
    etcd_put_request *put;
    etcd_delete_request *del;
    etcd_txn_request *txn;
  };
} etcd_request_op;

typedef struct etcd_response_op {
  uint32_t which;
  union {
    etcd_range_response *range;
    etcd_put_response *put;
    etcd_delete_response *del;
    etcd_txn_response *txn;
  };
} etcd_response_op;

enum { ETCD_EQUAL, ETCD_GREATER, ETCD_LESS, ETCD_NOT_EQUAL };
enum { ETCD_CMP_VERSION, ETCD_CMP_CREATE, ETCD_CMP_MOD, ETCD_CMP_VALUE, ETCD_CMP_LEASE };
enum { ETCD_WITH_VERSION = 4, ETCD_WITH_CREATE, ETCD_WITH_MOD, ETCD_WITH_VALUE, ETCD_WITH_LEASE };
typedef struct etcd_compare {
  uint32_t which; /* ETCD_WITH_...: which of the members is set */
  int32_t result, target;
  slice key, range_end;
  union {
    int64_t version, create_revision, mod_revision, lease;
    slice value;
  };
} etcd_compare;

struct etcd_txn_request {
  etcd_list compare; /* etcd_compare */
  etcd_list success, failure; /* etcd_request_op */
};

struct etcd_txn_response {
  etcd_header *header;
  bool succeeded;
  etcd_list responses; /* etcd_response_op */
};

typedef struct etcd_compact_request {
  int64_t revision;
  bool physical;
} etcd_compact_request;

/* Answers with nothing but a header: Compact, LeaseRevoke, Defragment. */
typedef struct etcd_header_response {
  etcd_header *header;
} etcd_header_response;

/* ---- Watch ---- */

enum { ETCD_NOPUT, ETCD_NODELETE };
typedef struct etcd_watch_create {
  slice key, range_end;
  int64_t start_revision;
  bool progress_notify;
  etcd_list filters; /* int32_t */
  bool prev_kv;
  int64_t watch_id;
  bool fragment;
} etcd_watch_create;

typedef struct etcd_watch_cancel {
  int64_t watch_id;
} etcd_watch_cancel;

typedef struct etcd_empty {
  char nothing;
} etcd_empty;

enum { ETCD_WATCH_CREATE = 1, ETCD_WATCH_CANCEL, ETCD_WATCH_PROGRESS };
typedef struct etcd_watch_request {
  uint32_t which;
  union {
    etcd_watch_create *create;
    etcd_watch_cancel *cancel;
    etcd_empty *progress;
  };
} etcd_watch_request;

typedef struct etcd_watch_response {
  etcd_header *header;
  int64_t watch_id;
  bool created, canceled;
  int64_t compact_revision;
  slice cancel_reason;
  bool fragment;
  etcd_list events; /* etcd_event */
} etcd_watch_response;

/* ---- Lease ---- */

typedef struct etcd_lease_grant_request {
  int64_t ttl, id;
} etcd_lease_grant_request;
typedef struct etcd_lease_grant_response {
  etcd_header *header;
  int64_t id, ttl;
  slice error;
} etcd_lease_grant_response;
typedef struct etcd_lease_id_request { /* LeaseRevoke, LeaseKeepAlive */
  int64_t id;
} etcd_lease_id_request;
typedef struct etcd_lease_keepalive_response {
  etcd_header *header;
  int64_t id, ttl;
} etcd_lease_keepalive_response;
typedef struct etcd_lease_ttl_request {
  int64_t id;
  bool keys;
} etcd_lease_ttl_request;
typedef struct etcd_lease_ttl_response {
  etcd_header *header;
  int64_t id, ttl, granted_ttl;
  etcd_list keys; /* slice */
} etcd_lease_ttl_response;
typedef struct etcd_lease_status {
  int64_t id;
} etcd_lease_status;
typedef struct etcd_leases_response {
  etcd_header *header;
  etcd_list leases; /* etcd_lease_status */
} etcd_leases_response;

/* ---- Cluster and Maintenance ---- */

typedef struct etcd_member {
  uint64_t id;
  slice name;
  etcd_list peer_urls, client_urls; /* slice */
  bool is_learner;
} etcd_member;
typedef struct etcd_member_list_request {
  bool linearizable;
} etcd_member_list_request;
typedef struct etcd_member_list_response {
  etcd_header *header;
  etcd_list members; /* etcd_member */
} etcd_member_list_response;

enum { ETCD_ALARM_GET, ETCD_ALARM_ACTIVATE, ETCD_ALARM_DEACTIVATE };
enum { ETCD_ALARM_NONE, ETCD_ALARM_NOSPACE, ETCD_ALARM_CORRUPT };
typedef struct etcd_alarm_request {
  int32_t action;
  uint64_t member_id;
  int32_t alarm;
} etcd_alarm_request;
typedef struct etcd_alarm_member {
  uint64_t member_id;
  int32_t alarm;
} etcd_alarm_member;
typedef struct etcd_alarm_response {
  etcd_header *header;
  etcd_list alarms; /* etcd_alarm_member */
} etcd_alarm_response;

typedef struct etcd_downgrade_info {
  bool enabled;
  slice target_version;
} etcd_downgrade_info;
typedef struct etcd_status_response {
  etcd_header *header;
  slice version;
  int64_t db_size;
  uint64_t leader, raft_index, raft_term, raft_applied_index;
  etcd_list errors; /* slice */
  int64_t db_size_in_use;
  bool is_learner;
  slice storage_version;
  int64_t db_size_quota;
  etcd_downgrade_info *downgrade_info;
} etcd_status_response;

typedef struct etcd_auth_status_response {
  etcd_header *header;
  bool enabled;
  uint64_t auth_revision;
} etcd_auth_status_response;

typedef struct etcd_hash_response {
  etcd_header *header;
  uint32_t hash;
} etcd_hash_response;
typedef struct etcd_hashkv_request {
  int64_t revision;
} etcd_hashkv_request;
typedef struct etcd_hashkv_response {
  etcd_header *header;
  uint32_t hash;
  int64_t compact_revision, hash_revision;
} etcd_hashkv_response;
typedef struct etcd_snapshot_response {
  etcd_header *header;
  uint64_t remaining_bytes;
  slice blob, version;
} etcd_snapshot_response;

extern const etcd_message etcd_kv_message, etcd_event_message, etcd_header_message,
    etcd_range_request_message, etcd_range_response_message, etcd_put_request_message,
    etcd_put_response_message, etcd_delete_request_message, etcd_delete_response_message,
    etcd_txn_request_message, etcd_txn_response_message, etcd_compact_request_message,
    etcd_header_response_message, etcd_watch_request_message, etcd_watch_response_message,
    etcd_empty_message, etcd_lease_grant_request_message, etcd_lease_grant_response_message,
    etcd_lease_id_request_message, etcd_lease_keepalive_response_message,
    etcd_lease_ttl_request_message, etcd_lease_ttl_response_message, etcd_leases_response_message,
    etcd_member_list_request_message, etcd_member_list_response_message,
    etcd_alarm_request_message, etcd_alarm_response_message, etcd_status_response_message,
    etcd_hash_response_message, etcd_hashkv_request_message, etcd_hashkv_response_message,
    etcd_snapshot_response_message, etcd_auth_status_response_message;

/* Paths of the methods, as gRPC wants them. */
#define ETCD_PATH_RANGE "/etcdserverpb.KV/Range"
#define ETCD_PATH_PUT "/etcdserverpb.KV/Put"
#define ETCD_PATH_DELETE_RANGE "/etcdserverpb.KV/DeleteRange"
#define ETCD_PATH_TXN "/etcdserverpb.KV/Txn"
#define ETCD_PATH_COMPACT "/etcdserverpb.KV/Compact"
#define ETCD_PATH_WATCH "/etcdserverpb.Watch/Watch"
#define ETCD_PATH_LEASE_GRANT "/etcdserverpb.Lease/LeaseGrant"
#define ETCD_PATH_LEASE_REVOKE "/etcdserverpb.Lease/LeaseRevoke"
#define ETCD_PATH_LEASE_KEEP_ALIVE "/etcdserverpb.Lease/LeaseKeepAlive"
#define ETCD_PATH_LEASE_TIME_TO_LIVE "/etcdserverpb.Lease/LeaseTimeToLive"
#define ETCD_PATH_LEASE_LEASES "/etcdserverpb.Lease/LeaseLeases"
#define ETCD_PATH_MEMBER_LIST "/etcdserverpb.Cluster/MemberList"
#define ETCD_PATH_ALARM "/etcdserverpb.Maintenance/Alarm"
#define ETCD_PATH_STATUS "/etcdserverpb.Maintenance/Status"
#define ETCD_PATH_DEFRAGMENT "/etcdserverpb.Maintenance/Defragment"
#define ETCD_PATH_HASH "/etcdserverpb.Maintenance/Hash"
#define ETCD_PATH_HASH_KV "/etcdserverpb.Maintenance/HashKV"
#define ETCD_PATH_AUTH_STATUS "/etcdserverpb.Auth/AuthStatus"
#define ETCD_PATH_USER_LIST "/etcdserverpb.Auth/UserList"
#define ETCD_PATH_ROLE_LIST "/etcdserverpb.Auth/RoleList"
#define ETCD_PATH_SNAPSHOT "/etcdserverpb.Maintenance/Snapshot"

/* Errors: gRPC code and text, by which clients know them. */
#define ETCD_ERROR_LIST(X)                                                                         \
  X(EMPTY_KEY, GRPC_INVALID_ARGUMENT, "etcdserver: key is not provided")                           \
  X(KEY_NOT_FOUND, GRPC_INVALID_ARGUMENT, "etcdserver: key not found")                             \
  X(VALUE_PROVIDED, GRPC_INVALID_ARGUMENT, "etcdserver: value is provided")                        \
  X(LEASE_PROVIDED, GRPC_INVALID_ARGUMENT, "etcdserver: lease is provided")                        \
  X(TOO_MANY_OPS, GRPC_INVALID_ARGUMENT, "etcdserver: too many operations in txn request")         \
  X(DUPLICATE_KEY, GRPC_INVALID_ARGUMENT, "etcdserver: duplicate key given in txn request")        \
  X(INVALID_SORT, GRPC_INVALID_ARGUMENT, "etcdserver: invalid sort option")                        \
  X(COMPACTED, GRPC_OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted")        \
  X(FUTURE_REV, GRPC_OUT_OF_RANGE, "etcdserver: mvcc: required revision is a future revision")     \
  X(NO_SPACE, GRPC_RESOURCE_EXHAUSTED, "etcdserver: mvcc: database space exceeded")                \
  X(LEASE_NOT_FOUND, GRPC_NOT_FOUND, "etcdserver: requested lease not found")                      \
  X(LEASE_EXISTS, GRPC_FAILED_PRECONDITION, "etcdserver: lease already exists")                    \
  X(LEASE_TTL_TOO_LARGE, GRPC_OUT_OF_RANGE, "etcdserver: too large lease TTL")                     \
  X(WATCH_CANCELED, GRPC_CANCELLED, "etcdserver: watch canceled")                                  \
  X(TOO_LARGE, GRPC_INVALID_ARGUMENT, "etcdserver: request is too large")                          \
  X(TOO_MANY_REQUESTS, GRPC_RESOURCE_EXHAUSTED, "etcdserver: too many requests")                   \
  X(NO_LEADER, GRPC_UNAVAILABLE, "etcdserver: no leader")                                          \
  X(LEADER_CHANGED, GRPC_UNAVAILABLE, "etcdserver: leader changed")                                \
  X(STOPPED, GRPC_UNAVAILABLE, "etcdserver: server stopped")                                       \
  X(TIMEOUT, GRPC_UNAVAILABLE, "etcdserver: request timed out")                                    \
  X(CORRUPT, GRPC_DATA_LOSS, "etcdserver: corrupt cluster")

typedef enum etcd_error {
  ETCD_OK,
#define X(name, code, text) ETCD_ERROR_##name,
  ETCD_ERROR_LIST(X)
#undef X
      ETCD_ERROR_OTHER, /* none of these texts */
} etcd_error;

int etcd_error_code(etcd_error e);
slice etcd_error_text(etcd_error e);
/* Which error a status is: by code and text. */
etcd_error etcd_error_of(int code, slice text);

#endif
