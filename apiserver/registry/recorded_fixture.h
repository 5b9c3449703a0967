/* recorded_fixture: cases that were recorded from the real server, a JSON document a line; for
 * tests. */
#ifndef APISIM_RECORDED_FIXTURE_H
#define APISIM_RECORDED_FIXTURE_H

#include "codec/codec.h"
#include "registry/field_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Looks at each line of the file and closes it: check tells how many of the case's answers are
 * wrong. Fails if any is, if there are fewer than `least` cases, or if f is NULL. */
static inline void recorded_check(FILE *f, int least, int (*check)(arena *a, const val *c)) {
  char *line = NULL;
  size_t room = 0;
  int wrong = 0, cases = 0;
  assert_non_null(f);
  for (ssize_t n; (n = getline(&line, &room, f)) > 0; cases++) {
    arena *a = arena_create();
    slice error;
    val *c = json_parse(a, slice_of(line, (size_t)n), NULL, &error);
    assert_non_null(c);
    wrong += check(a, c);
    arena_destroy(a);
  }
  free(line);
  fclose(f);
  assert_true(cases >= least);
  assert_int_equal(wrong, 0);
}

static inline int recorded_order(const void *x, const void *y) {
  const val *const *p = x, *const *q = y;
  for (uint32_t i = 0; i < 3; i++) {
    int order = slice_cmp(val_str(val_at(*p, i)), val_str(val_at(*q, i)));
    if (order) return order;
  }
  return 0;
}

/* Errors as the recorders write causes: [field, reason, message] in order. */
static inline val *recorded_causes(arena *a, const field_errors *errs) {
  static const char *const reasons[] = {
#define X(name, reason, text) reason,
      FIELD_ERROR_TYPES(X)
#undef X
  };
  val *list = val_list(a);
  for (uint32_t i = 0; i < errs->count; i++) {
    val *triple = val_list(a);
    val_append(a, triple, val_string(a, errs->items[i].field));
    val_append(a, triple, val_cstr(a, reasons[errs->items[i].type]));
    val_append(a, triple, val_string(a, errs->items[i].message));
    val_append(a, list, triple);
  }
  if (list->count) qsort(list->u.items, list->count, sizeof(val *), recorded_order);
  return list;
}

#endif
