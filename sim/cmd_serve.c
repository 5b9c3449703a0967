/* apisim serve: the server until a signal. */
#include "sim/commands.h"
#include "sim/live/serve_plan.h"
#include "sim/serve.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

int cmd_serve(int argc, char **argv) {
  flags *f;
  int rest;
  const char *problem;
  flags_result r = flags_parse(argc, argv, &f, &rest, &problem);
  if (r != FLAGS_OK) {
    if (r == FLAGS_BAD) fprintf(stderr, "Error: %s\n", problem);
    if (r == FLAGS_HELP) flags_print_help("kube-apiserver");
    if (r == FLAGS_VERSION_ASKED) printf("Kubernetes %s\n", FLAGS_KUBERNETES_VERSION);
    flags_free(f);
    return r == FLAGS_BAD ? 1 : 0;
  }
  int parent = getppid();
  if (flags_bool(f, "exit-with-parent")) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) return 0;
  }
  serving s;
  const char *kubeconfig = flags_str(f, "kubeconfig-out");
  serve_plan plan;
  if (!serve_plan_prepare(&plan, f)) {
    flags_free(f);
    return 1;
  }
  bool token = kubeconfig || plan.wanted;
  bool ok = serving_start_with(&s, f, token, buf_slice(&plan.tokens));
  if (ok && kubeconfig) ok = serving_write_kubeconfig(&s, kubeconfig);
  if (ok && serve_plan_open(&plan, &s)) {
    serving_announce(&s);
    world_run(s.world);
    ok = serving_save(&s);
  }
  serve_plan_close(&plan, &s);
  serving_stop(&s);
  return ok ? 0 : 1;
}
