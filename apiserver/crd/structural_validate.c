/* Values against schemas. Source: kube-openapi pkg/validation/validate (schema.go, type.go,
 * schema_props.go, object_validator.go, slice_validator.go). What counts as a match follows it
 * exactly: it decides which errors of several branches are shown. */
#include "base/quote.h"
#include "codec/codec.h"
#include "crd/pattern_class.h"
#include "crd/structural_ratchet.h"
#include "crd/structural_result.h"

typedef struct validator {
  arena *a;
  bool plain; /* a default: int-or-string has no types, formats are as they are written */
} validator;

static void validate(validator *w, result *out, const structural *s, const place *at,
                     const val *v, ratchet *pair);

/* ---- texts ---- */

static finding finding_of(validator *w, finding_kind kind, const place *at, const val *bad,
                          const char *what) {
  finding f = {.kind = kind, .where = place_text(w->a, at), .bad = bad};
  f.text = arena_printf(w->a, "%.*s in body %s", SLICE_ARG(f.where), what);
  return f;
}

/* "must be of type T: "other"". */
static void type_error(validator *w, result *out, const place *at, slice want, const val *bad) {
  finding f = {.kind = FOUND_TYPE, .where = place_text(w->a, at), .bad = bad};
  f.text = arena_printf(w->a, "%.*s in body must be of type %.*s: ", SLICE_ARG(f.where),
                        SLICE_ARG(want));
  f.text = arena_concat(w->a, f.text, go_quote(w->a, val_str(bad)));
  result_add(w->a, out, f);
}

/* `what` has a # for the limit. */
static void limit_error(validator *w, result *out, finding_kind kind, const place *at,
                        const val *bad, int64_t limit, const char *what) {
  finding f = {.kind = kind, .where = place_text(w->a, at), .bad = bad, .limit = limit};
  slice before, behind;
  slice_cut(slice_cstr(what), '#', &before, &behind);
  slice parts[] = {f.where, SLICE_LIT(" in body should "), before,
                   arena_printf(w->a, "%lld", (long long)limit), behind};
  f.text = arena_join(w->a, parts, 5);
  result_add(w->a, out, f);
}

static void whole_error(validator *w, result *out, const place *at, const char *what) {
  slice where = place_text(w->a, at), quoted = go_quote(w->a, where);
  slice parts[] = {quoted, SLICE_LIT(" "), slice_cstr(what)};
  result_add(w->a, out, (finding){.kind = FOUND_WHOLE, .text = arena_join(w->a, parts, 3)});
}

/* ---- types ---- */

static slice type_of(const val *v) {
  switch ((val_type)v->type) {
    case VAL_NULL: return SLICE_LIT("null");
    case VAL_BOOL: return SLICE_LIT("boolean");
    case VAL_INT: return SLICE_LIT("integer");
    case VAL_FLOAT: return SLICE_LIT("number");
    case VAL_STRING: return SLICE_LIT("string");
    case VAL_LIST: return SLICE_LIT("array");
    case VAL_MAP: return SLICE_LIT("object");
  }
  return SLICE_NONE;
}

static slice types_of(const validator *w, const structural *s) {
  return s->int_or_string && !w->plain ? SLICE_LIT("integer,string") : s->type;
}

static bool wants(const validator *w, const structural *s, const char *type) {
  if (s->int_or_string && !w->plain)
    return strcmp(type, "integer") == 0 || strcmp(type, "string") == 0;
  return slice_is(s->type, type);
}

/* The format where the real server keeps it for the type. */
static slice format_of(const validator *w, const structural *s) {
  slice f = s->format;
  if (w->plain) return f;
  if (s->int_or_string || !s->type.len || slice_is(s->type, "string"))
    return s->format_rule ? f : SLICE_NONE;
  bool known = slice_is(s->type, "integer")  ? slice_is(f, "int32") || slice_is(f, "int64")
               : slice_is(s->type, "number") ? slice_is(f, "float") || slice_is(f, "double")
                                             : false;
  return known ? f : SLICE_NONE;
}

static void null_validate(validator *w, result *out, const structural *s, const place *at) {
  if (types_of(w, s).len && !s->nullable)
    type_error(w, out, at, types_of(w, s), val_string(w->a, SLICE_LIT("null")));
  else
    out->matches++;
}

