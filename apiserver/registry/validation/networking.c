/* Ingresses and IngressClasses. Source: pkg/apis/networking/validation/validation.go. */
#include "registry/strategy_hooks.h"
#include "registry/validation/checks.h"
#include "registry/validation/ip_rules.h"
#include "registry/validation/rows.h"

#define CONTROLLER_MAX 250
#define CLASS_ANNOTATION "kubernetes.io/ingress.class"

static const char *const path_types[] = {"Exact", "ImplementationSpecific", "Prefix", NULL};
static const char *const scopes[] = {"Cluster", "Namespace", NULL};

/* kind and name: required, and one path segment each. */
static void segment_check(field_errors *errs, const path *parent, const val *ref,
                          const char *field) {
  path p = path_child(parent, field);
  slice text = val_get_str(ref, field);
  if (required_str(errs, &p, text)) text_check(errs, &p, TEXT_PATH_SEGMENT, text);
}

static void typed_ref_check(field_errors *errs, const path *p, const val *ref) {
  path group = path_child(p, "apiGroup");
  if (val_getc(ref, "apiGroup"))
    text_check(errs, &group, TEXT_DNS1123_SUBDOMAIN, val_get_str(ref, "apiGroup"));
  segment_check(errs, p, ref, "kind");
  segment_check(errs, p, ref, "name");
}

static void service_check(field_errors *errs, const path *backend, const val *service) {
  path p = path_child(backend, "service"), name = path_child(&p, "name"),
       port = path_child(&p, "port"), port_name = path_child(&port, "name"),
       port_number = path_child(&port, "number");
  slice n = val_get_str(service, "name"), named = val_str(val_path(service, "port.name"));
  int64_t number = val_i64(val_path(service, "port.number"));
  if (required_str(errs, &name, n)) text_check(errs, &name, TEXT_DNS1123_LABEL, n);
  if (named.len && number)
    field_invalid_str(errs, backend, SLICE_LIT(""), "cannot set both port name & port number");
  else if (named.len)
    text_check(errs, &port_name, TEXT_PORT_NAME, named);
  else if (number)
    port_number_check(errs, &port_number, number);
  else
    field_required(errs, backend, "port name or number is required");
}

static void backend_check(field_errors *errs, const path *p, const val *backend) {
  const val *resource = val_getc(backend, "resource"), *service = val_getc(backend, "service");
  path at = path_child(p, "resource");
  if (resource && service)
    field_invalid_str(errs, p, SLICE_LIT(""), "cannot set both resource and service backends");
  else if (resource)
    typed_ref_check(errs, &at, resource);
  else if (service)
    service_check(errs, p, service);
  else
    field_invalid_str(errs, p, SLICE_LIT(""), "resource or service backend is required");
}

static void url_check(field_errors *errs, const path *p, slice url) {
  static const char *const inside[] = {"//", "/./", "/../", "%2f", "%2F"};
  static const char *const ends[] = {"/..", "/."};
  for (size_t i = 0; i < 5; i++) {
    if (slice_find(url, slice_cstr(inside[i])) >= 0)
      field_invalid_str(errs, p, url, "must not contain '%s'", inside[i]);
  }
  for (size_t i = 0; i < 2; i++) {
    if (slice_has_suffix(url, slice_cstr(ends[i])))
      field_invalid_str(errs, p, url, "cannot end with '%s'", ends[i]);
  }
}

static void http_path_check(field_errors *errs, const path *p, const val *item) {
  path type = path_child(p, "pathType"), at = path_child(p, "path"),
       backend = path_child(p, "backend");
  const val *kind = val_getc(item, "pathType");
  slice t = val_str(kind), url = val_get_str(item, "path");
  if (!kind) {
    field_required(errs, &type, "pathType must be specified");
    return;
  }
  if (enum_check(errs, &type, t, path_types)) {
    bool loose = slice_is(t, "ImplementationSpecific"), absolute = url.len && url.ptr[0] == '/';
    if (!absolute && !(loose && url.len == 0)) {
      field_invalid_str(errs, &at, url.ptr ? url : SLICE_LIT(""), "must be an absolute path");
    }
    if (!loose) url_check(errs, &at, url);
  }
  backend_check(errs, &backend, val_getc(item, "backend"));
}

static void host_check(field_errors *errs, const path *p, slice host) {
  bool wild = slice_find_char(host, '*') >= 0;
  text_check(errs, p, wild ? TEXT_WILDCARD_SUBDOMAIN : TEXT_DNS1123_SUBDOMAIN, host);
}

