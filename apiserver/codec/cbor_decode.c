/* cbor_decode: items to canonical typed trees, as Go's library decodes them into the API's types.
 *
 * The bytes are checked to be well-formed first. Then one walk with a stack of frames makes the
 * tree that JSON of the same object would have been parsed to, and keeps the first error of every
 * open array or map, because Go goes on behind an error and the inner one is reported by the
 * outer. Two errors override those before them and end their map: a key met twice, and, when
 * strict, a key that is no field. codec_conform brings the tree into its canonical form; it finds
 * no error any more.
 *
 * Types with a decoder of their own (times, quantities, raw values, unions of schemas) read their
 * item apart from what is around it: no tag of the outside counts, and unknown keys are errors. */
#include "codec/cbor_item.h"

#include "base/heap.h"
#include "base/quote.h"
#include "codec/codec.h"
#include "codec/conform.h"
#include "codec/strict.h"

#include <assert.h>
#include <math.h>

#define FRAMES_FIRST 64u
#define ANY_MAP_NAME SLICE_LIT("map[string]interface {}")

typedef enum frame_kind { FRAME_STRUCT, FRAME_MAP, FRAME_LIST } frame_kind;

/* What the frame's value is the outermost part of. */
typedef enum root_kind { ROOT_NONE, ROOT_RAW, ROOT_FIELDS } root_kind;

/* Of a struct: what was found in it. */
typedef struct struct_state {
  uint64_t found[4]; /* one bit a field */
  val *unknown; /* keys that are no field, lax: they too may not come twice */
  const field_info *field; /* the child under way */
} struct_state;

typedef struct frame {
  val *v;
  const type_info *t; /* STRUCT: itself; else of the members, NULL for interface{} */
  struct_state *state;
  cbor_fault *fault; /* the first one, or the one that ends it */
  slice key; /* MAP: the last one read; null reads as it */
  val *last; /* MAP: the last member, which null reads as where Go reuses it */
  uint32_t left, index;
  uint8_t kind, enc, root;
  bool indefinite, strict, elem_pointer;
  bool as_json; /* a raw value, of which Go makes JSON */
} frame;

typedef struct decoder {
  cbor_in in;
  slice late; /* first error of raw values, which Go looks at when all else is done */
  frame *frames;
  uint32_t depth, cap;
  val *result;
  cbor_outcome outcome;
  cbor_fault fault;
  frame first[FRAMES_FIRST];
} decoder;

typedef struct item {
  cbor_outcome outcome;
  val *v;
  cbor_fault fault;
} item;

/* ---- frames ---- */

static frame *push_frame(decoder *d, frame_kind kind, const cbor_head *h, const type_info *t,
                         uint8_t enc, bool strict) {
  if (d->depth == d->cap) {
    size_t size = d->cap * sizeof(frame);
    frame *fresh = d->frames == d->first ? heap_alloc(size * 2) : heap_realloc(d->frames, size * 2);
    if (d->frames == d->first) memcpy(fresh, d->first, size);
    d->frames = fresh;
    d->cap *= 2;
  }
  frame *f = &d->frames[d->depth++];
  *f = (frame){.kind = (uint8_t)kind, .t = t, .enc = enc, .strict = strict,
               .indefinite = h->info == CBOR_INFO_INDEFINITE, .key = SLICE_LIT("")};
  f->left = f->indefinite ? 0 : (uint32_t)h->argument;
  f->v = kind == FRAME_LIST ? val_list(d->in.a) : val_map(d->in.a);
  if (kind == FRAME_STRUCT) f->state = ARENA_NEW(d->in.a, struct_state);
  return f;
}

/* Is there another entry? Counts it off. */
static bool next_entry(decoder *d, frame *f) {
  if (f->indefinite) {
    if (*d->in.p != CBOR_BREAK) return true;
    d->in.p++;
    return false;
  }
  if (f->left == 0) return false;
  f->left--;
  return true;
}

static void skip(decoder *d) { d->in.p = cbor_skip(d->in.p, d->in.end); }

static void note_fault(decoder *d, frame *f, const cbor_fault *fault, bool overrides) {
  if (f->fault && !overrides) return;
  if (!f->fault) f->fault = ARENA_NEW(d->in.a, cbor_fault);
  *f->fault = *fault;
}

