/* head: a request's first line and header lines, read strictly and without allocation.
 *
 * The reader is resumable: call http_head_scan again with the same bytes and more behind
 * them; nothing is looked at twice, so bytes dribbled one at a time cost linear time. Lines
 * end in LF with an optional CR before it; a line that starts with a blank continues the
 * header before it. What is refused, and with which words, is what Go's net/http refuses
 * (checked against the real server). */
#ifndef APISIM_HTTP_HEAD_H
#define APISIM_HTTP_HEAD_H

#include "base/arena.h"
#include "base/slice.h"
#include "http/http.h"

#include <stdint.h>

typedef enum http_scan { HTTP_SCAN_PARTIAL, HTTP_SCAN_DONE, HTTP_SCAN_BAD } http_scan;

/* Zero it before a request's first byte. Offsets count from the request's first byte. */
typedef struct http_head {
  size_t line; /* where the line under way starts */
  size_t seen; /* no LF between line and here */
  size_t fields; /* where the header lines start */
  size_t end; /* behind the blank line, once done */
  uint32_t target_at, target_len, method_len;
  uint32_t count; /* headers, continuations not counted */
  uint8_t major, minor;
  bool in_fields;
  bool folded; /* some header is continued: its value is not one run of bytes */
  bool name_space; /* some name holds a space: let through here, refused later (400 with words) */
} http_head;

/* DONE: h->end bytes are the head. BAD: answer 400. */
http_scan http_head_scan(http_head *h, slice bytes);
/* After DONE: fills out[0..h->count). Names and values point into `bytes`; a continued value
 * is joined in the arena. */
void http_head_fields(const http_head *h, slice bytes, arena *a, http_header *out);

/* A token of RFC 9110, as methods are. */
bool http_is_token(slice s);
/* Whether a comma-separated header value names the token, letters' case aside. */
bool http_value_has_token(slice value, const char *token);
/* Bytes that may stand in a Host header. */
bool http_is_host(slice s);

#endif
