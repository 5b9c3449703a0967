/* From what the two caches say to the one request that brings the world nearer to it. */
#include "sim/workload/controller.h"

#include "sim/model/json_scan.h"

#define PATIENCE_NS (75 * SECOND)
#define BACKOFF_NS (200 * MILLI)
#define BACKOFF_MAX_NS (5 * SECOND)
#define DIES 5 /* one creation in so many is the last thing that a process does */
#define TAG_PUMP UINT32_MAX
#define TAG_DIE (UINT32_MAX - 1)

enum step { IDLE, CREATES, UPDATES, CONFIRMS, DELETES };

/* ---- who is whose ---- */

bool controller_is_child(const model *m, uint32_t key) {
  return m->keys[key].kind == KIND_CONFIGMAPS &&
         slice_has_prefix(m->keys[key].name, SLICE_LIT("of-"));
}

/* The writers' objects; what else there is has longer names. */
static bool is_parent(const model *m, uint32_t key, const kind_row *of) {
  const model_key *k = &m->keys[key];
  return k->kind == kind_index(of) &&
         (k->name.len == 1 || slice_has_prefix(k->name, SLICE_LIT("g-")));
}

child_link controller_link(const commit *child) {
  return (child_link){
      .parent = json_text_of(child->value, SLICE_LIT("\"sim/of\":\"")),
      .uid = json_text_of(child->value, SLICE_LIT("\"sim/parent\":\"")),
      .number = json_number_of(child->value, SLICE_LIT("\"data\":{\"v\":\""))};
}

uint32_t controller_parent_key(world *w, const kind_row *of, const commit *child) {
  slice namespace = w->model->keys[child->key].namespace;
  slice key = kind_key(w->arena, of, namespace, controller_link(child).parent);
  return model_key_id(w->model, key, kind_index(of) << 1 | of->namespaced, true);
}

static slice uid_of(slice object) { return json_text_of(object, SLICE_LIT("\"uid\":\"")); }

static int64_t number_of(const commit *parent) {
  return parent->tier ? parent->tier - 'a' + 1 : 0;
}

/* What an informer knows of a key; NULL: nothing. */
static const commit *known(const informer *i, uint32_t key) {
  int64_t version = informer_knows(i, key);
  const commit *c = version ? model_at(i->base.world->model, version) : NULL;
  return c && c->key == key ? c : NULL;
}

static slice namespace_of(const controller *c, uint32_t parent) {
  slice namespace = c->base.world->model->keys[parent].namespace;
  return namespace.len ? namespace : SLICE_LIT("default");
}

/* The child of that parent's name, as the cache has it. */
static const commit *child_of(controller *c, uint32_t parent) {
  world *w = c->base.world;
  slice name = w->model->keys[parent].name, namespace = namespace_of(c, parent);
  for (uint32_t k = 0; k < c->children.cache_count; k++) {
    const commit *child = known(&c->children, k);
    if (child && controller_is_child(w->model, k) &&
        slice_eq(w->model->keys[k].namespace, namespace) &&
        slice_eq(controller_link(child).parent, name)) {
      return child;
    }
  }
  return NULL;
}

/* ---- the queue ---- */

static void pump(controller *c);

static void enqueue(controller *c, uint32_t parent) {
  for (uint32_t i = 0; i < c->todo_count; i++) {
    if (c->todo[i] == parent) return;
  }
  c->todo = arena_more(c->base.world->arena, c->todo, c->todo_count, &c->todo_cap,
                       sizeof *c->todo);
  c->todo[c->todo_count++] = parent;
  client_later(&c->base, MILLI, TAG_PUMP);
}

/* Not now: later, and later still when that does not help. */
static void again_later(controller *c, uint32_t parent) {
  if (c->bug == CONTROLLER_EDGES) return; /* wrong: what failed is forgotten */
  int64_t wait = BACKOFF_NS << (c->tries < 5 ? c->tries : 5);
  if (wait > BACKOFF_MAX_NS) wait = BACKOFF_MAX_NS;
  c->tries++;
  client_later(&c->base, wait + (int64_t)rng_below(&c->base.rng, (uint64_t)BACKOFF_NS), parent);
}

static void enqueue_child(controller *c, const commit *child) {
  if (!child || !controller_is_child(c->base.world->model, child->key)) return;
  enqueue(c, controller_parent_key(c->base.world, c->of, child));
}

static void parent_changed(informer *i, uint32_t key, told_kind kind) {
  controller *c = (controller *)i->base.whole;
  (void)kind;
  if (is_parent(c->base.world->model, key, c->of)) enqueue(c, key);
}

static void child_changed(informer *i, uint32_t key, told_kind kind) {
  controller *c = (controller *)i->base.whole;
  const model *m = c->base.world->model;
  (void)kind;
  if (!controller_is_child(m, key)) return;
  enqueue_child(c, model_version(m, key, i->version));
}

