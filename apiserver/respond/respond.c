/* Heads of answers, single objects and Status. */
#include "respond/respond.h"

#include "base/buf.h"
#include "base/heap.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "codec/codec.h"
#include "http/gzip.h"
#include "registry/object.h"
#include "registry/stored.h"
#include "respond/head.h"
#include "respond/table.h"
#include "server.h"
#include "version/version.h"

#include <assert.h>

#define FORM_PROTOBUF 1u
#define FORM_VERSIONED_JSON 2u
#define FORM_CBOR 3u

/* Which cached form of an entry: format and the version it is in. */
static uint64_t form_id(const resource_info *r, uint32_t form) {
  return ((uint64_t)form << 32) | r->id;
}

bool respond_wants_gzip(const request *rq) {
  slice accept = http_header_get(rq->http, "Accept-Encoding");
  return slice_find(accept, SLICE_LIT("gzip")) >= 0;
}

#define KEPT_ON_STACK 16

/* http_respond may end the exchange, and with it the arena that rq lives in: what has to be
 * released afterwards is taken out first. */
static void send(request *rq, int code, const http_header *headers, uint32_t count,
                 const http_part *parts, uint32_t part_count) {
  store_entry *few[KEPT_ON_STACK];
  uint32_t n = rq->kept_count;
  store_entry **kept = n <= KEPT_ON_STACK ? few : heap_alloc(n * sizeof *kept);
  for (uint32_t i = 0; i < n; i++) kept[i] = rq->kept[i];
  rq->kept_count = 0;
  http_respond(rq->http, code, headers, count, parts, part_count);
  for (uint32_t i = 0; i < n; i++) store_entry_unref(kept[i]);
  if (kept != few) heap_free(kept);
}

void respond_parts(request *rq, int code, slice content_type, const http_part *parts,
                   uint32_t part_count, const http_header *more, uint32_t more_count) {
  head h;
  head_begin(&h, rq, content_type);
  for (uint32_t i = 0; i < more_count; i++) head_add(&h, more[i].name, more[i].value);
  size_t total = 0;
  for (uint32_t i = 0; i < part_count; i++) total += parts[i].bytes.len;
  if (total > LIMIT_GZIP_FROM && rq->info.is_resource && respond_wants_gzip(rq)) {
    blob *packed = gzip_parts(parts, part_count);
    http_part one = {blob_slice(packed), packed};
    head_add(&h, SLICE_LIT("Content-Encoding"), SLICE_LIT("gzip"));
    head_add(&h, SLICE_LIT("Vary"), SLICE_LIT("Accept-Encoding"));
    send(rq, code, h.items, h.count, &one, 1);
    blob_unref(packed);
    return;
  }
  send(rq, code, h.items, h.count, parts, part_count);
}

void respond_empty(request *rq, int code, const http_header *headers, uint32_t count) {
  send(rq, code, headers, count, NULL, 0);
}

void respond_bytes(request *rq, int code, slice content_type, slice bytes, blob *owner,
                   const http_header *more, uint32_t more_count) {
  http_part part = {bytes, owner};
  respond_parts(rq, code, content_type, &part, 1, more, more_count);
}

void respond_text(request *rq, int code, slice text) {
  http_header nosniff = {SLICE_LIT("X-Content-Type-Options"), SLICE_LIT("nosniff")};
  respond_bytes(rq, code, SLICE_LIT("text/plain; charset=utf-8"), text, NULL, &nosniff, 1);
}

void respond_plain_error(request *rq, int code, slice text, const http_header *more,
                         uint32_t more_count) {
  http_part part = {text, NULL};
  head h;
  head_begin(&h, rq, SLICE_NONE);
  head_add(&h, SLICE_LIT("Content-Type"), SLICE_LIT("text/plain; charset=utf-8"));
  head_add(&h, SLICE_LIT("X-Content-Type-Options"), SLICE_LIT("nosniff"));
  for (uint32_t i = 0; i < more_count; i++) head_add(&h, more[i].name, more[i].value);
  send(rq, code, h.items, h.count, &part, 1);
}

