/* A schema as the real server's hub type prints it: Go's names, all fields. */
#include "base/buf.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "registry/validation/extension_internal.h"

typedef enum form {
  FORM_TEXT,
  FORM_BOOL,
  FORM_NUMBER, /* 0 where it is absent */
  FORM_VALUE,
  FORM_SCHEMA,
  FORM_LIST,
  FORM_MAP,
  FORM_OR_LIST,
  FORM_OR_BOOL,
  FORM_OR_TEXTS,
  FORM_ROWS, /* a struct or a list of them, by `rows` */
} form;

typedef struct row {
  const char *field, *name;
  form how;
  const struct row *rows; /* ends with one without a name */
} row;

static const row docs_rows[] = {
    {"description", "Description", FORM_TEXT, NULL}, {"url", "URL", FORM_TEXT, NULL}, {0}};
static const row rule_rows[] = {{"rule", "Rule", FORM_TEXT, NULL},
                                {"message", "Message", FORM_TEXT, NULL},
                                {"messageExpression", "MessageExpression", FORM_TEXT, NULL},
                                {"reason", "Reason", FORM_VALUE, NULL},
                                {"fieldPath", "FieldPath", FORM_TEXT, NULL},
                                {"optionalOldSelf", "OptionalOldSelf", FORM_VALUE, NULL},
                                {0}};

static const row schema_rows[] = {
    {"id", "ID", FORM_TEXT, NULL},
    {"$schema", "Schema", FORM_TEXT, NULL},
    {"$ref", "Ref", FORM_VALUE, NULL},
    {"description", "Description", FORM_TEXT, NULL},
    {"type", "Type", FORM_TEXT, NULL},
    {"nullable", "Nullable", FORM_BOOL, NULL},
    {"format", "Format", FORM_TEXT, NULL},
    {"title", "Title", FORM_TEXT, NULL},
    {"default", "Default", FORM_VALUE, NULL},
    {"maximum", "Maximum", FORM_VALUE, NULL},
    {"exclusiveMaximum", "ExclusiveMaximum", FORM_BOOL, NULL},
    {"minimum", "Minimum", FORM_VALUE, NULL},
    {"exclusiveMinimum", "ExclusiveMinimum", FORM_BOOL, NULL},
    {"maxLength", "MaxLength", FORM_VALUE, NULL},
    {"minLength", "MinLength", FORM_VALUE, NULL},
    {"pattern", "Pattern", FORM_TEXT, NULL},
    {"maxItems", "MaxItems", FORM_VALUE, NULL},
    {"minItems", "MinItems", FORM_VALUE, NULL},
    {"uniqueItems", "UniqueItems", FORM_BOOL, NULL},
    {"multipleOf", "MultipleOf", FORM_VALUE, NULL},
    {"enum", "Enum", FORM_VALUE, NULL},
    {"maxProperties", "MaxProperties", FORM_VALUE, NULL},
    {"minProperties", "MinProperties", FORM_VALUE, NULL},
    {"required", "Required", FORM_VALUE, NULL},
    {"items", "Items", FORM_OR_LIST, NULL},
    {"allOf", "AllOf", FORM_LIST, NULL},
    {"oneOf", "OneOf", FORM_LIST, NULL},
    {"anyOf", "AnyOf", FORM_LIST, NULL},
    {"not", "Not", FORM_SCHEMA, NULL},
    {"properties", "Properties", FORM_MAP, NULL},
    {"additionalProperties", "AdditionalProperties", FORM_OR_BOOL, NULL},
    {"patternProperties", "PatternProperties", FORM_MAP, NULL},
    {"dependencies", "Dependencies", FORM_OR_TEXTS, NULL},
    {"additionalItems", "AdditionalItems", FORM_OR_BOOL, NULL},
    {"definitions", "Definitions", FORM_MAP, NULL},
    {"externalDocs", "ExternalDocs", FORM_ROWS, docs_rows},
    {"example", "Example", FORM_VALUE, NULL},
    {"x-kubernetes-preserve-unknown-fields", "XPreserveUnknownFields", FORM_VALUE, NULL},
    {"x-kubernetes-embedded-resource", "XEmbeddedResource", FORM_BOOL, NULL},
    {"x-kubernetes-int-or-string", "XIntOrString", FORM_BOOL, NULL},
    {"x-kubernetes-list-map-keys", "XListMapKeys", FORM_VALUE, NULL},
    {"x-kubernetes-list-type", "XListType", FORM_VALUE, NULL},
    {"x-kubernetes-map-type", "XMapType", FORM_VALUE, NULL},
    {"x-kubernetes-validations", "XValidations", FORM_ROWS, rule_rows},
    {0},
};
static const row wrapped_rows[] = {{"openAPIV3Schema", "OpenAPIV3Schema", FORM_SCHEMA, NULL}, {0}};
static const row status_rows[] = {{0}};
static const row scale_rows[] = {{"specReplicasPath", "SpecReplicasPath", FORM_TEXT, NULL},
                                 {"statusReplicasPath", "StatusReplicasPath", FORM_TEXT, NULL},
                                 {"labelSelectorPath", "LabelSelectorPath", FORM_VALUE, NULL},
                                 {0}};
