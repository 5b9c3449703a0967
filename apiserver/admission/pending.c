/* Plugins that are still to come. */
#include "admission/plugin.h"

bool resource_quota_validate(const admission_args *args) { return args != NULL; }
bool node_restriction_admit(const admission_args *args) { return args != NULL; }
