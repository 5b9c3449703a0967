/* The mirror: the contract and the random model over a remote in memory; then what only it must
 * do: lost answers, lag, conflicts, compaction behind its back, deadlines, consistent reads. */
#include "base/heap.h"
#include "store/contract.h"
#include "store/contract_case.h"
#include "store/mirror.h"
#include "store/remote_memory.h"

#include <stdio.h>

#define STACK ((size_t)4 << 20)
#define MS ((int64_t)1000000)
#define S ((int64_t)1000000000)

/* One world: a clock that stands until nothing is left to do at its time. */
typedef struct world {
  env env;
  timers timers;
  fiber_pool *fibers;
  store *data;
  remote *remote;
  store *store;
  void (*run)(struct world *w);
  bool over;
} world;

static world w;

static void world_begin(void) {
  w = (world){.env.mono_ns = S};
  timers_init(&w.timers);
  w.fibers = fiber_pool_create(STACK);
}

static void turn(void) {
  int64_t next = timers_next(&w.timers);
  assert_true(next < INT64_MAX); /* else nothing will ever happen */
  if (next > w.env.mono_ns) w.env.mono_ns = next;
  while (timers_fire_one(&w.timers, w.env.mono_ns)) {
  }
}

static void on_fiber(void *ctx) {
  (void)ctx;
  w.run(&w);
  w.over = true;
}

static void world_run(void (*run)(world *w)) {
  w.run = run;
  w.over = false;
  fiber_run(w.fibers, on_fiber, NULL);
  while (!w.over) turn();
}

static void settle(int64_t ns) { /* on a fiber */
  store_wait_revision(w.store, INT64_MAX, ns);
}

static store *make_with(uint32_t past) {
  w.data = store_memory_create(5);
  w.remote = remote_memory_create(w.data, &w.env, &w.timers);
  mirror_options o = {.remote = w.remote, .env = &w.env, .timers = &w.timers, .fibers = w.fibers,
                      .remote_prefix = SLICE_LIT("/there/"), .past = past};
  w.store = mirror_create(&o);
  return w.store;
}

static void until_ready(void) {
  slice why;
  while (!store_is_ready(w.store, &why)) settle(MS);
}

static store *make(void) { /* the one before may still have a store behind it */
  store *before = w.data;
  make_with(0);
  store_destroy(before);
  until_ready();
  return w.store;
}

static int failures;
static void contract(world *x) {
  (void)x;
  failures = store_contract_run(make);
  store_destroy(w.data);
  w.data = NULL;
}

static void random_models(world *x) {
  (void)x;
  for (uint64_t seed = 1; seed <= 10 && !failures; seed++) {
    failures = store_contract_random(make, seed, 1500);
  }
  store_destroy(w.data);
  w.data = NULL;
}

static void random_model(void **state) {
  (void)state;
  world_run(random_models);
  assert_int_equal(failures, 0);
}

/* ---- cases of its own ---- */

typedef struct mirror_case {
  void (*run)(world *w);
  uint32_t past;
} mirror_case;
static const mirror_case *current;

static void case_main(world *x) {
  make_with(current->past);
  until_ready();
  current->run(x);
  store_destroy(w.store);
  store_destroy(w.data);
  w.data = NULL;
}

static void case_run(void **state) {
  current = *state;
  world_run(case_main);
}

static remote_memory_knobs *knobs(void) { return remote_memory_knobs_of(w.remote); }

static void there(const char *key, const char *value) { /* another client writes */
  blob *b = blob_copy(slice_cstr(value));
  char full[64];
  int n = snprintf(full, sizeof full, "/there/%s", key);
  store_entry *e = NULL;
  slice k = slice_of(full, (size_t)n);
  if (store_get(w.data, k, 0, &e) == STORE_OK) {
    assert_int_equal(store_update(w.data, k, e->mod_revision, b, NULL), STORE_OK);
    store_entry_unref(e);
  } else {
    assert_int_equal(store_create(w.data, k, b, NULL), STORE_OK);
  }
  blob_unref(b);
}

