// What needs QuickJS's own internals, which is why the whole of it is in this file: stacks as V8 has them, modules
// that their loader links, what util.inspect looks into, and the freezing of a heap.
#include "onethread.h"
#include "quickjs.c"
#include "deep.c" // made by build.sh

#include "engine.h"

static bool bj_active;

// What JavaScript has given to be called: see set_hook.
static struct {
	JSValue format_stack, import, meta, rejection, promise;
} hooks = {JS_UNDEFINED, JS_UNDEFINED, JS_UNDEFINED, JS_UNDEFINED, JS_UNDEFINED};

void engine_add(JSContext *ctx, JSValueConst object, const struct js_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++)
		JS_DefinePropertyValueStr(ctx, object, entries[i].name,
			JS_NewCFunction(ctx, entries[i].call, entries[i].name, entries[i].length),
			JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE | JS_PROP_ENUMERABLE);
}

// ---- stacks

static void add_value(JSContext *ctx, JSValueConst array, uint32_t *at, JSValue value)
{
	JS_DefinePropertyValueUint32(ctx, array, (*at)++, value, JS_PROP_C_W_E);
}

static JSValue function_name(JSContext *ctx, JSValueConst func)
{
	JSProperty *pr;
	if (JS_VALUE_GET_TAG(func) != JS_TAG_OBJECT)
		return JS_NULL;
	JSShapeProperty *prs = find_own_property(&pr, JS_VALUE_GET_OBJ(func), JS_ATOM_name);
	if (!prs || (prs->flags & JS_PROP_TMASK) != JS_PROP_NORMAL || !JS_IsString(pr->u.value))
		return JS_NULL;
	return js_dup(pr->u.value);
}

// Each frame is five values: the function's name, the file, line, column, and flags: 1 a constructor, 2 native,
// 4 async.
static void add_frame(JSContext *ctx, JSValueConst array, uint32_t *at, JSStackFrame *sf)
{
	JSObject *p = JS_VALUE_GET_OBJ(sf->cur_func);
	JSFunctionBytecode *b = js_class_has_bytecode(p->class_id) ? p->u.func.function_bytecode : NULL;
	int line = -1, col = -1, flags = sf->is_constructor ? 1 : 0;
	add_value(ctx, array, at, function_name(ctx, sf->cur_func));
	if (b && sf->cur_pc) {
		line = find_line_num(ctx, b, sf->cur_pc - b->byte_code_buf - 1, &col);
		add_value(ctx, array, at, b->filename ? JS_AtomToString(ctx, b->filename) : JS_NULL);
	} else {
		add_value(ctx, array, at, b && b->filename ? JS_AtomToString(ctx, b->filename) : JS_NULL);
		if (!b)
			flags |= 2;
	}
	add_value(ctx, array, at, JS_NewInt32(ctx, line));
	add_value(ctx, array, at, JS_NewInt32(ctx, col));
	add_value(ctx, array, at, JS_NewInt32(ctx, flags));
}

static JSValue capture_frames(JSContext *ctx, JSValueConst filter, const char *filename, int line, int col, int flags)
{
	JSRuntime *rt = ctx->rt;
	double wanted = 10;
	JSValue limit_value = ctx->error_stack_trace_limit;
	if (JS_VALUE_GET_TAG(limit_value) == JS_TAG_INT)
		wanted = JS_VALUE_GET_INT(limit_value);
	else if (JS_TAG_IS_FLOAT64(JS_VALUE_GET_TAG(limit_value)))
		wanted = JS_VALUE_GET_FLOAT64(limit_value);
	else
		return JS_UNDEFINED;
	uint32_t limit = wanted >= 200 ? 200 : wanted > 0 ? (uint32_t)wanted : 0, count = 0, at = 0;
	JSValue array = JS_NewArray(ctx);
	if (JS_IsException(array))
		return JS_NULL;
	if (filename && limit > 0) {
		add_value(ctx, array, &at, JS_NULL);
		add_value(ctx, array, &at, JS_NewString(ctx, filename));
		add_value(ctx, array, &at, JS_NewInt32(ctx, line));
		add_value(ctx, array, &at, JS_NewInt32(ctx, col));
		add_value(ctx, array, &at, JS_NewInt32(ctx, 8));
		count++;
		if (flags & JS_BACKTRACE_FLAG_SINGLE_LEVEL)
			return array;
	}
	JSStackFrame *sf = rt->current_stack_frame;
	if (flags & JS_BACKTRACE_FLAG_SKIP_FIRST_LEVEL && sf)
		sf = sf->prev_frame;
	if (flags & JS_BACKTRACE_FLAG_FILTER_FUNC && JS_IsFunction(ctx, filter)) {
		JSStackFrame *found = sf;
		while (found && !js_same_value(ctx, found->cur_func, filter))
			found = found->prev_frame;
		// As in V8, a function that isn't on the stack leaves nothing of it.
		sf = found ? found->prev_frame : NULL;
	}
	for (; sf && count < limit; sf = sf->prev_frame) {
		if (JS_VALUE_GET_TAG(sf->cur_func) != JS_TAG_OBJECT)
			continue;
		add_frame(ctx, array, &at, sf);
		count++;
	}
	return array;
}

static const char bj_lazy_stack_id = 0;

// format_stack asks JavaScript for the text of a stack.
static JSValue format_stack(JSContext *ctx, JSValueConst error, JSValueConst frames)
{
	if (!JS_IsFunction(ctx, hooks.format_stack))
		return JS_NewString(ctx, "");
	JSValueConst args[] = {error, frames};
	JSValue text = JS_Call(ctx, hooks.format_stack, JS_UNDEFINED, 2, args);
	if (JS_IsException(text)) {
		JS_FreeValue(ctx, JS_GetException(ctx));
		text = JS_NewString(ctx, "");
	}
	return text;
}

// bj_lazy_stack is what `stack` becomes when it is first looked at.
static JSValue bj_lazy_stack(JSContext *ctx, JSObject *p)
{
	JSValue frames = p->class_id == JS_CLASS_ERROR ? js_dup(p->u.object_data) : JS_UNDEFINED;
	JSValue text = format_stack(ctx, JS_MKPTR(JS_TAG_OBJECT, p), frames);
	if (p->class_id == JS_CLASS_ERROR) {
		JS_FreeValue(ctx, p->u.object_data);
		p->u.object_data = JS_UNDEFINED;
	}
	JS_FreeValue(ctx, frames);
	return text;
}

