/* The maps behind pairing.h: one of each direction a class, so that neither side can stand for
 * two values of the other. */
#include "sim/replay/pairing.h"

#include "sim/replay/tokens.h"
#include "sim/replay/versions.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>

#define BOOTSTRAP_SECONDS 3600 /* a server may have been up that long before a tape began */
#define CLOCK_SLACK 2

struct pairing {
  arena *arena;
  json_t *there[PAIR_CLASSES], *back[PAIR_CLASSES];
  versions versions;
  int64_t tape_start, replay_start, length, slack, replay_now;
};

pairing *pairing_create(arena *a) {
  pairing *p = ARENA_NEW(a, pairing);
  p->arena = a;
  for (int i = 0; i < PAIR_CLASSES; i++) {
    p->there[i] = json_object();
    p->back[i] = json_object();
  }
  versions_init(&p->versions);
  return p;
}

void pairing_destroy(pairing *p) {
  for (int i = 0; i < PAIR_CLASSES; i++) {
    json_decref(p->there[i]);
    json_decref(p->back[i]);
  }
  versions_dispose(&p->versions);
}

void pairing_clock(pairing *p, int64_t tape_start, int64_t replay_start, int64_t length,
                   int64_t slack) {
  p->tape_start = tape_start;
  p->replay_start = p->replay_now = replay_start;
  p->length = length;
  p->slack = slack;
}

void pairing_now(pairing *p, int64_t replay_now) {
  p->replay_now = replay_now;
}

void pairing_first_version(pairing *p, int64_t expected) {
  p->versions.first = expected;
}

/* The key of a jansson map is borrowed for the call only. */
static const char *mapped(json_t *map, slice key) {
  return json_string_value(json_object_getn(map, key.ptr, key.len));
}

static void map_set(json_t *map, slice key, slice value) {
  json_object_setn_new(map, key.ptr, key.len, json_stringn(value.ptr, value.len));
}

/* Times: from before the tape (bootstrap), of the tape, or ahead of it (expiry, grace). */
static bool match_time(pairing *p, slice expected, slice actual) {
  int64_t e, a;
  if (expected.len != actual.len || !token_time(expected, &e) || !token_time(actual, &a)) {
    return false;
  }
  int64_t from_tape = e - p->tape_start, from_replay = a - p->replay_start;
  if (from_tape < -BOOTSTRAP_SECONDS) {
    return false;
  }
  if (from_tape <= 1 && from_replay <= CLOCK_SLACK) {
    return from_replay >= -BOOTSTRAP_SECONDS; /* both made while the server started */
  }
  if (p->tape_start == p->replay_start) { /* the replay's clock was set to the tape's */
    return a - e <= CLOCK_SLACK && e - a <= CLOCK_SLACK;
  }
  if (from_tape <= p->length + CLOCK_SLACK && from_replay >= -CLOCK_SLACK &&
      a <= p->replay_now + CLOCK_SLACK) {
    return true;
  }
  int64_t apart = from_tape - from_replay;
  return from_replay >= -CLOCK_SLACK && apart <= p->slack && apart >= -p->slack;
}

bool pairing_match(pairing *p, pair_class class, slice expected, slice actual) {
  if (class == PAIR_TIME) {
    bool good = slice_eq(expected, actual) || match_time(p, expected, actual);
    if (good) {
      map_set(p->there[class], expected, actual);
    }
    return good;
  }
  const char *there = mapped(p->there[class], expected);
  const char *back = mapped(p->back[class], actual);
  if (!there && !back) {
    map_set(p->there[class], expected, actual);
    map_set(p->back[class], actual, expected);
    return true;
  }
  return there && back && slice_is(actual, there) && slice_is(expected, back);
}

bool pairing_match_version(pairing *p, slice expected, slice actual, bool of_list) {
  long long e, a;
  if (!slice_to_i64(expected, &e) || !slice_to_i64(actual, &a)) {
    return slice_eq(expected, actual);
  }
  return of_list ? versions_match_list(&p->versions, e, a)
                 : versions_match(&p->versions, e, a);
}

static bool is_suffix_char(char c) {
  return c && strchr("bcdfghjklmnpqrstvwxz2456789", c);
}

bool pairing_match_generated(pairing *p, slice prefix, slice expected, slice actual) {
  if (expected.len != actual.len || expected.len != prefix.len + 5 ||
      !slice_has_prefix(expected, prefix) || !slice_has_prefix(actual, prefix)) {
    return false;
  }
  for (size_t i = prefix.len; i < expected.len; i++) {
    if (!is_suffix_char(expected.ptr[i]) || !is_suffix_char(actual.ptr[i])) {
      return false;
    }
  }
  return pairing_match(p, PAIR_NAME, expected, actual);
}

