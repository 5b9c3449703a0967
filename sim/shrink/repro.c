/* The file is written and read by one table of the draw's fields. */
#include "sim/shrink/repro.h"

#include "base/buf.h"
#include "base/heap.h"
#include "sim/workload/player.h"

#include <stddef.h>
#include <stdlib.h>

#define FIELD(name, member) {name, offsetof(draw, member), sizeof(((draw *)0)->member)}
static const struct {
  const char *name;
  size_t offset, size;
} fields[] = {
    FIELD("seed", seed),           FIELD("profile", profile),
    FIELD("servers", servers),     FIELD("etcd-model", etcd_model),
    FIELD("protobuf", stored_protobuf), FIELD("operations", operations),
    FIELD("writers", writers),     FIELD("informers", informers),
    FIELD("pagers", pagers),       FIELD("controllers", controllers),
    FIELD("electors", electors),   FIELD("namespaces", namespaces),
    FIELD("names", names),         FIELD("kinds", kinds),
    FIELD("faults", faults),       FIELD("latency-ns", latency_ns),
    FIELD("jitter-ns", jitter_ns), FIELD("gap-ns", gap_ns),
    FIELD("history", history),     FIELD("first-revision", first_revision),
    FIELD("controller", controller), FIELD("mutant", mutant),
    FIELD("canary", canary),       FIELD("event-ttl-s", event_ttl_s),
    FIELD("compare", compare),     FIELD("watch-window", watch_window),
};
#define FIELDS (sizeof fields / sizeof *fields)

static uint64_t field_get(const draw *d, size_t i) {
  uint64_t n = 0;
  const char *at = (const char *)d + fields[i].offset;
  if (fields[i].size == 8) memcpy(&n, at, 8);
  else if (fields[i].size == 4) {
    uint32_t half;
    memcpy(&half, at, 4);
    n = half;
  } else n = *(const uint8_t *)at;
  return n;
}

static void field_set(draw *d, size_t i, uint64_t n) {
  char *at = (char *)d + fields[i].offset;
  uint32_t half = (uint32_t)n;
  if (fields[i].size == 8) memcpy(at, &n, 8);
  else if (fields[i].size == 4) memcpy(at, &half, 4);
  else *(uint8_t *)at = (uint8_t)n;
}

void repro_plan(arena *a, sim_options *o) {
  if (o->has_faults) return;
  world *w = sim_create(o);
  fault *copy = ARENA_ARRAY(a, fault, w->plan.count + 1);
  if (w->plan.count) memcpy(copy, w->plan.entries, w->plan.count * sizeof *copy);
  o->faults = copy;
  o->fault_count = w->plan.count;
  o->has_faults = true;
  o->until_ns = w->safety_ns;
  sim_destroy(w);
}

static void write_fault(FILE *f, const fault *e) {
  fprintf(f, "fault %u %u %u %u %u %lld %lld %lld %s/%s\n", e->number, e->class, e->variant,
          e->target, e->visit, (long long)e->at_ns, (long long)e->until_ns, (long long)e->arg,
          fault_rows[e->class - 1].name, fault_variant(e)->name);
}

/* Runs of neighbours; exchanges of a tape are simply not written. */
static void write_cuts(FILE *f, const run_cuts *c) {
  for (uint32_t i = 0; i < 64; i++) {
    if (c->clients >> i & 1) fprintf(f, "without client %u\n", i);
  }
  for (uint32_t i = 0, next; i < c->op_count; i = next) {
    uint32_t writer = c->ops[i] >> 16, first = c->ops[i] & 0xffff;
    next = i + 1;
    while (next < c->op_count && c->ops[next] == c->ops[next - 1] + 1) next++;
    if (writer == PLAYER_WRITER) continue;
    fprintf(f, "without ops %u %u %u\n", writer, first, first + (next - i) - 1);
  }
}

static void write_tape(FILE *f, const sim_options *o) {
  slice text, rest = o->tape_text;
  uint32_t number = 0; /* 0: the header; exchange n - 1 */
  if (!o->tape) return;
  fprintf(f, "tape %.*s\n", SLICE_ARG(o->tape->session));
  while (rest.len) {
    slice_cut(rest, '\n', &text, &rest);
    if (slice_trim(text).len == 0) continue;
    bool cut = number > 0 && cuts_have(&o->cuts, PLAYER_WRITER, number - 1);
    if (!cut) fprintf(f, "taped %.*s\n", SLICE_ARG(text));
    number++;
  }
}

static void write_text(FILE *f, const char *text) {
  if (!*text) return;
  fputs("text ", f);
  for (; *text; text++) fputc(*text == '\n' || *text == '\r' ? ' ' : *text, f);
  fputc('\n', f);
}

