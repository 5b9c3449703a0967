/* message: protobuf messages as plain structs, each described by a table of its fields.
 *
 * Reading is zero-copy: bytes and strings are slices of the input, which must outlive the struct;
 * lists and sub-messages are in the arena. It is strict and bounded: lengths are checked against
 * what is left, depth against ETCD_DEPTH_MAX, memory grows linearly with the input (at most some
 * 50 bytes a byte). As gogo's decoder does: unknown fields are stepped over, the last of a repeated
 * scalar counts, a sub-message that comes twice is merged, of a oneof the last member counts.
 *
 * Writing gives gogo's bytes: fields in order of their numbers, proto3 zeros left out (but not the
 * chosen member of a oneof). Source of both: the generated code of api/v3/etcdserverpb. */
#ifndef APISIM_ETCD_MESSAGE_H
#define APISIM_ETCD_MESSAGE_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum etcd_type {
  ETCD_INT64, /* int64_t; uint64_t too */
  ETCD_INT32, /* int32_t; enums too */
  ETCD_UINT32, /* uint32_t */
  ETCD_BOOL, /* bool */
  ETCD_BYTES, /* slice; strings too */
  ETCD_MESSAGE, /* pointer, NULL: absent */
} etcd_type;

/* A repeated field: `items` is an array of slices, int32_t or (inline) message structs. */
typedef struct etcd_list {
  void *items;
  uint32_t count, cap;
} etcd_list;

typedef struct etcd_message etcd_message;

typedef struct etcd_field {
  uint8_t number, type;
  bool repeated, oneof;
  uint16_t offset;
  const etcd_message *message; /* of ETCD_MESSAGE */
} etcd_field;

/* A oneof's members share the struct's `uint32_t which`: the number of the member that is set, 0
 * for none. They may lie in a union. */
#define ETCD_NO_ONEOF UINT16_MAX
struct etcd_message {
  const char *name;
  uint16_t size, which_offset;
  const etcd_field *fields; /* by number, ascending */
  uint32_t field_count;
};

#define ETCD_DEPTH_MAX 300 /* a txn may nest 128 times: op and txn are two levels each */

/* Fills *out (m->size bytes, zeroed first). NULL, or what is wrong: gogo's words, in the arena or
 * static. etcd_text_too_deep is answered by identity. */
const char *etcd_decode(const etcd_message *m, slice in, arena *a, void *out);
extern const char etcd_text_too_deep[];
/* Appends; what does not fit shows in out->overflow. */
void etcd_encode(const etcd_message *m, const void *in, buf *out);
/* How many bytes etcd_encode appends. */
size_t etcd_size(const etcd_message *m, const void *in);

/* One more item of `size` bytes at the end of a list, zeroed. */
void *etcd_list_add(arena *a, etcd_list *l, size_t size);

#endif
