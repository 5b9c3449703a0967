/* The node authorizer. */
#include "access/node.h"

access_decision node_decide(server *s, arena *a, const access_attributes *q, slice *reason) {
  (void)s;
  (void)a;
  (void)q;
  *reason = SLICE_NONE;
  return ACCESS_NO_OPINION;
}
