/* Supervised clients: a process each, in a group of its own, with a kubeconfig whose token tells
 * whose requests are whose. They die with this process. */
#include "sim/live/engine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAMPLES 3
#define SAMPLE_NS ((int64_t)20 * 1000000)
#define STOP_TRIES 200 /* of 10 ms, until SIGKILL */

client_view *client_named(live *l, slice name) {
  for (uint32_t i = 0; i < l->plan->client_count; i++) {
    if (slice_eq(l->plan->clients[i].name, name)) return &l->clients[i];
  }
  return NULL;
}

static int index_of(const live *l, const client_view *c) { return (int)(c - l->clients); }

static bool write_kubeconfig(live *l, client_view *c) {
  char own[sizeof l->serving->token];
  snprintf(c->kubeconfig, sizeof c->kubeconfig, "%s/%.*s.kubeconfig", l->options.directory,
           SLICE_ARG(c->plan->name));
  memcpy(own, l->serving->token, sizeof own);
  snprintf(l->serving->token, sizeof l->serving->token, "%s", c->token);
  bool ok = serving_write_kubeconfig(l->serving, c->kubeconfig);
  memcpy(l->serving->token, own, sizeof own);
  return ok;
}

static void run(live *l, const client_view *c, pid_t parent) {
  const strlist *command = &c->plan->command;
  char log[640];
  char **argv = calloc(command->count + 1, sizeof *argv);
  if (!argv) _exit(126);
  for (uint32_t i = 0; i < command->count; i++) argv[i] = arena_cstr(l->arena, command->items[i]);
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  snprintf(log, sizeof log, "%s/%.*s.log", l->options.directory, SLICE_ARG(c->plan->name));
  int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (out < 0 || in < 0) _exit(126);
  dup2(in, 0);
  dup2(out, 1);
  dup2(out, 2);
  signal(SIGPIPE, SIG_DFL);
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  setenv("KUBECONFIG", c->kubeconfig, 1);
  setenv("APISIM_CLIENT", arena_cstr(l->arena, c->plan->name), 1);
  for (uint32_t i = 0; i < c->plan->env.count; i++) {
    putenv(arena_cstr(l->arena, c->plan->env.items[i]));
  }
  execvp(argv[0], argv);
  fprintf(stderr, "apisim: can't run %s: %s\n", argv[0], strerror(errno));
  _exit(errno == ENOENT ? 127 : 126);
}

bool child_start(live *l, client_view *c) {
  if (c->child == CHILD_RUNS || c->plan->command.count == 0 || !l->options.directory) return true;
  if (!c->kubeconfig[0] && !write_kubeconfig(l, c)) return false;
  pid_t parent = getpid(), pid = fork();
  if (pid == 0) run(l, c, parent);
  if (pid < 0) return false;
  setpgid(pid, pid);
  c->pid = pid;
  c->child = CHILD_RUNS;
  c->starts++;
  c->asked = false;
  c->resume_at_ns = 0;
  engine_record(l, RECORD_CLIENT, index_of(l, c), SLICE_LIT("start"), SLICE_LIT("-"), 0, 0,
                "pid %d, apiserver %.*s", (int)pid,
                SLICE_ARG(l->plan->servers[c->server].name));
  engine_active(l, "the start of", index_of(l, c), SLICE_NONE);
  return true;
}

void child_kill(live *l, client_view *c, bool by_fault) {
  if (c->child != CHILD_RUNS) return;
  kill(-c->pid, SIGKILL);
  waitpid(c->pid, NULL, 0);
  c->child = by_fault ? CHILD_KILLED : CHILD_STOPPED;
  engine_record(l, RECORD_CLIENT, index_of(l, c), SLICE_LIT("kill"), SLICE_LIT("-"), 0, 0,
                "pid %d", c->pid);
}

void child_pause(live *l, client_view *c, int64_t ns) {
  if (c->child != CHILD_RUNS) return;
  kill(-c->pid, SIGSTOP);
  c->resume_at_ns = real_ns() + (ns ? ns : (int64_t)1000000000);
  (void)l;
}

