/* watchload: a load client whose own cost is small: one thread, epoll, OpenSSL. For what apiload can't
 * show, because there the client is the limit: watch fan-out, idle watches, many objects.
 *
 *   watchload HOST:PORT TOKEN PIDS fanout WATCHERS EVENTS WRITERS [RATE]   delivered events a second, and
 *                             the time from each write's answer to the last watcher's event; RATE: writes
 *                             a second, of all writers; without, each writes as soon as it is answered
 *   watchload HOST:PORT TOKEN PIDS idle WATCHERS                    opens watches, prints, waits for EOF
 *   watchload HOST:PORT TOKEN PIDS create KIND FIRST COUNT WRITERS  KIND: pods or configmaps
 *   watchload HOST:PORT TOKEN PIDS list PATH                        one list, streamed
 *   watchload HOST:PORT TOKEN PIDS update KIND FIRST COUNT WRITERS  a PUT each, without a version
 *
 * PIDS: the server's processes ("12,34"), whose CPU time is told. One JSON line on stdout. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_MAX 65536
#define REQUEST_MAX 4096

typedef struct conn {
  int fd;
  SSL *ssl;
  bool watch;
  int item; /* a writer's object under way */
  size_t chunk_left; /* of the chunk being read */
  int phase; /* of a chunked body: 0 head, 1 size line, 2 data, 3 the CRLF behind data */
  size_t kept; /* bytes of an unfinished line or head */
  char line[1024];
  size_t body_left; /* a writer's answer */
  bool in_body;
} conn;

static SSL_CTX *tls;
static struct sockaddr_in server;
static const char *token;
static int epoll_fd, pids[8], pid_count;
static conn *conns;
static int conn_count, watcher_count, writer_count;
static const char *kind = "configmaps";
static int first_item, item_count, next_item, done_items, errors;
static bool updating;
static int64_t *wrote, *last_seen, delivered;
static int64_t pace_ns, due_ns; /* of paced writes: between two, and when the next is due */
static int32_t *seen;
static char *scratch;

static _Noreturn void die(const char *what) {
  fprintf(stderr, "watchload: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Microseconds of the server's CPU time. */
static double server_cpu(void) {
  double total = 0;
  for (int i = 0; i < pid_count; i++) {
    char path[64], text[2048];
    long long on_cpu = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pids[i]);
    FILE *f = fopen(path, "re");
    if (!f) continue;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    char *p = strrchr(text, ')');
    unsigned long long user = 0, sys = 0;
    if (p && sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &sys) == 2) {
      on_cpu = (long long)(user + sys);
    }
    total += (double)on_cpu * 1e6 / (double)sysconf(_SC_CLK_TCK);
  }
  return total;
}

static double own_cpu(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e6 + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

/* ---- connections ---- */

static void conn_open(conn *c) {
  *c = (conn){.item = -1};
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&server, sizeof server) != 0) die("connect");
  int one = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  c->ssl = SSL_new(tls);
  SSL_set_fd(c->ssl, c->fd);
  if (SSL_connect(c->ssl) != 1) die("TLS handshake");
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
}

static void conn_listen(conn *c) {
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &e) != 0) die("epoll");
}

static void send_text(conn *c, const char *text, size_t len) {
  while (len) {
    int n = SSL_write(c->ssl, text, (int)len);
    if (n > 0) {
      text += n;
      len -= (size_t)n;
    } else if (SSL_get_error(c->ssl, n) != SSL_ERROR_WANT_WRITE) {
      die("write");
    }
  }
}

static void send_get(conn *c, const char *path) {
  char text[REQUEST_MAX];
  int n = snprintf(text, sizeof text,
                   "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nAccept: application/json\r\n\r\n", path, token);
  send_text(c, text, (size_t)n);
}

/* ---- what watches bring ---- */

static void take_line(conn *c, const char *line, size_t len, int64_t now) {
  (void)c;
  const char *name = memmem(line, len < 200 ? len : 200, "\"name\":\"w-", 10);
  if (!name || memcmp(line, "{\"type\":\"ADDED\"", 15) != 0) return;
  int i = atoi(name + 10);
  if (i < 0 || i >= item_count) return;
  delivered++;
  if (++seen[i] == watcher_count) last_seen[i] = now;
}

