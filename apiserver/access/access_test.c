/* Access from the outside: who a request is, whether it may, and in which words it is refused.
 * The words were compared with the real server's. */
#include "access/access_fixture.h"
#include "access/escalate.h"
#include "access/jwt.h"
#include "access/rbac.h"
#include "access/text.h"
#include "base/heap.h"
#include "codec/codec.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define TOKENS "admintoken,admin,u1,system:masters\nalicetoken,alice,u2,\"devs,testers\"\n"
#define NOW_S ((int64_t)1800000000)

static val *fake_get(server *s, arena *a, const resource_info *r, slice namespace, slice name) {
  slice error;
  for (const stored *o = ((fixture *)s)->objects; o && o->resource; o++) {
    if (slice_is(r->resource, o->resource) && slice_is(namespace, o->namespace) &&
        slice_is(name, o->name)) {
      return json_parse(a, slice_cstr(o->json), NULL, &error);
    }
  }
  return NULL;
}

static void fake_each(server *s, arena *a, const resource_info *r, slice namespace,
                      registry_visit visit, void *ctx) {
  slice error;
  for (const stored *o = ((fixture *)s)->objects; o && o->resource; o++) {
    if (!slice_is(r->resource, o->resource)) continue;
    if (namespace.len && !slice_is(namespace, o->namespace)) continue;
    val *v = json_parse(a, slice_cstr(o->json), NULL, &error);
    assert_non_null(v);
    val *meta = val_ensure_map(a, v, "metadata");
    val_setc(a, meta, "name", val_cstr(a, o->name));
    if (o->namespace[0]) val_setc(a, meta, "namespace", val_cstr(a, o->namespace));
    if (!visit(ctx, v)) return;
  }
}

static int64_t fake_revision(server *s, const resource_info *r) {
  (void)r;
  return ((fixture *)s)->revision;
}

static const access_source fake = {fake_get, fake_each, fake_revision, NULL};

void fixture_open(fixture *f, const access_options *o, const stored *objects) {
  slice problem = SLICE_NONE;
  *f = (fixture){.objects = objects, .revision = 1, .arena = arena_create()};
  f->server.access = access_create(o, &problem);
  if (!f->server.access) fail_msg("%.*s", SLICE_ARG(problem));
  f->server.access->source = &fake;
  f->env.wall_ns = NOW_S * 1000000000;
  f->server.env = &f->env;
  rng_init(&f->server.uid_rng, 1);
}

void fixture_close(fixture *f) {
  access_destroy(f->server.access);
  arena_destroy(f->arena);
}

request *fixture_request(fixture *f, const char *const *headers) {
  f->http = (http_exchange){.arena = f->arena, .headers = f->headers, .method = SLICE_LIT("GET")};
  for (; headers && *headers; headers++) {
    slice name, value;
    assert_true(slice_cut(slice_cstr(*headers), ':', &name, &value));
    f->headers[f->http.header_count++] = (http_header){name, slice_trim(value)};
  }
  f->rq = (request){.arena = f->arena, .server = &f->server, .http = &f->http,
                    .wall_ns = f->env.wall_ns};
  return &f->rq;
}

access_attributes ask(const char *user, const slice *groups, uint32_t count, const char *verb,
                      const char *group, const char *resource, const char *namespace) {
  return (access_attributes){.user = {.name = slice_cstr(user), .groups = groups,
                                      .group_count = count},
                             .verb = slice_cstr(verb), .group = slice_cstr(group),
                             .resource = slice_cstr(resource), .namespace = slice_cstr(namespace),
                             .is_resource = true};
}

static void check_text(slice have, const char *want) {
  if (!slice_is(have, want)) fail_msg("have: %.*s\nwant: %s", SLICE_ARG(have), want);
}

/* ---- pieces ---- */