bool repro_write(const char *path, const sim_options *o, const run_result *r) {
  FILE *f = fopen(path, "w");
  if (!f) return false;
  arena *a = arena_create();
  sim_options planned = *o;
  repro_plan(a, &planned);
  fprintf(f, "apisim-sim 1\ncommit %s\n", sim_commit);
  fprintf(f, "failed %d %s\n", r->code, run_check_name(r->code, r->check));
  write_text(f, r->text);
  for (size_t i = 0; i < FIELDS; i++) {
    fprintf(f, "draw %s %llu\n", fields[i].name, (unsigned long long)field_get(&o->draw, i));
  }
  for (uint32_t i = 0; i < planned.fault_count; i++) {
    if (!planned.faults[i].dropped) write_fault(f, &planned.faults[i]);
  }
  fprintf(f, "until %lld\n", (long long)planned.until_ns);
  if (o->events_max) fprintf(f, "events %llu\n", (unsigned long long)o->events_max);
  write_cuts(f, &o->cuts);
  write_tape(f, o);
  arena_destroy(a);
  return fclose(f) == 0;
}

/* ---- reading ---- */

typedef struct reading {
  repro *r;
  fault *faults;
  uint32_t fault_count, fault_cap;
  uint32_t *ops;
  uint32_t op_count, op_cap;
  char *tape_name;
  buf tape;
} reading;

static bool read_draw(reading *x, const char *text) {
  char name[32];
  unsigned long long n;
  if (sscanf(text, "draw %31s %llu", name, &n) != 2) return false;
  for (size_t i = 0; i < FIELDS; i++) {
    if (strcmp(name, fields[i].name) != 0) continue;
    field_set(&x->r->options.draw, i, n);
    return true;
  }
  return false;
}

static bool read_fault(reading *x, const char *text) {
  unsigned number, class, variant, target, visit;
  long long at, lasts, arg;
  if (sscanf(text, "fault %u %u %u %u %u %lld %lld %lld", &number, &class, &variant, &target,
             &visit, &at, &lasts, &arg) != 8 || class < 1 || class > FAULT_CLASSES) return false;
  const fault_variant_row *v = fault_rows[class - 1].variants;
  for (unsigned i = 0; i <= variant; i++) {
    if (!v[i].name) return false;
  }
  x->faults = arena_more(x->r->arena, x->faults, x->fault_count, &x->fault_cap, sizeof(fault));
  x->faults[x->fault_count++] = (fault){
      .number = (uint16_t)number, .class = (uint8_t)class, .variant = (uint8_t)variant,
      .target = (uint8_t)(target % SERVERS_MAX), .visit = visit, .at_ns = at, .until_ns = lasts,
      .arg = arg};
  return true;
}

static bool read_without(reading *x, const char *text) {
  unsigned a, b, c;
  if (sscanf(text, "without client %u", &a) == 1 && a < 64) {
    x->r->options.cuts.clients |= (uint64_t)1 << a;
    return true;
  }
  if (sscanf(text, "without ops %u %u %u", &a, &b, &c) != 3 || a >= PLAYER_WRITER || b > c ||
      c > 0xffff) {
    return false;
  }
  for (; b <= c; b++) {
    x->ops = arena_more(x->r->arena, x->ops, x->op_count, &x->op_cap, sizeof *x->ops);
    x->ops[x->op_count++] = a << 16 | b;
  }
  return true;
}