static void there_gone(const char *key) {
  char full[64];
  int n = snprintf(full, sizeof full, "/there/%s", key);
  store_entry *e = NULL;
  assert_int_equal(store_get(w.data, slice_of(full, (size_t)n), 0, &e), STORE_OK);
  assert_int_equal(store_delete(w.data, store_entry_key(e), e->mod_revision, NULL, NULL),
                   STORE_OK);
  store_entry_unref(e);
}

static store_result create(const char *key, const char *value, store_entry **out) {
  blob *b = blob_copy(slice_cstr(value));
  store_result r = store_create(w.store, slice_cstr(key), b, out);
  blob_unref(b);
  return r;
}

static void a_lost_answer_is_found_out(world *x) {
  (void)x;
  store_entry *e = NULL;
  knobs()->lose_answers = 1;
  assert_int_equal(create("/a", "1", &e), STORE_OK);
  assert_int_equal(e->mod_revision, store_revision(w.data));
  assert_int_equal(e->version, 1);
  assert_int_equal(mirror_figures_read(w.store).decided, 1);
  knobs()->lose_answers = 3;
  int64_t r = put_over(w.store, "/a", "2");
  assert_int_equal(r, store_revision(w.data));
  check_value(w.store, "/a", 0, "2");
  store_entry_unref(e);
}

static void a_lost_request_is_sent_again(world *x) {
  (void)x;
  put_new(w.store, "/a", "1");
  knobs()->lose_requests = 2;
  int64_t before = store_revision(w.data);
  assert_int_equal(put_over(w.store, "/a", "2"), before + 1);
  assert_int_equal(store_revision(w.data), before + 1);
}

static void a_late_request_happens_once(world *x) {
  (void)x;
  for (int i = 0; i < 40; i++) { /* before and after the second attempt */
    char key[16], value[16];
    snprintf(key, sizeof key, "/k%d", i);
    snprintf(value, sizeof value, "%d", i);
    put_new(w.store, key, "0");
    knobs()->late = 1;
    knobs()->late_ns = i * MS;
    int64_t before = store_revision(w.data);
    assert_int_equal(put_over(w.store, key, value), before + 1);
    settle(S);
    assert_int_equal(store_revision(w.data), before + 1);
  }
}

/* The key can be absent twice, so a creation is sent once: what is not seen is not known. */
static void a_lost_creation_is_not_sent_again(world *x) {
  (void)x;
  knobs()->lose_requests = 1;
  int64_t before = store_revision(w.data);
  assert_int_equal(create("/a", "1", NULL), STORE_UNKNOWN);
  assert_true(slice_is(store_problem(w.store), "connection reset"));
  settle(S);
  assert_int_equal(store_revision(w.data), before);
  for (int i = 0; i < 10; i++) { /* while it is looked for, and later */
    char key[16];
    snprintf(key, sizeof key, "/k%d", i);
    knobs()->late = 1;
    knobs()->late_ns = i * MS;
    store_result r = create(key, "1", NULL);
    assert_true(r == STORE_UNKNOWN || (r == STORE_OK && i == 0));
    settle(S);
    there_gone(key);
    settle(S);
    assert_int_equal(store_revision(w.data), before + 2 * (i + 1));
  }
}

static void theirs_instead(void *ctx, int64_t now_ns) {
  (void)ctx, (void)now_ns;
  there_gone("/a");
  there("/a", "theirs");
}

/* Its answer was lost; before that is known somebody deletes it, and another has the name. */
static void a_lost_creation_is_found_in_history(world *x) {
  (void)x;
  int64_t before = store_revision(w.data);
  knobs()->lose_answers = 1;
  knobs()->answer_ns = 5 * MS;
  timer others = {0};
  timer_set(&w.timers, &others, w.env.mono_ns + MS, theirs_instead, NULL);
  store_entry *e = NULL;
  assert_int_equal(create("/a", "mine", &e), STORE_OK);
  assert_int_equal(e->mod_revision, before + 1);
  assert_int_equal(store_revision(w.data), before + 3);
  store_entry_unref(e);
  check_value(w.store, "/a", 0, "theirs");
}

