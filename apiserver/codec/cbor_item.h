/* cbor_item: one data item for one Go destination: tags, scalars, and Go's words when they do not
 * fit. What holds other items is opened by cbor_decode.c.
 * Source: github.com/fxamacker/cbor v2.9 decode.go (parse, parseToValue, fill*). */
#ifndef APISIM_CODEC_CBOR_ITEM_H
#define APISIM_CODEC_CBOR_ITEM_H

#include "base/val.h"
#include "codec/cbor_wire.h"

typedef enum cbor_dest {
  DEST_STRING,
  DEST_BOOL,
  DEST_INT32,
  DEST_INT64,
  DEST_FLOAT,
  DEST_BYTES, /* []byte: base64 in the tree */
  DEST_UINT8,
  DEST_ANY, /* Go's interface{} */
  DEST_ANY_MAP, /* map[string]interface{} */
  DEST_STRUCT,
  DEST_LIST,
  DEST_MAP,
} cbor_dest;

typedef enum cbor_outcome {
  ITEM_VALUE,
  ITEM_ZERO, /* null: the destination stays as it was */
  ITEM_FAULT,
  ITEM_OPEN, /* an array or a map that the destination can hold: its head was read */
} cbor_outcome;

typedef enum cbor_fault_kind { FAULT_TYPE, FAULT_UNKNOWN, FAULT_OTHER } cbor_fault_kind;

/* An error under way. Of FAULT_TYPE the struct field is filled in by every struct on the way up,
 * so that the outermost one stays. */
typedef struct cbor_fault {
  uint8_t kind; /* cbor_fault_kind */
  const char *found; /* FAULT_TYPE: cbor_major_name */
  slice type, more, field;
  slice text; /* the others */
} cbor_fault;

slice cbor_fault_text(arena *a, const cbor_fault *f);
void cbor_fault_type(cbor_fault *f, cbor_major found, slice type, slice more);

typedef struct cbor_in {
  arena *a;
  const char *p, *end; /* well-formed items */
} cbor_in;

/* Reads the item at in->p. type: the destination's Go name. *enc: the tag (21 to 23) that says how
 * byte strings inside look as text, 0 for none; updated for what is opened. */
cbor_outcome cbor_item(cbor_in *in, cbor_dest dest, slice type, uint8_t *enc, val **out,
                       cbor_head *opened, cbor_fault *fault);
/* The next string's bytes, chunks joined. Text must be UTF-8: false with *fault. */
bool cbor_string(cbor_in *in, slice *out, cbor_fault *fault);
/* Skips self-described tags; false with *fault when a built-in tag stands before what it can't. */
bool cbor_tags_check(cbor_in *in, cbor_fault *fault);

#endif
