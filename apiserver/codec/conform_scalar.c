/* Typing the leaves: each kind's own reading, canonical form and refusal. */
#include "codec/conform.h"

#include "base/limits.h"
#include "codec/strict.h"

#include <assert.h>
#include <math.h>

void conform_describe(arena *a, const val *v, bool digits, conform_why *why) {
  static const char *const names[] = {"null", "bool", "number", "number", "string", "array",
                                      "object"};
  why->value = names[v->type];
  if (!digits) return;
  if (v->type == VAL_INT) {
    why->value = NULL;
    why->value_text = arena_printf(a, "number %lld", (long long)v->u.i);
  } else if (v->type == VAL_FLOAT && v->literal) {
    why->value = NULL;
    why->value_text = arena_printf(a, "number %.*s", (int)v->count, v->literal);
  }
}

static conform_outcome mismatch(arena *a, const val *v, const type_info *t, bool digits,
                                conform_why *why) {
  conform_describe(a, v, digits, why);
  why->type = t->name;
  return CONFORM_MISMATCH;
}

static conform_outcome refuse(conform_why *why, slice text) {
  why->text = text;
  return CONFORM_FATAL;
}

/* A hand-written decoder that reads a `type` and got something else. */
static conform_outcome refuse_kind(arena *a, const val *v, slice type, bool digits,
                                   conform_why *why) {
  conform_describe(a, v, digits, why);
  why->type = type;
  return CONFORM_FATAL;
}

/* The parsers keep the sign of -0, which Go reads as an integer too. */
static const val *whole_zero(arena *a, val **slot) {
  const val *v = *slot;
  if (!val_is_float(v) || !v->literal || !slice_is(slice_of(v->literal, v->count), "-0")) return v;
  return *slot = val_int(a, 0);
}

static conform_outcome conform_integer(arena *a, val **slot, const type_info *t,
                                       conform_why *why) {
  const val *v = whole_zero(a, slot);
  bool fits = val_is_int(v) && (t->kind == TYPE_INT64 || v->u.i == (int32_t)v->u.i);
  return fits ? CONFORM_KEEP : mismatch(a, v, t, true, why);
}

static conform_outcome conform_float(arena *a, val **slot, const type_info *t, conform_why *why) {
  bool fits = val_is_float(*slot) && isfinite((*slot)->u.f);
  if (fits) return CONFORM_KEEP;
  if (!val_is_int(*slot)) return mismatch(a, *slot, t, true, why);
  *slot = val_float(a, (double)(*slot)->u.i);
  return CONFORM_KEEP;
}

/* A list of numbers is a Go byte slice as well. */
static conform_outcome conform_byte_list(arena *a, val **slot, conform_why *why) {
  val *list = *slot;
  char *bytes = arena_alloc(a, list->count + 1);
  for (uint32_t i = 0; i < list->count; i++) {
    const val *item = list->u.items[i];
    bool fits = val_is_null(item) || (val_is_int(item) && item->u.i == (uint8_t)item->u.i);
    if (!fits) {
      conform_describe(a, item, true, why);
      why->type = SLICE_LIT("uint8");
      return CONFORM_MISMATCH;
    }
    bytes[i] = (char)val_i64(item);
  }
  *slot = val_string(a, base64_encode(a, slice_of(bytes, list->count)));
  return CONFORM_KEEP;
}

static conform_outcome conform_bytes(arena *a, val **slot, const type_info *t, conform_why *why) {
  slice text = val_str(*slot), bytes;
  size_t bad = 0;
  if (val_is_list(*slot)) return conform_byte_list(a, slot, why);
  if (!val_is_string(*slot)) return mismatch(a, *slot, t, false, why);
  if (base64_is_canonical(text)) return CONFORM_KEEP;
  if (!base64_decode_at(a, text, &bytes, &bad)) {
    why->text = arena_printf(a, "illegal base64 data at input byte %zu", bad);
    return CONFORM_MISMATCH;
  }
  *slot = val_string(a, base64_encode(a, bytes));
  return CONFORM_KEEP;
}

static conform_outcome conform_time(arena *a, val **slot, bool micro, conform_why *why) {
  slice text, error;
  if (!val_is_string(*slot)) return refuse_kind(a, *slot, SLICE_LIT("string"), false, why);
  if (!time_canonical(a, val_str(*slot), micro, &text, &error)) return refuse(why, error);
  if (!text.ptr) return CONFORM_NULL;
  if (text.ptr != (*slot)->u.s) *slot = val_string(a, text);
  return CONFORM_KEEP;
}

