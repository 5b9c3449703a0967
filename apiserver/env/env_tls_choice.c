/* OpenSSL chooses by lists; so each handshake gets the lists that leave it Go's choice. */
#include "env/env_tls_choice.h"

#include <openssl/evp.h>
#include <openssl/tls1.h>
#include <stdio.h>
#include <string.h>

enum suite_class {
  SUITE_GO, /* Go's defaults */
  SUITE_NAMED, /* where it is named */
};

typedef struct suite_row {
  const char *name; /* IANA's, as the flag has it */
  const char *openssl; /* NULL: OpenSSL lacks it */
  uint16_t id;
  uint8_t class;
  bool insecure, chacha, gcm;
} suite_row;

/* In Go's order of preference where AES is preferred; names that mean the same stand behind. */
static const suite_row suites[] = {
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256", 0xc02b, SUITE_GO,
     false, false, true},
    {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256", 0xc02f, SUITE_GO,
     false, false, true},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384", 0xc02c, SUITE_GO,
     false, false, true},
    {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384", 0xc030, SUITE_GO,
     false, false, true},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305", 0xcca9,
     SUITE_GO, false, true, false},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305", 0xcca8,
     SUITE_GO, false, true, false},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA", 0xc009, SUITE_GO, false,
     false, false},
    {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA", 0xc013, SUITE_GO, false, false,
     false},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA", 0xc00a, SUITE_GO, false,
     false, false},
    {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA", 0xc014, SUITE_GO, false, false,
     false},
    {"TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256", 0x009c, SUITE_NAMED, true, false,
     true},
    {"TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384", 0x009d, SUITE_NAMED, true, false,
     true},
    {"TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA", 0x002f, SUITE_NAMED, true, false, false},
    {"TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA", 0x0035, SUITE_NAMED, true, false, false},
    {"TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", NULL, 0xc012, SUITE_NAMED, true, false, false},
    {"TLS_RSA_WITH_3DES_EDE_CBC_SHA", NULL, 0x000a, SUITE_NAMED, true, false, false},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "ECDHE-ECDSA-AES128-SHA256", 0xc023, SUITE_NAMED,
     true, false, false},
    {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "ECDHE-RSA-AES128-SHA256", 0xc027, SUITE_NAMED, true,
     false, false},
    {"TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256", 0x003c, SUITE_NAMED, true, false, false},
    {"TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", NULL, 0xc007, SUITE_NAMED, true, false, false},
    {"TLS_ECDHE_RSA_WITH_RC4_128_SHA", NULL, 0xc011, SUITE_NAMED, true, false, false},
    {"TLS_RSA_WITH_RC4_128_SHA", NULL, 0x0005, SUITE_NAMED, true, false, false},
};
enum { SUITES = sizeof suites / sizeof suites[0] };

/* TLS 1.3 always has its three: naming them changes nothing. */
static const suite_row suites13[] = {
    {"TLS_AES_128_GCM_SHA256", "", 0x1301, SUITE_GO, false, false, true},
    {"TLS_AES_256_GCM_SHA384", "", 0x1302, SUITE_GO, false, false, true},
    {"TLS_CHACHA20_POLY1305_SHA256", "", 0x1303, SUITE_GO, false, true, false},
};
static const char aes13[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                            "TLS_CHACHA20_POLY1305_SHA256";
static const char chacha13[] = "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:"
                               "TLS_AES_256_GCM_SHA384";

static const struct {
  const char *other, *name;
} same_suites[] = {
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
};

typedef struct group_row {
  uint16_t id;
  int nid; /* 0: OpenSSL 3.0 lacks it */
} group_row;

/* In Go's order. */
static const group_row groups[] = {
    {4588, 0}, {4587, 0}, {4589, 0}, {29, NID_X25519},
    {23, NID_X9_62_prime256v1}, {24, NID_secp384r1}, {25, NID_secp521r1},
};
enum { GROUPS = sizeof groups / sizeof groups[0] };

typedef struct signature_row {
  uint16_t id;
  int hash, key;
} signature_row;

/* What Go's server signs with, and asks of clients: no SHA-1. */
static const signature_row signatures[] = {
    {0x0804, NID_sha256, EVP_PKEY_RSA_PSS}, {0x0403, NID_sha256, EVP_PKEY_EC},
    {0x0807, NID_undef, EVP_PKEY_ED25519},  {0x0805, NID_sha384, EVP_PKEY_RSA_PSS},
    {0x0806, NID_sha512, EVP_PKEY_RSA_PSS}, {0x0401, NID_sha256, EVP_PKEY_RSA},
    {0x0501, NID_sha384, EVP_PKEY_RSA},     {0x0601, NID_sha512, EVP_PKEY_RSA},
    {0x0503, NID_sha384, EVP_PKEY_EC},      {0x0603, NID_sha512, EVP_PKEY_EC},
};
enum { SIGNATURES = sizeof signatures / sizeof signatures[0] };
static const char signature_list[] =
    "RSA-PSS+SHA256:ECDSA+SHA256:ed25519:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:"
    "RSA+SHA512:ECDSA+SHA384:ECDSA+SHA512";

static const struct {
  const char *name;
  uint16_t version;
} versions[] = {
    {"VersionTLS10", TLS1_VERSION},
    {"VersionTLS11", TLS1_1_VERSION},
    {"VersionTLS12", TLS1_2_VERSION},
    {"VersionTLS13", TLS1_3_VERSION},
};

bool tls_choice_version(tls_choice *c, const char *name, char *problem, size_t size) {
  for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
    if (strcmp(versions[i].name, name) != 0) continue;
    c->min_version = versions[i].version;
    return true;
  }
  snprintf(problem, size, "unknown tls version \"%s\"", name);
  return false;
}

