/* Strategic merge patch: a merge patch that knows from the schema which lists merge by a key or
 * as sets, with directives ($patch, $retainKeys, $deleteFromPrimitiveList, $setElementOrder).
 *
 * The patch is a fresh tree and is changed in place; of the object only the containers on the way
 * are made anew. Texts of errors quote Go's types, as the real ones do. */
#include "patch/patch.h"
#include "patch/patch_text.h"
#include "patch/patch_tree.h"
#include "patch/strategic_order.h"

#include <assert.h>

#define DELETE_PREFIX SLICE_LIT("$deleteFromPrimitiveList")
#define ORDER_PREFIX SLICE_LIT("$setElementOrder")

typedef struct merging {
  arena *arena;
  status_error *err;
} merging;

typedef struct field_merge { /* how a field merges */
  const type_info *type; /* of the field; of its items for a list */
  bool merge, replace;
  slice key;
} field_merge;

static val *map_merge(const merging *m, const val *original, val *patch, const type_info *t);

/* ---- errors ---- */

static void *fail_arg(const merging *m, const char *expected, const val *got) {
  status_plain(m->err, m->arena, "expected a %s, but received a %s", expected, go_type(got));
  return NULL;
}

static void *fail_no_key(const merging *m, const val *item, slice key) {
  slice text = go_print(m->arena, item);
  status_plain(m->err, m->arena, "map: %.*s does not contain declared merge key: %.*s",
               SLICE_ARG(text), SLICE_ARG(key));
  return NULL;
}

static void *fail_directive(const merging *m, const val *directive, const val *item) {
  slice what = go_print(m->arena, directive), where = go_print(m->arena, item);
  if (val_is_string(directive) || val_is_null(directive)) {
    if (val_is_null(directive)) what = slice_cstr(go_type(directive));
    status_plain(m->err, m->arena, "unknown patch type: %.*s in map: %.*s", SLICE_ARG(what),
                 SLICE_ARG(where));
  } else {
    status_plain(m->err, m->arena, "unknown patch type: %%!s(%s=%.*s) in map: %.*s",
                 go_type(directive), SLICE_ARG(what), SLICE_ARG(where));
  }
  return NULL;
}

static void *fail_bad(const merging *m, const char *what) {
  status_set(m->err, m->arena, STATUS_BAD_REQUEST, "invalid patch format of %s", what);
  return NULL;
}

/* ---- the schema ---- */

static const char *go_kind(const type_info *t) {
  switch ((type_kind)t->kind) {
    case TYPE_LIST:
    case TYPE_BYTES: return "slice";
    case TYPE_MAP: return "map";
    case TYPE_STRING: return "string";
    case TYPE_BOOL: return "bool";
    case TYPE_INT32: return "int32";
    case TYPE_INT64: return "int64";
    case TYPE_FLOAT64: return "float64";
    default: return "struct";
  }
}

/* Go falls back to a name that differs in case only. */
static const field_info *field_find(const type_info *t, slice name) {
  const field_info *f = type_field(t, name);
  for (uint16_t i = 0; !f && i < t->field_count; i++) {
    if (slice_eq_nocase(t->fields[i].name, name)) f = t->fields + i;
  }
  return f;
}

static bool field_lookup(const merging *m, const type_info *t, slice name, bool list,
                         field_merge *out) {
  const char *kind = go_kind(t);
  if (strcmp(kind, "struct") != 0) {
    return status_plain(m->err, m->arena,
                        "merging an object in json but data type is not struct, instead is: %s",
                        kind);
  }
  const field_info *f = t->kind == TYPE_STRUCT ? field_find(t, name) : NULL;
  if (!f) {
    ptrdiff_t dot = slice_find_char(t->name, '.');
    slice short_name = slice_from(t->name, (size_t)(dot + 1));
    return status_plain(m->err, m->arena,
                        "unable to find api field in struct %.*s for the json field \"%.*s\"",
                        SLICE_ARG(short_name), SLICE_ARG(name));
  }
  *out = (field_merge){.type = f->type, .merge = f->patch_merge, .replace = f->patch_replace,
                       .key = f->patch_merge_key};
  if (!list) return true;
  if (f->type->kind != TYPE_LIST) {
    return status_plain(m->err, m->arena, "expected slice or array type, but got: %s", kind);
  }
  out->type = f->type->elem;
  return true;
}

/* Go writes a struct that is no pointer even when it is empty. */
static bool always_present(const type_info *t, slice name) {
  const field_info *f = t->kind == TYPE_STRUCT ? type_field(t, name) : NULL;
  return f && f->type->kind == TYPE_STRUCT && !f->pointer && !f->omitzero;
}

