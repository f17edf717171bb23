// Streams over descriptors: stream_wrap, pipe_wrap, tty_wrap. sockets.js has TCP's.
'use strict';

const { native, bindings } = env;

const kReadBytesOrError = 0, kArrayBufferOffset = 1, kBytesWritten = 2, kLastWriteWasAsync = 3;
const streamBaseState = env.words(Int32Array, 5);
const CHUNK = 65536;
const EINTR = -4, EAGAIN = -11, EOF = -4095;

class Req { getAsyncId() { return 0; } }
class WriteWrap extends Req {}
class ShutdownWrap extends Req {}
class PipeConnectWrap extends Req {}

class Stream {
  constructor() {
    this.fd = -1;
    this.refed = true;
    this.bytesRead = 0;
    this.bytesWritten = 0;
    this.queue = [];
    this.isStreamBase = true;
    env.activeHandles.add(this);
  }
  getAsyncId() { return this.asyncIdValue ??= env.newAsyncId(); }
  getProviderType() { return 0; }
  adopt(fd, blocking) {
    this.fd = fd;
    if (!blocking) native.nonblock(fd, true);
  }
  get writeQueueSize() { return this.queue.reduce((n, w) => n + w.bytes.length - w.at, 0); }
  ref() { this.refed = true; }
  unref() { this.refed = false; }
  hasRef() { return this.refed; }
  readStart() {
    if (this.fd < 0) return -9;
    env.watch(this.fd, 'read', () => this.readable());
    env.watchOwner(this.fd, 'read', this);
    return 0;
  }
  readStop() {
    if (this.fd >= 0) env.watch(this.fd, 'read', undefined);
    return 0;
  }
  useUserBuffer(buffer) { this.userBuffer = buffer; }
  receive(buffer, n) { return this.socket ? native.receive(this.fd, buffer, 0, n) : native.read(this.fd, buffer, 0, n, -1); }
  send(bytes, at) { return this.socket ? native.send(this.fd, bytes, at) : native.write(this.fd, bytes, at, bytes.length - at, -1); }
  readable() {
    for (let i = 0; i < 8 && this.fd >= 0; i++) {
      const own = this.userBuffer;
      const buffer = own ?? new Uint8Array(CHUNK);
      const n = this.receive(buffer, buffer.length);
      if (n === EAGAIN || n === EINTR) return;
      if (n <= 0) {
        env.watch(this.fd, 'read', undefined);
        streamBaseState[kReadBytesOrError] = n === 0 ? EOF : n;
        streamBaseState[kArrayBufferOffset] = 0;
        env.call(this, this.onread, undefined);
        return;
      }
      this.bytesRead += n;
      streamBaseState[kReadBytesOrError] = n;
      streamBaseState[kArrayBufferOffset] = 0;
      env.call(this, this.onread, own ? undefined : (n < CHUNK / 2 ? buffer.buffer.slice(0, n) : buffer.buffer));
      if (!own && n < CHUNK) return;
      if (this.fd < 0 || !this.reading_()) return;
    }
  }
  reading_() { return true; }
  write_(req, bytes) {
    streamBaseState[kBytesWritten] = bytes.length;
    streamBaseState[kLastWriteWasAsync] = 0;
    this.bytesWritten += bytes.length;
    let at = 0;
    if (this.fd < 0) return -9;
    while (this.queue.length === 0 && at < bytes.length) {
      const n = this.send(bytes, at);
      if (n === EAGAIN || n === EINTR) break; // until it can be written, and the signal has been seen to
      if (n < 0) return n;
      at += n;
    }
    if (at >= bytes.length) return 0;
    streamBaseState[kLastWriteWasAsync] = 1;
    this.queue.push({ req, bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), at });
    env.watch(this.fd, 'write', () => this.writable());
    env.watchOwner(this.fd, 'write', undefined);
    return 0;
  }
  writable() {
    while (this.queue.length > 0) {
      const w = this.queue[0];
      const n = this.send(w.bytes, w.at);
      if (n === EAGAIN || n === EINTR) return;
      if (n > 0) w.at += n;
      if (n < 0 || w.at >= w.bytes.length) {
        this.queue.shift();
        env.call(w.req, w.req.oncomplete, n < 0 ? n : 0, this, undefined);
      }
      if (this.fd < 0) return;
    }
    env.watch(this.fd, 'write', undefined);
    if (this.ending) this.end_();
  }
  writeBuffer(req, bytes) { return this.write_(req, bytes); }
  writeUtf8String(req, text) { return this.write_(req, native.bytesOf(text, 1)); }
  writeAsciiString(req, text) { return this.write_(req, native.bytesOf(text, 0)); }
  writeLatin1String(req, text) { return this.write_(req, native.bytesOf(text, 3)); }
  writeUcs2String(req, text) { return this.write_(req, native.bytesOf(text, 2)); }
  writev(req, chunks, allBuffers) {
    const parts = [];
    if (allBuffers) parts.push(...chunks);
    else for (let i = 0; i < chunks.length; i += 2) parts.push(typeof chunks[i] === 'string' ? env.bytesOf(chunks[i], chunks[i + 1]) : chunks[i]);
    let size = 0;
    for (const p of parts) size += p.length;
    const all = new Uint8Array(size);
    let at = 0;
    for (const p of parts) { all.set(p, at); at += p.length; }
    return this.write_(req, all);
  }
  shutdown(req) {
    this.ending = req;
    if (this.queue.length === 0) env.complete(() => this.end_());
    return 0;
  }
  end_() {
    const req = this.ending;
    this.ending = undefined;
    if (!req) return;
    let status = 0;
    if (this.fd >= 0 && native.shutdown) status = native.shutdown(this.fd, 1);
    if (status === -88 || status === -107) status = 0; // a pipe has no half to shut
    env.call(req, req.oncomplete, status, this, undefined);
  }
  setBlocking(on) { return this.fd >= 0 ? native.nonblock(this.fd, !on) : -9; }
  close(f) {
    if (this.closed) return;
    this.closed = true;
    env.activeHandles.delete(this);
    for (const w of this.queue.splice(0)) env.complete(() => env.call(w.req, w.req.oncomplete, -125, this, undefined));
    if (this.fd >= 0) {
      env.unwatch(this.fd);
      if (!this.keep && this.fd > 2) native.close(this.fd);
      this.fd = -1;
    }
    env.closeLater(() => {
      env.call(this, this[env.perIsolateSymbols.handle_onclose_symbol]);
      if (typeof f === 'function') env.call(this, f);
    });
  }
}
env.Stream = Stream;
env.Req = Req;
env.streamBaseState = streamBaseState;

