/* The scenario's steps and the oracles. */
#include "sim/live/reader.h"
#include "sim/live/target.h"

const char *const oracle_names[ORACLE_COUNT] = {
    [ORACLE_QUIESCE_WITHIN] = "quiesceWithin",
    [ORACLE_END_STATE] = "endStateEqualsFaultFree",
    [ORACLE_COUNTS] = "sameCreateDeleteCounts",
    [ORACLE_NO_FLAP] = "noFlap",
    [ORACLE_NO_DUPLICATE] = "noDuplicateCreate",
    [ORACLE_CLIENTS_ALIVE] = "clientsAlive",
    [ORACLE_LINT] = "lint",
    [ORACLE_EXPECT] = "expect",
    [ORACLE_NEVER] = "never",
};

#define DOCUMENT_MAX ((size_t)16 << 20)

typedef struct documents {
  slice *items;
  uint32_t count, cap;
} documents;

static void add_document(reader *r, documents *d, slice text) {
  slice rest = slice_trim(text);
  if (rest.len == 0) return;
  d->items = arena_more(r->a, d->items, d->count, &d->cap, sizeof *d->items);
  d->items[d->count++] = text;
}

static void inline_document(reader *r, documents *d, const node *n) {
  buf b;
  buf_init(&b, DOCUMENT_MAX);
  node_write(&b, n);
  add_document(r, d, arena_copy(r->a, buf_slice(&b)));
  buf_dispose(&b);
}

/* An object or a list of them; files have been read in by inline.c. */
static bool read_documents(reader *r, const node *n, documents *d) {
  if (n->kind == NODE_MAP) {
    inline_document(r, d, n);
  } else if (n->kind == NODE_SCALAR) {
    return reader_fail(r, n->line, "an object, a file or a list of these is wanted");
  } else {
    for (uint32_t i = 0; i < n->count; i++) {
      if (!read_documents(r, n->items[i], d)) return false;
    }
  }
  return d->count > 0 || reader_fail(r, n->line, "there is no object here");
}

static bool step_documents(reader *r, const node *n, live_step *s) {
  documents d = {0};
  if (!read_documents(r, n, &d)) return false;
  s->documents = (strlist){d.count, d.items};
  return true;
}

/* A text below an object's key, or below its metadata's; none: empty. */
static slice text_of(const node *object, const char *key) {
  const node *n = object && object->kind == NODE_MAP ? node_get(object, key) : NULL;
  return n && n->kind == NODE_SCALAR ? n->text : SLICE_NONE;
}

static bool object_fits(reader *r, int line, const node *n, step_kind kind) {
  if (n->kind == NODE_LIST) {
    for (uint32_t i = 0; i < n->count; i++) {
      if (!object_fits(r, line, n->items[i], kind)) return false;
    }
    return true;
  }
  slice version = text_of(n, "apiVersion"), what = text_of(n, "kind");
  if (!live_resource_of_kind(version, what)) {
    return reader_fail(r, line, "apiVersion \"%.*s\", kind \"%.*s\" is no built-in kind",
                       SLICE_ARG(version), SLICE_ARG(what));
  }
  const node *meta = node_get(n, "metadata");
  bool named = text_of(meta, "name").len ||
               (kind == STEP_CREATE && text_of(meta, "generateName").len);
  return named || reader_fail(r, line, "the %.*s has no metadata.name", SLICE_ARG(what));
}

static bool step_put(reader *r, const node *n, live_step *s) {
  return step_documents(r, n, s) && object_fits(r, n->line, n, s->kind);
}

static bool step_apply(reader *r, const node *n, live_step *s) {
  s->kind = STEP_APPLY;
  return step_put(r, n, s);
}

static bool step_create(reader *r, const node *n, live_step *s) {
  s->kind = STEP_CREATE;
  return step_put(r, n, s);
}

static bool step_delete(reader *r, const node *n, live_step *s) {
  s->kind = STEP_DELETE;
  s->key = n->text;
  return read_key(r, n->line, s->key);
}

static bool patch_body(reader *r, const node *n, void *out) {
  return step_documents(r, n, out);
}

