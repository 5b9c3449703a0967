/* --runtime-config, from text to a served_set.
 *
 * The real server keeps a map of the pairs, so the last one of a key counts and their order is
 * lost; where it would tell one of several mistakes at random, this tells the first by key. */
#include "base/quote.h"
#include "schema/served.h"

#include <stdlib.h>
#include <string.h>

#define PAIRS_MAX 256

typedef struct pair {
  slice key, value;
} pair;

typedef struct config {
  arena *a;
  pair pairs[PAIRS_MAX];
  uint32_t count;
  slice problem;
} config;

static const char *const matchers[] = {"api/all", "api/ga", "api/beta", "api/alpha"};
#define MATCHERS (sizeof matchers / sizeof *matchers)

static bool refuse(config *c, slice text) {
  c->problem = text;
  return false;
}

static const slice *value_of(const config *c, const char *key) {
  for (uint32_t i = 0; i < c->count; i++) {
    if (slice_is(c->pairs[i].key, key)) return &c->pairs[i].value;
  }
  return NULL;
}

static bool is_matcher(slice key) {
  for (size_t i = 0; i < MATCHERS; i++) {
    if (slice_is(key, matchers[i])) return true;
  }
  return false;
}

/* Every key of the core group means the whole of it, and api/legacy nothing. */
static slice key_completed(slice key) {
  static const char *const core[] = {"v1", "api/v1"};
  for (size_t i = 0; i < 2; i++) {
    slice name = slice_cstr(core[i]);
    bool below = slice_has_prefix(key, name) && key.len > name.len && key.ptr[name.len] == '/';
    if (slice_eq(key, name) || below) return SLICE_LIT("/v1");
  }
  return key;
}

static bool pair_put(config *c, slice key, slice value) {
  for (uint32_t i = 0; i < c->count; i++) {
    if (!slice_eq(c->pairs[i].key, key)) continue;
    c->pairs[i].value = value;
    return true;
  }
  if (c->count == PAIRS_MAX) return refuse(c, SLICE_LIT("runtime-config has too many pairs"));
  c->pairs[c->count++] = (pair){key, value};
  return true;
}

static int by_key(const void *a, const void *b) {
  return slice_cmp(((const pair *)a)->key, ((const pair *)b)->key);
}

static bool pairs_read(config *c, slice text) {
  slice part, key, value, rest = text;
  for (bool more = text.len > 0; more;) {
    more = slice_cut(rest, ',', &part, &rest);
    if (part.len == 0) continue;
    if (!slice_cut(part, '=', &key, &value)) {
      key = part;
      value = SLICE_LIT("");
    }
    key = key_completed(slice_trim(key));
    if (!slice_is(key, "api/legacy") && !pair_put(c, key, slice_trim(value))) return false;
  }
  qsort(c->pairs, c->count, sizeof *c->pairs, by_key);
  return true;
}

/* Its controller reads its own API, so that must not be turned off: looked for in the text. */
static slice fairness_conflict(const config *c) {
  static const char *const needed[] = {"flowcontrol.apiserver.k8s.io/v1", "api/ga", "api/all"};
  slice text = SLICE_LIT("");
  for (uint32_t i = 0; i < c->count; i++) {
    text = arena_printf(c->a, "%.*s,%.*s=%.*s", SLICE_ARG(text), SLICE_ARG(c->pairs[i].key),
                        SLICE_ARG(c->pairs[i].value));
  }
  for (size_t i = 0; i < 3; i++) {
    if (slice_find(text, arena_printf(c->a, "%s=false", needed[i])) < 0) continue;
    return arena_printf(c->a,
                        "--runtime-config=%s=false conflicts with "
                        "--enable-priority-and-fairness=true", needed[i]);
  }
  return SLICE_NONE;
}

/* "group/version" or "group/version/resource". */
static bool key_split(slice key, slice *group, slice *version, slice *resource) {
  slice rest;
  *resource = SLICE_NONE;
  if (!slice_cut(key, '/', group, &rest)) return false;
  if (!slice_cut(rest, '/', version, resource)) {
    *version = rest;
    *resource = SLICE_NONE;
    return true;
  }
  return slice_find_char(*resource, '/') < 0;
}

