/* What the real server warns about in pods and pod templates that are valid. Source:
 * pkg/api/pod/warnings.go. */
#include "registry/validation/pod_warnings.h"

#include "base/quote.h"
#include "registry/validation/checks.h"

void pod_warn_at(request *rq, const path *p, const char *key, const char *text) {
  path at = key ? path_child(p, key) : *p;
  slice where = path_text(rq->arena, &at);
  request_warn(rq, arena_printf(rq->arena, "%.*s: %s", SLICE_ARG(where), text));
}

static void label_is_old(request *rq, const path *p, slice key) {
  const char *words = node_label_deprecated(key);
  if (words) warn_at(rq, p, "%.*s is %s", SLICE_ARG(key), words);
}

static void values_warn(request *rq, const path *p, const val *values) {
  slice texts[4];
  path list = path_child(p, "values");
  EACH_ITEM(i, values) {
    path at = path_index(&list, i);
    slice value = val_str(val_at(values, i));
    uint32_t n = text_problems(rq->arena, TEXT_LABEL_VALUE, value, false, texts);
    for (uint32_t k = 0; k < n; k++) {
      warn_at(rq, &at, "%.*s is invalid, %.*s", SLICE_ARG(value), SLICE_ARG(texts[k]));
    }
  }
}

void pod_warn_node_term(request *rq, const path *p, const val *term, bool with_values) {
  const val *list = val_getc(term, "matchExpressions");
  path exprs = path_child(p, "matchExpressions");
  EACH_ITEM(i, list) {
    path at = path_index(&exprs, i), key = path_child(&at, "key");
    label_is_old(rq, &key, val_get_str(val_at(list, i), "key"));
    if (with_values) values_warn(rq, &at, val_getc(val_at(list, i), "values"));
  }
}

static void spread_warn(request *rq, const path *spec_path, const val *spec) {
  const val *list = val_getc(spec, "topologySpreadConstraints");
  path p = path_child(spec_path, "topologySpreadConstraints");
  EACH_ITEM(i, list) {
    path at = path_index(&p, i), key = path_child(&at, "topologyKey");
    label_is_old(rq, &key, val_get_str(val_at(list, i), "topologyKey"));
    if (!val_getc(val_at(list, i), "labelSelector"))
      pod_warn_at(rq, &at, "labelSelector", "a null labelSelector results in matching no pod");
  }
}

static void placement_warn(request *rq, const path *p, const val *spec) {
  const val *node = val_path(spec, "affinity.nodeAffinity");
  const val *terms =
      val_path(node, "requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms");
  path selector = path_child(p, "nodeSelector"), affinity = path_child(p, "affinity"),
       at = path_child(&affinity, "nodeAffinity"),
       must = path_child(&at, "requiredDuringSchedulingIgnoredDuringExecution"),
       list = path_child(&must, "nodeSelectorTerms");
  VAL_EACH(entry, val_getc(spec, "nodeSelector")) {
    path key = path_key(&selector, entry->key);
    const char *words = node_label_deprecated(entry->key);
    if (words) pod_warn_at(rq, &key, NULL, words);
  }
  EACH_ITEM(i, terms) {
    path term = path_index(&list, i);
    pod_warn_node_term(rq, &term, val_at(terms, i), false);
  }
  const val *wishes = val_getc(node, "preferredDuringSchedulingIgnoredDuringExecution");
  path may = path_child(&at, "preferredDuringSchedulingIgnoredDuringExecution");
  EACH_ITEM(i, wishes) {
    path item = path_index(&may, i), term = path_child(&item, "preference");
    pod_warn_node_term(rq, &term, val_getc(val_at(wishes, i), "preference"), true);
  }
  spread_warn(rq, p, spec);
}

