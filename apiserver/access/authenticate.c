/* Authentication: client certificate, bearer token, WebSocket bearer, then anonymous. One
 * that succeeds is enough; one that fails spoils it only when none succeeds. Rule:
 * kubernetes pkg/kubeapiserver/authenticator/config.go. */
#include "access/authn.h"
#include "access/text.h"
#include "codec/codec.h"
#include "server.h"

#include <assert.h>

user_info authn_add_group(arena *a, const user_info *u) {
  if (slice_eq(u->name, USER_ANONYMOUS) || user_has_group(u, GROUP_AUTHENTICATED) ||
      user_has_group(u, GROUP_UNAUTHENTICATED)) {
    return *u;
  }
  return user_with_group(a, u, GROUP_AUTHENTICATED);
}

const slice *audiences_shared(arena *a, const slice *x, uint32_t nx, const slice *y, uint32_t ny,
                              uint32_t *count) {
  slice *out = ARENA_ARRAY(a, slice, nx ? nx : 1);
  *count = 0;
  for (uint32_t i = 0; i < nx; i++) {
    uint32_t j = 0;
    while (j < ny && !slice_eq(x[i], y[j])) j++;
    if (j < ny) out[(*count)++] = x[i];
  }
  return out;
}

/* Credentials that say nothing of audiences are good for the server's own. */
static authn_outcome audience_agnostic(const authn_context *x, authn_result *out) {
  const access_config *c = x->config;
  out->audiences = audiences_shared(x->arena, c->audiences, c->audience_count, x->audiences,
                                    x->audience_count, &out->audience_count);
  return out->audience_count || !x->audience_count || !c->audience_count ? AUTHN_OK
                                                                         : AUTHN_NO_OPINION;
}

authn_outcome authn_token(const authn_context *x, slice token, authn_result *out) {
  const user_info *known = token_table_find(&x->config->tokens, token);
  if (known) {
    out->user = *known;
    if (audience_agnostic(x, out) == AUTHN_OK) return AUTHN_OK;
  }
  return authn_service_account(x, token, out);
}

/* The token of "Bearer TOKEN"; empty when there is none. */
static slice bearer_token(request *rq) {
  slice header = slice_trim(http_header_get(rq->http, "Authorization")), scheme, rest, token;
  if (!slice_cut(header, ' ', &scheme, &rest)) return SLICE_NONE;
  if (!slice_eq_nocase(scheme, SLICE_LIT("bearer"))) return SLICE_NONE;
  bool more = slice_cut(rest, ' ', &token, &rest);
  if (token.len == 0 && more) {
    request_warn(rq, SLICE_LIT("the provided Authorization header contains extra space before "
                               "the bearer token, and is ignored"));
  }
  return token;
}

/* A browser can't set headers on a WebSocket: its token comes as a subprotocol. */
static slice websocket_token(request *rq) {
  slice prefix = SLICE_LIT("base64url.bearer.authorization.k8s.io."), item, token;
  slice rest = http_header_get(rq->http, "Sec-WebSocket-Protocol");
  if (!slice_eq_nocase(http_header_get(rq->http, "Upgrade"), SLICE_LIT("websocket"))) {
    return SLICE_NONE;
  }
  while (rest.len) {
    slice_cut(rest, ',', &item, &rest);
    item = slice_trim(item);
    if (!slice_has_prefix(item, prefix)) continue;
    return base64url_decode(rq->arena, slice_from(item, prefix.len), &token) ? token : SLICE_NONE;
  }
  return SLICE_NONE;
}

authn_context authn_context_of(request *rq) {
  const access_config *c = rq->server->access;
  return (authn_context){.server = rq->server, .config = c, .arena = rq->arena,
                         .wall_ns = rq->wall_ns, .audiences = c->audiences,
                         .audience_count = c->audience_count};
}

static bool succeed(request *rq, const authn_result *r) {
  if (r->warning.len) request_warn(rq, r->warning);
  rq->user = authn_add_group(rq->arena, &r->user);
  return true;
}

bool access_authenticate(request *rq) {
  authn_context x = authn_context_of(rq);
  authn_result r = {0};
  const env_peer *peer = rq->http->peer;
  bool failed = peer && peer->client_cert_bad; /* one that does not verify is an error */
  if (peer && peer->client_cert_der.len) {
    authn_outcome o = authn_certificate(&x, peer->client_cert_der, &r);
    if (o == AUTHN_OK) return succeed(rq, &r);
    failed = failed || o == AUTHN_ERROR;
  }
  slice tokens[] = {bearer_token(rq), websocket_token(rq)};
  for (size_t i = 0; i < 2; i++) {
    if (tokens[i].len == 0) continue;
    r = (authn_result){0};
    if (authn_token(&x, tokens[i], &r) == AUTHN_OK) return succeed(rq, &r);
    failed = true; /* a token that nobody knows is an error too */
  }
  if (failed || !x.config->anonymous) {
    return status_set(&rq->error, rq->arena, STATUS_UNAUTHORIZED, "Unauthorized");
  }
  slice *groups = ARENA_NEW(rq->arena, slice);
  *groups = GROUP_UNAUTHENTICATED;
  rq->user = (user_info){.name = USER_ANONYMOUS, .groups = groups, .group_count = 1};
  return true;
}
