// Intl.Segmenter, by the rules of Unicode's annex 29 (https://www.unicode.org/reports/tr29/) without the dictionaries that
// find words of languages that are written without spaces: there each ideograph is a word.
'use strict';

const CLUSTER = new RegExp('\\r\\n|[\\p{Cc}\\p{Zl}\\p{Zp}]|' +
  '(?:\\p{RI}\\p{RI}|\\p{ExtPict}(?:[\\p{Gr_Ext}\\p{EMod}]*\\u200d\\p{ExtPict})*|' +
  '[\\u1100-\\u115f\\ua960-\\ua97c]*(?:[\\uac00-\\ud7a3][\\u1160-\\u11a7\\ud7b0-\\ud7c6]*|[\\u1160-\\u11a7\\ud7b0-\\ud7c6]+)[\\u11a8-\\u11ff\\ud7cb-\\ud7fb]*|' +
  '[\\u1100-\\u115f\\ua960-\\ua97c]+|[\\u11a8-\\u11ff\\ud7cb-\\ud7fb]+|[^])[\\p{Gr_Ext}\\p{Mc}\\p{EMod}\\u200d]*', 'suy');
const WORD = new RegExp('\\r\\n|[^\\S\\r\\n\\u00a0\\u2007\\u202f]+|' +
  '([\\p{sc=Han}\\p{sc=Hiragana}][\\p{M}\\u200d]*|[\\p{sc=Katakana}ー]+[\\p{M}\\u200d]*|' +
  '(?:[\\p{L}\\p{Nl}](?<![\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}])|[\\p{Nd}_\\p{Pc}])(?:\\p{M}|(?!\\u200b)\\p{Cf})*' +
  '(?:(?:[\\p{L}\\p{Nl}](?<![\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}])|[\\p{Nd}\\p{Pc}])(?:\\p{M}|(?!\\u200b)\\p{Cf})*|' +
  '(?<=[\\p{L}\\p{M}])[\'.:·’‘․](?=\\p{L})|(?<=[\\p{Nd}])[\'.,;’‘․](?=\\p{Nd}))*)', 'suy');
