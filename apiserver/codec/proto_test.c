/* Protobuf against the official corpus (APISIM_CORPUS names its folder; without it that part
 * is skipped), small golden messages, and messages that are broken on purpose. */
#include "base/heap.h"
#include "base/limits.h"
#include "codec/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define BYTES(text) ((slice){(text), sizeof(text) - 1})

static slice read_file(arena *a, const char *folder, const char *name) {
  slice path = arena_printf(a, "%s/%s", folder, name);
  FILE *file = fopen(path.ptr, "rb");
  if (!file) return SLICE_NONE;
  char *bytes = arena_alloc(a, 1 << 20);
  size_t n = fread(bytes, 1, 1 << 20, file);
  fclose(file);
  return slice_of(bytes, n);
}

static const type_info *type_of(slice api_version, slice kind) {
  slice group = SLICE_LIT(""), version = api_version;
  if (slice_find_char(api_version, '/') >= 0) slice_cut(api_version, '/', &group, &version);
  const kind_info *k = schema_kind(group, version, kind);
  return k ? k->type : NULL;
}

static slice json_of(arena *a, const val *v, const type_info *t) {
  buf out;
  buf_init(&out, LIMIT_BUFFER);
  json_encode(&out, v, t);
  slice text = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return text;
}

static slice proto_of(arena *a, const val *v, const type_info *t) {
  buf out;
  buf_init(&out, LIMIT_BUFFER);
  proto_encode(&out, v, t);
  slice bytes = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return bytes;
}

/* The tree of the JSON file, less kind and apiVersion, which protobuf has in the envelope. */
static val *tree_of_json(arena *a, slice text, const type_info *t) {
  slice error = SLICE_NONE;
  val *v = json_parse(a, text, NULL, &error);
  if (v) v = codec_conform(a, v, t, NULL, &error);
  if (!v) fail_msg("%.*s", SLICE_ARG(error));
  val_delc(v, "kind");
  val_delc(v, "apiVersion");
  return v;
}

static bool round_trip(arena *a, const char *folder, const char *name, bool *known) {
  slice body = read_file(a, folder, name), api, kind, message, encoding, type, error = SLICE_NONE;
  assert_true(proto_open_envelope(a, body, &api, &kind, &message, &encoding, &type, &error));
  const type_info *t = type_of(api, kind);
  *known = t != NULL;
  if (!t) return true;
  val *v = proto_decode(a, message, t, &error);
  if (!v) {
    print_error("%s: %.*s\n", name, SLICE_ARG(error));
    return false;
  }
  if (!slice_eq(proto_of(a, v, t), message)) {
    print_error("%s: encoding differs\n", name);
    return false;
  }
  slice base = slice_upto(slice_cstr(name), strlen(name) - strlen(".pb"));
  slice json = read_file(a, folder, arena_printf(a, "%.*s.json", SLICE_ARG(base)).ptr);
  slice got = json_of(a, v, t), want = json_of(a, tree_of_json(a, json, t), t);
  if (slice_eq(got, want) && val_equal(v, tree_of_json(a, json, t))) return true;
  print_error("%s: trees differ\n  want %.*s\n  got  %.*s\n", name, SLICE_ARG(want),
              SLICE_ARG(got));
  return false;
}

static void corpus(void **state) {
  (void)state;
  const char *folder = getenv("APISIM_CORPUS");
  if (!folder) skip();
  DIR *dir = opendir(folder);
  assert_non_null(dir);
  int good = 0, bad = 0;
  for (struct dirent *e; (e = readdir(dir)) != NULL;) {
    slice name = slice_cstr(e->d_name);
    /* The after_roundtrip files hold fields of other versions. */
    if (!slice_has_suffix(name, SLICE_LIT(".pb"))) continue;
    if (slice_find(name, SLICE_LIT("after_roundtrip")) >= 0) continue;
    arena *a = arena_create();
    bool known;
    if (!round_trip(a, folder, e->d_name, &known)) bad++;
    else good += known;
    arena_destroy(a);
  }
  closedir(dir);
  print_message("%d objects of the corpus are the same bytes and trees\n", good);
  assert_int_equal(bad, 0);
  assert_true(good > 80);
}

static const type_info *type_named(const char *full_name) {
  const type_info *t = schema_type(slice_cstr(full_name));
  assert_non_null(t);
  return t;
}

typedef struct golden_row {
  const char *type, *json;
  slice bytes;
} golden_row;

