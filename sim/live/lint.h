/* lint: what a client does that works until it does not. Rules are rows of a table; each finding
 * names the client, the object and what was seen. */
#ifndef APISIM_LIVE_LINT_H
#define APISIM_LIVE_LINT_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct live;
struct exchange;
typedef struct live_lint live_lint;

typedef enum lint_rule {
  LINT_UNHANDLED_410, /* a watch from a revision that was just refused as expired, again */
  LINT_RELIST_STORM, /* many lists of one resource in a short time, without being told to */
  LINT_UNCONDITIONAL_WRITE, /* an update without a resourceVersion */
  LINT_HOT_LOOP, /* the same object written over and over in a short time */
  LINT_NOOP_WRITES, /* updates that change nothing, over and over */
  LINT_IGNORED_RETRY_AFTER, /* asked again before the time that a 429 named */
  LINT_BLIND_RETRY, /* the same conflicting update sent again unchanged */
  LINT_NO_BOOKMARKS, /* a watch that does not ask for bookmarks */
  LINT_UNBOUNDED_LIST, /* lists many objects without a limit */
  LINT_COUNT,
} lint_rule;

typedef struct lint_finding {
  lint_rule rule;
  int client;
  uint32_t count; /* how often */
  int64_t at_ns;
  char text[256]; /* of the first time */
  struct lint_finding *next;
} lint_finding;

extern const char *const lint_names[LINT_COUNT];
/* Whether a rule's finding is an error unless the plan says otherwise. */
extern const bool lint_is_error[LINT_COUNT];

live_lint *lint_create(struct live *l);
void lint_destroy(live_lint *t);
void lint_request(live_lint *t, struct exchange *ex, slice body);
void lint_answer(live_lint *t, struct exchange *ex, int status, int64_t retry_after_s);
/* The client was told 410, by a fault or because history had gone. */
void lint_expired(live_lint *t, struct exchange *ex);
/* A write of this client was stored, or found nothing to change. */
void lint_stored(live_lint *t, struct exchange *ex, slice key, bool changed);
const lint_finding *lint_findings(const live_lint *t);

#endif
