/* The tally, the file of differences, the list of explanations. */
#include "conformance/codec/report.h"

#include "codec/codec.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 400u /* differences that a worker makes small and writes down */

typedef struct explanation {
  char *format, *what, *ours, *theirs, *why;
  unsigned count;
} explanation;

struct report_file {
  FILE *out;
  explanation *rows;
  uint32_t row_count;
  uint64_t seen[SHOWN_MAX];
  uint32_t seen_count;
};

/* ---- explanations ---- */

static bool read_row(char *line, explanation *e) {
  char *part[4], *why = strstr(line, "  # ");
  if (!why) return false;
  *why = '\0';
  for (int i = 0; i < 4; i++) {
    part[i] = strsep(&line, "|");
    if (!part[i]) return false;
  }
  *e = (explanation){strdup(part[0]), strdup(part[1]), strdup(part[2]), strdup(part[3]), strdup(why + 4), 0};
  e->why[strcspn(e->why, "\n")] = '\0';
  return true;
}

static bool read_rows(report_file *f, const char *path) {
  FILE *in = fopen(path, "r");
  char *line = NULL;
  size_t room = 0;
  bool good = in != NULL;
  while (good && getline(&line, &room, in) > 0) {
    if (line[0] == '#' || line[0] == '\n') continue;
    f->rows = realloc(f->rows, (f->row_count + 1) * sizeof *f->rows);
    good = read_row(line, &f->rows[f->row_count++]);
  }
  free(line);
  if (in) fclose(in);
  if (!good) fprintf(stderr, "differential: %s cannot be read\n", path);
  return good;
}

report_file *report_open(const char *out, const char *explained) {
  report_file *f = calloc(1, sizeof *f);
  f->out = fopen(out, "a");
  if (!f->out) fprintf(stderr, "differential: %s cannot be written\n", out);
  if (f->out && (!explained || read_rows(f, explained))) return f;
  free(f);
  return NULL;
}

void report_close(report_file *f) {
  fclose(f->out);
  free(f->rows);
  free(f);
}

static slice text_of(const oracle_answer *x, const char *what) {
  for (unsigned i = 0; i < ORACLE_FORMATS; i++) {
    if (strcmp(what, oracle_format_names[i]) == 0) return x->encodings[i];
  }
  return strcmp(what, "status") || x->error.len ? x->error : x->encodings[ORACLE_JSON];
}

static bool contains(slice text, const char *piece) {
  return !*piece || slice_find(text, slice_cstr(piece)) >= 0;
}

static bool names(const char *wanted, const char *name) {
  return !*wanted || strcmp(wanted, name) == 0;
}

/* ---- the same value in other bytes ---- */

static val *value_of(arena *a, const kind_info *k, const char *what, slice bytes) {
  slice part[5], error;
  if (strcmp(what, "json") == 0) return json_parse_typed(a, bytes, NULL, &error);
  if (strcmp(what, "cbor") == 0) return cbor_decode(a, bytes, k->type, NULL, &error);
  if (strcmp(what, "protobuf") != 0) return NULL;
  if (!proto_open_envelope(a, bytes, &part[0], &part[1], &part[2], &part[3], &part[4], &error)) {
    return NULL;
  }
  return proto_decode(a, part[2], k->type, &error);
}

static bool has_raw(const type_info *t, unsigned depth) {
  if (t->kind >= TYPE_RAW_EXTENSION || t->kind == TYPE_BYTES) return true;
  if (t->elem) return has_raw(t->elem, depth);
  for (uint16_t i = 0; i < t->field_count && depth < 12; i++) {
    if (has_raw(t->fields[i].type, depth + 1)) return true;
  }
  return false;
}

static bool is_same_value(const oracle_case *c, const char *what, const oracle_answer *ours,
                          const oracle_answer *theirs) {
  const kind_info *k = &schema_kinds[c->kind];
  if (ours->status != theirs->status || !has_raw(k->type, 0)) return false;
  arena *a = arena_create();
  const val *x = value_of(a, k, what, text_of(ours, what));
  const val *y = value_of(a, k, what, text_of(theirs, what));
  bool same = x && y && val_equal(x, y);
  arena_destroy(a);
  return same;
}

static const char same_value[] = "the same value: raw JSON keeps no white space, escapes and duplicates, "
                                 "and empty bytes are nil where JSON would not write them";

const char *report_explained(report_file *f, const oracle_case *c, const char *what,
                             const oracle_answer *ours, const oracle_answer *theirs) {
  for (uint32_t i = 0; i < f->row_count; i++) {
    const explanation *e = &f->rows[i];
    if (names(e->format, oracle_format_names[c->format]) && names(e->what, what) &&
        contains(text_of(ours, what), e->ours) && contains(text_of(theirs, what), e->theirs)) {
      return e->why;
    }
  }
  return is_same_value(c, what, ours, theirs) ? same_value : NULL;
}

void report_count(report_file *f, const char *reason) {
  for (uint32_t i = 0; i < f->row_count; i++) f->rows[i].count += f->rows[i].why == reason;
}

