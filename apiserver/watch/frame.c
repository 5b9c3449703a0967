/* Frames: {"type":...,"object":...} and a newline in JSON; length-delimited messages in protobuf;
 * one item after the other in CBOR.
 * The source of the protobuf form: apimachinery pkg/runtime/serializer/protobuf (length-delimited
 * frames of a meta.v1 WatchEvent whose object is a RawExtension). */
#include "watch/frame.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "registry/object.h"
#include "registry/stored.h"
#include "respond/respond.h"
#include "respond/table.h"
#include "version/version.h"

#include <assert.h>

static const char *const type_names[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"};

static blob *wrap_protobuf(event_type type, slice object) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  proto_watch_frame(&b, slice_cstr(type_names[type]), object);
  assert(!b.overflow);
  blob *out = blob_copy(buf_slice(&b));
  buf_dispose(&b);
  return out;
}

static blob *wrap_json(event_type type, slice object) {
  slice head[3] =
      {SLICE_LIT("{\"type\":\""), slice_cstr(type_names[type]), SLICE_LIT("\",\"object\":")};
  while (object.len && object.ptr[object.len - 1] == '\n') object.len--;
  size_t len = head[0].len + head[1].len + head[2].len + object.len + 2;
  blob *b = blob_alloc(len);
  char *p = b->data;
  for (int i = 0; i < 3; i++) {
    memcpy(p, head[i].ptr, head[i].len);
    p += head[i].len;
  }
  memcpy(p, object.ptr, object.len);
  memcpy(p + object.len, "}\n", 2);
  return b;
}

static blob *wrap_cbor(event_type type, slice document) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  cbor_watch_frame(&b, slice_cstr(type_names[type]), document);
  assert(!b.overflow);
  blob *out = blob_copy(buf_slice(&b));
  buf_dispose(&b);
  return out;
}

static blob *wrap(const frame_form *form, event_type type, slice object) {
  switch ((body_format)form->format) {
    case FORMAT_PROTOBUF: return wrap_protobuf(type, object);
    case FORMAT_CBOR: return wrap_cbor(type, object);
    default: return wrap_json(type, object);
  }
}

static blob *wrap_tree(arena *a, const frame_form *form, event_type type, val *tree,
                       const type_info *t) {
  output_form plain = {.format = (body_format)form->format};
  blob *object = respond_encode(a, &plain, tree, t);
  blob *frame = wrap(form, type, blob_slice(object));
  blob_unref(object);
  return frame;
}

static const type_info *meta_type(const char *kind) {
  return schema_kind(SLICE_LIT("meta.k8s.io"), SLICE_LIT("v1"), slice_cstr(kind))->type;
}

frame_form frame_form_of(const output_form *form, slice include_object) {
  return (frame_form){(uint8_t)form->format, (uint8_t)form->as,
                      (uint8_t)table_include_of(include_object),
                      slice_is(form->as_version, "v1beta1")};
}

static slice meta_version(const frame_form *form) {
  return form->beta ? SLICE_LIT("v1beta1") : SLICE_LIT("v1");
}

static val *as_form(arena *a, const resource_info *r, const frame_form *form, val *obj,
                    bool columns,
                    int64_t now_s, const type_info **t) {
  *t = r->type;
  if (form->as == AS_TABLE) {
    *t = meta_type("Table");
    return table_make(a, r, &obj, 1, NULL, (table_include)form->include, columns,
                      meta_version(form), now_s);
  }
  if (form->as != AS_OBJECT) {
    *t = meta_type("PartialObjectMetadata");
    return partial_make(a, obj, meta_version(form));
  }
  return obj;
}

static blob *object_frame(arena *a, const resource_info *r, const frame_form *form, event_type type,
                          store_entry *e, int64_t revision) {
  char gv[GROUP_VERSION_ROOM];
  if (revision && form->format == FORMAT_JSON && !r->custom && version_is_storage(r)) {
    blob *bytes = stored_with_revision(blob_slice(e->value), revision);
    blob *frame = wrap_json(type, blob_slice(bytes));
    blob_unref(bytes);
    return frame;
  }
  if (revision) {
    val *obj = respond_tree_of(a, r, e);
    object_set_str(a, obj, "resourceVersion", arena_printf(a, "%lld", (long long)revision));
    return wrap_tree(a, form, type, obj, r->type);
  }
  blob *bytes = respond_entry_bytes(a, r, e, (body_format)form->format);
  if (form->format != FORMAT_PROTOBUF) return wrap(form, type, blob_slice(bytes));
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  proto_envelope(&b, schema_group_version(r, gv), r->kind, blob_slice(bytes));
  blob *frame = wrap_protobuf(type, buf_slice(&b));
  buf_dispose(&b);
  return frame;
}

blob *frame_of_entry(arena *a, const resource_info *r, const frame_form *form, event_type type,
                     store_entry *e, int64_t revision, bool columns, int64_t now_s) {
  if (form->as == AS_OBJECT) return object_frame(a, r, form, type, e, revision);
  const type_info *t;
  val *obj = stored_decode(a, r, e);
  if (revision) {
    object_set_str(a, obj, "resourceVersion", arena_printf(a, "%lld", (long long)revision));
  }
  val *tree = as_form(a, r, form, obj, columns, now_s, &t);
  return wrap_tree(a, form, type, tree, t);
}

/* What the real server's conversion from its internal zero object adds. */
static void bookmark_fill(arena *a, const resource_info *r, val *obj, bool initial_end) {
  static const char *const scaled[] = {"Deployment", "ReplicaSet", "StatefulSet"};
  val *notes = val_map(a), *spec;
  if (slice_is(r->group, "apps") && slice_is(r->kind, "DaemonSet")) {
    val_setc(a, notes, "deprecated.daemonset.template.generation", val_cstr(a, "0"));
  }
  if (initial_end) val_setc(a, notes, "k8s.io/initial-events-end", val_cstr(a, "true"));
  if (notes->count > 0) val_setc(a, object_meta(a, obj), "annotations", notes);
  for (size_t i = 0; i < sizeof scaled / sizeof *scaled; i++) {
    if (!slice_is(r->group, "apps") || !slice_is(r->kind, scaled[i])) continue;
    spec = val_map(a);
    val_setc(a, spec, "replicas", val_int(a, 0));
    val_setc(a, obj, "spec", spec);
  }
}

blob *frame_of_bookmark(arena *a, const resource_info *r, const frame_form *form, int64_t revision,
                        bool initial_end, bool columns) {
  char gv[GROUP_VERSION_ROOM];
  val *obj = val_map(a);
  const type_info *t;
  val_setc(a, obj, "kind", val_string(a, r->kind));
  val_setc(a, obj, "apiVersion", val_string_copy(a, schema_group_version(r, gv)));
  object_set_str(a, obj, "resourceVersion", arena_printf(a, "%lld", (long long)revision));
  bookmark_fill(a, r, obj, initial_end);
  frame_form told = *form; /* the end of the initial events is told even without objects */
  if (initial_end && told.include == INCLUDE_NONE) told.include = INCLUDE_METADATA;
  val *tree = as_form(a, r, &told, obj, columns, 0, &t);
  return wrap_tree(a, form, EVENT_BOOKMARK, tree, t);
}

blob *frame_of_error(arena *a, const frame_form *form, const status_error *err) {
  const kind_info *k = schema_kind(SLICE_LIT(""), SLICE_LIT("v1"), SLICE_LIT("Status"));
  return wrap_tree(a, form, EVENT_ERROR, respond_status_tree(a, err), k->type);
}
