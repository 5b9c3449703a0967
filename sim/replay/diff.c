/* One walk over both trees serves values and bytes: a value's difference is also one of bytes,
 * and where values agree the walk looks at order, spelling and spaces. */
#include "sim/replay/diff.h"

#include <stdlib.h>

#define PATH_MAX_BYTES ((size_t)1 << 16)

static void walk(diff *d, const jnode *parent, const jnode *e, const jnode *a);

void diff_init(diff *d, arena *a, pairing *pairs) {
  memset(d, 0, sizeof *d);
  d->arena = a;
  d->pairs = pairs;
  buf_init(&d->path, PATH_MAX_BYTES);
}

void diff_dispose(diff *d) {
  buf_dispose(&d->path);
}

bool diff_equal(const diff *d, diff_level level) {
  for (int i = 0; i <= (int)level; i++) {
    if (d->total[i] > 0) {
      return false;
    }
  }
  return true;
}

const char *diff_level_name(diff_level level) {
  static const char *const names[] = {"status", "json", "bytes"};
  return names[level];
}

void diff_add(diff *d, diff_level level, slice path, slice expected, slice actual) {
  if (d->total[level]++ > 0 && d->count >= DIFF_MAX) {
    return;
  }
  d->items = arena_grow(d->arena, d->items, d->count * sizeof *d->items,
                        (d->count + 1) * sizeof *d->items);
  d->items[d->count++] = (difference){level, arena_copy(d->arena, path),
                                      arena_copy(d->arena, expected),
                                      arena_copy(d->arena, actual)};
}

void diff_here(diff *d, diff_level level, slice expected, slice actual) {
  diff_add(d, level, buf_slice(&d->path), expected, actual);
}

static bool is_plain_key(slice key) {
  for (size_t i = 0; i < key.len; i++) {
    char c = key.ptr[i];
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
          c == '_' || c == '-' || c == '$')) {
      return false;
    }
  }
  return key.len > 0;
}

static size_t path_key(diff *d, slice key) {
  size_t was = d->path.len;
  if (is_plain_key(key)) {
    buf_char(&d->path, '.');
    buf_append(&d->path, key);
  } else {
    buf_printf(&d->path, "[\"%.*s\"]", SLICE_ARG(key));
  }
  return was;
}

static size_t path_index(diff *d, uint32_t i) {
  size_t was = d->path.len;
  buf_printf(&d->path, "[%u]", i);
  return was;
}

static void path_back(diff *d, size_t was) {
  d->path.len = was;
}

static bool key_is(const jnode *n, const char *key) {
  return slice_is(n->key, key);
}

static bool is_string(const jnode *n) {
  return n && n->type == J_STRING;
}

/* Where the server itself listens, as the `kubernetes` Service and its endpoints say it. */
static bool is_own_port(const jnode *parent, const jnode *n) {
  return (key_is(n, "targetPort") || key_is(n, "port")) &&
         slice_is(jtree_str(parent, "name"), "https");
}

static bool is_address(slice s) {
  for (size_t i = 0; i < s.len; i++) {
    char c = s.ptr[i];
    if (!((c >= '0' && c <= '9') || c == '.' || c == ':')) {
      return false;
    }
  }
  return s.len > 1;
}

/* A cell shows an age, or, in the row of the `kubernetes` Service, where the server listens. */
static bool cells_paired(pairing *p, const jnode *row, const jnode *e, const jnode *a) {
  if (pairing_is_age(e->text) && pairing_is_age(a->text)) {
    return true;
  }
  return slice_is(row->items[0].text, "kubernetes") && is_address(e->text) &&
         is_address(a->text) && pairing_match(p, PAIR_KEY, e->text, a->text);
}

/* parent is the container of n in the tape. */
static bool leaf_paired(diff *d, const jnode *parent, const jnode *e, const jnode *a) {
  pairing *p = d->pairs;
  if (e->type == J_NUMBER) {
    bool port = key_is(e, "nodePort") || key_is(e, "healthCheckNodePort");
    return (port && pairing_match_text(p, e->raw, a->raw)) ||
           (is_own_port(parent, e) && pairing_match(p, PAIR_KEY, e->raw, a->raw));
  }
  if (e->type != J_STRING) {
    return false;
  }
  if (key_is(e, "resourceVersion")) {
    return pairing_match_version(p, e->text, a->text, jtree_get(parent, "uid") == NULL);
  }
  if (key_is(e, "continue")) {
    return pairing_match_continue(p, e->text, a->text);
  }
  if (key_is(e, "serverAddress") || key_is(e, "jwks_uri") ||
      ((key_is(e, "kid") || key_is(e, "n")) && jtree_get(parent, "kty"))) {
    return pairing_match(p, PAIR_KEY, e->text, a->text);
  }
  if (parent && key_is(parent, "cells") && cells_paired(p, parent, e, a)) {
    return true;
  }
  return pairing_match_text(p, e->text, a->text);
}

