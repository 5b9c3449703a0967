/* Options to configuration: files parsed once, modes checked in the real server's words. */
#include "access/config.h"

#include "access/flow.h"
#include "access/rbac.h"
#include "access/text.h"
#include "base/heap.h"

#include <assert.h>

const access_source access_registry = {registry_get, registry_each, registry_revision,
                                         registry_update};

static const slice *slices_copy(arena *a, const slice *from, uint32_t count) {
  slice *to = ARENA_ARRAY(a, slice, count ? count : 1);
  for (uint32_t i = 0; i < count; i++) to[i] = arena_copy(a, from[i]);
  return to;
}

static const struct {
  const char *name;
  int mode; /* -1: known, but it needs what is not here */
} mode_rows[] = {
    {"Node", MODE_NODE},
    {"RBAC", MODE_RBAC},
    {"AlwaysAllow", MODE_ALWAYS_ALLOW},
    {"AlwaysDeny", MODE_ALWAYS_DENY},
    {"ABAC", -1},
    {"Webhook", -1},
};

static bool mode_add(access_config *c, slice name, slice *problem) {
  arena *a = c->arena;
  size_t row = 0, rows = sizeof mode_rows / sizeof mode_rows[0];
  while (row < rows && !slice_is(name, mode_rows[row].name)) row++;
  if (row == rows) {
    slice quoted = text_quoted(a, name);
    *problem = arena_printf(a, "authorization-mode %.*s is not a valid mode", SLICE_ARG(quoted));
    return false;
  }
  if (mode_rows[row].mode < 0) {
    *problem = arena_printf(a, "authorization-mode %.*s is not supported", SLICE_ARG(name));
    return false;
  }
  access_mode mode = (access_mode)mode_rows[row].mode;
  for (uint32_t i = 0; i < c->mode_count; i++) {
    if (c->modes[i] != mode) continue;
    *problem = arena_printf(a, "authorization-mode \"%.*s\" has mode specified more than once",
                            SLICE_ARG(name));
    return false;
  }
  assert(c->mode_count < sizeof c->modes / sizeof c->modes[0]);
  c->modes[c->mode_count++] = mode;
  return true;
}

static bool modes_parse(access_config *c, slice text, slice *problem) {
  if (text.len == 0) return mode_add(c, SLICE_LIT("AlwaysAllow"), problem);
  bool more = true;
  while (more) {
    slice name;
    more = slice_cut(text, ',', &name, &text);
    if (!mode_add(c, slice_trim(name), problem)) return false;
  }
  return true;
}

static bool keys_parse(access_config *c, const access_options *o, slice *problem) {
  jwt_key_list signing;
  if (!jwt_keys_parse(&c->keys, c->arena, o->sa_public_keys_pem, false, problem)) return false;
  if (!jwt_keys_parse(&signing, c->arena, o->sa_signing_key_pem, true, problem)) return false;
  if (signing.count == 0) return true;
  jwt_key *signer = ARENA_NEW(c->arena, jwt_key);
  *signer = signing.items[0];
  c->signer = signer;
  for (uint32_t i = 1; i < signing.count; i++) { /* only the first signs */
    jwt_key_list rest = {&signing.items[i], 1};
    jwt_keys_dispose(&rest);
  }
  if (c->keys.count == 0) {
    return jwt_keys_parse(&c->keys, c->arena, o->sa_signing_key_pem, true, problem);
  }
  return true;
}

/* The problem's text must outlive the configuration that failed. */
static access_config *config_fail(access_config *c, slice *problem) {
  char *text = heap_alloc(problem->len + 1);
  memcpy(text, problem->ptr, problem->len);
  text[problem->len] = '\0';
  *problem = (slice){text, problem->len};
  access_destroy(c);
  return NULL;
}

access_config *access_create(const access_options *o, slice *problem) {
  access_config *c = heap_zalloc(sizeof *c);
  c->arena = arena_create();
  c->source = &access_registry;
  c->rbac = rbac_create();
  c->flow = flow_create();
  c->anonymous = o->anonymous;
  c->sa_max_expiration_s = o->sa_max_expiration_s;
  c->issuers = slices_copy(c->arena, o->issuers, o->issuer_count);
  c->issuer_count = o->issuer_count;
  bool own = o->audience_count > 0; /* the issuers are the default audiences */
  c->audience_count = own ? o->audience_count : o->issuer_count;
  c->audiences = slices_copy(c->arena, own ? o->api_audiences : o->issuers, c->audience_count);
  if (!modes_parse(c, o->authorization_modes, problem) ||
      !token_table_parse(&c->tokens, c->arena, o->token_file, problem) ||
      !keys_parse(c, o, problem)) {
    return config_fail(c, problem);
  }
  return c;
}

void access_forget(access_config *c) {
  rbac_forget(c->rbac);
  flow_forget(c->flow);
}

void access_destroy(access_config *c) {
  if (!c) return;
  rbac_destroy(c->rbac);
  flow_destroy(c->flow);
  jwt_keys_dispose(&c->keys);
  if (c->signer) {
    jwt_key_list signer = {(jwt_key[]){*c->signer}, 1};
    jwt_keys_dispose(&signer);
  }
  arena_destroy(c->arena);
  heap_free(c);
}
