/* JSON patch (RFC 6902) in the dialect of the real server's library: "replace" of a missing
 * member adds it, a path needs no leading slash, negative indices count from the end.
 *
 * The document's containers are copied once and then changed in place, so that ten thousand
 * operations on a large object stay linear; a removed member leaves a tombstone for the same
 * reason, and one walk at the end sweeps them out. */
#include "patch/patch.h"
#include "base/limits.h"
#include "base/quote.h"
#include "patch/patch_text.h"
#include "patch/patch_tree.h"

#include <assert.h>

typedef struct patching {
  arena *arena;
  val *root;
  val *tombstone; /* stands for a removed member */
  bool buried; /* at least one tombstone */
  size_t copied; /* bytes that copy operations made */
} patching;

static val *sweep(const patching *p, val *v) {
  if (val_is_list(v)) {
    for (uint32_t i = 0; i < v->count; i++) v->u.items[i] = sweep(p, v->u.items[i]);
    return v;
  }
  if (!val_is_map(v)) return v;
  val *kept = val_map(p->arena);
  VAL_EACH(e, v) {
    if (e->value != p->tombstone) val_set(p->arena, kept, e->key, sweep(p, e->value));
  }
  return kept;
}

static slice pointer_decode(arena *a, slice token) {
  if (slice_find_char(token, '~') < 0) return token;
  char *out = arena_alloc(a, token.len + 1);
  size_t n = 0;
  for (size_t i = 0; i < token.len; i++) {
    char next = i + 1 < token.len ? token.ptr[i + 1] : '\0';
    bool escape = token.ptr[i] == '~' && (next == '0' || next == '1');
    out[n++] = !escape ? token.ptr[i] : next == '0' ? '~' : '/';
    if (escape) i++;
  }
  out[n] = '\0';
  return slice_of(out, n);
}

/* strconv.Atoi: a sign, digits, nothing else. */
static bool index_parse(slice s, int64_t *out) {
  bool minus = s.len && s.ptr[0] == '-';
  if (s.len && (s.ptr[0] == '-' || s.ptr[0] == '+')) s = slice_from(s, 1);
  if (s.len == 0) return false;
  int64_t n = 0;
  for (size_t i = 0; i < s.len; i++) {
    if (s.ptr[i] < '0' || s.ptr[i] > '9' || n > INT64_MAX / 10 - 1) return false;
    n = n * 10 + (s.ptr[i] - '0');
  }
  *out = minus ? -n : n;
  return true;
}

/* The index that `key` names in a list of `size` places; false outside it. */
static bool index_in(slice key, int64_t size, uint32_t *at) {
  int64_t i;
  if (!index_parse(key, &i) || i >= size || i < -size) return false;
  *at = (uint32_t)(i < 0 ? i + size : i);
  return true;
}

static val *member_get(const patching *p, const val *container, slice key) {
  val *v = NULL;
  uint32_t at;
  if (val_is_map(container)) v = val_get(container, key);
  else if (index_in(key, container->count, &at)) v = container->u.items[at];
  return v == p->tombstone ? NULL : v;
}

/* The container that holds the path's last token, and that token; NULL if there is none. */
static val *container_find(const patching *p, slice path, slice *key) {
  slice token, rest;
  if (!slice_cut(path, '/', &token, &rest)) return NULL;
  val *at = p->root;
  while (slice_cut(rest, '/', &token, &rest)) {
    at = member_get(p, at, pointer_decode(p->arena, token));
    if (!val_is_map(at) && !val_is_list(at)) return NULL;
  }
  *key = pointer_decode(p->arena, token);
  return at;
}

static bool member_add(const patching *p, val *container, slice key, val *value) {
  uint32_t at;
  if (val_is_map(container)) {
    val_set(p->arena, container, key, value);
  } else if (slice_is(key, "-")) {
    val_append(p->arena, container, value);
  } else if (index_in(key, (int64_t)container->count + 1, &at)) {
    val_insert(p->arena, container, at, value);
  } else {
    return false;
  }
  return true;
}

static bool member_remove(patching *p, val *container, slice key) {
  uint32_t at;
  if (val_is_map(container)) {
    val *old = val_get(container, key);
    if (!old || old == p->tombstone) return false;
    val_set(p->arena, container, key, p->tombstone);
    p->buried = true;
    return true;
  }
  if (!index_in(key, container->count, &at)) return false;
  val_remove(container, at);
  return true;
}

