/* CertificateSigningRequests. Source: pkg/apis/certificates/validation. What OpenSSL can't parse is
 * named with few of the words that Go's parser has. */
#include "registry/validation/certificates.h"
#include "registry/validation/checks.h"
#include "registry/validation/rows.h"

#include "codec/codec.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define SHORTEST_SECONDS 600

static const char *const usages[] = {"any",
                                     "cert sign",
                                     "client auth",
                                     "code signing",
                                     "content commitment",
                                     "crl sign",
                                     "data encipherment",
                                     "decipher only",
                                     "digital signature",
                                     "email protection",
                                     "encipher only",
                                     "ipsec end system",
                                     "ipsec tunnel",
                                     "ipsec user",
                                     "key agreement",
                                     "key encipherment",
                                     "microsoft sgc",
                                     "netscape sgc",
                                     "ocsp signing",
                                     "s/mime",
                                     "server auth",
                                     "signing",
                                     "timestamping",
                                     NULL};
static const char *const true_types[] = {"Approved", "Denied", "Failed", NULL};
static const char *const statuses[] = {"False", "True", "Unknown", NULL};

/* Why the request is none, or NULL. */
static const char *request_problem(arena *a, slice base64) {
  slice pem = SLICE_NONE;
  char *name = NULL, *header = NULL;
  unsigned char *bytes = NULL;
  long size = 0;
  const char *why = "PEM block type must be CERTIFICATE REQUEST";
  if (!base64_decode(a, base64, &pem) || pem.len == 0 || pem.len > INT32_MAX) return why;
  BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
  if (bio && PEM_read_bio(bio, &name, &header, &bytes, &size) &&
      slice_is(slice_cstr(name), "CERTIFICATE REQUEST")) {
    const unsigned char *at = bytes;
    X509_REQ *req = d2i_X509_REQ(NULL, &at, size);
    EVP_PKEY *key = req ? X509_REQ_get0_pubkey(req) : NULL;
    if (!req)
      why = "asn1: structure error: tags don't match";
    else if (at != bytes + size)
      why = "asn1: syntax error: trailing data";
    else if (!key || X509_REQ_verify(req, key) != 1)
      why = "x509: signature verification failed";
    else
      why = NULL;
    X509_REQ_free(req);
  }
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_free(bytes);
  BIO_free(bio);
  ERR_clear_error();
  return why;
}

/* Why the certificates are none, or NULL: PEM blocks of certificates, without headers. */
static slice certificate_problem(arena *a, slice base64) {
  slice pem = SLICE_NONE, why = SLICE_NONE;
  if (base64.len == 0) return why;
  if (!base64_decode(a, base64, &pem) || pem.len > INT32_MAX)
    return SLICE_LIT("must contain at least one CERTIFICATE PEM block");
  BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
  char *name = NULL, *header = NULL;
  unsigned char *bytes = NULL;
  long size = 0;
  int blocks = 0;
  while (bio && !why.len && PEM_read_bio(bio, &name, &header, &bytes, &size)) {
    const unsigned char *at = bytes;
    X509 *x = NULL;
    if (!slice_is(slice_cstr(name), "CERTIFICATE")) {
      why = arena_printf(a, "only CERTIFICATE PEM blocks are allowed, found \"%s\"", name);
    } else if (header[0]) {
      why = SLICE_LIT("no PEM block headers are permitted");
    } else if (!(x = d2i_X509(NULL, &at, size))) {
      why = SLICE_LIT("x509: malformed certificate");
    }
    blocks++;
    X509_free(x);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(bytes);
  }
  BIO_free(bio);
  ERR_clear_error();
  return !blocks ? SLICE_LIT("must contain at least one CERTIFICATE PEM block") : why;
}

