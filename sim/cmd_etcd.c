/* etcd: an etcd server in memory, for starters of the real one (envtest and its kin): the binary
 * under the name `etcd`, or `apisim etcd`. It takes etcd's flags, answers /health, and forgets
 * everything when it ends. */
#include "env/env_libevent.h"
#include "env/env_tls.h"
#include "etcd/face.h"
#include "sim/commands.h"
#include "sim/etcd_flags.h"
#include "sim/etcd_listen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define URLS_MAX 8

typedef struct program {
  world *world;
  timers timers;
  store *store;
  etcd_face *face;
  world_tls tls;
} program;

static void on_tick(void *ctx) {
  program *p = ctx;
  env *e = world_env(p->world);
  while (timers_fire_one(&p->timers, e->mono_ns)) {}
  e->wake_at(e, timers_next(&p->timers));
}

static void on_stop(void *ctx) {
  etcd_face_stop(((program *)ctx)->face);
}

static bool complain(const char *text) {
  fprintf(stderr, "etcd: %s\n", text);
  return false;
}

static int64_t number(const etcd_flags *f, const char *name) {
  const char *text = etcd_flags_get(f, name);
  return text ? strtoll(text, NULL, 10) : 0;
}

/* "10m", "5s", "100ms": a number and one unit, as these flags are written. */
static int64_t duration_ns(const char *text) {
  static const struct {
    const char *unit;
    int64_t ns;
  } units[] = {{"ms", 1000000}, {"s", 1000000000}, {"m", (int64_t)60 * 1000000000},
               {"h", (int64_t)3600 * 1000000000}};
  char *end = NULL;
  double n = text ? strtod(text, &end) : 0;
  for (size_t i = 0; text && i < sizeof units / sizeof units[0]; i++) {
    if (strcmp(end, units[i].unit) == 0) return (int64_t)(n * (double)units[i].ns);
  }
  return 0;
}

static void make_face(program *p, const etcd_flags *f) {
  const char *interval = etcd_flags_given(f, "watch-progress-notify-interval")
                             ? etcd_flags_get(f, "watch-progress-notify-interval")
                             : etcd_flags_get(f, "experimental-watch-progress-notify-interval");
  etcd_face_options o = {
      .env = world_env(p->world),
      .timers = &p->timers,
      .store = p->store,
      .name = slice_cstr(etcd_flags_get(f, "name")),
      .client_urls = slice_cstr(etcd_flags_get(f, "advertise-client-urls")),
      .peer_urls = slice_cstr(etcd_flags_get(f, "initial-advertise-peer-urls")),
      .cluster_token = slice_cstr(etcd_flags_get(f, "initial-cluster-token")),
      .quota_bytes = number(f, "quota-backend-bytes"),
      .max_txn_ops = (uint32_t)number(f, "max-txn-ops"),
      .max_request_bytes = (size_t)number(f, "max-request-bytes"),
      .progress_interval_ns = duration_ns(interval),
      .require_client_cert = strcmp(etcd_flags_get(f, "client-cert-auth"), "true") == 0};
  p->face = etcd_face_create(&o);
}

static bool listen_urls(program *p, const etcd_flags *f) {
  char urls[2048], problem[512];
  const char *all = etcd_flags_get(f, "listen-client-urls");
  snprintf(urls, sizeof urls, "%s", all ? all : "");
  etcd_tls_files files = {etcd_flags_get(f, "cert-file"), etcd_flags_get(f, "key-file"),
                          etcd_flags_get(f, "trusted-ca-file")};
  if (files.cert && !etcd_listen_tls(&files, &p->tls, problem, sizeof problem)) {
    return complain(problem);
  }
  env_acceptor acceptor = etcd_face_acceptor(p->face);
  char *rest = urls;
  for (char *url; (url = strsep(&rest, ",")) != NULL;) {
    int port;
    if (!etcd_listen(p->world, url, p->tls.ctx ? &p->tls : NULL, &acceptor, &port, problem,
                     sizeof problem)) {
      return complain(problem);
    }
    fprintf(stderr, "etcd: in memory (apisim), serving clients on %s\n", url);
  }
  return true;
}

static int run(const etcd_flags *f) {
  world_options o = {.clock = WORLD_CLOCK_REAL};
  program p = {.world = world_create(&o), .store = store_memory_create(1)};
  timers_init(&p.timers);
  store_memory_window(p.store, UINT32_MAX, (size_t)4 << 30);
  world_attach(p.world, &(world_program){.tick = on_tick, .stop = on_stop, .ctx = &p});
  make_face(&p, f);
  bool ok = listen_urls(&p, f);
  if (ok) world_run(p.world);
  etcd_face_destroy(p.face);
  store_destroy(p.store);
  timers_dispose(&p.timers);
  world_destroy(p.world);
  if (p.tls.ctx) tls_destroy(&p.tls);
  return ok ? 0 : 1;
}

int cmd_etcd(int argc, char **argv) {
  etcd_flags f;
  char problem[512];
  int rc = 0;
  if (!etcd_flags_parse(argc, argv, &f, problem, sizeof problem)) {
    fprintf(stderr, "%s\nsee 'etcd --help'\n", problem);
    rc = 2;
  } else if (f.help) {
    etcd_flags_help();
  } else if (f.version) {
    printf("etcd Version: %s\nGit SHA: apisim\nGo Version: none\nGo OS/Arch: linux/amd64\n",
           ETCD_SERVER_VERSION);
  } else {
    etcd_flags_warn(&f);
    rc = run(&f);
  }
  etcd_flags_free(&f);
  return rc;
}
