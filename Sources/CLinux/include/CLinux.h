// Calls that Swift's Glibc lacks. _GNU_SOURCE and the socket headers stay in the .c file: in this
// header they make debug builds fail on fd_set.
#ifndef CLINUX_H
#define CLINUX_H

#include <stdint.h>

/// Who is at the other end of a Unix socket (SO_PEERCRED, SO_PEERGROUPS).
struct linux_peer {
  int32_t pid;
  uint32_t uid;
  uint32_t gid;
  uint32_t group_count;
  uint32_t groups[64];
};

/// Fills `peer` for the connected socket `fd`; at most 64 supplementary groups. 0 or errno.
int linux_peer_credentials(int fd, struct linux_peer *peer);

/// Core dumps and ptrace by the same uid off: PR_SET_DUMPABLE 0 and RLIMIT_CORE 0. 0 or errno.
int linux_forbid_dumps(void);

/// umask 0077: what the process creates is its own.
void linux_private_files(void);

/// SIGPIPE and SIGXFSZ ignored: the calls fail with an errno instead of ending the process.
void linux_ignore_signals(void);

/// Raises the soft limits of open files and locked memory to the hard ones.
void linux_raise_limits(void);

/// File system of an open file: statfs f_type, and st_dev. 0 or errno.
int linux_file_system(int fd, uint64_t *type, uint64_t *device);

/// Bytes that this process may still write on the file system of `path`. 0 or errno.
int linux_available_bytes(const char *path, uint64_t *bytes);

/// 1 when `fd` has extents shared with another file (FS_IOC_FIEMAP), 0 when not, -1 when the
/// file system cannot tell.
int linux_has_shared_extents(int fd);

/// Flags that chattr sets on an open file (FS_IOC_GETFLAGS). 0 or errno.
int linux_file_flags(int fd, uint32_t *flags);

/// 1 when somebody else holds the lock of linux_try_lock on `fd`, 0 when not, -1 when unknown.
int linux_is_locked(int fd);

/// 1 when the kernel's clock follows a source, 0 when not, -1 when unknown (adjtimex).
int linux_clock_is_synchronised(void);

/// Bytes that this process may at most lock into memory; UINT64_MAX without a limit.
uint64_t linux_memory_lock_limit(void);

/// Connects to a Unix socket and hangs up at once. 0 when somebody listens, or errno.
int linux_socket_answers(const char *path);

/// Connects to a Unix socket whose transfers take at most `milliseconds`. The descriptor, or -errno.
int linux_socket_connect(const char *path, uint32_t milliseconds);

/// Listens on a Unix socket of mode 0600, in the place of one that nobody listens on. The descriptor, or
/// -errno (EADDRINUSE when somebody does).
int linux_socket_listen(const char *path);

/// The next connection, with transfers of at most `milliseconds`. The descriptor, or -errno.
int linux_socket_accept(int fd, uint32_t milliseconds);

/// Sends or receives all bytes. 0 or errno; ENODATA when the other end has hung up.
int linux_send_all(int fd, const void *bytes, uint64_t count);
int linux_receive_all(int fd, void *bytes, uint64_t count);

/// Waits until one of the descriptors can be read. Its index, or -1 after an interruption.
int linux_wait_readable(const int *descriptors, int count);

/// Exclusive advisory lock on the whole file without waiting (open file description lock).
/// 0, or EAGAIN when somebody else holds it, or errno; `holder` gets the holder's pid or 0.
int linux_try_lock(int fd, int32_t *holder);

/// CLOCK_REALTIME in milliseconds since 1970.
int64_t linux_wall_clock_milliseconds(void);

/// CLOCK_BOOTTIME in milliseconds: the time since the machine started, suspensions included.
int64_t linux_boot_clock_milliseconds(void);

/// CLOCK_MONOTONIC in nanoseconds.
uint64_t linux_monotonic_nanoseconds(void);

/// open(2), pread(2), pwrite(2), fdatasync(2), close(2) with EINTR and short transfers handled.
int linux_open(const char *path, int flags, uint32_t mode);
int linux_open_at(int directory, const char *name, int flags, uint32_t mode);
int linux_pread_all(int fd, void *bytes, uint64_t count, int64_t offset);
int linux_pwrite_all(int fd, const void *bytes, uint64_t count, int64_t offset);
int linux_sync(int fd);

/// Makes the file at least `size` bytes long; never shortens it, also when another process lengthens
/// it meanwhile (fallocate). 0 or errno, EOPNOTSUPP where the file system cannot.
int linux_extend(int fd, int64_t size);

void linux_close(int fd);

/// Writes a line to standard error.
void linux_write_error_line(const char *line);

/// Flushes standard output and ends the process with `code`.
_Noreturn void linux_exit(int code);

/// Blocks of 256 KiB and more go back to the kernel when they are freed. By default the allocator
/// learns to keep them.
void linux_return_large_blocks(void);

/// Ends the process at once with SIGKILL, as a power cut would.
void linux_kill_self(void);

#endif
