/* managed_entry: the entries of metadata.managedFields, read, found and written. Source:
 * apimachinery pkg/util/managedfields/internal/managedfields.go. */
#ifndef APISIM_PATCH_MANAGED_ENTRY_H
#define APISIM_PATCH_MANAGED_ENTRY_H

#include "patch/field_set.h"

typedef struct managed_entry {
  slice manager, operation, api_version, subresource;
  slice time; /* canonical RFC 3339, so that bytes sort as moments; "" for none */
  val *set; /* NULL: empty */
  val *source; /* the entry as it came, to be written again if nothing changed; else NULL */
} managed_entry;

typedef struct managed {
  field_sets sets;
  managed_entry *items;
  uint32_t count, cap;
} managed;

void managed_init(managed *m, arena *a);
/* Reads a list of entries (NULL is empty). trusted: it is ours, in canonical form. On failure
 * false, *error in the real server's words (NULL: not wanted), and no entries. */
bool managed_read(managed *m, const val *list, bool trusted, slice *error);
/* The list, sorted; NULL when there are no entries. */
val *managed_write(managed *m);

static inline bool managed_is_apply(const managed_entry *e) {
  return slice_is(e->operation, "Apply");
}
/* The entry of the same manager, or NULL. Appliers are the same in every version. */
managed_entry *managed_find(managed *m, const managed_entry *like);
managed_entry *managed_add(managed *m, managed_entry entry);
void managed_drop(managed *m, uint32_t at);
/* Gives the entry another set (and then it is written anew). */
void managed_entry_set(managed_entry *e, val *set);
/* The JSON text that the real server uses as the manager's name when it sorts. */
slice managed_identifier(arena *a, const managed_entry *e);
/* Folds the oldest updaters of a version into "ancient-changes" until LIMIT_UPDATE_MANAGERS are
 * left. */
void managed_cap(managed *m);

#endif
