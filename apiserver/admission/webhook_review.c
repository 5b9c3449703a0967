/* The AdmissionReview that a webhook gets, byte for byte. */
#include "admission/webhook_internal.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "crd/crd_object.h"
#include "registry/object.h"
#include "server.h"
#include "version/version.h"

static const char *const operations[] = {[ADMIT_CREATE] = "CREATE", [ADMIT_UPDATE] = "UPDATE",
                                         [ADMIT_DELETE] = "DELETE", [ADMIT_CONNECT] = "CONNECT"};

static void put_text(buf *b, const char *key, slice text) {
  buf_printf(b, "\"%s\":", key);
  json_encode_string(b, text);
}

static void put_kind(buf *b, const char *key, slice group, slice version, slice kind,
                     const char *last) {
  buf_printf(b, "\"%s\":{", key);
  put_text(b, "group", group);
  buf_char(b, ',');
  put_text(b, "version", version);
  buf_char(b, ',');
  put_text(b, last, kind);
  buf_lit(b, "},");
}

static void put_list(buf *b, const slice *items, uint32_t count) {
  buf_char(b, '[');
  for (uint32_t i = 0; i < count; i++) {
    if (i) buf_char(b, ',');
    json_encode_string(b, items[i]);
  }
  buf_char(b, ']');
}

/* The extra keys sorted, as Go does a map's. */
static void put_extra(buf *b, arena *a, const user_info *u) {
  val *map = val_map(a);
  for (uint32_t i = 0; i < u->extra_count; i++) {
    val *list = val_list(a);
    for (uint32_t j = 0; j < u->extra[i].count; j++) {
      val_append(a, list, val_string(a, u->extra[i].values[j]));
    }
    val_set(a, map, u->extra[i].key, list);
  }
  buf_lit(b, ",\"extra\":");
  json_encode_any(b, map, true);
}

static void put_user(buf *b, arena *a, const user_info *u) {
  bool first = true;
  buf_lit(b, "\"userInfo\":{");
  if (u->name.len) {
    put_text(b, "username", u->name);
    first = false;
  }
  if (u->uid.len) {
    if (!first) buf_char(b, ',');
    put_text(b, "uid", u->uid);
    first = false;
  }
  if (u->group_count) {
    buf_cstr(b, first ? "\"groups\":" : ",\"groups\":");
    put_list(b, u->groups, u->group_count);
  }
  if (u->extra_count) put_extra(b, a, u);
  buf_lit(b, "},");
}

slice webhook_object_json(const admission_args *args, const webhook_match *m, const val *obj) {
  char gv[GROUP_VERSION_ROOM];
  arena *a = args->rq->arena;
  if (!obj) return SLICE_LIT("null");
  val *copy = val_copy(a, obj);
  bool own_kind = m->type != m->as->type; /* a Scale, an Eviction: as it is */
  const crd_version *custom = own_kind ? NULL : m->as->custom;
  if (custom) { /* a tree of the request's version */
    if (m->as != args->resource) {
      copy = crd_convert(a, args->resource->custom, custom, copy);
      crd_default(a, custom, copy);
    }
  } else if (!own_kind && !version_is_storage(m->as)) {
    copy = version_from_storage(a, copy, m->as);
  }
  resource_info named = {.group = m->group, .version = m->version};
  val_setc(a, copy, "apiVersion", val_string_copy(a, schema_group_version(&named, gv)));
  val_setc(a, copy, "kind", val_string(a, m->kind));
  buf b;
  buf_init(&b, LIMIT_CLIENT_REQUEST);
  json_encode(&b, copy, m->type);
  slice out = arena_copy(a, buf_slice(&b));
  buf_dispose(&b);
  return out;
}

