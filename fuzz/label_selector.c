/* Fuzz target: label selectors. The text, a newline, and labels as "k=v" lines to match. Oracles:
 * the requirements as a LabelSelector (matchExpressions) match what the text matches; a selector
 * twice, joined by a comma, matches the same (but for one with a NUL, which may end the text). */
#include "fuzz/fuzz.h"

#include "registry/selector.h"

FUZZ_TARGET(FUZZ_BYTES);

static val *object_with(arena *a, slice lines) {
  val *object = val_map(a), *metadata = val_map(a), *labels = val_map(a);
  val_setc(a, object, "metadata", metadata);
  val_setc(a, metadata, "labels", labels);
  while (lines.len) {
    slice line, key, value;
    slice_cut(lines, '\n', &line, &lines);
    slice_cut(line, '=', &key, &value);
    val_set(a, labels, key, val_string(a, value));
  }
  return object;
}

/* NULL where a LabelSelector has no such operator. */
static val *as_expressions(arena *a, const selector *s) {
  static const char *const ops[] = {"In", "NotIn", "Exists", "DoesNotExist"};
  val *out = val_map(a), *list = val_list(a);
  val_setc(a, out, "matchExpressions", list);
  for (uint32_t i = 0; i < s->label_count; i++) {
    const requirement *r = s->labels + i;
    if (r->op > SELECT_NOT_EXISTS) return NULL;
    val *e = val_map(a), *values = val_list(a);
    val_setc(a, e, "key", val_string(a, r->key));
    val_setc(a, e, "operator", val_cstr(a, ops[r->op]));
    for (uint32_t k = 0; k < r->value_count; k++) {
      val_append(a, values, val_string(a, r->values[k]));
    }
    val_setc(a, e, "values", values);
    val_append(a, list, e);
  }
  return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  slice text, lines;
  selector s, twice;
  status_error err = {0};
  char *bytes = malloc(size ? size : 1);
  if (size) memcpy(bytes, data, size);
  slice_cut(slice_of(bytes, size), '\n', &text, &lines);
  const resource_info *r = schema_resource(SLICE_LIT(""), SLICE_LIT("v1"), SLICE_LIT("pods"));
  fuzz_heap heap = fuzz_heap_begin();
  arena *a = arena_create();
  bool good = selector_parse(a, text, SLICE_NONE, &s, &err);
  /* The error names each value with its rule, some 300 bytes. */
  fuzz_heap_check(&heap, good ? size : size + 128, good ? 128 : 1024);
  CHECK(good || (err.set && err.message.len > 0 && status_error_code(&err) == 400));
  if (good) {
    val *object = object_with(a, lines);
    bool match = selector_match(a, &s, r, object);
    const val *as = as_expressions(a, &s);
    if (as) CHECK(label_selector_match(as, val_path(object, "metadata.labels")) == match);
    if (s.label_count && slice_find_char(text, 0) < 0) {
      slice joined = arena_concat(a, text, arena_concat(a, SLICE_LIT(" , "), text));
      CHECK(selector_parse(a, joined, SLICE_NONE, &twice, &err));
      CHECK(twice.label_count == 2 * s.label_count);
      CHECK(selector_match(a, &twice, r, object) == match);
    }
  }
  arena_destroy(a);
  free(bytes);
  return 0;
}
