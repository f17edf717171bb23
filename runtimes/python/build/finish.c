#include "finish.h"

#include "pycore_ceval.h"        // _Py_FinishPendingCalls
#include "pycore_gc.h"           // _PyGC_CollectNoFail
#include "pycore_interp.h"       // PyInterpreterState.builtins
#include "pycore_moduleobject.h" // _PyModule_Clear
#include "pycore_pylifecycle.h"  // _PyAtExit_Call
#include "pycore_pystate.h"      // _PyThreadState_GET
#include "pycore_runtime.h"      // _PyRuntime
#include "pycore_sysmodule.h"    // _PySys_ClearAttrString
#include "pycore_weakref.h"      // _PyWeakref_GET_REF

// Exit status of a program whose last output got lost (Py_RunMain).
#define STATUS_FLUSH_FAILED 120

static void ignore(const char *act)
{
	if (PyErr_Occurred())
		PyErr_FormatUnraisable("Exception ignored on %s", act);
}

static int is_closed(PyObject *file)
{
	PyObject *closed = PyObject_GetAttrString(file, "closed");
	int result = closed ? PyObject_IsTrue(closed) : 0;
	Py_XDECREF(closed);
	if (result < 0 || PyErr_Occurred())
		PyErr_Clear();
	return result > 0;
}

static int flush_stream(const char *name)
{
	PyObject *file = PySys_GetObject(name);
	if (file == NULL || file == Py_None)
		return 0;
	Py_INCREF(file);
	int result = 0;
	if (!is_closed(file)) {
		PyObject *done = PyObject_CallMethod(file, "flush", NULL);
		result = done ? 0 : -1;
		Py_XDECREF(done);
	}
	Py_DECREF(file);
	return result;
}

int finish_flush(void)
{
	int out = flush_stream("stdout");
	ignore("flushing sys.stdout");
	// There is nowhere left to report a stderr that can't be written.
	int err = flush_stream("stderr");
	PyErr_Clear();
	return out < 0 || err < 0 ? -1 : 0;
}

static void shut_threads(PyObject *modules)
{
	PyObject *threading = PyDict_GetItemString(modules, "threading");
	if (threading == NULL)
		return;
	Py_XDECREF(PyObject_CallMethod(threading, "_shutdown", NULL));
	ignore("threading shutdown");
}

// restore_streams gives sys.stdout and its like their first values back, so that a program's own replacement of
// them is closed with the program.
static void restore_streams(void)
{
	static const char *const names[][2] = {
		{"stdin", "__stdin__"}, {"stdout", "__stdout__"}, {"stderr", "__stderr__"},
	};
	for (size_t i = 0; i < Py_ARRAY_LENGTH(names); i++) {
		PyObject *first = PySys_GetObject(names[i][1]);
		PySys_SetObject(names[i][0], first ? first : Py_None);
		ignore("restoring the standard streams");
	}
}

// clear_hiding_places drops the values that sys and builtins, which stay, hold for the program. CPython sets them to
// None; here they are deleted, for a warm-up ends like a program, and the next one would find what no new interpreter
// has: a sys.ps1, which is how programs tell that they are interactive.
static void clear_hiding_places(PyInterpreterState *interp)
{
	static const char *const names[] = {"argv", "ps1", "ps2", "last_exc", "last_type", "last_value", "last_traceback"};
	if (PyDict_GetItemString(interp->builtins, "_") != NULL)
		PyDict_DelItemString(interp->builtins, "_");
	ignore("clearing builtins._");
	for (size_t i = 0; i < Py_ARRAY_LENGTH(names); i++) {
		PySys_SetObject(names[i], NULL);
		ignore("clearing sys");
	}
}

// own_modules returns the names of the modules in sys.modules that are not in kept, in the order of import.
static PyObject *own_modules(PyObject *modules, PyObject *kept)
{
	PyObject *names = PyList_New(0);
	PyObject *name, *module, *kept_name, *kept_module;
	Py_ssize_t at = 0, kept_at = 0;
	while (names != NULL && PyDict_Next(modules, &at, &name, &module)) {
		// kept is a copy and dictionaries keep their order: mostly the two run side by side.
		if (!PyDict_Next(kept, &kept_at, &kept_name, &kept_module) || kept_name != name)
			kept_module = PyDict_GetItemWithError(kept, name);
		if (kept_module != module && PyModule_Check(module) && PyList_Append(names, name) < 0)
			Py_CLEAR(names);
	}
	return names;
}

// remove_modules takes the program's modules out of sys.modules and returns weak references to them in the order
// of import, or NULL when memory is short.
static PyObject *remove_modules(PyObject *modules, PyObject *kept)
{
	PyObject *removed = PyList_New(0), *names = own_modules(modules, kept);
	for (Py_ssize_t i = 0; removed != NULL && names != NULL && i < PyList_GET_SIZE(names); i++) {
		PyObject *name = PyList_GET_ITEM(names, i);
		PyObject *module = PyDict_GetItemWithError(modules, name);
		PyObject *reference = module ? PyWeakref_NewRef(module, NULL) : NULL;
		if (reference != NULL)
			PyList_Append(removed, reference);
		Py_XDECREF(reference);
		PyDict_DelItem(modules, name);
	}
	Py_XDECREF(names);
	ignore("removing modules");
	return removed;
}

// clear_modules empties the namespaces of modules that something still holds, the last imported first. It returns
// how many there were.
static int clear_modules(PyObject *removed)
{
	int cleared = 0;
	for (Py_ssize_t i = PyList_GET_SIZE(removed) - 1; i >= 0; i--) {
		PyObject *module = _PyWeakref_GET_REF(PyList_GET_ITEM(removed, i));
		if (module != NULL) {
			_PyModule_Clear(module);
			Py_DECREF(module);
			cleared++;
		}
	}
	return cleared;
}

void finish_modules(PyObject *kept)
{
	PyThreadState *tstate = _PyThreadState_GET();
	_PyGC_CollectNoFail(tstate);
	clear_hiding_places(tstate->interp);
	restore_streams();
	PyObject *removed = remove_modules(PyImport_GetModuleDict(), kept);
	_PyGC_CollectNoFail(tstate);
	if (removed != NULL && clear_modules(removed) > 0)
		_PyGC_CollectNoFail(tstate);
	Py_XDECREF(removed);
}

// end_threads keeps those that are left, daemons, from running again: they end where they would take the interpreter's lock.
static void end_threads(PyThreadState *tstate)
{
	if (PyThreadState_Next(PyInterpreterState_ThreadHead(tstate->interp)) == NULL)
		return;
	_PyInterpreterState_SetFinalizing(tstate->interp, tstate);
	_PyRuntimeState_SetFinalizing(&_PyRuntime, tstate);
}

int finish_program(PyObject *kept, int status)
{
	PyThreadState *tstate = _PyThreadState_GET();
	shut_threads(PyImport_GetModuleDict());
	_Py_FinishPendingCalls(tstate);
	_PyAtExit_Call(tstate->interp);
	end_threads(tstate);
	int lost = finish_flush() < 0;
	finish_modules(kept);
	// What finalizers have printed; a stream that failed before has been reported.
	if (!lost)
		lost = finish_flush() < 0;
	return lost ? STATUS_FLUSH_FAILED : status;
}
