/* Each case in an arena of its own: decode the three formats, compare the trees' JSON, encode each
 * and compare the bytes with the file's (or with what the corpus says it becomes). */
#include "sim/conformance/corpus.h"

#include "base/limits.h"
#include "codec/codec.h"
#include "sim/file.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX ((size_t)16 << 20)
#define AFTER ".after_roundtrip"

/* ---- files ---- */

typedef struct checking {
  arena *a;
  const char *folder;
  slice name;
  const kind_info *kind;
  bool after; /* what must come out is in the after_roundtrip files */
  slice problem;
} checking;

/* The file of a format, and what must come out. */
static bool read_form(const checking *k, const char *format, slice *text, slice *want) {
  slice path = arena_printf(k->a, "%s/%.*s.%s", k->folder, SLICE_ARG(k->name), format);
  if (file_read(k->a, path.ptr, FILE_MAX, text)) return false;
  path = arena_printf(k->a, "%s/%.*s" AFTER ".%s", k->folder, SLICE_ARG(k->name), format);
  if (!k->after || file_read(k->a, path.ptr, FILE_MAX, want)) *want = *text;
  return true;
}

/* ---- one case ---- */

static bool fail(checking *k, const char *what, slice why) {
  k->problem = arena_printf(k->a, "%s: %.*s", what, SLICE_ARG(why));
  return false;
}

static bool same(checking *k, const char *what, slice want, slice got) {
  while (want.len && want.ptr[want.len - 1] == '\n') want.len--;
  while (got.len && got.ptr[got.len - 1] == '\n') got.len--;
  if (slice_eq(want, got)) return true;
  size_t i = 0;
  while (i < want.len && i < got.len && want.ptr[i] == got.ptr[i]) i++;
  slice w = slice_upto(slice_from(want, i > 40 ? i - 40 : 0), 100);
  slice g = slice_upto(slice_from(got, i > 40 ? i - 40 : 0), 100);
  return fail(k, what, arena_printf(k->a, "differs at byte %zu: want ...%.*s... got ...%.*s...", i,
                                    SLICE_ARG(w), SLICE_ARG(g)));
}

static slice finish(arena *a, buf *b) {
  slice s = arena_copy(a, buf_slice(b));
  buf_dispose(b);
  return s;
}

static slice to_json(const checking *k, const val *v) {
  buf compact, pretty;
  buf_init(&compact, LIMIT_BUFFER);
  buf_init(&pretty, LIMIT_BUFFER);
  json_encode(&compact, v, k->kind->type);
  json_indent(&pretty, buf_slice(&compact));
  buf_dispose(&compact);
  return finish(k->a, &pretty);
}

static slice to_yaml(const checking *k, const val *v) {
  buf out;
  buf_init(&out, LIMIT_BUFFER);
  yaml_encode(&out, v, k->kind->type);
  return finish(k->a, &out);
}

static slice api_version(const checking *k) {
  const kind_info *kind = k->kind;
  return kind->group.len ? arena_printf(k->a, "%.*s/%.*s", SLICE_ARG(kind->group), SLICE_ARG(kind->version))
                         : kind->version;
}

/* A watch event says nothing of its own kind, and its envelope neither. */
static slice to_proto(const checking *k, const val *v) {
  bool named = val_getc(v, "kind") != NULL;
  slice none = SLICE_LIT("");
  buf message, out;
  buf_init(&message, LIMIT_BUFFER);
  buf_init(&out, LIMIT_BUFFER);
  proto_encode(&message, v, k->kind->type);
  proto_envelope(&out, named ? api_version(k) : none, named ? k->kind->kind : none, buf_slice(&message));
  buf_dispose(&message);
  return finish(k->a, &out);
}

static val *from_text(checking *k, const char *what, slice text, bool yaml) {
  slice error = SLICE_NONE;
  strict_report strict = {0};
  val *v = yaml ? yaml_parse(k->a, text, &strict, &error) : json_parse(k->a, text, &strict, &error);
  if (v) v = codec_conform(k->a, v, k->kind->type, &strict, &error);
  if (v && (strict.count == 0 || k->after)) return v; /* fields may have gone since */
  fail(k, what, v ? strict.items[0] : error);
  return NULL;
}

static val *from_proto(checking *k, slice text) {
  slice part[5], error = SLICE_NONE;
  val *out = val_map(k->a), *v = NULL;
  if (proto_open_envelope(k->a, text, &part[0], &part[1], &part[2], &part[3], &part[4], &error)) {
    v = proto_decode(k->a, part[2], k->kind->type, &error);
  }
  if (!v) {
    fail(k, "pb", error);
    return NULL;
  }
  /* The envelope has them; in the tree they come first. */
  if (part[1].len) val_setc(k->a, out, "kind", val_string(k->a, part[1]));
  if (part[0].len) val_setc(k->a, out, "apiVersion", val_string(k->a, part[0]));
  VAL_EACH(e, v) {
    if (!slice_is(e->key, "kind") && !slice_is(e->key, "apiVersion")) val_set(k->a, out, e->key, e->value);
  }
  return out;
}

