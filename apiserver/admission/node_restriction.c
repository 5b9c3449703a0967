/* NodeRestriction: a node may touch itself and its pods, nothing else. Off unless asked for.
 * Source: plugin/pkg/admission/noderestriction. Left out: the audience of tokens that no volume
 * of the pod asks for is not authorized separately. */
#include "admission/plugin.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "registry/object.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

static const char MIRROR[] = "kubernetes.io/config.mirror";

/* The node's name when the user is one (group system:nodes); *is_node says whether. */
static slice node_of(const user_info *user, bool *is_node) {
  static const char prefix[] = "system:node:";
  *is_node = false;
  if (!slice_has_prefix(user->name, SLICE_LIT(prefix))) return SLICE_NONE;
  for (uint32_t i = 0; i < user->group_count; i++) {
    *is_node = *is_node || slice_is(user->groups[i], "system:nodes");
  }
  return slice_from(user->name, sizeof prefix - 1);
}

static bool owner_check(const admission_args *args, slice node) {
  const val *owners = val_path(args->obj, "metadata.ownerReferences"), *owner = val_at(owners, 0);
  if (val_len(owners) > 1) {
    return plugin_forbid(args, "node \"%.*s\" can only create pods with a single owner reference "
                               "set to itself", SLICE_ARG(node));
  }
  if (!owner || !slice_is(val_get_str(owner, "apiVersion"), "v1") ||
      !slice_is(val_get_str(owner, "kind"), "Node") ||
      !slice_eq(val_get_str(owner, "name"), node)) {
    return plugin_forbid(args, "node \"%.*s\" can only create pods with an owner reference set to "
                               "itself", SLICE_ARG(node));
  }
  if (!val_true(val_getc(owner, "controller"))) {
    return plugin_forbid(args, "node \"%.*s\" can only create pods with a controller owner "
                               "reference set to itself", SLICE_ARG(node));
  }
  if (val_true(val_getc(owner, "blockOwnerDeletion"))) {
    return plugin_forbid(args, "node \"%.*s\" must not set blockOwnerDeletion on an owner "
                               "reference", SLICE_ARG(node));
  }
  const val *object = plugin_get(args, "", "v1", "nodes", SLICE_NONE, node);
  if (!object) {
    return status_not_found(&args->rq->error, args->rq->arena, SLICE_NONE, SLICE_LIT("nodes"),
                            node);
  }
  slice want = object_uid(object), got = val_get_str(owner, "uid");
  if (slice_eq(want, got)) return true;
  return plugin_forbid(args, "node %.*s UID mismatch: expected %.*s got %.*s", SLICE_ARG(node),
                       SLICE_ARG(got), SLICE_ARG(want));
}

/* Does any container take its environment from such an object? */
static bool env_references(const val *spec, const char *key_ref, const char *ref) {
  static const char *const lists[] = {"initContainers", "containers", "ephemeralContainers"};
  for (int l = 0; l < 3; l++) {
    const val *list = val_getc(spec, lists[l]);
    for (uint32_t i = 0; i < val_len(list); i++) {
      const val *vars = val_getc(val_at(list, i), "env");
      const val *from = val_getc(val_at(list, i), "envFrom");
      for (uint32_t e = 0; e < val_len(vars); e++) {
        if (val_getc(val_getc(val_at(vars, e), "valueFrom"), key_ref)) return true;
      }
      for (uint32_t e = 0; e < val_len(from); e++) {
        if (val_getc(val_at(from, e), ref)) return true;
      }
    }
  }
  return false;
}

static bool volumes_have(const val *volumes, const char *source) {
  for (uint32_t i = 0; i < val_len(volumes); i++) {
    if (val_getc(val_at(volumes, i), source)) return true;
    const val *sources = val_path(val_at(volumes, i), "projected.sources");
    for (uint32_t s = 0; s < val_len(sources); s++) {
      if (val_getc(val_at(sources, s), source)) return true;
    }
  }
  return false;
}

