/* The flags of etcd 3.6: names, which are bools, defaults: facts of the real binary. HONOURED:
 * acted upon. SILENT: asks for what an etcd in memory does anyway, or can't do without loss (files,
 * elections). Others draw one warning. */
#include "sim/etcd_flags.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// clang-format off
static const etcd_flag rows[] = {
    {"name", false, ETCD_HONOURED, "default", "name of the one member"},
    {"data-dir", false, ETCD_SILENT, "", ""},
    {"wal-dir", false, ETCD_SILENT, "", ""},
    {"snapshot-count", false, ETCD_SILENT, "10000", ""},
    {"heartbeat-interval", false, ETCD_SILENT, "100", ""},
    {"election-timeout", false, ETCD_SILENT, "1000", ""},
    {"initial-election-tick-advance", true, ETCD_SILENT, "true", ""},
    {"listen-peer-urls", false, ETCD_SILENT, "http://localhost:2380", ""},
    {"listen-client-urls", false, ETCD_HONOURED, "http://localhost:2379",
     "URLs to serve clients on"},
    {"listen-client-http-urls", false, ETCD_IGNORED, "", ""},
    {"max-snapshots", false, ETCD_SILENT, "5", ""},
    {"max-wals", false, ETCD_SILENT, "5", ""},
    {"memory-mlock", true, ETCD_IGNORED, "", ""},
    {"quota-backend-bytes", false, ETCD_HONOURED, "0", "told by Status; nothing is held to it"},
    {"backend-bbolt-freelist-type", false, ETCD_IGNORED, "map", ""},
    {"backend-batch-interval", false, ETCD_IGNORED, "", ""},
    {"backend-batch-limit", false, ETCD_IGNORED, "0", ""},
    {"max-txn-ops", false, ETCD_HONOURED, "128", "operations in one branch of a txn"},
    {"max-request-bytes", false, ETCD_HONOURED, "1572864", "size of one request"},
    {"max-concurrent-streams", false, ETCD_IGNORED, "", ""},
    {"grpc-keepalive-min-time", false, ETCD_IGNORED, "5s", ""},
    {"grpc-keepalive-interval", false, ETCD_IGNORED, "2h", ""},
    {"grpc-keepalive-timeout", false, ETCD_IGNORED, "20s", ""},
    {"socket-reuse-port", true, ETCD_IGNORED, "false", ""},
    {"socket-reuse-address", true, ETCD_IGNORED, "false", ""},
    {"enable-grpc-gateway", true, ETCD_IGNORED, "", ""},
    {"raft-read-timeout", false, ETCD_IGNORED, "5s", ""},
    {"raft-write-timeout", false, ETCD_IGNORED, "5s", ""},
    {"feature-gates", false, ETCD_IGNORED, "", ""},
    {"initial-advertise-peer-urls", false, ETCD_HONOURED, "http://localhost:2380",
     "told, and hashed to the member id"},
    {"initial-cluster", false, ETCD_SILENT, "default=http://localhost:2380", ""},
    {"initial-cluster-state", false, ETCD_SILENT, "new", ""},
    {"initial-cluster-token", false, ETCD_HONOURED, "etcd-cluster", "hashed to the ids"},
    {"advertise-client-urls", false, ETCD_HONOURED, "http://localhost:2379",
     "URLs that MemberList tells"},
    {"discovery", false, ETCD_IGNORED, "", ""},
    {"discovery-token", false, ETCD_IGNORED, "", ""},
    {"discovery-endpoints", false, ETCD_IGNORED, "", ""},
    {"discovery-dial-timeout", false, ETCD_IGNORED, "2s", ""},
    {"discovery-request-timeout", false, ETCD_IGNORED, "5s", ""},
    {"discovery-keepalive-time", false, ETCD_IGNORED, "2s", ""},
    {"discovery-keepalive-timeout", false, ETCD_IGNORED, "6s", ""},
    {"discovery-insecure-transport", true, ETCD_IGNORED, "true", ""},
    {"discovery-insecure-skip-tls-verify", true, ETCD_IGNORED, "false", ""},
    {"discovery-cert", false, ETCD_IGNORED, "", ""},
    {"discovery-key", false, ETCD_IGNORED, "", ""},
    {"discovery-cacert", false, ETCD_IGNORED, "", ""},
    {"discovery-user", false, ETCD_IGNORED, "", ""},
    {"discovery-password", false, ETCD_IGNORED, "", ""},
    {"discovery-fallback", false, ETCD_IGNORED, "exit", ""},
    {"discovery-proxy", false, ETCD_IGNORED, "", ""},
    {"discovery-srv", false, ETCD_IGNORED, "", ""},
    {"discovery-srv-name", false, ETCD_IGNORED, "", ""},
    {"strict-reconfig-check", true, ETCD_SILENT, "true", ""},
    {"pre-vote", true, ETCD_SILENT, "true", ""},
    {"auto-compaction-retention", false, ETCD_IGNORED, "0", ""},
    {"auto-compaction-mode", false, ETCD_IGNORED, "periodic", ""},
    {"v2-deprecation", false, ETCD_IGNORED, "write-only", ""},
    {"cert-file", false, ETCD_HONOURED, "", "serving certificate, PEM"},
    {"key-file", false, ETCD_HONOURED, "", "and its key"},
    {"client-cert-auth", true, ETCD_HONOURED, "false", "clients must show a certificate"},
    {"client-cert-file", false, ETCD_IGNORED, "", ""},
    {"client-key-file", false, ETCD_IGNORED, "", ""},
    {"client-crl-file", false, ETCD_IGNORED, "", ""},
    {"client-cert-allowed-hostname", false, ETCD_IGNORED, "", ""},
    {"trusted-ca-file", false, ETCD_HONOURED, "", "authorities of client certificates"},
    {"auto-tls", true, ETCD_IGNORED, "false", ""},
    {"peer-cert-file", false, ETCD_IGNORED, "", ""},
    {"peer-key-file", false, ETCD_IGNORED, "", ""},
    {"peer-client-cert-auth", true, ETCD_IGNORED, "false", ""},
    {"peer-client-cert-file", false, ETCD_IGNORED, "", ""},
    {"peer-client-key-file", false, ETCD_IGNORED, "", ""},
    {"peer-trusted-ca-file", false, ETCD_IGNORED, "", ""},
    {"peer-cert-allowed-cn", false, ETCD_IGNORED, "", ""},
    {"peer-cert-allowed-hostname", false, ETCD_IGNORED, "", ""},
    {"peer-auto-tls", true, ETCD_IGNORED, "false", ""},
    {"self-signed-cert-validity", false, ETCD_IGNORED, "1", ""},
    {"peer-crl-file", false, ETCD_IGNORED, "", ""},
    {"cipher-suites", false, ETCD_IGNORED, "", ""},
    {"cors", false, ETCD_IGNORED, "*", ""},
    {"host-whitelist", false, ETCD_IGNORED, "*", ""},
    {"tls-min-version", false, ETCD_IGNORED, "TLS1.2", ""},
    {"tls-max-version", false, ETCD_IGNORED, "", ""},
    {"auth-token", false, ETCD_IGNORED, "simple", ""},
    {"bcrypt-cost", false, ETCD_IGNORED, "10", ""},
    {"auth-token-ttl", false, ETCD_IGNORED, "300", ""},
    {"enable-pprof", true, ETCD_IGNORED, "false", ""},
    {"metrics", false, ETCD_IGNORED, "basic", ""},
    {"listen-metrics-urls", false, ETCD_IGNORED, "", ""},
    {"logger", false, ETCD_SILENT, "zap", ""},
    {"log-outputs", false, ETCD_SILENT, "default", ""},
    {"log-level", false, ETCD_SILENT, "info", ""},
    {"log-format", false, ETCD_SILENT, "json", ""},
    {"enable-log-rotation", true, ETCD_IGNORED, "false", ""},
    {"log-rotation-config-json", false, ETCD_IGNORED, "", ""},
    {"warning-unary-request-duration", false, ETCD_IGNORED, "300ms", ""},
    {"experimental-enable-distributed-tracing", true, ETCD_IGNORED, "false", ""},
    {"enable-distributed-tracing", true, ETCD_IGNORED, "false", ""},
    {"experimental-distributed-tracing-address", false, ETCD_IGNORED, "localhost:4317", ""},
    {"distributed-tracing-address", false, ETCD_IGNORED, "localhost:4317", ""},
    {"experimental-distributed-tracing-service-name", false, ETCD_IGNORED, "etcd", ""},
    {"distributed-tracing-service-name", false, ETCD_IGNORED, "etcd", ""},
    {"experimental-distributed-tracing-instance-id", false, ETCD_IGNORED, "", ""},
    {"distributed-tracing-instance-id", false, ETCD_IGNORED, "", ""},
    {"experimental-distributed-tracing-sampling-rate", false, ETCD_IGNORED, "0", ""},
    {"distributed-tracing-sampling-rate", false, ETCD_IGNORED, "0", ""},
    {"experimental-initial-corrupt-check", true, ETCD_IGNORED, "false", ""},
    {"experimental-corrupt-check-time", false, ETCD_IGNORED, "0s", ""},
    {"corrupt-check-time", false, ETCD_IGNORED, "0s", ""},
    {"experimental-compact-hash-check-enabled", true, ETCD_IGNORED, "false", ""},
    {"experimental-compact-hash-check-time", false, ETCD_IGNORED, "1m", ""},
    {"compact-hash-check-time", false, ETCD_IGNORED, "1m", ""},
    {"experimental-enable-lease-checkpoint", true, ETCD_IGNORED, "false", ""},
    {"experimental-compaction-batch-limit", false, ETCD_IGNORED, "1000", ""},
    {"compaction-batch-limit", false, ETCD_IGNORED, "1000", ""},
    {"experimental-peer-skip-client-san-verification", true, ETCD_IGNORED, "false", ""},
    {"peer-skip-client-san-verification", true, ETCD_IGNORED, "false", ""},
    {"experimental-watch-progress-notify-interval", false, ETCD_HONOURED, "10m", "the same"},
    {"watch-progress-notify-interval", false, ETCD_HONOURED, "10m",
     "of watches with progress_notify"},
    {"experimental-warning-apply-duration", false, ETCD_IGNORED, "100ms", ""},
    {"warning-apply-duration", false, ETCD_IGNORED, "100ms", ""},
    {"experimental-txn-mode-write-with-shared-buffer", true, ETCD_IGNORED, "true", ""},
    {"experimental-bootstrap-defrag-threshold-megabytes", false, ETCD_IGNORED, "", ""},
    {"bootstrap-defrag-threshold-megabytes", false, ETCD_IGNORED, "", ""},
    {"experimental-warning-unary-request-duration", false, ETCD_IGNORED, "300ms", ""},
    {"max-learners", false, ETCD_IGNORED, "1", ""},
    {"experimental-compaction-sleep-interval", false, ETCD_IGNORED, "", ""},
    {"compaction-sleep-interval", false, ETCD_IGNORED, "", ""},
    {"experimental-downgrade-check-time", false, ETCD_IGNORED, "", ""},
    {"downgrade-check-time", false, ETCD_IGNORED, "", ""},
    {"experimental-enable-lease-checkpoint-persist", true, ETCD_IGNORED, "false", ""},
    {"experimental-memory-mlock", true, ETCD_IGNORED, "", ""},
    {"experimental-snapshot-catchup-entries", false, ETCD_IGNORED, "", ""},
    {"snapshot-catchup-entries", false, ETCD_IGNORED, "", ""},
    {"experimental-stop-grpc-service-on-defrag", true, ETCD_IGNORED, "", ""},
    {"force-new-cluster", true, ETCD_IGNORED, "false", ""},
    {"unsafe-no-fsync", true, ETCD_SILENT, "false", ""},
};
// clang-format on
#define ROW_COUNT (sizeof rows / sizeof rows[0])

