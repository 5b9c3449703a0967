/* An event's bytes are compared with the commit's; its place with the model's next transition. */
#include "sim/check/check_stream.h"

#include "sim/model/json_scan.h"
#include "sim/workload/client.h"
#include "sim/world/store_link.h"
#include "watch/window.h"

#include <assert.h>

static const char *const words[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"};

stream *stream_begin(client *owner, const view_filter *f, int64_t from, bool bookmarks,
                     bool initial) {
  world *w = owner->world;
  stream *s = ARENA_NEW(w->arena, stream);
  s->world = w;
  s->id = w->stream_count;
  s->owner = owner;
  s->epoch = w->epoch;
  s->filter = *f;
  s->from = s->position = from;
  s->bookmarks = bookmarks;
  s->initial = initial;
  w->streams = arena_more(w->arena, w->streams, w->stream_count, &w->stream_cap,
                          sizeof(stream *));
  w->streams[w->stream_count++] = s;
  return s;
}

void check_stream_world_lost(world *w) {
  for (uint32_t i = 0; i < w->stream_count; i++) w->streams[i]->call = NULL;
  w->epoch++;
}

static bool split(slice text, told_kind *kind, slice *object) {
  for (int i = 0; i <= TOLD_ERROR; i++) {
    char head[48];
    int n = snprintf(head, sizeof head, "{\"type\":\"%s\",\"object\":", words[i]);
    if (!slice_has_prefix(text, slice_of(head, (size_t)n))) continue;
    if (text.ptr[text.len - 1] != '}') return false;
    *kind = (told_kind)i;
    *object = slice_of(text.ptr + n, text.len - (size_t)n - 1);
    return true;
  }
  return false;
}

static int64_t *had_of(stream *s, uint32_t key) {
  if (key >= s->had_count) {
    uint32_t count = s->world->model->key_count + 16;
    int64_t *more = ARENA_ARRAY(s->world->arena, int64_t, count);
    if (s->had_count) memcpy(more, s->had, s->had_count * sizeof *more);
    s->had = more;
    s->had_count = count;
  }
  return &s->had[key];
}

static bool wrong(stream *s, check_id id, const char *what, int64_t revision, const commit *next) {
  return check_fail(s->world, id,
                    "stream %u (%s%u, from %lld, said all up to %lld): %s at %lld; next is %s%lld",
                    s->id, actor_word(s->owner->who.kind), s->owner->who.index,
                    (long long)s->from, (long long)s->position, what, (long long)revision,
                    next ? "" : "nothing, ", next ? (long long)next->revision : 0);
}

/* Where the event belongs, if not next: the kinder words for a violation. */
static bool misplaced(stream *s, const commit *c, const commit *next) {
  bool again = c->revision <= s->position;
  if (again) return wrong(s, CHECK_ORDER, "an event again, or late", c->revision, next);
  if (next && c->revision > next->revision) {
    return wrong(s, CHECK_STREAM, "an event is missing before that", c->revision, next);
  }
  return wrong(s, CHECK_STREAM, "an event that the filter does not tell of", c->revision, next);
}

/* What the stream has to say next. Of a revision with several changes some may be said. */
static const commit *next_of(const stream *s, transition *t) {
  const model *m = s->world->model;
  uint32_t from = model_index(m, s->position + 1);
  bool amid = s->told && m->commits[s->told - 1].revision == s->position;
  return model_next(m, &s->filter, amid ? s->told : from, t);
}

static bool live_event(stream *s, told_kind kind, const commit *c, slice object) {
  world *w = s->world;
  transition t;
  const commit *next = next_of(s, &t);
  CHECKED(w, ORDER);
  CHECKED(w, STREAM);
  if (next != c) return misplaced(s, c, next);
  told_kind wanted = t == TRANSITION_ADDED      ? TOLD_ADDED
                     : t == TRANSITION_MODIFIED ? TOLD_MODIFIED
                                                : TOLD_DELETED;
  if (kind != wanted) return wrong(s, CHECK_STREAM, "the type is wrong", c->revision, next);
  const commit *shown = c;
  bool leaves = kind == TOLD_DELETED && !c->deleted;
  slice expected = c->value;
  if (leaves) { /* the state before, with this event's version */
    SOMETIMES(w, SELECTOR_EXIT);
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)c->revision);
    shown = model_prev(w->model, c);
    expected = json_with_text(w->arena, shown->value, SLICE_LIT("\"resourceVersion\":\""),
                              slice_cstr(number));
  } else if (kind == TOLD_ADDED && model_prev(w->model, c) && !model_prev(w->model, c)->deleted) {
    SOMETIMES(w, SELECTOR_ENTER);
  }
  if (!slice_eq(object, expected)) {
    return wrong(s, CHECK_STREAM, "the object is another", c->revision, next);
  }
  s->position = c->revision;
  s->told = (uint32_t)(c - w->model->commits) + 1;
  s->seen_event = true;
  return true;
}

