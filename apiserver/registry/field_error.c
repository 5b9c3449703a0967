/* Field errors: paths, texts and the 422 that carries them. */
#include "registry/field_error.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/quote.h"
#include "codec/codec.h"

#include <assert.h>
#include <stdlib.h>

path path_root(const char *name) { return (path){.name = slice_cstr(name)}; }

path path_child(const path *parent, const char *name) {
  return (path){.parent = parent, .name = slice_cstr(name)};
}

path path_child_slice(const path *parent, slice name) {
  return (path){.parent = parent, .name = name};
}

path path_index(const path *parent, uint32_t index) {
  return (path){.parent = parent, .index = index, .form = 1};
}

path path_key(const path *parent, slice key) {
  return (path){.parent = parent, .name = key, .form = 2};
}

static void path_write(buf *b, const path *p) {
  if (p->parent) path_write(b, p->parent);
  if (p->form == 1) {
    buf_char(b, '[');
    buf_i64(b, p->index);
    buf_char(b, ']');
  } else if (p->form == 2) {
    buf_char(b, '[');
    buf_append(b, p->name);
    buf_char(b, ']');
  } else {
    if (b->len) buf_char(b, '.');
    buf_append(b, p->name);
  }
}

static slice taken(arena *a, buf *b) {
  slice s = arena_copy(a, buf_slice(b));
  buf_dispose(b);
  return s;
}

slice path_text(arena *a, const path *p) {
  if (!p) return SLICE_LIT("<nil>");
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  path_write(&b, p);
  return taken(a, &b);
}

static const char *type_text(field_error_type type) {
  switch (type) {
#define X(name, reason, text) \
  case FIELD_##name:          \
    return text;
    FIELD_ERROR_TYPES(X)
#undef X
  }
  return "";
}

static const char *type_reason(field_error_type type) {
  switch (type) {
#define X(name, reason, text) \
  case FIELD_##name:          \
    return reason;
    FIELD_ERROR_TYPES(X)
#undef X
  }
  return "";
}

void field_error_add(field_errors *errs, field_error_type type, slice field, slice message) {
  errs->items = arena_more(errs->a, errs->items, errs->count, &errs->cap, sizeof *errs->items);
  errs->items[errs->count++] = (field_error){type, field, message};
}

/* Texts are quoted as Go does it; those of a named type are JSON. */
static void bad_value(arena *a, buf *b, bool named, const val *bad) {
  if (!bad || bad->type == VAL_NULL) buf_lit(b, "null");
  else if (bad->type == VAL_STRING && !named) buf_append(b, go_quote(a, val_str(bad)));
  else json_encode_any(b, bad, false);
}

typedef enum shown_value { VALUE_NONE, VALUE_PLAIN, VALUE_NAMED } shown_value;

static void add(field_errors *errs, field_error_type type, const path *p, shown_value how,
                const val *bad, const char *detail, va_list args) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  buf_cstr(&b, type_text(type));
  if (how) {
    buf_lit(&b, ": ");
    bad_value(errs->a, &b, how == VALUE_NAMED, bad);
  }
  if (detail && detail[0]) {
    slice text = arena_vprintf(errs->a, detail, args);
    if (text.len) buf_lit(&b, ": ");
    buf_append(&b, text);
  }
  field_error_add(errs, type, path_text(errs->a, p), taken(errs->a, &b));
}

#define WITH_ARGS(call)      \
  do {                       \
    va_list args;            \
    va_start(args, detail);  \
    call;                    \
    va_end(args);            \
  } while (0)

void field_required(field_errors *errs, const path *p, const char *detail, ...) {
  WITH_ARGS(add(errs, FIELD_REQUIRED, p, VALUE_NONE, NULL, detail, args));
}

void field_invalid(field_errors *errs, const path *p, const val *bad, const char *detail, ...) {
  WITH_ARGS(add(errs, FIELD_INVALID, p, VALUE_PLAIN, bad, detail, args));
}

void field_invalid_str(field_errors *errs, const path *p, slice bad, const char *detail, ...) {
  WITH_ARGS(add(errs, FIELD_INVALID, p, VALUE_PLAIN, val_string(errs->a, bad), detail, args));
}

void field_invalid_int(field_errors *errs, const path *p, int64_t bad, const char *detail, ...) {
  WITH_ARGS(add(errs, FIELD_INVALID, p, VALUE_PLAIN, val_int(errs->a, bad), detail, args));
}

void field_forbidden(field_errors *errs, const path *p, const char *detail, ...) {
  WITH_ARGS(add(errs, FIELD_FORBIDDEN, p, VALUE_NONE, NULL, detail, args));
}

void field_internal(field_errors *errs, const path *p, const char *detail, ...) {
  WITH_ARGS(add(errs, FIELD_INTERNAL, p, VALUE_NONE, NULL, detail, args));
}

static void add_plain(field_errors *errs, field_error_type type, const path *p, shown_value how,
                      const val *bad, const char *detail, ...) {
  WITH_ARGS(add(errs, type, p, how, bad, detail, args));
}

void field_duplicate(field_errors *errs, const path *p, const val *bad) {
  add_plain(errs, FIELD_DUPLICATE, p, VALUE_PLAIN, bad, NULL);
}

