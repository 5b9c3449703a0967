/* The child writes, says by a pipe how that went, and is gone without a look at the loop or at any
 * connection. The parent looks for its end now and then. */
#include "sim/control/snapshot_child.h"

#include "base/heap.h"
#include "sim/control/internal.h"
#include "sim/control/snapshot_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SMALL 2000 /* objects: some milliseconds */
#define LOOK_NS ((int64_t)2 * 1000000)

typedef struct saving {
  struct saving *next;
  control_call *call;
  timer timer;
  pid_t pid;
  int pipe;
  int64_t revision;
  char path[4096];
} saving;

static void answer(control_call *c, const char *path, int64_t revision, int64_t bytes) {
  control_answer(c, json_pack("{s:s, s:I, s:I}", "file", path, "revision", (json_int_t)revision,
                              "bytes", (json_int_t)bytes));
}

/* "141000000\n", or what went wrong. */
static void write_as_child(serving *s, const char *path, pid_t parent, int pipe_end) {
  char why[SNAPSHOT_WHY_MAX], words[SNAPSHOT_WHY_MAX + 2];
  int64_t bytes = 0;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  bool ok = snapshot_save(s, path, &bytes, why);
  int n = ok ? snprintf(words, sizeof words, "%lld", (long long)bytes)
             : snprintf(words, sizeof words, "!%s", why);
  ssize_t written = write(pipe_end, words, (size_t)n);
  _exit(ok && written == n ? 0 : 1);
}

static void finish(saving *v, bool ended) {
  control *k = v->call->control;
  char words[SNAPSHOT_WHY_MAX + 2] = "!the process that wrote it ended";
  char told[sizeof words] = "";
  ssize_t n = ended ? read(v->pipe, told, sizeof told - 1) : 0;
  if (n > 0) memcpy(words, told, sizeof told);
  for (saving **at = &k->savings; *at; at = &(*at)->next) {
    if (*at != v) continue;
    *at = v->next;
    break;
  }
  timer_clear(world_timers(k->serving->world), &v->timer);
  close(v->pipe);
  if (words[0] == '!') control_fail(v->call, 500, "%s", words + 1);
  else answer(v->call, v->path, v->revision, strtoll(words, NULL, 10));
  heap_free(v);
}

static void on_look(void *ctx, int64_t now_ns) {
  saving *v = ctx;
  pid_t ended = waitpid(v->pid, NULL, WNOHANG);
  if (ended == 0) {
    timer_set(world_timers(v->call->serving->world), &v->timer, now_ns + LOOK_NS, on_look, v);
  } else {
    finish(v, ended == v->pid);
  }
}

static void save_now(control_call *c, const char *path) {
  char why[SNAPSHOT_WHY_MAX];
  int64_t bytes = 0, revision = store_revision(c->serving->server->store);
  if (snapshot_save(c->serving, path, &bytes, why)) answer(c, path, revision, bytes);
  else control_fail(c, 500, "%s", why);
}

static bool is_small(const serving *s) {
  store_view *v = NULL;
  if (store_view_open(s->server->store, 0, &v) != STORE_OK) return true;
  bool small = store_view_count(v, SLICE_NONE, SLICE_NONE) <= SMALL;
  store_view_close(v);
  return small;
}

void snapshot_run(control_call *c, const char *path) {
  control *k = c->control;
  serving *s = c->serving;
  int ends[2];
  pid_t parent = getpid(), pid = -1;
  bool piped = !is_small(s) && pipe2(ends, O_CLOEXEC) == 0;
  fflush(NULL);
  if (piped) pid = fork();
  if (pid == 0) write_as_child(s, path, parent, ends[1]);
  if (piped) close(ends[1]);
  if (pid < 0) { /* small, or no room for another process: then clients wait */
    if (piped) close(ends[0]);
    save_now(c, path);
    return;
  }
  saving *v = heap_zalloc(sizeof *v);
  *v = (saving){.next = k->savings, .call = c, .pid = pid, .pipe = ends[0],
                .revision = store_revision(s->server->store)};
  snprintf(v->path, sizeof v->path, "%s", path);
  k->savings = v;
  timer_set(world_timers(s->world), &v->timer, world_env(s->world)->mono_ns + LOOK_NS, on_look, v);
}

void snapshot_children_end(control *k) {
  while (k->savings) {
    saving *v = k->savings;
    finish(v, waitpid(v->pid, NULL, 0) == v->pid);
  }
}
