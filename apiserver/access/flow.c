/* FlowSchemas in the order in which they are asked: by precedence, then by name. One whose
 * priority level is not there is passed over. */
#include "access/flow.h"

#include "access/config.h"
#include "base/heap.h"
#include "request/info.h"
#include "server.h"

#include <stdlib.h>

#define GROUP SLICE_LIT("flowcontrol.apiserver.k8s.io")

typedef struct flow_schema {
  int64_t precedence;
  slice name, uid, level_uid;
  const val *rules; /* of spec */
} flow_schema;

struct flow_cache {
  const resource_info *schema_kind, *level_kind;
  arena *arena; /* of everything below, and the trees that it borrows from */
  int64_t schema_revision, level_revision;
  flow_schema *schemas;
  uint32_t count, cap;
};

flow_cache *flow_create(void) {
  flow_cache *c = heap_zalloc(sizeof *c);
  c->schema_kind = schema_resource(GROUP, SLICE_LIT("v1"), SLICE_LIT("flowschemas"));
  c->level_kind = schema_resource(GROUP, SLICE_LIT("v1"), SLICE_LIT("prioritylevelconfigurations"));
  return c;
}

void flow_forget(flow_cache *c) {
  arena_destroy(c->arena);
  c->arena = NULL;
}

void flow_destroy(flow_cache *c) {
  if (!c) return;
  flow_forget(c);
  heap_free(c);
}

/* ---- does a schema mean this request? ---- */

static bool list_has(const val *list, slice want, bool wildcard) {
  for (uint32_t i = 0; i < val_len(list); i++) {
    slice have = val_str(val_at(list, i));
    if (slice_eq(have, want) || (wildcard && slice_is(have, "*"))) return true;
  }
  return false;
}

static bool is_account(const val *account, slice user) {
  static const char prefix[] = "system:serviceaccount:";
  slice namespace = val_get_str(account, "namespace"), name = val_get_str(account, "name");
  if (!account || !slice_has_prefix(user, SLICE_LIT(prefix))) return false;
  user = slice_from(user, sizeof prefix - 1);
  if (!slice_has_prefix(user, namespace)) return false;
  user = slice_from(user, namespace.len);
  if (user.len == 0 || user.ptr[0] != ':') return false;
  return slice_is(name, "*") || slice_eq(slice_from(user, 1), name);
}

static bool is_subject(const val *subject, const user_info *u) {
  slice kind = val_get_str(subject, "kind");
  if (slice_is(kind, "ServiceAccount")) {
    return is_account(val_getc(subject, "serviceAccount"), u->name);
  }
  bool group = slice_is(kind, "Group");
  const val *of = val_getc(subject, group ? "group" : "user");
  slice name = val_get_str(of, "name");
  if (!of) return false;
  return slice_is(name, "*") || (group ? user_has_group(u, name) : slice_eq(name, u->name));
}

static bool url_fits(const val *urls, slice asked) {
  for (uint32_t i = 0; i < val_len(urls); i++) {
    slice have = val_str(val_at(urls, i));
    if (slice_is(have, "*") || slice_eq(have, asked)) return true;
    if (slice_has_suffix(have, SLICE_LIT("*"))) have.len--;
    bool slash = slice_has_suffix(have, SLICE_LIT("/"));
    if (!slice_has_prefix(asked, have)) continue;
    if (slash || (asked.len > have.len && asked.ptr[have.len] == '/')) return true;
  }
  return false;
}

/* "pods", or "pods/status" of a subresource; "*" means either. */
static bool resource_fits(const val *resources, const request_info *i) {
  for (uint32_t n = 0; n < val_len(resources); n++) {
    slice have = val_str(val_at(resources, n)), head = have, tail = SLICE_NONE;
    if (slice_is(have, "*")) return true;
    bool sub = slice_cut(have, '/', &head, &tail);
    if (sub != (i->subresource.len > 0)) continue;
    if (slice_eq(head, i->resource) && slice_eq(tail, i->subresource)) return true;
  }
  return false;
}

