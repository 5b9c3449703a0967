/* reader: strict reading of a plan's maps by tables: a row a key. Private to sim/live. */
#ifndef APISIM_LIVE_READER_H
#define APISIM_LIVE_READER_H

#include "sim/live/plan.h"

typedef struct reader {
  arena *a;
  const char *file;
  slice *problem;
  live_plan *plan; /* under way: names of servers and clients are looked up in it */
  uint32_t next_trigger;
  slice key; /* whose value is being read: messages name it */
} reader;

typedef enum field_type {
  F_TEXT,
  F_BOOL,
  F_INT, /* not negative */
  F_COUNT, /* from 1 */
  F_DURATION, /* "1m30s" */
  F_CHANCE, /* 0 to 1 */
  F_NUMBER, /* double */
  F_LIST, /* one word or a list of words */
  F_NODE, /* kept as it is */
  F_CUSTOM,
} field_type;

typedef struct field_row {
  const char *key;
  uint8_t type; /* field_type */
  uint16_t offset; /* of the value in the struct */
  int16_t set_offset; /* of a bool "was given", or -1 */
  bool (*custom)(reader *r, const node *n, void *out); /* out: the struct */
} field_row;

#define ROW(key_, type_, struct_, member_) \
  {key_, type_, (uint16_t)offsetof(struct_, member_), -1, NULL}
#define ROW_SET(key_, type_, struct_, member_, set_) \
  {key_, type_, (uint16_t)offsetof(struct_, member_), (int16_t)offsetof(struct_, set_), NULL}
#define ROW_CUSTOM(key_, fn_) {key_, F_CUSTOM, 0, -1, fn_}

/* All return false, with the first problem kept. */
bool reader_fail(reader *r, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool reader_unknown(reader *r, int line, slice key, const char *where, const field_row *rows,
                    size_t count);
/* Every key of the map has a row, or it fails. */
bool reader_map(reader *r, const node *n, const char *where, const field_row *rows, size_t count,
                void *out);
bool reader_value(reader *r, const node *n, const field_row *row, void *out);
bool reader_duration(reader *r, const node *n, int64_t *out);
bool reader_list(reader *r, const node *n, strlist *out);
bool reader_int(reader *r, const node *n, int64_t *out);
bool reader_count(reader *r, const node *n, int64_t *out); /* from 1 */
bool reader_time_jump(reader *r, const node *n, int64_t *out); /* a duration, or one below 0 */
bool reader_bool(reader *r, const node *n, bool *out);
bool reader_number(reader *r, const node *n, double *out);
/* Index of a declared name, or a failure. */
bool reader_server(reader *r, const node *n, uint32_t *out);
bool reader_client(reader *r, int line, slice name);

bool read_trigger(reader *r, const node *n, const live_trigger **out);
bool read_match(reader *r, const node *n, live_match *out);
bool read_predicate(reader *r, const node *n, live_predicate *out);
bool read_condition(reader *r, const node *n, live_condition *out);
bool read_actions(reader *r, const node *n, const live_action **out, uint32_t *count);
bool read_steps(reader *r, const node *n);
bool read_oracles(reader *r, const node *n);
/* The resource, namespace and name that a RESOURCE[.GROUP][/NAMESPACE]/NAME means. */
bool read_key(reader *r, int line, slice key);

/* plan_check.c: words that could never fit, actions that could never act. */
bool check_match(reader *r, const live_trigger *t);
bool check_actions(reader *r, const live_fault *f);
bool check_resources(reader *r, int line, const strlist *list);
bool check_lint_rules(reader *r, int line, const strlist *list);

#endif
