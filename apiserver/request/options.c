/* Reads the options of each verb. Text of a wrong number is Go's strconv error; a wrong value is
 * a 422 of the options kind in group meta.k8s.io. */
#include "request/options.h"

#include "base/limits.h"
#include "base/quote.h"
#include "codec/codec.h"
#include "codec/negotiate.h"
#include "request/field_manager.h"
#include "request/info.h"
#include "schema/features.h"
#include "server.h"

#include <assert.h>

#define MANAGER_MAX 128

static bool go_bool(slice v) {
  return !(slice_eq_nocase(v, SLICE_LIT("false")) || slice_is(v, "0"));
}

/* What ParseInt reads, of any length. */
static bool is_decimal(slice v) {
  if (v.len && (v.ptr[0] == '-' || v.ptr[0] == '+')) v = slice_from(v, 1);
  for (size_t i = 0; i < v.len; i++) {
    if (v.ptr[i] < '0' || v.ptr[i] > '9') return false;
  }
  return v.len > 0;
}

static bool read_int(request *rq, const char *name, bool *set, int64_t *out) {
  if (!http_query_has(rq->http, name)) return true;
  slice v = http_query_get(rq->http, name);
  long long n = 0;
  *set = true;
  if (!slice_to_i64_go(v, &n)) {
    slice shown = go_quote(rq->arena, v);
    return status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST,
                      "strconv.ParseInt: parsing %.*s: %s",
                      SLICE_ARG(shown), is_decimal(v) ? "value out of range" : "invalid syntax");
  }
  *out = n;
  return true;
}

static bool read_bool(request *rq, const char *name, bool *set, bool *out) {
  if (!http_query_has(rq->http, name)) return true;
  *set = true;
  *out = go_bool(http_query_get(rq->http, name));
  return true;
}

/* One rune of UTF-8 (invalid bytes count as U+FFFD, one byte). */
static uint32_t rune_at(slice s, size_t at, size_t *len) {
  unsigned char c = (unsigned char)s.ptr[at];
  size_t n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
  *len = n;
  if (n == 1) return c < 0x80 ? c : 0xfffd;
  if (at + n > s.len) {
    *len = 1;
    return 0xfffd;
  }
  uint32_t r = c & (0xffu >> (n + 1));
  for (size_t i = 1; i < n; i++) r = r << 6 | ((unsigned char)s.ptr[at + i] & 0x3fu);
  return r;
}

static bool is_print(uint32_t r) {
  if (r < 0x20 || (r >= 0x7f && r <= 0xa0)) return false;
  return !(r == 0xad || (r >= 0x2000 && r <= 0x200f) || (r >= 0x2028 && r <= 0x202f) ||
           (r >= 0xd800 && r <= 0xf8ff) || r == 0xfeff || r > 0x10ffff);
}

void field_manager_validate(field_errors *errs, const path *p, slice manager) {
  if (manager.len > MANAGER_MAX) field_too_long(errs, p, MANAGER_MAX);
  for (size_t i = 0, n; i < manager.len; i += n) {
    uint32_t r = rune_at(manager, i, &n);
    if (is_print(r)) continue;
    field_invalid_str(errs, p, manager, "invalid character U+%04X (at position %zu)", r, i);
  }
}

static void check_manager(field_errors *errs, slice manager) {
  path p = path_root("fieldManager");
  field_manager_validate(errs, &p, manager);
}

static void check_dry_run(field_errors *errs, request *rq, slice body_value, bool from_query) {
  slice v;
  bool bad = false;
  val *given = val_list(rq->arena);
  for (uint32_t i = 0; from_query && http_query_nth(rq->http, "dryRun", i, &v); i++) {
    val_append(rq->arena, given, val_string(rq->arena, v));
    if (slice_is(v, "All")) rq->dry_run = true;
    else bad = true;
  }
  (void)body_value;
  if (!bad) return;
  path p = path_root("dryRun");
  field_not_supported(errs, &p, given, (const char *const[]){"All", NULL});
}

static void check_validation(field_errors *errs, request *rq) {
  slice v = http_query_get(rq->http, "fieldValidation");
  if (slice_is(v, "Strict")) rq->validation = VALIDATE_STRICT;
  else if (slice_is(v, "Ignore")) rq->validation = VALIDATE_IGNORE;
  else if (v.len == 0 || slice_is(v, "Warn")) rq->validation = VALIDATE_WARN;
  else {
    path p = path_root("fieldValidation");
    field_not_supported_text(errs, &p, v,
                             (const char *const[]){"", "Ignore", "Strict", "Warn", NULL});
  }
}

/* The user agent up to its first '/', printable characters only, at most 128 bytes. */
static slice manager_of_agent(arena *a, slice agent) {
  slice head, rest;
  slice_cut(agent, '/', &head, &rest);
  char *out = arena_alloc(a, head.len + 1);
  size_t len = 0;
  for (size_t i = 0, n; i < head.len; i += n) {
    if (!is_print(rune_at(head, i, &n))) continue;
    if (len + n > MANAGER_MAX) break;
    memcpy(out + len, head.ptr + i, n);
    len += n;
  }
  return slice_of(out, len);
}

