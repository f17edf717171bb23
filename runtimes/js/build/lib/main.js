// The program's beginning and end: what happens once in the warm image, and what in every process.
'use strict';

const { native, process, primordials, privateSymbols, bindings, parametersOf } = env;

const VERSION = 'v20.19.2';
const mains = { __proto__: null };
const EXEC = '/usr/bin/node';

// reseed gives Math.random another beginning: copies of an image would all have the same.
env.reseed = () => {
  const seed = new Uint8Array(8);
  native.random(seed);
  native.seed(seed);
};

function environment() {
  const target = Object.create(Object.prototype);
  return { target, proxy: new Proxy(target, {
    set(t, key, value) {
      if (typeof key === 'symbol') throw new TypeError('Cannot convert a Symbol value to a string');
      if (typeof value === 'symbol') throw new TypeError('Cannot convert a Symbol value to a string');
      t[key] = `${value}`;
      if (key === 'TZ') native.setenv(key, t[key]);
      return true;
    },
    defineProperty(t, key, d) {
      if ('value' in d) {
        if (d.configurable === false || d.writable === false || d.enumerable === false) {
          const { codes: { ERR_INVALID_OBJECT_DEFINE_PROPERTY } } = env.require('internal/errors');
          throw new ERR_INVALID_OBJECT_DEFINE_PROPERTY("'process.env' only accepts a configurable, writable, and enumerable data descriptor");
        }
        t[key] = `${d.value}`;
        return true;
      }
      const { codes: { ERR_INVALID_OBJECT_DEFINE_PROPERTY } } = env.require('internal/errors');
      throw new ERR_INVALID_OBJECT_DEFINE_PROPERTY("'process.env' does not accept an accessor(getter/setter) descriptor");
    },
    deleteProperty(t, key) { delete t[key]; if (key === 'TZ') native.setenv('TZ', undefined); return true; },
  }) };
}

let environ;
function fixed(name, value, writable = false) {
  Object.defineProperty(process, name, { value, enumerable: true, configurable: true, writable });
}

function prepareProcess() {
  process[privateSymbols.exit_info_private_symbol] = env.words(Int32Array, 3);
  fixed('version', VERSION);
  fixed('versions', Object.freeze({
    node: VERSION.slice(1), quickjs: '0.16.2', v8: '11.3.244.8-node.26', uv: '1.46.0', zlib: '1.3.1', modules: '115', ada: '2.9.2',
    ares: '1.20.1', acorn: '8.14.0', brotli: '1.1.0', cjs_module_lexer: '1.4.1', llhttp: '8.1.2', openssl: '3.0.20', undici: '6.21.2',
    unicode: '16.0', napi: '9',
  }));
  fixed('arch', 'x64');
  fixed('platform', 'linux');
  fixed('release', { name: 'node', lts: 'Iron', sourceUrl: `https://nodejs.org/download/release/${VERSION}/node-${VERSION}.tar.gz` });
  fixed('title', 'node', true);
  environ = environment();
  fixed('env', environ.proxy, true);
  process.execArgv = [];
  process.argv = [EXEC];
  fixed('pid', 1);
  fixed('ppid', 0);
  process.execPath = EXEC;
  process.debugPort = 9229;
}

env.patchProcess = (p) => {
  p.title = 'node';
  p.argv = env.argv ?? [EXEC];
  p.execArgv = env.execArgv ?? [];
  p.execPath = EXEC;
  p.debugPort = 9229;
};

let known = [];
function readEnvironment() {
  const entries = native.environ();
  let same = entries.length === known.length;
  for (let i = 0; same && i < entries.length; i++) same = entries[i] === known[i];
  if (same) return;
  known = entries;
  for (const key of Object.keys(environ.target)) delete environ.target[key];
  for (const entry of entries) {
    const at = entry.indexOf('=');
    if (at > 0) environ.target[entry.slice(0, at)] = entry.slice(at + 1);
  }
}

// readWorld makes the process what the host says it is.
function readWorld() {
  env.awake = true;
  readEnvironment();
  if (env.handleType(2) === 'TTY') env.require('internal/util/colors').refresh();
  Object.defineProperty(process, 'pid', { value: native.pid(), enumerable: true, configurable: true, writable: false });
  Object.defineProperty(process, 'ppid', { value: native.ppid(), enumerable: true, configurable: true, writable: false });
  env.beginClock();
  env.beginLoop();
  env.reseed();
}

