// messaging: structured clones, ports and channels within the one thread, and blobs.
'use strict';

const { native, bindings, primordials, perIsolateSymbols, privateSymbols, process } = env;
const { classOf, classes: C } = native;

const DOM = () => env.require('internal/util').lazyDOMException ?? undefined;
function cloneError(text) {
  const { DOMException } = env.perContext;
  return new (domException())(text, 'DataCloneError');
}
const domException = () => env.perContext.DOMException ?? env.binding('messaging').DOMException_;

const describe = (v) => {
  try { return typeof v === 'symbol' ? v.toString() : typeof v === 'function' ? Function.prototype.toString.call(v) : `#<${v.constructor?.name ?? 'Object'}>`; } catch { return '#<Object>'; }
};

const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

function clone(value, transfer) {
  const seen = new Map();
  const moved = new Set(transfer);
  const visit = (v) => {
    if (typeof v === 'symbol' || typeof v === 'function') throw cloneError(`${describe(v)} could not be cloned.`);
    if (typeof v !== 'object' || v === null) return v;
    if (seen.has(v)) return seen.get(v);
    const keep = (made) => { seen.set(v, made); return made; };
    switch (classOf(v)) {
      case C.Boolean: return keep(Object(Boolean.prototype.valueOf.call(v)));
      case C.Number: return keep(Object(Number.prototype.valueOf.call(v)));
      case C.String: return keep(Object(String.prototype.valueOf.call(v)));
      case C.BigInt: return keep(Object(BigInt.prototype.valueOf.call(v)));
      case C.Date: return keep(new Date(Date.prototype.getTime.call(v)));
      case C.RegExp: return keep(new RegExp(v.source, v.flags));
      case C.ArrayBuffer: {
        if (native.isDetached(v)) throw cloneError('An ArrayBuffer is detached and could not be cloned.');
        if (!moved.has(v)) return keep(v.resizable ? copyResizable(v) : v.slice(0));
        return keep(v.transfer());
      }
      case C.SharedArrayBuffer: return v;
      case C.Map: {
        const made = keep(new Map());
        for (const [k, x] of [...Map.prototype.entries.call(v)]) made.set(visit(k), visit(x));
        return made;
      }
      case C.Set: {
        const made = keep(new Set());
        for (const x of [...Set.prototype.values.call(v)]) made.add(visit(x));
        return made;
      }
      case C.Error: {
        const name = Object.hasOwn(ERRORS, v.name) ? v.name : 'Error';
        const made = keep(Object.create(ERRORS[name].prototype));
        const real = new ERRORS[name](Object.hasOwn(v, 'message') ? String(v.message) : undefined, Object.hasOwn(v, 'cause') ? { cause: visit(v.cause) } : undefined);
        seen.set(v, real);
        Object.defineProperty(real, 'stack', { value: v.stack, writable: true, configurable: true, enumerable: false });
        return real;
      }
      case C.WeakMap: case C.WeakSet: case C.WeakRef: case C.Promise: case C.Generator:
        throw cloneError(`${describe(v)} could not be cloned.`);
      case C.Array: {
        const made = keep(new Array(v.length));
        for (const key of Object.keys(v)) made[key] = visit(v[key]);
        return made;
      }
      case C.Proxy: throw cloneError(`${describe(v)} could not be cloned.`);
      default:
    }
    if (ArrayBuffer.isView(v)) {
      const buffer = visit(v.buffer);
      const kind = v instanceof DataView ? DataView : globalThis[Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get.call(v)];
      return keep(kind === DataView ? new DataView(buffer, v.byteOffset, v.byteLength) : new kind(buffer, v.byteOffset, v.length));
    }
    if (v instanceof MessagePort) {
      if (!moved.has(v)) throw transferError(v);
      return keep(v.move());
    }
    const mode = v[privateSymbols.transfer_mode_private_symbol];
    if (mode !== undefined) {
      if (moved.has(v) && v[perIsolateSymbols.messaging_transfer_symbol]) {
        const { data, deserializeInfo } = v[perIsolateSymbols.messaging_transfer_symbol]();
        return keep(revive(deserializeInfo, visit(data)));
      }
      if (mode & 2 && v[perIsolateSymbols.messaging_clone_symbol]) {
        const { data, deserializeInfo } = v[perIsolateSymbols.messaging_clone_symbol]();
        return keep(revive(deserializeInfo, visit(data)));
      }
      throw cloneError(`${describe(v)} could not be cloned.`);
    }
    if (env.isKey(v)) return keep(env.copyKey(v));
    if (JSTransferable.is(v)) {
      if (typeof v[perIsolateSymbols.messaging_clone_symbol] !== 'function') throw cloneError(`${describe(v)} could not be cloned.`);
      const { data, deserializeInfo } = v[perIsolateSymbols.messaging_clone_symbol]();
      return keep(revive(deserializeInfo, data.handle === undefined ? visit(data) : data)); // a handle is the copy's, too
    }
    const made = keep({});
    for (const key of Object.keys(v)) made[key] = visit(v[key]);
    return made;
  };
  for (const t of moved) {
    if (!(t instanceof MessagePort) && classOf(t) !== C.ArrayBuffer && t?.[privateSymbols.transfer_mode_private_symbol] === undefined) {
      throw new (domException())('Value not transferable', 'DataCloneError');
    }
  }
  for (const t of moved) if (classOf(t) === C.ArrayBuffer && native.isLasting(t)) throw cloneError('An ArrayBuffer is not detachable and could not be cloned.');
  const result = visit(value);
  for (const t of moved) if (classOf(t) === C.ArrayBuffer && !native.isDetached(t)) native.detach(t);
  return result;
}

