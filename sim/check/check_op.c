/* A read may show any state that was current at some moment between its request and its answer; a
 * version that it names moves the lower bound. The real order of commits is known, so this is a
 * look-up and no search. */
#include "sim/check/check_op.h"

#include "sim/check/check_backends.h"
#include "sim/check/check_http.h"
#include "sim/check/check_removed.h"
#include "sim/model/json_scan.h"
#include "sim/workload/client.h"
#include "sim/world/sim_etcd.h"
#include "sim/world/store_link.h"

#include <assert.h>

typedef struct verdict { /* what is being judged */
  world *w;
  op *o;
  const call *k;
  slice body;
  int64_t low, high; /* revisions between which the answer may lie */
} verdict;

static const char *name_of(const verdict *v) { return op_rows[v->o->kind].name; }

/* Whether the key was in that state (present with that revision; 0: absent) at some revision in
 * [low, high]. */
static bool was_absent(const verdict *v) {
  const model *m = v->w->model;
  for (const commit *c = model_version(m, v->o->key, v->high); c; c = model_prev(m, c)) {
    if (c->deleted) return true;
    if (c->revision <= v->low) return false;
  }
  return true;
}

static bool was_present(const verdict *v) {
  const model *m = v->w->model;
  for (const commit *c = model_version(m, v->o->key, v->high); c; c = model_prev(m, c)) {
    if (!c->deleted) return true;
    if (c->revision <= v->low) return false;
  }
  return false;
}

/* The commit at `revision` was the key's state at some moment in [low, high]. */
static bool was_current(const verdict *v, int64_t revision) {
  const model *m = v->w->model;
  for (const commit *c = model_version(m, v->o->key, v->high); c; c = model_prev(m, c)) {
    if (c->revision == revision) return !c->deleted;
    if (c->revision <= v->low) return false;
  }
  return false;
}

static bool same_bytes(const verdict *v, const commit *c) {
  return c && slice_eq(slice_trim(v->body), c->value);
}

/* ---- writes ---- */

static bool something_happened(const verdict *v) {
  const model *m = v->w->model;
  const commit *c = model_version(m, v->o->key, v->high);
  return c && c->revision > v->low;
}

static void judge_object(verdict *v) {
  op *o = v->o;
  int64_t revision = json_revision(v->body);
  const commit *c = model_at(v->w->model, revision);
  CHECK_THAT(v->w, READS, c && (o->key == NO_KEY || c->key == o->key) && same_bytes(v, c),
             "operation %u (%s) was answered with version %lld, which is not what is stored there",
             o->id, name_of(v), (long long)revision);
}

/* A deletion that waits for a finalizer has been asked for before: nothing new to commit. */
static bool was_deleting(const verdict *v) {
  const model *m = v->w->model;
  for (const commit *c = model_version(m, v->o->key, v->high); c; c = model_prev(m, c)) {
    if (json_text_of(c->value, SLICE_LIT("\"deletionTimestamp\":\"")).len) return true;
    if (c->revision <= v->low) break;
  }
  return false;
}

static void judge_success(verdict *v) {
  op *o = v->o;
  uint8_t flags = op_rows[o->kind].flags;
  if (flags & OP_DRY) {
    SOMETIMES(v->w, DRY_RUN);
    CHECK_THAT(v->w, DRY_RUN, o->applied == 0, "operation %u was a dry run and done", o->id);
    return;
  }
  if (o->kind == OP_DELETE_COLLECTION) {
    SOMETIMES(v->w, DELETED_COLLECTION);
    return;
  }
  if (o->kind == OP_DELETE || o->kind == OP_DELETE_UID) {
    CHECK_THAT(v->w, WRITES, something_happened(v) || was_deleting(v),
               "operation %u (%s) succeeded and nothing was deleted", o->id, name_of(v));
    return;
  }
  /* of two copies, one may do that and the other write the next object of that name */
  bool removed = (o->applied == 0 || o->twice) &&
                 check_removed(v->w->model, o, v->body, v->low, v->high, v->w->arena);
  if (removed) {
    SOMETIMES(v->w, ENDED);
    return;
  }
  judge_object(v);
  int64_t revision = json_revision(v->body);
  if (o->applied == 0) {
    SOMETIMES(v->w, NOOP);
    bool may = o->kind == OP_UPDATE_SAME;
    may |= v->w->tape && !json_text_of(v->body, SLICE_LIT("\"sim/op\":\"")).ptr; /* the tape's */
    CHECK_THAT(v->w, WRITES, may, "operation %u (%s) succeeded and was not done", o->id,
               name_of(v));
    CHECK_THAT(v->w, CONSISTENT, was_current(v, revision),
               "operation %u (%s) changed nothing of version %lld, replaced before it began", o->id,
               name_of(v), (long long)revision);
    if (o->kind == OP_UPDATE_SAME) {
      CHECK_THAT(v->w, NOOP, revision == o->version,
                 "operation %u changed nothing and moved the version from %lld to %lld", o->id,
                 (long long)o->version, (long long)revision);
    }
    return;
  }
  CHECK_THAT(v->w, WRITES, o->twice || revision == o->applied_revision,
             "operation %u (%s) was done at %lld and answered with %lld", o->id, name_of(v),
             (long long)o->applied_revision, (long long)revision);
}

