/* plan_main: writes build/gen/defaults_plan.c from the schema and defaults_rows.c.
 *
 * Runs while the project is built. A row that names a type or field that the schema does not
 * have ends the build: defaults must not silently stop applying. */
#include "schema/schema.h"
#include "version/defaults_plan.h"

#include <stdio.h>
#include <stdlib.h>

enum { TYPES_MAX = 4096 };

static bool reaches[TYPES_MAX]; /* the type or something below it has defaults */
static bool always[TYPES_MAX]; /* an empty value of the type gets defaults */
static const char *const hook_types[] = {
    "",
#define X(name, type) type,
    DEFAULT_HOOKS(X)
#undef X
};
static const char *const hook_names[] = {
    "HOOK_none",
#define X(name, type) "HOOK_" #name,
    DEFAULT_HOOKS(X)
#undef X
};
enum { HOOK_COUNT = sizeof(hook_types) / sizeof(hook_types[0]) };

static void fail(const char *what, const char *type, const char *field) {
  fprintf(stderr, "defaults_rows: %s: %s %s\n", what, type, field);
  exit(1);
}

/* "core.v1.Pod" is the definition that ends in ".core.v1.Pod". */
static bool is_named(const type_info *t, slice n) {
  return t->kind == TYPE_STRUCT && t->full_name.len > n.len && slice_has_suffix(t->full_name, n) &&
         t->full_name.ptr[t->full_name.len - n.len - 1] == '.';
}

/* The nth name that a row's type stands for ("resource.v1|v1beta2.Device" are two). */
static bool name_nth(const char *type, int nth, char out[128]) {
  slice group, versions, kind, version, rest;
  if (!slice_cut(slice_cstr(type), '.', &group, &rest)) return false;
  if (!slice_cut(rest, '.', &versions, &kind)) return false;
  for (bool more = true; more; nth--) {
    more = slice_cut(versions, '|', &version, &versions);
    if (nth == 0) {
      snprintf(out, 128, "%.*s.%.*s.%.*s", SLICE_ARG(group), SLICE_ARG(version), SLICE_ARG(kind));
      return true;
    }
  }
  return false;
}

static bool type_is(const type_info *t, const char *type) {
  char name[128];
  for (int n = 0; name_nth(type, n, name); n++) {
    if (is_named(t, slice_cstr(name))) return true;
  }
  return false;
}

static const char *hook_of(const type_info *t) {
  for (int i = 1; i < HOOK_COUNT; i++) {
    if (type_is(t, hook_types[i])) return hook_names[i];
  }
  return hook_names[0];
}

static const type_info *struct_below(const type_info *t) {
  if (t->kind == TYPE_LIST || t->kind == TYPE_MAP) t = t->elem;
  return t->kind == TYPE_STRUCT ? t : NULL;
}

/* Quantities that are rounded to milli; the real server's generator does so in the groups that
 * have defaults of their own, which leaves out a RuntimeClass's overhead. */
static bool is_quantities(const field_info *f) {
  const type_info *t = f->type;
  return t->kind == TYPE_MAP && t->elem->kind == TYPE_QUANTITY && !slice_is(f->name, "podFixed");
}

static void type_reaches(const char *type, bool even_empty) {
  char name[128];
  for (int n = 0; name_nth(type, n, name); n++) {
    const type_info *found = NULL;
    for (uint16_t i = 0; i < schema_type_count; i++) {
      if (is_named(schema_types[i], slice_cstr(name))) found = schema_types[i];
    }
    if (!found) fail("no such type", name, "");
    reaches[found->id] = true;
    if (even_empty) always[found->id] = true;
  }
}

static void rows_check(void) {
  for (uint16_t r = 0; r < default_row_count; r++) type_reaches(default_rows[r].type, true);
  for (int h = 1; h < HOOK_COUNT; h++) type_reaches(hook_types[h], false);
}

/* Until nothing changes: a type reaches defaults through its fields. */
static void reach_spread(void) {
  for (bool changed = true; changed;) {
    changed = false;
    for (uint16_t i = 0; i < schema_type_count; i++) {
      const type_info *t = schema_types[i];
      if (t->kind != TYPE_STRUCT) continue;
      for (uint16_t f = 0; f < t->field_count; f++) {
        const field_info *field = &t->fields[f];
        const type_info *below = struct_below(field->type);
        bool hit = is_quantities(field) || (below && reaches[below->id]);
        if (hit && !reaches[t->id]) changed = reaches[t->id] = true;
        bool held = field->type->kind == TYPE_STRUCT && !field->pointer && always[field->type->id];
        if (held && !always[t->id]) changed = always[t->id] = true;
      }
    }
  }
}

