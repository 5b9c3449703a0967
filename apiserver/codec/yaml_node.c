/* libyaml's events to nodes, with a stack of open lists and maps instead of recursion. What
 * stands behind the first document is not looked at, as the real server does not either. */
#include "codec/yaml_node.h"

#include "base/buf.h"
#include "base/heap.h"
#include "base/limits.h"
#include "base/quote.h"
#include "base/val.h"

#include <assert.h>
#include <yaml.h>

#define ORDER_MARK "\xEF\xBB\xBF"

typedef struct reader {
  arena *a;
  yaml_parser_t parser;
  val *anchors; /* name to number in `anchored` */
  yaml_node **anchored;
  uint32_t anchored_count, anchored_cap;
  yaml_node **open;
  uint32_t depth, open_cap;
  yaml_node *root;
  slice error;
  slice text;
  size_t index, offset; /* the character of a mark that was looked for, and its byte in text */
  size_t read; /* what libyaml has been given of text */
  const char *mark; /* stands for a mark of the byte order within the text, or NULL */
  const char *colon; /* stands for a colon that is part of a plain scalar, or NULL */
  bool slashes; /* there is a \/ somewhere */
} reader;

#define PIECE 512u /* go-yaml's reader: what is broken further on is not seen before */
#define COLONS_MAX 16u /* that are looked for, each with a new reading */

static bool fail_at(reader *r, size_t line, const char *text) {
  r->error = arena_printf(r->a, line ? "line %zu: %s" : "%.0zu%s", line, text);
  return false;
}

static bool fail_parse(reader *r) {
  const yaml_parser_t *p = &r->parser;
  size_t line = 0;
  if (p->problem_mark.line) line = p->problem_mark.line + (p->error == YAML_SCANNER_ERROR);
  else if (p->context_mark.line) line = p->context_mark.line;
  return fail_at(r, line, p->problem ? p->problem : "unknown problem parsing YAML content");
}

/* The byte of a character; they are asked for in order. */
static size_t byte_of(reader *r, size_t index) {
  for (; r->index < index && r->offset < r->text.len; r->index++) {
    unsigned len = utf8_sequence(r->text.ptr + r->offset, r->text.ptr + r->text.len);
    r->offset += len ? len : 1;
  }
  return r->offset;
}

/* libyaml takes \/ in double quotes, as YAML 1.2 does; the real server's parser does not. */
static bool escapes_fit(reader *r, const yaml_event_t *e) {
  if (!r->slashes || e->data.scalar.style != YAML_DOUBLE_QUOTED_SCALAR_STYLE) return true;
  size_t line = e->start_mark.line, i = byte_of(r, e->start_mark.index);
  for (size_t end = byte_of(r, e->end_mark.index); i + 1 < end; i++) {
    line += r->text.ptr[i] == '\n';
    if (r->text.ptr[i] != '\\') continue;
    if (r->text.ptr[++i] == '/') {
      return fail_at(r, line ? line + 1 : 0, "found unknown escape character");
    }
    line += r->text.ptr[i] == '\n';
  }
  return true;
}

/* Between brackets a ? ends a plain scalar for the real server's parser, which then misses the
 * comma; libyaml has followed YAML 1.2 there. */
static bool question_fits(reader *r, const yaml_event_t *e, slice value) {
  const yaml_node *parent = r->depth ? r->open[r->depth - 1] : NULL;
  if (e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE || !parent || !parent->closes) return true;
  if (slice_find_char(value, '?') <= 0) return true;
  size_t line = e->start_mark.line, i = byte_of(r, e->start_mark.index);
  for (; i < r->text.len && r->text.ptr[i] != '?'; i++) line += r->text.ptr[i] == '\n';
  return fail_at(r, line, parent->closes == '}' ? "did not find expected ',' or '}'"
                                                : "did not find expected ',' or ']'");
}

/* Puts back what a stand-in stands for. */
static slice put_back(reader *r, slice s, const char *stand_in, const char *what) {
  ptrdiff_t at = stand_in ? slice_find(s, slice_cstr(stand_in)) : -1;
  if (at < 0) return s;
  buf out;
  buf_init(&out, s.len + 1);
  for (; at >= 0; at = slice_find(s, slice_cstr(stand_in))) {
    buf_append(&out, slice_of(s.ptr, (size_t)at));
    buf_cstr(&out, what);
    s = slice_from(s, (size_t)at + strlen(stand_in));
  }
  buf_append(&out, s);
  slice whole = arena_copy(r->a, buf_slice(&out));
  buf_dispose(&out);
  return whole;
}

