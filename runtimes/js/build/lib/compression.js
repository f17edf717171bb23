// The zlib binding.
'use strict';

const { native, bindings } = env;

const NAMES = { '-6': 'Z_VERSION_ERROR', '-5': 'Z_BUF_ERROR', '-4': 'Z_MEM_ERROR', '-3': 'Z_DATA_ERROR', '-2': 'Z_STREAM_ERROR', '-1': 'Z_ERRNO', '2': 'Z_NEED_DICT' };

class Handle {
  getAsyncId() { return 0; }
  step(flush, input, inAt, inLen, out, outAt, outLen) {
    const message = native.zlibStep(this.state, flush, input ?? undefined, inAt, inLen, out, outAt, outLen, this.result3);
    this.result[0] = this.result3[0];
    this.result[1] = this.result3[1];
    return message;
  }
  fail(message) {
    const code = this.result3[2];
    this.onerror(message, code, this.errorName(code));
  }
  errorName(code) { return NAMES[code] ?? 'Z_ERRNO'; }
  writeSync(...args) {
    const message = this.step(...args);
    if (message !== undefined) this.fail(message);
  }
  write(...args) {
    env.complete(() => {
      if (this.closed) return;
      const message = this.step(...args);
      if (message !== undefined) {
        try { this.fail(message); } catch (e) { env.uncaught(e, false); }
        env.settle();
        return;
      }
      env.call(this, this.callback);
    });
  }
  reset() { native.zlibReset(this.state); }
  close() { this.closed = true; }
  _setAsyncBuffer() {}
}

class Zlib extends Handle {
  constructor(mode) { super(); this.mode = mode; }
  init(windowBits, level, memLevel, strategy, result, callback, dictionary) {
    this.result = result;
    this.result3 = new Int32Array(3);
    this.callback = callback;
    this.state = native.zlibOpen(this.mode, level, windowBits, memLevel, strategy, dictionary);
  }
  params(level, strategy) { native.zlibParameter(this.state, level, strategy); }
}

class Brotli extends Handle {
  constructor(mode) { super(); this.mode = mode; }
  init(params, result, callback) {
    this.result = result;
    this.result3 = new Int32Array(3);
    this.callback = callback;
    this.state = native.zlibOpen(this.mode, 0, 0, 0, 0, undefined);
    this.params_ = params;
    for (let i = 0; i < params.length; i++) if (params[i] !== 0xffffffff && native.zlibParameter(this.state, i, params[i]) === false) return false;
    return true;
  }
  params() {}
  reset() {
    super.reset();
    for (let i = 0; i < this.params_.length; i++) if (this.params_[i] !== 0xffffffff) native.zlibParameter(this.state, i, this.params_[i]);
  }
  errorName(code) { return this.mode === 9 ? 'ERR_BROTLI_COMPRESSION_FAILED' : code === -5 ? 'Z_BUF_ERROR' : `ERR_${String(this.message_ ?? '').replace(/^.*?ERROR_/, '')}`; }
  fail(message) { this.message_ = message; super.fail(this.mode === 8 && this.result3[2] !== -5 ? 'Decompression failed' : message); }
}

bindings.zlib = () => ({
  Zlib, BrotliEncoder: Brotli, BrotliDecoder: Brotli, crc32: (data, value) =>
    native.crc32(typeof data === 'string' ? native.bytesOf(data, 1) : data, value ?? 0),
});
