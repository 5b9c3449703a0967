/* apisim exec [FLAGS] -- CMD...: a fresh server on a free port of 127.0.0.1, KUBECONFIG pointing
 * at it, CMD, and CMD's exit code. The server lives in this process; CMD is its child. */
#include "sim/commands.h"
#include "sim/live/serve_plan.h"
#include "sim/serve.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define OWN_ARGUMENTS 2

static int run_child(serving *s, const char *kubeconfig, char **command) {
  int status = 0;
  pid_t parent = getpid();
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(1);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    setenv("KUBECONFIG", kubeconfig, 1);
    execvp(command[0], command);
    fprintf(stderr, "apisim: can't run %s: %s\n", command[0], strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
  }
  if (child < 0) {
    fprintf(stderr, "apisim: can't fork: %s\n", strerror(errno));
    return 1;
  }
  world_watch_child(s->world, child, &status);
  world_run(s->world);
  if (waitpid(child, &status, WNOHANG) == 0) { /* we were told to stop before it did */
    kill(child, SIGTERM);
    waitpid(child, &status, 0);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int serve_and_run(flags *f, char **command) {
  serving s;
  char kubeconfig[64] = "/tmp/apisim-kubeconfig-XXXXXX";
  int code = 1;
  serve_plan plan;
  if (!serve_plan_prepare(&plan, f)) {
    flags_free(f);
    return 1;
  }
  bool ok = serving_start_with(&s, f, true, buf_slice(&plan.tokens)) && serve_plan_open(&plan, &s);
  int fd = ok ? mkstemp(kubeconfig) : -1;
  if (ok && fd < 0) fprintf(stderr, "apisim: can't make %s: %s\n", kubeconfig, strerror(errno));
  if (fd >= 0) {
    close(fd);
    if (serving_write_kubeconfig(&s, kubeconfig)) {
      code = run_child(&s, kubeconfig, command);
      if (!serving_save(&s) && code == 0) code = 1;
    }
    unlink(kubeconfig);
  }
  serve_plan_close(&plan, &s);
  serving_stop(&s);
  return code;
}

int cmd_exec(int argc, char **argv) {
  /* Ours in front, so that flags given win. */
  char **all = calloc((size_t)argc + OWN_ARGUMENTS + 1, sizeof(char *));
  if (!all) abort();
  char bind[] = "--bind-address=127.0.0.1", port[] = "--secure-port=0";
  int n = 0;
  all[n++] = argv[0];
  all[n++] = bind;
  all[n++] = port;
  for (int i = 1; i < argc; i++) all[n++] = argv[i];
  flags *f;
  int rest, code = 1;
  const char *problem;
  flags_result r = flags_parse(n, all, &f, &rest, &problem);
  if (r == FLAGS_HELP) {
    printf("usage: apisim exec [FLAGS of serve] -- CMD [ARGUMENTS]\n");
    code = 0;
  } else if (r == FLAGS_BAD) {
    fprintf(stderr, "Error: %s\n", problem);
  } else if (rest >= n) {
    fprintf(stderr, "apisim: exec needs a command behind --\n");
  } else {
    code = serve_and_run(f, all + rest);
    f = NULL;
  }
  flags_free(f);
  free(all);
  return code;
}
