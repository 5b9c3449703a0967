/* From an untyped tree to a typed one, in place.
 *
 * An explicit stack of frames instead of recursion: bodies may nest 10,000 deep, and the
 * frames are at the same time the path that the errors and the strict report need, so that
 * the good case pays nothing for them. Go's decoder notes the first value of a wrong kind and
 * goes on; a hand-written decoder's refusal (quantity, time) ends it and wins: so here.
 *
 * The canonical tree: a field that is no Go pointer is absent when it has its zero value; the
 * one exception is an empty list, map or bytes without omitempty, which Go tells from nil. */
#include "codec/conform.h"
#include "codec/strict.h"

#include "base/heap.h"
#include "base/limits.h"

#include <assert.h>

#define FRAMES_FIRST 24u
#define ORDER_FIRST 256u

typedef struct frame {
  val *v;
  const type_info *t; /* struct, list or map */
  const field_info *field; /* struct: the child under way */
  uint32_t next; /* entry or item to look at */
  uint32_t kept; /* struct: entries that stay, moved to the front */
  uint32_t order; /* struct: where its field numbers start on the order stack */
  uint16_t guess; /* struct: the field that probably comes next */
  bool disordered;
  bool quiet; /* below a hand-written decoder that is not strict */
  bool loose; /* a field came more than once here or above: nothing is dropped yet */
  bool resolves; /* the outermost of these */
  bool repeats; /* v has keys more than once */
} frame;

typedef struct conform {
  arena *a;
  strict_report *report;
  bool duplicates; /* the report holds some that must be confirmed */
  slice saved; /* first error of a kind that Go goes on after */
  slice fatal;
  frame *frames;
  val *nil; /* in a loose frame: null came */
  uint32_t depth, frames_cap;
  uint16_t *order; /* field numbers of the kept entries of all open structs */
  uint32_t order_cap;
  frame frames_first[FRAMES_FIRST];
  uint16_t order_first[ORDER_FIRST];
} conform;

/* ---- paths and errors ---- */

/* Go's path names an inlined struct on the way to its fields. */
static void add_inlined(buf *path, const type_info *t, const field_info *f) {
  for (uint16_t i = 0; i < t->proto_count; i++) {
    const type_info *in = t->protos[i].type;
    if (!t->protos[i].inlined || !type_field(in, f->name)) continue;
    slice head, tail;
    slice_cut(in->name, '.', &head, &tail);
    buf_append(path, tail);
    buf_char(path, '.');
    add_inlined(path, in, f);
    return;
  }
}

/* "metadata" of an object is Go's embedded TypeMeta's neighbour; kind and apiVersion are in it. */
static bool is_type_meta(const field_info *f) {
  return f->proto == 0 && (slice_is(f->name, "kind") || slice_is(f->name, "apiVersion"));
}

static slice error_text(conform *c, const conform_why *why) {
  if (why->text.len) return why->text;
  const frame *inner = NULL;
  buf path;
  buf_init(&path, LIMIT_REQUEST_BODY);
  for (uint32_t i = 0; i < c->depth; i++) {
    const frame *f = &c->frames[i];
    if (f->t->kind != TYPE_STRUCT) continue;
    if (path.len) buf_char(&path, '.');
    if (is_type_meta(f->field)) buf_lit(&path, "TypeMeta.");
    else add_inlined(&path, f->t, f->field);
    buf_append(&path, f->field->name);
    inner = f;
  }
  slice value = why->value ? slice_cstr(why->value) : why->value_text, text;
  if (inner) {
    slice head, name;
    slice_cut(inner->t->name, '.', &head, &name);
    slice where = buf_slice(&path);
    text = arena_printf(c->a,
                        "json: cannot unmarshal %.*s into Go struct field %.*s.%.*s of type %.*s",
                        SLICE_ARG(value), SLICE_ARG(name), SLICE_ARG(where), SLICE_ARG(why->type));
  } else {
    text = arena_printf(c->a, "json: cannot unmarshal %.*s into Go value of type %.*s",
                        SLICE_ARG(value), SLICE_ARG(why->type));
  }
  buf_dispose(&path);
  return text;
}

static void note_mismatch(conform *c, const conform_why *why) {
  if (!c->saved.len) c->saved = error_text(c, why);
}

