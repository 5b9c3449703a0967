/* A paging reader: a list taken a few items at a time, over a while and over several servers, as
 * kubectl and client-go's pager do it. The pages together are the state at the first one's version;
 * when that is gone a 410's token goes on at the newest state, or everything begins again. */
#include "sim/check/check_op.h"
#include "sim/model/json_scan.h"
#include "sim/workload/client.h"
#include "sim/world/sim_etcd.h"
#include "sim/world/store_link.h"

#define PATIENCE_NS (75 * SECOND)
#define PAUSE_NS (3 * SECOND) /* at most between two pages */
#define REST_NS (6 * SECOND) /* and between two lists */
#define STARTS_MAX 3 /* of one list, over and over after 410s */

typedef enum first_page { FIRST_NEWEST, FIRST_ANY, FIRST_NOT_OLDER, FIRST_EXACT } first_page;

typedef struct pager {
  client base;
  view_filter filter;
  const kind_row *of;
  uint8_t first; /* first_page */
  uint32_t limit, starts;
  int64_t asked_version; /* of FIRST_NOT_OLDER and FIRST_EXACT */
  int64_t version; /* the snapshot's; 0: no page has come */
  uint32_t epoch; /* of the world, when the list began */
  uint32_t after; /* the last key seen */
  slice token, last_token;
  bool inconsistent; /* goes on at the newest state */
  bool twice; /* the page is asked for again: a token may be used more than once */
  bool busy; /* a request is under way */
} pager;

static void rest(pager *p) {
  p->token = SLICE_NONE;
  client_later(&p->base, 1 + (int64_t)rng_below(&p->base.rng, REST_NS), 0);
}

static void pause_a_little(pager *p) {
  client_later(&p->base, 1 + (int64_t)rng_below(&p->base.rng, PAUSE_NS), 0);
}

static slice first_query(pager *p, slice target) {
  arena *a = p->base.world->arena;
  const char *match = p->first == FIRST_EXACT ? "Exact" : "NotOlderThan";
  if (p->first == FIRST_ANY) return arena_concat(a, target, SLICE_LIT("&resourceVersion=0"));
  if (p->first == FIRST_NEWEST) return target;
  return arena_printf(a, "%.*s&resourceVersion=%lld&resourceVersionMatch=%s", SLICE_ARG(target),
                      (long long)p->asked_version, match);
}

static void ask(pager *p) {
  client *c = &p->base;
  arena *a = c->world->arena;
  slice target = kind_path(a, p->of, p->filter.namespace, SLICE_NONE);
  target = arena_printf(a, "%.*s?limit=%u", SLICE_ARG(target), p->limit);
  if (p->filter.tier) {
    target = arena_printf(a, "%.*s&labelSelector=tier%s%c", SLICE_ARG(target),
                          p->filter.not_tier ? "%21%3D" : "%3D", p->filter.tier);
  }
  if (!p->token.len) target = first_query(p, target);
  else target = arena_printf(a, "%.*s&continue=%.*s", SLICE_ARG(target), SLICE_ARG(p->token));
  if (rng_chance(&c->rng, 1, 3)) c->server = (uint8_t)rng_below(&c->rng, c->world->draw->servers);
  call_request q = {.method = "GET", .target = target, .timeout_ns = PATIENCE_NS, .op = -1};
  p->busy = true;
  call_start(c, &q);
}

static void begin_at_start(pager *p) {
  world *w = p->base.world;
  p->token = p->last_token = SLICE_NONE;
  p->after = NO_KEY;
  p->version = 0;
  p->inconsistent = p->twice = false;
  p->epoch = w->epoch;
  ask(p);
}

static void choose(pager *p) {
  client *c = &p->base;
  rng *r = &c->rng;
  world *w = c->world;
  p->of = client_pick_kind(c, r);
  p->filter = (view_filter){.kind = kind_index(p->of)};
  if (p->of->namespaced && rng_chance(r, 1, 3)) {
    p->filter.namespace = client_pick_namespace(c, r, p->of);
  }
  if (rng_chance(r, 1, 4)) {
    p->filter.tier = (char)('a' + rng_below(r, 3));
    p->filter.not_tier = rng_chance(r, 1, 3);
  }
  p->limit = 1 + (uint32_t)rng_below(r, 4);
  p->first = rng_chance(r, 1, 2) ? FIRST_NEWEST : (uint8_t)rng_below(r, 4);
  int64_t back = (int64_t)rng_below(r, 30), now = model_revision(w->model);
  p->asked_version = now > back ? now - back : now;
  p->starts = 0;
}

static void woken(client *c, uint64_t tag) {
  pager *p = (pager *)c;
  (void)tag;
  if (p->busy || c->world->phase != PHASE_SAFETY) return;
  bool lost = p->epoch != c->world->epoch;
  if (p->token.len && !lost) {
    ask(p);
    return;
  }
  choose(p);
  begin_at_start(p);
}

