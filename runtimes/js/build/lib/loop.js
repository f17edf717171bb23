// The event loop, and the bindings that feed it: timers, ticks, promises' jobs, async ids.
'use strict';

const { native, process, primordials, bindings, perIsolateSymbols } = env;
const { SafeMap, SafeSet, FunctionPrototypeCall, ReflectApply } = primordials;

// ---- async ids

const asyncHookFields = env.words(Uint32Array, 9);
const asyncIdFields = env.words(Float64Array, 4);
const asyncIdsStack = env.words(Float64Array, 64);
const executionResources = [];
asyncIdFields[2] = 1; // kAsyncIdCounter
const kStackLength = 7;

bindings.async_wrap = () => {
  const providers = { __proto__: null };
  ['NONE', 'DIRHANDLE', 'DNSCHANNEL', 'FILEHANDLE', 'FSEVENTWRAP', 'FSREQCALLBACK', 'FSREQPROMISE', 'GETADDRINFOREQWRAP',
    'HTTPINCOMINGMESSAGE', 'HTTPCLIENTREQUEST', 'JSSTREAM', 'MESSAGEPORT', 'PIPECONNECTWRAP', 'PIPESERVERWRAP', 'PIPEWRAP',
    'PROCESSWRAP', 'PROMISE', 'SHUTDOWNWRAP', 'SIGNALWRAP', 'STATWATCHER', 'TCPCONNECTWRAP', 'TCPSERVERWRAP', 'TCPWRAP',
    'TTYWRAP', 'UDPWRAP', 'WRITEWRAP', 'ZLIB', 'Timeout', 'Immediate', 'TickObject'].forEach((n, i) => { providers[n] = i; });
  return {
    Providers: providers, setupHooks(hooks) { env.asyncHooks = hooks; }, setCallbackTrampoline(f) { env.trampoline = f; },
    setPromiseHooks(init, before, after, settled) { setPromiseHooks(init, before, after, settled); },
    pushAsyncContext(id, trigger) {
      const at = asyncHookFields[kStackLength];
      env.deepIds ??= [];
      env.deepIds[at] = [asyncIdFields[0], asyncIdFields[1]];
      asyncHookFields[kStackLength]++;
      asyncIdFields[0] = id;
      asyncIdFields[1] = trigger;
    },
    popAsyncContext(id) {
      if (asyncHookFields[kStackLength] === 0) return false;
      const at = --asyncHookFields[kStackLength];
      const saved = env.deepIds?.[at] ?? [asyncIdsStack[2 * at], asyncIdsStack[2 * at + 1]];
      asyncIdFields[0] = saved[0];
      asyncIdFields[1] = saved[1];
      executionResources.pop();
      return asyncHookFields[kStackLength] > 0;
    },
    clearAsyncIdStack() {
      asyncIdFields[0] = asyncIdFields[1] = 0;
      asyncHookFields[kStackLength] = 0;
      executionResources.length = 0;
    },
    executionAsyncResource: (index) => executionResources[index], registerDestroyHook() {}, queueDestroyAsyncId() {},
    async_hook_fields: asyncHookFields, async_id_fields: asyncIdFields, async_ids_stack: asyncIdsStack,
    execution_async_resources: executionResources,
    constants: {
      kInit: 0, kBefore: 1, kAfter: 2, kDestroy: 3, kPromiseResolve: 4, kTotals: 5, kCheck: 6, kStackLength: 7,
      kUsesExecutionAsyncResource: 8, kExecutionAsyncId: 0, kTriggerAsyncId: 1, kAsyncIdCounter: 2, kDefaultTriggerAsyncId: 3,
    },
  };
};
asyncIdFields[3] = -1;

function setPromiseHooks(init, before, after, settled) {
  if (!init && !before && !after && !settled) {
    native.setHook('promise', undefined);
    return;
  }
  native.setHook('promise', (what, context) => {
    if (what === 0) {
      const resource = { __proto__: null };
      init?.(resource, undefined);
      return resource;
    }
    if (what === 1) before?.(context);
    else after?.(context);
    return undefined;
  });
}
env.newAsyncId = () => ++asyncIdFields[2];

// ---- ticks and promises

const tickInfo = env.words(Uint8Array, 2); // kHasTickScheduled, kHasRejectionToWarn
let tickCallback;

