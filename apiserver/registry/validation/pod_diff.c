/* A unified difference of two texts, three lines of context, as Python's difflib (and the Go port
 * that the real server uses) finds it: the longest common block, then both sides of it; lines that
 * are more than one in a hundred of a long text count for nothing while looking. */
#include "registry/validation/pod_internal.h"

#include "base/buf.h"
#include "base/limits.h"

#include <assert.h>
#include <stdlib.h>

#define CONTEXT 3
#define POPULAR_FROM 200
#define MAX_LINES 20000u /* ours: a difference of longer texts is not shown */

typedef struct lines {
  slice *items;
  uint32_t count;
} lines;

typedef struct block {
  uint32_t a, b, size;
} block;

typedef struct matcher {
  arena *arena;
  lines a, b;
  int32_t *class_a;          /* the class of each line of a among b's lines, or -1 */
  uint32_t *starts, *places; /* places[starts[c]..starts[c+1]): where class c stands in b */
  uint32_t *lengths, *fresh; /* by index in b, shifted by one */
  block *blocks;
  uint32_t count, cap;
} matcher;

/* Every line keeps its newline; the text gets a last one. */
static lines split(arena *a, slice text) {
  uint32_t n = 1;
  for (size_t i = 0; i < text.len; i++) n += text.ptr[i] == '\n';
  lines out = {ARENA_ARRAY(a, slice, n), 0};
  slice head;
  bool more = true;
  while (more) {
    more = slice_cut(text, '\n', &head, &text);
    out.items[out.count++] = head;
  }
  return out;
}

static int line_order(const void *x, const void *y) {
  slice *const *a = x, *const *b = y;
  int order = slice_cmp(**a, **b);
  return order ? order : (*a > *b) - (*a < *b);
}

static int line_find(const void *key, const void *item) {
  return slice_cmp(*(const slice *)key, **(slice *const *)item);
}

static void classes(matcher *m) {
  uint32_t n = m->b.count, kinds = 0;
  slice **order = ARENA_ARRAY(m->arena, slice *, n + 1);
  slice **first = ARENA_ARRAY(m->arena, slice *, n + 1);
  m->starts = ARENA_ARRAY(m->arena, uint32_t, n + 2);
  m->places = ARENA_ARRAY(m->arena, uint32_t, n + 1);
  m->class_a = ARENA_ARRAY(m->arena, int32_t, m->a.count + 1);
  for (uint32_t i = 0; i < n; i++) order[i] = m->b.items + i;
  qsort(order, n, sizeof *order, line_order);
  uint32_t used = 0;
  for (uint32_t i = 0, end; i < n; i = end) {
    for (end = i; end < n && slice_eq(*order[end], *order[i]); end++) continue;
    m->starts[kinds] = used;
    first[kinds++] = order[i];
    if (n >= POPULAR_FROM && end - i > n / 100 + 1) continue;
    for (uint32_t k = i; k < end; k++) m->places[used++] = (uint32_t)(order[k] - m->b.items);
  }
  m->starts[kinds] = used;
  for (uint32_t i = 0; i < m->a.count; i++) {
    slice **hit = bsearch(m->a.items + i, first, kinds, sizeof *first, line_find);
    m->class_a[i] = hit ? (int32_t)(hit - first) : -1;
  }
}

static bool same(const matcher *m, uint32_t i, uint32_t j) {
  return slice_eq(m->a.items[i], m->b.items[j]);
}

static block longest(matcher *m, uint32_t alo, uint32_t ahi, uint32_t blo, uint32_t bhi) {
  block best = {alo, blo, 0};
  for (uint32_t i = alo; i < ahi; i++) {
    int32_t c = m->class_a[i];
    uint32_t from = c < 0 ? 0 : m->starts[c], to = c < 0 ? 0 : m->starts[c + 1];
    for (uint32_t k = from; k < to; k++) {
      uint32_t j = m->places[k];
      if (j < blo || j >= bhi) continue;
      uint32_t size = (j > blo ? m->lengths[j] : 0) + 1;
      m->fresh[j + 1] = size;
      if (size > best.size) best = (block){i + 1 - size, j + 1 - size, size};
    }
    int32_t p = i > alo ? m->class_a[i - 1] : -1;
    for (uint32_t k = p < 0 ? 0 : m->starts[p]; p >= 0 && k < m->starts[p + 1]; k++)
      m->lengths[m->places[k] + 1] = 0;
    for (uint32_t k = from; k < to; k++) {
      m->lengths[m->places[k] + 1] = m->fresh[m->places[k] + 1];
      m->fresh[m->places[k] + 1] = 0;
    }
  }
  int32_t c = ahi > alo ? m->class_a[ahi - 1] : -1;
  for (uint32_t k = c < 0 ? 0 : m->starts[c]; c >= 0 && k < m->starts[c + 1]; k++)
    m->lengths[m->places[k] + 1] = 0;
  while (best.a > alo && best.b > blo && same(m, best.a - 1, best.b - 1))
    best.a--, best.b--, best.size++;
  while (best.a + best.size < ahi && best.b + best.size < bhi &&
         same(m, best.a + best.size, best.b + best.size))
    best.size++;
  return best;
}

