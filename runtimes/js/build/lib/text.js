// Bindings of text: buffers, encodings, string decoding, what stands for ICU.
'use strict';

const { native, bindings, primordials } = env;

const ENC = { ascii: 0, utf8: 1, ucs2: 2, latin1: 3, base64: 4, base64url: 5, hex: 6, buffer: 7 };
const NAMES = ['ascii', 'utf8', 'base64', 'utf16le', 'latin1', 'hex', 'buffer', 'base64url'];
// Node's own numbers of encodings, to this library's.
const OWN = [0, 1, 4, 2, 3, 6, 7, 5];
env.encodingNumber = (name) => {
  switch (String(name ?? 'utf8').toLowerCase()) {
    case 'utf8': case 'utf-8': return ENC.utf8;
    case 'ucs2': case 'ucs-2': case 'utf16le': case 'utf-16le': return ENC.ucs2;
    case 'latin1': case 'binary': return ENC.latin1;
    case 'base64': return ENC.base64;
    case 'base64url': return ENC.base64url;
    case 'hex': return ENC.hex;
    case 'ascii': return ENC.ascii;
    case 'buffer': return ENC.buffer;
    default: return ENC.utf8;
  }
};
env.bytesOf = (text, encoding) => native.bytesOf(text, encoding === undefined ? 1 : env.encodingNumber(encoding));
// textOf answers a string, or a Buffer if that is what the encoding asks for.
env.textOf = (bytes, encoding) => {
  const n = env.encodingNumber(encoding);
  return n === ENC.buffer ? env.bufferOf(bytes) : native.textOf(bytes, n);
};
env.bufferOf = (bytes) => {
  Object.setPrototypeOf(bytes, env.bufferPrototype);
  return bytes;
};

const FORGIVING = /[\t\n\f\r ]/g;

bindings.buffer = () => ({
  setBufferPrototype(proto) { env.bufferPrototype = proto; },
  createUnsafeArrayBuffer: native.bufferOfAnything,
  kMaxLength: 2 ** 32, kStringMaxLength: 2 ** 30 - 1,
  createFromString: (text, encoding) => env.bufferOf(native.bytesOf(text, OWN[encoding])),
  asciiSlice: native.asciiSlice, base64Slice: native.base64Slice, base64urlSlice: native.base64urlSlice,
  latin1Slice: native.latin1Slice, hexSlice: native.hexSlice, ucs2Slice: native.ucs2Slice, utf8Slice: native.utf8Slice,
  asciiWriteStatic: (b, ...a) => native.asciiWrite.apply(b, a), latin1WriteStatic: (b, ...a) => native.latin1Write.apply(b, a),
  utf8WriteStatic: (b, ...a) => native.utf8Write.apply(b, a),
  asciiWrite: native.asciiWrite, base64Write: native.base64Write, base64urlWrite: native.base64urlWrite,
  latin1Write: native.latin1Write, hexWrite: native.hexWrite, ucs2Write: native.ucs2Write, utf8Write: native.utf8Write,
  byteLengthUtf8: native.byteLengthUtf8, compare: native.compare, compareOffset: native.compareOffset,
  copy: native.copy, copyArrayBuffer(to, toAt, from, fromAt, n) {
    new Uint8Array(to, toAt, n).set(new Uint8Array(from, fromAt, n));
  },
  fill: (b, value, start, end, encoding) =>
    native.fill(b, value, start, end, typeof encoding === 'string' ? env.encodingNumber(encoding) : undefined),
  indexOfBuffer: (b, v, at, encoding, forward) => native.indexOfBuffer(b, v, at, encoding === undefined ? undefined : OWN[encoding], forward),
  indexOfNumber: native.indexOfNumber,
  indexOfString: (b, v, at, encoding, forward) => native.indexOfString(b, v, at, OWN[encoding], forward),
  swap16: native.swap16, swap32: native.swap32, swap64: native.swap64, isAscii: native.isAscii, isUtf8: native.isUtf8,
  detachArrayBuffer: (b) => b.transfer(),
  btoa(input) {
    for (let i = 0; i < input.length; i++) if (input.charCodeAt(i) > 255) return -1;
    return native.textOf(native.bytesOf(input, ENC.latin1), ENC.base64);
  },
  atob(input) {
    let text = input.replace(FORGIVING, '');
    if (text.length % 4 === 0) text = text.replace(/==?$/, '');
    if (/[^A-Za-z0-9+/]/.test(text)) return -1;
    if (text.length % 4 === 1) return -3;
    return native.textOf(native.bytesOf(text, ENC.base64), ENC.latin1);
  },
});

