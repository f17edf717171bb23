// The process and its children: process_methods, spawn_sync, process_wrap, signal_wrap.
'use strict';

const { native, process, bindings, primordials } = env;

const startedAt = () => env.startTime ?? 0;
env.handleType = (fd) => {
  const kind = native.fdKind(fd);
  if (kind < 0) return 'INVALID';
  if (kind === 1) return 'TTY';
  // What this process writes to a pipe it writes at once, as to a file.
  if (kind === 0o010000 || kind === 0o020000 || kind === 0o140000) return fd === 0 ? (kind === 0o020000 ? 'FILE' : 'PIPE') : 'FILE';
  if (kind === 0) return fd === 0 ? 'PIPE' : 'FILE';
  return 'FILE';
};

let emitWarningSync;
bindings.process_methods = () => ({
  _debugEnd() {}, _debugProcess() {}, abort() { native.kill(native.pid(), 6); native.exit(134); }, causeSegfault() {},
  chdir(path) {
    const result = native.chdir(path);
    if (result < 0) {
      const { UVException } = env.require('internal/errors');
      throw new UVException({ errno: result, code: env.errorName(result), syscall: 'chdir', path: process.cwd(), dest: path });
    }
  },
  cwd() {
    const result = native.getcwd();
    if (typeof result === 'number') throw env.exception(result, 'uv_cwd');
    return result;
  },
  umask: (mask) => native.umask(mask), memoryUsage(a) {
    const used = native.memoryUsage();
    a[0] = Math.max(used, 32 << 20); a[1] = used; a[2] = used; a[3] = 0; a[4] = 0;
  },
  constrainedMemory: () => 0, availableMemory: () => 2 ** 29, rss: () => Math.max(native.memoryUsage(), 32 << 20),
  cpuUsage(a) { a[0] = native.cpu(); a[1] = 0; }, resourceUsage(a) { a.fill(0); a[0] = native.cpu(); a[2] = 32768; },
  _getActiveRequests: () => [], _getActiveHandles: () => [...env.activeHandles], getActiveResourcesInfo: () => [],
  _kill: (pid, signal) => native.kill(pid, signal), _rawDebug(...args) { native.writeText(2, `${args.join(' ')}\n`); },
  _startProfilerIdleNotifier() {}, _stopProfilerIdleNotifier() {}, dlopen() { throw new Error('native modules can not be loaded'); },
  reallyExit: (code) => env.exit(code ?? 0), uptime: () => (native.hrtime() - startedAt()) / 1e9,
  patchProcessObject(p) { env.patchProcess(p); }, setEmitWarningSync(f) { emitWarningSync = f; }, resetStdioForTesting() {},
  hrtimeBuffer: hrtimeArray, hrtime() {
    const t = native.hrtime(), s = Math.floor(t / 1e9);
    hrtimeArray[0] = Math.floor(s / 0x100000000);
    hrtimeArray[1] = s >>> 0;
    hrtimeArray[2] = t - s * 1e9;
  },
  hrtimeBigInt() { new BigInt64Array(hrtimeArray.buffer, 0, 1)[0] = BigInt(Math.floor(native.hrtime())); },
  loadEnvFile(path = '.env') {
    const content = env.readText(path);
    if (content === undefined) throw env.exception(-2, 'open', path);
    const parsed = env.binding('util').parseEnv(content);
    for (const key of Object.keys(parsed)) process.env[key] ??= parsed[key];
  },
  setCwd() {}, execve() {},
});
const hrtimeArray = new Uint32Array(4);

env.exit = (code) => {
  if (env.leaveCell?.(code)) return;
  native.exit(code & 255);
};

// ---- children

const SIGNAL_NAMES = { __proto__: null };
const signalName = (number) => {
  if (SIGNAL_NAMES[9] === undefined) for (const [n, v] of Object.entries(env.binding('constants').os.signals)) SIGNAL_NAMES[v] ??= n;
  return SIGNAL_NAMES[number] ?? '';
};

const environmentOf = (pairs) => pairs ?? Object.entries({ ...process.env }).map(([k, v]) => `${k}=${v}`);

