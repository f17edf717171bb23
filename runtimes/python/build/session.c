#include "session.h"

#include "pycore_ast.h"         // mod_ty
#include "pycore_compile.h"     // _PyAST_Compile
#include "pycore_parser.h"      // _PyParser_ASTFromString
#include "pycore_pyarena.h"     // _PyArena_New
#include "pycore_pythonrun.h"   // Py_file_input

#include <stdint.h>

#include "finish.h"
#include "service.h"

// What a cell is for.
enum what {
	WHAT_RUN,
	WHAT_COMPLETE, // answer names that could stand at the cursor
	WHAT_CHECK,    // answer whether the source is complete
};

// What a part tells, and what its strings are.
enum part {
	PART_RESULT,     // the value of the last expression: MIME type, data, MIME type, data ...
	PART_DISPLAY,    // the same, of a value that was displayed on the way
	PART_ERROR,      // name, value, lines of the traceback ...
	PART_COMPLETION, // where the replaced text starts, names ...
	PART_CHECK,      // "complete", "incomplete" or "invalid", then the indentation of the next line
};

// Flags of a cell.
#define CELL_COPIED 1 // this memory has become another session's: what two of them may not share is made anew

struct cell {
	uint32_t what, flags, number, cursor;
	const char *source; // ends in a NUL
	size_t length;
};

static struct {
	PyObject *show, *report, *await, *complete, *check, *copied; // of _belljar_session
	PyObject *linecache;                                         // linecache.cache
	PyCompilerFlags flags;                                       // what `from __future__ import` has set so far
} session;

static void put(char **at, const void *bytes, size_t len)
{
	memcpy(*at, bytes, len);
	*at += len;
}

static void put_u32(char **at, Py_ssize_t value)
{
	uint32_t word = (uint32_t)value;
	put(at, &word, sizeof word);
}

// emit_items sends bytes objects. Without a host, as in the rehearsal, they go nowhere.
static int emit_items(long kind, PyObject *const *items, Py_ssize_t count)
{
	size_t size = 8;
	for (Py_ssize_t i = 0; i < count; i++)
		size += 4 + PyBytes_GET_SIZE(items[i]);
	char *request = size <= UINT32_MAX ? PyMem_Malloc(size) : NULL;
	if (request == NULL) {
		PyErr_NoMemory();
		return -1;
	}
	char *at = request;
	put_u32(&at, kind);
	put_u32(&at, count);
	for (Py_ssize_t i = 0; i < count; i++) {
		put_u32(&at, PyBytes_GET_SIZE(items[i]));
		put(&at, PyBytes_AS_STRING(items[i]), PyBytes_GET_SIZE(items[i]));
	}
	service_tell("part", request, size);
	PyMem_Free(request);
	return 0;
}

PyDoc_STRVAR(emit_doc, "emit(kind, *strings)\n--\n\nSend a part of the cell's result, of str and bytes, to the host.");

static PyObject *emit(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
	long kind = count > 0 ? PyLong_AsLong(args[0]) : 0;
	PyObject *items = count > 0 && !PyErr_Occurred() ? PyList_New(0) : NULL;
	int result = items == NULL ? -1 : 0;
	for (Py_ssize_t i = 1; result == 0 && i < count; i++) {
		PyObject *item = PyUnicode_Check(args[i]) ? PyUnicode_AsEncodedString(args[i], "utf-8", "backslashreplace")
							  : PyBytes_FromObject(args[i]);
		result = item ? PyList_Append(items, item) : -1;
		Py_XDECREF(item);
	}
	if (result == 0)
		result = emit_items(kind, ((PyListObject *)items)->ob_item, PyList_GET_SIZE(items));
	Py_XDECREF(items);
	if (result < 0)
		return NULL;
	Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
	{"emit", (PyCFunction)(void (*)(void))emit, METH_FASTCALL, emit_doc},
	{NULL},
};

