/* See crd_table.h. */
#include "crd/crd_table.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "crd/crd_path.h"
#include "registry/object.h"
#include "respond/table_cell.h"

/* What a path prints of a value: text as it is, all else as JSON. */
static val *printed(arena *a, const val *v) {
  if (val_is_string(v)) return val_string(a, val_str(v));
  if (val_is_null(v)) return val_null(a);
  return val_string(a, json_text(a, v, true));
}

static val *since(arena *a, const val *v, int64_t now_s) {
  int64_t at = 0;
  int32_t nanos = 0;
  if (!val_is_string(v)) return val_null(a);
  if (!time_parse(val_str(v), &at, &nanos)) return val_cstr(a, "<invalid>");
  return val_string(a, human_duration(a, now_s - at));
}

static val *cell_of(arena *a, const val *v, slice type, int64_t now_s) {
  if (!v) return val_null(a);
  if (slice_is(type, "string")) return printed(a, v);
  if (slice_is(type, "date")) return since(a, v, now_s);
  if (slice_is(type, "boolean")) return val_is_bool(v) ? val_bool(a, val_true(v)) : val_null(a);
  bool integer = slice_is(type, "integer");
  if (!integer && !slice_is(type, "number")) return val_null(a);
  if (val_is_int(v)) return val_int(a, val_i64(v));
  if (!val_is_float(v)) return val_null(a);
  return integer ? val_int(a, (int64_t)v->u.f) : val_float(a, v->u.f);
}

val *crd_cells(arena *a, const crd_version *v, const val *obj, int64_t now_s) {
  val *cells = val_list(a);
  val_append(a, cells, val_string(a, object_name(obj)));
  for (uint8_t i = 1; i < v->row.column_count; i++) {
    const val *found = crd_path_first(obj, v->columns[i].path);
    val_append(a, cells, cell_of(a, found, v->row.columns[i].type, now_s));
  }
  return cells;
}
