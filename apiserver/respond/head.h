/* head: the headers of an answer, as kube-apiserver sends them: Audit-Id, Cache-Control,
 * Content-Type, Warning, and the flow control's two. http adds Date and the length. */
#ifndef APISIM_RESPOND_HEAD_H
#define APISIM_RESPOND_HEAD_H

#include "request/request.h"

#define HEAD_MAX 160 /* and a few that callers add */

typedef struct head {
  request *rq;
  uint32_t count;
  http_header items[HEAD_MAX];
} head;

void head_begin(head *h, request *rq, slice content_type);
/* More than HEAD_MAX are dropped (only Warning headers can be that many). */
void head_add(head *h, slice name, slice value);

/* Sends ready parts; shared by the files of respond/. */
void respond_parts(request *rq, int code, slice content_type, const http_part *parts,
                   uint32_t part_count, const http_header *more, uint32_t more_count);

/* An answer without a body. */
void respond_empty(request *rq, int code, const http_header *headers, uint32_t count);

#endif
