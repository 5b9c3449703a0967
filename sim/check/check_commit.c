/* Commits are seen in the turn that makes them, before anybody else hears of them. */
#include "sim/check/check_commit.h"

#include "sim/check/check_actors.h"
#include "sim/model/json_scan.h"
#include "sim/workload/client.h"
#include "sim/workload/op.h"
#include "sim/workload/player.h"
#include "sim/workload/writer.h"

/* The members that are looked at; empty: not there. */
typedef struct shape {
  slice meta, spec;
  slice uid, created, deleting, grace, annotations, finalizers;
} shape;

static shape shape_of(slice object) {
  const slice top[] = {SLICE_LIT("metadata"), SLICE_LIT("spec")};
  const slice within[] = {SLICE_LIT("uid"), SLICE_LIT("creationTimestamp"),
                          SLICE_LIT("deletionTimestamp"), SLICE_LIT("deletionGracePeriodSeconds"),
                          SLICE_LIT("annotations"), SLICE_LIT("finalizers")};
  slice t[2], m[6];
  json_members(object, top, t, 2, SLICE_LIT("status"));
  json_members(t[0], within, m, 6, SLICE_LIT("managedFields"));
  return (shape){t[0], t[1], m[0], m[1], m[2], m[3], m[4], m[5]};
}

static bool covers(const world *w, const op *o, const commit *c) {
  if (o->key == c->key) return true;
  if (o->kind != OP_DELETE_COLLECTION) return false;
  view_filter scope = o->filter;
  scope.tier = 0; /* it lists, then deletes by name: the label may have changed in between */
  return model_selects(w->model, &scope, c);
}

#define BIT(kind) ((uint64_t)1 << (kind))
#define REMOVERS (BIT(OP_DELETE) | BIT(OP_DELETE_UID) | BIT(OP_DELETE_COLLECTION))
#define EMPTIERS                                                                             \
  (BIT(OP_FINALIZER) | BIT(OP_UPDATE) | BIT(OP_UPDATE_BLIND) | BIT(OP_UPDATE_SAME) |           \
   BIT(OP_RELABEL) | BIT(OP_APPLY) | BIT(OP_PATCH_MERGE) | BIT(OP_PATCH_JSON))

/* An operation of one of the kinds that is under way on this key, or that nobody waits for any
 * more and that may still happen. */
static op *explanation(world *w, const commit *c, uint64_t kinds) {
  for (uint32_t i = 0; i < w->client_count; i++) {
    if (w->clients[i]->row != &writer_row) continue;
    op *o = ((writer *)w->clients[i])->op;
    if (o && kinds & BIT(o->kind) && covers(w, o, c)) return o;
  }
  for (op *o = w->unknown_ops; o; o = o->next_unknown) {
    if (kinds & BIT(o->kind) && covers(w, o, c)) return o;
  }
  return NULL;
}

static uint32_t mark_of(slice value) {
  long long n;
  slice text = json_text_of(value, SLICE_LIT("\"sim/op\":\""));
  return slice_to_i64(text, &n) && n >= 0 && n < NO_OP ? (uint32_t)n : NO_OP;
}

/* The commit carries a new mark: that operation did it, once, while it could. */
static void check_marked(world *w, const commit *c, const commit *prev, uint32_t mark) {
  if (mark >= w->op_count) {
    check_fail(w, CHECK_WRITES, "revision %lld carries the mark %u that nobody set",
               (long long)c->revision, mark);
    return;
  }
  op *o = w->ops[mark];
  uint8_t flags = op_rows[o->kind].flags;
  bool exists = prev && !prev->deleted;
  CHECK_THAT(w, DRY_RUN, !(flags & OP_DRY), "operation %u (%s) was a dry run, and revision %lld is"
             " its", mark, op_rows[o->kind].name, (long long)c->revision);
  CHECK_THAT(w, WRITES, o->kind != OP_CREATE_HUGE,
             "operation %u is too large for the store, and revision %lld is its", mark,
             (long long)c->revision);
  CHECK_THAT(w, WRITES, o->state == OP_OPEN || o->on_its_way,
             "operation %u (%s) was over when revision %lld appeared", mark,
             op_rows[o->kind].name, (long long)c->revision);
  if (o->twice) CHECKED(w, REPLAYS);
  CHECK_THAT(w, WRITES, o->applied < (o->twice ? 2u : 1u),
             "operation %u (%s) was done again by revision %lld (first by %lld)", mark,
             op_rows[o->kind].name, (long long)c->revision, (long long)o->applied_revision);
  bool creates = o->kind == OP_CREATE || o->kind == OP_CREATE_GENERATED;
  CHECK_THAT(w, WRITES, !creates || !exists, "operation %u created what existed, at %lld", mark,
             (long long)c->revision);
  bool guarded = (o->kind == OP_UPDATE || o->kind == OP_RELABEL || o->kind == OP_COUNT);
  CHECK_THAT(w, WRITES, !guarded || (exists && prev->revision == o->version),
             "operation %u (%s) expected version %lld and revision %lld replaced %lld", mark,
             op_rows[o->kind].name, (long long)o->version, (long long)c->revision,
             prev ? (long long)prev->revision : 0);
  o->applied++;
  o->applied_revision = c->revision;
  if (o->on_its_way && o->applied >= (o->twice ? 2u : 1u)) o->on_its_way = false;
}

