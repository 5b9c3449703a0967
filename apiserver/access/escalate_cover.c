/* Covering: the wanted rules are taken apart into single (group, resource, verb, name)
 * rights; each must be within one rule that the user has. What is missing is put together
 * again by resource for the message. Rule: component-helpers auth/rbac/validation, and
 * kubernetes pkg/registry/rbac/validation (ConfirmNoEscalation, CompactRules). */
#include "access/escalate.h"
#include "access/text.h"
#include "base/limits.h"

#include <stdlib.h>

/* Ours: a rule multiplies its lists, and a body of 3 MiB may ask for 10^15 rights. */
enum { RIGHTS_MAX = 1 << 20, MISSING_MAX = 1 << 14, ERRORS_MAX = 64 };

typedef struct right {
  slice group, resource, name, url, verb;
  bool has_name, is_url;
} right;

typedef struct cover {
  arena *a;
  slice resource; /* of the request: the real server names lost roles by it */
  rbac_rule *own;
  uint32_t own_count, own_cap;
  right *missing;
  uint32_t missing_count, missing_cap;
  uint32_t tried;
  slice errors[ERRORS_MAX];
  uint32_t error_count;
} cover;

static bool own_add(void *ctx, const rbac_binding *b, const rbac_subject *who,
                    const rbac_rule *rule, slice error) {
  cover *c = ctx;
  (void)who;
  if (!rule) {
    if (slice_is(b->role_kind, "Role") || slice_is(b->role_kind, "ClusterRole")) {
      error = arena_printf(c->a, "%.*s.rbac.authorization.k8s.io \"%.*s\" not found",
                           SLICE_ARG(c->resource), SLICE_ARG(b->role_name));
    }
    if (c->error_count < ERRORS_MAX) c->errors[c->error_count++] = error;
    return true;
  }
  c->own = arena_more(c->a, c->own, c->own_count, &c->own_cap, sizeof *c->own);
  c->own[c->own_count++] = *rule;
  return true;
}

static bool has(const rbac_strings *s, slice want) {
  for (uint32_t i = 0; i < s->count; i++) {
    if (slice_eq(s->items[i], want)) return true;
  }
  return false;
}

static bool has_or_star(const rbac_strings *s, slice want) {
  return has(s, want) || has(s, SLICE_LIT("*"));
}

static bool resource_covers(const rbac_strings *own, slice want) {
  slice head, tail;
  if (has_or_star(own, want)) return true;
  if (!slice_cut(want, '/', &head, &tail)) return false;
  for (uint32_t i = 0; i < own->count; i++) {
    slice o = own->items[i];
    if (slice_has_prefix(o, SLICE_LIT("*/")) && slice_eq(slice_from(o, 2), tail)) return true;
  }
  return false;
}

static bool url_covers(const rbac_strings *own, slice want) {
  for (uint32_t i = 0; i < own->count; i++) {
    slice o = own->items[i];
    if (slice_eq(o, want)) return true;
    if (!slice_has_suffix(o, SLICE_LIT("*"))) continue;
    while (o.len && o.ptr[o.len - 1] == '*') o.len--;
    if (slice_has_prefix(want, o)) return true;
  }
  return false;
}

static bool rule_covers(const rbac_rule *own, const right *r) {
  if (!has_or_star(&own->verbs, r->verb)) return false;
  if (r->is_url) return own->names.count == 0 && url_covers(&own->urls, r->url);
  if (own->names.count && !(r->has_name && has(&own->names, r->name))) return false;
  return has_or_star(&own->groups, r->group) && resource_covers(&own->resources, r->resource);
}

/* Notes a right that no own rule covers. False when there is no point in going on. */
static bool right_check(cover *c, right r) {
  if (++c->tried > RIGHTS_MAX) return false;
  for (uint32_t i = 0; i < c->own_count; i++) {
    if (rule_covers(&c->own[i], &r)) return true;
  }
  c->missing = arena_more(c->a, c->missing, c->missing_count, &c->missing_cap, sizeof *c->missing);
  c->missing[c->missing_count++] = r;
  return c->missing_count < MISSING_MAX;
}

static bool resource_rights(cover *c, const rbac_rule *w, slice group, slice resource) {
  for (uint32_t v = 0; v < w->verbs.count; v++) {
    right r = {.group = group, .resource = resource, .verb = w->verbs.items[v]};
    if (w->names.count == 0 && !right_check(c, r)) return false;
    for (uint32_t n = 0; n < w->names.count; n++) {
      r.name = w->names.items[n];
      r.has_name = true;
      if (!right_check(c, r)) return false;
    }
  }
  return true;
}

