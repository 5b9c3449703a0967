/* Writes: one guarded transaction each, and what became of it when its answer is lost.
 *
 * A guard that names a mod revision can succeed once, ever: such a write is sent again. If the
 * first attempt did happen, the second fails on the guard, and the copy's history says which
 * change used the guard up: with our bytes it was ours. Of a deletion nobody can tell whose it
 * was: that stays unknown.
 *
 * A creation's guard is the key's absence, which can be true again: sent twice it could be done
 * twice, before and after somebody's deletion. So it is looked for and never sent again, as
 * etcd's own client does not repeat what writes: what is not seen stays unknown. */
#include "store/mirror_internal.h"

#include "base/limits.h"
#include "base/mutant.h"
#include "store/entry.h"

#include <assert.h>

#define REACH_NS (2 * SECOND_NS) /* for the copy to have a write that is done */
#define KEY_ROOM ((size_t)1 << 16)
#define LEASE_ROUNDS 3
#define WORDS_MAX 512 /* kept of what the remote said */

typedef struct write_run {
  mirror *m;
  slice key; /* as here */
  remote_txn txn;
  blob *stored; /* what is put; NULL: deletes */
  int64_t revision; /* that it took */
  bool unsure; /* an attempt is out whose outcome is not known */
} write_run;

/* ---- outcomes ---- */

static bool uses_guard(const write_run *w, const history_change *c) {
  return w->txn.guard ? c->prev && c->prev->mod_revision == w->txn.guard : !c->prev;
}

static bool is_ours(const write_run *w, const history_change *c) {
  if (c->entry->version == 0) return false;
  mirror *m = w->m;
  slice problem;
  bool stale = false;
  blob *ours = m->codec.decode(m->codec.ctx, w->key, blob_slice(w->stored), c->revision, &stale,
                               &problem);
  bool same = ours && slice_eq(blob_slice(ours), blob_slice(c->entry->value));
  blob_unref(ours);
  return same;
}

/* A mod revision is used up once. "Absent" can be true again after a deletion: then it is any
 * creation that has our bytes. */
static const history_change *who_used_guard(const write_run *w) {
  const replica *r = w->m->replica;
  int64_t after = w->txn.guard ? w->txn.guard : replica_base(r);
  const history_change *c = replica_change_after(r, w->key, after);
  while (c && (!uses_guard(w, c) || (w->txn.guard == 0 && !is_ours(w, c)))) {
    c = replica_change_after(r, w->key, c->revision);
  }
  return c;
}

/* The guard failed after an attempt whose outcome was not known. */
static store_result find_out(write_run *w, store_result failed, int64_t upto) {
  store_result r = mirror_reach(w->m, upto, INT64_MAX, true);
  if (r != STORE_OK) return r == STORE_TIMEOUT ? STORE_UNKNOWN : r;
  if (w->txn.guard < replica_base(w->m->replica)) return STORE_UNKNOWN;
  const history_change *c = who_used_guard(w);
  if (!c) return STORE_UNKNOWN;
  if (w->txn.remove) return c->entry->version == 0 ? STORE_UNKNOWN : failed;
  w->m->figures.decided++;
  if (!is_ours(w, c)) return failed;
  w->revision = c->revision;
  return STORE_OK;
}

/* A creation whose outcome is not known: the key is read, and then the copy's history up to there.
 * One that is not found may still come: nobody can say that it failed. */
static store_result look_for_creation(write_run *w, slice problem) {
  mirror *m = w->m;
  char words[WORDS_MAX];
  problem = slice_upto(problem, sizeof words);
  if (problem.len) memcpy(words, problem.ptr, problem.len);
  remote_range range = {.key = w->txn.key, .keys_only = true};
  mirror_ask ask;
  store_result r = mirror_range(m, &range, &ask);
  if (r == STORE_OK) {
    const remote_answer *a = ask.answer;
    r = mirror_reach(m, a->count ? a->kvs[0].mod_revision : a->revision, INT64_MAX, !a->count);
  }
  if (r != STORE_OK) return r;
  const history_change *c = who_used_guard(w);
  if (!c) {
    mirror_set_problem(m, slice_of(words, problem.len));
    return STORE_UNKNOWN;
  }
  m->figures.decided++;
  w->revision = c->revision;
  return STORE_OK;
}

