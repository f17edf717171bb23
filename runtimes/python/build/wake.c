#include "wake.h"

#include "pycore_fileutils.h"  // _Py_abspath
#include "pycore_getopt.h"     // _PyOS_GetOpt
#include "pycore_initconfig.h" // _PyWideStringList_AsList
#include "pycore_pathconfig.h" // _PyPathConfig_ClearGlobal
#include "pycore_pymem.h"      // _PyMem_RawWcsdup

#include <unistd.h>

#include "host.h"
#include "process.h"

#define STREAMS 3

// sys.flags is a structure sequence with documented positions.
#define FLAG_DONT_WRITE_BYTECODE 4

static PyObject *wake_modules;  // _belljar._wake
static PyObject *new_stream;    // _belljar._stream
static PyObject *user_site;     // _belljar._user_site
static PyObject *posix_environ; // posix.environ, which os.environ and os.environb wrap
static struct fd_kind built_for[STREAMS];

static PyObject *import_attr(const char *module_name, const char *attr)
{
	PyObject *module = PyImport_ImportModule(module_name);
	PyObject *value = module ? PyObject_GetAttrString(module, attr) : NULL;
	Py_XDECREF(module);
	return value;
}

int wake_prepare(void)
{
	wake_modules = import_attr("_belljar", "_wake");
	new_stream = import_attr("_belljar", "_stream");
	user_site = import_attr("_belljar", "_user_site");
	posix_environ = import_attr("posix", "environ");
	for (int fd = 0; fd < STREAMS; fd++)
		built_for[fd] = process_fd_kind(fd);
	return wake_modules && new_stream && user_site && posix_environ ? 0 : -1;
}

// wake_environ fills posix.environ in place, as every reference to os.environ ends there. As in CPython the first
// of two equal names counts, and an entry without '=' doesn't.
static int wake_environ(void)
{
	PyDict_Clear(posix_environ);
	for (char **entry = process_environ(); entry != NULL && *entry != NULL; entry++) {
		const char *equals = strchr(*entry, '=');
		if (equals == NULL)
			continue;
		PyObject *name = PyBytes_FromStringAndSize(*entry, equals - *entry);
		PyObject *value = PyBytes_FromString(equals + 1);
		PyObject *set = name && value ? PyDict_SetDefault(posix_environ, name, value) : NULL;
		Py_XDECREF(name);
		Py_XDECREF(value);
		if (set == NULL)
			return -1;
	}
	return 0;
}

// IMAGE_HOME is the home that site has seen in this memory, USER_SITE what it has found there to be the place of packages.
#define IMAGE_HOME "/home/user"
#define USER_SITE IMAGE_HOME "/.local/lib/python" Py_STRINGIFY(PY_MAJOR_VERSION) "." Py_STRINGIFY(PY_MINOR_VERSION) "/site-packages"

// wake_site puts the user's own packages on the path. As a rule there are none, and that has to cost no page of memory.
static int wake_site(void)
{
	const char *home = NULL;
	for (char **entry = process_environ(); home == NULL && entry != NULL && *entry != NULL; entry++)
		if (strncmp(*entry, "HOME=", 5) == 0)
			home = *entry + 5;
	if (home != NULL && strcmp(home, IMAGE_HOME) == 0 && access(USER_SITE, F_OK) < 0)
		return 0;
	PyObject *done = PyObject_CallNoArgs(user_site);
	Py_XDECREF(done);
	return done ? 0 : -1;
}

// wake_streams replaces the standard streams that were built for another kind of descriptor.
static int wake_streams(const PyConfig *config)
{
	static const char *const names[STREAMS] = {"stdin", "stdout", "stderr"};
	for (int fd = 0; fd < STREAMS; fd++) {
		struct fd_kind kind = process_fd_kind(fd);
		if (config->buffered_stdio && process_same_kind(&kind, &built_for[fd]))
			continue;
		PyObject *stream = Py_NewRef(Py_None);
		if (kind.open)
			Py_SETREF(stream, PyObject_CallFunction(new_stream, "isuui", fd, names[fd], config->stdio_encoding,
				fd == 2 ? L"backslashreplace" : config->stdio_errors, config->buffered_stdio));
		if (stream == NULL)
			return -1;
		char first[16];
		snprintf(first, sizeof first, "__%s__", names[fd]);
		int set = PySys_SetObject(names[fd], stream) < 0 || PySys_SetObject(first, stream) < 0 ? -1 : 0;
		Py_DECREF(stream);
		if (set < 0)
			return -1;
	}
	return 0;
}

