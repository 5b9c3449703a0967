/* fuzz: what the fuzz targets share. One file a target, each with libFuzzer's entry point; AFL++
 * takes the same (afl-clang-fast -fsanitize=fuzzer).
 *
 * A target's input has a head of a few bytes that chooses (kind, options), then the bytes that are
 * looked at. Targets for typed bodies have all the same head, so that the mutator (mutator.c) and
 * the tools that make seeds (seeds.py) know which type a body is of: see fuzz_head.
 *
 * Oracles: beside the sanitizers, CHECK ends the process with the condition that did not hold. */
#ifndef APISIM_FUZZ_FUZZ_H
#define APISIM_FUZZ_FUZZ_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/heap.h"
#include "base/limits.h"
#include "codec/codec.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What stands behind the head, for the mutator. */
typedef enum fuzz_form {
  FUZZ_BYTES, /* no head, no form */
  FUZZ_JSON, /* the rest: one document of the head's kind */
  FUZZ_YAML,
  FUZZ_PROTO, /* a message of the head's kind */
  FUZZ_CBOR,
  FUZZ_PATCH, /* two JSON documents with a newline between them */
} fuzz_form;
extern const fuzz_form fuzz_form_of_target;
/* Each target says its form once. Where all targets are linked into one program (the regression
 * test) there is no mutator to ask for it. */
#ifdef LLVMFuzzerTestOneInput
#define FUZZ_TARGET(form) typedef int fuzz_form_unused
#else
#define FUZZ_TARGET(form) const fuzz_form fuzz_form_of_target = form
#endif

#define FUZZ_HEAD 4
typedef struct fuzz_head {
  const kind_info *kind; /* bytes 0 and 1, modulo the number of kinds */
  uint8_t flags, more; /* bytes 2 and 3 */
  slice body; /* in a block of its own and exactly that long, so that over-reading is seen */
} fuzz_head;

/* False when the input is shorter than a head. Close it when done. */
bool fuzz_head_open(fuzz_head *h, const uint8_t *data, size_t size);
void fuzz_head_close(fuzz_head *h);

#define CHECK(condition)                                                             \
  do {                                                                               \
    if (!(condition)) {                                                              \
      fprintf(stderr, "%s:%d: oracle: %s\n", __FILE__, __LINE__, #condition);         \
      abort();                                                                       \
    }                                                                                \
  } while (0)
/* Two texts that must be the same; shows both when they are not. */
#define CHECK_SAME(x, y) fuzz_check_same(__FILE__, __LINE__, (x), (y))
void fuzz_check_same(const char *file, int line, slice x, slice y);

/* Bounded allocation: FUZZ_HEAP_SMALL for an input of up to 128 bytes (an arena with two chunks),
 * and `per_byte` for each byte more. */
#define FUZZ_HEAP_SMALL ((size_t)16 << 10)
typedef struct fuzz_heap {
  size_t before;
} fuzz_heap;
fuzz_heap fuzz_heap_begin(void);
/* Ends the process when more was asked for since begin (which stood in front of arena_create). */
void fuzz_heap_check(const fuzz_heap *h, size_t input, size_t per_byte);

/* Encoders with a buffer that lives in the arena. */
slice fuzz_json(arena *a, const val *v, const type_info *t);
slice fuzz_json_any(arena *a, const val *v, bool sort_keys);
slice fuzz_yaml(arena *a, const val *v, const type_info *t);
/* Equal but for what YAML does to values without a schema: it sorts their keys, writes the
 * float 1.0 as 1, and -0.0 as -0, which is the integer 0. */
bool fuzz_same_values(const val *x, const val *y);
/* Whether reading `yaml` may not give `json` again, in the real server neither: its emitter leaves
 * the key << unquoted, which reads as a merge, and it makes YAML of JSON that it reads as YAML,
 * where U+0085 ends a line and is folded. */
bool fuzz_yaml_loses(slice json, slice yaml);
slice fuzz_proto(arena *a, const val *v, const type_info *t);
slice fuzz_cbor(arena *a, const val *v, const type_info *t);

/* Parses and conforms; NULL when it is refused, and then the error has words. */
val *fuzz_typed(arena *a, slice json, const type_info *t);

/* All of a typed tree's encodings decode to the same tree, and encode to the same bytes. */
void fuzz_check_formats(arena *a, const val *v, const type_info *t);

#endif
