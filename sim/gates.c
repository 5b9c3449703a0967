/* Two passes, as the real one: names and values first, then what AllAlpha and AllBeta leave. */
#include "sim/gates.h"

#include "schema/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum setting { UNSET, OFF, ON } setting;

typedef struct reading {
  setting *set; /* by row */
  setting all_alpha, all_beta;
  char *problem;
  size_t size;
} reading;

static const gate_row *find_gate(const char *name, size_t len) {
  for (size_t i = 0; i < gate_row_count; i++) {
    if (strncmp(gate_rows[i].name, name, len) == 0 && !gate_rows[i].name[len]) return &gate_rows[i];
  }
  return NULL;
}

static void trim(const char **text, size_t *len) {
  while (*len && (**text == ' ' || **text == '\t')) {
    (*text)++;
    (*len)--;
  }
  while (*len && ((*text)[*len - 1] == ' ' || (*text)[*len - 1] == '\t')) (*len)--;
}

static setting bool_of(slice text) {
  int value = bool_parse(text);
  return value < 0 ? UNSET : value ? ON : OFF;
}

static bool set_gate(reading *r, const char *name, size_t len, setting value) {
  const gate_row *g = find_gate(name, len);
  if (len == 8 && memcmp(name, "AllAlpha", 8) == 0) {
    r->all_alpha = value;
  } else if (len == 7 && memcmp(name, "AllBeta", 7) == 0) {
    r->all_beta = value;
  } else if (!g) {
    snprintf(r->problem, r->size, "unrecognized feature gate: %.*s", (int)len, name);
    return false;
  } else if (g->locked && g->standard != (value == ON)) {
    snprintf(r->problem, r->size, "cannot set feature gate %s to %s, feature is locked to %s",
             g->name, value == ON ? "true" : "false", g->standard ? "true" : "false");
    return false;
  } else {
    r->set[g - gate_rows] = value;
  }
  return true;
}

/* "component:Name=value" */
static bool read_pair(reading *r, const char *pair, size_t len) {
  const char *colon = memchr(pair, ':', len);
  if (colon) {
    const char *component = pair;
    size_t n = (size_t)(colon - pair);
    trim(&component, &n);
    if (n != 4 || memcmp(component, "kube", 4) != 0) {
      snprintf(r->problem, r->size, "component not registered: %.*s", (int)n, component);
      return false;
    }
    len -= (size_t)(colon + 1 - pair);
    pair = colon + 1;
  }
  const char *equals = memchr(pair, '=', len);
  const char *name = pair;
  size_t name_len = equals ? (size_t)(equals - pair) : len;
  trim(&name, &name_len);
  if (!equals) {
    snprintf(r->problem, r->size, "missing bool value for %.*s", (int)name_len, name);
    return false;
  }
  const char *text = equals + 1;
  size_t text_len = len - (size_t)(text - pair);
  trim(&text, &text_len);
  setting value = bool_of(slice_of(text, text_len));
  if (value == UNSET) {
    snprintf(r->problem, r->size,
             "invalid value of %.*s=%.*s, err: strconv.ParseBool: parsing \"%.*s\": invalid syntax",
             (int)name_len, name, (int)text_len, text, (int)text_len, text);
    return false;
  }
  return set_gate(r, name, name_len, value);
}

static bool read_value(reading *r, const char *value) {
  while (*value) {
    size_t len = strcspn(value, ",");
    const char *pair = value;
    size_t pair_len = len;
    trim(&pair, &pair_len);
    if (pair_len && !read_pair(r, pair, pair_len)) return false;
    value += len + (value[len] == ',');
  }
  return true;
}

static bool is_on(const reading *r, size_t row) {
  const gate_row *g = &gate_rows[row];
  setting all = g->stage == GATE_ALPHA ? r->all_alpha : g->stage == GATE_BETA ? r->all_beta : UNSET;
  if (r->set[row] != UNSET) return r->set[row] == ON;
  return all == UNSET || g->locked ? g->standard : all == ON;
}

