/* Text to tree, from left to right with a stack of open groups, so that the first thing that is
 * wrong is what Go names. Source: Go's regexp/syntax/parse.go (flags Perl). */
#include "crd/pattern_internal.h"

#include "base/ascii.h"
#include "base/limits.h"

#include <string.h>

#define REPEAT_MAX 1000
#define HEIGHT_MAX 1000u
#define SIZE_CAP ((uint64_t)1 << 40)
/* Ranges of all classes together: ours, Go's limit is 128 MB. */
#define RANGES_MAX ((uint32_t)1 << 20)

enum { FOLD = 1, MULTI_LINE = 2, DOT_ALL = 4, LAZY = 8 };

typedef struct frame {
  rx *concat, *alternate; /* alternate NULL: no bar yet */
  uint8_t flags; /* as they were before the group */
  bool capture;
} frame;

typedef struct parser {
  arena *a;
  slice whole, rest; /* rest: what is not read yet */
  frame *frames;
  uint32_t depth, frame_cap; /* frames[depth] is the open one */
  uint32_t nodes, ranges;
  uint8_t flags;
  slice repeat; /* from the latest item's repetition operator on; empty: it had none */
  slice error;
} parser;

static bool fail(parser *p, const char *what, slice where) {
  slice parts[] = {SLICE_LIT("error parsing regexp: "), slice_cstr(what), SLICE_LIT(": `"), where,
                   SLICE_LIT("`")};
  if (!p->error.len) p->error = arena_join(p->a, parts, 5);
  return false;
}

/* What lies between two rests of the text. */
static slice between(slice from, slice to) { return slice_upto(from, from.len - to.len); }

static rx *node(parser *p, rx_op op) {
  rx *n = ARENA_NEW(p->a, rx);
  p->nodes++;
  *n = (rx){.op = (uint8_t)op, .height = 1, .repeats = 1, .size = 1};
  return n;
}

static void node_append(parser *p, rx *n, rx *sub) {
  n->subs = arena_more(p->a, n->subs, n->count, &n->cap, sizeof *n->subs);
  n->subs[n->count++] = sub;
  if (sub->height >= n->height) n->height = sub->height + 1;
  if (sub->repeats > n->repeats) n->repeats = sub->repeats;
  if (n->count == 1) n->size = 0;
  n->size += sub->size + (n->op == RX_ALTERNATE && n->count > 1);
  if (n->size > SIZE_CAP) n->size = SIZE_CAP;
}

static bool within_limits(parser *p, const rx *n) {
  if (n->size > LIMIT_PATTERN_STATES || p->nodes > LIMIT_PATTERN_STATES || p->ranges > RANGES_MAX)
    return fail(p, "expression too large", p->whole);
  if (p->nodes >= HEIGHT_MAX && n->height > HEIGHT_MAX)
    return fail(p, "expression nests too deeply", p->whole);
  return true;
}

static bool push(parser *p, rx *n) {
  node_append(p, p->frames[p->depth].concat, n);
  p->ranges += n->set.count;
  return within_limits(p, n);
}

static bool push_class(parser *p, rune_class *set) {
  rx *n = node(p, RX_CLASS);
  class_clean(set);
  n->set = *set;
  return push(p, n);
}

static bool push_literal(parser *p, uint32_t rune) {
  rune_class set = {0};
  if (p->flags & FOLD) class_add_folded(p->a, &set, rune, rune);
  else class_add(p->a, &set, rune, rune);
  return push_class(p, &set);
}

static bool push_assert(parser *p, rx_assert what) {
  rx *n = node(p, RX_ASSERT);
  n->assert = (uint8_t)what;
  return push(p, n);
}

static bool next_rune(parser *p, slice *s, uint32_t *rune) {
  size_t size;
  *rune = rune_decode(*s, &size);
  if (*rune == RUNE_BROKEN && size == 1) return fail(p, "invalid UTF-8", *s);
  *s = slice_from(*s, size);
  return true;
}

static void frame_open(parser *p, bool capture, uint8_t flags) {
  p->frames =
      arena_more(p->a, p->frames, p->depth + 1, &p->frame_cap, sizeof *p->frames);
  p->depth++;
  p->frames[p->depth] = (frame){.concat = node(p, RX_CONCAT), .flags = flags, .capture = capture};
}

