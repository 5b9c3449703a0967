/* A JSONSchemaProps becomes a tree of nodes whose parts need no look-up by name any more. */
#include "crd/structural_internal.h"

#include "base/limits.h"

#include <stdlib.h>

#define FORMATS_MAX 32u /* more than there are */

typedef struct builder {
  structural_schema *out;
  arena *a; /* of the schema */
  slice error;
  struct {
    const format_rule *rule;
    const pattern *pattern;
  } formats[FORMATS_MAX]; /* each format's pattern once */
  uint32_t format_count;
} builder;

/* Where a node stands: names the rules, ends when it is too deep. */
typedef struct place {
  const path *p;
  unsigned depth;
  bool preserve; /* x-kubernetes-preserve-unknown-fields above */
} place;

static structural *build(builder *b, const val *source, place at);

static bool refuse(builder *b, const char *what) {
  if (!b->error.len) b->error = slice_cstr(what);
  return false;
}

/* What the real server does not turn into a structural schema. */
static bool supported(builder *b, const val *s) {
  static const struct {
    const char *field, *error;
    bool even_empty;
  } never[] = {
      {"id", "OpenAPIV3Schema 'id' is not supported", false},
      {"$schema", "OpenAPIV3Schema 'schema' is not supported", false},
      {"$ref", "OpenAPIV3Schema '$ref' is not supported", false},
      {"patternProperties", "OpenAPIV3Schema 'patternProperties' is not supported", false},
      {"dependencies", "OpenAPIV3Schema 'dependencies' is not supported", false},
      {"additionalItems", "OpenAPIV3Schema 'additionalItems' is not supported", true},
      {"definitions", "OpenAPIV3Schema 'definitions' is not supported", false},
  };
  for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
    const val *v = val_getc(s, never[i].field);
    if (v && (never[i].even_empty || !val_is_empty(v))) return refuse(b, never[i].error);
  }
  if (val_is_list(val_getc(s, "items")) && val_len(val_getc(s, "items")))
    return refuse(b, "OpenAPIV3Schema 'items' must be a schema, but is an array");
  const val *preserve = val_getc(s, "x-kubernetes-preserve-unknown-fields");
  if (val_is_bool(preserve) && !val_true(preserve))
    return refuse(b, "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or "
                     "undefined");
  return true;
}

static structural_bound bound_of(const val *s, const char *name) {
  const val *v = val_getc(s, name);
  if (val_is_int(v)) return (structural_bound){true, (double)v->u.i, v->u.i};
  if (val_is_float(v)) return (structural_bound){true, v->u.f, 0};
  return (structural_bound){0};
}

static const slice *texts_of(arena *a, const val *list, uint32_t *count) {
  *count = val_len(list);
  slice *texts = ARENA_ARRAY(a, slice, *count);
  for (uint32_t i = 0; i < *count; i++) texts[i] = val_str(val_at(list, i));
  return texts;
}

static structural_list list_of(builder *b, const val *s, const char *name, place at) {
  const val *list = val_getc(s, name);
  structural_list out = {.count = val_len(list)};
  path lists = path_child(at.p, name);
  out.items = ARENA_ARRAY(b->a, structural *, out.count);
  for (uint32_t i = 0; i < out.count; i++) {
    path p = path_index(&lists, i);
    out.items[i] = build(b, val_at(list, i), (place){&p, at.depth + 1, at.preserve});
    if (!out.items[i]) return (structural_list){0};
  }
  return out;
}

static int field_order(const void *x, const void *y) {
  return slice_cmp(((const structural_field *)x)->name, ((const structural_field *)y)->name);
}

static void fields_build(builder *b, structural *n, place at) {
  const val *props = val_getc(n->source, "properties");
  path all = path_child(at.p, "properties");
  n->fields = ARENA_ARRAY(b->a, structural_field, val_len(props));
  VAL_EACH(e, props) {
    path p = path_key(&all, e->key);
    structural *schema = build(b, e->value, (place){&p, at.depth + 1, n->preserve_below});
    if (!schema) return;
    n->fields[n->field_count++] = (structural_field){e->key, schema};
  }
  if (n->field_count) qsort(n->fields, n->field_count, sizeof *n->fields, field_order);
}

static void parts_build(builder *b, structural *n, place at) {
  const val *items = val_getc(n->source, "items"), *no = val_getc(n->source, "not"),
            *more = val_getc(n->source, "additionalProperties");
  path items_at = path_child(at.p, "items"), more_at = path_child(at.p, "additionalProperties"),
       no_at = path_child(at.p, "not");
  unsigned depth = at.depth + 1;
  fields_build(b, n, at);
  n->has_additional = more && !val_is_null(more);
  n->additional_allowed = val_is_map(more) || val_true(more);
  if (val_is_map(items)) n->items = build(b, items, (place){&items_at, depth, n->preserve_below});
  if (val_is_map(more))
    n->additional = build(b, more, (place){&more_at, depth, n->preserve_below});
  if (val_is_map(no)) n->not_schema = build(b, no, (place){&no_at, depth, false});
  at.preserve = false;
  n->all_of = list_of(b, n->source, "allOf", at);
  n->any_of = list_of(b, n->source, "anyOf", at);
  n->one_of = list_of(b, n->source, "oneOf", at);
}

