/* Clients: made from the draw, a row of functions each. */
#include "sim/workload/client.h"

#include "base/heap.h"
#include "sim/workload/h2_link.h"

#include <assert.h>

/* Drawn for each client by itself. A tape has its own bytes. */
static bool speaks_h2(const world *w, const client *c) {
  rng root;
  rng_init(&root, w->draw->seed);
  rng r = rng_split(&root, 7000 + (uint64_t)c->who.kind * 100 + c->who.index);
  bool later = c->who.kind == ACTOR_PAGER || c->who.kind == ACTOR_CONTROLLER ||
               c->who.kind == ACTOR_ELECTOR;
  bool class_there = w->draw->faults >> (29 - 1) & 1;
  bool chosen = rng_chance(&r, 1, 2);
  return chosen && c->who.kind != ACTOR_PLAYER && (later || class_there);
}

static client *make(world *w, const client_row *row, uint32_t index) {
  assert(w->client_count < CLIENTS_MAX && row->size >= sizeof(client));
  client *c = arena_zalloc(w->arena, row->size);
  rng root;
  c->world = w;
  c->row = row;
  c->id = (uint8_t)w->client_count;
  c->who = (actor){row->actor, (uint8_t)index};
  rng_init(&root, w->draw->seed);
  c->rng = rng_split(&root, 1000 + (uint64_t)row->actor * 100 + index);
  c->server = (uint8_t)(index % w->draw->servers);
  c->h2 = speaks_h2(w, c);
  c->gone = w->cuts.clients >> c->id & 1;
  w->clients[w->client_count++] = c;
  return c;
}

void client_part(client *whole, client *part, const client_row *row, uint8_t number) {
  world *w = whole->world;
  part->world = w;
  part->row = row;
  part->id = whole->id;
  part->who = whole->who;
  part->rng = rng_split(&whole->rng, 900 + (uint64_t)number);
  part->server = (uint8_t)((whole->server + number) % w->draw->servers);
  part->gone = whole->gone;
  part->h2 = whole->h2;
  part->whole = whole;
  part->next_part = whole->parts;
  whole->parts = part;
}

void clients_start(world *w) {
  const draw *d = w->draw;
  const struct {
    const client_row *row;
    uint32_t count;
  } all[] = {{&writer_row, d->writers}, {&informer_row, d->informers},
             {&pager_row, d->pagers},
             {&controller_row, d->controllers},
             {&elector_row, d->electors}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    for (uint32_t n = 0; n < all[i].count; n++) make(w, all[i].row, n);
  }
  if (d->controllers || d->electors) make(w, &event_informer_row, d->informers);
  if (w->tape) make(w, &player_row, 0);
  for (uint32_t i = 0; i < w->client_count; i++) {
    client *c = w->clients[i];
    if (!c->gone) c->row->start(c);
  }
}

void clients_heal(world *w) {
  for (uint32_t i = 0; i < w->client_count; i++) {
    client *c = w->clients[i];
    if (!c->gone && c->row->heal) c->row->heal(c);
  }
}

static void hang_up(client *c) {
  if (c->idle) net_close(c->idle);
  if (c->link) h2_link_close(c->link);
  c->idle = NULL;
  c->link = NULL;
}

static void leave(client *c) {
  c->gone = true;
  hang_up(c);
}

void clients_leave(world *w) {
  for (call *k = w->all_calls; k; k = k->all_next) call_abandon(k);
  for (uint32_t i = 0; i < w->client_count; i++) {
    leave(w->clients[i]);
    for (client *p = w->clients[i]->parts; p; p = p->next_part) leave(p);
  }
}

void clients_dispose(world *w) {
  for (call *k = w->all_calls; k; k = k->all_next) reader_dispose(&k->in);
  for (uint32_t i = 0; i < w->client_count; i++) {
    client *c = w->clients[i];
    if (c->row->dispose) c->row->dispose(c);
  }
}

void client_woken(client *c, uint64_t tag) {
  if (c->gone || (uint32_t)(tag >> 32) != c->wake_generation) return;
  c->row->woken(c, tag & UINT32_MAX);
}

void client_later(client *c, int64_t after_ns, uint64_t tag) {
  world *w = c->world;
  world_at(w, w->now_ns + after_ns, DUE_CLIENT, c, (uint64_t)c->wake_generation << 32 | tag);
}

static void forget(client *c) {
  hang_up(c);
  c->wake_generation++;
}

void client_restart(client *c) {
  world *w = c->world;
  for (call *k = w->all_calls; k; k = k->all_next) {
    if (k->owner == c || k->owner->whole == c) call_abandon(k);
  }
  forget(c);
  for (client *p = c->parts; p; p = p->next_part) forget(p);
  if (c->row->restart) c->row->restart(c);
}

const kind_row *client_pick_kind(client *c, rng *r) {
  uint32_t bits = c->world->draw->kinds;
  uint32_t at = (uint32_t)rng_below(r, (uint64_t)__builtin_popcount(bits));
  for (uint32_t i = 0; i < kind_row_count; i++) {
    if (bits >> i & 1 && at-- == 0) return &kind_rows[i];
  }
  return &kind_rows[0];
}

static const char *const namespaces[] = {"default", "kube-public", "kube-node-lease",
                                         "kube-system"};
static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};

slice client_pick_namespace(client *c, rng *r, const kind_row *k) {
  (void)k;
  bool aside = c->world->tape != NULL; /* where recorded sessions are not */
  return slice_cstr(namespaces[aside + rng_below(r, c->world->draw->namespaces)]);
}

slice client_pick_name(client *c, rng *r, const kind_row *k) {
  (void)k;
  return slice_cstr(names[rng_below(r, c->world->draw->names)]);
}