/* Ours was lost, and somebody else was quicker. */
static void a_lost_write_loses_to_another(world *x) {
  (void)x;
  put_new(w.store, "/a", "0");
  knobs()->lose_requests = 1;
  knobs()->answer_ns = 5 * MS;
  store_entry *e = NULL;
  assert_int_equal(store_get(w.store, SLICE_LIT("/a"), 0, &e), STORE_OK);
  there("/a", "theirs");
  blob *b = blob_copy(SLICE_LIT("mine"));
  assert_int_equal(store_update(w.store, SLICE_LIT("/a"), e->mod_revision, b, NULL),
                   STORE_CONFLICT);
  blob_unref(b);
  store_entry_unref(e);
  check_value(w.store, "/a", 0, "theirs");
}

/* Ours happened, its answer was lost, and somebody else has changed it since. */
static void a_lost_answer_under_another_write(world *x) {
  (void)x;
  knobs()->lose_answers = 1;
  knobs()->answer_ns = 0;
  store_entry *e = NULL;
  put_new(w.store, "/b", "0");
  knobs()->lose_answers = 1;
  assert_int_equal(create("/a", "mine", &e), STORE_OK);
  store_entry_unref(e);
  knobs()->lose_answers = 1;
  assert_int_equal(store_get(w.store, SLICE_LIT("/a"), 0, &e), STORE_OK);
  blob *b = blob_copy(SLICE_LIT("mine again"));
  store_entry *mine = NULL;
  assert_int_equal(store_update(w.store, SLICE_LIT("/a"), e->mod_revision, b, &mine), STORE_OK);
  assert_int_equal(mine->version, 2);
  store_entry_unref(mine);
  store_entry_unref(e);
  blob_unref(b);
}

static void a_lost_delete_stays_unknown(world *x) {
  (void)x;
  int64_t r = put_new(w.store, "/a", "1");
  knobs()->lose_answers = 1;
  assert_int_equal(store_delete(w.store, SLICE_LIT("/a"), r, NULL, NULL), STORE_UNKNOWN);
  r = put_new(w.store, "/a", "1");
  knobs()->lose_requests = 1;
  assert_int_equal(store_delete(w.store, SLICE_LIT("/a"), r, NULL, NULL), STORE_OK);
}

static void deadlines_end_what_waits(world *x) {
  (void)x;
  knobs()->down = true;
  fiber_set_deadline(fiber_current(w.fibers), w.env.mono_ns + 34 * S);
  int64_t begun = w.env.mono_ns;
  assert_int_equal(create("/a", "1", NULL), STORE_TIMEOUT);
  assert_int_equal(w.env.mono_ns, begun + 34 * S);
  assert_int_equal(store_sync(w.store, NULL), STORE_TIMEOUT);
  fiber_set_deadline(fiber_current(w.fibers), w.env.mono_ns + 5 * S);
  knobs()->down = false;
  assert_int_equal(create("/a", "1", NULL), STORE_OK);
  fiber_set_deadline(fiber_current(w.fibers), INT64_MAX);
}

static void refusals_have_their_results(world *x) {
  (void)x;
  knobs()->refuse = REMOTE_NO_SPACE;
  assert_int_equal(create("/a", "1", NULL), STORE_NO_SPACE);
  knobs()->refuse = REMOTE_TOO_LARGE;
  assert_int_equal(create("/a", "1", NULL), STORE_TOO_LARGE);
  knobs()->refuse = REMOTE_DENIED;
  assert_int_equal(create("/a", "1", NULL), STORE_UNAVAILABLE);
  knobs()->refuse = REMOTE_OK;
  assert_int_equal(create("/a", "1", NULL), STORE_OK);
}