/* An error that ends a map: the value under way and all other entries are passed over. */
static void end_map(decoder *d, frame *f, slice text, cbor_fault_kind kind, bool value_read) {
  cbor_fault fault = {.kind = (uint8_t)kind, .text = text};
  note_fault(d, f, &fault, true);
  if (!value_read) skip(d);
  while (next_entry(d, f)) {
    skip(d);
    skip(d);
  }
  f->indefinite = false;
  f->left = 0;
}

static void end_duplicate(decoder *d, frame *f, slice shown, bool value_read) {
  slice text = arena_printf(d->in.a,
                            "cbor: found duplicate map key %.*s at map element index %u",
                            SLICE_ARG(shown), f->index);
  end_map(d, f, text, FAULT_OTHER, value_read);
}

/* ---- results ---- */

/* Kinds whose Go variable is used again from one map entry to the next. */
static bool is_reused(const type_info *t) {
  if (!t) return false;
  return t->kind == TYPE_STRING || t->kind == TYPE_BOOL || t->kind == TYPE_INT32 ||
         t->kind == TYPE_INT64 || t->kind == TYPE_FLOAT64;
}

static void deliver_member(decoder *d, frame *f, const item *it) {
  if (it->outcome == ITEM_FAULT) {
    note_fault(d, f, &it->fault, false);
    f->index++;
    return;
  }
  val *v = it->v;
  if (it->outcome == ITEM_ZERO) v = is_reused(f->t) && f->last ? f->last : val_null(d->in.a);
  else f->last = v;
  if (val_get(f->v, f->key)) {
    end_duplicate(d, f, go_quote(d->in.a, f->key), true);
    return;
  }
  val_set(d->in.a, f->v, f->key, v);
  f->index++;
}

static void deliver_field(decoder *d, frame *f, const item *it) {
  const field_info *field = f->state->field;
  f->index++;
  if (it->outcome == ITEM_VALUE) val_set(d->in.a, f->v, field->name, it->v);
  if (it->outcome != ITEM_FAULT || f->fault) return;
  note_fault(d, f, &it->fault, false);
  if (f->fault->kind == FAULT_TYPE) {
    f->fault->field =
        arena_printf(d->in.a, "%.*s.%.*s", SLICE_ARG(f->t->name), SLICE_ARG(field->name));
  }
}

static void deliver(decoder *d, const item *it) {
  if (d->depth == 0) {
    d->result = it->v;
    d->outcome = it->outcome;
    d->fault = it->fault;
    return;
  }
  frame *f = &d->frames[d->depth - 1];
  if (f->kind == FRAME_STRUCT) {
    deliver_field(d, f, it);
  } else if (f->kind == FRAME_MAP) {
    deliver_member(d, f, it);
  } else {
    if (it->outcome == ITEM_FAULT) note_fault(d, f, &it->fault, false);
    val_append(d->in.a, f->v, it->outcome == ITEM_VALUE ? it->v : val_null(d->in.a));
  }
}

static void note_late(decoder *d, root_kind root, const cbor_fault *fault) {
  slice text = cbor_fault_text(d->in.a, fault);
  const char *words = root == ROOT_RAW ? "failed to transcode RawExtension to JSON: "
                                         "failed to parse RawExtension bytes as CBOR"
                                       : "failed to transcode FieldsV1 to JSON: "
                                         "metav1.FieldsV1 cbor invalid";
  if (!d->late.len) d->late = arena_printf(d->in.a, "%s: %.*s", words, SLICE_ARG(text));
}

/* A raw value's errors wait; it is Go's JSON of what was read, so its maps are sorted. */
static item as_root(decoder *d, root_kind root, item it) {
  if (it.outcome == ITEM_FAULT) {
    note_late(d, root, &it.fault);
    it = (item){.outcome = ITEM_ZERO};
  }
  return it;
}

static void close_frame(decoder *d) {
  frame *f = &d->frames[--d->depth];
  item it = {.outcome = f->fault ? ITEM_FAULT : ITEM_VALUE, .v = f->v};
  if (f->fault) it.fault = *f->fault;
  if (f->kind == FRAME_MAP && !f->t) val_sort(f->v);
  if (f->root != ROOT_NONE) it = as_root(d, (root_kind)f->root, it);
  deliver(d, &it);
}

/* ---- types with a decoder of their own ---- */

static item fault_item(slice text) {
  return (item){.outcome = ITEM_FAULT, .fault = {.kind = FAULT_OTHER, .text = text}};
}

static item read_item(decoder *d, cbor_dest dest, slice type) {
  item it = {0};
  uint8_t enc = 0;
  cbor_head opened;
  it.outcome = cbor_item(&d->in, dest, type, &enc, &it.v, &opened, &it.fault);
  return it;
}

