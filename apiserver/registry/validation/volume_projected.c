/* Projected volumes, whose parts share one directory, and what some sources say about the volume's
 * name. */
#include "registry/validation/certificates.h"
#include "registry/validation/checks.h"
#include "registry/validation/volume_sources.h"

#include "base/quote.h"
#include "registry/object.h"

typedef struct projected {
  const source_args *s;
  val *seen; /* paths of the parts before */
} projected;

/* A path that an earlier part has too; `bad` is what the error shows. */
static void path_once(projected *j, slice p, slice bad) {
  if (p.len == 0) return;
  if (val_get(j->seen, p))
    refuse_str(j->s->errs, j->s->p, NULL, bad, "conflicting duplicate paths");
  else
    val_set(j->s->errs->a, j->seen, p, val_null(j->s->errs->a));
}

static void keys_part(projected *j, const path *p, const val *part) {
  path items = path_child(p, "items");
  const val *list = val_getc(part, "items");
  need(j->s->errs, p, part, "name", "");
  EACH_ITEM(i, list) {
    path at = path_index(&items, i);
    key_to_path_check(j->s->errs, &at, val_at(list, i));
    path_once(j, val_get_str(val_at(list, i), "path"), val_get_str(part, "name"));
  }
}

static void downward_part(projected *j, const path *p, const val *part) {
  const val *list = val_getc(part, "items");
  EACH_ITEM(i, list) {
    slice file = val_get_str(val_at(list, i), "path");
    downward_file_check(j->s->errs, p, val_at(list, i));
    path_once(j, file, file);
  }
}

static void token_part(projected *j, const path *p, const val *part) {
  field_errors *e = j->s->errs;
  int64_t n = val_i64(val_getc(part, "expirationSeconds"));
  path at = path_child(j->s->p, "path");
  if (n < 600)
    refuse_int(e, p, "expirationSeconds", n, "may not specify a duration less than 10 minutes");
  if (n > (int64_t)1 << 32)
    refuse_int(e, p, "expirationSeconds", n, "may not specify a duration larger than 2^32 seconds");
  if (need(e, j->s->p, part, "path", "")) path_local_unreserved(e, &at, val_get_str(part, "path"));
}

/* With the gate PodCertificateRequest only, else it was dropped. */
static void certificate_part(projected *j, const path *p, const val *part) {
  static const char *const types[] = {"RSA3072",   "RSA4096",   "ECDSAP256", "ECDSAP384",
                                      "ECDSAP521", "ED25519", NULL};
  static const char *const files[] = {"credentialBundlePath", "keyPath", "certificateChainPath"};
  field_errors *e = j->s->errs;
  path signer = path_child(p, "signerName"), type = path_child(p, "keyType"),
       seconds = path_child(p, "maxExpirationSeconds");
  const val *n = val_getc(part, "maxExpirationSeconds");
  int count = 0;
  signer_name_check(e, &signer, val_get_str(part, "signerName"));
  user_annotations_check(e, p, val_getc(part, "userAnnotations"));
  enum_check(e, &type, val_get_str(part, "keyType"), types);
  int most = signer_seconds_max(val_get_str(part, "signerName"));
  if (n && val_i64(n) < 3600) {
    field_invalid(e, &seconds, n, "if provided, maxExpirationSeconds must be >= 3600");
  }
  if (n && val_i64(n) > most) {
    field_invalid(e, &seconds, n, "if provided, maxExpirationSeconds must be <= %d", most);
  }
  for (size_t i = 0; i < 3; i++) {
    slice file = val_get_str(part, files[i]);
    path at = path_child(p, files[i]);
    if (file.len == 0) continue;
    count++;
    path_local_unreserved(e, &at, file);
    path_once(j, file, file);
  }
  if (count) return;
  field_required(e, p,
                 "specify at least one of credentialBundlePath, keyPath, and certificateChainPath");
}

/* A signer's bundles are named by it and a colon. */
static void bundle_name_check(field_errors *e, const path *p, slice name) {
  slice texts[4], tail = name;
  path at = path_child(p, "name");
  for (size_t i = 0; i < name.len; i++) {
    if (name.ptr[i] == ':') tail = slice_from(name, i + 1);
  }
  if (!name.len) field_required(e, &at, "must be a valid object name");
  uint32_t n = text_problems(e->a, TEXT_DNS1123_SUBDOMAIN, tail, false, texts);
  for (uint32_t i = 0; i < n; i++) {
    field_invalid_str(e, &at, name, "not a valid clustertrustbundlename: %.*s", SLICE_ARG(texts[i]));
  }
}

