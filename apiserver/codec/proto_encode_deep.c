/* The same as proto_encode.c for what lies deep: without recursion; what is open stands in a stack
 * of frames, so that a tree of 10,000 levels costs heap, not stack. gogo writes what is no pointer
 * always, zero or not, and maps by sorted key. */
#include "base/heap.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "codec/proto_encode.h"
#include "codec/proto_leaf.h"
#include "codec/proto_wire.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>

typedef enum frame_kind {
  FRAME_STRUCT, /* fields of `type` still to write: protos[0..left) */
  FRAME_LIST, /* items of v still to write: [0..left) */
  FRAME_MAP, /* entries of v still to write, in `order` */
  FRAME_ENTRY, /* the entry's value is written; key and lengths are due */
} frame_kind;

typedef struct frame {
  uint8_t kind;
  uint32_t number; /* the tag that closes it; 0: the root, or an inlined message's owner */
  uint32_t left;
  uint32_t slots; /* STRUCT: where its slots start; LIST, MAP: unused */
  size_t mark; /* o->used when it was opened */
  const type_info *type; /* STRUCT: the message; LIST, MAP: of the items */
  const val *v;
  slice key; /* ENTRY */
  const val_entry **order; /* MAP: sorted, or NULL when the tree's order is */
} frame;

#define FRAMES_INLINE 24u
#define SLOTS_INLINE 384u

typedef struct encoder {
  proto_out out;
  frame *frames;
  const val **slots;
  uint32_t frame_count, frame_cap, slot_count, slot_cap;
  frame first_frames[FRAMES_INLINE];
  const val *first_slots[SLOTS_INLINE];
} encoder;

static frame *frame_push(encoder *e, frame f) {
  if (e->frame_count == e->frame_cap) {
    uint32_t cap = e->frame_cap * 2;
    frame *more = heap_alloc(cap * sizeof *more);
    memcpy(more, e->frames, e->frame_count * sizeof *more);
    if (e->frames != e->first_frames) heap_free(e->frames);
    e->frames = more;
    e->frame_cap = cap;
  }
  e->frames[e->frame_count] = f;
  return &e->frames[e->frame_count++];
}

static uint32_t slots_push(encoder *e, uint32_t count) {
  if (e->slot_cap - e->slot_count < count) {
    uint32_t cap = (e->slot_count + count) * 2;
    const val **more = heap_alloc(cap * sizeof *more);
    memcpy(more, e->slots, e->slot_count * sizeof *more);
    if (e->slots != e->first_slots) heap_free(e->slots);
    e->slots = more;
    e->slot_cap = cap;
  }
  uint32_t at = e->slot_count;
  e->slot_count += count;
  return at;
}

/* Puts v's values where their fields stand in t. Canonical trees are in the fields' order,
 * so both are walked once; stragglers are looked up. */
static void slots_fill(const val **slots, const val *v, const type_info *t) {
  uint32_t at = 0, count = val_is_map(v) ? v->count : 0;
  for (uint16_t i = 0; i < t->field_count; i++) {
    slots[i] = NULL;
    if (at == count) continue;
    slice key = v->u.entries[at].key, name = t->fields[i].name;
    if (key.len == name.len && (key.ptr == name.ptr || slice_eq(key, name))) {
      slots[i] = v->u.entries[at++].value;
    }
  }
  for (; at < count; at++) {
    const field_info *f = type_field(t, v->u.entries[at].key);
    if (f) slots[f - t->fields] = v->u.entries[at].value;
  }
}

/* A union is in JSON one of its members; its message has a field for each. */
static void union_fill(const val **slots, const val *v, const type_info *t) {
  static const val allowed = {.type = VAL_BOOL, .u.b = true};
  for (uint16_t i = 0; i < t->field_count; i++) {
    const type_info *member = t->fields[i].type;
    bool fits = member->kind == TYPE_STRUCT ? val_is_map(v)
                : member->kind == TYPE_LIST ? val_is_list(v)
                                            : val_is_bool(v);
    slots[i] = fits ? v : NULL;
    if (member->kind == TYPE_BOOL && val_is_map(v)) slots[i] = &allowed;
  }
}