/* ---- cleaning what the patch adds ---- */

/* Null members go at every depth; null items of lists stay. */
static void nulls_discard(arena *a, val *v) {
  if (val_is_list(v)) {
    for (uint32_t i = 0; i < v->count; i++) nulls_discard(a, v->u.items[i]);
  } else if (val_is_map(v)) {
    val *kept = val_map(a);
    VAL_EACH(e, v) {
      if (val_is_null(e->value)) continue;
      nulls_discard(a, e->value);
      val_set(a, kept, e->key, e->value);
    }
    *v = *kept;
  }
}

/* Drops every map that carries a $patch; false when v itself is one. */
static bool directives_remove(arena *a, val *v) {
  if (val_is_list(v)) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < v->count; i++) {
      if (directives_remove(a, v->u.items[i])) v->u.items[kept++] = v->u.items[i];
    }
    v->count = kept;
    return true;
  }
  if (!val_is_map(v)) return true;
  if (val_getc(v, "$patch")) return false;
  val *kept = val_map(a);
  VAL_EACH(e, v) {
    if (directives_remove(a, e->value)) val_set(a, kept, e->key, e->value);
  }
  *v = *kept;
  return true;
}

/* ---- lists ---- */

/* A copy of a stored item with the empty structs that Go would print. */
static val *item_whole(arena *a, const val *item, const type_info *t) {
  if (!val_is_map(item) || t->kind != TYPE_STRUCT) return val_shared(item);
  val *whole = map_copy(a, item);
  for (uint16_t i = 0; i < t->field_count; i++) {
    if (always_present(t, t->fields[i].name) && !val_get(item, t->fields[i].name)) {
      val_set(a, whole, t->fields[i].name, val_map(a));
    }
  }
  return whole;
}

/* All items of both lists have one type, which is not a list. */
static bool items_alike(const merging *m, const val *one, const val *two, const type_info *t,
                        uint8_t *type) {
  const val *first = val_len(one) ? one->u.items[0] : val_at(two, 0);
  if (!first) return status_plain(m->err, m->arena, "no elements in any of the given slices");
  if (val_is_list(first)) {
    status_set(m->err, m->arena, STATUS_INVALID,
               "the server rejected our request due to an error in our request");
    m->err->has_details = true;
    return false;
  }
  *type = first->type;
  const val *both[] = {one, two};
  for (size_t k = 0; k < 2; k++) {
    for (uint32_t i = 0; i < val_len(both[k]); i++) {
      if (both[k]->u.items[i]->type == first->type && !val_is_null(first)) continue;
      val *all = val_list(m->arena);
      for (size_t j = 0; j < 2; j++) {
        val *list = val_list(m->arena);
        for (uint32_t n = 0; n < val_len(both[j]); n++) {
          val *item = both[j]->u.items[n];
          val_append(m->arena, list, j ? item : item_whole(m->arena, item, t));
        }
        val_append(m->arena, all, list);
      }
      slice text = go_print(m->arena, all);
      return status_plain(m->err, m->arena, "list element types are not identical: %.*s",
                          SLICE_ARG(text));
    }
  }
  return true;
}

static val *scalars_delete(arena *a, const val *original, const val *gone) {
  key_index index = key_index_make(a, gone, SLICE_NONE);
  val *out = val_list(a);
  for (uint32_t i = 0; i < val_len(original); i++) {
    if (key_index_find(&index, original->u.items[i]) < 0) val_append(a, out, original->u.items[i]);
  }
  return out;
}

static val *scalars_merge(arena *a, const val *original, const val *patch) {
  key_index seen = key_index_make(a, NULL, SLICE_NONE);
  val *merged = val_list(a);
  const val *both[] = {original, patch};
  for (size_t k = 0; k < 2; k++) {
    for (uint32_t i = 0; i < val_len(both[k]); i++) {
      val *item = both[k]->u.items[i];
      if (key_index_find(&seen, item) >= 0) continue;
      key_index_add(&seen, item, 0);
      val_append(a, merged, item);
    }
  }
  key_index order = key_index_make(a, patch, SLICE_NONE);
  key_index server = key_index_make(a, original, SLICE_NONE);
  return list_order(a, merged, &order, &server);
}

/* Takes the items with a $patch out of the patch: what is left of the patch, and *original
 * without what they delete. */
