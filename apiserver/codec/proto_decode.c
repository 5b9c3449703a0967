/* proto_decode: gogo-protobuf messages to canonical typed trees.
 *
 * Without recursion: open messages stand in a linked stack of frames in the arena (popped
 * ones are used again), so that depth costs no C stack and is limited by a number. The
 * checks and their order are gogo's, so that a broken body gets the real server's error.
 * A message's values wait in slots, one a field, and become a map in schema order when the
 * message ends; a singular message met twice is merged, as protobuf wants it. */
#include "base/limits.h"
#include "codec/codec.h"
#include "codec/conform.h"
#include "codec/proto_leaf.h"
#include "codec/proto_wire.h"

#include <assert.h>
#include <math.h>

#define POOL_MAX 64u

typedef enum frame_kind {
  FRAME_STRUCT,
  FRAME_INLINED, /* a message whose members are the outer frame's own */
  FRAME_ENTRY, /* of a map: key 1, value 2 */
} frame_kind;

typedef struct frame frame;
struct frame {
  frame *up;
  proto_in in; /* limit: what a read may touch (an ENTRY's reads may leave the entry) */
  const char *end; /* where the message ends */
  const type_info *type; /* ENTRY: of the value */
  const proto_field *row; /* of the field that came last: the next is mostly this or behind it */
  uint8_t kind;
  uint16_t slot_base; /* INLINED: where the type's fields start among the owner's */
  uint32_t slot_cap;
  val **slots; /* STRUCT: one a field; INLINED: the owner's */
  val **own_slots; /* slots' memory, kept when the frame is used again */
  val **to; /* STRUCT: where the value goes, unless */
  val *list; /* it is appended here; ENTRY: the map */
  slice key; /* ENTRY */
  val *value; /* ENTRY */
};

typedef struct decoder {
  arena *arena;
  frame *top, *spare;
  uint32_t depth;
  val *pool; /* nodes are taken from the arena in blocks */
  uint32_t pool_left, pool_next;
  slice error;
  slice raw_error; /* leaf_error_waits */
} decoder;

static bool fail(decoder *d, slice text) {
  if (d->error.len == 0) d->error = text;
  return false;
}

static bool fail_in(decoder *d, const proto_in *in) {
  return fail(d, slice_cstr(in->error));
}

static inline val *node(decoder *d, val_type type) {
  if (d->pool_left == 0) {
    d->pool_left = d->pool_next;
    if (d->pool_next < POOL_MAX) d->pool_next *= 2;
    d->pool = arena_alloc(d->arena, sizeof(val) * d->pool_left);
  }
  d->pool_left--;
  val *v = d->pool++;
  *v = (val){.type = (uint8_t)type};
  return v;
}

static inline val *string_node(decoder *d, slice s) {
  val *v = node(d, VAL_STRING);
  v->u.s = s.ptr ? s.ptr : "";
  v->count = (uint32_t)s.len;
  return v;
}

static frame *frame_push(decoder *d, frame_kind kind, slice bytes, const type_info *t) {
  if (++d->depth > LIMIT_JSON_DEPTH) {
    fail(d, SLICE_LIT("proto: exceeded max depth"));
    return NULL;
  }
  frame *f = d->spare;
  if (f) d->spare = f->up;
  else f = ARENA_NEW(d->arena, frame);
  f->up = d->top;
  f->in = (proto_in){bytes.ptr, bytes.ptr, bytes.ptr + bytes.len, NULL};
  f->end = f->in.limit;
  f->type = t;
  f->kind = (uint8_t)kind;
  f->row = t->protos - 1; /* nobody's */
  f->slot_base = 0;
  f->to = NULL;
  f->list = f->value = NULL;
  f->key = SLICE_LIT("");
  d->top = f;
  return f;
}

static void frame_pop(decoder *d) {
  frame *f = d->top;
  d->top = f->up;
  f->up = d->spare;
  d->spare = f;
  d->depth--;
}

