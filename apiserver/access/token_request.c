/* serviceaccounts/token: checks, claims, signature, and the filled TokenRequest. Rule:
 * kubernetes pkg/registry/core/serviceaccount/storage/token.go, pkg/serviceaccount/claims.go. */
#include "access/authn.h"
#include "access/jwt.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "registry/field_error.h"
#include "server.h"

#define GROUP SLICE_LIT("authentication.k8s.io")
#define KIND SLICE_LIT("TokenRequest")
#define EXPIRATION_DEFAULT 3600
#define EXPIRATION_LEAST 600
#define EXPIRATION_MOST ((int64_t)1 << 32)
/* A pod's token of exactly this life is an old kubelet's: it gets a year and a warning. */
#define EXPIRATION_WARN 3607
#define EXPIRATION_EXTENDED ((int64_t)365 * 24 * 3600)

typedef struct reference {
  slice name, uid;
  bool set;
} reference;

typedef struct claims {
  slice namespace;
  reference account, pod, secret, node;
  const val *audiences;
  int64_t now_s, expires_in_s, warn_after_s;
} claims;

static reference reference_of(const val *obj) {
  return (reference){val_str(val_path(obj, "metadata.name")),
                     val_str(val_path(obj, "metadata.uid")),
                     true};
}

static void put_reference(buf *b, const char *kind, const reference *r, bool comma) {
  if (!r->set) return;
  buf_printf(b, "%s\"%s\":{", comma ? "," : "", kind);
  if (r->name.len) {
    buf_lit(b, "\"name\":");
    json_encode_string(b, r->name);
  }
  if (r->name.len && r->uid.len) buf_char(b, ',');
  if (r->uid.len) {
    buf_lit(b, "\"uid\":");
    json_encode_string(b, r->uid);
  }
  buf_char(b, '}');
}

/* Keys sorted, as go-jose's builder leaves them. */
static void put_claims(buf *b, const claims *c, slice issuer, const char *jti) {
  buf_lit(b, "{\"aud\":[");
  for (uint32_t i = 0; i < val_len(c->audiences); i++) {
    if (i) buf_char(b, ',');
    json_encode_string(b, val_str(val_at(c->audiences, i)));
  }
  buf_printf(b, "],\"exp\":%lld,\"iat\":%lld,\"iss\":", (long long)(c->now_s + c->expires_in_s),
             (long long)c->now_s);
  json_encode_string(b, issuer);
  buf_printf(b, ",\"jti\":\"%s\",\"kubernetes.io\":{\"namespace\":", jti);
  json_encode_string(b, c->namespace);
  put_reference(b, "node", &c->node, true);
  put_reference(b, "pod", &c->pod, true);
  put_reference(b, "secret", &c->secret, true);
  put_reference(b, "serviceaccount", &c->account, true);
  if (c->warn_after_s) {
    buf_printf(b, ",\"warnafter\":%lld", (long long)(c->now_s + c->warn_after_s));
  }
  buf_printf(b, "},\"nbf\":%lld,\"sub\":", (long long)c->now_s);
  buf_printf(b, "\"system:serviceaccount:%.*s:%.*s\"}", SLICE_ARG(c->namespace),
             SLICE_ARG(c->account.name));
}

static slice token_text(request *rq, const claims *c) {
  const access_config *config = rq->server->access;
  char jti[37];
  rng_uuid(&rq->server->uid_rng, jti);
  buf b;
  buf_init(&b, LIMIT_REQUEST_BODY * 2);
  put_claims(&b, c, config->issuers[0], jti);
  slice token = jwt_sign(rq->arena, config->signer, buf_slice(&b));
  buf_dispose(&b);
  return token;
}