static void struct_push(encoder *e, const val *v, const type_info *t, uint32_t number) {
  uint32_t slots = slots_push(e, t->field_count);
  if (t->kind == TYPE_STRUCT) slots_fill(e->slots + slots, v, t);
  else union_fill(e->slots + slots, v, t);
  frame_push(e, (frame){.kind = FRAME_STRUCT, .number = number, .left = t->proto_count,
                        .slots = slots, .mark = e->out.used, .type = t, .v = v});
}

/* An inlined struct is a message of its own, but its members are v's. */
static void inlined_push(encoder *e, const frame *owner, const proto_field *p) {
  struct_push(e, owner->v, p->type, proto_number(p));
}

static int entry_cmp(const void *a, const void *b) {
  return slice_cmp((*(const val_entry *const *)a)->key, (*(const val_entry *const *)b)->key);
}

/* NULL when v's entries are in order already. */
static const val_entry **map_order(const val *v) {
  bool sorted = true;
  for (uint32_t i = 1; i < v->count && sorted; i++) {
    sorted = slice_cmp(v->u.entries[i - 1].key, v->u.entries[i].key) < 0;
  }
  if (sorted) return NULL;
  const val_entry **order = heap_alloc(v->count * sizeof *order);
  for (uint32_t i = 0; i < v->count; i++) order[i] = &v->u.entries[i];
  qsort(order, v->count, sizeof *order, entry_cmp);
  return order;
}

void proto_encode_bytes(proto_out *o, slice base64) {
  size_t most = base64.len / 4 * 3, pad = 0;
  if (base64.len < 4 || base64.len > INT32_MAX) return;
  while (pad < 2 && base64.ptr[base64.len - 1 - pad] == '=') pad++;
  char *to = out_room(o, most);
  if (!to) return;
  int n = EVP_DecodeBlock((unsigned char *)to, (const unsigned char *)base64.ptr,
                          (int)base64.len);
  size_t len = n < 0 ? 0 : (size_t)n - pad; /* a canonical tree has no bad base64 */
  memmove(to + most - len, to, len);
  o->used -= most - len;
}

static void float_encode(proto_out *o, uint32_t number, double f) {
  uint64_t bits;
  memcpy(&bits, &f, sizeof bits);
  char *to = out_room(o, sizeof bits);
  for (size_t i = 0; to && i < sizeof bits; i++) to[i] = (char)(bits >> (8 * i));
  out_tag(o, number, WIRE_FIXED64);
}

static double float_of(const val *v) {
  return val_is_float(v) ? v->u.f : (double)val_i64(v);
}

static void strings_encode(proto_out *o, uint32_t number, const val *v) {
  for (uint32_t i = val_len(v); i > 0; i--) out_string(o, number, val_str(v->u.items[i - 1]));
}

static void list_encode(encoder *e, uint32_t number, const val *v, const type_info *t);

/* Writes a value with its tag, or pushes the frame that will. v NULL: the zero value. */
static void value_encode(encoder *e, uint32_t number, const val *v, const type_info *t) {
  proto_out *o = &e->out;
  size_t mark = o->used;
  switch ((type_kind)t->kind) {
    case TYPE_STRING: out_string(o, number, val_str(v)); break;
    case TYPE_BOOL: out_number(o, number, val_true(v) ? 1 : 0); break;
    case TYPE_INT32:
    case TYPE_INT64: out_number(o, number, (uint64_t)val_i64(v)); break;
    case TYPE_FLOAT64: float_encode(o, number, float_of(v)); break;
    case TYPE_BYTES:
      proto_encode_bytes(o, val_str(v));
      out_close(o, mark, number);
      break;
    case TYPE_LIST: list_encode(e, number, v, t); break;
    case TYPE_MAP:
      if (val_len(v) == 0) break;
      frame_push(e, (frame){.kind = FRAME_MAP, .number = number, .left = v->count,
                            .type = t->elem, .v = v, .order = map_order(v)});
      break;
    case TYPE_STRUCT:
    case TYPE_SCHEMA_OR_ARRAY:
    case TYPE_SCHEMA_OR_BOOL:
    case TYPE_SCHEMA_OR_STRINGS: struct_push(e, v, t, number); break;
    default:
      leaf_encode(o, v, t);
      out_close(o, mark, number);
      break;
  }
}

