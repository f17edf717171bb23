// posix_spawn, and what is made of it: system and popen.
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

extern char **environ;

enum { OP_DUP2, OP_CLOSE, OP_OPEN };
enum { SPAWN_SETPGID = 1, SPAWN_SETSID = 2, SPAWN_RESET_SIGNALS = 4 };

struct __spawn_action {
	int op, fd, to;
	int flags;
	mode_t mode;
	char *path;
};

int posix_spawnattr_init(posix_spawnattr_t *a) { return *a = (posix_spawnattr_t){0}, 0; }
int posix_spawnattr_destroy(posix_spawnattr_t *a) { return (void)a, 0; }
int posix_spawnattr_setflags(posix_spawnattr_t *a, short flags) { return a->__flags = flags, 0; }
int posix_spawnattr_getflags(const posix_spawnattr_t *restrict a, short *restrict f) { return *f = (short)a->__flags, 0; }
int posix_spawnattr_setpgroup(posix_spawnattr_t *a, pid_t pgrp) { return a->__pgrp = pgrp, 0; }
int posix_spawnattr_setsigmask(posix_spawnattr_t *restrict a, const sigset_t *restrict s) { return a->__mask = *s, 0; }
int posix_spawnattr_setsigdefault(posix_spawnattr_t *restrict a, const sigset_t *restrict s) { return a->__def = *s, 0; }

int posix_spawn_file_actions_init(posix_spawn_file_actions_t *f) { return *f = (posix_spawn_file_actions_t){0}, 0; }

int posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *f)
{
	for (int i = 0; i < f->__count; i++)
		free(f->__list[i].path);
	free(f->__list);
	return 0;
}

static int add(posix_spawn_file_actions_t *f, struct __spawn_action a)
{
	struct __spawn_action *grown = reallocarray(f->__list, (size_t)f->__count + 1, sizeof *grown);
	if (grown == NULL)
		return ENOMEM;
	f->__list = grown;
	f->__list[f->__count++] = a;
	return 0;
}

int posix_spawn_file_actions_addclose(posix_spawn_file_actions_t *f, int fd)
{
	return fd < 0 ? EBADF : add(f, (struct __spawn_action){.op = OP_CLOSE, .fd = fd});
}

int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *f, int fd, int to)
{
	return fd < 0 || to < 0 ? EBADF : add(f, (struct __spawn_action){.op = OP_DUP2, .fd = fd, .to = to});
}

int posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *restrict f, int fd, const char *restrict path, int flags,
	mode_t mode)
{
	char *copy = fd < 0 ? NULL : strdup(path);
	if (copy == NULL)
		return fd < 0 ? EBADF : ENOMEM;
	int err = add(f, (struct __spawn_action){.op = OP_OPEN, .fd = fd, .flags = flags, .mode = mode, .path = copy});
	if (err)
		free(copy);
	return err;
}

// prepare makes the host's actions. A file to open is opened here, close-on-exec, and dup'ed there.
static int prepare(const posix_spawn_file_actions_t *f, struct host_action *to, int *opened)
{
	for (int i = 0; i < f->__count; i++) {
		const struct __spawn_action *a = &f->__list[i];
		opened[i] = -1;
		switch (a->op) {
		case OP_CLOSE:
			to[i] = (struct host_action){.op = ACTION_CLOSE, .fd = (uint32_t)a->fd};
			break;
		case OP_DUP2:
			to[i] = (struct host_action){ACTION_DUP2, (uint32_t)a->fd, (uint32_t)a->to};
			break;
		default:
			opened[i] = open(a->path, a->flags | O_CLOEXEC, a->mode);
			if (opened[i] < 0)
				return errno;
			to[i] = (struct host_action){ACTION_DUP2, (uint32_t)opened[i], (uint32_t)a->fd};
		}
	}
	return 0;
}

