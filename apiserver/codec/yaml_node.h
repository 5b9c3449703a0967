/* yaml_node: the first document of a YAML text as nodes, aliases not yet followed. */
#ifndef APISIM_CODEC_YAML_NODE_H
#define APISIM_CODEC_YAML_NODE_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum ynode_kind { YNODE_SCALAR, YNODE_LIST, YNODE_MAP, YNODE_ALIAS } ynode_kind;

typedef struct yaml_node {
  uint8_t kind; /* ynode_kind */
  bool implicit; /* a plain scalar without a tag */
  bool busy; /* an alias that is being followed */
  char closes; /* ']' or '}' of a list or map between brackets, else 0 */
  bool bare; /* no anchor and no tag */
  uint32_t line; /* from 0 */
  uint32_t count, cap;
  slice tag; /* in full, or empty */
  slice value; /* of a scalar; an alias's name */
  struct yaml_node **items; /* of a list; of a map: key, value, key, value */
  struct yaml_node *target; /* of an alias */
} yaml_node;

/* The root, NULL with an empty *error when there is no document, or NULL and *error in the
 * words of the real server's YAML library, without its "yaml: ". */
yaml_node *yaml_read(arena *a, slice text, slice *error);

#endif