static const char not_ip[] = "must be a DNS name, not an IP address";

/* Rules of wildcard hosts that were broken before may stay so. */
static void rules_check(field_errors *errs, const path *spec, const val *list,
                        bool wildcards_free) {
  path rules = path_child(spec, "rules");
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&rules, i), host = path_child(&p, "host"), http = path_child(&p, "http"),
         paths = path_child(&http, "paths");
    const val *rule = val_at(list, i), *value = val_getc(rule, "http"),
              *items = val_getc(value, "paths");
    slice name = val_get_str(rule, "host");
    ip_value ip;
    if (name.len && ip_value_parse(name, &ip)) field_invalid_str(errs, &host, name, "%s", not_ip);
    if (name.len) host_check(errs, &host, name);
    if (!value || (wildcards_free && slice_find_char(name, '*') >= 0)) continue;
    if (val_len(items) == 0) field_required(errs, &paths, "%s", "");
    for (uint32_t k = 0; k < val_len(items); k++) {
      path at = path_index(&paths, k);
      http_path_check(errs, &at, val_at(items, k));
    }
  }
}

static bool old_wildcards_broken(const validate_args *v) {
  const val *list = val_path(v->old, "spec.rules");
  field_errors errs = {.a = v->errs->a};
  val *wild = val_list(errs.a);
  for (uint32_t i = 0; i < val_len(list); i++) {
    val *rule = val_map(errs.a);
    if (slice_find_char(val_get_str(val_at(list, i), "host"), '*') < 0) continue;
    val_setc(errs.a, rule, "http", val_getc(val_at(list, i), "http"));
    if (val_getc(val_at(list, i), "http")) val_append(errs.a, wild, rule);
  }
  path spec = path_root("spec");
  rules_check(&errs, &spec, wild, false);
  return errs.count > 0;
}

static bool old_secret_broken(const validate_args *v) {
  const val *list = val_path(v->old, "spec.tls");
  for (uint32_t i = 0; i < val_len(list); i++) {
    slice name = val_get_str(val_at(list, i), "secretName");
    if (name.len && !text_is_valid(TEXT_DNS1123_SUBDOMAIN, name)) return true;
  }
  return false;
}

static void tls_check(const validate_args *v, const path *spec, const val *list) {
  path tls = path_child(spec, "tls");
  bool any_secret = old_secret_broken(v);
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&tls, i), hosts = path_child(&p, "hosts"),
         secret = path_child(&p, "secretName");
    const val *names = val_getc(val_at(list, i), "hosts");
    for (uint32_t k = 0; k < val_len(names); k++) {
      path at = path_index(&hosts, k);
      host_check(v->errs, &at, val_str(val_at(names, k)));
    }
    slice name = val_get_str(val_at(list, i), "secretName");
    if (name.len && !any_secret) text_check(v->errs, &secret, TEXT_DNS1123_SUBDOMAIN, name);
  }
}

static void ingress_status_check(const validate_args *v) {
  path status = path_root("status"), balancer = path_child(&status, "loadBalancer"),
       ingress = path_child(&balancer, "ingress");
  const val *list = val_path(v->obj, "status.loadBalancer.ingress"),
            *was = val_path(v->old, "status.loadBalancer.ingress");
  val *old_ips = val_list(v->errs->a);
  for (uint32_t i = 0; i < val_len(was); i++) {
    val *ip = val_getc(val_at(was, i), "ip");
    if (ip) val_append(v->errs->a, old_ips, ip);
  }
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&ingress, i), at = path_child(&p, "ip"), host = path_child(&p, "hostname");
    slice ip = val_get_str(val_at(list, i), "ip"), name = val_get_str(val_at(list, i), "hostname");
    ip_value parsed;
    if (ip.len) ip_legacy_check(v->errs, &at, ip, old_ips);
    if (name.len) text_check(v->errs, &host, TEXT_DNS1123_SUBDOMAIN, name);
    if (name.len && ip_value_parse(name, &parsed))
      field_invalid_str(v->errs, &host, name, "%s", not_ip);
  }
}

