/* The fork happens in a timer's turn, outside of libevent's loop: there the child can have a poll
 * set of its own before it gives anything back. The child says by a pipe where it listens. */
#include "sim/control/fork.h"

#include "base/heap.h"
#include "sim/control/internal.h"
#include "sim/live/live.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MS 10000
#define WORDS_MAX 640
#define KUBECONFIG_MAX 4096

typedef struct fork_call {
  control_call *call;
  timer timer;
  char kubeconfig[KUBECONFIG_MAX]; /* empty: none */
} fork_call;

/* ---- the child ---- */

/* Where the fork is reached; false with *problem. */
static bool listen_anew(control *k, uint32_t number, const char **problem) {
  env_acceptor acceptor = control_acceptor(k);
  bool is_unix = k->port < 0;
  if (!is_unix) k->port = 0;
  if (is_unix) {
    size_t room = sizeof k->address - strlen(k->address);
    snprintf(k->address + strlen(k->address), room, ".fork-%u", number);
  }
  if (!serving_listen_anew(k->serving, problem)) return false;
  if (!world_listen(k->serving->world, is_unix ? k->address : "127.0.0.1", &k->port, NULL,
                    &acceptor, problem)) return false;
  if (!is_unix) snprintf(k->address, sizeof k->address, "127.0.0.1:%d", k->port);
  return true;
}

static void say(int fd, const char *text) {
  for (size_t left = strlen(text); left;) {
    ssize_t n = write(fd, text, left);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text += n;
    left -= (size_t)n;
  }
}

/* Does not return: the stack above belongs to the parent's life. */
static void live_as_child(fork_call *f, pid_t parent, int pipe_end) {
  control *k = f->call->control;
  serving *s = k->serving;
  char words[WORDS_MAX];
  const char *problem = "its parent has gone";
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  world_forked(s->world);
  uint32_t number = k->forks.made;
  k->forks = (forks){0};
  if (s->live) live_forked(s->live);
  bool ok = getppid() == parent && listen_anew(k, number, &problem);
  if (ok && f->kubeconfig[0] && !serving_write_kubeconfig(s, f->kubeconfig)) {
    ok = false;
    problem = "can't write the kubeconfig";
  }
  if (ok) snprintf(words, sizeof words, "%s %s %d\n", s->url, k->address, s->http_port);
  else snprintf(words, sizeof words, "!%s\n", problem);
  say(pipe_end, words);
  close(pipe_end);
  if (!ok) _exit(1);
  world_drop_all(s->world);
  world_run(s->world);
  _exit(0);
}

/* ---- the parent ---- */

static bool read_words(int fd, char out[WORDS_MAX]) {
  size_t n = 0;
  struct pollfd p = {.fd = fd, .events = POLLIN};
  while (n < WORDS_MAX - 1 && !memchr(out, '\n', n)) {
    if (poll(&p, 1, ANSWER_MS) <= 0) break;
    ssize_t got = read(fd, out + n, WORDS_MAX - 1 - n);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    n += (size_t)got;
  }
  out[n] = '\0';
  return n && out[n - 1] == '\n';
}

static void forget_ended(forks *f) {
  for (uint32_t i = 0; i < f->count;) {
    bool ended = waitpid(f->items[i].pid, NULL, WNOHANG) != 0;
    if (ended) f->items[i] = f->items[--f->count];
    else i++;
  }
}

json_t *fork_list(forks *f) {
  json_t *list = json_array();
  forget_ended(f);
  for (uint32_t i = 0; i < f->count; i++) {
    const fork_info *one = &f->items[i];
    json_array_append_new(list, json_pack("{s:i, s:s, s:s}", "pid", one->pid, "url", one->url,
                                          "control", one->control));
  }
  return list;
}

static void answer(fork_call *f, pid_t pid, int pipe_end) {
  control *k = f->call->control;
  fork_info *one = &k->forks.items[k->forks.count];
  char words[WORDS_MAX] = "";
  int http_port = -1;
  bool told = read_words(pipe_end, words);
  *one = (fork_info){.pid = pid};
  if (!told || sscanf(words, "%127s %127s %d", one->url, one->control, &http_port) != 3) {
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    words[strcspn(words, "\n")] = '\0';
    control_fail(f->call, 500, "the fork did not come up%s%s", *words ? ": " : "",
                 *words == '!' ? words + 1 : words);
    return;
  }
  k->forks.count++;
  int64_t revision = store_revision(k->serving->server->store);
  json_t *o = json_pack("{s:s, s:s, s:i, s:I}", "url", one->url, "control", one->control, "pid",
                        (int)pid, "revision", (json_int_t)revision);
  if (http_port >= 0) json_object_set_new(o, "http_port", json_integer(http_port));
  if (f->kubeconfig[0]) json_object_set_new(o, "kubeconfig", json_string(f->kubeconfig));
  control_answer(f->call, o);
}

static void on_fork(void *ctx, int64_t now_ns) {
  fork_call *f = ctx;
  world *w = f->call->serving->world;
  int ends[2];
  if (world_is_skipping(w)) { /* in another command, on libevent's stack */
    timer_set(world_timers(w), &f->timer, now_ns + 1, on_fork, f);
    return;
  }
  pid_t parent = getpid(), pid = -1;
  fflush(NULL);
  f->call->control->forks.made++;
  bool piped = pipe2(ends, O_CLOEXEC) == 0;
  if (piped) pid = fork();
  if (pid == 0) live_as_child(f, parent, ends[1]);
  if (piped) close(ends[1]);
  if (pid > 0) answer(f, pid, ends[0]);
  else control_fail(f->call, 500, "can't fork: %s", strerror(errno));
  if (piped) close(ends[0]);
  heap_free(f);
}

void fork_run(control_call *c) {
  forks *known = &c->control->forks;
  slice path = control_param(c, "kubeconfig");
  forget_ended(known);
  if (known->count == FORKS_MAX) {
    control_fail(c, 409, "%u forks run already", known->count);
    return;
  }
  if (path.len >= KUBECONFIG_MAX || (path.len && memchr(path.ptr, 0, path.len))) {
    control_fail(c, 400, "kubeconfig is no path");
    return;
  }
  fork_call *f = heap_zalloc(sizeof *f);
  f->call = c;
  snprintf(f->kubeconfig, sizeof f->kubeconfig, "%.*s", SLICE_ARG(path));
  timer_set(world_timers(c->serving->world), &f->timer, world_env(c->serving->world)->mono_ns,
            on_fork, f);
}
