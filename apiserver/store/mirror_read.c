/* Reads: the question for the current revision that consistent reads share, and views. */
#include "store/mirror_internal.h"

#include "base/heap.h"

#include <assert.h>

#define SYNC_NS (3 * SECOND_NS) /* the watch cache's blockTimeout */
#define NO_PROGRESS_NS (100 * MILLI_NS) /* where nothing may tell that the copy is there */
#define PAGE 500
#define KEY_ROOM ((size_t)1 << 16)

/* ---- the current revision ---- */

/* Asked once for all who came before it left: an answer to a question that was under way already
 * may be older than what they must see. Freed by the last who leaves it. */
typedef struct question {
  mirror *m;
  remote_call *call;
  uint32_t askers;
  bool answered;
  store_result result;
  int64_t revision;
  int64_t newest; /* of the copy when it was asked */
} question;

static question *question_new(mirror *m) {
  question *q = heap_zalloc(sizeof *q);
  q->m = m;
  return q;
}

static void question_leave(question *q) {
  mirror *m = q->m;
  if (--q->askers || q == m->question) return;
  if (q == m->next_question) m->next_question = NULL;
  heap_free(q);
}

static void question_send(mirror *m, question *q);

/* Wakes everybody who asked; one of them may ask again meanwhile. */
static void on_revision(void *ctx, const remote_answer *a) {
  question *q = ctx;
  mirror *m = q->m;
  q->call = NULL;
  q->answered = true;
  q->result = mirror_result(m, a);
  q->revision = a->revision;
  if (a->revision) {
    m->answered_ns = m->env->mono_ns;
    m->probe_failed = false;
    if (a->revision > m->known) m->known = a->revision;
  }
  if (a->result == REMOTE_OK && a->revision < q->newest) m->suspect = true; /* it went back */
  m->question = NULL;
  if (m->next_question) {
    question *next = m->next_question;
    m->next_question = NULL;
    question_send(m, next);
  }
  if (m->suspect && m->feed) mirror_feed_restart(m);
  if (q->askers == 0) {
    heap_free(q);
    return;
  }
  q->askers++; /* kept until the last is woken */
  for (mirror_wait *w = m->waits; w;) {
    if (w->question == q && w->waiting) {
      mirror_wake(w, STORE_OK);
      w = m->waits;
    } else {
      w = w->next;
    }
  }
  question_leave(q);
}

static void question_send(mirror *m, question *q) {
  remote_range range = {.key = m->remote_prefix, .count_only = true};
  m->figures.questions++;
  m->question = q;
  q->newest = m->replica->newest;
  q->call = remote_get_range(m->remote, &range, on_revision, q);
}

void mirror_questions_end(mirror *m) {
  question *under_way = m->question;
  m->question = NULL;
  if (under_way) {
    remote_cancel(m->remote, under_way->call);
    if (under_way->askers == 0) heap_free(under_way);
  }
}

/* One question and its answer. */
static store_result ask_revision(mirror *m, int64_t *revision) {
  question *q;
  if (!m->question) {
    q = question_new(m);
    q->askers = 1;
    question_send(m, q);
  } else {
    if (!m->next_question) m->next_question = question_new(m);
    q = m->next_question;
    q->askers++;
  }
  mirror_wait w = {.m = m, .question = q};
  store_result r = mirror_wait_until(m, &w, INT64_MAX);
  if (r == STORE_OK) r = q->result;
  if (r == STORE_OK) *revision = q->revision;
  question_leave(q);
  return r;
}

/* Until it is answered by more than a broken connection. */
static store_result current_revision(mirror *m, int64_t *revision) {
  for (uint32_t tries = 0;; tries++) {
    store_result r = ask_revision(m, revision);
    if (r != STORE_UNAVAILABLE && r != STORE_UNKNOWN) return r;
    m->figures.retries++;
    r = mirror_pause(m, mirror_backoff(m, tries));
    if (r != STORE_OK) return r;
  }
}

store_result mirror_sync(store *s, int64_t *at) {
  mirror *m = mirror_of(s);
  *at = 0;
  int64_t revision = 0;
  store_result r = current_revision(m, &revision);
  if (r != STORE_OK) return r;
  remote_status status;
  remote_status_read(m->remote, &status);
  r = mirror_reach(m, revision, status.progress ? SYNC_NS : NO_PROGRESS_NS, true);
  if (r == STORE_TIMEOUT) {
    *at = revision;
    return fiber_deadline(fiber_current(m->fibers)) <= m->env->mono_ns ? r : STORE_OK;
  }
  return r == STORE_OK && !m->ready ? STORE_NOT_READY : r;
}

