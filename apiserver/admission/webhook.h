/* webhook: Validating- and MutatingWebhookConfigurations, called.
 *
 * The configurations are read from the store and kept until one changes (any server's write
 * counts). A webhook is asked with an AdmissionReview over HTTPS (http/client.h); the request
 * waits for the answer on its fiber (request/chain.c), others go on meanwhile.
 * Source: apiserver pkg/admission/plugin/webhook. matchConditions are not evaluated: such a
 * webhook is called whatever they say, which its creation warns of. */
#ifndef APISIM_ADMISSION_WEBHOOK_H
#define APISIM_ADMISSION_WEBHOOK_H

#include "admission/admission.h"

typedef struct webhooks webhooks; /* a server's */

webhooks *webhooks_create(server *s);
void webhooks_destroy(webhooks *w); /* NULL is fine */
/* What the store holds may be another world's: it is read again. */
void webhooks_forget(webhooks *w);

/* Whether this request may have to wait for a webhook, so that it needs a fiber. */
bool webhooks_may_wait(request *rq);
/* Who asks has gone: the request's wait ends now, before this returns. */
void webhooks_cancel(request *rq);

/* What a mutating pass remembers for the second one (reinvocationPolicy). */
typedef struct webhook_round {
  bool again; /* some patch changed the object: the plugins run once more */
  bool second;
  uint32_t count, cap;
  struct webhook_memory *memory;
  val *last; /* the object as the webhooks left it */
} webhook_round;

/* The two plugins: false with rq->error. */
bool webhooks_mutate(const admission_args *args);
bool webhooks_validate(const admission_args *args);

/* Says with a Warning what of a configuration has no effect. */
void webhooks_warn(request *rq, const val *configuration);

#endif
