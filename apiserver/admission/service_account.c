/* ServiceAccount: every pod has an account, its token and its pull secrets.
 * Source: plugin/pkg/admission/serviceaccount. */
#include "admission/plugin.h"

#include "registry/object.h"
#include "server.h"

static const char TOKEN_PATH[] = "/var/run/secrets/kubernetes.io/serviceaccount";
static const char VOLUME_PREFIX[] = "kube-api-access-";
static const char MIRROR[] = "kubernetes.io/config.mirror";
enum { TOKEN_SECONDS = 3607 }; /* tells an automatic token from one asked for with 3600 */

static bool is_mirror(const val *pod) {
  return val_getc(val_path(pod, "metadata.annotations"), MIRROR) != NULL;
}

static val *account_of(const admission_args *args) {
  slice name = val_str(val_path(args->obj, "spec.serviceAccountName"));
  slice ns = args->namespace;
  if (!name.len) {
    slice pod = object_name(args->obj);
    plugin_forbid(args, "no service account specified for pod %.*s/%.*s", SLICE_ARG(ns),
                  SLICE_ARG(pod));
    return NULL;
  }
  val *account = plugin_get(args, "", "v1", "serviceaccounts", ns, name);
  if (!account) {
    plugin_forbid(args,
                  "error looking up service account %.*s/%.*s: serviceaccount \"%.*s\" not found",
                  SLICE_ARG(ns), SLICE_ARG(name), SLICE_ARG(name));
  }
  return account;
}

/* {key: value} in one go. */
static val *pair(arena *a, const char *key, val *value) {
  val *map = val_map(a);
  val_setc(a, map, key, value);
  return map;
}

static val *items_of(arena *a, const char *field, const char *text, val *item) {
  val *list = val_list(a);
  if (text) val_setc(a, item, field, val_cstr(a, text));
  val_append(a, list, item);
  return list;
}

static val *token_volume(arena *a, slice name) {
  val *token = pair(a, "expirationSeconds", val_int(a, TOKEN_SECONDS));
  val_setc(a, token, "path", val_cstr(a, "token"));
  val *ca = pair(a, "name", val_cstr(a, "kube-root-ca.crt"));
  val_setc(a, ca, "items", items_of(a, "path", "ca.crt", pair(a, "key", val_cstr(a, "ca.crt"))));
  val *ref = pair(a, "apiVersion", val_cstr(a, "v1"));
  val_setc(a, ref, "fieldPath", val_cstr(a, "metadata.namespace"));
  val *down = pair(a, "items", items_of(a, "path", "namespace", pair(a, "fieldRef", ref)));
  val *sources = val_list(a);
  val_append(a, sources, pair(a, "serviceAccountToken", token));
  val_append(a, sources, pair(a, "configMap", ca));
  val_append(a, sources, pair(a, "downwardAPI", down));
  val *projected = pair(a, "sources", sources);
  val_setc(a, projected, "defaultMode", val_int(a, 420));
  val *volume = pair(a, "name", val_string(a, name));
  val_setc(a, volume, "projected", projected);
  return volume;
}

static slice volume_name(request *rq) {
  static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
  char name[sizeof VOLUME_PREFIX + 5];
  size_t n = sizeof VOLUME_PREFIX - 1;
  memcpy(name, VOLUME_PREFIX, n);
  for (int i = 0; i < 5; i++) {
    name[n++] = letters[rng_below(&rq->server->name_rng, sizeof letters - 1)];
  }
  return arena_copy(rq->arena, slice_of(name, n));
}