/* Electors and controllers have names of their own, which the writers leave alone; so has the
 * server's identity lease. */
static bool is_of_others(const world *w, const commit *c) {
  slice name = w->model->keys[c->key].name;
  return name.len > 1 && !slice_is(name, "counter") && !slice_has_prefix(name, SLICE_LIT("g-"));
}

static bool has_finalizers(const shape *s) { return s->finalizers.len > 2; }

/* A deletion that was begun and not finished (its server died between the two steps, or lost the
 * store): nothing holds the object any more, and any update of it is its end. */
static bool is_ripe(const commit *c, const shape *was) {
  return c->deleted && was->deleting.len > 0 && !has_finalizers(was) && slice_is(was->grace, "0");
}

/* No new mark: a deletion, or the first step of one. */
static void check_unmarked(world *w, const commit *c, const shape *was, bool emptied) {
  op *again = c->op < w->op_count ? w->ops[c->op] : NULL;
  if (again && again->twice && again->key == c->key && again->applied == 1) {
    CHECKED(w, REPLAYS); /* the same bytes over what they made: only who owns what may change */
    again->applied++;
    again->applied_revision = c->revision;
    return;
  }
  if (player_may_write(w)) return; /* the tape's requests are not taken apart */
  uint64_t kinds = emptied ? EMPTIERS : is_ripe(c, was) ? EMPTIERS | REMOVERS : REMOVERS;
  CHECK_THAT(w, WRITES, explanation(w, c, kinds) != NULL,
             "nobody asked for revision %lld, %s of %.*s",
             (long long)c->revision, c->deleted ? "the deletion" : "a change",
             SLICE_ARG(w->model->keys[c->key].text));
}

static void check_meta(world *w, const commit *c, const shape *now, const shape *was) {
  const kind_row *k = &kind_rows[w->model->keys[c->key].kind];
  CHECK_THAT(w, META, slice_eq(now->uid, was->uid), "revision %lld changed the uid",
             (long long)c->revision);
  CHECK_THAT(w, META, slice_eq(now->created, was->created),
             "revision %lld changed the creation time", (long long)c->revision);
  int64_t a = json_number_of(now->meta, SLICE_LIT("\"generation\":"));
  int64_t b = json_number_of(was->meta, SLICE_LIT("\"generation\":"));
  bool spec = !slice_eq(now->spec, was->spec) ||
              (k->by_annotations && !slice_eq(now->annotations, was->annotations));
  CHECK_THAT(w, META, a >= b, "revision %lld lowered the generation", (long long)c->revision);
  bool marked = was->deleting.len == 0 && now->deleting.len > 0;
  if (!k->generation || marked) return;
  if (player_may_write(w)) return; /* a binding changes the spec and no generation */
  CHECK_THAT(w, META, (a > b) == spec, "revision %lld: generation %lld after %lld, spec %s",
             (long long)c->revision, (long long)a, (long long)b, spec ? "changed" : "the same");
}

/* What a finalizer holds goes only by an update that empties the list while it is being deleted;
 * that event shows the state before it. */
static bool emptied_by_update(world *w, const commit *c, const shape *was) {
  if (!c->deleted || !has_finalizers(was)) return false;
  bool asked = explanation(w, c, EMPTIERS) || player_may_write(w);
  CHECK_THAT(w, FINALIZERS, was->deleting.len > 0 && asked,
             "revision %lld deleted what a finalizer held", (long long)c->revision);
  return true;
}

