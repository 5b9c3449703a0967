/* server_stores: which store keeps which resource. Most servers have one for all; with
 * --etcd-servers-overrides some resources live in another etcd, whose revisions are its own: a
 * version, a bookmark and a continue token mean something within their resource only.
 * Source of the rules: apiserver pkg/server/options/etcd.go (ParseEtcdServersOverrides, the health
 * checks) and pkg/server/storage/storage_factory.go (NewConfig). */
#ifndef APISIM_SERVER_STORES_H
#define APISIM_SERVER_STORES_H

#include "request/request.h"
#include "schema/schema.h"
#include "server.h"

/* "group/resource#server1;server2", or "group" and an asterisk for all of a group. */
typedef struct store_override {
  slice group, resource;
  slice servers; /* as --etcd-servers: commas */
  uint32_t place; /* of its set of servers, among the distinct ones, from 0 */
} store_override;

/* Reads the flag's value, overrides with commas between them, which may be empty. Strings are the
 * arena's. False: not of that format. *places: how many distinct sets of servers there are. */
#define STORE_OVERRIDES_INVALID \
  "--etcd-servers-overrides invalid, must be of format: group/resource#servers, where servers " \
  "are URLs, semicolon separated"
bool store_overrides_parse(arena *a, slice text, store_override **out, uint32_t *count,
                           uint32_t *places);

/* Makes them. False with *problem as server_create. */
bool server_stores_make(server *s, const server_options *o, slice *problem);
void server_stores_destroy(server *s);

/* The store of a resource; NULL: the one of everything that is not overridden. */
store *server_store(const server *s, const resource_info *r);
/* Of what is asked for. */
static inline store *request_store(const request *rq) {
  return server_store(rq->server, rq->resource);
}
/* The nth, from 0, which is the main one; NULL behind the last. */
store *server_store_nth(const server *s, uint32_t n);

/* The configuration that options.remote.encryption pointed at has been replaced. */
void server_encryption_changed(server *s, const struct encryption *e);

#endif
