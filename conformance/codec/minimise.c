/* Less and less of a body, as long as the two still differ: members of a JSON tree or fields of a
 * message first, then lines, then bytes. */
#include "conformance/codec/cases.h"

#include "base/limits.h"
#include "codec/codec.h"

typedef struct search {
  arena *a;
  minimise_test differs;
  void *context;
  uint32_t left; /* tries */
  slice best;
} search;

static bool try(search *s, slice body) {
  if (s->left == 0 || body.len >= s->best.len) return false;
  s->left--;
  if (!s->differs(s->context, body)) return false;
  s->best = arena_copy(s->a, body);
  return true;
}

/* ---- bytes and lines ---- */

static size_t step_over(slice s, size_t at, size_t size, bool lines) {
  size_t end = at + size < s.len ? at + size : s.len;
  while (lines && end < s.len && s.ptr[end - 1] != '\n') end++;
  return end;
}

static void cut_pieces(search *s, bool lines) {
  for (size_t size = s->best.len / 2; size > 0 && s->left; size /= 2) {
    for (size_t at = 0; at < s->best.len && s->left;) {
      size_t end = step_over(s->best, at, size, lines);
      slice rest = arena_concat(s->a, slice_upto(s->best, at), slice_from(s->best, end));
      if (!try(s, rest)) at = end;
    }
  }
}

/* ---- a JSON tree ---- */

static bool try_tree(search *s, const val *root) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  json_encode_any(&b, root, false);
  bool good = try(s, buf_slice(&b));
  buf_dispose(&b);
  return good;
}

static void cut_tree(search *s, val *root, val *v, unsigned depth) {
  for (uint32_t i = val_len(v); i-- > 0 && s->left && depth < 64;) {
    if (val_is_list(v)) {
      val *item = v->u.items[i];
      val_remove(v, i);
      if (try_tree(s, root)) continue;
      val_insert(s->a, v, i, item);
      cut_tree(s, root, item, depth + 1);
      continue;
    }
    val_entry e = v->u.entries[i];
    memmove(v->u.entries + i, v->u.entries + i + 1, (v->count - i - 1) * sizeof e);
    v->count--;
    if (try_tree(s, root)) continue;
    memmove(v->u.entries + i + 1, v->u.entries + i, (v->count - i) * sizeof e);
    v->u.entries[i] = e;
    v->count++;
    cut_tree(s, root, e.value, depth + 1);
  }
}

/* ---- a message ---- */

typedef struct nest { /* what stands around the message that is being cut */
  const struct nest *up;
  slice before, tag, after;
} nest;

static slice wrap(arena *a, const nest *n, slice message) {
  for (; n; n = n->up) {
    buf b;
    buf_init(&b, LIMIT_BUFFER);
    buf_append(&b, n->before);
    if (n->tag.len) {
      buf_append(&b, n->tag);
      size_t len = message.len;
      for (; len >= 0x80; len >>= 7) buf_char(&b, (char)(len | 0x80));
      buf_char(&b, (char)len);
    }
    buf_append(&b, message);
    buf_append(&b, n->after);
    message = arena_copy(a, buf_slice(&b));
    buf_dispose(&b);
  }
  return message;
}

static void cut_message(search *s, const nest *around, slice message, unsigned depth) {
  message_fields m;
  if (depth > 40 || !message_split(s->a, message, &m)) return;
  for (uint32_t i = m.count; i-- > 0 && s->left;) {
    slice was = m.fields[i], tag, body;
    m.fields[i] = SLICE_LIT("");
    if (try(s, wrap(s->a, around, message_join(s->a, &m)))) continue;
    m.fields[i] = was;
    if (!message_field_body(was, &tag, &body)) continue;
    message_fields head = {m.fields, i, i}, tail = {m.fields + i + 1, m.count - i - 1, 0};
    nest inner = {around, message_join(s->a, &head), tag, message_join(s->a, &tail)};
    uint32_t left = s->left;
    cut_message(s, &inner, body, depth + 1);
    if (left == s->left) continue;
    /* What the walk below kept is in best alone: go on from there at the next round. */
  }
}

slice minimise(arena *a, unsigned format, slice body, minimise_test differs, void *context) {
  search s = {a, differs, context, 4000, body};
  size_t before;
  do {
    before = s.best.len;
    slice error;
    val *v = format == ORACLE_JSON ? json_parse(a, s.best, NULL, &error) : NULL;
    if (v) cut_tree(&s, v, v, 0);
    if (format == ORACLE_PROTOBUF && s.best.len > 4) {
      nest magic = {NULL, slice_upto(s.best, 4), SLICE_LIT(""), SLICE_LIT("")};
      cut_message(&s, &magic, slice_from(s.best, 4), 0);
    }
    cut_pieces(&s, true);
  } while (s.best.len < before && s.left);
  if (format != ORACLE_PROTOBUF || s.best.len < 200) cut_pieces(&s, false);
  return s.best;
}