static void literal_print(const default_row *row) {
  const char *j = row->json;
  int n = (int)strlen(j);
  if (j[0] == '"') printf("LITERAL_STRING, {%s, %d}, 0", j, n - 2);
  else if (j[0] == '[') printf("LITERAL_LIST, {%.*s, %d}, 0", n - 2, j + 1, n - 4);
  else if (j[0] == '{') printf("LITERAL_MAP, {NULL, 0}, 0");
  else if (j[0] == 't' || j[0] == 'f') printf("LITERAL_BOOL, {NULL, 0}, %d", j[0] == 't');
  else printf("LITERAL_INT, {NULL, 0}, %s", j);
}

static void row_print(const type_info *t, const default_row *row) {
  slice prefix, name, whole = slice_cstr(row->field);
  if (!slice_cut(whole, '.', &prefix, &name)) {
    name = whole;
    prefix.len = 0;
  }
  if (prefix.len) {
    const field_info *outer = type_field(t, prefix);
    if (!outer || outer->pointer) fail("no such struct", row->type, row->field);
    t = outer->type;
  }
  const field_info *field = type_field(t, name);
  if (!field) fail("no such field", row->type, row->field);
  printf("    {{\"%.*s\", %zu}, {\"%.*s\", %zu}, %d, ", SLICE_ARG(prefix), prefix.len,
         SLICE_ARG(name), name.len, field->pointer);
  literal_print(row);
  printf("},\n");
}

static int rows_print(const type_info *t) {
  int count = 0;
  for (uint16_t r = 0; r < default_row_count; r++) {
    if (!type_is(t, default_rows[r].type)) continue;
    if (!count++) printf("static const plan_row rows_%u[] = {\n", t->id);
    row_print(t, &default_rows[r]);
  }
  if (count) printf("};\n");
  return count;
}

static int children_print(const type_info *t) {
  int count = 0;
  for (uint16_t f = 0; f < t->field_count; f++) {
    const field_info *field = &t->fields[f];
    const type_info *below = struct_below(field->type);
    bool quantities = is_quantities(field);
    if (!quantities && !(below && reaches[below->id])) continue;
    if (!count++) printf("static const plan_child children_%u[] = {\n", t->id);
    printf("    {{\"%.*s\", %zu}, ", SLICE_ARG(field->name), field->name.len);
    if (quantities) {
      printf("NULL, SHAPE_QUANTITIES, 0},\n");
      continue;
    }
    const char *shape = field->type->kind == TYPE_LIST  ? "SHAPE_LIST"
                        : field->type->kind == TYPE_MAP ? "SHAPE_MAP"
                                                        : "SHAPE_STRUCT";
    bool create = field->type->kind == TYPE_STRUCT && !field->pointer && always[below->id];
    printf("&plan_%u, %s, %d},\n", below->id, shape, create);
  }
  if (count) printf("};\n");
  return count;
}

int main(void) {
  if (schema_type_count > TYPES_MAX) fail("too many types", "", "");
  rows_check();
  reach_spread();
  printf("/* Generated from defaults_rows.c and the schema. */\n#include "
         "\"version/defaults_plan.h\"\n");
  for (uint16_t i = 0; i < schema_type_count; i++) {
    if (reaches[i]) printf("static const defaults_plan plan_%u;\n", i);
  }
  for (uint16_t i = 0; i < schema_type_count; i++) {
    if (!reaches[i]) continue;
    const type_info *t = schema_types[i];
    int rows = rows_print(t), children = children_print(t);
    printf("static const defaults_plan plan_%u = {", i);
    if (rows) printf("rows_%u, ", i);
    else printf("NULL, ");
    if (children) printf("children_%u, ", i);
    else printf("NULL, ");
    printf("%d, %d, %s};\n", rows, children, hook_of(t));
  }
  printf("const defaults_plan *const defaults_plans[] = {\n");
  for (uint16_t i = 0; i < schema_type_count; i++) {
    if (reaches[i]) printf("    &plan_%u,\n", i);
    else printf("    NULL,\n");
  }
  printf("};\n");
  return 0;
}
