/* convert: between a served version and the one that is stored.
 *
 * A few kinds are served in two shapes; the other versions differ from the stored one in name. */
#include "version/convert_hpa.h"
#include "version/convert_resource.h"
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
  char text[GROUP_VERSION_ROOM];
  slice api = schema_group_version(r, text);
  val_setc(a, obj, "apiVersion", val_string_copy(a, api));
  val_setc(a, obj, "kind", val_string(a, r->kind));
  return obj;
}

static val *v2_from_v1(arena *a, val *obj) { return hpa_v2_from_v1(a, obj); }
static val *v1_from_v2(arena *a, val *obj) { return hpa_v1_from_v2(a, obj); }
static val *event_core_from_events(arena *a, val *obj) { return event_rename(a, obj, true); }
static val *event_events_from_core(arena *a, val *obj) { return event_rename(a, obj, false); }

/* By the served version's kind. What has no row has the stored one's shape. */
static const struct conversion {
  const char *group, *version, *kind;
  val *(*to_storage)(arena *a, val *obj), *(*from_storage)(arena *a, val *obj);
} rows[] = {
    {"autoscaling", "v1", "HorizontalPodAutoscaler", v2_from_v1, v1_from_v2},
    {"events.k8s.io", "v1", "Event", event_core_from_events, event_events_from_core},
    {"resource.k8s.io", "v1beta1", "ResourceClaim", claim_v1_from_beta, claim_beta_from_v1},
    {"resource.k8s.io", "v1beta1", "ResourceClaimTemplate", claim_template_v1_from_beta,
     claim_template_beta_from_v1},
    {"resource.k8s.io", "v1beta1", "ResourceSlice", resource_slice_v1_from_beta,
     resource_slice_beta_from_v1},
};

static const struct conversion *conversion_of(const resource_info *r) {
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (slice_is(r->kind, rows[i].kind) && slice_is(r->version, rows[i].version) &&
        slice_is(r->group, rows[i].group)) {
      return &rows[i];
    }
  }
  return NULL;
}

bool version_is_storage(const resource_info *r) { return r->storage == r || !r->storage; }

bool version_has_storage_shape(const resource_info *r) {
  return version_is_storage(r) || !conversion_of(r);
}

val *version_to_storage(arena *a, val *obj, const resource_info *from) {
  if (version_is_storage(from)) return obj;
  const struct conversion *c = conversion_of(from);
  return type_meta_set(a, c ? c->to_storage(a, obj) : obj, from->storage);
}

val *version_from_storage(arena *a, val *obj, const resource_info *to) {
  if (version_is_storage(to)) return obj;
  const struct conversion *c = conversion_of(to);
  return type_meta_set(a, c ? c->from_storage(a, obj) : obj, to);
}