static void list_encode(encoder *e, uint32_t number, const val *v, const type_info *t) {
  if (t->wrapped) {
    size_t mark = e->out.used;
    strings_encode(&e->out, 1, v);
    out_close(&e->out, mark, number);
  } else if (t->elem->kind == TYPE_STRING) {
    strings_encode(&e->out, number, v);
  } else if (val_len(v) > 0) {
    frame_push(e, (frame){.kind = FRAME_LIST, .number = number, .left = v->count,
                          .type = t->elem, .v = v});
  }
}

/* gogo leaves out nil pointers, nil bytes, and lists and maps without members. A null stands
 * for a pointer to what Go writes null (a zero time). */
static bool is_written(const proto_field *f, const val *v) {
  if (v && (v->type != VAL_NULL || f->pointer)) return true;
  return f->absent != ABSENT_NONE;
}

static void struct_step(encoder *e, frame *f) {
  while (f->left > 0) {
    const proto_field *p = &f->type->protos[--f->left];
    uint32_t frames = e->frame_count;
    if (p->inlined) {
      inlined_push(e, f, p);
      return;
    }
    const val *v = e->slots[f->slots + p->at];
    if (!is_written(p, v)) continue;
    if (val_is_null(v)) v = NULL;
    value_encode(e, proto_number(p), v, p->type);
    if (e->frame_count != frames) return; /* f may have moved */
  }
  if (f->number) out_close(&e->out, f->mark, f->number);
  e->slot_count = f->slots;
  e->frame_count--;
}

static void list_step(encoder *e, frame *f) {
  while (f->left > 0) {
    uint32_t frames = e->frame_count;
    const val *v = f->v->u.items[--f->left];
    value_encode(e, f->number, val_is_null(v) ? NULL : v, f->type);
    if (e->frame_count != frames) return;
  }
  e->frame_count--;
}

static void entry_close(encoder *e, const frame *f) {
  out_string(&e->out, 1, f->key);
  out_close(&e->out, f->mark, f->number);
}

static bool is_framed(const type_info *t) {
  return t->kind == TYPE_STRUCT || t->kind == TYPE_SCHEMA_OR_ARRAY ||
         t->kind == TYPE_SCHEMA_OR_BOOL || t->kind == TYPE_SCHEMA_OR_STRINGS;
}

static void map_step(encoder *e, frame *f) {
  while (f->left > 0) {
    f->left--;
    const val_entry *entry = f->order ? f->order[f->left] : &f->v->u.entries[f->left];
    frame due = {.kind = FRAME_ENTRY, .number = f->number, .mark = e->out.used,
                 .key = entry->key};
    uint32_t frames = e->frame_count;
    const val *v = val_is_null(entry->value) ? NULL : entry->value;
    const type_info *t = f->type;
    if (is_framed(t)) { /* the entry's frame goes below the value's */
      frame_push(e, due);
      value_encode(e, 2, v, t);
      return;
    }
    if (v || t->kind != TYPE_BYTES) value_encode(e, 2, v, t);
    assert(e->frame_count == frames);
    entry_close(e, &due);
  }
  heap_free(f->order);
  e->frame_count--;
}

void proto_encode_deep(proto_out *o, const val *v, const type_info *t) {
  encoder e;
  e.out = *o;
  e.frames = e.first_frames;
  e.slots = e.first_slots;
  e.frame_count = e.slot_count = 0;
  e.frame_cap = FRAMES_INLINE;
  e.slot_cap = SLOTS_INLINE;
  struct_push(&e, v, t, 0);
  while (e.frame_count > 0) {
    frame *f = &e.frames[e.frame_count - 1];
    switch ((frame_kind)f->kind) {
      case FRAME_STRUCT: struct_step(&e, f); break;
      case FRAME_LIST: list_step(&e, f); break;
      case FRAME_MAP: map_step(&e, f); break;
      case FRAME_ENTRY:
        entry_close(&e, f);
        e.frame_count--;
        break;
    }
  }
  *o = e.out;
  if (e.frames != e.first_frames) heap_free(e.frames);
  if (e.slots != e.first_slots) heap_free(e.slots);
}