static void others_are_seen_after_sync(world *x) {
  (void)x;
  knobs()->watch_ns = 700 * MS;
  there("/a", "1");
  check_keys(w.store, 0, "/", "0", "");
  int64_t at = 7;
  assert_int_equal(store_sync(w.store, &at), STORE_OK);
  assert_int_equal(at, 0);
  check_keys(w.store, 0, "/", "0", "/a");
  there("/a", "2");
  store_entry *e = NULL;
  check_value(w.store, "/a", 0, "1");
  assert_int_equal(store_get_fresh(w.store, SLICE_LIT("/a"), &e), STORE_OK);
  assert_true(slice_is(blob_slice(e->value), "2"));
  store_entry_unref(e);
}

/* A revision of a key that the prefix does not have: only progress tells. */
static void foreign_revisions_are_reached(world *x) {
  (void)x;
  blob *b = blob_copy(SLICE_LIT("1"));
  assert_int_equal(store_create(w.data, SLICE_LIT("/elsewhere"), b, NULL), STORE_OK);
  blob_unref(b);
  int64_t at = 0, begun = w.env.mono_ns;
  assert_int_equal(store_sync(w.store, &at), STORE_OK);
  assert_int_equal(at, 0);
  assert_true(w.env.mono_ns - begun < S);
  assert_int_equal(store_revision(w.store), store_revision(w.data));
}

static bool collect(void *ctx, store_entry *e) {
  strncat(ctx, store_entry_key(e).ptr, store_entry_key(e).len);
  return true;
}

/* The copy is too slow: the remote is read instead. */
static void a_late_copy_reads_elsewhere(world *x) {
  (void)x;
  knobs()->watch_ns = 10 * S;
  there("/a", "1");
  there("/b", "1");
  int64_t at = 0, begun = w.env.mono_ns;
  assert_int_equal(store_sync(w.store, &at), STORE_OK);
  assert_int_equal(at, store_revision(w.data));
  assert_true(w.env.mono_ns - begun >= 3 * S);
  store_view *v = NULL;
  assert_int_equal(store_view_open(w.store, at, &v), STORE_OK);
  char text[64] = "";
  assert_int_equal(store_view_walk(v, SLICE_LIT("/"), SLICE_LIT("0"), collect, text), STORE_OK);
  assert_string_equal(text, "/a/b");
  assert_int_equal(store_view_count(v, SLICE_LIT("/b"), SLICE_NONE), 1);
  store_view_close(v);
}

typedef struct ended {
  tape tape;
  int ends;
} ended;
static void on_end(void *ctx) { ((ended *)ctx)->ends++; }

static void a_broken_watch_goes_on(world *x) {
  (void)x;
  ended t = {0};
  tape_open(&t.tape, w.store, "/", store_revision(w.store));
  store_watch_on_end(t.tape.watch, on_end);
  there("/a", "1");
  remote_memory_break(w.remote);
  there("/a", "2");
  there_gone("/a");
  settle(S);
  check_tape(&t.tape, "+/a=1 */a=2 -/a=2 ");
  assert_int_equal(t.ends, 0);
  store_watch_close(t.tape.watch);
}

static void compaction_behind_its_back(world *x) {
  (void)x;
  ended t = {0};
  put_new(w.store, "/a", "1");
  tape_open(&t.tape, w.store, "/", store_revision(w.store));
  store_watch_on_end(t.tape.watch, on_end);
  knobs()->down = true;
  remote_memory_break(w.remote);
  settle(S);
  there("/b", "1");
  there_gone("/a");
  there("/c", "1");
  store_compact(w.data, store_revision(w.data));
  knobs()->down = false;
  settle(5 * S);
  assert_int_equal(t.ends, 1);
  check_tape(&t.tape, "");
  check_keys(w.store, 0, "/", "0", "/b /c");
  store_watch *again = NULL;
  assert_int_equal(store_watch_open(w.store, SLICE_LIT("/"), t.tape.last_revision, tape_event,
                                    &t.tape, &again), STORE_COMPACTED);
  store_watch_close(t.tape.watch);
  assert_int_equal(mirror_figures_read(w.store).lists, 2);
}

