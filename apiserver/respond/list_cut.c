/* In JSON the array is the last field; in YAML and CBOR keys are sorted. An encoder writes an item
 * the same wherever it stands. */
#include "respond/list_cut.h"

#include "base/limits.h"
#include "codec/codec.h"
#include "respond/list_internal.h"

#include <assert.h>
#include <stdio.h>

#define HEADER_MAX 5

static const char *field_of(const output_form *form) {
  return form->as == AS_TABLE ? "rows" : "items";
}

bool list_is_cut(const request *rq, const output_form *form) {
  if (form->format == FORMAT_PROTOBUF) return false;
  /* Flow schemas' rows are sorted by something else than their keys. */
  if (form->as == AS_TABLE) return !slice_is(rq->resource->resource, "flowschemas");
  return form->as == AS_PARTIAL_LIST || (form->as == AS_OBJECT && form->format != FORMAT_JSON);
}

/* The head of a CBOR array. */
static size_t array_header(uint32_t n, char out[HEADER_MAX]) {
  if (n < 24) {
    out[0] = (char)(0x80 | n);
    return 1;
  }
  int bytes = n < 256 ? 1 : n < 65536 ? 2 : 4;
  out[0] = (char)(bytes == 1 ? 0x98 : bytes == 2 ? 0x99 : 0x9a);
  for (int i = 0; i < bytes; i++) out[1 + i] = (char)(n >> 8 * (bytes - 1 - i));
  return 1 + (size_t)bytes;
}

static blob *document(request *rq, arena *a, const list_cut *c, store_entry *const *items,
                      uint32_t count) {
  const type_info *t;
  val *tree = list_document(rq, a, &c->form, items, count, &c->meta, &t);
  return respond_encode(a, &c->form, tree, t);
}

/* Where the empty array is: behind its key, which stands in no text before it, for texts are
 * quoted (JSON, YAML) or come later (CBOR: no string before it is longer than its key). */
static slice empty_array(const output_form *form, char room[32]) {
  const char *field = field_of(form);
  const char *format = form->format == FORMAT_JSON ? "\"%s\":[]" : form->format == FORMAT_YAML
                     ? "%s: []\n" : "%s\x80";
  return slice_of(room, (size_t)snprintf(room, 32, format, field));
}

static ptrdiff_t find_last(slice text, slice needle) {
  ptrdiff_t found = -1;
  for (size_t from = 0;;) {
    ptrdiff_t at = slice_find(slice_from(text, from), needle);
    if (at < 0) return found;
    found = (ptrdiff_t)from + at;
    from = (size_t)found + 1;
  }
}

void list_cut_begin(request *rq, const output_form *form, const list_meta *m, uint32_t count,
                    list_cut *out) {
  *out = (list_cut){.form = *form, .meta = *m};
  out->form.pretty = false;
  blob *b = document(rq, rq->arena, out, NULL, 0);
  slice text = arena_copy(rq->arena, blob_slice(b));
  blob_unref(b);
  char room[32], header[HEADER_MAX];
  slice mark = empty_array(form, room);
  ptrdiff_t at = find_last(text, mark);
  assert(at >= 0);
  bool json = form->format == FORMAT_JSON, yaml = form->format == FORMAT_YAML;
  /* "rows":[ and ]; rows:\n; rows and its length */
  size_t keep = json ? mark.len - 1 : yaml ? mark.len - 4 : mark.len - 1;
  out->before = slice_upto(text, (size_t)at + keep);
  out->after = slice_from(text, (size_t)at + (json ? mark.len - 1 : mark.len));
  if (json) {
    out->head = out->before;
  } else if (yaml) {
    out->before = arena_concat(rq->arena, out->before, SLICE_LIT("\n"));
    out->head = out->before;
  } else {
    slice length = slice_of(header, array_header(count, header));
    out->head = arena_concat(rq->arena, out->before, length);
  }
  out->tail = out->after;
  if (json && form->pretty) out->tail = slice_upto(out->after, out->after.len - 1); /* no newline */
}

void list_cut_items(request *rq, arena *scratch, const list_cut *c, store_entry *const *items,
                    uint32_t count, uint32_t at, buf *out) {
  char header[HEADER_MAX];
  blob *b = document(rq, scratch, c, items, count);
  size_t before = c->before.len;
  if (c->form.format == FORMAT_CBOR) before += array_header(count, header);
  assert(b->len > before + c->after.len);
  if (at && c->form.format == FORMAT_JSON) buf_char(out, ',');
  buf_append(out, slice_of(b->data + before, b->len - before - c->after.len));
  blob_unref(b);
}
