/* Sets of characters. Sources: Go's regexp/syntax (perl_groups.go), package unicode. */
#include "crd/pattern_class.h"

#include "base/ascii.h"

#include <stdlib.h>

void class_add(arena *a, rune_class *c, uint32_t first, uint32_t last) {
  c->items = arena_more(a, c->items, c->count, &c->cap, sizeof *c->items);
  c->items[c->count++] = (rune_range){first, last};
}

static uint32_t fold_at(uint32_t rune) {
  uint32_t low = 0, high = unicode_fold_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (unicode_folds[middle].rune < rune) low = middle + 1;
    else high = middle;
  }
  return low;
}

void class_add_folded(arena *a, rune_class *c, uint32_t first, uint32_t last) {
  class_add(a, c, first, last);
  for (uint32_t i = fold_at(first); i < unicode_fold_count && unicode_folds[i].rune <= last; i++) {
    for (uint32_t r = unicode_folds[i].next; r != unicode_folds[i].rune;
         r = unicode_folds[fold_at(r)].next) {
      if (r < first || r > last) class_add(a, c, r, r);
    }
  }
}

void class_add_all(arena *a, rune_class *c, const rune_class *more) {
  for (uint32_t i = 0; i < more->count; i++)
    class_add(a, c, more->items[i].first, more->items[i].last);
}

static int range_order(const void *x, const void *y) {
  const rune_range *p = x, *q = y;
  if (p->first != q->first) return p->first < q->first ? -1 : 1;
  return p->last == q->last ? 0 : p->last < q->last ? 1 : -1;
}

void class_clean(rune_class *c) {
  if (c->count == 0) return;
  qsort(c->items, c->count, sizeof *c->items, range_order);
  uint32_t kept = 1;
  for (uint32_t i = 1; i < c->count; i++) {
    rune_range *last = c->items + kept - 1;
    if (c->items[i].first <= last->last + 1) {
      if (c->items[i].last > last->last) last->last = c->items[i].last;
    } else {
      c->items[kept++] = c->items[i];
    }
  }
  c->count = kept;
}

rune_class class_negated(arena *a, const rune_class *c) {
  rune_class out = {0};
  uint32_t next = 0;
  for (uint32_t i = 0; i < c->count; i++) {
    if (c->items[i].first > next) class_add(a, &out, next, c->items[i].first - 1);
    next = c->items[i].last + 1;
  }
  if (next <= RUNE_MAX) class_add(a, &out, next, RUNE_MAX);
  return out;
}

bool class_has(const rune_class *c, uint32_t rune) {
  uint32_t low = 0, high = c->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (rune > c->items[middle].last) low = middle + 1;
    else if (rune < c->items[middle].first) high = middle;
    else return true;
  }
  return false;
}

typedef struct group {
  const char *name;
  rune_range ranges[4];
  uint8_t count;
} group;

static const group perl_groups[] = {
    {"d", {{'0', '9'}}, 1},
    {"s", {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}}, 3},
    {"w", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}, 4},
};
static const group posix_groups[] = {
    {"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}, 3},
    {"alpha", {{'A', 'Z'}, {'a', 'z'}}, 2},
    {"ascii", {{0, 0x7f}}, 1},
    {"blank", {{'\t', '\t'}, {' ', ' '}}, 2},
    {"cntrl", {{0, 0x1f}, {0x7f, 0x7f}}, 2},
    {"digit", {{'0', '9'}}, 1},
    {"graph", {{'!', '~'}}, 1},
    {"lower", {{'a', 'z'}}, 1},
    {"print", {{' ', '~'}}, 1},
    {"punct", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}, 4},
    {"space", {{'\t', '\r'}, {' ', ' '}}, 2},
    {"upper", {{'A', 'Z'}}, 1},
    {"word", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}, 4},
    {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}, 3},
};

static void ranges_add(arena *a, rune_class *c, const rune_range *r, uint32_t count, bool negated,
                       bool fold) {
  rune_class own = {0};
  for (uint32_t i = 0; i < count; i++) {
    if (fold) class_add_folded(a, &own, r[i].first, r[i].last);
    else class_add(a, &own, r[i].first, r[i].last);
  }
  class_clean(&own);
  if (negated) own = class_negated(a, &own);
  class_add_all(a, c, &own);
}

bool class_add_perl(arena *a, rune_class *c, char letter, bool fold) {
  char small = letter >= 'A' && letter <= 'Z' ? (char)(letter + 32) : letter;
  for (size_t i = 0; i < sizeof perl_groups / sizeof *perl_groups; i++) {
    const group *g = perl_groups + i;
    if (*g->name != small) continue;
    ranges_add(a, c, g->ranges, g->count, letter != small, fold);
    return true;
  }
  return false;
}

bool class_add_posix(arena *a, rune_class *c, slice name, bool fold) {
  bool negated = name.len && *name.ptr == '^';
  if (negated) name = slice_from(name, 1);
  for (size_t i = 0; i < sizeof posix_groups / sizeof *posix_groups; i++) {
    const group *g = posix_groups + i;
    if (!slice_is(name, g->name)) continue;
    ranges_add(a, c, g->ranges, g->count, negated, fold);
    return true;
  }
  return false;
}

/* The first letter a capital, the others small; '_', '-' and ' ' do not count. */
static slice name_canonical(arena *a, slice name) {
  char *out = arena_alloc(a, name.len + 1);
  size_t n = 0;
  for (size_t i = 0; i < name.len; i++) {
    char ch = name.ptr[i];
    if (ch == '_' || ch == '-' || ch == ' ') continue;
    if (n == 0 && ch >= 'a' && ch <= 'z') ch = (char)(ch - 32);
    else if (n && ch >= 'A' && ch <= 'Z') ch = (char)(ch + 32);
    out[n++] = ch;
  }
  return slice_of(out, n);
}

bool class_add_unicode(arena *a, rune_class *c, slice name, bool negated, bool fold) {
  if (name.len && *name.ptr == '^') {
    negated = !negated;
    name = slice_from(name, 1);
  }
  name = name_canonical(a, name);
  uint32_t low = 0, high = unicode_class_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    const unicode_class *u = unicode_classes + middle;
    int order = slice_cmp(slice_cstr(u->name), name);
    if (order == 0) {
      ranges_add(a, c, unicode_ranges + u->start, u->count, negated, fold);
      return true;
    }
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return false;
}

uint32_t rune_decode(slice text, size_t *size) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  uint8_t lead = (uint8_t)*text.ptr;
  *size = 1;
  if (lead < 0x80) return lead;
  size_t want = lead >= 0xf0 && lead < 0xf8 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0;
  if (lead >= 0xf8 || want == 0 || text.len < want) return RUNE_BROKEN;
  uint32_t rune = lead & (0xffu >> (want + 1));
  for (size_t i = 1; i < want; i++) {
    if (((uint8_t)text.ptr[i] & 0xc0) != 0x80) return RUNE_BROKEN;
    rune = rune << 6 | ((uint8_t)text.ptr[i] & 0x3f);
  }
  if (rune < least[want] || rune > RUNE_MAX || (rune >= 0xd800 && rune < 0xe000))
    return RUNE_BROKEN;
  *size = want;
  return rune;
}
