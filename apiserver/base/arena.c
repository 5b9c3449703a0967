/* Arena: a list of chunks, newest first. Each is as large as all before it, up to 64 KiB, so that a
 * small request costs one allocation and a large one few. The first two leave room in 16 KiB for
 * what a decoder asks of the heap beside them (fuzz/fuzz.h). */
#include "base/arena.h"

#include "base/ascii.h"
#include "base/format.h"
#include "base/heap.h"

#include <assert.h>
#include <stdalign.h>

#define CHUNK_FIRST ((size_t)7 << 10)
#define CHUNK_MAX ((size_t)64 << 10)
#define MORE_FIRST 4u
#define ALIGN alignof(max_align_t)

typedef struct chunk {
  struct chunk *next;
  size_t size;
  size_t used;
  alignas(max_align_t) char data[];
} chunk;

struct arena {
  chunk *head;
  size_t held;
};

static chunk *chunk_create(arena *a, size_t size) {
  chunk *c = heap_alloc(sizeof(chunk) + size);
  c->next = NULL;
  c->size = size;
  c->used = 0;
  a->held += sizeof(chunk) + size;
  return c;
}

arena *arena_create(void) {
  arena *a = heap_zalloc(sizeof *a);
  a->head = chunk_create(a, CHUNK_FIRST);
  return a;
}

static size_t chunk_size_next(const arena *a) {
  if (!a->head->next) return a->head->size < CHUNK_MAX ? a->head->size : CHUNK_MAX;
  return a->head->size < CHUNK_MAX / 2 ? a->head->size * 2 : CHUNK_MAX;
}

static void chunks_free(arena *a, chunk *c) {
  while (c) {
    chunk *next = c->next;
    a->held -= sizeof(chunk) + c->size;
    heap_free(c);
    c = next;
  }
}

void arena_destroy(arena *a) {
  if (!a) return;
  chunks_free(a, a->head);
  heap_free(a);
}

void arena_reset(arena *a) {
  chunk *keep = a->head;
  while (keep->size > CHUNK_MAX && keep->next) { /* a large one is not worth keeping */
    chunk *next = keep->next;
    a->held -= sizeof(chunk) + keep->size;
    heap_free(keep);
    keep = next;
  }
  chunks_free(a, keep->next);
  keep->next = NULL;
  keep->used = 0;
  a->head = keep;
}

static size_t round_up(size_t n) {
  return (n + ALIGN - 1) & ~(ALIGN - 1);
}

void *arena_alloc(arena *a, size_t size) {
  size_t need = round_up(size ? size : 1);
  chunk *c = a->head;
  assert(need >= size);
  if (c->size - c->used < need) {
    size_t next_size = chunk_size_next(a);
    if (need > next_size / 2) { /* its own chunk, behind the head, which stays in use */
      chunk *own = chunk_create(a, need);
      own->used = need;
      own->next = c->next;
      c->next = own;
      return own->data;
    }
    chunk *fresh = chunk_create(a, next_size);
    fresh->next = c;
    a->head = c = fresh;
  }
  void *ptr = c->data + c->used;
  c->used += need;
  return ptr;
}

void *arena_zalloc(arena *a, size_t size) {
  return memset(arena_alloc(a, size), 0, size ? size : 1);
}

void *arena_grow(arena *a, void *ptr, size_t old_size, size_t new_size) {
  if (new_size <= old_size && ptr) return ptr;
  chunk *c = a->head;
  size_t old_round = round_up(old_size ? old_size : 1);
  if (ptr && (char *)ptr + old_round == c->data + c->used) {
    size_t more = round_up(new_size) - old_round;
    if (c->size - c->used >= more) {
      c->used += more;
      return ptr;
    }
  }
  void *fresh = arena_alloc(a, new_size);
  if (old_size) memcpy(fresh, ptr, old_size);
  return fresh;
}

void *arena_more(arena *a, void *items, uint32_t count, uint32_t *cap, size_t size) {
  assert(count <= *cap && *cap < UINT32_MAX / 2);
  if (count < *cap) return items;
  uint32_t more = *cap ? *cap * 2 : MORE_FIRST;
  items = arena_grow(a, items, *cap * size, more * size);
  *cap = more;
  return items;
}

slice arena_copy(arena *a, slice s) {
  char *p = arena_alloc(a, s.len + 1);
  if (s.len) memcpy(p, s.ptr, s.len);
  p[s.len] = '\0';
  return (slice){p, s.len};
}

char *arena_cstr(arena *a, slice s) {
  return (char *)(uintptr_t)arena_copy(a, s).ptr;
}

slice arena_lower(arena *a, slice s) {
  char *p = arena_cstr(a, s);
  for (size_t i = 0; i < s.len; i++) p[i] = ascii_lower(p[i]);
  return (slice){p, s.len};
}

slice arena_concat(arena *a, slice first, slice second) {
  char *p = arena_alloc(a, first.len + second.len + 1);
  if (first.len) memcpy(p, first.ptr, first.len);
  if (second.len) memcpy(p + first.len, second.ptr, second.len);
  p[first.len + second.len] = '\0';
  return (slice){p, first.len + second.len};
}

slice arena_join_with(arena *a, const slice *parts, size_t count, const char *sep) {
  size_t len = 0, gap = strlen(sep);
  for (size_t i = 0; i < count; i++) len += parts[i].len + gap;
  char *text = arena_alloc(a, len + 1), *to = text;
  for (size_t i = 0; i < count; i++) {
    if (i) {
      memcpy(to, sep, gap);
      to += gap;
    }
    if (parts[i].len) memcpy(to, parts[i].ptr, parts[i].len);
    to += parts[i].len;
  }
  *to = '\0';
  return slice_of(text, (size_t)(to - text));
}

slice arena_join(arena *a, const slice *parts, size_t count) {
  return arena_join_with(a, parts, count, "");
}

/* Most texts fit behind what is there: those are written once. */
slice arena_vprintf(arena *a, const char *format, va_list args) {
  va_list again;
  va_copy(again, args);
  size_t room = a->head->size - a->head->used;
  char *p = a->head->data + a->head->used;
  size_t n = format_text(p, room, format, args);
  if (n < room) {
    a->head->used += round_up(n + 1);
  } else {
    p = arena_alloc(a, n + 1);
    format_text(p, n + 1, format, again);
  }
  va_end(again);
  return (slice){p, n};
}

slice arena_printf(arena *a, const char *format, ...) {
  va_list args;
  va_start(args, format);
  slice s = arena_vprintf(a, format, args);
  va_end(args);
  return s;
}

size_t arena_size(const arena *a) {
  return a->held;
}
