#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

int linux_peer_credentials(int fd, struct linux_peer *peer) {
  memset(peer, 0, sizeof *peer);
  struct ucred credentials;
  socklen_t length = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return errno;
  peer->pid = credentials.pid;
  peer->uid = credentials.uid;
  peer->gid = credentials.gid;
  length = sizeof peer->groups;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer->groups, &length) == 0)
    peer->group_count = length / sizeof peer->groups[0];
  return 0;
}

int linux_forbid_dumps(void) {
  struct rlimit none = {0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) return errno;
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return errno;
  return 0;
}

void linux_private_files(void) { umask(0077); }

void linux_ignore_signals(void) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
}

static void raise_limit(int resource) {
  struct rlimit limit;
  if (getrlimit(resource, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(resource, &limit);
}

void linux_raise_limits(void) {
  raise_limit(RLIMIT_NOFILE);
  raise_limit(RLIMIT_MEMLOCK);
}

int linux_file_system(int fd, uint64_t *type, uint64_t *device) {
  struct statfs system;
  struct stat file;
  if (fstatfs(fd, &system) != 0 || fstat(fd, &file) != 0) return errno;
  *type = (uint64_t)system.f_type & 0xffffffffu;
  *device = (uint64_t)file.st_dev;
  return 0;
}

int linux_available_bytes(const char *path, uint64_t *bytes) {
  struct statvfs system;
  if (statvfs(path, &system) != 0) return errno;
  *bytes = (uint64_t)system.f_bavail * system.f_frsize;
  return 0;
}

int linux_has_shared_extents(int fd) {
  // A fiemap ends in its extents, so it cannot be a member of something larger.
  uint64_t room[(sizeof(struct fiemap) + 64 * sizeof(struct fiemap_extent)) / 8 + 1];
  memset(room, 0, sizeof room);
  struct fiemap *map = (struct fiemap *)room;
  map->fm_length = FIEMAP_MAX_OFFSET;
  map->fm_flags = FIEMAP_FLAG_SYNC;
  map->fm_extent_count = 64;
  if (ioctl(fd, FS_IOC_FIEMAP, map) != 0) return -1;
  for (unsigned i = 0; i < map->fm_mapped_extents && i < 64; i++)
    if (map->fm_extents[i].fe_flags & FIEMAP_EXTENT_SHARED) return 1;
  return 0;
}

int linux_file_flags(int fd, uint32_t *flags) {
  // The kernel writes an int, whatever the number of the call says.
  int found = 0;
  if (ioctl(fd, FS_IOC_GETFLAGS, &found) != 0) return errno;
  *flags = (uint32_t)found;
  return 0;
}

int linux_is_locked(int fd) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  if (fcntl(fd, F_OFD_GETLK, &lock) != 0) return -1;
  return lock.l_type == F_UNLCK ? 0 : 1;
}

int linux_clock_is_synchronised(void) {
  struct timex clock = {.modes = 0};
  if (adjtimex(&clock) < 0) return -1;
  return clock.status & STA_UNSYNC ? 0 : 1;
}

uint64_t linux_memory_lock_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return 0;
  return limit.rlim_max == RLIM_INFINITY ? UINT64_MAX : (uint64_t)limit.rlim_max;
}

int linux_socket_answers(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return ENAMETOOLONG;
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return errno;
  int failure = connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
  close(fd);
  return failure;
}

static int named_socket(const char *path, struct sockaddr_un *address) {
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address->sun_path) return -ENAMETOOLONG;
  strcpy(address->sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  return fd < 0 ? -errno : fd;
}

static void bound_transfers(int fd, uint32_t milliseconds) {
  struct timeval most = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
}

static int closed_with(int fd, int failure) {
  close(fd);
  return -failure;
}

int linux_socket_connect(const char *path, uint32_t milliseconds) {
  struct sockaddr_un address;
  int fd = named_socket(path, &address);
  if (fd < 0) return fd;
  bound_transfers(fd, milliseconds);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) return closed_with(fd, errno);
  return fd;
}

