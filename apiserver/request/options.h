/* options: the query parameters (and bodies) that steer a verb, read and validated as the
 * real server does. Source: apimachinery pkg/apis/meta/{v1,internalversion}/validation. */
#ifndef APISIM_REQUEST_OPTIONS_H
#define APISIM_REQUEST_OPTIONS_H

#include "request/request.h"

/* Create, update and patch: dryRun, fieldManager, fieldValidation, force. Fills rq's fields.
 * kind is "CreateOptions", "UpdateOptions" or "PatchOptions". False with rq->error. */
typedef struct write_options {
  bool force, force_set;
  slice manager; /* as given; may be empty */
} write_options;
bool options_read_write(request *rq, const char *kind, bool apply, write_options *out);

typedef struct list_options {
  slice label_selector, field_selector; /* texts */
  bool watch, allow_bookmarks;
  slice resource_version, match, continue_token;
  int64_t limit;
  bool timeout_set;
  int64_t timeout_s;
  bool initial_events_set, initial_events;
} list_options;
/* False with a 400 for a number that is none. `watch` is the parameter: one of the deprecated paths
 * makes a watch without it, whose options count as a list's. */
bool options_read_list(request *rq, list_options *out);
/* Applies the defaults of WatchList; false with a 422 where options do not go together. */
bool options_check_list(request *rq, list_options *o);

typedef struct delete_options {
  bool grace_set;
  int64_t grace_s;
  bool orphan_set, orphan;
  bool propagation_set;
  slice propagation; /* "", "Orphan", "Background", "Foreground" */
  bool uid_set, version_set;
  slice uid, version;
  bool preconditions; /* given, with or without fields */
  bool ignore_read_error; /* delete what can't be read: unread where its gate is off */
} delete_options;
/* From the body where there is one, else from the query. */
bool options_read_delete(request *rq, delete_options *out);

/* ?timeout= of the request itself: 400 where it is no duration. */
bool options_check_timeout(request *rq);

#endif
