/* Volumes of pods and persistent volumes: a row a kind of source says which strings it needs and
 * what else is checked; two lists of rows give the order in which pods and volumes look at them. */
#include "registry/validation/pod_checks.h"
#include "registry/validation/volume_sources.h"

typedef struct source_row {
  const char *key;     /* in the API */
  const char *more_as; /* how "more than 1" names it, where that differs */
  const char *path_as; /* and its own errors */
  const char *needs[3];
  source_check check;
} source_row;

static const source_row pod_rows[] = {
    {"emptyDir", NULL, NULL, {0}, source_empty_dir},
    {"hostPath", NULL, NULL, {0}, source_host_path},
    {"gitRepo", NULL, NULL, {"repository"}, source_git},
    {"gcePersistentDisk", NULL, "persistentDisk", {"pdName"}, source_partition},
    {"awsElasticBlockStore", NULL, NULL, {"volumeID"}, source_partition},
    {"secret", NULL, NULL, {"secretName"}, source_items},
    {"nfs", NULL, NULL, {"server", "path"}, source_nfs},
    {"iscsi", NULL, NULL, {"targetPortal"}, source_iscsi},
    {"glusterfs", NULL, NULL, {"endpoints", "path"}, NULL},
    {"flocker", NULL, NULL, {0}, source_flocker},
    {"persistentVolumeClaim", NULL, NULL, {"claimName"}, NULL},
    {"rbd", NULL, NULL, {"monitors", "image"}, NULL},
    {"cinder", NULL, NULL, {"volumeID"}, source_secret_ref},
    {"cephfs", "cephFS", NULL, {"monitors"}, NULL},
    {"quobyte", NULL, NULL, {0}, source_quobyte},
    {"downwardAPI", "downwarAPI", NULL, {0}, source_downward},
    {"fc", NULL, NULL, {0}, source_fc},
    {"flexVolume", NULL, NULL, {"driver"}, source_flex},
    {"configMap", NULL, NULL, {"name"}, source_items},
    {"azureFile", NULL, NULL, {"secretName", "shareName"}, NULL},
    {"vsphereVolume", NULL, NULL, {"volumePath"}, NULL},
    {"photonPersistentDisk", NULL, NULL, {"pdID"}, NULL},
    {"portworxVolume", NULL, NULL, {"volumeID"}, NULL},
    {"azureDisk", NULL, NULL, {"diskName", "diskURI"}, source_azure_disk},
    {"storageos", NULL, NULL, {0}, source_storageos},
    {"projected", NULL, NULL, {0}, source_projected},
    {"scaleIO", NULL, NULL, {"gateway", "system", "volumeName"}, NULL},
    {"csi", NULL, NULL, {0}, source_csi},
    {"ephemeral", NULL, NULL, {0}, source_ephemeral},
    {"image", NULL, NULL, {0}, source_image},
};

static const source_row pv_rows[] = {
    {"hostPath", NULL, NULL, {0}, source_host_path},
    {"gcePersistentDisk", NULL, "persistentDisk", {"pdName"}, source_partition},
    {"awsElasticBlockStore", NULL, NULL, {"volumeID"}, source_partition},
    {"glusterfs", NULL, NULL, {"endpoints", "path"}, source_pv_gluster},
    {"flocker", NULL, NULL, {0}, source_flocker},
    {"nfs", NULL, NULL, {"server", "path"}, source_nfs},
    {"rbd", NULL, NULL, {"monitors", "image"}, NULL},
    {"quobyte", NULL, NULL, {0}, source_quobyte},
    {"cephfs", "cephFS", NULL, {"monitors"}, NULL},
    {"iscsi", NULL, NULL, {"targetPortal"}, source_iscsi},
    {"cinder", NULL, NULL, {"volumeID"}, source_secret_ref},
    {"fc", NULL, NULL, {0}, source_fc},
    {"flexVolume", NULL, NULL, {"driver"}, source_flex},
    {"azureFile", NULL, NULL, {"secretName", "shareName"}, source_pv_azure_file},
    {"vsphereVolume", NULL, NULL, {"volumePath"}, NULL},
    {"photonPersistentDisk", NULL, NULL, {"pdID"}, NULL},
    {"portworxVolume", NULL, NULL, {"volumeID"}, NULL},
    {"azureDisk", NULL, NULL, {"diskName", "diskURI"}, source_azure_disk},
    {"scaleIO", NULL, NULL, {"gateway", "system", "volumeName"}, NULL},
    {"local", NULL, NULL, {0}, source_local},
    {"storageos", NULL, NULL, {0}, source_storageos},
    {"csi", NULL, NULL, {0}, source_pv_csi},
};