static void token_files(void **state) {
  (void)state;
  static const struct {
    const char *csv, *token, *user; /* user NULL: unknown; token NULL: no such file */
    uint32_t groups;
  } rows[] = {
      {TOKENS, "alicetoken", "alice", 2},   {TOKENS, "admintoken", "admin", 1},
      {TOKENS, "alice", NULL, 0},           {"", "x", NULL, 0},
      {"a,b,c\r\n\r\nd,e,f", "d", "e", 0},  {"\"a\"\"b\",u,1\n", "a\"b", "u", 0},
      {"t,u,1,\n", "t", "u", 1},            {"t,u,1\nt,v,2\n", "t", "v", 0},
      {",u,1\n", "", NULL, 0},              {"\"t\nx\",u,1\n", "t\nx", "u", 0},
      {"t,u\n", NULL, NULL, 0},             {"t\"x,u,1\n", NULL, NULL, 0},
      {"\"t,u,1\n", NULL, NULL, 0},         {"\"t\"x,u,1\n", NULL, NULL, 0},
      {"t,u,1,\"a,b,c\",more\n", "t", "u", 3},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    arena *a = arena_create();
    token_table t;
    slice problem = SLICE_NONE;
    bool good = token_table_parse(&t, a, slice_cstr(rows[i].csv), &problem);
    assert_int_equal(good, rows[i].token != NULL);
    assert_true(good == (problem.len == 0));
    const user_info *u = good ? token_table_find(&t, slice_cstr(rows[i].token)) : NULL;
    assert_true((u != NULL) == (rows[i].user != NULL));
    if (u) {
      check_text(u->name, rows[i].user);
      assert_int_equal(u->group_count, rows[i].groups);
    }
    arena_destroy(a);
  }
}

static void quoting(void **state) {
  (void)state;
  arena *a = arena_create();
  check_text(text_quoted(a, SLICE_LIT("a\"b\\c\n\x01")), "\"a\\\"b\\\\c\\n\\x01\"");
  check_text(text_quoted(a, SLICE_LIT("\xc3\xa9\xff\xe2\x80\x8b")), "\"\xc3\xa9\\xff\\u200b\"");
  check_text(text_quoted(a, SLICE_NONE), "\"\"");
  slice errors[] = {SLICE_LIT("x"), SLICE_LIT("y"), SLICE_LIT("x")};
  check_text(text_aggregate(a, errors, 3), "[x, y]");
  check_text(text_aggregate(a, errors, 1), "x");
  arena_destroy(a);
}

static void base64url(void **state) {
  (void)state;
  arena *a = arena_create();
  slice all = SLICE_LIT("\xfb\xff\xfe\x00\x10"), back;
  for (size_t n = 0; n <= all.len; n++) {
    assert_true(base64url_decode(a, base64url_encode(a, slice_upto(all, n)), &back));
    assert_true(slice_eq(back, slice_upto(all, n)));
  }
  check_text(base64url_encode(a, slice_upto(all, 2)), "-_8");
  assert_false(base64url_decode(a, SLICE_LIT("a"), &back));
  assert_false(base64url_decode(a, SLICE_LIT("ab=="), &back));
  arena_destroy(a);
}

static void modes(void **state) {
  (void)state;
  static const struct {
    const char *modes, *problem;
  } rows[] = {{"", NULL}, {"Node,RBAC", NULL}, {"AlwaysDeny", NULL},
              {"Foo", "authorization-mode \"Foo\" is not a valid mode"},
              {"RBAC,RBAC", "authorization-mode \"RBAC\" has mode specified more than once"},
              {"ABAC", "authorization-mode ABAC is not supported"},
              {"RBAC,Webhook", "authorization-mode Webhook is not supported"}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    access_options o = {.authorization_modes = slice_cstr(rows[i].modes)};
    slice problem = SLICE_NONE;
    access_config *c = access_create(&o, &problem);
    assert_true((c == NULL) == (rows[i].problem != NULL));
    if (rows[i].problem) check_text(problem, rows[i].problem);
    access_destroy(c);
    if (!c) heap_free((void *)(uintptr_t)problem.ptr);
  }
}

/* ---- who ---- */

