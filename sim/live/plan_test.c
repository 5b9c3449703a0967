/* Plans as text: what is read, what is refused, and that what is written reads the same again. */
#include "sim/live/plan.h"
#include "sim/live/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char whole[] =
    "seed: 1729\n"
    "apiservers: {a: {}, b: {lag: {rv: 12, time: 300ms}}}\n"
    "clients: {ctl: {match: {userAgent: \"manager/*\"}, server: a, command: [./bin/manager, \"7\"]}}\n"
    "faults:\n"
    "- name: intermediate and stale\n"
    "  on: {afterCommit: {verb: create, key: secrets/default/db-ca, n: 1}}\n"
    "  do: [{killClient: ctl}, {restartClient: ctl, server: b, after: 1s}]\n"
    "- on: {all: [{beforeDeliver: {client: ctl, resource: pods, type: [ADDED, MODIFIED]}},\n"
    "             {not: {step: 3}}]}\n"
    "  do: [{hold: until, until: {afterCommit: {verb: delete, resource: pods}}, coalesce: true}]\n"
    "- on: {every: 30s}\n"
    "  do: [{compact: keepLast 5}, {dropBookmarks: 0.5}, {reply: 429, retryAfter: 1, p: 0.02}]\n"
    "  times: 2\n"
    "scenario:\n"
    "- apply: {apiVersion: v1, kind: ConfigMap, metadata: {name: \"true\", labels: {n: \"1\"}}}\n"
    "- wait: {object: configmaps/default/x, field: data.v, is: {greaterThan: 3}}\n"
    "  settle: false\n"
    "oracles: [{quiesceWithin: 10m}, {endStateEqualsFaultFree: {mask: [\"**/uid\"]}}, {noFlap: 3},\n"
    "          noDuplicateCreate, {never: {afterCommit: {verb: delete}}}]\n";

static bool read_plan(arena *a, const char *text, live_plan *out, slice *problem) {
  node *tree = node_parse(a, slice_cstr(text), problem);
  return tree && live_plan_read(a, "f", tree, NULL, out, problem);
}

static void check_whole(const live_plan *p) {
  assert_int_equal(p->seed, 1729);
  assert_int_equal(p->server_count, 2);
  assert_int_equal(p->servers[1].lag_revisions, 12);
  assert_int_equal(p->servers[1].lag_ns, 300000000);
  assert_int_equal(p->clients[0].command.count, 2);
  assert_int_equal(p->fault_count, 3);
  assert_true(slice_is(p->faults[0].name, "intermediate and stale"));
  assert_true(slice_is(p->faults[1].name, "faults[1]"));
  assert_int_equal(p->faults[0].actions[1].duration_ns, 1000000000);
  assert_true(slice_is(p->faults[0].actions[1].server, "b"));
  const live_trigger *all = p->faults[1].on;
  assert_int_equal(all->op, TRIGGER_ALL);
  assert_int_equal(all->parts[0].match.types.count, 2);
  assert_int_equal(all->parts[1].op, TRIGGER_NOT);
  const live_action *hold = p->faults[1].actions;
  assert_true(hold->until && hold->number == 1 && hold->duration_ns == 0);
  assert_int_equal(p->faults[2].actions[0].number, 5);
  assert_true(p->faults[2].actions[1].p == 0.5 && p->faults[2].actions[2].p == 0.02);
  assert_int_equal(p->faults[2].times, 2);
  assert_int_equal(p->step_count, 2);
  assert_true(p->steps[0].settle && !p->steps[1].settle);
  assert_int_equal(p->oracle_count, 5);
  assert_int_equal(p->oracles[4].kind, ORACLE_NEVER);
}