static const etcd_flag *find(const char *name, size_t len, size_t *at) {
  for (size_t i = 0; i < ROW_COUNT; i++) {
    if (strlen(rows[i].name) != len || memcmp(rows[i].name, name, len) != 0) continue;
    *at = i;
    return &rows[i];
  }
  return NULL;
}

void etcd_flags_help(void) {
  printf("Usage:\n\n  etcd [flags]\n    Start an etcd server in memory (apisim).\n\n"
         "  etcd --version\n    Show the version of etcd.\n\nFlags that have an effect:\n");
  for (size_t i = 0; i < ROW_COUNT; i++) {
    if (rows[i].use != ETCD_HONOURED) continue;
    printf("  --%s '%s'\n    %s\n", rows[i].name, rows[i].standard, rows[i].help);
  }
  printf("\nAccepted, because there is no file and no other member:\n");
  for (size_t i = 0; i < ROW_COUNT; i++) {
    if (rows[i].use == ETCD_SILENT) printf("  --%s '%s'\n", rows[i].name, rows[i].standard);
  }
  printf("\nAccepted with a warning: they have no effect:\n");
  for (size_t i = 0; i < ROW_COUNT; i++) {
    if (rows[i].use == ETCD_IGNORED) printf("  --%s '%s'\n", rows[i].name, rows[i].standard);
  }
}

