// CPython as a reactor: a module that a host starts once, keeps as a memory image, and starts again from there.
//
//	_initialize     constructors; the host calls it before anything else in a fresh instance
//	belljar_warm    start the interpreter, import the modules named by the arguments, leave the memory fit to be kept
//	belljar_main    run one program to its end, in a fresh instance (a plain start) or in a copy of a warm one
//	belljar_cell    run one cell of a session, in an instance that stays alive between them (session.h)
//	belljar_signal  note a signal, which the program hears of at its next bytecode (runtimes/posix)
//	belljar_thread  run a thread (runtimes/posix)
//	belljar_yield   have the thread that runs let others run at its next bytecode
//
// belljar_main returns the exit status; sys.exit() and os._exit() leave through proc_exit instead. Either way the
// instance has ended: its memory may only be thrown away or overwritten.
//
// Warm, belljar_main takes `python3 [-u] [-B] [-c CODE | -m MODULE | FILE | -] [ARG...]`. The host starts a fresh
// instance for every other option, for any PYTHON* variable, and for a python3 that is not /usr/bin/python3 (a
// virtual environment's): these decide how the interpreter is built, and this one is built already.
#include "Modules/main.c" // pymain_run_python is what `python3` runs, and static

#include "finish.h"
#include "heap.h"
#include "host.h"
#include "immortal.h"
#include "modules.h"
#include "process.h"
#include "session.h"
#include "wake.h"

#define EXPORT(name) __attribute__((export_name(name)))

// Every start of an image has the same string hashes, as memory holds dictionaries built with them.
#define HASH_SEED 2600000021ul

// What an ordinary program allocates is there from the beginning, as untouched zero pages.
#define HEAP_RESERVE (16u << 20)

// What a warm interpreter was started as, and one whose name can't be found.
#define PROGRAM "/usr/bin/python3"

// The interpreter specialises code that it has seen a few times.
#define REHEARSALS 3

static struct {
	int ready;
	PyConfig *config;  // of the running interpreter
	PyObject *modules; // dict: what sys.modules held when the image was taken
} warm;

static int fail(const char *act)
{
	fprintf(stderr, "belljar: %s\n", act);
	if (PyErr_Occurred())
		PyErr_Print();
	return -1;
}

// add_modules names the modules that CPython's own configuration leaves out for WASI.
static void add_modules(void)
{
	PyImport_AppendInittab("_posixsubprocess", PyInit__posixsubprocess);
	PyImport_AppendInittab("fcntl", PyInit_fcntl);
	PyImport_AppendInittab("grp", PyInit_grp);
	PyImport_AppendInittab("mmap", PyInit_mmap);
	PyImport_AppendInittab("pwd", PyInit_pwd);
	PyImport_AppendInittab("resource", PyInit_resource);
	PyImport_AppendInittab("termios", PyInit_termios);
}

static int start_interpreter(void)
{
	add_modules();
	PyConfig config;
	PyConfig_InitPythonConfig(&config);
	config.parse_argv = 0;
	config.use_hash_seed = 1;
	config.hash_seed = HASH_SEED;
	PyStatus status = PyConfig_SetBytesString(&config, &config.program_name, PROGRAM);
	if (!PyStatus_Exception(status))
		status = Py_InitializeFromConfig(&config);
	PyConfig_Clear(&config);
	if (PyStatus_Exception(status)) {
		fprintf(stderr, "belljar: start the interpreter: %s\n", status.err_msg ? status.err_msg : "exit");
		return -1;
	}
	return 0;
}

// import_all imports names and says which ones can't be.
static int import_all(int count, char **names)
{
	int result = 0;
	for (int i = 0; i < count; i++) {
		PyObject *module = PyImport_ImportModule(names[i]);
		if (module == NULL) {
			fprintf(stderr, "belljar: preload %s:\n", names[i]);
			PyErr_Print();
			result = -1;
		}
		Py_XDECREF(module);
	}
	return result;
}

// call calls a module's function without arguments.
static int call(const char *module_name, const char *function)
{
	PyObject *module = PyImport_ImportModule(module_name);
	PyObject *result = module ? PyObject_CallMethod(module, function, NULL) : NULL;
	Py_XDECREF(result);
	Py_XDECREF(module);
	return result == NULL ? -1 : 0;
}

// freeze_all_but moves what is alive out of the collector's sight. main_module stays in it: the objects of a program
// hang on each other through its namespace, and are only found to be garbage if that is looked at.
static int freeze_all_but(PyObject *main_module)
{
	PyObject *kept_back[] = {main_module, PyModule_GetDict(main_module)};
	int tracked[Py_ARRAY_LENGTH(kept_back)];
	for (size_t i = 0; i < Py_ARRAY_LENGTH(kept_back); i++) {
		tracked[i] = PyObject_GC_IsTracked(kept_back[i]);
		if (tracked[i])
			PyObject_GC_UnTrack(kept_back[i]);
	}
	int result = call("gc", "freeze");
	for (size_t i = 0; i < Py_ARRAY_LENGTH(kept_back); i++)
		if (tracked[i])
			PyObject_GC_Track(kept_back[i]);
	return result;
}

// note_modules remembers the modules that are loaded. Every program has a __main__ of its own.
static int note_modules(void)
{
	Py_XSETREF(warm.modules, PyDict_Copy(PyImport_GetModuleDict()));
	return warm.modules != NULL ? PyDict_SetItemString(warm.modules, "__main__", Py_None) : -1;
}

// run_program wakes up and runs what the command line says, and returns its status.
static int run_program(int argc, char **argv)
{
	int status = wake(warm.config, argc, argv);
	if (status == 0)
		pymain_run_python(&status);
	return status;
}

