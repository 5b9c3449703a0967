/* pattern_class: sets of characters, as sorted ranges that do not touch, and the tables that
 * crd/gen/unicode.py makes of crd/facts/unicode.txt (Unicode 15.0.0, as Go 1.26 knows it). */
#ifndef APISIM_CRD_PATTERN_CLASS_H
#define APISIM_CRD_PATTERN_CLASS_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define RUNE_MAX 0x10ffffu
#define RUNE_BROKEN 0xfffdu

typedef struct rune_range {
  uint32_t first, last;
} rune_range;

typedef struct unicode_class {
  const char *name;
  uint32_t start, count; /* in unicode_ranges */
} unicode_class;

typedef struct unicode_fold {
  uint32_t rune, next; /* the next one that is equal to it when case does not count */
} unicode_fold;

extern const rune_range unicode_ranges[];
extern const unicode_class unicode_classes[]; /* by name */
extern const uint32_t unicode_class_count;
extern const unicode_fold unicode_folds[]; /* by rune */
extern const uint32_t unicode_fold_count;

/* A set that is being made: any ranges, until class_clean. */
typedef struct rune_class {
  rune_range *items;
  uint32_t count, cap;
} rune_class;

void class_add(arena *a, rune_class *c, uint32_t first, uint32_t last);
/* The range and all that is equal to a part of it when case does not count. */
void class_add_folded(arena *a, rune_class *c, uint32_t first, uint32_t last);
void class_add_all(arena *a, rune_class *c, const rune_class *more);
/* Sorted, merged. */
void class_clean(rune_class *c);
/* c must be clean; so is the result. */
rune_class class_negated(arena *a, const rune_class *c);
bool class_has(const rune_class *c, uint32_t rune);

/* "\d" and the other five letters: false: it is none. Then it is added to c. */
bool class_add_perl(arena *a, rune_class *c, char letter, bool fold);
/* "alpha" of [:alpha:], "^alpha". */
bool class_add_posix(arena *a, rune_class *c, slice name, bool fold);
/* Greek of \p{Greek}. */
bool class_add_unicode(arena *a, rune_class *c, slice name, bool negated, bool fold);

/* One character of UTF-8 and its length (text is not empty); a broken byte is RUNE_BROKEN. */
uint32_t rune_decode(slice text, size_t *size);

#endif
