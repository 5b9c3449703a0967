/* YAML in by libyaml's documents, YAML out by a writer of our own: what a person would write. */
#include "sim/live/node.h"

#include "codec/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#define FLOW_WIDTH 88

typedef struct loading {
  arena *a;
  yaml_document_t doc;
  uint32_t count;
  slice *problem;
} loading;

static node *make(arena *a, node_kind kind) {
  node *n = ARENA_NEW(a, node);
  n->kind = kind;
  return n;
}

node *node_scalar(arena *a, slice text) {
  node *n = make(a, NODE_SCALAR);
  n->text = arena_copy(a, text);
  return n;
}

node *node_int(arena *a, int64_t i) {
  node *n = make(a, NODE_SCALAR);
  n->text = arena_printf(a, "%lld", (long long)i);
  return n;
}

node *node_list(arena *a) { return make(a, NODE_LIST); }
node *node_map(arena *a) { return make(a, NODE_MAP); }

static void grow(arena *a, node *n) {
  uint32_t cap = n->cap;
  n->items = arena_more(a, n->items, n->count, &cap, sizeof *n->items);
  if (n->kind == NODE_MAP) {
    uint32_t key_cap = n->cap;
    n->keys = arena_more(a, n->keys, n->count, &key_cap, sizeof *n->keys);
  }
  n->cap = cap;
}

void node_append(arena *a, node *list, node *item) {
  grow(a, list);
  list->items[list->count++] = item;
}

static void put(arena *a, node *map, slice key, node *value) {
  grow(a, map);
  map->keys[map->count] = key;
  map->items[map->count++] = value;
}

void node_set(arena *a, node *map, const char *key, node *value) {
  for (uint32_t i = 0; i < map->count; i++) {
    if (!slice_is(map->keys[i], key)) continue;
    map->items[i] = value;
    return;
  }
  put(a, map, arena_copy(a, slice_cstr(key)), value);
}

void node_remove(node *list, uint32_t at) {
  for (uint32_t i = at + 1; i < list->count; i++) {
    list->items[i - 1] = list->items[i];
    if (list->keys) list->keys[i - 1] = list->keys[i];
  }
  list->count--;
}

node *node_copy(arena *a, const node *n) {
  node *c = make(a, n->kind);
  c->line = n->line;
  c->quoted = n->quoted;
  c->text = n->text;
  for (uint32_t i = 0; i < n->count; i++) {
    if (n->kind == NODE_MAP) put(a, c, n->keys[i], n->items[i]);
    else node_append(a, c, n->items[i]);
  }
  return c;
}

node *node_get(const node *n, const char *key) {
  if (!n || n->kind != NODE_MAP) return NULL;
  for (uint32_t i = 0; i < n->count; i++) {
    if (slice_is(n->keys[i], key)) return n->items[i];
  }
  return NULL;
}

/* ---- in ---- */

static node *fail(loading *l, int line, const char *what) {
  if (!l->problem->ptr) *l->problem = arena_printf(l->a, "line %d: %s", line, what);
  return NULL;
}

static node *load(loading *l, int index, int depth);

static bool load_map(loading *l, const yaml_node_t *y, node *n, int depth) {
  for (yaml_node_pair_t *p = y->data.mapping.pairs.start; p < y->data.mapping.pairs.top; p++) {
    const yaml_node_t *k = yaml_document_get_node(&l->doc, p->key);
    int line = (int)k->start_mark.line + 1;
    if (k->type != YAML_SCALAR_NODE) return fail(l, line, "a key must be a word"), false;
    const char *word = (const char *)k->data.scalar.value;
    slice key = arena_copy(l->a, slice_of(word, k->data.scalar.length));
    if (node_get(n, arena_cstr(l->a, key))) {
      fail(l, line, arena_cstr(l->a, arena_printf(l->a, "key \"%.*s\" stands twice",
                                                  SLICE_ARG(key))));
      return false;
    }
    node *value = load(l, p->value, depth + 1);
    if (!value) return false;
    put(l->a, n, key, value);
  }
  return true;
}

static node *load(loading *l, int index, int depth) {
  const yaml_node_t *y = yaml_document_get_node(&l->doc, index);
  int line = (int)y->start_mark.line + 1;
  if (depth > NODE_DEPTH_MAX) return fail(l, line, "nested too deeply");
  if (++l->count > NODE_COUNT_MAX) return fail(l, line, "the plan is too large");
  node *n = make(l->a, NODE_SCALAR);
  n->line = line;
  if (y->type == YAML_SCALAR_NODE) {
    n->text = arena_copy(l->a, slice_of((const char *)y->data.scalar.value,
                                        y->data.scalar.length));
    n->quoted = y->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return n;
  }
  if (y->type == YAML_MAPPING_NODE) {
    n->kind = NODE_MAP;
    return load_map(l, y, n, depth) ? n : NULL;
  }
  n->kind = NODE_LIST;
  for (yaml_node_item_t *i = y->data.sequence.items.start; i < y->data.sequence.items.top; i++) {
    node *item = load(l, *i, depth + 1);
    if (!item) return NULL;
    node_append(l->a, n, item);
  }
  return n;
}

