// _posixsubprocess over the host's spawn. subprocess.py is CPython's: it hears of a program that can't be started through
// the same pipe, in the same form, as from a child that has been forked.
#include <Python.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"
#include "numbers.h"
#include "modules.h"

extern char **environ;

enum { SPAWN_SETPGID = 1, SPAWN_SETSID = 2, SPAWN_RESET_SIGNALS = 4 };
enum { ACTION_ONLY_LISTED = 2 };

// No process has this number, as who waits for it is told.
#define NOBODY 0x7fffffff

struct request {
	PyObject *args, *executables, *pass_fds, *cwd, *env, *gid, *groups, *uid, *preexec;
	int close_fds, restore_signals, session, umask, group;
	int ends[3];                // what the child's standard streams become; -1: the parent's
	int error_read, error_write; // the pipe to tell of an error
};

// block makes the host's form of a sequence of strings. NULL: an exception is set.
static char *block(PyObject *sequence, size_t *length)
{
	PyObject *items = PySequence_Fast(sequence, "a sequence is expected");
	char *all = items ? PyMem_RawMalloc(1) : NULL;
	*length = 0;
	for (Py_ssize_t i = 0; all && i < PySequence_Fast_GET_SIZE(items); i++) {
		PyObject *item;
		if (!PyUnicode_FSConverter(PySequence_Fast_GET_ITEM(items, i), &item)) {
			PyMem_RawFree(all);
			all = NULL;
			break;
		}
		size_t size = (size_t)PyBytes_GET_SIZE(item) + 1;
		char *grown = PyMem_RawRealloc(all, *length + size);
		if (grown == NULL) {
			PyMem_RawFree(all);
			PyErr_NoMemory();
		} else {
			memcpy(grown + *length, PyBytes_AS_STRING(item), size);
			*length += size;
		}
		all = grown;
		Py_DECREF(item);
	}
	if (items && all == NULL && !PyErr_Occurred())
		PyErr_NoMemory();
	Py_XDECREF(items);
	return all;
}

// copy_environ is block of the process's own environment.
static char *copy_environ(size_t *length)
{
	size_t size = 0;
	for (char **s = environ; s && *s; s++)
		size += strlen(*s) + 1;
	char *all = PyMem_RawMalloc(size + 1), *at = all;
	if (all == NULL) {
		PyErr_NoMemory();
		return NULL;
	}
	for (char **s = environ; s && *s; s++)
		at = stpcpy(at, *s) + 1;
	*length = size;
	return all;
}

static int is_sorted(PyObject *fds)
{
	long last = -1;
	for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(fds); i++) {
		PyObject *item = PyTuple_GET_ITEM(fds, i);
		long fd = PyLong_Check(item) ? PyLong_AsLong(item) : -1;
		if (fd < 0 || fd <= last || fd > INT_MAX)
			return 0;
		last = fd;
	}
	return 1;
}

// plan makes the actions on the child's descriptors. The streams' sources are first copied out of the way of the streams,
// into moved, close-on-exec, which the caller closes. It returns how many actions there are, or -1 with errno.
static int plan(const struct request *r, struct host_action *actions, int moved[3])
{
	int n = 0;
	if (r->close_fds)
		actions[n++] = (struct host_action){.op = ACTION_ONLY_LISTED};
	for (int to = 0; to < 3; to++) {
		int from = r->ends[to];
		if (from >= 0 && from < 3 && from != to) {
			from = moved[to] = fcntl(from, F_DUPFD_CLOEXEC, 3);
			if (from < 0)
				return -1;
		}
		// The parent's own go along, too, where they are open.
		if (from < 0 && (!r->close_fds || fcntl(to, F_GETFD) < 0))
			continue;
		actions[n++] = (struct host_action){ACTION_DUP2, (uint32_t)(from < 0 ? to : from), (uint32_t)to};
	}
	for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(r->pass_fds); i++) {
		int fd = (int)PyLong_AsLong(PyTuple_GET_ITEM(r->pass_fds, i));
		if (fd == r->error_write || fcntl(fd, F_GETFD) < 0)
			continue;
		if (r->close_fds && fd > 2)
			actions[n++] = (struct host_action){ACTION_DUP2, (uint32_t)fd, (uint32_t)fd};
	}
	return n;
}