static void json_finish(buf *out, const output_form *form) {
  if (!form->pretty) {
    buf_char(out, '\n');
    return;
  }
  buf indented;
  buf_init(&indented, LIMIT_BUFFER);
  json_indent(&indented, buf_slice(out));
  buf_dispose(out);
  *out = indented;
}

blob *respond_encode(arena *a, const output_form *form, val *tree, const type_info *t) {
  buf out;
  (void)a;
  buf_init(&out, LIMIT_BUFFER);
  switch (form->format) {
    case FORMAT_JSON:
      if (t) json_encode(&out, tree, t);
      else json_encode_any(&out, tree, false);
      json_finish(&out, form);
      break;
    case FORMAT_YAML: yaml_encode(&out, tree, t); break;
    case FORMAT_CBOR: cbor_document(&out, tree, t); break;
    case FORMAT_PROTOBUF: {
      slice version = val_get_str(tree, "apiVersion"), kind = val_get_str(tree, "kind");
      if (t) proto_encode_object(&out, tree, t, version, kind);
      else proto_envelope(&out, version, kind, SLICE_LIT(""));
      break;
    }
  }
  blob *b = blob_copy(buf_slice(&out));
  buf_dispose(&out);
  return b;
}

void respond_tree(request *rq, int code, const output_form *form, val *tree, const type_info *t) {
  blob *b = respond_encode(rq->arena, form, tree, t);
  respond_bytes(rq, code, form->content_type, blob_slice(b), b, NULL, 0);
  blob_unref(b);
}

static val *causes_tree(arena *a, const status_error *e) {
  val *list = val_list(a);
  for (uint32_t i = 0; i < e->cause_count; i++) {
    val *c = val_map(a);
    val_set_text(a, c, "reason", e->causes[i].reason);
    val_set_text(a, c, "message", e->causes[i].message);
    val_set_text(a, c, "field", e->causes[i].field);
    val_append(a, list, c);
  }
  return list;
}

val *respond_status_tree(arena *a, const status_error *e) {
  if (e->tree) return e->tree;
  val *s = val_map(a), *meta = val_map(a);
  val_setc(a, s, "kind", val_cstr(a, "Status"));
  val_setc(a, s, "apiVersion", val_cstr(a, "v1"));
  val_set_text(a, meta, "continue", e->continue_token);
  val_setc(a, s, "metadata", meta);
  val_setc(a, s, "status", val_cstr(a, "Failure"));
  val_set_text(a, s, "message", e->message);
  val_set_text(a, s, "reason", slice_cstr(status_reason_text(e->reason)));
  if (e->has_details || e->cause_count || e->retry_after_seconds) {
    val *d = val_map(a);
    val_set_text(a, d, "name", e->name);
    val_set_text(a, d, "group", e->group);
    val_set_text(a, d, "kind", e->kind);
    val_set_text(a, d, "uid", e->uid);
    if (e->cause_count) val_setc(a, d, "causes", causes_tree(a, e));
    if (e->retry_after_seconds) {
      val_setc(a, d, "retryAfterSeconds", val_int(a, e->retry_after_seconds));
    }
    val_setc(a, s, "details", d);
  }
  val_setc(a, s, "code", val_int(a, status_error_code(e)));
  return s;
}

static const type_info *status_type(void) {
  const kind_info *k = schema_kind(SLICE_LIT(""), SLICE_LIT("v1"), SLICE_LIT("Status"));
  return k ? k->type : NULL;
}

void respond_error(request *rq) {
  output_form form;
  assert(rq->error.set);
  if (rq->timed_out) {
    respond_bytes(rq, 504, SLICE_LIT("text/plain; charset=utf-8"), SLICE_LIT(RESPOND_TIMED_OUT),
                  NULL, NULL, 0);
    return;
  }
  negotiate_fallback(rq, &form);
  if (form.raw) form.pretty = true;
  val *tree = respond_status_tree(rq->arena, &rq->error);
  blob *b = respond_encode(rq->arena, &form, tree, status_type());
  http_header more[2];
  uint32_t count = 0;
  if (rq->refused) {
    more[count++] = (http_header){SLICE_LIT("X-Content-Type-Options"), SLICE_LIT("nosniff")};
  }
  if (rq->error.retry_after_seconds > 0) {
    more[count++] = (http_header){SLICE_LIT("Retry-After"),
                                  arena_printf(rq->arena, "%d", rq->error.retry_after_seconds)};
  }
  int code = status_error_code(&rq->error) + (MUTANT(STATUS_CODE) && rq->error.cause_count > 0);
  respond_bytes(rq, code, form.content_type, blob_slice(b), b, more, count);
  blob_unref(b);
}

