/* Service account tokens: signature, issuer, audience, times, and that what the token is
 * bound to still exists. Rule: kubernetes pkg/serviceaccount/{jwt,claims}.go. */
#include "access/authn.h"
#include "access/jwt.h"
#include "access/text.h"
#include "base/limits.h"
#include "codec/codec.h"

#define LEEWAY_S 60
#define EXTRA(name) SLICE_LIT("authentication.kubernetes.io/" name)

static authn_outcome refuse(authn_result *out, slice error) {
  out->error = error;
  return AUTHN_ERROR;
}

static bool issuer_known(const access_config *c, slice issuer) {
  for (uint32_t i = 0; i < c->issuer_count; i++) {
    if (slice_eq(c->issuers[i], issuer)) return true;
  }
  return false;
}

/* With a key id only that key counts; the error's text, or SLICE_NONE when verified. */
static slice verify_error(const access_config *c, const jwt *t) {
  uint32_t tried = 0;
  for (uint32_t i = 0; i < c->keys.count; i++) {
    const jwt_key *k = &c->keys.items[i];
    if (t->kid.len && !slice_eq(t->kid, k->kid)) continue;
    if (jwt_verify(t, k)) return SLICE_NONE;
    tried++;
  }
  return tried ? SLICE_LIT("go-jose/go-jose: error in cryptographic primitive")
               : SLICE_LIT("invalid signature, no keys found");
}

/* A string or a list of strings, as a list. */
static const slice *audience_claim(arena *a, const val *claims, uint32_t *count) {
  const val *v = val_getc(claims, "aud");
  *count = val_is_string(v) ? 1 : val_is_list(v) ? val_len(v) : 0;
  slice *out = ARENA_ARRAY(a, slice, *count + 1);
  for (uint32_t i = 0; i < *count; i++) out[i] = val_str(val_is_list(v) ? val_at(v, i) : v);
  return out;
}

static slice audience_error(arena *a, const slice *has, uint32_t n, const authn_context *x) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  buf_lit(&b, "token audiences ");
  text_quote_list(&b, has, n);
  buf_lit(&b, " is invalid for the target audiences ");
  text_quote_list(&b, x->audiences, x->audience_count);
  return text_take(a, &b);
}

static slice time_error(const val *claims, int64_t now) {
  int64_t t;
  if (jwt_date(claims, "nbf", &t) && now + LEEWAY_S < t) {
    return SLICE_LIT("service account token is not valid yet");
  }
  if (jwt_date(claims, "exp", &t) && now - LEEWAY_S > t) {
    return SLICE_LIT("service account token has expired");
  }
  if (jwt_date(claims, "iat", &t) && now + LEEWAY_S < t) {
    return SLICE_LIT("service account token is issued in the future");
  }
  return SLICE_NONE;
}

/* Deleted for longer than the leeway. */
static bool is_gone(const val *obj, int64_t now) {
  int64_t deleted;
  int32_t nanos;
  slice text = val_str(val_path(obj, "metadata.deletionTimestamp"));
  return text.len && time_parse(text, &deleted, &nanos) && deleted < now - LEEWAY_S;
}

/* One kind of object that a token is bound to. */
typedef struct bound_row {
  const char *claim, *resource, *label, *uid_label;
  bool namespaced;
} bound_row;

static const bound_row bound_rows[] = {
    {"secret", "secrets", "secret UID", "service account secret ref claim", true},
    {"pod", "pods", "pod UID", "service account pod ref claim", true},
    {"node", "nodes", "node UID", "service account node ref claim", false},
};

static val *object_get(const authn_context *x, const char *resource, slice namespace, slice name) {
  const resource_info *r = schema_resource(SLICE_NONE, SLICE_LIT("v1"), slice_cstr(resource));
  return r && name.len ? x->config->source->get(x->server, x->arena, r, namespace, name) : NULL;
}

static slice uid_error(arena *a, const char *label, slice uid, const char *claim_label,
                       slice claim) {

  return arena_printf(a, "%s (%.*s) does not match %s (%.*s)", label, SLICE_ARG(uid), claim_label,
                      SLICE_ARG(claim));
}

static slice bound_error(const authn_context *x, const bound_row *row, slice namespace,
                         const val *ref, int64_t now) {
  slice name = val_get_str(ref, "name"), uid = val_get_str(ref, "uid");
  const val *obj = object_get(x, row->resource, row->namespaced ? namespace : SLICE_NONE, name);
  if (!obj) return SLICE_LIT("service account token has been invalidated");
  slice has = val_str(val_path(obj, "metadata.uid"));
  if (!slice_eq(has, uid)) return uid_error(x->arena, row->label, has, row->uid_label, uid);
  return is_gone(obj, now) ? SLICE_LIT("service account token has been invalidated") : SLICE_NONE;
}