static const char *const old_volumes[][2] = {
    {"photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"},
    {"gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"},
    {"scaleIO", "deprecated in v1.16, non-functional in v1.22+"},
    {"flocker", "deprecated in v1.22, non-functional in v1.25+"},
    {"storageos", "deprecated in v1.22, non-functional in v1.25+"},
    {"quobyte", "deprecated in v1.22, non-functional in v1.25+"},
    {"glusterfs", "deprecated in v1.25, non-functional in v1.26+"},
    {"cephfs", "deprecated in v1.28, non-functional in v1.31+"},
    {"rbd", "deprecated in v1.28, non-functional in v1.31+"},
};

void pod_warn_claim(request *rq, const path *p, const val *spec) {
  path at = path_child(p, "resources"), requests = path_child(&at, "requests"),
       limits = path_child(&at, "limits");
  pod_warn_fraction(rq, &requests, val_path(spec, "resources.requests"), "storage");
  pod_warn_fraction(rq, &limits, val_path(spec, "resources.limits"), "storage");
}

static void volumes_warn(request *rq, const path *spec_path, const val *spec) {
  const val *list = val_getc(spec, "volumes");
  path p = path_child(spec_path, "volumes");
  EACH_ITEM(i, list) {
    path at = path_index(&p, i);
    for (size_t k = 0; k < sizeof old_volumes / sizeof *old_volumes; k++) {
      const char *key = old_volumes[k][0];
      if (!val_getc(val_at(list, i), key)) continue;
      pod_warn_at(rq, &at, strcmp(key, "storageos") == 0 ? "storageOS" : key, old_volumes[k][1]);
    }
    path own = path_child(&at, "ephemeral"), claim = path_child(&own, "volumeClaimTemplate"),
         spec_at = path_child(&claim, "spec");
    pod_warn_claim(rq, &spec_at, val_path(val_at(list, i), "ephemeral.volumeClaimTemplate.spec"));
  }
  pod_warn_paths(rq, spec);
}

void pod_warn_fraction(request *rq, const path *p, const val *amounts, const char *name) {
  const val *v = val_getc(amounts, name);
  path at = path_key(p, slice_cstr(name));
  if (!v || quantity_milli(val_str(v)) % 1000 == 0) return;
  slice text = val_str(v);
  pod_warn_at(
      rq, &at, NULL,
      arena_printf(rq->arena, "fractional byte value \"%.*s\" is invalid, must be an integer",
                   SLICE_ARG(text))
          .ptr);
}

typedef struct pod_words {
  request *rq;
  const path *notes_path;
  const val *notes, *spec;
  bool template;
} pod_words;

static bool container_warn(void *ctx, const path *p, const val *c) {
  const pod_words *w = ctx;
  request *rq = w->rq;
  const val *res = val_getc(c, "resources"), *vars = val_getc(c, "env");
  path at = path_child(p, "resources"), limits = path_child(&at, "limits"),
       requests = path_child(&at, "requests"), list = path_child(p, "env");
  static const char *const names[] = {"memory", "ephemeral-storage"};
  pod_warn_profiles(rq, w->notes_path, w->notes, w->spec, c, w->template);
  for (size_t i = 0; i < 2; i++) {
    pod_warn_fraction(rq, &limits, val_getc(res, "limits"), names[i]);
    pod_warn_fraction(rq, &requests, val_getc(res, "requests"), names[i]);
  }
  val *seen = val_map(rq->arena);
  EACH_ITEM(i, vars) {
    slice name = val_get_str(val_at(vars, i), "name"),
          value = val_get_str(val_at(vars, i), "value");
    slice ref = arena_printf(rq->arena, "$(%.*s)", SLICE_ARG(name));
    path item = path_index(&list, i);
    bool hides = val_getc(val_at(vars, i), "valueFrom") || slice_eq(value, ref) ||
                 slice_find(value, ref) < 0;
    if (val_get(seen, name) && hides) {
      warn_at(rq, &item,
              "hides previous definition of \"%.*s\", which may be dropped when using apply",
              SLICE_ARG(name));
    }
    val_set(rq->arena, seen, name, val_null(rq->arena));
  }
  return true;
}

