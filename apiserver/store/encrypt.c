/* Providers and keys are a list in the order of the file; the first is for writing. */
#include "store/encrypt.h"

#include "base/arena.h"
#include "base/heap.h"
#include "base/val.h"
#include "codec/codec.h"

#include <openssl/evp.h>
#include <sodium/crypto_secretbox.h>
#include <stdio.h>

#define MARK SLICE_LIT("k8s:enc:")
#define CBC_IV 16u
#define GCM_NONCE 12u
#define GCM_TAG 16u
#define BOX_NONCE crypto_secretbox_NONCEBYTES
#define BOX_TAG crypto_secretbox_MACBYTES

typedef enum provider_kind { IDENTITY, AESCBC, AESGCM, SECRETBOX } provider_kind;

static const struct {
  const char *name;
  slice prefix;
} provider_rows[] = {
    [IDENTITY] = {"identity", {"", 0}},
    [AESCBC] = {"aescbc", {"k8s:enc:aescbc:v1:", 18}},
    [AESGCM] = {"aesgcm", {"k8s:enc:aesgcm:v1:", 18}},
    [SECRETBOX] = {"secretbox", {"k8s:enc:secretbox:v1:", 21}},
};
#define PROVIDER_COUNT (sizeof provider_rows / sizeof *provider_rows)

typedef struct crypt_key {
  struct crypt_key *next;
  provider_kind kind;
  slice prefix; /* with its name and a colon */
  slice secret;
} crypt_key;

typedef struct crypt_group {
  struct crypt_group *next;
  const val *resources; /* names: "secrets", "deployments.apps", "*.apps", "*." and "*.*" */
  crypt_key *keys; /* in the file's order */
} crypt_group;

struct encryption {
  arena *arena;
  crypt_group *groups;
};

/* ---- configuration ---- */

typedef struct reading {
  arena *a;
  char *problem;
} reading;

static bool complain(reading *r, const char *what, slice detail) {
  snprintf(r->problem, ENCRYPTION_PROBLEM_MAX, "%s%s%.*s", what, detail.len ? ": " : "",
           (int)(detail.len < 100 ? detail.len : 100), detail.len ? detail.ptr : "");
  return false;
}

static bool secret_fits(provider_kind kind, size_t len) {
  if (kind == SECRETBOX) return len == crypto_secretbox_KEYBYTES;
  return len == 16 || len == 24 || len == 32;
}

static bool add_key(reading *r, crypt_key ***at, provider_kind kind, const val *row) {
  slice name = val_get_str(row, "name"), secret = SLICE_NONE;
  if (name.len == 0) return complain(r, "a key without a name", SLICE_NONE);
  if (!base64_decode(r->a, val_get_str(row, "secret"), &secret)) {
    return complain(r, "a secret that is not base64, of key", name);
  }
  if (!secret_fits(kind, secret.len)) {
    return complain(r, "a secret of the wrong length, of key", name);
  }
  crypt_key *k = ARENA_NEW(r->a, crypt_key);
  *k = (crypt_key){.kind = kind, .secret = secret};
  k->prefix = arena_printf(r->a, "%.*s%.*s:", SLICE_ARG(provider_rows[kind].prefix),
                           SLICE_ARG(name));
  **at = k;
  *at = &k->next;
  return true;
}

static bool add_provider(reading *r, crypt_key ***at, const val *provider) {
  if (val_len(provider) != 1) return complain(r, "a provider is one of its kinds", SLICE_NONE);
  const val_entry *e = provider->u.entries;
  for (size_t kind = 0; kind < PROVIDER_COUNT; kind++) {
    if (!slice_is(e->key, provider_rows[kind].name)) continue;
    if (kind == IDENTITY) {
      crypt_key *k = ARENA_NEW(r->a, crypt_key);
      *k = (crypt_key){.kind = IDENTITY};
      **at = k;
      *at = &k->next;
      return true;
    }
    const val *keys = val_getc(e->value, "keys");
    if (val_len(keys) == 0) return complain(r, "a provider without keys", e->key);
    for (uint32_t i = 0; i < val_len(keys); i++) {
      if (!add_key(r, at, (provider_kind)kind, val_at(keys, i))) return false;
    }
    return true;
  }
  return complain(r, "a provider that is not supported", e->key);
}

static bool add_group(reading *r, crypt_group ***at, const val *row) {
  const val *providers = val_getc(row, "providers");
  crypt_group *g = ARENA_NEW(r->a, crypt_group);
  *g = (crypt_group){.resources = val_getc(row, "resources")};
  if (val_len(g->resources) == 0) return complain(r, "no resources are named", SLICE_NONE);
  if (val_len(providers) == 0) return complain(r, "no providers are named", SLICE_NONE);
  crypt_key **keys = &g->keys;
  for (uint32_t i = 0; i < val_len(providers); i++) {
    if (!add_provider(r, &keys, val_at(providers, i))) return false;
  }
  **at = g;
  *at = &g->next;
  return true;
}