/* The key is the real server's own, and need not exist. */
store_result mirror_probe(store *s, int64_t for_ns) {
  mirror *m = mirror_of(s);
  fiber *f = fiber_current(m->fibers);
  int64_t deadline = fiber_deadline(f), until = m->env->mono_ns + for_ns;
  buf room;
  buf_init(&room, KEY_ROOM);
  buf_append(&room, m->remote_prefix);
  buf_lit(&room, "health");
  remote_range range = {.key = buf_slice(&room)};
  mirror_ask ask;
  if (until < deadline) fiber_set_deadline(f, until);
  store_result r = mirror_range(m, &range, &ask);
  if (r != STORE_CANCELLED) fiber_set_deadline(f, deadline);
  buf_dispose(&room);
  return r;
}

store_result mirror_wait_revision(store *s, int64_t revision, int64_t for_ns) {
  return mirror_reach(mirror_of(s), revision, for_ns, true);
}

/* ---- single keys ---- */

static store_result get_local(mirror *m, slice key, int64_t revision, store_entry **out) {
  bool current = revision == m->replica->newest;
  tree_node *root = current ? m->replica->root : replica_root(m->replica, revision);
  store_entry *e = tree_find(root, key);
  if (e) *out = store_entry_ref(e);
  if (!current) tree_unref(&m->replica->heap, root);
  return e ? STORE_OK : STORE_NOT_FOUND;
}

static store_result get_remote(mirror *m, slice key, int64_t revision, store_entry **out) {
  buf room;
  buf_init(&room, KEY_ROOM);
  remote_range range = {.key = mirror_key_out(m, key, &room), .revision = revision};
  mirror_ask ask;
  store_result r = mirror_range(m, &range, &ask);
  if (r == STORE_OK && ask.answer->count == 0) r = STORE_NOT_FOUND;
  if (r == STORE_OK) {
    const remote_kv *kv = ask.answer->kvs;
    store_entry *have = tree_find(m->replica->root, key);
    *out = have && have->mod_revision == kv->mod_revision ? store_entry_ref(have)
                                                         : mirror_entry(m, key, kv);
  }
  buf_dispose(&room);
  return r;
}

static bool is_local(const mirror *m, int64_t revision) {
  return revision >= replica_base(m->replica) && revision <= m->replica->newest;
}

store_result mirror_get(store *s, slice key, int64_t revision, store_entry **out) {
  mirror *m = mirror_of(s);
  assert(out);
  *out = NULL;
  if (revision == 0) revision = m->replica->newest;
  if (is_local(m, revision)) return get_local(m, key, revision, out);
  if (revision < 0) return STORE_COMPACTED;
  if (revision > m->known) return STORE_FUTURE;
  return get_remote(m, key, revision, out);
}

store_result mirror_get_fresh(store *s, slice key, store_entry **out) {
  assert(out);
  *out = NULL;
  return get_remote(mirror_of(s), key, 0, out);
}

/* ---- views ---- */

typedef struct mirror_view {
  store_view base;
  replica *replica; /* a reference: of a view of the copy */
  tree_node *root;
  mirror *m; /* of a view of the remote; else NULL */
  store_entry **kept; /* what was visited: borrowed by the visitor until the view closes */
  size_t count, cap;
} mirror_view;

static store_result check_remote(mirror *m, int64_t revision) {
  remote_range range = {.key = m->remote_prefix, .revision = revision, .count_only = true};
  mirror_ask ask;
  return mirror_range(m, &range, &ask);
}

store_result mirror_view_open(store *s, int64_t revision, store_view **out) {
  mirror *m = mirror_of(s);
  assert(out);
  *out = NULL;
  if (revision == 0 && m->figures.lists == 0) return STORE_NOT_READY;
  if (revision == 0) revision = m->replica->newest;
  if (revision < 0) return STORE_COMPACTED;
  bool local = is_local(m, revision);
  if (!local) {
    if (revision > m->known) return STORE_FUTURE;
    store_result r = check_remote(m, revision);
    if (r != STORE_OK) return r;
  }
  mirror_view *v = heap_zalloc(sizeof *v);
  v->base = (store_view){&mirror_backend, revision};
  v->replica = m->replica;
  replica_ref(m->replica);
  if (local) v->root = replica_root(m->replica, revision);
  else v->m = m;
  *out = &v->base;
  return STORE_OK;
}

