/* The rows are in the header. */
#include "schema/features.h"

#include <string.h>

static const struct {
  const char *name;
  bool standard;
} rows[] = {
#define FEATURE_ROW(id, name, standard) {name, standard},
    FEATURES(FEATURE_ROW)
#undef FEATURE_ROW
};

_Static_assert(FEATURE_COUNT <= 64, "a bit a feature");

bool feature_on(const feature_set *s, feature f) {
  return rows[f].standard != ((s->changed >> f & 1) != 0);
}

bool feature_set_by_name(feature_set *s, const char *name, bool on) {
  for (unsigned f = 0; f < FEATURE_COUNT; f++) {
    if (strcmp(rows[f].name, name) != 0) continue;
    uint64_t bit = 1ull << f;
    s->changed = rows[f].standard == on ? s->changed & ~bit : s->changed | bit;
    return true;
  }
  return false;
}