/* What was concatenated since the group or the last bar. */
static rx *concat_take(parser *p, frame *f) {
  rx *c = f->concat;
  if (c->count == 0) return node(p, RX_EMPTY);
  return c->count == 1 ? c->subs[0] : c;
}

static rx *frame_close(parser *p, frame *f) {
  rx *last = concat_take(p, f);
  if (!f->alternate) return last;
  node_append(p, f->alternate, last);
  return f->alternate;
}

static bool bar(parser *p) {
  frame *f = p->frames + p->depth;
  if (!f->alternate) f->alternate = node(p, RX_ALTERNATE);
  node_append(p, f->alternate, concat_take(p, f));
  f->concat = node(p, RX_CONCAT);
  return within_limits(p, f->alternate);
}

static bool group_end(parser *p) {
  if (p->depth == 0) return fail(p, "unexpected )", p->whole);
  frame f = p->frames[p->depth];
  rx *inside = frame_close(p, &f);
  p->depth--;
  p->flags = f.flags;
  if (f.capture) {
    rx *capture = node(p, RX_CAPTURE);
    node_append(p, capture, inside);
    capture->size = inside->size + 2;
    inside = capture;
  }
  return push(p, inside);
}

/* "(?P<name>" and "(?<name>". */
static bool named_group(parser *p, size_t name_at) {
  slice s = p->rest;
  ptrdiff_t end = slice_find_char(s, '>');
  if (end < 0) return fail(p, "invalid named capture", s);
  slice name = slice_from(slice_upto(s, (size_t)end), name_at);
  bool good = name.len > 0;
  for (size_t i = 0; i < name.len; i++)
    good = good && (name.ptr[i] == '_' || ascii_is_alnum(name.ptr[i]));
  if (!good) return fail(p, "invalid named capture", slice_upto(s, (size_t)end + 1));
  frame_open(p, true, p->flags);
  p->rest = slice_from(s, (size_t)end + 1);
  return true;
}

static uint8_t flag_of(uint32_t rune) {
  switch (rune) {
    case 'i': return FOLD;
    case 'm': return MULTI_LINE;
    case 's': return DOT_ALL;
    case 'U': return LAZY;
    default: return 0;
  }
}

/* "(?flags)" and "(?flags:". */
static bool flag_group(parser *p) {
  slice s = p->rest, t = slice_from(s, 2);
  uint8_t set = 0, clear = 0;
  bool minus = false, seen = false;
  while (t.len) {
    uint32_t rune;
    if (!next_rune(p, &t, &rune)) return false;
    uint8_t flag = flag_of(rune);
    if (flag) {
      set = minus ? set & (uint8_t)~flag : set | flag;
      clear = minus ? clear | flag : clear & (uint8_t)~flag;
      seen = true;
    } else if (rune == '-' && !minus) {
      minus = true;
      seen = false;
    } else if ((rune == ':' || rune == ')') && !(minus && !seen)) {
      if (rune == ':') frame_open(p, false, p->flags);
      p->flags = (uint8_t)((p->flags | set) & ~clear);
      p->rest = t;
      return true;
    } else {
      break;
    }
  }
  return fail(p, "invalid or unsupported Perl syntax", between(s, t));
}

static bool group_begin(parser *p) {
  slice s = p->rest;
  if (s.len > 4 && memcmp(s.ptr, "(?P<", 4) == 0) return named_group(p, 4);
  if (s.len > 3 && memcmp(s.ptr, "(?<", 3) == 0) return named_group(p, 3);
  if (s.len > 1 && s.ptr[1] == '?') return flag_group(p);
  frame_open(p, true, p->flags);
  p->rest = slice_from(s, 1);
  return true;
}

/* Digits without a zero in front; -1 for what is too large to count. */
static bool read_int(slice *s, int *out) {
  size_t n = 0;
  long value = 0;
  while (n < s->len && ascii_is_digit(s->ptr[n])) {
    if (value >= 0) value = value >= 100000000 ? -1 : value * 10 + (s->ptr[n] - '0');
    n++;
  }
  if (n == 0 || (n > 1 && *s->ptr == '0')) return false;
  *out = (int)(value > REPEAT_MAX ? REPEAT_MAX + 1 : value);
  *s = slice_from(*s, n);
  return true;
}