/* With the gate ClusterTrustBundleProjection only, else it was dropped. */
static void bundle_part(projected *j, const path *p, const val *part) {
  field_errors *e = j->s->errs;
  const val *name = val_getc(part, "name"), *signer = val_getc(part, "signerName"),
            *labels = val_getc(part, "labelSelector");
  path at_labels = path_child(p, "labelSelector"), at_signer = path_child(p, "signerName"),
       at_file = path_child(p, "path");
  slice file = val_get_str(part, "path");
  if (name && signer) {
    refuse_go(e, p, NULL, "ClusterTrustBundleProjection", part,
              "only one of name and signerName may be used");
  } else if (name) {
    bundle_name_check(e, p, val_str(name));
    if (labels) {
      refuse_go(e, &at_labels, NULL, "LabelSelector", labels,
                "labelSelector must be unset if name is specified");
    }
  } else if (signer) {
    if (!val_str(signer).len) field_required(e, &at_signer, "must be a valid signer name");
    signer_name_check(e, &at_signer, val_str(signer));
    if (labels) label_selector_validate(e, &at_labels, labels);
  } else {
    field_required(e, p, "either name or signerName must be specified");
  }
  if (!file.len) field_required(e, &at_file, "%s", "");
  path_local_unreserved(e, &at_file, file);
  path_once(j, file, file);
}

static const struct {
  const char *key;
  void (*check)(projected *j, const path *p, const val *part);
} parts[] = {
    {"secret", keys_part},
    {"configMap", keys_part},
    {"downwardAPI", downward_part},
    {"serviceAccountToken", token_part},
    {"clusterTrustBundle", bundle_part},
    {"podCertificate", certificate_part},
};

void source_projected(const source_args *s) {
  const val *list = val_getc(s->v, "sources");
  projected j = {s, val_map(s->errs->a)};
  path sources = path_child(s->p, "sources");
  file_mode_at(s->errs, s->p, s->v, "defaultMode");
  EACH_ITEM(i, list) {
    path at = path_index(&sources, i);
    int found = 0;
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
      const val *part = val_getc(val_at(list, i), parts[k].key);
      path here = path_child(&at, parts[k].key);
      if (!part) continue;
      found++;
      parts[k].check(&j, &here, part);
    }
    if (found > 1) forbid(s->errs, &at, NULL, "may not specify more than 1 volume type per source");
  }
}

/* A template's metadata may hold labels and annotations only. */
void template_meta_check(field_errors *e, const path *p, const val *meta) {
  path notes = path_child(p, "annotations"), labels = path_child(p, "labels");
  annotations_validate(e, &notes, val_getc(meta, "annotations"));
  labels_validate(e, &labels, val_getc(meta, "labels"));
  VAL_EACH(entry, meta) {
    if (slice_is(entry->key, "annotations") || slice_is(entry->key, "labels") ||
        val_is_empty(entry->value))
      continue;
    path at = path_child_slice(p, entry->key);
    forbid(e, &at, NULL, "cannot be set");
  }
}

void source_ephemeral(const source_args *s) {
  const val *template = val_getc(s->v, "volumeClaimTemplate");
  path at = path_child(s->p, "volumeClaimTemplate"), meta = path_child(&at, "metadata"),
       spec = path_child(&at, "spec");
  if (!template) {
    require(s->errs, s->p, "volumeClaimTemplate", "");
    return;
  }
  template_meta_check(s->errs, &meta, val_getc(template, "metadata"));
  claim_spec_validate(s->errs, &spec, val_getc(template, "spec"), NULL);
}

void source_volume_name(const source_args *s, const path *volume, const char *key, bool extra) {
  field_errors *e = s->errs;
  const val *source = val_getc(s->v, key);
  slice name = s->name, pod = val_get_str(s->pod, "name");
  path at = path_child(volume, "name");
  if (strcmp(key, "iscsi") == 0 && val_getc(source, "initiatorName") &&
      name.len + 1 + val_get_str(source, "targetPortal").len > 64) {
    refuse_str(e, volume, "name", name,
               "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if "
               "iscsi.initiatorName is specified.");
  }
  if (strcmp(key, "ephemeral") != 0 || extra || !pod.len || !name.len) return;
  slice claim = arena_printf(e->a, "%.*s-%.*s", SLICE_ARG(pod), SLICE_ARG(name)),
        shown = go_quote(e->a, claim);
  const char *before = arena_printf(e->a, "PVC name %.*s: ", SLICE_ARG(shown)).ptr;
  text_check_as(e, &at, TEXT_DNS1123_SUBDOMAIN, claim, name, before);
}