/* The first kind of API object that the pod names, or NULL. */
static const char *pod_references(const val *spec) {
  static const struct {
    const char *source, *resource;
  } rows[] = {{"csi", "csidrivers (via CSI volumes)"},
              {"glusterfs", "endpoints (via glusterFS volumes)"},
              {"persistentVolumeClaim", "persistentvolumeclaims"},
              {"ephemeral", "persistentvolumeclaims (via ephemeral volumes)"},
              {"azureFile", "secrets (via azureFile volumes)"},
              {"serviceAccountToken", "serviceaccounts (via projected volumes)"},
              {"clusterTrustBundle", "clustertrustbundles"},
              {"podCertificate", "podcertificates"}};
  const val *volumes = val_getc(spec, "volumes");
  if (val_get_str(spec, "serviceAccountName").len) return "serviceaccounts";
  if (val_len(val_getc(spec, "imagePullSecrets")) || volumes_have(volumes, "secret") ||
      env_references(spec, "secretKeyRef", "secretRef")) {
    return "secrets";
  }
  if (volumes_have(volumes, "configMap") ||
      env_references(spec, "configMapKeyRef", "configMapRef")) {
    return "configmaps";
  }
  if (val_len(val_getc(spec, "resourceClaims"))) return "resourceclaims";
  for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
    if (volumes_have(volumes, rows[r].source)) return rows[r].resource;
  }
  return NULL;
}

static bool pod_create(const admission_args *args, slice node) {
  const val *annotations = val_path(args->obj, "metadata.annotations");
  if (!val_getc(annotations, MIRROR)) {
    return plugin_forbid(args, "pod does not have \"%s\" annotation, node \"%.*s\" can only create "
                               "mirror pods", MIRROR, SLICE_ARG(node));
  }
  if (!slice_eq(val_str(val_path(args->obj, "spec.nodeName")), node)) {
    return plugin_forbid(args, "node \"%.*s\" can only create pods with spec.nodeName set to "
                               "itself", SLICE_ARG(node));
  }
  if (!owner_check(args, node)) return false;
  const char *resource = pod_references(val_getc(args->obj, "spec"));
  return !resource || plugin_forbid(args, "node \"%.*s\" can not create pods that reference %s",
                                    SLICE_ARG(node), resource);
}

/* Is the pod of that name on the node? A missing one is a 404. */
static bool pod_on_node(const admission_args *args, slice name, slice node, bool *here) {
  const val *pod = plugin_get(args, "", "v1", "pods", args->namespace, name);
  *here = slice_eq(val_str(val_path(pod, "spec.nodeName")), node);
  return pod || status_not_found(&args->rq->error, args->rq->arena, SLICE_NONE, SLICE_LIT("pods"),
                                 name);
}

static bool pod_status(const admission_args *args, slice node) {
  if (!slice_eq(val_str(val_path(args->old, "spec.nodeName")), node)) {
    return plugin_forbid(args, "node \"%.*s\" can only update pod status for pods with "
                               "spec.nodeName set to itself", SLICE_ARG(node));
  }
  if (!val_same(val_path(args->old, "metadata.labels"), val_path(args->obj, "metadata.labels"))) {
    return plugin_forbid(args, "node \"%.*s\" cannot update labels through pod status",
                         SLICE_ARG(node));
  }
  if (!val_same(val_path(args->old, "status.resourceClaimStatuses"),
            val_path(args->obj, "status.resourceClaimStatuses"))) {
    return plugin_forbid(args, "node \"%.*s\" cannot update resource claim statues",
                         SLICE_ARG(node));
  }
  return true;
}

static bool pods_admit(const admission_args *args, slice node) {
  slice sub = args->subresource;
  bool here = false;
  if (slice_is(sub, "status")) return args->op != ADMIT_UPDATE || pod_status(args, node);
  if (slice_is(sub, "eviction")) {
    if (!pod_on_node(args, args->name, node, &here)) return false;
    return here || plugin_forbid(args, "node %.*s can only evict pods with spec.nodeName set to "
                                       "itself", SLICE_ARG(node));
  }
  if (sub.len) {
    return plugin_forbid(args, "unexpected pod subresource \"%.*s\", only 'status' and 'eviction' "
                               "are allowed", SLICE_ARG(sub));
  }
  if (args->op == ADMIT_CREATE) return pod_create(args, node);
  if (args->op == ADMIT_DELETE) {
    if (!pod_on_node(args, args->name, node, &here)) return false;
    return here || plugin_forbid(args, "node \"%.*s\" can only delete pods with spec.nodeName set "
                                       "to itself", SLICE_ARG(node));
  }
  return plugin_forbid(args, "unexpected operation \"UPDATE\", node \"%.*s\" can only create and "
                             "delete mirror pods", SLICE_ARG(node));
}

/* Labels of Kubernetes' own domains that a kubelet may set on its node. */
static bool is_kubelet_label(slice key, slice domain) {
  static const char *const names[] = {
      "kubernetes.io/hostname", "topology.kubernetes.io/zone", "topology.kubernetes.io/region",
      "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region",
      "beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type",
      "beta.kubernetes.io/os", "beta.kubernetes.io/arch", "kubernetes.io/os",
      "kubernetes.io/arch"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (slice_is(key, names[i])) return true;
  }
  return slice_is(domain, "kubelet.kubernetes.io") || slice_is(domain, "node.kubernetes.io") ||
         slice_has_suffix(domain, SLICE_LIT(".kubelet.kubernetes.io")) ||
         slice_has_suffix(domain, SLICE_LIT(".node.kubernetes.io"));
}

