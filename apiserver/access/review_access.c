/* The four authorization reviews: whether somebody may, and what one may in a namespace. */
#include "access/config.h"
#include "access/node.h"
#include "access/rbac.h"
#include "access/review_validate.h"
#include "access/text.h"
#include "server.h"

#define GROUP SLICE_LIT("authorization.k8s.io")

static const slice *strings_of(arena *a, const val *list, uint32_t *count) {
  *count = val_len(list);
  slice *out = ARENA_ARRAY(a, slice, *count + 1);
  for (uint32_t i = 0; i < *count; i++) out[i] = val_str(val_at(list, i));
  return out;
}

static user_info user_of(arena *a, const val *spec) {
  user_info u = {.name = val_get_str(spec, "user"), .uid = val_get_str(spec, "uid")};
  u.groups = strings_of(a, val_getc(spec, "groups"), &u.group_count);
  VAL_EACH(e, val_getc(spec, "extra")) {
    for (uint32_t i = 0; i < val_len(e->value); i++) {
      user_add_extra(a, &u, e->key, val_str(val_at(e->value, i)));
    }
  }
  return u;
}

static access_attributes question_of(const val *spec, const user_info *u) {
  const val *r = val_getc(spec, "resourceAttributes"), *n = val_getc(spec, "nonResourceAttributes");
  if (!r) {
    return (access_attributes){.user = *u, .path = val_get_str(n, "path"),
                               .verb = val_get_str(n, "verb")};
  }
  slice version = val_get_str(r, "version");
  return (access_attributes){.user = *u, .is_resource = true, .verb = val_get_str(r, "verb"),
                             .namespace = val_get_str(r, "namespace"),
                             .group = val_get_str(r, "group"),
                             .version = version.len ? version : SLICE_LIT("*"),
                             .resource = val_get_str(r, "resource"),
                             .subresource = val_get_str(r, "subresource"),
                             .name = val_get_str(r, "name")};
}

static val *answer(request *rq, val *review, const user_info *u) {
  arena *a = rq->arena;
  const val *spec = val_getc(review, "spec");
  access_attributes q = question_of(spec, u);
  slice reason;
  access_decision d = access_decide(rq->server, a, &q, &reason);
  slice error = review_selector_error(a, val_getc(spec, "resourceAttributes"));
  val *status = val_map(a);
  val_setc(a, status, "allowed", val_bool(a, d == ACCESS_ALLOW));
  if (d == ACCESS_DENY) val_setc(a, status, "denied", val_bool(a, true));
  val_set_text(a, status, "reason", reason);
  val_set_text(a, status, "evaluationError", error);
  val_setc(a, review, "status", status);
  return review;
}

static val *strings_val(arena *a, const rbac_strings *s) {
  val *list = val_list(a);
  for (uint32_t i = 0; i < s->count; i++) val_append(a, list, val_string(a, s->items[i]));
  return list;
}

typedef struct rules_answer {
  arena *a;
  val *resource, *other;
  slice errors[64];
  uint32_t error_count;
  bool incomplete;
} rules_answer;

static void put_strings(arena *a, val *map, const char *key, const rbac_strings *s, bool always) {
  if (s->count || always) val_setc(a, map, key, strings_val(a, s));
}

static void rule_add(rules_answer *r, const rbac_rule *rule) {
  arena *a = r->a;
  if (rule->resources.count) {
    val *v = val_map(a);
    put_strings(a, v, "verbs", &rule->verbs, true);
    put_strings(a, v, "apiGroups", &rule->groups, false);
    put_strings(a, v, "resources", &rule->resources, false);
    put_strings(a, v, "resourceNames", &rule->names, false);
    val_append(a, r->resource, v);
  }
  if (rule->urls.count) {
    val *v = val_map(a);
    put_strings(a, v, "verbs", &rule->verbs, true);
    put_strings(a, v, "nonResourceURLs", &rule->urls, false);
    val_append(a, r->other, v);
  }
}

static bool rule_visit(void *ctx, const rbac_binding *b, const rbac_subject *who,
                       const rbac_rule *rule, slice error) {
  rules_answer *r = ctx;
  (void)b, (void)who;
  if (rule) rule_add(r, rule);
  else if (r->error_count < 64) r->errors[r->error_count++] = error;
  return true;
}

static void mode_rules(request *rq, access_mode mode, slice namespace, rules_answer *r) {
  static const slice star = {"*", 1};
  const rbac_strings all = {&star, 1};
  const rbac_rule everything = {.verbs = all, .groups = all, .resources = all, .urls = all};
  if (mode == MODE_ALWAYS_ALLOW) rule_add(r, &everything);
  if (mode == MODE_NODE && node_is_user(&rq->user)) {
    r->incomplete = true;
    r->errors[r->error_count++] =
        SLICE_LIT("node authorizer does not support user rule resolution");
  }
  if (mode == MODE_RBAC) {
    rbac_visit_rules(rq->server, rq->arena, &rq->user, namespace, rule_visit, r);
  }
}

static val *rules_review(request *rq, val *review) {
  arena *a = rq->arena;
  const access_config *c = rq->server->access;
  slice namespace = val_str(val_path(review, "spec.namespace"));
  if (namespace.len == 0) {
    status_set(&rq->error, a, STATUS_BAD_REQUEST, "no namespace on request");
    return NULL;
  }
  rules_answer r = {.a = a, .resource = val_list(a), .other = val_list(a)};
  for (uint32_t i = 0; i < c->mode_count; i++) mode_rules(rq, c->modes[i], namespace, &r);
  val *out = val_map(a), *status = val_map(a);
  val_setc(a, out, "kind", val_string(a, val_get_str(review, "kind")));
  val_setc(a, out, "apiVersion", val_string(a, val_get_str(review, "apiVersion")));
  val_setc(a, out, "metadata", val_map(a));
  val_setc(a, out, "spec", val_map(a));
  val_setc(a, status, "resourceRules", r.resource);
  val_setc(a, status, "nonResourceRules", r.other);
  val_setc(a, status, "incomplete", val_bool(a, r.incomplete));
  if (r.error_count) {
    val_setc(a, status, "evaluationError", val_string(a, text_aggregate(a, r.errors,
                                                                        r.error_count)));
  }
  val_setc(a, out, "status", status);
  return out;
}

val *access_subject_review(request *rq, val *review) {
  slice kind = val_get_str(review, "kind");
  if (slice_is(kind, "SelfSubjectRulesReview")) return rules_review(rq, review);
  bool self = slice_is(kind, "SelfSubjectAccessReview");
  bool local = slice_is(kind, "LocalSubjectAccessReview");
  field_errors errs = {.a = rq->arena};
  review_validate(&errs, self ? REVIEW_SELF : local ? REVIEW_LOCAL : REVIEW_SUBJECT, review);
  if (!field_errors_to_status(&errs, GROUP, SLICE_NONE, SLICE_NONE, &rq->error)) return NULL;
  user_info u = self ? rq->user : user_of(rq->arena, val_getc(review, "spec"));
  return answer(rq, review, &u);
}
