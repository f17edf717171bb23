// Bindings that look into values: util, types, serdes.
'use strict';

const { native, privateSymbols, bindings } = env;
const { classOf, classes: C } = native;

bindings.types = () => {
  const is = (id) => (value) => classOf(value) === id;
  const t = {
    isExternal: () => false, isDate: is(C.Date), isBigIntObject: is(C.BigInt), isBooleanObject: is(C.Boolean),
    isNumberObject: is(C.Number), isStringObject: is(C.String), isSymbolObject: is(C.Symbol), isNativeError: is(C.Error),
    isRegExp: is(C.RegExp), isGeneratorObject: (v) => classOf(v) === C.Generator || classOf(v) === C.AsyncGenerator,
    isPromise: is(C.Promise), isMap: is(C.Map), isSet: is(C.Set), isMapIterator: is(C.MapIterator),
    isSetIterator: is(C.SetIterator), isWeakMap: is(C.WeakMap), isWeakSet: is(C.WeakSet),
    isArrayBuffer: is(C.ArrayBuffer), isDataView: is(C.DataView), isSharedArrayBuffer: is(C.SharedArrayBuffer),
    isProxy: is(C.Proxy), isModuleNamespaceObject: is(C.ModuleNamespace), isEventTarget: () => false,
    isArgumentsObject: (v) => classOf(v) === C.Arguments || classOf(v) === C.MappedArguments,
    isAnyArrayBuffer: (v) => classOf(v) === C.ArrayBuffer || classOf(v) === C.SharedArrayBuffer,
    isAsyncFunction: (v) => native.functionKind(v) >= 2, isGeneratorFunction: (v) => (native.functionKind(v) & 1) === 1,
  };
  t.isBoxedPrimitive = (v) => t.isNumberObject(v) || t.isStringObject(v) || t.isBooleanObject(v) || t.isBigIntObject(v) ||
    t.isSymbolObject(v);
  return t;
};

function constructorName(object) {
  for (let o = object; o !== null; o = Object.getPrototypeOf(o)) {
    const d = Object.getOwnPropertyDescriptor(o, 'constructor');
    if (d !== undefined && typeof d.value === 'function' && d.value.name !== '') return d.value.name;
  }
  return 'Object';
}

function parseEnv(content) {
  const out = {};
  const line = /^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*=[ \t]*("(?:[^"\\]|\\[^])*"|'[^']*'|`[^`]*`|[^\n#]*)?[^\n]*$/gm;
  for (const [, key, raw = ''] of content.replace(/\r\n?/g, '\n').matchAll(line)) {
    let value = raw.trim();
    const quote = value[0];
    if (value.length > 1 && (quote === '"' || quote === "'" || quote === '`') && value.at(-1) === quote) {
      value = value.slice(1, -1);
      if (quote === '"') value = value.replace(/\\n/g, '\n');
    }
    out[key] = value;
  }
  return out;
}

// A list that WeakReference and its like hold their target by.
class WeakReference {
  #target;
  #strong;
  #count = 0;
  constructor(target) { this.#target = new WeakRef(target); }
  get() { return this.#target.deref(); }
  incRef() { if (++this.#count === 1) this.#strong = this.#target.deref(); }
  decRef() { if (--this.#count === 0) this.#strong = undefined; }
}

bindings.util = () => ({
  constants: {
    kPending: 0, kFulfilled: 1, kRejected: 2, kExiting: 0, kExitCode: 1, kHasExitCode: 2,
    ALL_PROPERTIES: 0, ONLY_WRITABLE: 1, ONLY_ENUMERABLE: 2, ONLY_CONFIGURABLE: 4, SKIP_STRINGS: 8, SKIP_SYMBOLS: 16,
    kDisallowCloneAndTransfer: 0, kTransferable: 1, kCloneable: 2,
  },
  privateSymbols,
  shouldAbortOnUncaughtToggle: new Uint8Array(1),
  WeakReference,
  getProxyDetails: native.getProxyDetails, getPromiseDetails: native.getPromiseDetails,
  getOwnNonIndexProperties: native.getOwnNonIndexProperties, previewEntries: native.previewEntries,
  getConstructorName: constructorName, getExternalValue: () => 0n, getCallerLocation() {
    const f = native.callerFrames();
    return f[5 * 2 + 1] ? [f[5 * 2 + 2], f[5 * 2 + 3], f[5 * 2 + 1]] : undefined;
  },
  getCallSite(count) {
    return env.callSites(native.callerFrames()).slice(1, count + 1).map((s) => ({
      functionName: s.getFunctionName() ?? '', scriptName: s.getFileName() ?? '', lineNumber: s.getLineNumber(),
      column: s.getColumnNumber(), columnNumber: s.getColumnNumber(), scriptId: '0' }));
  },
  getCallSites(count) { return this.getCallSite(count); },
  isConstructor(f) { try { Reflect.construct(Object, [], f); return true; } catch { return false; } },
  guessHandleType: (fd) => ['TCP', 'TTY', 'UDP', 'FILE', 'PIPE', 'UNKNOWN', 'INVALID'].indexOf(env.handleType(fd)), toUSVString: (s) => String(s).toWellFormed(),
  isArrayBufferDetached: native.isDetached, isInsideNodeModules() {
    for (const site of env.callSites(native.callerFrames())) {
      const file = site.getFileName() ?? '';
      if (!file.startsWith('node:')) return /[/\\]node_modules[/\\]/.test(file);
    }
    return false;
  },
  sleep: (ms) => native.sleep(ms), parseEnv, arrayBufferViewHasBuffer: () => true,
  defineLazyProperties(target, id, keys, enumerable = true) {
    for (const key of keys) {
      Object.defineProperty(target, key, {
        __proto__: null, enumerable, configurable: true,
        get() { const v = env.require(id)[key]; set(v); return v; }, set,
      });
      function set(value) {
        Object.defineProperty(target, key, { __proto__: null, writable: true, enumerable, configurable: true, value });
      }
    }
  },
});
