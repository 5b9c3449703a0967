/* Read by parts: a pipe has no size that could be asked for. */
#include "sim/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *file_append(const char *path, buf *to) {
  FILE *f = fopen(path, "re");
  if (!f) return strerror(errno);
  char part[16384];
  size_t n;
  while ((n = fread(part, 1, sizeof part, f)) > 0) buf_append(to, slice_of(part, n));
  const char *problem = ferror(f) ? strerror(errno) : to->overflow ? "too large" : NULL;
  fclose(f);
  return problem;
}

const char *file_read(arena *a, const char *path, size_t max, slice *out) {
  buf b;
  buf_init(&b, max);
  const char *problem = file_append(path, &b);
  if (!problem) *out = slice_of(arena_cstr(a, buf_slice(&b)), b.len);
  buf_dispose(&b);
  return problem;
}
