/* The mirror as a store: its table, its beginning and its end. */
#include "store/mirror_internal.h"

#include "base/heap.h"

#include <assert.h>

#define PROBE_AFTER_NS SECOND_NS /* of silence */
#define SILENT_NS (4 * SECOND_NS) /* no answer for so long: not ready */
#define AGE_EVERY_NS (300 * SECOND_NS)
#define PROBLEM_ROOM ((size_t)1 << 16)

/* ---- what is stored is the value ---- */

static blob *plain_encode(void *ctx, slice key, blob *value, slice *problem) {
  (void)ctx;
  (void)key;
  (void)problem;
  return blob_ref(value);
}

static blob *plain_decode(void *ctx, slice key, slice stored, int64_t mod, bool *stale,
                          slice *problem) {
  (void)stale;
  (void)ctx;
  (void)key;
  (void)mod;
  (void)problem;
  return blob_copy(stored);
}

static blob *plain_revise(void *ctx, blob *value, int64_t mod_revision) {
  (void)ctx;
  (void)mod_revision;
  return blob_ref(value);
}

static const mirror_codec plain = {NULL, plain_encode, plain_decode, plain_revise};

/* ---- beginning and end ---- */

store *mirror_create(const mirror_options *o) {
  assert(o->remote && o->env && o->timers && o->fibers);
  slice there = o->remote_prefix.len ? o->remote_prefix : o->prefix;
  assert(there.len && there.ptr[there.len - 1] == '/');
  mirror *m = heap_zalloc(sizeof *m);
  m->base.ops = &mirror_backend;
  m->remote = o->remote;
  m->env = o->env;
  m->timers = o->timers;
  m->fibers = o->fibers;
  m->codec = o->codec ? *o->codec : plain;
  m->past = o->past;
  m->compact_every_ns = o->compact_every_ns;
  m->lease_reuse_s = lease_reuse_s_of(o->lease_reuse_s);
  m->answered_ns = o->env->mono_ns;
  m->prefix_bytes = heap_alloc(o->prefix.len + there.len);
  if (o->prefix.len) memcpy(m->prefix_bytes, o->prefix.ptr, o->prefix.len);
  memcpy(m->prefix_bytes + o->prefix.len, there.ptr, there.len);
  m->prefix = slice_of(m->prefix_bytes, o->prefix.len);
  m->remote_prefix = slice_of(m->prefix_bytes + o->prefix.len, there.len);
  buf_init(&m->problem, PROBLEM_ROOM);
  m->replica = replica_create();
  mirror_feed_start(m);
  mirror_compactor_start(m);
  return &m->base;
}

void mirror_on_ready(store *s, void (*ready)(void *ctx), void *ctx) {
  mirror *m = mirror_of(s);
  assert(!m->ready);
  m->on_ready = ready;
  m->on_ready_ctx = ctx;
}

typedef struct stale_run {
  bool (*which)(void *ctx, slice key);
  void *ctx;
} stale_run;

static bool mark_stale(void *ctx, store_entry *e) {
  stale_run *r = ctx;
  if (r->which(r->ctx, store_entry_key(e))) e->stale = true;
  return true;
}

void mirror_mark_stale(store *s, bool (*which)(void *ctx, slice key), void *ctx) {
  stale_run r = {which, ctx};
  tree_walk(mirror_of(s)->replica->root, SLICE_NONE, SLICE_NONE, mark_stale, &r);
}

mirror_figures mirror_figures_read(const store *s) { return ((const mirror *)s)->figures; }

static void destroy_now(void *ctx, int64_t now_ns) {
  (void)now_ns;
  mirror *m = ctx;
  mirror_questions_end(m);
  remote_watch_close(m->remote, m->feed);
  remote_destroy(m->remote);
  replica_destroy(m->replica);
  buf_dispose(&m->problem);
  heap_free(m->prefix_bytes);
  heap_free(m);
}

/* On a fiber it may be the feed or an answer that made this fiber run, further down the stacks:
 * the memory goes when the loop has the thread again. */
