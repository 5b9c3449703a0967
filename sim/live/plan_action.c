/* Actions: `do:` of a plan's faults. The first key of an item says which; a row says what else
 * may stand beside it. */
#include "sim/live/reader.h"

#include "base/status_error.h"

typedef struct action_row {
  const char *key;
  action_kind kind;
  bool (*value)(reader *r, const node *n, live_action *out);
  const char *with; /* keys that may stand beside it, separated by blanks */
} action_row;

static bool value_flag(reader *r, const node *n, live_action *out) {
  (void)out;
  bool on;
  return reader_bool(r, n, &on) &&
         (on || reader_fail(r, n->line, "true is wanted: leave the action out instead"));
}

/* "true", "until" (with a trigger beside it), or a duration. */
static bool value_hold(reader *r, const node *n, live_action *out) {
  if (n->kind == NODE_SCALAR && (slice_is(n->text, "true") || slice_is(n->text, "until"))) {
    return true;
  }
  return reader_duration(r, n, &out->duration_ns);
}

static bool value_duration(reader *r, const node *n, live_action *out) {
  return reader_duration(r, n, &out->duration_ns);
}

/* The clock may also go back. */
static bool value_jump(reader *r, const node *n, live_action *out) {
  return reader_time_jump(r, n, &out->duration_ns);
}

static bool value_number(reader *r, const node *n, live_action *out) {
  return reader_int(r, n, &out->number);
}

static bool value_reply(reader *r, const node *n, live_action *out) {
  static const int64_t codes[] = {409, 410, 429, 500, 503, 504};
  if (!reader_int(r, n, &out->number)) return false;
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    if (codes[i] == out->number) return true;
  }
  return reader_fail(r, n->line, "a reply is 409, 410, 429, 500, 503 or 504");
}

static bool value_cut(reader *r, const node *n, live_action *out) {
  if (n->kind == NODE_SCALAR && slice_is(n->text, "stream")) {
    out->where = CUT_STREAM;
    return true;
  }
  if (n->kind == NODE_SCALAR && slice_is(n->text, "middle")) {
    out->where = CUT_MIDDLE;
    return true;
  }
  return value_flag(r, n, out);
}

static bool value_chance(reader *r, const node *n, live_action *out) {
  if (n->kind == NODE_SCALAR && slice_is(n->text, "true")) return true;
  if (!reader_number(r, n, &out->p)) return false;
  return (out->p > 0 && out->p <= 1) || reader_fail(r, n->line, "true or a chance is wanted");
}

static bool value_client(reader *r, const node *n, live_action *out) {
  if (n->kind != NODE_SCALAR) return reader_fail(r, n->line, "the name of a client is wanted");
  out->client = n->text;
  return reader_client(r, n->line, n->text);
}

static bool value_server(reader *r, const node *n, live_action *out) {
  uint32_t index;
  if (!reader_server(r, n, &index)) return false;
  out->server = n->text;
  return true;
}

/* 5, or "keepLast 5". */
static bool value_compact(reader *r, const node *n, live_action *out) {
  static const char words[] = "keepLast ";
  if (n->kind == NODE_SCALAR && slice_has_prefix(n->text, SLICE_LIT("keepLast "))) {
    node rest = *n;
    rest.text = slice_from(n->text, sizeof words - 1);
    return reader_int(r, &rest, &out->number);
  }
  return reader_int(r, n, &out->number);
}

/* A hold's end, or until when a standing action stands. */
static bool value_until(reader *r, const node *n, live_action *out) {
  return read_trigger(r, n, &out->until);
}

static const action_row action_rows[] = {
    {"hold", ACT_HOLD, value_hold, "until coalesce client resource"},
    {"coalesce", ACT_COALESCE, value_flag, "client resource"},
    {"expire", ACT_EXPIRE, value_flag, "client resource"},
    {"reply", ACT_REPLY, value_reply, "retryAfter reason message p client resource until"},
    {"cut", ACT_CUT, value_cut, "client resource"},
    {"duplicate", ACT_DUPLICATE, value_flag, ""},
    {"closeWatch", ACT_CLOSE_WATCH, value_flag, "client resource"},
    {"dropBookmarks", ACT_DROP_BOOKMARKS, value_chance, "client resource until"},
    {"delayBookmarks", ACT_DELAY_BOOKMARKS, value_duration, "client resource until"},
    {"delayInitialEventsEnd", ACT_DELAY_INITIAL_END, value_duration, "client resource until"},
    {"slowConsumer", ACT_SLOW_CONSUMER, value_number, "client resource until"},
    {"compact", ACT_COMPACT, value_compact, ""},
    {"killClient", ACT_KILL_CLIENT, value_client, ""},
    {"restartClient", ACT_RESTART_CLIENT, value_client, "server after"},
    {"pauseClient", ACT_PAUSE_CLIENT, value_client, "for"},
    {"moveClient", ACT_MOVE_CLIENT, value_client, "server"},
    {"freeze", ACT_FREEZE, value_server, ""},
    {"thaw", ACT_THAW, value_server, ""},
    {"jumpClock", ACT_JUMP_CLOCK, value_jump, ""},
    {"advance", ACT_ADVANCE, value_duration, ""},
};
#define ACTIONS (sizeof action_rows / sizeof action_rows[0])