/* Labels of one half of a signer's name; the first bad one ends it. */
static void labels_check(field_errors *errs, const path *p, slice half, text_rule rule) {
  slice rest = half, head, texts[4];
  for (bool more = true; more;) {
    more = slice_cut(rest, '.', &head, &rest);
    uint32_t n = text_problems(errs->a, rule, head, false, texts);
    for (uint32_t i = 0; i < n; i++) {
      field_invalid_str(errs, p, half, "validating label \"%.*s\": %.*s", SLICE_ARG(head),
                        SLICE_ARG(texts[i]));
    }
    if (n) return;
  }
}

void signer_name_check(field_errors *errs, const path *p, slice name) {
  slice domain, tail;
  if (!required_str(errs, p, name)) return;
  if (!slice_cut(name, '/', &domain, &tail) || slice_find_char(tail, '/') >= 0) {
    field_invalid_str(
        errs, p, name,
        "must be a fully qualified domain and path of the form 'example.com/signer-name'");
    return;
  }
  if (domain.len > 253) field_too_long(errs, p, 253);
  labels_check(errs, p, domain, TEXT_DNS1123_LABEL);
  if (slice_find_char(domain, '.') < 0) {
    field_invalid_str(errs, p, domain,
                      "should be a domain with at least two segments separated by dots");
  }
  labels_check(errs, p, tail, TEXT_DNS1123_SUBDOMAIN);
  size_t most = 253 + 63 + 1; /* a name and a label, as bundles combine them */
  if (tail.len > most) field_too_long(errs, p, (int64_t)most);
}

static void spec_check(const validate_args *v, const val *s) {
  path spec = path_root("spec"), request_at = path_child(&spec, "request"),
       usages_at = path_child(&spec, "usages"), signer = path_child(&spec, "signerName"),
       seconds = path_child(&spec, "expirationSeconds");
  const val *list = val_getc(s, "usages"), *n = val_getc(s, "expirationSeconds");
  const char *why = request_problem(v->errs->a, val_get_str(s, "request"));
  val *seen = val_map(v->errs->a);
  if (why) field_invalid(v->errs, &request_at, val_getc(s, "request"), "%s", why);
  if (val_len(list) == 0) field_required(v->errs, &usages_at, "%s", "");
  for (uint32_t i = 0; !v->old && i < val_len(list); i++) { /* an update can't change the spec */
    path p = path_index(&usages_at, i);
    enum_check(v->errs, &p, val_str(val_at(list, i)), usages);
  }
  for (uint32_t i = 0; !v->old && i < val_len(list); i++) {
    path p = path_index(&usages_at, i);
    if (seen_before(v->errs->a, seen, val_str(val_at(list, i))))
      field_duplicate(v->errs, &p, val_at(list, i));
  }
  if (!v->old && slice_is(val_get_str(s, "signerName"), "kubernetes.io/legacy-unknown")) {
    field_invalid(v->errs, &signer, val_getc(s, "signerName"),
                  "the legacy signerName is not allowed via this API version");
  } else {
    signer_name_check(v->errs, &signer, val_get_str(s, "signerName"));
  }
  if (n && val_i64(n) < SHORTEST_SECONDS) {
    field_invalid(v->errs, &seconds, n,
                  "may not specify a duration less than 600 seconds (10 minutes)");
  }
}

static uint32_t count_type(const val *list, slice type) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < val_len(list); i++)
    n += slice_eq(val_get_str(val_at(list, i), "type"), type);
  return n;
}

static bool repeats_types(arena *a, const val *list) {
  val *seen = val_map(a);
  for (uint32_t i = 0; i < val_len(list); i++) {
    slice type = val_get_str(val_at(list, i), "type");
    if (seen_before(a, seen, type.ptr ? type : SLICE_LIT(""))) return true;
  }
  return false;
}

