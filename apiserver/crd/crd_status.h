/* crd_status: what the real server's controllers write about definitions: conditions, accepted
 * names, the APIService of each version; and the end of a definition that is deleted.
 * Sources: those of crd_serve.h. */
#ifndef APISIM_CRD_STATUS_H
#define APISIM_CRD_STATUS_H

#include "server.h"

/* One round over all definitions, in the order of their names. What one write makes possible (an
 * established kind behind accepted names) is written in the same round. ends: what is deleted may
 * end now. */
void crd_status_run(server *s, bool ends);

/* crd_names.c: status.acceptedNames and the two conditions that follow from them, as the naming
 * controller makes them, in a copy of the status; NULL: nothing to write. all: the stored
 * definitions. now: an RFC 3339 time. */
val *crd_names_status(arena *a, const val *crd, const val *all, slice now);
/* Sets a condition of a status (which may be changed); the time changes with the status only. */
void crd_condition_set(arena *a, val *status, const char *type, const char *is, slice reason,
                       slice message, slice now);
/* crd_services.c: the APIServices of served versions. */
void crd_services_run(server *s, arena *a, const val *all);

#endif
