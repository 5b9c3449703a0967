/* A plan that carries its manifests with it: steps that name files get the objects themselves, so
 * that a shrunk plan can be run from anywhere. */
#include "sim/live/inline.h"

#include "sim/file.h"

#include <stdio.h>
#include <string.h>

#define FILE_MAX ((size_t)16 << 20)

static bool read_file(arena *a, const char *dir, slice name, slice *out, slice *problem) {
  bool absolute = name.len && name.ptr[0] == '/';
  slice path = absolute ? name : arena_printf(a, "%s/%.*s", dir, SLICE_ARG(name));
  const char *why = file_read(a, arena_cstr(a, path), FILE_MAX, out);
  if (why) *problem = arena_printf(a, "can't read %.*s: %s", SLICE_ARG(path), why);
  return !why;
}

static bool add_document(arena *a, node *list, slice text, slice name, slice *problem) {
  if (slice_trim(text).len == 0) return true;
  slice why;
  node *n = node_parse(a, text, &why);
  if (!n) {
    *problem = arena_printf(a, "%.*s: %.*s", SLICE_ARG(name), SLICE_ARG(why));
    return false;
  }
  if (n->kind == NODE_MAP && n->count) node_append(a, list, n);
  return true;
}

/* The documents of a YAML stream, cut at lines of "---". */
static bool split_stream(arena *a, node *list, slice text, slice name, slice *problem) {
  size_t start = 0, at = 0;
  while (at < text.len) {
    ptrdiff_t end = slice_find_char(slice_from(text, at), '\n');
    size_t next = end < 0 ? text.len : at + (size_t)end + 1;
    if (slice_is(slice_trim(slice_of(text.ptr + at, next - at)), "---")) {
      slice document = slice_of(text.ptr + start, at - start);
      if (!add_document(a, list, document, name, problem)) return false;
      start = next;
    }
    at = next;
  }
  return add_document(a, list, slice_of(text.ptr + start, text.len - start), name, problem);
}

static bool inline_files(arena *a, const char *dir, const node *n, node *list, slice *problem) {
  slice text;
  if (n->kind == NODE_MAP) {
    node_append(a, list, (node *)(uintptr_t)n);
    return true;
  }
  if (n->kind == NODE_SCALAR) {
    return read_file(a, dir, n->text, &text, problem) &&
           split_stream(a, list, text, n->text, problem);
  }
  for (uint32_t i = 0; i < n->count; i++) {
    if (!inline_files(a, dir, n->items[i], list, problem)) return false;
  }
  return true;
}

bool live_plan_inline(arena *a, const char *dir, node *tree, slice *problem) {
  node *steps = node_get(tree, "scenario");
  *problem = SLICE_NONE;
  for (uint32_t i = 0; steps && steps->kind == NODE_LIST && i < steps->count; i++) {
    node *step = steps->items[i];
    bool puts = step->kind == NODE_MAP && step->count &&
                (slice_is(step->keys[0], "apply") || slice_is(step->keys[0], "create"));
    if (!puts || step->items[0]->kind == NODE_MAP) continue;
    node *list = node_list(a);
    list->line = step->items[0]->line;
    if (!inline_files(a, dir, step->items[0], list, problem)) {
      *problem = arena_printf(a, "line %d: %.*s", list->line, SLICE_ARG(*problem));
      return false;
    }
    step->items[0] = list;
  }
  return true;
}
