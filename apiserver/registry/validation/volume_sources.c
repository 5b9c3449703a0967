/* The checks of single kinds of volume sources. */
#include "registry/validation/volume_sources.h"

void source_empty_dir(const source_args *s) {
  slice limit = val_get_str(s->v, "sizeLimit");
  if (limit.len && quantity_cmp(limit, SLICE_LIT("0")) < 0) {
    forbid(s->errs, s->p, "sizeLimit", "SizeLimit field must be a valid resource quantity");
  }
}

void source_host_path(const source_args *s) {
  static const char *const types[] = {
      "",     "BlockDevice",  "CharDevice", "Directory", "DirectoryOrCreate",
      "File", "FileOrCreate", "Socket",     NULL};
  path at = path_child(s->p, "path");
  if (!need(s->errs, s->p, s->v, "path", "")) return;
  path_no_backsteps(s->errs, &at, val_get_str(s->v, "path"));
  slice type = val_get_str(s->v, "type");
  if (val_getc(s->v, "type") && !one_of(type, types))
    unsupported(s->errs, s->p, "type", type, types);
}

void source_git(const source_args *s) {
  path at = path_child(s->p, "directory");
  path_local_descending(s->errs, &at, val_get_str(s->v, "directory"));
}

void source_partition(const source_args *s) {
  int64_t n = val_i64(val_getc(s->v, "partition"));
  if (n < 0 || n > 255)
    refuse_int(s->errs, s->p, "partition", n, "must be between 1 and 255, inclusive");
}

void key_to_path_check(field_errors *e, const path *p, const val *item) {
  path at = path_child(p, "path");
  need(e, p, item, "key", "");
  need(e, p, item, "path", "");
  path_local_unreserved(e, &at, val_get_str(item, "path"));
  file_mode_at(e, p, item, "mode");
}

void source_items(const source_args *s) {
  path items = path_child(s->p, "items");
  const val *list = val_getc(s->v, "items");
  file_mode_at(s->errs, s->p, s->v, "defaultMode");
  EACH_ITEM(i, list) {
    path at = path_index(&items, i);
    key_to_path_check(s->errs, &at, val_at(list, i));
  }
}

void source_nfs(const source_args *s) {
  slice p = val_get_str(s->v, "path");
  if (p.len == 0 || p.ptr[0] != '/')
    refuse_str(s->errs, s->p, "path", p, "must be an absolute path");
}

static bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "eui." or "naa." (any fourth letter) and n letters or digits. */
static bool iscsi_serial(slice s, size_t n) {
  if (s.len != n + 4) return false;
  for (size_t i = 4; i < s.len; i++) {
    if (!is_alnum(s.ptr[i])) return false;
  }
  return true;
}

/* iqn.yyyy-mm.reversed.domain:name at the end of the text. */
static bool iscsi_qualified(slice s) {
  static const char shape[] = "iqn.dddd-dd.";
  if (s.len < sizeof shape) return false;
  for (size_t i = 0; i + 1 < sizeof shape; i++) {
    char c = s.ptr[i];
    if (shape[i] == 'd' ? !(c >= '0' && c <= '9') : c != shape[i]) return false;
  }
  size_t i = sizeof shape - 1, domain = i;
  while (i < s.len && (is_alnum(s.ptr[i]) || s.ptr[i] == '-' || s.ptr[i] == '.')) i++;
  if (i == domain || i >= s.len || s.ptr[i] != ':' || i + 1 == s.len) return false;
  for (i++; i < s.len; i++) {
    if (strchr("^,;*&$| \t\n\r\f\v", s.ptr[i])) return false;
  }
  return true;
}

static const char *iscsi_problem(slice s, bool pv) {
  bool iqn = slice_has_prefix(s, SLICE_LIT("iqn")), eui = slice_has_prefix(s, SLICE_LIT("eui"));
  bool naa = slice_has_prefix(s, SLICE_LIT("naa"));
  if (!iqn && !eui && !naa)
    return pv ? "must be valid format" : "must be valid format starting with iqn, eui, or naa";
  bool ok = iqn ? iscsi_qualified(s) : iscsi_serial(s, eui ? 16 : 32);
  return ok ? NULL : "must be valid format";
}

