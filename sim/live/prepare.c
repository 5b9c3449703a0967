/* What a session looks at before its first run: that the plan's words mean something together, and
 * that nobody else works in its folder. */
#include "sim/live/session_state.h"

#include "sim/flags.h"
#include "sim/live/swarm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static bool make_directory(const char *path) {
  char part[512];
  for (const char *p = path; *p; p++) {
    if (*p != '/' || p == path) continue;
    snprintf(part, sizeof part, "%.*s", (int)(p - path), path);
    mkdir(part, 0777);
  }
  return mkdir(path, 0777) == 0 || errno == EEXIST;
}

/* Two sessions in one folder would hand their clients each other's kubeconfig. The lock is held to
 * the end of the process. */
static bool lock_folder(const session *s) {
  char path[600];
  snprintf(path, sizeof path, "%s/lock", s->work);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) {
    fprintf(stderr, "apisim: can't write to %s: %s\n", s->work, strerror(errno));
    return false;
  }
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
  close(fd);
  fprintf(stderr, "apisim: another session works in %s: give --out another directory\n", s->o->out);
  return false;
}

bool session_open_folder(session *s) {
  snprintf(s->work, sizeof s->work, "%s/work", s->o->out);
  if (make_directory(s->work)) return lock_folder(s);
  fprintf(stderr, "apisim: can't make %s: %s\n", s->work, strerror(errno));
  return false;
}

/* --classes: in place of those that the plan's swarm may draw from. */
static bool draw_only(session *s, node *tree, slice *problem) {
  node *swarm = tree->kind == NODE_MAP ? node_get(tree, "swarm") : NULL;
  if (!swarm) {
    *problem = arena_printf(s->a, "%s: --classes needs a plan with `swarm`", s->o->file);
    return false;
  }
  node *list = node_list(s->a), *drawn = node_map(s->a);
  list->line = drawn->line = swarm->line;
  slice part, rest = slice_cstr(s->o->classes);
  for (bool more = true; more;) {
    more = slice_cut(rest, ',', &part, &rest);
    if (part.len == 0) continue;
    if (!live_swarm_has(part)) {
      *problem = arena_printf(s->a, "--classes: no swarm class \"%.*s\" (known:%.*s)",
                              SLICE_ARG(part), SLICE_ARG(live_swarm_classes(s->a)));
      return false;
    }
    node_append(s->a, list, node_scalar(s->a, part));
  }
  node *max = swarm->kind == NODE_MAP ? node_get(swarm, "max") : swarm;
  if (max) node_set(s->a, drawn, "max", max);
  node_set(s->a, drawn, "classes", list);
  node_set(s->a, tree, "swarm", drawn);
  return true;
}

/* Flags that a run gives itself: another value would be lost. */
static const char *const own_flags[] = {"bind-address", "secure-port", "seed", "clock", "plan",
                                        "control", "etcd-servers"};

static bool flags_fit(session *s, slice *problem) {
  const strlist *given = &s->plan.serve_flags;
  char **argv = ARENA_ARRAY(s->a, char *, given->count + 2);
  argv[0] = arena_cstr(s->a, SLICE_LIT("live"));
  for (uint32_t i = 0; i < given->count; i++) {
    argv[i + 1] = arena_cstr(s->a, given->items[i]);
  }
  flags *f;
  int rest;
  const char *why;
  slice at = arena_printf(s->a, "%s:%d: serve", s->o->file, s->plan.serve_line);
  if (flags_parse((int)given->count + 1, argv, &f, &rest, &why) != FLAGS_OK) {
    *problem = arena_printf(s->a, "%.*s: %s", SLICE_ARG(at), why);
  }
  for (size_t i = 0; !problem->ptr && i < sizeof own_flags / sizeof own_flags[0]; i++) {
    if (!flags_given(f, own_flags[i])) continue;
    *problem = arena_printf(s->a, "%.*s: --%s is the run's own%s", SLICE_ARG(at), own_flags[i],
                            strcmp(own_flags[i], "etcd-servers") == 0
                                ? ": each begins with a fresh embedded store" : "");
  }
  flags_free(f);
  return !problem->ptr;
}

bool session_read_plan(session *s, node **tree, slice *problem) {
  const session_options *o = s->o;
  if (!live_plan_load(s->a, o->file, tree, problem)) return false;
  if (o->seeds_set && (*tree)->kind == NODE_MAP) {
    node_set(s->a, *tree, "seed", node_int(s->a, (int64_t)o->seed_first));
  }
  return (!o->classes || draw_only(s, *tree, problem)) &&
         live_plan_read(s->a, o->file, *tree, o->command, &s->plan, problem) &&
         live_plan_steps_fit(s->a, o->file, &s->plan, problem) && flags_fit(s, problem);
}