static void notes_warn(request *rq, const path *meta_path, const val *meta) {
  static const char *const old[][2] = {
      {"scheduler.alpha.kubernetes.io/critical-pod",
       "non-functional in v1.16+; use the \"priorityClassName\" field instead"},
      {"security.alpha.kubernetes.io/sysctls",
       "non-functional in v1.11+; use the \"sysctls\" field instead"},
      {"security.alpha.kubernetes.io/unsafe-sysctls",
       "non-functional in v1.11+; use the \"sysctls\" field instead"},
  };
  path notes = path_child(meta_path, "annotations");
  for (size_t i = 0; i < 3; i++) {
    path at = path_key(&notes, slice_cstr(old[i][0]));
    if (val_getc(val_getc(meta, "annotations"), old[i][0])) pod_warn_at(rq, &at, NULL, old[i][1]);
  }
}

/* A key that two items of a list share, and an empty name of a secret. */
static void repeats_warn(request *rq, const path *spec_path, const val *spec, const char *list_key,
                         const char *key) {
  const val *list = val_getc(spec, list_key);
  path p = path_child(spec_path, list_key);
  val *seen = val_map(rq->arena);
  EACH_ITEM(i, list) {
    path item = path_index(&p, i), at = path_child(&item, key);
    slice text = val_get_str(val_at(list, i), key), shown = go_quote(rq->arena, text);
    if (val_get(seen, text)) {
      warn_at(rq, &at, "duplicate %s %.*s", key, SLICE_ARG(shown));
    }
    val_set(rq->arena, seen, text, val_null(rq->arena));
  }
  EACH_ITEM(i, list) {
    path item = path_index(&p, i), at = path_child(&item, "name");
    bool empty = val_get_str(val_at(list, i), "name").len == 0;
    if (empty && strcmp(key, "name") == 0) pod_warn_at(rq, &at, NULL, "invalid empty name \"\"");
  }
}

static void affinity_warn(request *rq, const path *spec_path, const val *spec, const char *kind) {
  static const struct {
    const char *list, *term; /* the term inside of a weighted one */
  } rows[] = {{"requiredDuringSchedulingIgnoredDuringExecution", NULL},
              {"preferredDuringSchedulingIgnoredDuringExecution", "podAffinityTerm"}};
  path affinity = path_child(spec_path, "affinity"), own = path_child(&affinity, kind);
  const val *terms = val_getc(val_getc(spec, "affinity"), kind);
  for (size_t k = 0; k < 2; k++) {
    const val *list = val_getc(terms, rows[k].list);
    path p = path_child(&own, k ? "preferredDuringSchedulingIgnoredDuringExecution"
                                : "requiredDuringSchedulingIgnoredDuringExecution");
    EACH_ITEM(i, list) {
      path item = path_index(&p, i), inner = path_child(&item, "podAffinityTerm");
      const val *term = k ? val_getc(val_at(list, i), rows[k].term) : val_at(list, i);
      if (!val_getc(term, "labelSelector"))
        pod_warn_at(rq, k ? &inner : &item, "labelSelector",
                    "a null labelSelector results in matching no pod");
    }
  }
}

/* p NULL: a pod itself. */
static void template_warn(request *rq, const path *p, const val *template) {
  const val *spec = val_getc(template, "spec"),
            *grace = val_getc(spec, "terminationGracePeriodSeconds");
  path at = p ? path_child(p, "spec") : path_root("spec"),
       meta = p ? path_child(p, "metadata") : path_root("metadata");
  placement_warn(rq, &at, spec);
  notes_warn(rq, &meta, val_getc(template, "metadata"));
  volumes_warn(rq, &at, spec);
  repeats_warn(rq, &at, spec, "hostAliases", "ip");
  repeats_warn(rq, &at, spec, "imagePullSecrets", "name");
  path overhead = path_child(&at, "overhead");
  pod_warn_fraction(rq, &overhead, val_getc(spec, "overhead"), "memory");
  pod_warn_fraction(rq, &overhead, val_getc(spec, "overhead"), "ephemeral-storage");
  path notes = path_child(&meta, "annotations");
  pod_words words = {rq, &notes, val_path(template, "metadata.annotations"), spec, p != NULL};
  pod_warn_pod_profile(rq, &notes, words.notes, spec);
  containers_visit(spec, &at, container_warn, &words);
  pod_warn_ports(rq, &at, spec);
  if (grace && val_i64(grace) < 0) {
    pod_warn_at(rq, &at, "terminationGracePeriodSeconds",
                "must be >= 0; negative values are invalid and will be treated as 1");
  }
  affinity_warn(rq, &at, spec, "podAffinity");
  affinity_warn(rq, &at, spec, "podAntiAffinity");
  pod_warn_addresses(rq, &at, spec);
}