class LibuvStreamWrap extends Stream {}

bindings.stream_wrap = () => ({
  kReadBytesOrError, kArrayBufferOffset, kBytesWritten, kLastWriteWasAsync, streamBaseState,
  WriteWrap, ShutdownWrap, LibuvStreamWrap,
});

// JSStream is a handle over a stream of the program's own, see lib/internal/js_stream_socket.js: that takes one write at
// a time, and may bring what is read while the program is in the middle of something.
class JSStream {
  constructor() {
    this.isStreamBase = true;
    this.bytesRead = this.bytesWritten = 0;
    this.writes = [];
  }
  getAsyncId() { return this.asyncIdValue ??= env.newAsyncId(); }
  getProviderType() { return 0; }
  readStart() { return this.onreadstart(); }
  readStop() { return this.onreadstop(); }
  shutdown(req) { return this.onshutdown(req); }
  write_(req, bytes) {
    streamBaseState[kBytesWritten] = bytes.length;
    streamBaseState[kLastWriteWasAsync] = 1;
    this.bytesWritten += bytes.length;
    this.writes.push({ req, bytes });
    return this.writes.length === 1 ? this.onwrite(req, [bytes]) : 0;
  }
  finishWrite(req, status) {
    this.writes.shift();
    const [next] = this.writes;
    if (next !== undefined) this.onwrite(next.req, [next.bytes]);
    env.complete(() => env.call(req, req.oncomplete, status, this, undefined));
  }
  finishShutdown(req, status) { env.complete(() => env.call(req, req.oncomplete, status, this, undefined)); }
  readBuffer(chunk) {
    const { buffer } = new Uint8Array(chunk); // the chunk's may have more in it
    this.bytesRead += chunk.length;
    this.came_(chunk.length, buffer);
  }
  emitEOF() { this.came_(EOF, undefined); }
  came_(count, buffer) {
    env.complete(() => {
      streamBaseState[kReadBytesOrError] = count;
      streamBaseState[kArrayBufferOffset] = 0;
      env.call(this, this.onread, buffer);
    });
  }
}
for (const name of ['writeBuffer', 'writeUtf8String', 'writeAsciiString', 'writeLatin1String', 'writeUcs2String', 'writev']) {
  JSStream.prototype[name] = Stream.prototype[name];
}
bindings.js_stream = () => ({ JSStream });

class Pipe extends Stream {
  constructor(type) { super(); this.type = type; }
  open(fd) { this.adopt(fd); return 0; }
  bind(path) { return env.unixBind ? env.unixBind(this, path) : -95; }
  listen(backlog) { return env.listen(this, backlog); }
  connect(req, path) { return env.unixConnect ? env.unixConnect(this, req, path) : -95; }
  fchmod() { return 0; }
}
bindings.pipe_wrap = () => ({
  Pipe, PipeConnectWrap, constants: { SOCKET: 0, SERVER: 1, IPC: 2, UV_READABLE: 1, UV_WRITABLE: 2 },
});

class TTY extends Stream {
  constructor(fd, ctx) {
    super();
    this.adopt(fd, true);
    this.keep = true;
  }
  getWindowSize(out) {
    const size = native.winsize(this.fd);
    if (typeof size === 'number') return size;
    out[0] = size[0] || 80;
    out[1] = size[1] || 24;
    return 0;
  }
  setRawMode(on) { return native.setRaw(this.fd, on); }
  setBlocking() { return 0; }
  receive(buffer, n) { return native.read(this.fd, buffer, 0, n, -1); }
  readable() {
    // A terminal gives a line at a time, and a second read would wait.
    const buffer = new Uint8Array(CHUNK), n = this.receive(buffer, CHUNK);
    if (n === EAGAIN || n === EINTR) return;
    if (n <= 0) env.watch(this.fd, 'read', undefined);
    streamBaseState[kReadBytesOrError] = n === 0 ? EOF : n;
    streamBaseState[kArrayBufferOffset] = 0;
    env.call(this, this.onread, n > 0 ? buffer.buffer.slice(0, n) : undefined);
  }
}
bindings.tty_wrap = () => ({ TTY, isTTY: (fd) => native.fdKind(fd) === 1 });
