/* What a handler asks an exchange: headers and query parameters. The query is taken apart
 * once, on the first question. */
#include "http/conn.h"

slice http_header_get(const http_exchange *x, const char *name) {
  slice want = slice_cstr(name);
  for (uint32_t i = 0; i < x->header_count; i++) {
    if (slice_eq_nocase(x->headers[i].name, want)) return x->headers[i].value;
  }
  return SLICE_NONE;
}

static const url_query *query_of(const http_exchange *x) {
  http_exchange *own = (http_exchange *)(uintptr_t)x; /* none is const where it was made */
  if (!own->query) own->query = url_parse_query(own->arena, own->raw_query);
  return own->query;
}

bool http_query_nth(const http_exchange *x, const char *name, uint32_t n, slice *value) {
  if (x->raw_query.len == 0) return false;
  const url_query *q = query_of(x);
  slice want = slice_cstr(name);
  for (uint32_t i = 0; i < q->count; i++) {
    if (!slice_eq(q->pairs[i].name, want)) continue;
    if (n-- > 0) continue;
    *value = q->pairs[i].value;
    return true;
  }
  return false;
}

bool http_query_has(const http_exchange *x, const char *name) {
  slice value;
  return http_query_nth(x, name, 0, &value);
}

slice http_query_get(const http_exchange *x, const char *name) {
  slice value;
  return http_query_nth(x, name, 0, &value) ? value : SLICE_NONE;
}
