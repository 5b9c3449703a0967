/* Tables: one row an object, made from the cells of its kind. Everything is made in the
 * arena in one pass; objects and their metadata are shared, not copied. */
#include "respond/table.h"

#include "base/limits.h"
#include "codec/codec.h"
#include "crd/crd_table.h"
#include "respond/table_rows.h"
#include "version/version.h"

#include <stdlib.h>

static val *api_version(arena *a, slice version) {
  return val_printf(a, "meta.k8s.io/%.*s", SLICE_ARG(version));
}

table_include table_include_of(slice value) {
  if (slice_is(value, "Object")) return INCLUDE_OBJECT;
  return slice_is(value, "None") ? INCLUDE_NONE : INCLUDE_METADATA;
}

bool table_include_parse(arena *a, slice value, table_include *out, status_error *err) {
  *out = table_include_of(value);
  if (*out != INCLUDE_METADATA || value.len == 0 || slice_is(value, "Metadata")) return true;
  return status_set(err, a, STATUS_BAD_REQUEST,
                    "Unable to convert to Table as requested: includeObject: Invalid value: "
                    "\"%.*s\": must be 'Metadata', 'Object', 'None', or empty",
                    SLICE_ARG(value));
}

/* The real server takes the metadata from its internal form of the object, in which this
 * annotation of daemon sets is a field. */
static val *internal_metadata(arena *a, val *metadata, slice kind) {
  static const char gone[] = "deprecated.daemonset.template.generation";
  const val *annotations = val_getc(metadata, "annotations");
  if (!slice_is(kind, "DaemonSet") || !val_getc(annotations, gone)) return metadata;
  val *copy = val_map(a), *kept = val_map(a);
  VAL_EACH(e, annotations) {
    if (!slice_is(e->key, gone)) val_set(a, kept, e->key, e->value);
  }
  VAL_EACH(e, metadata) {
    bool changed = slice_is(e->key, "annotations");
    if (!changed || kept->count > 0) val_set(a, copy, e->key, changed ? kept : e->value);
  }
  return copy;
}

static val *partial_of(arena *a, const val *obj, slice kind, slice version) {
  val *partial = val_map(a), *metadata = internal_metadata(a, val_getc(obj, "metadata"), kind);
  val_setc(a, partial, "kind", val_cstr(a, "PartialObjectMetadata"));
  val_setc(a, partial, "apiVersion", api_version(a, version));
  if (metadata) val_setc(a, partial, "metadata", metadata);
  return partial;
}

val *partial_make(arena *a, const val *obj, slice version) {
  return partial_of(a, obj, val_get_str(obj, "kind"), version);
}

/* more: of a custom resource; NULL for all others. */
static val *column_defs(arena *a, const table_column *columns, uint32_t count,
                        const crd_column *more) {
  val *list = val_list(a);
  for (uint32_t i = 0; i < count; i++) {
    val *d = val_map(a);
    val_setc(a, d, "name", val_string(a, columns[i].name));
    val_setc(a, d, "type", val_string(a, columns[i].type));
    val_setc(a, d, "format", val_string(a, columns[i].format));
    slice about = more ? more[i].description : table_column_text(columns[i].name);
    val_setc(a, d, "description", val_string(a, about));
    val_setc(a, d, "priority", val_int(a, columns[i].priority));
    val_append(a, list, d);
  }
  return list;
}

/* A pod that is over says so in its row. */
static val *row_conditions(arena *a, const val *obj) {
  slice phase = val_str(val_path(obj, "status.phase"));
  bool good = slice_is(phase, "Succeeded");
  if (!good && !slice_is(phase, "Failed")) return NULL;
  val *c = val_map(a), *list = val_list(a);
  val_setc(a, c, "type", val_cstr(a, "Completed"));
  val_setc(a, c, "status", val_cstr(a, "True"));
  val_setc(a, c, "reason", val_string(a, phase));
  val_setc(a, c, "message", val_cstr(a, good ? "The pod has completed successfully."
                                             : "The pod failed."));
  val_append(a, list, c);
  return list;
}

/* A row's object has no type for the encoder: what Go would write of zero values (an empty
 * list as null) must stand in the tree. */
static val *spelled_out(arena *a, val *obj, const type_info *t) {
  buf text;
  slice error;
  buf_init(&text, LIMIT_BUFFER);
  json_encode(&text, obj, t);
  val *v = json_parse(a, arena_copy(a, buf_slice(&text)), NULL, &error);
  buf_dispose(&text);
  return v ? v : obj;
}

typedef struct table_plan {
  cell_env env;
  const resource_info *resource;
  const table_row *row;
  table_include include;
  slice version;
  bool is_pod;
  bool converts; /* the objects are not in the asked version */
} table_plan;