static int number_order(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static bool read_number(const char *text, const char *word, int64_t *out) {
  long long n;
  size_t len = strlen(word);
  if (strncmp(text, word, len) != 0 || sscanf(text + len, "%lld", &n) != 1 || n <= 0) return false;
  *out = n;
  return true;
}

static bool read_line(reading *x, const char *text) {
  repro *r = x->r;
  if (strncmp(text, "draw ", 5) == 0) return read_draw(x, text);
  if (strncmp(text, "fault ", 6) == 0) return read_fault(x, text);
  if (strncmp(text, "without ", 8) == 0) return read_without(x, text);
  if (strncmp(text, "text ", 5) == 0) return true;
  if (strncmp(text, "taped ", 6) == 0) {
    buf_cstr(&x->tape, text + 6);
    buf_char(&x->tape, '\n');
    return !x->tape.overflow;
  }
  if (strncmp(text, "tape ", 5) == 0) {
    x->tape_name = arena_cstr(r->arena, slice_cstr(text + 5));
    return true;
  }
  int64_t events;
  if (read_number(text, "until ", &r->options.until_ns)) return true;
  if (read_number(text, "events ", &events)) {
    r->options.events_max = (uint64_t)events;
    return true;
  }
  return sscanf(text, "commit %63s", r->commit) == 1 ||
         sscanf(text, "failed %d %31s", &r->code, r->check) == 2;
}

static bool draw_is_sane(const draw *d) {
  return d->profile < PROFILES && d->servers >= 1 && d->servers <= SERVERS_MAX && d->writers &&
         d->writers <= CLIENTS_PER_KIND && d->informers <= CLIENTS_PER_KIND && d->pagers <= 4 &&
         d->controllers <= 4 && d->electors <= 4 && d->operations <= 65535 && d->kinds &&
         d->names >= 1 && d->names <= 8 && d->namespaces >= 1 && d->namespaces <= 3 &&
         d->gap_ns > 0 && d->latency_ns >= 0 && d->jitter_ns >= 0 && d->first_revision > 0 &&
         d->controller < CONTROLLERS && d->canary < CANARIES && (d->etcd_model || d->servers == 1);
}

/* The tape in the file; its text stays with the options, which may be written again. */
static bool read_tape(reading *x, char *problem, size_t size) {
  sim_options *o = &x->r->options;
  if (!x->tape_name) return true;
  o->tape_text = arena_copy(x->r->arena, buf_slice(&x->tape));
  o->tape = x->r->tape = tape_parse(o->tape_text, x->tape_name, problem, size);
  return o->tape != NULL;
}

static bool read_lines(reading *x, FILE *f, const char *path, char *problem, size_t size) {
  char *text = NULL;
  size_t room = 0;
  bool ok = getline(&text, &room, f) > 0 && strncmp(text, "apisim-sim 1\n", 13) == 0;
  if (!ok) snprintf(problem, size, "%s is no file of apisim sim", path);
  for (int number = 2; ok && getline(&text, &room, f) > 0; number++) {
    text[strcspn(text, "\n")] = '\0';
    ok = read_line(x, text);
    if (!ok) snprintf(problem, size, "%s:%d: not understood: %.80s", path, number, text);
  }
  free(text);
  return ok;
}

repro *repro_read(const char *path, char *problem, size_t size) {
  FILE *f = fopen(path, "r");
  if (!f) {
    snprintf(problem, size, "%s can't be read", path);
    return NULL;
  }
  arena *a = arena_create();
  reading x = {.r = ARENA_NEW(a, repro)};
  x.r->arena = a;
  buf_init(&x.tape, (size_t)1 << 30);
  bool ok = read_lines(&x, f, path, problem, size);
  fclose(f);
  ok = ok && read_tape(&x, problem, size);
  buf_dispose(&x.tape);
  if (ok && !draw_is_sane(&x.r->options.draw)) {
    snprintf(problem, size, "%s: its options can't be", path);
    ok = false;
  }
  sim_options *o = &x.r->options;
  o->faults = x.faults;
  o->fault_count = x.fault_count;
  o->has_faults = true;
  o->cuts.ops = x.ops;
  o->cuts.op_count = x.op_count;
  if (x.op_count) qsort(x.ops, x.op_count, sizeof *x.ops, number_order);
  if (ok) return x.r;
  repro_free(x.r);
  return NULL;
}

void repro_free(repro *r) {
  if (!r) return;
  if (r->tape) tape_destroy(r->tape);
  arena_destroy(r->arena);
}

/* ---- telling ---- */

static void tell_faults(FILE *out, const world *w) {
  for (uint32_t i = 0; i < w->plan.count; i++) {
    const fault *f = &w->plan.entries[i];
    if (!f->fired) continue;
    fprintf(out, "fault    %-3u %s/%s", f->number, fault_rows[f->class - 1].name,
            fault_variant(f)->name);
    if (f->visit) fprintf(out, " at %s %u", fault_site_name(fault_variant(f)->site), f->visit);
    else fprintf(out, " at %.3f s", (double)f->at_ns / 1e9);
    fprintf(out, " arg=%lld\n", (long long)f->arg);
  }
}

void repro_tell_failure(FILE *out, const sim_options *o, const world *w, const run_result *r,
                        const char *reproduce) {
  draw_print(&o->draw, out);
  if (w) {
    tell_faults(out, w);
    fprintf(out, "last events (turn, time, actor, event, peer, numbers, detail):\n");
    transcript_tail(&w->log, out, 100);
  }
  if (w && w->violation.set) {
    const check_row *c = &check_rows[w->violation.check];
    fprintf(out, "failed   %s (%s): %s\n", c->name, c->number, c->text);
    fprintf(out, "         %s\n", w->violation.text);
    fprintf(out, "         in turn %llu at %.6f s\n", (unsigned long long)w->violation.turn,
            (double)w->violation.at_ns / 1e9);
  }
  (void)r;
  fprintf(out, "seed     %llu, commit %s\nrepeat   %s\n", (unsigned long long)o->draw.seed,
          sim_commit, reproduce);
}