static bool step_patch(reader *r, const node *n, live_step *s) {
  static const field_row rows[] = {
      ROW("object", F_TEXT, live_step, key),
      ROW("subresource", F_TEXT, live_step, subresource),
      ROW("type", F_TEXT, live_step, patch_type),
      ROW_CUSTOM("body", patch_body),
  };
  s->kind = STEP_PATCH;
  if (!reader_map(r, n, "patch", rows, sizeof rows / sizeof rows[0], s)) return false;
  bool known = s->patch_type.len == 0 || slice_is(s->patch_type, "merge") ||
               slice_is(s->patch_type, "strategic");
  if (!known) return reader_fail(r, n->line, "type is merge or strategic");
  if (s->documents.count != 1) return reader_fail(r, n->line, "a patch needs its body");
  return read_key(r, n->line, s->key);
}

static bool condition_value(reader *r, const node *n, void *out) {
  return read_predicate(r, n, &((live_condition *)out)->value);
}

bool read_condition(reader *r, const node *n, live_condition *out) {
  static const field_row rows[] = {
      ROW("object", F_TEXT, live_condition, key),
      ROW("absent", F_BOOL, live_condition, absent),
      ROW("field", F_TEXT, live_condition, path),
      ROW_CUSTOM("is", condition_value),
  };
  return reader_map(r, n, "a condition", rows, sizeof rows / sizeof rows[0], out) &&
         read_key(r, n->line, out->key);
}

static bool step_wait(reader *r, const node *n, live_step *s) {
  s->kind = STEP_WAIT;
  s->settle = false;
  if (n->kind == NODE_SCALAR && slice_is(n->text, "quiet")) {
    s->quiet = true;
    return true;
  }
  return read_condition(r, n, &s->condition);
}

static bool step_sleep(reader *r, const node *n, live_step *s) {
  s->kind = STEP_SLEEP;
  return reader_duration(r, n, &s->duration_ns);
}

static bool step_advance(reader *r, const node *n, live_step *s) {
  s->kind = STEP_ADVANCE;
  if (!r->plan->virtual_clock) {
    return reader_fail(r, n->line, "advance needs \"clock: virtual\" in the plan");
  }
  return reader_duration(r, n, &s->duration_ns);
}

static bool step_start(reader *r, const node *n, live_step *s) {
  s->kind = STEP_START;
  s->client = n->text;
  return reader_client(r, n->line, s->client);
}

static bool step_stop(reader *r, const node *n, live_step *s) {
  s->kind = STEP_STOP;
  s->client = n->text;
  return reader_client(r, n->line, s->client);
}

static const struct {
  const char *key;
  bool (*read)(reader *r, const node *n, live_step *s);
} step_rows[] = {
    {"apply", step_apply}, {"create", step_create},   {"delete", step_delete},
    {"patch", step_patch}, {"wait", step_wait},       {"sleep", step_sleep},
    {"advance", step_advance}, {"startClient", step_start}, {"stopClient", step_stop},
};

static bool read_step(reader *r, const node *n, live_step *s) {
  s->settle = true;
  s->line = n->line;
  if (n->kind != NODE_MAP || n->count == 0) {
    return reader_fail(r, n->line, "a step is a map, like {apply: web.yaml}");
  }
  bool known = false;
  for (size_t k = 0; k < sizeof step_rows / sizeof step_rows[0]; k++) {
    if (!slice_is(n->keys[0], step_rows[k].key)) continue;
    known = true;
    r->key = n->keys[0];
    if (!step_rows[k].read(r, n->items[0], s)) return false;
  }
  if (!known) {
    return reader_fail(r, n->line, "unknown step \"%.*s\" (known: apply, create, delete, patch, "
                       "wait, sleep, advance, startClient, stopClient)", SLICE_ARG(n->keys[0]));
  }
  for (uint32_t k = 1; k < n->count; k++) {
    r->key = n->keys[k];
    bool waits = s->kind == STEP_WAIT, ok;
    if (slice_is(n->keys[k], "settle")) {
      ok = reader_bool(r, n->items[k], &s->settle);
    } else if (waits && slice_is(n->keys[k], "atMost")) {
      ok = reader_duration(r, n->items[k], &s->duration_ns);
    } else {
      ok = reader_fail(r, n->items[k]->line, "unknown key \"%.*s\" in a step (known: settle%s)",
                       SLICE_ARG(n->keys[k]), waits ? ", atMost" : "");
    }
    if (!ok) return false;
  }
  return true;
}

bool read_steps(reader *r, const node *n) {
  if (n->kind != NODE_LIST) return reader_fail(r, n->line, "scenario is a list of steps");
  live_step *steps = ARENA_ARRAY(r->a, live_step, n->count + 1);
  r->plan->steps = steps;
  r->plan->step_count = n->count;
  for (uint32_t i = 0; i < n->count; i++) {
    if (!read_step(r, n->items[i], &steps[i])) return false;
  }
  return true;
}

