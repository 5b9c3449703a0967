/* JWT on OpenSSL's signatures. The payload is looked at before the signature only to find
 * the issuer, as the real server does. */
#include "access/jwt.h"

#include "codec/codec.h"

#include <assert.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>

enum { SIGNATURE_MAX = 2048, JWT_DEPTH_BYTES = 1 << 20 };

static val *part_json(arena *a, slice part) {
  slice text, error;
  if (!base64url_decode(a, part, &text)) return NULL;
  val *v = json_parse(a, text, NULL, &error);
  return val_is_map(v) ? v : NULL;
}

bool jwt_open(arena *a, slice text, jwt *out) {
  slice header, payload, signature, rest;
  if (text.len > JWT_DEPTH_BYTES) return false;
  if (!slice_cut(text, '.', &header, &rest)) return false;
  if (!slice_cut(rest, '.', &payload, &signature)) return false;
  if (slice_find_char(signature, '.') >= 0) return false;
  *out = (jwt){.claims = part_json(a, payload)};
  if (!out->claims) return false;
  out->issuer = val_get_str(out->claims, "iss");
  val *head = part_json(a, header);
  if (!head || !base64url_decode(a, signature, &out->signature)) return false;
  out->alg = val_get_str(head, "alg");
  out->kid = val_get_str(head, "kid");
  out->signed_part = slice_upto(text, header.len + 1 + payload.len);
  return true;
}

static const EVP_MD *digest_of(slice alg) {
  slice bits = slice_from(alg, 2);
  if (slice_is(bits, "256")) return EVP_sha256();
  if (slice_is(bits, "384")) return EVP_sha384();
  return slice_is(bits, "512") ? EVP_sha512() : NULL;
}

/* An ECDSA signature is r and s side by side in JWT, and DER for OpenSSL. */
static size_t ec_to_der(slice raw, unsigned char *der) {
  if (raw.len == 0 || raw.len % 2 || raw.len > 132) return 0;
  const unsigned char *p = (const unsigned char *)raw.ptr;
  int half = (int)(raw.len / 2);
  ECDSA_SIG *sig = ECDSA_SIG_new();
  ECDSA_SIG_set0(sig, BN_bin2bn(p, half, NULL), BN_bin2bn(p + half, half, NULL));
  int len = i2d_ECDSA_SIG(sig, NULL);
  if (len > 0 && len <= SIGNATURE_MAX) i2d_ECDSA_SIG(sig, &der);
  ECDSA_SIG_free(sig);
  return len > 0 && len <= SIGNATURE_MAX ? (size_t)len : 0;
}

static size_t ec_from_der(const jwt_key *k, const unsigned char *der, size_t len,
                          unsigned char *raw) {
  ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
  assert(sig);
  int half = (EVP_PKEY_get_bits(k->pkey) + 7) / 8;
  BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, half);
  BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + half, half);
  ECDSA_SIG_free(sig);
  return 2 * (size_t)half;
}

bool jwt_verify(const jwt *t, const jwt_key *key) {
  bool ec = key->alg[0] == 'E';
  if (t->alg.len != 5 || t->alg.ptr[1] != 'S' || t->alg.ptr[0] != key->alg[0]) return false;
  if (ec && !slice_is(t->alg, key->alg)) return false;
  const EVP_MD *md = digest_of(t->alg);
  unsigned char der[SIGNATURE_MAX];
  const unsigned char *sig = (const unsigned char *)t->signature.ptr;
  size_t len = t->signature.len;
  if (ec) {
    sig = der;
    len = ec_to_der(t->signature, der);
  }
  if (!md || len == 0) return false;
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  bool good = EVP_DigestVerifyInit(ctx, NULL, md, NULL, key->pkey) == 1 &&
              EVP_DigestVerify(ctx, sig, len, (const unsigned char *)t->signed_part.ptr,
                               t->signed_part.len) == 1;
  EVP_MD_CTX_free(ctx);
  ERR_clear_error();
  return good;
}

slice jwt_sign(arena *a, const jwt_key *key, slice claims_json) {
  slice head = arena_printf(a, "{\"alg\":\"%s\",\"kid\":\"%.*s\"}", key->alg, SLICE_ARG(key->kid));
  head = base64url_encode(a, head);
  slice body = base64url_encode(a, claims_json);
  slice part = arena_printf(a, "%.*s.%.*s", SLICE_ARG(head), SLICE_ARG(body));
  unsigned char sig[SIGNATURE_MAX], raw[SIGNATURE_MAX];
  size_t len = sizeof sig;
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  int good = EVP_DigestSignInit(ctx, NULL, digest_of(slice_cstr(key->alg)), NULL, key->pkey) == 1 &&
             EVP_DigestSign(ctx, sig, &len, (const unsigned char *)part.ptr, part.len) == 1;
  EVP_MD_CTX_free(ctx);
  assert(good);
  (void)good;
  bool ec = key->alg[0] == 'E';
  if (ec) len = ec_from_der(key, sig, len, raw);
  slice text = base64url_encode(a, slice_of((const char *)(ec ? raw : sig), len));
  return arena_printf(a, "%.*s.%.*s", SLICE_ARG(part), SLICE_ARG(text));
}

bool jwt_date(const val *claims, const char *name, int64_t *seconds) {
  const val *v = val_getc(claims, name);
  if (val_is_int(v)) {
    *seconds = val_i64(v);
    return true;
  }
  if (!val_is_float(v) || !(v->u.f > -9e18 && v->u.f < 9e18)) return false;
  *seconds = (int64_t)v->u.f;
  return true;
}