/* 410 is for what is no longer kept, there or in the etcd behind it. */
static void check_gone(pager *p, const call *k) {
  world *w = p->base.world;
  int64_t wanted = p->version ? p->version : p->asked_version;
  int64_t etcd = sim_etcd_compacted(w);
  bool dates = p->version || p->first == FIRST_EXACT;
  bool may = (dates && wanted < store_link_compacted(k->server)) || wanted < etcd ||
             etcd > k->store_compacted;
  CHECK_THAT(w, WINDOW, may, "pager%u: 410 for version %lld, %lld is kept", p->base.who.index,
             (long long)wanted, (long long)store_link_compacted(k->server));
}

/* The token's place in history is gone: the answer may have one that goes on with the newest. */
static void gone(pager *p, const call *k) {
  world *w = p->base.world;
  if (!p->token.len) {
    SOMETIMES(w, GONE_LIST);
    check_gone(p, k);
    rest(p);
    return;
  }
  SOMETIMES(w, GONE_PAGE);
  if (!p->inconsistent) check_gone(p, k);
  slice token = json_text_of(call_body(k), SLICE_LIT("\"continue\":\""));
  CHECK_THAT(w, LIST, token.len > 0, "pager%u: a page's 410 without a token to go on with",
             p->base.who.index);
  if (token.len && rng_chance(&p->base.rng, 2, 3)) {
    p->inconsistent = true;
    p->token = arena_copy(w->arena, token);
    pause_a_little(p);
  } else if (++p->starts < STARTS_MAX) {
    begin_at_start(p);
  } else {
    rest(p);
  }
}

static void check_version(pager *p, const call *k, int64_t version) {
  world *w = p->base.world;
  unsigned who = p->base.who.index;
  if (p->inconsistent) {
    SOMETIMES(w, INCONSISTENT_PAGE);
    CHECK_THAT(w, CONSISTENT, p->version == version || version >= k->revision,
               "pager%u went on at %lld, the store was at %lld", who, (long long)version,
               (long long)k->revision);
  } else if (p->version) {
    SOMETIMES(w, PAGES);
    if (model_revision(w->model) > p->version) SOMETIMES(w, PAGE_RACE);
    CHECK_THAT(w, LIST, version == p->version, "pager%u: a page shows %lld, the first one %lld",
               who, (long long)version, (long long)p->version);
  } else if (p->first == FIRST_NEWEST) {
    CHECK_THAT(w, CONSISTENT, version >= k->revision,
               "pager%u: a list began at revision %lld and shows %lld", who,
               (long long)k->revision, (long long)version);
  } else if (p->first == FIRST_EXACT) {
    CHECK_THAT(w, VERSION, version == p->asked_version, "pager%u asked for exactly %lld, got %lld",
               who, (long long)p->asked_version, (long long)version);
  } else if (p->first == FIRST_NOT_OLDER) {
    CHECK_THAT(w, VERSION, version >= p->asked_version, "pager%u asked for %lld or newer, got %lld",
               who, (long long)p->asked_version, (long long)version);
  }
}

static void page_came(pager *p, call *k) {
  world *w = p->base.world;
  list_page page = {.after = p->after};
  bool whole = !p->token.len && p->first == FIRST_ANY; /* from the cache: no limit, one page */
  int64_t version = check_list(w, &p->filter, call_body(k), whole ? 0 : p->limit, &page);
  if (version < 0) return;
  check_version(p, k, version);
  if (w->stop) return;
  if (!p->twice && p->token.len && rng_chance(&p->base.rng, 1, 8)) {
    p->twice = true; /* the same token once more: the same page, or 410 */
    pause_a_little(p);
    return;
  }
  p->twice = false;
  p->version = version;
  world_line(w, p->base.who, EV_ANSWER, actor_of_server(k->server), -1, 200, version,
             slice_cstr(page.more ? "page" : "last page"));
  if (!page.more) {
    rest(p);
    return;
  }
  p->token = arena_copy(w->arena, page.token);
  if (page.last != NO_KEY) p->after = page.last;
  pause_a_little(p);
}

static void answered(client *c, call *k) {
  pager *p = (pager *)c;
  world *w = c->world;
  bool lost = k->server->life != k->server_life || w->epoch != p->epoch;
  p->busy = false;
  if (w->phase != PHASE_SAFETY || lost || k->replaced) {
    p->token = lost ? SLICE_NONE : p->token;
    if (w->phase == PHASE_SAFETY) pause_a_little(p);
    return;
  }
  if (k->how == CALL_ANSWERED && k->in.status == 200) page_came(p, k);
  else if (k->how == CALL_ANSWERED && k->in.status == 410) gone(p, k);
  else pause_a_little(p); /* nothing is lost: the token is asked for again */
}

static void start(client *c) {
  pager *p = (pager *)c;
  p->after = NO_KEY;
  rest(p);
}

/* After healing it begins no more pages. */
static bool settled(client *c, char *why, size_t size) {
  const pager *p = (pager *)c;
  if (!p->busy) return true;
  snprintf(why, size, "pager%u still waits for a page", c->who.index);
  return false;
}

const client_row pager_row = {.actor = ACTOR_PAGER, .size = sizeof(pager), .start = start,
                              .woken = woken, .answered = answered, .settled = settled};
