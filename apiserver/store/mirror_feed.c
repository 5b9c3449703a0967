/* The feed: one fiber that makes the copy (a list of the prefix at one revision), keeps it with a
 * watch from there, and begins again where that ends.
 *
 * What keeps it honest: revisions only rise; a key's version and creation follow from the entry
 * that the copy has of it. What does not follow means that something was missed: the copy is made
 * anew. Changes at or below the copy's revision are repeats and dropped. */
#include "store/mirror_internal.h"

#include "base/heap.h"
#include "base/mutant.h"
#include "store/entry.h"

#include <assert.h>
#include <stdio.h>

#define PAGE 1000
#define PROGRESS_EVERY_NS (100 * MILLI_NS)
#define KEY_ROOM ((size_t)1 << 16)

/* ---- keys ---- */

static slice translate(slice key, slice from, slice to, buf *room) {
  if (slice_eq(from, to)) return key;
  assert(slice_has_prefix(key, from));
  buf_clear(room);
  buf_append(room, to);
  buf_append(room, slice_from(key, from.len));
  return buf_slice(room);
}

slice mirror_key_out(const mirror *m, slice key, buf *room) {
  return translate(key, m->prefix, m->remote_prefix, room);
}

slice mirror_key_in(const mirror *m, slice key, buf *room) {
  return translate(key, m->remote_prefix, m->prefix, room);
}

/* The prefix ends with '/', and '0' is the next byte. */
slice mirror_remote_end(const mirror *m, buf *room) {
  buf_clear(room);
  buf_append(room, slice_upto(m->remote_prefix, m->remote_prefix.len - 1));
  buf_char(room, '0');
  return buf_slice(room);
}

static void say(mirror *m, int level, const char *what, slice detail) {
  char line[512];
  int n = snprintf(line, sizeof line, "store: %s%s%.*s", what, detail.len ? ": " : "",
                   (int)(detail.len < 300 ? detail.len : 300), detail.len ? detail.ptr : "");
  if (m->env->log) m->env->log(m->env, level, slice_of(line, (size_t)n));
}

/* ---- entries ---- */

store_entry *mirror_entry(mirror *m, slice key, const remote_kv *kv) {
  slice problem = SLICE_NONE;
  bool stale = false;
  blob *value = m->codec.decode(m->codec.ctx, key, kv->value, kv->mod_revision, &stale, &problem);
  if (!value) {
    say(m, ENV_ERROR, "an object can't be read", problem);
    value = blob_alloc(problem.len + 1);
    value->data[0] = '\0';
    if (problem.len) memcpy(value->data + 1, problem.ptr, problem.len);
  }
  store_entry *e = store_entry_create(key, value);
  blob_unref(value);
  e->mod_revision = kv->mod_revision;
  e->create_revision = kv->create_revision;
  e->version = kv->version;
  e->stale = stale;
  return e;
}

static blob *final_value(mirror *m, const store_entry *prev) {
  for (mirror_final *f = m->finals; f; f = f->next) {
    if (f->guard == prev->mod_revision && slice_eq(f->key, store_entry_key(prev))) return f->value;
  }
  return prev->value;
}

static store_entry *tombstone(mirror *m, slice key, const store_entry *prev, int64_t revision) {
  bool damaged = store_entry_damage(prev).ptr != NULL;
  blob *value = damaged ? blob_ref(prev->value)
                        : m->codec.revise(m->codec.ctx, final_value(m, prev), revision);
  store_entry *e = store_entry_create(key, value);
  blob_unref(value);
  e->mod_revision = revision;
  e->create_revision = prev->create_revision;
  return e;
}

/* ---- making the copy ---- */

static store_result current_revision(mirror *m, int64_t *out) {
  remote_range range = {.key = m->remote_prefix, .count_only = true};
  mirror_ask ask;
  store_result r = mirror_range(m, &range, &ask);
  if (r == STORE_OK) *out = ask.answer->revision;
  return r;
}

static store_result list_pages(mirror *m, int64_t revision, tree_node **root) {
  buf end, key, start;
  buf_init(&end, KEY_ROOM);
  buf_init(&key, KEY_ROOM);
  buf_init(&start, KEY_ROOM);
  remote_range range = {.end = mirror_remote_end(m, &end), .revision = revision, .limit = PAGE};
  buf_append(&start, m->remote_prefix);
  store_result r;
  bool more;
  do {
    mirror_ask ask;
    range.key = buf_slice(&start);
    r = mirror_range(m, &range, &ask);
    if (r != STORE_OK) break;
    const remote_answer *a = ask.answer;
    for (uint32_t i = 0; i < a->count; i++) {
      store_entry *e = mirror_entry(m, mirror_key_in(m, a->kvs[i].key, &key), a->kvs + i);
      store_entry *old = tree_put(replica_heap(m->replica), root, e);
      if (old) store_entry_unref(old); /* a page that begins before the last one's end */
      store_entry_unref(e);
    }
    more = a->more && a->count > 0;
    if (more) {
      buf_clear(&start);
      buf_append(&start, a->kvs[a->count - 1].key);
      buf_char(&start, '\0');
    }
  } while (more);
  buf_dispose(&end);
  buf_dispose(&key);
  buf_dispose(&start);
  return r;
}

