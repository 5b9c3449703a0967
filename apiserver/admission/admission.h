/* admission: plugins between decoding and storing, in the real server's order.
 * Source: pkg/kubeapiserver/options/plugins.go; one file a plugin. */
#ifndef APISIM_ADMISSION_ADMISSION_H
#define APISIM_ADMISSION_ADMISSION_H

#include "base/val.h"
#include "request/request.h"

typedef enum admission_op {
  ADMIT_CREATE = 1,
  ADMIT_UPDATE = 2,
  ADMIT_DELETE = 4,
  ADMIT_CONNECT = 8,
} admission_op;

typedef struct admission_args {
  request *rq;
  admission_op op;
  const resource_info *resource;
  slice subresource;
  slice namespace, name;
  val *obj; /* NULL on delete; the new object (of a subresource: the parent object) */
  const val *old; /* NULL on create */
  const val *options; /* DeleteOptions, CreateOptions... */
  bool dry_run;
  struct webhook_round *round; /* of a mutating pass (webhook.h) */
} admission_args;

/* Mutating pass, then (later, after validation) the validating pass. False with rq->error. */
bool admission_mutate(const admission_args *args);
bool admission_validate(const admission_args *args);

/* The webhooks alone, both passes: of an object that the other plugins know in another form. */
bool admission_webhooks(const admission_args *args);

/* A creation at a subresource of rq->info.name (binding, eviction, token): both passes. */
bool admission_create_at(request *rq, val *body);

/* Flags --enable-admission-plugins / --disable-admission-plugins; false and *unknown for a
 * name the real server does not know. */
bool admission_configure(server *s, slice enable_csv, slice disable_csv, slice *unknown);

#endif
