/* client: one request to a control address, from a process of its own. */
#ifndef APISIM_SIM_CONTROL_CLIENT_H
#define APISIM_SIM_CONTROL_CLIENT_H

#include "base/buf.h"

/* Prints the answer's body to stdout (an error's line to stderr). body: JSON, or "@FILE"; NULL for
 * none. Returns an exit code: 0 for 200, 1 otherwise. Waits as long as the command takes. */
int control_call_once(const char *address, const char *method, slice target, const char *body);
/* Appends text percent-encoded for a query's value. */
void control_escape(buf *b, const char *text);

#endif
