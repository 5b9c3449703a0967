/* Which known bug is on; only in builds that have them. */
#include "base/mutant.h"

#ifdef APISIM_MUTANTS
uint32_t mutant_chosen;
#endif
