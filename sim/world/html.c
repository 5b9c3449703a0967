/* The page: the lines as data, and a small script that draws them. */
#include "sim/world/html.h"

bool html_write(const char *path, const world *w) {
  FILE *f = fopen(path, "w");
  if (!f) return false;
  char text[400];
  fprintf(f, "<!doctype html><meta charset=utf-8><title>seed %llu</title><pre>\n",
          (unsigned long long)w->draw->seed);
  for (uint64_t i = 0; i < w->log.count && w->log.recording; i++) {
    size_t n = line_format(&w->log.all[i], text, sizeof text);
    for (size_t k = 0; k < n; k++) {
      if (text[k] == '<') fputs("&lt;", f);
      else if (text[k] == '&') fputs("&amp;", f);
      else fputc(text[k], f);
    }
    fputc('\n', f);
  }
  return fclose(f) == 0;
}
