/* Paths to fields: selectableFields, and the fieldPath of CEL rules. Source:
 * apiextensions-apiserver pkg/apiserver/schema/cel/validation.go (ValidFieldPath),
 * pkg/apis/apiextensions/validation (ValidateCustomResourceSelectableFields). */
#include "registry/validation/checks.h"
#include "registry/validation/extension_internal.h"

#define FIELDS_MAX 8

/* The next of: '.', '[', ']', a quoted text, or what stands between those. Empty: the end. */
static slice token(slice *rest) {
  slice s = *rest;
  size_t n = 0;
  if (!s.len) return SLICE_NONE;
  if (*s.ptr == '\'') {
    for (n = 1; n < s.len && !(s.ptr[n] == '\'' && s.ptr[n - 1] != '\\');) n++;
    n = n < s.len ? n + 1 : s.len;
  } else {
    while (n < s.len && s.ptr[n] != '.' && s.ptr[n] != '[' && s.ptr[n] != ']') n++;
    if (n == 0) n = 1;
  }
  *rest = slice_from(s, n);
  return slice_upto(s, n);
}

/* CEL's escapes within quotes; false: one that is none. */
static bool unescaped(arena *a, slice text, slice *out) {
  static const char names[] = "abfnrtv\\'\"", values[] = "\a\b\f\n\r\t\v\\'\"";
  char *p = arena_alloc(a, text.len + 1);
  size_t n = 0;
  for (size_t i = 0; i < text.len; i++) {
    char c = text.ptr[i];
    if (c == '\\' && i + 1 < text.len) {
      const char *at = strchr(names, text.ptr[++i]);
      if (!at || !*at) return false;
      c = values[at - names];
    }
    p[n++] = c;
  }
  *out = slice_of(p, n);
  return true;
}

/* Goes to the member; *normal grows by ".name" or "[name]". */
static const char *enter(arena *a, const structural **s, slice name, slice *normal) {
  static const char none[] = "does not refer to a valid field";
  if (!*s) return none;
  bool named = (*s)->field_count > 0;
  if (!named && !(*s)->has_additional) return none;
  const structural *next = named ? structural_property(*s, name) : (*s)->additional;
  if (named && !next) return none;
  slice parts[] = {*normal, named ? SLICE_LIT(".") : SLICE_LIT("["), name,
                   named ? SLICE_LIT("") : SLICE_LIT("]")};
  *normal = arena_join(a, parts, 4);
  *s = next;
  return NULL;
}

const char *crd_field_path(arena *a, slice text, const structural *s, bool brackets,
                           const structural **found, slice *normal) {
  static const char end[] = "unexpected end of JSON path";
  *normal = SLICE_LIT("");
  for (slice t; (t = token(&text)).len;) {
    slice name;
    const char *why;
    if (slice_is(t, ".")) {
      name = token(&text);
      if (!name.len) return end;
      if ((why = enter(a, &s, name, normal))) return why;
      continue;
    }
    if (!slice_is(t, "["))
      return arena_printf(a, "expected [ or . but got: %.*s", SLICE_ARG(t)).ptr;
    if (!brackets) return "array notation is not allowed";
    t = token(&text);
    if (!t.len) return end;
    if (t.len < 2 || *t.ptr != '\'' || t.ptr[t.len - 1] != '\'')
      return arena_printf(a, "expected single quoted string but got %.*s", SLICE_ARG(t)).ptr;
    if (!unescaped(a, slice_from(slice_upto(t, t.len - 1), 1), &name))
      return "invalid string literal: invalid escape";
    if ((why = enter(a, &s, name, normal))) return why;
    t = token(&text);
    if (!t.len) return end;
    if (!slice_is(t, "]")) return arena_printf(a, "expected ] but got %.*s", SLICE_ARG(t)).ptr;
  }
  *found = s;
  return NULL;
}

void crd_fields_check(field_errors *errs, const path *p, const val *fields, const val *schema,
                      bool too_many) {
  arena *a = errs->a;
  slice error;
  structural_schema *s = structural_create(a, schema, &error);
  val *seen = val_map(a);
  for (uint32_t i = 0; s && i < val_len(fields); i++) {
    path item = path_index(p, i), at = path_child(&item, "jsonPath");
    slice text = val_get_str(val_at(fields, i), "jsonPath"), normal;
    const structural *found = NULL;
    if (!required_str(errs, &at, text)) continue;
    const char *why = crd_field_path(a, text, s->root, false, &found, &normal);
    if (why) {
      field_invalid_str(errs, &at, text, "is an invalid path: %s", why);
      continue;
    }
    if (slice_is(normal, ".metadata") || slice_has_prefix(normal, SLICE_LIT(".metadata.")))
      field_invalid_str(errs, &at, text, "must not point to fields in metadata");
    bool scalar = found && (slice_is(found->type, "string") || slice_is(found->type, "boolean") ||
                            slice_is(found->type, "integer"));
    if (!scalar)
      field_invalid_str(errs, &at, text,
                        "must point to a field of type string, boolean or integer. Enum string "
                        "fields and strings with formats are allowed.");
    if (seen_before(a, seen, normal)) field_duplicate(errs, &at, val_string(a, text));
  }
  if (val_len(seen) > FIELDS_MAX && !too_many) field_too_many(errs, p, val_len(seen), FIELDS_MAX);
  structural_destroy(s);
}