static bool check(checking *k) {
  slice json, yaml, proto, want, want_yaml, want_proto;
  bool has_json = read_form(k, "json", &json, &want), has_yaml = read_form(k, "yaml", &yaml, &want_yaml);
  bool has_proto = k->kind->type->proto_count && read_form(k, "pb", &proto, &want_proto);
  if (!has_json && !has_yaml && !has_proto) return fail(k, "files", SLICE_LIT("none"));
  if (has_json) {
    const val *v = from_text(k, "json", json, false);
    if (!v || !same(k, "json", want, to_json(k, v))) return false;
    if (has_yaml && !same(k, "json to yaml", want_yaml, to_yaml(k, v))) return false;
    if (has_proto && !same(k, "json to pb", want_proto, to_proto(k, v))) return false;
  }
  if (has_yaml) {
    const val *v = from_text(k, "yaml", yaml, true);
    if (!v || !same(k, "yaml", want_yaml, to_yaml(k, v))) return false;
    if (has_json && !same(k, "yaml to json", want, to_json(k, v))) return false;
    if (has_proto && !same(k, "yaml to pb", want_proto, to_proto(k, v))) return false;
  }
  if (has_proto) {
    const val *v = from_proto(k, proto);
    if (!v || !same(k, "pb", want_proto, to_proto(k, v))) return false;
    if (has_json && !same(k, "pb to json", want, to_json(k, v))) return false;
    if (has_yaml && !same(k, "pb to yaml", want_yaml, to_yaml(k, v))) return false;
  }
  return true;
}

/* A corpus of this release comes out as it is; its after_roundtrip files are then a later release's
 * expectations. In a corpus of an earlier release they are ours. */
static bool check_either(checking *k) {
  static const char *const formats[] = {"json", "yaml", "pb"};
  slice text, first;
  bool expected = false;
  if (check(k)) return true;
  first = k->problem;
  for (size_t i = 0; i < 3 && !expected; i++) { /* a format has one where it needs one */
    slice path = arena_printf(k->a, "%s/%.*s" AFTER ".%s", k->folder, SLICE_ARG(k->name),
                              formats[i]);
    expected = !file_read(k->a, path.ptr, FILE_MAX, &text);
  }
  if (!expected) return false;
  k->after = true;
  if (check(k)) {
    k->problem = SLICE_NONE;
    return true;
  }
  k->problem = first;
  return false;
}

/* "apps.v1.Deployment": the group may have dots, version and kind have none. */
static void split(slice name, slice *group, slice *version, slice *kind) {
  size_t dot[2] = {0, 0};
  for (size_t i = 0; i < name.len; i++) {
    if (name.ptr[i] == '.') dot[0] = dot[1], dot[1] = i;
  }
  *group = slice_upto(name, dot[0]);
  *version = slice_of(name.ptr + dot[0] + 1, dot[1] - dot[0] - 1);
  *kind = slice_from(name, dot[1] + 1);
}

static void check_case(corpus *c, const char *folder, corpus_case *one) {
  slice version, kind;
  split(one->name, &one->group, &version, &kind);
  slice group = slice_is(one->group, "core") ? SLICE_LIT("") : one->group;
  checking k = {.a = arena_create(), .folder = folder, .name = one->name};
  k.kind = schema_kind(group, version, kind);
  one->served = schema_group_has_version(group, version);
  one->outcome = !k.kind ? CORPUS_UNKNOWN : check_either(&k) ? CORPUS_PASSED : CORPUS_FAILED;
  one->problem = arena_copy(c->arena, k.problem);
  arena_destroy(k.a);
  c->passed += one->outcome == CORPUS_PASSED;
  c->failed += one->outcome == CORPUS_FAILED;
  c->not_served += !one->served;
}

/* ---- all ---- */

static int by_name(const void *x, const void *y) {
  return slice_cmp(((const corpus_case *)x)->name, ((const corpus_case *)y)->name);
}

static bool is_case(slice file, slice *name) {
  static const char *const formats[] = {".json", ".yaml", ".pb"};
  for (size_t i = 0; i < 3; i++) {
    slice format = slice_cstr(formats[i]);
    if (!slice_has_suffix(file, format)) continue;
    *name = slice_upto(file, file.len - format.len);
    unsigned dots = 0;
    for (size_t k = 0; k < name->len; k++) dots += name->ptr[k] == '.';
    return dots >= 2 && slice_find(*name, SLICE_LIT(AFTER)) < 0;
  }
  return false;
}

corpus *corpus_check(const char *folder) {
  DIR *dir = opendir(folder);
  if (!dir) return NULL;
  corpus *c = calloc(1, sizeof *c);
  c->arena = arena_create();
  uint32_t cap = 0, kept = 0;
  slice name;
  for (struct dirent *e; (e = readdir(dir));) {
    if (!is_case(slice_cstr(e->d_name), &name)) continue;
    if (c->count == cap) c->cases = realloc(c->cases, sizeof *c->cases * (cap = cap ? cap * 2 : 256));
    c->cases[c->count++] = (corpus_case){.name = arena_copy(c->arena, name)};
  }
  closedir(dir);
  if (c->count) qsort(c->cases, c->count, sizeof *c->cases, by_name);
  for (uint32_t i = 0; i < c->count; i++) { /* one a kind, of its three files */
    if (kept == 0 || !slice_eq(c->cases[kept - 1].name, c->cases[i].name)) c->cases[kept++] = c->cases[i];
  }
  c->count = kept;
  for (uint32_t i = 0; i < c->count; i++) check_case(c, folder, &c->cases[i]);
  if (c->count) return c;
  corpus_destroy(c);
  return NULL;
}

void corpus_destroy(corpus *c) {
  arena_destroy(c->arena);
  free(c->cases);
  free(c);
}