/* Opens a struct whose map will be put to *to, or appended to list. */
static bool struct_push(decoder *d, slice bytes, const type_info *t, val **to, val *list) {
  frame *f = frame_push(d, FRAME_STRUCT, bytes, t);
  if (!f) return false;
  uint32_t count = t->field_count;
  if (f->slot_cap < count) {
    f->slot_cap = count < 16 ? 16 : count;
    f->own_slots = ARENA_ARRAY(d->arena, val *, f->slot_cap);
  }
  f->slots = f->own_slots;
  if (count) memset(f->slots, 0, count * sizeof *f->slots);
  f->to = to;
  f->list = list;
  if (!to || !val_is_map(*to) || t->kind != TYPE_STRUCT) return true;
  VAL_EACH(e, *to) { /* met before: go on with what it gave */
    const field_info *known = type_field(t, e->key);
    if (known) f->slots[known - t->fields] = e->value;
  }
  return true;
}

static bool inlined_push(decoder *d, slice bytes, const proto_field *p) {
  const type_info *t = p->type;
  frame *owner = d->top;
  frame *f = frame_push(d, FRAME_INLINED, bytes, t);
  if (!f) return false;
  f->slots = owner->slots;
  f->slot_base = (uint16_t)(owner->slot_base + p->at);
  return true;
}

/* The row whose tag this is: mostly the one of the last field or the one behind it. NULL: it must
 * be looked for, by field_find. */
static inline const proto_field *row_of_tag(frame *f, uint64_t tag) {
  const proto_field *p = f->row;
  if (tag == 0) return NULL; /* the key of the rows that are nobody's */
  if (p->key == tag) return p;
  if ((++p)->key != tag) return NULL;
  f->row = p;
  return p;
}

static const proto_field *field_find(frame *f, int32_t number) {
  const proto_field *p = type_proto_field(f->type, (uint32_t)number);
  if (p) f->row = p;
  return p;
}

static unsigned wire_of(const type_info *t) {
  switch ((type_kind)t->kind) {
    case TYPE_BOOL:
    case TYPE_INT32:
    case TYPE_INT64: return WIRE_VARINT;
    case TYPE_FLOAT64: return WIRE_FIXED64;
    default: return WIRE_BYTES;
  }
}

static val *number_val(decoder *d, uint64_t n, const type_info *t) {
  val *v = node(d, t->kind == TYPE_BOOL ? VAL_BOOL : VAL_INT);
  if (t->kind == TYPE_BOOL) v->u.b = n != 0;
  else v->u.i = t->kind == TYPE_INT32 ? (int64_t)(int32_t)(uint32_t)n : (int64_t)n;
  return v;
}

static bool float_read(decoder *d, proto_in *in, val **out) {
  uint64_t bits = 0;
  double f;
  if (in->limit - in->p < 8) return fail(d, SLICE_LIT("unexpected EOF"));
  for (unsigned i = 0; i < 8; i++) bits |= (uint64_t)(unsigned char)in->p[i] << (8 * i);
  in->p += 8;
  memcpy(&f, &bits, sizeof f);
  if (isnan(f)) return fail(d, SLICE_LIT(PROTO_NO_JSON "NaN"));
  if (isinf(f)) {
    return fail(d, f > 0 ? SLICE_LIT(PROTO_NO_JSON "+Inf") : SLICE_LIT(PROTO_NO_JSON "-Inf"));
  }
  *out = val_float(d->arena, f);
  return true;
}

/* Verbs and ExtraValue: message { repeated string items = 1 }. Without items: empty, not nil. */
static bool wrapped_read(decoder *d, slice bytes, const type_info *t, val **list) {
  proto_in in = {bytes.ptr, bytes.ptr, bytes.ptr + bytes.len, NULL};
  if (!*list) *list = val_list(d->arena);
  while (in.p < in.limit) {
    const char *tag_at = in.p;
    uint64_t wire;
    slice item;
    if (!wire_varint(&in, &wire)) break;
    int32_t number = (int32_t)(uint32_t)(wire >> 3);
    if ((wire & 7) == WIRE_END || number <= 0) {
      return fail(d, wire_tag_error(d->arena, proto_message_name(t), number, wire));
    }
    if (number != 1) {
      in.p = tag_at;
      if (!wire_skip(&in, &in.p)) break;
      continue;
    }
    if ((wire & 7) != WIRE_BYTES) {
      return fail(d, arena_printf(d->arena, "proto: wrong wireType = %u for field Items",
                                  (unsigned)(wire & 7)));
    }
    if (!wire_bytes(&in, &item)) break;
    val_append(d->arena, *list, val_string(d->arena, item));
  }
  return in.error ? fail_in(d, &in) : true;
}

