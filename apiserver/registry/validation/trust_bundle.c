/* ClusterTrustBundles, which are off by default.
 * Source: pkg/apis/certificates/validation. */
#include "registry/validation/certificates.h"
#include "registry/validation/checks.h"
#include "registry/validation/pem_block.h"
#include "registry/validation/rows.h"

#include "registry/object.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#define BUNDLE_MAX (1 << 20)
#define OMITTED SLICE_LIT("<value omitted>")

static void bundle_name_check(field_errors *e, slice name, slice signer) {
  path meta = path_root("metadata"), p = path_child(&meta, "name");
  slice prefix = SLICE_LIT("");
  if (name.len == 0) return;
  if (signer.len == 0 && slice_find_char(name, ':') >= 0) {
    field_invalid_str(e, &p, name,
                      "ClusterTrustBundle without signer name must not have \":\" in its name");
    return;
  }
  if (signer.len) {
    prefix = arena_concat(e->a, signer, SLICE_LIT(":"));
    char *text = (char *)(uintptr_t)prefix.ptr;
    for (size_t i = 0; i < prefix.len; i++) if (text[i] == '/') text[i] = ':';
  }
  if (!slice_has_prefix(name, prefix)) {
    field_invalid_str(e, &p, name,
                      "ClusterTrustBundle for signerName %.*s must be named with prefix %.*s",
                      SLICE_ARG(signer), SLICE_ARG(prefix));
    return;
  }
  text_check_as(e, &p, TEXT_DNS1123_SUBDOMAIN, slice_from(name, prefix.len), name, "");
}

/* Why the block is no trust anchor; "" for none. */
static slice anchor_problem(arena *a, const pem_block *b) {
  const unsigned char *at = b->bytes;
  if (strcmp(b->name, "CERTIFICATE") != 0) {
    return arena_printf(a, "has bad block type: %s", b->name);
  }
  if (b->header[0]) return SLICE_LIT("has PEM block headers");
  X509 *x = d2i_X509(NULL, &at, b->size);
  bool whole = x && at == b->bytes + b->size;
  BASIC_CONSTRAINTS *basic = x ? X509_get_ext_d2i(x, NID_basic_constraints, NULL, NULL) : NULL;
  bool ca = basic && basic->ca;
  BASIC_CONSTRAINTS_free(basic);
  X509_free(x);
  if (!whole) return SLICE_LIT("does not parse as X.509");
  return ca ? SLICE_LIT("") : SLICE_LIT("does not have the CA bit set");
}

/* Anchors that stand there more than once, each told with its places. */
static void duplicates_check(field_errors *e, const path *p, const val *seen) {
  VAL_EACH(s, seen) {
    if (val_len(s->value) < 2) continue;
    slice places = SLICE_LIT("");
    for (uint32_t i = 0; i < val_len(s->value); i++) {
      places = arena_printf(e->a, "%.*s%s%lld", SLICE_ARG(places), i ? " " : "",
                            (long long)val_i64(val_at(s->value, i)));
    }
    field_invalid_str(e, p, OMITTED, "duplicate trust anchor (indices [%.*s])", SLICE_ARG(places));
  }
}

static void bundle_check(field_errors *e, const path *p, slice pem) {
  pem_block b = {0};
  uint32_t before = e->count;
  val *seen = val_map(e->a);
  if (pem.len > BUNDLE_MAX) {
    field_too_long(e, p, BUNDLE_MAX);
    return;
  }
  BIO *bio = BIO_new_mem_buf(pem.len ? pem.ptr : "", (int)pem.len);
  for (int i = 0; bio && pem_block_read(bio, &b); i++) {
    slice why = anchor_problem(e->a, &b);
    slice key = arena_copy(e->a, slice_of((const char *)b.bytes, (size_t)b.size));
    if (why.len) field_invalid_str(e, p, OMITTED, "entry %d %.*s", i, SLICE_ARG(why));
    else {
      val *places = val_get(seen, key);
      if (!places) val_set(e->a, seen, key, places = val_list(e->a));
      val_append(e->a, places, val_int(e->a, i));
    }
    pem_block_free(&b);
  }
  pem_block_free(&b);
  BIO_free(bio);
  ERR_clear_error();
  if (e->count > before) return;
  if (val_len(seen) == 0) {
    field_invalid_str(e, p, OMITTED, "at least one trust anchor must be provided");
  }
  duplicates_check(e, p, seen);
}

void validate_trust_bundle(const validate_args *v) {
  path spec = path_root("spec"), signer_at = path_child(&spec, "signerName"),
       bundle_at = path_child(&spec, "trustBundle");
  slice signer = val_str(val_path(v->obj, "spec.signerName"));
  slice bundle = val_str(val_path(v->obj, "spec.trustBundle"));
  meta_rules(v, TEXT_ANY);
  bundle_name_check(v->errs, object_name(v->obj), signer);
  if (signer.len) signer_name_check(v->errs, &signer_at, signer);
  if (!v->old || !slice_eq(bundle, val_str(val_path(v->old, "spec.trustBundle")))) {
    bundle_check(v->errs, &bundle_at, bundle);
  }
  meta_change(v);
  if (!v->old) return;
  immutable_str_check(v->errs, &signer_at, signer, val_str(val_path(v->old, "spec.signerName")));
}
