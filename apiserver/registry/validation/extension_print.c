/* A schema as the real server's hub type prints it: Go's names, all fields. */
#include "base/buf.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "registry/validation/extension_internal.h"

typedef enum form { FORM_TEXT, FORM_BOOL, FORM_VALUE, FORM_SCHEMA, FORM_LIST, FORM_MAP, FORM_OR_LIST,
                    FORM_OR_BOOL, FORM_OR_TEXTS, FORM_DOCS, FORM_RULES } form;

typedef struct row {
  const char *field, *name;
  form how;
} row;

static const row rows[] = {
    {"id", "ID", FORM_TEXT},
    {"$schema", "Schema", FORM_TEXT},
    {"$ref", "Ref", FORM_VALUE},
    {"description", "Description", FORM_TEXT},
    {"type", "Type", FORM_TEXT},
    {"nullable", "Nullable", FORM_BOOL},
    {"format", "Format", FORM_TEXT},
    {"title", "Title", FORM_TEXT},
    {"default", "Default", FORM_VALUE},
    {"maximum", "Maximum", FORM_VALUE},
    {"exclusiveMaximum", "ExclusiveMaximum", FORM_BOOL},
    {"minimum", "Minimum", FORM_VALUE},
    {"exclusiveMinimum", "ExclusiveMinimum", FORM_BOOL},
    {"maxLength", "MaxLength", FORM_VALUE},
    {"minLength", "MinLength", FORM_VALUE},
    {"pattern", "Pattern", FORM_TEXT},
    {"maxItems", "MaxItems", FORM_VALUE},
    {"minItems", "MinItems", FORM_VALUE},
    {"uniqueItems", "UniqueItems", FORM_BOOL},
    {"multipleOf", "MultipleOf", FORM_VALUE},
    {"enum", "Enum", FORM_VALUE},
    {"maxProperties", "MaxProperties", FORM_VALUE},
    {"minProperties", "MinProperties", FORM_VALUE},
    {"required", "Required", FORM_VALUE},
    {"items", "Items", FORM_OR_LIST},
    {"allOf", "AllOf", FORM_LIST},
    {"oneOf", "OneOf", FORM_LIST},
    {"anyOf", "AnyOf", FORM_LIST},
    {"not", "Not", FORM_SCHEMA},
    {"properties", "Properties", FORM_MAP},
    {"additionalProperties", "AdditionalProperties", FORM_OR_BOOL},
    {"patternProperties", "PatternProperties", FORM_MAP},
    {"dependencies", "Dependencies", FORM_OR_TEXTS},
    {"additionalItems", "AdditionalItems", FORM_OR_BOOL},
    {"definitions", "Definitions", FORM_MAP},
    {"externalDocs", "ExternalDocs", FORM_DOCS},
    {"example", "Example", FORM_VALUE},
    {"x-kubernetes-preserve-unknown-fields", "XPreserveUnknownFields", FORM_VALUE},
    {"x-kubernetes-embedded-resource", "XEmbeddedResource", FORM_BOOL},
    {"x-kubernetes-int-or-string", "XIntOrString", FORM_BOOL},
    {"x-kubernetes-list-map-keys", "XListMapKeys", FORM_VALUE},
    {"x-kubernetes-list-type", "XListType", FORM_VALUE},
    {"x-kubernetes-map-type", "XMapType", FORM_VALUE},
    {"x-kubernetes-validations", "XValidations", FORM_RULES},
};
static const row docs_rows[] = {{"description", "Description", FORM_TEXT}, {"url", "URL", FORM_TEXT}};
static const row rule_rows[] = {{"rule", "Rule", FORM_TEXT},
                                {"message", "Message", FORM_TEXT},
                                {"messageExpression", "MessageExpression", FORM_TEXT},
                                {"reason", "Reason", FORM_VALUE},
                                {"fieldPath", "FieldPath", FORM_TEXT},
                                {"optionalOldSelf", "OptionalOldSelf", FORM_VALUE}};

