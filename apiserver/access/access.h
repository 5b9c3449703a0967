/* access: who asks, and whether they may. Order: authentication, (audit), impersonation,
 * (flow control), authorization. */
#ifndef APISIM_ACCESS_ACCESS_H
#define APISIM_ACCESS_ACCESS_H

#include "base/val.h"
#include "request/request.h"

typedef struct access_config access_config;

/* Paths may be empty. mode: "Node,RBAC", "RBAC", "AlwaysAllow", "AlwaysDeny"... False with
 * *problem for a file that can't be read or a mode that is unknown. The files are handed in
 * as bytes: reading them is the caller's (sim/) business. */
typedef struct access_options {
  slice token_file; /* CSV of --token-auth-file */
  slice client_ca_pem;
  slice authorization_modes; /* comma separated */
  slice sa_public_keys_pem; /* concatenated --service-account-key-file contents */
  slice sa_signing_key_pem;
  const slice *issuers;
  uint32_t issuer_count;
  const slice *api_audiences;
  uint32_t audience_count;
  bool anonymous;
  int64_t sa_max_expiration_s;
} access_options;

access_config *access_create(const access_options *o, slice *problem);
void access_destroy(access_config *c);
/* Drops what was read from the store, which has been put back to another state. */
void access_forget(access_config *c);

/* Fills rq->user. False with rq->error (401 Unauthorized). */
bool access_authenticate(request *rq);
/* Impersonate-* headers; false with rq->error. */
bool access_impersonate(request *rq);
/* False with rq->error (403 in the real words). */
bool access_authorize(request *rq);

typedef struct access_attributes { /* of a question, for reviews and escalation checks */
  user_info user;
  slice verb, namespace, group, version, resource, subresource, name, path;
  bool is_resource;
  slice field_selector; /* raw, of a node's list, watch or deletecollection; else empty */
} access_attributes;
typedef enum access_decision { ACCESS_DENY, ACCESS_ALLOW, ACCESS_NO_OPINION } access_decision;
access_decision access_decide(server *s, arena *a, const access_attributes *q, slice *reason);

/* The 403 of a denied question, in rq->error; returns false. */
bool access_forbidden(request *rq, const access_attributes *q, slice reason);

/* Create handlers of the virtual kinds; each fills and returns the answer object. */
val *access_token_review(request *rq, val *review);
val *access_subject_review(request *rq, val *review); /* all four authorization kinds */
val *access_self_subject_review(request *rq, val *review);
/* serviceaccounts/token: a signed TokenRequest for the given ServiceAccount. */
val *access_token_request(request *rq, const val *service_account, val *token_request);
/* RBAC writes may not grant more than the writer has: false with rq->error. */
bool access_check_escalation(request *rq, const val *obj, const val *old);

/* /openid/v1/jwks and /.well-known/openid-configuration bodies. */
slice access_jwks(server *s, arena *a);
slice access_openid_configuration(server *s, arena *a);

#endif