static conform_outcome conform_duration(arena *a, val **slot, conform_why *why) {
  slice text, error;
  if (!val_is_string(*slot)) return refuse_kind(a, *slot, SLICE_LIT("string"), false, why);
  if (!duration_canonical(a, val_str(*slot), &text, &error)) return refuse(why, error);
  *slot = val_string(a, text);
  return CONFORM_KEEP;
}

static conform_outcome conform_quantity(arena *a, val **slot, conform_why *why) {
  const val *v = *slot;
  slice text = val_str(v), out, error;
  if (val_is_int(v)) text = arena_printf(a, "%lld", (long long)v->u.i);
  if (val_is_float(v) && v->literal) text = slice_of(v->literal, v->count);
  if (!quantity_canonical(a, text, &out, &error)) return refuse(why, error);
  if (!val_is_string(v) || out.ptr != v->u.s || out.len != v->count) *slot = val_string(a, out);
  return CONFORM_KEEP;
}

static conform_outcome conform_int_or_string(arena *a, val **slot, conform_why *why) {
  const val *v = whole_zero(a, slot);
  if (val_is_string(v) || (val_is_int(v) && v->u.i == (int32_t)v->u.i)) return CONFORM_KEEP;
  return refuse_kind(a, v, SLICE_LIT("int32"), true, why);
}

/* A value of any shape: Go makes float64 of its numbers, and so forgets how they were written. */
static void forget_literals(val *v, unsigned depth) {
  if (val_is_float(v) && isfinite(v->u.f)) v->literal = NULL;
  for (uint32_t i = 0; i < val_len(v) && depth < LIMIT_JSON_DEPTH / 10; i++) {
    forget_literals(val_is_map(v) ? v->u.entries[i].value : v->u.items[i], depth + 1);
  }
}

conform_outcome conform_scalar(arena *a, val **slot, const type_info *t, conform_why *why) {
  const val *v = *slot;
  switch ((type_kind)t->kind) {
    case TYPE_STRING: return val_is_string(v) ? CONFORM_KEEP : mismatch(a, v, t, false, why);
    case TYPE_BOOL: return val_is_bool(v) ? CONFORM_KEEP : mismatch(a, v, t, false, why);
    case TYPE_INT32:
    case TYPE_INT64: return conform_integer(a, slot, t, why);
    case TYPE_FLOAT64: return conform_float(a, slot, t, why);
    case TYPE_BYTES: return conform_bytes(a, slot, t, why);
    case TYPE_TIME: return conform_time(a, slot, false, why);
    case TYPE_MICROTIME: return conform_time(a, slot, true, why);
    case TYPE_DURATION: return conform_duration(a, slot, why);
    case TYPE_QUANTITY: return conform_quantity(a, slot, why);
    case TYPE_INT_OR_STRING: return conform_int_or_string(a, slot, why);
    case TYPE_RAW_EXTENSION:
    case TYPE_FIELDS_V1: return CONFORM_KEEP;
    case TYPE_JSON:
      if (slice_is(t->name, "interface {}")) forget_literals(*slot, 0);
      return CONFORM_KEEP;
    case TYPE_STRUCT:
    case TYPE_LIST:
    case TYPE_MAP:
    case TYPE_SCHEMA_OR_ARRAY:
    case TYPE_SCHEMA_OR_BOOL:
    case TYPE_SCHEMA_OR_STRINGS: break;
  }
  assert(false && "a container is no leaf");
  return CONFORM_FATAL;
}

val *conform_zero(arena *a, const type_info *t) {
  switch ((type_kind)t->kind) {
    case TYPE_STRUCT: return val_map(a);
    case TYPE_STRING: return val_string(a, SLICE_LIT(""));
    case TYPE_BOOL: return val_bool(a, false);
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_INT_OR_STRING: return val_int(a, 0);
    case TYPE_FLOAT64: return val_float(a, 0);
    case TYPE_QUANTITY: return val_string(a, SLICE_LIT("0"));
    case TYPE_DURATION: return val_string(a, SLICE_LIT("0s"));
    default: return val_null(a);
  }
}

bool conform_is_zero(const val *v, const type_info *t) {
  switch ((type_kind)t->kind) {
    case TYPE_QUANTITY: return slice_is(val_str(v), "0");
    case TYPE_DURATION: return slice_is(val_str(v), "0s");
    case TYPE_INT_OR_STRING: return val_is_int(v) && v->u.i == 0;
    case TYPE_RAW_EXTENSION:
    case TYPE_FIELDS_V1:
    case TYPE_JSON:
    case TYPE_SCHEMA_OR_ARRAY:
    case TYPE_SCHEMA_OR_BOOL:
    case TYPE_SCHEMA_OR_STRINGS: return val_is_null(v);
    default: return val_is_empty(v);
  }
}
