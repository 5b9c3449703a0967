/* What a webhook answered: a verdict, a patch, warnings; or what is wrong with it, in the words of
 * client-go and of the webhook plugins. */
#include "admission/webhook_internal.h"
#include "base/limits.h"
#include "base/quote.h"
#include "codec/codec.h"
#include "patch/patch.h"
#include "server.h"
#include "version/version.h"

#define SCHEME "in scheme \"pkg/runtime/scheme.go:111\""
#define TEXT_MAX 2048 /* of an answer that is no Status */
#define HEAD_TYPE "struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string " \
                  "\"json:\\\"kind,omitempty\\\"\" }"

static void fail(webhook_call *c, slice why) {
  c->outcome = WEBHOOK_FAILED;
  c->why = why;
}

static void fail_call(arena *a, webhook_call *c, slice why) {
  fail(c, arena_concat(a, SLICE_LIT("failed to call webhook: "), why));
}

static void fail_answer(arena *a, webhook_call *c, slice why) {
  fail(c, arena_concat(a, SLICE_LIT("received invalid webhook response: "), why));
}

/* ---- HTTP errors, as client-go tells them ---- */

static const struct {
  int code;
  const char *text;
} code_texts[] = {
    {400, "the server rejected our request for an unknown reason"},
    {401, "the server has asked for the client to provide credentials"},
    {404, "the server could not find the requested resource"},
    {405, "the server does not allow this method on the requested resource"},
    {409, "the server reported a conflict"},
    {422, "the server rejected our request due to an error in our request"},
    {429, "the server has received too many requests and has asked us to try again later"},
    {503, "the server is currently unable to handle the request"},
    {504, "the server was unable to return a response in the time allotted, but may still be "
          "processing the request"},
};

static bool is_text(slice type) {
  return type.len == 0 || slice_has_prefix(type, SLICE_LIT("text/"));
}

static slice code_text(arena *a, const http_client_answer *answer) {
  slice error, body = slice_trim(answer->body);
  int code = answer->code;
  const val *status = json_parse(a, answer->body, NULL, &error);
  bool told = slice_is(val_get_str(status, "kind"), "Status") &&
              slice_is(val_get_str(status, "apiVersion"), "v1") &&
              !slice_is(val_get_str(status, "status"), "Success");
  if (told) return val_get_str(status, "message");
  slice shown = is_text(answer->content_type) ? slice_upto(body, TEXT_MAX) : SLICE_LIT("unknown");
  if (code == 403 || code == 406 || code == 415) return shown;
  for (size_t i = 0; i < sizeof code_texts / sizeof *code_texts; i++) {
    if (code_texts[i].code == code) return slice_cstr(code_texts[i].text);
  }
  if (code < 500) {
    return arena_printf(a, "the server responded with the status code %d but did not return more "
                           "information", code);
  }
  slice quoted = go_quote(a, shown);
  return arena_printf(a, "an error on the server (%.*s) has prevented the request from succeeding",
                      SLICE_ARG(quoted));
}

/* ---- the document ---- */

static const char *const go_names[] = {[VAL_NULL] = "null", [VAL_BOOL] = "bool",
                                       [VAL_INT] = "number", [VAL_FLOAT] = "number",
                                       [VAL_STRING] = "string", [VAL_LIST] = "array",
                                       [VAL_MAP] = "object"};

/* JSON, or YAML, as every decoder of the real server. NULL with c's failure. */
static val *read_document(arena *a, webhook_call *c) {
  slice body = c->answer.body, error = SLICE_NONE;
  if (!body.len) {
    slice type = c->answer.content_type;
    fail_call(a, c, arena_printf(a, "0-length response with status code: %d and content type: %.*s",
                                 c->answer.code, SLICE_ARG(type)));
    return NULL;
  }
  val *v = json_parse_typed(a, body, NULL, &error);
  if (!v) v = yaml_parse(a, body, NULL, &error);
  slice why = error;
  if (v && !val_is_map(v)) {
    why = arena_printf(a, "json: cannot unmarshal %s into Go value of type " HEAD_TYPE,
                       go_names[v->type]);
    v = NULL;
  }
  if (!v) {
    fail_call(a, c, arena_concat(a, SLICE_LIT("couldn't get version/kind; json parse error: "),
                                 why));
  }
  return v;
}