static void add_block(matcher *m, block b) {
  if (m->count == m->cap) {
    uint32_t cap = m->cap ? m->cap * 2 : 16;
    m->blocks =
        arena_grow(m->arena, m->blocks, m->cap * sizeof *m->blocks, cap * sizeof *m->blocks);
    m->cap = cap;
  }
  block *last = m->count ? m->blocks + m->count - 1 : NULL;
  if (last && last->a + last->size == b.a && last->b + last->size == b.b)
    last->size += b.size;
  else
    m->blocks[m->count++] = b;
}

typedef struct range {
  uint32_t alo, ahi, blo, bhi;
  block found; /* size > 0: emit this, the sides are done or below on the stack */
} range;

/* In order, with a stack of our own: blocks left of one come before it. */
static void find_blocks(matcher *m) {
  uint32_t depth = 0, cap = 2 * (m->a.count + m->b.count) + 8;
  range *stack = ARENA_ARRAY(m->arena, range, cap);
  stack[depth++] = (range){0, m->a.count, 0, m->b.count, {0, 0, 0}};
  while (depth) {
    range r = stack[--depth];
    if (r.found.size) {
      add_block(m, r.found);
      continue;
    }
    block b = longest(m, r.alo, r.ahi, r.blo, r.bhi);
    if (b.size == 0) continue;
    assert(depth + 3 <= cap);
    if (b.a + b.size < r.ahi && b.b + b.size < r.bhi) {
      stack[depth++] = (range){b.a + b.size, r.ahi, b.b + b.size, r.bhi, {0, 0, 0}};
    }
    stack[depth++] = (range){.found = b};
    if (r.alo < b.a && r.blo < b.b) stack[depth++] = (range){r.alo, b.a, r.blo, b.b, {0, 0, 0}};
  }
}

static void write_lines(buf *out, const lines *l, uint32_t from, uint32_t to, char mark) {
  for (uint32_t i = from; i < to; i++) {
    buf_char(out, mark);
    buf_append(out, l->items[i]);
    buf_char(out, '\n');
  }
}

static void write_range(buf *out, uint32_t from, uint32_t to) {
  uint32_t begin = from + 1, length = to - from;
  if (length == 1) {
    buf_printf(out, "%u", begin);
    return;
  }
  if (length == 0) begin--;
  buf_printf(out, "%u,%u", begin, length);
}

/* One hunk: changes between blocks first..last, with context on both sides. */
static void write_hunk(buf *out, const matcher *m, const block *first, const block *last) {
  uint32_t lead = first->size < CONTEXT ? first->size : CONTEXT;
  uint32_t tail = last->size < CONTEXT ? last->size : CONTEXT;
  uint32_t a = first->a + first->size - lead, b = first->b + first->size - lead;
  buf_lit(out, "@@ -");
  write_range(out, a, last->a + tail);
  buf_lit(out, " +");
  write_range(out, b, last->b + tail);
  buf_lit(out, " @@\n");
  write_lines(out, &m->a, a, a + lead, ' ');
  for (const block *k = first + 1; k <= last; k++) {
    write_lines(out, &m->a, k[-1].a + k[-1].size, k->a, '-');
    write_lines(out, &m->b, k[-1].b + k[-1].size, k->b, '+');
    write_lines(out, &m->a, k->a, k->a + (k == last ? tail : k->size), ' ');
  }
}

slice text_diff(arena *a, slice before, slice after) {
  if (slice_eq(before, after)) return SLICE_LIT("");
  matcher m = {.arena = a, .a = split(a, before), .b = split(a, after)};
  if (m.a.count > MAX_LINES || m.b.count > MAX_LINES) return SLICE_LIT("");
  m.lengths = ARENA_ARRAY(a, uint32_t, m.b.count + 2);
  m.fresh = ARENA_ARRAY(a, uint32_t, m.b.count + 2);
  classes(&m);
  find_blocks(&m);
  block *edges = ARENA_ARRAY(a, block, m.count + 2);
  uint32_t n = 0;
  if (m.count == 0 || m.blocks[0].a || m.blocks[0].b) edges[n++] = (block){0, 0, 0};
  for (uint32_t i = 0; i < m.count; i++) edges[n++] = m.blocks[i];
  block *end = edges + n - 1;
  if (end->a + end->size < m.a.count || end->b + end->size < m.b.count) {
    edges[n++] = (block){m.a.count, m.b.count, 0};
  }
  buf out;
  buf_init(&out, LIMIT_BUFFER);
  for (uint32_t i = 0, k; i + 1 < n; i = k) {
    for (k = i + 1; k + 1 < n && edges[k].size <= 2 * CONTEXT; k++) continue;
    write_hunk(&out, &m, edges + i, edges + k);
  }
  slice text = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return text;
}
