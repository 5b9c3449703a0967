/* The order matters: data before the name, the name before the answer. */
#include "sim/control/snapshot_file.h"

#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096

typedef struct target {
  int fd;
  int64_t bytes;
} target;

static bool put(void *ctx, slice s) {
  target *t = ctx;
  while (s.len) {
    ssize_t n = write(t->fd, s.ptr, s.len);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    t->bytes += n;
    s = slice_from(s, (size_t)n);
  }
  return true;
}

static bool explain(char why[SNAPSHOT_WHY_MAX], const char *what, const char *path) {
  snprintf(why, SNAPSHOT_WHY_MAX, "can't %s snapshot %s: %s", what, path, strerror(errno));
  return false;
}

static bool sync_folder(const char *path) {
  char copy[PATH_BYTES];
  snprintf(copy, sizeof copy, "%s", path);
  int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool ok = fd >= 0 && fsync(fd) == 0;
  if (fd >= 0) close(fd);
  return ok;
}

bool snapshot_save(serving *s, const char *path, int64_t *bytes, char why[SNAPSHOT_WHY_MAX]) {
  if (!store_is_memory(s->server->store)) {
    errno = ENOTSUP;
    return explain(why, "write a store elsewhere to", path);
  }
  char beside[PATH_BYTES];
  int n = snprintf(beside, sizeof beside, "%s.%d.tmp", path, (int)getpid());
  target t = {.fd = -1};
  if (n < 0 || (size_t)n >= sizeof beside) errno = ENAMETOOLONG;
  else t.fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (t.fd < 0) return explain(why, "write", path);
  bool ok = snapshot_write(s->server, world_virtual_ns(s->world), put, &t) && fsync(t.fd) == 0;
  int error = errno;
  ok = close(t.fd) == 0 && ok;
  ok = ok && rename(beside, path) == 0;
  if (!ok) {
    error = error ? error : errno;
    unlink(beside);
    errno = error;
    return explain(why, "write", path);
  }
  *bytes = t.bytes;
  return sync_folder(path) || explain(why, "sync the folder of", path);
}

bool snapshot_map(const char *path, slice *bytes, char why[SNAPSHOT_WHY_MAX]) {
  struct stat st;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  bool ok = fd >= 0 && fstat(fd, &st) == 0;
  if (ok && S_ISDIR(st.st_mode)) {
    errno = EISDIR;
    ok = false;
  }
  void *at = NULL;
  size_t size = ok ? (size_t)st.st_size : 0;
  if (size) at = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
  ok = ok && at != MAP_FAILED;
  if (!ok) explain(why, "read", path);
  if (ok && size == 0) {
    snprintf(why, SNAPSHOT_WHY_MAX, "can't read snapshot %s: it is empty", path);
    ok = false;
  }
  if (fd >= 0) close(fd);
  *bytes = ok ? slice_of(at, size) : SLICE_NONE;
  return ok;
}

void snapshot_unmap(slice bytes) {
  if (bytes.len) munmap((void *)(uintptr_t)bytes.ptr, bytes.len);
}