static val *specials_apply(const merging *m, const val **original, const val *patch, slice key) {
  arena *a = m->arena;
  val *rest = val_list(a);
  key_index gone = key_index_make(a, NULL, key);
  bool replace = false;
  for (uint32_t i = 0; i < val_len(patch); i++) {
    val *item = patch->u.items[i], *directive = val_getc(item, "$patch");
    slice name = val_str(directive);
    if (!directive) {
      val_append(a, rest, item);
    } else if (slice_is(name, "delete")) {
      if (!val_get(item, key)) return fail_no_key(m, item, key);
      key_index_add(&gone, val_get(item, key), 0);
    } else if (slice_is(name, "replace")) {
      replace = true;
    } else if (slice_is(name, "merge")) {
      status_plain(m->err, a, "merging lists cannot yet be specified in the patch");
      return NULL;
    } else {
      return fail_directive(m, directive, item);
    }
  }
  val *base = val_list(a);
  if (replace) {
    *original = rest;
    return base;
  }
  for (uint32_t i = 0; i < val_len(*original); i++) {
    val *item = (*original)->u.items[i];
    if (key_index_find(&gone, val_get(item, key)) < 0) val_append(a, base, item);
  }
  *original = base;
  return rest;
}

static val *maps_merge(const merging *m, const val *original, const val *patch,
                       const type_info *t, slice key) {
  arena *a = m->arena;
  patch = specials_apply(m, &original, patch, key);
  if (!patch) return NULL;
  key_index server = key_index_make(a, original, key), place = key_index_make(a, original, key);
  val *merged = val_list(a);
  for (uint32_t i = 0; i < val_len(original); i++) val_append(a, merged, original->u.items[i]);
  for (uint32_t i = 0; i < patch->count; i++) {
    val *item = patch->u.items[i];
    const val *item_name = val_get(item, key);
    if (!item_name) return fail_no_key(m, item, key);
    int64_t at = key_index_find(&place, item_name);
    if (at < 0) {
      key_index_add(&place, item_name, merged->count);
      val_append(a, merged, item);
    } else if (!(merged->u.items[at] = map_merge(m, merged->u.items[at], item, t))) {
      return NULL;
    }
  }
  for (uint32_t i = 0; i < merged->count; i++) {
    if (!val_get(merged->u.items[i], key)) return fail_no_key(m, merged->u.items[i], key);
  }
  key_index order = key_index_make(a, patch, key);
  return list_order(a, merged, &order, &server);
}

static val *list_merge(const merging *m, const val *original, val *patch, const field_merge *f,
                       bool deleting) {
  if (!f->merge && !deleting) return patch;
  if (val_len(original) == 0 && patch->count == 0) return patch;
  uint8_t type;
  if (!items_alike(m, original, patch, f->type, &type)) return NULL;
  if (type != VAL_MAP) {
    return deleting ? scalars_delete(m->arena, original, patch)
                    : scalars_merge(m->arena, original, patch);
  }
  if (f->key.len == 0) {
    status_plain(m->err, m->arena, "cannot merge lists without merge key for %s",
                 go_kind(f->type));
    return NULL;
  }
  return maps_merge(m, original, patch, f->type, f->key);
}

/* ---- $setElementOrder ---- */

static bool is_deletion(const val *item) {
  return slice_is(val_get_str(item, "$patch"), "delete");
}

/* The patch's items stand in the order of the order list, and all are in it. */
static bool order_check(const merging *m, const val *patch, const val *order, slice key) {
  if (patch->count == 0 || order->count == 0) return true;
  uint32_t at = 0;
  for (uint32_t i = 0; i < patch->count; i++) {
    const val *item = patch->u.items[i];
    if (key.len && !val_is_map(item)) return fail_arg(m, "map[string]interface {}", item) != NULL;
    if ((key.len && is_deletion(item)) || val_getc(item, "$patch")) continue;
    for (bool found = false; !found; at++) {
      if (at >= order->count) {
        slice items = go_print(m->arena, patch), list = go_print(m->arena, order);
        return status_plain(m->err, m->arena,
                            "The order in patch list:\n%.*s\n doesn't match $setElementOrder "
                            "list:\n%.*s\n",
                            SLICE_ARG(items), SLICE_ARG(list));
      }
      const val *other = order->u.items[at];
      if (key.len && !val_is_map(other)) {
        return fail_arg(m, "map[string]interface {}", other) != NULL;
      }
      const val *mine = item_key(item, key), *theirs = item_key(other, key);
      if (!mine || !theirs) return fail_no_key(m, mine ? other : item, key) != NULL;
      found = val_equal(mine, theirs);
    }
  }
  return true;
}

