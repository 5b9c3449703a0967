/* What a session says: the story of a failure with the one line that repeats it, and a JUnit file
 * for CI. */
#include "sim/live/session_state.h"

#include <stdio.h>
#include <string.h>

#define STORY_LINES 28
#define STORY_BEFORE 8
#define FAILURES_SHOWN 12
#define OUTPUT_SHOWN 2000 /* bytes of a client's output, from its end */

const char *oracle_name(int oracle) { return oracle < 0 ? "run" : oracle_names[oracle]; }

bool report_write_file(const char *path, slice text) {
  FILE *f = fopen(path, "we");
  if (!f) return false;
  bool ok = fwrite(text.ptr, 1, text.len, f) == text.len;
  return fclose(f) == 0 && ok;
}

void report_failures(const run_result *r, buf *out, const char *indent) {
  int shown = 0;
  for (const run_failure *f = r->failures; f; f = f->next) {
    if (shown++ < FAILURES_SHOWN) {
      buf_printf(out, "%s%s: %s\n", indent, oracle_name(f->oracle), f->text);
    }
  }
  if (shown > FAILURES_SHOWN) buf_printf(out, "%sand %d more\n", indent, shown - FAILURES_SHOWN);
}

/* ---- the repeat line ---- */

/* A word as a shell reads it. */
static void quote(buf *out, const char *word) {
  static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                             "-_./=:,@%+";
  if (*word && strspn(word, safe) == strlen(word)) {
    buf_cstr(out, word);
    return;
  }
  buf_char(out, '\'');
  for (; *word; word++) {
    if (*word == '\'') buf_cstr(out, "'\\''");
    else buf_char(out, *word);
  }
  buf_char(out, '\'');
}

static void repeat_line(const session *s, const char *plan, buf *out) {
  buf_cstr(out, "repeat: apisim sim live --plan ");
  quote(out, plan);
  if (s->o->command) {
    buf_cstr(out, " --");
    for (char **w = s->o->command; *w; w++) {
      buf_char(out, ' ');
      quote(out, *w);
    }
  }
  buf_char(out, '\n');
}

/* ---- the story ---- */

/* The log around the first fault, where what went wrong begins; the end of it where none fired. */
static void story(const char *log, buf *out) {
  size_t lines = 0, fault = 0, at = 0;
  for (const char *p = log; *p; p++) {
    if (*p != '\n') continue;
    lines++;
    bool marks = strncmp(p + 1 + strcspn(p + 1, "F\n"), "FAULT    ", 9) == 0;
    if (marks && !fault) fault = lines + 1;
  }
  size_t from = fault > STORY_BEFORE ? fault - STORY_BEFORE
                : lines > STORY_LINES ? lines - STORY_LINES
                                      : 0;
  for (const char *p = log; *p; p += strcspn(p, "\n") + 1) {
    if (at++ < from) continue;
    if (at > from + STORY_LINES) break;
    buf_printf(out, "    %.*s\n", (int)strcspn(p, "\n"), p);
  }
}

void report_outputs(const session *s, const live_plan *p, buf *out) {
  for (uint32_t i = 0; i < p->client_count; i++) {
    char path[700], text[OUTPUT_SHOWN + 1];
    if (p->clients[i].command.count == 0) continue;
    snprintf(path, sizeof path, "%s/%.*s.log", s->work, SLICE_ARG(p->clients[i].name));
    FILE *f = fopen(path, "re");
    if (!f) continue;
    bool long_one = fseek(f, -OUTPUT_SHOWN, SEEK_END) == 0;
    size_t n = fread(text, 1, OUTPUT_SHOWN, f);
    fclose(f);
    text[n] = '\0';
    const char *from = long_one && strchr(text, '\n') ? strchr(text, '\n') + 1 : text;
    if (n == 0) continue;
    buf_printf(out, "  the end of %.*s's output (%s):\n", SLICE_ARG(p->clients[i].name), path);
    for (const char *line = from; *line;) {
      size_t len = strcspn(line, "\n");
      buf_printf(out, "    %.*s\n", (int)len, line);
      line += len + (line[len] == '\n');
    }
  }
}

