/* PodCertificateRequests, which are off by default.
 * Source: pkg/apis/certificates/validation. */
#include "registry/validation/certificates.h"
#include "registry/validation/checks.h"
#include "registry/validation/pem_block.h"
#include "registry/validation/rows.h"

#include "codec/codec.h"
#include "registry/object.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#define KEY_MAX (10 * 1024)
#define CHAIN_MAX (100 * 1024)
#define UID_MAX 128
#define SECONDS_MIN 3600
#define SECONDS_MAX (91 * 24 * 3600)
#define KUBERNETES_SECONDS_MAX (24 * 3600)

/* Go's OmitValueType: the type's words and the detail, no value. */
static void invalid_omitted(field_errors *e, const path *p, const char *detail) {
  field_error_add(e, FIELD_INVALID, path_text(e->a, p),
                  arena_printf(e->a, "Invalid value: %s", detail));
}

/* Why such a key is not taken, or NULL; *shown is the bad value then, and may stay empty. */
static const char *key_problem(EVP_PKEY *key, slice *shown, arena *a) {
  char curve[64] = "";
  size_t len = 0;
  int bits = EVP_PKEY_get_bits(key), kind = EVP_PKEY_get_base_id(key);
  if (kind == EVP_PKEY_ED25519) return NULL;
  if (kind == EVP_PKEY_EC) {
    EVP_PKEY_get_group_name(key, curve, sizeof curve, &len);
    if (bits == 256 || bits == 384 || bits == 521) return NULL;
    *shown = arena_printf(a, "curve P-%d", bits);
    return "elliptic public keys must use curve P256, P384, or P521";
  }
  if (kind == EVP_PKEY_RSA) {
    if (bits == 3072 || bits == 4096) return NULL;
    *shown = arena_printf(a, "%d-bit modulus", bits);
    return "RSA keys must have modulus size 3072 or 4096";
  }
  return "unknown public key type; supported types are Ed25519, ECDSA, and RSA";
}

static void key_told(field_errors *e, const path *p, const char *why, slice shown) {
  if (shown.len) field_invalid_str(e, p, shown, "%s", why);
  else invalid_omitted(e, p, why);
}

static void request_check(field_errors *e, const path *spec, slice base64) {
  path p = path_child(spec, "stubPKCS10Request");
  slice der = SLICE_LIT(""), shown = SLICE_NONE;
  base64_decode(e->a, base64, &der);
  if (der.len > KEY_MAX) {
    field_too_long(e, &p, KEY_MAX);
    return;
  }
  const unsigned char *at = (const unsigned char *)der.ptr;
  X509_REQ *req = d2i_X509_REQ(NULL, &at, (long)der.len);
  EVP_PKEY *key = req ? X509_REQ_get0_pubkey(req) : NULL;
  bool whole = req && at == (const unsigned char *)der.ptr + der.len;
  const char *why = whole && key ? key_problem(key, &shown, e->a) : "must be a valid PKCS#10 CSR";
  if (why) key_told(e, &p, why, shown);
  else if (X509_REQ_verify(req, key) != 1) invalid_omitted(e, &p, "invalid signature");
  X509_REQ_free(req);
  ERR_clear_error();
}

/* The pod's uid, signed by the key. */
static bool possession_proved(EVP_PKEY *key, slice uid, slice signature) {
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  EVP_PKEY_CTX *options = NULL;
  int kind = EVP_PKEY_get_base_id(key);
  const EVP_MD *hash = kind == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
  bool good = ctx && EVP_DigestVerifyInit(ctx, &options, hash, NULL, key) == 1;
  if (good && kind == EVP_PKEY_RSA) {
    good = EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_AUTO) == 1;
  }
  good = good && EVP_DigestVerify(ctx, (const unsigned char *)signature.ptr, signature.len,
                                  (const unsigned char *)uid.ptr, uid.len) == 1;
  EVP_MD_CTX_free(ctx);
  return good;
}

static void public_key_check(field_errors *e, const path *spec, const val *s) {
  path p = path_child(spec, "pkixPublicKey"), proof = path_child(spec, "proofOfPossession");
  slice der = SLICE_LIT(""), signature = SLICE_LIT(""), shown = SLICE_NONE;
  base64_decode(e->a, val_get_str(s, "pkixPublicKey"), &der);
  base64_decode(e->a, val_get_str(s, "proofOfPossession"), &signature);
  if (der.len > KEY_MAX || signature.len > KEY_MAX) {
    field_too_long(e, der.len > KEY_MAX ? &p : &proof, KEY_MAX);
    return;
  }
  const unsigned char *at = (const unsigned char *)der.ptr;
  EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)der.len);
  const char *why = key ? key_problem(key, &shown, e->a) : NULL;
  if (!key) {
    field_invalid(e, &p, val_getc(s, "pkixPublicKey"),
                  "must be a valid PKIX-serialized public key");
  } else if (why) {
    key_told(e, &p, why, shown.len ? shown : val_get_str(s, "pkixPublicKey"));
  } else if (!possession_proved(key, val_get_str(s, "podUID"), signature)) {
    invalid_omitted(e, &proof, "could not verify proof-of-possession signature");
  }
  EVP_PKEY_free(key);
  ERR_clear_error();
}

