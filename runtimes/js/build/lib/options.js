// node's command line.
'use strict';

const { bindings, process, native } = env;

const B = 2, S = 5, L = 7, N = 3; // kBoolean, kString, kStringList, kInteger
// name → [type, default, aliases …]
const table = {
  '--abort-on-uncaught-exception': [B, false], '--addons': [B, true], '--check': [B, false, '-c'],
  '--conditions': [L, [], '-C'], '--deprecation': [B, true], '--diagnostic-dir': [S, ''], '--disable-warning': [L, []],
  '--disable-proto': [S, ''], '--dns-result-order': [S, ''], '--enable-source-maps': [B, false], '--env-file': [L, []],
  '--eval': [S, undefined, '-e'], '--experimental-default-type': [S, ''], '--experimental-detect-module': [B, true],
  '--experimental-eventsource': [B, false], '--experimental-fetch': [B, true], '--experimental-global-customevent': [B, true],
  '--experimental-global-navigator': [B, false], '--experimental-global-webcrypto': [B, true],
  '--experimental-import-meta-resolve': [B, false], '--experimental-loader': [L, [], '--loader'],
  '--experimental-network-imports': [B, false], '--experimental-network-inspection': [B, false],
  '--experimental-permission': [B, false], '--experimental-policy': [S, ''], '--experimental-print-required-tla': [B, false],
  '--experimental-repl-await': [B, true], '--experimental-require-module': [B, true],
  '--experimental-strip-types': [B, false], '--experimental-test-coverage': [B, false],
  '--experimental-test-module-mocks': [B, false], '--experimental-test-snapshots': [B, false],
  '--experimental-vm-modules': [B, false], '--experimental-wasm-modules': [B, false], '--experimental-websocket': [B, true],
  '--experimental-worker': [B, true], '--expose-gc': [B, false], '--expose-internals': [B, false], '--force-fips': [B, false],
  '--frozen-intrinsics': [B, false], '--heapsnapshot-near-heap-limit': [N, 0], '--heapsnapshot-signal': [S, ''],
  '--help': [B, false, '-h'], '--icu-data-dir': [S, ''], '--import': [L, []], '--input-type': [S, ''],
  '--insecure-http-parser': [B, false], '--inspect-brk': [B, false], '--inspect': [B, false], '--interactive': [B, false, '-i'],
  '--max-http-header-size': [N, 16384], '--max-old-space-size': [N, 0], '--network-family-autoselection': [B, true],
  '--network-family-autoselection-attempt-timeout': [N, 250], '--pending-deprecation': [B, false],
  '--policy-integrity': [S, ''], '--preserve-symlinks': [B, false], '--preserve-symlinks-main': [B, false],
  '--print': [B, false, '-p'], '--prof': [B, false], '--redirect-warnings': [S, ''], '--report-on-signal': [B, false],
  '--require': [L, [], '-r'], '--secure-heap': [N, 0], '--secure-heap-min': [N, 2], '--stack-size': [N, 0],
  '--stack-trace-limit': [N, 10], '--test': [B, false], '--test-concurrency': [N, 0], '--test-force-exit': [B, false],
  '--test-name-pattern': [L, []], '--test-skip-pattern': [L, []], '--test-only': [B, false], '--test-reporter': [L, []],
  '--test-reporter-destination': [L, []], '--test-shard': [S, ''], '--test-timeout': [N, 0], '--throw-deprecation': [B, false],
  '--tls-cipher-list': [S, env.defaultCiphers], '--tls-keylog': [S, ''], '--tls-max-v1.2': [B, false], '--tls-max-v1.3': [B, false],
  '--tls-min-v1.0': [B, false], '--tls-min-v1.1': [B, false], '--tls-min-v1.2': [B, false], '--tls-min-v1.3': [B, false],
  '--title': [S, ''], '--trace-deprecation': [B, false], '--trace-exit': [B, false], '--trace-require-module': [B, false],
  '--trace-sigint': [B, false], '--trace-tls': [B, false], '--trace-uncaught': [B, false], '--trace-warnings': [B, false],
  '--unhandled-rejections': [S, ''], '--verify-base-objects': [B, false], '--version': [B, false, '-v'],
  '--warnings': [B, true], '--watch': [B, false], '--watch-path': [L, []], '--watch-preserve-output': [B, false],
  '--allow-fs-read': [L, []], '--allow-fs-write': [L, []], '--allow-addons': [B, false], '--allow-child-process': [B, false],
  '--allow-wasi': [B, false], '--allow-worker': [B, false], '--use-env-proxy': [B, false],
};