bindings.task_queue = () => ({
  tickInfo,
  runMicrotasks: runJobs,
  setTickCallback(f) { tickCallback = f; },
  enqueueMicrotask: native.enqueue,
  setPromiseRejectCallback(f) {
    native.setHook('rejection', (handled, promise, reason) => f(handled ? 1 : 0, promise, reason));
  },
  promiseRejectEvents: {
    kPromiseRejectWithNoHandler: 0, kPromiseHandlerAddedAfterReject: 1, kPromiseResolveAfterResolved: 2,
    kPromiseRejectAfterResolved: 3,
  },
});

function runJobs() {
  for (;;) {
    try {
      native.runJobs();
      return;
    } catch (error) {
      env.uncaught(error, false);
    }
  }
}

// settle runs what a callback has left: promises' jobs and ticks.
function settle() {
  if (env.kept.length > 0) env.kept.length = 0;
  if (tickInfo[0] === 0) runJobs();
  while (tickInfo[0] !== 0 || tickInfo[1] !== 0) {
    try {
      FunctionPrototypeCall(tickCallback, process);
      return;
    } catch (error) {
      env.uncaught(error, false);
    }
  }
}
env.settle = settle;

// call runs a callback of the loop, as MakeCallback does.
env.call = (self, f, ...args) => {
  if (typeof f !== 'function') return undefined;
  let result;
  const asyncId = self?.[perIsolateSymbols.async_id_symbol] ?? 0;
  const hooked = self?.asyncResource !== undefined || (asyncId !== 0 && asyncHookFields[1] + asyncHookFields[2] + asyncHookFields[8] > 0);
  if (hooked) env.asyncHooks && env.emitBefore?.(asyncId, self);
  try {
    result = ReflectApply(f, self, args);
  } catch (error) {
    env.uncaught(error, false);
  }
  if (hooked) env.emitAfter?.(asyncId);
  settle();
  return result;
};

// ---- timers

let processImmediate, processTimers, timerAt = Infinity, timerRef = true, immediateRef = false, loopStart = 0;
const immediateInfo = env.words(Uint32Array, 3); // kCount, kRefCount, kHasOutstanding
const timerInfo = env.words(Int32Array, 1);
let now = 0;
const updateNow = () => { now = Math.floor((native.hrtime() - loopStart) / 1e6); return now; };

bindings.timers = () => ({
  setupTimers(immediate, timers) { processImmediate = immediate; processTimers = timers; },
  getLibuvNow: () => now,
  scheduleTimer(ms) { timerAt = now + Math.max(1, ms); },
  toggleTimerRef(on) { timerRef = on; },
  toggleImmediateRef(on) { immediateRef = on; },
  immediateInfo, timeoutInfo: timerInfo,
});

function runTimers() {
  timerAt = Infinity;
  let next;
  do {
    try {
      next = processTimers.call(process, now);
      break;
    } catch (error) {
      env.uncaught(error, false);
      updateNow();
    }
  } while (true);
  settle();
  if (next !== 0 && next !== undefined) {
    timerAt = Math.max(Math.abs(next), now + 1);
    timerRef = next > 0;
  }
}

// ---- what is under way

let pending = [];         // completions of requests
let pendingRequests = 0;
const watchers = new SafeMap(); // descriptor → {read, write: functions or undefined, refs}
const children = new SafeMap(); // pid → function
const signals = new SafeMap();  // number → Set of handles
const closing = [];
const polled = new SafeSet(); // functions that look at something by the clock
env.activeHandles = new SafeSet();

// complete has a request's callback run in the loop's next turn.
env.complete = (f) => { pending.push(f); };
env.watch = (fd, what, f) => {
  let w = watchers.get(fd);
  if (w === undefined) {
    if (f === undefined) return;
    watchers.set(fd, w = { read: undefined, write: undefined, owner: { read: undefined, write: undefined } });
  }
  w[what] = f;
  if (w.read === undefined && w.write === undefined) watchers.delete(fd);
};
env.watchOwner = (fd, what, handle) => { const w = watchers.get(fd); if (w) w.owner[what] = handle; };
env.unwatch = (fd) => { watchers.delete(fd); };
env.watchChild = (pid, f) => { children.set(pid, f); native.watchSignal(17, 1); };
env.closeLater = (f) => { closing.push(f); };
env.pollEvery = (f, ms, handle) => { const p = { f, ms, at: now + ms, handle }; polled.add(p); return p; };
env.pollStop = (p) => { polled.delete(p); };
env.watchSignal = (number, handle) => {
  let set = signals.get(number);
  if (set === undefined) signals.set(number, set = new SafeSet());
  set.add(handle);
  native.watchSignal(number, 1);
};
env.unwatchSignal = (number, handle) => {
  const set = signals.get(number);
  if (set?.delete(handle) && set.size === 0) {
    signals.delete(number);
    if (number !== 17 && !(number === 2 && env.inCell)) native.watchSignal(number, 0);
  }
};

