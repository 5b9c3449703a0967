/* time_added: see time_added.c. Called before the plugins, whichever of them are on. */
#ifndef APISIM_ADMISSION_TIME_ADDED_H
#define APISIM_ADMISSION_TIME_ADDED_H

#include "admission/admission.h"

void time_added_default(const admission_args *args);

#endif
