/* Both pipes are served at once, so that neither side waits for the other with full buffers. */
#include "conformance/codec/oracle.h"

#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIPE_CEILING ((size_t)1 << 30)

const char *const oracle_format_names[ORACLE_FORMATS] = {"json", "yaml", "protobuf", "cbor"};

static void put_u32(buf *b, size_t n) {
  uint32_t u = (uint32_t)n;
  buf_append(b, slice_of((const char *)&u, sizeof u)); /* little end first, as the machine */
}

static size_t get_u32(const char *p) {
  uint32_t n;
  memcpy(&n, p, sizeof n);
  return n;
}

/* Writes all of `out` and reads until `frames` frames have come. */
static bool exchange(oracle *o, const buf *out, buf *in, uint32_t frames) {
  size_t sent = 0, seen = 0;
  while (frames) {
    struct pollfd p[2] = {{.fd = o->from, .events = POLLIN},
                          {.fd = sent < out->len ? o->to : -1, .events = POLLOUT}};
    if (poll(p, 2, -1) < 0 && errno != EINTR) return false;
    if (p[1].revents) {
      ssize_t n = write(o->to, out->ptr + sent, out->len - sent);
      if (n < 0 && errno != EAGAIN) return false;
      if (n > 0) sent += (size_t)n;
    }
    if (!p[0].revents) continue;
    char *room = buf_reserve(in, 1 << 16);
    ssize_t n = room ? read(o->from, room, 1 << 16) : 0;
    if (n == 0 || (n < 0 && errno != EAGAIN)) return false;
    if (n > 0) in->len += (size_t)n;
    while (frames && in->len - seen >= 4 && in->len - seen - 4 >= get_u32(in->ptr + seen)) {
      seen += 4 + get_u32(in->ptr + seen);
      frames--;
    }
  }
  return true;
}

static bool start(oracle *o, const char *path) {
  int to[2], from[2];
  if (pipe(to) || pipe(from)) return false;
  o->pid = fork();
  if (o->pid < 0) return false;
  if (o->pid == 0) {
    dup2(to[0], 0);
    dup2(from[1], 1);
    close(to[0]), close(to[1]), close(from[0]), close(from[1]);
    setenv("GOMAXPROCS", "1", 0);
    setenv("GOGC", "400", 0);
    execl(path, path, "serve", (char *)NULL);
    _exit(127);
  }
  close(to[0]);
  close(from[1]);
  o->to = to[1];
  o->from = from[0];
  fcntl(o->to, F_SETFD, FD_CLOEXEC);
  fcntl(o->from, F_SETFD, FD_CLOEXEC);
  return fcntl(o->to, F_SETFL, O_NONBLOCK) == 0;
}

bool oracle_open(oracle *o, const char *path, arena *a) {
  buf out, in;
  buf_init(&out, PIPE_CEILING);
  buf_init(&in, PIPE_CEILING);
  put_u32(&out, 0);
  for (uint16_t i = 0; i < schema_kind_count; i++) {
    const kind_info *k = &schema_kinds[i];
    if (i) buf_char(&out, '\n');
    buf_printf(&out, "%.*s\t%.*s\t%.*s", SLICE_ARG(k->group), SLICE_ARG(k->version),
               SLICE_ARG(k->kind));
  }
  uint32_t len = (uint32_t)(out.len - 4);
  memcpy(out.ptr, &len, sizeof len);
  bool good = start(o, path) && exchange(o, &out, &in, 1) && in.len == 4u + schema_kind_count;
  if (good) o->known = (const uint8_t *)arena_copy(a, slice_of(in.ptr + 4, in.len - 4)).ptr;
  else fprintf(stderr, "the oracle %s does not answer\n", path);
  buf_dispose(&out);
  buf_dispose(&in);
  return good;
}

void oracle_close(oracle *o) {
  close(o->to);
  close(o->from);
  waitpid(o->pid, NULL, 0);
}

static slice take_text(const char **p) {
  slice s = slice_of(*p + 4, get_u32(*p));
  *p = s.ptr + s.len;
  return s;
}

bool oracle_ask(oracle *o, arena *a, const oracle_case *cases, uint32_t count,
                oracle_answer *answers) {
  buf out, in;
  buf_init(&out, PIPE_CEILING);
  buf_init(&in, PIPE_CEILING);
  for (uint32_t i = 0; i < count; i++) {
    const oracle_case *c = &cases[i];
    put_u32(&out, c->body.len + 4);
    buf_char(&out, (char)c->format);
    buf_char(&out, (char)c->flags);
    buf_append(&out, slice_of((const char *)&c->kind, sizeof c->kind));
    buf_append(&out, c->body);
  }
  bool good = count == 0 || exchange(o, &out, &in, count);
  slice all = good ? arena_copy(a, buf_slice(&in)) : SLICE_NONE;
  buf_dispose(&out);
  buf_dispose(&in);
  for (uint32_t i = 0; good && i < count; i++) {
    slice frame = slice_of(all.ptr + 4, get_u32(all.ptr));
    const char *p = frame.ptr + 1;
    all = slice_from(all, 4 + frame.len);
    answers[i] = (oracle_answer){.status = (uint8_t)*frame.ptr};
    answers[i].error = take_text(&p);
    for (unsigned f = 0; f < ORACLE_FORMATS && p < frame.ptr + frame.len; f++) {
      if (cases[i].flags & (1u << f)) answers[i].encodings[f] = take_text(&p);
    }
  }
  return good;
}

const char *oracle_difference(const oracle_answer *ours, const oracle_answer *theirs) {
  if (ours->status != theirs->status) return "status";
  if (!slice_eq(ours->error, theirs->error)) return "error";
  for (unsigned f = 0; f < ORACLE_FORMATS; f++) {
    if (!slice_eq(ours->encodings[f], theirs->encodings[f])) return oracle_format_names[f];
  }
  return NULL;
}