static slice text_of(reader *r, const yaml_char_t *text, size_t len) {
  if (!text) return SLICE_NONE;
  slice s = arena_copy(r->a, slice_of((const char *)text, len));
  return put_back(r, put_back(r, s, r->mark, ORDER_MARK), r->colon, ":");
}

static slice tag_of(reader *r, const yaml_char_t *tag) {
  return tag ? text_of(r, tag, strlen((const char *)tag)) : SLICE_NONE;
}

static void anchor(reader *r, yaml_node *n, const yaml_char_t *name) {
  if (!name) return;
  r->anchored =
      arena_more(r->a, r->anchored, r->anchored_count, &r->anchored_cap, sizeof *r->anchored);
  val_set(r->a, r->anchors, tag_of(r, name), val_int(r->a, r->anchored_count));
  r->anchored[r->anchored_count++] = n;
}

static void add_child(reader *r, yaml_node *n) {
  if (r->depth == 0) {
    r->root = n;
    return;
  }
  yaml_node *parent = r->open[r->depth - 1];
  parent->items =
      arena_more(r->a, parent->items, parent->count, &parent->cap, sizeof *parent->items);
  parent->items[parent->count++] = n;
}

static bool open_node(reader *r, yaml_node *n) {
  if (r->depth == LIMIT_JSON_DEPTH) {
    r->error = SLICE_LIT("exceeded max depth of 10000");
    return false;
  }
  if (r->depth == r->open_cap) {
    r->open_cap = r->open_cap ? r->open_cap * 2 : 32;
    r->open = heap_realloc(r->open, r->open_cap * sizeof n);
  }
  r->open[r->depth++] = n;
  return true;
}

static yaml_node *node_of(reader *r, const yaml_event_t *e, ynode_kind kind) {
  yaml_node *n = ARENA_NEW(r->a, yaml_node);
  n->kind = (uint8_t)kind;
  n->line = (uint32_t)e->start_mark.line;
  return n;
}

static bool take_alias(reader *r, const yaml_event_t *e) {
  yaml_node *n = node_of(r, e, YNODE_ALIAS);
  n->value = tag_of(r, e->data.alias.anchor);
  const val *number = val_get(r->anchors, n->value);
  if (!number) {
    r->error = arena_printf(r->a, "unknown anchor '%.*s' referenced", SLICE_ARG(n->value));
    return false;
  }
  n->target = r->anchored[val_i64(number)];
  add_child(r, n);
  return true;
}

static bool take_scalar(reader *r, const yaml_event_t *e) {
  yaml_node *n = node_of(r, e, YNODE_SCALAR);
  n->value = text_of(r, e->data.scalar.value, e->data.scalar.length);
  n->tag = tag_of(r, e->data.scalar.tag);
  n->implicit = e->data.scalar.plain_implicit;
  anchor(r, n, e->data.scalar.anchor);
  add_child(r, n);
  return escapes_fit(r, e) && question_fits(r, e, n->value);
}

/* A pair that stands in a list without braces ends with the list. */
static char closes(reader *r, const yaml_event_t *e, bool map) {
  bool brackets = map ? e->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
                      : e->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
  if (!brackets) return 0;
  size_t i = byte_of(r, e->start_mark.index);
  return map && i < r->text.len && r->text.ptr[i] == '{' ? '}' : ']';
}

static bool take_start(reader *r, const yaml_event_t *e) {
  bool map = e->type == YAML_MAPPING_START_EVENT;
  yaml_node *n = node_of(r, e, map ? YNODE_MAP : YNODE_LIST);
  n->closes = closes(r, e, map);
  const yaml_char_t *name = map ? e->data.mapping_start.anchor : e->data.sequence_start.anchor;
  n->bare = !name && !(map ? e->data.mapping_start.tag : e->data.sequence_start.tag);
  anchor(r, n, name);
  add_child(r, n);
  return open_node(r, n);
}

