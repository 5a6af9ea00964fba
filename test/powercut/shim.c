/*
 * Stands between a process and the C library (LD_PRELOAD) and does two things with what the process does to the files
 * below one folder, SHIM_FOLDER:
 *
 * SHIM_LOG: writes each change, with its octets, to a log in the order in which the changes happened. A sync is two
 * records, since what is written while it runs may or may not be part of it. Writes to the file SHIM_MARKS become records
 * of the same log: so the process says what it has acknowledged.
 *
 * SHIM_ORDERS: fails calls, as told by that file, which the test writes while the process runs: see struct orders.
 *
 * A record is 24 octets (kind, fd, offset, extra, length, all little-endian) and `length` octets of data.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN = 1, CLOSE, WRITE, TRUNCATE, SYNC_BEGIN, SYNC_END, RENAME, UNLINK, MKDIR, RMDIR, MARK };
enum { F_OPEN = 1, F_WRITE = 2, F_SYNC = 4, F_TRUNCATE = 8, F_RENAME = 16, F_UNLINK = 32, F_MKDIR = 64, F_READ = 128 };
enum { UNKNOWN, TRACKED, MARKS, FDS = 4096 };

struct record { int32_t kind, fd; int64_t offset; uint32_t extra, length; };

/* Calls of the kinds in `mask` whose file has `part` in its path: the first `after` succeed, the next `times` fail. */
struct orders { int32_t mask, after, times, error, half, seen, failed, unused; char part[96]; };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *folder, *marks;
static int log_fd = -1;
static struct orders *orders;
static char kind_of[FDS];
static char *path_of[FDS];
static dev_t device_of[FDS];
static ino_t number_of[FDS];
static uint32_t syncs;

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) {
  return dlsym(RTLD_NEXT, name);
}

__attribute__((constructor)) static void begin(void) {
  folder = getenv("SHIM_FOLDER");
  marks = getenv("SHIM_MARKS");
  const char *log = getenv("SHIM_LOG"), *file = getenv("SHIM_ORDERS");
  if (log) log_fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (!file) return;
  int fd = syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC, 0);
  orders = mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (orders == MAP_FAILED) abort();
}

static void note(int kind, int fd, int64_t offset, uint32_t extra, const void *data, size_t length) {
  if (log_fd < 0) return;
  struct record record = {kind, fd, offset, extra, length};
  struct iovec parts[2] = {{&record, sizeof record}, {(void *)data, length}};
  if (syscall(SYS_writev, log_fd, parts, 2) != (ssize_t)(sizeof record + length)) abort();
}

static int is_below(const char *path) {
  size_t length = folder ? strlen(folder) : 0;
  return folder && path && strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == 0);
}

/* libuv closes without close(): a number may belong to something else by now. */
static int state(int fd) {
  if (fd < 0 || fd >= FDS || kind_of[fd] == UNKNOWN) return UNKNOWN;
  struct stat now;
  if (fstat(fd, &now) == 0 && now.st_dev == device_of[fd] && now.st_ino == number_of[fd]) return kind_of[fd];
  return kind_of[fd] = UNKNOWN;
}

/* Whether this call is to fail; then errno is set. With the lock held. */
static int fails(int kind, const char *path) {
  if (!orders || !(orders->mask & kind) || !path || !strstr(path, orders->part)) return 0;
  orders->seen++;
  if (orders->after > 0) return orders->after--, 0;
  if (orders->times <= 0) return 0;
  orders->times--;
  orders->failed++;
  errno = orders->error;
  return 1;
}

static int fails_alone(int kind, const char *path) {
  pthread_mutex_lock(&lock);
  int answer = fails(kind, path);
  pthread_mutex_unlock(&lock);
  return answer;
}

static int open_any(const char *path, int flags, mode_t mode) {
  int below = is_below(path), mark = marks && path && strcmp(path, marks) == 0;
  if (!below && !mark) return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
  pthread_mutex_lock(&lock);
  int fd = fails(F_OPEN, path) ? -1 : syscall(SYS_openat, AT_FDCWD, path, flags, mode);
  if (fd >= 0 && fd < FDS) {
    struct stat now;
    fstat(fd, &now);
    device_of[fd] = now.st_dev;
    number_of[fd] = now.st_ino;
    kind_of[fd] = mark ? MARKS : TRACKED;
    path_of[fd] = strdup(path);
    if (below) note(OPEN, fd, 0, flags, path, strlen(path));
  }
  pthread_mutex_unlock(&lock);
  return fd;
}

#define OPEN_LIKE(name, ...) \
  int name(__VA_ARGS__ const char *path, int flags, ...) { \
    va_list list; \
    va_start(list, flags); \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0; \
    va_end(list); \
    return open_any(path, flags, mode); \
  }
OPEN_LIKE(open)
OPEN_LIKE(open64)

int close(int fd) {
  if (state(fd) == UNKNOWN) return syscall(SYS_close, fd);
  pthread_mutex_lock(&lock);
  if (kind_of[fd] == TRACKED) note(CLOSE, fd, 0, 0, NULL, 0);
  kind_of[fd] = UNKNOWN;
  free(path_of[fd]);
  path_of[fd] = NULL;
  int answer = syscall(SYS_close, fd);
  pthread_mutex_unlock(&lock);
  return answer;
}

