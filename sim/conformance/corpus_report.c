/* What a person and CI read of a checked corpus. */
#include "sim/conformance/corpus.h"

typedef struct tally {
  unsigned passed, failed, not_served, unknown;
} tally;

static void print_row(FILE *out, slice group, const tally *t) {
  fprintf(out, "  %-32.*s %7u %7u %11u %8u\n", SLICE_ARG(group), t->passed, t->failed, t->not_served,
          t->unknown);
}

static void count(tally *t, const corpus_case *one) {
  t->passed += one->outcome == CORPUS_PASSED;
  t->failed += one->outcome == CORPUS_FAILED;
  t->unknown += one->outcome == CORPUS_UNKNOWN;
  t->not_served += !one->served;
}

void corpus_print(FILE *out, const corpus *c, bool verbose) {
  static const char *const words[] = {"passed", "FAILED", "unknown"};
  tally group = {0}, all = {0};
  fprintf(out, "  %-32s %7s %7s %11s %8s\n", "GROUP", "PASSED", "FAILED", "NOT SERVED", "UNKNOWN");
  for (uint32_t i = 0; i < c->count; i++) {
    const corpus_case *one = &c->cases[i];
    count(&group, one);
    count(&all, one);
    if (i + 1 < c->count && slice_eq(c->cases[i + 1].group, one->group)) continue;
    print_row(out, one->group, &group);
    group = (tally){0};
  }
  for (uint32_t i = 0; i < c->count; i++) {
    const corpus_case *one = &c->cases[i];
    if (!verbose && one->outcome == CORPUS_PASSED) continue;
    fprintf(out, "  %s %.*s%s%.*s\n", words[one->outcome], SLICE_ARG(one->name),
            one->problem.len ? ": " : "", SLICE_ARG(one->problem));
  }
  fprintf(out, "conformance: %u passed, %u failed, %u of versions that are not served, %u unknown\n",
          all.passed, all.failed, all.not_served, all.unknown);
}

static void write_escaped(FILE *f, slice text) {
  for (size_t i = 0; i < text.len; i++) {
    unsigned char ch = (unsigned char)text.ptr[i];
    if (ch == '<') fputs("&lt;", f);
    else if (ch == '&') fputs("&amp;", f);
    else if (ch == '"') fputs("&quot;", f);
    else fputc(ch < 0x20 || ch > 0x7e ? '?' : ch, f);
  }
}

bool corpus_junit(const char *path, const corpus *c) {
  FILE *f = fopen(path, "w");
  if (!f) return false;
  fprintf(f, "<testsuite name=\"conformance\" tests=\"%u\" failures=\"%u\">\n", c->count, c->failed);
  for (uint32_t i = 0; i < c->count; i++) {
    const corpus_case *one = &c->cases[i];
    fprintf(f, "<testcase classname=\"%.*s\" name=\"%.*s\">", SLICE_ARG(one->group), SLICE_ARG(one->name));
    if (one->outcome == CORPUS_UNKNOWN) fputs("<skipped/>", f);
    if (one->outcome == CORPUS_FAILED) {
      fputs("<failure message=\"", f);
      write_escaped(f, one->problem);
      fputs("\"/>", f);
    }
    fputs("</testcase>\n", f);
  }
  fputs("</testsuite>\n", f);
  return fclose(f) == 0;
}