int session_prepare(void)
{
	PyObject *module = PyImport_ImportModule("_belljar_session");
	PyObject *linecache = PyImport_ImportModule("linecache");
	if (module == NULL || linecache == NULL || PyModule_AddFunctions(module, functions) < 0)
		return -1;
	struct {
		PyObject **to;
		const char *name;
	} const used[] = {
		{&session.show, "show"}, {&session.report, "report"}, {&session.await, "await_"},
		{&session.complete, "complete"}, {&session.check, "check"}, {&session.copied, "copied"},
	};
	for (size_t i = 0; i < Py_ARRAY_LENGTH(used); i++)
		if ((*used[i].to = PyObject_GetAttrString(module, used[i].name)) == NULL)
			return -1;
	Py_DECREF(module);
	session.linecache = PyObject_GetAttrString(linecache, "cache");
	Py_DECREF(linecache);
	session.flags = _PyCompilerFlags_INIT;
	session.flags.cf_flags |= PyCF_SOURCE_IS_UTF8 | PyCF_ALLOW_TOP_LEVEL_AWAIT;
	return session.linecache ? 0 : -1;
}

// remember_source gives tracebacks the cell's lines. An entry without a time is not looked for on disk.
static int remember_source(PyObject *filename, const struct cell *cell)
{
	PyObject *text = PyUnicode_DecodeUTF8(cell->source, cell->length, "replace");
	PyObject *lines = text ? PyUnicode_Splitlines(text, 1) : NULL;
	PyObject *entry = lines ? Py_BuildValue("(nOOO)", cell->length, Py_None, lines, filename) : NULL;
	int result = entry ? PyObject_SetItem(session.linecache, filename, entry) : -1;
	Py_XDECREF(entry);
	Py_XDECREF(lines);
	Py_XDECREF(text);
	return result;
}

// is_silenced says whether the source ends in a semicolon, which keeps a last value from being shown.
static int is_silenced(const struct cell *cell)
{
	size_t end = cell->length;
	while (end > 0 && strchr(" \t\r\n\f", cell->source[end - 1]) != NULL)
		end--;
	return end > 0 && cell->source[end - 1] == ';';
}

// split_value takes a last expression out of a module, and returns it as a module of its own, or NULL.
static mod_ty split_value(mod_ty module, PyArena *arena)
{
	asdl_stmt_seq *body = module->v.Module.body;
	Py_ssize_t count = asdl_seq_LEN(body);
	if (count == 0)
		return NULL;
	stmt_ty last = asdl_seq_GET(body, count - 1);
	if (last->kind != Expr_kind)
		return NULL;
	asdl_stmt_seq *rest = _Py_asdl_stmt_seq_new(count - 1, arena);
	if (rest == NULL)
		return NULL;
	for (Py_ssize_t i = 0; i < count - 1; i++)
		asdl_seq_SET(rest, i, asdl_seq_GET(body, i));
	module->v.Module.body = rest;
	return _PyAST_Expression(last->v.Expr.value, arena);
}

// compile_part compiles under what the cells before have imported from __future__.
static int compile_part(mod_ty part, PyObject *filename, PyArena *arena, PyObject **code)
{
	PyCodeObject *compiled = _PyAST_Compile(part, filename, &session.flags, -1, arena);
	if (compiled == NULL)
		return -1;
	session.flags.cf_flags |= compiled->co_flags & PyCF_MASK;
	*code = (PyObject *)compiled;
	return 0;
}

// compile_cell compiles a cell's statements, and its last expression apart from them. Either may be left NULL.
static int compile_cell(const struct cell *cell, PyObject *filename, PyObject **statements, PyObject **value)
{
	PyArena *arena = _PyArena_New();
	if (arena == NULL)
		return -1;
	int result = -1;
	mod_ty module = _PyParser_ASTFromString(cell->source, filename, Py_file_input, &session.flags, arena);
	if (module != NULL) {
		mod_ty last = split_value(module, arena);
		result = PyErr_Occurred() ? -1 : 0;
		if (result == 0 && asdl_seq_LEN(module->v.Module.body) > 0)
			result = compile_part(module, filename, arena, statements);
		if (result == 0 && last != NULL)
			result = compile_part(last, filename, arena, value);
	}
	_PyArena_Free(arena);
	return result;
}

// evaluate runs code, to the end of what it awaits.
static PyObject *evaluate(PyObject *code, PyObject *namespace)
{
	PyObject *value = PyEval_EvalCode(code, namespace, namespace);
	if (value != NULL && (((PyCodeObject *)code)->co_flags & CO_COROUTINE))
		Py_SETREF(value, PyObject_CallOneArg(session.await, value));
	return value;
}

static PyObject *main_namespace(void)
{
	PyObject *module = PyImport_AddModule("__main__");
	return module ? PyModule_GetDict(module) : NULL;
}

