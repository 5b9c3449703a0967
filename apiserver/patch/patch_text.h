/* patch_text: the names that the real server's messages have for a value's type. */
#ifndef APISIM_PATCH_PATCH_TEXT_H
#define APISIM_PATCH_PATCH_TEXT_H

#include "base/val.h"

/* As encoding/json names it: "object", "array", "number"... */
const char *json_kind(const val *v);
/* As fmt's %s prints its reflect.Type: "map[string]interface {}", "int64"... */
const char *go_type(const val *v);

#endif