/* A string member of the operation; false when it is missing, null or no string. */
static bool op_text(const val *op, const char *name, slice *out) {
  val *v = val_getc(op, name);
  if (!val_is_string(v)) return false;
  *out = val_str(v);
  return true;
}

static val *op_value(const patching *p, const val *op) {
  val *v = val_getc(op, "value");
  return v ? v : val_null(p->arena);
}

static bool op_add(patching *p, const val *op) {
  slice path, key;
  if (!op_text(op, "path", &path)) return false;
  val *container = container_find(p, path, &key);
  return container && member_add(p, container, key, op_value(p, op));
}

static bool op_remove(patching *p, const val *op) {
  slice path, key;
  if (!op_text(op, "path", &path)) return false;
  val *container = container_find(p, path, &key);
  return container && member_remove(p, container, key);
}

static bool op_replace(patching *p, const val *op) {
  slice path, key;
  if (!op_text(op, "path", &path)) return false;
  if (path.len == 0) {
    val *value = op_value(p, op);
    if (!val_is_map(value) && !val_is_list(value)) return false;
    p->root = value;
    return true;
  }
  val *container = container_find(p, path, &key);
  if (!container) return false;
  if (val_is_map(container)) {
    val_set(p->arena, container, key, op_value(p, op));
    return true;
  }
  uint32_t at;
  if (!index_in(key, container->count, &at)) return false;
  container->u.items[at] = op_value(p, op);
  return true;
}

static bool op_move(patching *p, const val *op) {
  slice from, path, key;
  if (!op_text(op, "from", &from)) return false;
  val *container = container_find(p, from, &key);
  if (!container) return false;
  val *value = member_get(p, container, key);
  if (!member_remove(p, container, key)) return false;
  if (!op_text(op, "path", &path)) return false;
  container = container_find(p, path, &key);
  return container && member_add(p, container, key, value);
}

/* Equality that sees through tombstones. */
static bool live_equal(const patching *p, const val *a, const val *b) {
  if (a->type != b->type) return false;
  if (val_is_list(a)) {
    if (a->count != b->count) return false;
    for (uint32_t i = 0; i < a->count; i++) {
      if (!live_equal(p, a->u.items[i], b->u.items[i])) return false;
    }
    return true;
  }
  if (!val_is_map(a)) return val_equal(a, b);
  uint32_t members = 0;
  VAL_EACH(e, a) {
    if (e->value == p->tombstone) continue;
    members++;
    const val *other = val_get(b, e->key);
    if (!other || !live_equal(p, e->value, other)) return false;
  }
  return members == b->count;
}

static bool op_test(patching *p, const val *op) {
  slice path, key;
  if (!op_text(op, "path", &path)) return false;
  const val *want = val_getc(op, "value");
  bool nothing = !want || val_is_null(want);
  if (path.len == 0) return !nothing && live_equal(p, p->root, want);
  val *container = container_find(p, path, &key);
  if (!container) return false;
  uint32_t at;
  if (val_is_list(container) && !index_in(key, container->count, &at)) return false;
  const val *have = member_get(p, container, key);
  if (!have || val_is_null(have)) return nothing;
  return !nothing && live_equal(p, have, want);
}

/* Copies `v` without tombstones and adds its JSON size to p->copied; NULL past the limit. */
static val *value_copy(patching *p, val *v) {
  val *copy = p->buried ? sweep(p, tree_copy(p->arena, v)) : tree_copy(p->arena, v);
  buf text;
  buf_init(&text, LIMIT_JSON_PATCH_COPY + 1);
  json_encode_any(&text, copy, false);
  p->copied += text.overflow ? LIMIT_JSON_PATCH_COPY + 1 : text.len;
  buf_dispose(&text);
  return p->copied > LIMIT_JSON_PATCH_COPY ? NULL : copy;
}

static bool op_copy(patching *p, const val *op) {
  slice from, path, key;
  if (!op_text(op, "from", &from)) return false;
  val *container = container_find(p, from, &key);
  if (!container) return false;
  uint32_t at;
  if (val_is_list(container) && !index_in(key, container->count, &at)) return false;
  val *value = member_get(p, container, key);
  if (!op_text(op, "path", &path)) return false;
  container = container_find(p, path, &key);
  if (!container) return false;
  bool nothing = !value || val_is_null(value);
  value = nothing ? val_null(p->arena) : value_copy(p, value);
  return value && member_add(p, container, key, value);
}