static void judge_conflict(verdict *v) {
  op *o = v->o;
  slice reason = json_text_of(v->body, SLICE_LIT("\"reason\":\""));
  if (slice_is(reason, "AlreadyExists")) {
    SOMETIMES(v->w, EXISTS);
    if (o->key == NO_KEY) SOMETIMES(v->w, NAME_TAKEN);
    CHECK_THAT(v->w, WRITES, o->key == NO_KEY || was_present(v),
               "operation %u (%s) met what was not there", o->id, name_of(v));
    return;
  }
  SOMETIMES(v->w, CONFLICT);
  if (o->kind == OP_APPLY) {
    SOMETIMES(v->w, APPLY_CONFLICT);
    CHECKED(v->w, MANAGED);
  }
  bool names_nothing = o->kind == OP_PATCH_MERGE || o->kind == OP_PATCH_JSON ||
                       o->kind == OP_FINALIZER || o->kind == OP_DELETE;
  CHECK_THAT(v->w, WRITES, !names_nothing, "operation %u (%s) names no version and conflicted",
             o->id, name_of(v));
  bool guarded = o->kind == OP_UPDATE || o->kind == OP_RELABEL || o->kind == OP_COUNT;
  if (!guarded || v->w->epoch) return; /* a uid of a cluster that is gone conflicts, too */
  bool all_equal = !something_happened(v) && was_current(v, o->version);
  CHECK_THAT(v->w, WRITES, !all_equal, "operation %u (%s) conflicted with nobody", o->id,
             name_of(v));
}

static void judge_write(verdict *v) {
  op *o = v->o;
  int status = v->k->in.status;
  if (status < 300) {
    judge_success(v);
    return;
  }
  if (o->kind == OP_CREATE_HUGE && memmem(v->body.ptr, v->body.len, "too large", 9)) {
    SOMETIMES(v->w, TOO_LARGE);
  }
  if (status >= 500) return; /* nobody knows */
  CHECK_THAT(v->w, WRITES, o->applied == 0 || o->twice || o->kind == OP_DELETE_COLLECTION,
             "operation %u (%s) was answered %d (%.*s) and done at revision %lld", o->id,
             name_of(v), status,
             SLICE_ARG(json_text_of(v->body, SLICE_LIT("\"message\":\""))),
             (long long)o->applied_revision);
  if (status == 409) judge_conflict(v);
  if (status == 404 && o->key != NO_KEY) {
    SOMETIMES(v->w, NOT_FOUND);
    CHECK_THAT(v->w, WRITES, was_absent(v), "operation %u (%s) did not find what was there", o->id,
               name_of(v));
  }
  if (status == 422) SOMETIMES(v->w, INVALID);
}

/* An applier owns what it applied. */
static void judge_apply(verdict *v) {
  if (v->k->in.status >= 300) return;
  slice managed = json_member(json_member(v->body, SLICE_LIT("metadata")),
                              SLICE_LIT("managedFields"));
  bool owns = memmem(managed.ptr, managed.len, "\"operation\":\"Apply\"", 19) &&
              memmem(managed.ptr, managed.len, "\"f:sim/op\":{}", 13);
  CHECK_THAT(v->w, MANAGED, owns, "operation %u applied an annotation that nobody owns", v->o->id);
}

/* ---- reads ---- */

static void judge_get(verdict *v) {
  op *o = v->o;
  int status = v->k->in.status;
  if (status == 404) {
    SOMETIMES(v->w, NOT_FOUND);
    CHECK_THAT(v->w, CONSISTENT, was_absent(v),
               "operation %u (%s): 404 for what was there from %lld to %lld", o->id, name_of(v),
               (long long)v->low, (long long)v->high);
    return;
  }
  if (status == 504) SOMETIMES(v->w, TOO_LARGE_VERSION);
  if (status != 200) return;
  if (o->kind == OP_GET_PROTOBUF) {
    check_protobuf(v->w, o, v->k);
    return;
  }
  judge_object(v);
  int64_t revision = json_revision(v->body);
  if (o->kind == OP_GET_ANY && revision < model_version(v->w->model, o->key, v->high)->revision) {
    SOMETIMES(v->w, STALE_READ);
  }
  bool ok = was_current(v, revision);
  if (o->kind == OP_GET_MIN) {
    CHECK_THAT(v->w, VERSION, ok, "operation %u asked for version %lld or newer and got %lld, "
               "replaced before that", o->id, (long long)o->version, (long long)revision);
  } else {
    CHECK_THAT(v->w, CONSISTENT, ok,
               "operation %u (%s) began at revision %lld, ended at %lld and got the state of %lld",
               o->id, name_of(v), (long long)v->low, (long long)v->high, (long long)revision);
  }
}