#define ISCSI_LENGTH                                                                   \
  "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if " \
  "iscsi.initiatorName is specified."

void source_iscsi(const source_args *s) {
  field_errors *e = s->errs;
  slice iqn = val_get_str(s->v, "iqn"), portal = val_get_str(s->v, "targetPortal");
  slice initiator = val_get_str(s->v, "initiatorName");
  const val *secret = val_getc(s->v, "secretRef");
  bool chap =
      val_true(val_getc(s->v, "chapAuthDiscovery")) || val_true(val_getc(s->v, "chapAuthSession"));
  const char *why = iscsi_problem(iqn, s->pv);
  path lun = path_child(s->p, "lun"), ref = path_child(s->p, "secretRef");
  if (s->pv && val_getc(s->v, "initiatorName") && s->name.len + 1 + portal.len > 64) {
    refuse_str(e, s->p, "targetportal", portal, ISCSI_LENGTH);
  }
  if (need(e, s->p, s->v, "iqn", "") && why) refuse_str(e, s->p, "iqn", iqn, why);
  range_check(e, &lun, val_i64(val_getc(s->v, "lun")), 0, 255);
  if (chap && !secret) require(e, s->p, "secretRef", "");
  if (s->pv && secret) need(e, &ref, secret, "name", "");
  if (!val_getc(s->v, "initiatorName")) return;
  why = iscsi_problem(initiator, s->pv);
  if (why) refuse_str(e, s->p, "initiatorname", initiator, why);
}

void source_flocker(const source_args *s) {
  slice name = val_get_str(s->v, "datasetName"), id = val_get_str(s->v, "datasetUUID");
  if (!name.len && !id.len)
    require(s->errs, s->p, NULL, "one of datasetName and datasetUUID is required");
  if (name.len && id.len) {
    refuse_str(s->errs, s->p, NULL, SLICE_LIT("resource"),
               "datasetName and datasetUUID can not be specified simultaneously");
  }
  if (slice_find_char(name, '/') >= 0)
    refuse_str(s->errs, s->p, "datasetName", name, "must not contain '/'");
}

void source_secret_ref(const source_args *s) {
  const val *ref = val_getc(s->v, "secretRef");
  path at = path_child(s->p, "secretRef");
  if (!ref) return;
  need(s->errs, &at, ref, "name", "");
  if (s->pv) need(s->errs, &at, ref, "namespace", "");
}

/* What Go's net.SplitHostPort takes. */
static bool host_port_ok(slice s) {
  ptrdiff_t colon = -1;
  for (size_t i = 0; i < s.len; i++) {
    if (s.ptr[i] == ':') colon = (ptrdiff_t)i;
  }
  if (colon < 0) return false;
  slice host = slice_upto(s, (size_t)colon), port = slice_from(s, (size_t)colon + 1);
  bool bracket = host.len && host.ptr[0] == '[';
  if (bracket) return slice_find_char(host, ']') == (ptrdiff_t)host.len - 1;
  return slice_find_char(host, ':') < 0 && slice_find_char(s, '[') < 0 &&
         slice_find_char(s, ']') < 0 && slice_find_char(port, ':') < 0;
}

void source_quobyte(const source_args *s) {
  static const char pair[] = "must be a host:port pair or multiple pairs separated by commas";
  slice registry = val_get_str(s->v, "registry"), rest = registry, head;
  if (registry.len == 0) {
    require(s->errs, s->p, "registry", pair);
  } else if (val_get_str(s->v, "tenant").len >= 65) {
    require(s->errs, s->p, "tenant", "must be a UUID and may not exceed a length of 64 characters");
  } else {
    for (bool more = true; more;) {
      more = slice_cut(rest, ',', &head, &rest);
      if (!host_port_ok(head)) refuse_str(s->errs, s->p, "registry", registry, pair);
    }
  }
  need(s->errs, s->p, s->v, "volume", "");
}

