// The bindings of files: fs, fs_dir, fs_event_wrap. Every call is made at once; what asks for a callback or a promise
// hears of it in the loop's next turn.
'use strict';

const { native, process, bindings, perIsolateSymbols, primordials } = env;
const { ArrayPrototypeSort, ReflectApply, RegExpPrototypeExec, StringPrototypeLastIndexOf, StringPrototypeReplace, StringPrototypeSlice,
  TypedArrayPrototypeSlice, Promise: PromiseCtor } = primordials;

const kUsePromises = perIsolateSymbols.fs_use_promises_symbol;
const FIELDS = 18;
const statValues = env.words(Float64Array, 2 * FIELDS), bigintStatValues = env.words(BigInt64Array, 2 * FIELDS);

const pathOf = (p) => {
  if (typeof p === 'string') return p;
  return native.textOf(p, 1);
};

function exception(code, syscall, path, dest) {
  const { UVException } = env.require('internal/errors');
  return new UVException({ errno: code, syscall, code: env.errorName(code), path, dest });
}
env.exception = exception;

class Failure {
  constructor(code, syscall, path, dest) { this.code = code; this.syscall = syscall; this.path = path; this.dest = dest; }
}
const check = (result, syscall, path, dest) => {
  if (typeof result === 'number' && result < 0) throw new Failure(result, syscall, path, dest);
  return result;
};

// How a call ends: `at` is the place of the request among the arguments.
function operation(at, f) {
  return function(...args) {
    const req = args[at];
    if (req === undefined || req === null || typeof req === 'boolean') {
      const ctx = args[at + 1];
      try {
        return ReflectApply(f, undefined, args);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        if (ctx !== null && typeof ctx === 'object') {
          ctx.errno = error.code;
          ctx.code = env.errorName(error.code);
          ctx.syscall = error.syscall;
          if (error.path !== undefined) ctx.path = error.path;
          if (error.dest !== undefined) ctx.dest = error.dest;
          return undefined;
        }
        throw exception(error.code, error.syscall, error.path, error.dest);
      }
    }
    const done = start(f, args);
    if (req === kUsePromises) {
      return new PromiseCtor((resolve, reject) => {
        env.complete(() => {
          if (done.error) reject(done.error); else resolve(done.value);
          env.settle();
        });
      });
    }
    env.complete(() => {
      if (done.error) env.call(req, req.oncomplete, done.error);
      else if (done.value === undefined) env.call(req, req.oncomplete, null);
      else env.call(req, req.oncomplete, null, done.value);
    });
    return undefined;
  };
}

function start(f, args) {
  try {
    let value = ReflectApply(f, undefined, args);
    if (value === statValues || value === bigintStatValues) value = TypedArrayPrototypeSlice(value);
    return { value };
  } catch (error) {
    if (error instanceof Failure) return { error: exception(error.code, error.syscall, error.path, error.dest) };
    return { error };
  }
}

const text = (value, encoding) => (encoding === 'buffer' ? env.bufferOf(native.bytesOf(value, 1)) :
  encoding === undefined || encoding === null || encoding === 'utf8' || encoding === 'utf-8' ? value :
    env.textOf(native.bytesOf(value, 1), encoding));

const statArray = (big) => (big ? bigintStatValues : statValues);
const positionOf = (p) => (p === null || p === undefined || p === -1 || p === -1n ? -1 : Number(p));

// Programs may have put methods of their own into prototypes: paths are taken apart without.
function withoutSlashes(path) {
  let end = path.length;
  while (end > 0 && path[end - 1] === '/') end--;
  return StringPrototypeSlice(path, 0, end);
}
function parentOf(path) {
  const bare = withoutSlashes(path), at = StringPrototypeLastIndexOf(bare, '/');
  return (at < 0 ? bare : StringPrototypeSlice(bare, 0, at)) || (path[0] === '/' ? '/' : '.');
}
// nextName answers the name that begins at a place of a path, after slashes.
function nextName(path, at) {
  while (path[at] === '/') at++;
  let end = at;
  while (end < path.length && path[end] !== '/') end++;
  return StringPrototypeSlice(path, at, end);
}

