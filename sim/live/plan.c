/* The plan's outer keys: seed, clock, apiservers, clients, faults. */
#include "sim/live/plan.h"

#include "sim/file.h"
#include "sim/live/inline.h"
#include "sim/live/reader.h"
#include "sim/live/swarm.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>

#define PLAN_MAX ((size_t)4 << 20)
#define QUIET_NS ((int64_t)500 * 1000000)
#define CONVERGE_NS ((int64_t)12 * 1000000000) /* above what clients back off for */
#define WITHIN_NS ((int64_t)30 * 1000000000)

static bool server_lag(reader *r, const node *n, void *out) {
  static const field_row rows[] = {
      ROW("rv", F_INT, live_server, lag_revisions),
      ROW("time", F_DURATION, live_server, lag_ns),
  };
  return reader_map(r, n, "lag", rows, sizeof rows / sizeof rows[0], out);
}

static bool read_servers(reader *r, const node *n) {
  static const field_row rows[] = {
      ROW_CUSTOM("lag", server_lag),
      ROW("frozen", F_BOOL, live_server, frozen),
  };
  if (n && n->kind != NODE_MAP) {
    return reader_fail(r, n->line, "apiservers is a map of names");
  }
  uint32_t count = n && n->count ? n->count : 1;
  live_server *servers = ARENA_ARRAY(r->a, live_server, count);
  r->plan->servers = servers;
  r->plan->server_count = count;
  if (!n || n->count == 0) servers[0].name = SLICE_LIT("a");
  for (uint32_t i = 0; n && i < n->count; i++) {
    servers[i].name = n->keys[i];
    servers[i].line = n->items[i]->line;
    bool bare = n->items[i]->kind == NODE_SCALAR && n->items[i]->text.len == 0;
    if (!bare && !reader_map(r, n->items[i], "an apiserver", rows,
                             sizeof rows / sizeof rows[0], &servers[i])) return false;
  }
  return true;
}

static bool client_match(reader *r, const node *n, void *out) {
  static const field_row rows[] = {
      ROW("userAgent", F_TEXT, live_client, user_agent),
      ROW("user", F_TEXT, live_client, user),
      ROW("certificate", F_TEXT, live_client, certificate),
  };
  return reader_map(r, n, "match", rows, sizeof rows / sizeof rows[0], out);
}

static bool client_server(reader *r, const node *n, void *out) {
  return reader_server(r, n, &((live_client *)out)->server);
}

static bool client_env(reader *r, const node *n, void *out) {
  live_client *c = out;
  if (n->kind != NODE_MAP) return reader_fail(r, n->line, "env is a map of words");
  slice *items = ARENA_ARRAY(r->a, slice, n->count + 1);
  for (uint32_t i = 0; i < n->count; i++) {
    if (n->items[i]->kind != NODE_SCALAR) {
      return reader_fail(r, n->items[i]->line, "env is a map of words");
    }
    items[i] = arena_printf(r->a, "%.*s=%.*s", SLICE_ARG(n->keys[i]),
                            SLICE_ARG(n->items[i]->text));
  }
  c->env = (strlist){n->count, items};
  return true;
}

static bool client_restart(reader *r, const node *n, void *out) {
  static const char *const words[] = {"onFault", "always", "never"};
  for (int i = 0; i < 3; i++) {
    if (n->kind != NODE_SCALAR || !slice_is(n->text, words[i])) continue;
    ((live_client *)out)->restart = (restart_policy)i;
    return true;
  }
  return reader_fail(r, n->line, "restart is onFault, always or never");
}

static bool client_command(reader *r, const node *n, void *out) {
  bool line = n->kind == NODE_SCALAR && slice_find_char(n->text, ' ') >= 0;
  if (line) {
    return reader_fail(r, n->line, "command is a list of words, like [./controller, --flag], or "
                       "[sh, -c, \"...\"]");
  }
  return reader_list(r, n, &((live_client *)out)->command);
}

static const field_row client_rows[] = {
    ROW_CUSTOM("match", client_match),     ROW_CUSTOM("server", client_server),
    ROW_CUSTOM("command", client_command), ROW_CUSTOM("env", client_env),
    ROW_CUSTOM("restart", client_restart),
};

static void take_command(reader *r, live_client *c, char **argv) {
  uint32_t n = 0;
  while (argv[n]) n++;
  slice *items = ARENA_ARRAY(r->a, slice, n + 1);
  for (uint32_t i = 0; i < n; i++) items[i] = slice_cstr(argv[i]);
  c->command = (strlist){n, items};
}