const encodeIntoResults = new Uint32Array(2);
bindings.encoding_binding = () => ({
  encodeIntoResults,
  encodeInto(text, bytes) { native.encodeInto(text, bytes, encodeIntoResults); },
  encodeUtf8String: native.encodeUtf8,
  decodeUTF8(bytes, keepMark, fatal) {
    const text = native.decodeUtf8(bytes, keepMark, fatal);
    if (text === null) throw invalidData('utf-8');
    return text;
  },
  decodeLatin1: (bytes) => native.textOf(bytes, ENC.latin1),
  toASCII: (s) => native.domainToASCII?.(s) ?? s, toUnicode: (s) => native.domainToUnicode?.(s) ?? s,
});

function invalidData(encoding) {
  const { codes: { ERR_ENCODING_INVALID_ENCODED_DATA } } = env.require('internal/errors');
  return new ERR_ENCODING_INVALID_ENCODED_DATA(encoding, undefined);
}

// ---- string_decoder: the state is in a buffer, as in C++.

bindings.string_decoder = () => {
  const kIncompleteCharactersStart = 0, kIncompleteCharactersEnd = 4, kMissingBytes = 4, kBufferedBytes = 5, kEncodingField = 6;
  const slice = (bytes, encoding) => native.textOf(bytes, OWN[encoding]);
  // tail answers how many bytes at the end begin what isn't whole, and how many are missing.
  function tail(bytes, encoding) {
    const n = bytes.length;
    if (encoding === 1) {
      for (let back = 1; back <= Math.min(3, n); back++) {
        const c = bytes[n - back];
        if ((c & 0xc0) === 0x80) continue;
        const need = c >= 0xf0 && c <= 0xf4 ? 4 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xc2 && c < 0xe0 ? 2 : 1;
        if (need <= back) return [0, 0];
        if (back >= 2) {
          const d = bytes[n - back + 1];
          if ((c === 0xe0 && d < 0xa0) || (c === 0xed && d > 0x9f) || (c === 0xf0 && d < 0x90) || (c === 0xf4 && d > 0x8f)) return [0, 0];
        }
        return [back, need - back];
      }
      return [0, 0];
    }
    if (encoding === 3) {
      if (n % 2 === 1) return [1, 1];
      if (n >= 2 && (bytes[n - 1] & 0xfc) === 0xd8) return [2, 2];
      return [0, 0];
    }
    const rest = n % 3;
    return [rest, rest === 0 ? 0 : 3 - rest];
  }
  const whole = (encoding) => encoding === 1 || encoding === 3 || encoding === 2 || encoding === 7;
  return {
    encodings: NAMES, kIncompleteCharactersStart, kIncompleteCharactersEnd, kMissingBytes, kBufferedBytes, kEncodingField,
    kNumFields: 7, kSize: 7,
    decode(state, chunk) {
      const encoding = state[kEncodingField];
      let bytes = ArrayBuffer.isView(chunk) ? new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength) : chunk;
      if (typeof chunk === 'string') return chunk;
      if (!ArrayBuffer.isView(chunk)) {
        const { codes: { ERR_INVALID_ARG_TYPE } } = env.require('internal/errors');
        throw new ERR_INVALID_ARG_TYPE('buf', ['Buffer', 'TypedArray', 'DataView'], chunk);
      }
      if (!whole(encoding)) return slice(bytes, encoding);
      const had = state[kBufferedBytes];
      if (had > 0) {
        const joined = new Uint8Array(had + bytes.length);
        joined.set(state.subarray(0, had));
        joined.set(bytes, had);
        bytes = joined;
      }
      let [keep, missing] = tail(bytes, encoding);
      if (encoding === 3 && keep === 1 && bytes.length >= 3 && (bytes[bytes.length - 2] & 0xfc) === 0xd8) { keep = 3; missing = 1; }
      state[kBufferedBytes] = keep;
      state[kMissingBytes] = missing;
      for (let i = 0; i < keep; i++) state[i] = bytes[bytes.length - keep + i];
      return slice(bytes.subarray(0, bytes.length - keep), encoding);
    },
    flush(state) {
      const encoding = state[kEncodingField], had = state[kBufferedBytes];
      state[kBufferedBytes] = state[kMissingBytes] = 0;
      if (had === 0) return '';
      return slice(state.slice(0, encoding === 3 ? had - had % 2 : had), encoding);
    },
  };
};

