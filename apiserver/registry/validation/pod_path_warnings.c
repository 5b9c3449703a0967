/* Warnings about volumes whose files get in each other's way. Source: pkg/api/pod/warnings.go
 * (warningsForOverlappingVirtualPaths). Paths of one volume are compared pair by pair, as the real
 * server does; PAIRS_MAX ends that for volumes that nobody has. */
#include "registry/validation/pod_warnings.h"

#include "base/quote.h"

#define PAIRS_MAX 100000u

typedef struct path_source {
  slice path, source; /* source: 'ConfigMap "x"', empty where the volume says it */
} path_source;

typedef struct path_set {
  request *rq;
  slice volume, about; /* quoted name; what stands in the brackets behind it */
  path_source *items;
  uint32_t count, cap, pairs;
} path_set;

static slice shown(arena *a, const path_source *s) {
  slice quoted = go_quote(a, s->path);
  if (!s->source.len) return quoted;
  return arena_printf(a, "%.*s (%.*s)", SLICE_ARG(quoted), SLICE_ARG(s->source));
}

/* Is one path the other, or a directory above it? */
static bool overlap(slice x, slice y) {
  slice longer = x.len > y.len ? x : y, shorter = x.len > y.len ? y : x;
  if (!slice_has_prefix(longer, shorter)) return false;
  return longer.len == shorter.len || longer.ptr[shorter.len] == '/';
}

static void set_add(path_set *set, slice file, slice source) {
  arena *a = set->rq->arena;
  while (file.len && file.ptr[file.len - 1] == '/') file.len--;
  path_source own = {file, source};
  for (uint32_t i = 0; file.len && i < set->count && set->pairs < PAIRS_MAX; i++, set->pairs++) {
    const path_source *other = &set->items[i];
    if (!other->path.len || !overlap(other->path, file)) continue;
    slice x = shown(a, &own), y = shown(a, other);
    request_warn(set->rq,
                 arena_printf(a, "volume %.*s (%.*s): overlapping paths: %.*s with %.*s",
                              SLICE_ARG(set->volume), SLICE_ARG(set->about), SLICE_ARG(x),
                              SLICE_ARG(y)));
  }
  set->items = arena_more(a, set->items, set->count, &set->cap, sizeof *set->items);
  set->items[set->count++] = own;
}

static void set_add_items(path_set *set, const val *source, slice about) {
  const val *items = val_getc(source, "items");
  EACH_ITEM(i, items) set_add(set, val_get_str(val_at(items, i), "path"), about);
}

static slice named(arena *a, const char *kind, slice name) {
  slice text = go_quote(a, name);
  return arena_printf(a, "%s %.*s", kind, SLICE_ARG(text));
}

static void bundle_add(path_set *set, const val *bundle) {
  const val *name = val_getc(bundle, "name");
  slice text = name ? val_str(name) : val_get_str(bundle, "signerName");
  set_add(set, val_get_str(bundle, "path"), named(set->rq->arena, "ClusterTrustBundle", text));
}

static void certificate_add(path_set *set, const val *c) {
  static const char *const rows[][2] = {{"certificateChainPath", "PodCertificate chain"},
                                        {"keyPath", "PodCertificate key"},
                                        {"credentialBundlePath", "PodCertificate credential bundle"}};
  for (size_t i = 0; i < 3; i++) {
    slice file = val_get_str(c, rows[i][0]);
    if (file.len) set_add(set, file, slice_cstr(rows[i][1]));
  }
}

static void projected_warn(path_set *set, const val *sources) {
  arena *a = set->rq->arena;
  set->about = SLICE_LIT("Projected");
  EACH_ITEM(i, sources) {
    const val *s = val_at(sources, i), *map = val_getc(s, "configMap"),
              *secret = val_getc(s, "secret"), *api = val_getc(s, "downwardAPI"),
              *token = val_getc(s, "serviceAccountToken"),
              *bundle = val_getc(s, "clusterTrustBundle"), *pair = val_getc(s, "podCertificate");
    if (val_len(s) == 0) {
      request_warn(set->rq, arena_printf(a, "volume %.*s (Projected) has no sources provided",
                                         SLICE_ARG(set->volume)));
    } else if (val_getc(map, "items")) {
      set_add_items(set, map, named(a, "ConfigMap", val_get_str(map, "name")));
    } else if (val_getc(secret, "items")) {
      set_add_items(set, secret, named(a, "Secret", val_get_str(secret, "name")));
    } else if (val_getc(api, "items")) {
      set_add_items(set, api, SLICE_LIT("DownwardAPI"));
    } else if (token) {
      set_add(set, val_get_str(token, "path"), SLICE_LIT("ServiceAccountToken"));
    } else if (bundle) {
      bundle_add(set, bundle);
    } else if (pair) {
      certificate_add(set, pair);
    }
  }
}

void pod_warn_paths(request *rq, const val *spec) {
  arena *a = rq->arena;
  const val *list = val_getc(spec, "volumes");
  EACH_ITEM(i, list) {
    const val *v = val_at(list, i), *map = val_getc(v, "configMap"), *secret = val_getc(v, "secret"),
              *api = val_getc(v, "downwardAPI"), *sources = val_path(v, "projected.sources");
    path_set set = {.rq = rq, .volume = go_quote(a, val_get_str(v, "name"))};
    if (map) {
      set.about = named(a, "ConfigMap", val_get_str(map, "name"));
      set_add_items(&set, map, SLICE_NONE);
    } else if (secret) {
      set.about = named(a, "Secret", val_get_str(secret, "secretName"));
      set_add_items(&set, secret, SLICE_NONE);
    } else if (api) {
      set.about = SLICE_LIT("DownwardAPI");
      set_add_items(&set, api, SLICE_NONE);
    } else if (sources) {
      projected_warn(&set, sources);
    }
  }
}
