/* The rules. Each keeps what it needs a client and an object, in a small table of facts: clients of
 * tests have few of them. */
#include "sim/live/lint.h"

#include "base/heap.h"
#include "codec/codec.h"
#include "sim/live/engine.h"

#include <stdio.h>
#include <stdlib.h>

#define FACTS_MAX 4096
#define STORM_LISTS 10 /* lists of one resource within STORM_NS */
#define STORM_NS ((int64_t)10 * 1000000000)
#define HOT_WRITES 20 /* writes of one object within HOT_NS */
#define HOT_NS ((int64_t)5 * 1000000000)
#define NOOPS 10 /* updates in a row that change nothing */
#define BLIND_RETRIES 3
#define BIG_LIST 500

const char *const lint_names[LINT_COUNT] = {
    [LINT_UNHANDLED_410] = "unhandled410",
    [LINT_RELIST_STORM] = "relistStorm",
    [LINT_UNCONDITIONAL_WRITE] = "unconditionalWrite",
    [LINT_HOT_LOOP] = "hotLoop",
    [LINT_NOOP_WRITES] = "noopWrites",
    [LINT_IGNORED_RETRY_AFTER] = "ignoredRetryAfter",
    [LINT_BLIND_RETRY] = "blindRetry",
    [LINT_NO_BOOKMARKS] = "noBookmarks",
    [LINT_UNBOUNDED_LIST] = "unboundedList",
};

const bool lint_is_error[LINT_COUNT] = {
    [LINT_UNHANDLED_410] = true, [LINT_RELIST_STORM] = true, [LINT_HOT_LOOP] = true,
    [LINT_NOOP_WRITES] = true,
};

/* What is remembered of (client, what, key). */
typedef struct fact {
  int client;
  lint_rule rule;
  uint64_t key; /* hash */
  int64_t value, since_ns, count;
  uint64_t extra;
} fact;

struct live_lint {
  live *live;
  fact *facts;
  uint32_t count;
  lint_finding *findings;
};

static uint64_t hash(slice s) {
  uint64_t h = 14695981039346656037u;
  for (size_t i = 0; i < s.len; i++) h = (h ^ (unsigned char)s.ptr[i]) * 1099511628211u;
  return h;
}

live_lint *lint_create(live *l) {
  live_lint *t = heap_zalloc(sizeof *t);
  t->live = l;
  t->facts = heap_zalloc(FACTS_MAX * sizeof *t->facts);
  return t;
}

void lint_destroy(live_lint *t) {
  for (lint_finding *f; (f = t->findings);) {
    t->findings = f->next;
    heap_free(f);
  }
  heap_free(t->facts);
  heap_free(t);
}

const lint_finding *lint_findings(const live_lint *t) { return t->findings; }

/* The oldest fact makes room. */
static fact *fact_of(live_lint *t, int client, lint_rule rule, slice key) {
  uint64_t h = hash(key);
  uint32_t n = t->count < FACTS_MAX ? t->count : FACTS_MAX;
  for (uint32_t i = 0; i < n; i++) {
    fact *f = &t->facts[i];
    if (f->client == client && f->rule == rule && f->key == h) return f;
  }
  fact *f = &t->facts[t->count++ % FACTS_MAX];
  *f = (fact){.client = client, .rule = rule, .key = h};
  return f;
}

