/* pattern_internal: the tree between pattern_parse.c and pattern.c. */
#ifndef APISIM_CRD_PATTERN_INTERNAL_H
#define APISIM_CRD_PATTERN_INTERNAL_H

#include "crd/pattern.h"
#include "crd/pattern_class.h"

typedef enum rx_op {
  RX_EMPTY, /* matches without reading */
  RX_CLASS, /* one character of set; a literal, too */
  RX_ASSERT, /* a place: assert */
  RX_CONCAT,
  RX_ALTERNATE,
  RX_REPEAT, /* the first of subs, min to max times; max -1: no end */
  RX_CAPTURE, /* the first of subs */
} rx_op;

typedef enum rx_assert {
  AT_TEXT_BEGIN = 1,
  AT_TEXT_END = 2,
  AT_LINE_BEGIN = 4,
  AT_LINE_END = 8,
  AT_WORD = 16,
  AT_NO_WORD = 32,
} rx_assert;

typedef struct rx {
  uint8_t op, assert; /* rx_op, rx_assert */
  int min, max;
  rune_class set;
  struct rx **subs;
  uint32_t count, cap;
  uint32_t height; /* of the tree below */
  uint32_t repeats; /* product of the counted repetitions on the worst way down */
  uint64_t size; /* states of the machine, as Go estimates them; saturates far above the limit */
} rx;

/* NULL and *error, see pattern.h. */
const rx *pattern_parse(arena *a, slice text, slice *error);

#endif