/* The schemes that serve; the forms that any object can be asked in are of none. */
static bool group_is_registered(slice group) {
  if (slice_is(group, "meta.k8s.io") || slice_is(group, "apidiscovery.k8s.io")) return false;
  for (uint16_t i = 0; i < schema_kind_count; i++) {
    if (slice_eq(schema_kinds[i].group, group)) return true;
  }
  return false;
}

static bool version_is_registered(slice group, slice version) {
  for (uint16_t i = 0; i < schema_kind_count; i++) {
    if (slice_eq(schema_kinds[i].group, group) && slice_eq(schema_kinds[i].version, version)) {
      return true;
    }
  }
  return false;
}

static slice version_text(arena *a, slice group, slice version) {
  return group.len ? arena_printf(a, "%.*s/%.*s", SLICE_ARG(group), SLICE_ARG(version)) : version;
}

static slice enablement_problem(config *c) {
  slice group, version, resource, unknown = SLICE_LIT(""), last = SLICE_NONE;
  const slice *all = value_of(c, "api/all");
  if (all && slice_is(*all, "false") && c->count == 1) {
    return SLICE_LIT("invalid runtime-config with only api/all=false");
  }
  for (uint32_t i = 0; i < c->count; i++) {
    slice key = c->pairs[i].key;
    if (is_matcher(key)) continue;
    if (!key_split(key, &group, &version, &resource)) {
      return arena_printf(c->a, "runtime-config invalid key %.*s", SLICE_ARG(key));
    }
  }
  for (uint32_t i = 0; i < c->count; i++) {
    if (is_matcher(c->pairs[i].key)) continue;
    key_split(c->pairs[i].key, &group, &version, &resource);
    slice text = version_text(c->a, group, version);
    if (group_is_registered(group) || slice_eq(text, last)) continue;
    last = text;
    unknown = arena_printf(c->a, "%.*s%s%.*s", SLICE_ARG(unknown), unknown.len ? "," : "",
                           SLICE_ARG(text));
  }
  return unknown.len ? arena_printf(c->a, "unknown api groups %.*s", SLICE_ARG(unknown))
                     : SLICE_NONE;
}

/* Several mistakes are told together, as the real server's list of errors prints. */
static bool pairs_valid(config *c, bool fair) {
  slice first = fair ? fairness_conflict(c) : SLICE_NONE, second = enablement_problem(c);
  if (first.len && second.len) {
    return refuse(c, arena_printf(c->a, "[%.*s, %.*s]", SLICE_ARG(first), SLICE_ARG(second)));
  }
  return (first.len == 0 && second.len == 0) || refuse(c, first.len ? first : second);
}

/* A name without a value is on. */
static int bool_of(slice text) {
  return text.len ? bool_parse(text) : 1;
}

static size_t digits(slice s, size_t at) {
  size_t n = at;
  while (n < s.len && s.ptr[n] >= '0' && s.ptr[n] <= '9') n++;
  return n;
}

/* v1 is 1 (ga), v1beta1 is 2, v1alpha1 is 3: the place in `matchers`; 0 for anything else. */
static size_t stage_of(slice version) {
  static const char *const words[] = {"", "beta", "alpha"};
  size_t at = digits(version, 1);
  if (version.len < 2 || version.ptr[0] != 'v' || at == 1) return 0;
  if (at == version.len) return 1;
  for (size_t i = 1; i < 3; i++) {
    slice word = slice_cstr(words[i]), rest = slice_from(version, at);
    if (slice_has_prefix(rest, word) && rest.len > word.len &&
        digits(rest, word.len) == rest.len) return i + 1;
  }
  return 0;
}

static void version_set(served_set *s, slice group, slice version, size_t matcher, bool on) {
  for (uint16_t i = 0; i < schema_resource_count; i++) {
    const resource_info *r = &schema_resources[i];
    bool hit = matcher == SIZE_MAX
                   ? slice_eq(r->group, group) && slice_eq(r->version, version)
                   : matcher == 0 || stage_of(r->version) == matcher;
    if (hit) served_put(s, r, on);
  }
}

static void resource_set(served_set *s, slice group, slice version, slice resource, bool on) {
  const resource_info *r = schema_resource(group, version, resource);
  if (r) served_put(s, r, on);
}

static bool matchers_apply(config *c, served_set *s) {
  for (size_t i = 0; i < MATCHERS; i++) {
    const slice *value = value_of(c, matchers[i]);
    if (!value) continue;
    if (!slice_is(*value, "true") && !slice_is(*value, "false")) {
      return refuse(c, arena_printf(c->a, "invalid value %s=%.*s", matchers[i], SLICE_ARG(*value)));
    }
    version_set(s, SLICE_NONE, SLICE_NONE, i, slice_is(*value, "true"));
  }
  return true;
}

