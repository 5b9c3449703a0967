/* The reflector's loop as events: each answer decides what is asked next. */
#include "sim/workload/informer.h"

#include "sim/model/json_scan.h"
#include "sim/world/sim_etcd.h"

#include <assert.h>

#define LIST_PATIENCE_NS (75 * SECOND)
#define BACKOFF_NS (200 * MILLI)
#define BACKOFF_MAX_NS (5 * SECOND)
#define WATCH_GRACE_NS (10 * SECOND) /* behind the time after which the server ends it */

int64_t informer_knows(const informer *i, uint32_t key) {
  return key < i->cache_count ? i->cache[key] : 0;
}

static void set(informer *i, int64_t **cache, uint32_t *count, uint32_t key, int64_t revision) {
  world *w = i->base.world;
  if (key >= *count) {
    uint32_t cap = w->model->key_count + 32;
    int64_t *more = ARENA_ARRAY(w->arena, int64_t, cap);
    if (*count) memcpy(more, *cache, *count * sizeof *more);
    *cache = more;
    *count = cap;
  }
  (*cache)[key] = revision;
}

static void again(informer *i, bool at_once) {
  int64_t wait = BACKOFF_NS << (i->retries < 5 ? i->retries : 5);
  if (wait > BACKOFF_MAX_NS) wait = BACKOFF_MAX_NS;
  if (!at_once) i->retries++;
  int64_t jitter = (int64_t)rng_below(&i->base.rng, (uint64_t)BACKOFF_NS);
  client_later(&i->base, at_once ? jitter / 10 + 1 : wait + jitter, INFORMER_TAG);
}

/* ---- list ---- */

static void list_page_ask(informer *i) {
  client *c = &i->base;
  arena *a = c->world->arena;
  slice target = kind_path(a, i->of, i->filter.namespace, SLICE_NONE);
  char sep = '?';
  if (i->filter.tier) {
    target = arena_printf(a, "%.*s?labelSelector=tier%s%c", SLICE_ARG(target),
                          i->filter.not_tier ? "%21%3D" : "%3D", i->filter.tier);
    sep = '&';
  }
  if (i->token.len) {
    target = arena_printf(a, "%.*s%climit=%u&continue=%.*s", SLICE_ARG(target), sep, i->page,
                          SLICE_ARG(i->token));
  } else if (i->page) {
    target = arena_printf(a, "%.*s%climit=%u", SLICE_ARG(target), sep, i->page);
  } else if (i->any_version && (!i->fresh_list || i->trusts_old)) {
    target = arena_printf(a, "%.*s%cresourceVersion=0", SLICE_ARG(target), sep);
  }
  call_request q = {.method = "GET", .target = target, .timeout_ns = LIST_PATIENCE_NS, .op = -1};
  call_start(c, &q);
}

static void list_start(informer *i) {
  i->listing = true;
  i->token = SLICE_NONE;
  i->list_after = NO_KEY;
  i->list_revision = 0;
  i->inconsistent = false;
  i->fresh = NULL;
  i->fresh_count = 0;
  list_page_ask(i);
}

typedef struct fill {
  informer *i;
  uint32_t after, last;
  bool passed;
} fill;

static bool fill_visit(void *ctx, const commit *c) {
  fill *f = ctx;
  const model *m = f->i->base.world->model;
  if (!f->passed) {
    f->passed = slice_cmp(m->keys[c->key].text, m->keys[f->after].text) > 0;
    if (!f->passed) return true;
  }
  set(f->i, &f->i->fresh, &f->i->fresh_count, c->key, c->revision);
  return c->key != f->last;
}

/* The page's items are the model's (checked): take them from there. */
static void take_page(informer *i, const list_page *p, int64_t revision) {
  fill f = {.i = i, .after = i->list_after, .last = p->last, .passed = i->list_after == NO_KEY};
  if (p->items) model_list(i->base.world->model, &i->filter, revision, fill_visit, &f);
}