static void walk_leaf(diff *d, const jnode *parent, const jnode *e, const jnode *a) {
  bool varies = is_string(e) && (e->text.len >= 8 || key_is(e, "resourceVersion"));
  if (e->type != a->type) {
    diff_here(d, DIFF_JSON, e->raw, a->raw);
  } else if (slice_eq(e->text, a->text) && !varies) {
    if (!slice_eq(e->raw, a->raw)) {
      diff_here(d, DIFF_BYTES, e->raw, a->raw);
    }
  } else if (!leaf_paired(d, parent, e, a)) {
    diff_here(d, DIFF_JSON, e->raw, a->raw);
  } else if (slice_eq(e->text, a->text) && !slice_eq(e->raw, a->raw)) {
    diff_here(d, DIFF_BYTES, e->raw, a->raw);
  }
}

static void walk_gaps(diff *d, const jnode *e, const jnode *a) {
  if (!slice_eq(e->lead, a->lead) || !slice_eq(e->mid, a->mid) || !slice_eq(e->trail, a->trail) ||
      (!slice_eq(e->key_raw, a->key_raw) && slice_eq(e->key, a->key))) {
    diff_here(d, DIFF_BYTES, SLICE_LIT("(spacing)"), SLICE_LIT("(spacing)"));
  }
}

/* ---- arrays ---- */

static slice sort_key(const jnode *n, int i) {
  static const char *const keys[] = {"manager", "operation", "apiVersion", "subresource"};
  if (i < 4) {
    return jtree_str(n, keys[i]);
  }
  const jnode *set = jtree_get(n, "fieldsV1");
  return set ? set->raw : SLICE_NONE;
}

static int by_manager(const void *x, const void *y) {
  int order = 0;
  for (int i = 0; i < 5 && order == 0; i++) {
    order = slice_cmp(sort_key(x, i), sort_key(y, i));
  }
  return order;
}

static const jnode *sorted(diff *d, const jnode *list) {
  jnode *copy = ARENA_ARRAY(d->arena, jnode, list->count + 1);
  if (list->count > 0) {
    memcpy(copy, list->items, list->count * sizeof *copy);
    qsort(copy, list->count, sizeof *copy, by_manager);
  }
  return copy;
}

static void walk_array(diff *d, const jnode *e, const jnode *a) {
  const jnode *ei = e->items, *ai = a->items;
  if (key_is(e, "managedFields")) {
    ei = sorted(d, e);
    ai = sorted(d, a);
  }
  uint32_t n = e->count > a->count ? e->count : a->count;
  for (uint32_t i = 0; i < n; i++) {
    size_t was = path_index(d, i);
    if (i >= a->count) {
      diff_here(d, DIFF_JSON, ei[i].raw, SLICE_NONE);
    } else if (i >= e->count) {
      diff_here(d, DIFF_JSON, SLICE_NONE, ai[i].raw);
    } else {
      walk_gaps(d, &ei[i], &ai[i]);
      walk(d, e, &ei[i], &ai[i]);
    }
    path_back(d, was);
  }
}

/* ---- objects ---- */

/* The same place first: members usually stand in the same order. */
static const jnode *member_of(const jnode *object, slice key, uint32_t near) {
  if (near < object->count && slice_eq(object->items[near].key, key)) {
    return &object->items[near];
  }
  return jtree_get_slice(object, key);
}

/* Keys may hold values that vary: k:{"uid":"…"} in the field sets of owner references. */
static slice key_there(diff *d, slice key) {
  return slice_has_prefix(key, SLICE_LIT("k:{")) ? pairing_substitute_text(d->pairs, key) : key;
}

static void learn_names(diff *d, const jnode *e, const jnode *a) {
  const jnode *en = jtree_get(e, "name"), *an = jtree_get(a, "name");
  slice prefix = jtree_str(e, "generateName");
  if (prefix.len > 0 && is_string(en) && is_string(an) && !slice_eq(en->text, an->text)) {
    pairing_match_generated(d->pairs, prefix, en->text, an->text);
  }
}

static bool left_out(const jnode *member, const jnode *grandparent) {
  return key_is(member, "description") && grandparent &&
         key_is(grandparent, "columnDefinitions");
}

static bool was_expected(diff *d, const jnode *e, slice key) {
  for (uint32_t i = 0; i < e->count; i++) {
    if (slice_eq(key_there(d, e->items[i].key), key)) {
      return true;
    }
  }
  return false;
}