static void conditions_check(const validate_args *v, const path *p, const val *list,
                             const val *was) {
  field_errors *errs = v->errs;
  bool both = count_type(was, SLICE_LIT("Approved")) && count_type(was, SLICE_LIT("Denied"));
  bool repeats = repeats_types(errs->a, was), empty = count_type(was, SLICE_LIT("")) > 0,
       approved = false, denied = false;
  val *seen = val_map(errs->a);
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(p, i), type_at = path_child(&at, "type"),
         status_at = path_child(&at, "status");
    slice type = val_get_str(val_at(list, i), "type"),
          status = val_get_str(val_at(list, i), "status");
    if (!empty) required_str(errs, &type_at, type);
    static const char *const only_true[] = {"True", NULL};
    if (required_str(errs, &status_at, status))
      enum_check(errs, &status_at, status, str_in(type, true_types) ? only_true : statuses);
    approved = approved || slice_is(type, "Approved");
    denied = denied || slice_is(type, "Denied");
    if (!both && approved && denied && (slice_is(type, "Approved") || slice_is(type, "Denied"))) {
      field_invalid_str(errs, p, type, "Approved and Denied conditions are mutually exclusive");
    }
    if (seen_before(errs->a, seen, type.ptr ? type : SLICE_LIT("")) && !repeats) {
      field_duplicate(errs, &type_at, val_string(errs->a, type));
    }
  }
}

static bool same_conditions(const val *a, const val *b, slice type) {
  uint32_t j = 0;
  for (uint32_t i = 0; i < val_len(a); i++) {
    if (!slice_eq(val_get_str(val_at(a, i), "type"), type)) continue;
    while (j < val_len(b) && !slice_eq(val_get_str(val_at(b, j), "type"), type)) j++;
    if (!val_equal(val_at(a, i), val_at(b, j++))) return false;
  }
  return true;
}

static void conditions_change_check(const validate_args *v, const path *p, const val *now,
                                    const val *was) {
  bool approval = slice_is(v->subresource, "approval");
  for (size_t i = 0; i < 3; i++) {
    if (count_type(now, slice_cstr(true_types[i])) < count_type(was, slice_cstr(true_types[i]))) {
      field_forbidden(v->errs, p, "updates may not remove a condition of type \"%s\"",
                      true_types[i]);
    }
  }
  for (size_t i = 0; !approval && i < 2; i++) {
    slice type = slice_cstr(true_types[i]);
    uint32_t n = count_type(now, type), m = count_type(was, type);
    if (n > m)
      field_forbidden(v->errs, p, "updates may not add a condition of type \"%s\"", true_types[i]);
    else if (n == m && !same_conditions(now, was, type)) {
      field_forbidden(v->errs, p, "updates may not modify a condition of type \"%s\"",
                      true_types[i]);
    }
  }
}

void validate_csr(const validate_args *v) {
  arena *a = v->errs->a;
  path status = path_root("status"), conditions = path_child(&status, "conditions"),
       certificate = path_child(&status, "certificate");
  const val *now = val_path(v->obj, "status.conditions"),
            *was = val_path(v->old, "status.conditions");
  slice cert = val_str(val_path(v->obj, "status.certificate")),
        old_cert = val_str(val_path(v->old, "status.certificate"));
  meta_rules(v, TEXT_ANY);
  spec_check(v, val_getc(v->obj, "spec"));
  conditions_check(v, &conditions, now, was);
  bool touched = !slice_eq(cert, old_cert);
  if (!v->old || (touched && !certificate_problem(a, old_cert).len)) {
    slice why = certificate_problem(a, cert);
    if (why.len)
      field_invalid_str(v->errs, &certificate, SLICE_LIT("<certificate data>"), "%.*s",
                        SLICE_ARG(why));
  }
  if (!v->old) return;
  conditions_change_check(v, &conditions, now, was);
  if (touched && !slice_is(v->subresource, "status")) {
    field_forbidden(v->errs, &certificate, "updates may not set certificate content");
  } else if (touched && old_cert.len) {
    field_forbidden(v->errs, &certificate, "updates may not modify existing certificate content");
  }
  meta_change(v);
}
