/* Random values by the schema. Scalars come from lists of what decoders stumble over, and from
 * the generator; structs get some of their fields. */
#include "fuzz/generate.h"

#include "codec/codec.h"

typedef struct generator {
  arena *a;
  rng *r;
  uint32_t left; /* nodes that may still be made */
  bool hostile;
} generator;

static const char *const strings[] = {
    "", "a", "web", "nginx:1.27", "default", "kube-system", "true", "null", "~", "0", "1e3", "0x1f", "0b1",
    "017", "1_000", "1:30", "yes", "on", "NaN", ".inf", "-", "- a", "a: b", "a #b", "#", "&x", "*x", "!t", "|",
    ">", "%", "@", "`", "'", "\"", "<&>", "\\", "\n", "a\nb\n", " lead", "trail ", "\t", "\r\n", "\xc3\xa9",
    "\xe2\x80\xa8", "\xf0\x9f\x98\x80", "\xef\xbb\xbf", "\x7f", "\x01", "2026-11-20", "2026-11-20T18:00:00Z",
    "k8s.io/x", "a/b/c", "=", "<<", "---", "...", "[", "{", ",", "?", ": ",
    "folded folded folded folded folded folded folded folded folded folded folded folded",
};
static const char *const quantities[] = {"0", "1", "1500m", "1.5", "100Mi", "1Ki", "1e3", "1E", "0.5Gi", "-3n",
                                         "12345678901234567890", "0.1u", "1024", "1000k", "2Ti", "+5"};
static const char *const times[] = {"2026-11-20T18:00:00Z", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z",
                                    "9999-12-31T23:59:59Z", "2026-11-20T18:00:00+02:00",
                                    "2026-02-28T23:59:59.123456Z", "2026-11-20T18:00:00.999999999-11:59"};
static const char *const durations[] = {"0s", "1s", "1m30s", "1h0m0s", "300ms", "-1.5h", "1ns", "2562047h47m16.854775807s"};
static const char *const bytes64[] = {"", "YQ==", "YWI=", "YWJj", "/+8=", "AAECAwQ="};
static const int64_t ints[] = {0, 1, -1, 80, 443, 8080, 65535, 2147483647, -2147483648LL};
static const int64_t longs[] = {4294967296, 9007199254740993, INT64_MAX, INT64_MIN};
static const double floats[] = {0.5, -1.25, 1e21, 1e-7, 123456.789, 5e-324};
#define PICK(g, list) (list)[rng_below((g)->r, sizeof(list) / sizeof *(list))]

static val *value(generator *g, const type_info *t, uint32_t depth);

static val *any_value(generator *g, uint32_t depth) {
  switch (rng_below(g->r, depth > 4 ? 5 : 7)) {
    case 0: return val_cstr(g->a, PICK(g, strings));
    case 1: return val_int(g->a, rng_chance(g->r, 1, 2) ? PICK(g, ints) : PICK(g, longs));
    case 2: return val_bool(g->a, rng_chance(g->r, 1, 2));
    case 3: return val_float(g->a, PICK(g, floats));
    case 4: return val_null(g->a);
    default: break;
  }
  bool map = rng_chance(g->r, 1, 2);
  val *v = map ? val_map(g->a) : val_list(g->a);
  for (uint64_t n = rng_below(g->r, 4); n && g->left; n--) {
    g->left--;
    if (map) val_set(g->a, v, slice_cstr(PICK(g, strings)), any_value(g, depth + 1));
    else val_append(g->a, v, any_value(g, depth + 1));
  }
  return v;
}

static val *raw_object(generator *g, uint32_t depth) {
  val *v = val_map(g->a);
  for (uint64_t n = rng_below(g->r, 4); n && g->left; n--) {
    g->left--;
    val_set(g->a, v, slice_cstr(PICK(g, strings)), any_value(g, depth + 1));
  }
  return v;
}

static val *random_string(generator *g) {
  if (rng_chance(g->r, 3, 4)) return val_cstr(g->a, PICK(g, strings));
  size_t n = rng_below(g->r, 20);
  char *p = arena_alloc(g->a, n + 1);
  for (size_t i = 0; i < n; i++) p[i] = (char)(32 + rng_below(g->r, 95));
  return val_string(g->a, slice_of(p, n));
}

static val *structure(generator *g, const type_info *t, uint32_t depth) {
  val *v = val_map(g->a);
  if (!t->field_count) return v;
  uint64_t share = rng_below(g->r, 4); /* of the fields: none to most */
  for (uint16_t i = 0; i < t->field_count && g->left; i++) {
    if (!rng_chance(g->r, share, t->field_count > 8 && depth > 1 ? 12 : 5)) continue;
    const field_info *f = t->fields + i;
    g->left--;
    val_set(g->a, v, f->name, value(g, f->type, depth + 1));
  }
  return v;
}

