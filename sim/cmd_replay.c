/* apisim replay TAPE...: sends recorded sessions to a server (the embedded one, or any by URL)
 * and reports how alike its answers are. */
#include "sim/commands.h"
#include "sim/replay/kubeconfig.h"
#include "sim/replay/report.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: apisim replay TAPE... [options]\n"
    "\n"
    "Sends the requests of recorded sessions to a server, pairs off what varies between two runs\n"
    "(uids, versions, times...), and compares the answers at three levels: status, JSON, bytes.\n"
    "\n"
    "  --against URL        a running server; without it a fresh embedded one for each tape\n"
    "  --token T            bearer token for --against\n"
    "  --kubeconfig FILE    server and credentials of its current context (--against overrides)\n"
    "  --insecure           do not verify the server's certificate\n"
    "  --speed N            0: as fast as possible (default), 1: the tape's own timing, N: N times\n"
    "                       as fast\n"
    "  --known FILE         listed differences (default conformance/known_differences.txt where\n"
    "                       it exists); the list must match exactly\n"
    "  --html FILE          a report as one web page\n"
    "  --junit FILE         a report for CI\n"
    "  --list-differences   every difference, in the format of the known list\n"
    "  --quiet              no progress line\n"
    "\n"
    "Exit code: 0 all alike or listed, 1 differences, 2 usage or unreadable files.\n";

typedef struct replay_args {
  const char *against, *token, *known, *html, *junit, *kubeconfig;
  uplink_target target; /* of --against or the kubeconfig */
  bool insecure, list, quiet;
  int64_t speed;
} replay_args;

static int64_t number_arg(const char *text) {
  long long n;
  return slice_to_i64(slice_cstr(text), &n) && n >= 0 ? n : -1;
}

/* 0 good, else the exit code plus one. */
static int parse_args(int argc, char **argv, replay_args *r) {
  static const struct option options[] = {
      {"against", required_argument, NULL, 'a'}, {"token", required_argument, NULL, 't'},
      {"insecure", no_argument, NULL, 'k'},      {"speed", required_argument, NULL, 's'},
      {"known", required_argument, NULL, 'n'},   {"html", required_argument, NULL, 'w'},
      {"junit", required_argument, NULL, 'j'},   {"list-differences", no_argument, NULL, 'l'},
      {"kubeconfig", required_argument, NULL, 'c'},
      {"quiet", no_argument, NULL, 'q'},         {"help", no_argument, NULL, 'h'},
      {NULL, 0, NULL, 0}};
  int c;
  optind = 1;
  while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
    switch (c) {
    case 'a': r->against = optarg; break;
    case 't': r->token = optarg; break;
    case 'k': r->insecure = true; break;
    case 's': r->speed = number_arg(optarg); break;
    case 'n': r->known = optarg; break;
    case 'w': r->html = optarg; break;
    case 'j': r->junit = optarg; break;
    case 'l': r->list = true; break;
    case 'c': r->kubeconfig = optarg; break;
    case 'q': r->quiet = true; break;
    case 'h': fputs(usage, stdout); return 1;
    default: return 3;
    }
  }
  if (optind >= argc || r->speed < 0) {
    fputs(r->speed < 0 ? "apisim replay: --speed wants a whole number\n" : usage, stderr);
    return 3;
  }
  return 0;
}

/* ---- the progress line ---- */

typedef struct progress {
  bool on;
  uint32_t index, tapes;
} progress;

static void show_progress(void *ctx, const tape *t, uint32_t done) {
  const progress *p = ctx;
  if (p->on) {
    fprintf(stderr, "\r\033[K  replaying %u of %u  %.*s  %u/%u", p->index + 1, p->tapes,
            SLICE_ARG(t->session), done, t->count);
    fflush(stderr);
  }
}

static void clear_progress(const progress *p) {
  if (p->on) {
    fputs("\r\033[K", stderr);
  }
}

/* ---- playing ---- */

static uplink *uplink_for(const replay_args *r, const tape *t, char *problem, size_t size) {
  if (!r->against) {
    return uplink_world_create(7, tape_began_ms(t), problem, size);
  }
  return uplink_socket_create(&r->target, problem, size);
}

static session *play_one(const replay_args *r, const tape *t, progress *p, char *problem,
                         size_t size) {
  uplink *l = uplink_for(r, t, problem, size);
  if (!l) {
    return NULL;
  }
  play_options o = {0};
  const char *authority = r->against ? strstr(r->against, "://") : NULL;
  slice host = slice_cstr(authority ? authority + 3 : "127.0.0.1:6443"), rest;
  slice_cut(host, '/', &o.host, &rest);
  o.token = slice_cstr(r->token ? r->token : r->against ? "" : "admintoken");
  o.speed = r->speed;
  o.virtual_time = !r->against;
  o.progress = show_progress;
  o.ctx = p;
  session *s = session_play(t, l, &o);
  l->destroy(l);
  return s;
}

