/* html: a run as one page that opens from a file: lanes for clients, servers and the store over
 * virtual time, faults marked, the violated invariant highlighted, filtered by object. */
#ifndef APISIM_SIM_HTML_H
#define APISIM_SIM_HTML_H

#include "sim/world/world.h"

/* The world must have been recorded. build: the commit it was made from; repeat: the line that
 * runs it again, or "". False when the file can't be written. */
bool html_write(const char *path, const world *w, const char *build, const char *repeat);

#endif
