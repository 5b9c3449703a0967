/* Quiesce is the one command that waits: its call is kept and looked at again by a timer. */
#include "sim/live/control.h"

#include "base/heap.h"
#include "codec/codec.h"
#include "sim/live/engine.h"

#include <stdio.h>
#include <stdlib.h>

#define LOOK_NS ((int64_t)5 * 1000000)
#define WITHIN_NS ((int64_t)30 * 1000000000)
#define RECORDS_ANSWERED 1000 /* unless `limit` says otherwise */

typedef struct quiet_wait {
  struct quiet_wait *next;
  control_call *call;
  live *live;
  timer timer;
  int64_t quiet_ns, until_ns, began_ns;
} quiet_wait;

static live *engine(control_call *c) {
  live *l = c->serving->live;
  if (!l) control_fail(c, 409, "this server keeps no log");
  return l;
}

/* An absent parameter leaves *out. False: answered. */
static bool duration_param(control_call *c, const char *name, int64_t *out) {
  slice text = control_param(c, name);
  if (text.len == 0 || (duration_parse(text, out) && *out >= 0)) return true;
  control_fail(c, 400, "%s is a duration like 1m30s, not \"%.*s\"", name, SLICE_ARG(text));
  return false;
}

static bool number_param(control_call *c, const char *name, int64_t *out) {
  long long n = 0;
  slice text = control_param(c, name);
  if (text.len == 0) return true;
  if (slice_to_i64(text, &n) && n >= 0) {
    *out = n;
    return true;
  }
  control_fail(c, 400, "%s is a number, not \"%.*s\"", name, SLICE_ARG(text));
  return false;
}

/* ---- quiesce ---- */

static void end_wait(quiet_wait *w, bool quiet) {
  live *l = w->live;
  quiet_wait **at = &l->quiet_waits;
  while (*at != w) at = &(*at)->next;
  *at = w->next;
  timer_clear(&l->server->timers, &w->timer);
  int64_t took = real_ns() - w->began_ns;
  if (quiet) {
    control_answer(w->call, json_pack("{s:b, s:I, s:I}", "quiet", 1, "waited_ms",
                                      (json_int_t)(took / 1000000), "revision",
                                      (json_int_t)store_revision(l->server->store)));
  } else {
    control_fail(w->call, 504, "not quiet within %lld ms: %s", (long long)took / 1000000,
                 live_busy_with(l));
  }
  heap_free(w);
}

static void on_look(void *ctx, int64_t now_ns) {
  quiet_wait *w = ctx;
  if (live_quiet_for(w->live, w->quiet_ns)) end_wait(w, true);
  else if (w->call->gone || real_ns() >= w->until_ns) end_wait(w, false);
  else timer_set(&w->live->server->timers, &w->timer, now_ns + LOOK_NS, on_look, w);
}

void live_run_quiesce(control_call *c) {
  live *l = engine(c);
  int64_t quiet = -1, within = WITHIN_NS;
  if (!l || !duration_param(c, "quiet", &quiet) || !duration_param(c, "within", &within)) return;
  quiet_wait *w = heap_zalloc(sizeof *w);
  *w = (quiet_wait){l->quiet_waits, c, l, {0}, quiet, real_ns() + within, real_ns()};
  l->quiet_waits = w;
  timer_set(&l->server->timers, &w->timer, l->server->env->mono_ns, on_look, w);
}

void live_control_close(live *l) {
  while (l->quiet_waits) end_wait(l->quiet_waits, false);
}

/* ---- the rest ---- */

void live_run_advance(control_call *c) {
  live *l = engine(c);
  int64_t ns = 0;
  if (!l || !duration_param(c, "duration", &ns)) return;
  if (!live_advance(l, ns)) {
    control_fail(c, 409, "the clock is real: advance needs --clock virtual");
    return;
  }
  int64_t now = world_virtual_ns(c->serving->world);
  char text[64];
  arena *a = arena_create();
  snprintf(text, sizeof text, "%.*s", SLICE_ARG(time_text(a, now / 1000000000)));
  arena_destroy(a);
  control_answer(c, json_pack("{s:s}", "now", text));
}

void live_run_faults(control_call *c) {
  live *l = engine(c);
  if (!l) return;
  json_t *list = json_array();
  for (uint32_t i = 0; i < live_fault_count(l); i++) {
    uint64_t fired;
    bool active;
    const live_fault *f = live_fault_at(l, i, &fired, &active);
    json_array_append_new(list, json_pack("{s:s%, s:I, s:b}", "name", f->name.ptr, f->name.len,
                                          "fired", (json_int_t)fired, "active", active));
  }
  control_answer(c, json_pack("{s:o, s:b}", "faults", list, "healed", l->healed));
}