static void a_plan_reads_and_writes_and_reads_the_same(void **state) {
  (void)state;
  arena *a = arena_create();
  live_plan p;
  slice problem = SLICE_NONE;
  if (!read_plan(a, whole, &p, &problem)) fail_msg("%.*s", SLICE_ARG(problem));
  check_whole(&p);
  buf first, second;
  buf_init(&first, 1 << 20);
  buf_init(&second, 1 << 20);
  node_write(&first, p.tree);
  buf_char(&first, '\0');
  if (!read_plan(a, first.ptr, &p, &problem)) fail_msg("%s\n%.*s", first.ptr, SLICE_ARG(problem));
  check_whole(&p);
  node_write(&second, p.tree);
  buf_char(&second, '\0');
  assert_string_equal(first.ptr, second.ptr);
  assert_non_null(strstr(first.ptr, "name: \"true\""));
  assert_non_null(strstr(first.ptr, "labels: {n: \"1\"}"));
  buf_dispose(&first);
  buf_dispose(&second);
  arena_destroy(a);
}

#define ON(trigger) "faults:\n- on: {" trigger "}\n  do: [{killClient: ctl}]\n"

static void what_is_wrong_is_told_by_line(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"a: &x [*x]\n", "line 1: nested too deeply"},
      {"faults:\n- on: {at: 1s}\n  do: [{hold: true, hold: 1s}]\n", "line 3: key \"hold\" stands twice"},
      {"quiesce: {quite: 1s}\n", "f:1: unknown key \"quite\" in quiesce"},
      {"clients: {scenario: {}}\n", "f:1: \"scenario\" is the scenario's own name"},
      {"oracles:\n- noFlap\n", "f:2: noFlap needs a value"},
      {"oracles:\n- {never: {not: {at: 1s}}}\n", "f:2: not stands only inside of all"},
      {"faults:\n- on: {any: []}\n  do: [{cut: true}]\n", "f:2: a list of triggers is wanted"},
      {"faults:\n- on: {at: 1s}\n  do: [{moveClient: ctl}]\n", "f:3: moveClient needs a server"},
      {"scenario:\n- wait: {object: pods/x}\n", "f:2: \"pods/x\" names no object"},
      {"seed: four\n", "f:1: seed: a number from 0 is wanted, not \"four\""},
      {"quiesce: {quiet: -1s}\n", "f:1: quiet: a duration like 1m30s is wanted, not \"-1s\""},
      {"quiesce: {quiet: [1s]}\n", "f:1: quiet: a duration like 1m30s is wanted, not a list"},
      {"swarm: 0\n", "f:1: swarm: a number from 1 is wanted, not \"0\""},
      {"swarm: {classes: [holdd]}\n", "f:1: no swarm class \"holdd\" (known: crash "},
      {"clients: {c: {command: ./a -v}}\n", "f:1: command is a list of words"},
      {ON("afterCommit: {verb: craete}"), "f:2: no verb \"craete\" here (known: create, update"},
      {ON("afterCommit: {verb: list}"), "f:2: no verb \"list\" here"},
      {ON("beforeDeliver: {verb: create}"), "f:2: no verb \"create\" here (known: watch)"},
      {ON("beforeReceive: {resource: pod}"), "f:2: no resource \"pod\": a plural is wanted"},
      {ON("beforeReceive: {key: pods/web}"), "f:2: \"pods/web\" names no object"},
      {ON("beforeReceive: {key: pod/default/w*}"), "f:2: no resource \"pod\""},
      {ON("beforeDeliver: {type: ADD}"), "f:2: no type \"ADD\" here (known: ADDED, MODIFIED,"},
      {ON("afterReceive: {status: oops}"), "f:2: a status is like 409 or 5*, not \"oops\""},
      {ON("afterCommit: {n: 2, everyNth: 3}"), "f:2: n is one time, everyNth and from are many"},
      {ON("afterCommit: {n: 0}"), "f:2: n: a number from 1 is wanted, not \"0\""},
      {ON("step: 0"), "f:2: step: a number from 1 is wanted"},
      {"faults:\n- on: {at: 1s}\n  do: [{duplicate: true}]\n",
       "f:3: duplicate can't be done at this trigger"},
      {"faults:\n- on: {any: [{at: 1s}, {afterCommit: {}}]}\n  do: [{duplicate: true}]\n",
       "f:3: duplicate can't be done at this trigger"},
      {"faults:\n- on: {afterCommit: {}}\n  do: [{coalesce: true}]\n",
       "f:3: coalesce can't be done at afterCommit"},
      {"oracles: [{noDuplicateCreate: false}]\n", "f:1: leave noDuplicateCreate out instead"},
      {"oracles: [{clientsAlive: {fail: [x]}}]\n", "f:1: clientsAlive is a word by itself"},
      {"oracles: [{sameCreateDeleteCounts: {mask: [x]}}]\n",
       "f:1: unknown key \"mask\" in sameCreateDeleteCounts (known: resources)"},
      {"oracles: [{lint: {fail: [storm]}}]\n", "f:1: no lint rule \"storm\" here (known: unhand"},
      {"scenario:\n- apply: {apiVersion: v1, kind: ConfigMapp}\n",
       "f:2: apiVersion \"v1\", kind \"ConfigMapp\" is no built-in kind"},
      {"scenario:\n- apply: {apiVersion: v1, kind: ConfigMap}\n",
       "f:2: the ConfigMap has no metadata.name"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    arena *a = arena_create();
    live_plan p;
    slice problem = SLICE_NONE;
    assert_false(read_plan(a, cases[i][0], &p, &problem));
    if (slice_find(problem, slice_cstr(cases[i][1])) < 0) {
      fail_msg("%s: %.*s", cases[i][1], SLICE_ARG(problem));
    }
    arena_destroy(a);
  }
}