/* Lines of the stream: whole ones straight from the buffer. */
static void take_data(conn *c, const char *p, size_t len, int64_t now) {
  while (len) {
    const char *end = memchr(p, '\n', len);
    size_t n = end ? (size_t)(end - p) + 1 : len;
    if (end && c->kept == 0) {
      take_line(c, p, n, now);
    } else {
      size_t room = sizeof c->line - c->kept, put = n < room ? n : room;
      memcpy(c->line + c->kept, p, put);
      c->kept += put;
      if (end) {
        take_line(c, c->line, c->kept, now);
        c->kept = 0;
      }
    }
    p += n;
    len -= n;
  }
}

/* Bytes of a chunked answer, behind its head. */
static void take_chunks(conn *c, const char *p, size_t len, int64_t now) {
  while (len) {
    if (c->phase == 2) {
      size_t n = len < c->chunk_left ? len : c->chunk_left;
      take_data(c, p, n, now);
      c->chunk_left -= n;
      if (c->chunk_left == 0) c->phase = 3;
      p += n;
      len -= n;
      continue;
    }
    char ch = *p++;
    len--;
    if (c->phase == 3) {
      if (ch == '\n') c->phase = 1;
    } else if (ch == '\n') {
      c->phase = c->chunk_left ? 2 : 1;
    } else if (ch != '\r') {
      int digit = ch <= '9' ? ch - '0' : (ch | 32) - 'a' + 10;
      c->chunk_left = c->chunk_left * 16 + (size_t)digit;
    }
  }
}

static void take_watch(conn *c, const char *p, size_t len, int64_t now) {
  if (c->phase == 0) {
    const char *end = memmem(p, len, "\r\n\r\n", 4);
    if (!end) die("a split head");
    if (memcmp(p, "HTTP/1.1 200", 12) != 0) {
      fprintf(stderr, "watchload: %.*s\n", (int)(len < 600 ? len : 600), p);
      exit(1);
    }
    c->phase = 1;
    len -= (size_t)(end + 4 - p);
    p = end + 4;
  }
  take_chunks(c, p, len, now);
}

/* ---- writers ---- */

static int make_body(char *out, size_t cap, int i) {
  if (strcmp(kind, "pods") == 0) {
    return snprintf(out, cap,
                    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"w-%d\"},\"spec\":{\"containers\":[{\"name\":\"c\","
                    "\"image\":\"i\"}]}}", i);
  }
  return snprintf(out, cap, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"w-%d\"},\"data\":{\"k\":\"%s\"}}", i,
                  updating ? "w" : "v");
}

