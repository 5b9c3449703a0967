/* Findings, and what becomes of them. Source: kube-openapi pkg/validation/validate/result.go,
 * apiextensions-apiserver pkg/apiserver/validation (kubeOpenAPIResultToFieldErrors). */
#include "crd/structural_result.h"

#include "base/limits.h"
#include "base/quote.h"
#include "codec/codec.h"

#define SLOTS_FROM 16u

static void place_write(buf *b, const place *p) {
  if (!p) return;
  place_write(b, p->parent);
  if (p->form == PLACE_ITEM) {
    buf_char(b, '[');
    buf_u64(b, p->index);
    buf_char(b, ']');
    return;
  }
  if (p->parent || p->form == PLACE_KEY) buf_char(b, '.');
  buf_append(b, p->name);
}

slice place_text(arena *a, const place *p) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  place_write(&b, p);
  slice text = arena_copy(a, buf_slice(&b));
  buf_dispose(&b);
  return text;
}

static uint32_t hash_of(slice s) {
  uint32_t h = 2166136261u;
  for (size_t i = 0; i < s.len; i++) h = (h ^ (uint8_t)s.ptr[i]) * 16777619u;
  return h;
}

static void slot_put(result *r, uint32_t number) {
  uint32_t at = hash_of(r->items[number].text) & r->mask;
  while (r->slots[at]) at = (at + 1) & r->mask;
  r->slots[at] = number + 1;
}

static bool has_text(const result *r, slice text) {
  if (!r->slots) {
    for (uint32_t i = 0; i < r->count; i++)
      if (slice_eq(r->items[i].text, text)) return true;
    return false;
  }
  for (uint32_t at = hash_of(text) & r->mask; r->slots[at]; at = (at + 1) & r->mask)
    if (slice_eq(r->items[r->slots[at] - 1].text, text)) return true;
  return false;
}

static void slots_fit(arena *a, result *r) {
  if (r->count < SLOTS_FROM || (r->slots && r->count * 2 <= r->mask)) return;
  uint32_t room = 4 * SLOTS_FROM;
  while (room < r->count * 4) room *= 2;
  r->mask = room - 1;
  r->slots = ARENA_ARRAY(a, uint32_t, room);
  for (uint32_t i = 0; i < r->count; i++) slot_put(r, i);
}

void result_add(arena *a, result *r, finding f) {
  if (has_text(r, f.text)) return;
  r->items = arena_more(a, r->items, r->count, &r->cap, sizeof *r->items);
  r->items[r->count++] = f;
  if (r->slots) slot_put(r, r->count - 1);
  slots_fit(a, r);
}

void result_merge(arena *a, result *r, const result *other) {
  r->matches += other->matches;
  if (r->count == 0 && other->count) { /* they are unique already */
    uint32_t matches = r->matches;
    *r = *other;
    r->matches = matches;
    r->cap = r->count; /* the other's room is not ours */
    r->slots = NULL;
    r->items = arena_alloc(a, other->count * sizeof *r->items);
    memcpy(r->items, other->items, other->count * sizeof *r->items);
    slots_fit(a, r);
    return;
  }
  for (uint32_t i = 0; i < other->count; i++) result_add(a, r, other->items[i]);
}

/* Go's %v of a number, its %q of a text, JSON of all else. */
static slice bad_text(arena *a, const val *v) {
  if (!v) return SLICE_LIT("\"\"");
  if (val_is_string(v)) return go_quote(a, val_str(v));
  return val_is_float(v) ? number_text(a, v->u.f) : json_text(a, v, true);
}

static slice enum_text(arena *a, const val *v) {
  return val_is_string(v) ? val_str(v) : json_text(a, v, true);
}

static slice not_supported_text(arena *a, const finding *f) {
  const val null = {.type = VAL_NULL};
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  buf_lit(&b, "Unsupported value: ");
  buf_append(&b, bad_text(a, f->bad ? f->bad : &null));
  for (uint32_t i = 0; i < val_len(f->enums); i++) {
    buf_cstr(&b, i ? ", " : ": supported values: ");
    buf_append(&b, go_quote(a, enum_text(a, val_at(f->enums, i))));
  }
  slice text = arena_copy(a, buf_slice(&b));
  buf_dispose(&b);
  return text;
}

static void invalid_report(field_errors *errs, slice field, const finding *f) {
  slice parts[] = {SLICE_LIT("Invalid value: "), bad_text(errs->a, f->bad), SLICE_LIT(": "),
                   f->text};
  slice text = arena_join(errs->a, parts, 4);
  field_error_add(errs, f->kind == FOUND_TYPE ? FIELD_TYPE_INVALID : FIELD_INVALID, field, text);
}

void result_report(field_errors *errs, const path *p, const result *r) {
  arena *a = errs->a;
  slice root = path_text(a, p);
  for (uint32_t i = 0; i < r->count; i++) {
    const finding *f = r->items + i;
    slice name = f->where, field = root;
    if (name.len && *name.ptr == '.' && name.len > 1) name = slice_from(name, 1);
    if (name.len && f->kind != FOUND_WHOLE) {
      slice parts[] = {root, SLICE_LIT("."), name};
      field = p ? arena_join(a, parts, 3) : name;
    }
    const char *s = f->limit == 1 ? "" : "s";
    switch (f->kind) {
      case FOUND_REQUIRED:
        field_error_add(errs, FIELD_REQUIRED, field, SLICE_LIT("Required value"));
        break;
      case FOUND_ENUM:
        field_error_add(errs, FIELD_NOT_SUPPORTED, field, not_supported_text(a, f));
        break;
      case FOUND_TOO_LONG:
        field_error_add(errs, FIELD_TOO_LONG, field,
                        arena_printf(a, "Too long: may not be more than %lld byte%s",
                                     (long long)f->limit, s));
        break;
      case FOUND_TOO_MANY:
        field_error_add(errs, FIELD_TOO_MANY, field,
                        arena_printf(a, "Too many: %lld: must have at most %lld item%s",
                                     (long long)val_i64(f->bad), (long long)f->limit, s));
        break;
      case FOUND_INVALID:
      case FOUND_TYPE:
      case FOUND_WHOLE: invalid_report(errs, field, f); break;
    }
  }
}
