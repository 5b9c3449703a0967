/* informer: a reflector as client-go has it: list (paged, or as initial events of a watch), watch
 * from the list's version, resume from the last one seen, list again after 410. Controllers are
 * informers that act. */
#ifndef APISIM_SIM_INFORMER_H
#define APISIM_SIM_INFORMER_H

#include "sim/check/check_op.h"
#include "sim/check/check_stream.h"
#include "sim/workload/client.h"

typedef struct informer {
  client base;
  view_filter filter;
  const kind_row *of;
  bool watch_list; /* initial events instead of a list */
  bool bookmarks;
  bool any_version; /* the first list may be old: resourceVersion=0 */
  bool synced; /* it has had the whole state since it began */
  bool trusts_old; /* wrong: lists at resourceVersion=0 even where its place in history was gone */
  bool ignores_gone; /* wrong: after a 410 it goes on from now */
  uint32_t page; /* 0: whole lists */
  int64_t version; /* where the next watch begins; 0: list first */
  bool fresh_list; /* the last place was gone: the next list must be a new one */
  bool resuming;
  uint32_t retries;
  uint32_t epoch; /* of the world when its state was made */
  int64_t *cache; /* by key id: the version it knows; 0: not there */
  uint32_t cache_count;
  /* a list under way */
  bool listing;
  slice token;
  uint32_t list_after;
  int64_t list_revision;
  bool inconsistent;
  int64_t *fresh; /* the cache that it makes */
  uint32_t fresh_count;
  stream *stream;
  uint32_t relists;
  uint32_t list_epoch, stream_epoch;
  /* What whoever stands on it wants to know; NULL: nothing. */
  void (*changed)(struct informer *i, uint32_t key, told_kind kind);
  void (*replaced)(struct informer *i);
} informer;

/* The functions of informer_row, for rows that stand on it. */
void informer_init(informer *i, const kind_row *of, const view_filter *f);
void informer_begin(informer *i);
void informer_woken(client *c, uint64_t tag);
void informer_answered(client *c, call *k);
bool informer_told(client *c, call *k, slice text);
bool informer_settled(client *c, char *why, size_t size);
void informer_restart(client *c);
int64_t informer_knows(const informer *i, uint32_t key);
#define INFORMER_TAG 0 /* of client_later */

#endif