static bool expiration_check(request *rq, int64_t seconds) {
  field_errors errs = {.a = rq->arena};
  path spec = path_root("spec"), at = path_child(&spec, "expirationSeconds");
  if (seconds < EXPIRATION_LEAST) {
    field_invalid_int(&errs, &at, seconds, "may not specify a duration less than 10 minutes");
  }
  if (seconds > EXPIRATION_MOST) {
    field_invalid_int(&errs, &at, seconds, "may not specify a duration larger than 2^32 seconds");
  }
  return field_errors_to_status(&errs, GROUP, KIND, SLICE_NONE, &rq->error);
}

static bool name_check(request *rq, slice asked, slice name) {
  if (asked.len == 0 || slice_eq(asked, name)) return true;
  field_errors errs = {.a = rq->arena};
  path meta = path_root("metadata"), at = path_child(&meta, "name");
  field_invalid_str(&errs, &at, asked, "must match the service account name if specified");
  return field_errors_to_status(&errs, GROUP, KIND, name, &rq->error);
}

static bool uid_check(request *rq, slice asked, const reference *account) {
  if (asked.len == 0 || slice_eq(asked, account->uid)) return true;
  return status_conflict(&rq->error, rq->arena, GROUP, KIND, account->name,
                         arena_printf(rq->arena, "the UID in the token request (%.*s) does not "
                                      "match the UID of the service account (%.*s)",
                                      SLICE_ARG(asked), SLICE_ARG(account->uid)));
}

static const val *object_get(request *rq, const char *resource, slice namespace, slice name) {
  const resource_info *r = schema_resource(SLICE_NONE, SLICE_LIT("v1"), slice_cstr(resource));
  return r && name.len ? rq->server->access->source->get(rq->server, rq->arena, r, namespace, name)
                       : NULL;
}

static void pod_node(request *rq, const val *pod, claims *c) {
  slice name = val_str(val_path(pod, "spec.nodeName"));
  if (name.len == 0) return;
  const val *node = object_get(rq, "nodes", SLICE_NONE, name);
  c->node = node ? reference_of(node) : (reference){name, SLICE_NONE, true};
}

/* One kind that a token can be bound to. */
static const struct {
  const char *kind, *resource;
  bool namespaced;
} bound_kinds[] = {{"Pod", "pods", true}, {"Node", "nodes", false}, {"Secret", "secrets", true}};

static bool bound_fill(request *rq, const val *ref, claims *c) {
  arena *a = rq->arena;
  slice version = val_get_str(ref, "apiVersion"), kind = val_get_str(ref, "kind");
  slice name = val_get_str(ref, "name"), uid = val_get_str(ref, "uid");
  bool core = slice_find_char(version, '/') < 0;
  size_t row = 0;
  while (row < 3 && !slice_is(kind, bound_kinds[row].kind)) row++;
  if (!core || row == 3) {
    return status_set(&rq->error, a, STATUS_BAD_REQUEST,
                      "cannot bind token to object of type %s%.*s, Kind=%.*s", core ? "/" : "",
                      SLICE_ARG(version), SLICE_ARG(kind));
  }
  if (name.len == 0) {
    return status_set(&rq->error, a, STATUS_BAD_REQUEST, "Name parameter required.");
  }
  const val *obj = object_get(rq, bound_kinds[row].resource,
                              bound_kinds[row].namespaced ? c->namespace : SLICE_NONE, name);
  if (!obj) {
    return status_not_found(&rq->error, a, SLICE_NONE, slice_cstr(bound_kinds[row].resource), name);
  }
  reference *to[] = {&c->pod, &c->node, &c->secret};
  *to[row] = reference_of(obj);
  if (row == 0 && !slice_eq(val_str(val_path(obj, "spec.serviceAccountName")), c->account.name)) {
    return status_set(&rq->error, a, STATUS_BAD_REQUEST,
                      "cannot bind token for serviceaccount \"%.*s\" to pod running with "
                      "different serviceaccount name.", SLICE_ARG(c->account.name));
  }
  if (row == 0) pod_node(rq, obj, c);
  if (uid.len == 0 || slice_eq(uid, to[row]->uid)) return true;
  return status_conflict(&rq->error, a, SLICE_NONE, kind, name,
                         arena_printf(a, "the UID in the bound object reference (%.*s) does not "
                                      "match the UID in record. The object might have been "
                                      "deleted and then recreated", SLICE_ARG(uid)));
}