/* Go decodes a *string: null is told from "". */
static bool read_text(decoder *d, slice *text, item *it) {
  if (*d->in.p == CBOR_NULL || *d->in.p == CBOR_UNDEFINED) {
    d->in.p++;
    *it = (item){.outcome = ITEM_ZERO};
    return false;
  }
  *it = read_item(d, DEST_STRING, SLICE_LIT("string"));
  *text = it->outcome == ITEM_VALUE ? val_str(it->v) : SLICE_LIT("");
  return it->outcome != ITEM_FAULT;
}

static item read_leaf(decoder *d, const type_info *t) {
  item it;
  slice text;
  conform_why why = {0};
  if (!read_text(d, &text, &it)) return it;
  val *v = val_string(d->in.a, text);
  switch (conform_scalar(d->in.a, &v, t, &why)) {
    case CONFORM_KEEP: return (item){.outcome = ITEM_VALUE, .v = v};
    case CONFORM_NULL: return it; /* behind a pointer the zero time is told from nil */
    default: return fault_item(why.text);
  }
}

static item read_int_or_string(decoder *d) {
  const char *start = d->in.p;
  item it = read_item(d, DEST_STRING, SLICE_LIT("string"));
  if (it.outcome == ITEM_ZERO) { /* null is a string here, and empty */
    return (item){.outcome = ITEM_VALUE, .v = val_string(d->in.a, SLICE_LIT(""))};
  }
  if (it.outcome == ITEM_VALUE) return it;
  d->in.p = start;
  return read_item(d, DEST_INT32, SLICE_LIT("int32"));
}

/* Has no CBOR decoder: Go writes JSON of the item and reads that. */
static item read_duration(decoder *d, const type_info *t) {
  const char *start = d->in.p;
  conform_why why = {0};
  item it = read_item(d, DEST_ANY, SLICE_NONE);
  if (it.outcome == ITEM_FAULT) {
    slice text = cbor_fault_text(d->in.a, &it.fault);
    return fault_item(arena_printf(d->in.a, "cbor: cannot transcode from cbor to json: %.*s",
                                   SLICE_ARG(text)));
  }
  if (it.outcome == ITEM_OPEN) {
    d->in.p = cbor_skip(start, d->in.end);
    it.v = cbor_major_of(*start) == CBOR_ARRAY ? val_list(d->in.a) : val_map(d->in.a);
  }
  if (val_is_null(it.v)) return (item){.outcome = ITEM_ZERO};
  val *v = it.v;
  if (conform_scalar(d->in.a, &v, t, &why) == CONFORM_KEEP) {
    return (item){.outcome = ITEM_VALUE, .v = v};
  }
  if (why.text.len) return fault_item(why.text);
  return fault_item(arena_printf(d->in.a, "json: cannot unmarshal %s into Go value of type %.*s",
                                 why.value, SLICE_ARG(why.type)));
}

/* A whole number has no point in JSON, and so is an integer when that is read again. */
static val *json_number(arena *a, val *v) {
  bool whole = val_is_float(v) && v->u.f > -9.2e18 && v->u.f < 9.2e18 && v->u.f == trunc(v->u.f);
  return whole ? val_int(a, (int64_t)v->u.f) : v;
}

/* interface{}. False: a frame was opened. */
static bool begin_any(decoder *d, root_kind root, uint8_t enc, bool as_json, item *it) {
  cbor_head h;
  bool fields = root == ROOT_FIELDS;
  it->outcome = cbor_item(&d->in, fields ? DEST_ANY_MAP : DEST_ANY,
                          fields ? ANY_MAP_NAME : SLICE_NONE, &enc, &it->v, &h, &it->fault);
  if (it->outcome == ITEM_OPEN) {
    bool map = h.major == CBOR_MAP;
    frame *f = push_frame(d, map ? FRAME_MAP : FRAME_LIST, &h, NULL, enc, false);
    f->root = (uint8_t)root;
    f->as_json = as_json;
    return false;
  }
  if (as_json && it->outcome == ITEM_VALUE) it->v = json_number(d->in.a, it->v);
  if (root != ROOT_NONE) *it = as_root(d, root, *it);
  return true;
}

static const type_info *member_of(const type_info *t, type_kind kind) {
  return t->fields[0].type->kind == kind ? t->fields[0].type : t->fields[1].type;
}

