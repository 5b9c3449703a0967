/* The web page of a replay: one file that needs nothing else, readable in light and dark. The
 * summary comes first; each exchange opens to its request, both answers and its differences.
 * Bodies are shown once when both are alike, and cut where they are long. */
#include "sim/replay/report.h"

#include "sim/replay/html_page.h"

#define BODY_SHOWN ((size_t)12000)
#define VALUE_SHOWN ((size_t)400)

static void text_upto(FILE *f, slice s, size_t limit) {
  for (size_t i = 0; i < s.len && i < limit; i++) {
    unsigned char c = (unsigned char)s.ptr[i];
    switch (c) {
    case '<': fputs("&lt;", f); break;
    case '>': fputs("&gt;", f); break;
    case '&': fputs("&amp;", f); break;
    case '"': fputs("&quot;", f); break;
    default: fputc(c < 0x20 && c != '\n' && c != '\t' ? '.' : c, f);
    }
  }
  if (s.len > limit) {
    fprintf(f, "<i class=cut>… %zu bytes in all</i>", s.len);
  }
}

static void text(FILE *f, slice s) {
  text_upto(f, s, SIZE_MAX);
}

static void score_cell(FILE *f, uint32_t score) {
  const char *class = score == 10000 ? "ok" : score >= 9800 ? "near" : "bad";
  fprintf(f, "<td class=\"num %s\"><span class=bar><i style=\"width:%u.%02u%%\"></i></span>", class,
          score / 100, score % 100);
  if (score == 10000) {
    fputs("<b>100</b>", f);
  } else {
    fprintf(f, "<b>%u.%u</b>", score / 100, score % 100 / 10);
  }
  fputs("</td>", f);
}

/* ---- the summary ---- */

static void big_number(FILE *f, const char *name, uint32_t same, uint32_t of) {
  uint32_t score = of ? (uint32_t)((uint64_t)same * 10000 / of) : 0;
  const char *class = score == 10000 ? "ok" : score >= 9800 ? "near" : "bad";
  fprintf(f, "<div class=\"card %s\"><span>%s</span><strong>", class, name);
  if (score == 10000) {
    fputs("100", f);
  } else {
    fprintf(f, "%u.%u", score / 100, score % 100 / 10);
  }
  fprintf(f, "<small>%%</small></strong><em>%u of %u answers alike</em></div>", same, of);
}

static void summary(FILE *f, const report *r) {
  uint32_t requests = 0, scored = 0, same[DIFF_LEVELS] = {0};
  for (uint32_t i = 0; i < r->count; i++) {
    requests += r->sessions[i]->count;
    scored += r->sessions[i]->scored;
    for (int l = 0; l < DIFF_LEVELS; l++) {
      same[l] += r->sessions[i]->same[l];
    }
  }
  fputs("<header><h1>Session replay</h1><p class=lead>", f);
  fprintf(f, "%u session%s, %u requests sent to ", r->count, r->count == 1 ? "" : "s", requests);
  text(f, slice_cstr(r->server));
  fprintf(f, " · %s", r->when);
  fputs("</p><div class=cards>", f);
  big_number(f, "Status", same[DIFF_STATUS], scored);
  big_number(f, "JSON", same[DIFF_JSON], scored);
  big_number(f, "Bytes", same[DIFF_BYTES], scored);
  fprintf(f, "<div class=\"card plain\"><span>Not scored</span><strong>%u</strong>"
             "<em>ordered at random by the real server</em></div></div></header>",
          requests - scored);
}

static void first_cell(FILE *f, const session *s) {
  const outcome *x = NULL;
  const difference *d = report_first(s, &x);
  fputs("<td class=first>", f);
  if (s->problem.len > 0) {
    text_upto(f, s->problem, VALUE_SHOWN);
  } else if (d) {
    fprintf(f, "<span class=seq>#%lld</span> <code>", (long long)x->taped->seq);
    text_upto(f, d->path, 90);
    fputs("</code>", f);
  }
  fputs("</td>", f);
}

static void session_table(FILE *f, const report *r) {
  fputs("<section><table class=sessions><thead><tr><th>Session<th class=num>Requests"
        "<th class=num>Status %<th class=num>JSON %<th class=num>Bytes %<th>First difference</thead><tbody>",
        f);
  for (uint32_t i = 0; i < r->count; i++) {
    const session *s = r->sessions[i];
    fprintf(f, "<tr><td><a href=\"#s%u\">", i);
    text(f, s->tape->session);
    fputs("</a><small>", f);
    text(f, s->tape->about);
    fprintf(f, "</small></td><td class=num>%u</td>", s->count);
    for (int l = 0; l < DIFF_LEVELS; l++) {
      score_cell(f, report_score(s, (diff_level)l));
    }
    first_cell(f, s);
    fputs("</tr>\n", f);
  }
  fputs("</tbody></table></section>", f);
}

/* ---- one exchange ---- */