const SENTENCE = /(?:[^.!?。！？…\r\n\u2028\u2029]|\.(?=[\p{N}])|\.(?=[\p{L}.])(?<=[\p{L}]\.)|[.…][\p{Pe}\p{Pf}"']*\s*(?=[\p{Ll}]))*(?:[.!?。！？…]+[\p{Pe}\p{Pf}"'»]*[^\S\r\n\u2028\u2029]*(?:\r\n|[\r\n\u2028\u2029])?|\r\n|[\r\n\u2028\u2029]|$)/suy;
const { defineProperty } = Reflect;

function next(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

// segmentAt answers the segment that begins at a place.
function segmentAt(granularity, input, at) {
  if (granularity === 'word') {
    const found = next(WORD, input, at);
    if (found !== null) return { segment: found[0], index: at, input, isWordLike: found[1] !== undefined && /[\p{L}\p{N}]/u.test(found[0]) };
    return { segment: next(CLUSTER, input, at)[0], index: at, input, isWordLike: false };
  }
  const segment = granularity === 'sentence' ? next(SENTENCE, input, at)?.[0] || input.slice(at) : next(CLUSTER, input, at)[0];
  return { segment, index: at, input };
}

const iteratorPrototype = Object.create(Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())));
const iterators = new WeakMap();
defineProperty(iteratorPrototype, 'next', { value: { next() {
  const state = iterators.get(this);
  if (state === undefined) throw new TypeError('%SegmentIterator.prototype%.next called on incompatible receiver');
  if (state.at >= state.input.length) return { value: undefined, done: true };
  const value = segmentAt(state.granularity, state.input, state.at);
  state.at += value.segment.length;
  return { value, done: false };
} }.next, writable: true, enumerable: false, configurable: true });
defineProperty(iteratorPrototype, Symbol.toStringTag, { value: 'Segmenter String Iterator', configurable: true });

class Segments {
  #granularity;
  #input;
  constructor(granularity, input) {
    this.#granularity = granularity;
    this.#input = input;
  }
  containing(index = 0) {
    const at = Math.trunc(Number(index)) || 0;
    if (at < 0 || at >= this.#input.length) return undefined;
    for (let from = 0;;) {
      const found = segmentAt(this.#granularity, this.#input, from);
      from += found.segment.length;
      if (from > at) return found;
    }
  }
  [Symbol.iterator]() {
    const made = Object.create(iteratorPrototype);
    iterators.set(made, { granularity: this.#granularity, input: this.#input, at: 0 });
    return made;
  }
}
delete Segments.prototype.constructor;

env.Segmenter = class Segmenter {
  #locale;
  #granularity;
  constructor(locales, options = {}) {
    this.#locale = env.checkLocales(locales);
    if (typeof options !== 'object' || options === null) throw new TypeError('Incorrect options information provided');
    const granularity = options.granularity === undefined ? 'grapheme' : `${options.granularity}`;
    if (!['grapheme', 'word', 'sentence'].includes(granularity)) {
      throw new RangeError(`Value ${granularity} out of range for Intl.Segmenter options property granularity`);
    }
    this.#granularity = granularity;
  }
  segment(text) { return new Segments(this.#granularity, `${text}`); }
  resolvedOptions() { return { locale: this.#locale, granularity: this.#granularity }; }
};

// ---- Atomics.waitAsync: who notifies is this thread, for there is no other.

const { load, notify } = Atomics;
const tagOf = Function.prototype.call.bind(Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Int32Array.prototype), Symbol.toStringTag).get);
const sharedLength = Function.prototype.call.bind(Object.getOwnPropertyDescriptor(SharedArrayBuffer.prototype, 'byteLength').get);
const waiters = [];
const { ArrayPrototypeIndexOf, ArrayPrototypePush, ArrayPrototypeSplice, BigIntAsIntN, MathMax, MathMin, MathTrunc, Promise: OwnPromise } = env.primordials;

function wake(waiter, outcome) {
  const at = ArrayPrototypeIndexOf(waiters, waiter);
  if (at < 0) return;
  ArrayPrototypeSplice(waiters, at, 1);
  if (waiter.timer !== undefined) env.require('timers').clearTimeout(waiter.timer);
  waiter.resolve(outcome);
}

const own = {
  waitAsync(array, index, value, timeout) {
    const kind = tagOf(array);
    if (kind !== 'Int32Array' && kind !== 'BigInt64Array') throw new TypeError('[object Array] is not an int32 or BigInt64 typed array.');
    try { sharedLength(array.buffer); } catch { throw new TypeError('[object Int32Array] is not a shared typed array.'); }
    const at = MathTrunc(+index) || 0;
    load(array, at); // which checks the index
    const wanted = kind === 'Int32Array' ? value | 0 : BigIntAsIntN(64, value);
    const given = +timeout, ms = given !== given ? Infinity : MathMax(given, 0);
    if (load(array, at) !== wanted) return { async: false, value: 'not-equal' };
    if (ms === 0) return { async: false, value: 'timed-out' };
    const waiter = { buffer: array.buffer, at: array.byteOffset + at * array.BYTES_PER_ELEMENT, resolve: undefined, timer: undefined };
    const promise = new OwnPromise((resolve) => { waiter.resolve = resolve; });
    ArrayPrototypePush(waiters, waiter);
    if (ms < Infinity) waiter.timer = env.require('timers').setTimeout(() => wake(waiter, 'timed-out'), MathMin(ms, 2 ** 31 - 1)).unref();
    return { async: true, value: promise };
  },
  notify(array, index, count) {
    if (waiters.length === 0) return notify(array, index, count);
    const kind = tagOf(array);
    if (kind !== 'Int32Array' && kind !== 'BigInt64Array') return notify(array, index, count); // which says what is wrong
    const at = MathTrunc(+index) || 0;
    load(array, at);
    const most = count === undefined ? Infinity : MathMax(MathTrunc(+count) || 0, 0);
    let woken = notify(array, at, most);
    const place = array.byteOffset + at * array.BYTES_PER_ELEMENT, { buffer } = array;
    for (let i = 0; i < waiters.length && woken < most;) {
      const waiter = waiters[i];
      if (waiter.buffer !== buffer || waiter.at !== place) {
        i++;
        continue;
      }
      wake(waiter, 'ok'); // which takes it away
      woken++;
    }
    return woken;
  },
};
defineProperty(own.notify, 'length', { value: 3, configurable: true });
for (const name of Object.keys(own)) defineProperty(Atomics, name, { value: own[name], writable: true, enumerable: false, configurable: true });

// ---- what RegExp tells of the last match

const { native } = env;
function matched(part) {
  const found = native.lastMatch();
  return found.length === 0 ? '' : part(found[0], found);
}
const group = (n) => () => matched((text, at) => (at[2 * n + 1] >= 0 ? text.slice(at[2 * n + 1], at[2 * n + 2]) : ''));
const { ignore } = { ignore(value) {} };
function legacy(getter, ...keys) {
  for (const key of keys) Object.defineProperty(RegExp, key, { get: getter, set: ignore, enumerable: false, configurable: true });
}
for (let n = 1; n < 10; n++) legacy(group(n), `$${n}`);
legacy(() => matched((text) => text), 'input', '$_');
legacy(group(0), 'lastMatch', '$&');
legacy(() => matched((text, at) => (at.length > 3 && at.at(-2) >= 0 ? text.slice(at.at(-2), at.at(-1)) : '')), 'lastParen', '$+');
legacy(() => matched((text, at) => text.slice(0, at[1])), 'leftContext', '$`');
legacy(() => matched((text, at) => text.slice(at[2])), 'rightContext', "$'");