static bool begin_union(decoder *d, const type_info *t, item *it) {
  char initial = *d->in.p;
  cbor_major major = cbor_major_of(initial);
  if (major == CBOR_MAP) {
    cbor_head h = cbor_head_read(&d->in.p);
    push_frame(d, FRAME_STRUCT, &h, member_of(t, TYPE_STRUCT), 0, true);
    return false;
  }
  if (t->kind != TYPE_SCHEMA_OR_BOOL && major == CBOR_ARRAY) {
    cbor_head h = cbor_head_read(&d->in.p);
    const type_info *list = member_of(t, TYPE_LIST);
    push_frame(d, FRAME_LIST, &h, list->elem, 0, true)->elem_pointer = list->elem_pointer;
    return false;
  }
  skip(d);
  *it = (item){.outcome = ITEM_ZERO};
  if (t->kind != TYPE_SCHEMA_OR_BOOL) return true;
  if (initial == CBOR_TRUE || initial == CBOR_FALSE) {
    *it = (item){.outcome = ITEM_VALUE, .v = val_bool(d->in.a, initial == CBOR_TRUE)};
  } else {
    *it = fault_item(SLICE_LIT("boolean or JSON schema expected"));
  }
  return true;
}

static bool begin_own(decoder *d, const type_info *t, item *it) {
  if (!cbor_tags_check(&d->in, &it->fault)) {
    it->outcome = ITEM_FAULT;
    return true;
  }
  switch ((type_kind)t->kind) {
    case TYPE_INT_OR_STRING: *it = read_int_or_string(d); return true;
    case TYPE_DURATION: *it = read_duration(d, t); return true;
    case TYPE_SCHEMA_OR_ARRAY:
    case TYPE_SCHEMA_OR_BOOL:
    case TYPE_SCHEMA_OR_STRINGS: return begin_union(d, t, it);
    case TYPE_RAW_EXTENSION:
    case TYPE_FIELDS_V1:
    case TYPE_JSON: break;
    default: *it = read_leaf(d, t); return true;
  }
  if (*d->in.p == CBOR_NULL) {
    d->in.p++;
    *it = (item){.outcome = ITEM_ZERO};
    return true;
  }
  root_kind root = t->kind == TYPE_JSON         ? ROOT_NONE
                   : t->kind == TYPE_FIELDS_V1 ? ROOT_FIELDS
                                               : ROOT_RAW;
  return begin_any(d, root, 0, true, it);
}

/* ---- values ---- */

static cbor_dest dest_of(const type_info *t) {
  switch ((type_kind)t->kind) {
    case TYPE_STRUCT: return DEST_STRUCT;
    case TYPE_LIST: return DEST_LIST;
    case TYPE_MAP: return DEST_MAP;
    case TYPE_STRING: return DEST_STRING;
    case TYPE_BOOL: return DEST_BOOL;
    case TYPE_INT32: return DEST_INT32;
    case TYPE_INT64: return DEST_INT64;
    case TYPE_FLOAT64: return DEST_FLOAT;
    case TYPE_BYTES: return DEST_BYTES;
    default: return DEST_ANY; /* with a decoder of its own */
  }
}

/* A tag before null hides it from the pointer, which then points to a zero value. */
static void fill_pointer(decoder *d, const type_info *t, item *it) {
  if (it->outcome != ITEM_ZERO) return;
  bool time = t->kind == TYPE_TIME || t->kind == TYPE_MICROTIME;
  it->outcome = ITEM_VALUE;
  it->v = !time                     ? conform_zero(d->in.a, t)
          : t->kind == TYPE_MICROTIME ? val_cstr(d->in.a, "0001-01-01T00:00:00.000000Z")
                                      : val_cstr(d->in.a, "0001-01-01T00:00:00Z");
}

/* The value at in.p inside of `around`. True: *it is complete; false: a frame was opened. */
static bool begin_value(decoder *d, const type_info *t, bool pointer, const frame *around,
                        item *it) {
  cbor_head h;
  uint8_t enc = around->enc;
  bool strict = around->strict;
  *it = (item){0};
  if (!t) return begin_any(d, ROOT_NONE, enc, around->as_json, it);
  if (pointer && (*d->in.p == CBOR_NULL || *d->in.p == CBOR_UNDEFINED)) {
    d->in.p++;
    it->outcome = ITEM_ZERO;
    return true;
  }
  cbor_dest dest = dest_of(t);
  bool complete = true;
  if (dest == DEST_ANY) {
    complete = begin_own(d, t, it);
  } else {
    it->outcome = cbor_item(&d->in, dest, t->name, &enc, &it->v, &h, &it->fault);
  }
  if (complete && pointer) fill_pointer(d, t, it);
  if (dest == DEST_ANY || it->outcome != ITEM_OPEN) return complete;
  frame_kind kind = dest == DEST_STRUCT ? FRAME_STRUCT : dest == DEST_MAP ? FRAME_MAP : FRAME_LIST;
  frame *f = push_frame(d, kind, &h, dest == DEST_STRUCT ? t : t->elem, enc, strict);
  f->elem_pointer = t->elem_pointer;
  return false;
}

