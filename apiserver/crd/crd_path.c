/* See crd_path.h. */
#include "crd/crd_path.h"

#define DEPTH_MAX 64

static const val *first_of(const val *v, slice rest, int depth);

/* A name up to '.' or '['; "\." is a dot in it. */
static slice take_name(slice *rest, char room[256]) {
  size_t i = 0, n = 0;
  for (; i < rest->len && rest->ptr[i] != '.' && rest->ptr[i] != '['; i++) {
    if (rest->ptr[i] == '\\' && i + 1 < rest->len) i++;
    if (n < 256) room[n++] = rest->ptr[i];
  }
  *rest = slice_from(*rest, i);
  return slice_of(room, n);
}

/* Up to the bracket that closes, quotes respected. */
static bool take_bracket(slice *rest, slice *inside) {
  char quote = 0;
  int depth = 0;
  for (size_t i = 0; i < rest->len; i++) {
    char c = rest->ptr[i];
    if (quote) {
      if (c == '\\') i++;
      else if (c == quote) quote = 0;
      continue;
    }
    if (c == '\'' || c == '"') quote = c;
    if (c == '[') depth++;
    if (c != ']' || --depth > 0) continue;
    *inside = slice_of(rest->ptr + 1, i - 1);
    *rest = slice_from(*rest, i + 1);
    return true;
  }
  return false;
}

static bool is_quoted(slice s) {
  return s.len >= 2 && (s.ptr[0] == '\'' || s.ptr[0] == '"') && s.ptr[s.len - 1] == s.ptr[0];
}

static slice unquoted(slice s) { return is_quoted(s) ? slice_of(s.ptr + 1, s.len - 2) : s; }

/* The value on the right of a filter, against one found. */
static bool equals_literal(const val *v, slice literal) {
  long long n;
  if (is_quoted(literal)) return val_is_string(v) && slice_eq(val_str(v), unquoted(literal));
  if (slice_is(literal, "true") || slice_is(literal, "false")) {
    return val_is_bool(v) && val_true(v) == slice_is(literal, "true");
  }
  return slice_to_i64(literal, &n) && val_is_int(v) && val_i64(v) == n;
}

/* "@.type=="Ready"", "@.type != "x"", "@.type". */
static bool passes(const val *item, slice filter, int depth) {
  slice left = slice_trim(filter), right = SLICE_NONE;
  ptrdiff_t at = slice_find(filter, SLICE_LIT("=="));
  bool negative = false;
  if (at < 0) {
    at = slice_find(filter, SLICE_LIT("!="));
    negative = at >= 0;
  }
  if (at >= 0) {
    left = slice_trim(slice_upto(filter, (size_t)at));
    right = slice_trim(slice_from(filter, (size_t)at + 2));
  }
  if (left.len == 0 || left.ptr[0] != '@') return false;
  const val *v = first_of(item, slice_from(left, 1), depth + 1);
  if (at < 0) return v != NULL;
  return v && equals_literal(v, right) != negative;
}

static const val *first_item(const val *v, slice rest, slice filter, int depth) {
  for (uint32_t i = 0; val_is_list(v) && i < val_len(v); i++) {
    if (filter.ptr && !passes(val_at(v, i), filter, depth)) continue;
    const val *found = first_of(val_at(v, i), rest, depth + 1);
    if (found) return found;
  }
  VAL_EACH(e, v) {
    if (filter.ptr && !passes(e->value, filter, depth)) continue;
    const val *found = first_of(e->value, rest, depth + 1);
    if (found) return found;
  }
  return NULL;
}

static const val *first_in_bracket(const val *v, slice inside, slice rest, int depth) {
  long long n = 0;
  inside = slice_trim(inside);
  if (slice_is(inside, "*")) return first_item(v, rest, SLICE_NONE, depth);
  if (slice_has_prefix(inside, SLICE_LIT("?(")) && inside.ptr[inside.len - 1] == ')') {
    return first_item(v, rest, slice_of(inside.ptr + 2, inside.len - 3), depth);
  }
  if (is_quoted(inside)) return first_of(val_get(v, unquoted(inside)), rest, depth + 1);
  slice from, to;
  slice_cut(inside, ':', &from, &to);
  if (from.len && !slice_to_i64(from, &n)) return NULL;
  if (n < 0) n += val_len(v);
  return n < 0 ? NULL : first_of(val_at(v, (uint32_t)n), rest, depth + 1);
}

static const val *first_of(const val *v, slice rest, int depth) {
  char room[256];
  slice inside;
  if (!v || depth > DEPTH_MAX || rest.len == 0) return depth > DEPTH_MAX ? NULL : v;
  if (rest.ptr[0] == '[') {
    return take_bracket(&rest, &inside) ? first_in_bracket(v, inside, rest, depth) : NULL;
  }
  if (rest.ptr[0] == '.') rest = slice_from(rest, 1);
  if (rest.len && rest.ptr[0] == '[') return first_of(v, rest, depth + 1);
  slice name = take_name(&rest, room);
  if (name.len == 0) return rest.len ? NULL : v;
  if (slice_is(name, "*")) return first_item(v, rest, SLICE_NONE, depth);
  return first_of(val_get(v, name), rest, depth + 1);
}

const val *crd_path_first(const val *obj, slice at) { return first_of(obj, at, 0); }

val *crd_path_parent(arena *make, val *obj, slice at, slice *last) {
  val *here = obj;
  slice name, rest = slice_has_prefix(at, SLICE_LIT(".")) ? slice_from(at, 1) : at;
  while (slice_cut(rest, '.', &name, &rest)) {
    val *below = val_get(here, name);
    if (make) {
      below = below && val_is_map(below) ? val_copy(make, below) : below ? below : val_map(make);
      val_set(make, here, name, below);
    }
    if (!val_is_map(below)) return NULL;
    here = below;
  }
  *last = name;
  return val_is_map(here) ? here : NULL;
}
