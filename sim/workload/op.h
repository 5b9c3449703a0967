/* op: one operation of a writer, from its request to its answer, as the checkers see it. */
#ifndef APISIM_SIM_OP_H
#define APISIM_SIM_OP_H

#include "sim/workload/call.h"
#include "sim/workload/kinds.h"
#include "sim/world/world.h"

typedef enum op_kind {
  OP_CREATE,
  OP_CREATE_GENERATED,
  OP_CREATE_DRY,
  OP_CREATE_INVALID,
  OP_CREATE_HUGE,
  OP_UPDATE, /* with the version last seen */
  OP_UPDATE_BLIND, /* without one */
  OP_UPDATE_SAME, /* changes nothing */
  OP_UPDATE_DRY,
  OP_RELABEL, /* the label that selectors look at */
  OP_PATCH_MERGE,
  OP_PATCH_JSON, /* with a test of the value */
  OP_APPLY,
  OP_FINALIZER, /* takes the finalizer off */
  OP_DELETE,
  OP_DELETE_UID, /* with preconditions */
  OP_DELETE_COLLECTION,
  OP_COUNT, /* raises the counter by one, guarded by its version */
  OP_GET,
  OP_GET_ANY,
  OP_GET_MIN,
  OP_GET_PROTOBUF,
  OP_LIST,
  OP_LIST_ANY,
  OP_LIST_MIN,
  OP_LIST_EXACT,
  OP_LIST_LABEL,
  OP_LIST_FUTURE,
  OP_BAD,
  OP_KINDS
} op_kind;

enum op_flags {
  OP_WRITES = 1, /* may commit */
  OP_MARKS = 2, /* its commit carries its number */
  OP_REMOVES = 4, /* may delete, or mark as being deleted */
  OP_LISTS = 8,
  OP_DRY = 16,
};

typedef struct op_row {
  const char *name;
  uint8_t weight;
  uint8_t flags;
} op_row;
extern const op_row op_rows[OP_KINDS];

typedef enum op_state { OP_OPEN, OP_DONE, OP_UNKNOWN } op_state;

struct op {
  uint32_t id;
  uint8_t kind; /* op_kind */
  uint8_t state;
  client *by;
  uint32_t number; /* among the client's */
  const kind_row *of;
  uint32_t key; /* NO_KEY: none in particular */
  view_filter filter; /* of lists and collections */
  int64_t begin; /* the store's revision when the request left */
  int64_t end;
  int64_t version; /* asked for, or expected */
  slice wanted_uid;
  uint32_t applied; /* commits that carry its mark or that it explains */
  int64_t applied_revision; /* of the latest */
  bool twice; /* the network may deliver it twice */
  bool on_its_way; /* may still happen although nobody waits for it */
  op *next_unknown;
};

op *op_make(client *c, uint32_t number, op_kind kind);
/* The answer's fate: writes that may still happen stay on the world's list. */
void op_ended(op *o, const call *k);

#endif