static void find(live_lint *t, lint_rule rule, const exchange *ex, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void find(live_lint *t, lint_rule rule, const exchange *ex, const char *format, ...) {
  lint_finding **at = &t->findings;
  for (; *at; at = &(*at)->next) {
    if ((*at)->rule != rule || (*at)->client != ex->client) continue;
    (*at)->count++;
    return;
  }
  lint_finding *f = heap_zalloc(sizeof *f);
  *f = (lint_finding){.rule = rule, .client = ex->client, .count = 1,
                      .at_ns = live_now_ns(t->live)};
  va_list args;
  va_start(args, format);
  vsnprintf(f->text, sizeof f->text, format, args);
  va_end(args);
  *at = f;
}

/* All of many objects at once, and not from a cache. With an etcd they are not at hand to count. */
static void check_size(live_lint *t, exchange *ex) {
  live *l = t->live;
  store_view *v = NULL;
  bool bounded = http_query_get(ex->x, "limit").len || slice_is(ex->asked_revision, "0");
  if (bounded || !ex->target.resource || l->elsewhere) return;
  if (store_view_open(l->server->store, 0, &v) != STORE_OK) return;
  arena *a = arena_create();
  slice from = stored_prefix(a, ex->target.resource, ex->target.namespace);
  uint64_t n = store_view_count(v, from, stored_prefix_end(a, from));
  store_view_close(v);
  arena_destroy(a);
  if (n <= BIG_LIST) return;
  find(t, LINT_UNBOUNDED_LIST, ex, "lists %llu %.*s without a limit", (unsigned long long)n,
       SLICE_ARG(ex->resource_key));
}

static void check_list(live_lint *t, exchange *ex) {
  check_size(t, ex);
  fact *f = fact_of(t, ex->client, LINT_RELIST_STORM, ex->resource_key);
  int64_t now = live_now_ns(t->live);
  fact_of(t, ex->client, LINT_UNHANDLED_410, ex->resource_key)->value = 0;
  if (http_query_get(ex->x, "continue").len) return;
  if (f->count == 0 || now - f->since_ns > STORM_NS) {
    f->since_ns = now;
    f->count = 0;
  }
  if (++f->count > STORM_LISTS) {
    find(t, LINT_RELIST_STORM, ex, "%lld lists of %.*s within %lld ms", (long long)f->count,
         SLICE_ARG(ex->resource_key), (long long)(now - f->since_ns) / 1000000);
  }
}

static void check_watch(live_lint *t, exchange *ex) {
  long long from = 0;
  slice_to_i64(ex->asked_revision, &from);
  fact *f = fact_of(t, ex->client, LINT_UNHANDLED_410, ex->resource_key);
  bool fresh = from <= 0 || slice_is(http_query_get(ex->x, "sendInitialEvents"), "true");
  if (!fresh && f->value) {
    find(t, LINT_UNHANDLED_410, ex, "watches %.*s from revision %lld after a 410, without a list "
         "in between", SLICE_ARG(ex->resource_key), from);
  }
  if (fresh) f->value = 0;
  if (!slice_is(http_query_get(ex->x, "allowWatchBookmarks"), "true") &&
      !slice_is(http_query_get(ex->x, "allowWatchBookmarks"), "1")) {
    find(t, LINT_NO_BOOKMARKS, ex, "watches %.*s without allowWatchBookmarks",
         SLICE_ARG(ex->resource_key));
  }
}

static void check_update(live_lint *t, exchange *ex, slice body) {
  slice error, version;
  bool scalar;
  arena *a = arena_create();
  const val *tree = body.len && body.ptr[0] == '{' ? json_parse(a, body, NULL, &error) : NULL;
  bool has = tree_field(a, tree, SLICE_LIT("metadata.resourceVersion"), &version, &scalar);
  if (tree && !has) {
    find(t, LINT_UNCONDITIONAL_WRITE, ex, "updates %.*s without a resourceVersion",
         SLICE_ARG(ex->resource_key));
  }
  arena_destroy(a);
  fact *f = fact_of(t, ex->client, LINT_BLIND_RETRY, ex->resource_key);
  uint64_t h = hash(body);
  if (f->extra == h && f->value == 409 && ++f->count >= BLIND_RETRIES) {
    find(t, LINT_BLIND_RETRY, ex, "sends the same update of %.*s again after a conflict, %lld "
         "times", SLICE_ARG(ex->resource_key), (long long)f->count);
  } else if (f->extra != h) {
    f->count = 0;
  }
  f->extra = h;
  f->value = 0;
}

void lint_request(live_lint *t, exchange *ex, slice body) {
  fact *wait = fact_of(t, ex->client, LINT_IGNORED_RETRY_AFTER, ex->resource_key);
  int64_t now = live_now_ns(t->live);
  if (wait->value > now + 100000000) {
    find(t, LINT_IGNORED_RETRY_AFTER, ex, "asks for %.*s %lld ms before Retry-After allows",
         SLICE_ARG(ex->resource_key), (long long)(wait->value - now) / 1000000);
  }
  wait->value = 0;
  if (slice_is(ex->verb, "list")) check_list(t, ex);
  else if (ex->watch) check_watch(t, ex);
  else if (slice_is(ex->verb, "update")) check_update(t, ex, body);
  if (!ex->write) return;
  fact *f = fact_of(t, ex->client, LINT_NOOP_WRITES, ex->resource_key);
  f->value = 0; /* nothing stored by it yet */
}

void lint_answer(live_lint *t, exchange *ex, int status, int64_t retry_after_s) {
  if (ex->client == CLIENT_SCENARIO) return;
  if (status == 429 && retry_after_s) {
    fact_of(t, ex->client, LINT_IGNORED_RETRY_AFTER, ex->resource_key)->value =
        live_now_ns(t->live) + retry_after_s * 1000000000;
  }
  bool failed = status == 0 || status >= 400;
  if (failed) fact_of(t, ex->client, LINT_RELIST_STORM, ex->resource_key)->count = 0;
  if (slice_is(ex->verb, "update")) {
    fact_of(t, ex->client, LINT_BLIND_RETRY, ex->resource_key)->value = status;
  }
  bool changes = slice_is(ex->verb, "update") || slice_is(ex->verb, "patch");
  if (!changes || failed) return;
  fact *f = fact_of(t, ex->client, LINT_NOOP_WRITES, ex->resource_key);
  if (f->value) f->count = 0;
  else if (++f->count == NOOPS) {
    find(t, LINT_NOOP_WRITES, ex, "%d writes of %.*s in a row changed nothing", NOOPS,
         SLICE_ARG(ex->resource_key));
  }
}

void lint_expired(live_lint *t, exchange *ex) {
  fact_of(t, ex->client, LINT_UNHANDLED_410, ex->resource_key)->value = 1;
  fact_of(t, ex->client, LINT_RELIST_STORM, ex->resource_key)->count = 0;
}

void lint_stored(live_lint *t, exchange *ex, slice key, bool changed) {
  if (ex->client == CLIENT_SCENARIO || ex->client == CLIENT_SERVER || !changed) return;
  fact_of(t, ex->client, LINT_NOOP_WRITES, ex->resource_key)->value = 1;
  if (engine_ignores(t->live, ex->resource_name)) return;
  fact *f = fact_of(t, ex->client, LINT_HOT_LOOP, key);
  int64_t now = live_now_ns(t->live);
  if (f->count == 0 || now - f->since_ns > HOT_NS) {
    f->since_ns = now;
    f->count = 0;
  }
  if (++f->count > HOT_WRITES) {
    find(t, LINT_HOT_LOOP, ex, "%lld writes of %.*s within %lld ms", (long long)f->count,
         SLICE_ARG(key), (long long)(now - f->since_ns) / 1000000);
  }
}