static bool read_config(reading *r, slice text, crypt_group **groups) {
  slice error = SLICE_NONE;
  val *root = yaml_parse(r->a, text, NULL, &error);
  if (!root) return complain(r, "can't be read", error);
  if (!slice_is(val_get_str(root, "kind"), "EncryptionConfiguration")) {
    return complain(r, "kind is not EncryptionConfiguration", val_get_str(root, "kind"));
  }
  if (!slice_is(val_get_str(root, "apiVersion"), "apiserver.config.k8s.io/v1")) {
    return complain(r, "apiVersion is not apiserver.config.k8s.io/v1",
                    val_get_str(root, "apiVersion"));
  }
  const val *rows = val_getc(root, "resources");
  if (val_len(rows) == 0) return complain(r, "no resources are named", SLICE_NONE);
  for (uint32_t i = 0; i < val_len(rows); i++) {
    if (!add_group(r, &groups, val_at(rows, i))) return false;
  }
  return true;
}

encryption *encryption_create(slice config, char problem[ENCRYPTION_PROBLEM_MAX]) {
  encryption *e = heap_zalloc(sizeof *e);
  if (encryption_replace(e, config, problem)) return e;
  heap_free(e);
  return NULL;
}

bool encryption_replace(encryption *e, slice config, char problem[ENCRYPTION_PROBLEM_MAX]) {
  arena *a = arena_create();
  crypt_group *groups = NULL;
  reading r = {a, problem};
  bool ok = read_config(&r, arena_copy(a, config), &groups);
  if (!ok) {
    arena_destroy(a);
    return false;
  }
  if (e->arena) arena_destroy(e->arena);
  *e = (encryption){.arena = a, .groups = groups};
  return true;
}

void encryption_destroy(encryption *e) {
  if (!e) return;
  arena_destroy(e->arena);
  heap_free(e);
}

/* ---- which keys ---- */

static bool names(slice pattern, slice group, slice resource) {
  slice name, of;
  bool dotted = slice_cut(pattern, '.', &name, &of);
  if (slice_is(name, "*")) return dotted && (slice_is(of, "*") || slice_eq(of, group));
  return slice_eq(name, resource) && slice_eq(of, group);
}

static const crypt_key *keys_of(const encryption *e, slice group, slice resource) {
  for (const crypt_group *g = e->groups; g; g = g->next) {
    for (uint32_t i = 0; i < val_len(g->resources); i++) {
      if (names(val_str(val_at(g->resources, i)), group, resource)) return g->keys;
    }
  }
  return NULL;
}

bool encryption_covers(const encryption *e, slice group, slice resource) {
  return keys_of(e, group, resource) != NULL;
}

/* ---- the ciphers ---- */

static const unsigned char *u8(slice s) { return (const unsigned char *)s.ptr; }

static void make_iv(const crypt_key *k, slice path, slice plain, unsigned char *iv, size_t n) {
  unsigned char digest[EVP_MAX_MD_SIZE], room[8];
  uint64_t path_len = path.len;
  for (int i = 0; i < 8; i++) room[i] = (unsigned char)(path_len >> (8 * i));
  EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
  EVP_MAC_CTX *c = EVP_MAC_CTX_new(mac);
  char name[] = "SHA256";
  OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", name, 0),
                         OSSL_PARAM_construct_end()};
  size_t out = 0;
  EVP_MAC_init(c, u8(k->secret), k->secret.len, params);
  EVP_MAC_update(c, u8(k->prefix), k->prefix.len);
  EVP_MAC_update(c, room, sizeof room);
  EVP_MAC_update(c, u8(path), path.len);
  EVP_MAC_update(c, u8(plain), plain.len);
  EVP_MAC_final(c, digest, &out, sizeof digest);
  EVP_MAC_CTX_free(c);
  EVP_MAC_free(mac);
  memcpy(iv, digest, n);
}

static const EVP_CIPHER *cipher_of(const crypt_key *k) {
  bool gcm = k->kind == AESGCM;
  switch (k->secret.len) {
    case 16: return gcm ? EVP_aes_128_gcm() : EVP_aes_128_cbc();
    case 24: return gcm ? EVP_aes_192_gcm() : EVP_aes_192_cbc();
    default: return gcm ? EVP_aes_256_gcm() : EVP_aes_256_cbc();
  }
}

