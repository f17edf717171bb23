// module_wrap and contextify: Node's loaders over QuickJS's modules, scripts and realms.
'use strict';

const { native, bindings, primordials, perIsolateSymbols, privateSymbols } = env;
const { RegExpPrototypeExec, SafeMap, StringPrototypeSlice, StringPrototypeStartsWith } = primordials;

let initializeMeta, importCallback;
const hosts = new SafeMap(); // module's or script's name → what import() in it asks
const byHandle = new WeakMap();

const badCompile = (error, file) => error;

class ModuleWrap {
  #handle; #error; #linked = false; #meta = false;
  constructor(url, context, source, lineOffset, columnOffset, option) {
    this.url = url;
    this.sourceMapURL = undefined;
    if (Array.isArray(source)) {
      const steps = lineOffset;
      this.synthetic = true;
      this.#handle = native.moduleSynthetic(url, source, () => {
        if (this.pendingExports) for (const [name, value] of this.pendingExports) native.moduleSet(this.#handle, name, value);
        this.pendingExports = undefined;
        this.evaluating = true;
        steps.call(this, this);
      });
    } else {
      source = env.plain(url, source, 'esm');
      this.#handle = native.moduleCompile(source, url);
      const map = /\/\/[#@] sourceMappingURL=(\S+)\s*$/.exec(source.slice(-4096));
      if (map) this.sourceMapURL = map[1];
      this.option = typeof option === 'symbol' ? option : undefined;
      hosts.set(url, this.option);
      this[privateSymbols.host_defined_option_symbol] = this.option ?? Symbol(url);
      if (this.option === undefined) hosts.set(url, this[privateSymbols.host_defined_option_symbol]);
      this.callbackReferrer = this;
    }
    byHandle.set(this.#handle, this);
  }
  get handle() { return this.#handle; }
  getModuleRequests() {
    const list = native.moduleRequests(this.#handle), out = [];
    for (let i = 0; i < list.length; i += 2) out.push({ specifier: list[i], attributes: { __proto__: null, ...list[i + 1] } });
    return out;
  }
  getStaticDependencySpecifiers() { return this.getModuleRequests().map((r) => r.specifier); }
  link(specifiers, modules) {
    const handles = [];
    for (let i = 0; i < modules.length; i++) handles.push(modules[i].handle);
    native.moduleLink(this.#handle, handles);
    this.linkedModules = modules;
  }
  #prepare(seen = new Set()) {
    if (seen.has(this)) return;
    seen.add(this);
    for (let i = 0; this.linkedModules && i < this.linkedModules.length; i++) this.linkedModules[i].prepareMeta(seen);
    if (!this.#meta && !this.synthetic) {
      this.#meta = true;
      const meta = native.moduleMeta(this.#handle);
      initializeMeta?.(this[privateSymbols.host_defined_option_symbol], meta, this);
    }
  }
  prepareMeta(seen) { this.#prepare(seen); }
  instantiate() {
    this.#prepare();
    try {
      native.moduleInstantiate(this.#handle);
    } catch (error) {
      throw linkError(error, this);
    }
    if (this.synthetic && this.pendingExports) {
      for (const [name, value] of this.pendingExports) native.moduleSet(this.#handle, name, value);
      this.pendingExports = undefined;
    }
    this.#linked = true;
  }
  instantiateSync() { this.instantiate(); return this.isGraphAsync(); }
  isGraphAsync() { return native.moduleAwaits(this.#handle); }
  evaluate() { return native.moduleEvaluate(this.#handle); }
  evaluateSync() {
    const promise = native.moduleEvaluate(this.#handle);
    const [state, value] = native.getPromiseDetails(promise);
    if (state === 2) { native.markHandled(promise); throw value; }
    if (state === 0) {
      native.markHandled(promise);
      const { codes: { ERR_REQUIRE_ASYNC_MODULE } } = env.require('internal/errors');
      throw new ERR_REQUIRE_ASYNC_MODULE();
    }
    return this.getNamespace();
  }
  getNamespace() { return native.moduleNamespace(this.#handle); }
  getNamespaceSync() { return this.getNamespace(); }
  getStatus() { return native.moduleStatus(this.#handle); }
  getError() { return native.moduleError(this.#handle); }
  setExport(name, value) {
    if (!this.#linked && !this.evaluating) {
      (this.pendingExports ??= new SafeMap()).set(name, value);
      return;
    }
    native.moduleSet(this.#handle, name, value);
  }
  createCachedData() { return env.bufferOf(new Uint8Array(0)); }
}

function linkError(error, wrap) {
  const missing = /Could not find export '(.*)' in module '(.*)'/.exec(error?.message);
  if (missing) {
    const requests = wrap.getModuleRequests?.() ?? [];
    let specifier = missing[2];
    for (let i = 0; wrap.linkedModules && i < wrap.linkedModules.length; i++) {
      if (wrap.linkedModules[i].url === missing[2]) specifier = requests[i].specifier;
    }
    error.message = `The requested module '${specifier}' does not provide an export named '${missing[1]}'`;
  }
  return error;
}

native.setHook('import', (referrer, specifier, attributes, resolve, reject) => {
  const host = hosts.get(referrer) ?? perIsolateSymbols.vm_dynamic_import_default_internal;
  Promise.prototype.then.call(importCallback(host, specifier, { __proto__: null, ...attributes }, referrer), resolve, reject);
});

bindings.module_wrap = () => ({
  ModuleWrap, kUninstantiated: 0, kInstantiating: 1, kInstantiated: 2, kEvaluating: 3, kEvaluated: 4, kErrored: 5,
  kSourcePhase: 1, kEvaluationPhase: 2, callbackMap: new WeakMap(),
  setImportModuleDynamicallyCallback(f) { importCallback = f; },
  setInitializeImportMetaObjectCallback(f) { initializeMeta = f; },
  createRequiredModuleFacade(wrap) {
    const ns = wrap.getNamespace();
    const names = Object.keys(ns);
    const facade = new ModuleWrap(`${wrap.url}#facade`, undefined, [...names, '__esModule'], function() {
      for (const name of names) this.setExport(name, ns[name]);
      this.setExport('__esModule', true);
    });
    facade.instantiate();
    facade.evaluate();
    return facade.getNamespace();
  },
});

// ---- scripts

const MODULE_SYNTAX = /Unexpected token|import|export|await|unsupported keyword|expecting|Cannot use/i;
const looksLikeModule = (source) => /(^|[;\n}*\/])\s*(import\s*[\w*{"'$]|export\s+(default|const|let|var|function|class|async)|export\s*[{*])/.test(source) ||
  /\bimport\.meta\b/.test(source) || /(^|[;\n})])\s*(?:(?:const|let|var)\s[^;\n]*=\s*)?(?:for\s+)?await\b/.test(source);

function isModule(source, name) {
  if (!looksLikeModule(source)) return false;
  try {
    native.runScript(source.startsWith('#!') ? `//${source}` : source, name, 1, 3);
    return true;
  } catch {
    return false;
  }
}

const FIVE = 'exports, require, module, __filename, __dirname';
const mapOf = (source) => RegExpPrototypeExec(/\/\/[#@] sourceMappingURL=(\S+)\s*$/, StringPrototypeSlice(source, -4096))?.[1];

function note(name, source, option) {
  if (typeof option === 'symbol') hosts.set(name, option);
  if (name[0] !== '/' && !StringPrototypeStartsWith(name, 'file:') && source.length < 1 << 20) env.keepSource(name, source);
}

const padding = (line) => '\n'.repeat(Math.max(0, Math.min(line, 100000)));

class ContextifyScript {
  constructor(code, filename, lineOffset = 0, columnOffset = 0, cachedData, produce, parsingContext) {
    this.#code = String(code);
    this.#name = filename ?? 'evalmachine.<anonymous>';
    this.#line = lineOffset + 1;
    this.sourceMapURL = mapOf(this.#code);
    if (cachedData !== undefined && typeof cachedData !== 'symbol') this.cachedDataRejected = false;
    const option = typeof arguments[7] === 'symbol' ? arguments[7] : Symbol(this.#name);
    this[privateSymbols.host_defined_option_symbol] = option;
    note(this.#name, this.#code, option);
    native.runScript(this.#code, this.#name, this.#line, 2);
  }
  #code; #name; #line;
  runInContext(sandbox, timeout, displayErrors, breakOnSigint, breakOnFirstLine) {
    if (sandbox === null) return native.runScript(this.#code, this.#name, this.#line, 0);
    return inRealm(sandbox, () => native.realmRun(realmOf(sandbox), this.#code, this.#name, this.#line, 0));
  }
  createCachedData() { return env.bufferOf(new Uint8Array(0)); }
}

// runEval compiles and runs a script whose import() is load's to do; onFailure answers for one that can't be compiled.
env.runEval = (code, name, load, onFailure) => {
  const option = Symbol(name);
  note(name, code, option);
  env.require('internal/modules/esm/utils').registerModule({ [privateSymbols.host_defined_option_symbol]: option }, {
    __proto__: null, importModuleDynamically: env.require('internal/vm/module').importModuleDynamicallyWrap(load) });
  return native.runScript(code, name, 1, 5, onFailure);
};

// ---- contexts: a realm whose global object and a sandbox object have the same properties.

const realms = new WeakMap();
const realmOf = (sandbox) => realms.get(sandbox)?.realm;
const share = (from, to, known) => {
  for (const key of Reflect.ownKeys(from)) {
    if (known?.has(key) && !Object.hasOwn(to, key) && known.get(key) === from[key]) continue;
    const d = Object.getOwnPropertyDescriptor(from, key);
    if (known?.has(key) && d.value !== undefined && known.get(key) === d.value) continue;
    try { Object.defineProperty(to, key, { ...d, configurable: true }); } catch { /* it is fixed there */ }
  }
  for (const key of Reflect.ownKeys(to)) {
    if (!Object.hasOwn(from, key) && !(known?.has(key))) try { delete to[key]; } catch { /* it is fixed there */ }
  }
};
function inRealm(sandbox, f) {
  const state = realms.get(sandbox);
  if (state.depth++ === 0) {
    share(sandbox, state.global, undefined_keep(state));
    if (typeof sandbox === 'object') state.global.globalThis = state.global;
  }
  try {
    return f();
  } finally {
    if (--state.depth === 0) share(state.global, sandbox, state.own);
  }
}
// What the realm's own global has stays there although the sandbox lacks it.
const undefined_keep = (state) => ({ has: (key) => state.own.has(key), get: () => state });

bindings.contextify = () => ({
  ContextifyScript,
  makeContext(sandbox, name) {
    if (typeof sandbox === 'symbol') sandbox = {};
    const realm = native.newRealm(), global = native.realmGlobal(realm), own = new Map();
    Object.defineProperty(global, 'Intl', { value: Intl, writable: true, enumerable: false, configurable: true });
    for (const key of Reflect.ownKeys(global)) own.set(key, global[key]);
    realms.set(sandbox, { realm, global, own, depth: 0 });
    Object.defineProperty(sandbox, privateSymbols.contextify_context_private_symbol, { value: sandbox, enumerable: false, configurable: true });
    return sandbox;
  },
  compileFunction(code, filename, lineOffset, columnOffset, cachedData, produce, context, extensions, params, option) {
    note(filename, code, option);
    const list = (params ?? []).join(', ');
    const f = context === undefined ? native.compileFunction(padding(lineOffset) + code, filename, list) :
      native.realmRun(realmOf(context), padding(lineOffset) + code, filename, 1, 4, list);
    f[privateSymbols.host_defined_option_symbol] = typeof option === 'symbol' ? option : Symbol(filename);
    if (typeof option !== 'symbol') hosts.set(filename, f[privateSymbols.host_defined_option_symbol]);
    return { function: f, sourceMapURL: mapOf(code), cachedDataRejected: false };
  },
  compileFunctionForCJSLoader(code, filename, isSea, detect) {
    note(filename, code, perIsolateSymbols.vm_dynamic_import_default_internal);
    try {
      const f = native.compileFunction(code, filename, FIVE);
      return { cachedDataRejected: false, sourceMapURL: mapOf(code), function: f, canParseAsESM: false };
    } catch (error) {
      if (isModule(code, filename)) {
        if (detect) return { cachedDataRejected: false, sourceMapURL: mapOf(code), function: undefined, canParseAsESM: true };
        if (/import\.meta/.test(code)) error.message = "Cannot use 'import.meta' outside a module";
        else if (/(^|[;\n])\s*export\b/.test(code) && !/(^|[;\n])\s*import\b/.test(code)) error.message = "Unexpected token 'export'";
        else error.message = 'Cannot use import statement outside a module';
      }
      throw error;
    }
  },
  containsModuleSyntax(code, filename) {
    try {
      native.compileFunction(code, filename ?? '[eval]', FIVE);
      return false;
    } catch {
      return isModule(code, filename ?? '[eval]');
    }
  },
  shouldRetryAsESM: (code, filename) => isModule(code, filename),
  startSigintWatchdog() {}, stopSigintWatchdog: () => false, watchdogHasPendingSigint: () => false,
  measureMemory() {}, constants: {
    measureMemory: { mode: { SUMMARY: 0, DETAILED: 1 }, execution: { DEFAULT: 0, EAGER: 1 } },
  },
});