/* The command of the command line is the first client's. */
static bool read_clients(reader *r, const node *n, char **command) {
  if (n && n->kind != NODE_MAP) return reader_fail(r, n->line, "clients is a map of names");
  uint32_t count = n && n->count ? n->count : 1;
  live_client *clients = ARENA_ARRAY(r->a, live_client, count);
  r->plan->clients = clients;
  r->plan->client_count = count;
  if (!n || n->count == 0) clients[0].name = SLICE_LIT("ctl");
  for (uint32_t i = 0; n && i < n->count; i++) {
    clients[i].name = n->keys[i];
    clients[i].line = n->items[i]->line;
    if (slice_is(n->keys[i], "scenario")) {
      return reader_fail(r, n->items[i]->line, "\"scenario\" is the scenario's own name");
    }
    bool bare = n->items[i]->kind == NODE_SCALAR && n->items[i]->text.len == 0;
    if (!bare && !reader_map(r, n->items[i], "a client", client_rows,
                             sizeof client_rows / sizeof client_rows[0], &clients[i])) {
      return false;
    }
  }
  if (command && command[0]) take_command(r, &clients[0], command);
  return true;
}

static bool fault_on(reader *r, const node *n, void *out) {
  return read_trigger(r, n, &((live_fault *)out)->on);
}

static bool fault_do(reader *r, const node *n, void *out) {
  live_fault *f = out;
  return read_actions(r, n, &f->actions, &f->action_count);
}

static bool read_fault(reader *r, const node *n, live_fault *f) {
  static const field_row rows[] = {
      ROW("name", F_TEXT, live_fault, name),
      ROW_CUSTOM("on", fault_on),
      ROW_CUSTOM("do", fault_do),
      ROW("times", F_COUNT, live_fault, times),
  };
  f->line = n->line;
  if (!reader_map(r, n, "a fault", rows, sizeof rows / sizeof rows[0], f)) return false;
  if (!f->on || !f->actions) {
    return reader_fail(r, n->line, "a fault needs \"on\" and \"do\"");
  }
  return check_actions(r, f);
}

static bool read_faults(reader *r, const node *n) {
  if (n->kind != NODE_LIST) return reader_fail(r, n->line, "faults is a list");
  if (n->count > LIVE_FAULTS_MAX) return reader_fail(r, n->line, "too many faults");
  live_fault *faults = ARENA_ARRAY(r->a, live_fault, n->count + 1);
  r->plan->faults = faults;
  r->plan->fault_count = n->count;
  for (uint32_t i = 0; i < n->count; i++) {
    faults[i].name = arena_printf(r->a, "faults[%u]", i);
    if (!read_fault(r, n->items[i], &faults[i])) return false;
  }
  return true;
}

static bool read_quiesce(reader *r, const node *n) {
  static const field_row rows[] = {
      ROW("quiet", F_DURATION, live_quiesce, quiet_ns),
      ROW("within", F_DURATION, live_quiesce, within_ns),
      ROW("ignore", F_LIST, live_quiesce, ignore),
      ROW("ignoreReads", F_BOOL, live_quiesce, ignore_reads),
      ROW("catchUp", F_BOOL, live_quiesce, catch_up),
      ROW("converge", F_DURATION, live_quiesce, converge_ns),
  };
  return reader_map(r, n, "quiesce", rows, sizeof rows / sizeof rows[0], &r->plan->quiesce);
}

static bool read_swarm(reader *r, const node *n) {
  static const field_row rows[] = {
      ROW("max", F_COUNT, live_swarm, max),
      ROW("classes", F_LIST, live_swarm, classes),
  };
  r->plan->swarm = (live_swarm){.set = true, .max = 3};
  live_swarm *s = &r->plan->swarm;
  if (n->kind == NODE_SCALAR) return reader_count(r, n, &s->max);
  if (!reader_map(r, n, "swarm", rows, sizeof rows / sizeof rows[0], s)) return false;
  for (uint32_t i = 0; i < s->classes.count; i++) {
    if (live_swarm_has(s->classes.items[i])) continue;
    return reader_fail(r, n->line, "no swarm class \"%.*s\" (known:%.*s)",
                       SLICE_ARG(s->classes.items[i]), SLICE_ARG(live_swarm_classes(r->a)));
  }
  return true;
}

static bool read_clock(reader *r, const node *n) {
  r->plan->virtual_clock = n->kind == NODE_SCALAR && slice_is(n->text, "virtual");
  return r->plan->virtual_clock || (n->kind == NODE_SCALAR && slice_is(n->text, "real")) ||
         reader_fail(r, n->line, "clock is real or virtual");
}

