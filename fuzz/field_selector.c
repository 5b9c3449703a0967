/* Fuzz target: field selectors of any resource; two bytes choose it. Then the text, a newline, and a
 * name. Oracles: refusals are 400 with words; a selector twice matches the same; metadata.name
 * shortens a read only to the object that matches. */
#include "fuzz/fuzz.h"

#include "registry/selector.h"

FUZZ_TARGET(FUZZ_BYTES);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  slice text, name;
  selector s, twice;
  status_error err = {0};
  size_t n = size - 2;
  char *bytes = malloc(n ? n : 1);
  if (n) memcpy(bytes, data + 2, n);
  slice_cut(slice_of(bytes, n), '\n', &text, &name);
  const resource_info *r = &schema_resources[(unsigned)(data[0] << 8 | data[1]) % schema_resource_count];
  fuzz_heap heap = fuzz_heap_begin();
  arena *a = arena_create();
  bool good = selector_parse(a, SLICE_NONE, text, &s, &err) && selector_resolve(a, r, &s, &err);
  fuzz_heap_check(&heap, n, 256);
  CHECK(good || (err.set && err.message.len > 0 && status_error_code(&err) == 400));
  if (good) {
    val *object = val_map(a), *metadata = val_map(a);
    val_setc(a, object, "metadata", metadata);
    val_setc(a, metadata, "name", val_string(a, name));
    bool match = selector_match(a, &s, r, object);
    if (match && s.name.len) CHECK_SAME(s.name, name);
    slice joined = arena_concat(a, text, arena_concat(a, SLICE_LIT(","), text));
    bool escaped = text.len && text.ptr[text.len - 1] == '\\';
    if (!escaped) {
      CHECK(selector_parse(a, SLICE_NONE, joined, &twice, &err));
      CHECK(selector_resolve(a, r, &twice, &err));
      CHECK(selector_match(a, &twice, r, object) == match);
    }
  }
  arena_destroy(a);
  free(bytes);
  return 0;
}
