/* fuzzing: what `apisim fuzz` does: the fuzz targets of fuzz/ over a user's own files, and
 * generated requests against a running server. Both are a function of the seed: what is found
 * happens again by the line that is printed with it. */
#ifndef APISIM_SIM_FUZZ_FUZZING_H
#define APISIM_SIM_FUZZ_FUZZING_H

#include "sim/replay/uplink.h"

typedef struct fuzz_files {
  const char *target; /* of fuzz/: "json", "apply"... */
  const char *kind; /* of typed files that do not say it: "v1/Pod", "apps/v1/Deployment"; or NULL */
  bool raw; /* files are whole inputs of the target, head included */
  uint64_t seed;
  uint32_t runs; /* changed forms of each file besides the file itself */
  const char *out; /* folder for what fails */
} fuzz_files;

/* Prints the targets, one a line. */
void fuzz_files_list(void);
/* Every file through the target, each in a process of its own. 0: all passed; 1: an oracle failed
 * or it crashed (told on stderr, the input kept); 2: unreadable or no such target. */
int fuzz_files_run(const fuzz_files *o, char **files, int count);

typedef struct fuzz_server {
  uplink *link;
  const char *url, *host, *token; /* token NULL: none */
  uint64_t seed;
  uint32_t first, count; /* requests first..first+count-1 of the seed's sequence */
  bool write; /* without it every write is a dry run */
  bool verbose; /* a line a request */
} fuzz_server;

/* 0: every answer was valid HTTP and kept the API's rules; 1: one did not; 2: no server there. */
int fuzz_server_run(const fuzz_server *o);

#endif
