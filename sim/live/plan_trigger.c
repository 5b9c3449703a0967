/* Triggers: `on:` and `until:` of a plan. */
#include "sim/live/reader.h"

const char *const live_point_names[POINT_COUNT] = {
    [POINT_BEFORE_RECEIVE] = "beforeReceive", [POINT_BEFORE_COMMIT] = "beforeCommit",
    [POINT_AFTER_COMMIT] = "afterCommit",     [POINT_AFTER_RECEIVE] = "afterReceive",
    [POINT_BEFORE_DELIVER] = "beforeDeliver", [POINT_AFTER_DELIVER] = "afterDeliver",
};

static const field_row field_rows[] = {
    ROW("path", F_TEXT, live_field, path),
    ROW("changed", F_BOOL, live_field, changed),
    ROW_CUSTOM("before", NULL),
    ROW_CUSTOM("after", NULL),
};

static bool field_before(reader *r, const node *n, void *out) {
  return read_predicate(r, n, &((live_field *)out)->before);
}

static bool field_after(reader *r, const node *n, void *out) {
  return read_predicate(r, n, &((live_field *)out)->after);
}

static bool read_field(reader *r, const node *n, live_field *out) {
  field_row rows[sizeof field_rows / sizeof field_rows[0]];
  memcpy(rows, field_rows, sizeof rows);
  rows[2].custom = field_before;
  rows[3].custom = field_after;
  if (!reader_map(r, n, "field", rows, sizeof rows / sizeof rows[0], out)) return false;
  return out->path.len || reader_fail(r, n->line, "a field needs its path");
}

/* One map, or a list of them that must all fit. */
static bool match_fields(reader *r, const node *n, void *out) {
  live_match *m = out;
  bool list = n->kind == NODE_LIST;
  m->field_count = list ? n->count : 1;
  m->fields = ARENA_ARRAY(r->a, live_field, m->field_count + 1);
  for (uint32_t i = 0; i < m->field_count; i++) {
    if (!read_field(r, list ? n->items[i] : n, &m->fields[i])) return false;
  }
  return true;
}

static bool match_clients(reader *r, const node *n, void *out) {
  live_match *m = out;
  if (!reader_list(r, n, &m->clients)) return false;
  for (uint32_t i = 0; i < m->clients.count; i++) {
    slice name = m->clients.items[i];
    if (!slice_is(name, "scenario") && !reader_client(r, n->line, name)) return false;
  }
  return true;
}

static const field_row match_rows[] = {
    ROW_CUSTOM("client", match_clients),
    ROW("verb", F_LIST, live_match, verbs),
    ROW("resource", F_LIST, live_match, resources),
    ROW("subresource", F_LIST, live_match, subresources),
    ROW("namespace", F_LIST, live_match, namespaces),
    ROW("name", F_LIST, live_match, names),
    ROW("key", F_LIST, live_match, keys),
    ROW("type", F_LIST, live_match, types),
    ROW("status", F_LIST, live_match, statuses),
    ROW_SET("initial", F_BOOL, live_match, initial, initial_set),
    ROW_CUSTOM("field", match_fields),
    ROW("n", F_COUNT, live_match, n),
    ROW("everyNth", F_COUNT, live_match, every),
    ROW("from", F_COUNT, live_match, from),
    ROW("p", F_CHANCE, live_match, p),
};

bool read_match(reader *r, const node *n, live_match *out) {
  out->p = 1;
  return reader_map(r, n, "a trigger", match_rows, sizeof match_rows / sizeof match_rows[0], out);
}

static bool read_into(reader *r, const node *n, live_trigger *t);

static bool read_parts(reader *r, const node *n, live_trigger *t) {
  if (n->kind != NODE_LIST || n->count == 0) {
    return reader_fail(r, n->line, "a list of triggers is wanted");
  }
  live_trigger *parts = ARENA_ARRAY(r->a, live_trigger, n->count);
  t->parts = parts;
  t->count = n->count;
  for (uint32_t i = 0; i < n->count; i++) {
    if (!read_into(r, n->items[i], &parts[i])) return false;
    if (parts[i].op == TRIGGER_NOT && t->op != TRIGGER_ALL) {
      return reader_fail(r, n->items[i]->line, "not stands only inside of all");
    }
  }
  return true;
}

static bool read_not(reader *r, const node *n, live_trigger *t) {
  live_trigger *part = ARENA_NEW(r->a, live_trigger);
  t->parts = part;
  t->count = 1;
  return read_into(r, n, part);
}

static const struct {
  const char *key;
  trigger_op op;
} op_rows[] = {
    {"all", TRIGGER_ALL},     {"any", TRIGGER_ANY},   {"not", TRIGGER_NOT},
    {"sequence", TRIGGER_SEQUENCE}, {"at", TRIGGER_AT},     {"every", TRIGGER_EVERY},
    {"step", TRIGGER_STEP},   {"revision", TRIGGER_REVISION},
};

static bool read_op(reader *r, const node *n, live_trigger *t) {
  switch (t->op) {
  case TRIGGER_NOT: return read_not(r, n, t);
  case TRIGGER_AT:
  case TRIGGER_EVERY:
    if (!reader_duration(r, n, &t->value)) return false;
    return t->value > 0 || t->op == TRIGGER_AT || reader_fail(r, n->line, "every needs some time");
  case TRIGGER_STEP:
  case TRIGGER_REVISION: return reader_count(r, n, &t->value);
  default: return read_parts(r, n, t);
  }
}

static bool read_into(reader *r, const node *n, live_trigger *t) {
  if (n->kind != NODE_MAP || n->count != 1) {
    return reader_fail(r, n->line, "a trigger is a map of one key, like {afterCommit: {...}}");
  }
  t->line = n->line;
  t->id = r->next_trigger++;
  if (r->next_trigger > LIVE_TRIGGERS_MAX) return reader_fail(r, n->line, "too many triggers");
  slice key = r->key = n->keys[0];
  for (int i = 0; i < POINT_COUNT; i++) {
    if (!slice_is(key, live_point_names[i])) continue;
    t->op = TRIGGER_EVENT;
    t->point = (live_point)i;
    return read_match(r, n->items[0], &t->match) && check_match(r, t);
  }
  for (size_t i = 0; i < sizeof op_rows / sizeof op_rows[0]; i++) {
    if (!slice_is(key, op_rows[i].key)) continue;
    t->op = op_rows[i].op;
    return read_op(r, n->items[0], t);
  }
  return reader_fail(r, n->line, "unknown trigger \"%.*s\" (known: beforeReceive, beforeCommit, "
                     "afterCommit, afterReceive, beforeDeliver, afterDeliver, all, any, not, "
                     "sequence, at, every, step, revision)", SLICE_ARG(key));
}

bool read_trigger(reader *r, const node *n, const live_trigger **out) {
  live_trigger *t = ARENA_NEW(r->a, live_trigger);
  *out = t;
  if (!read_into(r, n, t)) return false;
  return t->op != TRIGGER_NOT || reader_fail(r, n->line, "not stands only inside of all");
}