static void bearer_tokens(void **state) {
  (void)state;
  static const struct {
    const char *header, *user; /* NULL: 401 */
  } rows[] = {{"Authorization: Bearer alicetoken", "alice"},
              {"Authorization: bearer alicetoken", "alice"},
              {"Authorization: Bearer alicetoken more", "alice"},
              {"Authorization: Bearer nonsense", NULL},
              {"Authorization: Bearer a.b.c", NULL},
              {"Authorization: Bearer", "system:anonymous"},
              {"Authorization: Bearer  alicetoken", "system:anonymous"},
              {"Authorization: Basic abc", "system:anonymous"},
              {"X-Other: 1", "system:anonymous"}};
  fixture f;
  fixture_open(&f, &(access_options){.token_file = SLICE_LIT(TOKENS), .anonymous = true}, NULL);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    request *rq = fixture_request(&f, (const char *const[]){rows[i].header, NULL});
    assert_true(access_authenticate(rq) == (rows[i].user != NULL));
    if (rows[i].user) check_text(rq->user.name, rows[i].user);
    else check_text(rq->error.message, "Unauthorized");
  }
  request *rq = fixture_request(&f, (const char *const[]){rows[0].header, NULL});
  assert_true(access_authenticate(rq));
  assert_int_equal(rq->user.group_count, 3);
  check_text(rq->user.groups[2], "system:authenticated");
  fixture_close(&f);
  fixture_open(&f, &(access_options){.token_file = SLICE_LIT(TOKENS)}, NULL);
  assert_false(access_authenticate(fixture_request(&f, NULL)));
  fixture_close(&f);
}

static void hostile_tokens(void **state) {
  (void)state;
  fixture f;
  size_t n = 1 << 20;
  char *text = heap_alloc(n + 32);
  memset(text, '.', n);
  fixture_open(&f, &(access_options){.token_file = SLICE_LIT(TOKENS)}, NULL);
  authn_context x = authn_context_of(fixture_request(&f, NULL));
  authn_result r = {0};
  assert_int_equal(authn_token(&x, slice_of(text, n), &r), AUTHN_NO_OPINION);
  memset(text, 'A', n);
  text[10] = text[20] = '.';
  jwt t;
  assert_false(jwt_open(f.arena, slice_of(text, n), &t));
  heap_free(text);
  fixture_close(&f);
}

typedef struct key_pem {
  char text[8192];
  size_t len;
} key_pem;

static void pem_take(key_pem *p, BIO *b) {
  char *data;
  long len = BIO_get_mem_data(b, &data);
  assert_true(len > 0 && (size_t)len < sizeof p->text);
  memcpy(p->text, data, (size_t)len);
  p->len = (size_t)len;
  BIO_free(b);
}

static void pem_of(key_pem *p, EVP_PKEY *key, int form) {
  BIO *b = BIO_new(BIO_s_mem());
  if (form == 0) PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL);
  if (form == 1) PEM_write_bio_PrivateKey_traditional(b, key, NULL, NULL, 0, NULL, NULL);
  if (form == 2) PEM_write_bio_PUBKEY(b, key);
  if (form == 3) {
    X509 *cert = X509_new();
    X509_set_version(cert, 2);
    X509_NAME *name = X509_get_subject_name(cert);
    static const char *const parts[][2] = {{"CN", "carol"}, {"O", "ops"}, {"O", "devs"}};
    for (int i = 0; i < 3; i++) {
      X509_NAME_add_entry_by_txt(name, parts[i][0], MBSTRING_ASC,
                                 (const unsigned char *)parts[i][1], -1, -1, 0);
    }
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 1000);
    X509_set_pubkey(cert, key);
    X509_sign(cert, key, EVP_sha256());
    PEM_write_bio_X509(b, cert);
    X509_free(cert);
  }
  pem_take(p, b);
}

static EVP_PKEY *make_key(const char *kind) {
  return strcmp(kind, "RSA") ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind)
                             : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
}

static void every_kind_of_pem(void **state) {
  (void)state;
  static const char *const kinds[] = {"RSA", "P-256", "P-384", "P-521"};
  static const char *const algs[] = {"RS256", "ES256", "ES384", "ES512"};
  for (int k = 0; k < 4; k++) {
    EVP_PKEY *key = make_key(kinds[k]);
    arena *a = arena_create();
    slice kid = SLICE_NONE;
    for (int form = 0; form < 4; form++) {
      key_pem p;
      jwt_key_list l;
      slice problem;
      pem_of(&p, key, form);
      assert_true(jwt_keys_parse(&l, a, slice_of(p.text, p.len), false, &problem));
      assert_int_equal(l.count, 1);
      assert_string_equal(l.items[0].alg, algs[k]);
      if (form) assert_true(slice_eq(kid, l.items[0].kid));
      kid = l.items[0].kid;
      jwt_keys_dispose(&l);
    }
    assert_int_equal(kid.len, 43);
    EVP_PKEY_free(key);
    arena_destroy(a);
  }
  arena *a = arena_create();
  jwt_key_list l;
  slice problem = SLICE_NONE;
  assert_false(jwt_keys_parse(&l, a, SLICE_LIT("rubbish"), false, &problem));
  check_text(problem, "data does not contain any valid RSA or ECDSA public keys");
  arena_destroy(a);
}