static slice account_error(const authn_context *x, slice namespace, const val *ref, int64_t now) {
  slice name = val_get_str(ref, "name"), uid = val_get_str(ref, "uid");
  const val *obj = object_get(x, "serviceaccounts", namespace, name);
  if (!obj) {
    slice quoted = text_quoted(x->arena, name);
    return arena_printf(x->arena, "serviceaccounts %.*s not found", SLICE_ARG(quoted));
  }
  slice has = val_str(val_path(obj, "metadata.uid"));
  if (!slice_eq(has, uid)) return uid_error(x->arena, "service account UID", has, "claim", uid);
  if (!is_gone(obj, now)) return SLICE_NONE;
  return arena_printf(x->arena, "service account %.*s/%.*s has been deleted", SLICE_ARG(namespace),
                      SLICE_ARG(name));
}

/* The first thing wrong with the private claims. */
static slice bindings_error(const authn_context *x, const val *k, slice namespace, int64_t now) {
  slice error = account_error(x, namespace, val_getc(k, "serviceaccount"), now);
  for (size_t i = 0; i < sizeof bound_rows / sizeof bound_rows[0] && !error.len; i++) {
    const val *ref = val_getc(k, bound_rows[i].claim);
    bool node_of_pod = slice_is(slice_cstr(bound_rows[i].claim), "node") && val_getc(k, "pod");
    if (val_is_map(ref) && !node_of_pod) {
      error = bound_error(x, &bound_rows[i], namespace, ref, now);
    }
  }
  return error;
}

static void account_user(arena *a, const jwt *t, const val *k, slice namespace, user_info *u) {
  const val *sa = val_getc(k, "serviceaccount"), *pod = val_getc(k, "pod"),
      *node = val_getc(k, "node");
  slice name = val_get_str(sa, "name"), jti = val_get_str(t->claims, "jti");
  *u = (user_info){.name = arena_printf(a, "system:serviceaccount:%.*s:%.*s", SLICE_ARG(namespace),
                                        SLICE_ARG(name)),
                   .uid = val_get_str(sa, "uid"),
                   .groups = service_account_groups(a, namespace),
                   .group_count = 2};
  slice pod_name = val_get_str(pod, "name"), pod_uid = val_get_str(pod, "uid");
  slice node_name = val_get_str(node, "name"), node_uid = val_get_str(node, "uid");
  if (jti.len) {
    user_add_extra(a, u, EXTRA("credential-id"), arena_concat(a, SLICE_LIT("JTI="), jti));
  }
  if (pod_name.len && pod_uid.len) {
    user_add_extra(a, u, EXTRA("pod-name"), pod_name);
    user_add_extra(a, u, EXTRA("pod-uid"), pod_uid);
  }
  if (node_name.len) user_add_extra(a, u, EXTRA("node-name"), node_name);
  if (node_name.len && node_uid.len) user_add_extra(a, u, EXTRA("node-uid"), node_uid);
}

/* Signature and audiences, which hold for both issuers' tokens alike. */
static slice common_error(const authn_context *x, const jwt *t, authn_result *out) {
  const access_config *c = x->config;
  slice error = verify_error(c, t);
  if (error.len) return error;
  uint32_t n;
  const slice *has = audience_claim(x->arena, t->claims, &n);
  if (n == 0) has = c->audiences, n = c->audience_count;
  out->audiences = audiences_shared(x->arena, has, n, x->audiences, x->audience_count,
                                    &out->audience_count);
  bool shared = out->audience_count || !c->audience_count;
  return shared ? SLICE_NONE : audience_error(x->arena, has, n, x);
}

authn_outcome authn_service_account(const authn_context *x, slice token, authn_result *out) {
  const access_config *c = x->config;
  jwt t;
  if (c->keys.count == 0 || !jwt_open(x->arena, token, &t)) return AUTHN_NO_OPINION;
  bool legacy = slice_eq(t.issuer, LEGACY_ISSUER);
  if (!legacy && !issuer_known(c, t.issuer)) return AUTHN_NO_OPINION;
  slice error = common_error(x, &t, out);
  if (error.len) return refuse(out, error);
  if (legacy) return authn_legacy_token(x, token, t.claims, out);
  int64_t now = x->wall_ns / 1000000000;
  error = time_error(t.claims, now);
  if (error.len) return refuse(out, error);
  const val *k = val_getc(t.claims, "kubernetes.io");
  slice namespace = val_get_str(k, "namespace");
  error = bindings_error(x, k, namespace, now);
  if (error.len) return refuse(out, error);
  account_user(x->arena, &t, k, namespace, &out->user);
  return AUTHN_OK;
}