/* Whether a flow collection that is still open began on this line: the real parser has then read
 * the line in advance. */
static bool read_in_advance(const reader *r, uint32_t line) {
  for (uint32_t i = 0; i < r->depth; i++) {
    const yaml_node *n = r->open[i], *parent = i ? r->open[i - 1] : NULL;
    /* what follows a colon on its line can be no key */
    bool value = parent && parent->kind == YNODE_MAP && parent->count % 2 == 0 &&
                 (parent->closes || parent->items[parent->count - 2]->line == n->line);
    bool pair = n->kind == YNODE_MAP && n->closes == ']'; /* without brackets of its own */
    if (n->closes && n->line == line && !value && !pair) return true;
  }
  return false;
}

/* [] and {} are no keys for the real parser, which forgets of an empty one that it might be a key,
 * and then meets a colon that it did not wait for. */
static bool take_end(reader *r, const yaml_event_t *e, bool *more) {
  yaml_node *n = r->open[--r->depth], *map = r->depth ? r->open[r->depth - 1] : NULL;
  if (n->count || !n->bare || !n->closes || !map || map->kind != YNODE_MAP) return true;
  if (map->count % 2 == 0 || read_in_advance(r, n->line)) return true;
  size_t i = byte_of(r, e->end_mark.index);
  while (i < r->text.len && slice_find_char(SLICE_LIT(" \t"), r->text.ptr[i]) >= 0) i++;
  if (i == r->text.len || r->text.ptr[i] != ':') return true;
  if (map->closes) {
    return fail_at(r, n->line, map->closes == '}' ? "did not find expected ',' or '}'"
                                                  : "did not find expected ',' or ']'");
  }
  if (map->count > 1) return fail_at(r, n->line, "did not find expected key");
  if (r->depth == 1) { /* the document is the empty collection, and nobody looks behind it */
    r->root = n;
    *more = false;
    return true;
  }
  bool list = r->open[r->depth - 2]->kind == YNODE_LIST;
  return fail_at(r, n->line,
                 list ? "did not find expected '-' indicator" : "did not find expected key");
}

/* The real parser knows YAML 1.1 alone. */
static bool version_fits(reader *r, const yaml_event_t *e) {
  const yaml_version_directive_t *v = e->data.document_start.version_directive;
  if (!v || (v->major == 1 && v->minor == 1)) return true;
  r->error = SLICE_LIT("found incompatible YAML document");
  return false;
}

/* *more: the first document goes on. */
static bool take_event(reader *r, const yaml_event_t *e, bool *more) {
  *more = true;
  switch (e->type) {
    case YAML_ALIAS_EVENT: return take_alias(r, e);
    case YAML_SCALAR_EVENT: return take_scalar(r, e);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT: return take_start(r, e);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: return take_end(r, e, more);
    case YAML_DOCUMENT_END_EVENT:
    case YAML_STREAM_END_EVENT: *more = false; break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT: break;
    case YAML_DOCUMENT_START_EVENT: return version_fits(r, e);
  }
  return true;
}

/* UTF-16 with its mark, as UTF-8; anything else, and what is broken, as it is: libyaml refuses. */
static slice as_utf8(arena *a, slice s) {
  bool little = slice_has_prefix(s, SLICE_LIT("\xFF\xFE"));
  if (s.len % 2 || (!little && !slice_has_prefix(s, SLICE_LIT("\xFE\xFF")))) return s;
  char *to = arena_alloc(a, s.len / 2 * 3 + 1);
  size_t n = 0;
  uint32_t high = 0;
  for (size_t i = 2; i < s.len; i += 2) {
    uint32_t first = (unsigned char)s.ptr[i], second = (unsigned char)s.ptr[i + 1];
    uint32_t unit = little ? second << 8 | first : first << 8 | second;
    bool low = unit >= 0xDC00 && unit < 0xE000;
    if (low != (high != 0)) return s;
    if (unit >= 0xD800 && unit < 0xDC00) {
      high = unit;
      continue;
    }
    if (high) unit = 0x10000 + ((high - 0xD800) << 10 | (unit - 0xDC00));
    high = 0;
    n += utf8_put(to + n, unit);
  }
  return high ? s : slice_of(to, n);
}

