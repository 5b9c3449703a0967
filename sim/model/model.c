/* Plain arrays; a key's versions are a chain through the log. */
#include "sim/model/model.h"

#include "sim/model/json_scan.h"

#include <assert.h>

#define FIRST_ROOM 256u

model *model_create(arena *a, int64_t base) {
  model *m = ARENA_NEW(a, model);
  m->arena = a;
  model_reset(m, base);
  return m;
}

void model_reset(model *m, int64_t base) {
  m->count = 0;
  m->base = m->newest = base;
  m->dense = true;
  for (uint32_t i = 0; i < m->key_count; i++) m->keys[i].last = NO_COMMIT;
}

int64_t model_revision(const model *m) { return m->newest; }

static uint64_t hash_of(slice s) {
  uint64_t h = 14695981039346656037u ^ s.len, part;
  for (; s.len >= 8; s = slice_from(s, 8)) {
    memcpy(&part, s.ptr, 8);
    h = (h ^ part) * 0x9fb21c651e98df25u;
    h ^= h >> 29;
  }
  part = 0;
  if (s.len) memcpy(&part, s.ptr, s.len);
  h = (h ^ part) * 0x9fb21c651e98df25u;
  return h ^ (h >> 29);
}

static void table_put(model *m, uint32_t id) {
  uint64_t at = hash_of(m->keys[id].text);
  while (m->table[at & (m->table_cap - 1)]) at++;
  m->table[at & (m->table_cap - 1)] = id + 1;
}

static void table_grow(model *m) {
  m->table_cap = m->table_cap ? m->table_cap * 2 : FIRST_ROOM;
  m->table = ARENA_ARRAY(m->arena, uint32_t, m->table_cap);
  for (uint32_t i = 0; i < m->key_count; i++) table_put(m, i);
}

static void sort_in(model *m, uint32_t id) {
  uint32_t at = id;
  for (; at > 0 && slice_cmp(m->keys[m->sorted[at - 1]].text, m->keys[id].text) > 0; at--) {
    m->sorted[at] = m->sorted[at - 1];
  }
  m->sorted[at] = id;
}

/* The last two segments: "/registry/RESOURCE/NAMESPACE/NAME", or without a namespace. */
static void split(model_key *k, bool namespaced) {
  size_t end = k->text.len;
  size_t slash = end;
  while (slash > 0 && k->text.ptr[slash - 1] != '/') slash--;
  k->name = slice_from(k->text, slash);
  if (!namespaced) return;
  size_t before = slash - 1, from = before;
  while (from > 0 && k->text.ptr[from - 1] != '/') from--;
  k->namespace = slice_of(k->text.ptr + from, before - from);
}

uint32_t model_key_id(model *m, slice text, uint32_t kind, bool make) {
  for (uint64_t at = hash_of(text); m->table_cap; at++) {
    uint32_t id = m->table[at & (m->table_cap - 1)];
    if (!id) break;
    if (slice_eq(m->keys[id - 1].text, text)) return id - 1;
  }
  if (!make) return NO_KEY;
  uint32_t cap = m->key_cap;
  m->sorted = arena_more(m->arena, m->sorted, m->key_count, &cap, sizeof *m->sorted);
  m->keys = arena_more(m->arena, m->keys, m->key_count, &m->key_cap, sizeof *m->keys);
  uint32_t id = m->key_count++;
  m->keys[id] = (model_key){.text = arena_copy(m->arena, text), .kind = kind >> 1,
                            .last = NO_COMMIT};
  split(&m->keys[id], kind & 1);
  if (m->key_count * 2 > m->table_cap) table_grow(m);
  else table_put(m, id);
  sort_in(m, id);
  return id;
}

static const commit *add(model *m, uint32_t key, bool deleted, slice value, uint32_t op) {
  m->commits = arena_more(m->arena, m->commits, m->count, &m->cap, sizeof *m->commits);
  commit *c = &m->commits[m->count];
  *c = (commit){.revision = m->newest, .key = key, .prev = NO_COMMIT, .op = op,
                .deleted = deleted};
  if (key != NO_KEY) {
    c->value = arena_copy(m->arena, value);
    slice tier = json_text_of(value, SLICE_LIT("\"tier\":\""));
    c->tier = tier.len == 1 ? tier.ptr[0] : 0;
    c->prev = m->keys[key].last;
    m->keys[key].last = m->count;
  }
  m->count++;
  return c;
}

