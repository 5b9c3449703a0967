/* Which validator checks which resource. A kind without a row gets its metadata checked. */
#include "registry/validation/rows.h"

#include "registry/validation/metadata.h"

#include <stdlib.h>

typedef struct validation_row {
  const char *group, *resource;
  validate_fn validate;
} validation_row;

/* Sorted by group, then resource. One line a kind; the functions are declared in rows.h. */
static const validation_row rows[] = {
#define ROW(group, resource, fn) {group, resource, fn},
    VALIDATION_ROWS(ROW)
#undef ROW
};

static void validate_metadata_only(const validate_args *v) {
  metadata_check(v, TEXT_DNS1123_SUBDOMAIN);
}

typedef struct row_key {
  slice group, resource;
} row_key;

static int row_order(const void *key, const void *row) {
  const row_key *k = key;
  const validation_row *r = row;
  int order = slice_cmp(k->group, slice_cstr(r->group));
  return order ? order : slice_cmp(k->resource, slice_cstr(r->resource));
}

validate_fn validation_of(const resource_info *r) {
  row_key key = {r->storage->group, r->storage->resource};
  const validation_row *row =
      bsearch(&key, rows, sizeof rows / sizeof *rows, sizeof *rows, row_order);
  return row ? row->validate : validate_metadata_only;
}
