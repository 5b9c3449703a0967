/* bootstrap_objects: the generated templates (bootstrap/gen/objects.py).
 *
 * In `name` and `json` a byte 1 and a letter stand for a value that is only known at start:
 * see bootstrap.c's table of marks. A byte 1 and a digit from 1 begin what is there only with
 * the gate of that place, and a byte 1 and 0 end it. */
#ifndef APISIM_BOOTSTRAP_BOOTSTRAP_OBJECTS_H
#define APISIM_BOOTSTRAP_BOOTSTRAP_OBJECTS_H

#include "base/slice.h"

#include <stdint.h>

typedef struct bootstrap_object {
  slice group, version, resource, namespace, name, json;
  char needs; /* mark of a value without which it is not made; 0: always */
  uint8_t gate; /* place from 1 in served_gates of the gate that makes it; 0: none */
  slice of_group, of_version; /* of an APIService: made where that version is served */
} bootstrap_object;

extern const bootstrap_object bootstrap_objects[]; /* in the order of writing */
extern const uint16_t bootstrap_object_count;

#endif
