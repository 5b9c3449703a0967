/* See convert_resource.h. Nodes may be shared: what is changed is copied on the way down. */
#include "version/convert_resource.h"

static bool is_own_of_request(slice key) {
  return slice_is(key, "name") || slice_is(key, "firstAvailable");
}

static val *request_v1_from_beta(arena *a, const val *request) {
  if (!val_is_map(request)) return val_shared(request);
  val *out = val_map(a), *exactly = val_map(a);
  VAL_EACH(e, request) {
    bool own = is_own_of_request(e->key);
    bool zero = !own && !slice_is(e->key, "adminAccess") && !slice_is(e->key, "capacity") &&
                val_is_empty(e->value);
    if (!zero && !val_is_null(e->value)) val_set(a, own ? out : exactly, e->key, e->value);
  }
  if (val_len(exactly)) val_setc(a, out, "exactly", exactly);
  return out;
}

static val *request_beta_from_v1(arena *a, const val *request) {
  if (!val_is_map(request)) return val_shared(request);
  val *out = val_map(a);
  VAL_EACH(e, request) if (!slice_is(e->key, "exactly")) val_set(a, out, e->key, e->value);
  VAL_EACH(f, val_getc(request, "exactly")) {
    bool pointer = slice_is(f->key, "adminAccess") || slice_is(f->key, "capacity");
    if (pointer || !val_is_empty(f->value)) val_set(a, out, f->key, f->value);
  }
  return out;
}

static val *device_v1_from_beta(arena *a, const val *device) {
  if (!val_is_map(device)) return val_shared(device);
  val *out = val_map(a);
  VAL_EACH(e, device) if (!slice_is(e->key, "basic")) val_set(a, out, e->key, e->value);
  VAL_EACH(f, val_getc(device, "basic")) val_set(a, out, f->key, f->value);
  return out;
}

static val *device_beta_from_v1(arena *a, const val *device) {
  if (!val_is_map(device)) return val_shared(device);
  val *out = val_map(a), *basic = val_map(a);
  VAL_EACH(e, device) val_set(a, slice_is(e->key, "name") ? out : basic, e->key, e->value);
  val_setc(a, out, "basic", basic);
  return out;
}

typedef val *(*item_fn)(arena *a, const val *item);

/* The list at the end of `names` (up to four, NULL behind the last), each item made anew. */
static val *list_map(arena *a, const val *v, const char *const *names, item_fn make) {
  if (!names[0]) {
    if (!val_is_list(v)) return val_shared(v);
    val *list = val_list(a);
    for (uint32_t i = 0; i < val_len(v); i++) val_append(a, list, make(a, val_at(v, i)));
    return list;
  }
  const val *inner = val_getc(v, names[0]);
  if (!inner) return val_shared(v);
  val *out = val_map(a);
  VAL_EACH(e, v) {
    bool on_way = e->value == inner;
    val_set(a, out, e->key, on_way ? list_map(a, inner, names + 1, make) : e->value);
  }
  return out;
}

static const char *const claim_way[] = {"spec", "devices", "requests", NULL};
static const char *const template_way[] = {"spec", "spec", "devices", "requests", NULL};
static const char *const slice_way[] = {"spec", "devices", NULL};

val *claim_v1_from_beta(arena *a, val *obj) {
  return list_map(a, obj, claim_way, request_v1_from_beta);
}

val *claim_beta_from_v1(arena *a, val *obj) {
  return list_map(a, obj, claim_way, request_beta_from_v1);
}

val *claim_template_v1_from_beta(arena *a, val *obj) {
  return list_map(a, obj, template_way, request_v1_from_beta);
}

val *claim_template_beta_from_v1(arena *a, val *obj) {
  return list_map(a, obj, template_way, request_beta_from_v1);
}

/* What is no pointer there is not set where it is zero. */
static val *slice_drop_zeros(arena *a, val *obj) {
  const val *spec = val_getc(obj, "spec");
  if (!val_is_map(spec)) return obj;
  val *out = val_map(a);
  VAL_EACH(e, spec) {
    bool plain = slice_is(e->key, "nodeName") || slice_is(e->key, "allNodes");
    if (!plain || !val_is_empty(e->value)) val_set(a, out, e->key, e->value);
  }
  val_setc(a, obj, "spec", out);
  return obj;
}

val *resource_slice_v1_from_beta(arena *a, val *obj) {
  return slice_drop_zeros(a, list_map(a, obj, slice_way, device_v1_from_beta));
}

val *resource_slice_beta_from_v1(arena *a, val *obj) {
  return slice_drop_zeros(a, list_map(a, obj, slice_way, device_beta_from_v1));
}
