/* oracle: the Go program of conformance/oracle/ behind two pipes, and our own answers in the same form.
 * The protocol stands in its serve.go. */
#ifndef APISIM_CONFORMANCE_CODEC_ORACLE_H
#define APISIM_CONFORMANCE_CODEC_ORACLE_H

#include "base/arena.h"
#include "base/buf.h"
#include "schema/schema.h"

#include <sys/types.h>

enum { ORACLE_JSON, ORACLE_YAML, ORACLE_PROTOBUF, ORACLE_CBOR, ORACLE_FORMATS };
#define ORACLE_STRICT 0x80u /* in flags, beside 1 << format for each encoding wanted */

extern const char *const oracle_format_names[ORACLE_FORMATS];

typedef enum oracle_status {
  ORACLE_GOOD,
  ORACLE_NOT_STRICT, /* an object, and an error that strict decoding would end with */
  ORACLE_REFUSED,
  ORACLE_PANIC,
} oracle_status;

typedef struct oracle_case {
  uint16_t kind; /* index of schema_kinds */
  uint8_t format, flags;
  slice body;
} oracle_case;

typedef struct oracle_answer {
  uint8_t status; /* oracle_status */
  slice error;
  slice encodings[ORACLE_FORMATS]; /* SLICE_NONE where not asked for */
} oracle_answer;

typedef struct oracle {
  pid_t pid;
  int to, from;
  const uint8_t *known; /* a byte a kind of schema_kinds: the oracle has it */
} oracle;

/* Starts the program. False with a line on stderr. `known` lives in a. */
bool oracle_open(oracle *o, const char *path, arena *a);
void oracle_close(oracle *o);
/* Asks all at once; answers live in a. False when the oracle went away. */
bool oracle_ask(oracle *o, arena *a, const oracle_case *cases, uint32_t count,
                oracle_answer *answers);
/* What apisim makes of it. */
oracle_answer oracle_ours(arena *a, const oracle_case *c);
/* The first thing in which two answers differ ("status", "error", a format's name), or NULL. */
const char *oracle_difference(const oracle_answer *ours, const oracle_answer *theirs);

#endif