static void bj_build_backtrace(JSContext *ctx, JSValueConst error_val, JSValueConst filter, const char *filename,
	int line, int col, int flags)
{
	JSRuntime *rt = ctx->rt;
	if (JS_VALUE_GET_TAG(error_val) != JS_TAG_OBJECT)
		return;
	JSObject *p = JS_VALUE_GET_OBJ(error_val);
	bool asked = flags & JS_BACKTRACE_FLAG_FILTER_FUNC;
	if (!asked && find_own_property1(p, JS_ATOM_stack))
		return;
	if (!asked && p->class_id != JS_CLASS_ERROR && p->class_id != JS_CLASS_DOM_EXCEPTION)
		return;
	rt->in_build_stack_trace = true;
	JSValue saved = JS_GetException(ctx);
	JSValue frames = capture_frames(ctx, filter, filename, line, col, flags);
	rt->in_build_stack_trace = false;
	if (!JS_IsUndefined(frames)) {
		if (p->class_id == JS_CLASS_ERROR) {
			JS_FreeValue(ctx, p->u.object_data);
			p->u.object_data = js_dup(frames);
			if (find_own_property1(p, JS_ATOM_stack))
				delete_property(ctx, p, JS_ATOM_stack);
			if (p->extensible)
				JS_DefineAutoInitProperty(ctx, error_val, JS_ATOM_stack, JS_AUTOINIT_ID_PROP,
					(void *)&bj_lazy_stack_id, JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
		} else {
			JS_DefinePropertyValue(ctx, error_val, JS_ATOM_stack, format_stack(ctx, error_val, frames),
				JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
		}
	}
	JS_FreeValue(ctx, frames);
	JS_Throw(ctx, saved);
}

// bj_not_callable says of what is called that it can't be, by the words that stand in the source, as V8 does.
static JSValue bj_not_callable(JSContext *ctx, const char *what)
{
	char name[80] = "";
	JSStackFrame *sf = ctx->rt->current_stack_frame;
	JSObject *p = sf && JS_VALUE_GET_TAG(sf->cur_func) == JS_TAG_OBJECT ? JS_VALUE_GET_OBJ(sf->cur_func) : NULL;
	JSFunctionBytecode *b = p && js_class_has_bytecode(p->class_id) ? p->u.func.function_bytecode : NULL;
	if (b && sf->cur_pc && b->source) {
		int col, line = find_line_num(ctx, b, sf->cur_pc - b->byte_code_buf - 1, &col);
		const char *at = b->source, *end = b->source + b->source_len;
		const char *made = strncmp(at, "class", 5) == 0 ? strstr(at, "constructor") : NULL;
		if (made && made < end)
			at = made; // the source is the class's, the place the constructor's
		for (int i = b->line_num; i < line && at < end; at++)
			i += *at == '\n';
		at += line == b->line_num ? col - b->col_num : col - 1;
		if (at > b->source && at < end) {
			// The place is the call's parenthesis, or the last name before it.
			const char *stop = at;
			if (*stop != '(')
				while (stop < end && (*stop == '.' || *stop == '$' || *stop == '_' || lre_is_id_continue_byte(*stop)))
					stop++;
			const char *start = stop;
			while (start > b->source && stop - start < 70 &&
				(start[-1] == '.' || start[-1] == '$' || start[-1] == '_' || lre_is_id_continue_byte(start[-1])))
				start--;
			snprintf(name, sizeof name, "%.*s", (int)(stop - start), start);
		}
	}
	if (name[0] == 0)
		return JS_ThrowTypeError(ctx, "value is not %s", what);
	return JS_ThrowTypeError(ctx, "%s is not %s", name, what);
}

// caller_frames answers the stack as it is now, without this function.
static JSValue caller_frames(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	return capture_frames(ctx, JS_UNDEFINED, NULL, 0, 0, JS_BACKTRACE_FLAG_SKIP_FIRST_LEVEL);
}

// ---- what util.inspect looks into

static JSValue get_proxy_details(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	if (!JS_IsProxy(argv[0]))
		return JS_UNDEFINED;
	JSProxyData *s = JS_VALUE_GET_OBJ(argv[0])->u.proxy_data;
	if (argc > 1 && !JS_IsUndefined(argv[1]) && !JS_ToBool(ctx, argv[1]))
		return s->is_revoked ? JS_NULL : js_dup(s->target);
	JSValue pair = JS_NewArray(ctx);
	JS_DefinePropertyValueUint32(ctx, pair, 0, s->is_revoked ? JS_NULL : js_dup(s->target), JS_PROP_C_W_E);
	JS_DefinePropertyValueUint32(ctx, pair, 1, s->is_revoked ? JS_NULL : js_dup(s->handler), JS_PROP_C_W_E);
	return pair;
}

static JSValue get_promise_details(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	int state = JS_PromiseState(ctx, argv[0]);
	if (state < 0)
		return JS_UNDEFINED;
	JSValue pair = JS_NewArray(ctx);
	JS_DefinePropertyValueUint32(ctx, pair, 0, JS_NewInt32(ctx, state), JS_PROP_C_W_E);
	if (state != JS_PROMISE_PENDING)
		JS_DefinePropertyValueUint32(ctx, pair, 1, JS_PromiseResult(ctx, argv[0]), JS_PROP_C_W_E);
	return pair;
}

static JSValue get_own_non_index(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JSPropertyEnum *names;
	uint32_t count, at = 0;
	int32_t filter = 0;
	JS_ToInt32(ctx, &filter, argv[1]);
	if (JS_GetOwnPropertyNames(ctx, &names, &count, argv[0],
		    JS_GPN_STRING_MASK | JS_GPN_SYMBOL_MASK | (filter == 2 ? JS_GPN_ENUM_ONLY : 0)) < 0)
		return JS_EXCEPTION;
	JSValue list = JS_NewArray(ctx);
	for (uint32_t i = 0; i < count; i++)
		if (!__JS_AtomIsTaggedInt(names[i].atom))
			JS_DefinePropertyValueUint32(ctx, list, at++, JS_AtomToValue(ctx, names[i].atom), JS_PROP_C_W_E);
	JS_FreePropertyEnum(ctx, names, count);
	return list;
}

// preview_entries answers the entries of a collection or of the rest of an iterator, and whether they are pairs.
static JSValue preview_entries(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	if (!JS_IsObject(argv[0]))
		return JS_UNDEFINED;
	JSObject *p = JS_VALUE_GET_OBJ(argv[0]);
	JSMapState *state = NULL;
	struct list_head *from = NULL;
	bool pairs = false, keys = true, values = false;
	switch (p->class_id) {
	case JS_CLASS_MAP:
	case JS_CLASS_WEAKMAP:
		pairs = values = true;
		// fall through
	case JS_CLASS_SET:
	case JS_CLASS_WEAKSET:
		state = p->u.map_state;
		from = state->records.next;
		break;
	case JS_CLASS_MAP_ITERATOR:
	case JS_CLASS_SET_ITERATOR: {
		JSMapIteratorData *it = p->u.map_iterator_data;
		if (it && !JS_IsUndefined(it->obj)) {
			state = JS_VALUE_GET_OBJ(it->obj)->u.map_state;
			from = it->cur_record ? it->cur_record->link.next : state->records.next;
			pairs = it->kind == JS_ITERATOR_KIND_KEY_AND_VALUE;
			keys = it->kind != JS_ITERATOR_KIND_VALUE || p->class_id == JS_CLASS_SET_ITERATOR;
			values = p->class_id == JS_CLASS_MAP_ITERATOR && it->kind != JS_ITERATOR_KIND_KEY;
		}
		break;
	}
	default:
		return JS_UNDEFINED;
	}
	JSValue list = JS_NewArray(ctx);
	uint32_t at = 0;
	for (struct list_head *el = from; state && el != &state->records; el = el->next) {
		JSMapRecord *mr = list_entry(el, JSMapRecord, link);
		if (mr->empty)
			continue;
		JSValue key = js_dup(mr->key);
		if (pairs || keys)
			add_value(ctx, list, &at, js_dup(key));
		if (pairs || values)
			add_value(ctx, list, &at, p->class_id == JS_CLASS_SET_ITERATOR ? js_dup(key) : js_dup(mr->value));
		JS_FreeValue(ctx, key);
	}
	if (argc < 2)
		return list;
	JSValue answer = JS_NewArray(ctx);
	JS_DefinePropertyValueUint32(ctx, answer, 0, list, JS_PROP_C_W_E);
	JS_DefinePropertyValueUint32(ctx, answer, 1, JS_NewBool(ctx, pairs), JS_PROP_C_W_E);
	return answer;
}

// class_of answers the number of a value's class, and its name.
static JSValue class_of(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	if (!JS_IsObject(argv[0]))
		return JS_NewInt32(ctx, 0);
	return JS_NewInt32(ctx, JS_VALUE_GET_OBJ(argv[0])->class_id);
}

static JSValue function_kind(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	if (!JS_IsObject(argv[0]))
		return JS_NewInt32(ctx, -1);
	JSObject *p = JS_VALUE_GET_OBJ(argv[0]);
	if (!js_class_has_bytecode(p->class_id))
		return JS_NewInt32(ctx, -1);
	return JS_NewInt32(ctx, p->u.func.function_bytecode->func_kind);
}

static JSValue is_detached(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JSArrayBuffer *ab = JS_GetOpaque(argv[0], JS_CLASS_ARRAY_BUFFER);
	return JS_NewBool(ctx, ab && ab->detached);
}

// bufferOfAnything(size) → ArrayBuffer that holds what there was.
static JSValue buffer_of_anything(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	uint64_t size;
	if (JS_ToIndex(ctx, &size, argv[0]))
		return JS_EXCEPTION;
	bj_zero_fill = false;
	JSValue buffer = js_array_buffer_constructor1(ctx, JS_UNDEFINED, size, NULL);
	bj_zero_fill = true;
	return buffer;
}

// lastingBuffer(size) → ArrayBuffer that nothing can detach.
static JSValue lasting_buffer(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	uint64_t size;
	if (JS_ToIndex(ctx, &size, argv[0]))
		return JS_EXCEPTION;
	JSValue buffer = js_array_buffer_constructor1(ctx, JS_UNDEFINED, size, NULL);
	JSArrayBuffer *ab = JS_GetOpaque(buffer, JS_CLASS_ARRAY_BUFFER);
	if (ab)
		ab->opaque = &bj_lasting;
	return buffer;
}

static JSValue is_lasting(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JSArrayBuffer *ab = JS_GetOpaque(argv[0], JS_CLASS_ARRAY_BUFFER);
	return JS_NewBool(ctx, ab && ab->opaque == &bj_lasting);
}

static JSValue detach(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JS_DetachArrayBuffer(ctx, argv[0]);
	return JS_UNDEFINED;
}

// private_symbol makes a name whose properties nothing but code that has it can find.
static JSValue private_symbol(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JSAtom atom = JS_ValueToAtom(ctx, argv[0]);
	JSValue text = JS_AtomToString(ctx, atom);
	JS_FreeAtom(ctx, atom);
	return JS_NewSymbolFromAtom(ctx, JS_ValueToAtom(ctx, text), JS_ATOM_TYPE_PRIVATE);
}

// ---- compiling

// compile_function(source, filename, parameters) makes a function of a body whose first line is line 1.
static JSValue compile_function(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t len, params_len;
	const char *source = JS_ToCStringLen(ctx, &len, argv[0]);
	const char *filename = JS_ToCString(ctx, argv[1]);
	const char *params = JS_ToCStringLen(ctx, &params_len, argv[2]);
	JSValue result = JS_EXCEPTION;
	char *text = source && filename && params ? js_malloc(ctx, len + params_len + 32) : NULL;
	if (text) {
		char *at = text;
		at += sprintf(at, "(function (%s) {\n", params);
		memcpy(at, source, len);
		if (len >= 2 && at[0] == '#' && at[1] == '!')
			at[0] = at[1] = '/';
		memcpy(at + len, "\n})", 4);
		// The first line is the one before the source's.
		result = JS_EvalInternal(ctx, ctx->global_obj, text, at - text + len + 3, filename, 0, JS_EVAL_TYPE_GLOBAL, -1);
		js_free(ctx, text);
	}
	JS_FreeCString(ctx, params);
	JS_FreeCString(ctx, filename);
	JS_FreeCString(ctx, source);
	return result;
}

// run_script(source, filename, line, mode): 0 as a script, 1 as an async one, 2 only looks for errors, 3 only looks for
// a module's errors, 5 as a script, and an error of the compiler is what the function of argument 4 answers for.
static JSValue run_script(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t len;
	int32_t line = 1, mode = 0;
	const char *source = JS_ToCStringLen(ctx, &len, argv[0]);
	const char *filename = JS_ToCString(ctx, argv[1]);
	JSValue result = JS_EXCEPTION;
	if (source && filename && JS_ToInt32(ctx, &line, argv[2]) == 0 && JS_ToInt32(ctx, &mode, argv[3]) == 0) {
		int flags = mode == 1 ? JS_EVAL_FLAG_ASYNC : mode == 2 ? JS_EVAL_FLAG_COMPILE_ONLY
			: mode == 3 ? JS_EVAL_FLAG_COMPILE_ONLY | JS_EVAL_TYPE_MODULE : 0;
		if (mode == 5)
			flags = JS_EVAL_FLAG_COMPILE_ONLY;
		JSEvalOptions options = {JS_EVAL_OPTIONS_VERSION, flags, filename, line};
		result = JS_Eval2(ctx, source, len, &options);
		if (mode == 5 && JS_IsException(result)) {
			JSValue error = JS_GetException(ctx);
			result = JS_Call(ctx, argv[4], JS_UNDEFINED, 1, (JSValueConst *)&error);
			JS_FreeValue(ctx, error);
		} else if (mode == 5) {
			result = JS_EvalFunction(ctx, result);
		} else if (mode >= 2 && !JS_IsException(result)) {
			JS_FreeValue(ctx, result);
			result = JS_UNDEFINED;
		}
	}
	JS_FreeCString(ctx, filename);
	JS_FreeCString(ctx, source);
	return result;
}

// ---- contexts

static JSClassID realm_class;

static void realm_finalizer(JSRuntime *rt, JSValueConst value)
{
	JSContext *realm = JS_GetOpaque(value, realm_class);
	if (realm)
		JS_FreeContext(realm);
}

static const JSClassDef realm_def = {"Realm", .finalizer = realm_finalizer};

static JSValue new_realm(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JSContext *realm = JS_NewContext(JS_GetRuntime(ctx));
	if (!realm)
		return JS_EXCEPTION;
	JSValue object = JS_NewObjectClass(ctx, realm_class);
	JS_SetOpaque(object, realm);
	return object;
}

static JSValue realm_global(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JSContext *realm = JS_GetOpaque2(ctx, argv[0], realm_class);
	return realm ? JS_GetGlobalObject(realm) : JS_EXCEPTION;
}

// realm_run(realm, source, filename, line, mode): as run_script, and 4 as compile_function with argument 5.
static JSValue realm_run(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JSContext *realm = JS_GetOpaque2(ctx, argv[0], realm_class);
	if (!realm)
		return JS_EXCEPTION;
	int32_t mode = 0;
	JS_ToInt32(ctx, &mode, argv[4]);
	JSValueConst compile[] = {argv[1], argv[2], argc > 5 ? argv[5] : JS_UNDEFINED};
	JSValue result = mode == 4 ? compile_function(realm, self, 3, compile) : run_script(realm, self, argc - 1, argv + 1);
	if (JS_IsException(result))
		return JS_Throw(ctx, JS_GetException(realm));
	return result;
}

// ---- modules

static JSValue module_value(JSContext *ctx, JSModuleDef *m) { return JS_NewModuleValue(ctx, m); }

// A module's handle is an object that holds it.
static JSClassID module_class;

static void module_finalizer(JSRuntime *rt, JSValueConst value) {}

static const JSClassDef module_def = {"Module handle", .finalizer = module_finalizer};

static JSModuleDef *module_of(JSContext *ctx, JSValueConst value)
{
	return JS_GetOpaque2(ctx, value, module_class);
}

static JSValue new_handle(JSContext *ctx, JSModuleDef *m)
{
	JSValue handle = JS_NewObjectClass(ctx, module_class);
	if (!JS_IsException(handle))
		JS_SetOpaque(handle, m);
	return handle;
}

static JSValue module_compile(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t len;
	const char *source = JS_ToCStringLen(ctx, &len, argv[0]);
	const char *filename = JS_ToCString(ctx, argv[1]);
	JSValue result = JS_EXCEPTION;
	if (source && filename) {
		JSEvalOptions options = {JS_EVAL_OPTIONS_VERSION, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY, filename, 1};
		result = JS_Eval2(ctx, source, len, &options);
		if (!JS_IsException(result)) {
			// The context's list holds the module for ever, as its loader does.
			JSModuleDef *m = JS_VALUE_GET_PTR(result);
			m->resolved = true;
			result = new_handle(ctx, m);
		}
	}
	JS_FreeCString(ctx, filename);
	JS_FreeCString(ctx, source);
	return result;
}

static int synthetic_init(JSContext *ctx, JSModuleDef *m)
{
	JSValue steps = JS_GetModulePrivateValue(ctx, m);
	JSValue result = JS_Call(ctx, steps, JS_UNDEFINED, 0, NULL);
	JS_FreeValue(ctx, steps);
	bool failed = JS_IsException(result);
	JS_FreeValue(ctx, result);
	return failed ? -1 : 0;
}

// module_synthetic(name, exports, steps)
static JSValue module_synthetic(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	const char *name = JS_ToCString(ctx, argv[0]);
	JSModuleDef *m = name ? JS_NewCModule(ctx, name, synthetic_init) : NULL;
	JS_FreeCString(ctx, name);
	if (!m)
		return JS_EXCEPTION;
	m->resolved = true;
	int64_t count = 0;
	JS_GetLength(ctx, argv[1], &count);
	for (int64_t i = 0; i < count; i++) {
		JSValue item = JS_GetPropertyInt64(ctx, argv[1], i);
		const char *export = JS_ToCString(ctx, item);
		int result = export ? JS_AddModuleExport(ctx, m, export) : -1;
		JS_FreeCString(ctx, export);
		JS_FreeValue(ctx, item);
		if (result < 0)
			return JS_EXCEPTION;
	}
	JS_SetModulePrivateValue(ctx, m, js_dup(argv[2]));
	return new_handle(ctx, m);
}

// module_set(module, name, value) sets an export of a synthetic module.
static JSValue module_set(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JSModuleDef *m = module_of(ctx, argv[0]);
	const char *name = JS_ToCString(ctx, argv[1]);
	int result = m && name ? JS_SetModuleExport(ctx, m, name, js_dup(argv[2])) : -1;
	JS_FreeCString(ctx, name);
	return result < 0 ? JS_EXCEPTION : JS_UNDEFINED;
}

// module_requests answers specifier, attributes, specifier …
static JSValue module_requests(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JSModuleDef *m = module_of(ctx, argv[0]);
	if (!m)
		return JS_EXCEPTION;
	JSValue list = JS_NewArray(ctx);
	uint32_t at = 0;
	for (int i = 0; i < m->req_module_entries_count; i++) {
		add_value(ctx, list, &at, JS_AtomToString(ctx, m->req_module_entries[i].module_name));
		add_value(ctx, list, &at, js_dup(m->req_module_entries[i].attributes));
	}
	return list;
}

// module_link(module, modules) tells what the requests are, in their order.
static JSValue module_link(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JSModuleDef *m = module_of(ctx, argv[0]);
	if (!m)
		return JS_EXCEPTION;
	for (int i = 0; i < m->req_module_entries_count; i++) {
		JSValue item = JS_GetPropertyUint32(ctx, argv[1], i);
		JSModuleDef *to = module_of(ctx, item);
		JS_FreeValue(ctx, item);
		if (!to)
			return JS_EXCEPTION;
		m->req_module_entries[i].module = to;
	}
	return JS_UNDEFINED;
}

// create_functions readies a graph; module_link has been called for all of it.
static int create_functions(JSContext *ctx, JSModuleDef *m)
{
	return js_create_module_function(ctx, m);
}

static JSValue module_instantiate(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JSModuleDef *m = module_of(ctx, argv[0]);
	if (!m)
		return JS_EXCEPTION;
	if (m->status != JS_MODULE_STATUS_UNLINKED)
		return JS_UNDEFINED;
	if (create_functions(ctx, m) < 0 || js_link_module(ctx, m) < 0)
		return JS_EXCEPTION;
	return JS_UNDEFINED;
}

static JSValue module_evaluate(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JSModuleDef *m = module_of(ctx, argv[0]);
	return m ? js_evaluate_module(ctx, m) : JS_EXCEPTION;
}

static JSValue module_namespace(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JSModuleDef *m = module_of(ctx, argv[0]);
	return m ? JS_GetModuleNamespace(ctx, m) : JS_EXCEPTION;
}

// module_state answers 0 … as ModuleWrap's constants, and whether anything in the graph awaits.
static JSValue module_status(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JSModuleDef *m = module_of(ctx, argv[0]);
	if (!m)
		return JS_EXCEPTION;
	if (m->eval_has_exception)
		return JS_NewInt32(ctx, 5);
	switch (m->status) {
	case JS_MODULE_STATUS_UNLINKED: return JS_NewInt32(ctx, 0);
	case JS_MODULE_STATUS_LINKING: return JS_NewInt32(ctx, 1);
	case JS_MODULE_STATUS_LINKED: return JS_NewInt32(ctx, 2);
	case JS_MODULE_STATUS_EVALUATING: return JS_NewInt32(ctx, 3);
	default: return JS_NewInt32(ctx, 4);
	}
}

static JSValue module_error(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JSModuleDef *m = module_of(ctx, argv[0]);
	return m && m->eval_has_exception ? js_dup(m->eval_exception) : JS_UNDEFINED;
}

static bool graph_awaits(JSModuleDef *m, JSModuleDef **seen, int *count, int max)
{
	for (int i = 0; i < *count; i++)
		if (seen[i] == m)
			return false;
	if (m->has_tla || *count >= max)
		return true;
	seen[(*count)++] = m;
	for (int i = 0; i < m->req_module_entries_count; i++)
		if (m->req_module_entries[i].module && graph_awaits(m->req_module_entries[i].module, seen, count, max))
			return true;
	return false;
}

static JSValue module_awaits(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JSModuleDef *m = module_of(ctx, argv[0]), **seen = m ? js_malloc(ctx, 4096 * sizeof *seen) : NULL;
	if (!seen)
		return JS_EXCEPTION;
	int count = 0;
	bool awaits = graph_awaits(m, seen, &count, 4096);
	js_free(ctx, seen);
	return JS_NewBool(ctx, awaits);
}

static JSValue module_meta(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JSModuleDef *m = module_of(ctx, argv[0]);
	return m ? JS_GetImportMeta(ctx, m) : JS_EXCEPTION;
}

// bj_dynamic_import hands import() to JavaScript: (referrer, specifier, attributes, resolve, reject).
static bool bj_dynamic_import(JSContext *ctx, JSValueConst *argv)
{
	if (!JS_IsFunction(ctx, hooks.import))
		return false;
	JSValueConst args[] = {argv[2], argv[3], argv[4], argv[0], argv[1]};
	JSValue result = JS_Call(ctx, hooks.import, JS_UNDEFINED, 5, args);
	if (JS_IsException(result)) {
		JSValue error = JS_GetException(ctx);
		JS_FreeValue(ctx, JS_Call(ctx, argv[1], JS_UNDEFINED, 1, (JSValueConst *)&error));
		JS_FreeValue(ctx, error);
	}
	JS_FreeValue(ctx, result);
	return true;
}

// ---- hooks

static void on_rejection(JSContext *ctx, JSValueConst promise, JSValueConst reason, bool handled, void *opaque)
{
	if (!JS_IsFunction(ctx, hooks.rejection))
		return;
	JSValue saved = JS_GetException(ctx);
	JSValue number = JS_NewInt32(ctx, handled);
	JSValueConst args[] = {number, promise, reason};
	JSValue result = JS_Call(ctx, hooks.rejection, JS_UNDEFINED, 3, args);
	if (JS_IsException(result))
		JS_FreeValue(ctx, JS_GetException(ctx));
	JS_FreeValue(ctx, result);
	JS_Throw(ctx, saved);
}

// What is asynchronous goes on in the context that it was begun in: the hook makes one (0), enters (1) and leaves (2).
static JSValue promise_hook(JSContext *ctx, int what, JSValueConst context)
{
	if (!JS_IsFunction(ctx, hooks.promise))
		return JS_UNDEFINED;
	JSValue saved = JS_GetException(ctx);
	JSValueConst args[] = {JS_NewInt32(ctx, what), context};
	JSValue result = JS_Call(ctx, hooks.promise, JS_UNDEFINED, 2, args);
	if (JS_IsException(result)) {
		JS_FreeValue(ctx, JS_GetException(ctx));
		result = JS_UNDEFINED;
	}
	if (!JS_IsUninitialized(saved))
		JS_Throw(ctx, saved);
	return result;
}

static JSValue bj_context_capture(JSContext *ctx) { return promise_hook(ctx, 0, JS_UNDEFINED); }

static void bj_context_enter(JSContext *ctx, JSValueConst context)
{
	if (!JS_IsUndefined(context))
		JS_FreeValue(ctx, promise_hook(ctx, 1, context));
}

static void bj_context_leave(JSContext *ctx, JSValueConst context)
{
	if (!JS_IsUndefined(context))
		JS_FreeValue(ctx, promise_hook(ctx, 2, context));
}

static JSValue set_hook(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	const char *name = JS_ToCString(ctx, argv[0]);
	if (!name)
		return JS_EXCEPTION;
	struct {
		const char *name;
		JSValue *to;
	} const all[] = {
		{"stack", &hooks.format_stack}, {"import", &hooks.import}, {"meta", &hooks.meta},
		{"rejection", &hooks.rejection}, {"promise", &hooks.promise},
	};
	for (size_t i = 0; i < COUNT(all); i++)
		if (strcmp(all[i].name, name) == 0) {
			JSValue old = *all[i].to;
			*all[i].to = js_dup(argv[1]);
			JS_FreeValue(ctx, old);
		}
	JS_FreeCString(ctx, name);
	return JS_UNDEFINED;
}

// run_jobs runs what promises have queued. An exception of a job is thrown; the rest stays queued.
static JSValue run_jobs(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JSContext *of;
	int result;
	while ((result = JS_ExecutePendingJob(ctx->rt, &of)) > 0)
		;
	if (result < 0)
		return JS_Throw(ctx, JS_GetException(of));
	return JS_UNDEFINED;
}

static JSValue microtask(JSContext *ctx, int argc, JSValueConst *argv)
{
	return JS_Call(ctx, argv[0], JS_UNDEFINED, 0, NULL);
}

static JSValue enqueue(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	if (!JS_IsFunction(ctx, argv[0]))
		return JS_ThrowTypeError(ctx, "callback is not a function");
	return JS_EnqueueJob(ctx, microtask, 1, argv) < 0 ? JS_EXCEPTION : JS_UNDEFINED;
}

static JSValue memory_usage(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	return JS_NewInt64(ctx, ctx->rt->malloc_state.malloc_size);
}

static JSValue collect(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JS_RunGC(ctx->rt);
	return JS_UNDEFINED;
}

// lastMatch answers the text, and where in it the last match and its groups are.
static JSValue last_match(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JSValue list = JS_NewArray(ctx);
	uint32_t at = 0;
	if (JS_IsUndefined(bj_matched.input))
		return list;
	add_value(ctx, list, &at, js_dup(bj_matched.input));
	for (int i = 0; i < 20 && i < 2 * bj_matched.captures; i++)
		add_value(ctx, list, &at, JS_NewInt32(ctx, bj_matched.at[i]));
	return list;
}

static JSValue mark_handled(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JS_PromiseMarkAsHandled(ctx, argv[0]);
	return JS_UNDEFINED;
}

static const struct js_entry functions[] = {
	{"callerFrames", caller_frames, 0},
	{"getProxyDetails", get_proxy_details, 2},
	{"getPromiseDetails", get_promise_details, 1},
	{"getOwnNonIndexProperties", get_own_non_index, 2},
	{"previewEntries", preview_entries, 2},
	{"classOf", class_of, 1},
	{"functionKind", function_kind, 1},
	{"isDetached", is_detached, 1},
	{"detach", detach, 1},
	{"bufferOfAnything", buffer_of_anything, 1},
	{"lastingBuffer", lasting_buffer, 1},
	{"isLasting", is_lasting, 1},
	{"privateSymbol", private_symbol, 1},
	{"compileFunction", compile_function, 3},
	{"runScript", run_script, 5},
	{"newRealm", new_realm, 0},
	{"realmGlobal", realm_global, 1},
	{"realmRun", realm_run, 6},
	{"moduleCompile", module_compile, 2},
	{"moduleSynthetic", module_synthetic, 3},
	{"moduleSet", module_set, 3},
	{"moduleRequests", module_requests, 1},
	{"moduleLink", module_link, 2},
	{"moduleInstantiate", module_instantiate, 1},
	{"moduleEvaluate", module_evaluate, 1},
	{"moduleNamespace", module_namespace, 1},
	{"moduleStatus", module_status, 1},
	{"moduleError", module_error, 1},
	{"moduleAwaits", module_awaits, 1},
	{"moduleMeta", module_meta, 1},
	{"setHook", set_hook, 2},
	{"runJobs", run_jobs, 0},
	{"enqueue", enqueue, 1},
	{"memoryUsage", memory_usage, 0},
	{"collect", collect, 0},
	{"markHandled", mark_handled, 1},
	{"lastMatch", last_match, 0},
};

// Classes by the names that bindings ask for.
static const struct {
	const char *name;
	int id;
} classes[] = {
	{"Arguments", JS_CLASS_ARGUMENTS}, {"MappedArguments", JS_CLASS_MAPPED_ARGUMENTS}, {"Array", JS_CLASS_ARRAY},
	{"ArrayBuffer", JS_CLASS_ARRAY_BUFFER}, {"SharedArrayBuffer", JS_CLASS_SHARED_ARRAY_BUFFER},
	{"Boolean", JS_CLASS_BOOLEAN}, {"Number", JS_CLASS_NUMBER}, {"String", JS_CLASS_STRING},
	{"Symbol", JS_CLASS_SYMBOL}, {"BigInt", JS_CLASS_BIG_INT}, {"Date", JS_CLASS_DATE}, {"Error", JS_CLASS_ERROR},
	{"RegExp", JS_CLASS_REGEXP}, {"Map", JS_CLASS_MAP}, {"Set", JS_CLASS_SET}, {"WeakMap", JS_CLASS_WEAKMAP},
	{"WeakSet", JS_CLASS_WEAKSET}, {"MapIterator", JS_CLASS_MAP_ITERATOR}, {"SetIterator", JS_CLASS_SET_ITERATOR},
	{"Generator", JS_CLASS_GENERATOR}, {"AsyncGenerator", JS_CLASS_ASYNC_GENERATOR}, {"Promise", JS_CLASS_PROMISE},
	{"Proxy", JS_CLASS_PROXY}, {"DataView", JS_CLASS_DATAVIEW}, {"ModuleNamespace", JS_CLASS_MODULE_NS},
	{"WeakRef", JS_CLASS_WEAK_REF}, {"DOMException", JS_CLASS_DOM_EXCEPTION},
};

// Memory of shared buffers, which may be several objects' and may grow in place: it is counted, and zero.
#define SHARED_HEADER 16

static void *shared_alloc(void *opaque, size_t size)
{
	uint32_t *block = size < SIZE_MAX - SHARED_HEADER ? calloc(1, SHARED_HEADER + size) : NULL;
	if (!block)
		return NULL;
	*block = 1;
	return (char *)block + SHARED_HEADER;
}

static void shared_free(void *opaque, void *ptr)
{
	uint32_t *block = (uint32_t *)((char *)ptr - SHARED_HEADER);
	if (--*block == 0)
		free(block);
}

static void shared_dup(void *opaque, void *ptr) { ++*(uint32_t *)((char *)ptr - SHARED_HEADER); }

void engine_install(JSContext *ctx, JSValueConst object)
{
	JSRuntime *rt = ctx->rt;
	JS_SetSharedArrayBufferFunctions(rt, &(JSSharedArrayBufferFunctions){
		.sab_alloc = shared_alloc, .sab_free = shared_free, .sab_dup = shared_dup});
	JS_NewClassID(rt, &realm_class);
	JS_NewClass(rt, realm_class, &realm_def);
	JS_NewClassID(rt, &module_class);
	JS_NewClass(rt, module_class, &module_def);
	engine_add(ctx, object, functions, COUNT(functions));
	JSValue ids = JS_NewObject(ctx);
	for (size_t i = 0; i < COUNT(classes); i++)
		JS_DefinePropertyValueStr(ctx, ids, classes[i].name, JS_NewInt32(ctx, classes[i].id), JS_PROP_C_W_E);
	JS_DefinePropertyValueStr(ctx, object, "classes", ids, JS_PROP_C_W_E);
	JS_SetHostPromiseRejectionTracker(rt, on_rejection, NULL);
	bj_active = true;
}

uint8_t *engine_bytes(JSContext *ctx, JSValueConst value, size_t *size)
{
	*size = 0;
	if (JS_IsObject(value)) {
		JSObject *p = JS_VALUE_GET_OBJ(value);
		if (p->class_id == JS_CLASS_ARRAY_BUFFER || p->class_id == JS_CLASS_SHARED_ARRAY_BUFFER) {
			uint8_t *at = JS_GetArrayBuffer(ctx, size, value);
			return at ? at : (uint8_t *)"";
		}
		if (p->class_id == JS_CLASS_DATAVIEW) {
			JSTypedArray *view = p->u.typed_array;
			JSArrayBuffer *ab = view->buffer->u.array_buffer;
			if (view->offset > (uint32_t)ab->byte_length || view->length > (uint32_t)ab->byte_length - view->offset)
				return (uint8_t *)"";
			*size = view->length;
			return ab->data + view->offset;
		}
		if (p->class_id >= JS_CLASS_UINT8C_ARRAY && p->class_id <= JS_CLASS_FLOAT64_ARRAY) {
			*size = (size_t)p->u.array.count << typed_array_size_log2(p->class_id);
			return *size ? p->u.array.u.uint8_ptr : (uint8_t *)"";
		}
	}
	JS_ThrowTypeError(ctx, "argument must be a buffer");
	return NULL;
}

// Room for names that programs add. A table of them that was full would be copied.
#define SPARE_ATOMS 4096

// spare_atoms has new names take new places: those that are free in between lie anywhere.
static int spare_atoms(JSRuntime *rt)
{
	uint32_t begin = rt->atom_size, end = begin + SPARE_ATOMS;
	JSAtomStruct **array = js_realloc_rt(rt, rt->atom_array, end * sizeof *array);
	if (!array)
		return -1;
	for (uint32_t i = begin; i < end; i++)
		array[i] = atom_set_free(i + 1 < end ? i + 1 : 0);
	rt->atom_array = array;
	rt->atom_size = end;
	rt->atom_free_index = begin;
	return 0;
}

// The tables of names and of shapes that a program begins with.
#define OWN_SHAPE_BITS 7
static uint32_t own_atoms[256];
static JSShape *own_shapes[1 << OWN_SHAPE_BITS];

// keep_tables makes the tables that there are the image's, and so is what stands in them, however long a name is.
static void keep_tables(JSRuntime *rt)
{
	for (int i = 0; i < rt->atom_size; i++)
		if (!atom_is_free(rt->atom_array[i]))
			JS_REF_COUNT(rt->atom_array[i]) = BJ_IMMORTAL;
	rt->image_atom_hash = rt->atom_hash;
	rt->image_atom_hash_size = rt->atom_hash_size;
	rt->image_atom_count = rt->atom_count;
	rt->atom_hash = own_atoms;
	rt->atom_hash_size = COUNT(own_atoms);
	rt->atom_count_resize = rt->atom_count + JS_ATOM_COUNT_RESIZE(COUNT(own_atoms));
	rt->image_shape_hash = rt->shape_hash;
	rt->image_shape_hash_bits = rt->shape_hash_bits;
	rt->shape_hash = own_shapes;
	rt->shape_hash_bits = OWN_SHAPE_BITS;
	rt->shape_hash_size = COUNT(own_shapes);
	rt->shape_hash_count = 0;
}

// Variables of the image's functions that other functions than the one that has them may write, side by side: each lies
// where it was made, and would take a page of every program that writes it.
static JSValue own_variables[1024];

// written_variable answers which variable around a function an instruction of its writes, or -1.
static int written_variable(const uint8_t *pc)
{
	switch (*pc) {
	case OP_put_var_ref:
	case OP_set_var_ref:
	case OP_put_var_ref_check:
	case OP_put_var_ref_check_init:
		return get_u16(pc + 1);
	case OP_make_var_ref_ref:
		return get_u16(pc + 5);
	case OP_put_var_ref0:
	case OP_put_var_ref1:
	case OP_put_var_ref2:
	case OP_put_var_ref3:
		return *pc - OP_put_var_ref0;
	case OP_set_var_ref0:
	case OP_set_var_ref1:
	case OP_set_var_ref2:
	case OP_set_var_ref3:
		return *pc - OP_set_var_ref0;
	}
	return -1;
}

// gather_variables moves what stands in such variables to own_variables, as far as there is room.
static void gather_variables(JSRuntime *rt)
{
	size_t count = 0;
	struct list_head *el;
	list_for_each(el, &rt->gc_obj_list) {
		JSGCObjectHeader *header = list_entry(el, JSGCObjectHeader, link);
		JSObject *p = (JSObject *)header;
		if (JS_GC_TYPE(header) != JS_GC_OBJ_TYPE_JS_OBJECT || !js_class_has_bytecode(p->class_id) || !p->u.func.var_refs)
			continue;
		JSFunctionBytecode *b = p->u.func.function_bytecode;
		for (int at = 0; at < b->byte_code_len; at += short_opcode_info(b->byte_code_buf[at]).size) {
			int i = written_variable(b->byte_code_buf + at);
			JSVarRef *v = i >= 0 && i < b->closure_var_count ? p->u.func.var_refs[i] : NULL;
			if (!v || !v->is_detached || v->pvalue != &v->value || count == COUNT(own_variables))
				continue;
			own_variables[count] = v->value;
			v->pvalue = &own_variables[count++];
		}
	}
}

int engine_freeze(JSRuntime *rt)
{
	if (spare_atoms(rt) < 0)
		return -1;
	keep_tables(rt);
	gather_variables(rt);
	JSArenaState *s = &rt->arena_state;
	struct list_head *el, *next;
	for (int class = 0; class < JS_ARENA_BLOCK_SIZE_COUNT; class++) {
		list_for_each(el, &s->arena_list[class]) {
			JSArena *ar = list_entry(el, JSArena, link);
			for (int i = 0; i < ar->n_begun_blocks; i++) {
				JSMallocBlockHeader *b = arena_get_block(ar, i, arena_block_sizes[class]);
				b->ref_count = BJ_IMMORTAL;
			}
		}
		// Programs begin new ones.
		init_list_head(&s->arena_list[class]);
		init_list_head(&s->free_arena_list[class]);
		s->n_arenas[class] = 0;
	}
	// What is in no list is not looked at by the collector, and is as good as held from outside.
	list_for_each_safe(el, next, &rt->gc_obj_list) {
		JS_REF_COUNT(list_entry(el, JSGCObjectHeader, link)) = BJ_IMMORTAL;
		init_list_head(el);
	}
	init_list_head(&rt->gc_obj_list);
	return 0;
}

void engine_keep(void *end) { bj_image_end = (uintptr_t)end; }

JSValue engine_latin1(JSContext *ctx, const uint8_t *bytes, size_t size)
{
	return js_new_string8_len(ctx, (const char *)bytes, size);
}

JSValue engine_ucs2(JSContext *ctx, const uint8_t *bytes, size_t units)
{
	uint16_t *copy = js_malloc(ctx, units * 2 + 2);
	if (!copy)
		return JS_EXCEPTION;
	memcpy(copy, bytes, units * 2);
	JSValue string = js_new_string16_len(ctx, copy, units);
	js_free(ctx, copy);
	return string;
}

JSValue engine_utf8(JSContext *ctx, const uint8_t *bytes, size_t size)
{
	return JS_NewStringLen(ctx, (const char *)bytes, size);
}

const void *engine_chars(JSContext *ctx, JSValueConst string, size_t *length, bool *wide)
{
	if (JS_VALUE_GET_TAG(string) == JS_TAG_STRING_ROPE) {
		// While it is held a second time, making it flat leaves the flat string in the rope, which keeps it.
		JSValue held = js_dup(string), flat = js_linearize_string_rope(ctx, held);
		JS_FreeValue(ctx, held);
		if (JS_IsException(flat))
			return NULL;
		JS_FreeValue(ctx, flat);
		string = JS_VALUE_GET_STRING_ROPE(string)->left;
	}
	if (JS_VALUE_GET_TAG(string) != JS_TAG_STRING) {
		JS_ThrowTypeError(ctx, "argument must be a string");
		return NULL;
	}
	JSString *p = JS_VALUE_GET_STRING(string);
	*length = p->len;
	*wide = p->is_wide_char;
	return p->is_wide_char ? (const void *)str16(p) : (const void *)str8(p);
}

size_t engine_heap(JSContext *ctx) { return ctx->rt->malloc_state.malloc_size; }