void downward_file_check(field_errors *e, const path *p, const val *file) {
  const val *field = val_getc(file, "fieldRef"), *resource = val_getc(file, "resourceFieldRef");
  path at = path_child(p, "path"), at_field = path_child(p, "fieldRef"),
       at_res = path_child(p, "resourceFieldRef");
  need(e, p, file, "path", "");
  path_local_unreserved(e, &at, val_get_str(file, "path"));
  if (field) {
    field_selector_check(e, &at_field, field, true);
    if (resource) {
      refuse_str(e, p, NULL, SLICE_LIT("resource"),
                 "fieldRef and resourceFieldRef can not be specified simultaneously");
    }
  } else if (resource) {
    resource_selector_check(e, &at_res, resource, true);
  } else {
    require(e, p, NULL, "one of fieldRef and resourceFieldRef is required");
  }
  file_mode_at(e, p, file, "mode");
}

void source_downward(const source_args *s) {
  const val *list = val_getc(s->v, "items");
  file_mode_at(s->errs, s->p, s->v, "defaultMode");
  EACH_ITEM(i, list) downward_file_check(s->errs, s->p, val_at(list, i));
}

void source_fc(const source_args *s) {
  const val *names = val_getc(s->v, "targetWWNs"), *ids = val_getc(s->v, "wwids"),
            *lun = val_getc(s->v, "lun");
  path at = path_child(s->p, "lun");
  if (!val_len(names) && !val_len(ids)) {
    require(s->errs, s->p, "targetWWNs", "must specify either targetWWNs or wwids, but not both");
  }
  if (val_len(names) && val_len(ids)) {
    refuse(s->errs, s->p, "targetWWNs", names,
           "targetWWNs and wwids can not be specified simultaneously");
  }
  if (!val_len(names)) return;
  if (!lun)
    require(s->errs, s->p, "lun", "lun is required if targetWWNs is specified");
  else
    range_check(s->errs, &at, val_i64(lun), 0, 255);
}

void source_flex(const source_args *s) {
  path options = path_child(s->p, "options");
  VAL_EACH(entry, val_getc(s->v, "options")) {
    slice ns, rest;
    path at = path_key(&options, entry->key);
    slice_cut(entry->key, '/', &ns, &rest);
    char *dotted = arena_cstr(s->errs->a, arena_concat(s->errs->a, SLICE_LIT("."), ns));
    for (size_t i = 0; dotted[i]; i++) {
      if (dotted[i] >= 'A' && dotted[i] <= 'Z') dotted[i] = (char)(dotted[i] + 32);
    }
    slice low = slice_cstr(dotted);
    if (slice_has_suffix(low, SLICE_LIT(".kubernetes.io")) ||
        slice_has_suffix(low, SLICE_LIT(".k8s.io"))) {
      refuse_str(s->errs, &at, NULL, entry->key,
                 "kubernetes.io and k8s.io namespaces are reserved");
    }
  }
}

void source_azure_disk(const source_args *s) {
  slice kind = val_get_str(s->v, "kind"), uri = val_get_str(s->v, "diskURI");
  const char *const *modes = CHOICES("None", "ReadOnly", "ReadWrite");
  const char *const *kinds = CHOICES("Dedicated", "Managed", "Shared");
  if (val_getc(s->v, "cachingMode")) choice_at(s->errs, s->p, s->v, "cachingMode", modes, false);
  if (!val_getc(s->v, "kind")) return;
  choice_at(s->errs, s->p, s->v, "kind", kinds, false);
  bool managed = slice_is(kind, "Managed");
  if (managed && !slice_has_prefix(uri, SLICE_LIT("/subscriptions/"))) {
    unsupported(s->errs, s->p, "diskURI", uri,
                CHOICES("/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/"
                        "microsoft.compute/disks/{disk-id}"));
  }
  if (!managed && !slice_has_prefix(uri, SLICE_LIT("https://"))) {
    unsupported(
        s->errs, s->p, "diskURI", uri,
        CHOICES("https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"));
  }
}