void mirror_view_close(store_view *base) {
  mirror_view *v = (mirror_view *)base;
  for (size_t i = 0; i < v->count; i++) store_entry_unref(v->kept[i]);
  heap_free(v->kept);
  tree_unref(&v->replica->heap, v->root);
  replica_unref(v->replica);
  heap_free(v);
}

static void keep(mirror_view *v, store_entry *e) {
  if (v->count == v->cap) {
    v->cap = v->cap ? v->cap * 2 : 64;
    v->kept = heap_realloc(v->kept, v->cap * sizeof *v->kept);
  }
  v->kept[v->count++] = e;
}

/* The whole page becomes entries before the first is visited: the visitor may wait, and the answer
 * is gone then. */
static bool visit_page(mirror_view *v, const remote_answer *a, store_visit visit, void *ctx) {
  buf room;
  buf_init(&room, KEY_ROOM);
  size_t first = v->count;
  for (uint32_t i = 0; i < a->count; i++) {
    slice key = mirror_key_in(v->m, a->kvs[i].key, &room);
    store_entry *have = tree_find(v->m->replica->root, key);
    bool same = have && have->mod_revision == a->kvs[i].mod_revision;
    keep(v, same ? store_entry_ref(have) : mirror_entry(v->m, key, a->kvs + i));
  }
  buf_dispose(&room);
  bool more = a->more && a->count > 0;
  for (size_t i = first, end = v->count; i < end; i++) {
    if (!visit(ctx, v->kept[i])) return false;
  }
  return more;
}

/* [start, end) in the remote's names. */
static remote_range range_of(const mirror_view *v, slice start, slice end, buf *from, buf *to) {
  const mirror *m = v->m;
  buf_init(from, KEY_ROOM);
  buf_init(to, KEY_ROOM);
  bool inside = slice_has_prefix(start, m->prefix);
  slice first = inside ? mirror_key_out(m, start, from) : m->remote_prefix;
  if (first.ptr != from->ptr) {
    buf_clear(from);
    buf_append(from, first);
  }
  slice last = end.len && slice_has_prefix(end, m->prefix) ? mirror_key_out(m, end, to)
                                                : mirror_remote_end(m, to);
  return (remote_range){.key = buf_slice(from), .end = last, .revision = v->base.revision};
}

static store_result walk_remote(mirror_view *v, slice start, slice end, store_visit visit,
                                void *ctx) {
  buf from, to;
  remote_range range = range_of(v, start, end, &from, &to);
  range.limit = PAGE;
  store_result r = STORE_OK;
  bool more = slice_cmp(range.key, range.end) < 0;
  while (more) {
    mirror_ask ask;
    range.key = buf_slice(&from);
    r = mirror_range(v->m, &range, &ask);
    if (r != STORE_OK) break;
    const remote_answer *a = ask.answer;
    if (a->count) { /* before the visitors, which may wait */
      buf_clear(&from);
      buf_append(&from, a->kvs[a->count - 1].key);
      buf_char(&from, '\0');
    }
    more = visit_page(v, a, visit, ctx);
  }
  buf_dispose(&from);
  buf_dispose(&to);
  return r;
}

store_result mirror_view_walk(store_view *base, slice start, slice end, store_visit visit,
                              void *ctx) {
  mirror_view *v = (mirror_view *)base;
  if (v->m) return walk_remote(v, start, end, visit, ctx);
  tree_walk(v->root, start, end, visit, ctx);
  return STORE_OK;
}

uint64_t mirror_view_count(store_view *base, slice start, slice end) {
  mirror_view *v = (mirror_view *)base;
  if (!v->m) {
    uint64_t below = tree_rank(v->root, start);
    uint64_t upto = end.len ? tree_rank(v->root, end) : tree_size(v->root);
    return upto > below ? upto - below : 0;
  }
  buf from, to;
  remote_range range = range_of(v, start, end, &from, &to);
  range.count_only = true;
  mirror_ask ask;
  uint64_t n = 0;
  if (slice_cmp(range.key, range.end) < 0 && mirror_range(v->m, &range, &ask) == STORE_OK) {
    n = ask.answer->total;
  }
  buf_dispose(&from);
  buf_dispose(&to);
  return n;
}
