/* limits: every ceiling of the server in one place. Values are the real server's unless a
 * comment says otherwise. Bytes, counts or nanoseconds as named. */
#ifndef APISIM_LIMITS_H
#define APISIM_LIMITS_H

#define LIMIT_REQUEST_BODY ((size_t)3145728)
#define LIMIT_HEADER_BYTES ((size_t)(1 << 20) + 4096)
#define LIMIT_HEADER_TIME_NS ((int64_t)32 * 1000000000)
#define LIMIT_IDLE_TIME_NS ((int64_t)90 * 1000000000)
#define LIMIT_JSON_DEPTH 10000
#define LIMIT_JSON_PATCH_OPS 10000
#define LIMIT_JSON_PATCH_COPY ((size_t)3145728)
#define LIMIT_STORED_OBJECT ((size_t)1572864)
#define LIMIT_ANNOTATION_BYTES ((size_t)262144)
#define LIMIT_UPDATE_MANAGERS 10
#define LIMIT_GENERATE_NAME_TRIES 8
/* Ours: how often an update or a deletion that another writer of the same etcd was quicker than is
 * made anew; the real server goes on until its deadline. */
#define LIMIT_CONFLICT_TRIES 64
#define LIMIT_GZIP_FROM ((size_t)131072)
/* Ours: an answer's bytes that may wait for a slow reader before the stream is closed. */
#define LIMIT_STREAM_PENDING ((size_t)16 << 20)
/* Ours: the stack of a request that may wait (the deepest recursion is the parsers', 10,000 levels)
 * and how many may wait at once: the real server's 400 and 200 in flight are checked later. */
#define LIMIT_FIBER_STACK ((size_t)16 << 20)
#define LIMIT_FIBERS 4096
/* Ours: of one --etcd-servers-overrides, and distinct sets of servers in all of them. */
#define LIMIT_ETCD_SERVERS 16
#define LIMIT_ETCD_PLACES 16
#define LIMIT_MUTATING_TIME_NS ((int64_t)34 * 1000000000)
#define LIMIT_REQUEST_TIME_NS ((int64_t)60 * 1000000000)
/* Ours: of the client that calls webhooks (http/client.h): connections at once, an answer with its
 * head, its head alone, and a request. */
#define LIMIT_CLIENT_CONNECTIONS 512
#define LIMIT_CLIENT_ANSWER ((size_t)16 << 20)
#define LIMIT_CLIENT_HEAD ((size_t)1 << 20)
#define LIMIT_CLIENT_REQUEST ((size_t)64 << 20)
/* Ours: nothing that grows may pass this in one request. */
#define LIMIT_BUFFER ((size_t)1 << 30)
/* Ours: schemas within schemas of a CustomResourceDefinition, and the states of one pattern's
 * machine (Go's limit of counted repetition is 1000; it multiplies). */
#define LIMIT_SCHEMA_DEPTH 1000
#define LIMIT_PATTERN_STATES 100000u
/* Ours: what a schema may hold before its further patterns are compiled anew for each value. */
#define LIMIT_SCHEMA_BYTES ((size_t)64 << 20)
/* Of all Warning headers together; beyond it each text is cut to the second. */
#define LIMIT_WARNING_RUNES 4096u
#define LIMIT_WARNING_ITEM_RUNES 256u

#endif
