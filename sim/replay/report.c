/* The terminal's table: one line a session, wide enough to see the first difference, narrow
 * enough for a terminal. */
#include "sim/replay/report.h"

#include "base/buf.h"

#define FIRST_WIDTH 62

uint32_t report_score(const session *s, diff_level level) {
  return s->scored == 0 ? 0 : (uint32_t)((uint64_t)s->same[level] * 10000 / s->scored);
}

const difference *report_first(const session *s, const outcome **where) {
  for (uint32_t i = 0; i < s->count; i++) {
    const outcome *x = &s->outcomes[i];
    if (!x->unscored && x->diff.count > 0) {
      *where = x;
      return &x->diff.items[0];
    }
  }
  return NULL;
}

static const char *score_color(uint32_t score, bool color) {
  if (!color) {
    return "";
  }
  return score == 10000 ? "\033[32m" : score >= 9800 ? "\033[33m" : "\033[31m";
}

static void print_score(FILE *out, uint32_t score, bool color) {
  char text[16];
  if (score == 10000) {
    snprintf(text, sizeof text, "100");
  } else {
    snprintf(text, sizeof text, "%u.%u", score / 100, score % 100 / 10);
  }
  fprintf(out, "  %s%6s%s", score_color(score, color), text, color ? "\033[0m" : "");
}

static void print_first(FILE *out, const session *s, bool color) {
  const outcome *x = NULL;
  const difference *d = report_first(s, &x);
  char text[512];
  if (s->problem.len > 0) {
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(s->problem));
  } else if (!d) {
    text[0] = 0;
  } else {
    slice e = slice_upto(d->expected, 40), a = slice_upto(d->actual, 40);
    snprintf(text, sizeof text, "#%lld %.*s: %.*s | %.*s", (long long)x->taped->seq,
             SLICE_ARG(d->path), SLICE_ARG(e), SLICE_ARG(a));
  }
  for (char *c = text; *c; c++) {
    *c = (unsigned char)*c < 0x20 ? ' ' : *c;
  }
  size_t len = strlen(text);
  if (len > FIRST_WIDTH) {
    len = FIRST_WIDTH - 1;
    while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80) {
      len--;
    }
    strcpy(text + len, "…");
  }
  fprintf(out, "  %s%s%s\n", color ? "\033[2m" : "", text, color ? "\033[0m" : "");
}

static void rule(FILE *out, int name_width, const char *line, bool color) {
  fprintf(out, "  %s", color ? "\033[2m" : "");
  for (int i = 0; i < name_width + 32 + FIRST_WIDTH; i++) {
    fputs(line, out);
  }
  fprintf(out, "%s\n", color ? "\033[0m" : "");
}

void report_table(FILE *out, const report *r, bool color) {
  session total = {0};
  int width = 7;
  for (uint32_t i = 0; i < r->count; i++) {
    int n = (int)r->sessions[i]->tape->session.len;
    width = n > width ? n : width;
  }
  fprintf(out, "\n  %s%-*s  requests  status    json   bytes  first difference (expected | actual)%s\n",
          color ? "\033[1m" : "", width, "session", color ? "\033[0m" : "");
  rule(out, width, "─", color);
  for (uint32_t i = 0; i < r->count; i++) {
    const session *s = r->sessions[i];
    fprintf(out, "  %-*.*s  %8u", width, SLICE_ARG(s->tape->session), s->count);
    total.count += s->count;
    total.scored += s->scored;
    total.unscored += s->unscored;
    for (int level = 0; level < DIFF_LEVELS; level++) {
      total.same[level] += s->same[level];
      print_score(out, report_score(s, (diff_level)level), color);
    }
    print_first(out, s, color);
  }
  rule(out, width, "─", color);
  fprintf(out, "  %-*s  %8u", width, r->count == 1 ? "1 session" : "all", total.count);
  for (int level = 0; level < DIFF_LEVELS; level++) {
    print_score(out, report_score(&total, (diff_level)level), color);
  }
  fprintf(out, "  %u scored, %u not\n\n", total.scored, total.unscored);
}

/* A value for one line: cut short, control characters shown as spaces. */
static void print_value(FILE *out, slice v) {
  if (!v.ptr || v.len == 0) {
    fputs("(nothing)", out);
  }
  for (size_t i = 0; i < v.len && i < 300; i++) {
    fputc((unsigned char)v.ptr[i] < 0x20 ? ' ' : v.ptr[i], out);
  }
  fputs(v.len > 300 ? "…" : "", out);
}

void report_list(FILE *out, const report *r) {
  for (uint32_t i = 0; i < r->count; i++) {
    const session *s = r->sessions[i];
    for (uint32_t n = 0; n < s->count; n++) {
      const outcome *x = &s->outcomes[n];
      for (uint32_t k = 0; !x->unscored && k < x->diff.count; k++) {
        const difference *d = &x->diff.items[k];
        bool header = slice_has_prefix(d->path, SLICE_LIT("header "));
        fprintf(out, "%.*s %lld %s%.*s  %s, ", SLICE_ARG(s->tape->session),
                (long long)x->taped->seq, header ? "header_" : "",
                SLICE_ARG(slice_from(d->path, header ? 7 : 0)), diff_level_name(d->level));
        print_value(out, d->expected);
        fputs(" | ", out);
        print_value(out, d->actual);
        fputc('\n', out);
      }
    }
  }
}