/* CreateOptions and UpdateOptions follow from the query; a deletion brings its own. */
static void put_options(buf *b, const admission_args *args) {
  const request *rq = args->rq;
  bool first = false;
  buf_lit(b, "\"options\":");
  if (args->op == ADMIT_CONNECT) {
    buf_lit(b, "null");
    return;
  }
  buf_printf(b, "{\"kind\":\"%s\",\"apiVersion\":\"meta.k8s.io/v1\"",
             args->op == ADMIT_CREATE   ? "CreateOptions"
             : args->op == ADMIT_UPDATE ? "UpdateOptions"
                                        : "DeleteOptions");
  if (args->op == ADMIT_DELETE) {
    VAL_EACH(e, args->options) {
      buf_char(b, ',');
      json_encode_string(b, e->key);
      buf_char(b, ':');
      json_encode_any(b, e->value, false);
    }
    buf_char(b, '}');
    return;
  }
  (void)first;
  if (http_query_has(rq->http, "dryRun") && rq->dry_run) buf_lit(b, ",\"dryRun\":[\"All\"]");
  slice manager = http_query_get(rq->http, "fieldManager");
  slice validation = http_query_get(rq->http, "fieldValidation");
  if (manager.len) {
    buf_char(b, ',');
    put_text(b, "fieldManager", manager);
  }
  if (validation.len) {
    buf_char(b, ',');
    put_text(b, "fieldValidation", validation);
  }
  buf_char(b, '}');
}

static void put_names(buf *b, const admission_args *args) {
  const request *rq = args->rq;
  bool many = slice_is(rq->info.verb, "deletecollection");
  if (args->name.len && !many) {
    put_text(b, "name", args->name);
    buf_char(b, ',');
  }
  if (args->namespace.len) {
    put_text(b, "namespace", args->namespace);
    buf_char(b, ',');
  }
  put_text(b, "operation", slice_cstr(operations[args->op]));
  buf_char(b, ',');
}

/* An update that named no version has the stored one's once it is validated. */
static const val *shown_object(const admission_args *args, const webhook_call *c) {
  arena *a = args->rq->arena;
  bool unnamed = args->op == ADMIT_UPDATE && args->obj && !object_version(args->obj).len;
  bool scale = slice_is(c->match.kind, "Scale") && args->obj; /* made from its parent */
  if (c->hook->mutating || (!unnamed && !scale)) return args->obj;
  val *obj = object_fork(a, args->obj);
  if (scale) object_del(obj, "managedFields");
  if (!unnamed) return obj;
  object_set_str(a, obj, "resourceVersion", object_version(args->old));
  return obj;
}

slice webhook_review_json(const admission_args *args, const webhook_call *c) {
  request *rq = args->rq;
  const webhook_match *m = &c->match;
  const resource_info *r = args->resource;
  bool same = m->as == r, sub = args->subresource.len > 0;
  bool own_kind = m->type != m->as->type;
  buf b;
  buf_init(&b, LIMIT_CLIENT_REQUEST);
  buf_printf(&b, "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/%s\","
                 "\"request\":{\"uid\":\"%s\",", c->beta ? "v1beta1" : "v1", c->uid);
  put_kind(&b, "kind", m->group, m->version, m->kind, "kind");
  put_kind(&b, "resource", m->as->group, m->as->version, m->as->resource, "resource");
  if (sub) {
    put_text(&b, "subResource", args->subresource);
    buf_char(&b, ',');
  }
  if (same || own_kind) put_kind(&b, "requestKind", m->group, m->version, m->kind, "kind");
  else put_kind(&b, "requestKind", r->group, r->version, r->kind, "kind");
  put_kind(&b, "requestResource", r->group, r->version, r->resource, "resource");
  if (sub) {
    put_text(&b, "requestSubResource", args->subresource);
    buf_char(&b, ',');
  }
  put_names(&b, args);
  put_user(&b, rq->arena, &rq->user);
  buf_lit(&b, "\"object\":");
  buf_append(&b, webhook_object_json(args, m, shown_object(args, c)));
  buf_lit(&b, ",\"oldObject\":");
  buf_append(&b, webhook_object_json(args, m, args->old));
  buf_printf(&b, ",\"dryRun\":%s,", args->dry_run ? "true" : "false");
  put_options(&b, args);
  buf_lit(&b, "}}\n");
  slice out = arena_copy(rq->arena, buf_slice(&b));
  buf_dispose(&b);
  return out;
}