static void sizes(const reduction *small, bool interrupted, buf *out) {
  const node *faults = node_get(small->tree, "faults"), *steps = node_get(small->tree, "scenario");
  buf_printf(out, "  faults that it needs: %u\n", faults ? faults->count : 0);
  for (uint32_t i = 0; faults && i < faults->count; i++) {
    buf_cstr(out, "    ");
    node_write_flow(out, faults->items[i]);
    buf_char(out, '\n');
  }
  if (steps && steps->count < small->steps_before) {
    buf_printf(out, "  steps that it needs: %u of %u\n", steps->count, small->steps_before);
    for (uint32_t i = 0; i < steps->count; i++) {
      buf_cstr(out, "    ");
      node_write_flow(out, steps->items[i]);
      buf_char(out, '\n');
    }
  }
  if (small->cut_short) {
    buf_printf(out, "  %s: it may need fewer\n",
               interrupted ? "interrupted" : "the time of --shrink-for is over");
  }
}

void report_failed(session *s, const char *label, const reduction *small, const run_result *r,
                   int oracle, buf *out) {
  char plan[700], log[700];
  snprintf(plan, sizeof plan, "%s/%s.plan.yaml", s->o->out, label);
  snprintf(log, sizeof log, "%s/%s.log", s->o->out, label);
  buf text;
  buf_init(&text, SESSION_TEXT_MAX);
  node_write(&text, small->tree);
  bool ok = report_write_file(plan, buf_slice(&text)) &&
            report_write_file(log, slice_cstr(r->log));
  buf_dispose(&text);
  size_t begin = out->len;
  buf_printf(out, "FAILED %s: seed %llu: %s\n", label, (unsigned long long)s->plan.seed,
             oracle_name(oracle));
  report_failures(r, out, "  ");
  sizes(small, s->interrupted, out);
  buf_cstr(out, "  what clients did and saw, around the first fault:\n");
  story(r->log, out);
  if (oracle == ORACLE_CLIENTS_ALIVE) report_outputs(s, &s->plan, out);
  buf_printf(out, "plan: %s\nlog: %s\n", plan, log);
  repeat_line(s, plan, out);
  if (!small->steady && !s->interrupted) {
    buf_printf(out, "it did not fail again in most of %lld tries\n", (long long)s->o->tries);
  }
  fwrite(out->ptr + begin, 1, out->len - begin, stdout);
  fflush(stdout);
  if (!ok) fprintf(stderr, "apisim: can't write to %s\n", s->o->out);
}

/* ---- JUnit ---- */

/* Text of an XML document; what XML 1.0 can't carry becomes a question mark. */
static void escape(buf *out, slice text) {
  for (size_t i = 0; i < text.len; i++) {
    char c = text.ptr[i];
    if (c == '<') buf_cstr(out, "&lt;");
    else if (c == '>') buf_cstr(out, "&gt;");
    else if (c == '&') buf_cstr(out, "&amp;");
    else if (c == '"') buf_cstr(out, "&quot;");
    else if ((unsigned char)c < ' ' && c != '\n' && c != '\t') buf_char(out, '?');
    else buf_char(out, c);
  }
}

void report_case(session *s, const char *label, double seconds, const char *oracle,
                 slice first_line, slice failure) {
  if (!s->o->junit) return;
  s->case_count++;
  s->case_seconds += seconds;
  buf_cstr(&s->cases, "  <testcase classname=\"apisim.live\" name=\"");
  escape(&s->cases, slice_cstr(label));
  buf_printf(&s->cases, "\" time=\"%.3f\"", seconds);
  if (failure.len == 0) {
    buf_cstr(&s->cases, "/>\n");
    return;
  }
  s->case_failures++;
  buf_printf(&s->cases, ">\n    <failure type=\"%s\" message=\"", oracle);
  escape(&s->cases, first_line);
  buf_cstr(&s->cases, "\">");
  escape(&s->cases, failure);
  buf_cstr(&s->cases, "</failure>\n  </testcase>\n");
}

bool report_write_cases(const session *s) {
  if (!s->o->junit) return true;
  buf all;
  buf_init(&all, SESSION_TEXT_MAX);
  buf_cstr(&all, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"apisim sim live ");
  escape(&all, slice_cstr(s->o->file));
  buf_printf(&all, "\" tests=\"%u\" failures=\"%u\" errors=\"0\" time=\"%.3f\">\n", s->case_count,
             s->case_failures, s->case_seconds);
  buf_append(&all, buf_slice(&s->cases));
  buf_cstr(&all, "</testsuite>\n");
  bool ok = report_write_file(s->o->junit, buf_slice(&all));
  buf_dispose(&all);
  if (!ok) fprintf(stderr, "apisim: can't write %s\n", s->o->junit);
  return ok;
}
