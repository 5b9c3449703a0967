/* structural_internal: what the files of structural.h share. */
#ifndef APISIM_CRD_STRUCTURAL_INTERNAL_H
#define APISIM_CRD_STRUCTURAL_INTERNAL_H

#include "crd/structural.h"

void unknown_add(structural_unknown *u, slice text);
/* Those from `from` on; u may be NULL. */
void unknown_sort(structural_unknown *u, uint32_t from);
bool is_meta_field(slice name); /* apiVersion, kind, metadata */

/* The formats of strings. Source: kube-openapi pkg/validation/strfmt. */
typedef struct format_rule {
  const char *name; /* without dashes: date-time and datetime are one */
  const char *pattern; /* what the text (or what `cleaned` leaves of it) must match, or NULL */
  /* The text that is matched, or SLICE_NONE when it can't be right; NULL: the text itself. */
  slice (*cleaned)(arena *a, slice text);
  /* What a pattern can't say of that; NULL: nothing. */
  bool (*holds)(arena *a, slice text);
} format_rule;

const format_rule *format_find(slice format); /* NULL: unknown, so not checked */
bool email_holds(arena *a, slice text);
bool format_holds(arena *a, const format_rule *rule, const pattern *p, slice text);

/* The second of each value that is there more than once, by index; out has room for count. */
uint32_t values_repeated(arena *a, val *const *values, uint32_t count, uint32_t *out);
/* A number as Go's %v prints it. */
slice number_text(arena *a, double f);

#endif
