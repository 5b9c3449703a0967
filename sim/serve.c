/* From flags to a running server: files are read here, because the server library reads none. */
#include "sim/serve.h"
#include "sim/gates.h"

#include "base/buf.h"
#include "base/heap.h"
#include "registry/stored_etcd.h"
#include "server_stores.h"
#include "store/encrypt.h"
#include "store/etcd/etcd_remote.h"
#include "sim/control/control.h"
#include "sim/control/snapshot_file.h"
#include "sim/encryption_reload.h"
#include "sim/etcd_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdarg.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX ((size_t)16 << 20)
#define LIST_MAX 64
#define MIN_REQUEST_TIMEOUT_MAX 15768000 /* half a year */

/* Everything that server_options borrow; lives as long as the server. */
typedef struct serve_files {
  buf tokens, client_ca, sa_keys, sa_signing, modes, enable, disable, audiences_text, etcd,
      overrides;
  slice issuers[LIST_MAX], audiences[LIST_MAX];
  char hostname[256];
} serve_files;

static void files_each(serve_files *f, void (*fn)(buf *b)) {
  buf *all[] = {&f->tokens, &f->client_ca, &f->sa_keys, &f->sa_signing, &f->modes,
                &f->enable, &f->disable,   &f->audiences_text, &f->etcd, &f->overrides};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) fn(all[i]);
}

static void file_init(buf *b) { buf_init(b, FILE_MAX); }

static bool complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
static bool complain(const char *format, ...) {
  va_list args;
  va_start(args, format);
  fputs("apisim: ", stderr);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  return false;
}

static bool read_file(const char *flag, const char *path, buf *out) {
  FILE *f = fopen(path, "re");
  if (!f) return complain("can't read --%s %s: %s", flag, path, strerror(errno));
  char part[16384];
  size_t n;
  while ((n = fread(part, 1, sizeof part, f)) > 0) buf_append(out, slice_of(part, n));
  bool failed = ferror(f) != 0;
  int error = errno;
  fclose(f);
  if (failed) return complain("can't read --%s %s: %s", flag, path, strerror(error));
  if (out->overflow) return complain("--%s %s is too large", flag, path);
  return true;
}

static bool read_files_of(const flags *f, const char *flag, buf *out) {
  for (size_t i = 0; flags_nth(f, flag, i); i++) {
    if (!read_file(flag, flags_nth(f, flag, i), out)) return false;
    buf_char(out, '\n');
  }
  return true;
}

/* Repeats of a comma-separated flag as one. */
static slice join_list(const flags *f, const char *flag, buf *out) {
  for (size_t i = 0; flags_nth(f, flag, i); i++) {
    if (i) buf_char(out, ',');
    buf_cstr(out, flags_nth(f, flag, i));
  }
  return buf_slice(out);
}

static uint32_t split_list(slice joined, slice *out) {
  uint32_t n = 0;
  slice part, rest = joined;
  for (bool more = joined.len > 0; more && n < LIST_MAX;) {
    more = slice_cut(rest, ',', &part, &rest);
    if (part.len) out[n++] = part;
  }
  return n;
}

