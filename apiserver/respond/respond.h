/* respond: answers of every form: objects, lists, Status, tables, in the negotiated encoding,
 * with the headers that the real server adds. Each function answers the request once. */
#ifndef APISIM_RESPOND_RESPOND_H
#define APISIM_RESPOND_RESPOND_H

#include "codec/negotiate.h"
#include "request/request.h"
#include "store/store.h"

/* rq->error as a Status. */
/* The body of the real server's timeout filter, which is no API handler. */
#define RESPOND_TIMED_OUT                                                                 \
  "{\"metadata\":{},\"status\":\"Failure\",\"message\":\"Timeout: request did not "       \
  "complete within the allotted timeout\",\"reason\":\"Timeout\",\"details\":{},"         \
  "\"code\":504}\n"
void respond_error(request *rq);
/* Plain text, as the HTTP layer's and health answers are. */
void respond_text(request *rq, int code, slice text);
/* The same as net/http sends it, before any handler has touched the headers. */
void respond_plain_error(request *rq, int code, slice text, const http_header *more,
                         uint32_t more_count);
/* Bytes that are ready: a document, with its content type and more headers. `owner` as in
 * http_part. */
void respond_bytes(request *rq, int code, slice content_type, slice bytes, blob *owner,
                   const http_header *more, uint32_t more_count);

/* A stored entry as it is (shared bytes where the form allows). */
void respond_entry(request *rq, int code, const output_form *form, store_entry *e);
/* Whether the answer can take the form asked for: ?includeObject of a table, partial metadata of a
 * list. False with rq->error. */
bool respond_transformable(request *rq, const output_form *form, bool is_list);
/* An object of rq->resource in its storage version (dry runs, deletions). */
void respond_object(request *rq, int code, const output_form *form, val *obj);
/* A tree of any type, which must have kind and apiVersion set: Status, Scale, reviews. */
void respond_tree(request *rq, int code, const output_form *form, val *tree, const type_info *t);
/* A Scale of rq->resource, of type t; it has columns of its own. */
void respond_scale(request *rq, int code, const output_form *form, val *scale, const type_info *t);
/* A success Status with this code in it: of an eviction or a binding. */
void respond_success(request *rq, int code, const output_form *form);
/* The success Status of a deletion: details of the object. */
void respond_deleted_status(request *rq, const output_form *form, const val *obj);
/* The Status of a deletion of what could not be read. */
void respond_deleted_unread(request *rq, const output_form *form);

typedef struct list_meta {
  int64_t revision;
  slice continue_token;
  bool has_remaining;
  int64_t remaining;
} list_meta;
void respond_list(request *rq, const output_form *form, store_entry *const *items, uint32_t count,
                  const list_meta *meta);
/* The same for objects that no store has: trees in the version asked for, with kind and apiVersion,
 * as JSON, YAML or CBOR. A revision of 0 is left out. */
void respond_list_trees(request *rq, const output_form *form, val **trees, uint32_t count,
                        const list_meta *m);

/* Headers of a streamed answer (a watch). */
void respond_stream_begin(request *rq, const output_form *form);

/* The tree of an entry in the version asked for; strings borrow from the entry. */
val *respond_tree_of(arena *a, const resource_info *r, const store_entry *e);
/* A metav1.Status tree of an error. */
val *respond_status_tree(arena *a, const status_error *e);
/* Encodes a tree of type t (NULL: untyped) in `form`; the envelope of protobuf included. */
blob *respond_encode(arena *a, const output_form *form, val *tree, const type_info *t);
/* The message or JSON bytes of an entry in the version and format asked for, without envelope and
 * newline (CBOR: with its tag); kept with the entry. */
blob *respond_entry_bytes(arena *a, const resource_info *r, store_entry *e, body_format format);
/* The same without keeping it: *made says that the reference is the caller's. */
blob *respond_entry_bytes_once(arena *a, const resource_info *r, store_entry *e,
                               body_format format, bool *made);
/* Whether the client takes gzip; an answer must be longer than LIMIT_GZIP_FROM for it. */
bool respond_wants_gzip(const request *rq);

#endif
