/* Growing bytes. Doubling, never past the ceiling. */
#include "base/buf.h"

#include "base/format.h"
#include "base/heap.h"

#include <assert.h>

#define BUF_FIRST 256u

void buf_init(buf *b, size_t ceiling) {
  *b = (buf){.ceiling = ceiling};
}

void buf_dispose(buf *b) {
  heap_free(b->ptr);
  *b = (buf){.ceiling = b->ceiling};
}

void buf_clear(buf *b) {
  b->len = 0;
  b->overflow = false;
}

char *buf_reserve(buf *b, size_t more) {
  if (b->cap - b->len >= more) return b->ptr + b->len;
  if (more > b->ceiling - b->len) {
    b->overflow = true;
    return NULL;
  }
  size_t need = b->len + more;
  size_t cap = b->cap ? b->cap : BUF_FIRST;
  while (cap < need) cap *= 2;
  if (cap > b->ceiling) cap = b->ceiling;
  b->ptr = heap_realloc(b->ptr, cap);
  b->cap = cap;
  return b->ptr + b->len;
}

void buf_append(buf *b, slice s) {
  if (s.len == 0) return;
  char *to = buf_reserve(b, s.len);
  if (!to) return;
  memcpy(to, s.ptr, s.len);
  b->len += s.len;
}

void buf_char(buf *b, char c) {
  char *to = buf_reserve(b, 1);
  if (!to) return;
  *to = c;
  b->len++;
}

void buf_cstr(buf *b, const char *text) {
  buf_append(b, slice_cstr(text));
}

void buf_u64(buf *b, uint64_t n) {
  char room[SLICE_U64_ROOM];
  buf_append(b, slice_of_u64(room, n));
}

void buf_i64(buf *b, int64_t n) {
  if (n < 0) buf_char(b, '-');
  buf_u64(b, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

void buf_printf(buf *b, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  size_t n = format_text(NULL, 0, format, args);
  char *to = buf_reserve(b, n + 1);
  if (to) {
    format_text(to, n + 1, format, again);
    b->len += n;
  }
  va_end(again);
  va_end(args);
}

void buf_consume(buf *b, size_t n) {
  assert(n <= b->len);
  b->len -= n;
  if (b->len) memmove(b->ptr, b->ptr + n, b->len);
}
