// Modules of the interpreter that CPython doesn't build for WASI.
#ifndef BELLJAR_MODULES_H
#define BELLJAR_MODULES_H

#include <Python.h>

PyObject *PyInit__posixsubprocess(void); // subprocess.c; the others are CPython's
PyObject *PyInit_fcntl(void);
PyObject *PyInit_grp(void);
PyObject *PyInit_mmap(void);
PyObject *PyInit_pwd(void);
PyObject *PyInit_resource(void);
PyObject *PyInit_termios(void);

#endif