// rehearse runs a program from waking up to its end, but for what only the end of an interpreter may do, and undoes
// it. What is built, looked up or specialised on the way is so once, in the image.
static int rehearse(void)
{
	static char *const argv[] = {"python3", "-c", "print(end='', flush=True)"};
	PyObject *main_module = PyImport_AddModule("__main__");
	PyObject *namespace = main_module ? PyDict_Copy(PyModule_GetDict(main_module)) : NULL;
	if (namespace == NULL || note_modules() < 0)
		return -1;
	int status = run_program(Py_ARRAY_LENGTH(argv), (char **)argv);
	if (session_rehearse() < 0)
		return -1;
	finish_modules(warm.modules);

	main_module = PyImport_AddModule("__main__");
	if (main_module == NULL || PyDict_Update(PyModule_GetDict(main_module), namespace) < 0)
		return -1;
	Py_DECREF(namespace);
	wake_forget(warm.config);
	return status == 0 ? PySequence_DelItem(PySys_GetObject("path"), 0) : -1;
}

// settle makes the memory fit to be kept: garbage is gone, what is left is counted and collected no more, and no
// byte is waiting in a buffer.
static int settle(void)
{
	PyObject *main_module = PyImport_AddModule("__main__");
	if (main_module == NULL || note_modules() < 0)
		return -1;
	PyGC_Collect();
	if (immortal_all(main_module) < 0 || freeze_all_but(main_module) < 0)
		return -1;
	return finish_flush() < 0 || fflush(NULL) != 0 ? -1 : 0;
}

EXPORT("belljar_warm") int belljar_warm(void)
{
	int argc;
	char **argv;
	if (process_args(&argc, &argv) < 0)
		return fail("read the arguments");
	if (start_interpreter() < 0)
		return -1;
	warm.config = (PyConfig *)_PyInterpreterState_GetConfig(_PyInterpreterState_GET());
	int result = import_all(argc - 1, argv + 1);
	if (wake_prepare() < 0 || session_prepare() < 0)
		return fail("find the waking functions");
	if (call("_belljar", "_rehearse") < 0)
		return fail("rehearse");
	for (int i = 0; i < REHEARSALS; i++)
		if (rehearse() < 0)
			return fail("rehearse");
	if (settle() < 0)
		return fail("settle");
	if (heap_close(HEAP_RESERVE) < 0)
		return fail("reserve the heap");
	warm.ready = 1;
	return result;
}

static int main_warm(int argc, char **argv)
{
	int status = run_program(argc, argv);
	status = finish_program(warm.modules, status < 0 ? 1 : status);
	if (_PyRuntime.signals.unhandled_keyboard_interrupt) {
		fflush(NULL);
		status = exit_sigint();
	}
	return status;
}

// Py_Exit is where CPython ends on SystemExit. The linker sends its callers here (--wrap).
_Noreturn void __real_Py_Exit(int status);
_Noreturn void __wrap_Py_Exit(int status)
{
	if (!warm.ready)
		__real_Py_Exit(status);
	PyThreadState *tstate = _PyThreadState_GET();
	if (_PyThreadState_IsRunningMain(tstate))
		_PyInterpreterState_SetNotRunningMain(tstate->interp);
	exit(finish_program(warm.modules, status));
}

// main_cold is Py_BytesMain, but for how a name without a slash becomes sys.executable: CPython looks for a file
// with an executable bit, which WASI's file attributes don't have.
static int main_cold(int argc, char **argv)
{
	add_modules();
	PyConfig config;
	PyConfig_InitPythonConfig(&config);
	PyStatus status = PyConfig_SetBytesArgv(&config, argc, argv);
	if (!PyStatus_Exception(status) && argc > 0 && strchr(argv[0], '/') == NULL) {
		char *path = process_find_program(argv[0]);
		status = PyConfig_SetBytesString(&config, &config.executable, path ? path : PROGRAM);
		free(path);
	}
	if (!PyStatus_Exception(status))
		status = Py_InitializeFromConfig(&config);
	PyConfig_Clear(&config);
	if (PyStatus_IsExit(status))
		return status.exitcode;
	if (PyStatus_Exception(status))
		pymain_exit_error(status);
	return Py_RunMain();
}

EXPORT("belljar_main") int belljar_main(void)
{
	int status = 1, argc;
	char **argv;
	if (process_args(&argc, &argv) < 0)
		fail("read the arguments");
	else
		status = warm.ready ? main_warm(argc, argv) : main_cold(argc, argv);
	fflush(NULL);
	return status;
}

// begin_session makes the interpreter one that sits at a prompt: a warm one wakes, a cold one starts.
static int begin_session(void)
{
	int argc;
	char **argv;
	if (process_args(&argc, &argv) < 0)
		return fail("read the arguments");
	if (warm.ready) {
		if (wake(warm.config, argc, argv) != 0)
			return -1;
	} else {
		if (start_interpreter() < 0 || session_prepare() < 0)
			return fail("start a session");
	}
	PyObject *folder = PyUnicode_FromString("");
	if (folder == NULL || PyList_Insert(PySys_GetObject("path"), 0, folder) < 0 || call("_belljar_session", "begin") < 0)
		return fail("begin a session");
	Py_DECREF(folder);
	return 0;
}

EXPORT("belljar_cell") int belljar_cell(void)
{
	static int begun;
	if (!begun && begin_session() < 0)
		return 1;
	// Between two cells the memory may have become another process's.
	if (begun)
		__belljar_resume();
	begun = 1;
	return session_cell();
}
