/* The entries are referenced while they are remembered, so that comparing addresses is comparing
 * events. */
#include "watch/shared.h"

#include "base/heap.h"
#include "http/http.h"
#include "registry/stored.h"

#include <assert.h>

#define FRAMES_MAX 16

typedef struct frame_key {
  const resource_info *resource;
  int64_t revision;
  uint64_t how; /* form, event and which object, a byte each */
} frame_key;

typedef struct kept_frame {
  frame_key key;
  blob *bytes;
  blob *chunk; /* NULL: not asked for yet */
} kept_frame;

struct watch_shared {
  arena *arena;
  store_entry *entries[2]; /* after, before */
  const val *trees[2];
  bool decoded[2];
  int64_t now_s;
  uint32_t frame_count;
  kept_frame frames[FRAMES_MAX];
};

watch_shared *watch_shared_create(void) {
  watch_shared *s = heap_zalloc(sizeof *s);
  s->arena = arena_create();
  return s;
}

static void drop_frame(kept_frame *f) {
  blob_unref(f->bytes);
  blob_unref(f->chunk);
}

static void forget(watch_shared *s) {
  for (int i = 0; i < 2; i++) {
    if (s->entries[i]) store_entry_unref(s->entries[i]);
    s->entries[i] = NULL;
    s->trees[i] = NULL;
    s->decoded[i] = false;
  }
  for (uint32_t i = 0; i < s->frame_count; i++) drop_frame(&s->frames[i]);
  s->frame_count = 0;
  arena_reset(s->arena);
}

void watch_shared_destroy(watch_shared *s) {
  forget(s);
  arena_destroy(s->arena);
  heap_free(s);
}

void watch_shared_turn(watch_shared *s, store_entry *entry, store_entry *prev, int64_t now_s) {
  if (s->entries[0] == entry && s->entries[1] == prev && s->now_s == now_s) return;
  forget(s);
  s->entries[0] = store_entry_ref(entry);
  s->entries[1] = prev ? store_entry_ref(prev) : NULL;
  s->now_s = now_s;
}

const val *watch_shared_tree(watch_shared *s, const resource_info *r, bool of_prev) {
  assert(s->entries[of_prev]);
  if (!s->decoded[of_prev]) s->trees[of_prev] = stored_decode(s->arena, r, s->entries[of_prev]);
  s->decoded[of_prev] = true;
  return s->trees[of_prev];
}

static uint64_t how_of(const frame_form *f, event_type type, bool of_prev, bool columns) {
  return (uint64_t)f->format | (uint64_t)f->as << 8 | (uint64_t)f->include << 16 |
         (uint64_t)f->beta << 24 | (uint64_t)type << 32 | (uint64_t)of_prev << 40 |
         (uint64_t)columns << 48;
}

static bool same_key(const frame_key *a, const frame_key *b) {
  return a->resource == b->resource && a->revision == b->revision && a->how == b->how;
}

blob *watch_shared_frame(watch_shared *s, const resource_info *r, const frame_form *form,
                         event_type type,
                         bool of_prev, int64_t revision, bool columns) {
  bool with_columns = columns && form->as == AS_TABLE;
  frame_key key = {r, revision, how_of(form, type, of_prev, with_columns)};
  for (uint32_t i = 0; i < s->frame_count; i++) {
    if (same_key(&key, &s->frames[i].key)) return s->frames[i].bytes;
  }
  if (s->frame_count == FRAMES_MAX) drop_frame(&s->frames[--s->frame_count]);
  blob *made = frame_of_entry(s->arena, r, form, type, s->entries[of_prev], revision,
                              with_columns, s->now_s);
  s->frames[s->frame_count++] = (kept_frame){key, made, NULL};
  return made;
}

blob *watch_shared_chunk(watch_shared *s, const blob *frame) {
  uint32_t i = 0;
  while (i < s->frame_count && s->frames[i].bytes != frame) i++;
  assert(i < s->frame_count);
  kept_frame *f = &s->frames[i];
  if (!f->chunk) f->chunk = http_chunk_of(blob_slice(f->bytes));
  return f->chunk;
}

arena *watch_shared_arena(watch_shared *s) { return s->arena; }
