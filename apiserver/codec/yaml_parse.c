/* YAML bodies: nodes to trees, as go-yaml v2 and sigs.k8s.io/yaml do it together.
 *
 * The real server turns YAML into JSON text and reads that: maps come out sorted by key, keys
 * are strings, 1.0 is the whole number 1. Aliases are expanded anew wherever they stand, under
 * the library's own rule against documents that are mostly aliases. JSON sent as YAML takes
 * the JSON parser where that gives the same tree. What JSON has no form for is looked for at the
 * end (yaml_go.h). */
#include "codec/json_write.h"
#include "codec/strict.h"
#include "codec/yaml_go.h"
#include "codec/yaml_node.h"
#include "codec/yaml_scalar.h"

#include "base/limits.h"

#include <assert.h>
#include <math.h>

#define TAG "tag:yaml.org,2002:"
#define RATIO_LOW 400000
#define RATIO_HIGH 4000000
#define STRICT_TEXT_MAX ((size_t)1 << 20)

typedef struct decoder {
  arena *a;
  int64_t decoded, from_aliases;
  uint32_t alias_depth, depth;
  slice error; /* ends decoding */
  bool odd; /* there are keys that are no strings, or floats that JSON has no form for */
  bool strict;
  buf strict_text;
} decoder;

static val *decode(decoder *d, yaml_node *n);
static bool decode_map(decoder *d, yaml_node *n, val *map);

static bool fail(decoder *d, slice text) {
  if (!d->error.len) d->error = arena_printf(d->a, "yaml: %.*s", SLICE_ARG(text));
  return false;
}

/* ---- scalars ---- */

/* As the number looks in JSON, which is then read as a whole number where it can be. */
static val *number(decoder *d, double f) {
  if (!isfinite(f)) {
    d->odd = true;
    return val_float(d->a, f);
  }
  buf text;
  long long whole;
  buf_init(&text, 64);
  json_encode_float(&text, f);
  slice copy = arena_copy(d->a, buf_slice(&text));
  buf_dispose(&text);
  bool minus_zero = f == 0 && signbit(f);
  if (!minus_zero && slice_to_i64(copy, &whole)) return val_int(d->a, whole);
  val *v = val_float(d->a, f);
  v->literal = copy.ptr;
  v->count = (uint32_t)copy.len;
  return v;
}

static val *unsigned_number(decoder *d, uint64_t n) {
  val *v = val_float(d->a, (double)n);
  slice text = arena_printf(d->a, "%llu", (unsigned long long)n);
  v->literal = text.ptr;
  v->count = (uint32_t)text.len;
  return v;
}

/* JSON holds UTF-8 only: other bytes become U+FFFD. */
static slice as_utf8(arena *a, slice s) {
  char *to = arena_alloc(a, s.len * 3 + 1);
  size_t n = 0;
  for (const char *p = s.ptr, *end = s.ptr + s.len; s.len && p < end;) {
    unsigned len = utf8_sequence(p, end);
    if (len) memcpy(to + n, p, len);
    n += len ? len : utf8_put(to + n, 0xFFFD);
    p += len ? len : 1;
  }
  return slice_of(to, n);
}

typedef struct tag_row {
  const char *tag, *name;
  yaml_type type;
} tag_row;

static const tag_row tags[] = {
    {TAG "str", "!!str", YAML_STR},       {TAG "bool", "!!bool", YAML_BOOL},
    {TAG "int", "!!int", YAML_INT},       {TAG "float", "!!float", YAML_FLOAT},
    {TAG "null", "!!null", YAML_NULL},    {TAG "timestamp", "!!timestamp", YAML_TIMESTAMP},
};

static const char *type_name(yaml_type type) {
  if (type == YAML_UINT) type = YAML_INT;
  for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
    if (tags[i].type == type) return tags[i].name;
  }
  return "";
}

static val *decode_binary(decoder *d, slice text) {
  slice bytes;
  if (!base64_decode(d->a, text, &bytes)) {
    fail(d, SLICE_LIT("!!binary value contains invalid base64 data"));
    return NULL;
  }
  return val_string(d->a, as_utf8(d->a, bytes));
}

static val *value_of(decoder *d, const yaml_scalar *s, slice text) {
  switch (s->type) {
    case YAML_NULL: return val_null(d->a);
    case YAML_BOOL: return val_bool(d->a, s->b);
    case YAML_INT: return val_int(d->a, s->i);
    case YAML_UINT: return unsigned_number(d, s->u);
    case YAML_FLOAT: return number(d, s->f);
    case YAML_STR:
    case YAML_TIMESTAMP: break;
  }
  return val_string(d->a, text);
}

