/* What is not there yet: answers that do no harm. */
#include "access/authn.h"

bool access_check_escalation(request *rq, const val *obj, const val *old) {
  (void)rq, (void)obj, (void)old;
  return true;
}
