// The process: time, waiting, children, signals, terminals.
#include "system.h"

#include "main.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define NUMBER(at) system_number(ctx, argc, argv, at, 0)
#define FUNCTION(name) static JSValue name(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)

extern char **environ;

void files_install(JSContext *ctx, JSValueConst object);

// runtimes/posix's wait4 for those who try again on EINTR: wait4 itself gives it as long as a signal is to be seen to.
pid_t __belljar_wait4(pid_t pid, int *status, int options, struct rusage *usage);

// ---- time and chance

FUNCTION(sys_hrtime)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return JS_NewFloat64(ctx, now.tv_sec * 1e9 + now.tv_nsec);
}

FUNCTION(sys_now)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return JS_NewFloat64(ctx, now.tv_sec * 1e3 + now.tv_nsec / 1e6);
}

FUNCTION(sys_cpu)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return JS_NewFloat64(ctx, usage.ru_utime.tv_sec * 1e6 + usage.ru_utime.tv_usec);
}

FUNCTION(sys_sleep)
{
	double ms = NUMBER(0);
	struct timespec left = {ms / 1000, (long)((ms - (double)(int64_t)(ms / 1000) * 1000) * 1e6)};
	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
	return JS_UNDEFINED;
}

FUNCTION(sys_random)
{
	size_t size;
	uint8_t *at = engine_bytes(ctx, argv[0], &size);
	if (!at)
		return JS_EXCEPTION;
	for (size_t done = 0; done < size; done += 256)
		if (getentropy(at + done, size - done < 256 ? size - done : 256) < 0)
			return system_error(ctx);
	return JS_UNDEFINED;
}

// mathRandom() is Math.random, seed(bytes) its beginning: two copies of an image must not have the same.
static uint64_t random_state = 88172645463325252ull;

FUNCTION(math_random)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return JS_NewFloat64(ctx, (random_state * 2685821657736338717ull >> 11) * 0x1p-53);
}

FUNCTION(sys_seed)
{
	size_t size;
	uint8_t *at = engine_bytes(ctx, argv[0], &size);
	if (!at || size < 8)
		return JS_EXCEPTION;
	memcpy(&random_state, at, 8);
	random_state |= 1;
	return JS_UNDEFINED;
}

// ---- signals

static volatile uint64_t come;   // signals that JavaScript has yet to hear of
static volatile int interrupted; // SIGINT of a session's cell

static void on_signal(int number)
{
	come |= 1ull << number;
	if (number == SIGINT)
		interrupted = 1;
}

int __belljar_due(void) { return come != 0; }

int system_take_interrupt(void)
{
	int was = interrupted;
	interrupted = 0;
	come &= ~(1ull << SIGINT);
	return was;
}

int system_interrupted(void) { return interrupted; }

// watchSignal(number, how): 1 tells JavaScript of it, 0 does what it does by itself, 2 ignores it.
FUNCTION(sys_watch_signal)
{
	struct sigaction act = {0};
	int how = NUMBER(1);
	act.sa_handler = how == 1 ? on_signal : how == 2 ? SIG_IGN : SIG_DFL;
	sigemptyset(&act.sa_mask);
	return system_result(ctx, sigaction(NUMBER(0), &act, NULL));
}

FUNCTION(sys_take_signals)
{
	uint64_t taken = come;
	if (taken == 0)
		return JS_UNDEFINED;
	come = 0;
	JSValue list = JS_NewArray(ctx);
	uint32_t at = 0;
	for (int i = 1; i < 64; i++)
		if (taken >> i & 1)
			JS_DefinePropertyValueUint32(ctx, list, at++, JS_NewInt32(ctx, i), JS_PROP_C_W_E);
	return list;
}

FUNCTION(sys_kill) { return system_result(ctx, kill(NUMBER(0), NUMBER(1))); }

// ---- waiting

#define POLL_MAX 4096