function copyResizable(v) {
  const made = new ArrayBuffer(v.byteLength, { maxByteLength: v.maxByteLength });
  new Uint8Array(made).set(new Uint8Array(v));
  return made;
}
const transferError = () => {
  const { codes: { ERR_MISSING_TRANSFERABLE_IN_TRANSFER_LIST } } = env.require('internal/errors');
  return new ERR_MISSING_TRANSFERABLE_IN_TRANSFER_LIST();
};

class JSTransferable {
  #made = true;
  static is(object) { return #made in object; }
}
let createObject;
function revive(info, data) {
  const object = createObject(info);
  object[perIsolateSymbols.messaging_deserialize_symbol](data);
  return object;
}

// ---- ports: objects whose methods Node's library adds.

class MessagePort {
  constructor() {
    const { codes: { ERR_CONSTRUCT_CALL_INVALID } } = env.require('internal/errors');
    throw new ERR_CONSTRUCT_CALL_INVALID();
  }
}
function makePort() {
  const port = Object.create(MessagePort.prototype);
  states.set(port, { queue: [], peer: undefined, started: false, refed: false, closed: false });
  port[perIsolateSymbols.oninit_symbol]?.();
  return port;
}
const states = new WeakMap();
Object.assign(MessagePort.prototype, {
  postMessage(value, options) {
    if (arguments.length === 0) {
      const { codes: { ERR_MISSING_ARGS } } = env.require('internal/errors');
      throw new ERR_MISSING_ARGS('message');
    }
    const s = states.get(this);
    const transfer = Array.isArray(options) ? options : options?.transfer ?? [];
    const copy = clone(value, transfer);
    const peer = s?.peer && states.get(s.peer);
    if (!peer || peer.closed) return;
    peer.queue.push(copy);
    if (peer.started) deliver(s.peer);
  },
  start() {
    const s = states.get(this);
    if (!s || s.started) return;
    s.started = true;
    if (s.queue.length > 0) deliver(this);
  },
  stop() { const s = states.get(this); if (s) s.started = false; },
  drain() { flush(this); },
  ref() { const s = states.get(this); if (s && !s.handle && !s.closed) { s.handle = env.pollEvery(() => {}, 1e9, undefined); } },
  unref() { const s = states.get(this); if (s?.handle) { env.pollStop(s.handle); s.handle = undefined; } },
  hasRef() { return states.get(this)?.handle !== undefined; },
  close() {
    const s = states.get(this);
    if (!s || s.closed) return;
    s.closed = true;
    MessagePort.prototype.unref.call(this);
    env.closeLater(() => {
      env.call(this, this[perIsolateSymbols.handle_onclose_symbol]);
      if (s.peer) MessagePort.prototype.close.call(s.peer);
    });
  },
  getAsyncId() { return 0; },
  move() {
    const s = states.get(this), made = makePort(), t = states.get(made);
    t.queue = s.queue;
    t.peer = s.peer;
    if (t.peer) states.get(t.peer).peer = made;
    s.closed = true;
    s.peer = undefined;
    return made;
  },
});
for (const key of Object.keys(MessagePort.prototype)) Object.defineProperty(MessagePort.prototype, key, { enumerable: false });

function deliver(port) {
  const s = states.get(port);
  if (s.due) return;
  s.due = true;
  env.complete(() => { s.due = false; flush(port); });
}
function flush(port) {
  const s = states.get(port);
  for (let n = s.queue.length; n > 0 && s.started && s.queue.length > 0; n--) {
    const message = s.queue.shift();
    env.call(port, port.emitMessage ?? env.perContext.emitMessage, message, [], 'message');
  }
}

class MessageChannel {
  constructor() {
    this.port1 = makePort();
    this.port2 = makePort();
    states.get(this.port1).peer = this.port2;
    states.get(this.port2).peer = this.port1;
  }
}

bindings.messaging = () => ({
  get DOMException() { return domException(); },
  MessageChannel, MessagePort, JSTransferable,
  setDeserializerCreateFunction(f) { createObject = f; }, setDeserializerCreateObjectFunction(f) { createObject = f; },
  stopMessagePort(port) { states.get(port).started = false; }, checkMessagePort: (port) => states.has(port),
  drainMessagePort: (port) => flush(port), moveMessagePortToContext: (port) => port,
  receiveMessageOnPort(port) {
    const s = states.get(port);
    return s?.queue.length > 0 ? s.queue.shift() : perIsolateSymbols.no_message_symbol;
  },
  broadcastChannel(name) {
    const port = makePort(), s = states.get(port);
    const set = channels.get(name) ?? new Set();
    channels.set(name, set.add(port));
    port.postMessage = function(value) {
      for (const other of set) if (other !== port && !states.get(other).closed) {
        states.get(other).queue.push(clone(value, []));
        if (states.get(other).started) deliver(other);
      }
      return true;
    };
    return port;
  },
  exposeLazyDOMExceptionProperty(target) {
    Object.defineProperty(target, 'DOMException', { configurable: true, enumerable: false, get() { return domException(); }, set(v) {
      Object.defineProperty(target, 'DOMException', { value: v, configurable: true, writable: true, enumerable: false }); } });
  },
  structuredClone(value, options) {
    if (arguments.length === 0) {
      const { codes: { ERR_MISSING_ARGS } } = env.require('internal/errors');
      throw new ERR_MISSING_ARGS('The "value" argument must be specified');
    }
    if (options !== undefined && options !== null && typeof options !== 'object') {
      const { codes: { ERR_INVALID_ARG_TYPE } } = env.require('internal/errors');
      throw new ERR_INVALID_ARG_TYPE('options', ['Object', 'null', 'undefined'], options);
    }
    return clone(value, options?.transfer ?? []);
  },
});
const channels = new Map();

// ---- blobs

class BlobHandle {
  constructor(parts) { this.bytes = parts; }
  getReader() {
    let done = false;
    return { pull: (f) => {
      if (done) return f(0, undefined, undefined);
      done = true;
      f(1, this.bytes.buffer.slice(this.bytes.byteOffset, this.bytes.byteOffset + this.bytes.byteLength), undefined);
      return undefined;
    } };
  }
  slice(start, end) { return new BlobHandle(this.bytes.slice(start, end)); }
}
const asBytes = (x) => x instanceof BlobHandle ? x.bytes : ArrayBuffer.isView(x) ? new Uint8Array(x.buffer, x.byteOffset, x.byteLength) : new Uint8Array(x);
const join = (list) => {
  let size = 0;
  for (const b of list) size += b.length;
  const all = new Uint8Array(size);
  let at = 0;
  for (const b of list) { all.set(b, at); at += b.length; }
  return all;
};
const urls = new Map();
bindings.blob = () => ({
  createBlob: (sources) => new BlobHandle(join(sources.map((s) => asBytes(Array.isArray(s) ? s[0] : s)))),
  concat: (list) => join(list.map(asBytes)).buffer,
  createBlobFromFilePath(path) {
    const bytes = native.readFile(path);
    return typeof bytes === 'number' ? undefined : [new BlobHandle(bytes), bytes.length];
  },
  storeDataObject(id, handle, length, type) { urls.set(id, [handle, length, type]); },
  getDataObject: (id) => urls.get(id), revokeObjectURL(url) { urls.delete(url.split(':').at(-1)); },
});