/* *s: what the scalar was resolved to. */
static val *decode_scalar(decoder *d, const yaml_node *n, yaml_scalar *s) {
  const tag_row *row = NULL;
  *s = (yaml_scalar){YAML_STR, {0}};
  if (n->tag.len == 0 && !n->implicit) return val_string(d->a, n->value);
  if (slice_is(n->tag, TAG "binary")) return decode_binary(d, n->value);
  for (size_t i = 0; i < 6 && n->tag.len; i++) {
    if (slice_is(n->tag, tags[i].tag)) row = &tags[i];
  }
  if (n->tag.len && (!row || row->type == YAML_STR)) return val_string(d->a, n->value);
  *s = yaml_resolve(n->value);
  if (row && row->type == YAML_FLOAT && s->type == YAML_INT) {
    *s = (yaml_scalar){YAML_FLOAT, {.f = (double)s->i}};
  }
  yaml_type type = s->type == YAML_UINT ? YAML_INT : s->type;
  if (row && row->type != type) {
    fail(d, arena_printf(d->a, "cannot decode %s `%.*s` as a %s", type_name(s->type),
                         SLICE_ARG(n->value), row->name));
    return NULL;
  }
  return value_of(d, s, n->value);
}

/* ---- maps ---- */

static bool is_merge(const yaml_node *n) {
  return n->kind == YNODE_SCALAR && slice_is(n->value, "<<") &&
         (n->implicit || slice_is(n->tag, TAG "merge"));
}

static bool count_one(decoder *d) {
  d->decoded++;
  if (d->alias_depth) d->from_aliases++;
  if (d->from_aliases <= 100 || d->decoded <= 1000) return true;
  double allowed = 0.99;
  if (d->decoded >= RATIO_HIGH) allowed = 0.10;
  else if (d->decoded > RATIO_LOW) {
    allowed -= 0.89 * ((double)(d->decoded - RATIO_LOW) / (double)(RATIO_HIGH - RATIO_LOW));
  }
  if ((double)d->from_aliases / (double)d->decoded <= allowed) return true;
  return fail(d, SLICE_LIT("document contains excessive aliasing"));
}

/* Enters an alias; false when it holds itself. */
static bool enter_alias(decoder *d, yaml_node *n) {
  if (n->busy) {
    return fail(d, arena_printf(d->a, "anchor '%.*s' value contains itself", SLICE_ARG(n->value)));
  }
  n->busy = true;
  d->alias_depth++;
  return true;
}

static void leave_alias(decoder *d, yaml_node *n) {
  n->busy = false;
  d->alias_depth--;
}

/* A map node, or an alias of one, into `map`. */
static bool merge_one(decoder *d, yaml_node *n, val *map) {
  yaml_node *target = n->kind == YNODE_ALIAS ? n->target : n;
  if (target->kind != YNODE_MAP) {
    return fail(d, SLICE_LIT("map merge requires map or sequence of maps as the value"));
  }
  if (!count_one(d)) return false;
  if (n == target) return decode_map(d, n, map);
  if (!enter_alias(d, n)) return false;
  bool good = count_one(d) && decode_map(d, target, map);
  leave_alias(d, n);
  return good;
}

static bool merge(decoder *d, yaml_node *n, val *map) {
  if (n->kind != YNODE_LIST) return merge_one(d, n, map);
  for (uint32_t i = n->count; i-- > 0;) { /* earlier ones win */
    if (!merge_one(d, n->items[i], map)) return false;
  }
  return true;
}

static void note_repeated(decoder *d, const yaml_node *value, const val *key) {
  if (d->strict_text.len > STRICT_TEXT_MAX) return;
  slice go = yaml_go_text(d->a, key);
  buf_printf(&d->strict_text, "\n  line %u: key %.*s already set in map", value->line + 1,
             SLICE_ARG(go));
}

/* As a value 1.0 is the whole number 1; a key stays a float. */
static val *decode_key(decoder *d, yaml_node *n) {
  yaml_scalar s = {YAML_STR, {0}};
  val *key = decode(d, n);
  if (n->kind == YNODE_ALIAS) n = n->target;
  bool number = val_is_int(key) || val_is_float(key);
  if (number && n->kind == YNODE_SCALAR) decode_scalar(d, n, &s);
  return s.type == YAML_FLOAT ? val_float(d->a, s.f) : key;
}

static bool decode_pair(decoder *d, yaml_node *key_node, yaml_node *value_node, val *map) {
  slice name = SLICE_LIT("");
  val *key = decode_key(d, key_node);
  if (!key) return false;
  if (!yaml_go_key(d->a, key, &name)) {
    slice go = yaml_go_text(d->a, key);
    return fail(d, arena_printf(d->a, "invalid map key: %.*s", SLICE_ARG(go)));
  }
  d->odd |= !val_is_string(key);
  val *value = decode(d, value_node);
  if (!value) return false;
  if (d->strict && val_get(map, name)) note_repeated(d, value_node, key);
  val_set(d->a, map, name, value);
  return true;
}

