/* The rows, and the first violation. */
#include "sim/check/check.h"

#include "sim/world/world.h"

#include <stdarg.h>

#define CHECK_ROW(name, number, text) {#name, number, text},
const check_row check_rows[CHECKS] = {CHECK_LIST(CHECK_ROW)};

bool check_fail(struct world *w, check_id id, const char *format, ...) {
  if (w->violation.set) return false;
  violation *v = &w->violation;
  v->set = true;
  v->check = (uint8_t)id;
  v->turn = w->turn;
  v->at_ns = w->now_ns;
  va_list args;
  va_start(args, format);
  vsnprintf(v->text, sizeof v->text, format, args);
  va_end(args);
  world_line(w, (actor){ACTOR_CHECK, 0}, EV_VIOLATION, NOBODY, id, 0, 0,
             slice_cstr(check_rows[id].name));
  w->stop = true;
  return false;
}