/* Before the end's bookmark: the state, and what has happened to it since. */
static bool initial_event(stream *s, told_kind kind, const commit *c, slice object) {
  CHECKED(s->world, INITIAL);
  int64_t *had = had_of(s, c->key);
  bool fits = kind == TOLD_ADDED ? *had == 0 : *had != 0;
  if (!fits || c->revision <= *had || !slice_eq(object, c->value)) {
    return wrong(s, CHECK_INITIAL, "an initial event that can't be", c->revision, NULL);
  }
  *had = kind == TOLD_DELETED ? 0 : c->revision;
  return true;
}

typedef struct initial_walk {
  stream *s;
  const commit *missing;
  uint32_t found;
} initial_walk;

static bool visit_initial(void *ctx, const commit *c) {
  initial_walk *i = ctx;
  if (*had_of(i->s, c->key) != c->revision) {
    i->missing = c;
    return false;
  }
  i->found++;
  return true;
}

static bool initial_end(stream *s, int64_t revision) {
  world *w = s->world;
  initial_walk walk = {.s = s};
  uint32_t told_of = 0;
  CHECKED(w, INITIAL);
  SOMETIMES(w, WATCH_LIST);
  if (s->initial_over) return wrong(s, CHECK_INITIAL, "a second end of the state", revision, NULL);
  if (revision < s->required) {
    return wrong(s, CHECK_INITIAL, "a state older than asked for", revision, NULL);
  }
  model_list(w->model, &s->filter, revision, visit_initial, &walk);
  for (uint32_t i = 0; i < s->had_count; i++) told_of += s->had[i] != 0;
  if (walk.missing || walk.found != told_of) {
    return wrong(s, CHECK_INITIAL, "the initial events are not the state", revision,
                 walk.missing);
  }
  s->initial_over = true;
  s->position = revision;
  return true;
}

static bool bookmark(stream *s, slice object, told *out) {
  world *w = s->world;
  int64_t revision = json_revision(object);
  transition t;
  out->revision = revision;
  out->initial_end = memmem(object.ptr, object.len, "k8s.io/initial-events-end", 25) != NULL;
  CHECKED(w, BOOKMARK);
  if (!s->bookmarks) return wrong(s, CHECK_BOOKMARK, "a bookmark nobody asked for", revision, NULL);
  if (revision > model_revision(w->model)) {
    return wrong(s, CHECK_BOOKMARK, "a bookmark from the future", revision, NULL);
  }
  if (out->initial_end) return initial_end(s, revision);
  if (s->initial && !s->initial_over) {
    return wrong(s, CHECK_INITIAL, "a bookmark amid the initial events", revision, NULL);
  }
  SOMETIMES(w, BOOKMARK);
  if (revision < s->position) {
    return wrong(s, CHECK_BOOKMARK, "a bookmark behind what was said", revision, NULL);
  }
  const commit *next = next_of(s, &t);
  if (next && next->revision <= revision) {
    return wrong(s, CHECK_BOOKMARK, "a bookmark ahead of an event", revision, next);
  }
  if (revision > s->position) SOMETIMES(w, LATE_BOOKMARK);
  s->position = revision;
  return true;
}