static bool decode_map(decoder *d, yaml_node *n, val *map) {
  for (uint32_t i = 0; i + 1 < n->count; i += 2) {
    bool good = is_merge(n->items[i]) ? merge(d, n->items[i + 1], map)
                                      : decode_pair(d, n->items[i], n->items[i + 1], map);
    if (!good) return false;
  }
  return true;
}

/* ---- values ---- */

static val *decode_list(decoder *d, yaml_node *n) {
  val *list = val_list(d->a);
  for (uint32_t i = 0; i < n->count; i++) {
    val *item = decode(d, n->items[i]);
    if (!item) return NULL;
    val_append(d->a, list, item);
  }
  return list;
}

static val *decode_container(decoder *d, yaml_node *n) {
  bool map = n->kind == YNODE_MAP;
  if (d->depth == LIMIT_JSON_DEPTH) { /* only aliases get here: the nodes nest less */
    if (!d->error.len) {
      d->error = arena_printf(d->a, "invalid character '%c' exceeded max depth", map ? '{' : '[');
    }
    return NULL;
  }
  d->depth++;
  val *v;
  if (map) {
    v = val_map(d->a);
    if (!decode_map(d, n, v)) return NULL;
    val_sort(v);
  } else {
    v = decode_list(d, n);
  }
  d->depth--;
  return v;
}

static val *decode(decoder *d, yaml_node *n) {
  yaml_scalar resolved;
  if (!count_one(d)) return NULL;
  switch ((ynode_kind)n->kind) {
    case YNODE_SCALAR: return decode_scalar(d, n, &resolved);
    case YNODE_LIST:
    case YNODE_MAP: return decode_container(d, n);
    case YNODE_ALIAS: break;
  }
  if (!enter_alias(d, n)) return NULL;
  val *v = decode(d, n->target);
  leave_alias(d, n);
  return v;
}

/* ---- JSON sent as YAML ---- */

static bool reads_the_same(slice text) {
  slice s = slice_trim(text);
  if (s.len == 0 || s.ptr[0] != '{') return false;
  for (size_t i = 0; i < s.len; i++) { /* no escape of a surrogate, nothing but ASCII */
    if ((signed char)s.ptr[i] < 0 || s.ptr[i] == 0x7F) return false;
    bool escape = s.ptr[i] == 'u' && i > 0 && s.ptr[i - 1] == '\\';
    if (escape && i + 1 < s.len && (s.ptr[i + 1] | 32) == 'd') return false;
  }
  return true;
}

/* Sorts maps and writes floats as JSON would. */
static void settle(decoder *d, val **slot) {
  val *v = *slot;
  if (v->type == VAL_FLOAT) *slot = number(d, v->u.f);
  if (v->type == VAL_LIST) {
    for (uint32_t i = 0; i < v->count; i++) settle(d, &v->u.items[i]);
  } else if (v->type == VAL_MAP) {
    for (uint32_t i = 0; i < v->count; i++) settle(d, &v->u.entries[i].value);
    val_sort(v);
  }
}

static val *parse_as_json(decoder *d, slice text) {
  strict_report duplicates = {0};
  slice ignored;
  if (!reads_the_same(text)) return NULL;
  val *v = json_parse(d->a, text, &duplicates, &ignored);
  if (!v || duplicates.count) return NULL;
  settle(d, &v);
  return v;
}

static val *parse_as_yaml(decoder *d, slice text) {
  slice error;
  yaml_node *root = yaml_read(d->a, text, &error);
  if (error.len) fail(d, error);
  if (!root) return error.len ? NULL : val_null(d->a);
  d->decoded = 1; /* the document itself */
  return decode(d, root);
}

val *yaml_parse(arena *a, slice text, strict_report *report, slice *error) {
  assert(a && error);
  decoder d = {.a = a, .strict = report != NULL};
  val *v = parse_as_json(&d, text);
  if (v) return v;
  buf_init(&d.strict_text, STRICT_TEXT_MAX + 65536);
  v = parse_as_yaml(&d, text);
  if (v && d.strict_text.len) {
    strict_add(report, a, arena_concat(a, SLICE_LIT("yaml: unmarshal errors:"),
                                       buf_slice(&d.strict_text)));
  }
  buf_dispose(&d.strict_text);
  if (v && d.odd) yaml_go_settle(a, v, &d.error);
  *error = d.error;
  return error->len ? NULL : v;
}
