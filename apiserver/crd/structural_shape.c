/* Server-side apply's view. Source: kube-openapi pkg/schemaconv/openapi.go. A value without a type
 * is whatever it looks like; lists are atomic unless they say otherwise, maps are not. */
#include "crd/structural_internal.h"

structural_shape structural_shape_of(const structural *s, const val *v) {
  bool map = val_is_map(v), list = val_is_list(v);
  if (!map && !list) return STRUCTURAL_LEAF;
  if (!s) return map ? STRUCTURAL_MAP : STRUCTURAL_LEAF;
  if (map) return slice_is(s->map_type, "atomic") ? STRUCTURAL_LEAF : STRUCTURAL_MAP;
  if (slice_is(s->list_type, "set")) return STRUCTURAL_SET;
  return slice_is(s->list_type, "map") ? STRUCTURAL_KEYED : STRUCTURAL_LEAF;
}

bool structural_shape_member(const structural *s, slice name, const structural **out) {
  *out = structural_member(s, name);
  if (*out || !s) return true;
  if (s->has_additional) return s->additional_allowed;
  return s->preserve_below || s->field_count == 0;
}
