/* From an operation to its request. What needs a body that the writer has not seen becomes a GET
 * of that object first: the operation's kind says what was really asked. */
#include "sim/workload/writer.h"

#include "sim/check/check_backends.h"
#include "sim/model/json_scan.h"

#define TIERS 3

static slice *memory_of(writer *t, uint32_t key) {
  for (uint32_t i = 0; i < MEMORY_MAX; i++) {
    if (t->memory[i].body.ptr && t->memory[i].key == key) return &t->memory[i].body;
  }
  return NULL;
}

static void remember(writer *t, uint32_t key, slice body) {
  slice *have = memory_of(t, key);
  if (!have) {
    seen_object *m = &t->memory[t->memory_next++ % MEMORY_MAX];
    m->key = key;
    have = &m->body;
  }
  *have = body;
}

static char pick_tier(rng *r) { return (char)('a' + rng_below(r, TIERS)); }

typedef struct maker { /* of one request */
  writer *t;
  op *o;
  rng *r;
  arena *a;
  slice namespace, name;
  call_request *q;
} maker;

static kind_body body_of(maker *m) {
  kind_body b = {.namespace = m->namespace, .name = m->name, .op = m->o->id,
                 .number = 1 + (uint32_t)rng_below(m->r, 20)};
  if (rng_chance(m->r, 3, 4)) b.tier = pick_tier(m->r);
  if (rng_chance(m->r, 1, 12)) b.finalizer = SLICE_LIT("sim.test/hold");
  return b;
}

static void set_query(maker *m, const char *query) {
  m->q->target = arena_concat(m->a, m->q->target, slice_cstr(query));
}

#define HUGE_LABELS 26000

/* More labels than a stored object may have bytes. */
static slice with_labels(arena *a, slice object) {
  slice mark = SLICE_LIT("\"metadata\":{"), head, tail;
  ptrdiff_t at = slice_find(object, mark);
  buf b;
  buf_init(&b, (size_t)4 << 20);
  head = slice_upto(object, (size_t)at + mark.len);
  tail = slice_from(object, (size_t)at + mark.len);
  buf_append(&b, head);
  buf_append(&b, SLICE_LIT("\"labels\":{"));
  for (int i = 0; i < HUGE_LABELS; i++) {
    buf_printf(&b, "%s\"k%05d\":\"as-long-as-a-label-may-be--which-is-sixty-three-bytes--%c\"",
               i ? "," : "", i, 'a' + i % 26);
  }
  buf_append(&b, SLICE_LIT("},"));
  buf_append(&b, tail);
  slice all = arena_copy(a, buf_slice(&b));
  buf_dispose(&b);
  return all;
}

static void make_create(maker *m) {
  kind_body b = body_of(m);
  op_kind kind = (op_kind)m->o->kind;
  m->q->method = "POST";
  m->q->target = kind_path(m->a, m->o->of, m->namespace, SLICE_NONE);
  if (kind == OP_CREATE_GENERATED) {
    b.name = SLICE_NONE;
    b.generate_name = SLICE_LIT("g-");
    m->o->key = NO_KEY;
  }
  if (kind == OP_CREATE_HUGE) b.tier = 0;
  m->q->body = kind_object(m->a, m->o->of, &b);
  if (kind == OP_CREATE_HUGE) m->q->body = with_labels(m->a, m->q->body);
  if (kind == OP_CREATE_DRY) set_query(m, "?dryRun=All");
  if (kind == OP_CREATE_INVALID) {
    m->q->body = json_with_text(m->a, m->q->body, SLICE_LIT("\"name\":\""), SLICE_LIT("no/name"));
    m->o->key = NO_KEY;
  }
}

/* The writer has not seen the object: it looks. */
static void look_instead(maker *m) {
  m->o->kind = OP_GET;
  m->q->method = "GET";
}

static void make_update(maker *m, slice seen) {
  arena *a = m->a;
  const kind_row *k = m->o->of;
  op_kind kind = (op_kind)m->o->kind;
  slice body = seen;
  char number[16];
  snprintf(number, sizeof number, "%u", m->o->id);
  m->q->method = "PUT";
  if (kind != OP_UPDATE_SAME) {
    body = json_with_text(a, body, SLICE_LIT("\"sim/op\":\""), slice_cstr(number));
    if (k->mark && kind != OP_RELABEL) {
      body = json_with_number(a, body, slice_cstr(k->mark), 1 + (int64_t)rng_below(m->r, 20));
    }
  }
  if (kind == OP_RELABEL) {
    char tier = pick_tier(m->r);
    body = json_with_text(a, body, SLICE_LIT("\"tier\":\""), slice_of(&tier, 1));
  }
  m->o->version = json_revision(body);
  if (kind == OP_UPDATE_BLIND) {
    m->o->version = 0;
    body = json_with_text(a, body, SLICE_LIT("\"resourceVersion\":\""), SLICE_LIT(""));
  }
  if (kind == OP_UPDATE_DRY) set_query(m, "?dryRun=All");
  m->q->body = body;
}