val *respond_tree_of(arena *a, const resource_info *r, const store_entry *e) {
  val *obj = stored_decode(a, r, e);
  return obj && !version_is_storage(r) ? version_from_storage(a, obj, r) : obj;
}

static blob *encode_entry(arena *a, const resource_info *r, store_entry *e, body_format format) {
  val *obj = respond_tree_of(a, r, e);
  buf out;
  buf_init(&out, LIMIT_BUFFER);
  if (format == FORMAT_JSON) json_encode(&out, obj, r->type);
  else if (format == FORMAT_CBOR) cbor_document(&out, obj, r->type);
  else proto_encode(&out, obj, r->type);
  blob *b = blob_copy(buf_slice(&out));
  buf_dispose(&out);
  return b;
}

static uint64_t entry_form_id(const resource_info *r, body_format format) {
  static const uint32_t forms[] = {[FORMAT_JSON] = FORM_VERSIONED_JSON,
                                   [FORMAT_PROTOBUF] = FORM_PROTOBUF, [FORMAT_CBOR] = FORM_CBOR};
  return form_id(r, forms[format]);
}

blob *respond_entry_bytes_once(arena *a, const resource_info *r, store_entry *e,
                               body_format format, bool *made) {
  *made = false;
  if (format == FORMAT_JSON && !r->custom && version_is_storage(r)) return e->value;
  blob *kept = store_entry_form(e, entry_form_id(r, format));
  if (kept) return kept;
  *made = true;
  return encode_entry(a, r, e, format);
}

blob *respond_entry_bytes(arena *a, const resource_info *r, store_entry *e, body_format format) {
  bool made;
  blob *b = respond_entry_bytes_once(a, r, e, format, &made);
  if (!made) return b;
  store_entry_add_form(e, entry_form_id(r, format), b);
  blob_unref(b); /* the entry holds it */
  return b;
}

/* The shared bytes plus a newline: nothing is copied. */
static bool respond_shared(request *rq, int code, const output_form *form, store_entry *e) {
  if (form->as != AS_OBJECT || form->pretty || form->format == FORMAT_YAML) return false;
  char gv[GROUP_VERSION_ROOM];
  blob *b = respond_entry_bytes(rq->arena, rq->resource, e, form->format);
  if (form->format == FORMAT_JSON) {
    http_part parts[2] = {{blob_slice(b), b}, {SLICE_LIT("\n"), NULL}};
    respond_parts(rq, code, form->content_type, parts, 2, NULL, 0);
    return true;
  }
  if (form->format == FORMAT_CBOR) {
    respond_bytes(rq, code, form->content_type, blob_slice(b), b, NULL, 0);
    return true;
  }
  buf out;
  buf_init(&out, LIMIT_BUFFER);
  proto_envelope(&out, schema_group_version(rq->resource, gv), rq->resource->kind, blob_slice(b));
  slice bytes = arena_copy(rq->arena, buf_slice(&out));
  buf_dispose(&out);
  respond_bytes(rq, code, form->content_type, bytes, NULL, NULL, 0);
  return true;
}

void respond_entry(request *rq, int code, const output_form *form, store_entry *e) {
  if (respond_shared(rq, code, form, e)) return;
  val *obj = stored_decode(rq->arena, rq->resource, e);
  respond_object(rq, code, form, obj);
}

bool respond_transformable(request *rq, const output_form *form, bool is_list) {
  table_include ignored;
  slice include = http_query_get(rq->http, "includeObject");
  if (form->as == AS_TABLE) return table_include_parse(rq->arena, include, &ignored, &rq->error);
  return negotiate_partial(rq, form, is_list, rq->info.group,
                           is_list ? rq->resource->list_kind : rq->resource->kind);
}

