/* check_http: what every answer must be, whatever was asked (I19, I20, I22, I28). */
#ifndef APISIM_SIM_CHECK_HTTP_H
#define APISIM_SIM_CHECK_HTTP_H

#include "sim/workload/op.h"

void check_http_answer(world *w, const call *k);
/* A client lost patience: was the server to blame? */
void check_http_patience(world *w, const call *k);
/* The protobuf form of an object, decoded, is the stored JSON. */
void check_protobuf(world *w, const op *o, const call *k);

#endif
