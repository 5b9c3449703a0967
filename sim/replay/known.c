/* Reading and matching the ledger. A few dozen lines at most, so matching is a plain scan. */
#include "sim/replay/known.h"

#include <stdio.h>

#define LINE_BYTES 1024

/* '*' stands for any run of bytes. */
static bool matches(slice pattern, slice text) {
  size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
  while (t < text.len) {
    if (p < pattern.len && pattern.ptr[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.len && pattern.ptr[p] == text.ptr[t]) {
      p++;
      t++;
    } else if (star != SIZE_MAX) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.len && pattern.ptr[p] == '*') {
    p++;
  }
  return p == pattern.len;
}

static slice word(slice *rest) {
  *rest = slice_trim(*rest);
  size_t n = 0;
  while (n < rest->len && rest->ptr[n] != ' ' && rest->ptr[n] != '\t') {
    n++;
  }
  slice w = slice_upto(*rest, n);
  *rest = slice_from(*rest, n);
  return w;
}

/* "header Warning" is one path: its space is written as '_'. */
static slice path_word(arena *a, slice w) {
  char *copy = arena_cstr(a, w);
  if (slice_has_prefix(w, SLICE_LIT("header_"))) {
    copy[6] = ' ';
  }
  return slice_of(copy, w.len);
}

static bool parse_entry(known_list *k, slice line, int number) {
  slice session_name = word(&line), seq = word(&line), path = word(&line);
  long long n = -1;
  if (!slice_is(seq, "*") && !slice_to_i64(seq, &n)) {
    return false;
  }
  slice reason = slice_trim(line);
  if (path.len == 0 || reason.len == 0) {
    return false;
  }
  k->entries = arena_grow(k->arena, k->entries, k->count * sizeof *k->entries,
                          (k->count + 1) * sizeof *k->entries);
  k->entries[k->count++] =
      (known_entry){arena_copy(k->arena, session_name), path_word(k->arena, path),
                    arena_copy(k->arena, reason), n, number, 0, false};
  return true;
}

known_list *known_load(const char *path, char *problem, size_t problem_size) {
  arena *a = arena_create();
  known_list *k = ARENA_NEW(a, known_list);
  k->arena = a;
  if (!path) {
    return k;
  }
  FILE *f = fopen(path, "r");
  if (!f) {
    snprintf(problem, problem_size, "%s: cannot be opened", path);
    arena_destroy(a);
    return NULL;
  }
  char text[LINE_BYTES];
  bool good = true;
  for (int number = 1; good && fgets(text, sizeof text, f); number++) {
    slice line = slice_trim(slice_cstr(text));
    if (line.len > 0 && line.ptr[0] != '#' && !parse_entry(k, line, number)) {
      snprintf(problem, problem_size, "%s:%d: wants: session, exchange, path, reason", path,
               number);
      good = false;
    }
  }
  fclose(f);
  if (!good) {
    arena_destroy(a);
    return NULL;
  }
  return k;
}

void known_destroy(known_list *k) {
  if (k) {
    arena_destroy(k->arena);
  }
}

known_entry *known_find(const known_list *k, slice session_name, int64_t seq, slice path) {
  for (uint32_t i = 0; i < k->count; i++) {
    known_entry *e = &k->entries[i];
    if (matches(e->session, session_name) && (e->seq < 0 || e->seq == seq) &&
        matches(e->path, path)) {
      return e;
    }
  }
  return NULL;
}

uint32_t known_apply(known_list *k, const session *s) {
  uint32_t unlisted = 0;
  for (uint32_t i = 0; i < k->count; i++) {
    k->entries[i].replayed |= matches(k->entries[i].session, s->tape->session);
  }
  for (uint32_t i = 0; i < s->count; i++) {
    const outcome *x = &s->outcomes[i];
    for (uint32_t n = 0; !x->unscored && n < x->diff.count; n++) {
      known_entry *e =
          known_find(k, s->tape->session, x->taped->seq, x->diff.items[n].path);
      if (e) {
        e->hits++;
      } else {
        unlisted++;
      }
    }
  }
  return unlisted;
}

uint32_t known_stale(const known_list *k) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < k->count; i++) {
    n += k->entries[i].replayed && k->entries[i].hits == 0;
  }
  return n;
}
