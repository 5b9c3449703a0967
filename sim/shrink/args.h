/* args: the options of `apisim sim`, as in its usage text. */
#ifndef APISIM_SIM_ARGS_H
#define APISIM_SIM_ARGS_H

#include "sim/replay/tape.h"
#include "sim/shrink/fleet.h"

typedef struct sim_args {
  const char *argv0; /* of the repeat lines */
  uint64_t seed;
  tape *tape; /* to play too; NULL: none */
  char *tape_text;
  size_t tape_len;
  bool seed_set;
  draw_wish wish;
  const char *trace, *html, *out;
  int64_t until_ns;
  uint64_t events_max;
  fleet_options fleet;
  bool seeds_set;
  char **rest;
  int rest_count;
} sim_args;

/* 0 good, else the exit code plus one (1: help was asked for). */
int args_parse(int argc, char **argv, sim_args *a);
sim_options args_options(const sim_args *a);
void args_trace(const sim_args *a, sim_options *o);
fleet_options args_fleet(const sim_args *a);
/* Runs it with what was asked to be written; path NULL: a failure is in a file already. */
int args_run(sim_options *o, const sim_args *a, const char *path, const char *again);
void args_print_mutants(FILE *out);

#endif
