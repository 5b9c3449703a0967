/* field_element: the spelling of path elements that stand for list items. */
#ifndef APISIM_PATCH_FIELD_ELEMENT_H
#define APISIM_PATCH_FIELD_ELEMENT_H

#include "base/arena.h"
#include "base/val.h"

/* k:{"containerPort":80,"protocol":"TCP"}: the map's entries, sorted by name. */
slice field_element_key(arena *a, val *keys);
/* v:"x" */
slice field_element_value(arena *a, const val *scalar);
/* "f:" in front. */
slice field_element_name(arena *a, slice name);
/* Go's %q of a string. */
slice field_quote(arena *a, slice s);

#endif
