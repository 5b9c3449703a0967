/* Lists: their items' bytes beside the model's, in key order. */
#include "sim/check/check_op.h"

#include "sim/model/json_scan.h"

typedef struct list_walk {
  world *w;
  slice items; /* from the array's bracket on */
  size_t at; /* the bracket, or what stands behind the last item */
  uint32_t limit, seen;
  uint32_t after;
  bool passed; /* behind `after` */
  uint32_t last;
  bool cut; /* the page is full and more is there */
  uint32_t left; /* behind the page */
  const char *problem;
  const commit *where;
} list_walk;

/* An item is the object without kind and apiVersion: what begins at metadata. What is there is
 * compared and not scanned; behind it another item or the end must stand. */
static bool same_item(list_walk *l, const commit *c) {
  slice mark = SLICE_LIT("\"metadata\":");
  const char *from = memmem(c->value.ptr, c->value.len, mark.ptr, mark.len);
  slice wanted = slice_from(c->value, from ? (size_t)(from - c->value.ptr) : 0);
  slice rest = slice_from(l->items, l->at + 1);
  size_t end = wanted.len + 1;
  if (rest.len <= end || rest.ptr[0] != '{') return false;
  if (memcmp(rest.ptr + 1, wanted.ptr, wanted.len) != 0) return false;
  if (rest.ptr[end] != ',' && rest.ptr[end] != ']') return false;
  l->at += end + 1;
  return true;
}

static bool at_end(const list_walk *l) {
  if (l->at == 0) return l->items.len > 1 && l->items.ptr[1] == ']';
  return l->at < l->items.len && l->items.ptr[l->at] == ']';
}

static bool visit(void *ctx, const commit *c) {
  list_walk *l = ctx;
  const model *m = l->w->model;
  if (!l->passed) {
    l->passed = slice_cmp(m->keys[c->key].text, m->keys[l->after].text) > 0;
    if (!l->passed) return true;
  }
  if (l->limit && l->seen == l->limit) {
    l->cut = true;
    l->left++;
    return true;
  }
  if (!same_item(l, c)) {
    l->problem = at_end(l) ? "an object is missing" : "an item is not the object at that version";
    l->where = c;
    return false;
  }
  l->seen++;
  l->last = c->key;
  return true;
}

int64_t check_list(world *w, const view_filter *f, slice body, uint32_t limit, list_page *page) {
  slice meta = json_member(body, SLICE_LIT("metadata"));
  int64_t revision = json_revision(meta);
  list_walk l = {.w = w, .items = json_member_from(slice_trim(body), SLICE_LIT("items")),
                 .limit = limit, .after = page ? page->after : NO_KEY, .last = NO_KEY};
  l.passed = l.after == NO_KEY;
  if (!CHECK_THAT(w, LIST, revision > 0 && revision <= model_revision(w->model),
                  "a list at version %lld, the store is at %lld", (long long)revision,
                  (long long)model_revision(w->model))) {
    return -1;
  }
  model_list(w->model, f, revision, visit, &l);
  if (!l.problem && !at_end(&l)) l.problem = "there is one too many";
  if (!CHECK_THAT(w, LIST, !l.problem, "a list at version %lld: %s (%.*s)", (long long)revision,
                  l.problem, l.where ? (int)w->model->keys[l.where->key].text.len : 1,
                  l.where ? w->model->keys[l.where->key].text.ptr : "-")) {
    return -1;
  }
  if (!page) return revision;
  page->token = json_text_of(meta, SLICE_LIT("\"continue\":\""));
  page->more = page->token.len > 0;
  page->last = l.last;
  page->items = l.seen;
  page->remaining = json_number_of(meta, SLICE_LIT("\"remainingItemCount\":"));
  bool counts = page->remaining < 0 || page->remaining == (int64_t)l.left;
  /* with a selector the token says that there are more keys, not that they are selected */
  bool more_fits = page->more == l.cut || (page->more && f->tier);
  CHECK_THAT(w, LIST, more_fits && counts,
             "a page of %u at version %lld: %s, %lld are said to remain, %u do", l.seen,
             (long long)revision, page->more ? "goes on" : "is the last",
             (long long)page->remaining, l.left);
  return revision;
}
