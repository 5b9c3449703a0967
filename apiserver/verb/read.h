/* read: what get, list and watch share: versions asked for, continue tokens. */
#ifndef APISIM_VERB_READ_H
#define APISIM_VERB_READ_H

#include "registry/selector.h"
#include "request/options.h"
#include "request/request.h"
#include "respond/respond.h"
#include "store/store.h"

/* The options of list, watch and deletecollection with their selectors, in the real server's order:
 * numbers, the selectors' syntax, what goes together, field labels. False with rq->error. */
bool read_list_options(request *rq, list_options *o, selector *s);
/* The number of a resourceVersion parameter, 0 for none. A wrong one's error is that of a list
 * and of a get without a cache (400) or the plain one (500). */
bool read_version(request *rq, slice version, bool of_list, uint64_t *out);
/* Whether the real server keeps this resource in a watch cache. Events it reads in etcd: no version
 * is waited for there, "0" is as good as none, and a token's key begins without a slash. */
bool read_is_cached(const request *rq);
/* False with a 504 where the store has not reached `version`, "Too large resource version". */
bool read_reached(request *rq, uint64_t version);
/* That 504. */
bool read_too_large(request *rq, uint64_t asked, int64_t current);

/* Continue tokens (apiserver pkg/storage/continue.go): the revision of the first page (-1: the
 * current state, whatever the first page was) and the key from which to go on, behind the prefix
 * of the list. */
slice continue_encode(arena *a, int64_t revision, slice start);
/* *start: behind the prefix's last slash. False with rq->error. */
bool continue_decode(request *rq, slice token, int64_t *revision, slice *start);

/* What a list would answer, for the verb that lists first, deletecollection: the page that the
 * options ask for. The entries live as long as the request. False with rq->error, or with `waits`
 * where the store has not reached the version: then `again` is run later. */
typedef struct list_found {
  store_entry **items;
  uint32_t count;
  list_meta meta;
  bool waits;
} list_found;
bool list_collect(request *rq, const list_options *o, const selector *s,
                  void (*again)(request *rq), list_found *out);

/* Before a read that asks for no version: it must see all that was written before. *at: the
 * revision to read at, 0 for the newest. False with rq->error. */
bool read_consistent(request *rq, slice version, int64_t *at);

#endif