static store_result guard_failed(write_run *w, const remote_answer *a) {
  bool exists = a->count > 0;
  int64_t upto = exists ? a->kvs[0].mod_revision : a->revision;
  store_result failed = !exists ? STORE_NOT_FOUND : w->txn.guard ? STORE_CONFLICT : STORE_EXISTS;
  if (MUTANT(EXISTS_IS_CONFLICT) && failed == STORE_EXISTS) failed = STORE_CONFLICT;
  if (w->unsure) return find_out(w, failed, upto);
  /* So that who tries again, sees what was in the way. */
  store_result r = mirror_reach(w->m, upto, REACH_NS, !exists);
  return r == STORE_CANCELLED ? r : failed;
}

static bool retried(remote_result r) {
  return r == REMOTE_UNAVAILABLE || r == REMOTE_UNKNOWN || r == REMOTE_BAD_ANSWER;
}

/* One transaction to its end. NO_LEASE is the caller's. */
static store_result commit(write_run *w, bool *no_lease) {
  mirror *m = w->m;
  for (uint32_t tries = 0;; tries++) {
    mirror_ask ask;
    store_result r = mirror_ask_txn(m, &w->txn, &ask);
    if (r != STORE_OK) return r;
    const remote_answer *a = ask.answer;
    if (a->result == REMOTE_OK) {
      w->revision = a->revision;
      return STORE_OK;
    }
    if (MUTANT(REPLAY_TXN) && w->unsure && a->result == REMOTE_GUARD_FAILED && a->count) {
      w->txn.guard = a->kvs[0].mod_revision;
      continue;
    }
    if (a->result == REMOTE_GUARD_FAILED) return guard_failed(w, a);
    *no_lease = a->result == REMOTE_NO_LEASE;
    if (!retried(a->result)) {
      r = mirror_result(m, a);
      return w->unsure ? STORE_UNKNOWN : r;
    }
    bool unknown = a->result != REMOTE_UNAVAILABLE;
    if (unknown && !w->txn.guard && !MUTANT(CREATE_TWICE)) return look_for_creation(w, a->message);
    if (unknown) w->unsure = true;
    mirror_set_problem(m, a->message);
    m->figures.retries++;
    r = mirror_pause(m, mirror_backoff(m, tries));
    if (r != STORE_OK) return r;
  }
}

/* ---- leases ---- */

static store_result lease_for(mirror *m, int64_t ttl_s, int64_t *out) {
  int64_t now = m->env->mono_ns, extra = lease_extra_s(ttl_s, m->lease_reuse_s);
  bool any = MUTANT(LEASE_OF_ANY_AGE) && m->lease.id;
  if (any || lease_reuse_take(&m->lease, ttl_s, extra, now)) {
    *out = m->lease.id;
    return STORE_OK;
  }
  for (uint32_t tries = 0;; tries++) {
    mirror_ask ask;
    store_result r = mirror_ask_lease(m, MUTANT(TTL_HALF) ? ttl_s / 2 : ttl_s + extra, &ask);
    if (r != STORE_OK) return r;
    if (ask.answer->result == REMOTE_OK) {
      m->figures.leases++;
      *out = ask.answer->lease;
      lease_reuse_begin(&m->lease, *out, ttl_s + extra, now);
      return STORE_OK;
    }
    if (!retried(ask.answer->result)) return mirror_result(m, ask.answer);
    mirror_set_problem(m, ask.answer->message);
    r = mirror_pause(m, mirror_backoff(m, tries));
    if (r != STORE_OK) return r;
  }
}

static store_result commit_with_lease(write_run *w, int64_t ttl_s) {
  for (int round = 0;; round++) {
    bool no_lease = false;
    if (ttl_s > 0) {
      store_result r = lease_for(w->m, ttl_s, &w->txn.lease);
      if (r != STORE_OK) return r;
    }
    store_result r = commit(w, &no_lease);
    if (!no_lease || round == LEASE_ROUNDS) return r;
    w->m->lease.id = 0; /* somebody revoked it */
  }
}