static bool read_seed(reader *r, const node *n) {
  int64_t seed = 0;
  if (!reader_int(r, n, &seed)) return false;
  r->plan->seed = (uint64_t)seed;
  r->plan->seed_set = true;
  return true;
}

static bool read_serve(reader *r, const node *n) {
  r->plan->serve_line = n->line;
  return reader_list(r, n, &r->plan->serve_flags);
}

/* In this order, because later parts name what earlier ones declare. */
static const struct {
  const char *key;
  bool (*read)(reader *r, const node *n);
} part_rows[] = {
    {"seed", read_seed},       {"clock", read_clock},   {"apiservers", NULL},
    {"clients", NULL},         {"scenario", read_steps}, {"faults", read_faults},
    {"oracles", read_oracles}, {"quiesce", read_quiesce}, {"swarm", read_swarm},
    {"serve", read_serve},
};
#define PARTS (sizeof part_rows / sizeof part_rows[0])

static bool known_parts(reader *r, const node *tree) {
  if (tree->kind != NODE_MAP) return reader_fail(r, tree->line, "a plan is a map");
  for (uint32_t i = 0; i < tree->count; i++) {
    bool known = false;
    for (size_t k = 0; k < PARTS; k++) known = known || slice_is(tree->keys[i], part_rows[k].key);
    if (!known) {
      return reader_fail(r, tree->items[i]->line, "unknown key \"%.*s\" in a plan (known: seed, "
                         "clock, apiservers, clients, scenario, faults, oracles, quiesce, swarm, "
                         "serve)", SLICE_ARG(tree->keys[i]));
    }
  }
  return true;
}

bool live_plan_read(arena *a, const char *file, node *tree, char **command, live_plan *out,
                    slice *problem) {
  static const slice ignored[] = {{"leases.coordination.k8s.io", 26}, {"events", 6},
                                  {"events.events.k8s.io", 20}};
  *out = (live_plan){.tree = tree,
                     .quiesce = {QUIET_NS, WITHIN_NS, {3, ignored}, false, true,
                                 CONVERGE_NS}};
  *problem = SLICE_NONE;
  reader r = {.a = a, .file = file, .problem = problem, .plan = out};
  if (!known_parts(&r, tree)) return false;
  const node *clock = node_get(tree, "clock");
  if (clock && !read_clock(&r, clock)) return false;
  if (!read_servers(&r, node_get(tree, "apiservers"))) return false;
  if (!read_clients(&r, node_get(tree, "clients"), command)) return false;
  for (size_t k = 0; k < PARTS; k++) {
    const node *n = node_get(tree, part_rows[k].key);
    r.key = slice_cstr(part_rows[k].key);
    if (n && part_rows[k].read && !part_rows[k].read(&r, n)) return false;
  }
  out->trigger_count = r.next_trigger;
  return true;
}

/* "line 3: ..." of this file. */
static slice located(arena *a, const char *file, slice why) {
  slice line, rest;
  bool told = slice_has_prefix(why, SLICE_LIT("line ")) &&
              slice_cut(slice_from(why, 5), ':', &line, &rest);
  if (!told) return arena_printf(a, "%s: %.*s", file, SLICE_ARG(why));
  return arena_printf(a, "%s:%.*s:%.*s", file, SLICE_ARG(line), SLICE_ARG(rest));
}

bool live_plan_load(arena *a, const char *file, node **tree, slice *problem) {
  *problem = SLICE_NONE;
  slice text, why = SLICE_NONE;
  const char *unread = file_read(a, file, PLAN_MAX, &text);
  if (unread) {
    *problem = arena_printf(a, "can't read %s: %s", file, unread);
    return false;
  }
  *tree = node_parse(a, text, &why);
  char *copy = arena_cstr(a, slice_cstr(file));
  if (*tree && live_plan_inline(a, dirname(copy), *tree, &why)) return true;
  *problem = located(a, file, why);
  return false;
}

bool live_fault_read(arena *a, const live_plan *p, slice text, uint32_t *next_id, live_fault *out,
                     slice *problem) {
  node *tree = node_parse(a, text, problem);
  if (!tree) return false;
  live_plan copy = *p;
  reader r = {.a = a, .file = "fault", .problem = problem, .plan = &copy,
              .next_trigger = *next_id};
  *out = (live_fault){.name = arena_printf(a, "added %u", *next_id)};
  bool ok = read_fault(&r, tree, out);
  *next_id = r.next_trigger;
  return ok;
}