void field_not_found(field_errors *errs, const path *p, const val *bad) {
  add_plain(errs, FIELD_NOT_FOUND, p, VALUE_PLAIN, bad, NULL);
}

void field_too_long(field_errors *errs, const path *p, int64_t max_bytes) {
  add_plain(errs, FIELD_TOO_LONG, p, VALUE_NONE, NULL, "may not be more than %lld byte%s",
            (long long)max_bytes, max_bytes == 1 ? "" : "s");
}

void field_too_many(field_errors *errs, const path *p, int64_t actual, int64_t max) {
  add_plain(errs, FIELD_TOO_MANY, p, VALUE_PLAIN, val_int(errs->a, actual),
            "must have at most %lld item%s", (long long)max, max == 1 ? "" : "s");
}

void field_invalid_named(field_errors *errs, const path *p, slice bad, const char *detail, ...) {
  WITH_ARGS(add(errs, FIELD_INVALID, p, VALUE_NAMED, val_string(errs->a, bad), detail, args));
}

static void not_supported(field_errors *errs, const path *p, shown_value how, const val *bad,
                          const char *const *supported) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  buf_lit(&b, "supported values: ");
  for (size_t i = 0; supported[i]; i++) {
    if (i) buf_lit(&b, ", ");
    buf_append(&b, go_quote(errs->a, slice_cstr(supported[i])));
  }
  slice text = taken(errs->a, &b);
  add_plain(errs, FIELD_NOT_SUPPORTED, p, how, bad, "%.*s", SLICE_ARG(text));
}

void field_not_supported(field_errors *errs, const path *p, const val *bad,
                         const char *const *supported) {
  not_supported(errs, p, VALUE_NAMED, bad, supported);
}

void field_not_supported_text(field_errors *errs, const path *p, slice bad,
                              const char *const *supported) {
  not_supported(errs, p, VALUE_PLAIN, val_string(errs->a, bad), supported);
}

/* The aggregate prints each text once. Found by a sorted look-up, so that 100,000 errors stay
 * affordable. */
static int text_order(const void *a, const void *b) {
  return slice_cmp(**(slice *const *)a, **(slice *const *)b);
}

static uint32_t mark_repeats(arena *a, slice *texts, uint32_t count, bool *repeat) {
  slice **order = ARENA_ARRAY(a, slice *, count + 1);
  for (uint32_t i = 0; i < count; i++) order[i] = texts + i;
  qsort(order, count, sizeof *order, text_order);
  uint32_t kept = 0;
  for (uint32_t i = 0; i < count;) {
    slice *first = order[i];
    uint32_t end = i;
    for (; end < count && slice_eq(*order[end], *order[i]); end++) {
      if (order[end] < first) first = order[end];
      repeat[order[end] - texts] = true;
    }
    repeat[first - texts] = false;
    kept++;
    i = end;
  }
  return kept;
}

/* The errors' texts, each once; in brackets where there are several. */
static void aggregate_write(const field_errors *errs, buf *b) {
  arena *a = errs->a;
  slice *texts = ARENA_ARRAY(a, slice, errs->count);
  bool *repeat = ARENA_ARRAY(a, bool, errs->count);
  for (uint32_t i = 0; i < errs->count; i++) {
    const field_error *e = errs->items + i;
    slice head = arena_concat(a, e->field, SLICE_LIT(": ")); /* may hold NUL: no printf */
    texts[i] = arena_concat(a, head, e->message);
  }
  uint32_t kept = mark_repeats(a, texts, errs->count, repeat);
  if (kept > 1) buf_char(b, '[');
  for (uint32_t i = 0, written = 0; i < errs->count; i++) {
    if (repeat[i]) continue;
    if (written++) buf_lit(b, ", ");
    buf_append(b, texts[i]);
  }
  if (kept > 1) buf_char(b, ']');
}

bool field_errors_to_plain(const field_errors *errs, status_error *out) {
  if (errs->count == 0) return true;
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  aggregate_write(errs, &b);
  status_plain(out, errs->a, "%s", "");
  out->message = taken(errs->a, &b);
  return false;
}

bool field_errors_to_status(const field_errors *errs, slice group, slice kind, slice name,
                            status_error *out) {
  if (errs->count == 0) return true;
  if (out->set) return false;
  arena *a = errs->a;
  status_cause *causes = ARENA_ARRAY(a, status_cause, errs->count);
  for (uint32_t i = 0; i < errs->count; i++) {
    const field_error *e = errs->items + i;
    causes[i] = (status_cause){slice_cstr(type_reason(e->type)), e->message, e->field};
  }
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  buf_append(&b, kind);
  if (group.len) buf_char(&b, '.');
  buf_append(&b, group);
  buf_char(&b, ' ');
  buf_append(&b, go_quote(a, name));
  buf_lit(&b, " is invalid: ");
  aggregate_write(errs, &b);
  *out = (status_error){.set = true, .reason = STATUS_INVALID, .message = taken(a, &b),
                        .has_details = true, .name = name, .group = group, .kind = kind,
                        .cause_count = errs->count, .causes = causes};
  return false;
}
