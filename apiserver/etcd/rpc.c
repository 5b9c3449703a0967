/* The field tables, in the order of rpc.proto. */
#include "etcd/rpc.h"

#include "etcd/grpc.h"

#include <assert.h>
#include <stddef.h>

#define AT(type, member) offsetof(etcd_##type, member)
#define ROW(n, kind, list, one, type, member, m)                                                   \
  {n, ETCD_##kind, list, one, AT(type, member), m}
#define NUMBER(n, type, member) ROW(n, INT64, false, false, type, member, NULL)
#define ENUM(n, type, member) ROW(n, INT32, false, false, type, member, NULL)
#define UINT32(n, type, member) ROW(n, UINT32, false, false, type, member, NULL)
#define FLAG(n, type, member) ROW(n, BOOL, false, false, type, member, NULL)
#define BYTES(n, type, member) ROW(n, BYTES, false, false, type, member, NULL)
#define SUB(n, type, member, m) ROW(n, MESSAGE, false, false, type, member, &etcd_##m##_message)
#define LIST(n, type, member, m) ROW(n, MESSAGE, true, false, type, member, &etcd_##m##_message)
#define BYTES_LIST(n, type, member) ROW(n, BYTES, true, false, type, member, NULL)
#define ENUM_LIST(n, type, member) ROW(n, INT32, true, false, type, member, NULL)
#define ONE(n, type, member, m) ROW(n, MESSAGE, false, true, type, member, &etcd_##m##_message)
#define ONE_NUMBER(n, type, member) ROW(n, INT64, false, true, type, member, NULL)
#define ONE_BYTES(n, type, member) ROW(n, BYTES, false, true, type, member, NULL)

#define DESCRIBE(type, name, which)                                                                \
  const etcd_message etcd_##type##_message = {name, sizeof(etcd_##type), which, type##_fields,     \
                                              sizeof type##_fields / sizeof type##_fields[0]}
#define DESCRIBE_STATIC(type, name, which) static DESCRIBE(type, name, which)
#define PLAIN ETCD_NO_ONEOF

/* ---- mvccpb ---- */

static const etcd_field kv_fields[] = {
    BYTES(1, kv, key),       NUMBER(2, kv, create_revision), NUMBER(3, kv, mod_revision),
    NUMBER(4, kv, version),  BYTES(5, kv, value),            NUMBER(6, kv, lease)};
DESCRIBE(kv, "KeyValue", PLAIN);

static const etcd_field event_fields[] = {ENUM(1, event, type), SUB(2, event, kv, kv),
                                          SUB(3, event, prev_kv, kv)};
DESCRIBE(event, "Event", PLAIN);

static const etcd_field header_fields[] = {
    NUMBER(1, header, cluster_id), NUMBER(2, header, member_id), NUMBER(3, header, revision),
    NUMBER(4, header, raft_term)};
DESCRIBE(header, "ResponseHeader", PLAIN);

/* ---- KV ---- */

static const etcd_field range_request_fields[] = {
    BYTES(1, range_request, key),
    BYTES(2, range_request, range_end),
    NUMBER(3, range_request, limit),
    NUMBER(4, range_request, revision),
    ENUM(5, range_request, sort_order),
    ENUM(6, range_request, sort_target),
    FLAG(7, range_request, serializable),
    FLAG(8, range_request, keys_only),
    FLAG(9, range_request, count_only),
    NUMBER(10, range_request, min_mod_revision),
    NUMBER(11, range_request, max_mod_revision),
    NUMBER(12, range_request, min_create_revision),
    NUMBER(13, range_request, max_create_revision)};
DESCRIBE(range_request, "RangeRequest", PLAIN);

static const etcd_field range_response_fields[] = {
    SUB(1, range_response, header, header), LIST(2, range_response, kvs, kv),
    FLAG(3, range_response, more), NUMBER(4, range_response, count)};
DESCRIBE(range_response, "RangeResponse", PLAIN);

static const etcd_field put_request_fields[] = {
    BYTES(1, put_request, key),         BYTES(2, put_request, value),
    NUMBER(3, put_request, lease),      FLAG(4, put_request, prev_kv),
    FLAG(5, put_request, ignore_value), FLAG(6, put_request, ignore_lease)};
DESCRIBE(put_request, "PutRequest", PLAIN);

static const etcd_field put_response_fields[] = {SUB(1, put_response, header, header),
                                                 SUB(2, put_response, prev_kv, kv)};
DESCRIBE(put_response, "PutResponse", PLAIN);

static const etcd_field delete_request_fields[] = {BYTES(1, delete_request, key),
                                                   BYTES(2, delete_request, range_end),
                                                   FLAG(3, delete_request, prev_kv)};
DESCRIBE(delete_request, "DeleteRangeRequest", PLAIN);

static const etcd_field delete_response_fields[] = {SUB(1, delete_response, header, header),
                                                    NUMBER(2, delete_response, deleted),
                                                    LIST(3, delete_response, prev_kvs, kv)};
DESCRIBE(delete_response, "DeleteRangeResponse", PLAIN);

static const etcd_field request_op_fields[] = {
    ONE(1, request_op, range, range_request), ONE(2, request_op, put, put_request),
    ONE(3, request_op, del, delete_request), ONE(4, request_op, txn, txn_request)};
DESCRIBE_STATIC(request_op, "RequestOp", AT(request_op, which));

static const etcd_field response_op_fields[] = {
    ONE(1, response_op, range, range_response), ONE(2, response_op, put, put_response),
    ONE(3, response_op, del, delete_response), ONE(4, response_op, txn, txn_response)};
DESCRIBE_STATIC(response_op, "ResponseOp", AT(response_op, which));

static const etcd_field compare_fields[] = {
    ENUM(1, compare, result),
    ENUM(2, compare, target),
    BYTES(3, compare, key),
    ONE_NUMBER(4, compare, version),
    ONE_NUMBER(5, compare, create_revision),
    ONE_NUMBER(6, compare, mod_revision),
    ONE_BYTES(7, compare, value),
    ONE_NUMBER(8, compare, lease),
    BYTES(64, compare, range_end)};
DESCRIBE_STATIC(compare, "Compare", AT(compare, which));

static const etcd_field txn_request_fields[] = {LIST(1, txn_request, compare, compare),
                                                LIST(2, txn_request, success, request_op),
                                                LIST(3, txn_request, failure, request_op)};
DESCRIBE(txn_request, "TxnRequest", PLAIN);

static const etcd_field txn_response_fields[] = {SUB(1, txn_response, header, header),
                                                 FLAG(2, txn_response, succeeded),
                                                 LIST(3, txn_response, responses, response_op)};
DESCRIBE(txn_response, "TxnResponse", PLAIN);

static const etcd_field compact_request_fields[] = {NUMBER(1, compact_request, revision),
                                                    FLAG(2, compact_request, physical)};
DESCRIBE(compact_request, "CompactionRequest", PLAIN);

static const etcd_field header_response_fields[] = {SUB(1, header_response, header, header)};
DESCRIBE(header_response, "HeaderResponse", PLAIN);

/* ---- Watch ---- */

static const etcd_field watch_create_fields[] = {
    BYTES(1, watch_create, key),
    BYTES(2, watch_create, range_end),
    NUMBER(3, watch_create, start_revision),
    FLAG(4, watch_create, progress_notify),
    ENUM_LIST(5, watch_create, filters),
    FLAG(6, watch_create, prev_kv),
    NUMBER(7, watch_create, watch_id),
    FLAG(8, watch_create, fragment)};
DESCRIBE_STATIC(watch_create, "WatchCreateRequest", PLAIN);

static const etcd_field watch_cancel_fields[] = {NUMBER(1, watch_cancel, watch_id)};
DESCRIBE_STATIC(watch_cancel, "WatchCancelRequest", PLAIN);

const etcd_message etcd_empty_message = {"Empty", sizeof(etcd_empty), PLAIN, NULL, 0};

static const etcd_field watch_request_fields[] = {ONE(1, watch_request, create, watch_create),
                                                  ONE(2, watch_request, cancel, watch_cancel),
                                                  ONE(3, watch_request, progress, empty)};
DESCRIBE(watch_request, "WatchRequest", AT(watch_request, which));

static const etcd_field watch_response_fields[] = {
    SUB(1, watch_response, header, header),
    NUMBER(2, watch_response, watch_id),
    FLAG(3, watch_response, created),
    FLAG(4, watch_response, canceled),
    NUMBER(5, watch_response, compact_revision),
    BYTES(6, watch_response, cancel_reason),
    FLAG(7, watch_response, fragment),
    LIST(11, watch_response, events, event)};
DESCRIBE(watch_response, "WatchResponse", PLAIN);

/* ---- Lease ---- */

static const etcd_field lease_grant_request_fields[] = {NUMBER(1, lease_grant_request, ttl),
                                                        NUMBER(2, lease_grant_request, id)};
DESCRIBE(lease_grant_request, "LeaseGrantRequest", PLAIN);

static const etcd_field lease_grant_response_fields[] = {
    SUB(1, lease_grant_response, header, header), NUMBER(2, lease_grant_response, id),
    NUMBER(3, lease_grant_response, ttl), BYTES(4, lease_grant_response, error)};
DESCRIBE(lease_grant_response, "LeaseGrantResponse", PLAIN);

static const etcd_field lease_id_request_fields[] = {NUMBER(1, lease_id_request, id)};
DESCRIBE(lease_id_request, "LeaseRequest", PLAIN);

static const etcd_field lease_keepalive_response_fields[] = {
    SUB(1, lease_keepalive_response, header, header), NUMBER(2, lease_keepalive_response, id),
    NUMBER(3, lease_keepalive_response, ttl)};
DESCRIBE(lease_keepalive_response, "LeaseKeepAliveResponse", PLAIN);

static const etcd_field lease_ttl_request_fields[] = {NUMBER(1, lease_ttl_request, id),
                                                      FLAG(2, lease_ttl_request, keys)};
DESCRIBE(lease_ttl_request, "LeaseTimeToLiveRequest", PLAIN);

static const etcd_field lease_ttl_response_fields[] = {
    SUB(1, lease_ttl_response, header, header), NUMBER(2, lease_ttl_response, id),
    NUMBER(3, lease_ttl_response, ttl), NUMBER(4, lease_ttl_response, granted_ttl),
    BYTES_LIST(5, lease_ttl_response, keys)};
DESCRIBE(lease_ttl_response, "LeaseTimeToLiveResponse", PLAIN);

static const etcd_field lease_status_fields[] = {NUMBER(1, lease_status, id)};
DESCRIBE_STATIC(lease_status, "LeaseStatus", PLAIN);

static const etcd_field leases_response_fields[] = {
    SUB(1, leases_response, header, header), LIST(2, leases_response, leases, lease_status)};
DESCRIBE(leases_response, "LeaseLeasesResponse", PLAIN);

/* ---- Cluster and Maintenance ---- */

static const etcd_field member_fields[] = {
    NUMBER(1, member, id), BYTES(2, member, name), BYTES_LIST(3, member, peer_urls),
    BYTES_LIST(4, member, client_urls), FLAG(5, member, is_learner)};
DESCRIBE_STATIC(member, "Member", PLAIN);

static const etcd_field member_list_request_fields[] = {
    FLAG(1, member_list_request, linearizable)};
DESCRIBE(member_list_request, "MemberListRequest", PLAIN);

static const etcd_field member_list_response_fields[] = {
    SUB(1, member_list_response, header, header), LIST(2, member_list_response, members, member)};
DESCRIBE(member_list_response, "MemberListResponse", PLAIN);

static const etcd_field alarm_request_fields[] = {ENUM(1, alarm_request, action),
                                                  NUMBER(2, alarm_request, member_id),
                                                  ENUM(3, alarm_request, alarm)};
DESCRIBE(alarm_request, "AlarmRequest", PLAIN);

static const etcd_field alarm_member_fields[] = {NUMBER(1, alarm_member, member_id),
                                                 ENUM(2, alarm_member, alarm)};
DESCRIBE_STATIC(alarm_member, "AlarmMember", PLAIN);

static const etcd_field alarm_response_fields[] = {SUB(1, alarm_response, header, header),
                                                   LIST(2, alarm_response, alarms, alarm_member)};
DESCRIBE(alarm_response, "AlarmResponse", PLAIN);

static const etcd_field downgrade_info_fields[] = {FLAG(1, downgrade_info, enabled),
                                                   BYTES(2, downgrade_info, target_version)};
DESCRIBE_STATIC(downgrade_info, "DowngradeInfo", PLAIN);

static const etcd_field status_response_fields[] = {
    SUB(1, status_response, header, header),
    BYTES(2, status_response, version),
    NUMBER(3, status_response, db_size),
    NUMBER(4, status_response, leader),
    NUMBER(5, status_response, raft_index),
    NUMBER(6, status_response, raft_term),
    NUMBER(7, status_response, raft_applied_index),
    BYTES_LIST(8, status_response, errors),
    NUMBER(9, status_response, db_size_in_use),
    FLAG(10, status_response, is_learner),
    BYTES(11, status_response, storage_version),
    NUMBER(12, status_response, db_size_quota),
    SUB(13, status_response, downgrade_info, downgrade_info)};
DESCRIBE(status_response, "StatusResponse", PLAIN);

static const etcd_field auth_status_response_fields[] = {
    SUB(1, auth_status_response, header, header), FLAG(2, auth_status_response, enabled),
    NUMBER(3, auth_status_response, auth_revision)};
DESCRIBE(auth_status_response, "AuthStatusResponse", PLAIN);

static const etcd_field hash_response_fields[] = {SUB(1, hash_response, header, header),
                                                  UINT32(2, hash_response, hash)};
DESCRIBE(hash_response, "HashResponse", PLAIN);

static const etcd_field hashkv_request_fields[] = {NUMBER(1, hashkv_request, revision)};
DESCRIBE(hashkv_request, "HashKVRequest", PLAIN);

static const etcd_field hashkv_response_fields[] = {
    SUB(1, hashkv_response, header, header), UINT32(2, hashkv_response, hash),
    NUMBER(3, hashkv_response, compact_revision), NUMBER(4, hashkv_response, hash_revision)};
DESCRIBE(hashkv_response, "HashKVResponse", PLAIN);

static const etcd_field snapshot_response_fields[] = {
    SUB(1, snapshot_response, header, header), NUMBER(2, snapshot_response, remaining_bytes),
    BYTES(3, snapshot_response, blob), BYTES(4, snapshot_response, version)};
DESCRIBE(snapshot_response, "SnapshotResponse", PLAIN);

/* ---- errors ---- */

static const struct {
  int code;
  slice text;
} errors[] = {
    {GRPC_OK, {"", 0}},
#define X(name, code, text) {code, {text, sizeof text - 1}},
    ETCD_ERROR_LIST(X)
#undef X
};

int etcd_error_code(etcd_error e) {
  assert(e < ETCD_ERROR_OTHER);
  return errors[e].code;
}

slice etcd_error_text(etcd_error e) {
  assert(e < ETCD_ERROR_OTHER);
  return errors[e].text;
}

etcd_error etcd_error_of(int code, slice text) {
  if (code == GRPC_OK) return ETCD_OK;
  for (int e = ETCD_OK + 1; e < ETCD_ERROR_OTHER; e++) {
    if (errors[e].code == code && slice_eq(errors[e].text, text)) return (etcd_error)e;
  }
  return ETCD_ERROR_OTHER;
}