static const row sub_rows[] = {
    {"status", "Status", FORM_ROWS, status_rows}, {"scale", "Scale", FORM_ROWS, scale_rows}, {0}};
static const row column_rows[] = {{"name", "Name", FORM_TEXT, NULL},
                                  {"type", "Type", FORM_TEXT, NULL},
                                  {"format", "Format", FORM_TEXT, NULL},
                                  {"description", "Description", FORM_TEXT, NULL},
                                  {"priority", "Priority", FORM_NUMBER, NULL},
                                  {"jsonPath", "JSONPath", FORM_TEXT, NULL},
                                  {0}};
static const row select_rows[] = {{"jsonPath", "JSONPath", FORM_TEXT, NULL}, {0}};
static const row version_rows[] = {
    {"name", "Name", FORM_TEXT, NULL},
    {"served", "Served", FORM_BOOL, NULL},
    {"storage", "Storage", FORM_BOOL, NULL},
    {"deprecated", "Deprecated", FORM_BOOL, NULL},
    {"deprecationWarning", "DeprecationWarning", FORM_VALUE, NULL},
    {"schema", "Schema", FORM_ROWS, wrapped_rows},
    {"subresources", "Subresources", FORM_ROWS, sub_rows},
    {"additionalPrinterColumns", "AdditionalPrinterColumns", FORM_ROWS, column_rows},
    {"selectableFields", "SelectableFields", FORM_ROWS, select_rows},
    {0}};

static void rows_write(buf *b, const val *v, const row *list);

static void schema_write(buf *b, const val *v) {
  if (val_is_map(v)) rows_write(b, v, schema_rows);
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

/* One struct, or all of a list. */
static void structs_write(buf *b, const val *v, const row *list) {
  if (!val_is_list(v)) {
    rows_write(b, v, list);
    return;
  }
  buf_char(b, '[');
  for (uint32_t i = 0; i < v->count; i++) {
    if (i) buf_char(b, ',');
    rows_write(b, val_at(v, i), list);
  }
  buf_char(b, ']');
}

static void union_write(buf *b, const val *v, form how) {
  bool allows = val_is_map(v) || val_true(v);
  buf_char(b, '{');
  if (how == FORM_OR_BOOL) buf_cstr(b, allows ? "\"Allows\":true," : "\"Allows\":false,");
  buf_lit(b, "\"Schema\":");
  schema_write(b, v);
  if (how == FORM_OR_LIST) {
    buf_lit(b, ",\"JSONSchemas\":");
    if (val_is_list(v)) list_write(b, v);
    else buf_lit(b, "null");
  }
  buf_char(b, '}');
}

static void field_write(buf *b, const val *v, const row *r) {
  form how = r->how;
  if (how == FORM_TEXT) json_encode_string(b, val_str(v));
  else if (how == FORM_BOOL) buf_cstr(b, val_true(v) ? "true" : "false");
  else if (how == FORM_NUMBER) buf_i64(b, val_i64(v));
  else if (!v || val_is_null(v)) buf_lit(b, "null");
  else if (how == FORM_SCHEMA) schema_write(b, v);
  else if (how == FORM_LIST) list_write(b, v);
  else if (how == FORM_MAP || how == FORM_OR_TEXTS) map_write(b, v, how == FORM_OR_TEXTS);
  else if (how == FORM_OR_LIST || how == FORM_OR_BOOL) union_write(b, v, how);
  else if (how == FORM_ROWS) structs_write(b, v, r->rows);
  else json_encode_any(b, v, true);
}

static void rows_write(buf *b, const val *v, const row *list) {
  buf_char(b, '{');
  for (const row *r = list; r->name; r++) {
    if (r != list) buf_char(b, ',');
    json_encode_string(b, slice_cstr(r->name));
    buf_char(b, ':');
    field_write(b, val_getc(v, r->field), r);
  }
  buf_char(b, '}');
}

static void invalid(field_errors *errs, const path *p, buf *shown, const char *detail) {
  slice parts[] = {SLICE_LIT("Invalid value: "), buf_slice(shown), SLICE_LIT(": "),
                   slice_cstr(detail)};
  field_error_add(errs, FIELD_INVALID, path_text(errs->a, p), arena_join(errs->a, parts, 4));
  buf_dispose(shown);
}

void crd_versions_invalid(field_errors *errs, const path *p, const val *list, const char *detail) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  if (list) structs_write(&b, list, version_rows);
  else buf_lit(&b, "null"); /* a Go slice that was never made */
  invalid(errs, p, &b, detail);
}

void crd_schema_invalid(field_errors *errs, const path *p, const val *schema, const char *detail) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  schema_write(&b, schema);
  invalid(errs, p, &b, detail);
}
