/* The tolerant reader behind byte comparison: it accepts valid JSON and keeps every byte's place.
 * The server's own parser is not used here on purpose: the judge must not share its mistakes. */
#include "sim/replay/jtree.h"

#define DEPTH_MAX 1000

typedef struct reader {
  arena *a;
  const char *p, *end;
  int depth;
} reader;

static bool value(reader *r, jnode *out);

static slice spaces(reader *r) {
  const char *start = r->p;
  while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r')) {
    r->p++;
  }
  return slice_of(start, (size_t)(r->p - start));
}

static int hex4(const char *p, const char *end) {
  int n = 0;
  for (int i = 0; i < 4; i++, p++) {
    int c = p < end ? *p | 0x20 : 0;
    if (c >= '0' && c <= '9') {
      n = n * 16 + (c - '0');
    } else if (c >= 'a' && c <= 'f') {
      n = n * 16 + (c - 'a' + 10);
    } else {
      return -1;
    }
  }
  return n;
}

static char *utf8(char *out, int c) {
  if (c < 0x80) {
    *out++ = (char)c;
  } else if (c < 0x800) {
    *out++ = (char)(0xc0 | (c >> 6));
    *out++ = (char)(0x80 | (c & 63));
  } else if (c < 0x10000) {
    *out++ = (char)(0xe0 | (c >> 12));
    *out++ = (char)(0x80 | ((c >> 6) & 63));
    *out++ = (char)(0x80 | (c & 63));
  } else {
    *out++ = (char)(0xf0 | (c >> 18));
    *out++ = (char)(0x80 | ((c >> 12) & 63));
    *out++ = (char)(0x80 | ((c >> 6) & 63));
    *out++ = (char)(0x80 | (c & 63));
  }
  return out;
}

/* Behind a backslash at p[0]; moves *p past the escape. */
static char *unescape_one(char *out, const char **p, const char *end) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  const char *at = (*p)[1] ? strchr(from, (*p)[1]) : NULL;
  if (at) {
    *p += 2;
    *out++ = to[at - from];
    return out;
  }
  int c = (*p)[1] == 'u' ? hex4(*p + 2, end) : -1;
  if (c < 0) {
    return NULL;
  }
  *p += 6;
  if (c >= 0xd800 && c < 0xdc00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
    int low = hex4(*p + 2, end);
    if (low >= 0xdc00 && low < 0xe000) {
      *p += 6;
      c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
  }
  return utf8(out, c);
}

static bool string(reader *r, slice *raw, slice *text) {
  const char *start = r->p++;
  bool escaped = false;
  while (r->p < r->end && *r->p != '"') {
    if ((unsigned char)*r->p < 0x20) {
      return false;
    }
    if (*r->p == '\\') {
      escaped = true;
      r->p++;
    }
    r->p++;
  }
  if (r->p >= r->end) {
    return false;
  }
  *text = slice_of(start + 1, (size_t)(r->p - start - 1));
  r->p++;
  *raw = slice_of(start, (size_t)(r->p - start));
  if (!escaped) {
    return true;
  }
  const char *p = text->ptr, *end = p + text->len;
  char *buffer = arena_alloc(r->a, text->len + 1), *out = buffer;
  while (p < end) {
    if (*p != '\\') {
      *out++ = *p++;
    } else if (!(out = unescape_one(out, &p, end))) {
      return false;
    }
  }
  *text = slice_of(buffer, (size_t)(out - buffer));
  return true;
}

static bool literal(reader *r, jnode *out) {
  const char *start = r->p;
  while (r->p < r->end && *r->p && strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzE", *r->p)) {
    r->p++;
  }
  out->raw = out->text = slice_of(start, (size_t)(r->p - start));
  if (slice_is(out->raw, "null")) {
    out->type = J_NULL;
  } else if (slice_is(out->raw, "true") || slice_is(out->raw, "false")) {
    out->type = J_BOOL;
  } else {
    out->type = J_NUMBER;
    return out->raw.len > 0 && (*start == '-' || (*start >= '0' && *start <= '9'));
  }
  return true;
}

static bool member(reader *r, jnode *item) {
  if (r->p >= r->end || *r->p != '"' || !string(r, &item->key_raw, &item->key)) {
    return false;
  }
  const char *mid = r->p;
  spaces(r);
  if (r->p >= r->end || *r->p++ != ':') {
    return false;
  }
  spaces(r);
  item->mid = slice_of(mid, (size_t)(r->p - mid));
  return true;
}

static bool container(reader *r, jnode *out, bool object) {
  const char *start = r->p++;
  char closer = object ? '}' : ']';
  uint32_t cap = 0;
  slice lead = spaces(r);
  if (r->p < r->end && *r->p == closer) {
    r->p++;
    out->raw = slice_of(start, (size_t)(r->p - start));
    return true;
  }
  for (;;) {
    if (out->count == cap) {
      uint32_t more = cap ? cap * 2 : 8;
      out->items =
          arena_grow(r->a, out->items, cap * sizeof *out->items, more * sizeof *out->items);
      cap = more;
    }
    jnode *item = &out->items[out->count++];
    memset(item, 0, sizeof *item);
    item->lead = lead;
    if ((object && !member(r, item)) || !value(r, item)) {
      return false;
    }
    item->trail = spaces(r);
    char c = r->p < r->end ? *r->p++ : 0;
    if (c == closer) {
      out->raw = slice_of(start, (size_t)(r->p - start));
      return true;
    }
    if (c != ',') {
      return false;
    }
    lead = spaces(r);
  }
}

static bool value(reader *r, jnode *out) {
  if (r->p >= r->end) {
    return false;
  }
  if (*r->p == '"') {
    out->type = J_STRING;
    return string(r, &out->raw, &out->text);
  }
  if (*r->p == '{' || *r->p == '[') {
    bool object = *r->p == '{';
    out->type = object ? J_OBJECT : J_ARRAY;
    if (++r->depth > DEPTH_MAX || !container(r, out, object)) {
      return false;
    }
    r->depth--;
    return true;
  }
  return literal(r, out);
}

jnode *jtree_parse(arena *a, slice text) {
  reader r = {a, text.ptr, text.ptr + text.len, 0};
  jnode *n = ARENA_NEW(a, jnode);
  n->lead = spaces(&r);
  if (!value(&r, n)) {
    return NULL;
  }
  n->trail = spaces(&r);
  return r.p == r.end ? n : NULL;
}

const jnode *jtree_get_slice(const jnode *n, slice key) {
  for (uint32_t i = 0; n && n->type == J_OBJECT && i < n->count; i++) {
    if (slice_eq(n->items[i].key, key)) {
      return &n->items[i];
    }
  }
  return NULL;
}

const jnode *jtree_get(const jnode *n, const char *key) {
  return jtree_get_slice(n, slice_cstr(key));
}

slice jtree_str(const jnode *n, const char *key) {
  const jnode *m = jtree_get(n, key);
  return m && m->type == J_STRING ? m->text : SLICE_NONE;
}