static void make_patch(maker *m) {
  op *o = m->o;
  m->q->method = "PATCH";
  if (o->kind == OP_PATCH_MERGE) {
    m->q->content_type = "application/merge-patch+json";
    m->q->body = arena_printf(m->a, "{\"metadata\":{\"annotations\":{\"sim/op\":\"%u\"},"
                              "\"labels\":{\"tier\":\"%c\"}}}", o->id, pick_tier(m->r));
  } else {
    m->q->content_type = "application/json-patch+json";
    m->q->body = arena_printf(m->a, "[{\"op\":\"test\",\"path\":\"/metadata/labels/tier\","
                              "\"value\":\"%c\"},{\"op\":\"add\",\"path\":\"/metadata/annotations/"
                              "sim~1op\",\"value\":\"%u\"}]", pick_tier(m->r), o->id);
  }
}

static void make_apply(maker *m) {
  kind_body b = body_of(m);
  b.finalizer = SLICE_NONE;
  m->q->method = "PATCH";
  m->q->content_type = "application/apply-patch+yaml";
  m->q->body = kind_object(m->a, m->o->of, &b);
  bool force = rng_chance(m->r, 1, 2);
  const char *manager = rng_chance(m->r, 1, 2) ? "first" : "second";
  slice query = arena_printf(m->a, "?fieldManager=%s%s", manager, force ? "&force=true" : "");
  m->q->target = arena_concat(m->a, m->q->target, query);
}

static void make_finalizer(maker *m) {
  m->q->method = "PATCH";
  m->q->content_type = "application/merge-patch+json";
  m->q->body = arena_printf(m->a, "{\"metadata\":{\"finalizers\":null,\"annotations\":"
                            "{\"sim/op\":\"%u\"}}}", m->o->id);
}

static void make_delete(maker *m, const slice *seen) {
  op *o = m->o;
  m->q->method = "DELETE";
  if (o->kind == OP_DELETE_COLLECTION) {
    m->q->target = kind_path(m->a, o->of, m->namespace, SLICE_NONE);
    o->key = NO_KEY;
    o->filter = (view_filter){.kind = kind_index(o->of), .namespace = m->namespace,
                              .tier = pick_tier(m->r)};
    m->q->target = arena_printf(m->a, "%.*s?labelSelector=tier%%3D%c", SLICE_ARG(m->q->target),
                                o->filter.tier);
    return;
  }
  if (o->kind != OP_DELETE_UID || !seen) return;
  o->version = json_revision(*seen);
  o->wanted_uid = json_text_of(*seen, SLICE_LIT("\"uid\":\""));
  m->q->body = arena_printf(m->a, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\","
                            "\"preconditions\":{\"uid\":\"%.*s\",\"resourceVersion\":\"%lld\"}}",
                            SLICE_ARG(o->wanted_uid), (long long)o->version);
}

static void make_get(maker *m) {
  op *o = m->o;
  int64_t now = model_revision(m->t->base.world->model);
  m->q->method = "GET";
  if (o->kind == OP_GET_ANY) set_query(m, "?resourceVersion=0");
  if (o->kind == OP_GET_PROTOBUF) m->q->accept = "application/vnd.kubernetes.protobuf";
  if (o->kind != OP_GET_MIN) return;
  o->version = now - (int64_t)rng_below(m->r, 5) + (int64_t)rng_below(m->r, 3);
  slice query = arena_printf(m->a, "?resourceVersion=%lld", (long long)o->version);
  m->q->target = arena_concat(m->a, m->q->target, query);
}

static void make_list(maker *m) {
  op *o = m->o;
  arena *a = m->a;
  int64_t now = model_revision(m->t->base.world->model);
  bool everywhere = rng_chance(m->r, 1, 3);
  o->filter = (view_filter){.kind = kind_index(o->of),
                            .namespace = everywhere ? SLICE_NONE : m->namespace};
  o->key = NO_KEY;
  m->q->method = "GET";
  slice path = kind_path(a, o->of, o->filter.namespace, SLICE_NONE);
  const char *query = "";
  if (o->kind == OP_LIST_ANY) query = "?resourceVersion=0";
  if (o->kind == OP_LIST_LABEL) {
    o->filter.tier = pick_tier(m->r);
    o->filter.not_tier = rng_chance(m->r, 1, 3);
    path = arena_printf(a, "%.*s?labelSelector=tier%s%c", SLICE_ARG(path),
                        o->filter.not_tier ? "%21%3D" : "%3D", o->filter.tier);
  }
  if (o->kind == OP_LIST_MIN || o->kind == OP_LIST_EXACT || o->kind == OP_LIST_FUTURE) {
    int64_t back = (int64_t)rng_below(m->r, o->kind == OP_LIST_EXACT ? 40 : 6);
    if (o->kind != OP_LIST_FUTURE) back = answers_back(m->t->base.world, back);
    o->version = o->kind == OP_LIST_FUTURE ? now + 1 + back : now > back ? now - back : now;
    path = arena_printf(a, "%.*s?resourceVersion=%lld&resourceVersionMatch=%s", SLICE_ARG(path),
                        (long long)o->version,
                        o->kind == OP_LIST_EXACT ? "Exact" : "NotOlderThan");
  }
  m->q->target = arena_concat(a, path, slice_cstr(query));
}

