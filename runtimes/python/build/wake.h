// The beginning of a program in a warm instance: what a copied interpreter has to be told about its new process.
#ifndef BELLJAR_WAKE_H
#define BELLJAR_WAKE_H

#include <Python.h>

// Exit status of a command line that can't be run.
#define WAKE_USAGE 2

// wake_prepare finds what wake will call and notes what the standard streams were built for. It returns -1 with an
// exception set when something isn't there. Called once, after the last import of the image.
int wake_prepare(void);

// wake makes the interpreter this process's, so that nothing a program can ask for is the image's: environment,
// working directory, arguments, standard streams, random state. It returns 0, WAKE_USAGE after naming an option that
// a warm interpreter can't honour, or -1 after reporting another failure.
int wake(PyConfig *config, int argc, char **argv);

// wake_forget frees what wake and a program run with -c have stored outside of Python's objects.
void wake_forget(PyConfig *config);

#endif