static int start(pid_t *pid, const char *path, const posix_spawn_file_actions_t *files, const posix_spawnattr_t *attr,
	char *const *argv, char *const *envp)
{
	static const posix_spawn_file_actions_t none;
	if (files == NULL)
		files = &none;
	size_t args_len, env_len, count = (size_t)files->__count;
	char *args = __belljar_block(argv, &args_len), *env = __belljar_block(envp, &env_len);
	struct host_action *actions = calloc(count + 1, sizeof *actions);
	int *opened = calloc(count + 1, sizeof *opened);
	for (size_t i = 0; opened && i < count; i++)
		opened[i] = -1;
	int err = args && env && actions && opened ? prepare(files, actions, opened) : ENOMEM;
	if (err == 0) {
		int want = attr ? attr->__flags : 0;
		uint32_t flags = (want & POSIX_SPAWN_SETPGROUP && attr->__pgrp == 0 ? SPAWN_SETPGID : 0) |
			(want & POSIX_SPAWN_SETSID ? SPAWN_SETSID : 0) |
			(want & POSIX_SPAWN_SETSIGDEF ? SPAWN_RESET_SIGNALS : 0);
		sigset_t mask;
		const char *cwd = __belljar_cwd();
		uint32_t made = 0;
		// The child inherits the mask.
		if (want & POSIX_SPAWN_SETSIGMASK)
			sigprocmask(SIG_SETMASK, &attr->__mask, &mask);
		err = host_proc_spawn(path, strlen(path), args, args_len, env, env_len, cwd, strlen(cwd), actions, count, flags, &made);
		if (want & POSIX_SPAWN_SETSIGMASK)
			sigprocmask(SIG_SETMASK, &mask, NULL);
		if (err == 0 && pid)
			*pid = (pid_t)made;
		if (err == 0 && want & POSIX_SPAWN_SETPGROUP && attr->__pgrp != 0)
			setpgid((pid_t)made, attr->__pgrp);
	}
	for (size_t i = 0; opened && i < count; i++)
		if (opened[i] >= 0)
			close(opened[i]);
	free(args);
	free(env);
	free(actions);
	free(opened);
	return err;
}

int posix_spawn(pid_t *restrict pid, const char *restrict path, const posix_spawn_file_actions_t *files,
	const posix_spawnattr_t *restrict attr, char *const *restrict argv, char *const *restrict envp)
{
	if (strchr(path, '/'))
		return start(pid, path, files, attr, argv, envp);
	// The host looks names without a slash up in PATH.
	char *here = malloc(strlen(path) + 3);
	if (here == NULL)
		return ENOMEM;
	strcpy(stpcpy(here, "./"), path);
	int err = start(pid, here, files, attr, argv, envp);
	free(here);
	return err;
}

int posix_spawnp(pid_t *restrict pid, const char *restrict file, const posix_spawn_file_actions_t *files,
	const posix_spawnattr_t *restrict attr, char *const *restrict argv, char *const *restrict envp)
{
	return start(pid, file, files, attr, argv, envp);
}

static int shell(pid_t *pid, const char *command, const posix_spawn_file_actions_t *files)
{
	char *argv[] = {"sh", "-c", (char *)command, NULL};
	return posix_spawn(pid, "/bin/sh", files, NULL, argv, environ);
}

int system(const char *command)
{
	pid_t pid;
	int status = -1;
	if (command == NULL)
		return 1;
	struct sigaction ignore = {0}, old_int, old_quit;
	sigset_t block = 0, old_mask;
	ignore.sa_handler = SIG_IGN;
	sigaddset(&block, SIGCHLD);
	sigprocmask(SIG_BLOCK, &block, &old_mask);
	int err = shell(&pid, command, NULL);
	sigaction(SIGINT, &ignore, &old_int);
	sigaction(SIGQUIT, &ignore, &old_quit);
	if (err)
		status = 127 << 8;
	else
		while (__belljar_wait4(pid, &status, 0, NULL) < 0 && errno == EINTR)
			;
	sigaction(SIGINT, &old_int, NULL);
	sigaction(SIGQUIT, &old_quit, NULL);
	sigprocmask(SIG_SETMASK, &old_mask, NULL);
	return status;
}

// Streams of popen, by their descriptor.
static struct stream {
	struct stream *next;
	FILE *file;
	pid_t pid;
} *streams;

FILE *popen(const char *command, const char *mode)
{
	int fds[2], write = *mode == 'w';
	struct stream *s = malloc(sizeof *s);
	if ((*mode != 'r' && !write) || s == NULL || pipe2(fds, O_CLOEXEC) < 0) {
		if (s)
			errno = errno ? errno : EINVAL;
		free(s);
		return NULL;
	}
	int ours = fds[write], theirs = fds[!write];
	posix_spawn_file_actions_t files;
	posix_spawn_file_actions_init(&files);
	int err = posix_spawn_file_actions_adddup2(&files, theirs, !write);
	if (err == 0)
		err = shell(&s->pid, command, &files);
	posix_spawn_file_actions_destroy(&files);
	close(theirs);
	s->file = err ? NULL : fdopen(ours, write ? "w" : "r");
	if (s->file == NULL) {
		close(ours);
		free(s);
		if (err)
			errno = err;
		return NULL;
	}
	if (strchr(mode, 'e') == NULL)
		fcntl(ours, F_SETFD, 0);
	s->next = streams;
	streams = s;
	return s->file;
}

int pclose(FILE *file)
{
	struct stream **at = &streams, *s;
	while (*at && (*at)->file != file)
		at = &(*at)->next;
	if ((s = *at) == NULL)
		return done(ECHILD);
	*at = s->next;
	pid_t pid = s->pid;
	int status, got;
	free(s);
	fclose(file);
	while ((got = __belljar_wait4(pid, &status, 0, NULL)) < 0 && errno == EINTR)
		;
	return got < 0 ? -1 : status;
}
