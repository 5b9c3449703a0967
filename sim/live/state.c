/* Masking goes over the tree once; a string that is exactly a known uid or a known generated name
 * stands for its object. */
#include "sim/live/state.h"

#include "sim/live/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const masked_keys[] = {
    "uid", "resourceVersion", "generation", "observedGeneration", "creationTimestamp",
    "deletionTimestamp", "managedFields", "selfLink", "clusterIP", "clusterIPs", "nodePort",
    "healthCheckNodePort", "podIP", "podIPs",
};

static bool is_masked_key(const char *key) {
  for (size_t i = 0; i < sizeof masked_keys / sizeof masked_keys[0]; i++) {
    if (strcmp(key, masked_keys[i]) == 0) return true;
  }
  return false;
}

/* "2026-11-20T15:11:59Z", with or without a fraction. */
static bool looks_like_time(const char *s) {
  static const char shape[] = "dddd-dd-ddTdd:dd:dd";
  for (size_t i = 0; shape[i]; i++) {
    bool digit = s[i] >= '0' && s[i] <= '9';
    if (shape[i] == 'd' ? !digit : s[i] != shape[i]) return false;
  }
  return strchr("Z.+-", s[sizeof shape - 1]) != NULL;
}

static bool path_fits(const char *pattern, const char *path) {
  while (*pattern) {
    if (strncmp(pattern, "**", 2) == 0) {
      const char *rest = pattern + 2 + (pattern[2] == '/');
      if (!*rest) return true;
      for (const char *p = path; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL) {
        if (path_fits(rest, p)) return true;
      }
      return false;
    }
    size_t a = strcspn(pattern, "/"), b = strcspn(path, "/");
    if (!live_glob(slice_of(pattern, a), slice_of(path, b))) return false;
    pattern += a;
    path += b;
    if ((*pattern == '/') != (*path == '/')) return false;
    if (!*pattern) return true;
    pattern++;
    path++;
  }
  return *path == '\0';
}

typedef struct masking {
  const strlist *masks;
  json_t *names; /* string to what stands for it */
  char path[1024];
} masking;

static bool masked_path(const masking *m) {
  for (uint32_t i = 0; m->masks && i < m->masks->count; i++) {
    char pattern[512];
    snprintf(pattern, sizeof pattern, "%.*s", SLICE_ARG(m->masks->items[i]));
    if (path_fits(pattern, m->path)) return true;
  }
  return false;
}

static json_t *mask(masking *m, const json_t *v, size_t at);

static json_t *mask_below(masking *m, const char *step, const json_t *v, size_t at) {
  int n = snprintf(m->path + at, sizeof m->path - at, "%s%s", at ? "/" : "", step);
  size_t end = at + (n > 0 ? (size_t)n : 0);
  if (end >= sizeof m->path) end = sizeof m->path - 1;
  json_t *r = mask(m, v, end);
  m->path[at] = '\0';
  return r;
}

static json_t *mask(masking *m, const json_t *v, size_t at) {
  if (at && masked_path(m)) return json_string("<masked>");
  if (json_is_string(v)) {
    const char *s = json_string_value(v);
    if (looks_like_time(s)) return json_string("<time>");
    json_t *known = m->names ? json_object_get(m->names, s) : NULL;
    return known ? json_copy(known) : json_string(s);
  }
  if (json_is_array(v)) {
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(v); i++) {
      char step[24];
      snprintf(step, sizeof step, "%zu", i);
      json_array_append_new(out, mask_below(m, step, json_array_get(v, i), at));
    }
    return out;
  }
  if (!json_is_object(v)) return json_deep_copy(v);
  json_t *out = json_object();
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)v, key, value) {
    bool uid = strcmp(key, "uid") == 0 && at > 0 && json_is_string(value) && m->names &&
               json_object_get(m->names, json_string_value(value));
    if (is_masked_key(key) && !uid) continue;
    json_object_set_new(out, key, mask_below(m, key, value, at));
  }
  return out;
}

static const char *text_at(const json_t *object, const char *key) {
  return json_string_value(json_object_get(json_object_get(object, "metadata"), key));
}