static const char *const bad_targets[] = {
    "/api/v1/nothing", "/api/v1/configmaps?limit=x", "/api/v1/configmaps?resourceVersion=x",
    "/api/v1/configmaps?labelSelector=a%20in%20(", "/api/v1/configmaps?continue=e30",
    "/apis/apps/v9/deployments", "/api/v1/configmaps?watch=1&resourceVersionMatch=Exact",
    "/api/v1/configmaps?fieldSelector=nothing%3Dx"};

/* The counter: one object that all writers raise, each by its version. */
static void make_count(maker *m) {
  writer *t = m->t;
  world *w = t->base.world;
  m->o->of = &kind_rows[0];
  m->namespace = SLICE_LIT("default");
  m->name = SLICE_LIT("counter");
  slice key = kind_key(m->a, m->o->of, m->namespace, m->name);
  m->o->key = model_key_id(w->model, key, 1, true); /* row 0, namespaced */
  m->q->target = kind_path(m->a, m->o->of, m->namespace, m->name);
  const slice *seen = memory_of(t, m->o->key);
  if (!seen) {
    bool make = rng_chance(m->r, 1, 3);
    m->o->kind = make ? OP_CREATE : OP_GET;
    m->q->method = make ? "POST" : "GET";
    if (!make) return;
    kind_body b = {.name = m->name, .op = m->o->id, .number = 0};
    m->q->target = kind_path(m->a, m->o->of, m->namespace, SLICE_NONE);
    m->q->body = kind_object(m->a, m->o->of, &b);
    return;
  }
  slice mark = slice_cstr(m->o->of->mark);
  int64_t value = json_number_of(*seen, mark);
  char number[16];
  snprintf(number, sizeof number, "%u", m->o->id);
  slice body = json_with_text(m->a, *seen, SLICE_LIT("\"sim/op\":\""), slice_cstr(number));
  m->q->body = json_with_number(m->a, body, mark, value + 1);
  m->q->method = "PUT";
  m->o->version = json_revision(*seen);
}

static bool needs_body(op_kind kind) {
  return kind >= OP_UPDATE && kind <= OP_RELABEL;
}

static void dispatch(maker *m) {
  op *o = m->o;
  const slice *seen = memory_of(m->t, o->key);
  op_kind kind = (op_kind)o->kind;
  if (kind == OP_UPDATE_BLIND && o->of->no_blind_update) o->kind = kind = OP_UPDATE;
  if (kind <= OP_CREATE_HUGE) make_create(m);
  else if (needs_body(kind) && !seen) look_instead(m);
  else if (needs_body(kind)) make_update(m, *seen);
  else if (kind == OP_PATCH_MERGE || kind == OP_PATCH_JSON) make_patch(m);
  else if (kind == OP_APPLY) make_apply(m);
  else if (kind == OP_FINALIZER) make_finalizer(m);
  else if (kind <= OP_DELETE_COLLECTION) make_delete(m, seen);
  else if (kind <= OP_GET_PROTOBUF) make_get(m);
  else make_list(m);
}

void writer_build(writer *t, op *o, rng *r) {
  client *c = &t->base;
  world *w = c->world;
  maker m = {.t = t, .o = o, .r = r, .a = w->arena, .q = &t->request};
  if (o->kind == OP_BAD) {
    t->request.method = "GET";
    t->request.target =
        slice_cstr(bad_targets[rng_below(r, sizeof bad_targets / sizeof *bad_targets)]);
    return;
  }
  if (o->kind == OP_COUNT) {
    make_count(&m);
    return;
  }
  o->of = client_pick_kind(c, r);
  m.namespace = o->of->namespaced ? client_pick_namespace(c, r, o->of) : SLICE_NONE;
  m.name = client_pick_name(c, r, o->of);
  slice key = kind_key(m.a, o->of, m.namespace, m.name);
  o->key = model_key_id(w->model, key, kind_index(o->of) << 1 | o->of->namespaced, true);
  t->request.target = kind_path(m.a, o->of, m.namespace, m.name);
  dispatch(&m);
}

void writer_learn(writer *t, const op *o, const call *k) {
  if (o->key == NO_KEY || op_rows[o->kind].flags & OP_DRY) return;
  bool shows = k->how == CALL_ANSWERED && k->in.status < 300 && o->kind != OP_GET_PROTOBUF &&
               (o->kind < OP_DELETE || o->kind == OP_GET || o->kind == OP_COUNT);
  if (shows) {
    slice body = slice_trim(call_body(k));
    remember(t, o->key, arena_copy(t->base.world->arena, body));
  } else if (op_rows[o->kind].flags & OP_WRITES) {
    slice *have = memory_of(t, o->key);
    if (have) *have = SLICE_NONE;
  }
}
