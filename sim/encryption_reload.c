/* The text is compared, not a time: an editor may put an older file in place. */
#include "sim/encryption_reload.h"

#include "base/heap.h"
#include "server_stores.h"
#include "sim/file.h"
#include "store/encrypt.h"

#include <stdio.h>

#define LOOK_NS ((int64_t)1000000000)
#define TEXT_MAX ((size_t)1 << 20)

struct encryption_reload {
  serving *serving;
  const char *path;
  timer timer;
  buf text; /* as it was looked at last */
};

static void take_over(encryption_reload *r) {
  char problem[ENCRYPTION_PROBLEM_MAX];
  if (encryption_replace(r->serving->encryption, buf_slice(&r->text), problem)) {
    server_encryption_changed(r->serving->server, r->serving->encryption);
    fprintf(stderr, "apisim: --encryption-provider-config %s: read again\n", r->path);
  } else {
    fprintf(stderr, "apisim: --encryption-provider-config %s: not taken over: %s\n", r->path,
            problem);
  }
}

static void on_look(void *ctx, int64_t now_ns) {
  encryption_reload *r = ctx;
  buf now;
  buf_init(&now, TEXT_MAX);
  bool changed = !file_append(r->path, &now) && !slice_eq(buf_slice(&now), buf_slice(&r->text));
  if (changed) {
    buf_dispose(&r->text);
    r->text = now;
    take_over(r);
  } else {
    buf_dispose(&now);
  }
  timer_set(world_timers(r->serving->world), &r->timer, now_ns + LOOK_NS, on_look, r);
}

encryption_reload *encryption_reload_start(serving *s, const char *path) {
  encryption_reload *r = heap_zalloc(sizeof *r);
  r->serving = s;
  r->path = path;
  buf_init(&r->text, TEXT_MAX);
  file_append(path, &r->text);
  timer_set(world_timers(s->world), &r->timer, world_env(s->world)->mono_ns + LOOK_NS, on_look, r);
  return r;
}

void encryption_reload_stop(encryption_reload *r) {
  if (!r) return;
  timer_clear(world_timers(r->serving->world), &r->timer);
  buf_dispose(&r->text);
  heap_free(r);
}