const isRef = (handle) => handle === undefined || handle.refed !== false;

function handlesAlive() {
  if (watchers.size === 0 && children.size === 0 && signals.size === 0 && polled.size === 0) return false;
  for (const w of watchers.values()) {
    if ((w.read && isRef(w.owner.read)) || (w.write && isRef(w.owner.write))) return true;
  }
  for (const f of children.values()) if (isRef(f.handle)) return true;
  for (const set of signals.values()) for (const h of set) if (isRef(h)) return true;
  for (const p of polled) if (isRef(p.handle)) return true;
  return false;
}

const alive = () => pending.length > 0 || closing.length > 0 || (timerAt < Infinity && timerRef) ||
  immediateInfo[1] > 0 || handlesAlive();
env.loopAlive = alive;
// nextTimer answers in how many milliseconds a timer is due that the process would wait for.
env.nextTimer = () => (timerRef && timerAt < Infinity ? Math.max(0, timerAt - updateNow()) : Infinity);

function reap() {
  for (const [pid, f] of children) {
    const got = native.wait(pid, false);
    if (got === 0) continue;
    children.delete(pid);
    if (typeof got === 'number') f(0, 0);
    else f(got[1], got[2]);
  }
}

function takeSignals() {
  const list = native.takeSignals();
  if (list === undefined) return;
  for (const number of list) {
    if (number === 17) reap();
    const set = signals.get(number);
    if (set) for (const handle of [...set]) env.call(handle, handle.onsignal, number);
  }
}

let pollArray = new Int32Array(16);
function pollOnce(timeout) {
  let n = 0;
  if (pollArray.length < watchers.size * 2) pollArray = new Int32Array(watchers.size * 4);
  for (const [fd, w] of watchers) {
    pollArray[n++] = fd;
    pollArray[n++] = (w.read ? 1 : 0) | (w.write ? 4 : 0);
  }
  if (n === 0 && timeout === 0 && children.size === 0 && signals.size === 0) return;
  const slots = pollArray.subarray(0, n);
  const result = native.poll(slots, timeout);
  updateNow();
  if (result > 0) serve(slots.slice(), n);
  takeSignals();
  if (children.size > 0) reap();
}

function serve(ready, n) {
  for (let i = 0; i < n; i += 2) {
    const events = ready[i + 1];
    if (events === 0) continue;
    const w = watchers.get(ready[i]);
    if (w?.read && events & 17) w.read(events);
    if (w?.write && events & 20) w.write(events);
  }
}

function turn(wait) {
  updateNow();
  if (timerAt <= now) runTimers();
  const list = pending;
  pending = [];
  for (let i = 0; i < list.length; i++) list[i]();
  let timeout = -1;
  if (!wait || pending.length > 0 || closing.length > 0 || immediateInfo[0] > 0 || !alive()) timeout = 0;
  else if (timerAt < Infinity) timeout = Math.max(0, timerAt - now);
  for (const p of polled) timeout = timeout < 0 ? Math.max(0, p.at - now) : Math.min(timeout, Math.max(0, p.at - now));
  pollOnce(timeout);
  for (const p of [...polled]) {
    if (p.at <= now) {
      p.at = now + p.ms;
      p.f();
    }
  }
  if (immediateInfo[0] > 0) {
    for (;;) {
      try {
        processImmediate.call(process);
        break;
      } catch (error) {
        env.uncaught(error, false);
        if (immediateInfo[2] === 0) break;
      }
    }
    settle();
  }
  updateNow();
  if (timerAt <= now) runTimers();
  while (closing.length > 0) closing.shift()();
}
env.turn = turn;

// runLoop runs until there is nothing more to wait for, or until done says so.
env.runLoop = (done) => {
  while (alive() && !(done && done())) turn(true);
};
env.beginLoop = () => { loopStart = native.hrtime(); now = 0; };

// ---- threads of execution that end

env.uncaught = (error, fromPromise) => {
  if (env.cellError?.(error)) return;
  let handled = false;
  env.place = env.errorPlace(error);
  try {
    handled = process._fatalException(error, fromPromise);
  } catch (second) {
    error = second;
    env.place = env.errorPlace(second);
    process.exitCode = 7;
  }
  if (handled) return;
  env.printFatal(error);
  const code = process[env.privateSymbols.exit_info_private_symbol];
  env.exit(code[2] ? code[1] : 1);
};
