/* The class is a matter of cpu and memory only: none set is best effort; limits everywhere
 * and equal to requests is guaranteed. */
#include "registry/pod_qos.h"

#include "codec/codec.h"

static const char *const counted[] = {"cpu", "memory"};

typedef struct tally {
  bool any; /* some request or limit above zero */
  bool guaranteed;
} tally;

static slice amount(const val *resources, const char *side, const char *name) {
  return val_get_str(val_getc(resources, side), name);
}

static bool positive(slice q) { return q.len && quantity_cmp(q, SLICE_LIT("0")) > 0; }

static void count_resources(tally *t, const val *resources) {
  for (size_t i = 0; i < 2; i++) {
    slice wanted = amount(resources, "requests", counted[i]);
    slice limit = amount(resources, "limits", counted[i]);
    t->any = t->any || positive(wanted) || positive(limit);
    if (!positive(limit)) t->guaranteed = false;
    else if (wanted.len && quantity_cmp(wanted, limit) != 0) t->guaranteed = false;
  }
}

const char *pod_qos(const val *pod) {
  static const char *const lists[] = {"spec.containers", "spec.initContainers"};
  tally t = {.guaranteed = true};
  const val *whole = val_path(pod, "spec.resources");
  if (whole) { /* be it empty: the containers' do not count then */
    count_resources(&t, whole);
  } else {
    for (size_t i = 0; i < 2; i++) {
      const val *list = val_path(pod, lists[i]);
      for (uint32_t j = 0; j < val_len(list); j++) {
        count_resources(&t, val_getc(val_at(list, j), "resources"));
      }
    }
  }
  if (!t.any) return "BestEffort";
  return t.guaranteed ? "Guaranteed" : "Burstable";
}

void pod_gates_condition(request *rq, const val *pod, val *status) {
  arena *a = rq->arena;
  if (val_len(val_path(pod, "spec.schedulingGates")) == 0) return;
  val *c = val_map(a), *list = val_list(a);
  val_setc(a, c, "type", val_cstr(a, "PodScheduled"));
  val_setc(a, c, "status", val_cstr(a, "False"));
  val_setc(a, c, "lastTransitionTime", request_timestamp(rq));
  val_setc(a, c, "reason", val_cstr(a, "SchedulingGated"));
  val_setc(a, c, "message", val_cstr(a, "Scheduling is blocked due to non-empty scheduling gates"));
  val_append(a, list, c);
  val_setc(a, status, "conditions", list);
}
