/* Authorization: system:masters, then the modes in order; the first that decides wins. */
#include "access/config.h"
#include "access/node.h"
#include "access/rbac.h"
#include "access/text.h"
#include "server.h"

static access_decision mode_decide(server *s, arena *a, access_mode mode,
                                   const access_attributes *q, slice *reason) {
  *reason = SLICE_NONE;
  switch (mode) {
    case MODE_NODE: return node_decide(s, a, q, reason);
    case MODE_RBAC: return rbac_decide(s, a, q, reason);
    case MODE_ALWAYS_ALLOW: return ACCESS_ALLOW;
    case MODE_ALWAYS_DENY: *reason = SLICE_LIT("Everything is forbidden."); break;
  }
  return ACCESS_NO_OPINION;
}

access_decision access_decide(server *s, arena *a, const access_attributes *q, slice *reason) {
  const access_config *c = s->access;
  *reason = SLICE_NONE;
  if (user_has_group(&q->user, GROUP_MASTERS)) return ACCESS_ALLOW;
  slice all = SLICE_NONE;
  for (uint32_t i = 0; i < c->mode_count; i++) {
    slice one;
    access_decision d = mode_decide(s, a, c->modes[i], q, &one);
    if (d != ACCESS_NO_OPINION) {
      *reason = one;
      return d;
    }
    if (one.len && all.len) all = arena_printf(a, "%.*s\n%.*s", SLICE_ARG(all), SLICE_ARG(one));
    else if (one.len) all = one;
  }
  *reason = all;
  return ACCESS_NO_OPINION;
}

bool access_authorize(request *rq) {
  access_attributes q = access_attributes_of(rq);
  slice reason;
  if (access_decide(rq->server, rq->arena, &q, &reason) == ACCESS_ALLOW) return true;
  return access_forbidden(rq, &q, reason);
}
