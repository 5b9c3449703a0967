/* RBAC's matching and its answer to one question. Rule: pkg/apis/rbac/v1/evaluation_helpers. */
#include "access/rbac.h"
#include "access/text.h"

static bool has(const rbac_strings *s, slice want, bool wildcard) {
  for (uint32_t i = 0; i < s->count; i++) {
    if (slice_eq(s->items[i], want) || (wildcard && slice_is(s->items[i], "*"))) return true;
  }
  return false;
}

/* "pods/status", "*" or, for a subresource, "*" before the slash. */
static bool resource_matches(const rbac_rule *r, slice resource, slice sub) {
  for (uint32_t i = 0; i < r->resources.count; i++) {
    slice have = r->resources.items[i], head, tail;
    if (slice_is(have, "*")) return true;
    if (sub.len == 0) {
      if (slice_eq(have, resource)) return true;
      continue;
    }
    if (!slice_cut(have, '/', &head, &tail)) continue;
    if (slice_eq(tail, sub) && (slice_eq(head, resource) || slice_is(head, "*"))) return true;
  }
  return false;
}

static bool url_matches(const rbac_rule *r, slice path) {
  for (uint32_t i = 0; i < r->urls.count; i++) {
    slice have = r->urls.items[i];
    if (slice_is(have, "*") || slice_eq(have, path)) return true;
    if (!slice_has_suffix(have, SLICE_LIT("*"))) continue;
    while (have.len && have.ptr[have.len - 1] == '*') have.len--;
    if (slice_has_prefix(path, have)) return true;
  }
  return false;
}

bool rbac_rule_allows(const rbac_rule *r, const access_attributes *q) {
  if (!has(&r->verbs, q->verb, true)) return false;
  if (!q->is_resource) return url_matches(r, q->path);
  return has(&r->groups, q->group, true) && resource_matches(r, q->resource, q->subresource) &&
         (r->names.count == 0 || has(&r->names, q->name, false));
}

enum { ERRORS_KEPT = 64 };

typedef struct decision {
  arena *a;
  const access_attributes *q;
  bool allowed;
  slice reason;
  slice errors[ERRORS_KEPT];
  uint32_t error_count;
} decision;

static slice subject_text(arena *a, const rbac_binding *b, const rbac_subject *s) {
  slice name = s->name;
  if (slice_is(s->kind, "ServiceAccount")) { /* name first: as the real one has it */
    slice ns = s->namespace.len ? s->namespace : b->namespace;
    name = arena_printf(a, "%.*s/%.*s", SLICE_ARG(name), SLICE_ARG(ns));
  }
  slice quoted = text_quoted(a, name);
  return arena_printf(a, "%.*s %.*s", SLICE_ARG(s->kind), SLICE_ARG(quoted));
}

static slice allowed_text(arena *a, const rbac_binding *b, const rbac_subject *s) {
  bool cluster = b->namespace.len == 0;
  slice name = b->name;
  if (!cluster) name = arena_printf(a, "%.*s/%.*s", SLICE_ARG(name), SLICE_ARG(b->namespace));
  slice binding = text_quoted(a, name), role = text_quoted(a, b->role_name);
  slice subject = subject_text(a, b, s);
  return arena_printf(a, "RBAC: allowed by %s %.*s of %.*s %.*s to %.*s",
                      cluster ? "ClusterRoleBinding" : "RoleBinding", SLICE_ARG(binding),
                      SLICE_ARG(b->role_kind), SLICE_ARG(role), SLICE_ARG(subject));
}

static bool decide_visit(void *ctx, const rbac_binding *b, const rbac_subject *who,
                         const rbac_rule *rule, slice error) {
  decision *d = ctx;
  if (!rule) {
    if (d->error_count < ERRORS_KEPT) d->errors[d->error_count++] = error;
    return true;
  }
  if (!rbac_rule_allows(rule, d->q)) return true;
  d->allowed = true;
  d->reason = allowed_text(d->a, b, who);
  return false;
}

access_decision rbac_decide(server *s, arena *a, const access_attributes *q, slice *reason) {
  decision d = {.a = a, .q = q};
  rbac_visit_rules(s, a, &q->user, q->is_resource ? q->namespace : SLICE_NONE, decide_visit, &d);
  *reason = d.reason;
  if (d.allowed) return ACCESS_ALLOW;
  if (d.error_count) {
    slice all = text_aggregate(a, d.errors, d.error_count);
    *reason = arena_printf(a, "RBAC: %.*s", SLICE_ARG(all));
  }
  return ACCESS_NO_OPINION;
}
