/* Sorted arrays: a session has some hundreds of versions, mostly met in rising order, so an
 * insertion is nearly always an append. */
#include "sim/replay/versions.h"

#include "base/heap.h"

#include <string.h>

void versions_init(versions *v) {
  memset(v, 0, sizeof *v);
}

void versions_dispose(versions *v) {
  heap_free(v->items);
  heap_free(v->lists);
}

/* The first place whose expected number is not below n. */
static uint32_t place(const version_pair *items, uint32_t count, int64_t n) {
  uint32_t low = 0, high = count;
  while (low < high) {
    uint32_t mid = low + (high - low) / 2;
    if (items[mid].expected < n) {
      low = mid + 1;
    } else {
      high = mid;
    }
  }
  return low;
}

static void insert(version_pair **items, uint32_t *count, uint32_t *cap, uint32_t at,
                   version_pair pair) {
  if (*count == *cap) {
    *cap = *cap ? *cap * 2 : 64;
    *items = heap_realloc(*items, *cap * sizeof **items);
  }
  memmove(*items + at + 1, *items + at, (*count - at) * sizeof **items);
  (*items)[at] = pair;
  (*count)++;
}

static bool in_order(const versions *v, int64_t e) {
  return e >= v->first;
}

static bool taken(const versions *v, int64_t actual) {
  for (uint32_t i = 0; i < v->count; i++) {
    if (v->items[i].actual == actual) {
      return true;
    }
  }
  return false;
}

bool versions_match(versions *v, int64_t expected, int64_t actual) {
  uint32_t at = place(v->items, v->count, expected);
  if (at < v->count && v->items[at].expected == expected) {
    return v->items[at].actual == actual;
  }
  if (in_order(v, expected)) {
    if (at > 0 && in_order(v, v->items[at - 1].expected) && v->items[at - 1].actual >= actual) {
      return false;
    }
    if (at < v->count && v->items[at].actual <= actual) {
      return false;
    }
  } else if (taken(v, actual)) {
    return false;
  }
  insert(&v->items, &v->count, &v->cap, at, (version_pair){expected, actual});
  return true;
}

bool versions_match_list(versions *v, int64_t expected, int64_t actual) {
  uint32_t at = place(v->items, v->count, expected);
  bool known = at < v->count && v->items[at].expected == expected;
  if (known && in_order(v, expected) && actual < v->items[at].actual) {
    return false;
  }
  if (!known && at > 0 && in_order(v, v->items[at - 1].expected) &&
      actual < v->items[at - 1].actual) {
    return false;
  }
  uint32_t next = known ? at + 1 : at;
  if (next < v->count && in_order(v, v->items[next].expected) &&
      actual >= v->items[next].actual) {
    return false;
  }
  at = place(v->lists, v->list_count, expected);
  if (at < v->list_count && v->lists[at].expected == expected) {
    v->lists[at].actual = actual;
  } else {
    insert(&v->lists, &v->list_count, &v->list_cap, at, (version_pair){expected, actual});
  }
  return true;
}

bool versions_find(const versions *v, int64_t expected, int64_t *actual) {
  uint32_t at = place(v->items, v->count, expected);
  if (at < v->count && v->items[at].expected == expected) {
    *actual = v->items[at].actual;
    return true;
  }
  at = place(v->lists, v->list_count, expected);
  if (at < v->list_count && v->lists[at].expected == expected) {
    *actual = v->lists[at].actual;
    return true;
  }
  return false;
}
