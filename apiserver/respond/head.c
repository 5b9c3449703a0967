/* The common headers. */
#include "respond/head.h"

#include "base/buf.h"
#include "base/limits.h"
#include "server.h"

void head_add(head *h, slice name, slice value) {
  if (h->count < HEAD_MAX) h->items[h->count++] = (http_header){name, value};
}

/* net/http's quoting of a warning's text: a backslash before '"' and '\'. */
static slice warning_value(arena *a, slice text) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  buf_lit(&b, "299 - \"");
  for (size_t i = 0; i < text.len; i++) {
    char c = text.ptr[i];
    if (c == '"' || c == '\\') buf_char(&b, '\\');
    buf_char(&b, c);
  }
  buf_char(&b, '"');
  slice v = arena_copy(a, buf_slice(&b));
  buf_dispose(&b);
  return v;
}

static slice rune_head(slice s, uint32_t max) {
  size_t at = 0;
  for (uint32_t n = 0; at < s.len; at++) {
    if (((unsigned char)s.ptr[at] & 0xc0) != 0x80 && n++ == max) break;
  }
  return slice_upto(s, at);
}

/* All texts as they are while they fit, else each is cut. */
static void add_warnings(head *h, request *rq) {
  bool cut = request_warnings_cut(rq);
  for (uint32_t i = 0; i < rq->warning_count; i++) {
    slice text = cut ? rune_head(rq->warnings[i], LIMIT_WARNING_ITEM_RUNES) : rq->warnings[i];
    head_add(h, SLICE_LIT("Warning"), warning_value(rq->arena, text));
  }
}

void head_begin(head *h, request *rq, slice content_type) {
  h->rq = rq;
  h->count = 0;
  char *id = arena_alloc(rq->arena, 37);
  rng_uuid(&rq->server->audit_rng, id);
  slice asked = http_header_get(rq->http, "Audit-ID");
  head_add(h, SLICE_LIT("Audit-Id"), asked.len ? asked : slice_of(id, 36));
  if (rq->goaway) head_add(h, SLICE_LIT("Connection"), SLICE_LIT("close"));
  if (content_type.len) { /* a path that is no resource has headers of its own */
    head_add(h, SLICE_LIT("Cache-Control"), SLICE_LIT("no-cache, private"));
    head_add(h, SLICE_LIT("Content-Type"), content_type);
  }
  if (rq->flow_schema.len) {
    head_add(h, SLICE_LIT("X-Kubernetes-Pf-Flowschema-Uid"), rq->flow_schema);
    head_add(h, SLICE_LIT("X-Kubernetes-Pf-Prioritylevel-Uid"), rq->flow_level);
  }
  add_warnings(h, rq);
}