static bool aes_seal(const crypt_key *k, slice path, slice plain, buf *out) {
  bool gcm = k->kind == AESGCM;
  size_t iv_len = gcm ? GCM_NONCE : CBC_IV;
  unsigned char *to = (unsigned char *)buf_reserve(out, iv_len + plain.len + 32);
  if (!to) return false;
  make_iv(k, path, plain, to, iv_len);
  int n = 0, last = 0, ignored = 0;
  EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
  bool ok = EVP_EncryptInit_ex(c, cipher_of(k), NULL, u8(k->secret), to) == 1;
  if (gcm) ok = ok && EVP_EncryptUpdate(c, NULL, &ignored, u8(path), (int)path.len) == 1;
  ok = ok && EVP_EncryptUpdate(c, to + iv_len, &n, u8(plain), (int)plain.len) == 1 &&
       EVP_EncryptFinal_ex(c, to + iv_len + n, &last) == 1;
  size_t total = iv_len + (size_t)n + (size_t)last;
  if (gcm && ok) {
    ok = EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, GCM_TAG, to + total) == 1;
    total += GCM_TAG;
  }
  EVP_CIPHER_CTX_free(c);
  if (ok) out->len += total;
  return ok;
}

static bool aes_open(const crypt_key *k, slice path, slice sealed, buf *out) {
  bool gcm = k->kind == AESGCM;
  size_t iv_len = gcm ? GCM_NONCE : CBC_IV, tag = gcm ? GCM_TAG : 0;
  if (sealed.len < iv_len + tag) return false;
  slice text = slice_of(sealed.ptr + iv_len, sealed.len - iv_len - tag);
  unsigned char *to = (unsigned char *)buf_reserve(out, text.len + 32);
  if (!to) return false;
  int n = 0, last = 0, ignored = 0;
  EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
  bool ok = EVP_DecryptInit_ex(c, cipher_of(k), NULL, u8(k->secret), u8(sealed)) == 1;
  if (gcm) {
    void *at = (void *)(uintptr_t)(sealed.ptr + sealed.len - GCM_TAG);
    ok = ok && EVP_DecryptUpdate(c, NULL, &ignored, u8(path), (int)path.len) == 1 &&
         EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, GCM_TAG, at) == 1;
  }
  ok = ok && EVP_DecryptUpdate(c, to, &n, u8(text), (int)text.len) == 1 &&
       EVP_DecryptFinal_ex(c, to + n, &last) == 1;
  EVP_CIPHER_CTX_free(c);
  if (ok) out->len += (size_t)n + (size_t)last;
  return ok;
}

static bool box_seal(const crypt_key *k, slice path, slice plain, buf *out) {
  unsigned char *to = (unsigned char *)buf_reserve(out, BOX_NONCE + BOX_TAG + plain.len);
  if (!to) return false;
  make_iv(k, path, plain, to, BOX_NONCE);
  crypto_secretbox_easy(to + BOX_NONCE, u8(plain), plain.len, to, u8(k->secret));
  out->len += BOX_NONCE + BOX_TAG + plain.len;
  return true;
}

static bool box_open(const crypt_key *k, slice sealed, buf *out) {
  if (sealed.len < BOX_NONCE + BOX_TAG) return false;
  slice text = slice_from(sealed, BOX_NONCE);
  unsigned char *to = (unsigned char *)buf_reserve(out, text.len);
  if (!to || crypto_secretbox_open_easy(to, u8(text), text.len, u8(sealed), u8(k->secret))) {
    return false;
  }
  out->len += text.len - BOX_TAG;
  return true;
}

/* ---- values ---- */

bool encryption_seal(const encryption *e, slice group, slice resource, slice key, slice plain,
                     buf *out) {
  const crypt_key *k = e ? keys_of(e, group, resource) : NULL;
  if (!k || k->kind == IDENTITY) {
    buf_append(out, plain);
    return !out->overflow;
  }
  buf_append(out, k->prefix);
  return k->kind == SECRETBOX ? box_seal(k, key, plain, out) : aes_seal(k, key, plain, out);
}

bool encryption_open(const encryption *e, slice group, slice resource, slice key, slice stored,
                     buf *out, bool *stale, slice *problem) {
  const crypt_key *first = e ? keys_of(e, group, resource) : NULL;
  bool marked = slice_has_prefix(stored, MARK);
  *stale = false;
  if (!first) {
    *problem = SLICE_LIT("identity transformer tried to read encrypted data");
    if (marked) return false;
    buf_append(out, stored);
    return !out->overflow;
  }
  *problem = SLICE_LIT("no matching prefix found");
  for (const crypt_key *k = first; k; k = k->next) {
    if (k->kind == IDENTITY ? marked : !slice_has_prefix(stored, k->prefix)) continue;
    slice rest = slice_from(stored, k->prefix.len);
    bool ok = true;
    if (k->kind == IDENTITY) buf_append(out, stored);
    else ok = k->kind == SECRETBOX ? box_open(k, rest, out) : aes_open(k, key, rest, out);
    *stale = k != first;
    if (ok) return !out->overflow;
    *problem = SLICE_LIT("no matching key was found for the provided encryption provider");
  }
  return false;
}
