// Module belljar's calls, as wasi/ABI.md documents them, and what this library's files share.
#ifndef BELLJAR_HOST_H
#define BELLJAR_HOST_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

struct host_action;
struct host_lock;
struct host_stat;
struct host_wait;
struct termios;
struct winsize;

#define HOST(name) __attribute__((import_module("belljar"), import_name(#name)))

HOST(fd_pipe) int host_fd_pipe(uint32_t flags, uint32_t fds[2]);
HOST(fd_dup) int host_fd_dup(int fd, int min, uint32_t flags, uint32_t *ret);
HOST(fd_dup2) int host_fd_dup2(int fd, int to, uint32_t flags);
HOST(fd_flags_get) int host_fd_flags_get(int fd, uint32_t *flags);
HOST(fd_flags_set) int host_fd_flags_set(int fd, uint32_t flags);
HOST(fd_stat) int host_fd_stat(int fd, struct host_stat *ret);
HOST(path_stat) int host_path_stat(int dir, uint32_t lookup, const char *path, size_t len, struct host_stat *ret);
HOST(fd_chmod) int host_fd_chmod(int fd, uint32_t mode);
HOST(path_chmod) int host_path_chmod(int dir, uint32_t lookup, const char *path, size_t len, uint32_t mode);
HOST(fd_chown) int host_fd_chown(int fd, uint32_t uid, uint32_t gid);
HOST(path_chown) int host_path_chown(int dir, uint32_t lookup, const char *path, size_t len, uint32_t uid, uint32_t gid);
HOST(path_open_mode) int host_path_open_mode(int dir, uint32_t lookup, const char *path, size_t len, uint32_t oflags,
	uint64_t rights, uint64_t inheriting, uint32_t fdflags, uint32_t mode, uint32_t flags, uint32_t *ret);
HOST(path_mkdir_mode) int host_path_mkdir_mode(int dir, const char *path, size_t len, uint32_t mode);
HOST(path_mkfifo) int host_path_mkfifo(int dir, const char *path, size_t len, uint32_t mode);
HOST(path_access) int host_path_access(int dir, uint32_t lookup, const char *path, size_t len, uint32_t how);
HOST(path_rename_flags) int host_path_rename_flags(int dir, const char *path, size_t len, int to_dir, const char *to,
	size_t to_len, uint32_t flags);
HOST(fd_flock) int host_fd_flock(int fd, uint32_t op);
HOST(fd_lock) int host_fd_lock(int fd, uint32_t cmd, uint32_t type, int64_t start, int64_t len, struct host_lock *ret);
HOST(tree_room) int host_tree_room(uint64_t ret[4]);
HOST(fd_seek_sparse) int host_fd_seek_sparse(int fd, int64_t offset, uint32_t whence, uint64_t *ret);
HOST(fd_punch) int host_fd_punch(int fd, int64_t offset, int64_t len);
HOST(fd_bytes) int host_fd_bytes(int fd, uint64_t *ret);

HOST(proc_fork) int host_proc_fork(uint32_t *pid);
HOST(proc_exec) int host_proc_exec(const char *path, size_t len, const char *args, size_t args_len, const char *env,
	size_t env_len, const char *cwd, size_t cwd_len);
HOST(proc_spawn) int host_proc_spawn(const char *path, size_t len, const char *args, size_t args_len, const char *env,
	size_t env_len, const char *cwd, size_t cwd_len, const struct host_action *actions, size_t count, uint32_t flags,
	uint32_t *pid);
HOST(proc_wait) int host_proc_wait(int32_t pid, uint32_t options, struct host_wait *ret);
HOST(proc_kill) int host_proc_kill(int32_t pid, uint32_t sig);
HOST(proc_id) int host_proc_id(uint32_t which, int32_t pid, uint32_t *ret);
HOST(proc_setpgid) int host_proc_setpgid(int32_t pid, int32_t pgid);
HOST(proc_setsid) int host_proc_setsid(uint32_t *ret);
HOST(proc_cwd_get) int host_proc_cwd_get(char *buf, size_t len, size_t *ret);
HOST(proc_cwd_set) int host_proc_cwd_set(const char *path, size_t len);
HOST(proc_paths) int host_proc_paths(uint32_t mode);
HOST(proc_umask) int host_proc_umask(uint32_t mask, uint32_t *old);
HOST(proc_rlimit_get) int host_proc_rlimit_get(uint32_t which, uint64_t ret[2]);
HOST(proc_rlimit_set) int host_proc_rlimit_set(uint32_t which, uint64_t soft, uint64_t hard);
HOST(proc_times) int host_proc_times(uint64_t ret[4]);

HOST(sig_action) int host_sig_action(uint32_t sig, uint32_t how, uint32_t flags, uint32_t old[2]);
HOST(sig_mask) int host_sig_mask(uint32_t how, uint64_t set, uint64_t *old);
HOST(sig_pending) int host_sig_pending(uint64_t *ret);
HOST(sig_suspend) int host_sig_suspend(uint64_t mask);
HOST(sig_timer) int host_sig_timer(int64_t value, int64_t interval, uint64_t old[2]);

