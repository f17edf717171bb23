// The end of a program in a warm instance: what a program can see of Py_FinalizeEx, without tearing down an
// interpreter whose memory is about to be overwritten.
#ifndef BELLJAR_FINISH_H
#define BELLJAR_FINISH_H

#include <Python.h>

// finish_program waits for threads, runs atexit callbacks, destroys the program's own modules (those that kept, a
// dict of modules by name, doesn't hold) so that finalizers run, and flushes. It returns the process's exit status,
// which is CPython's 120 when status was 0..255 and the standard streams couldn't be flushed.
int finish_program(PyObject *kept, int status);

// finish_modules does only the destroying.
void finish_modules(PyObject *kept);

// finish_flush flushes sys.stdout and sys.stderr. It returns -1 when one of them couldn't be.
int finish_flush(void);

#endif
