/* A LabelSelector as the text that clients parse again: a Scale's selector, a table's cell. */
#include "registry/selector.h"

#include <stdlib.h>

typedef struct item {
  slice key, text;
  uint32_t at; /* equal keys stay in their order */
} item;

static int item_order(const void *a, const void *b) {
  const item *x = a, *y = b;
  int order = slice_cmp(x->key, y->key);
  return order ? order : (x->at > y->at) - (x->at < y->at);
}

static bool expression_text(arena *a, const val *expr, slice *text) {
  slice key = val_get_str(expr, "key"), op = val_get_str(expr, "operator");
  const val *values = val_getc(expr, "values");
  uint32_t count = val_len(values);
  bool in = slice_is(op, "In"), exists = slice_is(op, "Exists");
  bool takes_values = in || slice_is(op, "NotIn");
  if (key.len == 0 || takes_values != (count > 0)) return false;
  if (!takes_values) {
    *text = exists ? key : arena_printf(a, "!%.*s", SLICE_ARG(key));
    return exists || slice_is(op, "DoesNotExist");
  }
  slice *items = ARENA_ARRAY(a, slice, count);
  for (uint32_t i = 0; i < count; i++) items[i] = val_str(val_at(values, i));
  qsort(items, count, sizeof *items, slice_order);
  slice list = arena_join_with(a, items, count, ",");
  *text = arena_printf(a, "%.*s %s (%.*s)", SLICE_ARG(key), in ? "in" : "notin", SLICE_ARG(list));
  return true;
}

bool label_selector_text(arena *a, const val *label_selector, slice *text) {
  const val *labels = val_getc(label_selector, "matchLabels");
  const val *exprs = val_getc(label_selector, "matchExpressions");
  uint32_t count = 0;
  item *list = ARENA_ARRAY(a, item, val_len(labels) + val_len(exprs) + 1);
  VAL_EACH(entry, labels) {
    slice value = val_str(entry->value);
    slice pair = arena_printf(a, "%.*s=%.*s", SLICE_ARG(entry->key), SLICE_ARG(value));
    list[count] = (item){entry->key, pair, count};
    count++;
  }
  for (uint32_t i = 0; i < val_len(exprs); i++) {
    const val *expr = val_at(exprs, i);
    list[count] = (item){val_get_str(expr, "key"), SLICE_NONE, count};
    if (!expression_text(a, expr, &list[count].text)) return false;
    count++;
  }
  qsort(list, count, sizeof *list, item_order);
  slice *items = ARENA_ARRAY(a, slice, count + 1);
  for (uint32_t i = 0; i < count; i++) items[i] = list[i].text;
  *text = arena_join_with(a, items, count, ",");
  return true;
}