/* What a gate needs, for as long as that can be off. Source: pkg/features of v1.36. */
static const struct {
  const char *gate, *needs[4];
} needs_rows[] = {
    {"ClusterTrustBundleProjection", {"ClusterTrustBundle"}},
    {"DRADeviceBindingConditions", {"DRAResourceClaimDeviceStatus"}},
    {"DRADeviceTaintRules", {"DRADeviceTaints"}},
    {"DRAWorkloadResourceClaims", {"GenericWorkload"}},
    {"ExtendWebSocketsToKubelet", {"NodeDeclaredFeatures"}},
    {"GangScheduling", {"GenericWorkload"}},
    {"InPlacePodLevelResourcesVerticalScaling", {"PodLevelResources", "NodeDeclaredFeatures"}},
    {"InPlacePodVerticalScalingInitContainers", {"NodeDeclaredFeatures"}},
    {"MatchLabelKeysInPodTopologySpreadSelectorMerge", {"MatchLabelKeysInPodTopologySpread"}},
    {"PodLevelResourceManagers", {"PodLevelResources"}},
    {"ResourceHealthStatusMessage", {"ResourceHealthStatus"}},
    {"RestartAllContainersOnContainerExits", {"ContainerRestartRules", "NodeDeclaredFeatures"}},
    {"StorageVersionAPI", {"APIServerIdentity"}},
    {"UnknownVersionInteroperabilityProxy", {"APIServerIdentity"}},
    {"StaleControllerConsistencyDaemonSet", {"AtomicFIFO"}},
    {"StaleControllerConsistencyJob", {"AtomicFIFO"}},
    {"StaleControllerConsistencyReplicaSet", {"AtomicFIFO"}},
    {"StaleControllerConsistencyStatefulSet", {"AtomicFIFO"}},
    {"TopologyAwareWorkloadScheduling", {"GenericWorkload"}},
    {"UserNamespacesHostNetworkSupport", {"NodeDeclaredFeatures"}},
    {"WorkloadAwarePreemption", {"GangScheduling"}},
    {"WorkloadWithJob", {"GenericWorkload"}},
};

static bool gate_on(const reading *r, const char *name) {
  const gate_row *g = find_gate(name, strlen(name));
  return g && is_on(r, (size_t)(g - gate_rows));
}

static bool needs_met(reading *r) {
  for (size_t i = 0; i < sizeof needs_rows / sizeof *needs_rows; i++) {
    char off[256] = "";
    if (!gate_on(r, needs_rows[i].gate)) continue;
    for (const char *const *need = needs_rows[i].needs; *need; need++) {
      size_t len = strlen(off);
      if (!gate_on(r, *need)) snprintf(off + len, sizeof off - len, "%s%s", len ? " " : "", *need);
    }
    if (!*off) continue;
    snprintf(r->problem, r->size, "%s is enabled, but depends on features that are disabled: [%s]",
             needs_rows[i].gate, off);
    return false;
  }
  return true;
}

static void note_ignored(gates *out, const char *name, setting value) {
  size_t len = strlen(out->without_effect);
  snprintf(out->without_effect + len, sizeof out->without_effect - len, "%s%s=%s", len ? ", " : "",
           name, value == ON ? "true" : "false");
}

static bool opens_resources(const char *name) {
  for (uint16_t i = 0; i < schema_resource_count; i++) {
    if (slice_is(schema_resources[i].gate, name)) return true;
  }
  return false;
}

static void note_open(gates *out, const char *name) {
  size_t len = strlen(out->opens);
  snprintf(out->opens + len, sizeof out->opens - len, "%s%s", len ? "," : "", name);
}

static void take(const reading *r, gates *out) {
  for (size_t i = 0; i < gate_row_count; i++) {
    const gate_row *g = &gate_rows[i];
    bool for_fields = feature_set_by_name(&out->features, g->name, is_on(r, i));
    if (strcmp(g->name, "CBORServingAndStorage") == 0) {
      out->cbor = is_on(r, i);
    } else if (opens_resources(g->name)) {
      if (is_on(r, i)) note_open(out, g->name);
    } else if (!for_fields && r->set[i] != UNSET && g->standard != (r->set[i] == ON)) {
      note_ignored(out, g->name, r->set[i]);
    }
  }
  if (r->all_alpha == ON) note_ignored(out, "AllAlpha", ON);
  if (r->all_beta == OFF) note_ignored(out, "AllBeta", OFF);
}

bool gates_read(const flags *f, gates *out, char *problem, size_t size) {
  reading r = {.problem = problem, .size = size};
  const char *value;
  bool good = true;
  *out = (gates){0};
  r.set = calloc(gate_row_count, sizeof *r.set);
  if (!r.set) abort();
  for (size_t n = 0; good && (value = flags_nth(f, "feature-gates", n)) != NULL; n++) {
    good = read_value(&r, value);
  }
  good = good && needs_met(&r);
  if (good) take(&r, out);
  free(r.set);
  return good;
}
