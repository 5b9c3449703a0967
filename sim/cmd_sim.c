/* apisim sim: the simulator's commands, a row each. */
#include "sim/commands.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct {
  const char *name;
  command_fn run;
  const char *help;
} commands[] = {
    {"run", cmd_sim_world, "[--seed S]: one simulated run (`sim run --help`: the options)"},
    {"fleet", cmd_sim_world, "--seeds A..B: many, over several processes"},
    {"repro", cmd_sim_world, "FILE: a failing run that was written to a file"},
    {"shrink", cmd_sim_world, "FILE: the smallest run that fails the same check"},
    {"faults", cmd_sim_world, "the catalogue of faults, with what is allowed and what forbidden"},
    {"checks", cmd_sim_world, "the invariants"},
    {"probes", cmd_sim_world, "what some run should reach"},
    {"mutants", cmd_sim_world, "known bugs, to prove the checkers with (MODE=mutants)"},
    {"live", cmd_sim_live, "--plan FILE -- COMMAND...: a real controller under a fault plan"},
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

int cmd_sim(int argc, char **argv) {
  bool help = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
  for (size_t i = 0; argc > 1 && i < COMMAND_COUNT; i++) {
    if (strcmp(argv[1], commands[i].name) == 0) return commands[i].run(argc - 1, argv + 1);
  }
  FILE *out = help ? stdout : stderr;
  fprintf(out, "usage: apisim sim COMMAND [ARGUMENTS]\n\n");
  for (size_t i = 0; i < COMMAND_COUNT; i++) {
    fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
  }
  return help ? 0 : 1;
}