static void owner_check(field_errors *e, const path *spec, const val *s, const char *name_key,
                        const char *uid_key) {
  path name = path_child(spec, name_key), uid = path_child(spec, uid_key);
  slice id = val_get_str(s, uid_key);
  text_check(e, &name, TEXT_DNS1123_SUBDOMAIN, val_get_str(s, name_key));
  if (id.len == 0) field_invalid_str(e, &uid, SLICE_LIT(""), "must not be empty");
  if (id.len > UID_MAX) field_too_long(e, &uid, UID_MAX);
}

int signer_seconds_max(slice signer) {
  slice host, rest;
  slice_cut(signer, '/', &host, &rest);
  bool own = slice_is(host, "kubernetes.io") ||
             slice_has_suffix(host, SLICE_LIT(".kubernetes.io"));
  return own ? KUBERNETES_SECONDS_MAX : SECONDS_MAX;
}

/* False: nothing more is looked at. */
static bool lifetime_check(field_errors *e, const path *spec, const val *s) {
  path p = path_child(spec, "maxExpirationSeconds");
  const val *n = val_getc(s, "maxExpirationSeconds");
  if (!n) {
    field_required(e, &p, "must be set");
    return false;
  }
  int most = signer_seconds_max(val_get_str(s, "signerName"));
  if (val_i64(n) < SECONDS_MIN || val_i64(n) > most) {
    field_invalid(e, &p, n, "must be in the range [%d, %d]", SECONDS_MIN, most);
  }
  return true;
}

/* "acme.io/foo". */
static void domain_key_check(field_errors *e, const path *p, slice key) {
  if (!required_str(e, p, key) || !text_check(e, p, TEXT_LABEL_KEY, key)) return;
  if (slice_find_char(key, '/') >= 0) return;
  field_invalid_str(e, p, key, "must be a domain-prefixed key (such as \"acme.io/foo\")");
}

static void annotations_check(field_errors *e, const path *p, const val *annotations) {
  VAL_EACH(note, annotations) domain_key_check(e, p, arena_lower(e->a, note->key));
}

void user_annotations_check(field_errors *e, const path *p, const val *annotations) {
  path at = path_child(p, "userAnnotations");
  annotations_check(e, &at, annotations);
}

static void pod_request_check(field_errors *e, const val *s) {
  path spec = path_root("spec"), signer = path_child(&spec, "signerName"),
       notes = path_child(&spec, "unverifiedUserAnnotations");
  signer_name_check(e, &signer, val_get_str(s, "signerName"));
  annotations_check(e, &notes, val_getc(s, "unverifiedUserAnnotations"));
  owner_check(e, &spec, s, "podName", "podUID");
  owner_check(e, &spec, s, "serviceAccountName", "serviceAccountUID");
  owner_check(e, &spec, s, "nodeName", "nodeUID");
  if (!lifetime_check(e, &spec, s)) return;
  bool stub = val_get_str(s, "stubPKCS10Request").len > 0;
  bool key = val_get_str(s, "pkixPublicKey").len > 0;
  bool proof = val_get_str(s, "proofOfPossession").len > 0;
  if (stub && !key && !proof) request_check(e, &spec, val_get_str(s, "stubPKCS10Request"));
  else if (!stub && key && proof) public_key_check(e, &spec, s);
  else {
    invalid_omitted(e, &spec,
                    "exactly one of (stubPKCS10Request) or (pkixPublicKey, proofOfPossession) must "
                    "be set");
  }
}

static const char *const outcomes[] = {"Issued", "Denied", "Failed", NULL};

static slice outcome_of(const val *obj) {
  const val *list = val_path(obj, "status.conditions");
  for (uint32_t i = 0; i < val_len(list); i++) {
    slice type = val_get_str(val_at(list, i), "type");
    bool named = str_in(type, outcomes);
    if (named && slice_is(val_get_str(val_at(list, i), "status"), "True")) return type;
  }
  return SLICE_NONE;
}

/* Its paths have a dot in front of the index, as the real server's. */
static void outcomes_check(field_errors *e, const val *list) {
  path status = path_root("status"), conditions = path_child(&status, "conditions");
  uint32_t known = 0;
  for (uint32_t i = 0; i < val_len(list); i++) {
    slice place = arena_printf(e->a, "[%u]", i);
    path at = path_child_slice(&conditions, place), type_at = path_child(&at, "type"),
         state_at = path_child(&at, "status");
    const val *c = val_at(list, i);
    slice type = val_get_str(c, "type");
    if (!str_in(type, outcomes)) {
      field_not_supported(e, &type_at, val_string(e->a, type), outcomes);
      continue;
    }
    if (++known > 1) {
      field_invalid_str(e, &type_at, type,
                        "There may be at most one condition with type \"Issued\", \"Denied\", or "
                        "\"Failed\"");
    }
    enum_check(e, &state_at, val_get_str(c, "status"), (const char *const[]){"True", NULL});
  }
  conditions_validate(e, &conditions, list);
}