static int run_source(const struct cell *cell)
{
	PyObject *statements = NULL, *value = NULL, *namespace = main_namespace();
	PyObject *filename = PyUnicode_FromFormat("<cell %u>", cell->number);
	int result = -1;
	if (strlen(cell->source) != cell->length)
		PyErr_SetString(PyExc_SyntaxError, "source code cannot contain null bytes");
	else if (filename != NULL && namespace != NULL && remember_source(filename, cell) == 0)
		result = compile_cell(cell, filename, &statements, &value);
	if (result == 0 && statements != NULL) {
		PyObject *none = evaluate(statements, namespace);
		result = none ? 0 : -1;
		Py_XDECREF(none);
	}
	if (result == 0 && value != NULL) {
		PyObject *last = evaluate(value, namespace);
		result = last ? 0 : -1;
		if (last != NULL && last != Py_None && !is_silenced(cell)) {
			PyObject *shown = PyObject_CallOneArg(session.show, last);
			result = shown ? 0 : -1;
			Py_XDECREF(shown);
		}
		Py_XDECREF(last);
	}
	Py_XDECREF(value);
	Py_XDECREF(statements);
	Py_XDECREF(filename);
	return result;
}

static int tell(PyObject *function, const struct cell *cell)
{
	PyObject *done = PyObject_CallFunction(function, "s#I", cell->source, (Py_ssize_t)cell->length, cell->cursor);
	Py_XDECREF(done);
	return done ? 0 : -1;
}

// interrupted makes an interrupt that is due the exception that is set, in place of the one before.
static void interrupted(void)
{
	PyObject *before = PyErr_GetRaisedException();
	if (PyErr_CheckSignals() == 0) {
		PyErr_SetRaisedException(before);
		return;
	}
	PyObject *now = PyErr_GetRaisedException();
	PyException_SetContext(now, before);
	PyErr_SetRaisedException(now);
}

// report_error sends the exception that is set, and returns the status it gives. An interrupt that comes while it is
// being reported has nothing else to interrupt, and is forgotten.
static int report_error(void)
{
	interrupted();
	PyObject *exception = PyErr_GetRaisedException();
	PyObject *status = PyObject_CallOneArg(session.report, exception);
	if (status == NULL && PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) {
		PyErr_Clear();
		status = PyObject_CallOneArg(session.report, exception);
	}
	int result = status ? (int)PyLong_AsLong(status) & 0xff : 1;
	Py_XDECREF(status);
	Py_DECREF(exception);
	if (PyErr_Occurred())
		PyErr_WriteUnraisable(session.report);
	return result;
}

static int do_cell(const struct cell *cell)
{
	int result = 0;
	if (cell->flags & CELL_COPIED) {
		PyObject *done = PyObject_CallNoArgs(session.copied);
		result = done ? 0 : -1;
		Py_XDECREF(done);
	}
	if (result == 0 && cell->what == WHAT_RUN)
		result = run_source(cell);
	else if (result == 0)
		result = tell(cell->what == WHAT_COMPLETE ? session.complete : session.check, cell);
	int status = result < 0 ? report_error() : 0;
	if (finish_flush() < 0 && status == 0)
		status = 1;
	return status;
}

int session_cell(void)
{
	struct cell cell;
	size_t length;
	int error;
	// An interrupt that came too late for the cell before is not for this one. Those from here on are.
	if (PyErr_CheckSignals() < 0)
		PyErr_Clear();
	char *answer = service_call("cell", NULL, 0, &length, &error);
	if (answer == NULL || length < 16) {
		fprintf(stderr, "belljar: ask for a cell: errno %d\n", error);
		free(answer);
		return 1;
	}
	memcpy(&cell, answer, 16);
	cell.source = answer + 16;
	cell.length = length - 16;
	int status = do_cell(&cell);
	free(answer);
	return status;
}

int session_rehearse(void)
{
	static const char *const sources[] = {
		"x = 1", "x + 1", "def f(): return [1.5, 'a', None]\nf()", "1/0", "print('', end='')",
	};
	for (size_t i = 0; i < Py_ARRAY_LENGTH(sources); i++) {
		struct cell cell = {.number = 1, .source = sources[i], .length = strlen(sources[i])};
		do_cell(&cell);
	}
	PyDict_Clear(session.linecache);
	return PyErr_Occurred() ? -1 : 0;
}
