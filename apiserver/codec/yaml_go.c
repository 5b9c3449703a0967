/* Keys that are no strings stand in a map as ODD, the type's digit and their text. */
#include "codec/yaml_go.h"

#include "base/buf.h"
#include "base/quote.h"
#include "codec/yaml_scalar.h"

#include <math.h>
#include <stdlib.h>

#define ODD '\xfe' /* in no UTF-8 */
#define ODD_LEN 2u
#define TEXT_MAX 4096u

/* uint64 is a float with its digits. */
static bool unsigned_of(const val *v, uint64_t *n) {
  if (!val_is_float(v) || !v->literal) return false;
  yaml_scalar s = yaml_resolve(slice_of(v->literal, v->count));
  *n = s.u;
  return s.type == YAML_UINT;
}

static bool is_odd(slice key) { return key.len >= ODD_LEN && key.ptr[0] == ODD; }

bool yaml_go_key(arena *a, const val *key, slice *name) {
  char room[40];
  uint64_t n;
  slice text = SLICE_LIT("");
  switch ((val_type)key->type) {
    case VAL_STRING: *name = val_str(key); return true;
    case VAL_NULL: break;
    case VAL_BOOL: text = key->u.b ? SLICE_LIT("true") : SLICE_LIT("false"); break;
    case VAL_INT: text = arena_printf(a, "%lld", (long long)key->u.i); break;
    case VAL_FLOAT:
      if (unsigned_of(key, &n)) text = arena_printf(a, "0x%llx", (unsigned long long)n);
      else if (isnan(key->u.f)) text = SLICE_LIT(".nan");
      else if (isinf(key->u.f)) text = key->u.f > 0 ? SLICE_LIT(".inf") : SLICE_LIT("-.inf");
      else text = yaml_float_text(key->u.f, 32, room);
      break;
    case VAL_LIST:
    case VAL_MAP: return false;
  }
  *name = arena_printf(a, "%c%u%.*s", ODD, (unsigned)key->type, SLICE_ARG(text));
  return true;
}

/* ---- Go's text of it ---- */

static void write_value(buf *out, arena *a, const val *v);

static void write_key(buf *out, arena *a, slice key) {
  if (!is_odd(key)) buf_append(out, go_quote(a, key));
  else if (key.len == ODD_LEN) buf_lit(out, "interface {}(nil)");
  else buf_append(out, slice_from(key, ODD_LEN));
}

static void write_entries(buf *out, arena *a, const val *v) {
  bool map = val_is_map(v);
  buf_cstr(out, map ? "map[interface {}]interface {}{" : "[]interface {}{");
  for (uint32_t i = 0; i < v->count && out->len < TEXT_MAX; i++) {
    if (i) buf_lit(out, ", ");
    if (map) {
      write_key(out, a, v->u.entries[i].key);
      buf_char(out, ':');
    }
    write_value(out, a, map ? v->u.entries[i].value : v->u.items[i]);
  }
  buf_char(out, '}');
}

static void write_float(buf *out, const val *v) {
  char room[40];
  uint64_t n;
  if (unsigned_of(v, &n)) buf_printf(out, "0x%llx", (unsigned long long)n);
  else if (isnan(v->u.f)) buf_lit(out, "NaN");
  else if (isinf(v->u.f)) buf_cstr(out, v->u.f > 0 ? "+Inf" : "-Inf");
  else buf_append(out, yaml_float_text(v->u.f, 64, room));
}

static void write_value(buf *out, arena *a, const val *v) {
  switch ((val_type)v->type) {
    case VAL_NULL: buf_lit(out, "interface {}(nil)"); break;
    case VAL_BOOL: buf_cstr(out, v->u.b ? "true" : "false"); break;
    case VAL_INT: buf_i64(out, v->u.i); break;
    case VAL_FLOAT: write_float(out, v); break;
    case VAL_STRING: buf_append(out, go_quote(a, val_str(v))); break;
    case VAL_LIST:
    case VAL_MAP: write_entries(out, a, v); break;
  }
}

slice yaml_go_text(arena *a, const val *v) {
  if (val_is_null(v)) return SLICE_LIT("<nil>");
  buf out;
  buf_init(&out, 1 << 20);
  write_value(&out, a, v);
  slice text = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return text;
}

/* ---- to JSON ---- */

typedef struct settling {
  arena *a;
  slice bad_key, bad_value; /* errors; the first comes before the second */
} settling;

static void refuse_key(settling *s, slice key, const val *value) {
  if (s->bad_key.len) return;
  bool null = key.len == ODD_LEN;
  slice go = yaml_go_text(s->a, value), name = slice_from(key, ODD_LEN);
  s->bad_key = arena_printf(s->a, "unsupported map key of type: %s, key: %.*s, value: %.*s",
                            null ? "%!s(<nil>)" : "uint64",
                            SLICE_ARG(null ? SLICE_LIT("<nil>") : name), SLICE_ARG(go));
}

static void settle(settling *s, val *v);

static void settle_map(settling *s, val *v) {
  val *fresh = NULL;
  for (uint32_t i = 0; i < v->count && !fresh; i++) {
    if (is_odd(v->u.entries[i].key)) fresh = val_map(s->a);
  }
  for (uint32_t i = 0; fresh && i < v->count; i++) {
    slice key = v->u.entries[i].key;
    bool odd = is_odd(key);
    slice name = odd ? slice_from(key, ODD_LEN) : key;
    bool none = odd && (name.len == 0 || slice_has_prefix(name, SLICE_LIT("0x")));
    if (none) refuse_key(s, key, v->u.entries[i].value);
    val_set(s->a, fresh, name, v->u.entries[i].value);
  }
  if (fresh) {
    *v = *fresh;
    val_sort(v);
  }
  for (uint32_t i = 0; i < v->count; i++) settle(s, v->u.entries[i].value);
}

static void settle(settling *s, val *v) {
  if (val_is_map(v)) settle_map(s, v);
  for (uint32_t i = 0; val_is_list(v) && i < v->count; i++) settle(s, v->u.items[i]);
  if (!val_is_float(v) || isfinite(v->u.f) || s->bad_value.len) return;
  const char *name = isnan(v->u.f) ? "NaN" : v->u.f > 0 ? "+Inf" : "-Inf";
  s->bad_value = arena_printf(s->a, "json: unsupported value: %s", name);
}

void yaml_go_settle(arena *a, val *v, slice *error) {
  settling s = {.a = a};
  settle(&s, v);
  *error = s.bad_key.len ? s.bad_key : s.bad_value;
}