/* A new list: everything may be different, and what is gone is told by nobody. */
static void all_changed(informer *i) {
  controller *c = (controller *)i->base.whole;
  const model *m = c->base.world->model;
  for (uint32_t k = 0; k < c->parents.cache_count; k++) {
    if (known(&c->parents, k) && is_parent(m, k, c->of)) enqueue(c, k);
  }
  if (c->bug == CONTROLLER_EDGES) return; /* wrong: as if a list told of additions only */
  for (uint32_t k = 0; k < c->children.cache_count; k++) enqueue_child(c, known(&c->children, k));
}

/* ---- one parent ---- */

static void send(controller *c, uint8_t step, call_request *q) {
  c->step = step;
  q->timeout_ns = PATIENCE_NS;
  q->op = -1;
  call_start(&c->base, q);
}

static void create(controller *c, const commit *parent) {
  world *w = c->base.world;
  slice name = w->model->keys[c->at].name;
  bool generates = c->bug == CONTROLLER_REPEATS_CREATE;
  call_request q = {.method = "POST"};
  q.target = kind_path(w->arena, &kind_rows[KIND_CONFIGMAPS], namespace_of(c, c->at), SLICE_NONE);
  q.body = arena_printf(w->arena, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{"
                        "\"%s\":\"of-%.*s%s\",\"annotations\":{\"sim/of\":\"%.*s\","
                        "\"sim/parent\":\"%.*s\"}},\"data\":{\"v\":\"%lld\"}}",
                        generates ? "generateName" : "name", SLICE_ARG(name),
                        generates ? "-" : "", SLICE_ARG(name),
                        SLICE_ARG(uid_of(parent->value)), (long long)number_of(parent));
  send(c, CREATES, &q);
}

static slice child_path(controller *c, slice name) {
  return kind_path(c->base.world->arena, &kind_rows[KIND_CONFIGMAPS], namespace_of(c, c->at), name);
}

static void update(controller *c, const commit *child, const commit *parent) {
  world *w = c->base.world;
  call_request q = {.method = "PUT"};
  q.target = child_path(c, w->model->keys[child->key].name);
  q.body = json_with_number(w->arena, child->value, SLICE_LIT("\"data\":{\"v\":\""),
                            number_of(parent));
  send(c, UPDATES, &q);
}

static void delete(controller *c) {
  call_request q = {.method = "DELETE"};
  q.target = child_path(c, c->child_name);
  q.body = arena_printf(c->base.world->arena, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\","
                        "\"preconditions\":{\"uid\":\"%.*s\"}}", SLICE_ARG(c->child_uid));
  send(c, DELETES, &q);
}

/* The cache says that its parent is gone; before the child goes, the server is asked. */
static void remove_child(controller *c, const commit *child) {
  world *w = c->base.world;
  c->child_name = w->model->keys[child->key].name;
  c->child_uid = uid_of(child->value);
  if (c->bug == CONTROLLER_STALE) { /* wrong: the cache may be of a past */
    delete(c);
    return;
  }
  const model_key *k = &w->model->keys[c->at];
  call_request q = {.method = "GET"};
  q.target = kind_path(w->arena, c->of, k->namespace, k->name);
  send(c, CONFIRMS, &q);
}

static void reconcile(controller *c, uint32_t key) {
  const commit *parent = known(&c->parents, key), *child = child_of(c, key);
  c->at = key;
  if (!child && parent) {
    create(c, parent);
  } else if (child && (!parent || !slice_eq(controller_link(child).uid, uid_of(parent->value)))) {
    remove_child(c, child);
  } else if (child && controller_link(child).number != number_of(parent)) {
    update(c, child, parent);
  } else {
    c->tries = 0; /* all is well */
  }
}

static bool ready(const controller *c) {
  const world *w = c->base.world;
  return c->parents.synced && c->children.synced && c->parents.epoch == w->epoch &&
         c->children.epoch == w->epoch;
}

static void pump(controller *c) {
  while (c->step == IDLE && c->todo_count && ready(c)) {
    uint32_t key = c->todo[0];
    memmove(c->todo, c->todo + 1, --c->todo_count * sizeof *c->todo);
    reconcile(c, key);
  }
  if (c->todo_count && c->step == IDLE) client_later(&c->base, SECOND, TAG_PUMP);
}

static void woken(client *base, uint64_t tag) {
  controller *c = (controller *)base;
  if (tag == TAG_DIE) {
    if (base->world->phase == PHASE_SAFETY) client_restart(base);
    return;
  }
  if (tag != TAG_PUMP) enqueue(c, (uint32_t)tag);
  pump(c);
}

/* ---- answers ---- */

static void confirmed(controller *c, const call *k) {
  world *w = c->base.world;
  const commit *child = child_of(c, c->at);
  bool absent = k->in.status == 404;
  bool other = k->in.status == 200 && child &&
               !slice_eq(uid_of(call_body(k)), controller_link(child).uid);
  bool same_child = child && slice_eq(uid_of(child->value), c->child_uid);
  if (w->epoch == k->epoch && same_child && (absent || other)) delete(c);
  else again_later(c, c->at);
}

static void answered(client *base, call *k) {
  controller *c = (controller *)base;
  world *w = base->world;
  bool good = k->how == CALL_ANSWERED && k->in.status < 300 && !k->replaced;
  uint8_t step = c->step;
  c->step = IDLE;
  if (step == CONFIRMS) {
    bool heard = k->how == CALL_ANSWERED && !k->replaced &&
                (k->in.status == 200 || k->in.status == 404);
    if (heard) confirmed(c, k);
    else again_later(c, c->at);
  } else if (good) {
    if (step == CREATES) {
      SOMETIMES(w, CHILD_MADE);
      recorder_note(&c->events);
      if (rng_chance(&base->rng, 1, DIES)) client_later(base, 50 * MILLI, TAG_DIE);
    }
    if (step == DELETES) SOMETIMES(w, CHILD_GONE);
    c->tries = 0;
    again_later(c, c->at); /* when the cache has it, there will be nothing to do */
  } else {
    bool lost = step == CREATES && !call_surely_undone(k);
    const commit *parent = known(&c->parents, c->at);
    if (lost && c->bug == CONTROLLER_REPEATS_CREATE && parent && ready(c)) create(c, parent);
    else again_later(c, c->at);
  }
  pump(c);
}

/* ---- life ---- */

static void part(controller *c, informer *i, const kind_row *of, uint8_t number) {
  view_filter all = {0};
  client_part(&c->base, &i->base, &informer_row, number);
  informer_init(i, of, &all);
  i->changed = number == 1 ? parent_changed : child_changed;
  i->replaced = all_changed;
  i->ignores_gone = c->bug == CONTROLLER_IGNORES_410;
  i->trusts_old = c->bug == CONTROLLER_STALE;
  if (!i->trusts_old) return;
  i->any_version = true;
  i->watch_list = false;
  i->page = 0;
}

static void may_die(controller *c) {
  world *w = c->base.world;
  if (!rng_chance(&c->base.rng, 2, 3)) return;
  client_later(&c->base, (int64_t)rng_below(&c->base.rng, (uint64_t)w->safety_ns), TAG_DIE);
}

static void start(client *base) {
  controller *c = (controller *)base;
  c->of = client_pick_kind(base, &base->rng);
  c->bug = base->world->draw->controller;
  base->world->shared.parents = c->of;
  part(c, &c->parents, c->of, 1);
  part(c, &c->children, &kind_rows[KIND_CONFIGMAPS], 2);
  client_part(base, &c->events.base, &recorder_row, 3);
  informer_begin(&c->parents);
  informer_begin(&c->children);
  may_die(c);
}

static void move(client *part) {
  part->server = (uint8_t)rng_below(&part->rng, part->world->draw->servers);
}

static void restart(client *base) {
  controller *c = (controller *)base;
  c->step = IDLE;
  c->todo_count = c->tries = 0;
  move(&c->parents.base); /* a balancer stands in front of the servers */
  move(&c->children.base);
  informer_restart(&c->parents.base);
  informer_restart(&c->children.base);
  recorder_restart(&c->events);
}

static void heal(client *base) {
  controller *c = (controller *)base;
  c->parents.retries = c->children.retries = c->tries = 0;
}

/* The world is as it should be: a child a parent, and none without. */
static bool settled(client *base, char *why, size_t size) {
  controller *c = (controller *)base;
  world *w = base->world;
  const model *m = w->model;
  int64_t now = model_revision(m);
  uint32_t parents = 0, right = 0, children = 0;
  for (uint32_t k = 0; k < m->key_count; k++) {
    parents += is_parent(m, k, c->of) && model_state(m, k, now) != NULL;
    const commit *child = controller_is_child(m, k) ? model_state(m, k, now) : NULL;
    if (!child) continue;
    children++;
    child_link link = controller_link(child);
    const commit *parent = model_state(m, controller_parent_key(w, c->of, child), now);
    right += parent && slice_eq(link.uid, uid_of(parent->value)) &&
             link.number == number_of(parent);
  }
  if (parents == right && children == right && c->step == IDLE) return true;
  snprintf(why, size, "controller%u (%s): %u %s, %u children, %u of them right%s",
           base->who.index, controller_name(c->bug), parents, c->of->resource, children, right,
           c->step == IDLE ? "" : "; a request is under way");
  return false;
}

const client_row controller_row = {.actor = ACTOR_CONTROLLER, .size = sizeof(controller),
                                   .start = start, .woken = woken, .answered = answered,
                                   .heal = heal, .settled = settled, .restart = restart};