static void rows_write(buf *b, const val *v, const row *list, size_t count);

static void schema_write(buf *b, const val *v) {
  if (val_is_map(v)) rows_write(b, v, rows, sizeof rows / sizeof *rows);
  else buf_lit(b, "null");
}

static void list_write(buf *b, const val *v) {
  buf_char(b, '[');
  for (uint32_t i = 0; i < val_len(v); i++) {
    if (i) buf_char(b, ',');
    schema_write(b, val_at(v, i));
  }
  buf_char(b, ']');
}

static void map_write(buf *b, const val *v, bool or_texts) {
  buf_char(b, '{');
  for (uint32_t i = 0; i < val_len(v); i++) {
    const val_entry *e = v->u.entries + i;
    if (i) buf_char(b, ',');
    json_encode_string(b, e->key);
    buf_char(b, ':');
    if (or_texts) buf_lit(b, "{\"Schema\":");
    schema_write(b, e->value);
    if (!or_texts) continue;
    buf_lit(b, ",\"Property\":");
    if (val_is_list(e->value)) json_encode_any(b, e->value, false);
    else buf_lit(b, "null");
    buf_char(b, '}');
  }
  buf_char(b, '}');
}

static void rules_write(buf *b, const val *v) {
  buf_char(b, '[');
  for (uint32_t i = 0; i < val_len(v); i++) {
    if (i) buf_char(b, ',');
    rows_write(b, val_at(v, i), rule_rows, sizeof rule_rows / sizeof *rule_rows);
  }
  buf_char(b, ']');
}

static void union_write(buf *b, const val *v, form how) {
  if (how == FORM_OR_BOOL) buf_cstr(b, val_is_map(v) || val_true(v) ? "{\"Allows\":true,\"Schema\":"
                                                                    : "{\"Allows\":false,\"Schema\":");
  else buf_lit(b, "{\"Schema\":");
  schema_write(b, v);
  if (how == FORM_OR_LIST) {
    buf_lit(b, ",\"JSONSchemas\":");
    if (val_is_list(v)) list_write(b, v);
    else buf_lit(b, "null");
  }
  buf_char(b, '}');
}

static void field_write(buf *b, const val *v, form how) {
  if (how == FORM_TEXT) json_encode_string(b, val_str(v));
  else if (how == FORM_BOOL) buf_cstr(b, val_true(v) ? "true" : "false");
  else if (!v || val_is_null(v)) buf_lit(b, "null");
  else if (how == FORM_SCHEMA) schema_write(b, v);
  else if (how == FORM_LIST) list_write(b, v);
  else if (how == FORM_MAP || how == FORM_OR_TEXTS) map_write(b, v, how == FORM_OR_TEXTS);
  else if (how == FORM_OR_LIST || how == FORM_OR_BOOL) union_write(b, v, how);
  else if (how == FORM_DOCS) rows_write(b, v, docs_rows, 2);
  else if (how == FORM_RULES) rules_write(b, v);
  else json_encode_any(b, v, true);
}

static void rows_write(buf *b, const val *v, const row *list, size_t count) {
  for (size_t i = 0; i < count; i++) {
    buf_char(b, i ? ',' : '{');
    json_encode_string(b, slice_cstr(list[i].name));
    buf_char(b, ':');
    field_write(b, val_getc(v, list[i].field), list[i].how);
  }
  buf_char(b, '}');
}

void crd_schema_invalid(field_errors *errs, const path *p, const val *schema, const char *detail) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  buf_lit(&b, "Invalid value: ");
  schema_write(&b, schema);
  buf_lit(&b, ": ");
  buf_cstr(&b, detail);
  field_error_add(errs, FIELD_INVALID, path_text(errs->a, p), arena_copy(errs->a, buf_slice(&b)));
  buf_dispose(&b);
}
