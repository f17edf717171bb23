// The part of a program's beginning that is the same for all of them. It is done in the warm image; what is done again
// after waking is what the command line, the environment and the descriptors decide.
'use strict';

const { native, process, primordials } = env;
const { ArrayPrototypeSlice, ArrayPrototypeUnshift, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor,
  ReflectApply } = primordials;

// What pre_execution reads of the environment, and the options that it doesn't look at.
const VARIABLES = ['NODE_CHANNEL_FD', 'NODE_DEBUG', 'NODE_NO_WARNINGS', 'NODE_UNIQUE_ID', 'NODE_V8_COVERAGE'];
const PLAIN = { '__proto__': null, '--eval': '_eval', '--print': '_print_eval', '--check': '_syntax_check_only', '--interactive': '_forceRepl',
  '--input-type': '', '--import': '' };

let whole, prepared = false, searched, helpers, cjs, internalOptions, warning;

const searchKey = () => `${process.env.HOME}\n${process.env.NODE_PATH}`;

function isPlain() {
  const given = env.givenOptions;
  for (let i = 0; i < given.length; i++) if (PLAIN[given[i]] === undefined) return false;
  for (let i = 0; i < VARIABLES.length; i++) if (process.env[VARIABLES[i]] !== undefined) return false;
  return true;
}

// prepare stands for pre_execution's prepareMainThreadExecution.
function prepare(expandArgv1 = false, initializeModules = true) {
  if (!prepared || !initializeModules || !isPlain()) {
    if (prepared) process.removeListener('warning', warning.onWarning);
    prepared = false;
    return whole(expandArgv1, initializeModules);
  }
  internalOptions.refreshOptions();
  env.patchProcess(process);
  process.exitCode = undefined;
  process._exiting = false;
  let mainEntry;
  if (expandArgv1 && process.argv[1] && process.argv[1][0] !== '-') {
    try {
      mainEntry = env.require('path').resolve(process.argv[1]);
      process.argv[1] = mainEntry;
    } catch {
      // There is no working directory: the name stays as it is.
    }
  }
  for (let i = 0; i < env.givenOptions.length; i++) {
    const name = env.givenOptions[i], value = env.option(name);
    if (PLAIN[name] !== '' && value) {
      ObjectDefineProperty(process, PLAIN[name], { __proto__: null, writable: false, configurable: true, enumerable: true, value });
    }
  }
  if (searched !== searchKey()) cjs.Module._initPaths();
  return mainEntry;
}

// ---- the library's modules as globals, which code that is in no file has: they are there from the beginning

const builtinGlobals = [];
function addBuiltinGlobals() {
  const before = new Set(Reflect.ownKeys(globalThis));
  helpers.addBuiltinLibsToObject(globalThis, '<eval>');
  for (const key of Reflect.ownKeys(globalThis)) if (!before.has(key)) builtinGlobals.push(key);
  const add = helpers.addBuiltinLibsToObject;
  helpers.addBuiltinLibsToObject = function addBuiltinLibsToObject(object, name) {
    if (object !== globalThis || builtinGlobals.length === 0) add(object, name);
  };
}
env.dropBuiltinGlobals = () => {
  for (let i = 0; i < builtinGlobals.length; i++) delete globalThis[builtinGlobals[i]];
  builtinGlobals.length = 0;
};

// ---- code that is in no file

let execution, whichEval;
const searchPaths = { __proto__: null };

// evalScript stands for execution's, which compiles the code three times.
function evalScript(name, body, breakFirstLine, print, shouldLoadESM = false) {
  let cwd;
  try { cwd = process.cwd(); } catch { cwd = undefined; }
  if (shouldLoadESM || cwd === undefined || !prepared) return whichEval(name, body, breakFirstLine, print, shouldLoadESM);
  const before = ObjectGetOwnPropertyDescriptor(globalThis, 'module'), { Module } = cjs, module = new Module(name);
  const filename = module.filename = cwd === '/' ? `/${name}` : `${cwd}/${name}`;
  module.paths = searchPaths[cwd] === undefined ? Module._nodeModulePaths(cwd) : ArrayPrototypeSlice(searchPaths[cwd]);
  globalThis.__filename = name;
  globalThis.module = module;
  globalThis.exports = module.exports;
  globalThis.__dirname = '.';
  globalThis.require = helpers.makeRequireFunction(module);
  helpers.setHasStartedUserCJSExecution();
  let failed = false;
  const result = env.runEval(body, name, async function importModuleDynamically(specifier, _, attributes) {
    const loader = env.require('internal/modules/esm/loader').getOrInitializeCascadedLoader();
    return loader.import(specifier, env.require('internal/url').pathToFileURL(filename).href, attributes);
  }, (error) => {
    failed = true;
    if (env.option('--experimental-detect-module') && env.option('--input-type') === '' && env.option('--experimental-default-type') === '' &&
      env.binding('contextify').containsModuleSyntax(body, name)) {
      return execution.evalModuleEntryPoint(body, print);
    }
    throw error;
  });
  if (failed) return result;
  if (print) env.require('internal/console/global').log(result);
  if (before !== undefined) ObjectDefineProperty(globalThis, 'module', before);
  return undefined;
}

