/* json_scan: small looks into JSON text that is known to be whole: the model and the checkers read
 * thousands of objects a second and want one member of each. */
#ifndef APISIM_SIM_JSON_SCAN_H
#define APISIM_SIM_JSON_SCAN_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdint.h>

/* The string that follows the first occurrence of `mark` ("\"uid\":\""), up to its quote; no
 * escapes are expected in it. SLICE_NONE without the mark. */
slice json_text_of(slice json, slice mark);
/* The number of metadata.resourceVersion; -1 without. */
int64_t json_revision(slice json);
int64_t json_number_of(slice json, slice mark); /* an unquoted number; -1 without */
/* The raw text of a member of an object, or SLICE_NONE. Strings and nesting are honoured. */
slice json_member(slice object, slice key);
/* The same for several members in one go, no key twice; nothing from the member `stop` on. */
void json_members(slice object, const slice *keys, slice *values, size_t count, slice stop);
/* All that follows the member's colon: where its value is long and is going to be read anyway. */
slice json_member_from(slice object, slice key);
/* A copy of the object's text without that member; the same text when it has none. */
slice json_without(arena *a, slice object, slice key);
/* Copies with the text between `mark` and the next quote replaced; the same text when the mark is
 * missing. */
slice json_with_text(arena *a, slice json, slice mark, slice text);
/* The same for an unquoted number. */
slice json_with_number(arena *a, slice json, slice mark, int64_t n);

#endif