static bool bad(char *problem, size_t size, const char *format, const char *name) {
  snprintf(problem, size, format, name);
  return false;
}

static void read_environment(etcd_flags *f);

/* Go's flag package: -k or --k, =v or the next argument; a bool takes =v only. */
bool etcd_flags_parse(int argc, char **argv, etcd_flags *f, char *problem, size_t size) {
  *f = (etcd_flags){0};
  f->values = calloc(ROW_COUNT, sizeof *f->values);
  if (!f->values) abort();
  for (int i = 1; i < argc; i++) {
    const char *arg = argv[i], *name = arg + 1;
    if (arg[0] != '-' || !arg[1]) return bad(problem, size, "'%s' is not a valid flag", arg);
    if (*name == '-') name++;
    const char *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name), at;
    if (len == 1 && *name == 'h') f->help = true;
    if (len == 4 && memcmp(name, "help", 4) == 0) f->help = true;
    if (len == 7 && memcmp(name, "version", 7) == 0) f->version = true;
    if (f->help || f->version) return true;
    const etcd_flag *row = find(name, len, &at);
    if (!row) return bad(problem, size, "flag provided but not defined: -%s", name);
    const char *value = equals ? equals + 1 : row->is_bool ? "true" : NULL;
    if (!value && i + 1 < argc) value = argv[++i];
    if (!value) return bad(problem, size, "flag needs an argument: -%s", name);
    f->values[at] = value;
  }
  read_environment(f);
  return true;
}

