/* Client certificates: verified by the world that took the connection; here they become a
 * user: common name, organizations as groups, the UID attribute, the credential's id. */
#include "access/authn.h"

#include "base/limits.h"

#include <openssl/asn1.h>
#include <openssl/crypto.h>
#include <openssl/objects.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#define UID_OID "1.3.6.1.4.1.57683.2"

static slice entry_text(arena *a, X509_NAME_ENTRY *e) {
  unsigned char *utf8 = NULL;
  int len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(e));
  slice s = len > 0 ? arena_copy(a, slice_of((char *)utf8, (size_t)len)) : SLICE_NONE;
  OPENSSL_free(utf8);
  return s;
}

static slice credential_id(arena *a, slice der) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256((const unsigned char *)der.ptr, der.len, digest);
  char hex[2 * SHA256_DIGEST_LENGTH + 1];
  for (size_t i = 0; i < sizeof digest; i++) {
    hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
    hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
  }
  return arena_concat(a, SLICE_LIT("X509SHA256="), slice_of(hex, sizeof hex - 1));
}

/* Reads the subject; false when its UID attributes are not exactly one or none. */
static bool subject_read(arena *a, X509_NAME *subject, user_info *u) {
  int n = X509_NAME_entry_count(subject);
  slice *groups = ARENA_ARRAY(a, slice, (size_t)n + 1);
  uint32_t uids = 0;
  for (int i = 0; i < n; i++) {
    X509_NAME_ENTRY *e = X509_NAME_get_entry(subject, i);
    ASN1_OBJECT *type = X509_NAME_ENTRY_get_object(e);
    char oid[64];
    OBJ_obj2txt(oid, sizeof oid, type, 1);
    int nid = OBJ_obj2nid(type);
    if (nid == NID_commonName) u->name = entry_text(a, e); /* Go takes the last */
    else if (nid == NID_organizationName) groups[u->group_count++] = entry_text(a, e);
    else if (!strcmp(oid, UID_OID)) u->uid = entry_text(a, e), uids++;
  }
  u->groups = groups;
  return uids == 0 || (uids == 1 && u->uid.len);
}

authn_outcome authn_certificate(const authn_context *x, slice der, authn_result *out) {
  const unsigned char *p = (const unsigned char *)der.ptr;
  X509 *cert = der.len < LIMIT_REQUEST_BODY ? d2i_X509(NULL, &p, (long)der.len) : NULL;
  if (!cert) return AUTHN_NO_OPINION;
  user_info u = {0};
  bool fine = subject_read(x->arena, X509_get_subject_name(cert), &u);
  X509_free(cert);
  if (u.name.len == 0) return AUTHN_NO_OPINION;
  if (!fine) {
    out->error = SLICE_LIT("unable to parse UID into a string");
    return AUTHN_ERROR;
  }
  user_add_extra(x->arena, &u, SLICE_LIT("authentication.kubernetes.io/credential-id"),
                 credential_id(x->arena, der));
  out->user = u;
  return AUTHN_OK;
}