/* Is it the review that was asked for? A missing version or kind is taken for the right one. */
static bool check_kind(arena *a, webhook_call *c, const val *v) {
  slice version = val_get_str(v, "apiVersion"), kind = val_get_str(v, "kind");
  slice right = c->beta ? SLICE_LIT("admission.k8s.io/v1beta1") : SLICE_LIT("admission.k8s.io/v1");
  slice other = c->beta ? SLICE_LIT("admission.k8s.io/v1") : SLICE_LIT("admission.k8s.io/v1beta1");
  bool review = kind.len == 0 || slice_is(kind, "AdmissionReview");
  const char *mine = c->beta ? "v1beta1" : "v1", *theirs = c->beta ? "v1" : "v1beta1";
  if (review && (version.len == 0 || slice_eq(version, right))) return true;
  if (review && slice_eq(version, other)) {
    fail_call(a, c, arena_printf(a, "converting (%s.AdmissionReview) to (%s.AdmissionReview): "
                                    "unknown conversion", theirs, mine));
  } else if (slice_is(version, "v1") && slice_is(kind, "Status")) {
    fail_call(a, c, arena_printf(a, "converting (v1.Status) to (%s.AdmissionReview): unknown "
                                    "conversion", mine));
  } else {
    if (!version.len) version = right;
    if (!kind.len) kind = SLICE_LIT("AdmissionReview");
    fail_call(a, c, arena_printf(a, "no kind \"%.*s\" is registered for version \"%.*s\" " SCHEME,
                                 SLICE_ARG(kind), SLICE_ARG(version)));
  }
  return false;
}

static slice text_of(arena *a, const char *format, slice one, slice two) {
  return arena_printf(a, format, SLICE_ARG(one), SLICE_ARG(two));
}

/* What v1 asks of an answer; v1beta1 asks nothing. */
static bool check_v1(arena *a, webhook_call *c, const val *v, const val *r) {
  slice version = val_get_str(v, "apiVersion"), kind = val_get_str(v, "kind");
  slice uid = slice_cstr(c->uid), got = val_get_str(r, "uid");
  const val *type = val_getc(r, "patchType");
  bool patch = val_get_str(r, "patch").len > 0;
  slice why = SLICE_NONE;
  if (!slice_eq(uid, got)) {
    why = text_of(a, "expected response.uid=%.*s, got %.*s", go_quote(a, uid), go_quote(a, got));
  } else if (!version.len || !kind.len) {
    slice shown = version.len ? version : SLICE_LIT("/");
    why = text_of(a, "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got "
                     "%.*s, Kind=%.*s", shown, kind);
  } else if (!c->hook->mutating && patch) {
    why = SLICE_LIT("validating webhook may not return response.patch");
  } else if (!c->hook->mutating && type) {
    why = SLICE_LIT("validating webhook may not return response.patchType");
  } else if (patch && !type) {
    why = SLICE_LIT("webhook returned response.patch but not response.patchType");
  } else if (!patch && type) {
    why = SLICE_LIT("webhook returned response.patchType but not response.patch");
  } else if (type && !val_str(type).len) {
    why = SLICE_LIT("webhook returned invalid response.patchType of \"\"");
  }
  if (why.ptr) fail_answer(a, c, why);
  return !why.ptr;
}

