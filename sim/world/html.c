/* The page's data: actors and events by number, and the lines as rows of numbers. */
#include "sim/world/html.h"

#include "sim/world/html_page.h"

#include <stdlib.h>

#define EXACT ((int64_t)1 << 53) /* a script's numbers are exact up to there */

static void put_text(FILE *f, slice text) {
  fputc('"', f);
  for (size_t i = 0; i < text.len; i++) {
    unsigned char c = (unsigned char)text.ptr[i];
    if (c == '"' || c == '\\') fprintf(f, "\\%c", c);
    else if (c < 32 || c == '<' || c > 126) fprintf(f, "\\u%04x", c);
    else fputc(c, f);
  }
  fputc('"', f);
}

static void put_number(FILE *f, int64_t n) {
  bool exact = n < EXACT && n > -EXACT;
  fprintf(f, exact ? ",%lld" : ",\"%lld\"", (long long)n);
}

/* Every actor has a number: its kind's first one and its own. */
static int actor_number(actor a) { return a.kind >= ACTOR_KINDS ? -1 : a.kind * 256 + a.index; }

typedef struct actor_table {
  int16_t at[ACTOR_KINDS * 256]; /* its place on the page, plus 1; 0: not there */
  int count;
} actor_table;

static int actor_place(const actor_table *t, actor a) {
  return a.kind >= ACTOR_KINDS ? -1 : t->at[actor_number(a)] - 1;
}

static void put_actor(FILE *f, actor_table *t, actor a) {
  char text[24];
  if (a.kind >= ACTOR_KINDS || t->at[actor_number(a)]) return;
  size_t n = actor_format(a, text, sizeof text);
  if (t->count) fputc(',', f);
  put_text(f, slice_of(text, n));
  t->at[actor_number(a)] = (int16_t)++t->count;
}

static void put_actors(FILE *f, actor_table *t, const transcript *log) {
  fputs("actors:[", f);
  for (uint64_t i = 0; i < log->count; i++) {
    put_actor(f, t, log->all[i].who);
    put_actor(f, t, log->all[i].peer);
  }
  fputs("],\n", f);
}

static void put_events(FILE *f) {
  fputs("events:[", f);
  for (uint8_t e = 0; e < EV_KINDS; e++) {
    fprintf(f, "%s[\"%s\",[", e ? "," : "", event_word(e));
    for (unsigned k = 0; k < 3 && event_number(e, k); k++) {
      fprintf(f, "%s\"%s\"", k ? "," : "", event_number(e, k));
    }
    fputs("]]", f);
  }
  fputs("],\n", f);
}

/* [turn, microseconds, actor, event, peer, n0, n1, n2, text] */
static void put_line(FILE *f, const actor_table *t, const line *l) {
  fprintf(f, "[%llu,%lld,%d,%d,%d", (unsigned long long)l->turn, (long long)(l->at_ns / 1000),
          actor_place(t, l->who), l->what, actor_place(t, l->peer));
  for (int i = 0; i < 3; i++) put_number(f, l->n[i]);
  fputc(',', f);
  put_text(f, slice_of(l->text, l->text_len));
  fputs("],\n", f);
}

static void put_verdict(FILE *f, const world *w) {
  const violation *v = &w->violation;
  const check_row *row = v->set ? &check_rows[v->check] : NULL;
  fprintf(f, "seed:\"%llu\",failed:%s,", (unsigned long long)w->draw->seed,
          v->set ? "true" : "false");
  if (!row) return;
  fprintf(f, "check:\"%s\",number:\"%s\",turn:%llu,at:%lld,rule:", row->name, row->number,
          (unsigned long long)v->turn, (long long)(v->at_ns / 1000));
  put_text(f, slice_cstr(row->text));
  fputs(",words:", f);
  put_text(f, slice_cstr(v->text));
  fputs(",\n", f);
}

static void put_draw(FILE *f, const world *w, const char *build, const char *repeat) {
  char *text = NULL;
  size_t len = 0;
  FILE *to = open_memstream(&text, &len);
  if (to) {
    draw_print(w->draw, to);
    fclose(to);
  }
  fputs("draw:", f);
  put_text(f, slice_of(text, len));
  fputs(",commit:", f);
  put_text(f, slice_cstr(build));
  fputs(",repeat:", f);
  put_text(f, slice_cstr(repeat));
  fputs(",\n", f);
  free(text);
}

bool html_write(const char *path, const world *w, const char *build, const char *repeat) {
  FILE *f = fopen(path, "w");
  if (!f) return false;
  actor_table actors = {.count = 0};
  fputs(html_head, f);
  fputs("{", f);
  put_verdict(f, w);
  put_draw(f, w, build, repeat);
  put_actors(f, &actors, &w->log);
  put_events(f);
  fputs("lines:[\n", f);
  for (uint64_t i = 0; i < w->log.count; i++) put_line(f, &actors, &w->log.all[i]);
  fputs("]}", f);
  fputs(html_tail, f);
  return fclose(f) == 0;
}
