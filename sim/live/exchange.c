/* Requests: who asks for what, what faults make of it, and when it may go on. */
#include "sim/live/engine.h"

#include "access/access.h"
#include "base/heap.h"
#include "codec/codec.h"
#include "request/chain.h"
#include "respond/respond.h"
#include "watch/watcher.h"

#include <assert.h>
#include <openssl/x509.h>
#include <stdio.h>

/* ---- who ---- */

static slice bearer(const http_exchange *x) {
  slice h = http_header_get(x, "Authorization"), kind, token;
  return slice_cut(h, ' ', &kind, &token) && slice_eq_nocase(kind, SLICE_LIT("bearer"))
             ? slice_trim(token) : SLICE_NONE;
}

/* The subject's common name of the certificate that the client showed. */
static slice certificate_name(arena *a, const http_exchange *x) {
  slice der = x->peer ? x->peer->client_cert_der : SLICE_NONE;
  if (der.len == 0) return SLICE_NONE;
  const unsigned char *p = (const unsigned char *)der.ptr;
  X509 *cert = d2i_X509(NULL, &p, (long)der.len);
  char name[256] = "";
  if (cert) {
    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name, sizeof name);
    X509_free(cert);
  }
  return arena_copy(a, slice_cstr(name));
}

static bool client_fits(const live_client *c, slice agent, slice user, slice certificate) {
  if (c->user_agent.len && !live_glob(c->user_agent, agent)) return false;
  if (c->user.len && !live_glob(c->user, user)) return false;
  return !c->certificate.len || live_glob(c->certificate, certificate);
}

static int client_of(live *l, request *rq) {
  const live_plan *p = l->plan;
  if (inner_is(l, rq->http)) return l->ghost_of ? l->ghost_of->client : CLIENT_SCENARIO;
  slice token = bearer(rq->http);
  for (uint32_t i = 0; token.len && i < p->client_count; i++) {
    if (slice_is(token, l->clients[i].token)) return (int)i;
  }
  slice agent = http_header_get(rq->http, "User-Agent");
  slice certificate = certificate_name(rq->arena, rq->http);
  int any = CLIENT_OTHER;
  for (uint32_t i = 0; i < p->client_count; i++) {
    const live_client *c = &p->clients[i];
    bool asks = c->user_agent.len || c->user.len || c->certificate.len;
    if (!asks && !c->command.count && any == CLIENT_OTHER) any = (int)i;
    if (asks && client_fits(c, agent, rq->user.name, certificate)) return (int)i;
  }
  return any;
}

/* ---- lag ---- */

static int64_t revision_before(const live *l, int64_t ns) {
  uint64_t first = l->commits > LIVE_COMMITS_KEPT ? l->commits - LIVE_COMMITS_KEPT : 0;
  for (uint64_t i = l->commits; i > first; i--) {
    uint64_t at = (i - 1) % LIVE_COMMITS_KEPT;
    if (l->commit_ns[at] <= ns) return l->commit_revision[at];
  }
  return l->commits > LIVE_COMMITS_KEPT ? l->commit_revision[first % LIVE_COMMITS_KEPT] : 0;
}

int64_t engine_horizon(live *l, int client) {
  if (client < 0 || l->healed || l->closing || l->elsewhere) return INT64_MAX;
  uint32_t i = l->clients[client].server;
  const live_server *s = &l->plan->servers[i];
  server_view *v = &l->servers[i];
  if (v->frozen) return v->horizon;
  if (!s->lag_revisions && !s->lag_ns) return INT64_MAX;
  int64_t head = store_revision(l->server->store), reached = head;
  if (s->lag_revisions) reached = head - s->lag_revisions;
  if (s->lag_ns) {
    int64_t old = revision_before(l, real_ns() - s->lag_ns);
    if (old < reached) reached = old;
  }
  if (reached > v->horizon) v->horizon = reached;
  return v->horizon;
}

/* A read that a lagging server may answer from its cache is answered at its horizon. What must be
 * fresh is: the real server asks its store for those. False: refused with rq->error. */
