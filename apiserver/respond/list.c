/* Lists. In the storage version's JSON and in protobuf an item is a slice of bytes that the entry
 * keeps anyway, so a list of thousands is a row of pointers; other forms are built as a tree. */
#include "base/buf.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "registry/stored.h"
#include "respond/head.h"
#include "respond/list_internal.h"
#include "respond/respond.h"
#include "respond/table.h"
#include "version/version.h"

#include <assert.h>

static val *meta_tree(arena *a, const list_meta *m) {
  val *meta = val_map(a);
  if (m->revision) {
    val_setc(a, meta, "resourceVersion", val_printf(a, "%lld", (long long)m->revision));
  }
  if (m->continue_token.len) val_setc(a, meta, "continue", val_string(a, m->continue_token));
  if (m->has_remaining) val_setc(a, meta, "remainingItemCount", val_int(a, m->remaining));
  return meta;
}

/* Of a list of custom resources: there is always a continue. */
static val *custom_meta(arena *a, const list_meta *m) {
  val *meta = meta_tree(a, m);
  val_setc(a, meta, "continue", val_string(a, m->continue_token));
  return meta;
}

slice list_json_head(request *rq, const list_meta *m) {
  buf b;
  char gv[GROUP_VERSION_ROOM];
  buf_init(&b, LIMIT_BUFFER);
  slice version = schema_group_version(rq->resource, gv);
  buf_printf(&b,
             "{\"kind\":\"%.*s\",\"apiVersion\":\"%.*s\","
             "\"metadata\":{\"resourceVersion\":\"%lld\"",
             SLICE_ARG(rq->resource->list_kind), SLICE_ARG(version), (long long)m->revision);
  if (m->continue_token.len) {
    buf_lit(&b, ",\"continue\":");
    json_encode_string(&b, m->continue_token);
  }
  if (m->has_remaining) buf_printf(&b, ",\"remainingItemCount\":%lld", (long long)m->remaining);
  buf_lit(&b, "},\"items\":[");
  slice s = arena_copy(rq->arena, buf_slice(&b));
  buf_dispose(&b);
  return s;
}

/* Keys are sorted, and items say what they are. */
static slice custom_tail(request *rq, const list_meta *m) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  buf_lit(&b, "],\"kind\":");
  json_encode_string(&b, rq->resource->list_kind);
  buf_lit(&b, ",\"metadata\":");
  json_encode_any(&b, custom_meta(rq->arena, m), true);
  buf_lit(&b, "}\n");
  slice s = arena_copy(rq->arena, buf_slice(&b));
  buf_dispose(&b);
  return s;
}

static void list_custom(request *rq, const output_form *form, store_entry *const *items,
                        uint32_t count, const list_meta *m) {
  http_part *parts = ARENA_ARRAY(rq->arena, http_part, (size_t)count * 2 + 2);
  uint32_t n = 0;
  char gv[GROUP_VERSION_ROOM];
  slice version = schema_group_version(rq->resource, gv);
  slice opening = arena_printf(rq->arena, "{\"apiVersion\":\"%.*s\",\"items\":[",
                            SLICE_ARG(version));
  parts[n++] = (http_part){opening, NULL};
  for (uint32_t i = 0; i < count; i++) {
    blob *b = respond_entry_bytes(rq->arena, rq->resource, items[i], FORMAT_JSON);
    if (i) parts[n++] = (http_part){SLICE_LIT(","), NULL};
    parts[n++] = (http_part){blob_slice(b), b};
  }
  parts[n++] = (http_part){custom_tail(rq, m), NULL};
  respond_parts(rq, 200, form->content_type, parts, n, NULL, 0);
}

static void list_json(request *rq, const output_form *form, store_entry *const *items,
                      uint32_t count, const list_meta *m) {
  http_part *parts = ARENA_ARRAY(rq->arena, http_part, (size_t)count * 2 + 2);
  uint32_t n = 0;
  size_t hint = 0;
  parts[n++] = (http_part){list_json_head(rq, m), NULL};
  for (uint32_t i = 0; i < count; i++) {
    blob *b = respond_entry_bytes(rq->arena, rq->resource, items[i], FORMAT_JSON);
    parts[n++] = (http_part){i ? SLICE_LIT(",{") : SLICE_LIT("{"), NULL};
    parts[n++] = (http_part){stored_item_rest(blob_slice(b), &hint), b};
  }
  parts[n++] = (http_part){SLICE_LIT("]}\n"), NULL};
  respond_parts(rq, 200, form->content_type, parts, n, NULL, 0);
}

void list_proto_meta(request *rq, const list_meta *m, buf *out) {
  val *empty = val_map(rq->arena);
  val_setc(rq->arena, empty, "metadata", meta_tree(rq->arena, m));
  proto_encode(out, empty, rq->resource->list_type);
}