static void certificates(void **state) {
  (void)state;
  fixture f;
  key_pem p;
  EVP_PKEY *key = make_key("P-256");
  pem_of(&p, key, 3);
  BIO *b = BIO_new_mem_buf(p.text, (int)p.len);
  X509 *cert = PEM_read_bio_X509(b, NULL, NULL, NULL);
  unsigned char *der = NULL;
  int len = i2d_X509(cert, &der);
  fixture_open(&f, &(access_options){.token_file = SLICE_LIT(TOKENS)}, NULL);
  request *rq = fixture_request(&f, NULL);
  env_peer peer = {.client_cert_der = slice_of((char *)der, (size_t)len)};
  f.http.peer = &peer;
  assert_true(access_authenticate(rq));
  check_text(rq->user.name, "carol");
  assert_int_equal(rq->user.group_count, 3);
  check_text(rq->user.groups[0], "ops");
  check_text(rq->user.extra[0].key, "authentication.kubernetes.io/credential-id");
  assert_int_equal(rq->user.extra[0].values[0].len, strlen("X509SHA256=") + 64);
  OPENSSL_free(der);
  X509_free(cert);
  BIO_free(b);
  EVP_PKEY_free(key);
  fixture_close(&f);
}

/* ---- service accounts ---- */

static const stored accounts[] = {
    {"serviceaccounts", "ns", "sa",
     "{\"metadata\":{\"name\":\"sa\",\"namespace\":\"ns\",\"uid\":\"u-1\"}}"},
    {"pods", "ns", "pod",
     "{\"metadata\":{\"name\":\"pod\",\"uid\":\"u-2\"},\"spec\":{\"serviceAccountName\":\"sa\","
     "\"nodeName\":\"n1\",\"volumes\":[{\"name\":\"v\",\"secret\":{\"secretName\":\"s1\"}}]}}"},
    {NULL, NULL, NULL, NULL}};

static slice token_for(fixture *f, const char *spec) {
  slice error;
  request *rq = fixture_request(f, NULL);
  const val *account = json_parse(f->arena, slice_cstr(accounts[0].json), NULL, &error);
  val *tr = val_map(f->arena);
  val_setc(f->arena, tr, "spec", json_parse(f->arena, slice_cstr(spec), NULL, &error));
  val *answer = access_token_request(rq, account, tr);
  return answer ? val_str(val_path(answer, "status.token")) : SLICE_NONE;
}

static slice token_error(fixture *f, slice token, authn_result *r) {
  authn_context x = authn_context_of(fixture_request(f, NULL));
  *r = (authn_result){0};
  authn_outcome o = authn_token(&x, token, r);
  return o == AUTHN_OK ? SLICE_LIT("ok") : o == AUTHN_ERROR ? r->error : SLICE_LIT("none");
}

