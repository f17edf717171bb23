#include "immortal.h"

#include "pycore_code.h"          // _PyCoCached
#include "pycore_dict.h"          // PyDictKeysObject
#include "pycore_interp.h"        // PyInterpreterState
#include "pycore_object.h"        // _Py_SetImmortalUntracked
#include "pycore_pystate.h"       // _PyInterpreterState_GET
#include "pycore_unicodeobject.h" // _PyUnicode_InternImmortal

// The most objects that can wait to be looked into. A stack that grew would leave its earlier copies in the image.
#define STACK_SIZE (1 << 20)

// walk is a depth-first search. The objects on the stack are immortal; what they refer to may not yet be.
struct walk {
	PyObject **stack;
	size_t count;
	PyObject *mortal[2]; // __main__ and its namespace
};

static int is_kept_mortal(const struct walk *w, PyObject *op)
{
	return op == w->mortal[0] || op == w->mortal[1];
}

// reach makes op immortal, and has it looked into if it wasn't.
static int reach(PyObject *op, void *arg)
{
	struct walk *w = arg;
	if (op == NULL || _Py_IsImmortal(op) || is_kept_mortal(w, op))
		return 0;
	_Py_SetImmortalUntracked(op);
	if (w->count == STACK_SIZE)
		Py_FatalError("more objects than the walk can hold");
	w->stack[w->count++] = op;
	return 0;
}

// reach_code is the traverse function that code objects don't have.
static void reach_code(PyCodeObject *code, struct walk *w)
{
	PyObject *const parts[] = {
		code->co_consts, code->co_names, code->co_exceptiontable, code->co_localsplusnames, code->co_localspluskinds,
		code->co_filename, code->co_name, code->co_qualname, code->co_linetable,
	};
	for (size_t i = 0; i < Py_ARRAY_LENGTH(parts); i++)
		reach(parts[i], w);
	_PyCoCached *cached = code->_co_cached;
	if (cached != NULL) {
		reach(cached->_co_code, w);
		reach(cached->_co_varnames, w);
		reach(cached->_co_cellvars, w);
		reach(cached->_co_freevars, w);
	}
}

// reach_type reaches what the traverse function of types leaves out, as it can't be part of a cycle. Instances share
// the names of their attributes with their type, as keys that are counted, too.
static void reach_type(PyHeapTypeObject *type, struct walk *w)
{
	reach(type->ht_name, w);
	reach(type->ht_qualname, w);
	reach(type->ht_slots, w);
	if (type->ht_cached_keys != NULL)
		type->ht_cached_keys->dk_refcnt = _Py_IMMORTAL_REFCNT;
}

static void reach_parts(PyObject *op, struct walk *w)
{
	reach((PyObject *)Py_TYPE(op), w);
	if (PyCode_Check(op))
		reach_code((PyCodeObject *)op, w);
	else if (PyType_Check(op) && PyType_HasFeature((PyTypeObject *)op, Py_TPFLAGS_HEAPTYPE))
		reach_type((PyHeapTypeObject *)op, w);
	if (PyObject_IS_GC(op))
		Py_TYPE(op)->tp_traverse(op, reach, w);
}

// reach_from is called for every object that the collector knows.
static int reach_from(PyObject *op, void *arg)
{
	struct walk *w = arg;
	if (!is_kept_mortal(w, op))
		_Py_SetImmortalUntracked(op);
	reach_parts(op, w);
	while (w->count > 0)
		reach_parts(w->stack[--w->count], w);
	return 1;
}

// intern_forever makes interned strings immortal, of which the table of them has a note.
static void intern_forever(PyInterpreterState *interp)
{
	PyObject *string;
	Py_ssize_t at = 0;
	while (PyDict_Next(interp->cached_objects.interned_strings, &at, &string, NULL)) {
		PyObject *same = Py_NewRef(string);
		_PyUnicode_InternImmortal(interp, &same);
	}
}

int immortal_all(PyObject *main_module)
{
	struct walk w = {
		.stack = malloc(STACK_SIZE * sizeof(PyObject *)),
		.mortal = {main_module, PyModule_GetDict(main_module)},
	};
	if (w.stack == NULL)
		return -1;
	intern_forever(_PyInterpreterState_GET());
	PyUnstable_GC_VisitObjects(reach_from, &w);
	memset(w.stack, 0, STACK_SIZE * sizeof(PyObject *));
	free(w.stack);
	return 0;
}
