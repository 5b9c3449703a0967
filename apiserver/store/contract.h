/* contract: what every backend of store.h must do, as cases that know nothing but store.h.
 *
 * A backend's test calls store_contract_run with its maker and is done. Links with cmocka. */
#ifndef APISIM_STORE_CONTRACT_H
#define APISIM_STORE_CONTRACT_H

#include "store/store.h"

/* Each case gets an empty store whose revision may be anything. The number of failures. */
int store_contract_run(store *(*make)(void));
/* Random operations against a naive model; every answer and event is compared. 0 when all
 * agree, else the step that did not, after a line on stderr. */
int store_contract_random(store *(*make)(void), uint64_t seed, int steps);

#endif