/* A schema of thousands of large patterns keeps the first ones only. */
static void pattern_build(builder *b, structural *n) {
  slice error = SLICE_NONE;
  bool kept = arena_size(b->a) < LIMIT_SCHEMA_BYTES;
  arena *a = kept ? b->a : arena_create();
  const pattern *p = pattern_compile(a, n->pattern_text, &error);
  if (!p) n->pattern_error = arena_copy(b->a, error);
  if (kept) n->pattern = p;
  else arena_destroy(a);
}

static const pattern *format_build(builder *b, const format_rule *rule) {
  slice never;
  for (uint32_t i = 0; i < b->format_count; i++)
    if (b->formats[i].rule == rule) return b->formats[i].pattern;
  const pattern *p = pattern_compile(b->a, slice_cstr(rule->pattern), &never);
  if (b->format_count < FORMATS_MAX) {
    b->formats[b->format_count].rule = rule;
    b->formats[b->format_count++].pattern = p;
  }
  return p;
}

static void values_build(builder *b, structural *n) {
  const val *s = n->source;
  n->minimum = bound_of(s, "minimum");
  n->maximum = bound_of(s, "maximum");
  n->multiple_of = bound_of(s, "multipleOf");
  n->min_length = bound_of(s, "minLength");
  n->max_length = bound_of(s, "maxLength");
  n->min_items = bound_of(s, "minItems");
  n->max_items = bound_of(s, "maxItems");
  n->min_properties = bound_of(s, "minProperties");
  n->max_properties = bound_of(s, "maxProperties");
  n->exclusive_minimum = val_true(val_getc(s, "exclusiveMinimum"));
  n->exclusive_maximum = val_true(val_getc(s, "exclusiveMaximum"));
  n->unique_items = val_true(val_getc(s, "uniqueItems"));
  n->enums = val_len(val_getc(s, "enum")) ? val_getc(s, "enum") : NULL;
  n->required = texts_of(b->a, val_getc(s, "required"), &n->required_count);
  n->pattern_text = val_get_str(s, "pattern");
  if (n->pattern_text.len) pattern_build(b, n);
  n->format_rule = n->format.len ? format_find(n->format) : NULL;
  if (n->format_rule && n->format_rule->pattern)
    n->format_pattern = format_build(b, n->format_rule);
}

static void rules_note(builder *b, structural *n, const path *p) {
  path all = path_child(p, "x-kubernetes-validations");
  structural_schema *out = b->out;
  n->rules = val_getc(n->source, "x-kubernetes-validations");
  for (uint32_t i = 0; i < val_len(n->rules); i++) {
    path at = path_index(&all, i);
    out->rule_paths = arena_more(b->a, out->rule_paths, out->rule_count, &out->rule_cap,
                                 sizeof *out->rule_paths);
    out->rule_paths[out->rule_count++] = path_text(b->a, &at);
  }
}

static structural *build(builder *b, const val *source, place at) {
  if (at.depth > LIMIT_SCHEMA_DEPTH) {
    refuse(b, "the schema is nested too deeply for this server");
    return NULL;
  }
  if (!supported(b, source)) return NULL;
  structural *n = ARENA_NEW(b->a, structural);
  const val *dflt = val_getc(source, "default");
  n->source = source;
  n->type = val_get_str(source, "type");
  n->format = val_get_str(source, "format");
  n->title = val_get_str(source, "title");
  n->description = val_get_str(source, "description");
  n->list_type = val_get_str(source, "x-kubernetes-list-type");
  n->map_type = val_get_str(source, "x-kubernetes-map-type");
  n->nullable = val_true(val_getc(source, "nullable"));
  n->preserve_unknown = val_true(val_getc(source, "x-kubernetes-preserve-unknown-fields"));
  n->embedded = val_true(val_getc(source, "x-kubernetes-embedded-resource"));
  n->int_or_string = val_true(val_getc(source, "x-kubernetes-int-or-string"));
  n->preserve_below = at.preserve || n->preserve_unknown;
  n->list_keys =
      texts_of(b->a, val_getc(source, "x-kubernetes-list-map-keys"), &n->list_key_count);
  if (dflt && !val_is_null(dflt)) n->default_value = dflt;
  values_build(b, n);
  rules_note(b, n, at.p);
  parts_build(b, n, at);
  return b->error.len ? NULL : n;
}

structural_schema *structural_create(arena *a, const val *openapi, slice *error) {
  arena *own = arena_create();
  builder b = {.out = ARENA_NEW(own, structural_schema), .a = own};
  path root = path_root("openAPIV3Schema");
  const val *source = openapi ? val_copy(own, openapi) : val_map(own);
  b.out->a = own;
  b.out->root = build(&b, source, (place){.p = &root});
  if (b.out->root) return b.out;
  *error = arena_copy(a, b.error);
  arena_destroy(own);
  return NULL;
}

void structural_destroy(structural_schema *s) {
  if (s) arena_destroy(s->a);
}

const structural *structural_property(const structural *s, slice name) {
  uint32_t low = 0, high = s ? s->field_count : 0;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    int order = slice_cmp(s->fields[middle].name, name);
    if (order == 0) return s->fields[middle].schema;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return NULL;
}

const structural *structural_member(const structural *s, slice name) {
  const structural *field = structural_property(s, name);
  return field || !s ? field : s->additional;
}
