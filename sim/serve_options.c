/* See serve_options.h. Files are read here, because the server library reads none. */
#include "sim/serve_options.h"

#include "base/buf.h"
#include "base/heap.h"
#include "server_stores.h"
#include "sim/file.h"
#include "sim/gates.h"
#include "store/encrypt.h"
#include "store/etcd/etcd_remote.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

void serving_files_open(serving *s) {
  serve_files *files = heap_zalloc(sizeof *files);
  s->files = files;
  files_each(files, file_init);
}

void serving_files_close(serving *s) {
  files_each(s->files, buf_dispose);
  heap_free(s->files);
}

bool serving_fail(const char *format, ...) {
  va_list args;
  va_start(args, format);
  fputs("apisim: ", stderr);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  return false;
}

static bool read_file(const char *flag, const char *path, buf *out) {
  const char *problem = file_append(path, out);
  if (out->overflow) return serving_fail("--%s %s is too large", flag, path);
  return !problem || serving_fail("can't read --%s %s: %s", flag, path, problem);
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

const char *serving_advertised(const flags *f) {
  const char *own = flags_str(f, "advertise-address");
  if (own) return own;
  const char *bound = flags_str(f, "bind-address");
  bool any = !bound || strcmp(bound, "0.0.0.0") == 0 || strcmp(bound, "::") == 0;
  return any ? "127.0.0.1" : bound;
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
    return !reloads || serving_fail("--encryption-provider-config-automatic-reload must be set "
                                    "with --encryption-provider-config");
  }
  buf text;
  char problem[ENCRYPTION_PROBLEM_MAX];
  buf_init(&text, FILE_MAX);
  bool ok = read_file("encryption-provider-config", path, &text);
  if (ok) s->encryption = encryption_create(buf_slice(&text), problem);
  buf_dispose(&text);
  if (!ok || s->encryption) return ok;
  return serving_fail("--encryption-provider-config %s: %s", path, problem);
}

static bool overrides_ok(slice text) {
  arena *a = arena_create();
  store_override *list;
  uint32_t count, places;
  bool ok = store_overrides_parse(a, text, &list, &count, &places);
  arena_destroy(a);
  return ok || serving_fail("%s", STORE_OVERRIDES_INVALID);
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
    return serving_fail("snapshots are of the embedded store, not of --etcd-servers");
  }
  tls_client_options tls = {.ca_file = flags_str(f, "etcd-cafile"),
                            .cert_file = flags_str(f, "etcd-certfile"),
                            .key_file = flags_str(f, "etcd-keyfile")};
  if (!tls.cert_file != !tls.key_file) {
    return serving_fail("--etcd-certfile and --etcd-keyfile go together");
  }
  char problem[512];
  bool secure = slice_find(main_servers, SLICE_LIT("https://")) >= 0 ||
                slice_find(overrides, SLICE_LIT("https://")) >= 0;
  if (secure && !tls_create_client(&tls, &s->etcd_client_tls, problem, sizeof problem)) {
    return serving_fail("--etcd-servers: %s", problem);
  }
  if (!fill_encryption(s, f)) return false;
  bool json = media && strcmp(media, "application/json") == 0;
  if (media && !json && strcmp(media, "application/vnd.kubernetes.protobuf") != 0) {
    return serving_fail("--storage-media-type \"%s\" is not supported, supported media types: "
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
  o->no_flow_control = !fair;
  bool ok = served_configure(&o->served, a, join_list(f, "runtime-config", &text),
                             slice_cstr(open_gates), fair, &problem);
  if (!ok) serving_fail("%.*s", SLICE_ARG(problem));
  buf_dispose(&text);
  arena_destroy(a);
  return ok;
}

static bool fill_gates(const flags *f, server_options *o) {
  gates g;
  char problem[512];
  if (!gates_read(f, &g, problem, sizeof problem)) return serving_fail("%s", problem);
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
    return serving_fail("--shutdown-delay-duration can not be negative value");
  }
  if (o->shutdown.watch_grace_ns < 0) {
    return serving_fail("shutdown-watch-termination-grace-period, if provided, can not be a "
                        "negative value");
  }
  return (o->goaway_chance >= 0 && o->goaway_chance <= 0.02) ||
         serving_fail("--goaway-chance can not be less than 0 or greater than 0.02");
}

/* Plugins that need a file, which is not read here. */
static bool check_plugins(const flags *f, slice enabled) {
  static const struct {
    const char *name, *problem; /* where there is no file */
  } rows[] = {{"EventRateLimit", "limits: Invalid value: null: must not be empty"},
              {"ImagePolicyWebhook", "no config specified"}};
  const char *file = flags_str(f, "admission-control-config-file");
  for (bool more = enabled.len > 0; more;) {
    slice name;
    more = slice_cut(enabled, ',', &name, &enabled);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
      if (!slice_is(slice_trim(name), rows[i].name)) continue;
      if (!file || !*file) {
        return serving_fail("failed to apply admission: couldn't init admission plugin \"%s\": %s",
                            rows[i].name, rows[i].problem);
      }
      fprintf(stderr, "apisim: warning: accepted but without effect: "
                      "--enable-admission-plugins %s\n", rows[i].name);
    }
  }
  return true;
}

/* No time at all is a time, not the default. */
static int64_t at_least_1(int64_t ns) { return ns > 0 ? ns : 1; }

bool serving_options_read(serving *s, const flags *f, server_options *o) {
  serve_files *files = s->files;
  bool ok = fill_gates(f, o) && fill_remote(s, f, o) && fill_access(s, f, files, &o->access);
  if (!ok) return false;
  o->enable_admission = join_list(f, "enable-admission-plugins", &files->enable);
  o->disable_admission = join_list(f, "disable-admission-plugins", &files->disable);
  if (!check_plugins(f, o->enable_admission)) return false;
  o->service_cidr = slice_cstr(flags_str(f, "service-cluster-ip-range"));
  fill_node_ports(f, o);
  o->http2_max_streams = (uint32_t)flags_int(f, "http2-max-streams-per-connection");
  o->event_ttl_s = flags_duration(f, "event-ttl") / 1000000000;
  int64_t reuse = flags_int(f, "lease-reuse-duration-seconds");
  o->lease_reuse_s = reuse > 0 ? reuse : -1;
  if (!fill_shutdown(f, o)) return false;
  o->health_timeout_ns = at_least_1(flags_duration(f, "etcd-healthcheck-timeout"));
  o->ready_timeout_ns = at_least_1(flags_duration(f, "etcd-readycheck-timeout"));
  o->no_watch_cache = !flags_bool(f, "watch-cache");
  o->store_history = (uint64_t)flags_int(f, "store-history-events");
  o->watch_window = o->store_history == 0; /* who asks for a short history means watches too */
  int64_t least = flags_int(f, "min-request-timeout");
  if (least < 0) return serving_fail("--min-request-timeout can not be negative value");
  if (least > MIN_REQUEST_TIMEOUT_MAX) {
    return serving_fail("--min-request-timeout is too large");
  }
  o->min_request_timeout_s = least ? least : -1;
  o->advertise_address = slice_cstr(serving_advertised(f));
  if (gethostname(files->hostname, sizeof files->hostname - 1) != 0) files->hostname[0] = '\0';
  o->hostname = slice_cstr(files->hostname);
  return true;
}
