/* url: a request's target taken apart as Go's url.ParseRequestURI does it, and queries as
 * url.ParseQuery does it (a pair that holds ';' or a broken escape is left out; more than
 * 10,000 pairs give none). */
#ifndef APISIM_HTTP_URL_H
#define APISIM_HTTP_URL_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdint.h>

#define URL_QUERY_PAIRS_MAX 10000u

typedef struct url {
  slice path; /* percent-decoded, not cleaned; borrowed when nothing was escaped */
  slice raw_query;
  bool absolute; /* "http://host/path" */
} url;

/* False: answer 400. connect: the method is CONNECT, whose target is an authority. */
bool url_parse_target(arena *a, slice target, bool connect, url *out);

/* Percent-decodes; with plus, '+' is a space. False for a broken escape. */
bool url_decode(arena *a, slice s, bool plus, slice *out);

typedef struct url_pair {
  slice name, value;
} url_pair;
typedef struct url_query {
  uint32_t count;
  url_pair *pairs;
} url_query;
/* Never NULL. */
url_query *url_parse_query(arena *a, slice raw_query);

#endif
