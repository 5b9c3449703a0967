/* table_rows: which cells the row of a kind has. Private to respond/table.c. */
#ifndef APISIM_RESPOND_TABLE_ROWS_H
#define APISIM_RESPOND_TABLE_ROWS_H

#include "respond/table_cell.h"
#include "schema/schema.h"

typedef struct table_row {
  const char *group, *kind; /* group NULL: any */
  const cell *cells;
  uint8_t count;
} table_row;

/* Never NULL: kinds without a row of their own show name and creation time. */
const table_row *table_row_of(slice group, slice kind, bool created_column);
/* What a column says about itself. */
slice table_column_text(slice column);
/* The columns of a Scale, which no resource of its own has. */
extern const table_column table_scale_columns[];
extern const uint8_t table_scale_column_count;

#endif
