/* status_error: an error that a client will see as a metav1.Status.
 *
 * Functions that can fail for the client's sake take `status_error *err`, return
 * false (or NULL), and fill it; the first error wins. Rule: apimachinery
 * pkg/api/errors. Texts live in the request's arena. */
#ifndef APISIM_BASE_STATUS_ERROR_H
#define APISIM_BASE_STATUS_ERROR_H

#include "base/arena.h"
#include "base/slice.h"
#include "base/val.h"

#include <stdbool.h>
#include <stdint.h>

/* reason, HTTP code: the Status reasons of the real server. */
#define STATUS_REASONS(X)                          \
  X(UNKNOWN, "", 500)                              \
  X(BAD_REQUEST, "BadRequest", 400)                \
  X(UNAUTHORIZED, "Unauthorized", 401)             \
  X(FORBIDDEN, "Forbidden", 403)                   \
  X(NOT_FOUND, "NotFound", 404)                    \
  X(METHOD_NOT_ALLOWED, "MethodNotAllowed", 405)   \
  X(NOT_ACCEPTABLE, "NotAcceptable", 406)          \
  X(ALREADY_EXISTS, "AlreadyExists", 409)          \
  X(CONFLICT, "Conflict", 409)                     \
  X(GONE, "Gone", 410)                             \
  X(EXPIRED, "Expired", 410)                       \
  X(TOO_LARGE, "RequestEntityTooLarge", 413)       \
  X(UNSUPPORTED_MEDIA, "UnsupportedMediaType", 415) \
  X(INVALID, "Invalid", 422)                       \
  X(TOO_MANY, "TooManyRequests", 429)              \
  X(INTERNAL, "InternalError", 500)                \
  X(SERVER_TIMEOUT, "ServerTimeout", 500)          \
  X(STORAGE_READ, "StorageReadError", 500)          \
  X(UNAVAILABLE, "ServiceUnavailable", 503)        \
  X(TIMEOUT, "Timeout", 504)

typedef enum status_reason {
#define X(name, text, code) STATUS_##name,
  STATUS_REASONS(X)
#undef X
} status_reason;

typedef struct status_cause {
  slice reason, message, field; /* on the wire: reason, message, field */
} status_cause;

typedef struct status_error {
  bool set;
  status_reason reason;
  int32_t code; /* 0: the reason's own */
  slice message;
  bool has_details;
  slice name, group, kind, uid; /* details; kind is the resource for NotFound and the like */
  uint32_t cause_count;
  const status_cause *causes;
  int32_t retry_after_seconds;
  slice continue_token; /* of a 410 on a continued list */
  val *tree; /* the whole Status, where somebody else made it (a webhook); NULL: all of the above */
} status_error;

const char *status_reason_text(status_reason reason);
int32_t status_error_code(const status_error *e);

/* All return false, so that a caller can `return status_...(...)`. `a` holds the text. */
bool status_set(status_error *e, arena *a, status_reason reason, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* 'pods "web" not found', with details. `resource` is "pods" or "deployments" (its
 * group goes into "deployments.apps"). */
bool status_not_found(status_error *e, arena *a, slice group, slice resource, slice name);
bool status_already_exists(status_error *e, arena *a, slice group, slice resource, slice name);
bool status_conflict(status_error *e, arena *a, slice group, slice resource, slice name,
                     slice why);
bool status_forbidden(status_error *e, arena *a, slice group, slice resource, slice name,
                      slice why);
/* "Internal error occurred: TEXT", with the text as its one cause. It is kept, not copied. */
bool status_internal(status_error *e, arena *a, slice text);
/* A plain Go error without a Status of its own: code 500, reason "". */
bool status_plain(status_error *e, arena *a, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