// poll(watched, timeout, deaf): watched is an Int32Array of descriptor and events in turns; 1 to read, 4 to write. What is
// ready replaces the events. A timeout below 0 waits for ever. It does not begin while JavaScript has yet to hear of a
// signal, unless deaf is true: then only the end of a session's cell keeps it from waiting.
FUNCTION(sys_poll)
{
	size_t size;
	uint8_t *bytes = engine_bytes(ctx, argv[0], &size);
	if (!bytes)
		return JS_EXCEPTION;
	int32_t *watched = (int32_t *)bytes;
	size_t count = size / 8;
	if (count > POLL_MAX)
		count = POLL_MAX;
	struct pollfd *fds = calloc(count + 1, sizeof *fds);
	if (!fds)
		return JS_ThrowOutOfMemory(ctx);
	for (size_t i = 0; i < count; i++)
		fds[i] = (struct pollfd){watched[2 * i], (watched[2 * i + 1] & 1 ? POLLIN : 0) | (watched[2 * i + 1] & 4 ? POLLOUT : 0)};
	double timeout = NUMBER(1);
	int result;
	if (argc > 2 && JS_ToBool(ctx, argv[2]) ? session_interrupted() : come != 0) {
		result = 0;
	} else if (count == 0 && timeout >= 0) {
		struct timespec left = {timeout / 1000, (long)((timeout - (double)(int64_t)(timeout / 1000) * 1000) * 1e6)};
		result = nanosleep(&left, NULL);
	} else if (count == 0) {
		sigset_t none;
		sigemptyset(&none);
		result = sigsuspend(&none);
	} else {
		result = poll(fds, count, timeout < 0 ? -1 : timeout > 1e9 ? 1000000000 : (int)(timeout + 0.999));
	}
	JSValue answer = result < 0 ? system_error(ctx) : JS_NewInt32(ctx, result);
	for (size_t i = 0; i < count; i++)
		watched[2 * i + 1] = result <= 0 ? 0
			: (fds[i].revents & POLLIN ? 1 : 0) | (fds[i].revents & POLLOUT ? 4 : 0) |
				(fds[i].revents & (POLLHUP | POLLERR | POLLNVAL) ? 16 : 0);
	free(fds);
	return answer;
}

// ---- children

static char **string_list(JSContext *ctx, JSValueConst list)
{
	int64_t count = 0;
	if (JS_GetLength(ctx, list, &count) < 0 || count < 0 || count > 1 << 20)
		return NULL;
	char **strings = calloc(count + 1, sizeof *strings);
	for (int64_t i = 0; strings && i < count; i++) {
		JSValue item = JS_GetPropertyInt64(ctx, list, i);
		const char *text = JS_ToCString(ctx, item);
		strings[i] = text ? strdup(text) : strdup("");
		JS_FreeCString(ctx, text);
		JS_FreeValue(ctx, item);
	}
	return strings;
}

static void free_list(char **strings)
{
	for (size_t i = 0; strings && strings[i]; i++)
		free(strings[i]);
	free(strings);
}