static const char *default_known(const replay_args *r) {
  static const char path[] = "conformance/known_differences.txt";
  return r->known ? r->known : !r->against && access(path, R_OK) == 0 ? path : NULL;
}

static void print_stale(const known_list *k) {
  for (uint32_t i = 0; i < k->count; i++) {
    const known_entry *e = &k->entries[i];
    if (e->replayed && e->hits == 0) {
      fprintf(stderr, "listed, yet no longer different (line %d): %.*s %lld %.*s\n", e->line,
              SLICE_ARG(e->session), (long long)e->seq, SLICE_ARG(e->path));
    }
  }
}

static int conclude(const replay_args *r, report *rep, known_list *known) {
  uint32_t unlisted = 0, unreachable = 0;
  for (uint32_t i = 0; i < rep->count; i++) {
    unlisted += known_apply(known, rep->sessions[i]);
    unreachable += rep->sessions[i]->problem.len > 0;
  }
  report_table(stdout, rep, isatty(STDOUT_FILENO) && !getenv("NO_COLOR"));
  if (r->list) {
    report_list(stdout, rep);
  }
  int code = unlisted > 0 || unreachable > 0 || known_stale(known) > 0;
  print_stale(known);
  if (r->html && !report_html(r->html, rep)) {
    fprintf(stderr, "apisim replay: %s cannot be written\n", r->html);
    code = 2;
  }
  if (r->junit && !report_junit(r->junit, rep)) {
    fprintf(stderr, "apisim replay: %s cannot be written\n", r->junit);
    code = 2;
  }
  if (unlisted > 0) {
    printf("  %u difference%s not listed as known%s\n", unlisted, unlisted == 1 ? "" : "s",
           r->list ? "" : " (--list-differences shows them)");
  }
  return code;
}

static int replay(const replay_args *r, char **paths, uint32_t count, known_list *known) {
  char problem[512];
  session **sessions = calloc(count, sizeof *sessions);
  tape **tapes = calloc(count, sizeof *tapes);
  char when[32];
  time_t now = time(NULL);
  strftime(when, sizeof when, "%Y-%m-%d %H:%M UTC", gmtime(&now));
  report rep = {0, sessions, known, r->against ? r->against : "the embedded server", when};
  progress p = {isatty(STDERR_FILENO) && !r->quiet, 0, count};
  int code = 0;
  for (uint32_t i = 0; i < count && code == 0; i++) {
    p.index = i;
    tapes[i] = tape_load(paths[i], problem, sizeof problem);
    session *s = tapes[i] ? play_one(r, tapes[i], &p, problem, sizeof problem) : NULL;
    clear_progress(&p);
    if (s) {
      sessions[rep.count++] = s;
    } else {
      fprintf(stderr, "apisim replay: %s\n", problem);
      code = 2;
    }
  }
  if (code == 0) {
    code = conclude(r, &rep, known);
  }
  for (uint32_t i = 0; i < rep.count; i++) {
    session_destroy(sessions[i]);
  }
  for (uint32_t i = 0; i < count; i++) {
    tape_destroy(tapes[i]);
  }
  free(sessions);
  free(tapes);
  return code;
}

/* Finds the server to go to: a kubeconfig's, a URL's, or (neither given) the embedded one. */
static bool find_server(arena *a, replay_args *r, char *problem, size_t size) {
  kubeconfig config = {0};
  if (r->kubeconfig && !kubeconfig_load(a, r->kubeconfig, &config, problem, size)) {
    return false;
  }
  r->target = config.target;
  r->token = r->token ? r->token : config.token;
  if (r->against) {
    uplink_target named;
    if (!uplink_target_parse(&named, r->against)) {
      snprintf(problem, size, "--against wants a URL such as https://127.0.0.1:6443");
      return false;
    }
    r->target.tls = named.tls;
    memcpy(r->target.host, named.host, sizeof named.host);
    memcpy(r->target.port, named.port, sizeof named.port);
  } else {
    r->against = config.server;
  }
  r->target.insecure |= r->insecure;
  return true;
}

int cmd_replay(int argc, char **argv) {
  replay_args r = {0};
  int wrong = parse_args(argc, argv, &r);
  if (wrong) {
    return wrong - 1;
  }
  char problem[512];
  arena *a = arena_create();
  known_list *known = NULL;
  int code = 2;
  if (find_server(a, &r, problem, sizeof problem) &&
      (known = known_load(default_known(&r), problem, sizeof problem))) {
    code = replay(&r, argv + optind, (uint32_t)(argc - optind), known);
    known_destroy(known);
  } else {
    fprintf(stderr, "apisim replay: %s\n", problem);
  }
  arena_destroy(a);
  return code;
}