/* A value of length-delimited form to *to, or appended to list when that is given. */
static bool bytes_value(decoder *d, slice bytes, const type_info *t, val **to, val *list) {
  val *v = NULL;
  switch ((type_kind)t->kind) {
    case TYPE_STRING: v = string_node(d, bytes); break;
    case TYPE_BYTES: v = string_node(d, base64_encode(d->arena, bytes)); break;
    case TYPE_STRUCT:
    case TYPE_SCHEMA_OR_ARRAY:
    case TYPE_SCHEMA_OR_BOOL:
    case TYPE_SCHEMA_OR_STRINGS: return struct_push(d, bytes, t, to, list);
    case TYPE_LIST: return wrapped_read(d, bytes, t, to);
    default:
      if (!leaf_decode(d->arena, bytes, t, list ? NULL : *to, &v, &d->error)) {
        if (!leaf_error_waits(t, d->error)) return false;
        if (!d->raw_error.len) d->raw_error = d->error;
        d->error = SLICE_NONE;
      }
      if (!v) v = val_null(d->arena); /* a zero time, empty raw JSON: Go writes null */
      break;
  }
  if (list) val_append(d->arena, list, v);
  else *to = v;
  return true;
}

/* Numbers in a list may come one by one or packed. */
static bool packed_read(decoder *d, proto_in *in, const type_info *t, val *list) {
  slice bytes;
  if (!wire_bytes(in, &bytes)) return fail_in(d, in);
  proto_in packed = {in->start, bytes.ptr, in->limit, NULL};
  const char *end = bytes.ptr + bytes.len;
  while (packed.p < end) {
    uint64_t n;
    val *v;
    if (t->kind == TYPE_FLOAT64) {
      if (!float_read(d, &packed, &v)) return false;
    } else {
      if (!wire_varint(&packed, &n)) return fail_in(d, &packed);
      v = number_val(d, n, t);
    }
    val_append(d->arena, list, v);
  }
  in->p = packed.p;
  return true;
}

static bool number_read(decoder *d, proto_in *in, const type_info *t, val **out) {
  uint64_t n;
  if (t->kind == TYPE_FLOAT64) return float_read(d, in, out);
  if (!wire_varint(in, &n)) return fail_in(d, in);
  *out = number_val(d, n, t);
  return true;
}

static bool list_read(decoder *d, frame *f, const field_info *fi, unsigned wire, val **slot) {
  const type_info *elem = fi->type->elem;
  unsigned want = wire_of(elem);
  slice bytes;
  if (wire != want && wire != WIRE_BYTES) {
    return fail(d, wire_type_error(d->arena, proto_message_name(f->type), fi->name, wire));
  }
  if (!val_is_list(*slot)) *slot = node(d, VAL_LIST);
  if (want == WIRE_BYTES) {
    if (!wire_bytes(&f->in, &bytes)) return fail_in(d, &f->in);
    return bytes_value(d, bytes, elem, NULL, *slot);
  }
  if (wire == WIRE_BYTES) return packed_read(d, &f->in, elem, *slot);
  val *v;
  if (!number_read(d, &f->in, elem, &v)) return false;
  val_append(d->arena, *slot, v);
  return true;
}

static bool map_read(decoder *d, frame *f, const field_info *fi, val **slot) {
  slice bytes;
  if (!wire_bytes(&f->in, &bytes)) return fail_in(d, &f->in);
  if (!val_is_map(*slot)) *slot = node(d, VAL_MAP);
  frame *entry = frame_push(d, FRAME_ENTRY, bytes, fi->type->elem);
  if (!entry) return false;
  entry->in.limit = f->in.limit; /* gogo bounds an entry's reads by the outer message */
  entry->list = *slot;
  return true;
}