static bool changed(const val *obj, const val *old) {
  return !old || val_i64(val_path(obj, "metadata.generation")) !=
                     val_i64(val_path(old, "metadata.generation"));
}

static void name_warn(request *rq, const val *obj, const char *words) {
  slice name = val_get_str(val_getc(obj, "metadata"), "name");
  slice why = text_problems_joined(rq->arena, TEXT_DNS1123_LABEL, name, " ");
  if (why.len == 0) return;
  request_warn(rq, arena_printf(rq->arena,
                                "metadata.name: %s, which can result in surprising behavior; a DNS "
                                "label is recommended: [%.*s]",
                                words, SLICE_ARG(why)));
}

#define HOSTNAMES "this is used in Pod names and hostnames"

void pod_warn(request *rq, val *obj, const val *old) {
  if (old) return; /* updates come too often, and from no humans */
  name_warn(rq, obj, "this is used in the Pod's hostname");
  template_warn(rq, NULL, obj);
}

static void workload(request *rq, const val *obj, const val *old, const char *where, bool named) {
  path spec = path_root("spec"), job = path_child(&spec, "jobTemplate"),
       job_spec = path_child(&job, "spec");
  bool cron = strcmp(where, "spec.jobTemplate.spec.template") == 0,
       root = strcmp(where, "template") == 0;
  path at = root ? path_root("template") : path_child(cron ? &job_spec : &spec, "template");
  if (!old && named) name_warn(rq, obj, HOSTNAMES);
  if (changed(obj, old)) template_warn(rq, &at, val_path(obj, where));
}

/* On an update the real server looks at the template that was there before. */
void rc_warn(request *rq, val *obj, const val *old) {
  path spec = path_root("spec"), at = path_child(&spec, "template");
  if (!old) workload(rq, obj, old, "spec.template", true);
  else if (changed(obj, old)) template_warn(rq, &at, val_path(old, "spec.template"));
}

void workload_warn(request *rq, val *obj, const val *old) {
  workload(rq, obj, old, "spec.template", true);
}
void daemonset_warn(request *rq, val *obj, const val *old) {
  workload(rq, obj, old, "spec.template", false);
}
void cronjob_warn(request *rq, val *obj, const val *old) {
  workload(rq, obj, old, "spec.jobTemplate.spec.template", true);
}
void podtemplate_warn(request *rq, val *obj, const val *old) {
  workload(rq, obj, old, "template", false);
}

void statefulset_warn(request *rq, val *obj, const val *old) {
  workload(rq, obj, old, "spec.template", false);
  const val *claims = val_path(obj, "spec.volumeClaimTemplates");
  path spec = path_root("spec"), list = path_child(&spec, "volumeClaimTemplates");
  EACH_ITEM(i, claims) { /* the odd name on updates is the real server's */
    path at = path_index(&list, i), changed_at = path_child(&at, "Spec");
    pod_warn_claim(rq, old ? &changed_at : &at, val_getc(val_at(claims, i), "spec"));
  }
  if (!changed(obj, old)) return;
  if (val_i64(val_path(obj, "spec.revisionHistoryLimit")) < 0) {
    request_warn(rq, SLICE_LIT("spec.revisionHistoryLimit: a negative value retains all historical "
                               "revisions; a value >= 0 is recommended"));
  }
}
