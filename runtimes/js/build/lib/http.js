// The http_parser binding.
'use strict';

const { native, bindings, primordials } = env;
const { ArrayPrototypePush } = primordials;

const kOnMessageBegin = 0, kOnHeaders = 1, kOnHeadersComplete = 2, kOnBody = 3, kOnMessageComplete = 4, kOnExecute = 5, kOnTimeout = 6;
const MAX_PAIRS = 32;

class HTTPParser {
  getAsyncId() { return 0; }
  initialize(type, resource, maxHeaderSize, lenient, headersTimeout) {
    this.type = type;
    this.resource = resource;
    this.headers = [];
    this.last = 0;
    this.url = '';
    this.status = '';
    this.flushed = false;
    this.size = 0;
    this.max = maxHeaderSize || 16384;
    this.state = native.httpOpen(type, (lenient ?? 0) !== 0, (event, data) => this.event(event, data));
  }
  event(event, data) {
    switch (event) {
      case 0:
        this.headers = [];
        this.last = 0;
        this.url = '';
        this.status = '';
        this.flushed = false;
        this.size = 0;
        this[kOnMessageBegin]?.();
        return 0;
      case 1: this.url += data; return this.grow(data);
      case 2: this.status += data; return 0;
      case 3:
        if (this.last === 3) this.headers[this.headers.length - 1] += data;
        else {
          // A field that ended without a value has an empty one.
          ArrayPrototypePush(this.headers, data);
        }
        this.last = 3;
        return this.grow(data);
      case 4:
        if (this.last === 4) this.headers[this.headers.length - 1] += data;
        else ArrayPrototypePush(this.headers, data);
        this.last = 4;
        return this.grow(data);
      case 5: {
        const [major, minor, method, status, upgrade, keep] = native.httpState(this.state);
        const headers = this.headers.map((h, i) => (i % 2 ? h.replace(/[ \t]+$/, '') : h));
        if (headers.length % 2) headers.push('');
        this.headers = [];
        this.last = 0;
        const result = this[kOnHeadersComplete]?.(major, minor, headers, this.type === 1 ? method : undefined,
          this.type === 1 ? this.url : undefined, this.type === 2 ? status : undefined, this.type === 2 ? this.status : undefined,
          upgrade !== 0, keep !== 0);
        this.url = '';
        return result === undefined || result === null ? 0 : Number(result);
      }
      case 6: this[kOnBody]?.(env.bufferOf(data)); return 0;
      case 7:
        if (this.headers.length > 0) this[kOnHeaders]?.(this.headers.map((h, i) => (i % 2 ? h.replace(/[ \t]+$/, '') : h)), this.url);
        this.headers = [];
        this[kOnMessageComplete]?.();
        return 0;
      default: return 0;
    }
  }
  grow(data) {
    this.size += data.length;
    if (this.size >= this.max) {
      this.overflow = true;
      return -1;
    }
    return 0;
  }
  execute(buffer, offset, length) {
    this.current = buffer;
    const result = native.httpExecute(this.state, buffer, offset ?? 0, length ?? buffer.length);
    this.current = undefined;
    return this.answer(result);
  }
  answer(result) {
    if (typeof result === 'number') return result;
    let [code, reason, parsed] = result;
    if (this.overflow) { code = 'HPE_HEADER_OVERFLOW'; reason = 'Header overflow'; }
    const error = new Error(`Parse Error: ${reason}`);
    error.bytesParsed = parsed;
    error.code = code;
    error.reason = reason;
    return error;
  }
  finish() {
    const result = native.httpExecute(this.state, undefined);
    return typeof result === 'number' ? undefined : this.answer(result);
  }
  close() {} free() {} remove() {} pause() {} resume() {} unconsume() { this.consumed = undefined; }
  consume() {}
  getCurrentBuffer() { return this.current; }
  duration() { return 0; }
  headersCompleted() { return false; }
}
Object.assign(HTTPParser, { REQUEST: 1, RESPONSE: 2, kOnMessageBegin, kOnHeaders, kOnHeadersComplete, kOnBody, kOnMessageComplete, kOnExecute, kOnTimeout,
  kLenientNone: 0, kLenientHeaders: 1, kLenientChunkedLength: 2, kLenientKeepAlive: 4, kLenientAll: 255 });

class ConnectionsList {
  all() { return []; } idle() { return []; } active() { return []; } expired() { return []; }
}

bindings.http_parser = () => {
  const methods = native.httpMethods().filter((m) => m !== undefined);
  return { HTTPParser, ConnectionsList, methods: methods.slice(0, 34), allMethods: methods };
};
