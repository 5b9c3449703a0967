/* Blocking, because a command line tool has nothing else to do. */
#include "sim/control/client.h"

#include "sim/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MAX ((size_t)1 << 30)

static int fail(const char *address, const char *why) {
  fprintf(stderr, "apisim: control address %s: %s\n", address, why);
  return 1;
}

static int open_unix(const char *path) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof a.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

static int open_port(const char *text) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  char *end;
  long port = strtol(text, &end, 10);
  if (*end || port <= 0 || port > 65535) {
    errno = EINVAL;
    return -1;
  }
  a.sin_port = htons((uint16_t)port);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

static int open_address(const char *address) {
  if (strncmp(address, "unix:", 5) == 0) return open_unix(address + 5);
  const char *colon = strrchr(address, ':');
  return open_port(colon ? colon + 1 : address);
}

static bool send_all(int fd, slice s) {
  while (s.len) {
    ssize_t n = send(fd, s.ptr, s.len, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    s = slice_from(s, (size_t)n);
  }
  return true;
}

static bool read_all(int fd, buf *out) {
  for (;;) {
    char *at = buf_reserve(out, 65536);
    if (!at) return false;
    ssize_t n = recv(fd, at, 65535, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    at[n] = '\0';
    if (n == 0) return true;
    out->len += (size_t)n;
  }
}

static bool load_body(const char *body, buf *out) {
  if (!body) return true;
  if (body[0] != '@') {
    buf_cstr(out, body);
    return true;
  }
  const char *problem = file_append(body + 1, out);
  if (problem) fprintf(stderr, "apisim: can't read %s: %s\n", body + 1, problem);
  return !problem;
}

void control_escape(buf *b, const char *text) {
  for (const char *p = text; *p; p++) {
    char low = (char)(*p | 32);
    bool plain = (low >= 'a' && low <= 'z') || (*p >= '0' && *p <= '9') || strchr("-_./~", *p);
    if (plain) buf_char(b, *p);
    else buf_printf(b, "%%%02X", (unsigned)(unsigned char)*p);
  }
  buf_reserve(b, 1)[0] = '\0';
}

/* The body to stdout; of an error the words to stderr. */
static int show(const char *address, const buf *answer) {
  int status = 0;
  const char *body = strstr(answer->ptr, "\r\n\r\n");
  if (sscanf(answer->ptr, "HTTP/1.1 %d", &status) != 1 || !body) {
    return fail(address, "no HTTP answer");
  }
  body += 4;
  if (status == 200) {
    fputs(body, stdout);
    return 0;
  }
  json_t *v = json_loads(body, 0, NULL);
  const char *why = json_string_value(json_object_get(v, "error"));
  fprintf(stderr, "apisim: %s\n", why ? why : body);
  json_decref(v);
  return 1;
}

int control_call_once(const char *address, const char *method, slice target, const char *body) {
  buf request, payload, answer;
  buf_init(&request, ANSWER_MAX);
  buf_init(&payload, ANSWER_MAX);
  buf_init(&answer, ANSWER_MAX);
  int code = 1, fd = -1;
  if (load_body(body, &payload)) {
    fd = open_address(address);
    if (fd < 0) fail(address, strerror(errno));
  }
  if (fd >= 0) {
    buf_printf(&request,
               "%s %.*s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
               "Content-Length: %zu\r\n\r\n",
               method, SLICE_ARG(target), payload.len);
    buf_append(&request, buf_slice(&payload));
    bool ok = send_all(fd, buf_slice(&request)) && read_all(fd, &answer);
    code = ok ? show(address, &answer) : fail(address, strerror(errno));
    close(fd);
  }
  buf_dispose(&request);
  buf_dispose(&payload);
  buf_dispose(&answer);
  return code;
}