static bool apply_lag(live *l, exchange *ex, request *rq) {
  int64_t horizon = engine_horizon(l, ex->client);
  bool reads = slice_is(ex->verb, "get") || slice_is(ex->verb, "list") || ex->watch;
  if (!reads || horizon == INT64_MAX || ex->target.resource == NULL) return true;
  if (http_query_get(rq->http, "continue").len) return true;
  slice match = http_query_get(rq->http, "resourceVersionMatch");
  slice version = ex->asked_revision;
  long long asked = 0;
  bool any = slice_is(version, "0"), initial = slice_is(http_query_get(rq->http,
                                                        "sendInitialEvents"), "true");
  if (!any && (!slice_to_i64(version, &asked) || asked <= 0)) return true; /* consistent */
  if (slice_is(match, "Exact")) return true;
  bool exact = match.len == 0 && http_query_get(rq->http, "limit").len && !any &&
               slice_is(ex->verb, "list");
  if (exact || (ex->watch && !any && !initial)) return true; /* a watch waits by itself */
  if (asked <= horizon) {
    int64_t oldest = store_compacted(l->server->store);
    rq->http->horizon = horizon > oldest ? horizon : oldest; /* what can still be read */
    return true;
  }
  if (ex->watch) return true;
  status_set(&rq->error, rq->arena, STATUS_TIMEOUT,
             "Timeout: Too large resource version: %lld, current: %lld", asked,
             (long long)horizon);
  rq->error.retry_after_seconds = 1;
  static const status_cause cause = {.reason = {"ResourceVersionTooLarge", 23},
                                     .message = {"Too large resource version", 26}};
  rq->error.cause_count = 1;
  rq->error.causes = &cause;
  return false;
}

/* ---- a request comes ---- */

static bool verb_writes(slice verb) {
  static const char *const words[] = {"create", "update", "patch", "delete", "deletecollection"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (slice_is(verb, words[i])) return true;
  }
  return false;
}

static exchange *exchange_create(live *l, request *rq) {
  exchange *ex = heap_zalloc(sizeof *ex);
  arena *a = arena_create();
  const request_info *i = &rq->info;
  *ex = (exchange){.live = l, .x = rq->http, .rq = rq, .arena = a, .client = client_of(l, rq)};
  ex->verb = arena_copy(a, i->verb);
  ex->path = arena_copy(a, rq->http->path);
  ex->subresource = arena_copy(a, i->subresource);
  ex->asked_revision = arena_copy(a, http_query_get(rq->http, "resourceVersion"));
  ex->watch = slice_is(ex->verb, "watch");
  ex->write = verb_writes(ex->verb) && i->is_resource;
  ex->ghost = inner_is(l, rq->http) && l->ghost_of;
  if (i->is_resource) {
    ex->target.resource = schema_resource(i->group, i->version, i->resource);
    ex->target.namespace = arena_copy(a, i->namespace);
    ex->target.name = arena_copy(a, i->name);
    ex->resource_name = i->group.len ? arena_printf(a, "%.*s.%.*s", SLICE_ARG(i->resource),
                                                    SLICE_ARG(i->group))
                                     : arena_copy(a, i->resource);
  }
  ex->resource_key = i->is_resource
      ? live_key(a, i->group, i->resource, i->namespace, i->name) : ex->path;
  if (ex->subresource.len) {
    ex->resource_key = arena_printf(a, "%.*s/%.*s", SLICE_ARG(ex->resource_key),
                                    SLICE_ARG(ex->subresource));
  }
  ex->next = l->exchanges;
  ex->link = &l->exchanges;
  if (ex->next) ex->next->link = &ex->next;
  l->exchanges = ex;
  rq->http->tapped = ex;
  return ex;
}

live_event exchange_event(exchange *ex, int point, arena *a) {
  return (live_event){.point = point, .step = -1, .ex = ex, .client = ex->client, .verb = ex->verb,
                      .resource_name = ex->resource_name, .subresource = ex->subresource,
                      .namespace = ex->target.namespace, .name = ex->target.name,
                      .key = ex->resource_key, .arena = a};
}

