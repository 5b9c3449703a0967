/* encryption_reload: --encryption-provider-config-automatic-reload: the file is looked at every
 * second (the real server: every minute), and taken over when its text has changed and is valid;
 * else the configuration stays, and one line says why. What is stored then is no longer what a
 * write would make, so that a write of the same value rewrites it, as after a restart. */
#ifndef APISIM_SIM_ENCRYPTION_RELOAD_H
#define APISIM_SIM_ENCRYPTION_RELOAD_H

#include "sim/serve.h"

typedef struct encryption_reload encryption_reload;

/* Once the server runs. path: borrowed. */
encryption_reload *encryption_reload_start(serving *s, const char *path);
void encryption_reload_stop(encryption_reload *r); /* NULL is fine */

#endif
