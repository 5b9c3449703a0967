/* Containers of all three lists: what they have in common, then what each list adds. */
#include "registry/validation/pod_checks.h"

static void ports_check(field_errors *e, const path *p, const val *list) {
  val *names = val_map(e->a);
  EACH_ITEM(i, list) {
    const val *port = val_at(list, i);
    slice name = val_get_str(port, "name"), texts[4];
    path at = path_index(p, i), at_name = path_child(&at, "name"),
         number = path_child(&at, "containerPort"), host = path_child(&at, "hostPort");
    uint32_t n = name.len ? text_problems(e->a, TEXT_PORT_NAME, name, false, texts) : 0;
    for (uint32_t k = 0; k < n; k++)
      field_invalid_str(e, &at_name, name, "%.*s", SLICE_ARG(texts[k]));
    if (name.len && !n) {
      if (val_get(names, name)) field_duplicate(e, &at_name, val_string(e->a, name));
      val_set(e->a, names, name, val_null(e->a));
    }
    if (need(e, &at, port, "containerPort", ""))
      port_number_check(e, &number, val_i64(val_getc(port, "containerPort")));
    if (val_i64(val_getc(port, "hostPort")))
      port_number_check(e, &host, val_i64(val_getc(port, "hostPort")));
    choice_at(e, &at, port, "protocol", CHOICES("SCTP", "TCP", "UDP"), true);
  }
}

static void host_ports_check(field_errors *e, const path *p, const val *container, val *seen) {
  const val *list = val_getc(container, "ports");
  path ports = path_child(p, "ports");
  EACH_ITEM(i, list) {
    const val *port = val_at(list, i);
    long long n = val_i64(val_getc(port, "hostPort"));
    if (n == 0) continue;
    slice proto = val_get_str(port, "protocol"), ip = val_get_str(port, "hostIP");
    slice key = arena_printf(e->a, "%.*s/%.*s/%lld", SLICE_ARG(proto), SLICE_ARG(ip), n);
    path at = path_index(&ports, i), host = path_child(&at, "hostPort");
    if (val_get(seen, key))
      field_duplicate(e, &host, val_string(e->a, key));
    else
      val_set(e->a, seen, key, val_null(e->a));
  }
}