static void list_over(informer *i) {
  client *c = &i->base;
  world *w = c->world;
  i->listing = false;
  i->retries = 0;
  i->cache = i->fresh;
  i->cache_count = i->fresh_count;
  i->version = i->list_revision;
  i->epoch = w->epoch;
  i->fresh_list = false;
  i->synced = true;
  if (i->relists++) SOMETIMES(w, RELIST);
  world_line(w, c->who, EV_RELIST, NOBODY, i->version, 0, 0, SLICE_NONE);
  if (i->replaced) i->replaced(i);
  again(i, true);
}

static void list_failed(informer *i, const call *k) {
  world *w = i->base.world;
  bool gone = k->how == CALL_ANSWERED && k->in.status == 410;
  if (gone && !k->replaced) {
    SOMETIMES(w, GONE_PAGE);
    bool raced = sim_etcd_compacted(w) > k->store_compacted;
    CHECK_THAT(w, WINDOW, i->token.len > 0 || raced, "a list without a version was answered 410");
  }
  i->listing = false;
  again(i, false);
}

/* A page's token may be too old: the answer has one that goes on at the newest state. */
static bool continue_anyway(informer *i, const call *k) {
  if (k->how != CALL_ANSWERED || k->in.status != 410 || !i->token.len || k->replaced) return false;
  slice token = json_text_of(call_body(k), SLICE_LIT("\"continue\":\""));
  if (!token.len || i->inconsistent) return false;
  return rng_chance(&i->base.rng, 1, 2) &&
         (i->inconsistent = true, i->token = arena_copy(i->base.world->arena, token), true);
}

static void list_answered(informer *i, call *k) {
  world *w = i->base.world;
  bool lost = k->server->life != k->server_life || i->base.world->epoch != i->list_epoch;
  if (continue_anyway(i, k)) {
    SOMETIMES(w, GONE_PAGE);
    list_page_ask(i);
    return;
  }
  if (k->how != CALL_ANSWERED || k->in.status != 200 || lost || k->replaced) {
    list_failed(i, k);
    return;
  }
  list_page p = {.after = i->list_after};
  int64_t revision = check_list(w, &i->filter, call_body(k), i->page, &p);
  if (revision < 0) return;
  bool old = i->any_version && (!i->fresh_list || i->trusts_old) && !i->page;
  int64_t low = old ? 0 : k->revision;
  bool first = i->list_revision == 0;
  if (first) {
    CHECK_THAT(w, CONSISTENT, revision >= low, "a list began at revision %lld and shows %lld",
               (long long)low, (long long)revision);
  } else if (!i->inconsistent) {
    SOMETIMES(w, PAGES);
    if (model_revision(w->model) > i->list_revision) SOMETIMES(w, PAGE_RACE);
    CHECK_THAT(w, LIST, revision == i->list_revision, "a page shows %lld, the first one %lld",
               (long long)revision, (long long)i->list_revision);
  } else {
    SOMETIMES(w, INCONSISTENT_PAGE);
  }
  i->list_revision = revision;
  take_page(i, &p, revision);
  if (!p.more) {
    if (i->inconsistent) list_start(i); /* what it holds is of two states: use it for nothing */
    else list_over(i);
    return;
  }
  i->token = arena_copy(w->arena, p.token);
  if (p.last != NO_KEY) i->list_after = p.last;
  list_page_ask(i);
}

/* ---- watch ---- */

