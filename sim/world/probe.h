/* probe: "sometimes" marks. A place that some run should reach counts itself; a fleet says which
 * were reached by no seed, because a simulator that no longer gets anywhere finds nothing. */
#ifndef APISIM_SIM_PROBE_H
#define APISIM_SIM_PROBE_H

#define PROBE_LIST(X)                                                                        \
  X(CONFLICT, "an update met a conflict")                                                    \
  X(EXISTS, "a create met an object that exists")                                            \
  X(NOT_FOUND, "an object was not there")                                                    \
  X(INVALID, "an object was refused as invalid")                                             \
  X(GONE_WATCH, "a watch was refused with 410")                                              \
  X(GONE_LIST, "a list was refused with 410")                                                \
  X(GONE_PAGE, "a continue token was too old")                                               \
  X(INCONSISTENT_PAGE, "a list went on inconsistently after a 410")                          \
  X(PAGES, "a list took several pages")                                                      \
  X(PAGE_RACE, "something was written between two pages")                                    \
  X(RELIST, "an informer listed again")                                                      \
  X(WATCH_LIST, "a watch began with initial events")                                         \
  X(BOOKMARK, "a bookmark came")                                                             \
  X(LATE_BOOKMARK, "a bookmark carried an informer beyond its last event")                   \
  X(RESUMED, "a watch went on where a broken one had ended")                                 \
  X(SELECTOR_EXIT, "an object left a selector")                                              \
  X(SELECTOR_ENTER, "an object entered a selector")                                          \
  X(LOST_REPLY, "a write was done and its answer lost")                                      \
  X(LOST_REQUEST, "a request was lost before it was read")                                   \
  X(DUPLICATE, "a request arrived twice")                                                    \
  X(TOO_LARGE_VERSION, "a version from the future was asked for")                            \
  X(WAITED, "a read waited for a version and got it")                                        \
  X(FINALIZER, "a deletion waited for a finalizer")                                          \
  X(ENDED, "an update ended a deletion")                                                     \
  X(NOOP, "an update changed nothing")                                                       \
  X(APPLY_CONFLICT, "an apply met another manager's field")                                  \
  X(GENERATED, "a name was generated")                                                       \
  X(NAME_TAKEN, "a generated name was taken")                                                \
  X(SLOW_CUT, "a reader that was too slow was cut off")                                      \
  X(STREAM_INSTEAD, "another than the server answered on an HTTP/2 stream")                  \
  X(STREAM_HELD, "the end of an HTTP/2 request's body came late")                            \
  X(STREAM_BOOKMARK, "a bookmark on an HTTP/2 stream was lost or doubled")                   \
  X(STREAM_IDS, "an HTTP/2 connection had no numbers left for streams")                      \
  X(STREAM_CLOSED, "an HTTP/2 connection no longer took the request that had waited")        \
  X(SERVER_DIED, "a server died with requests under way")                                    \
  X(NO_MEMORY, "an allocation failed")                                                       \
  X(COMPACTED, "history was dropped")                                                        \
  X(TOOK_OVER, "a lease changed hands")                                                      \
  X(CHILD_MADE, "a controller made an object")                                               \
  X(CHILD_GONE, "a controller deleted an object")                                            \
  X(STALE_READ, "a read at version 0 was behind")                                            \
  X(DELETED_COLLECTION, "a collection was deleted")                                          \
  X(THROTTLED, "a client was told to come back later")                                       \
  X(PROTOBUF, "an object was read as protobuf")                                              \
  X(TOO_LARGE, "an object was too large")                                                    \
  X(DRY_RUN, "a dry run was answered")                                                       \
  X(REV_JUMP, "the revision was beyond 2^53")                                                \
  X(STORE_UNKNOWN, "the store's answer to a write was lost")                                 \
  X(STORE_DOWN, "the store was not available")                                               \
  X(CACHE_BEHIND, "a server's cache was behind the store")                                   \
  X(CACHE_REMADE, "a server listed its store again")                                         \
  X(MOVED, "a client moved to another server")                                               \
  X(EXPIRED, "an object outlived its lease and went")

#define PROBE_ENUM(name, text) PROBE_##name,
typedef enum probe { PROBE_LIST(PROBE_ENUM) PROBES } probe;
#undef PROBE_ENUM

#define SOMETIMES(w, name) ((void)(w)->probe_counts[PROBE_##name]++)
const char *probe_text(probe p);

#endif