/* R or D in the state of a thread, behind the name in parentheses. */
static bool thread_works(int pid, const char *thread) {
  char path[320], text[512];
  snprintf(path, sizeof path, "/proc/%d/task/%s/stat", pid, thread);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  text[n > 0 ? n : 0] = '\0';
  const char *end = strrchr(text, ')');
  return end && (end[2] == 'R' || end[2] == 'D');
}

bool child_works(client_view *c) {
  char path[64];
  int64_t now = real_ns();
  if (c->child != CHILD_RUNS) return false;
  if (now - c->sampled_ns < SAMPLE_NS) return c->idle_samples < SAMPLES;
  if (now - c->sampled_ns > SAMPLES * 4 * SAMPLE_NS) c->idle_samples = 0; /* a new look */
  c->sampled_ns = now;
  c->idle_samples++;
  snprintf(path, sizeof path, "/proc/%d/task", c->pid);
  DIR *threads = opendir(path);
  for (struct dirent *d; threads && (d = readdir(threads));) {
    if (d->d_name[0] != '.' && thread_works(c->pid, d->d_name)) c->idle_samples = 0;
  }
  if (threads) closedir(threads);
  return c->idle_samples < SAMPLES;
}

static void ended(live *l, client_view *c, int status) {
  char how[96];
  if (WIFEXITED(status)) snprintf(how, sizeof how, "exit code %d", WEXITSTATUS(status));
  else snprintf(how, sizeof how, "signal %d", WTERMSIG(status));
  engine_record(l, RECORD_CLIENT, index_of(l, c), SLICE_LIT("ended"), SLICE_LIT("-"), 0, 0, "%s",
                how);
  c->child = CHILD_DIED;
  if (c->plan->restart == RESTART_ALWAYS) {
    child_start(l, c);
    return;
  }
  if (!l->died[0]) {
    snprintf(l->died, sizeof l->died, "client %.*s ended by itself: %s (its output: %s/%.*s.log)",
             SLICE_ARG(c->plan->name), how, l->options.directory, SLICE_ARG(c->plan->name));
  }
}

void child_poll(live *l) {
  for (uint32_t i = 0; i < l->plan->client_count; i++) {
    client_view *c = &l->clients[i];
    int status = 0;
    if (c->child != CHILD_RUNS) continue;
    if (c->resume_at_ns && (l->healed || c->resume_at_ns <= real_ns())) {
      kill(-c->pid, SIGCONT);
      c->resume_at_ns = 0;
    }
    if (waitpid(c->pid, &status, WNOHANG) == c->pid) ended(l, c, status);
  }
}

bool live_start_clients(live *l, char *problem, size_t size) {
  for (uint32_t i = 0; i < l->plan->client_count; i++) {
    if (child_start(l, &l->clients[i])) continue;
    snprintf(problem, size, "can't start client %.*s: %s",
             SLICE_ARG(l->plan->clients[i].name), strerror(errno));
    return false;
  }
  return true;
}

/* SIGTERM, then SIGKILL for what does not go. */
void live_stop_clients(live *l) {
  for (uint32_t i = 0; i < l->plan->client_count; i++) {
    client_view *c = &l->clients[i];
    if (c->child == CHILD_RUNS) kill(-c->pid, SIGKILL);
  }
  for (uint32_t i = 0; i < l->plan->client_count; i++) {
    client_view *c = &l->clients[i];
    if (c->child == CHILD_RUNS) waitpid(c->pid, NULL, 0);
    c->child = CHILD_STOPPED;
  }
}

bool live_start_client(live *l, slice name) {
  client_view *c = client_named(l, name);
  return c && child_start(l, c);
}

bool live_stop_client(live *l, slice name) {
  client_view *c = client_named(l, name);
  if (!c || c->child != CHILD_RUNS) return false;
  kill(-c->pid, SIGTERM);
  for (int i = 0; i < STOP_TRIES && c->child == CHILD_RUNS; i++) {
    if (waitpid(c->pid, NULL, WNOHANG) == c->pid) c->child = CHILD_STOPPED;
    else usleep(10000);
  }
  child_kill(l, c, false);
  return true;
}
