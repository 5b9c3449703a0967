/* The web page of a replay. */
#include "sim/replay/report.h"

bool report_html(const char *path, const report *r) {
  FILE *f = fopen(path, "w");
  if (!f) {
    return false;
  }
  fprintf(f, "<!doctype html><meta charset=utf-8><title>apisim replay</title><pre>\n");
  report_table(f, r, false);
  fputs("</pre>\n", f);
  return fclose(f) == 0;
}
