/* Leaves are written as they fill. A level of branches is written over them, and one over that,
 * until one page is left: the bucket's root. The root of roots, a leaf of buckets, comes last. */
#include "etcd/bolt.h"

#include <assert.h>

#define PAGE ((size_t)4096)
#define PAGE_HEAD ((size_t)16)
#define ELEMENT ((size_t)16)
#define PAGE_BRANCH 0x01u
#define PAGE_LEAF 0x02u
#define PAGE_META 0x04u
#define PAGE_FREELIST 0x10u
#define ELEMENT_BUCKET 1u
#define MAGIC 0xed0cdaedu
#define VERSION 2u

/* Little endian, as on every machine that an etcd runs on. */
static void put(buf *out, uint64_t n, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) buf_char(out, (char)(n >> (8 * i)));
}

static void pad(buf *out) {
  static const char zeros[PAGE];
  size_t rest = out->len % PAGE;
  if (rest) buf_append(out, slice_of(zeros, PAGE - rest));
}

/* A page that holds `elements` and, behind them, what they point at. Its number. */
static uint64_t write_page(buf *out, unsigned kind, uint32_t count, slice elements, slice data) {
  uint64_t page = out->len / PAGE;
  size_t whole = PAGE_HEAD + elements.len + data.len;
  assert(count <= UINT16_MAX);
  put(out, page, 8);
  put(out, kind, 2);
  put(out, count, 2);
  put(out, (whole + PAGE - 1) / PAGE - 1, 4); /* pages that follow as part of it */
  buf_append(out, elements);
  buf_append(out, data);
  pad(out);
  return page;
}

static void add_place(bolt *b, bolt_level *l, slice key, uint64_t page) {
  l->items = arena_more(b->a, l->items, l->count, &l->cap, sizeof *l->items);
  l->items[l->count++] = (bolt_place){key, page};
}

/* An element's position counts from the element itself: it is filled in when their number is known,
 * so that heads hold {flags, key's and value's size}. */
static void write_leaf(bolt *b) {
  buf elements;
  buf_init(&elements, b->heads.ceiling);
  size_t at = 0;
  for (uint32_t i = 0; i < b->count; i++) {
    uint32_t head[3];
    memcpy(head, b->heads.ptr + sizeof head * i, sizeof head);
    put(&elements, head[0], 4);
    put(&elements, (b->count - i) * ELEMENT + at, 4);
    put(&elements, head[1], 4);
    put(&elements, head[2], 4);
    at += head[1] + head[2];
  }
  uint64_t page = write_page(b->out, PAGE_LEAF, b->count, buf_slice(&elements),
                             buf_slice(&b->data));
  add_place(b, &b->leaves, b->first, page);
  buf_dispose(&elements);
  buf_clear(&b->heads);
  buf_clear(&b->data);
  b->count = 0;
}

static void add_element(bolt *b, uint32_t flags, slice key, slice value) {
  size_t more = ELEMENT + key.len + value.len;
  size_t whole = PAGE_HEAD + ELEMENT * b->count + b->data.len + more;
  if (b->count && whole > PAGE) write_leaf(b);
  if (b->count == 0) b->first = arena_copy(b->a, key);
  uint32_t head[3] = {flags, (uint32_t)key.len, (uint32_t)value.len};
  buf_append(&b->heads, slice_of((const char *)head, sizeof head));
  buf_append(&b->data, key);
  buf_append(&b->data, value);
  b->count++;
}

/* How many of a level's places from `from` on go on one page: two at least, if there are two. */
static uint32_t fitting(const bolt_level *l, uint32_t from) {
  size_t whole = PAGE_HEAD;
  uint32_t n = 0;
  for (; from + n < l->count; n++) {
    whole += ELEMENT + l->items[from + n].key.len;
    if (whole > PAGE && n >= 2) break;
  }
  return l->count - from - n == 1 && n > 2 ? n - 1 : n; /* none is left alone */
}