static slice strict_path(const conform *c, slice key) {
  buf path;
  buf_init(&path, LIMIT_REQUEST_BODY * 2);
  for (uint32_t i = 0; i + 1 < c->depth; i++) {
    const frame *f = &c->frames[i];
    if (f->t->kind == TYPE_LIST) {
      buf_printf(&path, "[%u]", f->next - 1);
      continue;
    }
    if (path.len) buf_char(&path, '.');
    buf_append(&path, f->t->kind == TYPE_MAP ? f->v->u.entries[f->next - 1].key : f->field->name);
  }
  if (path.len) buf_char(&path, '.');
  buf_append(&path, key);
  slice text = arena_copy(c->a, buf_slice(&path));
  buf_dispose(&path);
  return text;
}

static void note_unknown(conform *c, const frame *f, slice key) {
  if (!c->report || f->quiet || c->report->count >= STRICT_ERRORS_MAX) return;
  strict_add_unknown(c->report, c->a, strict_path(c, key), key);
}

/* ---- the stacks ---- */

static void *regrow(void *old, bool on_heap, size_t old_size) {
  if (on_heap) return heap_realloc(old, old_size * 2);
  void *fresh = heap_alloc(old_size * 2);
  memcpy(fresh, old, old_size);
  return fresh;
}

/* v with all that the text had. */
static bool restore_repeats(conform *c, val *v) {
  uint32_t count;
  const val_entry *e = val_is_map(v) ? strict_entries(c->report, v, &count) : NULL;
  if (!e || e == v->u.entries) return false;
  v->u.entries = arena_alloc(c->a, count * sizeof *e);
  memcpy(v->u.entries, e, count * sizeof *e);
  v->count = v->cap = count;
  v->index = NULL;
  return true;
}

static void push_frame(conform *c, val *v, const type_info *t, bool quiet) {
  if (c->depth == c->frames_cap) {
    c->frames = regrow(c->frames, c->frames != c->frames_first, c->frames_cap * sizeof(frame));
    c->frames_cap *= 2;
  }
  uint32_t order = 0;
  bool loose = false, repeats = false;
  if (c->depth) {
    const frame *parent = &c->frames[c->depth - 1];
    order = parent->order + parent->kept;
    quiet |= parent->quiet;
    loose = parent->loose;
  }
  if (c->duplicates && !quiet) strict_confirm(c->report, v, t);
  if (c->duplicates) repeats = restore_repeats(c, v);
  c->frames[c->depth++] = (frame){.v = v, .t = t, .order = order, .quiet = quiet,
                                  .loose = loose || (repeats && t->kind == TYPE_STRUCT),
                                  .resolves = repeats && !loose, .repeats = repeats};
}

static void push_order(conform *c, uint32_t at, uint16_t number) {
  if (at == c->order_cap) {
    c->order = regrow(c->order, c->order != c->order_first, c->order_cap * sizeof *c->order);
    c->order_cap *= 2;
  }
  c->order[at] = number;
}

/* ---- one value ---- */

typedef enum step { STEP_DONE, STEP_NULL, STEP_DROP, STEP_DOWN, STEP_STOP } step;

static step begin_container(conform *c, val *v, const type_info *t) {
  bool fits = t->kind == TYPE_LIST ? val_is_list(v) : val_is_map(v);
  if (fits) {
    push_frame(c, v, t, false);
    return STEP_DOWN;
  }
  conform_why why = {.type = t->name};
  conform_describe(c->a, v, false, &why);
  note_mismatch(c, &why);
  return STEP_DROP;
}

static const type_info *member_of(const type_info *t, type_kind kind) {
  return t->fields[0].type->kind == kind ? t->fields[0].type : t->fields[1].type;
}

/* The unions of a JSON schema with something else. */
static step begin_union(conform *c, val **slot, const type_info *t) {
  val *v = *slot;
  if (val_is_map(v)) {
    push_frame(c, v, member_of(t, TYPE_STRUCT), true);
    return STEP_DOWN;
  }
  if (t->kind == TYPE_SCHEMA_OR_BOOL) {
    if (val_is_bool(v)) return STEP_DONE;
    c->fatal = SLICE_LIT("boolean or JSON schema expected");
    return STEP_STOP;
  }
  if (val_is_list(v) && v->count) {
    push_frame(c, v, member_of(t, TYPE_LIST), true);
    return STEP_DOWN;
  }
  *slot = val_null(c->a);
  return STEP_DONE;
}