static void make_token(char out[48]) {
  unsigned char bytes[20];
  if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) abort();
  for (size_t i = 0; i < sizeof bytes; i++) snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static bool fill_access(serving *s, const flags *f, serve_files *files, access_options *o) {
  bool ok = read_files_of(f, "token-auth-file", &files->tokens) &&
            read_files_of(f, "client-ca-file", &files->client_ca) &&
            read_files_of(f, "service-account-key-file", &files->sa_keys) &&
            read_files_of(f, "service-account-signing-key-file", &files->sa_signing);
  if (!ok) return false;
  if (s->token[0]) {
    buf_printf(&files->tokens, "\n%s,apisim:admin,apisim:admin,system:masters\n", s->token);
  }
  buf_append(&files->tokens, s->more_tokens);
  o->token_file = buf_slice(&files->tokens);
  o->client_ca_pem = buf_slice(&files->client_ca);
  o->sa_public_keys_pem = buf_slice(&files->sa_keys);
  o->sa_signing_key_pem = buf_slice(&files->sa_signing);
  o->authorization_modes = join_list(f, "authorization-mode", &files->modes);
  for (size_t i = 0; flags_nth(f, "service-account-issuer", i) && i < LIST_MAX; i++) {
    files->issuers[o->issuer_count++] = slice_cstr(flags_nth(f, "service-account-issuer", i));
  }
  o->issuers = files->issuers;
  o->audience_count =
      split_list(join_list(f, "api-audiences", &files->audiences_text), files->audiences);
  o->api_audiences = files->audiences;
  o->anonymous = flags_bool(f, "anonymous-auth");
  o->sa_max_expiration_s = flags_duration(f, "service-account-max-token-expiration") / 1000000000;
  return true;
}

static void fill_node_ports(const flags *f, server_options *o) {
  int first = 0, last = 0;
  const char *text = flags_str(f, "service-node-port-range");
  if (text && sscanf(text, "%d-%d", &first, &last) == 2) {
    o->node_port_first = first;
    o->node_port_last = last;
  } else if (text && sscanf(text, "%d+%d", &first, &last) == 2) {
    o->node_port_first = first;
    o->node_port_last = first + last;
  }
}

static const char *advertised(const flags *f) {
  const char *own = flags_str(f, "advertise-address");
  if (own) return own;
  const char *bound = flags_str(f, "bind-address");
  bool any = !bound || strcmp(bound, "0.0.0.0") == 0 || strcmp(bound, "::") == 0;
  return any ? "127.0.0.1" : bound;
}

/* The first address of the service range: the kubernetes Service's, so in the certificate. */
static void first_service_ip(const flags *f, char out[INET_ADDRSTRLEN]) {
  const char *cidr = flags_str(f, "service-cluster-ip-range");
  char text[64];
  snprintf(text, sizeof text, "%s", cidr ? cidr : "10.0.0.0/24");
  char *slash = strchr(text, '/');
  if (slash) *slash = '\0';
  struct in_addr a;
  snprintf(out, INET_ADDRSTRLEN, "10.0.0.1");
  if (inet_pton(AF_INET, text, &a) != 1) return;
  a.s_addr = htonl(ntohl(a.s_addr) + 1);
  inet_ntop(AF_INET, &a, out, INET_ADDRSTRLEN);
}

static bool start_tls(serving *s, const flags *f) {
  char service_ip[INET_ADDRSTRLEN], problem[512];
  first_service_ip(f, service_ip);
  const char *advertise = advertised(f);
  bool local = strcmp(advertise, "127.0.0.1") == 0;
  const char *names[] = {"kubernetes.default.svc", "kubernetes.default", "kubernetes",
                         "kubernetes.default.svc.cluster.local", "localhost",
                         "127.0.0.1", service_ip, advertise};
  tls_options o = {.cert_file = flags_str(f, "tls-cert-file"),
                   .key_file = flags_str(f, "tls-private-key-file"),
                   .cert_dir = flags_given(f, "cert-dir") ? flags_str(f, "cert-dir") : NULL,
                   .client_ca_file = flags_str(f, "client-ca-file"),
                   .http2 = !flags_bool(f, "disable-http2-serving"),
                   .names = names,
                   .name_count = sizeof names / sizeof names[0] - (local ? 1 : 0),
                   .common_name = advertise};
  if (!o.cert_file != !o.key_file) {
    return complain("--tls-cert-file and --tls-private-key-file go together");
  }
  return tls_create(&o, &s->tls, problem, sizeof problem) || complain("%s", problem);
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
  else if (!clock || strcmp(clock, "real") != 0) return complain("--clock is real or virtual");
  const char *kept_in = flags_str(f, "store");
  if (!kept_in || strcmp(kept_in, "memory") != 0) return complain("--store is memory");
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
  const char *host = advertised(f);
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
    return complain("a port is between 0 and 65535");
  }
  return listen_on_ports(s, f, &problem) || complain("%s", problem);
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

