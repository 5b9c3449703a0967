/* go_url: a URL taken apart as Go's net/url.Parse does it, and its words for one that is none.
 * What stands between brackets as host is not looked at. Source: Go 1.26 net/url. */
#ifndef APISIM_REGISTRY_VALIDATION_GO_URL_H
#define APISIM_REGISTRY_VALIDATION_GO_URL_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdbool.h>

typedef struct go_url {
  slice scheme; /* in lower case */
  slice user; /* as Go's Userinfo.String shows it */
  slice host, path, query, fragment; /* as written, but for the fragment's escapes */
  bool has_user;
} go_url;

/* Linear. False, and *why: the whole error, as "parse \"%d\": invalid URL escape \"%d\"". What is
 * behind "scheme:" without a slash is opaque: no part of it is in *out. */
bool go_url_parse(arena *a, slice text, go_url *out, slice *why);

#endif