// set_command reads the options that a warm interpreter can honour into config, as config_parse_cmdline does, and
// stores the index of the program's own arguments. It returns -1 after naming an option that it can't honour.
static int set_command(PyConfig *config, int argc, wchar_t **argv, Py_ssize_t *rest)
{
	int option, longindex = -1;
	_PyOS_ResetGetOpt();
	while ((option = _PyOS_GetOpt(argc, argv, &longindex)) != EOF) {
		if (option == 'c') {
			size_t length = wcslen(_PyOS_optarg);
			config->run_command = PyMem_RawMalloc((length + 2) * sizeof(wchar_t));
			if (config->run_command == NULL)
				return -1;
			wmemcpy(config->run_command, _PyOS_optarg, length);
			wmemcpy(config->run_command + length, L"\n", 2);
			break;
		}
		if (option == 'm') {
			config->run_module = _PyMem_RawWcsdup(_PyOS_optarg);
			break;
		}
		if (option == 'u') {
			config->buffered_stdio = 0;
		} else if (option == 'B') {
			config->write_bytecode = 0;
		} else {
			if (option != '_')
				fprintf(stderr, "belljar: option -%c needs an interpreter of its own\n", option);
			return -1;
		}
	}
	*rest = _PyOS_optind;
	if (config->run_command != NULL || config->run_module != NULL) {
		*rest -= 1;
	} else if (*rest < argc && wcscmp(argv[*rest], L"-") != 0) {
		wchar_t *absolute = NULL;
		config->run_filename = _PyMem_RawWcsdup(argv[*rest]);
		if (!_Py_isabs(argv[*rest]) && _Py_abspath(argv[*rest], &absolute) == 0 && absolute != NULL) {
			PyMem_RawFree(config->run_filename);
			config->run_filename = absolute;
		}
	}
	return 0;
}

// set_list makes list and the sys attribute name hold the count strings of items.
static int set_list(PyConfig *config, PyWideStringList *list, const char *name, Py_ssize_t count, wchar_t **items)
{
	if (PyStatus_Exception(PyConfig_SetWideStringList(config, list, count, items)))
		return -1;
	PyObject *value = _PyWideStringList_AsList(list);
	int result = value ? PySys_SetObject(name, value) : -1;
	Py_XDECREF(value);
	return result;
}

// wake_command makes config and sys say what the command line says. It returns 0, WAKE_USAGE or -1.
static int wake_command(PyConfig *config, int argc, char **bytes)
{
	wchar_t **argv = PyMem_RawCalloc(argc + 1, sizeof *argv);
	if (argv == NULL)
		return -1;
	for (int i = 0; i < argc; i++)
		if ((argv[i] = Py_DecodeLocale(bytes[i], NULL)) == NULL)
			return -1;
	if (set_list(config, &config->orig_argv, "orig_argv", argc, argv) < 0)
		return -1;
	// Messages name the program as it was called.
	if (argc > 0 && PyStatus_Exception(PyConfig_SetString(config, &config->program_name, argv[0])))
		return -1;
	Py_ssize_t rest;
	if (set_command(config, argc, argv, &rest) < 0)
		return WAKE_USAGE;
	wchar_t *empty[] = {L""}, **own = argv + rest;
	if (config->run_command != NULL)
		own[0] = L"-c";
	else if (config->run_module != NULL)
		own[0] = L"-m";
	else if (rest >= argc)
		own = empty;
	Py_ssize_t count = own == empty ? 1 : argc - rest;
	if (set_list(config, &config->argv, "argv", count, own) < 0)
		return -1;
	if (!config->write_bytecode) {
		PySys_SetObject("dont_write_bytecode", Py_True);
		PyStructSequence_SetItem(PySys_GetObject("flags"), FLAG_DONT_WRITE_BYTECODE, PyLong_FromLong(1));
	}
	return 0;
}

static int report(const char *act)
{
	fprintf(stderr, "belljar: wake: %s\n", act);
	if (PyErr_Occurred())
		PyErr_Print();
	return -1;
}

int wake(PyConfig *config, int argc, char **argv)
{
	__belljar_begin();
	if (wake_environ() < 0)
		return report("environment");
	int status = wake_command(config, argc, argv);
	if (status != 0)
		return status == WAKE_USAGE ? status : report("command line");
	if (!config->buffered_stdio) {
		setvbuf(stdin, NULL, _IONBF, 0);
		setvbuf(stdout, NULL, _IONBF, 0);
	}
	if (wake_streams(config) < 0)
		return report("standard streams");
	PyObject *done = PyObject_CallNoArgs(wake_modules);
	Py_XDECREF(done);
	if (done == NULL)
		return report("modules");
	return wake_site() < 0 ? report("the user's packages") : 0; // last, as what lies there may run
}

static void forget_string(wchar_t **string)
{
	PyMem_RawFree(*string);
	*string = NULL;
}

void wake_forget(PyConfig *config)
{
	forget_string(&config->run_command);
	forget_string(&config->sys_path_0);
	forget_string(&config->program_name);
	PyConfig_SetWideStringList(config, &config->argv, 0, NULL);
	PyConfig_SetWideStringList(config, &config->orig_argv, 0, NULL);
	_PyPathConfig_ClearGlobal();
	process_forget_environ();
}
