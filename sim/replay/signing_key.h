/* signing_key: the service account key of embedded servers, made once a process (an RSA key
 * takes a tenth of a second) and never written anywhere. */
#ifndef APISIM_REPLAY_SIGNING_KEY_H
#define APISIM_REPLAY_SIGNING_KEY_H

#include "base/slice.h"

/* PEM; live as long as the process. */
slice signing_key_private(void);
slice signing_key_public(void);

#endif
