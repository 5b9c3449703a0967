/* What is listed here is what makes two runs alike: a field of struct server that requests change
 * belongs into server_state, or is a cache that server_state_put forgets. */
#include "server_state.h"

#include "access/access.h"
#include "admission/webhook.h"
#include "base/heap.h"
#include "crd/crd_serve.h"
#include "registry/port_allocator.h"
#include "schema/schema.h"
#include "watch/watcher.h"

#include <assert.h>
#include <string.h>

struct server_state {
  store_checkpoint *store;
  port_allocator ports;
  rng uid_rng, name_rng, port_rng, ip_rng, audit_rng, webhook_rng;
  int64_t *resource_revisions;
};

server_state *server_state_take(server *s) {
  if (!store_is_memory(s->store)) return NULL;
  assert(s->ready);
  server_state *st = heap_alloc(sizeof *st);
  *st = (server_state){.store = store_memory_checkpoint(s->store),
                       .ports = *s->ports,
                       .uid_rng = s->uid_rng,
                       .name_rng = s->name_rng,
                       .port_rng = s->port_rng,
                       .ip_rng = s->ip_rng,
                       .audit_rng = s->audit_rng,
                       .webhook_rng = s->webhook_rng};
  size_t size = schema_resource_count * sizeof(int64_t);
  st->resource_revisions = heap_alloc(size);
  memcpy(st->resource_revisions, s->resource_revisions, size);
  return st;
}

void server_state_free(server_state *st) {
  if (!st) return;
  store_checkpoint_free(st->store);
  heap_free(st->resource_revisions);
  heap_free(st);
}

int64_t server_state_revision(const server_state *st) {
  return store_checkpoint_revision(st->store);
}

void server_state_put(server *s, const server_state *st) {
  assert(s->ready);
  store_memory_restore(s->store, st->store);
  *s->ports = st->ports;
  s->uid_rng = st->uid_rng;
  s->name_rng = st->name_rng;
  s->port_rng = st->port_rng;
  s->ip_rng = st->ip_rng;
  s->audit_rng = st->audit_rng;
  s->webhook_rng = st->webhook_rng;
  memcpy(s->resource_revisions, st->resource_revisions,
         schema_resource_count * sizeof(int64_t));
  access_forget(s->access);
  webhooks_forget(s->webhooks);
  crd_load(s);
  watchers_expire(s);
}