void validate_ingress(const validate_args *v) {
  field_errors *errs = v->errs;
  path spec = path_root("spec"), backend = path_child(&spec, "defaultBackend"),
       class = path_child(&spec, "ingressClassName"), notes = path_root("annotations"),
       note = path_child(&notes, CLASS_ANNOTATION);
  const val *s = val_getc(v->obj, "spec"), *fallback = val_getc(s, "defaultBackend"),
            *name = val_getc(s, "ingressClassName");
  meta_change(v);
  if (slice_is(v->subresource, "status")) {
    ingress_status_check(v);
    return;
  }
  meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  if (val_len(val_getc(s, "rules")) == 0 && !fallback) {
    field_invalid(errs, &spec, NULL, "either `defaultBackend` or `rules` must be specified");
  }
  if (fallback) backend_check(errs, &backend, fallback);
  rules_check(errs, &spec, val_getc(s, "rules"), v->old && old_wildcards_broken(v));
  tls_check(v, &spec, val_getc(s, "tls"));
  if (name) text_check(errs, &class, TEXT_DNS1123_SUBDOMAIN, val_str(name));
  const val *annotation = val_getc(val_path(v->obj, "metadata.annotations"), CLASS_ANNOTATION);
  if (!v->old && annotation && name && !val_equal(annotation, name)) {
    field_invalid(errs, &note, annotation, "must match `ingressClassName` when both are specified");
  }
}

void ingress_warn(request *rq, val *obj, const val *old) {
  bool noted = val_getc(val_path(obj, "metadata.annotations"), CLASS_ANNOTATION) != NULL;
  if (old || !noted || val_path(obj, "spec.ingressClassName")) return;
  request_warn(rq, SLICE_LIT("annotation \"" CLASS_ANNOTATION
                             "\" is deprecated, please use 'spec.ingressClassName' instead"));
}

/* Of Ingresses and Services. */
void balancer_status_warn(request *rq, val *obj, const val *old) {
  path status = path_root("status"), balancer = path_child(&status, "loadBalancer"),
       ingress = path_child(&balancer, "ingress");
  const val *list = val_path(obj, "status.loadBalancer.ingress");
  (void)old;
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&ingress, i);
    ip_warn(rq, &p, val_get_str(val_at(list, i), "ip"));
  }
}

/* "acme.io/foo". */
static void domain_path_check(field_errors *errs, const path *p, slice text) {
  slice host, rest;
  if (!required_str(errs, p, text)) return;
  if (!slice_cut(text, '/', &host, &rest) || host.len == 0 || rest.len == 0) {
    field_invalid_str(errs, p, text, "must be a domain-prefixed path (such as \"acme.io/foo\")");
    return;
  }
  text_check(errs, p, TEXT_DNS1123_SUBDOMAIN, host);
  for (size_t i = 0; i < rest.len; i++) {
    char c = rest.ptr[i];
    bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (alnum || (c && strchr("/-._~%!$&'()*+,;=:", c))) continue;
    field_invalid_str(
        errs, p, rest,
        "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%%!$&'()*+,;=:]+')");
    return;
  }
}

static void class_parameters_check(field_errors *errs, const path *p, const val *params) {
  path scope = path_child(p, "scope"), namespace = path_child(p, "namespace");
  const val *s = val_getc(params, "scope"), *n = val_getc(params, "namespace");
  if (!params) return;
  typed_ref_check(errs, p, params);
  if (!s)
    field_required(errs, &scope, "%s", "");
  else if (!enum_check(errs, &scope, val_str(s), scopes))
    return;
  else if (slice_is(val_str(s), "Cluster")) {
    if (n) field_forbidden(errs, &namespace, "`parameters.scope` is set to 'Cluster'");
  } else if (n) {
    text_check(errs, &namespace, TEXT_DNS1123_LABEL, val_str(n));
  } else {
    field_required(errs, &namespace, "`parameters.scope` is set to 'Namespace'");
  }
}

void validate_ingress_class(const validate_args *v) {
  path spec = path_root("spec"), controller = path_child(&spec, "controller"),
       params = path_child(&spec, "parameters");
  const val *s = val_getc(v->obj, "spec");
  slice name = val_get_str(s, "controller");
  meta_change(v);
  if (v->old)
    immutable_str_check(v->errs, &controller, name, val_str(val_path(v->old, "spec.controller")));
  meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  if (name.len > CONTROLLER_MAX) field_too_long(v->errs, &controller, CONTROLLER_MAX);
  domain_path_check(v->errs, &controller, name);
  class_parameters_check(v->errs, &params, val_getc(s, "parameters"));
}
