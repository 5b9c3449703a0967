/* The operations' rows, and the list of those whose outcome nobody knows. */
#include "sim/workload/op.h"

#include "sim/workload/client.h"

const op_row op_rows[OP_KINDS] = {
    [OP_CREATE] = {"create", 14, OP_WRITES | OP_MARKS},
    [OP_CREATE_GENERATED] = {"create-generated", 3, OP_WRITES | OP_MARKS},
    [OP_CREATE_DRY] = {"create-dry", 1, OP_WRITES | OP_MARKS | OP_DRY},
    [OP_CREATE_INVALID] = {"create-invalid", 1, OP_WRITES | OP_MARKS},
    [OP_CREATE_HUGE] = {"create-huge", 0, OP_WRITES | OP_MARKS},
    [OP_UPDATE] = {"update", 20, OP_WRITES | OP_MARKS},
    [OP_UPDATE_BLIND] = {"update-blind", 3, OP_WRITES | OP_MARKS},
    [OP_UPDATE_SAME] = {"update-same", 3, OP_WRITES},
    [OP_UPDATE_DRY] = {"update-dry", 1, OP_WRITES | OP_MARKS | OP_DRY},
    [OP_RELABEL] = {"relabel", 8, OP_WRITES | OP_MARKS},
    [OP_PATCH_MERGE] = {"patch-merge", 6, OP_WRITES | OP_MARKS},
    [OP_PATCH_JSON] = {"patch-json", 3, OP_WRITES | OP_MARKS},
    [OP_APPLY] = {"apply", 4, OP_WRITES | OP_MARKS},
    [OP_FINALIZER] = {"finalizer", 2, OP_WRITES | OP_MARKS | OP_REMOVES},
    [OP_DELETE] = {"delete", 6, OP_WRITES | OP_REMOVES},
    [OP_DELETE_UID] = {"delete-uid", 2, OP_WRITES | OP_REMOVES},
    [OP_DELETE_COLLECTION] = {"delete-collection", 1, OP_WRITES | OP_REMOVES},
    [OP_COUNT] = {"count", 6, OP_WRITES | OP_MARKS},
    [OP_GET] = {"get", 8, 0},
    [OP_GET_ANY] = {"get-any", 2, 0},
    [OP_GET_MIN] = {"get-min", 3, 0},
    [OP_GET_PROTOBUF] = {"get-protobuf", 2, 0},
    [OP_LIST] = {"list", 3, OP_LISTS},
    [OP_LIST_ANY] = {"list-any", 2, OP_LISTS},
    [OP_LIST_MIN] = {"list-min", 2, OP_LISTS},
    [OP_LIST_EXACT] = {"list-exact", 3, OP_LISTS},
    [OP_LIST_LABEL] = {"list-label", 2, OP_LISTS},
    [OP_LIST_FUTURE] = {"list-future", 1, OP_LISTS},
    [OP_BAD] = {"bad-request", 1, 0},
};

op *op_make(client *c, uint32_t number, op_kind kind) {
  world *w = c->world;
  op *o = ARENA_NEW(w->arena, op);
  o->id = w->op_count;
  o->kind = (uint8_t)kind;
  o->by = c;
  o->number = number;
  o->key = NO_KEY;
  o->begin = model_revision(w->model);
  w->ops = arena_more(w->arena, w->ops, w->op_count, &w->op_cap, sizeof *w->ops);
  w->ops[w->op_count++] = o;
  return o;
}

void op_ended(op *o, const call *k) {
  world *w = o->by->world;
  o->end = model_revision(w->model);
  bool known = k->how == CALL_REFUSED || (k->how == CALL_ANSWERED && k->in.status < 500);
  o->state = known ? OP_DONE : OP_UNKNOWN;
  bool may_happen = k->twice || (k->how != CALL_REFUSED && k->how != CALL_ANSWERED);
  if (known && !may_happen) return; /* a copy has a way of its own */
  o->on_its_way = (op_rows[o->kind].flags & OP_WRITES) != 0;
  if (!o->on_its_way) return;
  o->next_unknown = w->unknown_ops;
  w->unknown_ops = o;
}