static void watch_start(informer *i) {
  client *c = &i->base;
  world *w = c->world;
  arena *a = w->arena;
  bool initial = i->version == 0;
  int64_t seconds = 20 + (int64_t)rng_below(&c->rng, 60);
  slice target = kind_path(a, i->of, i->filter.namespace, SLICE_NONE);
  target = arena_printf(a, "%.*s?watch=1&timeoutSeconds=%lld%s%s", SLICE_ARG(target),
                        (long long)seconds, i->bookmarks ? "&allowWatchBookmarks=true" : "",
                        initial ? "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan" : "");
  if (!initial) {
    target = arena_printf(a, "%.*s&resourceVersion=%lld", SLICE_ARG(target),
                          (long long)i->version);
  }
  if (i->filter.tier) {
    target = arena_printf(a, "%.*s&labelSelector=tier%s%c", SLICE_ARG(target),
                          i->filter.not_tier ? "%21%3D" : "%3D", i->filter.tier);
  }
  call_request q = {.method = "GET", .target = target, .watch = true, .op = -1,
                    .timeout_ns = seconds * SECOND + WATCH_GRACE_NS};
  stream *s = stream_begin(c, &i->filter, i->version, i->bookmarks, initial);
  i->stream = s;
  s->call = call_start(c, &q);
  s->call->user = s;
  s->required = s->call->revision;
  i->stream_epoch = w->epoch;
  if (initial) {
    i->fresh = NULL;
    i->fresh_count = 0;
  } else if (i->resuming) {
    SOMETIMES(w, RESUMED);
    CHECKED(w, RESUME);
  }
  i->resuming = true;
}

static void forget_place(informer *i) {
  i->version = 0;
  i->resuming = false;
  i->fresh_list = true;
  if (!i->ignores_gone) return;
  i->version = model_revision(i->base.world->model); /* wrong: what happened between is missed */
  if (i->replaced) i->replaced(i);
}

static void initial_over(informer *i, int64_t revision) {
  i->cache = i->fresh;
  i->cache_count = i->fresh_count;
  i->version = revision;
  i->epoch = i->base.world->epoch;
  i->fresh_list = false;
  i->synced = true;
  if (i->relists++) SOMETIMES(i->base.world, RELIST);
  if (i->replaced) i->replaced(i);
}

static bool take_event(informer *i, const told *t) {
  stream *s = i->stream;
  i->retries = 0;
  if (t->kind == TOLD_ERROR) {
    if (t->code == 410) forget_place(i);
    return true;
  }
  if (t->kind == TOLD_BOOKMARK) {
    if (t->initial_end) initial_over(i, t->revision);
    else i->version = t->revision;
    return true;
  }
  bool initial = s->initial && !s->initial_over;
  int64_t now = t->kind == TOLD_DELETED ? 0 : t->revision;
  if (initial) {
    set(i, &i->fresh, &i->fresh_count, t->key, now);
    return true;
  }
  set(i, &i->cache, &i->cache_count, t->key, now);
  i->version = t->revision;
  if (i->changed) i->changed(i, t->key, (told_kind)t->kind);
  return true;
}

bool informer_told(client *c, call *k, slice text) {
  informer *i = (informer *)c;
  told t;
  if (k->user != i->stream) return false;
  if (i->stream_epoch != c->world->epoch) { /* what it was watching is gone */
    i->stream = NULL;
    again(i, false);
    return false;
  }
  if (!stream_line(i->stream, text, &t)) return false;
  return t.kind == TOLD_NOTHING || take_event(i, &t);
}

/* A revision with several changes may have been cut in its middle, and nobody can go on there. */
static bool cut_in_half(const informer *i) {
  const model *m = i->base.world->model;
  const commit *c = i->version ? model_at(m, i->version) : NULL;
  return c && model_more(m, c);
}

static void watch_answered(informer *i, call *k) {
  if (cut_in_half(i)) forget_place(i);
  i->stream = NULL;
  bool answered = k->how == CALL_ANSWERED || k->how == CALL_CUT;
  if (answered && k->in.status == 410) forget_place(i);
  if (k->how == CALL_ANSWERED && k->in.status == 200) again(i, true);
  else again(i, false);
}

/* ---- the loop ---- */

void informer_woken(client *c, uint64_t tag) {
  informer *i = (informer *)c;
  (void)tag;
  if (i->listing || i->stream) return;
  if (i->version && i->epoch != c->world->epoch) { /* the store it knew is gone */
    i->version = 0;
    i->resuming = false;
    i->fresh_list = true;
  }
  if (i->version == 0 && !i->watch_list) {
    i->list_epoch = c->world->epoch;
    list_start(i);
  } else {
    watch_start(i);
  }
}

