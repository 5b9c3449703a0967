/* How the connections of a server that leaves end (http.h). */
#include "http/conn.h"
#include "http/http2.h"

void http_leave(http_server *s) {
  s->leaving = true;
  for (http_conn *c = s->conns, *next; c; c = next) {
    next = c->next;
    if (!c->counted && !c->running) http_conn_end(c, true);
  }
  http2_leave(s);
}