static const suite_row *suite_by_name(const char *name) {
  for (size_t i = 0; i < sizeof same_suites / sizeof same_suites[0]; i++) {
    if (strcmp(same_suites[i].other, name) == 0) name = same_suites[i].name;
  }
  for (size_t i = 0; i < SUITES; i++) {
    if (strcmp(suites[i].name, name) == 0) return &suites[i];
  }
  for (size_t i = 0; i < sizeof suites13 / sizeof suites13[0]; i++) {
    if (strcmp(suites13[i].name, name) == 0) return &suites13[i];
  }
  return NULL;
}

static bool has(const uint16_t *ids, size_t n, uint16_t id) {
  for (size_t i = 0; i < n; i++) {
    if (ids[i] == id) return true;
  }
  return false;
}

bool tls_choice_suite(tls_choice *c, const char *name, bool *lacking, bool *insecure,
                      char *problem, size_t size) {
  const suite_row *row = suite_by_name(name);
  if (!row) {
    snprintf(problem, size, "Cipher suite %s not supported or doesn't exist", name);
    return false;
  }
  *lacking = row->openssl == NULL;
  *insecure = row->insecure;
  c->suites_given = true;
  if (!has(c->suites, c->suite_count, row->id) && c->suite_count < TLS_SUITE_MAX) {
    c->suites[c->suite_count++] = row->id;
  }
  return true;
}

bool tls_choice_group(tls_choice *c, long id, bool *lacking, char *problem, size_t size) {
  if (id <= 0 || id > UINT16_MAX) {
    snprintf(problem, size, "curve preference %ld is out of range (must be 1-65535)", id);
    return false;
  }
  if (has(c->groups, c->group_count, (uint16_t)id)) {
    snprintf(problem, size, "duplicate curve preference %ld", id);
    return false;
  }
  for (size_t i = 0; i < GROUPS; i++) {
    if (groups[i].id != id) continue;
    *lacking = groups[i].nid == 0;
    c->groups[c->group_count++] = (uint16_t)id;
    return true;
  }
  snprintf(problem, size, "curve preference %ld is not supported by the current Go version", id);
  return false;
}

bool tls_choice_fits_http2(const tls_choice *c) {
  return !c->suites_given || c->min_version == TLS1_3_VERSION ||
         has(c->suites, c->suite_count, 0xc02f) || has(c->suites, c->suite_count, 0xc02b);
}

static bool allowed(const tls_choice *c, const suite_row *row) {
  if (!row->openssl) return false;
  return c->suites_given ? has(c->suites, c->suite_count, row->id) : row->class == SUITE_GO;
}

/* Level 0: Go has no levels; certificates are judged at level 1, which is what Go refuses (keys
 * below 1024 bits, SHA-1). */
static size_t suite_list(const tls_choice *c, bool chacha_first, char out[TLS_LIST_TEXT_MAX]) {
  size_t n = 0, len = 0;
  for (int pass = chacha_first ? 0 : 1; pass < 2; pass++) {
    for (size_t i = 0; i < SUITES; i++) {
      const suite_row *row = &suites[i];
      bool now = pass == 0 ? row->chacha : !(chacha_first && row->chacha);
      if (!now || !allowed(c, row)) continue;
      len += (size_t)snprintf(out + len, TLS_LIST_TEXT_MAX - len, "%s:", row->openssl);
      n++;
    }
  }
  snprintf(out + len, TLS_LIST_TEXT_MAX - len, "@SECLEVEL=0");
  return n;
}

/* Is the client's first suite that is known one of AES-GCM? */
static bool prefers_aes(SSL *ssl) {
  const unsigned char *at;
  size_t n = SSL_client_hello_get0_ciphers(ssl, &at);
  for (; n >= 2; n -= 2, at += 2) {
    uint16_t id = (uint16_t)(at[0] << 8 | at[1]);
    for (size_t i = 0; i < SUITES; i++) {
      if (suites[i].id == id) return suites[i].gcm;
    }
    for (size_t i = 0; i < sizeof suites13 / sizeof suites13[0]; i++) {
      if (suites13[i].id == id) return suites13[i].gcm;
    }
  }
  return false;
}

/* Numbers of two bytes behind a length of `head` bytes, from an extension of the client's. */
static size_t hello_numbers(SSL *ssl, unsigned type, size_t head, const unsigned char **at) {
  size_t len;
  if (!SSL_client_hello_get0_ext(ssl, type, at, &len) || len < head) return 0;
  size_t said = head == 1 ? (*at)[0] : (size_t)((*at)[0] << 8 | (*at)[1]);
  *at += head;
  len -= head;
  return (said < len ? said : len) / 2;
}

