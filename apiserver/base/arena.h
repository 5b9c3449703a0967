/* arena: memory that is freed in one go, when its owner (a request) ends.
 *
 * Small blocks come from chunks; a large one gets its own. There is no single
 * free. Everything returned is aligned for any type. */
#ifndef APISIM_BASE_ARENA_H
#define APISIM_BASE_ARENA_H

#include "base/slice.h"

#include <stdarg.h>
#include <stdint.h>

typedef struct arena arena;

arena *arena_create(void);
void arena_destroy(arena *a);
/* Forgets everything allocated and keeps one chunk, so that a connection can
 * reuse the arena for its next request. */
void arena_reset(arena *a);

/* Never NULL. arena_zalloc clears. */
void *arena_alloc(arena *a, size_t size);
void *arena_zalloc(arena *a, size_t size);
/* Grows the latest block in place where it can, else copies. */
void *arena_grow(arena *a, void *ptr, size_t old_size, size_t new_size);
/* Room for one more in an array of `count` items of `size` bytes each: as it is below *cap,
 * else doubled, so that n appends cost n. Returns the array; the caller puts the item and
 * raises its count. */
void *arena_more(arena *a, void *items, uint32_t count, uint32_t *cap, size_t size);

#define ARENA_NEW(a, type) ((type *)arena_zalloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_zalloc((a), sizeof(type) * (n)))

/* Copies; the copy is followed by a NUL that the length does not count. */
slice arena_copy(arena *a, slice s);
char *arena_cstr(arena *a, slice s);
/* The copy has ASCII's capitals made small. */
slice arena_lower(arena *a, slice s);
slice arena_concat(arena *a, slice first, slice second);
slice arena_join(arena *a, const slice *parts, size_t count);
/* With sep between each two. */
slice arena_join_with(arena *a, const slice *parts, size_t count, const char *sep);
slice arena_printf(arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
slice arena_vprintf(arena *a, const char *format, va_list args);

/* Bytes held from the heap. */
size_t arena_size(const arena *a);

#endif