/* ---- differences ---- */

/* Of an error's text without what is in quotes and without digits, so that alike ones are one. */
static uint64_t shape(uint64_t h, slice s) {
  bool quoted = false;
  for (size_t i = 0; i < s.len && i < 160; i++) {
    if (s.ptr[i] == '"' || s.ptr[i] == '\'') quoted = !quoted;
    if (quoted || isdigit((unsigned char)s.ptr[i])) continue;
    h = (h ^ (unsigned char)s.ptr[i]) * 1099511628211u;
  }
  return h;
}

bool report_is_new(report_file *f, const oracle_case *c, const char *what,
                   const oracle_answer *ours, const oracle_answer *theirs) {
  uint64_t h = shape(14695981039346656037u + c->format, slice_cstr(what));
  bool coded = strcmp(what, "status") != 0 && strcmp(what, "error") != 0;
  h = coded ? h + c->kind / 40u : shape(shape(h, ours->error), theirs->error);
  for (uint32_t i = 0; i < f->seen_count; i++) {
    if (f->seen[i] == h) return false;
  }
  if (f->seen_count == SHOWN_MAX) return false;
  f->seen[f->seen_count++] = h;
  return true;
}

static void print_bytes(FILE *out, slice s) {
  for (size_t i = 0; i < s.len && i < 4000; i++) {
    unsigned char c = (unsigned char)s.ptr[i];
    if (c == '\\') fputs("\\\\", out);
    else if (c == '\n') fputs("\\n", out);
    else if (c < ' ' || c >= 0x7f) fprintf(out, "\\x%02x", c);
    else fputc(c, out);
  }
}

static void print_answer(FILE *out, const char *who, const oracle_answer *x, const char *what) {
  static const char *const words[] = {"good", "not strict", "refused", "panic"};
  fprintf(out, "  %s (%s): ", who, words[x->status]);
  print_bytes(out, text_of(x, what));
  fputc('\n', out);
}

void report_difference(report_file *f, uint64_t seed, uint64_t number, const oracle_case *c,
                       const char *what, const oracle_answer *ours, const oracle_answer *theirs) {
  const kind_info *k = &schema_kinds[c->kind];
  fprintf(f->out, "--seed %llu --only %llu: %s in %s of %.*s %.*s %.*s%s\n  body: ",
          (unsigned long long)seed, (unsigned long long)number, what, oracle_format_names[c->format],
          SLICE_ARG(k->group), SLICE_ARG(k->version), SLICE_ARG(k->kind),
          c->flags & ORACLE_STRICT ? " (strict)" : "");
  print_bytes(f->out, c->body);
  fputc('\n', f->out);
  print_answer(f->out, "apisim      ", ours, what);
  print_answer(f->out, "apimachinery", theirs, what);
  fflush(f->out);
}

/* ---- the summary ---- */

static void print_row(FILE *out, slice name, const tally_row *r) {
  fprintf(out, "  %-32.*s %9u", SLICE_ARG(name), r->objects);
  for (unsigned f = 0; f < ORACLE_FORMATS; f++) fprintf(out, " %9u/%u", r->cases[f], r->different[f]);
  fprintf(out, " %9u %9u\n", r->refused, r->not_strict);
}

static void add_row(tally_row *sum, const tally_row *r) {
  sum->objects += r->objects;
  sum->refused += r->refused;
  sum->not_strict += r->not_strict;
  for (unsigned f = 0; f < ORACLE_FORMATS; f++) {
    sum->cases[f] += r->cases[f];
    sum->different[f] += r->different[f];
  }
}

unsigned tally_print(FILE *out, const tally *t, double seconds, const char *file) {
  tally_row group = {0}, all = {0};
  unsigned kinds = 0, cases = 0, different = 0;
  fprintf(out, "  %-32s %9s %11s %11s %11s %11s %9s %9s\n", "GROUP", "OBJECTS", "JSON/DIFF", "YAML/DIFF",
          "PROTO/DIFF", "CBOR/DIFF", "REFUSED", "NOTSTRICT");
  for (uint16_t i = 0; i < schema_kind_count; i++) {
    add_row(&group, &t->rows[i]);
    add_row(&all, &t->rows[i]);
    kinds += t->rows[i].objects > 0;
    slice name = schema_kinds[i].group;
    if (i + 1 < schema_kind_count && slice_eq(schema_kinds[i + 1].group, name)) continue;
    if (group.objects) print_row(out, name.len ? name : SLICE_LIT("core"), &group);
    group = (tally_row){0};
  }
  print_row(out, SLICE_LIT("all"), &all);
  for (unsigned f = 0; f < ORACLE_FORMATS; f++) {
    cases += all.cases[f];
    different += all.different[f];
  }
  fprintf(out, "differential: %u objects of %u kinds, %u cases, %u differences unexplained, %u explained\n",
          all.objects, kinds, cases, different, t->explained);
  fprintf(out, "differential: %.1f s, %.0f objects/s; differences are in %s\n", seconds,
          (double)all.objects / seconds, file);
  return different;
}
