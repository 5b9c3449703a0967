/* node: a plan file as a tree of maps, lists and scalars that knows its lines, so that what is
 * wrong can be told by line and a shrunk plan can be written again. All of it lives in an arena. */
#ifndef APISIM_LIVE_NODE_H
#define APISIM_LIVE_NODE_H

#include "base/arena.h"
#include "base/buf.h"

#define NODE_DEPTH_MAX 64
#define NODE_COUNT_MAX 200000

typedef enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP } node_kind;

typedef struct node node;
struct node {
  node_kind kind;
  int line; /* from 1; 0: made by us */
  bool quoted; /* a scalar in quotes: a string whatever it looks like */
  slice text; /* scalar */
  uint32_t count, cap; /* list items or map entries */
  node **items; /* list items or map values */
  slice *keys; /* map */
};

/* One YAML document; an empty one is an empty map. NULL with *problem ("line 3: ..."). Anchors are
 * followed, and a document that grows above NODE_COUNT_MAX by them is refused. */
node *node_parse(arena *a, slice text, slice *problem);

node *node_scalar(arena *a, slice text);
node *node_int(arena *a, int64_t n);
node *node_list(arena *a);
node *node_map(arena *a);
/* Shares the nodes below. */
node *node_copy(arena *a, const node *n);
void node_append(arena *a, node *list, node *item);
void node_set(arena *a, node *map, const char *key, node *value);
void node_remove(node *list, uint32_t at);
/* NULL when n is no map or lacks the key. */
node *node_get(const node *n, const char *key);

/* As YAML, block style, short pieces in one line. */
void node_write(buf *out, const node *n);
/* The piece as one line of flow style. */
void node_write_flow(buf *out, const node *n);

#endif
