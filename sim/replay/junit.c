/* JUnit's XML: one suite a session, one case an exchange, so that CI shows what broke where. */
#include "sim/replay/report.h"

static void text(FILE *f, slice s) {
  for (size_t i = 0; i < s.len && i < 2000; i++) {
    unsigned char c = (unsigned char)s.ptr[i];
    switch (c) {
    case '<': fputs("&lt;", f); break;
    case '>': fputs("&gt;", f); break;
    case '&': fputs("&amp;", f); break;
    case '"': fputs("&quot;", f); break;
    default: fputc(c < 0x20 && c != '\n' && c != '\t' ? '?' : c, f);
    }
  }
}

static uint32_t unlisted(const report *r, const session *s, const outcome *x) {
  uint32_t n = 0;
  for (uint32_t i = 0; !x->unscored && i < x->diff.count; i++) {
    n += !known_find(r->known, s->tape->session, x->taped->seq, x->diff.items[i].path);
  }
  return n;
}

static void one_case(FILE *f, const report *r, const session *s, const outcome *x) {
  fprintf(f, "    <testcase classname=\"");
  text(f, s->tape->session);
  fprintf(f, "\" name=\"%lld %.*s ", (long long)x->taped->seq, SLICE_ARG(x->taped->method));
  text(f, x->taped->target);
  fprintf(f, "\" time=\"%.3f\"", (double)x->took_ms / 1000);
  if (x->unscored) {
    fprintf(f, "><skipped message=\"%s\"/></testcase>\n", x->unscored);
    return;
  }
  uint32_t n = unlisted(r, s, x);
  if (n == 0) {
    fputs("/>\n", f);
    return;
  }
  fprintf(f, ">\n      <failure message=\"%u difference%s\">", n, n == 1 ? "" : "s");
  for (uint32_t i = 0; i < x->diff.count; i++) {
    const difference *d = &x->diff.items[i];
    fprintf(f, "%s %.*s\n  expected ", diff_level_name(d->level), SLICE_ARG(d->path));
    text(f, d->expected);
    fputs("\n  actual   ", f);
    text(f, d->actual);
    fputc('\n', f);
  }
  fputs("</failure>\n    </testcase>\n", f);
}

bool report_junit(const char *path, const report *r) {
  FILE *f = fopen(path, "w");
  if (!f) {
    return false;
  }
  fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", f);
  for (uint32_t i = 0; i < r->count; i++) {
    const session *s = r->sessions[i];
    uint32_t failures = 0;
    for (uint32_t n = 0; n < s->count; n++) {
      failures += unlisted(r, s, &s->outcomes[n]) > 0;
    }
    fputs("  <testsuite name=\"", f);
    text(f, s->tape->session);
    fprintf(f, "\" tests=\"%u\" failures=\"%u\" skipped=\"%u\" time=\"%.3f\">\n", s->count,
            failures, s->unscored, (double)s->took_ms / 1000);
    for (uint32_t n = 0; n < s->count; n++) {
      one_case(f, r, s, &s->outcomes[n]);
    }
    fputs("  </testsuite>\n", f);
  }
  fputs("</testsuites>\n", f);
  bool bad = ferror(f) != 0;
  return fclose(f) == 0 && !bad;
}
