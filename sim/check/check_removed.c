/* What the request asked for is known only of the kinds whose request says little. */
#include "sim/check/check_removed.h"

#include "sim/model/json_scan.h"

#define BIT(kind) ((uint32_t)1 << (kind))
/* Updates that may leave an object without finalizers. */
#define MAY_END                                                                              \
  (BIT(OP_UPDATE) | BIT(OP_UPDATE_BLIND) | BIT(OP_UPDATE_SAME) | BIT(OP_RELABEL) |             \
   BIT(OP_PATCH_MERGE) | BIT(OP_PATCH_JSON) | BIT(OP_APPLY) | BIT(OP_FINALIZER))
#define BY_VERSION (BIT(OP_UPDATE) | BIT(OP_UPDATE_SAME) | BIT(OP_RELABEL))
/* Nothing but the mark, and the finalizers. */
#define ONLY_MARKS (BIT(OP_FINALIZER) | BIT(OP_PATCH_JSON))
#define MARK SLICE_LIT("\"sim/op\":\"")

/* The version that the answer names, if the key was in that state in [low, high] and its object
 * was gone then, too. */
static const commit *ended_version(const model *m, uint32_t key, int64_t revision, int64_t low,
                                   int64_t high) {
  bool gone = false;
  for (const commit *c = model_version(m, key, high); c; c = model_prev(m, c)) {
    if (c->revision == revision) return c->deleted || !gone ? NULL : c;
    gone |= c->deleted;
    if (c->revision <= low) break;
  }
  return NULL;
}

static slice meta_of(slice object) { return json_member(object, SLICE_LIT("metadata")); }

static bool is_ending(slice meta) {
  slice grace = json_member(meta, SLICE_LIT("deletionGracePeriodSeconds"));
  return json_member(meta, SLICE_LIT("deletionTimestamp")).len && (!grace.len ||
         slice_is(grace, "0"));
}

/* The member's text is the same in both, or missing in both. */
static bool same_member(slice a, slice b, const char *name) {
  return slice_eq(json_member(a, slice_cstr(name)), json_member(b, slice_cstr(name)));
}

static bool same_object(slice a, slice b) {
  static const char *const kept[] = {"name", "namespace", "uid", "creationTimestamp",
                                     "deletionTimestamp", "deletionGracePeriodSeconds",
                                     "generateName"};
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
    if (!same_member(a, b, kept[i])) return false;
  }
  return true;
}

/* Without what such a request changes. */
static slice bare(arena *a, slice object, const kind_row *k) {
  slice meta = meta_of(object);
  size_t at = (size_t)(meta.ptr - object.ptr);
  slice rest = json_without(a, meta, SLICE_LIT("managedFields"));
  rest = json_without(a, rest, SLICE_LIT("finalizers"));
  rest = json_with_text(a, rest, MARK, SLICE_LIT("-"));
  if (k->by_annotations) rest = json_without(a, rest, SLICE_LIT("generation"));
  const slice parts[] = {slice_upto(object, at), rest, slice_from(object, at + meta.len)};
  return arena_join(a, parts, 3);
}

static bool carries_mark(const op *o, slice meta) {
  long long n;
  slice mark = json_text_of(json_member(meta, SLICE_LIT("annotations")), MARK);
  return slice_to_i64(mark, &n) && n == o->id;
}

bool check_removed(const model *m, const op *o, slice body, int64_t low, int64_t high, arena *a) {
  uint32_t kind = BIT(o->kind);
  if (!(kind & MAY_END) || o->key == NO_KEY) return false;
  body = slice_trim(body);
  int64_t revision = json_revision(body);
  const commit *was = ended_version(m, o->key, revision, low, high);
  if (!was || (kind & BY_VERSION && o->version && revision != o->version)) return false;
  slice now = meta_of(body), then = meta_of(was->value);
  if (!is_ending(then) || !same_object(now, then)) return false;
  if (json_member(now, SLICE_LIT("finalizers")).len) return false;
  if (op_rows[o->kind].flags & OP_MARKS && !carries_mark(o, now)) return false;
  /* a recorded session's object may have come without a mark */
  bool comparable = kind & ONLY_MARKS && json_text_of(then, MARK).ptr;
  return !comparable || slice_eq(bare(a, body, o->of), bare(a, was->value, o->of));
}