static void write_branches(bolt *b, const bolt_level *below, bolt_level *above) {
  buf elements, data;
  buf_init(&elements, b->heads.ceiling);
  buf_init(&data, b->data.ceiling);
  for (uint32_t from = 0, n; from < below->count; from += n) {
    n = fitting(below, from);
    for (uint32_t i = 0; i < n; i++) {
      const bolt_place *p = &below->items[from + i];
      put(&elements, (n - i) * ELEMENT + data.len, 4);
      put(&elements, p->key.len, 4);
      put(&elements, p->page, 8);
      buf_append(&data, p->key);
    }
    uint64_t page = write_page(b->out, PAGE_BRANCH, n, buf_slice(&elements), buf_slice(&data));
    add_place(b, above, below->items[from].key, page);
    buf_clear(&elements);
    buf_clear(&data);
  }
  buf_dispose(&elements);
  buf_dispose(&data);
}

/* The root of what was put since the last. */
static uint64_t write_tree(bolt *b) {
  if (b->count || b->leaves.count == 0) write_leaf(b);
  bolt_level level = b->leaves;
  while (level.count > 1) {
    bolt_level above = {0};
    write_branches(b, &level, &above);
    level = above;
  }
  b->leaves = (bolt_level){0};
  return level.items[0].page;
}

static void end_bucket(bolt *b) {
  if (b->in_bucket) add_place(b, &b->buckets, b->bucket, write_tree(b));
  b->in_bucket = false;
}

void bolt_begin(bolt *b, buf *out, arena *a) {
  *b = (bolt){.out = out, .a = a};
  buf_init(&b->heads, out->ceiling);
  buf_init(&b->data, out->ceiling);
  for (int i = 0; i < 2; i++) { /* the metas' place */
    buf_char(out, 0);
    pad(out);
  }
}

void bolt_bucket(bolt *b, slice name) {
  end_bucket(b);
  b->bucket = arena_copy(b->a, name);
  b->in_bucket = true;
}

void bolt_put(bolt *b, slice key, slice value) {
  assert(b->in_bucket && key.len);
  add_element(b, 0, key, value);
}

static uint64_t fnv64a(slice s) {
  uint64_t h = 0xcbf29ce484222325u;
  for (size_t i = 0; i < s.len; i++) h = (h ^ (unsigned char)s.ptr[i]) * 0x100000001b3u;
  return h;
}

/* Two of them, of which the one with the higher transaction counts. */
static void write_meta(buf *file, uint64_t page, uint64_t root, uint64_t freelist) {
  buf m;
  buf_init(&m, PAGE);
  put(&m, page, 8);
  put(&m, PAGE_META, 2);
  put(&m, 0, 6);
  put(&m, MAGIC, 4);
  put(&m, VERSION, 4);
  put(&m, PAGE, 4);
  put(&m, 0, 4);
  put(&m, root, 8);
  put(&m, 0, 8); /* the root bucket's sequence */
  put(&m, freelist, 8);
  put(&m, file->len / PAGE, 8); /* pages in all */
  put(&m, page, 8); /* the transaction */
  put(&m, fnv64a(slice_from(buf_slice(&m), PAGE_HEAD)), 8);
  memcpy(file->ptr + page * PAGE, m.ptr, m.len);
  buf_dispose(&m);
}

void bolt_end(bolt *b) {
  end_bucket(b);
  for (uint32_t i = 0; i < b->buckets.count; i++) {
    buf value;
    buf_init(&value, PAGE);
    put(&value, b->buckets.items[i].page, 8);
    put(&value, 0, 8);
    add_element(b, ELEMENT_BUCKET, b->buckets.items[i].key, buf_slice(&value));
    buf_dispose(&value);
  }
  uint64_t root = write_tree(b);
  uint64_t freelist = write_page(b->out, PAGE_FREELIST, 0, SLICE_NONE, SLICE_NONE);
  if (!b->out->overflow) {
    for (uint64_t i = 0; i < 2; i++) write_meta(b->out, i, root, freelist);
  }
  buf_dispose(&b->heads);
  buf_dispose(&b->data);
}
