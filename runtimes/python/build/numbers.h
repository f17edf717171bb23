// Error numbers: Linux's, which programs see, and WASI's, which the library has. The patched parts of CPython declare what they
// use of this themselves.
#ifndef BELLJAR_NUMBERS_H
#define BELLJAR_NUMBERS_H

// belljar_linux_errno gives Linux's number for one of WASI's. What is no error of WASI's stays as it is.
int belljar_linux_errno(int wasi);

// belljar_wasi_errno gives WASI's number for one of Linux's, -1 where it has none.
int belljar_wasi_errno(int linux);

// belljar_strerror is strerror for Linux's numbers. The text is good until the next call.
const char *belljar_strerror(int linux);

// belljar_errno_name gives the i-th of the names that module errno has, and its number. NULL: there are no more.
const char *belljar_errno_name(int i, int *linux);

#endif