// main answers the function of an entry script, compiled once.
function main(id) {
  return mains[id] ??= env.compile(`internal/main/${id}`, parametersOf('internal/main/'));
}

function run(id) {
  try {
    main(id)(process, env.require, env.internalBinding, primordials);
  } catch (error) {
    env.uncaught(error, false);
  }
  env.settle();
}

env.printFatal = (error) => {
  let text;
  const isError = env.binding('types').isNativeError(error) || error?.stack !== undefined;
  try {
    if (typeof error === 'object' && error !== null && isError) text = env.enhanceAfter(error);
  } catch {
    text = undefined;
  }
  let out = env.place ? `${env.place}` : '';
  if (text === undefined) {
    const { inspect } = env.require('internal/util/inspect');
    let shown;
    try {
      shown = typeof error === 'string' ? error : typeof error === 'object' && error !== null ? inspect(error) : String(error);
    } catch {
      shown = '[object]';
    }
    out += `${out ? '' : 'node:internal/process/execution\n'}${shown}\n(Use \`node --trace-uncaught ...\` to show where the exception was thrown)\n`;
    if (env.place) out = `${env.place}${shown}\n(Use \`node --trace-uncaught ...\` to show where the exception was thrown)\n`;
  } else {
    out += out ? `\n${text}\n` : `${text}\n`;
  }
  native.writeText(2, `${out}\nNode.js ${VERSION}\n`);
};

function exitCode() {
  const fields = process[privateSymbols.exit_info_private_symbol];
  return fields[2] ? fields[1] : 0;
}

// finish runs the loop to its end and tells the program of that.
function finish() {
  do {
    env.runLoop();
    env.call(process, process.emit, 'beforeExit', exitCode());
  } while (env.loopAlive());
  if (!process._exiting) {
    process._exiting = true;
    try {
      process.emit('exit', exitCode());
    } catch (error) {
      env.uncaught(error, false);
    }
  }
  return exitCode();
}

const HELP = `Usage: node [options] [ script.js ] [arguments]
       node [options] -e code [arguments]

Options:
  -                           script read from stdin (default if no file name is provided)
  --                          indicate the end of node options
  -c, --check                 syntax check script without executing
  -C, --conditions=...        additional user conditions for conditional exports and imports
  -e, --eval=...              evaluate script
  -h, --help                  print node command line options
  --import=...                ES module to preload
  --input-type=...            set module type for string input
  -p, --print [...]           evaluate script and print result
  -r, --require=...           CommonJS module to preload
  --test                      launch test runner on startup
  -v, --version               print Node.js version
`;

env.beginProcess = readWorld;
native.main = () => {
  const argv = native.arguments();
  readWorld();
  const words = env.optionWords(environ.target.NODE_OPTIONS ?? ''), self = argv[0] ?? 'node';
  if (words === undefined) {
    native.writeText(2, `${self}: invalid value for NODE_OPTIONS (unterminated string)\n`);
    return 9;
  }
  const parsed = env.parseOptions([...words, ...argv.slice(1)], words.length, self);
  if (typeof parsed === 'string') {
    native.writeText(2, `${parsed}\n`);
    return 9;
  }
  env.argv = [EXEC, ...parsed.rest];
  env.execArgv = parsed.exec.slice(words.length);
  if (env.option('--version')) {
    native.writeText(1, `${VERSION}\n`);
    return 0;
  }
  if (env.option('--help')) {
    native.writeText(1, HELP);
    return 0;
  }
  const given = new Set(Object.keys(environ.target));
  for (const file of env.option('--env-file')) {
    const content = env.readText(file);
    if (content === undefined) {
      native.writeText(2, `node: ${file}: not found\n`);
      return 9;
    }
    const values = env.binding('util').parseEnv(content);
    for (const key of Object.keys(values)) if (!given.has(key)) environ.target[key] = values[key]; // a later file's wins
  }
  if (env.option('--expose-gc')) {
    Object.defineProperty(globalThis, 'gc', { value: function gc() {}, writable: true, enumerable: false, configurable: true });
  }
  const evaluates = env.option('[has_eval_string]') && !env.option('--interactive') && !env.option('--test');
  if (!evaluates) env.dropBuiltinGlobals();
  if (env.option('--test')) run('test_runner');
  else if (evaluates) run('eval_string');
  else if (env.option('--check') && parsed.rest.length > 0) run('check_syntax');
  else if (parsed.rest.length > 0 && parsed.rest[0] !== '-') run('run_main_module');
  else if (env.option('--interactive') || (env.handleType(0) === 'TTY' && parsed.rest[0] !== '-')) run('repl');
  else run('eval_stdin');
  return finish();
};