typedef struct probe {
  mirror_wait wait;
  int64_t compacted;
} probe;

static void on_probe(void *ctx, const remote_watch_event *ev) {
  probe *p = ctx;
  if (ev->kind == REMOTE_WATCH_COMPACTED) p->compacted = ev->revision;
  mirror_wake(&p->wait, ev->kind == REMOTE_WATCH_COMPACTED ? STORE_OK : STORE_UNAVAILABLE);
}

/* A watch from a compacted revision is told which is the oldest kept. */
static int64_t oldest_kept(mirror *m, int64_t wanted) {
  buf end;
  buf_init(&end, KEY_ROOM);
  probe p = {.wait.m = m};
  remote_watch *w = remote_watch_open(m->remote, m->remote_prefix, mirror_remote_end(m, &end),
                                      wanted, on_probe, &p);
  store_result r = mirror_wait_until(m, &p.wait, m->env->mono_ns + SECOND_NS);
  if (r != STORE_OK) remote_watch_close(m->remote, w);
  buf_dispose(&end);
  return r == STORE_OK ? p.compacted : 0;
}

/* Where the copy begins: so far back as history is wanted and there, or now. */
static store_result make_copy(mirror *m) {
  int64_t now = 0;
  store_result r = current_revision(m, &now);
  if (r != STORE_OK) return r;
  m->known = now; /* also where it went back: a restored backup */
  remote_status status;
  remote_status_read(m->remote, &status);
  bool first = m->figures.lists == 0;
  int64_t at = now;
  if (first && m->past && status.progress) at = now > m->past ? now - m->past : 1;
  tree_node *root = NULL;
  m->figures.lists++;
  r = list_pages(m, at, &root);
  if (r == STORE_COMPACTED && at < now) {
    tree_unref(replica_heap(m->replica), root);
    root = NULL;
    int64_t oldest = oldest_kept(m, at);
    at = oldest > at && oldest < now ? oldest : now;
    r = list_pages(m, at, &root);
  }
  if (r != STORE_OK) {
    tree_unref(replica_heap(m->replica), root);
    return r;
  }
  replica_replace(m->replica, root, at);
  return STORE_OK;
}

/* ---- keeping it ---- */

/* Whether a change follows from what the copy has of the key. */
static bool follows(const remote_change *c, const store_entry *prev) {
  if (c->deleted) return prev != NULL;
  if (!prev) return c->kv.version == 1 && c->kv.create_revision == c->kv.mod_revision;
  return c->kv.version == prev->version + 1 && c->kv.create_revision == prev->create_revision;
}

/* False: it can't be; the copy is behind in a way that the watch does not mend. */
static bool stage_change(mirror *m, const remote_change *c, int64_t *staged, buf *room) {
  replica *r = m->replica;
  int64_t revision = c->kv.mod_revision;
  if (revision <= r->newest) return true; /* a repeat */
  if (revision < *staged || !slice_has_prefix(c->kv.key, m->remote_prefix)) return false;
  if (revision > *staged && *staged > r->newest) replica_publish(r, *staged);
  *staged = revision;
  slice key = mirror_key_in(m, c->kv.key, room);
  const store_entry *prev = tree_find(r->root, key);
  if (!follows(c, prev)) return false;
  if (MUTANT(CACHE_SKIPS) && !prev && c->kv.version == 1 && revision % 8 == 0) return true;
  replica_stage(r, revision,
                c->deleted ? tombstone(m, key, prev, revision) : mirror_entry(m, key, &c->kv));
  return true;
}

static void take_changes(mirror *m, const remote_watch_event *ev) {
  buf room;
  buf_init(&room, KEY_ROOM);
  int64_t staged = m->replica->newest;
  for (uint32_t i = 0; i < ev->count && !m->suspect; i++) {
    if (stage_change(m, ev->changes + i, &staged, &room)) continue;
    say(m, ENV_ERROR, "the watch skipped changes; reading everything again", SLICE_NONE);
    m->suspect = true;
  }
  if (staged > m->replica->newest) replica_publish(m->replica, staged);
  buf_dispose(&room);
}

void mirror_feed_restart(mirror *m) {
  remote_watch_close(m->remote, m->feed);
  m->feed = NULL;
  if (m->feed_wait) mirror_wake(m->feed_wait, STORE_OK);
}

