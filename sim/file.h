/* file: a whole file in memory. Both answer NULL, or what is wrong in the system's words (static,
 * until the next such call). */
#ifndef APISIM_SIM_FILE_H
#define APISIM_SIM_FILE_H

#include "base/arena.h"
#include "base/buf.h"

/* Appends the file's bytes; the limit of `to` is the most it may hold. */
const char *file_append(const char *path, buf *to);
/* *out: the file's bytes and a NUL behind them, owned by the arena. At most `max` bytes. */
const char *file_read(arena *a, const char *path, size_t max, slice *out);

#endif