static void walk_extra(diff *d, const jnode *e, const jnode *a) {
  for (uint32_t i = 0; i < a->count; i++) {
    slice key = a->items[i].key;
    bool near = i < e->count && slice_eq(e->items[i].key, key);
    if (!near && !was_expected(d, e, key)) {
      size_t was = path_key(d, a->items[i].key);
      diff_here(d, DIFF_JSON, SLICE_NONE, a->items[i].raw);
      path_back(d, was);
    }
  }
}

static void walk_object(diff *d, const jnode *parent, const jnode *e, const jnode *a) {
  bool same_order = e->count == a->count;
  learn_names(d, e, a);
  for (uint32_t i = 0; i < e->count; i++) {
    const jnode *ei = &e->items[i], *ai = member_of(a, key_there(d, ei->key), i);
    if (left_out(ei, parent)) {
      continue;
    }
    size_t was = path_key(d, ei->key);
    if (!ai) {
      diff_here(d, DIFF_JSON, ei->raw, SLICE_NONE);
    } else {
      same_order = same_order && ai == &a->items[i];
      walk_gaps(d, ei, ai);
      walk(d, e, ei, ai);
    }
    path_back(d, was);
  }
  walk_extra(d, e, a);
  if (!same_order && e->count == a->count) {
    diff_here(d, DIFF_BYTES, SLICE_LIT("(order of members)"), SLICE_LIT("(order of members)"));
  }
}

static void walk(diff *d, const jnode *parent, const jnode *e, const jnode *a) {
  bool nested = e->type == J_ARRAY || e->type == J_OBJECT;
  if (!nested || e->type != a->type) {
    walk_leaf(d, parent, e, a);
  } else if (e->count == 0 && a->count == 0) {
    if (!slice_eq(e->raw, a->raw)) {
      diff_here(d, DIFF_BYTES, e->raw, a->raw);
    }
  } else if (e->type == J_ARRAY) {
    walk_array(d, e, a);
  } else {
    walk_object(d, parent, e, a);
  }
}

/* ---- bodies ---- */

static int by_raw(const void *x, const void *y) {
  return slice_cmp(((const jnode *)x)->raw, ((const jnode *)y)->raw);
}

/* Lists that the real server itself fills from Go maps or racing goroutines. */
static const struct {
  const char *kind, *outer, *list;
} shuffled_lists[] = {
    {"Status", "details", "causes"},
    {"SelfSubjectRulesReview", "status", "resourceRules"},
    {"SelfSubjectRulesReview", "status", "nonResourceRules"},
};

static const jnode *shuffled_list(const jnode *body, size_t row) {
  if (!slice_is(jtree_str(body, "kind"), shuffled_lists[row].kind)) {
    return NULL;
  }
  const jnode *list = jtree_get(jtree_get(body, shuffled_lists[row].outer),
                                shuffled_lists[row].list);
  return list && list->type == J_ARRAY && list->count > 1 ? list : NULL;
}

static bool is_permutation(diff *d, const jnode *e, const jnode *a) {
  if (e->count != a->count || slice_eq(e->raw, a->raw)) {
    return false;
  }
  jnode *x = ARENA_ARRAY(d->arena, jnode, e->count);
  jnode *y = ARENA_ARRAY(d->arena, jnode, e->count);
  memcpy(x, e->items, e->count * sizeof *x);
  memcpy(y, a->items, e->count * sizeof *y);
  qsort(x, e->count, sizeof *x, by_raw);
  qsort(y, e->count, sizeof *y, by_raw);
  for (uint32_t i = 0; i < e->count; i++) {
    if (!slice_eq(x[i].raw, y[i].raw)) {
      return false;
    }
  }
  return true;
}

static bool only_shuffled(diff *d, const jnode *e, const jnode *a) {
  for (size_t row = 0; row < sizeof shuffled_lists / sizeof *shuffled_lists; row++) {
    const jnode *el = shuffled_list(e, row), *al = shuffled_list(a, row);
    if (el && al && is_permutation(d, el, al)) {
      return true;
    }
  }
  return false;
}

void diff_bodies(diff *d, const char *root, slice expected, slice actual) {
  buf_clear(&d->path);
  buf_cstr(&d->path, root);
  const jnode *e = jtree_parse(d->arena, expected), *a = jtree_parse(d->arena, actual);
  if (!e || !a) {
    if (!pairing_match_text(d->pairs, expected, actual)) {
      diff_here(d, DIFF_JSON, expected, actual);
    }
    return;
  }
  if (only_shuffled(d, e, a)) {
    d->unscored = true;
    return;
  }
  walk_gaps(d, e, a);
  walk(d, NULL, e, a);
}