// folder finds the child's working directory, absolute. It returns an errno.
static int folder(PyObject *cwd, char **found)
{
	*found = realpath(PyBytes_AS_STRING(cwd), NULL);
	struct stat st;
	if (*found == NULL)
		return errno;
	if (stat(*found, &st) < 0)
		return errno;
	if (!S_ISDIR(st.st_mode))
		return ENOTDIR;
	return access(*found, X_OK) < 0 ? errno : 0;
}

// become says whether the child may have these numbers, as a sandbox has one user: 0, an errno, or -1 with an exception.
static int become(const struct request *r)
{
	int own = (r->uid == Py_None || PyLong_AsUnsignedLong(r->uid) == (unsigned long)getuid()) &&
		(r->gid == Py_None || PyLong_AsUnsignedLong(r->gid) == (unsigned long)getgid()) && r->groups == Py_None;
	return PyErr_Occurred() ? -1 : own ? 0 : EPERM;
}

struct strings {
	char *args, *env, *dir;
	size_t args_length, env_length;
};

// start tries the executables one after the other. It returns an errno.
static int start(const struct request *r, const struct strings *s, const struct host_action *actions, int count, uint32_t *pid)
{
	const char *dir = s->dir ? s->dir : __belljar_cwd();
	uint32_t flags = (r->session ? SPAWN_SETSID : 0) | (r->group == 0 ? SPAWN_SETPGID : 0) |
		(r->restore_signals ? SPAWN_RESET_SIGNALS : 0);
	int err = ENOENT, denied = 0;
	for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(r->executables); i++) {
		PyObject *path = PyTuple_GET_ITEM(r->executables, i);
		// The host looks names without a slash up in PATH, which has been done.
		char *name = strchr(PyBytes_AS_STRING(path), '/') ? strdup(PyBytes_AS_STRING(path)) : NULL;
		if (name == NULL && asprintf(&name, "./%s", PyBytes_AS_STRING(path)) < 0)
			return ENOMEM;
		Py_BEGIN_ALLOW_THREADS
		err = host_proc_spawn(name, strlen(name), s->args, s->args_length, s->env, s->env_length, dir, strlen(dir), actions,
			(size_t)count, flags, pid);
		Py_END_ALLOW_THREADS
		free(name);
		if (err == 0)
			return r->group > 0 && setpgid((pid_t)*pid, r->group) < 0 ? errno : 0;
		if (err == EACCES)
			denied = 1;
		else if (err != ENOENT && err != ENOTDIR)
			return err;
	}
	return denied ? EACCES : err;
}

// tell writes why there is no child, as a forked child does.
static void tell(const struct request *r, int err, const char *what)
{
	char text[64];
	int length = snprintf(text, sizeof text, "OSError:%X:%s", (unsigned)belljar_linux_errno(err), what);
	(void)!write(r->error_write, text, (size_t)length);
}

// prepare converts what the request has of strings. It returns an errno, or -1 with an exception; *what is what failed.
static int prepare(const struct request *r, struct strings *s, const char **what)
{
	if ((s->args = block(r->args, &s->args_length)) == NULL)
		return -1;
	s->env = r->env == Py_None ? copy_environ(&s->env_length) : block(r->env, &s->env_length);
	if (s->env == NULL)
		return -1;
	if (r->cwd == Py_None)
		return 0;
	PyObject *bytes;
	if (!PyUnicode_FSConverter(r->cwd, &bytes))
		return -1;
	int err = folder(bytes, &s->dir);
	Py_DECREF(bytes);
	if (err)
		*what = "noexec:chdir";
	return err;
}

static int spawn(const struct request *r, uint32_t *pid)
{
	struct strings s = {0};
	const char *what = "noexec";
	int moved[3] = {-1, -1, -1};
	size_t room = (size_t)PyTuple_GET_SIZE(r->pass_fds) + 4;
	struct host_action *actions = PyMem_RawCalloc(room, sizeof *actions);
	int err = actions ? prepare(r, &s, &what) : ENOMEM;
	if (err == 0)
		err = become(r);
	if (err == 0) {
		int count = plan(r, actions, moved);
		what = "";
		mode_t before = r->umask >= 0 ? umask((mode_t)r->umask) : 0;
		err = count < 0 ? errno : start(r, &s, actions, count, pid);
		if (r->umask >= 0)
			umask(before);
	}
	for (int i = 0; i < 3; i++)
		if (moved[i] >= 0)
			close(moved[i]);
	PyMem_RawFree(actions);
	PyMem_RawFree(s.args);
	PyMem_RawFree(s.env);
	free(s.dir);
	if (err > 0) {
		tell(r, err, what);
		*pid = NOBODY;
	}
	return err < 0 ? -1 : 0;
}

