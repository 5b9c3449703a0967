/* TokenReview and SelfSubjectReview: who a token, or the asker, is. */
#include "access/authn.h"
#include "access/text.h"
#include "codec/codec.h"
#include "server.h"

static val *strings_val(arena *a, const slice *items, uint32_t count) {
  val *list = val_list(a);
  for (uint32_t i = 0; i < count; i++) val_append(a, list, val_string(a, items[i]));
  return list;
}

/* authentication.k8s.io UserInfo. */
static val *user_val(arena *a, const user_info *u) {
  val *v = val_map(a);
  if (u->name.len) val_setc(a, v, "username", val_string(a, u->name));
  if (u->uid.len) val_setc(a, v, "uid", val_string(a, u->uid));
  if (u->group_count) val_setc(a, v, "groups", strings_val(a, u->groups, u->group_count));
  if (u->extra_count == 0) return v;
  val *extra = val_map(a);
  for (uint32_t i = 0; i < u->extra_count; i++) {
    val_set(a, extra, u->extra[i].key, strings_val(a, u->extra[i].values, u->extra[i].count));
  }
  val_setc(a, v, "extra", extra);
  return v;
}

/* The token as the bearer header's parser would see it: up to the first space. */
static slice bearer_part(slice token) {
  slice first, rest;
  while (token.len && token.ptr[token.len - 1] == ' ') token.len--;
  slice_cut(token, ' ', &first, &rest);
  return first;
}

static authn_outcome token_outcome(const authn_context *x, slice token, authn_result *r) {
  if (token.len) return authn_token(x, token, r);
  if (!x->config->anonymous) return AUTHN_NO_OPINION;
  slice *groups = ARENA_NEW(x->arena, slice);
  *groups = GROUP_UNAUTHENTICATED;
  r->user = (user_info){.name = USER_ANONYMOUS, .groups = groups, .group_count = 1};
  r->audiences = x->audiences;
  r->audience_count = x->audience_count;
  return AUTHN_OK;
}

val *access_token_review(request *rq, val *review) {
  arena *a = rq->arena;
  slice token = val_str(val_path(review, "spec.token"));
  if (token.len == 0) {
    status_set(&rq->error, a, STATUS_BAD_REQUEST,
               "token is required for TokenReview in authentication");
    return NULL;
  }
  authn_context x = authn_context_of(rq);
  const val *asked = val_path(review, "spec.audiences");
  if (val_len(asked)) {
    slice *audiences = ARENA_ARRAY(a, slice, val_len(asked));
    for (uint32_t i = 0; i < val_len(asked); i++) audiences[i] = val_str(val_at(asked, i));
    x.audiences = audiences;
    x.audience_count = val_len(asked);
  }
  authn_result r = {0};
  authn_outcome o = token_outcome(&x, bearer_part(token), &r);
  val *status = val_map(a);
  if (o == AUTHN_OK) {
    user_info u = authn_add_group(a, &r.user);
    val_setc(a, status, "authenticated", val_bool(a, true));
    val_setc(a, status, "user", user_val(a, &u));
    if (r.audience_count) {
      val_setc(a, status, "audiences", strings_val(a, r.audiences, r.audience_count));
    }
  } else { /* the loopback's authenticator has its say first */
    slice errors[] = {SLICE_LIT("invalid bearer token"), r.error};
    val_setc(a, status, "user", val_map(a));
    val_setc(a, status, "error", val_string(a, text_aggregate(a, errors, r.error.len ? 2 : 1)));
  }
  val_setc(a, review, "status", status);
  return review;
}

val *access_self_subject_review(request *rq, val *review) {
  arena *a = rq->arena;
  val *out = val_map(a), *meta = val_map(a), *status = val_map(a);
  val_setc(a, out, "kind", val_string(a, val_get_str(review, "kind")));
  val_setc(a, out, "apiVersion", val_string(a, val_get_str(review, "apiVersion")));
  val_setc(a, meta, "creationTimestamp", request_timestamp(rq));
  val_setc(a, out, "metadata", meta);
  val_setc(a, status, "userInfo", user_val(a, &rq->user));
  val_setc(a, out, "status", status);
  return out;
}
