/* One deletion that a finalizer held, its right answer, and every neighbour of it that is wrong. */
#include "sim/check/check_removed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define OBJECT(uid, version, generation, deleting, mark, more, value)                        \
  "{\"kind\":\"Job\",\"apiVersion\":\"batch/v1\",\"metadata\":{\"name\":\"d\",\"namespace\":"   \
  "\"default\",\"uid\":\"" uid "\",\"resourceVersion\":\"" version "\",\"generation\":"       \
  generation ",\"creationTimestamp\":\"2026-01-01T00:00:00Z\"," deleting                     \
  "\"annotations\":{\"sim/op\":\"" mark "\"}" more "},\"spec\":{\"parallelism\":" value "}}"
#define DELETING "\"deletionTimestamp\":\"2026-01-01T00:01:00Z\",\"deletionGracePeriodSeconds\":0,"
#define UNDER(uid, version, generation, mark, more, value) \
  OBJECT(uid, version, generation, DELETING, mark, more, value)
#define HELD ",\"finalizers\":[\"sim.test/hold\"],\"managedFields\":[{\"manager\":\"a\"}]"
#define LET_GO ",\"managedFields\":[{\"manager\":\"b\"}]"
#define ENDING UNDER("u1", "12", "2", "5", HELD, "3")
#define GOOD UNDER("u1", "12", "2", "7", LET_GO, "3")

enum { JOBS = 9, MARK = 7, BEGAN = 11, GONE = 13, NEXT = 14, LAST = 15 };

typedef struct row {
  const char *what, *body;
  int low, high; /* 0: BEGAN and NEXT */
  op_kind kind; /* 0 (a create): OP_FINALIZER */
  int version; /* that the request named */
  bool legal;
} row;

static const row rows[] = {
    {"the object without its finalizers", GOOD, 0, 0, 0, 0, true},
    {"it was there at the very beginning", GOOD, 12, 0, 0, 0, true},
    {"it was gone at the very end", GOOD, 0, GONE, 0, 0, true},
    {"it was gone before", GOOD, GONE, NEXT, 0, 0, false},
    {"it was not gone yet", GOOD, 0, 12, 0, 0, false},
    {"the finalizers are shown", UNDER("u1", "12", "2", "7", HELD, "3"), 0, 0, 0, 0, false},
    {"the deletion's version", UNDER("u1", "13", "2", "7", LET_GO, "3"), 0, 0, 0, 0, false},
    {"a version before the deletion was asked for", UNDER("u1", "11", "2", "7", LET_GO, "3"), 10,
     0, 0, 0, false},
    {"an object that nobody deletes", OBJECT("u1", "11", "2", "", "7", LET_GO, "3"), 10, 0, 0, 0,
     false},
    {"the next object's version", UNDER("u1", "14", "2", "7", LET_GO, "3"), 0, 0, 0, 0, false},
    {"the deletion's version, and another follows", UNDER("u1", "13", "2", "7", LET_GO, "3"), 0,
     LAST, 0, 0, false},
    {"no version that ever was", UNDER("u1", "40", "2", "7", LET_GO, "3"), 0, 0, 0, 0, false},
    {"another object", UNDER("u2", "12", "2", "7", LET_GO, "3"), 0, 0, 0, 0, false},
    {"another's mark", UNDER("u1", "12", "2", "5", LET_GO, "3"), 0, 0, 0, 0, false},
    {"another generation", UNDER("u1", "12", "3", "7", LET_GO, "3"), 0, 0, 0, 0, false},
    {"another spec", UNDER("u1", "12", "2", "7", LET_GO, "4"), 0, 0, 0, 0, false},
    {"a label that nobody set", UNDER("u1", "12", "2", "7", ",\"labels\":{\"tier\":\"a\"}", "3"),
     0, 0, 0, 0, false},
    {"bytes behind it", GOOD "x", 0, 0, 0, 0, false},
    {"an update may change the spec", UNDER("u1", "12", "3", "7", LET_GO, "4"), 0, 0, OP_UPDATE,
     12, true},
    {"an update of another version", UNDER("u1", "12", "3", "7", LET_GO, "4"), 0, 0, OP_UPDATE,
     11, false},
    {"an update may not change the uid", UNDER("u2", "12", "3", "7", LET_GO, "4"), 0, 0,
     OP_UPDATE_BLIND, 0, false},
    {"no update at all", GOOD, 0, 0, OP_COUNT, 12, false},
    {"a create", GOOD, 0, 0, OP_CREATE_GENERATED, 0, false},
};

static model *history(arena *a, uint32_t *key) {
  model *m = model_create(a, 10);
  *key = model_key_id(m, SLICE_LIT("/registry/jobs/default/d"), JOBS << 1 | 1, true);
  model_commit(m, *key, false, slice_cstr(OBJECT("u1", "11", "2", "", "5", HELD, "3")), 5);
  model_commit(m, *key, false, slice_cstr(ENDING), NO_OP);
  model_commit(m, *key, true, slice_cstr(UNDER("u1", "13", "2", "5", HELD, "3")), NO_OP);
  model_commit(m, *key, false, slice_cstr(OBJECT("u2", "14", "1", "", "8", "", "1")), 8);
  model_commit(m, *key, true, slice_cstr(OBJECT("u2", "15", "1", "", "8", "", "1")), NO_OP);
  return m;
}

static void each_row(void **state) {
  (void)state;
  arena *a = arena_create();
  uint32_t key;
  model *m = history(a, &key);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const row *r = &rows[i];
    op o = {.id = MARK, .kind = (uint8_t)(r->kind ? r->kind : OP_FINALIZER), .key = key,
            .of = &kind_rows[JOBS], .version = r->version};
    bool legal = check_removed(m, &o, slice_cstr(r->body), r->low ? r->low : BEGAN,
                               r->high ? r->high : NEXT, a);
    if (legal != r->legal) fail_msg("%s: %s", r->what, legal ? "is let through" : "is refused");
  }
  arena_destroy(a);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(each_row)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