/* offset -1: at the file's position, or at its end when it was opened so. */
static ssize_t write_any(int fd, const struct iovec *parts, int count, off64_t offset) {
  struct iovec half;
  pthread_mutex_lock(&lock);
  ssize_t written = -1;
  if (kind_of[fd] != TRACKED || !fails(F_WRITE, path_of[fd])) {
    written = offset < 0 ? syscall(SYS_writev, fd, parts, count) : syscall(SYS_pwritev, fd, parts, count, offset, 0);
  } else if (orders->half && parts[0].iov_len > 1) {
    /* Part of it finds room; the next call will be the one that finds none. */
    half = (struct iovec){parts[0].iov_base, parts[0].iov_len / 2};
    written = offset < 0 ? syscall(SYS_writev, fd, &half, 1) : syscall(SYS_pwritev, fd, &half, 1, offset, 0);
    orders->half = 0;
    orders->times++;
  }
  int error = errno;
  if (written > 0) {
    if (offset < 0 && kind_of[fd] == TRACKED) offset = lseek64(fd, 0, SEEK_CUR) - written;
    char *octets = malloc(written);
    size_t at = 0;
    for (int i = 0; at < (size_t)written; i++) {
      size_t n = parts[i].iov_len < written - at ? parts[i].iov_len : written - at;
      memcpy(octets + at, parts[i].iov_base, n);
      at += n;
    }
    note(kind_of[fd] == MARKS ? MARK : WRITE, fd, offset, 0, octets, written);
    free(octets);
  }
  errno = error;
  pthread_mutex_unlock(&lock);
  return written;
}

ssize_t write(int fd, const void *data, size_t octets) {
  struct iovec part = {(void *)data, octets};
  return state(fd) == UNKNOWN ? syscall(SYS_write, fd, data, octets) : write_any(fd, &part, 1, -1);
}
ssize_t pwrite64(int fd, const void *data, size_t octets, off64_t offset) {
  struct iovec part = {(void *)data, octets};
  return state(fd) == UNKNOWN ? syscall(SYS_pwrite64, fd, data, octets, offset) : write_any(fd, &part, 1, offset);
}
ssize_t pwrite(int fd, const void *data, size_t octets, off_t offset) {
  return pwrite64(fd, data, octets, offset);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  return state(fd) == UNKNOWN ? syscall(SYS_writev, fd, parts, count) : write_any(fd, parts, count, -1);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
  if (state(fd) == UNKNOWN) return syscall(SYS_pwritev, fd, parts, count, offset, 0);
  return write_any(fd, parts, count, offset);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
  return pwritev64(fd, parts, count, offset);
}

ssize_t pread64(int fd, void *data, size_t octets, off64_t offset) {
  if (orders && state(fd) == TRACKED && fails_alone(F_READ, path_of[fd])) return -1;
  return syscall(SYS_pread64, fd, data, octets, offset);
}
ssize_t pread(int fd, void *data, size_t octets, off_t offset) {
  return pread64(fd, data, octets, offset);
}
ssize_t read(int fd, void *data, size_t octets) {
  if (orders && state(fd) == TRACKED && fails_alone(F_READ, path_of[fd])) return -1;
  return syscall(SYS_read, fd, data, octets);
}

int ftruncate64(int fd, off64_t length) {
  if (state(fd) == UNKNOWN) return syscall(SYS_ftruncate, fd, length);
  pthread_mutex_lock(&lock);
  int answer = fails(F_TRUNCATE, path_of[fd]) ? -1 : syscall(SYS_ftruncate, fd, length);
  if (answer == 0) note(TRUNCATE, fd, length, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  return answer;
}
int ftruncate(int fd, off_t length) {
  return ftruncate64(fd, length);
}

static int sync_any(int fd, int call) {
  if (state(fd) == UNKNOWN) return syscall(call, fd);
  pthread_mutex_lock(&lock);
  uint32_t id = ++syncs;
  int failed = fails(F_SYNC, path_of[fd]);
  if (!failed) note(SYNC_BEGIN, fd, 0, id, NULL, 0);
  pthread_mutex_unlock(&lock);
  if (failed) return -1;
  int answer = syscall(call, fd);
  if (answer != 0) return answer;
  pthread_mutex_lock(&lock);
  note(SYNC_END, fd, 0, id, NULL, 0);
  pthread_mutex_unlock(&lock);
  return 0;
}
int fsync(int fd) {
  return sync_any(fd, SYS_fsync);
}
int fdatasync(int fd) {
  return sync_any(fd, SYS_fdatasync);
}

int rename(const char *from, const char *to) {
  if (!is_below(from)) return REAL(rename)(from, to);
  char both[2 * PATH_MAX];
  size_t length = strlen(from) + 1;
  memcpy(both, from, length);
  strcpy(both + length, to);
  pthread_mutex_lock(&lock);
  int answer = fails(F_RENAME, from) ? -1 : REAL(rename)(from, to);
  if (answer == 0) note(RENAME, -1, 0, 0, both, length + strlen(to));
  pthread_mutex_unlock(&lock);
  return answer;
}

static int path_call(int kind, int failure, const char *path, int (*call)(const char *)) {
  if (!is_below(path)) return call(path);
  pthread_mutex_lock(&lock);
  int answer = fails(failure, path) ? -1 : call(path);
  if (answer == 0) note(kind, -1, 0, 0, path, strlen(path));
  pthread_mutex_unlock(&lock);
  return answer;
}
int unlink(const char *path) {
  return path_call(UNLINK, F_UNLINK, path, REAL(unlink));
}
int rmdir(const char *path) {
  return path_call(RMDIR, F_UNLINK, path, REAL(rmdir));
}
int mkdir(const char *path, mode_t mode) {
  if (!is_below(path)) return REAL(mkdir)(path, mode);
  pthread_mutex_lock(&lock);
  int answer = fails(F_MKDIR, path) ? -1 : REAL(mkdir)(path, mode);
  if (answer == 0) note(MKDIR, -1, 0, 0, path, strlen(path));
  pthread_mutex_unlock(&lock);
  return answer;
}
