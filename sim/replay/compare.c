/* The rules of a comparison that are about whole answers: headers, elided documents, streams,
 * protobuf, and the three reasons for which an exchange is not scored. */
#include "sim/replay/compare.h"

#include "sim/replay/events.h"
#include "sim/replay/proto.h"
#include "sim/replay/proto_schema.h"
#include "sim/replay/tokens.h"

#include <stdio.h>

static bool is_conditional_openapi(const tape_exchange *x) {
  return slice_is(target_path(x->target), "/openapi/v3") &&
         tape_header_get(&x->request_headers, "If-Modified-Since").len > 0;
}

static const char *why_unscored(const tape_exchange *x) {
  if (is_conditional_openapi(x)) {
    return "conditional request on /openapi/v3: the real server's Last-Modified moves";
  }
  if (slice_has_prefix(target_path(x->target), SLICE_LIT("/api/v1/componentstatuses"))) {
    return "component statuses: they tell what else runs on the machine";
  }
  if (x->status == 101 && tape_header_get(&x->request_headers, "Upgrade").len > 0) {
    return "protocol upgrade: the tape has no answer";
  }
  return NULL;
}

static bool is_elided(slice body) {
  return slice_is(body, "{\"elided\":true}");
}

/* ---- headers ---- */

static bool is_compared(slice name) {
  static const char *const names[] = {"Content-Type", "Warning", "Location", "Retry-After"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (slice_eq_nocase(name, slice_cstr(names[i]))) {
      return true;
    }
  }
  return name.len > 13 && slice_eq_nocase(slice_upto(name, 13), SLICE_LIT("X-Kubernetes-")) &&
         !slice_eq_nocase(slice_upto(name, 16), SLICE_LIT("X-Kubernetes-Pf-"));
}

static void one_header(outcome *x, pairing *p, slice name) {
  char key[128];
  snprintf(key, sizeof key, "%.*s", SLICE_ARG(name));
  slice e = tape_header_get(&x->taped->headers, key), a = tape_header_get(&x->headers, key);
  if ((e.ptr == NULL) != (a.ptr == NULL) || !pairing_match_text(p, e, a)) {
    slice path = arena_printf(x->diff.arena, "header %.*s", SLICE_ARG(name));
    diff_add(&x->diff, DIFF_JSON, path, e, a);
  }
}

static void compare_headers(outcome *x, pairing *p) {
  for (uint32_t i = 0; i < x->taped->headers.count; i++) {
    if (is_compared(x->taped->headers.items[i].name)) {
      one_header(x, p, x->taped->headers.items[i].name);
    }
  }
  for (uint32_t i = 0; i < x->headers.count; i++) {
    char key[128];
    snprintf(key, sizeof key, "%.*s", SLICE_ARG(x->headers.items[i].name));
    if (is_compared(x->headers.items[i].name) && !tape_header_get(&x->taped->headers, key).ptr) {
      one_header(x, p, x->headers.items[i].name);
    }
  }
  slice e = tape_header_get(&x->taped->headers, "Etag"), a = tape_header_get(&x->headers, "Etag");
  if (e.len > 0 && a.len > 0) { /* not compared, but sent back later */
    pairing_match_text(p, e, a);
  }
  e = tape_header_get(&x->taped->headers, "Last-Modified");
  a = tape_header_get(&x->headers, "Last-Modified");
  if (e.len > 0 && a.len > 0) {
    pairing_match(p, PAIR_TIME, e, a);
  }
}

/* ---- bodies ---- */

static void compare_protobuf(outcome *x, const char *root, slice e, slice a) {
  slice ej = proto_to_json(x->diff.arena, e), aj = proto_to_json(x->diff.arena, a);
  if (ej.len > 0 && aj.len > 0) {
    diff_bodies(&x->diff, root, ej, aj);
    x->expected_text = ej;
    x->actual_text = aj;
  } else if (!proto_is_envelope(a)) {
    diff_bodies(&x->diff, root, e, a);
    return;
  }
  if (diff_equal(&x->diff, DIFF_JSON)) {
    proto_diff(&x->diff, root, e, a);
  }
}