/* Mounts the volume wherever nothing is mounted at the path; true if it did anywhere. */
static bool containers_mount(arena *a, const val *containers, slice volume) {
  bool any = false;
  for (uint32_t i = 0; i < val_len(containers); i++) {
    val *container = val_at(containers, i);
    const val *mounts = val_getc(container, "volumeMounts");
    bool has = false;
    for (uint32_t m = 0; m < val_len(mounts); m++) {
      has = has || slice_is(val_get_str(val_at(mounts, m), "mountPath"), TOKEN_PATH);
    }
    if (has || !val_is_map(container)) continue;
    val *mount = pair(a, "name", val_string(a, volume));
    val_setc(a, mount, "readOnly", val_bool(a, true));
    val_setc(a, mount, "mountPath", val_cstr(a, TOKEN_PATH));
    val_append(a, val_ensure_list(a, container, "volumeMounts"), mount);
    any = true;
  }
  return any;
}

static void token_mount(request *rq, val *spec) {
  const val *volumes = val_getc(spec, "volumes");
  slice volume = SLICE_NONE;
  for (uint32_t i = 0; i < val_len(volumes) && !volume.len; i++) {
    slice name = val_get_str(val_at(volumes, i), "name");
    if (slice_has_prefix(name, slice_cstr(VOLUME_PREFIX))) volume = name;
  }
  bool had = volume.len > 0;
  if (!had) volume = volume_name(rq);
  bool inits = containers_mount(rq->arena, val_getc(spec, "initContainers"), volume);
  bool mains = containers_mount(rq->arena, val_getc(spec, "containers"), volume);
  if (had || !(inits || mains)) return;
  val_append(rq->arena, val_ensure_list(rq->arena, spec, "volumes"),
             token_volume(rq->arena, volume));
}

static bool automounts(const val *account, const val *spec) {
  const val *own = val_getc(spec, "automountServiceAccountToken");
  const val *theirs = val_getc(account, "automountServiceAccountToken");
  return own ? val_true(own) : theirs ? val_true(theirs) : true;
}

bool service_account_mutate(const admission_args *args) {
  if (!plugin_is(args, "", "pods") || args->op != ADMIT_CREATE) return true;
  if (is_mirror(args->obj)) return service_account_validate(args);
  arena *a = args->rq->arena;
  val *spec = val_ensure_map(a, args->obj, "spec");
  if (!val_get_str(spec, "serviceAccountName").len) {
    val_setc(a, spec, "serviceAccountName", val_cstr(a, "default"));
    val_setc(a, spec, "serviceAccount", val_cstr(a, "default"));
  }
  const val *account = account_of(args);
  if (!account) return false;
  if (automounts(account, spec)) token_mount(args->rq, spec);
  const val *pulls = val_getc(account, "imagePullSecrets");
  if (val_len(pulls) && !val_len(val_getc(spec, "imagePullSecrets"))) {
    val_setc(a, spec, "imagePullSecrets", val_copy(a, pulls));
  }
  return true;
}

static bool mirror_check(const admission_args *args) {
  const val *spec = val_getc(args->obj, "spec"), *volumes = val_getc(spec, "volumes");
  if (val_get_str(spec, "serviceAccountName").len) {
    return plugin_forbid(args, "a mirror pod may not reference service accounts");
  }
  for (uint32_t i = 0; i < val_len(volumes); i++) {
    if (val_getc(val_at(volumes, i), "secret")) {
      return plugin_forbid(args, "a mirror pod may not reference secrets");
    }
    const val *sources = val_path(val_at(volumes, i), "projected.sources");
    for (uint32_t s = 0; s < val_len(sources); s++) {
      if (!val_getc(val_at(sources, s), "serviceAccountToken")) continue;
      return plugin_forbid(args,
                           "a mirror pod may not use ServiceAccountToken volume projections");
    }
  }
  return true;
}

static bool names_have(const val *refs, slice name) {
  for (uint32_t i = 0; i < val_len(refs); i++) {
    if (slice_eq(val_get_str(val_at(refs, i), "name"), name)) return true;
  }
  return false;
}