static void fire(exchange *ex, int point, int status) {
  if (ex->client == CLIENT_SCENARIO || ex->ghost) return;
  arena *a = arena_create();
  live_event ev = exchange_event(ex, point, a);
  ev.status = status;
  engine_event(ex->live, &ev);
  arena_destroy(a);
}

static bool counts(const exchange *ex) {
  if (engine_ignores(ex->live, ex->resource_name)) return false;
  return ex->write || !ex->live->plan->quiesce.ignore_reads;
}

static const struct {
  int64_t code;
  status_reason reason;
  const char *text;
} replies[] = {
    {409, STATUS_CONFLICT, "Operation cannot be fulfilled: the object has been modified; please "
                           "apply your changes to the latest version and try again"},
    {410, STATUS_EXPIRED, "The resourceVersion for the provided list is too old."},
    {429, STATUS_TOO_MANY, "Too many requests, please try again later."},
    {500, STATUS_INTERNAL, "Internal error occurred: injected by the plan"},
    {503, STATUS_UNAVAILABLE, "the server is currently unable to handle the request"},
    {504, STATUS_TIMEOUT, "Timeout: request did not complete within the allotted timeout"},
};

static status_reason reason_of(const live_action *act, status_reason usual) {
  for (int i = 0; act->reason.len && i <= STATUS_TIMEOUT; i++) {
    if (slice_is(act->reason, status_reason_text((status_reason)i))) return (status_reason)i;
  }
  return usual;
}

static void fill_error(const live_action *act, status_error *e, arena *a) {
  for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
    if (replies[i].code != act->number) continue;
    slice text = act->message.len ? act->message : slice_cstr(replies[i].text);
    *e = (status_error){0};
    status_set(e, a, reason_of(act, replies[i].reason), "%.*s", SLICE_ARG(text));
    e->code = (int32_t)act->number;
  }
  int64_t wait = act->retry_after_s;
  if (!wait && act->number == 429) wait = 1;
  if (wait) {
    e->retry_after_seconds = (int32_t)wait;
    e->has_details = true;
  }
}

/* What the plan makes of a request before it is done. */
static tap_verdict decide(live *l, exchange *ex, request *rq) {
  const live_action *reply = ex->reply;
  if (!reply) {
    const standing *s = standing_for(l, ACT_REPLY, ex);
    if (s && engine_chance(l, s->action->p)) reply = s->action;
  }
  if (ex->cut) {
    ex->cut_due = true;
    engine_soon(l);
    return TAP_KEEP;
  }
  if (ex->expire_due) {
    ex->expire_due = false;
    status_set(&rq->error, rq->arena, STATUS_EXPIRED, "%s",
               "The resourceVersion for the provided list is too old.");
    return TAP_REFUSE;
  }
  if (reply) {
    ex->reply = NULL;
    fill_error(reply, &rq->error, rq->arena);
    return TAP_REFUSE;
  }
  return TAP_PASS;
}

tap_verdict exchange_request(void *ctx, request *rq) {
  live *l = ctx;
  exchange *ex = exchange_create(l, rq);
  if (counts(ex) && ex->client != CLIENT_SCENARIO) {
    engine_active(l, "a request of", ex->client, ex->resource_key);
  }
  if (ex->client >= 0) l->clients[ex->client].asked = true;
  l->current = ex;
  if (ex->client == CLIENT_SCENARIO || ex->ghost) return TAP_PASS;
  lint_request(l->lint, ex, rq->http->body);
  fire(ex, POINT_BEFORE_RECEIVE, 0);
  l->current = ex;
  if (ex->hold) {
    ex->held = HOLD_REQUEST;
    l->current = NULL;
    return TAP_KEEP;
  }
  tap_verdict v = decide(l, ex, rq);
  if (v == TAP_PASS && !apply_lag(l, ex, rq)) v = TAP_REFUSE;
  if (v == TAP_KEEP) l->current = NULL;
  return v;
}

/* ---- its answer ---- */