// spawn(file, args, env, cwd, descriptors, flags): descriptors[i] becomes the child's i, -1 is closed. flags: 1 a
// session of its own.
FUNCTION(sys_spawn)
{
	const char *file = JS_ToCString(ctx, argv[0]), *cwd = JS_IsString(argv[3]) ? JS_ToCString(ctx, argv[3]) : NULL;
	char **args = string_list(ctx, argv[1]), **env = string_list(ctx, argv[2]);
	char *old = NULL;
	pid_t pid = -1;
	int err = ENOMEM;
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	if (!file || !args || !env)
		goto done;
	int64_t count = 0;
	JS_GetLength(ctx, argv[4], &count);
	// Descriptors that are moved must not be overwritten before they have been: they go through high numbers.
	int high[64];
	for (int64_t i = 0; i < count && i < 64; i++) {
		JSValue item = JS_GetPropertyInt64(ctx, argv[4], i);
		int32_t fd = -1;
		JS_ToInt32(ctx, &fd, item);
		JS_FreeValue(ctx, item);
		high[i] = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 64);
	}
	for (int64_t i = 0; i < count && i < 64; i++) {
		if (high[i] >= 0)
			posix_spawn_file_actions_adddup2(&files, high[i], i);
		else if (fcntl(i, F_GETFD) >= 0)
			posix_spawn_file_actions_addclose(&files, i);
	}
	short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
	sigset_t all, none;
	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setsigmask(&attr, &none);
	if ((int)NUMBER(5) & 1)
		flags |= POSIX_SPAWN_SETSID;
	posix_spawnattr_setflags(&attr, flags);
	err = 0;
	if (cwd) {
		old = getcwd(NULL, 0);
		if (chdir(cwd) < 0)
			err = errno;
	}
	if (err == 0) {
		char **saved = environ;
		// Names without a slash are looked for in the child's PATH, as in execvpe.
		environ = env;
		err = posix_spawnp(&pid, file, &files, &attr, args, env);
		environ = saved;
	}
	if (old)
		(void)chdir(old);
	for (int64_t i = 0; i < count && i < 64; i++)
		if (high[i] >= 0)
			close(high[i]);
done:
	free(old);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	free_list(args);
	free_list(env);
	JS_FreeCString(ctx, cwd);
	JS_FreeCString(ctx, file);
	errno = err;
	return err ? system_error(ctx) : JS_NewInt32(ctx, pid);
}

// wait(pid, block): pid, code, signal; or 0 while it runs; or an error's number.
FUNCTION(sys_wait)
{
	int status;
	pid_t pid;
	do
		pid = __belljar_wait4(NUMBER(0), &status, JS_ToBool(ctx, argv[1]) ? 0 : WNOHANG, NULL);
	while (pid < 0 && errno == EINTR && !session_interrupted());
	if (pid <= 0)
		return system_result(ctx, pid);
	JSValue list = JS_NewArray(ctx);
	JS_DefinePropertyValueUint32(ctx, list, 0, JS_NewInt32(ctx, pid), JS_PROP_C_W_E);
	JS_DefinePropertyValueUint32(ctx, list, 1, JS_NewInt32(ctx, WIFEXITED(status) ? WEXITSTATUS(status) : 0), JS_PROP_C_W_E);
	JS_DefinePropertyValueUint32(ctx, list, 2, JS_NewInt32(ctx, WIFSIGNALED(status) ? WTERMSIG(status) : 0), JS_PROP_C_W_E);
	return list;
}

FUNCTION(sys_pipe)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return system_error(ctx);
	JSValue list = JS_NewArray(ctx);
	JS_DefinePropertyValueUint32(ctx, list, 0, JS_NewInt32(ctx, fds[0]), JS_PROP_C_W_E);
	JS_DefinePropertyValueUint32(ctx, list, 1, JS_NewInt32(ctx, fds[1]), JS_PROP_C_W_E);
	return list;
}

