/* list_stream: a long list as a stream. It is written a piece at a time, as the client reads, with
 * other clients' turns in between; memory is a piece, whatever the length. The bytes are those that
 * respond_list would send, in chunks. */
#ifndef APISIM_RESPOND_LIST_STREAM_H
#define APISIM_RESPOND_LIST_STREAM_H

#include "respond/respond.h"

/* Whether this list is to be streamed: long, and in a form that is made item by item (JSON and
 * protobuf) or some items at a time (list_cut.h). */
bool list_is_stream(request *rq, const output_form *form, store_entry *const *items,
                    uint32_t count);
/* Answers rq, in this turn and later ones. items: in rq's arena. Takes `view`, which keeps the
 * items, over. */
void list_stream_begin(request *rq, const output_form *form, store_view *view,
                       store_entry *const *items, uint32_t count, const list_meta *m);

#endif