// ---- icu: converters as Node's TextDecoder uses them.

const WIDE = /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{1fa70}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const ZERO = /[\p{Mn}\p{Me}\p{Cf}\p{Cc}]/u;

bindings.icu = () => ({
  icuErrName: (n) => `U_ERROR_${n}`,
  transcode(source, from, to) {
    const bytes = native.textOf(source, env.encodingNumber(from));
    return env.bufferOf(native.bytesOf(env.encodingNumber(to) === ENC.ascii || env.encodingNumber(to) === ENC.latin1 ?
      bytes.replace(/[^\0-\xff]/gu, '?') : bytes, env.encodingNumber(to)));
  },
  hasConverter: (name) => converters(name) !== undefined,
  getConverter(name, flags) {
    const kind = converters(name);
    if (kind === undefined) return undefined;
    return { kind, fatal: (flags & 2) !== 0, keepMark: (flags & 4) !== 0, rest: new Uint8Array(0), began: false, name };
  },
  decode(c, input, flags, name) {
    const flush = (flags & 1) !== 0;
    let bytes = ArrayBuffer.isView(input) ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength) : new Uint8Array(input);
    if (c.rest.length > 0) {
      const joined = new Uint8Array(c.rest.length + bytes.length);
      joined.set(c.rest);
      joined.set(bytes, c.rest.length);
      bytes = joined;
      c.rest = new Uint8Array(0);
    }
    if (!flush) {
      const keep = unfinished(bytes, c.kind);
      c.rest = bytes.slice(bytes.length - keep);
      bytes = bytes.subarray(0, bytes.length - keep);
    }
    let text;
    if (c.kind === 'utf8') {
      text = native.decodeUtf8(bytes, true, c.fatal);
      if (text === null) { c.rest = new Uint8Array(0); throw invalidData(name); }
    } else if (c.kind === 'utf16le' || c.kind === 'utf16be') {
      if (c.kind === 'utf16be') { bytes = bytes.slice(0, bytes.length & ~1); native.swap16(bytes); }
      text = native.textOf(bytes, ENC.ucs2);
      if (!text.isWellFormed() || bytes.length % 2) {
        if (c.fatal) throw invalidData(name);
        text = text.toWellFormed() + (bytes.length % 2 ? '\ufffd' : '');
      }
    } else {
      text = native.textOf(bytes, ENC.latin1);
      if (c.kind === 'windows1252') text = text.replace(/[\x80-\x9f]/g, (ch) => W1252[ch.charCodeAt(0) - 128]);
    }
    if (!c.began && text.length > 0) {
      c.began = true;
      if (!c.keepMark && text[0] === '\ufeff' && c.kind !== 'windows1252') text = text.slice(1);
    }
    if (flush) c.began = false;
    return text;
  },
  getStringWidth(text, ambiguousFull, expandEmoji) {
    let width = 0;
    for (const ch of text) width += WIDE.test(ch) ? 2 : ZERO.test(ch) ? 0 : 1;
    return width;
  },
  toASCII: (s) => native.domainToASCII?.(s) ?? s, toUnicode: (s) => native.domainToUnicode?.(s) ?? s,
});
const W1252 = '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178';

function converters(name) {
  switch (String(name).toLowerCase()) {
    case 'utf-8': case 'utf8': return 'utf8';
    case 'utf-16le': case 'utf-16': return 'utf16le';
    case 'utf-16be': return 'utf16be';
    case 'latin1': case 'iso-8859-1': case 'windows-1252': case 'ascii': case 'us-ascii': return 'windows1252';
    default: return undefined;
  }
}

function unfinished(bytes, kind) {
  const n = bytes.length;
  if (kind === 'utf8') {
    for (let back = 1; back <= Math.min(3, n); back++) {
      const c = bytes[n - back];
      if ((c & 0xc0) === 0x80) continue;
      const need = c >= 0xf0 && c <= 0xf4 ? 4 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xc2 && c < 0xe0 ? 2 : 1;
      return need > back ? back : 0;
    }
    return 0;
  }
  if (kind === 'windows1252') return 0;
  if (n % 2) return 1;
  const high = kind === 'utf16le' ? bytes[n - 1] : bytes[n - 2];
  return n >= 2 && (high & 0xfc) === 0xd8 ? 2 : 0;
}