// mkdirp answers the first folder that it has made.
function mkdirp(path, mode) {
  let first, at = path;
  for (;;) {
    const result = native.mkdir(at, mode);
    if (result === 0) {
      first ??= at;
      if (at === path) break;
      at = `${withoutSlashes(at)}/${nextName(path, at.length)}`;
      continue;
    }
    if (result === -2) {
      const up = parentOf(at);
      if (up === at) check(result, 'mkdir', path);
      at = up;
      continue;
    }
    if (native.kind(at) === 1) {
      if (at === path || at === withoutSlashes(path)) break;
      const rest = nextName(path, at === '.' ? 0 : at.length);
      if (!rest) break;
      at = at === '.' ? rest : `${withoutSlashes(at)}/${rest}`;
      continue;
    }
    check(result === -17 && at !== path ? -20 : result, 'mkdir', path);
  }
  return first === undefined ? undefined : env.require('path').resolve(first);
}

function writeAll(fd, bytes, position, syscall) {
  let total = 0;
  for (let i = 0; i < bytes.length; i++) {
    const b = bytes[i];
    const n = check(native.write(fd, b, 0, b.byteLength, position < 0 ? -1 : position + total), syscall);
    total += n;
    if (n < b.byteLength) break;
  }
  return total;
}

function copyFile(from, to, mode) {
  if (native.kind(from) === 1) check(-22, 'copyfile', from, to);
  const bytes = check(native.readFile(from), 'copyfile', from, to);
  native.stat(from, statValues);
  const perm = statValues[1] & 0o777;
  if (native.kind(to) === 1) check(-21, 'copyfile', from, to);
  const fd = check(native.open(to, 0o1 | 0o100 | 0o1000 | (mode & 1 ? 0o200 : 0), perm), 'copyfile', from, to);
  for (let at = 0; at < bytes.length;) at += check(native.write(fd, bytes, at, bytes.length - at, -1), 'copyfile', from, to);
  native.fchmod(fd, perm);
  native.close(fd);
}

class FSReqCallback {
  constructor(bigint) { this.bigint = bigint; }
  getAsyncId() { return 0; }
}

