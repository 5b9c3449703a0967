/* cursor: writing forwards into a buf with the place in a register.
 *
 * The quick encoders hand `p`, where the next byte goes, from function to function; the buf learns
 * of it when somebody else must write to it (cursor_sync) and when all is done. Past the ceiling
 * the output is lost, overflow sticks, and what comes is written over what is there. */
#ifndef APISIM_CODEC_CURSOR_H
#define APISIM_CODEC_CURSOR_H

#include "base/buf.h"

typedef struct cursor {
  buf *out;
  char *limit; /* of the room that may be written */
} cursor;

static inline char *cursor_sync(cursor *c, char *p) {
  c->out->len = (size_t)(p - c->out->ptr);
  return p;
}

/* After somebody else wrote to the buffer. */
static inline char *cursor_resume(cursor *c) {
  c->limit = c->out->ptr + c->out->cap;
  return c->out->ptr + c->out->len;
}

/* Room for n more bytes; NULL when not even the lost output has it (cursor_begin sees to 256). The
 * byte before p may be read. */
static inline char *cursor_grow(cursor *c, char *p, size_t n) {
  cursor_sync(c, p);
  if (!c->out->overflow && buf_reserve(c->out, n)) return cursor_resume(c);
  c->out->overflow = true;
  c->out->len = 1;
  return c->out->cap > n ? cursor_resume(c) : NULL;
}

#define CURSOR_ROOM(c, p, n) \
  if (__builtin_expect((size_t)((c)->limit - (p)) < (n), 0)) (p) = cursor_grow((c), (p), (n))

/* NULL when there is no room at all. */
static inline char *cursor_begin(cursor *c, buf *out) {
  c->out = out;
  return buf_reserve(out, 256) ? cursor_resume(c) : NULL;
}

/* memcpy without a call for what is short. */
static inline __attribute__((always_inline)) void copy_small(char *to, const char *from, size_t n) {
  if (__builtin_expect(n - 8 <= 8, 1)) {
    memcpy(to, from, 8);
    memcpy(to + n - 8, from + n - 8, 8);
  } else if (__builtin_expect(n - 16 <= 16, 1)) {
    memcpy(to, from, 16);
    memcpy(to + n - 16, from + n - 16, 16);
  } else if (n > 32) {
    memcpy(to, from, n);
  } else if (n >= 4) {
    memcpy(to, from, 4);
    memcpy(to + n - 4, from + n - 4, 4);
  } else if (n) {
    to[0] = from[0];
    to[n / 2] = from[n / 2];
    to[n - 1] = from[n - 1];
  }
}

#endif