int linux_socket_listen(const char *path) {
  struct sockaddr_un address;
  int fd = named_socket(path, &address);
  if (fd < 0) return fd;
  struct stat found;
  if (lstat(path, &found) == 0 && S_ISSOCK(found.st_mode) &&
      linux_socket_answers(path) == ECONNREFUSED)
    unlink(path);
  // The process's umask is 0077: nobody else may connect at any time.
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) return closed_with(fd, errno);
  if (chmod(path, 0600) != 0 || listen(fd, 16) != 0) return closed_with(fd, errno);
  return fd;
}

int linux_socket_accept(int fd, uint32_t milliseconds) {
  int accepted;
  do accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
  while (accepted < 0 && errno == EINTR);
  if (accepted < 0) return -errno;
  bound_transfers(accepted, milliseconds);
  return accepted;
}

int linux_send_all(int fd, const void *bytes, uint64_t count) {
  const uint8_t *next = bytes;
  while (count > 0) {
    ssize_t put = send(fd, next, count, MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    next += put, count -= (uint64_t)put;
  }
  return 0;
}

int linux_receive_all(int fd, void *bytes, uint64_t count) {
  uint8_t *next = bytes;
  while (count > 0) {
    ssize_t got = recv(fd, next, count, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) return ENODATA;
    next += got, count -= (uint64_t)got;
  }
  return 0;
}

int linux_wait_readable(const int *descriptors, int count) {
  struct pollfd polled[64];
  if (count > 64) count = 64;
  for (int i = 0; i < count; i++) polled[i] = (struct pollfd){.fd = descriptors[i], .events = POLLIN};
  if (poll(polled, (nfds_t)count, -1) <= 0) return -1;
  for (int i = 0; i < count; i++)
    if (polled[i].revents != 0) return i;
  return -1;
}

int linux_try_lock(int fd, int32_t *holder) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  *holder = 0;
  if (fcntl(fd, F_OFD_SETLK, &lock) == 0) return 0;
  int failure = errno;
  if (failure == EACCES) failure = EAGAIN;
  return failure;
}

static int64_t read_clock(clockid_t id, int64_t unit) {
  struct timespec now;
  clock_gettime(id, &now);
  return (int64_t)now.tv_sec * (1000000000 / unit) + now.tv_nsec / unit;
}

int64_t linux_wall_clock_milliseconds(void) { return read_clock(CLOCK_REALTIME, 1000000); }

int64_t linux_boot_clock_milliseconds(void) { return read_clock(CLOCK_BOOTTIME, 1000000); }

uint64_t linux_monotonic_nanoseconds(void) { return (uint64_t)read_clock(CLOCK_MONOTONIC, 1); }

int linux_open(const char *path, int flags, uint32_t mode) {
  return linux_open_at(AT_FDCWD, path, flags, mode);
}

int linux_open_at(int directory, const char *name, int flags, uint32_t mode) {
  int fd;
  do fd = openat(directory, name, flags | O_CLOEXEC, (mode_t)mode);
  while (fd < 0 && errno == EINTR);
  return fd < 0 ? -errno : fd;
}

int linux_pread_all(int fd, void *bytes, uint64_t count, int64_t offset) {
  uint8_t *next = bytes;
  while (count > 0) {
    ssize_t got = pread(fd, next, count, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) return ENODATA;
    next += got, count -= (uint64_t)got, offset += got;
  }
  return 0;
}

int linux_pwrite_all(int fd, const void *bytes, uint64_t count, int64_t offset) {
  const uint8_t *next = bytes;
  while (count > 0) {
    ssize_t put = pwrite(fd, next, count, offset);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    next += put, count -= (uint64_t)put, offset += put;
  }
  return 0;
}

int linux_sync(int fd) { return fsync(fd) == 0 ? 0 : errno; }

int linux_extend(int fd, int64_t size) { return fallocate(fd, 0, size - 1, 1) == 0 ? 0 : errno; }

void linux_close(int fd) { close(fd); }

void linux_write_error_line(const char *line) { fprintf(stderr, "%s\n", line); }

void linux_exit(int code) {
  fflush(stdout);
  exit(code);
}

void linux_return_large_blocks(void) {
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
}

void linux_kill_self(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}