static bool field_read(decoder *d, frame *f, const proto_field *p, unsigned wire) {
  slice bytes;
  if (p->inlined) {
    if (wire != WIRE_BYTES) {
      slice field = proto_message_name(p->type);
      return fail(d, arena_printf(d->arena, "proto: wrong wireType = %u for field %.*s", wire,
                                  SLICE_ARG(field)));
    }
    if (!wire_bytes(&f->in, &bytes)) return fail_in(d, &f->in);
    return inlined_push(d, bytes, p);
  }
  const field_info *fi = &f->type->fields[p->at];
  const type_info *t = p->type;
  val **slot = &f->slots[f->slot_base + p->at];
  if (t->kind == TYPE_LIST && !t->wrapped) return list_read(d, f, fi, wire, slot);
  if (wire != wire_of(t)) {
    return fail(d, wire_type_error(d->arena, proto_message_name(f->type), fi->name, wire));
  }
  if (t->kind == TYPE_MAP) return map_read(d, f, fi, slot);
  if (wire != WIRE_BYTES) return number_read(d, &f->in, t, slot);
  if (!wire_bytes(&f->in, &bytes)) return fail_in(d, &f->in);
  return bytes_value(d, bytes, t, slot, NULL);
}

/* A field whose tag was met before it is the row's: of the right wire type, then. */
static inline bool row_read(decoder *d, frame *f, const proto_field *p) {
  val **slot = &f->slots[f->slot_base + p->at];
  uint64_t n;
  slice bytes;
  switch (p->kind) {
    case TYPE_STRING:
      if (!wire_bytes(&f->in, &bytes)) return fail_in(d, &f->in);
      *slot = string_node(d, bytes);
      return true;
    case TYPE_BOOL:
    case TYPE_INT32:
    case TYPE_INT64:
      if (!wire_varint(&f->in, &n)) return fail_in(d, &f->in);
      *slot = number_val(d, n, p->type);
      return true;
    case TYPE_STRUCT:
      if (!wire_bytes(&f->in, &bytes)) return fail_in(d, &f->in);
      return p->inlined ? inlined_push(d, bytes, p) : struct_push(d, bytes, p->type, slot, NULL);
    default: return field_read(d, f, p, p->key & 7u);
  }
}

/* A field that is not where it is expected: unknown, out of order, broken. */
static __attribute__((noinline)) bool stray_read(decoder *d, frame *f, const char *tag_at,
                                                 uint64_t wire) {
  int32_t number = (int32_t)(uint32_t)(wire >> 3);
  if ((wire & 7) == WIRE_END || number <= 0) {
    return fail(d, wire_tag_error(d->arena, proto_message_name(f->type), number, wire));
  }
  const proto_field *p = field_find(f, number);
  if (p) return field_read(d, f, p, (unsigned)(wire & 7));
  f->in.p = tag_at;
  return wire_skip(&f->in, &f->in.p) || fail_in(d, &f->in);
}

/* Reads fields until the message ends or a nested one is opened. */
static bool struct_step(decoder *d, frame *f) {
  while (d->top == f && f->in.p < f->end) {
    const char *tag_at = f->in.p;
    uint64_t wire;
    if (!wire_varint(&f->in, &wire)) return fail_in(d, &f->in);
    const proto_field *p = row_of_tag(f, wire);
    if (p ? !row_read(d, f, p) : !stray_read(d, f, tag_at, wire)) return false;
  }
  return true;
}

static bool entry_step(decoder *d, frame *f) {
  while (d->top == f && f->in.p < f->end) {
    const char *tag_at = f->in.p;
    uint64_t wire;
    slice bytes;
    if (!wire_varint(&f->in, &wire)) return fail_in(d, &f->in);
    int32_t number = (int32_t)(uint32_t)(wire >> 3);
    if (number == 1 || number == 2) { /* of any wire type: gogo does not look */
      if (!wire_bytes(&f->in, &bytes)) return fail_in(d, &f->in);
      if (number == 1) {
        f->key = bytes;
        continue;
      }
      f->value = NULL;
      if (!bytes_value(d, bytes, f->type, &f->value, NULL)) return false;
      continue;
    }
    f->in.p = tag_at;
    if (!wire_skip(&f->in, &f->in.p)) return fail_in(d, &f->in);
    if (f->in.p > f->end) return fail(d, SLICE_LIT("unexpected EOF"));
  }
  return true;
}