static void destroy(store *s) {
  mirror *m = mirror_of(s);
  m->on_ready = NULL;
  mirror_cancel_all(m);
  timer_clear(m->timers, &m->compact_timer);
  timer_clear(m->timers, &m->progress_timer);
  if (!fiber_current(m->fibers)) destroy_now(m, 0);
  else timer_set(m->timers, &m->compact_timer, m->env->mono_ns, destroy_now, m);
}

/* ---- the table ---- */

static int64_t revision(const store *s) { return ((const mirror *)s)->replica->newest; }
static int64_t next_revision(const store *s) { return revision(s) + 1; }
static int64_t compacted(const store *s) { return replica_base(((const mirror *)s)->replica); }
static int64_t written(const store *s) { return ((const mirror *)s)->written; }
static slice problem(const store *s) { return buf_slice(&((const mirror *)s)->problem); }
static size_t overhead(const store *s) { return replica_overhead(((const mirror *)s)->replica); }

static bool is_ready(const store *s, slice *why) {
  const mirror *m = (const mirror *)s;
  bool answers = !m->probe_failed && m->env->mono_ns - m->answered_ns < SILENT_NS;
  if (m->ready && answers) return true;
  *why = m->ready ? SLICE_LIT("etcd") : SLICE_LIT("storage-readiness");
  return false;
}

static store_result watch_open(store *s, slice prefix, int64_t from, store_on_event fn, void *ctx,
                               store_watch **out) {
  mirror *m = mirror_of(s);
  assert(fn && out);
  *out = NULL;
  if (from < 0 || from < replica_base(m->replica)) return STORE_COMPACTED;
  replica_watch_open(m->replica, &mirror_backend, prefix, from, fn, ctx, out);
  return STORE_OK;
}

static void on_probed(void *ctx, const remote_answer *a) {
  mirror *m = ctx;
  m->probing = false;
  m->probe_failed = a->revision == 0;
  if (a->revision) m->answered_ns = m->env->mono_ns;
}

/* The copy's history goes by age as the remote's does by its compactor: it is at least as long as
 * the real watch cache's, and bounded where nobody compacts. */
static void age(mirror *m, int64_t mono_ns) {
  if (m->aged && mono_ns - m->age_ns < AGE_EVERY_NS) return;
  if (m->aged) replica_drop(m->replica, m->age_revision);
  m->aged = true;
  m->age_ns = mono_ns;
  m->age_revision = m->replica->newest;
}

/* Keeps an eye on a remote that nobody asks. */
static void tick(store *s, int64_t mono_ns) {
  mirror *m = mirror_of(s);
  age(m, mono_ns);
  if (m->probing || mono_ns - m->answered_ns < PROBE_AFTER_NS) return;
  remote_range range = {.key = m->remote_prefix, .count_only = true};
  m->probing = true;
  (void)remote_get_range(m->remote, &range, on_probed, m);
}

static void cancel(store *s, fiber *f) {
  (void)s;
  fiber_set_deadline(f, MIRROR_CANCELLED);
  mirror_wait *w = fiber_waits_for(f);
  if (w) mirror_wake(w, STORE_CANCELLED);
}

const store_backend mirror_backend = {
    .waits = true,
    .next_revision = next_revision,
    .revision = revision,
    .compacted = compacted,
    .problem = problem,
    .is_ready = is_ready,
    .sync = mirror_sync,
    .probe = mirror_probe,
    .wait_revision = mirror_wait_revision,
    .create = mirror_create_key,
    .update = mirror_update_key,
    .remove = mirror_delete_key,
    .written = written,
    .get = mirror_get,
    .get_fresh = mirror_get_fresh,
    .view_open = mirror_view_open,
    .view_close = mirror_view_close,
    .view_walk = mirror_view_walk,
    .view_count = mirror_view_count,
    .watch_open = watch_open,
    .watch_on_end = replica_watch_on_end,
    .watch_close = replica_watch_close,
    .compact = mirror_compact,
    .tick = tick,
    .overhead = overhead,
    .cancel = cancel,
    .destroy = destroy,
};
