/* Two worlds inside of this one, which stands still meanwhile. */
#include "sim/check/check_backends.h"

#include "sim/workload/client.h"

#define OPERATIONS 60
#define UID_LEN 36

/* ---- what is remembered ---- */

/* 8-4-4-4-12 hexadecimal digits. */
static bool is_uid(const char *p) {
  for (int i = 0; i < UID_LEN; i++) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    bool digit = (p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f');
    if (dash ? p[i] != '-' : !digit) return false;
  }
  return true;
}

static uint32_t uid_number(answers *a, slice uid) {
  for (uint32_t i = 0; i < a->uid_count; i++) {
    if (slice_eq(a->uids[i], uid)) return i;
  }
  a->uids = arena_more(a->arena, a->uids, a->uid_count, &a->uid_cap, sizeof *a->uids);
  a->uids[a->uid_count] = arena_copy(a->arena, uid);
  return a->uid_count++;
}

/* A uid becomes "uid-NUMBER", padded to its length. */
static slice without_uids(answers *a, slice body) {
  char *text = arena_alloc(a->arena, body.len + 1);
  memcpy(text, body.ptr, body.len);
  text[body.len] = '\0';
  for (size_t i = 0; i + UID_LEN <= body.len; i++) {
    if (!is_uid(text + i)) continue;
    char name[UID_LEN + 1];
    uint32_t number = uid_number(a, slice_of(text + i, UID_LEN));
    int n = snprintf(name, sizeof name, "uid-%u", number);
    memset(text + i, '.', UID_LEN);
    memcpy(text + i, name, (size_t)n);
    i += UID_LEN - 1;
  }
  return slice_of(text, body.len);
}

/* The first content's versions are left out: the embedded store made it in the order of its making,
 * the etcd model in the order of keys. */
static slice without_first_versions(answers *a, slice body) {
  slice mark = SLICE_LIT("\"resourceVersion\":\"");
  char *out = arena_alloc(a->arena, body.len + 1);
  size_t n = 0;
  for (ptrdiff_t at; (at = slice_find(body, mark)) >= 0;) {
    size_t head = (size_t)at + mark.len;
    memcpy(out + n, body.ptr, head);
    n += head;
    body = slice_from(body, head);
    size_t digits = 0;
    int64_t version = 0;
    for (; digits < body.len && digits < 18 && body.ptr[digits] >= '0' && body.ptr[digits] <= '9';
         digits++) {
      version = version * 10 + (body.ptr[digits] - '0');
    }
    if (version <= a->base) body = slice_from(body, digits);
  }
  memcpy(out + n, body.ptr, body.len);
  return slice_of(out, n + body.len);
}

void answers_begin(world *w) {
  if (w->answers && !w->answers->base) w->answers->base = model_revision(w->model);
}

int64_t answers_back(const world *w, int64_t back) {
  int64_t most = w->answers ? model_revision(w->model) - w->answers->base : back;
  return back < most ? back : most;
}

void answers_add(world *w, const op *o, const call *k) {
  answers *a = w->answers;
  if (!a) return;
  a->all = arena_more(a->arena, a->all, a->count, &a->cap, sizeof *a->all);
  slice body = without_first_versions(a, without_uids(a, slice_trim(call_body(k))));
  a->all[a->count++] = (answer){.op = o->id, .kind = o->kind, .status = k->in.status,
                                .body = body};
}

/* ---- the two runs ---- */

static draw half_draw(const draw *of, bool etcd, int64_t first_revision) {
  draw d = *of;
  d.etcd_model = etcd;
  d.servers = d.writers = 1;
  d.kinds &= ~((uint32_t)1 << KIND_LEASES); /* a server's own lease tells its process apart */
  if (!d.kinds) d.kinds = (uint32_t)1 << KIND_CONFIGMAPS;
  d.informers = d.pagers = d.controllers = d.electors = 0;
  d.operations = OPERATIONS;
  d.faults = d.history = 0;
  d.event_ttl_s = 0;
  d.first_revision = first_revision;
  d.latency_ns = MILLI;
  d.jitter_ns = 0;
  d.gap_ns = SECOND;
  d.canary = d.compare = false;
  d.in_step = true;
  return d;
}

/* False: the run itself failed. */
static bool run_half(world *w, arena *a, bool etcd, int64_t first_revision, answers *out) {
  sim_options o = {.draw = half_draw(w->draw, etcd, first_revision)};
  world *half = sim_create(&o);
  *out = (answers){.arena = a};
  half->answers = out;
  sim_run(half);
  transcript_mix(&w->log, half->log.hash);
  bool ok = !half->violation.set;
  if (!ok) {
    check_fail(w, half->violation.check, "alone on %s: %.900s",
               etcd ? "the etcd model" : "the embedded store", half->violation.text);
  }
  sim_destroy(half);
  return ok;
}

/* ---- the comparison ---- */

static size_t first_difference(slice a, slice b) {
  size_t i = 0;
  while (i < a.len && i < b.len && a.ptr[i] == b.ptr[i]) i++;
  return i;
}

static slice around(slice s, size_t at) {
  size_t from = at > 60 ? at - 60 : 0;
  if (from > s.len) from = s.len;
  return slice_of(s.ptr + from, s.len - from < 140 ? s.len - from : 140);
}

static void compare(world *w, const answers *a, const answers *b) {
  uint32_t n = a->count < b->count ? a->count : b->count;
  for (uint32_t i = 0; i < n && !w->violation.set; i++) {
    const answer *x = &a->all[i], *y = &b->all[i];
    bool same = x->op == y->op && x->kind == y->kind && x->status == y->status &&
                slice_eq(x->body, y->body);
    size_t at = first_difference(x->body, y->body);
    CHECK_THAT(w, BACKENDS, same,
               "operation %u (%s): the embedded store answers %d %.*s; the etcd model %d %.*s",
               x->op, op_rows[x->kind].name, x->status, SLICE_ARG(around(x->body, at)), y->status,
               SLICE_ARG(around(y->body, at)));
  }
  CHECK_THAT(w, BACKENDS, a->count == b->count,
             "%u answers of the embedded store, %u of the other", a->count, b->count);
}

void check_backends(world *w) {
  arena *a = arena_create();
  answers memory, etcd;
  bool ok = run_half(w, a, false, 1, &memory) && run_half(w, a, true, 1, &etcd);
  int64_t behind = ok ? memory.base - etcd.base : 0;
  if (ok && behind) ok = run_half(w, a, true, 1 + behind, &etcd);
  if (ok) compare(w, &memory, &etcd);
  arena_destroy(a);
}