HOST(tty_attr_get) int host_tty_attr_get(int fd, struct termios *ret);
HOST(tty_attr_set) int host_tty_attr_set(int fd, uint32_t when, const struct termios *attr);
HOST(tty_size_get) int host_tty_size_get(int fd, struct winsize *ret);
HOST(tty_size_set) int host_tty_size_set(int fd, const struct winsize *size);
HOST(tty_pgrp_get) int host_tty_pgrp_get(int fd, uint32_t *ret);
HOST(tty_pgrp_set) int host_tty_pgrp_set(int fd, int32_t pgid);
HOST(tty_flush) int host_tty_flush(int fd, uint32_t which);

struct host_stat {
	uint64_t dev, ino, nlink;
	uint32_t mode, uid, gid, pad;
	uint64_t rdev, size, blksize, blocks, atim, mtim, ctim;
};

// Asyncify's stack, in its own form. belljar_stack gives an empty one.
struct host_stack {
	void *at, *end;
};
struct host_stack *belljar_stack(void);

struct host_lock {
	uint32_t type, pid;
	uint64_t start, len;
};

struct host_action {
	uint32_t op, fd, to;
};
enum { ACTION_DUP2, ACTION_CLOSE };

struct host_wait {
	uint32_t pid, status;
	uint64_t user_ns, maxrss;
};

enum { FD_FLAG_CLOEXEC = 1 };           // fd_flags_*, fd_pipe, fd_dup, path_open_mode
enum { LOOKUP_FOLLOW = 1 };             // as in preview 1
enum { ID_PID, ID_PPID, ID_PGID, ID_SID, ID_UID, ID_GID };

// done makes an errno of preview 1, which are wasi-libc's too, a result of POSIX.
static inline int done(int err)
{
	if (err == 0)
		return 0;
	errno = err;
	return -1;
}

struct in_addr;
int __belljar_hosts_file(const char *name, struct in_addr *addr); // looks a name up in /etc/hosts; whether it is there

// BLOCKING(call) is for calls that wait: while one is under way, handlers of signals are put off to its end, where
// they run as ordinary code, so that they may longjmp. It gives the call's errno, EINTR only if a handler without
// SA_RESTART ran, or if the program has a signal to see to.
#define BLOCKING(call)                                 \
	({                                             \
		int err_;                              \
		do {                                   \
			__belljar_enter();             \
			err_ = (call);                 \
		} while (__belljar_leave() && err_ == EINTR && !__belljar_due()); \
		err_;                                  \
	})

// POLLING(call) is BLOCKING for calls that no handler lets go on, whatever its flags are, as Linux has it of poll and
// select; and that must not begin when a signal came since an __belljar_enter before.
#define POLLING(call)                                                   \
	({                                                              \
		int err_;                                               \
		do {                                                    \
			__belljar_enter();                              \
			err_ = __belljar_has_put_off() ? EINTR : (call); \
		} while (__belljar_leave_poll() && err_ == EINTR && !__belljar_due()); \
		err_;                                                   \
	})

// WAITING(call) is BLOCKING for what may wait long, of which a program that has a signal to see to keeps out: it gives
// EINTR without a call. Not for who tries again on EINTR without having looked.
#define WAITING(call) (__belljar_due() ? EINTR : BLOCKING(call))

// wait4 for those who try again on EINTR.
struct rusage;
int __belljar_wait4(int pid, int *status, int options, struct rusage *usage);

void __belljar_enter(void);
int __belljar_leave(void); // runs what was put off; whether an interrupted call goes on
int __belljar_leave_poll(void); // the same for POLLING
int __belljar_has_put_off(void); // whether a handler waits for the end of the call

// For programs whose handlers only take note of a signal: whether they have yet to act on one. Weak; the library's own
// says no.
int __belljar_due(void);

// Whether the host calls belljar_signal on the thread that runs. Weak; the library's own says yes.
int __belljar_handles_signals(void);

// Gives each thread a value of its own of a word of memory, whose address is word: zero in a new thread. For what is
// declared _Thread_local, which a module without atomics has one of. At most six. (threads/thread.c)
int __belljar_thread_word(void *word);

// What a program needs before anything else; a constructor calls it, and a program that goes on in another process
// than it began in calls it there.
void __belljar_begin(void);

// What a program needs whose memory may have become another process's with the same arguments: the working directory, the
// umask and what signals do become what the program had.
void __belljar_resume(void);

// Tells the host of a new process the umask, if the program has set one.
void __belljar_tell_umask(void);

// Tells the host of a new process what signals do.
void __belljar_tell_actions(void);

// The working directory, absolute, as the host knew it last.
const char *__belljar_cwd(void);

// A list of strings as the host takes it, each ended by a NUL; free it. NULL: no memory.
char *__belljar_block(char *const *list, size_t *len);

#endif
