/* Tokens without an end that live in Secrets of type service-account-token. A controller signs
 * them; here they are only believed as long as the Secret holds the very same bytes. Rule:
 * kubernetes pkg/serviceaccount/legacy.go. */
#include "access/authn.h"
#include "codec/codec.h"
#include "registry/object.h"

#define CLAIM(name) "kubernetes.io/serviceaccount/" name
#define LAST_USED SLICE_LIT("kubernetes.io/legacy-token-last-used")
#define INVALID_SINCE SLICE_LIT("kubernetes.io/legacy-token-invalid-since")
#define DAY_S 86400

typedef struct legacy_claims {
  slice subject, namespace, secret, account, account_uid;
} legacy_claims;

static slice claims_read(const val *claims, legacy_claims *out) {
  const struct {
    const char *claim;
    slice *to;
    slice error;
  } rows[] = {
      {"sub", &out->subject, SLICE_LIT("sub claim is missing")},
      {CLAIM("namespace"), &out->namespace, SLICE_LIT("namespace claim is missing")},
      {CLAIM("secret.name"), &out->secret, SLICE_LIT("secretName claim is missing")},
      {CLAIM("service-account.name"), &out->account,
       SLICE_LIT("serviceAccountName claim is missing")},
      {CLAIM("service-account.uid"), &out->account_uid,
       SLICE_LIT("serviceAccountUID claim is missing")},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    *rows[i].to = val_str(val_getc(claims, rows[i].claim));
    if (rows[i].to->len == 0) return rows[i].error;
  }
  slice namespace, name;
  bool fits = service_account_split(out->subject, &namespace, &name) &&
              slice_eq(namespace, out->namespace) && slice_eq(name, out->account);
  return fits ? SLICE_NONE : SLICE_LIT("sub claim is invalid");
}

static const resource_info *core_resource(const char *name) {
  return schema_resource(SLICE_NONE, SLICE_LIT("v1"), slice_cstr(name));
}

static val *look_up(const authn_context *x, const char *resource, slice namespace, slice name) {
  return x->config->source->get(x->server, x->arena, core_resource(resource), namespace, name);
}

static bool is_deleted(const val *obj) {
  return val_path(obj, "metadata.deletionTimestamp") != NULL;
}

static slice secret_error(const authn_context *x, const val *secret, slice token) {
  if (!secret || is_deleted(secret)) return SLICE_LIT("Token has been invalidated");
  slice kept;
  const val *data = val_getc(secret, "data");
  bool same = base64_decode(x->arena, val_get_str(data, "token"), &kept) && slice_eq(kept, token);
  return same ? SLICE_NONE : SLICE_LIT("Token does not match server's copy");
}

static slice account_error(const authn_context *x, const legacy_claims *c, const val *account) {
  arena *a = x->arena;
  if (!account) {
    return arena_printf(a, "serviceaccounts \"%.*s\" not found", SLICE_ARG(c->account));
  }
  if (is_deleted(account)) {
    return arena_printf(a, "ServiceAccount %.*s/%.*s has been deleted", SLICE_ARG(c->namespace),
                        SLICE_ARG(c->account));
  }
  slice uid = val_str(val_path(account, "metadata.uid"));
  if (slice_eq(uid, c->account_uid)) return SLICE_NONE;
  return arena_printf(a, "ServiceAccount UID (%.*s) does not match claim (%.*s)", SLICE_ARG(uid),
                      SLICE_ARG(c->account_uid));
}

static slice label_error(arena *a, const legacy_claims *c, const val *secret) {
  const val *labels = val_path(secret, "metadata.labels");
  if (val_str(val_get(labels, INVALID_SINCE)).len == 0) return SLICE_NONE;
  return arena_printf(
      a,
      "the token in secret %.*s/%.*s for service account %.*s/%.*s has been marked invalid. Use "
      "tokens from the TokenRequest API or manually created secret-based tokens, or remove the "
      "'%.*s' label from the secret to temporarily allow use of this token",
      SLICE_ARG(c->namespace), SLICE_ARG(c->secret), SLICE_ARG(c->namespace),
      SLICE_ARG(c->account), SLICE_ARG(INVALID_SINCE));
}

/* Once a day; tomorrow counts as today, for another server's clock may be ahead. */
static void mark_used(const authn_context *x, const val *secret) {
  arena *a = x->arena;
  int64_t now = x->wall_ns / 1000000000;
  slice today = slice_upto(time_text(a, now), 10),
      tomorrow = slice_upto(time_text(a, now + DAY_S), 10);
  slice last = val_str(val_get(val_path(secret, "metadata.labels"), LAST_USED));
  if (slice_eq(last, today) || slice_eq(last, tomorrow) || !x->config->source->update) return;
  val *obj = val_copy(a, secret), *metadata = val_getc(obj, "metadata");
  val *labels = val_getc(metadata, "labels");
  if (!labels) val_setc(a, metadata, "labels", labels = val_map(a));
  val_set(a, labels, LAST_USED, val_string(a, today));
  x->config->source->update(x->server, a, core_resource("secrets"), obj,
                            SLICE_LIT("kube-apiserver"));
}

/* Made by old controllers without being asked for, and listed in the account. */
static bool is_auto_generated(const val *account, slice secret) {
  const val *refs = val_getc(account, "secrets");
  for (uint32_t i = 0; i < val_len(refs); i++) {
    if (slice_eq(val_get_str(val_at(refs, i), "name"), secret)) return true;
  }
  return false;
}

authn_outcome authn_legacy_token(const authn_context *x, slice token, const val *claims,
                                 authn_result *out) {
  legacy_claims c;
  const val *secret = NULL, *account = NULL;
  slice error = claims_read(claims, &c);
  if (!error.len) {
    secret = look_up(x, "secrets", c.namespace, c.secret);
    error = secret_error(x, secret, token);
  }
  if (!error.len) {
    account = look_up(x, "serviceaccounts", c.namespace, c.account);
    error = account_error(x, &c, account);
  }
  if (!error.len) {
    error = label_error(x->arena, &c, secret);
    mark_used(x, secret);
  }
  if (error.len) {
    out->error = error;
    return AUTHN_ERROR;
  }
  if (is_auto_generated(account, c.secret)) {
    out->warning = SLICE_LIT("Use tokens from the TokenRequest API or manually created "
                             "secret-based tokens instead of auto-generated secret-based tokens.");
  }
  out->user = (user_info){.name = c.subject,
                          .uid = c.account_uid,
                          .groups = service_account_groups(x->arena, c.namespace),
                          .group_count = 2};
  return AUTHN_OK;
}
