/* The internal form is derived from the API's tree by the rows of pod_internal_facts.c; only pods
 * differ in shape: five fields of the spec live in the internal security context. */
#include "registry/validation/pod_internal.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/codec.h"

#include <stdlib.h>

static int row_order(const void *key, const void *row) {
  return slice_cmp(*(const slice *)key, slice_cstr(((const internal_row *)row)->type));
}

static const char *fields_of(slice type) {
  const internal_row *r =
      bsearch(&type, internal_rows, internal_row_count, sizeof *internal_rows, row_order);
  return r ? r->fields : "";
}

static val *tree_of(arena *a, slice type, const val *v);

static val *zero_of(arena *a, char kind, slice type) {
  switch (kind) {
    case 's': return val_cstr(a, "");
    case 'i':
    case 'I': return val_int(a, 0);
    case 'b': return val_bool(a, false);
    case 'q': return val_cstr(a, "0");
    case 'S': return tree_of(a, type, NULL);
    default: return val_null(a);
  }
}

static val *shared(const val *v) { return (val *)(uintptr_t)v; } /* printed only */

/* The API's own type inside of internal ones: a requirement shows its key and operator always. */
static val *label_selector(arena *a, const val *v) {
  val *out = val_copy(a, v), *list = val_getc(out, "matchExpressions");
  for (uint32_t i = 0; i < val_len(list); i++) {
    const val *item = val_at(list, i), *values = val_getc(item, "values");
    val *whole = val_map(a);
    val_setc(a, whole, "key", val_string(a, val_get_str(item, "key")));
    val_setc(a, whole, "operator", val_string(a, val_get_str(item, "operator")));
    if (values) val_setc(a, whole, "values", shared(values));
    list->u.items[i] = whole;
  }
  return out;
}

static val *value_of(arena *a, char kind, slice type, const val *v) {
  if (!v || val_is_null(v)) return zero_of(a, kind, type);
  if (kind == 'S' || kind == 'P') return tree_of(a, type, v);
  if (kind == 'l') return label_selector(a, v);
  if (kind != 'L') {
    val *plain = shared(v);
    if (!val_is_map(v)) return plain;
    plain = val_copy(a, v); /* the API's maps are sorted, the structs around them are not */
    val_sort(plain);
    return plain;
  }
  val *list = val_list(a);
  for (uint32_t i = 0; i < val_len(v); i++) val_append(a, list, tree_of(a, type, val_at(v, i)));
  return list;
}

/* The internal security context, from a pod's spec. */
static val *pod_context(arena *a, const val *spec) {
  static const char *const moved[] = {"hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace",
                                      "hostUsers"};
  const val *sc = val_getc(spec, "securityContext");
  val *out = sc ? val_copy(a, sc) : val_map(a);
  bool any = sc != NULL;
  for (size_t i = 0; i < sizeof moved / sizeof *moved; i++) {
    val *v = val_getc(spec, moved[i]);
    if (v) val_setc(a, out, moved[i], v);
    any = any || v;
  }
  return any ? out : NULL;
}

static slice json_name(arena *a, slice go) {
  char *s = arena_cstr(a, go);
  if (s[0] >= 'A' && s[0] <= 'Z') s[0] = (char)(s[0] + 32);
  return slice_of(s, go.len);
}

static void put_meta(arena *a, val *out, const val *v) {
  VAL_EACH(e, val_getc(v, "metadata")) { val_set(a, out, e->key, e->value); }
}

/* A list or map that was sent empty, which is not nil in Go. Where another absent one shares its
 * mark (base/val.h) nobody can tell, and it is shown as nil. */
static val *emptied(arena *a, slice type, slice json, const val *v) {
  const type_info *t = schema_type(arena_concat(a, SLICE_LIT("io.k8s.api.core.v1."), type));
  const field_info *f = t ? type_field(t, json) : NULL;
  bool list = f && f->type->kind == TYPE_LIST;
  if (!f || (!list && f->type->kind != TYPE_MAP) || !val_had_empty(v, arena_cstr(a, json))) {
    return NULL;
  }
  for (uint16_t i = 0; i < t->field_count; i++) {
    const field_info *other = t->fields + i;
    bool collects = other->type->kind == TYPE_LIST || other->type->kind == TYPE_MAP;
    if (other != f && collects && !val_get(v, other->name) &&
        val_share_mark(other->name, json)) return NULL;
  }
  return list ? val_list(a) : val_map(a);
}

static val *tree_of(arena *a, slice type, const val *v) {
  slice rest = slice_cstr(fields_of(type)), word, name, spec;
  val *out = val_map(a);
  bool more = rest.len > 0;
  while (more) {
    more = slice_cut(rest, ' ', &word, &rest);
    if (slice_is(word, "~meta")) {
      put_meta(a, out, v);
      continue;
    }
    slice_cut(word, ':', &name, &spec);
    slice go = name, json = SLICE_NONE;
    if (!slice_cut(name, '=', &go, &json)) json = json_name(a, go);
    const val *field = val_get(v, json);
    if (!field) field = emptied(a, type, json, v);
    if (slice_is(type, "PodSpec") && slice_is(go, "SecurityContext")) field = pod_context(a, v);
    val_set(a, out, go, value_of(a, spec.ptr[0], slice_from(spec, 1), field));
  }
  return out;
}

val *internal_tree(arena *a, const char *type, const val *v) {
  slice name = slice_cstr(type);
  if (!fields_of(name)[0]) return shared(v);
  return tree_of(a, name, v);
}

static void margin(buf *b, uint32_t depth) {
  buf_char(b, '\n');
  for (uint32_t i = 0; i < depth; i++) buf_char(b, ' ');
}

/* json.MarshalIndent with one space. */
static void pretty(buf *b, const val *v, uint32_t depth) {
  if (val_len(v) == 0 || depth > LIMIT_JSON_DEPTH) {
    if (v) json_encode_any(b, v, true);
    return;
  }
  bool map = val_is_map(v);
  buf_char(b, map ? '{' : '[');
  for (uint32_t i = 0; i < val_len(v); i++) {
    if (i) buf_char(b, ',');
    margin(b, depth + 1);
    if (map) {
      json_encode_string(b, v->u.entries[i].key);
      buf_lit(b, ": ");
    }
    pretty(b, map ? v->u.entries[i].value : v->u.items[i], depth + 1);
  }
  margin(b, depth);
  buf_char(b, map ? '}' : ']');
}

static slice pretty_text(arena *a, const char *type, const val *v) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  pretty(&b, internal_tree(a, type, v), 0);
  slice text = arena_copy(a, buf_slice(&b));
  buf_dispose(&b);
  return text;
}

slice internal_diff(arena *a, const char *type, const val *before, const val *after) {
  return text_diff(a, pretty_text(a, type, before), pretty_text(a, type, after));
}
