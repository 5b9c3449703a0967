/* Probes and lifecycle hooks: one handler each, and numbers that make sense. */
#include "registry/validation/pod_checks.h"

static void exec_check(pod_view *w, const path *p, const val *v) {
  need(w->errs, p, v, "command", "");
}

static void http_check(pod_view *w, const path *p, const val *v) {
  const val *headers = val_getc(v, "httpHeaders");
  path port = path_child(p, "port"), at = path_child(p, "httpHeaders");
  need(w->errs, p, v, "path", "");
  port_or_name(w->errs, &port, val_getc(v, "port"));
  choice_at(w->errs, p, v, "scheme", CHOICES("HTTP", "HTTPS"), false);
  EACH_ITEM(i, headers)
  text_check(w->errs, &at, TEXT_HTTP_HEADER_NAME, val_get_str(val_at(headers, i), "name"));
}

static void port_check(pod_view *w, const path *p, const val *v) {
  path port = path_child(p, "port");
  port_or_name(w->errs, &port, val_getc(v, "port"));
}

static void sleep_check(pod_view *w, const path *p, const val *v) {
  int64_t n = val_i64(val_getc(v, "seconds"));
  if (!w->has_grace || (n >= 0 && n <= w->grace)) return;
  field_invalid_int(w->errs, p, n,
                    "must be non-negative and less than terminationGracePeriodSeconds (%lld)",
                    (long long)w->grace);
}

static const struct {
  const char *key;
  void (*check)(pod_view *w, const path *p, const val *v);
} handlers[] = {{"exec", exec_check},
                {"httpGet", http_check},
                {"tcpSocket", port_check},
                {"grpc", port_check},
                {"sleep", sleep_check}};

static void handler_check(pod_view *w, const path *p, const val *holder) {
  int found = 0;
  for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
    const val *v = val_getc(holder, handlers[i].key);
    path at = path_child(p, handlers[i].key);
    if (!v) continue;
    if (found++)
      forbid(w->errs, p, handlers[i].key, "may not specify more than 1 handler type");
    else
      handlers[i].check(w, &at, v);
  }
  if (!found) require(w->errs, p, NULL, "must specify a handler type");
}

static bool probe_check(pod_view *w, const path *p, const val *probe) {
  static const char *const numbers[] = {"initialDelaySeconds", "timeoutSeconds",   "periodSeconds",
                                        "successThreshold",    "failureThreshold", NULL};
  const val *grace = val_getc(probe, "terminationGracePeriodSeconds");
  if (!probe) return false;
  handler_check(w, p, probe);
  nonnegative_all(w->errs, p, probe, numbers);
  if (grace && val_i64(grace) <= 0) {
    refuse_int(w->errs, p, "terminationGracePeriodSeconds", val_i64(grace),
               "must be greater than 0");
  }
  return true;
}

static void once_check(pod_view *w, const path *p, const val *probe) {
  int64_t n = val_i64(val_getc(probe, "successThreshold"));
  if (probe_check(w, p, probe) && n != 1)
    refuse_int(w->errs, p, "successThreshold", n, "must be 1");
}

static const char *const linux_signals[] = {
     "SIGABRT", "SIGALRM", "SIGBUS", "SIGCHLD", "SIGCLD", "SIGCONT", "SIGFPE", "SIGHUP",
     "SIGILL", "SIGINT", "SIGIO", "SIGIOT", "SIGKILL", "SIGPIPE", "SIGPOLL", "SIGPROF", "SIGPWR",
     "SIGQUIT", "SIGRTMAX", "SIGRTMAX-1", "SIGRTMAX-10", "SIGRTMAX-11", "SIGRTMAX-12",
     "SIGRTMAX-13", "SIGRTMAX-14", "SIGRTMAX-2", "SIGRTMAX-3", "SIGRTMAX-4", "SIGRTMAX-5",
     "SIGRTMAX-6", "SIGRTMAX-7", "SIGRTMAX-8", "SIGRTMAX-9", "SIGRTMIN", "SIGRTMIN+1",
     "SIGRTMIN+10", "SIGRTMIN+11", "SIGRTMIN+12", "SIGRTMIN+13", "SIGRTMIN+14", "SIGRTMIN+15",
     "SIGRTMIN+2", "SIGRTMIN+3", "SIGRTMIN+4", "SIGRTMIN+5", "SIGRTMIN+6", "SIGRTMIN+7",
     "SIGRTMIN+8", "SIGRTMIN+9", "SIGSEGV", "SIGSTKFLT", "SIGSTOP", "SIGSYS", "SIGTERM",
     "SIGTRAP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGUSR1", "SIGUSR2", "SIGVTALRM",
     "SIGWINCH", "SIGXCPU", "SIGXFSZ", NULL};
static const char *const windows_signals[] = {"SIGKILL", "SIGTERM", NULL};

static void stop_signal_check(pod_view *w, const path *p, const val *signal) {
  if (!signal) return;
  if (!w->has_os) {
    forbid(w->errs, p, "stopSignal", "may not be set for containers with empty `spec.os.name`");
    return;
  }
  const char *const *known = slice_is(w->os, "linux") ? linux_signals
                             : slice_is(w->os, "windows") ? windows_signals : NULL;
  slice name = val_str(signal);
  if (known && !one_of(name, known)) unsupported(w->errs, p, "stopSignal", name, known);
}

static void lifecycle_check(pod_view *w, const path *p, const val *v) {
  const val *start = val_getc(v, "postStart"), *stop = val_getc(v, "preStop");
  path at_start = path_child(p, "postStart"), at_stop = path_child(p, "preStop");
  if (start) handler_check(w, &at_start, start);
  if (stop) handler_check(w, &at_stop, stop);
  stop_signal_check(w, p, val_getc(v, "stopSignal"));
}

void container_probes_validate(pod_view *w, const path *p, const val *c) {
  const val *lifecycle = val_getc(c, "lifecycle"), *ready = val_getc(c, "readinessProbe");
  const val *grace = val_getc(ready, "terminationGracePeriodSeconds");
  path at_life = path_child(p, "lifecycle"), at_live = path_child(p, "livenessProbe"),
       at_ready = path_child(p, "readinessProbe"), at_start = path_child(p, "startupProbe");
  if (lifecycle) lifecycle_check(w, &at_life, lifecycle);
  once_check(w, &at_live, val_getc(c, "livenessProbe"));
  if (probe_check(w, &at_ready, ready) && grace) {
    refuse_int(w->errs, &at_ready, "terminationGracePeriodSeconds", val_i64(grace),
               "must not be set for readinessProbes");
  }
  once_check(w, &at_start, val_getc(c, "startupProbe"));
}
