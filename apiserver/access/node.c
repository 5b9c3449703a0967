/* The node authorizer: a table of resources that are looked at one by one, and fixed rules
 * for the rest. Which objects a node's pods use is in node_related.c. */
#include "access/node.h"

#include "access/config.h"
#include "access/node_related.h"
#include "access/rbac.h"
#include "access/text.h"

typedef struct node_question {
  server *server;
  arena *a;
  const access_attributes *q;
  slice node;
  slice reason;
} node_question;

static access_decision because_text(node_question *n, slice reason) {
  n->reason = reason;
  return ACCESS_NO_OPINION;
}

static access_decision because(node_question *n, const char *reason) {
  return because_text(n, slice_cstr(reason));
}

static bool verb_in(const node_question *n, const char *list) {
  slice rest = slice_cstr(list), one;
  bool more = true;
  while (more) {
    more = slice_cut(rest, ' ', &one, &rest);
    if (slice_eq(one, n->q->verb)) return true;
  }
  return false;
}

static access_decision if_related(node_question *n) {
  const access_attributes *q = n->q;
  if (q->name.len == 0) return because(n, "No Object name found");
  if (node_is_related(n->server, n->a, n->node, q->resource, q->namespace, q->name)) {
    return ACCESS_ALLOW;
  }
  return because_text(n,
                      arena_printf(n->a,
                                   "no relationship found between node '%.*s' and this object",
                                 SLICE_ARG(n->node)));
}

/* spec.nodeName=THIS among the selector's terms. */
static bool selects_node(const node_question *n, const char *field) {
  slice rest = n->q->field_selector, term, key, value;
  while (rest.len) {
    slice_cut(rest, ',', &term, &rest);
    if (!slice_cut(term, '=', &key, &value) || !slice_is(key, field)) continue;
    if (value.len && value.ptr[0] == '=') value = slice_from(value, 1);
    if (slice_eq(value, n->node)) return true;
  }
  return false;
}

static access_decision decide_read(node_question *n) {
  if (!verb_in(n, "get list watch")) return because(n, "can only read resources of this type");
  if (n->q->subresource.len) return because(n, "cannot read subresource");
  if (!n->q->namespace.len) return because(n, "can only read namespaced object of this type");
  return if_related(n);
}

static access_decision decide_get(node_question *n) {
  if (!verb_in(n, "get")) return because(n, "can only get individual resources of this type");
  if (n->q->subresource.len) return because(n, "cannot get subresource");
  return if_related(n);
}

static access_decision decide_claim(node_question *n) {
  if (!slice_is(n->q->subresource, "status")) return decide_get(n);
  if (!verb_in(n, "update patch")) return because(n, "can only get/update/patch this type");
  return if_related(n);
}

static access_decision decide_account(node_question *n) {
  const access_attributes *q = n->q;
  if (verb_in(n, "get") && !q->subresource.len) return decide_read(n);
  if (!verb_in(n, "create") || !q->name.len) {
    return because(n, "can only create tokens for individual service accounts");
  }
  if (!slice_is(q->subresource, "token")) {
    return because(n, "can only create token subresource of serviceaccount");
  }
  return if_related(n);
}

static access_decision decide_lease(node_question *n) {
  if (!verb_in(n, "get create update patch delete")) {
    return because(n, "can only get, create, update, patch, or delete a node lease");
  }
  if (!slice_is(n->q->namespace, "kube-node-lease")) {
    return because(n, "can only access leases in the \"kube-node-lease\" system namespace");
  }
  if (verb_in(n, "create") || slice_eq(n->q->name, n->node)) return ACCESS_ALLOW;
  return because(n, "can only access node lease with the same name as the requesting node");
}

static access_decision decide_csi_node(node_question *n) {
  if (!verb_in(n, "get create update patch delete")) {
    return because(n, "can only get, create, update, patch, or delete a CSINode");
  }
  if (n->q->subresource.len) return because(n, "cannot authorize CSINode subresources");
  if (verb_in(n, "create") || slice_eq(n->q->name, n->node)) return ACCESS_ALLOW;
  return because(n, "can only access CSINode with the same name as the requesting node");
}

static access_decision decide_slice(node_question *n) {
  if (n->q->subresource.len) return because(n, "cannot authorize ResourceSlice subresources");
  if (verb_in(n, "create")) return ACCESS_ALLOW;
  if (verb_in(n, "get update patch delete")) return if_related(n);
  if (!verb_in(n, "watch list deletecollection")) {
    return because(n, "only the following verbs are allowed for a ResourceSlice: get, watch, "
                      "list, create, update, patch, delete, deletecollection");
  }
  if (selects_node(n, "spec.nodeName")) return ACCESS_ALLOW;
  return because(n, "can only list/watch/deletecollection resourceslices with nodeName field "
                    "selector");
}

