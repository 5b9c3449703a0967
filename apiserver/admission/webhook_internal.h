/* webhook_internal: shared by the webhook_*.c; nobody else's. */
#ifndef APISIM_ADMISSION_WEBHOOK_INTERNAL_H
#define APISIM_ADMISSION_WEBHOOK_INTERNAL_H

#include "admission/webhook.h"
#include "http/client.h"

/* One webhook of a configuration. Lives in its set. */
typedef struct webhook {
  slice configuration, name;
  uint32_t index; /* in its configuration */
  const val *spec; /* as stored */
  bool mutating, ignores_failure, equivalent, reinvocable, runs_dry;
  int32_t timeout_s;
} webhook;

/* All webhooks of one sort, in the order in which they are asked. Counted: whoever waits on a fiber
 * keeps the set that it began with. */
typedef struct webhook_set {
  uint32_t refs;
  arena *arena;
  int64_t revision;
  uint32_t count;
  webhook *items;
} webhook_set;

struct webhooks {
  server *server;
  http_client *client;
  webhook_set *sets[2]; /* validating, mutating; NULL: not read */
};

webhook_set *webhook_set_take(server *s, bool mutating);
void webhook_set_drop(webhook_set *set);

/* What a webhook is asked about: the group, version and resource that its rule names, and the kind
 * of the object there. */
typedef struct webhook_match {
  const resource_info *as;
  slice group, version, kind; /* of the object that is sent */
  const type_info *type;
} webhook_match;
/* Is w called? False with rq->error.set where that can't be told (a namespace that is missing). */
bool webhook_matches(const admission_args *args, const webhook *w, webhook_match *out);

/* One call under way and what came of it. */
typedef enum webhook_outcome {
  WEBHOOK_ALLOWED,
  WEBHOOK_DENIED, /* rejection is filled in */
  WEBHOOK_FAILED, /* `why`: behind 'failed calling webhook "x": ' */
  WEBHOOK_REFUSED, /* it may not be called: rejection is filled in */
} webhook_outcome;

typedef struct webhook_call {
  const webhook *hook;
  webhook_match match;
  bool beta; /* AdmissionReview v1beta1 */
  char uid[37];
  slice url; /* for messages; none: it was not called at all */
  http_call *http;
  struct webhook_wait *wait;
  http_client_answer answer; /* in the request's arena */
  webhook_outcome outcome;
  status_error rejection;
  slice why;
  slice patch; /* decoded; empty: none */
} webhook_call;

/* The object of `args` as the webhook gets it: bytes in the arena. */
slice webhook_object_json(const admission_args *args, const webhook_match *m, const val *obj);
/* The AdmissionReview, in the arena. */
slice webhook_review_json(const admission_args *args, const webhook_call *c);
/* Reads c->answer into outcome, rejection, why, patch; warnings go to the request. */
void webhook_read_answer(const admission_args *args, webhook_call *c);
/* Applies c->patch to args->obj. False with rq->error; *changed. */
bool webhook_apply_patch(const admission_args *args, webhook_call *c, bool *changed);

/* Begins the call, or settles its outcome at once. */
void webhook_begin(const admission_args *args, webhook_call *c, struct webhook_wait *wait);

typedef struct webhook_wait {
  server *server;
  request *rq;
  struct fiber *fiber;
  uint32_t left, count;
  webhook_call *calls;
} webhook_wait;
/* Waits until all of them are over, and reads the answers. */
void webhook_wait_all(const admission_args *args, webhook_wait *w);

#endif