static void respond_partial_of(request *rq, int code, const output_form *form, const val *obj) {
  val *p = partial_make(rq->arena, obj, form->as_version);
  respond_tree(rq, code, form, p,
               schema_kind(SLICE_LIT("meta.k8s.io"), SLICE_LIT("v1"),
                           SLICE_LIT("PartialObjectMetadata"))->type);
}

static void respond_table_of(request *rq, int code, const output_form *form, val *obj) {
  val *t =
      table_make(rq->arena, rq->resource, &obj, 1, NULL,
                 table_include_of(http_query_get(rq->http, "includeObject")), true,
                 form->as_version,
                 request_now_s(rq));
  respond_tree(rq, code, form, t,
               schema_kind(SLICE_LIT("meta.k8s.io"), SLICE_LIT("v1"), SLICE_LIT("Table"))->type);
}

void respond_scale(request *rq, int code, const output_form *form, val *scale, const type_info *t) {
  bool ok = form->as == AS_TABLE ? respond_transformable(rq, form, false)
                                 : negotiate_partial(rq, form, false, SLICE_LIT("autoscaling"),
                                                     SLICE_LIT("Scale"));
  if (!ok) respond_error(rq);
  else if (form->as == AS_TABLE) respond_table_of(rq, code, form, scale);
  else if (form->as == AS_OBJECT) respond_tree(rq, code, form, scale, t);
  else respond_partial_of(rq, code, form, scale);
}

void respond_object(request *rq, int code, const output_form *form, val *obj) {
  const resource_info *r = rq->resource;
  arena *a = rq->arena;
  char gv[GROUP_VERSION_ROOM];
  if (form->as == AS_OBJECT && !version_is_storage(r)) obj = version_from_storage(a, obj, r);
  if (!respond_transformable(rq, form, false)) {
    respond_error(rq);
    return;
  }
  if (form->as == AS_TABLE) {
    respond_table_of(rq, code, form, obj);
    return;
  }
  if (form->as != AS_OBJECT) {
    respond_partial_of(rq, code, form, obj);
    return;
  }
  val_setc(a, obj, "apiVersion", val_string_copy(a, schema_group_version(r, gv)));
  val_setc(a, obj, "kind", val_string(a, r->kind));
  respond_tree(rq, code, form, obj, r->type);
}

static val *success_tree(arena *a) {
  val *s = val_map(a);
  val_setc(a, s, "kind", val_cstr(a, "Status"));
  val_setc(a, s, "apiVersion", val_cstr(a, "v1"));
  val_setc(a, s, "metadata", val_map(a));
  val_setc(a, s, "status", val_cstr(a, "Success"));
  return s;
}

void respond_success(request *rq, int code, const output_form *form) {
  val *s = success_tree(rq->arena);
  val_setc(rq->arena, s, "code", val_int(rq->arena, code));
  respond_tree(rq, code, form, s, status_type());
}

void respond_deleted_status(request *rq, const output_form *form, const val *obj) {
  arena *a = rq->arena;
  val *s = success_tree(a), *d = val_map(a);
  val_set_text(a, d, "name", object_name(obj));
  val_set_text(a, d, "group", rq->info.group);
  val_set_text(a, d, "kind", rq->info.resource);
  val_set_text(a, d, "uid", object_uid(obj));
  val_setc(a, s, "details", d);
  respond_tree(rq, 200, form, s, status_type());
}

void respond_deleted_unread(request *rq, const output_form *form) {
  arena *a = rq->arena;
  val *s = success_tree(a), *d = val_map(a);
  val_set_text(a, d, "name", rq->info.name);
  val_set_text(a, d, "group", rq->resource->group);
  val_set_text(a, d, "kind", rq->resource->kind);
  val_setc(a, s, "details", d);
  val_setc(a, s, "code", val_int(a, 200));
  respond_tree(rq, 200, form, s, status_type());
}

void respond_stream_begin(request *rq, const output_form *form) {
  head h;
  head_begin(&h, rq, form->content_type);
  http_stream_begin(rq->http, 200, h.items, h.count);
}