/* The stored order that the real server sees after the merge: its deletions close up the array, and
 * the first items that the merge adds fall into the places that became free at its end. */
static val *server_order(arena *a, const val *original, const val *change, slice key) {
  key_index gone = key_index_make(a, NULL, key);
  bool replace = false;
  for (uint32_t i = 0; i < val_len(change); i++) {
    const val *item = change->u.items[i];
    if (is_deletion(item)) key_index_add(&gone, val_get(item, key), 0);
    replace = replace || slice_is(val_get_str(item, "$patch"), "replace");
  }
  val *seen = val_list(a);
  for (uint32_t i = 0; i < val_len(original); i++) {
    val *item = original->u.items[i];
    if (key_index_find(&gone, val_get(item, key)) < 0) val_append(a, seen, item);
  }
  key_index known = key_index_make(a, seen, key);
  for (uint32_t i = 0; !replace && i < val_len(change) && seen->count < val_len(original); i++) {
    val *item = change->u.items[i];
    if (val_getc(item, "$patch") || key_index_find(&known, val_get(item, key)) >= 0) continue;
    key_index_add(&known, val_get(item, key), seen->count);
    val_append(a, seen, item);
  }
  return seen;
}

/* Every item of the order list names an element. */
static bool order_keys_check(const merging *m, const val *order, slice key) {
  for (uint32_t i = 0; i < order->count; i++) {
    if (val_is_map(order->u.items[i])) continue;
    return status_plain(m->err, m->arena, "value for key %u is not a map", i);
  }
  for (uint32_t i = 0; i < order->count; i++) {
    if (!val_get(order->u.items[i], key)) return fail_no_key(m, order->u.items[i], key) != NULL;
  }
  return true;
}

/* The list that `out` and the patch give, in the asked order; unset in both: nothing happens. */
static bool ordered_list_merge(const merging *m, val *out, const val *patch, const val_entry *ask,
                               const type_info *t) {
  arena *a = m->arena;
  const val *order = ask->value;
  if (!val_is_list(order)) return fail_arg(m, "[]interface {}", order) != NULL;
  slice prefix, name;
  if (!slice_cut(ask->key, '/', &prefix, &name) || !slice_eq(prefix, ORDER_PREFIX)) {
    return fail_bad(m, "setElementOrder list") != NULL;
  }
  val *original = val_get(out, name), *change = val_get(patch, name);
  if (original && !val_is_list(original)) return fail_arg(m, "[]interface {}", original) != NULL;
  if (change && !val_is_list(change)) return fail_arg(m, "[]interface {}", change) != NULL;
  field_merge f;
  if (!field_lookup(m, t, name, true, &f)) return false;
  if (!order_check(m, change ? change : val_list(a), order, f.key)) return false;
  if (!original && !change) return true;
  uint8_t type;
  if (!items_alike(m, original, change, f.type, &type)) return false;
  val *merged = original, *stored = original;
  if (change && original && f.key.len && type == VAL_MAP) {
    stored = server_order(a, original, change, f.key);
  }
  if (change && !original) directives_remove(a, merged = change);
  else if (change) merged = list_merge(m, original, change, &f, false);
  if (!merged) return false;
  for (uint32_t i = 0; f.key.len && i < merged->count; i++) {
    const val *item = merged->u.items[i];
    if (!val_is_map(item)) return fail_arg(m, "map[string]interface {}", item) != NULL;
    if (!val_get(item, f.key)) return fail_no_key(m, item, f.key) != NULL;
  }
  if (f.key.len && merged->count && !order_keys_check(m, order, f.key)) return false;
  key_index asked = key_index_make(a, order, f.key), server = key_index_make(a, stored, f.key);
  val_set(a, out, name, list_order(a, merged, &asked, &server));
  return true;
}

/* ---- maps ---- */

static bool is_directive(slice key) {
  return slice_has_prefix(key, DELETE_PREFIX) || slice_has_prefix(key, ORDER_PREFIX);
}

/* Only the keys that $retainKeys names stay; the patch may set no others. */
static val *keys_retain(const merging *m, val *out, const val *patch, const val *retain) {
  if (!val_is_list(retain)) return fail_bad(m, "retainKeys");
  key_index names = key_index_make(m->arena, retain, SLICE_NONE);
  VAL_EACH(e, patch) {
    if (val_is_null(e->value) || is_directive(e->key) || slice_is(e->key, "$retainKeys")) continue;
    val key = {.type = VAL_STRING, .count = (uint32_t)e->key.len, .u.s = e->key.ptr};
    if (key_index_find(&names, &key) < 0) return fail_bad(m, "retainKeys");
  }
  val *kept = val_map(m->arena);
  VAL_EACH(e, out) {
    val key = {.type = VAL_STRING, .count = (uint32_t)e->key.len, .u.s = e->key.ptr};
    if (key_index_find(&names, &key) >= 0) val_set(m->arena, kept, e->key, e->value);
  }
  return kept;
}