static bool oracle_resources(reader *r, const node *n, void *out) {
  live_oracle *o = out;
  return reader_list(r, n, &o->resources) && check_resources(r, n->line, &o->resources);
}

static bool oracle_ignore(reader *r, const node *n, void *out) {
  live_oracle *o = out;
  return reader_list(r, n, &o->ignore) && check_resources(r, n->line, &o->ignore);
}

static bool lint_fail(reader *r, const node *n, void *out) {
  live_oracle *o = out;
  return reader_list(r, n, &o->fail) && check_lint_rules(r, n->line, &o->fail);
}

static bool lint_off(reader *r, const node *n, void *out) {
  live_oracle *o = out;
  return reader_list(r, n, &o->off) && check_lint_rules(r, n->line, &o->off);
}

static const field_row state_rows[] = {
    ROW_CUSTOM("resources", oracle_resources),
    ROW("mask", F_LIST, live_oracle, masks),
    ROW_CUSTOM("ignore", oracle_ignore),
};
static const field_row lint_rows[] = {
    ROW_CUSTOM("fail", lint_fail),
    ROW_CUSTOM("off", lint_off),
};
/* What may stand below an oracle; count 0: nothing. */
static const struct {
  const field_row *rows;
  size_t count;
} oracle_rows[ORACLE_COUNT] = {
    [ORACLE_END_STATE] = {state_rows, 3},
    [ORACLE_COUNTS] = {state_rows, 1},
    [ORACLE_NO_DUPLICATE] = {state_rows, 1},
    [ORACLE_LINT] = {lint_rows, 2},
};

static bool oracle_value(reader *r, const node *n, live_oracle *o) {
  bool on;
  const char *name = oracle_names[o->kind];
  switch (o->kind) {
  case ORACLE_QUIESCE_WITHIN: return reader_duration(r, n, &o->number);
  case ORACLE_NO_FLAP: return reader_int(r, n, &o->number);
  case ORACLE_EXPECT: return read_condition(r, n, &o->condition);
  case ORACLE_NEVER: return read_trigger(r, n, &o->never);
  default:
    if (n->kind == NODE_SCALAR) {
      return reader_bool(r, n, &on) &&
             (on || reader_fail(r, n->line, "leave %s out instead of saying false", name));
    }
    return oracle_rows[o->kind].count
               ? reader_map(r, n, name, oracle_rows[o->kind].rows, oracle_rows[o->kind].count, o)
               : reader_fail(r, n->line, "%s is a word by itself", name);
  }
}

static bool read_oracle(reader *r, slice key, const node *v, int line, live_oracle *o) {
  o->line = line;
  r->key = key;
  for (int k = 0; k < ORACLE_COUNT; k++) {
    if (!slice_is(key, oracle_names[k])) continue;
    o->kind = (oracle_kind)k;
    if (v) return oracle_value(r, v, o);
    bool needs = k == ORACLE_QUIESCE_WITHIN || k == ORACLE_NO_FLAP ||
                 k == ORACLE_EXPECT || k == ORACLE_NEVER;
    return !needs || reader_fail(r, line, "%s needs a value", oracle_names[k]);
  }
  return reader_fail(r, line, "unknown oracle \"%.*s\" (known: quiesceWithin, "
                     "endStateEqualsFaultFree, sameCreateDeleteCounts, noFlap, noDuplicateCreate, "
                     "clientsAlive, lint, expect, never)", SLICE_ARG(key));
}

bool read_oracles(reader *r, const node *n) {
  if (n->kind != NODE_LIST) return reader_fail(r, n->line, "oracles is a list");
  live_oracle *oracles = ARENA_ARRAY(r->a, live_oracle, n->count + 1);
  r->plan->oracles = oracles;
  r->plan->oracle_count = n->count;
  for (uint32_t i = 0; i < n->count; i++) {
    const node *item = n->items[i];
    bool word = item->kind == NODE_SCALAR;
    if (!word && (item->kind != NODE_MAP || item->count != 1)) {
      return reader_fail(r, item->line, "an oracle is a word or a map of one key");
    }
    slice key = word ? item->text : item->keys[0];
    if (!read_oracle(r, key, word ? NULL : item->items[0], item->line, &oracles[i])) return false;
  }
  return true;
}
