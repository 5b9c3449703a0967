/* A running server: its world, listeners, faces and files that it writes. */
#include "sim/serve.h"

#include "base/buf.h"
#include "base/heap.h"
#include "registry/stored_etcd.h"
#include "store/encrypt.h"
#include "sim/control/control.h"
#include "sim/control/snapshot_file.h"
#include "sim/encryption_reload.h"
#include "sim/etcd_listen.h"
#include "sim/serve_options.h"
#include "sim/serve_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static void make_token(char out[48]) {
  unsigned char bytes[20];
  if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) abort();
  for (size_t i = 0; i < sizeof bytes; i++) snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* The virtual clock advances with each request: a handler in front of the server's. */
typedef struct clock_hook {
  world *world;
  http_handler handle;
  void *ctx;
} clock_hook;

static void advance_and_handle(void *ctx, http_exchange *x) {
  clock_hook *h = ctx;
  world_advance(h->world);
  h->handle(h->ctx, x);
}

static void hook_clock(serving *s) {
  clock_hook *h = heap_alloc(sizeof *h);
  *h = (clock_hook){s->world, s->server->http.handle, s->server->http.ctx};
  s->server->http.handle = advance_and_handle;
  s->server->http.ctx = h;
  s->clock_hook = h;
}

/* Several servers of one etcd, and one after its restart, must not draw the same uids. */
static uint64_t seed_of(const flags *f) {
  uint64_t seed = (uint64_t)flags_int(f, "seed");
  const char *servers = flags_str(f, "etcd-servers");
  bool shared = servers && *servers && !flags_given(f, "seed");
  if (shared && getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed) abort();
  return seed;
}

/* What is freed at the heap's end is used again at once by the next pieces of an answer. Given back
 * to the system each time, a third of a long list's CPU time goes into getting it again. */
static void keep_freed_memory(void) {
  mallopt(M_TRIM_THRESHOLD, 8 << 20);
  mallopt(M_TOP_PAD, 1 << 20);
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
}

static bool start_world(serving *s, const flags *f) {
  world_options o = {.seed = seed_of(f),
                     .verbosity = (int)flags_int(f, "v")};
  const char *clock = flags_str(f, "clock");
  if (clock && strcmp(clock, "virtual") == 0) o.clock = WORLD_CLOCK_VIRTUAL;
  else if (!clock || strcmp(clock, "real") != 0) return serving_fail("--clock is real or virtual");
  const char *kept_in = flags_str(f, "store");
  if (!kept_in || strcmp(kept_in, "memory") != 0) return serving_fail("--store is memory");
  keep_freed_memory();
  s->world = world_create(&o);
  return true;
}

/* On the ports that s names; 0: the kernel chooses. */
static bool listen_on_ports(serving *s, const flags *f, const char **problem) {
  const char *bind = flags_str(f, "bind-address");
  if (!world_listen(s->world, bind ? bind : "0.0.0.0", &s->secure_port, &s->tls, NULL, problem)) {
    return false;
  }
  if (s->http_port >= 0 &&
      !world_listen(s->world, "127.0.0.1", &s->http_port, NULL, NULL, problem)) {
    return false;
  }
  const char *host = serving_advertised(f);
  bool v6 = strchr(host, ':') != NULL;
  snprintf(s->url, sizeof s->url, "https://%s%s%s:%d", v6 ? "[" : "", host, v6 ? "]" : "",
           s->secure_port);
  return true;
}

static bool listen_all(serving *s, const flags *f) {
  const char *problem;
  s->secure_port = (int)flags_int(f, "secure-port");
  s->http_port = flags_given(f, "http-port") ? (int)flags_int(f, "http-port") : -1;
  if (s->secure_port < 0 || s->secure_port > 65535 || s->http_port > 65535) {
    return serving_fail("a port is between 0 and 65535");
  }
  return listen_on_ports(s, f, &problem) || serving_fail("%s", problem);
}

bool serving_listen_anew(serving *s, const char **problem) {
  s->secure_port = 0;
  if (s->http_port >= 0) s->http_port = 0;
  return listen_on_ports(s, s->flags, problem);
}

static void program_tick(void *ctx) {
  server_tick(((serving *)ctx)->server);
}