static step begin_value(conform *c, val **slot, const type_info *t) {
  conform_why why = {0};
  switch ((type_kind)t->kind) {
    case TYPE_STRUCT:
    case TYPE_LIST:
    case TYPE_MAP: return begin_container(c, *slot, t);
    case TYPE_SCHEMA_OR_ARRAY:
    case TYPE_SCHEMA_OR_BOOL:
    case TYPE_SCHEMA_OR_STRINGS: return begin_union(c, slot, t);
    default: break;
  }
  bool goes_on = t->kind == TYPE_JSON && slice_is(t->name, "interface {}");
  if (goes_on && c->duplicates) strict_confirm_all(c->report, *slot, t, 0);
  if (t->kind == TYPE_QUANTITY && strict_was_escaped(c->report, *slot)) {
    c->fatal = SLICE_LIT("quantities must match the regular expression "
                         "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
    return STEP_STOP; /* Go's decoder of these does not unescape */
  }
  switch (conform_scalar(c->a, slot, t, &why)) {
    case CONFORM_KEEP: return STEP_DONE;
    case CONFORM_NULL: return STEP_NULL;
    case CONFORM_MISMATCH: note_mismatch(c, &why); return STEP_DROP;
    case CONFORM_FATAL: break;
  }
  c->fatal = error_text(c, &why);
  return STEP_STOP;
}

/* ---- structs ---- */

static const field_info *find_field(frame *f, slice key) {
  const type_info *t = f->t;
  for (uint16_t i = f->guess; i < t->field_count && i < f->guess + 4; i++) {
    if (!slice_eq(t->fields[i].name, key)) continue;
    f->guess = (uint16_t)(i + 1);
    return &t->fields[i];
  }
  const field_info *field = type_field(t, key);
  if (field) f->guess = (uint16_t)(field - t->fields + 1);
  return field;
}

bool conform_is_dropped(const field_info *f, const val *v) {
  if (f->pointer) return false;
  bool tells_nil = f->type->kind == TYPE_LIST || f->type->kind == TYPE_MAP ||
                   f->type->kind == TYPE_BYTES;
  return conform_is_zero(v, f->type) && (!tells_nil || f->omitempty || val_is_null(v));
}

/* After the child under way is complete: is it kept? */
static void settle_field(frame *f) {
  if (f->loose) return;
  const val *value = f->v->u.entries[f->kept - 1].value;
  if (!conform_is_dropped(f->field, value)) return;
  f->kept--;
  bool repeated = f->field->type->kind == TYPE_LIST || f->field->type->kind == TYPE_MAP;
  if (repeated && !val_is_null(value)) val_note_empty(f->v, f->field->name);
}

static void keep_entry(conform *c, frame *f, val *value) {
  uint16_t number = (uint16_t)(f->field - f->t->fields);
  if (f->kept && c->order[f->order + f->kept - 1] > number) f->disordered = true;
  push_order(c, f->order + f->kept, number);
  f->v->u.entries[f->kept++] = (val_entry){f->field->name, value};
}

static void sort_fields(conform *c, frame *f) {
  uint16_t *order = c->order + f->order;
  val_entry *e = f->v->u.entries;
  for (uint32_t i = 1; i < f->kept; i++) { /* no more entries than the type has fields */
    uint16_t number = order[i];
    val_entry entry = e[i];
    uint32_t j = i;
    for (; j > 0 && order[j - 1] > number; j--) {
      order[j] = order[j - 1];
      e[j] = e[j - 1];
    }
    order[j] = number;
    e[j] = entry;
  }
}

bool conform_is_nullable(const type_info *t) {
  switch ((type_kind)t->kind) {
    case TYPE_STRUCT:
    case TYPE_STRING:
    case TYPE_BOOL:
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_FLOAT64:
    case TYPE_RAW_EXTENSION:
    case TYPE_FIELDS_V1: return false;
    default: return true;
  }
}

/* After a leaf of the field under way: what stays of it. */
static void settle_leaf(conform *c, frame *f, uint32_t at, step s) {
  if (s == STEP_DROP) f->kept--;
  else if (s == STEP_NULL && f->field->pointer) f->v->u.entries[at].value = val_null(c->a);
  else if (s == STEP_NULL && f->loose) f->v->u.entries[at].value = c->nil;
  else if (s == STEP_NULL) f->kept--;
  else settle_field(f);
}

/* The next field. STEP_DONE: the struct is complete. */
static step step_struct(conform *c) {
  frame *f = &c->frames[c->depth - 1];
  while (f->next < f->v->count) {
    val_entry e = f->v->u.entries[f->next++];
    const field_info *field = find_field(f, e.key);
    if (!field) {
      note_unknown(c, f, e.key);
      continue;
    }
    bool null = val_is_null(e.value);
    if (null && !(f->loose && (field->pointer || conform_is_nullable(field->type)))) continue;
    f->field = field;
    uint32_t at = f->kept;
    keep_entry(c, f, null ? c->nil : e.value);
    if (null) continue;
    step s = begin_value(c, &f->v->u.entries[at].value, field->type);
    if (s == STEP_DOWN || s == STEP_STOP) return s;
    settle_leaf(c, f, at, s);
  }
  f->v->count = f->kept;
  f->v->index = NULL; /* it numbered the old entries; a scan serves as well */
  if (f->disordered && !f->loose) sort_fields(c, f);
  if (f->resolves) conform_resolve(c->a, f->v, f->t, c->nil);
  return STEP_DONE;
}

/* ---- lists and maps ---- */

static val *nothing(conform *c, const type_info *t) {
  return t->elem_pointer ? val_null(c->a) : conform_zero(c->a, t->elem);
}

/* Of a map's values of one key. Each was made anew, as Go does for maps. */
static void keep_last(conform *c, val *v) {
  val *once = val_map(c->a);
  VAL_EACH(e, v) val_set(c->a, once, e->key, e->value);
  *v = *once;
}

static step step_items(conform *c) {
  frame *f = &c->frames[c->depth - 1];
  bool map = f->t->kind == TYPE_MAP;
  while (f->next < f->v->count) {
    val **slot = map ? &f->v->u.entries[f->next].value : &f->v->u.items[f->next];
    f->next++;
    if (val_is_null(*slot)) {
      *slot = f->loose ? c->nil : nothing(c, f->t);
      continue;
    }
    step s = begin_value(c, slot, f->t->elem);
    if (s == STEP_DOWN || s == STEP_STOP) return s;
    if (s == STEP_NULL || s == STEP_DROP) *slot = val_null(c->a);
  }
  if (f->repeats) keep_last(c, f->v);
  if (map) val_sort(f->v);
  return STEP_DONE;
}

/* ---- the walk ---- */

static bool walk(conform *c) {
  while (c->depth) {
    bool is_struct = c->frames[c->depth - 1].t->kind == TYPE_STRUCT;
    step s = is_struct ? step_struct(c) : step_items(c);
    if (s == STEP_STOP) return false;
    if (s == STEP_DOWN) continue;
    assert(s == STEP_DONE);
    c->depth--;
    if (c->depth && c->frames[c->depth - 1].t->kind == TYPE_STRUCT) {
      settle_field(&c->frames[c->depth - 1]);
    }
  }
  return true;
}

val *codec_conform(arena *a, val *v, const type_info *t, strict_report *report, slice *error) {
  assert(a && v && t && error);
  if (t->untyped) return v;
  conform c;
  c.a = a;
  c.report = report;
  c.duplicates = report && strict_open_duplicates(report) > 0;
  c.nil = c.duplicates ? val_null(a) : NULL;
  c.saved = c.fatal = SLICE_NONE;
  c.frames = c.frames_first;
  c.depth = 0;
  c.frames_cap = FRAMES_FIRST;
  c.order = c.order_first;
  c.order_cap = ORDER_FIRST;
  if (val_is_null(v)) v = conform_zero(a, t);
  step s = begin_value(&c, &v, t);
  bool good = s == STEP_DOWN ? walk(&c) : s != STEP_STOP;
  if (c.frames != c.frames_first) heap_free(c.frames);
  if (c.order != c.order_first) heap_free(c.order);
  if (report) strict_finish(report);
  *error = good ? c.saved : c.fatal;
  return error->len ? NULL : v;
}
