/* libyaml's events to nodes, with a stack of open lists and maps instead of recursion. What
 * stands behind the first document is not looked at, as the real server does not either. */
#include "codec/yaml_node.h"

#include "base/heap.h"
#include "base/limits.h"
#include "base/quote.h"
#include "base/val.h"

#include <assert.h>
#include <yaml.h>

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
  bool slashes, questions; /* there is a \/, or a ?, somewhere */
} reader;

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

static slice text_of(reader *r, const yaml_char_t *text, size_t len) {
  return text ? arena_copy(r->a, slice_of((const char *)text, len)) : SLICE_NONE;
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
  if (!brackets || !r->questions) return 0;
  size_t i = byte_of(r, e->start_mark.index);
  return map && i < r->text.len && r->text.ptr[i] == '{' ? '}' : ']';
}

static bool take_start(reader *r, const yaml_event_t *e) {
  bool map = e->type == YAML_MAPPING_START_EVENT;
  yaml_node *n = node_of(r, e, map ? YNODE_MAP : YNODE_LIST);
  n->closes = closes(r, e, map);
  anchor(r, n, map ? e->data.mapping_start.anchor : e->data.sequence_start.anchor);
  add_child(r, n);
  return open_node(r, n);
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
    case YAML_MAPPING_END_EVENT: r->depth--; break;
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

yaml_node *yaml_read(arena *a, slice text, slice *error) {
  text = as_utf8(a, text);
  reader r = {.a = a, .anchors = val_map(a), .text = text};
  r.slashes = slice_find(text, SLICE_LIT("\\/")) >= 0;
  r.questions = slice_find_char(text, '?') >= 0;
  int ready = yaml_parser_initialize(&r.parser);
  assert(ready);
  if (!ready) return NULL;
  if (text.len == 0) text = SLICE_LIT("\n");
  yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.ptr, text.len);
  bool good = true, more = true;
  while (good && more) {
    yaml_event_t event;
    if (!yaml_parser_parse(&r.parser, &event)) {
      good = fail_parse(&r);
      break;
    }
    good = take_event(&r, &event, &more);
    yaml_event_delete(&event);
  }
  yaml_parser_delete(&r.parser);
  heap_free(r.open);
  *error = r.error;
  return good ? r.root : NULL;
}