void live_name_of(const json_t *object, char *out, size_t size) {
  const char *name = text_at(object, "name"), *base = text_at(object, "generateName");
  if (base && name && strncmp(name, base, strlen(base)) == 0) snprintf(out, size, "%s*", base);
  else snprintf(out, size, "%s", name ? name : "");
}

json_t *live_masked(const char *text, size_t len, bool without_name) {
  json_t *raw = json_loadb(text, len, 0, NULL);
  if (!raw) return NULL;
  masking m = {0};
  json_t *out = mask(&m, raw, 0);
  if (without_name) json_object_del(json_object_get(out, "metadata"), "name");
  json_decref(raw);
  return out;
}

/* ---- reading ---- */

typedef struct state_reader {
  arena *a;
  const strlist *ignore;
  state_object *items;
  uint32_t count, cap;
  json_t *names;
} state_reader;

/* The kubernetes Service and its endpoints carry the port of the run. */
static bool is_the_servers(const live_target *t) {
  return slice_is(t->namespace, "default") && slice_is(t->name, "kubernetes");
}

static bool visit(void *ctx, store_entry *e) {
  state_reader *r = ctx;
  live_target t;
  char generic[512], stands[700];
  if (!live_target_of_stored(store_entry_key(e), &t)) return true;
  slice key = live_target_key(r->a, &t), resource, rest;
  slice_cut(key, '/', &resource, &rest);
  slice bytes = blob_slice(e->value);
  if (live_glob_any(r->ignore, resource) || is_the_servers(&t)) return true;
  json_t *o = json_loadb(bytes.ptr, bytes.len, 0, NULL);
  if (!o) return true;
  if (r->count == r->cap) {
    r->cap = r->cap ? 2 * r->cap : 256;
    r->items = realloc(r->items, r->cap * sizeof *r->items);
    if (!r->items) abort();
  }
  live_name_of(o, generic, sizeof generic);
  live_target g = t;
  g.name = slice_cstr(generic);
  slice shown = live_target_key(r->a, &g);
  r->items[r->count++] = (state_object){strndup(shown.ptr, shown.len), strndup(key.ptr, key.len),
                                        o};
  const char *uid = text_at(o, "uid"), *name = text_at(o, "name");
  snprintf(stands, sizeof stands, "<uid of %.*s>", SLICE_ARG(shown));
  if (uid) json_object_set_new(r->names, uid, json_string(stands));
  if (name && strcmp(name, generic) != 0) json_object_set_new(r->names, name, json_string(generic));
  return true;
}

static int by_key(const void *a, const void *b) {
  const state_object *x = a, *y = b;
  int c = strcmp(x->key, y->key);
  if (c) return c;
  char *p = json_dumps(x->object, JSON_SORT_KEYS), *q = json_dumps(y->object, JSON_SORT_KEYS);
  c = strcmp(p, q);
  free(p);
  free(q);
  return c;
}

void live_state_read(store *s, const strlist *masks, const strlist *ignore, live_state *out) {
  store_view *v = NULL;
  *out = (live_state){0};
  if (store_view_open(s, 0, &v) != STORE_OK) return;
  state_reader r = {.a = arena_create(), .ignore = ignore, .names = json_object()};
  store_view_walk(v, SLICE_LIT("/registry/"), SLICE_LIT("/registry0"), visit, &r);
  store_view_close(v);
  for (uint32_t i = 0; i < r.count; i++) {
    masking m = {.masks = masks, .names = r.names};
    json_t *masked = mask(&m, r.items[i].object, 0);
    json_decref(r.items[i].object);
    r.items[i].object = masked;
  }
  if (r.count) qsort(r.items, r.count, sizeof *r.items, by_key);
  json_decref(r.names);
  arena_destroy(r.a);
  *out = (live_state){r.items, r.count};
}

void live_state_free(live_state *s) {
  for (uint32_t i = 0; i < s->count; i++) {
    free(s->items[i].key);
    free(s->items[i].name);
    json_decref(s->items[i].object);
  }
  free(s->items);
  *s = (live_state){0};
}

/* ---- comparing ---- */