static bool in_domain(slice domain, slice whole, slice dotted) {
  return slice_eq(domain, whole) || slice_has_suffix(domain, dotted);
}

static bool is_forbidden_label(slice key) {
  slice domain, rest;
  if (!slice_cut(key, '/', &domain, &rest)) return false;
  if (in_domain(domain, SLICE_LIT("node-restriction.kubernetes.io"),
                SLICE_LIT(".node-restriction.kubernetes.io"))) {
    return true;
  }
  bool own = in_domain(domain, SLICE_LIT("kubernetes.io"), SLICE_LIT(".kubernetes.io")) ||
             in_domain(domain, SLICE_LIT("k8s.io"), SLICE_LIT(".k8s.io"));
  return own && !is_kubelet_label(key, domain);
}

static int by_text(const void *x, const void *y) {
  return slice_cmp(val_str(*(val *const *)x), val_str(*(val *const *)y));
}

/* Labels that differ and may not, sorted: "a, b". */
static slice forbidden_labels(const admission_args *args) {
  arena *a = args->rq->arena;
  const val *now = val_path(args->obj, "metadata.labels");
  const val *old = val_path(args->old, "metadata.labels");
  val *list = val_list(a);
  VAL_EACH(e, now) {
    const val *before = val_get(old, e->key);
    bool changed = !before || !val_equal(before, e->value);
    if (changed && is_forbidden_label(e->key)) val_append(a, list, val_string(a, e->key));
  }
  VAL_EACH(f, old) {
    if (!val_get(now, f->key) && is_forbidden_label(f->key)) {
      val_append(a, list, val_string(a, f->key));
    }
  }
  if (val_len(list)) qsort(list->u.items, val_len(list), sizeof *list->u.items, by_text);
  buf out;
  buf_init(&out, LIMIT_BUFFER);
  for (uint32_t i = 0; i < val_len(list); i++) {
    if (i) buf_lit(&out, ", ");
    buf_append(&out, val_str(val_at(list, i)));
  }
  slice text = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return text;
}

static bool node_admit(const admission_args *args, slice node) {
  slice name = args->name.len ? args->name : object_name(args->obj);
  if (!slice_eq(name, node)) {
    return plugin_forbid(args, "node \"%.*s\" is not allowed to modify node \"%.*s\"",
                         SLICE_ARG(node), SLICE_ARG(name));
  }
  if (args->op == ADMIT_DELETE) return true;
  bool create = args->op == ADMIT_CREATE;
  const val *source = val_path(args->obj, "spec.configSource");
  if (source && create) {
    return plugin_forbid(args, "node \"%.*s\" is not allowed to create pods with a non-nil "
                               "configSource", SLICE_ARG(node));
  }
  if (source && !val_same(source, val_path(args->old, "spec.configSource"))) {
    return plugin_forbid(args, "node \"%.*s\" is not allowed to update configSource to a new "
                               "non-nil configSource", SLICE_ARG(node));
  }
  if (!create &&
      !val_same(val_path(args->obj, "spec.taints"), val_path(args->old, "spec.taints"))) {
    return plugin_forbid(args, "node \"%.*s\" is not allowed to modify taints", SLICE_ARG(node));
  }
  if (!create && !val_same(val_path(args->obj, "metadata.ownerReferences"),
                       val_path(args->old, "metadata.ownerReferences"))) {
    return plugin_forbid(args, "node \"%.*s\" is not allowed to modify ownerReferences",
                         SLICE_ARG(node));
  }
  slice labels = forbidden_labels(args);
  if (!labels.len) return true;
  if (!create) {
    return plugin_forbid(args, "is not allowed to modify labels: %.*s", SLICE_ARG(labels));
  }
  return plugin_forbid(args, "node \"%.*s\" is not allowed to set the following labels: %.*s",
                       SLICE_ARG(node), SLICE_ARG(labels));
}