/* More events of the resource than a window is sure to hold came behind the stream's beginning. */
static bool is_crowded(const stream *s) {
  const model *m = s->world->model;
  uint32_t n = 0;
  for (uint32_t i = model_index(m, s->from + 1); i < m->count && n <= WINDOW_EVENTS_MIN; i++) {
    uint32_t key = m->commits[i].key;
    n += key != NO_KEY && m->keys[key].kind == s->filter.kind;
  }
  return n > WINDOW_EVENTS_MIN;
}

/* With the embedded store: it has been dropped where it was to be looked for. */
static bool is_dropped(const stream *s) {
  const sim_server *by = s->call->server;
  bool by_store = s->from < store_link_compacted(by);
  if (!s->world->draw->watch_window) return by_store;
  return is_crowded(s) || (by_store && s->from < by->began_at);
}

static bool error_event(stream *s, slice object, told *out) {
  world *w = s->world;
  s->failed = true;
  out->code = (int)json_number_of(object, SLICE_LIT("\"code\":"));
  if (out->code != 410) return true;
  SOMETIMES(w, GONE_WATCH);
  int64_t kept = store_link_compacted(s->call->server);
  bool restarted = s->call->server->life != s->call->server_life;
  /* a stream that has begun may end so too, when a server's copy is made anew */
  bool may = restarted || w->draw->etcd_model || is_dropped(s);
  CHECK_THAT(w, WINDOW, may, "stream %u: 410 for version %lld, %lld is kept", s->id,
             (long long)s->from, (long long)kept);
  return true;
}

static bool object_event(stream *s, told_kind kind, slice object, told *out) {
  world *w = s->world;
  int64_t revision = json_revision(object);
  const commit *c = model_at(w->model, revision), *same = c;
  while (same && !slice_eq(same->value, object)) same = model_more(w->model, same);
  if (same) c = same; /* of several changes, the one that looks so */
  if (!c || c->key == NO_KEY) {
    return wrong(s, CHECK_STREAM, "an event of a version that is none", revision, NULL);
  }
  out->revision = revision;
  out->key = c->key;
  out->commit = c;
  world_line(w, s->owner->who, EV_WATCH_EVENT, actor_of_server(s->call->server), s->id, revision,
             0, w->model->keys[c->key].text);
  if (s->initial && !s->initial_over) return initial_event(s, kind, c, object);
  if (!s->seen_event && s->from > 0 && !s->initial) {
    CHECK_THAT(w, WINDOW, s->from >= s->call->compacted || w->draw->watch_window,
               "stream %u began at %lld, %lld was dropped before", s->id, (long long)s->from,
               (long long)s->call->compacted);
  }
  return live_event(s, kind, c, object);
}

bool stream_line(stream *s, slice text, told *out) {
  told_kind kind;
  slice object;
  *out = (told){.kind = TOLD_NOTHING, .key = NO_KEY};
  bool unaware = s->call->begun_ns < s->call->server->aware_ns;
  if (unaware || s->epoch != s->world->epoch) return true; /* the world began anew */
  if (s->call->server->life != s->call->server_life) return true;
  if (!split(text, &kind, &object)) {
    return wrong(s, CHECK_HTTP, "a line that is no event", 0, NULL);
  }
  out->kind = (uint8_t)kind;
  if (s->failed) return wrong(s, CHECK_ORDER, "something behind an ERROR", 0, NULL);
  if (kind == TOLD_ERROR) return error_event(s, object, out);
  if (kind == TOLD_BOOKMARK) return bookmark(s, object, out);
  return object_event(s, kind, object, out);
}