static void account_tokens_of(const char *kind) {
  fixture f;
  key_pem p;
  EVP_PKEY *key = make_key(kind);
  pem_of(&p, key, 0);
  EVP_PKEY_free(key);
  slice issuer = SLICE_LIT("https://issuer");
  access_options o = {.sa_signing_key_pem = slice_of(p.text, p.len), .issuers = &issuer,
                      .issuer_count = 1};
  fixture_open(&f, &o, accounts);
  authn_result r;
  slice token = token_for(&f, "{}");
  check_text(token_error(&f, token, &r), "ok");
  check_text(r.user.name, "system:serviceaccount:ns:sa");
  check_text(r.user.groups[1], "system:serviceaccounts:ns");
  slice bound =
      token_for(&f,
                "{\"boundObjectRef\":{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"name\":\"pod\"}}");
  check_text(token_error(&f, bound, &r), "ok");
  assert_int_equal(r.user.extra_count, 4);
  slice other = token_for(&f, "{\"audiences\":[\"other\"]}");
  check_text(token_error(&f, other, &r), "token audiences [\"other\"] is invalid for the target "
                                         "audiences [\"https://issuer\"]");
  char *bad = arena_cstr(f.arena, token);
  bad[token.len - 10] = bad[token.len - 10] == 'A' ? 'B' : 'A';
  check_text(token_error(&f, slice_of(bad, token.len), &r),
             "go-jose/go-jose: error in cryptographic primitive");
  f.env.wall_ns += (int64_t)3661 * 1000000000;
  check_text(token_error(&f, token, &r), "service account token has expired");
  f.env.wall_ns -= (int64_t)3722 * 1000000000;
  check_text(token_error(&f, token, &r), "service account token is not valid yet");
  f.env.wall_ns = NOW_S * 1000000000;
  f.objects = accounts + 1;
  check_text(token_error(&f, token, &r), "serviceaccounts \"sa\" not found");
  fixture_close(&f);
}

static void account_tokens(void **state) {
  (void)state;
  account_tokens_of("RSA");
  account_tokens_of("P-256");
  account_tokens_of("P-521");
}

static void token_request_errors(void **state) {
  (void)state;
  static const struct {
    const char *spec, *message;
  } rows[] = {
      {"{\"expirationSeconds\":5}",
       "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: "
       "5: may not specify a duration less than 10 minutes"},
      {"{\"boundObjectRef\":{\"kind\":\"Pod\",\"name\":\"x\"}}", "pods \"x\" not found"},
      {"{\"boundObjectRef\":{\"kind\":\"Pod\"}}", "Name parameter required."},
      {"{\"boundObjectRef\":{\"kind\":\"A\",\"apiVersion\":\"apps/v1\",\"name\":\"x\"}}",
       "cannot bind token to object of type apps/v1, Kind=A"},
  };
  fixture f;
  key_pem p;
  EVP_PKEY *key = make_key("P-256");
  pem_of(&p, key, 0);
  EVP_PKEY_free(key);
  slice issuer = SLICE_LIT("https://issuer");
  access_options o = {.sa_signing_key_pem = slice_of(p.text, p.len), .issuers = &issuer,
                      .issuer_count = 1};
  fixture_open(&f, &o, accounts);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_int_equal(token_for(&f, rows[i].spec).len, 0);
    check_text(f.rq.error.message, rows[i].message);
  }
  fixture_close(&f);
}

/* ---- may they ---- */

static const stored policy[] = {
    {"clusterroles", "", "reader",
     "{\"rules\":[{\"apiGroups\":[\"\"],\"resources\":[\"pods\",\"*/scale\"],\"verbs\":[\"get\","
     "\"list\"]},{\"apiGroups\":[\"\"],\"resources\":[\"configmaps\"],\"resourceNames\":[\"a\"],"
     "\"verbs\":[\"*\"]},{\"nonResourceURLs\":[\"/foo/*\",\"/bar\"],\"verbs\":[\"get\"]}]}"},
    {"clusterrolebindings", "", "all",
     "{\"roleRef\":{\"kind\":\"ClusterRole\",\"name\":\"reader\"},\"subjects\":[{"
     "\"kind\":\"Group\",\"name\":\"devs\"}]}"},
    {"roles", "ns", "writer",
     "{\"rules\":[{\"apiGroups\":[\"*\"],\"resources\":[\"*\"],\"verbs\":[\"create\"]}]}"},
    {"rolebindings", "ns", "lost",
     "{\"roleRef\":{\"kind\":\"Role\",\"name\":\"gone\"},\"subjects\":[{"
     "\"kind\":\"User\",\"name\":\"al\"}]}"},
    {"rolebindings", "ns", "sa",
     "{\"roleRef\":{\"kind\":\"Role\",\"name\":\"writer\"},\"subjects\":[{"
     "\"kind\":\"ServiceAccount\",\"name\":\"sa\"}]}"},
    {NULL, NULL, NULL, NULL}};

