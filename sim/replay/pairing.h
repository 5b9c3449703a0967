/* pairing: what legitimately varies between two runs of the same session, and what it became.
 *
 * A tape says uid 5a93…; the server replayed against says another. The first meeting of the two
 * in the same place pairs them; from then on they must always meet each other, and requests that
 * carry the tape's value are sent with the server's. Each class of values has its own rule:
 *   uid, identity, key, token, hash, name, address, port   one to one
 *   resource versions   one to one and in the same order; those from before the tape's first
 *                       write (bootstrap objects) only among themselves; a list's version is
 *                       any point between the writes before and behind it
 *   times               both now, or both as far from now as the tape says (give or take slack)
 *   ages                both ages */
#ifndef APISIM_REPLAY_PAIRING_H
#define APISIM_REPLAY_PAIRING_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum pair_class {
  PAIR_UID,
  PAIR_TIME,
  PAIR_NAME,
  PAIR_ADDRESS,
  PAIR_PORT,
  PAIR_HASH,
  PAIR_TOKEN,
  PAIR_IDENTITY,
  PAIR_KEY,
  PAIR_CLASSES,
} pair_class;

typedef struct pairing pairing;

/* The arena is borrowed and must outlive it. */
pairing *pairing_create(arena *a);
void pairing_destroy(pairing *p);
/* Seconds since 1970 at which the tape and the replay began, how long the tape ran, and by how
 * much the replay's clock may stray from the tape's (it runs faster or slower). */
void pairing_clock(pairing *p, int64_t tape_start, int64_t replay_start, int64_t length,
                   int64_t slack);
/* Where the replay's clock stands, in seconds since 1970. */
void pairing_now(pairing *p, int64_t replay_now);

/* Each answers whether the two may stand for each other, and remembers that they do. */
bool pairing_match(pairing *p, pair_class class, slice expected, slice actual);
bool pairing_match_version(pairing *p, slice expected, slice actual, bool of_list);
/* Free text: equal but for values that may vary inside it ("… UID in precondition: …"). */
bool pairing_match_text(pairing *p, slice expected, slice actual);
/* A name that the server made from `prefix` (generateName). */
bool pairing_match_generated(pairing *p, slice prefix, slice expected, slice actual);
/* A continue token: base64 of JSON with a version and a key. */
bool pairing_match_continue(pairing *p, slice expected, slice actual);
bool pairing_is_age(slice s);
/* From the tape's first write on, versions are in order. */
void pairing_first_version(pairing *p, int64_t expected);

/* The other way: what to send for what the tape sent. Both give `s` itself when nothing in it
 * is paired. */
slice pairing_substitute_text(pairing *p, slice s);
slice pairing_substitute_time(pairing *p, slice date);
slice pairing_substitute_version(pairing *p, slice version);
slice pairing_substitute_continue(pairing *p, slice token);

#endif
