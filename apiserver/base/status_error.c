/* Status errors: the real server's constructors as a few functions. */
#include "base/status_error.h"

#include "base/quote.h"

const char *status_reason_text(status_reason reason) {
  switch (reason) {
#define X(name, text, code) \
  case STATUS_##name:       \
    return text;
    STATUS_REASONS(X)
#undef X
  }
  return "";
}

static int32_t reason_code(status_reason reason) {
  switch (reason) {
#define X(name, text, code) \
  case STATUS_##name:       \
    return code;
    STATUS_REASONS(X)
#undef X
  }
  return 500;
}

int32_t status_error_code(const status_error *e) {
  return e->code ? e->code : reason_code(e->reason);
}

static bool set_text(status_error *e, status_reason reason, slice message) {
  if (e->set) return false;
  *e = (status_error){.set = true, .reason = reason, .message = message};
  return false;
}

bool status_set(status_error *e, arena *a, status_reason reason, const char *format, ...) {
  va_list args;
  va_start(args, format);
  slice text = arena_vprintf(a, format, args);
  va_end(args);
  return set_text(e, reason, text);
}

bool status_plain(status_error *e, arena *a, const char *format, ...) {
  va_list args;
  va_start(args, format);
  slice text = arena_vprintf(a, format, args);
  va_end(args);
  return set_text(e, STATUS_UNKNOWN, text);
}

bool status_internal(status_error *e, arena *a, slice text) {
  status_set(e, a, STATUS_INTERNAL, "Internal error occurred: %.*s", SLICE_ARG(text));
  status_cause *cause = ARENA_NEW(a, status_cause);
  *cause = (status_cause){.message = text};
  e->has_details = true;
  e->cause_count = 1;
  e->causes = cause;
  return false;
}

static slice qualified(arena *a, slice group, slice resource) {
  if (group.len == 0) return resource;
  return arena_printf(a, "%.*s.%.*s", SLICE_ARG(resource), SLICE_ARG(group));
}

static bool set_details(status_error *e, status_reason reason, slice message, slice group,
                        slice resource, slice name) {
  if (e->set) return false;
  set_text(e, reason, message);
  e->has_details = true;
  e->name = name;
  e->group = group;
  e->kind = resource;
  return false;
}

bool status_not_found(status_error *e, arena *a, slice group, slice resource, slice name) {
  slice q = qualified(a, group, resource), shown = go_quote(a, name);
  return set_details(e, STATUS_NOT_FOUND,
                     arena_printf(a, "%.*s %.*s not found", SLICE_ARG(q), SLICE_ARG(shown)),
                     group, resource, name);
}

bool status_already_exists(status_error *e, arena *a, slice group, slice resource, slice name) {
  slice q = qualified(a, group, resource), shown = go_quote(a, name);
  return set_details(e, STATUS_ALREADY_EXISTS,
                     arena_printf(a, "%.*s %.*s already exists", SLICE_ARG(q), SLICE_ARG(shown)),
                     group, resource, name);
}

bool status_conflict(status_error *e, arena *a, slice group, slice resource, slice name,
                     slice why) {
  slice q = qualified(a, group, resource), shown = go_quote(a, name);
  return set_details(e, STATUS_CONFLICT,
                     arena_printf(a, "Operation cannot be fulfilled on %.*s %.*s: %.*s",
                                  SLICE_ARG(q), SLICE_ARG(shown), SLICE_ARG(why)),
                     group, resource, name);
}

bool status_forbidden(status_error *e, arena *a, slice group, slice resource, slice name,
                      slice why) {
  slice q = qualified(a, group, resource), shown = go_quote(a, name);
  slice text;
  if (resource.len == 0) text = arena_printf(a, "forbidden: %.*s", SLICE_ARG(why));
  else if (name.len == 0)
    text = arena_printf(a, "%.*s is forbidden: %.*s", SLICE_ARG(q), SLICE_ARG(why));
  else
    text = arena_printf(a, "%.*s %.*s is forbidden: %.*s", SLICE_ARG(q), SLICE_ARG(shown),
                        SLICE_ARG(why));
  return set_details(e, STATUS_FORBIDDEN, text, group, resource, name);
}