bool options_read_write(request *rq, const char *kind, bool apply, write_options *out) {
  *out = (write_options){0};
  field_errors errs = {.a = rq->arena};
  read_bool(rq, "force", &out->force_set, &out->force);
  out->manager = http_query_get(rq->http, "fieldManager");
  if (slice_is(slice_cstr(kind), "PatchOptions")) {
    path manager = path_root("fieldManager"), force = path_root("force");
    if (apply && out->manager.len == 0) {
      field_required(&errs, &manager, "is required for apply patch");
    }
    if (!apply && out->force_set) {
      field_forbidden(&errs, &force, "may not be specified for non-apply patch");
    }
  }
  check_manager(&errs, out->manager);
  check_dry_run(&errs, rq, SLICE_NONE, true);
  check_validation(&errs, rq);
  rq->field_manager = out->manager.len
                          ? out->manager
                          : manager_of_agent(rq->arena, http_header_get(rq->http, "User-Agent"));
  return field_errors_to_status(&errs, SLICE_LIT("meta.k8s.io"), slice_cstr(kind), SLICE_LIT(""),
                                &rq->error);
}

static void check_match(field_errors *errs, request *rq, const list_options *o) {
  path match = path_root("resourceVersionMatch"), initial = path_root("sendInitialEvents");
  bool newer = slice_is(o->match, "NotOlderThan");
  val *given = val_string(rq->arena, o->match);
  if (o->watch) {
    if (o->initial_events_set && !newer) {
      field_forbidden(errs, &match,
                      "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    }
    if (o->match.len == 0) return;
    if (!o->initial_events_set) {
      field_forbidden(errs, &match,
                      "resourceVersionMatch is forbidden for watch unless sendInitialEvents is "
                      "provided");
    }
    if (!newer) {
      field_not_supported(errs, &match, given, (const char *const[]){"NotOlderThan", NULL});
    }
    if (o->continue_token.len) {
      field_forbidden(errs, &match, "resourceVersionMatch is forbidden when continue is provided");
    }
    return;
  }
  if (o->match.len) {
    if (o->resource_version.len == 0) {
      field_forbidden(errs, &match,
                      "resourceVersionMatch is forbidden unless resourceVersion is provided");
    }
    if (o->continue_token.len) {
      field_forbidden(errs, &match, "resourceVersionMatch is forbidden when continue is provided");
    }
    if (!newer && !slice_is(o->match, "Exact")) {
      field_not_supported(errs, &match, given,
                          (const char *const[]){"Exact", "NotOlderThan", "", NULL});
    }
    if (slice_is(o->match, "Exact") && slice_is(o->resource_version, "0")) {
      field_forbidden(errs, &match,
                      "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
    }
  }
  if (o->initial_events_set) {
    field_forbidden(errs, &initial, "sendInitialEvents is forbidden for list");
  }
}

bool options_read_list(request *rq, list_options *out) {
  const http_exchange *x = rq->http;
  bool unused = false;
  *out = (list_options){
      .label_selector = http_query_get(x, "labelSelector"),
      .field_selector = http_query_get(x, "fieldSelector"),
      .resource_version = http_query_get(x, "resourceVersion"),
      .match = http_query_get(x, "resourceVersionMatch"),
      .continue_token = http_query_get(x, "continue"),
  };
  read_bool(rq, "watch", &unused, &out->watch);
  read_bool(rq, "allowWatchBookmarks", &unused, &out->allow_bookmarks);
  read_bool(rq, "sendInitialEvents", &out->initial_events_set, &out->initial_events);
  if (!read_int(rq, "timeoutSeconds", &out->timeout_set, &out->timeout_s)) return false;
  return read_int(rq, "limit", &unused, &out->limit);
}

bool options_check_list(request *rq, list_options *o) {
  bool legacy = o->resource_version.len == 0 || slice_is(o->resource_version, "0");
  if (o->watch && legacy && !o->initial_events_set && o->match.len == 0) {
    o->initial_events_set = o->initial_events = true;
    o->match = SLICE_LIT("NotOlderThan");
  }
  field_errors errs = {.a = rq->arena};
  check_match(&errs, rq, o);
  return field_errors_to_status(&errs, SLICE_LIT("meta.k8s.io"), SLICE_LIT("ListOptions"),
                                SLICE_LIT(""), &rq->error);
}

#define IGNORE_READ_ERROR "ignoreStoreReadErrorWithClusterBreakingPotential"

/* What can't be read goes as it is: nothing that looks at it may be asked for. */
static void check_ignore(field_errors *errs, request *rq, const delete_options *o, bool dry_run) {
  path p = path_root(IGNORE_READ_ERROR);
  val *on = val_bool(rq->arena, true);
  if (dry_run) field_invalid(errs, &p, on, "cannot be set together with .dryRun");
  if (o->propagation_set) {
    field_invalid(errs, &p, on, "cannot be set together with .propagationPolicy");
  }
  if (o->orphan_set) field_invalid(errs, &p, on, "cannot be set together with .orphanDependents");
  if (o->grace_set) field_invalid(errs, &p, on, "cannot be set together with .gracePeriodSeconds");
  if (o->preconditions) field_invalid(errs, &p, on, "cannot be set together with .preconditions");
}

static bool delete_from_query(request *rq, delete_options *o) {
  if (!read_int(rq, "gracePeriodSeconds", &o->grace_set, &o->grace_s)) return false;
  read_bool(rq, "orphanDependents", &o->orphan_set, &o->orphan);
  o->propagation = http_query_get(rq->http, "propagationPolicy");
  o->propagation_set = http_query_has(rq->http, "propagationPolicy");
  o->uid = http_query_get(rq->http, "uid"); /* the preconditions' fields, by their own names */
  o->uid_set = o->uid.len > 0;
  o->version = http_query_get(rq->http, "resourceVersion");
  o->version_set = o->version.len > 0;
  o->preconditions = o->uid_set || o->version_set;
  bool given;
  read_bool(rq, IGNORE_READ_ERROR, &given, &o->ignore_read_error);
  return true;
}

static val *delete_body(request *rq) {
  val *body = NULL;
  slice kind = SLICE_LIT("DeleteOptions");
  if (!negotiate_decode_options(rq, kind, &body)) return NULL;
  return body;
}

static void delete_from_body(request *rq, const val *body, delete_options *o, val **dry_run) {
  const val *grace = val_getc(body, "gracePeriodSeconds");
  const val *orphan = val_getc(body, "orphanDependents");
  const val *pre = val_getc(body, "preconditions");
  (void)rq;
  o->grace_set = val_is_int(grace);
  o->grace_s = val_i64(grace);
  o->orphan_set = val_is_bool(orphan);
  o->orphan = val_true(orphan);
  o->propagation = val_get_str(body, "propagationPolicy");
  o->propagation_set = val_getc(body, "propagationPolicy") != NULL;
  o->uid_set = val_getc(pre, "uid") != NULL;
  o->uid = val_get_str(pre, "uid");
  o->version_set = val_getc(pre, "resourceVersion") != NULL;
  o->version = val_get_str(pre, "resourceVersion");
  o->preconditions = pre != NULL;
  o->ignore_read_error = val_true(val_getc(body, IGNORE_READ_ERROR));
  *dry_run = val_getc(body, "dryRun");
}

static void check_delete(field_errors *errs, request *rq, const delete_options *o, val *dry_run) {
  path p = path_root("propagationPolicy");
  val *given = val_string(rq->arena, o->propagation);
  if (o->orphan_set && o->propagation_set) {
    field_invalid(errs, &p, given, "orphanDependents and deletionPropagation cannot be both set");
  }
  if (o->propagation_set && !slice_is(o->propagation, "Foreground") &&
      !slice_is(o->propagation, "Background") && !slice_is(o->propagation, "Orphan")) {
    field_not_supported(errs, &p, given,
                        (const char *const[]){"Foreground", "Background", "Orphan", "nil", NULL});
  }
  if (!dry_run) {
    check_dry_run(errs, rq, SLICE_NONE, true);
    return;
  }
  for (uint32_t i = 0; i < val_len(dry_run); i++) {
    if (slice_is(val_str(val_at(dry_run, i)), "All")) {
      rq->dry_run = true;
      continue;
    }
    path d = path_root("dryRun");
    field_not_supported(errs, &d, dry_run, (const char *const[]){"All", NULL});
    break;
  }
}

bool options_read_delete(request *rq, delete_options *out) {
  *out = (delete_options){0};
  val *dry_run = NULL;
  if (rq->http->body.len) {
    val *body = delete_body(rq);
    if (!body) return false;
    delete_from_body(rq, body, out, &dry_run);
    if (!dry_run) dry_run = val_list(rq->arena);
  } else if (!delete_from_query(rq, out)) {
    return false;
  }
  field_errors errs = {.a = rq->arena};
  check_delete(&errs, rq, out, dry_run);
  feature gate = FEATURE_ALLOW_UNSAFE_MALFORMED_OBJECT_DELETION;
  if (!feature_on(&rq->server->options.features, gate)) out->ignore_read_error = false;
  if (out->ignore_read_error) {
    bool dry = rq->dry_run || val_len(dry_run) || http_query_has(rq->http, "dryRun");
    check_ignore(&errs, rq, out, dry);
  }
  return field_errors_to_status(&errs, SLICE_LIT("meta.k8s.io"), SLICE_LIT("DeleteOptions"),
                                SLICE_LIT(""), &rq->error);
}

bool options_check_timeout(request *rq) {
  slice v = http_query_get(rq->http, "timeout");
  slice unused, why;
  if (v.len == 0 || slice_is(rq->info.verb, "watch") || request_info_is_long(&rq->info) ||
      duration_canonical(rq->arena, v, &unused, &why)) {
    return true;
  }
  return status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST,
                    "invalid timeout specified in the request URL - %.*s", SLICE_ARG(why));
}