bindings.spawn_sync = () => ({
  spawn(options) {
    const fds = [], close = [], inputs = [], outputs = [];
    const stdio = options.stdio ?? [];
    let error;
    stdio.forEach((s, i) => {
      if (s.type === 'pipe') {
        const [r, w] = native.pipe();
        const [theirs, ours] = s.readable ? [r, w] : [w, r];
        fds.push(theirs);
        close.push(theirs);
        if (s.readable) {
          const data = s.input ? new Uint8Array(s.input.buffer ?? s.input, s.input.byteOffset ?? 0, s.input.byteLength) : new Uint8Array(0);
          inputs.push({ fd: ours, data, at: 0 });
        } else {
          outputs.push({ fd: ours, index: i, chunks: [], size: 0 });
        }
        native.nonblock(ours, true);
      } else if (s.type === 'inherit' || s.type === 'fd') {
        fds.push(s.type === 'fd' ? s.fd : i);
      } else {
        const fd = native.open('/dev/null', i === 0 ? 0 : 2, 0);
        fds.push(fd);
        close.push(fd);
      }
    });
    const pid = native.spawn(options.file, options.args ?? [options.file], environmentOf(options.envPairs), options.cwd,
      fds, options.detached ? 1 : 0);
    for (const fd of close) native.close(fd);
    if (pid < 0) {
      for (const x of [...inputs, ...outputs]) native.close(x.fd);
      let code = pid;
      if (code === -2 && options.cwd !== undefined && native.kind(options.cwd) !== 1) code = -2;
      return { error: code, status: null, signal: null, output: null, pid: 0 };
    }
    const deadline = options.timeout > 0 ? native.hrtime() / 1e6 + options.timeout : Infinity;
    const max = options.maxBuffer >= 0 ? options.maxBuffer : Infinity;
    let killed = false;
    const kill = (code) => {
      if (killed) return;
      killed = true;
      error = code;
      native.kill(pid, options.killSignal || 15);
    };
    const buffer = new Uint8Array(65536);
    while (inputs.length + outputs.length > 0) {
      const watched = [];
      for (const x of inputs) watched.push(x.fd, 4);
      for (const x of outputs) watched.push(x.fd, 1);
      const slots = Int32Array.from(watched), left = deadline - native.hrtime() / 1e6;
      native.poll(slots, deadline === Infinity ? -1 : Math.max(0, left), true);
      if (native.hrtime() / 1e6 >= deadline) kill(-110);
      for (let i = 0; i < slots.length; i += 2) {
        if (slots[i + 1] === 0) continue;
        const input = inputs.find((x) => x.fd === slots[i]), output = outputs.find((x) => x.fd === slots[i]);
        if (input) {
          const n = input.at < input.data.length ? native.write(input.fd, input.data, input.at, input.data.length - input.at, -1) : 0;
          if (n > 0) input.at += n;
          if ((n < 0 && n !== -11) || input.at >= input.data.length) {
            native.close(input.fd);
            inputs.splice(inputs.indexOf(input), 1);
          }
        } else if (output) {
          const n = native.read(output.fd, buffer, 0, buffer.length, -1);
          if (n > 0) {
            output.size += n;
            output.chunks.push(buffer.slice(0, output.size > max ? Math.max(0, n - (output.size - max)) : n));
            if (output.size > max) kill(-105);
          } else if (n !== -11 && n !== -4) {
            native.close(output.fd);
            outputs.splice(outputs.indexOf(output), 1);
            output.done = true;
          }
          output.all ??= (done.push(output), true);
        }
      }
      if (killed) {
        for (const x of inputs.splice(0)) native.close(x.fd);
        for (const x of outputs.splice(0)) { native.close(x.fd); }
      }
    }
    let got;
    for (;;) {
      got = native.wait(pid, deadline === Infinity || killed);
      if (got !== 0) break;
      if (native.hrtime() / 1e6 >= deadline) kill(-110);
      native.sleep(1);
    }
    const output = stdio.map((s, i) => {
      if (s.type !== 'pipe' || s.readable) return null;
      const o = done.find((x) => x.index === i);
      return env.require('buffer').Buffer.concat(o ? o.chunks.map(env.bufferOf) : []);
    });
    done.length = 0;
    const result = { pid, status: got[2] ? null : got[1], signal: got[2] ? signalName(got[2]) : null, output };
    if (error !== undefined) result.error = error;
    return result;
  },
});
const done = [];

class Process {
  constructor() { this.refed = true; }
  getAsyncId() { return 0; }
  spawn(options) {
    const fds = [], close = [];
    for (const [i, s] of (options.stdio ?? []).entries()) {
      if (s.type === 'pipe' || s.type === 'overlapped') {
        const [a, b] = native.socketPair ? native.socketPair() : native.pipe();
        s.handle.adopt(a);
        fds.push(b);
        close.push(b);
      } else if (s.type === 'inherit' || s.type === 'fd') {
        fds.push(s.type === 'fd' ? s.fd : i);
      } else if (s.type === 'wrap') {
        fds.push(s.handle.fd);
      } else {
        const fd = native.open('/dev/null', i === 0 ? 0 : 2, 0);
        fds.push(fd);
        close.push(fd);
      }
    }
    const pid = native.spawn(options.file, options.args, environmentOf(options.envPairs), options.cwd, fds, options.detached ? 1 : 0);
    for (const fd of close) native.close(fd);
    if (pid < 0) return pid;
    this.pid = pid;
    env.activeHandles.add(this);
    const exited = (code, signal) => {
      this.running = false;
      env.activeHandles.delete(this);
      env.call(this, this.onexit, code, signalName(signal));
    };
    exited.handle = this;
    this.running = true;
    env.watchChild(pid, exited);
    return 0;
  }
  kill(signal) { return this.running ? native.kill(this.pid, signal) : -3; }
  close(f) { env.closeLater(() => env.call(this, f)); }
  ref() { this.refed = true; }
  unref() { this.refed = false; }
  hasRef() { return this.refed; }
}
bindings.process_wrap = () => ({ Process });

class Signal {
  constructor() { this.refed = true; }
  getAsyncId() { return 0; }
  start(number) {
    if (number === 9 || number === 19) return -22;
    this.number = number;
    env.watchSignal(number, this);
    return 0;
  }
  stop() { if (this.number) env.unwatchSignal(this.number, this); this.number = 0; return 0; }
  close(f) { this.stop(); env.closeLater(() => env.call(this, f)); }
  ref() { this.refed = true; }
  unref() { this.refed = false; }
  hasRef() { return this.refed; }
}
bindings.signal_wrap = () => ({ Signal });
