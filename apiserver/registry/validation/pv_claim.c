/* stub */
#include "registry/validation/pod_checks.h"
void claim_spec_validate(field_errors *e, const path *p, const val *spec, const val *old_spec) { (void)e; (void)p; (void)spec; (void)old_spec; }
