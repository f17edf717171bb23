// Objects without reference counts. Copies of an image share its pages for as long as they only read them, and a
// counted reference is a write into the page of its object.
#ifndef BELLJAR_IMMORTAL_H
#define BELLJAR_IMMORTAL_H

#include <Python.h>

// immortal_all makes every object that is alive immortal, but for main_module and its namespace: a program's objects
// die with these. It returns -1 when memory is short.
int immortal_all(PyObject *main_module);

#endif
