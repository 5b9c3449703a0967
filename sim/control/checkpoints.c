/* A small array: names are few, and looked up by people and tests. */
#include "sim/control/checkpoints.h"

#include "base/heap.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

bool checkpoint_name_ok(slice name) {
  if (name.len == 0 || name.len > CHECKPOINT_NAME_MAX) return false;
  for (size_t i = 0; i < name.len; i++) {
    char c = name.ptr[i], low = (char)(c | 32);
    bool letter = low >= 'a' && low <= 'z', digit = c >= '0' && c <= '9';
    if (!letter && !digit && c != '-' && c != '_' && c != '.') return false;
  }
  return true;
}

static checkpoint *find(const checkpoints *cs, slice name) {
  for (uint32_t i = 0; i < cs->count; i++) {
    if (slice_is(name, cs->items[i].name)) return &cs->items[i];
  }
  return NULL;
}

const checkpoint *checkpoint_find(const checkpoints *cs, slice name) { return find(cs, name); }

static checkpoint *add(checkpoints *cs, slice name) {
  assert(checkpoint_name_ok(name));
  if (cs->count == CHECKPOINTS_MAX) return NULL;
  cs->items = heap_realloc(cs->items, (cs->count + 1) * sizeof *cs->items);
  checkpoint *c = &cs->items[cs->count++];
  *c = (checkpoint){.state = NULL};
  snprintf(c->name, sizeof c->name, "%.*s", SLICE_ARG(name));
  return c;
}

const checkpoint *checkpoint_take(checkpoints *cs, serving *s, slice name) {
  server_state *state = server_state_take(s->server);
  checkpoint *c = state ? find(cs, name) : NULL;
  if (state && !c) c = add(cs, name);
  if (!c) {
    server_state_free(state);
    return NULL;
  }
  server_state_free(c->state);
  c->state = state;
  c->virtual_ns = world_virtual_ns(s->world);
  return c;
}

void checkpoint_put(serving *s, const checkpoint *c) {
  server_state_put(s->server, c->state);
  world_set_virtual_ns(s->world, c->virtual_ns);
}

void checkpoint_drop(checkpoints *cs, slice name) {
  checkpoint *c = find(cs, name);
  if (!c) return;
  server_state_free(c->state);
  *c = cs->items[--cs->count];
}

void checkpoints_dispose(checkpoints *cs) {
  for (uint32_t i = 0; i < cs->count; i++) server_state_free(cs->items[i].state);
  heap_free(cs->items);
  *cs = (checkpoints){0};
}
