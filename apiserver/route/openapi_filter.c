/* See openapi_filter.h. */
#include "route/openapi_filter.h"

#include "base/heap.h"
#include "codec/codec.h"
#include "codec/proto_wire.h"

#include <stdlib.h>
#include <string.h>

#define SCHEMAS_MAX 4096
/* Referred to by nothing, and always there. */
#define ALWAYS SLICE_LIT("io.k8s.apimachinery.pkg.apis.meta.v1.Patch")

typedef struct filter {
  const served_set *served;
  slice mark; /* in front of a schema's name where something refers to it */
  bool bad;
  uint32_t count, todo_count;
  slice names[SCHEMAS_MAX], bodies[SCHEMAS_MAX]; /* by name, in byte order */
  bool kept[SCHEMAS_MAX];
  uint16_t todo[SCHEMAS_MAX];
} filter;

/* ---- which ---- */

/* The segment behind the version that names a resource: "watch" and a namespace stand before it. */
static slice resource_of(slice rest) {
  slice first, more, second, third;
  bool deeper = slice_cut(rest, '/', &first, &more);
  if (deeper && slice_is(first, "watch")) deeper = slice_cut(more, '/', &first, &more);
  if (!deeper || !slice_is(first, "namespaces")) return first;
  if (!slice_cut(more, '/', &second, &more) || !slice_is(second, "{namespace}")) return first;
  slice_cut(more, '/', &third, &more);
  return third;
}

bool openapi_path_served(const served_set *s, slice path) {
  slice group = SLICE_LIT(""), version, rest;
  if (slice_has_prefix(path, SLICE_LIT("/apis/"))) {
    if (!slice_cut(slice_from(path, 6), '/', &group, &rest)) return true;
    if (rest.len == 0) return served_group(s, group) != NULL;
  } else if (slice_has_prefix(path, SLICE_LIT("/api/"))) {
    rest = slice_from(path, 5);
    if (rest.len == 0) return true;
  } else {
    return true;
  }
  slice_cut(rest, '/', &version, &rest);
  if (rest.len == 0) return served_group_has_version(s, group, version);
  return served_resource(s, group, version, resource_of(rest)) != NULL;
}

static int schema_at(const filter *f, slice name) {
  int low = 0, high = (int)f->count;
  while (low < high) {
    int middle = low + (high - low) / 2, order = slice_cmp(name, f->names[middle]);
    if (order == 0) return middle;
    if (order < 0) high = middle;
    else low = middle + 1;
  }
  return -1;
}

static void keep(filter *f, slice name) {
  int i = schema_at(f, name);
  if (i < 0 || f->kept[i]) return;
  f->kept[i] = true;
  f->todo[f->todo_count++] = (uint16_t)i;
}

static void keep_referred(filter *f, slice text) {
  for (ptrdiff_t at; (at = slice_find(text, f->mark)) >= 0;) {
    slice name, rest;
    text = slice_from(text, (size_t)at + f->mark.len);
    slice_cut(text, '"', &name, &rest);
    keep(f, name);
    text = rest;
  }
}

/* ---- JSON ---- */

/* The value that `text` begins with. */
static slice value_cut(slice text) {
  size_t depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.len; i++) {
    char c = text.ptr[i];
    if (quoted && c == '\\') i++;
    else if (c == '"') quoted = !quoted;
    else if (!quoted && (c == '{' || c == '[')) depth++;
    else if (!quoted && (c == '}' || c == ']') && --depth == 0) return slice_upto(text, i + 1);
    else if (!quoted && depth == 0 && c == ',') return slice_upto(text, i);
    if (!quoted && depth == 0 && c == '"') return slice_upto(text, i + 1);
  }
  return text;
}

/* Takes the next `"key":value` of an object's inside off `rest`. */
static bool member_next(slice *rest, slice *key, slice *value) {
  if (rest->len && rest->ptr[0] == ',') *rest = slice_from(*rest, 1);
  if (rest->len < 3 || rest->ptr[0] != '"') return false;
  ptrdiff_t end = slice_find(*rest, SLICE_LIT("\":"));
  if (end < 1) return false;
  *key = slice_of(rest->ptr + 1, (size_t)end - 1);
  *value = value_cut(slice_from(*rest, (size_t)end + 2));
  *rest = slice_from(*rest, (size_t)end + 2 + value->len);
  return true;
}

static slice inside(slice object) {
  return object.len >= 2 ? slice_of(object.ptr + 1, object.len - 2) : SLICE_LIT("");
}

static bool path_kept(const filter *f, slice path) { return openapi_path_served(f->served, path); }

static bool schema_kept(const filter *f, slice name) {
  int i = schema_at(f, name);
  return i >= 0 && f->kept[i];
}

typedef bool (*chooser)(const filter *f, slice name);

static void schemas_learn(filter *f, slice object) {
  slice rest = inside(object), key, value;
  while (member_next(&rest, &key, &value)) {
    bool follows = f->count == 0 || slice_cmp(f->names[f->count - 1], key) < 0;
    if (f->count == SCHEMAS_MAX || !follows) {
      f->bad = true;
      return;
    }
    f->names[f->count] = key;
    f->bodies[f->count++] = value;
  }
}