void source_storageos(const source_args *s) {
  text_needed(s->errs, s->p, s->v, "volumeName", TEXT_DNS1123_LABEL);
  text_if_set(s->errs, s->p, s->v, "volumeNamespace", TEXT_DNS1123_LABEL);
  source_secret_ref(s);
}

static void csi_driver_check(const source_args *s) {
  slice driver = val_get_str(s->v, "driver"), texts[4];
  path at = path_child(s->p, "driver");
  if (!need(s->errs, s->p, s->v, "driver", "")) return;
  if (driver.len > 63) field_too_long(s->errs, &at, 63);
  char *low = arena_cstr(s->errs->a, driver);
  for (size_t i = 0; i < driver.len; i++) {
    if (low[i] >= 'A' && low[i] <= 'Z') low[i] = (char)(low[i] + 32);
  }
  uint32_t n =
      text_problems(s->errs->a, TEXT_DNS1123_SUBDOMAIN, slice_of(low, driver.len), false, texts);
  for (uint32_t i = 0; i < n; i++)
    field_invalid_str(s->errs, &at, driver, "%.*s", SLICE_ARG(texts[i]));
}

void source_csi(const source_args *s) {
  const val *ref = val_getc(s->v, "nodePublishSecretRef");
  path at = path_child(s->p, "nodePublishSecretRef"), name = path_child(s->p, "name");
  csi_driver_check(s);
  if (ref && need(s->errs, &at, ref, "name", "")) {
    text_check(s->errs, &name, TEXT_DNS1123_SUBDOMAIN, val_get_str(ref, "name"));
  }
}

void source_pv_csi(const source_args *s) {
  static const char *const refs[] = {"controllerPublishSecretRef", "controllerExpandSecretRef",
                                     "nodePublishSecretRef", "nodeExpandSecretRef"};
  csi_driver_check(s);
  need(s->errs, s->p, s->v, "volumeHandle", "");
  for (size_t i = 0; i < 4; i++) {
    path at = path_child(s->p, refs[i]);
    const val *ref = val_getc(s->v, refs[i]);
    if (!ref) continue;
    text_needed(s->errs, &at, ref, "name", TEXT_DNS1123_SUBDOMAIN);
    text_needed(s->errs, &at, ref, "namespace", TEXT_DNS1123_LABEL);
  }
}

void source_image(const source_args *s) {
  if (s->pod) need(s->errs, s->p, s->v, "reference", "");
  choice_at(s->errs, s->p, s->v, "pullPolicy", CHOICES("Always", "IfNotPresent", "Never"), true);
}

void source_pv_gluster(const source_args *s) {
  slice ns = val_get_str(s->v, "endpointsNamespace");
  if (!val_getc(s->v, "endpointsNamespace")) return;
  if (ns.len)
    text_at(s->errs, s->p, s->v, "endpointsNamespace", TEXT_DNS1123_LABEL);
  else
    refuse_str(s->errs, s->p, "endpointsNamespace", SLICE_LIT(""),
               "if the endpointnamespace is set, it must be a valid namespace name");
}

void source_pv_azure_file(const source_args *s) {
  if (val_getc(s->v, "secretNamespace")) need(s->errs, s->p, s->v, "secretNamespace", "");
}

void source_local(const source_args *s) {
  path at = path_child(s->p, "path");
  if (need(s->errs, s->p, s->v, "path", ""))
    path_no_backsteps(s->errs, &at, val_get_str(s->v, "path"));
  if (!val_getc(s->holder, "nodeAffinity")) {
    require(s->errs, s->p->parent, "nodeAffinity", "Local volume requires node affinity");
  }
}