static void compare_one(outcome *x, const char *root, slice e, slice a) {
  if (proto_is_envelope(e)) {
    compare_protobuf(x, root, e, a);
  } else {
    diff_bodies(&x->diff, root, e, a);
  }
}

static void compare_events(outcome *x) {
  bool protobuf = headers_say_protobuf(&x->taped->headers);
  size_t ea = 0, aa = 0;
  for (uint32_t i = 0;; i++) {
    slice e = SLICE_NONE, a = SLICE_NONE;
    bool has_e = event_next(x->taped->body, protobuf, &ea, &e);
    bool has_a = event_next(x->body, protobuf, &aa, &a);
    char root[32];
    snprintf(root, sizeof root, "event[%u]", i);
    if (has_e && has_a) {
      compare_one(x, root, e, a);
    } else if (has_e || has_a) {
      diff_add(&x->diff, DIFF_JSON, slice_cstr(root), e, a);
    } else {
      return;
    }
  }
}

static void compare_status(outcome *x) {
  diff_add(&x->diff, DIFF_STATUS, SLICE_LIT("status"),
           arena_printf(x->diff.arena, "%d", x->taped->status),
           arena_printf(x->diff.arena, "%d", x->status));
}

void compare_outcome(outcome *x, pairing *pairs) {
  x->unscored = why_unscored(x->taped);
  x->expected_text = x->taped->body;
  x->actual_text = x->body;
  if (!x->answered) {
    diff_add(&x->diff, DIFF_STATUS, SLICE_LIT("answer"), SLICE_NONE, x->problem);
    return;
  }
  if (x->status != x->taped->status) {
    compare_status(x);
    return; /* another answer altogether: nothing in it is to be paired */
  }
  compare_headers(x, pairs);
  if (is_elided(x->taped->body) || (x->unscored && x->status == 101)) {
    return;
  }
  if (x->taped->stream) {
    compare_events(x);
  } else {
    compare_one(x, "$", x->taped->body, x->body);
  }
  if (x->diff.unscored && !x->unscored) {
    x->unscored = "the same list in another order: the real server shuffles it";
  }
}

int64_t compare_written_version(const tape_exchange *x) {
  if (slice_is(x->method, "GET") || x->status / 100 != 2) {
    return 0;
  }
  arena *a = arena_create();
  slice text = proto_is_envelope(x->body) ? proto_to_json(a, x->body) : x->body;
  const jnode *meta = jtree_get(jtree_parse(a, text), "metadata");
  long long n = 0;
  if (!slice_to_i64(jtree_str(meta, "resourceVersion"), &n) || !jtree_get(meta, "uid")) {
    n = 0;
  }
  arena_destroy(a);
  return n;
}

/* An object that a request created has its creation time between the two moments of that
 * request; each such object narrows down when the tape began. */
int64_t tape_began_ms(const tape *t) {
  int64_t low = INT64_MIN, high = INT64_MAX, seconds;
  for (uint32_t i = 0; i < t->count; i++) {
    const tape_exchange *x = &t->exchanges[i];
    if (x->status != 201 || slice_is(x->method, "GET")) {
      continue;
    }
    arena *a = arena_create();
    slice text = proto_is_envelope(x->body) ? proto_to_json(a, x->body) : x->body;
    const jnode *meta = jtree_get(jtree_parse(a, text), "metadata");
    if (token_time(jtree_str(meta, "creationTimestamp"), &seconds)) {
      int64_t from = seconds * 1000 - x->done_ms, to = seconds * 1000 + 999 - x->at_ms;
      low = from > low && from <= high ? from : low;
      high = to < high && to >= low ? to : high;
    }
    arena_destroy(a);
  }
  if (low != INT64_MIN) {
    return low + (high - low) / 2;
  }
  for (uint32_t i = 0; i < t->count; i++) {
    slice modified = tape_header_get(&t->exchanges[i].headers, "Last-Modified");
    if (token_time(modified, &seconds)) {
      return seconds * 1000;
    }
  }
  return (int64_t)1767225600 * 1000;
}
