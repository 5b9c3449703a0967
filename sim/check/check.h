/* check: the invariants, a row each. A run counts how often each was looked at (a checker that
 * never looks finds nothing) and stops at the first that does not hold. */
#ifndef APISIM_SIM_CHECK_H
#define APISIM_SIM_CHECK_H

#include <stdbool.h>
#include <stdint.h>

struct world;

/* name, the invariant's number in the catalogue, what must hold */
#define CHECK_LIST(X)                                                                        \
  X(REVISION, "I1", "revisions rise by one a commit and never fall")                         \
  X(WRITES, "I2", "a write is done once, in its time, exactly if its answer says so")        \
  X(READS, "I2", "a read's bytes are what the key held at its version")                      \
  X(STREAM, "I3", "a watch stream is the filtered replay: types, bytes, selector crossings") \
  X(ORDER, "I4", "a stream's events come in order, each once")                               \
  X(BOOKMARK, "I5", "a bookmark is asked for and never ahead of an event")                   \
  X(INITIAL, "I6", "initial events are the state at the bookmark that ends them, once")      \
  X(RESUME, "I7", "a client's streams without a 410 are one exact replay")                   \
  X(WINDOW, "I8", "410 exactly outside of the history that is kept")                         \
  X(LIST, "I9", "a list is the state at its version; its pages together too")                \
  X(CONSISTENT, "I10", "a consistent read sees every write answered before it began")        \
  X(VERSION, "I11", "not older than N, and exactly N, mean that")                            \
  X(COUNTER, "I12", "no increment is lost")                                                  \
  X(META, "I13", "uid and creation time stay; generation rises exactly with the spec")       \
  X(NOOP, "I14", "a write that changes nothing is no write")                                 \
  X(DRY_RUN, "I15", "a dry run changes nothing")                                             \
  X(FINALIZERS, "I16", "an object goes when its finalizers are empty, and stays deleting")   \
  X(CACHE, "I17", "a server's cache is the store's state at its version")                    \
  X(MANAGED, "I18", "an applier owns what it applied; conflicts are told")                   \
  X(HTTP, "I19", "an answer is whole HTTP and JSON; a Status has the answer's code")         \
  X(SECRETS, "I20", "no error text leaks a secret or an address")                            \
  X(MEMORY, "I21", "nothing is left over when everybody is gone")                            \
  X(DEADLINE, "I22", "every request ends in its time")                                       \
  X(LIVENESS, "I23", "after healing everybody catches up")                                   \
  X(FAIRNESS, "I24", "no turn does unbounded work")                                          \
  X(BACKENDS, "I26", "the embedded store and the etcd model answer alike")                   \
  X(QUIET, "I27", "no watcher and no exchange is left when the clients are gone")            \
  X(FORMATS, "I28", "an object is the same in JSON and in protobuf")                         \
  X(REPLAYS, "I29", "a request that arrives twice does its work as two")                     \
  X(TTL, "I30", "an object with a lease lives as long as that")                              \
  X(LEADER, "C1", "at most one leader at a time")                                            \
  X(CONTROLLER, "C2", "a controller reaches the wanted state and makes nothing twice")

#define CHECK_ENUM(name, number, text) CHECK_##name,
typedef enum check_id { CHECK_LIST(CHECK_ENUM) CHECKS } check_id;
#undef CHECK_ENUM

typedef struct check_row {
  const char *name, *number, *text;
} check_row;
extern const check_row check_rows[CHECKS];

/* Counts one look. */
#define CHECKED(w, name) ((void)(w)->check_counts[CHECK_##name]++)
/* The invariant does not hold: kept if it is the first, and the run stops after this turn.
 * Returns false. */
bool check_fail(struct world *w, check_id id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define CHECK_THAT(w, name, holds, ...)                                                      \
  ((w)->check_counts[CHECK_##name]++, (holds) || check_fail((w), CHECK_##name, __VA_ARGS__))

#endif
