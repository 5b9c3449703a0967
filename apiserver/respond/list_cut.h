/* list_cut: lists in the forms that are made as a tree (tables, partial metadata, YAML, CBOR), some
 * objects at a time: a document of those objects alone is made, and its items are cut out. What
 * stands around them is cut out of the document without any. */
#ifndef APISIM_RESPOND_LIST_CUT_H
#define APISIM_RESPOND_LIST_CUT_H

#include "base/buf.h"
#include "respond/respond.h"

typedef struct list_cut {
  output_form form; /* never pretty: who wants that indents the stream */
  list_meta meta;
  slice before, after; /* of a document without items, around the array; the request's memory */
  slice head, tail; /* of the answer: with the array's beginning and end for `count` items */
} list_cut;

/* Whether this form is cut (JSON and protobuf objects are not: their items are bytes already). */
bool list_is_cut(const request *rq, const output_form *form);
void list_cut_begin(request *rq, const output_form *form, const list_meta *m, uint32_t count,
                    list_cut *out);
/* Appends the items, the first of them `at` in the list. Trees are made in `scratch`. */
void list_cut_items(request *rq, arena *scratch, const list_cut *c, store_entry *const *items,
                    uint32_t count, uint32_t at, buf *out);

#endif