/* The Status that a plan replies with, as JSON: every client reads it by its content type. */
static void replace_answer(exchange *ex, http_exchange *x, http_answer *a) {
  status_error e;
  fill_error(ex->reply, &e, x->arena);
  val *tree = respond_status_tree(x->arena, &e);
  buf b;
  buf_init(&b, (size_t)64 << 10);
  json_encode_any(&b, tree, false);
  buf_char(&b, '\n');
  http_part *part = ARENA_NEW(x->arena, http_part);
  part->bytes = arena_copy(x->arena, buf_slice(&b));
  buf_dispose(&b);
  http_header *headers = ARENA_ARRAY(x->arena, http_header, 2);
  headers[0] = (http_header){SLICE_LIT("Content-Type"), SLICE_LIT("application/json")};
  uint32_t count = 1;
  if (e.retry_after_seconds) {
    headers[count++] = (http_header){SLICE_LIT("Retry-After"),
                                     arena_printf(x->arena, "%d", e.retry_after_seconds)};
  }
  *a = (http_answer){status_error_code(&e), headers, count, part, 1};
}

/* Parts and headers may live in memory that goes with the handler: the copy does not. */
static void keep_answer(exchange *ex, const http_answer *a) {
  http_header *headers = ARENA_ARRAY(ex->arena, http_header, a->header_count + 1);
  buf body;
  buf_init(&body, (size_t)256 << 20);
  for (uint32_t i = 0; i < a->header_count; i++) {
    headers[i] = (http_header){arena_copy(ex->arena, a->headers[i].name),
                               arena_copy(ex->arena, a->headers[i].value)};
  }
  for (uint32_t i = 0; i < a->part_count; i++) buf_append(&body, a->parts[i].bytes);
  http_part *part = ARENA_NEW(ex->arena, http_part);
  part->bytes = arena_copy(ex->arena, buf_slice(&body));
  buf_dispose(&body);
  ex->answer = (http_answer){a->status, headers, a->header_count, part, 1};
}

bool exchange_cuts_connection(const exchange *ex) {
  return !ex->too_slow && !(ex->cut && ex->cut->where == CUT_STREAM);
}

static void break_in_the_middle(http_exchange *x, const http_answer *a) {
  http_stream_begin(x, a->status, a->headers, a->header_count);
  size_t total = 0, left;
  for (uint32_t i = 0; i < a->part_count; i++) total += a->parts[i].bytes.len;
  left = total / 2;
  for (uint32_t i = 0; i < a->part_count && left; i++) {
    slice piece = slice_upto(a->parts[i].bytes, left);
    http_stream_write(x, piece, NULL);
    left -= piece.len;
  }
  http_connection_cut(x, true);
}

static int64_t retry_after(const http_answer *a) {
  long long n = 0;
  for (uint32_t i = 0; i < a->header_count; i++) {
    if (slice_eq_nocase(a->headers[i].name, SLICE_LIT("Retry-After"))) {
      slice_to_i64(a->headers[i].value, &n);
    }
  }
  return n;
}

static void log_answer(exchange *ex, int status, const char *what) {
  ex->logged = true;
  engine_record(ex->live, RECORD_REQUEST, ex->client, ex->verb, ex->resource_key, status,
                ex->committed, "%s%.*s%s%s", ex->asked_revision.len ? "from rv=" : "",
                SLICE_ARG(ex->asked_revision), *what && ex->asked_revision.len ? " " : "", what);
}

bool exchange_answer(void *ctx, http_exchange *x, http_answer *a) {
  live *l = ctx;
  exchange *ex = x->tapped;
  if (!ex) { /* refused before anybody looked at it */
    engine_record(l, RECORD_REQUEST, inner_is(l, x) ? CLIENT_SCENARIO : CLIENT_OTHER, x->method,
                  x->path, a->status, 0, "%s", "");
    return true;
  }
  if (l->current == ex) l->current = NULL;
  if (ex->ghost) {
    log_answer(ex, a->status, "duplicate");
    return true;
  }
  fire(ex, POINT_AFTER_RECEIVE, a->status);
  if (ex->reply) replace_answer(ex, x, a);
  ex->rq = NULL;
  if (ex->hold && !ex->cut) {
    keep_answer(ex, a);
    ex->held = HOLD_ANSWER;
    return false;
  }
  if (counts(ex) && ex->client != CLIENT_SCENARIO) {
    engine_active(l, "an answer to", ex->client, ex->resource_key);
  }
  log_answer(ex, ex->cut ? 0 : a->status, ex->cut ? "cut" : ex->reply ? "replaced" : "");
  lint_answer(l->lint, ex, ex->cut ? 0 : a->status, retry_after(a));
  if (!ex->cut) return true;
  const live_action *cut = ex->cut;
  bool whole = exchange_cuts_connection(ex);
  ex->cut = NULL;
  if (cut->where == CUT_MIDDLE) break_in_the_middle(x, a);
  else if (whole) http_connection_cut(x, false);
  else http_stream_cut(x);
  return false;
}

