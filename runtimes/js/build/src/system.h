// Calls of the system, for the library's bindings: a result of 0 or more, or an error's number on Linux, negated.
#ifndef BELLJAR_JS_SYSTEM_H
#define BELLJAR_JS_SYSTEM_H

#include "engine.h"

// system_result gives what a call has returned, or errno.
JSValue system_result(JSContext *ctx, int64_t result);

// system_error gives errno.
JSValue system_error(JSContext *ctx);

// system_number reads a number argument, or the default where it is missing.
double system_number(JSContext *ctx, int argc, JSValueConst *argv, int at, double missing);

#endif
