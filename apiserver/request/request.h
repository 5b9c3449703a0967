/* request: what travels through the stages of one API request.
 *
 * Made when the http layer has a whole request; everything it points at lives in its
 * arena, which goes when the answer is out. Rule of the stages' order: apiserver
 * pkg/server/config.go, DefaultBuildHandlerChain. */
#ifndef APISIM_REQUEST_REQUEST_H
#define APISIM_REQUEST_REQUEST_H

#include "base/arena.h"
#include "base/rng.h"
#include "base/status_error.h"
#include "base/val.h"
#include "http/http.h"
#include "schema/schema.h"

typedef struct server server; /* apiserver/server.h */

typedef struct user_extra {
  slice key;
  uint32_t count;
  const slice *values;
} user_extra;

typedef struct user_info {
  slice name, uid;
  uint32_t group_count;
  const slice *groups;
  uint32_t extra_count;
  const user_extra *extra;
} user_info;

/* apiserver pkg/endpoints/request/requestinfo.go */
typedef struct request_info {
  bool is_resource;
  slice path;
  slice verb; /* get, list, watch, create, update, patch, delete, deletecollection; else the
                 lower-case method */
  slice api_prefix; /* "api", "apis" or empty */
  slice group, version, resource, subresource, namespace, name;
  bool deeper; /* more parts behind the subresource */
  bool watch_path; /* one of the deprecated paths, /api/v1/watch/... */
} request_info;

typedef enum field_validation { VALIDATE_WARN, VALIDATE_STRICT, VALIDATE_IGNORE } field_validation;

typedef struct request {
  arena *arena;
  server *server;
  http_exchange *http;
  int64_t wall_ns, mono_ns; /* the turn's clock */
  int64_t came_ns; /* mono_ns of the turn in which it came */
  request_info info;
  const resource_info *resource; /* NULL for non-resource paths */
  const subresource_info *subresource; /* NULL for the main resource */
  user_info user;
  user_info original_user; /* before impersonation */
  slice flow_schema, flow_level; /* uids, where flow control has a say (access/flow.h) */
  bool dry_run;
  field_validation validation;
  slice field_manager; /* as asked or derived from the user agent */
  slice *warnings; /* texts of Warning headers, in order, no repeats */
  uint32_t warning_count, warning_cap;
  uint64_t warning_runes, warning_runes_cut; /* of all texts; of their shown beginnings */
  status_error error;
  bool goaway; /* its connection takes no more requests behind it */
  bool waited; /* for a version of the store: not again (verb/wait.h) */
  struct fiber *fiber; /* that it runs on; NULL where the store never waits */
  size_t first_stage; /* of the chain, for the fiber's beginning */
  struct service_txn *service_txn; /* registry/service_alloc.c's, of the write under way */
  struct webhook_wait *webhook_wait; /* for webhooks, under way (admission/webhook.h) */
  bool no_webhooks; /* an inner write, of which none is told */
  bool patched; /* a webhook has changed the object */
  bool gone; /* who asked has left */
  const val *delete_options; /* as webhooks are told them; NULL: no deletion */
  bool timed_out; /* the store did not answer in time: the answer is the timeout filter's */
  bool refused; /* by access: the answer says nosniff */
  struct store_entry **kept; /* entries that trees borrow from, released with the request */
  uint32_t kept_count, kept_cap;
} request;

/* Takes a reference over until the request ends. */
void request_keep(request *rq, struct store_entry *e);
/* The answer is out: releases what was kept. The arena, and so rq, goes with the exchange. */
void request_done(request *rq);

/* The turn's time in seconds since 1970. */
static inline int64_t request_now_s(const request *rq) { return rq->wall_ns / 1000000000; }
/* The same as a metav1.Time, in rq's arena. */
val *request_timestamp(const request *rq);

/* Adds a Warning: 299 header (text without code and quotes); repeats are dropped, texts with
 * control characters, and what comes once the warnings are full. */
void request_warn(request *rq, slice text);
/* Are there more runes than fit, so that each text is cut (LIMIT_WARNING_RUNES)? Source: apiserver
 * pkg/endpoints/filters/warning.go. */
bool request_warnings_cut(const request *rq);
/* Are they too many even so? Then no more are shown. */
bool request_warnings_full(const request *rq);
/* The same for what strict decoding found: of YAML, a warning a line. */
void request_warn_strict(request *rq, slice text);

#endif