static slice run_around(slice s, size_t at, bool (*in)(char)) {
  size_t from = at, to = at;
  while (from > 0 && in(s.ptr[from - 1])) {
    from--;
  }
  while (to < s.len && in(s.ptr[to])) {
    to++;
  }
  return slice_of(s.ptr + from, to - from);
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool is_node_port(slice s) {
  long long n;
  return slice_to_i64(s, &n) && n >= 30000 && n <= 32767;
}

/* "Too large resource version: 999999999, current: 215": where the server stands. */
static bool is_current_version(slice text, slice number) {
  return slice_has_suffix(slice_upto(text, (size_t)(number.ptr - text.ptr)),
                          SLICE_LIT("current: "));
}

/* Moves both behind the runs; false when they stood there already: the texts part behind them. */
static bool behind(slice e, slice er, size_t *i, slice a, slice ar, size_t *j) {
  size_t i_to = (size_t)(er.ptr - e.ptr) + er.len, j_to = (size_t)(ar.ptr - a.ptr) + ar.len;
  if (i_to <= *i && j_to <= *j) return false;
  *i = i_to;
  *j = j_to;
  return true;
}

/* The two texts part at i and j: the runs of digits or of a name there may be paired. Moves both
 * behind the runs. */
static bool match_run(pairing *p, slice e, size_t *i, slice a, size_t *j) {
  slice en = run_around(e, *i, is_digit), an = run_around(a, *j, is_digit);
  if (en.len > 0 && an.len > 0) {
    bool good = is_node_port(en) && is_node_port(an) && pairing_match(p, PAIR_PORT, en, an);
    good = good || slice_is(pairing_substitute_version(p, en), arena_cstr(p->arena, an)) ||
           (is_current_version(e, en) && pairing_match_version(p, en, an, true));
    if (good && behind(e, en, i, a, an, j)) return true;
  }
  slice ew = run_around(e, *i, token_is_name), aw = run_around(a, *j, token_is_name);
  const char *known = mapped(p->there[PAIR_NAME], ew);
  if (!known || !slice_is(aw, known)) {
    return false;
  }
  return behind(e, ew, i, a, aw, j);
}

/* Equal texts may be wrong too: where a value in them is known to have become another. */
static bool agrees_with_pairs(pairing *p, slice s) {
  pair_class class;
  for (size_t i = 0; i < s.len; i++) {
    size_t n = token_at(s, i, &class);
    if (n > 0) {
      slice token = slice_of(s.ptr + i, n);
      const char *there = class == PAIR_TIME ? NULL : mapped(p->there[class], token);
      if (there && !slice_is(token, there)) {
        return false;
      }
      i += n - 1;
    }
  }
  return true;
}

bool pairing_match_text(pairing *p, slice e, slice a) {
  if (slice_eq(e, a)) {
    return agrees_with_pairs(p, e);
  }
  size_t i = 0, j = 0;
  while (i < e.len && j < a.len) {
    pair_class ce, ca;
    size_t ne = token_at(e, i, &ce), na = ne ? token_at(a, j, &ca) : 0;
    if (ne > 0 && na > 0 && ce == ca) {
      if (!pairing_match(p, ce, slice_of(e.ptr + i, ne), slice_of(a.ptr + j, na))) {
        return false;
      }
      i += ne;
      j += na;
    } else if (e.ptr[i] == a.ptr[j]) {
      i++;
      j++;
    } else if (!match_run(p, e, &i, a, &j)) {
      return false;
    }
  }
  /* One may be longer by the rest of a number: 99 and 100. */
  return (i == e.len && j == a.len) || (match_run(p, e, &i, a, &j) && i == e.len && j == a.len);
}

bool pairing_is_age(slice s) {
  size_t i = 0;
  int parts = 0;
  while (i < s.len && parts < 3) {
    size_t from = i;
    while (i < s.len && is_digit(s.ptr[i])) {
      i++;
    }
    if (i == from || i == s.len || !strchr("smhdy", s.ptr[i])) {
      return false;
    }
    i++;
    parts++;
  }
  return parts > 0 && i == s.len;
}

/* base64url without padding, as the real server writes continue tokens. */
static slice continue_open(arena *a, slice token) {
  size_t pad = (4 - token.len % 4) % 4;
  char *in = arena_alloc(a, token.len + pad + 1);
  for (size_t i = 0; i < token.len; i++) {
    char c = token.ptr[i];
    in[i] = c == '-' ? '+' : c == '_' ? '/' : c;
  }
  memset(in + token.len, '=', pad);
  unsigned char *out = arena_alloc(a, token.len + 4);
  int n = EVP_DecodeBlock(out, (unsigned char *)in, (int)(token.len + pad));
  return n < (int)pad ? SLICE_NONE : slice_of((char *)out, (size_t)n - pad);
}

static slice continue_close(arena *a, slice text) {
  char *out = arena_alloc(a, text.len / 3 * 4 + 8);
  int n = EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)text.ptr, (int)text.len);
  while (n > 0 && out[n - 1] == '=') {
    n--;
  }
  for (int i = 0; i < n; i++) {
    out[i] = out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i];
  }
  return slice_of(out, (size_t)n);
}