/* The leaf of an issued chain belongs to the key that was asked for. */
static bool leaf_fits(arena *a, X509 *leaf, const val *spec) {
  slice der = SLICE_LIT("");
  EVP_PKEY *wanted = NULL, *own = X509_get0_pubkey(leaf);
  bool stub = val_get_str(spec, "stubPKCS10Request").len > 0;
  base64_decode(a, val_get_str(spec, stub ? "stubPKCS10Request" : "pkixPublicKey"), &der);
  const unsigned char *at = (const unsigned char *)der.ptr;
  if (stub) {
    X509_REQ *req = d2i_X509_REQ(NULL, &at, (long)der.len);
    wanted = req ? X509_REQ_get_pubkey(req) : NULL;
    X509_REQ_free(req);
  } else {
    wanted = d2i_PUBKEY(NULL, &at, (long)der.len);
  }
  bool same = wanted && own && EVP_PKEY_eq(wanted, own) == 1;
  EVP_PKEY_free(wanted);
  return same;
}

static bool times_check(field_errors *e, const val *status) {
  static const char *const needed[][2] = {
      {"notBefore", "must be present and consistent with the issued certificate"},
      {"notAfter", "must be present and consistent with the issued certificate"},
      {"beginRefreshAt", "must be present and in the range [notbefore+10min, notafter-10min]"}};
  path root = path_root("status");
  uint32_t before = e->count;
  for (size_t i = 0; i < 3; i++) {
    path at = path_child(&root, needed[i][0]);
    if (!val_getc(status, needed[i][0])) field_required(e, &at, "%s", needed[i][1]);
  }
  return e->count == before;
}

/* The first block of the chain. */
static void chain_check(const validate_args *v, const val *status) {
  field_errors *e = v->errs;
  path root = path_root("status"), p = path_child(&root, "certificateChain");
  slice pem = val_get_str(status, "certificateChain");
  pem_block b = {0};
  const char *why = NULL;
  X509 *leaf = NULL;
  if (pem.len > CHAIN_MAX) {
    field_too_long(e, &p, CHAIN_MAX);
    return;
  }
  BIO *bio = BIO_new_mem_buf(pem.len ? pem.ptr : "", (int)pem.len);
  if (!bio || !pem_block_read(bio, &b)) {
    why = "issued certificate chain must contain at least one certificate";
  } else if (strcmp(b.name, "CERTIFICATE") != 0) {
    why = "issued certificate chain must consist entirely of CERTIFICATE PEM blocks";
  } else {
    const unsigned char *at = b.bytes;
    leaf = d2i_X509(NULL, &at, b.size);
    if (!leaf) why = "leaf certificate does not parse as valid X.509";
    else if (!leaf_fits(e->a, leaf, val_getc(v->old, "spec"))) {
      why = "leaf certificate was not issued to the requested public key";
    }
  }
  if (why) field_invalid_str(e, &p, pem, "%s", why);
  else times_check(e, status);
  X509_free(leaf);
  pem_block_free(&b);
  BIO_free(bio);
  ERR_clear_error();
}

static void pod_status_check(const validate_args *v) {
  field_errors *e = v->errs;
  path status = path_root("status");
  const val *now = val_getc(v->obj, "status"), *was = val_getc(v->old, "status");
  meta_change(v);
  if (e->count) return;
  outcomes_check(e, val_getc(now, "conditions"));
  if (e->count) return;
  slice outcome = outcome_of(v->obj);
  if (outcome_of(v->old).len) {
    if (!val_same(now, was)) {
      invalid_omitted(e, &status,
                      "immutable after PodCertificateRequest is issued, denied, or failed");
    }
  } else if (slice_is(outcome, "Denied") || slice_is(outcome, "Failed")) {
    if (val_len(now) > 1) {
      invalid_omitted(e, &status,
                      "non-condition status fields must be empty when denying or failing the "
                      "PodCertificateRequest");
    }
  } else if (outcome.len) {
    chain_check(v, now);
  } else if (!val_same(now, was)) {
    invalid_omitted(e, &status,
                    "status is immutable unless transitioning to \"Issued\", \"Denied\", or "
                    "\"Failed\"");
  }
}

void validate_pod_certificate(const validate_args *v) {
  path spec = path_root("spec");
  if (slice_is(v->subresource, "status")) {
    pod_status_check(v);
    return;
  }
  if (v->old) {
    meta_change(v);
    immutable_struct_check(v->errs, &spec, val_getc(v->obj, "spec"), val_getc(v->old, "spec"),
                           field_type(v, "spec"));
    return;
  }
  meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  pod_request_check(v->errs, val_getc(v->obj, "spec"));
}
