/* The two OpenID documents about the service account issuer: what the keys are, and where. */
#include "access/config.h"
#include "access/text.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "server.h"

slice access_jwks(server *s, arena *a) {
  const jwt_key_list *keys = &s->access->keys;
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  buf_lit(&b, "{\"keys\":[");
  for (uint32_t i = 0; i < keys->count; i++) {
    if (i) buf_char(&b, ',');
    jwt_key_jwk(&b, &keys->items[i]);
  }
  buf_lit(&b, "]}");
  return text_take(a, &b);
}

/* The algorithms in use, sorted: ES before RS, each once. */
static void put_algs(buf *b, const jwt_key_list *keys) {
  static const char *const algs[] = {"ES256", "ES384", "ES512", "RS256"};
  bool first = true;
  for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++) {
    uint32_t k = 0;
    while (k < keys->count && strcmp(keys->items[k].alg, algs[i]) != 0) k++;
    if (k == keys->count) continue;
    buf_printf(b, "%s\"%s\"", first ? "" : ",", algs[i]);
    first = false;
  }
}

slice access_openid_configuration(server *s, arena *a) {
  const access_config *c = s->access;
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  buf_lit(&b, "{\"issuer\":");
  json_encode_string(&b, c->issuer_count ? c->issuers[0] : SLICE_NONE);
  buf_printf(&b, ",\"jwks_uri\":\"https://%.*s:%d/openid/v1/jwks\"",
             SLICE_ARG(s->options.advertise_address), s->options.secure_port);
  buf_lit(&b,
          ",\"response_types_supported\":[\"id_token\"],\"subject_types_supported\":[\"public\"],"
          "\"id_token_signing_alg_values_supported\":[");
  put_algs(&b, &c->keys);
  buf_lit(&b, "]}");
  return text_take(a, &b);
}
