/* request_info: what a path asks for. Rule: apiserver pkg/endpoints/request/requestinfo.go. */
#ifndef APISIM_REQUEST_INFO_H
#define APISIM_REQUEST_INFO_H

#include "request/request.h"

/* Fills `info` from method, decoded path and query. False with *problem where the real
 * server answers 500 ("unable to determine kind and namespace from url, /api/v1/watch"). */
bool request_info_read(arena *a, const http_exchange *x, request_info *info, slice *problem);

/* Requests that last and are no watches (exec, logs, proxies): they have no deadline, and flow
 * control has no say in them. Source: BasicLongRunningRequestCheck. */
bool request_info_is_long(const request_info *i);

/* True for names that the URL may carry: not ".", "..", no "/" and no "%". *why (may be NULL) is
 * the text. */
bool name_is_path_segment(slice name, const char **why);

#endif
