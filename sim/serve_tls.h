/* serve_tls: the serving certificate and the TLS flags, and both files' changes taken over while
 * the server runs (within a second; connections that are open keep what they began with). */
#ifndef APISIM_SIM_SERVE_TLS_H
#define APISIM_SIM_SERVE_TLS_H

#include "sim/serve.h"

/* Fills in s->tls; s->world is there. False: one line has been printed to stderr. */
bool serving_tls_start(serving *s, const flags *f);
/* Before the world goes. */
void serving_tls_stop(serving *s);

#endif
