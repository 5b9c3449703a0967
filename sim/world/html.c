/* The page: the lines as rows of data, and a small script that draws lanes and a list. */
#include "sim/world/html.h"

#include "sim/world/html_page.h"

static void put_text(FILE *f, const char *text, size_t n) {
  fputc('"', f);
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c == '"' || c == '\\') fprintf(f, "\\%c", c);
    else if (c < 32 || c == '<' || c > 126) fprintf(f, "\\u%04x", c);
    else fputc(c, f);
  }
  fputc('"', f);
}

static void put_actor(FILE *f, actor a) {
  if (a.kind >= ACTOR_KINDS) fputs("\"\"", f);
  else if (a.kind == ACTOR_WORLD || a.kind == ACTOR_STORE || a.kind == ACTOR_CHECK) {
    fprintf(f, "\"%s\"", actor_word(a.kind));
  } else {
    fprintf(f, "\"%s%u\"", actor_word(a.kind), a.index);
  }
}

/* [turn, microseconds, actor, event, peer, n0, n1, n2, text] */
static void put_line(FILE *f, const line *l) {
  fprintf(f, "[%llu,%lld,", (unsigned long long)l->turn, (long long)(l->at_ns / 1000));
  put_actor(f, l->who);
  fprintf(f, ",\"%s\",", event_word(l->what));
  put_actor(f, l->peer);
  for (int i = 0; i < 3; i++) fprintf(f, ",\"%lld\"", (long long)l->n[i]);
  fputc(',', f);
  put_text(f, l->text, l->text_len);
  fputs("],\n", f);
}

static void put_verdict(FILE *f, const world *w) {
  const violation *v = &w->violation;
  fprintf(f, "const seed=%llu,failed=%s,", (unsigned long long)w->draw->seed,
          v->set ? "true" : "false");
  const char *check = v->set ? check_rows[v->check].name : "";
  const char *rule = v->set ? check_rows[v->check].text : "";
  fprintf(f, "check=\"%s\",rule=\"%s\",words=", check, rule);
  put_text(f, v->text, strlen(v->text));
  fputs(";\n", f);
}

bool html_write(const char *path, const world *w) {
  FILE *f = fopen(path, "w");
  if (!f || !w->log.recording) return false;
  fputs(html_head, f);
  put_verdict(f, w);
  fputs("const lines=[\n", f);
  for (uint64_t i = 0; i < w->log.count; i++) put_line(f, &w->log.all[i]);
  fputs("];\n", f);
  fputs(html_script, f);
  return fclose(f) == 0;
}
