// Processes: fork, exec, wait, identity, limits, times.
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host.h"

extern char **environ;

char *__belljar_block(char *const *list, size_t *len)
{
	size_t size = 0;
	for (char *const *s = list; s && *s; s++)
		size += strlen(*s) + 1;
	char *block = malloc(size + 1);
	if (block == NULL)
		return NULL;
	char *at = block;
	for (char *const *s = list; s && *s; s++)
		at = stpcpy(at, *s) + 1;
	*len = size;
	return block;
}

int execve(const char *path, char *const argv[], char *const envp[])
{
	size_t args_len, env_len;
	char *args = __belljar_block(argv, &args_len), *env = __belljar_block(envp, &env_len);
	int err = ENOMEM;
	if (args && env) {
		const char *cwd = __belljar_cwd();
		err = host_proc_exec(path, strlen(path), args, args_len, env, env_len, cwd, strlen(cwd));
	}
	free(args);
	free(env);
	return done(err);
}

int execv(const char *path, char *const argv[]) { return execve(path, argv, environ); }

// exec_script runs a file without magic by the shell, as execvp does.
static int exec_script(const char *path, char *const argv[], char *const envp[])
{
	size_t count = 0;
	while (argv[count])
		count++;
	char **shell = calloc(count + 3, sizeof *shell);
	if (shell == NULL)
		return done(ENOMEM);
	shell[0] = "sh";
	shell[1] = (char *)path;
	for (size_t i = 1; i < count; i++)
		shell[i + 1] = argv[i];
	execve("/bin/sh", shell, envp);
	free(shell);
	return -1;
}

static int try_exec(const char *path, char *const argv[], char *const envp[])
{
	execve(path, argv, envp);
	return errno == ENOEXEC ? exec_script(path, argv, envp) : -1;
}

int execvpe(const char *file, char *const argv[], char *const envp[])
{
	if (*file == '\0')
		return done(ENOENT);
	if (strchr(file, '/'))
		return try_exec(file, argv, envp);
	const char *dir = getenv("PATH");
	if (dir == NULL)
		dir = "/usr/local/bin:/usr/bin:/bin";
	int denied = 0;
	for (;;) {
		size_t len = strcspn(dir, ":");
		char path[PATH_MAX];
		if (len + strlen(file) + 2 <= sizeof path) {
			memcpy(path, dir, len);
			strcpy(path + len + (len > 0), file);
			if (len > 0)
				path[len] = '/';
			try_exec(path, argv, envp);
			if (errno == EACCES)
				denied = 1;
			else if (errno != ENOENT && errno != ENOTDIR)
				return -1;
		}
		if (dir[len] == '\0')
			return done(denied ? EACCES : ENOENT);
		dir += len + 1;
	}
}

int execvp(const char *file, char *const argv[]) { return execvpe(file, argv, environ); }

// EXEC_LIST makes a vector of the arguments after path, and leaves ap behind the final NULL.
#define EXEC_LIST(ap, first)                                          \
	size_t count = 1;                                             \
	va_start(ap, first);                                          \
	while (va_arg(ap, char *))                                    \
		count++;                                              \
	va_end(ap);                                                   \
	char *argv[count + 1];                                        \
	argv[0] = (char *)first;                                      \
	va_start(ap, first);                                          \
	for (size_t i = 1; i <= count; i++)                           \
		argv[i] = va_arg(ap, char *)

int execl(const char *path, const char *first, ...)
{
	va_list ap;
	EXEC_LIST(ap, first);
	va_end(ap);
	return execv(path, argv);
}

int execlp(const char *file, const char *first, ...)
{
	va_list ap;
	EXEC_LIST(ap, first);
	va_end(ap);
	return execvp(file, argv);
}

int execle(const char *path, const char *first, ...)
{
	va_list ap;
	EXEC_LIST(ap, first);
	char **envp = va_arg(ap, char **);
	va_end(ap);
	return execve(path, argv, envp);
}

static struct timeval micro(uint64_t ns)
{
	return (struct timeval){.tv_sec = (time_t)(ns / 1000000000), .tv_usec = (suseconds_t)(ns % 1000000000 / 1000)};
}

pid_t __belljar_wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
	struct host_wait found = {0};
	int err = BLOCKING(host_proc_wait(pid, (uint32_t)options, &found));
	if (err)
		return done(err);
	if (found.pid != 0 && status)
		*status = (int)found.status;
	if (usage)
		*usage = (struct rusage){.ru_utime = micro(found.user_ns), .ru_maxrss = (long)(found.maxrss >> 10)};
	return (pid_t)found.pid;
}

pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
	return __belljar_due() ? done(EINTR) : __belljar_wait4(pid, status, options, usage);
}

pid_t wait3(int *status, int options, struct rusage *usage) { return wait4(-1, status, options, usage); }
pid_t waitpid(pid_t pid, int *status, int options) { return wait4(pid, status, options, NULL); }
pid_t wait(int *status) { return wait4(-1, status, 0, NULL); }

static int identity(uint32_t which, pid_t pid)
{
	uint32_t id;
	int err = host_proc_id(which, pid, &id);
	return err ? done(err) : (int)id;
}