static const struct {
  const char *name;
  bool (*run)(patching *p, const val *op);
} operations[] = {
    {"add", op_add},       {"remove", op_remove}, {"replace", op_replace},
    {"move", op_move},     {"test", op_test},     {"copy", op_copy},
};

static bool op_run(patching *p, const val *op) {
  slice kind;
  if (!op_text(op, "op", &kind)) return false;
  for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
    if (slice_is(kind, operations[i].name)) return operations[i].run(p, op);
  }
  return false;
}

static bool field_is(slice key, const char *const *names, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (slice_is(key, names[i])) return true;
  }
  return false;
}

/* Reads an operation as the real server's struct: op, path and from are strings. */
static bool op_check(arena *a, const val *op, uint32_t at, const patch_options *o,
                     status_error *err) {
  static const char *const texts[] = {"op", "path", "from"}, *const value[] = {"value"};
  if (val_is_null(op)) return true;
  if (!val_is_map(op)) {
    return status_set(err, a, STATUS_BAD_REQUEST,
                      "%sjson: cannot unmarshal %s into Go value of type %s",
                      o->ignore ? "" : "error decoding patch: ", json_kind(op),
                      o->ignore ? "jsonpatch.Operation" : "handlers.jsonPatchOp");
  }
  if (o->ignore) return true;
  VAL_EACH(e, op) {
    if (field_is(e->key, texts, 3)) {
      if (val_is_string(e->value) || val_is_null(e->value)) continue;
      return status_set(err, a, STATUS_BAD_REQUEST,
                        "error decoding patch: json: cannot unmarshal %s into Go struct field "
                        "jsonPatchOp.%.*s of type string",
                        json_kind(e->value), SLICE_ARG(e->key));
    }
    if (o->report && !field_is(e->key, value, 1)) {
      strict_add(o->report, a, arena_printf(a, "json patch unknown field \"[%u].%.*s\"", at,
                                            SLICE_ARG(e->key)));
    }
  }
  return true;
}

/* ---- an operation that did not apply, in the library's words ---- */

#define NO_VALUE "missing value"

static slice member_words(const patching *p, const val *container, slice key) {
  int64_t i = 0;
  if (val_is_map(container)) {
    return arena_printf(p->arena, "Unable to remove nonexistent key: %.*s: " NO_VALUE,
                        SLICE_ARG(key));
  }
  if (index_parse(key, &i)) {
    return arena_printf(p->arena, "Unable to access invalid index: %lld: invalid index referenced",
                        (long long)i);
  }
  slice shown = go_quote(p->arena, key);
  return arena_printf(p->arena, "strconv.Atoi: parsing %.*s: invalid syntax", SLICE_ARG(shown));
}

/* How each says that the path leads nowhere. */
static const struct words_row {
  const char *op, *lead, *quote;
} words_rows[] = {
    {"add", "doc is missing path: ", "\""},
    {"remove", "doc is missing path: ", "\""},
    {"replace", "doc is missing path: ", ""},
    {"test", "is missing path: ", ""},
    {"move", "doc is missing destination path: ", ""},
    {"copy", "doc is missing destination path: ", ""},
};

static slice missing_words(arena *a, const struct words_row *row, slice path, bool from) {
  return arena_printf(a, "%s operation does not apply: %s%s%.*s%s: " NO_VALUE, row->op,
                      from ? "doc is missing from path: " : row->lead, row->quote, SLICE_ARG(path),
                      row->quote);
}