typedef struct comparing {
  state_difference *first, **end;
  const state_difference *skip;
  const char *key;
  char path[1024];
} comparing;

static void add(comparing *c, const char *mask_path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void add(comparing *c, const char *mask_path, const char *format, ...) {
  state_difference *d = calloc(1, sizeof *d);
  if (!d) abort();
  if (mask_path) snprintf(d->mask, sizeof d->mask, "%s %s", c->key, mask_path);
  else snprintf(d->mask, sizeof d->mask, "%s", c->key);
  for (const state_difference *s = c->skip; s; s = s->next) {
    if (strcmp(s->mask, d->mask) != 0) continue;
    free(d);
    return;
  }
  va_list args;
  va_start(args, format);
  vsnprintf(d->text, sizeof d->text, format, args);
  va_end(args);
  *c->end = d;
  c->end = &d->next;
}

static char *brief(const json_t *v) {
  char *s = v ? json_dumps(v, JSON_ENCODE_ANY | JSON_SORT_KEYS) : NULL;
  if (!s) return strdup("absent");
  if (strlen(s) > 100) strcpy(s + 96, "...");
  return s;
}

static void compare(comparing *c, const json_t *want, const json_t *got, size_t at);

static void compare_below(comparing *c, const char *step, const json_t *want, const json_t *got,
                          size_t at) {
  int n = snprintf(c->path + at, sizeof c->path - at, "%s%s", at ? "/" : "", step);
  size_t end = at + (n > 0 ? (size_t)n : 0);
  if (end >= sizeof c->path) end = sizeof c->path - 1;
  compare(c, want, got, end);
  c->path[at] = '\0';
}

static void compare_objects(comparing *c, const json_t *want, const json_t *got, size_t at) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)want, key, value) {
    compare_below(c, key, value, json_object_get(got, key), at);
  }
  json_object_foreach((json_t *)(uintptr_t)got, key, value) {
    if (!json_object_get(want, key)) compare_below(c, key, NULL, value, at);
  }
}

static void compare(comparing *c, const json_t *want, const json_t *got, size_t at) {
  if (want && got && json_equal(want, got)) return;
  if (json_is_object(want) && json_is_object(got)) {
    compare_objects(c, want, got, at);
    return;
  }
  bool lists = json_is_array(want) && json_is_array(got);
  if (lists && json_array_size(want) == json_array_size(got)) {
    for (size_t i = 0; i < json_array_size(want); i++) {
      char step[24];
      snprintf(step, sizeof step, "%zu", i);
      compare_below(c, step, json_array_get(want, i), json_array_get(got, i), at);
    }
    return;
  }
  char *a = brief(want), *b = brief(got);
  add(c, c->path, "~ %s: %s: %s without faults, %s with them", c->key, c->path, a, b);
  free(a);
  free(b);
}

static bool wanted(const strlist *resources, const char *key) {
  slice resource, rest;
  slice_cut(slice_cstr(key), '/', &resource, &rest);
  return resources->count == 0 || live_glob_any(resources, resource);
}

state_difference *live_state_compare(const live_state *expected, const live_state *got,
                                     const strlist *resources, const state_difference *skip) {
  comparing c = {.skip = skip};
  c.end = &c.first;
  uint32_t i = 0, k = 0;
  while (i < expected->count || k < got->count) {
    const state_object *e = i < expected->count ? &expected->items[i] : NULL;
    const state_object *g = k < got->count ? &got->items[k] : NULL;
    int order = !e ? 1 : !g ? -1 : strcmp(e->key, g->key);
    const char *key = order <= 0 ? e->key : g->key;
    bool look = wanted(resources, key);
    c.key = key;
    if (order < 0 && look) add(&c, NULL, "- %s is only there without faults", e->name);
    if (order > 0 && look) add(&c, NULL, "+ %s is only there with faults", g->name);
    if (order == 0 && look) compare(&c, e->object, g->object, 0);
    if (order <= 0) i++;
    if (order >= 0) k++;
  }
  return c.first;
}

void state_difference_free(state_difference *d) {
  while (d) {
    state_difference *next = d->next;
    free(d);
    d = next;
  }
}
