/* yaml_go: what go-yaml's maps and numbers are, on their way to JSON.
 *
 * To Go 1, 1.0 and "1" are three keys of one map, and null and uint64 are keys as well; only then
 * does JSON want strings, and no infinite floats. So while YAML is read a key that is no string has
 * a name of its own, and what JSON has no form for counts only where it is in the end: a later
 * value of the same key replaces it. Source: sigs.k8s.io/yaml's convertToJSONableObject. */
#ifndef APISIM_CODEC_YAML_GO_H
#define APISIM_CODEC_YAML_GO_H

#include "base/arena.h"
#include "base/val.h"

/* The name of a scalar key in the map under way. False for lists and maps, which are no keys. */
bool yaml_go_key(arena *a, const val *key, slice *name);
/* Go's %#v. */
slice yaml_go_text(arena *a, const val *v);
/* Gives all keys below v their names in JSON. *error where there is no JSON of it. */
void yaml_go_settle(arena *a, val *v, slice *error);

#endif