// What Node takes and nothing comes of here: its build's, its profiles', its engine's. Those with a word of their own are
// named; of the engine's anything else may follow a =.
for (const name of ['--openssl-legacy-provider', '--openssl-shared-config', '--use-openssl-ca', '--use-bundled-ca', '--use-system-ca',
  '--report-uncaught-exception', '--report-on-fatalerror', '--report-compact', '--node-snapshot', '--node-memory-debug',
  '--cpu-prof', '--heap-prof', '--zero-fill-buffers', '--trace-sync-io', '--track-heap-objects', '--global-search-paths',
  '--force-context-aware', '--extra-info-on-fatal-exception', '--force-async-hooks-checks',
  '--enable-fips', '--enable-network-family-autoselection', '--build-snapshot', '--webstorage',
  '--entry-url', '--localstorage-file', '--test-isolation', '--async-context-frame', '--disable-wasm-trap-handler']) table[name] ??= [B, false];
for (const name of ['--cpu-prof-dir', '--cpu-prof-name', '--heap-prof-dir', '--heap-prof-name', '--openssl-config', '--inspect-port', '--debug-port',
  '--trace-event-categories', '--report-dir', '--report-directory', '--report-filename', '--report-signal', '--trace-event-file-pattern', '--v8-pool-size',
  '--snapshot-blob', '--cpu-prof-interval', '--heap-prof-interval', '--max-semi-space-size-factor']) {
  table[name] ??= [S, ''];
}
const engineOptions = new RegExp('^--(no-)?(harmony|max-|min-|semi-space|initial-|stack-size|stack_size|jitless|opt|always-|sparkplug|maglev|turbo|' +
  'turbofan|use-strict|use_strict|trace-|gc-|gc_|optimize-for-size|perf-|interpreted-frames|huge-max|allow-natives-syntax|' +
  'predictable|random-seed|hash-seed|single-threaded|concurrent|parallel|expose-|lite-mode|wasm-|liftoff|abort-on|stress|' +
  'disallow-code|lazy|flush-bytecode|log|prof|cpu-prof|heap-|incremental|compilation-cache|nodebug|enable-|experimental-)');
// known says whether an option is one, and its type; other engines' experiments end in nothing, too.
const known = (name) => table[name] ?? (engineOptions.test(name) ? [B, false] : undefined);

// Not for NODE_OPTIONS: https://nodejs.org/api/cli.html#node_optionsoptions lists those that are.
const notInEnvironment = new Set(['--eval', '--print', '--check', '--interactive', '--version', '--help', '--test', '--expose-internals',
  '--prof', '--build-snapshot', '--env-file', '--v8-options', '--expose-gc', '--cpu-prof',
  '--test-concurrency', '--test-force-exit']);
const aliases = { '-pe': ['--print', '--eval'], '--es-module-specifier-resolution': [], '--prof-process': [] };
for (const [name, [, , ...others]] of Object.entries(table)) for (const other of others) aliases[other] = [name];

let values, untouched = false; // untouched: nothing has changed what resetOptions made
env.givenOptions = [];
env.resetOptions = () => {
  env.givenOptions = [];
  if (untouched) return values;
  untouched = true;
  values = {};
  for (const [name, [type, initial]] of Object.entries(table)) {
    values[name] = Array.isArray(initial) ? [] : initial;
    // --no-x and what of it is asked for by name.
    if (type === B) values[`--no-${name.slice(2)}`] = !initial;
  }
  values['[has_eval_string]'] = false;
  return values;
};
env.resetOptions();