/* ---- objects in etcd ---- */

static remote *make_etcd(void *ctx, slice servers, env *e, timers *t, slice *problem) {
  serving *s = ctx;
  serve_files *files = s->files;
  etcd_remote_options o = {.env = e, .timers = t,
                           .servers = servers.ptr ? servers : buf_slice(&files->etcd),
                           .tls = s->etcd_client_tls.ctx ? &s->etcd_client_tls : NULL};
  return etcd_remote_create(&o, problem);
}

static bool fill_encryption(serving *s, const flags *f) {
  const char *path = flags_str(f, "encryption-provider-config");
  bool reloads = flags_bool(f, "encryption-provider-config-automatic-reload");
  if (!path || !*path) {
    return !reloads || complain("--encryption-provider-config-automatic-reload must be set with "
                                "--encryption-provider-config");
  }
  buf text;
  char problem[ENCRYPTION_PROBLEM_MAX];
  buf_init(&text, FILE_MAX);
  bool ok = read_file("encryption-provider-config", path, &text);
  if (ok) s->encryption = encryption_create(buf_slice(&text), problem);
  buf_dispose(&text);
  return ok && (s->encryption || complain("--encryption-provider-config %s: %s", path, problem));
}

static bool overrides_ok(slice text) {
  arena *a = arena_create();
  store_override *list;
  uint32_t count, places;
  bool ok = store_overrides_parse(a, text, &list, &count, &places);
  arena_destroy(a);
  return ok || complain("%s", STORE_OVERRIDES_INVALID);
}

static bool fill_remote(serving *s, const flags *f, server_options *o) {
  const char *servers = flags_str(f, "etcd-servers"), *media = flags_str(f, "storage-media-type");
  if (!servers || !*servers) {
    const char *path = flags_str(f, "encryption-provider-config");
    if (path && *path) {
      fprintf(stderr, "apisim: warning: accepted but without effect: "
                      "--encryption-provider-config, for there are no --etcd-servers\n");
    }
    return true;
  }
  serve_files *files = s->files;
  slice main_servers = join_list(f, "etcd-servers", &files->etcd);
  slice overrides = join_list(f, "etcd-servers-overrides", &files->overrides);
  if (!overrides_ok(overrides)) return false;
  if (flags_str(f, "snapshot-in") || flags_str(f, "snapshot-out")) {
    return complain("snapshots are of the embedded store, not of --etcd-servers");
  }
  tls_client_options tls = {.ca_file = flags_str(f, "etcd-cafile"),
                            .cert_file = flags_str(f, "etcd-certfile"),
                            .key_file = flags_str(f, "etcd-keyfile")};
  if (!tls.cert_file != !tls.key_file) {
    return complain("--etcd-certfile and --etcd-keyfile go together");
  }
  char problem[512];
  bool secure = slice_find(main_servers, SLICE_LIT("https://")) >= 0 ||
                slice_find(overrides, SLICE_LIT("https://")) >= 0;
  if (secure && !tls_create_client(&tls, &s->etcd_client_tls, problem, sizeof problem)) {
    return complain("--etcd-servers: %s", problem);
  }
  if (!fill_encryption(s, f)) return false;
  bool json = media && strcmp(media, "application/json") == 0;
  if (media && !json && strcmp(media, "application/vnd.kubernetes.protobuf") != 0) {
    return complain("--storage-media-type \"%s\" is not supported, supported media types: "
                    "application/json, application/vnd.kubernetes.protobuf", media);
  }
  o->remote = (server_remote){.make = make_etcd, .ctx = s, .overrides = overrides,
                              .prefix = slice_cstr(flags_str(f, "etcd-prefix")), .json = json,
                              .encryption = s->encryption,
                              .compact_every_ns = flags_duration(f, "etcd-compaction-interval")};
  return true;
}