pid_t getpid(void) { return identity(ID_PID, 0); }
pid_t getppid(void) { return identity(ID_PPID, 0); }
pid_t getpgid(pid_t pid) { return identity(ID_PGID, pid); }
pid_t getpgrp(void) { return identity(ID_PGID, 0); }
pid_t getsid(pid_t pid) { return identity(ID_SID, pid); }
uid_t getuid(void) { return (uid_t)identity(ID_UID, 0); }
uid_t geteuid(void) { return getuid(); }
gid_t getgid(void) { return (gid_t)identity(ID_GID, 0); }
gid_t getegid(void) { return getgid(); }

int setpgid(pid_t pid, pid_t pgrp) { return done(host_proc_setpgid(pid, pgrp)); }
pid_t setpgrp(void) { return setpgid(0, 0); }

pid_t setsid(void)
{
	uint32_t sid;
	int err = host_proc_setsid(&sid);
	return err ? done(err) : (pid_t)sid;
}

int getgroups(int size, gid_t list[])
{
	if (size > 0)
		list[0] = getgid();
	return size < 0 ? done(EINVAL) : 1;
}

// A sandbox has one user, and nobody becomes another.
static int only(uint32_t id, uint32_t own) { return id == own || id == (uint32_t)-1 ? 0 : done(EPERM); }
int setuid(uid_t id) { return only(id, getuid()); }
int seteuid(uid_t id) { return only(id, getuid()); }
int setgid(gid_t id) { return only(id, getgid()); }
int setegid(gid_t id) { return only(id, getgid()); }
int setreuid(uid_t r, uid_t e) { return only(r, getuid()) | only(e, getuid()); }
int setregid(gid_t r, gid_t e) { return only(r, getgid()) | only(e, getgid()); }
int setresuid(uid_t r, uid_t e, uid_t s) { return setreuid(r, e) | only(s, getuid()); }
int setresgid(gid_t r, gid_t e, gid_t s) { return setregid(r, e) | only(s, getgid()); }
int getresuid(uid_t *r, uid_t *e, uid_t *s) { return *r = *e = *s = getuid(), 0; }
int getresgid(gid_t *r, gid_t *e, gid_t *s) { return *r = *e = *s = getgid(), 0; }

int setgroups(size_t count, const gid_t *list)
{
	(void)count;
	(void)list;
	return done(EPERM);
}

static uint32_t own_mask = UINT32_MAX; // what the program has set; UINT32_MAX: nothing

mode_t umask(mode_t mask)
{
	uint32_t old = 022;
	own_mask = mask & 0777;
	host_proc_umask(own_mask, &old);
	return old;
}

void __belljar_tell_umask(void)
{
	uint32_t old;
	if (own_mask != UINT32_MAX)
		host_proc_umask(own_mask, &old);
}

mode_t getumask(void)
{
	uint32_t old = 022;
	host_proc_umask(UINT32_MAX, &old);
	return old;
}

int getrlimit(int which, struct rlimit *limit)
{
	uint64_t pair[2] = {RLIM_INFINITY, RLIM_INFINITY};
	if (which < 0 || which >= RLIMIT_NLIMITS)
		return done(EINVAL);
	// What the host has no limit of is unlimited.
	host_proc_rlimit_get((uint32_t)which, pair);
	*limit = (struct rlimit){pair[0], pair[1]};
	return 0;
}

int setrlimit(int which, const struct rlimit *limit)
{
	return done(host_proc_rlimit_set((uint32_t)which, limit->rlim_cur, limit->rlim_max));
}

static void used(uint64_t ns[4])
{
	memset(ns, 0, 4 * sizeof *ns);
	host_proc_times(ns);
}

int getrusage(int who, struct rusage *usage)
{
	uint64_t ns[4];
	if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN)
		return done(EINVAL);
	used(ns);
	int at = who == RUSAGE_CHILDREN ? 2 : 0;
	*usage = (struct rusage){.ru_utime = micro(ns[at]), .ru_stime = micro(ns[at + 1])};
	return 0;
}

clock_t times(struct tms *t)
{
	uint64_t ns[4];
	struct timespec now;
	const uint64_t tick = 1000000000 / 100; // sysconf(_SC_CLK_TCK)
	used(ns);
	if (t)
		*t = (struct tms){(clock_t)(ns[0] / tick), (clock_t)(ns[1] / tick), (clock_t)(ns[2] / tick), (clock_t)(ns[3] / tick)};
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (clock_t)((uint64_t)now.tv_sec * 100 + (uint64_t)now.tv_nsec / tick);
}

clock_t clock(void)
{
	uint64_t ns[4];
	used(ns);
	return (clock_t)((ns[0] + ns[1]) / (1000000000 / CLOCKS_PER_SEC));
}

int getpriority(int which, id_t who) { return (void)which, (void)who, errno = 0, 0; }
int setpriority(int which, id_t who, int nice) { return (void)which, (void)who, (void)nice, 0; }
int nice(int by) { return (void)by, 0; }