static void write_next(conn *c) {
  if (next_item == item_count) {
    c->item = -1;
    return;
  }
  c->item = next_item++;
  char body[1024], text[REQUEST_MAX], name[32] = "";
  int n = make_body(body, sizeof body, first_item + c->item);
  if (updating) snprintf(name, sizeof name, "/w-%d", first_item + c->item);
  int len = snprintf(text, sizeof text,
                     "%s /api/v1/namespaces/load/%s%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nUser-Agent: load\r\n"
                     "Accept: application/json\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                     updating ? "PUT" : "POST", kind, name, token, n, body);
  send_text(c, text, (size_t)len);
}

static void take_answer(conn *c, const char *p, size_t len, int64_t now) {
  if (!c->in_body) {
    const char *end = memmem(p, len, "\r\n\r\n", 4);
    const char *size = memmem(p, len, "Content-Length: ", 16);
    if (!end || !size) die("an answer that is not understood");
    if (memcmp(p, updating ? "HTTP/1.1 200" : "HTTP/1.1 201", 12) != 0 && errors++ == 0) {
      fprintf(stderr, "watchload: %.*s\n", (int)(len < 900 ? len : 900), p);
    }
    c->body_left = strtoul(size + 16, NULL, 10);
    c->in_body = true;
    len -= (size_t)(end + 4 - p);
  }
  c->body_left -= len < c->body_left ? len : c->body_left;
  if (c->body_left) return;
  c->in_body = false;
  if (wrote) wrote[c->item] = now;
  done_items++;
  if (pace_ns) c->item = -1;
  else write_next(c);
}

/* ---- the loop ---- */

static void conn_read(conn *c) {
  do {
    int n = SSL_read(c->ssl, scratch, READ_MAX);
    if (n <= 0) {
      if (SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ) return;
      die("read");
    }
    int64_t now = now_ns();
    if (c->watch) take_watch(c, scratch, (size_t)n, now);
    else take_answer(c, scratch, (size_t)n, now);
  } while (SSL_has_pending(c->ssl));
}

static int poll_once(int wait_ms) {
  struct epoll_event events[256];
  int n = epoll_wait(epoll_fd, events, 256, wait_ms);
  for (int i = 0; i < n; i++) conn_read(events[i].data.ptr);
  return n;
}

static void open_watchers(int count) {
  char path[256];
  snprintf(path, sizeof path, "/api/v1/namespaces/load/%s?watch=1&resourceVersion=0&sendInitialEvents=false&resourceVersionMatch=NotOlderThan",
           kind);
  watcher_count = count;
  conns = calloc((size_t)count + 256, sizeof *conns);
  for (int i = 0; i < count; i++) {
    conn *c = &conns[conn_count++];
    conn_open(c);
    c->watch = true;
    send_get(c, path);
    conn_listen(c);
    if (i % 64 == 63) poll_once(0);
  }
  for (int64_t until = now_ns() + 1000000000; now_ns() < until;) poll_once(100);
  for (int i = 0; i < count; i++) {
    if (conns[i].phase == 0) die("a watch without an answer");
  }
}

static void open_writers(int count) {
  if (!conns) conns = calloc((size_t)count, sizeof *conns);
  writer_count = count;
  for (int i = 0; i < count; i++) {
    conn *c = &conns[conn_count++];
    conn_open(c);
    conn_listen(c);
  }
}

static void start_writers(void) {
  for (int i = conn_count - writer_count; i < conn_count; i++) write_next(&conns[i]);
}

/* Paced writes: those that are due, by writers that are free. */
static void write_due(void) {
  int64_t now = now_ns();
  for (int i = conn_count - writer_count; i < conn_count && next_item < item_count && now >= due_ns; i++) {
    if (conns[i].item >= 0) continue;
    write_next(&conns[i]);
    due_ns += pace_ns;
  }
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void make_namespace(void) {
  conn c;
  char text[1024], answer[4096];
  static const char body[] = "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"load\"}}";
  conn_open(&c);
  int n = snprintf(text, sizeof text,
                   "POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
                   "Connection: close\r\nContent-Length: %zu\r\n\r\n%s", token, sizeof body - 1, body);
  fcntl(c.fd, F_SETFL, 0);
  send_text(&c, text, (size_t)n);
  if (SSL_read(c.ssl, answer, sizeof answer) <= 0) die("no answer");
  SSL_free(c.ssl);
  close(c.fd);
}

static void run_fanout(int watchers, int events, int writers, int rate) {
  item_count = events;
  wrote = calloc((size_t)events, sizeof *wrote);
  last_seen = calloc((size_t)events, sizeof *last_seen);
  seen = calloc((size_t)events, sizeof *seen);
  first_item = 0;
  open_watchers(watchers);
  open_writers(writers);
  double cpu = server_cpu(), own = own_cpu();
  int64_t start = now_ns(), idle_since = start;
  int64_t all = (int64_t)watchers * events;
  if (rate > 0) pace_ns = 1000000000 / rate;
  due_ns = start;
  if (!pace_ns) start_writers();
  while ((delivered < all || done_items < events) && now_ns() - idle_since < 10000000000) {
    if (pace_ns) write_due();
    if (poll_once(pace_ns ? 1 : 1000) > 0) idle_since = now_ns();
  }
  int64_t end = now_ns();
  double seconds = (double)(end - start) / 1e9;
  double *late = calloc((size_t)events, sizeof *late);
  for (int i = 0; i < events; i++) {
    double ms = (double)(last_seen[i] - wrote[i]) / 1e6;
    late[i] = ms > 0 ? ms : 0;
  }
  qsort(late, (size_t)events, sizeof *late, compare);
  usleep(20000);
  printf("{\"item\":\"fanout\",\"watchers\":%d,\"events\":%d,\"delivered\":%lld,\"missing\":%lld,\"errors\":%d,\"seconds\":%.3f,"
         "\"rate_per_s\":%.0f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"server_cpu_us\":%.3f,\"client_cpu_us\":%.3f}\n",
         watchers, events, (long long)delivered, (long long)(all - delivered), errors, seconds, (double)delivered / seconds,
         late[events / 2], late[(int)(0.99 * (events - 1))], (server_cpu() - cpu) / (double)(delivered ? delivered : 1),
         (own_cpu() - own) / (double)(delivered ? delivered : 1));
}

static void run_writes(int first, int count, int writers) {
  first_item = first;
  item_count = count;
  open_writers(writers);
  double cpu = server_cpu();
  int64_t start = now_ns();
  start_writers();
  while (done_items < count) poll_once(1000);
  double seconds = (double)(now_ns() - start) / 1e9;
  printf("{\"item\":\"%s\",\"n\":%d,\"errors\":%d,\"seconds\":%.3f,\"rate_per_s\":%.0f,\"server_cpu_us\":%.2f}\n",
         updating ? "update" : "create", count, errors, seconds, count / seconds, (server_cpu() - cpu) / count);
}

static void run_idle(int watchers) {
  open_watchers(watchers);
  printf("{\"item\":\"idle\",\"watchers\":%d}\n", watchers);
  fflush(stdout);
  char c;
  while (read(0, &c, 1) > 0) {}
}

/* Reads a list to its end, as fast as it comes; the first bytes' delay and the whole's. */
static void run_list(const char *path) {
  conn c;
  conn_open(&c);
  fcntl(c.fd, F_SETFL, 0);
  double cpu = server_cpu();
  int64_t start = now_ns(), first = 0, bytes = 0;
  char text[REQUEST_MAX];
  int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nAccept: application/json\r\n"
                                      "Connection: close\r\n\r\n", path, token);
  send_text(&c, text, (size_t)n);
  while ((n = SSL_read(c.ssl, scratch, READ_MAX)) > 0) {
    if (!first) first = now_ns();
    bytes += n;
  }
  int64_t end = now_ns();
  printf("{\"item\":\"list\",\"bytes\":%lld,\"first_ms\":%.2f,\"seconds\":%.3f,\"MB_per_s\":%.0f,\"server_cpu_us\":%.0f}\n",
         (long long)bytes, (double)(first - start) / 1e6, (double)(end - start) / 1e9,
         (double)bytes / 1e6 / ((double)(end - start) / 1e9), server_cpu() - cpu);
}

static void prepare(char **argv) {
  char *colon = strrchr(argv[1], ':');
  if (!colon) die("HOST:PORT");
  *colon = '\0';
  server.sin_family = AF_INET;
  server.sin_port = htons((uint16_t)atoi(colon + 1));
  if (inet_pton(AF_INET, argv[1], &server.sin_addr) != 1) die("HOST");
  token = argv[2];
  for (char *p = strtok(argv[3], ","); p && pid_count < 8; p = strtok(NULL, ",")) pids[pid_count++] = atoi(p);
  struct rlimit r;
  getrlimit(RLIMIT_NOFILE, &r);
  r.rlim_cur = r.rlim_max;
  setrlimit(RLIMIT_NOFILE, &r);
  tls = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_read_ahead(tls, 1);
  SSL_CTX_set_default_read_buffer_len(tls, READ_MAX);
  SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  scratch = malloc(READ_MAX);
}

int main(int argc, char **argv) {
  const char *what = argc > 4 ? argv[4] : "";
  bool fanout = strcmp(what, "fanout") == 0 && (argc == 8 || argc == 9), idle = strcmp(what, "idle") == 0 && argc == 6;
  bool creates = strcmp(what, "create") == 0 && argc == 9, list = strcmp(what, "list") == 0 && argc == 6;
  updating = strcmp(what, "update") == 0 && argc == 9;
  if (!fanout && !idle && !creates && !list && !updating) {
    fprintf(stderr, "see the head of watchload.c for its arguments\n");
    return 2;
  }
  prepare(argv);
  make_namespace();
  if (creates || updating) kind = argv[5];
  if (fanout) run_fanout(atoi(argv[5]), atoi(argv[6]), atoi(argv[7]), argc == 9 ? atoi(argv[8]) : 0);
  if (creates || updating) run_writes(atoi(argv[6]), atoi(argv[7]), atoi(argv[8]));
  if (idle) run_idle(atoi(argv[5]));
  if (list) run_list(argv[5]);
  return 0;
}
