/* apisim: one binary, its subcommands in a table. Called as kube-apiserver it is `serve`,
 * called as etcd it is `etcd`. */
#include "sim/commands.h"
#include "sim/flags.h"

#include <stdio.h>
#include <string.h>

static int cmd_help(int argc, char **argv);
static int cmd_version(int argc, char **argv);

static const struct {
  const char *name;
  command_fn run;
  const char *help;
} commands[] = {
    {"serve", cmd_serve, "run the API server (kube-apiserver's flags, and a few of ours)"},
    {"exec", cmd_exec, "exec [FLAGS] -- CMD...: run CMD with KUBECONFIG at a fresh server"},
    {"replay", cmd_replay, "replay TAPE...: send recorded sessions to a server and compare"},
    {"record", cmd_record, "a proxy that tapes a session for replay"},
    {"conformance", cmd_conformance, "--corpus DIR: an official round-trip corpus through the codecs"},
    {"fuzz", cmd_fuzz, "fuzz targets over files, or generated requests against a server"},
    {"control", cmd_control, "control ADDR COMMAND...: checkpoints, reset, status of a running server"},
    {"etcd", cmd_etcd, "an etcd server in memory (etcd's flags), for starters of the real one"},
    {"sim", cmd_sim, "sim COMMAND...: seeds and controllers under faults; `apisim sim` lists them"},
    {"version", cmd_version, "print the version"},
    {"help", cmd_help, "print this; `apisim serve --help` lists the flags"},
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static int cmd_help(int argc, char **argv) {
  (void)argc;
  (void)argv;
  printf("apisim: a Kubernetes API server (%s) that is deterministic and instant\n\n"
         "usage: apisim COMMAND [ARGUMENTS]\n\n",
         FLAGS_KUBERNETES_VERSION);
  for (size_t i = 0; i < COMMAND_COUNT; i++) {
    printf("  %-12s %s\n", commands[i].name, commands[i].help);
  }
  return 0;
}

static int cmd_version(int argc, char **argv) {
  (void)argc;
  (void)argv;
  printf("Kubernetes %s\n", FLAGS_KUBERNETES_VERSION);
  return 0;
}

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

int main(int argc, char **argv) {
  if (argc > 0 && strcmp(base_name(argv[0]), "kube-apiserver") == 0) return cmd_serve(argc, argv);
  if (argc > 0 && strcmp(base_name(argv[0]), "etcd") == 0) return cmd_etcd(argc, argv);
  if (argc < 2) {
    cmd_help(argc, argv);
    return 1;
  }
  const char *name = argv[1];
  if (strcmp(name, "--version") == 0) return cmd_version(argc - 1, argv + 1);
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) return cmd_help(argc, argv);
  for (size_t i = 0; i < COMMAND_COUNT; i++) {
    if (strcmp(name, commands[i].name) == 0) return commands[i].run(argc - 1, argv + 1);
  }
  fprintf(stderr, "apisim: unknown command \"%s\"; `apisim help` lists them\n", name);
  return 1;
}
