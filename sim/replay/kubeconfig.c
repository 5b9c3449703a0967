/* Only what a replay needs of a kubeconfig: server, certificate authority, token, client
 * certificate; inline or as files. Plugins and passwords are not supported. */
#include "sim/replay/kubeconfig.h"

#include "codec/codec.h"
#include "sim/file.h"

#include <stdio.h>

#define FILE_MAX ((size_t)1 << 20)

/* The entry of a named list ("clusters") with that name; its member under `key`. */
static const val *named(const val *config, const char *list, slice name, const char *key) {
  const val *items = val_getc(config, list);
  for (uint32_t i = 0; i < val_len(items); i++) {
    if (slice_eq(val_get_str(val_at(items, i), "name"), name)) {
      return val_getc(val_at(items, i), key);
    }
  }
  return NULL;
}

/* PEM from "KEY-data" (base64) or the file that "KEY" names; NULL when there is neither. */
static const char *pem_of(arena *a, const val *from, const char *key) {
  slice text, data = val_get_str(from, arena_printf(a, "%s-data", key).ptr);
  slice path = val_get_str(from, key);
  if (data.len > 0 && base64_decode(a, data, &text)) {
    return arena_cstr(a, text);
  }
  return path.len > 0 && !file_read(a, arena_cstr(a, path), FILE_MAX, &text) ? text.ptr : NULL;
}

bool kubeconfig_load(arena *a, const char *path, kubeconfig *out, char *problem, size_t size) {
  slice text, error = SLICE_NONE;
  const char *why = file_read(a, path, FILE_MAX, &text);
  if (why) {
    snprintf(problem, size, "%s: %s", path, why);
    return false;
  }
  const val *config = yaml_parse(a, text, NULL, &error);
  const val *context = named(config, "contexts", val_get_str(config, "current-context"), "context");
  const val *cluster = named(config, "clusters", val_get_str(context, "cluster"), "cluster");
  const val *user = named(config, "users", val_get_str(context, "user"), "user");
  slice server = val_get_str(cluster, "server"), token = val_get_str(user, "token");
  out->server = arena_cstr(a, server);
  if (!uplink_target_parse(&out->target, out->server)) {
    snprintf(problem, size, "%s: its current context names no server", path);
    return false;
  }
  out->token = token.len > 0 ? arena_cstr(a, token) : NULL;
  out->target.insecure = val_true(val_getc(cluster, "insecure-skip-tls-verify"));
  out->target.ca_pem = pem_of(a, cluster, "certificate-authority");
  out->target.cert_pem = pem_of(a, user, "client-certificate");
  out->target.key_pem = pem_of(a, user, "client-key");
  return true;
}