static access_decision decide_node(node_question *n) {
  const access_attributes *q = n->q;
  if (slice_is(q->subresource, "status") && verb_in(n, "update patch")) return ACCESS_ALLOW;
  if (q->subresource.len) return ACCESS_NO_OPINION;
  if (verb_in(n, "create update patch")) return ACCESS_ALLOW;
  if (!verb_in(n, "get list watch")) return ACCESS_NO_OPINION;
  if (slice_eq(q->name, n->node)) return ACCESS_ALLOW;
  if (q->name.len == 0) {
    return because_text(n,
                      arena_printf(n->a,
                                   "node '%.*s' cannot read all nodes, only its own Node object",
                                   SLICE_ARG(n->node)));
  }
  return because_text(n,
                      arena_printf(n->a, "node '%.*s' cannot read '%.*s', only its own Node object",
                                 SLICE_ARG(n->node), SLICE_ARG(q->name)));
}

static access_decision decide_pod(node_question *n) {
  slice sub = n->q->subresource;
  if (slice_is(sub, "status") && verb_in(n, "update patch")) return ACCESS_ALLOW;
  if (slice_is(sub, "eviction") && verb_in(n, "create")) return ACCESS_ALLOW;
  if (sub.len) return ACCESS_NO_OPINION;
  if (verb_in(n, "create delete")) return ACCESS_ALLOW;
  if (verb_in(n, "get")) return decide_get(n);
  if (!verb_in(n, "list watch")) return ACCESS_NO_OPINION;
  if (selects_node(n, "spec.nodeName")) return ACCESS_ALLOW;
  if (n->q->name.len) return if_related(n);
  return because(n, "can only list/watch pods with spec.nodeName field selector");
}

static const struct {
  const char *group, *resource;
  access_decision (*decide)(node_question *n);
} rows[] = {
    {"", "secrets", decide_read},
    {"", "configmaps", decide_read},
    {"", "persistentvolumeclaims", decide_claim},
    {"", "persistentvolumes", decide_get},
    {"resource.k8s.io", "resourceclaims", decide_get},
    {"storage.k8s.io", "volumeattachments", decide_get},
    {"", "serviceaccounts", decide_account},
    {"coordination.k8s.io", "leases", decide_lease},
    {"storage.k8s.io", "csinodes", decide_csi_node},
    {"resource.k8s.io", "resourceslices", decide_slice},
    {"", "nodes", decide_node},
    {"", "pods", decide_pod},
};

/* The resources that are the same for every node. */
static const struct {
  const char *group, *resource, *verbs;
} fixed_rules[] = {
    {"authentication.k8s.io", "tokenreviews", "create"},
    {"authorization.k8s.io", "subjectaccessreviews", "create"},
    {"authorization.k8s.io", "localsubjectaccessreviews", "create"},
    {"", "services", "get list watch"},
    {"", "events", "create update patch"},
    {"events.k8s.io", "events", "create update patch"},
    {"", "endpoints", "get"},
    {"certificates.k8s.io", "certificatesigningrequests", "create get list watch"},
    {"storage.k8s.io", "csidrivers", "get watch list"},
    {"node.k8s.io", "runtimeclasses", "get list watch"},
};

static access_decision decide_fixed(node_question *n) {
  const access_attributes *q = n->q;
  for (size_t i = 0; i < sizeof fixed_rules / sizeof fixed_rules[0]; i++) {
    if (q->is_resource && !q->subresource.len && slice_is(q->group, fixed_rules[i].group) &&
        slice_is(q->resource, fixed_rules[i].resource) && verb_in(n, fixed_rules[i].verbs)) {
      return ACCESS_ALLOW;
    }
  }
  return ACCESS_NO_OPINION;
}

bool node_is_user(const user_info *u) {
  return slice_has_prefix(u->name, SLICE_LIT("system:node:")) && user_has_group(u, GROUP_NODES);
}

access_decision node_decide(server *s, arena *a, const access_attributes *q, slice *reason) {
  slice prefix = SLICE_LIT("system:node:");
  *reason = SLICE_NONE;
  if (!node_is_user(&q->user)) return ACCESS_NO_OPINION;
  node_question n = {.server = s, .a = a, .q = q, .node = slice_from(q->user.name, prefix.len)};
  if (n.node.len == 0) {
    slice quoted = text_quoted(a, q->user.name);
    *reason = arena_printf(a, "unknown node for user %.*s", SLICE_ARG(quoted));
    return ACCESS_NO_OPINION;
  }
  size_t row = 0, count = sizeof rows / sizeof rows[0];
  while (row < count && !(slice_is(q->group, rows[row].group) &&
                          slice_is(q->resource, rows[row].resource))) {
    row++;
  }
  access_decision d = q->is_resource && row < count ? rows[row].decide(&n) : decide_fixed(&n);
  *reason = n.reason;
  return d;
}
