/* convert: between a served version and the one that is stored.
 *
 * Only two kinds are served in two shapes; everything else is stored as it is served. */
#include "version/convert_hpa.h"
#include "version/version.h"

/* events.k8s.io renamed the older fields of the core Event. */
static const struct {
  const char *core, *events;
} event_names[] = {
    {"involvedObject", "regarding"},
    {"message", "note"},
    {"source", "deprecatedSource"},
    {"firstTimestamp", "deprecatedFirstTimestamp"},
    {"lastTimestamp", "deprecatedLastTimestamp"},
    {"count", "deprecatedCount"},
    {"reportingComponent", "reportingController"},
};

static val *event_rename(arena *a, const val *obj, bool to_core) {
  val *out = val_map(a);
  VAL_EACH(e, obj) {
    slice key = e->key;
    for (size_t i = 0; i < sizeof(event_names) / sizeof(event_names[0]); i++) {
      const char *from = to_core ? event_names[i].events : event_names[i].core;
      if (!slice_is(key, from)) continue;
      key = slice_cstr(to_core ? event_names[i].core : event_names[i].events);
      break;
    }
    val_set(a, out, key, e->value);
  }
  return out;
}

static val *type_meta_set(arena *a, val *obj, const resource_info *r) {
  char text[128];
  slice api = schema_group_version(r, text);
  val_setc(a, obj, "apiVersion", val_string_copy(a, api));
  val_setc(a, obj, "kind", val_string(a, r->kind));
  return obj;
}

bool version_is_storage(const resource_info *r) { return r->storage == r || !r->storage; }

val *version_to_storage(arena *a, val *obj, const resource_info *from) {
  if (version_is_storage(from)) return obj;
  if (slice_is(from->kind, "Event")) obj = event_rename(a, obj, true);
  if (slice_is(from->kind, "HorizontalPodAutoscaler")) obj = hpa_v2_from_v1(a, obj);
  return type_meta_set(a, obj, from->storage);
}

val *version_from_storage(arena *a, val *obj, const resource_info *to) {
  if (version_is_storage(to)) return obj;
  if (slice_is(to->kind, "Event")) obj = event_rename(a, obj, false);
  if (slice_is(to->kind, "HorizontalPodAutoscaler")) obj = hpa_v1_from_v2(a, obj);
  return type_meta_set(a, obj, to);
}
