/* apisim fuzz: the fuzz targets over files, or generated requests against a server. */
#include "sim/commands.h"
#include "sim/fuzz/fuzzing.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: apisim fuzz --target NAME [--runs N] [--seed S] [--kind GV/KIND] [--raw] FILE...\n"
    "       apisim fuzz --server URL [--token T] [--insecure] [--requests N] [--seed S]\n"
    "       apisim fuzz --list\n"
    "\n"
    "With files: each goes through a fuzz target with its oracles (round trip, equality of the\n"
    "formats, bounded memory); a document's kind is read from it. Patch targets take the object,\n"
    "a newline, the patch.\n"
    "  --runs N       also N changed forms of each file (0)\n"
    "  --kind K       v1/Pod, apps/v1/Deployment: of files that do not say it\n"
    "  --raw          files are whole inputs, as fuzzers keep them\n"
    "  --out DIR      where inputs that fail are kept (.)\n"
    "\n"
    "With a server: generated requests, good and bad; every answer must be whole HTTP, parse as\n"
    "its Content-Type, and, where it is an error, be a Status of the same code with a message.\n"
    "  --requests N   how many (1000)\n"
    "  --write        really write; without it every write is a dry run\n"
    "  --only N       just the request of that number\n"
    "  --verbose      a line for each request\n"
    "\n"
    "The same seed (1) gives the same inputs; a failure prints the line that repeats it.\n"
    "Exit code: 0 nothing found, 1 found, 2 usage, unreadable files or no server.\n";

typedef struct fuzz_args {
  fuzz_files files;
  fuzz_server server;
  bool insecure, list;
} fuzz_args;

static const struct option options[] = {
    {"target", required_argument, NULL, 't'}, {"runs", required_argument, NULL, 'r'},
    {"seed", required_argument, NULL, 's'},   {"kind", required_argument, NULL, 'k'},
    {"raw", no_argument, NULL, 'w'},          {"out", required_argument, NULL, 'o'},
    {"server", required_argument, NULL, 'u'}, {"token", required_argument, NULL, 'T'},
    {"insecure", no_argument, NULL, 'i'},     {"requests", required_argument, NULL, 'n'},
    {"write", no_argument, NULL, 'W'},        {"only", required_argument, NULL, 'O'},
    {"verbose", no_argument, NULL, 'v'},      {"list", no_argument, NULL, 'l'},
    {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};

static bool number(const char *text, uint64_t most, uint64_t *out) {
  char *end;
  *out = strtoull(text, &end, 10);
  if (*text >= '0' && *text <= '9' && !*end && *out <= most) return true;
  fprintf(stderr, "apisim fuzz: \"%s\" is no number up to %llu\n", text, (unsigned long long)most);
  return false;
}

/* False: usage is wrong. */
static bool take(fuzz_args *g, int c) {
  uint64_t n = 0;
  switch (c) {
    case 't': g->files.target = optarg; return true;
    case 'k': g->files.kind = optarg; return true;
    case 'w': g->files.raw = true; return true;
    case 'o': g->files.out = optarg; return true;
    case 'u': g->server.url = optarg; return true;
    case 'T': g->server.token = optarg; return true;
    case 'i': g->insecure = true; return true;
    case 'W': g->server.write = true; return true;
    case 'v': g->server.verbose = true; return true;
    case 'l': g->list = true; return true;
    case 's':
      if (!number(optarg, UINT64_MAX, &n)) return false;
      g->files.seed = g->server.seed = n;
      return true;
    case 'r':
      if (!number(optarg, 100000000, &n)) return false;
      g->files.runs = (uint32_t)n;
      return true;
    case 'n':
      if (!number(optarg, UINT32_MAX, &n)) return false;
      g->server.count = (uint32_t)n;
      return true;
    case 'O':
      if (!number(optarg, UINT32_MAX - 1, &n)) return false;
      g->server.first = (uint32_t)n;
      g->server.count = 1;
      return true;
    default: return false;
  }
}

static int run_server(fuzz_args *g) {
  char problem[300];
  uplink_target t;
  if (!uplink_target_parse(&t, g->server.url)) {
    fprintf(stderr, "apisim fuzz: --server wants a URL such as https://127.0.0.1:6443\n");
    return 2;
  }
  t.insecure = g->insecure;
  g->server.host = strstr(g->server.url, "://") + 3;
  g->server.link = uplink_socket_create(&t, problem, sizeof problem);
  if (!g->server.link) {
    fprintf(stderr, "apisim fuzz: %s\n", problem);
    return 2;
  }
  int code = fuzz_server_run(&g->server);
  g->server.link->destroy(g->server.link);
  return code;
}

int cmd_fuzz(int argc, char **argv) {
  fuzz_args g = {.files = {.seed = 1, .out = "."}, .server = {.seed = 1, .count = 1000}};
  int c;
  optind = 1;
  while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
    if (c == 'h') {
      fputs(usage, stdout);
      return 0;
    }
    if (!take(&g, c)) return 2;
  }
  if (g.list) {
    fuzz_files_list();
    return 0;
  }
  if (g.server.url && !g.files.target && optind == argc) return run_server(&g);
  if (g.files.target && !g.server.url && optind < argc) {
    return fuzz_files_run(&g.files, argv + optind, argc - optind);
  }
  fputs(usage, stderr);
  return 2;
}
