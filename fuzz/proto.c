/* Fuzz target: protobuf messages. The first two bytes choose the kind. What decodes must encode,
 * decode again to an equal tree, and encode to the same bytes; nothing may crash or over-read.
 *
 * Build: clang -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iapiserver -I. -Ibuild/gen with
 * the sources of base/, codec/ (no tests) and schema/schema.c, build/gen/schema_tables.c, -lcrypto
 * -lyaml -lm. Seeds: two bytes and the messages of the official corpus. */
#include "base/limits.h"
#include "codec/codec.h"

#include <stdint.h>
#include <stdlib.h>

static void check(arena *a, slice message, const type_info *t) {
  slice error = SLICE_NONE;
  buf first, second;
  val *v = proto_decode(a, message, t, &error);
  if (!v) return;
  buf_init(&first, LIMIT_BUFFER);
  buf_init(&second, LIMIT_BUFFER);
  proto_encode(&first, v, t);
  val *again = proto_decode(a, buf_slice(&first), t, &error);
  if (!again || !val_equal(v, again)) abort();
  proto_encode(&second, again, t);
  if (!slice_eq(buf_slice(&first), buf_slice(&second))) abort();
  buf_clear(&second);
  json_encode(&second, v, t);
  buf_dispose(&first);
  buf_dispose(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  unsigned kind = (unsigned)data[0] << 8 | data[1];
  arena *a = arena_create();
  char *bytes = malloc(size - 2 ? size - 2 : 1); /* of exactly this size: over-reads show */
  memcpy(bytes, data + 2, size - 2);
  slice message = slice_of(bytes, size - 2), error = SLICE_NONE, part[5];
  check(a, message, schema_kinds[kind % schema_kind_count].type);
  proto_open_envelope(a, message, &part[0], &part[1], &part[2], &part[3], &part[4], &error);
  free(bytes);
  arena_destroy(a);
  return 0;
}