void live_run_add_fault(control_call *c) {
  live *l = engine(c);
  slice problem;
  if (!l) return;
  if (!live_fault_add(l, c->http->body, &problem)) {
    control_fail(c, 400, "%.*s", SLICE_ARG(problem));
    return;
  }
  uint64_t fired;
  bool active;
  const live_fault *f = live_fault_at(l, live_fault_count(l) - 1, &fired, &active);
  control_answer(c, json_pack("{s:s%}", "added", f->name.ptr, f->name.len));
}

void live_run_clear_faults(control_call *c) {
  live *l = engine(c);
  if (!l) return;
  slice name = control_param(c, "name");
  uint32_t n = live_fault_clear(l, name);
  if (name.len && n == 0) control_fail(c, 404, "no fault %.*s", SLICE_ARG(name));
  else control_answer(c, json_pack("{s:i}", "cleared", (int)n));
}

void live_run_heal(control_call *c) {
  live *l = engine(c);
  if (!l) return;
  live_heal(l);
  control_answer(c, json_pack("{s:b}", "healed", 1));
}

static const char *const kind_names[] = {"request", "commit", "event", "fault", "step", "client"};

static bool record_fits(control_call *c, const live *l, const live_record *r) {
  char status[16];
  snprintf(status, sizeof status, "%d", r->status);
  slice kind = control_param(c, "kind"), client = control_param(c, "client");
  slice verb = control_param(c, "verb"), key = control_param(c, "key");
  slice resource = control_param(c, "resource"), of, rest, bare, group;
  slice wanted = control_param(c, "status");
  slice_cut(slice_cstr(r->key), '/', &of, &rest);
  slice_cut(of, '.', &bare, &group);
  if (kind.len ? !slice_is(kind, kind_names[r->kind]) : r->kind != RECORD_REQUEST) return false;
  if (client.len && !live_glob(client, live_client_name(l, r->client))) return false;
  if (verb.len && !live_glob(verb, slice_cstr(r->verb))) return false;
  if (key.len && !live_glob(key, slice_cstr(r->key))) return false;
  if (resource.len && !live_glob(resource, of) && !live_glob(resource, bare)) return false;
  return !wanted.len || live_glob(wanted, slice_cstr(status));
}

static json_t *record_json(const live *l, const live_record *r) {
  slice client = live_client_name(l, r->client);
  json_t *o = json_pack("{s:I, s:f, s:s, s:s%, s:s, s:o}", "seq", (json_int_t)r->seq, "at_s",
                        (double)r->at_ns / 1e9, "kind", kind_names[r->kind], "client", client.ptr,
                        client.len, "verb", r->verb, "key", json_string(r->key));
  if (r->status) json_object_set_new(o, "status", json_integer(r->status));
  if (r->revision) json_object_set_new(o, "revision", json_integer(r->revision));
  if (*r->detail) json_object_set_new(o, "detail", json_string(r->detail));
  return o;
}

void live_run_requests(control_call *c) {
  live *l = engine(c);
  int64_t since = 0, limit = RECORDS_ANSWERED, n = 0;
  if (!l || !number_param(c, "since", &since) || !number_param(c, "limit", &limit)) return;
  slice kind = control_param(c, "kind");
  bool known = kind.len == 0;
  for (size_t i = 0; i < sizeof kind_names / sizeof kind_names[0]; i++) {
    known = known || slice_is(kind, kind_names[i]);
  }
  if (!known) {
    control_fail(c, 400, "kind is request, commit, event, fault, step or client");
    return;
  }
  if (l->elsewhere && slice_is(kind, "commit")) {
    control_fail(c, 409, "commits are not seen here: the objects are in --etcd-servers");
    return;
  }
  json_t *list = json_array();
  uint64_t seq = live_first_record(l);
  if (seq < (uint64_t)since) seq = (uint64_t)since;
  if (seq > live_record_end(l)) seq = live_record_end(l);
  for (; seq < live_record_end(l) && n < limit; seq++) {
    const live_record *r = live_record_at(l, seq);
    if (!record_fits(c, l, r)) continue;
    json_array_append_new(list, record_json(l, r));
    n++;
  }
  control_answer(c, json_pack("{s:o, s:I, s:b}", "records", list, "next", (json_int_t)seq, "more",
                              seq < live_record_end(l)));
}

void live_run_lint(control_call *c) {
  live *l = engine(c);
  if (!l) return;
  json_t *list = json_array();
  for (const lint_finding *f = lint_findings(l->lint); f; f = f->next) {
    slice client = live_client_name(l, f->client);
    json_array_append_new(list, json_pack("{s:s, s:s%, s:b, s:i, s:s}", "rule",
                                          lint_names[f->rule], "client", client.ptr, client.len,
                                          "error", lint_is_error[f->rule], "count", (int)f->count,
                                          "text", f->text));
  }
  control_answer(c, json_pack("{s:o}", "findings", list));
}