static bool token_admit(const admission_args *args, slice node) {
  if (args->op != ADMIT_CREATE || !slice_is(args->subresource, "token")) return true;
  const val *ref = val_path(args->obj, "spec.boundObjectRef");
  slice uid = val_get_str(ref, "uid"), name = val_get_str(ref, "name");
  if (!ref || !slice_is(val_get_str(ref, "apiVersion"), "v1") ||
      !slice_is(val_get_str(ref, "kind"), "Pod") || !name.len) {
    return plugin_forbid(args, "node requested token not bound to a pod");
  }
  if (!uid.len) return plugin_forbid(args, "node requested token with a pod binding without a uid");
  const val *pod = plugin_get(args, "", "v1", "pods", args->namespace, name);
  if (!pod) {
    return status_not_found(&args->rq->error, args->rq->arena, SLICE_NONE, SLICE_LIT("pods"), name);
  }
  if (!slice_eq(uid, object_uid(pod))) {
    return plugin_forbid(args, "the UID in the bound object reference (%.*s) does not match the "
                               "UID in record. The object might have been deleted and then "
                               "recreated",
                         SLICE_ARG(uid));
  }
  return slice_eq(val_str(val_path(pod, "spec.nodeName")), node) ||
         plugin_forbid(args, "node requested token bound to a pod scheduled on a different node");
}

static bool own_name(const admission_args *args, slice node, const char *what) {
  slice name = args->op == ADMIT_CREATE ? object_name(args->obj) : args->name;
  return slice_eq(name, node) ||
         plugin_forbid(args, "can only access %s with the same name as the requesting node", what);
}

static bool slice_admit(const admission_args *args, slice node) {
  if (args->op == ADMIT_UPDATE) return true;
  bool create = args->op == ADMIT_CREATE;
  const val *name = val_path(create ? args->obj : args->old, "spec.nodeName");
  return slice_eq(val_str(name), node) ||
         plugin_forbid(args, "can only %s ResourceSlice with the same NodeName as the requesting "
                             "node", create ? "create" : "delete");
}

/* The common name of a PEM certificate request, in the arena; empty when there is none. */
static slice request_common_name(arena *a, slice pem) {
  static char no_password[] = "";
  char name[256] = "";
  BIO *in = BIO_new_mem_buf(pem.ptr, (int)pem.len);
  X509_REQ *csr = in ? PEM_read_bio_X509_REQ(in, NULL, NULL, no_password) : NULL;
  if (csr) {
    X509_NAME_get_text_by_NID(X509_REQ_get_subject_name(csr), NID_commonName, name, sizeof name);
  }
  X509_REQ_free(csr);
  BIO_free(in);
  return arena_copy(a, slice_cstr(name));
}

static bool csr_admit(const admission_args *args, slice node) {
  slice signer = val_str(val_path(args->obj, "spec.signerName")), pem;
  if (args->op != ADMIT_CREATE || args->subresource.len) return true;
  if (!slice_is(signer, "kubernetes.io/kubelet-serving") &&
      !slice_is(signer, "kubernetes.io/kube-apiserver-client-kubelet")) {
    return true;
  }
  arena *a = args->rq->arena;
  if (!base64_decode(a, val_str(val_path(args->obj, "spec.request")), &pem)) return true;
  if (slice_eq(request_common_name(a, pem), args->rq->user.name)) return true;
  return plugin_forbid(args, "can only create a node CSR with CN=system:node:%.*s",
                       SLICE_ARG(node));
}

static bool lease_admit(const admission_args *args, slice node) {
  if (!slice_is(args->namespace, "kube-node-lease")) {
    return plugin_forbid(args,
                         "can only access leases in the \"kube-node-lease\" system namespace");
  }
  return own_name(args, node, "node lease");
}

bool node_restriction_admit(const admission_args *args) {
  bool is_node;
  const resource_info *r = args->resource;
  slice node = node_of(&args->rq->user, &is_node);
  if (!is_node) return true;
  if (!node.len) {
    slice user = args->rq->user.name;
    return plugin_forbid(args, "could not determine node from user \"%.*s\"", SLICE_ARG(user));
  }
  if (!r->group.len && slice_is(r->resource, "pods")) return pods_admit(args, node);
  if (!r->group.len && slice_is(r->resource, "nodes")) return node_admit(args, node);
  if (!r->group.len && slice_is(r->resource, "serviceaccounts")) return token_admit(args, node);
  if (!r->group.len && slice_is(r->resource, "persistentvolumeclaims")) {
    return slice_is(args->subresource, "status") ||
           plugin_forbid(args, "may only update PVC status");
  }
  if (slice_is(r->resource, "leases")) return lease_admit(args, node);
  if (slice_is(r->resource, "csinodes")) return own_name(args, node, "CSINode");
  if (slice_is(r->resource, "resourceslices")) return slice_admit(args, node);
  if (slice_is(r->resource, "certificatesigningrequests")) return csr_admit(args, node);
  return true;
}
