// How the program is started, for the session.
#ifndef BELLJAR_JS_MAIN_H
#define BELLJAR_JS_MAIN_H

#include "engine.h"

extern JSContext *main_context;
extern JSValue main_native; // what the library's bindings are made of

// main_arguments reads the argument vector of this process.
int main_arguments(int *argc, char ***argv);

// main_call calls a function of main_native, and returns the status it answers.
int main_call(const char *name);

// main_report prints the exception that is set, which is one that nothing has caught.
void main_report(JSContext *ctx);

// session_interrupted says that a session's cell is to end.
int session_interrupted(void);

// session_install defines what cells need. session_cell asks the host for a cell, and does what it says.
void session_install(JSContext *ctx, JSValueConst object);
int session_cell(void);

#endif
