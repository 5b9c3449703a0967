/* jtree: a JSON text as a tree that remembers its bytes.
 *
 * A replay compares bytes as well as values, so each node knows the text it came from and the
 * spaces around it, and members keep their order and doubles. Nothing is copied that needs no
 * unescaping: the text must live as long as the arena. */
#ifndef APISIM_REPLAY_JTREE_H
#define APISIM_REPLAY_JTREE_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdint.h>

typedef enum jtype { J_NULL, J_BOOL, J_NUMBER, J_STRING, J_ARRAY, J_OBJECT } jtype;

typedef struct jnode {
  jtype type;
  slice raw; /* the value's text, children included */
  slice text; /* a string's value; of null, booleans and numbers the raw text */
  slice key, key_raw; /* of a member */
  slice lead; /* between the separator before and the key or value */
  slice mid; /* of a member: between key and value, colon included */
  slice trail; /* between the value and the separator behind */
  uint32_t count;
  struct jnode *items;
} jnode;

/* NULL when it is not exactly one JSON value (depth over 1,000 included). */
jnode *jtree_parse(arena *a, slice text);
/* NULL when n is no object or has no such member. */
const jnode *jtree_get(const jnode *n, const char *key);
const jnode *jtree_get_slice(const jnode *n, slice key);
/* A string member's value, or SLICE_NONE. */
slice jtree_str(const jnode *n, const char *key);

#endif