static void type_validate(validator *w, result *out, const structural *s, const place *at,
                          const val *v) {
  slice format = format_of(w, s), type = type_of(v);
  slice own = val_is_int(v) ? SLICE_LIT("int64")
              : val_is_float(v) ? SLICE_LIT("float64")
                                : SLICE_LIT("");
  bool fits = wants(w, s, type.ptr) || (val_is_int(v) && wants(w, s, "number")) ||
              (val_is_float(v) && wants(w, s, "integer") && float_is_integer(v->u.f));
  bool texty = val_is_string(v) || val_is_list(v), numeric = wants(w, s, "number") ||
                                                             wants(w, s, "integer");
  if (!texty && format.len && !fits && !slice_eq(own, format)) {
    type_error(w, out, at, format, val_string(w->a, own));
    return;
  }
  if (!(format.len && texty && !numeric) && !fits) {
    type_error(w, out, at, types_of(w, s), val_string(w->a, type));
    return;
  }
  out->matches++;
}

/* ---- branches ---- */

static void any_validate(validator *w, result *out, const structural *s, const place *at,
                         const val *v) {
  result best = {0}, own;
  bool have = false;
  for (uint32_t i = 0; i < s->any_of.count; i++) {
    own = (result){0};
    validate(w, &own, s->any_of.items[i], at, v, NULL);
    if (own.count == 0) {
      result_merge(w->a, out, &own);
      return;
    }
    if (!have || own.matches > best.matches) best = own;
    have = true;
  }
  if (!have) return;
  whole_error(w, out, at, "must validate at least one schema (anyOf)");
  result_merge(w->a, out, &best);
}

static void one_validate(validator *w, result *out, const structural *s, const place *at,
                         const val *v) {
  result best = {0}, first = {0};
  bool have = false;
  uint32_t valid = 0;
  for (uint32_t i = 0; i < s->one_of.count; i++) {
    result own = {0};
    validate(w, &own, s->one_of.items[i], at, v, NULL);
    if (own.count == 0) {
      if (valid++ == 0) first = own;
      have = false;
    } else if (valid == 0 && (!have || own.matches > best.matches)) {
      best = own;
      have = true;
    }
  }
  if (s->one_of.count == 0) return;
  if (valid == 1) {
    result_merge(w->a, out, &first);
    return;
  }
  slice more = valid ? arena_printf(w->a, "Found %u valid alternatives", valid)
                     : SLICE_LIT("Found none valid");
  whole_error(w, out, at,
              arena_printf(w->a, "must validate one and only one schema (oneOf). %.*s",
                           SLICE_ARG(more)).ptr);
  if (have) result_merge(w->a, out, &best);
}

static void all_validate(validator *w, result *out, const structural *s, const place *at,
                         const val *v) {
  uint32_t valid = 0;
  for (uint32_t i = 0; i < s->all_of.count; i++) {
    result own = {0};
    validate(w, &own, s->all_of.items[i], at, v, NULL);
    if (own.count == 0) valid++;
    result_merge(w->a, out, &own);
  }
  if (valid != s->all_of.count)
    whole_error(w, out, at, valid ? "must validate all the schemas (allOf)"
                                  : "must validate all the schemas (allOf). None validated");
}

static void branches_validate(validator *w, result *out, const structural *s, const place *at,
                              const val *v) {
  result own = {0}, no = {0};
  any_validate(w, &own, s, at, v);
  one_validate(w, &own, s, at, v);
  all_validate(w, &own, s, at, v);
  if (s->not_schema) {
    validate(w, &no, s->not_schema, at, v, NULL);
    if (no.count == 0) whole_error(w, &own, at, "must not validate the schema (not)");
  }
  own.matches++;
  result_merge(w->a, out, &own);
}

/* ---- one kind of value each ---- */

static int64_t rune_count(slice s) {
  int64_t n = 0;
  size_t size;
  for (; s.len; s = slice_from(s, size), n++) rune_decode(s, &size);
  return n;
}