/* A server that leaves changes out: what follows does not fit, and everything is read again. */
static void a_gap_is_noticed(world *x) {
  (void)x;
  ended t = {0};
  put_new(w.store, "/a", "1");
  tape_open(&t.tape, w.store, "/", store_revision(w.store));
  store_watch_on_end(t.tape.watch, on_end);
  knobs()->skip_events = 1;
  there("/a", "2");
  there("/a", "3");
  settle(5 * S);
  assert_int_equal(t.ends, 1);
  check_tape(&t.tape, "");
  check_value(w.store, "/a", 0, "3");
  store_watch_close(t.tape.watch);
}

static void the_past_is_read_back(world *x) {
  (void)x;
  for (int i = 0; i < 10; i++) there("/a", i % 2 ? "1" : "2");
  int64_t last = store_revision(w.data);
  store_destroy(w.store);
  w.remote = remote_memory_create(w.data, &w.env, &w.timers);
  mirror_options o = {.remote = w.remote, .env = &w.env, .timers = &w.timers, .fibers = w.fibers,
                      .remote_prefix = SLICE_LIT("/there/"), .past = 4};
  w.store = mirror_create(&o);
  until_ready();
  assert_int_equal(store_revision(w.store), last);
  assert_int_equal(store_compacted(w.store), last - 4);
  tape t;
  tape_open(&t, w.store, "/", last - 3);
  check_tape(&t, "*/a=1 */a=2 */a=1 ");
  store_watch_close(t.watch);
  store_compact(w.data, last - 2);
  store_destroy(w.store);
  w.remote = remote_memory_create(w.data, &w.env, &w.timers);
  o.remote = w.remote;
  w.store = mirror_create(&o);
  until_ready();
  assert_int_equal(store_compacted(w.store), last - 2);
}

typedef struct writer {
  int index;
  int64_t took;
} writer;
static int written;

static void write_one(void *ctx) {
  writer *one = ctx;
  char key[16];
  snprintf(key, sizeof key, "/w%02d", one->index);
  assert_int_equal(create(key, "1", NULL), STORE_OK);
  one->took = w.env.mono_ns;
  written++;
}

/* Many at once share the way there and back. */
static void writers_do_not_queue(world *x) {
  (void)x;
  knobs()->answer_ns = 10 * MS;
  writer all[50];
  int64_t begun = w.env.mono_ns;
  written = 0;
  for (int i = 0; i < 50; i++) {
    all[i] = (writer){.index = i};
    fiber_run(w.fibers, write_one, &all[i]);
  }
  settle(S);
  assert_int_equal(written, 50);
  for (int i = 0; i < 50; i++) assert_int_equal(all[i].took, begun + 10 * MS);
}

static store_result cancelled_result;
static void wait_long(void *ctx) {
  *(fiber **)ctx = fiber_current(w.fibers);
  cancelled_result = create("/a", "1", NULL);
  assert_int_equal(create("/b", "1", NULL), STORE_CANCELLED);
}

static void clients_that_leave(world *x) {
  (void)x;
  knobs()->answer_ns = 10 * S;
  fiber *f = NULL;
  cancelled_result = STORE_OK;
  fiber_run(w.fibers, wait_long, &f);
  settle(S);
  store_cancel(w.store, f);
  assert_int_equal(cancelled_result, STORE_CANCELLED);
}

static void readiness(world *x) {
  (void)x;
  slice why = SLICE_NONE;
  assert_true(store_is_ready(w.store, &why));
  knobs()->down = true;
  for (int i = 0; i < 6; i++) {
    settle(S);
    store_tick(w.store, w.env.mono_ns);
  }
  assert_false(store_is_ready(w.store, &why));
  assert_true(slice_is(why, "etcd"));
  knobs()->down = false;
  for (int i = 0; i < 3; i++) {
    settle(S);
    store_tick(w.store, w.env.mono_ns);
  }
  assert_true(store_is_ready(w.store, &why));
}

