/* What is not there yet: answers that do no harm. */
#include "access/authn.h"

authn_outcome authn_service_account(const authn_context *x, slice token, authn_result *out) {
  (void)x, (void)token, (void)out;
  return AUTHN_NO_OPINION;
}
bool access_impersonate(request *rq) {
  (void)rq;
  return true;
}
val *access_token_review(request *rq, val *review) { (void)rq; return review; }
val *access_subject_review(request *rq, val *review) { (void)rq; return review; }
val *access_self_subject_review(request *rq, val *review) { (void)rq; return review; }
val *access_token_request(request *rq, const val *service_account, val *token_request) {
  (void)rq, (void)service_account;
  return token_request;
}
bool access_check_escalation(request *rq, const val *obj, const val *old) {
  (void)rq, (void)obj, (void)old;
  return true;
}
slice access_jwks(server *s, arena *a) { (void)s, (void)a; return SLICE_LIT("{\"keys\":[]}"); }
slice access_openid_configuration(server *s, arena *a) { (void)s, (void)a; return SLICE_LIT("{}"); }
