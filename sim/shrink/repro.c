/* The file is written and read by one table of the draw's fields. */
#include "sim/shrink/repro.h"

#include "base/heap.h"

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
    FIELD("canary", canary),
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
  sim_destroy(w);
}

static void write_fault(FILE *f, const fault *e) {
  fprintf(f, "fault %u %u %u %u %u %lld %lld %lld %s/%s\n", e->number, e->class, e->variant,
          e->target, e->visit, (long long)e->at_ns, (long long)e->until_ns, (long long)e->arg,
          fault_rows[e->class - 1].name, fault_variant(e)->name);
}

bool repro_write(const char *path, const sim_options *o, const run_result *r) {
  FILE *f = fopen(path, "w");
  if (!f) return false;
  arena *a = arena_create();
  sim_options planned = *o;
  repro_plan(a, &planned);
  fprintf(f, "apisim-sim 1\ncommit %s\n", sim_commit);
  fprintf(f, "failed %d %s\n", r->code, r->code == RUN_CRASH ? "-" : check_rows[r->check].name);
  for (const char *p = r->text; *p && p == r->text; p++) fprintf(f, "text %s\n", r->text);
  for (size_t i = 0; i < FIELDS; i++) {
    fprintf(f, "draw %s %llu\n", fields[i].name, (unsigned long long)field_get(&o->draw, i));
  }
  for (uint32_t i = 0; i < planned.fault_count; i++) {
    if (!planned.faults[i].dropped) write_fault(f, &planned.faults[i]);
  }
  for (uint32_t i = 0; i < 64; i++) {
    if (o->cuts.clients >> i & 1) fprintf(f, "without client %u\n", i);
  }
  for (uint32_t i = 0; i < o->cuts.op_count; i++) {
    fprintf(f, "without op %u %u\n", o->cuts.ops[i] >> 16, o->cuts.ops[i] & 0xffff);
  }
  if (o->tape) fprintf(f, "tape %s\n", o->tape);
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
  unsigned a, b;
  if (sscanf(text, "without client %u", &a) == 1 && a < 64) {
    x->r->options.cuts.clients |= (uint64_t)1 << a;
    return true;
  }
  if (sscanf(text, "without op %u %u", &a, &b) != 2 || a > 0xffff || b > 0xffff) return false;
  x->ops = arena_more(x->r->arena, x->ops, x->op_count, &x->op_cap, sizeof *x->ops);
  x->ops[x->op_count++] = a << 16 | b;
  return true;
}

static bool read_line(reading *x, const char *text) {
  repro *r = x->r;
  if (strncmp(text, "draw ", 5) == 0) return read_draw(x, text);
  if (strncmp(text, "fault ", 6) == 0) return read_fault(x, text);
  if (strncmp(text, "without ", 8) == 0) return read_without(x, text);
  if (strncmp(text, "text ", 5) == 0) return true;
  if (strncmp(text, "tape ", 5) == 0) {
    r->options.tape = arena_cstr(r->arena, slice_cstr(text + 5));
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
         d->controller < CONTROLLERS && (d->etcd_model || d->servers == 1);
}

repro *repro_read(const char *path, char *problem, size_t size) {
  FILE *f = fopen(path, "r");
  char text[1400];
  if (!f || !fgets(text, sizeof text, f) || strncmp(text, "apisim-sim 1\n", 13) != 0) {
    snprintf(problem, size, f ? "%s is no file of apisim sim" : "%s can't be read", path);
    if (f) fclose(f);
    return NULL;
  }
  arena *a = arena_create();
  reading x = {.r = ARENA_NEW(a, repro)};
  x.r->arena = a;
  bool ok = true;
  for (int number = 2; ok && fgets(text, sizeof text, f); number++) {
    text[strcspn(text, "\n")] = '\0';
    ok = read_line(&x, text);
    if (!ok) snprintf(problem, size, "%s:%d: not understood: %.80s", path, number, text);
  }
  fclose(f);
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
  if (ok) return x.r;
  arena_destroy(a);
  return NULL;
}

void repro_free(repro *r) {
  if (r) arena_destroy(r->arena);
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
