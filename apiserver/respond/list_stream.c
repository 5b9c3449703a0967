/* A stream is a place in the row of items, a piece being filled, and a timer or the connection's
 * word that bytes have left. Protobuf says lengths before contents: there the items are measured
 * first, in pieces as well. An encoding made on the way is not kept with the entry: a list of
 * everything would double the store. */
#include "respond/list_stream.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "http/gzip.h"
#include "registry/stored.h"
#include "respond/head.h"
#include "respond/list_cut.h"
#include "respond/list_internal.h"
#include "respond/table.h"
#include "server.h"
#include "version/version.h"

#include <assert.h>

#define STREAM_FROM ((size_t)1 << 20) /* bytes of the stored objects */
#define PIECE ((size_t)64 << 10)
#define STEP_BYTES (4 * PIECE) /* made in one turn */
#define STEP_ITEMS 512u /* measured in one turn */
#define CUT_ITEMS 64u /* in one tree */
#define PENDING_ENOUGH (4 * ENV_PENDING_LOW) /* above the mark whose passing wakes us */

typedef struct list_stream {
  request *rq;
  store_view *view;
  store_entry *const *items;
  uint32_t count, at;
  output_form form;
  slice tail; /* of the answer, behind the items */
  uint32_t measured; /* protobuf: the first so many items are `total` bytes, as fields */
  uint64_t total;
  list_meta meta;
  bool cuts;
  list_cut cut; /* of a form that is made as a tree */
  gzip_stream *gzip; /* NULL: as it is */
  arena *scratch;
  buf piece;
  size_t hint; /* stored_item_rest's */
  json_indent_state indent; /* where asked for: the answer so far */
  timer timer;
} list_stream;

bool list_is_stream(request *rq, const output_form *form, store_entry *const *items,
                    uint32_t count) {
  if (rq->resource->custom) return false; /* items are made anew */
  bool by_item = form->format == FORMAT_JSON || form->format == FORMAT_PROTOBUF;
  bool objects = form->as == AS_OBJECT && by_item;
  bool partial = form->as == AS_PARTIAL_LIST && form->format == FORMAT_PROTOBUF;
  if (!objects && !partial && !list_is_cut(rq, form)) return false;
  if (form->as != AS_OBJECT && !respond_transformable(rq, form, true)) return false;
  if (slice_is(rq->http->method, "HEAD")) return false;
  size_t bytes = 0;
  for (uint32_t i = 0; i < count && bytes <= STREAM_FROM; i++) bytes += items[i]->value->len;
  return bytes > STREAM_FROM;
}

static void dispose(list_stream *l) {
  timer_clear(&l->rq->server->timers, &l->timer);
  store_view_close(l->view);
  gzip_stream_destroy(l->gzip);
  arena_destroy(l->scratch);
  buf_dispose(&l->piece);
  l->rq->http->on_abort = NULL;
  l->rq->http->on_drain = NULL;
  l->rq->http->user = NULL;
}

static void on_abort(http_exchange *x) { dispose(x->user); }

static void indent_piece(list_stream *l) {
  buf indented;
  buf_init(&indented, l->piece.ceiling);
  json_indent_part(&indented, buf_slice(&l->piece), &l->indent);
  buf_dispose(&l->piece);
  l->piece = indented;
}

/* Sends the piece, or what gzip makes of it. */
static void send_piece(list_stream *l, bool last) {
  if (l->form.pretty) indent_piece(l);
  blob *b = l->gzip ? gzip_stream_put(l->gzip, buf_slice(&l->piece), last)
                    : blob_copy(buf_slice(&l->piece));
  if (b->len) http_stream_write(l->rq->http, blob_slice(b), b);
  blob_unref(b);
  buf_clear(&l->piece);
}

static slice partial_bytes(list_stream *l, store_entry *e) {
  slice version = l->form.as_version;
  val *p = partial_make(l->scratch, stored_decode(l->scratch, l->rq->resource, e), version);
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  proto_encode(&b, p, schema_kind(SLICE_LIT("meta.k8s.io"), version,
                                  SLICE_LIT("PartialObjectMetadata"))->type);
  slice bytes = arena_copy(l->scratch, buf_slice(&b));
  buf_dispose(&b);
  return bytes;
}

/* The item's bytes in the answer's form: borrowed from the entry, or in `scratch` memory. */
static slice item_bytes(list_stream *l, store_entry *e) {
  bool made;
  if (l->form.as != AS_OBJECT) return partial_bytes(l, e);
  blob *b = respond_entry_bytes_once(l->scratch, l->rq->resource, e, l->form.format, &made);
  if (!made) return blob_slice(b);
  slice s = arena_copy(l->scratch, blob_slice(b));
  blob_unref(b);
  return s;
}

static void put_json_item(list_stream *l) {
  buf_append(&l->piece, l->at ? SLICE_LIT(",{") : SLICE_LIT("{"));
  buf_append(&l->piece, stored_item_rest(item_bytes(l, l->items[l->at]), &l->hint));
}

static void put_cut(list_stream *l) {
  uint32_t n = 0;
  size_t bytes = 0;
  for (; l->at + n < l->count && n < CUT_ITEMS && bytes < PIECE; n++) {
    bytes += l->items[l->at + n]->value->len;
  }
  list_cut_items(l->rq, l->scratch, &l->cut, l->items + l->at, n, l->at, &l->piece);
  l->at += n;
}