static void rbac_questions(void **state) {
  (void)state;
  static const slice devs[] = {{"devs", 4}};
  static const struct {
    const char *user;
    bool dev;
    const char *verb, *resource, *sub, *name, *namespace;
    bool allowed;
    const char *reason;
  } rows[] = {
      {"bob", true, "get", "pods", "", "", "", true,
       "RBAC: allowed by ClusterRoleBinding \"all\" of ClusterRole \"reader\" to Group \"devs\""},
      {"bob", false, "get", "pods", "", "", "", false, ""},
      {"bob", true, "get", "pods", "log", "", "", false, ""},
      {"bob", true, "get", "things", "scale", "", "", true, NULL},
      {"bob", true, "delete", "configmaps", "", "a", "ns", true, NULL},
      {"bob", true, "delete", "configmaps", "", "b", "ns", false, ""},
      {"al", false, "get", "pods", "", "", "ns", false,
       "RBAC: role.rbac.authorization.k8s.io \"gone\" not found"},
      {"system:serviceaccount:ns:sa", false, "create", "pods", "", "", "ns", true,
       "RBAC: allowed by RoleBinding \"sa/ns\" of Role \"writer\" to ServiceAccount \"sa/ns\""},
      {"system:serviceaccount:ns:sa", false, "create", "pods", "", "", "other", false, ""},
      {"system:serviceaccount:nsx:sa", false, "create", "pods", "", "", "ns", false, ""},
  };
  fixture f;
  fixture_open(&f, &(access_options){.authorization_modes = SLICE_LIT("Node,RBAC")}, policy);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    access_attributes q = ask(rows[i].user, devs, rows[i].dev, rows[i].verb, "", rows[i].resource,
                              rows[i].namespace);
    q.subresource = slice_cstr(rows[i].sub);
    q.name = slice_cstr(rows[i].name);
    slice reason;
    assert_true((access_decide(&f.server, f.arena, &q,
                               &reason) == ACCESS_ALLOW) == rows[i].allowed);
    if (rows[i].reason) check_text(reason, rows[i].reason);
  }
  static const char *const paths[] = {"/foo/x", "/foo/", "/bar"},
      *const closed[] = {"/foo", "/bar/x"};
  for (int i = 0; i < 5; i++) {
    access_attributes q = ask("bob", devs, 1, "get", "", "", "");
    slice reason;
    q.is_resource = false;
    q.path = slice_cstr(i < 3 ? paths[i] : closed[i - 3]);
    assert_true((access_decide(&f.server, f.arena, &q, &reason) == ACCESS_ALLOW) == (i < 3));
  }
  f.objects = policy + 2; /* the cache goes by the revision */
  access_attributes q = ask("bob", devs, 1, "get", "", "pods", "");
  slice reason;
  assert_int_equal(access_decide(&f.server, f.arena, &q, &reason), ACCESS_ALLOW);
  f.revision++;
  assert_int_equal(access_decide(&f.server, f.arena, &q, &reason), ACCESS_NO_OPINION);
  fixture_close(&f);
}

static void many_namespaces(void **state) {
  (void)state;
  fixture f;
  fixture_open(&f, &(access_options){.authorization_modes = SLICE_LIT("RBAC")}, policy);
  for (int i = 0; i < 3000; i++) {
    slice reason, name = arena_printf(f.arena, "ns-%d", i * 7919 % 3000);
    access_attributes q = ask("bob", NULL, 0, "get", "", "pods", name.ptr);
    assert_int_equal(access_decide(&f.server, f.arena, &q, &reason), ACCESS_NO_OPINION);
  }
  fixture_close(&f);
}

static void nodes(void **state) {
  (void)state;
  static const slice group[] = {{"system:nodes", 12}};
  static const struct {
    const char *verb, *resource, *name;
    bool allowed;
    const char *reason;
  } rows[] = {
      {"get", "secrets", "s1", true, ""},
      {"get", "secrets", "s2", false, "no relationship found between node 'n1' and this object"},
      {"update", "secrets", "s1", false, "can only read resources of this type"},
      {"get", "nodes", "n1", true, ""},
      {"get", "nodes", "n2", false, "node 'n1' cannot read 'n2', only its own Node object"},
      {"list", "nodes", "", false, "node 'n1' cannot read all nodes, only its own Node object"},
      {"list", "pods", "", false, "can only list/watch pods with spec.nodeName field selector"},
      {"get", "pods", "pod", true, ""},
      {"get", "serviceaccounts", "sa", true, ""},
      {"list", "services", "", true, ""},
      {"list", "endpoints", "", false, ""},
  };
  fixture f;
  fixture_open(&f, &(access_options){.authorization_modes = SLICE_LIT("Node")}, accounts);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    access_attributes q = ask("system:node:n1", group, 1, rows[i].verb, "", rows[i].resource, "ns");
    slice reason;
    q.name = slice_cstr(rows[i].name);
    assert_true((access_decide(&f.server, f.arena, &q,
                               &reason) == ACCESS_ALLOW) == rows[i].allowed);
    check_text(reason, rows[i].reason);
  }
  fixture_close(&f);
}