/* The Status of a denial: what the webhook gave of it, made to fail. */
static void deny(arena *a, webhook_call *c, const val *result) {
  val *status = result ? val_copy(a, result) : val_map(a);
  const val *given = val_getc(status, "code");
  int64_t code = val_i64(given) < 400 ? 400 : val_i64(given);
  slice message = val_get_str(status, "message"), reason = val_get_str(status, "reason");
  slice why = message.len ? message : reason, name = go_quote(a, c->hook->name);
  slice text = why.len ? arena_printf(a, "admission webhook %.*s denied the request: ",
                                      SLICE_ARG(name))
                       : arena_printf(a, "admission webhook %.*s denied the request without "
                                         "explanation", SLICE_ARG(name));
  slice state = val_get_str(status, "status");
  text = arena_concat(a, text, why);
  if (!state.len || slice_is(state, "Success")) {
    val_setc(a, status, "status", val_cstr(a, "Failure"));
  }
  val_setc(a, status, "message", val_string(a, text));
  val_setc(a, status, "code", val_int(a, code));
  val_setc(a, status, "kind", val_cstr(a, "Status"));
  val_setc(a, status, "apiVersion", val_cstr(a, "v1"));
  val_ensure_map(a, status, "metadata");
  c->outcome = WEBHOOK_DENIED;
  c->rejection = (status_error){.set = true, .reason = STATUS_UNKNOWN, .code = (int32_t)code,
                                .message = text, .tree = status};
  c->rejection.retry_after_seconds =
      (int32_t)val_i64(val_path(status, "details.retryAfterSeconds"));
}

static void take_warnings(request *rq, const val *list) {
  for (uint32_t i = 0; i < val_len(list); i++) request_warn(rq, val_str(val_at(list, i)));
}

static void read_verdict(const admission_args *args, webhook_call *c, const val *v) {
  arena *a = args->rq->arena;
  const val *r = val_getc(v, "response");
  if (!r) {
    fail_answer(a, c, SLICE_LIT("webhook response was absent"));
    return;
  }
  if (!c->beta && !check_v1(a, c, v, r)) return;
  take_warnings(args->rq, val_getc(r, "warnings"));
  if (!val_true(val_getc(r, "allowed"))) {
    deny(a, c, val_getc(r, "status"));
    return;
  }
  slice patch = c->hook->mutating ? val_get_str(r, "patch") : SLICE_NONE;
  slice type = val_get_str(r, "patchType");
  if (!patch.len || !base64_decode(a, patch, &c->patch)) return;
  slice error = SLICE_NONE;
  val *ops = json_parse(a, c->patch, NULL, &error);
  if (ops && !val_is_list(ops)) {
    error = arena_printf(a, "json: cannot unmarshal %s into Go value of type jsonpatch.Patch",
                         go_names[ops->type]);
  }
  if (error.len) {
    fail(c, arena_concat(a, SLICE_LIT("received undecodable patch in webhook response: "), error));
    return;
  }
  if (!val_len(ops)) c->patch = SLICE_NONE;
  else if (!c->beta && !slice_is(type, "JSONPatch")) {
    slice shown = go_quote(a, type);
    fail(c, arena_printf(a, "unsupported patch type %.*s", SLICE_ARG(shown)));
  }
}

void webhook_read_answer(const admission_args *args, webhook_call *c) {
  arena *a = args->rq->arena;
  c->outcome = WEBHOOK_ALLOWED;
  if (c->answer.failure != HTTP_CLIENT_OK) {
    slice why = c->answer.failure == HTTP_CLIENT_LATE ? SLICE_LIT("context deadline exceeded")
                                                      : c->answer.why;
    fail_call(a, c, arena_printf(a, "Post \"%.*s\": %.*s", SLICE_ARG(c->url), SLICE_ARG(why)));
    return;
  }
  if (c->answer.code < 200 || c->answer.code > 206) {
    fail_call(a, c, code_text(a, &c->answer));
    return;
  }
  val *v = read_document(a, c);
  if (!v || !check_kind(a, c, v)) return;
  const kind_info *k = schema_kind(SLICE_LIT("admission.k8s.io"),
                                   c->beta ? SLICE_LIT("v1beta1") : SLICE_LIT("v1"),
                                   SLICE_LIT("AdmissionReview"));
  slice error = SLICE_NONE;
  val *typed = codec_conform(a, v, k->type, NULL, &error);
  if (!typed) fail_call(a, c, error);
  else read_verdict(args, c, typed);
}