static bool rule_fits(const val *rule, const request_info *i) {
  if (!list_has(val_getc(rule, "verbs"), i->verb, true)) return false;
  if (!i->is_resource) return url_fits(val_getc(rule, "nonResourceURLs"), i->path);
  if (!resource_fits(val_getc(rule, "resources"), i) ||
      !list_has(val_getc(rule, "apiGroups"), i->group, true)) {
    return false;
  }
  if (i->namespace.len == 0) return val_true(val_getc(rule, "clusterScope"));
  return list_has(val_getc(rule, "namespaces"), i->namespace, true);
}

static bool policy_fits(const val *policy, const request *rq) {
  const val *subjects = val_getc(policy, "subjects");
  const val *rules = val_getc(policy, rq->info.is_resource ? "resourceRules" : "nonResourceRules");
  uint32_t who = 0, what = 0;
  while (who < val_len(subjects) && !is_subject(val_at(subjects, who), &rq->user)) who++;
  if (who == val_len(subjects)) return false;
  while (what < val_len(rules) && !rule_fits(val_at(rules, what), &rq->info)) what++;
  return what < val_len(rules);
}

static bool schema_fits(const flow_schema *s, const request *rq) {
  for (uint32_t i = 0; i < val_len(s->rules); i++) {
    if (policy_fits(val_at(s->rules, i), rq)) return true;
  }
  return false;
}

/* ---- the cache ---- */

typedef struct reading {
  server *server;
  flow_cache *cache;
} reading;

static bool schema_read(void *ctx, val *obj) {
  reading *r = ctx;
  flow_cache *c = r->cache;
  slice level = val_str(val_path(obj, "spec.priorityLevelConfiguration.name"));
  const val *found = r->server->access->source->get(r->server, c->arena, c->level_kind,
                                                    SLICE_NONE, level);
  if (!found) return true;
  c->schemas = arena_more(c->arena, c->schemas, c->count, &c->cap, sizeof *c->schemas);
  c->schemas[c->count++] = (flow_schema){
      .precedence = val_i64(val_path(obj, "spec.matchingPrecedence")),
      .name = val_str(val_path(obj, "metadata.name")),
      .uid = val_str(val_path(obj, "metadata.uid")),
      .level_uid = val_str(val_path(found, "metadata.uid")),
      .rules = val_path(obj, "spec.rules")};
  return true;
}

static int schema_order(const void *a, const void *b) {
  const flow_schema *x = a, *y = b;
  if (x->precedence != y->precedence) return x->precedence < y->precedence ? -1 : 1;
  return slice_cmp(x->name, y->name);
}

static void refresh(server *s, flow_cache *c) {
  const access_source *from = s->access->source;
  int64_t schema_revision = from->revision(s, c->schema_kind);
  int64_t level_revision = from->revision(s, c->level_kind);
  if (c->arena && c->schema_revision == schema_revision && c->level_revision == level_revision) {
    return;
  }
  if (c->arena) arena_reset(c->arena);
  else c->arena = arena_create();
  c->schemas = NULL;
  c->count = c->cap = 0;
  reading r = {s, c};
  from->each(s, c->arena, c->schema_kind, SLICE_NONE, schema_read, &r);
  if (c->count) qsort(c->schemas, c->count, sizeof *c->schemas, schema_order);
  c->schema_revision = schema_revision;
  c->level_revision = level_revision;
}

bool flow_classify(request *rq) {
  flow_cache *c = rq->server->access->flow;
  if (request_info_is_long(&rq->info) || rq->server->options.no_flow_control) return true;
  refresh(rq->server, c);
  uint32_t i = 0;
  while (i < c->count && !schema_fits(&c->schemas[i], rq)) i++;
  if (i == c->count) return true;
  rq->flow_schema = arena_copy(rq->arena, c->schemas[i].uid);
  rq->flow_level = arena_copy(rq->arena, c->schemas[i].level_uid);
  return true;
}