// is_builtin says whether a function is the module posix's of this name.
static int is_builtin(PyObject *function, const char *name)
{
	PyObject *posix = PyImport_ImportModule("posix");
	PyObject *known = posix ? PyObject_GetAttrString(posix, name) : NULL;
	int same = known == function;
	Py_XDECREF(known);
	Py_XDECREF(posix);
	PyErr_Clear();
	return same;
}

// run_preexec does what there is no child yet to do, where that is known.
static int run_preexec(struct request *r)
{
	if (r->preexec == Py_None)
		return 0;
	if (is_builtin(r->preexec, "setsid"))
		r->session = 1;
	else if (is_builtin(r->preexec, "setpgrp"))
		r->group = 0;
	else {
		PyErr_SetString(PyExc_NotImplementedError, "preexec_fn: this Python starts programs without fork, so that no function "
			"can run in the child; os.setsid and os.setpgrp work, and so do start_new_session, process_group, umask, cwd "
			"and env");
		return -1;
	}
	return 0;
}

PyDoc_STRVAR(fork_exec_doc, "fork_exec(args, executable_list, close_fds, pass_fds, cwd, env, p2cread, p2cwrite, c2pread,\n"
	"c2pwrite, errread, errwrite, errpipe_read, errpipe_write, restore_signals, call_setsid,\n"
	"pgid_to_set, gid, extra_groups, uid, child_umask, preexec_fn, allow_vfork)\n--\n\nStart a program.");

static PyObject *fork_exec(PyObject *Py_UNUSED(module), PyObject *args)
{
	struct request r;
	int p2cwrite, c2pread, errread, vfork;
	if (!PyArg_ParseTuple(args, "OOpO!OOiiiiiiiippiOOOiOp:fork_exec", &r.args, &r.executables, &r.close_fds, &PyTuple_Type,
		    &r.pass_fds, &r.cwd, &r.env, &r.ends[0], &p2cwrite, &c2pread, &r.ends[1], &errread, &r.ends[2],
		    &r.error_read, &r.error_write, &r.restore_signals, &r.session, &r.group, &r.gid, &r.groups, &r.uid,
		    &r.umask, &r.preexec, &vfork))
		return NULL;
	if (r.close_fds && r.error_write < 3) {
		PyErr_SetString(PyExc_ValueError, "errpipe_write must be >= 3");
		return NULL;
	}
	if (!is_sorted(r.pass_fds)) {
		PyErr_SetString(PyExc_ValueError, "bad value(s) in fds_to_keep");
		return NULL;
	}
	// The caller's may change while this goes on.
	r.executables = PySequence_Tuple(r.executables);
	if (r.executables == NULL)
		return NULL;
	uint32_t pid = 0;
	int result = run_preexec(&r);
	for (Py_ssize_t i = 0; result == 0 && i < PyTuple_GET_SIZE(r.executables); i++)
		if (!PyBytes_Check(PyTuple_GET_ITEM(r.executables, i))) {
			PyErr_SetString(PyExc_TypeError, "executables must be bytes");
			result = -1;
		}
	if (result == 0)
		result = spawn(&r, &pid);
	Py_DECREF(r.executables);
	return result < 0 ? NULL : PyLong_FromUnsignedLong(pid);
}

static PyMethodDef methods[] = {
	{"fork_exec", fork_exec, METH_VARARGS, fork_exec_doc},
	{NULL},
};

static struct PyModuleDef definition = {
	PyModuleDef_HEAD_INIT, .m_name = "_posixsubprocess", .m_doc = "Starts programs for subprocess.", .m_methods = methods,
};

PyObject *PyInit__posixsubprocess(void) { return PyModuleDef_Init(&definition); }