static void on_event(void *ctx, const remote_watch_event *ev) {
  mirror *m = ctx;
  switch (ev->kind) {
    case REMOTE_EVENTS:
    case REMOTE_PROGRESS:
      m->answered_ns = m->env->mono_ns;
      m->probe_failed = false;
      if (ev->revision > m->known) m->known = ev->revision;
      if (ev->kind == REMOTE_EVENTS) take_changes(m, ev);
      else replica_publish(m->replica, ev->revision);
      if (m->suspect) mirror_feed_restart(m);
      else mirror_wake_reached(m);
      return;
    case REMOTE_WATCH_COMPACTED:
    case REMOTE_WATCH_BROKEN:
      m->feed_compacted = ev->kind == REMOTE_WATCH_COMPACTED ? ev->revision : 0;
      m->feed = NULL;
      if (m->feed_wait) mirror_wake(m->feed_wait, STORE_OK);
      return;
  }
}

/* Reads on from the copy's revision until the watch ends. */
static store_result follow(mirror *m) {
  buf end;
  buf_init(&end, KEY_ROOM);
  m->feed_compacted = 0;
  m->figures.watches++;
  m->feed = remote_watch_open(m->remote, m->remote_prefix, mirror_remote_end(m, &end),
                              m->replica->newest + 1, on_event, m);
  buf_dispose(&end);
  mirror_wait w = {.m = m};
  m->feed_wait = &w;
  store_result r = mirror_wait_until(m, &w, INT64_MAX);
  m->feed_wait = NULL;
  return r;
}

static void ready_main(void *ctx) {
  mirror *m = ctx;
  void (*ready)(void *) = m->on_ready;
  m->on_ready = NULL;
  if (ready) ready(m->on_ready_ctx);
}

/* The copy is complete when it has what was there when it was begun. */
static void ready_after(void *ctx) {
  mirror *m = ctx;
  int64_t now = m->known;
  store_result r = mirror_reach(m, now, INT64_MAX, true);
  if (r != STORE_OK || m->closing) return;
  m->ready = true;
  say(m, ENV_INFO, "the copy is complete", SLICE_NONE);
  mirror_wake_reached(m);
  if (m->on_ready && !m->closing) fiber_run(m->fibers, ready_main, m);
}

static void feed_main(void *ctx) {
  mirror *m = ctx;
  uint32_t tries = 0;
  for (;;) {
    bool again = m->figures.lists == 0 || m->suspect || m->feed_compacted;
    if (again) {
      m->ready = false;
      store_result r = make_copy(m);
      if (r == STORE_CANCELLED) return;
      if (r == STORE_OK) {
        m->suspect = false;
        m->feed_compacted = 0;
        fiber_run(m->fibers, ready_after, m);
      } else {
        say(m, ENV_WARN, "reading everything failed", buf_slice(&m->problem));
      }
      if (r != STORE_OK && mirror_pause(m, mirror_backoff(m, tries++)) != STORE_OK) return;
      if (r != STORE_OK) {
        m->suspect = true;
        continue;
      }
    }
    int64_t before = m->replica->newest;
    if (follow(m) != STORE_OK) return;
    tries = m->replica->newest > before ? 0 : tries + 1;
    if (mirror_pause(m, mirror_backoff(m, tries)) != STORE_OK) return;
  }
}

void mirror_feed_start(mirror *m) { fiber_run(m->fibers, feed_main, m); }

/* ---- waiting for it ---- */

void mirror_wake_reached(mirror *m) {
  for (;;) {
    mirror_wait *w = m->waits;
    while (w && !(w->waiting && w->revision && w->revision <= m->replica->newest)) w = w->next;
    if (!w) return;
    mirror_wake(w, STORE_OK);
  }
}

static void on_progress_timer(void *ctx, int64_t now_ns) {
  mirror *m = ctx;
  if (!m->syncs || m->closing) return;
  remote_status status;
  remote_status_read(m->remote, &status);
  if (m->feed && status.progress) remote_watch_progress(m->remote, m->feed);
  timer_set(m->timers, &m->progress_timer, now_ns + PROGRESS_EVERY_NS, on_progress_timer, m);
}

static void want_progress(mirror *m) {
  if (!timer_is_set(&m->progress_timer)) on_progress_timer(m, m->env->mono_ns);
}

store_result mirror_reach(mirror *m, int64_t revision, int64_t for_ns, bool foreign) {
  if (revision <= m->replica->newest && m->figures.lists) return STORE_OK;
  mirror_wait w = {.m = m, .revision = revision};
  int64_t now = m->env->mono_ns;
  if (foreign) {
    m->syncs++;
    want_progress(m);
  }
  store_result r = mirror_wait_until(m, &w, for_ns < INT64_MAX - now ? now + for_ns : INT64_MAX);
  if (foreign) m->syncs--;
  return r;
}
