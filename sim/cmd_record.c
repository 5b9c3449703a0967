/* apisim record: a proxy that tapes what passes, for `apisim replay`. */
#include "sim/commands.h"
#include "sim/record/proxy.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: apisim record --upstream URL -o TAPE [options]\n"
    "\n"
    "Listens on plain HTTP on loopback, hands every request on to the upstream, and writes the\n"
    "tape on SIGTERM or SIGINT. Point a client at it: kubectl --server http://127.0.0.1:PORT ...\n"
    "\n"
    "  --upstream URL       where requests go\n"
    "  -o, --output TAPE    the file to write\n"
    "  --token T            bearer token to add on the way up (never taped)\n"
    "  --insecure           do not verify the upstream's certificate\n"
    "  --listen ADDR:PORT   default 127.0.0.1:0 (any free port; printed)\n"
    "  --redact-secrets     keep values of Secrets and tokens out of the tape\n"
    "  --name N             of the tape; default: the file's name\n"
    "  --about TEXT         what the session is about\n";

typedef struct record_args {
  const char *upstream, *output, *token, *listen, *name, *about;
  bool insecure, redact;
} record_args;

/* -1 to go on, else the exit code. */
static int parse_args(int argc, char **argv, record_args *r) {
  static const struct option options[] = {
      {"upstream", required_argument, NULL, 'u'}, {"output", required_argument, NULL, 'o'},
      {"token", required_argument, NULL, 't'},    {"insecure", no_argument, NULL, 'k'},
      {"listen", required_argument, NULL, 'l'},   {"redact-secrets", no_argument, NULL, 'r'},
      {"name", required_argument, NULL, 'n'},     {"about", required_argument, NULL, 'a'},
      {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0}};
  int c;
  optind = 1;
  while ((c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
    switch (c) {
    case 'u': r->upstream = optarg; break;
    case 'o': r->output = optarg; break;
    case 't': r->token = optarg; break;
    case 'k': r->insecure = true; break;
    case 'l': r->listen = optarg; break;
    case 'r': r->redact = true; break;
    case 'n': r->name = optarg; break;
    case 'a': r->about = optarg; break;
    case 'h': fputs(usage, stdout); return 0;
    default: return 2;
    }
  }
  if (!r->upstream || !r->output || optind < argc) {
    fputs(usage, stderr);
    return 2;
  }
  return -1;
}

/* "x/01-pods.tape.jsonl" is 01-pods. */
static void name_of(const char *path, char *out, size_t size) {
  const char *slash = strrchr(path, '/');
  snprintf(out, size, "%s", slash ? slash + 1 : path);
  char *ending = strstr(out, ".tape");
  if (!ending) {
    ending = strstr(out, ".jsonl");
  }
  if (ending) {
    *ending = 0;
  }
}

static int record(const record_args *r, proxy_options *o, FILE *out) {
  char problem[256], name[256];
  tape_writer *writer = tape_writer_create(r->redact);
  proxy *p = proxy_create(o, writer, problem, sizeof problem);
  if (!p) {
    fprintf(stderr, "apisim record: %s\n", problem);
    tape_writer_destroy(writer);
    return 1;
  }
  printf("recording http://%s -> %s\n", proxy_address(p), r->upstream);
  fflush(stdout);
  proxy_run(p);
  name_of(r->name ? r->name : r->output, name, sizeof name);
  bool good = tape_writer_save(writer, out, proxy_now_ms(p), r->name ? r->name : name,
                               tape_writer_agent(writer), r->about ? r->about : "");
  if (good) {
    printf("%u exchanges written to %s\n", tape_writer_count(writer), r->output);
  } else {
    fprintf(stderr, "apisim record: %s cannot be written: %s\n", r->output, strerror(errno));
  }
  proxy_destroy(p);
  tape_writer_destroy(writer);
  return good ? 0 : 1;
}

int cmd_record(int argc, char **argv) {
  record_args r = {.listen = "127.0.0.1:0"};
  int code = parse_args(argc, argv, &r);
  if (code >= 0) {
    return code;
  }
  proxy_options o = {.token = r.token, .listen = r.listen};
  if (!uplink_target_parse(&o.upstream, r.upstream)) {
    fprintf(stderr, "apisim record: --upstream wants a URL such as https://127.0.0.1:6443\n");
    return 2;
  }
  o.upstream.insecure = r.insecure;
  char host[300];
  snprintf(host, sizeof host, "%s:%s", o.upstream.host, o.upstream.port);
  o.upstream_host = host;
  FILE *out = fopen(r.output, "w");
  if (!out) {
    fprintf(stderr, "apisim record: %s: %s\n", r.output, strerror(errno));
    return 1;
  }
  code = record(&r, &o, out);
  return fclose(out) == 0 ? code : 1;
}