const commit *model_commit(model *m, uint32_t key, bool deleted, slice value, uint32_t op) {
  m->newest++;
  return add(m, key, deleted, value, op);
}

const commit *model_commit_too(model *m, uint32_t key, bool deleted, slice value, uint32_t op) {
  m->dense = false;
  return add(m, key, deleted, value, op);
}

void model_rewind(model *m, int64_t to, int64_t newest) {
  uint32_t kept = model_index(m, to + 1);
  assert(newest >= m->newest);
  for (uint32_t i = 0; i < m->key_count; i++) {
    uint32_t *last = &m->keys[i].last;
    while (*last != NO_COMMIT && *last >= kept) *last = m->commits[*last].prev;
  }
  m->count = kept;
  m->newest = newest;
  m->dense = false;
}

uint32_t model_index(const model *m, int64_t revision) {
  if (revision <= m->base) return 0;
  if (revision > m->newest) return m->count;
  if (m->dense) return (uint32_t)(revision - m->base - 1);
  uint32_t low = 0, high = m->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (m->commits[middle].revision < revision) low = middle + 1;
    else high = middle;
  }
  return low;
}

const commit *model_at(const model *m, int64_t revision) {
  uint32_t at = model_index(m, revision);
  return at < m->count && m->commits[at].revision == revision ? &m->commits[at] : NULL;
}

const commit *model_more(const model *m, const commit *c) {
  const commit *next = c + 1;
  return next < m->commits + m->count && next->revision == c->revision ? next : NULL;
}

const commit *model_prev(const model *m, const commit *c) {
  return c->prev == NO_COMMIT ? NULL : &m->commits[c->prev];
}

const commit *model_version(const model *m, uint32_t key, int64_t revision) {
  uint32_t at = key == NO_KEY ? NO_COMMIT : m->keys[key].last;
  while (at != NO_COMMIT && m->commits[at].revision > revision) at = m->commits[at].prev;
  return at == NO_COMMIT ? NULL : &m->commits[at];
}

const commit *model_state(const model *m, uint32_t key, int64_t revision) {
  const commit *c = model_version(m, key, revision);
  return c && !c->deleted ? c : NULL;
}

static bool in_scope(const model *m, const view_filter *f, const commit *c) {
  if (c->key == NO_KEY) return false;
  const model_key *k = &m->keys[c->key];
  return k->kind == f->kind && (f->namespace.len == 0 || slice_eq(f->namespace, k->namespace)) &&
         (f->name.len == 0 || slice_eq(f->name, k->name));
}

static bool label_selects(const view_filter *f, const commit *c) {
  return f->tier == 0 || (c->tier == f->tier) != f->not_tier;
}

bool model_selects(const model *m, const view_filter *f, const commit *c) {
  return in_scope(m, f, c) && label_selects(f, c);
}

void model_list(const model *m, const view_filter *f, int64_t revision, model_visit visit,
                void *ctx) {
  for (uint32_t i = 0; i < m->key_count; i++) {
    const model_key *k = &m->keys[m->sorted[i]];
    if (k->kind != f->kind) continue;
    const commit *c = model_state(m, m->sorted[i], revision);
    if (c && model_selects(m, f, c) && !visit(ctx, c)) return;
  }
}

transition model_transition(const model *m, const view_filter *f, const commit *c) {
  if (!in_scope(m, f, c)) return TRANSITION_NONE;
  const commit *p = model_prev(m, c);
  bool before = p && !p->deleted && label_selects(f, p);
  bool now = !c->deleted && label_selects(f, c);
  if (now) return before ? TRANSITION_MODIFIED : TRANSITION_ADDED;
  return before ? TRANSITION_DELETED : TRANSITION_NONE;
}

const commit *model_next(const model *m, const view_filter *f, uint32_t from, transition *t) {
  for (uint32_t i = from; i < m->count; i++) {
    *t = model_transition(m, f, &m->commits[i]);
    if (*t != TRANSITION_NONE) return &m->commits[i];
  }
  return NULL;
}