// optionWords splits NODE_OPTIONS at spaces, but those between double quotes, where a backslash keeps what follows.
env.optionWords = (text) => {
  const out = [];
  let word = '', quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted && c === '\\' && i + 1 < text.length) word += text[++i];
    else if (c === '"') quoted = !quoted;
    else if (c === ' ' && !quoted) {
      if (word !== '') out.push(word);
      word = '';
    } else word += c;
  }
  if (word !== '') out.push(word);
  return quoted ? undefined : out;
};

// parse reads the command line: what is left is the program and its arguments. It answers an error or undefined.
env.parseOptions = (argv, fromEnvironment, self) => {
  env.resetOptions();
  const exec = [], rest = [];
  let i = 0;
  const need = (name) => {
    if (i + 1 >= argv.length || (argv[i + 1].startsWith('-') && argv[i + 1].length > 1)) return undefined;
    exec.push(argv[++i]);
    return argv[i];
  };
  for (; i < argv.length; i++) {
    const arg = argv[i];
    const inEnvironment = i < fromEnvironment;
    if (inEnvironment && !arg.startsWith('-')) return `${self}: ${arg} is not allowed in NODE_OPTIONS`;
    if (arg === '--') { i++; break; }
    if (arg === '-' || !arg.startsWith('-')) break;
    exec.push(arg);
    let [name, inline] = arg.startsWith('--') && arg.includes('=') ? [arg.slice(0, arg.indexOf('=')), arg.slice(arg.indexOf('=') + 1)] : [arg];
    for (let full of aliases[name] ?? [name.replaceAll('_', '-')]) {
      let on = true;
      if (!(full in table) && full.startsWith('--no-') && `--${full.slice(5)}` in table) { on = false; full = `--${full.slice(5)}`; }
      const option = known(full);
      if (inEnvironment && (option === undefined || notInEnvironment.has(full))) return `${self}: ${arg} is not allowed in NODE_OPTIONS`;
      if (option === undefined) return `${self}: bad option: ${arg}`;
      const [type] = option;
      untouched = false;
      env.givenOptions.push(full);
      if (full === '--print') {
        values['--print'] = true;
        if (name !== '-pe' && i + 1 < argv.length && !(argv[i + 1].startsWith('-') && argv[i + 1].length > 1)) {
          values['--eval'] = argv[++i];
          values['[has_eval_string]'] = true;
          exec.push(argv[i]);
        }
        continue;
      }
      if (type === B) {
        values[full] = on;
        values[`--no-${full.slice(2)}`] = !on;
        continue;
      }
      const value = inline ?? need(full);
      if (value === undefined) return `${self}: ${arg} requires an argument`;
      if (full === '--input-type' && value !== 'module' && value !== 'commonjs') return `${self}: --input-type must be "module" or "commonjs"`;
      if (full === '--eval') values['[has_eval_string]'] = true;
      if (type === L) values[full].push(value);
      else values[full] = type === N ? Number(value) : value;
    }
  }
  for (; i < argv.length; i++) rest.push(argv[i]);
  return { exec, rest };
};
env.option = (name) => values[name];

bindings.options = () => ({
  getCLIOptionsValues: () => values,
  getCLIOptionsInfo() {
    const options = new Map();
    for (const [name, [type, initial]] of Object.entries(table)) {
      options.set(name, { helpText: '', envVarSettings: 0, type, defaultIsTrue: initial === true, value: initial });
    }
    return { options, aliases: new Map(Object.entries(aliases)) };
  },
  getEmbedderOptions: () => ({
    shouldNotRegisterESMLoader: false, noGlobalSearchPaths: false, noBrowserGlobals: false, hasEmbedderPreload: false }),
  envSettings: { kAllowedInEnvvar: 0, kDisallowedInEnvvar: 1 },
  types: { kNoOp: 0, kV8Option: 1, kBoolean: 2, kInteger: 3, kUInteger: 4, kString: 5, kHostPort: 6, kStringList: 7 },
  noGlobalSearchPaths: false, shouldNotRegisterESMLoader: false,
});