/* Looked up anew, in the document as the operation left it. */
static slice op_words(const patching *p, const val *op) {
  arena *a = p->arena;
  const struct words_row *row = NULL;
  slice kind = SLICE_LIT("unknown"), path, from, key;
  op_text(op, "op", &kind);
  for (size_t i = 0; i < sizeof words_rows / sizeof *words_rows; i++) {
    if (slice_is(kind, words_rows[i].op)) row = words_rows + i;
  }
  if (!row) return arena_printf(a, "Unexpected kind: %.*s", SLICE_ARG(kind));
  bool two = slice_is(kind, "move") || slice_is(kind, "copy");
  if (two && !op_text(op, "from", &from)) {
    return arena_printf(a, "%s operation failed to decode from: operation, missing from field: "
                           NO_VALUE, row->op);
  }
  const val *container = two ? container_find(p, from, &key) : NULL;
  if (two && !container) return missing_words(a, row, from, true);
  if (!op_text(op, "path", &path)) {
    bool wrapped = slice_is(kind, "replace") || slice_is(kind, "test") || slice_is(kind, "move");
    return arena_printf(a, "%s operation failed to decode path: %s" NO_VALUE, row->op,
                        wrapped ? "operation missing path field: " : "");
  }
  if (slice_is(kind, "replace") && !path.len) {
    return SLICE_LIT("replace operation value must be object or array: %!w(<nil>)");
  }
  container = container_find(p, path, &key);
  bool whole = slice_is(kind, "test") && !path.len;
  if (!container && !whole) return missing_words(a, row, path, false);
  bool in_list = val_is_list(container) && !slice_is(key, "-");
  uint32_t at;
  if (slice_is(kind, "test") && !(in_list && !index_in(key, container->count, &at))) {
    return arena_printf(a, "testing value %.*s failed: test failed", SLICE_ARG(path));
  }
  if (slice_is(kind, "replace")) {
    return arena_printf(a, "replace operation does not apply: doc is missing key: %.*s: " NO_VALUE,
                        SLICE_ARG(path));
  }
  slice inner = member_words(p, container, key);
  return arena_printf(a, "error in %s for path: '%.*s': %.*s", row->op, SLICE_ARG(path),
                      SLICE_ARG(inner));
}

/* The list of operations; NULL and err when it is none. A null document is an empty list. */
static val *operations_read(arena *a, slice patch, const patch_options *o, status_error *err) {
  slice error = SLICE_NONE;
  val *ops = patch_parse(a, patch, o, SLICE_LIT("json patch "), &error);
  const char *prefix = o->ignore ? "" : "error decoding patch: ";
  if (!ops) {
    status_set(err, a, STATUS_BAD_REQUEST, "%s%.*s", prefix, SLICE_ARG(error));
    return NULL;
  }
  if (val_is_null(ops)) return val_list(a);
  if (!val_is_list(ops)) {
    status_set(err, a, STATUS_BAD_REQUEST, "%sjson: cannot unmarshal %s into Go value of type %s",
               prefix, json_kind(ops), o->ignore ? "jsonpatch.Patch" : "[]handlers.jsonPatchOp");
    return NULL;
  }
  for (uint32_t i = 0; i < ops->count; i++) {
    if (!op_check(a, ops->u.items[i], i, o, err)) return NULL;
  }
  return ops;
}

val *json_patch_apply_as(arena *a, const val *doc, slice patch, const patch_options *o,
                         status_error *err) {
  assert(val_is_map(doc));
  val *ops = operations_read(a, patch, o, err);
  if (!ops) return NULL;
  if (ops->count > LIMIT_JSON_PATCH_OPS) {
    status_set(err, a, STATUS_TOO_LARGE,
               "Request entity too large: The allowed maximum operations in a JSON patch is %d, "
               "got %u",
               LIMIT_JSON_PATCH_OPS, ops->count);
    return NULL;
  }
  patching p = {.arena = a, .root = tree_copy(a, doc), .tombstone = val_null(a)};
  for (uint32_t i = 0; i < ops->count; i++) {
    if (op_run(&p, ops->u.items[i])) continue;
    if (o->why) *o->why = op_words(&p, ops->u.items[i]);
    status_set(err, a, STATUS_INVALID,
               "the server rejected our request due to an error in our request");
    err->has_details = true;
    return NULL;
  }
  return p.buried ? sweep(&p, p.root) : p.root;
}

val *json_patch_apply(arena *a, const val *doc, slice patch, status_error *err) {
  return json_patch_apply_as(a, doc, patch, &(patch_options){0}, err);
}

/* ---- the text of what was patched ---- */

static void way_sort(const patching *p, const val *op, const char *name, val **last) {
  slice path, token, rest;
  if (!op_text(op, name, &path) || !slice_cut(path, '/', &token, &rest)) return;
  for (val *at = p->root; val_is_map(at) || val_is_list(at);) {
    if (val_is_map(at) && at != *last) val_sort(at);
    *last = at;
    if (!slice_cut(rest, '/', &token, &rest)) return; /* the last token's own value stays */
    at = member_get(p, at, pointer_decode(p->arena, token));
  }
}

void json_patch_way_sort(arena *a, slice patch, val *patched) {
  slice error;
  patching p = {.arena = a, .root = patched};
  const val *ops = json_parse(a, patch, NULL, &error);
  val *last = NULL;
  for (uint32_t i = 0; val_is_list(ops) && i < val_len(ops); i++) {
    way_sort(&p, val_at(ops, i), "path", &last);
    way_sort(&p, val_at(ops, i), "from", &last);
  }
}