/* ---- keys ---- */

/* The name of the Go type of a map's keys, told by the map's own. */
static slice key_type(const frame *f) {
  if (f->t && f->t->kind == TYPE_QUANTITY) return SLICE_LIT("v1.ResourceName");
  return SLICE_LIT("string");
}

/* False: the entry was passed over. */
static bool read_key(decoder *d, frame *f) {
  val *key = NULL;
  cbor_head h;
  cbor_fault fault;
  uint8_t enc = f->enc;
  cbor_outcome o = cbor_item(&d->in, DEST_STRING, key_type(f), &enc, &key, &h, &fault);
  if (o == ITEM_FAULT) {
    note_fault(d, f, &fault, false);
    skip(d);
    f->index++;
    return false;
  }
  if (o == ITEM_VALUE) f->key = val_str(key);
  return true;
}

/* A key as fmt's %#v shows it. */
static slice shown(arena *a, const val *key) {
  switch ((val_type)key->type) {
    case VAL_STRING: return go_quote(a, val_str(key));
    case VAL_INT: return arena_printf(a, "%lld", (long long)key->u.i);
    case VAL_BOOL: return key->u.b ? SLICE_LIT("true") : SLICE_LIT("false");
    case VAL_FLOAT: return arena_printf(a, "%g", key->u.f);
    default: return SLICE_LIT("<nil>");
  }
}

/* A key that is no field. */
static void unknown_key(decoder *d, frame *f, slice text) {
  if (f->strict) {
    slice words = arena_printf(d->in.a, "cbor: found unknown field at map element index %u",
                               f->index);
    end_map(d, f, words, FAULT_UNKNOWN, false);
    return;
  }
  if (!f->state->unknown) f->state->unknown = val_map(d->in.a);
  if (val_get(f->state->unknown, text)) {
    end_duplicate(d, f, text, false);
    return;
  }
  val_set(d->in.a, f->state->unknown, text, val_null(d->in.a));
  skip(d);
  f->index++;
}

/* A key that is no string: a number matches no field of the API; the others are errors as well. */
static void odd_key(decoder *d, frame *f) {
  const char *start = d->in.p;
  cbor_major major = cbor_major_of(*start);
  cbor_fault fault;
  if (major == CBOR_NINT) {
    const char *p = start;
    cbor_head h = cbor_head_read(&p);
    if (h.argument > INT64_MAX) {
      cbor_fault_type(&fault, CBOR_NINT, SLICE_LIT("int64"),
                      arena_printf(d->in.a, "-1-%llu overflows Go's int64",
                                   (unsigned long long)h.argument));
      note_fault(d, f, &fault, false);
    }
  }
  if (major > CBOR_NINT) {
    cbor_fault_type(&fault, major, SLICE_LIT("string"),
                    arena_printf(d->in.a,
                                 "map key is of type %s and cannot be used to match struct field "
                                 "name", cbor_major_name(major)));
    note_fault(d, f, &fault, false);
  }
  item key = read_item(d, DEST_ANY, SLICE_NONE);
  if (key.outcome == ITEM_VALUE) {
    unknown_key(d, f, shown(d->in.a, key.v));
    return;
  }
  d->in.p = cbor_skip(start, d->in.end);
  skip(d);
  f->index++;
}