FUNCTION(sys_nonblock)
{
	int flags = fcntl(NUMBER(0), F_GETFL);
	if (flags < 0)
		return system_error(ctx);
	return system_result(ctx, fcntl(NUMBER(0), F_SETFL, JS_ToBool(ctx, argv[1]) ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
}

FUNCTION(sys_exit)
{
	_exit((int)NUMBER(0) & 255);
}

FUNCTION(sys_pid) { return JS_NewInt32(ctx, getpid()); }
FUNCTION(sys_ppid) { return JS_NewInt32(ctx, getppid()); }
FUNCTION(sys_uid) { return JS_NewInt32(ctx, getuid()); }
FUNCTION(sys_gid) { return JS_NewInt32(ctx, getgid()); }

FUNCTION(sys_umask)
{
	if (argc > 0 && !JS_IsUndefined(argv[0]))
		return JS_NewInt32(ctx, umask(NUMBER(0)));
	mode_t old = umask(022);
	umask(old);
	return JS_NewInt32(ctx, old);
}

// ---- terminals

FUNCTION(sys_isatty) { return JS_NewBool(ctx, isatty(NUMBER(0))); }

FUNCTION(sys_winsize)
{
	struct winsize size;
	if (ioctl(NUMBER(0), TIOCGWINSZ, &size) < 0)
		return system_error(ctx);
	JSValue list = JS_NewArray(ctx);
	JS_DefinePropertyValueUint32(ctx, list, 0, JS_NewInt32(ctx, size.ws_col), JS_PROP_C_W_E);
	JS_DefinePropertyValueUint32(ctx, list, 1, JS_NewInt32(ctx, size.ws_row), JS_PROP_C_W_E);
	return list;
}

static struct termios before_raw;
static int raw_fd = -1;

FUNCTION(sys_set_raw)
{
	int fd = NUMBER(0);
	if (!JS_ToBool(ctx, argv[1])) {
		if (raw_fd != fd)
			return JS_NewInt32(ctx, 0);
		raw_fd = -1;
		return system_result(ctx, tcsetattr(fd, TCSANOW, &before_raw));
	}
	struct termios now;
	if (tcgetattr(fd, &now) < 0)
		return system_error(ctx);
	if (raw_fd < 0) {
		before_raw = now;
		raw_fd = fd;
	}
	now.c_iflag &= ~(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
	now.c_oflag |= ONLCR;
	now.c_cflag |= CS8;
	now.c_lflag &= ~(ECHO | ICANON | IEXTEN | ISIG);
	now.c_cc[VMIN] = 1;
	now.c_cc[VTIME] = 0;
	return system_result(ctx, tcsetattr(fd, TCSADRAIN, &now));
}

FUNCTION(sys_environ)
{
	JSValue list = JS_NewArray(ctx);
	uint32_t at = 0;
	for (char **entry = environ; entry && *entry; entry++)
		JS_DefinePropertyValueUint32(ctx, list, at++, JS_NewString(ctx, *entry), JS_PROP_C_W_E);
	return list;
}

FUNCTION(sys_setenv)
{
	const char *name = JS_ToCString(ctx, argv[0]), *value = JS_IsString(argv[1]) ? JS_ToCString(ctx, argv[1]) : NULL;
	if (name && value)
		setenv(name, value, 1);
	else if (name)
		unsetenv(name);
	JS_FreeCString(ctx, value);
	JS_FreeCString(ctx, name);
	if (name && strcmp(name, "TZ") == 0)
		tzset();
	return JS_UNDEFINED;
}

static const struct js_entry functions[] = {
	{"hrtime", sys_hrtime, 0}, {"now", sys_now, 0}, {"cpu", sys_cpu, 0}, {"sleep", sys_sleep, 1}, {"random", sys_random, 1}, {"mathRandom", math_random, 0}, {"seed", sys_seed, 1},
	{"watchSignal", sys_watch_signal, 2}, {"takeSignals", sys_take_signals, 0}, {"kill", sys_kill, 2},
	{"poll", sys_poll, 3}, {"spawn", sys_spawn, 6}, {"wait", sys_wait, 2}, {"pipe", sys_pipe, 0},
	{"nonblock", sys_nonblock, 2}, {"exit", sys_exit, 1}, {"pid", sys_pid, 0}, {"ppid", sys_ppid, 0},
	{"uid", sys_uid, 0}, {"gid", sys_gid, 0}, {"umask", sys_umask, 1}, {"isatty", sys_isatty, 1},
	{"winsize", sys_winsize, 1}, {"setRaw", sys_set_raw, 2}, {"environ", sys_environ, 0}, {"setenv", sys_setenv, 2},
};

void system_install(JSContext *ctx, JSValueConst object)
{
	engine_add(ctx, object, functions, COUNT(functions));
	files_install(ctx, object);
}
