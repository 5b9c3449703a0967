/* mutant: known bugs, to prove that the simulator's checkers would find them. Only a build with
 * -DAPISIM_MUTANTS has them, and there one at a time is chosen by number at run time; in every
 * other build MUTANT(...) is the constant false and nothing is left of it. */
#ifndef APISIM_BASE_MUTANT_H
#define APISIM_BASE_MUTANT_H

#include <stdbool.h>
#include <stdint.h>

#define MUTANT_LIST(X)                                                                       \
  X(NONE, "the server as it is")                                                             \
  X(SKIP_AT_WRAP, "a watch that catches up skips the oldest event it is due")                \
  X(BOOKMARK_BEHIND, "a bookmark names a revision that has passed")                           \
  X(REINIT_KEEPS_WATCHES, "a copy that is made anew leaves its watches open")               \
  X(BOOKMARK_EARLY, "a bookmark names the next revision")                                    \
  X(NO_SELECTOR_EXIT, "an object that leaves a selector is not told of")                     \
  X(DELETED_OLD_VERSION, "a DELETED event carries the version before it")                    \
  X(PAGE_AT_LATEST, "later pages are read at the newest revision")                           \
  X(GONE_TOO_LATE, "a watch from just below the kept history is accepted")                   \
  X(GONE_TOO_EARLY, "a watch from the oldest kept revision is refused")                      \
  X(INITIAL_BEHIND, "a watch with initial events begins one revision too late")              \
  X(DROP_DELETE, "every fourth deletion is told to nobody")                                  \
  X(PUT_IGNORES_VERSION, "an update does not compare versions")                              \
  X(NOOP_WRITES, "an update that changes nothing is written")                                \
  X(DRY_RUN_WRITES, "a dry run of a create is done")                                         \
  X(STALE_READ, "a get shows the state of one revision ago")                                 \
  X(LIST_BEHIND, "a list shows the state of one revision ago")                               \
  X(GENERATED_TWICE, "a create with a generated name is done twice")                         \
  X(SLOW_SKIPS, "a slow reader's events are dropped instead of its stream closed")           \
  X(END_TWICE, "the bookmark that ends the initial events comes twice")                      \
  X(EVENT_TWICE, "an event is told twice")                                                   \
  X(FINALIZER_IGNORED, "a deletion does not wait for finalizers")                            \
  X(UID_CHANGES, "an update gives the object a new uid")                                     \
  X(NO_GENERATION, "the generation stays when the spec changes")                             \
  X(CREATE_OVERWRITES, "a create replaces what exists")                                      \
  X(LIST_DROPS_LAST, "a list lacks its last item")                                           \
  X(REMAINING_WRONG, "remainingItemCount is one too high")                                   \
  X(BOOKMARK_UNASKED, "bookmarks come unasked")                                              \
  X(EXACT_IS_LATEST, "a list at an exact version shows the newest")                          \
  X(STATUS_CODE, "an error's HTTP status differs from the Status")                           \
  X(LEAK_WATCHER, "a watcher's selector is not freed")                                       \
  X(NO_ANSWER, "a request that waited for a version is never answered")                      \
  X(CACHE_SKIPS, "a server's copy misses an event")                                          \
  X(REPLAY_TXN, "a write whose answer was lost is sent again")                               \
  X(REVISION_REUSED, "a write's object carries the revision before")                         \
  X(ELECTOR_EARLY, "a candidate takes a lease after a third of its time")                    \
  X(ELECTOR_BLIND, "a candidate takes a lease that is held")                                 \
  X(TTL_HALF, "an event's lease lasts half its time to live")                                \
  X(LEASE_OF_ANY_AGE, "a lease is used again however soon it ends")                         \
  X(EXISTS_IS_CONFLICT, "behind an etcd, a create that meets an object conflicts with it") \
  X(CREATE_TWICE, "a create whose answer was lost is sent again")                            \
  X(STALE_CONFLICT, "what failed on a late copy's state is not tried on the newest")        \
  X(GIVES_UP, "an update that another writer was quicker than is not made anew")           \
  X(STALE_NOOP, "an update that changes nothing of a late copy is not compared with the newest") \
  X(ENDED_FIRST, "an update that ends a deletion is answered with version 1")                \
  X(ENDED_HELD, "an update that ends a deletion is answered with the finalizers it took off") \
  X(WINDOW_SHORT, "a watch may begin at the last four events of a window only")              \
  X(WINDOW_SKIPS, "a watch that begins in a window misses its first event")

#define MUTANT_ENUM(name, text) MUTANT_##name,
enum mutant { MUTANT_LIST(MUTANT_ENUM) MUTANTS };
#undef MUTANT_ENUM

#ifdef APISIM_MUTANTS
extern uint32_t mutant_chosen;
#define MUTANT(name) (mutant_chosen == MUTANT_##name)
#else
#define MUTANT(name) false
#endif

#endif
