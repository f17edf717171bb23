// v8.Serializer and v8.Deserializer: V8's own format, version 15, so that files and pipes of other Nodes can be read, and
// node:test, whose runner reads its files' processes so.
'use strict';

const { native, bindings } = env;

const VERSION = 15;
const TYPES = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array,
  DataView, BigInt64Array, BigUint64Array];
const TAGS = 'bBCwWdDfF?qQ'; // of TYPES
const ERRORS = { '__proto__': null, 'EvalError': 'E', 'RangeError': 'R', 'ReferenceError': 'F', 'SyntaxError': 'S', 'TypeError': 'T',
  'URIError': 'U' };
const FLAGS = 'gimyusldv'; // l is of an engine that V8 has turned off
const code = (c) => c.charCodeAt(0);
const types = () => env.binding('types');
const invalid = () => new Error('Unable to deserialize cloned data.');
const bytesOf = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

class Serializer {
  #bytes = new Uint8Array(64); #at = 0; #ids = new Map(); #transferred = new Map(); #hostViews = false;
  #reserve(n) {
    if (this.#at + n <= this.#bytes.length) return;
    const more = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + n));
    more.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = more;
  }
  #byte(b) { this.#reserve(1); this.#bytes[this.#at++] = b; }
  #tag(c) { this.#byte(code(c)); }
  #varint(n) {
    let rest = BigInt(n);
    while (rest >= 128n) { this.#byte(Number(rest & 127n) | 128); rest >>= 7n; }
    this.#byte(Number(rest));
  }
  #raw(bytes) { this.#reserve(bytes.length); this.#bytes.set(bytes, this.#at); this.#at += bytes.length; }
  #double(d) { this.#raw(new Uint8Array(new Float64Array([d]).buffer)); }
  #clone(message) { return this._getDataCloneError(message); }

  writeHeader() { this.#byte(0xff); this.#byte(VERSION); }
  writeUint32(n) { this.#varint(n >>> 0); }
  writeUint64(high, low) { this.#varint((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)); }
  writeDouble(d) { this.#double(+d); }
  writeRawBytes(source) { this.#raw(source instanceof ArrayBuffer ? new Uint8Array(source) : bytesOf(source)); }
  transferArrayBuffer(id, buffer) { this.#transferred.set(buffer, id >>> 0); }
  _setTreatArrayBufferViewsAsHostObjects(on) { this.#hostViews = on; }
  releaseBuffer() {
    const out = env.bufferOf(this.#bytes.slice(0, this.#at));
    this.#at = 0;
    return out;
  }

  #string(s) {
    let wide = false;
    for (let i = 0; i < s.length && !wide; i++) wide = s.charCodeAt(i) > 255;
    if (!wide) {
      this.#tag('"');
      this.#varint(s.length);
      this.#reserve(s.length);
      for (let i = 0; i < s.length; i++) this.#bytes[this.#at++] = s.charCodeAt(i);
      return;
    }
    let size = 0; // two bytes each, and aligned to that
    for (let n = s.length * 2; ; n >>>= 7) { size++; if (n < 128) break; }
    if ((this.#at + 1 + size) % 2) this.#byte(0);
    this.#tag('c');
    this.#varint(s.length * 2);
    this.#reserve(s.length * 2);
    for (let i = 0; i < s.length; i++) {
      const c = s.charCodeAt(i);
      this.#bytes[this.#at++] = c & 255;
      this.#bytes[this.#at++] = c >> 8;
    }
  }
  #bigint(n) {
    let rest = n < 0n ? -n : n;
    const digits = [];
    for (; rest > 0n; rest >>= 64n) for (let i = 0n; i < 64n; i += 8n) digits.push(Number((rest >> i) & 255n));
    this.#varint(digits.length << 1 | (n < 0n ? 1 : 0));
    this.#raw(new Uint8Array(digits));
  }

  writeValue(value) {
    switch (typeof value) {
      case 'undefined': this.#tag('_'); return true;
      case 'boolean': this.#tag(value ? 'T' : 'F'); return true;
      case 'number':
        if (Number.isInteger(value) && !Object.is(value, -0) && value >= -(2 ** 31) && value < 2 ** 31) {
          this.#tag('I');
          this.#varint(value >= 0 ? value * 2 : -value * 2 - 1); // zigzag
        } else {
          this.#tag('N');
          this.#double(value);
        }
        return true;
      case 'bigint': this.#tag('Z'); this.#bigint(value); return true;
      case 'string': this.#string(value); return true;
      case 'object':
        if (value === null) { this.#tag('0'); return true; }
        this.#object(value);
        return true;
    }
    throw this.#clone(`${typeof value === 'symbol' ? value.toString() : value} could not be cloned.`);
  }

  #object(o) {
    const known = this.#ids.get(o), t = types();
    if (known !== undefined) { this.#tag('^'); this.#varint(known); return; }
    if (ArrayBuffer.isView(o) && !this.#hostViews) this.#object(o.buffer);
    this.#ids.set(o, this.#ids.size);
    if (ArrayBuffer.isView(o)) this.#hostViews ? this.#host(o) : this.#view(o);
    else if (Array.isArray(o)) this.#array(o);
    else if (t.isDate(o)) { this.#tag('D'); this.#double(Date.prototype.getTime.call(o)); }
    else if (t.isBoxedPrimitive(o)) this.#boxed(o);
    else if (t.isRegExp(o)) {
      this.#tag('R');
      this.#string(o.source);
      this.#varint([...o.flags].reduce((bits, f) => bits | 1 << FLAGS.indexOf(f), 0));
    } else if (t.isMap(o)) {
      const all = [];
      Map.prototype.forEach.call(o, (v, k) => { all.push(k, v); });
      this.#tag(';');
      for (const v of all) this.writeValue(v);
      this.#tag(':');
      this.#varint(all.length);
    } else if (t.isSet(o)) {
      const all = [];
      Set.prototype.forEach.call(o, (v) => { all.push(v); });
      this.#tag("'");
      for (const v of all) this.writeValue(v);
      this.#tag(',');
      this.#varint(all.length);
    } else if (t.isAnyArrayBuffer(o)) this.#buffer(o);
    else if (t.isNativeError(o)) this.#error(o);
    else if (typeof o === 'function' || t.isProxy(o) || t.isPromise(o) || t.isWeakMap(o) || t.isWeakSet(o) || t.isGeneratorObject(o)) {
      throw this.#clone(`${t.isProxy(o) || t.isPromise(o) || t.isWeakMap(o) || t.isWeakSet(o) || t.isGeneratorObject(o) ? `#<${o.constructor?.name}>` : o} could not be cloned.`);
    } else {
      this.#tag('o');
      this.#varint2('{', this.#properties(o, Object.keys(o)));
    }
  }
  #varint2(end, count) { this.#tag(end); this.#varint(count); }
  #properties(o, keys) {
    let count = 0;
    for (const key of keys) {
      if (!Object.hasOwn(o, key)) continue;
      const n = Number(key);
      this.writeValue(String(n >>> 0) === key && n < 2 ** 32 - 1 ? n : key);
      this.writeValue(o[key]);
      count++;
    }
    return count;
  }
  #array(a) {
    const { length } = a, keys = Object.keys(a);
    let dense = 0;
    while (dense < length && Object.hasOwn(a, dense)) dense++;
    if (dense === length) {
      this.#tag('A');
      this.#varint(length);
      for (let i = 0; i < length; i++) i in a ? this.writeValue(a[i]) : this.#tag('-');
      this.#varint2('$', this.#properties(a, keys.slice(length)));
    } else {
      this.#tag('a');
      this.#varint(length);
      this.#varint2('@', this.#properties(a, keys));
    }
    this.#varint(length);
  }
  #boxed(o) {
    const v = o.valueOf();
    if (typeof v === 'symbol') throw this.#clone('Object could not be cloned.');
    if (typeof v === 'boolean') return this.#tag(v ? 'y' : 'x');
    if (typeof v === 'number') { this.#tag('n'); return this.#double(v); }
    if (typeof v === 'bigint') { this.#tag('z'); return this.#bigint(v); }
    this.#tag('s');
    return this.#string(v);
  }
  #buffer(b) {
    const id = this.#transferred.get(b);
    if (id !== undefined) { this.#tag('t'); this.#varint(id); return; }
    if (types().isSharedArrayBuffer(b)) {
      if (typeof this._getSharedArrayBufferId !== 'function') throw this.#clone('#<SharedArrayBuffer> could not be cloned.');
      this.#tag('u');
      this.#varint(this._getSharedArrayBufferId(b));
      return;
    }
    this.#tag('B');
    this.#varint(b.byteLength);
    this.#raw(new Uint8Array(b));
  }
  #view(v) {
    const i = TYPES.findIndex((T) => v instanceof T);
    this.#tag('V');
    this.#tag(TAGS[i]);
    this.#varint(v.byteOffset);
    this.#varint(v.byteLength);
    this.#varint(0);
  }
  #host(o) {
    this.#tag('\\');
    if (typeof this._writeHostObject !== 'function') {
      const { codes: { ERR_METHOD_NOT_IMPLEMENTED } } = env.require('internal/errors');
      throw new ERR_METHOD_NOT_IMPLEMENTED('_writeHostObject()');
    }
    this._writeHostObject(o);
  }
  #error(e) {
    this.#tag('r');
    const kind = ERRORS[e.name];
    if (kind) this.#tag(kind);
    const message = Object.getOwnPropertyDescriptor(e, 'message')?.value, { stack } = e;
    if (message !== undefined) { this.#tag('m'); this.#string(String(message)); }
    if (Object.hasOwn(e, 'cause')) { this.#tag('c'); this.writeValue(e.cause); }
    if (typeof stack === 'string') { this.#tag('s'); this.#string(stack); }
    this.#tag('.');
  }
}

class Deserializer {
  #bytes; #at = 0; #objects = []; #version = 0; #transferred = new Map();
  constructor(buffer) {
    if (!ArrayBuffer.isView(buffer)) {
      const { codes: { ERR_INVALID_ARG_TYPE } } = env.require('internal/errors');
      throw new ERR_INVALID_ARG_TYPE('buffer', ['Buffer', 'TypedArray', 'DataView'], buffer);
    }
    this.buffer = buffer;
    this.#bytes = bytesOf(buffer);
  }
  #byte() {
    if (this.#at >= this.#bytes.length) throw invalid();
    return this.#bytes[this.#at++];
  }
  #tag() {
    let b;
    do b = this.#byte(); while (b === 0); // padding
    return String.fromCharCode(b);
  }
  #peek() {
    while (this.#bytes[this.#at] === 0) this.#at++;
    return String.fromCharCode(this.#bytes[this.#at]);
  }
  #long() {
    let n = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const b = this.#byte();
      n |= BigInt(b & 127) << shift;
      if (b < 128) return n;
    }
    throw invalid();
  }
  #varint() { return Number(this.#long() & 0xffffffffn); }
  #raw(n) {
    if (n > this.#bytes.length - this.#at) throw invalid();
    this.#at += n;
    return this.#bytes.subarray(this.#at - n, this.#at);
  }
  #double() { return new Float64Array(this.#raw(8).slice().buffer)[0]; }
  #keep(o) { this.#objects.push(o); return o; }

  readHeader() {
    const [mark, version] = this.#bytes;
    if (mark !== 0xff || !(version >= 13 && version <= VERSION)) {
      throw new Error('Unable to deserialize cloned data due to invalid or unsupported version.');
    }
    this.#version = version;
    this.#at = 2;
    return true;
  }
  getWireFormatVersion() { return this.#version; }
  transferArrayBuffer(id, buffer) { this.#transferred.set(id, buffer); }
  readUint32() { return this.#varint(); }
  readUint64() { const n = this.#long(); return [Number((n >> 32n) & 0xffffffffn), Number(n & 0xffffffffn)]; }
  readDouble() { return this.#double(); }
  _readRawBytes(n) { const { length } = this.#raw(n); return this.#at - length; }

  #string(tag) {
    if (tag === 'S') return env.require('buffer').Buffer.from(this.#raw(this.#varint())).toString();
    const bytes = this.#raw(this.#varint());
    let text = '';
    if (tag === '"') for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]);
    else if (tag === 'c') for (let i = 0; i + 1 < bytes.length; i += 2) text += String.fromCharCode(bytes[i] | bytes[i + 1] << 8);
    else throw invalid();
    return text;
  }
  #bigint() {
    const bits = this.#varint(), bytes = this.#raw(bits >> 1);
    let n = 0n;
    for (let i = bytes.length - 1; i >= 0; i--) n = n << 8n | BigInt(bytes[i]);
    return bits & 1 ? -n : n;
  }

  readValue() {
    const tag = this.#tag();
    switch (tag) {
      case '_': return undefined;
      case '0': return null;
      case 'T': return true;
      case 'F': return false;
      case 'I': { const n = this.#varint(); return n >>> 1 ^ -(n & 1); }
      case 'U': return this.#varint();
      case 'N': return this.#double();
      case 'Z': return this.#bigint();
      case '"': case 'c': case 'S': return this.#string(tag);
      case '^': {
        const id = this.#varint();
        if (id >= this.#objects.length) throw invalid();
        return this.#view(this.#objects[id]);
      }
      case 'o': return this.#properties(this.#keep({}), '{');
      case 'A': return this.#array(true);
      case 'a': return this.#array(false);
      case 'D': return this.#keep(new Date(this.#double()));
      case 'y': return this.#keep(Object(true));
      case 'x': return this.#keep(Object(false));
      case 'n': return this.#keep(Object(this.#double()));
      case 'z': return this.#keep(Object(this.#bigint()));
      case 's': return this.#keep(Object(this.#string(this.#tag())));
      case 'R': {
        const source = this.#string(this.#tag()), bits = this.#varint();
        if (bits >> FLAGS.length || bits & 1 << FLAGS.indexOf('l')) throw invalid();
        return this.#keep(new RegExp(source, [...FLAGS].filter((f, i) => bits & 1 << i).join('')));
      }
      case ';': case "'": return this.#collection(tag);
      case 'B': { const bytes = this.#raw(this.#varint()); return this.#view(this.#keep(bytes.slice().buffer)); }
      case 't': { const b = this.#transferred.get(this.#varint()); if (b === undefined) throw invalid(); return this.#view(this.#keep(b)); }
      case 'r': return this.#error();
      case '\\': {
        if (typeof this._readHostObject !== 'function') {
          const { codes: { ERR_METHOD_NOT_IMPLEMENTED } } = env.require('internal/errors');
          throw new ERR_METHOD_NOT_IMPLEMENTED('_readHostObject()');
        }
        const at = this.#objects.length;
        this.#objects.push(undefined);
        return this.#objects[at] = this._readHostObject();
      }
    }
    throw invalid();
  }
  #properties(o, end) {
    let count = 0;
    while (this.#peek() !== end) {
      const key = this.readValue();
      if (typeof key !== 'string' && typeof key !== 'number') throw invalid();
      Object.defineProperty(o, key, { __proto__: null, value: this.readValue(), writable: true, enumerable: true, configurable: true });
      count++;
    }
    this.#tag();
    if (this.#varint() !== count) throw invalid();
    return o;
  }
  #array(dense) {
    const length = this.#varint();
    if (dense && length > this.#bytes.length - this.#at) throw invalid();
    const a = this.#keep(new Array(length));
    for (let i = 0; dense && i < length; i++) {
      if (this.#peek() === '-') this.#tag();
      else a[i] = this.readValue();
    }
    this.#properties(a, dense ? '$' : '@');
    if (this.#varint() !== length) throw invalid();
    return a;
  }
  #collection(tag) {
    const map = tag === ';', c = this.#keep(map ? new Map() : new Set());
    let count = 0;
    for (; this.#peek() !== (map ? ':' : ','); count++) {
      const v = this.readValue();
      if (!map) { c.add(v); continue; }
      c.set(v, this.readValue());
      count++;
    }
    this.#tag();
    if (this.#varint() !== count) throw invalid();
    return c;
  }
  // A view comes after its buffer.
  #view(buffer) {
    if (!types().isAnyArrayBuffer(buffer) || this.#peek() !== 'V') return buffer;
    this.#tag();
    const i = TAGS.indexOf(this.#tag()), offset = this.#varint(), length = this.#varint(), size = TYPES[i]?.BYTES_PER_ELEMENT ?? 1;
    if (this.#version >= 14) this.#varint();
    if (i < 0 || offset % size || length % size || offset + length > buffer.byteLength) throw invalid();
    return this.#keep(new TYPES[i](buffer, offset, length / size));
  }
  #error() {
    const kinds = { E: EvalError, R: RangeError, F: ReferenceError, S: SyntaxError, T: TypeError, U: URIError };
    const at = this.#objects.length;
    this.#objects.push(undefined);
    let Kind = Error, message, stack, cause, caused = false;
    for (let tag = this.#tag(); tag !== '.'; tag = this.#tag()) {
      if (tag in kinds) Kind = kinds[tag];
      else if (tag === 'm') message = this.#string(this.#tag());
      else if (tag === 's') stack = this.#string(this.#tag());
      else if (tag === 'c') { cause = this.readValue(); caused = true; }
      else throw invalid();
    }
    const e = caused ? new Kind(message, { cause }) : new Kind(message);
    if (message === undefined) delete e.message;
    Object.defineProperty(e, 'stack', { __proto__: null, value: stack, writable: true, enumerable: false, configurable: true });
    return this.#objects[at] = e;
  }
}

bindings.serdes = () => ({ Serializer, Deserializer });
