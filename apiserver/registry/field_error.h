/* field_error: what validation finds, in the order in which it finds it.
 * Rule: apimachinery pkg/util/validation/field (types, texts, aggregation). */
#ifndef APISIM_REGISTRY_FIELD_ERROR_H
#define APISIM_REGISTRY_FIELD_ERROR_H

#include "base/arena.h"
#include "base/slice.h"
#include "schema/features.h"
#include "base/status_error.h"
#include "base/val.h"

/* A path lives on the stack of the function that walks; children point at their
 * parents: path spec = path_child(&root, "spec"). Pass &path down, never keep it. */
typedef struct path {
  const struct path *parent;
  slice name; /* of a child, or the key of a map entry */
  int64_t index; /* of a list item */
  uint8_t form; /* 0 child, 1 [index], 2 [key] */
} path;

path path_root(const char *name);
path path_child(const path *parent, const char *name);
path path_child_slice(const path *parent, slice name);
path path_index(const path *parent, uint32_t index);
path path_key(const path *parent, slice key);
slice path_text(arena *a, const path *p); /* "spec.containers[0].env[A]" */

/* What kind of error; the reason on the wire, and the text before the detail. */
#define FIELD_ERROR_TYPES(X)                                        \
  X(NOT_FOUND, "FieldValueNotFound", "Not found")                   \
  X(REQUIRED, "FieldValueRequired", "Required value")               \
  X(DUPLICATE, "FieldValueDuplicate", "Duplicate value")            \
  X(INVALID, "FieldValueInvalid", "Invalid value")                  \
  X(NOT_SUPPORTED, "FieldValueNotSupported", "Unsupported value")   \
  X(FORBIDDEN, "FieldValueForbidden", "Forbidden")                  \
  X(TOO_LONG, "FieldValueTooLong", "Too long")                      \
  X(TOO_MANY, "FieldValueTooMany", "Too many")                      \
  X(INTERNAL, "InternalError", "Internal error")                    \
  X(TYPE_INVALID, "FieldValueTypeInvalid", "Invalid value")

typedef enum field_error_type {
#define X(name, reason, text) FIELD_##name,
  FIELD_ERROR_TYPES(X)
#undef X
} field_error_type;

typedef struct field_error {
  field_error_type type;
  slice field; /* path as text */
  slice message; /* what stands behind "field: " : type text, bad value, detail */
} field_error;

typedef struct field_errors { /* init with {.a = arena} */
  arena *a;
  field_error *items;
  uint32_t count, cap;
  const feature_set *features; /* NULL: all have their defaults */
} field_errors;

/* One function a type, as in the real field package. `detail` is printf-shaped.
 * bad may be NULL (prints null); strings print quoted, numbers and bools plain,
 * maps and lists as Go's JSON. */
void field_required(field_errors *errs, const path *p, const char *detail, ...)
    __attribute__((format(printf, 3, 4)));
void field_invalid(field_errors *errs, const path *p, const val *bad, const char *detail, ...)
    __attribute__((format(printf, 4, 5)));
void field_invalid_str(field_errors *errs, const path *p, slice bad, const char *detail, ...)
    __attribute__((format(printf, 4, 5)));
void field_invalid_int(field_errors *errs, const path *p, int64_t bad, const char *detail, ...)
    __attribute__((format(printf, 4, 5)));
void field_forbidden(field_errors *errs, const path *p, const char *detail, ...)
    __attribute__((format(printf, 3, 4)));
void field_duplicate(field_errors *errs, const path *p, const val *bad);
void field_not_found(field_errors *errs, const path *p, const val *bad);
void field_too_long(field_errors *errs, const path *p, int64_t max_bytes);
void field_too_many(field_errors *errs, const path *p, int64_t actual, int64_t max);
void field_internal(field_errors *errs, const path *p, const char *detail, ...)
    __attribute__((format(printf, 3, 4)));
/* 'Unsupported value: "x": supported values: "a", "b"'; `supported` ends with NULL and is
 * printed in the order given (the real one sorts in some callers: pass it sorted there). */
/* Of a text whose type is Go's own string, where that quotes otherwise than JSON. */
void field_not_supported_text(field_errors *errs, const path *p, slice bad,
                              const char *const *supported);
/* Of a text of a named type, which is shown as JSON. */
void field_invalid_named(field_errors *errs, const path *p, slice bad, const char *detail, ...)
    __attribute__((format(printf, 4, 5)));
void field_not_supported(field_errors *errs, const path *p, const val *bad,
                         const char *const *supported);
/* For anything the others can't say: message is complete. */
void field_error_add(field_errors *errs, field_error_type type, slice field, slice message);

/* Makes the 422 of `kind` "group", name: message and causes, duplicates dropped as the
 * real aggregate does. Returns true when there are no errors. */
bool field_errors_to_status(const field_errors *errs, slice group, slice kind, slice name,
                            status_error *out);

/* The bare 500 that some of the real server's code makes of them: the texts and no details. */
bool field_errors_to_plain(const field_errors *errs, status_error *out);

#endif
