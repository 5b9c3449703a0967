/* Texts are compared, not times: an editor may put an older file in place. A certificate is often
 * written before its key: a pair that does not fit is looked at again each second. */
#include "sim/serve_tls.h"

#include "base/buf.h"
#include "base/heap.h"
#include "sim/file.h"
#include "sim/serve_options.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_NS ((int64_t)1000000000)
#define FILE_MAX ((size_t)1 << 20)
enum { FILES = 3, ITEM_MAX = 128 };

typedef struct tls_reload {
  serving *serving;
  tls_options options; /* with files only: nothing is generated */
  char paths[2][4096]; /* of --cert-dir */
  timer timer;
  buf texts[FILES]; /* as they were looked at last: certificate, key, client CA */
  bool told; /* that these texts do not do */
} tls_reload;

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

/* Calls take for each item of a list that may be repeated and split by commas. */
static bool each_item(const flags *f, const char *name,
                      bool (*take)(tls_choice *c, const char *item, char *problem, size_t size),
                      tls_choice *c, char *problem, size_t size) {
  const char *value;
  char item[ITEM_MAX];
  for (size_t i = 0; (value = flags_nth(f, name, i)); i++) {
    for (;;) {
      size_t len = strcspn(value, ",");
      snprintf(item, sizeof item, "%.*s", (int)(len < ITEM_MAX ? len : ITEM_MAX - 1), value);
      if (!take(c, item, problem, size)) return false;
      if (value[len] == '\0') break;
      value += len + 1;
    }
  }
  return true;
}

/* What OpenSSL lacks is named once, and the rest of the list holds. */
static bool take_suite(tls_choice *c, const char *name, char *problem, size_t size) {
  bool lacking, insecure;
  if (!tls_choice_suite(c, name, &lacking, &insecure, problem, size)) return false;
  if (insecure) fprintf(stderr, "apisim: Use of insecure cipher '%s' detected.\n", name);
  if (lacking) fprintf(stderr, "apisim: --tls-cipher-suites: %s is not there\n", name);
  return true;
}

static bool take_group(tls_choice *c, const char *id, char *problem, size_t size) {
  bool lacking;
  if (!tls_choice_group(c, strtol(id, NULL, 0), &lacking, problem, size)) return false;
  if (lacking) fprintf(stderr, "apisim: --tls-curve-preferences: %s is not there\n", id);
  return true;
}

static bool read_choice(const flags *f, tls_choice *c, char *problem, size_t size) {
  const char *version = flags_str(f, "tls-min-version");
  return (!version || tls_choice_version(c, version, problem, size)) &&
         each_item(f, "tls-cipher-suites", take_suite, c, problem, size) &&
         each_item(f, "tls-curve-preferences", take_group, c, problem, size);
}

static const char *file_of(const tls_reload *r, size_t i) {
  const tls_options *o = &r->options;
  return i == 0 ? o->cert_file : i == 1 ? o->key_file : o->client_ca_file;
}

/* Looks at all files. True: one is another than before. A file that can't be read is as it was. */
static bool look(tls_reload *r) {
  bool changed = false;
  for (size_t i = 0; i < FILES; i++) {
    buf now;
    buf_init(&now, FILE_MAX);
    bool other = file_of(r, i) && !file_append(file_of(r, i), &now) &&
                 !slice_eq(buf_slice(&now), buf_slice(&r->texts[i]));
    buf gone = other ? r->texts[i] : now;
    if (other) r->texts[i] = now;
    buf_dispose(&gone);
    changed |= other;
  }
  return changed;
}

static void take_over(tls_reload *r, bool changed) {
  char problem[512];
  bool ok = tls_replace(&r->serving->tls, &r->options, problem, sizeof problem);
  if (ok) fprintf(stderr, "apisim: the serving certificates were read again\n");
  else if (changed) fprintf(stderr, "apisim: certificates are not taken over: %s\n", problem);
  r->told = !ok;
}

static void on_look(void *ctx, int64_t now_ns) {
  tls_reload *r = ctx;
  bool changed = look(r);
  if (changed || r->told) take_over(r, changed);
  timer_set(world_timers(r->serving->world), &r->timer, now_ns + LOOK_NS, on_look, r);
}

static void start_reload(serving *s, const tls_options *o) {
  if (!o->cert_file && !o->cert_dir && !o->client_ca_file) return;
  tls_reload *r = heap_zalloc(sizeof *r);
  r->serving = s;
  r->options = *o;
  r->options.choice = NULL;
  r->options.names = NULL;
  r->options.name_count = 0;
  if (!o->cert_file && o->cert_dir) {
    snprintf(r->paths[0], sizeof r->paths[0], "%s/apiserver.crt", o->cert_dir);
    snprintf(r->paths[1], sizeof r->paths[1], "%s/apiserver.key", o->cert_dir);
    r->options.cert_file = r->paths[0];
    r->options.key_file = r->paths[1];
  }
  for (size_t i = 0; i < FILES; i++) buf_init(&r->texts[i], FILE_MAX);
  look(r);
  s->tls_reload = r;
  timer_set(world_timers(s->world), &r->timer, world_env(s->world)->mono_ns + LOOK_NS, on_look, r);
}

void serving_tls_stop(serving *s) {
  tls_reload *r = s->tls_reload;
  if (!r) return;
  timer_clear(world_timers(s->world), &r->timer);
  for (size_t i = 0; i < FILES; i++) buf_dispose(&r->texts[i]);
  heap_free(r);
  s->tls_reload = NULL;
}

bool serving_tls_start(serving *s, const flags *f) {
  char service_ip[INET_ADDRSTRLEN], problem[512];
  first_service_ip(f, service_ip);
  const char *advertise = serving_advertised(f);
  bool local = strcmp(advertise, "127.0.0.1") == 0;
  const char *names[] = {"kubernetes.default.svc", "kubernetes.default", "kubernetes",
                         "kubernetes.default.svc.cluster.local", "localhost",
                         "127.0.0.1", service_ip, advertise};
  tls_choice choice = {0};
  tls_options o = {.cert_file = flags_str(f, "tls-cert-file"),
                   .key_file = flags_str(f, "tls-private-key-file"),
                   .cert_dir = flags_given(f, "cert-dir") ? flags_str(f, "cert-dir") : NULL,
                   .client_ca_file = flags_str(f, "client-ca-file"),
                   .http2 = !flags_bool(f, "disable-http2-serving"),
                   .names = names,
                   .name_count = sizeof names / sizeof names[0] - (local ? 1 : 0),
                   .choice = &choice,
                   .common_name = advertise};
  if (!o.cert_file != !o.key_file) {
    return serving_fail("--tls-cert-file and --tls-private-key-file go together");
  }
  if (!read_choice(f, &choice, problem, sizeof problem)) return serving_fail("%s", problem);
  if (o.http2 && !tls_choice_fits_http2(&choice)) {
    return serving_fail("error configuring http2: http2: TLSConfig.CipherSuites is missing an "
                        "HTTP/2-required AES_128_GCM_SHA256 cipher (need at least one of "
                        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 or "
                        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)");
  }
  if (!tls_create(&o, &s->tls, problem, sizeof problem)) return serving_fail("%s", problem);
  /* what was generated for this run alone has no file to change */
  if (s->tls.generated && !o.cert_dir) o.cert_file = o.key_file = NULL;
  start_reload(s, &o);
  return true;
}
