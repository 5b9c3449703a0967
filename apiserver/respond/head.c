/* The common headers. */
#include "respond/head.h"

#include "base/buf.h"
#include "base/limits.h"
#include "server.h"

void head_add(head *h, slice name, slice value) {
  if (h->count < HEAD_MAX) h->items[h->count++] = (http_header){name, value};
}

/* net/http's quoting of a warning's text: a backslash before '"' and '\', controls dropped. */
static slice warning_value(arena *a, slice text) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  buf_lit(&b, "299 - \"");
  for (size_t i = 0; i < text.len; i++) {
    char c = text.ptr[i];
    if ((unsigned char)c < 0x20 || c == 0x7f) continue;
    if (c == '"' || c == '\\') buf_char(&b, '\\');
    buf_char(&b, c);
  }
  buf_char(&b, '"');
  slice v = arena_copy(a, buf_slice(&b));
  buf_dispose(&b);
  return v;
}

void head_begin(head *h, request *rq, slice content_type) {
  h->rq = rq;
  h->count = 0;
  char *id = arena_alloc(rq->arena, 37);
  rng_uuid(&rq->server->audit_rng, id);
  slice asked = http_header_get(rq->http, "Audit-ID");
  head_add(h, SLICE_LIT("Audit-Id"), asked.len ? asked : slice_of(id, 36));
  if (content_type.len) { /* a path that is no resource has headers of its own */
    head_add(h, SLICE_LIT("Cache-Control"), SLICE_LIT("no-cache, private"));
    head_add(h, SLICE_LIT("Content-Type"), content_type);
  }
  for (uint32_t i = 0; i < rq->warning_count; i++) {
    head_add(h, SLICE_LIT("Warning"), warning_value(rq->arena, rq->warnings[i]));
  }
}
