// Cells of a session: what Node's prompt does, without the prompt. See src/session.c for how they come.
'use strict';

const { native, process, primordials } = env;

const RESULT = 0, DISPLAY = 1, ERROR = 2, COMPLETION = 3, CHECK = 4;
const RUN = 0, COMPLETE = 1;
const COPIED = 1;

const MIME = [['html', 'text/html'], ['markdown', 'text/markdown'], ['svg', 'image/svg+xml'], ['png', 'image/png'], ['jpeg', 'image/jpeg'],
  ['latex', 'text/latex'], ['json', 'application/json'], ['javascript', 'application/javascript'], ['pdf', 'application/pdf']];

// What runs a cell is no part of its errors' stacks. The last frame may have what opens an error's properties behind it.
const OURS = /\n +at (?:(?:runScript|runJobs|call|[\w.]+ \[as call\]) \(<anonymous>\)|[^\n]*\(?node:internal\/[^\n]*?)(?= \{(?:\n|$)|\n|$)/g;
const inspect = (value) => env.require('internal/util/inspect').inspect(value).replace(OURS, '');
const data = (value) => (typeof value === 'string' || ArrayBuffer.isView(value) ? value : JSON.stringify(value));

// bundle answers the forms in which a value can be shown, MIME type and data in turns.
function bundle(value) {
  const out = [];
  if (typeof value === 'object' && value !== null && !env.binding('types').isProxy(value)) {
    const own = value[Symbol.for('Jupyter.display')] ?? value._repr_mimebundle_;
    if (typeof own === 'function') for (const [type, d] of Object.entries(own.call(value))) out.push(type, data(d));
    for (const [name, type] of MIME) {
      const f = value[`_repr_${name}_`] ?? (name === 'html' ? value.toHTML : undefined);
      if (typeof f === 'function' && !out.includes(type)) {
        const d = f.call(value);
        if (d !== undefined && d !== null) out.push(type, data(d));
      }
    }
  }
  if (!out.includes('text/plain')) out.push('text/plain', inspect(value));
  return out;
}

// ---- what a cell's source becomes: a script whose declarations can be made again.

function parse(source, module) {
  const { Parser } = env.require('internal/deps/acorn/acorn/dist/acorn');
  return Parser.parse(source, { ecmaVersion: 'latest', sourceType: module ? 'module' : 'script', allowAwaitOutsideFunction: true,
    allowReturnOutsideFunction: false, allowHashBang: true, allowImportExportEverywhere: false });
}

// untyped answers a source without its types, or undefined where it is no TypeScript either.
function untyped(source) {
  try {
    return env.plain(`${process.cwd()}/cell.tsx`, source).replace(/\n$/, '');
  } catch {
    return undefined;
  }
}

// importText answers what stands for an import declaration.
function importText(node) {
  const from = JSON.stringify(node.source.value), parts = [];
  let all;
  for (const s of node.specifiers) {
    if (s.type === 'ImportNamespaceSpecifier') all = s.local.name;
    else parts.push(`${s.type === 'ImportDefaultSpecifier' ? 'default' : s.imported.name ?? JSON.stringify(s.imported.value)}: ${s.local.name}`);
  }
  let text = all ? `var ${all} = await import(${from});` : '';
  if (parts.length) text += `var { ${parts.join(', ')} } = ${all ?? `await import(${from})`};`;
  return text || `await import(${from});`;
}

// parsed answers a cell's tree and source: JavaScript, a module's with imports, or TypeScript without its types. error is
// that of the first attempt.
function parsed(source) {
  let error;
  for (const attempt of [(s) => parse(s, false), (s) => parse(s, true)]) {
    try {
      return { source, tree: attempt(source) };
    } catch (e) {
      error ??= e;
    }
    if (!/\b(import|export)\b/.test(source)) break;
  }
  return { source, error };
}

// parsedTyped is parsed of what may be TypeScript, which only the host can tell.
function parsedTyped(source) {
  const plain = parsed(source);
  if (plain.error === undefined || !/[:<@]|\b(?:as|satisfies|enum|interface|type|declare|namespace|abstract|private|public|readonly)\b|\w!/.test(source)) return plain;
  const js = untyped(source);
  if (js === undefined) return plain;
  const typed = parsed(js);
  return typed.error === undefined ? typed : plain;
}

function rewrite(text, typed) {
  const { source, tree, error } = typed ? parsedTyped(text) : parsed(text);
  if (error !== undefined) return { source, error };
  const edits = [];
  for (const node of tree.body) {
    if (node.type === 'VariableDeclaration' && node.kind !== 'var') {
      if (node.kind === 'let' || node.kind === 'const') edits.push([node.start, node.start + node.kind.length, 'var'.padEnd(node.kind.length)]);
      for (const d of node.declarations) if (d.init === null) edits.push([d.end, d.end, ' = undefined']); // again, it would keep its value
    } else if (node.type === 'ClassDeclaration') {
      edits.push([node.start, node.start, `var ${node.id.name} = `], [node.end, node.end, ';']);
    } else if (node.type === 'ImportDeclaration') {
      edits.push([node.start, node.end, importText(node) + '\n'.repeat(source.slice(node.start, node.end).split('\n').length - 1)]);
    } else if (node.type === 'ExportNamedDeclaration' && node.declaration) {
      const inner = node.declaration;
      edits.push([node.start, inner.start, ' '.repeat(inner.start - node.start)]);
      if (inner.type === 'VariableDeclaration' && inner.kind !== 'var') edits.push([inner.start, inner.start + inner.kind.length, 'var'.padEnd(inner.kind.length)]);
      if (inner.type === 'ClassDeclaration') edits.push([inner.start, inner.start, `var ${inner.id.name} = `], [inner.end, inner.end, ';']);
    }
  }
  edits.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let out = '', at = 0;
  for (const [start, end, text] of edits) {
    out += source.slice(at, start) + text;
    at = end;
  }
  out += source.slice(at);
  return { source: out, imports: tree.body.some((n) => n.type === 'ImportDeclaration') };
}

let number = 0, cellFailure, cellExit, cellSyntax;

// Waiting is what a script answers that ends with a promise of its value.
class Waiting { constructor(promise) { this.promise = promise; } }

// An object literal is taken for one, as at Node's prompt.
const literal = (source) => (/^\s*\{/.test(source) && !/;\s*$/.test(source) ? `(${source.trim()})` : undefined);

function compileAndRun(source, name) {
  const wrapped = literal(source);
  if (wrapped !== undefined) {
    try {
      parse(wrapped, false);
      return native.runScript(wrapped, name, 1, 0);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  const made = rewrite(source, true);
  if (/\bawait\b/.test(made.source)) {
    const { processTopLevelAwait } = env.require('internal/repl/await');
    const awaiting = processTopLevelAwait(made.source);
    if (awaiting !== null) return new Waiting(native.runScript(awaiting, name, 1, 0));
  }
  try {
    return native.runScript(made.source, name, 1, 0);
  } catch (error) {
    if (made.error !== undefined && error instanceof SyntaxError) place(error, made.error, source, name);
    throw error;
  }
}

// place says where in a source an error is, as Node does.
function place(error, { loc }, source, name) {
  if (loc === undefined) return;
  const line = source.split('\n')[loc.line - 1] ?? '';
  cellSyntax = { error, lines: [`${name}:${loc.line}`, line, `${' '.repeat(loc.column)}^`, ''] };
}

// wait runs the loop until a promise is settled.
function wait(promise) {
  native.markHandled(promise);
  let [state, value] = native.getPromiseDetails(promise);
  env.settle();
  while (([state, value] = native.getPromiseDetails(promise), state === 0) && cellFailure === undefined && cellExit === undefined) {
    if (!env.loopAlive()) throw new Error('the cell waits for a promise that nothing will settle');
    env.turn(true);
    if (native.interrupted()) throw EXIT;
  }
  if (state === 2) throw value;
  return value;
}

// linger lets go on what is about to: timers that are due soon, and what children and files have to tell.
function linger() {
  const until = native.hrtime() / 1e6 + 100;
  env.settle();
  for (let idle = 0; idle < 2 && env.loopAlive() && cellFailure === undefined && cellExit === undefined;) {
    env.turn(false);
    if (native.interrupted()) return;
    const due = env.nextTimer();
    if (due <= until - native.hrtime() / 1e6) native.sleep(due);
    else idle++;
  }
}

function report(error) {
  let name = 'Error', value = '', lines;
  const isError = typeof error === 'object' && error !== null && (env.binding('types').isNativeError(error) || error instanceof Error);
  try {
    if (isError) {
      name = String(error.name ?? 'Error');
      value = String(error.message ?? '');
      lines = inspect(error).split('\n');
      if (error instanceof SyntaxError && cellSyntax?.error === error) lines = [...cellSyntax.lines, `SyntaxError: ${value}`];
    } else {
      name = 'Uncaught';
      value = inspect(error);
      lines = [`Uncaught ${value}`];
    }
  } catch {
    lines = ['Error'];
  }
  native.emit(ERROR, name, value, ...lines);
  return 1;
}

env.cellError = (error) => {
  if (!env.inCell) return false;
  cellFailure ??= { error };
  return true;
};
env.leaveCell = (code) => {
  if (!env.inCell) return false;
  cellExit ??= code;
  throw EXIT;
};
const EXIT = { toString: () => 'exit' };

function tellInterrupt() {
  env.inCell = false;
  native.emit(ERROR, 'KeyboardInterrupt', '', 'KeyboardInterrupt');
  return 130;
}
native.cellInterrupted = tellInterrupt;

// A stream of standard input that has come to its end is not the next cell's, which has an input of its own.
let stdin;
function renewStdin() {
  if (stdin === undefined) return;
  if (stdin.readableFlowing !== true) native.nonblock(0, false); // for readSync
  if (!stdin.readableEnded && !stdin.destroyed) return;
  stdin = undefined;
  env.binding('process_methods').resetStdioForTesting();
}
function watchStdin() {
  const made = Object.getOwnPropertyDescriptor(process, 'stdin');
  Object.defineProperty(process, 'stdin', { ...made, get() { return stdin = made.get.call(process); } });
}

function runCell(source) {
  cellFailure = cellExit = cellSyntax = undefined;
  env.inCell = true;
  process._exiting = false; // a cell before may have called process.exit
  renewStdin();
  let status = 0;
  const name = `REPL${++number}`;
  env.keepSource(name, source);
  try {
    let value = compileAndRun(source, name);
    if (value instanceof Waiting) {
      const settled = wait(value.promise);
      value = typeof settled === 'object' && settled !== null && 'value' in settled ? settled.value : undefined;
    }
    env.settle();
    if (value !== undefined && cellFailure === undefined) {
      globalThis._ = value;
      if (!/;\s*$/.test(source)) native.emit(RESULT, ...bundle(value));
    }
    linger();
  } catch (error) {
    if (error !== EXIT && cellExit === undefined) cellFailure ??= { error };
  }
  env.inCell = false;
  if (native.takeInterrupt()) return tellInterrupt();
  if (cellExit !== undefined) return cellExit;
  if (cellFailure !== undefined) {
    globalThis._error = cellFailure.error;
    status = report(cellFailure.error);
  }
  return status;
}

function complete(source, cursor) {
  const bytes = native.bytesOf(source, 1).slice(0, cursor), before = native.textOf(bytes, 1);
  const match = /([A-Za-z_$][\w$]*(?:\??\.[\w$]*)*)$/.exec(before);
  const text = match?.[0] ?? '';
  const dot = text.lastIndexOf('.');
  const prefix = text.slice(dot + 1), names = new Set();
  let object = globalThis;
  if (dot >= 0) {
    try { object = native.runScript(text.slice(0, dot).replace(/\?$/, ''), 'completion', 1, 0); } catch { object = undefined; }
  }
  for (let o = object === undefined || object === null ? null : Object(object), n = 0; o !== null && n < 10; o = Object.getPrototypeOf(o), n++) {
    for (const key of Object.getOwnPropertyNames(o)) if (key.startsWith(prefix) && /^[A-Za-z_$][\w$]*$/.test(key)) names.add(key);
  }
  if (dot < 0) for (const word of ['async', 'await', 'class', 'const', 'function', 'import', 'let', 'return', 'typeof', 'while']) if (word.startsWith(prefix)) names.add(word);
  const found = prefix === '' && dot < 0 ? [] : [...names].sort().map((n) => text.slice(0, dot + 1) + n);
  native.emit(COMPLETION, String(cursor - native.bytesOf(text, 1).length), ...found);
}

function check(source) {
  const { error } = rewrite(source, false);
  if (error === undefined || (/[:<@]|\b(?:as|enum|interface|type)\b/.test(source) && rewrite(source, true).error === undefined)) return native.emit(CHECK, 'complete', '');
  const { isRecoverableError } = env.require('internal/repl/utils');
  let more = false;
  try { more = isRecoverableError(error, source); } catch { more = false; }
  const indent = /^[ \t]*/.exec(source.split('\n').at(-1))[0];
  return native.emit(CHECK, more ? 'incomplete' : 'invalid', more ? indent + (/[{([]\s*$/.test(source) ? '  ' : '') : '');
}

native.cell = (what, flags, count, cursor, source) => {
  if (flags & COPIED) env.copied();
  if (what === RUN) return runCell(source);
  if (what === COMPLETE) complete(source, cursor);
  else check(source);
  return 0;
};

// beginSession makes a woken library a session's.
native.beginSession = () => {
  env.beginProcess();
  env.argv = ['/usr/bin/node'];
  env.require('internal/process/pre_execution').prepareMainThreadExecution();
  const { addBuiltinLibsToObject } = env.require('internal/modules/helpers');
  addBuiltinLibsToObject(globalThis, '<REPL>');
  const { Module } = env.require('internal/modules/cjs/loader');
  const module = new Module('<repl>');
  module.paths = Module._nodeModulePaths(process.cwd());
  module.filename = `${process.cwd()}/<repl>`;
  globalThis.module = module;
  globalThis.exports = module.exports;
  globalThis.require = env.require('internal/modules/helpers').makeRequireFunction(module);
  globalThis.display = (...values) => { for (const value of values) native.emit(DISPLAY, ...bundle(value)); };
  native.watchSignal(2, 1);
  watchStdin();
  return 0;
};

// What two copies of a session may not share is made anew.
env.copied = () => {
  env.reseed();
  const { map } = env.require('internal/bootstrap/realm').BuiltinModule, random = map.get('internal/crypto/random');
  if (random.loaded) random.exports.forgetRandom();
  native.watchSignal(2, 1);
};
