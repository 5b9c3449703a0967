/* From flags to the options of a server. */
#ifndef APISIM_SIM_SERVE_OPTIONS_H
#define APISIM_SIM_SERVE_OPTIONS_H

#include "sim/serve.h"

/* What the options borrow: opened before they are read, closed behind the server's end. */
void serving_files_open(serving *s);
void serving_files_close(serving *s);
/* All that the flags say of the server itself; *o has its port. False: one line has been printed to
 * stderr. */
bool serving_options_read(serving *s, const flags *f, server_options *o);
/* The address that clients are told. */
const char *serving_advertised(const flags *f);
/* Prints that line; always false. */
bool serving_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