static void put_item(list_stream *l) {
  if (l->cuts) {
    put_cut(l);
    assert(!l->piece.overflow);
    arena_reset(l->scratch);
    return;
  }
  if (l->form.format == FORMAT_JSON) put_json_item(l);
  else proto_append_field(&l->piece, LIST_ITEMS, item_bytes(l, l->items[l->at]));
  assert(!l->piece.overflow);
  arena_reset(l->scratch);
  l->at++;
}

/* False: there are more to measure. */
static bool measure(list_stream *l) {
  uint32_t until = l->measured + STEP_ITEMS;
  if (until > l->count) until = l->count;
  for (; l->measured < until; l->measured++) {
    buf_clear(&l->piece);
    proto_append_field(&l->piece, LIST_ITEMS, item_bytes(l, l->items[l->measured]));
    l->total += l->piece.len;
    arena_reset(l->scratch);
  }
  buf_clear(&l->piece);
  return l->measured == l->count;
}

static void begin_protobuf(list_stream *l) {
  char gv[GROUP_VERSION_ROOM];
  request *rq = l->rq;
  buf fields;
  buf_init(&fields, LIMIT_BUFFER);
  list_proto_meta(rq, &l->meta, &fields);
  slice version = schema_group_version(rq->resource, gv), kind = rq->resource->list_kind;
  if (l->form.as != AS_OBJECT) {
    version = arena_printf(rq->arena, "meta.k8s.io/%.*s", SLICE_ARG(l->form.as_version));
    kind = SLICE_LIT("PartialObjectMetadataList");
  }
  proto_envelope_open(&l->piece, version, kind, fields.len + l->total);
  buf_append(&l->piece, buf_slice(&fields));
  buf_dispose(&fields);
  buf tail;
  buf_init(&tail, PIECE);
  proto_envelope_close(&tail);
  l->tail = arena_copy(rq->arena, buf_slice(&tail));
  buf_dispose(&tail);
}

static void begin_answer(list_stream *l) {
  head h;
  head_begin(&h, l->rq, l->form.content_type);
  if (l->gzip) {
    head_add(&h, SLICE_LIT("Content-Encoding"), SLICE_LIT("gzip"));
    head_add(&h, SLICE_LIT("Vary"), SLICE_LIT("Accept-Encoding"));
  }
  http_stream_begin(l->rq->http, 200, h.items, h.count);
  if (l->cuts) {
    buf_append(&l->piece, l->cut.head);
    l->tail = l->cut.tail;
  } else if (l->form.format == FORMAT_PROTOBUF) {
    begin_protobuf(l);
  } else {
    buf_append(&l->piece, list_json_head(l->rq, &l->meta));
    l->tail = l->form.pretty ? SLICE_LIT("]}") : SLICE_LIT("]}\n");
  }
}

static void step(list_stream *l);

static void on_timer(void *ctx, int64_t now_ns) {
  (void)now_ns;
  step(ctx);
}

static void soon(list_stream *l) {
  server *s = l->rq->server;
  timer_set(&s->timers, &l->timer, s->env->mono_ns + 1, on_timer, l); /* in the next turn */
}

static void on_drain(http_exchange *x) {
  x->on_drain = NULL;
  soon(x->user);
}

static void finish(list_stream *l) {
  http_exchange *x = l->rq->http;
  buf_append(&l->piece, l->tail);
  send_piece(l, true);
  dispose(l);
  http_stream_end(x); /* rq and l are gone */
}

static void step(list_stream *l) {
  http_exchange *x = l->rq->http;
  bool protobuf = l->form.format == FORMAT_PROTOBUF;
  if (protobuf && l->measured < l->count && !measure(l)) {
    soon(l);
    return;
  }
  if (l->at == 0) begin_answer(l);
  size_t made = 0;
  while (l->at < l->count && made < STEP_BYTES && http_stream_pending(x) < PENDING_ENOUGH) {
    while (l->at < l->count && l->piece.len < PIECE) put_item(l);
    made += l->piece.len;
    if (l->at < l->count) send_piece(l, false);
  }
  if (l->at == l->count) finish(l);
  else if (http_stream_pending(x) >= PENDING_ENOUGH) x->on_drain = on_drain;
  else soon(l);
}

void list_stream_begin(request *rq, const output_form *form, store_view *view,
                       store_entry *const *items, uint32_t count, const list_meta *m) {
  assert(count > 0 && rq->kept_count == 0);
  list_stream *l = ARENA_NEW(rq->arena, list_stream);
  *l = (list_stream){.rq = rq, .view = view, .items = items, .count = count, .form = *form,
                     .meta = *m, .scratch = arena_create()};
  buf_init(&l->piece, PIECE + 2 * LIMIT_BUFFER);
  if (respond_wants_gzip(rq)) l->gzip = gzip_stream_create();
  l->cuts = list_is_cut(rq, form);
  if (l->cuts) list_cut_begin(rq, form, m, count, &l->cut);
  if (form->format != FORMAT_JSON) l->form.pretty = false;
  rq->http->user = l;
  rq->http->on_abort = on_abort;
  step(l);
}