const char *etcd_flags_get(const etcd_flags *f, const char *name) {
  size_t at = 0;
  const etcd_flag *row = find(name, strlen(name), &at);
  if (!row) abort();
  const char *value = f->values[at] ? f->values[at] : row->standard;
  return *value ? value : NULL;
}

bool etcd_flags_given(const etcd_flags *f, const char *name) {
  size_t at = 0;
  return find(name, strlen(name), &at) && f->values[at];
}

/* ETCD_LISTEN_CLIENT_URLS and the like stand for flags that were not given. */
static void read_environment(etcd_flags *f) {
  char name[128];
  for (size_t i = 0; i < ROW_COUNT; i++) {
    if (f->values[i]) continue;
    size_t n = (size_t)snprintf(name, sizeof name, "ETCD_%s", rows[i].name);
    for (size_t k = 0; k < n && k < sizeof name; k++) {
      if (name[k] == '-') name[k] = '_';
      else if (name[k] >= 'a' && name[k] <= 'z') name[k] = (char)(name[k] - 'a' + 'A');
    }
    const char *value = getenv(name);
    if (value && *value) f->values[i] = value;
  }
}

void etcd_flags_warn(const etcd_flags *f) {
  bool any = false;
  for (size_t i = 0; i < ROW_COUNT; i++) {
    if (!f->values[i] || rows[i].use != ETCD_IGNORED) continue;
    fprintf(stderr, any ? ", --%s" : "apisim: warning: accepted but without effect: --%s",
            rows[i].name);
    any = true;
  }
  if (any) fputc('\n', stderr);
}

void etcd_flags_free(etcd_flags *f) {
  free(f->values);
  f->values = NULL;
}
