/* buf: growing bytes with a ceiling.
 *
 * Appending past the ceiling appends nothing and sets `overflow`, which sticks;
 * a writer may therefore append freely and look once at the end. */
#ifndef APISIM_BASE_BUF_H
#define APISIM_BASE_BUF_H

#include "base/slice.h"

#include <stdarg.h>
#include <stdint.h>

typedef struct buf {
  char *ptr;
  size_t len;
  size_t cap;
  size_t ceiling;
  bool overflow;
} buf;

/* In place. The heap is touched on the first append. ceiling in bytes. */
void buf_init(buf *b, size_t ceiling);
void buf_dispose(buf *b);
void buf_clear(buf *b);
/* Makes room for `more` bytes behind len and returns where they start (the
 * caller then raises len), or NULL on overflow. */
char *buf_reserve(buf *b, size_t more);
void buf_append(buf *b, slice s);
void buf_char(buf *b, char c);
#define buf_lit(b, text) buf_append((b), SLICE_LIT(text))
void buf_cstr(buf *b, const char *text);
void buf_i64(buf *b, int64_t n);
void buf_u64(buf *b, uint64_t n);
void buf_printf(buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Drops n bytes from the front. */
void buf_consume(buf *b, size_t n);
/* Borrowed: valid until the next append. */
static inline slice buf_slice(const buf *b) {
  return (slice){b->ptr, b->len};
}

#endif