static val *many(generator *g, const type_info *t, uint32_t depth) {
  val *v = t->kind == TYPE_MAP ? val_map(g->a) : val_list(g->a);
  for (uint64_t n = rng_below(g->r, 4); n && g->left; n--) {
    g->left--;
    if (t->kind == TYPE_LIST) val_append(g->a, v, value(g, t->elem, depth + 1));
    else val_set(g->a, v, val_str(random_string(g)), value(g, t->elem, depth + 1));
  }
  return v;
}

static val *scalar(generator *g, const type_info *t, uint32_t depth) {
  switch (t->kind) {
    case TYPE_BOOL: return val_bool(g->a, rng_chance(g->r, 1, 2));
    case TYPE_INT32: return val_int(g->a, PICK(g, ints));
    case TYPE_INT64: return val_int(g->a, rng_chance(g->r, 1, 2) ? PICK(g, ints) : PICK(g, longs));
    case TYPE_FLOAT64: return val_float(g->a, PICK(g, floats));
    case TYPE_BYTES: return val_cstr(g->a, PICK(g, bytes64));
    case TYPE_TIME:
    case TYPE_MICROTIME: return val_cstr(g->a, PICK(g, times));
    case TYPE_DURATION: return val_cstr(g->a, PICK(g, durations));
    case TYPE_QUANTITY: return val_cstr(g->a, PICK(g, quantities));
    case TYPE_INT_OR_STRING:
      return rng_chance(g->r, 1, 2) ? val_int(g->a, PICK(g, ints)) : random_string(g);
    case TYPE_RAW_EXTENSION:
    case TYPE_FIELDS_V1: return raw_object(g, depth);
    case TYPE_JSON: return any_value(g, depth);
    case TYPE_SCHEMA_OR_BOOL: return val_bool(g->a, rng_chance(g->r, 1, 2));
    case TYPE_SCHEMA_OR_ARRAY:
    case TYPE_SCHEMA_OR_STRINGS: return val_map(g->a);
    default: return random_string(g);
  }
}

static val *value(generator *g, const type_info *t, uint32_t depth) {
  if (g->hostile && rng_chance(g->r, 1, 60)) return any_value(g, depth);
  if (t->kind == TYPE_STRUCT) return depth > 40 ? val_map(g->a) : structure(g, t, depth);
  if (t->kind == TYPE_LIST || t->kind == TYPE_MAP) return many(g, t, depth);
  return scalar(g, t, depth);
}

val *generate_value(arena *a, rng *r, const type_info *t, uint32_t size, bool hostile) {
  generator g = {a, r, size, hostile};
  return value(&g, t, 0);
}

val *generate_object(arena *a, rng *r, const kind_info *k, uint32_t size, bool hostile) {
  val *body = generate_value(a, r, k->type, size, hostile), *v = val_map(a);
  val_setc(a, v, "kind", val_string(a, k->kind));
  slice version = k->group.len ? arena_printf(a, "%.*s/%.*s", SLICE_ARG(k->group), SLICE_ARG(k->version))
                               : k->version;
  val_setc(a, v, "apiVersion", val_string(a, version));
  VAL_EACH(e, body) {
    if (!slice_is(e->key, "kind") && !slice_is(e->key, "apiVersion")) val_set(a, v, e->key, e->value);
  }
  return v;
}

void generate_change(arena *a, rng *r, val *v, const type_info *t) {
  for (uint32_t depth = 0; depth < 60; depth++) {
    const type_info *next = NULL;
    val **slot = NULL;
    if (val_is_map(v) && t->kind == TYPE_STRUCT && t->field_count) {
      const field_info *f = t->fields + rng_below(r, t->field_count);
      if (!val_get(v, f->name)) {
        val_set(a, v, f->name, generate_value(a, r, f->type, 12, true));
        return;
      }
      if (rng_chance(r, 1, 12)) {
        val_del(v, f->name);
        return;
      }
    }
    if (val_is_map(v) && v->count) {
      val_entry *e = v->u.entries + rng_below(r, v->count);
      const field_info *f = t->kind == TYPE_STRUCT ? type_field(t, e->key) : NULL;
      next = t->kind == TYPE_MAP ? t->elem : f ? f->type : NULL;
      slot = &e->value;
    } else if (val_is_list(v) && v->count) {
      slot = &v->u.items[rng_below(r, v->count)];
      next = t->kind == TYPE_LIST ? t->elem : NULL;
    }
    if (!slot) return;
    bool leaf = !next || (*slot)->type < VAL_LIST || !next->elem || rng_chance(r, 1, 6);
    if (next && next->kind == TYPE_STRUCT && val_len(*slot)) leaf = rng_chance(r, 1, 10);
    if (leaf) {
      generator g = {a, r, 12, true};
      *slot = next ? value(&g, next, 0) : any_value(&g, 0);
      return;
    }
    v = *slot;
    t = next;
  }
}
