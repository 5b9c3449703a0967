/* patch_text: the names that the real server's messages have for a value's type. */
#ifndef APISIM_PATCH_PATCH_TEXT_H
#define APISIM_PATCH_PATCH_TEXT_H

#include "base/val.h"
#include "patch/patch.h"

/* As encoding/json names it: "object", "array", "number"... */
const char *json_kind(const val *v);
/* As fmt's %s prints its reflect.Type: "map[string]interface {}", "int64"... */
const char *go_type(const val *v);

/* Reads the patch document; duplicate fields go into o->report, each with `prefix` in front. NULL
 * and *error when it is no JSON. */
val *patch_parse(arena *a, slice patch, const patch_options *o, slice prefix, slice *error);

#endif