/* "{2}", "{2,}", "{2,5}"; false: it is only a brace. min -1: too large. */
static bool read_counts(slice s, int *min, int *max, slice *after) {
  s = slice_from(s, 1);
  if (!read_int(&s, min) || !s.len) return false;
  *max = *min;
  if (*s.ptr == ',') {
    s = slice_from(s, 1);
    if (!s.len) return false;
    if (*s.ptr == '}') *max = -1;
    else if (!read_int(&s, max)) return false;
    else if (*max < 0) *min = -1;
  }
  if (!s.len || *s.ptr != '}') return false;
  *after = slice_from(s, 1);
  return true;
}

static uint64_t repeat_size(const rx *n) {
  uint64_t sub = n->subs[0]->size;
  if (n->max < 0) return n->min == 0 ? 2 + sub : 1 + (uint64_t)n->min * sub;
  return (uint64_t)n->max * sub + (uint64_t)(n->max - n->min);
}

static bool repeat(parser *p, int min, int max, bool counted, slice after) {
  slice before = p->rest;
  frame *f = p->frames + p->depth;
  if (after.len && *after.ptr == '?') after = slice_from(after, 1);
  if (p->repeat.len)
    return fail(p, "invalid nested repetition operator", between(p->repeat, after));
  if (f->concat->count == 0)
    return fail(p, "missing argument to repetition operator", between(before, after));
  rx *n = node(p, RX_REPEAT), *sub = f->concat->subs[f->concat->count - 1];
  n->min = min;
  n->max = max;
  node_append(p, n, sub);
  int most = max < 0 ? min : max;
  if (counted && most > 0 && max != 0) n->repeats = (uint32_t)most * sub->repeats;
  if (counted && max == 0) n->repeats = 1;
  n->size = repeat_size(n);
  if (n->size == 0) n->size = 1;
  /* In the last one's place. */
  f->concat->count--;
  f->concat->size -= sub->size;
  node_append(p, f->concat, n);
  if (counted && (min >= 2 || max >= 2) && n->repeats > REPEAT_MAX)
    return fail(p, "invalid repeat count", between(before, after));
  p->repeat = before;
  p->rest = after;
  return within_limits(p, n);
}

static bool repeat_counted(parser *p) {
  int min, max;
  slice after;
  if (!read_counts(p->rest, &min, &max, &after)) {
    p->repeat = SLICE_NONE;
    p->rest = slice_from(p->rest, 1);
    return push_literal(p, '{');
  }
  if (min < 0 || min > REPEAT_MAX || max > REPEAT_MAX || (max >= 0 && min > max))
    return fail(p, "invalid repeat count", between(p->rest, after));
  return repeat(p, min, max, true, after);
}

static int hex_digit(uint32_t rune) {
  if (rune >= '0' && rune <= '9') return (int)rune - '0';
  if (rune >= 'a' && rune <= 'f') return (int)rune - 'a' + 10;
  return rune >= 'A' && rune <= 'F' ? (int)rune - 'A' + 10 : -1;
}

/* Behind "\x": "{10FFFF}" or two digits. *t is moved past what was looked at, as Go shows it. */
static bool hex_escape(parser *p, slice *t, uint32_t *out, bool *good) {
  uint32_t rune;
  *good = false;
  if (!t->len) return true;
  if (!next_rune(p, t, &rune)) return false;
  if (rune != '{') {
    int high = hex_digit(rune);
    if (!t->len) return true;
    if (!next_rune(p, t, &rune)) return false;
    int low = hex_digit(rune);
    *good = high >= 0 && low >= 0;
    if (*good) *out = (uint32_t)(high * 16 + low);
    return true;
  }
  uint32_t value = 0;
  for (size_t digits = 0; t->len; digits++) {
    if (!next_rune(p, t, &rune)) return false;
    if (rune == '}') {
      *good = digits > 0;
      *out = value;
      return true;
    }
    int digit = hex_digit(rune);
    if (digit < 0) return true;
    value = value * 16 + (uint32_t)digit;
    if (value > RUNE_MAX) return true;
  }
  return true;
}

static uint32_t c_escape(uint32_t rune) {
  static const char names[] = "afnrtv", values[] = "\a\f\n\r\t\v";
  const char *at = rune < 0x80 && rune ? strchr(names, (int)rune) : NULL;
  return at ? (uint32_t)values[at - names] : 0;
}

