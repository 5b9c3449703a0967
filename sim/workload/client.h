/* client: somebody who talks to the servers. A kind of client is a row of functions; each client
 * has a random stream of its own, so that leaving one out leaves the others as they were. */
#ifndef APISIM_SIM_CLIENT_H
#define APISIM_SIM_CLIENT_H

#include "sim/workload/call.h"
#include "sim/workload/kinds.h"
#include "sim/world/world.h"

typedef struct client_row {
  uint8_t actor; /* ACTOR_WRITER... */
  size_t size; /* of what begins with a struct client */
  void (*start)(client *c);
  /* A time that it asked for by client_later. */
  void (*woken)(client *c, uint64_t tag);
  /* A call ended (k->how). */
  void (*answered)(client *c, call *k);
  /* Of a watch: one line of the body. False: the client is done with the call. */
  bool (*told)(client *c, call *k, slice text);
  /* The faults are over: go on without waiting for ever. May be NULL. */
  void (*heal)(client *c);
  /* Whether it has caught up and wants nothing more; why: what is missing. May be NULL. */
  bool (*settled)(client *c, char *why, size_t size);
  /* Its process died and begins again: it forgets what it knew. May be NULL. */
  void (*restart)(client *c);
  void (*dispose)(client *c);
} client_row;

struct client {
  world *world;
  const client_row *row;
  uint8_t id; /* among all */
  actor who;
  rng rng;
  uint8_t server; /* where it goes next */
  bool gone; /* left out of this run, or it has left */
  uint32_t wake_generation;
  sim_conn *idle; /* kept alive, ready for the next call */
  bool h2; /* speaks HTTP/2 */
  struct h2_link *link; /* if so: its present connection, or NULL */
  client *whole; /* of a part: the client that it is of; else NULL */
  client *parts, *next_part; /* a client may do several things at once, each a part of it */
};

/* Makes `part` a part of `whole`: the same process, with calls, wake-ups and a random stream of its
 * own. It leaves, dies and moves with the whole. `number`: among the whole's parts, from 1. */
void client_part(client *whole, client *part, const client_row *row, uint8_t number);

void clients_start(world *w);
void clients_heal(world *w);
void clients_leave(world *w);
void clients_dispose(world *w);
void client_woken(client *c, uint64_t tag);
/* Wakes it later; an earlier wish stays as it is. */
void client_later(client *c, int64_t after_ns, uint64_t tag);
/* The process behind it dies and is started again: it forgets all it knows. */
void client_restart(client *c);
/* The active kinds of this run. */
const kind_row *client_pick_kind(client *c, rng *r);
slice client_pick_namespace(client *c, rng *r, const kind_row *k);
slice client_pick_name(client *c, rng *r, const kind_row *k);

extern const client_row writer_row, informer_row, pager_row, controller_row, elector_row,
    recorder_row, event_informer_row, player_row;

#endif
