/* config: what access_create made of its options; shared by the files of this folder only. */
#ifndef APISIM_ACCESS_CONFIG_H
#define APISIM_ACCESS_CONFIG_H

#include "access/access.h"
#include "access/jwt_keys.h"
#include "access/token_file.h"
#include "verb/registry.h"

#define GROUP_MASTERS SLICE_LIT("system:masters")
#define GROUP_AUTHENTICATED SLICE_LIT("system:authenticated")
#define GROUP_UNAUTHENTICATED SLICE_LIT("system:unauthenticated")
#define GROUP_NODES SLICE_LIT("system:nodes")
#define USER_ANONYMOUS SLICE_LIT("system:anonymous")

typedef enum access_mode {
  MODE_NODE,
  MODE_RBAC,
  MODE_ALWAYS_ALLOW,
  MODE_ALWAYS_DENY,
} access_mode;

/* Where stored objects are looked up: the registry, or a test's own. */
typedef struct access_source {
  val *(*get)(server *s, arena *a, const resource_info *r, slice namespace, slice name);
  void (*each)(server *s, arena *a, const resource_info *r, slice namespace, registry_visit visit,
               void *ctx);
  int64_t (*revision)(server *s, const resource_info *r);
  /* NULL: nothing is written. */
  bool (*update)(server *s, arena *a, const resource_info *r, val *obj, slice manager);
} access_source;
extern const access_source access_registry; /* the default */

struct access_config {
  arena *arena; /* everything below */
  token_table tokens;
  jwt_key_list keys; /* that verify service account tokens */
  const jwt_key *signer; /* NULL: no token requests */
  const slice *issuers, *audiences;
  uint32_t issuer_count, audience_count;
  access_mode modes[8];
  uint32_t mode_count;
  bool anonymous;
  int64_t sa_max_expiration_s;
  struct rbac_cache *rbac;
  struct flow_cache *flow;
  const access_source *source;
};

bool user_has_group(const user_info *u, slice group);
/* The same user with one group more; its arrays live in `a`. */
user_info user_with_group(arena *a, const user_info *u, slice group);
/* One more pair, kept sorted by key as Go prints maps. */
void user_add_extra(arena *a, user_info *u, slice key, slice value);

/* What a request asks for. */
access_attributes access_attributes_of(const request *rq);

/* "system:serviceaccount:ns:name" with a valid namespace and name. */
bool service_account_split(slice username, slice *namespace, slice *name);
/* A DNS-1123 subdomain: what nodes and service accounts are called. */
bool name_is_subdomain(slice name);
/* The two groups of a namespace's service accounts, in `a`. */
const slice *service_account_groups(arena *a, slice namespace);

#endif
