/* list: a consistent view of a prefix, page by page where asked. */
#include "base/limits.h"
#include "base/mutant.h"
#include "codec/media.h"
#include "registry/generic.h"
#include "registry/selector.h"
#include "registry/stored.h"
#include "request/options.h"
#include "respond/list_stream.h"
#include "respond/respond.h"
#include "server_stores.h"
#include "verb/read.h"
#include "verb/verbs.h"
#include "verb/wait.h"

#include <assert.h>

#define LOOK_ENOUGH 4096u /* objects looked at in one turn */

typedef struct list_run {
  request *rq;
  list_options o;
  selector selector;
  slice prefix, start, end; /* of the keys to walk */
  uint64_t version; /* asked for */
  int64_t revision; /* 0: the current one */
  int64_t page; /* items at most; 0: all */
  bool continued;
  bool one_key; /* by its name: the real server gets instead of listing */
  bool collects; /* for deletecollection, which in the real server always reads in pages */
  store_view *view;
  arena *scratch; /* trees looked at for selectors, reset item by item */
  store_entry **items;
  uint32_t count, cap;
  slice *damaged_keys, *damages; /* of entries that can't be read */
  uint32_t damaged, keys_cap, damages_cap;
  slice next_key; /* where the next page starts; empty at the end */
  output_form form;
  bool in_pieces;
  uint32_t looked_at; /* in this turn */
  slice rest; /* where the next piece begins; empty: it was the last */
  timer timer;
} list_run;

/* A selector of one name in a known place: one key, and no pages. */
static void narrow_to_name(list_run *l) {
  slice name = l->selector.name;
  bool anywhere = l->rq->resource->namespaced && l->rq->info.namespace.len == 0 &&
      l->selector.namespace.len == 0;
  if (name.len == 0 || anywhere) return;
  l->start = arena_concat(l->rq->arena, l->prefix, name);
  l->end = arena_concat(l->rq->arena, l->start, slice_of("\0", 1));
  l->page = 0;
  l->one_key = true;
}

static bool read_place(list_run *l) {
  request *rq = l->rq;
  slice ns = rq->info.namespace.len ? rq->info.namespace : l->selector.namespace;
  l->prefix = stored_prefix(rq->arena, rq->resource, rq->resource->namespaced ? ns : SLICE_NONE);
  l->start = l->prefix;
  bool whole = slice_is(l->o.resource_version, "0") && read_is_cached(rq); /* in one page */
  l->page = whole ? 0 : l->o.limit;
  l->end = stored_prefix_end(rq->arena, l->prefix);
  if (l->o.continue_token.len == 0) {
    narrow_to_name(l);
    return true;
  }
  slice start;
  if (!continue_decode(rq, l->o.continue_token, &l->revision, &start)) return false;
  if (l->o.resource_version.len && !slice_is(l->o.resource_version, "0")) {
    return status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST,
                      "specifying resource version is not allowed when using continue");
  }
  l->start = arena_concat(rq->arena, l->prefix, start);
  l->continued = true;
  if (l->revision < 0) l->revision = 0; /* an inconsistent continuation: the current state */
  if (MUTANT(PAGE_AT_LATEST)) l->revision = 0;
  l->version = (uint64_t)l->revision;
  return true;
}

/* resourceVersion with match Exact, or without match but with a limit: that very state. */
static bool read_revision(list_run *l) {
  request *rq = l->rq;
  uint64_t n = l->version;
  if (!read_reached(rq, n)) return false;
  if (l->continued) return l->revision || read_consistent(rq, SLICE_NONE, &l->revision);
  bool paged = (l->o.limit > 0 || l->collects) && !l->one_key;
  bool exact = slice_is(l->o.match, "Exact") || (l->o.match.len == 0 && paged);
  if (n > 0 && exact && !MUTANT(EXACT_IS_LATEST)) l->revision = (int64_t)n;
  else l->revision = rq->http->horizon;
  return l->revision || read_consistent(rq, l->o.resource_version, &l->revision);
}

/* The snapshot's history may go before the view is there, or under it: where the store fetches what
 * the view walks over. */