/* One character behind a backslash at *s. */
static bool escape(parser *p, slice *s, uint32_t *out) {
  slice t = slice_from(*s, 1);
  uint32_t rune;
  bool good = false;
  if (!t.len) return fail(p, "trailing backslash at end of expression", SLICE_LIT(""));
  if (!next_rune(p, &t, &rune)) return false;
  bool octal_next = t.len && *t.ptr >= '0' && *t.ptr <= '7';
  if (rune == '0' || (rune >= '1' && rune <= '7' && octal_next)) {
    *out = rune - '0';
    for (int i = 1; i < 3 && t.len && *t.ptr >= '0' && *t.ptr <= '7'; i++) {
      *out = *out * 8 + (uint32_t)(*t.ptr - '0');
      t = slice_from(t, 1);
    }
    good = true;
  } else if (rune == 'x') {
    if (!hex_escape(p, &t, out, &good)) return false;
  } else if (c_escape(rune)) {
    *out = c_escape(rune);
    good = true;
  } else if (rune < 0x80 && !ascii_is_alnum((char)rune)) {
    *out = rune;
    good = true;
  }
  if (!good) return fail(p, "invalid escape sequence", between(*s, t));
  *s = t;
  return true;
}

/* "\pL", "\P{Greek}" at *s: added to set; *found says whether there was one. */
static bool unicode_class_read(parser *p, slice *s, rune_class *set, bool *found) {
  *found = s->len > 1 && *s->ptr == '\\' && (s->ptr[1] == 'p' || s->ptr[1] == 'P');
  if (!*found) return true;
  slice t = slice_from(*s, 2), name;
  uint32_t rune = 0;
  bool negated = s->ptr[1] == 'P';
  if (t.len && !next_rune(p, &t, &rune)) return false;
  if (rune == '{') {
    ptrdiff_t end = slice_find_char(*s, '}');
    if (end < 0) return fail(p, "invalid character class range", *s);
    t = slice_from(*s, (size_t)end + 1);
    name = slice_from(slice_upto(*s, (size_t)end), 3);
  } else {
    name = slice_from(between(*s, t), 2);
  }
  if (!class_add_unicode(p->a, set, name, negated, p->flags & FOLD))
    return fail(p, "invalid character class range", between(*s, t));
  *s = t;
  return true;
}

static bool perl_class_read(parser *p, slice *s, rune_class *set) {
  if (s->len < 2 || *s->ptr != '\\') return false;
  if (!class_add_perl(p->a, set, s->ptr[1], p->flags & FOLD)) return false;
  *s = slice_from(*s, 2);
  return true;
}

/* "[:alpha:]" within a class. */
static bool posix_class_read(parser *p, slice *s, rune_class *set, bool *found) {
  *found = false;
  if (s->len < 3 || s->ptr[0] != '[' || s->ptr[1] != ':') return true;
  ptrdiff_t end = slice_find(slice_from(*s, 2), SLICE_LIT(":]"));
  if (end < 0) return true;
  slice name = slice_upto(slice_from(*s, 2), (size_t)end);
  if (!class_add_posix(p->a, set, name, p->flags & FOLD))
    return fail(p, "invalid character class range", slice_upto(*s, (size_t)end + 4));
  *s = slice_from(*s, (size_t)end + 4);
  return *found = true;
}

static bool class_char(parser *p, slice *t, uint32_t *out) {
  if (!t->len) return fail(p, "missing closing ]", p->rest);
  return *t->ptr == '\\' ? escape(p, t, out) : next_rune(p, t, out);
}

static bool class_range(parser *p, slice *t, rune_class *set) {
  slice begin = *t;
  uint32_t first, last;
  if (!class_char(p, t, &first)) return false;
  last = first;
  if (t->len >= 2 && t->ptr[0] == '-' && t->ptr[1] != ']') {
    *t = slice_from(*t, 1);
    if (!class_char(p, t, &last)) return false;
    if (last < first) return fail(p, "invalid character class range", between(begin, *t));
  }
  if (p->flags & FOLD) class_add_folded(p->a, set, first, last);
  else class_add(p->a, set, first, last);
  return true;
}