static void string_validate(validator *w, result *out, const structural *s, const place *at,
                            const val *v) {
  bool measured = s->max_length.set || s->min_length.set;
  int64_t length = measured ? rune_count(val_str(v)) : 0;
  if (s->max_length.set && length > s->max_length.i) {
    limit_error(w, out, FOUND_TOO_LONG, at, v, s->max_length.i, "be at most # chars long");
  } else if (s->min_length.set && length < s->min_length.i) {
    limit_error(w, out, FOUND_INVALID, at, v, s->min_length.i, "be at least # chars long");
  } else if (s->pattern_text.len) {
    slice never;
    const pattern *p = s->pattern;
    if (!p && !s->pattern_error.len) p = pattern_compile(w->a, s->pattern_text, &never);
    if (p && pattern_matches(p, val_str(v))) return;
    slice parts[] = {SLICE_LIT("should match '"), s->pattern_text, SLICE_LIT("'")};
    slice bad[] = {SLICE_LIT("should match '"), s->pattern_text,
                   SLICE_LIT(", but pattern is invalid: "), s->pattern_error, SLICE_LIT("'")};
    slice text = p ? arena_join(w->a, parts, 3) : arena_join(w->a, bad, 5);
    finding f = finding_of(w, FOUND_INVALID, at, v, "");
    f.text = arena_concat(w->a, f.text, text);
    result_add(w->a, out, f);
  }
}

static void format_validate(validator *w, result *out, const structural *s, const place *at,
                            const val *v) {
  if (!format_holds(w->a, s->format_rule, s->format_pattern, val_str(v)))
    type_error(w, out, at, s->format, v);
}

static void list_validate(validator *w, result *out, const structural *s, const place *at,
                          const val *v, ratchet *pair) {
  for (uint32_t i = 0; s->items && i < v->count; i++) {
    place item = {.parent = at, .index = i, .form = PLACE_ITEM};
    ratchet below;
    bool paired = pair && ratchet_item(w->a, pair, i, &below);
    validate(w, out, s->items, &item, v->u.items[i], paired ? &below : NULL);
    if (paired && below.changed) pair->changed = true;
  }
  const val *size = val_int(w->a, v->count);
  if (s->min_items.set && v->count < s->min_items.i)
    limit_error(w, out, FOUND_INVALID, at, size, s->min_items.i, "have at least # items");
  if (s->max_items.set && v->count > s->max_items.i)
    limit_error(w, out, FOUND_TOO_MANY, at, size, s->max_items.i, "have at most # items");
  if (s->unique_items && v->count) {
    uint32_t *again = ARENA_ARRAY(w->a, uint32_t, v->count);
    if (values_repeated(w->a, v->u.items, v->count, again))
      result_add(w->a, out, finding_of(w, FOUND_INVALID, at, NULL, "shouldn't contain duplicates"));
  }
  out->matches++;
}

static void member_validate(validator *w, result *out, const structural *s, const place *at,
                            const val_entry *e, uint8_t form, ratchet *pair) {
  place member = {.parent = at, .name = e->key, .form = form};
  ratchet below;
  bool type_meta = slice_is(e->key, "kind") || slice_is(e->key, "apiVersion");
  bool paired = pair && !(!at && type_meta) && ratchet_member(pair, e->key, &below);
  validate(w, out, s, &member, e->value, paired ? &below : NULL);
  if (paired && below.changed) pair->changed = true;
}

static void forbidden_error(validator *w, result *out, const place *at, slice key) {
  finding f = {.kind = FOUND_INVALID, .where = place_text(w->a, at), .bad = val_string(w->a, key)};
  slice parts[] = {f.where, SLICE_LIT("."), key, SLICE_LIT(" in body is a forbidden property")};
  f.text = arena_join(w->a, parts, 4);
  result_add(w->a, out, f);
}

static void required_validate(validator *w, result *out, const structural *s, const place *at,
                              const val *v) {
  for (uint32_t i = 0; i < s->required_count; i++) {
    if (val_get(v, s->required[i])) continue;
    place missing = {.parent = at, .name = s->required[i], .form = PLACE_KEY};
    result_add(w->a, out, finding_of(w, FOUND_REQUIRED, &missing, NULL, "is required"));
  }
}