// ---- the console

// While nobody has asked for process.stdout and process.stderr, what the console has to say needs no stream: such
// streams write at once too. A terminal has colours, and needs one. In the warm image there are none: what they are is
// known after waking.
const streams = [undefined, { asked: false, get: undefined, quick: undefined }, { asked: false, get: undefined, quick: undefined }];

function quick(fd, name) {
  const s = streams[fd];
  if (s.asked || ObjectGetOwnPropertyDescriptor(process, name)?.get !== s.get) return false;
  return s.quick ??= env.handleType(fd) === 'FILE' && process.env.FORCE_COLOR === undefined;
}

function watchStream(fd, name) {
  const make = ObjectGetOwnPropertyDescriptor(process, name).get, s = streams[fd];
  s.get = { [make.name]() {
    if (!env.awake) return { isTTY: false };
    s.asked = true;
    return make();
  } }[make.name];
  ObjectDefineProperty(process, name, { __proto__: null, configurable: true, enumerable: true, get: s.get });
}

function quickenConsole() {
  const console = env.require('internal/console/global'), { Console } = console;
  const { formatWithOptions } = env.require('internal/util/inspect');
  const symbol = (name) => Object.getOwnPropertySymbols(console).find((s) => s.description === name);
  const write = symbol('kWriteToConsole'), indent = symbol('kGroupIndent'), useStdout = useStdoutOf(console);
  const replace = (key, value) => ObjectDefineProperty(console, key, { __proto__: null, writable: true, enumerable: false, configurable: true, value });
  const slowWrite = console[write];
  for (const [name, fd, accessor] of [['stdout', 1, '_stdout'], ['stderr', 2, '_stderr']]) {
    const d = ObjectGetOwnPropertyDescriptor(console, accessor);
    ObjectDefineProperty(console, accessor, { ...d, set(value) { streams[fd].asked = true; d.set.call(this, value); } });
    const format = symbol(name === 'stdout' ? 'kFormatForStdout' : 'kFormatForStderr'), slow = console[format];
    replace(format, (args) => {
      if (!quick(fd, name)) return slow(args);
      ArrayPrototypeUnshift(args, {});
      return ReflectApply(formatWithOptions, null, args);
    });
  }
  replace(write, (which, text) => {
    const out = which === useStdout;
    if (console[indent] === '' && quick(out ? 1 : 2, out ? 'stdout' : 'stderr')) native.writeText(out ? 1 : 2, `${text}\n`);
    else slowWrite(which, text);
  });
}

// useStdoutOf finds the name by which the console calls its output.
function useStdoutOf(console) {
  let found;
  const key = Object.getOwnPropertySymbols(console.Console.prototype).find((s) => s.description === 'kWriteToConsole');
  const spy = Object.create(console.Console.prototype, { [key]: { value: (which) => { found = which; } } });
  Object.getOwnPropertySymbols(console.Console.prototype).forEach((s) => {
    if (s.description === 'kFormatForStdout') ObjectDefineProperty(spy, s, { __proto__: null, value: () => '' });
  });
  console.Console.prototype.log.call(spy, '');
  return found;
}

// prepareImage runs what there is before a program, with no options and the environment of the warm-up.
env.prepareImage = () => {
  watchStream(1, 'stdout');
  watchStream(2, 'stderr');
  const preExecution = env.require('internal/process/pre_execution');
  helpers = env.require('internal/modules/helpers');
  cjs = env.require('internal/modules/cjs/loader');
  internalOptions = env.require('internal/options');
  warning = env.require('internal/process/warning');
  execution = env.require('internal/process/execution');
  whole = preExecution.prepareMainThreadExecution;
  whichEval = execution.evalScript;
  env.parseOptions([]);
  env.argv = ['/usr/bin/node'];
  whole(false, true);
  searched = searchKey();
  for (const cwd of ['/home/user', '/', '/tmp']) searchPaths[cwd] = cjs.Module._nodeModulePaths(cwd);
  prepared = true;
  addBuiltinGlobals();
  quickenConsole();
  preExecution.prepareMainThreadExecution = prepare;
  execution.evalScript = evalScript;
  // What these make when they are first called, they have then.
  helpers.makeRequireFunction(new cjs.Module('[eval]'));
  env.require('internal/util/inspect').formatWithOptions({}, 1, 'a', '%s', [1, { a: 1 }], new Map(), new Set(), /x/, null);
};
