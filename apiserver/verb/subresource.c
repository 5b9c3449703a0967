/* Subresources that are more than their parent under another path, and the kinds that are
 * questions (reviews): a table each. */
#include "access/access.h"
#include "admission/admission.h"
#include "patch/patch.h"
#include "registry/generic.h"
#include "registry/object.h"
#include "registry/stored.h"
#include "respond/respond.h"
#include "server.h"
#include "version/version.h"
#include "verb/binding.h"
#include "verb/eviction.h"
#include "verb/node_proxy.h"
#include "verb/scale.h"
#include "verb/verbs.h"
#include "verb/write.h"

typedef struct serve_row {
  const char *resource, *subresource; /* resource "" for any */
  void (*serve)(request *rq);
} serve_row;

/* Ownership is told of the request as it came in; the answer carries it. */
static val *token_answer(request *rq, const val *account, val *body) {
  const kind_info *k =
      schema_kind(SLICE_LIT("authentication.k8s.io"), SLICE_LIT("v1"), SLICE_LIT("TokenRequest"));
  resource_info as_resource =
      {.group = k->group, .version = k->version, .resource = SLICE_LIT("tokenrequests"),
                               .kind = k->kind, .type = k->type, .storage = &as_resource};
  manage_args m = {.arena = rq->arena, .resource = &as_resource, .subresource = SLICE_LIT("token"),
                   .manager = rq->field_manager, .now_s = request_now_s(rq)};
  version_default(rq->arena, body, k->type);
  managed_fields_update(&m, NULL, body);
  val *managed = val_path(body, "metadata.managedFields");
  val *answer = access_token_request(rq, account, body);
  if (answer && managed) {
    val_setc(rq->arena, object_meta(rq->arena, answer), "managedFields", managed);
  }
  return answer;
}

static void token_serve(request *rq) {
  output_form form;
  write_options wo;
  store_entry *e = NULL;
  val *answer = NULL, *body = NULL;
  if (negotiate_output(rq, false, &form) && options_read_write(rq, "CreateOptions", false, &wo)) {
    body = negotiate_decode(rq, SLICE_LIT("authentication.k8s.io"), SLICE_LIT("v1"),
                            SLICE_LIT("TokenRequest"), NULL);
  }
  if (body && write_check_namespace(rq, body) && admission_create_at(rq, body) &&
      generic_get(rq, rq->info.namespace, rq->info.name, true, &e)) {
    request_keep(rq, e);
    answer = token_answer(rq, stored_decode(rq->arena, rq->resource, e), body);
  }
  if (!answer) respond_error(rq);
  else respond_tree(rq, 201, &form, answer,
                    schema_kind(SLICE_LIT("authentication.k8s.io"), SLICE_LIT("v1"),
                                SLICE_LIT("TokenRequest"))->type);
}

static const serve_row serve_rows[] = {
    {"", "scale", scale_serve},
    {"pods", "eviction", eviction_serve},
    {"pods", "binding", binding_serve},
    {"serviceaccounts", "token", token_serve},
    {"pods", "log", node_proxy_serve},
    {"pods", "exec", node_proxy_serve},
    {"pods", "attach", node_proxy_serve},
    {"pods", "portforward", node_proxy_serve},
    {"pods", "proxy", node_proxy_serve},
    {"services", "proxy", node_proxy_serve},
    {"nodes", "proxy", node_proxy_serve},
};

bool verb_subresource(request *rq) {
  for (size_t i = 0; i < sizeof serve_rows / sizeof *serve_rows; i++) {
    const serve_row *row = serve_rows + i;
    if (!slice_is(rq->subresource->name, row->subresource)) continue;
    if (row->resource[0] && !slice_is(rq->resource->resource, row->resource)) continue;
    row->serve(rq);
    return true;
  }
  return false;
}

typedef struct review_row {
  const char *resource;
  val *(*answer)(request *rq, val *review);
} review_row;

static const review_row review_rows[] = {
    {"tokenreviews", access_token_review},
    {"selfsubjectreviews", access_self_subject_review},
    {"subjectaccessreviews", access_subject_review},
    {"localsubjectaccessreviews", access_subject_review},
    {"selfsubjectaccessreviews", access_subject_review},
    {"selfsubjectrulesreviews", access_subject_review},
};

/* Webhooks are shown a review as any other creation. */
static bool webhooks_allow(request *rq, val *review) {
  admission_args args = {.rq = rq, .op = ADMIT_CREATE, .resource = rq->resource,
                         .namespace = rq->info.namespace, .name = object_name(review),
                         .obj = review, .dry_run = rq->dry_run};
  return admission_webhooks(&args);
}

static void review_serve(request *rq, const review_row *row) {
  output_form form;
  write_options wo;
  val *answer = NULL;
  bool ok = negotiate_output(rq, false, &form) &&
      options_read_write(rq, "CreateOptions", false, &wo);
  val *review = ok ? write_decode(rq) : NULL;
  if (review && write_check_namespace(rq, review)) {
    write_manage(rq, NULL, review);
    if (webhooks_allow(rq, review)) answer = row->answer(rq, review);
  }
  if (!answer) respond_error(rq);
  else respond_tree(rq, 201, &form, answer, rq->resource->type);
}

bool verb_review(request *rq) {
  if (slice_is(rq->resource->resource, "bindings")) {
    binding_serve(rq);
    return true;
  }
  for (size_t i = 0; i < sizeof review_rows / sizeof *review_rows; i++) {
    if (!slice_is(rq->resource->resource, review_rows[i].resource)) continue;
    review_serve(rq, review_rows + i);
    return true;
  }
  return false;
}