static void judge_gone(verdict *v) {
  op *o = v->o;
  SOMETIMES(v->w, GONE_LIST);
  bool may = o->kind == OP_LIST_EXACT && o->version < store_link_compacted(v->k->server);
  if (v->k->server->life != v->k->server_life) may = true;
  int64_t etcd = sim_etcd_compacted(v->w);
  if (etcd > v->k->store_compacted || o->version < etcd) may = true; /* gone there, or just now */
  CHECK_THAT(v->w, WINDOW, may, "operation %u (%s): 410 for version %lld, %lld is kept", o->id,
             name_of(v), (long long)o->version,
             (long long)store_link_compacted(v->k->server));
}

static void judge_list(verdict *v) {
  op *o = v->o;
  int status = v->k->in.status;
  if (status == 410) judge_gone(v);
  if (status == 504) SOMETIMES(v->w, TOO_LARGE_VERSION);
  if (status != 200) return;
  int64_t revision = check_list(v->w, &o->filter, v->body, 0, NULL);
  if (revision < 0) return;
  if (o->kind == OP_LIST_EXACT) {
    CHECK_THAT(v->w, VERSION, revision == o->version, "operation %u asked for exactly %lld and got "
               "%lld", o->id, (long long)o->version, (long long)revision);
    CHECK_THAT(v->w, WINDOW, o->version >= v->k->compacted || v->w->draw->etcd_model,
               "operation %u got version %lld, %lld was dropped before", o->id,
               (long long)o->version, (long long)v->k->compacted);
    return;
  }
  if (o->kind == OP_LIST_FUTURE && status == 200) SOMETIMES(v->w, WAITED);
  bool named = o->kind == OP_LIST_MIN || o->kind == OP_LIST_FUTURE;
  if (named) {
    CHECK_THAT(v->w, VERSION, revision >= o->version && revision <= v->high,
               "operation %u asked for %lld or newer and got %lld", o->id, (long long)o->version,
               (long long)revision);
  } else {
    CHECK_THAT(v->w, CONSISTENT, revision >= v->low && revision <= v->high,
               "operation %u (%s) began at revision %lld, ended at %lld and listed %lld", o->id,
               name_of(v), (long long)v->low, (long long)v->high, (long long)revision);
  }
}

static int64_t low_of(const op *o) {
  switch (o->kind) {
    case OP_GET_ANY:
    case OP_LIST_ANY: return 0;
    case OP_GET_MIN:
    case OP_LIST_MIN:
    case OP_LIST_EXACT:
    case OP_LIST_FUTURE: return o->version;
    default: return o->begin;
  }
}

/* A key that exists for no reason but the counter's: how far it may be. */
static void count_increment(verdict *v) {
  world *w = v->w;
  op *o = v->o;
  if (o->kind != OP_COUNT) return;
  if (v->k->how == CALL_ANSWERED && v->k->in.status == 200) w->shared.increments_acked++;
  else if (v->k->twice || !call_surely_undone(v->k)) w->shared.increments_unknown++;
}

void check_op(world *w, op *o, const call *k) {
  verdict v = {.w = w, .o = o, .k = k, .low = low_of(o), .high = o->end};
  count_increment(&v);
  if (k->how != CALL_ANSWERED) return;
  if (k->epoch != w->epoch) return;
  if (k->replaced || k->server->life != k->server_life) return;
  v.body = call_body(k);
  answers_add(w, o, k);
  if (k->in.status == 429) SOMETIMES(w, THROTTLED);
  world_line(w, o->by->who, EV_ANSWER, actor_of_server(k->server), o->id, k->in.status,
             op_rows[o->kind].flags & OP_LISTS ? -1 : json_revision(v.body),
             slice_cstr(op_rows[o->kind].name));
  if (o->kind == OP_BAD) {
    CHECK_THAT(w, HTTP, k->in.status >= 400 && k->in.status < 500,
               "a bad request was answered %d", k->in.status);
  } else if (op_rows[o->kind].flags & OP_WRITES) {
    judge_write(&v);
    if (o->kind == OP_APPLY) judge_apply(&v);
    if (o->kind == OP_CREATE_GENERATED && k->in.status == 201) SOMETIMES(w, GENERATED);
  } else if (op_rows[o->kind].flags & OP_LISTS) {
    judge_list(&v);
  } else {
    judge_get(&v);
  }
}