/* Zero values that are written, maps in key order, and messages inlined in JSON. */
static const golden_row goldens[] = {
    {"io.k8s.api.core.v1.ConfigMap", "{\"data\":{\"b\":\"2\",\"a\":\"1\"}}",
     BYTES("\x0a\x10\x0a\x00\x12\x00\x1a\x00\x22\x00\x2a\x00\x32\x00\x38\x00\x42\x00"
           "\x12\x06\x0a\x01" "a\x12\x01" "1\x12\x06\x0a\x01" "b\x12\x01" "2")},
    {"io.k8s.api.core.v1.Volume", "{\"name\":\"v\",\"emptyDir\":{}}",
     BYTES("\x0a\x01v\x12\x04\x12\x02\x0a\x00")},
    {"io.k8s.api.core.v1.Secret", "{\"data\":{\"k\":\"AQI=\"}}",
     BYTES("\x0a\x10\x0a\x00\x12\x00\x1a\x00\x22\x00\x2a\x00\x32\x00\x38\x00\x42\x00"
           "\x12\x07\x0a\x01k\x12\x02\x01\x02\x1a\x00")},
    {"io.k8s.api.core.v1.ServicePort", "{\"port\":80,\"targetPort\":\"web\"}",
     BYTES("\x0a\x00\x12\x00\x18\x50\x22\x09\x08\x01\x10\x00\x1a\x03web\x28\x00")},
};

static void golden(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++) {
    arena *a = arena_create();
    const golden_row *row = &goldens[i];
    const type_info *t = type_named(row->type);
    slice error = SLICE_NONE, bytes = proto_of(a, tree_of_json(a, slice_cstr(row->json), t), t);
    assert_int_equal(bytes.len, row->bytes.len);
    assert_memory_equal(bytes.ptr, row->bytes.ptr, bytes.len);
    val *v = proto_decode(a, row->bytes, t, &error);
    assert_non_null(v);
    assert_true(val_equal(v, tree_of_json(a, slice_cstr(row->json), t)));
    arena_destroy(a);
  }
}

typedef struct broken_row {
  slice bytes;
  const char *error;
} broken_row;

static const broken_row broken[] = {
    {BYTES("\x0c"), "proto: Pod: wiretype end group for non-group"},
    {BYTES("\x02"), "proto: Pod: illegal tag 0 (wire type 2)"},
    {BYTES("\x00"), "proto: Pod: illegal tag 0 (wire type 0)"},
    {BYTES("\x0a"), "unexpected EOF"},
    {BYTES("\x0a\x05"), "unexpected EOF"},
    {BYTES("\x08\x00"), "proto: wrong wireType = 0 for field ObjectMeta"},
    {BYTES("\x0a\x02\x38"), "unexpected EOF"},
    {BYTES("\x0a\x02\x3a\x00"), "proto: wrong wireType = 2 for field Generation"},
    {BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), "proto: integer overflow"},
    {BYTES("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
     "proto: negative length found during unmarshaling"},
    {BYTES("\x9b\x06\x9b\x06\x9c\x06"), "unexpected EOF"},
    {BYTES("\x9e\x06"), "proto: illegal wireType 6"},
    {BYTES("\x99\x06\x00"), "unexpected EOF"},
    {BYTES("\x0a\x03\x5a\x01\x0a"), "unexpected EOF"},
    {BYTES("\x12\x04\x0a\x02\x12\x00"), NULL},
    {BYTES("\x9b\x06\x9c\x06"), NULL},
    {BYTES(""), NULL},
};

static void broken_messages(void **state) {
  (void)state;
  const type_info *t = type_named("io.k8s.api.core.v1.Pod");
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
    arena *a = arena_create();
    slice error = SLICE_NONE;
    val *v = proto_decode(a, broken[i].bytes, t, &error);
    if (!broken[i].error) assert_non_null(v);
    else {
      assert_null(v);
      assert_string_equal(arena_cstr(a, error), broken[i].error);
    }
    arena_destroy(a);
  }
}

/* Rows that are nobody's stand before and behind a type's: no tag is theirs. */
static void no_fields(void **state) {
  (void)state;
  for (uint16_t i = 0; i < schema_type_count; i++) {
    const type_info *t = schema_types[i];
    if (t->kind != TYPE_STRUCT) continue;
    arena *a = arena_create();
    slice error = SLICE_NONE;
    assert_null(proto_decode(a, BYTES("\x00"), t, &error));
    if (t->proto_count == 0) { /* nor is a tag of a type without fields any other's */
      for (char tag = 8; tag < 127; tag++) {
        char bytes[] = {tag, 0, 0, 0, 0, 0, 0, 0, 0};
        proto_decode(a, slice_of(bytes, sizeof bytes), t, &error);
      }
    }
    assert_int_equal(t->protos[-1].kind, PROTO_BEFORE);
    assert_int_equal(t->protos_end->kind, PROTO_BEFORE);
    arena_destroy(a);
  }
}