static void program_stop(void *ctx) {
  serving *s = ctx;
  server_stop(s->server);
  if (s->etcd) etcd_face_stop(s->etcd);
}

static void on_deaf(void *ctx) {
  world_stop_listening(ctx);
}

static void on_gone(void *ctx) {
  world_stop(ctx);
}

static void program_leave(void *ctx) {
  serving *s = ctx;
  server_leave(s->server, &(shutdown_calls){on_deaf, on_gone, s->world});
}

static bool start_server(serving *s, const flags *f) {
  server_options o = {.secure_port = s->secure_port};
  if (!serving_options_read(s, f, &o)) return false;
  const char *snapshot = flags_str(f, "snapshot-in");
  char why[SNAPSHOT_WHY_MAX];
  if (snapshot && !snapshot_map(snapshot, &o.snapshot, why)) return serving_fail("%s", why);
  slice problem = SLICE_NONE;
  s->server = server_create(world_env(s->world), &o, &problem);
  snapshot_unmap(o.snapshot);
  if (!s->server && snapshot) {
    return serving_fail("--snapshot-in %s: %.*s", snapshot, SLICE_ARG(problem));
  }
  if (!s->server && flags_str(f, "etcd-servers")) {
    return serving_fail("--etcd-servers: %.*s", SLICE_ARG(problem));
  }
  if (!s->server) return serving_fail("%.*s", SLICE_ARG(problem));
  if (s->server->snapshot_clock_ns) world_set_virtual_ns(s->world, s->server->snapshot_clock_ns);
  hook_clock(s);
  if (s->encryption && flags_bool(f, "encryption-provider-config-automatic-reload")) {
    s->reload = encryption_reload_start(s, flags_str(f, "encryption-provider-config"));
  }
  world_attach(s->world, &(world_program){.tick = program_tick,
                                          .stop = program_stop,
                                          .leave = program_leave,
                                          .acceptor = server_acceptor(s->server),
                                          .ctx = s});
  return true;
}

static bool open_control(serving *s, const flags *f) {
  const char *address = flags_str(f, "control"), *problem = NULL;
  if (!address) return true;
  s->control = control_open(s, address, &problem);
  return s->control != NULL || serving_fail("%s", problem);
}

static bool open_etcd(serving *s, const flags *f) {
  const char *address = flags_str(f, "etcd-listen");
  char problem[512];
  etcd_tls_files files = {flags_str(f, "etcd-listen-cert-file"),
                          flags_str(f, "etcd-listen-key-file"),
                          flags_str(f, "etcd-listen-client-ca-file")};
  if (!address) {
    bool stray = files.cert || files.key || files.client_ca;
    return !stray || serving_fail("--etcd-listen-... files need --etcd-listen");
  }
  if (!store_is_memory(s->server->store)) {
    return serving_fail("--etcd-listen shows the embedded store; with another --store ask "
                        "that one");
  }
  bool tls = files.cert || files.key || files.client_ca;
  if (tls && !etcd_listen_tls(&files, &s->etcd_tls, problem, sizeof problem)) {
    return serving_fail("--etcd-listen: %s", problem);
  }
  char url[160];
  snprintf(url, sizeof url, "%s://%s", tls ? "https" : "http", address);
  etcd_face_options o = {.env = world_env(s->world),
                         .timers = &s->server->timers,
                         .store = s->server->store,
                         .values = &stored_etcd_values,
                         .client_urls = slice_cstr(strstr(address, "://") ? address : url),
                         .require_client_cert = files.client_ca != NULL};
  s->etcd = etcd_face_create(&o);
  env_acceptor acceptor = etcd_face_acceptor(s->etcd);
  if (etcd_listen(s->world, address, tls ? &s->etcd_tls : NULL, &acceptor, &s->etcd_port, problem,
                  sizeof problem)) {
    return true;
  }
  return serving_fail("--etcd-listen: %s", problem);
}

bool serving_start(serving *s, flags *f, bool with_token) {
  return serving_start_with(s, f, with_token, SLICE_NONE);
}

