/* Pairs of old and new. */
#include "crd/structural_ratchet.h"

#include "base/limits.h"
#include "codec/codec.h"

#include <stdlib.h>

typedef struct ratchet_key {
  slice text;
  uint32_t index;
} ratchet_key;

bool ratchet_member(const ratchet *r, slice name, ratchet *out) {
  const val *now = val_get(r->now, name), *old = val_get(r->old, name);
  const structural *s = structural_member(r->schema, name);
  if (!now || !old || !s) return false;
  *out = (ratchet){.schema = s, .now = now, .old = old};
  return true;
}

/* All keys of an item in one text; false: one is missing or no scalar. */
static bool key_text(arena *a, const structural *s, const val *item, slice *out) {
  if (!val_is_map(item) || s->list_key_count == 0) return false;
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  bool good = true;
  for (uint32_t i = 0; i < s->list_key_count && good; i++) {
    const val *v = val_get(item, s->list_keys[i]);
    good = v && !val_is_null(v) && !val_is_map(v) && !val_is_list(v);
    if (!good) break;
    buf_char(&b, val_is_float(v) ? 'f' : 'v');
    json_encode_any(&b, v, false);
  }
  *out = arena_copy(a, buf_slice(&b));
  buf_dispose(&b);
  return good;
}

static int key_order(const void *x, const void *y) {
  const ratchet_key *p = x, *q = y;
  int order = slice_cmp(p->text, q->text);
  return order ? order : p->index < q->index ? -1 : 1;
}

static void keys_make(arena *a, ratchet *r) {
  r->keys = ARENA_ARRAY(a, ratchet_key, val_len(r->old) + 1);
  for (uint32_t i = 0; i < val_len(r->old); i++) {
    slice text;
    if (key_text(a, r->schema, val_at(r->old, i), &text))
      r->keys[r->key_count++] = (ratchet_key){text, i};
  }
  if (r->key_count > 1) qsort(r->keys, r->key_count, sizeof *r->keys, key_order);
}

/* The first old item with the key. */
static const val *old_with(const ratchet *r, slice text) {
  uint32_t low = 0, high = r->key_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (slice_cmp(r->keys[middle].text, text) < 0) low = middle + 1;
    else high = middle;
  }
  bool found = low < r->key_count && slice_eq(r->keys[low].text, text);
  return found ? val_at(r->old, r->keys[low].index) : NULL;
}

static bool is_keyed(const structural *s) {
  return slice_is(s->list_type, "map") && slice_is(s->type, "array") && s->list_key_count;
}

bool ratchet_item(arena *a, ratchet *r, uint32_t index, ratchet *out) {
  slice text;
  const val *now = val_at(r->now, index);
  if (!val_is_list(r->old) || !r->schema->items || !is_keyed(r->schema)) return false;
  if (!key_text(a, r->schema, now, &text)) return false;
  if (!r->keys) keys_make(a, r);
  const val *old = old_with(r, text);
  if (!old) return false;
  *out = (ratchet){.schema = r->schema->items, .now = now, .old = old};
  return true;
}

static bool list_unchanged(arena *a, ratchet *r) {
  if (val_len(r->now) != val_len(r->old)) return false;
  if (!is_keyed(r->schema)) return val_equal(r->now, r->old);
  for (uint32_t i = 0; i < val_len(r->now); i++) {
    ratchet item;
    if (!ratchet_item(a, r, i, &item) || !ratchet_unchanged(a, &item)) return false;
  }
  return true;
}

bool ratchet_unchanged(arena *a, ratchet *r) {
  if (r->changed || r->now->type != r->old->type) return false;
  if (val_is_list(r->now)) return list_unchanged(a, r);
  if (!val_is_map(r->now)) return val_equal(r->now, r->old);
  if (val_len(r->now) != val_len(r->old)) return false;
  VAL_EACH(e, r->now) {
    ratchet member;
    if (!ratchet_member(r, e->key, &member) || !ratchet_unchanged(a, &member)) return false;
  }
  return true;
}