/* ---- store.h's writes ---- */

/* The change that this write made, from the copy once it has it. */
static const history_change *change_of(const write_run *w) {
  const history_change *c = replica_change_after(w->m->replica, w->key, w->revision - 1);
  return c && c->revision == w->revision ? c : NULL;
}

static store_entry *entry_of(write_run *w) {
  const history_change *c = change_of(w);
  if (c && c->entry->version) return store_entry_ref(c->entry);
  /* The copy is late, or has begun anew behind it. */
  remote_kv kv = {.value = blob_slice(w->stored), .mod_revision = w->revision,
                  .create_revision = w->revision, .version = 1};
  store_entry *before = w->txn.guard ? tree_find(w->m->replica->root, w->key) : NULL;
  if (before) {
    kv.create_revision = before->create_revision;
    kv.version = before->version + 1;
  }
  return mirror_entry(w->m, w->key, &kv);
}

static store_result put(store *s, slice key, int64_t guard, blob *value, int64_t ttl_s,
                        store_entry **out) {
  mirror *m = mirror_of(s);
  slice problem = SLICE_NONE;
  blob *stored = m->codec.encode(m->codec.ctx, key, value, &problem);
  if (!stored) {
    mirror_set_problem(m, problem);
    return STORE_UNAVAILABLE;
  }
  if (stored->len > LIMIT_STORED_OBJECT) {
    blob_unref(stored);
    return STORE_TOO_LARGE;
  }
  buf room;
  buf_init(&room, KEY_ROOM);
  write_run w = {.m = m, .key = key, .stored = stored,
                 .txn = {.key = mirror_key_out(m, key, &room), .guard = guard,
                         .value = blob_slice(stored)}};
  store_result r = commit_with_lease(&w, ttl_s);
  if (r == STORE_OK) {
    store_result reached = mirror_reach(m, w.revision, REACH_NS, false);
    m->written = w.revision;
    if (reached == STORE_CANCELLED) r = reached;
    else if (out) *out = entry_of(&w);
  }
  buf_dispose(&room);
  blob_unref(stored);
  return r;
}

store_result mirror_create_key(store *s, slice key, blob *value, int64_t ttl_s,
                               store_entry **out) {
  return put(s, key, 0, value, ttl_s, out);
}

/* A guard of 0 would create. */
store_result mirror_update_key(store *s, slice key, int64_t expect_mod, blob *value, int64_t ttl_s,
                               store_entry **out) {
  if (expect_mod > 0) return put(s, key, expect_mod, value, ttl_s, out);
  return tree_find(mirror_of(s)->replica->root, key) ? STORE_CONFLICT : STORE_NOT_FOUND;
}

static void final_forget(mirror *m, mirror_final *f) {
  mirror_final **at = &m->finals;
  while (*at != f) at = &(*at)->next;
  *at = f->next;
}

store_result mirror_delete_key(store *s, slice key, int64_t expect_mod, blob *final,
                               store_entry **last) {
  mirror *m = mirror_of(s);
  store_entry *known = tree_find(m->replica->root, key);
  if (expect_mod <= 0) return known ? STORE_CONFLICT : STORE_NOT_FOUND;
  if (known) store_entry_ref(known);
  buf room;
  buf_init(&room, KEY_ROOM);
  mirror_final mine = {.next = m->finals, .key = key, .guard = expect_mod, .value = final};
  if (final) m->finals = &mine;
  write_run w = {.m = m, .key = key,
                 .txn = {.key = mirror_key_out(m, key, &room), .guard = expect_mod,
                         .remove = true}};
  bool no_lease = false;
  store_result r = commit(&w, &no_lease);
  if (r == STORE_OK && mirror_reach(m, w.revision, REACH_NS, false) == STORE_CANCELLED) {
    r = STORE_CANCELLED;
  }
  if (final) final_forget(m, &mine);
  m->written = w.revision;
  if (r == STORE_OK && last) {
    const history_change *c = change_of(&w);
    store_entry *e = c ? c->prev : known;
    *last = e ? store_entry_ref(e) : NULL;
  }
  if (known) store_entry_unref(known);
  buf_dispose(&room);
  return r;
}