static bool value_p(reader *r, const node *n, live_action *out) {
  return value_chance(r, n, out);
}

static bool value_retry(reader *r, const node *n, live_action *out) {
  return reader_int(r, n, &out->retry_after_s);
}

static bool value_reason(reader *r, const node *n, live_action *out) {
  out->reason = n->text;
  for (int i = 0; n->kind == NODE_SCALAR && i <= STATUS_TIMEOUT; i++) {
    if (slice_is(n->text, status_reason_text((status_reason)i))) return true;
  }
  return reader_fail(r, n->line, "a reason of a Status is wanted, like AlreadyExists");
}

static bool value_message(reader *r, const node *n, live_action *out) {
  out->message = n->text;
  return n->kind == NODE_SCALAR || reader_fail(r, n->line, "a text is wanted");
}

static bool value_resources(reader *r, const node *n, live_action *out) {
  return reader_list(r, n, &out->resources) && check_resources(r, n->line, &out->resources);
}

/* hold and coalesce may be written in one item: {hold: true, coalesce: true}. */
static bool value_with_coalesce(reader *r, const node *n, live_action *out) {
  if (!value_flag(r, n, out)) return false;
  out->number = 1;
  return true;
}

static const action_row with_rows[] = {
    {"until", ACT_COUNT, value_until, NULL},
    {"coalesce", ACT_COUNT, value_with_coalesce, NULL},
    {"p", ACT_COUNT, value_p, NULL},
    {"retryAfter", ACT_COUNT, value_retry, NULL},
    {"reason", ACT_COUNT, value_reason, NULL},
    {"message", ACT_COUNT, value_message, NULL},
    {"client", ACT_COUNT, value_client, NULL},
    {"resource", ACT_COUNT, value_resources, NULL},
    {"server", ACT_COUNT, value_server, NULL},
    {"after", ACT_COUNT, value_duration, NULL},
    {"for", ACT_COUNT, value_duration, NULL},
};

static const action_row *find(const action_row *rows, size_t count, slice key) {
  for (size_t i = 0; i < count; i++) {
    if (slice_is(key, rows[i].key)) return &rows[i];
  }
  return NULL;
}

static bool allows(const action_row *row, slice key) {
  slice word, rest = slice_cstr(row->with);
  while (rest.len) {
    slice_cut(rest, ' ', &word, &rest);
    if (slice_eq(word, key)) return true;
  }
  return false;
}

static bool unknown_action(reader *r, const node *n) {
  buf known;
  buf_init(&known, 4096);
  for (size_t i = 0; i < ACTIONS; i++) {
    buf_printf(&known, "%s%s", i ? ", " : "", action_rows[i].key);
  }
  reader_fail(r, n->line, "unknown action \"%.*s\" (known: %.*s)", SLICE_ARG(n->keys[0]),
              SLICE_ARG(buf_slice(&known)));
  buf_dispose(&known);
  return false;
}

static bool read_action(reader *r, const node *n, live_action *out) {
  if (n->kind != NODE_MAP || n->count == 0) {
    return reader_fail(r, n->line, "an action is a map, like {hold: 2s}");
  }
  const action_row *row = find(action_rows, ACTIONS, n->keys[0]);
  if (!row) return unknown_action(r, n);
  *out = (live_action){.kind = row->kind, .line = n->line, .p = 1};
  r->key = n->keys[0];
  if (!row->value(r, n->items[0], out)) return false;
  for (uint32_t i = 1; i < n->count; i++) {
    const action_row *with =
        find(with_rows, sizeof with_rows / sizeof with_rows[0], n->keys[i]);
    if (!with || !allows(row, n->keys[i])) {
      return reader_fail(r, n->items[i]->line, "unknown key \"%.*s\" beside %s (known: %s)",
                         SLICE_ARG(n->keys[i]), row->key, *row->with ? row->with : "none");
    }
    r->key = n->keys[i];
    if (!with->value(r, n->items[i], out)) return false;
  }
  bool needs_server = row->kind == ACT_MOVE_CLIENT && out->server.len == 0;
  if (needs_server) return reader_fail(r, n->line, "moveClient needs a server");
  bool clock = row->kind == ACT_JUMP_CLOCK || row->kind == ACT_ADVANCE;
  if (clock && !r->plan->virtual_clock) {
    return reader_fail(r, n->line, "%s needs \"clock: virtual\" in the plan (or --clock virtual)",
                       row->key);
  }
  return true;
}

bool read_actions(reader *r, const node *n, const live_action **out, uint32_t *count) {
  bool list = n->kind == NODE_LIST;
  *count = list ? n->count : 1;
  live_action *actions = ARENA_ARRAY(r->a, live_action, *count + 1);
  *out = actions;
  if (*count == 0) return reader_fail(r, n->line, "do needs at least one action");
  for (uint32_t i = 0; i < *count; i++) {
    if (!read_action(r, list ? n->items[i] : n, &actions[i])) return false;
  }
  return true;
}