/* Finds the schemas, then marks the ones that stay. */
static void document_learn(filter *f, slice json, bool v3) {
  slice rest = inside(json), key, value, paths = SLICE_NONE;
  while (member_next(&rest, &key, &value)) {
    if (slice_is(key, "paths")) paths = value;
    if (!v3 && slice_is(key, "definitions")) schemas_learn(f, value);
    if (!v3 || !slice_is(key, "components")) continue;
    slice inner = inside(value), name, object;
    while (member_next(&inner, &name, &object)) {
      if (slice_is(name, "schemas")) schemas_learn(f, object);
    }
  }
  for (rest = inside(paths); member_next(&rest, &key, &value);) {
    if (path_kept(f, key)) keep_referred(f, value);
  }
  if (!v3) keep(f, ALWAYS);
  while (f->todo_count) keep_referred(f, f->bodies[f->todo[--f->todo_count]]);
}

static void member_write(buf *out, bool first, slice key) {
  if (!first) buf_char(out, ',');
  buf_char(out, '"');
  buf_append(out, key);
  buf_lit(out, "\":");
}

static void object_write(const filter *f, slice object, chooser stays, buf *out) {
  slice rest = inside(object), key, value;
  bool first = true;
  buf_char(out, '{');
  while (member_next(&rest, &key, &value)) {
    if (!stays(f, key)) continue;
    member_write(out, first, key);
    buf_append(out, value);
    first = false;
  }
  buf_char(out, '}');
}

/* depth 1 is inside the third version's components. */
static void json_write(const filter *f, slice object, bool v3, int depth, buf *out) {
  slice rest = inside(object), key, value;
  bool first = true;
  buf_char(out, '{');
  while (member_next(&rest, &key, &value)) {
    member_write(out, first, key);
    first = false;
    bool schemas = depth ? slice_is(key, "schemas") : !v3 && slice_is(key, "definitions");
    if (!depth && slice_is(key, "paths")) object_write(f, value, path_kept, out);
    else if (schemas) object_write(f, value, schema_kept, out);
    else if (!depth && v3 && slice_is(key, "components")) json_write(f, value, v3, 1, out);
    else buf_append(out, value);
  }
  buf_char(out, '}');
}

/* ---- protobuf ---- */

typedef struct chunk {
  uint32_t number;
  slice whole, body; /* with its tag and length; what is in it */
} chunk;

/* Documents have only fields with a length at the levels that are looked at. */
static bool chunk_next(slice *rest, chunk *c) {
  uint64_t tag;
  if (rest->len == 0) return false;
  proto_in in = {.start = rest->ptr, .p = rest->ptr, .limit = rest->ptr + rest->len};
  if (!wire_varint(&in, &tag) || (tag & 7) != WIRE_BYTES || !wire_bytes(&in, &c->body)) {
    return false;
  }
  c->number = (uint32_t)(tag >> 3);
  c->whole = slice_upto(*rest, (size_t)(in.p - in.start));
  *rest = slice_from(*rest, c->whole.len);
  return true;
}

static void entries_write(filter *f, slice entries, chooser stays, buf *out) {
  chunk entry, name;
  while (chunk_next(&entries, &entry)) {
    slice body = entry.body;
    if (!chunk_next(&body, &name)) {
      f->bad = true;
      return;
    }
    if (stays(f, name.body)) buf_append(out, entry.whole);
  }
  f->bad = f->bad || entries.len;
}

/* Numbers of the fields that hold paths and schemas; 0: none. */
typedef struct places {
  uint32_t paths, schemas, components;
} places;

static void proto_write(filter *f, slice message, const places *at, buf *out) {
  static const places in_components = {0, 1, 0};
  chunk c;
  while (chunk_next(&message, &c)) {
    buf inner;
    buf_init(&inner, (size_t)16 << 20);
    if (c.number == at->paths) entries_write(f, c.body, path_kept, &inner);
    else if (c.number == at->schemas) entries_write(f, c.body, schema_kept, &inner);
    else if (c.number == at->components) proto_write(f, c.body, &in_components, &inner);
    else buf_append(&inner, c.body);
    proto_append_field(out, c.number, buf_slice(&inner));
    buf_dispose(&inner);
  }
  f->bad = f->bad || message.len;
}

bool openapi_filter(const served_set *s, slice json, slice protobuf, bool v3, buf *json_out,
                    buf *protobuf_out) {
  static const places v2_places = {8, 9, 0}, v3_places = {4, 0, 5};
  filter *f = heap_zalloc(sizeof *f);
  f->served = s;
  f->mark = v3 ? SLICE_LIT("\"$ref\":\"#/components/schemas/")
               : SLICE_LIT("\"$ref\":\"#/definitions/");
  document_learn(f, json, v3);
  json_write(f, json, v3, 0, json_out);
  proto_write(f, protobuf, v3 ? &v3_places : &v2_places, protobuf_out);
  bool ok = !f->bad && !json_out->overflow && !protobuf_out->overflow;
  heap_free(f);
  return ok;
}