/* A watch may last for long and be one of thousands: its few words move to a block of their own. */
static void pack(exchange *ex) {
  slice *words[] = {&ex->verb, &ex->subresource, &ex->path, &ex->asked_revision, &ex->resource_key,
                    &ex->resource_name, &ex->target.namespace, &ex->target.name};
  size_t total = 1, at = 0;
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) total += words[i]->len;
  ex->packed = heap_alloc(total);
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (words[i]->len) memcpy(ex->packed + at, words[i]->ptr, words[i]->len);
    *words[i] = slice_of(ex->packed + at, words[i]->len);
    at += words[i]->len;
  }
  arena_destroy(ex->arena);
  ex->arena = NULL;
}

void exchange_stream(void *ctx, http_exchange *x, int status) {
  live *l = ctx;
  exchange *ex = x->tapped;
  if (!ex || ex->streaming) return;
  if (l->current == ex) l->current = NULL;
  ex->streaming = ex->watch;
  ex->rq = NULL;
  if (!ex->watch) return;
  log_answer(ex, status, "");
  lint_answer(l->lint, ex, status, 0);
  pack(ex);
}

void exchange_over(void *ctx, http_exchange *x) {
  live *l = ctx;
  exchange *ex = x->tapped;
  if (l->current == ex) l->current = NULL;
  if (l->ghost_of == ex) l->ghost_of = NULL;
  l->exchanges_over++;
  if (!ex->logged && !l->closing) log_answer(ex, 0, "connection gone");
  *ex->link = ex->next;
  if (ex->next) ex->next->link = ex->link;
  stream_forget(ex);
  if (ex->arena) arena_destroy(ex->arena);
  heap_free(ex->packed);
  heap_free(ex);
}

/* ---- later ---- */

static void release_request(exchange *ex) {
  live *l = ex->live;
  request *rq = ex->rq;
  ex->held = HOLD_NONE;
  ex->hold = NULL;
  l->current = ex;
  tap_verdict v = l->healed ? TAP_PASS : decide(l, ex, rq);
  if (v == TAP_KEEP) {
    l->current = NULL;
    return;
  }
  if (v == TAP_PASS && !l->healed && !apply_lag(l, ex, rq)) v = TAP_REFUSE;
  if (v == TAP_REFUSE) chain_refuse(rq);
  else chain_resume(rq);
  l->current = NULL;
}

void exchange_pump(exchange *ex) {
  if (ex->ended) return;
  if (ex->streaming) {
    stream_pump(ex);
    return;
  }
  if (ex->cut_due) {
    ex->ended = true;
    if (ex->held == HOLD_NONE && ex->rq == NULL && !ex->doomed) return;
    log_answer(ex, 0, "cut");
    lint_answer(ex->live->lint, ex, 0, 0);
    if (exchange_cuts_connection(ex)) http_connection_cut(ex->x, false);
    else http_stream_cut(ex->x);
    return;
  }
  bool over = ex->hold && ex->hold_until_ns && ex->hold_until_ns <= real_ns();
  if (ex->held == HOLD_NONE || (!over && !ex->live->healed)) return;
  if (ex->held == HOLD_REQUEST) {
    release_request(ex);
    return;
  }
  ex->held = HOLD_NONE;
  ex->hold = NULL;
  log_answer(ex, ex->answer.status, "held");
  lint_answer(ex->live->lint, ex, ex->answer.status, retry_after(&ex->answer));
  http_send(ex->x, &ex->answer);
}