/* However little room there is: the bytes, or the mark that they did not fit. */
static void ceilings(void **state) {
  (void)state;
  arena *a = arena_create();
  const type_info *t = type_named("io.k8s.api.core.v1.Pod");
  val *v = val_map(a), *labels = val_ensure_map(a, val_ensure_map(a, v, "metadata"), "labels");
  for (int i = 0; i < 40; i++) {
    slice key = arena_printf(a, "key-%0*d", 1 + i * 3, i);
    val_set(a, labels, key, val_printf(a, "%0*d", 100 - i, i));
  }
  slice want = SLICE_NONE;
  v = tree_of_json(a, json_of(a, v, t), t);
  for (size_t ceiling = 20000; ceiling-- > 0; ceiling -= ceiling > 6 ? 6 : 0) {
    buf b;
    buf_init(&b, ceiling);
    proto_encode(&b, v, t);
    if (!want.ptr) want = arena_copy(a, buf_slice(&b));
    if (!b.overflow) assert_true(slice_eq(buf_slice(&b), want));
    assert_true(b.overflow || ceiling >= want.len);
    assert_true(!b.overflow || ceiling < want.len + 512);
    buf_dispose(&b);
  }
  arena_destroy(a);
}

static void reverse(val *map) {
  for (uint32_t i = 0; i < map->count / 2; i++) {
    val_entry *a = &map->u.entries[i], *b = &map->u.entries[map->count - 1 - i], was = *a;
    *a = *b;
    *b = was;
  }
}

/* Each map of the tree in turn with its entries the other way round, and under copies of their
 * names; returns how many. */
static unsigned expect_same_bytes(arena *a, val *v, const val *root, const type_info *t,
                                  slice want) {
  unsigned count = val_is_map(v);
  for (uint32_t i = 0; i < val_len(v); i++) {
    val *inner = val_is_map(v) ? v->u.entries[i].value : v->u.items[i];
    count += expect_same_bytes(a, inner, root, t, want);
  }
  if (!val_is_map(v)) return count;
  reverse(v);
  assert_true(slice_eq(proto_of(a, root, t), want));
  reverse(v);
  for (uint32_t i = 0; i < v->count; i++) {
    slice name = v->u.entries[i].key;
    v->u.entries[i].key = arena_copy(a, name);
    assert_true(slice_eq(proto_of(a, root, t), want));
    v->u.entries[i].key = name;
  }
  return count;
}

/* A tree need not be canonical: what no walk in the rows' order finds is found all the same. */
static void any_order(void **state) {
  (void)state;
  arena *a = arena_create();
  const type_info *t = type_named("io.k8s.api.core.v1.Pod");
  slice text = SLICE_LIT(
      "{\"metadata\":{\"name\":\"a\",\"namespace\":\"b\",\"labels\":{\"x\":\"1\",\"y\":\"2\"},"
      "\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"K\",\"name\":\"n\",\"uid\":\"u\"}]},"
      "\"spec\":{\"volumes\":[{\"name\":\"v\","
      "\"secret\":{\"secretName\":\"s\",\"optional\":true}}],"
      "\"containers\":[{\"name\":\"c\",\"ports\":[{\"name\":\"p\",\"containerPort\":80},"
      "{\"name\":\"q\",\"containerPort\":81}],\"livenessProbe\":{\"httpGet\":{\"path\":\"/\","
      "\"port\":80},\"periodSeconds\":3}}],\"affinity\":{\"nodeAffinity\":{"
      "\"requiredDuringSchedulingIgnoredDuringExecution\":{\"nodeSelectorTerms\":["
      "{\"matchExpressions\":[{\"key\":\"k\",\"operator\":\"In\",\"values\":[\"v\",\"w\"]},"
      "{\"key\":\"l\",\"operator\":\"Exists\"},{\"key\":\"m\",\"operator\":\"Exists\"}]},{}]}}}},"
      "\"status\":{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"},"
      "{\"type\":\"X\",\"status\":\"False\"}],"
      "\"podIPs\":[{\"ip\":\"1.1.1.1\"},{},{\"ip\":\"::\"}]}}");
  val *v = tree_of_json(a, text, t);
  slice want = proto_of(a, v, t), error = SLICE_NONE;
  val *back = proto_decode(a, want, t, &error);
  assert_true(back && val_equal(back, v));
  assert_int_equal(expect_same_bytes(a, v, v, t, want), 26);
  arena_destroy(a);
}

