/* Substitution is by place where the place says what a value is (resourceVersion, continue) and
 * by shape elsewhere. Bodies are changed inside their text, so that everything that is not
 * replaced is sent byte for byte as the tape has it. */
#include "sim/replay/request.h"

#include "base/buf.h"
#include "sim/replay/jtree.h"
#include "sim/replay/proto.h"
#include "sim/replay/proto_schema.h"

#define BODY_MAX ((size_t)64 << 20)

static slice from_buf(arena *a, buf *b) {
  slice s = arena_copy(a, buf_slice(b));
  buf_dispose(b);
  return s;
}

static slice replace_param(arena *a, pairing *p, slice key, slice value) {
  (void)a;
  if (slice_is(key, "resourceVersion")) {
    return pairing_substitute_version(p, value);
  }
  if (slice_is(key, "continue")) {
    return pairing_substitute_continue(p, value);
  }
  return pairing_substitute_text(p, value);
}

static slice replace_target(arena *a, pairing *p, slice target) {
  slice path, query, pair, key, value;
  bool has_query = slice_cut(target, '?', &path, &query);
  buf out;
  buf_init(&out, BODY_MAX);
  buf_append(&out, pairing_substitute_text(p, path));
  for (char separator = '?'; has_query && query.len > 0; separator = '&') {
    slice_cut(query, '&', &pair, &query);
    bool has_value = slice_cut(pair, '=', &key, &value);
    buf_char(&out, separator);
    buf_append(&out, key);
    if (has_value) {
      buf_char(&out, '=');
      buf_append(&out, replace_param(a, p, key, value));
    }
  }
  return from_buf(a, &out);
}

static bool ends_with_version(slice path) {
  return slice_has_suffix(path, SLICE_LIT("/resourceVersion"));
}

/* Appends the node's text to out, values replaced. *from is how far the text has been copied. */
static void replace_node(pairing *p, const jnode *parent, const jnode *n, const char **from,
                         buf *out) {
  if (n->type == J_ARRAY || n->type == J_OBJECT) {
    for (uint32_t i = 0; i < n->count; i++) {
      replace_node(p, n, &n->items[i], from, out);
    }
    return;
  }
  if (n->type != J_STRING) {
    return;
  }
  slice inner = slice_of(n->raw.ptr + 1, n->raw.len - 2), with;
  bool version = slice_is(n->key, "resourceVersion") ||
                 (slice_is(n->key, "value") && ends_with_version(jtree_str(parent, "path")));
  with = version ? pairing_substitute_version(p, inner) : pairing_substitute_text(p, inner);
  if (with.ptr != inner.ptr) {
    buf_append(out, slice_of(*from, (size_t)(inner.ptr - *from)));
    buf_append(out, with);
    *from = inner.ptr + inner.len;
  }
}

static slice replace_body(arena *a, pairing *p, slice body) {
  if (proto_is_envelope(body)) {
    return proto_substitute(a, p, body);
  }
  const jnode *tree = jtree_parse(a, body);
  if (!tree) {
    return pairing_substitute_text(p, body);
  }
  const char *from = body.ptr;
  buf out;
  buf_init(&out, BODY_MAX);
  replace_node(p, NULL, tree, &from, &out);
  buf_append(&out, slice_of(from, (size_t)(body.ptr + body.len - from)));
  return from_buf(a, &out);
}

static slice replace_header(pairing *p, const tape_header *h) {
  if (slice_eq_nocase(h->name, SLICE_LIT("If-Modified-Since"))) {
    return pairing_substitute_time(p, h->value);
  }
  return pairing_substitute_text(p, h->value);
}

static bool is_upgrade(const tape_exchange *x) {
  return tape_header_get(&x->request_headers, "Upgrade").len > 0;
}

request_text request_make(arena *a, pairing *p, const tape_exchange *x, slice host,
                          slice token) {
  request_text r;
  r.target = replace_target(a, p, x->target);
  r.body = x->request_body.len > 0 ? replace_body(a, p, x->request_body) : x->request_body;
  buf out;
  buf_init(&out, BODY_MAX);
  buf_printf(&out, "%.*s %.*s HTTP/1.1\r\nHost: %.*s\r\n", SLICE_ARG(x->method),
             SLICE_ARG(r.target), SLICE_ARG(host));
  for (uint32_t i = 0; i < x->request_headers.count; i++) {
    const tape_header *h = &x->request_headers.items[i];
    slice value = replace_header(p, h);
    buf_printf(&out, "%.*s: %.*s\r\n", SLICE_ARG(h->name), SLICE_ARG(value));
  }
  if (token.len > 0 && tape_header_get(&x->request_headers, "Authorization").len == 0) {
    buf_printf(&out, "Authorization: Bearer %.*s\r\n", SLICE_ARG(token));
  }
  if (is_upgrade(x)) {
    buf_cstr(&out, "Connection: Upgrade\r\n");
  }
  if (r.body.len > 0 || (!slice_is(x->method, "GET") && !slice_is(x->method, "HEAD"))) {
    buf_printf(&out, "Content-Length: %zu\r\n", r.body.len);
  }
  buf_cstr(&out, "\r\n");
  buf_append(&out, r.body);
  r.bytes = from_buf(a, &out);
  return r;
}