void informer_answered(client *c, call *k) {
  informer *i = (informer *)c;
  if (k->watch) watch_answered(i, k);
  else if (i->listing) list_answered(i, k);
}

/* It holds the store's state, and no stream of it is behind. */
typedef struct compare {
  const informer *i;
  uint32_t right;
  const commit *wrong;
} compare;

static bool compare_visit(void *ctx, const commit *c) {
  compare *x = ctx;
  if (informer_knows(x->i, c->key) != c->revision) {
    x->wrong = c;
    return false;
  }
  x->right++;
  return true;
}

bool informer_settled(client *c, char *why, size_t size) {
  const informer *i = (informer *)c;
  const model *m = c->world->model;
  compare x = {.i = i};
  uint32_t known = 0;
  model_list(m, &i->filter, model_revision(m), compare_visit, &x);
  for (uint32_t k = 0; k < i->cache_count; k++) known += i->cache[k] != 0;
  bool same = !x.wrong && known == x.right && i->epoch == c->world->epoch;
  if (same && i->stream && !i->listing) return true;
  snprintf(why, size, "%s%u knows %u objects of %s at version %lld%s%.*s", actor_word(c->who.kind),
           c->who.index, known, i->of->resource, (long long)i->version,
           x.wrong ? ", not the newest " : i->stream ? "" : ", and watches nothing",
           x.wrong ? (int)m->keys[x.wrong->key].text.len : 0,
           x.wrong ? m->keys[x.wrong->key].text.ptr : "");
  return false;
}

void informer_init(informer *i, const kind_row *of, const view_filter *f) {
  rng *r = &i->base.rng;
  i->of = of;
  i->filter = *f;
  i->filter.kind = kind_index(of);
  i->watch_list = rng_chance(r, 1, 3);
  i->bookmarks = i->watch_list || rng_chance(r, 3, 4);
  i->any_version = rng_chance(r, 1, 2);
  i->page = rng_chance(r, 1, 3) ? 1 + (uint32_t)rng_below(r, 4) : 0;
}

void informer_begin(informer *i) {
  client_later(&i->base, (int64_t)rng_below(&i->base.rng, (uint64_t)SECOND), INFORMER_TAG);
}

void informer_restart(client *c) {
  informer *i = (informer *)c;
  i->stream = NULL;
  i->listing = false;
  i->version = 0;
  i->resuming = i->synced = false;
  i->cache = NULL;
  i->cache_count = 0;
  informer_begin(i);
}

static void start(client *c) {
  informer *i = (informer *)c;
  rng *r = &c->rng;
  const kind_row *k = client_pick_kind(c, r);
  view_filter f = {0};
  if (k->namespaced && rng_chance(r, 1, 2)) f.namespace = client_pick_namespace(c, r, k);
  if (rng_chance(r, 1, 3)) {
    f.tier = (char)('a' + rng_below(r, 3));
    f.not_tier = rng_chance(r, 1, 4);
  }
  informer_init(i, k, &f);
  informer_begin(i);
}

/* Of what the recorders write, and what goes by itself. */
static void start_events(client *c) {
  informer *i = (informer *)c;
  view_filter all = {0};
  informer_init(i, &kind_rows[KIND_EVENTS], &all);
  informer_begin(i);
}

static void heal(client *c) {
  ((informer *)c)->retries = 0;
}

const client_row informer_row = {.actor = ACTOR_INFORMER, .size = sizeof(informer),
                                 .start = start, .woken = informer_woken,
                                 .answered = informer_answered, .told = informer_told,
                                 .heal = heal, .settled = informer_settled,
                                 .restart = informer_restart};
const client_row event_informer_row = {.actor = ACTOR_INFORMER, .size = sizeof(informer),
                                       .start = start_events, .woken = informer_woken,
                                       .answered = informer_answered, .told = informer_told,
                                       .heal = heal, .settled = informer_settled,
                                       .restart = informer_restart};
