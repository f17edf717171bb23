// A living interpreter: cells run one after the other in the namespace of __main__, as in a notebook.
//
// The host calls belljar_cell for each. What to do crosses by the service "cell", whose answer is
//
//	what u32 | flags u32 | number u32 | cursor u32 | source, UTF-8
//
// and what comes of it by the service "part", whose request is
//
//	kind u32 | count u32 | count times: length u32, bytes
//
// with little-endian integers. Kinds and their strings: see enum part in session.c.
#ifndef BELLJAR_SESSION_H
#define BELLJAR_SESSION_H

#include <Python.h>

// session_prepare finds what cells will call. It returns -1 with an exception set when something isn't there. Called
// once, after the last import of the image.
int session_prepare(void);

// session_rehearse runs a few cells without a host, so that what is built at its first use is in the image.
int session_rehearse(void);

// session_cell asks the host for a cell, does what it says, and returns the exit status it would have as a program.
int session_cell(void);

#endif
