/* The machine: a state is a character class, a place, or a fork. All states that the text so far
 * can be in are followed at once (Thompson), a set of them for each character; a set holds each
 * state once, which is what bounds the time. */
#include "crd/pattern_internal.h"

#include "base/ascii.h"
#include "base/heap.h"

typedef enum state_op { STATE_MATCH, STATE_CLASS, STATE_ASSERT, STATE_FORK } state_op;

typedef struct state {
  uint8_t op, assert;
  const rune_class *set;
  uint32_t next, other; /* other: of a fork */
} state;

struct pattern {
  state *states;
  uint32_t count, cap, start;
  bool anchored; /* matches only from the text's beginning */
};

static uint32_t state_add(arena *a, pattern *p, state s) {
  p->states = arena_more(a, p->states, p->count, &p->cap, sizeof *p->states);
  p->states[p->count] = s;
  return p->count++;
}

static uint32_t emit(arena *a, pattern *p, const rx *n, uint32_t next);

static uint32_t fork_to(arena *a, pattern *p, uint32_t next, uint32_t other) {
  return state_add(a, p, (state){.op = STATE_FORK, .next = next, .other = other});
}

static uint32_t emit_repeat(arena *a, pattern *p, const rx *n, uint32_t next) {
  uint32_t at = next;
  int copies = n->min;
  if (n->max < 0) {
    uint32_t loop = fork_to(a, p, next, next);
    uint32_t body = emit(a, p, n->subs[0], loop);
    p->states[loop].next = body;
    at = n->min ? body : loop;
    if (copies) copies--;
  } else {
    for (int i = n->min; i < n->max; i++) at = fork_to(a, p, emit(a, p, n->subs[0], at), next);
  }
  for (int i = 0; i < copies; i++) at = emit(a, p, n->subs[0], at);
  return at;
}

/* The states of n, which lead to next: where they begin. */
static uint32_t emit(arena *a, pattern *p, const rx *n, uint32_t next) {
  switch ((rx_op)n->op) {
    case RX_EMPTY: return next;
    case RX_CLASS:
      return state_add(a, p, (state){.op = STATE_CLASS, .set = &n->set, .next = next});
    case RX_ASSERT:
      return state_add(a, p, (state){.op = STATE_ASSERT, .assert = n->assert, .next = next});
    case RX_CAPTURE: return emit(a, p, n->subs[0], next);
    case RX_REPEAT: return emit_repeat(a, p, n, next);
    case RX_CONCAT:
      for (uint32_t i = n->count; i > 0; i--) next = emit(a, p, n->subs[i - 1], next);
      return next;
    case RX_ALTERNATE: break;
  }
  uint32_t at = emit(a, p, n->subs[n->count - 1], next);
  for (uint32_t i = n->count - 1; i > 0; i--)
    at = fork_to(a, p, emit(a, p, n->subs[i - 1], next), at);
  return at;
}

static bool begins_text(const rx *n) {
  if (n->op == RX_ASSERT) return n->assert == AT_TEXT_BEGIN;
  return (n->op == RX_CONCAT || n->op == RX_CAPTURE) && begins_text(n->subs[0]);
}

const pattern *pattern_compile(arena *a, slice text, slice *error) {
  const rx *tree = pattern_parse(a, text, error);
  if (!tree) return NULL;
  pattern *p = ARENA_NEW(a, pattern);
  uint32_t match = state_add(a, p, (state){.op = STATE_MATCH});
  p->start = emit(a, p, tree, match);
  p->anchored = begins_text(tree);
  return p;
}

/* A set of states that is emptied at once: dense lists them, sparse says where. */
typedef struct state_set {
  uint32_t *dense, *sparse;
  uint32_t count;
} state_set;

static bool set_add(state_set *s, uint32_t at) {
  if (s->sparse[at] < s->count && s->dense[s->sparse[at]] == at) return false;
  s->sparse[at] = s->count;
  s->dense[s->count++] = at;
  return true;
}

/* Adds the state and all that is reached from it without reading, where `places` hold. True: the
 * match is among them. stack has room for two entries a state. */
static bool follow(const pattern *p, state_set *set, uint32_t at, unsigned places,
                   uint32_t *stack) {
  uint32_t depth = 0;
  stack[depth++] = at;
  while (depth) {
    at = stack[--depth];
    if (!set_add(set, at)) continue;
    const state *s = p->states + at;
    if (s->op == STATE_MATCH) return true;
    if (s->op == STATE_ASSERT && (s->assert & places)) stack[depth++] = s->next;
    if (s->op != STATE_FORK) continue;
    stack[depth++] = s->other;
    stack[depth++] = s->next;
  }
  return false;
}

static bool is_word(int64_t rune) {
  return rune >= 0 && rune < 0x80 && (rune == '_' || ascii_is_alnum((char)rune));
}

/* What holds between two characters; -1 is outside of the text. */
static unsigned places_of(int64_t before, int64_t after) {
  unsigned places = is_word(before) != is_word(after) ? AT_WORD : AT_NO_WORD;
  if (before < 0) places |= AT_TEXT_BEGIN;
  if (before < 0 || before == '\n') places |= AT_LINE_BEGIN;
  if (after < 0) places |= AT_TEXT_END;
  if (after < 0 || after == '\n') places |= AT_LINE_END;
  return places;
}

static int64_t rune_next(slice text, size_t *size) {
  return text.len ? (int64_t)rune_decode(text, size) : -1;
}

static bool run(const pattern *p, slice text, state_set *now, state_set *then, uint32_t *stack) {
  int64_t before = -1;
  size_t size = 0;
  int64_t rune = rune_next(text, &size);
  if (follow(p, now, p->start, places_of(-1, rune), stack)) return true;
  while (rune >= 0) {
    text = slice_from(text, size);
    before = rune;
    rune = rune_next(text, &size);
    unsigned places = places_of(before, rune);
    then->count = 0;
    for (uint32_t i = 0; i < now->count; i++) {
      const state *s = p->states + now->dense[i];
      if (s->op == STATE_CLASS && class_has(s->set, (uint32_t)before) &&
          follow(p, then, s->next, places, stack))
        return true;
    }
    if (!p->anchored && follow(p, then, p->start, places, stack)) return true;
    if (p->anchored && then->count == 0) return false;
    state_set *swap = now;
    now = then;
    then = swap;
  }
  return false;
}

bool pattern_matches(const pattern *p, slice text) {
  size_t n = p->count;
  uint32_t *room = heap_zalloc(sizeof *room * (6 * n + 2));
  state_set now = {room, room + n, 0}, then = {room + 2 * n, room + 3 * n, 0};
  bool found = run(p, text, &now, &then, room + 4 * n);
  heap_free(room);
  return found;
}