static void refusals(void **state) {
  (void)state;
  fixture f;
  fixture_open(&f, &(access_options){.token_file = SLICE_LIT(TOKENS), .anonymous = true,
                                     .authorization_modes = SLICE_LIT("RBAC")}, NULL);
  request *rq = fixture_request(&f, (const char *const[]){"Authorization: Bearer alicetoken",
                                                          NULL});
  assert_true(access_authenticate(rq));
  rq->info = (request_info){.is_resource = true, .verb = SLICE_LIT("list"),
                            .resource = SLICE_LIT("pods"),
                            .namespace = SLICE_LIT("default")};
  assert_false(access_authorize(rq));
  check_text(rq->error.message,
             "pods is forbidden: User \"alice\" cannot list resource \"pods\" in API "
                                "group \"\" in the namespace \"default\"");
  rq = fixture_request(&f, NULL);
  assert_true(access_authenticate(rq));
  rq->info = (request_info){.verb = SLICE_LIT("get"), .path = SLICE_LIT("/<&>")};
  assert_false(access_authorize(rq));
  check_text(rq->error.message,
             "forbidden: User \"system:anonymous\" cannot get path \"/&lt;&amp;&gt;\"");
  rq = fixture_request(&f, (const char *const[]){"Authorization: Bearer admintoken", NULL});
  assert_true(access_authenticate(rq) && access_authorize(rq));
  fixture_close(&f);
}

static void impersonation(void **state) {
  (void)state;
  static const struct {
    const char *token, *header, *more, *user, *message;
    uint32_t groups;
  } rows[] = {
      {"alicetoken", "Impersonate-User: bob", NULL, NULL,
       "pods is forbidden: User \"alice\" cannot impersonate-on:user-info:list resource \"pods\" "
       "in API group \"\" at the cluster scope", 0},
      {"alicetoken", "Impersonate-Group: g", "Impersonate-Extra-a%2Fb: x", NULL,
       "requested &user.DefaultInfo{Name:\"\", UID:\"\", Groups:[]string{\"g\"}, "
       "Extra:map[string][]string{\"a/b\":[]string{\"x\"}}} without impersonating a user name", 0},
      {"admintoken", "Impersonate-User: bob", "Impersonate-Group: g", "bob", NULL, 2},
      {"admintoken", "Impersonate-User: bob", "Impersonate-Group: system:masters", "bob", NULL, 2},
      {"admintoken", "Impersonate-User: system:anonymous", NULL, "system:anonymous", NULL, 1},
      {"admintoken", "Impersonate-User: system:serviceaccount:a:b", NULL,
       "system:serviceaccount:a:b", NULL, 3},
      {"alicetoken", "Impersonate-User:", NULL, "alice", NULL, 3},
  };
  fixture f;
  fixture_open(&f, &(access_options){.token_file = SLICE_LIT(TOKENS),
                                     .authorization_modes = SLICE_LIT("RBAC")}, NULL);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    slice bearer = arena_printf(f.arena, "Authorization: Bearer %s", rows[i].token);
    request *rq = fixture_request(&f, (const char *const[]){bearer.ptr, rows[i].header,
                                                            rows[i].more, NULL});
    assert_true(access_authenticate(rq));
    rq->info = (request_info){.is_resource = true, .verb = SLICE_LIT("list"),
                              .resource = SLICE_LIT("pods")};
    assert_true(access_impersonate(rq) == (rows[i].user != NULL));
    if (!rows[i].user) {
      check_text(rq->error.message, rows[i].message);
      continue;
    }
    check_text(rq->user.name, rows[i].user);
    assert_int_equal(rq->user.group_count, rows[i].groups);
  }
  fixture_close(&f);
}

