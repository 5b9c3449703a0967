/* snapshot: a server's objects, revision and random streams as bytes that outlive the process.
 *
 *   apisim-snapshot 1\n
 *   {"kubernetes":"v1.36","revision":187,"clock":0,"objects":186,"streams":{...}}\n
 *   <key bytes> <value bytes> <create revision> <mod revision> <version>\n<key><value>\n   for each
 *   sha256 <64 hexadecimal digits of everything before this line>\n
 *
 * Keys ascend; values are the stored bytes. A server made from a snapshot goes on where the old
 * one stood: the next write has the same revision, uid and name. History is not kept: what lies
 * below the revision is 410 Expired. Memory backend only. No I/O here: files are the caller's. */
#ifndef APISIM_SNAPSHOT_H
#define APISIM_SNAPSHOT_H

#include "server.h"

#define SNAPSHOT_VERSION 1

/* Called with pieces in order; false stops (the disk is full). */
typedef bool (*snapshot_sink)(void *ctx, slice bytes);
/* clock_ns: the world's virtual time, kept for it. False when the sink said so. */
bool snapshot_write(server *s, int64_t clock_ns, snapshot_sink sink, void *ctx);

/* Replaces all of the server's state; bytes are copied. Watches end and caches are forgotten as in
 * server_state_put. False, with nothing changed and *problem (words for "snapshot FILE: ...",
 * static), for bytes that are no whole snapshot of a known version. */
bool snapshot_load(server *s, slice bytes, int64_t *clock_ns, slice *problem);

#endif