/* Sets a member that the object lacks or has with another type. */
static void member_replace(const merging *m, val *out, slice key, val *value) {
  nulls_discard(m->arena, value);
  if (directives_remove(m->arena, value)) val_set(m->arena, out, key, value);
  else val_del(out, key);
}

static bool member_merge(const merging *m, val *out, slice key, val *value, const type_info *t) {
  bool deleting = slice_has_prefix(key, DELETE_PREFIX);
  if (deleting) {
    slice prefix;
    if (!slice_cut(key, '/', &prefix, &key) || !slice_eq(prefix, DELETE_PREFIX)) {
      return fail_bad(m, "primitive list") != NULL;
    }
    if (val_is_null(value)) val_del(out, key);
  }
  if (val_is_null(value)) return true; /* deleted where the map was copied */
  const val *original = val_get(out, key);
  if (!original && val_is_map(value) && always_present(t, key)) original = val_map(m->arena);
  if (!original || original->type != value->type) {
    if (!deleting) member_replace(m, out, key, value);
    return true;
  }
  field_merge f;
  if (val_is_map(value) || val_is_list(value)) {
    if (!field_lookup(m, t, key, val_is_list(value), &f)) return false;
    if (val_is_list(value)) value = list_merge(m, original, value, &f, deleting);
    else if (!f.replace) value = map_merge(m, original, value, f.type);
  }
  if (value) val_set(m->arena, out, key, value);
  return value != NULL;
}

static val *map_merge(const merging *m, const val *original, val *patch, const type_info *t) {
  arena *a = m->arena;
  val *directive = val_getc(patch, "$patch");
  if (directive) {
    if (slice_is(val_str(directive), "delete")) return val_map(a);
    if (!slice_is(val_str(directive), "replace")) return fail_directive(m, directive, patch);
    val_delc(patch, "$patch");
    return patch;
  }
  val *out = val_map(a);
  VAL_EACH(e, original) {
    if (!val_is_null(val_get(patch, e->key))) val_set(a, out, e->key, e->value);
  }
  val *retain = val_getc(patch, "$retainKeys");
  if (retain && !(out = keys_retain(m, out, patch, retain))) return NULL;
  val *ordered = NULL; /* names that $setElementOrder took care of */
  VAL_EACH(e, patch) {
    if (!slice_has_prefix(e->key, ORDER_PREFIX)) continue;
    if (!ordered_list_merge(m, out, patch, e, t)) return NULL;
    if (!ordered) ordered = val_map(a);
    val_set(a, ordered, slice_from(e->key, ORDER_PREFIX.len + 1), e->value);
  }
  VAL_EACH(e, patch) {
    bool done = slice_has_prefix(e->key, ORDER_PREFIX) || slice_is(e->key, "$retainKeys") ||
                (ordered && val_get(ordered, e->key));
    if (!done && !member_merge(m, out, e->key, e->value, t)) return NULL;
  }
  return out;
}

val *strategic_patch_apply_as(arena *a, const val *doc, slice patch, const type_info *t,
                              const patch_options *o, val **parsed, status_error *err) {
  assert(t && val_is_map(doc));
  slice error = SLICE_NONE;
  val *change = patch_parse(a, patch, o, SLICE_LIT(""), &error);
  if (!change) {
    status_set(err, a, STATUS_BAD_REQUEST, "%.*s", SLICE_ARG(error));
    return NULL;
  }
  if (val_is_null(change)) change = val_map(a);
  if (!val_is_map(change)) {
    status_set(err, a, STATUS_BAD_REQUEST,
               "json: cannot unmarshal %s into Go value of type map[string]interface {}",
               json_kind(change));
    return NULL;
  }
  val *out = map_merge(&(merging){a, err}, tree_copy(a, doc), change, t);
  if (parsed) *parsed = tree_copy(a, change); /* quoted as merging leaves it */
  return out;
}

val *strategic_patch_apply(arena *a, const val *doc, slice patch, const type_info *t,
                           status_error *err) {
  return strategic_patch_apply_as(a, doc, patch, t, &(patch_options){0}, NULL, err);
}