/* Go's zero value of a map's value. */
static val *zero_value(arena *a, const type_info *t) {
  switch ((type_kind)t->kind) {
    case TYPE_STRING:
    case TYPE_BYTES: return val_string(a, SLICE_LIT(""));
    case TYPE_QUANTITY: return val_string(a, SLICE_LIT("0"));
    case TYPE_STRUCT: return val_map(a);
    case TYPE_LIST: return val_list(a); /* a wrapped one */
    default: return val_null(a);
  }
}

/* NULL where no member came, but for a JSONSchemaPropsOrBool: it then does not allow. */
static val *union_value(decoder *d, const frame *f) {
  val *found = NULL;
  for (uint16_t i = 0; i < f->type->field_count; i++) {
    val *v = f->slots[i];
    bool is_schema = f->type->fields[i].type->kind == TYPE_STRUCT;
    bool is_list = f->type->fields[i].type->kind == TYPE_LIST;
    if (!v) continue;
    if (is_list || !found || (is_schema && !val_is_list(found))) found = v;
  }
  if (!found && f->type->kind == TYPE_SCHEMA_OR_BOOL) return val_bool(d->arena, false);
  return found;
}

/* As in codec_conform: what is no pointer is absent when zero, but for bytes and messages around
 * lists, which Go tells from nil. */
static inline bool is_dropped(const field_info *fi, const val *v) {
  if ((v->type >= VAL_LIST && v->count) || (v->type == VAL_STRING && v->count > 2)) return false;
  if ((v->type == VAL_INT && v->u.i) || (v->type == VAL_BOOL && v->u.b)) return false;
  if (fi->pointer || !conform_is_zero(v, fi->type)) return false;
  return fi->omitempty || (fi->type->kind != TYPE_BYTES && !fi->type->wrapped);
}

static val *struct_value(decoder *d, const frame *f) {
  const type_info *t = f->type;
  uint32_t count = 0;
  val *map = node(d, VAL_MAP);
  for (uint16_t i = 0; i < t->field_count; i++) count += f->slots[i] != NULL;
  if (count == 0) return map;
  map->u.entries = arena_alloc(d->arena, count * sizeof(val_entry));
  map->cap = count;
  for (uint16_t i = 0; i < t->field_count; i++) {
    val *v = f->slots[i];
    if (!v || is_dropped(&t->fields[i], v)) continue;
    const field_brief *b = &t->brief[i];
    if (v->type == VAL_MAP && v->count > 1 && b->type->kind == TYPE_MAP) val_sort(v);
    map->u.entries[map->count++] = (val_entry){{b->name, b->name_len}, v};
  }
  return map;
}

/* The top frame's message has ended. */
static void frame_close(decoder *d, frame *f) {
  if (f->kind == FRAME_ENTRY) {
    val_set(d->arena, f->list, f->key, f->value ? f->value : zero_value(d->arena, f->type));
  } else if (f->kind == FRAME_STRUCT) {
    val *v = f->type->kind == TYPE_STRUCT ? struct_value(d, f) : union_value(d, f);
    if (f->list) val_append(d->arena, f->list, v ? v : val_null(d->arena));
    else *f->to = v ? v : val_null(d->arena);
  }
  frame_pop(d);
}

val *proto_decode(arena *a, slice bytes, const type_info *t, slice *error) {
  decoder d = {.arena = a, .pool_next = 8};
  val *root = NULL;
  assert(t->kind == TYPE_STRUCT);
  if (!bytes.ptr) bytes = SLICE_LIT("");
  struct_push(&d, bytes, t, &root, NULL);
  while (d.top) {
    frame *f = d.top;
    bool good = f->kind == FRAME_ENTRY ? entry_step(&d, f) : struct_step(&d, f);
    if (!good || d.error.len) {
      *error = d.error;
      return NULL;
    }
    if (d.top == f) frame_close(&d, f);
  }
  *error = d.raw_error;
  if (d.raw_error.len) return NULL;
  return root;
}