/* Secrets in the environment of one container that the account does not list. */
static bool env_check(const admission_args *args, const val *account, const val *container,
                      const char *what) {
  const val *allowed = val_getc(account, "secrets"), *vars = val_getc(container, "env");
  slice name = val_get_str(container, "name"), who = object_name(account);
  for (uint32_t i = 0; i < val_len(vars); i++) {
    const val *ref = val_path(val_at(vars, i), "valueFrom.secretKeyRef");
    slice secret = val_get_str(ref, "name"), variable = val_get_str(val_at(vars, i), "name");
    if (!ref || names_have(allowed, secret)) continue;
    return plugin_forbid(args,
                         "%s %.*s with envVar %.*s referencing secret.secretName=\"%.*s\" is not "
                         "allowed because service account %.*s does not reference that secret",
                         what, SLICE_ARG(name), SLICE_ARG(variable), SLICE_ARG(secret),
                         SLICE_ARG(who));
  }
  const val *from = val_getc(container, "envFrom");
  for (uint32_t i = 0; i < val_len(from); i++) {
    const val *ref = val_getc(val_at(from, i), "secretRef");
    slice secret = val_get_str(ref, "name");
    if (!ref || names_have(allowed, secret)) continue;
    return plugin_forbid(args,
                         "%s %.*s with envFrom referencing secret.secretName=\"%.*s\" is not "
                         "allowed because service account %.*s does not reference that secret",
                         what, SLICE_ARG(name), SLICE_ARG(secret), SLICE_ARG(who));
  }
  return true;
}

static bool containers_check(const admission_args *args, const val *account, const char *list,
                             const char *what) {
  const val *containers = val_getc(val_getc(args->obj, "spec"), list);
  for (uint32_t i = 0; i < val_len(containers); i++) {
    if (!env_check(args, account, val_at(containers, i), what)) return false;
  }
  return true;
}

static bool secrets_check(const admission_args *args, const val *account) {
  const val *spec = val_getc(args->obj, "spec"), *volumes = val_getc(spec, "volumes");
  slice who = object_name(account);
  for (uint32_t i = 0; i < val_len(volumes); i++) {
    const val *source = val_getc(val_at(volumes, i), "secret");
    slice secret = val_get_str(source, "secretName");
    if (!source || names_have(val_getc(account, "secrets"), secret)) continue;
    return plugin_forbid(args,
                         "volume with secret.secretName=\"%.*s\" is not allowed because service "
                         "account %.*s does not reference that secret",
                         SLICE_ARG(secret), SLICE_ARG(who));
  }
  if (!containers_check(args, account, "initContainers", "init container")) return false;
  if (!containers_check(args, account, "containers", "container")) return false;
  const val *pulls = val_getc(spec, "imagePullSecrets");
  for (uint32_t i = 0; i < val_len(pulls); i++) {
    slice name = val_get_str(val_at(pulls, i), "name");
    if (names_have(val_getc(account, "imagePullSecrets"), name)) continue;
    return plugin_forbid(args,
                         "imagePullSecrets[%u].name=\"%.*s\" is not allowed because service "
                         "account %.*s does not reference that imagePullSecret",
                         i, SLICE_ARG(name), SLICE_ARG(who));
  }
  return true;
}

bool service_account_validate(const admission_args *args) {
  bool ephemeral = plugin_is_sub(args, "", "pods", "ephemeralcontainers") &&
                   args->op == ADMIT_UPDATE;
  bool create = plugin_is(args, "", "pods") && args->op == ADMIT_CREATE;
  if (!ephemeral && !create) return true;
  if (create && is_mirror(args->obj)) return mirror_check(args);
  const val *account = account_of(args);
  if (!account) return false;
  slice enforce = val_get_str(val_path(account, "metadata.annotations"),
                              "kubernetes.io/enforce-mountable-secrets");
  if (bool_parse(enforce) != 1) return true;
  if (ephemeral) {
    return containers_check(args, account, "ephemeralContainers", "ephemeral container");
  }
  return secrets_check(args, account);
}