/* Which versions and resources are there. */
static bool fill_served(const flags *f, const char *open_gates, server_options *o) {
  arena *a = arena_create();
  buf text;
  slice problem;
  buf_init(&text, FILE_MAX);
  bool fair = flags_bool(f, "enable-priority-and-fairness");
  bool ok = served_configure(&o->served, a, join_list(f, "runtime-config", &text),
                             slice_cstr(open_gates), fair, &problem);
  if (!ok) complain("%.*s", SLICE_ARG(problem));
  buf_dispose(&text);
  arena_destroy(a);
  return ok;
}

static bool fill_gates(const flags *f, server_options *o) {
  gates g;
  char problem[512];
  if (!gates_read(f, &g, problem, sizeof problem)) return complain("%s", problem);
  if (*g.without_effect) {
    fprintf(stderr, "apisim: warning: accepted but without effect: --feature-gates %s\n",
            g.without_effect);
  }
  o->cbor = g.cbor;
  o->features = g.features;
  return fill_served(f, g.opens, o);
}

static bool fill_shutdown(const flags *f, server_options *o) {
  o->shutdown = (shutdown_options){
      .delay_ns = flags_duration(f, "shutdown-delay-duration"),
      .watch_grace_ns = flags_duration(f, "shutdown-watch-termination-grace-period"),
      .watch_time_ns = flags_duration(f, "shutdown-watch-time"),
      .retry_after = flags_bool(f, "shutdown-send-retry-after")};
  const char *chance = flags_str(f, "goaway-chance");
  o->goaway_chance = chance ? strtod(chance, NULL) : 0;
  if (o->shutdown.delay_ns < 0) {
    return complain("--shutdown-delay-duration can not be negative value");
  }
  if (o->shutdown.watch_grace_ns < 0) {
    return complain("shutdown-watch-termination-grace-period, if provided, can not be a negative "
                    "value");
  }
  return (o->goaway_chance >= 0 && o->goaway_chance <= 0.02) ||
         complain("--goaway-chance can not be less than 0 or greater than 0.02");
}

/* No time at all is a time, not the default. */
static int64_t at_least_1(int64_t ns) { return ns > 0 ? ns : 1; }

static bool start_server(serving *s, const flags *f, serve_files *files) {
  server_options o = {.secure_port = s->secure_port};
  bool ok = fill_gates(f, &o) && fill_remote(s, f, &o) && fill_access(s, f, files, &o.access);
  if (!ok) return false;
  o.enable_admission = join_list(f, "enable-admission-plugins", &files->enable);
  o.disable_admission = join_list(f, "disable-admission-plugins", &files->disable);
  o.service_cidr = slice_cstr(flags_str(f, "service-cluster-ip-range"));
  fill_node_ports(f, &o);
  o.http2_max_streams = (uint32_t)flags_int(f, "http2-max-streams-per-connection");
  o.event_ttl_s = flags_duration(f, "event-ttl") / 1000000000;
  int64_t reuse = flags_int(f, "lease-reuse-duration-seconds");
  o.lease_reuse_s = reuse > 0 ? reuse : -1;
  if (!fill_shutdown(f, &o)) return false;
  o.health_timeout_ns = at_least_1(flags_duration(f, "etcd-healthcheck-timeout"));
  o.ready_timeout_ns = at_least_1(flags_duration(f, "etcd-readycheck-timeout"));
  o.no_watch_cache = !flags_bool(f, "watch-cache");
  o.store_history = (uint64_t)flags_int(f, "store-history-events");
  o.watch_window = o.store_history == 0; /* who asks for a short history means watches too */
  int64_t least = flags_int(f, "min-request-timeout");
  if (least < 0) return complain("--min-request-timeout can not be negative value");
  if (least > MIN_REQUEST_TIMEOUT_MAX) return complain("--min-request-timeout is too large");
  o.min_request_timeout_s = least ? least : -1;
  o.advertise_address = slice_cstr(advertised(f));
  if (gethostname(files->hostname, sizeof files->hostname - 1) != 0) files->hostname[0] = '\0';
  o.hostname = slice_cstr(files->hostname);
  const char *snapshot = flags_str(f, "snapshot-in");
  char why[SNAPSHOT_WHY_MAX];
  if (snapshot && !snapshot_map(snapshot, &o.snapshot, why)) return complain("%s", why);
  slice problem = SLICE_NONE;
  s->server = server_create(world_env(s->world), &o, &problem);
  snapshot_unmap(o.snapshot);
  if (!s->server && snapshot) {
    return complain("--snapshot-in %s: %.*s", snapshot, SLICE_ARG(problem));
  }
  if (!s->server && flags_str(f, "etcd-servers")) {
    return complain("--etcd-servers: %.*s", SLICE_ARG(problem));
  }
  if (!s->server) return complain("%.*s", SLICE_ARG(problem));
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
  return s->control != NULL || complain("%s", problem);
}