static void check_still_deleting(world *w, const commit *c, const shape *now, const shape *was) {
  if (was->deleting.len == 0) return;
  CHECK_THAT(w, FINALIZERS, now->deleting.len > 0, "revision %lld took the deletion back",
             (long long)c->revision);
  SOMETIMES(w, FINALIZER);
}

/* Equal but for the version: no write at all. */
static void check_noop(world *w, const commit *c, const commit *prev) {
  slice a = c->value, b = prev->value;
  slice va = json_text_of(a, SLICE_LIT("\"resourceVersion\":\""));
  slice vb = json_text_of(b, SLICE_LIT("\"resourceVersion\":\""));
  size_t at = (size_t)(va.ptr - a.ptr);
  bool same = at == (size_t)(vb.ptr - b.ptr) && memcmp(a.ptr, b.ptr, at) == 0 &&
              slice_eq(slice_from(a, at + va.len), slice_from(b, at + vb.len));
  CHECK_THAT(w, NOOP, !same, "revision %lld changes nothing of %.*s", (long long)c->revision,
             SLICE_ARG(w->model->keys[c->key].text));
}

static void judge(world *w, const commit *c) {
  const commit *prev = model_prev(w->model, c);
  uint32_t mark = c->deleted ? NO_OP : mark_of(c->value);
  bool exists = prev && !prev->deleted;
  bool fresh = mark != NO_OP && (!exists || mark != mark_of(prev->value));
  CHECK_THAT(w, REVISION, json_revision(c->value) == c->revision,
             "the object at revision %lld says %lld", (long long)c->revision,
             (long long)json_revision(c->value));
  CHECK_THAT(w, WRITES, !c->deleted || exists, "revision %lld deletes what was not there",
             (long long)c->revision);
  if (w->booting) return;
  check_actor_commit(w, c);
  shape was = exists ? shape_of(prev->value) : (shape){0};
  bool emptied = exists && emptied_by_update(w, c, &was);
  if (exists && !c->deleted) {
    shape now = shape_of(c->value);
    check_meta(w, c, &now, &was);
    check_still_deleting(w, c, &now, &was);
    check_noop(w, c, prev);
  }
  if (is_of_others(w, c)) return;
  if (fresh) check_marked(w, c, prev, mark);
  else check_unmarked(w, c, &was, emptied);
}

/* Events that hang on one lease go in one revision. */
static bool goes_too(const world *w, const commit_seen *seen) {
  const model *m = w->model;
  if (!seen->deleted || seen->revision != model_revision(m) || m->count == 0) return false;
  const commit *last = &m->commits[m->count - 1];
  return last->deleted && last->key != NO_KEY && m->keys[last->key].kind == KIND_EVENTS &&
         slice_has_prefix(seen->key, slice_cstr(kind_rows[KIND_EVENTS].prefix));
}

void check_commit(world *w, const commit_seen *seen) {
  bool too = goes_too(w, seen);
  int64_t expected = model_revision(w->model) + !too;
  if (!CHECK_THAT(w, REVISION, seen->revision == expected,
                  "revision %lld came, %lld was next", (long long)seen->revision,
                  (long long)expected)) {
    return;
  }
  const kind_row *k = kind_of_key(seen->key, w->draw->kinds | KINDS_ALWAYS);
  uint32_t key = NO_KEY;
  if (k) key = model_key_id(w->model, seen->key, kind_index(k) << 1 | k->namespaced, true);
  uint32_t mark = key != NO_KEY && !seen->deleted ? mark_of(seen->value) : NO_OP;
  const commit *c = too ? model_commit_too(w->model, key, true, seen->value, mark)
                        : model_commit(w->model, key, seen->deleted, seen->value, mark);
  if (w->booting) {
    w->settled_revision = seen->revision;
    return;
  }
  world_line(w, THE_STORE, EV_COMMIT, NOBODY, seen->revision, mark == NO_OP ? -1 : (int64_t)mark,
             seen->deleted, seen->key);
  transcript_bytes(&w->log, seen->value);
  if (!w->draw->etcd_model) w->settled_revision = seen->revision;
  if (k && kind_index(k) == KIND_EVENTS) check_ttl_commit(w, c);
  if (c->key != NO_KEY && !w->foreign) judge(w, c);
}
