/* access_fixture: a server that has only access, over objects given as JSON; for tests. */
#ifndef APISIM_ACCESS_FIXTURE_H
#define APISIM_ACCESS_FIXTURE_H

#include "access/authn.h"
#include "server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef struct stored { /* one object; the array ends with a NULL resource */
  const char *resource, *namespace, *name, *json;
} stored;

typedef struct fixture {
  server server; /* first: the fake source finds the objects from it */
  const stored *objects;
  int64_t revision;
  arena *arena;
  env env;
  http_exchange http;
  http_header headers[16];
  request rq;
} fixture;

void fixture_open(fixture *f, const access_options *o, const stored *objects);
void fixture_close(fixture *f);
/* A fresh request of nobody yet, with "Name: value" headers up to NULL. */
request *fixture_request(fixture *f, const char *const *headers);
/* A question of `user` (one group or NULL). */
access_attributes ask(const char *user, const slice *groups, uint32_t count, const char *verb,
                      const char *group, const char *resource, const char *namespace);

#endif
