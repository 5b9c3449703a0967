/* contract_case: what the files of the contract suite share. Everything checks with cmocka's
 * asserts. Keys and values are C strings here. */
#ifndef APISIM_STORE_CONTRACT_CASE_H
#define APISIM_STORE_CONTRACT_CASE_H

#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Each gives the new revision and asserts STORE_OK. */
int64_t put_new(store *s, const char *key, const char *value);
int64_t put_over(store *s, const char *key, const char *value);
int64_t put_gone(store *s, const char *key);
/* The value at a revision must be this; NULL: not found. */
void check_value(store *s, const char *key, int64_t revision, const char *value);
/* The keys of [start, end) at a revision, joined by spaces. */
void check_keys(store *s, int64_t revision, const char *start, const char *end,
                 const char *joined);

/* A watch that writes down what it gets: "+a=1 *a=2 -a=2 " (new, changed, gone). */
typedef struct tape {
  char text[4096];
  size_t len;
  int64_t last_revision;
  uint32_t events;
  store *store;
  store_watch *watch;
  struct tape *other; /* for callbacks that open or close another */
} tape;
void tape_event(void *ctx, const store_event *ev);
void tape_open(tape *t, store *s, const char *prefix, int64_t from);
void check_tape(const tape *t, const char *text);

typedef struct contract_case {
  const char *name;
  void (*run)(store *s);
} contract_case;
extern const contract_case contract_writes[], contract_reads[], contract_watches[];

#endif
