/* Entries: immutable key-value pairs that the tree, the log, views and callers share by
 * reference count. Only the cached forms grow after the making, and nobody can tell:
 * a form says the same object in other bytes. */
#include "store/entry.h"

#include "base/heap.h"

#include <assert.h>

store_entry *store_entry_create(slice key, blob *value) {
  assert(key.len > 0 && key.len < UINT32_MAX && value);
  store_entry *e = heap_alloc(sizeof *e + key.len);
  *e = (store_entry){.refs = 1, .value = blob_ref(value), .key_len = (uint32_t)key.len};
  memcpy(e->key, key.ptr, key.len);
  return e;
}

store_entry *store_entry_ref(store_entry *e) {
  assert(e->refs > 0 && e->refs < UINT32_MAX);
  e->refs++;
  return e;
}

void store_entry_unref(store_entry *e) {
  if (!e) return;
  assert(e->refs > 0);
  if (--e->refs) return;
  for (store_form *f = e->forms, *next; f; f = next) {
    next = f->next;
    blob_unref(f->bytes);
    heap_free(f);
  }
  blob_unref(e->value);
  heap_free(e);
}

blob *store_entry_form(const store_entry *e, uint64_t id) {
  for (const store_form *f = e->forms; f; f = f->next) {
    if (f->id == id) return f->bytes;
  }
  return NULL;
}

void store_entry_add_form(store_entry *e, uint64_t id, blob *bytes) {
  assert(bytes && !store_entry_form(e, id));
  store_form *f = heap_alloc(sizeof *f);
  *f = (store_form){.next = e->forms, .id = id, .bytes = blob_ref(bytes)};
  e->forms = f;
}