static bool rule_rights(cover *c, const rbac_rule *w) {
  for (uint32_t g = 0; g < w->groups.count; g++) {
    for (uint32_t s = 0; s < w->resources.count; s++) {
      if (!resource_rights(c, w, w->groups.items[g], w->resources.items[s])) return false;
    }
  }
  for (uint32_t u = 0; u < w->urls.count; u++) {
    for (uint32_t v = 0; v < w->verbs.count; v++) {
      right r = {.url = w->urls.items[u], .verb = w->verbs.items[v], .is_url = true};
      if (!right_check(c, r)) return false;
    }
  }
  return true;
}

/* ---- the message ---- */

static int right_order(const void *x, const void *y) {
  const right *a = x, *b = y;
  if (a->is_url != b->is_url) return a->is_url ? 1 : -1;
  int order = slice_cmp(a->group, b->group);
  if (!order) order = slice_cmp(a->resource, b->resource);
  if (!order) order = (int)a->has_name - (int)b->has_name;
  if (!order) order = slice_cmp(a->name, b->name);
  if (!order) order = slice_cmp(a->url, b->url);
  /* the rest keeps the order of the rule: an array's places are its order */
  return order ? order : 0;
}

static bool same_place(const right *a, const right *b) {
  return !a->is_url && right_order(a, b) == 0;
}

static void merge(right *items, right *scratch, uint32_t n) {
  if (n < 2) return;
  uint32_t half = n / 2, i = 0, j = half, k = 0;
  merge(items, scratch, half);
  merge(items + half, scratch, n - half);
  while (i < half && j < n) {
    scratch[k++] = right_order(&items[i], &items[j]) <= 0 ? items[i++] : items[j++];
  }
  while (i < half) scratch[k++] = items[i++];
  memcpy(items, scratch, k * sizeof *items);
}

static void put_list(buf *b, const char *name, slice one, bool first) {
  buf_printf(b, "%s%s:", first ? "" : ", ", name);
  text_quote_list(b, &one, 1);
}

static slice group_text(arena *a, const right *r, uint32_t n) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  buf_char(&b, '{');
  if (r->is_url) {
    put_list(&b, "NonResourceURLs", r->url, true);
  } else {
    put_list(&b, "APIGroups", r->group, true);
    put_list(&b, "Resources", r->resource, false);
    if (r->has_name) put_list(&b, "ResourceNames", r->name, false);
  }
  slice *verbs = ARENA_ARRAY(a, slice, n);
  for (uint32_t i = 0; i < n; i++) verbs[i] = r[i].verb;
  buf_lit(&b, ", Verbs:");
  text_quote_list(&b, verbs, n);
  buf_char(&b, '}');
  return text_take(a, &b);
}

static void put_missing(buf *b, cover *c) {
  right *scratch = ARENA_ARRAY(c->a, right, c->missing_count + 1);
  slice *lines = ARENA_ARRAY(c->a, slice, c->missing_count + 1);
  uint32_t count = 0;
  merge(c->missing, scratch, c->missing_count); /* stable: verbs stay in the rule's order */
  for (uint32_t i = 0, n; i < c->missing_count; i += n) {
    n = 1;
    while (i + n < c->missing_count && same_place(&c->missing[i], &c->missing[i + n])) n++;
    lines[count++] = group_text(c->a, &c->missing[i], n);
  }
  qsort(lines, count, sizeof *lines, slice_order);
  for (uint32_t i = 0; i < count; i++) {
    if (i && slice_eq(lines[i], lines[i - 1])) continue;
    if (i) buf_char(b, '\n');
    buf_append(b, lines[i]);
  }
}

static slice missing_text(cover *c, const user_info *u) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  buf_lit(&b, "user ");
  text_quote(&b, u->name);
  buf_lit(&b, " (groups=");
  text_quote_list(&b, u->groups, u->group_count);
  buf_lit(&b, ") is attempting to grant RBAC permissions not currently held:\n");
  put_missing(&b, c);
  if (c->error_count) {
    slice all = text_aggregate(c->a, c->errors, c->error_count);
    buf_printf(&b, "; resolution errors: [%.*s]", SLICE_ARG(all));
  }
  return text_take(c->a, &b);
}

bool escalate_covered(request *rq, slice namespace, const rbac_rules *rules, slice *why) {
  cover c = {.a = rq->arena, .resource = rq->resource->resource};
  bool all = true;
  rbac_visit_rules(rq->server, rq->arena, &rq->user, namespace, own_add, &c);
  for (uint32_t i = 0; i < rules->count && all; i++) all = rule_rights(&c, &rules->items[i]);
  if (all && c.missing_count == 0) return true;
  *why = missing_text(&c, &rq->user);
  return false;
}