static void value_cell(FILE *f, slice v) {
  fputs("<td><code>", f);
  if (v.len > 0) {
    text_upto(f, v, VALUE_SHOWN);
  } else {
    fputs("<i class=cut>nothing</i>", f);
  }
  fputs("</code></td>", f);
}

static void differences(FILE *f, const report *r, const session *s, const outcome *x) {
  fputs("<table class=diffs><thead><tr><th>Level<th>Where<th>Expected<th>Actual</thead><tbody>",
        f);
  for (uint32_t i = 0; i < x->diff.count; i++) {
    const difference *d = &x->diff.items[i];
    const known_entry *k = known_find(r->known, s->tape->session, x->taped->seq, d->path);
    fprintf(f, "<tr><td><span class=\"tag %s\">%s</span></td><td><code>",
            diff_level_name(d->level), diff_level_name(d->level));
    text_upto(f, d->path, VALUE_SHOWN);
    fputs("</code>", f);
    if (k) {
      fputs("<small>listed: ", f);
      text(f, k->reason);
      fputs("</small>", f);
    }
    fputs("</td>", f);
    value_cell(f, d->expected);
    value_cell(f, d->actual);
    fputs("</tr>", f);
  }
  fputs("</tbody></table>", f);
}

static void body_block(FILE *f, const char *title, slice body) {
  fprintf(f, "<div class=body><h4>%s</h4><pre class=json>", title);
  if (body.len == 0) {
    fputs("<i class=cut>no body</i>", f);
  }
  text_upto(f, body, BODY_SHOWN);
  fputs("</pre></div>", f);
}

static const char *state_of(const outcome *x) {
  if (x->unscored) {
    return "skip";
  }
  if (!x->answered || !diff_equal(&x->diff, DIFF_JSON)) {
    return "bad";
  }
  return diff_equal(&x->diff, DIFF_BYTES) ? "ok" : "near";
}

static void request_part(FILE *f, const outcome *x) {
  fputs("<div class=body><h4>Request</h4><pre>", f);
  fprintf(f, "%.*s ", SLICE_ARG(x->taped->method));
  text(f, x->sent_target.len ? x->sent_target : x->taped->target);
  fputc('\n', f);
  for (uint32_t i = 0; i < x->taped->request_headers.count; i++) {
    text(f, x->taped->request_headers.items[i].name);
    fputs(": ", f);
    text_upto(f, x->taped->request_headers.items[i].value, 200);
    fputc('\n', f);
  }
  fputs("</pre>", f);
  if (x->sent_body.len > 0) {
    fputs("<pre class=json>", f);
    text_upto(f, x->sent_body, BODY_SHOWN);
    fputs("</pre>", f);
  }
  fputs("</div>", f);
}

static void exchange(FILE *f, const report *r, const session *s, const outcome *x) {
  const tape_exchange *t = x->taped;
  const char *state = state_of(x);
  fprintf(f, "<details class=\"ex %s\" data-state=%s><summary><i class=dot></i><span class=seq>%lld"
             "</span><b>%.*s</b><code>",
          state, state, (long long)t->seq, SLICE_ARG(t->method));
  text_upto(f, t->target, 220);
  fprintf(f, "</code><span class=st>%d</span>", t->status);
  if (x->diff.count > 0 && !x->unscored) {
    fprintf(f, "<span class=count>%u</span>", x->diff.count);
  }
  fputs("</summary><div class=in>", f);
  if (x->unscored) {
    fprintf(f, "<p class=note>Not scored: %s.</p>", x->unscored);
  }
  if (x->diff.count > 0) {
    differences(f, r, s, x);
  }
  request_part(f, x);
  if (strcmp(state, "ok") == 0) {
    body_block(f, "Answer (alike)", x->actual_text);
  } else {
    body_block(f, "Expected answer", x->expected_text);
    body_block(f, "Actual answer", x->actual_text);
  }
  fputs("</div></details>\n", f);
}

static void session_section(FILE *f, const report *r, uint32_t i) {
  const session *s = r->sessions[i];
  fprintf(f, "<section id=s%u><h2>", i);
  text(f, s->tape->session);
  fputs("</h2><p class=lead>", f);
  text(f, s->tape->about);
  fputs(" · ", f);
  text(f, s->tape->client);
  fprintf(f, " · %u requests in %lld ms · <a href=\"#\">top</a></p>", s->count,
          (long long)s->took_ms);
  for (uint32_t n = 0; n < s->count; n++) {
    exchange(f, r, s, &s->outcomes[n]);
  }
  fputs("</section>", f);
}

bool report_html(const char *path, const report *r) {
  FILE *f = fopen(path, "w");
  if (!f) {
    return false;
  }
  fputs(html_page_head, f);
  summary(f, r);
  session_table(f, r);
  fputs(html_page_filter, f);
  for (uint32_t i = 0; i < r->count; i++) {
    session_section(f, r, i);
  }
  fputs(html_page_tail, f);
  bool bad = ferror(f) != 0;
  return fclose(f) == 0 && !bad;
}
