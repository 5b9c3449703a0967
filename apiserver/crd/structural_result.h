/* structural_result: what one schema finds in one value, before it becomes field errors.
 *
 * The real validator counts the checks that were made ("matches") to choose, among branches that
 * all failed, the one whose errors are shown; an error's text is therefore made even where only
 * its field error is shown: equal texts are one error. */
#ifndef APISIM_CRD_STRUCTURAL_RESULT_H
#define APISIM_CRD_STRUCTURAL_RESULT_H

#include "crd/structural_internal.h"

/* Where a value stands, as the validator's texts name it: "spec.list[0].name". */
typedef struct place {
  const struct place *parent;
  slice name;
  uint32_t index;
  uint8_t form; /* a field, a key of additionalProperties, an item */
} place;

enum { PLACE_FIELD, PLACE_KEY, PLACE_ITEM };

slice place_text(arena *a, const place *p); /* NULL: the root, "" */

typedef enum finding_kind {
  FOUND_INVALID, /* bad value and the text */
  FOUND_TYPE, /* the same with its own reason */
  FOUND_REQUIRED,
  FOUND_ENUM, /* bad value, `enums` */
  FOUND_TOO_LONG, /* limit */
  FOUND_TOO_MANY, /* bad value, limit */
  FOUND_WHOLE, /* says nothing of where: the text only */
} finding_kind;

typedef struct finding {
  finding_kind kind;
  slice where; /* place_text */
  slice text;
  const val *bad; /* NULL prints as "" */
  const val *enums;
  int64_t limit;
} finding;

typedef struct result {
  finding *items;
  uint32_t count, cap;
  uint32_t matches;
  uint32_t *slots; /* open addressing by text, once there are many */
  uint32_t mask;
} result;

void result_add(arena *a, result *r, finding f); /* not if the text is there already */
void result_merge(arena *a, result *r, const result *other);
/* Turns them into field errors below p (NULL: the root). */
void result_report(field_errors *errs, const path *p, const result *r);

/* Go's float64(f) == int. Source: go-openapi/swag IsFloat64AJSONInteger. */
bool float_is_integer(double f);

/* structural_number.c: minimum, maximum, multipleOf and the formats of numbers. The
 * type is empty where there is none or more than one. */
void number_validate(arena *a, result *r, const structural *s, const place *at, const val *v,
                     slice type, slice format);
bool enum_has(arena *a, const val *enums, const val *v);
slice rune_text(arena *a, uint32_t rune); /* in UTF-8 */

#endif