static bool store_failed(list_run *l, store_result result) {
  request *rq = l->rq;
  if (result != STORE_COMPACTED) return generic_store_error(rq, result, SLICE_NONE);
  status_set(&rq->error, rq->arena, STATUS_EXPIRED, "%s",
             l->continued
             ? "The provided continue parameter is too old to display a consistent list "
                            "result. You can start a new list without the continue parameter, or "
                            "use the continue token in this response to retrieve the remainder of "
                            "the results. Continuing with the provided token results in an "
                            "inconsistent list - objects that were created, modified, or deleted "
                            "between the time the first chunk was returned and now may show up in "
                            "the list."
                          : "The resourceVersion for the provided list is too old.");
  if (l->continued) {
    rq->error.continue_token = continue_encode(rq->arena, -1, slice_from(l->start, l->prefix.len));
  }
  return false;
}

static bool open_view(list_run *l) {
  request *rq = l->rq;
  if (MUTANT(LIST_BEHIND) && !l->continued) l->revision = store_revision(request_store(rq)) - 1;
  store_result result = store_view_open(request_store(rq), l->revision, &l->view);
  if (result == STORE_OK) return true;
  if (result == STORE_FUTURE) {
    return read_too_large(rq, (uint64_t)l->revision, store_revision(request_store(rq)));
  }
  return store_failed(l, result);
}

static bool selected(list_run *l, store_entry *e) {
  if (selector_is_empty(&l->selector)) return true;
  val *obj = stored_decode(l->scratch, l->rq->resource, e);
  bool match = obj && selector_match(l->scratch, &l->selector, l->rq->resource, obj);
  arena_reset(l->scratch);
  return match;
}

static bool visit(void *ctx, store_entry *e) {
  list_run *l = ctx;
  if (l->page > 0 && (int64_t)l->count == l->page) {
    l->next_key = arena_copy(l->rq->arena, store_entry_key(l->items[l->count - 1]));
    return false;
  }
  if (l->in_pieces && l->looked_at++ == LOOK_ENOUGH) {
    l->rest = arena_copy(l->rq->arena, store_entry_key(e));
    return false;
  }
  if (store_entry_damage(e).ptr) { /* a list with a hole would be a lie */
    arena *a = l->rq->arena;
    l->damaged_keys = arena_more(a, l->damaged_keys, l->damaged, &l->keys_cap, sizeof(slice));
    l->damages = arena_more(a, l->damages, l->damaged, &l->damages_cap, sizeof(slice));
    l->damaged_keys[l->damaged] = arena_copy(a, store_entry_key(e));
    l->damages[l->damaged] = arena_copy(a, store_entry_damage(e));
    return l->damaged++ < GENERIC_DAMAGED_MAX;
  }
  if (!selected(l, e)) return true;
  l->items = arena_more(l->rq->arena, l->items, l->count, &l->cap, sizeof *l->items);
  l->items[l->count++] = e;
  return true;
}

/* With a selector each object is decoded: a long list is looked through in pieces, a turn each, so
 * that other clients are not kept waiting. Where the store waits the fiber must not be left. */
static bool goes_in_pieces(const list_run *l) {
  return !selector_is_empty(&l->selector) && !store_waits(l->rq->server->store);
}

/* Does the real server ask its watch cache for it, which never becomes ready there? */
static bool asks_the_cache(const list_run *l) {
  bool paged = l->continued || (l->o.limit > 0 && !slice_is(l->o.resource_version, "0"));
  return read_is_cached(l->rq) && !l->collects && !paged;
}

static bool refuse_damaged(list_run *l) {
  request *rq = l->rq;
  generic_damaged_list(rq, l->damaged_keys, l->damages, l->damaged);
  if (!asks_the_cache(l)) return false;
  slice why = rq->error.reason == STATUS_INTERNAL ? l->damages[0] : rq->error.message;
  slice package = media_internal_package(rq->resource->group);
  rq->error = (status_error){0};
  status_set(&rq->error, rq->arena, STATUS_TOO_MANY,
             "storage is (re)initializing: failed to list *%.*s.%.*s: %.*s", SLICE_ARG(package),
             SLICE_ARG(rq->resource->kind), SLICE_ARG(why));
  rq->error.retry_after_seconds = 1; /* there it grows while the cache is not ready, up to 30 */
  return false;
}

static bool check_walk(list_run *l, store_result walked) {
  if (l->damaged) return refuse_damaged(l);
  return walked == STORE_OK || store_failed(l, walked);
}