/* A bookmark's object has the asked version already. */
static val *served_form(const table_plan *p, val *obj) {
  char gv[GROUP_VERSION_ROOM];
  arena *a = p->env.arena;
  bool served = slice_eq(val_get_str(obj, "apiVersion"), schema_group_version(p->resource, gv));
  if (p->converts && !served) obj = version_from_storage(a, val_copy(a, obj), p->resource);
  return p->resource->type ? spelled_out(a, obj, p->resource->type) : obj;
}

static val *row_make(const table_plan *p, val *obj) {
  arena *a = p->env.arena;
  val *row = val_map(a), *cells = val_list(a), *conditions;
  const crd_version *custom = slice_is(val_get_str(obj, "kind"), "Scale") ? NULL
                                                                          : p->resource->custom;
  if (custom) cells = crd_cells(a, custom, obj, p->env.now_s);
  for (uint8_t i = 0; !custom && i < p->row->count; i++) {
    const cell *c = &p->row->cells[i];
    val_append(a, cells, c->make(&p->env, obj, c));
  }
  val_setc(a, row, "cells", cells);
  if (p->is_pod && (conditions = row_conditions(a, obj)) != NULL) {
    val_setc(a, row, "conditions", conditions);
  }
  if (p->include == INCLUDE_OBJECT) {
    val_setc(a, row, "object", served_form(p, obj));
  } else if (p->include == INCLUDE_METADATA) {
    val_setc(a, row, "object", partial_of(a, obj, p->resource->kind, p->version));
  }
  return row;
}

/* Flow schemas are listed in the order in which they match. */
static int flow_order(const void *x, const void *y) {
  const val *a = *(val *const *)x, *b = *(val *const *)y;
  int64_t p = val_i64(val_path(a, "spec.matchingPrecedence"));
  int64_t q = val_i64(val_path(b, "spec.matchingPrecedence"));
  if (p != q) return p < q ? -1 : 1;
  return slice_cmp(val_str(val_path(a, "metadata.name")), val_str(val_path(b, "metadata.name")));
}

static val *const *in_order(arena *a, const resource_info *r, val *const *objs, uint32_t count) {
  if (count < 2 || !slice_is(r->kind, "FlowSchema")) return objs;
  val **sorted = ARENA_ARRAY(a, val *, count);
  memcpy(sorted, objs, count * sizeof *sorted);
  qsort(sorted, count, sizeof *sorted, flow_order);
  return sorted;
}

static val *metadata_of(arena *a, val *const *objs, uint32_t count, val *list_meta) {
  if (list_meta) return list_meta;
  val *meta = val_map(a);
  slice rv = count ? val_str(val_path(objs[0], "metadata.resourceVersion")) : SLICE_NONE;
  val_set_text(a, meta, "resourceVersion", rv);
  return meta;
}

val *table_make(arena *a, const resource_info *r, val *const *objs, uint32_t count,
                val *list_meta, table_include include, bool columns, slice version,
                int64_t now_s) {
  bool is_scale = count == 1 && slice_is(val_get_str(objs[0], "kind"), "Scale");
  bool created = !r->custom && r->column_count > 1 && slice_is(r->columns[1].name, "Created At");
  table_plan p = {.env = {a, now_s}, .resource = r, .include = include, .version = version};
  p.row = is_scale ? table_row_of(SLICE_LIT("autoscaling"), SLICE_LIT("Scale"), false)
                   : table_row_of(created ? SLICE_NONE : r->group, r->kind, created);
  p.is_pod = r->group.len == 0 && slice_is(r->kind, "Pod");
  p.converts = !is_scale && r->storage && r->storage != r;
  /* The aggregator's own printer repeats its columns in every event of a watch. */
  if (slice_is(r->group, "apiregistration.k8s.io")) columns = true;
  val *table = val_map(a), *rows = val_list(a);
  val_setc(a, table, "kind", val_cstr(a, "Table"));
  val_setc(a, table, "apiVersion", api_version(a, version));
  val_setc(a, table, "metadata", metadata_of(a, objs, count, list_meta));
  if (columns) {
    val *defs = is_scale ? column_defs(a, table_scale_columns, table_scale_column_count, NULL)
                         : column_defs(a, r->columns, r->column_count,
                                       r->custom ? r->custom->columns : NULL);
    val_setc(a, table, "columnDefinitions", defs);
  }
  objs = in_order(a, r, objs, count);
  for (uint32_t i = 0; i < count; i++) val_append(a, rows, row_make(&p, objs[i]));
  /* Without a printer of its own a kind's empty list has no rows at all. */
  if (count > 0 || !created) val_setc(a, table, "rows", rows);
  return table;
}
