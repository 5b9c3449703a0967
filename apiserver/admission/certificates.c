/* CertificateApproval, CertificateSigning, ClusterTrustBundleAttest, CertificateSubjectRestriction.
 * Source: plugin/pkg/admission/certificates. */
#include "admission/plugin.h"

#include "codec/codec.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

static const char GROUP[] = "certificates.k8s.io";
static const char RESOURCE[] = "certificatesigningrequests";

bool certificate_approval_validate(const admission_args *args) {
  if (!plugin_is_sub(args, GROUP, RESOURCE, "approval")) return true;
  slice signer = val_str(val_path(args->old, "spec.signerName"));
  if (plugin_signer_allowed(args, "approve", signer)) return true;
  return plugin_forbid(args, "user not permitted to approve requests with signerName \"%.*s\"",
                       SLICE_ARG(signer));
}

bool certificate_signing_validate(const admission_args *args) {
  if (!plugin_is_sub(args, GROUP, RESOURCE, "status")) return true;
  const val *now = val_getc(args->obj, "status"), *old = val_getc(args->old, "status");
  if (val_same(val_getc(now, "certificate"), val_getc(old, "certificate")) &&
      val_same(val_getc(now, "conditions"), val_getc(old, "conditions"))) {
    return true;
  }
  slice signer = val_str(val_path(args->old, "spec.signerName"));
  if (plugin_signer_allowed(args, "sign", signer)) return true;
  return plugin_forbid(args, "user not permitted to sign requests with signerName \"%.*s\"",
                       SLICE_ARG(signer));
}

/* Nothing but owners and finalizers changes. */
static bool only_gc_changes(const admission_args *args) {
  static const char *const keys[] = {"labels", "annotations"};
  const val *now = val_getc(args->obj, "metadata"), *old = val_getc(args->old, "metadata");
  bool same = val_same(val_getc(args->obj, "spec"), val_getc(args->old, "spec"));
  for (size_t i = 0; i < 2; i++) {
    same = same && val_same(val_getc(now, keys[i]), val_getc(old, keys[i]));
  }
  return same;
}

bool trust_bundle_attest_validate(const admission_args *args) {
  if (!plugin_is(args, GROUP, "clustertrustbundles")) return true;
  slice signer = val_str(val_path(args->obj, "spec.signerName"));
  if (signer.len == 0 || (args->old && only_gc_changes(args))) return true;
  if (plugin_signer_allowed(args, "attest", signer)) return true;
  return plugin_forbid(args, "user not permitted to attest for signerName \"%.*s\"",
                       SLICE_ARG(signer));
}

/* Whether the subject of a PEM certificate request has that organization. */
static bool request_has_group(slice pem, const char *group) {
  static char no_password[] = ""; /* never ask at a terminal */
  BIO *in = BIO_new_mem_buf(pem.ptr, (int)pem.len);
  X509_REQ *csr = in ? PEM_read_bio_X509_REQ(in, NULL, NULL, no_password) : NULL;
  bool found = false;
  X509_NAME *subject = csr ? X509_REQ_get_subject_name(csr) : NULL;
  for (int i = -1; subject && !found;) {
    i = X509_NAME_get_index_by_NID(subject, NID_organizationName, i);
    if (i < 0) break;
    const ASN1_STRING *text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i));
    found = slice_is(slice_of((const char *)ASN1_STRING_get0_data(text),
                              (size_t)ASN1_STRING_length(text)),
                     group);
  }
  X509_REQ_free(csr);
  BIO_free(in);
  return found;
}

bool certificate_subject_validate(const admission_args *args) {
  static const char signer[] = "kubernetes.io/kube-apiserver-client";
  if (!plugin_is(args, GROUP, RESOURCE)) return true;
  if (!slice_is(val_str(val_path(args->obj, "spec.signerName")), signer)) return true;
  slice pem;
  slice text = val_str(val_path(args->obj, "spec.request"));
  if (!base64_decode(args->rq->arena, text, &pem)) return true;
  if (!request_has_group(pem, "system:masters")) return true;
  return plugin_forbid(args, "use of %s signer with system:masters group is not allowed", signer);
}