static list_meta make_meta(list_run *l) {
  list_meta m = {.revision = store_view_revision(l->view)};
  if (l->next_key.len == 0) return m;
  bool slash = read_is_cached(l->rq); /* its prefixes end without one */
  slice rest = slice_from(l->next_key, l->prefix.len - slash);
  slice start = arena_concat(l->rq->arena, rest, slice_of("\0", 1));
  m.continue_token = continue_encode(l->rq->arena, m.revision, start);
  if (selector_is_empty(&l->selector)) {
    slice from = arena_concat(l->rq->arena, l->next_key, slice_of("\0", 1));
    m.remaining = (int64_t)store_view_count(l->view, from, l->end) + MUTANT(REMAINING_WRONG);
    m.has_remaining = m.remaining > 0; /* it goes on: none means that they can't be counted now */
  }
  return m;
}

static bool prepare(list_run *l, output_form *form) {
  request *rq = l->rq;
  return negotiate_output(rq, false, form) && read_list_options(rq, &l->o, &l->selector) &&
         read_place(l) &&
         (l->continued || read_version(rq, l->o.resource_version, true, &l->version));
}

bool list_collect(request *rq, const list_options *o, const selector *s,
                  void (*again)(request *rq), list_found *out) {
  list_run l = {.rq = rq, .o = *o, .selector = *s, .collects = true};
  *out = (list_found){0};
  bool ok = read_place(&l) &&
            (l.continued || read_version(rq, o->resource_version, true, &l.version));
  if (ok && wait_for_version(rq, l.version, again)) {
    out->waits = true;
    return false;
  }
  if (!ok || !read_revision(&l) || !open_view(&l)) return false;
  if (!selector_is_empty(&l.selector)) l.scratch = arena_create();
  store_result walked = store_view_walk(l.view, l.start, l.end, visit, &l);
  arena_destroy(l.scratch);
  if (!check_walk(&l, walked)) {
    store_view_close(l.view);
    return false;
  }
  for (uint32_t i = 0; i < l.count; i++) request_keep(rq, store_entry_ref(l.items[i]));
  out->meta = make_meta(&l);
  out->items = l.items;
  out->count = l.count;
  store_view_close(l.view);
  return true;
}

static void walk_on(list_run *l);

static void on_timer(void *ctx, int64_t now_ns) {
  (void)now_ns;
  walk_on(ctx);
}

static void let_go(list_run *l) {
  timer_clear(&l->rq->server->timers, &l->timer);
  arena_destroy(l->scratch);
  l->scratch = NULL;
}

static void on_abort(http_exchange *x) {
  list_run *l = x->user;
  let_go(l);
  store_view_close(l->view);
}

static void go_on_later(list_run *l) {
  server *s = l->rq->server;
  l->rq->http->user = l;
  l->rq->http->on_abort = on_abort;
  timer_set(&s->timers, &l->timer, s->env->mono_ns + 1, on_timer, l); /* in the next turn */
}

static void answer(list_run *l, store_result walked) {
  request *rq = l->rq;
  store_view *view = l->view;
  if (!check_walk(l, walked)) {
    respond_error(rq);
    store_view_close(view);
    return;
  }
  list_meta meta = make_meta(l);
  if (MUTANT(LIST_DROPS_LAST) && l->count > 1) l->count--;
  if (list_is_stream(rq, &l->form, l->items, l->count)) {
    list_stream_begin(rq, &l->form, view, l->items, l->count, &meta);
    return;
  }
  respond_list(rq, &l->form, l->items, l->count, &meta);
  store_view_close(view); /* the items' bytes live as long as it, or as the parts that share them */
}

static void walk_on(list_run *l) {
  slice from = l->rest.len ? l->rest : l->start;
  l->rest = SLICE_NONE;
  l->looked_at = 0;
  store_result walked = store_view_walk(l->view, from, l->end, visit, l);
  if (l->rest.len) {
    go_on_later(l);
    return;
  }
  let_go(l);
  if (l->in_pieces) l->rq->http->on_abort = NULL;
  answer(l, walked);
}

void verb_list(request *rq) {
  list_run *l = ARENA_NEW(rq->arena, list_run);
  l->rq = rq;
  bool ok = prepare(l, &l->form);
  if (ok && wait_for_version(rq, l->version, verb_list)) return;
  if (!ok || !read_revision(l) || !open_view(l)) {
    respond_error(rq);
    return;
  }
  if (!selector_is_empty(&l->selector)) l->scratch = arena_create();
  l->in_pieces = goes_in_pieces(l);
  walk_on(l);
}
