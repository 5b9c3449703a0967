/* token_file: the bearer tokens of --token-auth-file.
 *
 * CSV as Go's encoding/csv reads it: token, user, uid, and optionally groups in one quoted
 * field, separated by commas. Rule: apiserver pkg/authentication/token/tokenfile. */
#ifndef APISIM_ACCESS_TOKEN_FILE_H
#define APISIM_ACCESS_TOKEN_FILE_H

#include "request/request.h"

typedef struct token_row {
  slice token;
  user_info user; /* groups as in the file */
  uint32_t order; /* of two rows with one token the later counts */
} token_row;

typedef struct token_table {
  token_row *rows; /* sorted by token */
  uint32_t count;
} token_table;

/* Everything is copied into `a`. False and *problem for a file that is not such a CSV. */
bool token_table_parse(token_table *t, arena *a, slice csv, slice *problem);
const user_info *token_table_find(const token_table *t, slice token);

#endif
