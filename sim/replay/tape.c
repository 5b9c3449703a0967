/* Reading tapes. Bodies come as text ("body") or base64 ("body_b64"); both end as bytes, since
 * nothing behind this file cares how they were written down. */
#include "sim/replay/tape.h"

#include "sim/file.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define TAPE_MAX ((size_t)1 << 30)

static slice bytes_of(arena *a, json_t *from, const char *plain, const char *b64) {
  json_t *text = json_object_get(from, plain);
  if (json_is_string(text)) {
    return arena_copy(a, slice_of(json_string_value(text), json_string_length(text)));
  }
  text = json_object_get(from, b64);
  if (!json_is_string(text)) {
    return SLICE_NONE;
  }
  size_t len = json_string_length(text);
  unsigned char *out = arena_alloc(a, len / 4 * 3 + 4);
  int n = EVP_DecodeBlock(out, (const unsigned char *)json_string_value(text), (int)len);
  if (n < 0) {
    return SLICE_NONE;
  }
  const char *s = json_string_value(text);
  size_t pad = (len > 0 && s[len - 1] == '=') + (size_t)(len > 1 && s[len - 2] == '=');
  return slice_of((const char *)out, (size_t)n - pad);
}

static slice text_of(arena *a, json_t *from, const char *key) {
  json_t *v = json_object_get(from, key);
  return json_is_string(v) ? arena_copy(a, slice_of(json_string_value(v), json_string_length(v)))
                           : SLICE_NONE;
}

static int64_t number_of(json_t *from, const char *key) {
  return (int64_t)json_integer_value(json_object_get(from, key));
}

static tape_headers headers_of(arena *a, json_t *from) {
  json_t *h = json_object_get(from, "headers");
  tape_header *items = ARENA_ARRAY(a, tape_header, json_object_size(h) + 1);
  tape_headers out = {0, items};
  const char *name;
  json_t *value;
  json_object_foreach(h, name, value) {
    if (json_is_string(value)) {
      items[out.count].name = arena_copy(a, slice_cstr(name));
      items[out.count].value =
          arena_copy(a, slice_of(json_string_value(value), json_string_length(value)));
      out.count++;
    }
  }
  return out;
}

static void frames_of(arena *a, json_t *res, tape_exchange *x) {
  json_t *list = json_object_get(res, "frames");
  size_t n = json_array_size(list);
  tape_frame *frames = ARENA_ARRAY(a, tape_frame, n + 1);
  size_t total = 0;
  for (size_t i = 0; i < n; i++) {
    json_t *f = json_array_get(list, i);
    frames[i].at_ms = number_of(f, "at_ms");
    frames[i].data = bytes_of(a, f, "data", "data_b64");
    total += frames[i].data.len;
  }
  x->frames = frames;
  x->frame_count = (uint32_t)n;
  if (n > 0) {
    char *joined = arena_alloc(a, total + 1);
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
      if (frames[i].data.len > 0) {
        memcpy(joined + at, frames[i].data.ptr, frames[i].data.len);
      }
      at += frames[i].data.len;
    }
    x->body = slice_of(joined, total);
  }
}

/* A watch that nothing came from has no frames, and tapes do not mark it as a stream. */
static bool is_silent_watch(const tape_exchange *x) {
  slice watch = target_param(x->target, "watch");
  return x->status == 200 && x->body.len == 0 && (slice_is(watch, "true") || slice_is(watch, "1"));
}

static bool exchange_of(arena *a, json_t *line, tape_exchange *x) {
  json_t *req = json_object_get(line, "req"), *res = json_object_get(line, "res");
  if (!json_is_object(req) || !json_is_object(res)) {
    return false;
  }
  x->seq = number_of(line, "seq");
  x->at_ms = number_of(line, "at_ms");
  x->done_ms = number_of(line, "done_ms");
  x->method = text_of(a, req, "method");
  x->target = text_of(a, req, "target");
  x->request_headers = headers_of(a, req);
  x->request_body = bytes_of(a, req, "body", "body_b64");
  x->status = (int)number_of(res, "status");
  x->headers = headers_of(a, res);
  x->body = bytes_of(a, res, "body", "body_b64");
  frames_of(a, res, x);
  x->stream = json_is_true(json_object_get(res, "stream")) || is_silent_watch(x);
  return x->method.len > 0 && x->target.len > 0 && x->target.ptr[0] == '/';
}

