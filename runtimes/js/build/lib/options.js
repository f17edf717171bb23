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
  '--experimental-vm-modules': [B, false], '--experimental-wasm-modules': [B, false], '--experimental-websocket': [B, false],
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
  '--tls-cipher-list': [S, ''], '--tls-keylog': [S, ''], '--tls-max-v1.2': [B, false], '--tls-max-v1.3': [B, false],
  '--tls-min-v1.0': [B, false], '--tls-min-v1.1': [B, false], '--tls-min-v1.2': [B, false], '--tls-min-v1.3': [B, false],
  '--title': [S, ''], '--trace-deprecation': [B, false], '--trace-exit': [B, false], '--trace-require-module': [B, false],
  '--trace-sigint': [B, false], '--trace-tls': [B, false], '--trace-uncaught': [B, false], '--trace-warnings': [B, false],
  '--unhandled-rejections': [S, ''], '--verify-base-objects': [B, false], '--version': [B, false, '-v'],
  '--warnings': [B, true], '--watch': [B, false], '--watch-path': [L, []], '--watch-preserve-output': [B, false],
  '--allow-fs-read': [L, []], '--allow-fs-write': [L, []], '--allow-addons': [B, false], '--allow-child-process': [B, false],
  '--allow-wasi': [B, false], '--allow-worker': [B, false], '--use-env-proxy': [B, false],
};
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

// parse reads the command line: what is left is the program and its arguments. It answers an error or undefined.
env.parseOptions = (argv) => {
  env.resetOptions();
  const exec = [], rest = [];
  let i = 0;
  const need = (name) => {
    if (i + 1 >= argv.length || (argv[i + 1].startsWith('-') && argv[i + 1].length > 1 && name !== '--eval')) return undefined;
    exec.push(argv[++i]);
    return argv[i];
  };
  for (; i < argv.length; i++) {
    const arg = argv[i];
    if (arg === '--') { i++; break; }
    if (arg === '-' || !arg.startsWith('-')) break;
    exec.push(arg);
    let [name, inline] = arg.startsWith('--') && arg.includes('=') ? [arg.slice(0, arg.indexOf('=')), arg.slice(arg.indexOf('=') + 1)] : [arg];
    for (let full of aliases[name] ?? [name.replaceAll('_', '-')]) {
      let on = true;
      if (!(full in table) && full.startsWith('--no-') && `--${full.slice(5)}` in table) { on = false; full = `--${full.slice(5)}`; }
      if (!(full in table)) return `${process.execPath}: bad option: ${arg}`;
      const [type] = table[full];
      untouched = false;
      env.givenOptions.push(full);
      if (full === '--print') {
        values['--print'] = true;
        if (name !== '-pe' && i + 1 < argv.length) {
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
      if (value === undefined) return `${process.execPath}: ${arg} requires an argument`;
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