static void resize_policy_check(pod_view *w, const path *p, const val *list) {
  field_errors *e = w->errs;
  static const char *const resources[] = {"cpu", "memory", NULL};
  static const char *const policies[] = {"NotRequired", "RestartContainer", NULL};
  val *seen = val_map(e->a);
  bool never = slice_is(val_get_str(w->spec, "restartPolicy"), "Never");
  EACH_ITEM(i, list) {
    slice name = val_get_str(val_at(list, i), "resourceName"),
          policy = val_get_str(val_at(list, i), "restartPolicy");
    path at = path_index(p, i);
    if (val_get(seen, name)) field_duplicate(e, &at, val_string(e->a, name));
    val_set(e->a, seen, name, val_null(e->a));
    if (!name.len)
      require(e, p, NULL, "");
    else if (!one_of(name, resources))
      unsupported(e, p, NULL, name, resources);
    if (!policy.len)
      require(e, p, NULL, "");
    else if (!one_of(policy, policies))
      unsupported(e, p, NULL, policy, policies);
    if (never && !slice_is(policy, "NotRequired")) {
      refuse_str(e, p, NULL, policy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'");
    }
  }
}

static void common_check(pod_view *w, const path *p, const val *c) {
  field_errors *e = w->errs;
  path ports = path_child(p, "ports"), vars = path_child(p, "env"), from = path_child(p, "envFrom"),
       resources = path_child(p, "resources"), resize = path_child(p, "resizePolicy"),
       security = path_child(p, "securityContext");
  text_needed(e, p, c, "name", TEXT_DNS1123_LABEL);
  need(e, p, c, "image", "");
  choice_at(e, p, c, "terminationMessagePolicy", CHOICES("File", "FallbackToLogsOnError"), true);
  ports_check(e, &ports, val_getc(c, "ports"));
  env_validate(w, &vars, val_getc(c, "env"));
  env_from_validate(w, &from, val_getc(c, "envFrom"));
  container_mounts_validate(w, p, c);
  choice_at(e, p, c, "imagePullPolicy", CHOICES("Always", "IfNotPresent", "Never"), true);
  resource_requirements_validate(e, &resources, val_getc(c, "resources"), false, w->claims);
  resize_policy_check(w, &resize, val_getc(c, "resizePolicy"));
  security_context_validate(w, &security, val_getc(c, "securityContext"));
}

static void restart_rule_check(field_errors *e, const path *p, const val *rule) {
  const val *codes = val_getc(rule, "exitCodes");
  path at = path_child(p, "exitCodes"), values = path_child(&at, "values");
  choice_at(e, p, rule, "action", CHOICES("Restart", "RestartAllContainers"), false);
  if (!codes) {
    require(e, p, "exitCodes", "must be specified");
    return;
  }
  choice_at(e, &at, codes, "operator", CHOICES("In", "NotIn"), false);
  uint32_t n = val_len(val_getc(codes, "values"));
  if (n > 255) field_too_many(e, &values, n, 255);
}

static void restart_policy_check(field_errors *e, const path *p, const val *c) {
  const val *rules = val_getc(c, "restartPolicyRules");
  path at = path_child(p, "restartPolicyRules");
  if (val_getc(c, "restartPolicy")) {
    choice_at(e, p, c, "restartPolicy", CHOICES("Always", "Never", "OnFailure"), false);
  } else if (val_len(rules)) {
    require(e, p, "restartPolicy", "must specify restartPolicy when restart rules are used");
  }
  if (val_len(rules) > 20) field_too_many(e, &at, val_len(rules), 20);
  EACH_ITEM(i, rules) {
    path here = path_index(&at, i);
    restart_rule_check(e, &here, val_at(rules, i));
  }
}

/* A name seen in names is a Duplicate; else it is remembered. */
static void name_once(field_errors *e, const path *p, val *names, slice name) {
  path at = path_child(p, "name");
  if (val_get(names, name))
    field_duplicate(e, &at, val_string(e->a, name));
  else
    val_set(e->a, names, name, val_null(e->a));
}

static void regular_validate(pod_view *w, const path *p, const val *list) {
  val *names = val_map(w->errs->a), *ports = val_map(w->errs->a);
  if (!val_len(list)) require(w->errs, p, NULL, "");
  EACH_ITEM(i, list) {
    const val *c = val_at(list, i);
    path at = path_index(p, i);
    common_check(w, &at, c);
    name_once(w->errs, &at, names, val_get_str(c, "name"));
    container_probes_validate(w, &at, c);
    restart_policy_check(w->errs, &at, c);
  }
  EACH_ITEM(i, list) {
    path at = path_index(p, i);
    host_ports_check(w->errs, &at, val_at(list, i), ports);
  }
}

static void names_of(field_errors *e, val *names, const val *list) {
  EACH_ITEM(i, list) val_set(e->a, names, val_get_str(val_at(list, i), "name"), val_null(e->a));
}

static void init_extras(pod_view *w, const path *p, const path *at, const val *c) {
  static const char *const parts[] = {"lifecycle", "livenessProbe", "readinessProbe",
                                      "startupProbe"};
  bool always = slice_is(val_get_str(c, "restartPolicy"), "Always");
  const val *policies = val_getc(c, "resizePolicy");
  path alone = path_index(p, 0);
  host_ports_check(w->errs, &alone, c, val_map(w->errs->a));
  if (always) container_probes_validate(w, at, c);
  for (size_t i = 0; i < 4 && !always; i++) {
    if (val_getc(c, parts[i]))
      forbid(w->errs, at, parts[i],
             "may not be set for init containers without restartPolicy=Always");
  }
  path resize = path_child(at, "resizePolicy");
  EACH_ITEM(i, policies) {
    path item = path_index(&resize, i);
    slice policy = val_get_str(val_at(policies, i), "restartPolicy");
    if (always || !slice_is(policy, "RestartContainer")) continue;
    refuse_str(w->errs, &item, "restartPolicy", policy,
               "must not be set to 'RestartContainer' for non-sidecar initContainers");
  }
}

static void init_validate(pod_view *w, const path *p, const val *list) {
  val *names = val_map(w->errs->a);
  names_of(w->errs, names, val_getc(w->spec, "containers"));
  EACH_ITEM(i, list) {
    const val *c = val_at(list, i);
    path at = path_index(p, i), at_name = path_child(&at, "name");
    slice name = val_get_str(c, "name");
    common_check(w, &at, c);
    restart_policy_check(w->errs, &at, c);
    if (val_get(names, name))
      field_duplicate(w->errs, &at_name, val_string(w->errs->a, name));
    else if (name.len)
      val_set(w->errs->a, names, name, val_null(w->errs->a));
    init_extras(w, p, &at, c);
  }
}

static void image_space_check(field_errors *e, const path *p, const val *c) {
  slice image = val_get_str(c, "image");
  if (slice_trim(image).len != image.len) {
    refuse_str(e, p, "image", image, "must not have leading or trailing whitespace");
  }
}

static void ephemeral_fields_check(field_errors *e, const path *p, const val *c) {
  static const char *const banned[] = {"ports",          "resources",          "resizePolicy",
                                       "restartPolicy",  "restartPolicyRules", "livenessProbe",
                                       "readinessProbe", "startupProbe",       "lifecycle"};
  static const char why[] = "cannot be set for an Ephemeral Container";
  for (size_t i = 0; i < sizeof banned / sizeof *banned; i++) {
    const val *v = val_getc(c, banned[i]);
    bool pointer = i > 4 || i == 3; /* probes, lifecycle, restartPolicy: {} counts */
    if (pointer ? v != NULL : !val_is_empty(v)) forbid(e, p, banned[i], why);
  }
  const val *mounts = val_getc(c, "volumeMounts");
  path list = path_child(p, "volumeMounts");
  EACH_ITEM(i, mounts) {
    path at = path_index(&list, i);
    if (val_get_str(val_at(mounts, i), "subPath").len) forbid(e, &at, "subPath", why);
    if (val_get_str(val_at(mounts, i), "subPathExpr").len) forbid(e, &at, "subPathExpr", why);
  }
}

static void ephemeral_validate(pod_view *w, const path *p, const val *list) {
  field_errors *e = w->errs;
  val *names = val_map(e->a), *others = val_map(e->a);
  names_of(e, names, val_getc(w->spec, "containers"));
  names_of(e, names, val_getc(w->spec, "initContainers"));
  names_of(e, others, val_getc(w->spec, "containers"));
  names_of(e, others, val_getc(w->spec, "initContainers"));
  EACH_ITEM(i, list) {
    const val *c = val_at(list, i);
    slice target = val_get_str(c, "targetContainerName");
    path at = path_index(p, i), at_target = path_child(&at, "targetContainerName");
    common_check(w, &at, c);
    image_space_check(e, &at, c);
    name_once(e, &at, names, val_get_str(c, "name"));
    if (target.len && !val_get(others, target))
      field_not_found(e, &at_target, val_string(e->a, target));
    ephemeral_fields_check(e, &at, c);
  }
}

void containers_validate(pod_view *w, const path *spec_path) {
  path regular = path_child(spec_path, "containers"),
       init = path_child(spec_path, "initContainers"),
       ephemeral = path_child(spec_path, "ephemeralContainers");
  regular_validate(w, &regular, val_getc(w->spec, "containers"));
  init_validate(w, &init, val_getc(w->spec, "initContainers"));
  ephemeral_validate(w, &ephemeral, val_getc(w->spec, "ephemeralContainers"));
}