static bool open_etcd(serving *s, const flags *f) {
  const char *address = flags_str(f, "etcd-listen");
  char problem[512];
  etcd_tls_files files = {flags_str(f, "etcd-listen-cert-file"),
                          flags_str(f, "etcd-listen-key-file"),
                          flags_str(f, "etcd-listen-client-ca-file")};
  if (!address) {
    bool stray = files.cert || files.key || files.client_ca;
    return !stray || complain("--etcd-listen-... files need --etcd-listen");
  }
  if (!store_is_memory(s->server->store)) {
    return complain("--etcd-listen shows the embedded store; with another --store ask that one");
  }
  bool tls = files.cert || files.key || files.client_ca;
  if (tls && !etcd_listen_tls(&files, &s->etcd_tls, problem, sizeof problem)) {
    return complain("--etcd-listen: %s", problem);
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
  return complain("--etcd-listen: %s", problem);
}

bool serving_start(serving *s, flags *f, bool with_token) {
  return serving_start_with(s, f, with_token, SLICE_NONE);
}

bool serving_start_with(serving *s, flags *f, bool with_token, slice more_tokens) {
  *s = (serving){.flags = f, .http_port = -1, .more_tokens = more_tokens};
  const char *ignored = flags_ignored(f);
  if (ignored) fprintf(stderr, "apisim: warning: accepted but without effect: %s\n", ignored);
  serve_files *files = heap_zalloc(sizeof *files);
  s->files = files;
  files_each(files, file_init);
  if (with_token) make_token(s->token);
  return start_world(s, f) && start_tls(s, f) && listen_all(s, f) && start_server(s, f, files) &&
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
  if (!f) return complain("can't write --kubeconfig-out %s: %s", path, strerror(errno));
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
    return complain("can't write --kubeconfig-out %s: %s", path, strerror(errno));
  }
  return true;
}

bool serving_save(serving *s) {
  const char *path = flags_str(s->flags, "snapshot-out");
  char why[SNAPSHOT_WHY_MAX];
  int64_t bytes;
  return !path || snapshot_save(s, path, &bytes, why) || complain("%s", why);
}

void serving_stop(serving *s) {
  encryption_reload_stop(s->reload);
  control_close(s->control);
  etcd_face_destroy(s->etcd);
  if (s->server) server_destroy(s->server);
  if (s->world) world_destroy(s->world);
  if (s->tls.ctx) tls_destroy(&s->tls);
  if (s->etcd_tls.ctx) tls_destroy(&s->etcd_tls);
  encryption_destroy(s->encryption);
  if (s->etcd_client_tls.ctx) tls_destroy(&s->etcd_client_tls);
  heap_free(s->clock_hook);
  serve_files *files = s->files;
  files_each(files, buf_dispose);
  heap_free(files);
  flags_free(s->flags);
}