static bool audiences_are_ours(const access_config *c, const val *asked) {
  for (uint32_t i = 0; i < val_len(asked); i++) {
    uint32_t j = 0;
    while (j < c->audience_count && !slice_eq(val_str(val_at(asked, i)), c->audiences[j])) j++;
    if (j == c->audience_count) return false;
  }
  return true;
}

static void spec_default(request *rq, val *spec) {
  const access_config *c = rq->server->access;
  arena *a = rq->arena;
  if (val_len(val_getc(spec, "audiences")) == 0) {
    val *list = val_list(a);
    for (uint32_t i = 0; i < c->audience_count; i++) {
      val_append(a, list, val_string(a, c->audiences[i]));
    }
    val_setc(a, spec, "audiences", list);
  }
  if (!val_is_int(val_getc(spec, "expirationSeconds"))) {
    val_setc(a, spec, "expirationSeconds", val_int(a, EXPIRATION_DEFAULT));
  }
}

static void spec_shorten(request *rq, val *spec) {
  int64_t most = rq->server->access->sa_max_expiration_s;
  int64_t asked = val_i64(val_getc(spec, "expirationSeconds"));
  if (most <= 0 || asked <= most) return;
  request_warn(rq, arena_printf(rq->arena, "requested expiration of %lld seconds shortened to %lld "
                                "seconds", (long long)asked, (long long)most));
  val_setc(rq->arena, spec, "expirationSeconds", val_int(rq->arena, most));
}

static void meta_fill(request *rq, val *tr, const claims *c) {
  arena *a = rq->arena;
  val *meta = val_ensure_map(a, tr, "metadata");
  val_setc(a, meta, "name", val_string(a, c->account.name));
  val_setc(a, meta, "namespace", val_string(a, c->namespace));
  val_setc(a, meta, "uid", val_string(a, c->account.uid));
  val_setc(a, meta, "creationTimestamp", val_string(a, time_text(a, c->now_s)));
}

val *access_token_request(request *rq, const val *service_account, val *tr) {
  const access_config *config = rq->server->access;
  arena *a = rq->arena;
  if (!config->signer || config->issuer_count == 0) {
    status_set(&rq->error, a, STATUS_NOT_FOUND, "the server could not find the requested resource");
    return NULL;
  }
  claims c = {.account = reference_of(service_account), .now_s = request_now_s(rq)};
  c.namespace = val_str(val_path(service_account, "metadata.namespace"));
  val *spec = val_ensure_map(a, tr, "spec");
  spec_default(rq, spec);
  if (!name_check(rq, val_str(val_path(tr, "metadata.name")), c.account.name)) return NULL;
  if (!uid_check(rq, val_str(val_path(tr, "metadata.uid")), &c.account)) return NULL;
  meta_fill(rq, tr, &c);
  if (!expiration_check(rq, val_i64(val_getc(spec, "expirationSeconds")))) return NULL;
  const val *ref = val_getc(spec, "boundObjectRef");
  if (val_is_map(ref) && !bound_fill(rq, ref, &c)) return NULL;
  spec_shorten(rq, spec);
  c.audiences = val_getc(spec, "audiences");
  int64_t life = c.expires_in_s = val_i64(val_getc(spec, "expirationSeconds"));
  if (c.pod.set && life == EXPIRATION_WARN && audiences_are_ours(config, c.audiences)) {
    c.warn_after_s = life;
    c.expires_in_s = EXPIRATION_EXTENDED;
  }
  val *status = val_map(a);
  val_setc(a, status, "token", val_string(a, token_text(rq, &c)));
  val_setc(a, status, "expirationTimestamp", val_string(a, time_text(a, c.now_s + life)));
  val_setc(a, tr, "status", status);
  return tr;
}