/* Cuts {"v":…,"rv":210,"start":…} into before, the number and behind. */
static bool continue_cut(slice text, slice *before, slice *number, slice *behind) {
  ptrdiff_t at = slice_find(text, SLICE_LIT("\"rv\":"));
  if (at < 0) {
    return false;
  }
  size_t from = (size_t)at + 5, to = from;
  while (to < text.len && (is_digit(text.ptr[to]) || text.ptr[to] == '-')) {
    to++;
  }
  *before = slice_upto(text, from);
  *number = slice_of(text.ptr + from, to - from);
  *behind = slice_from(text, to);
  return true;
}

bool pairing_match_continue(pairing *p, slice expected, slice actual) {
  slice e[3], a[3];
  if (slice_eq(expected, actual)) {
    return true;
  }
  return continue_cut(continue_open(p->arena, expected), &e[0], &e[1], &e[2]) &&
         continue_cut(continue_open(p->arena, actual), &a[0], &a[1], &a[2]) &&
         slice_eq(e[0], a[0]) && pairing_match_version(p, e[1], a[1], true) &&
         pairing_match_text(p, e[2], a[2]);
}

slice pairing_substitute_continue(pairing *p, slice token) {
  slice part[3];
  if (!continue_cut(continue_open(p->arena, token), &part[0], &part[1], &part[2])) {
    return token;
  }
  slice number = pairing_substitute_version(p, part[1]);
  slice text = arena_concat(p->arena, arena_concat(p->arena, part[0], number),
                            pairing_substitute_text(p, part[2]));
  return continue_close(p->arena, text);
}

slice pairing_substitute_time(pairing *p, slice date) {
  const char *with = mapped(p->there[PAIR_TIME], date);
  return with ? arena_copy(p->arena, slice_cstr(with)) : date;
}

slice pairing_substitute_version(pairing *p, slice version) {
  long long e;
  int64_t a;
  if (!slice_to_i64(version, &e) || !versions_find(&p->versions, e, &a) || a == e) {
    return version;
  }
  return arena_printf(p->arena, "%lld", (long long)a);
}

/* The token or generated name at s[at]: its length and what replaces it (NULL: nothing does). */
static const char *replacement(pairing *p, slice s, size_t at, size_t *len) {
  pair_class class;
  *len = token_at(s, at, &class);
  if (*len > 0) {
    return mapped(p->there[class], slice_of(s.ptr + at, *len));
  }
  if (token_is_name(s.ptr[at]) && (at == 0 || !token_is_name(s.ptr[at - 1]))) {
    slice word = run_around(s, at, token_is_name);
    *len = word.len;
    return mapped(p->there[PAIR_NAME], word);
  }
  return NULL;
}

slice pairing_substitute_text(pairing *p, slice s) {
  char *out = NULL;
  size_t len = 0, copied = 0, cap = 0;
  for (size_t i = 0; i < s.len;) {
    size_t n = 0;
    const char *with = replacement(p, s, i, &n);
    if (!with) {
      i++;
      continue;
    }
    size_t add = i - copied + strlen(with), need = len + add + s.len - i + 1;
    if (need > cap) {
      out = arena_grow(p->arena, out, cap, need * 2);
      cap = need * 2;
    }
    memcpy(out + len, s.ptr + copied, i - copied);
    memcpy(out + len + i - copied, with, strlen(with));
    len += add;
    i += n;
    copied = i;
  }
  if (!out) {
    return s;
  }
  memcpy(out + len, s.ptr + copied, s.len - copied);
  return slice_of(out, len + s.len - copied);
}