static bool pair_valid(config *c, const pair *p) {
  slice group, version, resource;
  key_split(p->key, &group, &version, &resource);
  slice text = version_text(c->a, group, version);
  if (!version_is_registered(group, version)) {
    return refuse(c, arena_printf(c->a, "group version %.*s that has not been registered",
                                  SLICE_ARG(text)));
  }
  if (bool_of(p->value) < 0) {
    slice shown = go_quote(c->a, p->value);
    return refuse(c, arena_printf(c->a,
                                  "invalid value of %.*s: %.*s, err: strconv.ParseBool: parsing "
                                  "%.*s: invalid syntax",
                                  SLICE_ARG(p->key), SLICE_ARG(p->value), SLICE_ARG(shown)));
  }
  if (slice_eq(arena_lower(c->a, resource), resource)) return true;
  slice shown = go_quote(c->a, resource);
  return refuse(c, arena_printf(c->a,
                                "invalid key %.*s: group/version/resource and resource is always "
                                "lowercase plural, not %.*s",
                                SLICE_ARG(p->key), SLICE_ARG(shown)));
}

static bool pairs_apply(config *c, served_set *s) {
  slice group, version, resource;
  for (uint32_t i = 0; i < c->count; i++) {
    if (!is_matcher(c->pairs[i].key) && !pair_valid(c, &c->pairs[i])) return false;
  }
  for (int round = 0; round < 2; round++) { /* resources behind all versions: they count more */
    for (uint32_t i = 0; i < c->count; i++) {
      const pair *p = &c->pairs[i];
      if (is_matcher(p->key)) continue;
      key_split(p->key, &group, &version, &resource);
      bool on = bool_of(p->value) == 1;
      if (round == 0 && !resource.ptr) version_set(s, group, version, SIZE_MAX, on);
      if (round == 1 && resource.ptr) resource_set(s, group, version, resource, on);
    }
  }
  return true;
}

static bool gate_is_on(slice gates, slice gate) {
  slice name, rest = gates;
  for (bool more = gates.len > 0; more;) {
    more = slice_cut(rest, ',', &name, &rest);
    if (slice_eq(name, gate)) return true;
  }
  return false;
}

/* What the real server does not live without, whatever it is told: it panics, or is never ready. */
static bool needs_met(config *c, const served_set *s) {
  static const char *const needed[][3] = {
      {"networking.k8s.io", "v1", "ipaddresses"}, {"networking.k8s.io", "v1", "servicecidrs"}};
  for (uint16_t i = 0; i < schema_resource_count; i++) {
    const resource_info *r = &schema_resources[i];
    if (r->group.len == 0 && !served_has(s, r)) {
      return refuse(c, SLICE_LIT("runtime-config /v1=false: kube-apiserver v1.36 panics with it"));
    }
    for (size_t n = 0; n < 2; n++) {
      bool same = slice_is(r->group, needed[n][0]) && slice_is(r->version, needed[n][1]) &&
                  slice_is(r->resource, needed[n][2]);
      if (!same || served_has(s, r)) continue;
      return refuse(c, arena_printf(c->a, "runtime-config networking.k8s.io/v1/%s=false: "
                                          "kube-apiserver v1.36 is never ready with it",
                                    needed[n][2]));
    }
  }
  return true;
}

bool served_configure(served_set *s, arena *a, slice text, slice gates, bool fair,
                      slice *problem) {
  config *c = ARENA_NEW(a, config);
  c->a = a;
  served_standard(s);
  bool ok = pairs_read(c, text) && pairs_valid(c, fair) && matchers_apply(c, s) &&
            pairs_apply(c, s) && needs_met(c, s);
  for (uint32_t i = 0; i < SERVED_GATES; i++) {
    bool on = gate_is_on(gates, slice_cstr(served_gates[i]));
    s->gates = (uint8_t)(s->gates | (on ? 1u << i : 0));
  }
  for (uint16_t i = 0; i < schema_resource_count; i++) {
    const resource_info *r = &schema_resources[i];
    if (r->gate.len && !gate_is_on(gates, r->gate)) served_put(s, r, false);
  }
  served_seal(s);
  *problem = c->problem;
  return ok;
}
