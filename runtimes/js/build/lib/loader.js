// Starts Node's library: gives it the bindings that its C++ half would, and runs its bootstrap. `native` is what the C
// files of this folder define.
'use strict';

const { source, compileFunction } = native;
const process = Object.create({ constructor: Object.assign(function process() {}, {}) });
Object.setPrototypeOf(Object.getPrototypeOf(process), Object.prototype);
Object.defineProperty(Object.getPrototypeOf(process), 'constructor',
  { value: Object.getPrototypeOf(process).constructor, enumerable: false, writable: true, configurable: true });

Object.defineProperty(native.mathRandom, 'name', { value: 'random', configurable: true });
Math.random = native.mathRandom;
Object.defineProperty(Math, 'random', { enumerable: false });

// What a WeakRef is made of lives to the end of the job, which counting references alone would not see to. The prototype
// stays the engine's: primordials copy what stands on it itself.
const kept = [];
const CountingWeakRef = globalThis.WeakRef;
function WeakRef(target) {
  if (new.target === undefined) throw new TypeError("Constructor WeakRef requires 'new'");
  const ref = Reflect.construct(CountingWeakRef, [target], new.target);
  if (kept.length < 4096) kept[kept.length] = target;
  return ref;
}
Object.defineProperty(WeakRef, 'prototype', { value: CountingWeakRef.prototype, writable: false, enumerable: false, configurable: false });
Object.defineProperty(WeakRef.prototype, 'constructor', { value: WeakRef, writable: true, enumerable: false, configurable: true });
Object.defineProperty(globalThis, 'WeakRef', { value: WeakRef, writable: true, enumerable: false, configurable: true });

const ids = native.sourceNames().filter((name) => !name.startsWith('belljar/'));
const primordials = {};
const privateSymbols = { __proto__: null };
for (const name of ['arrow_message_private_symbol', 'contextify_context_private_symbol', 'decorated_private_symbol',
  'transfer_mode_private_symbol', 'host_defined_option_symbol', 'js_transferable_wrapper_private_symbol',
  'entry_point_module_private_symbol', 'entry_point_promise_private_symbol', 'module_source_private_symbol',
  'module_export_names_private_symbol', 'module_circular_visited_private_symbol', 'module_export_private_symbol',
  'module_parent_private_symbol', 'module_first_parent_private_symbol', 'napi_type_tag', 'napi_wrap',
  'untransferable_object_private_symbol', 'exit_info_private_symbol', 'promise_trace_id', 'require_private_symbol',
  'source_map_data_private_symbol']) {
  privateSymbols[name] = native.privateSymbol(`node:${name}`);
}
const perIsolateSymbols = { __proto__: null };
for (const name of ['fs_use_promises_symbol', 'async_id_symbol', 'handle_onclose_symbol', 'no_message_symbol',
  'messaging_deserialize_symbol', 'messaging_transfer_symbol', 'messaging_clone_symbol', 'messaging_transfer_list_symbol',
  'oninit_symbol', 'owner_symbol', 'onpskexchange_symbol', 'resource_symbol', 'trigger_async_id_symbol',
  'source_text_module_default_hdo', 'vm_context_no_contextify', 'vm_dynamic_import_default_internal',
  'vm_dynamic_import_main_context_default', 'vm_dynamic_import_missing_flag', 'vm_dynamic_import_no_callback',
  'imported_cjs_symbol']) {
  perIsolateSymbols[name] = Symbol(name);
}

function compile(id, parameters) {
  const text = source(id);
  if (text === undefined) throw new Error(`No such built-in module: ${id}`);
  return compileFunction(text, `node:${id}`, parameters);
}

function parametersOf(id) {
  if (id.startsWith('internal/bootstrap/realm')) return 'process, getLinkedBinding, getInternalBinding, primordials';
  if (id.startsWith('internal/per_context/')) return 'exports, primordials, privateSymbols, perIsolateSymbols';
  if (id.startsWith('internal/main/') || id.startsWith('internal/bootstrap/')) {
    return 'process, require, internalBinding, primordials';
  }
  return 'exports, require, module, process, internalBinding, primordials';
}

// What bindings share: `env` is the place where they find each other.
const env = {
  native, process, primordials, privateSymbols, perIsolateSymbols, ids, compile, parametersOf,
  bindings: { __proto__: null }, // name → function that makes it
  made: { __proto__: null }, kept,
};
// words makes an array that the library and its bindings write to all the time. They lie side by side, in few pages.
const common = native.lastingBuffer(2048);
let taken = 0;
env.words = (Type, length) => {
  const array = new Type(common, taken, length);
  taken += (array.byteLength + 7) & ~7;
  return array;
};
const perContext = {};
env.perContext = perContext;

// V8 writes an object's stack down when somebody looks at it, and Node says between that and the capture what it wants to
// see there. So what is captured of an object that is no error waits, as frames. Errors have theirs at once.
const captureNow = Error.captureStackTrace;
const { prototype: errorPrototype } = Error;
const { isPrototypeOf } = Object.prototype;
const { apply, defineProperty } = Reflect;
const { captureStackTrace } = {
  captureStackTrace(target, above) {
    env.capturing = typeof target === 'object' && target !== null && !apply(isPrototypeOf, errorPrototype, [target]);
    env.captured = undefined;
    try {
      captureNow(target, above === undefined ? captureStackTrace : above);
    } finally {
      env.capturing = false;
    }
    const frames = env.captured;
    if (frames === undefined) return;
    env.captured = undefined;
    const put = (value) => defineProperty(target, 'stack', { __proto__: null, value, writable: true, enumerable: false, configurable: true });
    defineProperty(target, 'stack', {
      __proto__: null, enumerable: false, configurable: true, set: put,
      get() {
        const text = env.stackOf(target, frames);
        put(text);
        return text;
      },
    });
  },
};
defineProperty(Error, 'captureStackTrace', { __proto__: null, value: captureStackTrace, writable: true, enumerable: false, configurable: true });
for (const id of ['primordials', 'domexception', 'messageport']) {
  compile(`internal/per_context/${id}`, parametersOf('internal/per_context/'))(
    perContext, primordials, privateSymbols, perIsolateSymbols);
}
env.binding = (name) => {
  if (!(name in env.made)) {
    if (!(name in env.bindings)) throw new Error(`No such binding: ${name}`);
    env.made[name] = env.bindings[name]();
  }
  return env.made[name];
};
for (const id of ['core', 'values', 'numbers', 'dates', 'segments', 'locale', 'loop', 'stacks', 'text', 'files', 'processes', 'streams', 'sockets', 'keys', 'signatures',
  'certificates', 'tls', 'modules', 'messages', 'constants', 'options', 'unavailable', 'addresses', 'serdes', 'crypto', 'compression', 'http', 'urls', 'performance',
  'typescript', 'session', 'start', 'main']) {
  if (source(`belljar/${id}`) !== undefined) compile(`belljar/${id}`, 'env')(env);
}
env.start();