static bool bracket_class(parser *p) {
  slice t = slice_from(p->rest, 1);
  rune_class set = {0};
  bool negated = t.len && *t.ptr == '^', found;
  if (negated) t = slice_from(t, 1);
  for (bool first = true; first || !t.len || *t.ptr != ']'; first = false) {
    if (set.count > RANGES_MAX) return fail(p, "expression too large", p->whole);
    if (!posix_class_read(p, &t, &set, &found)) return false;
    if (found) continue;
    if (!unicode_class_read(p, &t, &set, &found)) return false;
    if (found || perl_class_read(p, &t, &set)) continue;
    if (!class_range(p, &t, &set)) return false;
  }
  class_clean(&set);
  if (negated) set = class_negated(p->a, &set);
  p->rest = slice_from(t, 1);
  return push_class(p, &set);
}

/* \Q...\E */
static bool quoted(parser *p) {
  slice text = slice_from(p->rest, 2);
  ptrdiff_t end = slice_find(text, SLICE_LIT("\\E"));
  p->rest = end < 0 ? SLICE_LIT("") : slice_from(text, (size_t)end + 2);
  if (end >= 0) text = slice_upto(text, (size_t)end);
  while (text.len) {
    uint32_t rune;
    if (!next_rune(p, &text, &rune) || !push_literal(p, rune)) return false;
  }
  return true;
}

static bool backslash(parser *p) {
  char letter = p->rest.len > 1 ? p->rest.ptr[1] : 0;
  rune_class set = {0};
  uint32_t rune;
  bool found;
  rx_assert place = letter == 'A'   ? AT_TEXT_BEGIN
                    : letter == 'z' ? AT_TEXT_END
                    : letter == 'b' ? AT_WORD
                    : letter == 'B' ? AT_NO_WORD
                                    : 0;
  if (place) {
    p->rest = slice_from(p->rest, 2);
    return push_assert(p, place);
  }
  if (letter == 'C') return fail(p, "invalid escape sequence", slice_upto(p->rest, 2));
  if (letter == 'Q') return quoted(p);
  if (!unicode_class_read(p, &p->rest, &set, &found)) return false;
  if (found || perl_class_read(p, &p->rest, &set)) return push_class(p, &set);
  return escape(p, &p->rest, &rune) && push_literal(p, rune);
}

static bool dot(parser *p) {
  rune_class set = {0};
  p->rest = slice_from(p->rest, 1);
  if (p->flags & DOT_ALL) {
    class_add(p->a, &set, 0, RUNE_MAX);
  } else {
    class_add(p->a, &set, 0, '\n' - 1);
    class_add(p->a, &set, '\n' + 1, RUNE_MAX);
  }
  return push_class(p, &set);
}

static bool edge(parser *p, rx_assert text, rx_assert line) {
  p->rest = slice_from(p->rest, 1);
  return push_assert(p, p->flags & MULTI_LINE ? line : text);
}

static bool item(parser *p) {
  uint32_t rune;
  slice after = slice_from(p->rest, 1);
  switch (*p->rest.ptr) {
    case '(': return group_begin(p);
    case '[': return bracket_class(p);
    case '\\': return backslash(p);
    case '.': return dot(p);
    case '^': return edge(p, AT_TEXT_BEGIN, AT_LINE_BEGIN);
    case '$': return edge(p, AT_TEXT_END, AT_LINE_END);
    case '|': p->rest = after; return bar(p);
    case ')':
      if (!group_end(p)) return false;
      p->rest = after;
      return true;
    default: return next_rune(p, &p->rest, &rune) && push_literal(p, rune);
  }
}

const rx *pattern_parse(arena *a, slice text, slice *error) {
  parser p = {.a = a, .whole = text, .rest = text};
  p.frames = arena_more(a, NULL, 0, &p.frame_cap, sizeof *p.frames);
  p.frames[0] = (frame){.concat = node(&p, RX_CONCAT)};
  bool good = true;
  while (good && p.rest.len) {
    slice after = slice_from(p.rest, 1);
    switch (*p.rest.ptr) {
      case '*': good = repeat(&p, 0, -1, false, after); break;
      case '+': good = repeat(&p, 1, -1, false, after); break;
      case '?': good = repeat(&p, 0, 1, false, after); break;
      case '{': good = repeat_counted(&p); break;
      default:
        good = item(&p);
        p.repeat = SLICE_NONE;
        break;
    }
  }
  if (good && p.depth) good = fail(&p, "missing closing )", text);
  const rx *top = good ? frame_close(&p, p.frames) : NULL;
  if (good && within_limits(&p, top)) return top;
  *error = p.error;
  return NULL;
}
