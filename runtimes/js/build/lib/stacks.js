// Error stacks and what is said of an error that nothing has caught, in V8's words.
'use strict';

const { native, primordials } = env;
const { ErrorPrototypeToString, ArrayPrototypePush, SafeWeakMap } = primordials;

class CallSite {
  #name; #file; #line; #column; #flags;
  constructor(frames, i) {
    this.#name = frames[i]; this.#file = frames[i + 1]; this.#line = frames[i + 2];
    this.#column = frames[i + 3]; this.#flags = frames[i + 4];
  }
  getThis() { return undefined; }
  getTypeName() { return this.isToplevel() ? 'Object' : null; }
  getFunction() { return undefined; }
  getFunctionName() { return this.#name || null; }
  getMethodName() { return null; }
  getFileName() { return this.#file ?? undefined; }
  getLineNumber() { return this.#line > 0 ? this.#line : null; }
  getColumnNumber() { return this.#column > 0 ? this.#column : null; }
  getEvalOrigin() { return undefined; }
  getScriptNameOrSourceURL() { return this.#file ?? null; }
  getScriptHash() { return ''; }
  getEnclosingLineNumber() { return this.#line; }
  getEnclosingColumnNumber() { return this.#column; }
  getPosition() { return 0; }
  getPromiseIndex() { return null; }
  isToplevel() { return !this.#name; }
  isEval() { return false; }
  isNative() { return (this.#flags & 2) !== 0; }
  isConstructor() { return (this.#flags & 1) !== 0; }
  isAsync() { return false; }
  isPromiseAll() { return false; }
  isSyntax() { return (this.#flags & 8) !== 0; }
  toString() {
    let name = this.#name;
    if (name === '<eval>') name = '';
    const place = this.#file === null || this.#file === undefined ? '<anonymous>' :
      this.#line > 0 ? `${this.#file}:${this.#line}:${this.#column}` : this.#file;
    if (this.isConstructor()) return `new ${name || '<anonymous>'} (${place})`;
    return name ? `${name} (${place})` : place;
  }
}

env.callSites = (frames) => {
  const sites = [];
  for (let i = 0; frames && i + 4 < frames.length; i += 5) {
    // The library's own way of starting a program is no one's business.
    if (frames[i + 1] && frames[i + 1].startsWith('node:belljar/')) continue;
    ArrayPrototypePush(sites, new CallSite(frames, i));
  }
  return sites;
};

function header(error) {
  try {
    return ErrorPrototypeToString(error);
  } catch {
    return 'Error';
  }
}

// Where syntax errors stand, beside them: a property that came to an error while its stack is written would move what is written.
const places = new SafeWeakMap();

let formatting = 0;
env.stackOf = (error, frames) => {
  const sites = env.callSites(frames);
  // A syntax error stands in a file, not in a function.
  if (sites.length > 0 && sites[0].isSyntax()) {
    const site = sites.shift();
    places.set(error, arrow(site.getFileName(), site.getLineNumber(), site.getColumnNumber()));
    if (env.prepareStackTrace === undefined) sites.unshift(site);
  }
  if (env.prepareStackTrace !== undefined && formatting < 3) {
    formatting++;
    try {
      return env.prepareStackTrace(globalThis, error, sites);
    } finally {
      formatting--;
    }
  }
  let text = header(error);
  for (let i = 0; i < sites.length; i++) text += `\n    at ${sites[i].toString()}`;
  return text;
};
native.setHook('stack', (error, frames) => {
  if (!env.capturing) return env.stackOf(error, frames);
  env.capturing = false; // whatever runs from here on is another's
  env.captured = frames ?? [];
  return '';
});

// arrow shows a place in a file, as "file:line", the line, and a mark below the column.
function arrow(file, line, column) {
  if (!file || !(line > 0)) return undefined;
  let text = env.sourceOf?.(file);
  if (text === undefined && file[0] === '/') text = env.readText(file);
  if (text === undefined && file.startsWith('file://')) text = env.readText(decodeURIComponent(file.slice(7)));
  const shown = text?.split('\n')[line - 1];
  if (shown === undefined) return undefined;
  const before = shown.slice(0, Math.max(0, column - 1)).replace(/[^\t]/g, ' ');
  return `${file}:${line}\n${shown}\n${before}^\n`;
}
env.arrow = arrow;

// Sources that are in no file, by the names that they were compiled under.
const sources = new primordials.SafeMap();
env.keepSource = (name, text) => { sources.set(name, text); };
env.sourceOf = (name) => sources.get(name);

env.errorPlace = (error) => {
  if (typeof error !== 'object' || error === null) return undefined;
  try {
    // Looking at the stack is what writes it, and a syntax error's place with it.
    void error.stack;
    const known = error[env.privateSymbols.arrow_message_private_symbol] ?? places.get(error);
    if (known !== undefined) return known;
    if (env.binding('types').isNativeError(error) && typeof error.stack === 'string') {
      const match = /\n {4}at (?:.*\()?((?:file:\/\/|\/|\[eval|\[stdin|REPL)[^\n]*?):(\d+):(\d+)\)?(?:\n|$)/.exec(error.stack);
      if (match && !/\n {4}at [^\n]*node:internal/.test(error.stack.slice(0, match.index))) {
        return arrow(match[1], +match[2], +match[3]);
      }
      const first = /\n {4}at (?:.*\()?(node:[^\n]*?):(\d+):(\d+)\)?(?:\n|$)/.exec(error.stack);
      if (first) {
        const text = native.source(first[1].slice(5))?.split('\n')[first[2] - 1];
        if (text !== undefined) return `${first[1]}:${first[2]}\n${text}\n${' '.repeat(first[3] - 1)}^\n`;
      }
    }
  } catch {
    // An error that can't be looked at has no place.
  }
  return undefined;
};