static uint16_t number(const unsigned char *at, size_t i) {
  return (uint16_t)(at[2 * i] << 8 | at[2 * i + 1]);
}

static bool offers(const unsigned char *at, size_t n, uint16_t id) {
  for (size_t i = 0; i < n; i++) {
    if (number(at, i) == id) return true;
  }
  return false;
}

static bool offers_tls13(SSL *ssl) {
  const unsigned char *at;
  size_t n = hello_numbers(ssl, TLSEXT_TYPE_supported_versions, 1, &at);
  return offers(at, n, TLS1_3_VERSION);
}

/* Which of the groups the client sent a share for, by row. */
static void shares(SSL *ssl, bool out[GROUPS]) {
  memset(out, 0, GROUPS * sizeof *out);
  const unsigned char *at;
  size_t len;
  if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_key_share, &at, &len) || len < 2) return;
  at += 2;
  len -= 2;
  while (len >= 4) {
    uint16_t id = number(at, 0);
    size_t size = (size_t)(at[2] << 8 | at[3]) + 4;
    for (size_t i = 0; i < GROUPS; i++) {
      if (groups[i].id == id) out[i] = true;
    }
    if (size > len) return;
    at += size;
    len -= size;
  }
}

static bool group_allowed(const tls_choice *c, size_t row) {
  return groups[row].nid && (!c->group_count || has(c->groups, c->group_count, groups[row].id));
}

static int group_tls13(const tls_choice *c, SSL *ssl, const unsigned char *offer, size_t n) {
  bool share[GROUPS];
  shares(ssl, share);
  for (int pass = 0; pass < 2; pass++) {
    for (size_t i = 0; i < GROUPS; i++) {
      if (!group_allowed(c, i) || !offers(offer, n, groups[i].id)) continue;
      if (pass || share[i]) return groups[i].nid;
    }
  }
  return 0;
}

static int group_tls12(const tls_choice *c, const unsigned char *offer, size_t n) {
  for (size_t k = 0; k < n; k++) {
    for (size_t i = 0; i < GROUPS; i++) {
      if (groups[i].id == number(offer, k) && group_allowed(c, i)) return groups[i].nid;
    }
  }
  return 0;
}

static void choose_group(const tls_choice *c, SSL *ssl) {
  const unsigned char *offer;
  size_t n = hello_numbers(ssl, TLSEXT_TYPE_supported_groups, 2, &offer);
  int nid = offers_tls13(ssl) ? group_tls13(c, ssl, offer, n) : group_tls12(c, offer, n);
  if (nid) SSL_set1_groups(ssl, &nid, 1);
}

static void choose_signature(SSL *ssl) {
  const unsigned char *offer;
  size_t n = hello_numbers(ssl, TLSEXT_TYPE_signature_algorithms, 2, &offer);
  int list[2 * SIGNATURES];
  size_t len = 0;
  bool taken[SIGNATURES] = {false};
  for (size_t k = 0; k < n && len < 2 * SIGNATURES; k++) {
    for (size_t i = 0; i < SIGNATURES; i++) {
      if (signatures[i].id != number(offer, k) || taken[i]) continue;
      taken[i] = true;
      list[len++] = signatures[i].hash;
      list[len++] = signatures[i].key;
    }
  }
  if (len) SSL_set1_sigalgs(ssl, list, (long)len);
}

static int on_hello(SSL *ssl, int *alert, void *arg) {
  (void)alert;
  const tls_choice *c = arg;
  if (!prefers_aes(ssl)) {
    SSL_set_cipher_list(ssl, c->chacha);
    SSL_set_ciphersuites(ssl, chacha13);
  }
  choose_group(c, ssl);
  choose_signature(ssl);
  return SSL_CLIENT_HELLO_SUCCESS;
}

bool tls_choice_install(tls_choice *c, SSL_CTX *ctx) {
  int nids[GROUPS];
  size_t count = 0;
  for (size_t i = 0; i < GROUPS; i++) {
    if (group_allowed(c, i)) nids[count++] = groups[i].nid;
  }
  size_t n = suite_list(c, false, c->aes);
  suite_list(c, true, c->chacha);
  int min = c->min_version ? c->min_version : TLS1_2_VERSION;
  if (n == 0) min = TLS1_3_VERSION; /* no suite below it */
  SSL_CTX_set_min_proto_version(ctx, min);
  X509_VERIFY_PARAM_set_auth_level(SSL_CTX_get0_param(ctx), 1);
  bool ok = count > 0 && SSL_CTX_set1_groups(ctx, nids, (int)count) == 1 &&
            (n == 0 || SSL_CTX_set_cipher_list(ctx, c->aes) == 1) &&
            SSL_CTX_set_ciphersuites(ctx, aes13) == 1 &&
            SSL_CTX_set1_sigalgs_list(ctx, signature_list) == 1 &&
            SSL_CTX_set1_client_sigalgs_list(ctx, signature_list) == 1;
  SSL_CTX_set_client_hello_cb(ctx, on_hello, c);
  return ok;
}