static void steps_that_triggers_name_are_there(void **state) {
  (void)state;
  arena *a = arena_create();
  live_plan p;
  slice problem = SLICE_NONE;
  static const char text[] = "scenario: [{sleep: 1s}]\n" ON("any: [{at: 1s}, {step: 2}]");
  assert_true(read_plan(a, text, &p, &problem));
  assert_false(live_plan_steps_fit(a, "f", &p, &problem));
  assert_true(slice_is(problem, "f:3: there is no step 2: the scenario has 1"));
  arena_destroy(a);
}

static bool glob(const char *pattern, const char *text) {
  return live_glob(slice_cstr(pattern), slice_cstr(text));
}

static void words_have_wildcards(void **state) {
  (void)state;
  assert_true(glob("manager/*", "manager/1.2") && glob("*", "") && glob("a?c", "abc"));
  assert_true(glob("*a*b*", "xxaxxbxx") && glob("5*", "504"));
  assert_false(glob("a?c", "ac") || glob("", "x") || glob("*b", "abc"));
}

static void objects_have_names(void **state) {
  (void)state;
  arena *a = arena_create();
  live_target t;
  assert_true(live_target_of(a, SLICE_LIT("deployments.apps/default/web"), &t));
  assert_true(slice_is(t.namespace, "default") && slice_is(t.resource->group, "apps"));
  slice path = live_target_path(a, &t, SLICE_LIT("scale"));
  assert_true(slice_is(path, "/apis/apps/v1/namespaces/default/deployments/web/scale"));
  assert_true(live_target_of(a, SLICE_LIT("nodes/n1"), &t));
  assert_true(slice_is(live_target_path(a, &t, SLICE_NONE), "/api/v1/nodes/n1"));
  assert_false(live_target_of(a, SLICE_LIT("nodes/x/n1"), &t));
  assert_false(live_target_of(a, SLICE_LIT("pods/default/"), &t));
  assert_true(live_target_of_stored(SLICE_LIT("/registry/services/specs/default/web"), &t));
  assert_true(slice_is(live_target_key(a, &t), "services/default/web"));
  assert_true(live_target_of_stored(SLICE_LIT("/registry/services/endpoints/default/web"), &t));
  assert_true(slice_is(live_target_key(a, &t), "endpoints/default/web"));
  assert_false(live_target_of_stored(SLICE_LIT("/registry/ranges/serviceips"), &t));
  arena_destroy(a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_plan_reads_and_writes_and_reads_the_same),
      cmocka_unit_test(what_is_wrong_is_told_by_line),
      cmocka_unit_test(steps_that_triggers_name_are_there),
      cmocka_unit_test(words_have_wildcards),
      cmocka_unit_test(objects_have_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