static void list_protobuf(request *rq, const output_form *form, store_entry *const *items,
                          uint32_t count, const list_meta *m) {
  buf message, out;
  char gv[GROUP_VERSION_ROOM];
  buf_init(&message, LIMIT_BUFFER);
  buf_init(&out, LIMIT_BUFFER);
  list_proto_meta(rq, m, &message);
  for (uint32_t i = 0; i < count; i++) {
    blob *b = respond_entry_bytes(rq->arena, rq->resource, items[i], FORMAT_PROTOBUF);
    proto_append_field(&message, LIST_ITEMS, blob_slice(b));
  }
  proto_envelope(&out, schema_group_version(rq->resource, gv), rq->resource->list_kind,
                 buf_slice(&message));
  buf_dispose(&message);
  blob *whole = blob_copy(buf_slice(&out));
  buf_dispose(&out);
  respond_bytes(rq, 200, form->content_type, blob_slice(whole), whole, NULL, 0);
  blob_unref(whole);
}

/* In the asked version for objects, as they are stored for what is made of them. */
static val **item_trees(request *rq, arena *a, const output_form *form, store_entry *const *items,
                        uint32_t count) {
  val **trees = ARENA_ARRAY(a, val *, count + 1);
  for (uint32_t i = 0; i < count; i++) {
    trees[i] = form->as == AS_OBJECT ? respond_tree_of(a, rq->resource, items[i])
                                     : stored_decode(a, rq->resource, items[i]);
  }
  return trees;
}

static val *list_table(request *rq, arena *a, const output_form *form, val **trees,
                       uint32_t count, const list_meta *m, const type_info **type) {
  *type = schema_kind(SLICE_LIT("meta.k8s.io"), SLICE_LIT("v1"), SLICE_LIT("Table"))->type;
  return table_make(a, rq->resource, trees, count, meta_tree(a, m),
                    table_include_of(http_query_get(rq->http, "includeObject")), true,
                    form->as_version, request_now_s(rq));
}

static val *list_partial(arena *a, const output_form *form, val **trees, uint32_t count,
                         const list_meta *m, const type_info **type) {
  val *list = val_map(a), *out = val_list(a);
  *type = schema_kind(SLICE_LIT("meta.k8s.io"), form->as_version,
                      SLICE_LIT("PartialObjectMetadataList"))->type;
  for (uint32_t i = 0; i < count; i++) {
    val_append(a, out, partial_make(a, trees[i], form->as_version));
  }
  val_setc(a, list, "kind", val_cstr(a, "PartialObjectMetadataList"));
  val_setc(a, list, "apiVersion", val_printf(a, "meta.k8s.io/%.*s", SLICE_ARG(form->as_version)));
  val_setc(a, list, "metadata", meta_tree(a, m));
  val_setc(a, list, "items", out);
  return list;
}

/* Pretty JSON, YAML and CBOR: the whole list as a tree. */
static val *list_objects(request *rq, arena *a, val **trees, uint32_t count, const list_meta *m,
                         const type_info **type) {
  char gv[GROUP_VERSION_ROOM];
  val *list = val_map(a), *out = val_list(a);
  *type = rq->resource->list_type;
  for (uint32_t i = 0; i < count; i++) {
    if (!rq->resource->custom) {
      val_delc(trees[i], "kind");
      val_delc(trees[i], "apiVersion");
    }
    val_append(a, out, trees[i]);
  }
  val_setc(a, list, "kind", val_string(a, rq->resource->list_kind));
  val_setc(a, list, "apiVersion", val_string_copy(a, schema_group_version(rq->resource, gv)));
  val_setc(a, list, "metadata", rq->resource->custom ? custom_meta(a, m) : meta_tree(a, m));
  val_setc(a, list, "items", out);
  return list;
}

static val *document(request *rq, arena *a, const output_form *form, val **trees, uint32_t count,
                     const list_meta *m, const type_info **type) {
  if (form->as == AS_TABLE) return list_table(rq, a, form, trees, count, m, type);
  if (form->as != AS_OBJECT) return list_partial(a, form, trees, count, m, type);
  return list_objects(rq, a, trees, count, m, type);
}

val *list_document(request *rq, arena *a, const output_form *form, store_entry *const *items,
                   uint32_t count, const list_meta *m, const type_info **type) {
  return document(rq, a, form, item_trees(rq, a, form, items, count), count, m, type);
}

void respond_list_trees(request *rq, const output_form *form, val **trees, uint32_t count,
                        const list_meta *m) {
  const type_info *type;
  if (!respond_transformable(rq, form, true)) {
    respond_error(rq);
    return;
  }
  val *list = document(rq, rq->arena, form, trees, count, m, &type);
  /* An empty one is null here. */
  if (form->as != AS_OBJECT && form->as != AS_TABLE && count == 0) val_delc(list, "items");
  respond_tree(rq, 200, form, list, type);
}

void respond_list(request *rq, const output_form *form, store_entry *const *items, uint32_t count,
                  const list_meta *m) {
  bool stored = form->as == AS_OBJECT && (form->format == FORMAT_PROTOBUF ||
                                          (form->format == FORMAT_JSON && !form->pretty));
  if (!respond_transformable(rq, form, true)) respond_error(rq);
  else if (!stored) {
    val **trees = item_trees(rq, rq->arena, form, items, count);
    respond_list_trees(rq, form, trees, count, m);
  } else if (rq->resource->custom) list_custom(rq, form, items, count, m);
  else if (form->format == FORMAT_PROTOBUF) list_protobuf(rq, form, items, count, m);
  else list_json(rq, form, items, count, m);
}
