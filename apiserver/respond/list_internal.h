/* What lists in one piece (list.c) and as a stream (list_stream.c) share. */
#ifndef APISIM_RESPOND_LIST_INTERNAL_H
#define APISIM_RESPOND_LIST_INTERNAL_H

#include "base/buf.h"
#include "respond/respond.h"

/* The field of the items in the message of every built-in list; metadata is field 1. */
#define LIST_ITEMS 2

/* The whole list as a tree of the form, made in `a`, its items with it; *type: what it is encoded
 * by. */
val *list_document(request *rq, arena *a, const output_form *form, store_entry *const *items,
                   uint32_t count, const list_meta *m, const type_info **type);
/* Up to the items' opening bracket. */
slice list_json_head(request *rq, const list_meta *m);
/* Appends the metadata's field. */
void list_proto_meta(request *rq, const list_meta *m, buf *out);

#endif