/* Two servers: history is kept for one to two intervals, and only one compacts at a time. */
static void compactors_share_a_key(world *x) {
  (void)x;
  enum { EVERY_S = 300 };
  store *all[2];
  for (int i = 0; i < 2; i++) {
    mirror_options o = {.remote = remote_memory_create(w.data, &w.env, &w.timers), .env = &w.env,
                        .timers = &w.timers, .fibers = w.fibers,
                        .remote_prefix = SLICE_LIT("/there/"), .compact_every_ns = EVERY_S * S};
    all[i] = mirror_create(&o);
    settle((i + 1) * 50 * S);
  }
  int64_t revisions[12];
  for (int minute = 0; minute < 12; minute++) {
    there("/a", minute % 2 ? "1" : "2");
    revisions[minute] = store_revision(w.data);
    for (int second = 0; second < 60; second++) settle(S);
  }
  store_entry *e = NULL;
  assert_int_equal(store_get(w.data, SLICE_LIT("compact_rev_key"), 0, &e), STORE_OK);
  long long told = 0;
  assert_true(slice_to_i64(blob_slice(e->value), &told));
  assert_int_equal(told, store_compacted(w.data));
  assert_true(e->version >= 2 && e->version <= 4);
  store_entry_unref(e);
  assert_true(told >= revisions[0] && told < revisions[7]); /* 5 to 10 minutes are kept */
  for (int i = 0; i < 2; i++) {
    assert_true(mirror_figures_read(all[i]).compacted > 0);
    store_destroy(all[i]);
  }
  settle(S);
}

static void an_old_server_has_no_progress(world *x) {
  (void)x;
  knobs()->no_progress = true;
  blob *b = blob_copy(SLICE_LIT("1"));
  assert_int_equal(store_create(w.data, SLICE_LIT("/elsewhere"), b, NULL), STORE_OK);
  blob_unref(b);
  assert_int_equal(create("/a", "1", NULL), STORE_OK);
  b = blob_copy(SLICE_LIT("1"));
  assert_int_equal(store_create(w.data, SLICE_LIT("/elsewhere/2"), b, NULL), STORE_OK);
  blob_unref(b);
  int64_t at = 0;
  assert_int_equal(store_sync(w.store, &at), STORE_OK);
  assert_int_equal(at, store_revision(w.data));
}

#define CASE(f) {#f, case_run, NULL, NULL, (void *)(uintptr_t)&(const mirror_case){f, 0}}
#define CASE_PAST(f, n) {#f, case_run, NULL, NULL, (void *)(uintptr_t)&(const mirror_case){f, n}}

int main(void) {
  world_begin();
  world_run(contract);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_model),
      CASE(a_lost_answer_is_found_out),
      CASE(a_lost_request_is_sent_again),
      CASE(a_late_request_happens_once),
      CASE(a_lost_creation_is_not_sent_again),
      CASE(a_lost_creation_is_found_in_history),
      CASE(a_lost_write_loses_to_another),
      CASE(a_lost_answer_under_another_write),
      CASE(a_lost_delete_stays_unknown),
      CASE(deadlines_end_what_waits),
      CASE(refusals_have_their_results),
      CASE(others_are_seen_after_sync),
      CASE(foreign_revisions_are_reached),
      CASE(a_late_copy_reads_elsewhere),
      CASE(a_broken_watch_goes_on),
      CASE(compaction_behind_its_back),
      CASE(a_gap_is_noticed),
      CASE_PAST(the_past_is_read_back, 0),
      CASE(writers_do_not_queue),
      CASE(clients_that_leave),
      CASE(readiness),
      CASE(an_old_server_has_no_progress),
      CASE(compactors_share_a_key),
  };
  failures += cmocka_run_group_tests_name("mirror", tests, NULL, NULL);
  if (!failures) fiber_pool_destroy(w.fibers); /* a failed case leaves its fibers behind */
  timers_dispose(&w.timers);
  return failures;
}