node *node_parse(arena *a, slice text, slice *problem) {
  yaml_parser_t parser;
  loading l = {.a = a, .problem = problem};
  *problem = SLICE_NONE;
  if (!yaml_parser_initialize(&parser)) abort();
  yaml_parser_set_input_string(&parser, (const unsigned char *)text.ptr, text.len);
  node *n = NULL;
  if (!yaml_parser_load(&parser, &l.doc)) {
    *problem = arena_printf(a, "line %zu: %s", parser.problem_mark.line + 1,
                            parser.problem ? parser.problem : "not YAML");
    yaml_parser_delete(&parser);
    return NULL;
  }
  if (!yaml_document_get_root_node(&l.doc)) n = make(a, NODE_MAP);
  else n = load(&l, 1, 0);
  yaml_document_delete(&l.doc);
  yaml_parser_delete(&parser);
  return n;
}

/* ---- out ---- */

static bool is_safe(slice s) {
  if (s.len == 0 || s.len > 120) return false;
  for (size_t i = 0; i < s.len; i++) {
    char c = s.ptr[i];
    bool safe = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
                (c && strchr("./_-+()=", c)) || (c == '*' && i) || (c == ' ' && i && i + 1 < s.len);
    if (!safe || (i == 0 && (c == '-' || c == '=') && s.len == 1)) return false;
    if (i == 0 && c == '-' && s.len > 1 && s.ptr[1] == ' ') return false;
  }
  return true;
}

static bool is_plain(slice s) {
  static const char *const words[] = {"true", "false", "null", "yes", "no", "on", "off", "~", "y",
                                      "n"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (slice_eq_nocase(s, slice_cstr(words[i]))) return false;
  }
  return is_safe(s);
}

static bool looks_like_number(slice s) {
  char text[40], *end;
  if (s.len == 0 || s.len >= sizeof text) return false;
  memcpy(text, s.ptr, s.len);
  text[s.len] = '\0';
  (void)strtod(text, &end);
  return *end == '\0';
}

static void write_scalar(buf *out, const node *n) {
  bool typed = !n->quoted; /* a plain word that means a bool or a number stays plain */
  if (typed && n->text.len && (is_plain(n->text) || slice_is(n->text, "true") ||
                               slice_is(n->text, "false") || slice_is(n->text, "null"))) {
    buf_append(out, n->text);
  } else if (is_plain(n->text) && !looks_like_number(n->text)) {
    buf_append(out, n->text);
  } else if (typed && n->text.len == 0) {
    buf_cstr(out, "null");
  } else {
    json_encode_string(out, n->text);
  }
}

static void write_key(buf *out, slice key) {
  if (is_safe(key)) buf_append(out, key);
  else json_encode_string(out, key);
}

void node_write_flow(buf *out, const node *n) {
  if (n->kind == NODE_SCALAR) {
    write_scalar(out, n);
    return;
  }
  bool map = n->kind == NODE_MAP;
  buf_char(out, map ? '{' : '[');
  for (uint32_t i = 0; i < n->count; i++) {
    if (i) buf_cstr(out, ", ");
    if (map) {
      write_key(out, n->keys[i]);
      buf_cstr(out, ": ");
    }
    node_write_flow(out, n->items[i]);
  }
  buf_char(out, map ? '}' : ']');
}

/* False: it does not fit on the rest of a line. */
static bool write_short(buf *out, const node *n, int indent) {
  buf b;
  buf_init(&b, (size_t)1 << 20);
  node_write_flow(&b, n);
  bool fits = !b.overflow && b.len + (size_t)indent <= FLOW_WIDTH;
  if (fits) buf_append(out, buf_slice(&b));
  buf_dispose(&b);
  return fits || n->kind == NODE_SCALAR || n->count == 0;
}

static void write_block(buf *out, const node *n, int indent, bool in_item) {
  bool map = n->kind == NODE_MAP;
  for (uint32_t i = 0; i < n->count; i++) {
    const node *v = n->items[i];
    if (i || !in_item) buf_printf(out, "%*s", indent, "");
    if (!map) {
      buf_cstr(out, "- ");
      if (v->kind == NODE_SCALAR) write_scalar(out, v);
      else if (v->kind == NODE_LIST || v->count == 0) node_write_flow(out, v);
      else if (!write_short(out, v, indent + 2)) {
        write_block(out, v, indent + 2, true);
        continue;
      }
      buf_char(out, '\n');
      continue;
    }
    write_key(out, n->keys[i]);
    buf_char(out, ':');
    if (v->kind == NODE_SCALAR || v->count == 0) {
      buf_char(out, ' ');
      node_write_flow(out, v);
      buf_char(out, '\n');
      continue;
    }
    buf line;
    buf_init(&line, (size_t)1 << 20);
    if (indent > 0 && write_short(&line, v, indent + (int)n->keys[i].len + 2)) {
      buf_printf(out, " %.*s\n", SLICE_ARG(buf_slice(&line)));
    } else {
      buf_char(out, '\n');
      write_block(out, v, v->kind == NODE_MAP ? indent + 2 : indent, false);
    }
    buf_dispose(&line);
  }
}

void node_write(buf *out, const node *n) {
  if (n->kind == NODE_SCALAR || n->count == 0) {
    node_write_flow(out, n);
    buf_char(out, '\n');
  } else {
    write_block(out, n, 0, false);
  }
}
