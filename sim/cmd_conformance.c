/* apisim conformance: an official round-trip corpus through the codecs. */
#include "sim/commands.h"
#include "sim/conformance/corpus.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: apisim conformance --corpus DIR [--junit FILE] [--verbose]\n"
    "\n"
    "Reads an official round-trip corpus (GROUP.VERSION.KIND.json, .yaml, .pb; .after_roundtrip.\n"
    "files say what an older object becomes). Of each kind the three formats must decode to the\n"
    "same object, which must encode to the same bytes in each. Kinds that no table knows, and\n"
    "versions that are not served, are counted apart (the latter are checked all the same).\n"
    "\n"
    "Exit code: 0 all passed, 1 failures, 2 usage or unreadable files.\n";

static int report(const corpus *c, const char *junit, bool verbose) {
  corpus_print(stdout, c, verbose);
  if (junit && !corpus_junit(junit, c)) {
    fprintf(stderr, "apisim conformance: %s cannot be written\n", junit);
    return 2;
  }
  return c->failed > 0;
}

int cmd_conformance(int argc, char **argv) {
  static const struct option options[] = {
      {"corpus", required_argument, NULL, 'c'}, {"junit", required_argument, NULL, 'j'},
      {"verbose", no_argument, NULL, 'v'},      {"help", no_argument, NULL, 'h'},
      {NULL, 0, NULL, 0}};
  const char *folder = NULL, *junit = NULL;
  bool verbose = false;
  int c;
  optind = 1;
  while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
    switch (c) {
      case 'c': folder = optarg; break;
      case 'j': junit = optarg; break;
      case 'v': verbose = true; break;
      case 'h': fputs(usage, stdout); return 0;
      default: return 2;
    }
  }
  if (!folder || optind < argc) {
    fputs(usage, stderr);
    return 2;
  }
  corpus *loaded = corpus_check(folder);
  if (!loaded) {
    fprintf(stderr, "apisim conformance: no corpus in %s\n", folder);
    return 2;
  }
  int code = report(loaded, junit, verbose);
  corpus_destroy(loaded);
  return code;
}
