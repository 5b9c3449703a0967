/* authn: the ways to prove who one is. Each gives AUTHN_NO_OPINION when its credential is not
 * there or not its kind, AUTHN_ERROR with a text (which only TokenReview shows). */
#ifndef APISIM_ACCESS_AUTHN_H
#define APISIM_ACCESS_AUTHN_H

#include "access/config.h"

typedef enum authn_outcome { AUTHN_OK, AUTHN_NO_OPINION, AUTHN_ERROR } authn_outcome;

typedef struct authn_result {
  user_info user; /* without system:authenticated, which is added last */
  const slice *audiences; /* that the credential and the asker share */
  uint32_t audience_count;
  slice error;
  slice warning; /* for the client that used the credential; may be empty */
} authn_result;

/* What a credential is checked against. */
typedef struct authn_context {
  server *server;
  const access_config *config;
  arena *arena;
  int64_t wall_ns;
  const slice *audiences; /* asked for; the server's own unless a TokenReview says otherwise */
  uint32_t audience_count;
} authn_context;

authn_outcome authn_certificate(const authn_context *x, slice der, authn_result *out);
/* A bearer token of any kind: the token file, service accounts. */
authn_outcome authn_token(const authn_context *x, slice token, authn_result *out);
authn_outcome authn_service_account(const authn_context *x, slice token, authn_result *out);

/* The issuer of tokens that live in Secrets, made by the token controller. */
#define LEGACY_ISSUER SLICE_LIT("kubernetes/serviceaccount")
/* Such a token, its signature and audiences checked: the Secret and its account must still be
 * there. Labels the Secret with the day of its last use. */
authn_outcome authn_legacy_token(const authn_context *x, slice token, const val *claims,
                                 authn_result *out);
/* Unless it says what it is already. */
user_info authn_add_group(arena *a, const user_info *u);
/* The entries of a that b has too, in a's order. */
const slice *audiences_shared(arena *a, const slice *x, uint32_t nx, const slice *y, uint32_t ny,
                              uint32_t *count);
authn_context authn_context_of(request *rq);

#endif