static void source_validate(const source_args *s, const source_row *row, const path *parent) {
  path here = path_child(parent, row->path_as ? row->path_as : row->key);
  source_args args = *s;
  args.v = val_getc(s->v, row->key);
  args.holder = s->v;
  for (size_t i = 0; i < 3 && row->needs[i]; i++) need(s->errs, &here, args.v, row->needs[i], "");
  args.p = &here;
  if (row->check) row->check(&args);
}

/* s->v is the volume or the spec that holds the sources. */
static void sources_validate(const source_args *s, const path *parent, const source_row *rows,
                             size_t count) {
  int found = 0;
  for (size_t i = 0; i < count; i++) {
    const source_row *row = rows + i;
    if (!val_getc(s->v, row->key)) continue;
    bool many_allowed = s->pv && slice_is(slice_cstr(row->key), "flexVolume");
    if (found++ && !many_allowed) {
      forbid(s->errs, parent, row->more_as ? row->more_as : row->key,
             "may not specify more than 1 volume type");
    } else {
      source_validate(s, row, parent);
    }
    if (!s->pv) source_volume_name(s, parent, row->key, found > 1);
  }
  if (!found) require(s->errs, parent, NULL, "must specify a volume type");
}

void pv_sources_validate(field_errors *e, const path *spec_path, const val *spec, slice name) {
  source_args s = {.errs = e, .p = spec_path, .v = spec, .name = name, .pv = true};
  sources_validate(&s, spec_path, pv_rows, sizeof pv_rows / sizeof *pv_rows);
}

/* The claims that ephemeral volumes will make. */
static val *made_claims(pod_view *w, const val *list) {
  val *names = val_map(w->errs->a);
  slice pod = val_get_str(w->meta, "name");
  EACH_ITEM(i, list) {
    const val *v = val_at(list, i);
    slice name = val_get_str(v, "name");
    if (pod.len == 0 || !val_getc(v, "ephemeral")) continue;
    slice claim = arena_printf(w->errs->a, "%.*s-%.*s", SLICE_ARG(pod), SLICE_ARG(name));
    val_set(w->errs->a, names, claim, val_null(w->errs->a));
  }
  return names;
}

void volumes_validate(pod_view *w, const path *p) {
  field_errors *e = w->errs;
  const val *list = val_getc(w->spec, "volumes");
  val *made = made_claims(w, list);
  w->volumes = val_map(e->a);
  EACH_ITEM(i, list) {
    val *v = val_at(list, i);
    slice name = val_get_str(v, "name");
    path here = path_index(p, i), at_name = path_child(&here, "name");
    uint32_t before = e->count;
    source_args s = {.errs = e, .p = &here, .v = v, .name = name, .pod = w->meta};
    sources_validate(&s, &here, pod_rows, sizeof pod_rows / sizeof *pod_rows);
    text_needed(e, &here, v, "name", TEXT_DNS1123_LABEL);
    if (val_get(w->volumes, name)) field_duplicate(e, &at_name, val_string(e->a, name));
    if (e->count == before) val_set(e->a, w->volumes, name, v);
    const val *claim = val_getc(v, "persistentVolumeClaim");
    slice claim_name = val_get_str(claim, "claimName");
    if (claim && val_get(made, claim_name)) {
      path at = path_child(&here, "persistentVolumeClaim");
      refuse_str(e, &at, "claimName", claim_name,
                 "must not reference a PVC that gets created for an ephemeral volume");
    }
  }
}