// What programs load, so that it is in the image.
const PRELOAD = ['fs', 'path', 'util', 'events', 'stream', 'stream/promises', 'stream/web', 'buffer', 'assert', 'assert/strict',
  'os', 'url', 'querystring', 'child_process', 'crypto', 'zlib', 'readline', 'readline/promises', 'timers', 'timers/promises',
  'string_decoder', 'worker_threads', 'http', 'https', 'net', 'dns', 'dns/promises', 'module', 'vm', 'perf_hooks', 'async_hooks',
  'diagnostics_channel', 'constants', 'punycode', 'tty', 'console', 'fs/promises', 'util/types', 'process', 'v8', 'dgram', 'repl'];
const PRELOAD_INTERNAL = ['internal/modules/esm/resolve', 'internal/process/execution', 'internal/modules/esm/loader',
  'internal/modules/esm/translators', 'internal/modules/run_main', 'internal/fs/sync_write_stream', 'internal/fs/streams',
  'internal/fs/promises', 'internal/repl/await', 'internal/repl/utils', 'internal/util/inspect', 'internal/util/colors',
  'internal/modules/esm/get_format', 'internal/modules/esm/load', 'internal/modules/esm/module_map', 'internal/modules/esm/module_job',
  'internal/modules/esm/initialize_import_meta', 'internal/deps/cjs-module-lexer/lexer', 'internal/vm/module', 'internal/cli_table',
  'internal/abort_controller', 'internal/blob', 'internal/event_target', 'internal/source_map/source_map_cache',
  'internal/process/promises', 'internal/util/comparisons', 'internal/assert/assertion_error', 'internal/error_serdes',
  'internal/crypto/webcrypto', 'internal/structured_clone', 'internal/process/finalization', 'internal/fs/rimraf', 'internal/fs/cp/cp-sync', 'internal/deps/minimatch/index'];

env.start = () => {
  prepareProcess();
  env.compile('internal/bootstrap/realm', parametersOf('internal/bootstrap/realm'))(
    process, () => { throw new Error('No such module'); }, env.binding, primordials);
  const step = (id) => env.compile(id, parametersOf('internal/bootstrap/'))(process, env.require, env.internalBinding, primordials);
  step('internal/bootstrap/node');
  step('internal/bootstrap/web/exposed-wildcard');
  step('internal/bootstrap/web/exposed-window-or-worker');
  step('internal/bootstrap/switches/is_main_thread');
  step('internal/bootstrap/switches/does_own_process_state');
  env.polish?.();
  env.settle();
};

function preload(id, load) {
  try {
    if (env.ids.includes(id)) load(id);
  } catch (error) {
    native.writeText(2, `preload ${id}: ${error?.stack}\n`);
  }
}

// forgetDirectory has the library look up the working directory anew: it does so after a change.
function forgetDirectory() {
  const methods = env.binding('process_methods'), { chdir } = methods;
  methods.chdir = () => {};
  process.chdir('/');
  methods.chdir = chdir;
}

native.rehearse = () => {
  readEnvironment();
  env.prepareImage();
  const { BuiltinModule } = env.require('internal/bootstrap/realm');
  for (const id of PRELOAD) preload(id, () => BuiltinModule.map.get(id).compileForPublicLoader());
  for (const id of ['eval_string', 'run_main_module', 'eval_stdin']) main(id);
  for (const id of PRELOAD_INTERNAL) preload(id, env.require);
  forgetDirectory();
  return 0;
};