/* The next field's value is at in.p (true), or the entry was dealt with. */
static bool read_field(decoder *d, frame *f) {
  cbor_major major = cbor_major_of(*d->in.p);
  slice key = SLICE_NONE;
  cbor_fault fault;
  if (major != CBOR_TEXT && major != CBOR_BYTES) {
    odd_key(d, f);
    return false;
  }
  if (!cbor_string(&d->in, &key, &fault)) {
    note_fault(d, f, &fault, false);
    skip(d);
    f->index++;
    return false;
  }
  const field_info *field = type_field(f->t, key);
  if (!field) {
    unknown_key(d, f, go_quote(d->in.a, key));
    return false;
  }
  size_t n = (size_t)(field - f->t->fields);
  uint64_t bit = 1ull << (n & 63);
  assert(n < 256);
  if (f->state->found[n >> 6] & bit) {
    end_duplicate(d, f, go_quote(d->in.a, field->name), false);
    return false;
  }
  f->state->found[n >> 6] |= bit;
  f->state->field = field;
  return true;
}

/* ---- the walk ---- */

static void step(decoder *d) {
  frame *f = &d->frames[d->depth - 1];
  item it;
  if (!next_entry(d, f)) {
    close_frame(d);
    return;
  }
  if (f->kind == FRAME_STRUCT) {
    if (!read_field(d, f)) return;
    const field_info *field = f->state->field;
    if (begin_value(d, field->type, field->pointer, f, &it)) deliver(d, &it);
    return;
  }
  if (f->kind == FRAME_MAP && !read_key(d, f)) return;
  if (begin_value(d, f->t, f->elem_pointer, f, &it)) deliver(d, &it);
}

/* One pass over well-formed bytes. */
static void decode(decoder *d, arena *a, slice bytes, const type_info *t, bool strict) {
  item it;
  cbor_head h;
  uint8_t enc = 0;
  d->in = (cbor_in){a, bytes.ptr, bytes.ptr + bytes.len};
  d->late = SLICE_NONE;
  d->frames = d->first;
  d->depth = 0;
  d->cap = FRAMES_FIRST;
  d->result = NULL;
  d->outcome = ITEM_ZERO;
  if (t) {
    frame outside = {.strict = strict};
    if (begin_value(d, t, false, &outside, &it)) deliver(d, &it);
  } else {
    it = (item){0};
    it.outcome = cbor_item(&d->in, DEST_ANY_MAP, ANY_MAP_NAME, &enc, &it.v, &h, &it.fault);
    if (it.outcome == ITEM_OPEN) push_frame(d, FRAME_MAP, &h, NULL, enc, false);
    else deliver(d, &it);
  }
  while (d->depth) step(d);
  if (d->frames != d->first) heap_free(d->frames);
}

val *cbor_decode(arena *a, slice bytes, const type_info *t, slice *unknown, slice *error) {
  decoder d;
  assert(a && t && error);
  if (!cbor_well_formed(a, bytes, error)) return NULL;
  decode(&d, a, bytes, t, unknown != NULL);
  if (unknown && d.outcome == ITEM_FAULT && d.fault.kind == FAULT_UNKNOWN) {
    *unknown = d.fault.text;
    decode(&d, a, bytes, t, false);
  }
  if (d.outcome == ITEM_FAULT || d.late.len) {
    *error = d.outcome == ITEM_FAULT ? cbor_fault_text(a, &d.fault) : d.late;
    return NULL;
  }
  return codec_conform(a, d.outcome == ITEM_ZERO ? val_map(a) : d.result, t, NULL, error);
}

val *cbor_parse(arena *a, slice bytes, slice *error) {
  decoder d;
  if (!cbor_well_formed(a, bytes, error)) return NULL;
  decode(&d, a, bytes, NULL, true);
  if (d.outcome == ITEM_FAULT) {
    *error = cbor_fault_text(a, &d.fault);
    return NULL;
  }
  return d.outcome == ITEM_ZERO ? val_null(a) : d.result;
}

bool cbor_type_meta(arena *a, slice bytes, slice *api_version, slice *kind, slice *error) {
  static const type_info text = {.name = {"string", 6}, .kind = TYPE_STRING};
  static const field_info fields[] = {
      {.name = {"kind", 4}, .type = &text, .omitempty = true},
      {.name = {"apiVersion", 10}, .type = &text, .omitempty = true},
  };
  static const uint16_t by_name[] = {1, 0};
  static const type_info meta = {.name = {"v1.TypeMeta", 11}, .kind = TYPE_STRUCT,
                                 .field_count = 2, .fields = fields, .by_name = by_name};
  slice why;
  val *v = cbor_decode(a, bytes, &meta, NULL, &why);
  if (!v) {
    *error = arena_printf(a, "unable to determine group/version/kind: %.*s", SLICE_ARG(why));
    return false;
  }
  *api_version = val_get_str(v, "apiVersion");
  *kind = val_get_str(v, "kind");
  return true;
}
