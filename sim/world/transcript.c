/* Lines are kept as numbers and made into text only when somebody reads them. */
#include "sim/world/transcript.h"

#include "base/heap.h"

#include <assert.h>

static const char *const actor_words[ACTOR_KINDS + 1] = {
    "world", "server", "store", "writer", "informer", "pager", "controller", "elector", "player",
    "check", "-"};

static const struct {
  const char *word, *names[3]; /* of the numbers; NULL: not shown */
} rows[EV_KINDS] = {
    [EV_PHASE] = {"phase", {0}},
    [EV_SERVER_UP] = {"up", {"life", "rv"}},
    [EV_SERVER_DOWN] = {"down", {"life"}},
    [EV_FAULT] = {"fault", {"no", "class", "arg"}},
    [EV_FAULT_END] = {"fault-end", {"no", "class"}},
    [EV_CONNECT] = {"connect", {"conn"}},
    [EV_CLOSED] = {"closed", {"conn"}},
    [EV_REQUEST] = {"request", {"op", "rv"}},
    [EV_ARRIVES] = {"arrives", {"conn", "bytes"}},
    [EV_SENDS] = {"sends", {"conn", "bytes"}},
    [EV_ANSWER] = {"answer", {"op", "status", "rv"}},
    [EV_NO_ANSWER] = {"no-answer", {"op"}},
    [EV_COMMIT] = {"commit", {"rv", "op", "deleted"}},
    [EV_WATCH_EVENT] = {"event", {"stream", "rv"}},
    [EV_RELIST] = {"relist", {"rv", "items"}},
    [EV_NOTE] = {"note", {"n"}},
    [EV_STORE] = {"store", {"txn", "rv"}},
    [EV_VIOLATION] = {"VIOLATION", {"check"}},
};

const char *actor_word(uint8_t kind) { return actor_words[kind]; }
const char *event_word(uint8_t what) { return rows[what].word; }

const char *event_number(uint8_t what, unsigned k) { return rows[what].names[k]; }

void transcript_init(transcript *t, bool recording, FILE *out) {
  memset(t, 0, sizeof *t);
  t->hash = 0x9e3779b97f4a7c15u;
  t->recording = recording;
  t->out = out;
}

void transcript_dispose(transcript *t) {
  heap_free(t->all);
  t->all = NULL;
}

void transcript_mix(transcript *t, uint64_t n) {
  uint64_t h = (t->hash ^ n) * 0xff51afd7ed558ccdu;
  t->hash = h ^ (h >> 32);
}

/* Eight bytes a step, put together by value so that the byte order does not matter. */
void transcript_bytes(transcript *t, slice s) {
  uint64_t h = t->hash;
  size_t i = 0;
  for (; i + 8 <= s.len; i += 8) {
    uint64_t n;
    memcpy(&n, s.ptr + i, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    n = __builtin_bswap64(n);
#endif
    h = (h ^ n) * 0x9fb21c651e98df25u;
    h ^= h >> 29;
  }
  uint64_t rest = s.len;
  for (; i < s.len; i++) rest = rest << 8 | (unsigned char)s.ptr[i];
  h = (h ^ rest) * 0xff51afd7ed558ccdu;
  t->hash = h ^ (h >> 32);
}

static void print(const line *l, FILE *out) {
  char text[400];
  size_t n = line_format(l, text, sizeof text);
  fprintf(out, "%.*s\n", (int)n, text);
}

void transcript_add(transcript *t, const line *l) {
  assert(l->what < EV_KINDS && l->text_len <= LINE_TEXT);
  transcript_mix(t, (uint64_t)l->at_ns);
  transcript_mix(t, (uint64_t)l->what << 32 | (uint64_t)l->who.kind << 24 |
                        (uint64_t)l->who.index << 16 | (uint64_t)l->peer.kind << 8 | l->peer.index);
  for (int i = 0; i < 3; i++) transcript_mix(t, (uint64_t)l->n[i]);
  transcript_bytes(t, slice_of(l->text, l->text_len));
  t->ring[t->count % LINES_KEPT] = *l;
  if (t->recording) {
    if (t->count == t->all_cap) {
      t->all_cap = t->all_cap ? t->all_cap * 2 : 4096;
      t->all = heap_realloc(t->all, t->all_cap * sizeof *t->all);
    }
    t->all[t->count] = *l;
    t->all[t->count].hash = t->hash;
  }
  t->count++;
  if (t->out) print(l, t->out);
}

bool line_same(const line *a, const line *b) {
  return a->turn == b->turn && a->at_ns == b->at_ns && a->what == b->what &&
         memcmp(a->n, b->n, sizeof a->n) == 0 && memcmp(&a->who, &b->who, sizeof a->who) == 0 &&
         memcmp(&a->peer, &b->peer, sizeof a->peer) == 0 &&
         slice_eq(slice_of(a->text, a->text_len), slice_of(b->text, b->text_len));
}

size_t actor_format(actor a, char *out, size_t size) {
  bool single = a.kind == ACTOR_WORLD || a.kind == ACTOR_STORE || a.kind == ACTOR_CHECK;
  int n;
  if (a.kind >= ACTOR_KINDS) n = snprintf(out, size, "-");
  else if (single) n = snprintf(out, size, "%s", actor_words[a.kind]);
  else n = snprintf(out, size, "%s%u", actor_words[a.kind], a.index);
  return (size_t)n < size ? (size_t)n : size - 1;
}

size_t line_format(const line *l, char *out, size_t size) {
  char who[24], peer[24];
  actor_format(l->who, who, sizeof who);
  actor_format(l->peer, peer, sizeof peer);
  int n = snprintf(out, size, "%6llu %11.6f %-12s %-10s %-8s", (unsigned long long)l->turn,
                   (double)l->at_ns / 1e9, who, rows[l->what].word, peer);
  for (int i = 0; i < 3; i++) {
    if (!rows[l->what].names[i]) continue;
    n += snprintf(out + n, size - (size_t)n, " %s=%lld", rows[l->what].names[i],
                  (long long)l->n[i]);
  }
  if (l->text_len) n += snprintf(out + n, size - (size_t)n, " %.*s", (int)l->text_len, l->text);
  return (size_t)n < size ? (size_t)n : size - 1;
}

void transcript_tail(const transcript *t, FILE *out, uint32_t lines) {
  uint64_t kept = t->count < LINES_KEPT ? t->count : LINES_KEPT;
  if (lines > kept) lines = (uint32_t)kept;
  for (uint64_t i = t->count - lines; i < t->count; i++) print(&t->ring[i % LINES_KEPT], out);
}