/* go-yaml has a raw buffer of 512 bytes, libyaml one of 16 KiB: earlier errors come first. */
static int give_piece(void *data, unsigned char *to, size_t room, size_t *given) {
  reader *r = data;
  size_t left = r->text.len - r->read;
  size_t held = (size_t)(r->parser.raw_buffer.last - r->parser.raw_buffer.pointer);
  size_t n = held < PIECE ? PIECE - held : 1;
  if (n > room) n = room;
  if (n > left) n = left;
  if (n) memcpy(to, r->text.ptr + r->read, n);
  r->read += n;
  *given = n;
  return 1;
}

static yaml_node *read_once(reader *r) {
  if (!yaml_parser_initialize(&r->parser)) return NULL;
  yaml_parser_set_input(&r->parser, give_piece, r);
  bool good = true, more = true;
  while (good && more) {
    yaml_event_t event;
    if (!yaml_parser_parse(&r->parser, &event)) {
      good = fail_parse(r);
      break;
    }
    good = take_event(r, &event, &more);
    yaml_event_delete(&event);
  }
  heap_free(r->open);
  return good ? r->root : NULL;
}

/* A character that is not in the text: one of private use, of as many bytes as the mark has. */
static const char *stand_in(arena *a, slice text, uint32_t first) {
  for (uint32_t c = first; c < first + 64; c++) {
    char room[4];
    slice s = slice_of(room, utf8_put(room, c));
    if (slice_find(text, s) < 0) return arena_cstr(a, s);
  }
  return NULL;
}

/* For the real parser a mark of the byte order at the start of a line is a character as any. */
static slice without_marks(reader *r, slice text) {
  slice mark = SLICE_LIT(ORDER_MARK);
  if (slice_find(slice_from(text, text.len < 3 ? text.len : 3), mark) < 0) return text;
  r->mark = stand_in(r->a, text, 0xE100);
  if (!r->mark) return text;
  char *copy = arena_alloc(r->a, text.len);
  memcpy(copy, text.ptr, text.len);
  for (size_t i = 3; i + 3 <= text.len; i++) {
    if (memcmp(copy + i, mark.ptr, 3) == 0) memcpy(copy + i, r->mark, 3);
  }
  return slice_of(copy, text.len);
}

/* libyaml does not count the mark in front. */
static size_t order_mark_len(slice text) {
  return slice_has_prefix(text, SLICE_LIT(ORDER_MARK)) ? strlen(ORDER_MARK) : 0;
}

/* Where libyaml refused a colon before a bracket in a plain scalar, the text with a stand-in. */
static bool replace_colon(const reader *r, slice *text, const char *colon) {
  const char *refused = "found unexpected ':'";
  const yaml_parser_t *p = &r->parser;
  if (!colon || p->error != YAML_SCANNER_ERROR || strcmp(p->problem, refused) != 0) return false;
  size_t i = order_mark_len(*text), chars = 0;
  while (chars < p->problem_mark.index && i < text->len) {
    unsigned len = utf8_sequence(text->ptr + i, text->ptr + text->len);
    i += len ? len : 1;
    chars++;
  }
  if (i >= text->len || text->ptr[i] != ':') return false;
  *text = arena_concat(r->a, slice_of(text->ptr, i),
                       arena_concat(r->a, slice_cstr(colon), slice_from(*text, i + 1)));
  return true;
}

yaml_node *yaml_read(arena *a, slice text, slice *error) {
  reader first = {.a = a};
  text = without_marks(&first, as_utf8(a, text));
  if (text.len == 0) text = SLICE_LIT("\n");
  yaml_node *root = NULL;
  bool again = true;
  for (uint32_t i = 0; again; i++) {
    reader r = {.a = a, .anchors = val_map(a), .text = text};
    r.mark = first.mark;
    r.colon = first.colon;
    r.offset = order_mark_len(text);
    r.slashes = slice_find(text, SLICE_LIT("\\/")) >= 0;
    root = read_once(&r);
    *error = r.error;
    again = false;
    if (!root && i < COLONS_MAX) {
      if (!first.colon) first.colon = stand_in(a, text, 0xE200);
      again = replace_colon(&r, &text, first.colon);
    }
    yaml_parser_delete(&r.parser);
  }
  return root;
}
