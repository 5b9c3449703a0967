/* The classes are rows: a name and a function that adds one fault (or two). */
#include "sim/live/swarm.h"

#include "base/rng.h"

#include <stdio.h>

typedef struct drawing {
  arena *a;
  const live_plan *plan;
  const run_result *reference;
  rng r;
  slice client;
  int index; /* of the client */
  int64_t writes, creates, updates, calls, told;
  slice told_resource; /* of a delivery picked */
  int64_t told_n; /* the how-manieth of its resource */
  node *faults;
  bool stale; /* needs the apiserver "stale" */
} drawing;

static int64_t upto(drawing *d, int64_t n) {
  return n > 0 ? 1 + (int64_t)rng_below(&d->r, (uint64_t)n) : 1;
}

static node *parse(drawing *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
static node *parse(drawing *d, const char *format, ...) {
  va_list args;
  va_start(args, format);
  slice text = arena_vprintf(d->a, format, args), problem;
  va_end(args);
  return node_parse(d->a, text, &problem);
}

#define ADD(d, ...) node_append((d)->a, (d)->faults, parse((d), __VA_ARGS__))
#define NAME(d) SLICE_ARG((d)->client)

static void draw_crash(drawing *d) {
  ADD(d, "{on: {afterCommit: {client: %.*s, n: %lld}}, do: [{killClient: %.*s}, {restartClient: "
      "%.*s, after: %lldms}]}", NAME(d), (long long)upto(d, d->writes), NAME(d), NAME(d),
      (long long)rng_below(&d->r, 300));
}

static void draw_crash_before(drawing *d) {
  ADD(d, "{on: {beforeCommit: {client: %.*s, n: %lld}}, do: [{killClient: %.*s}, {restartClient: "
      "%.*s}]}", NAME(d), (long long)upto(d, d->writes), NAME(d), NAME(d));
}

static void draw_stale_restart(drawing *d) {
  int64_t at = upto(d, d->writes), freeze = upto(d, at);
  d->stale = true;
  ADD(d, "{on: {afterCommit: {client: %.*s, n: %lld}}, do: [{freeze: stale}]}", NAME(d),
      (long long)freeze);
  ADD(d, "{on: {afterCommit: {client: %.*s, n: %lld}}, do: [{killClient: %.*s}, {restartClient: "
      "%.*s, server: stale}]}", NAME(d), (long long)at, NAME(d), NAME(d));
}

/* A delivery of the reference run, by its resource and number within it. */
static bool pick_delivery(drawing *d) {
  int64_t wanted = upto(d, d->told), n = 0;
  for (uint32_t i = 0; i < d->reference->call_count; i++) {
    const run_call *c = &d->reference->calls[i];
    if (c->kind != RECORD_DELIVER || c->client != d->index || ++n != wanted) continue;
    d->told_resource = slice_cstr(c->resource);
    d->told_n = 0;
    for (uint32_t k = 0; k <= i; k++) {
      const run_call *o = &d->reference->calls[k];
      d->told_n += o->kind == RECORD_DELIVER && o->client == d->index &&
                   slice_eq(slice_cstr(o->resource), d->told_resource);
    }
    return true;
  }
  return false;
}

#define TOLD(d) SLICE_ARG((d)->told_resource)

static void draw_hold(drawing *d) {
  if (!pick_delivery(d)) return;
  ADD(d, "{on: {beforeDeliver: {client: %.*s, resource: %.*s, n: %lld}}, do: [{hold: %lldms}]}",
      NAME(d), TOLD(d), (long long)d->told_n, (long long)upto(d, 15) * 100);
}

static void draw_hold_until_write(drawing *d) {
  if (!pick_delivery(d)) return;
  ADD(d, "{on: {beforeDeliver: {client: %.*s, resource: %.*s, n: %lld}}, do: [{hold: until, until: "
      "{afterCommit: {client: %.*s, n: %lld}}}]}", NAME(d), TOLD(d), (long long)d->told_n, NAME(d),
      (long long)upto(d, 3));
}

static void draw_unobserved(drawing *d) {
  if (!pick_delivery(d)) return;
  ADD(d, "{on: {beforeDeliver: {client: %.*s, resource: %.*s, n: %lld}}, do: [{hold: %lldms, "
      "coalesce: true}]}", NAME(d), TOLD(d), (long long)d->told_n, (long long)upto(d, 15) * 100);
}

static void draw_lag(drawing *d) {
  if (!pick_delivery(d)) return;
  ADD(d, "{on: {beforeDeliver: {client: %.*s, resource: %.*s, from: %lld}}, do: [{hold: %lldms}]}",
      NAME(d), TOLD(d), (long long)d->told_n, (long long)upto(d, 6) * 50);
}

static void draw_expire(drawing *d) {
  if (!pick_delivery(d)) return;
  ADD(d, "{on: {beforeDeliver: {client: %.*s, resource: %.*s, n: %lld}}, do: [{expire: true}]}",
      NAME(d), TOLD(d), (long long)d->told_n);
}

static void draw_close(drawing *d) {
  if (!pick_delivery(d)) return;
  ADD(d, "{on: {beforeDeliver: {client: %.*s, resource: %.*s, n: %lld}}, do: [{closeWatch: true}]}",
      NAME(d), TOLD(d), (long long)d->told_n);
}

static void draw_cut_watch(drawing *d) {
  if (!pick_delivery(d)) return;
  ADD(d, "{on: {beforeDeliver: {client: %.*s, resource: %.*s, n: %lld}}, do: [{cut: middle}]}",
      NAME(d), TOLD(d), (long long)d->told_n);
}

static void draw_bookmarks(drawing *d) { ADD(d, "{on: {at: 0s}, do: [{dropBookmarks: 0.5}]}"); }

static void draw_compact(drawing *d) {
  ADD(d, "{on: {afterCommit: {client: %.*s, n: %lld}}, do: [{compact: keepLast 0}]}", NAME(d),
      (long long)upto(d, d->writes));
}

static void draw_conflict(drawing *d) {
  if (d->updates == 0) return;
  ADD(d, "{on: {beforeReceive: {client: %.*s, verb: [update, patch], n: %lld}}, do: "
      "[{reply: 409}]}", NAME(d), (long long)upto(d, d->updates));
}

static void draw_throttle(drawing *d) {
  ADD(d, "{on: {beforeReceive: {client: %.*s, n: %lld}}, do: [{reply: 429, retryAfter: 1}]}",
      NAME(d), (long long)upto(d, d->calls));
}

static void draw_error(drawing *d) {
  static const int codes[] = {500, 503, 504};
  ADD(d, "{on: {beforeReceive: {client: %.*s, n: %lld}}, do: [{reply: %d}]}", NAME(d),
      (long long)upto(d, d->calls), codes[rng_below(&d->r, 3)]);
}

static void draw_lost_reply(drawing *d) {
  ADD(d, "{on: {afterCommit: {client: %.*s, n: %lld}}, do: [{reply: 504}]}", NAME(d),
      (long long)upto(d, d->writes));
}

static void draw_cut_after(drawing *d) {
  ADD(d, "{on: {afterCommit: {client: %.*s, n: %lld}}, do: [{cut: true}]}", NAME(d),
      (long long)upto(d, d->writes));
}

static void draw_cut_before(drawing *d) {
  ADD(d, "{on: {beforeReceive: {client: %.*s, n: %lld}}, do: [{cut: true}]}", NAME(d),
      (long long)upto(d, d->calls));
}

static void draw_duplicate(drawing *d) {
  if (d->creates == 0) return;
  ADD(d, "{on: {beforeReceive: {client: %.*s, verb: create, n: %lld}}, do: [{duplicate: true}]}",
      NAME(d), (long long)upto(d, d->creates));
}

static void draw_pause(drawing *d) {
  ADD(d, "{on: {afterCommit: {client: %.*s, n: %lld}}, do: [{pauseClient: %.*s, for: %lldms}]}",
      NAME(d), (long long)upto(d, d->writes), NAME(d), (long long)upto(d, 10) * 100);
}

static const struct {
  const char *name;
  void (*draw)(drawing *d);
} classes[] = {
    {"crash", draw_crash},           {"crashBefore", draw_crash_before},
    {"staleRestart", draw_stale_restart}, {"hold", draw_hold},
    {"holdUntilWrite", draw_hold_until_write}, {"unobserved", draw_unobserved},
    {"lag", draw_lag},               {"expire", draw_expire},
    {"closeWatch", draw_close},      {"cutWatch", draw_cut_watch},
    {"bookmarks", draw_bookmarks},   {"compact", draw_compact},
    {"conflict", draw_conflict},     {"throttle", draw_throttle},
    {"error", draw_error},           {"lostReply", draw_lost_reply},
    {"cutAfter", draw_cut_after},    {"cutBefore", draw_cut_before},
    {"duplicate", draw_duplicate},   {"pause", draw_pause},
};
#define CLASSES (sizeof classes / sizeof classes[0])

static bool is_word(slice s, const char *a, const char *b) {
  return slice_is(s, a) || slice_is(s, b);
}

static void learn(drawing *d) {
  for (uint32_t i = 0; i < d->reference->call_count; i++) {
    const run_call *c = &d->reference->calls[i];
    if (c->client != d->index) continue;
    slice verb = slice_cstr(c->verb);
    d->writes += c->kind == RECORD_COMMIT;
    d->told += c->kind == RECORD_DELIVER;
    d->calls += c->kind == RECORD_REQUEST;
    d->creates += c->kind == RECORD_REQUEST && slice_is(verb, "create");
    d->updates += c->kind == RECORD_REQUEST && is_word(verb, "update", "patch");
  }
}

/* Where the file's own faults are, in a copy that may be changed. */
static node *own_faults(arena *a, const node *tree) {
  const node *own = node_get(tree, "faults");
  return own ? node_copy(a, own) : node_list(a);
}

node *live_with_fault(arena *a, const node *tree, node *fault) {
  node *copy = node_copy(a, tree), *faults = own_faults(a, tree);
  node_append(a, faults, fault);
  node_set(a, copy, "faults", faults);
  return copy;
}

node *live_crash_fault(arena *a, slice client, int64_t n) {
  slice problem, text = arena_printf(a, "{on: {afterCommit: {client: %.*s, n: %lld}}, do: "
                                     "[{killClient: %.*s}, {restartClient: %.*s}]}",
                                     SLICE_ARG(client), (long long)n, SLICE_ARG(client),
                                     SLICE_ARG(client));
  return node_parse(a, text, &problem);
}

static void add_stale_server(arena *a, node *tree) {
  node *servers = node_get(tree, "apiservers");
  servers = servers ? node_copy(a, servers) : node_map(a);
  if (servers->count == 0) node_set(a, servers, "a", node_map(a));
  if (!node_get(servers, "stale")) node_set(a, servers, "stale", node_map(a));
  node_set(a, tree, "apiservers", servers);
}

/* The clients are ours to name: a plan without any gets the one that the faults mean. */
static void add_client(arena *a, node *tree, const live_plan *p) {
  if (node_get(tree, "clients")) return;
  node *clients = node_map(a);
  node_set(a, clients, arena_cstr(a, p->clients[0].name), node_map(a));
  node_set(a, tree, "clients", clients);
}

static bool allowed(const live_swarm *s, const char *name) {
  return s->classes.count == 0 || live_glob_any(&s->classes, slice_cstr(name));
}

bool live_swarm_has(slice name) {
  for (size_t k = 0; k < CLASSES; k++) {
    if (live_glob(name, slice_cstr(classes[k].name))) return true;
  }
  return false;
}

slice live_swarm_classes(arena *a) {
  slice all = SLICE_LIT("");
  for (size_t k = 0; k < CLASSES; k++) {
    all = arena_printf(a, "%.*s %s", SLICE_ARG(all), classes[k].name);
  }
  return all;
}

/* Each class that is left has the same chance; the next one stands in for one that finds nothing to
 * disturb. Counts the classes. */
static size_t allowed_classes(const live_swarm *s, size_t out[CLASSES]) {
  size_t n = 0;
  for (size_t k = 0; k < CLASSES; k++) {
    if (allowed(s, classes[k].name)) out[n++] = k;
  }
  return n;
}

static int pick_client(drawing *d) {
  uint32_t n = 0, ours[64];
  for (uint32_t i = 0; i < d->plan->client_count && n < 64; i++) {
    if (d->plan->clients[i].command.count) ours[n++] = i;
  }
  return n ? (int)ours[rng_below(&d->r, n)] : 0;
}

node *live_swarm_draw(arena *a, const live_plan *p, const run_result *reference, uint64_t seed,
                      buf *what) {
  drawing d = {.a = a, .plan = p, .reference = reference};
  rng root;
  rng_init(&root, seed);
  d.r = rng_split(&root, 0x737761726d);
  d.faults = own_faults(a, p->tree);
  int64_t count = upto(&d, p->swarm.max);
  size_t which[CLASSES], left = allowed_classes(&p->swarm, which);
  for (int64_t i = 0; i < count; i++) {
    d.index = pick_client(&d);
    d.client = p->clients[d.index].name;
    d.writes = d.creates = d.updates = d.calls = d.told = 0;
    learn(&d);
    uint32_t before = d.faults->count;
    size_t k = (size_t)rng_below(&d.r, left), tries = 0;
    for (; tries < left && d.faults->count == before; k = (k + 1) % left, tries++) {
      classes[which[k]].draw(&d);
      bool drawn = d.faults->count > before;
      if (drawn) buf_printf(what, "%s%s", what->len ? ", " : "", classes[which[k]].name);
    }
  }
  node *tree = node_copy(a, p->tree);
  node_set(a, tree, "seed", node_int(a, (int64_t)seed));
  node_set(a, tree, "faults", d.faults);
  if (d.stale) add_stale_server(a, tree);
  add_client(a, tree, p);
  return tree;
}