/* "…/kubectl-1.36/01-pods.tape.jsonl" is the session kubectl-1.36/01-pods. */
static slice session_of(arena *a, slice path) {
  static const slice endings[] = {{".jsonl", 6}, {".tape", 5}};
  for (size_t i = 0; i < 2; i++) {
    if (slice_has_suffix(path, endings[i])) {
      path = slice_upto(path, path.len - endings[i].len);
    }
  }
  int slashes = 0;
  for (size_t i = path.len; i > 0; i--) {
    if (path.ptr[i - 1] == '/' && ++slashes == 2) {
      path = slice_from(path, i);
      break;
    }
  }
  return arena_copy(a, path);
}

static size_t count_lines(slice text) {
  size_t n = 1;
  for (size_t i = 0; i < text.len; i++) {
    n += text.ptr[i] == '\n';
  }
  return n;
}

static bool parse_line(tape *t, slice line, bool first) {
  json_error_t error;
  json_t *v = json_loadb(line.ptr, line.len, JSON_ALLOW_NUL, &error);
  bool good = json_is_object(v);
  if (good && first) {
    good = json_integer_value(json_object_get(v, "tape")) == 1;
    t->name = text_of(t->arena, v, "name");
    t->client = text_of(t->arena, v, "client");
    t->about = text_of(t->arena, v, "about");
  } else if (good) {
    good = exchange_of(t->arena, v, &t->exchanges[t->count]);
    t->count += good;
  }
  json_decref(v);
  return good;
}

tape *tape_parse(slice text, const char *path, char *problem, size_t problem_size) {
  arena *a = arena_create();
  tape *t = ARENA_NEW(a, tape);
  t->arena = a;
  t->path = arena_copy(a, slice_cstr(path));
  t->session = session_of(a, t->path);
  t->exchanges = ARENA_ARRAY(a, tape_exchange, count_lines(text));
  bool first = true;
  for (size_t number = 1; text.len > 0; number++) {
    slice line, rest;
    slice_cut(text, '\n', &line, &rest);
    text = rest;
    if (slice_trim(line).len == 0) {
      continue;
    }
    if (!parse_line(t, line, first)) {
      snprintf(problem, problem_size, "%s:%zu: %s", path, number,
               first ? "not a tape (the first line must be its header)" : "not an exchange");
      tape_destroy(t);
      return NULL;
    }
    first = false;
  }
  if (first) {
    snprintf(problem, problem_size, "%s: empty, not a tape", path);
    tape_destroy(t);
    return NULL;
  }
  return t;
}

tape *tape_load(const char *path, char *problem, size_t problem_size) {
  buf text;
  buf_init(&text, TAPE_MAX);
  const char *why = file_append(path, &text);
  tape *t = NULL;
  if (why) snprintf(problem, problem_size, "%s: %s", path, why);
  else t = tape_parse(buf_slice(&text), path, problem, problem_size);
  buf_dispose(&text);
  return t;
}

void tape_destroy(tape *t) {
  if (t) {
    arena_destroy(t->arena);
  }
}

slice tape_header_get(const tape_headers *h, const char *name) {
  for (uint32_t i = 0; i < h->count; i++) {
    if (slice_eq_nocase(h->items[i].name, slice_cstr(name))) {
      return h->items[i].value;
    }
  }
  return SLICE_NONE;
}

slice target_param(slice target, const char *name) {
  slice path, query, pair, key, value;
  slice_cut(target, '?', &path, &query);
  while (query.len > 0) {
    slice_cut(query, '&', &pair, &query);
    slice_cut(pair, '=', &key, &value);
    if (slice_is(key, name)) {
      return value;
    }
  }
  return SLICE_NONE;
}

slice target_path(slice target) {
  slice path, query;
  slice_cut(target, '?', &path, &query);
  return path;
}