static void escalation(void **state) {
  (void)state;
  static const struct {
    const char *rules, *why; /* NULL: covered */
  } rows[] = {
      {"[{\"apiGroups\":[\"\"],\"resources\":[\"pods\",\"x/scale\"],\"verbs\":[\"get\",\"list\"]}]",
       NULL},
      {"[{\"nonResourceURLs\":[\"/foo/a\",\"/foo/*\"],\"verbs\":[\"get\"]}]", NULL},
      {"[]", NULL},
      {"[{\"apiGroups\":[\"\"],\"resources\":[\"configmaps\"],\"resourceNames\":[\"a\"],"
       "\"verbs\":[\"get\"]}]", NULL},
      {"[{\"apiGroups\":[\"\",\"b\"],\"resources\":[\"pods\"],\"verbs\":[\"get\",\"put\"]},"
       "{\"nonResourceURLs\":[\"/x\"],\"verbs\":[\"get\"]}]",
       "user \"bob\" (groups=[\"devs\"]) is attempting to grant RBAC permissions not currently "
       "held:\n{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"put\"]}\n"
       "{APIGroups:[\"b\"], Resources:[\"pods\"], Verbs:[\"get\" \"put\"]}\n"
       "{NonResourceURLs:[\"/x\"], Verbs:[\"get\"]}"},
  };
  static const slice devs[] = {{"devs", 4}};
  fixture f;
  fixture_open(&f, &(access_options){.authorization_modes = SLICE_LIT("RBAC")}, policy);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    slice error, why = SLICE_NONE;
    request *rq = fixture_request(&f, NULL);
    rq->user = (user_info){.name = SLICE_LIT("bob"), .groups = devs, .group_count = 1};
    rq->resource = schema_resource(SLICE_LIT("rbac.authorization.k8s.io"), SLICE_LIT("v1"),
                                   SLICE_LIT("roles"));
    val *list = json_parse(f.arena, slice_cstr(rows[i].rules), NULL, &error);
    rbac_rules rules = rbac_rules_of(f.arena, list);
    assert_true(escalate_covered(rq, SLICE_NONE, &rules, &why) == (rows[i].why == NULL));
    if (rows[i].why) check_text(why, rows[i].why);
  }
  fixture_close(&f);
}

static void a_rule_that_multiplies(void **state) {
  (void)state;
  static const slice devs[] = {{"devs", 4}};
  enum { N = 3000 };
  fixture f;
  fixture_open(&f, &(access_options){.authorization_modes = SLICE_LIT("RBAC")}, policy);
  request *rq = fixture_request(&f, NULL);
  slice *many = ARENA_ARRAY(f.arena, slice, N), why;
  for (int i = 0; i < N; i++) many[i] = arena_printf(f.arena, "x%d", i);
  rbac_strings all = {many, N};
  rbac_rule rule = {.verbs = all, .groups = all, .resources = all, .names = all};
  rbac_rules rules = {&rule, 1};
  rq->user = (user_info){.name = SLICE_LIT("bob"), .groups = devs, .group_count = 1};
  rq->resource = schema_resource(SLICE_LIT("rbac.authorization.k8s.io"), SLICE_LIT("v1"),
                                 SLICE_LIT("roles"));
  assert_false(escalate_covered(rq, SLICE_NONE, &rules, &why)); /* and soon */
  fixture_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(token_files),       cmocka_unit_test(quoting),
      cmocka_unit_test(base64url),         cmocka_unit_test(modes),
      cmocka_unit_test(bearer_tokens),     cmocka_unit_test(hostile_tokens),
      cmocka_unit_test(every_kind_of_pem), cmocka_unit_test(certificates),
      cmocka_unit_test(account_tokens),    cmocka_unit_test(token_request_errors),
      cmocka_unit_test(rbac_questions),    cmocka_unit_test(many_namespaces),
      cmocka_unit_test(nodes),             cmocka_unit_test(refusals),
      cmocka_unit_test(impersonation),     cmocka_unit_test(escalation),
      cmocka_unit_test(a_rule_that_multiplies),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
