/* Random operations against the smallest store there is: an array of keys, and a copy of it
 * for every revision. Keys are few, so that conflicts, deletions and re-creations are many. */
#include "base/heap.h"
#include "base/rng.h"
#include "store/contract.h"

#include <stdio.h>

enum { KEYS = 400, HISTORY = 600, WATCHES = 12 };

typedef struct model_key {
  int64_t create, mod, version; /* version 0: not there */
  uint64_t value;
} model_key;

typedef struct model_watch {
  store_watch *handle;
  struct model *model;
  char prefix[16];
  int64_t seen; /* every matching event up to here has come */
} model_watch;

typedef struct model {
  store *s;
  rng r;
  model_key now[KEYS];
  model_key (*past)[KEYS]; /* ring by revision */
  int32_t changed[HISTORY]; /* which key a revision wrote */
  int64_t first, revision, compacted;
  model_watch watches[WATCHES];
  const char *wrong;
} model;

#define EXPECT(m, condition) \
  do {                       \
    if (!(condition) && !(m)->wrong) (m)->wrong = #condition; \
  } while (0)

static slice key_text(int k, char out[16]) {
  int n = snprintf(out, 16, "/%c/%d/%d", "ab"[k & 1], k % 7, k);
  return slice_of(out, (size_t)n);
}

static uint64_t value_of(const blob *b) {
  uint64_t v = 0;
  if (b->len == sizeof v) memcpy(&v, b->data, sizeof v);
  return v;
}

static const model_key *model_at(const model *m, int64_t revision) {
  return revision == m->revision ? m->now : m->past[revision % HISTORY];
}

static void model_commit(model *m, int k) {
  memcpy(m->past[m->revision % HISTORY], m->now, sizeof m->now);
  m->changed[m->revision % HISTORY] = k;
}

/* The next revision behind `after` that a prefix matches, or 0. */
static int64_t next_match(const model *m, slice prefix, int64_t after) {
  char text[16];
  for (int64_t r = after + 1; r <= m->revision; r++) {
    if (slice_has_prefix(key_text(m->changed[r % HISTORY], text), prefix)) return r;
  }
  return 0;
}

static void on_event(void *ctx, const store_event *ev) {
  model_watch *w = ctx;
  model *m = w->model;
  char text[16];
  int64_t want = next_match(m, slice_cstr(w->prefix), w->seen);
  EXPECT(m, want == ev->revision);
  if (want != ev->revision) return;
  int k = m->changed[want % HISTORY];
  const model_key *now = &model_at(m, want)[k];
  EXPECT(m, slice_eq(store_entry_key(ev->entry), key_text(k, text)));
  EXPECT(m, ev->deleted == (now->version == 0));
  EXPECT(m, ev->deleted || value_of(ev->entry->value) == now->value);
  EXPECT(m, ev->entry->version == now->version);
  w->seen = want;
}

/* Keys and revisions are guessed so that about half of the writes can succeed. */
static void step_write(model *m) {
  char text[16];
  int k = (int)rng_below(&m->r, KEYS);
  slice key = key_text(k, text);
  model_key *mk = &m->now[k], was = *mk;
  int64_t expect = rng_chance(&m->r, 1, 8) ? m->revision - 1 : was.mod;
  uint64_t v = rng_u64(&m->r), kind = rng_below(&m->r, 3);
  blob *b = blob_copy(slice_of((const char *)&v, sizeof v));
  store_entry *e = NULL;
  store_result want = kind == 0 ? (was.version ? STORE_EXISTS : STORE_OK)
                      : !was.version ? STORE_NOT_FOUND
                      : expect != was.mod ? STORE_CONFLICT : STORE_OK;
  if (want == STORE_OK) { /* before the call: the watchers compare inside it */
    m->revision++;
    *mk = kind == 2 ? (model_key){0}
                    : (model_key){kind ? was.create : m->revision, m->revision, was.version + 1, v};
    model_commit(m, k);
  }
  store_result got = kind == 0 ? store_create(m->s, key, b, &e)
                     : kind == 1 ? store_update(m->s, key, expect, b, &e)
                                 : store_delete(m->s, key, expect, b, &e);
  EXPECT(m, got == want);
  EXPECT(m, (e != NULL) == (want == STORE_OK));
  if (e && kind == 2) EXPECT(m, e->mod_revision == was.mod && value_of(e->value) == was.value);
  if (e && kind < 2) EXPECT(m, e->mod_revision == mk->mod && e->create_revision == mk->create);
  EXPECT(m, store_revision(m->s) == m->revision);
  store_entry_unref(e);
  blob_unref(b);
}

/* A revision from a little before what is kept to a little after the newest. */
static int64_t some_revision(model *m) {
  int64_t low = m->revision - HISTORY + 20;
  if (low < m->first) low = m->first;
  return low + (int64_t)rng_below(&m->r, (uint64_t)(m->revision - low) + 2);
}

static store_result want_read(const model *m, int64_t revision) {
  if (revision > m->revision) return STORE_FUTURE;
  return revision < m->compacted ? STORE_COMPACTED : STORE_OK;
}

