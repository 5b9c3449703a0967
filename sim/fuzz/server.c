/* Generated requests against a server, one after the other, and what every answer must be. */
#include "sim/fuzz/fuzzing.h"

#include "codec/cbor_wire.h"
#include "codec/codec.h"
#include "sim/fuzz/requests.h"

#include <stdio.h>
#include <string.h>

#define ANSWER_MS 15000
#define UNREACHED_MAX 3

static const char *check_status_object(const val *v, int status) {
  if (!slice_is(val_get_str(v, "kind"), "Status")) return NULL; /* an object */
  slice message = val_get_str(v, "message");
  const val *code = val_getc(v, "code");
  bool failure = slice_is(val_get_str(v, "status"), "Failure");
  if (!slice_is(val_get_str(v, "apiVersion"), "v1")) return "a Status of another version than v1";
  if (status >= 400 && !failure) return "an error's Status is no Failure";
  if (status >= 400 && message.len == 0) return "a Failure without a message";
  if (code && val_i64(code) != status) return "the Status has another code than the answer";
  return slice_find(message, SLICE_LIT("panic")) >= 0 ? "a panic" : NULL;
}

static const char *check_json(arena *a, slice body, int status) {
  slice error = SLICE_NONE;
  val *v = json_parse(a, body, NULL, &error);
  if (!v) return "application/json that does not parse";
  return val_is_map(v) ? check_status_object(v, status) : NULL;
}

/* Events, one a line. */
static const char *check_events(arena *a, slice body) {
  slice line, error = SLICE_NONE;
  while (slice_cut(body, '\n', &line, &body)) {
    val *v = json_parse(a, line, NULL, &error);
    if (!v || !val_getc(v, "type") || !val_getc(v, "object")) return "a watch event that is none";
  }
  return body.len ? "a watch that ends inside an event" : NULL;
}

static const char *check_body(arena *a, const fuzz_request *m, const response *res) {
  slice body = buf_slice(&res->body), error = SLICE_NONE;
  slice type = tape_header_get(&res->headers, "Content-Type");
  if (m->head || !body.len) return NULL;
  if (tape_header_get(&res->headers, "Content-Encoding").len) return NULL;
  if (slice_has_prefix(type, SLICE_LIT("application/json"))) {
    bool events = m->watch && res->status == 200;
    return events ? check_events(a, body) : check_json(a, body, res->status);
  }
  if (slice_is(type, "application/yaml")) {
    val *v = yaml_parse(a, body, NULL, &error);
    if (!v) return "application/yaml that does not parse";
    return val_is_map(v) ? check_status_object(v, res->status) : NULL;
  }
  if (slice_is(type, "application/vnd.kubernetes.protobuf")) {
    return slice_has_prefix(body, slice_of("k8s", 4)) ? NULL : "protobuf without its magic";
  }
  if (slice_is(type, "application/cbor")) {
    return cbor_well_formed(a, body, &error) ? NULL : "application/cbor that is not well-formed";
  }
  return NULL;
}

/* NULL, or which rule the answer breaks. */
static const char *check_answer(arena *a, const fuzz_request *m, const call *c) {
  const response *res = &c->res;
  if (c->problem[0]) return c->problem;
  if (res->state == RESPONSE_BROKEN) return "an answer that is no HTTP, or was cut short";
  if (res->state != RESPONSE_DONE) return "no whole answer in time";
  if (res->status < 200 || res->status > 599) return "a status that does not exist";
  slice type = tape_header_get(&res->headers, "Content-Type");
  bool text = slice_has_prefix(type, SLICE_LIT("text/plain"));
  if (res->status == 500 && (text || !type.len)) return "a 500 that is no Status";
  return check_body(a, m, res);
}

static bool over(const call *c) {
  return c->problem[0] || c->res.state == RESPONSE_DONE || c->res.state == RESPONSE_BROKEN;
}

typedef struct tally {
  uint32_t by_class[6], failed;
  uint32_t unreached; /* in a row */
  bool answered; /* some request was */
} tally;

static void one(const fuzz_server *o, uint32_t n, tally *t) {
  arena *a = arena_create();
  uplink *l = o->link;
  fuzz_request m = fuzz_request_make(a, o->seed, n, o->host, o->token, o->write);
  call *c = l->start(l, m.bytes, m.head);
  int64_t until = l->now_ms(l) + ANSWER_MS;
  while (!over(c) && l->step(l, until)) continue;
  const char *wrong = check_answer(a, &m, c);
  if (o->verbose) printf("%u %.*s: %d\n", n, SLICE_ARG(m.line), c->res.status);
  t->unreached = c->res.status ? 0 : t->unreached + 1;
  if (c->res.status) t->answered = true;
  if (c->res.status >= 100 && c->res.status < 600) t->by_class[c->res.status / 100]++;
  if (wrong && t->answered) {
    slice shown = slice_upto(buf_slice(&c->res.body), 200);
    t->failed++;
    printf("FAILED request %u, %.*s: %s (status %d)\n  %.*s\n", n, SLICE_ARG(m.line), wrong,
           c->res.status, SLICE_ARG(shown));
    printf("  again: apisim fuzz --server %s --seed %llu --only %u%s\n", o->url,
           (unsigned long long)o->seed, n, o->write ? " --write" : "");
  }
  l->finish(l, c);
  arena_destroy(a);
}

int fuzz_server_run(const fuzz_server *o) {
  tally t = {0};
  uint32_t sent = 0;
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (; sent < o->count && t.unreached < UNREACHED_MAX; sent++) one(o, o->first + sent, &t);
  printf("%u requests (seed %llu): %u x 2xx, %u x 3xx, %u x 4xx, %u x 5xx, %u failed\n", sent,
         (unsigned long long)o->seed, t.by_class[2], t.by_class[3], t.by_class[4], t.by_class[5],
             t.failed);
  if (t.unreached == UNREACHED_MAX) {
    fprintf(stderr, "apisim fuzz: nobody answers%s at %s\n", t.answered ? " any more" : "", o->url);
  }
  return t.answered ? t.failed > 0 : 2;
}