static void map_validate(validator *w, result *out, const structural *s, const place *at,
                         const val *v, ratchet *pair) {
  const val *size = val_int(w->a, v->count);
  if (s->min_properties.set && v->count < s->min_properties.i)
    limit_error(w, out, FOUND_INVALID, at, size, s->min_properties.i, "have at least # properties");
  if (s->max_properties.set && v->count > s->max_properties.i)
    limit_error(w, out, FOUND_TOO_MANY, at, size, s->max_properties.i, "have at most # properties");
  if (s->has_additional) {
    VAL_EACH(e, v) {
      if (structural_property(s, e->key)) continue;
      if (s->additional) member_validate(w, out, s->additional, at, e, PLACE_KEY, pair);
      else if (!s->additional_allowed) forbidden_error(w, out, at, e->key);
    }
  }
  for (uint32_t i = 0; i < s->field_count; i++) {
    val *value = val_get(v, s->fields[i].name);
    val_entry e = {s->fields[i].name, value};
    if (value) member_validate(w, out, s->fields[i].schema, at, &e, PLACE_FIELD, pair);
  }
  required_validate(w, out, s, at, v);
}

/* ---- all of it ---- */

static void enum_validate(validator *w, result *out, const structural *s, const place *at,
                          const val *v) {
  if (!s->enums || enum_has(w->a, s->enums, v)) return;
  finding f = {.kind = FOUND_ENUM, .where = place_text(w->a, at), .bad = v, .enums = s->enums};
  buf b;
  buf_init(&b, (size_t)1 << 20);
  json_encode_any(&b, s->enums, false);
  slice parts[] = {f.where, SLICE_LIT(" in body should be one of "), buf_slice(&b)};
  f.text = arena_join(w->a, parts, 3);
  buf_dispose(&b);
  result_add(w->a, out, f);
}

static void parts_validate(validator *w, result *out, const structural *s, const place *at,
                           const val *v, ratchet *pair) {
  if (val_is_null(v)) {
    null_validate(w, out, s, at);
    enum_validate(w, out, s, at, v);
    return;
  }
  if (types_of(w, s).len || format_of(w, s).len) {
    type_validate(w, out, s, at, v);
    out->matches++;
  }
  branches_validate(w, out, s, at, v);
  out->matches++;
  if (val_is_string(v)) {
    string_validate(w, out, s, at, v);
    out->matches++;
    if (s->format_rule && format_of(w, s).len) {
      format_validate(w, out, s, at, v);
      out->matches++;
    }
  }
  if (val_is_int(v) || val_is_float(v)) {
    bool one = (!s->int_or_string || w->plain) &&
               (slice_is(s->type, "integer") || slice_is(s->type, "number"));
    number_validate(w->a, out, s, at, v, one ? s->type : SLICE_NONE,
                    one ? format_of(w, s) : SLICE_NONE);
    out->matches++;
  }
  if (val_is_list(v)) {
    list_validate(w, out, s, at, v, pair);
    out->matches++;
  }
  enum_validate(w, out, s, at, v);
  out->matches++;
  if (val_is_map(v)) {
    map_validate(w, out, s, at, v, pair);
    out->matches++;
  }
  out->matches++;
}

/* pair NULL: nothing is forgiven here or below. */
static void validate(validator *w, result *out, const structural *s, const place *at,
                     const val *v, ratchet *pair) {
  result own = {0};
  parts_validate(w, &own, s, at, v, pair);
  if (own.count && pair) {
    if (ratchet_unchanged(w->a, pair)) own = (result){.matches = own.matches};
    else pair->changed = true;
  }
  result_merge(w->a, out, &own);
}

static void report(field_errors *errs, const path *p, const structural *s, const val *now,
                   const val *old, bool plain) {
  if (!s) return;
  validator w = {errs->a, plain};
  result found = {0};
  ratchet pair = {.schema = s, .now = now, .old = old};
  validate(&w, &found, s, NULL, now, old ? &pair : NULL);
  result_report(errs, p, &found);
}

void structural_validate(field_errors *errs, const path *p, const structural *s, const val *now,
                         const val *old) {
  report(errs, p, s, now, old, false);
}

void structural_validate_default(field_errors *errs, const path *p, const structural *s,
                                 const val *value) {
  report(errs, p, s, value, NULL, true);
}
