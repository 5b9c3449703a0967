/* Tables in jansson objects: a few entries an object that a client touched. */
#include "sim/live/tally.h"

#include "sim/live/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tally_init(tally *t) {
  *t = (tally){json_object(), json_object(), json_object(), json_object()};
}

void tally_dispose(tally *t) {
  json_decref(t->counts);
  json_decref(t->flaps);
  json_decref(t->groups);
  json_decref(t->of);
  *t = (tally){0};
}

static void raise_item(json_t *list, size_t i, json_int_t by) {
  json_array_set_new(list, i, json_integer(json_integer_value(json_array_get(list, i)) + by));
}

static json_t *entry(json_t *map, const char *key, json_t *fresh) {
  json_t *found = json_object_get(map, key);
  if (found) {
    json_decref(fresh);
    return found;
  }
  json_object_set_new(map, key, fresh);
  return fresh;
}

/* The key with a generated name as its pattern. */
static void generic_key(const live_commit *c, const json_t *object, char *out, size_t size) {
  char name[512];
  live_name_of(object, name, sizeof name);
  snprintf(out, size, "%.*s/%.*s%s%s", SLICE_ARG(c->resource_name), SLICE_ARG(c->namespace),
           c->namespace.len ? "/" : "", *name ? name : "?");
}

static void count(tally *t, const live_commit *c, const char *key) {
  if (!c->created && !c->deleted) return;
  json_t *n = entry(t->counts, key, json_pack("[i, i]", 0, 0));
  raise_item(n, c->deleted ? 1 : 0, 1);
}

/* A value that comes back after one change is a flap; so is an object that comes back. */
static void flap(tally *t, const live_commit *c, const char *key) {
  size_t style = JSON_SORT_KEYS | JSON_COMPACT;
  json_t *masked = c->deleted ? NULL : live_masked(c->after.ptr, c->after.len, true);
  char *text = masked ? json_dumps(masked, style) : strdup("");
  json_t *f = entry(t->flaps, key, json_pack("{s:i, s:s, s:s}", "n", 0, "h1", "?", "h2", "?"));
  const char *h1 = json_string_value(json_object_get(f, "h1"));
  const char *h2 = json_string_value(json_object_get(f, "h2"));
  if (strcmp(h1, text) != 0) {
    if (strcmp(h2, text) == 0) {
      json_object_set_new(f, "n", json_integer(json_integer_value(json_object_get(f, "n")) + 1));
    }
    json_object_set(f, "h2", json_object_get(f, "h1"));
    json_object_set_new(f, "h1", json_string(text));
  }
  free(text);
  json_decref(masked);
}

/* A group: objects of one place that are the same but for their names. Owners stand by name, not
 * by uid, so that groups of two runs are comparable. */
static void group_of(const live_commit *c, char *out, size_t size) {
  json_t *masked = live_masked(c->after.ptr, c->after.len, true);
  json_t *meta = json_object_get(masked, "metadata");
  json_object_del(masked, "status");
  json_object_del(meta, "finalizers");
  char *text = json_dumps(masked, JSON_SORT_KEYS | JSON_COMPACT);
  uint64_t h = 14695981039346656037u;
  for (const char *p = text ? text : ""; *p; p++) h = (h ^ (unsigned char)*p) * 1099511628211u;
  snprintf(out, size, "%.*s/%.*s/%016llx", SLICE_ARG(c->resource_name), SLICE_ARG(c->namespace),
           (unsigned long long)h);
  free(text);
  json_decref(masked);
}

static void group(tally *t, const live_commit *c) {
  char name[400], key[600];
  snprintf(key, sizeof key, "%.*s", SLICE_ARG(c->key));
  if (c->created && c->client >= 0) {
    group_of(c, name, sizeof name);
    json_t *g = entry(t->groups, name, json_pack("[i, i, s]", 0, 0, key));
    raise_item(g, 0, 1);
    json_int_t alive = json_integer_value(json_array_get(g, 0));
    if (alive > json_integer_value(json_array_get(g, 1))) {
      json_array_set_new(g, 1, json_integer(alive));
      json_array_set_new(g, 2, json_string(key));
    }
    json_object_set_new(t->of, key, json_string(name));
  } else if (c->deleted) {
    const char *of = json_string_value(json_object_get(t->of, key));
    if (of) raise_item(json_object_get(t->groups, of), 0, -1);
    json_object_del(t->of, key);
  }
}

void tally_commit(void *ctx, const live_commit *c) {
  tally *t = ctx;
  char key[1024];
  group(t, c);
  if (c->client < 0 || c->ghost) return;
  slice bytes = c->deleted ? c->before : c->after;
  json_t *object = json_loadb(bytes.ptr, bytes.len, 0, NULL);
  generic_key(c, object, key, sizeof key);
  count(t, c, key);
  if (!strchr(key, '*')) flap(t, c, key);
  json_decref(object);
}

static bool wanted(const strlist *resources, const char *key) {
  slice resource, rest;
  slice_cut(slice_cstr(key), '/', &resource, &rest);
  return resources->count == 0 || live_glob_any(resources, resource);
}

static long long item(const json_t *list, size_t i) {
  return (long long)json_integer_value(json_array_get(list, i));
}

void tally_compare_counts(const tally *expected, const tally *got, const strlist *resources,
                          tally_report fn, void *ctx) {
  const char *key;
  json_t *n;
  char text[700];
  json_object_foreach(got->counts, key, n) {
    const json_t *e = json_object_get(expected->counts, key);
    if (!wanted(resources, key) || (item(e, 0) == item(n, 0) && item(e, 1) == item(n, 1))) continue;
    snprintf(text, sizeof text, "%s: %lld creates and %lld deletes, without faults %lld and %lld",
             key, item(n, 0), item(n, 1), item(e, 0), item(e, 1));
    fn(ctx, text);
  }
  json_object_foreach(expected->counts, key, n) {
    if (!wanted(resources, key) || json_object_get(got->counts, key)) continue;
    snprintf(text, sizeof text, "%s: never created or deleted, without faults %lld and %lld times",
             key, item(n, 0), item(n, 1));
    fn(ctx, text);
  }
}

void tally_check_flaps(const tally *expected, const tally *got, int64_t most, tally_report fn,
                       void *ctx) {
  const char *key;
  json_t *f;
  char text[700];
  json_object_foreach(got->flaps, key, f) {
    json_int_t n = json_integer_value(json_object_get(f, "n"));
    json_int_t e = json_integer_value(json_object_get(json_object_get(expected->flaps, key), "n"));
    if (n <= most || n <= e) continue;
    snprintf(text, sizeof text, "%s went back to what it was %lld times (without faults: %lld)",
             key, (long long)n, (long long)e);
    fn(ctx, text);
  }
}

void tally_check_duplicates(const tally *expected, const tally *got, const strlist *resources,
                            tally_report fn, void *ctx) {
  const char *key;
  json_t *g;
  char text[900];
  json_object_foreach(got->groups, key, g) {
    long long most = item(g, 1), before = item(json_object_get(expected->groups, key), 1);
    if (!wanted(resources, key) || most < 2 || most <= before) continue;
    snprintf(text, sizeof text, "%lld equal objects were alive at once, without faults %lld: the "
             "last was %s", most, before, json_string_value(json_array_get(g, 2)));
    fn(ctx, text);
  }
}