bool serving_start_with(serving *s, flags *f, bool with_token, slice more_tokens) {
  *s = (serving){.flags = f, .http_port = -1, .more_tokens = more_tokens};
  const char *ignored = flags_ignored(f);
  if (ignored) fprintf(stderr, "apisim: warning: accepted but without effect: %s\n", ignored);
  serving_files_open(s);
  if (with_token) make_token(s->token);
  return start_world(s, f) && serving_tls_start(s, f) && listen_all(s, f) && start_server(s, f) &&
         open_control(s, f) && open_etcd(s, f);
}

void serving_announce(const serving *s) {
  fprintf(stderr, "apisim: serving on %s (Kubernetes %s, seed %lld)\n", s->url,
          FLAGS_KUBERNETES_VERSION, (long long)world_env(s->world)->seed);
  if (s->http_port >= 0) {
    fprintf(stderr, "apisim: plain HTTP on http://127.0.0.1:%d\n", s->http_port);
  }
  if (s->control) {
    const char *address = control_address(s->control);
    fprintf(stderr, "apisim: control on %s: apisim control %s status\n", address, address);
  }
  if (s->etcd) {
    fprintf(stderr, "apisim: etcd on port %d: etcdctl --endpoints 127.0.0.1:%d get / --prefix "
                    "--keys-only\n", s->etcd_port, s->etcd_port);
  }
  const char *kubeconfig = flags_str(s->flags, "kubeconfig-out");
  if (kubeconfig) fprintf(stderr, "apisim: kubectl --kubeconfig %s get ns\n", kubeconfig);
  else fprintf(stderr, "apisim: curl -k %s/version\n", s->url);
  if (flags_bool(s->flags, "print-port")) {
    printf("%d\n", s->secure_port);
    fflush(stdout);
  }
}

static void write_base64(FILE *out, const char *text) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  size_t len = strlen(text);
  for (size_t i = 0; i < len; i += 3) {
    unsigned n = (unsigned)(unsigned char)text[i] << 16;
    if (i + 1 < len) n |= (unsigned)(unsigned char)text[i + 1] << 8;
    if (i + 2 < len) n |= (unsigned char)text[i + 2];
    fputc(digits[n >> 18], out);
    fputc(digits[n >> 12 & 63], out);
    fputc(i + 1 < len ? digits[n >> 6 & 63] : '=', out);
    fputc(i + 2 < len ? digits[n & 63] : '=', out);
  }
}

bool serving_write_kubeconfig(const serving *s, const char *path) {
  char temporary[4096];
  snprintf(temporary, sizeof temporary, "%s.%d", path, (int)getpid());
  FILE *f = fopen(temporary, "we");
  if (!f) return serving_fail("can't write --kubeconfig-out %s: %s", path, strerror(errno));
  fchmod(fileno(f), 0600);
  fprintf(f,
          "apiVersion: v1\nkind: Config\ncurrent-context: apisim\n"
          "clusters:\n- name: apisim\n  cluster:\n    server: %s\n"
          "    certificate-authority-data: ",
          s->url);
  write_base64(f, s->tls.ca_pem);
  fprintf(f,
          "\nusers:\n- name: apisim\n  user:\n    token: %s\n"
          "contexts:\n- name: apisim\n  context:\n    cluster: apisim\n    user: apisim\n",
          s->token);
  bool ok = ferror(f) == 0;
  if (fclose(f) != 0 || !ok || rename(temporary, path) != 0) {
    return serving_fail("can't write --kubeconfig-out %s: %s", path, strerror(errno));
  }
  return true;
}

bool serving_save(serving *s) {
  const char *path = flags_str(s->flags, "snapshot-out");
  char why[SNAPSHOT_WHY_MAX];
  int64_t bytes;
  return !path || snapshot_save(s, path, &bytes, why) || serving_fail("%s", why);
}

void serving_stop(serving *s) {
  encryption_reload_stop(s->reload);
  serving_tls_stop(s);
  control_close(s->control);
  etcd_face_destroy(s->etcd);
  if (s->server) server_destroy(s->server);
  if (s->world) world_destroy(s->world);
  if (s->tls.ctx) tls_destroy(&s->tls);
  if (s->etcd_tls.ctx) tls_destroy(&s->etcd_tls);
  encryption_destroy(s->encryption);
  if (s->etcd_client_tls.ctx) tls_destroy(&s->etcd_client_tls);
  heap_free(s->clock_hook);
  serving_files_close(s);
  flags_free(s->flags);
}
