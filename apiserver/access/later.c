/* What is not there yet: answers that do no harm. */
#include "access/authn.h"

bool access_impersonate(request *rq) {
  (void)rq;
  return true;
}
val *access_token_review(request *rq, val *review) { (void)rq; return review; }
val *access_subject_review(request *rq, val *review) { (void)rq; return review; }
val *access_self_subject_review(request *rq, val *review) { (void)rq; return review; }
bool access_check_escalation(request *rq, const val *obj, const val *old) {
  (void)rq, (void)obj, (void)old;
  return true;
}