/* A list in a list's item and so on, below the levels that are walked at once. */
static void nested_lists(void **state) {
  (void)state;
  arena *a = arena_create();
  const type_info *t = type_named("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."
                                  "JSONSchemaProps");
  for (unsigned levels = 1; levels < 60; levels++) {
    val *v = val_map(a);
    for (unsigned i = 0; i < levels; i++) {
      val *outer = val_map(a), *all = val_ensure_list(a, outer, "allOf");
      val *named = val_map(a);
      val_setc(a, named, "title", val_printf(a, "%u", i));
      val_append(a, all, named);
      val_append(a, all, v);
      val_append(a, all, named);
      v = outer;
    }
    slice error = SLICE_NONE;
    v = codec_conform(a, v, t, NULL, &error);
    val *back = proto_decode(a, proto_of(a, v, t), t, &error);
    assert_true(back && val_equal(back, v));
  }
  arena_destroy(a);
}

/* JSONSchemaProps in JSONSchemaProps: field "not" (26), a length, again. */
static void deep_messages(void **state) {
  (void)state;
  enum { LEVELS = 200000 };
  const type_info *t = type_named("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."
                                  "JSONSchemaProps");
  const field_info *f = type_field(t, SLICE_LIT("not"));
  uint32_t number = f->proto;
  arena *a = arena_create();
  size_t cap = (size_t)LEVELS * 7, len = 0;
  char *bytes = heap_alloc(cap);
  for (int i = 0; i < LEVELS; i++) { /* from the innermost outwards */
    size_t n = len;
    char head[7];
    unsigned h = 0;
    for (uint64_t tag = number << 3 | 2; ; tag >>= 7) {
      head[h++] = (char)(tag >= 128 ? tag | 128 : tag);
      if (tag < 128) break;
    }
    for (;; n >>= 7) {
      head[h++] = (char)(n >= 128 ? n | 128 : n);
      if (n < 128) break;
    }
    len += h;
    memcpy(bytes + cap - len, head, h);
    if (i == 5000) {
      slice error = SLICE_NONE, whole = slice_of(bytes + cap - len, len);
      val *v = proto_decode(a, whole, t, &error);
      assert_non_null(v);
      assert_non_null(proto_decode(a, proto_of(a, v, t), t, &error));
    }
  }
  slice error = SLICE_NONE;
  assert_null(proto_decode(a, slice_of(bytes + cap - len, len), t, &error));
  assert_true(error.len > 0);
  heap_free(bytes);
  arena_destroy(a);
}

static void envelope(void **state) {
  (void)state;
  arena *a = arena_create();
  buf out;
  buf_init(&out, LIMIT_BUFFER);
  proto_envelope(&out, SLICE_LIT("v1"), SLICE_LIT("Pod"), SLICE_LIT("xy"));
  slice want = BYTES("k8s\0\x0a\x09\x0a\x02v1\x12\x03Pod\x12\x02xy\x1a\0\x22\0");
  assert_true(slice_eq(buf_slice(&out), want));
  slice api, kind, message, encoding, type, error = SLICE_NONE;
  assert_true(proto_open_envelope(a, want, &api, &kind, &message, &encoding, &type, &error));
  assert_true(slice_is(api, "v1") && slice_is(kind, "Pod") && slice_is(message, "xy"));
  buf_clear(&out);
  proto_watch_frame(&out, SLICE_LIT("ADDED"), SLICE_LIT("k8s"));
  assert_true(slice_eq(buf_slice(&out), BYTES("\0\0\0\x0e\x0a\x05" "ADDED\x12\x05\x0a\x03k8s")));
  assert_false(proto_open_envelope(a, SLICE_LIT("{}"), &api, &kind, &message, &encoding, &type,
                                   &error));
  buf_dispose(&out);
  arena_destroy(a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(corpus),        cmocka_unit_test(golden),
      cmocka_unit_test(broken_messages), cmocka_unit_test(no_fields),
      cmocka_unit_test(ceilings), cmocka_unit_test(deep_messages),
      cmocka_unit_test(any_order), cmocka_unit_test(nested_lists), cmocka_unit_test(envelope),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