class FileHandle {
  #fd;
  constructor(fd) { this.#fd = fd; }
  get fd() { return this.#fd; }
  getAsyncId() { return 0; }
  close() {
    const fd = this.#fd;
    this.#fd = -1;
    const result = native.close(fd);
    return new PromiseCtor((resolve, reject) => {
      env.complete(() => {
        if (result < 0) reject(exception(result, 'close')); else resolve();
        env.settle();
      });
    });
  }
  releaseFD() { const fd = this.#fd; this.#fd = -1; return fd; }
  onread() {}
  readStart() { return env.fileReadStart?.(this) ?? 0; }
  readStop() { return 0; }
  shutdown() { return 0; }
}

class StatWatcher {
  constructor(bigint) { this.big = bigint; this.refed = true; }
  start(path, interval) {
    this.path = pathOf(path);
    this.last = this.look();
    this.poll = env.pollEvery(() => {
      const now = this.look();
      if (now.join() !== this.last.join()) {
        const both = new (this.big ? BigInt64Array : Float64Array)(2 * FIELDS);
        both.set(now);
        both.set(this.last, FIELDS);
        this.last = now;
        env.call(this, this.onchange, now[8] || now[7] ? 0 : -2, both);
      }
    }, interval, this);
    return 0;
  }
  look() {
    const a = new (this.big ? BigInt64Array : Float64Array)(FIELDS);
    if (native.stat(this.path, a) < 0) a.fill(this.big ? 0n : 0);
    return a;
  }
  close() { env.pollStop(this.poll); }
  ref() { this.refed = true; }
  unref() { this.refed = false; }
  hasRef() { return this.refed; }
  getAsyncId() { return 0; }
}

const opts = {
  access: operation(2, (p, mode) => { check(native.access(pathOf(p), mode), 'access', pathOf(p)); }),
  open: operation(3, (p, flags, mode) => check(native.open(pathOf(p), flags, mode), 'open', pathOf(p))),
  openFileHandle: operation(3, (p, flags, mode) => new FileHandle(check(native.open(pathOf(p), flags, mode), 'open', pathOf(p)))),
  close: operation(1, (fd) => { check(native.close(fd), 'close'); }),
  read: operation(5, (fd, b, off, len, pos) => check(native.read(fd, b, off, len, positionOf(pos)), 'read')),
  readBuffers: operation(3, (fd, list, pos) => {
    let total = 0;
    for (const b of list) {
      const n = check(native.read(fd, b, 0, b.byteLength, positionOf(pos) < 0 ? -1 : positionOf(pos) + total), 'read');
      total += n;
      if (n < b.byteLength) break;
    }
    return total;
  }),
  writeBuffer: operation(5, (fd, b, off, len, pos) => check(native.write(fd, b, off, len ?? b.byteLength - (off ?? 0), positionOf(pos)), 'write')),
  writeBuffers: operation(3, (fd, list, pos) => writeAll(fd, list, positionOf(pos), 'write')),
  writeString: operation(4, (fd, s, pos, encoding) => writeAll(fd, [env.bytesOf(s, encoding)], typeof pos === 'number' || typeof pos === 'bigint' ? positionOf(pos) : -1, 'write')),
  rename: operation(2, (a, b) => { check(native.rename(pathOf(a), pathOf(b)), 'rename', pathOf(a), pathOf(b)); }),
  ftruncate: operation(2, (fd, len) => { check(native.ftruncate(fd, len), 'ftruncate'); }),
  rmdir: operation(1, (p) => { check(native.rmdir(pathOf(p)), 'rmdir', pathOf(p)); }),
  fdatasync: operation(1, (fd) => { check(native.fsync(fd), 'fdatasync'); }),
  fsync: operation(1, (fd) => { check(native.fsync(fd), 'fsync'); }),
  mkdir: operation(3, (p, mode, recursive) => {
    if (recursive) return mkdirp(pathOf(p), mode);
    check(native.mkdir(pathOf(p), mode), 'mkdir', pathOf(p));
    return undefined;
  }),
  readdir: operation(3, (p, encoding, types) => {
    const list = check(native.readdir(pathOf(p)), 'scandir', pathOf(p));
    const names = [], kinds = [], pairs = [];
    for (let i = 0; i < list.length; i += 2) pairs[i / 2] = [list[i], list[i + 1]];
    ArrayPrototypeSort(pairs, (a, b) => (a[0] < b[0] ? -1 : 1));
    for (let i = 0; i < pairs.length; i++) {
      names[i] = text(pairs[i][0], encoding);
      kinds[i] = pairs[i][1];
    }
    return types ? [names, kinds] : names;
  }),
  readlink: operation(2, (p, encoding) => text(check(native.readlink(pathOf(p)), 'readlink', pathOf(p)), encoding)),
  realpath: operation(2, (p, encoding) => text(check(native.realpath(pathOf(p)), 'realpath', pathOf(p)), encoding)),
  symlink: operation(3, (to, p) => { check(native.symlink(pathOf(to), pathOf(p)), 'symlink', pathOf(to), pathOf(p)); }),
  link: operation(2, (a, b) => { check(native.link(pathOf(a), pathOf(b)), 'link', pathOf(a), pathOf(b)); }),
  unlink: operation(1, (p) => { check(native.unlink(pathOf(p)), 'unlink', pathOf(p)); }),
  chmod: operation(2, (p, mode) => { check(native.chmod(pathOf(p), mode), 'chmod', pathOf(p)); }),
  fchmod: operation(2, (fd, mode) => { check(native.fchmod(fd, mode), 'fchmod'); }),
  chown: operation(3, (p, u, g) => { check(native.chown(pathOf(p), u, g), 'chown', pathOf(p)); }),
  lchown: operation(3, (p, u, g) => { check(native.lchown(pathOf(p), u, g), 'lchown', pathOf(p)); }),
  fchown: operation(3, (fd, u, g) => { check(native.fchown(fd, u, g), 'fchown'); }),
  utimes: operation(3, (p, a, m) => { check(native.utimes(pathOf(p), a, m), 'utime', pathOf(p)); }),
  lutimes: operation(3, (p, a, m) => { check(native.lutimes(pathOf(p), a, m), 'lutime', pathOf(p)); }),
  futimes: operation(3, (fd, a, m) => { check(native.futimes(fd, a, m), 'futime'); }),
  copyFile: operation(3, (a, b, mode) => copyFile(pathOf(a), pathOf(b), mode)),
  mkdtemp: operation(2, (prefix, encoding) => text(check(native.mkdtemp(`${pathOf(prefix)}XXXXXX`), 'mkdtemp', `${pathOf(prefix)}XXXXXX`), encoding)),
  statfs: operation(2, (p, big) => {
    check(native.kind(pathOf(p)), 'statfs', pathOf(p));
    const values = [0x01021994, 4096, 2 ** 18, 2 ** 17, 2 ** 17, 2 ** 20, 2 ** 19];
    return big ? BigInt64Array.from(values, BigInt) : Float64Array.from(values);
  }),
};

// stat's own way: what isn't there may be no error.
const statLike = (name, call, isPath) => function(p, big, req, quiet) {
  const target = isPath ? pathOf(p) : p;
  const run = () => { check(call(target, statArray(big)), name, isPath ? target : undefined); return statArray(big); };
  if (req === undefined) {
    const result = call(target, statArray(big));
    if (result === 0) return statArray(big);
    if (name === 'fstat' ? quiet === true : quiet === false && (result === -2 || result === -20)) return undefined;
    throw exception(result, name, isPath ? target : undefined);
  }
  return operation(2, run)(p, big, req);
};

function readJSON(path) {
  const bytes = native.readFile(pathOf(path));
  if (typeof bytes === 'number') return [];
  const content = native.decodeUtf8(bytes, false, false);
  return [content, RegExpPrototypeExec(/"(main|name|type|exports|imports)"/, content) !== null];
}

bindings.fs = () => ({
  ...opts, FSReqCallback, FileHandle, StatWatcher, kUsePromises, kFsStatsFieldsNumber: FIELDS, statValues, bigintStatValues,
  stat: statLike('stat', native.stat, true), lstat: statLike('lstat', native.lstat, true),
  fstat: statLike('fstat', native.fstat, false),
  existsSync: (p) => native.access(pathOf(p), 0) === 0,
  readFileUtf8(p, flags) {
    if (typeof p === 'number') {
      const bytes = native.readFile(p);
      if (typeof bytes === 'number') throw exception(bytes, 'read');
      return native.decodeUtf8(bytes, true, false);
    }
    const path = pathOf(p);
    if (flags !== 0) native.close(Math.max(-1, native.open(path, flags, 0o666)));
    const bytes = native.readFile(path);
    if (typeof bytes === 'number') throw bytes === -21 ? exception(bytes, 'read') : exception(bytes, 'open', path);
    return native.decodeUtf8(bytes, true, false);
  },
  writeFileUtf8(p, data, flag, mode) {
    const own = typeof p !== 'number';
    const fd = own ? native.open(pathOf(p), flag, mode) : p;
    if (fd < 0) throw exception(fd, 'open', own ? pathOf(p) : undefined);
    const result = native.writeText(fd, data);
    if (own) native.close(fd);
    if (result < 0) throw exception(result, 'write');
  },
  internalModuleStat: (a, b) => { const k = native.kind(typeof a === 'string' ? a : b); return k < 0 ? -2 : k; },
  internalModuleReadJSON: readJSON,
  getFormatOfExtensionlessFile: () => 0,
  legacyMainResolve(url, main, base) {
    const path = env.require('internal/url').fileURLToPath(new URL('.', url));
    const tries = main ? [main, `${main}.js`, `${main}.json`, `${main}.node`, `${main}/index.js`, `${main}/index.json`, `${main}/index.node`] : [];
    for (let i = 0; i < tries.length; i++) if (native.kind(StringPrototypeReplace(`${path}/${tries[i]}`, '//', '/')) === 0) return i;
    const rest = ['index.js', 'index.json', 'index.node'];
    for (let i = 0; i < 3; i++) if (native.kind(StringPrototypeReplace(`${path}/${rest[i]}`, '//', '/')) === 0) return 7 + i;
    const { codes: { ERR_MODULE_NOT_FOUND } } = env.require('internal/errors');
    throw new ERR_MODULE_NOT_FOUND(path, base, 'package');
  },
  rmSync: undefined, cpSyncCheckPaths: undefined,
});

env.readText = (path) => {
  const bytes = native.readFile(path);
  return typeof bytes === 'number' ? undefined : native.decodeUtf8(bytes, false, false);
};

// ---- folders, entry by entry

class DirHandle {
  constructor(list) { this.list = list; this.at = 0; }
  getAsyncId() { return 0; }
  read(encoding, size, req, ctx) {
    return operation(2, () => {
      if (this.at >= this.list.length) return null;
      const out = [];
      for (let i = 0; i < size && this.at < this.list.length; i++, this.at += 2) {
        out[out.length] = text(this.list[this.at], encoding);
        out[out.length] = this.list[this.at + 1];
      }
      return out;
    })(encoding, size, req, ctx);
  }
  close(req, ctx) { return operation(0, () => {})(req, ctx); }
}
const opendir = (p) => new DirHandle(check(native.readdir(pathOf(p)), 'opendir', pathOf(p)));
bindings.fs_dir = () => ({
  opendir: operation(2, opendir),
  opendirSync(p) {
    const list = native.readdir(pathOf(p));
    if (typeof list === 'number') throw exception(list, 'opendir', pathOf(p));
    return new DirHandle(list);
  },
});

// ---- fs.watch, by looking

class FSEvent {
  constructor() { this.refed = true; this.initialized = false; }
  start(path, persistent, recursive, encoding) {
    this.path = pathOf(path);
    if (native.kind(this.path) < 0) return -2;
    this.refed = persistent;
    this.recursive = recursive;
    this.encoding = encoding;
    this.last = this.look();
    this.initialized = true;
    this.poll = env.pollEvery(() => {
      const now = this.look();
      for (const [name, key] of now) {
        const before = this.last.get(name);
        if (before === undefined) this.tell('rename', name);
        else if (before !== key) this.tell('change', name);
      }
      for (const name of this.last.keys()) if (!now.has(name)) this.tell('rename', name);
      this.last = now;
    }, 50, this);
    return 0;
  }
  tell(type, name) { env.call(this, this.onchange, 0, type, text(name, this.encoding)); }
  look() {
    const all = new Map(), fields = new Float64Array(FIELDS);
    const key = (p) => (native.stat(p, fields) === 0 ? `${fields[8]} ${fields[12]} ${fields[13]} ${fields[7]}` : '');
    if (native.kind(this.path) !== 1) {
      const k = key(this.path);
      if (k !== '') all.set(this.path.replace(/.*\//, ''), k);
      return all;
    }
    const walk = (folder, prefix) => {
      const list = native.readdir(folder);
      for (let i = 0; typeof list !== 'number' && i < list.length; i += 2) {
        all.set(prefix + list[i], list[i + 1] === 2 ? 'folder' : key(`${folder}/${list[i]}`));
        if (this.recursive && list[i + 1] === 2) walk(`${folder}/${list[i]}`, `${prefix}${list[i]}/`);
      }
    };
    walk(this.path, '');
    return all;
  }
  close() { env.pollStop(this.poll); this.initialized = false; }
  ref() { this.refed = true; }
  unref() { this.refed = false; }
  hasRef() { return this.refed; }
  getAsyncId() { return 0; }
}
bindings.fs_event_wrap = () => ({ FSEvent });