static void step_get(model *m) {
  char text[16];
  int k = (int)rng_below(&m->r, KEYS);
  int64_t revision = some_revision(m);
  store_result want = want_read(m, revision);
  const model_key *mk = want == STORE_OK ? &model_at(m, revision)[k] : NULL;
  store_entry *e;
  store_result got = store_get(m->s, key_text(k, text), revision, &e);
  if (mk && mk->version == 0) want = STORE_NOT_FOUND;
  EXPECT(m, got == want);
  if (e && mk) {
    EXPECT(m, e->mod_revision == mk->mod && e->version == mk->version);
    EXPECT(m, e->create_revision == mk->create && value_of(e->value) == mk->value);
  }
  store_entry_unref(e);
}

typedef struct walk_check {
  model *m;
  const model_key *at;
  char last[16];
  uint64_t seen;
} walk_check;

static bool walk_one(void *ctx, store_entry *e) {
  walk_check *c = ctx;
  slice key = store_entry_key(e);
  long long k = -1;
  EXPECT(c->m, key.len > 5 && key.len < sizeof c->last);
  EXPECT(c->m, slice_to_i64(slice_from(key, 5), &k) && k >= 0 && k < KEYS); /* "/a/6/13" */
  if (c->m->wrong) return false;
  EXPECT(c->m, slice_cmp(slice_cstr(c->last), key) < 0);
  EXPECT(c->m, c->at[k].version == e->version && c->at[k].value == value_of(e->value));
  memcpy(c->last, key.ptr, key.len);
  c->last[key.len] = '\0';
  c->seen++;
  return true;
}

static void step_view(model *m) {
  char text[16];
  int64_t revision = some_revision(m);
  store_view *v;
  store_result want = want_read(m, revision), got = store_view_open(m->s, revision, &v);
  EXPECT(m, got == want);
  if (!v || want != STORE_OK) return;
  walk_check c = {.m = m, .at = model_at(m, revision)};
  char start_text[16], end_text[16];
  slice start = key_text((int)rng_below(&m->r, KEYS), start_text);
  slice end = rng_chance(&m->r, 1, 3) ? SLICE_NONE
      : key_text((int)rng_below(&m->r, KEYS), end_text);
  uint64_t want_count = 0;
  for (int k = 0; k < KEYS; k++) {
    slice key = key_text(k, text);
    if (c.at[k].version && slice_cmp(key, start) >= 0 && (!end.len || slice_cmp(key, end) < 0)) {
      want_count++;
    }
  }
  store_view_walk(v, start, end, walk_one, &c);
  EXPECT(m, c.seen == want_count);
  EXPECT(m, store_view_count(v, start, end) == want_count);
  store_view_close(v);
}

static void step_watch(model *m) {
  model_watch *w = &m->watches[rng_below(&m->r, WATCHES)];
  if (w->handle) {
    EXPECT(m, next_match(m, slice_cstr(w->prefix), w->seen) == 0);
    store_watch_close(w->handle);
    w->handle = NULL;
    return;
  }
  char text[16];
  slice key = key_text((int)rng_below(&m->r, KEYS), text);
  size_t len = (size_t)rng_below(&m->r, key.len + 1);
  memcpy(w->prefix, key.ptr, len);
  w->prefix[len] = '\0';
  w->model = m;
  w->seen = some_revision(m);
  store_result want = w->seen < m->compacted ? STORE_COMPACTED : STORE_OK;
  store_result got = store_watch_open(m->s, slice_of(w->prefix, len), w->seen, on_event, w,
                                      &w->handle);
  EXPECT(m, got == want);
}

/* Views kept over many steps would need their own copy of the model; the contract's cases
 * cover those. Compaction also keeps the model's ring from running over. */
static void step_compact(model *m) {
  int64_t to = m->compacted + (int64_t)rng_below(&m->r, (uint64_t)(m->revision - m->compacted) + 1);
  if (to > m->compacted) {
    store_compact(m->s, to);
    m->compacted = to;
  }
  EXPECT(m, store_compacted(m->s) == m->compacted);
}

static void model_step(model *m) {
  uint64_t dice = rng_below(&m->r, 100);
  bool full = m->revision - (m->compacted > m->first ? m->compacted : m->first) > HISTORY - 30;
  if (full || dice == 0) step_compact(m);
  else if (dice < 60) step_write(m);
  else if (dice < 80) step_get(m);
  else if (dice < 90) step_view(m);
  else step_watch(m);
}

int store_contract_random(store *(*make)(void), uint64_t seed, int steps) {
  model *m = heap_zalloc(sizeof *m);
  m->past = heap_zalloc(sizeof m->now * HISTORY);
  m->s = make();
  m->first = m->revision = store_revision(m->s);
  m->compacted = store_compacted(m->s);
  rng_init(&m->r, seed);
  int step = 0;
  while (step < steps && !m->wrong) {
    step++;
    model_step(m);
  }
  if (m->wrong) {
    fprintf(stderr, "seed %llu, step %d: %s\n", (unsigned long long)seed, step, m->wrong);
  }
  int result = m->wrong ? step : 0;
  for (int i = 0; i < WATCHES; i++) {
    if (m->watches[i].handle) store_watch_close(m->watches[i].handle);
  }
  store_destroy(m->s);
  heap_free(m->past);
  heap_free(m);
  return result;
}
